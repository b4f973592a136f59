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
        ", jurisdictions: [BR, EU], authority_notified_at: {BR: 2026-11-30T19:00:00+00:00, EU: \
         2026-11-30T19:00:00+00:00}, subjects_notified_at: {BR: 2026-12-03T00:00:00Z}",
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
    let ids = |known: &str, zone: &dyn Fn(&str) -> Box<dyn Zone>| -> Vec<String> {
        let known = format!("incidents: {{old: {{known_at: {known}}}}}");
        let found = timers(&rules, &facts("2026-11-27", &known), "old", 0, zone).unwrap();
        let ids = found.into_iter().map(|timer| timer.requirement.id.clone());
        ids.collect()
    };
    let four = "CN-INCIDENT-4H".to_owned();
    assert!(!ids("2025-10-31T23:00:00Z", &utc).contains(&four));
    assert!(ids("2025-11-01T00:00:00Z", &utc).contains(&four));
    // Where the authority is, November has begun already, or not yet.
    assert!(ids("2025-10-31T23:00:00Z", &shanghai).contains(&four));
    assert!(!ids("2025-10-31T15:59:59Z", &shanghai).contains(&four));
}

/// Eight hours before UTC in China, UTC elsewhere.
fn shanghai(name: &str) -> Box<dyn Zone> {
    struct Eight;
    impl Zone for Eight {
        fn wall(&self, moment: i64) -> Result<i64> {
            Ok(moment + DAY / 3)
        }
        fn moment(&self, wall: i64) -> Result<i64> {
            Ok(wall - DAY / 3)
        }
    }
    match name {
        "Asia/Shanghai" => Box::new(Eight),
        _ => utc(name),
    }
}

#[test]
fn each_authority_is_told_at_its_own_moment() {
    let rows = ends(
        ", jurisdictions: [BR, EU, ZA], authority_notified_at: {EU: 2026-11-28T09:00:00Z, BR: \
         2026-12-04T09:00:00Z}",
        "2026-12-24 12:00:00Z",
    );
    assert_eq!(of(&rows, "GDPR-33-1").0, "done");
    assert_eq!(of(&rows, "LGPD-15/2024-6").0, "late");
    assert_eq!(of(&rows, "POPIA-22").0, "open");
    // Twenty business days from the notice in Brazil, and not from that in the Union.
    assert_eq!(of(&rows, "LGPD-15/2024-6-C").1, "2027-01-05 23:59");
    // One moment is that of the one authority there is.
    let rows = ends(
        ", jurisdictions: EU, authority_notified_at: 2026-11-28T09:00:00Z",
        "2026-12-24 12:00:00Z",
    );
    assert_eq!(of(&rows, "GDPR-33-1").0, "done");
}

#[test]
fn individuals_have_timers_beside_authorities() {
    let rules = shipped();
    let facts = facts(
        "2026-11-27",
        "incidents: {leak: {known_at: 2026-11-27T18:00:00Z}}",
    );
    let found = timers(&rules, &facts, "leak", 0, &utc).unwrap();
    for place in ["AU", "BR", "CA", "CN", "EU", "NZ", "ZA"] {
        for to in [Addressee::Authority, Addressee::Subjects] {
            assert!(
                found
                    .iter()
                    .any(|timer| timer.requirement.jurisdiction == place && timer.deadline.to == to),
                "{place} {to:?}"
            );
        }
    }
}

#[test]
fn hours_are_for_incidents_of_very_many_people() {
    let has = |fields: &str| {
        let rows = ends(fields, "2026-11-28 12:00:00Z");
        rows.iter().any(|row| row.0 == "CN-INCIDENT-4H")
    };
    assert!(has(", subjects_affected: 1000001"));
    assert!(!has(", subjects_affected: 1000000"));
    assert!(!has(", subjects_affected: 300"));
    // Nobody has said how many: the shorter time is the safe one, and says why it is there.
    let rules = shipped();
    let facts = facts(
        "2026-11-27",
        "incidents: {leak: {known_at: 2026-11-27T18:00:00Z}}",
    );
    let found = timers(&rules, &facts, "leak", 0, &utc).unwrap();
    let timer = found.first().unwrap();
    assert_eq!(timer.requirement.id, "CN-INCIDENT-4H");
    assert!(
        timer.note.contains("subjects_affected is not declared"),
        "{}",
        timer.note
    );
    assert_eq!(timer.requirement.penalty, None);
}

#[test]
fn what_is_stored_and_no_moment_is_said_and_no_error() {
    let rules = shipped();
    let mut facts = facts(
        "2026-11-27",
        "incidents: {leak: {known_at: 2026-11-27T18:00:00Z, jurisdictions: [EU, ZA]}}",
    );
    for (field, value) in [
        ("known_at", "3026-11-27T18:00:00Z"),
        ("known_at", "soon"),
        ("known_at", "infinity"),
        ("authority_notified_at", "2026-11-28T18:00:00Z"),
        ("subjects_notified_at", "2026-11-28T18:00:00Z"),
    ] {
        let mut stored = facts.clone();
        stored.controller.facts[0]
            .fields
            .insert(field.into(), value.into());
        let found = timers(&rules, &stored, "leak", 0, &utc).unwrap();
        let timer = found
            .iter()
            .find(|timer| timer.requirement.id == "GDPR-33-1")
            .unwrap();
        if field == "known_at" {
            assert_eq!(
                (timer.status, timer.due),
                (Status::Unknown, None),
                "{value}"
            );
            assert!(
                timer
                    .note
                    .contains("known_at is stored as what is no moment")
            );
        } else {
            // Which of two authorities was told, nobody says; when individuals were is another matter.
            assert_eq!((timer.status, timer.told), (Status::Open, None));
            let is_said = timer.note.contains("for several authorities");
            assert_eq!(is_said, field == "authority_notified_at", "{}", timer.note);
        }
    }
    // Only what hangs on it is unknown.
    let odd = serde_json::json!({"EU": "soon", "ZA": "2026-11-28T18:00:00Z"});
    let mut stored = facts.clone();
    stored.controller.facts[0]
        .fields
        .insert("subjects_notified_at".into(), odd);
    let found = timers(&rules, &stored, "leak", 0, &utc).unwrap();
    let status = |id: &str| {
        let timer = found.iter().find(|timer| timer.requirement.id == id);
        timer.unwrap().status
    };
    assert_eq!(status("GDPR-34"), Status::Unknown);
    assert_eq!(status("GDPR-33-1"), Status::Open);
    assert_eq!(status("POPIA-22-SUBJECTS"), Status::Done);
    facts.controller.facts[0].fields.remove("known_at");
    let found = timers(&rules, &facts, "leak", 0, &utc).unwrap();
    assert!(found.iter().all(|timer| timer.status == Status::Unknown));
}

#[test]
fn california_has_timers_of_its_own() {
    let rows = |fields: &str, known: &str| {
        let rules = shipped();
        let yaml =
            format!("incidents: {{leak: {{known_at: {known}, jurisdictions: [US-CA]{fields}}}}}");
        let now = parse_time("2026-12-24 12:00:00Z", true).unwrap();
        let found = timers(&rules, &facts("2026-12-24", &yaml), "leak", now, &utc).unwrap();
        let row = |timer: &Timer<'_>| {
            let due = timer.due.map(|due| shown(due, utc("").as_ref()).unwrap());
            (
                timer.requirement.id.clone(),
                timer.status.name(),
                due.map_or(String::new(), |due| due[..10].to_owned()),
            )
        };
        found.iter().map(row).collect::<Vec<_>>()
    };
    let row = |id: &str, status, due: &str| (id.to_owned(), status, due.to_owned());
    let known = "2026-11-27T18:00:00Z";
    assert_eq!(
        rows(", subjects_affected: 500", known),
        [row("CA-1798.82", "open", "2026-12-27")]
    );
    // What more than 500 are told, the Attorney General gets too.
    let many = ", subjects_affected: 501";
    assert_eq!(
        rows(many, known),
        [
            row("CA-1798.82", "open", "2026-12-27"),
            row("CA-1798.82-F", "waiting", "")
        ]
    );
    let told = format!("{many}, subjects_notified_at: 2026-12-01T12:00:00Z");
    assert_eq!(
        rows(&told, known),
        [
            row("CA-1798.82-F", "overdue", "2026-12-16"),
            row("CA-1798.82", "done", "2026-12-27")
        ]
    );
    let before = format!("{many}, authority_notified_at: 2026-12-01T12:00:00Z");
    assert_eq!(rows(&before, known)[1], row("CA-1798.82-F", "done", ""));
    // Before 2026 without a number.
    assert_eq!(
        rows("", "2025-12-31T18:00:00Z"),
        [row("CA-1798.82-UNTIL-2025", "open", "")]
    );
}

#[test]
fn a_reason_excuses_only_where_the_law_takes_one() {
    let rules = shipped();
    let facts = facts(
        "2026-11-27",
        "incidents: {leak: {known_at: 2026-11-27T18:00:00Z, jurisdictions: [AU, CN, EU, ZA], \
         no_authority_notice_reason: {AU: r, CN: r, EU: r, ZA: r}, \
         no_subjects_notice_reason: {AU: r, CN: r, EU: r, ZA: r}}}",
    );
    let found = timers(&rules, &facts, "leak", 0, &utc).unwrap();
    let is = |id: &str| {
        let timer = found.iter().find(|timer| timer.requirement.id == id);
        let timer = timer.unwrap_or_else(|| panic!("{id}"));
        let says = match timer.is_excused {
            true => "the law lets that be where",
            false => "a reason is declared, and this law takes none",
        };
        assert!(timer.note.contains(says), "{id}: {}", timer.note);
        timer.is_excused
    };
    for id in [
        "AU-NDB-NOTIFY",
        "AU-NDB-SUBJECTS",
        "GDPR-33-1",
        "GDPR-34",
        "PIPL-57-SUBJECTS",
    ] {
        assert!(is(id), "{id}");
    }
    // A leak is told to the authority in China, and a compromise to everybody in South Africa, whatever
    // the risk.
    for id in ["CN-INCIDENT-4H", "PIPL-57", "POPIA-22", "POPIA-22-SUBJECTS"] {
        assert!(!is(id), "{id}");
    }
    // To tell nobody is no reason to assess nothing, and is not looked at there.
    let assess = found
        .iter()
        .find(|timer| timer.requirement.id == "AU-NDB-ASSESS");
    let assess = assess.unwrap();
    assert!(
        !assess.is_excused && !assess.note.contains("a reason"),
        "{}",
        assess.note
    );
}

#[test]
fn a_reason_for_one_is_none_for_the_other() {
    let rules = shipped();
    for (field, authority, subjects) in [
        ("no_authority_notice_reason", true, false),
        ("no_subjects_notice_reason", false, true),
    ] {
        let yaml = format!(
            "incidents: {{leak: {{known_at: 2026-11-27T18:00:00Z, jurisdictions: [BR, EU], \
             {field}: {{BR: r, EU: r}}}}}}"
        );
        let found = timers(&rules, &facts("2026-11-27", &yaml), "leak", 0, &utc).unwrap();
        for timer in found
            .iter()
            .filter(|timer| timer.requirement.excuse.is_some())
        {
            let is_expected = match timer.deadline.to {
                Addressee::Authority => authority,
                _ => subjects,
            };
            assert_eq!(
                timer.is_excused, is_expected,
                "{field} {}",
                timer.requirement.id
            );
        }
    }
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
