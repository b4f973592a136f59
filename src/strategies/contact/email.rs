//! `email`: a keyed digest inside an address that can never reach anybody.
//!
//! The output is a valid address: a dot-atom (RFC 5321, 5322) at a domain reserved by RFC 2606 and
//! RFC 6761, or with `preserve_domain` at the input's own. Spellings of one address share one
//! pseudonym (trimmed, NFC, lower case); what is no address is masked like any other value. A
//! format may show the names of the person that the entity stands for (`person/draw.rs`); what
//! keeps addresses apart is the digest alone.

use super::format::{Format, Piece, is_host_name};
use crate::error::Result;
use crate::strategies::canonical;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::person::dictionary::{LOCALES, List, Locale};
use crate::strategies::person::draw::{GENDER, GENDERS, Gender, LOCALE, People, SEX};
use crate::strategies::person::spelling::push_ascii;
use crate::strategies::{Datum, Kind, ValueType};

/// `email` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, ValueType};
///
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Email, &Params::new())?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("Ada@Work.example")?;
/// assert!(made.starts_with("user_") && made.ends_with("@example.com"));
/// assert_eq!(made, mask.text("ada@work.example")?);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "email",
    version: 1,
    about: "Address at a reserved domain that stands for the given one",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[ENTITY, SEX],
    needs: Needs::Key,
    refuses: false,
    example: "anon_email('ada@work.example')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Email::new(reader)?)),
};

/// The parameters of `email`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Email {
    preserve_domain: bool,
    hash_length: u16,
    format: Format,
    locale: Locale,
    gender: Gender,
    /// Octets before the "@", at most.
    local: usize,
}

impl Email {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let hash_length = reader.int("hash_length", 20, 8..=64)?;
        let format = Format::parse(reader.text("format", FORMAT), DOMAIN)
            .map_err(|detail| reader.invalid("format", detail))?;
        reader.note("format", format.to_string());
        let (locale, gender) = (
            reader.word("locale", &LOCALES)?,
            reader.word("gender", &GENDERS)?,
        );
        let email = Self {
            preserve_domain: reader.bool("preserve_domain", false),
            hash_length,
            local: format.local_length(|piece| match piece {
                Piece::Hash => hash_length.into(),
                Piece::First => longest_first(locale, gender),
                Piece::Last => longest_family(locale),
                Piece::Text(text) => text.len(),
            }),
            format,
            locale,
            gender,
        };
        let (local, domain) = (email.local, email.format.domain.len());
        if local > LONGEST_LOCAL || local + 1 + domain > LONGEST_ADDRESS {
            let name = if reader.is_given("format") {
                "format"
            } else {
                "hash_length"
            };
            let detail = format!(
                "The part before the \"@\" would have {local} octets, of at most {LONGEST_LOCAL}, \
                 and the address {}, of at most {LONGEST_ADDRESS}.",
                local + 1 + domain
            );
            return Err(reader.invalid(name, detail));
        }
        Ok(email)
    }
}

/// The most octets of a first name in an address.
fn longest_first(locale: Locale, gender: Gender) -> usize {
    let lists = gender.lists(locale);
    let lengths = lists.iter().map(|list| longest_ascii(list, locale));
    lengths.max().unwrap_or(0)
}

/// The most octets of a family name in an address.
fn longest_family(locale: Locale) -> usize {
    let single = longest_ascii(locale.family(), locale);
    if locale.doubles_family() {
        2 * single + 1
    } else {
        single
    }
}

fn longest_ascii(list: &List, locale: Locale) -> usize {
    let mut out = String::new();
    let length = |name: &&str| {
        out.clear();
        push_ascii(name, locale == Locale::De, &mut out);
        out.len()
    };
    list.iter().map(length).max().unwrap_or(0)
}

impl Parsed for Email {
    fn properties(&self, _: ValueType) -> Properties {
        let bits = 4 * u32::from(self.hash_length);
        Properties {
            keeps_format: true,
            folds_spellings: true,
            collision_bits: Some(bits),
            survival: Survival::Bits(bits),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        let local = self.local;
        let kept = match (self.preserve_domain, input_max_chars) {
            (false, _) => 0,
            (true, None) => LONGEST_ADDRESS,
            (true, Some(max)) => (local + max).min(LONGEST_ADDRESS),
        };
        Some(kept.max(local + 1 + self.format.domain.len()))
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        let named = self.format.has_names();
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::Email, keys.masking, seed),
            people: named.then(|| People::new(keys.masking, seed, self.locale, self.gender)),
            email: self.clone(),
        }))
    }
}

/// `email` with its key.
struct Mask {
    email: Email,
    keyed: Keyed,
    people: Option<People>,
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
        let Email { format, locale, .. } = &self.email;
        let value = canonical::text(value);
        let of = row.one(0).unwrap_or(&value);
        let domain = self.kept_domain(&value).unwrap_or(&format.domain);
        let people = self.people.as_ref();
        let person = people.map(|people| people.draw(of, row.one(1)));
        let mut out = String::with_capacity(self.email.local + 1 + domain.len());
        for piece in &format.pieces {
            match (piece, &person) {
                (Piece::Text(text), _) => out.push_str(text),
                (Piece::Hash, _) => {
                    let digest = self.keyed.digest(of.as_bytes());
                    digest.push_hex(self.email.hash_length, &mut out);
                }
                (Piece::First, Some(person)) => {
                    push_ascii(person.first, *locale == Locale::De, &mut out);
                }
                (Piece::Last, Some(person)) => {
                    person.push_ascii_family(*locale == Locale::De, &mut out);
                }
                (_, None) => (),
            }
        }
        out.push('@');
        out.push_str(domain);
        out
    }

    fn kept_domain<'a>(&self, canonical: &'a str) -> Option<&'a str> {
        if !self.email.preserve_domain {
            return None;
        }
        let (local, domain) = canonical.rsplit_once('@')?;
        let fits = self.email.local + 1 + domain.len() <= LONGEST_ADDRESS;
        (fits && !local.is_empty() && is_host_name(domain)).then_some(domain)
    }
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "preserve_domain",
        ParamKind::Bool,
        "false",
        "Keeps the input's domain, which tells the organization and can reach real people.",
    ),
    ParamSpec::new(
        "hash_length",
        ParamKind::Int,
        "20",
        "Hexadecimal digits of the digest, 8 to 64.",
    ),
    ParamSpec::new(
        "format",
        ParamKind::Text,
        FORMAT,
        "The address, with {hash} for the digest and {first} and {last} for names; the domain must \
         be a reserved one.",
    ),
    LOCALE,
    GENDER,
];

const FORMAT: &str = "user_{hash}@example.com";
const DOMAIN: &str = "example.com";
const LONGEST_LOCAL: usize = 64;
const LONGEST_ADDRESS: usize = 254;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::Input;
    use crate::strategies::params::Value;

    fn email(params: &[(&str, Value)]) -> Result<Email, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Email::new(&Reader::new(Kind::Email, &params.collect())?)
    }

    fn mask(params: &[(&str, Value)]) -> Mask {
        let (key, email) = ([7; 32], email(params).unwrap());
        Mask {
            keyed: Keyed::new(Kind::Email, &key, Seed::new(1)),
            people: Some(People::new(&key, Seed::new(1), email.locale, email.gender)),
            email,
        }
    }

    #[test]
    fn email_keeps_the_domain() {
        for format in ["user_{hash}@example.com", "u{hash}@mail.test", "{hash}"] {
            let mask = mask(&[
                ("preserve_domain", Value::Bool(true)),
                ("format", Value::from(format)),
            ]);
            let domain = |address| {
                mask.text(address, Row::NONE)
                    .rsplit_once('@')
                    .unwrap()
                    .1
                    .to_owned()
            };
            assert_eq!(domain(" Alice@Corp.CO.uk "), "corp.co.uk");
            assert_eq!(domain("a@b@c.com"), "c.com");
        }
    }

    #[test]
    fn email_keeps_no_domain_that_is_none() {
        let mask = mask(&[("preserve_domain", Value::Bool(true))]);
        let long = format!("a@{}.com", "a.".repeat(130));
        for address in [
            "",
            "a",
            "a@",
            "a@localhost",
            "@b.com",
            "a@-b.com",
            "a@b..com",
            "a@b.com.",
            "a@b c.com",
            "a@[1.2.3.4]",
            "a@1.2.3.4",
            "a@müller.de",
            "a@b_c.com",
            &long,
        ] {
            assert!(
                mask.text(address, Row::NONE).ends_with("@example.com"),
                "{address}"
            );
        }
    }

    #[test]
    fn email_address_stays_within_254_octets() {
        let mask = mask(&[("preserve_domain", Value::Bool(true))]);
        let domain = |length: usize| format!("{}{}", "a.".repeat(length / 2 - 1), "com");
        for (length, kept) in [(227, true), (229, false)] {
            let domain = domain(length - 1);
            assert_eq!(domain.len(), length);
            let out = mask.text(&format!("a@{domain}"), Row::NONE);
            assert_eq!(out.ends_with(&domain), kept);
            assert!(out.len() <= 254);
        }
    }

    #[test]
    fn email_unites_spellings() {
        let mask = mask(&[]);
        assert_eq!(
            mask.text("zoë@x.com", Row::NONE),
            mask.text("\u{a0}ZOE\u{308}@X.com ", Row::NONE)
        );
        assert_eq!(mask.text("a@b.c", Row::NONE).len(), 37);
    }

    #[test]
    fn email_refuses_a_bad_format() {
        for format in [
            "",
            "user@example.com",
            "{hash}{hash}@example.com",
            "{hash}@{hash}.test",
            "{hash.__class__}@example.com",
            "{{hash}}@example.com",
            "user@{hash}.example.com",
            "{hash}@corp.com",
            "{hash}@test.local",
            "{hash}@notexample.com",
            "{hash}@example.com.",
            "{hash}@localhost",
            "{hash}@",
            "{hash}@a@example.com",
            ".{hash}@example.com",
            "a..{hash}@example.com",
            "{hash}.@example.com",
            "ü{hash}@example.com",
            "a {hash}@example.com",
            "{hash}\n@example.com",
            "\"{hash}\"@example.com",
        ] {
            let refused = email(&[("format", Value::from(format))]).unwrap_err();
            assert_eq!(refused.param, "format", "{format}");
            assert!(refused.error.detail().is_some());
        }
    }

    #[test]
    fn email_adds_the_domain_a_format_lacks() {
        let params = [("format".to_owned(), Value::from("{hash}"))].into();
        let strategy = crate::strategies::Strategy::new(Kind::Email, &params).unwrap();
        let effective = strategy.effective_params();
        assert_eq!(effective["format"], Value::from("{hash}@example.com"));
    }

    #[test]
    fn email_local_part_stays_within_64_octets() {
        assert!(email(&[("hash_length", Value::Int(59))]).is_ok());
        let refused = email(&[("hash_length", Value::Int(60))]).unwrap_err();
        assert_eq!(refused.param, "hash_length");
        assert!(
            email(&[
                ("hash_length", Value::Int(64)),
                ("format", Value::from("{hash}"))
            ])
            .is_ok()
        );
    }

    #[test]
    fn email_shows_the_names_of_the_person() {
        for (locale, of) in LOCALES {
            let mask = mask(&[
                ("format", Value::from("{first}.{last}.{hash}@mail.test")),
                ("locale", Value::from(locale)),
            ]);
            let people = People::new(&[7; 32], Seed::new(1), of, Gender::Any);
            for n in 0..300 {
                let entity = n.to_string();
                let inputs = [Input::One(&entity), Input::One("f")];
                let person = people.draw(&entity, Some("f"));
                let mut names = String::new();
                push_ascii(person.first, of == Locale::De, &mut names);
                names.push('.');
                person.push_ascii_family(of == Locale::De, &mut names);
                let out = mask.text("Some.Body@corp.com", Row(&inputs));
                let (before, hash) = out.rsplit_once("@mail").unwrap().0.split_at(names.len());
                assert_eq!(before, names);
                assert_eq!(hash.len(), 21);
                assert!(out.len() <= 64 + 10 && out.is_ascii(), "{out}");
            }
        }
    }

    #[test]
    fn email_is_drawn_from_the_entity_as_it_is() {
        let mask = mask(&[("preserve_domain", Value::Bool(true))]);
        let of = |value, entity| mask.text(value, Row(&[Input::One(entity)]));
        assert_eq!(of("a@b.com", "17"), of("c@b.com", "17"));
        assert!(of("a@b.com", "17").ends_with("@b.com"));
        assert_ne!(of("a@b.com", "17"), of("a@b.com", "17 "));
        assert_eq!(
            of("x", "a@b.com"),
            mask.text("A@b.com", Row::NONE)
                .replace("b.com", "example.com")
        );
    }

    #[test]
    fn email_leaves_room_for_the_longest_names() {
        for (locale, of) in LOCALES {
            let format = |before: usize| {
                let format = format!("{}{{first}}.{{last}}.{{hash}}", "x".repeat(before));
                email(&[
                    ("format", Value::from(&*format)),
                    ("locale", Value::from(locale)),
                ])
            };
            let names = longest_first(of, Gender::Any) + 1 + longest_family(of) + 1 + 20;
            assert!(format(LONGEST_LOCAL - names).is_ok(), "{locale} {names}");
            assert_eq!(
                format(LONGEST_LOCAL - names + 1).unwrap_err().param,
                "format"
            );
        }
    }
}
