//! What SQL sees of the journal. Nothing here writes into it.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, PgTriggerError};

use super::store;
use crate::error::{Error, Kind};
use crate::pg::report;

/// Stands before INSERT: the library writes past it, and a restore fills the journal of an
/// installation that has counted nothing yet.
#[pg_trigger(sql = "
CREATE FUNCTION confiture._journal_guard() RETURNS trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn journal_guard<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let row = trigger.new();
    // Asked for the statement as well, which has no row.
    let number = row.and_then(|row| row.get_by_name::<i64>("number").ok().flatten());
    match store::admits(number) {
        Ok(true) => Ok(trigger.new()),
        Ok(false) => report::raise(
            Error::new(
                Kind::Permission,
                "the journal is written by the extension only",
            )
            .with_detail("It has records of this installation, or has this one.")
            .with_hint("Restore into a database in which nothing was recorded yet."),
        ),
        Err(error) => report::raise(error),
    }
}
