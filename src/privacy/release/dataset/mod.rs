//! A data set: a table whose owner has said which of its columns may be asked about, and how.

pub mod store;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};

/// What a release may do with a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// Numbers, summed between these bounds, which are public.
    Bounds {
        /// The lower one, as text.
        lower: String,
        /// The upper one.
        upper: String,
    },
    /// Groups by these keys, which are public, as the server writes them.
    Keys(Vec<String>),
    /// Groups by whatever keys there are: only those are shown that enough units are in.
    AnyKeys,
}

/// A column of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, below domains, as `pg_catalog` calls it.
    pub of: String,
    /// What it is for.
    pub uses: Use,
}

/// A data set as it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// Schema and table.
    pub table: (String, String),
    /// The column that says whose a row is.
    pub unit: String,
    /// Its type, below domains.
    pub unit_type: String,
    /// The budget that its releases charge.
    pub budget: String,
    /// The columns that may be asked about.
    pub columns: Vec<Column>,
}

impl Dataset {
    /// A registered column.
    ///
    /// # Errors
    /// 42703 for one that is not.
    pub fn column(&self, name: &str) -> Result<&Column> {
        let found = self.columns.iter().find(|column| column.name == name);
        found.ok_or_else(|| {
            Error::new(
                Kind::UndefinedColumn,
                format!("data set \"{}\" has no column \"{name}\"", self.name),
            )
            .with_hint("Only columns that were registered may be asked about.")
        })
    }
}

/// Types whose comparisons tell nothing of a value, not even by an error.
pub const COMPARED: [&str; 11] = [
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "text",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
    "uuid",
];
/// Types that are summed.
pub const SUMMED: [&str; 6] = [
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "numeric",
];

/// Reads the document of a registration: `{"age": {"lower": 0, "upper": 120}, "sex": {"keys": ["F"]}}`.
///
/// # Errors
/// 22023 where it has another form.
pub fn uses(document: &Value) -> Result<BTreeMap<String, Use>> {
    let refused = |detail: String| {
        Error::new(
            Kind::InvalidParameter,
            "invalid value for argument \"columns\"",
        )
        .with_detail(detail)
    };
    let columns = document
        .as_object()
        .filter(|columns| !columns.is_empty())
        .ok_or_else(|| refused("It must be an object with a member for each column.".to_owned()))?;
    columns
        .iter()
        .map(|(name, what)| {
            let form = || {
                refused(format!(
                    "Column \"{name}\" needs lower and upper, or keys: a list, or null for any."
                ))
            };
            let what = what.as_object().ok_or_else(form)?;
            let known = ["lower", "upper", "keys"];
            if what.keys().any(|key| !known.contains(&key.as_str())) {
                return Err(form());
            }
            let bound = |key: &str| what.get(key).and_then(number);
            let uses = match (bound("lower"), bound("upper"), what.get("keys")) {
                (Some(lower), Some(upper), None) => Use::Bounds { lower, upper },
                (None, None, Some(Value::Null)) if what.len() == 1 => Use::AnyKeys,
                (None, None, Some(Value::Array(keys))) if what.len() == 1 => {
                    let keys: Option<Vec<String>> = keys.iter().map(scalar).collect();
                    match keys {
                        Some(keys) if (1..=MOST_KEYS).contains(&keys.len()) => Use::Keys(keys),
                        _ => return Err(form()),
                    }
                }
                _ => return Err(form()),
            };
            Ok((name.clone(), uses))
        })
        .collect()
}

fn number(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A value as text.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

/// Columns as they are kept.
pub(super) fn stored(columns: &[Column]) -> Value {
    let columns = columns.iter().map(|column| {
        let mut what = json!({"name": column.name, "type": column.of});
        match &column.uses {
            Use::Bounds { lower, upper } => {
                what["lower"] = lower.as_str().into();
                what["upper"] = upper.as_str().into();
            }
            Use::Keys(keys) => what["keys"] = keys.clone().into(),
            Use::AnyKeys => what["keys"] = Value::Null,
        }
        what
    });
    columns.collect()
}

/// Columns from what was kept.
pub(super) fn loaded(document: &Value) -> Vec<Column> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let columns = document.as_array().map(Vec::as_slice).unwrap_or_default();
    columns
        .iter()
        .filter_map(|what| {
            let uses = match (
                text(&what["lower"]).zip(text(&what["upper"])),
                &what["keys"],
            ) {
                (Some((lower, upper)), _) => Use::Bounds { lower, upper },
                (None, Value::Array(keys)) => Use::Keys(keys.iter().filter_map(text).collect()),
                (None, _) => Use::AnyKeys,
            };
            Some(Column {
                name: text(&what["name"])?,
                of: text(&what["type"])?,
                uses,
            })
        })
        .collect()
}

/// How many keys a column may have.
const MOST_KEYS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_says_what_each_column_is_for() {
        let found = uses(&json!({
            "age": {"lower": 0, "upper": 120.5},
            "sex": {"keys": ["F", "M"]},
            "year": {"keys": [2024, 2025]},
            "city": {"keys": null}
        }))
        .unwrap();
        let bounds = Use::Bounds {
            lower: "0".into(),
            upper: "120.5".into(),
        };
        assert_eq!(found["age"], bounds);
        assert_eq!(found["year"], Use::Keys(vec!["2024".into(), "2025".into()]));
        assert_eq!(found["city"], Use::AnyKeys);
    }

    #[test]
    fn a_registration_of_another_form_is_refused() {
        for bad in [
            json!(null),
            json!({}),
            json!({"a": 1}),
            json!({"a": {}}),
            json!({"a": {"lower": 0}}),
            json!({"a": {"lower": "0", "upper": 1}}),
            json!({"a": {"keys": []}}),
            json!({"a": {"keys": [null]}}),
            json!({"a": {"keys": ["x"], "lower": 0, "upper": 1}}),
            json!({"a": {"lower": 0, "upper": 1, "other": 1}}),
        ] {
            assert!(uses(&bad).is_err(), "{bad}");
        }
    }
}
