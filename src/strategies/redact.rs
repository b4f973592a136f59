//! `redact`: a constant in place of the value, or one character per character.
//!
//! Needs no key and gives nothing away, with the style `length` nothing but the length. A constant
//! suits no unique column.

use super::params::{ParamError, ParamKind, ParamSpec, Params, Reader, Value};
use super::{Kind, Properties};

/// The parameters of `redact`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redact {
    style: Style,
    replacement: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Constant,
    Length,
}

impl Redact {
    /// Parses and checks the parameters.
    ///
    /// # Errors
    ///
    /// `InvalidParameter`, with the name of the parameter.
    pub fn new(params: &Params) -> Result<Self, ParamError> {
        let reader = Reader::new(Kind::Redact, params)?;
        let style = reader.word("style", &STYLES)?;
        let default = match style {
            Style::Constant => "[REDACTED]",
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

    /// Returns every parameter with its effective value.
    pub fn effective_params(&self) -> Params {
        let style = match self.style {
            Style::Constant => "constant",
            Style::Length => "length",
        };
        Params::from([
            ("replacement".to_owned(), Value::from(&*self.replacement)),
            ("style".to_owned(), Value::from(style)),
        ])
    }

    /// Returns what can be relied on.
    pub fn properties(&self) -> Properties {
        let length = self.style == Style::Length;
        Properties {
            deterministic: true,
            keeps_length: length,
            collision_bits: length.then_some(0),
            ..Properties::NONE
        }
    }

    /// Returns the longest text output, in characters.
    pub fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        match self.style {
            Style::Constant => Some(self.replacement.chars().count()),
            Style::Length => input_max_chars,
        }
    }

    /// Returns what stands in place of a text.
    pub fn text(&self, value: &str) -> String {
        match self.style {
            Style::Constant => self.replacement.clone(),
            Style::Length => self.replacement.repeat(value.chars().count()),
        }
    }
}

pub(super) const PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "replacement",
        kind: ParamKind::Text,
        default: "[REDACTED]",
        about: "What stands in place of the value; with style length one character, by default *.",
    },
    ParamSpec {
        name: "style",
        kind: ParamKind::Text,
        default: "constant",
        about: "constant writes the replacement once, length once per character.",
    },
];

const STYLES: [(&str, Style); 2] = [("constant", Style::Constant), ("length", Style::Length)];

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(params: &[(&str, &str)]) -> Result<Redact, ParamError> {
        let params = params.iter().map(|&(k, v)| (k.to_owned(), Value::from(v)));
        Redact::new(&params.collect())
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
