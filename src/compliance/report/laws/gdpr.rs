//! European Union: the record of processing activities.

use crate::compliance::Facts;
use crate::compliance::report::definition::{
    Applies,
    Ask::{Activities, All, Assessment, Derive, Evidence, Measures, Role},
    Found, Law, Section, line,
};
use crate::compliance::report::derive::{columns, incidents, requests, retention};
use crate::compliance::report::when;

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
                    "Art. 30(1)(a)",
                    "Controller, with contact",
                    Role(
                        &["controller", "joint_controller"],
                        &["legal_name", "contact"],
                    ),
                ),
                line(
                    "gdpr.30.1.a.representative",
                    "Art. 30(1)(a), 27",
                    "Representative in the Union",
                    Role(&["representative"], &["legal_name", "contact"]),
                )
                .when(outside_union),
                line(
                    "gdpr.30.1.a.dpo",
                    "Art. 30(1)(a), 37",
                    "Data protection officer",
                    Role(&["data_protection_officer"], &["legal_name", "contact"]),
                ),
                line(
                    "gdpr.30.1.b",
                    "Art. 30(1)(b)",
                    "Purposes of the processing",
                    Activities(&["purpose"]),
                ),
                line(
                    "gdpr.6",
                    "Art. 6",
                    "Legal basis of each activity",
                    Activities(&["legal_basis"]),
                ),
                line(
                    "gdpr.30.1.c.subjects",
                    "Art. 30(1)(c)",
                    "Categories of data subjects",
                    Activities(&["subjects"]),
                ),
                line(
                    "gdpr.30.1.c.data",
                    "Art. 30(1)(c)",
                    "Categories of personal data",
                    Derive(columns::categories),
                ),
                line(
                    "gdpr.9",
                    "Art. 9, 10",
                    "Special categories, criminal convictions",
                    Derive(columns::special),
                ),
                line(
                    "gdpr.30.1.d",
                    "Art. 30(1)(d)",
                    "Categories of recipients",
                    All("recipient", &["category", "country"]),
                ),
                line(
                    "gdpr.30.1.d.hints",
                    "Art. 30(1)(d)",
                    "Where data may go, by the catalog",
                    Derive(columns::ways_out),
                ),
                line(
                    "gdpr.30.1.e",
                    "Art. 30(1)(e), 49(1)",
                    "Transfers to third countries, with safeguards",
                    All("transfer", &["mechanism", "safeguard_document"]),
                )
                .when(when::exported),
                line(
                    "gdpr.30.1.f",
                    "Art. 30(1)(f)",
                    "Time limits for erasure",
                    Derive(retention::rules),
                ),
                line(
                    "gdpr.30.1.f.overdue",
                    "Art. 5(1)(e)",
                    "Rows older than their limit",
                    Derive(retention::overdue),
                ),
                line(
                    "gdpr.30.1.g.database",
                    "Art. 30(1)(g), 32(1)",
                    "Technical measures, as the database shows them",
                    Derive(columns::safeguards),
                ),
                line(
                    "gdpr.30.1.g.declared",
                    "Art. 30(1)(g), 32(1)",
                    "Organisational measures",
                    Measures(&["access_control", "encryption", "backup"]),
                ),
            ],
        },
        Section {
            title: "Security of the processing",
            lines: &[
                line(
                    "gdpr.32.1.a",
                    "Art. 32(1)(a)",
                    "Pseudonymisation of personal columns in masked schemas",
                    Evidence("mask_coverage", "{}"),
                ),
                line(
                    "gdpr.32.1.b",
                    "Art. 32(1)(b)",
                    "Who may read personal columns",
                    Evidence("access_control", "{}"),
                ),
                line(
                    "gdpr.32.1.d.runs",
                    "Art. 32(1)(d)",
                    "Runs whose checks passed",
                    Evidence("runs_verified", "{}"),
                ),
                line(
                    "gdpr.32.1.d.ledger",
                    "Art. 32(1)(d)",
                    "Last verification of the ledger on record",
                    Evidence("last_verification", "{\"max_age_days\": 30}"),
                ),
                line(
                    "gdpr.33.5",
                    "Art. 33(5)",
                    "Register of breaches",
                    Derive(incidents::register),
                ),
                line(
                    "gdpr.33.1",
                    "Art. 33(1), 34",
                    "Deadlines of incidents",
                    Derive(incidents::deadlines_of_union),
                )
                .when(when::incident),
                line(
                    "gdpr.35",
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
                    "Art. 30(2)(a)",
                    "Processor, with contact",
                    Role(&["processor"], &["legal_name", "contact"]),
                )
                .when(when::processor),
                line(
                    "gdpr.30.2.a.controllers",
                    "Art. 30(2)(a)",
                    "Controllers on whose behalf it acts",
                    Activities(&["for"]),
                )
                .when(when::processor),
                line(
                    "gdpr.30.2.b",
                    "Art. 30(2)(b)",
                    "Categories of processing for each controller",
                    Activities(&["name", "purpose"]),
                )
                .when(when::processor),
                line(
                    "gdpr.30.2.c",
                    "Art. 30(2)(c)",
                    "Transfers to third countries",
                    All("transfer", &["mechanism", "safeguard_document"]),
                )
                .when(processor_exports),
                line(
                    "gdpr.30.2.d",
                    "Art. 30(2)(d), 32(1)",
                    "Technical measures",
                    Derive(columns::safeguards),
                )
                .when(when::processor),
            ],
        },
        Section {
            title: "What the record rests on",
            lines: &[
                line(
                    "gdpr.30.5",
                    "Art. 30(5)",
                    "Whether a small organisation is exempt",
                    Derive(exemption),
                ),
                line(
                    "gdpr.12.3",
                    "Art. 12(3)",
                    "Requests of data subjects",
                    Derive(requests::register),
                ),
                line(
                    "gdpr.30.columns",
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

fn outside_union(facts: &Facts) -> Applies {
    let countries: Vec<_> = facts
        .controller
        .with("organisation", "role", "controller")
        .filter_map(|of| of.word("country"))
        .collect();
    if countries.is_empty() {
        return Applies::Unknown("Declare the country of the controller.");
    }
    if countries.iter().all(|country| UNION.contains(country)) {
        return Applies::No("The controller is declared to be in the Union.");
    }
    Applies::Yes
}

/// ISO 3166-1 codes of the member states.
const UNION: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

fn processor_exports(facts: &Facts) -> Applies {
    match when::processor(facts) {
        Applies::Yes => when::exported(facts),
        other => other,
    }
}

/// Fewer than 250 employees, unless there is a risk, the processing is more than occasional, or data
/// are special.
fn exemption(facts: &Facts) -> Found {
    let employees = facts
        .controller
        .with("organisation", "role", "controller")
        .find_map(|of| of.count("employees"));
    let Some(employees) = employees else {
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
    let reason = if employees >= 250 {
        "250 employees or more: no exemption"
    } else if has_special {
        "special categories are processed: no exemption"
    } else {
        "fewer than 250 employees; void where the processing is not occasional or a risk is likely"
    };
    Found::declared(
        serde_json::json!({"employees": employees, "special_categories": has_special,
                           "conclusion": reason}),
        "organisations, columns",
    )
}
