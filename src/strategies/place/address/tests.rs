//! The parts of an address, what keeps it unique, and the data it is drawn from.

use super::*;
use crate::strategies::params::Value;
use crate::strategies::place::streets;
use crate::strategies::{Input, Kind};

fn address(params: &[(&str, Value)]) -> Result<Address, ParamError> {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    Address::new(&Reader::new(Kind::Address, &params.collect())?)
}

fn mask(part: &str, country: &str, keep_case: bool) -> Box<dyn Apply> {
    let address = address(&[
        ("part", Value::from(part)),
        ("country", Value::from(country)),
        ("keep_case", Value::Bool(keep_case)),
    ]);
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    let address = address.unwrap();
    address
        .compile(&keys, Seed::new(1), ValueType::Text)
        .unwrap()
}

fn text(mask: &dyn Apply, value: &str, entity: Option<&str>) -> String {
    let input = entity.map_or(Input::None, Input::One);
    match mask.apply(Datum::text(value), Row(&[input])) {
        Ok(Some(Datum::Text(text))) => text.into_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn address_parts_of_one_entity_agree() {
    for country in ["us", "fr", "de", "es", "pt", "gb", "br", "any"] {
        let part = |part: &str, entity: &str| text(&*mask(part, country, false), "x", Some(entity));
        for n in 0..50 {
            let entity = n.to_string();
            let full = part("full", &entity);
            for name in ["line", "city", "postcode"] {
                assert!(full.contains(&part(name, &entity)), "{full}: {name}");
            }
            let (line, street) = (part("line", &entity), part("street", &entity));
            assert!(line.contains(&street), "{line}: {street}");
            let code = part("country_code", &entity);
            let all = cities::countries();
            let drawn = all.iter().find(|country| country.code == code).unwrap();
            assert_eq!(part("country", &entity), drawn.name);
            let city = part("city", &entity);
            let region = (part("region_code", &entity), part("region", &entity));
            assert!(drawn.cities.iter().any(
                |of| of.name == city && (of.region.0, of.region.1) == (&*region.0, &*region.1)
            ));
        }
    }
}

#[test]
fn address_is_unique_by_a_tail_that_all_parts_share() {
    let of = |part: &str, country: &str, unique| {
        let params = [("part", part), ("country", country)].map(|(k, v)| (k, Value::from(v)));
        let params = [&params[..], &[("keep_unique", Value::Bool(unique))]].concat();
        address(&params).unwrap()
    };
    let compiled = |address: &Address| {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        address
            .compile(&keys, Seed::new(1), ValueType::Text)
            .unwrap()
    };
    for (country, _) in COUNTRIES {
        let [full, line, street] = ["full", "line", "street"].map(|part| of(part, country, true));
        for address in [&full, &line, &street] {
            let properties = address.properties(ValueType::Text);
            assert_eq!(properties.collision_bits, Some(tail::BITS));
            assert_eq!(properties.survival, Survival::Bits(tail::BITS));
        }
        let [full, line, street] = [full, line, street].map(|address| compiled(&address));
        let plain = compiled(&of("full", country, false));
        let mut seen = std::collections::HashSet::new();
        for n in 0..20_000 {
            let entity = n.to_string();
            let shown = text(&*street, "x", Some(&entity));
            if n < 200 {
                let [full, line] = [&full, &line].map(|mask| text(&**mask, "x", Some(&entity)));
                assert!(full.contains(&line) && line.contains(&shown), "{full}");
                let behind = &shown[shown.len() - tail::LENGTH..];
                let plain = text(&*plain, "x", Some(&entity));
                assert_eq!(full.replacen(behind, "", 1), plain);
            }
            // The word alone keeps them apart.
            assert!(seen.insert(shown[shown.len() - tail::LENGTH..].to_owned()));
        }
    }
}

#[test]
fn address_of_a_real_place_cannot_be_unique() {
    for (part, of) in PARTS {
        let params = [
            ("part", Value::from(part)),
            ("keep_unique", Value::Bool(true)),
        ];
        let made = address(&params);
        assert_eq!(made.is_ok(), of.has_street());
        if let Err(refused) = made {
            assert_eq!(refused.param, "keep_unique");
            let detail = refused.error.detail().unwrap();
            assert!(detail.starts_with("A real place cannot be unique"));
        }
    }
}

#[test]
fn address_is_drawn_from_the_entity_alone() {
    let mask = mask("full", "us", false);
    assert_eq!(text(&*mask, "a", Some("1")), text(&*mask, "b", Some("1")));
    assert_ne!(text(&*mask, "a", Some("1")), text(&*mask, "a", Some(" 1")));
    assert_ne!(text(&*mask, "a", None), text(&*mask, "b", None));
}

#[test]
fn address_unites_spellings_and_masks_the_empty_text() {
    let mask = mask("full", "fr", false);
    assert_eq!(text(&*mask, " PARIS", None), text(&*mask, "paris", None));
    assert_eq!(text(&*mask, "", None), text(&*mask, "  ", None));
    assert!(text(&*mask, "", None).len() > 10);
}

#[test]
fn address_keeps_case_only_when_asked() {
    let plain = text(&*mask("full", "de", false), "KÖLN", None);
    let mask = mask("full", "de", true);
    assert_eq!(text(&*mask, "KÖLN", None), plain.to_uppercase());
    assert_eq!(text(&*mask, "köln", None), plain.to_lowercase());
    assert_eq!(text(&*mask, "Köln", None), plain);
    assert_eq!(text(&*mask, "123", None), text(&*mask, "123", None));
}

#[test]
fn address_countries_are_in_place() {
    for (name, place) in COUNTRIES {
        if let Some(place) = place {
            assert_eq!(cities::CODES[place], name);
        }
    }
}

#[test]
fn address_postal_codes_have_the_shape_of_the_country() {
    let shapes = [
        ("us", "99999"),
        ("fr", "99999"),
        ("de", "99999"),
        ("es", "99999"),
        ("pt", "9999-999"),
        ("br", "99999-999"),
    ];
    for (country, shape) in shapes {
        let mask = mask("postcode", country, false);
        for n in 0..500 {
            let code = text(&*mask, &n.to_string(), None);
            let digits = |c: char| if c.is_ascii_digit() { '9' } else { c };
            assert_eq!(code.chars().map(digits).collect::<String>(), shape);
        }
    }
    let mask = mask("postcode", "gb", false);
    for n in 0..500 {
        let code = text(&*mask, &n.to_string(), None);
        let (out, inward) = code.split_once(' ').unwrap();
        assert!((2..=4).contains(&out.len()), "{code}");
        assert!(out.starts_with(|c: char| c.is_ascii_uppercase()));
        let inward = inward.as_bytes();
        assert!(inward[0].is_ascii_digit() && inward.len() == 3);
        assert!(inward[1..].iter().all(|c| !b"CIKMOV".contains(c)));
    }
}

#[test]
fn address_refuses_words_it_does_not_know() {
    let refused = address(&[("part", Value::from("town"))]).unwrap_err();
    assert_eq!(refused.param, "part");
    let refused = address(&[("country", Value::from("uk"))]).unwrap_err();
    assert_eq!(refused.param, "country");
}

#[test]
fn address_bits_are_below_what_is_drawn() {
    for country in cities::countries() {
        let line = country.line_bits();
        assert!(line >= f64::from(LINE_BITS), "{}: {line}", country.code);
        assert!(line + 400f64.log2() >= f64::from(FULL_BITS));
    }
}

/// Whoever changes a file raises the version: other data are other pseudonyms.
#[test]
fn address_data_is_what_the_version_says() {
    use sha2::{Digest, Sha256};
    assert_eq!(DEFINITION.version, 1);
    let texts = cities::CODES.iter().zip(cities::TEXTS);
    let texts = texts.chain([(&"streets", streets::TEXT)]);
    for ((name, text), (pinned, hash)) in texts.zip(HASHES) {
        assert_eq!(*name, pinned);
        let found = hex::encode(Sha256::digest(text.as_bytes()));
        assert_eq!(found, hash, "{name}");
    }
}

const HASHES: [(&str, &str); 8] = [
    (
        "br",
        "3daea3f2cc6c283c095b88aeb1e69009310e17a061764db8d90ac818cb29eab7",
    ),
    (
        "de",
        "63169769e6f25e0bd4fae193e9afefa894591ed05eb0b335cb6008023b0f0fd0",
    ),
    (
        "es",
        "7a03816da80aa172d8aa078a034e8a49814849089ed4d9956b5c084a5a40040d",
    ),
    (
        "fr",
        "0916e3151cd758868113858f1cfbe72a3b694c7b2ff0523c96f4461368659669",
    ),
    (
        "gb",
        "e699874c8bc84b2534eb888382d19734f7825c6b3f615f9b029f99ffae0817e3",
    ),
    (
        "pt",
        "083940ba845878b3f646fbd009aa8f7d2995d0617bcf939c5f2b490428a71d8c",
    ),
    (
        "us",
        "b3783e8c0fe48e139586304e661d4d1a5e020c74e08305efb8ae0c2bf86fa546",
    ),
    (
        "streets",
        "c33c51180cfcb44738c018ea2b3e9510a8fbc178b39eef6460017f0a4b97b9c2",
    ),
];
