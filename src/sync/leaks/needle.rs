//! Finds identifiers in texts: as words, whatever their case; numbers by their digits.

use std::net::Ipv4Addr;

use super::escapes::Escapes;
use super::parts;

/// Fewer letters and digits identify nobody.
pub const FEWEST_CHARACTERS: usize = 4;
/// Shorter numbers stand in texts by chance.
const FEWEST_DIGITS: usize = 7;
/// The end of a telephone number that is the same with and without its country.
const NATIONAL_DIGITS: usize = 9;
/// Digits that may stand before a number without a gap: the code of a country, a zero.
const MOST_PREFIX: usize = 4;

/// What is looked for.
#[derive(Debug, PartialEq)]
pub enum Needle {
    /// Digits, however they are written.
    Digits(Vec<u8>),
    /// A text, folded.
    Text(String),
}

impl Needle {
    /// What to look for of an identifier; `None` where it says too little, or is what was written
    /// in its place.
    pub fn of(original: &str, written: Option<&str>) -> Option<Self> {
        if written == Some(original) {
            return None;
        }
        let is_written_number = |c: char| c.is_ascii_digit() || is_separator(c);
        if original.chars().all(is_written_number) && original.parse::<Ipv4Addr>().is_err() {
            let digits = digits(original);
            return (digits.len() >= FEWEST_DIGITS).then_some(Self::Digits(digits));
        }
        let counted = original.chars().filter(|c| c.is_alphanumeric());
        if counted.take(FEWEST_CHARACTERS).count() < FEWEST_CHARACTERS {
            return None;
        }
        let mut folded = String::new();
        fold(original.trim(), &mut folded);
        Some(Self::Text(folded))
    }
}

/// An identifier that is a text, with the parts of it that lead to a person: made ready once for a row.
pub struct Sought<'a> {
    original: &'a str,
    written: Option<&'a str>,
    /// What stands before the `@`, where it is an address.
    local: Option<&'a str>,
    /// The words, where it is a name.
    words: Vec<&'a str>,
}

impl<'a> Sought<'a> {
    /// Of a value of the source, what was written in its place, and whether it is the name of a person.
    pub fn of(original: &'a str, written: Option<&'a str>, is_name: bool) -> Self {
        Self {
            original,
            written,
            local: parts::of_address(original),
            words: match is_name {
                true => parts::of_name(original).collect(),
                false => Vec::new(),
            },
        }
    }

    /// The identifier.
    #[cfg(test)]
    pub fn original(&self) -> &str {
        self.original
    }

    fn is_gone(&self, part: &str) -> bool {
        self.written.is_none_or(|written| !written.contains(part))
    }
}

/// A text in which is looked, made ready once.
pub struct Haystack {
    /// As it is meant.
    plain: String,
    folded: String,
    /// Which bytes that has, a bit for each.
    bytes: [u64; 4],
    /// Which pairs of bytes, by [`pair`].
    pairs: [u64; PAIRS / 64],
    /// Its digits, with those between separators joined.
    runs: Vec<Run>,
}

/// Digits of one number as far as can be told.
struct Run {
    digits: Vec<u8>,
    /// Where each of its groups begins.
    groups: Vec<usize>,
}

/// Pairs of bytes are told apart by so many numbers, which some share.
const PAIRS: usize = 4096;

fn pair(first: u8, second: u8) -> usize {
    (usize::from(first) << 5 ^ usize::from(second)) % PAIRS
}

impl Default for Haystack {
    fn default() -> Self {
        Self {
            plain: String::new(),
            folded: String::new(),
            bytes: [0; 4],
            pairs: [0; PAIRS / 64],
            runs: Vec::new(),
        }
    }
}

impl Haystack {
    /// Takes another text.
    pub fn take(&mut self, text: &str, escapes: Escapes) {
        let text = escapes.undone(text);
        self.plain.clear();
        self.plain.push_str(&text);
        self.folded.clear();
        fold(&text, &mut self.folded);
        self.bytes = [0; 4];
        for byte in self.folded.bytes() {
            self.bytes[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        self.pairs.fill(0);
        for two in self.folded.as_bytes().windows(2) {
            let at = pair(two[0], two[1]);
            self.pairs[at / 64] |= 1 << (at % 64);
        }
        self.runs.clear();
        let digits = text.bytes().filter(u8::is_ascii_digit);
        if digits.take(FEWEST_DIGITS).count() == FEWEST_DIGITS {
            self.runs = runs(&text);
        }
    }

    /// False where an identifier cannot be in it, which takes no longer than reading it: one of its
    /// letters or signs, or two beside each other, are not.
    pub fn may_hold(&self, original: &str) -> bool {
        let has = |byte: u8| self.bytes[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1;
        let has_both = |at: usize| self.pairs[at / 64] >> (at % 64) & 1 == 1;
        let mut is_number = true;
        let mut before = None;
        for byte in original.bytes() {
            // Others may fold into bytes that cannot be told from here; so may white space.
            if !byte.is_ascii()
                || byte.is_ascii_digit()
                || byte.is_ascii_whitespace()
                || byte == b'\x0b'
                || is_separator(char::from(byte))
            {
                before = None;
                continue;
            }
            is_number = false;
            let byte = byte.to_ascii_lowercase();
            if !has(byte) || before.is_some_and(|before| !has_both(pair(before, byte))) {
                return false;
            }
            before = Some(byte);
        }
        !is_number || !original.is_ascii() || !self.runs.is_empty() || has(b'.')
    }

    /// Whether it holds an identifier, or a part of one that was not written in its place too; words of
    /// a name only with `by_name`.
    pub fn gives_away(&self, sought: &Sought<'_>, by_name: bool) -> bool {
        let Sought {
            original, written, ..
        } = *sought;
        if self.may_hold(original)
            && Needle::of(original, written).is_some_and(|needle| self.holds(&needle))
        {
            return true;
        }
        let may_be = |part: &str| self.may_hold(part) && sought.is_gone(part);
        let is_held = |part: &str| {
            may_be(part) && {
                let mut folded = String::new();
                fold(part, &mut folded);
                holds_word(&self.folded, &folded)
            }
        };
        let is_named = |part: &str| may_be(part) && parts::is_named(&self.plain, part);
        sought.local.is_some_and(is_held)
            || by_name && sought.words.iter().any(|part| is_named(part))
    }

    /// Whether it holds what is looked for.
    fn holds(&self, needle: &Needle) -> bool {
        match needle {
            Needle::Text(text) => holds_word(&self.folded, text),
            Needle::Digits(digits) => self.runs.iter().any(|run| run.holds(digits)),
        }
    }
}

/// As a word: not as a part of one.
fn holds_word(text: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (first, last) = (word.chars().next(), word.chars().next_back());
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !(is_part(first) && is_part(before) || is_part(last) && is_part(after))
    })
}

impl Run {
    fn holds(&self, digits: &[u8]) -> bool {
        let is_phone = (NATIONAL_DIGITS + 1..=15).contains(&digits.len());
        let end = is_phone.then(|| &digits[digits.len() - NATIONAL_DIGITS..]);
        [Some(digits), end]
            .into_iter()
            .flatten()
            .any(|digits| self.holds_exactly(digits))
    }

    /// Digits that end where a group ends, and begin where one begins or shortly after.
    fn holds_exactly(&self, digits: &[u8]) -> bool {
        self.digits
            .windows(digits.len())
            .enumerate()
            .filter(|(_, window)| *window == digits)
            .any(|(at, _)| {
                let end = at + digits.len();
                let ends = end == self.digits.len() || self.groups.contains(&end);
                let begin = self.groups.iter().rev().find(|begin| **begin <= at);
                ends && begin.is_some_and(|begin| at - begin <= MOST_PREFIX)
            })
    }
}

fn runs(text: &str) -> Vec<Run> {
    /// Between two groups of one number.
    const MOST_SEPARATORS: usize = 3;
    let mut runs: Vec<Run> = Vec::new();
    let mut gap = usize::MAX;
    for c in text.chars() {
        match c.to_digit(10) {
            Some(digit) => {
                let digit = u8::try_from(digit).unwrap_or_default();
                match runs.last_mut().filter(|_| gap <= MOST_SEPARATORS) {
                    Some(run) => {
                        if gap > 0 {
                            run.groups.push(run.digits.len());
                        }
                        run.digits.push(digit);
                    }
                    None => runs.push(Run {
                        digits: vec![digit],
                        groups: vec![0],
                    }),
                }
                gap = 0;
            }
            None if is_separator(c) => gap = gap.saturating_add(1),
            None => gap = usize::MAX,
        }
    }
    runs.retain(|run| run.digits.len() >= FEWEST_DIGITS);
    runs
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '-' | '.' | '/' | '(' | ')' | '+')
}

fn digits(text: &str) -> Vec<u8> {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    digits.map(|digit| digit - b'0').collect()
}

/// In lower case, and with one blank for any white space.
fn fold(text: &str, out: &mut String) {
    let is_plain = |pair: &[u8]| pair[0] > b' ' || pair[0] == b' ' && pair[1] != b' ';
    let mut pairs = text.as_bytes().windows(2);
    if text.is_ascii() && pairs.all(is_plain) && text.bytes().next_back().is_none_or(|c| c >= b' ')
    {
        let begin = out.len();
        out.push_str(text);
        out[begin..].make_ascii_lowercase();
        return;
    }
    let mut was_blank = false;
    for c in text.chars() {
        if c.is_whitespace() {
            if !was_blank {
                out.push(' ');
            }
            was_blank = true;
            continue;
        }
        was_blank = false;
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else {
            out.extend(c.to_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, original: &str) -> bool {
        found_in(text, original, Escapes::None)
    }

    fn found_in(text: &str, original: &str, escapes: Escapes) -> bool {
        let mut haystack = Haystack::default();
        haystack.take(text, escapes);
        let found = Needle::of(original, None).is_some_and(|needle| haystack.holds(&needle));
        assert!(!found || haystack.may_hold(original), "{original}");
        found
    }

    #[test]
    fn needles_are_found_as_words_in_any_case() {
        assert!(found("wrote to ADA@Post.example today", "ada@post.example"));
        assert!(found("Ada  Lovelace\ncalled", "ada lovelace"));
        assert!(found("(Anna)", "Anna"));
        assert!(found("anna's", "Anna"));
        assert!(found("ZOË VON STRAẞE", "zoë von straße"));
        assert!(!found("Annabel called", "Anna"));
        assert!(!found("Hannah", "anna"));
        assert!(!found("ada@post.example.org", "post.exampl"));
        assert!(found("10.0.0.1 failed", "10.0.0.1"));
        assert!(!found("110.0.0.1 failed", "10.0.0.1"));
    }

    #[test]
    fn needles_must_say_something() {
        for little in ["Ann", "", "  ", "---", "75001", "123456", "a-b", "12 34"] {
            assert_eq!(Needle::of(little, None), None, "{little}");
        }
        assert_eq!(Needle::of("[REDACTED]", Some("[REDACTED]")), None);
        assert!(Needle::of("Anna", Some("Mary")).is_some());
    }

    #[test]
    fn needles_of_digits_are_found_however_they_are_written() {
        for text in [
            "call +49 30 1234567 now",
            "call 030/1234567",
            "0049301234567",
            "+49 (30) 123-45-67.",
            "tel:+49-30-1234567",
        ] {
            assert!(found(text, "+49 30 1234567"), "{text}");
        }
        assert!(found("card 4111 1111 1111 1111", "4111111111111111"));
        assert!(found("card 4111111111111111,", "4111-1111-1111-1111"));
        assert!(!found("order 930123456700", "+49 30 1234567"));
        assert!(!found("4930123456 and 7", "+49 30 1234567"));
        assert!(!found("99999301234567", "+49 30 1234567"));
        assert!(!found("42 of 1234", "1234567"));
    }

    #[test]
    fn needles_are_found_in_documents() {
        assert!(
            found_in(r#"{"a": "zo\u00eb says \"hi\""}"#, "zoë", Escapes::Json)
                == found("zoë", "zoë")
        );
        assert!(found_in(
            r#"{"a": "Zo\u00eb Lee"}"#,
            "zoë lee",
            Escapes::Json
        ));
        assert!(found_in(
            r#"{"a": "x\nada@post.example\n"}"#,
            "ada@post.example",
            Escapes::Json
        ));
        assert!(found_in(
            r#"["\ud83d\ude00 Anna"]"#,
            "😀 anna",
            Escapes::Json
        ));
        assert!(found_in(r#"{"Anna": 1}"#, "anna", Escapes::Json));
        assert!(found_in(
            r#"{"phone": 49301234567}"#,
            "+49 30 1234567",
            Escapes::Json
        ));
    }
}
