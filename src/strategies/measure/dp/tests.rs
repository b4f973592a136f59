//! What the strategies for differential privacy promise, on fixed words where chance matters.

use std::cell::Cell;

use super::*;
use crate::strategies::params::{Params, Value};
use crate::strategies::{Input, Kind as Which, Mask, Row, Seed, Strategy, Subkeys};

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// SplitMix64: fixed words in place of random ones.
fn fixed() -> Result<[u64; BATCH]> {
    Ok(std::array::from_fn(|_| {
        let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        STATE.set(state);
        let word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }))
}

fn strategy(kind: Which, params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    Strategy::new(kind, &params.collect())
}

fn mask(kind: Which, params: &[(&str, Value)], of: ValueType) -> Mask {
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    strategy(kind, params)
        .unwrap()
        .mask(&keys, Seed::new(1), of)
        .unwrap()
}

fn line(params: &[(&str, Value)], of: ValueType) -> Line {
    let params = params
        .iter()
        .map(|(k, v)| ((*k).to_owned(), v.clone()))
        .collect();
    let reader = Reader::new(Which::DpNoise, &params).unwrap();
    Terms::read("dp_noise", &reader, 10.0)
        .unwrap()
        .line(of)
        .unwrap()
}

/// Noisy values of one value, with fixed words.
fn noisy(params: &[(&str, Value)], of: ValueType, value: &Datum<'_>, n: u32) -> Vec<f64> {
    let line = line(params, of);
    STATE.set(u64::from(n));
    let at = line.place(value).unwrap().unwrap();
    let supply = Supply::new(fixed);
    let one = |_| match line.noisy(at, || supply.word()).unwrap() {
        Datum::Int(out) | Datum::Timestamp(out) => out as f64,
        Datum::Date(out) => out.into(),
        Datum::Float(out) => out,
        Datum::Numeric(out) => out.parse().unwrap(),
        other => panic!("{other:?}"),
    };
    (0..n).map(one).collect()
}

fn terms(epsilon: f64, sensitivity: f64) -> Vec<(&'static str, Value)> {
    vec![
        ("epsilon", Value::from(epsilon)),
        ("sensitivity", Value::from(sensitivity)),
    ]
}

#[test]
fn dp_noise_has_the_mean_and_variance_it_promises() {
    for (of, value, scale) in [
        (ValueType::Int32, Datum::Int(1_000), 1.0),
        (ValueType::Float64, Datum::Float(1_000.0), 1.0),
        (ValueType::Numeric, Datum::Numeric("1000.00".into()), 1.0),
        (ValueType::Date, Datum::Date(1_000), 1.0),
        (
            ValueType::Timestamptz,
            Datum::Timestamp(1_000 * 1_000_000),
            1e6,
        ),
    ] {
        let n = 100_000;
        let outputs = noisy(&terms(0.5, 10.0), of, &value, n);
        let mean = outputs.iter().sum::<f64>() / f64::from(n) / scale;
        let square = |out: &f64| (out / scale - 1_000.0).powi(2);
        let variance = outputs.iter().map(square).sum::<f64>() / f64::from(n);
        let noise = crate::strategies::measure::epsilon::noise_params(0.5, 10.0, of).unwrap();
        let deviation = (noise.variance / f64::from(n)).sqrt();
        assert!((mean - 1_000.0).abs() < 5.0 * deviation, "{of:?}: {mean}");
        // The fourth moment of a Laplace distribution is six times the squared variance.
        let deviation = noise.variance * (5.0 / f64::from(n)).sqrt();
        assert!(
            (variance - noise.variance).abs() < 5.0 * deviation,
            "{of:?}: {variance}"
        );
        let inside = outputs
            .iter()
            .filter(|out| (*out / scale - 1_000.0).abs() <= noise.ci95_halfwidth + 1e-9)
            .count();
        assert!(inside as f64 >= 0.947 * f64::from(n), "{of:?}: {inside}");
    }
}

/// A line through one column and a noisy one: the slope shrinks by a known factor (§ docs).
#[test]
fn dp_noise_attenuates_a_slope_by_the_known_factor() {
    let line = line(&terms(1.0, 20.0), ValueType::Int64);
    STATE.set(3);
    let supply = Supply::new(fixed);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for row in 0_i32..100_000 {
        let x = f64::from(row % 201 - 100);
        let at = line
            .place(&Datum::Int(row.rem_euclid(201).into()))
            .unwrap()
            .unwrap();
        let Datum::Int(noisy) = line.noisy(at, || supply.word()).unwrap() else {
            panic!("an integer");
        };
        let noisy = noisy as f64 - 100.0;
        xx += x * x;
        xy += noisy * x;
        yy += noisy * noisy;
    }
    let noise = crate::strategies::measure::epsilon::noise_params(1.0, 20.0, ValueType::Int64);
    let share = xx / (xx + noise.unwrap().variance * 100_000.0);
    // The covariance is unbiased; the slope of x on the noisy column is attenuated.
    assert!((xy / xx - 1.0).abs() < 0.01, "{}", xy / xx);
    assert!((xy / yy / share - 1.0).abs() < 0.02, "{} {share}", xy / yy);
}

#[test]
fn dp_noise_clamps_before_it_adds() {
    let mut params = terms(1.0, 10.0);
    params.extend([("lower", Value::Int(0)), ("upper", Value::Int(10))]);
    let line = line(&params, ValueType::Int32);
    for (value, expected) in [(-5, 0), (0, 0), (7, 7), (10, 10), (i32::MAX.into(), 10)] {
        assert_eq!(line.place(&Datum::Int(value)), Ok(Some(expected)));
    }
    let float = self::line(&params, ValueType::Float64);
    let place = |value| float.place(&Datum::Float(value)).unwrap();
    assert_eq!(place(f64::NAN), place(0.0));
    assert_eq!(place(f64::INFINITY), place(10.0));
    assert_eq!(place(f64::NEG_INFINITY), place(-1e300));
    let numeric = self::line(&params, ValueType::Numeric);
    let place = |value: &'static str| numeric.place(&Datum::Numeric(value.into())).unwrap();
    assert_eq!(place("NaN"), Some(0));
    assert_eq!(place("Infinity"), Some(10));
}

#[test]
fn dp_noise_of_what_is_no_number_is_null_without_bounds() {
    let float = mask(Which::DpNoise, &terms(1.0, 1.0), ValueType::Float32);
    assert_eq!(float.apply(Datum::Float(f64::NAN), Row::NONE), Ok(None));
    assert!(
        float
            .apply(Datum::Float(f64::INFINITY), Row::NONE)
            .unwrap()
            .is_some()
    );
    let numeric = mask(Which::DpNoise, &terms(1.0, 1.0), ValueType::Numeric);
    assert_eq!(
        numeric.apply(Datum::Numeric("NaN".into()), Row::NONE),
        Ok(None)
    );
    let broken = numeric.apply(Datum::Numeric("twelve".into()), Row::NONE);
    assert!(broken.is_err_and(|error| !format!("{error:?}").contains("twelve")));
}

#[test]
fn dp_noise_saturates_at_the_ends_of_the_type() {
    for (of, value) in [
        (ValueType::Int16, Datum::Int(32_767)),
        (ValueType::Int64, Datum::Int(i64::MIN)),
        (ValueType::Date, Datum::Date(i32::MAX)),
        (ValueType::Timestamp, Datum::Timestamp(i64::MIN)),
        (ValueType::Float32, Datum::Float(f64::from(f32::MAX))),
        (ValueType::Float64, Datum::Float(f64::NEG_INFINITY)),
    ] {
        let mask = mask(Which::DpNoise, &terms(1e-6, 1_000_000.0), of);
        for _ in 0..200 {
            let out = mask.apply(value.clone(), Row::NONE).unwrap().unwrap();
            assert!(of.holds(&out), "{of:?} {out:?}");
            let finite = !matches!(out, Datum::Date(i32::MAX) | Datum::Timestamp(i64::MIN));
            assert!(finite, "{out:?}");
        }
    }
}

#[test]
fn dp_noise_may_keep_its_output_within_the_bounds() {
    let mut params = terms(0.1, 100.0);
    params.extend([("lower", Value::Int(0)), ("upper", Value::Int(100))]);
    let out = noisy(&params, ValueType::Int32, &Datum::Int(50), 2_000);
    assert!(out.iter().any(|out| *out < 0.0));
    params.push(("clamp", Value::Bool(true)));
    let out = noisy(&params, ValueType::Int32, &Datum::Int(50), 2_000);
    assert!(out.iter().all(|out| (0.0..=100.0).contains(out)));
}

#[test]
fn dp_noise_differs_from_call_to_call() {
    let mask = mask(Which::DpNoise, &terms(0.001, 1_000.0), ValueType::Int64);
    let outputs: std::collections::BTreeSet<i64> = (0..100).map(|_| mask.int(7).unwrap()).collect();
    assert!(outputs.len() > 95);
    let properties = strategy(Which::DpNoise, &terms(1.0, 1.0)).unwrap();
    let properties = properties.properties(ValueType::Int64);
    assert!(!properties.deterministic && !properties.keyed && !properties.injective);
}

#[test]
fn dp_noise_refuses_parameters_that_promise_nothing() {
    for kind in [Which::DpNoise, Which::DpNoiseSticky] {
        let param = |params: &[(&str, Value)]| strategy(kind, params).unwrap_err().param;
        assert_eq!(param(&[("sensitivity", Value::Int(1))]), "epsilon");
        assert_eq!(param(&[("epsilon", Value::Int(1))]), "sensitivity");
        for epsilon in [0.0, -1.0, 1e-7, 1000.1, f64::NAN, f64::INFINITY] {
            assert_eq!(param(&terms(epsilon, 1.0)), "epsilon");
        }
        for sensitivity in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(param(&terms(1.0, sensitivity)), "sensitivity");
        }
        let with = |more: &[(&'static str, Value)]| param(&[&terms(1.0, 0.7), more].concat());
        let (lower, upper) = (("lower", Value::from(0.1)), ("upper", Value::from(0.8)));
        assert_eq!(with(std::slice::from_ref(&lower)), "upper");
        assert_eq!(with(std::slice::from_ref(&upper)), "lower");
        assert_eq!(with(&[("latest", "2000-01-01".into())]), "earliest");
        assert_eq!(
            with(&[lower.clone(), ("upper", Value::from(0.801))]),
            "sensitivity"
        );
        assert_eq!(
            with(&[("lower", Value::Int(1)), ("upper", Value::Int(0))]),
            "upper"
        );
        assert_eq!(with(&[("clamp", Value::Bool(true))]), "clamp");
        // In binary floating point 0.8 - 0.1 is more than 0.7.
        assert!(strategy(kind, &[&terms(1.0, 0.7)[..], &[lower, upper]].concat()).is_ok());
    }
}

#[test]
fn dp_noise_checks_dates_against_the_sensitivity_of_the_type() {
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    let mut params = terms(1.0, 365.0);
    params.extend([
        ("earliest", "2000-01-01".into()),
        ("latest", "2000-12-31".into()),
    ]);
    let strategy = strategy(Which::DpNoise, &params).unwrap();
    assert!(strategy.mask(&keys, Seed::new(1), ValueType::Date).is_ok());
    // 365 seconds are less than a year.
    let error = strategy
        .mask(&keys, Seed::new(1), ValueType::Timestamp)
        .unwrap_err();
    assert_eq!(error.kind().sqlstate().as_str(), "22023");
    assert!(
        error
            .detail()
            .is_some_and(|detail| detail.starts_with("With bounds"))
    );
    let fraction = self::strategy(Which::DpNoise, &terms(1.0, 0.5)).unwrap();
    let error = fraction
        .mask(&keys, Seed::new(1), ValueType::Int32)
        .unwrap_err();
    assert_eq!(
        error.detail(),
        Some("It must be a whole number for this type.")
    );
    assert!(
        fraction
            .mask(&keys, Seed::new(1), ValueType::Numeric)
            .is_ok()
    );
}

#[test]
fn dp_noise_sticky_is_the_same_for_a_row_and_a_value() {
    let sticky = |more: &[(&'static str, Value)], key: u8, seed, row_key: &str, value| {
        let params = [&terms(0.001, 1_000.0), more].concat();
        let key = [key; 32];
        let keys = Subkeys::new(&key, &[8; 32]);
        let strategy = strategy(Which::DpNoiseSticky, &params).unwrap();
        let mask = strategy
            .mask(&keys, Seed::new(seed), ValueType::Int64)
            .unwrap();
        let inputs = [Input::One(row_key)];
        match mask.apply(Datum::Int(value), Row(&inputs)).unwrap() {
            Some(Datum::Int(out)) => out - value,
            other => panic!("{other:?}"),
        }
    };
    let base = sticky(&[], 7, 1, "17", 5);
    assert_eq!(sticky(&[], 7, 1, "17", 5), base);
    let bounds = [("lower", Value::Int(0)), ("upper", Value::Int(1_000))];
    for other in [
        sticky(&[], 8, 1, "17", 5),
        sticky(&[], 7, 2, "17", 5),
        sticky(&[], 7, 1, "18", 5),
        sticky(&[], 7, 1, "17", 6),
        sticky(&[("label", "salary".into())], 7, 1, "17", 5),
        sticky(&bounds, 7, 1, "17", 5),
    ] {
        assert_ne!(other, base);
    }
    // Clamping is done to the output, so the noise beneath is the same.
    let clamped = [&bounds[..], &[("clamp", Value::Bool(true))]].concat();
    let noisy = 5 + sticky(&bounds, 7, 1, "17", 5);
    assert_eq!(5 + sticky(&clamped, 7, 1, "17", 5), noisy.clamp(0, 1_000));
}

#[test]
fn dp_noise_sticky_needs_a_row_key() {
    let mask = mask(Which::DpNoiseSticky, &terms(1.0, 1.0), ValueType::Int64);
    for row in [&[][..], &[Input::None]] {
        let error = mask.apply(Datum::Int(1), Row(row)).unwrap_err();
        assert_eq!(error.kind().sqlstate().as_str(), "22023");
    }
    let long = [
        &terms(1.0, 1.0)[..],
        &[("label", Value::Text("x".repeat(256)))],
    ]
    .concat();
    assert_eq!(
        strategy(Which::DpNoiseSticky, &long).unwrap_err().param,
        "label"
    );
}

fn domain(values: &[&str]) -> (&'static str, Value) {
    (
        "domain",
        Value::List(values.iter().map(|value| Value::from(*value)).collect()),
    )
}

#[test]
fn dp_choice_tells_the_truth_as_often_as_it_should() {
    for (epsilon, values) in [(1.0, 2_usize), (0.5, 5), (3.0, 20), (2.0, 300)] {
        let values: Vec<String> = (0..values).map(|n| n.to_string()).collect();
        let list: Vec<&str> = values.iter().map(String::as_str).collect();
        let params = [("epsilon", Value::from(epsilon)), domain(&list)];
        let params = params.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let reader = Reader::new(Which::DpChoice, &params).unwrap();
        let parsed = choice::parse_with(&reader, 10.0, fixed).unwrap();
        let apply = parsed.compile(
            &Subkeys::new(&[7; 32], &[8; 32]),
            Seed::new(1),
            ValueType::Text,
        );
        let apply = apply.unwrap();
        STATE.set(11);
        let n = 50_000;
        let mut counts = vec![0_u32; list.len()];
        for _ in 0..n {
            let out = apply.apply(Datum::text("1"), Row::NONE).unwrap();
            let Some(Datum::Text(out)) = out else {
                panic!("a text");
            };
            counts[out.parse::<usize>().unwrap()] += 1;
        }
        let choices = u32::try_from(list.len()).unwrap();
        let (truth, other) =
            crate::strategies::measure::epsilon::response_params(epsilon, choices).unwrap();
        for (at, count) in counts.into_iter().enumerate() {
            let share = if at == 1 { truth } else { other };
            let expected = f64::from(n) * share;
            let deviation = (expected * (1.0 - share)).sqrt();
            assert!(
                (f64::from(count) - expected).abs() < 5.5 * deviation,
                "{at}: {count}"
            );
        }
    }
}

#[test]
fn dp_choice_takes_the_values_of_its_domain_and_no_others() {
    let params = [("epsilon", Value::from(10.0)), domain(&["yes", "no"])];
    let text = mask(Which::DpChoice, &params, ValueType::Text);
    for wrong in ["", "Yes", "maybe"] {
        let error = text.text(wrong).unwrap_err();
        assert!(error.is_about_the_value());
        assert_eq!(error.detail(), Some("The domain has 2 values."));
    }
    let truth = (0..1_000)
        .filter(|_| text.text("yes").unwrap() == "yes")
        .count();
    assert!(truth > 990, "{truth}");
    let flags = mask(Which::DpChoice, &params, ValueType::Bool);
    assert!(matches!(
        flags.apply(Datum::Bool(true), Row::NONE),
        Ok(Some(Datum::Bool(_)))
    ));
}

#[test]
fn dp_choice_refuses_domains_that_say_nothing() {
    let refused = |values: &[&str]| {
        let params = [("epsilon", Value::from(1.0)), domain(values)];
        strategy(Which::DpChoice, &params).unwrap_err().param
    };
    assert_eq!(refused(&[]), "domain");
    assert_eq!(refused(&["a"]), "domain");
    assert_eq!(refused(&["a", "b", "a"]), "domain");
    let many: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    assert_eq!(
        refused(&many.iter().map(String::as_str).collect::<Vec<_>>()),
        "domain"
    );
    let same = [("epsilon", Value::from(1.0)), domain(&["1", "01"])];
    let same = strategy(Which::DpChoice, &same).unwrap();
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    assert!(same.mask(&keys, Seed::new(1), ValueType::Text).is_ok());
    let error = same
        .mask(&keys, Seed::new(1), ValueType::Int32)
        .unwrap_err();
    assert_eq!(
        error.detail(),
        Some("Two of its values are the same for this type.")
    );
    assert_eq!(
        strategy(Which::DpChoice, &[domain(&["a", "b"])])
            .unwrap_err()
            .param,
        "epsilon"
    );
}

#[test]
fn limits_of_epsilon_can_be_raised_by_whoever_parses() {
    let params: Params = terms(20.0, 1.0)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let reader = Reader::new(Which::DpNoise, &params).unwrap();
    assert!(noise::parse(&reader, 10.0).is_err());
    assert!(noise::parse(&reader, 50.0).is_ok());
    assert!(sticky::parse(&reader, 50.0).is_ok());
    let weak = strategy(Which::DpNoise, &terms(6.0, 1.0)).unwrap();
    assert!(Epsilon::of(&weak).is_some_and(Epsilon::is_weak));
    let fine = strategy(Which::DpNoise, &terms(5.0, 1.0)).unwrap();
    assert!(Epsilon::of(&fine).is_some_and(|epsilon| !epsilon.is_weak()));
    let none = strategy(Which::Hash, &[]).unwrap();
    assert_eq!(Epsilon::of(&none), None);
}
