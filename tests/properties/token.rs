//! Properties of tokens.

use std::collections::HashSet;

use confiture::error::Kind;
use confiture::strategies::token::{TokenFormat, check_value};
use confiture::strategies::{Params, Value};
use proptest::prelude::{Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{prop_assert_ne, prop_oneof, proptest};

fn format(name: &str, param: &str, value: Value) -> TokenFormat {
    let params = Params::from([
        ("format".to_owned(), Value::from(name)),
        (param.to_owned(), value),
    ]);
    TokenFormat::new(&params).expect("valid parameters")
}

fn digits(keep_last: i64) -> TokenFormat {
    format("digits", "keep_last", Value::Int(keep_last))
}

fn formats() -> impl Generator<Value = TokenFormat> {
    let prefixed = ("base32|hex", "[A-Za-z0-9_-]{0,32}");
    prop_oneof![
        prefixed.prop_map(|(name, prefix)| format(&name, "prefix", Value::Text(prefix))),
        (0..=4i64).prop_map(digits),
        proptest::bool::ANY.prop_map(|_| format("uuid", "format", Value::from("uuid"))),
    ]
}

/// Card and account numbers as people write them, and some that get no token.
fn number() -> impl Generator<Value = String> {
    "([0-9][0-9]{0,5}[ ./-]?){1,6}"
}

/// The check of Luhn, by its description.
fn passes(text: &str) -> bool {
    let digits = text.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(at, digit)| match (at % 2, 2 * digit) {
            (0, _) => digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10)
}

proptest! {
    #[test]
    fn token_never_passes_for_a_card_number(
        keep_last in 0..=4i64, value in prop_oneof![number(), any::<String>()],
        random in any::<[u8; 32]>(),
    ) {
        let token = digits(keep_last).token(&value, &random);
        prop_assert!(!passes(&token), "{token}");
        prop_assert!(token.chars().any(|c| c.is_ascii_digit()));
    }

    #[test]
    fn token_looks_like_one_and_stays_within_its_limit(
        format in formats(), value in prop_oneof![number(), any::<String>()],
        random in any::<[u8; 32]>(),
    ) {
        let token = format.token(&value, &random);
        prop_assert_eq!(&format.token(&value, &random), &token);
        let is_of_16 = format.check(&value).is_err();
        prop_assert!(is_of_16 && token.len() == 16 || format.looks_like(&token), "{token}");
        let limit = format.output_limit(Some(value.chars().count())).unwrap();
        prop_assert!(token.chars().count() <= limit);
        prop_assert!(format.output_limit(None).unwrap() >= limit);
        prop_assert!(format.space(&value) >= 900_000);
    }

    #[test]
    fn token_of_digits_keeps_the_notation(
        keep_last in 0..=4usize, value in number(), random in any::<[u8; 32]>(),
    ) {
        let format = digits(i64::try_from(keep_last).unwrap());
        let token = format.token(&value, &random);
        if format.check(&value).is_ok() {
            let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
            prop_assert_eq!(shape(&token), shape(&value));
            let last = |text: &str| -> Vec<char> {
                text.chars().rev().filter(char::is_ascii_digit).take(keep_last).collect()
            };
            prop_assert_eq!(last(&token), last(&value));
        }
    }

    #[test]
    fn token_says_nothing_of_its_value(
        format in formats(), values in ("[0-9]{12}", "[0-9]{12}"), random in any::<[u8; 32]>(),
        other in any::<[u8; 32]>(),
    ) {
        let shape = format.token(&values.0, &random);
        if format.params().get("keep_last").is_none_or(|kept| *kept == Value::Int(0)) {
            prop_assert_eq!(&format.token(&values.1, &random), &shape);
        }
        // Eight digits meet once in ninety million.
        prop_assert!(other == random || format.token(&values.0, &other) != shape);
    }

    #[test]
    fn token_params_round_trip(format in formats()) {
        prop_assert_eq!(TokenFormat::new(&format.params()), Ok(format));
    }

    #[test]
    fn token_looks_like_takes_any_text(format in formats(), text in any::<String>()) {
        let _ = format.looks_like(&text);
        let _ = format.space(&text);
        match check_value(&text) {
            Ok(()) => prop_assert_ne!(text.trim(), ""),
            Err(error) => prop_assert_eq!(error.kind(), Kind::Blank),
        }
    }

    #[test]
    fn token_parameters_never_panic(name in "format|prefix|keep_last|\\PC{0,9}", text in any::<String>()) {
        for value in [Value::Text(text), Value::Int(i64::MIN), Value::Bool(true)] {
            let _ = TokenFormat::new(&Params::from([(name.clone(), value)]));
        }
    }
}

#[test]
fn token_of_digits_uses_the_whole_space() {
    // Of six digits 900 000 are tokens: 20 000 draws meet about 222 times.
    let format = digits(0);
    let mut distinct = HashSet::new();
    for n in 0..20_000u32 {
        let mut random = [7; 32];
        random[..4].copy_from_slice(&n.to_be_bytes());
        distinct.insert(format.token("123456", &random));
    }
    let met = 20_000 - distinct.len();
    assert!((140..320).contains(&met), "{met}");
}
