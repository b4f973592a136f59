//! `url`: a URL or domain name that leads nowhere and keeps its shape.
//!
//! The host becomes a keyed label below a domain reserved by RFC 2606 and RFC 6761. Each segment of
//! the path, name and value of the query and the fragment becomes a keyed token; what stands in
//! front of it enters its key, so URLs with equal beginnings have equal beginnings afterwards.
//! User name and password (RFC 3986, 3.2.1) are always left out. A host is taken in lower case.
//! With `keep_unique` the fragment ends with a token of 80 bits drawn from the whole text as it is.

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch, outside,
    unread,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

use super::locator::Locator;
use super::tokens::{ALPHABET, LONGEST, Tokens, UNIQUE, UNIQUE_BITS, push};

/// `url` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("keep_names".to_owned(), Value::Bool(true))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Url, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("https://work.example/users/ada?tab=orders")?;
/// assert!(made.starts_with("https://") && made.contains(".example.com/"));
/// assert!(made.contains("?tab=") && !made.contains("orders"));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "url",
    version: 1,
    about: "URL or domain name at a reserved domain that stands for the given one",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: true,
    example: "anon_url('https://work.example/users/ada?tab=orders')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Url::new(reader)?)),
};

/// The parameters of `url`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Url {
    part: Part,
    path: Path,
    keep_scheme: bool,
    keep_port: bool,
    keep_names: bool,
    unique: bool,
    domain: &'static str,
    token_length: u16,
    max_length: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Url,
    Domain,
}

/// What becomes of everything after the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    Shape,
    Drop,
}

impl Url {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let max_length = reader.int_if_given("max_length", 64..=u16::MAX)?;
        let url = Self {
            part: reader.word("part", &PARTS)?,
            path: reader.word("path", &PATHS)?,
            keep_scheme: reader.bool("keep_scheme", true),
            keep_port: reader.bool("keep_port", false),
            keep_names: reader.bool("keep_names", false),
            unique: reader.bool("keep_unique", false),
            domain: reader.word("domain", &DOMAINS)?,
            token_length: reader.int("token_length", 8, 4..=LONGEST)?,
            max_length,
        };
        if url.unique && url.part == Part::Domain {
            let detail = "A domain name has 80 bits without it, and its spellings are one.";
            return Err(reader.invalid("keep_unique", detail));
        }
        Ok(url)
    }

    fn tokens(&self, keyed: Keyed) -> Tokens {
        Tokens {
            keyed,
            least: usize::from(self.token_length),
            most: self.max_length.map_or(usize::MAX, |most| {
                usize::from(most).saturating_sub(self.behind())
            }),
            keep_names: self.keep_names,
        }
    }

    /// Characters of what keeps URLs apart, with the mark before it.
    fn behind(&self) -> usize {
        if self.unique { 1 + UNIQUE } else { 0 }
    }

    fn host_length(&self) -> usize {
        LABEL + 1 + self.domain.len()
    }
}

impl Parsed for Url {
    fn properties(&self, _: ValueType) -> Properties {
        let token = TOKEN_BITS * u32::from(self.token_length);
        let whole = self.path == Path::Shape && self.max_length.is_none();
        let (collision, survival) = match self.part {
            Part::Domain => (HOST_BITS, HOST_BITS),
            Part::Url if self.unique => (UNIQUE_BITS, UNIQUE_BITS),
            // URLs that differ in what is dropped or cut become one.
            Part::Url if !whole => (0, token.min(HOST_BITS)),
            Part::Url => (token.min(HOST_BITS), token.min(HOST_BITS)),
        };
        Properties {
            keeps_format: true,
            folds_spellings: true,
            collision_bits: Some(collision),
            survival: Survival::Bits(survival),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        if self.part == Part::Domain {
            return Some(self.host_length());
        }
        // The longest scheme, "://", the host and a port, and what keeps URLs apart.
        let head = 16 + self.host_length() + 6 + self.behind();
        let limit = match (self.path, input_max_chars) {
            (Path::Drop, _) => Some(head),
            // At worst every second character is a segment.
            (Path::Shape, Some(most)) => {
                Some(head + (usize::from(self.token_length) + 1) * (most + 1))
            }
            (Path::Shape, None) => None,
        };
        let cut = self.max_length.map(usize::from);
        limit.into_iter().chain(cut).min()
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask::new(self.clone(), keys.masking, seed)))
    }
}

/// `url` with its key.
struct Mask {
    url: Url,
    tokens: Tokens,
    /// Of the token that keeps URLs apart.
    unique: Option<Keyed>,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        let Datum::Text(text) = value else {
            return Err(mismatch(DEFINITION.name, ValueType::Text));
        };
        let text = text.trim();
        // Each part of a path is hashed with what stands before it.
        if text.len() > MOST_BYTES {
            let detail = format!(
                "It has {} bytes; at most {MOST_BYTES} are read.",
                text.len()
            );
            return Err(outside(DEFINITION.name, "too long", detail));
        }
        Ok(Some(Datum::text(match self.url.part {
            Part::Domain => self.domain(text)?,
            Part::Url => self.whole(text)?,
        })))
    }
}

impl Mask {
    fn new(url: Url, key: &[u8; 32], seed: Seed) -> Self {
        let field = |label| Keyed::labeled(label, DEFINITION.version, key, seed);
        Self {
            tokens: url.tokens(Keyed::new(Kind::Url, key, seed)),
            unique: url.unique.then(|| field("url/unique")),
            url,
        }
    }

    fn domain(&self, text: &str) -> Result<String> {
        let Some(host) = Locator::domain(text) else {
            let detail = "It must be letters, digits, hyphens and underscores, with single dots \
                          between them.";
            return unread(DEFINITION.name, text, "no domain name", detail);
        };
        let mut out = String::with_capacity(self.url.host_length());
        self.put_host(&host, &mut out);
        Ok(out)
    }

    fn whole(&self, text: &str) -> Result<String> {
        let Some(read) = Locator::read(text) else {
            let detail = "It must have a host, after a scheme and \"://\" or with a dot in it, or \
                          begin with a slash.";
            return unread(DEFINITION.name, text, "no URL", detail);
        };
        if self.url.path == Path::Drop && read.host.is_empty() {
            let detail = "Without its path nothing would be left.";
            return Err(outside(DEFINITION.name, "a URL without a host", detail));
        }
        let mut out = String::with_capacity(read.rest.len() + 64);
        if let Some(scheme) = &read.scheme {
            let known = SCHEMES.iter().find(|known| **known == *scheme);
            let kept = known.filter(|_| self.url.keep_scheme);
            out.push_str(kept.unwrap_or(&"https"));
            out.push(':');
        }
        out.push_str(if read.has_authority { "//" } else { "" });
        if !read.host.is_empty() {
            self.put_host(&read.host, &mut out);
            if self.url.keep_port
                && let Some(port) = read.port
            {
                out.push(':');
                out.push_str(&port.to_string());
            }
        }
        if self.url.path == Path::Shape {
            self.tokens.put_rest(&read, &mut out);
        }
        if let Some(keyed) = &self.unique {
            put_unique(keyed, text, &mut out);
        }
        Ok(out)
    }

    fn put_host(&self, host: &str, out: &mut String) {
        self.tokens.put(host, LABEL, out);
        out.push('.');
        out.push_str(self.url.domain);
    }
}

/// Ends the fragment (RFC 3986, 3.5), which every URL may have, with a token of the whole text.
fn put_unique(keyed: &Keyed, text: &str, out: &mut String) {
    // What is kept of a URL has no such mark: the first begins the fragment.
    out.push_str(match out.find('#') {
        None => "#",
        Some(at) if at + 1 == out.len() => "",
        Some(_) => "-",
    });
    push(keyed, ALPHABET, text, UNIQUE, out);
}

/// The longest URL, in bytes: what RFC 9110 (§4.1) asks everybody to read.
const MOST_BYTES: usize = 8000;

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "part",
        ParamKind::Text,
        "url",
        "What the values are: url, or domain for domain names alone.",
    ),
    ParamSpec::new(
        "path",
        ParamKind::Text,
        "shape",
        "shape replaces segments, query and fragment by tokens, drop leaves them out.",
    ),
    ParamSpec::new(
        "keep_scheme",
        ParamKind::Bool,
        "true",
        "Keeps the scheme if it is a common one; otherwise it becomes https.",
    ),
    ParamSpec::new("keep_port", ParamKind::Bool, "false", "Keeps the port."),
    ParamSpec::new(
        "keep_names",
        ParamKind::Bool,
        "false",
        "Keeps the names in the query, such as tab in tab=orders.",
    ),
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "false",
        "Ends the fragment with a token of 80 bits, so that two texts practically never meet.",
    ),
    ParamSpec::new(
        "domain",
        ParamKind::Text,
        "example.com",
        "The reserved domain: example.com, example.net, example.org, example, invalid or test.",
    ),
    ParamSpec::new(
        "token_length",
        ParamKind::Int,
        "8",
        "The least length of a token, 4 to 24 characters of 5 bits.",
    ),
    ParamSpec::optional(
        "max_length",
        ParamKind::Int,
        "The most characters of the output, 64 to 65535; what does not fit is left out.",
    ),
];

const PARTS: [(&str, Part); 2] = [("url", Part::Url), ("domain", Part::Domain)];
const PATHS: [(&str, Path); 2] = [("shape", Path::Shape), ("drop", Path::Drop)];
const DOMAINS: [(&str, &str); 6] = [
    ("example.com", "example.com"),
    ("example.net", "example.net"),
    ("example.org", "example.org"),
    ("example", "example"),
    ("invalid", "invalid"),
    ("test", "test"),
];

/// Schemes that say nothing about anybody.
const SCHEMES: [&str; 28] = [
    "amqp",
    "amqps",
    "file",
    "ftp",
    "ftps",
    "git",
    "gs",
    "http",
    "https",
    "imap",
    "imaps",
    "ldap",
    "ldaps",
    "mongodb",
    "mysql",
    "nats",
    "postgres",
    "postgresql",
    "redis",
    "rediss",
    "rtsp",
    "s3",
    "sftp",
    "smb",
    "smtp",
    "ssh",
    "ws",
    "wss",
];

const TOKEN_BITS: u32 = 5;
/// Characters of the label that stands for a host.
const LABEL: usize = 16;
const HOST_BITS: u32 = 80;

#[cfg(test)]
mod tests;
