//! South Africa: the report on accountability, by the eight conditions.

use crate::compliance::Facts;
use crate::compliance::report::definition::{
    Applies,
    Ask::{Activities, All, Assessment, Derive, Evidence, Incidents, Measures, Role},
    Law, Section, line,
};
use crate::compliance::report::derive::{columns, incidents, retention};
use crate::compliance::report::when;

/// The report.
pub const LAW: Law = Law {
    code: "popia",
    variant: None,
    jurisdiction: "ZA",
    title: "Accountability report",
    act: "Protection of Personal Information Act 4 of 2013; Regulations as amended on 17 April 2025",
    sections: &[
        Section {
            title: "Condition 1: accountability",
            lines: &[
                line(
                    "popia.8",
                    "s. 8",
                    "Responsible party",
                    Role(&["controller"], &["legal_name", "contact"]),
                ),
                line(
                    "popia.55",
                    "s. 55; reg. 4",
                    "Information Officer, registered",
                    Role(
                        &["information_officer"],
                        &["legal_name", "contact", "registered_on"],
                    ),
                ),
                line(
                    "popia.reg4.1.a",
                    "reg. 4(1)(a)",
                    "Compliance framework, continually improved",
                    Measures(&["compliance_framework"]),
                ),
                line(
                    "popia.reg4.1.b",
                    "reg. 4(1)(b)",
                    "Personal information impact assessment",
                    Assessment(&["piia", "privacy_impact"]),
                ),
                line(
                    "popia.reg4.1.d",
                    "reg. 4(1)(d)",
                    "Internal measures and systems for requests",
                    Measures(&["access_procedure"]),
                ),
                line(
                    "popia.reg4.1.e",
                    "reg. 4(1)(e)",
                    "Awareness sessions",
                    Measures(&["training"]),
                ),
            ],
        },
        Section {
            title: "Condition 2: processing limitation",
            lines: &[
                line(
                    "popia.9",
                    "s. 9-11",
                    "Purpose and ground of each activity",
                    Activities(&["purpose", "legal_basis"]),
                ),
                line(
                    "popia.10",
                    "s. 10",
                    "Minimality: columns beyond those declared",
                    Derive(columns::undeclared),
                ),
                line(
                    "popia.11",
                    "s. 11(2)",
                    "Consent, and rows without it",
                    Derive(retention::consent),
                )
                .when(when::consent),
                line(
                    "popia.12",
                    "s. 12",
                    "Collected from whom",
                    Activities(&["sources"]),
                ),
            ],
        },
        Section {
            title: "Condition 3: purpose specification",
            lines: &[
                line(
                    "popia.14.1",
                    "s. 13, 14(1)",
                    "How long records are kept",
                    Derive(retention::rules),
                ),
                line(
                    "popia.14.4",
                    "s. 14(4)",
                    "Records past their time",
                    Derive(retention::overdue),
                ),
                line(
                    "popia.14.5",
                    "s. 14(5)",
                    "Whether what was de-identified can be reconstructed",
                    Derive(columns::irreversible),
                ),
            ],
        },
        Section {
            title: "Conditions 4 to 6: further processing, quality, openness",
            lines: &[
                line(
                    "popia.15",
                    "s. 15",
                    "Further processing",
                    Activities(&["further_processing"]),
                ),
                line(
                    "popia.16",
                    "s. 16",
                    "Information quality",
                    Measures(&["accuracy"]),
                ),
                line(
                    "popia.17",
                    "s. 17",
                    "Documentation of all processing operations",
                    Evidence("ropa_completeness", "{}"),
                ),
                line(
                    "popia.17.categories",
                    "s. 17",
                    "Categories of personal information",
                    Derive(columns::categories),
                ),
                line(
                    "popia.17.paia",
                    "s. 17; PAIA s. 51",
                    "Manual under the Promotion of Access to Information Act",
                    Measures(&["paia_manual"]),
                )
                .when(when::private_body),
                line(
                    "popia.18",
                    "s. 18",
                    "Notice to the data subject",
                    Measures(&["openness"]),
                ),
            ],
        },
        Section {
            title: "Condition 7: security safeguards",
            lines: &[
                line(
                    "popia.19",
                    "s. 19(1)",
                    "Safeguards, as the database shows them",
                    Derive(columns::safeguards),
                ),
                line(
                    "popia.19.risk",
                    "s. 19(2)(a)",
                    "Risks identified",
                    Assessment(&["risk", "piia", "privacy_impact"]),
                ),
                line(
                    "popia.19.verify",
                    "s. 19(2)(c)",
                    "Regularly verified: runs whose checks passed",
                    Evidence("runs_verified", "{}"),
                ),
                line(
                    "popia.19.ledger",
                    "s. 19(2)(c)",
                    "Last verification of the ledger on record",
                    Evidence("last_verification", "{\"max_age_days\": 30}"),
                ),
                line(
                    "popia.20",
                    "s. 20, 21",
                    "Operators under written contract",
                    Measures(&["processor_contracts"]),
                )
                .when(when::handed_on),
                line(
                    "popia.22",
                    "s. 22",
                    "Security compromises",
                    Derive(incidents::register),
                ),
                line(
                    "popia.22.5",
                    "s. 22(5)",
                    "Consequences, measures, advice",
                    Incidents(&["consequences", "measures_after", "advice"]),
                )
                .when(when::incident),
                line(
                    "popia.22.told",
                    "s. 22(1)",
                    "Notice to the Regulator and the data subjects",
                    Incidents(&["authority_notified_at.ZA", "subjects_notified_at.ZA"]),
                )
                .when(when::incident),
                line(
                    "popia.22.deadlines",
                    "s. 22(2)",
                    "Deadlines of incidents",
                    Derive(incidents::deadlines_of_south_africa),
                )
                .when(when::incident),
                line(
                    "popia.22.protection",
                    "s. 22",
                    "What protected the data then",
                    Derive(incidents::protection),
                )
                .when(when::incident),
            ],
        },
        Section {
            title: "Condition 8: participation; special cases",
            lines: &[
                line(
                    "popia.23",
                    "s. 23-25",
                    "Access and correction: procedure",
                    Measures(&["access_procedure", "correction_procedure"]),
                ),
                line(
                    "popia.26",
                    "s. 26-33",
                    "Special personal information",
                    Derive(columns::special),
                ),
                line(
                    "popia.26.authorised",
                    "s. 26-33",
                    "What authorises it",
                    Measures(&["special_information"]),
                )
                .when(special),
                line("popia.34", "s. 34, 35", "Children", Measures(&["minors"])).when(when::minors),
                line(
                    "popia.57",
                    "s. 57, 58",
                    "Prior authorisation",
                    Measures(&["prior_authorisation"]),
                )
                .when(special),
                line(
                    "popia.72",
                    "s. 72",
                    "Transfers out of the Republic",
                    All("transfer", &["mechanism", "safeguard_document"]),
                )
                .when(when::exported),
            ],
        },
    ],
    limits: &[
        "There is no exclusion of compromises of low risk (s. 22). Notices go through the Regulator's \
         portal.",
    ],
};

fn special(facts: &Facts) -> Applies {
    let has_some = columns::special(facts)
        .value
        .as_array()
        .is_some_and(|groups| !groups.is_empty());
    if has_some {
        Applies::Yes
    } else {
        Applies::No("No column looks special or is declared to be.")
    }
}
