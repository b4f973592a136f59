//! What SQL sees of the lists of tables: their event trigger.

use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::store;
use crate::pg::ddl::{self, Moment};

/// Stands before and behind every command. It fails none: what goes wrong here is a warning.
#[pg_extern(sql = "
CREATE FUNCTION confiture._follow_tables() RETURNS event_trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn follow_tables(fcinfo: pg_sys::FunctionCallInfo) -> Result<(), ErrorReport> {
    // Called by hand there is no command; pg_upgrade makes everything anew as it was.
    match ddl::moment(fcinfo) {
        _ if ddl::is_binary_upgrade() => {}
        Some(Moment::Start) if ddl::may_rename(fcinfo) => store::before_command(),
        Some(Moment::End) => store::after_command(ddl::refreshed_view(fcinfo)),
        Some(Moment::Start | Moment::Dropped | Moment::Rewrite) | None => {}
    }
    Ok(())
}
