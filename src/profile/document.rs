//! Other documents in the YAML that profiles are written in: within the same bounds, as a tree that
//! knows the place of every node.

use super::names::shown;
use super::scalar::ScalarKind;
use super::yaml::Bounds;
use super::{Place, Problem, Problems, Severity, yaml};
use crate::error::{Error, Kind, Result};

/// One node of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// Where it stands; nowhere for what came from elsewhere.
    pub place: Option<Place>,
    /// What it is.
    pub content: Content,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Nothing.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// An integer, as written.
    Whole(String),
    /// A number with a fraction, as written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// A mapping, whose keys differ.
    Map(Vec<Entry>),
}

/// One key of a mapping, with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where it stands.
    pub place: Option<Place>,
    /// Its value.
    pub value: Tree,
}

impl Tree {
    /// What it is, for a message.
    pub fn noun(&self) -> &'static str {
        match &self.content {
            Content::Nothing => "nothing",
            Content::Flag(_) => "a boolean",
            Content::Whole(_) => "an integer",
            Content::Number(_) => "a number",
            Content::Text(_) => "a text",
            Content::List(_) => "a list",
            Content::Map(_) => "a mapping",
        }
    }

    /// The value of a key, of a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == key)
                .map(|entry| &entry.value),
            _ => None,
        }
    }

    /// A scalar as written; a number or a boolean may stand for a text.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) | Content::Whole(text) | Content::Number(text) => Some(text),
            Content::Flag(true) => Some("true"),
            Content::Flag(false) => Some("false"),
            _ => None,
        }
    }
}

/// Reads one document; `noun` says of what kind, for messages.
///
/// # Errors
/// 22P02 for what is not the YAML accepted here, with its place.
pub fn read(noun: &str, bytes: &[u8]) -> Result<Tree> {
    read_within(Bounds::USUAL, noun, bytes)
}

/// The same, within other bounds.
///
/// # Errors
/// As [`read`].
pub fn read_within(bounds: Bounds, noun: &str, bytes: &[u8]) -> Result<Tree> {
    let mut problems = Problems::default();
    let root = yaml::parse_within(bounds, bytes, &mut problems);
    let errors = problems.errors;
    let first = problems
        .into_list()
        .into_iter()
        .find(|problem| problem.severity == Severity::Error);
    match (root, first) {
        (_, Some(first)) => Err(first.into_error_of(noun, errors.saturating_sub(1))),
        (Some(root), None) => Ok(tree(root)),
        (None, None) => Err(Error::new(
            Kind::Internal,
            "a document was refused without a problem",
        )),
    }
}

/// What is wrong with a document that can be read; 22023, for `code` of `"value"`, else 22P02.
pub fn problem(
    noun: &str,
    place: Option<Place>,
    path: &str,
    code: &'static str,
    message: impl Into<String>,
    hint: Option<String>,
) -> Error {
    let problem = Problem {
        place,
        path: path.to_owned(),
        severity: Severity::Error,
        code,
        message: message.into(),
        hint,
    };
    problem.into_error_of(noun, 0)
}

/// A word of a document for a message: without control characters and not long.
pub fn word(word: &str) -> String {
    shown(word)
}

fn tree(node: yaml::Node) -> Tree {
    let content = match node.content {
        yaml::Content::List(items) => Content::List(items.into_iter().map(tree).collect()),
        yaml::Content::Map(entries) => Content::Map(
            entries
                .into_iter()
                .map(|entry| Entry {
                    key: entry.key,
                    place: Some(entry.place),
                    value: tree(entry.value),
                })
                .collect(),
        ),
        yaml::Content::Scalar(scalar) => match scalar.kind {
            ScalarKind::Null => Content::Nothing,
            ScalarKind::Bool(flag) => Content::Flag(flag),
            ScalarKind::Int => Content::Whole(scalar.text),
            ScalarKind::Number => Content::Number(scalar.text),
            ScalarKind::Text => Content::Text(scalar.text),
        },
    };
    Tree {
        place: Some(node.place),
        content,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_as_profiles_are() {
        let tree = read("paper", b"a: 1\nb: [x, true, ~, 1.5]\n").unwrap();
        assert_eq!(tree.get("a").and_then(Tree::text), Some("1"));
        let nouns: Vec<_> = match &tree.get("b").unwrap().content {
            Content::List(items) => items.iter().map(Tree::noun).collect(),
            _ => Vec::new(),
        };
        assert_eq!(nouns, ["a text", "a boolean", "nothing", "a number"]);
        for (yaml, message) in [
            ("a: 1\na: 2\n", "invalid paper: key \"a\" is already used"),
            ("a: !!python/object x\n", "invalid paper: tag"),
            ("a: [", "invalid paper: "),
            ("", "invalid paper: document is empty"),
        ] {
            let error = read("paper", yaml.as_bytes()).unwrap_err();
            assert!(error.message().starts_with(message), "{error:?}");
            assert_eq!(error.kind(), Kind::InvalidText, "{error:?}");
        }
    }
}
