//! Rows that stay whatever becomes of the transaction that wrote them.
//!
//! A row goes into a plain table as if it had been frozen already: everybody sees it at once, and
//! ROLLBACK, a savepoint or an exception block do not take it back. A sequence counts the rows. Row
//! and count are in the write-ahead log on disk, and on the synchronous standbys where there are
//! any, before [`append`] returns.
//!
//! Rows lie in the order of their numbers: they are written one at a time, always behind the last
//! one. So the last number is read from the last page, and new rows without an index. The row goes
//! first and the count after it. A server that stops in between leaves a row that is not counted
//! yet and was answered to nobody; a row that is removed leaves a count that is too high.
//!
//! PostgreSQL source: `heap_insert` in `heapam.c` (`HEAP_INSERT_FROZEN` is what COPY FREEZE uses),
//! `RelationGetBufferForTuple` in `hio.c` (without the map of free space a row goes to the last
//! page or to a new one), `do_setval` in `sequence.c`, `RecordTransactionCommit` in `xact.c` for the
//! order of flushing and waiting.

use std::ffi::CStr;

use pgrx::fcinfo::direct_function_call;
use pgrx::{IntoDatum, PgTupleDesc, pg_sys};

use super::durable::{self, Held};
use super::lock::{Class, Turn};
use super::{text, user};
use crate::error::{Error, Kind, Result};

/// A table and the sequence that counts its rows, by name.
#[derive(Clone, Copy, Debug)]
pub struct Log<'a> {
    /// Their schema.
    pub schema: &'a CStr,
    /// The table: its first column is the number, a bigint.
    pub table: &'a CStr,
    /// The sequence.
    pub count: &'a CStr,
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// NULL of whatever type the column has.
    Null,
    /// bytea
    Bytes(Vec<u8>),
    /// smallint
    Short(i16),
    /// integer
    Int(i32),
    /// bigint
    Long(i64),
    /// text
    Text(String),
    /// timestamptz, in microseconds since 2000-01-01 00:00 UTC
    Time(i64),
}

impl Value {
    fn fits(&self, column: pg_sys::Oid) -> bool {
        match self {
            Self::Null => true,
            Self::Bytes(_) => column == pg_sys::BYTEAOID,
            Self::Short(_) => column == pg_sys::INT2OID,
            Self::Int(_) => column == pg_sys::INT4OID,
            Self::Long(_) => column == pg_sys::INT8OID,
            Self::Text(_) => column == pg_sys::TEXTOID,
            Self::Time(_) => column == pg_sys::TIMESTAMPTZOID,
        }
    }

    fn datum(self) -> Option<pg_sys::Datum> {
        match self {
            Self::Null => None,
            Self::Bytes(bytes) => bytes.into_datum(),
            Self::Short(number) => number.into_datum(),
            Self::Int(number) => number.into_datum(),
            Self::Long(number) | Self::Time(number) => number.into_datum(),
            Self::Text(text) => text.into_datum(),
        }
    }
}

/// Refuses where no such row can be written.
///
/// # Errors
/// 25006 on a standby; 25000 while a query runs in parallel.
pub fn writable() -> Result<()> {
    // SAFETY: reads shared memory and backend state.
    let (standby, parallel) = unsafe { (pg_sys::RecoveryInProgress(), pg_sys::IsInParallelMode()) };
    if standby {
        return Err(
            Error::new(Kind::ReadOnly, "a standby cannot keep a record").with_hint(
                "What must be on record before it is answered is answered by the primary only.",
            ),
        );
    }
    if parallel {
        return Err(Error::new(
            Kind::TransactionState,
            "a query that runs in parallel cannot keep a record",
        )
        .with_hint("Declare the function that calls this one PARALLEL UNSAFE."));
    }
    Ok(())
}

/// Appends a row, made by `make` from its number, and returns the number: greater than `least`,
/// than that of every row, and than the count. When this returns, the row is on disk and counted,
/// whatever becomes of the transaction.
///
/// `make` runs while everybody else who appends waits: it only computes.
///
/// # Errors
/// As [`writable`]; 42P17 when the relations are not what they were made to be; 55000 when one of
/// them was made or rewritten in this transaction; 57014 when the wait for a standby was canceled;
/// what `make` returns.
pub fn append(
    log: &Log<'_>,
    least: i64,
    make: impl FnOnce(i64) -> Result<Vec<Value>>,
) -> Result<i64> {
    writable()?;
    // Both locked before the turn is taken: whoever alters one of them and then appends waits for
    // nobody who has the turn.
    let table = Open::table(log)?;
    let count = Open::sequence(log)?;
    let (number, before, end) = {
        let _turn = Turn::take(Class::Append, u64::from(table.oid().to_u32()) << 32);
        let _held = Held::begin();
        // SAFETY: reads backend state: how far this transaction has logged.
        let before = unsafe { pg_sys::XactLastRecEnd };
        let pages = table.pages();
        let last = table.last_number(pages).max(count.last_value());
        let last = last.unwrap_or(0).max(least);
        let number = last
            .checked_add(1)
            .ok_or_else(|| Error::new(Kind::Corrupt, "the numbers of the records are used up"))?;
        table.insert(make(number)?, pages)?;
        count.set(number);
        // SAFETY: reads backend state: the end of what was just logged.
        (number, before, unsafe { pg_sys::XactLastRecEnd })
    };
    // After the turn, so that those who wait together are flushed together.
    durable::flush(end);
    durable::confirm(end)?;
    if before == 0 {
        // What this transaction has logged is on disk: unless it logs more, its commit has nothing
        // to wait for. A commit that is lost then is that of a transaction that changed nothing.
        // SAFETY: backend state; 0 stands for a transaction that has logged nothing.
        unsafe { pg_sys::XactLastRecEnd = 0 };
    }
    Ok(number)
}

/// How far the sequence of a log has counted; `None` before the first record.
///
/// # Errors
/// As [`append`], but for what concerns writing.
pub fn counted(log: &Log<'_>) -> Result<Option<i64>> {
    Ok(Open::relation(log, log.count, pg_sys::AccessShareLock)?.last_value())
}

/// The number of the last row; `None` where there is none.
///
/// # Errors
/// As [`counted`].
pub fn last(log: &Log<'_>) -> Result<Option<i64>> {
    Ok(Open::relation(log, log.table, pg_sys::AccessShareLock)?.last())
}

/// The number of the table, which tells one log from another; 0 where there is none.
pub fn identity(log: &Log<'_>) -> u32 {
    oid(log, log.table).to_u32()
}

/// An open relation. Its lock stays until the transaction ends, as for every statement.
pub(super) struct Open(pg_sys::Relation);

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: opened by `relation`, and closed once.
        unsafe { pg_sys::relation_close(self.0, pg_sys::NoLock as pg_sys::LOCKMODE) };
    }
}

impl Open {
    fn table(log: &Log<'_>) -> Result<Self> {
        let table = Self::writing(log, log.table)?;
        // SAFETY: the entry of an open relation.
        let class = unsafe { &*(*table.0).rd_rel };
        // An index would not get the row, and who reads by it would miss it.
        let is_plain = class.relkind.cast_unsigned() == pg_sys::RELKIND_RELATION
            && class.relam == pg_sys::HEAP_TABLE_AM_OID
            && !class.relhasindex;
        table.checked(is_plain)
    }

    pub(super) fn sequence(log: &Log<'_>) -> Result<Self> {
        let count = Self::writing(log, log.count)?;
        // SAFETY: the entry of an open relation.
        let kind = unsafe { (*(*count.0).rd_rel).relkind };
        count.checked(kind.cast_unsigned() == pg_sys::RELKIND_SEQUENCE)
    }

    fn writing(log: &Log<'_>, name: &CStr) -> Result<Self> {
        Self::relation(log, name, pg_sys::RowExclusiveLock)
    }

    pub(super) fn relation(log: &Log<'_>, name: &CStr, lock: u32) -> Result<Self> {
        let oid = oid(log, name);
        if oid == pg_sys::InvalidOid {
            return Err(altered(&name.to_string_lossy()));
        }
        // SAFETY: the relation was just looked up; one that goes meanwhile is an error of the
        // server.
        Ok(Self(unsafe {
            pg_sys::relation_open(oid, lock.cast_signed())
        }))
    }

    /// Refuses a relation that is not as it was made, and one whose file goes with a rollback.
    fn checked(self, is_plain: bool) -> Result<Self> {
        // SAFETY: the fields of an open relation.
        let (permanent, made, rewritten) = unsafe {
            let relation = &*self.0;
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            let rewritten = [
                relation.rd_newRelfilenodeSubid,
                relation.rd_firstRelfilenodeSubid,
            ];
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            let rewritten = [
                relation.rd_newRelfilelocatorSubid,
                relation.rd_firstRelfilelocatorSubid,
            ];
            let persistence = (*relation.rd_rel).relpersistence.cast_unsigned();
            (
                persistence == pg_sys::RELPERSISTENCE_PERMANENT,
                relation.rd_createSubid != 0,
                rewritten != [0, 0],
            )
        };
        if !is_plain || !permanent {
            return Err(altered(&self.name()));
        }
        if made || rewritten {
            return Err(Error::new(
                Kind::NotReady,
                "a record must outlive this transaction, and its table might not",
            )
            .with_detail(format!(
                "Relation \"{}\" was made or rewritten in this transaction.",
                self.name()
            ))
            .with_hint("Commit first."));
        }
        Ok(self)
    }

    pub(super) fn name(&self) -> String {
        // SAFETY: a NUL-terminated name in the entry of an open relation.
        unsafe { text((*(*self.0).rd_rel).relname.data.as_ptr()) }.unwrap_or_default()
    }

    fn oid(&self) -> pg_sys::Oid {
        // SAFETY: an open relation.
        unsafe { (*self.0).rd_id }
    }

    /// The number of the last row, from the last page that has one.
    fn last_number(&self, pages: pg_sys::BlockNumber) -> Option<i64> {
        (0..pages).rev().find_map(|page| self.last_on_page(page))
    }

    fn last(&self) -> Option<i64> {
        self.last_number(self.pages())
    }

    /// How many pages the table has.
    fn pages(&self) -> pg_sys::BlockNumber {
        // SAFETY: an open table.
        unsafe { pg_sys::RelationGetNumberOfBlocksInFork(self.0, pg_sys::ForkNumber::MAIN_FORKNUM) }
    }

    fn last_on_page(&self, page: pg_sys::BlockNumber) -> Option<i64> {
        // SAFETY: a page of an open table, pinned and share-locked while it is read; an error in
        // between lets go of both when the transaction is rolled back. Line pointers stand behind
        // the header as `bufpage.h` lays them out, and those in use point to a row of this page.
        // The number is the first column, of fixed length, so it stands where the row's data
        // begins, unless it is NULL, whose bit is then 0.
        unsafe {
            let fork = pg_sys::ForkNumber::MAIN_FORKNUM;
            let mode = pg_sys::ReadBufferMode::RBM_NORMAL;
            let buffer = pg_sys::ReadBufferExtended(self.0, fork, page, mode, std::ptr::null_mut());
            pg_sys::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE.cast_signed());
            let start = pg_sys::BufferGetPage(buffer).cast::<u8>();
            let header = &*start.cast::<pg_sys::PageHeaderData>();
            let lines = header.pd_linp.as_ptr();
            let used = usize::from(header.pd_lower)
                .saturating_sub(std::mem::offset_of!(pg_sys::PageHeaderData, pd_linp));
            let mut found = None;
            for line in (0..used / size_of::<pg_sys::ItemIdData>()).rev() {
                let item = &*lines.add(line);
                if item.lp_flags() != pg_sys::LP_NORMAL {
                    continue;
                }
                let row = start
                    .add(item.lp_off() as usize)
                    .cast::<pg_sys::HeapTupleHeaderData>();
                let mut tuple = pg_sys::HeapTupleData {
                    t_len: item.lp_len(),
                    t_tableOid: self.oid(),
                    t_data: row,
                    ..Default::default()
                };
                // What a rolled-back statement left is not there.
                let is_there = pg_sys::HeapTupleSatisfiesVisibility(
                    &raw mut tuple,
                    &raw mut pg_sys::SnapshotSelfData,
                    buffer,
                );
                let has_nulls = u32::from((*row).t_infomask) & pg_sys::HEAP_HASNULL != 0;
                let is_null = has_nulls && *(*row).t_bits.as_ptr() & 1 == 0;
                if is_there && !is_null {
                    let data = row.cast::<u8>().add(usize::from((*row).t_hoff));
                    let number = data.cast::<i64>().read_unaligned();
                    found = found.max(Some(number));
                }
            }
            pg_sys::UnlockReleaseBuffer(buffer);
            found
        }
    }

    fn insert(&self, values: Vec<Value>, pages: pg_sys::BlockNumber) -> Result<()> {
        // SAFETY: the description of an open relation; it is only read here.
        let columns = unsafe { PgTupleDesc::from_pg_unchecked((*self.0).rd_att) };
        let fits = columns.len() == values.len()
            && columns
                .iter()
                .zip(&values)
                .all(|(column, value)| !column.attisdropped && value.fits(column.atttypid));
        if !fits {
            return Err(altered(&self.name()));
        }
        let (mut datums, mut nulls) = (
            Vec::with_capacity(values.len()),
            Vec::with_capacity(values.len()),
        );
        for value in values {
            let datum = value.datum();
            nulls.push(datum.is_none());
            datums.push(datum.unwrap_or(pg_sys::Datum::from(0)));
        }
        // SAFETY: one value of its type for each column. With the last page in place of one that this
        // backend remembers, and without the map of free space, the row goes there or to a new one.
        // It is counted to no command: frozen, it is seen by all of them.
        unsafe {
            let tuple =
                pg_sys::heap_form_tuple((*self.0).rd_att, datums.as_mut_ptr(), nulls.as_mut_ptr());
            let file = (*self.0).rd_smgr;
            if !file.is_null() {
                (*file).smgr_targblock = pages.checked_sub(1).unwrap_or(pg_sys::InvalidBlockNumber);
            }
            let options = pg_sys::HEAP_INSERT_FROZEN | pg_sys::HEAP_INSERT_SKIP_FSM;
            pg_sys::heap_insert(
                self.0,
                tuple,
                pg_sys::GetCurrentCommandId(false),
                options.cast_signed(),
                std::ptr::null_mut(),
            );
            pg_sys::heap_freetuple(tuple);
        }
        Ok(())
    }

    /// How far a sequence has counted; `None` before its first number.
    pub(super) fn last_value(&self) -> Option<i64> {
        self.as_owner(|| {
            // SAFETY: the function takes the number of a sequence, which is open.
            unsafe {
                direct_function_call::<i64>(
                    pg_sys::pg_sequence_last_value,
                    &[self.oid().into_datum()],
                )
            }
        })
    }

    /// Sets a sequence. `nextval` would log 32 numbers ahead and jump after a crash.
    pub(super) fn set(&self, number: i64) {
        let _writable = Writable::begin();
        self.as_owner(|| {
            // SAFETY: the function takes the number of a sequence, which is open, and a bigint.
            unsafe {
                direct_function_call::<i64>(
                    pg_sys::setval_oid,
                    &[self.oid().into_datum(), number.into_datum()],
                )
            }
        });
    }

    /// Whether it belongs to a role, and to that one alone.
    pub(super) fn is_of(&self, owner: pg_sys::Oid) -> bool {
        // SAFETY: the entry of an open relation.
        let belongs = unsafe { (*(*self.0).rd_rel).relowner } == owner;
        belongs && !self.has_grants()
    }

    /// Whether rights on it were given, or taken from its owner.
    fn has_grants(&self) -> bool {
        const ACL: std::ffi::c_int = pg_sys::Anum_pg_class_relacl.cast_signed();
        // SAFETY: the entry of an open relation is in the cache; the value is only asked whether it
        // is NULL.
        unsafe {
            let cache = pg_sys::SysCacheIdentifier::RELOID.cast_signed();
            let entry = pg_sys::SearchSysCache1(cache, self.oid().into());
            if entry.is_null() {
                return true;
            }
            let mut is_null = false;
            pg_sys::SysCacheGetAttr(cache, entry, ACL.try_into().unwrap_or(0), &raw mut is_null);
            pg_sys::ReleaseSysCache(entry);
            !is_null
        }
    }

    fn as_owner<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: the entry of an open relation.
        let owner = unsafe { (*(*self.0).rd_rel).relowner };
        user::acting_as(owner, work)
    }
}

fn oid(log: &Log<'_>, name: &CStr) -> pg_sys::Oid {
    // SAFETY: look-ups of the catalog by NUL-terminated names.
    unsafe {
        let schema = pg_sys::get_namespace_oid(log.schema.as_ptr(), true);
        pg_sys::get_relname_relid(name.as_ptr(), schema)
    }
}

fn altered(name: &str) -> Error {
    Error::new(
        Kind::Definition,
        format!("relation \"{name}\" is not as it was made"),
    )
    .with_detail(
        "Records go into a permanent table with its own columns and without indexes, counted by a \
         permanent sequence.",
    )
    .with_hint("Drop the indexes of the table, and take back what else was altered.")
}

/// A READ ONLY transaction may set the count: it is no data of the transaction.
struct Writable(bool);

impl Writable {
    fn begin() -> Self {
        // SAFETY: backend state; put back by `Drop`.
        unsafe {
            let before = pg_sys::XactReadOnly;
            pg_sys::XactReadOnly = false;
            Self(before)
        }
    }
}

impl Drop for Writable {
    fn drop(&mut self) {
        // SAFETY: puts back what was read above.
        unsafe { pg_sys::XactReadOnly = self.0 };
    }
}
