//! `tokenize`: a token of the vault in place of every value.
//!
//! The vault makes and keeps the tokens, so a value is not masked by its strategy alone: a run
//! makes the tokens of a column's values beforehand, and its rows find theirs. By hand there is
//! `anon_tokenize`, which gives the same tokens.

use super::{Form, TokenFormat};
use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, InputSpec, Needs, Parsed, Properties, Seed, Subkeys, Survival,
};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::rows::only_in_runs;
use crate::strategies::{Kind, ValueType};

/// `tokenize` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Strategy, Value, ValueType};
///
/// let params = Params::from([("domain".to_owned(), Value::from("mail"))]);
/// let strategy = Strategy::new(Kind::Tokenize, &params)?;
/// assert!(strategy.properties(ValueType::Text).reversible);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "tokenize",
    version: 1,
    about: "Token of the vault, which gives the value back on record",
    accepts: &[ValueType::Text],
    params: &[ParamSpec::required(
        DOMAIN,
        ParamKind::Text,
        "The domain of the vault that the tokens are of.",
    )],
    inputs: &[InputSpec {
        name: "subject",
        many: false,
        required: false,
        about: "Whose the value is, such as the id of a person; who is forgotten, takes the tokens along.",
    }],
    needs: Needs::Vault,
    refuses: true,
    example: "",
    sample: r#"{"domain": "mail"}"#,
    parse: |reader| Ok(Box::new(Tokenize::new(reader)?)),
};

/// The parameter that names the domain.
pub const DOMAIN: &str = "domain";

/// The parameters of `tokenize`, checked; what there is of the domain, a run asks the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tokenize;

impl Tokenize {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        match invalid_domain(reader.text(DOMAIN, "")) {
            None => Ok(Self),
            Some(detail) => Err(reader.invalid(DOMAIN, detail)),
        }
    }
}

impl Parsed for Tokenize {
    fn properties(&self, _: ValueType) -> Properties {
        Properties {
            injective: true,
            reversible: true,
            // They never collide: the vault draws another one.
            collision_bits: Some(128),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        None
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Err(only_in_runs(Kind::Tokenize))
    }
}

impl TokenFormat {
    /// Returns the longest token in characters of values that get one, of at most that many.
    pub fn longest(&self, most: usize) -> usize {
        match self.0 {
            Form::Digits { .. } => most,
            _ => self.output_limit(Some(most)).unwrap_or(usize::MAX),
        }
    }

    /// How likely it is that a token equals a value.
    pub fn survival(&self) -> Survival {
        match self.0 {
            Form::Base32 { .. } | Form::Hex { .. } | Form::Uuid => Survival::Bits(122),
            // No first digit is 0, and no check digit is right: fewer than that many.
            Form::Digits { keep_last } => Survival::Digits {
                kept: u32::try_from(keep_last)
                    .unwrap_or(u32::MAX)
                    .saturating_add(1),
            },
        }
    }
}

/// What is wrong with the name of a domain, if anything is.
pub fn invalid_domain(name: &str) -> Option<String> {
    let is_plain = !name.is_empty()
        && name.len() <= LONGEST_DOMAIN
        && name.trim() == name
        && !name.chars().any(char::is_control);
    (!is_plain).then(|| {
        format!(
            "It must have 1 to {LONGEST_DOMAIN} bytes, no control characters, and no space at its ends."
        )
    })
}

/// In bytes: as of a name in the server.
const LONGEST_DOMAIN: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Params, Strategy, Value};

    fn strategy(domain: &str) -> Result<Strategy, ParamError> {
        let params = Params::from([("domain".to_owned(), Value::from(domain))]);
        Strategy::new(Kind::Tokenize, &params)
    }

    #[test]
    fn tokenize_needs_the_name_of_a_domain() {
        assert!(strategy("mail").is_ok() && strategy(&"x".repeat(63)).is_ok());
        for bad in ["", " ", " mail", "a\nb", &"x".repeat(64)] {
            assert_eq!(strategy(bad).unwrap_err().param, "domain", "{bad:?}");
        }
        let without = Strategy::new(Kind::Tokenize, &Params::new());
        assert_eq!(without.unwrap_err().param, "domain");
    }

    #[test]
    fn tokenize_masks_no_value_by_itself() {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let mask = strategy("mail")
            .unwrap()
            .mask(&keys, Seed::new(0), ValueType::Text);
        let error = mask.unwrap_err();
        assert!(error.hint().unwrap().contains("anon_tokenize"));
    }

    #[test]
    fn tokenize_stands_in_no_other_strategy() {
        let of = |name: &str| Value::from(name);
        let spec = Params::from([
            ("type".to_owned(), of("tokenize")),
            (
                "config".to_owned(),
                Value::Map([("domain".to_owned(), of("mail"))].into()),
            ),
        ]);
        let refused = Strategy::from_spec(&Value::Map(spec)).unwrap_err();
        assert!(
            refused
                .error
                .message()
                .contains("cannot be part of another")
        );
        assert!(refused.error.detail().unwrap().contains("whole columns"));
    }

    #[test]
    fn tokenize_writes_as_many_characters_as_the_form_has() {
        let form = |name: &str| {
            TokenFormat::new(&Params::from([("format".to_owned(), Value::from(name))])).unwrap()
        };
        assert_eq!(form("base32").longest(10), 30);
        assert_eq!(form("uuid").longest(10), 36);
        assert_eq!(form("digits").longest(10), 10);
        assert_eq!(form("hex").survival(), Survival::Bits(122));
        assert_eq!(form("digits").survival(), Survival::Digits { kept: 1 });
    }
}
