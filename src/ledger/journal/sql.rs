//! What SQL sees of the journal. Nothing here writes into it.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyElement, pg_sys};

use super::store;
use crate::error::{Error, Kind};
use crate::pg::trigger;

/// Stands before INSERT: the library writes past it, and a restore fills the journal of an
/// installation that has counted nothing yet.
#[pg_extern(sql = "
CREATE FUNCTION confiture._journal_guard() RETURNS trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn journal_guard(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>, ErrorReport> {
    let called = trigger::called(fcinfo)?;
    let row = called.new();
    // Asked for the statement as well, which has no row.
    let number = row.and_then(|row| row.get_by_name::<i64>("number").ok().flatten());
    if store::admits(number)? {
        return Ok(trigger::goes_on(called.new()));
    }
    Err(Error::new(
        Kind::Permission,
        "the journal is written by the extension only",
    )
    .with_detail("It has records of this installation, or has this one.")
    .with_hint("Restore into a database in which nothing was recorded yet.")
    .into())
}
