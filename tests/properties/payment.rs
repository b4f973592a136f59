//! Properties of credit_card and iban.

use std::collections::HashSet;

use confiture::strategies::{Datum, Kind, Row, Strategy, Value, ValueType};
use proptest::prelude::{Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{prop_oneof, proptest};
use proptest::sample::select;

use crate::masks::{compile, strategy, text};

const BRANDS: [&str; 10] = [
    "keep",
    "amex",
    "diners",
    "discover",
    "jcb",
    "maestro",
    "mastercard",
    "reserved",
    "unionpay",
    "visa",
];

fn cards() -> impl Generator<Value = Strategy> {
    (select(&BRANDS[..]), any::<[bool; 3]>()).prop_map(|(brand, [bin, last4, luhn])| {
        let params = [
            ("brand", Value::from(brand)),
            ("test_bin", Value::Bool(bin || brand != "keep")),
            ("keep_last4", Value::Bool(last4)),
            ("require_luhn", Value::Bool(luhn)),
        ];
        strategy(Kind::CreditCard, &params)
    })
}

fn valid() -> impl Generator<Value = Strategy> {
    let country = proptest::option::of(select(vec!["DE", "FR", "NO", "MT", "GB"]));
    prop_oneof![
        cards(),
        country.prop_map(|code| {
            let params = code.map(|code| ("country", Value::from(code)));
            strategy(Kind::Iban, params.as_slice())
        })
    ]
}

/// Luhn's rule, from the last digit on.
fn is_luhn(digits: &str) -> bool {
    let worth = |(at, c): (usize, char)| {
        let digit = c.to_digit(10).unwrap_or(0) * if at % 2 == 0 { 1 } else { 2 };
        digit / 10 + digit % 10
    };
    digits.chars().rev().enumerate().map(worth).sum::<u32>() % 10 == 0
}

fn number() -> impl Generator<Value = String> {
    "[1-9][0-9]{10,17}".prop_map(|begun| {
        let last = (b'0'..=b'9').map(|last| format!("{begun}{}", char::from(last)));
        last.into_iter()
            .find(|number| is_luhn(number))
            .unwrap_or_default()
    })
}

/// ISO 7064 mod 97-10, by the remainder of the whole number.
fn is_iban(text: &str) -> bool {
    let digits: String = text[4..]
        .chars()
        .chain(text[..4].chars())
        .filter_map(|c| c.to_digit(36))
        .map(|value| value.to_string())
        .collect();
    digits
        .bytes()
        .fold(0, |rest, c| (rest * 10 + u32::from(c - b'0')) % 97)
        == 1
}

/// A German one with any number.
fn iban(number: u64) -> String {
    let number = format!("{:018}", number % 1_000_000_000_000_000_000);
    (2..99)
        .map(|check| format!("DE{check:02}{number}"))
        .find(|text| is_iban(text))
        .unwrap_or_default()
}

fn near() -> impl Generator<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9 .-]{0,30}",
        "[A-Z]{2}[0-9]{2}[0-9A-Z ]{0,34}",
        number(),
        any::<u64>().prop_map(iban),
    ]
}

proptest! {
    #[test]
    fn effective_params_round_trip(made in valid()) {
        let again = Strategy::new(made.kind(), made.effective_params());
        prop_assert_eq!(again.ok(), Some(made));
    }

    #[test]
    fn any_text_is_masked_within_the_limit_or_refused(made in valid(), value in near()) {
        let chars = value.chars().count();
        let limit = made.output_limit(Some(chars)).expect("a limit");
        let keeps_length = made.properties(ValueType::Text).keeps_length;
        match compile(&made, ValueType::Text).text(&value) {
            Ok(out) => {
                prop_assert!(out.chars().count() <= limit, "{out}");
                prop_assert!(!keeps_length || out.chars().count() == chars);
            }
            Err(error) => prop_assert!(error.is_about_the_value()),
        }
    }

    #[test]
    fn credit_card_is_valid_and_keeps_the_length(made in cards(), value in number()) {
        let out = text(&compile(&made, ValueType::Text), &value);
        prop_assert_eq!(out.len(), value.len());
        prop_assert!(is_luhn(&out), "{out}");
        let params = made.effective_params();
        if params["keep_last4"] == Value::Bool(true) {
            prop_assert_eq!(&out[out.len() - 4..], &value[value.len() - 4..]);
        }
        if params["test_bin"] == Value::Bool(false) {
            prop_assert_eq!(&out[..6], &value[..6]);
        }
    }

    #[test]
    fn credit_card_numbers_are_masked_like_their_text(value in number()) {
        let made = strategy(Kind::CreditCard, &[]);
        let plain = text(&compile(&made, ValueType::Text), &value);
        let numeric = compile(&made, ValueType::Numeric);
        let out = numeric.apply(Datum::Numeric(value.clone().into()), Row::NONE);
        prop_assert_eq!(out, Ok(Some(Datum::Numeric(plain.clone().into()))));
        if let Ok(number) = value.parse() {
            match compile(&made, ValueType::Int64).int(number) {
                Ok(out) => prop_assert_eq!(out.to_string(), plain),
                Err(_) => prop_assert!(plain.parse::<i64>().is_err()),
            }
        }
    }

    #[test]
    fn credit_card_never_panics_on_numbers(value in any::<i64>(), numeric in "[-0-9.eN]{0,30}") {
        let made = strategy(Kind::CreditCard, &[("require_luhn", Value::Bool(false))]);
        let _ = compile(&made, ValueType::Int64).int(value);
        let mask = compile(&made, ValueType::Numeric);
        let _ = mask.apply(Datum::Numeric(numeric.into()), Row::NONE);
    }

    #[test]
    fn iban_is_valid_and_keeps_country_and_length(number in any::<u64>()) {
        let value = iban(number);
        let out = text(&compile(&strategy(Kind::Iban, &[]), ValueType::Text), &value);
        prop_assert!(is_iban(&out), "{out}");
        prop_assert_eq!((out.len(), &out[..2]), (22, "DE"));
        prop_assert!(out[2..].bytes().all(|b| b.is_ascii_digit()));
        let forced = strategy(Kind::Iban, &[("country", "MT".into())]);
        let out = text(&compile(&forced, ValueType::Text), &value);
        prop_assert!(is_iban(&out) && out.len() == 31 && out.starts_with("MT"));
    }
}

#[test]
fn credit_card_and_iban_collide_no_more_than_chance() {
    let made = strategy(Kind::CreditCard, &[("require_luhn", Value::Bool(false))]);
    let mask = compile(&made, ValueType::Text);
    let out = (0..20_000).map(|n| text(&mask, &format!("4111{n:012}")));
    // Of three billion; 0.07 pairs are expected.
    assert!(out.collect::<HashSet<_>>().len() >= 19_998);
    let mask = compile(&strategy(Kind::Iban, &[]), ValueType::Text);
    let out = (0..20_000).map(|n| text(&mask, &iban(n)));
    assert_eq!(out.collect::<HashSet<_>>().len(), 20_000);
}
