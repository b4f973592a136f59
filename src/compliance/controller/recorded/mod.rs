//! Versions of facts, held against what the ledger says was declared: an entry names the numbers of the
//! versions that it is about, and has a digest of all that they say.

pub mod store;

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Fact;
use crate::error::counted;
use crate::ledger::canonical;

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The number of the first version.
    pub first: i64,
    /// Of the last.
    pub last: i64,
    /// The digest.
    pub sha256: String,
}

/// What the ledger says of stored versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// What speaks against them.
    pub doubts: Vec<String>,
    /// The facts of which a version is among them, by kind and id.
    pub facts: BTreeSet<(String, String)>,
}

impl Records {
    /// Whether the ledger does not say that some version of a fact was declared as it is stored.
    pub fn is_doubtful(&self, fact: &Fact) -> bool {
        let key = || (fact.kind.to_owned(), fact.id.clone());
        !self.facts.is_empty() && self.facts.contains(&key())
    }
}

/// What the ledger says of stored versions, given with their numbers and in their order.
pub fn held(versions: &[(i64, Value)], entries: &[Entry]) -> Records {
    let (doubts, doubtful) = doubts(versions, entries);
    let named = |said: &Value, member: &str| said[member].as_str().unwrap_or_default().to_owned();
    let facts = doubtful
        .into_iter()
        .map(|place| &versions[place].1)
        .map(|said| (named(said, "kind"), named(said, "id")))
        .collect();
    Records { doubts, facts }
}

/// A digest of all that versions say, in the order of their numbers: of the canonical text of an array.
pub fn digest<'a>(versions: impl IntoIterator<Item = &'a Value>) -> String {
    let mut hash = Sha256::new();
    hash.update("[");
    for (place, version) in versions.into_iter().enumerate() {
        if place > 0 {
            hash.update(",");
        }
        hash.update(canonical::json(version));
    }
    hash.update("]");
    hex::encode(hash.finalize())
}

/// What speaks against stored versions, and the places of those that it is about.
fn doubts(versions: &[(i64, Value)], entries: &[Entry]) -> (Vec<String>, Vec<usize>) {
    let mut known = vec![false; versions.len()];
    let mut differs = vec![false; versions.len()];
    let mut found = Vec::new();
    for entry in entries {
        let begin = versions.partition_point(|(number, _)| *number < entry.first);
        let end = versions.partition_point(|(number, _)| *number <= entry.last);
        let end = end.max(begin);
        known[begin..end].fill(true);
        let said = versions[begin..end].iter().map(|(_, said)| said);
        if digest(said) != entry.sha256 {
            differs[begin..end].fill(true);
            found.push(format!(
                "versions {} to {} of declared facts are not those that the ledger says were declared",
                entry.first, entry.last
            ));
        }
    }
    found.sort();
    found.dedup();
    let more = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    if more > 0 {
        found.push(format!("and those of {more} more entries differ too"));
    }
    let unknown = known.iter().filter(|is_known| !**is_known).count();
    if unknown > 0 {
        found.push(format!(
            "no entry of the ledger says that {} of declared facts were declared",
            counted(unknown as u64, "version")
        ));
    }
    let is_doubtful = |place: &usize| differs[*place] || !known[*place];
    let doubtful = (0..versions.len()).filter(is_doubtful).collect();
    (found, doubtful)
}

const MOST: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_digest_is_that_of_the_array() {
        let said = [
            json!({"b": [1, "\u{e9}\n"], "a": null}),
            json!({"kind": "measure"}),
        ];
        for versions in [&said[..0], &said[..1], &said] {
            let text = canonical::json(&Value::Array(versions.to_vec()));
            assert_eq!(digest(versions), hex::encode(Sha256::digest(text)));
        }
    }

    #[test]
    fn versions_are_those_that_were_declared() {
        let version = |number: i64| (number, json!({"kind": "measure", "id": number.to_string()}));
        let stored = [version(1), version(2), version(4)];
        let said = |range: std::ops::Range<usize>| -> Vec<Value> {
            stored[range].iter().map(|(_, said)| said.clone()).collect()
        };
        let entry = |first, last, of: &[Value]| Entry {
            first,
            last,
            sha256: digest(of),
        };
        let entries = [entry(1, 2, &said(0..2)), entry(4, 4, &said(2..3))];
        let doubts = |versions: &[(i64, Value)], entries: &[Entry]| held(versions, entries).doubts;
        assert_eq!(held(&stored, &entries), Records::default());
        assert_eq!(
            doubts(&stored, &entries[..1]),
            ["no entry of the ledger says that 1 version of declared facts were declared"]
        );
        let changed = [
            version(1),
            (2, json!({"kind": "measure", "id": "x"})),
            version(4),
        ];
        let told =
            "versions 1 to 2 of declared facts are not those that the ledger says were declared";
        assert_eq!(doubts(&changed, &entries), [told]);
        // Which facts that is about: all of the entry that differs, and none of another.
        let of = |versions: &[(i64, Value)], entries: &[Entry]| {
            let facts = held(versions, entries).facts.into_iter();
            facts.map(|(_, id)| id).collect::<Vec<_>>()
        };
        assert_eq!(of(&changed, &entries), ["1", "x"]);
        assert_eq!(of(&stored, &entries[..1]), ["4"]);
        // One that was taken away.
        assert_eq!(doubts(&[version(1), version(4)], &entries), [told]);
        assert_eq!(doubts(&[], &entries).len(), 2);
    }
}
