//! A transaction that wrote to the ledger holds its head, and nobody else can write until it ends.
//! A prepared one (PREPARE TRANSACTION) may never end: it is refused.

use std::cell::Cell;

use crate::error::{Error, Kind, Result};
use crate::pg::xact::{self, Turn};

thread_local! {
    static HAS_WRITTEN: Cell<bool> = const { Cell::new(false) };
}

/// Notes that this transaction writes to the ledger.
pub fn mark() {
    xact::watch(follow);
    HAS_WRITTEN.set(true);
}

fn follow(turn: Turn) -> Result<()> {
    match turn {
        Turn::Preparing if HAS_WRITTEN.get() => Err(Error::new(
            Kind::Unsupported,
            "cannot prepare a transaction that wrote to the ledger",
        )
        .with_detail("Until it ends, no other session could write to the ledger.")
        .with_hint("Commit it, or do the acts that are put on record outside of it.")),
        Turn::Committed | Turn::Aborted => {
            HAS_WRITTEN.set(false);
            Ok(())
        }
        // What a subtransaction wrote may be gone with it, but its locks may not.
        Turn::Committing
        | Turn::Preparing
        | Turn::SubCommitted { .. }
        | Turn::SubAborted { .. } => Ok(()),
    }
}
