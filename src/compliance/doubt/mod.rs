//! Doubts: what is to be known of the facts that an answer rests on, in the words that reports use.
//!
//! A gap, a conflict and a timer are reckoned from facts as they stand. Here stands which of these facts
//! are somebody's word only, are stale, do not hold on the day, are not on record, or are contradicted.

pub mod against;
#[cfg(test)]
mod tests;

use std::fmt;

use super::Facts;
use super::controller::Fact;
use super::evidence::functions::is_stale;
use super::evidence::{Evidence, State};
use super::inventory::Treatment;
use super::matrix::trigger::Applies;
use crate::error::counted;

/// What kind of doubt it is, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Another fact, or the database, says otherwise.
    Contradicted,
    /// The ledger does not say that it was declared so.
    Unrecorded,
    /// It does not hold on the day that is asked about.
    NotInForce,
    /// It is too old, or of another time than is asked about.
    Stale,
    /// It was not said, and something was taken in its place.
    Missing,
    /// What a run left may be there no more.
    Unproved,
    /// It is the controller's word, and nothing else.
    Declared,
}

impl Word {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contradicted => "contradicted",
            Self::Unrecorded => "unrecorded",
            Self::NotInForce => "not in force",
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::Unproved => "unproved",
            Self::Declared => "declared",
        }
    }
}

/// A doubt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// Its kind.
    pub word: Word,
    /// Of what, and why.
    pub what: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.word.name(), self.what)
    }
}

/// A doubt of a kind.
pub fn doubt(word: Word, what: impl Into<String>) -> Doubt {
    Doubt {
        word,
        what: what.into(),
    }
}

/// Facts that something rests on: those of a kind, or those of them of which a field is one of some words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    kind: &'static str,
    only: Option<(&'static str, Vec<String>)>,
}

impl Basis {
    /// All of a kind.
    pub fn all(kind: &'static str) -> Self {
        Self { kind, only: None }
    }

    /// Those of which a field is one of these words.
    pub fn with(kind: &'static str, field: &'static str, words: &[&str]) -> Self {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            kind,
            only: Some((field, words)),
        }
    }

    /// Whether a fact is one of them.
    pub fn has(&self, fact: &Fact) -> bool {
        fact.kind == self.kind
            && self.only.as_ref().is_none_or(|(field, words)| {
                let said = fact.word(field);
                said.is_some_and(|said| words.iter().any(|word| word == said))
            })
    }
}

/// What speaks against a fact, beside that it is somebody's word.
pub fn of(facts: &Facts, fact: &Fact) -> Vec<Doubt> {
    // Of most facts there is nothing to say: they need no name.
    let name = || named(fact);
    let mut found: Vec<Doubt> = against::of(facts, fact)
        .into_iter()
        .map(|why| doubt(Word::Contradicted, format!("{}: {why}", name())))
        .collect();
    if facts.records.is_doubtful(fact) {
        let why = "no entry of the ledger says that it was declared as it is stored";
        found.push(doubt(Word::Unrecorded, format!("{}: {why}", name())));
    }
    let day = facts.day.as_str();
    if fact.valid_from.as_str() > day {
        let why = format!("{} holds from {} on", name(), fact.valid_from);
        found.push(doubt(Word::NotInForce, why));
    }
    if is_stale(fact, None, day) {
        let review = fact.word("next_review").unwrap_or_default();
        let why = format!("the review of {} was due on {review}", name());
        found.push(doubt(Word::Stale, why));
    }
    found
}

/// What is to be known of facts that something rests on.
pub fn resting<'a>(facts: &Facts, on: impl Iterator<Item = &'a Fact>) -> Vec<Doubt> {
    let mut found = Vec::new();
    let mut names = Vec::new();
    for fact in on {
        found.extend(of(facts, fact));
        names.push(fact);
    }
    if let Some(what) = some(&names) {
        found.push(doubt(Word::Declared, what));
    }
    found
}

/// The same of all facts of some bases; where nothing bears it out, also which of them held once.
pub fn resting_on(facts: &Facts, bases: &[Basis], is_borne_out: bool) -> Vec<Doubt> {
    let is_one = |fact: &&Fact| bases.iter().any(|basis| basis.has(fact));
    let mut found = resting(facts, facts.controller.facts.iter().filter(is_one));
    if !is_borne_out {
        found.extend(facts.ended.facts.iter().filter(is_one).map(ended));
    }
    found
}

/// That a fact holds no more.
pub fn ended(fact: &Fact) -> Doubt {
    let end = fact.valid_to.as_deref().unwrap_or("an unknown day");
    doubt(
        Word::NotInForce,
        format!("{} held until {end}", named(fact)),
    )
}

/// What is to be known of evidence itself, by its name.
pub fn of_evidence(facts: &Facts, name: &str, evidence: &Evidence, is_older: bool) -> Vec<Doubt> {
    let mut found = Vec::new();
    if is_older {
        let at = evidence.value["at"].as_str().unwrap_or(&evidence.as_of);
        let what = format!("what {name} shows is of {at}, and older than it may be");
        found.push(doubt(Word::Stale, what));
    } else if evidence.is_stale {
        let what = format!("what {name} rests on is too old");
        found.push(doubt(Word::Stale, what));
    }
    if evidence.state == State::None {
        found.push(doubt(Word::Missing, format!("nothing is known for {name}")));
    } else if evidence.source.is_hard() && facts.is_before_catalog() {
        let what = format!(
            "what {name} shows is as of {} UTC, and not of {}",
            facts.inventory.made_at, facts.day
        );
        found.push(doubt(Word::Stale, what));
    }
    found
}

/// Columns of which nobody knows whether they are as a run left them.
pub fn of_columns(facts: &Facts) -> Vec<Doubt> {
    let columns = facts.inventory.personal();
    let of = columns.filter_map(|column| match &column.treatment {
        Treatment::Unproved(_, why) => {
            Some(doubt(Word::Unproved, format!("{}: {why}", column.shown())))
        }
        _ => None,
    });
    of.collect()
}

/// What is to be known of whether a requirement applies.
pub fn of_trigger(requirement: &str, applies: &Applies) -> Option<Doubt> {
    applies.is_assumed().then(|| {
        let what = format!("whether {requirement} applies: {}", applies.why);
        doubt(Word::Missing, what)
    })
}

/// Doubts as rows show them, each once, the gravest first.
pub fn lines(mut doubts: Vec<Doubt>) -> Vec<String> {
    const MOST: usize = 20;
    doubts.sort();
    doubts.dedup();
    let more = doubts.len().saturating_sub(MOST);
    doubts.truncate(MOST);
    let mut lines: Vec<String> = doubts.iter().map(Doubt::to_string).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// A fact, as people know it.
pub fn named(fact: &Fact) -> String {
    format!("{} {}", fact.kind.replace('_', " "), fact.id)
}

/// The names of the first facts, and how many more there are.
fn some(facts: &[&Fact]) -> Option<String> {
    const MOST: usize = 5;
    let names: Vec<_> = facts.iter().take(MOST).map(|fact| named(fact)).collect();
    let more = facts.len().saturating_sub(MOST);
    match (names.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(names.join(", ")),
        (false, more) => Some(format!(
            "{} and {} more",
            names.join(", "),
            counted(more as u64, "fact")
        )),
    }
}
