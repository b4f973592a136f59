//! Strategies: value in, value out. No I/O, no clock, no randomness, nothing of PostgreSQL.
//!
//! [`Strategy`] holds parsed and checked parameters and says what they promise; [`Mask`] adds the
//! masking key and the seed and turns values. Equal value, strategy, parameters, seed and key give
//! equal output, in whatever column, so that joins hold. How the key enters: `keyed.rs`. The
//! published meaning of every strategy, redone in Python: `tests/vectors/masks.py`.

use std::fmt;

pub mod canonical;
pub mod email;
pub mod hash;
mod keyed;
mod mask;
pub mod params;
pub mod phone;
pub mod redact;
pub mod sql;

pub use mask::Mask;
pub use params::{ParamError, ParamKind, ParamSpec, Params, Value, nearest};

/// The strategies there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An address at a reserved domain.
    Email,
    /// A keyed digest.
    Hash,
    /// Other digits in the same notation.
    Phone,
    /// A constant.
    Redact,
}

impl Kind {
    /// All of them, by name.
    pub const ALL: [Self; 4] = [Self::Email, Self::Hash, Self::Phone, Self::Redact];

    /// Returns the name, as written in a profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Hash => "hash",
            Self::Phone => "phone",
            Self::Redact => "redact",
        }
    }

    /// Finds a strategy by its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the version of the definition; a new one gives other pseudonyms.
    pub fn version(self) -> u16 {
        match self {
            Self::Email | Self::Hash | Self::Phone | Self::Redact => 1,
        }
    }

    /// Tells whether values of a type are masked.
    pub fn accepts(self, of: ValueType) -> bool {
        use ValueType::{Int32, Int64, Text};
        match self {
            Self::Email => of == Text,
            Self::Hash | Self::Redact => true,
            Self::Phone => matches!(of, Int32 | Int64 | Text),
        }
    }

    /// Returns the parameters it knows, by name.
    pub fn params(self) -> &'static [ParamSpec] {
        match self {
            Self::Email => email::PARAMS,
            Self::Hash => hash::PARAMS,
            Self::Phone => phone::PARAMS,
            Self::Redact => redact::PARAMS,
        }
    }
}

/// Selects a pseudonym space. Confidential when it comes from the environment, so `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(i64);

impl Seed {
    /// Makes a seed.
    pub fn new(number: i64) -> Self {
        Self(number)
    }

    /// Returns the number, which belongs into no message.
    pub fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// The types of values a mask may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// bytea.
    Bytes,
    /// smallint.
    Int16,
    /// integer.
    Int32,
    /// bigint.
    Int64,
    /// text and what is written like it.
    Text,
    /// uuid.
    Uuid,
}

impl ValueType {
    /// Returns the name of the type in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytea",
            Self::Int16 => "smallint",
            Self::Int32 => "integer",
            Self::Int64 => "bigint",
            Self::Text => "text",
            Self::Uuid => "uuid",
        }
    }
}

/// What a strategy with its parameters promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Properties {
    /// Equal input gives equal output.
    pub deterministic: bool,
    /// Different input gives different output, always.
    pub injective: bool,
    /// The input can be computed from the output and the key.
    pub reversible: bool,
    /// The output has as many characters as the input.
    pub keeps_length: bool,
    /// A well-formed input gives a well-formed output of the same sort.
    pub keeps_format: bool,
    /// The output depends on the masking key.
    pub keyed: bool,
    /// Spellings of one value (case, white space, separators) share one output on purpose, so that
    /// two different texts may collide whatever `collision_bits` says.
    pub folds_spellings: bool,
    /// Texts of different canonical form collide with probability 2^-bits at most, whatever they
    /// are: 0 where that depends on the input, none where the output is a constant.
    pub collision_bits: Option<u32>,
}

impl Properties {
    /// No promise at all.
    const NONE: Self = Self {
        deterministic: false,
        injective: false,
        reversible: false,
        keeps_length: false,
        keeps_format: false,
        keyed: false,
        folds_spellings: false,
        collision_bits: None,
    };
}

/// A strategy with parsed and checked parameters.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy};
///
/// let strategy = Strategy::new(Kind::Redact, &Params::new())?;
/// let mask = strategy.mask(&[7; 32], Seed::new(12345));
/// assert_eq!(mask.text("John")?, "[REDACTED]");
/// # Ok::<(), confiture::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// An address at a reserved domain.
    Email(email::Email),
    /// A keyed digest.
    Hash(hash::Hash),
    /// Other digits in the same notation.
    Phone(phone::Phone),
    /// A constant.
    Redact(redact::Redact),
}

/// Calls a method of whichever strategy it is.
macro_rules! each {
    ($strategy:expr, $it:ident => $call:expr) => {
        match $strategy {
            Strategy::Email($it) => $call,
            Strategy::Hash($it) => $call,
            Strategy::Phone($it) => $call,
            Strategy::Redact($it) => $call,
        }
    };
}

impl Strategy {
    /// Parses and checks the parameters of a strategy.
    ///
    /// # Errors
    ///
    /// `InvalidParameter` for an unrecognized name, a wrong type or a value out of bounds, with
    /// the name of the parameter beside it.
    pub fn new(kind: Kind, params: &Params) -> Result<Self, ParamError> {
        match kind {
            Kind::Email => email::Email::new(params).map(Self::Email),
            Kind::Hash => hash::Hash::new(params).map(Self::Hash),
            Kind::Phone => phone::Phone::new(params).map(Self::Phone),
            Kind::Redact => redact::Redact::new(params).map(Self::Redact),
        }
    }

    /// Returns which strategy it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Email(_) => Kind::Email,
            Self::Hash(_) => Kind::Hash,
            Self::Phone(_) => Kind::Phone,
            Self::Redact(_) => Kind::Redact,
        }
    }

    /// Returns every parameter with its effective value; parsed again they give an equal strategy.
    pub fn effective_params(&self) -> Params {
        each!(self, it => it.effective_params())
    }

    /// Returns what can be relied on.
    pub fn properties(&self) -> Properties {
        each!(self, it => it.properties())
    }

    /// Returns the longest text output in characters, for inputs of at most that many; none if
    /// there is no limit.
    pub fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        each!(self, it => it.output_limit(input_max_chars))
    }

    /// Tells whether values of a type are masked.
    pub fn accepts(&self, of: ValueType) -> bool {
        self.kind().accepts(of)
    }

    /// Compiles the strategy with the masking subkey and the seed.
    pub fn mask(self, key: &[u8; 32], seed: Seed) -> Mask {
        Mask::new(self, key, seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_in_order_and_parse_by_name() {
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.name()));
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
            assert!(kind.params().is_sorted_by_key(|spec| spec.name));
        }
        assert_eq!(Kind::parse("Email"), None);
    }

    #[test]
    fn documented_defaults_are_the_effective_ones() {
        for kind in Kind::ALL {
            let strategy = Strategy::new(kind, &Params::new()).unwrap();
            assert_eq!(strategy.kind(), kind);
            let effective = strategy.effective_params();
            assert_eq!(effective.len(), kind.params().len());
            for spec in kind.params() {
                let (of, shown) = match &effective[spec.name] {
                    Value::Bool(value) => (ParamKind::Bool, value.to_string()),
                    Value::Int(value) => (ParamKind::Int, value.to_string()),
                    Value::Text(value) => (ParamKind::Text, value.clone()),
                };
                assert_eq!((of, &*shown), (spec.kind, spec.default), "{}", spec.name);
            }
        }
    }

    #[test]
    fn debug_shows_no_seed() {
        assert_eq!(format!("{:?}", Seed::new(4711)), "Seed(..)");
    }
}
