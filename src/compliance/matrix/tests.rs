//! The matrix over facts that are made up.

mod exact;
mod standing;

use super::gaps::list;
use super::*;
use crate::compliance::conflict;
use crate::compliance::controller::{Controller, Fact, read};
use crate::compliance::inventory::access::admission::Admission;
use crate::compliance::inventory::{Age, Column, Consent, Declared, Inventory, Treatment, WayOut};
use crate::compliance::rules::Standing;
use crate::compliance::rules::tests::{day, shipped};
use crate::profile::document;

/// What a controller declares in a document.
pub(in crate::compliance) fn declared(yaml: &str) -> Controller {
    let tree = document::read("facts", yaml.as_bytes()).unwrap();
    let facts = read::document(&tree)
        .unwrap()
        .into_iter()
        .map(|fact| Fact {
            kind: fact.kind.name,
            id: fact.id,
            fields: fact.fields,
            valid_from: "2026-01-01".into(),
            valid_to: None,
            source_doc: None,
            entered_by: "officer".into(),
            entered_at: "2026-01-01 00:00:00".into(),
        })
        .collect();
    Controller { facts }
}

/// Facts of a day, of a database with one column that was declared.
pub(in crate::compliance) fn facts(on: &str, yaml: &str) -> Facts {
    Facts {
        day: on.into(),
        controller: declared(yaml),
        inventory: Inventory {
            made_at: format!("{on} 12:00:00"),
            columns_total: 3,
            columns: vec![Column {
                schema: "prod".into(),
                table: "users".into(),
                name: "email".into(),
                declared: Some(Declared {
                    sensitivity: Some("ordinary".into()),
                    ..Declared::default()
                }),
                ..Column::default()
            }],
            ..Inventory::default()
        },
        ..Facts::default()
    }
}

fn question(on: &str, jurisdictions: &[&str]) -> Question {
    Question {
        jurisdictions: jurisdictions.iter().map(|&code| code.into()).collect(),
        day: day(on),
        proposed: false,
    }
}

fn status(facts: &Facts, id: &str) -> (Status, String) {
    let rules = shipped();
    let rows = fill(&rules, &question(&facts.day, &[]), facts).unwrap();
    let row = rows.iter().find(|row| row.requirement.id == id).unwrap();
    (row.status, row.reason.clone())
}

const SHOP: &str = "
organisations:
  shop: {role: controller, legal_name: Shop, contact: a@example.org, country: EU, sector: private,
         consumers_per_year: 5000}
activities:
  orders: {name: Orders, purpose: selling, legal_basis: contract, subjects: [customers],
           automated_decision: none, minors: false, sold_or_shared: false, role: controller}
measures:
  manual: {kind: paia_manual, description: the manual}
  plan: {kind: emergency_plan, description: the plan}
";

#[test]
fn law_switches_on_its_day() {
    let rules = shipped();
    let ids = |on: &str| -> Vec<String> {
        let rows = fill(&rules, &question(on, &["AU"]), &facts(on, "{}")).unwrap();
        rows.iter().map(|row| row.requirement.id.clone()).collect()
    };
    let (before, after) = (ids("2026-12-09"), ids("2026-12-10"));
    assert!(!before.contains(&"AU-APP-1.7".to_owned()));
    assert!(after.contains(&"AU-APP-1.7".to_owned()));
    assert_eq!(after.len(), before.len() + 1);
}

#[test]
fn what_is_law_is_told_by_the_day() {
    let rules = shipped();
    let law = |id: &str, on: &str| rules.requirement(id).unwrap().standing_on(day(on));
    assert_eq!(law("AU-APP-1.7", "2026-12-09"), Standing::Future);
    assert_eq!(law("AU-APP-1.7", "2026-12-10"), Standing::InForce);
    assert_eq!(law("CN-INCIDENT-4H", "2025-10-31"), Standing::Future);
    assert_eq!(law("GDPR-33-1", "2026-12-10"), Standing::InForce);
    assert_eq!(law("GDPR-P-33", "2026-12-10"), Standing::Proposed);
    let ended = Requirement {
        until: Some(day("2026-01-31")),
        ..rules.requirement("GDPR-33-1").unwrap().clone()
    };
    assert_eq!(ended.standing_on(day("2026-01-31")), Standing::InForce);
    assert_eq!(ended.standing_on(day("2026-02-01")), Standing::Repealed);
}

#[test]
fn only_what_was_taken_to_apply_says_so() {
    let rules = shipped();
    let facts = facts("2026-03-31", "{}");
    let found = fill(&rules, &question("2026-03-31", &[]), &facts).unwrap();
    let of = |id: &str| found.iter().find(|row| row.requirement.id == id).unwrap();
    let assumed = of("GDPR-8");
    assert!(assumed.applies.is_assumed() && assumed.status != Status::NotApplicable);
    // Nobody has said so, and it is not taken to.
    let waiting = of("CN-INCIDENT-1H");
    assert!(!waiting.applies.is_known && !waiting.applies.is_assumed());
    assert_eq!(waiting.status, Status::NotApplicable);
}

#[test]
fn proposals_are_there_only_when_asked_for() {
    let rules = shipped();
    let mut asked = question("2026-03-31", &["EU"]);
    let count = |asked: &Question| {
        let rows = fill(&rules, asked, &facts("2026-03-31", "{}")).unwrap();
        rows.iter()
            .filter(|row| row.requirement.id.starts_with("GDPR-P-"))
            .count()
    };
    assert_eq!(count(&asked), 0);
    asked.proposed = true;
    assert_eq!(count(&asked), 3);
}

#[test]
fn nothing_declared_is_met_by_nothing() {
    let facts = facts("2026-03-31", "{}");
    let rules = shipped();
    for row in fill(&rules, &question("2026-03-31", &[]), &facts).unwrap() {
        let id = &row.requirement.id;
        assert_ne!(row.status, Status::Met, "{id}");
        if row.status == Status::Declared {
            // The one column that there is has its class.
            assert_eq!(row.controls[0].control.id, "C-CLASSIFY", "{id}");
        }
    }
}

#[test]
fn a_word_is_declared_and_a_fact_is_met() {
    let facts = facts("2026-03-31", SHOP);
    assert_eq!(status(&facts, "POPIA-17-PAIA").0, Status::Declared);
    assert_eq!(status(&facts, "PIPL-51-V").0, Status::Declared);
    // Which class a column has is a word too.
    assert_eq!(status(&facts, "PIPL-51-II").0, Status::Declared);
    assert_eq!(status(&facts, "POPIA-16").0, Status::Gap);
    assert_eq!(status(&shown(), "PIPL-51-III").0, Status::Met);
}

/// Everything that the example declares, of a database that shows nothing of itself.
fn said() -> Facts {
    facts(
        "2026-03-31",
        include_str!("../../../examples/compliance/controller.yaml"),
    )
}

/// The same, where the database and the ledger bear out all that they can.
fn shown() -> Facts {
    let mut facts = said();
    let inventory = &mut facts.inventory;
    let of = |table: &str| Column {
        schema: "staging".into(),
        table: table.into(),
        name: "email".into(),
        treatment: Treatment::Masked(Box::default()),
        ..Column::default()
    };
    inventory.columns = vec![of("users")];
    inventory.settings.insert("ssl".into(), "on".into());
    inventory.admission = Admission::Plain(Vec::new());
    inventory.runs.completed = 1;
    inventory.runs.verified = 1;
    inventory.ledger.verified_at = Some(("2026-03-30 10:00:00".into(), true));
    inventory.ages = vec![Age {
        rule: "orders".into(),
        overdue: Some(0),
        ..Age::default()
    }];
    inventory.consents = vec![Consent {
        source: "newsletter".into(),
        rows: Some(1),
        missing: Some(0),
        ..Consent::default()
    }];
    facts
}

#[test]
fn a_part_is_never_the_whole() {
    // A control that intersects does not meet, even where it is in place.
    let mut rules = shipped();
    let control = rules
        .controls
        .iter_mut()
        .find(|control| control.id == "C-LEDGER")
        .unwrap();
    control.evidence = vec![Shown {
        name: "runs_verified".into(),
        with: Value::Null,
        kind: Proof::Ledger,
        max_age: None,
    }];
    let mut facts = shown();
    facts.controller = declared(SHOP);
    let rows = fill(&rules, &question("2026-03-31", &["EU"]), &facts).unwrap();
    let row = rows
        .iter()
        .find(|row| row.requirement.id == "GDPR-32-1-D")
        .unwrap();
    let held = row
        .controls
        .iter()
        .find(|held| held.control.id == "C-LEDGER")
        .unwrap();
    assert_eq!(held.standing.status, Status::Met);
    assert_eq!(row.status, Status::Partly);
    assert_eq!(row.reason, "C-LEDGER covers a part of it");
}

#[test]
fn what_does_not_apply_says_which_fact_decided() {
    let shop = facts("2026-03-31", SHOP);
    for (id, why) in [
        ("GDPR-30-2", "no activity has processing for others"),
        ("GDPR-8", "no activity has data of children"),
        ("GDPR-9", "no column is special, or looks it"),
        (
            "GDPR-44",
            "no transfer is declared, and the catalog shows no way out",
        ),
        ("CCPA-120", "no activity has sale or sharing"),
        ("CCPA-121", "no column is sensitive, or looks it"),
        (
            "PIPL-39",
            "no transfer is declared, and the catalog shows no way out",
        ),
        (
            "CCPA-7102-A",
            "5000 consumers a year are declared, 10000000 is the threshold",
        ),
        (
            "CN-INCIDENT-1H",
            "no organisation is declared as an operator of critical infrastructure",
        ),
        (
            "US-552A-E4",
            "no organisation is declared as a federal agency",
        ),
    ] {
        assert_eq!(
            status(&shop, id),
            (Status::NotApplicable, why.to_owned()),
            "{id}"
        );
    }
    // Data that are provided to who decides himself need a consent of their own, whether or not any are
    // sensitive; a processor does not decide.
    let with = |recipient: &str| {
        let told = SHOP.replace(
            "sold_or_shared: false",
            "sold_or_shared: false, published: false",
        );
        let yaml = format!("{told}\nrecipients: {{r: {{name: R{recipient}}}}}");
        status(&facts("2026-03-31", &yaml), "PIPL-23-CONSENT")
    };
    assert_eq!(with(", role: processor").0, Status::NotApplicable);
    assert_ne!(with(", role: controller").0, Status::NotApplicable);
    assert_ne!(with("").0, Status::NotApplicable);
    // What is not said is taken to apply, but for what few organisations are.
    let empty = facts("2026-03-31", "{}");
    for id in ["GDPR-30-2", "GDPR-8", "GDPR-44", "CCPA-120"] {
        assert_ne!(status(&empty, id).0, Status::NotApplicable, "{id}");
    }
    for id in [
        "CCPA-7102-A",
        "CN-INCIDENT-1H",
        "CN-INCIDENT-2H",
        "US-552A-E4",
    ] {
        assert_eq!(status(&empty, id).0, Status::NotApplicable, "{id}");
    }
    let mut leaving = facts("2026-03-31", SHOP);
    leaving.inventory.ways_out.push(WayOut {
        kind: "foreign server",
        name: "abroad".into(),
        detail: None,
    });
    assert_ne!(status(&leaving, "GDPR-44").0, Status::NotApplicable);
    let agency = SHOP.replace("sector: private", "sector: us_federal");
    assert_ne!(
        status(&facts("2026-03-31", &agency), "US-552A-E4").0,
        Status::NotApplicable
    );
    let abroad = status(&shop, "PIPL-53").0;
    assert_ne!(abroad, Status::NotApplicable);
    let there = SHOP.replace("country: EU", "country: CN");
    assert_eq!(
        status(&facts("2026-03-31", &there), "PIPL-53").0,
        Status::NotApplicable
    );
}

#[test]
fn evidence_that_is_too_old_is_stale() {
    let old = Evidence {
        state: State::Pass,
        is_stale: false,
        value: json!({"at": "2026-01-01 10:00:00"}),
        as_of: "2026-03-31".into(),
        source: evidence::Source::Ledger,
        reference: String::new(),
        remedy: None,
    };
    let days = |n| Span::of(n, "day");
    assert!(is_older(&old, days(30), day("2026-03-31")));
    assert!(!is_older(&old, days(30), day("2026-01-31")));
    assert!(!is_older(&old, None, day("2026-03-31")));
    let new = Evidence {
        value: json!({}),
        ..old
    };
    assert!(!is_older(&new, days(30), day("2026-03-31")));
}

#[test]
fn gaps_come_dearest_first_and_say_what_closes_them() {
    let rules = shipped();
    let facts = facts("2026-03-31", SHOP);
    let asked = question("2026-03-31", &["CA", "EU", "ZA"]);
    let rows = fill(&rules, &asked, &facts).unwrap();
    let gaps = list(&rules, &rows, &[], asked.day);
    let place = |id: &str| gaps.iter().position(|gap| gap.id == id).unwrap();
    // Turnover before millions before a fixed sum; within a class the shorter deadline.
    assert!(place("GDPR-33-1") < place("GDPR-12-3"));
    assert!(place("GDPR-12-3") < place("GDPR-17"));
    assert!(place("GDPR-17") < place("POPIA-22"));
    assert!(place("POPIA-22") < place("PIPEDA-10.3"));
    assert!(place("PIPEDA-10.3") < place("PIPEDA-4.6"));
    assert!(gaps.windows(2).all(|pair| {
        let key = |gap: &gaps::Gap| {
            (
                gap.problem == "unverified text",
                gap.penalty_class,
                gap.hours,
            )
        };
        key(&pair[0]) <= key(&pair[1])
    }));
    for gap in &gaps {
        assert!(
            !gap.closes.is_empty() && !gap.detail.is_empty(),
            "{}",
            gap.id
        );
    }
    // What is declared comes last, as long as nobody has checked the text.
    let manual = &gaps[place("POPIA-17-PAIA")];
    assert_eq!(
        (manual.problem, gaps.last().unwrap().problem),
        ("unverified text", "unverified text")
    );
    assert!(gaps.iter().all(|gap| gap.id != "GDPR-8"));
}

#[test]
fn an_undecided_conflict_is_a_gap() {
    let rules = shipped();
    let facts = facts("2026-03-31", SHOP);
    let asked = question("2026-03-31", &[]);
    let applicable = applicable(&rules, &asked, &facts).unwrap();
    let conflicts = conflict::find(&conflict::Scene {
        rules: &rules,
        applicable: &applicable,
        facts: &facts,
        decisions: &[],
        day: asked.day,
        moment: asked.day * crate::strategies::calendar::DAY,
        zone: &conflict::tests::utc,
    })
    .unwrap();
    let rows = fill(&rules, &asked, &facts).unwrap();
    let gap = list(&rules, &rows, &conflicts, asked.day)
        .into_iter()
        .find(|gap| gap.id == "X01")
        .unwrap();
    assert_eq!(gap.problem, "undecided");
    assert!(
        gap.closes
            .starts_with("SELECT confiture.decide_conflict('X01', '*'"),
        "{}",
        gap.closes
    );
}

#[test]
fn no_more_is_read_than_the_controls_asked_about_show() {
    let mut rules = shipped();
    let all = needs(&rules, &question("2026-03-31", &[]));
    assert!(all.ledger && all.runs && all.access && all.rows);
    // California asks for nothing that the ledger alone shows, once its masks do not count.
    let control = |rules: &Rules, id: &str| rules.controls.iter().position(|c| c.id == id).unwrap();
    let mask = control(&rules, "C-MASK");
    rules.controls[mask]
        .evidence
        .retain(|shown| shown.name == "mask_coverage");
    let some = needs(&rules, &question("2026-03-31", &["US-CA"]));
    assert!(!some.ledger && !some.runs && some.access, "{some:?}");
    // What is read for an answer is what it is made of: it does not change with the rest.
    let shop = facts("2026-03-31", SHOP);
    let rows = fill(&rules, &question("2026-03-31", &["US-CA"]), &shop).unwrap();
    assert!(rows.iter().all(|row| !row.controls.is_empty()));
}

#[test]
fn unknown_jurisdictions_are_refused() {
    let rules = shipped();
    let error = fill(
        &rules,
        &question("2026-03-31", &["MOON\u{1}"]),
        &facts("2026-03-31", "{}"),
    )
    .unwrap_err();
    assert_eq!(
        error.message(),
        "there are no rules for jurisdiction \"MOON\u{fffd}\""
    );
}
