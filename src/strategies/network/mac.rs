//! `mac`: a machine address that no maker has given out.
//!
//! The octets are drawn with the key; the first says that the address is administered locally and
//! belongs to one machine (IEEE 802, bits 1 and 0 of the first octet: 1 and 0). With `keep_vendor`
//! the first three octets, which name the maker, stay. Six octets (EUI-48) or eight (EUI-64).
//!
//! With `keep_unique` they are encrypted as one number (FF1, NIST SP 800-38G), but for those two
//! bits, so that no two addresses share an output. Addresses with a hexadecimal letter and those
//! without are permuted among themselves: a text in capitals or small letters shows which of them it
//! is afterwards exactly if it did before, so that no two texts share an output either.

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
        // With `keep_unique` there are fewest of those without letters.
        let bits = match (of, self.keep_vendor, self.unique) {
            (ValueType::Mac8, false, false) => 62,
            (ValueType::Mac8, true, false) => 40,
            (ValueType::Mac8, false, true) => 50,
            (ValueType::Mac8, true, true) => 33,
            (_, false, false) => 46,
            (_, true, false) => 24,
            (_, false, true) => 37,
            (_, true, true) => 19,
        };
        Properties {
            // Otherwise a text is trimmed first.
            keeps_length: self.unique || of != ValueType::Text,
            keeps_format: true,
            folds_spellings: !self.unique && of == ValueType::Text,
            injective: self.unique,
            collision_bits: Some(bits),
            survival: Survival::Bits(bits),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        // White space around it stays.
        if self.unique {
            return input_max_chars;
        }
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
        let whole: &str = match &value {
            Datum::Mac(text) | Datum::Text(text) => text,
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        };
        let text = whole.trim();
        let Some((octets, length)) = read(text) else {
            let detail = "It must have 12 or 16 hexadecimal digits, with single colons, hyphens or \
                          dots between them or without.";
            return unread(DEFINITION.name, text, "no machine address", detail);
        };
        let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        let (drawn, shown) = match &self.permutation {
            // Otherwise two texts would share their output.
            Some(_) if upper && text.bytes().any(|byte| byte.is_ascii_lowercase()) => {
                let detail = "With \"keep_unique\" its letters must be all capitals or all small.";
                return Err(outside(DEFINITION.name, "of mixed case", detail));
            }
            Some(permutation) => (self.permuted(permutation, octets, length)?, whole),
            None => (self.drawn(octets, length), text),
        };
        let digits = if upper { UPPER } else { LOWER };
        let mut nibbles = drawn.iter().flat_map(|octet| [octet >> 4, octet & 15]);
        let put = |c: char| match c.is_ascii_hexdigit() {
            true => char::from(digits[usize::from(nibbles.next().unwrap_or(0))]),
            false => c,
        };
        let mut made = String::with_capacity(shown.len());
        made.extend(shown.chars().map(put));
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

    /// Encrypts what is not kept: all but the vendor, or but the two bits of the first octet.
    /// What has a hexadecimal letter becomes something with one, what has none something without.
    fn permuted(
        &self,
        permutation: &Permutation,
        octets: [u8; 8],
        length: usize,
    ) -> Result<[u8; 8]> {
        let flags = octets[0] & 3;
        let mut class = match self.keep_vendor {
            true => octets[..3].to_vec(),
            false => vec![flags],
        };
        let mut made = octets;
        if !has_letter(&octets[..length]) {
            // Walking would take hundreds of steps: so few addresses have no letter.
            class.push(DECIMAL);
            let digits = Digits::new(self.keep_vendor, flags, length);
            let moved = encrypt(permutation, digits.number(made), digits.size(), &class)?;
            digits.write(moved, &mut made);
            return Ok(made);
        }
        // Cycle walking (Black and Rogaway 2002): a permutation of all is one of those with a letter
        // if it is repeated until there is one. They are nearly all.
        let total = length * 8;
        let kept = if self.keep_vendor { 24 } else { 2 };
        let size = 1 << (total - kept);
        let low = (1 << (total - 8)) - 1;
        loop {
            let all = made.iter().take(length);
            let number = all.fold(0, |number, octet| number << 8 | u128::from(*octet));
            // The low bits of the first octet are left out: what is left is one number.
            let given = match self.keep_vendor {
                true => number & (size - 1),
                false => u128::from(made[0] >> 2) << (total - 8) | number & low,
            };
            let moved = encrypt(permutation, given, size, &class)?.to_be_bytes();
            made[..length].copy_from_slice(&moved[16 - length..]);
            match self.keep_vendor {
                true => made[..3].copy_from_slice(&octets[..3]),
                false => made[0] = made[0] << 2 | flags,
            }
            if has_letter(&made[..length]) {
                return Ok(made);
            }
        }
    }
}

fn encrypt(permutation: &Permutation, number: u128, size: u128, class: &[u8]) -> Result<u128> {
    let part = Part { class, kept: &[] };
    permutation
        .number(Way::Forth, number, size, part)
        .map_err(|_| outside(DEFINITION.name, "no machine address", "It is too long."))
}

/// Whether one of the hexadecimal digits is a letter.
fn has_letter(octets: &[u8]) -> bool {
    octets.iter().any(|octet| octet >> 4 > 9 || octet & 15 > 9)
}

/// Counts the addresses whose digits are all below ten, of one vendor or with two given bits.
struct Digits {
    /// Where the digits begin that are counted.
    first: usize,
    /// Behind the last.
    end: usize,
    /// The low bits of the first octet.
    flags: u8,
}

impl Digits {
    fn new(keep_vendor: bool, flags: u8, length: usize) -> Self {
        Self {
            first: if keep_vendor { 6 } else { 0 },
            end: 2 * length,
            flags,
        }
    }

    /// How many digits may stand at a place. The second has the flags.
    fn base(&self, at: usize) -> u128 {
        match (at, self.flags) {
            (1, 0 | 1) => 3,
            (1, _) => 2,
            _ => 10,
        }
    }

    fn size(&self) -> u128 {
        (self.first..self.end).map(|at| self.base(at)).product()
    }

    fn number(&self, octets: [u8; 8]) -> u128 {
        (self.first..self.end).fold(0, |number, at| {
            let octet = octets[at / 2];
            let digit = match at {
                1 => octet >> 2 & 3,
                _ if at % 2 == 0 => octet >> 4,
                _ => octet & 15,
            };
            number * self.base(at) + u128::from(digit)
        })
    }

    fn write(&self, mut number: u128, octets: &mut [u8; 8]) {
        for at in (self.first..self.end).rev() {
            let digit = u8::try_from(number % self.base(at)).unwrap_or(0);
            number /= self.base(at);
            let octet = &mut octets[at / 2];
            *octet = match at {
                1 => *octet & 0xf0 | digit << 2 | self.flags,
                _ if at % 2 == 0 => *octet & 0x0f | digit << 4,
                _ => *octet & 0xf0 | digit,
            };
        }
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
    ),
];

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";
const LONGEST: usize = 31;

/// Behind the class of the addresses without a letter: a permutation of its own.
const DECIMAL: u8 = 10;

#[cfg(test)]
mod tests;
