//! Names and texts as parts of a statement.

use crate::error::{Error, Kind, Result};

/// Quotes an identifier, always: a name that is a keyword in some version stays a name.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a name with its schema.
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quote(schema), quote(name))
}

/// Quotes a text. A backslash makes it an escape string, whose meaning no setting changes.
pub fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// The longest name that the server stores, in bytes. It cuts longer ones short, and says so at most.
const LONGEST: usize = 63;

/// Checks that a schema of a name can be made, so that it is found by that name.
///
/// # Errors
/// 22023 for a name that would be cut short.
pub fn check_schema(name: &str) -> Result<()> {
    if name.len() <= LONGEST {
        return Ok(());
    }
    let length = name.len();
    Err(Error::new(
        Kind::InvalidParameter,
        "the name of the schema to be made is too long",
    )
    .with_detail(format!("It has {length} bytes, and may have {LONGEST}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_made_under_the_name_that_was_given() {
        assert!(check_schema(&"é".repeat(31)).is_ok());
        let error = check_schema(&"é".repeat(32)).unwrap_err();
        assert_eq!(error.detail(), Some("It has 64 bytes, and may have 63."));
    }

    #[test]
    fn names_and_texts_cannot_end_their_quotes() {
        assert_eq!(quote(r#"a"b"#), r#""a""b""#);
        assert_eq!(qualified("s.t", "x y"), r#""s.t"."x y""#);
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"\'"), r"E'\\'''");
    }
}
