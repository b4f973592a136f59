//! Canada: consent and retention.

use crate::compliance::report::definition::{
    Ask::{Activities, All, Derive, Evidence, Incidents, Measures, Role},
    Law, Section, line,
};
use crate::compliance::report::derive::{columns, incidents, requests, retention};
use crate::compliance::report::when;

/// The report.
pub const LAW: Law = Law {
    code: "pipeda",
    variant: None,
    jurisdiction: "CA",
    title: "Consent and retention report",
    act: "Personal Information Protection and Electronic Documents Act, S.C. 2000, c. 5, Schedule 1; \
          Breach of Security Safeguards Regulations, SOR/2018-64",
    sections: &[
        Section {
            title: "Accountability and purposes",
            lines: &[
                line(
                    "pipeda.4.1",
                    "Sch. 1, 4.1",
                    "Accountable person",
                    Role(&["accountable_person"], &["legal_name", "contact"]),
                ),
                line(
                    "pipeda.4.1.3",
                    "Sch. 1, 4.1.3",
                    "Recipients that process under contract",
                    All("recipient", &["category", "contract"]),
                )
                .when(when::handed_on),
                line(
                    "pipeda.4.2",
                    "Sch. 1, 4.2, 4.2.1",
                    "Purposes of each activity",
                    Activities(&["purpose"]),
                ),
            ],
        },
        Section {
            title: "Consent",
            lines: &[
                line(
                    "pipeda.4.3",
                    "Sch. 1, 4.3; s. 6.1",
                    "Where consent is kept, and rows without it",
                    Derive(retention::consent),
                )
                .when(when::consent),
                line(
                    "pipeda.6.1",
                    "s. 6.1",
                    "Form of consent, and what it explains",
                    All(
                        "consent_source",
                        &["form", "purpose_explained", "notice_version"],
                    ),
                )
                .when(when::consent),
                line(
                    "pipeda.4.3.4",
                    "Sch. 1, 4.3.4",
                    "Sensitivity of the columns",
                    Evidence("classified_share", "{}"),
                ),
                line(
                    "pipeda.4.3.8",
                    "Sch. 1, 4.3.8",
                    "Withdrawal",
                    All("consent_source", &["withdrawal"]),
                )
                .when(when::consent),
                line(
                    "pipeda.7",
                    "s. 7",
                    "Exceptions used",
                    Activities(&["exceptions"]),
                ),
            ],
        },
        Section {
            title: "Collection and retention",
            lines: &[
                line(
                    "pipeda.4.4",
                    "Sch. 1, 4.4",
                    "Columns beyond those declared",
                    Derive(columns::undeclared),
                ),
                line(
                    "pipeda.4.4.categories",
                    "Sch. 1, 4.4",
                    "Categories of personal information",
                    Derive(columns::categories),
                ),
                line(
                    "pipeda.4.5",
                    "Sch. 1, 4.5, 4.5.2",
                    "Least and longest retention of each category",
                    Derive(retention::rules),
                ),
                line(
                    "pipeda.4.5.3",
                    "Sch. 1, 4.5.3",
                    "Rows no longer needed",
                    Derive(retention::overdue),
                ),
                line(
                    "pipeda.4.5.3.disposal",
                    "Sch. 1, 4.5.3",
                    "Disposal: runs that made data anonymous",
                    Derive(retention::disposal),
                ),
            ],
        },
        Section {
            title: "Accuracy, safeguards, openness, access",
            lines: &[
                line(
                    "pipeda.4.6",
                    "Sch. 1, 4.6",
                    "Accuracy",
                    Measures(&["accuracy"]),
                ),
                line(
                    "pipeda.4.7",
                    "Sch. 1, 4.7",
                    "Safeguards, as the database shows them",
                    Derive(columns::safeguards),
                ),
                line(
                    "pipeda.4.7.masking",
                    "Sch. 1, 4.7.2",
                    "Sensitive columns of masked schemas that are masked",
                    Evidence("mask_coverage", "{\"class\": \"sensitive\"}"),
                )
                .when(when::sensitive),
                line(
                    "pipeda.4.8",
                    "Sch. 1, 4.8",
                    "Openness",
                    Measures(&["openness"]),
                ),
                line(
                    "pipeda.4.9",
                    "Sch. 1, 4.9; s. 8(3)",
                    "Access requests later than 30 days, or 60 where extended",
                    Derive(requests::late_in_canada),
                ),
                line(
                    "pipeda.4.10",
                    "Sch. 1, 4.10",
                    "Complaints: procedure",
                    Measures(&["complaint_procedure"]),
                ),
                line(
                    "pipeda.4.10.count",
                    "Sch. 1, 4.10",
                    "Complaints received",
                    Derive(requests::complaints),
                ),
            ],
        },
        Section {
            title: "Breaches of safeguards",
            lines: &[
                line(
                    "pipeda.10.3",
                    "s. 10.3; SOR/2018-64, s. 6",
                    "Register of all breaches, kept for 24 months",
                    Derive(incidents::register),
                ),
                line(
                    "pipeda.10.1.harm",
                    "s. 10.1(7), (8)",
                    "Real risk of significant harm",
                    Incidents(&["real_risk_of_significant_harm"]),
                )
                .when(when::incident),
                line(
                    "pipeda.10.1.report",
                    "SOR/2018-64, s. 2(1)",
                    "Circumstances, day, information, individuals, steps, contact",
                    Incidents(&[
                        "circumstances",
                        "cause",
                        "occurred_from",
                        "categories",
                        "subjects_affected",
                        "measures_after",
                        "contact",
                    ]),
                )
                .when(when::incident),
                line(
                    "pipeda.10.1.deadlines",
                    "s. 10.1",
                    "Deadlines of incidents",
                    Derive(incidents::deadlines_of_canada),
                )
                .when(when::incident),
                line(
                    "pipeda.10.1.notice",
                    "SOR/2018-64, s. 3",
                    "Steps that individuals can take",
                    Incidents(&["advice"]),
                )
                .when(when::incident),
                line(
                    "pipeda.10.1.protection",
                    "s. 10.1",
                    "What protected the data then",
                    Derive(incidents::protection),
                )
                .when(when::incident),
            ],
        },
    ],
    limits: &[
        "Quebec's Act respecting the protection of personal information in the private sector, as \
         amended by Law 25, and any act that succeeds this one are outside this report.",
    ],
};
