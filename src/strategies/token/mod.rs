//! What a token looks like, and which values get one. The vault keeps them; here is only their form.
//!
//! A token says nothing about its value: it is drawn, and the value gives a shape at most. The
//! caller brings 32 bytes that are uniformly random, or derived with a key for tokens that are the
//! same again; keyed BLAKE3 makes of them as many as a form takes, different ones for each form.
//!
//! How likely two of n tokens meet is about n² / 2S, with S the number of tokens there are
//! ([`TokenFormat::space`]): 2^128 in Crockford's base 32 and in hexadecimal, 2^122 as a uuid, so
//! that a thousand million tokens meet once in 10^19 and more. With d digits drawn S is
//! 9 · 10^(d-1): of card numbers with the last four kept, 9 · 10^11, a million tokens meet in two
//! cases of five. The vault must therefore ask for every token whether it is taken, draw
//! another one, and stop well before half of S is used.

mod bits;
mod digits;
pub mod tokenize;

use blake3::Hasher;

use crate::error::{Error, Kind, Result};
use crate::keys::push_field;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Params, Value};
use crate::value::unseen::is_blank;

/// The form of the tokens of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFormat(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// 128 bits in 26 characters, most significant first (Crockford).
    Base32 { prefix: String },
    /// As many digits as the value has, in its notation, that fail the check of Luhn.
    Digits { keep_last: usize },
    /// 128 bits in 32 digits.
    Hex { prefix: String },
    /// 122 bits as a uuid of version 4 (RFC 9562).
    Uuid,
}

impl TokenFormat {
    /// The parameters.
    pub const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::new(
            "format",
            ParamKind::Text,
            "base32",
            "base32 (26 characters), hex (32 digits), uuid, or digits in the notation of the value.",
        ),
        ParamSpec::optional(
            "prefix",
            ParamKind::Text,
            "What stands before base32 and hex, at most 32 letters, digits, - and _; by default tok_.",
        ),
        ParamSpec::optional(
            "keep_last",
            ParamKind::Int,
            "How many last digits of the value are kept by digits, at most 4; by default 0.",
        ),
    ];

    /// Makes a format of parameters, each of which is checked.
    ///
    /// # Errors
    /// `InvalidParameter` for an unrecognized name, a wrong type, a value out of bounds or one that
    /// has no meaning for the format.
    pub fn new(params: &Params) -> Result<Self, ParamError> {
        for (name, value) in params {
            let spec = Self::PARAMS.iter().find(|spec| spec.name == name);
            match (spec.map(|spec| spec.kind), value) {
                (Some(ParamKind::Text), Value::Text(_)) | (Some(ParamKind::Int), Value::Int(_)) => {
                }
                (Some(ParamKind::Text), _) => return Err(invalid(name, "It must be a text.")),
                (Some(_), _) => return Err(invalid(name, "It must be an integer.")),
                (None, _) => {
                    let detail = "The parameters are \"format\", \"prefix\" and \"keep_last\".";
                    return Err(invalid(name, detail));
                }
            }
        }
        let format = match params.get("format") {
            Some(Value::Text(format)) => format,
            _ => "base32",
        };
        let form = match format {
            "base32" => Form::Base32 {
                prefix: prefix(params)?,
            },
            "digits" => Form::Digits {
                keep_last: keep_last(params)?,
            },
            "hex" => Form::Hex {
                prefix: prefix(params)?,
            },
            "uuid" => Form::Uuid,
            _ => return Err(invalid("format", "It must be base32, digits, hex or uuid.")),
        };
        let has_no_meaning = match form {
            Form::Base32 { .. } | Form::Hex { .. } => "keep_last",
            Form::Digits { .. } => "prefix",
            Form::Uuid if params.contains_key("prefix") => "prefix",
            Form::Uuid => "keep_last",
        };
        if params.contains_key(has_no_meaning) {
            let detail = format!("It has no meaning for the format \"{format}\".");
            return Err(invalid(has_no_meaning, detail));
        }
        Ok(Self(form))
    }

    /// Returns every parameter with its effective value; made of them it is the same format.
    pub fn params(&self) -> Params {
        let mut params = Params::from([("format".to_owned(), Value::from(self.name()))]);
        match &self.0 {
            Form::Base32 { prefix } | Form::Hex { prefix } => {
                params.insert("prefix".to_owned(), Value::from(&**prefix));
            }
            Form::Digits { keep_last } => {
                let kept = i64::try_from(*keep_last).unwrap_or_default();
                params.insert("keep_last".to_owned(), Value::Int(kept));
            }
            Form::Uuid => {}
        }
        params
    }

    /// Checks that a value may get a token of this form.
    ///
    /// # Errors
    /// As [`check_value`], and `Data` for digits if the value has other characters than digits and
    /// separators, or fewer than six digits to be drawn.
    pub fn check(&self, value: &str) -> Result<()> {
        check_value(value)?;
        match self.0 {
            Form::Digits { keep_last } => digits::check(value, keep_last),
            _ => Ok(()),
        }
    }

    /// Makes a token. `random` is uniformly random, or derived from the value with a key, and used
    /// for one token only. A value that [`Self::check`] refuses gives no shape: its digits are 16.
    pub fn token(&self, value: &str, random: &[u8; 32]) -> String {
        let mut stream = Stream::new(self.name(), random);
        match &self.0 {
            Form::Base32 { prefix } => format!("{prefix}{}", bits::base32(stream.take())),
            Form::Hex { prefix } => format!("{prefix}{}", bits::hex(stream.take())),
            Form::Uuid => bits::uuid(stream.take()),
            Form::Digits { keep_last } => match self.check(value) {
                Ok(()) => digits::token(value, *keep_last, &mut stream),
                Err(_) => digits::token(SHAPE_OF_NONE, 0, &mut stream),
            },
        }
    }

    /// Whether a text has the form of these tokens. Most long numbers have the form of digits.
    pub fn looks_like(&self, text: &str) -> bool {
        match &self.0 {
            Form::Base32 { prefix } => text.strip_prefix(&**prefix).is_some_and(bits::is_base32),
            Form::Hex { prefix } => text.strip_prefix(&**prefix).is_some_and(bits::is_hex),
            Form::Uuid => bits::is_uuid(text),
            Form::Digits { keep_last } => digits::looks_like(text, *keep_last),
        }
    }

    /// Which values share their tokens with this one: those of the same shape, in forms of which there
    /// may be few; `None` for the others.
    pub fn shape(&self, value: &str) -> Option<String> {
        match self.0 {
            Form::Digits { keep_last } => Some(digits::shape(value, keep_last)),
            _ => None,
        }
    }

    /// Whether there are so few tokens that one may be drawn for two values.
    pub fn may_repeat(&self) -> bool {
        matches!(self.0, Form::Digits { .. })
    }

    /// How many tokens there are for a value, each equally likely; `u128::MAX` stands for more.
    pub fn space(&self, value: &str) -> u128 {
        match self.0 {
            Form::Base32 { .. } | Form::Hex { .. } => u128::MAX,
            Form::Uuid => 1 << 122,
            Form::Digits { keep_last } => match self.check(value) {
                Ok(()) => digits::space(value, keep_last),
                Err(_) => digits::space(SHAPE_OF_NONE, 0),
            },
        }
    }

    /// Returns the longest token in characters, for values of at most that many; none if there is
    /// no limit.
    pub fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        match &self.0 {
            Form::Base32 { prefix } => Some(prefix.len() + 26),
            Form::Hex { prefix } => Some(prefix.len() + 32),
            Form::Uuid => Some(36),
            Form::Digits { .. } => {
                let max = input_max_chars.unwrap_or(LONGEST_VALUE).min(LONGEST_VALUE);
                Some(max.max(SHAPE_OF_NONE.len()))
            }
        }
    }

    fn name(&self) -> &'static str {
        match self.0 {
            Form::Base32 { .. } => "base32",
            Form::Digits { .. } => "digits",
            Form::Hex { .. } => "hex",
            Form::Uuid => "uuid",
        }
    }
}

/// Checks that a value may get a token of any form.
///
/// # Errors
/// `Blank` if there is nothing but white space, `Data` beyond 10 000 characters.
pub fn check_value(value: &str) -> Result<()> {
    if is_blank(value) {
        return Err(Error::new(Kind::Blank, "value for a token is blank")
            .with_detail("There is nothing in it that a token could stand for."));
    }
    // No text has more characters than bytes.
    if value.len() > LONGEST_VALUE {
        let length = value.chars().count();
        if length > LONGEST_VALUE {
            let detail = format!(
                "It has {length} characters, of at most {LONGEST_VALUE}: tokens stand for what \
                 names somebody, not for documents."
            );
            return Err(Error::new(Kind::Data, "value for a token is too long").with_detail(detail));
        }
    }
    Ok(())
}

/// As many bytes as a form takes: keyed BLAKE3 over a label and the name of the form.
struct Stream {
    reader: blake3::OutputReader,
    /// A reader computes a whole block for whatever is asked of it.
    block: [u8; 64],
    next: usize,
}

impl Stream {
    fn new(form: &str, random: &[u8; 32]) -> Self {
        let mut fields = Vec::with_capacity(64);
        push_field(&mut fields, b"confiture/token/v1");
        push_field(&mut fields, form.as_bytes());
        Self {
            reader: Hasher::new_keyed(random).update(&fields).finalize_xof(),
            block: [0; 64],
            next: 64,
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    fn byte(&mut self) -> u8 {
        if self.next == self.block.len() {
            self.reader.fill(&mut self.block);
            self.next = 0;
        }
        self.next += 1;
        self.block[self.next - 1]
    }

    /// Draws a number below `bound` (1 to 256), each equally likely.
    fn below(&mut self, bound: u16) -> u8 {
        let fair = 256 - 256 % bound;
        loop {
            let byte = u16::from(self.byte());
            if byte < fair {
                return (byte % bound).to_be_bytes()[1];
            }
        }
    }
}

fn prefix(params: &Params) -> Result<String, ParamError> {
    let Some(Value::Text(prefix)) = params.get("prefix") else {
        return Ok("tok_".to_owned());
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if prefix.len() > 32 || !prefix.bytes().all(is_plain) {
        let detail = "It must have at most 32 ASCII letters, digits, hyphens and underscores.";
        return Err(invalid("prefix", detail));
    }
    Ok(prefix.clone())
}

fn keep_last(params: &Params) -> Result<usize, ParamError> {
    let Some(Value::Int(kept)) = params.get("keep_last") else {
        return Ok(0);
    };
    let kept = usize::try_from(*kept).ok().filter(|kept| *kept <= 4);
    kept.ok_or_else(|| invalid("keep_last", "It must be between 0 and 4."))
}

fn invalid(name: &str, detail: impl Into<String>) -> ParamError {
    let known = TokenFormat::PARAMS.iter().any(|spec| spec.name == name);
    let message = if known {
        format!("invalid value for parameter \"{name}\" of a token")
    } else {
        "unrecognized parameter of a token".to_owned()
    };
    ParamError {
        param: name.to_owned(),
        error: Error::new(Kind::InvalidParameter, message).with_detail(detail),
    }
}

const LONGEST_VALUE: usize = 10_000;
/// The digits that stand in for a value which has no shape.
const SHAPE_OF_NONE: &str = "0000000000000000";

#[cfg(test)]
mod tests {
    use super::*;

    fn format(params: &[(&str, Value)]) -> Result<TokenFormat, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        TokenFormat::new(&params.collect())
    }

    fn named(name: &str) -> TokenFormat {
        format(&[("format", Value::from(name))]).unwrap()
    }

    fn digits(keep_last: i64) -> TokenFormat {
        let params = [
            ("format", Value::from("digits")),
            ("keep_last", Value::Int(keep_last)),
        ];
        format(&params).unwrap()
    }

    /// Computed with a second implementation: Python, with `tests/vectors/blake3.py`.
    #[test]
    fn token_equals_a_second_implementation() {
        let counted: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        let (card, kept) = ("4111 1111 1111 1111", "4111-1111-1111-1234");
        for (format, value, first, second) in [
            (
                named("base32"),
                "ada",
                "tok_011H50DB0B7KDV196NAWBNTW4Y",
                "tok_4KD7BEQYRG0W4JNSD2C2KR35CM",
            ),
            (
                named("hex"),
                "ada",
                "tok_0d26cbc7a8330d1c496b19d1f422b929",
                "tok_67735fcd4e890a3521412c5e7718b298",
            ),
            (
                named("uuid"),
                "ada",
                "58106e7e-9f23-42e7-bdcc-fb013d785808",
                "3317d11f-b4cd-4325-a22d-9b6fe7de1a9a",
            ),
            (
                digits(4),
                kept,
                "2859-5044-8923-1234",
                "5542-5032-5028-1234",
            ),
            (
                digits(0),
                card,
                "2859 5044 8929 1963",
                "5542 5032 5028 8977",
            ),
        ] {
            assert_eq!(format.token(value, &counted), first);
            assert_eq!(format.token(value, &[0xc0; 32]), second);
        }
    }

    #[test]
    fn token_prefix_is_what_was_asked_for() {
        let prefix = |prefix: &str| [("prefix", Value::from(prefix))];
        let token = |text| format(&prefix(text)).unwrap().token("ada", &[7; 32]);
        assert!(token("cus-").starts_with("cus-"));
        assert_eq!(token("").len(), 26);
        let longest = "x".repeat(32);
        assert_eq!(token(&longest).len(), 58);
        for bad in ["a b", "tok:", "é", "x'", "\0", &"x".repeat(33)] {
            assert_eq!(format(&prefix(bad)).unwrap_err().param, "prefix", "{bad}");
        }
    }

    #[test]
    fn token_parameters_are_checked() {
        let refused = |params: &[(&str, Value)]| format(params).unwrap_err();
        let of = |name: &str| ("format", Value::from(name));
        assert_eq!(refused(&[of("luhn")]).param, "format");
        assert_eq!(refused(&[("format", Value::Int(1))]).param, "format");
        assert_eq!(refused(&[("secret\n", Value::Int(1))]).param, "secret\n");
        assert!(
            !refused(&[("secret\n", Value::Int(1))])
                .error
                .message()
                .contains('\n')
        );
        for kept in [-1, 5, i64::MAX] {
            let params = [of("digits"), ("keep_last", Value::Int(kept))];
            assert_eq!(refused(&params).param, "keep_last");
        }
        let text = [of("digits"), ("keep_last", Value::from("4"))];
        assert_eq!(refused(&text).param, "keep_last");
        for (name, param, value) in [
            ("base32", "keep_last", Value::Int(0)),
            ("hex", "keep_last", Value::Int(1)),
            ("uuid", "keep_last", Value::Int(1)),
            ("uuid", "prefix", Value::from("")),
            ("digits", "prefix", Value::from("tok_")),
        ] {
            assert_eq!(refused(&[of(name), (param, value)]).param, param, "{name}");
        }
    }

    #[test]
    fn token_values_that_are_blank_or_long_are_refused() {
        for blank in ["", " ", "\t\r\n", "\u{a0}\u{3000}"] {
            let error = check_value(blank).unwrap_err();
            assert_eq!(error.kind(), Kind::Blank);
            assert!(error.detail().is_some());
        }
        for value in ["a", &"é".repeat(10_000), &"x".repeat(10_000)] {
            assert!(check_value(value).is_ok());
        }
        let error = check_value(&"é".repeat(10_001)).unwrap_err();
        assert_eq!(error.kind(), Kind::Data);
        assert!(error.detail().unwrap().contains("10001 characters"));
    }

    #[test]
    fn token_looks_like_nothing_but_its_form() {
        let token = |name| named(name).token("ada", &[7; 32]);
        for name in ["base32", "hex", "uuid", "digits"] {
            for other in ["base32", "hex", "uuid", "digits"] {
                assert_eq!(named(name).looks_like(&token(other)), name == other);
            }
        }
        for bad in [
            "",
            "tok_",
            "tok_81H50DB0B7KDV196NAWBNTW4YY",
            "tok_011H50DB0B7KDV196NAWBNTW4",
            "tok_011H50DB0B7KDV196NAWBNTW4YY",
            "tok_011H50DB0B7KDV196NAWBNTW4I",
            "tok_011h50db0b7kdv196nawbntw4y",
            "011H50DB0B7KDV196NAWBNTW4Y",
            " tok_011H50DB0B7KDV196NAWBNTW4Y",
        ] {
            assert!(!named("base32").looks_like(bad), "{bad}");
        }
        for bad in [
            "58106e7e-9f23-52e7-bdcc-fb013d785808",
            "58106e7e-9f23-42e7-cdcc-fb013d785808",
            "58106E7E-9f23-42e7-bdcc-fb013d785808",
            "58106e7e09f23-42e7-bdcc-fb013d785808",
        ] {
            assert!(!named("uuid").looks_like(bad), "{bad}");
        }
        // A card number that is used in tests of payments.
        assert!(!named("digits").looks_like("4111 1111 1111 1111"));
    }

    #[test]
    fn token_of_a_value_without_a_shape_has_16_digits() {
        for value in ["", "---", "12345", "4111 1111 1111 111x", "½½½½½½½½"] {
            let token = digits(4).token(value, &[7; 32]);
            assert!(digits(4).check(value).is_err());
            assert_eq!(token.len(), 16);
            assert!(digits(0).looks_like(&token), "{token}");
        }
    }

    #[test]
    fn token_space_is_what_is_said() {
        assert_eq!(named("base32").space("ada"), u128::MAX);
        assert_eq!(named("uuid").space("ada"), 1 << 122);
        assert_eq!(digits(0).space("123-456"), 900_000);
        assert_eq!(digits(4).space("4111 1111 1111 1111"), 900_000_000_000);
        assert_eq!(digits(4).space("ada"), 9_000_000_000_000_000);
        assert_eq!(digits(0).space(&"1".repeat(10_000)), u128::MAX);
    }
}
