//! Retention rules beside the oldest rows, and consent beside the rows that have none.

use serde_json::{Value, json};

use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::evidence::State;
use crate::compliance::evidence::functions::controller::retention_documented;
use crate::compliance::inventory::{Age, ages};
use crate::compliance::report::definition::{Found, Status};

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
pub fn consent(facts: &Facts) -> Found {
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
    let found = Found::declared(sources.into(), "consent_sources");
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
    separate_consent(facts, &["sensitive"])
}

/// The same for what others are given, or everybody.
pub fn consent_to_others(facts: &Facts) -> Found {
    let is_published = || {
        let mut activities = facts.controller.of("activity");
        activities.any(|activity| activity.is("published"))
    };
    match (facts.controller.of("recipient").next(), is_published()) {
        (None, true) => separate_consent(facts, &["publication"]),
        (Some(_), true) => separate_consent(facts, &["provision", "publication"]),
        _ => separate_consent(facts, &["provision"]),
    }
}

/// The same for what leaves the country.
pub fn consent_to_export(facts: &Facts) -> Found {
    separate_consent(facts, &["export"])
}

/// Whether another basis makes it unnecessary is no question for a database: that it is there is shown,
/// or missing.
fn separate_consent(facts: &Facts, needed: &[&str]) -> Found {
    let controller = &facts.controller;
    let is_separate = |source: &&Fact| matches!(source.word("form"), Some("separate" | "written"));
    let covered: Vec<&str> = controller
        .of("consent_source")
        .filter(is_separate)
        .flat_map(|source| source.list("covers"))
        .collect();
    let open: Vec<&str> = needed
        .iter()
        .copied()
        .filter(|what| !covered.contains(what))
        .collect();
    let found = consent(facts);
    if found.status == Status::Missing {
        return found;
    }
    if !controller
        .of("consent_source")
        .any(|source| is_separate(&source))
    {
        return found.open("Declare a consent source of form separate or written.");
    }
    if !open.is_empty() {
        return found.open(format!(
            "Declare consent sources of form separate or written that cover {}.",
            open.join(", ")
        ));
    }
    found
}
