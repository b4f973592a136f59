//! Retention rules beside the oldest rows, and consent beside the rows that have none.

use serde_json::{Value, json};

use crate::compliance::Facts;
use crate::compliance::inventory::Age;
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
    let late = facts.inventory.ages.iter().any(|age| age.is_overdue());
    let found = Found::declared(rules.into(), "retention_rules");
    if late {
        return found.noting("Rows are older than their rule allows: erase or anonymise them.");
    }
    found
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
                   "not_read": age.problem})
        })
        .collect();
    let mut found = Found::evidenced(value.into(), "database and controller", "retention_rules");
    if let Some(why) = why {
        found.note = Some(format!("Not every rule was held against its rows: {why}."));
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
    let value = json!({
        "runs": runs.completed, "columns_anonymised": super::some(done.into_iter(), 50),
    });
    Found::evidenced(value, "ledger", "confiture.runs, confiture.lineage")
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
                "form": source.text("form"), "kept_in": source.text("kept_in"),
                "notice": source.text("notice_version"), "withdrawal": source.text("withdrawal"),
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
    Found::declared(sources.into(), "consent_sources")
}

/// As above, where consent must be separate or written.
pub fn separate_consent(facts: &Facts) -> Found {
    let is_separate = facts
        .controller
        .of("consent_source")
        .any(|source| matches!(source.word("form"), Some("separate" | "written")));
    let found = consent(facts);
    if is_separate || found.status == Status::Missing {
        return found;
    }
    Found::missing(
        "controller",
        "consent_sources",
        "Declare a consent source of form separate or written.",
    )
}
