//! The format of a masked address: a dot-atom with places for digest and names, and a domain.
//!
//! A format cannot make an address that reaches anybody: its domain is reserved by RFC 2606 or
//! RFC 6761. Only the three words in braces are known; nothing else is evaluated.

use std::fmt;

/// A format that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format {
    /// What stands before the "@", in order; a digest exactly once.
    pub(super) pieces: Vec<Piece>,
    /// What stands behind it, in small letters.
    pub(super) domain: String,
}

/// A piece of what stands before the "@".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The first name of the person.
    First,
    /// The digest.
    Hash,
    /// The family name of the person.
    Last,
    /// Characters as they are.
    Text(String),
}

impl Format {
    /// Reads a format; without an "@" it gets a domain.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn parse(format: &str, domain: &str) -> Result<Self, &'static str> {
        let (local, domain) = format.split_once('@').unwrap_or((format, domain));
        let pieces = pieces(local).ok_or(BRACES)?;
        let count = |of: Piece| pieces.iter().filter(|piece| **piece == of).count();
        if count(Piece::Hash) == 0 {
            return Err("It must contain {hash} once, before the \"@\".");
        }
        let once = [Piece::Hash, Piece::First, Piece::Last].map(count);
        if once.iter().any(|count| *count > 1) || domain.contains(['{', '}']) {
            return Err(BRACES);
        }
        if !is_host_name(domain) {
            return Err("What follows the \"@\" must be a host name of two or more labels.");
        }
        if !is_reserved(domain) {
            return Err(
                "Its domain must be reserved, so that no mail can arrive: example.com, \
                 example.net or example.org, or a name below one of these or below .example, \
                 .invalid, .localhost or .test.",
            );
        }
        if !is_dot_atom(&pieces) {
            return Err(
                "What precedes the \"@\" must be ASCII letters, digits and the characters \
                 !#$%&'*+-/=?^_`|~ with single dots between them.",
            );
        }
        Ok(Self {
            pieces,
            domain: domain.to_ascii_lowercase(),
        })
    }

    /// Adds up the octets before the "@".
    pub(super) fn local_length(&self, length: impl Fn(&Piece) -> usize) -> usize {
        self.pieces.iter().map(length).sum()
    }

    /// Whether it shows a name.
    pub(super) fn has_names(&self) -> bool {
        self.pieces.contains(&Piece::First) || self.pieces.contains(&Piece::Last)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                word => {
                    let found = WORDS.iter().find(|(_, piece)| piece == word);
                    f.write_str(found.map_or("", |(word, _)| word))?;
                }
            }
        }
        write!(f, "@{}", self.domain)
    }
}

fn pieces(mut local: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    while let Some(at) = local.find(['{', '}']) {
        let (text, rest) = local.split_at(at);
        let starts = |(word, _): &&(&str, Piece)| rest.starts_with(word);
        let (word, piece) = WORDS.iter().find(starts)?;
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        pieces.push(piece.clone());
        local = &rest[word.len()..];
    }
    if !local.is_empty() {
        pieces.push(Piece::Text(local.to_owned()));
    }
    Some(pieces)
}

/// Digest and names consist of letters, digits and hyphens, so that any letter stands for them.
fn is_dot_atom(pieces: &[Piece]) -> bool {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        _ => "0".to_owned(),
    };
    let local: String = pieces.iter().map(text).collect();
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
    local.split('.').all(is_atom)
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`|~".contains(&byte)
}

/// Letters, digits and hyphens in two or more labels, the last of which is no number (RFC 1123).
pub(in crate::strategies) fn is_host_name(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    domain.len() <= 253
        && domain.split('.').all(is_label)
        && domain
            .rsplit_once('.')
            .is_some_and(|(_, last)| !last.bytes().all(|b| b.is_ascii_digit()))
}

fn is_reserved(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    RESERVED.iter().any(|reserved| {
        domain
            .strip_suffix(reserved)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

const WORDS: [(&str, Piece); 3] = [
    ("{first}", Piece::First),
    ("{hash}", Piece::Hash),
    ("{last}", Piece::Last),
];
const BRACES: &str =
    "It must contain {hash} once, {first} and {last} at most once, and no other brace.";
const RESERVED: [&str; 7] = [
    "example.com",
    "example.net",
    "example.org",
    "example",
    "invalid",
    "localhost",
    "test",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_is_written_as_it_was_read() {
        for format in [
            "user_{hash}@example.com",
            "{first}.{last}.{hash}@mail.test",
            "{hash}{last}{first}@example.org",
        ] {
            let parsed = Format::parse(format, "").unwrap();
            assert_eq!(parsed.to_string(), format);
            assert_eq!(parsed.has_names(), format.contains("{last}"));
        }
        let parsed = Format::parse("{hash}", "example.com").unwrap();
        assert_eq!(parsed.to_string(), "{hash}@example.com");
        assert_eq!(parsed.local_length(|_| 20), 20);
    }

    #[test]
    fn format_refuses_braces_it_does_not_know() {
        for format in [
            "{first}.{last}",
            "{first}{first}{hash}",
            "{hash}{last}{last}",
            "{hash}{middle}",
            "{hash}{",
            "}{hash}",
            "{hash}{First}",
            "{{first}}{hash}",
            "{hash}@{last}.test",
            "{first}..{hash}",
            ".{first}{hash}",
            "{hash}.{last}.",
        ] {
            assert!(Format::parse(format, "example.com").is_err(), "{format}");
        }
    }
}
