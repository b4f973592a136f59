//! Parameters of one strategy, checked by name and type and read one by one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::near::{hint, quote};
use super::{ParamError, ParamKind, Params, Presence, Value};
use crate::error::{self, Error};
use crate::strategies::{Kind, OnError};

/// Parameters whose names and types have been checked.
///
/// What is read of them, defaults included, is noted: read again, it means the same.
pub struct Reader<'a> {
    kind: Kind,
    params: &'a Params,
    effective: RefCell<Params>,
}

impl<'a> Reader<'a> {
    /// Checks names and types, and that what must be there is.
    ///
    /// # Errors
    /// The first parameter that is refused.
    pub fn new(kind: Kind, params: &'a Params) -> Result<Self, ParamError> {
        let reader = Self {
            kind,
            params,
            effective: RefCell::default(),
        };
        for (name, value) in params {
            let Some(spec) = kind.params().iter().find(|spec| spec.name == name) else {
                return Err(reader.unrecognized(name));
            };
            if let Some(detail) = wrong_type(spec.kind, value) {
                return Err(reader.invalid(name, detail));
            }
        }
        for spec in kind.params() {
            if spec.presence == Presence::Required && !reader.is_given(spec.name) {
                let message = format!(
                    "parameter {} of strategy \"{}\" is missing",
                    quote(spec.name),
                    kind.name()
                );
                let error = Error::new(error::Kind::InvalidParameter, message);
                return Err(reader.error(spec.name, error.with_detail(spec.about)));
            }
        }
        Ok(reader)
    }

    /// Which strategy is being read.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Notes the effective value of a parameter; needed only where that is not what was read.
    pub fn note(&self, name: &str, value: impl Into<Value>) {
        let mut effective = self.effective.borrow_mut();
        effective.insert(name.to_owned(), value.into());
    }

    /// Every parameter that was read, with its effective value.
    pub fn into_effective(self) -> Params {
        self.effective.into_inner()
    }

    /// Reads a boolean.
    pub fn bool(&self, name: &str, default: bool) -> bool {
        let value = match self.params.get(name) {
            Some(&Value::Bool(value)) => value,
            _ => default,
        };
        self.note(name, value);
        value
    }

    /// Reads a small number within bounds.
    ///
    /// # Errors
    /// Outside the bounds.
    pub fn int(
        &self,
        name: &str,
        default: u16,
        range: RangeInclusive<u16>,
    ) -> Result<u16, ParamError> {
        let value = self.integer(name).unwrap_or(default.into());
        self.note(name, value);
        u16::try_from(value)
            .ok()
            .filter(|value| range.contains(value))
            .ok_or_else(|| {
                let (low, high) = range.into_inner();
                self.invalid(name, format!("It must be between {low} and {high}."))
            })
    }

    /// Reads a small number within bounds, if it is there.
    ///
    /// # Errors
    /// Outside the bounds.
    pub fn int_if_given(
        &self,
        name: &str,
        range: RangeInclusive<u16>,
    ) -> Result<Option<u16>, ParamError> {
        let given = self.is_given(name);
        given
            .then(|| self.int(name, *range.start(), range))
            .transpose()
    }

    /// Reads an integer, if it is there.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.params.get(name) {
            Some(&Value::Int(value)) => {
                self.note(name, value);
                Some(value)
            }
            _ => None,
        }
    }

    /// Reads a number, which may have been written as an integer, if it is there.
    ///
    /// # Errors
    /// Infinity and not-a-number.
    pub fn number(&self, name: &str) -> Result<Option<f64>, ParamError> {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a number is as exact as its type"
        )]
        let number = match self.params.get(name) {
            Some(Value::Number(number)) => number.get(),
            Some(&Value::Int(value)) => value as f64,
            _ => return Ok(None),
        };
        if number.is_finite() {
            self.note(name, number);
            return Ok(Some(number));
        }
        Err(self.invalid(name, "It must be finite."))
    }

    /// Reads a text.
    pub fn text(&self, name: &str, default: &'a str) -> &'a str {
        let text = match self.params.get(name) {
            Some(Value::Text(value)) => value,
            _ => default,
        };
        self.note(name, text);
        text
    }

    /// Whether a text is there that is not the given one; reads nothing.
    pub fn differs(&self, name: &str, from: &str) -> bool {
        matches!(self.params.get(name), Some(Value::Text(text)) if text != from)
    }

    /// Reads a text, if it is there.
    pub fn text_if_given(&self, name: &str) -> Option<&'a str> {
        self.is_given(name).then(|| self.text(name, ""))
    }

    /// Reads a list of texts; numbers and booleans are taken as written.
    ///
    /// # Errors
    /// A list or a mapping inside it.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, ParamError> {
        let Some(Value::List(values)) = self.params.get(name) else {
            return Ok(None);
        };
        let texts: Vec<String> = values
            .iter()
            .map(|value| match value {
                Value::Bool(value) => Ok(value.to_string()),
                Value::Int(value) => Ok(value.to_string()),
                Value::Number(value) => Ok(value.get().to_string()),
                Value::Text(value) => Ok(value.clone()),
                Value::List(_) | Value::Map(_) => {
                    Err(self.invalid(name, "It must be a list of texts."))
                }
            })
            .collect::<Result<_, _>>()?;
        self.note(name, texts.as_slice());
        Ok(Some(texts))
    }

    /// Reads a mapping, if it is there. What each entry means is for the caller to note.
    pub fn map(&self, name: &str) -> Option<&'a BTreeMap<String, Value>> {
        match self.params.get(name) {
            Some(Value::Map(values)) => Some(values),
            _ => None,
        }
    }

    /// Reads one of a closed list of words; without the parameter, the first of them.
    ///
    /// # Errors
    /// Another word.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, ParamError> {
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
    pub fn invalid(&self, name: &str, detail: impl Into<String>) -> ParamError {
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

    /// Reports a parameter with an error of its own.
    pub fn error(&self, name: &str, error: Error) -> ParamError {
        ParamError {
            param: name.to_owned(),
            error,
        }
    }

    /// Whether a parameter was written.
    pub fn is_given(&self, name: &str) -> bool {
        self.params.contains_key(name)
    }

    fn unrecognized(&self, name: &str) -> ParamError {
        let message = format!(
            "unrecognized parameter {} for strategy \"{}\"",
            quote(name),
            self.kind.name()
        );
        // Every strategy knows it, but it has a meaning only where values are refused.
        let common = self.kind.definition().refuses.then_some(&OnError::PARAM);
        let allowed = self.kind.params().iter().chain(common);
        let allowed = allowed.map(|spec| spec.name);
        let hint = if allowed.clone().next().is_none() {
            format!("Strategy \"{}\" takes no parameters.", self.kind.name())
        } else {
            hint("parameters", name, allowed)
        };
        let error = Error::new(error::Kind::InvalidParameter, message).with_hint(hint);
        self.error(name, error)
    }
}

/// What is wrong with the type of a value, if anything is.
fn wrong_type(kind: ParamKind, value: &Value) -> Option<&'static str> {
    match (kind, value) {
        (ParamKind::Bool, Value::Bool(_))
        | (
            ParamKind::Bigint | ParamKind::Int | ParamKind::Number | ParamKind::Span,
            Value::Int(_),
        )
        | (ParamKind::Number | ParamKind::Span, Value::Number(_)) => None,
        (ParamKind::List, Value::List(_)) | (ParamKind::Map, Value::Map(_)) => {
            has_zero_byte(value).then_some("It must not contain a zero byte.")
        }
        (ParamKind::Text, Value::Text(_)) => {
            has_zero_byte(value).then_some("It must not contain a zero byte.")
        }
        (ParamKind::Bool, _) => Some("It must be true or false."),
        (ParamKind::Bigint | ParamKind::Int, _) => Some("It must be an integer."),
        (ParamKind::List, _) => Some("It must be a list."),
        (ParamKind::Map, _) => Some("It must be a mapping."),
        (ParamKind::Number | ParamKind::Span, _) => Some("It must be a number."),
        (ParamKind::Text, _) => Some("It must be a text, in quotes."),
    }
}

fn has_zero_byte(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.contains('\0'),
        Value::List(values) => values.iter().any(has_zero_byte),
        Value::Map(values) => values
            .iter()
            .any(|(name, value)| name.contains('\0') || has_zero_byte(value)),
        Value::Bool(_) | Value::Int(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(kind: Kind, name: &str, value: Value) -> ParamError {
        let params = Params::from([(name.to_owned(), value)]);
        Reader::new(kind, &params).err().expect("refused")
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
                "Did you mean \"length\"? Available parameters are \"algorithm\", \"length\", \
                 \"prefix\", \"canonical\"."
            )
        );
    }

    #[test]
    fn unrecognized_parameter_of_a_strategy_without_any_is_told_so() {
        for kind in Kind::ALL {
            let refused = refuse(*kind, "zzzzz", Value::Int(1));
            let hint = refused.error.hint().unwrap().to_owned();
            assert!(!hint.contains("are ."), "{hint}");
        }
        let refused = refuse(Kind::Null, "value", Value::Int(1));
        assert_eq!(
            refused.error.hint(),
            Some("Strategy \"null\" takes no parameters.")
        );
        let refused = refuse(Kind::CreditCard, "on_eror", Value::from("null"));
        let hint = refused.error.hint().unwrap();
        assert!(hint.starts_with("Did you mean \"on_error\"?"), "{hint}");
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
                let refused = refuse(*kind, spec.name, Value::from("a\0b"));
                assert_eq!(refused.param, spec.name);
            }
        }
    }
}
