//! The identifiers of a row, as they are handed over: texts, lists of texts, documents.

use serde_json::Value;

use super::needle::Sought;
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

/// The texts of a value, and of what was written in its place, where these are documents.
#[derive(Debug, Default)]
pub struct Texts {
    /// Those that lead to a person and were not written again: what is among the written ones was not
    /// replaced.
    gone: Vec<String>,
}

impl<'a> Identifier<'a> {
    /// Reads a document; of another value nothing.
    pub fn texts(&self) -> Texts {
        let read = |text: &str| serde_json::from_str::<Value>(text).ok();
        let original = match self.is_document {
            true => read(self.original),
            false => None,
        };
        let Some(original) = original else {
            return Texts::default();
        };
        let mut kept = Vec::new();
        if let Some(written) = self.written.and_then(read) {
            texts(&written, true, &mut |text| kept.push(text.to_owned()));
        }
        let mut gone = Vec::new();
        texts(&original, true, &mut |text| {
            if !kept.iter().any(|kept| kept == text) {
                gone.push(text.to_owned());
            }
        });
        Texts { gone }
    }

    /// What is looked for: the value, or the texts of its document.
    pub fn sought<'t: 's, 's>(&self, of: &'t Texts) -> impl Iterator<Item = Sought<'s>>
    where
        'a: 's,
    {
        let is_name = self.is_name;
        let itself = (!self.is_document).then(|| Sought::of(self.original, self.written, is_name));
        let texts = of.gone.iter();
        itself
            .into_iter()
            .chain(texts.map(move |text| Sought::of(text, None, is_name)))
    }
}

/// The texts of a document that lead to a person: all of a list, and of an object those that can be
/// told by their form. Words of everyday are among the others, and in texts too.
fn texts(value: &Value, is_list: bool, take: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) if is_list || is_recognized(text) => take(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, is_list, take)),
        Value::Object(members) => members.values().for_each(|item| texts(item, false, take)),
        _ => {}
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
        let texts = identifier.texts();
        let sought = identifier.sought(&texts);
        sought.map(|of| of.original().to_owned()).collect()
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
