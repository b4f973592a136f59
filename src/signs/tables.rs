//! What a table is about, as its name and its columns say.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{Category, Column, names, vocabulary, words};

/// What a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// What its name says.
    pub about: About,
    /// Whether a column shows a person: a name, an e-mail address, a date of birth.
    pub has_person: bool,
    /// Whether a column holds streets, or the table is called by addresses.
    pub has_place: bool,
}

/// What the name of a table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Persons.
    People,
    /// Things.
    Things,
    /// Neither.
    Unknown,
}

impl Context {
    /// What nothing is known of.
    pub const NONE: Self = Self {
        about: About::Unknown,
        has_person: false,
        has_place: false,
    };

    /// Reads the name of a table and the names of its columns.
    pub fn of(table: &str, columns: &[Column]) -> Self {
        let own = words::of(table);
        let about = about(&own);
        let mut context = Self {
            about,
            has_person: false,
            has_place: own.iter().any(|word| is_one_of(word, &PLACES)),
        };
        for column in columns {
            // Only what means the same in every table may say what this one is about.
            let Some(found) = names::strongest(&column.name, column.sort) else {
                continue;
            };
            context.has_person |= found.shows_a_person();
            context.has_place |= found == Category::Address;
        }
        context
    }

    /// Whether its rows are about persons.
    pub fn is_people(self) -> bool {
        match self.about {
            About::People => true,
            About::Things => false,
            About::Unknown => self.has_person,
        }
    }
}

/// The last word that says something decides: `user_roles` are roles.
fn about(own: &[String]) -> About {
    let found = own.iter().rev().find_map(|word| {
        if is_one_of(word, &THINGS) {
            Some(About::Things)
        } else if is_one_of(word, &PEOPLE) {
            Some(About::People)
        } else {
            None
        }
    });
    found.unwrap_or(About::Unknown)
}

/// Whether a word is about persons.
pub fn is_person(word: &str) -> bool {
    is_one_of(word, &PEOPLE)
}

/// Whether a word is about things.
pub fn is_thing(word: &str) -> bool {
    is_one_of(word, &THINGS)
}

/// As written, or without the ending of a plural.
fn is_one_of(word: &str, nouns: &HashSet<&'static str>) -> bool {
    nouns.contains(word)
        || ["s", "es", "e", "n", "en", "er"].iter().any(|ending| {
            word.strip_suffix(ending)
                .is_some_and(|stem| stem.len() > 2 && nouns.contains(stem))
        })
}

static PEOPLE: LazyLock<HashSet<&'static str>> = LazyLock::new(|| set(vocabulary::PEOPLE));
static THINGS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| set(vocabulary::THINGS));
static PLACES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| set(vocabulary::PLACES));

fn set(nouns: &'static str) -> HashSet<&'static str> {
    nouns.split('|').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_about_what_their_last_word_says() {
        for (name, expected) in [
            ("customers", About::People),
            ("Kunden", About::People),
            ("mitarbeiter", About::People),
            ("user_roles", About::Things),
            ("productos", About::Things),
            ("email_templates", About::Things),
            ("invoices", About::Unknown),
            ("", About::Unknown),
        ] {
            assert_eq!(Context::of(name, &[]).about, expected, "{name}");
        }
        assert!(Context::of("addresses", &[]).has_place);
    }
}
