//! `phone`: every digit replaced, everything between them kept.
//!
//! Digits come uniformly from the whole space, by HMAC of the canonical form: notations of one
//! number share their digits. Letters become digits, except the marks of an extension (x, ext).
//! Not injective: two numbers of n digits meet with probability 10^-n, and a text without digits
//! or letters is kept, so nothing is promised for unique columns. Calling codes: `canonical.rs`.

use std::borrow::Cow;

use crate::error::Result;
use crate::strategies::canonical::{self, Class};
use crate::strategies::cipher::ff1::Way;
use crate::strategies::cipher::permutation::{Part, Permutation, Recipe};
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch, outside,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamKind, ParamSpec, Reader};
use crate::strategies::pause::paced;
use crate::strategies::{Datum, Kind, ValueType};

/// `phone` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("preserve_country_code".to_owned(), Value::Bool(true))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Phone, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("+44 20 7946 0958")?;
/// assert!(made.starts_with("+44 ") && made.len() == 16);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "phone",
    version: 1,
    about: "Other digits in the notation of the given number",
    accepts: &[ValueType::Int32, ValueType::Int64, ValueType::Text],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: true,
    example: "anon_phone('+44 20 7946 0958', preserve_country_code => true)",
    sample: "{}",
    parse: |reader| Ok(Box::new(Phone::new(reader))),
};

/// The parameters of `phone`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Phone {
    preserve_country_code: bool,
    unique: bool,
}

impl Phone {
    fn new(reader: &Reader<'_>) -> Self {
        Self {
            preserve_country_code: reader.bool("preserve_country_code", false),
            unique: reader.bool("keep_unique", false),
        }
    }
}

impl Parsed for Phone {
    fn properties(&self, of: ValueType) -> Properties {
        let unique = self.unique && of == ValueType::Text;
        // No calling code is longer than three digits (ITU-T E.164).
        let kept = if self.preserve_country_code { 3 } else { 0 };
        Properties {
            keeps_length: true,
            keeps_format: true,
            injective: unique,
            folds_spellings: !unique,
            survival: Survival::Digits { kept },
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        input_max_chars
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let recipe = Recipe {
            what: &[DEFINITION.name],
            radix: 10,
            tweak: "",
            kept: 0,
            shuffle: false,
        };
        let unique = self.unique && of == ValueType::Text;
        let permutation = unique.then(|| Permutation::new(keys.fpe, seed, &recipe));
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::Phone, keys.masking, seed),
            permutation: permutation.transpose()?,
            phone: self.clone(),
            of,
        }))
    }
}

/// `phone` with its key.
struct Mask {
    phone: Phone,
    keyed: Keyed,
    /// Of the digits, where every number needs an output of its own.
    permutation: Option<Permutation>,
    of: ValueType,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        if let (Some(permutation), Datum::Text(text)) = (&self.permutation, &value) {
            return Ok(Some(Datum::text(self.permuted(permutation, text)?)));
        }
        Ok(Some(match value {
            Datum::Text(Cow::Borrowed(text)) => Datum::Text(self.text(text)),
            Datum::Text(Cow::Owned(text)) => Datum::text(self.text(&text).into_owned()),
            Datum::Int(number) => Datum::Int(self.int(number)),
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        }))
    }
}

impl Mask {
    fn text<'a>(&self, value: &'a str) -> Cow<'a, str> {
        if paced(value.chars()).all(|c| !is_readable(canonical::classify(c, |_| ()))) {
            return Cow::Borrowed(value);
        }
        let number = canonical::phone(value);
        let digits = number.digits.as_bytes();
        let mut stream = self.keyed.stream(digits);
        // All digits are drawn before the first letter, so that letters do not shift them.
        let mut derived: Vec<u8> = paced(digits.iter())
            .map(|_| b'0' + stream.below(10))
            .collect();
        if self.phone.preserve_country_code && number.is_international {
            let code = canonical::calling_code(digits);
            derived[..code].copy_from_slice(&digits[..code]);
        }

        let dropped: &[u8] = if number.had_00 { b"00" } else { b"" };
        let mut digits = dropped.iter().chain(&derived);
        let mut out = String::with_capacity(value.len());
        let (mut after_digit, mut after_letter) = (false, false);
        let mut mark = 0;
        for (at, c) in paced(value.char_indices()) {
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

    /// Encrypts the digits, but for a calling code behind a plus sign: whatever else stands in the
    /// text decides which permutation it is and stays, so that no two texts share an output.
    fn permuted(&self, permutation: &Permutation, value: &str) -> Result<String> {
        let refuse = |what| {
            let detail = "With \"keep_unique\" it has 6 to 30 ASCII digits besides a calling code that \
                          is kept, and no letters.";
            outside(DEFINITION.name, what, detail)
        };
        if paced(value.chars()).any(|c| {
            let class = canonical::classify(c, |_| ());
            class == Class::Letter || class == Class::Digit && !c.is_ascii()
        }) {
            return Err(refuse("no plain number"));
        }
        let digits: Vec<u8> = value.bytes().filter(u8::is_ascii_digit).collect();
        let first = value.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
        let kept = if self.phone.preserve_country_code && value[..first].contains('+') {
            canonical::calling_code(&digits)
        } else {
            0
        };
        let (code, rest) = digits.split_at(kept);
        if rest.len() < 6 {
            return Err(refuse("too short"));
        }
        if rest.len() > 30 {
            return Err(refuse("too long"));
        }
        let mut numerals: Vec<u16> = rest.iter().map(|b| u16::from(b - b'0')).collect();
        let part = Part {
            class: code,
            kept: &[],
        };
        permutation
            .string(Way::Forth, &mut numerals, part)
            .map_err(|_| refuse("too short"))?;
        let masked = code.iter().map(|b| u16::from(b - b'0')).chain(numerals);
        let mut masked = masked.map(|n| char::from(b'0' + n.to_be_bytes()[1]));
        Ok(value
            .chars()
            .map(|c| match c.is_ascii_digit() {
                true => masked.next().unwrap_or('0'),
                false => c,
            })
            .collect())
    }

    /// Keeps sign and number of digits; the first digit is not 0.
    fn int(&self, value: i64) -> i64 {
        let max = self.of.max_int().unwrap_or(i64::MAX);
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

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "preserve_country_code",
        ParamKind::Bool,
        "false",
        "Keeps the country calling code of a text written with + or 00.",
    )
    .only(ValueType::TEXT),
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "false",
        "Gives every number an output of its own; one spelled with 00 is another than with +.",
    )
    .only(ValueType::TEXT),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(preserve_country_code: bool) -> Mask {
        mask_of(preserve_country_code, ValueType::Text)
    }

    fn mask_of(preserve_country_code: bool, of: ValueType) -> Mask {
        Mask {
            phone: Phone {
                preserve_country_code,
                unique: false,
            },
            permutation: None,
            keyed: Keyed::new(Kind::Phone, &[7; 32], Seed::new(1)),
            of,
        }
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
    }

    #[test]
    fn phone_integers_keep_sign_and_digits() {
        let mask = mask_of(false, ValueType::Int32);
        for value in [0, 7, -7, 5_550_123, 2_147_483_647, -2_147_483_648] {
            let out = mask.int(value);
            assert_eq!(out.to_string().len(), value.to_string().len());
            assert!(i32::try_from(out).is_ok());
        }
        let out = mask_of(false, ValueType::Int64).int(i64::MIN);
        assert_eq!(out.to_string().len(), 20);
    }

    fn unique(text: &str, preserve_country_code: bool) -> Result<String> {
        let phone = Phone {
            preserve_country_code,
            unique: true,
        };
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let mask = phone.compile(&keys, Seed::new(1), ValueType::Text)?;
        match mask.apply(Datum::text(text), Row::NONE)? {
            Some(Datum::Text(text)) => Ok(text.into_owned()),
            _ => unreachable!("a text"),
        }
    }

    #[test]
    fn phone_gives_every_number_an_output_of_its_own() {
        let all: std::collections::HashSet<_> = (0..20_000)
            .map(|n| unique(&format!("+49 30 {n:06}"), true).unwrap())
            .collect();
        assert_eq!(all.len(), 20_000);
        assert!(all.iter().all(|out| out.starts_with("+49 ")));
        assert_eq!(
            shape(&unique("(202) 555-0123", false).unwrap()),
            "(999) 999-9999"
        );
        assert_ne!(
            unique("0049 30 123456", true).unwrap(),
            unique("+49 30 123456", true).unwrap()
        );
    }

    #[test]
    fn phone_refuses_what_cannot_be_unique() {
        for text in [
            "",
            "12345",
            "+49 12345",
            "555-FLOWERS",
            "١٢٠٢٥٥٥٠١٢٣",
            "555 0123 x12",
        ] {
            let refused = unique(text, true).unwrap_err();
            assert!(refused.is_about_the_value(), "{text}");
        }
        assert!(unique(&"1".repeat(31), false).is_err());
    }
}
