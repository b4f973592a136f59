//! A strategy with its keys, for values of one type: called once per value.
//!
//! A value of another type is an error, never passed through. A value outside what the strategy
//! takes is an error too, unless the parameter `on_error` says what to write in its place.

use std::borrow::Cow;
use std::fmt;

use super::definition::{Apply, Row, Seed, Subkeys, outside};
use super::params::{ParamError, ParamKind, ParamSpec, Params, Value};
use super::{Datum, Kind, Strategy, ValueType};
use crate::error::{self, Error, Result};

/// A compiled strategy: cheap per value, as good as the key, so `Debug` hides it.
pub struct Mask {
    kind: Kind,
    of: ValueType,
    on_error: OnError,
    apply: Box<dyn Apply>,
}

impl Mask {
    pub(super) fn new(
        strategy: &Strategy,
        keys: &Subkeys<'_>,
        seed: Seed,
        of: ValueType,
    ) -> Result<Self> {
        if !strategy.accepts(of) {
            return Err(strategy.mismatch(of));
        }
        Ok(Self {
            kind: strategy.kind,
            of,
            on_error: strategy.on_error,
            apply: strategy.parsed.compile(keys, seed, of)?,
        })
    }

    /// A mask that somebody else applies, for whom the strategy says what becomes of refused values.
    pub fn by(strategy: &Strategy, of: ValueType, apply: Box<dyn Apply>) -> Self {
        Self {
            kind: strategy.kind,
            of,
            on_error: strategy.on_error,
            apply,
        }
    }

    /// The type of the values it takes and gives.
    pub fn value_type(&self) -> ValueType {
        self.of
    }

    /// Masks a value; `None` stands for NULL.
    ///
    /// # Errors
    /// `DatatypeMismatch` for a value of another type, `Data` or `Blank` for one that the strategy
    /// does not take.
    pub fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        self.checked(value, |value| self.apply.apply(value, row))
    }

    /// Computes a value back.
    ///
    /// # Errors
    /// As [`Self::apply`], and `Unsupported` unless the strategy is reversible.
    pub fn reverse<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        self.checked(value, |value| self.apply.reverse(value, row))
    }

    fn checked<'a>(
        &self,
        value: Datum<'a>,
        work: impl FnOnce(Datum<'a>) -> Result<Option<Datum<'a>>>,
    ) -> Result<Option<Datum<'a>>> {
        if !self.of.holds(&value) {
            let message = format!("value does not fit type {}", self.of.name());
            return Err(Error::new(error::Kind::Data, message));
        }
        let masked = match value.size() {
            size if size > self.apply.longest() => {
                Err(too_long(self.kind, size, self.apply.longest()))
            }
            _ => work(value),
        };
        match masked {
            Err(error) if error.is_about_the_value() => match self.on_error {
                OnError::Error => Err(error),
                OnError::Null => Ok(None),
                OnError::Redact => Ok(neutral(self.of)),
            },
            other => other,
        }
    }

    /// Masks a text.
    ///
    /// # Errors
    /// As [`Self::apply`], and for NULL.
    pub fn text<'a>(&self, value: &'a str) -> Result<Cow<'a, str>> {
        match self.apply(Datum::text(value), Row::NONE)? {
            Some(Datum::Text(text)) => Ok(text),
            _ => Err(self.no_value()),
        }
    }

    /// Masks an integer.
    ///
    /// # Errors
    /// As [`Self::apply`], and for NULL.
    pub fn int(&self, value: i64) -> Result<i64> {
        match self.apply(Datum::Int(value), Row::NONE)? {
            Some(Datum::Int(value)) => Ok(value),
            _ => Err(self.no_value()),
        }
    }

    fn no_value(&self) -> Error {
        let message = format!("strategy \"{}\" gave no value", self.kind.name());
        Error::new(error::Kind::Internal, message)
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask(..)")
    }
}

/// What becomes of a value that a strategy does not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The statement fails.
    #[default]
    Error,
    /// NULL.
    Null,
    /// What strategy `redact` writes for the type.
    Redact,
}

impl OnError {
    /// The parameter behind it, which every strategy knows.
    pub const PARAM: ParamSpec = ParamSpec::new(
        "on_error",
        ParamKind::Text,
        "error",
        "What becomes of a value the strategy does not take: error, null or redact.",
    );

    /// Takes the parameter out of those that are the strategy's own.
    pub(super) fn take(kind: Kind, params: &Params) -> Result<(Self, Params), ParamError> {
        let mut own = params.clone();
        let word = match own.remove(Self::PARAM.name) {
            None => return Ok((Self::Error, own)),
            Some(Value::Text(word)) => word,
            Some(_) => String::new(),
        };
        let found = WORDS.iter().find(|(name, _)| *name == word);
        found.map(|&(_, on_error)| (on_error, own)).ok_or_else(|| {
            let message = format!(
                "invalid value for parameter \"on_error\" of strategy \"{}\"",
                kind.name()
            );
            ParamError {
                param: Self::PARAM.name.to_owned(),
                error: Error::new(error::Kind::InvalidParameter, message)
                    .with_detail("It must be error, null or redact."),
            }
        })
    }

    /// Puts the parameter back, where it is not the default.
    pub(super) fn give(self, params: &mut Params) {
        if let Some((word, _)) = WORDS.iter().find(|(_, of)| *of == self)
            && self != Self::Error
        {
            params.insert(Self::PARAM.name.to_owned(), Value::from(*word));
        }
    }

    /// Whether it writes NULL for some value of a type.
    pub(super) fn gives_null(self, of: ValueType) -> bool {
        match self {
            Self::Error => false,
            Self::Null => true,
            Self::Redact => neutral(of).is_none(),
        }
    }

    /// The most characters it writes.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Redact => REDACTED.len(),
            Self::Error | Self::Null => 0,
        }
    }
}

const WORDS: [(&str, OnError); 3] = [
    ("error", OnError::Error),
    ("null", OnError::Null),
    ("redact", OnError::Redact),
];

fn too_long(kind: Kind, size: usize, most: usize) -> Error {
    let mebibytes = most >> 20;
    outside(
        kind.name(),
        "too long",
        format!("It has {size} bytes; at most {most} ({mebibytes} MiB) are masked."),
    )
    .with_hint("The parameter \"on_error\" can put NULL or a neutral value in its place.")
}

/// What stands in place of a text.
pub const REDACTED: &str = "[REDACTED]";

/// The value of a type that says nothing; NULL for an enum, which has none.
pub(super) fn neutral(of: ValueType) -> Option<Datum<'static>> {
    Some(match of {
        ValueType::Bool => Datum::Bool(false),
        ValueType::Bytes => Datum::Bytes(Cow::Borrowed(&[])),
        ValueType::Cidr => Datum::Inet(Cow::Borrowed("0.0.0.0/0")),
        // 1970-01-01.
        ValueType::Date => Datum::Date(-10_957),
        ValueType::Timestamp | ValueType::Timestamptz => {
            Datum::Timestamp(-10_957 * 86_400 * 1_000_000)
        }
        ValueType::Enum | ValueType::Record => return None,
        ValueType::Float32 | ValueType::Float64 => Datum::Float(0.0),
        ValueType::Hstore => Datum::Hstore(Cow::Borrowed("")),
        ValueType::Inet => Datum::Inet(Cow::Borrowed("0.0.0.0")),
        ValueType::Int16 | ValueType::Int32 | ValueType::Int64 => Datum::Int(0),
        ValueType::Json | ValueType::Jsonb => Datum::Json(Cow::Borrowed("{}")),
        ValueType::Mac => Datum::Mac(Cow::Borrowed("00:00:00:00:00:00")),
        ValueType::Mac8 => Datum::Mac(Cow::Borrowed("00:00:00:00:00:00:00:00")),
        ValueType::Numeric => Datum::Numeric(Cow::Borrowed("0")),
        ValueType::Text => Datum::text(REDACTED),
        ValueType::Uuid => Datum::Uuid([0; 16]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::definition::LONGEST;

    fn mask(kind: Kind, of: ValueType) -> Result<Mask> {
        let strategy = Strategy::new(kind, &Params::new()).unwrap();
        strategy.mask(&Subkeys::new(&[7; 32], &[8; 32]), Seed::new(4711), of)
    }

    #[test]
    fn debug_shows_no_key() {
        let mask = mask(Kind::Hash, ValueType::Text).unwrap();
        assert_eq!(format!("{mask:?}"), "Mask(..)");
    }

    #[test]
    fn masks_take_exactly_the_types_they_accept() {
        let error = mask(Kind::Email, ValueType::Int16).unwrap_err();
        assert_eq!(
            error.message(),
            "strategy \"email\" does not accept type smallint"
        );
        let text = mask(Kind::Hash, ValueType::Text).unwrap();
        assert!(text.int(1).is_err());
    }

    #[test]
    fn every_neutral_value_is_of_its_type() {
        for of in ValueType::ALL {
            assert!(neutral(*of).is_none_or(|value| of.holds(&value)), "{of:?}");
        }
    }

    #[test]
    fn values_of_a_gigabyte_are_refused_and_not_processed() {
        let huge = "x".repeat(LONGEST + 1);
        for (kind, limit) in [
            (Kind::Hash, "at most 268435456 (256 MiB) are masked."),
            (Kind::Json, "at most 67108864 (64 MiB) are masked."),
            (Kind::Lorem, "at most 67108864 (64 MiB) are masked."),
            (Kind::Text, "at most 67108864 (64 MiB) are masked."),
        ] {
            let refused = mask(kind, ValueType::Text).unwrap().text(&huge);
            let refused = refused.unwrap_err();
            let name = kind.name();
            assert_eq!(
                refused.message(),
                format!("value for strategy \"{name}\" is too long")
            );
            let detail = format!("It has 268435457 bytes; {limit}");
            assert_eq!(refused.detail(), Some(&*detail));
            assert!(refused.hint().is_some_and(|hint| hint.contains("on_error")));
            assert!(refused.is_about_the_value());
        }
        let mask = mask(Kind::Hash, ValueType::Text).unwrap();
        assert!(mask.text(&"x".repeat(1 << 20)).is_ok());
    }

    #[test]
    fn integers_out_of_their_width_are_refused_unnamed() {
        let mask = mask(Kind::Hash, ValueType::Int16).unwrap();
        let error = mask.int(32_768).unwrap_err();
        assert_eq!(error.message(), "value does not fit type smallint");
        assert!(mask.int(-32_768).is_ok());
    }

    #[test]
    fn on_error_is_a_word_out_of_three() {
        let params = |word: &str| Params::from([("on_error".to_owned(), Value::from(word))]);
        let strategy = Strategy::new(Kind::Email, &params("null")).unwrap();
        assert_eq!(strategy.effective_params()["on_error"], Value::from("null"));
        let refused = Strategy::new(Kind::Email, &params("ignore")).unwrap_err();
        assert_eq!(refused.param, "on_error");
    }
}
