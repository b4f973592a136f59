//! What was not looked at, or is borne out by nothing, fills no field.

use serde_json::{Value, json};

use super::definition::Status;
use super::law_tests::{field, timed};
use super::{Coverage, Field};
use crate::compliance::Facts;
use crate::compliance::evidence::State;
use crate::compliance::evidence::functions::controller::{measure_declared, responsible_person};
use crate::compliance::inventory::access::admission::Admission;
use crate::compliance::inventory::{Age, Declared, Ledger, Treatment};
use crate::compliance::matrix::tests::facts as made_up;
use crate::ledger::lineage::report::Step;
use crate::ledger::verify::Finding;

/// What a field comes to.
fn of(facts: &Facts, code: &str, id: &str) -> (Status, String) {
    let found: Field = field(facts, code, id);
    (found.status, found.note.unwrap_or_default())
}

const NOTICE: [&str; 8] = [
    "significant_effect: true",
    "tables: [prod.users]",
    "categories: [contact]",
    "secrecy: false",
    "large_scale: false",
    "children_affected: 0",
    "adolescents_affected: 0",
    "elderly_affected: 0",
];

#[test]
fn no_notice_is_no_answer_while_a_mark_is_not_known() {
    let incident = |said: &[&str]| {
        let yaml = format!(
            "incidents: {{i: {{known_at: '2026-02-10T09:30:00-03:00', jurisdictions: [BR], {}}}}}",
            said.join(", ")
        );
        made_up("2026-03-31", &yaml)
    };
    let asked = |facts: &Facts| {
        let found = field(facts, "lgpd", "lgpd.5");
        (found.status, found.value["i"]["notice_asked_for"].clone())
    };
    let whole = incident(&NOTICE);
    assert_eq!(asked(&whole), (Status::Declared, json!(false)));
    // Whichever of them nobody declares.
    for left_out in NOTICE {
        let said: Vec<_> = NOTICE
            .into_iter()
            .filter(|said| *said != left_out)
            .collect();
        let found = asked(&incident(&said));
        assert_eq!(found, (Status::Missing, Value::Null), "{left_out}");
    }
    // A table that is not looked at, or a column of which nobody says how sensitive it is.
    let gone = NOTICE.map(|said| said.replace("prod.users", "prod.users, prod.gone"));
    let gone = incident(&gone.each_ref().map(String::as_str));
    assert_eq!(asked(&gone), (Status::Missing, Value::Null));
    let (_, why) = of(&gone, "lgpd", "lgpd.5");
    assert!(why.contains("what prod.gone holds"), "{why}");
    let mut silent = whole.clone();
    silent.inventory.columns[0].declared = None;
    silent.inventory.columns[0].category = Some(crate::signs::Category::Email);
    assert_eq!(asked(&silent), (Status::Missing, Value::Null));
    // One mark is enough, whatever else is unknown; so is that there is no effect.
    let health = incident(&["significant_effect: true", "categories: [health]"]);
    assert_eq!(asked(&health), (Status::Declared, json!(true)));
    let none = incident(&["significant_effect: false"]);
    assert_eq!(asked(&none), (Status::Declared, json!(false)));
}

#[test]
fn what_could_be_read_of_a_table_that_is_not_looked_at_is_unknown() {
    let of_table = |table: &str| {
        let yaml = format!(
            "incidents: {{i: {{known_at: '2026-02-10T09:30:00-03:00', tables: [{table}]}}}}"
        );
        let mut facts = made_up("2026-03-31", &yaml);
        let step = Step {
            target: "prod".into(),
            table: "users".into(),
            column: "email".into(),
            strategy: "redact".into(),
            ..Step::default()
        };
        facts.inventory.protections = vec![("i".to_owned(), vec![step])];
        facts
    };
    assert_eq!(
        of(&of_table("prod.users"), "lgpd", "lgpd.48.3").0,
        Status::Evidenced
    );
    for (code, id) in [("lgpd", "lgpd.48.3"), ("gdpr", "gdpr.34.3.a")] {
        let facts = of_table("prod.users, prod.gone");
        let (status, why) = of(&facts, code, id);
        assert_eq!(status, Status::Missing, "{id}");
        assert!(why.contains("not known of prod.gone of i"), "{why}");
        let found = field(&facts, code, id).value;
        assert_eq!(found["i"]["not_looked_at"], json!(["prod.gone"]));
    }
}

#[test]
fn what_is_not_gone_for_good_is_not_destroyed() {
    let of_column = |step: Step| {
        let yaml = "
measures:
  a: {kind: reidentification_commitment, description: d}
  b: {kind: recipient_obligations, description: d}
";
        let mut facts = made_up("2026-03-31", yaml);
        facts.inventory.columns[0].treatment = Treatment::Masked(Box::new(step));
        facts
    };
    let redacted = of_column(Step {
        strategy: "redact".into(),
        ..Step::default()
    });
    let reversible = of_column(Step {
        strategy: "redact".into(),
        reversible: true,
        ..Step::default()
    });
    assert!(redacted.inventory.columns[0].treatment.is_anonymised());
    assert!(!reversible.inventory.columns[0].treatment.is_anonymised());
    for (code, id) in [
        ("privacy_act", "au.11.2"),
        ("popia", "popia.14.5"),
        ("ccpa", "ccpa.140.m"),
    ] {
        assert_eq!(of(&redacted, code, id).0, Status::Evidenced, "{id}");
        let (status, why) = of(&reversible, code, id);
        assert_eq!(status, Status::Missing, "{id}");
        assert!(
            why.ends_with("No column was de-identified for good."),
            "{why}"
        );
    }
    // A list of what can be had again is whole, whatever is in it.
    assert_eq!(of(&reversible, "lgpd", "lgpd.12").0, Status::Evidenced);
}

#[test]
fn rows_past_their_time_and_rules_that_were_not_read_speak_against_it() {
    let age = |overdue: Option<i64>, problem: Option<&str>| Age {
        rule: "r".into(),
        overdue,
        problem: problem.map(str::to_owned),
        ..Age::default()
    };
    for (ages, status, why) in [
        (vec![age(Some(0), None)], Status::Evidenced, ""),
        (vec![age(Some(9), None)], Status::Missing, "erase"),
        (
            vec![age(Some(0), None), age(None, Some("it may not be read"))],
            Status::Missing,
            "Not every rule was held against its rows: it may not be read.",
        ),
        (vec![age(None, None)], Status::Missing, "declare max"),
    ] {
        let yaml = "retention_rules: {r: {category: all, max: 2 years}}";
        let mut facts = made_up("2026-03-31", yaml);
        facts.inventory.ages = ages;
        for (code, id) in [
            ("gdpr", "gdpr.30.1.f.overdue"),
            ("pipeda", "pipeda.4.5.3"),
            ("privacy_act", "au.11.2.overdue"),
        ] {
            let found = of(&facts, code, id);
            assert_eq!(found.0, status, "{id}");
            assert!(found.1.contains(why), "{id}: {}", found.1);
        }
    }
}

#[test]
fn a_ledger_alone_is_no_safeguard() {
    let ledger = |status| Ledger {
        findings: vec![Finding {
            code: "OK",
            status,
            chain: "audit",
            seq_from: None,
            seq_to: None,
            detail: String::new(),
        }],
        ..Ledger::default()
    };
    let mut facts = made_up("2026-03-31", "{}");
    facts.inventory.ledger = ledger("ok");
    let safeguards = |facts: &Facts| of(facts, "popia", "popia.19").0;
    assert_eq!(safeguards(&facts), Status::Missing);
    // That the server offers encryption is none while nobody must use it.
    facts.inventory.settings.insert("ssl".into(), "on".into());
    for (admission, status) in [
        (Admission::Unseen, Status::Missing),
        (Admission::Unclear, Status::Missing),
        (Admission::Plain(vec![3]), Status::Missing),
        (Admission::Plain(Vec::new()), Status::Evidenced),
    ] {
        facts.inventory.admission = admission.clone();
        assert_eq!(safeguards(&facts), status, "{admission:?}");
    }
    // What is masked is known from the ledger: one that fails proves nothing.
    facts.inventory.ledger = ledger("fail");
    assert_eq!(safeguards(&facts), Status::Missing);
    facts.inventory.ledger = ledger("ok");
    facts.inventory.columns_total = 0;
    assert_eq!(safeguards(&facts), Status::Missing);
}

#[test]
fn nothing_calls_for_an_assessment_only_where_everything_is_said() {
    let no = "automated_decision: none, published: false, major_impact: false, disclosed: false, \
              sold_or_shared: false";
    let of_activity = |said: &str| {
        made_up(
            "2026-03-31",
            &format!("activities: {{a: {{name: A, {said}}}}}"),
        )
    };
    let asked = |facts: &Facts| {
        let found = field(facts, "pipl", "pipl.55");
        (found.status, found.value["assessment_asked_for"].clone())
    };
    assert_eq!(asked(&of_activity(no)), (Status::Declared, json!(false)));
    for unsaid in [
        "automated_decision: none, ",
        "published: false, ",
        "major_impact: false, ",
    ] {
        let facts = of_activity(&no.replace(unsaid, ""));
        assert_eq!(asked(&facts), (Status::Missing, Value::Null), "{unsaid}");
    }
    // Other schemas may hold what this scope does not.
    let mut scoped = of_activity(no);
    scoped.inventory.is_scoped = true;
    assert_eq!(asked(&scoped), (Status::Missing, Value::Null));
    assert_eq!(of(&scoped, "gdpr", "gdpr.9").0, Status::Missing);
    let mut sensitive = of_activity(no);
    sensitive.inventory.columns[0].declared = Some(Declared {
        sensitivity: Some("sensitive".into()),
        ..Declared::default()
    });
    assert_eq!(asked(&sensitive), (Status::Evidenced, json!(true)));
}

#[test]
fn a_reason_is_that_of_one_authority() {
    let reasons = |authority: &str, subjects: &str| {
        let yaml = format!(
            "incidents: {{i: {{known_at: 2026-02-10T12:00:00Z, jurisdictions: [BR, EU], \
             no_authority_notice_reason: {{{authority}}}{subjects}}}}}"
        );
        timed("2026-03-31", &yaml, "2026-03-31 12:00:00Z")
    };
    let reason = |of: &str| reasons(of, &format!(", no_subjects_notice_reason: {{{of}}}"));
    let facts = reason("BR: no effect");
    assert_eq!(of(&facts, "lgpd", "lgpd.6.deadlines").0, Status::Declared);
    let (status, why) = of(&facts, "gdpr", "gdpr.33.1");
    assert_eq!(status, Status::Missing);
    assert!(why.contains("A deadline of i has passed"), "{why}");
    let both = reason("BR: no effect, EU: no risk");
    assert_eq!(of(&both, "gdpr", "gdpr.33.1").0, Status::Declared);
    // As another version stored it: one text for several is that of none.
    let mut stored = facts.clone();
    stored.controller.facts[0].fields.insert(
        "no_authority_notice_reason".into(),
        "Brazil: no effect".into(),
    );
    for place in ["BR", "EU"] {
        let incident = &stored.within(place).controller.facts[0];
        assert!(!incident.has("no_authority_notice_reason"), "{place}");
    }
    // What excuses the notice to the authority excuses none to those whose data they are.
    let one = reasons("BR: no effect", "");
    let (status, why) = of(&one, "lgpd", "lgpd.6.deadlines");
    assert_eq!(status, Status::Missing);
    assert!(
        why.ends_with("tell them, or declare no_subjects_notice_reason."),
        "{why}"
    );
    let register = |facts: &Facts| of(facts, "lgpd", "lgpd.10").1;
    let asked = |why: &str| why.contains("notice_form of i");
    assert!(asked(&register(&one)) && !asked(&register(&facts)));
    // Of whom nobody must be told no form is asked, and its reason stands there.
    for (id, is_asked) in [
        ("lgpd.6.anpd", false),
        ("lgpd.6.complement", false),
        ("lgpd.9", true),
    ] {
        let found = of(&one, "lgpd", id).0;
        assert_eq!(found == Status::Missing, is_asked, "{id}");
        assert_eq!(of(&facts, "lgpd", id).0, Status::Declared, "{id}");
        let value = field(&facts, "lgpd", id).value["i"].to_string();
        assert!(value.contains("no effect"), "{id}: {value}");
    }
    let public = |facts: &Facts| of(facts, "lgpd", "lgpd.9.public").0;
    assert_eq!(public(&one), Status::Missing);
    assert_eq!(public(&facts), Status::NotApplicable);
}

#[test]
fn who_represents_somebody_is_there() {
    let of_country = |country: &str| {
        made_up(
            "2026-03-31",
            &format!(
                "
organisations:
  o: {{role: controller, legal_name: O, country: US}}
  host: {{role: processor, legal_name: H, country: DE}}
  r: {{role: representative, legal_name: R, contact: r@example.org{country}}}
"
            ),
        )
    };
    let role = json!({"role": "representative"});
    let stands = |facts: &Facts| {
        let own = facts.within("EU");
        responsible_person(&own, &role).state == State::Pass
    };
    // A processor that is there establishes nobody else.
    for (country, status, in_matrix) in [
        (", country: FR", Status::Declared, true),
        (", country: CN", Status::Missing, false),
        ("", Status::Missing, false),
    ] {
        let facts = of_country(country);
        let found = of(&facts, "gdpr", "gdpr.30.1.a.representative");
        assert_eq!(found.0, status, "{country}: {}", found.1);
        assert_eq!(stands(&facts), in_matrix, "{country}");
    }
    let china = of(&of_country(", country: CN"), "pipl", "pipl.53");
    assert_eq!(china.0, Status::Declared);
    let host = "organisations: {h: {role: processor, legal_name: H, country: DE}}";
    let alone = of(
        &made_up("2026-03-31", host),
        "gdpr",
        "gdpr.30.1.a.representative",
    );
    assert_eq!(alone.0, Status::NotApplicable);
}

#[test]
fn what_goes_to_a_place_there_leaves_nothing() {
    let of_country = |country: &str| {
        let yaml = format!(
            "activities: {{a: {{name: A}}}}\ntransfers: {{t: {{country: {country}, \
             subjects_this_year: 2000000}}}}"
        );
        made_up("2026-03-31", &yaml)
    };
    let likely = |country: &str| field(&of_country(country), "privacy_act", "au.1.4.f").value;
    assert_eq!(likely("AU")["likely"], false);
    assert_eq!(likely("NZ")["likely"], true);
    for (code, id, inside, outside) in [
        ("gdpr", "gdpr.30.1.e", "DE", "AU"),
        ("pipl", "pipl.38.volume", "CN", "HK"),
        ("popia", "popia.72", "ZA", "AU"),
        ("privacy_act", "au.8", "AU", "NZ"),
    ] {
        let (status, why) = of(&of_country(inside), code, id);
        assert_eq!(status, Status::NotApplicable, "{id}");
        assert!(why.contains("no transfer is declared"), "{why}");
        assert_eq!(
            of(&of_country(outside), code, id).0,
            Status::Missing,
            "{id}"
        );
    }
}

#[test]
fn columns_of_activities_that_are_gone_belong_to_nothing() {
    let yaml = "
activities: {a: {name: A, jurisdictions: [EU]}}
columns: {c: {activity: a, table: prod.users, columns: [email], sensitivity: sensitive}}
";
    let mut facts = made_up("2026-03-31", yaml);
    let declared = Declared {
        sensitivity: Some("sensitive".into()),
        activities: vec!["a".into()],
        ..Declared::default()
    };
    facts.inventory.columns[0].declared = Some(declared.clone());
    // Of an activity elsewhere.
    assert_eq!(
        of(&facts, "pipl", "pipl.28.columns").0,
        Status::NotApplicable
    );
    assert_eq!(of(&facts, "pipeda", "pipeda.4.4").0, Status::Missing);
    assert_eq!(of(&facts, "gdpr", "gdpr.30.columns").0, Status::Evidenced);
    // Of one that is not there any more.
    facts.inventory.columns[0].declared = Some(Declared {
        activities: Vec::new(),
        is_orphan: true,
        ..declared
    });
    let (status, why) = of(&facts, "pipl", "pipl.28.columns");
    assert_eq!(status, Status::Missing);
    assert!(why.ends_with("the necessity of prod.users.email."), "{why}");
    assert_eq!(of(&facts, "gdpr", "gdpr.30.columns").0, Status::Missing);
}

#[test]
fn the_largest_controller_decides_on_the_exemption() {
    let of_controllers = |second: &str, more: &str| {
        let yaml = format!(
            "
organisations:
  a-small: {{role: controller, legal_name: A, employees: 10}}
  b-big: {{role: controller, legal_name: B{second}}}
activities: {{a: {{name: A, occasional: true{more}}}}}
"
        );
        let found = field(&made_up("2026-03-31", &yaml), "gdpr", "gdpr.30.5");
        let conclusion = found.value["conclusion"].as_str().unwrap().to_owned();
        (found.status, conclusion)
    };
    let (status, why) = of_controllers(", employees: 5000", "");
    assert_eq!(status, Status::Declared);
    assert_eq!(why, "250 employees or more: no exemption");
    let (status, why) = of_controllers("", "");
    assert_eq!((status, why.as_str()), (Status::Missing, "not known"));
    let (status, why) = of_controllers(", employees: 9", "");
    assert_eq!(status, Status::Declared);
    assert!(why.starts_with("fewer than 250"), "{why}");
}

#[test]
fn nothing_asked_is_no_share() {
    let coverage = Coverage::default();
    assert_eq!((coverage.asked(), coverage.percent()), (0, None));
    let half = Coverage {
        declared: 1,
        missing: 1,
        not_applicable: 5,
        ..coverage
    };
    assert_eq!(half.percent(), Some(50));
}

#[test]
fn only_runs_on_record_carry_out_deletions() {
    let run = "0197B2F0-0000-7000-8000-000000000001";
    let of_run = |named: &str, day: &str| {
        let yaml = format!(
            "rights_requests: {{r: {{right: delete, received_on: 2026-02-03, jurisdiction: US-CA, \
             run_id: {named}}}}}"
        );
        let mut facts = made_up("2026-03-31", &yaml);
        facts.inventory.runs.named = vec![(run.to_lowercase(), day.to_owned())];
        let found = field(&facts, "ccpa", "ccpa.105.runs");
        (found.status, found.value["carried_out_by_runs"].clone())
    };
    assert_eq!(of_run(run, "2026-02-03"), (Status::Declared, json!(1)));
    // One that is on no record, and one that ended before anybody asked.
    assert_eq!(of_run("banana", "2026-02-03"), (Status::Missing, json!(0)));
    assert_eq!(of_run(run, "2026-02-02"), (Status::Missing, json!(0)));
}

#[test]
fn an_act_without_its_day_is_no_act_within_a_year() {
    let of_review = |more: &str| {
        let yaml = format!(
            "measures:\n  m: {{kind: policy_review, description: read{more}}}\n  n: {{kind: \
             policy_availability, description: on the site}}"
        );
        let facts = made_up("2026-03-31", &yaml);
        let with = json!({"kind": ["policy_availability", "policy_review"], "every": "12 months"});
        let state = measure_declared(&facts, &with).state;
        (of(&facts, "ccpa", "ccpa.130.a.5").0, state)
    };
    let dated = of_review(", date: 2026-01-05");
    assert_eq!(dated, (Status::Declared, State::Pass));
    assert_eq!(of_review(""), (Status::Missing, State::Part));
    let planned = of_review(", next_review: 2027-01-05");
    assert_eq!(planned, (Status::Missing, State::Part));
}
