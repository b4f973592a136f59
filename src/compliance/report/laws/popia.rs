//! South Africa: the report on accountability, by the eight conditions.

use crate::compliance::report::definition::{
    Ask::{Activities, Assessment, Derive, Evidence, Incidents, Measures, Role, Transfers},
    Law, Section, line,
};
use crate::compliance::report::derive::{activities, columns, incidents, retention};
use crate::compliance::rules::Trigger;

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
                    "POPIA-8",
                    "s. 8",
                    "Responsible party",
                    Role(&["controller"], &["legal_name", "contact"]),
                ),
                line(
                    "popia.55",
                    "POPIA-55",
                    "s. 55; reg. 4",
                    "Information Officer, registered",
                    Role(
                        &["information_officer"],
                        &["legal_name", "contact", "registration", "registered_on"],
                    ),
                ),
                line(
                    "popia.reg4.1.a",
                    "POPIA-REG-4-A",
                    "reg. 4(1)(a)",
                    "Compliance framework, continually improved",
                    Measures(&["compliance_framework"]),
                ),
                line(
                    "popia.reg4.1.b",
                    "POPIA-REG-4-B",
                    "reg. 4(1)(b)",
                    "Personal information impact assessment",
                    Assessment(&["piia", "privacy_impact"]),
                ),
                line(
                    "popia.reg4.1.d",
                    "POPIA-REG-4-D",
                    "reg. 4(1)(d)",
                    "Internal measures and systems for requests",
                    Measures(&["access_procedure"]),
                ),
                line(
                    "popia.reg4.1.e",
                    "POPIA-REG-4-E",
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
                    "POPIA-9",
                    "s. 9-11",
                    "Purpose and ground of each activity",
                    Activities(&["purpose", "legal_basis"]),
                ),
                line(
                    "popia.10",
                    "POPIA-9",
                    "s. 10",
                    "Minimality: columns beyond those declared",
                    Derive(columns::undeclared),
                ),
                line(
                    "popia.11",
                    "POPIA-9",
                    "s. 11(2)",
                    "Consent, and rows without it",
                    Derive(retention::consents),
                )
                .when(Trigger::Consent),
                line(
                    "popia.12",
                    "POPIA-9",
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
                    "POPIA-13",
                    "s. 13, 14(1)",
                    "How long records are kept",
                    Derive(retention::rules),
                ),
                line(
                    "popia.14.4",
                    "POPIA-14-4",
                    "s. 14(4)",
                    "Records past their time",
                    Derive(retention::overdue),
                ),
                line(
                    "popia.14.5",
                    "POPIA-14-4",
                    "s. 14(5)",
                    "Whether what was de-identified can be reconstructed",
                    Derive(columns::destroyed),
                ),
            ],
        },
        Section {
            title: "Conditions 4 to 6: further processing, quality, openness",
            lines: &[
                line(
                    "popia.15",
                    "POPIA-15",
                    "s. 15",
                    "Further processing",
                    Activities(&["further_processing"]),
                ),
                line(
                    "popia.16",
                    "POPIA-16",
                    "s. 16",
                    "Information quality",
                    Measures(&["accuracy"]),
                ),
                line(
                    "popia.17",
                    "POPIA-17",
                    "s. 17",
                    "Documentation of all processing operations",
                    Evidence("ropa_completeness", "{}"),
                ),
                line(
                    "popia.17.data",
                    "POPIA-17",
                    "s. 17",
                    "Categories of personal information of each activity",
                    Derive(activities::data),
                ),
                line(
                    "popia.17.recipients",
                    "POPIA-17",
                    "s. 17",
                    "Recipients of each activity",
                    Derive(activities::recipients),
                ),
                line(
                    "popia.17.retention",
                    "POPIA-17",
                    "s. 17",
                    "Retention of each activity",
                    Derive(activities::retention),
                ),
                line(
                    "popia.17.categories",
                    "POPIA-17",
                    "s. 17",
                    "Categories of personal information, as the catalog shows them",
                    Derive(columns::categories),
                ),
                line(
                    "popia.17.paia",
                    "POPIA-17-PAIA",
                    "s. 17; PAIA s. 51",
                    "Manual under the Promotion of Access to Information Act",
                    Measures(&["paia_manual"]),
                ),
                line(
                    "popia.18",
                    "POPIA-18",
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
                    "POPIA-19",
                    "s. 19(1)",
                    "Safeguards, as the database shows them",
                    Derive(columns::safeguards),
                ),
                line(
                    "popia.19.risk",
                    "POPIA-19",
                    "s. 19(2)(a)",
                    "Risks identified",
                    Assessment(&["risk", "piia", "privacy_impact"]),
                ),
                line(
                    "popia.19.verify",
                    "POPIA-19",
                    "s. 19(2)(c)",
                    "Regularly verified: runs whose checks passed",
                    Evidence("runs_verified", "{}"),
                ),
                line(
                    "popia.19.ledger",
                    "POPIA-19",
                    "s. 19(2)(c)",
                    "Last verification of the ledger on record",
                    Evidence("last_verification", "{\"max_age_days\": 30}"),
                ),
                line(
                    "popia.19.update",
                    "POPIA-19",
                    "s. 19(2)(d)",
                    "How safeguards are tested and updated",
                    Measures(&["testing"]),
                ),
                line(
                    "popia.20",
                    "POPIA-20",
                    "s. 20, 21",
                    "Operators under written contract, which tell of compromises at once",
                    Measures(&["processor_contracts"]),
                )
                .when(Trigger::Recipients),
                line(
                    "popia.21",
                    "POPIA-20",
                    "s. 21(1)",
                    "Operators of each activity, with their contract",
                    Derive(activities::operators),
                )
                .when(Trigger::Recipients),
                line(
                    "popia.22",
                    "POPIA-22",
                    "s. 22",
                    "Security compromises",
                    Derive(incidents::register),
                ),
                line(
                    "popia.22.5",
                    "POPIA-22-SUBJECTS",
                    "s. 22(5)",
                    "Consequences, measures, advice, the intruder if known",
                    Incidents(&["consequences", "measures_after", "advice", "intruder"]),
                )
                .when(Trigger::Incident),
                line(
                    "popia.22.form",
                    "POPIA-22",
                    "s. 22; form of the Regulator",
                    "Type, dates, description, type of information, number of subjects, method",
                    Incidents(&[
                        "nature",
                        "occurred_from",
                        "known_at",
                        "circumstances",
                        "categories",
                        "subjects_affected",
                        "notice_form",
                    ]),
                )
                .when(Trigger::Incident),
                line(
                    "popia.22.delay",
                    "POPIA-22",
                    "s. 22(2), (3)",
                    "Reasons for a delay",
                    Incidents(&["delay_reasons"]),
                )
                .when(Trigger::Incident),
                line(
                    "popia.22.told",
                    "POPIA-22",
                    "s. 22(1)",
                    "Notice to the Regulator and the data subjects",
                    Incidents(&["authority_notified_at", "subjects_notified_at"]),
                )
                .when(Trigger::Incident),
                line(
                    "popia.22.deadlines",
                    "POPIA-22",
                    "s. 22(2)",
                    "Deadlines of incidents",
                    Derive(incidents::deadlines),
                )
                .when(Trigger::Incident),
                line(
                    "popia.22.protection",
                    "POPIA-22",
                    "s. 22",
                    "What protected the data then",
                    Derive(incidents::protection),
                )
                .when(Trigger::Incident),
            ],
        },
        Section {
            title: "Condition 8: participation; special cases",
            lines: &[
                line(
                    "popia.23",
                    "POPIA-23",
                    "s. 23-25",
                    "Access and correction: procedure",
                    Measures(&["access_procedure", "correction_procedure"]),
                ),
                line(
                    "popia.26",
                    "POPIA-26",
                    "s. 26-33",
                    "Special personal information",
                    Derive(columns::special),
                ),
                line(
                    "popia.26.authorised",
                    "POPIA-26",
                    "s. 26-33",
                    "What authorises it",
                    Measures(&["special_information"]),
                ),
                line(
                    "popia.34",
                    "POPIA-34",
                    "s. 34, 35",
                    "Children",
                    Measures(&["minors"]),
                ),
                line(
                    "popia.57",
                    "POPIA-57",
                    "s. 57, 58",
                    "Prior authorisation",
                    Measures(&["prior_authorisation"]),
                ),
                line(
                    "popia.72",
                    "POPIA-72",
                    "s. 72",
                    "Transfers out of the Republic",
                    Transfers(&["mechanism", "safeguard_document"]),
                ),
            ],
        },
    ],
    limits: &[
        "There is no exclusion of compromises of low risk (s. 22). Notices go through the Regulator's \
         portal.",
    ],
};
