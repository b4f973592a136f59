//! Tokens of JSON (RFC 8259): where they end, what a string says, how one is written.

use std::borrow::Cow;
use std::fmt::Write;

use super::walk::DEEPEST;

/// Returns where white space ends.
pub(super) fn space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// Returns the end of a string whose opening quote stands before `at`: the place after the closing
/// one, and whether there is an escape in it. Escapes are checked.
pub(super) fn string(text: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut escaped = false;
    loop {
        match *text.get(at)? {
            b'"' => return Some((at + 1, escaped)),
            b'\\' => {
                escaped = true;
                at += match text.get(at + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                    b'u' if text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => 6,
                    _ => return None,
                };
            }
            0..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// A number, by its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digits {
    /// Where it ends.
    pub(super) end: usize,
    /// Whether it has neither fraction nor exponent.
    pub(super) is_integer: bool,
}

/// Returns the end of the number at `at`.
pub(super) fn number(text: &[u8], mut at: usize) -> Option<Digits> {
    let digits = |mut at: usize| {
        let start = at;
        while text.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        (at > start).then_some(at)
    };
    if text.get(at) == Some(&b'-') {
        at += 1;
    }
    let mut end = if text.get(at) == Some(&b'0') {
        at + 1
    } else {
        digits(at)?
    };
    let mut is_integer = true;
    if text.get(end) == Some(&b'.') {
        is_integer = false;
        end = digits(end + 1)?;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        is_integer = false;
        end += 1;
        if matches!(text.get(end), Some(b'+' | b'-')) {
            end += 1;
        }
        end = digits(end)?;
    }
    Some(Digits { end, is_integer })
}

/// Returns the end of a word.
pub(super) fn word(text: &[u8], at: usize, word: &str) -> Option<usize> {
    text[at..]
        .starts_with(word.as_bytes())
        .then_some(at + word.len())
}

/// Returns the end of the value at `at`, which is checked, by a loop: depth costs no stack.
/// `room` is how deep its containers may go.
pub(super) fn value(text: &[u8], mut at: usize, room: usize) -> Option<usize> {
    // One bit for each open container: whether it is an object.
    let mut kinds = [0u64; DEEPEST / 64];
    let mut open = 0;
    let is_object =
        |kinds: &[u64], open: usize| kinds[(open - 1) / 64] >> ((open - 1) % 64) & 1 == 1;
    loop {
        at = match *text.get(at)? {
            b'"' => string(text, at + 1)?.0,
            b't' => word(text, at, "true")?,
            b'f' => word(text, at, "false")?,
            b'n' => word(text, at, "null")?,
            kind @ (b'{' | b'[') => {
                if open >= room.min(DEEPEST) {
                    return None;
                }
                let bit = 1 << (open % 64);
                kinds[open / 64] = kinds[open / 64] & !bit | if kind == b'{' { bit } else { 0 };
                open += 1;
                let inside = space(text, at + 1);
                if text.get(inside) == Some(&(kind + 2)) {
                    open -= 1;
                    inside + 1
                } else {
                    at = if kind == b'{' {
                        key(text, inside)?.value
                    } else {
                        inside
                    };
                    continue;
                }
            }
            _ => number(text, at)?.end,
        };
        loop {
            if open == 0 {
                return Some(at);
            }
            at = space(text, at);
            let object = is_object(&kinds, open);
            match *text.get(at)? {
                b',' => {
                    at = space(text, at + 1);
                    if object {
                        at = key(text, at)?.value;
                    }
                    break;
                }
                b'}' if object => (open, at) = (open - 1, at + 1),
                b']' if !object => (open, at) = (open - 1, at + 1),
                _ => return None,
            }
        }
    }
}

/// The key of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Where its characters begin and end.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether there is an escape in it.
    pub(super) escaped: bool,
    /// Where the value begins.
    pub(super) value: usize,
}

/// Reads a key and the colon after it.
pub(super) fn key(text: &[u8], at: usize) -> Option<Key> {
    if text.get(at) != Some(&b'"') {
        return None;
    }
    let (end, escaped) = string(text, at + 1)?;
    let colon = space(text, end);
    (text.get(colon) == Some(&b':')).then(|| Key {
        start: at + 1,
        end: end - 1,
        escaped,
        value: space(text, colon + 1),
    })
}

/// Returns what a string says. `\u0000` becomes a zero byte; none if half of a surrogate pair is
/// missing or an escape is not one.
pub(super) fn unescape(inside: &str) -> Option<Cow<'_, str>> {
    decode(inside, None)
}

/// Returns what a string says, with U+FFFD for every half of a surrogate pair on its own, which
/// type json allows and no text can hold.
pub(super) fn unescape_lossy(inside: &str) -> Option<Cow<'_, str>> {
    decode(inside, Some(char::REPLACEMENT_CHARACTER))
}

fn decode(inside: &str, lone: Option<char>) -> Option<Cow<'_, str>> {
    let Some(first) = inside.find('\\') else {
        return Some(Cow::Borrowed(inside));
    };
    let mut out = String::with_capacity(inside.len());
    out.push_str(&inside[..first]);
    let mut rest = &inside[first..];
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let escape = rest.chars().next()?;
        rest = &rest[escape.len_utf8()..];
        out.push(match escape {
            '"' | '\\' | '/' | '\'' => escape,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = unit(rest)?;
                rest = &rest[4..];
                let low = rest.strip_prefix("\\u").and_then(unit);
                match (high, low) {
                    (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
                        rest = &rest[6..];
                        char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?
                    }
                    _ => char::from_u32(high).or(lone)?,
                }
            }
            _ => return None,
        });
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

fn unit(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

/// Writes a string with its quotes.
pub(super) fn push_string(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x8 => "\\b",
            0xc => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        plain = at + 1;
        if escape.is_empty() {
            // Writing into a string does not fail.
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_json(text: &str) -> bool {
        let bytes = text.as_bytes();
        value(bytes, space(bytes, 0), DEEPEST).is_some_and(|end| space(bytes, end) == bytes.len())
    }

    #[test]
    fn token_value_takes_what_the_grammar_takes() {
        for text in [
            "null",
            " true ",
            "false",
            "0",
            "-0",
            "1.5e+10",
            "1E5",
            "\"\"",
            r#""\u00e9\n""#,
            "[]",
            "[ ]",
            "{}",
            r#"{"a":1}"#,
            r#"{"a":1,"a":[1,{"b":[]}]}"#,
            "[1,\n2]",
            r#""\ud800""#,
        ] {
            assert!(is_json(text), "{text}");
            let known = serde_json::from_str::<serde_json::Value>(text).is_ok();
            assert!(known || text.contains("ud800"), "{text}");
        }
        for text in [
            "",
            "nul",
            "nullx",
            "01",
            "1.",
            ".5",
            "-",
            "+1",
            "1e",
            "1e+",
            "'a'",
            "\"a",
            "\"\n\"",
            r#""\x""#,
            r#""\u12g4""#,
            "[1,]",
            "[,]",
            "[1",
            "[1}",
            "{1:2}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"a":1]"#,
            "1 2",
            "[] []",
            "NaN",
            "\u{a0}1",
            "}",
            "]",
        ] {
            assert!(!is_json(text), "{text}");
            assert!(
                serde_json::from_str::<serde_json::Value>(text).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn token_value_is_bounded_in_depth() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_json(&nested(DEEPEST)));
        assert!(!is_json(&nested(DEEPEST + 1)));
        assert!(!is_json(&"[".repeat(1_000_000)));
        assert!(!is_json(&"{\"a\":".repeat(1_000_000)));
        assert_eq!(value(b"[[1]]", 0, 1), None);
        let mixed = format!("{}1{}", "{\"a\":[".repeat(200), "]}".repeat(200));
        assert!(is_json(&mixed));
    }

    #[test]
    fn token_strings_say_what_was_written() {
        for text in [
            "",
            "a",
            "\"\\/",
            "\u{8}\u{c}\n\r\t\u{1}\0",
            "é😀",
            "\u{7f}\u{2028}",
        ] {
            let mut out = String::new();
            push_string(text, &mut out);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
            assert_eq!(unescape(&out[1..out.len() - 1]).unwrap(), text);
        }
        assert_eq!(unescape(r"\ud83d\ude00\u00E9").unwrap(), "😀é");
        assert_eq!(unescape(r"\ud83d"), None);
        assert_eq!(unescape(r"\"), None);
        assert_eq!(unescape(r"\u12"), None);
        assert_eq!(unescape(r"\u+123"), None);
        assert_eq!(
            unescape_lossy(r"\ud83d-\ude00").unwrap(),
            "\u{fffd}-\u{fffd}"
        );
        assert_eq!(unescape_lossy(r"\ud83d\ud83d\ude00").unwrap(), "\u{fffd}😀");
    }
}
