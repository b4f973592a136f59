//! `redact`: a constant in place of the value, or one character per character.
//!
//! Needs no key and gives nothing away, with the style `length` nothing but the length. A constant
//! suits no unique column.

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival,
};
use crate::strategies::mask::{REDACTED, neutral};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, ValueType};

/// `redact` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("style".to_owned(), Value::from("length"))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Redact, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// assert_eq!(mask.text("John")?, "****");
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "redact",
    version: 1,
    about: "Constant in place of a value",
    accepts: &[
        ValueType::Bytes,
        ValueType::Int16,
        ValueType::Int32,
        ValueType::Int64,
        ValueType::Text,
        ValueType::Uuid,
    ],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Nothing,
    refuses: false,
    example: "anon_redact('John', style => 'length')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Redact::new(reader)?)),
};

/// The parameters of `redact`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Redact {
    style: Style,
    replacement: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Constant,
    Length,
}

impl Redact {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let style = reader.word("style", &STYLES)?;
        let default = match style {
            Style::Constant => REDACTED,
            Style::Length => "*",
        };
        let replacement = reader.text("replacement", default);
        if style == Style::Length && replacement.chars().count() != 1 {
            let detail = "With style \"length\" it must be exactly one character.";
            return Err(reader.invalid("replacement", detail));
        }
        Ok(Self {
            style,
            replacement: replacement.to_owned(),
        })
    }

    fn text(&self, value: &str) -> String {
        match self.style {
            Style::Constant => self.replacement.clone(),
            Style::Length => self.replacement.repeat(value.chars().count()),
        }
    }
}

impl Parsed for Redact {
    fn properties(&self, of: ValueType) -> Properties {
        let length = of == ValueType::Text && self.style == Style::Length;
        Properties {
            deterministic: true,
            keeps_length: length,
            collision_bits: length.then_some(0),
            survival: Survival::Constant,
            ..Properties::NONE
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        match self.style {
            Style::Constant => Some(self.replacement.chars().count()),
            Style::Length => input_max_chars,
        }
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            redact: self.clone(),
            of,
        }))
    }
}

/// `redact` for values of a type.
struct Mask {
    redact: Redact,
    of: ValueType,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        Ok(match value {
            Datum::Text(text) => Some(Datum::text(self.redact.text(&text))),
            _ => neutral(self.of),
        })
    }
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "style",
        ParamKind::Text,
        "constant",
        "constant writes the replacement once, length once per character.",
    )
    .only(ValueType::TEXT),
    ParamSpec::optional(
        "replacement",
        ParamKind::Text,
        "What stands in place of the value, by default [REDACTED]; with style length one \
         character, by default *.",
    )
    .only(ValueType::TEXT),
];

const STYLES: [(&str, Style); 2] = [("constant", Style::Constant), ("length", Style::Length)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::Kind;
    use crate::strategies::params::Value;

    fn redact(params: &[(&str, &str)]) -> Result<Redact, ParamError> {
        let params = params.iter().map(|&(k, v)| (k.to_owned(), Value::from(v)));
        Redact::new(&Reader::new(Kind::Redact, &params.collect())?)
    }

    #[test]
    fn redact_writes_the_constant() {
        assert_eq!(redact(&[]).unwrap().text("secret"), "[REDACTED]");
        assert_eq!(redact(&[]).unwrap().text(""), "[REDACTED]");
        assert_eq!(redact(&[("replacement", "")]).unwrap().text("secret"), "");
    }

    #[test]
    fn redact_keeps_the_length_in_characters() {
        let stars = redact(&[("style", "length")]).unwrap();
        assert_eq!(stars.text("Zoë"), "***");
        assert_eq!(stars.text(""), "");
        let dots = redact(&[("style", "length"), ("replacement", "•")]).unwrap();
        assert_eq!(dots.text("abc"), "•••");
        assert_eq!(dots.output_limit(Some(9)), Some(9));
    }

    #[test]
    fn redact_refuses_a_wide_replacement_per_character() {
        for wide in ["", "**"] {
            let refused = redact(&[("style", "length"), ("replacement", wide)]).unwrap_err();
            assert_eq!(refused.param, "replacement");
        }
    }

    #[test]
    fn redact_suggests_the_nearest_style() {
        let refused = redact(&[("style", "lenght")]).unwrap_err();
        assert_eq!(
            refused.error.hint(),
            Some("Did you mean \"length\"? Available words are \"constant\", \"length\".")
        );
    }
}
