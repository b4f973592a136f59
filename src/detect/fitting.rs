//! The first proposal that fits a column, held against it as a plan would: type, length, NOT NULL,
//! uniqueness, the partition key and the columns that foreign keys tie to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::groups::Place;
use super::survey::Survey;
use crate::profile;
use crate::signs::propose::{Proposal, candidates};
use crate::signs::{Sort, Verdict};
use crate::strategies::Strategy;
use crate::sync::facts::{Column, Compared, Table, Unique};
use crate::sync::fit::{self, How};
use crate::sync::{statement, unique};

/// The proposal for a group of columns that are masked alike; `None` where none fits all of them.
pub fn fitting(survey: &Survey, group: &[Place], verdict: &Verdict) -> Option<Proposal> {
    let category = verdict.category?;
    let columns: Vec<(&Table, &Column)> = group
        .iter()
        .map(|(table, column)| {
            let table = &survey.tables[*table].table;
            (table, &table.columns[*column])
        })
        .collect();
    let is_kept = |(table, column): &(&Table, &Column)| {
        column.is_generated() || table.partition_columns.contains(&column.name)
    };
    if columns.iter().any(is_kept) || (group.len() > 1 && !reads_alike(survey, &columns)) {
        return None;
    }
    let most = columns
        .iter()
        .filter_map(|(_, of)| longest(survey, of))
        .min();
    // An array is as personal as its elements, and only what takes elements keeps it one.
    candidates(category, verdict.sort, &verdict.parts, most)
        .into_iter()
        .find(|proposal| {
            let Some(strategy) = proposal.strategy() else {
                return false;
            };
            let hows: Option<Vec<How>> = columns
                .iter()
                .map(|(table, column)| how(survey, table, column, &strategy))
                .collect();
            let Some(hows) = hows else { return false };
            group.len() == 1
                || hows.iter().all(|how| *how == hows[0])
                    && match &hows[0] {
                        How::Mask(call) => strategy.properties(call.of).deterministic,
                        How::Constant(_) => true,
                        _ => false,
                    }
        })
}

/// How a strategy would replace the values of a column; `None` if it does not fit.
fn how(survey: &Survey, table: &Table, column: &Column, strategy: &Arc<Strategy>) -> Option<How> {
    let rule = profile::Rule {
        column: column.name.clone(),
        strategy: String::new(),
        seed: None,
        options: BTreeMap::new(),
        inputs: BTreeMap::new(),
        resolved: Arc::clone(strategy),
        place: profile::Place { line: 1, column: 1 },
    };
    let how = fit::of(&rule, None, None, column, &survey.side, "").ok()?;
    let rows = table.rows
        + survey
            .side
            .partitions(table.oid)
            .iter()
            .map(|part| part.rows)
            .sum::<f64>();
    let mut demands = table
        .unique
        .iter()
        .filter(|index| index.columns.contains(&column.name));
    let stays = |index: &Unique| {
        let compared = match index.compares(&column.name) {
            Compared::AsIs if statement::folding(column.type_oid, &survey.side).is_some() => {
                Compared::WithoutCase
            }
            compared => compared,
        };
        unique::stays_unique(strategy, &how, compared, rows.max(FEWEST_ROWS), |_| false)
    };
    demands.all(stays).then_some(how)
}

/// Whether the two ends of references compare values in one way.
fn reads_alike(survey: &Survey, columns: &[(&Table, &Column)]) -> bool {
    let folds = |of: &Column| statement::folding(of.type_oid, &survey.side).is_some();
    let first = folds(columns[0].1);
    columns
        .iter()
        .all(|(_, of)| folds(of) == first && !of.nondeterministic)
}

/// The most characters of a column, an element of it or a domain over either.
fn longest(survey: &Survey, column: &Column) -> Option<usize> {
    let mut limit = column.max_chars;
    let mut of = survey.side.type_of(column.type_oid);
    while let Some(around) = of.filter(|of| of.kind == 'd' || of.is_array) {
        limit = limit.into_iter().chain(around.max_chars).min();
        of = around.inner.and_then(|inner| survey.side.type_of(inner));
    }
    limit
}

/// Whether a column may be left out of the copy.
pub fn can_be_excluded(column: &Column) -> bool {
    !column.not_null || column.default.is_some() || !column.identity.is_empty()
}

/// Whether its values name a sort that says nothing of a person by itself.
pub fn harmless(sort: Sort) -> &'static str {
    match sort {
        Sort::Boolean => "yes or no",
        Sort::Date => "a date that is nobody's date of birth",
        Sort::Enum => "one of a few labels",
        Sort::Number => "a number that identifies nobody",
        Sort::Uuid => "an identifier of the application",
        Sort::Network => "a network",
        Sort::Text | Sort::Words => "text that does not look personal",
        Sort::Json | Sort::Record => "no part of it looks personal",
        Sort::Bytes | Sort::Other => "of a type that was not looked into",
        Sort::Inet | Sort::Mac | Sort::Point => "does not look personal",
    }
}

/// A table may grow until the profile is used.
const FEWEST_ROWS: f64 = 100_000.0;
