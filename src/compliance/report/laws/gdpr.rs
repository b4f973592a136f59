//! European Union: the record of processing activities.

use serde_json::json;

use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::record;
use crate::compliance::report::definition::{
    Ask::{Activities, Assessment, Derive, Evidence, Incidents, Measures, Processing, Role, Terms},
    Found, Law, Section, Status, line,
};
use crate::compliance::report::derive::{activities, columns, incidents, requests, retention};
use crate::compliance::rules::Trigger;

/// The report.
pub const LAW: Law = Law {
    code: "gdpr",
    variant: None,
    jurisdiction: "EU",
    title: "Record of processing activities",
    act: "Regulation (EU) 2016/679 (General Data Protection Regulation), Article 30",
    sections: &[
        Section {
            title: "Record of the controller",
            lines: &[
                line(
                    "gdpr.30.1.a.controller",
                    "GDPR-30-1",
                    "Art. 30(1)(a)",
                    "Controller, with contact",
                    Role(
                        &["controller", "joint_controller"],
                        &["legal_name", "contact"],
                    ),
                ),
                line(
                    "gdpr.30.1.a.representative",
                    "GDPR-27",
                    "Art. 30(1)(a), 27",
                    "Representative in the Union",
                    Role(&["representative"], &["legal_name", "contact", "country"]),
                ),
                line(
                    "gdpr.30.1.a.dpo",
                    "GDPR-37",
                    "Art. 30(1)(a), 37",
                    "Data protection officer",
                    Role(&["data_protection_officer"], &["legal_name", "contact"]),
                ),
                line(
                    "gdpr.30.1.b",
                    "GDPR-30-1",
                    "Art. 30(1)(b)",
                    "Purposes of the processing",
                    Activities(&["purpose"]),
                ),
                line(
                    "gdpr.6",
                    "GDPR-6-1",
                    "Art. 6",
                    "Legal basis of each activity",
                    Activities(&["legal_basis"]),
                ),
                line(
                    "gdpr.30.1.c.subjects",
                    "GDPR-30-1",
                    "Art. 30(1)(c)",
                    "Categories of data subjects",
                    Activities(&["subjects"]),
                ),
                line(
                    "gdpr.30.1.c.data",
                    "GDPR-30-1",
                    "Art. 30(1)(c)",
                    "Categories of personal data of each activity",
                    Derive(activities::data),
                ),
                line(
                    "gdpr.30.1.c.columns",
                    "GDPR-30-1",
                    "Art. 30(1)(c)",
                    "Categories of personal data, as the catalog shows them",
                    Derive(columns::categories),
                ),
                line(
                    "gdpr.9",
                    "GDPR-9",
                    "Art. 9, 10",
                    "Special categories, criminal convictions",
                    Derive(columns::special),
                ),
                line(
                    "gdpr.30.1.d",
                    "GDPR-30-1",
                    "Art. 30(1)(d)",
                    "Categories of recipients of each activity",
                    Derive(activities::recipients),
                ),
                line(
                    "gdpr.30.1.d.hints",
                    "GDPR-30-1",
                    "Art. 30(1)(d)",
                    "Where data may go, by the catalog",
                    Derive(columns::ways_out),
                ),
                line(
                    "gdpr.30.1.e",
                    "GDPR-44",
                    "Art. 30(1)(e), 49(1)",
                    "Transfers to third countries of each activity, with safeguards",
                    Derive(activities::transfers),
                ),
                line(
                    "gdpr.30.1.f",
                    "GDPR-30-1",
                    "Art. 30(1)(f)",
                    "Time limits for erasure of each activity",
                    Derive(activities::retention),
                ),
                line(
                    "gdpr.30.1.f.rules",
                    "GDPR-30-1",
                    "Art. 30(1)(f)",
                    "Time limits for erasure of each category",
                    Derive(retention::rules),
                ),
                line(
                    "gdpr.30.1.f.overdue",
                    "GDPR-5-1-E",
                    "Art. 5(1)(e)",
                    "Rows older than their limit",
                    Derive(retention::overdue),
                ),
                line(
                    "gdpr.30.1.g.database",
                    "GDPR-30-1",
                    "Art. 30(1)(g), 32(1)",
                    "Technical measures, as the database shows them",
                    Derive(columns::safeguards),
                ),
                line(
                    "gdpr.30.1.g.declared",
                    "GDPR-30-1",
                    "Art. 30(1)(g), 32(1)",
                    "Organisational measures",
                    Measures(record::SECURITY),
                ),
            ],
        },
        Section {
            title: "Security of the processing",
            lines: &[
                line(
                    "gdpr.32.1.a",
                    "GDPR-32-1-A",
                    "Art. 32(1)(a)",
                    "Pseudonymisation of personal columns in masked schemas",
                    Evidence("mask_coverage", "{}"),
                ),
                line(
                    "gdpr.32.1.b",
                    "GDPR-32-1-B",
                    "Art. 32(1)(b)",
                    "Who may read personal columns",
                    Evidence("access_control", "{}"),
                ),
                line(
                    "gdpr.32.1.d.runs",
                    "GDPR-32-1-D",
                    "Art. 32(1)(d)",
                    "Runs whose checks passed",
                    Evidence("runs_verified", "{}"),
                ),
                line(
                    "gdpr.32.1.d.ledger",
                    "GDPR-32-1-D",
                    "Art. 32(1)(d)",
                    "Last verification of the ledger on record",
                    Evidence("last_verification", "{\"max_age_days\": 30}"),
                ),
                line(
                    "gdpr.32.1.d.testing",
                    "GDPR-32-1-D",
                    "Art. 32(1)(d)",
                    "How measures are tested",
                    Measures(&["testing"]),
                ),
                line(
                    "gdpr.33.5",
                    "GDPR-33-5",
                    "Art. 33(5)",
                    "Register of breaches",
                    Derive(incidents::register),
                ),
                line(
                    "gdpr.33.1",
                    "GDPR-33-1",
                    "Art. 33(1), 34",
                    "Deadlines of incidents",
                    Derive(incidents::deadlines),
                )
                .when(Trigger::Incident),
                line(
                    "gdpr.34",
                    "GDPR-34",
                    "Art. 34(1)",
                    "Whether a high risk to persons is likely",
                    Incidents(&["high_risk"]),
                )
                .when(Trigger::Incident),
                line(
                    "gdpr.34.3.a",
                    "GDPR-34",
                    "Art. 34(3)(a)",
                    "What made the data unintelligible",
                    Derive(incidents::protection),
                )
                .when(Trigger::Incident),
                line(
                    "gdpr.35",
                    "GDPR-35",
                    "Art. 35",
                    "Impact assessments",
                    Assessment(&["dpia"]),
                ),
            ],
        },
        Section {
            title: "Record of the processor",
            lines: &[
                line(
                    "gdpr.30.2.a.processor",
                    "GDPR-30-2",
                    "Art. 30(2)(a)",
                    "Processor, with contact",
                    Role(&["processor"], &["legal_name", "contact"]),
                ),
                line(
                    "gdpr.30.2.a.controllers",
                    "GDPR-30-2",
                    "Art. 30(2)(a)",
                    "Controllers on whose behalf it acts, with contact",
                    Derive(activities::controllers),
                ),
                line(
                    "gdpr.30.2.a.representative",
                    "GDPR-30-2",
                    "Art. 30(2)(a), 27",
                    "Representative of processor or controllers",
                    Role(
                        &["representative"],
                        &["legal_name", "contact", "country", "for"],
                    ),
                )
                .when(Trigger::Abroad),
                line(
                    "gdpr.30.2.a.dpo",
                    "GDPR-30-2",
                    "Art. 30(2)(a), 37",
                    "Data protection officer of processor or controllers",
                    Role(
                        &["data_protection_officer"],
                        &["legal_name", "contact", "for"],
                    ),
                ),
                line(
                    "gdpr.30.2.b",
                    "GDPR-30-2",
                    "Art. 30(2)(b)",
                    "Categories of processing for each controller",
                    Processing(&["for", "name", "purpose"]),
                ),
                line(
                    "gdpr.30.2.c",
                    "GDPR-30-2",
                    "Art. 30(2)(c)",
                    "Transfers to third countries",
                    Derive(activities::transfers_for_others),
                )
                .when(Trigger::Transfers),
                line(
                    "gdpr.30.2.d",
                    "GDPR-30-2",
                    "Art. 30(2)(d), 32(1)",
                    "Technical measures",
                    Derive(columns::safeguards),
                ),
            ],
        },
        Section {
            title: "What the record rests on",
            lines: &[
                line(
                    "gdpr.30.5",
                    "GDPR-30-1",
                    "Art. 30(5)",
                    "Whether a small organisation is exempt",
                    Derive(exemption),
                ),
                line(
                    "gdpr.12.3",
                    "GDPR-12-3",
                    "Art. 12(3)",
                    "Requests of data subjects",
                    Derive(requests::register),
                ),
                line(
                    "gdpr.12.3.terms",
                    "GDPR-12-3",
                    "Art. 12(3)",
                    "Requests answered within a month, or three where extended",
                    Terms(&["GDPR-12-3"]),
                ),
                line(
                    "gdpr.30.columns",
                    "GDPR-30-1",
                    "Art. 30(1)(c)",
                    "Columns that no activity declares",
                    Derive(columns::undeclared),
                ),
            ],
        },
    ],
    limits: &[
        "Written and kept in electronic form (Art. 30(3)); made available to the authority on request \
         (Art. 30(4)).",
        "Proposals of the Union that would change Articles 4, 30 and 33 are no law and are left out.",
    ],
};

/// Fewer than 250 employees, unless there is a risk, the processing is more than occasional, or data
/// are special: of every controller, and where all of that is known.
fn exemption(facts: &Facts) -> Found {
    let of: Vec<&Fact> = facts
        .controller
        .of("organisation")
        .filter(|fact| matches!(fact.word("role"), Some("controller" | "joint_controller")))
        .collect();
    let Some(employees) = of.iter().filter_map(|fact| fact.count("employees")).max() else {
        return Found::missing(
            "controller",
            "organisations",
            "Declare the employees of the controller.",
        );
    };
    let special = columns::special(facts);
    let has_special = special
        .value
        .as_array()
        .is_some_and(|groups| !groups.is_empty());
    let is_occasional = |activity: &&Fact| activity.is("occasional");
    let regular: Vec<_> = record::own(facts)
        .filter(|activity| !is_occasional(activity))
        .map(|activity| activity.id.as_str())
        .collect();
    let mut open = Vec::new();
    let reason = if employees >= 250 {
        "250 employees or more: no exemption"
    } else if has_special {
        "special categories are processed: no exemption"
    } else if !regular.is_empty() {
        "the processing is not declared to be occasional: no exemption"
    } else {
        let silent = of.iter().filter(|fact| !fact.has("employees"));
        open.extend(silent.map(|fact| format!("employees of {}", fact.id)));
        if record::own(facts).next().is_none() {
            open.push("the activities".to_owned());
        }
        if special.status == Status::Missing {
            open.push("the sensitivity of each personal column".to_owned());
        }
        if open.is_empty() {
            "fewer than 250 employees, occasional processing; void where a risk is likely"
        } else {
            "not known"
        }
    };
    let found = Found::declared(
        json!({"employees": employees, "special_categories": has_special,
               "not_occasional": regular, "conclusion": reason}),
        "organisations, columns",
    );
    if open.is_empty() {
        return found;
    }
    found.open(format!("Declare {}.", open.join(", ")))
}
