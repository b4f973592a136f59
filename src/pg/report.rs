//! The one conversion from [`Error`] to what the server raises, and messages to the client.

use pgrx::PgSqlErrorCode;
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
        Kind::UndefinedObject => PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
        Kind::UndefinedSchema => PgSqlErrorCode::ERRCODE_INVALID_SCHEMA_NAME,
        Kind::UndefinedTable => PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
        Kind::Unreachable => PgSqlErrorCode::ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
        Kind::ReadOnly => PgSqlErrorCode::ERRCODE_READ_ONLY_SQL_TRANSACTION,
        Kind::TransactionState => PgSqlErrorCode::ERRCODE_INVALID_TRANSACTION_STATE,
        Kind::Unsupported => PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
    }
}
