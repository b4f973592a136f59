//! Brazil: the notification of a security incident.

use crate::compliance::report::definition::{
    Ask::{Activities, Assessment, Derive, Evidence, Incidents, Measures, Notices, Role, Terms},
    Law, Section, line,
};
use crate::compliance::report::derive::{activities, brazil, columns, incidents};
use crate::compliance::rules::Trigger;
use crate::compliance::rules::parameter::Addressee;

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
                    "LGPD-48-1",
                    "Art. 48 §1 I; Res. 15/2024 art. 6",
                    "Nature and categories of the data affected",
                    Incidents(&["nature", "categories"]),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.48.1.II",
                    "LGPD-48-1",
                    "Art. 48 §1 II; Res. 15/2024 art. 6 §2",
                    "Data subjects affected, by age, and those of the processing",
                    Incidents(&[
                        "subjects_affected",
                        "children_affected",
                        "adolescents_affected",
                        "elderly_affected",
                        "subjects_total",
                    ]),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.48.1.III",
                    "LGPD-48-1",
                    "Art. 48 §1 III",
                    "Technical and security measures before",
                    Incidents(&["measures_before"]),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.48.1.IV",
                    "LGPD-48-1",
                    "Art. 48 §1 IV",
                    "Risks",
                    Incidents(&["risks"]),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.48.1.V",
                    "LGPD-48-1",
                    "Art. 48 §1 V",
                    "Reasons for a delay",
                    Derive(incidents::delay),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.48.1.VI",
                    "LGPD-48-1",
                    "Art. 48 §1 VI",
                    "Measures taken and planned",
                    Incidents(&["measures_after"]),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.6.dates",
                    "LGPD-15/2024-6",
                    "Res. 15/2024 art. 6",
                    "When it happened, and when it was known",
                    Incidents(&["occurred_from", "known_at"]),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.6.cause",
                    "LGPD-15/2024-6",
                    "Res. 15/2024 art. 6",
                    "Description and root cause",
                    Incidents(&["circumstances", "cause"]),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.5",
                    "LGPD-15/2024-6",
                    "Res. 15/2024 art. 5",
                    "Whether notice is asked for",
                    Derive(brazil::test_of_notice),
                )
                .when(Trigger::Incident),
            ],
        },
        Section {
            title: "What protected the data",
            lines: &[
                line(
                    "lgpd.48.3",
                    "LGPD-48-3",
                    "Art. 48 §3",
                    "Evidence that the data were unintelligible to third parties",
                    Derive(incidents::protection),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.48.3.strategies",
                    "LGPD-48-3",
                    "Art. 48 §3",
                    "Strategies in force",
                    Derive(columns::strategies),
                ),
                line(
                    "lgpd.48.3.ledger",
                    "LGPD-48-3",
                    "Art. 48 §3",
                    "The ledger that proves it",
                    Evidence("ledger_verified", "{}"),
                ),
                line(
                    "lgpd.46",
                    "LGPD-46",
                    "Art. 46",
                    "Security, as the database shows it",
                    Derive(columns::safeguards),
                ),
                line(
                    "lgpd.12",
                    "LGPD-12",
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
                    "LGPD-15/2024-6",
                    "Res. 15/2024 art. 6",
                    "Notice to the authority, its number there, proof of representation",
                    Notices(
                        Addressee::Authority,
                        "authority_notified_at",
                        &[
                            "authority_notified_at",
                            "authority_reference",
                            "proof_of_representation",
                        ],
                    ),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.6.complement",
                    "LGPD-15/2024-6-C",
                    "Res. 15/2024 art. 6",
                    "Complement within 20 business days",
                    Notices(
                        Addressee::Authority,
                        "authority_complemented_at",
                        &["authority_complemented_at"],
                    ),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.6.deadlines",
                    "LGPD-15/2024-6",
                    "Res. 15/2024 art. 6, 9",
                    "Deadlines, in business days of Brazil",
                    Derive(incidents::deadlines),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.9",
                    "LGPD-15/2024-9",
                    "Res. 15/2024 art. 9",
                    "Notice to the data subjects, its form and content",
                    Notices(
                        Addressee::Subjects,
                        "subjects_notified_at",
                        &["subjects_notified_at", "notice_form", "notice_content"],
                    ),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.9.public",
                    "LGPD-15/2024-9",
                    "Res. 15/2024 art. 9",
                    "Public notice for three months, where not each can be told",
                    Derive(incidents::public_notice),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.10",
                    "LGPD-15/2024-10",
                    "Res. 15/2024 art. 10",
                    "Register of every incident",
                    Derive(incidents::register_of_brazil),
                ),
                line(
                    "lgpd.10.kept",
                    "LGPD-15/2024-10",
                    "Res. 15/2024 art. 10",
                    "Register kept for 5 years",
                    Measures(&["records_kept"]),
                ),
            ],
        },
        Section {
            title: "Who answers",
            lines: &[
                line(
                    "lgpd.controller",
                    "LGPD-15/2024-6",
                    "Res. 15/2024 art. 6",
                    "Controller, and whether it is a small agent",
                    Role(&["controller"], &["legal_name", "contact", "small_entity"]),
                ),
                line(
                    "lgpd.6.operator",
                    "LGPD-15/2024-6",
                    "Res. 15/2024 art. 6 §2",
                    "Operators of the processing",
                    Derive(activities::operators),
                )
                .when(Trigger::Incident),
                line(
                    "lgpd.41",
                    "LGPD-41",
                    "Art. 41",
                    "Person in charge (encarregado)",
                    Role(&["data_protection_officer"], &["legal_name", "contact"]),
                ),
                line(
                    "lgpd.37",
                    "LGPD-37",
                    "Art. 37",
                    "Record of processing, with legal basis",
                    Activities(&["purpose", "legal_basis"]),
                ),
                line(
                    "lgpd.37.data",
                    "LGPD-37",
                    "Art. 37",
                    "Categories of personal data of each activity",
                    Derive(activities::data),
                ),
                line(
                    "lgpd.10.interest",
                    "LGPD-37",
                    "Art. 10, 37",
                    "Assessment of legitimate interests",
                    Assessment(&["legitimate_interest"]),
                )
                .when(Trigger::Interests),
                line(
                    "lgpd.6.necessity",
                    "LGPD-37",
                    "Art. 6 I-III",
                    "Purpose, adequacy and necessity of each activity",
                    Activities(&["purpose", "necessity"]),
                ),
                line(
                    "lgpd.38",
                    "LGPD-38",
                    "Art. 38",
                    "Impact report (RIPD)",
                    Assessment(&["ripd", "dpia"]),
                ),
                line(
                    "lgpd.18",
                    "LGPD-18",
                    "Art. 18",
                    "Rights of the data subject: procedure",
                    Measures(&["access_procedure"]),
                ),
                line(
                    "lgpd.19",
                    "LGPD-19-II",
                    "Art. 19 II",
                    "Access requests answered within 15 days",
                    Terms(&["LGPD-19-II"]),
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
