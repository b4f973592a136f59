//! Waiting until what was logged is safe: on disk, and on the standbys that count.

use pgrx::pg_sys;

use super::{guc, server, text};
use crate::error::{Error, Kind, Result};

/// Brings the write-ahead log up to `end`, a position that was logged, to the disk.
pub(super) fn flush(end: pg_sys::XLogRecPtr) {
    // SAFETY: a plain call.
    unsafe { pg_sys::XLogFlush(end) };
}

/// Waits until the synchronous standbys have the log up to `end` on disk, where there are any: also
/// when the session would not wait for them at its commit.
///
/// # Errors
/// 57014 when the wait was canceled.
pub(super) fn confirm(end: pg_sys::XLogRecPtr) -> Result<()> {
    const ON: i32 = pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_REMOTE_FLUSH.cast_signed();
    // SAFETY: settings of the server, NUL-terminated or NULL.
    let (standbys, senders, level) = unsafe {
        (
            text(pg_sys::SyncRepStandbyNames).unwrap_or_default(),
            pg_sys::max_wal_senders,
            pg_sys::synchronous_commit,
        )
    };
    if standbys.is_empty() || senders == 0 {
        return Ok(());
    }
    if level < ON {
        guc::with(&[("synchronous_commit", "on")], || wait(end))
    } else {
        wait(end)
    }
}

fn wait(end: pg_sys::XLogRecPtr) -> Result<()> {
    // So that what is pending afterwards came meanwhile.
    server::check_for_interrupts();
    let held = Held::begin();
    // SAFETY: interrupts are held, as the function asks. It returns when the standbys have
    // confirmed, when none is asked for any longer, or when the wait was canceled, which it says by
    // a warning only and by taking the request. The positions are those of the standbys that count.
    let canceled = unsafe {
        pg_sys::SyncRepWaitForLSN(end, false);
        let confirmed = (&raw const (*pg_sys::WalSndCtl).lsn[pg_sys::SYNC_REP_WAIT_FLUSH as usize])
            .read_volatile();
        confirmed < end
            && pg_sys::InterruptPending != 0
            && pg_sys::QueryCancelPending == 0
            && pg_sys::ProcDiePending == 0
    };
    drop(held);
    if canceled {
        return Err(Error::new(
            Kind::QueryCanceled,
            "the wait for the synchronous standby was canceled",
        )
        .with_detail(
            "The record is kept here, and no standby has confirmed it: nothing is answered.",
        ));
    }
    server::check_for_interrupts();
    Ok(())
}

/// No cancel or terminate request takes effect meanwhile.
pub(super) struct Held;

impl Held {
    pub(super) fn begin() -> Self {
        // SAFETY: backend state; the counter is put back by `Drop`.
        unsafe { pg_sys::InterruptHoldoffCount += 1 };
        Self
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: backend state. An error of the server has put the counter to 0 already.
        unsafe {
            pg_sys::InterruptHoldoffCount = pg_sys::InterruptHoldoffCount.saturating_sub(1);
        }
    }
}
