//! What the list of strategies says about each, and what keeps a value from being masked.

pub mod sql;
mod store;

use std::borrow::Cow;

use serde_json::{Map, Value as Json, json};

use super::literal;
use super::params::to_json;
use super::token::check_value;
use super::{
    Input, InputSpec, Kind, Needs, ParamSpec, Params, Presence, Properties, Row, Seed, Strategy,
    Subkeys, Value, ValueType,
};
use crate::error::{self, Error, Result};

/// A line of the list.
pub struct Entry {
    /// By name: type in SQL, default, whether it must be given, and a sentence.
    pub parameters: Json,
    /// Names of the columns it reads beside the value.
    pub inputs: Vec<String>,
    /// Types, as SQL calls them.
    pub accepts: Vec<String>,
    /// What holds with default parameters, and whatever stands in those that have none; of the type
    /// that can be had back, else of texts, else of the first one it takes. But that it is keyed
    /// means that it is with some parameters.
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
    let properties = of_all()
        .find(|properties| properties.reversible)
        .or_else(text)
        .or_else(|| of_all().next())
        .unwrap_or(Properties::NONE);
    // A dictionary may have one answer for two values.
    let is_told_what = |spec: &ParamSpec| spec.presence == Presence::Required;
    let needs = kind.definition().needs;
    Properties {
        injective: properties.injective
            && (needs == Needs::Vault || !kind.params().iter().any(is_told_what)),
        keyed: matches!(needs, Needs::Key | Needs::Vault),
        ..properties
    }
}

/// Finds a strategy by its name.
///
/// # Errors
/// 22023 for another word.
pub fn named(name: &str) -> Result<Kind> {
    Kind::parse(name).ok_or_else(|| {
        let error = Error::new(
            error::Kind::InvalidParameter,
            format!("strategy type \"{name}\" is not allowed"),
        );
        let names = Kind::ALL.iter().map(|kind| kind.name());
        match super::nearest(name, names) {
            Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
            None => error.with_hint("See confiture.strategies."),
        }
    })
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

/// A type of the server, as far as a strategy is concerned with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What its values are masked as.
    pub of: ValueType,
    /// What it is called.
    pub name: String,
    /// The labels of an enum, where it is known which one.
    pub labels: Option<Vec<String>>,
    /// Values that differ in case are equal, so they are masked in lower case.
    pub folds_case: bool,
}

impl Held {
    /// The type that SQL knows under the name of a kind of values.
    pub fn plain(of: ValueType) -> Self {
        Self {
            of,
            name: of.name().to_owned(),
            labels: None,
            folds_case: false,
        }
    }
}

/// Finds what keeps a strategy from masking a value, given in text form; NULL is always masked.
///
/// `type` is about the column: the strategy, with these parameters, is not for its type, or the
/// value is none of it. `range` is about this value: the type or the strategy does not take it.
/// `completeness` is about what is not there: an input, a parameter that the type needs, or
/// anything in the value.
pub fn validate(strategy: &Strategy, value: Option<&str>, held: &Held) -> Vec<Reason> {
    let of = held.of;
    if !strategy.accepts(of) {
        return vec![Reason::new("type", &strategy.mismatch(of))];
    }
    if strategy.kind() == Kind::Tokenize {
        let refused = value.and_then(|value| check_value(value).err());
        return refused
            .map(|error| Reason::of(&error, "range"))
            .into_iter()
            .collect();
    }
    if strategy.kind().is_in_runs_only() {
        return Vec::new();
    }
    let nobody = [0; 32];
    let keys = Subkeys {
        salt: Some(&nobody),
        ..Subkeys::new(&nobody, &nobody)
    };
    let mask = match strategy.mask(&keys, Seed::new(0), of) {
        Ok(mask) => mask,
        Err(error) => return vec![Reason::of(&error, "type")],
    };
    let mut reasons: Vec<Reason> = lacking(strategy)
        .into_iter()
        .map(|spec| Reason {
            code: "completeness",
            message: format!(
                "input \"{}\" of strategy \"{}\" is missing",
                spec.name,
                strategy.kind().name()
            ),
            detail: Some(spec.about.to_owned()),
        })
        .collect();
    if let Some(labels) = &held.labels
        && !strategy.writes_only(labels)
    {
        reasons.push(Reason {
            code: "type",
            message: format!(
                "strategy \"{}\" may write what is no label of type {}",
                strategy.kind().name(),
                held.name
            ),
            detail: None,
        });
    }
    if let Some(value) = value {
        reasons.extend(value_reason(strategy, &mask, value, held));
    }
    reasons
}

/// The inputs without which no value is masked.
fn lacking(strategy: &Strategy) -> Vec<&'static InputSpec> {
    let inputs = strategy.kind().definition().inputs;
    let mut found: Vec<&InputSpec> = Vec::new();
    while let Some(name) = strategy.lacks(|name| found.iter().any(|spec| spec.name == name)) {
        let Some(spec) = inputs.iter().find(|spec| spec.name == name) else {
            break;
        };
        found.push(spec);
    }
    found
}

/// What is wrong with the value itself, if anything is.
fn value_reason(
    strategy: &Strategy,
    mask: &super::Mask,
    value: &str,
    held: &Held,
) -> Option<Reason> {
    let name = &held.name;
    let value = if held.folds_case {
        Cow::Owned(value.to_lowercase())
    } else {
        Cow::Borrowed(value)
    };
    let refused = |code, message, detail: &str| {
        Some(Reason {
            code,
            message,
            detail: Some(detail.to_owned()),
        })
    };
    let datum = match literal::parse(held.of, &value) {
        Ok(datum) => datum,
        Err(_) if literal::overflows(held.of, &value) => {
            let message = format!("value is out of range for type {name}");
            return refused(
                "range",
                message,
                "It is a number, and none that the type holds.",
            );
        }
        Err(detail) => {
            return refused("type", format!("value is not of type {name}"), &detail);
        }
    };
    if let Some(labels) = &held.labels
        && !labels.iter().any(|label| **label == *value)
    {
        let message = format!("value is not of type {name}");
        return refused("type", message, "It must be one of the labels of the type.");
    }
    // What is missing was told already; with something in its place the value is judged too.
    let lacking = lacking(strategy);
    let stand_in = |spec: &InputSpec| {
        let is_lacking = lacking.iter().any(|lacking| lacking.name == spec.name);
        match (is_lacking, spec.many) {
            (true, false) => Input::One("0"),
            (true, true) => Input::Many(vec!["0"]),
            (false, _) => Input::None,
        }
    };
    let inputs = strategy.kind().definition().inputs.iter();
    let inputs: Vec<_> = inputs.map(stand_in).collect();
    let masked = mask.apply(datum, Row(&inputs));
    masked.err().map(|error| Reason::of(&error, "range"))
}

impl Reason {
    /// The reason behind an error; `otherwise` where its kind does not tell the code.
    fn of(error: &Error, otherwise: &'static str) -> Self {
        let code = match error.kind() {
            error::Kind::Blank | error::Kind::MissingParameter => "completeness",
            error::Kind::DatatypeMismatch => "type",
            _ => otherwise,
        };
        Self::new(code, error)
    }

    fn new(code: &'static str, error: &Error) -> Self {
        Self {
            code,
            message: error.message().to_owned(),
            detail: error.detail().or(error.hint()).map(str::to_owned),
        }
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

    fn codes(kind: Kind, params: &str, value: Option<&str>, held: &Held) -> Vec<&'static str> {
        let params = super::super::params::from_json(&serde_json::from_str(params).unwrap());
        let strategy = Strategy::new(kind, &params.unwrap()).unwrap();
        let found = validate(&strategy, value, held);
        found.into_iter().map(|reason| reason.code).collect()
    }

    #[test]
    fn listing_says_why_a_value_is_not_masked() {
        let none: [&str; 0] = [];
        for (kind, params, value, of, expected) in [
            (Kind::Hash, "{}", Some("x"), ValueType::Text, &none[..]),
            (Kind::Hash, "{}", None, ValueType::Text, &none),
            (Kind::Hash, "{}", Some("x"), ValueType::Int16, &["type"]),
            (Kind::Hash, "{}", Some("4.0"), ValueType::Int16, &["type"]),
            (
                Kind::Hash,
                "{}",
                Some("40000"),
                ValueType::Int16,
                &["range"],
            ),
            (Kind::Hash, "{}", Some("1"), ValueType::Date, &["type"]),
            (Kind::Hash, "{}", None, ValueType::Enum, &["type"]),
            (
                Kind::CreditCard,
                "{}",
                Some("4111"),
                ValueType::Text,
                &["range"],
            ),
            (
                Kind::CreditCard,
                "{}",
                Some(" "),
                ValueType::Text,
                &["completeness"],
            ),
            (
                Kind::Json,
                "{}",
                Some(""),
                ValueType::Text,
                &["completeness"],
            ),
            (Kind::Json, "{}", Some("{"), ValueType::Text, &["range"]),
            (Kind::Json, "{}", Some("{"), ValueType::Jsonb, &["type"]),
            (
                Kind::Constant,
                r#"{"replacement": "x"}"#,
                Some("1"),
                ValueType::Int32,
                &["type"],
            ),
            // What the type needs is no default of the strategy.
            (
                Kind::Generalize,
                "{}",
                Some("7"),
                ValueType::Int32,
                &["completeness"],
            ),
            (
                Kind::Noise,
                "{}",
                Some("2024-01-01"),
                ValueType::Date,
                &["completeness"],
            ),
            // In runs every value is taken.
            (Kind::Shuffle, "{}", Some("7"), ValueType::Int32, &none),
            (Kind::Default, "{}", Some("7"), ValueType::Int32, &none),
        ] {
            let found = codes(kind, params, value, &Held::plain(of));
            assert_eq!(found, expected, "{} {value:?} {of:?}", kind.name());
        }
    }

    #[test]
    fn listing_names_the_inputs_that_must_be_there_and_judges_the_value_too() {
        let sticky = r#"{"epsilon": 1, "sensitivity": 1}"#;
        let latitude = r#"{"part": "latitude", "method": "jitter"}"#;
        let float = Held::plain(ValueType::Float64);
        for (kind, params, value, expected) in [
            (
                Kind::DpNoiseSticky,
                sticky,
                Some("1"),
                &["completeness"][..],
            ),
            (Kind::DpNoiseSticky, sticky, None, &["completeness"]),
            (Kind::Geo, latitude, Some("1"), &["completeness"]),
            (Kind::Geo, latitude, Some("91"), &["completeness", "range"]),
            (Kind::Geo, latitude, Some("x"), &["completeness", "type"]),
        ] {
            assert_eq!(codes(kind, params, value, &float), expected, "{value:?}");
        }
        let strategy = Strategy::new(Kind::DpNoiseSticky, &sample(Kind::DpNoiseSticky)).unwrap();
        assert_eq!(
            validate(&strategy, None, &float)[0].message,
            "input \"row_key\" of strategy \"dp_noise_sticky\" is missing"
        );
    }

    #[test]
    fn listing_judges_an_enum_by_its_labels() {
        let held = Held {
            name: "mood".to_owned(),
            labels: Some(vec!["sad".to_owned(), "ok".to_owned()]),
            ..Held::plain(ValueType::Enum)
        };
        let choice = |choices: &str, value| {
            let params = format!("{{\"choices\": {choices}}}");
            codes(Kind::Choice, &params, Some(value), &held)
        };
        assert!(choice(r#"["ok"]"#, "sad").is_empty());
        assert_eq!(choice(r#"["ok"]"#, "glad"), ["type"]);
        assert_eq!(choice(r#"["ok", "glad"]"#, "sad"), ["type"]);
        let hash = Strategy::new(Kind::Hash, &Params::new()).unwrap();
        assert_eq!(
            validate(&hash, None, &held)[0].message,
            "strategy \"hash\" does not accept an enum type"
        );
    }

    #[test]
    fn listing_folds_case_where_the_type_does() {
        let held = Held {
            folds_case: true,
            ..Held::plain(ValueType::Text)
        };
        let map = r#"{"pairs": {"gold": "A"}}"#;
        assert!(codes(Kind::Map, map, Some("GOLD"), &held).is_empty());
        let text = Held::plain(ValueType::Text);
        assert_eq!(codes(Kind::Map, map, Some("GOLD"), &text), ["range"]);
    }
}
