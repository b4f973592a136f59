//! Rounding to multiples of a step, and coding of what is beyond a bound as the bound.
//!
//! Exact for every type: integers in 128 bits, numeric in decimal digits, floating point by its
//! shortest digits, so that 0.3 is a multiple of 0.1. Below zero the lower multiple is the more
//! negative one: -5 by tens is -10, and the bucket [-10, 0) contains it.

use std::borrow::Cow;

use super::bounds::{Bounds, extent};
use super::decimal::{self, Decimal, Number, Short};
use super::integer::Integer;
use crate::error::{Error, Kind, Result};
use crate::strategies::definition::mismatch;
use crate::strategies::{Datum, ValueType};

/// Which multiple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The one at or below.
    Floor,
    /// The nearest one, away from zero between two.
    Nearest,
    /// The one at or above.
    Ceil,
    /// The middle of the bucket that begins with the one at or below.
    Center,
}

/// Rounding for one type.
pub(super) struct Rounder {
    name: &'static str,
    of: ValueType,
    mode: Mode,
    step: Short,
    /// The step for integers, and the bounds.
    whole: i128,
    extent: [i64; 2],
    coded: [Option<i64>; 2],
    /// The bounds for others.
    bounds: [Option<Decimal>; 2],
}

impl Rounder {
    /// Prepares rounding for a type of numbers.
    ///
    /// # Errors
    /// `InvalidParameter` for a step or a bound that is no whole number where the type needs one.
    pub(super) fn new(
        name: &'static str,
        of: ValueType,
        step: f64,
        mode: Mode,
        bounds: &Bounds,
    ) -> Result<Self> {
        let short = Short::of(step);
        let (mut whole, mut coded) = (1, [None; 2]);
        if of.max_int().is_some() {
            let exact = decimal::whole(step).ok_or_else(|| {
                let message =
                    format!("invalid value for parameter \"step\" of strategy \"{name}\"");
                let detail = format!("It must be a whole number for type {}.", of.name());
                Error::new(Kind::InvalidParameter, message).with_detail(detail)
            })?;
            // A step beyond every integer makes one bucket on each side of zero.
            whole = exact.min(1 << 100);
            let [least, most] = bounds.whole(name, of)?;
            let [min, max] = bounds.numbers;
            coded = [min.map(|_| least), max.map(|_| most)];
        }
        Ok(Self {
            name,
            of,
            mode,
            step: short,
            whole,
            extent: extent(of),
            coded,
            bounds: bounds.decimals(),
        })
    }

    /// Rounds a value.
    ///
    /// # Errors
    /// `Data` for a numeric of too many digits.
    pub(super) fn apply<'a>(&self, value: Datum<'a>) -> Result<Datum<'a>> {
        Ok(match value {
            Datum::Int(value) => Datum::Int(self.integer(value)),
            Datum::Numeric(text) => match self.number(Number::parse(self.name, &text)?) {
                Some(rounded) => Datum::Numeric(Cow::Owned(rounded.to_string())),
                None => Datum::Numeric(text),
            },
            Datum::Float(value) => {
                let single = self.of == ValueType::Float32;
                let rounded = self.number(Number::of_float(value, single));
                Datum::Float(rounded.map_or(value, |rounded| rounded.float(single)))
            }
            _ => return Err(mismatch(self.name, self.of)),
        })
    }

    fn integer(&self, value: i64) -> i64 {
        match self.coded {
            [Some(min), _] if value <= min => return min,
            [_, Some(max)] if value >= max => return max,
            _ => {}
        }
        let (value, step) = (i128::from(value), self.whole);
        let floor = value.div_euclid(step) * step;
        let rounded = match self.mode {
            Mode::Floor => floor,
            Mode::Ceil if floor == value => floor,
            Mode::Ceil => floor + step,
            Mode::Center => floor + step / 2,
            Mode::Nearest => {
                let nearest = (value.abs() * 2 + step) / (2 * step) * step;
                nearest * value.signum()
            }
        };
        let [least, most] = [0, 1].map(|at| self.coded[at].unwrap_or(self.extent[at]));
        let rounded = rounded.clamp(least.into(), most.into());
        i64::try_from(rounded).unwrap_or(most)
    }

    /// None where the value stays as it is: not a number, or without end and without a bound.
    fn number(&self, value: Number) -> Option<Decimal> {
        let [min, max] = &self.bounds;
        let value = match value {
            Number::Nan => return None,
            Number::Infinity { negative: true } => return min.clone(),
            Number::Infinity { negative: false } => return max.clone(),
            Number::Finite(value) => value,
        };
        let least = value.scale;
        let coded = |bound: &Decimal| Decimal {
            units: bound.floor(least.max(bound.scale)),
            scale: least.max(bound.scale),
        };
        if let Some(min) = min
            && value.compare(min).is_le()
        {
            return Some(coded(min));
        }
        if let Some(max) = max
            && value.compare(max).is_ge()
        {
            return Some(coded(max));
        }
        let rounded = self.multiple(&value).trimmed(least);
        match (min, max) {
            (Some(min), _) if rounded.compare(min).is_lt() => Some(coded(min)),
            (_, Some(max)) if rounded.compare(max).is_gt() => Some(coded(max)),
            _ => Some(rounded),
        }
    }

    fn multiple(&self, value: &Decimal) -> Decimal {
        // In units in which both the value and the step are whole: the step is digits · 10^places.
        let scale = value.scale.max(self.step.scale());
        let exponent = usize::try_from(self.step.exponent).unwrap_or(0);
        let places = exponent + scale - self.step.scale();
        let negative = value.units.is_negative();
        let units = value.units.shifted(scale - value.scale).magnitude();
        let (high, low) = units.unshifted(places);
        let (mut count, rest) = high.over(self.step.digits);
        let rest = Integer::from(rest).shifted(places).plus(&low);
        let up = match self.mode {
            Mode::Floor | Mode::Center => negative && !rest.is_zero(),
            Mode::Ceil => !negative && !rest.is_zero(),
            Mode::Nearest => rest.times(2) >= Integer::from(self.step.digits).shifted(places),
        };
        if up {
            count = count.plus(&Integer::one());
        }
        if negative {
            count = count.negated();
        }
        if self.mode == Mode::Center {
            // Half a step has one more digit: (2·count + 1) · digits · 5.
            let halves = count.times(2).plus(&Integer::one());
            return Decimal {
                units: halves.times(self.step.digits).times(5).shifted(places),
                scale: scale + 1,
            };
        }
        Decimal {
            units: count.times(self.step.digits).shifted(places),
            scale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(text: &str, step: f64, mode: Mode) -> String {
        let rounder =
            Rounder::new("round", ValueType::Numeric, step, mode, &Bounds::default()).unwrap();
        match rounder.apply(Datum::Numeric(Cow::Borrowed(text))).unwrap() {
            Datum::Numeric(text) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn float(value: f64, step: f64, mode: Mode) -> f64 {
        let rounder =
            Rounder::new("round", ValueType::Float64, step, mode, &Bounds::default()).unwrap();
        match rounder.apply(Datum::Float(value)).unwrap() {
            Datum::Float(value) => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rounder_has_the_value_in_its_bucket() {
        for (value, step, floor, nearest, ceil, center) in [
            ("9.7", 10.0, "0.0", "10.0", "10.0", "5.0"),
            ("-5", 10.0, "-10", "-10", "0", "-5"),
            ("-0.01", 10.0, "-10.00", "0.00", "0.00", "-5.00"),
            ("10", 10.0, "10", "10", "10", "15"),
            ("-10", 10.0, "-10", "-10", "-10", "-5"),
            (
                "3000000000",
                1000.0,
                "3000000000",
                "3000000000",
                "3000000000",
                "3000000500",
            ),
            ("12.34", 0.25, "12.25", "12.25", "12.50", "12.375"),
            ("1", 0.3, "0.9", "0.9", "1.2", "1.05"),
            ("0", 7.0, "0", "0", "0", "3.5"),
            ("2.5", 1.0, "2.0", "3.0", "3.0", "2.5"),
            ("-2.5", 1.0, "-3.0", "-3.0", "-2.0", "-2.5"),
        ] {
            assert_eq!(numeric(value, step, Mode::Floor), floor, "{value}");
            assert_eq!(numeric(value, step, Mode::Nearest), nearest, "{value}");
            assert_eq!(numeric(value, step, Mode::Ceil), ceil, "{value}");
            assert_eq!(numeric(value, step, Mode::Center), center, "{value}");
        }
    }

    #[test]
    fn rounder_is_exact_for_huge_numerics() {
        let long = "9".repeat(1000);
        let rounded = numeric(&long, 10.0, Mode::Floor);
        assert_eq!(rounded, format!("{}0", "9".repeat(999)));
        assert_eq!(
            numeric(&long, 1e300, Mode::Ceil),
            format!("1{}", "0".repeat(1000))
        );
        assert_eq!(numeric("1", 1e300, Mode::Floor), "0");
        assert_eq!(numeric("0.1", 1e-300, Mode::Floor), "0.1");
    }

    #[test]
    fn rounder_takes_floats_by_their_digits() {
        assert_eq!(float(0.3, 0.1, Mode::Floor), 0.3);
        assert_eq!(float(0.7, 0.1, Mode::Ceil), 0.7);
        assert_eq!(float(-0.25, 0.1, Mode::Floor), -0.3);
        assert_eq!(float(f64::MAX, 1e300, Mode::Floor), 1.797_693_13e308);
        assert_eq!(float(f64::MAX, 1e300, Mode::Ceil), f64::MAX);
        assert_eq!(float(f64::from_bits(1), 1.0, Mode::Floor), 0.0);
        assert!(float(f64::NAN, 1.0, Mode::Floor).is_nan());
        assert_eq!(float(f64::INFINITY, 1.0, Mode::Floor), f64::INFINITY);
    }
}
