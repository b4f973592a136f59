//! Whose word a field is: what scripts and empty ledgers say is evidence of nothing, and what leaves is
//! a transfer whatever it is called.

use super::definition::Status;
use super::law_tests::field;
use crate::compliance::Facts;
use crate::compliance::inventory::Column;
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
