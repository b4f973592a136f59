//! `lorem`: placeholder text in the shape of the given one.
//!
//! Every word becomes a Latin word, every digit another one; punctuation, white space and capitals
//! stay where they are. What is neither letter, digit, punctuation nor white space (pictographs,
//! control and private characters) becomes a letter too. The draw is keyed by the text as a whole:
//! HMAC of it is the value of a second stream, so that the time is linear in the length.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;

use super::words::{COUNT, LONGEST as LONGEST_WORD, WORDS};
use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, LONGEST_READ, Needs, Parsed, Properties, Row, Seed, Subkeys, mismatch,
};
use crate::strategies::keyed::{Keyed, Stream};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::pause::Pace;
use crate::strategies::{Datum, Kind, ValueType};

/// `lorem` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, ValueType};
///
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Lorem, &Params::new())?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("Met Ada on 5 May.")?;
/// let lengths = |text: &str| text.split(' ').map(str::len).collect::<Vec<_>>();
/// assert_eq!(lengths(&made), [3, 3, 2, 1, 4]);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "lorem",
    version: 1,
    about: "Placeholder text in the shape of the given one",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: true,
    example: "anon_lorem('Met Ada on 5 May, she was well.', unit => 'words')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Lorem::new(reader)?)),
};

/// The parameters of `lorem`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lorem {
    unit: Unit,
    keep_lines: bool,
}

/// What the output has as many of as the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Characters,
    Words,
}

impl Lorem {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        Ok(Self {
            unit: reader.word("unit", &UNITS)?,
            keep_lines: reader.bool("keep_lines", true),
        })
    }
}

impl Parsed for Lorem {
    fn properties(&self, _: ValueType) -> Properties {
        Properties {
            keeps_length: self.unit == Unit::Characters,
            keeps_format: true,
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        let most = input_max_chars?;
        Some(match self.unit {
            Unit::Characters => most,
            // The shortest word has one letter, and something stands between two words.
            Unit::Words => most.saturating_add(most.div_ceil(2).saturating_mul(LONGEST_WORD - 1)),
        })
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::Lorem, keys.masking, seed),
            lorem: self.clone(),
        }))
    }
}

/// `lorem` with its key.
struct Mask {
    keyed: Keyed,
    lorem: Lorem,
}

impl Apply for Mask {
    fn longest(&self) -> usize {
        LONGEST_READ
    }

    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        match value {
            Datum::Text(text) => Ok(Some(Datum::Text(self.text(text)?))),
            _ => Err(mismatch(DEFINITION.name, ValueType::Text)),
        }
    }
}

impl Mask {
    fn text<'a>(&self, text: Cow<'a, str>) -> Result<Cow<'a, str>> {
        if text.is_empty() {
            return Ok(text);
        }
        let digest = self.keyed.digest(text.as_bytes());
        let mut shape = Shape {
            text: &text,
            at: 0,
            unit: self.lorem.unit,
            keep_lines: self.lorem.keep_lines,
            stream: self.keyed.stream(digest.as_bytes()),
            out: String::with_capacity(text.len() + text.len() / 8),
        };
        shape.fill();
        Ok(Cow::Owned(shape.out))
    }
}

/// A text whose shape is being filled with other words.
struct Shape<'a> {
    text: &'a str,
    at: usize,
    unit: Unit,
    keep_lines: bool,
    stream: Stream<'a>,
    out: String,
}

impl Shape<'_> {
    fn fill(&mut self) {
        let pace = Pace::new();
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            pace.step();
            match class_of(self.text, self.at, byte) {
                (Class::Digit, length) => {
                    self.out.push(char::from(b'0' + self.stream.below(10)));
                    self.at += length;
                }
                (Class::Letter, _) => self.word(),
                (Class::Cached, length) => {
                    self.out.push_str(&self.text[self.at..self.at + length]);
                    self.at += length;
                }
                (Class::Space, _) if self.keep_lines => self.space(false),
                (Class::Space, _) => self.space(true),
            }
        }
    }

    /// Writes white space, without its line breaks if they are to be joined.
    fn space(&mut self, joins: bool) {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !c.is_whitespace())
            .unwrap_or(rest.len());
        let space = &rest[..end];
        self.at += end;
        if !joins || !space.contains(is_break) {
            self.out.push_str(space);
        } else if self.unit == Unit::Words {
            self.out.push(' ');
        } else {
            self.out
                .extend(space.chars().map(|c| if is_break(c) { ' ' } else { c }));
        }
    }

    /// Writes another word in place of the one that begins here.
    fn word(&mut self) {
        let (bytes, start) = (self.text.as_bytes(), self.at);
        while bytes.get(self.at).is_some_and(u8::is_ascii_alphabetic) {
            self.at += 1;
        }
        let (mut is_ascii, pace) = (true, Pace::new());
        while let Some(&byte) = bytes.get(self.at) {
            let (Class::Letter, length) = class_of(self.text, self.at, byte) else {
                break;
            };
            pace.step();
            is_ascii &= byte.is_ascii();
            self.at += length;
        }
        let old = &self.text[start..self.at];
        match self.unit {
            Unit::Words => self.any_word(old),
            Unit::Characters if is_ascii => {
                let mut old = old.as_bytes();
                while !old.is_empty() {
                    pace.step();
                    let word = self.piece(old.len());
                    let (now, rest) = old.split_at(word.len());
                    let cased = word.bytes().zip(now).map(|(new, &old)| {
                        char::from(if old.is_ascii_uppercase() {
                            new.to_ascii_uppercase()
                        } else {
                            new
                        })
                    });
                    self.out.extend(cased);
                    old = rest;
                }
            }
            Unit::Characters => {
                let mut left = old.chars().count();
                let mut old = old.chars();
                while left > 0 {
                    pace.step();
                    let word = self.piece(left);
                    left -= word.len();
                    let cased = word.chars().zip(&mut old).map(|(new, old)| {
                        if old.is_uppercase() {
                            new.to_ascii_uppercase()
                        } else {
                            new
                        }
                    });
                    self.out.extend(cased);
                }
            }
        }
    }

    /// Draws a word for so many letters that are left of a word: as long, if there are such words.
    fn piece(&mut self, left: usize) -> &'static str {
        let length = if left > LONGEST_WORD { PIECE } else { left };
        let words = WORDS[length - 1];
        let count = u16::try_from(words.len()).unwrap_or(1);
        words[usize::from(self.stream.below(count))]
    }

    /// Writes a word of any length, capitalized like the old one.
    fn any_word(&mut self, old: &str) {
        let mut place = usize::from(self.stream.below(COUNT));
        let mut word = "";
        for words in WORDS {
            if let Some(found) = words.get(place) {
                word = found;
                break;
            }
            place -= words.len();
        }
        let mut letters = old.chars();
        let begins = letters.next().is_some_and(char::is_uppercase);
        let all = begins && old.chars().nth(1).is_some() && !letters.any(char::is_lowercase);
        let upper = match (all, begins) {
            (true, _) => word.len(),
            (false, true) => 1,
            (false, false) => 0,
        };
        let (upper, lower) = word.split_at(upper);
        self.out
            .extend(upper.chars().map(|c| c.to_ascii_uppercase()));
        self.out.push_str(lower);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Digit,
    Cached,
    Letter,
    Space,
}

/// Classifies the character at a place and returns its length in bytes.
fn class_of(text: &str, at: usize, byte: u8) -> (Class, usize) {
    let class = match byte {
        b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
        b' ' | b'\t'..=b'\r' => Class::Space,
        b'0'..=b'9' => Class::Digit,
        b'!'..=b'~' => Class::Cached,
        0..0x80 => Class::Letter,
        _ => {
            let c = text[at..].chars().next().unwrap_or_default();
            return (class_of_wide(c), c.len_utf8().max(1));
        }
    };
    (class, 1)
}

/// Only white space and well-known punctuation are kept: every other sign may say something.
fn class_of_wide(c: char) -> Class {
    match c {
        _ if c.is_alphabetic() || is_combining_mark(c) => Class::Letter,
        _ if c.is_numeric() => Class::Digit,
        _ if c.is_whitespace() => Class::Space,
        '¡' | '§' | '«' | '·' | '»' | '¿' | '£' | '¥' | '€' | '°' => Class::Cached,
        '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}' => {
            Class::Cached
        }
        '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' => Class::Cached,
        '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' => Class::Cached,
        _ => Class::Letter,
    }
}

/// Whether a character ends a line (Unicode, mandatory breaks).
fn is_break(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "unit",
        ParamKind::Text,
        "characters",
        "characters keeps the length of every word, words draws that as well.",
    ),
    ParamSpec::new(
        "keep_lines",
        ParamKind::Bool,
        "true",
        "Keeps line breaks; without them a text becomes one line.",
    ),
];

const UNITS: [(&str, Unit); 2] = [("characters", Unit::Characters), ("words", Unit::Words)];

/// The length of the words that a longer one is put together of.
const PIECE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Value;

    fn mask(params: &[(&str, Value)]) -> Mask {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        let reader = params.collect();
        Mask {
            keyed: Keyed::new(Kind::Lorem, &[7; 32], Seed::new(1)),
            lorem: Lorem::new(&Reader::new(Kind::Lorem, &reader).unwrap()).unwrap(),
        }
    }

    fn out(params: &[(&str, Value)], text: &str) -> String {
        mask(params).text(text.into()).unwrap().into_owned()
    }

    fn shape(text: &str) -> String {
        let sign = |c: char| match c {
            'a'..='z' => 'a',
            'A'..='Z' => 'A',
            '0'..='9' => '9',
            other => other,
        };
        text.chars().map(sign).collect()
    }

    #[test]
    fn lorem_keeps_the_shape_of_the_text() {
        for (text, kept) in [
            (
                "Met Ada on 5 May.\n\nShe was WELL,  iPad!",
                "Aaa Aaa aa 9 Aaa.\n\nAaa aaa AAAA,  aAaa!",
            ),
            (
                "¿Qué? «Zoë» – don't; 12.50 €",
                "¿Aaa? «Aaa» – aaa'a; 99.99 €",
            ),
            ("Straße ÉCOLE", "Aaaaaa AAAAA"),
            ("e\u{301}te\u{301}", "aaaaa"),
            ("日本語、東京。", "aaa、aa。"),
            ("½ ٣ Ⅷ", "9 9 A"),
            ("👩\u{200d}💻 ok", "aaa aa"),
            ("\u{1}\u{e000}\u{feff}", "aaa"),
            (" \t\r\n\u{a0}", " \t\r\n\u{a0}"),
        ] {
            assert_eq!(shape(&out(&[], text)), kept, "{text}");
        }
    }

    #[test]
    fn lorem_puts_longer_words_together() {
        for length in 1..100 {
            let text = "x".repeat(length);
            assert_eq!(shape(&out(&[], &text)), "a".repeat(length));
            let text = "é".repeat(length);
            assert_eq!(shape(&out(&[], &text)), "a".repeat(length));
        }
    }

    #[test]
    fn lorem_by_words_gives_no_length_away() {
        let words = [("unit", Value::from("words"))];
        let text = "Ada x 12 IBM a-b c's\n\nÉlan";
        let made = out(&words, text);
        let count = |text: &str| text.split(|c: char| !c.is_alphanumeric()).count();
        assert_eq!(count(&made), count(text));
        assert_eq!(made.lines().count(), 3);
        let lengths: std::collections::BTreeSet<_> = (0..200)
            .map(|n| {
                out(&words, &format!("x{n}"))
                    .trim_end_matches(|c: char| c.is_ascii_digit())
                    .len()
            })
            .collect();
        assert!(lengths.len() >= 10);
        let capitals = |text: &str| {
            out(&words, text)
                .chars()
                .filter(|c| c.is_uppercase())
                .count()
        };
        assert_eq!(
            (capitals("Anna"), capitals("anna"), capitals("A")),
            (1, 0, 1)
        );
        let all = out(&words, "NATO");
        assert_eq!(all, all.to_uppercase());
    }

    #[test]
    fn lorem_joins_lines_when_asked() {
        let joins = ("keep_lines", Value::Bool(false));
        assert_eq!(
            shape(&out(std::slice::from_ref(&joins), "a\r\n\u{2028}b c\t d")),
            "a   a a\t a"
        );
        let words = [joins, ("unit", Value::from("words"))];
        let made = out(&words, "ab\n \n\ncd  ef");
        assert_eq!((made.split(' ').count(), made.lines().count()), (4, 1));
    }

    #[test]
    fn lorem_is_another_text_for_another_text() {
        let long = "The quick brown fox jumps over the lazy dog, again and again.";
        assert_ne!(out(&[], long), out(&[], &long.replace("quick", "brisk")));
        let second = |text: &str| out(&[], text).split(' ').next_back().map(str::to_owned);
        assert_ne!(
            second("something aaaa bbbbbbbb"),
            second("something aaab bbbbbbbb")
        );
    }

    #[test]
    fn lorem_keeps_the_empty_text() {
        assert_eq!(out(&[], ""), "");
    }

    #[test]
    fn lorem_words_stay_within_the_limit() {
        let words = mask(&[("unit", Value::from("words"))]);
        for text in ["a b c d e f g", "a", "a1b1c1", "ab"] {
            let limit = words.lorem.output_limit(Some(text.len())).unwrap();
            assert!(out(&[("unit", Value::from("words"))], text).len() <= limit);
        }
        assert_eq!(words.lorem.output_limit(Some(1)), Some(12));
    }
}
