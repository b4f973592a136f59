//! Brazil: the notification of a security incident.

use crate::compliance::Facts;
use crate::compliance::report::definition::{
    Applies,
    Ask::{Activities, Assessment, Derive, Evidence, Incidents, Measures, Role},
    Law, Section, line,
};
use crate::compliance::report::derive::{columns, incidents};
use crate::compliance::report::when;

/// The report.
pub const LAW: Law = Law {
    code: "lgpd",
    variant: None,
    jurisdiction: "BR",
    title: "Breach notification",
    act: "Lei Geral de Proteção de Dados Pessoais, Lei nº 13.709/2018, Article 48; Resolução CD/ANPD \
          nº 15/2024",
    sections: &[
        Section {
            title: "The incident",
            lines: &[
                line(
                    "lgpd.48.1.I",
                    "Art. 48 §1 I; Res. 15/2024 art. 6",
                    "Nature and categories of the data affected",
                    Incidents(&["nature", "categories"]),
                )
                .when(when::incident),
                line(
                    "lgpd.48.1.II",
                    "Art. 48 §1 II",
                    "Data subjects involved, with minors and the elderly",
                    Incidents(&[
                        "subjects_affected",
                        "minors_affected",
                        "elderly_affected",
                        "subjects_total",
                    ]),
                )
                .when(when::incident),
                line(
                    "lgpd.48.1.III",
                    "Art. 48 §1 III",
                    "Technical and security measures before",
                    Incidents(&["measures_before"]),
                )
                .when(when::incident),
                line(
                    "lgpd.48.1.IV",
                    "Art. 48 §1 IV",
                    "Risks",
                    Incidents(&["risks"]),
                )
                .when(when::incident),
                line(
                    "lgpd.48.1.V",
                    "Art. 48 §1 V",
                    "Reasons for a delay",
                    Incidents(&["delay_reasons"]),
                )
                .when(late),
                line(
                    "lgpd.48.1.VI",
                    "Art. 48 §1 VI",
                    "Measures taken and planned",
                    Incidents(&["measures_after"]),
                )
                .when(when::incident),
                line(
                    "lgpd.6.dates",
                    "Res. 15/2024 art. 6",
                    "When it happened, and when it was known",
                    Incidents(&["occurred_from", "known_at"]),
                )
                .when(when::incident),
                line(
                    "lgpd.6.cause",
                    "Res. 15/2024 art. 6",
                    "Description and root cause",
                    Incidents(&["circumstances", "cause"]),
                )
                .when(when::incident),
                line(
                    "lgpd.5",
                    "Res. 15/2024 art. 5",
                    "Whether notice is asked for",
                    Derive(incidents::brazilian_test),
                )
                .when(when::incident),
            ],
        },
        Section {
            title: "What protected the data",
            lines: &[
                line(
                    "lgpd.48.3",
                    "Art. 48 §3",
                    "Evidence that the data were unintelligible to third parties",
                    Derive(incidents::protection),
                )
                .when(when::incident),
                line(
                    "lgpd.48.3.strategies",
                    "Art. 48 §3",
                    "Strategies in force",
                    Derive(columns::strategies),
                ),
                line(
                    "lgpd.48.3.ledger",
                    "Art. 48 §3",
                    "The ledger that proves it",
                    Evidence("ledger_verified", "{}"),
                ),
                line(
                    "lgpd.46",
                    "Art. 46",
                    "Security, as the database shows it",
                    Derive(columns::safeguards),
                ),
                line(
                    "lgpd.12",
                    "Art. 12",
                    "Masked columns whose originals can be had again",
                    Derive(columns::irreversible),
                ),
            ],
        },
        Section {
            title: "Notices",
            lines: &[
                line(
                    "lgpd.6.anpd",
                    "Res. 15/2024 art. 6",
                    "Notice to the authority",
                    Incidents(&["authority_notified_at.BR"]),
                )
                .when(when::incident),
                line(
                    "lgpd.6.deadlines",
                    "Res. 15/2024 art. 6, 9",
                    "Deadlines, in business days of Brazil",
                    Derive(incidents::deadlines_of_brazil),
                )
                .when(when::incident),
                line(
                    "lgpd.9",
                    "Res. 15/2024 art. 9",
                    "Notice to the data subjects, and its form",
                    Incidents(&["subjects_notified_at.BR", "notice_form"]),
                )
                .when(when::incident),
                line(
                    "lgpd.10",
                    "Res. 15/2024 art. 10",
                    "Register of every incident, kept for 5 years",
                    Derive(incidents::register),
                ),
            ],
        },
        Section {
            title: "Who answers",
            lines: &[
                line(
                    "lgpd.controller",
                    "Res. 15/2024 art. 6",
                    "Controller, and whether it is a small agent",
                    Role(&["controller"], &["legal_name", "contact", "small_entity"]),
                ),
                line(
                    "lgpd.41",
                    "Art. 41",
                    "Person in charge (encarregado)",
                    Role(&["data_protection_officer"], &["legal_name", "contact"]),
                ),
                line(
                    "lgpd.37",
                    "Art. 37",
                    "Record of processing, with legal basis",
                    Activities(&["purpose", "legal_basis"]),
                ),
                line(
                    "lgpd.38",
                    "Art. 38",
                    "Impact report (RIPD)",
                    Assessment(&["ripd", "dpia"]),
                ),
                line(
                    "lgpd.18",
                    "Art. 18",
                    "Rights of the data subject: procedure",
                    Measures(&["access_procedure"]),
                ),
            ],
        },
    ],
    limits: &[
        "Three business days run from the knowledge that the incident affected personal data, doubled \
         for small agents (Res. 15/2024 art. 6). Some secondary sources count from the occurrence.",
        "Forms and the proof of representation are those of the authority's web site.",
    ],
};

/// Some notice was late, or is.
fn late(facts: &Facts) -> Applies {
    match when::incident(facts) {
        Applies::Yes => {}
        other => return other,
    }
    let is_prompt = |incident: &crate::compliance::controller::Fact| {
        let (known, told) = (
            incident.word("known_at"),
            incident.of_place("authority_notified_at", "BR"),
        );
        known.zip(told).is_some_and(|(known, told)| {
            crate::compliance::evidence::functions::days_between(known, told)
                .is_some_and(|days| days <= 2)
        })
    };
    if facts.controller.of("incident").all(is_prompt) {
        return Applies::No("Every notice went out within two days.");
    }
    Applies::Yes
}
