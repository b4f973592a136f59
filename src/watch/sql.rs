//! What SQL sees of watches.

use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Mode, refusal, store, to_paste};
use crate::error::{Result, given};
use crate::pg::{ddl, report};

/// Watches the tables of a profile in a schema: a column that comes or changes its type is marked
/// undecided, or with mode `enforce` the command that does so is refused.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn watch(
    profile: Option<&str>,
    schema: Option<&str>,
    mode: default!(Option<&str>, "'mark'"),
) -> Result<(), ErrorReport> {
    let mode = Mode::parse(given("mode", mode)?)?;
    store::watch(given("profile", profile)?, given("schema", schema)?, mode)?;
    Ok(())
}

/// Ends a watch; whether there was one.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn unwatch(profile: Option<&str>, schema: Option<&str>) -> Result<bool, ErrorReport> {
    Ok(store::unwatch(
        given("profile", profile)?,
        given("schema", schema)?,
    )?)
}

/// Stands behind every command that may make a column.
#[pg_extern(sql = "
CREATE FUNCTION confiture._watch_columns() RETURNS event_trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn watch_columns(fcinfo: pg_sys::FunctionCallInfo) -> Result<(), ErrorReport> {
    Ok(noticed(fcinfo)?)
}

fn noticed(fcinfo: pg_sys::FunctionCallInfo) -> Result<()> {
    // Called by hand there is no command; pg_upgrade makes everything anew as it was.
    if ddl::moment(fcinfo).is_none() || ddl::is_binary_upgrade() || !store::is_awake()? {
        return Ok(());
    }
    let found = store::notice()?;
    let (enforced, marked): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|column| column.is_enforced);
    if let Some(error) = refusal(&enforced) {
        return Err(error);
    }
    for column in marked {
        let hint = to_paste(std::slice::from_ref(&column));
        report::warning(&column.fact(), Some(&hint));
    }
    Ok(())
}
