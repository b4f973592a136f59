//! `round`: numbers as multiples of a step, with top and bottom coding.
//!
//! Draws nothing and needs no key: what it hides is the place within a bucket, and nothing else. A
//! value at or beyond `min` or `max` becomes that bound, so that the few largest are not told
//! apart. Never unchanged by accident: the output depends on the bucket alone.

use super::bounds::Bounds;
use super::rounder::{Mode, Rounder};
use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys,
};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, ValueType};

/// `round` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([
///     ("step".to_owned(), Value::Int(1000)),
///     ("mode".to_owned(), Value::from("nearest")),
///     ("max".to_owned(), Value::Int(200000)),
/// ]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Round, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Int32)?;
/// assert_eq!(mask.int(52_734)?, 53_000);
/// assert_eq!(mask.int(1_000_000)?, 200_000);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "round",
    version: 1,
    about: "Number rounded to a multiple of a step",
    accepts: ValueType::NUMBERS,
    params: PARAMS,
    inputs: &[],
    needs: Needs::Nothing,
    refuses: true,
    example: "anon_round(52734, step => 1000, max => 200000)",
    sample: r#"{"step": 10}"#,
    parse: |reader| Ok(Box::new(Round::new(reader)?)),
};

/// The parameters of `round`, checked.
#[derive(Clone, Debug, PartialEq)]
struct Round {
    step: f64,
    mode: Mode,
    bounds: Bounds,
}

impl Round {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let step = read_step(reader)?.unwrap_or(1.0);
        reader.note("step", step);
        Ok(Self {
            step,
            mode: reader.word("mode", &MODES)?,
            bounds: Bounds::read(reader, ["min", "max"])?,
        })
    }
}

/// Reads parameter `step`.
///
/// # Errors
/// Outside its bounds.
pub(super) fn read_step(reader: &Reader<'_>) -> Result<Option<f64>, ParamError> {
    let step = reader.number("step")?;
    match step {
        Some(step) if !(1e-100..=1e100).contains(&step) => {
            Err(reader.invalid("step", "It must be between 1e-100 and 1e100."))
        }
        step => Ok(step),
    }
}

impl Parsed for Round {
    fn properties(&self, _: ValueType) -> Properties {
        Properties {
            deterministic: true,
            collision_bits: Some(0),
            ..Properties::NONE
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        None
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let name = DEFINITION.name;
        Ok(Box::new(Rounder::new(
            name,
            of,
            self.step,
            self.mode,
            &self.bounds,
        )?))
    }
}

impl Apply for Rounder {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        Self::apply(self, value).map(Some)
    }
}

const MODES: [(&str, Mode); 4] = [
    ("floor", Mode::Floor),
    ("nearest", Mode::Nearest),
    ("ceil", Mode::Ceil),
    ("center", Mode::Center),
];

const PARAMS: &[ParamSpec] = &[
    ParamSpec::required(
        "step",
        ParamKind::Number,
        "What the output is a multiple of; a whole number for integers.",
    ),
    ParamSpec::new(
        "mode",
        ParamKind::Text,
        "floor",
        "floor, nearest, ceil, or center for the middle of the bucket.",
    ),
    ParamSpec::optional(
        "min",
        ParamKind::Number,
        "A value of so much or less becomes that.",
    ),
    ParamSpec::optional(
        "max",
        ParamKind::Number,
        "A value of so much or more becomes that.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Value;
    use crate::strategies::{Kind, Mask, Strategy};

    fn strategy(params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Strategy::new(Kind::Round, &params.collect())
    }

    fn mask(params: &[(&str, Value)], of: ValueType) -> Mask {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        strategy(params)
            .unwrap()
            .mask(&keys, Seed::new(1), of)
            .unwrap()
    }

    fn modes(value: i64, step: i64) -> [i64; 4] {
        ["floor", "nearest", "ceil", "center"].map(|mode| {
            let params = [("step", Value::Int(step)), ("mode", Value::from(mode))];
            mask(&params, ValueType::Int64).int(value).unwrap()
        })
    }

    #[test]
    fn round_of_integers_has_the_value_in_its_bucket() {
        assert_eq!(modes(-5, 10), [-10, -10, 0, -5]);
        assert_eq!(modes(-4, 10), [-10, 0, 0, -5]);
        assert_eq!(modes(5, 10), [0, 10, 10, 5]);
        assert_eq!(modes(10, 10), [10, 10, 10, 15]);
        assert_eq!(modes(0, 7), [0, 0, 0, 3]);
        assert_eq!(
            modes(3_000_000_001, 1_000),
            [3_000_000_000, 3_000_000_000, 3_000_001_000, 3_000_000_500,]
        );
        assert_eq!(
            modes(i64::MIN, 1 << 62),
            [i64::MIN, i64::MIN, i64::MIN, -(3 << 61)]
        );
        assert_eq!(modes(i64::MAX, 10)[0], i64::MAX - 7);
    }

    #[test]
    fn round_stays_within_the_type() {
        let narrow = |value, mode: &str| {
            let params = [("step", Value::Int(1000)), ("mode", Value::from(mode))];
            mask(&params, ValueType::Int16).int(value).unwrap()
        };
        assert_eq!(narrow(-32_768, "floor"), -32_768);
        assert_eq!(narrow(32_767, "ceil"), 32_767);
        assert_eq!(narrow(32_767, "center"), 32_500);
        let huge = [("step", Value::from(1e100))];
        assert_eq!(mask(&huge, ValueType::Int32).int(7).unwrap(), 0);
        assert_eq!(
            mask(&huge, ValueType::Int32).int(-7).unwrap(),
            i64::from(i32::MIN)
        );
    }

    #[test]
    fn round_codes_what_is_beyond_the_bounds() {
        let params = [
            ("step", Value::Int(10)),
            ("min", Value::Int(18)),
            ("max", Value::Int(90)),
        ];
        let coded = mask(&params, ValueType::Int32);
        for (value, expected) in [
            (-3, 18),
            (17, 18),
            (18, 18),
            (19, 18),
            (20, 20),
            (89, 80),
            (90, 90),
            (107, 90),
        ] {
            assert_eq!(coded.int(value).unwrap(), expected, "{value}");
        }
        let numeric = mask(&params, ValueType::Numeric);
        for (value, expected) in [
            ("90.01", "90.00"),
            ("89.99", "80.00"),
            ("17.5", "18.0"),
            ("19", "18"),
            ("Infinity", "90"),
            ("-Infinity", "18"),
            ("NaN", "NaN"),
        ] {
            let out = numeric
                .apply(Datum::Numeric(value.into()), Row::NONE)
                .unwrap();
            assert_eq!(out, Some(Datum::Numeric(expected.into())), "{value}");
        }
        let float = mask(&params, ValueType::Float32);
        let out = float.apply(Datum::Float(f64::INFINITY), Row::NONE).unwrap();
        assert_eq!(out, Some(Datum::Float(90.0)));
    }

    #[test]
    fn round_refuses_steps_and_bounds_that_make_no_sense() {
        let param = |params: &[(&str, Value)]| strategy(params).unwrap_err().param;
        assert_eq!(param(&[]), "step");
        for step in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e101] {
            assert_eq!(param(&[("step", Value::from(step))]), "step");
        }
        let bounds = [
            ("min", Value::Int(2)),
            ("max", Value::Int(1)),
            ("step", Value::Int(1)),
        ];
        assert_eq!(param(&bounds), "max");
        assert_eq!(
            param(&[("step", Value::Int(1)), ("mode", Value::from("up"))]),
            "mode"
        );
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        for params in [
            &[("step", Value::from(0.5))][..],
            &[("step", Value::Int(1)), ("max", Value::from(0.5))],
        ] {
            let strategy = strategy(params).unwrap();
            let error = strategy
                .mask(&keys, Seed::new(1), ValueType::Int16)
                .unwrap_err();
            assert_eq!(error.kind().sqlstate().as_str(), "22023");
            assert!(
                strategy
                    .mask(&keys, Seed::new(1), ValueType::Numeric)
                    .is_ok()
            );
        }
    }

    #[test]
    fn round_refuses_a_numeric_of_too_many_digits() {
        let mask = mask(&[("step", Value::Int(10))], ValueType::Numeric);
        let long = "1".repeat(1001);
        let error = mask
            .apply(Datum::Numeric(long.into()), Row::NONE)
            .unwrap_err();
        assert!(error.is_about_the_value());
        assert_eq!(error.detail(), Some("It has more than 1000 digits."));
    }
}
