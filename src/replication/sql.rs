//! What SQL sees of it.

use pgrx::AnyElement;
use pgrx::iter::TableIterator;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::arrival;
use super::registry;
use super::state;
use super::store;
use crate::error::{Result, given};
use crate::pg::ddl;

/// Has what subscriptions bring to the tables of a profile, in a schema, masked before it is stored.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn mask_replication(
    profile: Option<&str>,
    target: Option<&str>,
    version: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(table_name, String),
            name!(action, &'static str),
            name!(masked_columns, i32),
        ),
    >,
    ErrorReport,
> {
    let made = store::mask(
        given("profile", profile)?,
        given("target", target)?,
        version,
    )?;
    Ok(TableIterator::new(made.into_iter().map(|of| {
        let masked = i32::try_from(of.columns).unwrap_or(i32::MAX);
        (of.table, of.action, masked)
    })))
}

/// Has it masked no longer, of one profile or of all; the tables.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn unmask_replication(
    target: Option<&str>,
    profile: default!(Option<&str>, "NULL"),
) -> Result<SetOfIterator<'static, String>, ErrorReport> {
    Ok(SetOfIterator::new(store::unmask(
        given("target", target)?,
        profile,
    )?))
}

/// What is wrong with it: of a schema, or of all.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn lint_replication(
    target: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(severity, &'static str),
            name!(problem, &'static str),
            name!(object, String),
            name!(detail, String),
            name!(remedy, String),
        ),
    >,
    ErrorReport,
> {
    let found = state::store::problems(target)?;
    Ok(TableIterator::new(found.into_iter().map(|problem| {
        (
            problem.severity(),
            problem.code.name(),
            format!("{}.{}", problem.schema, problem.table),
            problem.fact(),
            problem.remedy(),
        )
    })))
}

/// Stands before every row that a subscription brings to a table.
#[pg_extern(sql = "
CREATE FUNCTION confiture._mask_replicated() RETURNS trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn mask_replicated(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>, ErrorReport> {
    Ok(arrival::store::masked(fcinfo)?)
}

/// Stands behind every command that may let a subscription bring rows unmasked.
#[pg_extern(sql = "
CREATE FUNCTION confiture._follow_replication() RETURNS event_trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn follow_replication(fcinfo: pg_sys::FunctionCallInfo) -> Result<(), ErrorReport> {
    Ok(followed(fcinfo)?)
}

fn followed(fcinfo: pg_sys::FunctionCallInfo) -> Result<()> {
    // Called by hand there is no command; pg_upgrade makes everything anew as it was.
    if ddl::moment(fcinfo).is_none() || ddl::is_binary_upgrade() || !registry::store::is_awake()? {
        return Ok(());
    }
    state::store::check()
}
