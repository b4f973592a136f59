//! Checked access to the mappings of a document; everything that is wrong becomes a problem.

use crate::strategies::{Seed, nearest};

use super::names::shown;
use super::scalar::ScalarKind;
use super::yaml::{Content, Entry, Node};
use super::{Place, Problems};

/// The state of one reading.
pub(super) struct Reading {
    pub(super) problems: Problems,
    /// Whether literal seeds are refused.
    pub(super) strict: bool,
}

/// The keys of one mapping.
pub(super) struct Fields<'a> {
    pub(super) place: Place,
    pub(super) path: String,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// Takes a node that must be a mapping with no other keys than those allowed.
    pub(super) fn open(
        node: &'a Node,
        path: &str,
        allowed: &[&str],
        reading: &mut Reading,
    ) -> Option<Self> {
        let entries = entries(node, path, reading)?;
        for entry in entries {
            if !allowed.contains(&entry.key.as_str()) {
                let message = format!("unrecognized key \"{}\"", shown(&entry.key));
                let hint = reading.suggest(&entry.key, "key", allowed.iter().copied(), true);
                reading.error(entry.place, path, "unknown_key", message, hint);
            }
        }
        Some(Self {
            place: node.place,
            path: path.to_owned(),
            entries,
        })
    }

    /// The keys of a `config`, which are parameters and therefore checked elsewhere.
    pub(super) fn of_config(outer: &Fields<'_>, config: &'a Entry) -> Self {
        let entries: &[Entry] = match &config.value.content {
            Content::Map(entries) => entries,
            _ => &[],
        };
        Self {
            place: config.place,
            path: outer.path(&config.key),
            entries,
        }
    }

    /// The entry of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The entry of a key that must be there.
    pub(super) fn require(&self, key: &str, reading: &mut Reading) -> Option<&'a Entry> {
        let entry = self.get(key);
        if entry.is_none() {
            let message = format!("key \"{key}\" is missing");
            reading.error(self.place, &self.path, "missing_key", message, None);
        }
        entry
    }

    /// The path of a key.
    pub(super) fn path(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// The text of a key that must be there: not blank, not longer than `longest` characters.
    pub(super) fn text(
        &self,
        key: &str,
        longest: usize,
        reading: &mut Reading,
    ) -> Option<(&'a str, Place)> {
        let entry = self.require(key, reading)?;
        reading.text(entry, &self.path(key), longest)
    }

    /// The literal seed of a key, if it is there.
    pub(super) fn seed(&self, key: &str, reading: &mut Reading) -> Option<Seed> {
        let entry = self.get(key)?;
        let path = self.path(key);
        let at = entry.value.place;
        let number = match &entry.value.content {
            Content::Scalar(scalar) if scalar.kind == ScalarKind::Int => scalar.text.parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            let message = format!("\"{key}\" must be an integer of 64 bits, without quotes");
            reading.error(at, &path, "seed", message, None);
            return None;
        };
        let hint = "A literal seed is for tests. Name an environment variable instead, with \
                    \"global_seed_env_var\" or with \"seed_env_var\" of a strategy.";
        if reading.strict {
            let message = format!("literal \"{key}\" is not allowed with strict coverage");
            reading.error(at, &path, "literal_seed", message, Some(hint.to_owned()));
        } else {
            let message = format!("profile holds a literal \"{key}\"");
            reading
                .problems
                .warning(at, &path, "literal_seed", message, hint);
        }
        Some(Seed::new(number))
    }

    /// The name of an environment variable, if the key is there. The text is never shown: a seed
    /// may have been written in its place.
    pub(super) fn env_var(&self, key: &str, reading: &mut Reading) -> Option<String> {
        let entry = self.get(key)?;
        if let Content::Scalar(scalar) = &entry.value.content
            && super::seed::is_env_name(&scalar.text)
            && scalar.kind == ScalarKind::Text
        {
            return Some(scalar.text.clone());
        }
        let message = format!("\"{key}\" must be the name of an environment variable");
        let hint = "A name has ASCII letters, digits and underscores, and no digit first.";
        let (at, path) = (entry.value.place, self.path(key));
        reading.error(at, &path, "seed", message, Some(hint.to_owned()));
        None
    }
}

impl Reading {
    pub(super) fn error(
        &mut self,
        place: Place,
        path: &str,
        code: &'static str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.problems.error(place, path, code, message, hint);
    }

    /// Notes that a node is of the wrong type.
    pub(super) fn mismatch(&mut self, node: &Node, path: &str, wanted: &str) {
        let message = format!("{wanted} expected, but {} found", node.noun());
        let hint = (node.is_null() && wanted == "list")
            .then(|| "Write [] for an empty list, or remove the key.".to_owned());
        self.error(node.place, path, "type", message, hint);
    }

    /// The text of an entry: not blank, not longer than `longest` characters. Numbers and booleans
    /// are taken as written.
    pub(super) fn text<'a>(
        &mut self,
        entry: &'a Entry,
        path: &str,
        longest: usize,
    ) -> Option<(&'a str, Place)> {
        let node = &entry.value;
        let text = match &node.content {
            Content::Scalar(scalar) if scalar.kind != ScalarKind::Null => scalar.text.as_str(),
            _ => {
                self.mismatch(node, path, "text");
                return None;
            }
        };
        let key = shown(&entry.key);
        let message = if text.trim().is_empty() {
            format!("\"{key}\" must not be blank")
        } else if text.chars().nth(longest).is_some() {
            format!("\"{key}\" must not be longer than {longest} characters")
        } else if longest <= LONGEST_NAME && text.contains(char::is_control) {
            format!("\"{key}\" must not contain control characters")
        } else {
            return Some((text, node.place));
        };
        self.error(node.place, path, "value", message, None);
        None
    }

    /// The items of a list.
    pub(super) fn list<'a>(&mut self, node: &'a Node, path: &str) -> &'a [Node] {
        if let Content::List(items) = &node.content {
            return items;
        }
        self.mismatch(node, path, "list");
        &[]
    }

    /// The hint for a word that is none of the allowed ones: the nearest, and with `all` the rest.
    pub(super) fn suggest<'a>(
        &self,
        word: &str,
        noun: &str,
        allowed: impl Iterator<Item = &'a str> + Clone,
        all: bool,
    ) -> Option<String> {
        // Bounded, because a document decides how many words there are on either side.
        if self.problems.is_full() {
            return None;
        }
        let meant = nearest(word, allowed.clone().take(MAX_CANDIDATES))
            .map(|near| format!("Perhaps {noun} \"{}\" was meant.", shown(near)));
        let list = all.then(|| {
            let words: Vec<_> = allowed.map(|word| format!("\"{word}\"")).collect();
            format!("Allowed: {}.", words.join(", "))
        });
        let parts: Vec<_> = meant.into_iter().chain(list).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// The entries of a node that must be a mapping.
pub(super) fn entries<'a>(
    node: &'a Node,
    path: &str,
    reading: &mut Reading,
) -> Option<&'a [Entry]> {
    if let Content::Map(entries) = &node.content {
        return Some(entries);
    }
    reading.mismatch(node, path, "mapping");
    None
}

/// The path of a key inside a mapping.
pub(super) fn join(path: &str, key: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let key = match shown(key) {
        key if !key.is_empty() && key.chars().all(is_plain) => key,
        key => format!("'{key}'"),
    };
    if path.is_empty() {
        key
    } else {
        format!("{path}.{key}")
    }
}

/// The most characters of a name.
pub(super) const LONGEST_NAME: usize = 255;

/// The most words compared with a misspelled one.
const MAX_CANDIDATES: usize = 1000;
