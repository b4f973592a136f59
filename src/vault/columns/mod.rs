//! Tokens of whole columns, for runs: what a row finds the token of its value by.
//!
//! A run makes the tokens of all values first, in the order of their handles as every batch does,
//! and puts each beside a key of its own; its rows compute the key and are joined. The key is a
//! keyed hash under a secret that is drawn for the run and gone with it.

pub mod store;

use blake3::Hasher;

use super::domain::{Domain, check_subject};
use crate::error::{Error, Kind, Result};
use crate::keys::{Secret, push_field};
use crate::strategies::token::TokenFormat;
use crate::strategies::token::tokenize::{DEFINITION, DOMAIN};
use crate::strategies::{self, Apply, Datum, Row, Strategy, Value, ValueType};

/// What the key of a value that has a token begins with, unlike anything else that stands in for
/// a value.
pub const KEY_MARK: &str = "k";

/// The domain that a strategy takes its tokens of; `None` of other strategies.
pub fn domain_of(strategy: &Strategy) -> Option<&str> {
    let is_ours = strategy.kind() == strategies::Kind::Tokenize;
    match strategy.effective_params().get(DOMAIN).filter(|_| is_ours) {
        Some(Value::Text(name)) => Some(name),
        _ => None,
    }
}

/// Gives the key that the rows of a run find the tokens of a domain by, and refuses values that
/// get none.
pub struct Lookup {
    format: TokenFormat,
    domain: i32,
    secret: Secret,
}

impl Lookup {
    /// For the tokens of a domain; `secret` is the run's.
    pub fn new(domain: &Domain, secret: &Secret) -> Self {
        Self {
            format: domain.terms.format.clone(),
            domain: domain.id,
            secret: secret.clone(),
        }
    }

    fn key(&self, value: &str, subject: Option<&str>) -> String {
        let mut key = KEY_MARK.to_owned();
        let mut fields = Vec::with_capacity(value.len() + 64);
        push_field(&mut fields, &self.domain.to_be_bytes());
        if let Some(subject) = subject {
            push_field(&mut fields, subject.as_bytes());
            // First, so that sorted by key the values of a subject stand together.
            let whose = blake3::keyed_hash(self.secret.expose(), &fields);
            key.push_str(&hex::encode(&whose.as_bytes()[..8]));
        }
        push_field(&mut fields, value.as_bytes());
        let hash = Hasher::new_keyed(self.secret.expose())
            .update(&fields)
            .finalize();
        key.push_str(&hex::encode(&hash.as_bytes()[..16]));
        key
    }
}

impl Apply for Lookup {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        let value = text(&value)?;
        self.format.check(value)?;
        let subject = row.one(0);
        // About the row here, so that on_error of the rule is heeded.
        subject.map_or(Ok(()), check_subject).map_err(|error| {
            let detail = "A value that is nobody's has the subject NULL.";
            Error::new(Kind::Blank, error.message()).with_detail(detail)
        })?;
        Ok(Some(Datum::text(self.key(value, subject))))
    }
}

fn text<'v>(value: &'v Datum<'_>) -> Result<&'v str> {
    match value {
        Datum::Text(text) => Ok(text),
        _ => Err(strategies::definition::mismatch(
            DEFINITION.name,
            ValueType::Text,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Input, Params};
    use crate::vault::domain::Terms;

    fn lookup(id: i32, secret: u8) -> Lookup {
        let domain = Domain {
            id,
            name: "mail".to_owned(),
            terms: Terms {
                format: TokenFormat::new(&Params::new()).unwrap(),
                is_deterministic: true,
                is_bound: false,
                reveals_per_hour: None,
            },
            secret: Secret::take(&mut [9; 32]),
        };
        Lookup::new(&domain, &Secret::take(&mut [secret; 32]))
    }

    fn key(lookup: &Lookup, value: &str, subject: Option<&str>) -> Result<String> {
        let row = subject.map_or(Input::None, Input::One);
        match lookup.apply(Datum::text(value.to_owned()), Row(&[row]))? {
            Some(Datum::Text(key)) => Ok(key.into_owned()),
            _ => panic!("no key"),
        }
    }

    #[test]
    fn columns_are_looked_up_by_domain_subject_and_value() {
        let mail = lookup(1, 7);
        let base = key(&mail, "ada", None).unwrap();
        assert_eq!(base, key(&mail, "ada", None).unwrap());
        assert!(base.starts_with(KEY_MARK) && !base.contains("ada"));
        for other in [
            key(&mail, "Ada", None),
            key(&mail, "ada", Some("1")),
            key(&mail, "ada", Some("2")),
            key(&lookup(2, 7), "ada", None),
            key(&lookup(1, 8), "ada", None),
        ] {
            assert_ne!(base, other.unwrap());
        }
        let [first, second] = ["a", "b"].map(|value| key(&mail, value, Some("1")).unwrap());
        assert_eq!(first[..17], second[..17]);
        assert_ne!(first, second);
    }

    #[test]
    fn columns_have_values_that_get_no_token() {
        let mail = lookup(1, 7);
        for (value, subject, kind) in [
            ("", None, Kind::Blank),
            (" \t", None, Kind::Blank),
            ("\u{200b}", None, Kind::Blank),
            ("ada", Some(" "), Kind::Blank),
            ("ada", Some("7 "), Kind::Blank),
            ("ada", Some("\u{200b}"), Kind::Blank),
            (&*"x".repeat(10_001), None, Kind::Data),
        ] {
            let error = key(&mail, value, subject).unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.is_about_the_value());
        }
    }
}
