//! What the list of strategies says about each, and what keeps a value from being masked.

use serde_json::{Map, Value as Json, json};

use super::literal;
use super::params::to_json;
use super::{Kind, Params, Presence, Properties, Row, Seed, Strategy, Subkeys, Value, ValueType};
use crate::error;

/// A line of the list.
pub struct Entry {
    /// By name: type in SQL, default, whether it must be given, and a sentence.
    pub parameters: Json,
    /// Names of the columns it reads beside the value.
    pub inputs: Vec<String>,
    /// Types, as SQL calls them.
    pub accepts: Vec<String>,
    /// With default parameters; of the type that can be had back, else of texts, else of the first
    /// one it takes.
    pub properties: Properties,
    /// A call.
    pub example: Option<String>,
}

/// Describes a strategy.
pub fn entry(kind: Kind) -> Entry {
    let definition = kind.definition();
    let mut parameters = Map::new();
    for spec in definition.params {
        let mut parameter = Map::new();
        parameter.insert("type".to_owned(), spec.kind.sql(ValueType::Text).into());
        match spec.presence {
            Presence::Default(default) => {
                parameter.insert("default".to_owned(), default.into());
            }
            Presence::Optional => {}
            Presence::Required => {
                parameter.insert("required".to_owned(), true.into());
            }
        }
        if !spec.only.is_empty() {
            let types: Vec<_> = spec.only.iter().map(|of| of.name()).collect();
            parameter.insert("only".to_owned(), json!(types));
        }
        parameter.insert("about".to_owned(), spec.about.into());
        parameters.insert(spec.name.to_owned(), Json::Object(parameter));
    }
    Entry {
        parameters: Json::Object(parameters),
        inputs: definition
            .inputs
            .iter()
            .map(|input| input.name.to_owned())
            .collect(),
        accepts: definition
            .accepts
            .iter()
            .map(|of| of.name().to_owned())
            .collect(),
        properties: typical(kind),
        example: (!definition.example.is_empty()).then(|| definition.example.to_owned()),
    }
}

/// The properties with default parameters, for values of a type.
pub fn promised(kind: Kind, of: ValueType) -> Properties {
    Strategy::new(kind, &sample(kind)).map_or(Properties::NONE, |strategy| strategy.properties(of))
}

fn typical(kind: Kind) -> Properties {
    let accepts = kind.definition().accepts;
    let of_all = || accepts.iter().map(|of| promised(kind, *of));
    let text = || {
        accepts
            .contains(&ValueType::Text)
            .then(|| promised(kind, ValueType::Text))
    };
    of_all()
        .find(|properties| properties.reversible)
        .or_else(text)
        .or_else(|| of_all().next())
        .unwrap_or(Properties::NONE)
}

/// Parameters that are enough for a strategy to be made.
pub fn sample(kind: Kind) -> Params {
    serde_json::from_str::<Json>(kind.definition().sample)
        .ok()
        .and_then(|json| super::params::from_json(&json).ok())
        .unwrap_or_default()
}

/// Why a value is not masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `type`, `range` or `completeness`.
    pub code: &'static str,
    /// One short fact, without the value.
    pub message: String,
    /// More of it.
    pub detail: Option<String>,
}

/// Finds what keeps a strategy from masking a value, given in text form; NULL is always masked.
pub fn validate(strategy: &Strategy, value: Option<&str>, of: ValueType) -> Vec<Reason> {
    let nobody = [0; 32];
    let keys = Subkeys {
        salt: Some(&nobody),
        ..Subkeys::new(&nobody, &nobody)
    };
    let reason = |code, error: &error::Error| Reason {
        code,
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
    };
    let mask = match strategy.mask(&keys, Seed::new(0), of) {
        Ok(mask) => mask,
        Err(error) => return vec![reason("type", &error)],
    };
    let Some(value) = value else {
        return Vec::new();
    };
    let value = match literal::parse(of, value) {
        Ok(value) => value,
        Err(detail) => {
            return vec![Reason {
                code: "type",
                message: format!("value is not of type {}", of.name()),
                detail: Some(detail),
            }];
        }
    };
    match mask.apply(value, Row::NONE) {
        Ok(_) => Vec::new(),
        Err(error) => vec![match error.kind() {
            error::Kind::Blank => reason("completeness", &error),
            error::Kind::DatatypeMismatch => reason("type", &error),
            _ => reason("range", &error),
        }],
    }
}

/// Shows parameters as JSON.
pub fn shown(params: &Params) -> Json {
    to_json(&Value::Map(params.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listing_describes_every_strategy() {
        for kind in Kind::ALL {
            let entry = entry(*kind);
            assert!(!entry.accepts.is_empty());
            assert!(
                Strategy::new(*kind, &sample(*kind)).is_ok(),
                "{} has no usable sample",
                kind.name()
            );
        }
    }

    #[test]
    fn listing_promises_what_holds_for_the_type_that_can_be_had_back() {
        for kind in [Kind::Ip, Kind::Fpe] {
            let promised = entry(kind).properties;
            assert!(promised.reversible && promised.injective, "{kind:?}");
        }
        assert!(!entry(Kind::Email).properties.reversible);
    }

    #[test]
    fn listing_says_why_a_value_is_not_masked() {
        let strategy = Strategy::new(Kind::Hash, &Params::new()).unwrap();
        let codes = |value: Option<&str>, of| -> Vec<_> {
            let found = validate(&strategy, value, of);
            found.into_iter().map(|reason| reason.code).collect()
        };
        assert!(codes(Some("x"), ValueType::Text).is_empty());
        assert!(codes(None, ValueType::Text).is_empty());
        assert_eq!(codes(Some("x"), ValueType::Int16), ["type"]);
        assert_eq!(codes(Some("40000"), ValueType::Int16), ["type"]);
        assert_eq!(codes(Some("1"), ValueType::Date), ["type"]);
    }
}
