//! The rules of one schema, gathered: what a profile will say of each column, and the report.

use super::catalog::{Catalog, Facts};
use super::{Finding, Mask, Meaning, Outcome};
use crate::profile::document::word;
use crate::profile::written::can_be_named;

/// What is gathered of one schema.
#[derive(Debug)]
pub struct Rules<'a> {
    /// The schema.
    pub schema: String,
    catalog: &'a Catalog,
    tables: Vec<Table>,
    findings: Vec<Finding>,
    /// Tables with a rule for a column that no profile can name.
    left_out: Vec<String>,
}

/// What a profile will say of one table.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Conditions of the rows to begin with, as a profile writes them.
    pub(super) conditions: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) said: Said,
    /// Where the rule is in the report.
    finding: usize,
}

#[derive(Debug)]
pub(super) enum Said {
    Mask { mask: Mask, note: String },
    Preserve,
    Exclude { why: String },
}

impl<'a> Rules<'a> {
    /// Nothing yet.
    pub fn new(schema: &str, catalog: &'a Catalog) -> Self {
        Self {
            schema: schema.to_owned(),
            catalog,
            tables: Vec::new(),
            findings: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// What is known of a column.
    pub fn facts(&self, table: &str, column: &str) -> Facts<'a> {
        Facts::of(self.catalog.column(table, column))
    }

    /// The report.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Takes a rule in that is about no column, or that nothing here does.
    pub fn missing(&mut self, object: &str, rule: &str, why: impl Into<String>) {
        self.findings.push(Finding {
            object: object.to_owned(),
            column: None,
            rule: rule.to_owned(),
            strategy: None,
            meaning: Meaning::Missing,
            why: why.into(),
        });
    }

    /// Takes a rule about a column in. The last rule of a column counts.
    pub fn add(&mut self, table: &str, column: &str, rule: &str, outcome: Outcome) {
        let finding = |strategy, meaning, why| Finding {
            object: table.to_owned(),
            column: Some(column.to_owned()),
            rule: rule.to_owned(),
            strategy,
            meaning,
            why,
        };
        let missing = |why: &str| finding(None, Meaning::Missing, why.to_owned());
        let mut outcome = outcome.checked();
        let mut name = table;
        if let Some(known) = self.catalog.table(table) {
            if !known.is_table {
                let why = "it is a view, which no run copies: give its tables rules";
                return self.findings.push(missing(why));
            }
            // The rule stays: the tables that are meant may be elsewhere, with that column.
            if !known.columns.contains_key(column) {
                outcome = outcome.but("there is no such column here, which a plan refuses");
            }
            if let Some(root) = &known.root {
                name = root;
                if self.find(root, column).is_some() || outcome == Outcome::Preserved {
                    let why = format!("a partition follows table {}: see there", word(root));
                    return self.findings.push(missing(&why));
                }
                outcome = outcome.but(&format!("it holds for all of table {}", word(root)));
            }
        }
        if !can_be_named(name) || !can_be_named(column) {
            // A profile that named the table would copy the column in clear.
            self.left_out.push(name.to_owned());
            return self.findings.push(missing(
                "a profile cannot hold its name: leave the table out, or rename it",
            ));
        }
        let (said, strategy, meaning, why) = match outcome {
            Outcome::Masked { mask, meaning, why } => {
                let strategy = mask.shown();
                let note = format!("{}: {why}", meaning.name());
                (Said::Mask { mask, note }, Some(strategy), meaning, why)
            }
            Outcome::Preserved => {
                let why = "it is copied, as there".to_owned();
                (
                    Said::Preserve,
                    Some("preserve".to_owned()),
                    Meaning::Exact,
                    why,
                )
            }
            Outcome::Missing { why } => {
                let said = Said::Exclude { why: why.clone() };
                (said, Some("exclude".to_owned()), Meaning::Missing, why)
            }
        };
        self.findings.push(finding(strategy, meaning, why));
        self.say(name, column, said);
    }

    /// Has the profile say something of a column, in place of what it said before.
    fn say(&mut self, table: &str, column: &str, said: Said) {
        let last = self.findings.len() - 1;
        if let Some(earlier) = self.find(table, column).map(|column| column.finding) {
            self.findings[earlier].strategy = None;
            self.findings[earlier].meaning = Meaning::Missing;
            "a later rule of the column takes its place"
                .clone_into(&mut self.findings[earlier].why);
            let kept = &mut self.findings[last];
            if kept.meaning == Meaning::Exact {
                kept.meaning = Meaning::Approximate;
                "there it masked what an earlier rule had made".clone_into(&mut kept.why);
            }
        }
        let table = self.table(table);
        table.columns.retain(|other| other.name != column);
        table.columns.push(Column {
            name: column.to_owned(),
            said,
            finding: last,
        });
    }

    /// Takes a condition in on the rows of a table to begin with.
    pub fn begin_with(&mut self, table: &str, condition: String) {
        if can_be_named(table) && !self.catalog.is_part(table) {
            self.table(table).conditions.push(condition);
        }
    }

    /// Takes a row of the report in, about a table that the profile does something about.
    pub fn found(&mut self, object: &str, rule: &str, strategy: &str, why: &str) {
        self.findings.push(Finding {
            object: object.to_owned(),
            column: None,
            rule: rule.to_owned(),
            strategy: Some(strategy.to_owned()),
            meaning: Meaning::Approximate,
            why: why.to_owned(),
        });
    }

    /// Has the profile name a table, with rules or without.
    pub fn name(&mut self, table: &str) {
        if can_be_named(table) && !self.catalog.is_part(table) {
            self.table(table);
        }
    }

    /// Has the profile name every other table that is here, if those with rules are here too: rules
    /// are often brought to another database than they were made for.
    pub fn name_others(&mut self) {
        let is_here = |table: &Table| self.catalog.table(&table.name).is_some();
        if self.tables.is_empty() || !self.tables.iter().all(is_here) {
            return;
        }
        let others: Vec<String> = self
            .catalog
            .whole()
            .filter(|name| can_be_named(name))
            .map(str::to_owned)
            .collect();
        for name in others {
            self.table(&name);
        }
    }

    /// The tables that a profile will name.
    pub(super) fn named(&self) -> impl Iterator<Item = &Table> {
        let is_in = |table: &&Table| !self.left_out.contains(&table.name);
        self.tables.iter().filter(is_in)
    }

    fn find(&self, table: &str, column: &str) -> Option<&Column> {
        let table = self.tables.iter().find(|other| other.name == table)?;
        table.columns.iter().find(|other| other.name == column)
    }

    fn table(&mut self, name: &str) -> &mut Table {
        let place = self.tables.iter().position(|table| table.name == name);
        let place = place.unwrap_or_else(|| {
            self.tables.push(Table {
                name: name.to_owned(),
                ..Table::default()
            });
            self.tables.len() - 1
        });
        &mut self.tables[place]
    }
}
