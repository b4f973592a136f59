//! The names of a row, as they are looked for in its text.
//!
//! Every word of a name counts by itself, whatever its case and accents; particles and titles count
//! only where they are the whole name. In scripts that put no spaces between words a name is found
//! within a run of letters.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::place::is_word;

/// The names of one row.
#[derive(Clone, Debug, Default)]
pub(in crate::strategies::prose) struct Names {
    words: Vec<Word>,
    /// The folded words, one after another.
    folded: String,
    /// The first bytes of the folded words.
    first: u128,
    has_unspaced: bool,
}

/// One word of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::strategies::prose) struct Word {
    folded: Range<usize>,
    /// Which name of the row it is of.
    pub(in crate::strategies::prose) name: usize,
    /// Where in the name.
    pub(in crate::strategies::prose) place: Place,
    is_unspaced: bool,
}

/// Where a word stands in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::strategies::prose) enum Place {
    First,
    Middle,
    Last,
    /// In one that has no white space in it, of a column for first names or for family names.
    Only,
}

impl Names {
    /// Prepares the names of a row.
    pub(in crate::strategies::prose) fn new(names: &[&str]) -> Self {
        let mut prepared = Self::default();
        for (place, name) in names.iter().take(MOST_NAMES).enumerate() {
            prepared.add(place, name);
        }
        prepared
    }

    fn add(&mut self, name: usize, text: &str) {
        let start = self.words.len();
        let parts = text.split(|c| !is_word(c)).filter(|part| !part.is_empty());
        let alone = parts.clone().nth(1).is_none();
        let is_one = text.split_whitespace().nth(1).is_none();
        for part in parts.take(MOST_WORDS) {
            let at = self.folded.len();
            fold(part, &mut self.folded);
            let folded = &self.folded[at..];
            let is_particle = PARTICLES.binary_search(&folded).is_ok();
            let letters = folded.chars().filter(|c| c.is_alphabetic()).take(2).count();
            if letters < 2 || is_particle && !alone || folded.len() > LONGEST {
                self.folded.truncate(at);
                continue;
            }
            if let Some(byte) = folded.bytes().next().filter(u8::is_ascii) {
                self.first |= 1 << byte;
            }
            let is_unspaced = folded.chars().any(is_unspaced);
            self.has_unspaced |= is_unspaced;
            self.words.push(Word {
                folded: at..self.folded.len(),
                name,
                place: if is_one { Place::Only } else { Place::Middle },
                is_unspaced,
            });
        }
        if is_one {
            return;
        }
        let words = &mut self.words[start..];
        if let Some(last) = words.last_mut() {
            last.place = Place::Last;
        }
        if let Some(first) = words.first_mut() {
            first.place = Place::First;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word of a name that a finding names.
    pub(in crate::strategies::prose) fn word(&self, word: usize) -> Option<&Word> {
        self.words.get(word)
    }

    /// Whether two words are parts of one name without white space, such as Jean-Pierre.
    pub(in crate::strategies::prose) fn are_one(&self, one: usize, other: usize) -> bool {
        let only = |word| self.word(word).filter(|word| word.place == Place::Only);
        match (only(one), only(other)) {
            (Some(first), Some(second)) => one != other && first.name == second.name,
            _ => false,
        }
    }

    /// Finds a name in a word of the text: where, and which word of a name it is. An "s" behind it
    /// may be a case ending.
    pub(super) fn find(&self, word: &str, scratch: &mut String) -> Option<(Range<usize>, usize)> {
        let found = self.find_word(word, scratch);
        let stem = word
            .strip_suffix(['s', 'S'])
            .filter(|stem| stem.len() >= SHORTEST_STEM);
        found.or_else(|| stem.and_then(|stem| self.find_word(stem, scratch)))
    }

    fn find_word(&self, word: &str, scratch: &mut String) -> Option<(Range<usize>, usize)> {
        let first = *word.as_bytes().first()?;
        let equal = |folded: &str| {
            let same = |own: &Word| self.folded.get(own.folded.clone()) == Some(folded);
            self.words.iter().position(same)
        };
        if word.is_ascii() {
            if self.first >> first.to_ascii_lowercase() & 1 == 0 || word.len() > LONGEST {
                return None;
            }
            let same = |own: &Word| {
                let own = self.folded.get(own.folded.clone());
                own.is_some_and(|own| own.eq_ignore_ascii_case(word))
            };
            return self
                .words
                .iter()
                .position(same)
                .map(|place| (0..word.len(), place));
        }
        if self.has_unspaced && word.chars().any(is_unspaced) {
            return self.find_within(word);
        }
        if first.is_ascii() && self.first >> first.to_ascii_lowercase() & 1 == 0 {
            return None;
        }
        if word.len() > 2 * LONGEST {
            return None;
        }
        scratch.clear();
        fold(word, scratch);
        equal(scratch).map(|place| (0..word.len(), place))
    }

    /// Finds the first name in a run of letters without spaces.
    fn find_within(&self, run: &str) -> Option<(Range<usize>, usize)> {
        run.char_indices().find_map(|(at, _)| {
            let here = |own: &Word| {
                own.is_unspaced && run[at..].starts_with(&self.folded[own.folded.clone()])
            };
            let place = self.words.iter().position(here)?;
            Some((at..at + self.words[place].folded.len(), place))
        })
    }
}

/// Lower case without accents; ligatures and crossed letters become plain ones.
pub(in crate::strategies::prose) fn fold(word: &str, out: &mut String) {
    if word.is_ascii() {
        out.extend(word.chars().map(|c| c.to_ascii_lowercase()));
        return;
    }
    if word.chars().any(is_unspaced) {
        out.extend(word.nfc());
        return;
    }
    let plain = word.nfd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}'));
    for c in plain.flat_map(char::to_lowercase) {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            'ı' => out.push('i'),
            'þ' => out.push_str("th"),
            '\u{307}' => {}
            c => out.push(c),
        }
    }
}

/// Letters of scripts that put no spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(
        c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
            | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3ffff}'
    )
}

const SHORTEST_STEM: usize = 3;
const MOST_NAMES: usize = 32;
const MOST_WORDS: usize = 8;
/// The longest word of a name, folded, in bytes.
const LONGEST: usize = 64;

/// Words that stand in many names and alone name nobody, folded.
#[rustfmt::skip]
const PARTICLES: [&str; 58] = [
    "al", "am", "and", "bin", "bint", "da", "dal", "de", "dei", "del", "della", "den", "der", "di",
    "do", "don", "dona", "dos", "dr", "dra", "du", "e", "el", "et", "frau", "herr", "ibn", "ii",
    "iii", "im", "in", "jr", "la", "las", "le", "les", "lo", "los", "mlle", "mme", "mr", "mrs",
    "ms", "op", "prof", "sir", "sr", "sra", "st", "te", "ten", "ter", "und", "van", "vom", "von",
    "zu", "zur",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn find(names: &[&str], word: &str) -> Option<(usize, Place)> {
        let names = Names::new(names);
        let (_, place) = names.find(word, &mut String::new())?;
        names.word(place).map(|word| (word.name, word.place))
    }

    #[test]
    fn names_are_found_word_by_word() {
        let names = ["Ada King Lovelace", "Zoë", "O'Brien-Smith"];
        assert_eq!(find(&names, "ada"), Some((0, Place::First)));
        assert_eq!(find(&names, "KING"), Some((0, Place::Middle)));
        assert_eq!(find(&names, "Lovelace"), Some((0, Place::Last)));
        assert_eq!(find(&names, "zoe"), Some((1, Place::Only)));
        assert_eq!(find(&names, "ZOE\u{308}"), Some((1, Place::Only)));
        assert_eq!(find(&names, "Brien"), Some((2, Place::Only)));
        assert_eq!(find(&names, "O"), None);
        assert_eq!(find(&names, "Adam"), None);
        assert_eq!(find(&names, "Lovelaces"), Some((0, Place::Last)));
        assert_eq!(find(&["Bo"], "Bos"), None);
        assert_eq!(find(&names, "Lovelacy"), None);
        assert_eq!(find(&[], "ada"), None);
    }

    #[test]
    fn names_have_particles_that_are_none() {
        let names = ["Maria de la Cruz", "Dr. Ludwig van Beethoven", "Van"];
        assert_eq!(find(&names, "de"), None);
        assert_eq!(find(&names, "Dr"), None);
        assert_eq!(find(&names, "Cruz"), Some((0, Place::Last)));
        assert_eq!(find(&names, "Ludwig"), Some((1, Place::First)));
        assert_eq!(find(&names, "van"), Some((2, Place::Only)));
        assert!(PARTICLES.is_sorted());
    }

    #[test]
    fn names_fold_accents_and_ligatures() {
        for (a, b) in [
            ("Strauß", "STRAUSS"),
            ("Łukasz", "lukasz"),
            ("Bjørn", "BJORN"),
            ("Ægir", "aegir"),
            ("İlker", "ilker"),
        ] {
            assert_eq!(find(&[a], b), Some((0, Place::Only)), "{a}");
            assert_eq!(find(&[b], a), Some((0, Place::Only)), "{a}");
        }
        assert_eq!(find(&["Дмитрий"], "дмитрии"), Some((0, Place::Only)));
    }

    #[test]
    fn names_are_found_within_scripts_without_spaces() {
        let names = Names::new(&["田中 太郎"]);
        let found = names.find("今日田中さんは", &mut String::new());
        assert_eq!(found, Some((6..12, 0)));
        assert_eq!(names.find("今日", &mut String::new()), None);
        assert!(Names::new(&["王"]).is_empty());
    }

    #[test]
    fn names_are_bounded() {
        let many = vec!["Ada"; 100];
        assert_eq!(Names::new(&many).words.len(), MOST_NAMES);
        assert_eq!(
            Names::new(&["ab ".repeat(100).as_str()]).words.len(),
            MOST_WORDS
        );
        assert!(Names::new(&["a".repeat(1000).as_str(), "", " ", "-"]).is_empty());
    }
}
