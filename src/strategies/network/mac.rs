//! `mac`: a machine address that no maker has given out.
//!
//! The octets are drawn with the key; the first says that the address is administered locally and
//! belongs to one machine (IEEE 802, bits 1 and 0 of the first octet: 1 and 0). With `keep_vendor`
//! the first three octets, which name the maker, stay. Six octets (EUI-48) or eight (EUI-64).
//!
//! With `keep_unique` they are encrypted as one number (FF1, NIST SP 800-38G), but for those two
//! bits, so that no two addresses share an output.

use std::borrow::Cow;

use crate::error::Result;
use crate::strategies::cipher::ff1::Way;
use crate::strategies::cipher::permutation::{Part, Permutation, Recipe};
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch, outside,
    unread,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

/// `mac` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("keep_vendor".to_owned(), Value::Bool(true))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Mac, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// assert!(mask.text("08-00-2B-01-02-03")?.starts_with("08-00-2B-"));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "mac",
    version: 1,
    about: "Machine address that stands for the given one",
    accepts: &[ValueType::Mac, ValueType::Mac8, ValueType::Text],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: true,
    example: "anon_mac('08:00:2b:01:02:03'::macaddr)",
    sample: "{}",
    parse: |reader| Ok(Box::new(Mac::new(reader)?)),
};

/// The parameters of `mac`, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mac {
    keep_vendor: bool,
    unique: bool,
}

impl Mac {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        Ok(Self {
            keep_vendor: reader.bool("keep_vendor", false),
            unique: reader.bool("keep_unique", false),
        })
    }
}

impl Parsed for Mac {
    fn properties(&self, of: ValueType) -> Properties {
        let bits = match (of, self.keep_vendor) {
            (ValueType::Mac8, false) => 62,
            (ValueType::Mac8, true) => 40,
            (_, false) => 46,
            (_, true) => 24,
        };
        Properties {
            // A text is trimmed first.
            keeps_length: of != ValueType::Text,
            keeps_format: true,
            folds_spellings: of == ValueType::Text,
            // A text may have small letters or capitals, which an output of digits does not show.
            injective: self.unique && of != ValueType::Text,
            collision_bits: Some(bits),
            survival: Survival::Bits(bits),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        // Sixteen digits with a separator between any two.
        Some(input_max_chars.unwrap_or(LONGEST).min(LONGEST))
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let recipe = Recipe {
            what: &[DEFINITION.name],
            radix: 2,
            tweak: "",
            kept: 0,
            shuffle: false,
        };
        let permutation = self
            .unique
            .then(|| Permutation::new(keys.fpe, seed, &recipe));
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::Mac, keys.masking, seed),
            permutation: permutation.transpose()?,
            keep_vendor: self.keep_vendor,
            of,
        }))
    }
}

/// `mac` with its key.
struct Mask {
    keyed: Keyed,
    /// Where every address needs an output of its own.
    permutation: Option<Permutation>,
    keep_vendor: bool,
    of: ValueType,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        let text = match &value {
            Datum::Mac(text) | Datum::Text(text) => text.trim(),
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        };
        let Some((octets, length)) = read(text) else {
            let detail = "It must have 12 or 16 hexadecimal digits, with single colons, hyphens or \
                          dots between them or without.";
            return unread(DEFINITION.name, text, "no machine address", detail);
        };
        let drawn = match &self.permutation {
            Some(permutation) => self.permuted(permutation, octets, length)?,
            None => self.drawn(octets, length),
        };
        let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        let digits = if upper { UPPER } else { LOWER };
        let mut nibbles = drawn.iter().flat_map(|octet| [octet >> 4, octet & 15]);
        let put = |c: char| match c {
            ':' | '-' | '.' => c,
            _ => char::from(digits[usize::from(nibbles.next().unwrap_or(0))]),
        };
        let mut made = String::with_capacity(text.len());
        made.extend(text.chars().map(put));
        Ok(Some(match value {
            Datum::Text(_) => Datum::text(made),
            _ => Datum::Mac(Cow::Owned(made)),
        }))
    }
}

impl Mask {
    fn drawn(&self, octets: [u8; 8], length: usize) -> [u8; 8] {
        let mut made: [u8; 8] = self.keyed.digest(&octets[..length]).first();
        if self.keep_vendor {
            made[..3].copy_from_slice(&octets[..3]);
        } else {
            made[0] = made[0] & 0xfc | 0x02;
        }
        made
    }

    /// Encrypts what is not kept: the vendor, or the two bits of the first octet.
    fn permuted(
        &self,
        permutation: &Permutation,
        octets: [u8; 8],
        length: usize,
    ) -> Result<[u8; 8]> {
        let all = octets.iter().take(length);
        let number = all.fold(0, |number, octet| number << 8 | u128::from(*octet));
        let total = length * 8;
        // The low bits of the first octet, moved to the front: what is left is one number.
        let flags = octets[0] & 3;
        let (class, bits) = match self.keep_vendor {
            true => (octets[..3].to_vec(), total - 24),
            false => (vec![flags], total - 2),
        };
        let low = (1 << (total - 8)) - 1;
        let given = match self.keep_vendor {
            true => number & ((1 << bits) - 1),
            false => u128::from(octets[0] >> 2) << (total - 8) | number & low,
        };
        let part = Part {
            class: &class,
            kept: &[],
        };
        let moved = permutation
            .number(Way::Forth, given, 1 << bits, part)
            .map_err(|_| outside(DEFINITION.name, "no machine address", "It is too long."))?;
        let rest = moved.to_be_bytes();
        let mut made = [0; 8];
        made[..length].copy_from_slice(&rest[16 - length..]);
        match self.keep_vendor {
            true => made[..3].copy_from_slice(&octets[..3]),
            false => made[0] = made[0] << 2 | flags,
        }
        Ok(made)
    }
}

/// Reads six or eight octets.
fn read(text: &str) -> Option<([u8; 8], usize)> {
    let (mut octets, mut digits, mut open) = ([0; 8], 0, false);
    for c in text.chars() {
        match c.to_digit(16).map(u8::try_from) {
            Some(Ok(digit)) => {
                let octet = octets.get_mut(digits / 2)?;
                *octet = *octet << 4 | digit;
                digits += 1;
                open = true;
            }
            _ if open && matches!(c, ':' | '-' | '.') => open = false,
            _ => return None,
        }
    }
    (open && matches!(digits, 12 | 16)).then_some((octets, digits / 2))
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "keep_vendor",
        ParamKind::Bool,
        "false",
        "Keeps the first three octets, which tell the maker of the device.",
    ),
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "false",
        "Encrypts the address (FF1), so that every one has an output of its own; a device may have it.",
    )
    .only(&[ValueType::Mac, ValueType::Mac8]),
];

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";
const LONGEST: usize = 31;

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(keep_vendor: bool, of: ValueType) -> Box<dyn Apply> {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let mac = Mac {
            keep_vendor,
            unique: false,
        };
        mac.compile(&keys, Seed::new(1), of).unwrap()
    }

    fn text(mask: &dyn Apply, value: &str) -> String {
        match mask.apply(Datum::text(value), Row::NONE) {
            Ok(Some(Datum::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn mac_gives_a_local_address_of_one_machine() {
        let mask = mask(false, ValueType::Text);
        for n in 0..500u32 {
            let (octets, _) = read(&text(&*mask, &format!("ff{n:010x}"))).unwrap();
            assert_eq!(octets[0] & 3, 2);
        }
    }

    #[test]
    fn mac_keeps_the_notation() {
        let mask = mask(false, ValueType::Text);
        let plain = text(&*mask, "08002b01020f");
        for value in [
            "08:00:2b:01:02:0f",
            "08-00-2b-01-02-0f",
            "08002b:01020f",
            "0800.2b01.020f",
            " 08002b01020f ",
        ] {
            let made = text(&*mask, value);
            assert_eq!(made.replace([':', '-', '.'], ""), plain);
            let shape = |text: &str| text.replace(|c: char| c.is_ascii_hexdigit(), "0");
            assert_eq!(shape(&made), shape(value.trim()));
        }
        assert_eq!(text(&*mask, "08002B01020F"), plain.to_uppercase());
    }

    #[test]
    fn mac_keeps_the_vendor_only_when_asked() {
        let value = "08:00:2b:01:02:03";
        assert!(text(&*mask(true, ValueType::Text), value).starts_with("08:00:2b:"));
        assert!(!text(&*mask(false, ValueType::Text), value).starts_with("08:00:2b:"));
        let longer = "08:00:2b:01:02:03:04:05";
        assert!(text(&*mask(true, ValueType::Text), longer).starts_with("08:00:2b:"));
    }

    #[test]
    fn mac_is_one_whatever_the_type() {
        let value = "08:00:2b:01:02:03";
        let made = mask(false, ValueType::Mac).apply(Datum::Mac(value.into()), Row::NONE);
        let Ok(Some(Datum::Mac(made))) = made else {
            panic!("{made:?}");
        };
        assert_eq!(made, text(&*mask(false, ValueType::Text), value));
    }

    #[test]
    fn mac_refuses_what_is_no_address() {
        let mask = mask(false, ValueType::Text);
        for value in [
            "",
            "08:00:2b:01:02",
            "08:00:2b:01:02:0",
            "08:00:2b:01:02:03:04",
            "08:00:2b:01:02:03:",
            ":080:02b:01:02:03",
            "08::00:2b:01:02:03",
            "08:00:2b:01:02:0g",
            "08 00 2b 01 02 03",
            "08002b0102030405aa",
            "０8002b010203",
        ] {
            let refused = mask.apply(Datum::text(value), Row::NONE).unwrap_err();
            assert!(refused.is_about_the_value(), "{value}");
        }
    }

    #[test]
    fn mac_with_keep_unique_gives_every_address_its_own() {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let all: [(bool, &str, u64); 3] = [
            (true, "08:00:2b", 1 << 24),
            (false, "ff", 200_000),
            (true, "08:00:2b:01:02", 200_000),
        ];
        for (keep_vendor, first, count) in all {
            let mac = Mac {
                keep_vendor,
                unique: true,
            };
            assert!(mac.properties(ValueType::Mac).injective);
            assert!(!mac.properties(ValueType::Text).injective);
            let octets = read(&format!("{first}:00:00:00:00:00:00:00:00")[..17])
                .unwrap()
                .0;
            let length = if first.len() > 8 { 8 } else { 6 };
            let mask = Mask {
                keyed: Keyed::new(Kind::Mac, &[7; 32], Seed::new(1)),
                permutation: None,
                keep_vendor,
                of: ValueType::Mac,
            };
            let recipe = Recipe {
                what: &["mac"],
                radix: 2,
                tweak: "",
                kept: 0,
                shuffle: false,
            };
            let permutation = Permutation::new(keys.fpe, Seed::new(1), &recipe).unwrap();
            let mut seen = std::collections::HashSet::new();
            for n in (0..count).step_by(if count > 1 << 20 { 97 } else { 1 }) {
                let mut given = octets;
                given[length - 3..length].copy_from_slice(&n.to_be_bytes()[5..]);
                let made = mask.permuted(&permutation, given, length).unwrap();
                assert_eq!(made[0] & 3, given[0] & 3);
                assert!(!keep_vendor || made[..3] == given[..3]);
                assert!(seen.insert(made));
            }
        }
    }
}
