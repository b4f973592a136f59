//! `mask`: most of a text is written over, a part that was asked for stays to be seen.
//!
//! Counted are characters as a reader sees them: extended grapheme clusters (Unicode UAX #29).
//! *Maskable* is every character of a value, except what a parameter opens: the domain of an
//! address, the calling code of a telephone number, and separators as long as there are fewer of
//! them than of other characters. However much is asked for, no more than half of the maskable
//! characters of a value is shown, rounded down, and none of them if there are at most two.
//! What is not the address or the number that `keep` asks for is written over from end to end.

mod characters;
mod cover;
mod parts;

use characters::{Sort, stands_alone};

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, ValueType};

/// `mask` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("keep_last".to_owned(), Value::Int(4))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Mask, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// assert_eq!(mask.text("4012-8888-8888-1881")?, "****-****-****-1881");
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "mask",
    version: 1,
    about: "Text of which at most half is shown and the rest written over",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[],
    needs: Needs::Nothing,
    refuses: false,
    example: "anon_mask('4111-1111-1111-1111', keep_last => 4)",
    sample: "{}",
    parse: |reader| Ok(Box::new(Retention::new(reader)?)),
};

/// The parameters of `mask`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Retention {
    keep_first: u16,
    keep_last: u16,
    keep: Keep,
    keep_class: Option<Sort>,
    keep_separators: bool,
    mask_char: String,
    pad_to: u16,
}

/// What a value is read as, so that a part of it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    None,
    EmailDomain,
    Phone,
}

impl Retention {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let mask_char = reader.text("mask_char", "*");
        if !stands_alone(mask_char) {
            let detail = "It must be exactly one character, no white space, and not combine with \
                          itself.";
            return Err(reader.invalid("mask_char", detail));
        }
        let retention = Self {
            keep_first: reader.int("keep_first", 0, 0..=MOST_KEPT)?,
            keep_last: reader.int("keep_last", 0, 0..=MOST_KEPT)?,
            keep: reader.word("keep", &KEEPS)?,
            keep_class: reader.word("keep_class", &SORTS)?,
            keep_separators: reader.bool("keep_separators", true),
            mask_char: mask_char.to_owned(),
            pad_to: reader.int("pad_to", 0, 0..=MOST_PADDED)?,
        };
        if retention.pad_to > 0 && retention.keep_class.is_some() {
            let detail = "It hides the places of characters, which \"keep_class\" shows.";
            return Err(reader.invalid("pad_to", detail));
        }
        Ok(retention)
    }

    /// Whether the output consists of the mask character alone, whatever the value.
    fn shows_nothing(&self) -> bool {
        let separators = self.keep_separators && self.pad_to == 0;
        let ends = self.keep_first > 0 || self.keep_last > 0;
        !(separators || ends || self.keep != Keep::None || self.keep_class.is_some())
    }
}

impl Parsed for Retention {
    fn properties(&self, _: ValueType) -> Properties {
        let is_constant = self.shows_nothing() && self.pad_to > 0;
        Properties {
            deterministic: true,
            collision_bits: (!is_constant).then_some(0),
            survival: if self.shows_nothing() {
                Survival::Constant
            } else {
                Survival::Unjudged
            },
            ..Properties::NONE
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        let wide = self.mask_char.chars().count();
        let padding = usize::from(self.pad_to) * wide;
        match self.pad_to {
            0 => input_max_chars.map(|max| max.saturating_mul(wide)),
            _ if self.shows_nothing() => Some(padding),
            _ => input_max_chars.map(|max| max.saturating_add(padding)),
        }
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask(self.clone())))
    }
}

/// `mask`, which needs no key.
struct Mask(Retention);

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        match value {
            Datum::Text(text) => Ok(Some(Datum::text(self.0.text(&text)))),
            _ => Err(mismatch(DEFINITION.name, ValueType::Text)),
        }
    }
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "keep_first",
        ParamKind::Int,
        "0",
        "Characters shown at the beginning, up to 1000; at most half of all are shown.",
    ),
    ParamSpec::new(
        "keep_last",
        ParamKind::Int,
        "0",
        "Characters shown at the end, up to 1000; at most half of all are shown.",
    ),
    ParamSpec::new(
        "keep",
        ParamKind::Text,
        "none",
        "email_domain shows the domain of an address, phone the calling code of a number.",
    ),
    ParamSpec::new(
        "keep_class",
        ParamKind::Text,
        "none",
        "digits, letters, upper or lower: characters of it are shown, from the left.",
    ),
    ParamSpec::new(
        "keep_separators",
        ParamKind::Bool,
        "true",
        "Shows punctuation and white space, where there is less of it than of the rest.",
    ),
    ParamSpec::new(
        "mask_char",
        ParamKind::Text,
        "*",
        "What stands in place of a character, exactly one character itself.",
    ),
    ParamSpec::new(
        "pad_to",
        ParamKind::Int,
        "0",
        "Writes exactly that many, up to 256, whatever the length; 0 writes one each.",
    ),
];

const MOST_KEPT: u16 = 1000;
const MOST_PADDED: u16 = 256;
const KEEPS: [(&str, Keep); 3] = [
    ("none", Keep::None),
    ("email_domain", Keep::EmailDomain),
    ("phone", Keep::Phone),
];
const SORTS: [(&str, Option<Sort>); 5] = [
    ("none", None),
    ("digits", Some(Sort::Digits)),
    ("letters", Some(Sort::Letters)),
    ("upper", Some(Sort::Upper)),
    ("lower", Some(Sort::Lower)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::Kind;
    use crate::strategies::params::Value;

    fn mask(params: &[(&str, Value)]) -> Result<Retention, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Retention::new(&Reader::new(Kind::Mask, &params.collect())?)
    }

    #[test]
    fn mask_refuses_padding_beside_a_class() {
        let refused = mask(&[
            ("pad_to", Value::Int(1)),
            ("keep_class", Value::from("upper")),
        ]);
        assert_eq!(refused.unwrap_err().param, "pad_to");
    }

    #[test]
    fn mask_refuses_what_is_not_one_character() {
        for text in [
            "",
            "**",
            "ab",
            " ",
            "\n",
            "\u{7}",
            "\u{301}",
            "🇩",
            "ᄀ",
            "a\u{2003}",
        ] {
            let refused = mask(&[("mask_char", Value::from(text))]).unwrap_err();
            assert_eq!(refused.param, "mask_char", "{text:?}");
        }
        let marks = format!("a{}", "\u{301}".repeat(16));
        assert!(mask(&[("mask_char", Value::from(&*marks))]).is_err());
        for text in ["X", "•", "█", "é", "e\u{301}", "👨‍👩‍👧‍👦", "🇩🇪"] {
            assert_eq!(
                mask(&[("mask_char", Value::from(text))])
                    .unwrap()
                    .text("ab"),
                text.repeat(2)
            );
        }
    }

    #[test]
    fn mask_refuses_counts_out_of_bounds() {
        for (name, value) in [("keep_first", 1001), ("keep_last", -1), ("pad_to", 257)] {
            assert_eq!(mask(&[(name, Value::Int(value))]).unwrap_err().param, name);
        }
    }

    #[test]
    fn mask_promises_a_constant_only_where_nothing_is_shown() {
        let survival = |params: &[(&str, Value)]| {
            let properties = mask(params).unwrap().properties(ValueType::Text);
            (properties.survival, properties.collision_bits)
        };
        let (bare, pad) = (
            ("keep_separators", Value::Bool(false)),
            ("pad_to", Value::Int(8)),
        );
        assert_eq!(survival(&[]), (Survival::Unjudged, Some(0)));
        assert_eq!(survival(&[bare]), (Survival::Constant, Some(0)));
        assert_eq!(
            survival(std::slice::from_ref(&pad)),
            (Survival::Constant, None)
        );
        let kept = [pad, ("keep_last", Value::Int(1))];
        assert_eq!(survival(&kept), (Survival::Unjudged, Some(0)));
    }
}
