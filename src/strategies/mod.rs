//! Strategies: value in, value out. No I/O, no clock, no randomness, nothing of PostgreSQL.
//!
//! A strategy is one file: a [`Definition`] for the list below, parameters that are parsed and
//! checked ([`Parsed`]), and what they become with the keys and the seed ([`Apply`]). [`Strategy`]
//! and [`Mask`] stand for whichever it is. Equal value, strategy, parameters, seed and key give
//! equal output, in whatever column, so that joins hold. How the key enters: `keyed.rs`. The
//! published meaning of every strategy, redone in Python: `tests/vectors/`.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;

pub mod calendar;
pub mod canonical;
mod checks;
pub mod choose;
pub mod cipher;
pub mod conceal;
pub mod contact;
pub mod declare;
pub mod definition;
pub mod digest;
mod keyed;
pub mod listing;
pub mod literal;
mod mask;
pub mod measure;
pub mod nested;
pub mod network;
pub mod params;
pub mod pause;
pub mod payment;
pub mod person;
pub mod place;
pub mod prose;
pub mod rows;
pub mod sql;
mod tail;
pub mod token;
pub mod witness;

pub use crate::value::{Datum, ValueType};
pub use definition::{
    Apply, Definition, ENTITY, Input, InputSpec, Needs, Parsed, Properties, Row, SaltRef, Seed,
    Subkeys, Survival,
};
pub use mask::{Mask, OnError, REDACTED};
pub use nested::{Action, Spec, SpecError};
pub use params::{Number, ParamError, ParamKind, ParamSpec, Params, Presence, Value, nearest};

/// Declares the strategies there are, by name.
macro_rules! kinds {
    ($($kind:ident = $definition:path,)*) => {
        /// The strategies there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(
                #[doc = concat!("See [`", stringify!($definition), "`].")]
                $kind,
            )*
        }

        impl Kind {
            /// All of them, by name.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// Returns its entry.
            pub fn definition(self) -> &'static Definition {
                match self {
                    $(Self::$kind => &$definition,)*
                }
            }
        }
    };
}

kinds! {
    Address = place::address::DEFINITION,
    Choice = choose::choice::DEFINITION,
    Company = person::company::DEFINITION,
    Constant = choose::constant::DEFINITION,
    CreditCard = payment::credit_card::DEFINITION,
    DateShift = measure::shift::DEFINITION,
    Default = rows::default::DEFINITION,
    DpChoice = measure::dp::choice::DEFINITION,
    DpNoise = measure::dp::noise::DEFINITION,
    DpNoiseSticky = measure::dp::sticky::DEFINITION,
    Email = contact::email::DEFINITION,
    Fpe = cipher::fpe::DEFINITION,
    Generalize = measure::generalize::DEFINITION,
    Geo = place::geo::DEFINITION,
    Hash = digest::hash::DEFINITION,
    Iban = payment::iban::DEFINITION,
    Ip = network::ip::DEFINITION,
    Job = person::job::DEFINITION,
    Json = nested::json::DEFINITION,
    Lorem = prose::lorem::DEFINITION,
    Mac = network::mac::DEFINITION,
    Map = choose::map::DEFINITION,
    Mask = conceal::retention::DEFINITION,
    Name = person::name::DEFINITION,
    NationalId = person::national::DEFINITION,
    Noise = measure::noise::DEFINITION,
    Null = choose::null::DEFINITION,
    Phone = contact::phone::DEFINITION,
    Record = rows::record::DEFINITION,
    Redact = conceal::redact::DEFINITION,
    Round = measure::round::DEFINITION,
    SaltedHash = digest::salted::DEFINITION,
    Shuffle = rows::shuffle::DEFINITION,
    Text = prose::text::DEFINITION,
    Tokenize = token::tokenize::DEFINITION,
    Url = network::url::DEFINITION,
    UserAgent = network::user_agent::DEFINITION,
    Username = person::username::DEFINITION,
    Uuid = network::uuid::DEFINITION,
}

impl Kind {
    /// Returns the name, as written in a profile.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// Finds a strategy by its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Returns the version of the definition; a new one gives other pseudonyms.
    pub fn version(self) -> u16 {
        self.definition().version
    }

    /// Tells whether values of a type are masked.
    pub fn accepts(self, of: ValueType) -> bool {
        self.definition().accepts.contains(&of)
    }

    /// Tells whether it is about rows: it has no function, and masks no value by itself.
    pub fn is_in_runs_only(self) -> bool {
        self.definition().example.is_empty()
    }

    /// Returns the parameters it knows, in the order of its arguments in SQL.
    pub fn params(self) -> &'static [ParamSpec] {
        self.definition().params
    }
}

/// A strategy with parsed and checked parameters.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, ValueType};
///
/// let strategy = Strategy::new(Kind::Redact, &Params::new())?;
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let mask = strategy.mask(&keys, Seed::new(12345), ValueType::Text)?;
/// assert_eq!(mask.text("John")?, "[REDACTED]");
/// # Ok::<(), confiture::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Strategy {
    kind: Kind,
    on_error: OnError,
    params: Params,
    parsed: Arc<dyn Parsed>,
}

impl Strategy {
    /// Parses and checks the parameters of a strategy. `on_error` is one that all of them know.
    ///
    /// # Errors
    ///
    /// `InvalidParameter` for an unrecognized name, a wrong type or a value out of bounds, with
    /// the name of the parameter beside it.
    pub fn new(kind: Kind, params: &Params) -> Result<Self, ParamError> {
        let (on_error, own) = OnError::take(kind, params)?;
        let reader = params::Reader::new(kind, &own)?;
        let parsed = (kind.definition().parse)(&reader)?.into();
        let mut params = reader.into_effective();
        on_error.give(&mut params);
        Ok(Self {
            kind,
            on_error,
            params,
            parsed,
        })
    }

    /// Reads a strategy written inside a parameter: its type, or a mapping with `type`, `config`
    /// and `seed`.
    ///
    /// # Errors
    /// `InvalidParameter` with the place inside the value.
    pub fn from_spec(value: &Value) -> Result<Spec, SpecError> {
        Spec::new(value)
    }

    /// Returns which strategy it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns every parameter with its effective value; parsed again they give an equal strategy.
    pub fn effective_params(&self) -> &Params {
        &self.params
    }

    /// Returns what can be relied on, for values of a type.
    pub fn properties(&self, of: ValueType) -> Properties {
        let promised = self.parsed.properties(of);
        match self.on_error {
            OnError::Error => promised,
            // Every value that is refused becomes the same.
            OnError::Null | OnError::Redact => Properties {
                injective: false,
                collision_bits: Some(0),
                gives_null: promised.gives_null || self.on_error.gives_null(of),
                ..promised
            },
        }
    }

    /// Returns the longest text output in characters, for inputs of at most that many; none if
    /// there is no limit.
    pub fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        let longest = self.parsed.output_limit(input_max_chars)?;
        Some(longest.max(self.on_error.length()))
    }

    /// An input without which no value is masked; none if enough of them are `given`.
    pub fn lacks(&self, given: impl Fn(&str) -> bool) -> Option<&'static str> {
        let inputs = self.kind.definition().inputs;
        let required = |spec: &&InputSpec| spec.required && !given(spec.name);
        match inputs.iter().find(required) {
            Some(spec) => Some(spec.name),
            None => self.parsed.lacks(&given),
        }
    }

    /// Tells whether values of a type are masked.
    pub fn accepts(&self, of: ValueType) -> bool {
        self.kind.accepts(of) && self.parsed.accepts(of)
    }

    /// Returns what to do for a type that it takes with other parameters, and not with these.
    pub fn instead(&self, of: ValueType) -> Option<&'static str> {
        let others = self.kind.accepts(of) && !self.parsed.accepts(of);
        others.then(|| self.parsed.instead(of)).flatten()
    }

    /// Tells whether all that its parameters have it write is among these labels of an enum.
    pub fn writes_only(&self, labels: &[String]) -> bool {
        let listed = match self.params.get("choices").or(self.params.get("domain")) {
            Some(Value::List(values)) => values.iter().collect(),
            _ => Vec::new(),
        };
        let mapped: Vec<_> = match self.params.get("pairs") {
            Some(Value::Map(pairs)) => pairs.values().chain(self.params.get("fallback")).collect(),
            _ => Vec::new(),
        };
        let is_label = |value: &Value| matches!(value, Value::Text(text) if labels.contains(text));
        listed.into_iter().chain(mapped).all(is_label)
    }

    /// Reports that values of a type are not masked.
    pub(crate) fn mismatch(&self, of: ValueType) -> Error {
        let error = definition::mismatch(self.kind.name(), of);
        match self.instead(of) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// Whether it depends on the masking key.
    pub fn is_keyed(&self) -> bool {
        self.accepted().any(|of| self.parsed.properties(of).keyed)
    }

    /// Whether equal values become equal, of whatever type they are.
    pub fn is_deterministic(&self) -> bool {
        self.accepted()
            .all(|of| self.parsed.properties(of).deterministic)
    }

    /// The types it masks values of.
    fn accepted(&self) -> impl Iterator<Item = ValueType> {
        let accepts = self.kind.definition().accepts.iter().copied();
        accepts.filter(|of| self.parsed.accepts(*of))
    }

    /// Whether something of a value can be computed back from the output and the key: by the
    /// strategy, or by one that is part of it.
    pub fn is_reversible(&self) -> bool {
        self.accepted()
            .any(|of| self.parsed.properties(of).reversible)
            || self.parts().into_iter().any(Self::is_reversible)
    }

    /// The strategies that are part of this one.
    pub fn parts(&self) -> Vec<&Self> {
        self.parsed.parts()
    }

    /// The stored salt that must be beside the keys; none if it needs none.
    pub fn salt(&self) -> Option<SaltRef<'_>> {
        self.parsed.salt()
    }

    /// The strategy and every part of it, and their parts.
    pub fn with_parts(&self) -> Vec<&Self> {
        let parts = self.parts().into_iter().flat_map(Self::with_parts);
        std::iter::once(self).chain(parts).collect()
    }

    /// Compiles the strategy with the keys and the seed, for values of a type.
    ///
    /// # Errors
    /// `DatatypeMismatch` if it does not accept the type, `InvalidParameter` for a parameter that
    /// has no meaning for it, `NotReady` if it needs a salt that is not there.
    pub fn mask(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Mask, Error> {
        Mask::new(self, keys, seed, of)
    }

    /// Finds a parameter that was written and has no meaning for values of a type.
    pub fn misplaced(&self, of: ValueType, written: &Params) -> Option<&'static str> {
        let misplaced = |spec: &&ParamSpec| !spec.applies_to(of) && written.contains_key(spec.name);
        self.kind
            .params()
            .iter()
            .find(misplaced)
            .map(|spec| spec.name)
    }
}

impl PartialEq for Strategy {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.params == other.params
    }
}

impl Eq for Strategy {}

impl fmt::Debug for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(self.kind.name()).field(&self.params).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_in_order_and_parse_by_name() {
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.name()));
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Some(*kind));
            let about = kind.definition().about;
            assert!(about.starts_with(|c: char| c.is_ascii_uppercase()) && !about.ends_with('.'));
            assert!(!kind.definition().accepts.is_empty());
        }
        assert_eq!(Kind::parse("Email"), None);
    }

    #[test]
    fn documented_defaults_are_the_effective_ones() {
        for kind in Kind::ALL {
            let required = |spec: &ParamSpec| spec.presence == Presence::Required;
            if kind.params().iter().any(required) {
                continue;
            }
            let strategy = Strategy::new(*kind, &Params::new()).unwrap();
            let effective = strategy.effective_params();
            for spec in kind.params() {
                let shown = effective.get(spec.name).map(|value| match value {
                    Value::Bool(value) => value.to_string(),
                    Value::Int(value) => value.to_string(),
                    Value::Number(value) => value.get().to_string(),
                    Value::Text(value) => value.clone(),
                    Value::List(_) | Value::Map(_) => panic!("{} has a default", spec.name),
                });
                if let Presence::Default(default) = spec.presence {
                    assert_eq!(shown.as_deref(), Some(default), "{}", spec.name);
                }
            }
        }
    }

    #[test]
    fn effective_parameters_mean_the_same_again() {
        for kind in Kind::ALL {
            let sample = listing::sample(*kind);
            let strategy = Strategy::new(*kind, &sample).unwrap();
            for name in sample.keys() {
                assert!(strategy.effective_params().contains_key(name), "{kind:?}");
            }
            let again = Strategy::new(*kind, strategy.effective_params()).unwrap();
            assert_eq!(again, strategy);
        }
    }

    #[test]
    fn debug_shows_no_seed_and_no_key() {
        assert_eq!(format!("{:?}", Seed::new(4711)), "Seed(..)");
        let keys = Subkeys::new(&[7; 32], &[7; 32]);
        assert_eq!(format!("{keys:?}"), "Subkeys(..)");
    }
}
