//! Golden vectors of every strategy, computed by independent programs.
//!
//! The programs `tests/vectors/*.py` redo the definitions with Python's standard library and write
//! the files of the same name. A difference is a changed pseudonym in somebody's database: never
//! adapt a file to the code, raise the strategy's version.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use confiture::strategies::{
    Datum, Input, Kind, Params, Row, Seed, Strategy, Subkeys, Value, ValueType,
};
use serde_json::Value as Json;

#[test]
fn masks_match_the_golden_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("masks") || !name.ends_with(".json") {
            continue;
        }
        let vectors: Json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for vector in vectors.as_array().unwrap() {
            check(&name, vector);
            seen.insert(vector["strategy"].as_str().unwrap().to_owned());
        }
    }
    let unseen: Vec<_> = Kind::ALL
        .iter()
        .filter(|kind| !seen.contains(kind.name()) && !WITHOUT.contains(&kind.name()))
        .collect();
    assert!(unseen.is_empty(), "no vectors for {unseen:?}");
}

/// Strategies that are about rows, have no fixed output, or are of the vault.
#[rustfmt::skip]
const WITHOUT: [&str; 6] = ["default", "dp_choice", "dp_noise", "record", "shuffle", "tokenize"];

fn check(file: &str, vector: &Json) {
    let kind = Kind::parse(text(&vector["strategy"])).expect("a strategy");
    let params = params(&vector["params"]);
    let (key, fpe, salt) = (
        key(&vector["key"]),
        key(&vector["fpe_key"]),
        key(&vector["salt"]),
    );
    let keys = Subkeys {
        masking: &key.expect("a key"),
        fpe: &fpe.unwrap_or_default(),
        salt: salt.as_ref(),
    };
    let seed = Seed::new(vector["seed"].as_i64().expect("a seed"));
    let of = ValueType::parse(text(&vector["type"])).expect("a type");
    let strategy = Strategy::new(kind, &params).unwrap_or_else(|e| panic!("{vector}: {e:?}"));
    let mask = strategy
        .mask(&keys, seed, of)
        .unwrap_or_else(|e| panic!("{vector}: {e:?}"));
    let inputs = inputs(kind, &vector["inputs"]);
    let row = Row(&inputs);
    let output = mask
        .apply(datum(of, &vector["input"]), row)
        .unwrap_or_else(|e| panic!("{vector}: {e:?}"));
    assert_eq!(
        output,
        (!vector["output"].is_null()).then(|| datum(of, &vector["output"])),
        "{file}: {vector}"
    );
    if let Some(output) = output
        && strategy.properties(of).reversible
    {
        let back = mask.reverse(output, row).expect("a value");
        assert_eq!(back, Some(datum(of, &vector["input"])), "{file}: {vector}");
    }
}

fn text(json: &Json) -> &str {
    json.as_str().expect("a text")
}

fn key(digits: &Json) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    hex::decode_to_slice(digits.as_str()?, &mut key).expect("64 digits");
    Some(key)
}

fn params(json: &Json) -> Params {
    let members = json.as_object().expect("parameters").iter();
    members
        .map(|(name, value)| (name.clone(), param(value)))
        .collect()
}

fn param(value: &Json) -> Value {
    match value {
        Json::Array(values) => Value::List(values.iter().map(param).collect()),
        Json::Bool(value) => Value::Bool(*value),
        Json::Null => panic!("a parameter is not null"),
        Json::Number(value) => value.as_i64().map_or_else(
            || Value::from(value.as_f64().expect("a number")),
            Value::Int,
        ),
        Json::Object(_) => Value::Map(params(value)),
        Json::String(value) => Value::from(value.as_str()),
    }
}

/// By name, a text or a list of texts.
fn inputs(kind: Kind, json: &Json) -> Vec<Input<'_>> {
    let of = |name: &str| match &json[name] {
        Json::String(text) => Input::One(text),
        Json::Array(texts) => Input::Many(texts.iter().map(text).collect()),
        _ => Input::None,
    };
    let specs = kind.definition().inputs.iter();
    specs.map(|spec| of(spec.name)).collect()
}

/// Bytes and uuids are hexadecimal digits, dates and timestamps numbers, the rest its text form.
#[allow(clippy::cast_possible_truncation, reason = "a real holds 24 bits")]
fn datum(of: ValueType, json: &Json) -> Datum<'_> {
    let text = || Cow::Borrowed(text(json));
    let int = || json.as_i64().expect("an integer");
    let bytes = || hex::decode(&*text()).expect("hexadecimal digits");
    match of {
        ValueType::Bool => Datum::Bool(json.as_bool().expect("a boolean")),
        ValueType::Bytes => Datum::Bytes(Cow::Owned(bytes())),
        ValueType::Date => Datum::Date(int().try_into().expect("a date")),
        // A real that is read as a longer number may be off by its last bit.
        ValueType::Float32 => Datum::Float(f64::from(json.as_f64().expect("a number") as f32)),
        ValueType::Float64 => Datum::Float(json.as_f64().expect("a number")),
        ValueType::Hstore => Datum::Hstore(text()),
        ValueType::Cidr | ValueType::Inet => Datum::Inet(text()),
        ValueType::Int16 | ValueType::Int32 | ValueType::Int64 => Datum::Int(int()),
        ValueType::Json | ValueType::Jsonb => Datum::Json(text()),
        ValueType::Mac | ValueType::Mac8 => Datum::Mac(text()),
        ValueType::Numeric => Datum::Numeric(text()),
        ValueType::Record => panic!("a record has no form of its own"),
        ValueType::Enum | ValueType::Text => Datum::Text(text()),
        ValueType::Timestamp | ValueType::Timestamptz => Datum::Timestamp(int()),
        ValueType::Uuid => Datum::Uuid(bytes().try_into().expect("16 bytes")),
    }
}
