//! The shipped rules, and documents that are no rules.

use std::collections::BTreeSet;

use super::*;
use crate::compliance::calendar::{On, weekday};
use crate::compliance::evidence;
use crate::error::Result;
use crate::strategies::calendar::{Civil, parse_date};

/// The shipped set.
pub(in crate::compliance) fn shipped() -> Rules {
    let documents = shipped::DOCUMENTS
        .iter()
        .map(|text| read::document(text).unwrap())
        .collect();
    assemble::set(documents, &|name| evidence::find(name).is_some()).unwrap()
}

/// A day, from 2000-01-01.
pub(in crate::compliance) fn day(text: &str) -> i64 {
    parse_date(text).unwrap().into()
}

#[test]
fn shipped_rules_are_one_set() {
    let rules = shipped();
    assert_eq!(rules.documents.len(), shipped::DOCUMENTS.len());
    assert_eq!(
        rules.jurisdictions(),
        ["AU", "BR", "CA", "CN", "EU", "NZ", "US", "US-CA", "ZA"]
    );
    for code in rules.jurisdictions() {
        let some = rules.requirements.iter().any(|r| r.jurisdiction == code);
        assert!(some && rules.calendar(code).is_some(), "{code}");
    }
    assert!(
        rules.requirements.len() > 120,
        "{}",
        rules.requirements.len()
    );
    let ids: Vec<_> = rules
        .conflicts
        .iter()
        .map(|conflict| conflict.id.as_str())
        .collect();
    let expected: Vec<_> = (1..=13).map(|number| format!("X{number:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn nobody_has_checked_a_text_and_every_row_says_so() {
    let rules = shipped();
    for requirement in &rules.requirements {
        assert_eq!(requirement.text_checked, None, "{}", requirement.id);
        for mapping in &requirement.mappings {
            assert_eq!(mapping.review, Review::Draft, "{}", requirement.id);
            assert!(!mapping.author.is_empty() && mapping.rationale.len() > 10);
        }
    }
}

#[test]
fn every_control_serves_a_requirement_and_says_what_closes_it() {
    let rules = shipped();
    let used: BTreeSet<&str> = rules
        .requirements
        .iter()
        .flat_map(|requirement| &requirement.mappings)
        .map(|mapping| mapping.control.as_str())
        .collect();
    for control in &rules.controls {
        assert!(used.contains(control.id.as_str()), "{}", control.id);
        assert!(!control.evidence.is_empty(), "{}", control.id);
        assert!(control.closes.ends_with(['.', ';']), "{}", control.id);
    }
}

#[test]
fn law_begins_on_its_first_day() {
    let rules = shipped();
    let holds = |id: &str, on: &str, proposed| {
        let requirement = rules.requirement(id).unwrap();
        requirement.holds_on(day(on), proposed)
    };
    assert!(!holds("AU-APP-1.7", "2026-12-09", true));
    assert!(holds("AU-APP-1.7", "2026-12-10", false));
    assert!(!holds("NZ-IPP-3A", "2026-04-30", false));
    assert!(holds("NZ-IPP-3A", "2026-05-01", false));
    assert!(!holds("CN-INCIDENT-4H", "2025-10-31", false));
    assert!(holds("CN-INCIDENT-4H", "2025-11-01", false));
    // Proposals are no law.
    for id in ["GDPR-P-30-5", "GDPR-P-33", "GDPR-P-4-1"] {
        assert!(
            !holds(id, "2026-12-10", false) && holds(id, "2026-12-10", true),
            "{id}"
        );
    }
    let until = rules
        .requirement("CCPA-105")
        .unwrap()
        .penalty
        .as_ref()
        .unwrap()
        .until;
    assert_eq!(until, Some(day("2026-12-31")));
}

#[test]
fn breach_clocks_are_as_the_laws_have_them() {
    let rules = shipped();
    for (id, span, from) in [
        ("GDPR-33-1", "72 hours", "aware"),
        ("LGPD-15/2024-6", "3 business days", "knowledge"),
        ("LGPD-15/2024-6-C", "20 business days", "notice"),
        ("CN-INCIDENT-4H", "4 hours", "aware"),
        ("CN-INCIDENT-1H", "1 hour", "aware"),
        ("CN-INCIDENT-2H", "2 hours", "aware"),
        ("PIPEDA-10.1-1", "as soon as feasible", "determination"),
        ("POPIA-22", "as soon as feasible", "grounds"),
        ("AU-NDB-ASSESS", "30 days", "grounds"),
    ] {
        let deadline = rules.requirement(id).unwrap().params.deadlines[0];
        assert_eq!(
            (deadline.span.to_string().as_str(), deadline.from.name()),
            (span, from),
            "{id}"
        );
    }
}

#[test]
fn holidays_of_a_weekend_are_kept_where_they_are_kept() {
    let rules = shipped();
    let closed = |code: &str, on: &str| {
        let calendar = rules.calendar(code).unwrap();
        calendar
            .holiday(day(on))
            .map(|holiday| holiday.name.clone())
    };
    // Of the Saturdays, California keeps only Veterans Day on Friday; the Union of States keeps all.
    assert_eq!(closed("US-CA", "2026-07-03"), None);
    assert_eq!(
        closed("US", "2026-07-03").as_deref(),
        Some("Independence Day")
    );
    assert_eq!(closed("US-CA", "2027-12-31"), None);
    assert_eq!(
        closed("US", "2027-12-31").as_deref(),
        Some("New Year's Day")
    );
    assert_eq!(closed("US-CA", "2027-12-24"), None);
    assert_eq!(
        closed("US-CA", "2028-11-10").as_deref(),
        Some("Veterans Day")
    );
    // Those of a Sunday are kept on Monday.
    assert_eq!(
        closed("US-CA", "2027-07-05").as_deref(),
        Some("Independence Day")
    );
    assert_eq!(closed("US-CA", "2028-01-03"), None);
    assert_eq!(
        closed("US-CA", "2033-12-26").as_deref(),
        Some("Christmas Day")
    );
}

const SMALL: &str = "
rules: small
version: \"1\"
title: Small
author: nobody
calendars:
  - {code: XX, title: Nowhere, zone: UTC, weekend: [sunday]}
instruments:
  - {code: LAW, title: Law, jurisdiction: XX, citation: Law 1}
controls:
  - {id: C-A, title: A, owner: dba, closes: Do it., takes: [keep]}
requirements:
  - id: LAW-1
    instrument: LAW
    cite: s. 1
    title: Keep it
    kind: retention
    origin: knowledge
    param: {keep: {at_least: {n: 2, unit: year}}}
    mappings:
      - {control: C-A, rel: equal, rationale: it is the same}
conflicts: []
";

fn set(text: &str) -> Result<Rules> {
    assemble::set(vec![read::document(text)?], &|name| name == "known")
}

/// What is said of the document with something else in one place.
fn refused(old: &str, new: &str) -> String {
    assert!(SMALL.contains(old), "{old}");
    let error = set(&SMALL.replacen(old, new, 1)).unwrap_err();
    let detail = error.detail().unwrap_or_default();
    format!("{} | {detail}", error.message())
}

#[test]
fn documents_that_are_no_rules_are_refused_where_they_go_wrong() {
    assert!(set(SMALL).is_ok());
    for (old, new, said) in [
        (
            "rules: small",
            "rulez: small",
            "unrecognized key \"rulez\" at line 2 column 1",
        ),
        (
            "origin: knowledge",
            "origin: knowledge\n    trigger: affected",
            "how many people it takes is missing",
        ),
        ("title: Small\n", "", "key \"title\" is missing"),
        (
            "version: \"1\"",
            "version: one",
            "version must be numbers with points at line 3",
        ),
        (
            "kind: retention",
            "kind: keeping",
            "\"keeping\" is not allowed at line 17 column 11",
        ),
        (
            "origin: knowledge",
            "origin: hearsay",
            "requirements[0].origin",
        ),
        (
            "n: 2, unit: year",
            "n: 0, unit: year",
            "\"n\" must be between 1 and 10000",
        ),
        (
            "n: 2, unit: year",
            "n: 2, unit: moon",
            "\"moon\" is not allowed",
        ),
        (
            "n: 2, unit: year",
            "n: 2, unit: year, from: aware",
            "unrecognized key \"from\"",
        ),
        (
            "n: 2, unit: year",
            "n: 9999, unit: year",
            "the time is too long",
        ),
        (
            "n: 2, unit: year",
            "n: two, unit: year",
            "integer expected, but a text found",
        ),
        (
            "weekend: [sunday]",
            "weekend: [sunny]",
            "a day of the week is expected",
        ),
        (
            "zone: UTC",
            "zone: \"UTC'; DROP\"",
            "time zone must have a name of the server",
        ),
        ("{code: LAW,", "{code: \"LAW'; --\",", "is not an id"),
        ("id: LAW-1", "id: [1]", "text expected, but a list found"),
        (
            "conflicts: []",
            "conflicts: {}",
            "list expected, but a mapping found",
        ),
        ("cite: s. 1", "cite: ''", "text must not be blank"),
        (
            "cite: s. 1",
            "text_checked_on: 2026-02-30\n    cite: s. 1",
            "\"2026-02-30\" is not a day",
        ),
        (
            "cite: s. 1",
            "text_checked_on: 2026-02-01\n    cite: s. 1",
            "who checked the text is missing",
        ),
        (
            "cite: s. 1",
            "status: future\n    cite: s. 1",
            "needs its first day",
        ),
        (
            "cite: s. 1",
            "penalty: fine\n    cite: s. 1",
            "penalty \"fine\" is not in this document",
        ),
        (
            "cite: s. 1",
            "valid: {from: 2026-02-01, to: 2026-01-01}\n    cite: s. 1",
            "the last day is before the first",
        ),
        (
            "instrument: LAW",
            "instrument: LAX",
            "names instrument \"LAX\", which is not there",
        ),
        (
            "{control: C-A,",
            "{control: C-B,",
            "names control \"C-B\", which is not there",
        ),
        (
            "jurisdiction: XX",
            "jurisdiction: YY",
            "names calendar \"YY\", which is not there",
        ),
        (
            "takes: [keep]",
            "takes: [age]",
            "control \"C-A\" does not take parameter \"keep\"",
        ),
        (
            "takes: [keep]",
            "takes: [moon]",
            "there is no parameter \"moon\"",
        ),
        (
            "closes: Do it.",
            "closes: Do it., evidence: [{name: made_up, kind: db}]",
            "names evidence \"made_up\", which is not there",
        ),
        (
            "rationale: it is the same}",
            "rationale: it is the same}\n      - {control: C-A, rel: subset, rationale: again}",
            "names control \"C-A\" twice",
        ),
        (
            "conflicts: []",
            "conflicts:\n  - {id: X, dimension: d, between: [LAW-2], detect: age, operator: MAX, \
             resolution: r}",
            "names requirement \"LAW-2\", which is not there",
        ),
        (
            "  - {id: C-A,",
            "  - {id: C-A, title: A, owner: dba, closes: Do it.}\n  - {id: C-A,",
            "control \"C-A\" is there twice",
        ),
    ] {
        let found = refused(old, new);
        assert!(found.contains(said), "{new}: {found}");
    }
}

#[test]
fn more_controls_than_the_search_is_made_for_are_refused() {
    let with = |most: usize| {
        let controls: String = (1..most)
            .map(|number| format!("  - {{id: C-{number}, title: A, owner: dba, closes: Do it.}}\n"))
            .collect();
        set(&SMALL.replace("requirements:\n", &format!("{controls}requirements:\n")))
    };
    assert!(with(assemble::MOST_CONTROLS).is_ok());
    let error = with(assemble::MOST_CONTROLS + 1).unwrap_err();
    assert_eq!(error.message(), "invalid rules: more than 128 controls");
}

#[test]
fn hostile_documents_are_refused() {
    for (text, said) in [
        (String::new(), "document is empty"),
        ("[]".to_owned(), "mapping expected"),
        (
            "rules: !!python/object/apply:os.system [ls]".to_owned(),
            "tag",
        ),
        (format!("rules: {}", "[".repeat(100)), "deep"),
        ("rules: a\nrules: b".to_owned(), "already used"),
        ("a: &x [1]\nb: *x".to_owned(), "alias"),
        ("rules: \"a\\0b\"".to_owned(), "control character"),
        (
            SMALL.replace("title: Small", &format!("title: {}", "x".repeat(2_001))),
            "longer",
        ),
        (
            SMALL.replace("rules: small", "rules: \"sm\\u202eall\""),
            "is not an id",
        ),
        (format!("{SMALL}# {}", "x".repeat(1024 * 1024)), "larger"),
    ] {
        let error = set(&text).unwrap_err();
        assert!(error.message().contains(said), "{}", error.message());
    }
}

const CHRISTMAS: &str = "{name: a, date: \"12-25\", through: \"01-15\"}";

#[test]
fn matariki_is_a_friday_of_each_year_of_its_schedule() {
    let rules = shipped();
    let calendar = rules.calendar("NZ").unwrap();
    let matariki = calendar
        .holidays
        .iter()
        .find(|holiday| holiday.name == "Matariki");
    let On::Days(days) = &matariki.unwrap().on else {
        panic!("no days");
    };
    let years: Vec<i64> = days.iter().map(|&day| Civil::of(day).year).collect();
    assert_eq!(years, (2022..=2052).collect::<Vec<_>>());
    assert!(days.iter().all(|&day| weekday(day) == 4));
}

#[test]
fn holidays_are_read_in_every_form() {
    let of = |holiday: &str| {
        let text = SMALL.replace("weekend: [sunday]", &format!("holidays: [{holiday}]"));
        set(&text).map(|rules| rules.calendars[0].clone())
    };
    for (holiday, on) in [
        ("{name: a, date: \"12-25\"}", "2026-12-25"),
        ("{name: a, easter: -2}", "2026-04-03"),
        (
            "{name: a, month: 11, weekday: thursday, nth: 4}",
            "2026-11-26",
        ),
        ("{name: a, days: [2026-02-17]}", "2026-02-17"),
        (CHRISTMAS, "2026-12-25"),
        (CHRISTMAS, "2027-01-15"),
        (
            "{name: a, date: \"07-04\", observed: nearest_weekday}",
            "2026-07-03",
        ),
    ] {
        assert!(!of(holiday).unwrap().is_business_day(day(on)), "{holiday}");
    }
    assert!(
        of("{name: a, date: \"12-25\", closes: false}")
            .unwrap()
            .is_business_day(day("2026-12-25"))
    );
    for holiday in [
        "{name: a}",
        "{name: a, date: \"12-25\", easter: 1}",
        "{name: a, date: \"13-01\"}",
        "{name: a, date: \"1-1\"}",
        "{name: a, month: 1, weekday: monday, nth: 0}",
        "{name: a, days: [infinity]}",
        "{name: a, easter: 1000}",
        "{name: a, easter: 1, through: \"01-15\"}",
        "{name: a, date: \"12-25\", through: \"01-32\"}",
        "{name: a, date: \"12-25\", through: \"01-15\", observed: monday_after}",
    ] {
        assert!(of(holiday).is_err(), "{holiday}");
    }
    for worked in ["2026-12-24", "2027-01-16"] {
        assert!(
            of(CHRISTMAS).unwrap().is_business_day(day(worked)),
            "{worked}"
        );
    }
}

#[test]
fn a_set_has_one_hash_in_any_order() {
    let other = SMALL
        .replace("rules: small", "rules: other")
        .replace("LAW", "LEX");
    let other = other.replace("C-A", "C-O").replace("code: XX", "code: YY");
    let other = other.replace("jurisdiction: XX", "jurisdiction: YY");
    let both = |texts: [&str; 2]| {
        let documents = texts.map(|text| read::document(text).unwrap());
        assemble::set(documents.to_vec(), &|_| true).unwrap()
    };
    let rules = both([SMALL, &other]);
    assert_eq!(rules, both([&other, SMALL]));
    assert!(
        rules.version().starts_with("other 1, small 1 ("),
        "{}",
        rules.version()
    );
    assert_ne!(rules.hash, set(SMALL).unwrap().hash);
}
