//! What a controller declares, kind by kind: the fields each has, of what form, and whether it may
//! do without. Reading, writing, setting and the documentation all follow these lists.

/// A kind of facts.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name, as stored.
    pub name: &'static str,
    /// Its section in a document.
    pub section: &'static str,
    /// The fields.
    pub fields: &'static [Field],
}

/// A field of a kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// The form of its value.
    pub form: Form,
    /// Whether no fact of the kind goes without it.
    pub required: bool,
}

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// A list of texts, or one.
    Texts,
    /// Yes or no.
    Flag,
    /// A number of things.
    Count,
    /// A number of things of the year in which it begins to hold: in the next one nobody has said it.
    CountOfYear,
    /// A day, as `2026-03-31`.
    Day,
    /// A moment with its offset, as `2026-03-31T18:00:00+02:00`.
    Moment,
    /// A moment for each jurisdiction, as `{EU: 2026-03-31T18:00:00+02:00}`; one alone is that of the
    /// only jurisdiction that the fact names.
    Moments,
    /// A text for each jurisdiction, as `{EU: no risk to anybody}`; one alone likewise.
    TextsOf,
    /// A country, as `DE`, or a part of one, as `US-CA`.
    Country,
    /// A length of time, as `6 months`.
    Span,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A list of words of these, or one.
    Words(&'static [&'static str]),
    /// The id of a fact of a kind.
    Of(&'static str),
    /// A list of them, or one.
    AllOf(&'static str),
    /// A table, as `schema.table`.
    Table,
    /// A list of them, or one.
    Tables,
}

impl Form {
    /// Whether it says something of each jurisdiction.
    pub fn is_by_place(self) -> bool {
        matches!(self, Self::Moments | Self::TextsOf)
    }
}

const fn needs(name: &'static str, form: Form) -> Field {
    Field {
        name,
        form,
        required: true,
    }
}

const fn may(name: &'static str, form: Form) -> Field {
    Field {
        name,
        form,
        required: false,
    }
}

use Form::{
    AllOf, Count, CountOfYear, Country, Day, Flag, Moment, Moments, Of, Span, Table, Tables, Text,
    Texts, TextsOf, Word, Words,
};

/// Codes of jurisdictions, as the rules have them.
pub const JURISDICTIONS: &[&str] = &["AU", "BR", "CA", "CN", "EU", "NZ", "US", "US-CA", "ZA"];

/// What an organisation or person does.
pub const ROLES: &[&str] = &[
    "accountable_person",
    "controller",
    "data_protection_officer",
    "information_officer",
    "joint_controller",
    "processor",
    "representative",
    "responsible_official",
];

/// Kinds of measures and of procedures.
pub const MEASURES: &[&str] = &[
    "access_control",
    "access_procedure",
    "accuracy",
    "audit",
    "backup",
    "breach_procedure",
    "complaint_procedure",
    "compliance_framework",
    "consent_withdrawal",
    "correction_procedure",
    "deletion_procedure",
    "emergency_plan",
    "encryption",
    "internal_rules",
    "limit_procedure",
    "metrics_published",
    "minors",
    "necessity",
    "non_retaliation",
    "openness",
    "opt_out_procedure",
    "paia_manual",
    "policy_availability",
    "policy_review",
    "prior_authorisation",
    "processor_contracts",
    "recipient_obligations",
    "records_kept",
    "records_office",
    "records_use",
    "reidentification_commitment",
    "special_information",
    "testing",
    "training",
];

/// What a request may be about.
pub const RIGHTS: &[&str] = &[
    "access",
    "complaint",
    "correct",
    "delete",
    "know",
    "limit",
    "object",
    "opt_out",
    "portability",
];

/// Kinds of assessments.
pub const ASSESSMENTS: &[&str] = &[
    "cross_border_security_assessment",
    "dpia",
    "legitimate_interest",
    "piia",
    "pipia",
    "privacy_impact",
    "ripd",
    "risk",
    "transfer",
];

/// Every kind, in the order of a document.
pub const KINDS: [Kind; 11] = [
    Kind {
        name: "organisation",
        section: "organisations",
        fields: &[
            needs("role", Word(ROLES)),
            needs("legal_name", Text),
            may("address", Text),
            may("country", Country),
            may("contact", Text),
            may("sector", Word(&["private", "public", "us_federal"])),
            may("for", AllOf("organisation")),
            may("employees", Count),
            may("small_entity", Flag),
            may("consumers_per_year", Count),
            may("annual_revenue", Text),
            may("published_metric", Word(&["mean", "median"])),
            may("critical_infrastructure", Flag),
            may("registration", Text),
            may("registered_on", Day),
        ],
    },
    Kind {
        name: "activity",
        section: "activities",
        fields: &[
            needs("name", Text),
            may("purpose", Text),
            may(
                "role",
                Word(&["controller", "joint_controller", "processor"]),
            ),
            may("for", AllOf("organisation")),
            may(
                "legal_basis",
                Word(&[
                    "consent",
                    "contract",
                    "legal_obligation",
                    "legitimate_interests",
                    "public_task",
                    "vital_interests",
                ]),
            ),
            may("legal_basis_detail", Text),
            may("subjects", Texts),
            may("jurisdictions", Words(JURISDICTIONS)),
            may("sources", Texts),
            may("collection", Text),
            may("collected_from_others", Flag),
            may("indirect_notice", Text),
            may("necessity", Text),
            may("impact_notice", Text),
            may("further_processing", Text),
            may("exceptions", Texts),
            may("automated_decision", Word(&["none", "assisted", "sole"])),
            may("decisions", Text),
            may("minors", Flag),
            may("large_scale", Flag),
            may("major_impact", Flag),
            may("occasional", Flag),
            may("research_without_consent", Flag),
            may("disclosed", Flag),
            may("sold_or_shared", Flag),
            may("published", Flag),
            may("retrieved_by", Text),
            may("system", Text),
        ],
    },
    Kind {
        name: "columns",
        section: "columns",
        fields: &[
            needs("activity", AllOf("activity")),
            needs("table", Table),
            needs("columns", Texts),
            may("category", Text),
            may(
                "sensitivity",
                Word(&[
                    "ordinary",
                    "sensitive",
                    "special",
                    "criminal",
                    "not_personal",
                ]),
            ),
            may("necessity", Text),
        ],
    },
    Kind {
        name: "recipient",
        section: "recipients",
        fields: &[
            needs("name", Text),
            may("category", Text),
            may("country", Country),
            may(
                "role",
                Word(&["controller", "processor", "public_authority", "third_party"]),
            ),
            may("purpose", Text),
            may("activities", AllOf("activity")),
            may("contract", Text),
            may("sold_or_shared", Flag),
        ],
    },
    Kind {
        name: "transfer",
        section: "transfers",
        fields: &[
            needs("country", Country),
            may("recipient", Of("recipient")),
            may(
                "mechanism",
                Word(&[
                    "adequacy",
                    "binding_corporate_rules",
                    "certification",
                    "consent",
                    "derogation",
                    "exempt",
                    "none",
                    "security_assessment",
                    "standard_contract",
                ]),
            ),
            may("safeguard_document", Text),
            may("activities", AllOf("activity")),
            may("volume_basis", Text),
            may("subjects_this_year", CountOfYear),
            may("sensitive_subjects_this_year", CountOfYear),
        ],
    },
    Kind {
        name: "retention_rule",
        section: "retention_rules",
        fields: &[
            needs("category", Text),
            may("jurisdiction", Words(JURISDICTIONS)),
            may("activities", AllOf("activity")),
            may("min", Span),
            may("max", Span),
            may("trigger_event", Text),
            may("authority", Text),
            may("action", Word(&["anonymise", "erase", "restrict"])),
            may("table", Table),
            may("column", Text),
            may("legal_hold", Flag),
        ],
    },
    Kind {
        name: "consent_source",
        section: "consent_sources",
        fields: &[
            needs("activity", AllOf("activity")),
            may(
                "form",
                Word(&["express", "implied", "opt_out", "separate", "written"]),
            ),
            may(
                "covers",
                Words(&["export", "provision", "publication", "sensitive"]),
            ),
            may("kept_in", Text),
            may("notice_version", Text),
            may("notice_date", Day),
            may("purpose_explained", Text),
            may("withdrawal", Text),
            may("guardian", Text),
            may("table", Table),
            may("given_column", Text),
            may("withdrawn_column", Text),
        ],
    },
    Kind {
        name: "rights_request",
        section: "rights_requests",
        fields: &[
            needs("right", Word(RIGHTS)),
            needs("received_on", Day),
            may("jurisdiction", Word(JURISDICTIONS)),
            may("manner", Text),
            may("acknowledged_on", Day),
            may("extended_on", Day),
            may("responded_on", Day),
            may(
                "decision",
                Word(&["complied", "complied_in_part", "denied", "withdrawn"]),
            ),
            may(
                "denial_basis",
                Word(&["exempt", "not_a_consumer", "not_verifiable", "other"]),
            ),
            may("exception", Text),
            may("response", Text),
            may("run_id", Text),
        ],
    },
    Kind {
        name: "incident",
        section: "incidents",
        fields: &[
            needs("known_at", Moment),
            may("occurred_from", Moment),
            may("occurred_to", Moment),
            may("determined_at", Moment),
            may("jurisdictions", Words(JURISDICTIONS)),
            may(
                "nature",
                Word(&["alteration", "availability", "disclosure", "loss"]),
            ),
            may("circumstances", Text),
            may("cause", Text),
            may("tables", Tables),
            may("activities", AllOf("activity")),
            may("categories", Texts),
            may("subjects_affected", Count),
            may("children_affected", Count),
            may("adolescents_affected", Count),
            may("elderly_affected", Count),
            may("subjects_total", Count),
            may("significant_effect", Flag),
            may("real_risk_of_significant_harm", Flag),
            may("high_risk", Flag),
            may("large_scale", Flag),
            may("secrecy", Flag),
            may("measures_before", Text),
            may("measures_after", Text),
            may("risks", Text),
            may("consequences", Text),
            may("advice", Text),
            may("intruder", Text),
            may("delay_reasons", Text),
            may("contact", Text),
            may("authority_notified_at", Moments),
            may("authority_complemented_at", Moments),
            may("subjects_notified_at", Moments),
            may("authority_reference", Text),
            may("proof_of_representation", Text),
            may("notice_form", Text),
            may("notice_content", Text),
            may("public_notice", Text),
            may("no_authority_notice_reason", TextsOf),
            may("no_subjects_notice_reason", TextsOf),
            may("closed_on", Day),
        ],
    },
    Kind {
        name: "assessment",
        section: "assessments",
        fields: &[
            needs("kind", Word(ASSESSMENTS)),
            may("activities", AllOf("activity")),
            needs("date", Day),
            may("result", Text),
            may("purpose_justified", Text),
            may("impact_and_risks", Text),
            may("measures_fit", Text),
            may("document", Text),
            may("next_review", Day),
        ],
    },
    Kind {
        name: "measure",
        section: "measures",
        fields: &[
            needs("kind", Word(MEASURES)),
            may("jurisdictions", Words(JURISDICTIONS)),
            needs("description", Text),
            may("document", Text),
            may("date", Day),
            may("next_review", Day),
        ],
    },
];

/// A field that was one and is several: kind, its old name, what it is now.
pub const SPLIT: [(&str, &str, [&str; 2]); 1] = [(
    "incident",
    "no_notice_reason",
    ["no_authority_notice_reason", "no_subjects_notice_reason"],
)];

/// The kind of a name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_name_kinds_and_words_in_order() {
        for kind in &KINDS {
            for field in kind.fields {
                match field.form {
                    Of(of) | AllOf(of) => assert!(super::kind(of).is_some(), "{of}"),
                    Word(words) | Words(words) => {
                        assert!(
                            words.is_sorted()
                                || field.name.ends_with("sitivity")
                                || field.name == "automated_decision",
                            "{}",
                            field.name
                        );
                    }
                    _ => {}
                }
                assert!(
                    !super::super::RESERVED.contains(&field.name),
                    "{}",
                    field.name
                );
            }
        }
    }
}
