//! A strategy written inside a parameter: a name, or a mapping with type, config and seed.
//!
//! Whatever has parts of its own (a document, a composite type) names the strategy of each part
//! this way. A parameter may hold strategies that hold strategies, to a depth of three.
//! A seed written here is part of the parameters and shown with them, so it is for tests; without
//! one the part has the seed of the whole, and equal values get the pseudonyms of a plain column.

use crate::error::{Error, Kind, Result};
use crate::strategies::params::{ParamError, Params, Value, nearest, quote};
use crate::strategies::{self, Mask, Seed, Strategy, Subkeys, ValueType};

/// How many strategies may be written inside one another.
pub(super) const DEEPEST: usize = 3;

/// A strategy with the seed written beside it, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    strategy: Strategy,
    seed: Option<Seed>,
}

/// A strategy inside a parameter that was refused, and where in the parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// The place below the value: `type`, `config.length`; empty for the value itself.
    pub place: String,
    /// What is wrong there.
    pub error: Error,
}

impl Spec {
    /// Reads a strategy: a text is its type, a mapping has `type`, `config` and `seed`.
    ///
    /// # Errors
    /// `InvalidParameter` with the place inside the value.
    pub fn new(value: &Value) -> Result<Self, SpecError> {
        if !within(value, DEEPEST, DEEPEST_VALUE) {
            let detail = format!("Strategies may stand in one another to a depth of {DEEPEST}.");
            return Err(refuse("", "strategy is nested too deeply", detail));
        }
        let members = match value {
            Value::Text(kind) => return Self::of(kind, "", &Params::new(), None),
            Value::Map(members) => members,
            _ => return Err(refuse("", "invalid strategy", FORM)),
        };
        if let Some(other) = members.keys().find(|name| !KEYS.contains(&name.as_str())) {
            let message = format!("unrecognized key {} of a strategy", quote(other));
            let hint = match nearest(other, KEYS.into_iter()) {
                Some(near) => format!("Did you mean \"{near}\"?"),
                None => "Available keys are \"type\", \"config\", \"seed\".".to_owned(),
            };
            let error = Error::new(Kind::InvalidParameter, message).with_hint(hint);
            return Err(SpecError {
                place: quote(other).trim_matches('"').to_owned(),
                error,
            });
        }
        let kind = match members.get("type") {
            Some(Value::Text(kind)) => kind,
            Some(_) => {
                return Err(refuse(
                    "type",
                    "invalid strategy type",
                    "It must be a text.",
                ));
            }
            None => return Err(refuse("type", "strategy without a type", FORM)),
        };
        let none = Params::new();
        let config = match members.get("config") {
            Some(Value::Map(config)) => config,
            Some(_) => return Err(refuse("config", "invalid config", "It must be a mapping.")),
            None => &none,
        };
        let seed = match members.get("seed") {
            Some(&Value::Int(seed)) => Some(Seed::new(seed)),
            Some(_) => return Err(refuse("seed", "invalid seed", "It must be an integer.")),
            None => None,
        };
        Self::of(kind, "type", config, seed)
    }

    fn of(name: &str, place: &str, config: &Params, seed: Option<Seed>) -> Result<Self, SpecError> {
        let Some(kind) = strategies::Kind::parse(name) else {
            let message = format!("strategy type {} is not allowed", quote(name));
            let names = strategies::Kind::ALL.iter().map(|kind| kind.name());
            let list: Vec<_> = names.clone().collect();
            let list = format!("Available types are {}.", list.join(", "));
            let hint = match nearest(name, names) {
                Some(near) => format!("Did you mean \"{near}\"? {list}"),
                None => list,
            };
            return Err(SpecError {
                place: place.to_owned(),
                error: Error::new(Kind::InvalidParameter, message).with_hint(hint),
            });
        };
        let definition = kind.definition();
        if definition.example.is_empty() || definition.inputs.iter().any(|input| input.required) {
            let detail = match kind {
                strategies::Kind::Tokenize => {
                    "A run makes the tokens of whole columns before it copies; what is inside a value it does not see."
                }
                _ => "It is about rows, or cannot do without another column of the row.",
            };
            let message = format!("strategy {} cannot be part of another", quote(name));
            return Err(refuse(place, &message, detail));
        }
        let strategy = Strategy::new(kind, config).map_err(|refused| SpecError {
            place: format!("config.{}", quote(&refused.param).trim_matches('"')),
            error: refused.error,
        })?;
        Ok(Self { strategy, seed })
    }

    /// The strategy.
    pub fn strategy(&self) -> &Strategy {
        &self.strategy
    }

    /// The seed that is written beside it.
    pub fn seed(&self) -> Option<Seed> {
        self.seed
    }

    /// Returns it with every parameter; read again it is equal.
    pub fn value(&self) -> Value {
        let config = self.strategy.effective_params().clone();
        let mut members = Params::from([
            ("config".to_owned(), Value::Map(config)),
            ("type".to_owned(), Value::from(self.strategy.kind().name())),
        ]);
        if let Some(seed) = self.seed {
            members.insert("seed".to_owned(), Value::Int(seed.number()));
        }
        Value::Map(members)
    }

    /// Compiles the strategy, with the seed beside it or else that of the whole.
    ///
    /// # Errors
    /// As [`Strategy::mask`].
    pub fn mask(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Mask> {
        self.strategy.mask(keys, self.seed.unwrap_or(seed), of)
    }
}

impl SpecError {
    /// Reports it as an error of a parameter; `part` names the part of the whole.
    pub fn inside(&self, param: &str, strategy: &str, part: &str) -> ParamError {
        let message = format!(
            "invalid value for parameter {} of strategy {}",
            quote(param),
            quote(strategy)
        );
        let dot = if self.place.is_empty() { "" } else { ", " };
        let mut detail = format!(
            "At {}{dot}{}: {}.",
            quote(part),
            self.place,
            self.error.message()
        );
        if let Some(more) = self.error.detail() {
            detail.push(' ');
            detail.push_str(more);
        }
        let mut error = Error::new(Kind::InvalidParameter, message).with_detail(detail);
        if let Some(hint) = self.error.hint() {
            error = error.with_hint(hint);
        }
        ParamError {
            param: param.to_owned(),
            error,
        }
    }
}

/// What becomes of one part of a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It stays as it is.
    Keep,
    /// It is taken out.
    Drop,
    /// It becomes null.
    Null,
    /// It is masked.
    Mask(Spec),
}

impl Action {
    /// Reads one of the words `keep`, `drop` and `null`, or a strategy.
    ///
    /// # Errors
    /// As [`Spec::new`].
    pub fn new(value: &Value) -> Result<Self, SpecError> {
        Ok(match value {
            Value::Text(word) if word == "keep" => Self::Keep,
            Value::Text(word) if word == "drop" => Self::Drop,
            Value::Text(word) if word == "null" => Self::Null,
            _ => Self::Mask(Spec::new(value)?),
        })
    }

    /// Returns it as it is written; read again it is equal.
    pub fn value(&self) -> Value {
        match self {
            Self::Keep => Value::from("keep"),
            Self::Drop => Value::from("drop"),
            Self::Null => Value::from("null"),
            Self::Mask(spec) => spec.value(),
        }
    }

    /// The strategy, if it is masked.
    pub fn spec(&self) -> Option<&Spec> {
        match self {
            Self::Mask(spec) => Some(spec),
            Self::Keep | Self::Drop | Self::Null => None,
        }
    }
}

/// Whether a strategy written in a parameter has a seed beside it, which is one for tests.
pub fn holds_seed(value: &Value) -> bool {
    match value {
        Value::List(values) => values.iter().any(holds_seed),
        Value::Map(members) => {
            members.contains_key("type") && members.contains_key("seed")
                || members.values().any(holds_seed)
        }
        Value::Bool(_) | Value::Int(_) | Value::Number(_) | Value::Text(_) => false,
    }
}

/// Whether at most `specs` strategies stand in one another, in a value of bounded depth.
fn within(value: &Value, specs: usize, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    match value {
        Value::List(values) => values.iter().all(|value| within(value, specs, depth)),
        Value::Map(members) => {
            let is_spec = members.contains_key("type");
            let Some(left) = specs.checked_sub(usize::from(is_spec)) else {
                return false;
            };
            members.values().all(|value| within(value, left, depth))
        }
        Value::Bool(_) | Value::Int(_) | Value::Number(_) | Value::Text(_) => true,
    }
}

fn refuse(place: &str, message: &str, detail: impl Into<String>) -> SpecError {
    SpecError {
        place: place.to_owned(),
        error: Error::new(Kind::InvalidParameter, message).with_detail(detail),
    }
}

const KEYS: [&str; 3] = ["type", "config", "seed"];
const FORM: &str = "It must be the type of a strategy, or a mapping with type, config and seed.";

/// The depth of lists and mappings that is read at all.
const DEEPEST_VALUE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn map(members: &[(&str, Value)]) -> Value {
        let members = members.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Value::Map(members.collect())
    }

    #[test]
    fn spec_is_a_name_or_a_mapping() {
        let short = Spec::new(&Value::from("email")).unwrap();
        let long = Spec::new(&map(&[("type", "email".into()), ("config", map(&[]))])).unwrap();
        assert_eq!(short, long);
        assert_eq!(short.strategy().kind().name(), "email");
        assert_eq!(short.seed(), None);
    }

    #[test]
    fn spec_read_again_is_equal() {
        let config = map(&[("length", Value::Int(12))]);
        let spec = map(&[
            ("type", "hash".into()),
            ("config", config),
            ("seed", Value::Int(-7)),
        ]);
        let spec = Spec::new(&spec).unwrap();
        assert_eq!(spec.seed().map(Seed::number), Some(-7));
        assert_eq!(Spec::new(&spec.value()).unwrap(), spec);
        for word in ["keep", "drop", "null", "redact"] {
            let action = Action::new(&Value::from(word)).unwrap();
            assert_eq!(Action::new(&action.value()).unwrap(), action);
            assert_eq!(action.spec().is_some(), word == "redact");
        }
    }

    #[test]
    fn spec_seeds_are_found_in_parameters() {
        let email = ("type", Value::from("email"));
        let seeded = map(&[email.clone(), ("seed", Value::Int(7))]);
        assert!(holds_seed(&seeded));
        assert!(holds_seed(&map(&[("$.a", Value::List(vec![seeded]))])));
        assert!(!holds_seed(&map(&[("$.seed", map(&[email]))])));
        assert!(!holds_seed(&map(&[("seed", Value::Int(7))])));
    }

    #[test]
    fn spec_errors_name_the_place() {
        let place = |value: Value| Spec::new(&value).unwrap_err().place;
        let email = ("type", Value::from("email"));
        assert_eq!(place(Value::Int(1)), "");
        assert_eq!(place("emial".into()), "");
        assert_eq!(place(map(&[])), "type");
        assert_eq!(place(map(&[("type", Value::Int(1))])), "type");
        assert_eq!(place(map(&[("type", "emial".into())])), "type");
        assert_eq!(place(map(&[email.clone(), ("sed", Value::Int(1))])), "sed");
        assert_eq!(place(map(&[email.clone(), ("seed", "1".into())])), "seed");
        assert_eq!(
            place(map(&[email.clone(), ("config", "x".into())])),
            "config"
        );
        let config = map(&[("hash_length", Value::Int(1))]);
        assert_eq!(
            place(map(&[email, ("config", config)])),
            "config.hash_length"
        );
    }

    #[test]
    fn spec_errors_become_errors_of_the_parameter() {
        let config = map(&[("hash_length", Value::Int(1))]);
        let spec = map(&[("type", "email".into()), ("config", config)]);
        let refused = Spec::new(&spec).unwrap_err().inside("paths", "json", "$.a");
        assert_eq!(refused.param, "paths");
        assert_eq!(
            refused.error.message(),
            "invalid value for parameter \"paths\" of strategy \"json\""
        );
        assert_eq!(
            refused.error.detail(),
            Some(
                "At \"$.a\", config.hash_length: invalid value for parameter \"hash_length\" of \
                 strategy \"email\". It must be between 8 and 64."
            )
        );
        let refused = Spec::new(&"emial".into())
            .unwrap_err()
            .inside("paths", "json", "$.a");
        assert!(
            refused
                .error
                .hint()
                .is_some_and(|hint| hint.contains("\"email\"?"))
        );
    }

    #[test]
    fn spec_depth_is_bounded() {
        let mut spec = Value::from("email");
        for depth in 1..=DEEPEST {
            let paths = map(&[("$.a", spec)]);
            spec = map(&[
                ("type", "json".into()),
                ("config", map(&[("paths", paths)])),
            ]);
            assert!(Spec::new(&spec).is_ok(), "{depth}");
        }
        let paths = map(&[("$.a", spec)]);
        let spec = map(&[
            ("type", "json".into()),
            ("config", map(&[("paths", paths)])),
        ]);
        let refused = Spec::new(&spec).unwrap_err();
        assert_eq!(refused.error.message(), "strategy is nested too deeply");
        let mut value = Value::Int(1);
        for _ in 0..1000 {
            value = Value::List(vec![value]);
        }
        assert!(Spec::new(&value).is_err());
    }
}
