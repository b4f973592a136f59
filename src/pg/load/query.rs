//! Statements and tables as trees of the server: what an INSERT selects, and what workers may not call.

use std::ffi::CString;
use std::ptr::null_mut;

use pgrx::{PgBox, PgList, PgTupleDesc, pg_sys};

use crate::pg::heap;

/// Whether every CHECK of a table may be evaluated by a parallel worker.
pub fn checks_are_safe(table: u32) -> bool {
    // SAFETY: opening raises an error where there is none of that number.
    unsafe {
        let opened = pg_sys::table_open(table.into(), LOCK);
        let hazard = hazard(opened, false);
        pg_sys::table_close(opened, pg_sys::NoLock.cast_signed());
        hazard == pg_sys::PROPARALLEL_SAFE
    }
}

/// Analyzes the statement; `None` where it is more than one INSERT.
///
/// # Safety
/// A snapshot is active.
pub(super) unsafe fn insert(sql: &CString) -> Option<*mut pg_sys::Query> {
    // SAFETY: the trees are the caller's, in its memory.
    unsafe {
        let parsed = PgList::<pg_sys::RawStmt>::from_pg(pg_sys::pg_parse_query(sql.as_ptr()));
        let statement = parsed.get_ptr(0).filter(|_| parsed.len() == 1)?;
        #[cfg(feature = "pg14")]
        let rewritten =
            pg_sys::pg_analyze_and_rewrite(statement, sql.as_ptr(), null_mut(), 0, null_mut());
        #[cfg(not(feature = "pg14"))]
        let rewritten = pg_sys::pg_analyze_and_rewrite_fixedparams(
            statement,
            sql.as_ptr(),
            std::ptr::null(),
            0,
            null_mut(),
        );
        let rewritten = PgList::<pg_sys::Query>::from_pg(rewritten);
        let query = rewritten.get_ptr(0).filter(|_| rewritten.len() == 1)?;
        ((*query).commandType == pg_sys::CmdType::CMD_INSERT).then_some(query)
    }
}

/// Whether a table is written without anything beside its rows.
///
/// # Safety
/// An open table.
pub(super) unsafe fn is_plain(table: pg_sys::Relation) -> bool {
    // SAFETY: fields of an open table, and of its partitions, which are locked by the caller.
    unsafe {
        let is_one = |table: pg_sys::Relation| {
            let about = (*table).rd_rel;
            let is_partitioned =
                (*about).relkind.cast_unsigned() == pg_sys::RELKIND_PARTITIONED_TABLE;
            let is_written = (*about).relkind.cast_unsigned() == pg_sys::RELKIND_RELATION
                && !(*about).relhasindex
                && !(*table).rd_tableam.is_null()
                && (*(*table).rd_tableam).multi_insert.is_some();
            (*table).trigdesc.is_null() && (is_partitioned || is_written)
        };
        !(*(*table).rd_rel).relispartition
            && parts((*table).rd_id).into_iter().all(|part| {
                let part = pg_sys::table_open(part, LOCK);
                let is_one = is_one(part);
                pg_sys::table_close(part, pg_sys::NoLock.cast_signed());
                is_one
            })
    }
}

const LOCK: pg_sys::LOCKMODE = pg_sys::AccessShareLock.cast_signed();

/// A table, and its partitions if it has some.
///
/// # Safety
/// A table that is there.
unsafe fn parts(table: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    // SAFETY: as the caller promises; the server makes the list for the caller.
    unsafe {
        if pg_sys::get_rel_relkind(table).cast_unsigned() != pg_sys::RELKIND_PARTITIONED_TABLE {
            return vec![table];
        }
        [vec![table], heap::parts(table)].concat()
    }
}

/// The worst of what the CHECKs and generated columns of a table and its partitions call.
///
/// # Safety
/// As `parts`.
pub(super) unsafe fn worst(table: pg_sys::Oid) -> u8 {
    // SAFETY: as the caller promises.
    unsafe {
        let hazards = parts(table).into_iter().map(|part| {
            let opened = pg_sys::table_open(part, LOCK);
            let hazard = hazard(opened, true);
            pg_sys::table_close(opened, pg_sys::NoLock.cast_signed());
            hazard
        });
        let all: Vec<u8> = hazards.collect();
        let order = [pg_sys::PROPARALLEL_UNSAFE, pg_sys::PROPARALLEL_RESTRICTED];
        let found = order.into_iter().find(|of| all.contains(of));
        found.unwrap_or(pg_sys::PROPARALLEL_SAFE)
    }
}

/// Makes of an INSERT the SELECT of its rows, with every column of the table, in order; `None` where there
/// is none.
///
/// # Safety
/// An INSERT that was analyzed, and its table.
pub(super) unsafe fn select(query: *mut pg_sys::Query, table: pg_sys::Relation) -> Option<()> {
    // SAFETY: nodes of the tree, and new ones in the same memory.
    unsafe {
        let given = PgList::<pg_sys::TargetEntry>::from_pg((*query).targetList);
        let described = PgTupleDesc::from_pg_unchecked((*table).rd_att);
        let mut columns = PgList::<pg_sys::TargetEntry>::new();
        for column in described.iter() {
            let written = given
                .iter_ptr()
                .find(|entry| (**entry).resno == column.attnum && !(**entry).resjunk);
            if let Some(entry) = written {
                columns.push(entry);
                continue;
            }
            let nothing = null_of(column);
            let entry = pg_sys::makeTargetEntry(nothing, column.attnum, null_mut(), false);
            columns.push(entry);
        }
        if given.iter_ptr().any(|entry| (*entry).resjunk) || columns.is_empty() {
            return None;
        }
        (*query).commandType = pg_sys::CmdType::CMD_SELECT;
        (*query).resultRelation = 0;
        (*query).targetList = columns.into_pg();
        Some(())
    }
}

/// NULL for a column that is not written; the constraints of a domain are asked about it.
///
/// # Safety
/// A column of a table that is open.
unsafe fn null_of(column: &pg_sys::FormData_pg_attribute) -> *mut pg_sys::Expr {
    // SAFETY: new nodes, and look-ups of the catalog.
    unsafe {
        if column.attisdropped {
            let zero = pg_sys::Datum::from(0);
            let none = pg_sys::InvalidOid;
            return pg_sys::makeConst(pg_sys::INT4OID, -1, none, 4, zero, true, true).cast();
        }
        let mut modifier = column.atttypmod;
        let base = pg_sys::getBaseTypeAndTypmod(column.atttypid, &raw mut modifier);
        let nothing = pg_sys::makeNullConst(base, modifier, column.attcollation);
        if base == column.atttypid {
            return nothing.cast();
        }
        let domain = pg_sys::coerce_to_domain(
            nothing.cast(),
            base,
            modifier,
            column.atttypid,
            pg_sys::CoercionContext::COERCION_IMPLICIT,
            pg_sys::CoercionForm::COERCE_IMPLICIT_CAST,
            -1,
            false,
        );
        domain.cast()
    }
}

/// The worst of what a table's CHECKs and, where asked for, its generated columns call.
///
/// # Safety
/// An open table.
unsafe fn hazard(table: pg_sys::Relation, generated: bool) -> u8 {
    // SAFETY: the descriptor and its texts live while the table is open; nodes in the memory of the
    // caller.
    unsafe {
        let constraints = (*(*table).rd_att).constr;
        if constraints.is_null() {
            return pg_sys::PROPARALLEL_SAFE;
        }
        let mut expressions = PgList::<pg_sys::TargetEntry>::new();
        let mut add = |text: *mut std::ffi::c_char| {
            let expression = pg_sys::stringToNode(text);
            let entry = pg_sys::makeTargetEntry(expression.cast(), 1, null_mut(), false);
            expressions.push(entry);
        };
        for place in 0..(*constraints).num_check {
            add((*(*constraints).check.add(place.into())).ccbin);
        }
        let described = PgTupleDesc::from_pg_unchecked((*table).rd_att);
        for place in 0..(*constraints).num_defval {
            let default = &*(*constraints).defval.add(place.into());
            let is_it = |column: &pg_sys::FormData_pg_attribute| {
                column.attnum == default.adnum && column.attgenerated != 0
            };
            if generated && described.iter().any(is_it) {
                add(default.adbin);
            }
        }
        let query = PgBox::<pg_sys::Query>::alloc_node(pg_sys::NodeTag::T_Query).into_pg();
        (*query).commandType = pg_sys::CmdType::CMD_SELECT;
        (*query).targetList = expressions.into_pg();
        pg_sys::max_parallel_hazard(query).cast_unsigned()
    }
}
