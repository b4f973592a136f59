//! The type of a scalar, by the core schema (YAML 1.2.2 §10.3): `no`, `on` and `yes` are texts.

use std::borrow::Cow;

use granit_parser::{ScalarStyle, Tag};

use super::names::shown;

/// A scalar: the text as written (without quotes), and the type it has.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) kind: ScalarKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarKind {
    Bool(bool),
    /// A decimal integer, of any length.
    Int,
    Null,
    /// A decimal number with a fraction or an exponent.
    Number,
    Text,
}

/// Why a tag is refused.
pub(super) struct RefusedTag(pub(super) String);

impl Scalar {
    /// Types a scalar by its tag, or if it has none and no quotes, by its text.
    pub(super) fn read(
        text: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
    ) -> Result<Self, RefusedTag> {
        let plain = core_kind(&text);
        let kind = match tag {
            None if style == ScalarStyle::Plain => plain,
            None => ScalarKind::Text,
            Some(tag) => match (tag.core_suffix(), plain) {
                (Some("str"), _) => ScalarKind::Text,
                (Some("bool"), ScalarKind::Bool(_))
                | (Some("int"), ScalarKind::Int)
                | (Some("float"), ScalarKind::Number)
                | (Some("null"), ScalarKind::Null) => plain,
                (Some("float"), ScalarKind::Int) => ScalarKind::Number,
                (Some("bool" | "int" | "float" | "null"), _) => {
                    return Err(RefusedTag("scalar does not fit its tag".to_owned()));
                }
                _ => return Err(RefusedTag(refused_tag(tag))),
            },
        };
        Ok(Self {
            text: text.into_owned(),
            kind,
        })
    }
}

/// What is said about a tag that a profile must not hold.
pub(super) fn refused_tag(tag: &Tag) -> String {
    format!("tag \"{}\" is not allowed", shown(&tag.original()))
}

/// The type of a plain scalar. Octal, hexadecimal, infinity and not-a-number stay texts.
fn core_kind(text: &str) -> ScalarKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return ScalarKind::Null,
        "true" | "True" | "TRUE" => return ScalarKind::Bool(true),
        "false" | "False" | "FALSE" => return ScalarKind::Bool(false),
        _ => {}
    }
    let unsigned = unsigned(text);
    if is_digits(unsigned) {
        ScalarKind::Int
    } else if is_number(unsigned) {
        ScalarKind::Number
    } else {
        ScalarKind::Text
    }
}

/// Whether a text is a fraction with an exponent, one of which may be missing.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, unsigned(exponent)),
        None => (text, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    is_digits(exponent)
        && (is_digits(whole) || whole.is_empty() && !fraction.is_empty())
        && (is_digits(fraction) || fraction.is_empty())
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_typed_by_the_core_schema() {
        use ScalarKind::{Bool, Int, Null, Number, Text};
        for (kind, texts) in [
            (Null, "~ null NULL"),
            (Bool(true), "true True TRUE"),
            (Bool(false), "false"),
            (Int, "0 -1 +12 007 99999999999999999999"),
            (Number, "1.0 1. .5 -1e3 1.5E-3 +0.e1"),
            (
                Text,
                "no yes on off y tRue . - + e1 1e .e1 0x1f 0o7 1_000 .inf .nan 1.2.3 ١٢ --1",
            ),
        ] {
            for text in texts.split(' ') {
                assert_eq!(core_kind(text), kind, "{text}");
            }
        }
    }
}
