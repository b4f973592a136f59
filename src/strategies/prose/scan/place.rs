//! Places in a text: what stands before and after them.

/// A text, as characters and as bytes.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
        }
    }

    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The character at a place, which must be the start of one.
    pub(super) fn char_at(&self, at: usize) -> Option<char> {
        match self.bytes.get(at) {
            Some(&byte) if byte.is_ascii() => Some(char::from(byte)),
            _ => self.text.get(at..)?.chars().next(),
        }
    }

    pub(super) fn char_before(&self, at: usize) -> Option<char> {
        self.text.get(..at)?.chars().next_back()
    }

    /// The end of the letters and digits from a place on.
    pub(super) fn word_end(&self, mut at: usize) -> usize {
        while let Some(&byte) = self.bytes.get(at) {
            if is_word_byte(byte) {
                at += 1;
            } else if byte.is_ascii() {
                break;
            } else {
                match self.char_at(at) {
                    Some(c) if is_word(c) => at += c.len_utf8(),
                    _ => break,
                }
            }
        }
        at
    }

    /// The end of the ASCII digits from a place on, of so many at most as no number has.
    pub(super) fn digits_end(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let digits = rest
            .iter()
            .take(MOST_DIGITS)
            .take_while(|byte| byte.is_ascii_digit());
        at + digits.count()
    }

    /// Whether no letter and no digit stands at a place.
    pub(super) fn ends(&self, at: usize) -> bool {
        self.char_at(at).is_none_or(|c| !is_word(c))
    }

    /// Whether what begins at a place hangs on a letter or digit before it: `A-1`, `v1`, `x_1`.
    pub(super) fn is_joined(&self, at: usize) -> bool {
        let Some(before) = self.char_before(at) else {
            return false;
        };
        if is_word(before) {
            return true;
        }
        let is_link = matches!(before, '-' | '_' | '.' | '/' | '#' | ',' | '+' | '\u{2011}');
        let earlier = self.char_before(at - before.len_utf8());
        is_link && (before == '#' || earlier.is_some_and(is_word))
    }

    /// Whether what ends at a place goes on with a digit behind a point, a hyphen or the like.
    pub(super) fn goes_on(&self, at: usize) -> bool {
        !self.ends(at)
            || matches!(self.byte(at), b'-' | b'.' | b'/' | b',' | b'_')
                && self.byte(at + 1).is_ascii_alphanumeric()
                // A new sentence may begin without a space.
                && !(self.byte(at) == b'.' && self.byte(at + 1).is_ascii_alphabetic())
    }

    /// Whether a number stands before a place, with one space between.
    pub(super) fn follows_number(&self, at: usize) -> bool {
        let space = self.char_before(at).filter(|c| is_space(*c));
        space.is_some_and(|space| {
            self.char_before(at - space.len_utf8())
                .is_some_and(|c| c.is_ascii_digit())
        })
    }

    /// The word before a place, in lower case, across punctuation, and where it begins.
    pub(super) fn word_before(&self, at: usize) -> (String, usize) {
        let before = &self.text[..at];
        let mut end = at;
        for c in before.chars().rev().take(4) {
            let between =
                is_space(c) || matches!(c, ':' | '.' | '=' | '(' | ')' | '°' | '#' | '’' | '\'');
            if !between {
                break;
            }
            end -= c.len_utf8();
        }
        let word = before[..end]
            .chars()
            .rev()
            .take(LONGEST_WORD)
            .take_while(|c| is_word(*c));
        let start = end - word.clone().map(char::len_utf8).sum::<usize>();
        let word = before[start..end].chars().flat_map(char::to_lowercase);
        (word.collect(), start)
    }

    /// The character before a place that is no space.
    pub(super) fn sign_before(&self, at: usize) -> Option<char> {
        self.text[..at]
            .chars()
            .rev()
            .take(3)
            .find(|c| !is_space(*c))
    }
}

/// A letter or digit of ASCII.
pub(super) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// A letter or digit, with the marks that belong to it.
pub(super) fn is_word(c: char) -> bool {
    match c {
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        '\u{300}'..='\u{36f}' => true,
        _ => c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c),
    }
}

/// A space within a line.
pub(super) fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}'
    )
}

const LONGEST_WORD: usize = 12;
const MOST_DIGITS: usize = 40;
