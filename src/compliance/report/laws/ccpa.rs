//! California: the report on consumer rights.

use crate::compliance::report::definition::{
    Ask::{Activities, Assessment, Derive, Evidence, Measures, Role, Terms},
    Law, Section, line,
};
use crate::compliance::report::derive::{activities, columns, metrics, requests, retention};

/// The report.
pub const LAW: Law = Law {
    code: "ccpa",
    variant: None,
    jurisdiction: "US-CA",
    title: "Consumer rights report",
    act: "California Consumer Privacy Act of 2018, as amended by the California Privacy Rights Act, \
          Civil Code 1798.100 and following; California Code of Regulations, title 11, 7101 and 7102",
    sections: &[
        Section {
            title: "Metrics of requests",
            lines: &[
                line(
                    "ccpa.business",
                    "CCPA-130-A5",
                    "1798.140(d)",
                    "Business, with contact and annual revenue",
                    Role(
                        &["controller"],
                        &["legal_name", "contact", "annual_revenue"],
                    ),
                ),
                line(
                    "ccpa.7102.threshold",
                    "CCPA-7101-B",
                    "11 CCR 7102(a)",
                    "Consumers whose data are bought, received, sold or shared in a year",
                    Role(&["controller"], &["consumers_per_year"]),
                ),
                line(
                    "ccpa.7102.a.1",
                    "CCPA-7102-A",
                    "11 CCR 7102(a)(1)(A)-(E)",
                    "Requests received, complied with, denied, last calendar year",
                    Derive(metrics::counts),
                )
                .voluntary(),
                line(
                    "ccpa.7102.a.1.F",
                    "CCPA-7102-F",
                    "11 CCR 7102(a)(1)(F)",
                    "Median and mean days to respond",
                    Derive(metrics::response_days),
                )
                .voluntary(),
                line(
                    "ccpa.7102.a.1.F.which",
                    "CCPA-7102-F",
                    "11 CCR 7102(a)(1)(F)",
                    "Which of the two is published",
                    Role(&["controller"], &["published_metric"]),
                ),
                line(
                    "ccpa.7102.a.2",
                    "CCPA-7102-A",
                    "11 CCR 7102(a)(2)",
                    "Denials by basis",
                    Derive(metrics::denials),
                )
                .voluntary(),
                line(
                    "ccpa.7102.publish",
                    "CCPA-7102-A",
                    "11 CCR 7102(a)(2)",
                    "Metrics published by 1 July",
                    Derive(metrics::publication),
                ),
                line(
                    "ccpa.7101.b",
                    "CCPA-7101-B",
                    "11 CCR 7101(b)",
                    "Record of each request",
                    Derive(requests::register),
                ),
                line(
                    "ccpa.7101.b.kept",
                    "CCPA-7101-B",
                    "11 CCR 7101(a), (b)",
                    "Records of requests kept for 24 months",
                    Measures(&["records_kept"]),
                ),
                line(
                    "ccpa.7101.d",
                    "CCPA-7101-B",
                    "11 CCR 7101(d)",
                    "Records of requests serve no other use",
                    Measures(&["records_use"]),
                ),
                line(
                    "ccpa.130.a.2",
                    "CCPA-130-A2",
                    "1798.130(a)(2)",
                    "Requests answered within 45 days, or 90 where extended",
                    Terms(&["CCPA-130-A2"]),
                ),
                line(
                    "ccpa.7021",
                    "CCPA-7021",
                    "1798.130(a)(2), 11 CCR 7021",
                    "Requests acknowledged within 10 business days",
                    Terms(&["CCPA-7021"]),
                ),
                line(
                    "ccpa.7026",
                    "CCPA-7026",
                    "11 CCR 7026",
                    "Opt-outs in effect within 15 business days",
                    Terms(&["CCPA-7026"]),
                ),
                line(
                    "ccpa.7027",
                    "CCPA-7027",
                    "11 CCR 7027",
                    "Limits in effect within 15 business days",
                    Terms(&["CCPA-7027"]),
                ),
            ],
        },
        Section {
            title: "What is collected",
            lines: &[
                line(
                    "ccpa.130.a.5",
                    "CCPA-130-A5",
                    "1798.130(a)(5)",
                    "Policy reviewed within 12 months",
                    Measures(&["policy_review"]),
                ),
                line(
                    "ccpa.110.categories",
                    "CCPA-130-A5",
                    "1798.110, 1798.140(v)",
                    "Categories of personal information",
                    Derive(columns::categories_of_california),
                ),
                line(
                    "ccpa.110.sources",
                    "CCPA-130-A5",
                    "1798.110(c)(2)",
                    "Sources",
                    Activities(&["sources"]),
                ),
                line(
                    "ccpa.110.purposes",
                    "CCPA-130-A5",
                    "1798.110(c)(3)",
                    "Purposes of collecting, selling or sharing",
                    Activities(&["purpose"]),
                ),
                line(
                    "ccpa.115",
                    "CCPA-130-A5",
                    "1798.110(c)(4), 1798.115",
                    "Third parties of each activity",
                    Derive(activities::recipients),
                ),
                line(
                    "ccpa.100.a.3",
                    "CCPA-100-A3",
                    "1798.100(a)(3)",
                    "Retention of each category",
                    Derive(retention::rules),
                ),
                line(
                    "ccpa.100.c",
                    "CCPA-100-C",
                    "1798.100(c)",
                    "Necessity and proportionality",
                    Activities(&["necessity"]),
                ),
                line(
                    "ccpa.100.e",
                    "CCPA-100-E",
                    "1798.100(e)",
                    "Security, as the database shows it",
                    Derive(columns::safeguards),
                ),
            ],
        },
        Section {
            title: "Rights",
            lines: &[
                line(
                    "ccpa.105",
                    "CCPA-105",
                    "1798.105",
                    "Deletion: process",
                    Measures(&["deletion_procedure"]),
                ),
                line(
                    "ccpa.105.runs",
                    "CCPA-7022-B1",
                    "1798.105, 11 CCR 7022(b)(1)",
                    "Deletions carried out by runs",
                    Derive(requests::deletions),
                ),
                line(
                    "ccpa.105.d",
                    "CCPA-105",
                    "1798.105(d), 1798.145",
                    "Exceptions used",
                    Derive(requests::exceptions),
                ),
                line(
                    "ccpa.106",
                    "CCPA-106",
                    "1798.106",
                    "Correction: process",
                    Measures(&["correction_procedure"]),
                ),
                line(
                    "ccpa.110",
                    "CCPA-106",
                    "1798.110, 1798.115",
                    "Knowledge and access: process",
                    Measures(&["access_procedure"]),
                ),
                line(
                    "ccpa.120",
                    "CCPA-120",
                    "1798.120",
                    "Opt-out of sale and sharing: process",
                    Measures(&["opt_out_procedure"]),
                ),
                line(
                    "ccpa.121",
                    "CCPA-121",
                    "1798.121, 11 CCR 7027",
                    "Limits to the use of sensitive information: process",
                    Measures(&["limit_procedure"]),
                ),
                line(
                    "ccpa.120.c",
                    "CCPA-120-C",
                    "1798.120(c)",
                    "Consumers under 16: opt-in by themselves from 13, by a parent below",
                    Measures(&["minors"]),
                ),
                line(
                    "ccpa.125",
                    "CCPA-125",
                    "1798.125",
                    "No retaliation",
                    Measures(&["non_retaliation"]),
                ),
            ],
        },
        Section {
            title: "Deidentified information, risks",
            lines: &[
                line(
                    "ccpa.140.m",
                    "CCPA-140-M",
                    "1798.140(m)",
                    "Columns that are deidentified, and the commitments behind that",
                    Derive(columns::deidentified),
                ),
                line(
                    "ccpa.masking",
                    "CCPA-140-M",
                    "1798.140(m)(1)",
                    "Personal columns of masked schemas that are masked",
                    Evidence("mask_coverage", "{}"),
                ),
                line(
                    "ccpa.ledger",
                    "CCPA-100-E",
                    "1798.100(e)",
                    "The ledger behind these figures",
                    Evidence("ledger_verified", "{}"),
                ),
                line(
                    "ccpa.risk",
                    "CCPA-REGS-RISK",
                    "amended regulations",
                    "Risk assessments",
                    Assessment(&["risk", "privacy_impact"]),
                ),
                line(
                    "ccpa.audit",
                    "CCPA-REGS-AUDIT",
                    "amended regulations",
                    "Cybersecurity audits",
                    Measures(&["audit"]),
                ),
            ],
        },
    ],
    limits: &[
        "Median and mean are both given: the business says which of them it publishes.",
        "Deletion in backups is not reached by a run (11 CCR 7022(d)).",
    ],
};
