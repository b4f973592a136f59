//! How old the oldest rows are, whose consent is missing, and what protected data when an incident
//! happened: what retention rules, consent sources and incidents of the controller point at.
//!
//! These read tables of users, with the rights of the caller and of nobody else: only ends and
//! numbers of rows, only of plain tables, and nothing where a policy would hide rows or code of others
//! would run (decision 0031).

pub mod sql;
pub mod store;

use super::Age;

/// A column of a plain table, as the catalog has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// Whether there is such a table, and it is a plain one of this database.
    pub is_plain: bool,
    /// Whether it is partitioned: then its partitions belong to it.
    pub is_partitioned: bool,
    /// Whether the column is there and stored.
    pub has_column: bool,
    /// Whether it holds days or moments.
    pub is_date: bool,
    /// Whether the caller may read it.
    pub may_read: bool,
    /// Whether policies hide rows from the caller.
    pub is_filtered: bool,
    /// Whether to plan a query of it would run functions of others, with the rights of the caller.
    pub runs_code: bool,
}

impl Place {
    /// Why it is not read.
    pub fn problem(&self, needs_date: bool) -> Option<&'static str> {
        if !self.is_plain {
            Some("there is no such plain table in this database")
        } else if !self.has_column {
            Some("there is no such column, or it is not stored")
        } else if needs_date && !self.is_date {
            Some("the column holds neither days nor moments")
        } else if !self.may_read {
            Some("the role that made this report may not read the column")
        } else if self.is_filtered {
            Some("row-level security hides rows from the role that made this report")
        } else if self.runs_code {
            Some("its indexes, statistics or checks call functions of another role")
        } else {
            None
        }
    }
}

impl Age {
    /// Whether rows are older than the rule allows.
    pub fn is_overdue(&self) -> bool {
        self.overdue.is_some_and(|rows| rows > 0)
    }
}
