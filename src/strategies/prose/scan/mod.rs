//! The scanner of free text: where addresses, numbers and names stand in it.
//!
//! One pass from left to right, in time linear in the text: everything that looks ahead or back
//! does so for a bounded length. At every word and number each kind of finding is tried; the
//! longest wins, among equally long ones the first in the order of [`Found::ALL`]; what is found is
//! not looked into again. A scanner misses things: it knows forms, not meanings.

mod address;
mod digits;
mod mail;
pub(super) mod names;
mod payment;
mod person;
mod phone;
mod place;

#[cfg(test)]
mod corpus;

use std::ops::Range;

use names::Names;
use place::Text;

use crate::strategies::pause::Pace;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Found {
    Url,
    Email,
    Iban,
    Card,
    NationalId,
    Ip,
    Phone,
    Name,
}

impl Found {
    /// All of them, in the order in which they win.
    pub(super) const ALL: [Self; 8] = [
        Self::Url,
        Self::Email,
        Self::Iban,
        Self::Card,
        Self::NationalId,
        Self::Ip,
        Self::Phone,
        Self::Name,
    ];

    /// The name, as written in the parameter `find`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Email => "email",
            Self::Iban => "iban",
            Self::Card => "card",
            Self::NationalId => "national_id",
            Self::Ip => "ip",
            Self::Phone => "phone",
            Self::Name => "name",
        }
    }

    /// What may stand in its place.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Url => "[URL]",
            Self::Email => "[EMAIL]",
            Self::Iban => "[IBAN]",
            Self::Card => "[CARD]",
            Self::NationalId => "[ID]",
            Self::Ip => "[IP]",
            Self::Phone => "[PHONE]",
            Self::Name => "[NAME]",
        }
    }
}

/// A set of what is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const EVERY: Self = Self(0xff);

    pub(super) fn with(self, found: Found) -> Self {
        Self(self.0 | 1 << found as u16)
    }

    pub(super) fn has(self, found: Found) -> bool {
        self.0 >> found as u16 & 1 == 1
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) what: Found,
    pub(super) span: Range<usize>,
    /// For a name, which word of which.
    pub(super) word: Option<usize>,
}

/// The findings of a text, in order.
pub(super) struct Scanner<'a> {
    text: Text<'a>,
    at: usize,
    kinds: Kinds,
    names: &'a Names,
    /// Addresses that the grammar does not know, as they are written.
    emails: Vec<&'a str>,
    /// Where the next "@" stands, or the end.
    next_at: usize,
    folded: String,
    pace: Pace,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, kinds: Kinds, names: &'a Names, emails: &[&'a str]) -> Self {
        let is_odd = |email: &&&str| {
            let end = mail::end(Text::new(email), 0, email.find('@').unwrap_or(0));
            email.contains('@') && email.len() <= LONGEST_EMAIL && end != Some(email.len())
        };
        let emails = if kinds.has(Found::Email) {
            let emails = emails.iter().filter(is_odd).copied();
            emails.take(MOST_EMAILS).collect()
        } else {
            Vec::new()
        };
        Self {
            text: Text::new(text),
            at: 0,
            kinds,
            names,
            emails,
            next_at: 0,
            folded: String::new(),
            pace: Pace::new(),
        }
    }

    /// Looks for the longest finding that begins here, at the start of a word or a number.
    fn here(&mut self, byte: u8) -> Option<Finding> {
        let (text, at) = (self.text, self.at);
        let mut best: Option<(Found, usize)> = None;
        let mut consider = |what: Found, end: Option<usize>| {
            if let Some(end) = end
                && best.is_none_or(|(_, longest)| end > longest)
            {
                best = Some((what, end));
            }
        };
        if self.kinds.has(Found::Url) && matches!(byte | 0x20, b'h' | b'f' | b'w') {
            consider(Found::Url, address::url(text, at));
        }
        if self.kinds.has(Found::Email) && place::is_word_byte(byte) {
            if self.next_at < at {
                self.next_at = at;
            }
            let rest = &text.bytes[self.next_at..];
            if rest.first() != Some(&b'@') {
                let ahead = rest.iter().position(|&byte| byte == b'@');
                self.next_at += ahead.unwrap_or(rest.len());
            }
            if self.next_at - at <= mail::LONGEST_LOCAL {
                consider(Found::Email, mail::end(text, at, self.next_at));
            }
        }
        if byte.is_ascii_alphabetic() {
            if self.kinds.has(Found::Iban) {
                consider(Found::Iban, payment::iban(text, at));
            }
            if self.kinds.has(Found::NationalId) {
                consider(Found::NationalId, person::nie(text, at));
            }
        }
        if self.kinds.has(Found::Ip) && byte.is_ascii_hexdigit() {
            consider(Found::Ip, address::ipv6(text, at));
        }
        if matches!(byte, b'0'..=b'9' | b'+' | b'(') {
            digits::consider(text, at, self.kinds, &mut consider);
        }
        let mut finding = best.map(|(what, end)| Finding {
            what,
            span: at..end,
            word: None,
        });
        if finding.is_none() && self.kinds.has(Found::Name) {
            finding = self.name();
        }
        finding
    }

    /// Looks for a name in the word that begins here.
    fn name(&mut self) -> Option<Finding> {
        if self.names.is_empty() {
            return None;
        }
        let end = self.text.word_end(self.at);
        let word = &self.text.text[self.at..end];
        let (span, word) = self.names.find(word, &mut self.folded)?;
        Some(Finding {
            what: Found::Name,
            span: self.at + span.start..self.at + span.end,
            word: Some(word),
        })
    }

    /// Looks for an address of the row that begins here.
    fn odd_email(&self) -> Option<Finding> {
        let rest = &self.text.text[self.at..];
        let here = |email: &&&str| {
            let start = rest.get(..email.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(email))
        };
        let email = self.emails.iter().find(here)?;
        Some(Finding {
            what: Found::Email,
            span: self.at..self.at + email.len(),
            word: None,
        })
    }
}

impl Iterator for Scanner<'_> {
    type Item = Finding;

    fn next(&mut self) -> Option<Finding> {
        while let Some(&byte) = self.text.bytes.get(self.at) {
            self.pace.step();
            let mut finding = None;
            if !self.emails.is_empty() {
                finding = self.odd_email();
            }
            if finding.is_none() {
                let length = match byte {
                    _ if place::is_word_byte(byte) => 0,
                    b'+' | b'(' => 0,
                    0..0x80 => 1,
                    _ => match self.text.char_at(self.at) {
                        Some(c) if !place::is_word(c) => c.len_utf8(),
                        _ => 0,
                    },
                };
                if length > 0 {
                    self.at += length;
                    continue;
                }
                finding = self.here(byte);
            }
            if let Some(finding) = finding {
                self.at = finding.span.end;
                return Some(finding);
            }
            self.at = self.text.word_end(self.at).max(self.at + 1);
        }
        None
    }
}

/// How many odd addresses of a row are looked for.
const MOST_EMAILS: usize = 16;
/// The longest of them, in bytes (RFC 5321).
const LONGEST_EMAIL: usize = 320;
