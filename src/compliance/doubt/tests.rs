//! Doubts about facts that are made up.

use super::*;
use crate::compliance::conflict::tests::utc;
use crate::compliance::conflict::{self, Decision, Scene};
use crate::compliance::controller::Controller;
use crate::compliance::incident::timers;
use crate::compliance::inventory::{Age, Consent, Declared, Table};
use crate::compliance::matrix::tests::{declared, facts as made_up};
use crate::compliance::matrix::{Question, applicable, fill, gaps};
use crate::compliance::rules::tests::{day, shipped};
use crate::strategies::calendar::{DAY, parse_time};

const DAY_ASKED: &str = "2026-11-28";

/// Facts as they are known on the day that is asked about.
fn known(yaml: &str) -> Facts {
    made_up(DAY_ASKED, yaml)
}

/// The doubts about one fact.
fn about(facts: &Facts, kind: &str, id: &str) -> Vec<String> {
    lines(of(facts, facts.controller.find(kind, id).unwrap()))
}

/// The doubts of one timer.
fn of_timer(facts: &Facts, requirement: &str) -> Vec<String> {
    let rules = shipped();
    let now = parse_time("2026-11-28 12:00:00Z", true).unwrap();
    let found = timers(&rules, facts, "leak", now, &utc).unwrap();
    let timer = found
        .into_iter()
        .find(|timer| timer.requirement.id == requirement);
    lines(timer.unwrap().doubts)
}

/// The doubts of a gap.
fn of_gap(facts: &Facts, id: &str) -> Vec<String> {
    let rules = shipped();
    let question = Question {
        day: day(&facts.day),
        ..Question::default()
    };
    let rows = fill(&rules, &question, facts).unwrap();
    let found = gaps::list(&rules, &rows, &[], question.day);
    let gap = found.into_iter().find(|gap| gap.id == id);
    gap.unwrap_or_else(|| panic!("{id}")).doubts
}

/// The doubts of a conflict, by its scope.
fn of_conflict(facts: &Facts, decisions: &[Decision], id: &str) -> Vec<(String, Vec<String>)> {
    let rules = shipped();
    let question = Question {
        day: day(&facts.day),
        ..Question::default()
    };
    let applicable = applicable(&rules, &question, facts).unwrap();
    let found = conflict::find(&Scene {
        rules: &rules,
        applicable: &applicable,
        facts,
        decisions,
        day: question.day,
        moment: question.day * DAY,
        zone: &utc,
    });
    let found = found.unwrap().into_iter();
    let of = found.filter(|found| found.conflict.id == id);
    of.map(|found| (found.scope, lines(found.doubts))).collect()
}

fn has(lines: &[String], wanted: &str) {
    assert!(
        lines.iter().any(|line| line.starts_with(wanted)),
        "{wanted}: {lines:?}"
    );
}

fn has_not(lines: &[String], word: &str) {
    assert!(
        lines.iter().all(|line| !line.starts_with(word)),
        "{word}: {lines:?}"
    );
}

#[test]
fn a_timer_says_what_its_incident_rests_on() {
    let whole = "incidents: {leak: {known_at: 2026-11-27T18:00:00Z, jurisdictions: [CA, EU], \
                 determined_at: 2026-11-27T19:00:00Z}}";
    let found = of_timer(&known(whole), "GDPR-33-1");
    assert_eq!(found, ["declared: incident leak"]);
    // What was taken in the place of what nobody has said.
    let bare = known(&whole.replace(", determined_at: 2026-11-27T19:00:00Z", ""));
    has(
        &of_timer(&bare, "PIPEDA-10.1-1"),
        "missing: determined_at of incident leak",
    );
    has_not(&of_timer(&bare, "GDPR-33-1"), "missing");
    let everywhere = known("incidents: {leak: {known_at: 2026-11-27T18:00:00Z}}");
    let found = of_timer(&everywhere, "GDPR-33-1");
    has(&found, "missing: jurisdictions of incident leak");
    has_not(&found, "missing: subjects_affected");
    let found = of_timer(&everywhere, "CN-INCIDENT-4H");
    has(&found, "missing: subjects_affected of incident leak");
    // One that is declared for a day to come, and one that the ledger does not know.
    let mut facts = known(whole);
    facts.controller.facts[0].valid_from = "2026-12-24".into();
    let found = of_timer(&facts, "GDPR-33-1");
    has(
        &found,
        "not in force: incident leak holds from 2026-12-24 on",
    );
    let next = "incidents: {leak: {known_at: 2026-11-29T18:00:00Z, jurisdictions: EU}}";
    has(
        &of_timer(&known(next), "GDPR-33-1"),
        "not in force: known_at of incident leak is yet to come",
    );
    let mut facts = known(whole);
    facts
        .records
        .facts
        .insert(("incident".into(), "leak".into()));
    has(&of_timer(&facts, "GDPR-33-1"), "unrecorded: incident leak");
}

#[test]
fn an_incident_that_speaks_against_itself_is_contradicted() {
    let with = |more: &str| {
        let yaml = format!(
            "
activities: {{here: {{name: A, jurisdictions: [EU]}}, there: {{name: B, jurisdictions: [BR, EU]}},
  elsewhere: {{name: C, jurisdictions: [BR]}}}}
incidents:
  leak: {{known_at: 2026-11-27T18:00:00Z, jurisdictions: [EU]{more}}}
"
        );
        let mut facts = known(&yaml);
        facts.inventory.tables = vec![Table {
            schema: "prod".into(),
            name: "users".into(),
            ..Table::default()
        }];
        of_timer(&facts, "GDPR-33-1")
    };
    let contradicted = |more: &str, why: &str| {
        has(&with(more), &format!("contradicted: incident leak: {why}"));
    };
    has_not(
        &with(", activities: here, tables: prod.users"),
        "contradicted",
    );
    has(
        &with(", activities: there"),
        "missing: whether incident leak is in BR too, as its activities are",
    );
    contradicted(", activities: elsewhere", "no activity of it is in EU");
    contradicted(", tables: prod.gone", "prod.gone is not there");
    let reason = ", no_subjects_notice_reason: no risk";
    has_not(&with(reason), "contradicted");
    contradicted(
        &format!("{reason}, high_risk: true"),
        "no_subjects_notice_reason is declared, and high_risk is true",
    );
    contradicted(
        &format!("{reason}, subjects_notified_at: 2026-11-28T09:00:00Z"),
        "no_subjects_notice_reason and subjects_notified_at are both declared",
    );
    // Somebody told the authority, and has a reason not to tell the others.
    let other = format!("{reason}, authority_notified_at: 2026-11-28T09:00:00Z");
    has_not(&with(&other), "contradicted");
    let mut facts = known(
        "incidents: {leak: {known_at: 2026-11-27T18:00:00Z, jurisdictions: [EU], \
         authority_notified_at: 2026-11-28T09:00:00Z}}",
    );
    facts.controller.facts[0].fields["authority_notified_at"] = "2026-11-20T09:00:00Z".into();
    has(
        &of_timer(&facts, "GDPR-33-1"),
        "contradicted: incident leak: authority_notified_at is before known_at",
    );
}

#[test]
fn facts_that_say_otherwise_contradict_each_other() {
    let facts = known(
        "
activities: {a: {name: A, disclosed: false}, b: {name: B, disclosed: true}}
recipients: {r: {name: R, activities: a}, s: {name: S, activities: b}, t: {name: T}}
columns:
  c: {activity: a, table: prod.users, columns: email, sensitivity: special}
  d: {activity: a, table: prod.users, columns: [email, fax], sensitivity: ordinary}
",
    );
    assert_eq!(
        about(&facts, "activity", "a"),
        ["contradicted: activity a: disclosed is false, and recipient r receives its data"]
    );
    has(
        &about(&facts, "recipient", "r"),
        "contradicted: recipient r: activity a",
    );
    for (kind, id) in [("activity", "b"), ("recipient", "s"), ("recipient", "t")] {
        assert_eq!(about(&facts, kind, id), [""; 0], "{id}");
    }
    let mut classed = facts.clone();
    classed.inventory.columns[0].declared = Some(Declared {
        id: "c".into(),
        sensitivity: Some("special".into()),
        against: vec!["d".into()],
        ..Declared::default()
    });
    for (id, other) in [("c", "d"), ("d", "c")] {
        let why = format!("prod.users.email has another sensitivity by columns {other}");
        has(
            &about(&classed, "columns", id),
            &format!("contradicted: columns {id}: {why}"),
        );
    }
    has(
        &about(&facts, "columns", "d"),
        "contradicted: columns d: prod.users.fax is not there",
    );
    classed.inventory.is_scoped = true;
    assert_eq!(
        about(&classed, "columns", "d").len(),
        1,
        "others are not looked at"
    );
    // A request that was answered before it came, as another version stored it.
    let mut early = known("rights_requests: {q: {right: know, received_on: 2026-01-05}}");
    early.controller.facts[0]
        .fields
        .insert("responded_on".into(), "2025-12-31".into());
    has(
        &about(&early, "rights_request", "q"),
        "contradicted: rights request q",
    );
}

#[test]
fn rows_contradict_what_is_declared_of_them() {
    let mut facts = known(
        "
activities: {a: {name: A, legal_basis: consent}}
retention_rules: {r: {category: all, max: 1 year, table: prod.users, column: at}}
consent_sources: {s: {activity: a, kept_in: there, table: prod.users, given_column: at}}
",
    );
    assert_eq!(about(&facts, "retention_rule", "r"), [""; 0]);
    facts.inventory.ages = vec![Age {
        rule: "r".into(),
        overdue: Some(3),
        ..Age::default()
    }];
    facts.inventory.consents = vec![Consent {
        source: "s".into(),
        rows: Some(9),
        missing: Some(1),
        ..Consent::default()
    }];
    has(
        &about(&facts, "retention_rule", "r"),
        "contradicted: retention rule r: rows",
    );
    has(
        &about(&facts, "consent_source", "s"),
        "contradicted: consent source s: rows",
    );
    has(
        &of_gap(&facts, "GDPR-5-1-E"),
        "contradicted: retention rule r",
    );
}

#[test]
fn a_gap_says_what_its_controls_rest_on() {
    let audit = |more: &str| {
        let yaml =
            format!("measures: {{m: {{kind: audit, description: d, date: 2026-01-02{more}}}}}");
        known(&yaml)
    };
    let found = of_gap(&audit(""), "PIPL-54");
    assert_eq!(found, ["declared: measure m"]);
    let found = of_gap(&audit(", next_review: 2026-06-30"), "PIPL-54");
    has(
        &found,
        "stale: the review of measure m was due on 2026-06-30",
    );
    has(&found, "stale: what measure_declared rests on is too old");
    // What held once, and what did not begin yet.
    let mut ended = known("{}");
    let mut gone = declared(
        "measures: {m: {kind: audit, description: d}, n: {kind: training, description: d}}",
    );
    gone.facts
        .iter_mut()
        .for_each(|fact| fact.valid_to = Some("2026-05-01".into()));
    ended.ended = gone;
    let found = of_gap(&ended, "PIPL-54");
    assert_eq!(found, ["not in force: measure m held until 2026-05-01"]);
    // Of another jurisdiction it says nothing.
    ended.ended = Controller {
        facts: ended
            .ended
            .facts
            .iter()
            .cloned()
            .map(|mut fact| {
                fact.fields
                    .insert("jurisdictions".into(), serde_json::json!(["EU"]));
                fact
            })
            .collect(),
    };
    assert_eq!(of_gap(&ended, "PIPL-54"), [""; 0]);
    // Nobody has said whether it applies; nothing is known of it.
    let found = of_gap(&known("{}"), "GDPR-8");
    has(
        &found,
        "missing: whether GDPR-8 applies: no activity is declared",
    );
    has(
        &of_gap(&known("{}"), "GDPR-12-3"),
        "missing: nothing is known for dsar_metrics",
    );
}

#[test]
fn what_the_database_shows_today_is_not_of_another_day() {
    let yaml = "measures: {m: {kind: access_control, description: d}}";
    let gap = |facts: &Facts| of_gap(facts, "GDPR-32-1-B");
    let mut facts = known(yaml);
    facts.inventory.settings.insert("ssl".into(), "on".into());
    has_not(&gap(&facts), "stale");
    facts.inventory.made_at = "2026-11-29 00:00:01".into();
    has(
        &gap(&facts),
        "stale: what access_control shows is as of 2026-11-29 00:00:01 UTC, and not of 2026-11-28",
    );
}

#[test]
fn a_conflict_says_what_its_scope_rests_on() {
    let yaml = "
retention_rules:
  erase: {category: invoices, jurisdiction: EU, max: 2 years}
  tax: {category: invoices, jurisdiction: BR, min: 5 years}
  hold: {category: contact, legal_hold: true}
rights_requests: {q: {right: access, received_on: 2026-11-20, jurisdiction: EU}}
";
    let facts = known(yaml);
    let one = |id: &str, decisions: &[Decision]| {
        let mut found = of_conflict(&facts, decisions, id);
        assert_eq!(found.len(), 1, "{id}");
        found.remove(0)
    };
    let (scope, found) = one("X01", &[]);
    assert_eq!(scope, "invoices");
    has(&found, "declared: retention rule erase, retention rule tax");
    assert!(found.iter().all(|line| !line.contains("hold")), "{found:?}");
    has(&one("X13", &[]).1, "declared: retention rule hold");
    has(&one("X09", &[]).1, "declared: rights request q");
    let decided = |is_recorded, expires: &str| Decision {
        conflict: "X01".into(),
        scope: "invoices".into(),
        decision: "d".into(),
        legal_basis: "b".into(),
        decided_by: "officer".into(),
        decided_on: day("2026-01-02"),
        expires: day(expires),
        is_recorded,
    };
    let found = one("X01", &[decided(true, "2026-06-30")]).1;
    has(
        &found,
        "stale: the decision of 2026-01-02 held until 2026-06-30",
    );
    let found = one("X01", &[decided(false, "2099-06-30")]).1;
    has(
        &found,
        "unrecorded: no entry of the ledger knows the decision",
    );
    has_not(&found, "stale");
    // A hold that has ended, and a side of which nobody has said that it applies.
    let mut ended = known("{}");
    ended.ended = declared("retention_rules: {hold: {category: contact, legal_hold: true}}");
    ended.ended.facts[0].valid_to = Some("2026-05-01".into());
    let found = of_conflict(&ended, &[], "X13");
    has(
        &found[0].1,
        "not in force: retention rule hold held until 2026-05-01",
    );
    let found = of_conflict(&known("{}"), &[], "X02");
    has(&found[0].1, "missing: whether ");
}

#[test]
fn doubts_are_told_once_and_the_gravest_first() {
    let many = (0..30).map(|n| doubt(Word::Stale, format!("{n:02}")));
    let mut doubts: Vec<Doubt> = many.collect();
    doubts.push(doubt(Word::Declared, "fact a"));
    doubts.push(doubt(Word::Contradicted, "fact a"));
    doubts.push(doubt(Word::Contradicted, "fact a"));
    let found = lines(doubts);
    assert_eq!(found[0], "contradicted: fact a");
    assert_eq!((found.len(), found[20].as_str()), (21, "and 12 more"));
    let yaml = (0..8).map(|n| format!("m{n}: {{kind: audit, description: d}}"));
    let yaml = yaml.collect::<Vec<_>>().join(", ");
    let facts = known(&format!("measures: {{{yaml}}}"));
    let found = lines(resting(&facts, facts.controller.of("measure")));
    assert_eq!(
        found,
        ["declared: measure m0, measure m1, measure m2, measure m3, measure m4 and 3 facts more"]
    );
}
