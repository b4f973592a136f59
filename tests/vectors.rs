//! Golden vectors of every strategy, computed by an independent program.
//!
//! `tests/vectors/masks.py` redoes the definitions with Python's standard library and writes
//! `masks.json`. A difference is a changed pseudonym in somebody's database: never adapt the file
//! to the code, raise the strategy's version.

use confiture::strategies::{Kind, Mask, Params, Seed, Strategy, Value, ValueType};
use serde_json::Value as Json;

#[test]
fn masks_match_the_golden_vectors() {
    let vectors: Json = serde_json::from_str(include_str!("vectors/masks.json")).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert!(vectors.len() >= 40);
    for vector in vectors {
        let kind = Kind::parse(vector["strategy"].as_str().unwrap()).unwrap();
        let params: Params = vector["params"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), param(value)))
            .collect();
        let mut key = [0; 32];
        hex::decode_to_slice(vector["key"].as_str().unwrap(), &mut key).unwrap();
        let seed = Seed::new(vector["seed"].as_i64().unwrap());
        let mask = Strategy::new(kind, &params).unwrap().mask(&key, seed);
        let output = run(&mask, vector["type"].as_str().unwrap(), &vector["input"]);
        assert_eq!(output, vector["output"], "{vector}");
    }
}

fn param(value: &Json) -> Value {
    match value {
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(value) => Value::Int(value.as_i64().expect("an integer")),
        value => Value::from(value.as_str().expect("a text")),
    }
}

fn run(mask: &Mask, of: &str, input: &Json) -> Json {
    let int = |width| mask.int(input.as_i64().expect("an integer"), width);
    let text = || input.as_str().expect("a text");
    let bytes = || hex::decode(text()).expect("hexadecimal digits");
    let output = match of {
        "bytea" => mask
            .bytes(&bytes())
            .map(|bytes| Json::from(hex::encode(bytes))),
        "bigint" => int(ValueType::Int64).map(Json::from),
        "integer" => int(ValueType::Int32).map(Json::from),
        "smallint" => int(ValueType::Int16).map(Json::from),
        "text" => mask.text(text()).map(Json::from),
        "uuid" => {
            let uuid = bytes().try_into().expect("16 bytes");
            mask.uuid(uuid).map(|uuid| Json::from(hex::encode(uuid)))
        }
        _ => panic!("unrecognized type"),
    };
    output.expect("a type that the strategy accepts")
}
