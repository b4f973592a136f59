//! Queries: every statement gets a fresh snapshot unless one is handed in, arguments travel as
//! parameters, and a failure of the interface itself is an internal error of ours.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};

use pgrx::datum::{DatumWithOid, FromDatum, IntoDatum};
use pgrx::pg_sys;
use pgrx::spi::Spi;

use super::durable::Held;
use super::row::Column;
use super::snapshot::Snapshot;
use super::text;
use crate::error::{Error, Kind, Result};

pub use super::row::Row;

/// Runs a statement that may write and collects its rows.
///
/// # Errors
/// 25006 on a standby; what `read` returns; XX000 when the interface fails. Server errors unwind.
pub fn rows<T>(
    sql: &str,
    args: &[DatumWithOid<'_>],
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    writable()?;
    Spi::connect_mut(|client| {
        client.update(sql, None, args).map_err(interface)?;
        collect(&mut read)
    })
}

/// Runs a query that only reads, without taking a transaction id: safe in a parallel worker and
/// on a standby. It sees what the calling statement sees, or, once the transaction has a number, what
/// is committed by now: what must hold together is one query.
///
/// # Errors
/// As [`rows`].
pub fn read<T>(
    sql: &str,
    args: &[DatumWithOid<'_>],
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    Spi::connect(|client| {
        client.select(sql, None, args).map_err(interface)?;
        collect(&mut read)
    })
}

/// As [`read`], row by row: however many there are, a thousand are in memory.
///
/// # Errors
/// As [`rows`].
pub fn each(
    sql: &str,
    args: &[DatumWithOid<'_>],
    take: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    each_of_page(1000, sql, args, take)
}

/// As [`each`], for rows of which fewer are in memory.
///
/// # Errors
/// As [`rows`].
pub fn each_of_page(
    rows: std::ffi::c_long,
    sql: &str,
    args: &[DatumWithOid<'_>],
    mut take: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut name = Spi::connect(|client| {
        let cursor = client.try_open_cursor(sql, args).map_err(interface)?;
        Ok::<_, Error>(cursor.detach_into_name())
    })?;
    loop {
        // What was fetched is freed with the connection.
        let more = Spi::connect(|client| {
            let mut cursor = client.find_cursor(&name).map_err(interface)?;
            let page = cursor.fetch(rows).map_err(interface)?;
            if page.is_empty() {
                return Ok(None);
            }
            collect(&mut take)?;
            Ok::<_, Error>(Some(cursor.detach_into_name()))
        })?;
        match more {
            Some(next) => name = next,
            None => return Ok(()),
        }
    }
}

/// Runs a query under `snapshot` and hands its rows to `take`, a thousand at a time: no more are in
/// memory, and `take` may run statements of its own.
///
/// # Errors
/// What `read` and `take` return; XX000 when the interface fails. Server errors unwind.
pub fn each_under<T>(
    sql: &str,
    snapshot: &Snapshot,
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
    mut take: impl FnMut(Vec<T>) -> Result<()>,
) -> Result<()> {
    const PAGE: std::ffi::c_long = 1000;
    let sql = CString::new(sql).map_err(|_| broken("NUL in a statement"))?;
    let name = Spi::connect(|_| {
        let none = std::ptr::null_mut();
        // SAFETY: SPI is connected, the text is NUL-terminated, the snapshot is registered for as
        // long as the borrow lives; a cursor that reads only takes the active one and registers
        // it. Its name is copied before anything else runs.
        unsafe {
            let plan = pg_sys::SPI_prepare(sql.as_ptr(), 0, none);
            if plan.is_null() {
                return Err(broken("a statement could not be prepared"));
            }
            pg_sys::PushActiveSnapshot(snapshot.as_ptr());
            let none = std::ptr::null_mut();
            let portal =
                pg_sys::SPI_cursor_open(std::ptr::null(), plan, none, std::ptr::null(), true);
            pg_sys::PopActiveSnapshot();
            Ok::<_, Error>(CStr::from_ptr((*portal).name).to_owned())
        }
    })?;
    loop {
        let page = Spi::connect(|_| {
            // SAFETY: SPI is connected; the cursor is ours, and open until it is closed below or
            // its (sub)transaction ends, after which nothing runs here.
            unsafe {
                let portal = pg_sys::SPI_cursor_find(name.as_ptr());
                if portal.is_null() {
                    return Err(broken("a cursor has gone"));
                }
                pg_sys::SPI_cursor_fetch(portal, true, PAGE);
                let page = collect(&mut read)?;
                if page.is_empty() {
                    pg_sys::SPI_cursor_close(portal);
                }
                Ok(page)
            }
        })?;
        if page.is_empty() {
            return Ok(());
        }
        take(page)?;
    }
}

/// As [`read`], under the snapshot of the statement that called us, whatever that statement or its
/// transaction wrote: every row of it gets the same answer, also while others commit.
///
/// The text is planned once per session and kept: only for statements that never differ.
///
/// # Errors
/// As [`rows`].
pub fn read_as_caller<T>(
    sql: &'static str,
    args: &[DatumWithOid<'_>],
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    kept(sql, args, &mut read, |plan, values, nulls| {
        // SAFETY: SPI is connected; the arrays have one element for each argument of the plan and
        // outlive the call. Read-only execution uses the active snapshot, that of the caller.
        unsafe { pg_sys::SPI_execute_plan(plan, values, nulls, true, 0) }
    })
}

/// As [`read_as_caller`], for what is committed at this moment and what this transaction wrote,
/// whatever its isolation level shows it otherwise.
///
/// # Errors
/// As [`rows`].
pub fn read_now<T>(
    sql: &'static str,
    args: &[DatumWithOid<'_>],
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    kept(sql, args, &mut read, |plan, values, nulls| {
        // SAFETY: as above; the server copies the snapshot and makes our own changes visible.
        unsafe {
            let latest = pg_sys::GetLatestSnapshot();
            let none = std::ptr::null_mut();
            pg_sys::SPI_execute_snapshot(plan, values, nulls, latest, none, false, true, 0)
        }
    })
}

type Execute = fn(pg_sys::SPIPlanPtr, *mut pg_sys::Datum, *const std::ffi::c_char) -> i32;

fn kept<T>(
    sql: &'static str,
    args: &[DatumWithOid<'_>],
    read: &mut dyn FnMut(&Row<'_>) -> Result<T>,
    execute: Execute,
) -> Result<Vec<T>> {
    let mut values: Vec<pg_sys::Datum> = args
        .iter()
        .map(|arg| {
            arg.datum()
                .map_or(pg_sys::Datum::from(0), |datum| datum.sans_lifetime())
        })
        .collect();
    let nulls: Vec<std::ffi::c_char> = args
        .iter()
        .map(|arg| {
            let mark = if arg.datum().is_none() { b'n' } else { b' ' };
            mark.cast_signed()
        })
        .collect();
    Spi::connect(|_| {
        let plan = kept_plan(sql, args)?;
        let status = execute(plan, values.as_mut_ptr(), nulls.as_ptr());
        if status < 0 {
            return Err(broken(&format!("status {status}")));
        }
        collect(read)
    })
}

/// Reads every row of the statement just executed.
///
/// Each is taken apart at once: to ask the server for one column after another costs as much as
/// hashing them.
fn collect<T>(read: &mut dyn FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    // SAFETY: SPI is connected. Without a result there is no table; with one, it lives until SPI
    // is finished.
    let Some(table) = (unsafe { pg_sys::SPI_tuptable.as_ref() }) else {
        return Ok(Vec::new());
    };
    let (descriptor, tuples) = (table.tupdesc, table.vals);
    let rows = usize::try_from(table.numvals).unwrap_or_default();
    // SAFETY: the descriptor of the table, which has as many attributes as it says.
    let types: Vec<pg_sys::Oid> = unsafe {
        let count = (*descriptor).natts;
        let of = |column| pg_sys::SPI_gettypeid(descriptor, column);
        (1..=count).map(of).collect()
    };
    let mut datums = vec![pg_sys::Datum::from(0); types.len()];
    let mut nulls = vec![true; types.len()];
    let mut columns = Vec::with_capacity(types.len());
    let mut found = Vec::with_capacity(rows);
    for place in 0..rows {
        // SAFETY: a tuple of the table, which the descriptor fits; both arrays have one element for
        // each attribute.
        unsafe {
            let tuple = *tuples.add(place);
            pg_sys::heap_deform_tuple(tuple, descriptor, datums.as_mut_ptr(), nulls.as_mut_ptr());
        }
        columns.clear();
        let values = datums.iter().zip(&nulls).zip(&types);
        columns.extend(values.map(|((datum, is_null), of)| Column {
            datum: *datum,
            is_null: *is_null,
            of: *of,
        }));
        found.push(read(&Row::new(&columns))?);
    }
    Ok(found)
}

thread_local! {
    /// Plans by their text; the server plans them anew when what they name has changed.
    static PLANS: RefCell<HashMap<&'static str, pg_sys::SPIPlanPtr>> = RefCell::default();
}

fn kept_plan(sql: &'static str, args: &[DatumWithOid<'_>]) -> Result<pg_sys::SPIPlanPtr> {
    if let Some(plan) = PLANS.with_borrow(|plans| plans.get(sql).copied()) {
        return Ok(plan);
    }
    let text = CString::new(sql).map_err(|_| broken("NUL in a statement"))?;
    let mut types: Vec<pg_sys::Oid> = args.iter().map(DatumWithOid::oid).collect();
    let count = i32::try_from(types.len()).unwrap_or(i32::MAX);
    // SAFETY: SPI is connected; a kept plan lives as long as the session.
    let plan = unsafe {
        let plan = pg_sys::SPI_prepare(text.as_ptr(), count, types.as_mut_ptr());
        if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
            return Err(broken("a statement could not be prepared"));
        }
        plan
    };
    PLANS.with_borrow_mut(|plans| plans.insert(sql, plan));
    Ok(plan)
}

/// Runs a statement and returns the first column of its first row; `None` without a row or for
/// NULL.
///
/// # Errors
/// As [`rows`].
pub fn one<T: IntoDatum + FromDatum>(sql: &str, args: &[DatumWithOid<'_>]) -> Result<Option<T>> {
    Ok(rows(sql, args, |row| row.get::<T>(1))?
        .into_iter()
        .next()
        .flatten())
}

/// Runs a statement and returns how many rows it processed.
///
/// # Errors
/// As [`rows`].
pub fn run(sql: &str, args: &[DatumWithOid<'_>]) -> Result<u64> {
    writable()?;
    Spi::connect_mut(|client| {
        client.update(sql, None, args).map_err(interface)?;
        Ok(processed())
    })
}

/// Runs a statement of one command under `snapshot`: it sees what the snapshot sees and what this
/// transaction wrote. Returns how many rows it processed.
///
/// # Errors
/// XX000 when the interface fails. Server errors unwind.
pub fn run_under(sql: &str, snapshot: &Snapshot) -> Result<u64> {
    execute_under(sql, snapshot, 0, || Ok(processed()))
}

/// As [`run_under`], for a query of one row: the first column as text. Parallel workers may help.
///
/// # Errors
/// As [`run_under`].
pub fn text_under(sql: &str, snapshot: &Snapshot) -> Result<Option<String>> {
    execute_under(sql, snapshot, pg_sys::CURSOR_OPT_PARALLEL_OK, || {
        // SAFETY: the result of the statement just executed; SPI_getvalue copies into memory that
        // lives as long as the SPI connection.
        unsafe {
            let table = pg_sys::SPI_tuptable;
            if table.is_null() || pg_sys::SPI_processed == 0 {
                return Ok(None);
            }
            Ok(text(pg_sys::SPI_getvalue(
                *(*table).vals,
                (*table).tupdesc,
                1,
            )))
        }
    })
}

fn execute_under<T>(
    sql: &str,
    snapshot: &Snapshot,
    cursor_options: u32,
    result: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let sql = CString::new(sql).map_err(|_| broken("NUL in a statement"))?;
    Spi::connect_mut(|_| {
        // SAFETY: SPI is connected, the text is NUL-terminated, the snapshot is registered for as
        // long as the borrow lives; the plan goes with the SPI connection.
        let status = unsafe {
            let plan = pg_sys::SPI_prepare_cursor(
                sql.as_ptr(),
                0,
                std::ptr::null_mut(),
                cursor_options.cast_signed(),
            );
            if plan.is_null() {
                return Err(broken("a statement could not be prepared"));
            }
            pg_sys::SPI_execute_snapshot(
                plan,
                std::ptr::null_mut(),
                std::ptr::null(),
                snapshot.as_ptr(),
                std::ptr::null_mut(),
                false,
                true,
                0,
            )
        };
        if status < 0 {
            return Err(broken(&format!("status {status}")));
        }
        result()
    })
}

/// A connection of a procedure that may commit; nested queries use the functions above.
pub struct Nonatomic(());

impl Nonatomic {
    /// Connects. The caller must have seen that its call context is not atomic.
    ///
    /// # Errors
    /// XX000 when the interface fails.
    pub fn connect() -> Result<Self> {
        #[allow(clippy::cast_possible_wrap, reason = "a flag of value 1")]
        // SAFETY: a plain call; `Drop` ends the connection.
        let status = unsafe { pg_sys::SPI_connect_ext(pg_sys::SPI_OPT_NONATOMIC as i32) };
        if status < 0 {
            return Err(broken(&format!("status {status}")));
        }
        Ok(Self(()))
    }

    /// Commits, and starts the next transaction at READ COMMITTED whatever the default is: the
    /// ledger's head must be read as it is now.
    ///
    /// # Errors
    /// XX000 when the interface fails. A failing commit unwinds.
    pub fn commit(&self) -> Result<()> {
        // SAFETY: connected with SPI_OPT_NONATOMIC by `connect`, and no subtransaction is open:
        // `subxact::guarded` never yields one to its caller.
        unsafe { pg_sys::SPI_commit() };
        run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", &[])?;
        Ok(())
    }

    /// As [`Nonatomic::commit`]; a request to cancel takes effect after it.
    ///
    /// # Errors
    /// As [`Nonatomic::commit`].
    pub fn commit_undisturbed(&self) -> Result<()> {
        let _held = Held::begin();
        self.commit()
    }
}

impl Drop for Nonatomic {
    fn drop(&mut self) {
        // SAFETY: pairs with `connect`. After an error the (sub)transaction's own clean-up has not
        // run yet, so the connection is still on the stack.
        unsafe { pg_sys::SPI_finish() };
    }
}

/// pgrx has every such statement take a transaction id first, which a standby answers as a defect,
/// XX000.
fn writable() -> Result<()> {
    // SAFETY: reads shared memory.
    if unsafe { pg_sys::RecoveryInProgress() } {
        return Err(Error::new(Kind::ReadOnly, "a standby cannot be written to")
            .with_hint("Do this on the primary."));
    }
    Ok(())
}

fn processed() -> u64 {
    // SAFETY: reading a counter that the last SPI call set.
    unsafe { pg_sys::SPI_processed }
}

fn interface(error: pgrx::spi::Error) -> Error {
    broken(&error.to_string())
}

fn broken(what: &str) -> Error {
    Error::new(Kind::Internal, "server programming interface failed")
        .with_detail(format!("{what}."))
}
