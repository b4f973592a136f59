//! `uuid`: a uuid that stands for the given one.
//!
//! 122 bits are drawn with the key, the other six say version and variant (RFC 9562): 4, which is
//! what applications expect of a random uuid, or 8, which says that it is made in a way of one's
//! own. A text keeps its notation.

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch, unread,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

/// `uuid` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("version".to_owned(), Value::Int(8))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Uuid, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("2f1b5a8e-0c3d-4a61-9a5e-6a1f0d7c9b11")?;
/// assert_eq!(made.split('-').nth(2).map(|group| &group[..1]), Some("8"));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "uuid",
    version: 1,
    about: "Uuid of version 4 or 8 that stands for the given one",
    accepts: &[ValueType::Text, ValueType::Uuid],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: true,
    example: "anon_uuid('2f1b5a8e-0c3d-4a61-9a5e-6a1f0d7c9b11'::uuid)",
    sample: "{}",
    parse: |reader| Ok(Box::new(Uuid::new(reader)?)),
};

/// The parameters of `uuid`, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Uuid {
    version: u8,
}

impl Uuid {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let version = reader.int("version", 4, 4..=8);
        match version {
            Ok(4) => Ok(Self { version: 4 }),
            Ok(8) => Ok(Self { version: 8 }),
            _ => Err(reader.invalid("version", "It must be 4 or 8.")),
        }
    }
}

impl Parsed for Uuid {
    fn properties(&self, of: ValueType) -> Properties {
        Properties {
            // A text is trimmed first.
            keeps_length: of == ValueType::Uuid,
            keeps_format: true,
            folds_spellings: of == ValueType::Text,
            collision_bits: Some(BITS),
            survival: Survival::Bits(BITS),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        Some(input_max_chars.unwrap_or(LONGEST).min(LONGEST))
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::Uuid, keys.masking, seed),
            version: self.version,
            of,
        }))
    }
}

/// `uuid` with its key.
struct Mask {
    keyed: Keyed,
    version: u8,
    of: ValueType,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        match value {
            Datum::Uuid(uuid) => Ok(Some(Datum::Uuid(self.drawn(uuid)))),
            Datum::Text(text) => {
                let (prefix, digits, suffix) = split(text.trim());
                let Some(uuid) = read(digits) else {
                    let detail = "It must have 32 hexadecimal digits, with single hyphens after \
                                  groups of four or without, and may stand in braces or after \
                                  urn:uuid:.";
                    return unread(DEFINITION.name, &text, "no uuid", detail);
                };
                let mut out = String::with_capacity(text.len());
                out.push_str(prefix);
                self.write(uuid, digits, &mut out);
                out.push_str(suffix);
                Ok(Some(Datum::text(out)))
            }
            _ => Err(mismatch(DEFINITION.name, self.of)),
        }
    }
}

impl Mask {
    fn drawn(&self, uuid: [u8; 16]) -> [u8; 16] {
        let mut made: [u8; 16] = self.keyed.digest(&uuid).first();
        made[6] = made[6] & 0x0f | self.version << 4;
        made[8] = made[8] & 0x3f | 0x80;
        made
    }

    fn write(&self, uuid: [u8; 16], like: &str, out: &mut String) {
        let made = self.drawn(uuid);
        let upper = like.bytes().any(|byte| byte.is_ascii_uppercase());
        let digits = if upper { UPPER } else { LOWER };
        let mut nibbles = made.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        out.extend(like.chars().map(|c| match c {
            '-' => '-',
            _ => char::from(digits[usize::from(nibbles.next().unwrap_or(0))]),
        }));
    }
}

/// Takes off what may stand around the digits.
fn split(text: &str) -> (&str, &str, &str) {
    if let Some(inner) = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    {
        return ("{", inner, "}");
    }
    match text.get(..URN.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(URN) => (prefix, &text[URN.len()..], ""),
        _ => ("", text, ""),
    }
}

/// Reads a uuid as the server does: a hyphen may follow every group of four digits.
fn read(text: &str) -> Option<[u8; 16]> {
    let (mut uuid, mut digits, mut hyphen) = ([0; 16], 0, true);
    for c in text.chars() {
        match c.to_digit(16).map(u8::try_from) {
            Some(Ok(digit)) => {
                let byte = uuid.get_mut(digits / 2)?;
                *byte = *byte << 4 | digit;
                digits += 1;
                hyphen = false;
            }
            _ if c == '-' && !hyphen && digits % 4 == 0 => hyphen = true,
            _ => return None,
        }
    }
    (digits == 32 && !hyphen).then_some(uuid)
}

const PARAMS: &[ParamSpec] = &[ParamSpec::new(
    "version",
    ParamKind::Int,
    "4",
    "The version it says, 4 or 8.",
)];

const URN: &str = "urn:uuid:";
const BITS: u32 = 122;
/// 32 digits, seven hyphens and a prefix.
const LONGEST: usize = 48;
const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::{Params, Value};

    const VALUE: &str = "2f1b5a8e-0c3d-4a61-9a5e-6a1f0d7c9b11";

    fn mask(version: u8) -> Mask {
        Mask {
            keyed: Keyed::new(Kind::Uuid, &[7; 32], Seed::new(1)),
            version,
            of: ValueType::Text,
        }
    }

    fn text(mask: &Mask, value: &str) -> String {
        match mask.apply(Datum::text(value), Row::NONE) {
            Ok(Some(Datum::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn uuid_says_its_version() {
        for version in [4, 8] {
            let made = mask(version).drawn([0xff; 16]);
            assert_eq!((made[6] >> 4, made[8] >> 6), (version, 2));
        }
        let params = |version| Params::from([("version".to_owned(), Value::Int(version))]);
        for version in [0, 1, 7, 9, -4, i64::MAX] {
            let params = params(version);
            let refused = Uuid::new(&Reader::new(Kind::Uuid, &params).unwrap()).unwrap_err();
            assert_eq!(refused.param, "version");
        }
    }

    #[test]
    fn uuid_keeps_the_notation() {
        let mask = mask(4);
        let plain = text(&mask, VALUE);
        assert_eq!(plain.len(), 36);
        assert_eq!(text(&mask, &VALUE.replace('-', "")), plain.replace('-', ""));
        assert_eq!(text(&mask, &VALUE.to_uppercase()), plain.to_uppercase());
        assert_eq!(
            text(&mask, &format!(" {{{VALUE}}} ")),
            format!("{{{plain}}}")
        );
        assert_eq!(
            text(&mask, &format!("URN:uuid:{VALUE}")),
            format!("URN:uuid:{plain}")
        );
    }

    #[test]
    fn uuid_is_one_whatever_the_type() {
        let (mask, value) = (mask(8), read(VALUE).unwrap());
        let made = mask.apply(Datum::Uuid(value), Row::NONE);
        assert_eq!(
            made,
            Ok(Some(Datum::Uuid(read(&text(&mask, VALUE)).unwrap())))
        );
    }

    #[test]
    fn uuid_masks_nil_and_max() {
        for value in [[0; 16], [0xff; 16]] {
            assert_ne!(mask(4).drawn(value), value);
        }
    }

    #[test]
    fn uuid_refuses_what_is_no_uuid() {
        let cut = &VALUE[..35];
        let longer = format!("{VALUE}0");
        for value in [
            "",
            "x",
            cut,
            &longer,
            &VALUE.replace('f', "g"),
            &VALUE.replace("-", "--"),
            &format!("-{VALUE}"),
            &format!("{VALUE}-"),
            &format!("{{{VALUE}"),
            &VALUE.replace("2f1b", "2f-1b"),
            "urn:uuid:",
            "é1b5a8e-0c3d-4a61-9a5e-6a1f0d7c9b11",
        ] {
            let refused = mask(4).apply(Datum::text(value), Row::NONE).unwrap_err();
            assert!(refused.is_about_the_value(), "{value}");
        }
    }
}
