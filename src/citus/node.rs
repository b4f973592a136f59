//! What is known of a node, and what is missing there until it masks as the coordinator does.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::keys::MASKING;

/// What rows call the node on which everything is asked.
pub const COORDINATOR: &str = "coordinator";

/// A worker, as the catalog of Citus names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its host, or the directory of its socket.
    pub host: String,
    /// Its port.
    pub port: i32,
    /// Whether queries go there.
    pub is_active: bool,
}

impl fmt::Display for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What a node says of its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// What keeps its provider, or one of these keys, from being used.
    pub problem: Option<String>,
    /// Whether a key that it shares with nobody signs its ledger.
    pub signs: bool,
    /// The keys that masks use, the masking key and salts, by purpose, with their fingerprints.
    pub masks: BTreeMap<String, String>,
}

impl Keys {
    /// The fingerprint of the masking key, where there is one.
    pub fn masking(&self) -> Option<&str> {
        self.masks.get(MASKING).map(String::as_str)
    }
}

/// What came of asking a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Citus sends nothing there.
    Inactive,
    /// It did not answer, or with an error.
    Failed(String),
    /// The extension is not there.
    Absent,
    /// The extension is there in this version, which is another one.
    OtherVersion(String),
    /// Its keys.
    Keys(Keys),
}

/// One thing that is missing on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key that signs its ledger, and stays there.
    Sign,
    /// The coordinator's key for a purpose.
    Share(String),
    /// The same, where another one is active.
    Replace(String),
}

impl Step {
    /// As what is still to be done.
    pub fn to_do(&self) -> String {
        self.words("make", "share")
    }

    /// As what was done.
    pub fn done(&self) -> String {
        self.words("made", "shared")
    }

    fn words(&self, make: &str, share: &str) -> String {
        match self {
            Self::Sign => format!("{make} a key that signs"),
            Self::Share(purpose) => format!("{share} the key for \"{purpose}\""),
            Self::Replace(purpose) => {
                format!("{share} the key for \"{purpose}\", in the place of another")
            }
        }
    }
}

/// What is missing on a node that can be set up, in the order in which it is done: what signs comes
/// before what others have too.
pub fn missing(keys: &Keys, coordinator: &Keys) -> Vec<Step> {
    let mut steps = Vec::new();
    if !keys.signs {
        steps.push(Step::Sign);
    }
    for (purpose, fingerprint) in &coordinator.masks {
        match keys.masks.get(purpose) {
            None => steps.push(Step::Share(purpose.clone())),
            Some(here) if here != fingerprint => steps.push(Step::Replace(purpose.clone())),
            Some(_) => {}
        }
    }
    steps
}

/// How it stands with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It masks as the coordinator does.
    Ok,
    /// Something is missing that the setup does.
    ToDo,
    /// Something is missing that is done by hand.
    Fail,
}

impl Status {
    /// The word shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToDo => "to do",
            Self::Fail => "fail",
        }
    }
}

/// What is said of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which one.
    pub node: String,
    /// How it stands with it.
    pub status: Status,
    /// The fingerprint of its masking key.
    pub fingerprint: Option<String>,
    /// What is missing, or was done.
    pub detail: Option<String>,
}

/// Says how it stands with a node that must mask as the coordinator does.
pub fn line(node: String, found: &Found, coordinator: &Keys, version: &str) -> Line {
    let (status, detail) = judged(found, coordinator, version);
    let fingerprint = match found {
        Found::Keys(keys) => keys.masking().map(str::to_owned),
        _ => None,
    };
    Line {
        node,
        status,
        fingerprint,
        detail,
    }
}

fn judged(found: &Found, coordinator: &Keys, version: &str) -> (Status, Option<String>) {
    let fail = |why: String| (Status::Fail, Some(why));
    let keys = match found {
        Found::Inactive => return fail("it is not active: activate it, then set it up".to_owned()),
        Found::Failed(why) => return fail(why.clone()),
        Found::Absent => {
            return fail(
                "the extension is missing: run CREATE EXTENSION confiture there".to_owned(),
            );
        }
        Found::OtherVersion(other) => {
            return fail(format!(
                "the extension has version {other} there and {version} on the coordinator: \
                 run ALTER EXTENSION confiture UPDATE"
            ));
        }
        Found::Keys(keys) => keys,
    };
    if let Some(problem) = &keys.problem {
        return fail(problem.clone());
    }
    if coordinator.problem.is_some() || coordinator.masking().is_none() {
        return fail("the coordinator has no masking key that can be used".to_owned());
    }
    let steps = missing(keys, coordinator);
    if steps.is_empty() {
        return (Status::Ok, None);
    }
    (Status::ToDo, listed(&steps, Step::to_do))
}

/// Steps in one sentence; `None` without one.
pub fn listed(steps: &[Step], word: fn(&Step) -> String) -> Option<String> {
    let words: Vec<_> = steps.iter().map(word).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// What a node said, as a part of a line: the words without the label, cut, on one line.
pub fn words(said: &str) -> String {
    const LONGEST: usize = 300;
    let said = said.trim_start_matches("ERROR:").trim();
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    said.chars().map(plain).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(signs: bool, masks: &[(&str, &str)]) -> Keys {
        Keys {
            problem: None,
            signs,
            masks: masks
                .iter()
                .map(|(purpose, fingerprint)| ((*purpose).to_owned(), (*fingerprint).to_owned()))
                .collect(),
        }
    }

    fn said(found: &Found, coordinator: &Keys) -> (Status, String) {
        let line = line("n".to_owned(), found, coordinator, "2");
        (line.status, line.detail.unwrap_or_default())
    }

    #[test]
    fn citus_says_of_a_node_what_is_missing() {
        let coordinator = keys(true, &[("masking", "aa"), ("salt-people", "cc")]);
        let own = ("salt-of-its-own", "dd");
        for (found, status, detail) in [
            (
                keys(true, &[("masking", "aa"), ("salt-people", "cc"), own]),
                Status::Ok,
                "",
            ),
            (
                keys(true, &[("salt-people", "cc")]),
                Status::ToDo,
                "share the key for \"masking\"",
            ),
            (
                keys(false, &[("masking", "bb")]),
                Status::ToDo,
                "make a key that signs; share the key for \"masking\", in the place of another; \
                 share the key for \"salt-people\"",
            ),
        ] {
            let found = Found::Keys(found);
            assert_eq!(said(&found, &coordinator), (status, detail.to_owned()));
        }
    }

    #[test]
    fn citus_sets_up_no_node_that_it_cannot() {
        let coordinator = keys(true, &[("masking", "aa")]);
        let broken = Found::Keys(Keys {
            problem: Some("no key provider is set up".to_owned()),
            ..Keys::default()
        });
        for (found, part) in [
            (Found::Inactive, "not active"),
            (Found::Failed("failed to connect".to_owned()), "connect"),
            (Found::Absent, "CREATE EXTENSION"),
            (Found::OtherVersion("1".to_owned()), "version 1 there and 2"),
            (broken, "provider"),
        ] {
            let (status, detail) = said(&found, &coordinator);
            assert_eq!(status, Status::Fail);
            assert!(detail.contains(part), "{detail}");
        }
        let unlike = Keys {
            problem: Some("the key file has gone".to_owned()),
            ..coordinator.clone()
        };
        for nothing in [keys(true, &[("salt-people", "cc")]), unlike] {
            let (status, detail) = said(&Found::Keys(coordinator.clone()), &nothing);
            assert_eq!(status, Status::Fail);
            assert!(detail.contains("the coordinator has no masking key"));
        }
    }

    #[test]
    fn citus_makes_what_signs_before_it_shares() {
        let steps = missing(&keys(false, &[]), &keys(true, &[("masking", "aa")]));
        assert_eq!(steps, [Step::Sign, Step::Share("masking".to_owned())]);
    }

    #[test]
    fn citus_shows_what_a_node_said_on_one_short_line() {
        assert_eq!(words("ERROR:  no key\nDETAIL"), "no key DETAIL");
        assert_eq!(words(&"ä".repeat(1000)).chars().count(), 300);
    }
}
