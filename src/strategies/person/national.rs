//! `national_id`: a number in the form that a state gives to persons, with a valid check.
//!
//! * `es`: DNI, eight digits and the letter at their remainder modulo 23; NIE, where X, Y or Z
//!   stands for a leading 0, 1 or 2 (Real Decreto 1553/2005, Orden INT/2058/2008).
//! * `fr`: NIR, thirteen digits and the key 97 - n mod 97, where 2A and 2B of Corsica count as 19
//!   and 18 (INSEE, Décret 82-103). Communes are numbered up to 909 within their département, and
//!   990 stands for an unknown one: the output has 910 to 989, so it belongs to nobody.
//! * `us`: Social Security number. The Social Security Administration gives no area 000, 666 or
//!   900 to 999, no group 00 and no serial 0000 (20 CFR 422.103, SSA POMS RM 10201.035). The output
//!   has area 666: 9xx may be an ITIN of the Internal Revenue Service, and 000 would be lost in a
//!   number.
//!
//! Separators stay where they are. The key or letter of the input counts for nothing and is made
//! anew where it was written, so that notations of one number share their pseudonym.

use crate::error::{self, Error, Result};
use crate::strategies::checks;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
    outside,
};
use crate::strategies::keyed::{Keyed, Stream};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

use unique::Unique;

/// `national_id` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("country".to_owned(), Value::from("us"))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::NationalId, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// // No area has the number 666.
/// assert!(mask.text("123-45-6789")?.starts_with("666-"));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "national_id",
    version: 1,
    about: "Number in the form that a state gives to persons, with a valid check",
    accepts: &[ValueType::Int32, ValueType::Int64, ValueType::Text],
    params: PARAMS,
    inputs: &[ENTITY],
    needs: Needs::Key,
    refuses: true,
    example: "anon_national_id('2 69 05 49 588 157 80', country => 'fr')",
    sample: r#"{"country": "us"}"#,
    parse: |reader| Ok(Box::new(NationalId::new(reader)?)),
};

/// The parameters of `national_id`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NationalId {
    country: Country,
    keep_birth: bool,
    unique: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Country {
    Es,
    Fr,
    Us,
}

impl NationalId {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let id = Self {
            country: reader.word("country", &COUNTRIES)?,
            keep_birth: reader.bool("keep_birth", false),
            unique: reader.bool("keep_unique", false),
        };
        if id.keep_birth && id.country != Country::Fr {
            let detail = "Only a number of country \"fr\" tells the birth.";
            return Err(reader.invalid("keep_birth", detail));
        }
        Ok(id)
    }
}

impl Parsed for NationalId {
    fn properties(&self, of: ValueType) -> Properties {
        let bits = match (self.country, of) {
            // 2 sexes, 100 years, 12 months, 89 départements, 80 communes, 999 entries.
            (Country::Fr, _) if self.keep_birth => 22,
            (Country::Fr, _) => 33,
            // 99 groups, 9999 serials.
            (Country::Us, _) => 19,
            // A NIE has three letters and seven digits, a DNI eight digits.
            (Country::Es, ValueType::Text) => 24,
            (Country::Es, _) => 26,
        };
        Properties {
            keeps_length: of == ValueType::Text,
            keeps_format: true,
            // A number may be written with its key or without.
            folds_spellings: !self.unique && (of == ValueType::Text || self.country == Country::Fr),
            injective: self.unique,
            collision_bits: (!self.unique).then_some(bits),
            survival: Survival::Bits(bits),
            ..Properties::KEYED
        }
    }

    fn accepts(&self, of: ValueType) -> bool {
        of != ValueType::Int32 || self.country != Country::Fr
    }

    fn instead(&self, _: ValueType) -> Option<&'static str> {
        Some("French numbers have more digits than fit; keep them as bigint or text.")
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        Some(input_max_chars.map_or(LONGEST, |most| most.min(LONGEST)))
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let unique = self
            .unique
            .then(|| Unique::new(keys.fpe, seed, self.country, self.keep_birth));
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::NationalId, keys.masking, seed),
            unique: unique.transpose()?,
            id: self.clone(),
            of,
        }))
    }
}

/// `national_id` with its key.
struct Mask {
    id: NationalId,
    keyed: Keyed,
    /// Where every number needs an output of its own.
    unique: Option<Unique>,
    of: ValueType,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        match value {
            Datum::Text(text) => Ok(Some(Datum::text(self.text(&text, row)?))),
            Datum::Int(number) => Ok(Some(Datum::Int(self.int(number, row)?))),
            _ => Err(mismatch(DEFINITION.name, self.of)),
        }
    }
}

impl Mask {
    fn text(&self, value: &str, row: Row<'_>) -> Result<String> {
        let signs = Signs::read(value).ok_or_else(|| self.id.country.outside())?;
        if signs.length == 0 {
            return Err(blank());
        }
        let made = self.made(signs, row)?;
        let mut made = made.signs().iter();
        let mut next = |c: char| match made.next() {
            Some(sign) if c.is_ascii_lowercase() => char::from(sign.to_ascii_lowercase()),
            Some(sign) => char::from(*sign),
            None => c,
        };
        let put = |c: char| {
            if c.is_ascii_alphanumeric() {
                next(c)
            } else {
                c
            }
        };
        Ok(value.chars().map(put).collect())
    }

    fn int(&self, value: i64, row: Row<'_>) -> Result<i64> {
        let refused = || self.id.country.outside();
        let digits = match self.id.country {
            Country::Es => 8,
            Country::Us => 9,
            Country::Fr if value >= 10_i64.pow(13) => 15,
            Country::Fr => 13,
        };
        if !(0..10_i64.pow(digits)).contains(&value) {
            return Err(refused());
        }
        let written = format!("{value:0width$}", width = digits as usize);
        let signs = Signs::read(&written).ok_or_else(refused)?;
        let made = self.made(signs, row)?;
        let number = made.signs().iter().try_fold(0_i64, |number, sign| {
            let digit = sign.is_ascii_digit().then(|| i64::from(sign - b'0'))?;
            number.checked_mul(10)?.checked_add(digit)
        });
        number.ok_or_else(refused)
    }
}

/// The letters, capitals, and digits of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signs {
    signs: [u8; 15],
    length: usize,
}

impl Signs {
    const NONE: Self = Self {
        signs: [0; 15],
        length: 0,
    };

    /// Reads what is no separator; none if there is too much, or something that is not ASCII.
    fn read(value: &str) -> Option<Self> {
        let mut read = Self::NONE;
        for (at, c) in value.chars().enumerate() {
            if at == LONGEST || (!c.is_ascii() && c.is_alphanumeric()) {
                return None;
            }
            if c.is_ascii_alphanumeric() {
                let sign = u8::try_from(c).ok()?.to_ascii_uppercase();
                *read.signs.get_mut(read.length)? = sign;
                read.length += 1;
            }
        }
        Some(read)
    }

    fn signs(&self) -> &[u8] {
        &self.signs[..self.length.min(15)]
    }

    fn push(&mut self, sign: u8) {
        if let Some(place) = self.signs.get_mut(self.length) {
            *place = sign;
            self.length += 1;
        }
    }

    /// Appends a number with leading zeros.
    fn push_number(&mut self, number: u64, digits: u32) {
        for place in (0..digits).rev() {
            let digit = number / 10_u64.pow(place) % 10;
            self.push(b'0' + u8::try_from(digit).unwrap_or(0));
        }
    }

    /// The number that some of them are.
    fn number(&self, from: usize, to: usize) -> u64 {
        let digits = self.signs().get(from..to).unwrap_or_default();
        let digit = |sign: &u8| u64::from(sign.wrapping_sub(b'0').min(9));
        digits
            .iter()
            .fold(0, |number, sign| number * 10 + digit(sign))
    }
}

impl Country {
    fn name(self) -> &'static str {
        let found = COUNTRIES.iter().find(|(_, country)| *country == self);
        found.map_or("", |(name, _)| name)
    }

    /// How many signs stand before the check, if it is a number of this form.
    fn body(self, of: &[u8]) -> Option<usize> {
        let are_digits = |signs: &[u8]| signs.iter().all(u8::is_ascii_digit);
        match (self, of.len()) {
            (Self::Us, 9) => are_digits(of).then_some(9),
            (Self::Es, 8 | 9) => {
                let starts = of[0].is_ascii_digit() || b"XYZ".contains(&of[0]);
                let ends = of[8..].iter().all(u8::is_ascii_uppercase);
                (starts && are_digits(&of[1..8]) && ends).then_some(8)
            }
            (Self::Fr, 13 | 15) => {
                let corsica = of[5] == b'2' && matches!(of[6], b'A' | b'B');
                let fits = are_digits(&of[..6]) && are_digits(&of[7..]);
                (fits && (corsica || of[6].is_ascii_digit())).then_some(13)
            }
            _ => None,
        }
    }

    /// Appends what checks the signs before it.
    fn push_check(self, made: &mut Signs) {
        match self {
            Self::Es => made.push(spanish_letter(made)),
            Self::Fr => made.push_number(french_key(made), 2),
            Self::Us => (),
        }
    }

    fn outside(self) -> Error {
        let (what, detail) = match self {
            Self::Es => (
                "no DNI or NIE",
                "It must have eight digits, or X, Y or Z and seven digits, and may have a letter \
                 behind them.",
            ),
            Self::Fr => (
                "no NIR",
                "It must have 13 digits, or 15 with the key, and 2A or 2B may stand for Corsica.",
            ),
            Self::Us => (
                "no Social Security number",
                "It must have nine digits, apart from separators.",
            ),
        };
        outside(DEFINITION.name, what, detail)
    }
}

impl Mask {
    fn made(&self, signs: Signs, row: Row<'_>) -> Result<Signs> {
        let country = self.id.country;
        let body = country
            .body(signs.signs())
            .ok_or_else(|| country.outside())?;
        let mut made = match &self.unique {
            None => self.drawn(signs, body, row),
            Some(_) if row.one(0).is_some() => return Err(two_sources()),
            Some(unique) => {
                let mut checked = Signs {
                    length: body,
                    ..signs
                };
                country.push_check(&mut checked);
                let wrong = signs.length > body && checked.signs() != signs.signs();
                if wrong {
                    let detail = "With \"keep_unique\" its key or letter must be right.";
                    return Err(outside(DEFINITION.name, "mistyped", detail));
                }
                unique.moved(&signs)?
            }
        };
        if signs.length > body {
            country.push_check(&mut made);
        }
        Ok(made)
    }

    fn drawn(&self, signs: Signs, body: usize, row: Row<'_>) -> Signs {
        let mut of = Vec::with_capacity(32);
        of.extend_from_slice(self.id.country.name().as_bytes());
        match row.one(0) {
            Some(entity) => of.extend_from_slice(entity.as_bytes()),
            None => of.extend_from_slice(&signs.signs()[..body]),
        }
        let mut stream = self.keyed.stream(&of);
        match self.id.country {
            Country::Es => spanish(signs.signs[0], &mut stream),
            Country::Fr => french(self.id.keep_birth.then_some(signs), &mut stream),
            Country::Us => american(&mut stream),
        }
    }
}

fn two_sources() -> Error {
    let message = format!(
        "parameter \"keep_unique\" of strategy \"{}\" cannot stand beside an entity",
        DEFINITION.name
    );
    Error::new(error::Kind::InvalidParameter, message)
        .with_detail("A number is unique only if it is made from the number itself.")
}

/// The digits of a DNI, or those of a NIE behind a letter.
fn spanish(first: u8, stream: &mut Stream<'_>) -> Signs {
    let mut made = Signs::NONE;
    if first.is_ascii_digit() {
        made.push_number(stream.below_u64(100_000_000), 8);
    } else {
        made.push(b'X' + stream.below(3));
        made.push_number(stream.below_u64(10_000_000), 7);
    }
    made
}

fn spanish_letter(of: &Signs) -> u8 {
    let leading = match of.signs[0] {
        letter @ b'X'..=b'Z' => letter - b'X',
        digit => digit.wrapping_sub(b'0').min(9),
    };
    checks::spanish_letter(u64::from(leading) * 10_000_000 + of.number(1, 8))
}

/// Sex, year and month of birth, département, commune and entry.
fn french(kept: Option<Signs>, stream: &mut Stream<'_>) -> Signs {
    let (sex, year, month) = (1 + stream.below(2), stream.below(100), 1 + stream.below(12));
    // 01 to 19 and 21 to 90: from 91 on, numbers once stood for Algeria and its neighbors.
    let department = match 1 + stream.below(89) {
        low @ ..=19 => low,
        high => high + 1,
    };
    let commune = 910 + u64::from(stream.below(80));
    let entry = 1 + stream.below_u64(999);
    let mut made = Signs::NONE;
    if let Some(kept) = kept {
        kept.signs.iter().take(5).for_each(|sign| made.push(*sign));
    } else {
        made.push_number(sex.into(), 1);
        made.push_number(year.into(), 2);
        made.push_number(month.into(), 2);
    }
    made.push_number(department.into(), 2);
    made.push_number(commune, 3);
    made.push_number(entry, 3);
    made
}

/// The key of 13 signs.
fn french_key(of: &Signs) -> u64 {
    let mut digits = *of;
    if unique::is_corsican(of.signs()) {
        let [tens, ones] = if of.signs[6] == b'A' { *b"19" } else { *b"18" };
        (digits.signs[5], digits.signs[6]) = (tens, ones);
    }
    97 - digits.number(0, 13) % 97
}

fn american(stream: &mut Stream<'_>) -> Signs {
    let mut made = Signs::NONE;
    made.push_number(666, 3);
    made.push_number(1 + u64::from(stream.below(99)), 2);
    made.push_number(1 + stream.below_u64(9999), 4);
    made
}

fn blank() -> Error {
    let message = format!("value for strategy \"{}\" is blank", DEFINITION.name);
    Error::new(error::Kind::Blank, message)
        .with_detail("There is no letter and no digit in it.")
        .with_hint("Use NULL for a number that is not known, or on_error.")
}

/// Characters that are read at most, separators included.
const LONGEST: usize = 32;

const PARAMS: &[ParamSpec] = &[
    ParamSpec::required(
        "country",
        ParamKind::Text,
        "Whose form it has: es (DNI, NIE), fr (NIR) or us (Social Security number).",
    ),
    ParamSpec::new(
        "keep_birth",
        ParamKind::Bool,
        "false",
        "Keeps sex, year and month of birth, which a number of country fr begins with.",
    ),
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "false",
        "Encrypts the number (FF1), so that every one has an output of its own; it may be somebody's.",
    ),
];

const COUNTRIES: [(&str, Country); 3] = [
    ("es", Country::Es),
    ("fr", Country::Fr),
    ("us", Country::Us),
];

mod unique;

#[cfg(test)]
mod tests;
