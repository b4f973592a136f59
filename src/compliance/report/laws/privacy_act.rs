//! Three acts of the name Privacy Act: Australia's, New Zealand's and that of the United States.

use crate::compliance::Facts;
use crate::compliance::report::definition::{
    Ask::{Activities, All, Derive, Evidence, Measures, Role},
    Found, Law, Section, line,
};
use crate::compliance::report::derive::{columns, incidents, retention};
use crate::compliance::report::when;
use serde_json::json;

/// The report of Australia's act.
pub const AU: Law = Law {
    code: "privacy_act",
    variant: Some("AU"),
    jurisdiction: "AU",
    title: "Privacy policy",
    act: "Privacy Act 1988 (Cth), Australian Privacy Principles",
    sections: &[
        Section {
            title: "What the policy must contain",
            lines: &[
                line(
                    "au.1.4.who",
                    "APP 1.4",
                    "APP entity, with contact",
                    Role(&["controller"], &["legal_name", "contact"]),
                ),
                line(
                    "au.1.4.a",
                    "APP 1.4(a)",
                    "Kinds of personal information collected and held",
                    Derive(columns::categories),
                ),
                line(
                    "au.1.4.b.collected",
                    "APP 1.4(b)",
                    "How it is collected",
                    Activities(&["collection"]),
                ),
                line(
                    "au.1.4.b.held",
                    "APP 1.4(b)",
                    "How it is held",
                    Derive(columns::safeguards),
                ),
                line(
                    "au.1.4.c",
                    "APP 1.4(c)",
                    "Purposes of collecting, holding, using and disclosing",
                    Activities(&["purpose"]),
                ),
                line(
                    "au.1.4.d",
                    "APP 1.4(d)",
                    "How to have access and correction",
                    Measures(&["access_procedure", "correction_procedure"]),
                ),
                line(
                    "au.1.4.e",
                    "APP 1.4(e)",
                    "How to complain, and how that is dealt with",
                    Measures(&["complaint_procedure"]),
                ),
                line(
                    "au.1.4.f",
                    "APP 1.4(f)",
                    "Whether disclosure overseas is likely",
                    Derive(overseas),
                ),
                line(
                    "au.1.4.g",
                    "APP 1.4(g)",
                    "Countries of overseas recipients",
                    All("transfer", &["country"]),
                )
                .when(when::exported),
                line(
                    "au.1.5",
                    "APP 1.5, 1.6",
                    "Free, and in the form asked for",
                    Measures(&["policy_availability"]),
                ),
                line(
                    "au.1.3",
                    "APP 1.3",
                    "Up to date",
                    Measures(&["policy_review"]),
                ),
            ],
        },
        Section {
            title: "Decisions by computer programs",
            lines: &[
                line(
                    "au.1.7",
                    "APP 1.7",
                    "Decisions made, or substantially helped, by a program",
                    Activities(&["automated_decision"]),
                )
                .since("2026-12-10"),
                line(
                    "au.1.8",
                    "APP 1.8",
                    "Kinds of such decisions, and of the information used",
                    Activities(&["decisions"]),
                )
                .since("2026-12-10")
                .when(when::automated),
            ],
        },
        Section {
            title: "Security and destruction",
            lines: &[
                line(
                    "au.11.1",
                    "APP 11.1",
                    "Who may read personal columns",
                    Evidence("access_control", "{}"),
                ),
                line(
                    "au.11.2",
                    "APP 11.2",
                    "Destroyed or de-identified",
                    Derive(columns::irreversible),
                ),
                line(
                    "au.11.2.rules",
                    "APP 11.2",
                    "How long it is kept",
                    Derive(retention::rules),
                ),
                line(
                    "au.ndb",
                    "Part IIIC",
                    "Eligible data breaches",
                    Derive(incidents::register),
                ),
                line(
                    "au.ledger",
                    "APP 11.1",
                    "The ledger behind these facts",
                    Evidence("ledger_verified", "{}"),
                ),
            ],
        },
    ],
    limits: &[
        "APP 1.7 to 1.9 apply from 10 December 2026, 24 months after assent; one firm prints the 11th.",
        "A policy with missing items is a draft.",
    ],
};

/// The report of New Zealand's act.
pub const NZ: Law = Law {
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
                    "IPP 3(1)(a)",
                    "That information is collected, and what",
                    Derive(columns::categories),
                ),
                line(
                    "nz.3.purpose",
                    "IPP 3(1)(b)",
                    "Purposes",
                    Activities(&["purpose"]),
                ),
                line(
                    "nz.3.recipients",
                    "IPP 3(1)(c)",
                    "Recipients",
                    All("recipient", &["category"]),
                ),
                line(
                    "nz.3.agency",
                    "IPP 3(1)(d)",
                    "Names and addresses of the agency",
                    Role(&["controller"], &["legal_name", "address"]),
                ),
                line(
                    "nz.3.law",
                    "IPP 3(1)(e)",
                    "Law that authorises or requires it",
                    Activities(&["legal_basis"]),
                ),
                line(
                    "nz.3.consequences",
                    "IPP 3(1)(f)",
                    "Consequences of not giving it",
                    Activities(&["impact_notice"]),
                ),
                line(
                    "nz.3.rights",
                    "IPP 3(1)(g), 6, 7",
                    "Access and correction",
                    Measures(&["access_procedure", "correction_procedure"]),
                ),
            ],
        },
        Section {
            title: "Collection from others (IPP 3A)",
            lines: &[line(
                "nz.3a",
                "IPP 3A",
                "Sources other than the person",
                Activities(&["sources"]),
            )
            .since("2026-05-01")],
        },
        Section {
            title: "Security, retention, breaches",
            lines: &[
                line(
                    "nz.5",
                    "IPP 5",
                    "Safeguards, as the database shows them",
                    Derive(columns::safeguards),
                ),
                line(
                    "nz.9",
                    "IPP 9",
                    "How long it is kept",
                    Derive(retention::rules),
                ),
                line(
                    "nz.9.overdue",
                    "IPP 9",
                    "Rows past their time",
                    Derive(retention::overdue),
                ),
                line(
                    "nz.12",
                    "IPP 12",
                    "Disclosure outside New Zealand",
                    All("transfer", &["mechanism", "safeguard_document"]),
                )
                .when(when::exported),
                line(
                    "nz.114",
                    "s. 114",
                    "Notifiable privacy breaches",
                    Derive(incidents::register),
                ),
                line(
                    "nz.201",
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

/// The report of the act of the United States.
pub const US: Law = Law {
    code: "privacy_act",
    variant: Some("US"),
    jurisdiction: "US",
    title: "System of records notice",
    act: "Privacy Act of 1974, 5 U.S.C. 552a(e)(4)",
    sections: &[Section {
        title: "Notice",
        lines: &[
            line(
                "us.e4.A",
                "552a(e)(4)(A)",
                "Name and location of the system",
                Role(&["controller"], &["legal_name", "address"]),
            ),
            line(
                "us.e4.B",
                "552a(e)(4)(B)",
                "Categories of individuals",
                Activities(&["subjects"]),
            ),
            line(
                "us.e4.C",
                "552a(e)(4)(C)",
                "Categories of records",
                Derive(columns::categories),
            ),
            line(
                "us.e4.D",
                "552a(e)(4)(D)",
                "Routine uses, with users and purpose",
                All("recipient", &["category", "purpose"]),
            ),
            line(
                "us.e4.E.storage",
                "552a(e)(4)(E)",
                "Storage and access controls",
                Derive(columns::safeguards),
            ),
            line(
                "us.e4.E.retrieval",
                "552a(e)(4)(E)",
                "How records are retrieved",
                Activities(&["retrieved_by"]),
            ),
            line(
                "us.e4.E.retention",
                "552a(e)(4)(E)",
                "Retention and disposal",
                Derive(retention::rules),
            ),
            line(
                "us.e4.F",
                "552a(e)(4)(F)",
                "Responsible official",
                Role(&["responsible_official"], &["legal_name", "contact"]),
            ),
            line(
                "us.e4.G",
                "552a(e)(4)(G)",
                "Procedure of notification",
                Measures(&["records_office"]),
            ),
            line(
                "us.e4.H",
                "552a(e)(4)(H)",
                "Procedure of access and contest",
                Measures(&["access_procedure", "correction_procedure"]),
            ),
            line(
                "us.e4.I",
                "552a(e)(4)(I)",
                "Sources of the records",
                Activities(&["sources"]),
            ),
        ],
    }],
    limits: &["For federal agencies of the United States only."],
};

/// Whether data leave the country: the controller's word beside what the catalog shows.
fn overseas(facts: &Facts) -> Found {
    if facts.controller.is_empty() {
        return Found::missing(
            "controller",
            "transfers",
            "Declare the transfers, section transfers.",
        );
    }
    let transfers = facts.controller.of("transfer").count();
    let hints = &facts.inventory.ways_out;
    let found = Found::declared(
        json!({"likely": transfers > 0, "transfers": transfers, "ways_out_in_the_catalog": hints.len()}),
        "transfers",
    );
    if transfers == 0 && !hints.is_empty() {
        return found.noting("The catalog shows ways out of this database: say where they lead.");
    }
    found
}
