//! What begins with a digit, a plus sign or a parenthesis: numbers of cards, persons, machines and
//! telephones, and the dates that are none of them.

use super::place::{Text, is_space};
use super::{Found, Kinds, address, payment, person, phone};

/// Tries everything that may begin here.
pub(super) fn consider(
    text: Text<'_>,
    at: usize,
    kinds: Kinds,
    consider: &mut impl FnMut(Found, Option<usize>),
) {
    let is_digit = text.byte(at).is_ascii_digit();
    if is_digit && date(text, at).is_some() {
        return;
    }
    if is_digit && kinds.has(Found::Card) {
        consider(Found::Card, payment::card(text, at));
    }
    if is_digit && kinds.has(Found::NationalId) {
        consider(Found::NationalId, person::nir(text, at));
        consider(Found::NationalId, person::dni(text, at));
        consider(Found::NationalId, person::ssn(text, at));
    }
    if is_digit && kinds.has(Found::Ip) {
        consider(Found::Ip, address::ipv4(text, at));
    }
    if kinds.has(Found::Phone) {
        consider(Found::Phone, phone::end(text, at));
    }
}

/// The end of the date that begins at a place: year first, or day and month first.
pub(super) fn date(text: Text<'_>, start: usize) -> Option<usize> {
    let mut parts = [(0, 0); 3];
    let mut at = start;
    let mut separator = 0;
    for (place, part) in parts.iter_mut().enumerate() {
        if place > 0 {
            let byte = text.byte(at);
            if !matches!(byte, b'-' | b'/' | b'.') || place == 2 && byte != separator {
                return None;
            }
            separator = byte;
            at += 1;
        }
        let end = text.digits_end(at);
        if end - at > 4 {
            return None;
        }
        *part = (end - at, text.text.get(at..end)?.parse::<u16>().ok()?);
        at = end;
    }
    let goes_on = text.byte(at).is_ascii_digit()
        || text.byte(at) == separator && text.byte(at + 1).is_ascii_digit();
    let is_day = |(length, number): (usize, u16)| length <= 2 && (1..=31).contains(&number);
    let [first, second, third] = parts;
    let has_month = |a: (usize, u16), b: (usize, u16)| a.1 <= 12 || b.1 <= 12;
    let year_first = first.0 == 4 && is_day(second) && is_day(third) && has_month(second, third);
    let year_last =
        matches!(third.0, 2 | 4) && is_day(first) && is_day(second) && has_month(first, second);
    (!goes_on && (year_first || year_last)).then_some(at)
}

/// The digits of a number with what stands between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Groups {
    digits: [u8; MOST_DIGITS],
    ends: [Group; MOST_GROUPS],
    count: usize,
}

/// One group of digits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    /// What stands before it: `-`, `.`, `/`, `(`, `)`, a space, or 0 for the first.
    pub(super) separator: u8,
    /// How many digits it has, and how many it and those before it have.
    pub(super) length: usize,
    pub(super) total: usize,
    /// Where it ends in the text.
    pub(super) end: usize,
}

impl Groups {
    /// Reads groups from a digit on. A group on which a letter hangs is not one.
    pub(super) fn read(text: Text<'_>, start: usize) -> Self {
        let mut groups = Self {
            digits: [0; MOST_DIGITS],
            ends: [Group::default(); MOST_GROUPS],
            count: 0,
        };
        let (mut at, mut separator, mut total) = (start, 0, 0);
        while groups.count < MOST_GROUPS {
            let end = text.digits_end(at);
            let length = end - at;
            if length == 0 || total + length > MOST_DIGITS || !ends(text, end) {
                break;
            }
            groups.digits[total..total + length].copy_from_slice(&text.bytes[at..end]);
            total += length;
            groups.ends[groups.count] = Group {
                separator,
                length,
                total,
                end,
            };
            groups.count += 1;
            let Some(next) = between(text, end) else {
                break;
            };
            (separator, at) = next;
        }
        groups
    }

    pub(super) fn all(&self) -> &[Group] {
        &self.ends[..self.count]
    }

    pub(super) fn digits(&self) -> &[u8] {
        let total = self.all().last().map_or(0, |group| group.total);
        &self.digits[..total]
    }

    /// Whether the groups begin with groups of these lengths.
    pub(super) fn begin_with(&self, lengths: &[usize]) -> bool {
        let own = self.all().iter().map(|group| group.length);
        self.count >= lengths.len() && own.zip(lengths).all(|(own, length)| own == *length)
    }
}

/// Whether no letter hangs on a group; an extension may.
fn ends(text: Text<'_>, at: usize) -> bool {
    text.ends(at) || matches!(text.byte(at), b'x' | b'X') && text.byte(at + 1).is_ascii_digit()
}

/// What stands between two groups, and where the next one begins: one sign, with a space around a
/// hyphen or a slash and after a parenthesis.
fn between(text: Text<'_>, at: usize) -> Option<(u8, usize)> {
    let (mut separator, mut next) = (0, at);
    for _ in 0..3 {
        let c = text.char_at(next)?;
        let sign = match c {
            _ if is_space(c) => b' ',
            '-' | '\u{2010}'..='\u{2013}' => b'-',
            '.' | '/' | '(' | ')' => u8::try_from(c).ok()?,
            _ if c.is_ascii_digit() => break,
            _ => return None,
        };
        let fits = matches!(
            (separator, sign),
            (0, _) | (b'-' | b'/' | b')', b' ') | (b' ', b'(' | b'-' | b'/') | (b')', b'-' | b'/')
        );
        if !fits {
            return None;
        }
        if separator == 0 || sign != b' ' {
            separator = sign;
        }
        next += c.len_utf8();
    }
    text.byte(next)
        .is_ascii_digit()
        .then_some((separator, next))
}

const MOST_DIGITS: usize = 24;
const MOST_GROUPS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_know_dates() {
        for text in [
            "2024-01-15",
            "2024/1/5",
            "15.01.2024",
            "5/11/24",
            "12-31-1999",
            "2024-01-15T10:00",
            "31.12.99.",
        ] {
            assert!(date(Text::new(text), 0).is_some(), "{text}");
        }
        for text in [
            "06.12.34.56.78",
            "2024-13-32",
            "1.2",
            "1.2.3",
            "123-45-6789",
            "20240115",
            "15-01.2024",
            "1.2.20244",
            "32.32.2024",
        ] {
            assert_eq!(date(Text::new(text), 0), None, "{text}");
        }
    }

    #[test]
    fn digits_are_read_in_groups() {
        let lengths = |text: &str| {
            let groups = Groups::read(Text::new(text), 0);
            groups
                .all()
                .iter()
                .map(|g| (g.separator, g.length))
                .collect::<Vec<_>>()
        };
        assert_eq!(lengths("06 12-34"), [(0, 2), (b' ', 2), (b'-', 2)]);
        assert_eq!(lengths("44 (0)20"), [(0, 2), (b'(', 1), (b')', 2)]);
        assert_eq!(lengths("030 / 12 - 3"), [(0, 3), (b'/', 2), (b'-', 1)]);
        assert_eq!(lengths("030) 12"), [(0, 3), (b')', 2)]);
        assert_eq!(lengths("1 2a"), [(0, 1)]);
        assert_eq!(lengths("1  2"), [(0, 1)]);
        assert_eq!(lengths("555x12"), [(0, 3)]);
        assert_eq!(lengths("1a"), []);
        assert_eq!(lengths("1\u{a0}2\u{202f}3\u{2013}4").len(), 4);
        assert!(lengths(&"1 ".repeat(100)).len() <= MOST_GROUPS);
        assert!(lengths(&"1".repeat(100)).is_empty());
    }
}
