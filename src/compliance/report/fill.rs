//! Fills the lines of a law from the facts.

use serde_json::{Map, Value, json};

use super::definition::{Ask, Found, Law, Line, Status};
use super::derive::{incidents, requests};
use super::{Field, Report};
use crate::compliance::Facts;
use crate::compliance::calendar::Span;
use crate::compliance::controller::{Fact, kinds};
use crate::compliance::evidence::functions::{is_stale, is_undated};
use crate::compliance::evidence::{self, State};
use crate::compliance::matrix::trigger;
use crate::compliance::record;
use crate::compliance::rules::read::shown_day;
use crate::compliance::rules::{Requirement, Rules, Standing};
use crate::strategies::calendar::parse_date;

/// The report of a law, by the rules in use.
pub fn fill<'a>(
    law: &'static Law,
    facts: &'a Facts,
    scope: Option<Vec<String>>,
    rules: &Rules,
) -> Report<'a> {
    let own = facts.within(law.jurisdiction);
    let field = |line| field(line, law.jurisdiction, &own, rules);
    let sections = law
        .sections
        .iter()
        .map(|section| {
            let fields = section.lines.iter().map(field).collect();
            (section.title, fields)
        })
        .collect();
    Report {
        law,
        facts,
        scope,
        rules: rules.version(),
        sections,
    }
}

fn field(line: &Line, jurisdiction: &str, facts: &Facts, rules: &Rules) -> Field {
    let requirement = rules.requirement(line.requirement);
    let found = match requirement {
        Some(requirement) => found(line, requirement, jurisdiction, facts),
        None => Found::not_asked("rules", "The rules in use do not ask for it."),
    };
    let as_of = match found.source {
        "controller" => facts.day.clone(),
        _ => facts.inventory.made_at.clone(),
    };
    Field {
        id: line.id,
        requirement: line.requirement,
        text_checked: requirement.and_then(|requirement| requirement.text_checked.clone()),
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

fn found(line: &Line, requirement: &Requirement, jurisdiction: &str, facts: &Facts) -> Found {
    if let Some(why) = no_law(requirement, &facts.day) {
        return Found::not_asked("rules", why);
    }
    let mut answers = vec![trigger::decide(requirement, facts)];
    answers.extend(
        line.when
            .map(|when| trigger::holds(when, jurisdiction, facts)),
    );
    let given = || ask(line.ask, requirement, facts);
    // One fact that says no outweighs what nobody has said.
    let is_no = |applies: &&trigger::Applies| applies.is_known && !applies.is_taken;
    let unknown = answers.iter().find(|applies| !applies.is_known);
    match (answers.iter().find(is_no), unknown) {
        (Some(no), _) => {
            let why = format!("Not asked for here: {}.", no.why);
            let mut found = Found::not_asked("controller_facts", why);
            let own = line.is_voluntary.then(given);
            if let Some(own) = own.filter(|own| own.status != Status::Missing) {
                let note = [own.note.clone(), found.note.take()];
                found = Found {
                    status: Status::NotApplicable,
                    note: Some(note.into_iter().flatten().collect::<Vec<_>>().join(" ")),
                    ..own
                };
            }
            found
        }
        (None, Some(unknown)) => {
            let why = format!("Whether it is asked for nobody has said: {}.", unknown.why);
            if line.is_voluntary {
                return given().open(why);
            }
            Found::missing("controller", "controller_facts", why)
        }
        (None, None) => given(),
    }
}

/// Why a requirement is no law on a day.
fn no_law(requirement: &Requirement, today: &str) -> Option<String> {
    let day = parse_date(today).map(i64::from)?;
    if requirement.holds_on(day, false) {
        return None;
    }
    let (from, until) = (requirement.from, requirement.until);
    Some(match requirement.standing {
        Standing::Proposed => "It is proposed, and no law.".to_owned(),
        Standing::Repealed => "It is no law any more.".to_owned(),
        _ => match (from.filter(|from| day < *from), until) {
            (Some(from), _) => format!("The law asks for it from {} on.", shown_day(from)),
            (None, Some(until)) => format!("The law asked for it until {}.", shown_day(until)),
            (None, None) => "It is no law.".to_owned(),
        },
    })
}

fn ask(ask: Ask, requirement: &Requirement, facts: &Facts) -> Found {
    let controller = &facts.controller;
    match ask {
        Ask::Role(roles, wanted) => {
            let of: Vec<_> = controller
                .of("organisation")
                .filter(|fact| fact.word("role").is_some_and(|role| roles.contains(&role)))
                .collect();
            // A representative elsewhere is none.
            let there = match roles.contains(&"representative") {
                true => " and a country there",
                false => "",
            };
            let roles = roles.join(" or ");
            let none = format!("Declare an organisation with role {roles}{there}.");
            whole(&of, wanted, ROLE, "organisations", none)
        }
        Ask::Activities(wanted) => {
            let of: Vec<_> = record::own(facts).collect();
            let none = "Declare the activities, section activities.".to_owned();
            whole(&of, wanted, NAME, "activities", none)
        }
        Ask::Processing(wanted) => {
            let of: Vec<_> = record::processing(facts).collect();
            let none = "Declare the activities with role processor.".to_owned();
            whole(&of, wanted, NAME, "activities", none)
        }
        Ask::All(kind, wanted) => {
            let of: Vec<_> = controller.of(kind).collect();
            let section = kinds::kind(kind).map_or("", |kind| kind.section);
            let none = format!("Declare facts of section {section}.");
            whole(&of, wanted, NAME, section, none)
        }
        Ask::Transfers(wanted) => {
            let of: Vec<_> = controller.of("transfer").collect();
            let none = "Declare the transfers, section transfers.".to_owned();
            let found = whole(&of, wanted, NAME, "transfers", none);
            let mut open: Vec<_> = facts.abroad().map(record::lacks_transfer).collect();
            if open.is_empty() {
                return found;
            }
            open.truncate(20);
            found.open(format!("Declare {}.", open.join(", ")))
        }
        Ask::Measures(wanted) => measures(facts, wanted, requirement.params.every),
        Ask::Assessment(wanted) => assessment(facts, wanted, requirement.params.every),
        Ask::Assessed(kinds, wanted) => {
            let of: Vec<_> = of_kinds(facts, "assessment", kinds).collect();
            let none = format!("Declare an assessment of kind {}.", kinds.join(" or "));
            whole(&of, wanted, ASSESSMENT, "assessments", none)
        }
        Ask::Incidents(wanted) => incidents::fields(facts, wanted),
        Ask::Notices(to, when, wanted) => incidents::notices(facts, to, when, wanted),
        Ask::Terms(requirements) => requests::terms(facts, requirements),
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
const NAME: &[&str] = &[
    "name",
    "category",
    "country",
    "for",
    "legal_basis_detail",
    "volume_basis",
];

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

fn of_kinds<'a>(
    facts: &'a Facts,
    kind: &'a str,
    wanted: &'a [&str],
) -> impl Iterator<Item = &'a Fact> {
    let is_wanted = |fact: &&Fact| fact.word("kind").is_some_and(|of| wanted.contains(&of));
    facts.controller.of(kind).filter(is_wanted)
}

fn measures(facts: &Facts, wanted: &[&str], every: Option<Span>) -> Found {
    let of: Vec<_> = of_kinds(facts, "measure", wanted).collect();
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
    fresh(Found::declared(value.into(), "measures"), &of, every, facts)
}

fn assessment(facts: &Facts, wanted: &[&str], every: Option<Span>) -> Found {
    let of: Vec<_> = of_kinds(facts, "assessment", wanted).collect();
    if of.is_empty() {
        let note = format!("Declare an assessment of kind {}.", wanted.join(" or "));
        return Found::missing("controller", "assessments", note);
    }
    let value: Vec<_> = of
        .iter()
        .map(|fact| members(fact, &[], ASSESSMENT))
        .collect();
    let found = Found::declared(value.into(), "assessments");
    fresh(found, &of, every, facts)
}

/// Stale where the review of one is past, or it is older than the law lets it be.
fn fresh(mut found: Found, of: &[&Fact], every: Option<Span>, facts: &Facts) -> Found {
    let late: Vec<_> = of
        .iter()
        .filter(|fact| is_stale(fact, every, &facts.day))
        .map(|fact| fact.id.as_str())
        .collect();
    if of.iter().all(|fact| is_undated(fact, every)) {
        let ids: Vec<_> = of.iter().map(|fact| fact.id.as_str()).collect();
        return found.open(format!("Declare date of {}.", ids.join(", ")));
    }
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
    // What is borne out in part, or spoken against, fills no field, whoever says so.
    let status = match seen.state {
        State::Pass if seen.source.is_hard() => Status::Evidenced,
        State::Pass => Status::Declared,
        State::Part | State::Fail if seen.is_stale => Status::Stale,
        State::Part | State::Fail | State::None => Status::Missing,
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
