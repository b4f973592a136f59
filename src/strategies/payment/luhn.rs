//! Card numbers and Luhn's rule (ISO/IEC 7812-1, annex B).

use crate::strategies::checks::{luhn_digit, luhn_sum};

/// A number of 12 to 19 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// In ASCII.
    pub(super) digits: [u8; 19],
    pub(super) length: usize,
}

impl Number {
    /// Reads one with marks between the digits.
    pub(super) fn read(text: &str, marks: &[char]) -> Option<Self> {
        let (mut digits, mut length) = ([b'0'; 19], 0);
        for c in text.chars() {
            match u8::try_from(c) {
                Ok(digit @ b'0'..=b'9') => {
                    *digits.get_mut(length)? = digit;
                    length += 1;
                }
                _ if marks.contains(&c) => {}
                _ => return None,
            }
        }
        (length >= 12).then_some(Self { digits, length })
    }

    /// The digits.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    /// Luhn's sum.
    pub(super) fn sum(&self) -> u32 {
        luhn_sum(self.as_bytes().iter().map(|digit| digit - b'0'))
    }

    /// Chooses the digit of one place so that the sum ends with 0.
    pub(super) fn make_valid(&mut self, at: usize) {
        self.digits[at] = b'0';
        let doubled = (self.length - at).is_multiple_of(2);
        self.digits[at] += luhn_digit(self.sum(), doubled);
    }

    /// The number that the first digits make.
    pub(super) fn first(&self, digits: usize) -> u32 {
        let digits = self.as_bytes().iter().take(digits);
        digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_takes_known_numbers() {
        for (number, valid) in [
            ("378282246310005", true),
            ("4111111111111111", true),
            ("4111111111111112", false),
            ("79927398713792739871", false),
            ("5555555555554444", true),
            ("5555555555554445", false),
        ] {
            let read = Number::read(number, &[]);
            assert_eq!(read.is_some_and(|read| read.sum() % 10 == 0), valid);
        }
    }

    #[test]
    fn luhn_can_be_met_by_any_one_digit() {
        for number in ["4111111111111111", "378282246310007", "1234567890123456789"] {
            let read = Number::read(number, &[]).unwrap();
            for place in 0..read.length {
                let mut made = read;
                made.make_valid(place);
                assert_eq!(made.sum() % 10, 0);
                let same = |(n, (a, b)): (usize, (&u8, &u8))| n == place || a == b;
                let pairs = made.as_bytes().iter().zip(read.as_bytes());
                assert!(pairs.enumerate().all(same));
            }
        }
    }
}
