//! Rows put into a temporary table without a statement: what is in them is in no plan, no parameter
//! and no log of one.

use pgrx::{IntoDatum, pg_sys};

use crate::error::{Error, Kind, Result};

/// Puts rows of two texts into a temporary table that has two columns of type text, no index and
/// no trigger.
///
/// # Errors
/// XX000 when the table is another one. Server errors unwind.
pub fn pairs<'a>(table: pg_sys::Oid, rows: impl Iterator<Item = (&'a str, &'a str)>) -> Result<()> {
    let lock = pg_sys::RowExclusiveLock.cast_signed();
    // SAFETY: the table stays open and locked until it is closed below, and the slot is of its form,
    // with a place for each of its two columns. A text is copied by the server before the next one
    // is given. An error in between lets go of all of it.
    unsafe {
        let relation = pg_sys::table_open(table, lock);
        let fits = is_ours(relation);
        if fits {
            let form = pg_sys::table_slot_callbacks(relation);
            let slot = pg_sys::MakeSingleTupleTableSlot((*relation).rd_att, form);
            for (first, second) in rows {
                if let Some(clear) = (*(*slot).tts_ops).clear {
                    clear(slot);
                }
                for (place, value) in [first, second].into_iter().enumerate() {
                    let datum = value.into_datum();
                    *(*slot).tts_isnull.add(place) = datum.is_none();
                    *(*slot).tts_values.add(place) = datum.unwrap_or(pg_sys::Datum::from(0));
                }
                pg_sys::ExecStoreVirtualTuple(slot);
                pg_sys::simple_table_tuple_insert(relation, slot);
            }
            pg_sys::ExecDropSingleTupleTableSlot(slot);
        }
        pg_sys::table_close(relation, lock);
        if !fits {
            return Err(Error::new(
                Kind::Internal,
                "a temporary table is not the one that was made",
            ));
        }
        // For the next statement to see them.
        pg_sys::CommandCounterIncrement();
    }
    Ok(())
}

/// Whether a relation is what [`pairs`] writes to.
///
/// # Safety
/// It is open.
unsafe fn is_ours(relation: pg_sys::Relation) -> bool {
    // SAFETY: an open relation has a row of the catalog and a descriptor.
    unsafe {
        let of = (*relation).rd_rel;
        let columns = pgrx::PgTupleDesc::from_pg_unchecked((*relation).rd_att);
        (*of).relkind.cast_unsigned() == pg_sys::RELKIND_RELATION
            && (*of).relpersistence.cast_unsigned() == pg_sys::RELPERSISTENCE_TEMP
            && !(*of).relhasindex
            && !(*of).relhastriggers
            && columns.len() == 2
            && columns
                .iter()
                .all(|column| column.atttypid == pg_sys::TEXTOID)
    }
}
