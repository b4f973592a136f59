//! The one conversion from [`Error`] to what the server raises, and messages to the client.

use std::ffi::{CString, c_char, c_int};

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::error::{Error, Kind};

impl From<Error> for ErrorReport {
    fn from(error: Error) -> Self {
        let mut report = ErrorReport::new(code(error.kind()), error.message().to_owned(), "");
        if let Some(detail) = error.detail() {
            report = report.set_detail(detail.to_owned());
        }
        if let Some(hint) = error.hint() {
            report = report.set_hint(hint.to_owned());
        }
        report
    }
}

/// Raises the error here: for triggers and other callers that cannot return a `Result`.
pub fn raise(error: Error) -> ! {
    ErrorReport::from(error).report(PgLogLevel::ERROR);
    unreachable!("an ERROR report does not return")
}

/// Tells an interactive user something, without a place in the code.
pub fn notice(message: &str) {
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
        message.to_owned(),
        "",
    )
    .report(PgLogLevel::NOTICE);
}

/// Says that something was done differently than asked.
pub fn warning(message: &str, hint: Option<&str>) {
    let mut report = ErrorReport::new(PgSqlErrorCode::ERRCODE_WARNING, message.to_owned(), "");
    if let Some(hint) = hint {
        report = report.set_hint(hint.to_owned());
    }
    report.report(PgLogLevel::WARNING);
}

/// Writes a line to the server log only.
pub fn log(message: &str) {
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
        message.to_owned(),
        "",
    )
    .report(PgLogLevel::LOG);
}

unsafe extern "C-unwind" {
    fn errstart(level: c_int, domain: *const c_char) -> bool;
    fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
    fn errmsg_internal(format: *const c_char, ...) -> c_int;
    fn errhidestmt(hide: bool) -> c_int;
    fn errhidecontext(hide: bool) -> c_int;
}

/// As [`log`], never sent to the client, and without the statement and the place in the code: for
/// many lines about one statement. Nothing interrupts it.
pub fn line(message: &str) {
    // What the server would take for the end of the text.
    let Ok(message) = CString::new(message.replace('\0', " ")) else {
        return;
    };
    /// Holds off requests to cancel while it lives.
    struct Undisturbed;
    impl Drop for Undisturbed {
        fn drop(&mut self) {
            // SAFETY: takes back what was added below, unless an error has set it to none.
            unsafe {
                pg_sys::InterruptHoldoffCount = pg_sys::InterruptHoldoffCount.saturating_sub(1);
            };
        }
    }
    // SAFETY: a counter of the backend.
    unsafe { pg_sys::InterruptHoldoffCount += 1 };
    let _undisturbed = Undisturbed;
    // SAFETY: the server's own order of calls for a message; the texts are NUL-terminated and
    // outlive it, and the format takes one text.
    unsafe {
        pg_guard_ffi_boundary(|| {
            #[allow(clippy::cast_possible_wrap, reason = "severity levels are small")]
            if errstart(pg_sys::LOG_SERVER_ONLY as c_int, std::ptr::null()) {
                errmsg_internal(c"%s".as_ptr(), message.as_ptr());
                errhidestmt(true);
                errhidecontext(true);
                errfinish(c"report.rs".as_ptr(), 0, c"line".as_ptr());
            }
        });
    }
}

fn code(kind: Kind) -> PgSqlErrorCode {
    match kind {
        Kind::ActiveTransaction => PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION,
        Kind::Corrupt => PgSqlErrorCode::ERRCODE_DATA_CORRUPTED,
        Kind::Credentials => PgSqlErrorCode::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
        Kind::Blank | Kind::Data => PgSqlErrorCode::ERRCODE_DATA_EXCEPTION,
        Kind::DatatypeMismatch => PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
        Kind::Check => PgSqlErrorCode::ERRCODE_CHECK_VIOLATION,
        Kind::Definition => PgSqlErrorCode::ERRCODE_INVALID_OBJECT_DEFINITION,
        Kind::DuplicateObject => PgSqlErrorCode::ERRCODE_DUPLICATE_OBJECT,
        Kind::Exhausted => PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
        Kind::External => PgSqlErrorCode::ERRCODE_SYSTEM_ERROR,
        Kind::InUse => PgSqlErrorCode::ERRCODE_OBJECT_IN_USE,
        Kind::IntegrityConstraint => PgSqlErrorCode::ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION,
        Kind::Internal => PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
        Kind::InvalidParameter | Kind::MissingParameter => {
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE
        }
        Kind::InvalidText => PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
        Kind::Io => PgSqlErrorCode::ERRCODE_IO_ERROR,
        Kind::NotReady => PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        Kind::Permission => PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        Kind::ProgramLimit => PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        Kind::Protocol => PgSqlErrorCode::ERRCODE_PROTOCOL_VIOLATION,
        Kind::Server(code) => PgSqlErrorCode::from(super::subxact::pack(code)),
        Kind::QueryCanceled => PgSqlErrorCode::ERRCODE_QUERY_CANCELED,
        Kind::Throttled => PgSqlErrorCode::ERRCODE_INSUFFICIENT_RESOURCES,
        Kind::UndefinedColumn => PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
        Kind::UndefinedCollation => PgSqlErrorCode::ERRCODE_INDETERMINATE_COLLATION,
        Kind::UndefinedFunction => PgSqlErrorCode::ERRCODE_UNDEFINED_FUNCTION,
        Kind::UndefinedObject => PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
        Kind::UndefinedSchema => PgSqlErrorCode::ERRCODE_INVALID_SCHEMA_NAME,
        Kind::UndefinedTable => PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
        Kind::Unreachable => PgSqlErrorCode::ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
        Kind::ReadOnly => PgSqlErrorCode::ERRCODE_READ_ONLY_SQL_TRANSACTION,
        Kind::TransactionState => PgSqlErrorCode::ERRCODE_INVALID_TRANSACTION_STATE,
        Kind::Unsupported => PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
        Kind::WrongObject => PgSqlErrorCode::ERRCODE_WRONG_OBJECT_TYPE,
        Kind::Vetoed => PgSqlErrorCode::ERRCODE_TRIGGERED_ACTION_EXCEPTION,
    }
}
