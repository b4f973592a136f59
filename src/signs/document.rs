//! What the documents of a column say: the names of their keys and the values below them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::strategies::prose::recognize::{Form, Recognized, recognize};

use super::names;
use super::tables::Context;
use super::{Category, PERSONAL, Sort};

/// What was counted of documents.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// Documents that could be read.
    read: u32,
    /// Keys of scalars.
    keys: BTreeMap<String, Key>,
    /// Scalars outside of objects.
    bare: Key,
}

#[derive(Clone, Copy, Debug, Default)]
struct Key {
    seen: u32,
    forms: [u32; Form::ALL.len()],
    within: u32,
}

/// A key whose values look personal.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The key, if showing it shows no value: a document may have values as keys.
    pub key: Option<String>,
    /// Of what its values are.
    pub category: Category,
    /// How surely.
    pub confidence: f64,
}

impl Documents {
    /// Reads a document; what is none is passed over.
    pub fn add(&mut self, text: &str) {
        let Ok(document) = serde_json::from_str::<Value>(text) else {
            // hstore
            if text.contains("=>") {
                self.read = self.read.saturating_add(1);
                self.bare.note(text);
            }
            return;
        };
        self.read = self.read.saturating_add(1);
        let mut left = MOST_SCALARS;
        self.walk(&document, None, 0, &mut left);
    }

    /// How many were read.
    pub fn read(&self) -> u32 {
        self.read
    }

    fn walk(&mut self, value: &Value, key: Option<&str>, depth: u32, left: &mut u32) {
        if *left == 0 || depth > DEEPEST {
            return;
        }
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    // A key that is a value by itself.
                    if let Recognized::All(_) = recognize(name) {
                        self.bare.note(name);
                    }
                    self.walk(member, Some(name), depth + 1, left);
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.walk(element, key, depth + 1, left);
                }
            }
            Value::String(text) => {
                *left -= 1;
                self.key(key).note(text);
            }
            Value::Number(_) => {
                *left -= 1;
                self.key(key).seen += 1;
            }
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn key(&mut self, key: Option<&str>) -> &mut Key {
        match key {
            Some(key) if self.keys.contains_key(key) || self.keys.len() < MOST_KEYS => {
                self.keys.entry(key.to_owned()).or_default()
            }
            _ => &mut self.bare,
        }
    }

    /// The keys that look personal, the surest first.
    pub fn parts(&self) -> Vec<Part> {
        // What is said of a person in a document is said under such a key, whatever the table.
        let context = Context {
            has_person: true,
            has_place: true,
            ..Context::NONE
        };
        let mut parts: Vec<_> = self
            .keys
            .iter()
            .filter_map(|(name, key)| {
                let by_name = names::read(name, Sort::Text, context)
                    .map(|named| (named.category, named.confidence))
                    // A word such as "name" or "title" says too little in a document.
                    .map(|(category, sure)| match category {
                        Category::PersonName | Category::FreeText => (category, sure * 0.7),
                        _ => (category, sure),
                    });
                let (category, confidence) = by_name
                    .into_iter()
                    .chain(key.says())
                    .max_by(|(_, one), (_, other)| one.total_cmp(other))?;
                Some(Part {
                    key: names::is_plain(name).then(|| name.clone()),
                    category,
                    confidence,
                })
            })
            .chain(self.bare.says().map(|(category, confidence)| Part {
                key: None,
                category,
                confidence,
            }))
            .filter(|part| part.confidence >= PERSONAL)
            .collect();
        parts.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
        parts
    }
}

impl Key {
    fn note(&mut self, text: &str) {
        self.seen = self.seen.saturating_add(1);
        match recognize(text) {
            Recognized::All(form) => {
                if let Some(place) = Form::ALL.iter().position(|other| *other == form) {
                    self.forms[place] += 1;
                }
            }
            Recognized::Within(form) if form != Form::Url => self.within += 1,
            Recognized::Within(_) | Recognized::Nothing => {}
        }
    }

    fn says(&self) -> Option<(Category, f64)> {
        let of = |form| match form {
            Form::Email => Some((Category::Email, 0.95)),
            Form::Iban => Some((Category::Iban, 0.95)),
            Form::Card => Some((Category::CreditCard, 0.9)),
            Form::NationalId => Some((Category::NationalId, 0.85)),
            Form::Ip => Some((Category::Ip, 0.8)),
            Form::Phone => Some((Category::Phone, 0.75)),
            Form::Url => None,
        };
        let share = |count: u32| f64::from(count) / f64::from(self.seen.max(1));
        let forms = Form::ALL.into_iter().zip(self.forms);
        forms
            .filter(|(_, count)| *count > 0 && share(*count) >= 0.3)
            .find_map(|(form, _)| of(form))
            .or_else(|| (self.within > 1).then_some((Category::FreeText, 0.7)))
    }
}

const DEEPEST: u32 = 16;
const MOST_SCALARS: u32 = 500;
const MOST_KEYS: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_key_by_key() {
        let mut documents = Documents::default();
        documents.add(r#"{"language": "fr", "contact": {"mail": "ada@work.example", "to": ["+44 20 7946 0958"]}}"#);
        documents.add(r#"{"ada@work.example": true, "size": 36}"#);
        documents.add("no document");
        assert_eq!(documents.read(), 2);
        let parts = documents.parts();
        let shown: Vec<_> = parts
            .iter()
            .map(|part| (part.key.as_deref(), part.category))
            .collect();
        assert!(
            shown.contains(&(Some("mail"), Category::Email)),
            "{shown:?}"
        );
        assert!(shown.contains(&(None, Category::Email)), "{shown:?}");
        assert!(
            shown
                .iter()
                .any(|(_, category)| *category == Category::Phone),
            "{shown:?}"
        );
    }

    #[test]
    fn documents_without_anything_personal_say_nothing() {
        let mut documents = Documents::default();
        documents.add(r#"{"grams": 120, "organic": true, "colour": "red"}"#);
        assert_eq!(documents.parts(), []);
    }
}
