//! What a pseudonym is drawn from: the entity if the row names one, the value otherwise.

use std::borrow::Cow;

use super::decimal::canonical;
use crate::strategies::Datum;
use crate::strategies::definition::Row;

/// The bytes of the entity, which is the first input, or of the value.
pub fn drawn_from<'v>(value: &'v Datum<'_>, row: Row<'v>) -> Cow<'v, [u8]> {
    match row.one(0) {
        Some(entity) => Cow::Borrowed(entity.as_bytes()),
        None => key(value),
    }
}

/// The bytes of a value, equal for equal values: 1.50 and 1.5 are one numeric.
pub fn key<'v>(value: &'v Datum<'_>) -> Cow<'v, [u8]> {
    match value {
        Datum::Numeric(text) => Cow::Borrowed(canonical(text).as_bytes()),
        Datum::Float(number) if number.is_nan() => {
            Cow::Owned(f64::NAN.to_bits().to_be_bytes().to_vec())
        }
        _ => value.bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::Input;

    #[test]
    fn origin_is_the_entity_if_there_is_one() {
        let value = Datum::Int(1);
        assert_eq!(&*drawn_from(&value, Row(&[Input::One("a")])), b"a");
        for none in [&[][..], &[Input::None]] {
            assert_eq!(&*drawn_from(&value, Row(none)), [0, 0, 0, 0, 0, 0, 0, 1]);
        }
    }

    #[test]
    fn origin_is_equal_for_equal_values() {
        let numeric = |text| Datum::Numeric(Cow::Borrowed(text));
        assert_eq!(key(&numeric("1.50")), key(&numeric("1.5")));
        let nan = f64::from_bits(f64::NAN.to_bits() | 1);
        assert_eq!(key(&Datum::Float(nan)), key(&Datum::Float(f64::NAN)));
        assert_eq!(key(&Datum::Float(-0.0)), key(&Datum::Float(0.0)));
    }
}
