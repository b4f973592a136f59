//! Numbers and uuids: each is one number of an interval, encrypted as such.
//!
//! The interval is declared, or it is that of the numbers with as many digits and the same sign.

use super::ff1::Way;
use super::permutation::{Part, Permutation, TooFew};
use super::text::NAME;
use crate::error::Result;
use crate::strategies::ValueType;
use crate::strategies::definition::outside;

/// Numbers from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval(pub(super) i128, pub(super) i128);

impl Interval {
    /// Every value of a type of numbers; a numeric stays below 2^127.
    pub(super) fn of(of: ValueType) -> Self {
        match of.max_int() {
            Some(max) => Self(-i128::from(max) - 1, max.into()),
            None => Self(1 - 10_i128.pow(DIGITS), 10_i128.pow(DIGITS) - 1),
        }
    }

    /// The numbers of this interval with the sign and the number of digits of one of them.
    fn alike(self, number: i128) -> Self {
        let digits = number.unsigned_abs().checked_ilog10().unwrap_or(0);
        let power = 10_i128.pow(digits);
        let next = power.saturating_mul(10);
        match (number < 0, digits) {
            (true, _) => Self((1 - next).max(self.0), -power),
            (false, 0) => Self(0, 9),
            (false, _) => Self(power, (next - 1).min(self.1)),
        }
    }

    pub(super) fn size(self) -> u128 {
        self.1.abs_diff(self.0) + 1
    }

    pub(super) fn contains(self, number: i128) -> bool {
        (self.0..=self.1).contains(&number)
    }

    /// Permutes its numbers. `kind` tells apart what the numbers of equal intervals are.
    pub(super) fn permute(
        self,
        permutation: &Permutation,
        way: Way,
        number: i128,
        kind: u8,
    ) -> Result<i128, TooFew> {
        let mut class = [kind; 33];
        class[1..17].copy_from_slice(&self.0.to_be_bytes());
        class[17..].copy_from_slice(&self.1.to_be_bytes());
        let part = Part {
            class: &class,
            kept: &[],
        };
        let rank = number.abs_diff(self.0);
        let moved = permutation.number(way, rank, self.size(), part)?;
        // Below the size, which is below 2^127.
        Ok(self.0 + i128::try_from(moved).map_err(|_| TooFew)?)
    }
}

/// The most digits of a number: 10^38 is below 2^127.
const DIGITS: u32 = 38;

/// The strategy for numbers, with its key.
pub(super) struct Numbers {
    pub(super) permutation: Permutation,
    pub(super) all: Interval,
    pub(super) declared: Option<Interval>,
}

impl Numbers {
    /// Encrypts or decrypts a number.
    ///
    /// # Errors
    /// `Data` for a number outside the declared interval, or one with too few like it.
    pub(super) fn number(&self, way: Way, number: i128) -> Result<i128> {
        let interval = match self.declared {
            Some(declared) if declared.contains(number) => declared,
            Some(_) => {
                let detail = "It is not between min and max.";
                return Err(outside(NAME, "out of range", detail));
            }
            None => self.all.alike(number),
        };
        interval
            .permute(&self.permutation, way, number, 0)
            .map_err(|_| {
                let detail = format!(
                    "There are {} numbers of its sign and length, and 1000000 are needed.",
                    interval.size()
                );
                outside(NAME, "too short", detail).with_hint(
                    "Declare parameters \"min\" and \"max\", or set parameter \"small_domain\" to \
                     \"shuffle\".",
                )
            })
    }

    /// Encrypts or decrypts a numeric in text form; zeros after the decimal point stay.
    ///
    /// # Errors
    /// As [`Self::number`], and for what is not integral or has more than 38 digits.
    pub(super) fn numeric(&self, way: Way, value: &str) -> Result<String> {
        let (integer, fraction) = value.split_at(value.find('.').unwrap_or(value.len()));
        let digits = integer.strip_prefix('-').unwrap_or(integer);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || fraction.bytes().skip(1).any(|byte| byte != b'0') {
            let detail = "Of numeric it takes integral numbers, not fractions, infinities and NaN.";
            return Err(outside(NAME, "not integral", detail));
        }
        let number: Option<i128> = integer.parse().ok();
        let number = number
            .filter(|number| Interval::of(ValueType::Numeric).contains(*number))
            .ok_or_else(|| {
                let detail = format!("It has more than {DIGITS} digits.");
                outside(NAME, "too long", detail)
            })?;
        let number = self.number(way, number)?;
        Ok(format!("{number}{fraction}"))
    }
}

/// Encrypts or decrypts the 122 bits of a uuid that are not its version and its variant (RFC 9562).
///
/// # Errors
/// None that a permutation of numbers of 122 bits has.
pub(super) fn uuid(permutation: &Permutation, way: Way, uuid: [u8; 16]) -> Result<[u8; 16]> {
    let bits = u128::from_be_bytes(uuid);
    let (high, middle, low) = (bits >> 80, bits >> 64 & 0xfff, bits & LOW);
    let number = high << 74 | middle << 62 | low;
    let marks = bits & !(u128::MAX << 80 | 0xfff << 64 | LOW);
    let part = Part {
        class: &[uuid[6] & 0xf0, uuid[8] & 0xc0],
        kept: &[],
    };
    let moved = permutation
        .number(way, number, 1 << 122, part)
        .map_err(|_| outside(NAME, "out of range", "It is no uuid."))?;
    let bits = moved >> 74 << 80 | (moved >> 62 & 0xfff) << 64 | moved & LOW | marks;
    Ok(bits.to_be_bytes())
}

const LOW: u128 = (1 << 62) - 1;

#[cfg(test)]
mod tests {
    use super::super::permutation::Recipe;
    use super::*;
    use crate::strategies::Seed;

    fn permutation(shuffle: bool) -> Permutation {
        let recipe = Recipe {
            what: &["integer"],
            radix: 2,
            tweak: "",
            kept: 0,
            shuffle,
        };
        Permutation::new(&[7; 32], Seed::new(1), &recipe).unwrap()
    }

    fn numbers(of: ValueType, declared: Option<Interval>, shuffle: bool) -> Numbers {
        Numbers {
            permutation: permutation(shuffle),
            all: Interval::of(of),
            declared,
        }
    }

    #[test]
    fn fpe_numbers_alike_have_one_sign_and_length() {
        let alike = |of, number| Interval::of(of).alike(number);
        let (low, high) = (i128::from(i64::MIN), i128::from(i64::MAX));
        for (number, first, last) in [
            (0, 0, 9),
            (9, 0, 9),
            (10, 10, 99),
            (-1, -9, -1),
            (-10, -99, -10),
            (high, 10_i128.pow(18), high),
            (low, low, -(10_i128.pow(18))),
            (high / 10, 10_i128.pow(17), 10_i128.pow(18) - 1),
        ] {
            assert_eq!(
                alike(ValueType::Int64, number),
                Interval(first, last),
                "{number}"
            );
        }
        assert_eq!(alike(ValueType::Int16, 32_767), Interval(10_000, 32_767));
        assert_eq!(alike(ValueType::Int16, -32_768), Interval(-32_768, -10_000));
        assert_eq!(alike(ValueType::Int32, 2_000_000_000).1, i32::MAX.into());
        let longest = 10_i128.pow(38) - 1;
        assert_eq!(
            alike(ValueType::Numeric, longest),
            Interval(10_i128.pow(37), longest)
        );
        assert_eq!(alike(ValueType::Numeric, -longest).0, -longest);
    }

    #[test]
    fn fpe_permutes_every_smallint_among_those_alike() {
        let numbers = numbers(ValueType::Int16, None, true);
        let mut seen = vec![false; 65_536];
        for number in -32_768..=32_767_i128 {
            let moved = numbers.number(Way::Forth, number).unwrap();
            assert_eq!(number.to_string().len(), moved.to_string().len());
            assert_eq!(number < 0, moved < 0);
            let place = usize::try_from(moved + 32_768).unwrap();
            assert!(!std::mem::replace(&mut seen[place], true), "{number}");
            assert_eq!(numbers.number(Way::Back, moved).unwrap(), number);
        }
    }

    #[test]
    fn fpe_permutes_a_whole_declared_range() {
        let range = Interval(-500_000, 500_002);
        let numbers = numbers(ValueType::Int32, Some(range), false);
        let mut seen = vec![false; 1_000_003];
        for number in range.0..=range.1 {
            let moved = numbers.number(Way::Forth, number).unwrap();
            let place = usize::try_from(moved - range.0).unwrap();
            assert!(!std::mem::replace(&mut seen[place], true), "{number}");
        }
        for outside in [range.0 - 1, range.1 + 1, i64::MAX.into(), i64::MIN.into()] {
            let error = numbers.number(Way::Forth, outside).unwrap_err();
            assert_eq!(
                error.message(),
                "value for strategy \"fpe\" is out of range"
            );
            assert!(numbers.number(Way::Back, outside).is_err());
        }
    }

    #[test]
    fn fpe_refuses_numbers_with_too_few_like_them() {
        let numbers = numbers(ValueType::Int64, None, false);
        for number in [0, 7, -7, 999_999, -999_999] {
            let error = numbers.number(Way::Forth, number).unwrap_err();
            assert_eq!(error.message(), "value for strategy \"fpe\" is too short");
            assert!(error.hint().unwrap().contains("\"min\""));
        }
        for number in [1_000_000, -1_000_000, i64::MAX.into(), i64::MIN.into()] {
            let moved = numbers.number(Way::Forth, number).unwrap();
            assert_eq!(moved.to_string().len(), number.to_string().len());
            assert_eq!(numbers.number(Way::Back, moved).unwrap(), number);
        }
    }

    #[test]
    fn fpe_takes_numerics_that_are_integral() {
        let numbers = numbers(ValueType::Numeric, None, false);
        let plain = numbers.numeric(Way::Forth, "12345678").unwrap();
        assert_eq!(
            numbers.numeric(Way::Forth, "12345678.00").unwrap(),
            format!("{plain}.00")
        );
        assert_eq!(numbers.numeric(Way::Back, &plain).unwrap(), "12345678");
        let longest = "9".repeat(38);
        assert_eq!(numbers.numeric(Way::Forth, &longest).unwrap().len(), 38);
        for value in [
            "",
            "-",
            ".",
            ".0",
            "1.5",
            "12345678.01",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e7",
            "+1234567",
            "--1234567",
            "1234567.0.0",
            " 1234567",
            "١٢٣٤٥٦٧",
        ] {
            let error = numbers.numeric(Way::Forth, value).unwrap_err();
            assert_eq!(
                error.message(),
                "value for strategy \"fpe\" is not integral",
                "{value}"
            );
        }
        for length in [39, 40, 131_072] {
            let error = numbers
                .numeric(Way::Forth, &"1".repeat(length))
                .unwrap_err();
            assert_eq!(error.message(), "value for strategy \"fpe\" is too long");
        }
    }

    #[test]
    fn fpe_keeps_version_and_variant_of_a_uuid() {
        let permutation = permutation(false);
        let versions = (0..16).flat_map(|version| (0..4).map(move |variant| (version, variant)));
        for (version, variant) in versions {
            let mut bits = [0xff; 16];
            bits[6] = version << 4 | 3;
            bits[8] = variant << 6 | 3;
            let moved = uuid(&permutation, Way::Forth, bits).unwrap();
            assert_eq!((moved[6] >> 4, moved[8] >> 6), (version, variant));
            assert_ne!(moved, bits);
            assert_eq!(uuid(&permutation, Way::Back, moved).unwrap(), bits);
        }
    }
}
