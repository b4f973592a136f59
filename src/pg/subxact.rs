//! Work that can be undone: an internal subtransaction around a closure.
//!
//! Catching a server error and going on is sound only in a subtransaction that is rolled back
//! (PostgreSQL source, `src/pl/plpgsql/src/pl_exec.c`, exception blocks).

use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::AssertUnwindSafe;

use pgrx::PgTryBuilder;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;

use super::text;
use crate::error::{Error, Kind, Sqlstate};

/// Why guarded work failed.
pub enum Failure {
    /// Our own error.
    Own(Error),
    /// The server raised one.
    Server(ServerError),
}

/// What the server said. The texts may hold row values: never pass them on unseen.
pub struct ServerError {
    /// Five characters.
    pub sqlstate: Sqlstate,
    /// Primary message.
    pub message: String,
    /// HINT.
    pub hint: Option<String>,
    /// Schema of the table concerned, where the server names one.
    pub schema: Option<String>,
    /// Table concerned.
    pub table: Option<String>,
    /// Column concerned.
    pub column: Option<String>,
    /// Constraint concerned.
    pub constraint: Option<String>,
    cause: Box<CaughtError>,
}

impl ServerError {
    /// Raises it again, as it was.
    fn raise(self) -> ! {
        NAMES.set(Names {
            schema: self.schema,
            table: self.table,
            column: self.column,
            constraint: self.constraint,
        });
        self.cause.rethrow()
    }
}

/// Runs `work` in a subtransaction. Success keeps its effects; any failure rolls all of them back
/// and leaves the surrounding transaction usable.
///
/// # Errors
/// What `work` returned, or the server error it met.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
    // SAFETY: inside a transaction. Context and owner are put back on both ways out, as plpgsql
    // does; the stack of error context callbacks is put back by `Watch`.
    let (context, owner) = unsafe {
        let saved = (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner);
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::CurrentMemoryContext = saved.0;
        saved
    };
    let watch = Watch::start();
    let outcome = PgTryBuilder::new(AssertUnwindSafe(|| work().map_err(Failure::Own)))
        .catch_others(|error| Err(Failure::Server(caught(error))))
        .catch_rust_panic(|error| Err(Failure::Server(caught(error))))
        .execute();
    drop(watch);
    // SAFETY: the subtransaction begun above is the current one: whatever `work` began, it ended.
    unsafe {
        match outcome {
            Ok(_) => pg_sys::ReleaseCurrentSubTransaction(),
            Err(_) => pg_sys::RollbackAndReleaseCurrentSubTransaction(),
        }
        pg_sys::CurrentMemoryContext = context;
        pg_sys::CurrentResourceOwner = owner;
    }
    outcome
}

/// As [`guarded`], but what ends more than this work is raised as it was: a cancel, a shutdown, a
/// lack of room, a defect.
///
/// # Errors
/// What `work` returned, or the server error it met.
pub fn tried<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
    const CLASSES: [&str; 4] = ["53", "57", "58", "XX"];
    match guarded(work) {
        Err(Failure::Server(error))
            if CLASSES.contains(&error.sqlstate.as_str().get(..2).unwrap_or_default()) =>
        {
            error.raise()
        }
        outcome => outcome,
    }
}

/// As [`guarded`], where somebody may have written the same meanwhile: `None` where a unique index
/// said so. Every other error is raised as it was.
///
/// # Errors
/// What `work` returns.
pub fn unless_taken<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<Option<T>, Error> {
    match guarded(work) {
        Ok(done) => Ok(Some(done)),
        Err(Failure::Own(error)) => Err(error),
        Err(Failure::Server(error)) if error.sqlstate.as_str() == "23505" => Ok(None),
        Err(Failure::Server(error)) => error.raise(),
    }
}

/// As [`guarded`], where locks may not be had in time: `None` where one was not, and all that were got
/// are given back; also where two sessions would have waited for each other. Every other error is
/// raised as it was.
///
/// # Errors
/// What `work` returns.
pub fn unless_locked<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<Option<T>, Error> {
    match guarded(work) {
        Ok(done) => Ok(Some(done)),
        Err(Failure::Own(error)) => Err(error),
        Err(Failure::Server(error)) if ["55P03", "40P01"].contains(&error.sqlstate.as_str()) => {
            Ok(None)
        }
        Err(Failure::Server(error)) => error.raise(),
    }
}

/// As [`guarded`], where a built-in limit may be passed: `None` where it was. Every other error is
/// raised as it was.
///
/// # Errors
/// What `work` returns.
pub fn unless_too_large<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<Option<T>, Error> {
    match guarded(work) {
        Ok(done) => Ok(Some(done)),
        Err(Failure::Own(error)) => Err(error),
        Err(Failure::Server(error)) if error.sqlstate.as_str() == "54000" => Ok(None),
        Err(Failure::Server(error)) => error.raise(),
    }
}

/// Runs `work` in a subtransaction, and once more where it was canceled. For what has to be on record
/// after a cancel: the server sends the signal of one to the process and to its group, so that it may
/// come twice, and a person presses the keys twice. Whoever cancels a third time is heard.
///
/// # Errors
/// What `work` returns. Every other error is raised as it was.
pub fn insisting<T>(work: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    match guarded(&work) {
        Ok(done) => Ok(done),
        Err(Failure::Own(error)) => Err(error),
        Err(Failure::Server(error)) if error.sqlstate.as_str() == "57014" => work(),
        Err(Failure::Server(error)) => error.raise(),
    }
}

/// Runs `work`, which reads something, in a subtransaction; `None` when the server refuses to read
/// just that: rights, locks, servers that are away. Every other error is raised as it was.
///
/// # Errors
/// What `work` returns.
pub fn unless_unreadable<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<Option<T>, Error> {
    const CLASSES: [&str; 5] = ["08", "22", "42", "55", "HV"];
    match guarded(work) {
        Ok(done) => Ok(Some(done)),
        Err(Failure::Own(error)) => Err(error),
        Err(Failure::Server(error)) => {
            let state = error.sqlstate.as_str();
            if CLASSES.iter().any(|class| state.starts_with(class)) {
                return Ok(None);
            }
            error.raise()
        }
    }
}

/// As [`tried`], where rows are read: of an error of the server the SQLSTATE is kept, and its words only
/// where they speak of nothing but objects; others may hold values.
///
/// # Errors
/// What `work` returns; `what` with the server's SQLSTATE.
pub fn in_our_words<T>(what: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    const OF_OBJECTS: [&str; 7] = [
        "3F000", "40P01", "42501", "42703", "42P01", "55P03", "57014",
    ];
    match tried(work) {
        Ok(done) => Ok(done),
        Err(Failure::Own(error)) => Err(error),
        Err(Failure::Server(error)) if OF_OBJECTS.contains(&error.sqlstate.as_str()) => {
            let of_objects = Error::new(Kind::Server(error.sqlstate), error.message);
            Err(match error.hint {
                Some(hint) => of_objects.with_hint(hint),
                None => of_objects,
            })
        }
        Err(Failure::Server(error)) => {
            let detail = format!(
                "The server reports SQLSTATE {}; its message is left out because it may hold row values.",
                error.sqlstate.as_str()
            );
            Err(Error::new(Kind::Server(error.sqlstate), what).with_detail(detail))
        }
    }
}

fn caught(error: CaughtError) -> ServerError {
    let report = match &error {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => report,
        CaughtError::RustPanic { ereport, .. } => ereport,
    };
    let names = NAMES.with_borrow_mut(std::mem::take);
    ServerError {
        sqlstate: unpack(report.sql_error_code() as i32),
        message: report.message().to_owned(),
        hint: report.hint().map(str::to_owned),
        schema: names.schema,
        table: names.table,
        column: names.column,
        constraint: names.constraint,
        cause: Box::new(error),
    }
}

/// Unpacks the five characters (PostgreSQL source, `MAKE_SQLSTATE` in `elog.h`).
fn unpack(code: i32) -> Sqlstate {
    let characters: String = (0..5)
        .map(|i| {
            let six_bits = (code >> (6 * i)) & 0x3f;
            char::from(b'0' + u8::try_from(six_bits).unwrap_or(0))
        })
        .collect();
    Sqlstate::new(&characters)
}

/// Packs the five characters as the server does.
pub(super) fn pack(code: Sqlstate) -> i32 {
    code.as_str().bytes().enumerate().fold(0, |packed, (i, c)| {
        packed | ((i32::from(c) - i32::from(b'0')) & 0x3f) << (6 * i)
    })
}

#[derive(Default)]
struct Names {
    schema: Option<String>,
    table: Option<String>,
    column: Option<String>,
    constraint: Option<String>,
}

thread_local! {
    static NAMES: RefCell<Names> = RefCell::default();
}

/// Notes the object names of an error while it is being raised: pgrx's report does not carry
/// them, and reading them out of the translated message would be guessing.
struct Watch(Box<pg_sys::ErrorContextCallback>);

impl Watch {
    fn start() -> Self {
        NAMES.with_borrow_mut(|names| *names = Names::default());
        // SAFETY: pushes one element, which lives in the box until `Drop` pops it.
        unsafe {
            let mut callback = Box::new(pg_sys::ErrorContextCallback {
                previous: pg_sys::error_context_stack,
                callback: Some(note_names),
                arg: std::ptr::null_mut(),
            });
            pg_sys::error_context_stack = &raw mut *callback;
            Self(callback)
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: nothing pushed later outlives the guarded closure.
        unsafe { pg_sys::error_context_stack = self.0.previous };
    }
}

/// Called by `errfinish` for every message on its way out, with the message on top of the stack.
unsafe extern "C-unwind" fn note_names(_: *mut c_void) {
    // SAFETY: an error is on the stack, as the caller is `errfinish`. The copy must not be made in
    // ErrorContext; the transaction's context outlives it.
    unsafe {
        let before = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = pg_sys::CurTransactionContext;
        let data = pg_sys::CopyErrorData();
        #[allow(clippy::cast_possible_wrap, reason = "severity levels are small")]
        if (*data).elevel >= pg_sys::PGERROR as i32 {
            let names = Names {
                schema: text((*data).schema_name),
                table: text((*data).table_name),
                column: text((*data).column_name),
                constraint: text((*data).constraint_name),
            };
            NAMES.with_borrow_mut(|slot| *slot = names);
        }
        pg_sys::FreeErrorData(data);
        pg_sys::CurrentMemoryContext = before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstate_survives_packing() {
        for code in ["23505", "XX001", "P0001", "57014"] {
            assert_eq!(unpack(pack(Sqlstate::new(code))).as_str(), code);
        }
    }
}
