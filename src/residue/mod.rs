//! Originals that masking has left behind: where they may lie, what lies there, how it goes.
//!
//! What is found is counted, never shown. Each finding names the statement that clears it.

use crate::pg::ident::quote;

pub mod look;
pub mod sql;
pub mod store;

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Values that no row holds any more are there.
    Found,
    /// Something to judge: the catalog cannot tell whether originals are in it.
    Check,
    /// What cannot be looked at from here.
    Note,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Check => "check",
            Self::Note => "note",
        }
    }
}

/// One place where originals are, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of place.
    pub kind: &'static str,
    /// The object, as it is written in SQL.
    pub object: String,
    /// The column, where it is one.
    pub column: Option<String>,
    /// How sure it is.
    pub severity: Severity,
    /// What is there: numbers and names.
    pub finding: String,
    /// The statement that clears it.
    pub clear: Option<String>,
}

impl Finding {
    /// A finding about an object.
    pub fn new(
        kind: &'static str,
        object: impl Into<String>,
        severity: Severity,
        finding: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            object: object.into(),
            column: None,
            severity,
            finding: finding.into(),
            clear: None,
        }
    }

    /// Says in which column it is.
    #[must_use]
    pub fn in_column(self, column: &str) -> Self {
        Self {
            column: Some(column.to_owned()),
            ..self
        }
    }

    /// Says what clears it.
    #[must_use]
    pub fn cleared_by(self, statement: impl Into<String>) -> Self {
        Self {
            clear: Some(statement.into()),
            ..self
        }
    }
}

/// A table that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its number.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Both as they are written in SQL.
    pub shown: String,
    /// `r`, `p` or `m`.
    pub kind: char,
    /// Its TOAST table.
    pub toast: Option<u32>,
    /// Whether the caller is a member of its owner.
    pub is_owned: bool,
    /// Whether a run has filled it with masked values.
    pub is_rewritten: bool,
}

/// An expression of which the planner keeps samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// The index or statistics object, as it is written in SQL.
    pub object: String,
    /// The expression.
    pub what: String,
    /// The transactions that stored the samples.
    pub sampled: Vec<u32>,
}

impl Expression {
    /// Whether rows were written after samples were stored. By transactions: the server's counter
    /// of changes is brought up to date after the ANALYZE of a transaction, and lost in a crash.
    pub fn is_older(&self, newest: Option<u32>) -> bool {
        let is_older = |sampled: &u32| newest.is_some_and(|change| is_later(change, *sampled));
        self.sampled.iter().any(is_older)
    }
}

/// Whether a transaction is later than another, as their numbers go round.
pub fn is_later(one: u32, other: u32) -> bool {
    one.wrapping_sub(other).cast_signed() > 0
}

/// Samples of a column's values that the planner keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The column.
    pub column: String,
    /// What keeps it: a statistics object, or nothing for those of the column itself.
    pub keeper: Option<String>,
    /// Whether they are elements of the values, as of arrays.
    pub are_elements: bool,
    /// The values, as texts; only to be looked for in the column.
    pub values: Vec<String>,
}

/// The question how many of the values, `$1`, a column still holds.
pub fn still_held(table: &Table, sample: &Sample) -> String {
    let only = if table.kind == 'p' { "" } else { "ONLY " };
    let name = quote(&sample.column);
    let value = match sample.are_elements {
        true => "e.v".to_owned(),
        false => format!("s.{name}"),
    };
    let elements = match sample.are_elements {
        true => format!(" CROSS JOIN LATERAL pg_catalog.unnest(s.{name}) AS e (v)"),
        false => String::new(),
    };
    // By the output function: what a cast does may be said by somebody else.
    let text = format!("pg_catalog.format('%s', {value})");
    format!(
        "SELECT pg_catalog.count(*) FROM (SELECT DISTINCT {text} FROM {only}{} AS s{elements}
          WHERE pg_catalog.num_nulls({value}) = 0
            AND {text} OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])) AS held",
        table.shown
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residue_knows_samples_that_are_older_than_rows() {
        let of = |sampled: &[u32]| Expression {
            object: String::new(),
            what: String::new(),
            sampled: sampled.to_vec(),
        };
        assert!(of(&[9]).is_older(Some(10)) && of(&[11, 9]).is_older(Some(10)));
        // Rows and samples of one transaction: those of a run.
        assert!(!of(&[10]).is_older(Some(10)) && !of(&[11]).is_older(Some(10)));
        assert!(!of(&[9]).is_older(None) && !of(&[]).is_older(Some(10)));
        assert!(of(&[u32::MAX]).is_older(Some(3)));
    }

    #[test]
    fn residue_questions_quote_names_and_hold_no_value() {
        let table = Table {
            oid: 1,
            schema: "s\"x".to_owned(),
            name: "T".to_owned(),
            shown: "\"s\"\"x\".\"T\"".to_owned(),
            kind: 'r',
            toast: None,
            is_owned: true,
            is_rewritten: false,
        };
        let mut sample = Sample {
            column: "a'b".to_owned(),
            keeper: None,
            are_elements: false,
            values: vec!["secret".to_owned()],
        };
        let asked = still_held(&table, &sample);
        assert!(!asked.contains("secret"), "{asked}");
        assert!(asked.contains("FROM ONLY \"s\"\"x\".\"T\" AS s"), "{asked}");
        assert!(
            asked.contains("s.\"a'b\"") && asked.contains("ANY ($1"),
            "{asked}"
        );
        sample.are_elements = true;
        let whole = Table { kind: 'p', ..table };
        let asked = still_held(&whole, &sample);
        assert!(
            !asked.contains("ONLY") && asked.contains("unnest"),
            "{asked}"
        );
    }
}
