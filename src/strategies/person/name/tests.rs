//! The parts of a name, what fits into a column, and what is refused.

use std::collections::HashSet;

use super::*;
use crate::strategies::params::Value;
use crate::strategies::{Input, Kind};

fn name(params: &[(&str, Value)]) -> Result<Name, ParamError> {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    Name::new(&Reader::new(Kind::Name, &params.collect())?)
}

struct Test(Box<dyn Apply>);

impl Test {
    fn new(params: &[(&str, Value)]) -> Self {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let name = name(params).unwrap();
        Self(name.compile(&keys, Seed::new(1), ValueType::Text).unwrap())
    }

    fn apply(&self, value: &str, inputs: &[Input<'_>]) -> String {
        match self.0.apply(Datum::text(value), Row(inputs)) {
            Ok(Some(Datum::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn text(&self, value: &str) -> String {
        self.apply(value, &[])
    }
}

fn part(part: &str, locale: &str) -> Test {
    Test::new(&[("part", Value::from(part)), ("locale", Value::from(locale))])
}

#[test]
fn name_shows_parts_of_one_person_for_one_entity() {
    for (locale, _) in LOCALES {
        let [full, first, last, initials] =
            ["full", "first", "last", "initials"].map(|word| part(word, locale));
        for n in 0..300 {
            let entity = n.to_string();
            let inputs = [Input::One(&entity)];
            let whole = full.apply("Some Body", &inputs);
            let (first, last) = (first.apply("Some", &inputs), last.apply("Body", &inputs));
            assert_eq!(whole, format!("{first} {last}"));
            let letters: String = [&first, &last]
                .iter()
                .filter_map(|s| s.chars().next())
                .collect();
            assert_eq!(initials.apply("SB", &inputs), letters);
        }
    }
}

#[test]
fn name_has_a_middle_and_a_second_part_of_their_own() {
    let parts = ["first", "middle", "last", "second"].map(|word| part(word, "es"));
    let mut same = 0;
    for n in 0..1000 {
        let entity = n.to_string();
        let [first, middle, last, second] = parts
            .each_ref()
            .map(|part| part.apply("X", &[Input::One(&entity)]));
        same += usize::from(first == middle) + usize::from(last == second);
        let list = |name: &String, list: &List| list.contains(&&**name);
        let (female, male) = (Locale::Es.female(), Locale::Es.male());
        assert!(
            list(&middle, female) && list(&first, female)
                || list(&middle, male) && list(&first, male)
        );
        assert!(list(&second, Locale::Es.family()));
    }
    assert!(same < 6, "{same}");
}

#[test]
fn name_follows_the_sex_of_the_row() {
    let first = part("first", "fr");
    for n in 0..200 {
        let entity = n.to_string();
        let of = |sex| first.apply("X", &[Input::One(&entity), Input::One(sex)]);
        assert!(Locale::Fr.female().contains(&&*of("F")));
        assert!(Locale::Fr.male().contains(&&*of("Monsieur")));
        assert_eq!(of("?"), first.apply("X", &[Input::One(&entity)]));
    }
    let women = Test::new(&[
        ("gender", Value::from("female")),
        ("part", Value::from("first")),
    ]);
    let given = women.apply("Bob Smith", &[Input::None, Input::One("m")]);
    assert!(Locale::En.female().contains(&&*given));
}

#[test]
fn name_unites_spellings_and_keeps_capitals() {
    let mask = part("full", "de");
    let title = mask.text("Zoë Müller");
    assert_eq!(mask.text(" \u{a0}Zoe\u{308} Müller "), title);
    assert_eq!(mask.text("ZOË MÜLLER"), title.to_uppercase());
    assert_eq!(mask.text("zoë müller"), title.to_lowercase());
    let plain = Test::new(&[
        ("locale", Value::from("de")),
        ("keep_case", Value::Bool(false)),
    ]);
    assert_eq!(plain.text("ZOË MÜLLER"), title);
}

#[test]
fn name_masks_the_empty_and_the_blank_text_like_any_other() {
    let mask = part("full", "en");
    assert_eq!(mask.text(""), mask.text(" \t"));
    assert!(mask.text("").len() > 4);
    assert_ne!(mask.text(""), mask.text("."));
}

#[test]
fn name_fits_where_a_column_is_narrow() {
    for (locale, _) in LOCALES {
        for (word, _) in PARTS {
            for most in [2, 5, 8, 10, 12, 16, 20, 25, 30, 60] {
                let params = [
                    ("part", Value::from(word)),
                    ("locale", Value::from(locale)),
                    ("max_length", Value::Int(most)),
                ];
                let Ok(name) = name(&params) else {
                    assert!(most <= 8, "{locale} {word} {most}");
                    continue;
                };
                let limit = name.output_limit(None).unwrap();
                assert!(limit <= usize::try_from(most).unwrap());
                let mask = Test::new(&params);
                for n in 0..300 {
                    for value in [format!("X{n}X"), format!("x{n}x")] {
                        let out = mask.text(&value);
                        assert!(out.chars().count() <= limit && !out.is_empty(), "{out}");
                    }
                }
            }
        }
    }
}

#[test]
fn name_that_fits_is_the_same_whatever_the_length() {
    for (locale, _) in LOCALES {
        for word in ["full", "first", "last", "middle", "second"] {
            let most = if word == "full" { 18 } else { 8 };
            let short = [
                ("part", Value::from(word)),
                ("locale", Value::from(locale)),
                ("max_length", Value::Int(most)),
            ];
            let (all, short) = (part(word, locale), Test::new(&short));
            let mut changed = 0;
            for n in 0..500 {
                let (long, fitted) = (all.text(&n.to_string()), short.text(&n.to_string()));
                let fits = i64::try_from(width(&long)).unwrap() <= most;
                assert_eq!(long == fitted, fits, "{long} {fitted}");
                changed += usize::from(long != fitted);
            }
            assert!(changed > 0, "{locale} {word}");
        }
    }
}

#[test]
fn name_refuses_a_length_that_leaves_no_choice() {
    let cases = [
        ("first", 1, false),
        ("full", 4, false),
        ("initials", 1, false),
        ("last", 2, false),
        ("last", 27, true),
        ("full", 33, true),
        ("full", 0, false),
        ("full", 256, false),
        ("first", -1, false),
    ];
    for (word, most, unique) in cases {
        let params = [
            ("part", Value::from(word)),
            ("max_length", Value::Int(most)),
            ("keep_unique", Value::Bool(unique)),
        ];
        let refused = name(&params).unwrap_err();
        assert_eq!(refused.param, "max_length", "{word} {most}");
        assert!(refused.error.detail().is_some());
    }
    let refused = name(&[
        ("part", Value::from("initials")),
        ("keep_unique", Value::Bool(true)),
    ]);
    assert_eq!(refused.unwrap_err().param, "keep_unique");
}

#[test]
fn name_promises_the_bits_there_are() {
    let bits = |params: &[(&str, Value)]| {
        let properties = name(params).unwrap().properties(ValueType::Text);
        properties.collision_bits.unwrap()
    };
    let parts = ["first", "middle", "last", "second", "full", "initials"];
    for (locale, expected) in [
        ("en", [10, 10, 12, 12, 23, 0]),
        ("de", [10, 10, 12, 12, 22, 0]),
        ("es", [10, 10, 12, 12, 23, 0]),
        ("fr", [10, 10, 12, 12, 23, 0]),
        ("pt", [10, 10, 18, 9, 29, 0]),
    ] {
        let of = |part| bits(&[("part", Value::from(part)), ("locale", Value::from(locale))]);
        assert_eq!(parts.map(of), expected, "{locale}");
    }
    assert_eq!(
        bits(&[
            ("part", Value::from("first")),
            ("keep_unique", Value::Bool(true))
        ]),
        80
    );
    assert!(bits(&[("max_length", Value::Int(9))]) < 20);
}

/// Two of n values share a name about n² / 2N times.
#[test]
fn name_collides_as_rarely_as_promised() {
    for (locale, _) in LOCALES {
        let mask = part("full", locale);
        let names: HashSet<String> = (0..20_000).map(|n| mask.text(&n.to_string())).collect();
        assert!(20_000 - names.len() < 40, "{locale} {}", names.len());
    }
}

#[test]
fn name_is_unique_by_a_tail_that_all_parts_share() {
    let unique = |word: &str| {
        Test::new(&[
            ("part", Value::from(word)),
            ("keep_unique", Value::Bool(true)),
        ])
    };
    let (full, last) = (unique("full"), unique("last"));
    let mut seen = HashSet::new();
    for n in 0..20_000 {
        let (whole, last) = (full.text(&n.to_string()), last.text(&n.to_string()));
        assert!(whole.ends_with(&format!(" {last}")), "{whole} {last}");
        assert!(seen.insert(whole));
    }
}

#[test]
fn name_takes_any_text() {
    for (word, _) in PARTS {
        let mask = part(word, "pt");
        for value in ["\u{0}", "İ", "ß", "\u{202e}", "😀😀", &"Ǆ".repeat(50_000)] {
            assert!(!mask.text(value).is_empty());
        }
    }
}

/// What the documentation promises of the languages, counted where it comes out.
#[test]
fn name_has_2000_first_and_5000_family_names_in_every_language() {
    for (locale, _) in LOCALES {
        let distinct = |word| {
            let mask = part(word, locale);
            let names = (0..60_000).map(|n| mask.text(&format!("P{n} x")));
            names.collect::<HashSet<_>>().len()
        };
        let (first, family) = (distinct("first"), distinct("last"));
        assert!(
            first >= 2000 && family >= 5000,
            "{locale}: {first} {family}"
        );
    }
}
