//! Conflicts over facts that are made up.

use super::*;
use crate::compliance::calendar::Span;
use crate::compliance::matrix::tests::facts;
use crate::compliance::matrix::{self, Question};
use crate::compliance::rules::Operator;
use crate::compliance::rules::tests::{day, shipped};
use crate::strategies::calendar::parse_time;

struct Utc;

impl Zone for Utc {
    fn wall(&self, moment: i64) -> Result<i64> {
        Ok(moment)
    }

    fn moment(&self, wall: i64) -> Result<i64> {
        Ok(wall)
    }
}

/// A zone for tests: no other is needed to compare.
pub(in crate::compliance) fn utc(_: &str) -> Box<dyn Zone> {
    Box::new(Utc)
}

/// What is told of the conflicts of a moment.
fn found<T>(
    jurisdictions: &[&str],
    yaml: &str,
    decisions: &[Decision],
    told: impl Fn(Found<'_>) -> T,
) -> Vec<T> {
    let rules = shipped();
    let facts = facts("2026-11-27", yaml);
    let question = Question {
        jurisdictions: jurisdictions.iter().map(|&code| code.into()).collect(),
        day: day("2026-11-27"),
        proposed: false,
    };
    let applicable = matrix::applicable(&rules, &question, &facts).unwrap();
    let found = find(&Scene {
        rules: &rules,
        applicable: &applicable,
        facts: &facts,
        decisions,
        day: question.day,
        moment: parse_time("2026-11-27 18:00", false).unwrap(),
        zone: &utc,
    })
    .unwrap();
    found.into_iter().map(told).collect()
}

/// A conflict, its scope, its status and its outcome.
fn conflicts(
    jurisdictions: &[&str],
    yaml: &str,
    decisions: &[Decision],
) -> Vec<(String, String, Status, String)> {
    found(jurisdictions, yaml, decisions, |found| {
        let id = found.conflict.id.clone();
        (id, found.scope, found.status, found.outcome)
    })
}

fn one(found: &[(String, String, Status, String)], id: &str) -> (Status, String) {
    let row = found.iter().find(|row| row.0 == id);
    let row = row.unwrap_or_else(|| panic!("{id} is not there"));
    (row.2, row.3.clone())
}

#[test]
fn operators_answer_what_they_can() {
    let found = conflicts(&[], "{}", &[]);
    let ids: Vec<_> = found.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(
        ids,
        [
            "X01", "X02", "X03", "X04", "X05", "X06", "X07", "X08", "X09", "X10", "X11", "X13"
        ]
    );
    // Friday 18:00: four hours, and what has no number with them.
    let (status, outcome) = one(&found, "X03");
    assert_eq!(status, Status::Resolved);
    assert!(outcome.starts_with("4 hours of CN"), "{outcome}");
    assert!(outcome.contains("2026-11-27 22:00:00"), "{outcome}");
    assert!(
        outcome.ends_with("AU, CA, CN, NZ, ZA, without a number"),
        "{outcome}"
    );
    assert_eq!(
        one(&found, "X06"),
        (Status::Resolved, "under 18".to_owned())
    );
    assert_eq!(
        one(&found, "X08"),
        (Status::Resolved, "at least 5 years".to_owned())
    );
    let (_, outcome) = one(&found, "X10");
    assert!(outcome.starts_with("15 days of BR"), "{outcome}");
    let (_, outcome) = one(&found, "X11");
    assert_eq!(outcome, "a, b, c, d, e, f, g, legal_basis");
    assert_eq!(one(&found, "X07").0, Status::Absent);
    assert_eq!(one(&found, "X13").0, Status::Absent);
}

#[test]
fn the_earliest_is_computed_and_not_read_off_labels() {
    // On a Friday evening 72 hours end before three business days; both sides are compared as moments.
    let (_, outcome) = one(&conflicts(&["BR", "EU"], "{}", &[]), "X03");
    assert!(outcome.starts_with("72 hours of EU"), "{outcome}");
    assert!(outcome.contains("2026-11-30 18:00:00"), "{outcome}");
}

#[test]
fn one_law_alone_conflicts_with_nothing() {
    let found = conflicts(&["EU"], "{}", &[]);
    let ids: Vec<_> = found.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(ids, ["X09", "X13"]);
}

const EXCLUDED: &str = "
retention_rules:
  erase: {category: invoices, jurisdiction: EU, max: 2 years}
  tax: {category: invoices, jurisdiction: CN, min: 10 years}
  mail: {category: mail, max: 1 years}
  mine: {category: mail, jurisdiction: US-CA, min: 6 months}
";

fn decision(scope: &str, decided_on: &str, expires: &str) -> Decision {
    Decision {
        conflict: "X01".into(),
        scope: scope.into(),
        decision: "restrict".into(),
        legal_basis: "PIPL 47".into(),
        decided_by: "officer".into(),
        decided_on: day(decided_on),
        expires: day(expires),
        is_recorded: true,
    }
}

#[test]
fn times_that_exclude_each_other_escalate() {
    let found = conflicts(&[], EXCLUDED, &[]);
    let rows: Vec<_> = found.iter().filter(|row| row.0 == "X01").collect();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].1.as_str(), rows[0].2), ("invoices", Status::Gap));
    assert_eq!(
        rows[0].3,
        "invoices must be kept at least 10 years, at most 2 years by erase, tax: no time keeps to both"
    );
    // Without China nothing excludes the rule of the Union.
    let (status, outcome) = one(&conflicts(&["EU", "US-CA"], EXCLUDED, &[]), "X01");
    assert_eq!(
        (status, outcome.as_str()),
        (
            Status::Absent,
            "2 categories have a time that keeps to every rule"
        )
    );
    // A rule for every category excludes too.
    let all = format!("{EXCLUDED}  all: {{category: all, max: 3 months}}\n");
    let scopes: Vec<_> = conflicts(&[], &all, &[])
        .into_iter()
        .filter(|row| row.0 == "X01")
        .map(|row| row.1)
        .collect();
    assert_eq!(scopes, ["invoices", "mail"]);
}

#[test]
fn a_decision_holds_for_its_scope_until_it_expires() {
    let with = |decisions: &[Decision]| one(&conflicts(&[], EXCLUDED, decisions), "X01");
    let holds = decision("invoices", "2026-01-01", "2026-11-27");
    assert_eq!(
        with(std::slice::from_ref(&holds)),
        (Status::Decided, "restrict".to_owned())
    );
    assert_eq!(
        with(&[decision("*", "2026-01-01", "2027-01-01")]).0,
        Status::Decided
    );
    let expired = decision("invoices", "2026-01-01", "2026-11-26");
    let (status, outcome) = with(std::slice::from_ref(&expired));
    assert_eq!(status, Status::Gap);
    assert!(
        outcome.ends_with("the last decision has expired"),
        "{outcome}"
    );
    // The newest counts, one of its own scope before one for all, one of tomorrow not yet.
    assert_eq!(with(&[holds.clone(), expired.clone()]).0, Status::Gap);
    assert_eq!(with(&[expired, holds.clone()]).0, Status::Decided);
    assert_eq!(
        with(&[decision("mail", "2026-01-01", "2027-01-01")]).0,
        Status::Gap
    );
    assert_eq!(
        with(&[decision("invoices", "2026-11-28", "2027-01-01")]).0,
        Status::Gap
    );
}

#[test]
fn a_later_decision_for_all_counts_after_one_that_has_expired() {
    let with = |decisions: &[Decision]| one(&conflicts(&[], EXCLUDED, decisions), "X01").0;
    let own = decision("invoices", "2026-01-01", "2026-11-26");
    let all = decision("*", "2026-02-01", "2099-12-31");
    assert_eq!(with(&[own.clone(), all.clone()]), Status::Decided);
    // What was decided for all before is what the own one took the place of.
    assert_eq!(with(&[all, own.clone()]), Status::Gap);
    let expired = decision("*", "2026-02-01", "2026-11-20");
    assert_eq!(with(&[own, expired]), Status::Gap);
}

#[test]
fn what_the_ledger_does_not_know_is_not_decided() {
    let forged = Decision {
        is_recorded: false,
        ..decision("invoices", "2026-01-01", "2099-12-31")
    };
    let (status, outcome) = one(&conflicts(&[], EXCLUDED, &[forged]), "X01");
    assert_eq!(status, Status::Gap);
    assert!(outcome.contains("no entry of the ledger says"), "{outcome}");
}

#[test]
fn rules_of_other_activities_do_not_exclude_each_other() {
    let with = |more: &str| {
        let yaml = format!(
            "activities: {{a: {{name: A}}, b: {{name: B}}}}\n\
             retention_rules:\n  long: {{category: mail, min: 6 years, activities: a}}\n  \
             short: {{category: mail, max: 1 year{more}}}\n"
        );
        one(&conflicts(&[], &yaml, &[]), "X01")
    };
    assert_eq!(with(", activities: b").0, Status::Absent);
    assert_eq!(with(", activities: [a, b]").0, Status::Gap);
    let (status, outcome) = with("");
    assert_eq!(status, Status::Gap);
    assert!(
        outcome.ends_with("by long, short: no time keeps to both"),
        "{outcome}"
    );
}

#[test]
fn rules_of_one_law_exclude_each_other_too() {
    let yaml = "
retention_rules:
  long: {category: mail, jurisdiction: EU, min: 10 years}
  short: {category: mail, jurisdiction: EU, max: 1 year}
";
    assert_eq!(one(&conflicts(&["EU"], yaml, &[]), "X01").0, Status::Gap);
}

#[test]
fn a_hold_is_one_where_it_holds() {
    let yaml = "retention_rules: {hold: {category: mail, jurisdiction: BR, legal_hold: true}}";
    assert_eq!(one(&conflicts(&["BR"], yaml, &[]), "X13").0, Status::Gap);
    assert_eq!(one(&conflicts(&["EU"], yaml, &[]), "X13").0, Status::Absent);
}

#[test]
fn what_no_operator_answers_is_a_gap_until_decided() {
    let found = conflicts(&[], "{}", &[]);
    // Nobody has declared what must be kept, nor where data go.
    assert_eq!(one(&found, "X01").0, Status::Gap);
    assert_eq!(one(&found, "X02").0, Status::Gap);
    let yaml = "
activities: {orders: {name: Orders}}
transfers: {home: {country: US, mechanism: standard_contract}}
rights_requests:
  r1: {right: access, received_on: 2026-11-20, jurisdiction: EU}
  r4: {right: access, received_on: 2026-11-20, jurisdiction: NZ}
  r5: {right: access, received_on: 2026-11-20, decision: withdrawn}
  r2: {right: access, received_on: 2026-11-20, responded_on: 2026-11-21}
  r3: {right: delete, received_on: 2026-11-20}
retention_rules: {hold: {category: mail, legal_hold: true}}
";
    let found = conflicts(&[], yaml, &[]);
    let scopes = |id: &str| -> Vec<_> {
        let rows = found.iter().filter(|row| row.0 == id);
        rows.map(|row| (row.1.as_str(), row.2)).collect()
    };
    assert_eq!(scopes("X02"), [("home", Status::Gap)]);
    assert_eq!(scopes("X09"), [("r1", Status::Gap), ("r4", Status::Gap)]);
    assert_eq!(scopes("X13"), [("hold", Status::Gap)]);
    // What no run looks at is a duty of somebody, and said to be.
    for conflict in shipped().conflicts {
        if ["X09", "X13"].contains(&conflict.id.as_str()) {
            assert!(conflict.resolution.starts_with("Who answers for the data"));
            assert!(
                conflict
                    .residual
                    .unwrap()
                    .contains("none is stopped by one")
            );
        }
    }
}

#[test]
fn times_exclude_each_other_wherever_rules_hold() {
    // Laws that no side of the conflict is of have duties to keep as well.
    let yaml = "
retention_rules:
  erase: {category: invoices, jurisdiction: EU, max: 2 years}
  keep: {category: invoices, jurisdiction: US, min: 7 years}
";
    assert_eq!(
        one(&conflicts(&["EU", "US"], yaml, &[]), "X01").0,
        Status::Gap
    );
    for place in ["AU", "NZ"] {
        let yaml = yaml.replace("US", place);
        assert_eq!(
            one(&conflicts(&["EU", place], &yaml, &[]), "X01").0,
            Status::Gap
        );
    }
}

/// The scopes of a conflict, each with its status and its jurisdictions.
fn scopes(jurisdictions: &[&str], yaml: &str, id: &str) -> Vec<(String, Status, Vec<String>)> {
    let all = found(jurisdictions, yaml, &[], |found| {
        let is_it = found.conflict.id == id;
        is_it.then_some((found.scope, found.status, found.jurisdictions))
    });
    all.into_iter().flatten().collect()
}

#[test]
fn a_transfer_pulls_apart_only_the_laws_of_where_it_leaves() {
    let yaml = "
activities:
  here: {name: H, jurisdictions: [EU, ZA]}
  all: {name: A, jurisdictions: [CN, EU, ZA]}
transfers:
  one: {country: US, mechanism: standard_contract, activities: here}
  two: {country: US, mechanism: standard_contract, activities: all}
  in: {country: CN, mechanism: standard_contract, activities: all}
recipients:
  host: {name: H, country: BR, activities: all}
  safe: {name: S, country: US, activities: all}
";
    let of =
        |places: &[&str]| -> Vec<String> { places.iter().map(|&place| place.to_owned()).collect() };
    // What goes to China leaves it not, and what is of the Union and South Africa is nothing to it.
    assert_eq!(
        scopes(&[], yaml, "X02"),
        [
            ("two".to_owned(), Status::Gap, of(&["CN", "EU", "ZA"])),
            (
                "recipient host".to_owned(),
                Status::Gap,
                of(&["CN", "EU", "ZA"])
            ),
        ]
    );
    // Without China no law wants data to stay.
    assert_eq!(scopes(&["EU", "ZA"], yaml, "X02"), []);
    assert_eq!(scopes(&["CN"], yaml, "X02"), []);
    // Nor is there an opt-out beside the opt-in.
    assert_eq!(scopes(&["CN", "EU"], yaml, "X05"), []);
}

#[test]
fn a_computed_interval_that_is_empty_escalates_whatever_the_operator() {
    let rules = shipped();
    let conflict = rules
        .conflicts
        .iter()
        .find(|conflict| conflict.id == "X08")
        .unwrap();
    assert_eq!(conflict.operator, Operator::Intersect);
    let empty = || Answer::Impossible("none".into());
    assert_eq!(settle(conflict, empty(), None, 0).0, Status::Gap);
    let decided = Decision {
        expires: 1,
        ..decision("*", "2026-01-01", "2026-01-01")
    };
    assert_eq!(
        settle(conflict, empty(), Some(&decided), 0).0,
        Status::Decided
    );
    assert_eq!(
        settle(conflict, Answer::Present("5".into()), None, 0).0,
        Status::Resolved
    );
}

#[test]
fn spans_of_the_controller_are_read() {
    for (text, shown) in [
        ("6 months", "6 months"),
        ("1 year", "1 year"),
        ("2 weeks", "14 days"),
        ("30 days", "30 days"),
    ] {
        assert_eq!(Span::read(text).unwrap().to_string(), shown);
    }
    for text in [
        "",
        "6",
        "months",
        "0 days",
        "+6 days",
        "6 moons",
        "9999 weeks",
        "6 business_days",
    ] {
        assert!(Span::read(text).is_none(), "{text}");
    }
}
