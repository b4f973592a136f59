//! The statements that choose rows. `s` stands for the rows that are looked at, `p` for what they
//! refer to, `k` for the temporary tables.

use super::{Cover, Scope};
use crate::pg::ident::quote;
use crate::sync::links::Link;
use crate::sync::plan::{Plan, TablePlan};
use crate::sync::statement;

/// The temporary tables of a run.
pub struct Names {
    run: String,
}

impl Names {
    /// Those of the run of that id.
    pub fn of(run_id: [u8; 16]) -> Self {
        Self {
            run: hex::encode(run_id),
        }
    }

    /// Rows of a table that are not copied.
    pub fn cut(&self, i: usize) -> String {
        format!("pg_temp.confiture_cut_{}_{i}", self.run)
    }

    /// Rows of a table that are.
    pub fn kept(&self, i: usize) -> String {
        format!("pg_temp.confiture_kept_{}_{i}", self.run)
    }
}

/// What the statements are about.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What is copied.
    pub scope: &'a Scope,
    /// The temporary tables.
    pub names: &'a Names,
}

/// By what a row is known: name and type of a column of the temporary table, and the expression.
fn marks(table: &TablePlan, alias: &str) -> Vec<(&'static str, &'static str, String)> {
    let place = ("t", "pg_catalog.tid", format!("{alias}.ctid"));
    match table.source.kind {
        'r' => vec![place],
        'p' if !table.has_foreign_parts => {
            vec![("r", "pg_catalog.oid", format!("{alias}.tableoid")), place]
        }
        // By the output functions: equal rows are one row here, and have the same references.
        _ => vec![(
            "h",
            "pg_catalog.bytea",
            format!(
                "pg_catalog.sha256(pg_catalog.textsend(pg_catalog.format('%s', ROW({alias}.*))))"
            ),
        )],
    }
}

/// That a row is the one noted as `k`.
fn is_it(table: &TablePlan, alias: &str) -> String {
    let pairs: Vec<_> = marks(table, alias)
        .into_iter()
        .map(|(name, _, value)| format!("k.{name} OPERATOR(pg_catalog.=) {value}"))
        .collect();
    pairs.join(" AND ")
}

fn is_among(names: &str, table: &TablePlan, alias: &str) -> String {
    format!(
        "EXISTS (SELECT FROM {names} AS k WHERE {})",
        is_it(table, alias)
    )
}

/// Makes a temporary table for rows of a table.
pub fn create(name: &str, table: &TablePlan) -> String {
    let columns: Vec<_> = marks(table, "s")
        .into_iter()
        .map(|(name, of, _)| format!("{name} {of} NOT NULL"))
        .collect();
    format!(
        "CREATE TEMPORARY TABLE {name} ({}, round pg_catalog.int4 NOT NULL) ON COMMIT DROP",
        columns.join(", ")
    )
}

/// Notes the rows for which the conditions hold.
pub fn insert(
    into: &str,
    table: &TablePlan,
    alias: &str,
    round: u32,
    conditions: &[String],
) -> String {
    format!(
        "{} SELECT {}, {round} FROM {} AS {alias} WHERE {}",
        begin(into, table),
        values(table, alias),
        statement::from(&table.source),
        conditions.join(" AND ")
    )
}

fn begin(into: &str, table: &TablePlan) -> String {
    let names: Vec<_> = marks(table, "s").into_iter().map(|mark| mark.0).collect();
    format!("INSERT INTO {into} ({}, round)", names.join(", "))
}

fn values(table: &TablePlan, alias: &str) -> String {
    let values: Vec<_> = marks(table, alias).into_iter().map(|mark| mark.2).collect();
    values.join(", ")
}

/// The conditions that nothing cuts a row of a table.
pub fn uncut(view: View<'_>, i: usize, alias: &str) -> Vec<String> {
    let table = &view.plan.tables[i];
    if view.scope.cuts[i] {
        return vec![format!(
            "NOT {}",
            is_among(&view.names.cut(i), table, alias)
        )];
    }
    // Written for `s`; who is referred to and has a condition is in `cuts`.
    table
        .filter
        .iter()
        .map(|filter| format!("({filter})"))
        .collect()
}

/// The condition of the rows that are copied; `None` where all are.
pub fn covered(view: View<'_>, i: usize) -> Option<String> {
    let table = &view.plan.tables[i];
    match view.scope.covers[i] {
        Cover::Empty => Some("false".to_owned()),
        Cover::Kept => Some(is_among(&view.names.kept(i), table, "s")),
        Cover::Uncut => uncut(view, i, "s").into_iter().next(),
    }
}

/// Rows that refer to a row cut in that round, and to none that is not cut.
pub fn refers_to_cut(view: View<'_>, link: &Link, round: u32) -> Vec<String> {
    let (child, parent) = (link.child, &view.plan.tables[link.parent]);
    let from = statement::from(&parent.source);
    let (cut, meets) = (view.names.cut(link.parent), link.meets("s", "p"));
    let is_it = is_it(parent, "p");
    let mut conditions = vec![format!(
        "EXISTS (SELECT FROM {from} AS p, {cut} AS k WHERE {is_it} AND k.round = {round} AND {meets})"
    )];
    if !link.is_unique() {
        conditions.push(format!(
            "NOT EXISTS (SELECT FROM {from} AS p WHERE {meets} AND NOT EXISTS (SELECT FROM {cut} AS k WHERE {is_it}))"
        ));
    }
    conditions.extend(uncut(view, child, "s"));
    conditions
}

/// Rows that refer to a row kept in that round and are not kept themselves.
pub fn refers_to_kept(view: View<'_>, link: &Link, round: u32) -> Vec<String> {
    let (i, parent) = (link.child, &view.plan.tables[link.parent]);
    let mut conditions = vec![format!(
        "EXISTS (SELECT FROM {} AS p, {} AS k WHERE {} AND k.round = {round} AND {})",
        statement::from(&parent.source),
        view.names.kept(link.parent),
        is_it(parent, "p"),
        link.meets("s", "p")
    )];
    conditions.extend(uncut(view, i, "s"));
    conditions.push(format!(
        "NOT {}",
        is_among(&view.names.kept(i), &view.plan.tables[i], "s")
    ));
    conditions
}

/// Rows, as `p`, that a copied row refers to and that are not kept; with `round`, only what the
/// rows kept in that round refer to.
pub fn is_referred_to(view: View<'_>, link: &Link, round: Option<u32>) -> Vec<String> {
    let (child, parent) = (
        &view.plan.tables[link.child],
        &view.plan.tables[link.parent],
    );
    let mut from = format!("{} AS s", statement::from(&child.source));
    let mut inner = vec![link.meets("s", "p")];
    if view.scope.covers[link.child] == Cover::Kept {
        from.push_str(&format!(", {} AS k", view.names.kept(link.child)));
        inner.push(is_it(child, "s"));
        inner.extend(round.map(|round| format!("k.round = {round}")));
    } else {
        inner.extend(uncut(view, link.child, "s"));
    }
    let mut conditions = vec![
        format!("EXISTS (SELECT FROM {from} WHERE {})", inner.join(" AND ")),
        format!(
            "NOT {}",
            is_among(&view.names.kept(link.parent), parent, "p")
        ),
    ];
    // A reference that finds several rows may find cut ones among them.
    if view.scope.cuts[link.parent] {
        conditions.extend(uncut(view, link.parent, "p"));
    }
    conditions
}

/// Cuts what is beyond the limit of a table, of the rows that would be copied.
pub fn beyond(view: View<'_>, i: usize, limit: u64, round: u32) -> String {
    let table = &view.plan.tables[i];
    let order: Vec<_> = primary_key(table)
        .unwrap_or_default()
        .iter()
        .map(|column| format!("s.{}", quote(column)))
        .collect();
    format!(
        "{} SELECT {}, {round} FROM {} AS s WHERE {} ORDER BY {} OFFSET {limit}",
        begin(&view.names.cut(i), table),
        values(table, "s"),
        statement::from(&table.source),
        covered(view, i).unwrap_or_else(|| "true".to_owned()),
        order.join(", ")
    )
}

/// Takes what was cut out of what is kept.
pub fn drop_cut(view: View<'_>, i: usize) -> String {
    let marks = marks(&view.plan.tables[i], "s");
    let pairs: Vec<_> = marks
        .iter()
        .map(|(name, ..)| format!("c.{name} OPERATOR(pg_catalog.=) k.{name}"))
        .collect();
    format!(
        "DELETE FROM {} AS k WHERE EXISTS (SELECT FROM {} AS c WHERE {})",
        view.names.kept(i),
        view.names.cut(i),
        pairs.join(" AND ")
    )
}

/// The columns of the primary key.
pub fn primary_key(table: &TablePlan) -> Option<&[String]> {
    let keys = &table.source.constraints;
    keys.iter()
        .find(|key| key.kind == 'p')
        .map(|key| key.columns.as_slice())
}
