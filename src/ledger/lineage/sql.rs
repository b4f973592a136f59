//! What SQL sees of the lineage. Nothing here appends what a caller says.

use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::store;
use crate::error::{Error, Kind, given};
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;

/// Destroys the key of a run: from then on its commitments are random numbers to everybody. False
/// where there is none, or no more. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn shred_run_key(run: Option<Uuid>) -> Result<bool, ErrorReport> {
    let run_id = *given("run", run)?.as_bytes();
    if !store::destroy_key(run_id)? {
        if store::has_run(run_id)? {
            return Ok(false);
        }
        return Err(Error::new(Kind::UndefinedObject, "there is no such run")
            .with_hint("See confiture.lineage_columns.")
            .into());
    }
    let facts = Facts {
        run_id: Some(run_id),
        ..Facts::default()
    };
    ledger::append(Event::RunKeyShredded, facts)?;
    Ok(true)
}
