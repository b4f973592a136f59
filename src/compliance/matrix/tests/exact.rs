//! What is held against a requirement is what it asks for, where it is law, and nothing else.

use super::*;
use crate::compliance::rules::parameter::named;

/// The status of a requirement, of what is declared.
fn of(yaml: &str, id: &str) -> Status {
    status(&facts("2026-03-31", yaml), id).0
}

#[test]
fn facts_of_one_jurisdiction_bear_out_nothing_in_another() {
    let measure = |places: &str| {
        format!("measures: {{m: {{kind: breach_procedure, description: d{places}}}}}")
    };
    assert_eq!(of(&measure(""), "GDPR-33-1"), Status::Declared);
    let brazil = measure(", jurisdictions: [BR]");
    assert_eq!(of(&brazil, "GDPR-33-1"), Status::Gap);
    assert_eq!(of(&brazil, "LGPD-15/2024-6"), Status::Declared);
    // Neither do they decide whether it applies.
    let yaml = "
activities:
  here: {name: H, jurisdictions: [EU]}
  there: {name: T, jurisdictions: [BR], minors: true}
transfers: {t: {country: US, activities: there, mechanism: adequacy}}
incidents: {i: {known_at: '2026-03-01T12:00:00Z', jurisdictions: [BR]}}
";
    assert_eq!(of(yaml, "GDPR-44"), Status::NotApplicable);
    assert_eq!(of(yaml, "LGPD-14"), Status::Gap);
}

#[test]
fn an_assessment_is_of_the_kind_that_the_law_asks_for() {
    let with = |kind: &str, fields: &str, id: &str| {
        let yaml = format!("assessments: {{a: {{kind: {kind}, date: 2026-01-01{fields}}}}}");
        of(&yaml, id)
    };
    for (kind, id) in [
        ("dpia", "GDPR-35"),
        ("dpia", "LGPD-38"),
        ("ripd", "LGPD-38"),
        ("pipia", "PIPL-55"),
        ("piia", "POPIA-REG-4-B"),
        ("risk", "CCPA-REGS-RISK"),
    ] {
        assert_eq!(with(kind, "", id), Status::Declared, "{kind} for {id}");
        let other = with("legitimate_interest", "", id);
        assert_eq!(other, Status::Gap, "{id}");
    }
    // Three things must be in it.
    assert_eq!(with("pipia", "", "PIPL-56"), Status::Partly);
    let all = ", purpose_justified: p, impact_and_risks: i, measures_fit: m";
    assert_eq!(with("pipia", all, "PIPL-56"), Status::Declared);
}

#[test]
fn an_officer_is_the_one_that_the_law_asks_for() {
    let with = |role: &str, fields: &str, id: &str| {
        let yaml =
            format!("organisations: {{o: {{role: {role}, legal_name: O, contact: c{fields}}}}}");
        of(&yaml, id)
    };
    for id in ["GDPR-37", "LGPD-41", "PIPEDA-4.1", "NZ-201"] {
        assert_eq!(with("information_officer", "", id), Status::Gap, "{id}");
        assert_eq!(
            with("data_protection_officer", "", id),
            Status::Declared,
            "{id}"
        );
    }
    let officer = |fields: &str| with("information_officer", fields, "POPIA-55");
    assert_eq!(officer(""), Status::Gap);
    assert_eq!(officer(", registration: r"), Status::Gap);
    let registered = ", registration: r, registered_on: 2025-06-02";
    assert_eq!(officer(registered), Status::Declared);
}

#[test]
fn requests_to_opt_out_that_are_open_beyond_their_term_speak_against_it() {
    let with = |measure: &str, request: &str, id: &str| {
        let yaml = format!(
            "activities: {{a: {{name: A, sold_or_shared: true}}}}\n\
             columns: {{c: {{activity: a, table: prod.users, columns: email}}}}\n\
             measures: {{m: {{kind: {measure}, description: d}}}}\n\
             rights_requests: {{{request}}}"
        );
        let mut facts = facts("2026-03-31", &yaml);
        facts.inventory.columns[0].declared = Some(Declared {
            sensitivity: Some("sensitive".into()),
            ..Declared::default()
        });
        facts.inventory.terms = crate::compliance::request::terms(&shipped(), &facts).unwrap();
        status(&facts, id).0
    };
    let opt_out = "r: {right: opt_out, received_on: 2026-01-05, jurisdiction: US-CA";
    for id in ["CCPA-120", "CCPA-7026"] {
        assert_eq!(with("opt_out_procedure", "", id), Status::Declared, "{id}");
        let open = format!("{opt_out}}}");
        assert_eq!(with("opt_out_procedure", &open, id), Status::Partly, "{id}");
        let done = format!("{opt_out}, responded_on: 2026-01-06, decision: complied}}");
        assert_eq!(
            with("opt_out_procedure", &done, id),
            Status::Declared,
            "{id}"
        );
    }
    for id in ["CCPA-121", "CCPA-7027"] {
        assert_eq!(with("opt_out_procedure", "", id), Status::Gap, "{id}");
        assert_eq!(with("limit_procedure", "", id), Status::Declared, "{id}");
        let open = "r: {right: limit, received_on: 2026-01-05, jurisdiction: US-CA}";
        assert_eq!(with("limit_procedure", open, id), Status::Partly, "{id}");
    }
}

#[test]
fn a_transfer_without_a_mechanism_is_not_safeguarded() {
    for (mechanism, found) in [
        ("mechanism: adequacy", Status::Declared),
        (
            "mechanism: standard_contract, safeguard_document: d",
            Status::Declared,
        ),
        ("mechanism: standard_contract", Status::Gap),
        ("mechanism: none, safeguard_document: d", Status::Gap),
    ] {
        let yaml = format!("transfers: {{t: {{country: US, {mechanism}}}}}");
        for id in ["GDPR-44", "POPIA-72"] {
            assert_eq!(of(&yaml, id), found, "{mechanism}");
        }
    }
}

#[test]
fn pseudonyms_are_not_anonymised() {
    let with = |reversible: bool| {
        let mut facts = shown();
        let step = crate::ledger::lineage::report::Step {
            strategy: "redact".into(),
            commitment: "none".into(),
            reversible,
            ..Default::default()
        };
        facts.inventory.columns[0].treatment = Treatment::Masked(Box::new(step));
        ["PIPL-51-III", "PIPL-73", "LGPD-12"].map(|id| status(&facts, id).0)
    };
    assert_eq!(with(false), [Status::Met; 3]);
    assert_eq!(with(true), [Status::Met, Status::Partly, Status::Partly]);
}

#[test]
fn what_a_run_is_not_known_to_have_left_is_not_masked() {
    let mut facts = shown();
    facts.inventory.columns[0].treatment = Treatment::Unproved(Box::default(), "why");
    assert_ne!(status(&facts, "PIPL-51-III").0, Status::Met);
    let coverage = evidence::find("mask_coverage").unwrap();
    let found = coverage(&facts, &Value::Null);
    assert_eq!(found.value["not_masked"], json!(["staging.users.email"]));
}

#[test]
fn retention_is_set_for_each_activity_of_a_category() {
    let with = |activities: &str| {
        let yaml = format!(
            "activities: {{a: {{name: A}}, b: {{name: B}}}}\n\
             retention_rules: {{r: {{category: contact, max: 1 year{activities}}}}}"
        );
        let mut facts = facts("2026-03-31", &yaml);
        facts.inventory.columns[0].declared = Some(Declared {
            category: Some("contact".into()),
            activities: vec!["a".into()],
            ..Declared::default()
        });
        let covered = evidence::find("retention_documented").unwrap();
        covered(&facts, &Value::Null).state
    };
    assert_eq!(with(""), State::Pass);
    assert_eq!(with(", activities: [a, b]"), State::Pass);
    assert_eq!(with(", activities: b"), State::Fail);
}

#[test]
fn what_one_country_calls_critical_is_nothing_to_another() {
    let with = |country: &str| {
        let yaml = format!(
            "organisations: {{o: {{role: controller, legal_name: O{country}, sector: public, \
             critical_infrastructure: true}}}}"
        );
        ["CN-INCIDENT-1H", "CN-INCIDENT-2H"].map(|id| of(&yaml, id) != Status::NotApplicable)
    };
    assert_eq!(with(", country: DE"), [false, false]);
    assert_eq!(with(", country: CN"), [true, true]);
    assert_eq!(with(""), [true, true]);
}

#[test]
fn amounts_that_are_no_longer_known_say_so() {
    let rules = shipped();
    let penalty = |id: &str, on: &str| {
        let penalty = rules.requirement(id).unwrap().penalty.as_ref().unwrap();
        penalty.on(day(on))
    };
    let known = penalty("CCPA-105", "2026-12-31").unwrap();
    assert!(!known.contains("known until"), "{known}");
    let later = penalty("CCPA-105", "2027-01-01").unwrap();
    assert!(later.ends_with("the amounts are known until 2026-12-31 and may be others since"));
    // Fines of Brazil came later than its law.
    assert_eq!(penalty("LGPD-41", "2021-07-31"), None);
    assert!(penalty("LGPD-41", "2021-08-01").is_some());
    let of_gap = |on: &str| {
        let (facts, asked) = (facts(on, "{}"), question(on, &["US-CA"]));
        let rows = fill(&rules, &asked, &facts).unwrap();
        let gaps = list(&rules, &rows, &[], asked.day);
        let gap = gaps.into_iter().find(|gap| gap.id == "CCPA-105").unwrap();
        gap.penalty.unwrap()
    };
    assert!(of_gap("2027-06-01").contains("known until 2026-12-31"));
}

#[test]
fn no_obligation_is_older_than_its_law() {
    let rules = shipped();
    for (id, first) in [
        ("GDPR-33-1", "2018-05-25"),
        ("LGPD-41", "2020-09-18"),
        ("LGPD-15/2024-6", "2024-04-26"),
        ("PIPL-55", "2021-11-01"),
        ("AU-NDB-ASSESS", "2018-02-22"),
        ("CCPA-105", "2020-01-01"),
        ("CCPA-121", "2023-01-01"),
        ("POPIA-22", "2021-07-01"),
    ] {
        let requirement = rules.requirement(id).unwrap();
        assert!(requirement.holds_on(day(first), false), "{id}");
        assert!(!requirement.holds_on(day(first) - 1, false), "{id}");
        assert_eq!(
            named(requirement.standing_on(day(first) - 1), &Standing::NAMES),
            "future"
        );
    }
    for (id, first) in [
        ("AU-APP-1.3", "2014-03-12"),
        ("CA-1798.82-UNTIL-2025", "2003-07-01"),
        ("CA-1798.82", "2026-01-01"),
        ("CCPA-7021", "2020-08-14"),
        ("NZ-BREACH", "2020-12-01"),
        ("PIPEDA-4.1", "2001-01-01"),
        ("PIPEDA-10.3", "2018-11-01"),
        ("US-552A-E4", "1975-09-27"),
    ] {
        let requirement = rules.requirement(id).unwrap();
        assert_eq!(requirement.from, Some(day(first)), "{id}");
    }
    let undated: BTreeSet<&str> = rules
        .requirements
        .iter()
        .filter(|requirement| requirement.from.is_none())
        .filter(|requirement| requirement.standing != Standing::Proposed)
        .map(|requirement| requirement.instrument.as_str())
        .collect();
    assert_eq!(undated, BTreeSet::new());
}

#[test]
fn of_what_comes_from_others_only_who_has_it_is_asked() {
    let with = |from_others: &str| {
        let yaml = format!("activities: {{a: {{name: A{from_others}}}}}");
        status(&facts("2026-12-10", &yaml), "NZ-IPP-3A").0
    };
    assert_eq!(
        with(", collected_from_others: false"),
        Status::NotApplicable
    );
    assert_ne!(with(", collected_from_others: true"), Status::NotApplicable);
    assert_ne!(with(""), Status::NotApplicable);
}

#[test]
fn a_recipient_elsewhere_is_a_transfer() {
    let with = |recipient: &str, transfer: &str, id: &str| {
        of(
            &format!(
                "
activities:
  a: {{name: A, jurisdictions: [AU, EU]}}
  b: {{name: B, jurisdictions: [AU, EU]}}
recipients: {{r: {{name: R{recipient}}}}}
transfers: {{{transfer}}}
"
            ),
            id,
        )
    };
    let host = ", country: US, activities: [a, b]";
    for id in ["AU-APP-8", "GDPR-44"] {
        assert_eq!(with(host, "", id), Status::Gap, "{id}");
    }
    // In the Union it leaves Australia only; where it is nobody has said.
    let near = ", country: FR, activities: a";
    assert_eq!(with(near, "", "GDPR-44"), Status::NotApplicable);
    assert_eq!(with(near, "", "AU-APP-8"), Status::Gap);
    assert_eq!(with("", "", "GDPR-44"), Status::Unknown);
    // A transfer to it, or to its country, of all that it gets.
    let safe = |more: &str| format!("t: {{country: US, mechanism: adequacy{more}}}");
    for (more, status) in [
        (", recipient: r", Status::Declared),
        ("", Status::Declared),
        (", activities: [a, b]", Status::Declared),
        (", activities: a", Status::Partly),
    ] {
        assert_eq!(with(host, &safe(more), "GDPR-44"), status, "{more}");
    }
    let other = "t: {country: BR, mechanism: adequacy}";
    assert_eq!(with(host, other, "GDPR-44"), Status::Partly);
}

#[test]
fn the_record_has_what_each_activity_needs() {
    let whole = "
organisations: {o: {role: controller, legal_name: O, contact: a@example.org}}
activities: {a: {name: A, purpose: p, subjects: [s], legal_basis: contract, disclosed: false}}
retention_rules: {r: {category: all, max: 2 years}}
measures:
  x: {kind: access_control, description: d}
  y: {kind: encryption, description: d}
  z: {kind: backup, description: d}
";
    let of = |yaml: &str, id: &str| {
        let mut facts = facts("2026-03-31", yaml);
        let declared = facts.inventory.columns[0].declared.as_mut().unwrap();
        declared.activities = vec!["a".into()];
        status(&facts, id).0
    };
    for id in ["GDPR-30-1", "GDPR-6-1", "LGPD-37", "PIPEDA-4.2", "POPIA-17"] {
        assert_eq!(of(whole, id), Status::Declared, "{id}");
    }
    // One activity of two that lacks something, and what it lacks.
    let two = whole.replace(
        "activities: {a:",
        "activities: {b: {name: B, purpose: p}, a:",
    );
    assert_eq!(of(&two, "PIPEDA-4.2"), Status::Declared);
    for id in ["GDPR-30-1", "LGPD-37", "POPIA-17"] {
        assert_eq!(of(&two, id), Status::Partly, "{id}");
    }
    assert_eq!(of(&two, "GDPR-6-1"), Status::Gap);
    for without in [
        ", disclosed: false",
        ", subjects: [s]",
        "  z: {kind: backup, description: d}\n",
        ", contact: a@example.org",
    ] {
        let yaml = whole.replace(without, "");
        assert_eq!(of(&yaml, "GDPR-30-1"), Status::Partly, "{without}");
    }
    let unbased = whole.replace(", legal_basis: contract", "");
    assert_eq!(of(&unbased, "GDPR-6-1"), Status::Gap);
    assert_eq!(of(&unbased, "GDPR-30-1"), Status::Declared);
    assert_eq!(of(&unbased, "LGPD-37"), Status::Partly);
}

#[test]
fn consent_and_requests_are_recorded_with_what_the_law_asks_for() {
    let consent = |fields: &str| {
        of(
            &format!(
                "
activities: {{a: {{name: A, legal_basis: consent}}}}
consent_sources: {{s: {{activity: a, kept_in: there{fields}}}}}
measures: {{m: {{kind: consent_withdrawal, description: d}}}}
"
            ),
            "PIPEDA-4.3",
        )
    };
    assert_eq!(consent(""), Status::Partly);
    let all = ", form: express, notice_version: '1', notice_date: 2026-01-02, withdrawal: w";
    assert_eq!(consent(all), Status::Declared);
    let request = |fields: &str, id: &str| {
        let yaml = format!(
            "rights_requests: {{r: {{right: delete, received_on: 2026-03-02, jurisdiction: US-CA, \
             acknowledged_on: 2026-03-03, responded_on: 2026-03-04{fields}}}}}"
        );
        of(&yaml, id)
    };
    let denied = ", decision: denied, manner: by mail, response: a letter";
    assert_eq!(
        request(", decision: complied", "CCPA-130-A2"),
        Status::Declared
    );
    assert_eq!(request(", decision: complied", "CCPA-7101-B"), Status::Gap);
    assert_eq!(request(denied, "CCPA-7101-B"), Status::Gap);
    let based = format!("{denied}, denial_basis: exempt");
    assert_eq!(request(&based, "CCPA-7101-B"), Status::Declared);
}

#[test]
fn what_covers_nothing_else_is_no_separate_consent() {
    let with = |covers: &str, id: &str| {
        of(
            &format!(
                "
activities: {{a: {{name: A, legal_basis: consent}}}}
consent_sources: {{s: {{activity: a, form: separate, kept_in: there{covers}}}}}
transfers: {{t: {{country: US}}}}
"
            ),
            id,
        )
    };
    for (covers, id) in [("export", "PIPL-39"), ("provision", "PIPL-23-CONSENT")] {
        assert_eq!(with("", id), Status::Partly, "{id}");
        assert_eq!(with(", covers: sensitive", id), Status::Partly, "{id}");
        assert_eq!(
            with(&format!(", covers: {covers}"), id),
            Status::Declared,
            "{id}"
        );
        // Another activity that rests on consent needs its own.
        let two = format!(
            "
activities: {{a: {{name: A, legal_basis: consent}}, b: {{name: B, legal_basis: consent}}}}
consent_sources: {{s: {{activity: a, form: separate, kept_in: there, covers: {covers}}}}}
transfers: {{t: {{country: US}}}}
"
        );
        assert_eq!(of(&two, id), Status::Partly, "{id}");
        let contract = two.replace("B, legal_basis: consent", "B, legal_basis: contract");
        assert_eq!(of(&contract, id), Status::Declared, "{id}");
    }
}

#[test]
fn processors_and_recipients_are_asked_about_one_by_one() {
    let with = |recipients: &str, id: &str| {
        let yaml = format!(
            "
activities: {{a: {{name: A}}, b: {{name: B, disclosed: false}}}}
recipients: {{{recipients}}}
measures: {{m: {{kind: processor_contracts, description: d}}}}
"
        );
        of(&yaml, id)
    };
    let host = |more: &str| format!("r: {{name: R, category: hosting, country: CN{more}}}");
    let processor = host(", role: processor");
    assert_eq!(with(&processor, "PIPEDA-4.1.3"), Status::Partly);
    let bound = host(", role: processor, contract: c");
    assert_eq!(with(&bound, "PIPEDA-4.1.3"), Status::Declared);
    let other = host(", role: controller");
    assert_eq!(with(&other, "PIPEDA-4.1.3"), Status::Declared);
    // Who receives the data of each activity is said, and not of one of them.
    assert_eq!(with(&processor, "PIPL-23"), Status::Declared);
    let of_b = host(", activities: b");
    assert_eq!(with(&of_b, "PIPL-23"), Status::Partly);
    // For whom is asked of what is done for others only.
    let yaml = "
organisations: {p: {role: processor, legal_name: P, contact: c}, o: {role: controller, legal_name: O}}
activities:
  own: {name: O, role: controller, purpose: p}
  others: {name: X, role: processor, for: o, purpose: p}
";
    assert_eq!(of(yaml, "GDPR-30-2"), Status::Declared);
}
