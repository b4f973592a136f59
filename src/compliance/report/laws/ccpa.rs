//! California: the report on consumer rights.

use crate::compliance::report::definition::{
    Ask::{Activities, All, Derive, Evidence, Measures, Role},
    Law, Section, line,
};
use crate::compliance::report::derive::{columns, requests, retention};
use crate::compliance::report::when;

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
                    "1798.140(d)",
                    "Business, with contact",
                    Role(&["controller"], &["legal_name", "contact"]),
                ),
                line(
                    "ccpa.7102.threshold",
                    "11 CCR 7102(a)",
                    "Consumers whose data are bought, received, sold or shared in a year",
                    Role(&["controller"], &["consumers_per_year"]),
                ),
                line(
                    "ccpa.7102.a.1",
                    "11 CCR 7102(a)(1)(A)-(E)",
                    "Requests received, complied with, denied, last calendar year",
                    Derive(requests::counts),
                ),
                line(
                    "ccpa.7102.a.1.F",
                    "11 CCR 7102(a)(1)(F)",
                    "Median and mean days to respond",
                    Derive(requests::response_days),
                ),
                line(
                    "ccpa.7102.a.2",
                    "11 CCR 7102(a)(2)",
                    "Denials by basis",
                    Derive(requests::denials),
                ),
                line(
                    "ccpa.7102.publish",
                    "11 CCR 7102(a)(2)",
                    "Metrics published by 1 July",
                    Measures(&["policy_availability"]),
                )
                .when(when::many_consumers),
                line(
                    "ccpa.7101.b",
                    "11 CCR 7101(b)",
                    "Record of each request",
                    Derive(requests::register),
                ),
                line(
                    "ccpa.130.a.2",
                    "1798.130(a)(2)",
                    "Requests later than 45 days, or 90 where extended",
                    Derive(requests::late_in_california),
                ),
            ],
        },
        Section {
            title: "What is collected",
            lines: &[
                line(
                    "ccpa.110.categories",
                    "1798.110, 1798.140(v)",
                    "Categories of personal information",
                    Derive(columns::categories_of_california),
                ),
                line(
                    "ccpa.110.sources",
                    "1798.110(c)(2)",
                    "Sources",
                    Activities(&["sources"]),
                ),
                line(
                    "ccpa.110.purposes",
                    "1798.110(c)(3)",
                    "Purposes of collecting, selling or sharing",
                    Activities(&["purpose"]),
                ),
                line(
                    "ccpa.115",
                    "1798.110(c)(4), 1798.115",
                    "Third parties",
                    All("recipient", &["category", "role"]),
                ),
                line(
                    "ccpa.100.a.3",
                    "1798.100(a)(3)",
                    "Retention of each category",
                    Derive(retention::rules),
                ),
                line(
                    "ccpa.100.c",
                    "1798.100(c)",
                    "Necessity and proportionality",
                    Activities(&["necessity"]),
                ),
                line(
                    "ccpa.100.e",
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
                    "1798.105",
                    "Deletion: process",
                    Measures(&["deletion_procedure"]),
                ),
                line(
                    "ccpa.105.runs",
                    "1798.105, 11 CCR 7022(b)(1)",
                    "Deletions carried out by runs",
                    Derive(requests::deletions),
                ),
                line(
                    "ccpa.106",
                    "1798.106",
                    "Correction: process",
                    Measures(&["correction_procedure"]),
                ),
                line(
                    "ccpa.110",
                    "1798.110, 1798.115",
                    "Knowledge and access: process",
                    Measures(&["access_procedure"]),
                ),
                line(
                    "ccpa.120",
                    "1798.120",
                    "Opt-out of sale and sharing: process",
                    Measures(&["opt_out_procedure"]),
                )
                .when(when::sold),
                line(
                    "ccpa.121",
                    "1798.121",
                    "Limits to the use of sensitive information: process",
                    Measures(&["opt_out_procedure"]),
                )
                .when(when::sensitive),
                line(
                    "ccpa.120.c",
                    "1798.120(c)",
                    "Consumers under 16",
                    Measures(&["minors"]),
                )
                .when(when::minors),
                line(
                    "ccpa.125",
                    "1798.125",
                    "No retaliation",
                    Measures(&["non_retaliation"]),
                ),
            ],
        },
        Section {
            title: "Deidentified information",
            lines: &[
                line(
                    "ccpa.140.m",
                    "1798.140(m)",
                    "Columns that are deidentified, and the commitments behind that",
                    Derive(columns::deidentified),
                ),
                line(
                    "ccpa.masking",
                    "1798.140(m)(1)",
                    "Personal columns of masked schemas that are masked",
                    Evidence("mask_coverage", "{}"),
                ),
                line(
                    "ccpa.ledger",
                    "1798.100(e)",
                    "The ledger behind these figures",
                    Evidence("ledger_verified", "{}"),
                ),
            ],
        },
    ],
    limits: &[
        "Median and mean are both given: the business says which of them it publishes.",
        "Deletion in backups is not reached by a run (11 CCR 7022(d)).",
    ],
};
