//! The rows of an INSERT … SELECT written a page at a time, while parallel workers make them.
//!
//! The server makes no parallel plan for an INSERT, whose rows any process might have to write. It does
//! for CREATE TABLE AS, where one process writes and all of them make rows, and so does this: the
//! statement is analyzed as the INSERT that it is, so that the server decides on rights, conversions and
//! defaults; then it is planned as the SELECT inside of it, with the columns of the table; and the rows
//! are written as COPY writes them. For tables that have neither indexes nor triggers in use.
//!
//! What rows are handed to is without a guard, so that an error of the server passes as it was raised,
//! with the names of the table and the constraint: it holds nothing that would have to be dropped.
//!
//! PostgreSQL source: `commands/createas.c`, `commands/copyfrom.c`, `rewrite/rewriteHandler.c`
//! (`rewriteTargetListIU`), `optimizer/prep/preptlist.c` (`expand_insert_targetlist`),
//! `optimizer/plan/planner.c` (`parallelModeOK`).

use std::ffi::CString;
use std::ptr::null_mut;
use std::time::Instant;

use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::{PgList, pg_sys};

use super::processed;
use super::snapshot::Snapshot;
use crate::error::{Error, Kind, Result};
use query::{insert, select};
use writer::{Writer, flush};

pub use query::checks_are_safe;

mod query;
mod writer;

/// What came of a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Rows written.
    pub rows: u64,
    /// Parallel workers that helped.
    pub workers: u32,
}

/// Runs an INSERT … SELECT under `snapshot`: it sees what that sees and what this transaction wrote.
/// Parallel workers may help where `parallel` says so, the settings allow it, and so does all that is
/// called. `pace` is called with the number of rows after each page of them, and may wait.
///
/// `None` where the table is none that is written this way: nothing was done then.
///
/// # Errors
/// What `pace` returns; XX000 for a text that is no statement. Server errors unwind.
pub fn load(
    sql: &str,
    snapshot: &Snapshot,
    parallel: bool,
    pace: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Option<Loaded>> {
    let broken = |what: &str| Error::new(Kind::Internal, what);
    let sql = CString::new(sql).map_err(|_| broken("NUL in a statement"))?;
    // SAFETY: inside a transaction. All that is made lives in a context of its own, which is deleted
    // when nothing uses it any more; after an error it goes with the one that it was made in.
    unsafe {
        let outer = pg_sys::CurrentMemoryContext;
        let memory = context(outer, c"confiture load");
        pg_sys::MemoryContextSwitchTo(memory);
        pg_sys::CommandCounterIncrement();
        pg_sys::PushCopiedSnapshot(snapshot.as_ptr());
        pg_sys::UpdateActiveSnapshotCommandId();
        let done = insert(&sql).and_then(|query| run(query, &sql, parallel, pace));
        pg_sys::PopActiveSnapshot();
        pg_sys::MemoryContextSwitchTo(outer);
        pg_sys::MemoryContextDelete(memory);
        pg_sys::CommandCounterIncrement();
        done.transpose()
    }
}

/// # Safety
/// A context that lives.
unsafe fn context(
    parent: pg_sys::MemoryContext,
    name: &'static std::ffi::CStr,
) -> pg_sys::MemoryContext {
    // SAFETY: as the caller promises; the name is there for good.
    unsafe {
        pg_sys::AllocSetContextCreateInternal(
            parent,
            name.as_ptr(),
            pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
            pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
            pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
        )
    }
}

/// Runs it, as `load`.
///
/// # Safety
/// As `insert`, for what that has returned.
unsafe fn run(
    query: *mut pg_sys::Query,
    sql: &CString,
    parallel: bool,
    pace: &mut dyn FnMut(u64) -> Result<()>,
) -> Option<Result<Loaded>> {
    // SAFETY: the entry of the table is locked since it was analyzed. Where an error unwinds, the
    // (sub)transaction lets go of everything.
    unsafe {
        let entries = PgList::<pg_sys::RangeTblEntry>::from_pg((*query).rtable);
        let place = usize::try_from((*query).resultRelation)
            .ok()?
            .checked_sub(1)?;
        let entry = entries.get_ptr(place)?;
        let table = pg_sys::table_open((*entry).relid, pg_sys::NoLock.cast_signed());
        let is_one = query::is_plain(table) && select(query, table).is_some();
        if !is_one {
            pg_sys::table_close(table, pg_sys::NoLock.cast_signed());
            return None;
        }
        let may_help = parallel && query::worst((*entry).relid) != pg_sys::PROPARALLEL_UNSAFE;
        let options = if may_help {
            pg_sys::CURSOR_OPT_PARALLEL_OK
        } else {
            0
        };
        let plan = pg_sys::pg_plan_query(query, sql.as_ptr(), options.cast_signed(), null_mut());

        // While workers run, the transaction gets no number and no command one.
        pg_sys::GetCurrentTransactionId();
        let mut writer = Writer::new(table, pg_sys::GetCurrentCommandId(true), pace);
        let timed = match processed::are_times_wanted() {
            true => pg_sys::InstrumentOption::INSTRUMENT_TIMER.cast_signed(),
            false => 0,
        };
        let execution = pg_sys::CreateQueryDesc(
            plan,
            sql.as_ptr(),
            pg_sys::GetActiveSnapshot(),
            null_mut(),
            (&raw mut writer).cast(),
            null_mut(),
            null_mut(),
            timed,
        );
        processed::await_rows_for((&raw mut writer).cast());
        let begun = Instant::now();
        pg_sys::ExecutorStart(execution, 0);
        #[cfg(not(feature = "pg18"))]
        pg_sys::ExecutorRun(
            execution,
            pg_sys::ScanDirection::ForwardScanDirection,
            0,
            true,
        );
        #[cfg(feature = "pg18")]
        pg_sys::ExecutorRun(execution, pg_sys::ScanDirection::ForwardScanDirection, 0);
        let failed = writer.failed();
        if failed.is_none() {
            pg_guard_ffi_boundary(|| flush(&raw mut writer));
        }
        processed::took(begun.elapsed().as_secs_f64());
        let loaded = Loaded {
            rows: (*(*execution).estate).es_processed,
            workers: launched((*execution).planstate),
        };
        pg_sys::ExecutorFinish(execution);
        pg_sys::ExecutorEnd(execution);
        pg_sys::FreeQueryDesc(execution);
        writer.end();
        pg_sys::table_close(table, pg_sys::NoLock.cast_signed());
        Some(match failed {
            Some(error) => Err(error),
            None => Ok(loaded),
        })
    }
}

/// How many workers helped a plan that has run.
///
/// # Safety
/// The state of a node, or NULL.
unsafe fn launched(node: *mut pg_sys::PlanState) -> u32 {
    // SAFETY: the tag says what a node is.
    unsafe {
        let mut node = node;
        while !node.is_null() {
            node = match (*node).type_ {
                pg_sys::NodeTag::T_GatherState => {
                    let gather: *mut pg_sys::GatherState = node.cast();
                    return u32::try_from((*gather).nworkers_launched).unwrap_or(0);
                }
                pg_sys::NodeTag::T_SubqueryScanState => {
                    (*node.cast::<pg_sys::SubqueryScanState>()).subplan
                }
                _ => (*node).lefttree,
            };
        }
        0
    }
}
