//! New Zealand: the privacy statement.

use crate::compliance::report::definition::{
    Ask::{Activities, Derive, Measures, Role, Terms, Transfers},
    Law, Section, line,
};
use crate::compliance::report::derive::{activities, columns, incidents, retention};
use crate::compliance::rules::Trigger;

/// The report of New Zealand's act.
pub const LAW: Law = Law {
    code: "privacy_act",
    variant: Some("NZ"),
    jurisdiction: "NZ",
    title: "Privacy statement",
    act: "Privacy Act 2020 (New Zealand), information privacy principles",
    sections: &[
        Section {
            title: "Collection from the person (IPP 3)",
            lines: &[
                line(
                    "nz.3.fact",
                    "NZ-IPP-3",
                    "IPP 3(1)(a)",
                    "That information is collected, and what",
                    Derive(columns::categories),
                ),
                line(
                    "nz.3.purpose",
                    "NZ-IPP-3",
                    "IPP 3(1)(b)",
                    "Purposes",
                    Activities(&["purpose"]),
                ),
                line(
                    "nz.3.recipients",
                    "NZ-IPP-3",
                    "IPP 3(1)(c)",
                    "Recipients of each activity",
                    Derive(activities::recipients),
                ),
                line(
                    "nz.3.agency",
                    "NZ-IPP-3",
                    "IPP 3(1)(d)",
                    "Names and addresses of the agency that collects and that holds",
                    Role(&["controller", "processor"], &["legal_name", "address"]),
                ),
                line(
                    "nz.3.law",
                    "NZ-IPP-3",
                    "IPP 3(1)(e)",
                    "Law that authorises or requires it",
                    Activities(&["legal_basis"]),
                ),
                line(
                    "nz.3.consequences",
                    "NZ-IPP-3",
                    "IPP 3(1)(f)",
                    "Consequences of not giving it",
                    Activities(&["impact_notice"]),
                ),
                line(
                    "nz.3.rights",
                    "NZ-IPP-3",
                    "IPP 3(1)(g), 6, 7",
                    "Access and correction",
                    Measures(&["access_procedure", "correction_procedure"]),
                ),
                line(
                    "nz.44",
                    "NZ-44",
                    "s. 44, 63",
                    "Requests decided within 20 working days",
                    Terms(&["NZ-44"]),
                ),
            ],
        },
        Section {
            title: "Collection from others (IPP 3A)",
            lines: &[
                line(
                    "nz.3a",
                    "NZ-IPP-3A",
                    "IPP 3A",
                    "Whether information comes from others than the person",
                    Activities(&["collected_from_others"]),
                ),
                line(
                    "nz.3a.notice",
                    "NZ-IPP-3A",
                    "IPP 3A",
                    "The fact, its sources, purpose and law, and how the person is told",
                    Derive(activities::indirect),
                )
                .when(Trigger::Indirect),
                line(
                    "nz.3a.recipients",
                    "NZ-IPP-3A",
                    "IPP 3A",
                    "Recipients",
                    Derive(activities::recipients),
                )
                .when(Trigger::Indirect),
                line(
                    "nz.3a.agency",
                    "NZ-IPP-3A",
                    "IPP 3A",
                    "Names and addresses of the agency that collected and that holds",
                    Role(&["controller", "processor"], &["legal_name", "address"]),
                )
                .when(Trigger::Indirect),
                line(
                    "nz.3a.rights",
                    "NZ-IPP-3A",
                    "IPP 3A, 6, 7",
                    "Access and correction",
                    Measures(&["access_procedure", "correction_procedure"]),
                )
                .when(Trigger::Indirect),
            ],
        },
        Section {
            title: "Security, retention, breaches",
            lines: &[
                line(
                    "nz.5",
                    "NZ-IPP-5",
                    "IPP 5",
                    "Safeguards, as the database shows them",
                    Derive(columns::safeguards),
                ),
                line(
                    "nz.9",
                    "NZ-IPP-9",
                    "IPP 9",
                    "How long it is kept",
                    Derive(retention::rules),
                ),
                line(
                    "nz.9.overdue",
                    "NZ-IPP-9",
                    "IPP 9",
                    "Rows past their time",
                    Derive(retention::overdue),
                ),
                line(
                    "nz.12",
                    "NZ-IPP-12",
                    "IPP 12",
                    "Disclosure outside New Zealand",
                    Transfers(&["mechanism", "safeguard_document"]),
                ),
                line(
                    "nz.114",
                    "NZ-BREACH",
                    "s. 114",
                    "Notifiable privacy breaches",
                    Derive(incidents::register),
                ),
                line(
                    "nz.115",
                    "NZ-BREACH",
                    "s. 115",
                    "Notice to individuals, or why none",
                    Derive(incidents::individuals),
                )
                .when(Trigger::Incident),
                line(
                    "nz.117",
                    "NZ-BREACH",
                    "s. 114, 117",
                    "Deadlines of incidents",
                    Derive(incidents::deadlines),
                )
                .when(Trigger::Incident),
                line(
                    "nz.201",
                    "NZ-201",
                    "s. 201",
                    "Privacy officer",
                    Role(&["data_protection_officer"], &["legal_name", "contact"]),
                ),
            ],
        },
    ],
    limits: &[
        "IPP 3A applies from 1 May 2026.",
        "A statement with missing items is a draft.",
    ],
};
