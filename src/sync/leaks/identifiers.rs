//! The identifiers of a row, as they are handed over: texts, lists of texts, documents.

use serde_json::Value;

use crate::strategies::prose::recognize::{Recognized, recognize};

/// A value of the source, and what was written in its place.
#[derive(Clone, Copy, Debug)]
pub struct Identifier<'a> {
    /// Before; never NULL.
    pub original: &'a str,
    /// After.
    pub written: Option<&'a str>,
    /// Whether both are documents.
    pub is_document: bool,
    /// Whether it is the name of a person.
    pub is_name: bool,
}

impl Identifier<'_> {
    /// Whether one of its texts, with what was written in its place, is what is asked for. Of a
    /// list, what is among the written ones was not replaced.
    pub fn any(&self, mut is_it: impl FnMut(&str, Option<&str>) -> bool) -> bool {
        if !self.is_document {
            return is_it(self.original, self.written);
        }
        let Ok(original) = serde_json::from_str::<Value>(self.original) else {
            return false;
        };
        let written = self
            .written
            .and_then(|text| serde_json::from_str(text).ok());
        let mut kept = Vec::new();
        if let Some(written) = &written {
            texts(written, true, &mut |text| {
                kept.push(text.to_owned());
                false
            });
        }
        texts(&original, true, &mut |text| {
            !kept.iter().any(|kept| kept == text) && is_it(text, None)
        })
    }
}

/// The texts of a document that lead to a person: all of a list, and of an object those that can be
/// told by their form. Words of everyday are among the others, and in texts too.
fn texts(value: &Value, is_list: bool, take: &mut impl FnMut(&str) -> bool) -> bool {
    match value {
        Value::String(text) => (is_list || is_recognized(text)) && take(text),
        Value::Array(items) => items.iter().any(|item| texts(item, is_list, take)),
        Value::Object(members) => members.values().any(|item| texts(item, false, take)),
        _ => false,
    }
}

fn is_recognized(text: &str) -> bool {
    matches!(recognize(text), Recognized::All(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(original: &str, written: Option<&str>, is_document: bool) -> Vec<String> {
        let identifier = Identifier {
            original,
            written,
            is_document,
            is_name: false,
        };
        let mut found = Vec::new();
        identifier.any(|text, _| {
            found.push(text.to_owned());
            false
        });
        found
    }

    #[test]
    fn identifiers_of_lists_and_documents_are_what_was_replaced() {
        assert_eq!(found("Anna", Some("x"), false), ["Anna"]);
        let list = r#"["a@post.example", "Anna", null]"#;
        assert_eq!(found(list, None, true), ["a@post.example", "Anna"]);
        assert_eq!(
            found(list, Some(r#"["x", "Anna"]"#), true),
            ["a@post.example"]
        );
        let document = r#"{"mail": "a@post.example", "state": "shipping", "of": ["Anna"]}"#;
        assert_eq!(found(document, None, true), ["a@post.example"]);
        assert_eq!(found("{", None, true), [""; 0]);
    }
}
