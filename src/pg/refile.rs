//! New files for a table, its TOAST table and its indexes, filled while others read the old ones.
//!
//! Where the files of a relation are is a row of `pg_class`. A new version of that row is this
//! transaction's own until it commits: this session reads and writes the new files, every other one
//! the old. The old files go with the commit, so nobody may be reading them then: before it, each
//! relation must be locked alone ([`lock_alone`]). Until then a lock that keeps writers and other
//! changes of definition away is enough (SHARE ROW EXCLUSIVE), which readers do not wait for.
//!
//! What is done is what TRUNCATE and REINDEX do (PostgreSQL source, `ExecuteTruncateGuts` in
//! `tablecmds.c`, `reindex_index` in `index.c`), but for the lock, and for indexes and triggers: those
//! are out of use between [`Renewed::begin`] and [`Renewed::finish`], in this session alone, by
//! flags of the same row.

use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::{PgList, pg_sys};

use super::heap;

/// Keeps writers, VACUUM and changes of definition away, and no reader.
const LOCK: pg_sys::LOCKMODE = pg_sys::ShareRowExclusiveLock.cast_signed();
const HELD: pg_sys::LOCKMODE = pg_sys::NoLock.cast_signed();

unsafe extern "C-unwind" {
    /// `storage/predicate.h`, of which pgrx has no declarations: to be called through its guard.
    fn TransferPredicateLocksToHeapRelation(relation: pg_sys::Relation);
    /// The same.
    fn CheckTableForSerializableConflictIn(relation: pg_sys::Relation);
}

/// A table whose files are new, to be filled.
#[must_use]
pub struct Renewed {
    table: pg_sys::Oid,
    flags: Flags,
}

/// Whether the server looks for indexes and triggers of a table at all.
#[derive(Clone, Copy)]
struct Flags {
    indexes: bool,
    triggers: bool,
}

impl Flags {
    const NONE: Self = Self {
        indexes: false,
        triggers: false,
    };
}

impl Renewed {
    /// Gives a table and its TOAST table new files without rows, and takes its indexes and triggers
    /// out of use; a partitioned table has triggers only. The caller has locked it as above, and has
    /// no query open on it.
    ///
    /// The server raises 55006 where one is.
    pub fn begin(table: pg_sys::Oid) -> Self {
        // SAFETY: opening raises an error where there is none of that number. The descriptor is the
        // server's own, brought up to date in its place while it is open. Every change is one of
        // catalog rows of this transaction, so a rollback takes it back, and the new files with it.
        unsafe {
            let opened = pg_sys::table_open(table, LOCK);
            pg_sys::CheckTableNotInUse(opened, c"CALL confiture.sync".as_ptr());
            let flags = Flags {
                indexes: (*(*opened).rd_rel).relhasindex,
                triggers: (*(*opened).rd_rel).relhastriggers,
            };
            for other in beside(opened) {
                pg_sys::LockRelationOid(other, LOCK);
            }
            if is_kind(opened, pg_sys::RELKIND_RELATION) {
                set(table, Flags::NONE);
                renew(opened);
                let toast = (*(*opened).rd_rel).reltoastrelid;
                if toast != pg_sys::InvalidOid {
                    let toast = pg_sys::table_open(toast, HELD);
                    renew(toast);
                    rebuild_indexes(toast);
                    pg_sys::table_close(toast, HELD);
                }
                // No row is older than a column any more.
                pg_sys::RelationClearMissing(opened);
                pg_sys::pgstat_count_truncate(opened);
            } else {
                set(
                    table,
                    Flags {
                        triggers: false,
                        ..flags
                    },
                );
            }
            pg_sys::table_close(opened, HELD);
            pg_sys::CommandCounterIncrement();
            Self { table, flags }
        }
    }

    /// Puts the triggers back, and builds the indexes anew, over the rows that are there now.
    ///
    /// The server raises 23505 or 23P01 where an index refuses one.
    pub fn finish(self) {
        set(self.table, self.flags);
        // SAFETY: as in `begin`.
        unsafe {
            let opened = pg_sys::table_open(self.table, HELD);
            if is_kind(opened, pg_sys::RELKIND_RELATION) {
                rebuild_indexes(opened);
            }
            pg_sys::table_close(opened, HELD);
        }
    }
}

/// Tells whoever follows the write-ahead log by logical decoding that tables lose their rows: all
/// at once, as by one TRUNCATE, for they may refer to each other.
pub fn log_truncation(tables: &[pg_sys::Oid]) {
    /// `RM_HEAP_ID` with this is the record `xl_heap_truncate` (`access/heapam_xlog.h`).
    const TRUNCATE: u8 = 0x30;
    // SAFETY: reads backend state; the bytes live until the record is written.
    unsafe {
        let logical = pg_sys::WalLevel::WAL_LEVEL_LOGICAL;
        if pg_sys::wal_level.cast_unsigned() < logical {
            return;
        }
        let logged: Vec<u32> = tables
            .iter()
            .filter(|table| pg_sys::get_rel_persistence(**table).cast_unsigned() == PERMANENT)
            .map(|table| table.to_u32())
            .collect();
        let Ok(count) = u32::try_from(logged.len()) else {
            return;
        };
        if count == 0 {
            return;
        }
        // Database, number of relations, flags (none) padded to four bytes, relations.
        let words = [pg_sys::MyDatabaseId.to_u32(), count, 0];
        let record: Vec<u8> = words
            .iter()
            .chain(&logged)
            .flat_map(|word| word.to_ne_bytes())
            .collect();
        pg_sys::XLogBeginInsert();
        let length = record.len().try_into().unwrap_or_default();
        pg_sys::XLogRegisterData(record.as_ptr().cast_mut().cast(), length);
        #[allow(clippy::cast_possible_truncation, reason = "a flag of one byte")]
        pg_sys::XLogSetRecordFlags(pg_sys::XLOG_INCLUDE_ORIGIN as u8);
        #[allow(clippy::cast_possible_truncation, reason = "a number of one byte")]
        pg_sys::XLogInsert(pg_sys::RmgrIds::RM_HEAP_ID as u8, TRUNCATE);
    }
}

const PERMANENT: u8 = pg_sys::RELPERSISTENCE_PERMANENT;

/// Locks what belongs to a table against everybody, after the table itself: its TOAST table and all
/// indexes, until the transaction ends.
pub fn lock_alone(table: pg_sys::Oid) {
    // SAFETY: opening raises an error where there is none of that number.
    let all = unsafe {
        let opened = pg_sys::table_open(table, HELD);
        let all = beside(opened);
        pg_sys::table_close(opened, HELD);
        all
    };
    all.into_iter().for_each(heap::lock_alone);
}

/// What serializable transactions have read of single rows and pages they have read of the table:
/// where the rows lie has changed. For a table that is locked alone.
///
/// Where this transaction is serializable itself, the server raises 40001 if one of them must not be
/// followed by it.
pub fn forget_places(table: pg_sys::Oid) {
    // SAFETY: opening raises an error where there is none of that number; the function looks at a
    // table of locks, by the numbers of the relation.
    unsafe {
        let opened = pg_sys::table_open(table, HELD);
        pg_guard_ffi_boundary(|| CheckTableForSerializableConflictIn(opened));
        pg_guard_ffi_boundary(|| TransferPredicateLocksToHeapRelation(opened));
        for index in indexes(opened) {
            let index = pg_sys::index_open(index, HELD);
            pg_guard_ffi_boundary(|| TransferPredicateLocksToHeapRelation(index));
            pg_sys::index_close(index, HELD);
        }
        pg_sys::table_close(opened, HELD);
    }
}

/// # Safety
/// An open relation.
unsafe fn is_kind(opened: pg_sys::Relation, kind: u8) -> bool {
    // SAFETY: a field of an open relation.
    unsafe { (*(*opened).rd_rel).relkind.cast_unsigned() == kind }
}

/// The indexes of a table.
///
/// # Safety
/// An open table.
unsafe fn indexes(opened: pg_sys::Relation) -> Vec<pg_sys::Oid> {
    // SAFETY: the server makes the list for the caller.
    unsafe { PgList::<pg_sys::Oid>::from_pg(pg_sys::RelationGetIndexList(opened)) }
        .iter_oid()
        .collect()
}

/// The relations that belong to a table: its TOAST table, and the indexes of both.
///
/// # Safety
/// An open table.
unsafe fn beside(opened: pg_sys::Relation) -> Vec<pg_sys::Oid> {
    // SAFETY: as the caller promises; a TOAST table lives as long as its table.
    unsafe {
        let mut all = indexes(opened);
        let toast = (*(*opened).rd_rel).reltoastrelid;
        if toast != pg_sys::InvalidOid {
            all.push(toast);
            let toast = pg_sys::table_open(toast, pg_sys::AccessShareLock.cast_signed());
            all.extend(indexes(toast));
            pg_sys::table_close(toast, HELD);
        }
        all
    }
}

/// Gives a relation a new, empty file, of its own kind and in its own place.
///
/// # Safety
/// An open relation, locked as above, that nothing in this session reads.
unsafe fn renew(opened: pg_sys::Relation) {
    // SAFETY: as the caller promises; the old file is deleted by the commit, or the new one by a
    // rollback.
    unsafe {
        let persistence = (*(*opened).rd_rel).relpersistence;
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        pg_sys::RelationSetNewRelfilenode(opened, persistence);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        pg_sys::RelationSetNewRelfilenumber(opened, persistence);
    }
}

/// Builds the indexes of a table in new files.
///
/// # Safety
/// As [`renew`], of the table and its indexes.
unsafe fn rebuild_indexes(opened: pg_sys::Relation) {
    // SAFETY: as the caller promises. The server switches to the owner of the table itself, for what
    // expressions call.
    unsafe {
        for index in indexes(opened) {
            let index = pg_sys::index_open(index, HELD);
            let about = pg_sys::BuildIndexInfo(index);
            renew(index);
            // Over the rows that a snapshot shows, which are all there are: parallel workers lock the
            // index alone otherwise, and wait for readers. An exclusion constraint has no workers, and
            // a second look at all rows that takes them as they come.
            (*about).ii_Concurrent = (*about).ii_ExclusionOps.is_null();
            pg_sys::index_build(opened, index, about, true, true);
            pg_sys::index_close(index, HELD);
            super::server::check_for_interrupts();
        }
    }
}

/// Says in the row of a table whether there are indexes and triggers.
fn set(table: pg_sys::Oid, flags: Flags) {
    let cache = pg_sys::SysCacheIdentifier::RELOID.cast_signed();
    let nothing = pg_sys::Datum::from(0);
    // SAFETY: a copy of the row of a table that is locked, put in the place of the row; the server
    // notes that its descriptor is to be read anew.
    unsafe {
        let lock = pg_sys::RowExclusiveLock.cast_signed();
        let classes = pg_sys::table_open(pg_sys::RelationRelationId, lock);
        let row = pg_sys::SearchSysCacheCopy(cache, table.into(), nothing, nothing, nothing);
        assert!(!row.is_null(), "the row of a locked table");
        let fields = pg_sys::GETSTRUCT(row).cast::<pg_sys::FormData_pg_class>();
        (*fields).relhasindex = flags.indexes;
        (*fields).relhastriggers = flags.triggers;
        pg_sys::CatalogTupleUpdate(classes, &raw mut (*row).t_self, row);
        pg_sys::heap_freetuple(row);
        pg_sys::table_close(classes, lock);
        pg_sys::CommandCounterIncrement();
    }
}
