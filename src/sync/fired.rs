//! What user triggers of the target may have written, after the masks and their checks: looked for
//! in the target itself, row by row beside the source, where a kept key says which row is which.

use serde_json::json;

use super::checks::{Check, kept_key, numbers, whole};
use super::facts::Side;
use super::leaks::Watched;
use super::plan::{Decision, TablePlan};
use super::statement;
use crate::pg::ident::quote;

/// Shows the rows of a table in the target to the scan of that number, with the identifiers of the
/// source: a query that returns how many rows there are. `None` without a kept key.
pub fn scan(
    table: &TablePlan,
    target: &str,
    source: &Side,
    watched: &Watched<'_>,
    number: usize,
) -> Option<String> {
    let both = beside(table, target, source)?;
    let written = |name: &str| {
        let is_there = !matches!(table.decision(name), None | Some(Decision::Excluded { .. }));
        is_there.then(|| format!("t.{}", quote(name)))
    };
    let originals: Vec<_> = watched.columns().collect();
    let original = |place: usize, _: &str| originals[place].0.clone();
    let calls = watched.calls(number, written, original);
    Some(format!(
        "SELECT pg_catalog.count(*)::pg_catalog.text FROM {both} WHERE {}",
        calls.join(" AND ")
    ))
}

/// Counts, for each column that is kept, the rows in which the target has another value than the
/// source: an array of numbers, and the columns. `None` without a kept key.
pub fn changed<'a>(
    table: &'a TablePlan,
    target: &str,
    source: &Side,
) -> Option<(String, Vec<&'a str>)> {
    let both = beside(table, target, source)?;
    let kept = table.columns.iter().filter(|column| {
        matches!(
            column.decision,
            Decision::Copied | Decision::Preserved { .. }
        )
    });
    let kept: Vec<&str> = kept.map(|column| &*column.name).collect();
    // By output functions: a cast of a type may be anybody's.
    let counts: Vec<_> = kept
        .iter()
        .map(|name| {
            let name = quote(name);
            format!(
                "pg_catalog.count(*) FILTER (WHERE pg_catalog.num_nulls(t.{name}) <> pg_catalog.num_nulls(s.{name}) \
                 OR pg_catalog.concat(t.{name}) COLLATE \"C\" <> pg_catalog.concat(s.{name}) COLLATE \"C\")"
            )
        })
        .collect();
    let sql = numbers(&counts, &both);
    Some((sql, kept))
}

/// What triggers have changed is on record; it is what they were let do.
pub fn seen(table: &TablePlan, columns: &[&str], counts: &[f64]) -> Vec<Check> {
    let changed = columns.iter().zip(counts).filter(|(_, rows)| **rows > 0.0);
    changed
        .map(|(column, rows)| Check {
            passed: true,
            report: json!({"check": "values that triggers changed", "table": table.source.name,
                           "column": column, "rows": whole(*rows)}),
        })
        .collect()
}

/// Both sides, each row of the target beside that of the source.
fn beside(table: &TablePlan, target: &str, source: &Side) -> Option<String> {
    let key = kept_key(table, source)?;
    let same: Vec<_> = key
        .iter()
        .map(|part| format!("s.{part} = t.{part}", part = quote(part)))
        .collect();
    Some(format!(
        "{} AS t JOIN {} AS s ON {}",
        table.landing(target),
        statement::from(&table.source),
        same.join(" AND ")
    ))
}
