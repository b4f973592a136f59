//! What a token stands for is given back: to those who may, and only when that is on record.

pub mod store;

use crate::error::{Error, Kind};

/// What becomes of one token of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its value is given.
    Revealed,
    /// The domain has no such token.
    Unknown,
    /// Its time is over.
    Expired,
    /// Its subject was forgotten.
    Forgotten,
}

impl Status {
    /// The word shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Revealed => "revealed",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Forgotten => "forgotten",
        }
    }

    /// The error for who asked for this one token.
    pub fn error(self, domain: &str) -> Error {
        match self {
            Self::Revealed => Error::new(Kind::Internal, "a value was not given"),
            Self::Unknown => Error::new(
                Kind::UndefinedObject,
                format!("domain \"{domain}\" has no such token"),
            )
            .with_hint("It may be of another domain, or mistyped."),
            Self::Expired => Error::new(Kind::NotReady, "the token has expired")
                .with_hint("Whoever has the value can have it tokenized again."),
            Self::Forgotten => Error::new(
                Kind::NotReady,
                "the token cannot be revealed: its subject was forgotten",
            )
            .with_detail("The secret without which it does not open was destroyed, on record."),
        }
    }
}

/// Who may not, and who asks for a domain that is not there: the same words, so that nothing is
/// learned from them.
pub fn denied(domain: &str) -> Error {
    Error::new(
        Kind::Permission,
        format!("permission denied to reveal tokens of domain \"{domain}\""),
    )
    .with_detail("That it was asked is on record.")
    .with_hint("An administrator gives it with confiture.grant_access('revealer', role, domain).")
}

/// Too much in an hour.
pub fn limited(domain: &str, most: i32) -> Error {
    Error::new(
        Kind::Throttled,
        format!("no more tokens of domain \"{domain}\" are revealed to this role now"),
    )
    .with_detail(format!(
        "A role, and whoever logged in, asks for {most} in an hour, and that it was asked is on record."
    ))
    .with_hint("Ask later, or for fewer.")
}

/// How many values are put on record at once, after so many and with so much of a limit left.
pub fn next_step(on_record: i64, left: Option<i64>) -> i64 {
    let more = on_record.saturating_mul(9).max(1);
    left.map_or(more, |left| more.min((left / 10).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reveal_steps_grow_tenfold_and_stay_within_a_tenth_of_the_limit() {
        let steps = |limit: Option<i64>| {
            let mut on_record = 0;
            let step = || {
                let step = next_step(on_record, limit.map(|limit| limit - on_record));
                on_record += step;
                step
            };
            std::iter::repeat_with(step).take(4).collect::<Vec<_>>()
        };
        assert_eq!(steps(None), [1, 9, 90, 900]);
        assert_eq!(steps(Some(5)), [1, 1, 1, 1]);
        assert_eq!(steps(Some(1000)), [1, 9, 90, 90]);
    }
}
