//! Rows dealt out anew: the FROM clause of a table with shuffled columns.
//!
//! Every row has a number in scan order, and the columns of each group come from the rows in an
//! order of the server's own strong randomness, numbered again: equal numbers meet. The server
//! sorts and joins on disk where memory does not suffice.

use super::fit::How;
use super::plan::{Decision, TablePlan};
use super::statement;
use crate::pg::ident::quote;

/// The columns of each group, in order; a column that moves alone is a group of its own.
pub fn groups(table: &TablePlan) -> Vec<Vec<String>> {
    let mut groups: Vec<(Option<&str>, Vec<String>)> = Vec::new();
    for column in &table.columns {
        let Decision::Masked(masked) = &column.decision else {
            continue;
        };
        let How::Shuffle(group) = &masked.how else {
            continue;
        };
        let group = group.as_deref();
        let found = groups
            .iter_mut()
            .find(|(name, _)| group.is_some() && *name == group);
        match found {
            Some((_, columns)) => columns.push(column.name.clone()),
            None => groups.push((group, vec![column.name.clone()])),
        }
    }
    groups.into_iter().map(|(_, columns)| columns).collect()
}

/// Whether columns keep their partners: all of them are of one group.
pub fn moves_together(table: &TablePlan, columns: &[String]) -> bool {
    groups(table)
        .iter()
        .any(|group| columns.iter().all(|column| group.contains(column)))
}

/// The name of the rows a column is read of.
pub fn alias(groups: &[Vec<String>], column: &str) -> String {
    let group = groups
        .iter()
        .position(|columns| columns.iter().any(|name| name == column));
    group.map_or("s".to_owned(), |group| format!("s{group}"))
}

/// The rows of a table as `s`, which `read` reads, and those of each group as `s0`, `s1`, ….
pub fn from(table: &TablePlan, groups: &[Vec<String>], read: &str) -> String {
    if groups.is_empty() {
        return read.to_owned();
    }
    let rows = statement::rows(table);
    let number = quote(&unused(table));
    let mut from =
        format!("(SELECT s.*, pg_catalog.row_number() OVER () AS {number} FROM {read}) AS s");
    for (i, columns) in groups.iter().enumerate() {
        let columns: Vec<_> = columns
            .iter()
            .map(|name| format!("s.{}", quote(name)))
            .collect();
        from.push_str(&format!(
            " JOIN (SELECT {}, pg_catalog.row_number() OVER (ORDER BY \
             pg_catalog.gen_random_uuid()) AS {number} FROM {rows}) AS s{i} ON s{i}.{number} \
             OPERATOR(pg_catalog.=) s.{number}",
            columns.join(", ")
        ));
    }
    from
}

/// A name that no column has.
fn unused(table: &TablePlan) -> String {
    let mut name = "confiture row".to_owned();
    while table.columns.iter().any(|column| column.name == name) {
        name.push('_');
    }
    name
}
