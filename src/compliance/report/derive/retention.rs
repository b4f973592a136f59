//! Retention rules beside the oldest rows, and consent beside the rows that have none.

use serde_json::{Value, json};

use crate::compliance::Facts;
use crate::compliance::evidence::State;
use crate::compliance::evidence::functions::controller::retention_documented;
use crate::compliance::inventory::{Age, ages};
use crate::compliance::report::definition::Found;
use crate::compliance::{consent, record};

/// How many rows are too old, or why they were not counted.
fn overdue_rows(age: &Age) -> Value {
    match &age.uncounted {
        Some(why) => json!(format!("not counted: {why}")),
        None => json!(age.overdue),
    }
}

/// Each rule with its ends, and what the oldest row says to it.
pub fn rules(facts: &Facts) -> Found {
    let rules: Vec<Value> = facts
        .controller
        .of("retention_rule")
        .map(|rule| {
            let age = facts.inventory.ages.iter().find(|age| age.rule == rule.id);
            json!({
                "rule": rule.id, "category": rule.text("category"), "min": rule.text("min"),
                "max": rule.text("max"), "from": rule.text("trigger_event"),
                "action": rule.text("action"), "authority": rule.text("authority"),
                "oldest_row": age.and_then(|age| age.oldest.clone()),
                "overdue_rows": age.map(overdue_rows),
                "rows_without_a_day": age.and_then(|age| age.undated),
                "held_by": age.and_then(|age| age.hold.clone()),
                "not_read": age.and_then(|age| age.problem.clone()),
            })
        })
        .collect();
    if rules.is_empty() {
        return Found::missing(
            "controller",
            "retention_rules",
            "Declare how long each category is kept, section retention_rules.",
        );
    }
    let mut found = Found::declared(rules.into(), "retention_rules");
    if !facts.inventory.ages.is_empty() {
        found.source = "database and controller";
    }
    let covered = retention_documented(facts, &Value::Null);
    if matches!(covered.state, State::Part | State::Fail) {
        let open = covered.value["open"].as_array().into_iter().flatten();
        let open: Vec<_> = open.filter_map(Value::as_str).collect();
        found = found.open(format!(
            "Declare a retention rule with max for each category, or for all; open: {}.",
            open.join(", ")
        ));
    }
    match ages::advice(&facts.inventory.ages) {
        Some(advice) => found.noting(advice),
        None => found,
    }
}

/// Rows that are older than their rule allows.
pub fn overdue(facts: &Facts) -> Found {
    let ages = &facts.inventory.ages;
    let why = ages.iter().find_map(|age| age.problem.clone());
    if ages.iter().all(|age| age.problem.is_some()) {
        return Found::missing(
            "database and controller",
            "retention_rules",
            why.map_or_else(
                || "Name table and column in a retention rule.".to_owned(),
                |why| format!("Nothing was read: {why}."),
            ),
        );
    }
    let value: Vec<_> = ages
        .iter()
        .map(|age| {
            json!({"rule": age.rule, "oldest_row": age.oldest, "overdue_rows": overdue_rows(age),
                   "rows_without_a_day": age.undated, "held_by": age.hold,
                   "not_read": age.problem})
        })
        .collect();
    let mut found = Found::evidenced(value.into(), "database and controller", "retention_rules");
    if let Some(advice) = ages::advice(ages) {
        found = found.open(advice);
    }
    if let Some(undated) = ages::without_day(ages) {
        found = found.open(undated);
    }
    if let Some(why) = why {
        found = found.open(format!("Not every rule was held against its rows: {why}."));
    }
    if ages.iter().all(|age| age.overdue.is_none()) {
        found = found.open("No row was counted: declare max of a retention rule.");
    }
    found
}

/// What was anonymised for good, as evidence of disposal.
pub fn disposal(facts: &Facts) -> Found {
    let done: Vec<_> = facts
        .inventory
        .columns
        .iter()
        .filter(|column| column.treatment.is_anonymised())
        .map(|column| column.shown())
        .collect();
    let runs = &facts.inventory.runs;
    if runs.completed == 0 {
        return Found::missing(
            "ledger",
            "confiture.runs",
            "No run is on record: CALL confiture.sync.",
        );
    }
    let is_empty = done.is_empty();
    let value = json!({
        "runs": runs.completed, "columns_anonymised": super::some(done.into_iter(), 50),
    });
    let found = Found::evidenced(value, "ledger", "confiture.runs, confiture.lineage");
    if is_empty {
        return found.open(
            "No column was anonymised for good: what a key gives back, or confirms a guess of, is \
             not disposed of.",
        );
    }
    found
}

/// Where consent is kept, with the rows that lack it.
pub fn consents(facts: &Facts) -> Found {
    let sources: Vec<Value> = facts
        .controller
        .of("consent_source")
        .map(|source| {
            let read = facts
                .inventory
                .consents
                .iter()
                .find(|consent| consent.source == source.id);
            json!({
                "source": source.id, "activities": source.list("activity"),
                "form": source.text("form"), "covers": source.list("covers"),
                "kept_in": source.text("kept_in"), "guardian": source.text("guardian"),
                "notice": source.text("notice_version"), "notice_date": source.text("notice_date"),
                "withdrawal": source.text("withdrawal"),
                "rows": read.and_then(|read| read.rows),
                "rows_without_consent": read.and_then(|read| read.missing),
                "rows_withdrawn": read.and_then(|read| read.withdrawn),
                "not_read": read.and_then(|read| read.problem.clone()),
            })
        })
        .collect();
    if sources.is_empty() {
        return Found::missing(
            "controller",
            "consent_sources",
            "Declare where consent is kept, section consent_sources.",
        );
    }
    let mut found = Found::declared(sources.into(), "consent_sources");
    // Rows are counted now, whichever day the report is about.
    if !facts.inventory.consents.is_empty() {
        found.source = "database and controller";
    }
    let lacking = facts.inventory.consents.iter();
    let lacking = lacking.filter(|consent| consent.missing.is_some_and(|rows| rows > 0));
    let lacking: Vec<_> = lacking.map(|consent| consent.source.as_str()).collect();
    if lacking.is_empty() {
        return found;
    }
    found.open(format!(
        "Rows have no consent on record, by source {}: record it, or take them out of what rests on it.",
        lacking.join(", ")
    ))
}

/// Separate or written consent for sensitive information, as China's law wants one.
pub fn consent_to_sensitive(facts: &Facts) -> Found {
    let found = separate_consent(facts, &["sensitive"]);
    let mut orphans: Vec<_> = consent::orphans(facts).map(|of| of.shown()).collect();
    if orphans.is_empty() {
        return found;
    }
    orphans.truncate(20);
    found.open(format!(
        "Declare to which activities these columns belong, and how sensitive they are: {}.",
        orphans.join(", ")
    ))
}

/// The same for what others are given, or everybody.
pub fn consent_to_others(facts: &Facts) -> Found {
    separate_consent(facts, &["provision", "publication"])
}

/// The same for what leaves the country.
pub fn consent_to_export(facts: &Facts) -> Found {
    separate_consent(facts, &["export"])
}

/// Activity by activity: what rests on another basis needs none.
fn separate_consent(facts: &Facts, asked: &[&str]) -> Found {
    let controller = &facts.controller;
    if controller.of("activity").next().is_none() {
        return Found::missing(
            "controller",
            "activities, consent_sources",
            "Declare the activities with their legal basis, and where consent is kept, sections \
             activities and consent_sources.",
        );
    }
    let needs = consent::needs(facts, asked);
    if needs.is_empty() {
        let of = record::own(facts).map(|activity| match activity.word("legal_basis") {
            Some(basis) if consent::rests_elsewhere(activity) => {
                format!("{} rests on {}", activity.id, basis.replace('_', " "))
            }
            _ => format!("{} does no such thing, by its facts", activity.id),
        });
        let mut why: Vec<String> = of.take(20).collect();
        why.sort();
        let why = why.join(", ");
        return Found::not_asked(
            "activities",
            format!("No consent is needed, Article 13: {why}."),
        );
    }
    let value: Vec<Value> = needs
        .iter()
        .map(|need| {
            let by = need.sources.iter().map(|source| source.id.as_str());
            json!({
                "activity": need.activity.id, "legal_basis": need.activity.word("legal_basis"),
                "for": need.what, "taken_to_be_done": !need.is_known,
                "covered_by": by.collect::<Vec<_>>(),
            })
        })
        .collect();
    let sources = consents(facts);
    let value = json!({"activities": value, "sources": sources.value});
    let mut found = Found { value, ..sources };
    let open = needs.iter().filter(|need| need.sources.is_empty());
    let mut open: Vec<_> = open
        .map(|need| format!("{} of {}", need.what, need.activity.id))
        .collect();
    if !open.is_empty() {
        open.truncate(20);
        found = found.open(format!(
            "Declare consent sources of form separate or written that cover {}, or another legal basis \
             of these activities.",
            open.join(", ")
        ));
    }
    found
}
