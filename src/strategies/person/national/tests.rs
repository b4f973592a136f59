//! Numbers of states: their checks, what belongs to nobody, and what is refused.

use std::collections::HashSet;

use super::*;
use crate::strategies::Input;
use crate::strategies::params::Value;

fn id(params: &[(&str, Value)]) -> Result<NationalId, ParamError> {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    NationalId::new(&Reader::new(Kind::NationalId, &params.collect())?)
}

fn mask(country: &str, keep_birth: bool) -> Mask {
    let params = [
        ("country", Value::from(country)),
        ("keep_birth", Value::Bool(keep_birth)),
    ];
    Mask {
        id: id(&params).unwrap(),
        keyed: Keyed::new(Kind::NationalId, &[7; 32], Seed::new(1)),
        unique: None,
        of: ValueType::Text,
    }
}

fn text(country: &str, value: &str) -> Result<String> {
    mask(country, false).text(value, Row::NONE)
}

/// Examples that are often printed: the checks of this file hold for them.
#[test]
fn national_id_knows_the_checks() {
    for (number, letter) in [("12345678", b'Z'), ("X1234567", b'L'), ("Z0000000", b'M')] {
        assert_eq!(spanish_letter(&Signs::read(number).unwrap()), letter);
    }
    // 2 69 05 49 588 157 80.
    assert_eq!(97 - 2_690_549_588_157_u64 % 97, 80);
}

#[test]
fn national_id_of_france_has_a_valid_key_and_belongs_to_nobody() {
    let mask = mask("fr", false);
    for n in 0..3000_u64 {
        let out = mask
            .text(&format!("{:013}99", 1_840_000_000_000 + n), Row::NONE)
            .unwrap();
        let number = |from: usize, to: usize| out[from..to].parse::<u64>().unwrap();
        assert_eq!(number(13, 15), 97 - number(0, 13) % 97);
        assert!((1..=2).contains(&number(0, 1)) && (1..=12).contains(&number(3, 5)));
        assert!((1..=90).contains(&number(5, 7)) && number(5, 7) != 20);
        assert!((910..990).contains(&number(7, 10)) && number(10, 13) > 0);
    }
}

#[test]
fn national_id_of_france_reads_corsica_and_keeps_the_notation() {
    for (value, shape) in [
        ("2 69 05 2A 588 157 80", "# ## ## ## ### ### ##"),
        ("269052b588157", "#############"),
        ("2.69.05.49.588.157-80", "#.##.##.##.###.###-##"),
    ] {
        let out = text("fr", value).unwrap();
        let seen: String = out
            .chars()
            .map(|c| if c.is_ascii_digit() { '#' } else { c })
            .collect();
        assert_eq!(seen, shape);
    }
    let (plain, spaced) = (
        text("fr", "269054958815780"),
        text("fr", "2 69 05 49 588 157"),
    );
    let spaced = spaced.unwrap().replace(' ', "");
    assert!(plain.unwrap().starts_with(&spaced));
    assert_ne!(
        text("fr", "269052A588157").unwrap(),
        text("fr", "269052B588157").unwrap()
    );
}

#[test]
fn national_id_of_france_keeps_the_birth_only_when_asked() {
    let kept = mask("fr", true);
    for value in ["2690549588157", "1993100000001", "7000049588157"] {
        let out = kept.text(value, Row::NONE).unwrap();
        assert_eq!(out[..5], value[..5]);
        assert_ne!(out[5..], value[5..]);
    }
    let free = (0..100).filter(|n| {
        let out = text("fr", &format!("26905{n:08}")).unwrap();
        out.starts_with("26905")
    });
    assert!(free.count() < 5);
    for country in ["es", "us"] {
        let params = [
            ("country", Value::from(country)),
            ("keep_birth", Value::Bool(true)),
        ];
        assert_eq!(id(&params).unwrap_err().param, "keep_birth");
    }
}

#[test]
fn national_id_of_the_united_states_was_never_given() {
    let mut distinct = HashSet::new();
    for n in 0..3000 {
        let out = text("us", &format!("{:03}-45-{n:04}", 100 + n % 500)).unwrap();
        assert!(
            out.starts_with("666-") && &out[4..6] != "00" && &out[7..] != "0000",
            "{out}"
        );
        distinct.insert(out);
    }
    assert!(distinct.len() > 2980);
    assert_eq!(
        text("us", "123-45-6789").unwrap().replace('-', ""),
        text("us", "123456789").unwrap()
    );
}

#[test]
fn national_id_of_spain_has_a_valid_letter_and_keeps_its_kind() {
    for n in 0..1000_u64 {
        let dni = text("es", &format!("{n:08}-A")).unwrap();
        let number: u64 = dni[..8].parse().unwrap();
        let letter = checks::spanish_letter(number);
        assert_eq!(dni.as_bytes()[9], letter);
        let nie = text("es", &format!("y{n:07}a")).unwrap();
        let leading = nie[..1]
            .to_uppercase()
            .replace('X', "0")
            .replace('Y', "1")
            .replace('Z', "2");
        let number: u64 = format!("{leading}{}", &nie[1..8]).parse().unwrap();
        let letter = checks::spanish_letter(number);
        assert_eq!(nie.as_bytes()[8], letter.to_ascii_lowercase());
        assert!(nie.starts_with(['x', 'y', 'z']));
    }
    assert_eq!(
        text("es", "12345678Z").unwrap()[..8],
        text("es", "12.345.678").unwrap().replace('.', "")
    );
}

#[test]
fn national_id_of_numbers_equals_that_of_texts() {
    for (country, number, written) in [
        ("fr", 2_690_549_588_157, "2690549588157"),
        ("fr", 269_054_958_815_780, "269054958815780"),
        ("us", 12_345_678, "012345678"),
        ("es", 1, "00000001"),
    ] {
        let int = mask(country, false).int(number, Row::NONE).unwrap();
        let text = text(country, written).unwrap();
        assert_eq!(format!("{int:0width$}", width = text.len()), text);
    }
}

#[test]
fn national_id_refuses_other_forms_without_the_value() {
    let cases = [
        ("fr", "269054958815"),
        ("fr", "26905495881578"),
        ("fr", "2690549588157800"),
        ("fr", "26905AB588157"),
        ("fr", "269052C588157"),
        ("fr", "A690549588157"),
        ("fr", "２690549588157"),
        ("us", "12345678"),
        ("us", "1234567890"),
        ("us", "12345678X"),
        ("es", "1234567"),
        ("es", "123456789"),
        ("es", "K1234567L"),
        ("es", "X12345678"),
        ("es", "ñ1234567L"),
        ("us", "é123456789"),
    ];
    for (country, value) in cases {
        let error = text(country, value).unwrap_err();
        assert_eq!(error.kind(), error::Kind::Data, "{value}");
        assert!(!format!("{error:?}").contains(value));
    }
    assert!(text("us", &"-".repeat(32)).is_err());
    assert!(text("us", &format!("123456789{}", "-".repeat(23))).is_ok());
    assert!(text("us", &format!("123456789{}", "-".repeat(24))).is_err());
    for (country, number) in [
        ("fr", -1),
        ("fr", 10_i64.pow(15)),
        ("fr", i64::MIN),
        ("fr", i64::MAX),
        ("us", 1_000_000_000),
        ("us", -1),
        ("es", 100_000_000),
        ("es", i64::MIN),
    ] {
        assert!(
            mask(country, false).int(number, Row::NONE).is_err(),
            "{number}"
        );
    }
    // Fourteen digits are neither a number nor a number with its key.
    assert!(
        mask("fr", false)
            .int(26_905_495_881_578, Row::NONE)
            .is_ok_and(|out| out > 0)
    );
}

#[test]
fn national_id_refuses_the_empty_and_the_blank_text() {
    for value in ["", " ", "--", "\u{a0}"] {
        assert_eq!(text("fr", value).unwrap_err().kind(), error::Kind::Blank);
    }
}

#[test]
fn national_id_is_drawn_from_the_entity_and_the_form_of_the_value() {
    let inputs = [Input::One("17")];
    let mask = mask("us", false);
    let out = mask.text("123-45-6789", Row(&inputs)).unwrap();
    assert_eq!(mask.text("999-99-9999", Row(&inputs)).unwrap(), out);
    assert_eq!(
        mask.text("999999999", Row(&inputs)).unwrap(),
        out.replace('-', "")
    );
}

#[test]
fn national_id_takes_integers_that_can_hold_it() {
    let accepts = |country: &str, of| {
        id(&[("country", Value::from(country))])
            .unwrap()
            .accepts(of)
    };
    assert!(!accepts("fr", ValueType::Int32) && accepts("fr", ValueType::Int64));
    assert!(accepts("us", ValueType::Int32) && accepts("es", ValueType::Int32));
    assert!(id(&[]).is_err() && id(&[("country", Value::from("de"))]).is_err());
}

fn unique(country: Country, keep_birth: bool) -> Mask {
    Mask {
        unique: Some(Unique::new(&[7; 32], Seed::new(1), country, keep_birth).unwrap()),
        ..mask(country.name(), keep_birth)
    }
}

#[test]
fn national_id_with_keep_unique_gives_every_number_its_own() {
    let (es, us) = (unique(Country::Es, false), unique(Country::Us, false));
    let mut seen = HashSet::new();
    for n in 0..200_000_i64 {
        let number = us
            .int(123_010_001 + n % 9999 + n / 9999 * 10_000, Row::NONE)
            .unwrap();
        let (area, group, serial) = (number / 1_000_000, number / 10_000 % 100, number % 10_000);
        assert!((1..900).contains(&area) && area != 666 && group > 0 && serial > 0);
        assert!(seen.insert(number));
        assert!(seen.insert(-es.int(n, Row::NONE).unwrap() - 1));
    }
    // A whole domain: Corsica in one month.
    let fr = unique(Country::Fr, true);
    let mut seen = vec![false; 1_000_000];
    for n in 0..1_000_000 {
        let out = fr.text(&format!("269052A{n:06}"), Row::NONE).unwrap();
        assert!(out.starts_with("269052A"));
        let number = out[7..].parse::<usize>().unwrap();
        assert!(!std::mem::replace(&mut seen[number], true));
    }
}

#[test]
fn national_id_with_keep_unique_has_a_right_check_and_keeps_the_form() {
    let made = |country, value: &str| unique(country, false).text(value, Row::NONE).unwrap();
    for value in ["12345678Z", "X1234567L", "z0000000m", "12.345.678-Z"] {
        let out = made(Country::Es, value);
        assert_eq!(out.len(), value.len());
        let signs = Signs::read(&out).unwrap();
        assert_eq!(spanish_letter(&signs), signs.signs[8], "{out}");
        assert_eq!(
            out.starts_with(|c: char| c.is_ascii_digit()),
            value.starts_with('1')
        );
        assert_eq!(
            out.contains(char::is_lowercase),
            value.contains(char::is_lowercase)
        );
    }
    for value in ["2 69 05 49 588 157 80", "1 84 12 2A 004 005 52"] {
        let body = Signs::read(value).unwrap();
        let key = format!("{:02}", french_key(&Signs { length: 13, ..body }));
        let value = format!("{}{key}", &value[..value.len() - 2]);
        let signs = Signs::read(&made(Country::Fr, &value)).unwrap();
        assert_eq!(
            signs.number(13, 15),
            french_key(&Signs {
                length: 13,
                ..signs
            })
        );
        assert!((1..=2).contains(&signs.number(0, 1)) && (1..=12).contains(&signs.number(3, 5)));
        assert_eq!(signs.signs[6] == b'A', value.contains('A'));
    }
}

#[test]
fn national_id_with_keep_unique_refuses_what_would_share_an_output() {
    for (country, value) in [
        (Country::Es, "12345678A"),
        (Country::Fr, "269054958815781"),
        (Country::Fr, "269134958815700"),
        (Country::Fr, "3690549588157"),
        (Country::Us, "000-12-3456"),
        (Country::Us, "666-12-3456"),
        (Country::Us, "900-12-3456"),
        (Country::Us, "123-00-3456"),
        (Country::Us, "123-45-0000"),
    ] {
        let refused = unique(country, false).text(value, Row::NONE).unwrap_err();
        assert!(refused.is_about_the_value(), "{value}");
    }
    let row = [Input::One("17")];
    let refused = unique(Country::Us, false)
        .text("123-45-6789", Row(&row))
        .unwrap_err();
    assert!(!refused.is_about_the_value());
    let params = [
        ("country", Value::from("us")),
        ("keep_unique", Value::Bool(true)),
    ];
    let strategy = id(&params).unwrap();
    assert!(strategy.properties(ValueType::Text).injective);
}
