//! `username`: a handle made of the names of a person that does not exist.
//!
//! `emma.martin.7k3vq2xw9p4hmn5td`: first and family name of the person that the entity stands for
//! (`draw.rs`), in plain small letters, and behind them what keeps handles apart: 17 characters
//! out of digits and consonants (83 bits; no vowels, so no words), or with `keep_unique: false` four
//! digits. Small letters, digits, dots and hyphens, always beginning with a letter.

use super::dictionary::{LOCALES, Locale};
use super::draw::{self, GENDER, GENDERS, Gender, LOCALE, People, SEX};
use super::spelling::push_ascii;
use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, ValueType};

/// `username` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("max_length".to_owned(), Value::Int(24))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Username, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("ada1815")?;
/// assert!(made.is_ascii() && made.len() <= 24);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "username",
    version: draw::VERSION,
    about: "Handle made of the names of a person that does not exist",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[ENTITY, SEX],
    needs: Needs::Key,
    refuses: false,
    example: "anon_username('ada1815', keep_unique => false)",
    sample: "{}",
    parse: |reader| Ok(Box::new(Username::new(reader)?)),
};

/// The parameters of `username`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Username {
    locale: Locale,
    gender: Gender,
    unique: bool,
    max_length: u16,
}

impl Username {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let username = Self {
            locale: reader.word("locale", &LOCALES)?,
            gender: reader.word("gender", &GENDERS)?,
            unique: reader.bool("keep_unique", true),
            max_length: reader.int("max_length", 40, 8..=255)?,
        };
        if username.space() < FEWEST {
            let least = username.behind() + FEWEST;
            let detail = format!("It must be at least {least}, or keep_unique must be false.");
            return Err(reader.invalid("max_length", detail));
        }
        Ok(username)
    }

    /// Characters that keep handles apart.
    fn behind(&self) -> usize {
        if self.unique { 1 + SIGNS } else { DIGITS }
    }

    /// Characters for the names.
    fn space(&self) -> usize {
        usize::from(self.max_length).saturating_sub(self.behind())
    }
}

impl Parsed for Username {
    fn properties(&self, _: ValueType) -> Properties {
        // log2(30) × 17 = 83.4; log2(10) × 4 = 13.3.
        let bits = if self.unique { 83 } else { 13 };
        Properties {
            folds_spellings: true,
            collision_bits: Some(bits),
            survival: Survival::Bits(bits),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        Some(self.max_length.into())
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            people: People::new(keys.masking, seed, self.locale, self.gender),
            handle: draw::field("person/handle", keys.masking, seed),
            username: self.clone(),
        }))
    }
}

/// `username` with its key.
struct Mask {
    username: Username,
    people: People,
    handle: Keyed,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        match value {
            Datum::Text(text) => Ok(Some(Datum::text(self.text(&text, row)))),
            _ => Err(mismatch(DEFINITION.name, ValueType::Text)),
        }
    }
}

impl Mask {
    fn text(&self, value: &str, row: Row<'_>) -> String {
        let of = draw::source(value, row);
        let person = self.people.draw(&of, row.one(1));
        let german = self.username.locale == Locale::De;
        let mut out = String::with_capacity(64);
        push_ascii(person.first, german, &mut out);
        out.push('.');
        person.push_ascii_family(german, &mut out);
        if out.len() > self.username.space() {
            out.truncate(self.username.space());
            out.truncate(out.trim_end_matches(['.', '-']).len());
        }
        let mut stream = self.handle.stream(of.as_bytes());
        if self.username.unique {
            out.push('.');
            let sign = |n: u8| char::from(ALPHABET[usize::from(n) % ALPHABET.len()]);
            out.extend((0..SIGNS).map(|_| sign(stream.below(30))));
        } else {
            out.extend((0..DIGITS).map(|_| char::from(b'0' + stream.below(10))));
        }
        out
    }
}

const SIGNS: usize = 17;
const DIGITS: usize = 4;
/// Characters that must be left for the names.
const FEWEST: usize = 4;
const ALPHABET: &[u8; 30] = b"0123456789bcdfghjkmnpqrstvwxyz";

const PARAMS: &[ParamSpec] = &[
    LOCALE,
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "true",
        "17 characters of 83 bits behind the names, so that handles practically never meet; \
         false writes four digits.",
    ),
    ParamSpec::new(
        "max_length",
        ParamKind::Int,
        "40",
        "The most characters, 8 to 255 and at least 22 with keep_unique; longer names are cut.",
    ),
    GENDER,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Value;
    use crate::strategies::{Input, Kind};

    fn username(params: &[(&str, Value)]) -> Result<Username, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Username::new(&Reader::new(Kind::Username, &params.collect())?)
    }

    fn mask(params: &[(&str, Value)]) -> Mask {
        let (key, username) = ([7; 32], username(params).unwrap());
        Mask {
            people: People::new(&key, Seed::new(1), username.locale, username.gender),
            handle: draw::field("person/handle", &key, Seed::new(1)),
            username,
        }
    }

    #[test]
    fn username_is_made_of_the_names_of_the_person() {
        let mask = mask(&[("locale", Value::from("de"))]);
        for n in 0..500 {
            let entity = n.to_string();
            let person = mask.people.draw(&entity, None);
            let mut names = String::new();
            push_ascii(person.first, true, &mut names);
            names.push('.');
            person.push_ascii_family(true, &mut names);
            let out = mask.text("x", Row(&[Input::One(&entity)]));
            let (before, behind) = out.rsplit_once('.').unwrap();
            assert!(names.starts_with(before), "{out}");
            assert!(out.len() <= 40 && behind.len() == 17);
            assert!(behind.bytes().all(|b| ALPHABET.contains(&b)));
        }
    }

    #[test]
    fn username_is_plain_and_begins_with_a_letter() {
        for locale in ["de", "en", "es", "fr", "pt"] {
            for (unique, most) in [(true, 22), (true, 255), (false, 8), (false, 40)] {
                let mask = mask(&[
                    ("locale", Value::from(locale)),
                    ("keep_unique", Value::Bool(unique)),
                    ("max_length", Value::Int(most)),
                ]);
                for value in ["", " ", "İ", "ada", "\u{0}", &"x".repeat(10_000)] {
                    let out = mask.text(value, Row::NONE);
                    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
                    assert!(out.bytes().all(|b| plain(b) || b".-".contains(&b)), "{out}");
                    assert!(out.starts_with(|c: char| c.is_ascii_lowercase()), "{out}");
                    assert!(i64::try_from(out.len()).unwrap() <= most, "{out}");
                    assert!(!out.contains("..") && !out.contains("-."), "{out}");
                }
            }
        }
    }

    #[test]
    fn username_unites_spellings() {
        let mask = mask(&[]);
        let text = |value| mask.text(value, Row::NONE);
        assert_eq!(text(" ADA "), text("ada"));
        assert_ne!(text("ada"), text("bob"));
    }

    #[test]
    fn username_refuses_a_length_that_leaves_no_name() {
        for (length, unique) in [(21, true), (7, false), (256, true), (0, false)] {
            let params = [
                ("max_length", Value::Int(length)),
                ("keep_unique", Value::Bool(unique)),
            ];
            assert_eq!(username(&params).unwrap_err().param, "max_length");
        }
        assert!(username(&[("max_length", Value::Int(22))]).is_ok());
    }
}
