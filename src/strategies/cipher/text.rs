//! Texts: the symbols of an alphabet are encrypted, what stands between them stays in place.
//!
//! With an alphabet the symbols are one numeral string. With the pattern they are one number of
//! mixed radix, in which every digit, upper-case and lower-case letter stays one, so that a short
//! group does not make a small domain of its own.

use super::alphabet::{Alphabet, Sign};
use super::ff1::{LEAST, Way};
use super::pattern;
use super::permutation::{Part, Permutation, Recipe};
use crate::error::{Error, Kind, Result};
use crate::strategies::Seed;
use crate::strategies::checks::{luhn_digit, luhn_sum};
use crate::strategies::definition::outside;
use crate::strategies::pause::paced;

/// How texts are read, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The name of the alphabet.
    pub(super) name: &'static str,
    pub(super) alphabet: Alphabet,
    /// Whether every symbol keeps its class.
    pub(super) pattern: bool,
    /// Whether letters are hexadecimal digits of one case.
    pub(super) hex: bool,
    pub(super) luhn: bool,
    /// Symbols left clear at the start and at the end.
    pub(super) prefix: usize,
    pub(super) suffix: usize,
}

/// The most symbols of a text: FF1 slows down with the square of their number.
const MOST: usize = 256;

/// The strategy for texts, with its key.
pub(super) struct Texts {
    reading: Reading,
    permutation: Permutation,
    /// The fewest symbols that are encrypted.
    fewest: usize,
}

impl Texts {
    pub(super) fn new(
        reading: Reading,
        symbols: &str,
        key: &[u8; 32],
        seed: Seed,
        tweak: &str,
        shuffle: bool,
    ) -> Result<Self> {
        let radix = reading.alphabet.radix();
        let luhn = if reading.luhn { "luhn" } else { "" };
        let recipe = Recipe {
            what: &["text", reading.name, symbols, luhn],
            radix: if reading.pattern { 2 } else { radix },
            tweak,
            kept: 2 * (reading.prefix + reading.suffix),
            shuffle,
        };
        let long_enough = |length: &u32| u128::from(radix).saturating_pow(*length) >= LEAST;
        let fewest = if shuffle || reading.pattern {
            1
        } else {
            (2..).find(long_enough).unwrap_or(2) as usize
        };
        Ok(Self {
            permutation: Permutation::new(key, seed, &recipe)?,
            reading,
            fewest,
        })
    }

    /// Encrypts or decrypts a text.
    ///
    /// # Errors
    /// `Blank` for a text that is empty or blank, `Data` for one that cannot be read, is too short
    /// or too long.
    pub(super) fn text(&self, way: Way, value: &str) -> Result<String> {
        let mut space = [0; MOST];
        let count = self.read(value, &mut space)?;
        let numerals = &mut space[..count];
        let reading = &self.reading;
        let case = if reading.hex {
            Case::of(value)?
        } else {
            Case::Lower
        };
        if reading.luhn && !luhn_sum(digits(numerals)).is_multiple_of(10) {
            let detail = "With preserve_luhn its last digit must be the check digit of Luhn.";
            return Err(outside(NAME, "not valid", detail));
        }

        let fewest = self.fewest + usize::from(reading.luhn);
        let clear = reading.prefix + reading.suffix;
        if count < clear + fewest {
            return Err(self.too_short(count.saturating_sub(clear), fewest));
        }
        let mut kept = [0; 4 * LONGEST_KEPT];
        let sides = numerals[..reading.prefix]
            .iter()
            .chain(&numerals[count - reading.suffix..]);
        for (bytes, numeral) in kept.chunks_exact_mut(2).zip(sides) {
            bytes.copy_from_slice(&numeral.to_be_bytes());
        }
        let kept = &kept[..2 * clear];

        let end = count - reading.suffix - usize::from(reading.luhn);
        let inner = &mut numerals[reading.prefix..end];
        if reading.pattern {
            self.pattern(way, inner, kept)?;
        } else {
            let [prefix, suffix] = self.sides();
            let part = Part {
                class: &[case as u8, prefix, suffix],
                kept,
            };
            let needs_letter =
                case == Case::Upper && !kept.chunks_exact(2).any(|numeral| numeral[1] > 9);
            loop {
                let length = inner.len();
                self.permutation
                    .string(way, inner, part)
                    .map_err(|_| self.too_short(length, fewest))?;
                // Without a letter the case would be lost; the walk stays among texts with one.
                if !needs_letter || inner.iter().any(|numeral| *numeral > 9) {
                    break;
                }
            }
        }
        if reading.luhn {
            numerals[end] = 0;
            let others = luhn_sum(digits(numerals));
            numerals[end] = luhn_digit(others, (count - 1 - end) % 2 == 1).into();
        }
        Ok(self.write(value, numerals, case))
    }

    /// Reads the symbols; returns how many there are.
    fn read(&self, value: &str, numerals: &mut [u16; MOST]) -> Result<usize> {
        let alphabet = &self.reading.alphabet;
        let mut count = 0;
        let mut take = |sign| match sign {
            Sign::Numeral(numeral) => {
                *numerals.get_mut(count).ok_or_else(too_long)? = numeral;
                count += 1;
                Ok(())
            }
            Sign::Between => Ok(()),
            Sign::Foreign => Err(foreign()),
        };
        if value.is_ascii() {
            for byte in value.bytes() {
                take(alphabet.sign_of_ascii(byte))?;
            }
        } else {
            for c in paced(value.chars()) {
                take(alphabet.sign(c))?;
            }
        }
        match count {
            0 if value.trim().is_empty() => {
                let message = format!("value for strategy \"{NAME}\" is blank");
                Err(Error::new(Kind::Blank, message).with_detail("There is nothing to encrypt."))
            }
            0 => Err(outside(
                NAME,
                "without a symbol",
                "No character of it is in the alphabet, so that there is nothing to encrypt.",
            )),
            count => Ok(count),
        }
    }

    /// Puts other symbols in the places of those of `value`.
    fn write(&self, value: &str, numerals: &[u16], case: Case) -> String {
        let alphabet = &self.reading.alphabet;
        let mut numerals = numerals.iter();
        let mut out = String::with_capacity(value.len());
        for c in paced(value.chars()) {
            let symbol = match alphabet.sign(c) {
                Sign::Numeral(_) => numerals.next().map_or(c, |n| alphabet.symbol(*n)),
                Sign::Between | Sign::Foreign => c,
            };
            out.push(match case {
                Case::Lower => symbol,
                Case::Upper => symbol.to_ascii_uppercase(),
            });
        }
        out
    }

    fn pattern(&self, way: Way, symbols: &mut [u16], kept: &[u8]) -> Result<()> {
        let mut classes = [0; MOST + 2];
        classes[..2].copy_from_slice(&self.sides());
        let Some((number, size)) = pattern::read(symbols, &mut classes[2..]) else {
            return Err(outside(
                NAME,
                "too long",
                "A pattern has at most 38 digits or 27 letters, or a mixture with fewer than \
                 2^127 possible values.",
            ));
        };
        let part = Part {
            class: &classes[..2 + symbols.len()],
            kept,
        };
        let moved = self.permutation.number(way, number, size, part);
        let moved = moved.map_err(|_| {
            outside(
                NAME,
                "too short",
                format!("Its pattern has {size} possible values, and 1000000 are needed."),
            )
            .with_hint(HINT)
        })?;
        pattern::write(moved, symbols);
        Ok(())
    }

    /// How many symbols are left clear at the start and at the end, both at most 64.
    fn sides(&self) -> [u8; 2] {
        [self.reading.prefix, self.reading.suffix].map(|side| side.to_le_bytes()[0])
    }

    fn too_short(&self, length: usize, fewest: usize) -> Error {
        let detail =
            format!("It has {length} symbols to encrypt, and at least {fewest} are needed.");
        let error = outside(NAME, "too short", detail);
        if self.permutation.takes(0) {
            error
        } else {
            error.with_hint(HINT)
        }
    }
}

/// The most symbols left clear on either side.
pub(super) const LONGEST_KEPT: usize = 64;

pub(super) const NAME: &str = super::fpe::DEFINITION.name;

/// What helps when a domain is too small.
pub(super) const HINT: &str = "Set parameter \"small_domain\" to \"shuffle\".";

/// The case of hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Lower = 0,
    Upper = 1,
}

impl Case {
    fn of(value: &str) -> Result<Self> {
        let lower = value.bytes().any(|byte| byte.is_ascii_lowercase());
        let upper = value.bytes().any(|byte| byte.is_ascii_uppercase());
        match (lower, upper) {
            (true, true) => Err(outside(
                NAME,
                "not valid",
                "Hexadecimal digits must be of one case, upper or lower.",
            )),
            (_, false) => Ok(Self::Lower),
            (false, true) => Ok(Self::Upper),
        }
    }
}

fn too_long() -> Error {
    outside(
        NAME,
        "too long",
        format!("It has more than {MOST} symbols."),
    )
}

fn foreign() -> Error {
    outside(
        NAME,
        "not of its alphabet",
        "It has a letter, a digit, a combining mark or a control character that is not in the \
         alphabet.",
    )
}

/// Numerals of the alphabet of digits.
fn digits(numerals: &[u16]) -> impl DoubleEndedIterator<Item = u8> {
    numerals.iter().map(|numeral| numeral.to_be_bytes()[1])
}

#[cfg(test)]
mod tests {
    use super::super::alphabet;
    use super::*;

    const DIGITS: Plan = Plan {
        name: "digits",
        symbols: alphabet::DIGITS,
        luhn: false,
        sides: (0, 0),
        shuffle: false,
    };

    #[derive(Clone, Copy)]
    struct Plan {
        name: &'static str,
        symbols: &'static str,
        luhn: bool,
        sides: (usize, usize),
        shuffle: bool,
    }

    impl Plan {
        fn of(name: &'static str, symbols: &'static str) -> Self {
            Self {
                name,
                symbols,
                ..DIGITS
            }
        }

        fn texts(self) -> Texts {
            let hex = self.name == "hex";
            let reading = Reading {
                name: self.name,
                alphabet: if hex {
                    Alphabet::hex()
                } else {
                    Alphabet::new(self.symbols)
                }
                .unwrap(),
                pattern: self.name == "pattern",
                hex,
                luhn: self.luhn,
                prefix: self.sides.0,
                suffix: self.sides.1,
            };
            Texts::new(reading, "", &[7; 32], Seed::new(1), "", self.shuffle).unwrap()
        }

        fn there_and_back(self, value: &str) -> String {
            let texts = self.texts();
            let out = texts.text(Way::Forth, value).unwrap();
            assert_eq!(texts.text(Way::Back, &out).unwrap(), value);
            assert_eq!(out.chars().count(), value.chars().count());
            out
        }

        fn refusal(self, value: &str) -> Error {
            let texts = self.texts();
            let back = texts.text(Way::Back, value).unwrap_err();
            let error = texts.text(Way::Forth, value).unwrap_err();
            assert_eq!(error.message(), back.message());
            error
        }
    }

    fn only_digits(text: &str) -> String {
        text.chars().filter(char::is_ascii_digit).collect()
    }

    #[test]
    fn fpe_leaves_what_stands_between_in_place() {
        let plain = DIGITS.there_and_back("4111111111111111");
        for value in [
            "4111-1111-1111-1111",
            " 4111 1111 1111 1111\t",
            "4111·1111–1111…1111 €",
        ] {
            let out = DIGITS.there_and_back(value);
            assert_eq!(only_digits(&out), plain);
            for (from, to) in value.chars().zip(out.chars()) {
                assert!(from == to || from.is_ascii_digit() && to.is_ascii_digit());
            }
        }
    }

    #[test]
    fn fpe_passes_no_letter_or_digit_through() {
        let upper = Plan::of("upper", alphabet::UPPER);
        let pattern = Plan::of("pattern", alphabet::ALNUM);
        for (plan, value) in [
            (DIGITS, "4111111111111111a"),
            (DIGITS, "411111111111111١"),
            (DIGITS, "4111111½"),
            (DIGITS, "1234567\u{301}"),
            (DIGITS, "1234567\u{7}"),
            (upper, "ABCDEFg"),
            (upper, "ABCDEF1"),
            (upper, "ABCDEFÉ"),
            (pattern, "Müller 123456"),
            (Plan::of("hex", ""), "0x1234567"),
        ] {
            let error = plan.refusal(value);
            assert_eq!(
                error.message(),
                "value for strategy \"fpe\" is not of its alphabet"
            );
            assert_eq!(error.kind(), Kind::Data);
        }
    }

    #[test]
    fn fpe_refuses_texts_without_a_symbol() {
        for shuffle in [false, true] {
            for plan in [DIGITS, Plan::of("pattern", alphabet::ALNUM)] {
                let plan = Plan { shuffle, ..plan };
                for value in ["", " ", "\t\u{3000}\n"] {
                    assert_eq!(plan.refusal(value).kind(), Kind::Blank);
                }
                for value in ["-", "+ ()", "😀"] {
                    let error = plan.refusal(value);
                    assert_eq!(
                        error.message(),
                        "value for strategy \"fpe\" is without a symbol"
                    );
                    assert_eq!(error.kind(), Kind::Data);
                }
            }
        }
    }

    #[test]
    fn fpe_refuses_short_texts_and_says_how_many_symbols_it_needs() {
        let kept = Plan {
            sides: (6, 4),
            ..DIGITS
        };
        let luhn = Plan {
            luhn: true,
            ..DIGITS
        };
        for (plan, value, length, fewest) in [
            (DIGITS, "12345", 5, 6),
            (kept, "123456789012345", 5, 6),
            (kept, "12", 0, 6),
            (luhn, "123455", 6, 7),
            (Plan::of("upper", alphabet::UPPER), "ABCD", 4, 5),
            (Plan::of("alpha", alphabet::ALPHA), "ABc", 3, 4),
            (Plan::of("alnum", alphabet::ALNUM), "ab1", 3, 4),
            (Plan::of("hex", ""), "ffff", 4, 5),
        ] {
            let error = plan.refusal(value);
            let detail =
                format!("It has {length} symbols to encrypt, and at least {fewest} are needed.");
            assert_eq!(error.detail(), Some(&*detail));
            assert_eq!(error.hint(), Some(HINT));
        }
    }

    #[test]
    fn fpe_keeps_the_sides_and_depends_on_them() {
        let plan = Plan {
            sides: (6, 4),
            ..DIGITS
        };
        let out = plan.there_and_back("4111-1122-2222-3333");
        assert!(out.starts_with("4111-11") && out.ends_with("-3333"));
        let middle = |value| only_digits(&plan.there_and_back(value))[6..12].to_owned();
        let first = middle("4111112222223333");
        assert_eq!(first, only_digits(&out)[6..12]);
        assert_ne!(first, middle("4111122222223333"));
        assert_ne!(first, middle("4111112222223334"));
        let small = Plan {
            sides: (2, 0),
            shuffle: true,
            ..DIGITS
        };
        assert_ne!(
            small.there_and_back("75011")[2..],
            small.there_and_back("76011")[2..]
        );
    }

    #[test]
    fn fpe_takes_256_symbols_and_no_more() {
        let binary = Plan::of("custom", "01");
        for length in 20..=256 {
            binary.there_and_back(&"01".repeat(128)[..length]);
        }
        let longest = "1".repeat(256);
        assert_ne!(DIGITS.there_and_back(&longest), longest);
        let spread: String = "1-".repeat(256);
        assert_eq!(
            only_digits(&DIGITS.there_and_back(&spread)),
            DIGITS.there_and_back(&longest)
        );
        for value in ["1".repeat(257), "1".repeat(1 << 20)] {
            let error = DIGITS.refusal(&value);
            assert_eq!(error.message(), "value for strategy \"fpe\" is too long");
        }
    }
}
