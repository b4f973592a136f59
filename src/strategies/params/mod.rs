//! Parameters of a strategy: their names, types and defaults, and how a wrong one is reported.
//!
//! Parsing is strict. A name, a type or a word that a strategy does not know is an error that
//! names the parameter, so that a profile can point at the line; nothing is coerced or ignored.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::value::ValueType;

mod json;
mod near;
mod reader;

pub use json::{from_json, to_json};
pub use near::nearest;
pub(super) use near::quote;
pub use reader::Reader;

/// The parameters as written, by name.
pub type Params = BTreeMap<String, Value>;

/// The value of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A list of values.
    List(Vec<Value>),
    /// Values by name.
    Map(BTreeMap<String, Value>),
    /// A number with a fraction.
    Number(Number),
    /// A text.
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[String]> for Value {
    fn from(texts: &[String]) -> Self {
        Self::List(texts.iter().map(|text| Self::from(&**text)).collect())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(Number::new(number))
    }
}

/// A number that is equal to itself: not-a-number is one, and the zeros are one.
#[derive(Clone, Copy, Debug)]
pub struct Number(f64);

impl Number {
    /// Makes a number.
    pub fn new(number: f64) -> Self {
        Self(if number == 0.0 { 0.0 } else { number })
    }

    /// Returns it.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Number {}

/// The type of one parameter, and its type in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// An integer of 64 bits: bigint.
    Bigint,
    /// `true` or `false`: boolean.
    Bool,
    /// An integer of 32 bits: integer.
    Int,
    /// A list of texts or numbers: text[].
    List,
    /// Values by name: jsonb.
    Map,
    /// A number: double precision.
    Number,
    /// A distance: a number, of seconds for points in time, which SQL writes as an interval.
    Span,
    /// A text: text.
    Text,
}

impl ParamKind {
    /// The type of the argument in SQL, beside values of a type.
    pub fn sql(self, of: ValueType) -> &'static str {
        match self {
            Self::Span if matches!(of, ValueType::Timestamp | ValueType::Timestamptz) => "interval",
            Self::Number | Self::Span => "double precision",
            Self::Bigint => "bigint",
            Self::Bool => "boolean",
            Self::Int => "integer",
            Self::List => "text[]",
            Self::Map => "jsonb",
            Self::Text => "text",
        }
    }
}

/// What a strategy says about one of its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamSpec {
    /// The name, as written in a profile and of the argument in SQL.
    pub name: &'static str,
    /// The type.
    pub kind: ParamKind,
    /// What holds where it is not given.
    pub presence: Presence,
    /// The types of values it has a meaning for; empty: all.
    pub only: &'static [ValueType],
    /// One sentence for the documentation.
    pub about: &'static str,
}

/// Whether a parameter must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It need not, and this is its value then, in text form.
    Default(&'static str),
    /// It need not, and without it nothing is assumed.
    Optional,
    /// It must.
    Required,
}

impl ParamSpec {
    /// A parameter with a default.
    pub const fn new(
        name: &'static str,
        kind: ParamKind,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            presence: Presence::Default(default),
            only: &[],
            about,
        }
    }

    /// A parameter that may be left out, and then has no value.
    pub const fn optional(name: &'static str, kind: ParamKind, about: &'static str) -> Self {
        Self {
            presence: Presence::Optional,
            ..Self::new(name, kind, "", about)
        }
    }

    /// A parameter that must be given.
    pub const fn required(name: &'static str, kind: ParamKind, about: &'static str) -> Self {
        Self {
            presence: Presence::Required,
            ..Self::new(name, kind, "", about)
        }
    }

    /// Says for which types it has a meaning.
    #[must_use]
    pub const fn only(self, only: &'static [ValueType]) -> Self {
        Self { only, ..self }
    }

    /// Whether a value is the one that holds where none is given.
    pub fn is_default(&self, value: &Value) -> bool {
        let Presence::Default(default) = self.presence else {
            return false;
        };
        match value {
            Value::Bool(value) => default == value.to_string(),
            Value::Int(value) => default == value.to_string(),
            Value::List(_) | Value::Map(_) => false,
            Value::Number(value) => default.parse() == Ok(value.get()),
            Value::Text(text) => default == text,
        }
    }

    /// Whether it has a meaning for values of a type.
    pub fn applies_to(&self, of: ValueType) -> bool {
        self.only.is_empty() || self.only.contains(&of)
    }
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
