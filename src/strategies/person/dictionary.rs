//! Names, occupations and trades by language, compiled in: plain lists, one entry a line.
//!
//! Where each list comes from, and its license: `data/README.md`, `docs/strategies/dictionaries.md`
//! and the program `tools/names` that made most of them. Every list is sorted, composed (NFC), and
//! no two entries of one list are equal in their letters without accents. An entry is drawn by its
//! place, so that a changed list changes pseudonyms: its content is part of the version of what
//! draws from it, and a test holds both together.

use std::sync::LazyLock;

/// The entries of one list.
pub(crate) type List = [&'static str];

/// A language with its lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locale {
    De,
    En,
    Es,
    Fr,
    Pt,
}

/// The languages by name; the first is the default.
pub(crate) const LOCALES: [(&str, Locale); 5] = [
    ("en", Locale::En),
    ("de", Locale::De),
    ("es", Locale::Es),
    ("fr", Locale::Fr),
    ("pt", Locale::Pt),
];

/// The lists of one language, split at their first use.
struct Shelf {
    female: LazyLock<Vec<&'static str>>,
    male: LazyLock<Vec<&'static str>>,
    family: LazyLock<Vec<&'static str>>,
    job: LazyLock<Vec<&'static str>>,
    trade: LazyLock<Vec<&'static str>>,
}

macro_rules! shelf {
    ($name:ident, $folder:literal) => {
        static $name: Shelf = Shelf {
            female: LazyLock::new(|| {
                include_str!(concat!($folder, "female.txt"))
                    .lines()
                    .collect()
            }),
            male: LazyLock::new(|| include_str!(concat!($folder, "male.txt")).lines().collect()),
            family: LazyLock::new(|| {
                include_str!(concat!($folder, "family.txt"))
                    .lines()
                    .collect()
            }),
            job: LazyLock::new(|| include_str!(concat!($folder, "job.txt")).lines().collect()),
            trade: LazyLock::new(|| {
                include_str!(concat!($folder, "trade.txt"))
                    .lines()
                    .collect()
            }),
        };
    };
}

shelf!(DE, "data/de/");
shelf!(EN, "data/en/");
shelf!(ES, "data/es/");
shelf!(FR, "data/fr/");
shelf!(PT, "data/pt/");

impl Locale {
    fn shelf(self) -> &'static Shelf {
        match self {
            Self::De => &DE,
            Self::En => &EN,
            Self::Es => &ES,
            Self::Fr => &FR,
            Self::Pt => &PT,
        }
    }

    /// The name, as written in a profile.
    pub(crate) fn name(self) -> &'static str {
        let found = LOCALES.iter().find(|(_, locale)| *locale == self);
        found.map_or("", |(name, _)| name)
    }

    /// First names of women.
    pub(crate) fn female(self) -> &'static List {
        &self.shelf().female
    }

    /// First names of men.
    pub(crate) fn male(self) -> &'static List {
        &self.shelf().male
    }

    /// Family names.
    pub(crate) fn family(self) -> &'static List {
        &self.shelf().family
    }

    /// Occupations.
    pub(crate) fn job(self) -> &'static List {
        &self.shelf().job
    }

    /// What companies do.
    pub(crate) fn trade(self) -> &'static List {
        &self.shelf().trade
    }

    /// Whether a family name usually has two parts, which also makes up for a shorter list.
    pub(crate) fn doubles_family(self) -> bool {
        self == Self::Pt
    }
}

/// How many characters an entry may take: upper case writes ß as two.
pub(crate) fn width(entry: &str) -> usize {
    entry.chars().map(|c| if c == 'ß' { 2 } else { 1 }).sum()
}

/// The most characters an entry of a list takes.
pub(crate) fn longest(list: &List) -> usize {
    list.iter().map(|entry| width(entry)).max().unwrap_or(0)
}

/// Picks an entry: each word of 64 bits stands for one, and all are equally likely to within
/// 2^-50.
pub(crate) fn pick(list: &List, word: u64) -> &'static str {
    list.get(below(word, list.len())).copied().unwrap_or("")
}

/// Scales a word to a number below `bound`.
pub(crate) fn below(word: u64, bound: usize) -> usize {
    let scaled = (u128::from(word) * (bound as u128)) >> 64;
    usize::try_from(scaled).unwrap_or_default()
}

/// The entries of a list that are short enough.
pub(crate) fn fitting(list: &'static List, limit: usize) -> Vec<&'static str> {
    let fits = |entry: &&&str| width(entry) <= limit;
    list.iter().filter(fits).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use sha2::{Digest, Sha256};
    use unicode_normalization::{UnicodeNormalization, is_nfc};

    use super::*;
    use crate::strategies::Kind;
    use crate::strategies::person::draw;

    fn lists(locale: Locale) -> [(&'static str, &'static List); 5] {
        [
            ("female", locale.female()),
            ("male", locale.male()),
            ("family", locale.family()),
            ("job", locale.job()),
            ("trade", locale.trade()),
        ]
    }

    /// What differs here is a changed list: every pseudonym drawn from it changes, so raise the
    /// versions that stand beside the digest before you change the digest.
    #[test]
    fn dictionary_is_pinned_to_the_versions() {
        let people = (
            draw::VERSION,
            Kind::Name.version(),
            Kind::Username.version(),
        );
        assert_eq!(people, (1, 1, 1));
        assert_eq!((Kind::Company.version(), Kind::Job.version()), (1, 1));
        let mut digests = Vec::new();
        for (name, locale) in LOCALES {
            for (what, list) in lists(locale) {
                let digest = Sha256::digest(format!("{}\n", list.join("\n")));
                digests.push(format!("{name}/{what}.txt  {}", hex::encode(digest)));
            }
        }
        digests.sort();
        let pinned: Vec<_> = include_str!("data/SHA256SUMS")
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(digest, path)| format!("{path}  {digest}"))
            .collect();
        assert_eq!(digests, pinned);
    }

    #[test]
    fn dictionary_is_sorted_composed_and_without_doubles() {
        for (name, locale) in LOCALES {
            for (what, list) in lists(locale) {
                assert!(list.is_sorted(), "{name} {what}");
                let plain = |entry: &&str| -> String {
                    let lower = entry.to_lowercase().replace('ß', "ss");
                    lower.nfkd().filter(|c| c.is_alphanumeric()).collect()
                };
                let distinct: HashSet<String> = list.iter().map(plain).collect();
                assert!(
                    distinct.len() == list.len() || what == "job",
                    "{name} {what}"
                );
                for entry in list {
                    assert!(
                        is_nfc(entry) && entry.trim() == *entry && entry.len() > 1,
                        "{entry}"
                    );
                }
            }
        }
    }

    #[test]
    fn dictionary_holds_enough_for_each_language() {
        for (name, locale) in LOCALES {
            assert!(
                locale.female().len() + locale.male().len() >= 2000,
                "{name}"
            );
            assert!(
                locale.female().len().min(locale.male().len()) >= 1024,
                "{name}"
            );
            assert!(
                locale.family().len() >= 5000 || locale.doubles_family(),
                "{name}"
            );
            assert!(
                locale.family().len() >= 600 && locale.trade().len() >= 128,
                "{name}"
            );
            assert!(
                locale.job().len() >= if name == "en" { 200 } else { 100 },
                "{name}"
            );
        }
    }

    /// Two parts of a name must be told apart by the space between them.
    #[test]
    fn dictionary_names_are_single_words() {
        for (_, locale) in LOCALES {
            for (what, list) in lists(locale).into_iter().take(3) {
                for entry in list {
                    let plain = |c: char| c.is_alphabetic() || "-'".contains(c);
                    assert!(entry.chars().all(plain), "{what} {entry}");
                    assert!(entry.starts_with(char::is_uppercase), "{what} {entry}");
                    assert!(width(entry) <= 15, "{what} {entry}");
                }
            }
        }
    }

    #[test]
    fn dictionary_is_picked_from_end_to_end() {
        let list = Locale::En.job();
        assert_eq!(pick(list, 0), list[0]);
        assert_eq!(pick(list, u64::MAX), list[list.len() - 1]);
        assert_eq!(pick(&[], 7), "");
        assert!(fitting(list, 5).iter().all(|job| job.len() <= 5));
    }
}
