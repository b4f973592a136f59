//! Numbers that come out the same whatever the order in which rows and classes come.
//!
//! Counts are whole numbers, so shares of them are fractions and are kept as such until the last
//! division; what has to be summed as floating point is summed in an order of its own.

use crate::error::{Error, Kind, Result};

/// The most rows that are measured: products of two counts, summed over all values, still fit.
pub const MOST_ROWS: u64 = 1 << 42;

/// The number of rows, if they are not too many.
///
/// # Errors
/// 54000 when they are.
pub fn rows(count: u64) -> Result<u64> {
    if count > MOST_ROWS {
        return Err(Error::new(
            Kind::ProgramLimit,
            format!("more than {MOST_ROWS} rows cannot be measured"),
        ));
    }
    Ok(count)
}

/// One number divided by another.
pub fn quotient(number: u128, by: u128) -> f64 {
    float(number) / float(by)
}

/// A whole number as floating point.
#[allow(
    clippy::cast_precision_loss,
    reason = "53 bits of a count or a product of counts are what a double holds"
)]
pub fn float(number: u128) -> f64 {
    number as f64
}

/// A sum with what rounding takes away (Neumaier 1974): as good as twice the digits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    /// Adds a number.
    pub fn add(&mut self, number: f64) {
        let sum = self.sum + number;
        self.lost += if self.sum.abs() >= number.abs() {
            (self.sum - sum) + number
        } else {
            (number - sum) + self.sum
        };
        self.sum = sum;
    }

    /// What it is so far.
    pub fn value(self) -> f64 {
        self.sum + self.lost
    }
}

/// The greatest of some fractions, compared without rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greatest {
    number: u128,
    by: u128,
}

impl Greatest {
    /// None so far, which counts as 0.
    pub const NONE: Self = Self { number: 0, by: 1 };

    /// Takes one in; by 0 it is infinite.
    pub fn take(&mut self, number: u64, by: u64) {
        let (number, by) = (u128::from(number), u128::from(by));
        if number * self.by > self.number * by {
            *self = Self { number, by };
        }
    }

    /// What it is.
    pub fn value(self) -> f64 {
        quotient(self.number, self.by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_what_rounding_would_lose() {
        let mut sum = Sum::default();
        for number in [1e100, 1.0, -1e100] {
            sum.add(number);
        }
        assert_eq!(sum.value().to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn greatest_fraction_is_found_without_rounding() {
        let mut greatest = Greatest::NONE;
        assert_eq!(greatest.value().to_bits(), 0.0_f64.to_bits());
        // As doubles both are the same.
        greatest.take((1 << 42) - 2, (1 << 42) - 1);
        greatest.take((1 << 42) - 1, 1 << 42);
        assert_eq!(greatest.by, 1 << 42);
        greatest.take(1, 2);
        assert_eq!(greatest.by, 1 << 42);
        greatest.take(3, 0);
        assert!(greatest.value().is_infinite());
        greatest.take(1 << 42, 1);
        assert!(greatest.value().is_infinite());
    }

    #[test]
    fn rows_have_a_limit() {
        assert_eq!(rows(MOST_ROWS).ok(), Some(MOST_ROWS));
        assert_eq!(
            rows(MOST_ROWS + 1).map_err(|error| error.kind()),
            Err(Kind::ProgramLimit)
        );
    }
}
