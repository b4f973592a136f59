//! `record`: a strategy for each field of a composite value.
//!
//! A field that is not named becomes NULL unless `unlisted` is `keep`: nothing comes through because
//! somebody added a field to the type.

use super::only_in_runs;
use crate::error::Result;
use crate::strategies::definition::{Apply, Definition, Needs, Parsed, Properties, Seed, Subkeys};
use crate::strategies::nested::{Action, Spec};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Params, Reader, Value};
use crate::strategies::{Kind, Strategy, ValueType};

/// `record` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Strategy, Value};
///
/// let fields = [
///     ("street".to_owned(), "redact".into()),
///     ("city".to_owned(), "keep".into()),
/// ];
/// let params = Params::from([("fields".to_owned(), Value::Map(fields.into()))]);
/// let strategy = Strategy::new(Kind::Record, &params)?;
/// assert_eq!(strategy.effective_params()["unlisted"], Value::from("null"));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "record",
    version: 1,
    about: "Composite value whose fields are masked one by one",
    accepts: &[ValueType::Record],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: false,
    example: "",
    sample: r#"{"fields": {"a": "redact"}}"#,
    parse: |reader| Ok(Box::new(Record::new(reader)?)),
};

/// What becomes of the fields of a composite value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    fields: Vec<(String, Action)>,
    keeps_unlisted: bool,
}

impl Record {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let named = reader.map("fields").into_iter().flatten();
        let fields = named
            .map(|(field, value)| match Action::new(value) {
                Ok(Action::Drop) => {
                    let detail = format!("At \"{field}\": a field stays, so write null.");
                    Err(reader.invalid("fields", detail))
                }
                Ok(action) => Ok((field.clone(), action)),
                Err(error) => Err(error.inside("fields", DEFINITION.name, field)),
            })
            .collect::<Result<Vec<_>, _>>()?;
        if fields.is_empty() {
            return Err(reader.invalid("fields", "It must name at least one field."));
        }
        let values = fields.iter();
        let values = values.map(|(name, action)| (name.clone(), action.value()));
        reader.note("fields", Value::Map(values.collect()));
        Ok(Self {
            fields,
            keeps_unlisted: reader.word("unlisted", &UNLISTED)?,
        })
    }

    /// Reads it again from the parameters of a strategy of this kind.
    ///
    /// # Errors
    /// `InvalidParameter` for parameters of another.
    pub fn of(params: &Params) -> Result<Self, ParamError> {
        Self::new(&Reader::new(Kind::Record, params)?)
    }

    /// The names of the fields it speaks of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// What becomes of a field.
    pub fn action(&self, field: &str) -> Action {
        let named = self.fields.iter().find(|(name, _)| name == field);
        match named {
            Some((_, action)) => action.clone(),
            None if self.keeps_unlisted => Action::Keep,
            None => Action::Null,
        }
    }
}

impl Parsed for Record {
    fn properties(&self, _: ValueType) -> Properties {
        let parts = || self.parts().into_iter();
        Properties {
            deterministic: parts().all(Strategy::is_deterministic),
            keyed: parts().any(Strategy::is_keyed),
            ..Properties::NONE
        }
    }

    fn parts(&self) -> Vec<&Strategy> {
        let specs = self.fields.iter().filter_map(|(_, action)| action.spec());
        specs.map(Spec::strategy).collect()
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        None
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Err(only_in_runs(Kind::Record))
    }
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::required(
        "fields",
        ParamKind::Map,
        "By field: keep, null, or a strategy (its type, or a mapping with type, config and seed).",
    ),
    ParamSpec::new(
        "unlisted",
        ParamKind::Text,
        "null",
        "What becomes of a field that is not named: null or keep.",
    ),
];
const UNLISTED: [(&str, bool); 2] = [("null", false), ("keep", true)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::from_json;

    fn record(json: &str) -> Result<Record, ParamError> {
        Record::of(&from_json(&serde_json::from_str(json).unwrap()).unwrap())
    }

    #[test]
    fn record_keeps_nothing_that_is_not_named() {
        let fields = r#"{"fields": {"street": "hash", "country": "keep"}}"#;
        let found = record(fields).unwrap();
        assert!(matches!(found.action("street"), Action::Mask(_)));
        assert_eq!(found.action("country"), Action::Keep);
        assert_eq!(found.action("door_code"), Action::Null);
        let open = record(&fields.replace("}}", r#"}, "unlisted": "keep"}"#)).unwrap();
        assert_eq!(open.action("door_code"), Action::Keep);
    }

    #[test]
    fn record_promises_what_its_fields_do() {
        let promised = |field: &str| {
            let params = format!(r#"{{"fields": {{"a": {field}, "b": "redact"}}}}"#);
            let params = from_json(&serde_json::from_str(&params).unwrap()).unwrap();
            let strategy = Strategy::new(Kind::Record, &params).unwrap();
            let of_all = strategy.properties(ValueType::Record);
            (of_all.deterministic, of_all.keyed, strategy.is_reversible())
        };
        assert_eq!(promised(r#""keep""#), (true, false, false));
        assert_eq!(promised(r#""hash""#), (true, true, false));
        assert_eq!(promised(r#""fpe""#), (true, true, true));
        let noise = r#"{"type": "dp_noise", "config": {"epsilon": 1, "sensitivity": 1}}"#;
        assert_eq!(promised(noise), (false, false, false));
    }

    #[test]
    fn record_refuses_what_a_field_cannot_become() {
        for json in [
            r#"{"fields": {}}"#,
            r#"{"fields": {"a": "drop"}}"#,
            r#"{"fields": {"a": "hsah"}}"#,
            r#"{"fields": {"a": "hash"}, "unlisted": "drop"}"#,
        ] {
            assert!(record(json).is_err(), "{json}");
        }
        assert!(Reader::new(Kind::Record, &Params::new()).is_err());
    }
}
