//! Addresses of machines: URLs with a scheme or `www.`, IPv4 and IPv6 (RFC 3986, 4291).

use std::net::Ipv6Addr;

use super::place::Text;

/// The end of the URL that begins at a place: up to white space, a quote or a bracket, without the
/// punctuation of the sentence around it.
pub(super) fn url(text: Text<'_>, start: usize) -> Option<usize> {
    let rest = text.bytes.get(start..)?;
    let begins = |word: &&&str| {
        let head = rest.get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    };
    let scheme = SCHEMES.iter().find(begins)?;
    let host = start + scheme.len();
    // Looked at first: nothing long is read twice.
    if !text
        .char_at(host)
        .is_some_and(|c| c.is_alphanumeric() || c == '[')
    {
        return None;
    }
    let is_part = |c: char| {
        !c.is_whitespace()
            && !c.is_control()
            && !matches!(
                c,
                '<' | '>'
                    | '"'
                    | '{'
                    | '}'
                    | '|'
                    | '\\'
                    | '^'
                    | '`'
                    | '«'
                    | '»'
                    | '“'
                    | '”'
                    | '„'
                    | '\u{3000}'..='\u{3002}'
            )
    };
    let mut end = host;
    while let Some(c) = text.char_at(end).filter(|c| is_part(*c)) {
        end += c.len_utf8();
    }
    // A closing bracket belongs to the URL only if one is opened in it.
    let mut opened = 0;
    for byte in &text.bytes[host..end] {
        match byte {
            b'(' | b'[' => opened += 1,
            b')' | b']' => opened -= 1,
            _ => {}
        }
    }
    while let Some(c) = text.char_before(end) {
        let drops = match c {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '…' | '’' | '‘' => true,
            ')' | ']' => opened < 0,
            _ => false,
        };
        if end <= host || !drops {
            break;
        }
        if matches!(c, ')' | ']') {
            opened += 1;
        }
        end -= c.len_utf8();
    }
    let inside = text.text.get(host..end)?;
    let lacks_dot = scheme.starts_with("www") && !inside.contains('.');
    (!lacks_dot).then_some(end)
}

/// The end of the IPv4 address that begins at a place.
pub(super) fn ipv4(text: Text<'_>, start: usize) -> Option<usize> {
    let mut at = start;
    for part in 0..4 {
        if part > 0 {
            if text.byte(at) != b'.' {
                return None;
            }
            at += 1;
        }
        let end = text.digits_end(at);
        let digits = text.text.get(at..end)?;
        let fits = digits.len() == 1 || digits.len() <= 3 && !digits.starts_with('0');
        if !fits || digits.parse::<u8>().is_err() {
            return None;
        }
        at = end;
    }
    if text.is_joined(start) || text.goes_on(at) && text.byte(at) != b'/' {
        return None;
    }
    // Four numbers with points may be a version.
    let (before, _) = text.word_before(start);
    (!VERSIONS.contains(&before.as_str())).then_some(at)
}

/// The end of the IPv6 address that begins at a place: three groups at least, with a digit in it.
pub(super) fn ipv6(text: Text<'_>, start: usize) -> Option<usize> {
    let first = text.bytes[start..]
        .iter()
        .take(5)
        .position(|&byte| byte == b':')?;
    if first == 0 || text.is_joined(start) || text.char_before(start) == Some(':') {
        return None;
    }
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let longest = text.bytes[start..]
        .iter()
        .take(LONGEST_IPV6)
        .take_while(|byte| is_part(byte));
    let mut end = start + longest.count();
    while end > start
        && matches!(text.byte(end - 1), b'.' | b':')
        && !text.text[..end].ends_with("::")
    {
        end -= 1;
    }
    let address = text.text.get(start..end)?;
    let groups = address.split(':').filter(|group| !group.is_empty()).count();
    let has_digit = address.bytes().any(|byte| byte.is_ascii_digit());
    if groups < 3 && !(groups == 2 && address.contains("::")) || !has_digit || !text.ends(end) {
        return None;
    }
    address.parse::<Ipv6Addr>().is_ok().then_some(end)
}

const SCHEMES: [&str; 5] = ["https://", "http://", "ftps://", "ftp://", "www."];
const VERSIONS: [&str; 10] = [
    "v", "version", "ver", "release", "build", "firmware", "versión", "versão", "versie", "driver",
];
const LONGEST_IPV6: usize = 46;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_urls_end_with_the_sentence() {
        for (text, found) in [
            (
                "https://work.example/a?b=c#d.",
                "https://work.example/a?b=c#d",
            ),
            (
                "http://u:p@work.example:80/), x",
                "http://u:p@work.example:80/",
            ),
            ("https://work.example/a_(b))", "https://work.example/a_(b)"),
            ("HTTPS://Work.example!", "HTTPS://Work.example"),
            ("www.work.example, or", "www.work.example"),
            ("ftp://[2001:db8::1]/x>", "ftp://[2001:db8::1]/x"),
            ("https://bücher.example/ä»", "https://bücher.example/ä"),
        ] {
            assert_eq!(url(Text::new(text), 0).map(|end| &text[..end]), Some(found));
        }
        for text in [
            "https://",
            "https:// x",
            "www.",
            "www.x",
            "http:/x",
            "wwwx.y",
            "https://.",
        ] {
            assert_eq!(url(Text::new(text), 0), None, "{text}");
        }
    }

    #[test]
    fn address_ipv4_is_no_version_and_no_longer_number() {
        let found =
            |text: &str, start| ipv4(Text::new(text), start).map(|end| text[start..end].to_owned());
        assert_eq!(found("192.0.2.1", 0).as_deref(), Some("192.0.2.1"));
        assert_eq!(found("192.0.2.1/24", 0).as_deref(), Some("192.0.2.1"));
        assert_eq!(found("192.0.2.1:80.", 0).as_deref(), Some("192.0.2.1"));
        assert_eq!(found("192.0.2.1. Then", 0).as_deref(), Some("192.0.2.1"));
        for text in [
            "192.0.2",
            "192.0.2.256",
            "192.0.02.1",
            "1.2.3.4.5",
            "1.2.3.4-5",
            "1.2.3.4a",
        ] {
            assert_eq!(found(text, 0), None, "{text}");
        }
        assert_eq!(found("version 1.2.3.4", 8), None);
        assert_eq!(found("v.1.2.3.4", 2), None);
    }

    #[test]
    fn address_ipv6_needs_groups_and_digits() {
        let found = |text: &str| ipv6(Text::new(text), 0).map(|end| text[..end].to_owned());
        for text in [
            "2001:db8::1",
            "fe80::1",
            "1:2:3:4:5:6:7:8",
            "64:ff9b::192.0.2.33",
        ] {
            assert_eq!(found(text).as_deref(), Some(text));
        }
        assert_eq!(found("2001:db8::1.").as_deref(), Some("2001:db8::1"));
        for text in [
            "12:30:45",
            "12:30",
            "dead::beef",
            "a::b",
            "00:1a:2b:3c:4d:5e",
            "2001:db8::g",
            "1:2:3",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
