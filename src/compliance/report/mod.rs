//! The reports: what each law asks for, field by field, with what is known, whose word it is, and
//! what is missing. No report says that somebody complies.

pub mod definition;
pub mod derive;
pub mod fill;
pub mod html;
pub mod json;
pub mod laws;
pub mod lineage;
pub mod markdown;
pub mod sql;
pub mod store;
pub mod timeline;

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod source_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unknown_tests;

use serde_json::Value;

use self::definition::{Law, Status};
use super::Facts;
use crate::ledger::lineage::report::{Format, Verdict};

/// A field of a report, filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its id.
    pub id: &'static str,
    /// The requirement that asks for it.
    pub requirement: &'static str,
    /// When somebody held that against the official text, and who; `None` where nobody did.
    pub text_checked: Option<(String, String)>,
    /// Where the law asks for it.
    pub cite: &'static str,
    /// What it asks for.
    pub title: &'static str,
    /// The value.
    pub value: Value,
    /// Whose word it is.
    pub source: &'static str,
    /// Where to look it up.
    pub evidence: String,
    /// As of when.
    pub as_of: String,
    /// How well it is filled.
    pub status: Status,
    /// What is to be known with it.
    pub note: Option<String>,
}

/// A report.
#[derive(Debug)]
pub struct Report<'a> {
    /// The law.
    pub law: &'static Law,
    /// What it is made of.
    pub facts: &'a Facts,
    /// The schemas that were asked for; all where none.
    pub scope: Option<Vec<String>>,
    /// The version of the rule data.
    pub rules: String,
    /// The sections, each with its fields.
    pub sections: Vec<(&'static str, Vec<Field>)>,
}

/// Numbers of fields by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By the database or the ledger.
    pub evidenced: usize,
    /// By the controller's word.
    pub declared: usize,
    /// Not at all.
    pub missing: usize,
    /// By what is too old.
    pub stale: usize,
    /// Not asked for.
    pub not_applicable: usize,
}

impl Coverage {
    /// Fields that the law asks for.
    pub fn asked(self) -> usize {
        self.evidenced + self.declared + self.missing + self.stale
    }

    /// Those of them that are filled.
    pub fn filled(self) -> usize {
        self.evidenced + self.declared
    }

    /// Of a hundred, rounded down; `None` where nothing is asked.
    pub fn percent(self) -> Option<usize> {
        (self.filled() * 100).checked_div(self.asked())
    }

    /// The number of a status.
    pub fn of(self, status: Status) -> usize {
        match status {
            Status::Evidenced => self.evidenced,
            Status::Declared => self.declared,
            Status::Missing => self.missing,
            Status::Stale => self.stale,
            Status::NotApplicable => self.not_applicable,
        }
    }
}

/// What every report says of itself.
pub const NOTICE: &str = "This report says what is evidenced, what is declared and what is missing. \
                          It is no verdict on compliance and no legal advice.";

/// What every report says of the rules behind it.
pub const UNCHECKED: &str = "Nobody has checked the list of fields against the official text of the \
                             law.";

impl Report<'_> {
    /// All fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.sections.iter().flat_map(|(_, fields)| fields)
    }

    /// Fields that somebody has to do something about, in order.
    pub fn open(&self) -> impl Iterator<Item = &Field> {
        self.fields()
            .filter(|field| matches!(field.status, Status::Missing | Status::Stale))
    }

    /// Numbers of fields by status.
    pub fn coverage(&self) -> Coverage {
        let mut found = Coverage::default();
        for field in self.fields() {
            *match field.status {
                Status::Evidenced => &mut found.evidenced,
                Status::Declared => &mut found.declared,
                Status::Missing => &mut found.missing,
                Status::Stale => &mut found.stale,
                Status::NotApplicable => &mut found.not_applicable,
            } += 1;
        }
        found
    }

    /// Whether something is missing: a draft.
    pub fn is_draft(&self) -> bool {
        self.fields().any(|field| field.status == Status::Missing)
    }

    /// How many fields rest on a text that somebody has checked, and how many there are.
    pub fn checked(&self) -> (usize, usize) {
        let checked = self.fields().filter(|field| field.text_checked.is_some());
        (checked.count(), self.fields().count())
    }

    /// What is to be known of the texts behind the fields.
    pub fn remark(&self) -> String {
        match self.checked() {
            (0, _) => UNCHECKED.to_owned(),
            (checked, all) => format!(
                "Of {all} fields, {checked} rest on a requirement that somebody has held against the \
                 official text."
            ),
        }
    }

    /// What the verification of the ledger comes to.
    pub fn verdict(&self) -> Verdict {
        self.facts.inventory.ledger.verdict()
    }

    /// The report in a format.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Html => html::page(self),
            Format::Json => json::text(self),
            Format::Markdown => markdown::page(self),
        }
    }
}

/// The name of a member of a value, for readers: words of ours without underscores. What is no such
/// word is somebody's name, and stays.
pub fn shown_name(name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if is_word {
        name.replace('_', " ")
    } else {
        name.to_owned()
    }
}
