//! China: the protection of sensitive personal information.

use serde_json::json;

use crate::compliance::Facts;
use crate::compliance::matrix::trigger;
use crate::compliance::report::definition::{
    Ask::{
        Activities, All, Assessed, Assessment, Derive, Evidence, Incidents, Measures, Role,
        Transfers,
    },
    Found, Law, Section, Status, line,
};
use crate::compliance::report::derive::{activities, columns, incidents, retention, transfers};
use crate::compliance::rules::Trigger;

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
                    "PIPL-28",
                    "Art. 28",
                    "Inventory of sensitive personal information",
                    Derive(columns::sensitive_of_china),
                ),
                line(
                    "pipl.28.necessity",
                    "PIPL-28",
                    "Art. 28",
                    "Specific purpose and sufficient necessity",
                    Activities(&["purpose", "necessity"]),
                ),
                line(
                    "pipl.28.columns",
                    "PIPL-28",
                    "Art. 28",
                    "Necessity of each sensitive column",
                    Derive(columns::justified),
                ),
                line(
                    "pipl.28.measures",
                    "PIPL-51-III",
                    "Art. 28, 51(3)",
                    "Sensitive columns of masked schemas that are masked",
                    Evidence("mask_coverage", "{\"class\": \"sensitive\"}"),
                )
                .when(Trigger::Sensitive),
                line(
                    "pipl.23.consent",
                    "PIPL-23-CONSENT",
                    "Art. 23, 25",
                    "Separate consent for what is provided to others or published",
                    Derive(retention::consent_to_others),
                ),
                line(
                    "pipl.29",
                    "PIPL-29",
                    "Art. 29, with 13, 14",
                    "Separate or written consent for sensitive information, and what it covers",
                    Derive(retention::consent_to_sensitive),
                ),
                line(
                    "pipl.39.consent",
                    "PIPL-39",
                    "Art. 39",
                    "Separate consent for what leaves the country",
                    Derive(retention::consent_to_export),
                ),
                line(
                    "pipl.30",
                    "PIPL-30",
                    "Art. 30, 17",
                    "Notice of necessity and impact",
                    Activities(&["impact_notice"]),
                ),
                line(
                    "pipl.31",
                    "PIPL-31",
                    "Art. 31",
                    "Under 14: dedicated rules",
                    Measures(&["minors"]),
                ),
                line(
                    "pipl.31.guardian",
                    "PIPL-31",
                    "Art. 31",
                    "Under 14: consent of guardians",
                    All("consent_source", &["guardian"]),
                )
                .when(Trigger::Consent),
                line(
                    "pipl.32",
                    "PIPL-32",
                    "Art. 32",
                    "Licences and other limits",
                    Measures(&["special_information"]),
                ),
            ],
        },
        Section {
            title: "Duties of the handler",
            lines: &[
                line(
                    "pipl.51.1",
                    "PIPL-51-I",
                    "Art. 51(1)",
                    "Internal rules",
                    Measures(&["internal_rules"]),
                ),
                line(
                    "pipl.51.2",
                    "PIPL-51-II",
                    "Art. 51(2)",
                    "Classified management",
                    Evidence("classified_share", "{}"),
                ),
                line(
                    "pipl.51.3",
                    "PIPL-51-III",
                    "Art. 51(3)",
                    "Encryption and de-identification",
                    Derive(columns::strategies),
                ),
                line(
                    "pipl.51.4",
                    "PIPL-51-IV",
                    "Art. 51(4)",
                    "Access authority",
                    Evidence("access_control", "{}"),
                ),
                line(
                    "pipl.51.4.training",
                    "PIPL-51-IV",
                    "Art. 51(4)",
                    "Training",
                    Measures(&["training"]),
                ),
                line(
                    "pipl.51.5",
                    "PIPL-51-V",
                    "Art. 51(5)",
                    "Emergency plan",
                    Measures(&["emergency_plan"]),
                ),
                line(
                    "pipl.51.6",
                    "PIPL-51-VI",
                    "Art. 51(6)",
                    "Other measures that the law asks for",
                    Measures(&["encryption", "backup"]),
                ),
                line(
                    "pipl.52",
                    "PIPL-52",
                    "Art. 52",
                    "Person responsible, reported to the authority",
                    Role(
                        &["accountable_person", "data_protection_officer"],
                        &["legal_name", "contact", "registered_on"],
                    ),
                ),
                line(
                    "pipl.53",
                    "PIPL-53",
                    "Art. 53",
                    "Representative in China",
                    Role(&["representative"], &["legal_name", "contact", "country"]),
                ),
                line(
                    "pipl.54",
                    "PIPL-54",
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
                    "PIPL-55",
                    "Art. 55",
                    "What calls for an assessment",
                    Derive(triggers),
                ),
                line(
                    "pipl.56",
                    "PIPL-56",
                    "Art. 56",
                    "Assessments",
                    Assessment(&["pipia"]),
                ),
                line(
                    "pipl.56.content",
                    "PIPL-56",
                    "Art. 56(1)-(3)",
                    "Whether purpose and method are justified, what the risks are, whether measures fit",
                    Assessed(
                        &["pipia"],
                        &["purpose_justified", "impact_and_risks", "measures_fit"],
                    ),
                ),
                line(
                    "pipl.56.kept",
                    "PIPL-56",
                    "Art. 56",
                    "Report and record kept for 3 years",
                    Measures(&["records_kept"]),
                ),
                line(
                    "pipl.56.record",
                    "PIPL-56-RECORD",
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
                    "PIPL-23",
                    "Art. 21, 23",
                    "Recipients of each activity",
                    Derive(activities::recipients),
                ),
                line(
                    "pipl.38",
                    "PIPL-38",
                    "Art. 38-40",
                    "Route of each export",
                    Transfers(&["mechanism", "safeguard_document"]),
                ),
                line(
                    "pipl.38.volume",
                    "PIPL-38",
                    "Art. 38-40; Provisions of March 2024",
                    "Persons whose data were exported since 1 January, and the route that they ask for",
                    Derive(transfers::routes),
                ),
                line(
                    "pipl.38.critical",
                    "PIPL-38",
                    "Art. 40",
                    "Critical information infrastructure",
                    Role(&["controller"], &["critical_infrastructure"]),
                ),
                line(
                    "pipl.volumes",
                    "PIPL-38",
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
                    "PIPL-57",
                    "Art. 57",
                    "Leaks, tampering and loss, actual or possible",
                    Derive(incidents::register),
                ),
                line(
                    "pipl.57.content",
                    "PIPL-57",
                    "Art. 57(1)-(3)",
                    "Types, causes, harm, remedies, what individuals can do, contact",
                    Incidents(&[
                        "categories",
                        "cause",
                        "consequences",
                        "measures_after",
                        "advice",
                        "contact",
                    ]),
                )
                .when(Trigger::Incident),
                line(
                    "pipl.57.individuals",
                    "PIPL-57",
                    "Art. 57",
                    "Notice to individuals, or what made it unnecessary",
                    Derive(incidents::individuals),
                )
                .when(Trigger::Incident),
                line(
                    "pipl.57.deadlines",
                    "PIPL-57",
                    "Art. 57",
                    "Deadlines of incidents",
                    Derive(incidents::deadlines),
                )
                .when(Trigger::Incident),
                line(
                    "pipl.57.protection",
                    "PIPL-57",
                    "Art. 57",
                    "What protected the data then",
                    Derive(incidents::protection),
                )
                .when(Trigger::Incident),
                line(
                    "pipl.47",
                    "PIPL-47",
                    "Art. 47",
                    "Erasure: how long each category is kept",
                    Derive(retention::rules),
                ),
                line(
                    "pipl.73",
                    "PIPL-73",
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
    // No is what every activity says; what one does not say is unknown.
    let said = |field: &str| {
        let mut of = activities.iter();
        if of.any(|activity| activity.is(field)) {
            return Some(true);
        }
        let mut of = activities.iter();
        of.all(|activity| activity.has(field)).then_some(false)
    };
    let holds = |trigger| {
        let applies = trigger::holds(trigger, LAW.jurisdiction, facts);
        applies.is_known.then_some(applies.is_taken)
    };
    let found = [
        ("sensitive_information", holds(Trigger::Sensitive)),
        ("automated_decisions", holds(Trigger::AutomatedDecision)),
        (
            "entrusted_provided_or_published",
            match (holds(Trigger::Recipients), said("published")) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        ),
        ("export", holds(Trigger::Transfers)),
        ("major_impact", said("major_impact")),
    ];
    let of = |answer: Option<bool>| -> Vec<&str> {
        let of = found.iter().filter(|(_, is)| *is == answer);
        of.map(|(name, _)| *name).collect()
    };
    let (names, unknown) = (of(Some(true)), of(None));
    // One of them calls for it; that none does is known where each is.
    let asked = match (names.is_empty(), unknown.is_empty()) {
        (false, _) => Some(true),
        (true, true) => Some(false),
        (true, false) => None,
    };
    let mut found = Found::evidenced(
        json!({"triggers": names, "not_known": unknown, "assessment_asked_for": asked}),
        "database and controller",
        "activities, recipients, transfers, the catalog",
    );
    // Columns are there for all to see; the rest is the controller's word.
    if !names.contains(&"sensitive_information") {
        found.status = Status::Declared;
    }
    let has_one = facts
        .controller
        .with("assessment", "kind", "pipia")
        .next()
        .is_some();
    if !names.is_empty() && !has_one {
        found = found.noting("Declare an assessment of kind pipia.");
    }
    if !unknown.is_empty() {
        found = found.open(format!(
            "Nobody has said of every activity and column whether there is {}.",
            unknown.join(", ")
        ));
    }
    found
}
