//! Properties of choices, dictionaries and constants, and of randomized response.

use std::collections::BTreeMap;

use confiture::strategies::literal;
use confiture::strategies::{Datum, Input, Kind, Row, Seed, Strategy, Subkeys, Value, ValueType};
use proptest::collection::{btree_map, vec};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;

use crate::masks::{compile, strategy};

fn list(texts: &[String]) -> Value {
    Value::List(texts.iter().map(|text| Value::from(&**text)).collect())
}

fn dictionary(pairs: &BTreeMap<String, String>) -> Value {
    Value::Map(
        pairs
            .iter()
            .map(|(from, to)| (from.clone(), Value::from(&**to)))
            .collect(),
    )
}

proptest! {
    #[test]
    fn choice_is_always_one_of_the_list(
        values in vec("[^\0]{0,20}", 1..40), weights in vec(1..1_000_i64, 40),
        value in any::<String>(), entity in any::<String>(),
    ) {
        let weights = weights[..values.len()].iter().copied().map(Value::Int).collect();
        let given = [("choices", list(&values)), ("weights", Value::List(weights))];
        for given in [&given[..1], &given[..]] {
            let strategy = strategy(Kind::Choice, given);
            let again = Strategy::new(Kind::Choice, strategy.effective_params()).unwrap();
            prop_assert_eq!(&strategy, &again);
            let limit = strategy.output_limit(None).unwrap();
            let mask = compile(&strategy, ValueType::Text);
            let out = mask.text(&value).unwrap().into_owned();
            prop_assert!(values.contains(&out) && out.chars().count() <= limit);
            let row = [Input::One(&entity)];
            let other = mask.apply(Datum::text(&*value), Row(&row)).unwrap();
            prop_assert_eq!(other, mask.apply(Datum::text("x"), Row(&row)).unwrap());
        }
    }

    #[test]
    fn map_answers_exactly_what_stands_in_it(
        pairs in btree_map("[^\0]{0,9}", "[^\0]{0,9}", 1..30), value in any::<String>(),
        on_miss in select(vec!["error", "null", "keep", "hash"]),
    ) {
        let given = [("pairs", dictionary(&pairs)), ("on_miss", on_miss.into())];
        let strategy = strategy(Kind::Map, &given);
        let again = Strategy::new(Kind::Map, strategy.effective_params()).unwrap();
        prop_assert_eq!(&strategy, &again);
        let mask = compile(&strategy, ValueType::Text);
        for (from, to) in &pairs {
            prop_assert_eq!(&*mask.text(from).unwrap(), &**to);
        }
        let miss = mask.apply(Datum::text(&*value), Row::NONE);
        if !pairs.contains_key(&value) {
            match (on_miss, miss) {
                ("error", Err(error)) => prop_assert!(error.is_about_the_value()),
                ("null", Ok(None)) => {}
                ("keep", Ok(Some(Datum::Text(out)))) => prop_assert_eq!(&*out, &*value),
                ("hash", Ok(Some(Datum::Text(out)))) => prop_assert_eq!(out.len(), 20),
                (_, other) => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn map_that_is_one_to_one_says_so_and_no_other_does(
        pairs in btree_map("[^\0]{0,3}", "[ab]{0,3}", 1..6),
    ) {
        let strategy = strategy(Kind::Map, &[("pairs", dictionary(&pairs))]);
        let mut answers: Vec<&String> = pairs.values().collect();
        answers.sort_unstable();
        answers.dedup();
        let injective = strategy.properties(ValueType::Text).injective;
        prop_assert_eq!(injective, answers.len() == pairs.len());
    }

    #[test]
    fn literals_of_arbitrary_text_never_panic(text in "\\PC{0,40}|[-0-9:/.TZ+ ]{0,40}") {
        for of in ValueType::ALL {
            match literal::parse(*of, &text) {
                Ok(value) => prop_assert!(of.holds(&value), "{:?}", value),
                Err(detail) => prop_assert!(detail.starts_with("It must be of type ")),
            }
        }
    }

    #[test]
    fn constant_is_the_same_for_every_value(text in "[^\0]{0,40}", value in any::<String>()) {
        let strategy = strategy(Kind::Constant, &[("replacement", Value::from(&*text))]);
        prop_assert_eq!(&*compile(&strategy, ValueType::Text).text(&value).unwrap(), &*text);
        for of in ValueType::ALL {
            let keys = Subkeys::new(&[1; 32], &[2; 32]);
            let _ = strategy.mask(&keys, Seed::new(1), *of);
        }
    }

    #[test]
    fn dp_choice_stays_within_its_domain(
        domain in proptest::collection::btree_set("[^\0]{0,9}", 2..30), other in any::<String>(),
        micro in 1..=10_000_000_u32,
    ) {
        let domain: Vec<String> = domain.into_iter().collect();
        let epsilon = f64::from(micro) / 1e6;
        let given = [("epsilon", Value::from(epsilon)), ("domain", list(&domain))];
        let strategy = strategy(Kind::DpChoice, &given);
        let again = Strategy::new(Kind::DpChoice, strategy.effective_params()).unwrap();
        prop_assert_eq!(&strategy, &again);
        let mask = compile(&strategy, ValueType::Text);
        for value in &domain {
            prop_assert!(domain.contains(&mask.text(value).unwrap().into_owned()));
        }
        prop_assert_eq!(mask.text(&other).is_ok(), domain.contains(&other));
    }
}
