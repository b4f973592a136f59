//! `constant`: the same value in place of every other.
//!
//! Needs no key and gives nothing away. The value is written as text and read for the type of the
//! column when the strategy is compiled. A constant suits no unique column.

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival,
};
use crate::strategies::literal;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, ValueType};

/// `constant` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{
///     Datum, Kind, Params, Row, Seed, Strategy, Subkeys, Value, ValueType,
/// };
///
/// let params = Params::from([("replacement".to_owned(), Value::from("1970-01-01"))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Constant, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Date)?;
/// let made = mask.apply(Datum::Date(-4_593), Row::NONE)?;
/// // Days since 2000-01-01.
/// assert_eq!(made, Some(Datum::Date(-10_957)));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "constant",
    version: 1,
    about: "Same value for every row",
    accepts: ValueType::ANY,
    params: &[ParamSpec::required(
        "replacement",
        ParamKind::Text,
        "What is written, in the text form of the type.",
    )],
    inputs: &[],
    needs: Needs::Nothing,
    refuses: false,
    example: "anon_constant(DATE '1987-06-05', replacement => '1970-01-01')",
    sample: r#"{"replacement": "x"}"#,
    parse: |reader| Ok(Box::new(Constant::new(reader)?)),
};

/// The parameters of `constant`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Constant {
    value: String,
}

impl Constant {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let value = reader.text("replacement", "");
        if value.len() > MOST_BYTES {
            let detail = format!("It must have at most {MOST_BYTES} bytes.");
            return Err(reader.invalid("replacement", detail));
        }
        Ok(Self {
            value: value.to_owned(),
        })
    }
}

impl Parsed for Constant {
    fn properties(&self, _: ValueType) -> Properties {
        Properties {
            deterministic: true,
            survival: Survival::Constant,
            ..Properties::NONE
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        Some(self.value.chars().count())
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let value = literal::one(DEFINITION.name, "replacement", of, &self.value)?;
        Ok(Box::new(Mask { value }))
    }
}

/// `constant` for values of a type.
struct Mask {
    value: Datum<'static>,
}

impl Apply for Mask {
    fn apply<'a>(&self, _: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        Ok(Some(self.value.clone()))
    }
}

const MOST_BYTES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::{Params, Value};
    use crate::strategies::{Kind, Strategy};

    fn constant(value: &str, of: ValueType, given: Datum<'static>) -> Result<Datum<'static>> {
        let params = Params::from([("replacement".to_owned(), Value::from(value))]);
        let strategy = Strategy::new(Kind::Constant, &params)?;
        let mask = strategy.mask(&Subkeys::new(&[7; 32], &[7; 32]), Seed::new(1), of)?;
        Ok(mask.apply(given, Row::NONE)?.expect("a value"))
    }

    #[test]
    fn constant_writes_its_value_for_the_type() {
        let text = constant("x", ValueType::Text, Datum::text("secret")).unwrap();
        assert_eq!(text, Datum::text("x"));
        let date = constant("1970-01-01", ValueType::Date, Datum::Date(7)).unwrap();
        assert_eq!(date, Datum::Date(-10_957));
        let int = constant("0", ValueType::Int16, Datum::Int(7)).unwrap();
        assert_eq!(int, Datum::Int(0));
        let empty = constant("", ValueType::Text, Datum::text("")).unwrap();
        assert_eq!(empty, Datum::text(""));
    }

    #[test]
    fn constant_of_another_type_is_refused_before_the_first_row() {
        let error = constant("x", ValueType::Int32, Datum::Int(7)).unwrap_err();
        assert_eq!(
            error.message(),
            "invalid value for parameter \"replacement\" of strategy \"constant\""
        );
        assert_eq!(error.detail(), Some("It must be of type integer."));
    }

    #[test]
    fn constant_is_required_and_bounded() {
        let refused = Strategy::new(Kind::Constant, &Params::new()).unwrap_err();
        assert_eq!(refused.param, "replacement");
        let error = constant(&"x".repeat(10_001), ValueType::Text, Datum::text("")).unwrap_err();
        assert_eq!(error.detail(), Some("It must have at most 10000 bytes."));
    }
}
