//! Parallel workers of the server: processes that help the statement of another one, the leader.
//!
//! PostgreSQL source: `access/transam/parallel.c`.

use std::cell::Cell;
use std::ffi::c_void;

use pgrx::pg_sys;
use pgrx::prelude::pg_guard;

/// Whether this process is such a worker.
pub fn is_worker() -> bool {
    // SAFETY: reads backend state.
    unsafe { pg_sys::ParallelWorkerNumber >= 0 }
}

/// The process that this one helps; `None` where it helps none.
pub fn leader() -> Option<i32> {
    // SAFETY: the entry of this process, and of the leader of its group, which it joined before
    // anything of the statement runs and whose entry stays while it helps.
    unsafe {
        let mine = pg_sys::MyProc;
        if mine.is_null() || (*mine).lockGroupLeader.is_null() {
            return None;
        }
        Some((*(*mine).lockGroupLeader).pid).filter(|_| is_worker())
    }
}

thread_local! {
    static LAST: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// Calls `work` when this worker has done its part, before the leader hears so. Not after an error.
pub fn at_end(work: fn()) {
    if LAST.replace(Some(work)).is_none() {
        // SAFETY: the function stays loaded as long as the process lasts.
        unsafe { pg_sys::RegisterXactCallback(Some(ended), std::ptr::null_mut()) };
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn ended(event: pg_sys::XactEvent::Type, _arg: *mut c_void) {
    if event == pg_sys::XactEvent::XACT_EVENT_PARALLEL_PRE_COMMIT
        && let Some(work) = LAST.get()
    {
        work();
    }
}
