//! How much privacy is spent, in whole units: what is drawn with and what is charged are the same
//! number.

use std::fmt;

use crate::error::{Error, Kind, Result};

/// An amount of ε in millionths, or of δ in units of 10^-15.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount<const DIGITS: usize>(i64);

/// ε in millionths.
pub type Epsilon = Amount<6>;
/// δ in units of 10^-15.
pub type Delta = Amount<15>;

impl<const DIGITS: usize> Amount<DIGITS> {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Takes a number of units, 0 or more.
    pub fn of_units(units: i64) -> Option<Self> {
        (units >= 0).then_some(Self(units))
    }

    /// Takes a decimal number as `numeric` writes it, of which no digit may be lost.
    ///
    /// # Errors
    /// 22023 for a negative number, one with more decimal places, one that is not finite, and one
    /// above 9.2·10^18 units. `name` is the parameter.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let refused = |detail: String| {
            Error::new(
                Kind::InvalidParameter,
                format!("invalid value for parameter \"{name}\""),
            )
            .with_detail(detail)
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
            return Err(refused("It must be a number, 0 or more.".to_owned()));
        }
        if fraction.len() > DIGITS {
            return Err(refused(format!(
                "It must not have more than {DIGITS} digits after the point."
            )));
        }
        format!("{whole}{fraction:0<DIGITS$}")
            .parse()
            .map(Self)
            .map_err(|_| refused("It is too large.".to_owned()))
    }

    /// The number of units.
    pub fn units(self) -> i64 {
        self.0
    }

    /// As a number, for formulas.
    #[allow(clippy::cast_precision_loss, reason = "for formulas, not for charging")]
    pub fn get(self) -> f64 {
        self.0 as f64 / 10_f64.powi(i32::try_from(DIGITS).unwrap_or(0))
    }

    /// The sum; the most there is, where that is more.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; nothing where it would be less.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }

    /// So many times it; the most there is, where that is more.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Self(self.0.saturating_mul(count))
    }
}

impl Delta {
    /// What no δ reaches.
    pub const ONE: Self = Self(1_000_000_000_000_000);
}

impl<const DIGITS: usize> fmt::Display for Amount<DIGITS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>width$}", self.0, width = DIGITS + 1);
        let (whole, fraction) = digits.split_at(digits.len() - DIGITS);
        match fraction.trim_end_matches('0') {
            "" => f.write_str(whole),
            fraction => write!(f, "{whole}.{fraction}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_units() {
        for (text, units) in [
            ("0", 0),
            ("0.1", 100_000),
            ("1.000000", 1_000_000),
            ("1.0000000000", 1_000_000),
            ("0.000001", 1),
            ("9223372036854.775807", i64::MAX),
        ] {
            assert_eq!(Epsilon::parse("epsilon", text).unwrap().units(), units);
        }
        for text in [
            "-1",
            "NaN",
            "Infinity",
            "",
            ".5x",
            "0.0000001",
            "9223372036854.775808",
        ] {
            let error = Epsilon::parse("epsilon", text).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidParameter, "{text}");
        }
        assert_eq!(
            Delta::parse("delta", "0.000000001").unwrap().units(),
            1_000_000
        );
    }

    #[test]
    fn amounts_are_shown_without_superfluous_digits() {
        for text in ["0", "0.000001", "12.5", "1"] {
            assert_eq!(Epsilon::parse("epsilon", text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn amounts_do_not_wrap() {
        let most = Epsilon::of_units(i64::MAX).unwrap();
        assert_eq!(most.plus(most), most);
        assert_eq!(most.times(3), most);
        assert_eq!(Epsilon::ZERO.minus(most), Epsilon::ZERO);
        assert_eq!(Epsilon::of_units(-1), None);
    }
}
