//! Decimal numbers as `numeric` writes them: whole units and how many digits stand after the point.
//!
//! Everything is exact. A number of more than [`MOST_DIGITS`] digits is refused, which bounds the
//! work for one value; `numeric` itself allows 147 455.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use super::integer::Integer;
use crate::error::Error;
use crate::strategies::definition::outside;

/// The most digits a number may have, before and after the point together.
pub const MOST_DIGITS: usize = 1000;

/// A value of type numeric, or of another type as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// A number.
    Finite(Decimal),
    /// One of the infinities.
    Infinity {
        /// Which one.
        negative: bool,
    },
    /// Not a number.
    Nan,
}

impl Number {
    /// Reads the text form.
    ///
    /// # Errors
    /// `Data` for another text, and for too many digits.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        match text {
            "NaN" => return Ok(Self::Nan),
            "Infinity" => return Ok(Self::Infinity { negative: false }),
            "-Infinity" => return Ok(Self::Infinity { negative: true }),
            _ => {}
        }
        let digits = || text.bytes().filter(u8::is_ascii_digit).count();
        if text.len() > MOST_DIGITS && digits() > MOST_DIGITS {
            let detail = format!("It has more than {MOST_DIGITS} digits.");
            return Err(outside(name, "too long", detail));
        }
        let number = Decimal::parse(text).map(Self::Finite);
        number.ok_or_else(|| outside(name, "not a number", "It must be written as a numeric is."))
    }

    /// Takes a number of 64 or 32 bits by its shortest digits, so that 0.1 is one tenth.
    pub fn of_float(value: f64, single: bool) -> Self {
        if value.is_nan() {
            return Self::Nan;
        }
        if value.is_infinite() {
            return Self::Infinity {
                negative: value < 0.0,
            };
        }
        let text = if single {
            narrow(value).to_string()
        } else {
            value.to_string()
        };
        Decimal::parse(&text).map_or(Self::Nan, Self::Finite)
    }
}

/// A decimal number: `units` / 10^`scale`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The digits, as a whole number.
    pub units: Integer,
    /// How many of them stand after the point.
    pub scale: usize,
}

impl Decimal {
    /// Reads `-12.50`.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = if fraction.is_empty() {
            Cow::Borrowed(whole)
        } else {
            Cow::Owned([whole, fraction].concat())
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            units: Integer::of_digits(negative, digits.as_bytes()),
            scale: fraction.len(),
        })
    }

    /// Takes a finite number by its shortest digits.
    pub fn of(number: f64) -> Self {
        Self::parse(&number.to_string()).unwrap_or(Self {
            units: Integer::ZERO,
            scale: 0,
        })
    }

    /// The units it has at another scale, the next below where it lies between two.
    pub fn floor(&self, scale: usize) -> Integer {
        let (units, exact) = self.toward_zero(scale);
        if exact || !self.units.is_negative() {
            return units;
        }
        units.minus(&Integer::one())
    }

    /// The units it has at another scale, the next above where it lies between two.
    pub fn ceil(&self, scale: usize) -> Integer {
        let (units, exact) = self.toward_zero(scale);
        if exact || self.units.is_negative() {
            return units;
        }
        units.plus(&Integer::one())
    }

    fn toward_zero(&self, scale: usize) -> (Integer, bool) {
        if scale >= self.scale {
            return (self.units.shifted(scale - self.scale), true);
        }
        let (units, rest) = self.units.unshifted(self.scale - scale);
        (units, rest.is_zero())
    }

    /// The same number without zeros at its end, but with so many digits after the point.
    #[must_use]
    pub fn trimmed(mut self, least: usize) -> Self {
        while self.scale > least {
            let (units, rest) = self.units.unshifted(1);
            if !rest.is_zero() {
                break;
            }
            self.units = units;
            self.scale -= 1;
        }
        self
    }

    /// Compares as numbers, whatever the zeros at their ends.
    pub fn compare(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.floor(scale).cmp(&other.floor(scale))
    }

    /// The nearest number of 64 or 32 bits; the greatest one beyond that.
    pub fn float(&self, single: bool) -> f64 {
        let text = self.to_string();
        if single {
            let number: f32 = text.parse().unwrap_or_default();
            return number.clamp(f32::MIN, f32::MAX).into();
        }
        let number: f64 = text.parse().unwrap_or_default();
        number.clamp(f64::MIN, f64::MAX)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return self.units.fmt(f);
        }
        let text = self.units.to_string();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", &*text),
        };
        if digits.len() <= self.scale {
            return write!(f, "{sign}0.{digits:0>scale$}", scale = self.scale);
        }
        let (whole, fraction) = digits.split_at(digits.len() - self.scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

/// A positive number by its shortest digits: `digits` · 10^`exponent`, at most 17 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// The digits, without zeros at their end.
    pub digits: u64,
    /// The power of ten that they count.
    pub exponent: i32,
}

impl Short {
    /// Takes a finite positive number; of any other nothing is left but zero.
    pub fn of(number: f64) -> Self {
        let text = format!("{number:e}");
        let parts = text.split_once('e');
        let read = parts.and_then(|(digits, exponent)| {
            let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
            let digits: u64 = digits.replace('.', "").parse().ok()?;
            let exponent: i32 = exponent.parse().ok()?;
            Some((digits, exponent - i32::try_from(places).ok()?))
        });
        let (mut digits, mut exponent) = read.unwrap_or_default();
        while digits != 0 && digits % 10 == 0 {
            digits /= 10;
            exponent += 1;
        }
        Self { digits, exponent }
    }

    /// The number in units of 10^`exponent`, rounded up; none if it does not fit.
    pub fn ceil_in(self, exponent: i32) -> Option<u128> {
        let digits = u128::from(self.digits);
        match self.power(exponent) {
            (Some(power), true) => digits.checked_mul(power),
            (Some(power), false) => Some(digits.div_ceil(power)),
            (None, true) => None,
            (None, false) => Some(u128::from(digits > 0)),
        }
    }

    /// The number in units of 10^`exponent`, rounded down; none if it does not fit.
    pub fn floor_in(self, exponent: i32) -> Option<u128> {
        let digits = u128::from(self.digits);
        match self.power(exponent) {
            (Some(power), true) => digits.checked_mul(power),
            (Some(power), false) => Some(digits / power),
            (None, true) => None,
            (None, false) => Some(0),
        }
    }

    /// A power of ten, where it fits, and whether to multiply by it.
    fn power(self, exponent: i32) -> (Option<u128>, bool) {
        let places = i64::from(self.exponent) - i64::from(exponent);
        let power = u32::try_from(places.unsigned_abs()).ok();
        let power = power.and_then(|places| 10_u128.checked_pow(places));
        (power, places >= 0)
    }

    /// How many digits stand after the point.
    pub fn scale(self) -> usize {
        usize::try_from(self.exponent.saturating_neg()).unwrap_or(0)
    }
}

/// The exact value of a whole number; none of another.
pub fn whole(number: f64) -> Option<i128> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "exact below 2^127, and the extreme value above"
    )]
    let whole = number as i128;
    (number.fract() == 0.0).then_some(whole)
}

/// The number of 32 bits in one of 64.
pub fn narrow(value: f64) -> f32 {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the nearest number is what a real holds"
    )]
    let narrow = value as f32;
    narrow.clamp(f32::MIN, f32::MAX)
}

/// The canonical text of a numeric: no zeros at the end of a fraction, no sign before zero.
pub fn canonical(text: &str) -> &str {
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    };
    match text {
        "" | "-" | "-0" => "0",
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn decimals_are_written_as_they_were() {
        for text in [
            "0",
            "1",
            "-12.50",
            "0.001",
            "-0.5",
            "1000000000000000000000.000",
            "0.00",
        ] {
            assert_eq!(decimal(text).to_string(), text);
        }
        assert_eq!(decimal("-0.0").to_string(), "0.0");
        assert_eq!(decimal("007").to_string(), "7");
        for wrong in ["", "-", ".", "1e5", "+1", "1.2.3", "１", "--1", "1.-2"] {
            assert_eq!(Decimal::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn decimals_round_to_either_side() {
        let both = |text: &str, scale| {
            let number = decimal(text);
            (
                number.floor(scale).to_string(),
                number.ceil(scale).to_string(),
            )
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(both("1.25", 1), pair("12", "13"));
        assert_eq!(both("-1.25", 1), pair("-13", "-12"));
        assert_eq!(both("-0.25", 0), pair("-1", "0"));
        assert_eq!(both("1.20", 1), pair("12", "12"));
        assert_eq!(both("1.2", 3), pair("1200", "1200"));
        let compare = |a: &str, b: &str| decimal(a).compare(&decimal(b));
        assert_eq!(compare("1.10", "1.1"), Ordering::Equal);
        assert_eq!(compare("1.1", "1.11"), Ordering::Less);
        assert_eq!(compare("-1.99", "-2"), Ordering::Greater);
        assert_eq!(decimal("1.500").trimmed(0).to_string(), "1.5");
        assert_eq!(decimal("1.500").trimmed(2).to_string(), "1.50");
    }

    #[test]
    fn decimals_take_the_shortest_digits_of_a_float() {
        assert_eq!(Decimal::of(0.1).to_string(), "0.1");
        assert_eq!(Decimal::of(-1e21).to_string(), "-1000000000000000000000");
        let single = Number::of_float(f64::from(0.1_f32), true);
        assert_eq!(single, Number::Finite(decimal("0.1")));
        assert_eq!(Number::of_float(f64::NAN, false), Number::Nan);
        let tiny = Number::of_float(f64::from_bits(1), false);
        assert!(matches!(tiny, Number::Finite(tiny) if tiny.float(false) == f64::from_bits(1)));
        assert_eq!(decimal("0.1").float(false), 0.1);
        assert_eq!(decimal(&"9".repeat(400)).float(false), f64::MAX);
        assert_eq!(decimal(&"9".repeat(60)).float(true), f64::from(f32::MAX));
    }

    #[test]
    fn decimals_have_at_most_a_thousand_digits() {
        assert!(Number::parse("round", &"9".repeat(1000)).is_ok());
        let error = Number::parse("round", &"9".repeat(1001)).unwrap_err();
        assert_eq!(error.message(), "value for strategy \"round\" is too long");
        let error = Number::parse("round", "twelve").unwrap_err();
        assert!(!format!("{error:?}").contains("twelve"));
        let number = Number::parse("round", "-Infinity").unwrap();
        assert_eq!(number, Number::Infinity { negative: true });
    }

    #[test]
    fn short_numbers_are_exact() {
        let short = |number| {
            let Short { digits, exponent } = Short::of(number);
            (digits, exponent)
        };
        assert_eq!(short(0.1), (1, -1));
        assert_eq!(short(200_000.0), (2, 5));
        assert_eq!(short(12.5), (125, -1));
        assert_eq!(short(1e-100), (1, -100));
        assert_eq!(short(f64::MAX), (17_976_931_348_623_157, 292));
        assert_eq!(Short::of(12.5).ceil_in(0), Some(13));
        assert_eq!(Short::of(12.5).ceil_in(-3), Some(12_500));
        assert_eq!(Short::of(12.5).floor_in(0), Some(12));
        assert_eq!(Short::of(1e-100).floor_in(0), Some(0));
        assert_eq!(Short::of(1e-100).ceil_in(0), Some(1));
        assert_eq!(Short::of(1e100).ceil_in(0), None);
        assert_eq!((Short::of(0.25).scale(), Short::of(50.0).scale()), (2, 0));
    }

    #[test]
    fn whole_numbers_are_exact() {
        assert_eq!(whole(-3.0), Some(-3));
        assert_eq!(whole(9_223_372_036_854_775_808.0), Some(1 << 63));
        assert_eq!(whole(1e300), Some(i128::MAX));
        assert_eq!(
            (whole(0.5), whole(f64::NAN), whole(f64::INFINITY)),
            (None, None, None)
        );
    }

    #[test]
    fn canonical_numerics_are_one_text_each() {
        for (text, expected) in [
            ("1.50", "1.5"),
            ("1.00", "1"),
            ("100", "100"),
            ("0.00", "0"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("NaN", "NaN"),
        ] {
            assert_eq!(canonical(text), expected);
        }
    }
}
