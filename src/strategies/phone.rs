//! `phone`: every digit replaced, everything between them kept.
//!
//! Digits come uniformly from the whole space, by HMAC of the canonical form: notations of one
//! number share their digits. Letters become digits, except the marks of an extension (x, ext).
//! Not injective: two numbers of n digits meet with probability 10^-n, and a text without digits
//! or letters is kept, so nothing is promised for unique columns. Calling codes: ITU-T E.164.

use std::borrow::Cow;

use super::canonical::{self, Class};
use super::keyed::Keyed;
use super::params::{ParamError, ParamKind, ParamSpec, Params, Reader, Value};
use super::{Kind, Properties, Seed};

/// The parameters of `phone`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    preserve_country_code: bool,
}

impl Phone {
    /// Parses and checks the parameters.
    ///
    /// # Errors
    ///
    /// `InvalidParameter`, with the name of the parameter.
    pub fn new(params: &Params) -> Result<Self, ParamError> {
        let reader = Reader::new(Kind::Phone, params)?;
        Ok(Self {
            preserve_country_code: reader.bool("preserve_country_code", false),
        })
    }

    /// Returns every parameter with its effective value.
    pub fn effective_params(&self) -> Params {
        Params::from([(
            "preserve_country_code".to_owned(),
            Value::Bool(self.preserve_country_code),
        )])
    }

    /// Returns what can be relied on.
    pub fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            keeps_length: true,
            keeps_format: true,
            keyed: true,
            folds_spellings: true,
            collision_bits: Some(0),
            ..Properties::NONE
        }
    }

    /// Returns the longest text output, in characters.
    pub fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        input_max_chars
    }

    pub(super) fn mask(self, key: &[u8; 32], seed: Seed) -> Mask {
        Mask {
            keyed: Keyed::new(Kind::Phone, key, seed),
            phone: self,
        }
    }
}

/// `phone` with its key.
pub(super) struct Mask {
    phone: Phone,
    keyed: Keyed,
}

impl Mask {
    pub(super) fn text<'a>(&self, value: &'a str) -> Cow<'a, str> {
        if value
            .chars()
            .all(|c| !is_readable(canonical::classify(c, |_| ())))
        {
            return Cow::Borrowed(value);
        }
        let number = canonical::phone(value);
        let digits = number.digits.as_bytes();
        let mut stream = self.keyed.stream(digits);
        // All digits are drawn before the first letter, so that letters do not shift them.
        let mut derived: Vec<u8> = digits.iter().map(|_| b'0' + stream.below(10)).collect();
        if self.phone.preserve_country_code && number.is_international {
            let code = calling_code(digits);
            derived[..code].copy_from_slice(&digits[..code]);
        }

        let dropped: &[u8] = if number.had_00 { b"00" } else { b"" };
        let mut digits = dropped.iter().chain(&derived);
        let mut out = String::with_capacity(value.len());
        let (mut after_digit, mut after_letter) = (false, false);
        let mut mark = 0;
        for (at, c) in value.char_indices() {
            let mut digit = None;
            let class = canonical::classify(c, |_| digit = digits.next());
            if class == Class::Letter && after_digit && !after_letter {
                mark = at + extension_mark(&value[at..]);
            }
            match (class, digit) {
                (Class::Digit, Some(&digit)) => out.push(char::from(digit)),
                (Class::Digit | Class::Letter, _) if at >= mark => {
                    out.push(char::from(b'0' + stream.below(10)));
                }
                _ => out.push(c),
            }
            after_digit |= class == Class::Digit;
            after_letter = class == Class::Letter;
        }
        Cow::Owned(out)
    }

    /// Keeps sign and number of digits; the first digit is not 0. `max` is the width's maximum.
    pub(super) fn int(&self, value: i64, max: i64) -> i64 {
        let text = value.unsigned_abs().to_string();
        let mut stream = self.keyed.stream(text.as_bytes());
        loop {
            let first = 1 + u64::from(stream.below(9));
            let drawn = (1..text.len()).fold(first, |n, _| 10 * n + u64::from(stream.below(10)));
            // Only numbers as long as the maximum need another draw: 8 on average for integer.
            if let Ok(drawn) = i64::try_from(drawn)
                && drawn <= max
            {
                return if value < 0 { -drawn } else { drawn };
            }
        }
    }
}

fn is_readable(class: Class) -> bool {
    matches!(class, Class::Digit | Class::Letter)
}

/// Returns the length of "x" or "ext" at the start, if a digit follows it.
fn extension_mark(rest: &str) -> usize {
    let is = |word: &str| {
        rest.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let (length, after) = if is("ext") {
        (3, rest[3..].strip_prefix('.').unwrap_or(&rest[3..]))
    } else if is("x") {
        (1, &rest[1..])
    } else {
        return 0;
    };
    let next = after.trim_start().chars().next();
    match next.map(|c| canonical::classify(c, |_| ())) {
        Some(Class::Digit) => length,
        _ => 0,
    }
}

/// Returns the length of the country calling code at the start of an international number; 0 if
/// nothing would be left to mask.
fn calling_code(digits: &[u8]) -> usize {
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

pub(super) const PARAMS: &[ParamSpec] = &[ParamSpec {
    name: "preserve_country_code",
    kind: ParamKind::Bool,
    default: "false",
    about: "Keeps the country calling code of a text written with + or 00.",
}];

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(preserve_country_code: bool) -> Mask {
        let value = Value::Bool(preserve_country_code);
        let params = Params::from([("preserve_country_code".to_owned(), value)]);
        Phone::new(&params).unwrap().mask(&[7; 32], Seed::new(1))
    }

    fn shape(text: &str) -> String {
        text.chars()
            .map(|c| if c.is_ascii_digit() { '9' } else { c })
            .collect()
    }

    #[test]
    fn phone_notations_share_their_digits() {
        let digits = |text: &str| {
            let out = mask(false).text(text).into_owned();
            out.chars().filter(char::is_ascii_digit).collect::<String>()
        };
        let plain = digits("12025550123");
        assert_eq!(digits("+1-202-555-0123"), plain);
        assert_eq!(digits("+1 (202) 555 0123"), plain);
        assert_eq!(digits("0012025550123"), format!("00{plain}"));
        assert_eq!(digits("١٢٠٢٥٥٥٠١٢٣"), plain);
        assert_ne!(plain, "12025550123");
    }

    #[test]
    fn phone_keeps_separators_and_extension_marks() {
        for text in [
            "+1 (202) 555-0123",
            "555.0123 x12",
            "555-0123 ext. 9",
            "555 EXT9",
        ] {
            assert_eq!(shape(&mask(false).text(text)), shape(text));
        }
    }

    #[test]
    fn phone_replaces_every_other_letter() {
        let out = |text| shape(&mask(false).text(text));
        assert_eq!(out("1-800-FLOWERS"), "9-999-9999999");
        assert_eq!(out("x12"), "999");
        assert_eq!(out("5 max12"), "9 99999");
        assert_eq!(out("555x"), "9999");
        assert_eq!(out("555 ext. home"), "999 999. 9999");
        assert_eq!(out("N° ½ ⑩ é"), "9° 9 9 9");
        assert_eq!(out(" -- "), " -- ");
    }

    #[test]
    fn phone_keeps_the_country_code() {
        let mask = mask(true);
        for (text, kept) in [
            ("+1 202 555 0123", "+1 "),
            ("0044 20 7946 0000", "0044 "),
            ("+33 6 12 34 56 78", "+33 "),
            ("+420 222 333 444", "+420 "),
            ("+٣٣ 6 12 34 56 78", "+33 "),
        ] {
            let out = mask.text(text).into_owned();
            assert!(out.starts_with(kept), "{out}");
            assert_ne!(out, text);
        }
        assert_eq!(calling_code(b"420"), 0);
        assert_eq!(calling_code(b"0123"), 0);
    }

    #[test]
    fn phone_calling_codes_match_e_164() {
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
    }

    #[test]
    fn phone_integers_keep_sign_and_digits() {
        let mask = mask(false);
        for value in [0, 7, -7, 5_550_123, 2_147_483_647, -2_147_483_648] {
            let out = mask.int(value, i64::from(i32::MAX));
            assert_eq!(out.to_string().len(), value.to_string().len());
            assert!(i32::try_from(out).is_ok());
        }
        let out = mask.int(i64::MIN, i64::MAX);
        assert_eq!(out.to_string().len(), 20);
    }
}
