//! Parameters of a strategy: their names, types and defaults, and how a wrong one is reported.
//!
//! Parsing is strict. A name, a type or a word that a strategy does not know is an error that
//! names the parameter, so that a profile can point at the line; nothing is coerced or ignored.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::Kind;
use crate::error::{self, Error};

/// The parameters as written, by name.
pub type Params = BTreeMap<String, Value>;

/// The value of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A text.
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The type of one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// `true` or `false`.
    Bool,
    /// An integer.
    Int,
    /// A text.
    Text,
}

/// What a strategy says about one of its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamSpec {
    /// The name, as written in a profile.
    pub name: &'static str,
    /// The type.
    pub kind: ParamKind,
    /// The default, as shown in the documentation.
    pub default: &'static str,
    /// One sentence for the documentation.
    pub about: &'static str,
}

/// A parameter that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamError {
    /// The name of the parameter, as written.
    pub param: String,
    /// What is wrong with it.
    pub error: Error,
}

impl From<ParamError> for Error {
    fn from(refused: ParamError) -> Self {
        refused.error
    }
}

/// Returns the allowed word nearest to `word`, if it is near enough to be a slip of the pen.
pub fn nearest<'a>(word: &str, allowed: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > LONGEST_QUOTE {
        return None;
    }
    let word = word.to_lowercase();
    allowed
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|&(distance, _)| distance <= 2 && distance * 2 <= length)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Parameters whose names and types have been checked.
pub(super) struct Reader<'a> {
    kind: Kind,
    params: &'a Params,
}

impl<'a> Reader<'a> {
    pub(super) fn new(kind: Kind, params: &'a Params) -> Result<Self, ParamError> {
        let reader = Self { kind, params };
        for (name, value) in params {
            let Some(spec) = kind.params().iter().find(|spec| spec.name == name) else {
                return Err(reader.unrecognized(name));
            };
            let detail = match (spec.kind, value) {
                (ParamKind::Bool, Value::Bool(_)) | (ParamKind::Int, Value::Int(_)) => continue,
                (ParamKind::Text, Value::Text(text)) if text.contains('\0') => {
                    "It must not contain a zero byte."
                }
                (ParamKind::Text, Value::Text(_)) => continue,
                (ParamKind::Bool, _) => "It must be true or false.",
                (ParamKind::Int, _) => "It must be an integer.",
                (ParamKind::Text, _) => "It must be a text, in quotes.",
            };
            return Err(reader.invalid(name, detail));
        }
        Ok(reader)
    }

    pub(super) fn bool(&self, name: &str, default: bool) -> bool {
        match self.params.get(name) {
            Some(&Value::Bool(value)) => value,
            _ => default,
        }
    }

    pub(super) fn int(
        &self,
        name: &str,
        default: u16,
        range: RangeInclusive<u16>,
    ) -> Result<u16, ParamError> {
        let Some(&Value::Int(value)) = self.params.get(name) else {
            return Ok(default);
        };
        u16::try_from(value)
            .ok()
            .filter(|value| range.contains(value))
            .ok_or_else(|| {
                let (low, high) = range.into_inner();
                self.invalid(name, format!("It must be between {low} and {high}."))
            })
    }

    pub(super) fn text(&self, name: &str, default: &'a str) -> &'a str {
        match self.params.get(name) {
            Some(Value::Text(value)) => value,
            _ => default,
        }
    }

    /// Reads one of a closed list of words; without the parameter, the first of them.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, ParamError> {
        let word = self.text(name, words[0].0);
        if let Some((_, value)) = words.iter().find(|(candidate, _)| *candidate == word) {
            return Ok(*value);
        }
        let message = format!(
            "unrecognized {name} {} for strategy \"{}\"",
            quote(word),
            self.kind.name()
        );
        let error = Error::new(error::Kind::InvalidParameter, message).with_hint(hint(
            "words",
            word,
            words.iter().map(|(word, _)| *word),
        ));
        Err(self.error(name, error))
    }

    /// Reports a parameter whose value breaks the rule stated in `detail`.
    pub(super) fn invalid(&self, name: &str, detail: impl Into<String>) -> ParamError {
        let message = format!(
            "invalid value for parameter {} of strategy \"{}\"",
            quote(name),
            self.kind.name()
        );
        self.error(
            name,
            Error::new(error::Kind::InvalidParameter, message).with_detail(detail),
        )
    }

    pub(super) fn error(&self, name: &str, error: Error) -> ParamError {
        ParamError {
            param: name.to_owned(),
            error,
        }
    }

    pub(super) fn is_given(&self, name: &str) -> bool {
        self.params.contains_key(name)
    }

    fn unrecognized(&self, name: &str) -> ParamError {
        let message = format!(
            "unrecognized parameter {} for strategy \"{}\"",
            quote(name),
            self.kind.name()
        );
        let allowed = self.kind.params().iter().map(|spec| spec.name);
        let error = Error::new(error::Kind::InvalidParameter, message).with_hint(hint(
            "parameters",
            name,
            allowed,
        ));
        self.error(name, error)
    }
}

fn hint<'a>(what: &str, word: &str, allowed: impl Iterator<Item = &'a str> + Clone) -> String {
    let list: Vec<String> = allowed.clone().map(quote).collect();
    let list = list.join(", ");
    match nearest(word, allowed) {
        Some(near) => format!("Did you mean \"{near}\"? Available {what} are {list}."),
        None => format!("Available {what} are {list}."),
    }
}

/// Quotes a word of a profile, cut to a length that a log line can bear.
fn quote(word: &str) -> String {
    let word: String = word
        .chars()
        .take(LONGEST_QUOTE)
        .filter(|c| !c.is_control())
        .collect();
    format!("\"{word}\"")
}

/// Optimal string alignment: insertions, deletions, substitutions, swaps of neighbors.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substitute = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substitute.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

const LONGEST_QUOTE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(kind: Kind, name: &str, value: Value) -> ParamError {
        let params = Params::from([(name.to_owned(), value)]);
        Reader::new(kind, &params).err().expect("refused")
    }

    #[test]
    fn nearest_forgives_a_slip_and_no_more() {
        let names = ["email", "hash", "phone", "redact"];
        assert_eq!(nearest("hsah", names.into_iter()), Some("hash"));
        assert_eq!(nearest("Emial", names.into_iter()), Some("email"));
        assert_eq!(nearest("fone", names.into_iter()), Some("phone"));
        assert_eq!(nearest("tokenize", names.into_iter()), None);
        assert_eq!(nearest("x", names.into_iter()), None);
        assert_eq!(nearest("", names.into_iter()), None);
        assert_eq!(nearest(&"h".repeat(100_000), names.into_iter()), None);
    }

    #[test]
    fn unrecognized_parameter_gets_the_list_and_the_nearest_name() {
        let refused = refuse(Kind::Hash, "lenght", Value::Int(8));
        assert_eq!(refused.param, "lenght");
        assert_eq!(
            refused.error.message(),
            "unrecognized parameter \"lenght\" for strategy \"hash\""
        );
        assert_eq!(
            refused.error.hint(),
            Some(
                "Did you mean \"length\"? Available parameters are \"algorithm\", \"canonical\", \
                 \"length\", \"prefix\"."
            )
        );
    }

    #[test]
    fn wrong_type_is_reported_without_the_value() {
        let refused = refuse(Kind::Hash, "length", Value::Text("s3cret".to_owned()));
        assert_eq!(refused.error.kind().sqlstate().as_str(), "22023");
        assert_eq!(refused.error.detail(), Some("It must be an integer."));
        assert!(!format!("{refused:?}").contains("s3cret"));
        let refused = refuse(Kind::Hash, "prefix", Value::Int(4711));
        assert_eq!(
            refused.error.detail(),
            Some("It must be a text, in quotes.")
        );
    }

    #[test]
    fn zero_byte_is_refused_in_every_text() {
        for kind in Kind::ALL {
            for spec in kind.params().iter().filter(|s| s.kind == ParamKind::Text) {
                let refused = refuse(kind, spec.name, Value::from("a\0b"));
                assert_eq!(refused.param, spec.name);
            }
        }
    }
}
