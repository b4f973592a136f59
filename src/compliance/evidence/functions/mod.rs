//! The functions. Each looks at one thing, and says what would close the gap: `database` at what the
//! database and the ledger show, `controller` at what is declared.

pub mod controller;
pub mod database;

use serde_json::Value;

use self::controller::{
    assessment_fresh, breach_register, consent_recorded, declared, dsar_metrics,
    incident_deadlines, measure_declared, recipients_documented, responsible_person,
    retention_documented, ropa_completeness, transfers_documented,
};
use self::database::{
    access_control, classified_share, encryption_in_transit, last_verification, ledger_verified,
    mask_coverage, overdue_rows, runs_verified,
};
use super::{Evidence, Function, Source, State};
use crate::compliance::Facts;
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
        "assessments of the kinds asked for, and their next review",
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
        "activities that rest on consent, and where it is kept",
    ),
    (
        "declared",
        declared,
        "facts of a kind that the controller declares",
    ),
    (
        "dsar_metrics",
        dsar_metrics,
        "rights requests of a year, and whether each has its answer",
    ),
    (
        "encryption_in_transit",
        encryption_in_transit,
        "whether connections are encrypted",
    ),
    (
        "incident_deadlines",
        incident_deadlines,
        "incidents, and whether authorities were told",
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
        "whether a role is filled",
    ),
    (
        "retention_documented",
        retention_documented,
        "retention rules for every category of personal data",
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
fn words<'a>(parameters: &'a Value, name: &str) -> Vec<&'a str> {
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

/// Whether the next review of a fact has passed.
pub fn is_stale(fact: &Fact, day: &str) -> bool {
    fact.word("next_review").is_some_and(|review| review < day)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::compliance::evidence;
    use crate::compliance::inventory::{Age, Consent, Inventory, Ledger, Needs};

    /// Facts with something in every part that can be left unread.
    fn full() -> Facts {
        let yaml = "
organisations: {o: {role: controller, legal_name: O, contact: a@example.org}}
activities: {a: {name: A, legal_basis: consent}}
columns: {c: {activity: a, table: prod.users, columns: [email], sensitivity: ordinary}}
retention_rules: {r: {category: all, max: 1 year, table: prod.users, column: at}}
consent_sources: {s: {activity: a, kept_in: there, table: prod.users, given_column: at}}
rights_requests: {q: {right: know, received_on: 2026-01-02}}
incidents: {i: {known_at: 2026-03-01T12:00:00Z, jurisdictions: EU}}
measures: {m: {kind: access_control, description: d}}
recipients: {x: {name: X, category: c, country: DE}}
";
        let mut facts = crate::compliance::matrix::tests::facts("2026-03-31", yaml);
        let inventory = &mut facts.inventory;
        inventory.ledger = Ledger {
            verified_at: Some(("2026-03-30 12:00:00".into(), true)),
            since: Some("2026-01-01".into()),
            ..Ledger::default()
        };
        inventory.runs.completed = 2;
        inventory.runs.verified = 1;
        inventory.readers = vec![("PUBLIC".into(), "prod".into(), "users".into())];
        inventory.settings.insert("ssl".into(), "on".into());
        inventory.ages = vec![Age {
            rule: "r".into(),
            oldest: Some("2020-01-01".into()),
            overdue: Some(3),
            ..Age::default()
        }];
        inventory.consents = vec![Consent {
            source: "s".into(),
            rows: Some(9),
            ..Consent::default()
        }];
        inventory.timers = vec![(
            "i".into(),
            "EU".into(),
            json!({"incident": "i", "status": "overdue", "addressee": "authority"}),
        )];
        facts
    }

    /// What is left of facts when no more is read than is needed.
    fn as_needed(mut facts: Facts, needs: Needs) -> Facts {
        let empty = Inventory::default();
        let inventory = &mut facts.inventory;
        if !needs.ledger {
            inventory.ledger = empty.ledger;
        }
        if !needs.runs {
            inventory.runs = empty.runs;
        }
        if !needs.access {
            inventory.readers = empty.readers;
            inventory.settings = empty.settings;
        }
        if !needs.rows {
            inventory.ages = empty.ages;
            inventory.consents = empty.consents;
            inventory.protections = empty.protections;
        }
        if !needs.timers {
            inventory.timers = empty.timers;
        }
        facts
    }

    #[test]
    fn functions_look_at_nothing_that_they_do_not_say() {
        for (name, function, _) in ALL {
            let needs = evidence::needs(name);
            for with in [
                Value::Null,
                json!({"kind": "access_control", "role": "controller"}),
            ] {
                assert_eq!(
                    function(&as_needed(full(), needs), &with),
                    function(&full(), &with),
                    "{name}"
                );
            }
        }
        // Each part is looked at by some.
        let all = ALL.iter().fold(Needs::default(), |all, (name, ..)| {
            all.with(evidence::needs(name))
        });
        assert!(all.ledger && all.runs && all.access && all.rows);
    }

    #[test]
    fn functions_stand_in_order_and_say_none_of_nothing() {
        assert!(ALL.is_sorted_by_key(|(name, ..)| *name));
        let facts = Facts {
            day: "2026-03-31".to_owned(),
            ..Facts::default()
        };
        for (name, function, _) in ALL {
            let found = function(&facts, &Value::Null);
            assert_ne!(found.state, State::Pass, "{name}: nothing is known");
            assert!(found.remedy.is_some(), "{name}");
        }
    }
}
