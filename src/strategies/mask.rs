//! A strategy with its key: one method per family of types, called once per value.
//!
//! A type that a strategy does not accept is an error, never a value passed through.

use std::borrow::Cow;
use std::fmt;

use super::{Kind, Seed, Strategy, ValueType, email, hash, phone, redact};
use crate::error::{self, Error, Result};

/// A compiled strategy: cheap per value, as good as the key, so `Debug` hides it.
pub struct Mask(Compiled);

// One exists per column and lives in place.
#[allow(clippy::large_enum_variant)]
enum Compiled {
    Email(email::Mask),
    Hash(hash::Mask),
    Phone(phone::Mask),
    Redact(redact::Redact),
}

impl Mask {
    pub(super) fn new(strategy: Strategy, key: &[u8; 32], seed: Seed) -> Self {
        Self(match strategy {
            Strategy::Email(email) => Compiled::Email(email.mask(key, seed)),
            Strategy::Hash(hash) => Compiled::Hash(hash.mask(key, seed)),
            Strategy::Phone(phone) => Compiled::Phone(phone.mask(key, seed)),
            Strategy::Redact(redact) => Compiled::Redact(redact),
        })
    }

    /// Masks a text.
    ///
    /// # Errors
    ///
    /// `DatatypeMismatch` if the strategy does not accept texts; today every one does.
    pub fn text<'a>(&self, value: &'a str) -> Result<Cow<'a, str>> {
        Ok(match &self.0 {
            Compiled::Email(email) => Cow::Owned(email.text(value)),
            Compiled::Hash(hash) => Cow::Owned(hash.text(value)),
            Compiled::Phone(phone) => phone.text(value),
            Compiled::Redact(redact) => Cow::Owned(redact.text(value)),
        })
    }

    /// Masks an integer; the output fits the same width.
    ///
    /// # Errors
    ///
    /// `DatatypeMismatch` if the strategy does not accept integers of that width, `Data` if the
    /// value does not fit it.
    pub fn int(&self, value: i64, width: ValueType) -> Result<i64> {
        let max = match width {
            ValueType::Int16 => i64::from(i16::MAX),
            ValueType::Int32 => i64::from(i32::MAX),
            ValueType::Int64 => i64::MAX,
            ValueType::Bytes | ValueType::Text | ValueType::Uuid => {
                return Err(Error::new(
                    error::Kind::Internal,
                    format!("type {} holds no integers", width.name()),
                ));
            }
        };
        if !(-max - 1..=max).contains(&value) {
            let message = format!("value does not fit type {}", width.name());
            return Err(Error::new(error::Kind::Data, message));
        }
        match &self.0 {
            Compiled::Hash(hash) => Ok(hash.int(value, max)),
            Compiled::Phone(phone) if Kind::Phone.accepts(width) => Ok(phone.int(value, max)),
            Compiled::Redact(_) => Ok(0),
            Compiled::Email(_) | Compiled::Phone(_) => Err(self.mismatch(width)),
        }
    }

    /// Masks a uuid.
    ///
    /// # Errors
    ///
    /// `DatatypeMismatch` if the strategy does not accept uuids.
    pub fn uuid(&self, value: [u8; 16]) -> Result<[u8; 16]> {
        match &self.0 {
            Compiled::Hash(hash) => Ok(hash.uuid(value)),
            Compiled::Redact(_) => Ok([0; 16]),
            Compiled::Email(_) | Compiled::Phone(_) => Err(self.mismatch(ValueType::Uuid)),
        }
    }

    /// Masks a byte string.
    ///
    /// # Errors
    ///
    /// `DatatypeMismatch` if the strategy does not accept byte strings.
    pub fn bytes(&self, value: &[u8]) -> Result<Vec<u8>> {
        match &self.0 {
            Compiled::Hash(hash) => Ok(hash.bytes(value)),
            Compiled::Redact(_) => Ok(Vec::new()),
            Compiled::Email(_) | Compiled::Phone(_) => Err(self.mismatch(ValueType::Bytes)),
        }
    }

    fn mismatch(&self, of: ValueType) -> Error {
        let kind = match &self.0 {
            Compiled::Email(_) => Kind::Email,
            Compiled::Hash(_) => Kind::Hash,
            Compiled::Phone(_) => Kind::Phone,
            Compiled::Redact(_) => Kind::Redact,
        };
        let message = format!(
            "strategy \"{}\" does not accept type {}",
            kind.name(),
            of.name()
        );
        Error::new(error::Kind::DatatypeMismatch, message)
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::Params;

    fn mask(kind: Kind) -> Mask {
        let strategy = Strategy::new(kind, &Params::new()).unwrap();
        strategy.mask(&[7; 32], Seed::new(4711))
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", mask(Kind::Hash)), "Mask(..)");
    }

    #[test]
    fn masks_take_exactly_the_types_they_accept() {
        use ValueType::{Bytes, Int16, Int32, Int64, Text, Uuid};
        for kind in Kind::ALL {
            let mask = mask(kind);
            assert_eq!(mask.text("1").is_ok(), kind.accepts(Text));
            assert_eq!(mask.uuid([1; 16]).is_ok(), kind.accepts(Uuid));
            assert_eq!(mask.bytes(b"1").is_ok(), kind.accepts(Bytes));
            for width in [Int16, Int32, Int64] {
                assert_eq!(mask.int(1, width).is_ok(), kind.accepts(width));
            }
        }
        let error = mask(Kind::Email).int(4711, Int16).unwrap_err();
        assert_eq!(
            error.message(),
            "strategy \"email\" does not accept type smallint"
        );
    }

    #[test]
    fn integers_out_of_their_width_are_refused_unnamed() {
        let error = mask(Kind::Hash).int(32_768, ValueType::Int16).unwrap_err();
        assert_eq!(error.message(), "value does not fit type smallint");
        assert!(mask(Kind::Hash).int(-32_768, ValueType::Int16).is_ok());
        assert!(mask(Kind::Hash).int(1, ValueType::Text).is_err());
    }
}
