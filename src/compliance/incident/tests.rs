//! Timers of an incident that is made up.

use super::*;
use crate::compliance::calendar::shown;
use crate::compliance::conflict::tests::utc;
use crate::compliance::matrix::tests::facts;
use crate::compliance::rules::tests::shipped;

/// A requirement, its status and the wall clock of its end.
fn ends(fields: &str, now: &str) -> Vec<(String, &'static str, String)> {
    let rules = shipped();
    let facts = facts(
        "2026-11-27",
        &format!("incidents: {{leak: {{known_at: 2026-11-27T18:00:00Z{fields}}}}}"),
    );
    let now = parse_time(now, true).unwrap();
    timers(&rules, &facts, "leak", now, &utc)
        .unwrap()
        .into_iter()
        .map(|timer| {
            let due = timer.due.map(|due| shown(due, utc("").as_ref()).unwrap());
            let due = due.map_or(String::new(), |due| due[..16].to_owned());
            (timer.requirement.id.clone(), timer.status.name(), due)
        })
        .collect()
}

fn of<'a>(rows: &'a [(String, &'static str, String)], id: &str) -> (&'static str, &'a str) {
    let row = rows
        .iter()
        .find(|row| row.0 == id)
        .unwrap_or_else(|| panic!("{id}"));
    (row.1, row.2.as_str())
}

#[test]
fn one_incident_has_one_set_of_timers() {
    let rows = ends("", "2026-11-28 12:00:00Z");
    assert_eq!(
        rows[0],
        (
            "CN-INCIDENT-4H".into(),
            "overdue",
            "2026-11-27 22:00".into()
        )
    );
    assert_eq!(of(&rows, "GDPR-33-1"), ("open", "2026-11-30 18:00"));
    assert_eq!(of(&rows, "LGPD-15/2024-6"), ("open", "2026-12-02 23:59"));
    assert_eq!(of(&rows, "LGPD-15/2024-9"), ("open", "2026-12-02 23:59"));
    assert_eq!(of(&rows, "AU-NDB-ASSESS"), ("open", "2026-12-27 23:59"));
    // Without a number, and last.
    assert_eq!(of(&rows, "POPIA-22"), ("open", ""));
    let first_open = rows.iter().position(|row| row.2.is_empty()).unwrap();
    assert!(rows[first_open..].iter().all(|row| row.2.is_empty()));
    // What depends on what few organisations are is not among them.
    assert!(rows.iter().all(|row| row.0 != "CN-INCIDENT-1H"));
    // The complement waits for the notice.
    assert_eq!(of(&rows, "LGPD-15/2024-6-C"), ("waiting", ""));
}

#[test]
fn what_was_done_in_time_is_done() {
    let rows = ends(
        ", jurisdictions: [BR, EU], authority_notified_at: 2026-11-30T19:00:00+00:00, \
         subjects_notified_at: 2026-12-03T00:00:00Z",
        "2026-12-24 12:00:00Z",
    );
    assert_eq!(of(&rows, "GDPR-33-1"), ("late", "2026-11-30 18:00"));
    assert_eq!(of(&rows, "LGPD-15/2024-6"), ("done", "2026-12-02 23:59"));
    assert_eq!(of(&rows, "LGPD-15/2024-9"), ("late", "2026-12-02 23:59"));
    // Twenty business days from the first notice, Christmas and New Year left out.
    assert_eq!(of(&rows, "LGPD-15/2024-6-C"), ("open", "2026-12-29 23:59"));
    assert!(rows.iter().all(|row| !row.0.starts_with("CN-")));
}

#[test]
fn what_has_no_number_is_planned_with_the_earliest() {
    let rules = shipped();
    let facts = facts(
        "2026-11-27",
        "incidents: {leak: {known_at: 2026-11-27T18:00:00Z}}",
    );
    let found = timers(&rules, &facts, "leak", 0, &utc).unwrap();
    let timer = found
        .iter()
        .find(|timer| timer.requirement.id == "PIPEDA-10.1-1")
        .unwrap();
    assert!(
        timer.note.contains("determined_at is not declared"),
        "{}",
        timer.note
    );
    assert!(
        timer
            .note
            .ends_with("no number: plan it with CN-INCIDENT-4H"),
        "{}",
        timer.note
    );
}

#[test]
fn law_is_that_of_the_day_of_the_incident() {
    let rules = shipped();
    let known = "incidents: {old: {known_at: 2025-10-31T23:00:00Z}}";
    let found = timers(&rules, &facts("2026-11-27", known), "old", 0, &utc).unwrap();
    assert!(
        found
            .iter()
            .all(|timer| timer.requirement.id != "CN-INCIDENT-4H")
    );
}

#[test]
fn incidents_that_nobody_declared_are_refused() {
    let rules = shipped();
    let error = timers(&rules, &facts("2026-11-27", "{}"), "le'ak\n", 0, &utc).unwrap_err();
    assert_eq!(error.kind(), Kind::UndefinedObject);
    assert_eq!(
        error.message(),
        "incident \"le'ak\u{fffd}\" is not declared"
    );
}
