//! Properties of salted_hash.

use std::borrow::Cow;
use std::collections::HashSet;

use confiture::strategies::{
    Datum, Kind, Mask, Params, Row, Seed, Strategy, Subkeys, Value, ValueType,
};
use proptest::prelude::{Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{prop_assert_ne, prop_oneof, proptest};

const KEY: [u8; 32] = [0x5a; 32];
const SALT: [u8; 32] = [0xa5; 32];

fn mask(params: &Params, key: [u8; 32], salt: [u8; 32], seed: i64, of: ValueType) -> Mask {
    let keys = Subkeys {
        salt: Some(&salt),
        ..Subkeys::new(&key, &key)
    };
    let strategy = Strategy::new(Kind::SaltedHash, params).expect("valid parameters");
    strategy
        .mask(&keys, Seed::new(seed), of)
        .expect("it has a salt")
}

fn text(mask: &Mask, value: &str) -> String {
    mask.text(value).expect("every text is taken").into_owned()
}

fn params(pairs: Vec<(&str, Value)>) -> Params {
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Valid parameters of keyed digests, without the slow one.
fn keyed() -> impl Generator<Value = Params> {
    let algorithms = ["blake3", "sha256", "sha384", "sha512", "sha3-256"];
    let algorithm = proptest::sample::select(algorithms.to_vec());
    (algorithm, 8..=64i64, "[^\0]{0,64}").prop_map(|(algorithm, length, prefix)| {
        params(vec![
            ("algorithm", Value::from(algorithm)),
            ("length", Value::Int(length)),
            ("prefix", Value::Text(prefix)),
        ])
    })
}

/// Valid parameters of every sort.
fn valid() -> impl Generator<Value = Params> {
    let functions = [
        "md5", "sha1", "sha256", "sha512", "sha3-224", "sha3-254", "sha3-512",
    ];
    let function = proptest::sample::select(functions.to_vec());
    let greenmask = (function, 1..=32i64, "[^\0]{0,40}").prop_map(|(function, length, salt)| {
        params(vec![
            ("compatible", Value::from("greenmask")),
            ("compatible_function", Value::from(function)),
            ("compatible_salt", Value::Text(salt)),
            ("length", Value::Int(length)),
        ])
    });
    let slow = (7168..=262_144i64, 1..=10i64, 1..=8i64).prop_map(|(memory, passes, lanes)| {
        params(vec![
            ("algorithm", Value::from("argon2id")),
            ("memory_kib", Value::Int(memory)),
            ("passes", Value::Int(passes)),
            ("lanes", Value::Int(lanes)),
            ("salt", Value::from("people")),
            ("salt_version", Value::Int(memory)),
        ])
    });
    prop_oneof![keyed(), greenmask, slow]
}

proptest! {
    #[test]
    fn salted_hash_params_round_trip(params in valid()) {
        let strategy = Strategy::new(Kind::SaltedHash, &params).unwrap();
        let again = Strategy::new(Kind::SaltedHash, strategy.effective_params()).unwrap();
        prop_assert_eq!(&strategy, &again);
        prop_assert_eq!(strategy.salt(), again.salt());
        prop_assert_eq!(strategy.salt().is_some(), strategy.properties(ValueType::Text).keyed);
    }

    #[test]
    fn salted_hash_is_hexadecimal_of_its_length(params in keyed(), value in any::<String>()) {
        let strategy = Strategy::new(Kind::SaltedHash, &params).unwrap();
        let out = text(&mask(&params, KEY, SALT, 1, ValueType::Text), &value);
        let Value::Text(prefix) = &params["prefix"] else { unreachable!() };
        let digits = out.strip_prefix(&**prefix).unwrap();
        prop_assert!(digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        prop_assert_eq!(Value::Int(digits.len().try_into().unwrap()), params["length"].clone());
        prop_assert_eq!(strategy.output_limit(None), Some(out.chars().count()));
    }

    #[test]
    fn salted_hash_depends_on_key_salt_and_seed(
        params in keyed(), value in any::<String>(), other in any::<[u8; 32]>(), seed in any::<i64>(),
    ) {
        // Eight digits meet once in four thousand million.
        let mut params = params;
        params.insert("length".to_owned(), Value::Int(32));
        let out = |key, salt, seed| text(&mask(&params, key, salt, seed, ValueType::Text), &value);
        let first = out(KEY, SALT, 1);
        prop_assert_eq!(&out(KEY, SALT, 1), &first);
        if other != KEY && other != SALT {
            prop_assert_ne!(&out(other, SALT, 1), &first);
            prop_assert_ne!(&out(KEY, other, 1), &first);
        }
        if seed != 1 {
            prop_assert_ne!(&out(KEY, SALT, seed), &first);
        }
    }

    #[test]
    fn salted_hash_takes_all_bytes(params in keyed(), value in any::<Vec<u8>>()) {
        let mask = mask(&params, KEY, SALT, 1, ValueType::Bytes);
        let out = mask.apply(Datum::Bytes(Cow::Borrowed(&value)), Row::NONE).unwrap();
        let Some(Datum::Bytes(out)) = out else { unreachable!() };
        let Value::Int(length) = params["length"] else { unreachable!() };
        prop_assert_eq!(out.len(), usize::try_from((length + 1) / 2).unwrap());
    }

    #[test]
    fn salted_hash_arbitrary_parameters_never_panic(
        name in "algorithm|salt|compatible|compatible_function|compatible_salt|prefix",
        value in "[a-z0-9-]{0,10}|greenmask|argon2id|\\PC{0,70}", number in any::<i64>(),
        of in "length|salt_version|memory_kib|passes|lanes",
    ) {
        let _ = Strategy::new(Kind::SaltedHash, &params(vec![
            (&*name, Value::Text(value)),
            (&*of, Value::Int(number)),
        ]));
    }
}

#[test]
fn salted_hash_does_not_collide_on_100_000_values() {
    let mask = mask(&Params::new(), KEY, SALT, 1, ValueType::Text);
    let masked = (0..100_000).map(|n| text(&mask, &format!("user{n}@corp.com")));
    assert_eq!(masked.collect::<HashSet<_>>().len(), 100_000);
}
