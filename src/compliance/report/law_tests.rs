//! When a line is asked for: by the rules in use, and by the facts.

use serde_json::{Value, json};

use super::definition::Status;
use super::laws::{LAWS, find};
use super::{Field, fill};
use crate::compliance::conflict::tests::utc;
use crate::compliance::controller::kinds::KINDS;
use crate::compliance::inventory::{Column, Declared};
use crate::compliance::matrix::tests::facts as made_up;
use crate::compliance::matrix::{self, Question, gaps};
use crate::compliance::rules::tests::{day, shipped};
use crate::compliance::rules::{Rules, Standing};
use crate::compliance::{Facts, incident};
use crate::strategies::calendar::parse_time;

/// A field of a report, by some rules.
fn by(rules: &Rules, facts: &Facts, code: &str, id: &str) -> Field {
    let report = fill::fill(find(code, None).unwrap(), facts, None, rules);
    let found = report.fields().find(|field| field.id == id);
    found.unwrap_or_else(|| panic!("{id}")).clone()
}

pub(super) fn field(facts: &Facts, code: &str, id: &str) -> Field {
    by(&shipped(), facts, code, id)
}

/// What is there and what is not of a field.
fn status(facts: &Facts, code: &str, id: &str) -> (Status, String) {
    let found = field(facts, code, id);
    (found.status, found.note.unwrap_or_default())
}

#[test]
fn every_line_names_a_requirement_of_its_law() {
    let rules = shipped();
    for law in LAWS {
        for line in law.sections.iter().flat_map(|section| section.lines) {
            let requirement = rules.requirement(line.requirement);
            let place = requirement.map(|requirement| requirement.jurisdiction.as_str());
            assert_eq!(
                place,
                Some(law.jurisdiction),
                "{} {}",
                line.id,
                line.requirement
            );
        }
    }
}

#[test]
fn rules_move_the_first_day_and_the_trigger_of_a_line() {
    let mut rules = shipped();
    let place = rules
        .requirements
        .iter()
        .position(|requirement| requirement.id == "AU-APP-1.7")
        .unwrap();
    let activity = "activities: {a: {name: A, automated_decision: sole, decisions: credit}}";
    let of = |rules: &Rules, day: &str| {
        let found = by(rules, &made_up(day, activity), "privacy_act", "au.1.7");
        (found.status, found.note.unwrap_or_default())
    };
    assert_eq!(of(&rules, "2026-12-10").0, Status::Declared);
    rules.requirements[place].from = Some(day("2027-06-01"));
    assert_eq!(
        of(&rules, "2026-12-10"),
        (
            Status::NotApplicable,
            "The law asks for it from 2027-06-01 on.".to_owned()
        )
    );
    assert_eq!(of(&rules, "2027-06-01").0, Status::Declared);
    rules.requirements[place].until = Some(day("2027-12-31"));
    let (status, why) = of(&rules, "2028-01-01");
    assert_eq!(status, Status::NotApplicable);
    assert_eq!(why, "The law asked for it until 2027-12-31.");
    rules.requirements[place].standing = Standing::Repealed;
    assert_eq!(of(&rules, "2027-06-01").1, "It is no law any more.");
    rules.requirements.remove(place);
    let (status, why) = of(&rules, "2027-06-01");
    assert_eq!(status, Status::NotApplicable);
    assert_eq!(why, "The rules in use do not ask for it.");
}

#[test]
fn a_checked_text_is_said_to_be() {
    let mut rules = shipped();
    let facts = made_up("2026-03-31", "{}");
    let law = find("popia", None).unwrap();
    let report = fill::fill(law, &facts, None, &rules);
    assert_eq!(report.checked().0, 0);
    assert!(report.remark().starts_with("Nobody has checked"));
    let place = rules
        .requirements
        .iter()
        .position(|requirement| requirement.id == "POPIA-55")
        .unwrap();
    let checked = ("2026-02-01".to_owned(), "Ada".to_owned());
    rules.requirements[place].text_checked = Some(checked.clone());
    let report = fill::fill(law, &facts, None, &rules);
    assert_eq!(report.checked().0, 1);
    assert!(
        report.remark().contains(", 1 rest on"),
        "{}",
        report.remark()
    );
    let found = by(&rules, &facts, "popia", "popia.55");
    assert_eq!(found.text_checked, Some(checked));
    let shown = super::json::document(&report);
    assert_eq!(shown["rules"]["text_checked_on"], Value::Null);
    assert_eq!(super::json::field(&found)["text_checked_on"], "2026-02-01");
    for requirement in &mut rules.requirements {
        requirement.text_checked = Some(("2026-02-01".to_owned(), "Ada".to_owned()));
    }
    let report = fill::fill(law, &facts, None, &rules);
    let shown = super::json::document(&report);
    assert_eq!(shown["rules"]["text_checked_on"], "2026-02-01");
}

#[test]
fn what_nobody_has_said_is_missing_and_what_a_fact_says_is_not_asked_for() {
    let of = |fields: &str| {
        let yaml = format!("activities: {{a: {{name: A{fields}}}}}");
        status(
            &made_up("2026-03-31", &yaml),
            "gdpr",
            "gdpr.30.2.a.processor",
        )
    };
    let (found, why) = of("");
    assert_eq!(found, Status::Missing);
    assert!(why.contains("activity a does not say whether"), "{why}");
    let (found, why) = of(", role: controller");
    assert_eq!(found, Status::NotApplicable);
    assert_eq!(
        why,
        "Not asked for here: no activity has processing for others."
    );
    // Where it is processed for others, nobody is declared who does.
    let (found, why) = of(", role: processor");
    assert_eq!(found, Status::Missing);
    assert_eq!(why, "Declare an organisation with role processor.");
    // Few organisations have so many consumers: whether this one does is to be said all the same.
    let (found, why) = status(&made_up("2026-03-31", "{}"), "ccpa", "ccpa.7102.publish");
    assert_eq!(found, Status::Missing);
    assert!(why.contains("consumers_per_year is not declared"), "{why}");
}

#[test]
fn metrics_are_given_where_nobody_asks_for_them() {
    let facts = made_up(
        "2026-03-31",
        "
organisations: {o: {role: controller, legal_name: O, consumers_per_year: 5000}}
rights_requests: {r: {right: delete, received_on: 2025-02-03, jurisdiction: US-CA}}
",
    );
    let found = field(&facts, "ccpa", "ccpa.7102.a.1");
    assert_eq!(found.status, Status::NotApplicable);
    assert_eq!(found.value["delete"]["received"], "below 10");
}

#[test]
fn a_representative_is_asked_of_who_is_abroad() {
    let of = |country: &str| {
        let yaml = format!(
            "organisations: {{o: {{role: controller, legal_name: O, country: {country}}}}}"
        );
        status(
            &made_up("2026-03-31", &yaml),
            "gdpr",
            "gdpr.30.1.a.representative",
        )
        .0
    };
    assert_eq!(of("FR"), Status::NotApplicable);
    assert_eq!(of("US"), Status::Missing);
}

#[test]
fn a_policy_is_stale_after_the_time_that_the_law_gives() {
    let of = |day: &str| {
        let yaml = "measures: {m: {kind: policy_review, description: read, date: 2025-01-31}}";
        status(&made_up(day, yaml), "ccpa", "ccpa.130.a.5").0
    };
    assert_eq!(of("2026-01-31"), Status::Declared);
    assert_eq!(of("2026-02-01"), Status::Stale);
    // The matrix holds the control to the same time, where the law that gives it is asked about.
    let yaml = "
measures:
  review: {kind: policy_review, description: read, date: 2025-01-31}
  free: {kind: policy_availability, description: on the site}
";
    let rules = shipped();
    let stands = |on: &str, place: &str, id: &str| {
        let question = Question {
            jurisdictions: vec![place.into()],
            day: day(on),
            proposed: false,
        };
        let rows = matrix::fill(&rules, &question, &made_up(on, yaml)).unwrap();
        let row = rows.iter().find(|row| row.requirement.id == id).unwrap();
        row.controls[0].standing.is_stale
    };
    assert!(!stands("2026-01-31", "US-CA", "CCPA-130-A5"));
    assert!(stands("2026-02-01", "US-CA", "CCPA-130-A5"));
    assert!(!stands("2026-02-01", "AU", "AU-APP-1.3"));
}

#[test]
fn what_is_about_activities_elsewhere_is_left_out() {
    let facts = made_up(
        "2026-03-31",
        "
activities:
  here: {name: Here, jurisdictions: [EU, BR]}
  there: {name: There, jurisdictions: [ZA]}
recipients:
  both: {name: Both, activities: [here, there]}
  there: {name: There, activities: there}
  all: {name: All}
consent_sources: {c: {activity: there}}
",
    );
    let own = facts.within("EU");
    let ids = |kind: &str| -> Vec<String> {
        own.controller
            .of(kind)
            .map(|fact| fact.id.clone())
            .collect()
    };
    assert_eq!(ids("activity"), ["here"]);
    assert_eq!(ids("recipient"), ["both", "all"]);
    assert!(ids("consent_source").is_empty());
}

#[test]
fn gaps_of_the_matrix_are_stale_where_a_review_is_past() {
    let yaml = "measures: {m: {kind: training, description: d, next_review: 2026-01-31}}";
    let rules = shipped();
    let of = |on: &str| {
        let question = Question {
            jurisdictions: vec!["ZA".into()],
            day: day(on),
            proposed: false,
        };
        let rows = matrix::fill(&rules, &question, &made_up(on, yaml)).unwrap();
        let gaps = gaps::list(&rules, &rows, &[], question.day);
        let gap = gaps.iter().find(|gap| gap.id == "POPIA-REG-4-E").unwrap();
        gap.problem
    };
    assert_eq!(of("2026-01-31"), "unverified text");
    assert_eq!(of("2026-02-01"), "stale");
}

/// Facts with the timers that they start.
pub(super) fn timed(on: &str, yaml: &str, now: &str) -> Facts {
    let mut facts = made_up(on, yaml);
    let (rules, now) = (shipped(), parse_time(now, true).unwrap());
    let timers: Vec<_> = incident::timers(&rules, &facts, "i", now, &utc)
        .unwrap()
        .iter()
        .map(|timer| {
            let value = timer.value("i", json!(timer.due), json!(timer.told));
            let place = timer.requirement.jurisdiction.clone();
            ("i".to_owned(), place, value)
        })
        .collect();
    facts.inventory.timers = timers;
    facts
}

#[test]
fn a_delay_in_brazil_is_one_of_business_days() {
    let of = |told: &str| {
        // Known on a Friday: three business days end on Wednesday.
        let yaml = format!(
            "incidents: {{i: {{known_at: 2026-11-27T12:00:00Z, jurisdictions: [BR], \
             authority_notified_at: {told}}}}}"
        );
        let facts = timed("2026-12-24", &yaml, "2026-12-24 12:00:00Z");
        status(&facts, "lgpd", "lgpd.48.1.V")
    };
    let (in_time, why) = of("2026-12-02T20:00:00Z");
    assert_eq!(in_time, Status::NotApplicable);
    assert_eq!(why, "No notice to the authority is late.");
    let (late, why) = of("2026-12-03T12:00:00Z");
    assert_eq!(
        (late, why.as_str()),
        (Status::Missing, "Declare delay_reasons of i.")
    );
}

#[test]
fn each_activity_has_its_data_recipients_and_retention() {
    let yaml = "
activities:
  orders: {name: Orders, role: controller}
  wages: {name: Wages, role: controller}
recipients:
  carrier: {name: Carrier, category: carriers, country: DE, activities: orders}
retention_rules:
  orders: {category: contact, max: 2 years}
";
    let mut facts = made_up("2026-03-31", yaml);
    let column = |name: &str, category: &str, activity: &str| Column {
        schema: "prod".into(),
        table: "users".into(),
        name: name.into(),
        declared: Some(Declared {
            category: Some(category.into()),
            activities: vec![activity.into()],
            sensitivity: Some("ordinary".into()),
            ..Declared::default()
        }),
        ..Column::default()
    };
    facts.inventory.columns = vec![column("email", "contact", "orders")];
    let lacks = |facts: &Facts, id: &str| {
        let found = field(facts, "gdpr", id);
        assert_eq!(found.value[0]["activity"], "orders", "{id}");
        assert_eq!(found.value[1]["activity"], "wages", "{id}");
        (found.status, found.note.unwrap_or_default())
    };
    for (id, lack) in [
        ("gdpr.30.1.c.data", "Declare the columns of wages."),
        (
            "gdpr.30.1.d",
            "Declare the recipients of wages, or disclosed: false.",
        ),
        (
            "gdpr.30.1.f",
            "Declare a retention rule with max for wages.",
        ),
    ] {
        assert_eq!(lacks(&facts, id), (Status::Missing, lack.to_owned()));
    }
    let yaml = yaml
        .replace("{name: Wages,", "{name: Wages, disclosed: false,")
        .replace(
            "max: 2 years}",
            "max: 2 years}\n  pay: {category: pay, max: 5 years}",
        );
    let mut whole = made_up("2026-03-31", &yaml);
    whole.inventory.columns = facts.inventory.columns.clone();
    whole
        .inventory
        .columns
        .push(column("salary", "pay", "wages"));
    for id in ["gdpr.30.1.c.data", "gdpr.30.1.d", "gdpr.30.1.f"] {
        assert_eq!(lacks(&whole, id), (Status::Declared, String::new()), "{id}");
    }
    let data = field(&whole, "gdpr", "gdpr.30.1.c.data").value;
    assert_eq!(data[1]["category"], "pay");
    let rules = field(&whole, "gdpr", "gdpr.30.1.f").value;
    assert_eq!(
        (&rules[0]["rule"], &rules[1]["rule"]),
        (&json!("orders"), &json!("pay"))
    );
    assert_eq!(rules.as_array().unwrap().len(), 2);
}

#[test]
fn a_processor_names_its_controllers() {
    let of = |contact: &str| {
        let yaml = format!(
            "
organisations:
  host: {{role: processor, legal_name: Host, contact: h@example.org}}
  client: {{role: controller, legal_name: Client{contact}}}
activities:
  hosting: {{name: Hosting, role: processor, for: client, purpose: storage}}
  own: {{name: Own, role: controller}}
"
        );
        field(
            &made_up("2026-03-31", &yaml),
            "gdpr",
            "gdpr.30.2.a.controllers",
        )
    };
    let found = of("");
    assert_eq!(found.note.unwrap(), "Declare contact of client.");
    let found = of(", contact: c@example.org");
    assert_eq!(found.status, Status::Declared);
    // What it does for itself is no processing for others.
    assert_eq!(found.value.as_array().unwrap().len(), 1);
    assert_eq!(found.value[0]["controller"], "client");
}

#[test]
fn separate_consent_covers_what_wants_one() {
    let of = |line: &str, source: &str| {
        let yaml = format!(
            "
activities: {{a: {{name: A, legal_basis: consent}}}}
recipients: {{r: {{name: R, role: controller}}}}
transfers: {{t: {{country: US}}}}
consent_sources: {{c: {{activity: a, kept_in: there, form: {source}}}}}
"
        );
        let mut facts = made_up("2026-03-31", &yaml);
        facts.inventory.columns[0].declared = Some(Declared {
            sensitivity: Some("sensitive".into()),
            activities: vec!["a".into()],
            ..Declared::default()
        });
        status(&facts, "pipl", line)
    };
    for line in ["pipl.23.consent", "pipl.29", "pipl.39.consent"] {
        let (found, why) = of(line, "express");
        assert_eq!(found, Status::Missing, "{line}");
        assert!(why.contains("form separate or written"), "{why}");
        let all = "separate, covers: [sensitive, provision, publication, export]";
        assert_eq!(of(line, all).0, Status::Declared, "{line}");
    }
    let some = "separate, covers: [sensitive, export]";
    assert_eq!(of("pipl.29", some).0, Status::Declared);
    assert_eq!(of("pipl.39.consent", some).0, Status::Declared);
    let (found, why) = of("pipl.23.consent", some);
    assert_eq!(found, Status::Missing);
    assert!(why.contains("that cover provision of a,"), "{why}");
}

#[test]
fn one_separate_consent_is_that_of_its_activities() {
    let of = |bases: [&str; 2], line: &str| {
        let yaml = format!(
            "
activities: {{a: {{name: A, legal_basis: {}}}, b: {{name: B, legal_basis: {}}}}}
recipients: {{r: {{name: R, role: controller}}}}
transfers: {{t: {{country: US}}}}
consent_sources:
  c: {{activity: a, kept_in: there, form: separate, covers: [sensitive, provision, export]}}
",
            bases[0], bases[1]
        );
        let mut facts = made_up("2026-03-31", &yaml);
        facts.inventory.columns[0].declared = Some(Declared {
            sensitivity: Some("sensitive".into()),
            activities: vec!["a".into(), "b".into()],
            ..Declared::default()
        });
        status(&facts, "pipl", line)
    };
    for (line, what) in [
        ("pipl.23.consent", "provision of b"),
        ("pipl.29", "sensitive of b"),
        ("pipl.39.consent", "export of b"),
    ] {
        let (found, why) = of(["consent", "consent"], line);
        assert_eq!(found, Status::Missing, "{line}");
        assert!(why.contains(what) && !why.contains("of a,"), "{why}");
        // A contract needs no consent; where nothing else is done, none is asked for.
        assert_eq!(of(["consent", "contract"], line).0, Status::Declared);
        let (found, why) = of(["contract", "contract"], line);
        assert_eq!(found, Status::NotApplicable);
        assert!(
            why.ends_with("a rests on contract, b rests on contract."),
            "{why}"
        );
    }
}

/// Every field that a controller can declare is asked for somewhere, or looked at.
#[test]
fn no_field_is_declared_for_nothing() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/compliance");
    let mut texts = String::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "controller" {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.contains("tests") {
                texts.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    for kind in &KINDS {
        for field in kind.fields {
            let is_used = texts.contains(&format!("\"{}\"", field.name));
            assert!(is_used, "{} of {}", field.name, kind.name);
        }
    }
}
