//! How settings of the ready-made hooks are read, and how a veto of theirs is worded.

use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::strategies::nearest;

/// Most problems that a veto names.
const MOST_NAMED: usize = 5;

/// A value that must be an object.
///
/// # Errors
/// 22023 for another one.
pub fn object<'a>(value: &'a Value, name: &str) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| {
        Error::new(
            Kind::InvalidParameter,
            format!("{name} must be a JSON object"),
        )
    })
}

/// The names in a list of at most `most`.
pub fn names(value: &Value, most: usize) -> Option<Vec<String>> {
    let items = value.as_array().filter(|items| items.len() <= most)?;
    let name = |item: &Value| item.as_str().map(str::to_owned);
    items.iter().map(name).collect()
}

/// A value that a setting cannot have.
pub fn invalid(name: &str, must: &str) -> Error {
    Error::new(
        Kind::InvalidParameter,
        format!("invalid value for setting \"{name}\""),
    )
    .with_detail(must)
}

/// A setting that there is not.
pub fn unrecognized(name: &str, names: &[&'static str]) -> Error {
    let hint = match nearest(name, names.iter().copied()) {
        Some(near) => format!("Did you mean \"{near}\"?"),
        None => format!("Available settings are {}.", names.join(", ")),
    };
    Error::new(
        Kind::InvalidParameter,
        format!("unrecognized setting \"{name}\""),
    )
    .with_hint(hint)
}

/// The problems in one line.
pub fn reason(problems: &[String]) -> String {
    let named = &problems[..problems.len().min(MOST_NAMED)];
    let mut line = named.join("; ");
    if problems.len() > MOST_NAMED {
        line.push_str(&format!("; and {} more", problems.len() - MOST_NAMED));
    }
    line
}
