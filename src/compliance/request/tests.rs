//! Terms of requests that are made up.

use super::*;
use crate::compliance::matrix::tests::facts;
use crate::compliance::rules::tests::shipped;

/// Of a request: the requirement, its last day, how it stands.
fn of(day: &str, fields: &str) -> Vec<(String, String, &'static str)> {
    of_facts(&facts(
        day,
        &format!("rights_requests: {{r: {{{fields}}}}}"),
    ))
}

fn of_facts(facts: &Facts) -> Vec<(String, String, &'static str)> {
    terms(&shipped(), facts)
        .unwrap()
        .into_iter()
        .map(|term| {
            (
                term.requirement,
                term.due.unwrap_or_default(),
                term.status.name(),
            )
        })
        .collect()
}

fn one(day: &str, fields: &str, id: &str) -> (String, &'static str) {
    let found = of(day, fields);
    let found = found
        .into_iter()
        .find(|(requirement, ..)| requirement == id);
    let (_, due, status) = found.unwrap_or_else(|| panic!("{id}"));
    (due, status)
}

#[test]
fn terms_are_those_of_each_law() {
    let access = "right: access, received_on: 2026-01-31";
    for (id, due) in [
        // The last day of a month that has no 31st.
        ("GDPR-12-3", "2026-02-28"),
        ("LGPD-19-II", "2026-02-15"),
        ("PIPEDA-4.9", "2026-03-02"),
        ("CCPA-130-A2", "2026-03-17"),
        // Ten business days, Presidents' Day not among them.
        ("CCPA-7021", "2026-02-13"),
        // In a timely manner: no number.
        ("PIPL-50", ""),
    ] {
        assert_eq!(one("2026-02-01", access, id), (due.to_owned(), "open"));
    }
}

/// Worked out by hand on a calendar of each year, from the day after the request.
#[test]
fn twenty_working_days_of_new_zealand_are_those_of_its_act() {
    for (received, due) in [
        // 17 until Christmas Eve; from Christmas to 15 January, a Friday, none; three from the 18th on.
        ("2026-12-01", "2027-01-20"),
        // Received in those days: 18 January is the first. The 8th of February closes for Waitangi Day, a
        // Saturday.
        ("2026-12-30", "2027-02-15"),
        ("2027-01-29", "2027-03-01"),
        // Good Friday, Easter Monday, and Monday the 27th for Anzac Day, a Saturday.
        ("2026-04-01", "2026-05-04"),
        // The Sovereign's birthday, on 1 June.
        ("2026-05-29", "2026-06-29"),
        // Matariki, on 10 July.
        ("2026-06-30", "2026-07-29"),
        // Labour Day, on 26 October.
        ("2026-10-22", "2026-11-20"),
        // Anzac Day of 2038 is Easter Sunday: one Monday closes, and not a Tuesday too.
        ("2038-04-22", "2038-05-24"),
    ] {
        let fields = format!("right: access, received_on: {received}, jurisdiction: NZ");
        let found = one("2026-02-01", &fields, "NZ-44");
        assert_eq!(found, (due.to_owned(), "open"), "{received}");
    }
    let asked = "right: correct, received_on: 2026-06-30, jurisdiction: NZ";
    let of = |day: &str, more: &str| one(day, &format!("{asked}{more}"), "NZ-44");
    assert_eq!(of("2026-07-30", "").1, "overdue");
    assert_eq!(of("2026-07-30", ", responded_on: 2026-07-29").1, "done");
    // How long an extension is says its notice, and no law; one that came too late is none.
    let extended = of("2026-09-30", ", extended_on: 2026-07-29");
    assert_eq!(extended, (String::new(), "open"));
    let late = of("2026-09-30", ", extended_on: 2026-07-30");
    assert_eq!(late, ("2026-07-29".to_owned(), "overdue"));
    // To erase is no right there.
    assert!(
        of_facts(&facts(
            "2026-02-01",
            "rights_requests: {r: {right: delete, received_on: 2026-01-31, jurisdiction: NZ}}"
        ))
        .is_empty()
    );
}

#[test]
fn a_term_is_kept_or_missed() {
    let at = |day: &str, more: &str| {
        let fields = format!("right: know, received_on: 2026-01-05, jurisdiction: CA{more}");
        one(day, &fields, "PIPEDA-4.9").1
    };
    assert_eq!(at("2026-02-04", ""), "open");
    assert_eq!(at("2026-02-05", ""), "overdue");
    assert_eq!(at("2026-05-05", ", responded_on: 2026-02-04"), "done");
    assert_eq!(at("2026-05-05", ", responded_on: 2026-02-05"), "late");
}

#[test]
fn an_extension_counts_where_it_was_told_in_time() {
    let of = |extended: &str| {
        let fields = format!(
            "right: delete, received_on: 2026-01-05, jurisdiction: US-CA, extended_on: {extended}, \
             responded_on: 2026-03-31"
        );
        one("2026-05-05", &fields, "CCPA-130-A2")
    };
    assert_eq!(of("2026-02-01"), ("2026-04-05".to_owned(), "done"));
    assert_eq!(of("2026-03-01"), ("2026-02-19".to_owned(), "late"));
    // The law that gives none gives none.
    let brazil =
        "right: access, received_on: 2026-01-05, jurisdiction: BR, extended_on: 2026-01-06";
    assert_eq!(
        one("2026-05-05", brazil, "LGPD-19-II"),
        ("2026-01-20".to_owned(), "overdue")
    );
}

#[test]
fn requests_are_of_their_jurisdiction_and_their_right() {
    let found = of(
        "2026-02-01",
        "right: delete, received_on: 2026-01-31, jurisdiction: EU",
    );
    let ids: Vec<_> = found.iter().map(|(id, ..)| id.as_str()).collect();
    assert_eq!(ids, ["GDPR-12-3"]);
    let found = of(
        "2026-02-01",
        "right: limit, received_on: 2026-01-31, jurisdiction: US-CA",
    );
    assert!(found.iter().all(|(id, ..)| id != "CCPA-130-A2"));
    assert!(of("2026-02-01", "right: complaint, received_on: 2026-01-31").is_empty());
}

#[test]
fn a_day_far_from_now_has_no_term_and_fails_nothing() {
    // Nobody can declare it any more, but it may have been.
    let mut facts = facts(
        "2026-02-01",
        "rights_requests: {r: {right: access, received_on: 2026-01-31, jurisdiction: EU}}",
    );
    let request = &mut facts.controller.facts[0];
    request.fields["received_on"] = "3026-01-31".into();
    assert_eq!(
        of_facts(&facts),
        [("GDPR-12-3".to_owned(), String::new(), "open")]
    );
}

#[test]
fn the_earlier_of_receipt_and_answer_acknowledges() {
    let of = |more: &str| {
        let fields = format!("right: know, received_on: 2026-01-05, jurisdiction: US-CA, {more}");
        one("2026-05-05", &fields, "CCPA-7021").1
    };
    assert_eq!(of("responded_on: 2026-01-07"), "done");
    assert_eq!(
        of("acknowledged_on: 2026-03-05, responded_on: 2026-01-07"),
        "done"
    );
    assert_eq!(
        of("acknowledged_on: 2026-01-07, responded_on: 2026-03-05"),
        "done"
    );
    assert_eq!(
        of("acknowledged_on: 2026-03-05, responded_on: 2026-03-05"),
        "late"
    );
}

#[test]
fn who_withdrew_waits_for_nothing() {
    let asked = "right: know, received_on: 2026-01-05, jurisdiction: CA, decision: withdrawn";
    assert!(of("2026-05-05", asked).is_empty());
    // An answer that came all the same came late or in time.
    let answered = format!("{asked}, responded_on: 2026-04-05");
    assert_eq!(one("2026-05-05", &answered, "PIPEDA-4.9").1, "late");
}

#[test]
fn an_answer_before_the_request_is_stored_and_no_answer() {
    let mut facts = facts(
        "2026-02-01",
        "rights_requests: {r: {right: access, received_on: 2026-01-20, jurisdiction: EU}}",
    );
    let request = &mut facts.controller.facts[0];
    request
        .fields
        .insert("responded_on".into(), "2025-12-31".into());
    let found = of_facts(&facts);
    assert_eq!((found.len(), found[0].2), (1, "unknown"));
}

#[test]
fn terms_say_what_their_requests_rest_on() {
    use crate::compliance::report::derive::requests::terms as of_report;
    let mut facts = facts(
        "2026-02-01",
        "rights_requests:
  a: {right: access, received_on: 2026-01-20, jurisdiction: EU}
  b: {right: access, received_on: 2026-01-21}",
    );
    facts
        .records
        .facts
        .insert(("rights_request".into(), "a".into()));
    facts.inventory.terms = terms(&shipped(), &facts).unwrap();
    let doubts = |requirement: &str| of_report(&facts, &[requirement]).value[0]["doubts"].clone();
    let unrecorded = "unrecorded: rights request a: no entry of the ledger says that it was declared as \
                      it is stored";
    assert_eq!(
        doubts("GDPR-12-3"),
        serde_json::json!([
            unrecorded,
            "missing: jurisdiction of 1 request",
            "declared: rights request a, rights request b"
        ])
    );
    // That of another law is not among them; nobody has said that this one applies.
    assert_eq!(doubts("CCPA-7027"), serde_json::json!([]));
    assert_eq!(
        doubts("NZ-44"),
        serde_json::json!([
            "missing: jurisdiction of 1 request",
            "declared: rights request b"
        ])
    );
}
