//! A report of the lineage: what became of each column, and whether the ledger bears it out.
//!
//! The facts come from the ledger alone. Names of tables, columns, profiles and roles are chosen by
//! others: each format escapes all of them, after [`visible`] has made what cannot be seen visible.

pub mod html;
pub mod json;
pub mod markdown;
pub mod store;

#[cfg(test)]
mod tests;

use crate::error::{Error, Kind, Result};
use crate::ledger::verify::Finding;
use crate::page::grouped;
use crate::strategies::{self, definition::Needs};

/// How many entries of the lineage a report shows one by one, the newest; it says how many it
/// leaves out.
pub const MOST_STEPS: usize = 1000;

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One page that needs nothing else.
    Html,
    /// One JSON document.
    Json,
    /// GitHub Flavored Markdown.
    Markdown,
}

impl Format {
    /// The format of a name.
    ///
    /// # Errors
    /// 22023 for any other name.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "html" => Ok(Self::Html),
            "json" => Ok(Self::Json),
            "markdown" => Ok(Self::Markdown),
            _ => Err(Error::new(
                Kind::InvalidParameter,
                format!("unrecognized format \"{name}\""),
            )
            .with_hint("Available formats are html, json, markdown.")),
        }
    }
}

/// What happened to one column in one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The run.
    pub run_id: String,
    /// When the entry that signs it was written, in UTC; `None` where there is no such entry.
    pub finished_at: Option<String>,
    /// The role that called.
    pub who: Option<String>,
    /// The profile.
    pub profile: Option<String>,
    /// Its version.
    pub profile_version: Option<String>,
    /// Schema read.
    pub source: String,
    /// Schema written.
    pub target: String,
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// Strategy.
    pub strategy: String,
    /// Its version.
    pub version: i32,
    /// Rows copied.
    pub seen: i64,
    /// Values replaced; `None` where nobody looked.
    pub changed: Option<i64>,
    /// Values that came through as they were.
    pub unchanged: Option<i64>,
    /// Values that were NULL.
    pub nulls: Option<i64>,
    /// Whether a key gives originals back.
    pub reversible: bool,
    /// `verifiable`, `shredded` or `none`.
    pub commitment: String,
    /// `run`: seen by the library; `declared`: a script's word.
    pub origin: String,
}

/// What a column is after a run, with what this installation knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No key of the installation says anything about the originals.
    Anonymised,
    /// No key gives originals back, but a key tells whether a guess is right.
    Guessable,
    /// A key gives originals back.
    Reversible,
}

impl Standing {
    /// The word of the law (GDPR, Article 4 (5) and recital 26).
    pub fn word(self) -> &'static str {
        match self {
            Self::Anonymised => "anonymised",
            Self::Guessable | Self::Reversible => "pseudonymised",
        }
    }

    /// Why.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Anonymised => "no key tells of originals",
            Self::Guessable => "a key confirms guesses",
            Self::Reversible => "a key gives originals back",
        }
    }
}

impl Step {
    /// What the column is now. A strategy that this library does not know counts as keyed.
    pub fn standing(&self) -> Standing {
        let keyed = strategies::Kind::parse(&self.strategy)
            .is_none_or(|kind| matches!(kind.definition().needs, Needs::Key | Needs::Vault));
        if self.reversible {
            Standing::Reversible
        } else if keyed || self.commitment == "verifiable" {
            Standing::Guessable
        } else {
            Standing::Anonymised
        }
    }
}

/// A column, by its newest run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The newest run.
    pub latest: Step,
    /// Number of runs on record.
    pub runs: i64,
}

/// The last entry of the audit log. Cached elsewhere, it fixes everything before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Id of the log.
    pub log_id: String,
    /// Number of the entry.
    pub seq: i64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

/// Everything that a report says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// When it was made, in UTC.
    pub made_at: String,
    /// The role that asked for it.
    pub made_by: String,
    /// The database.
    pub database: String,
    /// Only this target schema.
    pub schema: Option<String>,
    /// Only this table.
    pub table: Option<String>,
    /// What the verification of the ledger found.
    pub findings: Vec<Finding>,
    /// The last entry of the audit log; `None` where it is empty.
    pub mark: Option<Mark>,
    /// The columns, by schema, table and column.
    pub columns: Vec<Column>,
    /// The newest entries, newest run first.
    pub steps: Vec<Step>,
    /// How many entries there are.
    pub steps_total: i64,
}

/// What the verification of the ledger comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Something does not fit.
    Fail,
    /// Every check passed.
    Ok,
    /// Entries are not signed.
    Unsigned,
    /// Some checks could not be made.
    Unverifiable,
}

impl Verdict {
    /// The status, as `verify_ledger` has it.
    pub fn status(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Ok => "ok",
            Self::Unsigned => "unsigned",
            Self::Unverifiable => "unverifiable",
        }
    }

    /// What it means for who reads the report.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Fail => {
                "The ledger does not pass its own checks: do not rely on this report before the \
                 findings below are explained."
            }
            Self::Ok => "The ledger passes all of its checks.",
            Self::Unsigned => {
                "Entries of the ledger are not signed: whoever could write to its tables could have \
                 made them up, and what this report says with them."
            }
            Self::Unverifiable => {
                "Parts of the ledger could not be checked: this report is only as good as what \
                 could be."
            }
        }
    }
}

impl Verdict {
    /// The worst status of findings. Without one that says `ok`, nothing was shown to be right.
    pub fn of(findings: &[Finding]) -> Self {
        let any = |status| findings.iter().any(|f| f.status == status);
        if any("fail") {
            Self::Fail
        } else if any("unsigned") {
            Self::Unsigned
        } else if any("unverifiable") || !any("ok") {
            Self::Unverifiable
        } else {
            Self::Ok
        }
    }
}

impl Report {
    /// What the findings come to.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.findings)
    }

    /// What the verdict rests on, in the words of the verification.
    pub fn guarantee(&self) -> Vec<&str> {
        self.findings
            .iter()
            .filter(|finding| ["OK", "W01"].contains(&finding.code))
            .map(|finding| finding.detail.as_str())
            .collect()
    }

    /// How many entries of the audit log no anchor outside the database covers.
    pub fn unanchored(&self) -> i64 {
        self.findings
            .iter()
            .filter(|finding| finding.code == "W01")
            .filter_map(|finding| Some(finding.seq_to? - finding.seq_from? + 1))
            .sum()
    }

    /// Number of tables.
    pub fn tables(&self) -> usize {
        let mut names: Vec<_> = self
            .columns
            .iter()
            .map(|column| (&column.latest.target, &column.latest.table))
            .collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    }

    /// The newest run.
    pub fn last_run(&self) -> Option<&Step> {
        self.steps.first()
    }

    /// Columns of which values came through their newest run as they were.
    pub fn came_through(&self) -> Vec<&Column> {
        self.columns
            .iter()
            .filter(|column| column.latest.unchanged.is_some_and(|count| count > 0))
            .collect()
    }

    /// Number of columns of a standing.
    pub fn standing(&self, standing: Standing) -> usize {
        self.columns
            .iter()
            .filter(|column| column.latest.standing() == standing)
            .count()
    }

    /// The entries run by run, in the order of the report.
    pub fn runs(&self) -> Vec<&[Step]> {
        self.steps.chunk_by(|a, b| a.run_id == b.run_id).collect()
    }

    /// How many entries are not shown one by one.
    pub fn left_out(&self) -> i64 {
        self.steps_total - i64::try_from(self.steps.len()).unwrap_or(i64::MAX)
    }

    /// The report in a format.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Html => html::page(self),
            Format::Json => json::document(self).to_string(),
            Format::Markdown => markdown::page(self),
        }
    }
}

/// What every report says below its tables about its words.
pub const WORDS: [(&str, &str); 5] = [
    (
        "pseudonymised",
        "A key of this installation gives originals back, or tells whether a guess is right: the \
         masking key for strategies that use it, the key of the run for commitments that are \
         verifiable.",
    ),
    (
        "anonymised",
        "No key of this installation tells anything about originals. What a strategy leaves of a \
         value on purpose, its last digits or a rounded number, is there. Whether persons can still be \
         singled out by the rest of the data is for whoever knows all of it to judge (GDPR, \
         recital 26).",
    ),
    (
        "unchanged",
        "Values that came out of a run as they went in: the strategy left them as they were, or \
         gave the same by chance.",
    ),
    (
        "commitment",
        "verifiable: the target can be held against what the run committed to; shredded: the key \
         for that was destroyed; none: nothing was committed to.",
    ),
    (
        "declared",
        "An entry that rests on the word of a script. All others were written by the library from \
         what it did.",
    ),
];

/// A number that may not be known.
pub fn counted(number: Option<i64>) -> String {
    number.map_or_else(|| "not counted".to_owned(), grouped)
}

/// The entries that a finding is about.
pub fn range(finding: &Finding) -> String {
    match (finding.seq_from, finding.seq_to) {
        (Some(from), Some(to)) if from != to => format!("{from} to {to}"),
        (Some(one), _) | (None, Some(one)) => one.to_string(),
        (None, None) => String::new(),
    }
}
