//! China: the protection of sensitive personal information.

use crate::compliance::Facts;
use crate::compliance::report::definition::{
    Applies,
    Ask::{Activities, All, Assessment, Derive, Evidence, Measures, Role},
    Found, Law, Section, line,
};
use crate::compliance::report::derive::{columns, incidents, retention};
use crate::compliance::report::when;
use serde_json::json;

/// The report.
pub const LAW: Law = Law {
    code: "pipl",
    variant: None,
    jurisdiction: "CN",
    title: "Sensitive data protection report",
    act: "Personal Information Protection Law of the People's Republic of China, 2021",
    sections: &[
        Section {
            title: "Sensitive personal information",
            lines: &[
                line(
                    "pipl.28",
                    "Art. 28",
                    "Inventory of sensitive personal information",
                    Derive(columns::sensitive_of_china),
                ),
                line(
                    "pipl.28.necessity",
                    "Art. 28",
                    "Specific purpose and sufficient necessity",
                    Activities(&["purpose", "necessity"]),
                )
                .when(when::sensitive),
                line(
                    "pipl.28.measures",
                    "Art. 28, 51(3)",
                    "Sensitive columns of masked schemas that are masked",
                    Evidence("mask_coverage", "{\"class\": \"sensitive\"}"),
                )
                .when(when::sensitive),
                line(
                    "pipl.29",
                    "Art. 23, 25, 29, 39",
                    "Separate or written consent",
                    Derive(retention::separate_consent),
                )
                .when(when::separate_consent),
                line(
                    "pipl.30",
                    "Art. 30, 17",
                    "Notice of necessity and impact",
                    Activities(&["impact_notice"]),
                )
                .when(when::sensitive),
                line(
                    "pipl.31",
                    "Art. 31",
                    "Under 14: consent of guardians, dedicated rules",
                    Measures(&["minors"]),
                )
                .when(when::minors),
                line(
                    "pipl.32",
                    "Art. 32",
                    "Licences and other limits",
                    Measures(&["special_information"]),
                )
                .when(when::sensitive),
            ],
        },
        Section {
            title: "Duties of the handler",
            lines: &[
                line(
                    "pipl.51.1",
                    "Art. 51(1)",
                    "Internal rules",
                    Measures(&["internal_rules"]),
                ),
                line(
                    "pipl.51.2",
                    "Art. 51(2)",
                    "Classified management",
                    Evidence("classified_share", "{}"),
                ),
                line(
                    "pipl.51.3",
                    "Art. 51(3)",
                    "Encryption and de-identification",
                    Derive(columns::strategies),
                ),
                line(
                    "pipl.51.4",
                    "Art. 51(4)",
                    "Access authority",
                    Evidence("access_control", "{}"),
                ),
                line(
                    "pipl.51.4.training",
                    "Art. 51(4)",
                    "Training",
                    Measures(&["training"]),
                ),
                line(
                    "pipl.51.5",
                    "Art. 51(5)",
                    "Emergency plan",
                    Measures(&["emergency_plan"]),
                ),
                line(
                    "pipl.52",
                    "Art. 52",
                    "Person responsible",
                    Role(
                        &["accountable_person", "data_protection_officer"],
                        &["legal_name", "contact"],
                    ),
                ),
                line(
                    "pipl.53",
                    "Art. 53",
                    "Representative in China",
                    Role(&["representative"], &["legal_name", "contact"]),
                )
                .when(abroad),
                line(
                    "pipl.54",
                    "Art. 54",
                    "Compliance audit",
                    Measures(&["audit"]),
                ),
            ],
        },
        Section {
            title: "Impact assessment",
            lines: &[
                line(
                    "pipl.55",
                    "Art. 55",
                    "What calls for an assessment",
                    Derive(triggers),
                ),
                line(
                    "pipl.56",
                    "Art. 56",
                    "Assessments, kept for 3 years",
                    Assessment(&["pipia"]),
                ),
                line(
                    "pipl.56.record",
                    "Art. 56",
                    "Processing record: the ledger",
                    Evidence("ledger_verified", "{}"),
                ),
            ],
        },
        Section {
            title: "Provision to others, and export",
            lines: &[
                line(
                    "pipl.23",
                    "Art. 21, 23",
                    "Recipients",
                    All("recipient", &["category", "country", "purpose"]),
                )
                .when(when::handed_on),
                line(
                    "pipl.38",
                    "Art. 38-40",
                    "Route of each export",
                    All("transfer", &["mechanism", "safeguard_document"]),
                )
                .when(when::exported),
                line(
                    "pipl.38.volume",
                    "Art. 38-40; Provisions of March 2024",
                    "Persons whose data were exported since 1 January",
                    All(
                        "transfer",
                        &["subjects_this_year", "sensitive_subjects_this_year"],
                    ),
                )
                .when(when::exported),
                line(
                    "pipl.38.critical",
                    "Art. 40",
                    "Critical information infrastructure",
                    Role(&["controller"], &["critical_infrastructure"]),
                )
                .when(when::exported),
                line(
                    "pipl.volumes",
                    "Art. 38-40",
                    "Tables with personal columns, with their size",
                    Derive(columns::volumes),
                ),
            ],
        },
        Section {
            title: "Incidents and erasure",
            lines: &[
                line(
                    "pipl.57",
                    "Art. 57",
                    "Leaks, tampering and loss, actual or possible",
                    Derive(incidents::register),
                ),
                line(
                    "pipl.57.deadlines",
                    "Art. 57",
                    "Deadlines of incidents",
                    Derive(incidents::deadlines_of_china),
                )
                .when(when::incident),
                line(
                    "pipl.57.protection",
                    "Art. 57",
                    "What protected the data then",
                    Derive(incidents::protection),
                )
                .when(when::incident),
                line(
                    "pipl.47",
                    "Art. 47",
                    "Erasure: how long each category is kept",
                    Derive(retention::rules),
                ),
                line(
                    "pipl.73",
                    "Art. 73",
                    "De-identified and anonymised columns",
                    Derive(columns::irreversible),
                ),
            ],
        },
    ],
    limits: &[
        "The clocks of the measures on reporting of cybersecurity incidents (one to four hours) run \
         beside this law.",
    ],
};

fn abroad(facts: &Facts) -> Applies {
    let mut countries = facts
        .controller
        .with("organisation", "role", "controller")
        .filter_map(|of| of.word("country"));
    match countries.next() {
        None => Applies::Unknown("Declare the country of the controller."),
        Some("CN") => Applies::No("The controller is declared to be in China."),
        Some(_) => Applies::Yes,
    }
}

/// What calls for an assessment: Article 55.
fn triggers(facts: &Facts) -> Found {
    let activities: Vec<_> = facts.controller.of("activity").collect();
    if activities.is_empty() {
        return Found::missing(
            "controller",
            "activities",
            "Declare the activities, section activities.",
        );
    }
    let automated = |word: Option<&str>| matches!(word, Some("assisted" | "sole"));
    let found = [
        (
            "sensitive_information",
            facts.inventory.sensitive().next().is_some(),
        ),
        (
            "automated_decisions",
            activities
                .iter()
                .any(|of| automated(of.word("automated_decision"))),
        ),
        (
            "entrusted_provided_or_published",
            facts.controller.of("recipient").next().is_some()
                || activities.iter().any(|of| of.is("published")),
        ),
        ("export", facts.controller.of("transfer").next().is_some()),
    ];
    let names: Vec<_> = found
        .iter()
        .filter(|(_, is)| *is)
        .map(|(name, _)| *name)
        .collect();
    let mut found = Found::evidenced(
        json!({"triggers": names, "assessment_asked_for": !names.is_empty()}),
        "database and controller",
        "activities, recipients, transfers, the catalog",
    );
    let has_one = facts
        .controller
        .with("assessment", "kind", "pipia")
        .next()
        .is_some();
    if !names.is_empty() && !has_one {
        found.note = Some("Declare an assessment of kind pipia.".to_owned());
    }
    found
}
