//! What a strategy is made of: its entry in the list, its checked parameters, its compiled form.
//!
//! A strategy's file holds one [`Definition`], one type that implements [`Parsed`] (parameters,
//! checked once, when a profile is loaded) and one that implements [`Apply`] (with keys, made once
//! per call site or run, called once per value). Nothing else in the house knows it by name.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::params::{ParamError, ParamSpec, Reader};
use crate::error::{Error, Kind, Result};
use crate::keys::push_field;
use crate::value::{Datum, ValueType};

/// The entry of a strategy in the list of all.
pub struct Definition {
    /// The name, as written in a profile; the SQL function is `anon_` and this name.
    pub name: &'static str,
    /// The version of what it writes; a new one gives other pseudonyms.
    pub version: u16,
    /// What it writes, for `COMMENT ON` and the view: no verb, no period.
    pub about: &'static str,
    /// The types it takes; what it gives is of the same type.
    pub accepts: &'static [ValueType],
    /// The parameters, in the order of the arguments of the SQL function.
    pub params: &'static [ParamSpec],
    /// What it reads of the same row beside the value, in the order of the arguments.
    pub inputs: &'static [InputSpec],
    /// What its functions may need.
    pub needs: Needs,
    /// Whether it refuses some values, so that `on_error` has a meaning.
    pub refuses: bool,
    /// A call in SQL, for the documentation; empty if it exists in runs only.
    pub example: &'static str,
    /// Parameters that are enough to make one, as JSON.
    pub sample: &'static str,
    /// Checks parameters whose names and types are right.
    pub parse: fn(&Reader<'_>) -> Result<Box<dyn Parsed>, ParamError>,
}

/// What the functions of a strategy may need beside their arguments: it decides their volatility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Random words: VOLATILE.
    Chance,
    /// The active key: STABLE, and PARALLEL RESTRICTED.
    Key,
    /// Nothing: IMMUTABLE.
    Nothing,
    /// The vault, which has keys of its own: it declares the function itself.
    Vault,
}

/// What a strategy reads of the same row beside the value: in a profile the name of a column (or
/// of several), in SQL an argument of type text (or text[]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// The name, of the key in a rule and of the argument in SQL.
    pub name: &'static str,
    /// Whether it is a list of columns.
    pub many: bool,
    /// Whether nothing is masked without it.
    pub required: bool,
    /// One sentence for the documentation.
    pub about: &'static str,
}

/// The one input that most generators know: what the pseudonym is drawn from, in place of the
/// value. All columns of one person that name the same entity are drawn together.
pub const ENTITY: InputSpec = InputSpec {
    name: "entity",
    many: false,
    required: false,
    about: "What the pseudonym is drawn from in place of the value, such as the id of a person.",
};

/// Parameters that were checked.
pub trait Parsed: fmt::Debug + Send + Sync {
    /// Returns what can be relied on, for values of a type.
    fn properties(&self, of: ValueType) -> Properties;

    /// Whether values of a type are masked, with these parameters.
    fn accepts(&self, of: ValueType) -> bool {
        let _ = of;
        true
    }

    /// What to do for values of a type that others of its parameters take, and these do not: one
    /// sentence.
    fn instead(&self, of: ValueType) -> Option<&'static str> {
        let _ = of;
        None
    }

    /// Returns the longest text output in characters, for inputs of at most that many; none if
    /// there is no limit.
    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize>;

    /// The strategies that are part of this one (a document's, by path), for listings.
    fn parts(&self) -> Vec<&super::Strategy> {
        Vec::new()
    }

    /// Which of its inputs no value is masked without, with these parameters, beside those that are
    /// required whatever they are; `given` tells which there are.
    fn lacks(&self, given: &dyn Fn(&str) -> bool) -> Option<&'static str> {
        let _ = given;
        None
    }

    /// The stored salt it needs; none if it needs none.
    fn salt(&self) -> Option<SaltRef<'_>> {
        None
    }

    /// Adds the keys. `of` is the type of the values to come.
    ///
    /// # Errors
    /// `DatatypeMismatch` if these parameters do not fit the type; `NotReady` without a salt.
    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>>;
}

/// A strategy with its keys: called once per value.
pub trait Apply {
    /// Masks a value; `None` stands for NULL.
    ///
    /// # Errors
    /// `Data` or `Blank` for a value the strategy does not take, without the value.
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>>;

    /// The longest value it takes, in bytes.
    fn longest(&self) -> usize {
        LONGEST
    }

    /// Computes the value back.
    ///
    /// # Errors
    /// `Unsupported` unless the strategy is reversible.
    fn reverse<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        let _ = (value, row);
        Err(Error::new(
            Kind::Unsupported,
            "the strategy cannot be reversed",
        ))
    }
}

/// The longest value that is masked, in bytes: more is no value of a person, and would be held in
/// memory several times over.
pub const LONGEST: usize = 256 << 20;

/// The same for what is read part by part, and written anew.
pub const LONGEST_READ: usize = 64 << 20;

/// The inputs of one row, in the order of the definition. Fewer than defined means: not given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<'a>(pub &'a [Input<'a>]);

/// One input of one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Input<'a> {
    /// Not given, or NULL.
    None,
    /// A value in text form.
    One(&'a str),
    /// Several, without the NULL ones.
    Many(Vec<&'a str>),
}

impl<'a> Row<'a> {
    /// No inputs.
    pub const NONE: Row<'static> = Row(&[]);

    /// The input of that place, if it is given.
    pub fn one(&self, place: usize) -> Option<&'a str> {
        match self.0.get(place) {
            Some(Input::One(text)) => Some(text),
            _ => None,
        }
    }

    /// The list of that place; empty if it is not given.
    pub fn many(&self, place: usize) -> &'a [&'a str] {
        match self.0.get(place) {
            Some(Input::Many(texts)) => texts,
            _ => &[],
        }
    }
}

/// Which stored salt a strategy needs: the caller looks it up and puts it beside the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaltRef<'a> {
    /// The name; empty where it follows from the column.
    pub name: &'a str,
    /// The version; the active one where none is given.
    pub version: Option<i32>,
}

/// The keys a strategy may use: one subkey per use, so that none gives another away.
#[derive(Clone, Copy)]
pub struct Subkeys<'a> {
    /// Of the keyed digests.
    pub masking: &'a [u8; 32],
    /// Of format-preserving encryption.
    pub fpe: &'a [u8; 32],
    /// A stored salt, for the strategy that has one.
    pub salt: Option<&'a [u8; 32]>,
}

impl<'a> Subkeys<'a> {
    /// No salt.
    pub fn new(masking: &'a [u8; 32], fpe: &'a [u8; 32]) -> Self {
        Self {
            masking,
            fpe,
            salt: None,
        }
    }
}

impl fmt::Debug for Subkeys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subkeys(..)")
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

    /// The seed of another attempt at a value, where the column refuses what this seed gives: the
    /// first 8 bytes, big-endian, of the SHA-256 of `"confiture/redraw/v1"`, the seed (i64) and the
    /// number of the attempt (u32), from 1, each as a big-endian u32 length and its bytes.
    #[must_use]
    pub fn redrawn(self, attempt: u32) -> Self {
        let mut fields = Zeroizing::new(Vec::with_capacity(64));
        push_field(&mut fields, b"confiture/redraw/v1");
        push_field(&mut fields, &self.0.to_be_bytes());
        push_field(&mut fields, &attempt.to_be_bytes());
        let digest = Sha256::digest(&fields);
        Self(i64::from_be_bytes(
            digest[..8].try_into().unwrap_or_default(),
        ))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// What a strategy with its parameters promises about values of one type.
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
    /// Values of different canonical form collide with probability 2^-bits at most, whatever they
    /// are: 0 where that depends on the input, none where the output is a constant.
    pub collision_bits: Option<u32>,
    /// It may give NULL for a value.
    pub gives_null: bool,
    /// It writes as many digits after the point as the value has, so that 1.5 and 1.50, which are
    /// equal, may become different.
    pub follows_scale: bool,
    /// How likely it is that a value comes out as it went in.
    pub survival: Survival,
}

impl Properties {
    /// No promise at all.
    pub const NONE: Self = Self {
        deterministic: false,
        injective: false,
        reversible: false,
        keeps_length: false,
        keeps_format: false,
        keyed: false,
        folds_spellings: false,
        collision_bits: None,
        gives_null: false,
        follows_scale: false,
        survival: Survival::Unjudged,
    };

    /// What every pseudonym drawn with the key promises.
    pub const KEYED: Self = Self {
        deterministic: true,
        keyed: true,
        collision_bits: Some(0),
        ..Self::NONE
    };
}

/// How likely it is that a masked value equals an original, for the check after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// One in 2^bits for each pair of an output and an original.
    Bits(u32),
    /// One in 10^(digits - kept), with the digits that the output has.
    Digits {
        /// Digits that may be kept on purpose.
        kept: u32,
    },
    /// The output is a constant: anything else did not come from the mask.
    Constant,
    /// Nothing can be said: part of the value is kept on purpose, or the space is tiny.
    Unjudged,
}

/// Reports a value of another type than the strategy takes.
pub fn mismatch(name: &str, of: ValueType) -> Error {
    Error::new(
        Kind::DatatypeMismatch,
        format!("strategy \"{name}\" does not accept {}", of.in_words()),
    )
}

/// Reports a value outside what the strategy takes; `detail` says what it takes, by its length or
/// its form, never with the value.
pub fn outside(name: &str, what: &str, detail: impl Into<String>) -> Error {
    Error::new(
        Kind::Data,
        format!("value for strategy \"{name}\" is {what}"),
    )
    .with_detail(detail)
}

/// Reports a text that is not what the strategy reads; a blank one says nothing.
pub(super) fn unread<T>(name: &str, text: &str, what: &str, detail: &str) -> Result<T> {
    Err(if text.trim().is_empty() {
        let message = format!("value for strategy \"{name}\" is blank");
        Error::new(Kind::Blank, message).with_detail(detail)
    } else {
        outside(name, what, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redrawn_seeds_are_as_published() {
        // By hashlib: sha256(u32(19) label, u32(8) i64(12345), u32(4) u32(1)).
        assert_eq!(
            Seed::new(12345).redrawn(1).number(),
            -4_109_902_701_390_913_889
        );
        assert_ne!(Seed::new(12345).redrawn(2), Seed::new(12345).redrawn(1));
        assert_ne!(Seed::new(12346).redrawn(1), Seed::new(12345).redrawn(1));
    }
}
