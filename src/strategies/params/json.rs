//! Parameters as JSON: of an argument in SQL, of a sample, of a listing.

use serde_json::Value as Json;

use super::{Params, Value};
use crate::error::{self, Error};

/// Reads parameters out of a JSON object.
///
/// # Errors
/// `InvalidParameter` for anything else, for null and for integers beyond 64 bits.
pub fn from_json(json: &Json) -> Result<Params, Error> {
    let refuse = |message: &str| Error::new(error::Kind::InvalidParameter, message);
    let Json::Object(members) = json else {
        return Err(refuse("parameters must be a JSON object"));
    };
    fn value(json: &Json) -> Option<Value> {
        Some(match json {
            Json::Array(values) => Value::List(values.iter().map(value).collect::<Option<_>>()?),
            Json::Bool(value) => Value::Bool(*value),
            Json::Null => return None,
            Json::Number(number) => match number.as_i64() {
                Some(number) => Value::Int(number),
                None if number.is_u64() => return None,
                None => Value::from(number.as_f64()?),
            },
            Json::Object(members) => Value::Map(
                members
                    .iter()
                    .map(|(name, json)| Some((name.clone(), value(json)?)))
                    .collect::<Option<_>>()?,
            ),
            Json::String(text) => Value::from(text.as_str()),
        })
    }
    members
        .iter()
        .map(|(name, json)| {
            let value = value(json).ok_or_else(|| {
                refuse("parameters must not hold null or integers beyond 64 bits")
            })?;
            Ok((name.clone(), value))
        })
        .collect()
}

/// Shows a value as JSON.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::List(values) => Json::Array(values.iter().map(to_json).collect()),
        Value::Map(values) => Json::Object(
            values
                .iter()
                .map(|(name, value)| (name.clone(), to_json(value)))
                .collect(),
        ),
        Value::Number(value) => Json::from(value.get()),
        Value::Text(text) => Json::from(text.as_str()),
    }
}
