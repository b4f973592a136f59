//! Whose word a field is: what scripts and empty ledgers say is evidence of nothing, and what leaves is
//! a transfer whatever it is called.

use super::definition::Status;
use super::law_tests::field;
use crate::compliance::Facts;
use crate::compliance::inventory::{Age, Column, Consent};
use crate::compliance::matrix::tests::facts as made_up;
use crate::ledger::lineage::report::Step;
use crate::ledger::verify::Finding;

fn of(facts: &Facts, code: &str, id: &str) -> (Status, String) {
    let found = field(facts, code, id);
    (found.status, found.note.unwrap_or_default())
}

#[test]
fn a_ledger_without_entries_proves_nothing() {
    let mut facts = made_up("2026-03-31", "{}");
    facts.inventory.ledger.findings = vec![Finding {
        code: "OK",
        status: "ok",
        chain: "audit",
        seq_from: None,
        seq_to: None,
        detail: String::new(),
    }];
    for since in [None, Some("2026-01-02".to_owned())] {
        facts.inventory.ledger.since.clone_from(&since);
        for (code, id) in [
            ("ccpa", "ccpa.ledger"),
            ("lgpd", "lgpd.48.3.ledger"),
            ("pipl", "pipl.56.record"),
            ("privacy_act", "au.ledger"),
        ] {
            let status = match since {
                None => Status::Missing,
                Some(_) => Status::Evidenced,
            };
            assert_eq!(of(&facts, code, id).0, status, "{id} {since:?}");
        }
    }
}

#[test]
fn runs_of_scripts_are_no_runs_whose_checks_passed() {
    let mut facts = made_up("2026-03-31", "{}");
    facts.inventory.runs.scripts = 2;
    assert_eq!(of(&facts, "gdpr", "gdpr.32.1.d.runs").0, Status::Missing);
    facts.inventory.runs.completed = 1;
    facts.inventory.runs.verified = 1;
    let found = field(&facts, "gdpr", "gdpr.32.1.d.runs");
    assert_eq!(found.status, Status::Evidenced);
    assert_eq!(found.value["found"]["of_scripts"], 2);
}

#[test]
fn what_a_script_says_and_what_could_be_read_protected_nothing() {
    let incident = "incidents: {i: {known_at: '2026-02-10T09:30:00-03:00', tables: [prod.users]}}";
    let step = |column: &str, origin: &str| Step {
        target: "prod".into(),
        table: "users".into(),
        column: column.into(),
        strategy: "redact".into(),
        origin: origin.into(),
        ..Step::default()
    };
    let with = |steps: Vec<Step>| {
        let mut facts = made_up("2026-03-31", incident);
        facts.inventory.protections = vec![("i".to_owned(), steps)];
        facts
    };
    let masked = with(vec![step("email", "run")]);
    assert_eq!(of(&masked, "lgpd", "lgpd.48.3").0, Status::Evidenced);
    let said = with(vec![step("email", "declared")]);
    let (status, why) = of(&said, "lgpd", "lgpd.48.3");
    assert_eq!(status, Status::Missing);
    assert!(
        why.contains("nothing that protected the tables of i"),
        "{why}"
    );
    let value = field(&said, "lgpd", "lgpd.48.3").value;
    assert_eq!(value["i"]["masked_as_a_script_says"][0], "prod.users.email");
    // Half of what the table holds is no evidence that it was unintelligible.
    let mut half = masked.clone();
    half.inventory.columns.push(Column {
        name: "phone".into(),
        ..half.inventory.columns[0].clone()
    });
    let (status, why) = of(&half, "gdpr", "gdpr.34.3.a");
    assert_eq!(status, Status::Missing);
    assert!(why.contains("could be read: 1 column of i"), "{why}");
}

#[test]
fn what_can_be_read_today_is_not_what_could_be_on_another_day() {
    let step = Step {
        target: "prod".into(),
        table: "users".into(),
        column: "email".into(),
        strategy: "redact".into(),
        origin: "run".into(),
        ..Step::default()
    };
    let at = |made_at: &str, steps: Vec<Step>| {
        let incident =
            "incidents: {i: {known_at: '2026-02-10T09:30:00-03:00', tables: [prod.users]}}";
        let mut facts = made_up("2026-03-31", incident);
        facts.inventory.made_at = made_at.into();
        facts.inventory.protections = vec![("i".to_owned(), steps)];
        field(&facts, "lgpd", "lgpd.48.3")
    };
    let same = at("2026-03-31 23:59:59", vec![step.clone()]);
    assert_eq!(same.status, Status::Evidenced);
    assert_eq!(same.value["i"]["readable_as_of"], "2026-03-31 23:59:59");
    let later = at("2026-04-01 00:00:00", vec![step]);
    assert_eq!(later.status, Status::Stale);
    assert_eq!(later.as_of, "2026-04-01 00:00:00");
    let why = later.note.unwrap();
    assert!(
        why.ends_with("readable is as of 2026-04-01 00:00:00 UTC, and not of 2026-03-31."),
        "{why}"
    );
    // What is missing is not better for being of another day.
    assert_eq!(
        at("2026-04-01 00:00:00", Vec::new()).status,
        Status::Missing
    );
}

#[test]
fn what_a_notice_says_is_asked_of_those_that_are_due() {
    let of = |id: &str, more: &str| {
        let facts = made_up(
            "2026-03-31",
            &format!(
                "incidents: {{i: {{known_at: 2026-02-10T12:00:00Z, jurisdictions: CA, \
                 subjects_affected: 3{more}}}}}"
            ),
        );
        of(&facts, "pipeda", id)
    };
    let reason = |of: &str| format!(", no_{of}_notice_reason: no real risk");
    for (id, own, other) in [
        ("pipeda.10.1.report", "authority", "subjects"),
        ("pipeda.10.1.notice", "subjects", "authority"),
    ] {
        assert_eq!(of(id, "").0, Status::Missing, "{id}");
        assert_eq!(of(id, &reason(other)).0, Status::Missing, "{id}");
        assert_eq!(of(id, &reason(own)).0, Status::Declared, "{id}");
        // Who told them all the same says what.
        let told = format!(", {own}_notified_at: 2026-02-11T12:00:00Z{}", reason(own));
        assert_eq!(of(id, &told).0, Status::Missing, "{id}");
    }
}

#[test]
fn rows_that_were_counted_now_are_of_now() {
    let mut facts = made_up(
        "2026-03-31",
        "
activities: {a: {name: A, legal_basis: consent}}
retention_rules: {r: {category: all, max: 1 year, table: prod.users, column: at}}
consent_sources: {s: {activity: a, kept_in: there, table: prod.users, given_column: at}}
",
    );
    facts.inventory.made_at = "2026-11-30 12:00:00".into();
    let as_of =
        |facts: &Facts| ["pipeda.4.5", "pipeda.4.3"].map(|id| field(facts, "pipeda", id).as_of);
    assert_eq!(as_of(&facts), ["2026-03-31", "2026-03-31"]);
    facts.inventory.ages = vec![Age {
        rule: "r".into(),
        overdue: Some(0),
        ..Age::default()
    }];
    facts.inventory.consents = vec![Consent {
        source: "s".into(),
        ..Consent::default()
    }];
    assert_eq!(
        as_of(&facts),
        ["2026-11-30 12:00:00", "2026-11-30 12:00:00"]
    );
}

#[test]
fn what_a_recipient_elsewhere_gets_leaves_the_country() {
    let yaml = "
activities: {a: {name: A}}
recipients: {r: {name: R, country: US, category: hosting, activities: a}}
";
    let facts = made_up("2026-03-31", yaml);
    for (code, id) in [
        ("gdpr", "gdpr.30.1.e"),
        ("pipl", "pipl.38"),
        ("popia", "popia.72"),
        ("privacy_act", "au.1.4.g"),
        ("privacy_act", "au.8"),
    ] {
        assert_eq!(of(&facts, code, id).0, Status::Missing, "{id}");
    }
    let likely = |facts: &Facts| field(facts, "privacy_act", "au.1.4.f").value["likely"].clone();
    assert_eq!(likely(&facts), true);
    let other = "\ntransfers: {t: {country: JP, mechanism: adequacy, safeguard_document: d}}\n";
    let facts = made_up("2026-03-31", &format!("{yaml}{other}"));
    for (code, id) in [
        ("gdpr", "gdpr.30.1.e"),
        ("pipl", "pipl.38.volume"),
        ("popia", "popia.72"),
    ] {
        let (status, why) = of(&facts, code, id);
        assert_eq!(status, Status::Missing, "{id}");
        assert!(
            why.contains("a transfer to recipient r in US"),
            "{id}: {why}"
        );
    }
    let facts = made_up("2026-03-31", &yaml.replace("US", "DE"));
    assert_eq!(of(&facts, "gdpr", "gdpr.30.1.e").0, Status::NotApplicable);
    assert_eq!(likely(&facts), true);
}

#[test]
fn an_incident_is_where_it_says_whatever_activities_it_is_about() {
    let incident = |place: &str| {
        made_up(
            "2026-03-31",
            &format!(
                "
activities: {{a: {{name: A, jurisdictions: [ZA]}}, b: {{name: B, jurisdictions: [EU]}}}}
incidents: {{i: {{known_at: '2026-03-01T12:00:00Z', activities: a{place}}}}}
"
            ),
        )
    };
    let named = incident(", jurisdictions: [EU]");
    assert_eq!(of(&named, "gdpr", "gdpr.34").0, Status::Missing);
    assert_eq!(
        of(&named, "popia", "popia.22.told").0,
        Status::NotApplicable
    );
    // Where none is named it is where its activities are.
    let silent = incident("");
    assert_eq!(of(&silent, "gdpr", "gdpr.34").0, Status::NotApplicable);
    assert_eq!(of(&silent, "popia", "popia.22.told").0, Status::Missing);
}
