//! The choice of rows, carried out; what the server expects of it.

use serde_json::Value;

use super::estimate::{self, Expected};
use super::statements::{self, Names, View};
use super::{Scope, Step};
use crate::error::{Error, Kind, Result};
use crate::pg::snapshot::Snapshot;
use crate::pg::{frozen, server, spi};
use crate::sync::plan::Plan;
use crate::sync::statement;

/// The temporary tables of a choice.
pub struct Chosen(Vec<String>);

/// Chooses the rows of a run under its snapshot, and makes that the condition of every table.
///
/// # Errors
/// As the interface. Server errors unwind.
pub fn choose(plan: &mut Plan, run_id: [u8; 16], snapshot: &Snapshot) -> Result<Chosen> {
    let Some(scope) = Scope::of(plan) else {
        return Ok(Chosen(Vec::new()));
    };
    let names = Names::of(run_id);
    let mut made: Vec<Counted> = Vec::new();
    super::choose(plan, &scope, &names, &mut |step: Step| {
        server::check_for_interrupts();
        let rows = spi::run_under(&step.sql, snapshot)?;
        if let Some(into) = step.into {
            count(&mut made, into, rows)?;
        }
        Ok(rows)
    })?;
    let view = View {
        plan,
        scope: &scope,
        names: &names,
    };
    let covered: Vec<_> = (0..plan.tables.len())
        .map(|i| statements::covered(view, i))
        .collect();
    let mut tables = Vec::new();
    for i in 0..plan.tables.len() {
        tables.extend(scope.cuts[i].then(|| names.cut(i)));
        let is_kept = scope.covers[i] == super::Cover::Kept;
        tables.extend(is_kept.then(|| names.kept(i)));
    }
    for table in &tables {
        spi::run(&format!("ANALYZE {table}"), &[])?;
    }
    for (table, filter) in plan.tables.iter_mut().zip(covered) {
        table.filter = filter;
    }
    Ok(Chosen(tables))
}

impl Chosen {
    /// Takes the temporary tables away.
    ///
    /// # Errors
    /// As the interface.
    pub fn end(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        spi::run(&format!("DROP TABLE {}", self.0.join(", ")), &[]).map(drop)
    }
}

/// A temporary table and its rows: those there are, and those the server knows of.
struct Counted {
    name: String,
    rows: u64,
    known: u64,
}

/// Lets the server count a table that has grown, for its plans of the statements that follow.
fn count(made: &mut Vec<Counted>, name: String, rows: u64) -> Result<()> {
    const FEW: u64 = 1000;
    let place = made.iter().position(|table| table.name == name);
    let place = place.unwrap_or_else(|| {
        made.push(Counted {
            name,
            rows: 0,
            known: 0,
        });
        made.len() - 1
    });
    let table = &mut made[place];
    table.rows += rows;
    if table.rows > FEW && table.rows > table.known.saturating_mul(2) {
        spi::run(&format!("ANALYZE {}", table.name), &[])?;
        table.known = table.rows;
    }
    Ok(())
}

/// Fills in how many rows are likely to be copied, and says so where rows are chosen.
///
/// # Errors
/// 42501 where the choice needs temporary tables that the caller may not make.
pub fn expect(plan: &mut Plan) -> Result<()> {
    let scope = Scope::of(plan);
    if scope.is_some() && !may_make_temporary_tables()? {
        return Err(Error::new(
            Kind::Permission,
            "permission denied to make temporary tables",
        )
        .with_detail("The rows of a subset, or of a limit, are noted in temporary tables.")
        .with_hint("Grant TEMPORARY on the database to the role that runs."));
    }
    let mut expected = Vec::new();
    for table in &plan.tables {
        let from = statement::from(&table.source);
        let rows = |filter: &Option<String>| match filter {
            Some(filter) => of_server(&from, filter),
            None => Ok(None),
        };
        expected.push(Expected {
            filtered: rows(&table.filter)?,
            seeds: rows(&table.seed)?,
        });
    }
    let rows = estimate::rows(plan, scope.as_ref(), &expected);
    for (table, rows) in plan.tables.iter_mut().zip(rows) {
        table.expected = rows;
    }
    if scope.is_some() {
        let remark = estimate::note(plan);
        plan.remarks.push(remark);
    }
    Ok(())
}

/// How many rows the server expects; `None` on a standby, where only plain queries run.
fn of_server(from: &str, filter: &str) -> Result<Option<f64>> {
    if frozen::writable().is_err() {
        return Ok(None);
    }
    let sql = format!("EXPLAIN (FORMAT JSON) SELECT FROM {from} AS s WHERE {filter}");
    let found = spi::rows(&sql, &[], |row| row.get::<pgrx::Json>(1))?;
    let Some(pgrx::Json(plan)) = found.into_iter().next().flatten() else {
        return Ok(None);
    };
    Ok(plan.pointer("/0/Plan/Plan Rows").and_then(Value::as_f64))
}

fn may_make_temporary_tables() -> Result<bool> {
    let found = spi::read(
        "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')",
        &[],
        |row| row.get::<bool>(1),
    )?;
    Ok(found.into_iter().next().flatten().unwrap_or(false))
}
