//! Characters as a reader sees them: extended grapheme clusters (Unicode UAX #29).

use unicode_segmentation::UnicodeSegmentation;

use crate::strategies::canonical::{self, Class};
use crate::strategies::pause::paced;

/// A sort of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Digits,
    Letters,
    Upper,
    Lower,
}

impl Sort {
    /// A character is of the sort that its first code point is of.
    pub(super) fn holds(self, character: &str) -> bool {
        character.chars().next().is_some_and(|c| match self {
            Self::Digits => canonical::classify(c, |_| ()) == Class::Digit,
            Self::Letters => c.is_alphabetic(),
            Self::Upper => c.is_uppercase(),
            Self::Lower => c.is_lowercase(),
        })
    }
}

/// Goes through the characters of a text.
pub(super) fn each<'a>(text: &'a str, mut visit: impl FnMut(&'a str)) {
    if text.is_ascii() && !text.contains('\r') {
        for at in paced(0..text.len()) {
            visit(&text[at..=at]);
        }
    } else if paced(text.chars()).all(never_joins) {
        for (at, c) in paced(text.char_indices()) {
            visit(&text[at..at + c.len_utf8()]);
        }
    } else {
        paced(text.graphemes(true)).for_each(visit);
    }
}

/// Whether a code point is a character wherever it stands among others of these ranges: most of
/// Latin, Greek, Cyrillic, Armenian, Kana and Han.
fn never_joins(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{c}' | '\u{e}'..='\u{2ff}'
            | '\u{370}'..='\u{482}'
            | '\u{48a}'..='\u{590}'
            | '\u{1e00}'..='\u{200a}'
            | '\u{2010}'..='\u{2027}'
            | '\u{3000}'..='\u{3029}'
            | '\u{3041}'..='\u{3096}'
            | '\u{30a0}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}'
    )
}

pub(super) fn is_separator(character: &str) -> bool {
    paced(character.chars()).all(canonical::is_separator)
}

/// Whether a text is one character, and two of it are two.
pub(super) fn stands_alone(text: &str) -> bool {
    let is_bounded = text.chars().take(LONGEST_CHARACTER + 1).count() <= LONGEST_CHARACTER;
    is_bounded
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && text.graphemes(true).count() == 1
        && text.repeat(2).graphemes(true).count() == 2
}

/// In code points: the longest emoji that are recommended for interchange have ten.
const LONGEST_CHARACTER: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_counts_code_points_only_where_they_never_join() {
        let lone: Vec<char> = ('\0'..=char::MAX).filter(|c| never_joins(*c)).collect();
        assert!(lone.len() > 28_000);
        let text: String = lone.iter().collect();
        assert_eq!(text.graphemes(true).count(), lone.len());
        // No kind of neighbor among them joins either.
        for neighbor in ['a', '1', ' ', '\n', '©', '\u{ad}', 'я', 'ア', '\u{590}'] {
            assert!(never_joins(neighbor));
            let text: String = lone.iter().flat_map(|c| [neighbor, *c]).collect();
            assert_eq!(text.graphemes(true).count(), 2 * lone.len(), "{neighbor:?}");
        }
        for joining in [
            '\r', '\u{300}', '\u{200d}', '\u{483}', 'ᄀ', '🇩', '\u{fe0f}',
        ] {
            assert!(!never_joins(joining));
        }
    }
}
