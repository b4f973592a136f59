//! How old the oldest rows are, whose consent is missing, and what protected data when an incident
//! happened: what retention rules, consent sources and incidents of the controller point at.
//!
//! These read tables of users, with the rights of the caller and of nobody else: only ends and
//! numbers of rows, only of plain tables, and nothing where a policy would hide rows or code of others
//! would run (decision 0031).

pub mod sql;
pub mod store;

use super::Age;
use crate::compliance::controller::{Controller, Fact};
use crate::error::counted;

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

    /// Whether rows have no day, so that nobody can tell how old they are.
    pub fn has_undated(&self) -> bool {
        self.undated.is_some_and(|rows| rows > 0)
    }

    /// What else is to be known of it: what holds its rows, and that some have no day.
    pub fn remark(&self) -> Option<String> {
        let held = self
            .hold
            .as_ref()
            .map(|hold| format!("kept by legal hold {hold}: nothing is to be erased"));
        let undated = self.undated.and_then(|rows| u64::try_from(rows).ok());
        let undated = undated
            .filter(|rows| *rows > 0)
            .map(|rows| format!("{} without a day", counted(rows, "row")));
        let parts: Vec<_> = held.into_iter().chain(undated).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// What to do about rows that are older than their rules allow; nothing where there are none. What is
/// under a legal hold is to be decided about, and not to be erased.
pub fn advice(ages: &[Age]) -> Option<String> {
    let overdue = || ages.iter().filter(|age| age.is_overdue());
    let mut holds: Vec<&str> = overdue().filter_map(|age| age.hold.as_deref()).collect();
    holds.sort_unstable();
    holds.dedup();
    let free = overdue().any(|age| age.hold.is_none());
    let mut parts = Vec::new();
    if free {
        parts.push("Rows are older than their rule allows: erase or anonymise them.".to_owned());
    }
    if !holds.is_empty() {
        parts.push(format!(
            "Rows that are older than their rule allows are kept by legal hold {}: decide conflict \
             X13, and erase nothing of it before.",
            holds.join(", ")
        ));
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// What to do about rows that have no day; nothing where there are none.
pub fn without_day(ages: &[Age]) -> Option<String> {
    let mut rules: Vec<&str> = ages
        .iter()
        .filter(|age| age.has_undated())
        .map(|age| age.rule.as_str())
        .collect();
    rules.sort_unstable();
    (!rules.is_empty()).then(|| {
        format!(
            "Rows have no day, so that nobody can tell how old they are; by rule {}.",
            rules.join(", ")
        )
    })
}

/// The legal hold that keeps what a rule is about: the rule itself, or one of the same table, or of its
/// category or all, for one of its activities and in one of its jurisdictions.
pub fn hold<'a>(controller: &'a Controller, rule: &Fact) -> Option<&'a Fact> {
    // Who names none means all.
    let meet = |a: &Fact, field: &str| {
        let (a, b) = (a.list(field), rule.list(field));
        a.is_empty() || b.is_empty() || a.iter().any(|word| b.contains(word))
    };
    let mut holds = controller
        .of("retention_rule")
        .filter(|other| other.is("legal_hold"));
    holds.find(|other| {
        let (category, own) = (other.word("category"), rule.word("category"));
        let is_same = category == own || category == Some("all") || own == Some("all");
        // A hold of one table is none of others.
        let is_here = other
            .word("table")
            .is_none_or(|table| rule.word("table") == Some(table));
        other.id == rule.id
            || is_here
                && (is_same || other.has("table"))
                && meet(other, "activities")
                && meet(other, "jurisdiction")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::matrix::tests::declared;

    #[test]
    fn a_hold_keeps_what_it_is_about() {
        for (held, is_held) in [
            ("{category: mail, legal_hold: true}", true),
            ("{category: all, legal_hold: true}", true),
            ("{category: mail, legal_hold: false}", false),
            ("{category: invoices, legal_hold: true}", false),
            (
                "{category: mail, legal_hold: true, table: prod.mails}",
                true,
            ),
            ("{category: x, legal_hold: true, table: prod.mails}", true),
            (
                "{category: mail, legal_hold: true, table: prod.other}",
                false,
            ),
            ("{category: mail, legal_hold: true, jurisdiction: EU}", true),
            (
                "{category: mail, legal_hold: true, jurisdiction: BR}",
                false,
            ),
            ("{category: mail, legal_hold: true, activities: b}", false),
            (
                "{category: mail, legal_hold: true, activities: [a, b]}",
                true,
            ),
        ] {
            let yaml = format!(
                "activities: {{a: {{name: A}}, b: {{name: B}}}}\n\
                 retention_rules:\n  hold: {held}\n  rule: {{category: mail, max: 1 year, \
                 activities: a, jurisdiction: EU, table: prod.mails, column: at}}"
            );
            let controller = declared(&yaml);
            let rule = controller.find("retention_rule", "rule").unwrap();
            assert_eq!(hold(&controller, rule).is_some(), is_held, "{held}");
        }
    }

    #[test]
    fn what_is_held_is_not_to_be_erased() {
        let overdue = |hold: Option<&str>| Age {
            rule: "r".into(),
            overdue: Some(2),
            hold: hold.map(str::to_owned),
            ..Age::default()
        };
        assert_eq!(advice(&[Age::default()]), None);
        let free = advice(&[overdue(None)]).unwrap();
        assert!(free.contains("erase or anonymise them"), "{free}");
        let held = advice(&[overdue(Some("court"))]).unwrap();
        assert!(
            held.contains("legal hold court") && !held.contains("anonymise"),
            "{held}"
        );
        let undated = Age {
            undated: Some(1),
            ..overdue(None)
        };
        assert_eq!(undated.remark().unwrap(), "1 row without a day");
    }
}
