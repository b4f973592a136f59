//! What speaks against a fact: another one, or what the database shows.

use serde_json::Value;

use super::named;
use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::inventory::Column;

/// What contradicts a fact.
pub fn of(facts: &Facts, fact: &Fact) -> Vec<String> {
    match fact.kind {
        "activity" => activity(facts, fact),
        "columns" => columns(facts, fact),
        "consent_source" => consent(facts, fact),
        "incident" => incident(facts, fact),
        "recipient" => recipient(facts, fact),
        "retention_rule" => retention(facts, fact),
        "rights_request" => request(fact),
        _ => Vec::new(),
    }
}

/// Who says that nobody receives the data of an activity, and names a recipient of it.
fn activity(facts: &Facts, fact: &Fact) -> Vec<String> {
    let names_it = |other: &&Fact| other.list("activities").contains(&fact.id.as_str());
    let mut recipients = facts.controller.of("recipient").filter(names_it);
    match (fact.flag("disclosed"), recipients.next()) {
        (Some(false), Some(recipient)) => {
            vec![format!(
                "disclosed is false, and {} receives its data",
                named(recipient)
            )]
        }
        _ => Vec::new(),
    }
}

fn recipient(facts: &Facts, fact: &Fact) -> Vec<String> {
    let of = fact.list("activities");
    let activities = facts.controller.of("activity");
    activities
        .filter(|activity| of.contains(&activity.id.as_str()))
        .filter(|activity| activity.flag("disclosed") == Some(false))
        .map(|activity| format!("{} says that nobody receives its data", named(activity)))
        .collect()
}

/// Columns that are not there, and those that other facts class otherwise.
fn columns(facts: &Facts, fact: &Fact) -> Vec<String> {
    let inventory = &facts.inventory;
    let table = fact.word("table").unwrap_or_default();
    let of = |name: &str| {
        let shown = format!("{table}.{name}");
        inventory
            .columns
            .iter()
            .find(|column| column.shown() == shown)
    };
    let mut found = Vec::new();
    for name in fact.list("columns") {
        match of(name) {
            // Of what is not looked at nobody can say that it is not there.
            None if !inventory.is_scoped && inventory.columns_total > 0 => {
                found.push(format!("{table}.{name} is not there, or cannot be seen"));
            }
            None => {}
            Some(column) => found.extend(otherwise(column, fact)),
        }
    }
    found
}

fn otherwise(column: &Column, fact: &Fact) -> Option<String> {
    let declared = column.declared.as_ref()?;
    let other = if declared.id == fact.id {
        declared.against.first()?
    } else if declared.against.contains(&fact.id) {
        &declared.id
    } else {
        return None;
    };
    let name = column.shown();
    Some(format!("{name} has another sensitivity by columns {other}"))
}

/// Rows that lack the consent which a source is said to keep.
fn consent(facts: &Facts, fact: &Fact) -> Vec<String> {
    let mut read = facts.inventory.consents.iter();
    let read = read.find(|read| read.source == fact.id);
    let lacking = read.and_then(|read| read.missing).filter(|rows| *rows > 0);
    lacking
        .map(|_| "rows of its table have no consent".to_owned())
        .into_iter()
        .collect()
}

/// Rows that are kept for longer than a rule says.
fn retention(facts: &Facts, fact: &Fact) -> Vec<String> {
    let mut read = facts.inventory.ages.iter();
    let late = read.any(|read| read.rule == fact.id && read.is_overdue());
    match late {
        true => vec!["rows of its table are kept for longer".to_owned()],
        false => Vec::new(),
    }
}

/// A request is not answered before it is received.
fn request(fact: &Fact) -> Vec<String> {
    let received = fact.word("received_on");
    let is_early = |field: &&str| {
        let days = fact.word(field).zip(received);
        days.is_some_and(|(day, received)| day < received)
    };
    ["acknowledged_on", "extended_on", "responded_on"]
        .into_iter()
        .filter(is_early)
        .map(|field| format!("{field} is before received_on"))
        .collect()
}

/// What an incident says of itself twice, and what its activities and tables say otherwise.
fn incident(facts: &Facts, fact: &Fact) -> Vec<String> {
    let mut found = Vec::new();
    for (reason, told) in [
        ("no_authority_notice_reason", "authority_notified_at"),
        ("no_subjects_notice_reason", "subjects_notified_at"),
    ] {
        if !fact.has(reason) {
            continue;
        }
        if let Some(place) = both(fact, reason, told) {
            found.push(format!("{reason} and {told} are both declared{place}"));
        }
        // Each law has its own word for the weight that calls for a notice.
        for weight in [
            "high_risk",
            "real_risk_of_significant_harm",
            "significant_effect",
        ] {
            if fact.is(weight) {
                found.push(format!("{reason} is declared, and {weight} is true"));
            }
        }
    }
    found.extend(elsewhere(facts, fact));
    let inventory = &facts.inventory;
    let is_seen = !inventory.is_scoped && inventory.columns_total > 0;
    let tables = fact.list("tables").into_iter();
    for table in tables.filter(|table| is_seen && !inventory.has_table(table)) {
        found.push(format!("{table} is not there, or cannot be seen"));
    }
    found
}

/// The jurisdictions of an incident in which none of its activities is. Of one jurisdiction that is looked
/// at alone the others are left out.
fn elsewhere(facts: &Facts, fact: &Fact) -> Option<String> {
    let activities: Vec<&Fact> = fact
        .list("activities")
        .into_iter()
        .filter_map(|id| facts.controller.find("activity", id))
        .collect();
    let is_there = |place: &str| {
        activities.iter().any(|activity| {
            let of = activity.list("jurisdictions");
            of.is_empty() || of.contains(&place)
        })
    };
    if facts.jurisdiction.is_some() || activities.is_empty() {
        return None;
    }
    let mut places = fact.list("jurisdictions");
    places.retain(|place| !is_there(place));
    (!places.is_empty()).then(|| format!("no activity of it is in {}", places.join(", ")))
}

/// Whether two fields say something of one jurisdiction: which, in words.
fn both(fact: &Fact, one: &str, other: &str) -> Option<String> {
    match (fact.fields.get(one)?, fact.fields.get(other)?) {
        (Value::Object(one), Value::Object(other)) => one
            .keys()
            .find(|place| other.contains_key(*place))
            .map(|place| format!(" of {place}")),
        (Value::Object(by), _) | (_, Value::Object(by)) => {
            let places = fact.list("jurisdictions");
            let place = by.keys().find(|place| places == [place.as_str()]);
            place.map(|place| format!(" of {place}"))
        }
        _ => Some(String::new()),
    }
}
