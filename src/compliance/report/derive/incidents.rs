//! Incidents: what a notice or a register says of each, and what protected the data then.

use serde_json::{Map, Value, json};

use super::counted_everywhere;
use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::evidence::functions::REGISTER;
use crate::compliance::incident::reason_of;
use crate::compliance::report::definition::{Found, Status};
use crate::compliance::rules::parameter::Addressee;
use crate::error::counted;

/// These fields of each incident; missing where one lacks one. `field.BR` is what a field says of one
/// jurisdiction.
pub fn fields(facts: &Facts, asked: &[&'static str]) -> Found {
    if facts.controller.of("incident").next().is_none() {
        return none();
    }
    let of: Vec<_> = facts.controller.of("incident").collect();
    let found = listed(&of, asked);
    everywhere(facts, found)
}

/// These fields of each incident that somebody is told of; where a reason not to tell him is declared, and
/// no field says when he was, that reason.
pub fn notices(facts: &Facts, to: Addressee, when: &str, asked: &[&'static str]) -> Found {
    let of: Vec<_> = facts.controller.of("incident").collect();
    if of.is_empty() {
        return none();
    }
    let found = listed_by(&of, |fact| match reason_of(to) {
        Some(reason) if fact.has(reason) && !fact.has(when) => vec![reason],
        _ => asked.to_vec(),
    });
    everywhere(facts, found)
}

pub(super) fn none() -> Found {
    Found::missing(
        "controller",
        "incidents",
        "Declare the incidents, section incidents.",
    )
}

/// Says which incidents count in the report of every law.
fn everywhere(facts: &Facts, found: Found) -> Found {
    let of = facts.controller.of("incident");
    match counted_everywhere(of, "incident") {
        Some(note) => found.noting(note),
        None => found,
    }
}

/// Until when authorities and persons had to be told, computed from the moments that were declared.
pub fn deadlines(facts: &Facts) -> Found {
    let timers = &facts.inventory.timers;
    if timers.is_empty() {
        return Found {
            status: Status::NotApplicable,
            ..Found::missing(
                "rules and controller",
                SQL,
                "No declared incident starts a timer here.",
            )
        };
    }
    let is = |timer: &Value, word: &str| timer["status"] == word;
    let ran_out = || {
        let timers = timers.iter();
        timers.filter(|(.., timer)| is(timer, "overdue") && timer["excused"] != true)
    };
    let mut overdue: Vec<&str> = ran_out().map(|(incident, ..)| incident.as_str()).collect();
    overdue.dedup();
    let is_late = timers.iter().any(|(.., timer)| is(timer, "late"));
    // The moments are the controller's word.
    let value: Vec<_> = timers.iter().map(|(.., timer)| timer.clone()).collect();
    let mut found = Found {
        source: "rules and controller",
        ..Found::declared(value.into(), SQL)
    };
    if is_late {
        found = found.noting("A deadline had passed when they were told.");
    }
    if !overdue.is_empty() {
        // Not every law takes a reason for telling nobody, and one is not that of the other.
        let reasons = [Addressee::Authority, Addressee::Subjects]
            .into_iter()
            .filter(|to| {
                ran_out().any(|(.., timer)| {
                    timer["can_be_excused"] == true && timer["addressee"] == to.name()
                })
            })
            .filter_map(reason_of);
        let reasons: Vec<_> = reasons.collect();
        let or = match reasons.is_empty() {
            true => String::new(),
            false => format!(", or declare {}", reasons.join(" and ")),
        };
        found = found.open(format!(
            "A deadline of {} has passed: tell them{or}.",
            overdue.join(", ")
        ));
    }
    everywhere(facts, found)
}

const SQL: &str = "confiture.incident_deadlines()";

/// What protected the tables of each incident when it happened: the entries of the ledger before it.
pub fn protection(facts: &Facts) -> Found {
    let protections = &facts.inventory.protections;
    let of = facts.controller.of("incident");
    let silent: Vec<_> = of
        .filter(|fact| !protections.iter().any(|(known, _)| *known == fact.id))
        .map(|fact| fact.id.as_str())
        .collect();
    if protections.is_empty() {
        return Found::missing(
            "ledger and controller",
            "incidents, confiture.lineage",
            "Declare the tables of each incident, and when it happened.",
        );
    }
    let (mut bare_of, mut read_of) = (Vec::new(), Vec::new());
    let mut unseen_of = Vec::new();
    let mut value = Map::new();
    for (incident, steps) in protections {
        // What a script says of itself protects nothing.
        let (said, steps): (Vec<_>, Vec<_>) =
            steps.iter().partition(|step| step.origin == "declared");
        if steps.is_empty() {
            bare_of.push(incident.as_str());
        }
        let tables = facts
            .controller
            .find("incident", incident)
            .map(|fact| fact.list("tables"))
            .unwrap_or_default();
        let masked: Vec<_> = steps
            .iter()
            .map(|step| {
                json!({
                    "column": format!("{}.{}.{}", step.target, step.table, step.column),
                    "strategy": format!("{} {}", step.strategy, step.version),
                    "standing": step.standing().word(), "reason": step.standing().reason(),
                    "run": step.run_id, "at": step.finished_at,
                })
            })
            .collect();
        let is_masked = |name: &str| {
            steps
                .iter()
                .any(|step| format!("{}.{}.{}", step.target, step.table, step.column) == name)
        };
        let bare = facts
            .inventory
            .personal()
            .filter(|column| {
                tables.contains(&format!("{}.{}", column.schema, column.table).as_str())
                    && !is_masked(&column.shown())
            })
            .map(|column| column.shown());
        let bare: Vec<_> = bare.collect();
        if !bare.is_empty() && !steps.is_empty() {
            read_of.push(format!(
                "{} of {incident}",
                counted(bare.len() as u64, "column")
            ));
        }
        let said = said
            .iter()
            .map(|step| format!("{}.{}.{}", step.target, step.table, step.column));
        // What could be read of a table that is not looked at, or is there no more, nobody can say.
        let unseen: Vec<_> = tables
            .iter()
            .filter(|table| !facts.inventory.has_table(table))
            .map(|table| (*table).to_owned())
            .collect();
        if !unseen.is_empty() {
            unseen_of.push(format!("{} of {incident}", unseen.join(", ")));
        }
        value.insert(
            incident.clone(),
            json!({
                "masked_before": masked, "readable": super::some(bare.into_iter(), 50),
                "readable_as_of": facts.inventory.made_at,
                "masked_as_a_script_says": super::some(said, 50),
                "not_looked_at": super::some(unseen.into_iter(), 50),
            }),
        );
    }
    let mut found = Found::evidenced(
        Value::Object(value),
        "ledger and controller",
        "confiture.lineage, confiture.verify_ledger()",
    );
    if !bare_of.is_empty() {
        found = found.open(format!(
            "The ledger shows nothing that protected the tables of {}.",
            bare_of.join(", ")
        ));
    }
    if !read_of.is_empty() {
        read_of.truncate(20);
        found = found.open(format!(
            "Personal columns were not masked and could be read: {}.",
            read_of.join(", ")
        ));
    }
    if !unseen_of.is_empty() {
        unseen_of.truncate(20);
        found = found.open(format!(
            "What could be read is not known of {}: such tables are outside the scope, or are there \
             no more.",
            unseen_of.join("; ")
        ));
    }
    if !silent.is_empty() {
        found = found.open(format!(
            "Declare the tables of {}, and when it happened.",
            silent.join(", ")
        ));
    }
    let found = found.noting(
        "Masked columns were unintelligible to whoever had the tables and not the keys; readable \
         ones, of the tables as they are now, were not.",
    );
    // No catalog of another day is kept: which columns there are is known of now.
    match facts.is_before_catalog() {
        false => found,
        true => found.stale(format!(
            "Which columns are readable is as of {} UTC, and not of {}.",
            facts.inventory.made_at, facts.day
        )),
    }
}

/// Why some notice in Brazil was late; nothing is asked where none was, by the days of its calendar.
pub fn delay(facts: &Facts) -> Found {
    let missed: Vec<&Fact> = facts
        .controller
        .of("incident")
        .filter(|fact| {
            let mut timers = facts.inventory.timers.iter();
            timers.any(|(incident, _, timer)| {
                *incident == fact.id
                    && timer["addressee"] == "authority"
                    && match timer["status"].as_str() {
                        Some("late") => true,
                        Some("overdue") => timer["excused"] != true,
                        _ => false,
                    }
            })
        })
        .collect();
    if missed.is_empty() {
        return Found::not_asked(SQL, "No notice to the authority is late.");
    }
    listed(&missed, &["delay_reasons"])
}

/// These fields of these incidents.
fn listed(of: &[&Fact], asked: &[&'static str]) -> Found {
    listed_by(of, |_| asked.to_vec())
}

/// What is asked of each of these incidents.
fn listed_by(of: &[&Fact], asked: impl Fn(&Fact) -> Vec<&'static str>) -> Found {
    let mut open = Vec::new();
    let mut value = Map::new();
    for incident in of {
        let mut own = Map::new();
        for field in asked(incident) {
            match incident.fields.get(field) {
                Some(found) => {
                    own.insert(field.to_owned(), found.clone());
                }
                None => open.push(format!("{} of {}", field, incident.id)),
            }
        }
        value.insert(incident.id.clone(), Value::Object(own));
    }
    let found = Found::declared(Value::Object(value), "incidents");
    if open.is_empty() {
        return found;
    }
    open.truncate(20);
    found.open(format!("Declare {}.", open.join(", ")))
}

/// What Resolution CD/ANPD 15/2024, Article 10, wants on the register of each incident: the form and
/// content of what was told, or why nothing was.
pub fn register_of_brazil(facts: &Facts) -> Found {
    const ASKED: [&str; 6] = [
        "known_at",
        "circumstances",
        "categories",
        "subjects_affected",
        "risks",
        "measures_after",
    ];
    const REASONS: [&str; 2] = ["no_authority_notice_reason", "no_subjects_notice_reason"];
    let of: Vec<&Fact> = facts.controller.of("incident").collect();
    if of.is_empty() {
        return register(facts);
    }
    // Who told some has form and content of that, and the reason for which he did not tell the others.
    let found = listed_by(&of, |fact| {
        let reasons = REASONS.into_iter().filter(|field| fact.has(field));
        let reasons: Vec<_> = reasons.collect();
        let told: &[&str] = match reasons.len() {
            2 => &[],
            _ => &["notice_form", "notice_content"],
        };
        [&ASKED, told, &reasons].concat()
    });
    everywhere(facts, found)
}

/// Where a public notice stands for those that were not told one by one.
pub fn public_notice(facts: &Facts) -> Found {
    let untold: Vec<&Fact> = facts
        .controller
        .of("incident")
        .filter(|fact| !fact.has("subjects_notified_at") && !fact.has("no_subjects_notice_reason"))
        .collect();
    let public = || {
        facts
            .controller
            .of("incident")
            .filter(|fact| fact.has("public_notice"))
    };
    if untold.is_empty() && public().next().is_none() {
        return Found::not_asked(
            "incidents",
            "Those whose data they are were told one by one.",
        );
    }
    let mut of = untold;
    of.extend(public().filter(|fact| fact.has("subjects_notified_at")));
    listed(&of, &["public_notice"])
}

/// Whether those whose data they are were told, or why not.
pub fn individuals(facts: &Facts) -> Found {
    let (silent, told): (Vec<&Fact>, Vec<&Fact>) =
        facts.controller.of("incident").partition(|fact| {
            !fact.has("subjects_notified_at") && fact.has("no_subjects_notice_reason")
        });
    if silent.is_empty() && told.is_empty() {
        return none();
    }
    let mut found = listed(&told, &["subjects_notified_at"]);
    if found.status == Status::Missing {
        found = found.noting("Or declare no_subjects_notice_reason.");
    }
    let other = listed(&silent, &["no_subjects_notice_reason"]);
    if let (Value::Object(value), Value::Object(more)) = (&mut found.value, other.value) {
        value.extend(more);
    }
    everywhere(facts, found)
}

/// The register of every incident.
pub fn register(facts: &Facts) -> Found {
    let procedure = facts
        .controller
        .with("measure", "kind", "breach_procedure")
        .next();
    let of: Vec<_> = facts.controller.of("incident").collect();
    if of.is_empty() {
        return match procedure {
            Some(procedure) => Found::declared(
                json!({"incidents": 0, "procedure": procedure.id}),
                "incidents, measures",
            ),
            None => Found::missing(
                "controller",
                "incidents, measures",
                "Declare the incidents, or a measure of kind breach_procedure where there was none.",
            ),
        };
    }
    let open = |fact: &Fact| {
        REGISTER
            .iter()
            .copied()
            .filter(|field| !fact.has(field))
            .collect()
    };
    let mut gaps = Vec::new();
    let incidents: Vec<_> = of
        .iter()
        .map(|fact| {
            let open: Vec<&str> = open(fact);
            if !open.is_empty() {
                gaps.push(format!("{} of {}", open.join(", "), fact.id));
            }
            json!({
                "incident": fact.id, "known_at": fact.word("known_at"),
                "closed_on": fact.word("closed_on"), "not_declared": open,
            })
        })
        .collect();
    let mut found = Found::declared(json!({"incidents": incidents}), "incidents");
    if !gaps.is_empty() {
        gaps.truncate(20);
        found = found.open(format!("Declare {}.", gaps.join("; ")));
    }
    everywhere(facts, found)
}
