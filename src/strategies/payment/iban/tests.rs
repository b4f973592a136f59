//! Account numbers: valid ones of every country, what stays of a text, and what is refused.

use std::collections::HashSet;

use super::*;
use crate::error::Kind as Error;
use crate::strategies::Strategy;
use crate::strategies::params::{Params, Value};

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

fn unique() -> Box<dyn Apply> {
    let params = Params::from([("keep_unique".to_owned(), Value::Bool(true))]);
    let strategy = Strategy::new(Kind::Iban, &params).unwrap();
    assert!(strategy.properties(ValueType::Text).injective);
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    let iban = Iban::new(&Reader::new(Kind::Iban, &params).unwrap()).unwrap();
    iban.compile(&keys, Seed::new(1), ValueType::Text).unwrap()
}

#[test]
fn iban_with_keep_unique_is_valid_in_every_country() {
    let mask = unique();
    for country in registry::countries() {
        let keyed = Keyed::new(Kind::Iban, &[7; 32], Seed::new(1));
        let given = Number::drawn(country, None, &mut keyed.stream(b""));
        let given = String::from_utf8_lossy(given.as_bytes()).into_owned();
        let made = text(&*mask, &given);
        assert_ne!(made, given);
        assert_eq!((made.len(), &made[..2]), (given.len(), country.code));
        let read = Number::read(&made).unwrap();
        let mut checked = read;
        checked.check();
        assert_eq!(checked.as_bytes(), read.as_bytes());
    }
}

#[test]
fn iban_with_keep_unique_gives_every_number_its_own() {
    let mask = unique();
    let country = registry::country("BE").unwrap();
    let numbers = (0..200_000_u32).map(|n| {
        let mut given = Number {
            country,
            characters: [b'0'; LONGEST],
            length: 16,
        };
        given.characters[..2].copy_from_slice(b"BE");
        given.characters[4..14].copy_from_slice(format!("{n:010}").as_bytes());
        given.check();
        text(&*mask, &String::from_utf8_lossy(given.as_bytes()))
    });
    assert_eq!(numbers.collect::<HashSet<_>>().len(), 200_000);
    // The same number in another notation is another text.
    let all: HashSet<_> = [
        "BE68539007547034",
        "be68539007547034",
        "BE68 5390 0754 7034",
    ]
    .map(|value| text(&*mask, value))
    .into();
    assert_eq!(all.len(), 3);
}

#[test]
fn iban_with_keep_unique_refuses_what_would_share_an_output() {
    let mask = unique();
    // Mixed case, wrong digits of Spain behind right ones of the world, letters without end.
    let mut long = Number::read(VALUES[5]).unwrap();
    long.characters[8..].fill(b'0');
    long.characters[13..31].fill(b'Z');
    long.check();
    let mut wrong = Number::read(VALUES[3]).unwrap();
    wrong.characters[12] = b'0' + (wrong.characters[12] - b'0' + 1) % 10;
    wrong.characters[2..4].copy_from_slice(b"00");
    let check = 98 - wrong.remainder();
    wrong.characters[2..4].copy_from_slice(&[b'0' + check / 10, b'0' + check % 10]);
    assert!(Number::read(&String::from_utf8_lossy(wrong.as_bytes())).is_some());
    let wrong = String::from_utf8_lossy(wrong.as_bytes()).into_owned();
    for value in ["Gb82west12345698765432", &wrong] {
        let refused = mask.apply(Datum::text(value), Row::NONE).unwrap_err();
        assert!(refused.is_about_the_value(), "{value}");
    }
    let params = [
        ("country".to_owned(), Value::from("DE")),
        ("keep_unique".to_owned(), Value::Bool(true)),
    ];
    let refused = Strategy::new(Kind::Iban, &params.into()).unwrap_err();
    assert_eq!(refused.param, "country");
    // 26^22 with 10^5 is the most a country of the registry has; it is taken.
    assert!(Number::read(&text(&*mask, &String::from_utf8_lossy(long.as_bytes()))).is_some());
}
