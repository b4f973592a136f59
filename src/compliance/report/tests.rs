//! What holds for every report, whatever the law.

use serde_json::json;

use super::definition::{Ask, Status};
use super::derive::columns;
use super::laws::LAWS;
use super::{Field, Report, fill};
use crate::compliance::Facts;
use crate::compliance::evidence;
use crate::compliance::inventory::{Declared, Treatment};
use crate::compliance::matrix::tests::facts as made_up;
use crate::compliance::request;
use crate::compliance::rules::tests::shipped;
use crate::ledger::lineage::report::Format;
use crate::ledger::lineage::report::Step;

fn facts() -> Facts {
    Facts {
        day: "2026-12-09".to_owned(),
        ..Facts::default()
    }
}

fn report<'a>(law: &'static super::definition::Law, facts: &'a Facts) -> Report<'a> {
    fill::fill(law, facts, None, &shipped())
}

#[test]
fn ids_are_told_apart_and_evidence_is_there() {
    for law in LAWS {
        let mut ids: Vec<_> = law
            .sections
            .iter()
            .flat_map(|s| s.lines)
            .map(|l| l.id)
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{}", law.code);
        for line in law.sections.iter().flat_map(|section| section.lines) {
            if let Ask::Evidence(name, parameters) = line.ask {
                assert!(evidence::find(name).is_some(), "{name}");
                serde_json::from_str::<serde_json::Value>(parameters).unwrap();
            }
        }
    }
}

#[test]
fn nothing_is_declared_where_nobody_declared_anything() {
    let facts = facts();
    for law in LAWS {
        for field in report(law, &facts).fields() {
            assert_ne!(field.status, Status::Declared, "{}", field.id);
            if field.status == Status::Missing {
                assert!(field.note.is_some(), "{}", field.id);
            }
        }
    }
}

#[test]
fn laws_begin_on_their_day() {
    let status = |day: &str| {
        let mut facts = facts();
        facts.day = day.to_owned();
        let (law, id) = (super::laws::find("privacy_act", None).unwrap(), "au.1.7");
        let report = report(law, &facts);
        report
            .fields()
            .find(|field| field.id == id)
            .map(|field| field.status)
    };
    assert_eq!(status("2026-12-09"), Some(Status::NotApplicable));
    assert_eq!(status("2026-12-10"), Some(Status::Missing));
}

#[test]
fn no_report_gives_a_verdict() {
    let facts = facts();
    for law in LAWS {
        for format in [Format::Json, Format::Markdown, Format::Html] {
            let text = report(law, &facts).render(format).to_lowercase();
            for word in ["compliant\": true", "is compliant", "fully compliant"] {
                assert!(!text.contains(word), "{} {word}", law.code);
            }
        }
    }
}

/// A field of a report.
fn field(facts: &Facts, code: &str, id: &str) -> Field {
    let law = super::laws::find(code, None).unwrap();
    let report = report(law, facts);
    report
        .fields()
        .find(|field| field.id == id)
        .unwrap()
        .clone()
}

#[test]
fn what_speaks_against_it_fills_no_field() {
    let measure = "measures: {m: {kind: access_control, description: by task}}";
    // Borne out, in part, spoken against.
    for (yaml, open, status, state) in [
        (measure, false, Status::Evidenced, "pass"),
        ("{}", false, Status::Missing, "part"),
        (measure, true, Status::Missing, "fail"),
    ] {
        let mut facts = made_up("2026-03-31", yaml);
        if open {
            let reader = ("PUBLIC".to_owned(), "prod".to_owned(), "users".to_owned());
            facts.inventory.readers.push(reader);
        }
        let found = field(&facts, "gdpr", "gdpr.32.1.b");
        assert_eq!(found.status, status, "{state}");
        assert_eq!(found.value["state"], state);
        assert!(found.value["found"].is_object(), "{state}");
        assert_eq!(found.note.is_some(), state != "pass", "{state}");
    }
}

#[test]
fn what_is_too_old_is_stale() {
    let mut facts = made_up("2026-03-31", "{}");
    for (at, passed, status) in [
        ("2026-03-30 10:00:00", true, Status::Evidenced),
        ("2026-01-01 10:00:00", true, Status::Stale),
        ("2026-01-01 10:00:00", false, Status::Missing),
        // Verified after the day that is asked about: no age is negative.
        ("2026-11-30 10:00:00", true, Status::Evidenced),
    ] {
        facts.inventory.ledger.verified_at = Some((at.to_owned(), passed));
        let found = field(&facts, "gdpr", "gdpr.32.1.d.ledger");
        assert_eq!(found.status, status, "{at}");
        assert!(
            found.value["found"]["age_days"].as_i64().unwrap() >= 0,
            "{at}"
        );
    }
}

#[test]
fn the_record_of_processing_is_the_controllers_word() {
    let yaml = include_str!("../../../examples/compliance/controller.yaml");
    let mut facts = made_up("2026-03-31", yaml);
    let mut state = |activities: &[&str]| {
        facts.inventory.columns[0].declared = Some(Declared {
            activities: activities.iter().map(|&id| id.into()).collect(),
            ..Declared::default()
        });
        let found = field(&facts, "popia", "popia.17");
        (
            found.status,
            found.source,
            found.value["found"]["c"] == true,
        )
    };
    assert_eq!(
        state(&["orders", "newsletter", "support"]),
        (Status::Declared, "controller", true)
    );
    // Of each activity, and not of some.
    assert_eq!(state(&["orders"]), (Status::Missing, "controller", false));
    let found = field(&made_up("2026-03-31", "{}"), "popia", "popia.17");
    assert_eq!(found.status, Status::Missing);
    assert_eq!(found.value["found"]["a"], false);
}

#[test]
fn requests_and_incidents_count_where_they_are() {
    // Ten each: of fewer no metric tells.
    let of = |id: &str, place: &str| -> String {
        let of = |turn: usize| {
            format!(
                "\n  {id}{turn}: {{right: delete, received_on: 2025-02-03, jurisdiction: {place}}}"
            )
        };
        (0..10).map(of).collect()
    };
    let (california, union) = (of("c", "US-CA"), of("e", "EU"));
    let facts = made_up(
        "2026-03-31",
        &format!(
            "
rights_requests:{california}{union}
  somewhere: {{right: delete, received_on: 2025-02-03}}
incidents:
  brazil: {{known_at: '2026-02-10T09:30:00-03:00', jurisdictions: [BR], nature: loss}}
  canada: {{known_at: '2026-02-10T09:30:00-03:00', jurisdictions: [CA], advice: change it}}
"
        ),
    );
    // Metrics are of California only; what names no place is left out, and said to be.
    let metrics = field(&facts, "ccpa", "ccpa.7102.a.1");
    assert_eq!(metrics.value["delete"]["received"], 10);
    let note = metrics.note.unwrap();
    assert!(
        note.contains("1 request without jurisdiction left out"),
        "{note}"
    );
    // A register has what names no place in the report of every law.
    let register = field(&facts, "ccpa", "ccpa.7101.b");
    assert_eq!(register.value["requests"], 11);
    let note = register.note.unwrap();
    assert!(note.contains("1 request names no jurisdiction"), "{note}");
    let incidents = field(&facts, "lgpd", "lgpd.10").value;
    let incidents: Vec<_> = incidents.as_object().unwrap().keys().collect();
    assert_eq!(incidents, ["brazil"]);
    let advice = field(&facts, "pipeda", "pipeda.10.1.notice");
    assert_eq!(advice.status, Status::Declared, "{advice:?}");
    let abroad = field(&facts, "popia", "popia.22.5");
    assert_eq!(abroad.status, Status::NotApplicable);
}

#[test]
fn a_moment_of_another_authority_fills_no_field() {
    let facts = made_up(
        "2026-03-31",
        "
incidents:
  i:
    known_at: '2026-02-10T09:30:00-03:00'
    jurisdictions: [BR, EU, ZA]
    authority_notified_at: {BR: '2026-02-12T10:00:00-03:00', EU: '2026-02-11T10:00:00-03:00'}
    authority_reference: A1
    proof_of_representation: P1
",
    );
    let brazil = field(&facts, "lgpd", "lgpd.6.anpd");
    assert_eq!(brazil.status, Status::Declared);
    assert_eq!(
        brazil.value["i"]["authority_notified_at"],
        "2026-02-12T10:00:00-03:00"
    );
    let south_africa = field(&facts, "popia", "popia.22.told");
    assert_eq!(south_africa.status, Status::Missing);
    assert!(
        !south_africa.value.to_string().contains("2026-02-1"),
        "{south_africa:?}"
    );
}

#[test]
fn that_nobody_asked_is_an_answer_of_who_has_a_procedure() {
    let of = |yaml: &str| field(&made_up("2026-03-31", yaml), "pipeda", "pipeda.4.10.count");
    assert_eq!(of("{}").status, Status::Missing);
    let found = of("measures: {m: {kind: access_procedure, description: a form}}");
    assert_eq!(
        (found.status, &found.value["complaints"]),
        (Status::Declared, &json!(0))
    );
    assert!(
        found
            .note
            .unwrap()
            .starts_with("No request is declared here")
    );
}

#[test]
fn requests_are_held_against_the_terms_of_their_law() {
    let asked = |more: &str| {
        let mut facts = made_up(
            "2026-03-31",
            &format!(
                "rights_requests: {{r: {{right: know, received_on: 2026-01-05, jurisdiction: \
                 US-CA{more}}}}}"
            ),
        );
        facts.inventory.terms = request::terms(&shipped(), &facts).unwrap();
        let found = field(&facts, "ccpa", "ccpa.130.a.2");
        (found.status, found.value[0]["missed"].clone())
    };
    assert_eq!(asked(""), (Status::Missing, json!(["r"])));
    assert_eq!(
        asked(", responded_on: 2026-03-01"),
        (Status::Declared, json!(["r"]))
    );
    assert_eq!(
        asked(", responded_on: 2026-02-01"),
        (Status::Declared, json!([]))
    );
}

#[test]
fn an_empty_list_fills_no_field_and_stays() {
    let incident = |more: &str| {
        format!(
            "incidents: {{i: {{known_at: '2026-02-10T09:30:00-03:00', \
             occurred_from: '2026-02-10T09:30:00-03:00', tables: [prod.users]{more}}}}}\n\
             retention_rules: {{r: {{category: health}}}}"
        )
    };
    let mut facts = made_up("2026-03-31", &incident(""));
    facts.inventory.runs.completed = 1;
    facts.inventory.protections = vec![("i".to_owned(), Vec::new())];
    for (code, id) in [
        // Nothing was anonymised for good.
        ("pipeda", "pipeda.4.5.3.disposal"),
        // Nothing protected the table.
        ("lgpd", "lgpd.48.3"),
        // No safeguard shows.
        ("lgpd", "lgpd.46"),
        // The registers lack what they must say of the incident.
        ("lgpd", "lgpd.10"),
        ("pipeda", "pipeda.10.3"),
        // A rule of one category, without end.
        ("pipeda", "pipeda.4.5"),
        // Whether notice is asked for is not known.
        ("lgpd", "lgpd.5"),
    ] {
        let found = field(&facts, code, id);
        assert_eq!(found.status, Status::Missing, "{id}");
        assert!(!found.value.is_null() && found.note.is_some(), "{id}");
    }
    // What fills each of them.
    let step = Step {
        target: "prod".into(),
        table: "users".into(),
        column: "email".into(),
        strategy: "redact".into(),
        ..Step::default()
    };
    let yaml = incident(
        ", circumstances: c, cause: c, categories: [contact], subjects_affected: 1, risks: none, \
         measures_before: masked, measures_after: none, contact: a@example.org, \
         significant_effect: false, notice_form: by letter, notice_content: what was lost",
    );
    let yaml = yaml.replace("category: health", "category: all, max: 2 years");
    let mut facts = made_up("2026-03-31", &yaml);
    facts.inventory.runs.completed = 1;
    facts.inventory.protections = vec![("i".to_owned(), vec![step.clone()])];
    facts.inventory.columns[0].treatment = Treatment::Masked(Box::new(step));
    for (code, id) in [
        ("lgpd", "lgpd.48.3"),
        ("lgpd", "lgpd.46"),
        ("lgpd", "lgpd.10"),
        ("pipeda", "pipeda.10.3"),
        ("pipeda", "pipeda.4.5"),
        ("lgpd", "lgpd.5"),
    ] {
        let found = field(&facts, code, id);
        assert!(
            matches!(found.status, Status::Evidenced | Status::Declared),
            "{id}: {found:?}"
        );
    }
}

#[test]
fn none_of_a_kind_is_an_answer_where_every_column_has_a_class() {
    let mut facts = made_up("2026-03-31", "{}");
    let special = columns::special(&facts);
    assert_eq!(
        (special.status, special.value),
        (Status::Declared, json!([]))
    );
    assert_eq!(
        field(&facts, "gdpr", "gdpr.9").status,
        Status::NotApplicable
    );
    facts.inventory.columns[0].declared = None;
    facts.inventory.columns[0].category = Some(crate::signs::Category::Email);
    let special = columns::special(&facts);
    assert_eq!(
        (special.status, special.value),
        (Status::Missing, json!([]))
    );
    assert_eq!(field(&facts, "gdpr", "gdpr.9").status, Status::Missing);
    facts.inventory.columns.clear();
    let found = field(&facts, "gdpr", "gdpr.30.1.c.columns");
    assert_eq!((found.status, found.value), (Status::Missing, json!([])));
}

#[test]
fn columns_that_belong_to_nothing_are_open() {
    let yaml = "
activities: {a: {name: A}}
columns: {c: {activity: a, table: prod.users, columns: [email]}}
";
    let mut facts = made_up("2026-03-31", yaml);
    let found = field(&facts, "gdpr", "gdpr.30.columns");
    assert_eq!(found.status, Status::Evidenced);
    facts
        .inventory
        .columns
        .push(crate::compliance::inventory::Column {
            schema: "prod".into(),
            table: "users".into(),
            name: "phone".into(),
            category: Some(crate::signs::Category::Phone),
            ..Default::default()
        });
    let found = field(&facts, "gdpr", "gdpr.30.columns");
    assert_eq!(found.status, Status::Missing);
    assert_eq!(found.value["not_declared"], json!(["prod.users.phone"]));
}
