//! Evidence over facts that are made up.

use std::collections::HashSet;

use super::*;
use crate::compliance::conflict::tests::utc;
use crate::compliance::evidence;
use crate::compliance::inventory::access::admission::Admission;
use crate::compliance::inventory::{Age, Consent, Declared, Inventory, Ledger, Needs};
use crate::compliance::matrix::tests::facts as made_up;
use crate::compliance::rules::tests::shipped;
use crate::compliance::{incident, request};
use serde_json::json;

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

/// What is found of requests that are declared so.
fn of_requests(day: &str, requests: &str) -> (State, Value) {
    let mut facts = made_up(day, &format!("rights_requests: {{{requests}}}"));
    facts.inventory.terms = request::terms(&shipped(), &facts).unwrap();
    let found = dsar_metrics(&facts, &Value::Null);
    (found.state, found.value["beyond_their_term"].clone())
}

#[test]
fn a_request_that_is_late_speaks_against_the_log() {
    let asked = "r: {right: access, received_on: 2026-01-05, jurisdiction: EU";
    let answered = |day: &str| format!("{asked}, responded_on: {day}, decision: complied}}");
    for (day, requests, state, late) in [
        ("2026-03-01", answered("2026-02-05"), State::Pass, json!([])),
        (
            "2026-03-01",
            answered("2026-02-06"),
            State::Fail,
            json!(["r"]),
        ),
        ("2026-01-20", format!("{asked}}}"), State::Pass, json!([])),
        (
            "2026-02-06",
            format!("{asked}}}"),
            State::Fail,
            json!(["r"]),
        ),
        // What is open is never of a year that has gone by.
        (
            "2027-06-01",
            format!("{asked}}}"),
            State::Fail,
            json!(["r"]),
        ),
        ("2027-06-01", answered("2026-02-06"), State::None, json!([])),
        // A new year makes no late answer a good one.
        (
            "2027-01-01",
            answered("2026-02-06"),
            State::Fail,
            json!(["r"]),
        ),
        (
            "2027-06-01",
            answered("2026-10-01"),
            State::Fail,
            json!(["r"]),
        ),
        // Who took his request back waits for nothing.
        (
            "2026-03-01",
            format!("{asked}, decision: withdrawn}}"),
            State::Pass,
            json!([]),
        ),
        (
            "2026-03-01",
            format!("{asked}, responded_on: 2026-02-05}}"),
            State::Fail,
            json!([]),
        ),
    ] {
        assert_eq!(
            of_requests(day, &requests),
            (state, late),
            "{day} {requests}"
        );
    }
}

/// What is found of an incident that is declared so.
fn of_incident(now: &str, fields: &str) -> (State, Value) {
    let yaml = format!("incidents: {{i: {{known_at: 2026-11-27T18:00:00Z{fields}}}}}");
    let mut facts = made_up("2026-11-27", &yaml);
    let rules = shipped();
    let now = crate::strategies::calendar::parse_time(now, true).unwrap();
    let timers: Vec<_> = incident::timers(&rules, &facts, "i", now, &utc)
        .unwrap()
        .iter()
        .map(|timer| {
            let value = timer.value("i", json!(timer.due), json!(timer.told));
            (
                "i".to_owned(),
                timer.requirement.jurisdiction.clone(),
                value,
            )
        })
        .collect();
    facts.inventory.timers = timers;
    let found = incident_deadlines(&facts, &Value::Null);
    (found.state, found.value["beyond_their_deadline"].clone())
}

#[test]
fn an_authority_that_was_told_late_speaks_against_the_timers() {
    let only = |at: &str| format!(", jurisdictions: [EU], authority_notified_at: {at}");
    let told = |at: &str| format!("{}, subjects_notified_at: {at}", only(at));
    for (now, fields, state, late) in [
        (
            "2026-12-24 12:00:00Z",
            told("2026-11-30T17:00:00Z"),
            State::Pass,
            json!([]),
        ),
        (
            "2026-12-24 12:00:00Z",
            told("2026-11-30T19:00:00Z"),
            State::Fail,
            json!(["i"]),
        ),
        (
            "2026-11-28 12:00:00Z",
            ", jurisdictions: [EU]".into(),
            State::Pass,
            json!([]),
        ),
        (
            "2026-12-24 12:00:00Z",
            ", jurisdictions: [EU]".into(),
            State::Fail,
            json!(["i"]),
        ),
        (
            "2026-12-24 12:00:00Z",
            ", jurisdictions: [EU], no_authority_notice_reason: no risk, \
             no_subjects_notice_reason: no high risk"
                .into(),
            State::Pass,
            json!([]),
        ),
        // A reason for the authority is none for those whose data they are.
        (
            "2026-12-24 12:00:00Z",
            ", jurisdictions: [EU], no_authority_notice_reason: no risk".into(),
            State::Fail,
            json!([]),
        ),
        // Of those whose data they are nobody says that they were told, nor why not.
        (
            "2026-12-24 12:00:00Z",
            only("2026-11-30T17:00:00Z"),
            State::Fail,
            json!([]),
        ),
        // One reason, or one notice, is that of one authority.
        (
            "2026-12-24 12:00:00Z",
            ", jurisdictions: [BR, EU], no_authority_notice_reason: {BR: no effect}, \
             no_subjects_notice_reason: {BR: no effect}"
                .into(),
            State::Fail,
            json!(["i"]),
        ),
        (
            "2026-12-24 12:00:00Z",
            ", jurisdictions: [EU, ZA], authority_notified_at: {EU: 2026-11-30T17:00:00Z}, \
             subjects_notified_at: {EU: 2026-11-30T17:00:00Z}"
                .into(),
            State::Fail,
            json!([]),
        ),
        // The Regulator of South Africa is told whatever the risk.
        (
            "2026-12-24 12:00:00Z",
            ", jurisdictions: [EU, ZA], no_authority_notice_reason: {EU: no risk, ZA: no risk}, \
             no_subjects_notice_reason: {EU: no risk, ZA: no risk}"
                .into(),
            State::Fail,
            json!([]),
        ),
        // As soon as feasible: nobody was told, and no number says until when.
        (
            "2026-12-24 12:00:00Z",
            ", jurisdictions: [ZA]".into(),
            State::Fail,
            json!([]),
        ),
    ] {
        assert_eq!(of_incident(now, &fields), (state, late), "{now} {fields}");
    }
}

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
    inventory.admission = Admission::Plain(Vec::new());
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

#[test]
fn rows_without_a_day_and_rows_that_are_held_bear_out_nothing() {
    let with = |change: fn(&mut Age)| {
        let mut facts = full();
        let age = &mut facts.inventory.ages[0];
        age.overdue = Some(0);
        change(age);
        let found = overdue_rows(&facts, &Value::Null);
        (found.state, found.remedy.unwrap_or_default())
    };
    assert_eq!(with(|_| {}).0, State::Pass);
    assert_eq!(with(|age| age.overdue = Some(1)).0, State::Fail);
    let (state, remedy) = with(|age| age.undated = Some(1000));
    assert_eq!(state, State::Part);
    assert!(remedy.contains("no day"), "{remedy}");
    let (state, remedy) = with(|age| {
        age.overdue = Some(7);
        age.hold = Some("court".into());
    });
    assert_eq!(state, State::Part);
    assert!(
        remedy.contains("legal hold court") && !remedy.contains("anonymise"),
        "{remedy}"
    );
}

#[test]
fn who_reads_no_column_at_all_is_not_known() {
    let mut facts = full();
    facts.inventory.readers.clear();
    assert_eq!(access_control(&facts, &Value::Null).state, State::Pass);
    facts.inventory.columns.clear();
    assert_eq!(access_control(&facts, &Value::Null).state, State::None);
}

#[test]
fn of_facts_that_differ_about_a_column_the_most_protective_is_taken() {
    let fact = |id: &str, sensitivity: &str| {
        let yaml = format!(
            "activities: {{a: {{name: A}}}}\ncolumns: {{{id}: {{activity: a, table: prod.users, \
             columns: email{sensitivity}}}}}"
        );
        let controller = crate::compliance::matrix::tests::declared(&yaml);
        controller.find("columns", id).unwrap().clone()
    };
    let of = |facts: &[Fact]| {
        let mut declared = Declared::default();
        let there = HashSet::from(["a"]);
        facts.iter().for_each(|fact| declared.add(fact, &there));
        (declared.sensitivity.clone(), declared.id.clone(), declared)
    };
    let none = fact("a", ", sensitivity: not_personal");
    let special = fact("z", ", sensitivity: special");
    for order in [[none.clone(), special.clone()], [special, none.clone()]] {
        let (sensitivity, id, declared) = of(&order);
        assert_eq!(
            (sensitivity.as_deref(), id.as_str()),
            (Some("special"), "z")
        );
        assert_eq!(declared.against, ["a"]);
    }
    // Who says nothing of it says that it is personal.
    let (sensitivity, id, _) = of(&[none.clone(), fact("b", "")]);
    assert_eq!((sensitivity, id.as_str()), (None, "b"));
    assert!(of(&[none.clone(), none]).2.against.is_empty());
    let mut facts = full();
    facts.inventory.columns[0].declared = Some(Declared {
        sensitivity: Some("special".into()),
        against: vec!["a".into()],
        ..Declared::default()
    });
    let found = classified_share(&facts, &Value::Null);
    assert_eq!(found.state, State::Part);
    assert_eq!(
        found.value["declared_otherwise_too"],
        json!(["prod.users.email"])
    );
}

#[test]
fn functions_rest_on_no_facts_that_they_do_not_name() {
    for (name, function, _) in ALL {
        for with in [
            Value::Null,
            json!({"kind": "access_control", "role": "controller"}),
            json!({"kind": "activity", "fields": ["name"]}),
            json!({"covers": ["export", "provision", "sensitive"], "form": ["separate"]}),
        ] {
            let all = full().within("EU");
            let basis = evidence::basis(name, &with);
            let mut some = all.clone();
            let named = |fact: &Fact| basis.iter().any(|basis| basis.has(fact));
            some.controller.facts.retain(named);
            assert_eq!(
                function(&some, &with),
                function(&all, &with),
                "{name} {with}"
            );
        }
    }
}

#[test]
fn encryption_that_is_offered_is_a_part() {
    let with = |ssl: Option<&str>, admission: Admission| {
        let mut facts = full();
        facts.inventory.admission = admission;
        match ssl {
            Some(ssl) => facts.inventory.settings.insert("ssl".into(), ssl.into()),
            None => facts.inventory.settings.remove("ssl"),
        };
        let found = encryption_in_transit(&facts, &Value::Null);
        let lets_in = found.value["lets_in_without_encryption"].clone();
        (found.state, lets_in, found.remedy.is_some())
    };
    let all = || Admission::Plain(Vec::new());
    assert_eq!(with(Some("on"), all()), (State::Pass, json!(false), false));
    let some = Admission::Plain(vec![7]);
    assert_eq!(with(Some("on"), some), (State::Part, json!(true), true));
    for unknown in [Admission::Unseen, Admission::Unclear] {
        assert_eq!(with(Some("on"), unknown), (State::Part, Value::Null, true));
    }
    assert_eq!(with(Some("off"), all()).0, State::Fail);
    assert_eq!(with(None, all()).0, State::None);
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
        inventory.admission = empty.admission;
    }
    if !needs.rows {
        inventory.ages = empty.ages;
        inventory.consents = empty.consents;
        inventory.protections = empty.protections;
    }
    if !needs.timers {
        inventory.timers = empty.timers;
    }
    if !needs.terms {
        inventory.terms = empty.terms;
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
