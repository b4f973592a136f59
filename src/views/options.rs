//! The options of masked views.

use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::strategies::nearest;

/// What a caller asks for beyond profile, source and target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether who may read a table may read its view.
    pub grants: bool,
    /// Whether the views are materialized.
    pub materialized: bool,
    /// Version of the profile; the newest that is not retired without it.
    pub version: Option<String>,
}

const NAMES: [&str; 3] = ["grants", "materialized", "version"];

impl Options {
    /// Reads the options: a JSON object.
    ///
    /// # Errors
    /// 22023 for an unrecognized name or value.
    pub fn parse(options: &Value) -> Result<Self> {
        let Value::Object(members) = options else {
            return Err(Error::new(
                Kind::InvalidParameter,
                "options must be a JSON object",
            ));
        };
        let mut parsed = Self::default();
        for (name, value) in members {
            match (name.as_str(), value) {
                (_, Value::Null) if NAMES.contains(&name.as_str()) => {}
                ("grants", Value::Bool(grants)) => parsed.grants = *grants,
                ("materialized", Value::Bool(materialized)) => parsed.materialized = *materialized,
                ("version", Value::String(version)) => parsed.version = Some(version.clone()),
                ("grants" | "materialized", _) => {
                    return Err(invalid(name, "It must be true or false."));
                }
                ("version", _) => return Err(invalid(name, "It must be a text.")),
                _ => {
                    let hint = match nearest(name, NAMES.into_iter()) {
                        Some(near) => format!("Did you mean \"{near}\"?"),
                        None => format!("Available options are {}.", NAMES.join(", ")),
                    };
                    return Err(Error::new(
                        Kind::InvalidParameter,
                        format!("unrecognized option \"{name}\""),
                    )
                    .with_hint(hint));
                }
            }
        }
        Ok(parsed)
    }
}

fn invalid(name: &str, detail: &str) -> Error {
    Error::new(
        Kind::InvalidParameter,
        format!("invalid value for option \"{name}\""),
    )
    .with_detail(detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn view_options_are_read() {
        let options = json!({"grants": true, "materialized": true, "version": "2"});
        assert_eq!(
            Options::parse(&options).unwrap(),
            Options {
                grants: true,
                materialized: true,
                version: Some("2".into())
            }
        );
        let nothing = Options::parse(&json!({"version": null})).unwrap();
        assert_eq!(nothing, Options::default());
    }

    #[test]
    fn view_options_that_are_not_understood_are_refused() {
        for bad in [
            json!([]),
            json!({"grants": "yes"}),
            json!({"materialized": 1}),
            json!({"version": 1}),
            json!({"materialised": true}),
        ] {
            let error = Options::parse(&bad).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidParameter);
        }
        let error = Options::parse(&json!({"materialised": true})).unwrap_err();
        assert_eq!(error.hint(), Some("Did you mean \"materialized\"?"));
    }
}
