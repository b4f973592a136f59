//! What texts stand for that are written with escapes: documents, markup, and the output of types
//! that hold texts.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Escapes {
    /// As it is.
    None,
    /// JSON.
    Json,
    /// The lexemes of a `tsvector`.
    Lexemes,
    /// The output of arrays, composites and `hstore`: quotes and backslashes with a backslash before
    /// them, or doubled.
    Output,
    /// XML.
    Xml,
}

impl Escapes {
    /// The text that is meant. Escapes that are none stay as they are.
    pub fn undone(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::None => Cow::Borrowed(text),
            Self::Json => json(text),
            Self::Lexemes => output(text, '\''),
            Self::Output => output(text, '"'),
            Self::Xml => xml(text),
        }
    }
}

/// A backslash stands for what follows it, and two quotes for one.
fn output(text: &str, quote: char) -> Cow<'_, str> {
    if !text.contains(['\\', quote]) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.extend(rest.next()),
            c if c == quote => {
                // One alone stands around a text.
                out.push(if rest.next_if_eq(&quote).is_some() {
                    quote
                } else {
                    ' '
                });
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Character references, by name and by number (XML 1.0, 4.1 and 4.6).
fn xml(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let found = rest.split_once(';').and_then(|(name, behind)| {
            let number =
                |digits: &str, base| char::from_u32(u32::from_str_radix(digits, base).ok()?);
            let c = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "apos" => '\'',
                "quot" => '"',
                name => match name.strip_prefix('#')? {
                    digits if digits.starts_with('x') => number(&digits[1..], 16)?,
                    digits => number(digits, 10)?,
                },
            };
            Some((c, behind))
        });
        match found {
            Some((c, behind)) => {
                out.push(c);
                rest = behind;
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What the texts of a document say: escapes taken out. They stand in texts only.
fn json(json: &str) -> Cow<'_, str> {
    if !json.contains('\\') {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let Some(kind) = escape.chars().next() else {
            return Cow::Owned(out);
        };
        rest = &escape[kind.len_utf8()..];
        match kind {
            'n' | 'r' | 't' | 'b' | 'f' => out.push(' '),
            'u' => {
                let unit = |text: &str| u16::from_str_radix(text.get(..4)?, 16).ok();
                let Some(first) = unit(rest) else { continue };
                rest = &rest[4..];
                let second = rest.strip_prefix("\\u").and_then(unit);
                let decoded = char::decode_utf16([first].into_iter().chain(second)).next();
                match decoded {
                    Some(Ok(c)) => {
                        if c.len_utf16() == 2 {
                            rest = &rest[6..];
                        }
                        out.push(c);
                    }
                    _ => out.push('\u{fffd}'),
                }
            }
            other => out.push(other),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        for (escapes, written, meant) in [
            (Escapes::None, r"a\b", r"a\b"),
            (
                Escapes::Json,
                r#"{"a": "O\u0027Brien\n"}"#,
                "{\"a\": \"O'Brien \"}",
            ),
            (
                Escapes::Output,
                r#"{"Lee, \"Bob\"",x\\y}"#,
                r#"{ Lee, "Bob" ,x\y}"#,
            ),
            (Escapes::Output, r#"("say ""hi""",1)"#, r#"( say "hi" ,1)"#),
            (
                Escapes::Lexemes,
                "'o''brien':1 'x@y.example':2",
                " o'brien :1  x@y.example :2",
            ),
            (
                Escapes::Xml,
                "O&apos;Brien &#64; &#x40; &amp;lt; &no; & b",
                "O'Brien @ @ &lt; &no; & b",
            ),
            (
                Escapes::Xml,
                "&#xD800; &#99999999999;",
                "&#xD800; &#99999999999;",
            ),
        ] {
            assert_eq!(escapes.undone(written), meant, "{escapes:?}");
        }
    }
}
