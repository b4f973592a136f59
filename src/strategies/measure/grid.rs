//! The line of whole numbers that a type's values are laid on before noise is added.
//!
//! Noise is a whole number of steps, and the step depends on the parameters alone, never on the
//! value: two values give outputs on the same points. A value lies on the point nearest to it, the
//! upper one of two, so that neighbors stay neighbors: what is at most Δ apart is at most
//! [`Grid::sensitivity`] steps apart. Steps: 1 for integers and days (a power of two where Δ is
//! above 9·10^12); the last decimal place of the parameters for numeric and, in seconds, for
//! timestamps; for floating point a power of two near Δ/2^32 (Mironov 2012 is why).

use std::borrow::Cow;

use super::decimal::{self, Short, narrow};
use super::laplace::MAX_SENSITIVITY;
use crate::strategies::calendar::{self, TIME_MAX, TIME_MIN};
use crate::strategies::{Datum, ValueType};

/// The line of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    line: Line,
    /// The sensitivity in steps, rounded up.
    pub sensitivity: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Steps of a power of two, up to the maximum of the type.
    Int { shift: u32, max: i64 },
    /// Steps of a power of ten.
    Numeric { exponent: i32 },
    /// Steps of a power of two.
    Float { exponent: i32, single: bool },
    /// Steps of a day.
    Date,
    /// Steps of so many microseconds.
    Time { step: i64 },
}

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On that point.
    At(i128),
    /// Nowhere: it is not a number.
    Nowhere,
}

impl Grid {
    /// Makes the line of a type for a sensitivity, which is in units of the type, days or seconds.
    /// Bounds in numbers make it as fine as they are.
    ///
    /// # Errors
    /// A sentence about the sensitivity.
    pub fn new(of: ValueType, sensitivity: f64, bounds: &[f64]) -> Result<Self, &'static str> {
        if !(LEAST..=MOST).contains(&sensitivity) {
            return Err("It must be between 1e-100 and 1e100.");
        }
        let short = Short::of(sensitivity);
        let whole = decimal::whole(sensitivity).map(i128::unsigned_abs);
        let whole = whole.ok_or("It must be a whole number for this type.");
        let (line, steps) = match (of, of.max_int()) {
            (_, Some(max)) => {
                let whole = whole?;
                let fits = |shift: &u32| whole.div_ceil(1 << shift) <= MAX_SENSITIVITY.into();
                let shift = (0..22).find(fits).ok_or(TOO_LARGE)?;
                (Line::Int { shift, max }, whole.div_ceil(1 << shift))
            }
            (ValueType::Date, _) => (Line::Date, whole?),
            (ValueType::Numeric, _) => {
                let scale = |number: &f64| Short::of(number.abs()).scale();
                let scale = bounds.iter().map(scale).fold(short.scale(), usize::max);
                let (exponent, steps) = finest(short, scale).ok_or(TOO_LARGE)?;
                (Line::Numeric { exponent }, steps)
            }
            (ValueType::Timestamp | ValueType::Timestamptz, _) => {
                let (exponent, steps) = finest(short, short.scale().min(6)).ok_or(TOO_LARGE)?;
                let places = u32::try_from(exponent + 6).unwrap_or(0);
                let step = 10_i64
                    .checked_pow(places)
                    .filter(|&step| step < TIME_MAX / 4);
                let step = step.ok_or(TOO_LARGE)?;
                (Line::Time { step }, steps)
            }
            (ValueType::Float32 | ValueType::Float64, _) => {
                let exponent = above(sensitivity) - 32;
                let single = of == ValueType::Float32;
                // One more step pays for whatever rounding there is.
                let steps = ceil(sensitivity / power(exponent)) + 1;
                (Line::Float { exponent, single }, steps)
            }
            _ => return Err("There is no noise for this type."),
        };
        let steps = u64::try_from(steps)
            .ok()
            .filter(|&steps| steps <= MAX_SENSITIVITY);
        Ok(Self {
            line,
            sensitivity: steps.ok_or(TOO_LARGE)?,
        })
    }

    /// The length of a step, in units of the type, days or seconds.
    pub fn step(&self) -> f64 {
        match self.line {
            Line::Int { shift, .. } => power(i32::try_from(shift).unwrap_or(0)),
            Line::Numeric { exponent } => 10_f64.powi(exponent),
            Line::Float { exponent, .. } => power(exponent),
            Line::Date => 1.0,
            #[allow(clippy::cast_precision_loss, reason = "a power of ten below 2^53")]
            Line::Time { step } => step as f64 / 1e6,
        }
    }

    /// Lays a value on the line; none for a value of another type and for what is no numeric.
    pub fn place(&self, value: &Datum<'_>) -> Option<Place> {
        let at = match (self.line, value) {
            (Line::Int { shift, .. }, Datum::Int(value)) => {
                let half = (1_i128 << shift) / 2;
                (i128::from(*value) + half) >> shift
            }
            (Line::Date, Datum::Date(days)) => calendar::date((*days).into()).into(),
            (Line::Time { step }, Datum::Timestamp(time)) => {
                let time = (*time).clamp(TIME_MIN, TIME_MAX);
                (i128::from(time) + i128::from(step / 2)).div_euclid(step.into())
            }
            (Line::Numeric { exponent }, Datum::Numeric(text)) => match &**text {
                "NaN" => return Some(Place::Nowhere),
                "Infinity" => FARTHEST,
                "-Infinity" => -FARTHEST,
                text => units(text, exponent)?,
            },
            (Line::Float { .. }, Datum::Float(value)) if value.is_nan() => {
                return Some(Place::Nowhere);
            }
            (Line::Float { exponent, .. }, Datum::Float(value)) => nearest(*value, exponent),
            _ => return None,
        };
        Some(Place::At(at))
    }

    /// Lays a number on the line, for the bounds of a type of numbers.
    pub fn place_number(&self, number: f64) -> Option<i128> {
        match self.line {
            Line::Int { shift, .. } => {
                let whole = nearest(number, 0);
                Some((whole + (1_i128 << shift) / 2) >> shift)
            }
            Line::Numeric { exponent } => units(&number.to_string(), exponent),
            Line::Float { exponent, .. } => Some(nearest(number, exponent)),
            Line::Date | Line::Time { .. } => None,
        }
    }

    /// The value at a point; beyond the type's range the last value of it.
    pub fn value(&self, at: i128) -> Datum<'static> {
        match self.line {
            Line::Int { shift, max } => {
                let (least, most) = (-i128::from(max) - 1, i128::from(max));
                let value = at.saturating_mul(1 << shift).clamp(least, most);
                Datum::Int(i64::try_from(value).unwrap_or(max))
            }
            Line::Date => {
                let days = at.clamp(i64::MIN.into(), i64::MAX.into());
                Datum::Date(calendar::date(i64::try_from(days).unwrap_or(0)))
            }
            Line::Time { step } => {
                let time = at.saturating_mul(step.into());
                let time = time.clamp(TIME_MIN.into(), TIME_MAX.into());
                Datum::Timestamp(i64::try_from(time).unwrap_or(0))
            }
            Line::Numeric { exponent } => Datum::Numeric(Cow::Owned(written(at, exponent))),
            Line::Float { exponent, single } => {
                #[allow(clippy::cast_precision_loss, reason = "the nearest number there is")]
                let value = (at as f64 * power(exponent)).clamp(f64::MIN, f64::MAX);
                Datum::Float(if single { narrow(value).into() } else { value })
            }
        }
    }
}

/// The finest exponent, from 10^-scale on, in which a sensitivity is within the sampler's bounds.
fn finest(sensitivity: Short, scale: usize) -> Option<(i32, u128)> {
    let finest = -i32::try_from(scale).ok()?;
    (finest..=200).find_map(|exponent| {
        let steps = sensitivity.ceil_in(exponent)?;
        (steps <= MAX_SENSITIVITY.into()).then_some((exponent, steps))
    })
}

/// The units of 10^`exponent` nearest to a numeric, of which no digit is lost on the way.
fn units(text: &str, exponent: i32) -> Option<i128> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.len() + fraction.len() == 0 || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = i64::try_from(whole.len()).ok()? - i64::from(exponent);
    let Ok(kept) = usize::try_from(kept) else {
        // Below a tenth of a unit.
        return Some(0);
    };
    let mut units: i128 = 0;
    for byte in digits().chain(std::iter::repeat(b'0')).take(kept) {
        units = units * 10 + i128::from(byte - b'0');
        if units >= FARTHEST {
            units = FARTHEST;
            break;
        }
    }
    let mut rest = digits().skip(kept);
    let next = rest.next().unwrap_or(b'0');
    let up = next > b'5' || next == b'5' && (!negative || rest.any(|byte| byte != b'0'));
    let units = (units + i128::from(up)).min(FARTHEST);
    Some(if negative { -units } else { units })
}

/// Units of 10^`exponent` as a numeric.
fn written(units: i128, exponent: i32) -> String {
    if exponent >= 0 {
        let mut text = units.to_string();
        if units != 0 {
            text.extend((0..exponent).map(|_| '0'));
        }
        return text;
    }
    let sign = if units < 0 { "-" } else { "" };
    let scale = usize::try_from(-exponent).unwrap_or(0);
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// The multiple of 2^`exponent` nearest to a number, as a count.
fn nearest(number: f64, exponent: i32) -> i128 {
    // Exact: a power of two changes no digit.
    let steps = number * power(-exponent);
    let floor = steps.floor();
    if floor.abs() >= power(120) || floor.is_nan() {
        return if steps < 0.0 { -FARTHEST } else { FARTHEST };
    }
    whole(floor) + i128::from(steps - floor >= 0.5)
}

fn ceil(number: f64) -> u128 {
    whole(number.ceil()).unsigned_abs()
}

fn whole(number: f64) -> i128 {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a whole number below 2^120"
    )]
    let whole = number as i128;
    whole
}

/// The least n with 2^n at or above a number within the bounds of a sensitivity.
fn above(number: f64) -> i32 {
    let bits = number.to_bits();
    let exponent = i32::try_from(bits >> 52).unwrap_or(0) - 1023;
    exponent + i32::from(bits << 12 != 0)
}

fn power(exponent: i32) -> f64 {
    2_f64.powi(exponent)
}

/// Values beyond so many steps count as that. A place and its noise, below 2^86, fit 128 bits.
const FARTHEST: i128 = 1 << 120;
const LEAST: f64 = 1e-100;
const MOST: f64 = 1e100;
const TOO_LARGE: &str = "It is too large for this type.";

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(of: ValueType, sensitivity: f64) -> Grid {
        Grid::new(of, sensitivity, &[]).unwrap()
    }

    fn at(grid: &Grid, value: &Datum<'_>) -> i128 {
        match grid.place(value) {
            Some(Place::At(at)) => at,
            other => panic!("{other:?}"),
        }
    }

    fn numeric(text: &str) -> Datum<'_> {
        Datum::Numeric(Cow::Borrowed(text))
    }

    #[test]
    fn grid_of_integers_is_exact_until_it_must_be_coarse() {
        let fine = grid(ValueType::Int64, 1e12);
        assert_eq!((fine.step(), fine.sensitivity), (1.0, 1_000_000_000_000));
        for value in [0, 1, -1, i64::MIN, i64::MAX] {
            assert_eq!(fine.value(at(&fine, &Datum::Int(value))), Datum::Int(value));
        }
        let coarse = grid(ValueType::Int64, 2_f64.powi(63));
        assert_eq!(coarse.step(), 2_f64.powi(20));
        assert_eq!(coarse.sensitivity, 1 << 43);
        assert_eq!(at(&coarse, &Datum::Int(1 << 19)), 1);
        assert_eq!(at(&coarse, &Datum::Int((1 << 19) - 1)), 0);
        assert_eq!(at(&coarse, &Datum::Int(-(1 << 19))), 0);
        assert_eq!(coarse.value(i128::MAX), Datum::Int(i64::MAX));
        assert_eq!(
            grid(ValueType::Int16, 1.0).value(-40_000),
            Datum::Int(-32_768)
        );
    }

    #[test]
    fn grid_refuses_a_sensitivity_that_does_not_fit() {
        let refused = |of, sensitivity| Grid::new(of, sensitivity, &[]).unwrap_err();
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-101, 1e101] {
            assert!(refused(ValueType::Float64, wrong).starts_with("It must be between"));
        }
        assert!(refused(ValueType::Int32, 0.5).contains("whole"));
        assert!(refused(ValueType::Date, 1.5).contains("whole"));
        assert_eq!(refused(ValueType::Int64, 1e30), TOO_LARGE);
        assert_eq!(refused(ValueType::Date, 1e13), TOO_LARGE);
        assert_eq!(refused(ValueType::Timestamp, 1e30), TOO_LARGE);
        assert!(refused(ValueType::Text, 1.0).contains("no noise"));
    }

    #[test]
    fn grid_of_numerics_follows_the_digits_of_the_parameters() {
        let cents = grid(ValueType::Numeric, 0.01);
        assert_eq!(cents.sensitivity, 1);
        assert_eq!(at(&cents, &numeric("12.345")), 1235);
        assert_eq!(at(&cents, &numeric("-12.345")), -1234);
        assert_eq!(at(&cents, &numeric("-12.3451")), -1235);
        assert_eq!(at(&cents, &numeric("0.004")), 0);
        assert_eq!(cents.value(-5), numeric("-0.05"));
        assert_eq!(cents.value(0), numeric("0.00"));
        let bounded = Grid::new(ValueType::Numeric, 200_000.0, &[0.0, 199_999.99]).unwrap();
        assert_eq!(bounded.sensitivity, 20_000_000);
        let huge = grid(ValueType::Numeric, 1e20);
        assert_eq!(huge.step(), 1e8);
        assert_eq!(at(&huge, &numeric("149999999")), 1);
        assert_eq!(at(&huge, &numeric("4999999")), 0);
        assert_eq!(huge.value(-3), numeric("-300000000"));
        assert_eq!(at(&huge, &numeric(&"9".repeat(5000))), FARTHEST);
        assert_eq!(huge.place(&numeric("NaN")), Some(Place::Nowhere));
        assert_eq!(at(&huge, &numeric("-Infinity")), -FARTHEST);
        for wrong in ["", "-", "x", "1e5", "."] {
            assert_eq!(huge.place(&numeric(wrong)), None);
        }
        let far = grid(ValueType::Numeric, 1e100);
        assert_eq!(at(&far, &numeric("5")), 0);
    }

    #[test]
    fn grid_of_floats_is_a_power_of_two() {
        let one = grid(ValueType::Float64, 1.0);
        assert_eq!(one.step(), 2_f64.powi(-32));
        assert_eq!(one.sensitivity, (1 << 32) + 1);
        assert_eq!(at(&one, &Datum::Float(1.0)), 1 << 32);
        assert_eq!(at(&one, &Datum::Float(-0.0)), 0);
        assert_eq!(one.value(0), Datum::Float(0.0));
        let three = grid(ValueType::Float64, 3.0);
        assert_eq!(three.step(), 2_f64.powi(-30));
        assert_eq!(three.sensitivity, (3 << 30) + 1);
        assert_eq!(at(&one, &Datum::Float(f64::INFINITY)), FARTHEST);
        assert_eq!(at(&one, &Datum::Float(-1e300)), -FARTHEST);
        assert_eq!(one.place(&Datum::Float(f64::NAN)), Some(Place::Nowhere));
        let small = grid(ValueType::Float64, 1e-100);
        assert_eq!(at(&small, &Datum::Float(0.0)), 0);
        let large = grid(ValueType::Float32, 1e100);
        assert_eq!(large.value(1 << 90), Datum::Float(f32::MAX.into()));
        assert_eq!(large.value(-(1 << 90)), Datum::Float(f32::MIN.into()));
        assert_eq!(at(&large, &Datum::Float(1e30)), 0);
    }

    #[test]
    fn grid_of_times_follows_the_digits_of_the_seconds() {
        let days = grid(ValueType::Timestamp, 86_400.0);
        assert_eq!((days.step(), days.sensitivity), (1.0, 86_400));
        assert_eq!(at(&days, &Datum::Timestamp(1_500_000)), 2);
        assert_eq!(at(&days, &Datum::Timestamp(-1_500_000)), -1);
        let fine = grid(ValueType::Timestamptz, 0.000_001_5);
        assert_eq!((fine.step(), fine.sensitivity), (1e-6, 2));
        let first = days.value(at(&days, &Datum::Timestamp(i64::MIN)));
        assert_eq!(first, Datum::Timestamp(TIME_MIN));
        assert_eq!(days.value(i128::MAX), Datum::Timestamp(TIME_MAX));
        let date = grid(ValueType::Date, 30.0);
        assert_eq!(
            date.value(at(&date, &Datum::Date(i32::MIN))),
            Datum::Date(calendar::DATE_MIN)
        );
        assert_eq!(date.value(i128::MAX), Datum::Date(calendar::DATE_MAX));
    }

    #[test]
    fn neighbors_on_a_grid_are_within_the_sensitivity() {
        for of in [ValueType::Numeric, ValueType::Int64, ValueType::Float64] {
            for sensitivity in [1.0, 7.0, 12.0, 1e14, 3e18] {
                let grid = grid(of, sensitivity);
                let place = |number: f64| grid.place_number(number).unwrap();
                for number in [0.0, 0.5, -0.5, 3.0, -7.0, 1e15 + 1.0] {
                    let apart = place(number + sensitivity) - place(number);
                    assert!(
                        apart <= grid.sensitivity.into(),
                        "{of:?} {sensitivity} {number}"
                    );
                }
            }
        }
    }
}
