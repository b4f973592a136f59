//! What is written in place of a finding: the pseudonym of the column such a value would stand in.
//!
//! Every kind has the strategy that is made for it, with its default parameters and the keys and
//! seed of `text`, so a value has one pseudonym in a text and in a column. An IBAN or a URL that
//! its strategy refuses gets one from here, keyed by `text/iban` and `text/url`: an IBAN of the
//! same country, a host below `.example`. Whatever else is refused becomes its label.

use std::borrow::Cow;

use super::scan::names::{Names, Place, Word};
use super::scan::{Finding, Found};
use crate::error::{Error, Result};
use crate::strategies::checks::mod_97;
use crate::strategies::definition::{Seed, Subkeys};
use crate::strategies::keyed::{Keyed, Stream};
use crate::strategies::person::spelling::Shape;
use crate::strategies::{Kind, Mask, Params, Strategy, Value, ValueType};

/// The strategies of all kinds, with their keys.
pub(super) struct Table {
    email: Mask,
    phone: Mask,
    card: Mask,
    iban: Mask,
    own_iban: Keyed,
    ip: Mask,
    url: Mask,
    own_url: Keyed,
    spanish: Mask,
    french: Mask,
    american: Mask,
    first: Mask,
    middle: Mask,
    last: Mask,
}

impl Table {
    pub(super) fn new(keys: &Subkeys<'_>, seed: Seed) -> Result<Self> {
        let with = |kind: Kind, params: &[(&str, Value)]| {
            let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
            let strategy = Strategy::new(kind, &params.collect::<Params>()).map_err(Error::from)?;
            strategy.mask(keys, seed, ValueType::Text)
        };
        let plain = |kind| with(kind, &[]);
        let national = |country| with(Kind::NationalId, &[("country", Value::from(country))]);
        // Capitals are those of the text.
        let name = |part| {
            let part = ("part", Value::from(part));
            with(Kind::Name, &[part, ("keep_case", Value::Bool(false))])
        };
        let own = |label| Keyed::labeled(label, VERSION, keys.masking, seed);
        Ok(Self {
            email: plain(Kind::Email)?,
            phone: plain(Kind::Phone)?,
            card: plain(Kind::CreditCard)?,
            iban: plain(Kind::Iban)?,
            own_iban: own("text/iban"),
            ip: plain(Kind::Ip)?,
            url: plain(Kind::Url)?,
            own_url: own("text/url"),
            spanish: national("es")?,
            french: national("fr")?,
            american: national("us")?,
            first: name("first")?,
            middle: name("middle")?,
            last: name("last")?,
        })
    }

    /// Writes the pseudonym of a finding, or its label if there is none. `given` is what `names`
    /// was prepared from.
    pub(super) fn push(
        &self,
        text: &str,
        finding: &Finding,
        names: &Names,
        given: &[&str],
        out: &mut String,
    ) {
        let written = &text[finding.span.clone()];
        let word = finding.word.and_then(|word| names.word(word));
        let made = match (finding.what, word) {
            (Found::Name, Some(word)) => self.name(word, given, written),
            (what, _) => self.of(what, written),
        };
        out.push_str(made.as_deref().unwrap_or(finding.what.label()));
    }

    fn of<'a>(&self, what: Found, written: &'a str) -> Option<Cow<'a, str>> {
        match what {
            Found::Email => self.email.text(written).ok(),
            Found::Phone => self.phone.text(written).ok(),
            Found::Card => spaced(&self.card, written),
            Found::Iban => {
                spaced(&self.iban, written).or_else(|| Some(iban(&self.own_iban, written).into()))
            }
            Found::Ip => self.ip.text(written).ok(),
            Found::Url => {
                let made = self.url.text(written).ok();
                made.or_else(|| Some(url(&self.own_url, written).into()))
            }
            Found::NationalId => self.national(written).text(written).ok(),
            Found::Name => None,
        }
    }

    /// The strategy of the country whose form a number has.
    fn national(&self, written: &str) -> &Mask {
        let is_sign = |c: &char| c.is_ascii_alphanumeric();
        let ends = written.ends_with(|c: char| c.is_ascii_alphabetic());
        match written.chars().filter(is_sign).count() {
            15 => &self.french,
            _ if ends => &self.spanish,
            _ => &self.american,
        }
    }

    /// The part of a person's name that a word of it becomes, in the capitals of the text. A name
    /// of one word is a family name if it is the last of several.
    fn name(&self, word: &Word, given: &[&str], written: &str) -> Option<Cow<'static, str>> {
        let is_last = given.len() > 1 && word.name + 1 == given.len();
        let mask = match word.place {
            Place::First => &self.first,
            Place::Middle => &self.middle,
            Place::Last => &self.last,
            Place::Only if is_last => &self.last,
            Place::Only => &self.first,
        };
        let made = mask.text(given.get(word.name)?).ok()?;
        Some(Shape::of(written).write(made.into_owned()).into())
    }
}

/// What a strategy makes of a number that may have other spaces in it than it reads.
fn spaced<'a>(mask: &Mask, written: &'a str) -> Option<Cow<'a, str>> {
    if written.is_ascii() {
        return mask.text(written).ok();
    }
    let plain = |c: char| if c.is_whitespace() { ' ' } else { c };
    let plain: String = written.chars().map(plain).collect();
    let made = mask.text(&plain).ok()?;
    let back = |(made, written)| if made == ' ' { written } else { made };
    Some(made.chars().zip(written.chars()).map(back).collect())
}

/// The digits and letters of a number, in capitals.
fn signs(written: &str) -> Vec<u8> {
    let signs = written.bytes().filter(u8::is_ascii_alphanumeric);
    signs.map(|sign| sign.to_ascii_uppercase()).collect()
}

/// Another digit for a digit, another letter for a letter.
fn redrawn(stream: &mut Stream<'_>, sign: u8) -> u8 {
    match sign {
        b'0'..=b'9' => b'0' + stream.below(10),
        _ => b'A' + stream.below(26),
    }
}

/// Writes signs in the notation of a number.
fn in_place(written: &str, signs: &[u8]) -> String {
    let mut signs = signs.iter();
    let mut next = |c: char| match c {
        c if c.is_ascii_lowercase() => signs
            .next()
            .map_or(c, |s| char::from(s.to_ascii_lowercase())),
        c if c.is_ascii_alphanumeric() => signs.next().map_or(c, |sign| char::from(*sign)),
        c => c,
    };
    written.chars().map(&mut next).collect()
}

/// An IBAN of the same country, with other letters for letters and other digits for digits.
fn iban(keyed: &Keyed, written: &str) -> String {
    let old = signs(written);
    let mut stream = keyed.stream(&old);
    let (head, body) = old.split_at(old.len().min(4));
    let body: Vec<u8> = body
        .iter()
        .map(|sign| redrawn(&mut stream, *sign))
        .collect();
    let country = head.iter().copied().take(2);
    let checked = body.iter().copied().chain(country.clone()).chain(*b"00");
    let check = format!("{:02}", 98 - mod_97(checked));
    let made: Vec<u8> = country.chain(check.bytes()).chain(body).collect();
    in_place(written, &made)
}

/// A URL of the same scheme at a host that does not exist, without path and query.
fn url(keyed: &Keyed, written: &str) -> String {
    let (scheme, rest) = match written.split_once("://") {
        Some((scheme, rest)) => (format!("{}://", scheme.to_ascii_lowercase()), rest),
        None => ("www.".to_owned(), &written[4.min(written.len())..]),
    };
    let mut out = scheme;
    keyed.digest(rest.as_bytes()).push_hex(16, &mut out);
    out.push_str(".example/");
    out
}

const VERSION: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::checks::spanish_letter;

    fn keyed(label: &str) -> Keyed {
        Keyed::labeled(label, VERSION, &[7; 32], Seed::new(1))
    }

    fn table() -> Table {
        Table::new(&Subkeys::new(&[7; 32], &[8; 32]), Seed::new(1)).unwrap()
    }

    #[test]
    fn replace_makes_ibans_of_what_the_strategy_refuses() {
        let table = table();
        // Right by its check digits; the bank of Great Britain has letters.
        for written in ["GB58 1234 6016 1331 9268 19", "gb58123460161331926819"] {
            assert!(table.iban.text(written).is_err());
            let made = table.of(Found::Iban, written).unwrap();
            let signs = signs(&made);
            let moved = signs[4..].iter().chain(&signs[..4]).copied();
            assert_eq!((&signs[..2], mod_97(moved)), (&b"GB"[..], 1));
            assert_eq!(made.len(), written.len());
            assert_ne!(made, written);
        }
    }

    #[test]
    fn replace_makes_urls_of_what_the_strategy_refuses() {
        let table = table();
        let written = "HTTPS://work.example:99999/ada?x=1";
        assert!(table.url.text(written).is_err());
        let made = table.of(Found::Url, written).unwrap();
        assert!(
            made.starts_with("https://") && made.ends_with(".example/"),
            "{made}"
        );
        assert!(url(&keyed("text/url"), "www.work.example").starts_with("www."));
    }

    #[test]
    fn replace_reads_numbers_with_any_space_in_them() {
        let table = table();
        for (what, number) in [
            (Found::Card, "4111 1111 1111 1111"),
            (Found::Iban, "GB29 NWBK 6016 1331 9268 19"),
        ] {
            let plain = table.of(what, number).unwrap();
            for space in ['\u{a0}', '\u{2009}', '\u{202f}'] {
                let written = number.replace(' ', space.encode_utf8(&mut [0; 4]));
                let made = table.of(what, &written).unwrap();
                assert_eq!(made.replace(space, " "), plain);
                assert_eq!(made.matches(space).count(), number.matches(' ').count());
            }
        }
    }

    #[test]
    fn replace_finds_the_country_of_a_number() {
        let table = table();
        for (written, start) in [("123-45-6789", "666-"), ("123 45 6789", "666 ")] {
            let made = table.of(Found::NationalId, written).unwrap();
            assert!(made.starts_with(start), "{made}");
        }
        let made = table.of(Found::NationalId, "12.345.678-z").unwrap();
        let number: u64 = made[..10].replace('.', "").parse().unwrap();
        let letter = spanish_letter(number).to_ascii_lowercase();
        assert_eq!(made.as_bytes().last(), Some(&letter));
        let made = table
            .of(Found::NationalId, "1 84 12 2A 451 089 33")
            .unwrap();
        assert!(made[10..].starts_with(" 9"), "{made}");
    }

    #[test]
    fn replace_gives_names_by_their_place() {
        let table = table();
        let given = ["Ada King Lovelace", "Grace", "Hopper"];
        let names = Names::new(&given);
        let made = |word: usize, written: &str| {
            let word = names.word(word).unwrap();
            table.name(word, &given, written).unwrap().into_owned()
        };
        let column = |mask: &Mask, name: &str| mask.text(name).unwrap().into_owned();
        assert_eq!(made(0, "Ada"), column(&table.first, given[0]));
        assert_eq!(made(1, "King"), column(&table.middle, given[0]));
        assert_eq!(made(2, "Lovelace"), column(&table.last, given[0]));
        assert_eq!(made(3, "Grace"), column(&table.first, "Grace"));
        assert_eq!(made(4, "Hopper"), column(&table.last, "Hopper"));
        assert_eq!(made(0, "ADA"), made(0, "Ada").to_uppercase());
        assert_eq!(made(0, "ada"), made(0, "Ada").to_lowercase());
    }
}
