//! One row of anybody's table, read by where it lies: no statement, no plan, no code of anybody.
//!
//! Who may see the row is for the caller to say; that the row is one which the running statement
//! may see at all is seen to here.

use std::cell::Cell;
use std::ffi::{CStr, CString};

use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::{PgList, PgMemoryContexts, PgTupleDesc, pg_sys};

use super::codec::{Codec, Whole};
use crate::error::Result;

unsafe extern "C-unwind" {
    /// `catalog/pg_inherits.h`, of which pgrx has no declarations.
    fn find_all_inheritors(
        parent: pg_sys::Oid,
        lock: pg_sys::LOCKMODE,
        numbers: *mut *mut pg_sys::List,
    ) -> *mut pg_sys::List;
    /// Likewise.
    fn has_subclass(relation: pg_sys::Oid) -> bool;
}

/// Where a row lies, as `ctid` says.
#[derive(Clone, Copy)]
pub struct Tid(pg_sys::ItemPointerData);

impl Tid {
    /// Reads an argument of type tid; `None` for NULL.
    pub fn argument(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> Option<Self> {
        let datum = super::call::raw(fcinfo, place)?;
        // SAFETY: the caller asks for an argument that the function declares as tid.
        Some(Self(unsafe {
            *datum.cast_mut_ptr::<pg_sys::ItemPointerData>()
        }))
    }

    fn block(self) -> u32 {
        (u32::from(self.0.ip_blkid.bi_hi) << 16) | u32::from(self.0.ip_blkid.bi_lo)
    }
}

/// The number of a relation; `None` where there is none of that name.
pub fn relation(schema: &str, name: &str) -> Option<pg_sys::Oid> {
    let (schema, name) = (CString::new(schema).ok()?, CString::new(name).ok()?);
    // SAFETY: look-ups of the catalog by NUL-terminated names; no longer than names are.
    let found = unsafe {
        let schema = pg_sys::get_namespace_oid(schema.as_ptr(), true);
        pg_sys::get_relname_relid(name.as_ptr(), schema)
    };
    (found != pg_sys::InvalidOid).then_some(found)
}

/// The schema and the name of a relation; `None` where there is none of that number.
pub fn name(relation: pg_sys::Oid) -> Option<(String, String)> {
    // SAFETY: look-ups of the catalog; the results are palloc'ed texts or NULL.
    unsafe {
        let name = super::text(pg_sys::get_rel_name(relation))?;
        let schema = pg_sys::get_namespace_name(pg_sys::get_rel_namespace(relation));
        Some((super::text(schema)?, name))
    }
}

/// What a relation is: `r` table, `p` partitioned, `v` view, …
pub fn kind(relation: pg_sys::Oid) -> char {
    // SAFETY: a look-up of the catalog, 0 for what is not there.
    char::from(unsafe { pg_sys::get_rel_relkind(relation) }.cast_unsigned())
}

/// Partitions and children of a relation, and theirs, locked against changes.
///
/// # Safety
/// A relation that is locked.
pub(super) unsafe fn parts(relation: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    const LOCK: pg_sys::LOCKMODE = pg_sys::AccessShareLock.cast_signed();
    // SAFETY: as the caller promises; the server makes the list for the caller.
    unsafe {
        if !pg_guard_ffi_boundary(|| has_subclass(relation)) {
            return Vec::new();
        }
        let null = std::ptr::null_mut();
        let all = pg_guard_ffi_boundary(|| find_all_inheritors(relation, LOCK, null));
        let all = PgList::<pg_sys::Oid>::from_pg(all);
        all.iter_oid().filter(|part| *part != relation).collect()
    }
}

/// Who owns a relation that is there and locked, or was just looked up.
pub fn owner(relation: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: opening raises an error where there is none of that number; its entry lives until it
    // is closed.
    unsafe {
        let opened = pg_sys::relation_open(relation, LOCK);
        let owner = (*(*opened).rd_rel).relowner;
        pg_sys::relation_close(opened, pg_sys::NoLock.cast_signed());
        owner
    }
}

/// Whether a role may read a column, by a right on it or on the relation.
pub fn may_read(relation: pg_sys::Oid, column: &str, role: pg_sys::Oid) -> bool {
    // 32 bits until PostgreSQL 15.
    #[allow(clippy::useless_conversion, reason = "of the same type there")]
    let mode = pg_sys::AclMode::from(pg_sys::ACL_SELECT);
    // SAFETY: look-ups of the catalog for a relation that was just found.
    unsafe {
        pg_sys::pg_class_aclcheck(relation, role, mode) == pg_sys::AclResult::ACLCHECK_OK
            || self::column(relation, column).is_some_and(|number| {
                pg_sys::pg_attribute_aclcheck(relation, number, role, mode)
                    == pg_sys::AclResult::ACLCHECK_OK
            })
    }
}

/// The number of a column; `None` where there is none of that name.
pub fn column(relation: pg_sys::Oid, name: &str) -> Option<pg_sys::AttrNumber> {
    let name = CString::new(name).ok()?;
    // SAFETY: a look-up of the catalog by a NUL-terminated name, 0 for what is not there.
    let found = unsafe { pg_sys::get_attnum(relation, name.as_ptr()) };
    (found > 0).then_some(found)
}

/// Whether a column holds labels of an enum, or arrays of them.
pub fn is_enum(relation: pg_sys::Oid, column: pg_sys::AttrNumber) -> bool {
    // SAFETY: look-ups of the catalog, 0 for what is not there.
    unsafe {
        let of = pg_sys::get_atttype(relation, column);
        if of == pg_sys::InvalidOid {
            return false;
        }
        let of = pg_sys::getBaseType(of);
        let element = pg_sys::get_element_type(of);
        let scalar = match element == pg_sys::InvalidOid {
            true => of,
            false => pg_sys::getBaseType(element),
        };
        pg_sys::type_is_enum(scalar)
    }
}

/// Locks a relation against being changed in its definition or dropped, until the transaction ends.
pub fn lock_shared(relation: pg_sys::Oid) {
    // SAFETY: as below.
    unsafe { pg_sys::LockRelationOid(relation, LOCK) };
}

/// Keeps the relation of a name as it is until the transaction ends; `None` where there is none. Who
/// has to wait for the lock may get it for what bears another name by then, so that the name is looked up
/// again.
pub fn hold(schema: &str, name: &str) -> Option<pg_sys::Oid> {
    let mut found = relation(schema, name)?;
    loop {
        lock_shared(found);
        let now = relation(schema, name)?;
        if now == found {
            return Some(found);
        }
        found = now;
    }
}

/// Locks a relation against everybody until the transaction ends.
pub fn lock_alone(relation: pg_sys::Oid) {
    // SAFETY: a plain call, which may be canceled; a number without a relation may be locked too.
    unsafe { pg_sys::LockRelationOid(relation, pg_sys::AccessExclusiveLock.cast_signed()) };
}

/// Whether row-level security hides rows of a table from a role, whatever `row_security` is.
pub fn hides_rows(table: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a look-up of the catalog for a relation that was just found; no error is asked for.
    let found = unsafe { pg_sys::check_enable_rls(table, role, true) };
    found == pg_sys::CheckEnableRlsResult::RLS_ENABLED.cast_signed()
}

const LOCK: pg_sys::LOCKMODE = pg_sys::AccessShareLock.cast_signed();

/// What reads rows of one table: some of its columns.
pub struct Reader {
    relation: pg_sys::Oid,
    slot: *mut pg_sys::TupleTableSlot,
    columns: Vec<(pg_sys::AttrNumber, Codec)>,
    last: pg_sys::AttrNumber,
    blocks: Cell<u32>,
}

/// Why rows of a table are not read.
pub enum Unreadable {
    /// It is no table that has rows of its own.
    Kind,
    /// A column of that name is not there.
    Column(String),
}

impl Reader {
    /// Looks the columns of a table up, in memory of the call site. What was looked up holds as long
    /// as [`super::change::generation`] says the same.
    ///
    /// # Errors
    /// 42804 for a column of a type that no value is read of.
    pub fn at(
        fcinfo: pg_sys::FunctionCallInfo,
        relation: pg_sys::Oid,
        columns: &[&str],
    ) -> Result<Result<Self, Unreadable>> {
        if kind(relation) != 'r' {
            return Ok(Err(Unreadable::Kind));
        }
        // SAFETY: opening raises an error where there is none of that number; what is made lives
        // where the call site does, and the description is a copy.
        unsafe {
            let opened = pg_sys::table_open(relation, LOCK);
            let mut found = Vec::with_capacity(columns.len());
            let mut missing = None;
            let described = PgTupleDesc::from_pg_unchecked((*opened).rd_att);
            for name in columns {
                let column = described.iter().find(|column| {
                    let found = CStr::from_ptr(column.attname.data.as_ptr());
                    found.to_bytes() == name.as_bytes() && !column.attisdropped
                });
                match column {
                    Some(column) => {
                        let of = pg_sys::getBaseType(column.atttypid);
                        found.push((column.attnum, Codec::at(fcinfo, of)?));
                    }
                    None => missing = Some((*name).to_owned()),
                }
            }
            drop(described);
            let mut context = PgMemoryContexts::For((*(*fcinfo).flinfo).fn_mcxt);
            let slot = context.switch_to(|_| {
                let described = pg_sys::CreateTupleDescCopyConstr((*opened).rd_att);
                pg_sys::MakeSingleTupleTableSlot(described, pg_sys::table_slot_callbacks(opened))
            });
            pg_sys::table_close(opened, pg_sys::NoLock.cast_signed());
            if let Some(missing) = missing {
                return Ok(Err(Unreadable::Column(missing)));
            }
            Ok(Ok(Self {
                relation,
                slot,
                last: found.iter().map(|column| column.0).max().unwrap_or(0),
                columns: found,
                blocks: Cell::new(0),
            }))
        }
    }

    /// The table read.
    pub fn relation(&self) -> pg_sys::Oid {
        self.relation
    }

    /// How values of a column are read and written, by its place among those asked for.
    pub fn codec(&self, place: usize) -> &Codec {
        &self.columns[place].1
    }

    /// Hands a row to `work`; `None` where no row lies there that the running statement may see.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn read<T>(
        &self,
        tid: Tid,
        work: impl for<'a> FnOnce(Found<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut tid = tid;
        if tid.0.ip_posid == 0 {
            return Ok(None);
        }
        // SAFETY: the table is open while it is read, under a lock that lasts; the slot was made for
        // it, and what is read out of it is gone when it is cleared. An error of the server lets go
        // of the page by itself.
        unsafe {
            let opened = pg_sys::table_open(self.relation, LOCK);
            if tid.block() >= self.blocks.get() {
                let main = pg_sys::ForkNumber::MAIN_FORKNUM;
                let blocks = pg_sys::RelationGetNumberOfBlocksInFork(opened, main);
                self.blocks.set(blocks);
            }
            let is_there = tid.block() < self.blocks.get()
                && pg_sys::ActiveSnapshotSet()
                && pg_sys::table_tuple_fetch_row_version(
                    opened,
                    &raw mut tid.0,
                    pg_sys::GetActiveSnapshot(),
                    self.slot,
                );
            let done = is_there.then(|| {
                if self.last > 0 {
                    pg_sys::slot_getsomeattrs(self.slot, self.last.into());
                }
                work(Found(self))
            });
            clear(self.slot);
            pg_sys::table_close(opened, pg_sys::NoLock.cast_signed());
            done.transpose()
        }
    }
}

/// A row that was found.
pub struct Found<'a>(&'a Reader);

impl<'a> Found<'a> {
    /// The value of a column, by its place among those asked for; `None` for NULL.
    pub fn column(&self, place: usize) -> Option<Whole<'a>> {
        let (number, codec) = self.0.columns.get(place)?;
        let at = usize::try_from(*number).unwrap_or(1) - 1;
        // SAFETY: the slot holds a row, taken apart as far as its last column asked for; the value
        // is of the column's type.
        unsafe {
            let slot = &*self.0.slot;
            (!*slot.tts_isnull.add(at)).then(|| codec.whole(*slot.tts_values.add(at)))
        }
    }
}

/// Lets go of the page.
///
/// # Safety
/// A slot that was made.
unsafe fn clear(slot: *mut pg_sys::TupleTableSlot) {
    // SAFETY: every kind of slot has this function.
    unsafe {
        if let Some(clear) = (*(*slot).tts_ops).clear {
            clear(slot);
        }
    }
}
