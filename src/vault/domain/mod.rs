//! A domain: a space of tokens with one form, and the secret everything in it is derived from.

pub mod store;

use crate::error::{Error, Kind, Result};
use crate::keys::Secret;
use crate::strategies::token::TokenFormat;
use crate::strategies::token::tokenize::invalid_domain;
use crate::value::unseen::is_blank;

/// Longest time to live, in years.
const LONGEST_TTL: i32 = 1000;

/// What a domain is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What its tokens look like.
    pub format: TokenFormat,
    /// Whether a value always has the same token.
    pub is_deterministic: bool,
    /// Whether values open only for who shows the token.
    pub is_bound: bool,
    /// How many values a role may be given in an hour.
    pub reveals_per_hour: Option<i32>,
}

impl Terms {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// 22023 for a limit below 1.
    pub fn check(&self) -> Result<()> {
        if self.reveals_per_hour.is_some_and(|most| most < 1) {
            return Err(Error::new(
                Kind::InvalidParameter,
                "argument \"reveals_per_hour\" must be at least 1",
            ));
        }
        Ok(())
    }
}

/// A domain as it is used.
pub struct Domain {
    /// Its number in the tables.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// What it was made with.
    pub terms: Terms,
    /// Its secret.
    pub secret: Secret,
}

/// Checks the name of a domain to be.
///
/// # Errors
/// 22023 when it is empty, too long, or has characters that do not print.
pub fn check_name(name: &str) -> Result<()> {
    match invalid_domain(name) {
        None => Ok(()),
        Some(detail) => {
            let error = Error::new(Kind::InvalidParameter, "invalid name of a domain");
            Err(error.with_detail(detail))
        }
    }
}

/// Checks how long tokens shall live, in the parts of an interval.
///
/// # Errors
/// 22023 when it is not positive, or too long for the calendar.
pub fn check_ttl(months: i32, days: i32, micros: i64) -> Result<()> {
    const DAY: i128 = 86_400_000_000;
    // As the server compares intervals.
    let length = (i128::from(months) * 30 + i128::from(days)) * DAY + i128::from(micros);
    // Months have other lengths in the calendar, where parts that make up for each other may not.
    let is_positive = months >= 0 && days >= 0 && micros >= 0 && length > 0;
    if is_positive && length <= i128::from(LONGEST_TTL) * 360 * DAY {
        return Ok(());
    }
    Err(Error::new(
        Kind::InvalidParameter,
        format!(
            "argument \"ttl\" must be more than nothing, without negative parts, and at most \
             {LONGEST_TTL} years"
        ),
    )
    .with_hint("NULL stands for tokens that do not expire."))
}

/// Checks what a subject is called: with a space at its end it would be another one, which looks the
/// same, and is not forgotten with it.
///
/// # Errors
/// 22023 when it is blank or has white space at its ends.
pub fn check_subject(subject: &str) -> Result<()> {
    if !is_blank(subject) && subject.trim() == subject {
        return Ok(());
    }
    Err(Error::new(
        Kind::InvalidParameter,
        "the subject of a token is blank or has white space at its ends",
    )
    .with_hint("A value that is nobody's has the subject NULL."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_subjects_are_checked() {
        for good in ["7", "ada lovelace", "ä", "\u{2764}\u{fe0f}"] {
            check_subject(good).unwrap();
        }
        for bad in [
            "",
            " ",
            "7 ",
            "\t7",
            "7\u{a0}",
            "\u{200b}",
            "\u{feff}\u{2060}",
        ] {
            assert!(check_subject(bad).is_err());
        }
    }

    #[test]
    fn domain_names_are_checked() {
        for good in ["people", "e-mail of people", "ä", &"x".repeat(63)] {
            check_name(good).unwrap();
        }
        for bad in ["", " a", "a ", "a\nb", &"x".repeat(64)] {
            assert_eq!(check_name(bad).unwrap_err().kind(), Kind::InvalidParameter);
        }
    }
}
