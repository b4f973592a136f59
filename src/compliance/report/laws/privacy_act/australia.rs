//! Australia: the privacy policy.

use serde_json::json;

use crate::compliance::Facts;
use crate::compliance::report::definition::{
    Ask::{Activities, Derive, Evidence, Incidents, Measures, Role, Transfers},
    Found, Law, Section, line,
};
use crate::compliance::report::derive::{activities, columns, incidents, retention};
use crate::compliance::rules::Trigger;

/// The report of Australia's act.
pub const LAW: Law = Law {
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
                    "AU-APP-1.4",
                    "APP 1.4",
                    "APP entity, with contact",
                    Role(&["controller"], &["legal_name", "contact"]),
                ),
                line(
                    "au.1.4.a",
                    "AU-APP-1.4",
                    "APP 1.4(a)",
                    "Kinds of personal information collected and held",
                    Derive(columns::categories),
                ),
                line(
                    "au.1.4.b.collected",
                    "AU-APP-1.4",
                    "APP 1.4(b)",
                    "How it is collected",
                    Activities(&["collection"]),
                ),
                line(
                    "au.1.4.b.held",
                    "AU-APP-1.4",
                    "APP 1.4(b)",
                    "How it is held",
                    Derive(columns::safeguards),
                ),
                line(
                    "au.1.4.c",
                    "AU-APP-1.4",
                    "APP 1.4(c)",
                    "Purposes of collecting, holding, using and disclosing",
                    Activities(&["purpose"]),
                ),
                line(
                    "au.1.4.d",
                    "AU-APP-1.4",
                    "APP 1.4(d)",
                    "How to have access and correction",
                    Measures(&["access_procedure", "correction_procedure"]),
                ),
                line(
                    "au.1.4.e",
                    "AU-APP-1.4",
                    "APP 1.4(e)",
                    "How to complain, and how that is dealt with",
                    Measures(&["complaint_procedure"]),
                ),
                line(
                    "au.1.4.f",
                    "AU-APP-1.4",
                    "APP 1.4(f)",
                    "Whether disclosure overseas is likely",
                    Derive(overseas),
                ),
                line(
                    "au.1.4.g",
                    "AU-APP-1.4",
                    "APP 1.4(g)",
                    "Countries of overseas recipients",
                    Transfers(&["country"]),
                )
                .when(Trigger::Transfers),
                line(
                    "au.1.5",
                    "AU-APP-1.5",
                    "APP 1.5, 1.6",
                    "Free, and in the form asked for",
                    Measures(&["policy_availability"]),
                ),
                line(
                    "au.1.3",
                    "AU-APP-1.3",
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
                    "AU-APP-1.7",
                    "APP 1.7",
                    "Decisions made, or substantially helped, by a program",
                    Activities(&["automated_decision"]),
                ),
                line(
                    "au.1.8.a",
                    "AU-APP-1.7",
                    "APP 1.8(a)",
                    "Kinds of personal information that programs use",
                    Derive(activities::decided_with),
                ),
                line(
                    "au.1.8.b",
                    "AU-APP-1.7",
                    "APP 1.8(b)",
                    "Kinds of decisions made by programs alone",
                    Derive(activities::decided_alone),
                ),
                line(
                    "au.1.8.c",
                    "AU-APP-1.7",
                    "APP 1.8(c)",
                    "Kinds of decisions that programs substantially help to make",
                    Derive(activities::decided_with_help),
                ),
            ],
        },
        Section {
            title: "Security and destruction",
            lines: &[
                line(
                    "au.11.1",
                    "AU-APP-11.1",
                    "APP 11.1",
                    "Who may read personal columns",
                    Evidence("access_control", "{}"),
                ),
                line(
                    "au.11.2",
                    "AU-APP-11.2",
                    "APP 11.2",
                    "Destroyed or de-identified",
                    Derive(columns::destroyed),
                ),
                line(
                    "au.11.2.rules",
                    "AU-APP-11.2",
                    "APP 11.2",
                    "How long it is kept",
                    Derive(retention::rules),
                ),
                line(
                    "au.11.2.overdue",
                    "AU-APP-11.2",
                    "APP 11.2",
                    "Rows past their time",
                    Derive(retention::overdue),
                ),
                line(
                    "au.8",
                    "AU-APP-8",
                    "APP 8",
                    "Overseas recipients held to the principles",
                    Transfers(&["mechanism", "safeguard_document"]),
                ),
                line(
                    "au.ledger",
                    "AU-APP-11.1",
                    "APP 11.1",
                    "The ledger behind these facts",
                    Evidence("ledger_verified", "{}"),
                ),
            ],
        },
        Section {
            title: "Eligible data breaches",
            lines: &[
                line(
                    "au.ndb",
                    "AU-NDB-NOTIFY",
                    "Part IIIC",
                    "Register of data breaches",
                    Derive(incidents::register),
                ),
                line(
                    "au.ndb.assessed",
                    "AU-NDB-ASSESS",
                    "s. 26WH",
                    "When the assessment of a suspected breach ended",
                    Incidents(&["determined_at"]),
                )
                .when(Trigger::Incident),
                line(
                    "au.ndb.statement",
                    "AU-NDB-NOTIFY",
                    "s. 26WK",
                    "Statement: contact, description, kinds of information, recommended steps",
                    Incidents(&["contact", "circumstances", "categories", "advice"]),
                )
                .when(Trigger::Incident),
                line(
                    "au.ndb.individuals",
                    "AU-NDB-NOTIFY",
                    "s. 26WL",
                    "Notice to individuals, or why none",
                    Derive(incidents::individuals),
                )
                .when(Trigger::Incident),
                line(
                    "au.ndb.deadlines",
                    "AU-NDB-NOTIFY",
                    "s. 26WH, 26WK",
                    "Deadlines of incidents",
                    Derive(incidents::deadlines),
                )
                .when(Trigger::Incident),
            ],
        },
    ],
    limits: &[
        "APP 1.7 to 1.9 apply from 10 December 2026, 24 months after assent; one firm prints the 11th.",
        "A policy with missing items is a draft.",
    ],
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
    let recipients: Vec<&str> = facts.abroad().map(|of| of.id.as_str()).collect();
    let hints = &facts.inventory.ways_out;
    let found = Found::declared(
        json!({
            "likely": transfers + recipients.len() > 0, "transfers": transfers,
            "recipients_elsewhere_without_one": recipients,
            "ways_out_in_the_catalog": hints.len(),
        }),
        "transfers, recipients",
    );
    if transfers == 0 && !hints.is_empty() {
        return found.noting("The catalog shows ways out of this database: say where they lead.");
    }
    found
}
