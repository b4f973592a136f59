//! How transactions and subtransactions end, for state of the backend that must follow them.

use std::cell::RefCell;
use std::ffi::c_void;

use pgrx::pg_sys;
use pgrx::prelude::pg_guard;

use super::report;
use super::snapshot::Active;
use crate::error::Result;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is about to be committed: the last moment to write, or to refuse.
    Committing,
    /// The transaction was committed.
    Committed,
    /// It was rolled back.
    Aborted,
    /// It is about to be prepared (PREPARE TRANSACTION): the last moment to refuse that.
    Preparing,
    /// A subtransaction became part of another one.
    SubCommitted {
        /// Its number.
        id: u32,
        /// Number of the other one.
        parent: u32,
    },
    /// A subtransaction was rolled back.
    SubAborted {
        /// Its number.
        id: u32,
    },
}

/// Whether the transaction may not write.
pub fn is_read_only() -> bool {
    // SAFETY: reads backend state.
    unsafe { pg_sys::XactReadOnly }
}

/// The number of the next transaction to begin, with its epoch.
pub fn next() -> u64 {
    // SAFETY: reads shared memory under its lock.
    unsafe { pg_sys::ReadNextFullTransactionId().value }
}

/// Whether each statement of the transaction sees what was committed before it began.
pub fn is_read_committed() -> bool {
    // SAFETY: reads backend state.
    unsafe { pg_sys::XactIsoLevel <= pg_sys::XACT_READ_COMMITTED.cast_signed() }
}

/// Told of every turn. Only `Committing` and `Preparing` may be refused.
pub type Watcher = fn(Turn) -> Result<()>;

thread_local! {
    static WATCHERS: RefCell<Vec<Watcher>> = const { RefCell::new(Vec::new()) };
}

/// Tells a watcher of every turn from now on, for as long as the session lasts. Once is enough.
pub fn watch(watcher: Watcher) {
    let is_first = WATCHERS.with_borrow_mut(|watchers| {
        let is_first = watchers.is_empty();
        if !watchers
            .iter()
            .any(|known| std::ptr::fn_addr_eq(*known, watcher))
        {
            watchers.push(watcher);
        }
        is_first
    });
    if is_first {
        // SAFETY: both stay loaded as long as the session lasts.
        unsafe {
            pg_sys::RegisterXactCallback(Some(transaction), std::ptr::null_mut());
            pg_sys::RegisterSubXactCallback(Some(subtransaction), std::ptr::null_mut());
        }
    }
}

/// The number of the current subtransaction; 1 is the transaction itself.
pub fn current() -> u32 {
    // SAFETY: reads backend state.
    unsafe { pg_sys::GetCurrentSubTransactionId() }
}

/// The number that the next command will have that writes; what was written so far is seen from now
/// on.
pub fn next_command() -> u32 {
    // SAFETY: as the server's own interface does before each statement that may write; it counts on
    // only where the number was used.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::GetCurrentCommandId(false)
    }
}

/// Whether triggers are called because the transaction ends: no statement is running then. False
/// where a procedure commits.
pub fn is_ending() -> bool {
    // SAFETY: reads backend state.
    unsafe { pg_sys::ActivePortal.is_null() }
}

#[pg_guard]
unsafe extern "C-unwind" fn transaction(event: pg_sys::XactEvent::Type, _arg: *mut c_void) {
    tell(match event {
        pg_sys::XactEvent::XACT_EVENT_PRE_COMMIT => Turn::Committing,
        pg_sys::XactEvent::XACT_EVENT_COMMIT => Turn::Committed,
        // A prepared transaction is none of this session's any more.
        pg_sys::XactEvent::XACT_EVENT_ABORT | pg_sys::XactEvent::XACT_EVENT_PREPARE => {
            Turn::Aborted
        }
        pg_sys::XactEvent::XACT_EVENT_PRE_PREPARE => Turn::Preparing,
        _ => return,
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn subtransaction(
    event: pg_sys::SubXactEvent::Type,
    id: pg_sys::SubTransactionId,
    parent: pg_sys::SubTransactionId,
    _arg: *mut c_void,
) {
    tell(match event {
        pg_sys::SubXactEvent::SUBXACT_EVENT_COMMIT_SUB => Turn::SubCommitted { id, parent },
        pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB => Turn::SubAborted { id },
        _ => return,
    });
}

fn tell(turn: Turn) {
    let watchers = WATCHERS.with_borrow(Clone::clone);
    let is_last_chance = [Turn::Committing, Turn::Preparing].contains(&turn);
    // What is written then needs a view of the data, which the last statement took along.
    let _view = is_last_chance.then(Active::now);
    for watcher in watchers {
        if let Err(error) = watcher(turn)
            && is_last_chance
        {
            report::raise(error);
        }
    }
}
