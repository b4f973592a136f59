//! The bounds of what one unit contributes, and the line of whole steps on which it is summed.

use crate::error::{Error, Kind, Result};
use crate::strategies::measure::grid::{Grid, Place};
use crate::strategies::{Datum, ValueType};

/// Bounds on the line of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    grid: Grid,
    /// The lower bound, in steps.
    pub lower: i128,
    /// The upper bound, in steps.
    pub upper: i128,
}

impl Range {
    /// Makes the line for values of a type between two of them.
    ///
    /// # Errors
    /// 22023 for a bound that is no finite number, a lower one above the upper one, and for two that
    /// are both 0.
    pub fn new(of: ValueType, lower: &Datum<'_>, upper: &Datum<'_>) -> Result<Self> {
        let numbers = [number("lower", lower)?, number("upper", upper)?];
        let [least, most] = numbers;
        if least > most {
            return Err(refused("lower", "It must not be above the upper bound."));
        }
        let reach = least.abs().max(most.abs());
        if reach == 0.0 {
            return Err(refused("upper", "The bounds must not be 0 both."));
        }
        let grid = Grid::new(of, reach, &numbers).map_err(|detail| refused("upper", detail))?;
        let place = |name, bound| match grid.place(bound) {
            Some(Place::At(at)) => Ok(at),
            _ => Err(refused(
                name,
                "It must be a number of the type of the values.",
            )),
        };
        Ok(Self {
            grid,
            lower: place("lower", lower)?,
            upper: place("upper", upper)?,
        })
    }

    /// Where a value lies; `None` for not-a-number, which contributes nothing. Not clamped: bounds
    /// are for what a unit has in all.
    pub fn place(&self, value: &Datum<'_>) -> Option<i128> {
        match self.grid.place(value) {
            Some(Place::At(at)) => Some(at),
            _ => None,
        }
    }

    /// The most that a unit within these bounds changes a sum by.
    pub fn reach(&self) -> u64 {
        let reach = self.lower.unsigned_abs().max(self.upper.unsigned_abs());
        u64::try_from(reach).unwrap_or(u64::MAX)
    }

    /// Refuses bounds between which there is one point only.
    ///
    /// # Errors
    /// 22023.
    pub fn check_apart(&self) -> Result<()> {
        if self.lower < self.upper {
            return Ok(());
        }
        Err(Error::new(
            Kind::InvalidParameter,
            "the bounds of a quantile must be apart",
        )
        .with_detail("Between them the answer is looked for, in steps of their type."))
    }

    /// How far apart the bounds are.
    pub fn width(&self) -> u64 {
        u64::try_from(self.upper.abs_diff(self.lower)).unwrap_or(u64::MAX)
    }

    /// What is between the bounds.
    pub fn clamp(&self, at: i128) -> i128 {
        at.clamp(self.lower, self.upper)
    }

    /// The value at a point; beyond the type's range the last one of it.
    pub fn value(&self, at: i128) -> Datum<'static> {
        self.grid.value(at)
    }

    /// The length of a step.
    pub fn step(&self) -> f64 {
        self.grid.step()
    }
}

fn number(name: &str, bound: &Datum<'_>) -> Result<f64> {
    #[allow(
        clippy::cast_precision_loss,
        reason = "a bound is placed exactly by itself"
    )]
    let number = match bound {
        Datum::Int(number) => *number as f64,
        Datum::Float(number) => *number,
        Datum::Numeric(text) => text.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    };
    if number.is_finite() {
        return Ok(number);
    }
    Err(refused(name, "It must be a finite number."))
}

fn refused(name: &str, detail: &str) -> Error {
    let message = format!("invalid value for argument \"{name}\"");
    Error::new(Kind::InvalidParameter, message).with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_exact_for_whole_numbers() {
        let range = Range::new(ValueType::Int64, &Datum::Int(-3), &Datum::Int(100)).unwrap();
        assert_eq!((range.lower, range.upper), (-3, 100));
        assert_eq!((range.reach(), range.width()), (100, 103));
        assert_eq!(range.value(7), Datum::Int(7));
    }

    #[test]
    fn a_range_is_as_fine_as_its_bounds() {
        let (lower, upper) = (Datum::Numeric("0".into()), Datum::Numeric("12.50".into()));
        let range = Range::new(ValueType::Numeric, &lower, &upper).unwrap();
        assert_eq!(range.place(&Datum::Numeric("3.25".into())), Some(33));
        assert!((range.step() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn a_range_needs_finite_bounds_in_their_order() {
        let float = Datum::Float;
        for (lower, upper) in [
            (1.0, 0.0),
            (0.0, 0.0),
            (f64::NAN, 1.0),
            (0.0, f64::INFINITY),
        ] {
            let error = Range::new(ValueType::Float64, &float(lower), &float(upper)).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidParameter);
        }
    }

    #[test]
    fn not_a_number_is_nowhere_and_infinity_is_far() {
        let range = Range::new(ValueType::Float64, &Datum::Float(0.0), &Datum::Float(1.0)).unwrap();
        assert_eq!(range.place(&Datum::Float(f64::NAN)), None);
        let far = range.place(&Datum::Float(f64::INFINITY)).unwrap();
        assert_eq!(range.clamp(far), range.upper);
    }
}
