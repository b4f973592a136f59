//! The steps that only a run in place has: room for the masked rows, and their way back.

use std::time::Instant;

use super::super::evidence::Evidence;
use super::super::facts::{Column, Side};
use super::super::plan::{Decision, Plan, TablePlan};
use super::super::request::{self, Request, pinned};
use super::super::store as sync;
use super::store::{self, Mark};
use super::{Derived, lost_columns};
use crate::error::{Error, Kind, Result, counted};
use crate::pg::ident::{literal, qualified, quote};
use crate::pg::{missing, report, server, spi, user};
use crate::profile;

/// Where the masked rows of a table wait.
pub fn waiting(number: usize) -> String {
    format!("pg_temp.confiture_masked_{number}")
}

/// Makes a temporary table for the masked rows of each table: columns of the same types, so that a
/// value there is as the table will store it.
///
/// # Errors
/// As the server.
pub fn make_room(plan: &Plan) -> Result<()> {
    for table in &plan.tables {
        let columns: Vec<_> = written(table).map(column).collect();
        spi::run(
            &format!(
                "CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP",
                table.landing(&plan.target),
                columns.join(", ")
            ),
            &[],
        )?;
    }
    Ok(())
}

fn column(column: &Column) -> String {
    let collation = column.collation.as_ref();
    let collation = collation.map_or(String::new(), |name| format!(" COLLATE {name}"));
    format!("{} {}{collation}", quote(&column.name), column.type_name)
}

/// The columns that the run writes; the table computes the others, or has a default for them.
fn written(table: &TablePlan) -> impl Iterator<Item = &Column> {
    let decided = table.source.columns.iter().zip(&table.columns);
    decided
        .filter(|(_, column)| match &column.decision {
            Decision::Excluded { .. } | Decision::Generated => false,
            Decision::Masked(masked) => masked.how != super::super::fit::How::Default,
            Decision::Copied | Decision::Preserved { .. } => true,
        })
        .map(|(facts, _)| facts)
}

/// Takes away what the catalog keeps as values of rows that are older than their columns, from
/// tables that were emptied: everybody may read that catalog.
///
/// # Errors
/// 55000 where a table is not empty after TRUNCATE, as one of another access method may be; as the
/// interface.
pub fn no_missing(plan: &Plan) -> Result<()> {
    let emptied = &plan.prepare.emptied;
    for (table, _, _) in sync::missing_values(&plan.target, emptied)? {
        missing::forget(table.into());
    }
    let left = sync::missing_values(&plan.target, emptied)?;
    let Some((_, table, column)) = left.into_iter().next() else {
        return Ok(());
    };
    Err(Error::new(
        Kind::NotReady,
        format!("the catalog keeps a value of column \"{column}\" of table {table}"),
    )
    .with_detail("Rows that are older than the column have it, and everybody may read it there.")
    .with_hint(format!("Run VACUUM FULL {table}; first, then this again.")))
}

/// Puts the masked rows into the emptied tables.
///
/// # Errors
/// 23000 when one of them did not arrive; as the server.
pub fn put_back(plan: &Plan, loaded: &[(String, u64, f64)]) -> Result<()> {
    for (table, (name, rows, _)) in plan.tables.iter().zip(loaded) {
        let begun = Instant::now();
        let names: Vec<_> = written(table).map(|column| quote(&column.name)).collect();
        let list = match names.as_slice() {
            [] => String::new(),
            names => format!(" ({})", names.join(", ")),
        };
        let is_identity = |column: &Column| column.identity == "a";
        let overriding = match written(table).any(is_identity) {
            true => " OVERRIDING SYSTEM VALUE",
            false => "",
        };
        let waiting = table.landing(&plan.target);
        let there = qualified(&plan.target, name);
        let back = spi::run(
            &format!(
                "INSERT INTO {there}{list}{overriding} SELECT {} FROM {waiting}",
                names.join(", ")
            ),
            &[],
        )?;
        if back != *rows {
            return Err(Error::new(
                Kind::IntegrityConstraint,
                format!(
                    "{} of table \"{}.{name}\" did not arrive",
                    counted(rows.abs_diff(back), "row"),
                    plan.target
                ),
            ));
        }
        spi::run(&format!("DROP TABLE {waiting}"), &[])?;
        report::notice(&format!(
            "{name}: replaced in {:.1} s",
            begun.elapsed().as_secs_f64()
        ));
        server::check_for_interrupts();
    }
    Ok(())
}

/// Takes away the planner's samples of the originals.
///
/// # Errors
/// As the interface.
pub fn forget_statistics(plan: &Plan, source: &Side) -> Result<()> {
    for table in &plan.tables {
        store::forget_statistics(&numbers(table, source))?;
    }
    Ok(())
}

/// Marks the tables, so that no run masks them again.
///
/// # Errors
/// As the interface.
pub fn mark(run: &Evidence<'_>, plan: &Plan, source: &Side) -> Result<()> {
    let by = user::name(user::caller());
    let mut masked = Vec::new();
    for table in &plan.tables {
        masked.extend(numbers(table, source));
        let parts = source.partitions(table.source.oid);
        for part in std::iter::once(&table.source).chain(parts) {
            store::mark(Mark {
                schema: &part.schema,
                table: &part.name,
                columns: lost_columns(table),
                run_id: run.run_id,
                profile: (&run.profile.name, &run.profile.version),
                hash: run.profile.profile_hash().to_vec(),
                by: &by,
            })?;
        }
    }
    let certain = store::reaches(&masked, false)?;
    store::note_unrefreshed(&certain, true)?;
    let all = store::reaches(&masked, true)?;
    store::note_unrefreshed(&all, false)?;
    if !all.is_empty() {
        let commands: Vec<_> = all.iter().map(Derived::refresh).collect();
        report::warning(
            &format!(
                "{} may still hold originals",
                counted(all.len() as u64, "materialized view")
            ),
            Some(&format!("Run: {}", commands.join(" "))),
        );
    }
    report::notice(&format!(
        "originals may be left elsewhere, in the file of pg_statistic for one: SELECT * FROM confiture.residue_check({})",
        literal(&plan.target)
    ));
    Ok(())
}

/// Says what a run would do.
///
/// # Errors
/// Everything that is wrong.
pub fn rehearse(request: &Request) -> Result<()> {
    let profile = profile::store::pick(&request.profile, request.options.version.as_deref())?;
    let planned = pinned(|| request::plan(request, &profile))?;
    for table in &planned.plan.tables {
        let columns = lost_columns(table);
        report::notice(&format!(
            "would rewrite table {}, {} with its indexes: {} ({})",
            table.source.shown(),
            store::size(&numbers(table, &planned.source))?,
            counted(columns.len() as u64, "column"),
            columns.join(", ")
        ));
    }
    for name in &planned.plan.prepare.altered {
        report::notice(&format!(
            "would check the foreign keys of table \"{}.{name}\" again",
            planned.plan.target
        ));
    }
    Ok(())
}

/// The table and its partitions.
fn numbers(table: &TablePlan, source: &Side) -> Vec<u32> {
    let parts = source.partitions(table.source.oid);
    let all = std::iter::once(&table.source).chain(parts);
    all.map(|table| table.oid).collect()
}
