//! Properties of fpe: what goes in comes back, and whole domains are permuted.

use confiture::error;
use confiture::strategies::{
    Datum, Kind, Mask, Params, Row, Seed, Strategy, Subkeys, Value, ValueType,
};
use proptest::prelude::{Just, Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{prop_assert_ne, prop_oneof, proptest};
use proptest::sample::select;

use crate::masks::{KEY, SEED, compile_with, params};

const CARDS: [&str; 6] = [
    "4111 1111 1111 1111",
    "378282246310005",
    "6011111111111117",
    "5555-5555-5555-4444",
    "30569309025904",
    "79927398713",
];

fn mask_of(params: &Params, of: ValueType) -> Mask {
    mask_with(params, of, KEY, SEED)
}

fn mask_with(params: &Params, of: ValueType, key: [u8; 32], seed: i64) -> Mask {
    let strategy = Strategy::new(Kind::Fpe, params).expect("valid parameters");
    compile_with(&strategy, key, seed, of)
}

fn texts(pairs: &[(&str, Value)]) -> Mask {
    mask_of(&params(pairs), ValueType::Text)
}

fn shuffle() -> (&'static str, Value) {
    ("small_domain", Value::from("shuffle"))
}

fn alphabet(name: &str) -> (&'static str, Value) {
    ("alphabet", Value::from(name))
}

fn there(mask: &Mask, value: &str) -> String {
    mask.text(value).expect("a value it takes").into_owned()
}

fn back(mask: &Mask, value: &str) -> String {
    match mask.reverse(Datum::text(value), Row::NONE) {
        Ok(Some(Datum::Text(text))) => text.into_owned(),
        other => panic!("{other:?}"),
    }
}

fn is_data(error: &error::Error) -> bool {
    matches!(error.kind(), error::Kind::Blank | error::Kind::Data)
}

/// Luhn's formula, written once more.
fn is_luhn(text: &str) -> bool {
    let digits = text.chars().rev().filter_map(|c| c.to_digit(10));
    let counted = digits.enumerate().map(|(place, digit)| match place % 2 {
        0 => digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    });
    counted.sum::<u32>().is_multiple_of(10)
}

/// Parameters, valid by construction, for every type.
fn valid_params() -> impl Generator<Value = Params> {
    let read = prop_oneof![
        select(
            &[
                "digits", "alpha", "lower", "upper", "alnum", "hex", "pattern"
            ][..]
        )
        .prop_map(|name| vec![alphabet(name)]),
        Just(vec![("preserve_luhn", Value::Bool(true))]),
        "[a-f][g-m][☀-☄]"
            .prop_map(|symbols| vec![alphabet("custom"), ("symbols", Value::Text(symbols)),]),
    ];
    let (sides, tweak) = ((0..8_i64, 0..8_i64), "[^\0]{0,20}");
    let small = select(&["error", "shuffle"][..]);
    let range = (any::<i32>(), 1..i32::MAX).prop_map(|(min, more)| {
        let min = i64::from(min) / 2;
        vec![
            ("min", Value::Int(min)),
            ("max", Value::Int(min + i64::from(more) / 2 + 1)),
        ]
    });
    let range = prop_oneof![Just(Vec::new()), range];
    (read, sides, small, tweak, range).prop_map(|(mut all, sides, small, tweak, range)| {
        all.extend([
            ("keep_prefix", Value::Int(sides.0)),
            ("keep_suffix", Value::Int(sides.1)),
            ("small_domain", Value::from(small)),
            ("tweak", Value::Text(tweak)),
            ("first_date", Value::from("1900-01-01")),
            ("last_date", Value::from("2099-12-31")),
        ]);
        all.extend(range);
        params(&all)
    })
}

fn value() -> impl Generator<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9 ./-]{0,40}",
        "[0-9A-F:-]{0,40}",
        "[a-z0-9]{0,40}",
        "[A-Za-z0-9 -]{0,40}",
        "[a-m☀-☄ ]{0,60}",
        "[0-9]{200,260}",
        select(&CARDS[..]).prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn fpe_effective_params_round_trip(params in valid_params()) {
        let strategy = Strategy::new(Kind::Fpe, &params).unwrap();
        let again = Strategy::new(Kind::Fpe, strategy.effective_params()).unwrap();
        prop_assert_eq!(&strategy, &again);
        prop_assert_eq!(strategy.effective_params(), again.effective_params());
    }

    #[test]
    fn fpe_gives_texts_back_or_refuses_them(params in valid_params(), value in value()) {
        let mask = mask_of(&params, ValueType::Text);
        match mask.text(&value) {
            Ok(out) => {
                prop_assert_eq!(&back(&mask, &out), &value);
                prop_assert_eq!(&there(&mask_of(&params, ValueType::Text), &value), &*out);
                prop_assert_eq!(out.chars().count(), value.chars().count());
                for (from, to) in value.chars().zip(out.chars()) {
                    prop_assert!(from == to || !from.is_whitespace() && !to.is_whitespace());
                    prop_assert_eq!(from.is_alphanumeric() || "☀☁☂☃☄".contains(from),
                        to.is_alphanumeric() || "☀☁☂☃☄".contains(to));
                }
            }
            Err(error) => {
                prop_assert!(is_data(&error));
                let back = mask.reverse(Datum::text(&*value), Row::NONE).unwrap_err();
                prop_assert_eq!(back.message(), error.message());
                let told = format!("{error} {:?} {:?}", error.detail(), error.hint());
                prop_assert!(value.trim().len() < 12 || !told.contains(value.trim()));
            }
        }
    }

    #[test]
    fn fpe_gives_numbers_back_or_refuses_them(
        params in valid_params(), wide in any::<i64>(), shift in 0..63_u32,
    ) {
        let number = wide >> shift;
        for of in [ValueType::Int32, ValueType::Int64] {
            let strategy = Strategy::new(Kind::Fpe, &params).unwrap();
            let keys = Subkeys::new(&KEY, &KEY);
            // A range of too few numbers.
            let Ok(mask) = strategy.mask(&keys, Seed::new(1), of) else { continue };
            if !of.holds(&Datum::Int(number)) {
                continue;
            }
            match mask.int(number) {
                Ok(out) => {
                    let back = mask.reverse(Datum::Int(out), Row::NONE);
                    prop_assert_eq!(back, Ok(Some(Datum::Int(number))));
                    if let (Some(Value::Int(min)), Some(Value::Int(max))) =
                        (params.get("min"), params.get("max"))
                    {
                        prop_assert!((min..=max).contains(&&out));
                    } else {
                        prop_assert_eq!(out.to_string().len(), number.to_string().len());
                        prop_assert_eq!(out < 0, number < 0);
                    }
                    let text = Datum::Numeric(format!("{number}.0").into());
                    let numeric = mask_with(&params, ValueType::Numeric, KEY, 1);
                    let numeric = numeric.apply(text, Row::NONE);
                    if out.to_string().len() < 10 || params.contains_key("min") {
                        let expected = Datum::Numeric(format!("{out}.0").into());
                        prop_assert_eq!(numeric, Ok(Some(expected)));
                    }
                }
                Err(error) => prop_assert!(is_data(&error)),
            }
        }
    }

    #[test]
    fn fpe_gives_numerics_back_or_refuses_them(
        shuffle in any::<bool>(), value in "-?[1-9][0-9]{0,40}(\\.0{1,3})?|.*|[0-9.eE+-]{0,9}",
    ) {
        let small = Value::from(if shuffle { "shuffle" } else { "error" });
        let mask = mask_of(&params(&[("small_domain", small)]), ValueType::Numeric);
        match mask.apply(Datum::Numeric((&*value).into()), Row::NONE) {
            Ok(Some(out)) => {
                let Ok(Some(Datum::Numeric(back))) = mask.reverse(out, Row::NONE) else {
                    panic!("it does not come back");
                };
                // A number that the server would not write, such as 007, comes back as it would.
                let plain = value.trim_start_matches('-').trim_start_matches('0');
                prop_assert!(back == value || back.trim_start_matches('-').trim_start_matches('0') == plain);
            }
            Ok(None) => panic!("it has become NULL"),
            Err(error) => prop_assert!(is_data(&error)),
        }
    }

    #[test]
    fn fpe_gives_times_back_or_refuses_them(
        time in any::<i64>(), narrow in -4_000_000_000_000_000..4_000_000_000_000_000_i64,
        day in any::<i32>(), near in -40_000..40_000_i32, digits in 0..7_u32,
    ) {
        let century = [("first_date", "1900-01-01".into()), ("last_date", "2099-12-31".into()), shuffle()];
        let century = params(&century);
        let scale = 10_i64.pow(6 - digits);
        for of in [ValueType::Timestamp, ValueType::Timestamptz] {
            let mask = mask_of(&century, of);
            for time in [time, narrow / scale * scale] {
                match mask.apply(Datum::Timestamp(time), Row::NONE) {
                    Ok(Some(out)) => {
                        prop_assert_eq!(mask.reverse(out, Row::NONE), Ok(Some(Datum::Timestamp(time))));
                    }
                    other => prop_assert!(is_data(&other.unwrap_err())),
                }
            }
        }
        let mask = mask_of(&century, ValueType::Date);
        for day in [day, near] {
            match mask.apply(Datum::Date(day), Row::NONE) {
                Ok(Some(out)) => {
                    prop_assert_eq!(mask.reverse(out, Row::NONE), Ok(Some(Datum::Date(day))));
                }
                other => prop_assert!(is_data(&other.unwrap_err())),
            }
        }
    }

    #[test]
    fn fpe_gives_uuids_back(uuid in any::<[u8; 16]>()) {
        let mask = mask_of(&Params::new(), ValueType::Uuid);
        let out = mask.apply(Datum::Uuid(uuid), Row::NONE).unwrap().unwrap();
        prop_assert_ne!(&out, &Datum::Uuid(uuid));
        prop_assert_eq!(mask.reverse(out, Row::NONE), Ok(Some(Datum::Uuid(uuid))));
    }

    #[test]
    fn fpe_keeps_numbers_valid_by_luhn(
        body in "[0-9]{9,18}", prefix in 0..2_usize, suffix in 0..2_usize,
    ) {
        let value = (0..10).map(|digit| format!("{body}{digit}")).find(|value| is_luhn(value)).unwrap();
        let mask = texts(&[
            ("preserve_luhn", Value::Bool(true)),
            ("keep_prefix", Value::Int(prefix.try_into().unwrap())),
            ("keep_suffix", Value::Int(suffix.try_into().unwrap())),
        ]);
        let out = there(&mask, &value);
        prop_assert!(is_luhn(&out), "{out}");
        prop_assert_eq!(&out[..prefix], &value[..prefix]);
        prop_assert_eq!(&out[out.len() - suffix..], &value[value.len() - suffix..]);
        prop_assert_eq!(back(&mask, &out), value);
    }

    #[test]
    fn fpe_depends_on_seed_key_and_tweak(
        value in "[0-9]{30}", seeds in any::<(i64, i64)>(), key in any::<[u8; 32]>(),
        tweaks in ("[a-z]{0,9}", "[a-z]{0,9}"),
    ) {
        let out = |key, seed, tweak: &str| {
            let params = params(&[("tweak", tweak.into())]);
            there(&mask_with(&params, ValueType::Text, key, seed), &value)
        };
        let first = out(KEY, seeds.0, &tweaks.0);
        prop_assert_eq!(seeds.0 == seeds.1, first == out(KEY, seeds.1, &tweaks.0));
        prop_assert_eq!(key == KEY, first == out(key, seeds.0, &tweaks.0));
        prop_assert_eq!(tweaks.0 == tweaks.1, first == out(KEY, seeds.0, &tweaks.1));
    }

    #[test]
    fn fpe_arbitrary_parameters_never_panic(
        name in select(&["alphabet", "symbols", "first_date", "last_date", "tweak", "algorithm", "small_domain"][..]),
        word in any::<String>(), number in any::<i64>(),
        side in select(&["keep_prefix", "keep_suffix", "min", "max"][..]),
    ) {
        let pairs = [(name, Value::Text(word.replace('\0', ""))), (side, Value::Int(number)),
            alphabet("custom")];
        for pairs in [&pairs[..], &pairs[..1], &pairs[1..2]] {
            let Ok(strategy) = Strategy::new(Kind::Fpe, &params(pairs)) else { continue };
            for of in Kind::Fpe.definition().accepts {
                let _ = strategy.properties(*of);
                let _ = strategy.mask(&Subkeys::new(&KEY, &KEY), Seed::new(number), *of);
            }
        }
    }
}

/// Masks every value, and demands each of them back.
fn is_permutation(mask: &Mask, mut values: Vec<String>) {
    let mut out: Vec<String> = values.iter().map(|value| there(mask, value)).collect();
    assert_ne!(values, out);
    for at in [0, 1, values.len() / 2, values.len() - 1] {
        assert_eq!(back(mask, &out[at]), values[at]);
    }
    values.sort();
    out.sort();
    assert!(values == out);
}

#[test]
fn fpe_permutes_every_text_of_one_to_six_digits() {
    let mask = texts(&[shuffle()]);
    for width in 1..=6_usize {
        let size = 10_u32.pow(width.try_into().unwrap());
        is_permutation(&mask, (0..size).map(|n| format!("{n:0width$}")).collect());
    }
}

#[test]
fn fpe_permutes_every_value_of_a_pattern() {
    let mask = texts(&[alphabet("pattern"), shuffle()]);
    let letters = || 'A'..='Z';
    let plates = letters().flat_map(|c| (0..100).map(move |n| format!("{c}-{n:02}")));
    is_permutation(&mask, plates.collect());
    let plates = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
    let plates = plates.flat_map(|head| (0..2000).map(move |n| format!("{head} {n:04}")));
    let distinct: std::collections::HashSet<String> =
        plates.map(|plate| there(&mask, &plate)).collect();
    assert_eq!(distinct.len(), 26 * 26 * 2000);
}

#[test]
fn fpe_permutes_every_valid_number_of_luhn() {
    let mask = texts(&[
        ("preserve_luhn", Value::Bool(true)),
        ("keep_prefix", Value::Int(1)),
        ("keep_suffix", Value::Int(1)),
        shuffle(),
    ]);
    let valid = (0..100_000).map(|n| format!("{n:05}"));
    is_permutation(&mask, valid.filter(|text| is_luhn(text)).collect());
}

#[test]
fn fpe_permutes_hexadecimal_digits_of_either_case() {
    let mask = texts(&[alphabet("hex"), shuffle()]);
    let lower: Vec<String> = (0..4096).map(|n| format!("{n:03x}")).collect();
    let upper = lower.iter().map(|text| text.to_uppercase());
    let upper = upper.filter(|text| text.bytes().any(|b| b.is_ascii_uppercase()));
    let upper: Vec<String> = upper.collect();
    is_permutation(&mask, lower);
    is_permutation(&mask, upper);
    let mixed = mask.text("AAbb").unwrap_err();
    assert_eq!(mixed.message(), "value for strategy \"fpe\" is not valid");
}

#[test]
fn fpe_of_a_pattern_keeps_every_class() {
    let mask = texts(&[alphabet("pattern")]);
    let (digits, letters) = ("7".repeat(38), "x".repeat(27));
    for value in [
        "A123-BC",
        "ab-CD-1234 x",
        "DE89 3704 0044",
        &digits,
        &letters,
    ] {
        let out = there(&mask, value);
        assert_ne!(out, value);
        assert_eq!(back(&mask, &out), value);
        let class = |c: char| match c {
            '0'..='9' => '0',
            'A'..='Z' => 'A',
            'a'..='z' => 'a',
            c => c,
        };
        assert!(out.chars().map(class).eq(value.chars().map(class)));
    }
    for value in [
        &*"7".repeat(39),
        &"x".repeat(28),
        &format!("A{}", "1".repeat(37)),
    ] {
        let error = mask.text(value).unwrap_err();
        assert_eq!(error.message(), "value for strategy \"fpe\" is too long");
    }
    let error = mask.text("AB-123").unwrap_err();
    let detail = "Its pattern has 676000 possible values, and 1000000 are needed.";
    assert_eq!(error.detail(), Some(detail));
}

#[test]
fn fpe_refuses_numbers_that_luhn_refuses() {
    let mask = texts(&[("preserve_luhn", Value::Bool(true))]);
    for value in CARDS {
        assert!(is_luhn(&there(&mask, value)));
        let last = value.chars().last().and_then(|c| c.to_digit(10)).unwrap();
        let wrong = format!("{}{}", &value[..value.len() - 1], (last + 1) % 10);
        let error = mask.text(&wrong).unwrap_err();
        assert_eq!(error.message(), "value for strategy \"fpe\" is not valid");
        assert!(mask.reverse(Datum::text(wrong), Row::NONE).is_err());
    }
}

#[test]
fn fpe_writes_null_or_a_constant_where_it_is_told_to() {
    for (word, expected) in [("null", None), ("redact", Some(Datum::text("[REDACTED]")))] {
        let mask = texts(&[("on_error", word.into())]);
        assert_eq!(
            mask.apply(Datum::text("12a"), Row::NONE),
            Ok(expected.clone())
        );
        assert_eq!(mask.apply(Datum::text(""), Row::NONE), Ok(expected));
        assert_ne!(there(&mask, "1234567"), "1234567");
    }
}

#[test]
fn fpe_spreads_over_every_digit_evenly() {
    let mask = texts(&[]);
    let mut counts = [[0_u32; 10]; 10];
    for n in 0..20_000 {
        let out = there(&mask, &format!("{n:010}"));
        for (at, digit) in out.bytes().enumerate() {
            counts[at][usize::from(digit - b'0')] += 1;
        }
    }
    // 2000 are expected of each; the standard deviation is 42.
    let counts = counts.as_flattened();
    assert!(counts.iter().all(|n| n.abs_diff(2000) < 250), "{counts:?}");
}
