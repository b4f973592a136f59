//! The functions. Each looks at one thing, and says what would close the gap: `database` at what the
//! database and the ledger show, `controller` at what is declared.

pub mod consent;
pub mod controller;
pub mod database;
#[cfg(test)]
mod tests;

use serde_json::Value;

use self::consent::consent_recorded;
use self::controller::{
    assessment_fresh, breach_register, declared, dsar_metrics, incident_deadlines,
    measure_declared, recipients_documented, responsible_person, retention_documented,
    ropa_completeness, transfers_documented,
};
use self::database::{
    access_control, classified_share, encryption_in_transit, last_verification, ledger_verified,
    mask_coverage, overdue_rows, runs_verified,
};
use super::{Evidence, Function, Source, State};
use crate::compliance::Facts;
use crate::compliance::calendar::{Span, months_after};
use crate::compliance::controller::Fact;
use crate::strategies::calendar::parse_date;

/// Every function, by name: name, function, what it looks at.
pub const ALL: &[(&str, Function, &str)] = &[
    (
        "access_control",
        access_control,
        "who may read personal columns, and what is declared of it",
    ),
    (
        "assessment_fresh",
        assessment_fresh,
        "assessments of the kinds asked for, their next review, and what they must say",
    ),
    (
        "breach_register",
        breach_register,
        "incidents, and whether each says what a register must",
    ),
    (
        "classified_share",
        classified_share,
        "personal columns with a declared sensitivity",
    ),
    (
        "consent_recorded",
        consent_recorded,
        "activities that rest on consent, where it is kept, and rows that lack it",
    ),
    (
        "declared",
        declared,
        "facts of a kind that the controller declares",
    ),
    (
        "dsar_metrics",
        dsar_metrics,
        "rights requests of twelve months and open ones, and whether each has its answer in time",
    ),
    (
        "encryption_in_transit",
        encryption_in_transit,
        "whether connections must be encrypted",
    ),
    (
        "incident_deadlines",
        incident_deadlines,
        "incidents, and whether authorities and persons were told in time",
    ),
    (
        "last_verification",
        last_verification,
        "when the ledger was verified last, on record",
    ),
    (
        "ledger_verified",
        ledger_verified,
        "what the verification of the ledger finds now",
    ),
    (
        "mask_coverage",
        mask_coverage,
        "personal columns of masked schemas that are masked",
    ),
    (
        "measure_declared",
        measure_declared,
        "measures of the kinds asked for",
    ),
    (
        "overdue_rows",
        overdue_rows,
        "rows that are older than a retention rule allows",
    ),
    (
        "recipients_documented",
        recipients_documented,
        "recipients, beside the ways out that the catalog shows",
    ),
    (
        "responsible_person",
        responsible_person,
        "whether a role is filled, and what is asked of who fills it",
    ),
    (
        "retention_documented",
        retention_documented,
        "retention rules for every category of personal data and its activities",
    ),
    (
        "ropa_completeness",
        ropa_completeness,
        "the record of processing, letter by letter",
    ),
    (
        "runs_verified",
        runs_verified,
        "runs whose checks all passed",
    ),
    (
        "transfers_documented",
        transfers_documented,
        "transfers with their mechanism and safeguards",
    ),
];

fn evidence(
    facts: &Facts,
    state: State,
    value: Value,
    source: Source,
    reference: &str,
) -> Evidence {
    let as_of = match source {
        Source::Controller => facts.day.clone(),
        _ => facts.inventory.made_at.clone(),
    };
    Evidence {
        state,
        is_stale: false,
        value,
        as_of,
        source,
        reference: reference.to_owned(),
        remedy: None,
    }
}

impl Evidence {
    fn unless_passed(mut self, remedy: impl Into<String>) -> Self {
        if self.state != State::Pass {
            self.remedy = Some(remedy.into());
        }
        self
    }

    /// What is there is too old to bear it out.
    fn stale_where(mut self, is_stale: bool) -> Self {
        self.is_stale = is_stale && self.state != State::Pass;
        self
    }
}

/// Pass where all are there, part where some are, fail where none is; nothing known of none at all.
fn share(met: usize, of: usize) -> State {
    match (met, of) {
        (_, 0) => State::None,
        (met, of) if met >= of => State::Pass,
        (0, _) => State::Fail,
        _ => State::Part,
    }
}

/// A list of words out of the parameters: one, several or none.
pub fn words<'a>(parameters: &'a Value, name: &str) -> Vec<&'a str> {
    match &parameters[name] {
        Value::String(word) => vec![word],
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Names, of which no more than these are shown one by one.
fn some(names: impl Iterator<Item = String>) -> Value {
    const MOST: usize = 50;
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.into()
}

fn ids<'a>(facts: impl Iterator<Item = &'a Fact>) -> Value {
    some(facts.map(|fact| fact.id.clone()))
}

/// Measures that are acts, done again and again: nobody knows when without their day.
const ACTS: [&str; 4] = ["audit", "policy_review", "testing", "training"];

/// Whether the law wants an act again after some time, and nobody says when it was done.
pub fn is_undated(fact: &Fact, every: Option<Span>) -> bool {
    let is_act = fact.word("kind").is_some_and(|kind| ACTS.contains(&kind));
    every.is_some() && is_act && !fact.has("date")
}

/// Whether the next review of a fact has passed, or it is older than the law lets it be.
pub fn is_stale(fact: &Fact, every: Option<Span>, day: &str) -> bool {
    fact.word("next_review").is_some_and(|review| review < day)
        || every
            .zip(fact.word("date"))
            .is_some_and(|(span, date)| is_past(date, span, day))
}

/// How often something is to be done, by the parameters.
fn every(parameters: &Value) -> Option<Span> {
    parameters["every"].as_str().and_then(Span::read)
}

/// Whether a span that began on a day is over on another.
fn is_past(from: &str, span: Span, today: &str) -> bool {
    let day = |text: &str| parse_date(text).map(i64::from);
    let (Some(from), Some(today)) = (day(from), day(today)) else {
        return false;
    };
    match span {
        Span::Months(months) => months_after(from, months) < today,
        Span::Days(days) => from + i64::from(days) < today,
        _ => false,
    }
}

/// What a register of incidents asks of each.
pub const REGISTER: [&str; 8] = [
    "circumstances",
    "cause",
    "categories",
    "subjects_affected",
    "risks",
    "measures_before",
    "measures_after",
    "contact",
];

/// Whole days from one day, or moment, to another.
pub fn days_between(from: &str, to: &str) -> Option<i64> {
    let day = |text: &str| text.get(..10).and_then(parse_date).map(i64::from);
    Some(day(to)? - day(from)?)
}
