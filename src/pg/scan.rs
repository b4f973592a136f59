//! Rows of our own tables, read straight by an index: to start a query for one row, as their owner
//! and with a search path of its own, takes ten times as long as to read it.
//!
//! Nobody's rights are asked for, and no code of anybody runs but the comparison of built-in types.
//! So a table is named by a constant, and what is read is what our own statements would read.

use std::ffi::{CStr, CString};

use pgrx::datum::IntoDatum;
use pgrx::fcinfo::direct_function_call_as_datum;
use pgrx::{PgTupleDesc, pg_sys};

use super::row::{Column, Row};
use super::snapshot::Snapshot;
use super::text;
use crate::error::{Error, Kind, Result};

/// A table, of ours or of the catalog, and what is read of it.
pub struct Lookup {
    /// Its schema.
    pub schema: &'static CStr,
    /// Its name.
    pub table: &'static CStr,
    /// The index on the columns that are asked for, from its first one on. Without it the whole
    /// table is read.
    pub index: Option<&'static CStr>,
    /// The columns of a row, in this order.
    pub columns: &'static [&'static str],
}

/// What a column must equal.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// bytea.
    Bytes(&'a [u8]),
    /// integer.
    Integer(i32),
    /// name.
    Name(&'a str),
    /// text.
    Text(&'a str),
    /// uuid.
    Uuid([u8; 16]),
}

/// A table that is open to be read under one snapshot.
pub struct Table<'a> {
    relation: pg_sys::Relation,
    description: PgTupleDesc<'static>,
    index: pg_sys::Oid,
    /// Where the columns of a row stand, and their types.
    places: Vec<(usize, pg_sys::Oid)>,
    snapshot: Option<&'a Snapshot>,
}

const LOCK: pg_sys::LOCKMODE = pg_sys::AccessShareLock.cast_signed();

impl<'a> Table<'a> {
    /// Opens a table, to be read under a snapshot; without one, as the server reads its catalogs. Its
    /// lock stays until the transaction ends, as for every statement.
    ///
    /// # Errors
    /// 42P17 when the table or a column is not there.
    pub fn open(place: &Lookup, snapshot: impl Into<Option<&'a Snapshot>>) -> Result<Self> {
        // SAFETY: look-ups of the catalog by NUL-terminated names; a table that goes meanwhile is
        // an error of the server.
        let (relation, index) = unsafe {
            let schema = pg_sys::get_namespace_oid(place.schema.as_ptr(), true);
            let oid = |name: &CStr| pg_sys::get_relname_relid(name.as_ptr(), schema);
            let table = oid(place.table);
            if table == pg_sys::InvalidOid {
                return Err(altered(place.table));
            }
            let index = place.index.map_or(pg_sys::InvalidOid, oid);
            let is_its =
                index != pg_sys::InvalidOid && pg_sys::IndexGetRelation(index, true) == table;
            let index = if is_its { index } else { pg_sys::InvalidOid };
            (pg_sys::table_open(table, LOCK), index)
        };
        let mut opened = Self {
            relation,
            // SAFETY: the description of an open relation, which does not change under its lock.
            description: unsafe { PgTupleDesc::from_pg_unchecked((*relation).rd_att) },
            index,
            places: Vec::with_capacity(place.columns.len()),
            snapshot: snapshot.into(),
        };
        for name in place.columns {
            let found = opened.column(name).ok_or_else(|| altered(place.table))?;
            let found = (found.0, found.1.atttypid);
            opened.places.push(found);
        }
        Ok(opened)
    }

    /// The rows in which columns equal what is given, in no order; `read` is told, too, whether this
    /// very transaction wrote the row.
    ///
    /// # Errors
    /// 42P17 when a column is not there or of another type; what `read` returns.
    pub fn find<T>(
        &self,
        keys: &[(&str, Key<'_>)],
        mut read: impl FnMut(&Row<'_>, bool) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut asked = keys
            .iter()
            .map(|(column, key)| self.key(column, key))
            .collect::<Result<Vec<_>>>()?;
        let mut scan = Scan::begin(self, &mut asked);
        let width = self.description.len();
        let (mut datums, mut nulls) = (vec![pg_sys::Datum::from(0); width], vec![true; width]);
        let (mut columns, mut found) = (Vec::with_capacity(self.places.len()), Vec::new());
        while let Some(tuple) = scan.next() {
            // SAFETY: a row of the relation, which stays where it is until the next one is asked
            // for; both arrays have one element for each column.
            let is_own = unsafe {
                let (values, marks) = (datums.as_mut_ptr(), nulls.as_mut_ptr());
                pg_sys::heap_deform_tuple(tuple, self.description.as_ptr(), values, marks);
                is_own(tuple)
            };
            columns.clear();
            columns.extend(self.places.iter().map(|&(at, of)| Column {
                datum: datums[at],
                is_null: nulls[at],
                of,
            }));
            found.push(read(&Row::new(&columns), is_own)?);
        }
        Ok(found)
    }

    /// A column, and where it stands, from 0.
    fn column(&self, name: &str) -> Option<(usize, &pg_sys::FormData_pg_attribute)> {
        let is_it = |column: &pg_sys::FormData_pg_attribute| {
            // SAFETY: NUL-terminated, as every name.
            let found = unsafe { CStr::from_ptr(column.attname.data.as_ptr()) };
            found.to_bytes() == name.as_bytes() && !column.attisdropped
        };
        self.description
            .iter()
            .enumerate()
            .find(|(_, column)| is_it(column))
    }

    fn key(&self, column: &str, key: &Key<'_>) -> Result<pg_sys::ScanKeyData> {
        let (equals, of, datum) = match *key {
            Key::Bytes(bytes) => (pg_sys::F_BYTEAEQ, pg_sys::BYTEAOID, bytes.into_datum()),
            Key::Integer(number) => (pg_sys::F_INT4EQ, pg_sys::INT4OID, number.into_datum()),
            Key::Name(name) => (pg_sys::F_NAMEEQ, pg_sys::NAMEOID, as_name(name)),
            Key::Text(text) => (pg_sys::F_TEXTEQ, pg_sys::TEXTOID, text.into_datum()),
            Key::Uuid(id) => {
                let id = pgrx::Uuid::from_bytes(id);
                (pg_sys::F_UUID_EQ, pg_sys::UUIDOID, id.into_datum())
            }
        };
        let found = self
            .column(column)
            .filter(|(_, column)| column.atttypid == of);
        let ((at, column), datum) = found.zip(datum).ok_or_else(|| {
            // SAFETY: the name in the entry of an open relation.
            altered(unsafe { CStr::from_ptr((*(*self.relation).rd_rel).relname.data.as_ptr()) })
        })?;
        let mut made = pg_sys::ScanKeyData::default();
        #[allow(clippy::cast_possible_truncation, reason = "such numbers are small")]
        // SAFETY: a comparison of the column's type, with the collation that its index has too.
        unsafe {
            pg_sys::ScanKeyEntryInitialize(
                &raw mut made,
                0,
                at as pg_sys::AttrNumber + 1,
                pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
                pg_sys::InvalidOid,
                column.attcollation,
                equals.into(),
                datum,
            );
        }
        Ok(made)
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        // An error of the server lets go of it by itself.
        if !std::thread::panicking() {
            // SAFETY: opened by `open`, and closed once.
            unsafe { pg_sys::table_close(self.relation, pg_sys::NoLock.cast_signed()) };
        }
    }
}

/// A scan that is begun.
struct Scan(pg_sys::SysScanDesc);

impl Scan {
    /// Begins it; the keys must stay where they are until it ends.
    fn begin(table: &Table<'_>, keys: &mut [pg_sys::ScanKeyData]) -> Self {
        // SAFETY: an open relation, an index of it or none, a registered snapshot or none, and as many keys
        // as are said, each on a column that the index has.
        Self(unsafe {
            pg_sys::systable_beginscan(
                table.relation,
                table.index,
                table.index != pg_sys::InvalidOid,
                table
                    .snapshot
                    .map_or(std::ptr::null_mut(), Snapshot::as_ptr),
                i32::try_from(keys.len()).unwrap_or_default(),
                keys.as_mut_ptr(),
            )
        })
    }

    fn next(&mut self) -> Option<pg_sys::HeapTuple> {
        // SAFETY: a scan that has not ended.
        let tuple = unsafe { pg_sys::systable_getnext(self.0) };
        (!tuple.is_null()).then_some(tuple)
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        // As above.
        if !std::thread::panicking() {
            // SAFETY: begun by `begin`, and ended once.
            unsafe { pg_sys::systable_endscan(self.0) };
        }
    }
}

/// Whether this very transaction wrote a row.
///
/// # Safety
/// The row is there.
unsafe fn is_own(tuple: pg_sys::HeapTuple) -> bool {
    // SAFETY: the header of a row, as the caller promises; then backend state.
    unsafe {
        let header = &*(*tuple).t_data;
        let is_frozen =
            u32::from(header.t_infomask) & pg_sys::HEAP_XMIN_FROZEN == pg_sys::HEAP_XMIN_FROZEN;
        let writer = header.t_choice.t_heap.t_xmin;
        !is_frozen && pg_sys::TransactionIdIsCurrentTransactionId(writer)
    }
}

/// A name as the server compares it; `None` for a text that is none.
fn as_name(text: &str) -> Option<pg_sys::Datum> {
    let text = CString::new(text).ok()?;
    // SAFETY: NUL-terminated; the function copies it.
    unsafe {
        direct_function_call_as_datum(pg_sys::namein, &[Some(pg_sys::Datum::from(text.as_ptr()))])
    }
}

fn altered(table: &CStr) -> Error {
    // SAFETY: NUL-terminated.
    let name = unsafe { text(table.as_ptr()) }.unwrap_or_default();
    Error::new(
        Kind::Definition,
        format!("relation \"{name}\" is not as it was made"),
    )
    .with_hint("Restore the extension's tables from a backup of this installation.")
}
