//! Keyed tokens: in place of what follows the host of a URL, and behind what must be unique.

use crate::strategies::keyed::Keyed;

use super::locator::Locator;

/// The key, and how tokens are written.
pub(super) struct Tokens {
    pub(super) keyed: Keyed,
    /// The least length of a token.
    pub(super) least: usize,
    /// The most characters of a URL.
    pub(super) most: usize,
    /// Whether the names in the query stay.
    pub(super) keep_names: bool,
}

impl Tokens {
    /// Appends tokens for what follows the host. One of the path is drawn from the host and the path
    /// up to itself; those of query and fragment from the host, the whole path and themselves.
    pub(super) fn put_rest(&self, read: &Locator<'_>, out: &mut String) {
        let mut from = String::with_capacity(read.host.len() + read.rest.len());
        from.push_str(&read.host);
        let mut drawn = !read.host.is_empty();
        // What does not fit ends it.
        let _ = self.put_components(read, &mut from, &mut drawn, out);
        // A lone slash would come out as it went in.
        if !drawn {
            while out.len() + self.least > self.most && out.pop().is_some() {}
            self.put(&from, self.least, out);
        }
    }

    fn put_components(
        &self,
        read: &Locator<'_>,
        from: &mut String,
        drawn: &mut bool,
        out: &mut String,
    ) -> Option<()> {
        let (path, query, fragment) = read.components();
        for segment in path.split_inclusive('/') {
            let name = segment.strip_suffix('/').unwrap_or(segment);
            from.push_str(name);
            *drawn |= self.put_part(from, name, out)?;
            if name.len() < segment.len() {
                self.put_mark("/", out)?;
                from.push('/');
            }
        }
        let path = from.len();
        for (n, pair) in query.into_iter().flat_map(|q| q.split('&')).enumerate() {
            self.put_mark(if n == 0 { "?" } else { "&" }, out)?;
            from.truncate(path);
            from.push('?');
            let (name, value) = match pair.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (pair, None),
            };
            from.push_str(name);
            if self.keep_names && value.is_some() {
                self.put_mark(name, out)?;
            } else {
                *drawn |= self.put_part(from, name, out)?;
            }
            if let Some(value) = value {
                self.put_mark("=", out)?;
                from.push('=');
                from.push_str(value);
                *drawn |= self.put_part(from, value, out)?;
            }
        }
        if let Some(fragment) = fragment {
            self.put_mark("#", out)?;
            from.truncate(path);
            from.push('#');
            from.push_str(fragment);
            *drawn |= self.put_part(from, fragment, out)?;
        }
        Some(())
    }

    /// Appends the token of a part; nothing for an empty one, which is said.
    fn put_part(&self, from: &str, part: &str, out: &mut String) -> Option<bool> {
        let length = match part.chars().take(usize::from(LONGEST)).count() {
            0 => return Some(false),
            chars => chars.max(self.least),
        };
        if out.len() + length > self.most {
            return None;
        }
        self.put(from, length, out);
        Some(true)
    }

    fn put_mark(&self, mark: &str, out: &mut String) -> Option<()> {
        if out.len() + mark.len() > self.most {
            return None;
        }
        out.push_str(mark);
        Some(())
    }

    /// Appends a token.
    pub(super) fn put(&self, from: &str, length: usize, out: &mut String) {
        push(&self.keyed, ALPHABET, from, length, out);
    }
}

/// Appends characters drawn from a text, of five bits each.
pub(super) fn push(
    keyed: &Keyed,
    alphabet: &[u8; 32],
    from: &str,
    length: usize,
    out: &mut String,
) {
    let mut stream = keyed.stream(from.as_bytes());
    out.extend((0..length).map(|_| char::from(alphabet[usize::from(stream.below(32)) % 32])));
}

/// Base32 of RFC 4648, in small letters.
pub(super) const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// The characters of a token that nobody shares.
pub(super) const UNIQUE: usize = 16;
/// Two of those are equal with a chance of 2^-80.
pub(super) const UNIQUE_BITS: u32 = 80;
/// The most characters of a token.
pub(super) const LONGEST: u16 = 24;
