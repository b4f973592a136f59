//! Canada: consent and retention.

use crate::compliance::report::definition::{
    Ask::{Activities, All, Derive, Evidence, Incidents, Measures, Notices, Role, Terms},
    Law, Section, line,
};
use crate::compliance::report::derive::{activities, columns, incidents, requests, retention};
use crate::compliance::rules::Trigger;
use crate::compliance::rules::parameter::Addressee;

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
                    "PIPEDA-4.1",
                    "Sch. 1, 4.1",
                    "Person who is accountable",
                    Role(
                        &["accountable_person", "data_protection_officer"],
                        &["legal_name", "contact"],
                    ),
                ),
                line(
                    "pipeda.4.1.3",
                    "PIPEDA-4.1.3",
                    "Sch. 1, 4.1.3",
                    "Recipients that process under contract",
                    All("recipient", &["category", "contract"]),
                )
                .when(Trigger::Recipients),
                line(
                    "pipeda.4.2",
                    "PIPEDA-4.2",
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
                    "PIPEDA-4.3",
                    "Sch. 1, 4.3; s. 6.1",
                    "Where consent is kept, and rows without it",
                    Derive(retention::consents),
                )
                .when(Trigger::Consent),
                line(
                    "pipeda.6.1",
                    "PIPEDA-4.3",
                    "s. 6.1",
                    "Form of consent, its notice and date, and what it explains",
                    All(
                        "consent_source",
                        &["form", "purpose_explained", "notice_version", "notice_date"],
                    ),
                )
                .when(Trigger::Consent),
                line(
                    "pipeda.4.3.4",
                    "PIPEDA-4.3",
                    "Sch. 1, 4.3.4",
                    "Sensitivity of the columns",
                    Evidence("classified_share", "{}"),
                ),
                line(
                    "pipeda.4.3.8",
                    "PIPEDA-4.3",
                    "Sch. 1, 4.3.8",
                    "Withdrawal",
                    All("consent_source", &["withdrawal"]),
                )
                .when(Trigger::Consent),
                line(
                    "pipeda.7",
                    "PIPEDA-4.3",
                    "s. 7",
                    "Exceptions used",
                    Activities(&["exceptions"]),
                ),
                line(
                    "pipeda.7.2.c",
                    "PIPEDA-7-2-C",
                    "s. 7(2)(c)",
                    "Research without consent: notice to the Commissioner beforehand",
                    Measures(&["prior_authorisation"]),
                ),
            ],
        },
        Section {
            title: "Collection and retention",
            lines: &[
                line(
                    "pipeda.4.4",
                    "PIPEDA-4.4",
                    "Sch. 1, 4.4",
                    "Columns beyond those declared",
                    Derive(columns::undeclared),
                ),
                line(
                    "pipeda.4.4.categories",
                    "PIPEDA-4.4",
                    "Sch. 1, 4.4",
                    "Categories of personal information",
                    Derive(columns::categories),
                ),
                line(
                    "pipeda.4.5",
                    "PIPEDA-4.5.2",
                    "Sch. 1, 4.5, 4.5.2",
                    "Least and longest retention of each category",
                    Derive(retention::rules),
                ),
                line(
                    "pipeda.4.5.activities",
                    "PIPEDA-4.5.2",
                    "Sch. 1, 4.5",
                    "Retention of each activity",
                    Derive(activities::retention),
                ),
                line(
                    "pipeda.4.5.3",
                    "PIPEDA-4.5.3",
                    "Sch. 1, 4.5.3",
                    "Rows no longer needed",
                    Derive(retention::overdue),
                ),
                line(
                    "pipeda.4.5.3.disposal",
                    "PIPEDA-4.5.3",
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
                    "PIPEDA-4.6",
                    "Sch. 1, 4.6",
                    "Accuracy",
                    Measures(&["accuracy"]),
                ),
                line(
                    "pipeda.4.7",
                    "PIPEDA-4.7",
                    "Sch. 1, 4.7",
                    "Safeguards, as the database shows them",
                    Derive(columns::safeguards),
                ),
                line(
                    "pipeda.4.7.masking",
                    "PIPEDA-4.7",
                    "Sch. 1, 4.7.2",
                    "Sensitive columns of masked schemas that are masked",
                    Evidence("mask_coverage", "{\"class\": \"sensitive\"}"),
                )
                .when(Trigger::Sensitive),
                line(
                    "pipeda.4.8",
                    "PIPEDA-4.8",
                    "Sch. 1, 4.8",
                    "Openness",
                    Measures(&["openness"]),
                ),
                line(
                    "pipeda.4.9",
                    "PIPEDA-4.9",
                    "Sch. 1, 4.9; s. 8(3)",
                    "Access requests answered within 30 days, or 60 where extended",
                    Terms(&["PIPEDA-4.9"]),
                ),
                line(
                    "pipeda.4.10",
                    "PIPEDA-4.10",
                    "Sch. 1, 4.10",
                    "Complaints: procedure",
                    Measures(&["complaint_procedure"]),
                ),
                line(
                    "pipeda.4.10.count",
                    "PIPEDA-4.10",
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
                    "PIPEDA-10.3",
                    "s. 10.3; SOR/2018-64, s. 6",
                    "Register of all breaches",
                    Derive(incidents::register),
                ),
                line(
                    "pipeda.10.3.kept",
                    "PIPEDA-10.3",
                    "SOR/2018-64, s. 6",
                    "Register kept for 24 months from the determination",
                    Measures(&["records_kept"]),
                ),
                line(
                    "pipeda.10.1.harm",
                    "PIPEDA-10.1-1",
                    "s. 10.1(7), (8)",
                    "Real risk of significant harm",
                    Incidents(&["real_risk_of_significant_harm"]),
                )
                .when(Trigger::Incident),
                line(
                    "pipeda.10.1.report",
                    "PIPEDA-10.1-1",
                    "SOR/2018-64, s. 2(1)",
                    "Circumstances, period, information, individuals, steps, contact",
                    Notices(
                        Addressee::Authority,
                        "authority_notified_at",
                        &[
                            "circumstances",
                            "cause",
                            "occurred_from",
                            "occurred_to",
                            "categories",
                            "subjects_affected",
                            "measures_after",
                            "notice_form",
                            "contact",
                        ],
                    ),
                )
                .when(Trigger::Incident),
                line(
                    "pipeda.10.1.deadlines",
                    "PIPEDA-10.1-1",
                    "s. 10.1",
                    "Deadlines of incidents",
                    Derive(incidents::deadlines),
                )
                .when(Trigger::Incident),
                line(
                    "pipeda.10.1.individuals",
                    "PIPEDA-10.1-3",
                    "s. 10.1(3)",
                    "Notice to individuals, or why none",
                    Derive(incidents::individuals),
                )
                .when(Trigger::Incident),
                line(
                    "pipeda.10.1.notice",
                    "PIPEDA-10.1-3",
                    "SOR/2018-64, s. 3",
                    "Steps that individuals can take",
                    Notices(Addressee::Subjects, "subjects_notified_at", &["advice"]),
                )
                .when(Trigger::Incident),
                line(
                    "pipeda.10.1.protection",
                    "PIPEDA-10.1-1",
                    "s. 10.1",
                    "What protected the data then",
                    Derive(incidents::protection),
                )
                .when(Trigger::Incident),
            ],
        },
    ],
    limits: &[
        "Quebec's Act respecting the protection of personal information in the private sector, as \
         amended by Law 25, and any act that succeeds this one are outside this report.",
    ],
};
