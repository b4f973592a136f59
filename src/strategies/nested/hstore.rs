//! The text form of hstore: `"key"=>"value", "other"=>NULL` (PostgreSQL documentation, appendix F).
//!
//! The server writes keys and values in quotes, with a backslash before a quote or a backslash; it
//! reads them without quotes too, and so does this. An unquoted NULL, in any case, is no value.

use std::borrow::Cow;

/// One pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::strategies) struct Pair<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) value: Option<Cow<'a, str>>,
}

/// Reads the pairs in their order; none if the text is no hstore.
pub(in crate::strategies) fn read(text: &str) -> Option<Vec<Pair<'_>>> {
    let mut pairs = Vec::new();
    let mut rest = trim(text);
    if rest.is_empty() {
        return Some(pairs);
    }
    loop {
        let (key, _, after) = word(rest)?;
        let (value, quoted, after) = word(trim(trim(after).strip_prefix("=>")?))?;
        let is_null = !quoted && value.eq_ignore_ascii_case("null");
        pairs.push(Pair {
            key,
            value: (!is_null).then_some(value),
        });
        rest = trim(after);
        if rest.is_empty() {
            return Some(pairs);
        }
        rest = trim(rest.strip_prefix(',')?);
        // The server takes a comma after the last pair.
        if rest.is_empty() {
            return Some(pairs);
        }
    }
}

/// Appends a pair.
pub(super) fn push_pair(key: &str, value: Option<&str>, out: &mut String) {
    if !out.is_empty() {
        out.push_str(", ");
    }
    push_quoted(key, out);
    out.push_str("=>");
    match value {
        Some(value) => push_quoted(value, out),
        None => out.push_str("NULL"),
    }
}

/// Reads a key or a value: what it says, whether it was quoted, and what follows.
fn word(text: &str) -> Option<(Cow<'_, str>, bool, &str)> {
    let quoted = text.starts_with('"');
    let inside = text.strip_prefix('"').unwrap_or(text);
    let mut escaped = false;
    let mut has_escapes = false;
    let mut end = None;
    for (at, byte) in inside.bytes().enumerate() {
        let ends = match byte {
            _ if escaped => false,
            b'"' => {
                if !quoted {
                    return None;
                }
                true
            }
            b',' | b'=' => !quoted,
            _ => !quoted && is_space(byte),
        };
        if ends {
            end = Some(at);
            break;
        }
        escaped = byte == b'\\' && !escaped;
        has_escapes |= escaped;
    }
    let end = match end {
        Some(end) => end,
        None if quoted || escaped => return None,
        None => inside.len(),
    };
    if !quoted && end == 0 {
        return None;
    }
    let said = if has_escapes {
        Cow::Owned(unescape(&inside[..end]))
    } else {
        Cow::Borrowed(&inside[..end])
    };
    Some((said, quoted, &inside[end + usize::from(quoted)..]))
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        escaped = c == '\\' && !escaped;
        if !escaped {
            out.push(c);
        }
    }
    out
}

fn push_quoted(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, _) in text.match_indices(['"', '\\']) {
        out.push_str(&text[plain..at]);
        out.push('\\');
        plain = at;
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

fn trim(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0xb | 0xc)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Option<Vec<(String, Option<String>)>> {
        let pairs = read(text)?.into_iter();
        let owned = |pair: Pair<'_>| (pair.key.into_owned(), pair.value.map(Cow::into_owned));
        Some(pairs.map(owned).collect())
    }

    #[test]
    fn hstore_reads_what_the_server_writes() {
        let pair = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        assert_eq!(pairs(""), Some(vec![]));
        assert_eq!(pairs(r#""a"=>"1""#), Some(vec![pair("a", Some("1"))]));
        let both = vec![pair("a", None), pair("b c", Some("x, \"y\" => \\"))];
        assert_eq!(pairs(r#""a"=>NULL, "b c"=>"x, \"y\" => \\""#), Some(both));
        assert_eq!(pairs(r#"""=>"""#), Some(vec![pair("", Some(""))]));
        assert_eq!(pairs(r#""a"=>"NULL""#), Some(vec![pair("a", Some("NULL"))]));
        assert_eq!(pairs(r#""é"=>"ü""#), Some(vec![pair("é", Some("ü"))]));
    }

    #[test]
    fn hstore_reads_what_the_server_reads() {
        let pair = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        assert_eq!(
            pairs(" a => 1 ,b=>nUll, "),
            Some(vec![pair("a", Some("1")), pair("b", None)])
        );
        assert_eq!(pairs(r"a\=b=>\,"), Some(vec![pair("a=b", Some(","))]));
    }

    #[test]
    fn hstore_refuses_what_is_none() {
        for text in [
            "a",
            "a=>",
            "=>1",
            "a=1",
            "a=>1 b=>2",
            "a=>1,,b=>2",
            "\"a=>1",
            "a=>\"1",
            r"a=>1\",
            "a\"b\"=>1",
            ",",
            "a=>\"1\"x",
            "\"a\"\"b\"=>1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn hstore_written_and_read_again_is_equal() {
        for (key, value) in [
            ("", Some("")),
            ("a\"\\", Some("\\\"")),
            ("k", None),
            ("é", Some(",")),
        ] {
            let mut out = String::new();
            push_pair(key, value, &mut out);
            push_pair("x", Some("NULL"), &mut out);
            let read = read(&out).unwrap();
            assert_eq!((&*read[0].key, read[0].value.as_deref()), (key, value));
            assert_eq!(read[1].value.as_deref(), Some("NULL"));
        }
    }
}
