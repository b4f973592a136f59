//! `iban`: an account number of the same country and length, with valid check digits.
//!
//! ISO 13616 and the IBAN registry of SWIFT. Every character after the check digits is drawn anew
//! with the key: digits stay digits and letters letters. The check digits are made by ISO 7064 mod
//! 97-10, and those that a country has of its own where their rule is known (`national.rs`). With
//! `keep_unique` the characters are not drawn but encrypted as one number (FF1, NIST SP 800-38G).

use crate::error::Result;
use crate::strategies::checks::mod_97;
use crate::strategies::cipher::ff1::Way;
use crate::strategies::cipher::permutation::{Part, Permutation, Recipe};
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch, outside,
    unread,
};
use crate::strategies::keyed::{Keyed, Stream};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

use super::registry::{self, Class, Country};

/// `iban` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, ValueType};
///
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Iban, &Params::new())?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("GB82 WEST 1234 5698 7654 32")?;
/// assert!(made.starts_with("GB") && made.len() == 27);
/// assert!(mask.text("GB83 WEST 1234 5698 7654 32").is_err());
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "iban",
    version: 1,
    about: "Account number with valid check digits that stands for the given one",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: true,
    example: "anon_iban('GB82 WEST 1234 5698 7654 32')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Iban::new(reader)?)),
};

/// The parameters of `iban`, checked.
#[derive(Clone, Copy, Debug)]
struct Iban {
    /// None: that of the value.
    country: Option<&'static Country>,
    unique: bool,
}

impl Iban {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let unique = reader.bool("keep_unique", false);
        let Some(code) = reader.text_if_given("country") else {
            return Ok(Self {
                country: None,
                unique,
            });
        };
        match registry::country(&code.to_ascii_uppercase()) {
            Some(_) if unique => {
                let detail = "With \"keep_unique\" a number stays in its country.";
                Err(reader.invalid("country", detail))
            }
            Some(country) => {
                reader.note("country", country.code);
                Ok(Self {
                    country: Some(country),
                    unique,
                })
            }
            None => Err(reader.invalid(
                "country",
                "It must be the code of a country that has account numbers by ISO 13616, such as \
                 DE.",
            )),
        }
    }
}

impl Parsed for Iban {
    fn properties(&self, _: ValueType) -> Properties {
        let bits = match self.country {
            Some(country) => country.bits(),
            None => {
                let all = registry::countries().iter().map(Country::bits);
                all.fold(f64::INFINITY, f64::min)
            }
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most thirty characters"
        )]
        Properties {
            keeps_length: self.country.is_none(),
            keeps_format: true,
            injective: self.unique,
            folds_spellings: !self.unique,
            collision_bits: (!self.unique).then_some(bits as u32),
            // Two check digits, and two that a country may have of its own.
            survival: Survival::Digits { kept: 4 },
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        match self.country {
            None => input_max_chars,
            Some(country) => {
                let length = country.places.len() + 4;
                Some(length + (length - 1) / 4)
            }
        }
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
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
            keyed: Keyed::new(Kind::Iban, keys.masking, seed),
            permutation: permutation.transpose()?,
            country: self.country,
        }))
    }
}

/// `iban` with its key.
struct Mask {
    keyed: Keyed,
    /// Where every number needs an output of its own.
    permutation: Option<Permutation>,
    country: Option<&'static Country>,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        let Datum::Text(text) = value else {
            return Err(mismatch(DEFINITION.name, ValueType::Text));
        };
        let Some(given) = Number::read(&text) else {
            let detail = "It must have the length and the characters of its country and right \
                          check digits, with spaces or hyphens between them or without.";
            return unread(DEFINITION.name, &text, "no account number", detail);
        };
        let (country, like) = match self.country {
            Some(country) if country.code != given.country.code => (country, None),
            _ => (given.country, Some(&given)),
        };
        let made = match &self.permutation {
            None => {
                let mut stream = self.keyed.stream(given.as_bytes());
                Number::drawn(country, like, &mut stream)
            }
            // Otherwise two texts would share their output.
            Some(_) if has_both_cases(&text) => {
                let detail = "With \"keep_unique\" its letters must be all capitals or all small.";
                return Err(outside(DEFINITION.name, "of mixed case", detail));
            }
            Some(permutation) => given.permuted(permutation)?,
        };
        let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
        let cased = |c: u8| {
            let c = if lower { c.to_ascii_lowercase() } else { c };
            char::from(c)
        };
        let mut characters = made.as_bytes().iter().copied().map(cased);
        Ok(Some(Datum::text(match like {
            Some(_) => {
                let put = |c| {
                    if is_mark(c) {
                        Some(c)
                    } else {
                        characters.next()
                    }
                };
                text.chars().filter_map(put).collect::<String>()
            }
            None => {
                let grouped = text.contains(is_mark);
                let mut out = String::with_capacity(made.length + made.length / 4);
                for (n, c) in characters.enumerate() {
                    if grouped && n > 0 && n % 4 == 0 {
                        out.push(' ');
                    }
                    out.push(c);
                }
                out
            }
        })))
    }
}

/// An account number without spaces, in capitals.
#[derive(Clone, Copy)]
struct Number {
    country: &'static Country,
    characters: [u8; LONGEST],
    length: usize,
}

impl Number {
    /// Reads a valid one.
    fn read(text: &str) -> Option<Self> {
        let (mut characters, mut length) = ([0; LONGEST], 0);
        for c in text.chars().filter(|&c| !is_mark(c)) {
            let c = u8::try_from(c).ok().filter(u8::is_ascii_alphanumeric)?;
            *characters.get_mut(length)? = c.to_ascii_uppercase();
            length += 1;
        }
        let code = std::str::from_utf8(characters.get(..2)?).ok()?;
        let country = registry::country(code)?;
        let fits = length == country.places.len() + 4
            && characters[2..4].iter().all(u8::is_ascii_digit)
            && country
                .places
                .iter()
                .zip(&characters[4..])
                .all(|(class, &character)| class.holds(character));
        let number = Self {
            country,
            characters,
            length,
        };
        (fits && number.remainder() == 1).then_some(number)
    }

    /// Draws one; where either a digit or a letter may stand, as another has it.
    fn drawn(country: &'static Country, like: Option<&Self>, stream: &mut Stream<'_>) -> Self {
        let mut made = Self {
            country,
            characters: [b'0'; LONGEST],
            length: country.places.len() + 4,
        };
        let code = country.code.as_bytes().iter();
        let (head, number) = made.characters[..made.length].split_at_mut(4);
        head.iter_mut().zip(code).for_each(|(place, c)| *place = *c);
        for (place, (class, character)) in country.places.iter().zip(&mut *number).enumerate() {
            if country.is_check(place) {
                continue;
            }
            let letter = match class {
                Class::Letter => true,
                Class::Digit => false,
                Class::Either => like.is_some_and(|like| like.characters[place + 4] > b'9'),
            };
            *character = if letter {
                b'A' + stream.below(26)
            } else {
                b'0' + stream.below(10)
            };
        }
        made.check();
        made
    }

    /// Puts in the check digits.
    fn check(&mut self) {
        if let Some(rule) = self.country.rule {
            rule.apply(&mut self.characters[4..self.length]);
        }
        self.characters[2..4].copy_from_slice(b"00");
        let check = 98 - self.remainder();
        self.characters[2] = b'0' + check / 10;
        self.characters[3] = b'0' + check % 10;
    }

    /// Encrypts it among the numbers that have their digits and letters in the same places.
    fn permuted(&self, permutation: &Permutation) -> Result<Self> {
        let mut made = *self;
        made.check();
        if made.as_bytes() != self.as_bytes() {
            let detail = "With \"keep_unique\" the check digits of its country must be right too.";
            return Err(outside(DEFINITION.name, "mistyped", detail));
        }
        let is_letter = |at: usize| self.characters[at] > b'9';
        let base = |at| if is_letter(at) { 26_u128 } else { 10 };
        let first = |at| if is_letter(at) { b'A' } else { b'0' };
        let free = (4..self.length).filter(|at| !self.country.is_check(at - 4));
        let mut class = self.country.code.as_bytes().to_vec();
        let (mut number, mut size) = (0_u128, 1_u128);
        for at in free.clone() {
            class.push(first(at));
            size = size.saturating_mul(base(at));
            number = number
                .saturating_mul(base(at))
                .saturating_add((self.characters[at] - first(at)).into());
        }
        let part = Part {
            class: &class,
            kept: &[],
        };
        let moved = match size {
            ..=MOST => permutation.number(Way::Forth, number, size, part).ok(),
            _ => None,
        };
        let Some(mut rest) = moved else {
            let detail = "With \"keep_unique\" fewer of its places may hold letters.";
            return Err(outside(DEFINITION.name, "of too many letters", detail));
        };
        for at in free.rev() {
            let digit = u8::try_from(rest % base(at)).unwrap_or(0);
            made.characters[at] = first(at) + digit;
            rest /= base(at);
        }
        made.check();
        Ok(made)
    }

    fn as_bytes(&self) -> &[u8] {
        &self.characters[..self.length]
    }

    /// The remainder by 97, country and check digits last.
    fn remainder(&self) -> u8 {
        let (head, number) = self.as_bytes().split_at(4);
        mod_97(number.iter().chain(head).copied())
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, ' ' | '-')
}

fn has_both_cases(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_uppercase()) && text.bytes().any(|b| b.is_ascii_lowercase())
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::optional(
        "country",
        ParamKind::Text,
        "The country of the output, two letters; otherwise that of the value.",
    ),
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "false",
        "Encrypts the number (FF1), so that every one has an output of its own.",
    ),
];

/// The most numbers that are permuted.
const MOST: u128 = 1 << 127;

const LONGEST: usize = 34;

#[cfg(test)]
mod tests;
