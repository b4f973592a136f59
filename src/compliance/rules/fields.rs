//! Checked access to the mappings of a document of rules: the first thing that is wrong ends the
//! reading, with its place.

use crate::error::Result;
use crate::profile::document::{self, Content, Entry, Tree};
use crate::strategies::calendar::parse_date;
use crate::strategies::nearest;

/// The most characters of a text.
const LONGEST_TEXT: usize = 2_000;
/// The most characters of an id or a name.
const LONGEST_ID: usize = 80;

/// The keys of one mapping.
pub struct Fields<'a> {
    tree: &'a Tree,
    path: String,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// Takes a node that must be a mapping with no other keys than those allowed.
    ///
    /// # Errors
    /// 22P02 with the place, as everything here.
    pub fn open(tree: &'a Tree, path: &str, allowed: &[&str]) -> Result<Self> {
        let Content::Map(entries) = &tree.content else {
            return Err(mismatch(tree, path, "mapping"));
        };
        for entry in entries {
            if !allowed.contains(&entry.key.as_str()) {
                let message = format!("unrecognized key \"{}\"", document::word(&entry.key));
                return Err(document::problem(
                    NOUN,
                    entry.place,
                    path,
                    "unknown_key",
                    message,
                    meant(&entry.key, "key", allowed),
                ));
            }
        }
        Ok(Self {
            tree,
            path: path.to_owned(),
            entries,
        })
    }

    /// The value of a key that is there and is something.
    pub fn get(&self, key: &str) -> Option<&'a Tree> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (entry.value.content != Content::Nothing).then_some(&entry.value)
    }

    /// The value of a key that must be there.
    ///
    /// # Errors
    /// 22P02 when it is not.
    pub fn require(&self, key: &str) -> Result<&'a Tree> {
        self.get(key).ok_or_else(|| {
            let message = format!("key \"{key}\" is missing");
            document::problem(
                NOUN,
                self.tree.place,
                &self.path,
                "missing_key",
                message,
                None,
            )
        })
    }

    /// The path of a key.
    pub fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// A refusal of the mapping, or of the value of a key.
    pub fn refuse(&self, key: Option<&str>, message: String) -> crate::error::Error {
        let at = key.and_then(|key| self.get(key)).unwrap_or(self.tree);
        let path = key.map_or_else(|| self.path.clone(), |key| self.path(key));
        document::problem(NOUN, at.place, &path, "value", message, None)
    }

    /// The text of a key that must be there.
    ///
    /// # Errors
    /// 22P02 when it is not there or no text, 22023 when it is blank or too long.
    pub fn text(&self, key: &str) -> Result<String> {
        text(self.require(key)?, &self.path(key), LONGEST_TEXT)
    }

    /// The text of a key.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub fn maybe_text(&self, key: &str) -> Result<Option<String>> {
        self.get(key)
            .map(|tree| text(tree, &self.path(key), LONGEST_TEXT))
            .transpose()
    }

    /// An id that must be there: letters, digits and few signs.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub fn id(&self, key: &str) -> Result<String> {
        id(self.require(key)?, &self.path(key))
    }

    /// The ids of a list, each once; none where the key is not there.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub fn ids(&self, key: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for (tree, path) in self.items(key)? {
            let id = id(tree, &path)?;
            if found.contains(&id) {
                let message = format!("\"{id}\" is named twice");
                return Err(document::problem(
                    NOUN, tree.place, &path, "value", message, None,
                ));
            }
            found.push(id);
        }
        Ok(found)
    }

    /// The items of a list, with their paths; none where the key is not there.
    ///
    /// # Errors
    /// 22P02 when it is no list.
    pub fn items(&self, key: &str) -> Result<Vec<(&'a Tree, String)>> {
        let Some(tree) = self.get(key) else {
            return Ok(Vec::new());
        };
        let path = self.path(key);
        let Content::List(items) = &tree.content else {
            return Err(mismatch(tree, &path, "list"));
        };
        let placed = items.iter().enumerate();
        Ok(placed
            .map(|(place, item)| (item, format!("{path}[{place}]")))
            .collect())
    }

    /// What the word of a key stands for.
    ///
    /// # Errors
    /// 22023 for a word that stands for nothing.
    pub fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<T> {
        word(self.require(key)?, &self.path(key), words)
    }

    /// As [`Fields::word`], where the key is there.
    ///
    /// # Errors
    /// As [`Fields::word`].
    pub fn maybe_word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>> {
        self.get(key)
            .map(|tree| word(tree, &self.path(key), words))
            .transpose()
    }

    /// An integer between bounds.
    ///
    /// # Errors
    /// 22P02 for what is no integer, 22023 for one outside.
    pub fn whole(&self, key: &str, least: i64, most: i64) -> Result<i64> {
        let tree = self.require(key)?;
        let number = match &tree.content {
            Content::Whole(text) => text.parse::<i64>().ok(),
            _ => return Err(mismatch(tree, &self.path(key), "integer")),
        };
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                let message = format!("\"{key}\" must be between {least} and {most}");
                self.refuse(Some(key), message)
            })
    }

    /// As [`Fields::whole`], where the key is there.
    ///
    /// # Errors
    /// As [`Fields::whole`].
    pub fn maybe_whole(&self, key: &str, least: i64, most: i64) -> Result<Option<i64>> {
        self.get(key)
            .map(|_| self.whole(key, least, most))
            .transpose()
    }

    /// A yes or a no.
    ///
    /// # Errors
    /// 22P02 for anything else.
    pub fn flag(&self, key: &str, absent: bool) -> Result<bool> {
        match self.get(key) {
            None => Ok(absent),
            Some(tree) => match tree.content {
                Content::Flag(flag) => Ok(flag),
                _ => Err(mismatch(tree, &self.path(key), "boolean")),
            },
        }
    }

    /// A day, where the key is there.
    ///
    /// # Errors
    /// 22023 for what is no day.
    pub fn day(&self, key: &str) -> Result<Option<i64>> {
        self.get(key)
            .map(|tree| day(tree, &self.path(key)))
            .transpose()
    }
}

/// What the word stands for.
fn word<T: Copy>(tree: &Tree, path: &str, words: &[(&str, T)]) -> Result<T> {
    let said = text(tree, path, LONGEST_ID)?;
    if let Some((_, meaning)) = words.iter().find(|(known, _)| *known == said) {
        return Ok(*meaning);
    }
    let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
    let message = format!("\"{}\" is not allowed", document::word(&said));
    Err(document::problem(
        NOUN,
        tree.place,
        path,
        "value",
        message,
        meant(&said, "word", &known),
    ))
}

fn text(tree: &Tree, path: &str, longest: usize) -> Result<String> {
    let Some(said) = tree.text() else {
        return Err(mismatch(tree, path, "text"));
    };
    let problem = if said.trim().is_empty() {
        "text must not be blank".to_owned()
    } else if said.chars().nth(longest).is_some() {
        format!("text must not be longer than {longest} characters")
    } else if said.contains(|c: char| c.is_control() && c != '\n') {
        "text must not contain control characters".to_owned()
    } else {
        return Ok(said.trim_end().to_owned());
    };
    Err(document::problem(
        NOUN, tree.place, path, "value", problem, None,
    ))
}

fn id(tree: &Tree, path: &str) -> Result<String> {
    let said = text(tree, path, LONGEST_ID)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    if said.starts_with(|c: char| c.is_ascii_alphanumeric()) && said.chars().all(is_part) {
        return Ok(said);
    }
    let message = format!("\"{}\" is not an id", document::word(&said));
    let hint = "An id has ASCII letters, digits, \"_\", \".\", \"-\" and \"/\", and begins with a \
                letter or a digit.";
    Err(document::problem(
        NOUN,
        tree.place,
        path,
        "value",
        message,
        Some(hint.to_owned()),
    ))
}

/// A day of a node.
///
/// # Errors
/// 22023 for what is no day of these centuries.
pub fn day(tree: &Tree, path: &str) -> Result<i64> {
    let said = text(tree, path, LONGEST_ID)?;
    // Four digits: no infinity, nothing before Christ.
    let found = parse_date(&said)
        .filter(|_| said.len() == 10)
        .map(i64::from);
    found.ok_or_else(|| {
        let message = format!("\"{}\" is not a day", document::word(&said));
        let hint = "A day is written as 2026-12-31.".to_owned();
        document::problem(NOUN, tree.place, path, "value", message, Some(hint))
    })
}

/// A refusal of a node of the wrong type.
pub fn mismatch(tree: &Tree, path: &str, wanted: &str) -> crate::error::Error {
    let message = format!("{wanted} expected, but {} found", tree.noun());
    document::problem(NOUN, tree.place, path, "type", message, None)
}

fn meant(said: &str, noun: &str, allowed: &[&str]) -> Option<String> {
    let near = nearest(said, allowed.iter().copied())
        .map(|near| format!("Perhaps {noun} \"{near}\" was meant. "))
        .unwrap_or_default();
    let list: Vec<_> = allowed.iter().map(|word| format!("\"{word}\"")).collect();
    Some(format!("{near}Allowed: {}.", list.join(", ")))
}

/// What a document is called in a message.
pub const NOUN: &str = "rules";
