//! Rules of law as data: instruments, requirements, controls, conflicts and calendars.
//!
//! They are written in YAML. The documents in `rules/` are compiled in; one of the same name with a
//! higher version can be loaded, so that the law can change without a new library. All that are in
//! use together make one set, of which every reference is checked.
//!
//! Nothing in a document is run: triggers, evidence and the detection of conflicts are words for
//! functions that are compiled in.

pub mod almanac;
pub mod assemble;
pub mod fields;
pub mod parameter;
pub mod read;
pub mod shipped;
pub mod sql;
pub mod store;
#[cfg(test)]
pub(in crate::compliance) mod tests;
pub mod version;
pub mod words;

use serde_json::Value;

use super::calendar::{Calendar, Span};
use parameter::Params;
use version::Version;

pub use words::{
    Actor, Detect, Kind, Operator, Origin, Owner, PenaltyClass, Proof, Relation, Review, Standing,
    Trigger,
};

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its name; a document takes the place of another of the same name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What it is about.
    pub title: String,
    /// Who wrote its mappings.
    pub author: String,
    /// SHA-256 of its text.
    pub hash: [u8; 32],
    /// Its calendars.
    pub calendars: Vec<Calendar>,
    /// Its instruments.
    pub instruments: Vec<Instrument>,
    /// Its requirements.
    pub requirements: Vec<Requirement>,
    /// Its controls.
    pub controls: Vec<Control>,
    /// Its conflicts.
    pub conflicts: Vec<Conflict>,
}

/// The set in use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// The names and versions of its documents, in order.
    pub documents: Vec<(String, Version)>,
    /// SHA-256 over the hashes of the documents.
    pub hash: [u8; 32],
    /// By code.
    pub calendars: Vec<Calendar>,
    /// By code.
    pub instruments: Vec<Instrument>,
    /// By id.
    pub requirements: Vec<Requirement>,
    /// By id.
    pub controls: Vec<Control>,
    /// By id.
    pub conflicts: Vec<Conflict>,
}

/// A law, or what was made under one.
#[derive(Clone, Debug, PartialEq)]
pub struct Instrument {
    /// Its code.
    pub code: String,
    /// Its name.
    pub title: String,
    /// Where it holds.
    pub jurisdiction: String,
    /// How it is cited.
    pub citation: String,
    /// The calendar of its deadlines.
    pub calendar: String,
    /// Its first day: that of every requirement without one of its own.
    pub from: Option<i64>,
    /// What it does not cover although one might think so.
    pub note: Option<String>,
}

/// What a law asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// Its id.
    pub id: String,
    /// The code of the law.
    pub instrument: String,
    /// Where it holds: that of the instrument.
    pub jurisdiction: String,
    /// Its place in the law.
    pub cite: String,
    /// What it asks for.
    pub title: String,
    /// Whom it binds.
    pub actor: Actor,
    /// Of what kind it is.
    pub kind: Kind,
    /// When it applies.
    pub trigger: Trigger,
    /// From how many people on: affected by an incident, of what is asked when something went wrong;
    /// in a year, of all else.
    pub at_least: Option<i64>,
    /// The rights that it is about, where it is about requests; all but complaints where none is named.
    pub rights: Vec<String>,
    /// What it asks for in numbers and names.
    pub params: Params,
    /// On what ground the law lets nobody be told; where there is none, no reason excuses.
    pub excuse: Option<String>,
    /// What a breach of it costs.
    pub penalty: Option<Penalty>,
    /// Whether it is law.
    pub standing: Standing,
    /// Its first day.
    pub from: Option<i64>,
    /// Its last day.
    pub until: Option<i64>,
    /// When somebody held this row against the official text, and who; `None` where nobody did.
    pub text_checked: Option<(String, String)>,
    /// Where the row comes from.
    pub origin: Origin,
    /// What else is to be known.
    pub note: Option<String>,
    /// What covers it.
    pub mappings: Vec<Mapping>,
    /// Controls that cover it together, as a reviewer said.
    pub jointly: Vec<Joint>,
}

/// What a breach costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Penalty {
    /// How much, roughly.
    pub class: PenaltyClass,
    /// In words.
    pub text: String,
    /// Its place in the law.
    pub cite: Option<String>,
    /// The first day on which it can be imposed.
    pub from: Option<i64>,
    /// The last day on which the amount is known to hold.
    pub until: Option<i64>,
}

impl Penalty {
    /// Its text as of a day: none before it can be imposed; after the day until which its amount is
    /// known, it says so.
    pub fn on(&self, day: i64) -> Option<String> {
        if self.from.is_some_and(|from| day < from) {
            return None;
        }
        Some(match self.until.filter(|until| *until < day) {
            Some(until) => format!(
                "{}; the amounts are known until {} and may be others since",
                self.text,
                read::shown_day(until)
            ),
            None => self.text.clone(),
        })
    }
}

/// What a control is to a requirement.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// The control.
    pub control: String,
    /// How they relate.
    pub relation: Relation,
    /// What its evidence is asked for this requirement: an object of arguments by the names of the
    /// functions, or null.
    pub with: Value,
    /// Why.
    pub rationale: String,
    /// Who says so.
    pub author: String,
    /// Whether somebody else looked at it.
    pub review: Review,
}

/// Controls that together cover a requirement; they count only once reviewed.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    /// The controls.
    pub controls: Vec<String>,
    /// Why they do.
    pub rationale: String,
    /// Whether somebody else agrees.
    pub review: Review,
}

/// What is done to meet requirements.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// Its id.
    pub id: String,
    /// What is done.
    pub title: String,
    /// How much it takes, beside others.
    pub cost: u32,
    /// Who does it.
    pub owner: Owner,
    /// The parameters it can be set by.
    pub takes: Vec<String>,
    /// What shows that it is done.
    pub evidence: Vec<Shown>,
    /// What closes a gap: a command, or what the controller declares where.
    pub closes: String,
}

/// What shows that a control is in place.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The name of the function.
    pub name: String,
    /// Its arguments: an object, or null.
    pub with: Value,
    /// Of what kind it is.
    pub kind: Proof,
    /// How old it may be.
    pub max_age: Option<Span>,
}

/// Where laws pull apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// Its id.
    pub id: String,
    /// In what they do.
    pub dimension: String,
    /// The requirements on its sides.
    pub between: Vec<String>,
    /// Those on the other side, where there is one: without a requirement of each side, of two
    /// jurisdictions, there is no conflict.
    pub against: Vec<String>,
    /// How many jurisdictions of them it takes.
    pub sides: usize,
    /// What tells whether it is there.
    pub detect: Detect,
    /// How it is resolved.
    pub operator: Operator,
    /// The rule.
    pub resolution: String,
    /// What remains.
    pub residual: Option<String>,
}

impl Requirement {
    /// Whether it is law on a day, in the word of rules: what was enacted for a later day is in force
    /// from its first one on, and no law after its last one.
    pub fn standing_on(&self, day: i64) -> Standing {
        match self.standing {
            Standing::InForce | Standing::Future => {
                if self.from.is_some_and(|from| day < from) {
                    Standing::Future
                } else if self.until.is_some_and(|last| day > last) {
                    Standing::Repealed
                } else {
                    Standing::InForce
                }
            }
            other => other,
        }
    }

    /// Whether it is law on a day; with `proposed`, what is no law yet counts too.
    pub fn holds_on(&self, day: i64, proposed: bool) -> bool {
        let is_law = match self.standing {
            Standing::InForce | Standing::Future => true,
            Standing::Proposed => proposed,
            Standing::Repealed => false,
        };
        is_law
            && self.from.is_none_or(|from| from <= day)
            && self.until.is_none_or(|last| day <= last)
    }
}

impl Rules {
    /// A requirement.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        find(&self.requirements, id, |requirement| &requirement.id)
    }

    /// A control.
    pub fn control(&self, id: &str) -> Option<&Control> {
        find(&self.controls, id, |control| &control.id)
    }

    /// An instrument.
    pub fn instrument(&self, code: &str) -> Option<&Instrument> {
        find(&self.instruments, code, |instrument| &instrument.code)
    }

    /// A calendar.
    pub fn calendar(&self, code: &str) -> Option<&Calendar> {
        find(&self.calendars, code, |calendar| &calendar.code)
    }

    /// The calendar of a requirement.
    pub fn calendar_of(&self, requirement: &Requirement) -> Option<&Calendar> {
        self.calendar(&self.instrument(&requirement.instrument)?.calendar)
    }

    /// The jurisdictions, in order.
    pub fn jurisdictions(&self) -> Vec<&str> {
        let mut found: Vec<&str> = self
            .instruments
            .iter()
            .map(|instrument| instrument.jurisdiction.as_str())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The set in one line: its documents with their versions, and the beginning of its hash.
    pub fn version(&self) -> String {
        let parts: Vec<_> = self
            .documents
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        format!("{} ({})", parts.join(", "), hex::encode(&self.hash[..8]))
    }
}

/// One of a sorted list.
fn find<'a, T>(list: &'a [T], key: &str, of: impl Fn(&T) -> &String) -> Option<&'a T> {
    let place = list.binary_search_by(|item| of(item).as_str().cmp(key));
    place.ok().and_then(|place| list.get(place))
}
