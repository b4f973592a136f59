//! The parameters of a transformer, as they are given.

use crate::profile::document::{Content, Tree, word};

/// Parameters by name.
#[derive(Clone, Copy)]
pub struct Given<'a>(Option<&'a Tree>);

impl<'a> Given<'a> {
    /// What stands below `params`.
    pub fn new(params: Option<&'a Tree>) -> Self {
        Self(params)
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&'a Tree> {
        self.0?.get(name)
    }

    /// A scalar.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.text()
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.trim().parse().ok()
    }

    /// A whole number.
    pub fn whole(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// A flag, with what holds where it is not given.
    pub fn flag(&self, name: &str, otherwise: bool) -> bool {
        match self.text(name) {
            Some("true") => true,
            Some("false") => false,
            _ => otherwise,
        }
    }

    /// A list.
    pub fn list(&self, name: &str) -> &'a [Tree] {
        match self.get(name).map(|tree| &tree.content) {
            Some(Content::List(items)) => items,
            _ => &[],
        }
    }

    /// A mapping of scalars, if all of them are.
    pub fn pairs(&self, name: &str) -> Option<Vec<(String, String)>> {
        match &self.get(name)?.content {
            Content::Map(entries) => entries
                .iter()
                .map(|entry| Some((entry.key.clone(), entry.value.text()?.to_owned())))
                .collect(),
            _ => None,
        }
    }

    fn entries(&self) -> Vec<(&'a str, &'a Tree)> {
        match self.0.map(|tree| &tree.content) {
            Some(Content::Map(entries)) => entries
                .iter()
                .map(|entry| (entry.key.as_str(), &entry.value))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A transformer as a report shows it: `RandomDate(min: 2020-01-01, …)`. A salt is not shown.
pub fn shown(name: &str, params: &Given<'_>) -> String {
    let shown: Vec<String> = params
        .entries()
        .into_iter()
        .filter(|(key, _)| *key != "column")
        .map(|(key, value)| match value.text() {
            Some(_) if key == "salt" => format!("{}: …", word(key)),
            Some(text) => format!("{}: {}", word(key), word(text)),
            None => format!("{}: {}", word(key), value.noun()),
        })
        .collect();
    format!("{}({})", word(name), shown.join(", "))
}
