//! A change of a row that is about to be stored, as a BEFORE trigger for each row is shown it.
//!
//! PostgreSQL source: `commands/trigger.c` (`ExecBRInsertTriggers`, `ExecBRUpdateTriggers`),
//! `replication/logical/worker.c` (`apply_handle_update`, `slot_modify_data`, `apply_handle_tuple_routing`),
//! `commands/copyfrom.c` (`CopyFromErrorCallback`).

use std::ffi::c_void;
use std::ptr;

use pgrx::datum::FromDatum;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::{AllocatedByPostgres, AnyElement, PgTrigger, PgTupleDesc, pg_sys, varlena};

use super::expressions::Expressions;
use super::text;
use crate::error::{Error, Kind, Result};

/// What is done to the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is deleted.
    Delete,
    /// It is inserted.
    Insert,
    /// It is updated.
    Update,
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its number.
    pub number: pg_sys::AttrNumber,
    /// Its name.
    pub name: String,
    /// Its type.
    pub of: pg_sys::Oid,
}

/// A change that has called a trigger.
pub struct Change(*mut pg_sys::TriggerData);

impl Change {
    /// The change that called; `None` where it was no BEFORE trigger for each row that did.
    pub fn of(fcinfo: pg_sys::FunctionCallInfo) -> Option<Self> {
        // SAFETY: the context is NULL or a node.
        unsafe {
            let context = (*fcinfo).context;
            if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
                return None;
            }
            let data: *mut pg_sys::TriggerData = context.cast();
            let mask = pg_sys::TRIGGER_EVENT_TIMINGMASK | pg_sys::TRIGGER_EVENT_ROW;
            let wanted = pg_sys::TRIGGER_EVENT_BEFORE | pg_sys::TRIGGER_EVENT_ROW;
            ((*data).tg_event & mask == wanted).then_some(Self(data))
        }
    }

    /// What is done.
    pub fn act(&self) -> Act {
        // SAFETY: the data of the running call.
        let event = unsafe { (*self.0).tg_event };
        match event & pg_sys::TRIGGER_EVENT_OPMASK {
            pg_sys::TRIGGER_EVENT_INSERT => Act::Insert,
            pg_sys::TRIGGER_EVENT_UPDATE => Act::Update,
            _ => Act::Delete,
        }
    }

    /// The table.
    pub fn relation(&self) -> pg_sys::Oid {
        // SAFETY: the table is open while its triggers are called.
        unsafe { (*(*self.0).tg_relation).rd_id }
    }

    /// Whether the table is a partition.
    pub fn is_of_partition(&self) -> bool {
        // SAFETY: as above.
        unsafe { (*(*(*self.0).tg_relation).rd_rel).relispartition }
    }

    /// The first argument of the trigger, as it is written in its definition.
    pub fn argument(&self) -> Option<String> {
        // SAFETY: a trigger has as many arguments as it says, each NUL-terminated.
        unsafe {
            let trigger = (*self.0).tg_trigger;
            ((*trigger).tgnargs > 0).then(|| text(*(*trigger).tgargs))?
        }
    }

    /// The columns of the table that have values of their own.
    pub fn columns(&self) -> Vec<Column> {
        // SAFETY: the description of an open table; names are NUL-terminated.
        unsafe {
            let described = PgTupleDesc::from_pg_unchecked((*(*self.0).tg_relation).rd_att);
            let there = described.iter().filter(|column| !column.attisdropped);
            there
                .map(|column| Column {
                    number: column.attnum,
                    name: text(column.attname.data.as_ptr()).unwrap_or_default(),
                    of: column.atttypid,
                })
                .collect()
        }
    }

    /// Whether the change says what the column is to hold. An UPDATE that comes from elsewhere leaves
    /// out what the sender did not send, as long values that did not change: the row then has what is
    /// stored here.
    pub fn says(&self, column: pg_sys::AttrNumber) -> bool {
        let member = i32::from(column) - pg_sys::FirstLowInvalidHeapAttributeNumber;
        // SAFETY: a set of columns, or none.
        self.act() != Act::Update
            || unsafe { pg_sys::bms_is_member(member, (*self.0).tg_updatedcols) }
    }

    /// Whether a column has in the row what is stored in it: what was not said must have been taken from
    /// there.
    pub fn is_as_stored(&self, column: pg_sys::AttrNumber) -> bool {
        if self.act() != Act::Update {
            return false;
        }
        // SAFETY: the old and the new row are of the table's description; the number is that of a column
        // in it, whose values are compared by what they are, wherever they lie.
        unsafe {
            let described = (*(*self.0).tg_relation).rd_att;
            let at = usize::try_from(column).unwrap_or(1) - 1;
            let columns = PgTupleDesc::from_pg_unchecked(described);
            let Some(of) = columns.get(at) else {
                return false;
            };
            let (by_value, length) = (of.attbyval, of.attlen);
            let take = |row: pg_sys::HeapTuple| {
                let mut is_null = true;
                let value = pg_sys::heap_getattr(row, i32::from(column), described, &mut is_null);
                (value, is_null)
            };
            let (old, old_null) = take((*self.0).tg_trigtuple);
            let (new, new_null) = take((*self.0).tg_newtuple);
            old_null == new_null && (new_null || is_same(old, new, by_value, length))
        }
    }

    /// The row as it stands: what the trigger returns that changes nothing.
    pub fn as_it_is(&self) -> Option<AnyElement> {
        element(self.row())
    }

    /// The row with some of its columns put: by the expression of that place, or by NULL. Each value
    /// that is `given` to the expressions is that of a column, or NULL.
    ///
    /// # Errors
    /// XX000 when the expressions do not fit. Server errors unwind.
    pub fn rewritten(
        &self,
        by: &Expressions,
        given: &[Option<pg_sys::AttrNumber>],
        put: &[(pg_sys::AttrNumber, Option<usize>)],
    ) -> Result<Option<AnyElement>> {
        let row = self.row();
        // SAFETY: the row is of the table's description, and taken apart into arrays of its width; what
        // the expressions get are columns of the types that they were planned for, as the caller promises
        // by `columns`. The row that is made lives as long as the server expects of a trigger's.
        unsafe {
            let described = (*(*self.0).tg_relation).rd_att;
            let width = usize::try_from((*described).natts).unwrap_or(0);
            let (mut values, mut nulls) = (vec![pg_sys::Datum::from(0); width], vec![true; width]);
            pg_sys::heap_deform_tuple(row, described, values.as_mut_ptr(), nulls.as_mut_ptr());
            let at = |column: pg_sys::AttrNumber| usize::try_from(column).unwrap_or(1) - 1;
            let (mut taken, mut missing): (Vec<_>, Vec<_>) = given
                .iter()
                .map(|column| {
                    column.map_or((pg_sys::Datum::from(0), true), |column| {
                        (values[at(column)], nulls[at(column)])
                    })
                })
                .unzip();
            let (made, made_nulls) = by.compute(&mut taken, &missing)?;
            taken.clear();
            missing.clear();
            let mut places = Vec::with_capacity(put.len());
            for (column, from) in put {
                places.push(i32::from(*column));
                taken.push(from.map_or(pg_sys::Datum::from(0), |from| made[from]));
                missing.push(from.is_none_or(|from| made_nulls[from]));
            }
            let count = i32::try_from(places.len()).unwrap_or(0);
            Ok(element(pg_sys::heap_modify_tuple_by_cols(
                row,
                described,
                count,
                places.as_mut_ptr(),
                taken.as_mut_ptr(),
                missing.as_mut_ptr(),
            )))
        }
    }

    fn row(&self) -> pg_sys::HeapTuple {
        // SAFETY: the data of the running call; an UPDATE has the new row beside the old one.
        unsafe {
            match self.act() {
                Act::Update => (*self.0).tg_newtuple,
                Act::Delete | Act::Insert => (*self.0).tg_trigtuple,
            }
        }
    }
}

/// Whether two values of a type are the same bytes, however they are stored.
///
/// # Safety
/// Values of a column, which is passed and as long as said.
unsafe fn is_same(old: pg_sys::Datum, new: pg_sys::Datum, by_value: bool, length: i16) -> bool {
    if by_value {
        return old.value() == new.value();
    }
    // SAFETY: as the caller promises: so many bytes, or a value that says how many it has. What lies
    // elsewhere is fetched only where the addresses of it differ.
    unsafe {
        if let Ok(length @ 1..) = usize::try_from(length) {
            let bytes = |of: pg_sys::Datum| std::slice::from_raw_parts(of.cast_mut_ptr(), length);
            let (old, new): (&[u8], &[u8]) = (bytes(old), bytes(new));
            return old == new;
        }
        let whole = |of: pg_sys::Datum| -> &[u8] {
            let value: *mut pg_sys::varlena = of.cast_mut_ptr();
            std::slice::from_raw_parts(value.cast(), varlena::varsize_any(value))
        };
        let content = |of: pg_sys::Datum| {
            pgrx::varlena_to_byte_slice(pg_sys::pg_detoast_datum_packed(of.cast_mut_ptr()))
        };
        whole(old) == whole(new) || content(old) == content(new)
    }
}

/// What a trigger returns is the address of a row.
fn element(row: pg_sys::HeapTuple) -> Option<AnyElement> {
    // SAFETY: an address, handed on as it is.
    unsafe {
        AnyElement::from_polymorphic_datum(pg_sys::Datum::from(row), false, pg_sys::TRIGGEROID)
    }
}

/// The trigger that has called a function; anybody who may call it can do so by hand.
///
/// # Errors
/// 0A000 where no trigger has.
pub fn called<'a>(fcinfo: pg_sys::FunctionCallInfo) -> Result<PgTrigger<'a>> {
    // SAFETY: the pointer of the running call, which outlives what is made of it; whether a trigger stands
    // behind it is asked first.
    unsafe { PgTrigger::from_fcinfo(&*fcinfo) }.map_err(|_| {
        Error::new(
            Kind::Unsupported,
            "trigger functions can only be called as triggers",
        )
    })
}

/// What a trigger returns: the row that goes on, or none.
pub fn goes_on(row: Option<PgHeapTuple<'_, AllocatedByPostgres>>) -> Option<AnyElement> {
    element(row.map_or(ptr::null_mut(), PgHeapTuple::into_pg))
}

/// Whether this process applies the changes of a subscription, or copies the tables of one.
pub fn is_in_subscription() -> bool {
    // SAFETY: reads backend state.
    unsafe { pg_sys::IsLogicalWorker() }
}

unsafe extern "C-unwind" {
    /// The server's own: through the wrapper of the bindings it would have another address.
    fn CopyFromErrorCallback(arg: *mut c_void);
}

/// Keeps the row that COPY is reading out of messages from now on: the server would quote the line that it
/// was sent in the CONTEXT of whatever goes wrong with it, here or behind the triggers.
pub fn quote_no_line_of_copy() {
    // SAFETY: a list of callbacks, each of which lives as long as it is in the list. To take one out of it
    // would last until the trigger returns only, since the server then puts back what the list began with;
    // so it says nothing from now on.
    unsafe {
        let quoting = CopyFromErrorCallback as *const ();
        let mut entry = pg_sys::error_context_stack;
        while let Some(here) = entry.as_mut() {
            if here
                .callback
                .is_some_and(|of| ptr::eq(of as *const (), quoting))
            {
                here.callback = Some(say_nothing);
            }
            entry = here.previous;
        }
    }
}

/// Called by the server for every message on its way out.
unsafe extern "C-unwind" fn say_nothing(_: *mut c_void) {}
