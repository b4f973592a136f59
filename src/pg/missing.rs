//! What the catalog keeps for rows that are older than a column: the one value they have in it,
//! where everybody may read it.

use pgrx::pg_sys;

/// Takes these values away from a table without rows, as a rewrite would; leaves them to one that
/// has any. Locks it until the transaction ends.
pub fn forget(table: pg_sys::Oid) {
    // SAFETY: the relation is open and locked. With no page in its file there is no row that lacks
    // a column, in the view of any snapshot; its descriptor is read anew afterwards.
    unsafe {
        let opened = pg_sys::table_open(table, pg_sys::AccessExclusiveLock.cast_signed());
        pg_sys::CheckTableNotInUse(opened, c"TRUNCATE".as_ptr());
        let main = pg_sys::ForkNumber::MAIN_FORKNUM;
        if pg_sys::RelationGetNumberOfBlocksInFork(opened, main) == 0 {
            pg_sys::RelationClearMissing(opened);
        }
        pg_sys::table_close(opened, pg_sys::NoLock.cast_signed());
        pg_sys::CommandCounterIncrement();
    }
}
