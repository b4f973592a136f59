//! What the properties of every family make their masks with.

use confiture::strategies::{Kind, Mask, Params, Seed, Strategy, Subkeys, Value, ValueType};

pub(crate) const KEY: [u8; 32] = [0x5a; 32];
pub(crate) const SEED: i64 = 12345;

pub(crate) fn params(pairs: &[(&str, Value)]) -> Params {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

pub(crate) fn strategy(kind: Kind, pairs: &[(&str, Value)]) -> Strategy {
    Strategy::new(kind, &params(pairs)).expect("valid parameters")
}

pub(crate) fn mask(kind: Kind, pairs: &[(&str, Value)], of: ValueType) -> Mask {
    compile(&strategy(kind, pairs), of)
}

pub(crate) fn compile(strategy: &Strategy, of: ValueType) -> Mask {
    compile_with(strategy, KEY, SEED, of)
}

/// With the key for everything that a strategy may need one for.
pub(crate) fn compile_with(strategy: &Strategy, key: [u8; 32], seed: i64, of: ValueType) -> Mask {
    let keys = Subkeys {
        salt: Some(&key),
        ..Subkeys::new(&key, &key)
    };
    strategy
        .mask(&keys, Seed::new(seed), of)
        .expect("a type it accepts")
}

pub(crate) fn text(mask: &Mask, value: &str) -> String {
    mask.text(value)
        .expect("a value that is taken")
        .into_owned()
}
