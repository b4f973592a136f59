//! `noise`: a number or a date that is a little off, by chance of the key.
//!
//! The output is drawn evenly from what lies within a share (`ratio`) or a distance (`amount`) of
//! the value and within the bounds, the value itself left out: a 0 becomes something else too. It
//! keeps the type, the digits after the point and the whole seconds of a point in time. The same
//! value, or all values of one entity, move alike. This hides an exact figure from a glance, no
//! more: it is not differential privacy, and the order of magnitude stays.

use std::borrow::Cow;

use super::bounds::{Bounds, extent};
use super::decimal::{Decimal, Number, Short, narrow};
use super::integer::{BASE, Integer};
use super::origin::drawn_from;
use crate::error::{Error, Kind as Fault, Result};
use crate::strategies::calendar::{self, SECOND};
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, mismatch, outside,
};
use crate::strategies::keyed::{Keyed, Stream};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

/// `noise` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("ratio".to_owned(), Value::from(0.2))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Noise, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Int32)?;
/// assert!((41_600..=62_400).contains(&mask.int(52_000)?));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "noise",
    version: 1,
    about: "Number or date that differs a little, by the key",
    accepts: &[
        ValueType::Date,
        ValueType::Float32,
        ValueType::Float64,
        ValueType::Int16,
        ValueType::Int32,
        ValueType::Int64,
        ValueType::Numeric,
        ValueType::Timestamp,
        ValueType::Timestamptz,
    ],
    params: PARAMS,
    inputs: &[ENTITY],
    needs: Needs::Key,
    refuses: true,
    example: "anon_noise(52000, ratio => 0.2, min => 0)",
    sample: r#"{"ratio": 0.1}"#,
    parse: |reader| Ok(Box::new(Noise::new(reader)?)),
};

/// The parameters of `noise`, checked.
#[derive(Clone, Debug, PartialEq)]
struct Noise {
    reach: Reach,
    bounds: Bounds,
}

/// How far the output may be from the value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reach {
    Ratio(f64),
    Amount(f64),
}

impl Noise {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let reach = match (reader.number("ratio")?, reader.number("amount")?) {
            (Some(_), Some(_)) => {
                return Err(reader.invalid("amount", "It cannot stand beside a ratio."));
            }
            (None, Some(amount)) if !(1e-100..=1e100).contains(&amount) => {
                return Err(reader.invalid("amount", "It must be between 1e-100 and 1e100."));
            }
            (None, Some(amount)) => Reach::Amount(amount),
            (Some(ratio), None) if !(1e-6..=1.0).contains(&ratio) => {
                return Err(reader.invalid("ratio", "It must be between 0.000001 and 1."));
            }
            (ratio, None) => {
                let ratio = ratio.unwrap_or(0.1);
                reader.note("ratio", ratio);
                Reach::Ratio(ratio)
            }
        };
        Ok(Self {
            reach,
            bounds: Bounds::read(reader, ["min", "max"])?,
        })
    }
}

impl Parsed for Noise {
    fn properties(&self, of: ValueType) -> Properties {
        Properties {
            follows_scale: of == ValueType::Numeric,
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        None
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(self.mask(keys, seed, of)?))
    }
}

impl Noise {
    fn mask(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Mask> {
        let is_time = ValueType::TIMES.contains(&of);
        let reach = match self.reach {
            Reach::Ratio(_) if is_time => {
                let message = "parameter \"amount\" of strategy \"noise\" is missing";
                let error = Error::new(Fault::MissingParameter, message);
                return Err(error.with_detail("Dates and timestamps need it: days or seconds."));
            }
            Reach::Ratio(number) | Reach::Amount(number) => Short::of(number),
        };
        let whole = if is_time || of.max_int().is_some() {
            self.bounds.whole(DEFINITION.name, of)?
        } else {
            extent(of)
        };
        Ok(Mask {
            keyed: Keyed::new(Kind::Noise, keys.masking, seed),
            reach,
            relative: matches!(self.reach, Reach::Ratio(_)),
            whole,
            bounds: self.bounds.decimals(),
            numbers: self.bounds.numbers,
            of,
        })
    }
}

/// `noise` with its key.
struct Mask {
    keyed: Keyed,
    reach: Short,
    relative: bool,
    whole: [i64; 2],
    /// The bounds for numbers that are not whole.
    bounds: [Option<Decimal>; 2],
    numbers: [Option<f64>; 2],
    of: ValueType,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        let origin = drawn_from(&value, row);
        let mut stream = self.keyed.stream(&origin);
        let out = match &value {
            Datum::Date(i32::MIN | i32::MAX) | Datum::Timestamp(i64::MIN | i64::MAX) => None,
            Datum::Int(number) => Some(Datum::Int(self.whole(*number, self.whole, 0, &mut stream))),
            Datum::Date(days) => {
                let days = self.whole((*days).into(), self.whole, 0, &mut stream);
                Some(Datum::Date(calendar::date(days)))
            }
            Datum::Timestamp(time) => Some(Datum::Timestamp(self.time(*time, &mut stream))),
            Datum::Numeric(text) => match Number::parse(DEFINITION.name, text)? {
                Number::Finite(number) => {
                    let scale = number.scale;
                    let out = self.number(&number, scale, &mut stream)?;
                    Some(Datum::Numeric(Cow::Owned(out.to_string())))
                }
                _ => None,
            },
            Datum::Float(number) => self.float(*number, &mut stream)?.map(Datum::Float),
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        };
        drop(origin);
        Ok(Some(out.unwrap_or(value)))
    }
}

impl Mask {
    /// A whole number near another, between two bounds; an amount counts units of 10^`exponent`.
    fn whole(
        &self,
        value: i64,
        [least, most]: [i64; 2],
        exponent: i32,
        stream: &mut Stream<'_>,
    ) -> i64 {
        let reach = if self.relative {
            self.share(value.clamp(least, most))
        } else {
            self.reach.floor_in(exponent).unwrap_or(u128::MAX)
        };
        near(value, [least, most], reach, stream)
    }

    /// The share of a whole number.
    fn share(&self, of: i64) -> u128 {
        let digits = u128::from(of.unsigned_abs()) * u128::from(self.reach.digits);
        let power = 10_u128.checked_pow(self.reach.exponent.unsigned_abs());
        power.map_or(0, |power| digits / power)
    }

    /// Whole seconds stay whole.
    fn time(&self, time: i64, stream: &mut Stream<'_>) -> i64 {
        let [least, most] = self.whole;
        let seconds = [
            least.div_euclid(SECOND) + i64::from(least % SECOND != 0),
            most.div_euclid(SECOND),
        ];
        if time % SECOND == 0 && seconds[0] <= seconds[1] {
            return self.whole(time / SECOND, seconds, 0, stream) * SECOND;
        }
        self.whole(time, [least, most], -6, stream)
    }

    /// What [`Self::number`] gives, in machine words; none where they might not be enough.
    fn short_number(
        &self,
        value: &Decimal,
        scale: usize,
        stream: &mut Stream<'_>,
    ) -> Option<Decimal> {
        let short = |units: &Integer| units.short().filter(|units| units.abs() < SHORT);
        let given = short(&value.floor(scale))?;
        let [min, max] = &self.bounds;
        let least = min
            .as_ref()
            .map_or(Some(-3 * SHORT), |min| short(&min.ceil(scale)))?;
        let most = max
            .as_ref()
            .map_or(Some(3 * SHORT), |max| short(&max.floor(scale)))?;
        if least > most {
            return None;
        }
        let center = given.clamp(least, most);
        let reach = if self.relative && (center != 0 || self.of == ValueType::Numeric) {
            self.share(center)
        } else {
            self.reach.floor_in(-i32::try_from(scale).ok()?)?
        };
        if reach >= u128::from(SHORT.unsigned_abs()) {
            return None;
        }
        Some(Decimal {
            units: near(given, [least, most], reach, stream).into(),
            scale,
        })
    }

    /// A decimal number near another, with `scale` digits after the point.
    fn number(&self, value: &Decimal, scale: usize, stream: &mut Stream<'_>) -> Result<Decimal> {
        match self.short_number(value, scale, stream) {
            Some(number) => Ok(number),
            None => self.long_number(value, scale, stream),
        }
    }

    fn long_number(
        &self,
        value: &Decimal,
        scale: usize,
        stream: &mut Stream<'_>,
    ) -> Result<Decimal> {
        let [min, max] = &self.bounds;
        let least = min.as_ref().map(|min| min.ceil(scale));
        let most = max.as_ref().map(|max| max.floor(scale));
        if let (Some(least), Some(most)) = (&least, &most)
            && least > most
        {
            let detail = "No number with so many digits after the point lies between the bounds.";
            return Err(outside(DEFINITION.name, "out of reach", detail));
        }
        let given = value.floor(scale);
        let center = match (&least, &most) {
            (Some(least), _) if given < *least => least.clone(),
            (_, Some(most)) if given > *most => most.clone(),
            _ => given.clone(),
        };
        let (digits, exponent) = self.decimal_reach(&center, scale);
        let reach = in_units(&digits, exponent, scale);
        let reach = if reach.is_zero() {
            Integer::one()
        } else {
            reach
        };
        let low = center.minus(&reach);
        let low = least.filter(|least| low < *least).unwrap_or(low);
        let high = center.plus(&reach);
        let high = most.filter(|most| high > *most).unwrap_or(high);
        let leave_out = center == given;
        let mut count = high.minus(&low);
        if !leave_out {
            count = count.plus(&Integer::one());
        }
        if count.is_zero() {
            return Ok(Decimal {
                units: center,
                scale,
            });
        }
        let mut units = low.plus(&below(&count, stream));
        if leave_out && units >= center {
            units = units.plus(&Integer::one());
        }
        Ok(Decimal { units, scale })
    }

    /// The reach around a number of so many units, as digits and a power of ten.
    fn decimal_reach(&self, center: &Integer, scale: usize) -> (Integer, i64) {
        let exponent = i64::from(self.reach.exponent);
        let digits = Integer::from(self.reach.digits);
        let is_float = self.of != ValueType::Numeric;
        match self.relative {
            // A share of nothing is nothing, and a float has no last digit: as of 1.
            true if center.is_zero() && is_float => (digits, exponent),
            true => {
                let scale = i64::try_from(scale).unwrap_or(i64::MAX);
                let digits = center.times(self.reach.digits).magnitude();
                (digits, exponent.saturating_sub(scale))
            }
            false => (digits, exponent),
        }
    }

    /// A float gets as many digits after the point as its reach needs, two at least.
    fn float(&self, value: f64, stream: &mut Stream<'_>) -> Result<Option<f64>> {
        let single = self.of == ValueType::Float32;
        let Number::Finite(number) = Number::of_float(value, single) else {
            return Ok(None);
        };
        let (digits, exponent) = self.decimal_reach(&number.units, number.scale);
        let length = i64::try_from(digits.digits()).unwrap_or(i64::MAX);
        let needed = 2_i64.saturating_sub(length).saturating_sub(exponent);
        let needed = usize::try_from(needed).unwrap_or(0).min(MOST_SCALE);
        let out = self
            .number(&number, needed.max(number.scale), stream)?
            .float(single);
        Ok(Some(if out == value {
            self.beside(out, single)
        } else {
            out
        }))
    }

    /// The next float: the reach is too short for this one to move.
    fn beside(&self, value: f64, single: bool) -> f64 {
        let [up, down] = if single {
            let value = narrow(value);
            [value.next_up(), value.next_down()].map(f64::from)
        } else {
            [value.next_up(), value.next_down()]
        };
        let max = self.numbers[1].unwrap_or(f64::MAX);
        if up <= max && up.is_finite() {
            up
        } else {
            down
        }
    }
}

/// A whole number near another, between two bounds and within a reach of at least 1, but not the
/// same one.
fn near(value: i64, [least, most]: [i64; 2], reach: u128, stream: &mut Stream<'_>) -> i64 {
    let center = value.clamp(least, most);
    let reach = i128::try_from(reach.clamp(1, 1 << 65)).unwrap_or(1);
    let middle = i128::from(center);
    let low = (middle - reach).max(least.into());
    let high = (middle + reach).min(most.into());
    let leave_out = value == center;
    let count = high - low + i128::from(!leave_out);
    if count == 0 {
        return center;
    }
    let drawn = stream.below_u64(u64::try_from(count).unwrap_or(u64::MAX));
    let drawn = low + i128::from(drawn);
    let out = drawn + i128::from(leave_out && drawn >= middle);
    i64::try_from(out).unwrap_or(center)
}

/// `digits` · 10^`exponent` in units of 10^-`scale`, rounded down.
fn in_units(digits: &Integer, exponent: i64, scale: usize) -> Integer {
    let places = i64::try_from(scale)
        .unwrap_or(i64::MAX)
        .saturating_add(exponent);
    let count = usize::try_from(places.unsigned_abs()).unwrap_or(usize::MAX);
    if places >= 0 {
        digits.shifted(count)
    } else {
        digits.unshifted(count).0
    }
}

/// Draws a whole number from 0 up to, but not with, `bound`: limb by limb, and again from the
/// beginning where that leads beyond.
fn below(bound: &Integer, stream: &mut Stream<'_>) -> Integer {
    let Some((&last, rest)) = bound.limbs().split_last() else {
        return Integer::ZERO;
    };
    if rest.is_empty() {
        return Integer::from(stream.below_u64(last));
    }
    loop {
        let mut limbs: Vec<u64> = rest.iter().map(|_| stream.below_u64(BASE)).collect();
        limbs.push(stream.below_u64(last + 1));
        let drawn = Integer::of_limbs(limbs);
        if drawn < *bound {
            return drawn;
        }
    }
}

/// Three numbers below it fit 64 bits, and twice it fits one limb of a long number.
const SHORT: i64 = 100_000_000_000_000_000;
/// More than any float has.
const MOST_SCALE: usize = 400;

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "ratio",
        ParamKind::Number,
        "0.1",
        "How far the output may be from the value, as a share of it: 0.000001 to 1.",
    )
    .only(ValueType::NUMBERS),
    ParamSpec::optional(
        "amount",
        ParamKind::Span,
        "The same as a distance, in place of ratio: days for a date, seconds for a timestamp.",
    ),
    ParamSpec::optional("min", ParamKind::Number, "What the output is not below.")
        .only(ValueType::NUMBERS),
    ParamSpec::optional("max", ParamKind::Number, "What the output is not above.")
        .only(ValueType::NUMBERS),
    ParamSpec::optional(
        "earliest",
        ParamKind::Text,
        "What the output is not before.",
    )
    .only(ValueType::TIMES),
    ParamSpec::optional("latest", ParamKind::Text, "What the output is not after.")
        .only(ValueType::TIMES),
];

#[cfg(test)]
mod tests;
