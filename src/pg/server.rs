//! Facts about this server and session.

use std::path::PathBuf;

use pgrx::pg_sys;

use super::{spi, text};
use crate::error::Result;

/// The data directory.
pub fn data_directory() -> PathBuf {
    // SAFETY: set before any backend starts, never freed.
    PathBuf::from(unsafe { text(pg_sys::DataDir) }.unwrap_or_default())
}

/// Bytes that are free on the file system of the data directory; `None` where it does not say.
pub fn free_bytes() -> Option<u64> {
    let found = rustix::fs::statvfs(data_directory()).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

/// Microseconds since 2000-01-01 00:00 UTC, the server's own count.
pub fn now() -> i64 {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}

unsafe extern "C" {
    /// Not pgrx's declaration: it never raises an error, and is asked for at every row, where the
    /// guard around calls that may raise one would cost more than the call.
    fn GetCurrentStatementStartTimestamp() -> pg_sys::TimestampTz;
}

/// When the statement of the client began, in the same count: differs between statements.
pub fn statement_start() -> i64 {
    // SAFETY: reads backend state.
    unsafe { GetCurrentStatementStartTimestamp() }
}

/// When the transaction began, in the same count: differs between transactions.
pub fn transaction_start() -> i64 {
    // SAFETY: reads backend state.
    unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }
}

/// The address a client came from: its numeric host, `[local]` where there is none.
///
/// # Errors
/// XX000 when the interface fails.
pub fn client_host() -> Result<String> {
    let found = spi::read(
        "SELECT coalesce(pg_catalog.host(pg_catalog.inet_client_addr()), '[local]')",
        &[],
        |row| row.required::<String>(1),
    )?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// The `application_name` of the session.
pub fn application_name() -> String {
    // SAFETY: a setting of the server, NUL-terminated or NULL.
    unsafe { text(pg_sys::application_name) }.unwrap_or_default()
}

/// The process id of the backend.
pub fn pid() -> i32 {
    // SAFETY: reads backend state.
    unsafe { pg_sys::MyProcPid }
}

/// When the session began, in microseconds since 2000-01-01 00:00 UTC.
pub fn session_start() -> i64 {
    // SAFETY: reads backend state.
    unsafe { pg_sys::MyStartTimestamp }
}

/// How the client proved who it is, as `method:name`; `None` where it did not have to, and before
/// PostgreSQL 16.
pub fn system_user() -> Option<String> {
    #[cfg(not(any(feature = "pg14", feature = "pg15")))]
    // SAFETY: a text of the session, NUL-terminated or NULL.
    return unsafe { text(pg_sys::GetSystemUser()) };
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    None
}

/// The id that initdb gave this cluster; its physical copies share it.
pub fn system_identifier() -> i64 {
    // SAFETY: reads shared memory.
    let number = unsafe { pg_sys::GetSystemIdentifier() };
    i64::from_ne_bytes(number.to_ne_bytes())
}

/// The timeline that is written: another one after a promotion and after a restore to an earlier
/// point. Not on a standby.
pub fn timeline() -> i32 {
    #[cfg(feature = "pg14")]
    // SAFETY: reads backend state.
    let number = unsafe { pg_sys::ThisTimeLineID };
    #[cfg(not(feature = "pg14"))]
    // SAFETY: reads shared memory; nothing is written on a standby.
    let number = unsafe { pg_sys::GetWALInsertionTimeLine() };
    i32::from_ne_bytes(number.to_ne_bytes())
}

/// The current transaction, with its epoch. It gets a number if it has none.
pub fn transaction_id() -> i64 {
    // SAFETY: inside a transaction.
    let number = unsafe { pg_sys::GetTopFullTransactionId() }.value;
    i64::from_ne_bytes(number.to_ne_bytes())
}

/// The name of the current database.
pub fn database() -> String {
    // SAFETY: a catalog look-up inside a transaction.
    unsafe { text(pg_sys::get_database_name(pg_sys::MyDatabaseId)) }.unwrap_or_default()
}

/// The server's version, as in `server_version_num`.
pub fn version_num() -> i32 {
    #[allow(clippy::cast_possible_wrap, reason = "six digits")]
    {
        pg_sys::PG_VERSION_NUM as i32
    }
}

/// Whether a transaction id, as in the system column `xmin`, is that of the current transaction or
/// of a part of it.
pub fn is_own_transaction(xid: u32) -> bool {
    // SAFETY: compares with backend state, inside a transaction.
    unsafe { pg_sys::TransactionIdIsCurrentTransactionId(xid.into()) }
}

/// Lets a cancel or terminate request take effect.
pub fn check_for_interrupts() {
    pgrx::check_for_interrupts!();
}

/// Whether a row was written by this transaction, a subtransaction included: `xmin` is what its
/// system column of that name says.
pub fn wrote(xmin: u32) -> bool {
    // SAFETY: reads backend state.
    unsafe { pg_sys::TransactionIdIsCurrentTransactionId(xmin.into()) }
}
