//! Properties of name, username, job, company, national_id, and of addresses that show names.

use std::borrow::Cow;
use std::collections::HashSet;

use confiture::strategies::{
    Datum, Input, Kind, Mask, Params, Row, Strategy, Value, ValueType, canonical,
};
use proptest::prelude::{Just, Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{prop_assert_ne, prop_oneof, proptest};
use proptest::sample::select;

use crate::masks::{KEY, compile, compile_with, params, strategy};

const DRAWN: [Kind; 4] = [Kind::Company, Kind::Job, Kind::Name, Kind::Username];
const LOCALES: [&str; 5] = ["de", "en", "es", "fr", "pt"];

fn mask(kind: Kind, pairs: &[(&str, Value)]) -> Mask {
    compile(&strategy(kind, pairs), ValueType::Text)
}

fn apply(mask: &Mask, value: &str, inputs: &[Input<'_>]) -> String {
    match mask.apply(Datum::text(value), Row(inputs)) {
        Ok(Some(Datum::Text(text))) => text.into_owned(),
        other => panic!("{other:?}"),
    }
}

fn locale() -> impl Generator<Value = Value> {
    select(&LOCALES[..]).prop_map(Value::from)
}

/// Parameters of every strategy that draws from lists; not all of them are valid.
fn drawn() -> impl Generator<Value = (Kind, Params)> {
    const PARTS: &[&str] = &["first", "full", "initials", "last", "middle", "second"];
    const GENDERS: &[&str] = &["any", "female", "male"];
    let most = prop_oneof![Just(None), (1..=255i64).prop_map(Some)];
    (
        select(&DRAWN[..]),
        locale(),
        select(PARTS),
        select(GENDERS),
        any::<(bool, bool)>(),
        most,
    )
        .prop_map(|(kind, locale, part, gender, (flag, unique), most)| {
            let mut pairs = vec![("locale", locale)];
            match kind {
                Kind::Company => pairs.push(("suffix", Value::Bool(flag))),
                Kind::Name => {
                    pairs.push(("part", Value::from(part)));
                    pairs.push(("keep_case", Value::Bool(flag)));
                }
                _ => {}
            }
            if matches!(kind, Kind::Name | Kind::Username) {
                pairs.push(("gender", Value::from(gender)));
            }
            pairs.push(("keep_unique", Value::Bool(unique)));
            if let Some(most) = most {
                pairs.push(("max_length", Value::Int(most)));
            }
            (kind, params(&pairs))
        })
}

proptest! {
    #[test]
    fn person_params_round_trip((kind, params) in drawn()) {
        if let Ok(strategy) = Strategy::new(kind, &params) {
            let again = Strategy::new(kind, strategy.effective_params()).unwrap();
            prop_assert_eq!(&strategy, &again);
            prop_assert_eq!(strategy.effective_params(), again.effective_params());
        }
    }

    #[test]
    fn person_masks_take_any_text_and_stay_within_their_limit(
        (kind, params) in drawn(), value in any::<String>(), entity in any::<Option<String>>(),
        sex in any::<Option<String>>(), seed in any::<i64>(),
    ) {
        if let Ok(strategy) = Strategy::new(kind, &params) {
            let inputs = [&entity, &sex].map(|text| text.as_deref().map_or(Input::None, Input::One));
            let mask = compile_with(&strategy, KEY, seed, ValueType::Text);
            let out = apply(&mask, &value, &inputs);
            let limit = strategy.output_limit(Some(value.chars().count())).unwrap();
            prop_assert!(!out.is_empty() && out.chars().count() <= limit, "{} {}", out, limit);
            let again = compile_with(&strategy, KEY, seed, ValueType::Text);
            prop_assert_eq!(apply(&again, &value, &inputs), out);
        }
    }

    #[test]
    fn person_spellings_share_one_output(
        value in any::<String>(), space in "[ \t\u{a0}\u{3000}]*", locale in locale(),
    ) {
        for kind in DRAWN {
            let mut pairs = vec![("locale", locale.clone())];
            if kind == Kind::Name {
                pairs.push(("keep_case", Value::Bool(false)));
            }
            let mask = mask(kind, &pairs);
            let spelled = format!("{space}{}{space}", canonical::text(&value));
            prop_assert_eq!(apply(&mask, &spelled, &[]), apply(&mask, &value, &[]));
        }
    }

    #[test]
    fn person_key_and_seed_select_the_pseudonym(
        value in "[a-z]{8}", seeds in any::<(i64, i64)>(), key in any::<[u8; 32]>(),
    ) {
        for kind in DRAWN {
            let strategy = Strategy::new(kind, &params(&[("keep_unique", Value::Bool(true))])).unwrap();
            let out = |key, seed| apply(&compile_with(&strategy, key, seed, ValueType::Text), &value, &[]);
            if seeds.0 != seeds.1 {
                prop_assert_ne!(out(KEY, seeds.0), out(KEY, seeds.1));
            }
            if key != KEY {
                prop_assert_ne!(out(KEY, seeds.0), out(key, seeds.0));
            }
        }
    }

    #[test]
    fn person_of_one_entity_is_the_same_in_all_columns(
        entity in any::<String>(), sex in select(&["f", "m", "", "Mrs", "h"][..]), locale in locale(),
        values in any::<[String; 5]>(),
    ) {
        let inputs = [Input::One(&entity), Input::One(sex)];
        let part = |part: &str| {
            let pairs = [("part", part.into()), ("locale", locale.clone()),
                ("keep_case", Value::Bool(false))];
            mask(Kind::Name, &pairs)
        };
        let full = apply(&part("full"), &values[0], &inputs);
        let first = apply(&part("first"), &values[1], &inputs);
        let last = apply(&part("last"), &values[2], &inputs);
        prop_assert_eq!(&full, &format!("{first} {last}"));
        let format = Value::from("{first}.{last}.{hash}");
        let email = mask(Kind::Email, &[("format", format), ("locale", locale.clone())]);
        let email = apply(&email, &values[3], &inputs);
        let username = mask(Kind::Username, &[("locale", locale.clone())]);
        let username = apply(&username, &values[4], &inputs);
        let names = |text: &str, cut: usize| text.rsplit_once('.').unwrap().0[..cut].to_owned();
        // A handle is cut where it would be too long.
        let local = email.split_once('@').unwrap().0;
        let cut = username.rsplit_once('.').unwrap().0.len();
        prop_assert_eq!(names(local, cut), names(&username, cut));
        let plain = |name: &str| name.to_lowercase().chars().next().filter(char::is_ascii);
        if let Some(letter) = plain(&first) {
            prop_assert!(local.starts_with(letter));
        }
    }

    #[test]
    fn email_with_names_is_a_valid_address(
        value in any::<String>(), entity in any::<String>(), locale in locale(),
        preserve in any::<bool>(),
        format in select(&["{first}.{last}.{hash}", "{hash}{last}", "x-{first}_{hash}"][..]),
    ) {
        let pairs = [("format", format.into()), ("locale", locale),
            ("preserve_domain", Value::Bool(preserve))];
        let strategy = Strategy::new(Kind::Email, &params(&pairs)).unwrap();
        let mask = compile_with(&strategy, KEY, 1, ValueType::Text);
        for inputs in [vec![], vec![Input::One(&entity)]] {
            let out = apply(&mask, &value, &inputs);
            let (local, domain) = out.split_once('@').unwrap();
            prop_assert!(local.len() <= 64 && out.len() <= 254 && !domain.contains('@'));
            let atom = |a: &str| !a.is_empty()
                && a.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
            prop_assert!(local.split('.').all(atom), "{}", out);
            let limit = strategy.output_limit(Some(value.chars().count())).unwrap();
            prop_assert!(out.len() <= limit);
        }
        let again = Strategy::new(Kind::Email, strategy.effective_params()).unwrap();
        prop_assert_eq!(again, strategy);
    }

    #[test]
    fn national_id_never_panics_and_keeps_the_notation(
        value in prop_oneof![any::<String>(), "[0-9XYZ2AB .-]{0,34}"],
        country in select(&["es", "fr", "us"][..]), entity in any::<Option<String>>(),
    ) {
        let mask = mask(Kind::NationalId, &[("country", country.into())]);
        let inputs = [entity.as_deref().map_or(Input::None, Input::One)];
        if let Ok(Some(Datum::Text(out))) = mask.apply(Datum::text(&*value), Row(&inputs)) {
            prop_assert_eq!(out.chars().count(), value.chars().count());
            for (from, to) in value.chars().zip(out.chars()) {
                prop_assert_eq!(from.is_alphanumeric(), to.is_alphanumeric());
                prop_assert!(from.is_alphanumeric() || from == to);
            }
        }
    }

    #[test]
    fn national_id_of_integers_keeps_the_digits_it_can(
        country in select(&["es", "fr", "us"][..]), value in any::<i64>(), digits in 0..16u32,
    ) {
        let strategy = Strategy::new(Kind::NationalId, &params(&[("country", country.into())]));
        let mask = compile_with(&strategy.unwrap(), KEY, 1, ValueType::Int64);
        for value in [value, value.rem_euclid(10_i64.pow(digits))] {
            if let Ok(out) = mask.int(value) {
                let most = if country == "fr" { 15 } else { 9 };
                prop_assert!((0..10_i64.pow(most)).contains(&out));
                prop_assert!(country != "fr" || value < 10_i64.pow(13) || out >= 10_i64.pow(13));
            }
        }
    }

    #[test]
    fn national_id_notations_share_their_digits(
        digits in "[12][0-9]{4}(0[1-9]|[1-8][0-9])[0-9]{6}", separator in "[ .-]{1}",
    ) {
        let mask = mask(Kind::NationalId, &[("country", "fr".into())]);
        let plain = apply(&mask, &digits, &[]);
        let spelled = format!("{}{separator}{}", &digits[..5], &digits[5..]);
        prop_assert_eq!(apply(&mask, &spelled, &[]).replace(&separator, ""), plain.clone());
        let with_key = apply(&mask, &format!("{digits}00"), &[]);
        prop_assert!(with_key.starts_with(&plain));
        let number: u64 = with_key[..13].parse().unwrap();
        prop_assert_eq!(with_key[13..].parse::<u64>().unwrap(), 97 - number % 97);
    }
}

#[test]
fn unique_names_do_not_collide_on_100_000_values() {
    for kind in DRAWN {
        let mask = mask(kind, &[("keep_unique", Value::Bool(true))]);
        let masked = (0..100_000).map(|n| apply(&mask, &format!("user {n}"), &[]));
        assert_eq!(masked.collect::<HashSet<_>>().len(), 100_000);
    }
}

/// Every name of a list comes out about as often as any other.
#[test]
fn names_are_drawn_evenly() {
    let mask = mask(Kind::Name, &[("part", "last".into())]);
    let mut counts = std::collections::HashMap::new();
    for n in 0..160_000 {
        let name: Cow<'_, str> = apply(&mask, &n.to_string(), &[]).into();
        *counts.entry(name.to_lowercase()).or_insert(0u32) += 1;
    }
    // 20 are expected of each of 8000; the standard deviation is 4.5.
    assert_eq!(counts.len(), 8000);
    assert!(counts.values().all(|&n| (1..60).contains(&n)));
}
