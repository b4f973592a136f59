//! E-mail addresses as they stand in text: a plain local part at a host name with a letter domain.
//!
//! Narrower than RFC 5321 before the "@" (letters, digits, and `._%+'-`), so that what a writer
//! puts around an address (`<`, `=`, quotes) is no part of it. Letters of every script are taken.

use super::place::{Text, is_word};

/// The most octets before the "@" (RFC 5321).
pub(super) const LONGEST_LOCAL: usize = 64;
/// The most octets after it (RFC 1035).
const LONGEST_DOMAIN: usize = 253;
/// The most bytes of a label: 63 characters of up to four bytes.
const LONGEST_LABEL: usize = 252;

/// The end of the address that begins at a place and has its "@" at another.
pub(super) fn end(text: Text<'_>, start: usize, sign: usize) -> Option<usize> {
    if text.byte(sign) != b'@' || start >= sign || sign - start > LONGEST_LOCAL {
        return None;
    }
    let local = text.text.get(start..sign)?;
    let is_local = |c: char| is_word(c) || matches!(c, '.' | '_' | '%' | '+' | '\'' | '-');
    if !local.chars().all(is_local) || local.ends_with('.') || local.contains("..") {
        return None;
    }
    domain(text, sign + 1)
}

/// The end of a host name of two labels or more, the last of which is one of letters.
fn domain(text: Text<'_>, start: usize) -> Option<usize> {
    let mut found = None;
    let (mut at, mut labels) = (start, 0);
    while at - start <= LONGEST_DOMAIN {
        let end = label(text, at);
        if end == at {
            break;
        }
        labels += 1;
        if labels > 1 {
            found = top(&text.text[at..end]).map(|length| at + length).or(found);
        }
        if text.byte(end) != b'.' {
            break;
        }
        at = end + 1;
    }
    found
}

/// The end of a label; one that is too long is none.
fn label(text: Text<'_>, start: usize) -> usize {
    let mut at = start;
    while let Some(c) = text.char_at(at) {
        if !is_word(c) && c != '-' {
            break;
        }
        at += c.len_utf8();
        if at - start > LONGEST_LABEL {
            return start;
        }
    }
    at
}

/// The length of the top-level domain that a last label begins with, at least two letters: what
/// hangs on it with a hyphen is none of it.
fn top(label: &str) -> Option<usize> {
    if label.len() > 4 && label.is_char_boundary(4) && label[..4].eq_ignore_ascii_case("xn--") {
        return Some(label.len());
    }
    let end = label
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(label.len());
    let is_whole = label[end..].chars().next().is_none_or(|c| c == '-');
    (is_whole && label[..end].chars().nth(1).is_some()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        end(Text::new(text), 0, text.find('@')?).map(|end| &text[..end])
    }

    #[test]
    fn mail_takes_plain_addresses() {
        for text in [
            "ada@work.example",
            "a.b+c_d%e-f@x.co.uk",
            "1@a.io",
            "o'brien@mail.example.org",
            "zoë@bücher.example",
            "ada@xn--bcher-kva.example",
            "a@b-c.xn--p1ai",
            "A@B.EU",
        ] {
            assert_eq!(found(text), Some(text));
        }
        for (text, address) in [
            ("ada@work.example.", "ada@work.example"),
            ("ada@work.example, and", "ada@work.example"),
            ("ada@work.example>", "ada@work.example"),
            ("ada@work.example-old", "ada@work.example"),
            ("ada@work.example.5", "ada@work.example"),
            ("ada@work.example/x", "ada@work.example"),
        ] {
            assert_eq!(found(text), Some(address));
        }
    }

    #[test]
    fn mail_refuses_everything_else() {
        for text in [
            "ada@work",
            "ada@",
            "@work.example",
            "a b@work.example",
            "ada.@work.example",
            "a..b@work.example",
            "ada@.example",
            "ada@x.1",
            "ada@x.e",
            "ada@work.x9",
            "a@@b.example",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(found(&format!("{}@work.example", "a".repeat(65))), None);
        assert_eq!(found(&format!("a@{}", "b.".repeat(1000))), None);
    }
}
