//! How a report is defined: sections of lines, each of which says where its value comes from.

use serde_json::Value;

use crate::compliance::Facts;
use crate::compliance::rules::Trigger;
use crate::compliance::rules::parameter::Addressee;

/// A law, with the report that it asks for.
#[derive(Debug)]
pub struct Law {
    /// How it is called in `compliance_report`.
    pub code: &'static str,
    /// Which of several acts of that name.
    pub variant: Option<&'static str>,
    /// Its code among the jurisdictions.
    pub jurisdiction: &'static str,
    /// The report.
    pub title: &'static str,
    /// The act in full.
    pub act: &'static str,
    /// The sections.
    pub sections: &'static [Section],
    /// What the report does not say.
    pub limits: &'static [&'static str],
}

/// A section.
#[derive(Debug)]
pub struct Section {
    /// Its title.
    pub title: &'static str,
    /// Its lines.
    pub lines: &'static [Line],
}

/// A line: one field of the report.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Its id, which no other line of the report has.
    pub id: &'static str,
    /// The requirement, in the rules, that asks for it: whether, from when, and whether its text was
    /// checked, is said there.
    pub requirement: &'static str,
    /// Where the law asks for it.
    pub cite: &'static str,
    /// What it asks for.
    pub title: &'static str,
    /// Where the value comes from.
    pub ask: Ask,
    /// What must be so too for it to be asked for.
    pub when: Option<Trigger>,
    /// Whether it is given where it is not asked for as well.
    pub is_voluntary: bool,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Ask {
    /// Organisations that have one of these roles, each with these fields.
    Role(&'static [&'static str], &'static [&'static str]),
    /// Every activity of the controller's own, each with these fields.
    Activities(&'static [&'static str]),
    /// Every activity that is carried out for others, each with these fields.
    Processing(&'static [&'static str]),
    /// Facts of a kind, each with these fields.
    All(&'static str, &'static [&'static str]),
    /// Every transfer, each with these fields, and one for each recipient elsewhere.
    Transfers(&'static [&'static str]),
    /// Measures of each of these kinds.
    Measures(&'static [&'static str]),
    /// An assessment of one of these kinds.
    Assessment(&'static [&'static str]),
    /// Every assessment of one of these kinds, each with these fields.
    Assessed(&'static [&'static str], &'static [&'static str]),
    /// These fields of every incident.
    Incidents(&'static [&'static str]),
    /// These fields of every incident of which somebody is told, at the moment of a field, or must be; of
    /// others, the reason for which he is not.
    Notices(Addressee, &'static str, &'static [&'static str]),
    /// Whether requests were answered within the terms of these requirements.
    Terms(&'static [&'static str]),
    /// An evidence function, with its parameters as JSON.
    Evidence(&'static str, &'static str),
    /// A function of the facts.
    Derive(fn(&Facts) -> Found),
}

/// How well a field is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// By the database or the ledger.
    Evidenced,
    /// By the word of the controller.
    Declared,
    /// Not at all.
    Missing,
    /// By what is too old.
    Stale,
    /// The law does not ask for it here.
    NotApplicable,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Evidenced,
        Self::Declared,
        Self::Missing,
        Self::Stale,
        Self::NotApplicable,
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Evidenced => "evidenced",
            Self::Declared => "declared",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// Its word for readers.
    pub fn shown(self) -> &'static str {
        match self {
            Self::NotApplicable => "not applicable",
            other => other.name(),
        }
    }
}

/// What was found for a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// How well.
    pub status: Status,
    /// The value; never that of a row.
    pub value: Value,
    /// `database`, `ledger`, `controller` or several.
    pub source: &'static str,
    /// Where to look it up.
    pub evidence: String,
    /// What is to be known with it: why it is missing, what closes the gap.
    pub note: Option<String>,
}

impl Found {
    /// A value that the database or the ledger shows.
    pub fn evidenced(value: Value, source: &'static str, evidence: &str) -> Self {
        Self {
            status: Status::Evidenced,
            value,
            source,
            evidence: evidence.to_owned(),
            note: None,
        }
    }

    /// A value that the controller declares.
    pub fn declared(value: Value, evidence: &str) -> Self {
        Self {
            status: Status::Declared,
            value,
            source: "controller",
            evidence: evidence.to_owned(),
            note: None,
        }
    }

    /// What a law does not ask for here, and why not.
    pub fn not_asked(evidence: &str, why: impl Into<String>) -> Self {
        Self {
            status: Status::NotApplicable,
            ..Self::missing("rules and controller", evidence, why)
        }
    }

    /// Nothing, and what would change that.
    pub fn missing(source: &'static str, evidence: &str, note: impl Into<String>) -> Self {
        Self {
            status: Status::Missing,
            value: Value::Null,
            source,
            evidence: evidence.to_owned(),
            note: Some(note.into()),
        }
    }

    /// With something to be known, after what is known already.
    #[must_use]
    pub fn noting(mut self, note: impl Into<String>) -> Self {
        let note = note.into();
        self.note = Some(match self.note {
            Some(known) => format!("{known} {note}"),
            None => note,
        });
        self
    }

    /// The value is of another time than the report; one that is missing stays so.
    #[must_use]
    pub fn stale(mut self, note: impl Into<String>) -> Self {
        if matches!(self.status, Status::Evidenced | Status::Declared) {
            self.status = Status::Stale;
        }
        self.noting(note)
    }

    /// The value stays, and does not fill the field; the note says what would.
    #[must_use]
    pub fn open(mut self, note: impl Into<String>) -> Self {
        self.status = Status::Missing;
        self.noting(note)
    }
}

/// A line.
pub const fn line(
    id: &'static str,
    requirement: &'static str,
    cite: &'static str,
    title: &'static str,
    ask: Ask,
) -> Line {
    Line {
        id,
        requirement,
        cite,
        title,
        ask,
        when: None,
        is_voluntary: false,
    }
}

impl Line {
    /// Under a condition.
    pub const fn when(mut self, when: Trigger) -> Self {
        self.when = Some(when);
        self
    }

    /// Given where the law does not ask for it as well.
    pub const fn voluntary(mut self) -> Self {
        self.is_voluntary = true;
        self
    }
}
