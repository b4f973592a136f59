//! Canonical forms: what counts as the same value, so that spellings share one pseudonym.
//!
//! Sources: Unicode White_Space, NFC and NFKD (UAX #15), full lower case (Unicode chapter 3.13),
//! and for telephone numbers the international form of ITU-T E.123 and E.164.

use std::borrow::Cow;
use std::iter;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::pause::{self, paced};

/// Trims white space, composes (NFC) and lower-cases. A text that is canonical already costs no
/// allocation if it is ASCII.
pub fn text(value: &str) -> Cow<'_, str> {
    let value = value.trim();
    if value.is_ascii() {
        return if value.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(value.to_ascii_lowercase())
        } else {
            Cow::Borrowed(value)
        };
    }
    let composed: String = paced(paced(value.chars()).nfc()).collect();
    let lower = composed.to_lowercase();
    pause::now();
    // Lower case may open a composition that upper case does not have: J and caron.
    if is_nfc(&lower) {
        Cow::Owned(lower)
    } else {
        Cow::Owned(paced(paced(lower.chars()).nfc()).collect())
    }
}

/// The canonical form of a telephone number and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// The ASCII digits, without a leading 00.
    pub digits: String,
    /// Whether it was written with a plus sign or a leading 00.
    pub is_international: bool,
    /// Whether a leading 00 was dropped from `digits`.
    pub had_00: bool,
}

/// Reads a telephone number: decimal digits of any script, after compatibility decomposition;
/// everything else is dropped. A leading 00 before another digit than 0 counts as a plus sign,
/// unless there is one.
pub fn phone(value: &str) -> Phone {
    let mut digits = String::with_capacity(value.len());
    let mut has_plus = false;
    for c in paced(value.chars()) {
        let before = digits.len();
        let class = classify(c, |digit| digits.push(char::from(b'0' + digit)));
        has_plus |= class == Class::Plus && before == 0;
    }
    let had_00 = !has_plus
        && digits.starts_with("00")
        && digits.as_bytes().get(2).is_some_and(|&third| third != b'0');
    if had_00 {
        digits.drain(..2);
    }
    Phone {
        digits,
        is_international: has_plus || had_00,
        had_00,
    }
}

/// Returns the length of the country calling code (ITU-T E.164) at the start of the ASCII digits of
/// an international number; 0 if nothing would be left of the number.
pub fn calling_code(digits: &[u8]) -> usize {
    let code = match digits {
        [b'0', ..] => 0,
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    };
    if code < digits.len() { code } else { 0 }
}

/// What a character is in a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// One decimal digit.
    Digit,
    /// Something else that can be read: a letter, a fraction, a ligature, "№".
    Letter,
    /// A plus sign.
    Plus,
    /// A separator.
    Separator,
}

/// Classifies one character and hands over the decimal digits in it, in order.
pub fn classify(c: char, mut digit: impl FnMut(u8)) -> Class {
    if let Some(value) = decimal(c) {
        digit(value);
        return Class::Digit;
    }
    if c.is_ascii() {
        return match c {
            '+' => Class::Plus,
            _ if c.is_ascii_alphabetic() => Class::Letter,
            _ => Class::Separator,
        };
    }
    let (mut chars, mut digits, mut letter, mut plus) = (0, 0, c.is_alphanumeric(), false);
    for part in iter::once(c).nfkd() {
        chars += 1;
        if let Some(value) = decimal(part) {
            digits += 1;
            digit(value);
        } else {
            letter |= part.is_alphanumeric();
            plus |= part == '+';
        }
    }
    match (chars, digits) {
        (1, 1) => Class::Digit,
        _ if letter || digits > 0 => Class::Letter,
        _ if plus => Class::Plus,
        _ => Class::Separator,
    }
}

/// Whether a character may be left standing between others that are masked: ASCII punctuation and
/// symbols, white space, and the punctuation of the Unicode blocks Latin-1, General Punctuation, CJK
/// Symbols and Punctuation, and of the full-width forms of ASCII. In doubt it is none.
pub fn is_separator(c: char) -> bool {
    c.is_ascii_punctuation()
        || c.is_whitespace()
        || matches!(
            c,
            '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}'
                | '\u{2010}'..='\u{2027}'
                | '\u{2030}'..='\u{205e}'
                | '\u{3001}'..='\u{3003}'
                | '\u{3008}'..='\u{3011}'
                | '\u{ff01}'..='\u{ff0f}'
                | '\u{ff1a}'..='\u{ff20}'
                | '\u{ff3b}'..='\u{ff40}'
                | '\u{ff5b}'..='\u{ff5e}'
        )
}

/// The value of a decimal digit (general category Nd) of any script.
fn decimal(c: char) -> Option<u8> {
    let zero = if c.is_ascii() {
        '0'
    } else {
        ZEROS[..ZEROS.partition_point(|&zero| zero <= c)]
            .last()
            .copied()?
    };
    let value = u32::from(c).checked_sub(u32::from(zero))?;
    u8::try_from(value).ok().filter(|&value| value < 10)
}

/// The zero of each script outside ASCII, in order (Unicode 17, category Nd).
#[rustfmt::skip]
const ZEROS: [char; 75] = [
    '\u{660}', '\u{6F0}', '\u{7C0}', '\u{966}', '\u{9E6}', '\u{A66}', '\u{AE6}', '\u{B66}',
    '\u{BE6}', '\u{C66}', '\u{CE6}', '\u{D66}', '\u{DE6}', '\u{E50}', '\u{ED0}', '\u{F20}',
    '\u{1040}', '\u{1090}', '\u{17E0}', '\u{1810}', '\u{1946}', '\u{19D0}', '\u{1A80}',
    '\u{1A90}', '\u{1B50}', '\u{1BB0}', '\u{1C40}', '\u{1C50}', '\u{A620}', '\u{A8D0}',
    '\u{A900}', '\u{A9D0}', '\u{A9F0}', '\u{AA50}', '\u{ABF0}', '\u{FF10}', '\u{104A0}',
    '\u{10D30}', '\u{10D40}', '\u{11066}', '\u{110F0}', '\u{11136}', '\u{111D0}', '\u{112F0}',
    '\u{11450}', '\u{114D0}', '\u{11650}', '\u{116C0}', '\u{116D0}', '\u{116DA}', '\u{11730}',
    '\u{118E0}', '\u{11950}', '\u{11C50}', '\u{11D50}', '\u{11DA0}', '\u{11DE0}', '\u{11F50}',
    '\u{16130}', '\u{16A60}', '\u{16AC0}', '\u{16B50}', '\u{16D70}', '\u{1CCF0}', '\u{1D7CE}',
    '\u{1D7D8}', '\u{1D7E2}', '\u{1D7EC}', '\u{1D7F6}', '\u{1E140}', '\u{1E2F0}', '\u{1E4F0}',
    '\u{1E5F1}', '\u{1E950}', '\u{1FBF0}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_borrows_what_is_canonical_ascii() {
        assert!(matches!(text(" a@b.c\t"), Cow::Borrowed("a@b.c")));
        assert_eq!(text("A@b.C"), "a@b.c");
    }

    #[test]
    fn text_unites_spellings() {
        assert_eq!(text("\u{a0}ZOE\u{308}\u{2003}"), "zoë");
        assert_eq!(text("J\u{30c}"), text("\u{1f0}"));
        assert_eq!(text("ΟΔΟΣ"), "οδος");
        assert_eq!(text("a\u{200b}"), "a\u{200b}");
    }

    #[test]
    fn phone_unites_notations() {
        for number in [
            "+1-202-555-0123",
            "+1 (202) 555 0123",
            "0012025550123",
            "12025550123",
            "\u{ff0b}１ ２０２ ５５５ ０１２３",
            "١٢٠٢٥٥٥٠١٢٣",
        ] {
            assert_eq!(phone(number).digits, "12025550123", "{number}");
        }
        assert!(phone("0012025550123").had_00);
        assert!(!phone("12025550123").is_international);
    }

    #[test]
    fn phone_drops_only_an_international_00() {
        assert_eq!(phone("+0012").digits, "0012");
        assert_eq!(phone("0001234").digits, "0001234");
        assert_eq!(phone("00").digits, "00");
        assert_eq!(phone("0+012").digits, "12");
    }

    #[test]
    fn calling_codes_match_e_164() {
        let two = [
            20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54,
            55, 56, 57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
        ];
        for code in 10..100 {
            let expected = match code / 10 {
                1 | 7 => 1,
                _ if two.contains(&code) => 2,
                _ => 3,
            };
            assert_eq!(
                calling_code(format!("{code}55555").as_bytes()),
                expected,
                "{code}"
            );
        }
        assert_eq!(calling_code(b"420"), 0);
        assert_eq!(calling_code(b"0123"), 0);
    }

    #[test]
    fn classify_sees_through_compatibility_characters() {
        let class = |c| classify(c, |_| ());
        assert_eq!(class('²'), Class::Digit);
        assert_eq!(class('½'), Class::Letter);
        assert_eq!(class('№'), Class::Letter);
        assert_eq!(class('⒜'), Class::Letter);
        assert_eq!(class('٫'), Class::Separator);
        assert_eq!(class('é'), Class::Letter);
        assert_eq!(class('–'), Class::Separator);
    }

    #[test]
    fn separators_can_not_be_read() {
        for c in ('\0'..=char::MAX).filter(|c| is_separator(*c)) {
            assert!(!c.is_alphanumeric(), "{c:?}");
        }
        for c in ['\0', '\u{7f}', '\u{200b}', '\u{202e}', '€', '😀', '\u{301}'] {
            assert!(!is_separator(c), "{c:?}");
        }
    }

    #[test]
    fn decimal_knows_every_zero_in_order() {
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            assert_eq!(decimal(zero), Some(0));
            assert_eq!(
                char::from_u32(u32::from(zero) + 9).and_then(decimal),
                Some(9)
            );
            assert!(zero.is_numeric() || zero >= '\u{10000}', "{zero:?}");
        }
        assert_eq!(decimal('a'), None);
        assert_eq!(decimal('\u{80}'), None);
    }
}
