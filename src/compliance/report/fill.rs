//! Fills the lines of a law from the facts.

use serde_json::{Map, Value, json};

use super::definition::{Applies, Ask, Found, Law, Line, Status};
use super::derive::incidents;
use super::{Field, Report};
use crate::compliance::Facts;
use crate::compliance::controller::{Fact, kinds};
use crate::compliance::evidence::functions::is_stale;
use crate::compliance::evidence::{self, Source, State};

/// The report of a law.
pub fn fill<'a>(
    law: &'static Law,
    facts: &'a Facts,
    scope: Option<Vec<String>>,
    rules: String,
) -> Report<'a> {
    let sections = law
        .sections
        .iter()
        .map(|section| {
            let fields = section
                .lines
                .iter()
                .map(|line| field(line, facts))
                .collect();
            (section.title, fields)
        })
        .collect();
    Report {
        law,
        facts,
        scope,
        rules,
        sections,
    }
}

fn field(line: &Line, facts: &Facts) -> Field {
    let found = found(line, facts);
    let as_of = match found.source {
        "controller" => facts.day.clone(),
        _ => facts.inventory.made_at.clone(),
    };
    Field {
        id: line.id,
        cite: line.cite,
        title: line.title,
        value: found.value,
        source: found.source,
        evidence: found.evidence,
        as_of,
        status: found.status,
        note: found.note,
    }
}

fn found(line: &Line, facts: &Facts) -> Found {
    if let Some(since) = line.since.filter(|since| facts.day.as_str() < *since) {
        return Found {
            status: Status::NotApplicable,
            ..Found::missing(
                "rules",
                "rules",
                format!("The law asks for it from {since} on."),
            )
        };
    }
    match line.when.map_or(Applies::Yes, |when| when(facts)) {
        Applies::Yes => ask(line.ask, facts),
        Applies::No(why) => Found {
            status: Status::NotApplicable,
            ..Found::missing("controller", "controller_facts", why)
        },
        Applies::Unknown(why) => Found::missing("controller", "controller_facts", why),
    }
}

fn ask(ask: Ask, facts: &Facts) -> Found {
    let controller = &facts.controller;
    match ask {
        Ask::Role(roles, wanted) => {
            let of: Vec<_> = controller
                .of("organisation")
                .filter(|fact| fact.word("role").is_some_and(|role| roles.contains(&role)))
                .collect();
            let none = format!("Declare an organisation with role {}.", roles.join(" or "));
            whole(&of, wanted, ROLE, "organisations", none)
        }
        Ask::Activities(wanted) => {
            let of: Vec<_> = controller.of("activity").collect();
            let none = "Declare the activities, section activities.".to_owned();
            whole(&of, wanted, NAME, "activities", none)
        }
        Ask::All(kind, wanted) => {
            let of: Vec<_> = controller.of(kind).collect();
            let section = kinds::kind(kind).map_or("", |kind| kind.section);
            let none = format!("Declare facts of section {section}.");
            whole(&of, wanted, NAME, section, none)
        }
        Ask::Measures(wanted) => measures(facts, wanted),
        Ask::Assessment(wanted) => assessment(facts, wanted),
        Ask::Incidents(wanted) => incidents::fields(facts, wanted),
        Ask::Evidence(name, parameters) => of_evidence(facts, name, parameters),
        Ask::Derive(derive) => derive(facts),
    }
}

/// Fields that are shown of a fact beside those that are asked for.
const ROLE: &[&str] = &[
    "role",
    "legal_name",
    "address",
    "country",
    "contact",
    "for",
    "registration",
];
const NAME: &[&str] = &["name", "category", "country"];

/// These facts with the fields asked for; missing where one lacks one, or there is no fact.
fn whole(
    of: &[&Fact],
    wanted: &[&str],
    shown: &[&str],
    section: &'static str,
    none: String,
) -> Found {
    if of.is_empty() {
        return Found::missing("controller", section, none);
    }
    let value: Vec<_> = of.iter().map(|fact| members(fact, wanted, shown)).collect();
    let mut open: Vec<_> = of
        .iter()
        .flat_map(|fact| {
            let open = wanted.iter().filter(|field| !fact.has(field));
            open.map(move |field| format!("{field} of {}", fact.id))
        })
        .collect();
    let mut found = Found::declared(value.into(), section);
    if !open.is_empty() {
        let more = open.len().saturating_sub(20);
        open.truncate(20);
        let more = if more > 0 {
            format!(", and {more} more")
        } else {
            String::new()
        };
        found.status = Status::Missing;
        found.note = Some(format!("Declare {}{more}.", open.join(", ")));
    }
    found
}

fn members(fact: &Fact, wanted: &[&str], shown: &[&str]) -> Value {
    let mut found = Map::new();
    found.insert("id".to_owned(), fact.id.clone().into());
    for field in shown.iter().chain(wanted) {
        if let Some(value) = fact.fields.get(*field) {
            found.insert((*field).to_owned(), value.clone());
        }
    }
    if let Some(document) = &fact.source_doc {
        found.insert("source_doc".to_owned(), document.clone().into());
    }
    Value::Object(found)
}

const MEASURE: &[&str] = &["kind", "description", "document", "date", "next_review"];
const ASSESSMENT: &[&str] = &[
    "kind",
    "activities",
    "date",
    "result",
    "document",
    "next_review",
];

fn measures(facts: &Facts, wanted: &[&str]) -> Found {
    let of: Vec<_> = facts
        .controller
        .of("measure")
        .filter(|fact| fact.word("kind").is_some_and(|kind| wanted.contains(&kind)))
        .collect();
    let open: Vec<_> = wanted
        .iter()
        .filter(|kind| !of.iter().any(|fact| fact.word("kind") == Some(**kind)))
        .copied()
        .collect();
    let value: Vec<_> = of.iter().map(|fact| members(fact, &[], MEASURE)).collect();
    if !open.is_empty() {
        let note = format!("Declare a measure of kind {}.", open.join(", one of kind "));
        let mut found = Found::missing("controller", "measures", note);
        if !value.is_empty() {
            found.value = value.into();
        }
        return found;
    }
    fresh(Found::declared(value.into(), "measures"), &of, facts)
}

fn assessment(facts: &Facts, wanted: &[&str]) -> Found {
    let of: Vec<_> = facts
        .controller
        .of("assessment")
        .filter(|fact| fact.word("kind").is_some_and(|kind| wanted.contains(&kind)))
        .collect();
    if of.is_empty() {
        let note = format!("Declare an assessment of kind {}.", wanted.join(" or "));
        return Found::missing("controller", "assessments", note);
    }
    let value: Vec<_> = of
        .iter()
        .map(|fact| members(fact, &[], ASSESSMENT))
        .collect();
    fresh(Found::declared(value.into(), "assessments"), &of, facts)
}

/// Stale where the review of one is past.
fn fresh(mut found: Found, of: &[&Fact], facts: &Facts) -> Found {
    let late: Vec<_> = of
        .iter()
        .filter(|fact| is_stale(fact, &facts.day))
        .map(|fact| fact.id.as_str())
        .collect();
    if !late.is_empty() {
        found.status = Status::Stale;
        found.note = Some(format!("The review is past of {}.", late.join(", ")));
    }
    found
}

fn of_evidence(facts: &Facts, name: &str, parameters: &str) -> Found {
    let parameters: Value = serde_json::from_str(parameters).unwrap_or_default();
    let Some(function) = evidence::find(name) else {
        return Found::missing("database", name, "There is no such evidence.");
    };
    let seen = function(facts, &parameters);
    let is_word = seen.source == Source::Controller
        || seen.source == Source::Both
            && facts.controller.is_empty()
            && name == "ropa_completeness";
    let is_old = seen.value["age_days"]
        .as_i64()
        .zip(seen.value["max_age_days"].as_i64())
        .is_some_and(|(age, most)| age > most);
    let status = match seen.state {
        State::None => Status::Missing,
        State::Part | State::Fail if is_word => Status::Missing,
        _ if is_old => Status::Stale,
        _ if seen.source == Source::Controller => Status::Declared,
        _ => Status::Evidenced,
    };
    Found {
        status,
        value: match seen.state {
            State::None => Value::Null,
            state => json!({"state": state.name(), "found": seen.value}),
        },
        source: seen.source.name(),
        evidence: seen.reference,
        note: seen.remedy,
    }
}
