//! What `noise` promises, on values that are easy to get wrong.

use std::collections::BTreeSet;

use super::*;
use crate::strategies::params::Value;
use crate::strategies::{Input, Strategy};

fn strategy(params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    Strategy::new(Kind::Noise, &params.collect())
}

fn mask(params: &[(&str, Value)], of: ValueType, seed: i64) -> crate::strategies::Mask {
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    strategy(params)
        .unwrap()
        .mask(&keys, Seed::new(seed), of)
        .unwrap()
}

/// What becomes of a value under many seeds.
fn outputs(params: &[(&str, Value)], of: ValueType, value: &Datum<'static>) -> Vec<Datum<'static>> {
    let one = |seed| mask(params, of, seed).apply(value.clone(), Row::NONE);
    (0..300).map(|seed| one(seed).unwrap().unwrap()).collect()
}

fn ints(params: &[(&str, Value)], value: i64) -> BTreeSet<i64> {
    let outputs = outputs(params, ValueType::Int32, &Datum::Int(value));
    outputs
        .into_iter()
        .map(|out| match out {
            Datum::Int(out) => out,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn numerics(params: &[(&str, Value)], value: &'static str) -> BTreeSet<String> {
    let outputs = outputs(params, ValueType::Numeric, &Datum::Numeric(value.into()));
    outputs
        .into_iter()
        .map(|out| match out {
            Datum::Numeric(out) => out.into_owned(),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn floats(params: &[(&str, Value)], of: ValueType, value: f64) -> Vec<f64> {
    let outputs = outputs(params, of, &Datum::Float(value));
    outputs
        .into_iter()
        .map(|out| match out {
            Datum::Float(out) => out,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn noise_changes_every_small_integer() {
    let third = [("ratio", Value::from(0.33))];
    assert_eq!(ints(&third, 0), [-1, 1].into());
    assert_eq!(ints(&third, 1), [0, 2].into());
    assert_eq!(ints(&[], 2), [1, 3].into());
    assert_eq!(ints(&[], -10), [-11, -9].into());
    assert_eq!(ints(&[("min", Value::Int(0))], 0), [1].into());
    assert_eq!(ints(&[("amount", Value::from(0.2))], 7), [6, 8].into());
}

#[test]
fn noise_reaches_everything_within_its_share_and_nothing_else() {
    let seen = ints(&[("ratio", Value::from(0.2))], 50);
    let expected: BTreeSet<i64> = (40..=60).filter(|out| *out != 50).collect();
    assert_eq!(seen, expected);
    let seen = ints(&[("amount", Value::Int(3))], 1_000_000);
    assert_eq!(
        seen,
        (999_997..=1_000_003)
            .filter(|out| *out != 1_000_000)
            .collect()
    );
}

#[test]
fn noise_stays_within_bounds_and_type() {
    let adult = [
        ("ratio", Value::from(0.5)),
        ("min", Value::Int(18)),
        ("max", Value::Int(21)),
    ];
    assert_eq!(ints(&adult, 20), [18, 19, 21].into());
    assert_eq!(ints(&adult, 5), [18, 19, 20, 21].into());
    assert_eq!(ints(&adult, 99), [18, 19, 20, 21].into());
    let fixed = [("min", Value::Int(5)), ("max", Value::Int(5))];
    assert_eq!(ints(&fixed, 5), [5].into());
    let all = [("ratio", Value::Int(1))];
    for value in [i64::MIN, i64::MAX, 0, -1] {
        let mask = mask(&all, ValueType::Int64, 1);
        assert_ne!(mask.int(value).unwrap(), value);
    }
    let mask = mask(&[("amount", Value::from(1e100))], ValueType::Int16, 1);
    assert!(mask.int(-32_768).is_ok());
}

#[test]
fn noise_keeps_the_digits_after_the_point() {
    let seen = numerics(&[], "12.50");
    assert!(seen.len() > 100);
    assert!(
        seen.iter()
            .all(|out| out.len() == 5 && out.as_bytes()[2] == b'.')
    );
    assert!(!seen.contains("12.50"));
    assert_eq!(
        numerics(&[], "0.00"),
        ["-0.01".to_owned(), "0.01".to_owned()].into()
    );
    assert_eq!(numerics(&[], "1"), ["0".to_owned(), "2".to_owned()].into());
    let bounded = [("amount", Value::Int(1)), ("min", Value::from(0.25))];
    let seen = numerics(&bounded, "0.5");
    assert!(seen.contains("0.3") && !seen.contains("0.2") && seen.contains("1.5"));
    let nothing = [("min", Value::from(0.2)), ("max", Value::from(0.4))];
    let error = mask(&nothing, ValueType::Numeric, 1)
        .apply(Datum::Numeric("1".into()), Row::NONE)
        .unwrap_err();
    assert!(error.is_about_the_value());
}

#[test]
fn noise_moves_the_hugest_numerics() {
    let long: &'static str = "9".repeat(1000).leak();
    let seen = numerics(&[], long);
    assert_eq!(seen.len(), 300);
    assert!(seen.iter().all(|out| (1000..=1001).contains(&out.len())));
    let places: &'static str = format!("0.{}1", "0".repeat(900)).leak();
    assert_eq!(numerics(&[], places).len(), 2);
    for odd in ["NaN", "Infinity", "-Infinity"] {
        assert_eq!(numerics(&[], odd), [odd.to_owned()].into());
    }
}

/// Short numbers are computed in machine words, long ones limb by limb.
#[test]
fn noise_does_not_depend_on_how_it_is_computed() {
    for params in [
        &[][..],
        &[("ratio", Value::from(0.123_456))],
        &[("amount", Value::from(12.345))],
        &[("min", Value::from(-0.5)), ("max", Value::Int(1_000))],
    ] {
        for of in [ValueType::Numeric, ValueType::Float64] {
            let reader = params
                .iter()
                .map(|(k, v)| ((*k).to_owned(), v.clone()))
                .collect();
            let noise = Noise::new(&Reader::new(Kind::Noise, &reader).unwrap()).unwrap();
            let mask = noise
                .mask(&Subkeys::new(&[7; 32], &[8; 32]), Seed::new(1), of)
                .unwrap();
            for text in [
                "0",
                "0.00",
                "1",
                "-3.50",
                "99999999999999999",
                "-12345.678",
                "2000",
            ] {
                let value = Decimal::parse(text).unwrap();
                for scale in [value.scale, 5] {
                    let short = mask.short_number(&value, scale, &mut mask.keyed.stream(b"x"));
                    let long = mask.long_number(&value, scale, &mut mask.keyed.stream(b"x"));
                    assert!(
                        short.is_none_or(|short| long == Ok(short)),
                        "{text} {scale}"
                    );
                }
            }
        }
    }
}

#[test]
fn noise_gives_a_float_the_digits_it_needs() {
    for value in [19.99, 3.0, -0.001, 1e300, 5e-324, 0.1 + 0.2] {
        for out in floats(&[], ValueType::Float64, value) {
            let far = (out - value).abs() / value.abs();
            assert!(
                out != value && (far <= 0.1 + 1e-9 || value == 5e-324),
                "{value} {out}"
            );
        }
    }
    let zero = floats(&[], ValueType::Float64, 0.0);
    assert!(zero.iter().all(|out| *out != 0.0 && out.abs() <= 0.1));
    let real = floats(&[], ValueType::Float32, f64::from(0.3_f32));
    assert!(
        real.iter()
            .all(|out| f64::from(narrow(*out)) == *out && *out < 0.34)
    );
    let none = [("amount", Value::from(1e-30))];
    assert!(
        floats(&none, ValueType::Float64, 1e300)
            .iter()
            .all(|out| *out != 1e300)
    );
    let capped = [("amount", Value::from(1e-30)), ("max", Value::from(1e300))];
    assert!(
        floats(&capped, ValueType::Float64, 1e300)
            .iter()
            .all(|out| *out < 1e300)
    );
    assert!(floats(&[], ValueType::Float64, f64::NAN)[0].is_nan());
}

#[test]
fn noise_moves_dates_and_keeps_whole_seconds() {
    let days = [("amount", Value::Int(2)), ("latest", "2000-01-02".into())];
    let seen: BTreeSet<String> = outputs(&days, ValueType::Date, &Datum::Date(0))
        .into_iter()
        .map(|out| format!("{out:?}"))
        .collect();
    assert_eq!(seen.len(), 3);
    let seconds = [("amount", Value::Int(90))];
    for out in outputs(&seconds, ValueType::Timestamp, &Datum::Timestamp(0)) {
        assert!(matches!(out, Datum::Timestamp(out) if out % SECOND == 0 && out != 0));
    }
    for out in outputs(&seconds, ValueType::Timestamptz, &Datum::Timestamp(1)) {
        assert!(matches!(out, Datum::Timestamp(out) if out.abs() <= 90 * SECOND + 1));
    }
    let infinite = outputs(&seconds, ValueType::Timestamp, &Datum::Timestamp(i64::MAX));
    assert_eq!(infinite[0], Datum::Timestamp(i64::MAX));
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    let ratio = strategy(&[]).unwrap();
    let error = ratio
        .mask(&keys, Seed::new(1), ValueType::Date)
        .unwrap_err();
    assert_eq!(
        error.message(),
        "parameter \"amount\" of strategy \"noise\" is missing"
    );
}

#[test]
fn noise_moves_all_values_of_an_entity_by_one_share() {
    let mask = mask(&[], ValueType::Int64, 1);
    let row = [Input::One("17")];
    let share = |value: i64| match mask.apply(Datum::Int(value), Row(&row)).unwrap() {
        Some(Datum::Int(out)) => (out - value) as f64 / value as f64,
        other => panic!("{other:?}"),
    };
    assert!((share(1_000_000) - share(50_000_000)).abs() < 1e-5);
    let numeric = |text: &'static str| {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let mask = strategy(&[])
            .unwrap()
            .mask(&keys, Seed::new(1), ValueType::Numeric);
        mask.unwrap()
            .apply(Datum::Numeric(text.into()), Row::NONE)
            .unwrap()
    };
    let (one, other) = (numeric("5000.1"), numeric("5000.100"));
    let (Some(Datum::Numeric(one)), Some(Datum::Numeric(other))) = (one, other) else {
        panic!("numerics");
    };
    let [one, other] = [one, other].map(|text| text.parse::<f64>().unwrap());
    assert!((one - other).abs() < 0.11, "equal values move alike");
}

#[test]
fn noise_refuses_parameters_that_do_not_fit_together() {
    let param = |params: &[(&str, Value)]| strategy(params).unwrap_err().param;
    for ratio in [0.0, -0.1, 1.1, f64::NAN] {
        assert_eq!(param(&[("ratio", Value::from(ratio))]), "ratio");
    }
    for amount in [0.0, -1.0, f64::INFINITY] {
        assert_eq!(param(&[("amount", Value::from(amount))]), "amount");
    }
    let both = [("ratio", Value::from(0.1)), ("amount", Value::Int(1))];
    assert_eq!(param(&both), "amount");
    assert_eq!(
        param(&[("min", Value::Int(2)), ("max", Value::Int(1))]),
        "max"
    );
    assert_eq!(param(&[("earliest", "soon".into())]), "earliest");
    let wrong = [
        ("earliest", "2001-01-01".into()),
        ("latest", "2000-01-01".into()),
    ];
    assert_eq!(param(&wrong), "latest");
}
