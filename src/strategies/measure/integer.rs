//! Whole numbers of any length, as far as rounding and noise need them: sign and magnitude.
//!
//! The magnitude is a list of limbs in base 10^18, the least first and none of them zero at the
//! end, so that shifting by decimal places is cheap and the text form costs no division.

use std::cmp::Ordering;
use std::fmt::{self, Write};

/// The base of the limbs.
pub const BASE: u64 = 1_000_000_000_000_000_000;
const WIDTH: usize = 18;

/// A whole number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integer {
    negative: bool,
    limbs: Vec<u64>,
}

impl Integer {
    /// Zero.
    pub const ZERO: Self = Self {
        negative: false,
        limbs: Vec::new(),
    };

    /// One.
    pub fn one() -> Self {
        Self::new(false, vec![1])
    }

    /// Makes a number of its magnitude; zero has no sign.
    fn new(negative: bool, mut limbs: Vec<u64>) -> Self {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Self {
            negative: negative && !limbs.is_empty(),
            limbs,
        }
    }

    /// Makes a number of limbs, the least first.
    pub fn of_limbs(limbs: Vec<u64>) -> Self {
        Self::new(false, limbs)
    }

    /// Makes a number of ASCII digits; other characters must not occur.
    pub fn of_digits(negative: bool, digits: &[u8]) -> Self {
        let limb = |chunk: &[u8]| {
            chunk
                .iter()
                .fold(0, |sum, byte| sum * 10 + u64::from(byte.wrapping_sub(b'0')))
        };
        Self::new(negative, digits.rchunks(WIDTH).map(limb).collect())
    }

    /// The limbs of the magnitude, the least first.
    pub fn limbs(&self) -> &[u64] {
        &self.limbs
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.limbs.is_empty()
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::new(!self.negative, self.limbs)
    }

    /// The magnitude.
    #[must_use]
    pub fn magnitude(self) -> Self {
        Self::new(false, self.limbs)
    }

    /// The sum of two numbers.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        if self.negative == other.negative {
            return Self::new(self.negative, sum(&self.limbs, &other.limbs));
        }
        match compare(&self.limbs, &other.limbs) {
            Ordering::Less => Self::new(other.negative, difference(&other.limbs, &self.limbs)),
            _ => Self::new(self.negative, difference(&self.limbs, &other.limbs)),
        }
    }

    /// The difference of two numbers.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.plus(&other.clone().negated())
    }

    /// The product with a number below [`BASE`].
    #[must_use]
    pub fn times(&self, factor: u64) -> Self {
        let mut carry = 0;
        let mut limbs: Vec<u64> = self
            .limbs
            .iter()
            .map(|&limb| {
                let (high, low) = split(u128::from(limb) * u128::from(factor) + carry);
                carry = high;
                low
            })
            .collect();
        limbs.push(split(carry).1);
        Self::new(self.negative, limbs)
    }

    /// Divides the magnitude by a number from 1 to [`BASE`]: quotient, with the sign, and
    /// remainder, without.
    pub fn over(&self, divisor: u64) -> (Self, u64) {
        let divisor = u128::from(divisor.max(1));
        let mut remainder = 0;
        let mut limbs = vec![0; self.limbs.len()];
        for (at, &limb) in self.limbs.iter().enumerate().rev() {
            let dividend = remainder * u128::from(BASE) + u128::from(limb);
            limbs[at] = low(dividend / divisor);
            remainder = dividend % divisor;
        }
        (Self::new(self.negative, limbs), low(remainder))
    }

    /// The product with a power of ten.
    #[must_use]
    pub fn shifted(&self, places: usize) -> Self {
        if self.is_zero() || places == 0 {
            return self.clone();
        }
        let mut limbs = vec![0; places / WIDTH];
        limbs.extend(self.times(power(places % WIDTH)).limbs);
        Self::new(self.negative, limbs)
    }

    /// Divides the magnitude by a power of ten: quotient, with the sign, and remainder, without.
    pub fn unshifted(&self, places: usize) -> (Self, Self) {
        let whole = places / WIDTH;
        if whole >= self.limbs.len() {
            return (Self::ZERO, self.clone().magnitude());
        }
        let (rest, upper) = self.limbs.split_at(whole);
        let part = power(places % WIDTH);
        let (quotient, remainder) = Self::new(self.negative, upper.to_vec()).over(part);
        let mut rest = rest.to_vec();
        rest.push(remainder);
        (quotient, Self::new(false, rest))
    }

    /// The number, if it is below [`BASE`] either way.
    pub fn short(&self) -> Option<i64> {
        let magnitude = match self.limbs[..] {
            [] => 0,
            [limb] => i64::try_from(limb).ok()?,
            _ => return None,
        };
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// How many decimal digits it has; 0 for zero.
    pub fn digits(&self) -> usize {
        match self.limbs.last() {
            Some(last) => (self.limbs.len() - 1) * WIDTH + last.ilog10() as usize + 1,
            None => 0,
        }
    }
}

impl PartialOrd for Integer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Integer {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => compare(&self.limbs, &other.limbs),
            (true, true) => compare(&other.limbs, &self.limbs),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl From<u64> for Integer {
    fn from(number: u64) -> Self {
        Self::new(false, vec![number % BASE, number / BASE])
    }
}

impl From<i64> for Integer {
    fn from(number: i64) -> Self {
        let magnitude = Self::from(number.unsigned_abs());
        Self::new(number < 0, magnitude.limbs)
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_char('-')?;
        }
        let Some((last, rest)) = self.limbs.split_last() else {
            return f.write_char('0');
        };
        write!(f, "{last}")?;
        rest.iter()
            .rev()
            .try_for_each(|limb| write!(f, "{limb:018}"))
    }
}

fn compare(a: &[u64], b: &[u64]) -> Ordering {
    let by_length = a.len().cmp(&b.len());
    by_length.then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

fn sum(a: &[u64], b: &[u64]) -> Vec<u64> {
    let length = a.len().max(b.len());
    let mut carry = 0;
    let mut limbs = Vec::with_capacity(length + 1);
    for at in 0..length {
        // Three numbers below 2^60 and a carry fit 64 bits.
        let sum = a.get(at).unwrap_or(&0) + b.get(at).unwrap_or(&0) + carry;
        carry = u64::from(sum >= BASE);
        limbs.push(sum - carry * BASE);
    }
    limbs.push(carry);
    limbs
}

/// `a` less `b`, which is not the greater one.
fn difference(a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut borrow = 0;
    a.iter()
        .enumerate()
        .map(|(at, &limb)| {
            let less = b.get(at).unwrap_or(&0) + borrow;
            borrow = u64::from(limb < less);
            (limb + borrow * BASE).wrapping_sub(less)
        })
        .collect()
}

fn split(number: u128) -> (u128, u64) {
    let base = u128::from(BASE);
    (number / base, low(number % base))
}

/// A number that is known to fit.
fn low(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A power of ten below [`BASE`].
fn power(places: usize) -> u64 {
    u32::try_from(places).map_or(BASE, |places| 10_u64.pow(places.min(17)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(text: &str) -> Integer {
        let digits = text.strip_prefix('-');
        Integer::of_digits(digits.is_some(), digits.unwrap_or(text).as_bytes())
    }

    const SMALL: [i128; 12] = [
        0,
        1,
        -1,
        7,
        -10,
        999_999_999_999_999_999,
        1_000_000_000_000_000_000,
        -1_000_000_000_000_000_001,
        123_456_789_012_345_678_901_234_567,
        -99_999_999_999_999_999_999_999_999_999,
        1_000_000_000_000_000_000_000_000_000_000_000_000,
        -1_000_000_000_000_000_000_000_000_000_000_000_001,
    ];

    #[test]
    fn integers_agree_with_those_of_the_machine() {
        for a in SMALL {
            let big = integer(&a.to_string());
            assert_eq!(big.to_string(), a.to_string());
            assert_eq!(
                big.digits(),
                if a == 0 {
                    0
                } else {
                    a.unsigned_abs().to_string().len()
                }
            );
            for b in SMALL {
                let other = integer(&b.to_string());
                assert_eq!(big.plus(&other).to_string(), (a + b).to_string());
                assert_eq!(big.minus(&other).to_string(), (a - b).to_string());
                assert_eq!(big.cmp(&other), a.cmp(&b));
            }
            for factor in [0, 1, 9, 12_345] {
                if let Some(product) = a.checked_mul(factor.into()) {
                    assert_eq!(big.times(factor).to_string(), product.to_string());
                }
            }
            for divisor in [1, 3, 10, BASE] {
                let (quotient, remainder) = big.over(divisor);
                let by = i128::from(divisor);
                assert_eq!(quotient.to_string(), (a / by).to_string());
                assert_eq!(u128::from(remainder), (a % by).unsigned_abs());
            }
            for places in [0, 1, 17, 18, 19, 35, 36] {
                let by = 10_i128.pow(u32::try_from(places).unwrap());
                let (quotient, remainder) = big.unshifted(places);
                assert_eq!(quotient.to_string(), (a / by).to_string());
                assert_eq!(remainder.to_string(), (a % by).unsigned_abs().to_string());
                assert_eq!(
                    big.shifted(places).unshifted(places),
                    (big.clone(), Integer::ZERO)
                );
            }
        }
    }

    #[test]
    fn integers_are_short_below_the_base() {
        for number in [0, 1, -1, 999_999_999_999_999_999, -999_999_999_999_999_999] {
            assert_eq!(Integer::from(number).short(), Some(number));
        }
        assert_eq!(Integer::from(BASE).short(), None);
        assert_eq!(Integer::from(i64::MIN).to_string(), i64::MIN.to_string());
    }

    #[test]
    fn integers_of_a_thousand_digits_are_exact() {
        let nines = integer(&"9".repeat(1000));
        let next = nines.plus(&Integer::one());
        assert_eq!(next, integer("1").shifted(1000));
        assert_eq!(next.minus(&nines), Integer::one());
        assert_eq!(nines.times(9).digits(), 1001);
        assert_eq!(nines.over(9).0, integer(&"1".repeat(1000)));
    }
}
