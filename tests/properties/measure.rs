//! Properties of noise, rounding, coarser units and shifts, and of noise for privacy.

use std::borrow::Cow;

use confiture::strategies::calendar::{self, DATE_MAX, DATE_MIN, TIME_MAX, TIME_MIN};
use confiture::strategies::measure::decimal::{Decimal, Number};
use confiture::strategies::{
    Datum, Input, Kind, Mask, Params, Row, Seed, Strategy, Subkeys, Value, ValueType,
};
use proptest::prelude::{Just, Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{prop_assert_ne, prop_oneof, proptest};
use proptest::sample::select;

use crate::masks::{KEY, compile_with, params, strategy};

const KINDS: [Kind; 6] = [
    Kind::DateShift,
    Kind::DpNoise,
    Kind::DpNoiseSticky,
    Kind::Generalize,
    Kind::Noise,
    Kind::Round,
];

fn mask(strategy: &Strategy, of: ValueType, seed: i64) -> Mask {
    compile_with(strategy, KEY, seed, of)
}

fn int(kind: Kind, pairs: &[(&str, Value)], of: ValueType, value: i64) -> i64 {
    mask(&strategy(kind, pairs), of, 12345)
        .int(value)
        .expect("an integer")
}

fn numeric(kind: Kind, pairs: &[(&str, Value)], value: &str) -> Decimal {
    let mask = mask(&strategy(kind, pairs), ValueType::Numeric, 12345);
    match mask.apply(Datum::Numeric(Cow::Borrowed(value)), Row::NONE) {
        Ok(Some(Datum::Numeric(out))) => Decimal::parse(&out).expect("a number"),
        other => panic!("{other:?}"),
    }
}

fn date(kind: Kind, pairs: &[(&str, Value)], days: i32, entity: &str) -> i64 {
    let mask = mask(&strategy(kind, pairs), ValueType::Date, 12345);
    match mask.apply(Datum::Date(days), Row(&[Input::One(entity)])) {
        Ok(Some(Datum::Date(out))) => out.into(),
        other => panic!("{other:?}"),
    }
}

/// Values of every type, extremes and nonsense included.
fn value() -> impl Generator<Value = (ValueType, Datum<'static>)> {
    let floats = prop_oneof![
        any::<f64>(),
        select(vec![
            0.0,
            -0.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            5e-324
        ]),
    ];
    let reals = prop_oneof![any::<f32>(), select(vec![f32::MAX, f32::NAN, 1e-45, -0.0])];
    let numerics = prop_oneof![
        number(),
        any::<String>(),
        "-?[0-9]{990,1010}",
        select(vec![
            "NaN",
            "Infinity",
            "-Infinity",
            "-0",
            "",
            "-",
            ".",
            "1e9"
        ])
        .prop_map(str::to_owned),
    ];
    let dates = prop_oneof![
        any::<i32>(),
        DATE_MIN..=DATE_MAX,
        Just(i32::MIN),
        Just(i32::MAX)
    ];
    let times = prop_oneof![
        any::<i64>(),
        TIME_MIN..=TIME_MAX,
        Just(i64::MIN),
        Just(i64::MAX)
    ];
    prop_oneof![
        any::<i16>().prop_map(|n| (ValueType::Int16, Datum::Int(n.into()))),
        any::<i32>().prop_map(|n| (ValueType::Int32, Datum::Int(n.into()))),
        any::<i64>().prop_map(|n| (ValueType::Int64, Datum::Int(n))),
        floats.prop_map(|n| (ValueType::Float64, Datum::Float(n))),
        reals.prop_map(|n| (ValueType::Float32, Datum::Float(n.into()))),
        numerics.prop_map(|text| (ValueType::Numeric, Datum::Numeric(Cow::Owned(text)))),
        dates.prop_map(|days| (ValueType::Date, Datum::Date(days))),
        times
            .clone()
            .prop_map(|time| (ValueType::Timestamp, Datum::Timestamp(time))),
        times.prop_map(|time| (ValueType::Timestamptz, Datum::Timestamp(time))),
        any::<String>().prop_map(|text| (ValueType::Text, Datum::text(text))),
    ]
}

fn number() -> impl Generator<Value = String> {
    "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?"
}

fn positive() -> impl Generator<Value = f64> {
    prop_oneof![
        (1..2_000_000_i32).prop_map(f64::from),
        (1..2_000_i32).prop_map(|n| f64::from(n) / 1_000.0),
        select(vec![1e-100, 1e-6, 1e15, 9_223_372_036_854_775_808.0, 1e100]),
    ]
}

/// Parameters of every strategy here, valid by construction.
fn valid() -> impl Generator<Value = (Kind, Params)> {
    let times = || select(vec!["1900-01-01", "2024-02-29", "4714-11-24 BC"]);
    let noise = (positive(), any::<bool>(), 1..=10_i64).prop_map(|(amount, relative, tenths)| {
        #[allow(clippy::cast_precision_loss, reason = "small")]
        let ratio = tenths as f64 / 10.0;
        let reach = if relative {
            ("ratio", ratio)
        } else {
            ("amount", amount)
        };
        (Kind::Noise, params(&[(reach.0, Value::from(reach.1))]))
    });
    let round = (
        positive(),
        select(vec!["floor", "nearest", "ceil", "center"]),
        -9..9_i64,
    );
    let round = round.prop_map(|(step, mode, min)| {
        let more = [("min", Value::Int(min)), ("max", Value::Int(min + 1_000))];
        let given = [("step", Value::from(step)), ("mode", mode.into())];
        (Kind::Round, params(&[&given[..], &more[..]].concat()))
    });
    let units = vec![
        "minute", "hour", "day", "week", "month", "quarter", "year", "decade",
    ];
    let generalize = (select(units), positive(), times(), 0..3_usize);
    let generalize = generalize.prop_map(|(unit, step, as_of, method)| {
        let mut given = vec![("unit", unit.into()), ("step", Value::from(step))];
        match method {
            1 => given.extend([("method", "age".into()), ("as_of", as_of.into())]),
            2 => given.push(("method", "zip3".into())),
            _ => {}
        }
        (Kind::Generalize, params(&given))
    });
    let shift = (
        1..=36_500_i64,
        select(vec!["both", "past", "future"]),
        0..3_u8,
    );
    let shift = shift.prop_map(|(days, direction, how)| {
        let mut given = vec![
            ("max_days", Value::Int(days.max(7))),
            ("direction", direction.into()),
        ];
        match how {
            1 => given.push(("keep_weekday", Value::Bool(true))),
            2 => given.push(("unit", "seconds".into())),
            _ => {}
        }
        (Kind::DateShift, params(&given))
    });
    let dp = (1..=10_000_000_i64, positive(), any::<bool>(), any::<bool>());
    let dp = dp.prop_map(|(micro, sensitivity, sticky, bounded)| {
        #[allow(clippy::cast_precision_loss, reason = "small")]
        let epsilon = micro as f64 / 1e6;
        let mut given = vec![
            ("epsilon", Value::from(epsilon)),
            ("sensitivity", Value::from(sensitivity)),
        ];
        if bounded {
            given.extend([("lower", Value::Int(-1)), ("upper", Value::Int(-1))]);
            given.extend([
                ("earliest", "2000-01-01".into()),
                ("latest", "2000-01-01".into()),
            ]);
            given.push(("clamp", Value::Bool(micro % 2 == 0)));
        }
        let kind = if sticky {
            Kind::DpNoiseSticky
        } else {
            Kind::DpNoise
        };
        (kind, params(&given))
    });
    prop_oneof![noise, round, generalize, shift, dp]
}

proptest! {
    #[test]
    fn effective_params_round_trip((kind, params) in valid()) {
        let strategy = Strategy::new(kind, &params).unwrap();
        let again = Strategy::new(kind, strategy.effective_params()).unwrap();
        prop_assert_eq!(strategy.effective_params(), again.effective_params());
    }

    /// No value of any type makes any strategy panic, and what comes out is of the type.
    #[test]
    fn any_value_is_masked_or_refused_without_its_text(
        (kind, params) in valid(), (of, value) in value(), entity in any::<String>(),
    ) {
        let strategy = Strategy::new(kind, &params).unwrap();
        let keys = Subkeys::new(&[1; 32], &[2; 32]);
        let inputs = [Input::One(&entity)];
        let Ok(mask) = strategy.mask(&keys, Seed::new(1), of) else {
            return Ok(());
        };
        let out = mask.apply(value.clone(), Row(&inputs));
        match (&out, &value) {
            (Ok(Some(out)), _) => prop_assert!(of.holds(out), "{:?}", out),
            (Ok(None), _) => prop_assert!(matches!(kind, Kind::DpNoise | Kind::DpNoiseSticky)),
            (Err(error), Datum::Numeric(text) | Datum::Text(text)) => {
                prop_assert!(error.is_about_the_value());
                let shown = format!("{error:?}");
                prop_assert!(text.chars().count() < 12 || !shown.contains(&**text));
            }
            (Err(error), _) => prop_assert!(false, "{error:?}"),
        }
        if strategy.properties(of).deterministic {
            prop_assert_eq!(format!("{:?}", mask.apply(value, Row(&inputs))), format!("{out:?}"));
        }
    }

    #[test]
    fn arbitrary_parameters_never_panic(
        name in "[a-z_]{0,12}|ratio|step|unit|method|epsilon|earliest|max_days",
        text in any::<String>(), number in any::<f64>(), integer in any::<i64>(),
    ) {
        for kind in KINDS {
            for value in [Value::Text(text.clone()), Value::from(number), Value::Int(integer)] {
                let given = Params::from([(name.clone(), value)]);
                if let Ok(strategy) = Strategy::new(kind, &given) {
                    let keys = Subkeys::new(&[1; 32], &[2; 32]);
                    let _ = strategy.mask(&keys, Seed::new(1), ValueType::Int64).map(|m| m.int(1));
                }
            }
        }
    }

    #[test]
    fn noise_of_integers_changes_each_and_stays_near(value in any::<i64>(), tenths in 1..=10_i32) {
        let given = [("ratio", Value::from(f64::from(tenths) / 10.0))];
        let out = int(Kind::Noise, &given, ValueType::Int64, value);
        prop_assert_ne!(out, value);
        let reach = (u128::from(value.unsigned_abs()) * tenths.unsigned_abs() as u128 / 10).max(1);
        prop_assert!(i128::from(out).abs_diff(value.into()) <= reach);
    }

    #[test]
    fn noise_of_numerics_keeps_the_digits_and_changes_each(value in number()) {
        let out = numeric(Kind::Noise, &[], &value);
        let before = Decimal::parse(&value).unwrap();
        prop_assert_eq!(out.scale, before.scale);
        prop_assert_ne!(&out.units, &before.units);
        // Ten times the distance is at most the value, or ten units.
        let distance = out.units.minus(&before.units).magnitude();
        let most = before.units.magnitude().max(confiture::strategies::measure::integer::Integer::from(10_u64));
        prop_assert!(distance.times(10) <= most);
    }

    #[test]
    fn noise_of_floats_changes_each(value in any::<f64>(), single in any::<f32>()) {
        for (of, value) in [(ValueType::Float64, value), (ValueType::Float32, single.into())] {
            let mask = mask(&strategy(Kind::Noise, &[]), of, 1);
            let out = mask.apply(Datum::Float(value), Row::NONE).unwrap();
            if value.is_finite() {
                prop_assert!(matches!(out, Some(Datum::Float(out)) if out != value && out.is_finite()));
            }
        }
    }

    #[test]
    fn round_has_the_value_in_its_bucket(value in any::<i32>(), step in 1..100_000_i64) {
        let value = i64::from(value);
        let given = [("step", Value::Int(step))];
        for kind in [Kind::Round, Kind::Generalize] {
            let out = int(kind, &given, ValueType::Int64, value);
            prop_assert!(out % step == 0 && out <= value && value - out < step);
        }
    }

    /// The same multiple for a number, whether it is an integer, a numeric or a float.
    #[test]
    fn round_does_not_depend_on_the_type(
        value in -1_000_000_000..1_000_000_000_i64, step in 1..10_000_i64,
        mode in select(vec!["floor", "nearest", "ceil"]),
    ) {
        let given = [("step", Value::Int(step)), ("mode", mode.into())];
        let whole = int(Kind::Round, &given, ValueType::Int64, value);
        let decimal = numeric(Kind::Round, &given, &value.to_string());
        prop_assert_eq!(decimal.to_string(), whole.to_string());
        let float = mask(&strategy(Kind::Round, &given), ValueType::Float64, 1);
        #[allow(clippy::cast_precision_loss, reason = "small")]
        let (value, whole) = (value as f64, whole as f64);
        prop_assert_eq!(float.apply(Datum::Float(value), Row::NONE), Ok(Some(Datum::Float(whole))));
    }

    #[test]
    fn round_of_numerics_is_idempotent_and_near(value in number(), step in positive()) {
        for mode in ["floor", "ceil"] {
            let given = [("step", Value::from(step)), ("mode", mode.into())];
            let once = numeric(Kind::Round, &given, &value);
            let twice = numeric(Kind::Round, &given, &once.to_string());
            prop_assert_eq!(once.compare(&twice), std::cmp::Ordering::Equal);
            let before = Decimal::parse(&value).unwrap();
            let order = once.compare(&before);
            let right = if mode == "floor" { order.is_le() } else { order.is_ge() };
            prop_assert!(right);
        }
    }

    #[test]
    fn generalized_dates_begin_the_unit_they_lie_in(days in DATE_MIN + 4_000..=DATE_MAX) {
        for (unit, most) in [("week", 7), ("month", 31), ("quarter", 92), ("year", 366), ("decade", 3653)] {
            let given = [("unit", unit.into())];
            let out = date(Kind::Generalize, &given, days, "");
            prop_assert!(out <= days.into() && i64::from(days) - out < most);
            let again = i32::try_from(out).unwrap();
            prop_assert_eq!(date(Kind::Generalize, &given, again, ""), out);
        }
    }

    #[test]
    fn shifted_dates_of_an_entity_keep_their_distances(
        days in -1_000_000..1_000_000_i32, other in -1_000_000..1_000_000_i32,
        entity in any::<String>(), max in 1..=36_500_i64,
    ) {
        let given = [("max_days", Value::Int(max))];
        let [a, b] = [days, other].map(|days| date(Kind::DateShift, &given, days, &entity));
        prop_assert_eq!(a - b, i64::from(days) - i64::from(other));
        prop_assert!(a != i64::from(days) && a.abs_diff(days.into()) <= max.unsigned_abs());
    }

    #[test]
    fn calendar_agrees_with_itself(days in DATE_MIN..=DATE_MAX) {
        let civil = calendar::Civil::of(days.into());
        prop_assert_eq!(civil.days(), i64::from(days));
        let (year, era) = if civil.year > 0 { (civil.year, "") } else { (1 - civil.year, " BC") };
        let text = format!("{year:04}-{:02}-{:02}{era}", civil.month, civil.day);
        prop_assert_eq!(calendar::parse_date(&text), Some(days));
    }

    #[test]
    fn sticky_noise_stays_and_another_key_or_row_changes_it(
        value in any::<i32>(), row_key in any::<String>(), other in any::<String>(), seed in any::<i64>(),
    ) {
        let given = [("epsilon", Value::from(1e-6)), ("sensitivity", Value::from(1e9))];
        let strategy = strategy(Kind::DpNoiseSticky, &given);
        let out = |key: u8, row: &str| {
            let key = [key; 32];
            let mask = strategy.mask(&Subkeys::new(&key, &key), Seed::new(seed), ValueType::Int64);
            mask.unwrap().apply(Datum::Int(value.into()), Row(&[Input::One(row)])).unwrap()
        };
        let first = out(1, &row_key);
        prop_assert_eq!(&out(1, &row_key), &first);
        prop_assert_ne!(&out(2, &row_key), &first);
        if other != row_key {
            prop_assert_ne!(&out(1, &other), &first);
        }
    }

    #[test]
    fn numerics_are_read_as_they_are_written(value in number()) {
        let Ok(Number::Finite(number)) = Number::parse("round", &value) else {
            panic!("a number");
        };
        let written = number.to_string();
        prop_assert!(written == value || value.starts_with("-0"), "{} {}", written, value);
    }
}
