//! `iban`: an account number of the same country and length, with valid check digits.
//!
//! ISO 13616 and the IBAN registry of SWIFT. Every character after the check digits is drawn anew
//! with the key: digits stay digits and letters letters. The check digits are made by ISO 7064 mod
//! 97-10, and those that a country has of its own where their rule is known (`national.rs`).

use crate::error::Result;
use crate::strategies::checks::mod_97;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch, unread,
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
}

impl Iban {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let Some(code) = reader.text_if_given("country") else {
            return Ok(Self { country: None });
        };
        match registry::country(&code.to_ascii_uppercase()) {
            Some(country) => {
                reader.note("country", country.code);
                Ok(Self {
                    country: Some(country),
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
            folds_spellings: true,
            collision_bits: Some(bits as u32),
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
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::Iban, keys.masking, seed),
            country: self.country,
        }))
    }
}

/// `iban` with its key.
struct Mask {
    keyed: Keyed,
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
        let mut stream = self.keyed.stream(given.as_bytes());
        let (country, like) = match self.country {
            Some(country) if country.code != given.country.code => (country, None),
            _ => (given.country, Some(&given)),
        };
        let made = Number::drawn(country, like, &mut stream);
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
        if let Some(rule) = country.rule {
            rule.apply(number);
        }
        let check = 98 - made.remainder();
        made.characters[2] = b'0' + check / 10;
        made.characters[3] = b'0' + check % 10;
        made
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

const PARAMS: &[ParamSpec] = &[ParamSpec::optional(
    "country",
    ParamKind::Text,
    "The country of the output, two letters; otherwise that of the value.",
)];

const LONGEST: usize = 34;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind as Error;
    use crate::strategies::params::Value;

    fn iban(country: Option<&str>) -> Result<Iban, ParamError> {
        let params = country.map(|code| ("country".to_owned(), Value::from(code)));
        Iban::new(&Reader::new(Kind::Iban, &params.into_iter().collect())?)
    }

    fn mask(country: Option<&str>) -> Box<dyn Apply> {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let iban = iban(country).unwrap();
        iban.compile(&keys, Seed::new(1), ValueType::Text).unwrap()
    }

    fn text(mask: &dyn Apply, value: &str) -> String {
        match mask.apply(Datum::text(value), Row::NONE) {
            Ok(Some(Datum::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    const VALUES: [&str; 6] = [
        "GB82WEST12345698765432",
        "DE89370400440532013000",
        "FR1420041010050500013M02606",
        "ES9121000418450200051332",
        "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S",
    ];

    #[test]
    fn iban_is_valid_in_every_country() {
        for country in registry::countries() {
            let keyed = Keyed::new(Kind::Iban, &[7; 32], Seed::new(1));
            let made = Number::drawn(country, None, &mut keyed.stream(b""));
            let made = String::from_utf8_lossy(made.as_bytes()).into_owned();
            assert!(Number::read(&made).is_some(), "{made}");
            let again = text(&*mask(None), &made);
            assert_ne!(again, made);
            assert_eq!((again.len(), &again[..2]), (made.len(), country.code));
            let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
            let letters = |text: &str| shape(text).replace(|c: char| c != '0', "A");
            assert_eq!(letters(&again), letters(&made));
            let read = Number::read(&again).unwrap();
            let mut number = read.as_bytes()[4..].to_vec();
            if let Some(rule) = country.rule {
                rule.apply(&mut number);
            }
            assert_eq!(number, read.as_bytes()[4..]);
        }
    }

    #[test]
    fn iban_keeps_spaces_and_case() {
        let mask = mask(None);
        for value in VALUES {
            let plain = text(&*mask, value);
            let mut spaced = String::from(" ");
            for (n, c) in value.chars().enumerate() {
                spaced.push(c);
                spaced.push_str(if n % 4 == 3 { " -" } else { "" });
            }
            let made = text(&*mask, &spaced);
            assert_eq!(made.replace(is_mark, ""), plain);
            let shape = |text: &str| text.replace(|c: char| !is_mark(c), "0");
            assert_eq!(shape(&made), shape(&spaced));
            assert_eq!(text(&*mask, &value.to_lowercase()), plain.to_lowercase());
        }
    }

    #[test]
    fn iban_country_can_be_named() {
        let mask = mask(Some("be"));
        for value in VALUES {
            let made = text(&*mask, value);
            assert!(made.len() == 16 && made.starts_with("BE"));
            assert!(Number::read(&made).is_some());
        }
        assert_eq!(text(&*mask, "DE89 3704 0044 0532 0130 00").len(), 19);
        // Its own stay as they are written.
        assert_eq!(text(&*mask, "BE68-5390 07547034").len(), 18);
        for country in ["XX", "", "DEU", "É"] {
            assert_eq!(iban(Some(country)).unwrap_err().param, "country");
        }
    }

    #[test]
    fn iban_refuses_what_is_none() {
        let mask = mask(None);
        for value in [
            "DE89370400440532013001",
            "DE8937040044053201300",
            "DE893704004405320130000",
            "XX89370400440532013000",
            "DEA9370400440532013000",
            "GB82123412345698765432",
            "DE8937040044053201300O",
            "DE89/3704/0044/0532/0130/00",
            "DE",
            "é",
            "ＤE89370400440532013000",
        ] {
            let refused = mask.apply(Datum::text(value), Row::NONE).unwrap_err();
            assert_eq!(refused.kind(), Error::Data, "{value}");
        }
        for value in ["", "  "] {
            let refused = mask.apply(Datum::text(value), Row::NONE).unwrap_err();
            assert_eq!(refused.kind(), Error::Blank);
        }
    }

    #[test]
    fn iban_bits_are_those_of_the_shortest_number() {
        let bits = |country| {
            iban(country)
                .unwrap()
                .properties(ValueType::Text)
                .collision_bits
        };
        assert_eq!(bits(None), Some(33));
        assert_eq!(bits(Some("BE")), Some(33));
        assert_eq!(bits(Some("DE")), Some(59));
        assert_eq!(bits(Some("FR")), Some(69));
    }

    /// Whoever changes the file raises the version: another structure is another pseudonym.
    #[test]
    fn iban_data_is_what_the_version_says() {
        use sha2::{Digest, Sha256};
        assert_eq!(DEFINITION.version, 1);
        assert_eq!(hex::encode(Sha256::digest(registry::TEXT.as_bytes())), HASH);
    }

    const HASH: &str = "027481a604dff920faecc4d3062eabee23f6dbda5188f9deaf5f384ec957b2a3";
}
