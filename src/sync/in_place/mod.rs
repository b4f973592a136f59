//! A run in place: the tables of a copy are rewritten masked where they stand.
//!
//! The masked rows are made beside the table, held against its originals, and only then put in
//! their place: the table is emptied by TRUNCATE, which gives it, its TOAST table and its indexes
//! new files, and filled from the masked rows. So no old version of a row is ever in a file that
//! stays, whatever depends on the table stays as it is, and an error or a crash leaves everything
//! as it was.

use serde_json::{Map, Value};

use super::facts::Column;
use super::options::{Options, Triggers, invalid, unrecognized};
use super::plan::{ColumnPlan, Decision, TablePlan};
use crate::error::Result;

pub mod refuse;
pub mod replace;
pub mod sql;
pub mod store;

/// What a run in place is asked for beyond profile, schema and the options of every run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InPlace {
    /// Only says what the run would do.
    pub dry_run: bool,
    /// Goes on although runs have read this schema as their source.
    pub was_source: bool,
}

/// What a run in place needs to know of where it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// Whether the server's settings allow runs in place.
    pub is_allowed: bool,
    /// Whether runs of this database have read the schema as their source.
    pub is_source: bool,
    /// Whether the caller may make temporary tables.
    pub may_make_temporary: bool,
    /// Tables that a run in place has masked, each with its schema.
    pub marked: Vec<(String, String)>,
}

/// A materialized view that holds rows of other relations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// Its number.
    pub oid: u32,
    /// Its name, as it is written in SQL.
    pub shown: String,
}

impl Derived {
    /// The statement that fills it anew, in another file.
    pub fn refresh(&self) -> String {
        format!("REFRESH MATERIALIZED VIEW {};", self.shown)
    }
}

const NAMES: [&str; 10] = [
    "cache",
    "dry_run",
    "in_transaction",
    "leak_scan",
    "lineage",
    "lineage_rows",
    "sample",
    "strict",
    "version",
    "was_source",
];

/// Reads the options of a run in place: its own, and those of every run that mean something here.
///
/// # Errors
/// 22023 for an unrecognized name or value.
pub fn parse(options: &Value) -> Result<(InPlace, Options)> {
    let mut own = InPlace::default();
    let mut rest = Map::new();
    let Value::Object(members) = options else {
        return Options::parse(options).map(|options| (own, options));
    };
    for (name, value) in members {
        let flag = match name.as_str() {
            "dry_run" => &mut own.dry_run,
            "was_source" => &mut own.was_source,
            known if NAMES.contains(&known) => {
                rest.insert(name.clone(), value.clone());
                continue;
            }
            _ => return Err(unrecognized(name, &NAMES)),
        };
        match value {
            Value::Null => {}
            Value::Bool(word) => *flag = *word,
            _ => return Err(invalid(name, "It must be true or false.")),
        }
    }
    let options = Options {
        // No row is new: what a trigger would do for one has been done.
        triggers: Triggers::Skip,
        ..Options::parse(&Value::Object(rest))?
    };
    Ok((own, options))
}

/// Whether a table is rewritten: something of it is masked or left out.
pub fn is_rewritten(table: &TablePlan) -> bool {
    !lost_columns(table).is_empty()
}

/// The names of the columns of a table whose values the run replaces.
pub fn lost_columns(table: &TablePlan) -> Vec<String> {
    lost(table).map(|column| column.name.clone()).collect()
}

/// These columns.
pub fn lost(table: &TablePlan) -> impl Iterator<Item = &Column> {
    let decided = table.source.columns.iter().zip(&table.columns);
    let is_lost = |(_, column): &(&Column, &ColumnPlan)| {
        matches!(
            column.decision,
            Decision::Masked(_) | Decision::Excluded { .. }
        )
    };
    decided.filter(is_lost).map(|(facts, _)| facts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Kind;

    #[test]
    fn in_place_options_are_its_own_and_those_of_a_run() {
        let (own, options) = parse(&json!({"dry_run": true, "lineage": "off"})).unwrap();
        assert!(own.dry_run && !own.was_source);
        assert_eq!(options.lineage.name(), "off");
        assert_eq!(options.triggers, Triggers::Skip);
        let (own, _) = parse(&json!({"was_source": true, "dry_run": null})).unwrap();
        assert!(own.was_source && !own.dry_run);
    }

    #[test]
    fn in_place_options_that_mean_nothing_there_are_refused() {
        for bad in [
            json!({"adopt": true}),
            json!({"triggers": "fire"}),
            json!({"dry_run": 1}),
            json!({"again": true}),
            json!([]),
        ] {
            assert_eq!(parse(&bad).unwrap_err().kind(), Kind::InvalidParameter);
        }
        let error = parse(&json!({"dryrun": true})).unwrap_err();
        assert_eq!(error.hint(), Some("Did you mean \"dry_run\"?"));
    }
}
