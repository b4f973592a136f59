//! Check digits of their own that some countries put into an account number.
//!
//! `ccc`: Spain, weights modulo 11. `cin`: Italy and San Marino, a letter. `mod97`: ISO 7064 mod
//! 97-10, of Bosnia and Herzegovina, Montenegro, North Macedonia, Portugal, Serbia, Slovenia and
//! East Timor. `ogm`: Belgium, the remainder by 97. `rib`: France and Monaco (and, in digits alone,
//! Mauritania and Tunisia), a key by 97 over letters that count 1 to 9.

use std::ops::Range;

/// How they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Ccc,
    Cin,
    Mod97,
    Ogm,
    Rib,
}

impl Rule {
    /// Finds a rule by its name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "ccc" => Self::Ccc,
            "cin" => Self::Cin,
            "mod97" => Self::Mod97,
            "ogm" => Self::Ogm,
            "rib" => Self::Rib,
            _ => return None,
        })
    }

    /// Where they stand in a number of that length.
    pub(super) fn places(self, length: usize) -> Range<usize> {
        match self {
            Self::Ccc => 8..10,
            Self::Cin => 0..1,
            Self::Mod97 | Self::Ogm | Self::Rib => length.saturating_sub(2)..length,
        }
    }

    /// Puts them into a number of digits and capital letters.
    pub(super) fn apply(self, number: &mut [u8]) {
        let places = self.places(number.len());
        let (head, tail) = (
            number.get(..places.start).unwrap_or(&[]),
            number.get(places.end..).unwrap_or(&[]),
        );
        let made = match self {
            Self::Ccc => [weighted(&WEIGHTS[2..], head), weighted(&WEIGHTS, tail)],
            Self::Cin => [b'A' + letter(tail), 0],
            Self::Mod97 => two(98 - remainder(head, 100, |c| u32::from(c - b'A') + 10)),
            Self::Ogm => two(match remainder(head, 1, |_| 0) {
                0 => 97,
                rest => rest,
            }),
            Self::Rib => two(97 - remainder(head, 100, rib)),
        };
        for (place, made) in number
            .iter_mut()
            .skip(places.start)
            .zip(made)
            .take(places.len())
        {
            *place = made;
        }
    }
}

/// The remainder by 97 of a number with letters, times a factor.
fn remainder(number: &[u8], factor: u32, value: fn(u8) -> u32) -> u32 {
    let rest = number.iter().fold(0, |rest, &c| {
        let value = if c.is_ascii_digit() {
            u32::from(c - b'0')
        } else {
            value(c)
        };
        let shift = if value < 10 { 10 } else { 100 };
        (rest * shift + value) % 97
    });
    rest * factor % 97
}

/// A to I are 1 to 9, J to R too, S to Z are 2 to 9.
fn rib(letter: u8) -> u32 {
    let place = u32::from(letter.saturating_sub(b'A'));
    match place {
        0..=17 => place % 9 + 1,
        _ => place - 16,
    }
}

fn two(number: u32) -> [u8; 2] {
    let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or(0);
    [digit(number / 10), digit(number)]
}

fn weighted(weights: &[u32], digits: &[u8]) -> u8 {
    let sum: u32 = weights
        .iter()
        .zip(digits)
        .map(|(weight, digit)| weight * u32::from(digit.saturating_sub(b'0')))
        .sum();
    match 11 - sum % 11 {
        11 => b'0',
        10 => b'1',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    }
}

fn letter(number: &[u8]) -> u8 {
    let value = |c: u8| {
        usize::from(if c.is_ascii_digit() {
            c - b'0'
        } else {
            c - b'A'
        })
    };
    let worth = |(at, &c): (usize, &u8)| match at % 2 {
        0 => ODD.get(value(c)).copied().unwrap_or(0),
        _ => value(c),
    };
    let sum: usize = number.iter().enumerate().map(worth).sum();
    u8::try_from(sum % 26).unwrap_or(0)
}

const WEIGHTS: [u32; 10] = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6];

/// What digits and letters count in the first, third, fifth place and so on.
const ODD: [usize; 26] = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

#[cfg(test)]
mod tests {
    use super::super::registry;
    use super::*;

    /// The examples of the registry.
    const EXAMPLES: [&str; 15] = [
        "BA391290079401028494",
        "BE68539007547034",
        "ES9121000418450200051332",
        "FR1420041010050500013M02606",
        "IT60X0542811101000000123456",
        "MC5811222000010123456789030",
        "ME25505000012345678951",
        "MK07250120000058984",
        "MR1300020001010000123456753",
        "PT50000201231234567890154",
        "RS35260005601001611379",
        "SI56263300012039086",
        "SM86U0322509800000000270100",
        "TL380080012345678910157",
        "TN5910006035183598478831",
    ];

    #[test]
    fn national_check_digits_match_the_examples_of_the_registry() {
        let mut seen = 0;
        for example in EXAMPLES {
            let country = registry::country(&example[..2]).unwrap();
            let number = &example.as_bytes()[4..];
            let mut made = number.to_vec();
            for (place, digit) in made.iter_mut().enumerate() {
                if country.is_check(place) {
                    *digit = b'#';
                }
            }
            assert_ne!(made, number);
            country.rule.unwrap().apply(&mut made);
            assert_eq!(String::from_utf8_lossy(&made), example[4..], "{example}");
            seen += 1;
        }
        let with_rule = registry::countries().iter().filter(|c| c.rule.is_some());
        assert_eq!(with_rule.count(), seen);
    }

    #[test]
    fn national_check_digits_never_panic() {
        for rule in [Rule::Ccc, Rule::Cin, Rule::Mod97, Rule::Ogm, Rule::Rib] {
            for length in 0..31 {
                rule.apply(&mut vec![b'Z'; length]);
                rule.apply(&mut vec![b'0'; length]);
            }
        }
    }
}
