//! Requests of data subjects, counted.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use super::counted_everywhere;
use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::doubt::{self, Doubt, Word};
use crate::compliance::incident::Status;
use crate::compliance::report::definition::Found;
use crate::compliance::request::{Term, is_withdrawn};
use crate::error::counted;

pub(super) const SECTION: &str = "rights_requests";

fn known(facts: &Facts, value: Value) -> Found {
    let of = || facts.controller.of("rights_request");
    if of().next().is_none() {
        return nobody_asked(facts, value);
    }
    let found = Found::declared(value, SECTION);
    match counted_everywhere(of(), "request") {
        Some(note) => found.noting(note),
        None => found,
    }
}

/// That nobody asked is an answer of who has a procedure for those who do.
pub(super) fn nobody_asked(facts: &Facts, value: Value) -> Found {
    let is_procedure = |fact: &&Fact| {
        let kind = fact.word("kind");
        kind.is_some_and(|kind| ["access_procedure", "complaint_procedure"].contains(&kind))
    };
    match facts.controller.of("measure").find(is_procedure) {
        Some(procedure) => Found::declared(value, "rights_requests, measures").noting(format!(
            "No request is declared here; measure {} is the procedure.",
            procedure.id
        )),
        None => none(),
    }
}

fn none() -> Found {
    Found::missing(
        "controller",
        SECTION,
        "Declare the requests, section rights_requests, or a measure of kind access_procedure where \
         there was none.",
    )
}

/// Whether each request has what a register asks of it.
pub fn register(facts: &Facts) -> Found {
    const ASKED: [&str; 4] = ["manner", "responded_on", "decision", "response"];
    let of: Vec<_> = facts.controller.of("rights_request").collect();
    let open: Vec<_> = of
        .iter()
        .filter(|fact| {
            // What was taken back has no answer.
            let asked: &[&str] = match is_withdrawn(fact) {
                true => &["manner"],
                false => &ASKED,
            };
            let is_whole = asked.iter().all(|field| fact.has(field));
            let needs_basis = fact.word("decision") == Some("denied") && !fact.has("denial_basis");
            !is_whole || needs_basis
        })
        .map(|fact| fact.id.clone())
        .collect();
    let is_open = !open.is_empty();
    let value = json!({
        "requests": of.len(), "complete": of.len() - open.len(),
        "incomplete": super::some(open.into_iter(), 50),
    });
    let found = known(facts, value);
    if is_open {
        return found.open(format!(
            "Declare {} of each request, and denial_basis of those denied.",
            ASKED.join(", ")
        ));
    }
    found
}

/// How many requests were acknowledged and answered within the terms of some requirements.
pub fn terms(facts: &Facts, requirements: &[&str]) -> Found {
    let mut value = Vec::new();
    let mut overdue = Vec::new();
    let mut unknown = Vec::new();
    let mut is_late = false;
    for requirement in requirements {
        let of: Vec<_> = facts
            .inventory
            .terms
            .iter()
            .filter(|term| term.requirement == *requirement)
            .collect();
        let count = |status: Status| of.iter().filter(|term| term.status == status).count();
        let missed = of.iter().filter(|term| term.status.is_missed());
        let ends = of.first().map_or("answer", |term| term.ends.name());
        value.push(json!({
            "requirement": requirement, "ends_with": ends, "requests": of.len(),
            "in_time": count(Status::Done), "open": count(Status::Open),
            "late": count(Status::Late), "overdue": count(Status::Overdue),
            "extended": of.iter().filter(|term| term.is_extended).count(),
            "missed": super::some(missed.map(|term| term.request.clone()), 50),
            "doubts": doubt::lines(doubts(facts, &of)),
        }));
        is_late |= count(Status::Late) > 0;
        let with = |status: Status| {
            let of = of.iter().filter(move |term| term.status == status);
            of.map(|term| term.request.as_str())
        };
        overdue.extend(with(Status::Overdue));
        unknown.extend(with(Status::Unknown));
    }
    let mut found = known(facts, value.into());
    if is_late {
        found = found.noting("Some were answered after their term.");
    }
    overdue.sort_unstable();
    overdue.dedup();
    if !overdue.is_empty() {
        overdue.truncate(20);
        found = found.open(format!("The term has run out of {}.", overdue.join(", ")));
    }
    if !unknown.is_empty() {
        unknown.dedup();
        unknown.truncate(20);
        found = found.open(format!(
            "The days of {} cannot be right.",
            unknown.join(", ")
        ));
    }
    found
}

/// What is to be known of the requests behind terms.
fn doubts(facts: &Facts, terms: &[&Term]) -> Vec<Doubt> {
    let ids: HashSet<&str> = terms.iter().map(|term| term.request.as_str()).collect();
    let of = || {
        let requests = facts.controller.of("rights_request");
        requests.filter(|request| ids.contains(request.id.as_str()))
    };
    let mut found: Vec<Doubt> = terms
        .iter()
        .find_map(|term| term.assumed.clone())
        .into_iter()
        .collect();
    found.extend(doubt::resting(facts, of()));
    let nowhere = of().filter(|request| !request.has("jurisdiction")).count();
    if nowhere > 0 {
        let what = format!("jurisdiction of {}", counted(nowhere as u64, "request"));
        found.push(doubt::doubt(Word::Missing, what));
    }
    found
}

/// Deletions that runs of this extension have carried out: runs that the ledger knows, and that ended
/// after they were asked for.
pub fn deletions(facts: &Facts) -> Found {
    let of: Vec<_> = facts
        .controller
        .with("rights_request", "right", "delete")
        .collect();
    let named = facts.inventory.runs.named.iter();
    let ended: BTreeMap<&str, &str> = named.map(|(id, day)| (id.as_str(), day.as_str())).collect();
    let is_by_run = |fact: &&&Fact| {
        let run = fact.text("run_id").map(|run| run.to_lowercase());
        let ended = run.and_then(|run| ended.get(run.as_str()).copied());
        let asked = fact.word("received_on");
        asked
            .zip(ended)
            .is_some_and(|(asked, ended)| asked <= ended)
    };
    let (by_run, other): (Vec<&&Fact>, Vec<&&Fact>) = of
        .iter()
        .filter(|fact| fact.has("run_id"))
        .partition(is_by_run);
    let ids = |of: &[&&Fact]| super::some(of.iter().map(|fact| fact.id.clone()), 50);
    let value = json!({
        "deletions": of.len(), "carried_out_by_runs": by_run.len(),
        "runs": super::some(by_run.iter().filter_map(|fact| fact.text("run_id")), 50),
        "not_on_record": ids(&other),
    });
    let found = Found {
        source: "ledger and controller",
        evidence: "rights_requests, confiture.runs".to_owned(),
        ..known(facts, value)
    };
    let found = found.noting("Copies in backups are not reached by a run: name their retention.");
    if other.is_empty() {
        return found;
    }
    let ids: Vec<_> = other.iter().take(20).map(|fact| fact.id.as_str()).collect();
    found.open(format!(
        "No run on record carried out {}: correct its run_id.",
        ids.join(", ")
    ))
}

/// The exceptions that requests were denied under.
pub fn exceptions(facts: &Facts) -> Found {
    let of: Vec<_> = facts
        .controller
        .with("rights_request", "denial_basis", "exempt")
        .collect();
    let value: Vec<_> = of
        .iter()
        .map(|fact| {
            json!({"request": fact.id, "right": fact.word("right"),
                   "exception": fact.text("exception")})
        })
        .collect();
    let open: Vec<_> = of
        .iter()
        .filter(|fact| !fact.has("exception"))
        .take(20)
        .map(|fact| fact.id.as_str())
        .collect();
    let found = known(facts, json!({"denied_as_exempt": value}));
    if open.is_empty() {
        return found;
    }
    found.open(format!("Declare the exception of {}.", open.join(", ")))
}

/// Complaints.
pub fn complaints(facts: &Facts) -> Found {
    let of: Vec<_> = facts
        .controller
        .with("rights_request", "right", "complaint")
        .collect();
    let is_open = |fact: &&&Fact| !fact.has("responded_on") && !is_withdrawn(fact);
    let open = of.iter().filter(is_open).count();
    known(facts, json!({"complaints": of.len(), "open": open}))
}
