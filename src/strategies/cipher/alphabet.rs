//! Alphabets: which characters are numerals, and which stand between them and may stay.

use std::collections::BTreeMap;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::is_nfc;

use crate::strategies::canonical::{self, Class};

/// The numerals of a strategy, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alphabet {
    symbols: Vec<char>,
    ascii: [Sign; 128],
    beyond: BTreeMap<char, u16>,
}

/// What a character is to an alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// One of its symbols, by place.
    Numeral(u16),
    /// A space, a punctuation mark or a symbol such as a plus sign, which says nothing by itself.
    Between,
    /// Anything that can be read: it must not be passed through.
    Foreign,
}

pub(super) const DIGITS: &str = "0123456789";
pub(super) const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
pub(super) const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
pub(super) const ALPHA: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const ALNUM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const HEX: &str = "0123456789abcdef";

/// The most symbols an alphabet may have: the greatest radix of FF1.
const MOST: usize = 65_536;

impl Alphabet {
    /// Makes one of its symbols.
    ///
    /// # Errors
    /// A sentence about what is wrong with them.
    pub(super) fn new(symbols: &str) -> Result<Self, &'static str> {
        let symbols: Vec<char> = symbols.chars().collect();
        if !(2..=MOST).contains(&symbols.len()) {
            return Err("It must have 2 to 65536 characters.");
        }
        let mut ascii = std::array::from_fn(|byte| {
            sign_of_stranger(char::from(u8::try_from(byte).unwrap_or(0)))
        });
        let mut beyond = BTreeMap::new();
        for (place, &symbol) in symbols.iter().enumerate() {
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            if symbol.is_whitespace() || symbol.is_control() || is_combining_mark(symbol) {
                return Err("It must not have spaces, control characters or combining marks.");
            }
            if !is_nfc(symbol.encode_utf8(&mut [0; 4])) {
                return Err("Its characters must be composed (NFC).");
            }
            let known = match ascii.get_mut(symbol as usize) {
                Some(sign) => std::mem::replace(sign, Sign::Numeral(place)),
                None => beyond
                    .insert(symbol, place)
                    .map_or(Sign::Between, Sign::Numeral),
            };
            if matches!(known, Sign::Numeral(_)) {
                return Err("Its characters must be distinct.");
            }
        }
        Ok(Self {
            symbols,
            ascii,
            beyond,
        })
    }

    /// Hexadecimal digits, of which the letters may be written in upper case.
    pub(super) fn hex() -> Result<Self, &'static str> {
        let mut alphabet = Self::new(HEX)?;
        for letter in b'a'..=b'f' {
            alphabet.ascii[usize::from(letter.to_ascii_uppercase())] =
                alphabet.ascii[usize::from(letter)];
        }
        Ok(alphabet)
    }

    pub(super) fn radix(&self) -> u32 {
        u32::try_from(self.symbols.len()).unwrap_or(0)
    }

    /// What a character is.
    pub(super) fn sign(&self, c: char) -> Sign {
        match self.ascii.get(c as usize) {
            Some(sign) => *sign,
            None => match self.beyond.get(&c) {
                Some(place) => Sign::Numeral(*place),
                None => sign_of_stranger(c),
            },
        }
    }

    /// What an ASCII character is.
    pub(super) fn sign_of_ascii(&self, byte: u8) -> Sign {
        self.ascii[usize::from(byte & 127)]
    }

    /// The symbol at a place.
    pub(super) fn symbol(&self, numeral: u16) -> char {
        self.symbols
            .get(usize::from(numeral))
            .copied()
            .unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

/// What a character is that is no symbol. Combining marks and characters for private use may
/// belong to a letter or be one.
fn sign_of_stranger(c: char) -> Sign {
    let readable = match canonical::classify(c, |_| ()) {
        Class::Digit | Class::Letter => true,
        Class::Plus | Class::Separator => false,
    };
    let private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    let control = c.is_control() && !c.is_whitespace();
    if readable || private || control || is_combining_mark(c) {
        Sign::Foreign
    } else {
        Sign::Between
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabet_numbers_its_symbols_in_order() {
        for symbols in [DIGITS, UPPER, LOWER, ALPHA, ALNUM, HEX, "αβγ", "-a😀"] {
            let alphabet = Alphabet::new(symbols).unwrap();
            assert_eq!(alphabet.radix() as usize, symbols.chars().count());
            for (place, symbol) in (0..).zip(symbols.chars()) {
                assert_eq!(alphabet.sign(symbol), Sign::Numeral(place));
                assert_eq!(alphabet.symbol(place), symbol);
            }
        }
        let hex = Alphabet::hex().unwrap();
        assert_eq!((hex.radix(), hex.sign('F')), (16, Sign::Numeral(15)));
    }

    #[test]
    fn alphabet_refuses_symbols_that_could_not_be_told_apart() {
        let too_many: String = ('\u{10000}'..).take(65_537).collect();
        for symbols in [
            "",
            "a",
            "aa",
            "αβα",
            "ab c",
            "ab\u{a0}",
            "ab\t",
            "ab\u{7f}",
            "ae\u{301}",
            "a\u{212b}",
            "a\u{2126}",
            &too_many,
        ] {
            assert!(Alphabet::new(symbols).is_err(), "{symbols:.8}");
        }
    }

    #[test]
    fn alphabet_of_65536_symbols_has_a_numeral_for_each() {
        let symbols: String = ('\u{1100}'..)
            .filter(|c| c.is_alphabetic() && !is_combining_mark(*c) && is_nfc(&c.to_string()))
            .take(MOST)
            .collect();
        let alphabet = Alphabet::new(&symbols).unwrap();
        assert_eq!(alphabet.radix(), 65_536);
        let last = symbols.chars().last().unwrap();
        assert_eq!(alphabet.sign(last), Sign::Numeral(65_535));
        assert_eq!(alphabet.symbol(65_535), last);
    }

    #[test]
    fn alphabet_lets_nothing_readable_stand_between() {
        let digits = Alphabet::new(DIGITS).unwrap();
        for c in "aZé\u{301}١９①½ªⅣ№㎏ß漢\u{e000}\u{100000}\0\u{7f}\u{85}ー".chars()
        {
            let expected = if c == '\u{85}' {
                Sign::Between
            } else {
                Sign::Foreign
            };
            assert_eq!(digits.sign(c), expected, "{c:?}");
        }
        for c in " \t\n\u{a0}\u{3000}-./()'+,:_#€–—“”·😀\u{200b}".chars() {
            assert_eq!(digits.sign(c), Sign::Between, "{c:?}");
        }
    }
}
