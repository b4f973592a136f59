//! The parts of a URL (RFC 3986), read leniently: as it stands in logs and profiles of people.

use std::borrow::Cow;

/// A URL, or what stands in the place of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Locator<'a> {
    /// In lower case; none if nothing stands before the host.
    pub(super) scheme: Option<Cow<'a, str>>,
    /// Whether two slashes stand before the host.
    pub(super) has_authority: bool,
    /// In lower case, without a last dot; empty if there is none.
    pub(super) host: Cow<'a, str>,
    /// The port, if it is written.
    pub(super) port: Option<u16>,
    /// What follows: path, query and fragment.
    pub(super) rest: &'a str,
}

impl<'a> Locator<'a> {
    /// Reads a URL; one without a scheme needs a host with a dot, or to begin with a slash.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (scheme, after) = match text.split_once("://") {
            Some((scheme, after)) if is_scheme(scheme) => (Some(lower(scheme)), Some(after)),
            _ => (None, text.strip_prefix("//")),
        };
        let has_authority = after.is_some();
        let after = after.unwrap_or(text);
        let end = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        if rest.starts_with('\\') {
            return None;
        }
        let is_path = !has_authority && authority.is_empty() && rest.starts_with('/');
        let bare = !has_authority && !is_path;
        let (_, place) = match authority.rsplit_once('@') {
            Some(_) if bare => return None,
            Some(split) => split,
            None => ("", authority),
        };
        let (host, port) = host_and_port(place)?;
        if bare && !(is_domain(&host) && host.contains('.')) {
            return None;
        }
        Some(Self {
            scheme,
            has_authority,
            host,
            port,
            rest,
        })
    }

    /// Reads a domain name alone.
    pub(super) fn domain(text: &str) -> Option<Cow<'_, str>> {
        let host = lower(text);
        is_domain(&host).then_some(host)
    }

    /// The path, the query and the fragment.
    pub(super) fn components(&self) -> (&'a str, Option<&'a str>, Option<&'a str>) {
        let (rest, fragment) = match self.rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (self.rest, None),
        };
        match rest.split_once('?') {
            Some((path, query)) => (path, Some(query), fragment),
            None => (rest, None, fragment),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn host_and_port(text: &str) -> Option<(Cow<'_, str>, Option<u16>)> {
    // The colons of an address of IPv6 stand in brackets.
    let bracket = text.rfind(']').map_or(0, |at| at + 1);
    let colon = text.get(bracket..)?.find(':').map(|at| at + bracket);
    let (host, port) = match colon {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, ""),
    };
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let port = match port {
        "" => None,
        digits => Some(digits.parse().ok()?),
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    (!host.contains(odd)).then(|| (lower(host), port))
}

/// Lower case, without a last dot.
fn lower(host: &str) -> Cow<'_, str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    crate::strategies::canonical::text(host)
}

fn is_domain(host: &str) -> bool {
    host.split('.').all(|label| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_') || is_mark(c))
    })
}

/// Marks of scripts in which a letter may be written with them.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, String, Option<u16>, &str) {
        let read = Locator::read(text).unwrap();
        let scheme = read.scheme.map(Cow::into_owned);
        (scheme, read.host.into_owned(), read.port, read.rest)
    }

    #[test]
    fn locators_are_taken_apart() {
        let https = Some("https".to_owned());
        assert_eq!(
            read("HTTPS://u:p@A.b:80/c?d#e"),
            (https.clone(), "a.b".to_owned(), Some(80), "/c?d#e")
        );
        assert_eq!(
            read("https://[2001:DB8::1]:443"),
            (https.clone(), "[2001:db8::1]".to_owned(), Some(443), "")
        );
        assert_eq!(read("https://a:?b"), (https, "a".to_owned(), None, "?b"));
        assert_eq!(read("//a/b@c"), (None, "a".to_owned(), None, "/b@c"));
        assert_eq!(read("/a://b"), (None, String::new(), None, "/a://b"));
        assert_eq!(read("a.b:8/"), (None, "a.b".to_owned(), Some(8), "/"));
        assert_eq!(read("MÜLLER.de"), (None, "müller.de".to_owned(), None, ""));
    }

    #[test]
    fn locators_have_three_components() {
        let of = |text| Locator::read(text).unwrap().components();
        assert_eq!(of("/a?b?c#d?e#f"), ("/a", Some("b?c"), Some("d?e#f")));
        assert_eq!(of("/a#b?c"), ("/a", None, Some("b?c")));
        assert_eq!(of("//a?"), ("", Some(""), None));
    }

    #[test]
    fn what_is_no_locator_is_not_read() {
        for text in [
            "",
            "a",
            "a b.c",
            "a@b.c/d",
            "?a",
            "#a",
            "a.b:x",
            "a..b",
            "http:\\\\a.b",
        ] {
            assert_eq!(Locator::read(text), None, "{text}");
        }
    }
}
