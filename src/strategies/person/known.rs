//! Whether words are names of persons, as far as the dictionaries know.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::dictionary::LOCALES;
use super::spelling::push_ascii;

const FIRST: u8 = 1;
const FAMILY: u8 = 2;

/// Every name, without accents, and which sort of name it is.
static NAMES: LazyLock<HashMap<String, u8>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for (_, locale) in LOCALES {
        let lists = [
            (FIRST, locale.female()),
            (FIRST, locale.male()),
            (FAMILY, locale.family()),
        ];
        for (sort, list) in lists {
            for name in list {
                *names.entry(folded(name)).or_default() |= sort;
            }
        }
    }
    names
});

/// What a text can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// First and family name, in any order.
    Full,
    /// A first name, and perhaps a family name as well.
    First,
    /// A family name.
    Family,
}

/// Looks a text of at most five words up.
pub fn look_up(text: &str) -> Option<Known> {
    let words = || text.split(|c: char| c.is_whitespace() || c == ',' || c == '.');
    let words = || words().filter(|word| !word.is_empty());
    let is_word = |word: &str| word.chars().all(|c| c.is_alphabetic() || "-'’".contains(c));
    if text.len() > LONGEST || words().count() > MOST_WORDS || !words().all(is_word) {
        return None;
    }
    let known = |word: &str| NAMES.get(&folded(word)).copied().unwrap_or_default();
    let mut count = 0;
    let (mut first, mut family) = (0, 0);
    for sorts in words().map(known) {
        count += 1;
        first += usize::from(sorts & FIRST != 0);
        family += usize::from(sorts & FAMILY != 0);
    }
    match count {
        0 => None,
        1 if first == 1 => Some(Known::First),
        1 if family == 1 => Some(Known::Family),
        1 => None,
        // One word may be both, so the other must be a name of its own.
        _ if first > 0 && family > 0 && words().filter(|word| known(word) != 0).count() > 1 => {
            Some(Known::Full)
        }
        _ => None,
    }
}

fn folded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    push_ascii(name, false, &mut out);
    out
}

const LONGEST: usize = 80;
const MOST_WORDS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_found_in_any_case_and_order() {
        for text in [
            "Emma Wilson",
            "WILSON, EMMA",
            "josé garcía",
            "Dr. Hugo Moreau",
        ] {
            assert_eq!(look_up(text), Some(Known::Full), "{text}");
        }
        assert_eq!(look_up("Camille"), Some(Known::First));
        for text in ["", "M8", "Screws of steel", "one two three four five six"] {
            assert_eq!(look_up(text), None, "{text}");
        }
    }
}
