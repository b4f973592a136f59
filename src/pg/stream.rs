//! Rows of a query one by one, as they are made: none is kept, and parallel workers may help, which
//! a cursor does without.

use std::ffi::{CString, c_int};

use pgrx::prelude::pg_guard;
use pgrx::spi::Spi;
use pgrx::{PgMemoryContexts, pg_sys};

use super::row::Column;
use super::snapshot::Snapshot;
use crate::error::{Error, Kind, Result};

pub use super::row::Row;

/// Runs a query that only reads and hands its rows on. It sees what the calling statement sees, or
/// what `snapshot` does. An error ends it.
///
/// `take` must not ask the server anything but what a row holds.
///
/// # Errors
/// What `take` returns; XX000 when the interface fails. Server errors unwind.
pub fn each(
    sql: &str,
    snapshot: Option<&Snapshot>,
    mut take: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let sql = CString::new(sql).map_err(|_| broken("NUL in a statement"))?;
    Spi::connect(|_| {
        let mut receiver = Receiver::new(&mut take);
        // SAFETY: SPI is connected, the text is NUL-terminated, and the receiver, which begins with
        // what the server knows of it, outlives the call. Execution that only reads takes the
        // active snapshot. Where an error unwinds, the (sub)transaction takes it away.
        let status = unsafe {
            if let Some(snapshot) = snapshot {
                pg_sys::PushActiveSnapshot(snapshot.as_ptr());
            }
            let options = pg_sys::SPIExecuteOptions {
                read_only: true,
                dest: (&raw mut receiver).cast(),
                ..Default::default()
            };
            let status = pg_sys::SPI_execute_extended(sql.as_ptr(), &raw const options);
            if snapshot.is_some() {
                pg_sys::PopActiveSnapshot();
            }
            status
        };
        if let Some(error) = receiver.failed.take() {
            return Err(error);
        }
        if status < 0 {
            return Err(broken(&format!("status {status}")));
        }
        Ok(())
    })
}

/// What the server hands rows to.
#[repr(C)]
struct Receiver<'a> {
    /// Comes first: all that the server knows of.
    known: pg_sys::DestReceiver,
    take: &'a mut dyn FnMut(&Row<'_>) -> Result<()>,
    types: Vec<pg_sys::Oid>,
    columns: Vec<Column>,
    /// Memory of one row.
    memory: PgMemoryContexts,
    failed: Option<Error>,
}

impl<'a> Receiver<'a> {
    fn new(take: &'a mut dyn FnMut(&Row<'_>) -> Result<()>) -> Self {
        Self {
            known: receiving(receive, start),
            take,
            types: Vec::new(),
            columns: Vec::new(),
            memory: PgMemoryContexts::new("confiture row"),
            failed: None,
        }
    }
}

type Receive =
    unsafe extern "C-unwind" fn(*mut pg_sys::TupleTableSlot, *mut pg_sys::DestReceiver) -> bool;
type Start = unsafe extern "C-unwind" fn(*mut pg_sys::DestReceiver, c_int, pg_sys::TupleDesc);

/// What the server knows of a receiver of rows; at the end there is nothing to do for it.
pub(super) fn receiving(receive: Receive, start: Start) -> pg_sys::DestReceiver {
    pg_sys::DestReceiver {
        receiveSlot: Some(receive),
        rStartup: Some(start),
        rShutdown: Some(end),
        rDestroy: Some(end),
        mydest: pg_sys::CommandDest::DestNone,
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn start(
    this: *mut pg_sys::DestReceiver,
    _operation: c_int,
    descriptor: pg_sys::TupleDesc,
) {
    // SAFETY: the receiver that `each` made; the descriptor has as many attributes as it says.
    unsafe {
        let this = &mut *this.cast::<Receiver<'_>>();
        let of = |column| pg_sys::SPI_gettypeid(descriptor, column);
        this.types = (1..=(*descriptor).natts).map(of).collect();
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn receive(
    slot: *mut pg_sys::TupleTableSlot,
    this: *mut pg_sys::DestReceiver,
) -> bool {
    // SAFETY: as above; a slot that is taken apart has one value and one mark for each attribute,
    // which live until the server fills it anew.
    unsafe {
        let this = &mut *this.cast::<Receiver<'_>>();
        pg_sys::slot_getallattrs(slot);
        this.columns.clear();
        for (place, of) in this.types.iter().enumerate() {
            this.columns.push(Column {
                datum: *(*slot).tts_values.add(place),
                is_null: *(*slot).tts_isnull.add(place),
                of: *of,
            });
        }
        let before = this.memory.set_as_current();
        let taken = (this.take)(&Row::new(&this.columns));
        pg_sys::CurrentMemoryContext = before.value();
        this.memory.reset();
        this.failed = taken.err();
    }
    // SAFETY: as above.
    unsafe { (*this.cast::<Receiver<'_>>()).failed.is_none() }
}

#[pg_guard]
unsafe extern "C-unwind" fn end(_this: *mut pg_sys::DestReceiver) {}

fn broken(what: &str) -> Error {
    Error::new(Kind::Internal, "server programming interface failed")
        .with_detail(format!("{what}."))
}
