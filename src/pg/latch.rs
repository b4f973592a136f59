//! Waiting for a socket the way a backend must: any signal that asks the statement to end, and the
//! death of the server, end the wait at once.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use pgrx::pg_sys;

/// What came of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The socket can be used.
    Ready,
    /// The time is up.
    TimedOut,
    /// The statement, or the session, is to end.
    Interrupted,
}

/// Waits until a socket can be written (`write`) or read, or just waits where there is none.
///
/// Raises nothing itself, so that a caller in the middle of a conversation can tidy up first; it
/// then calls [`super::server::check_for_interrupts`].
pub fn wait(socket: Option<BorrowedFd<'_>>, write: bool, longest: Duration) -> Waited {
    let until = Instant::now() + longest;
    let mut events = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
    if socket.is_some() {
        events |= if write {
            pg_sys::WL_SOCKET_WRITEABLE
        } else {
            pg_sys::WL_SOCKET_READABLE
        };
    }
    loop {
        if asked_to_end() {
            return Waited::Interrupted;
        }
        let left = until.saturating_duration_since(Instant::now());
        // Rounded up: a wait of 0 ms in a loop would spin through the last millisecond.
        let milliseconds = left.as_micros().div_ceil(1000);
        // SAFETY: the latch is this process's own; the descriptor is open for as long as it is
        // borrowed.
        let happened = unsafe {
            let happened = pg_sys::WaitLatchOrSocket(
                pg_sys::MyLatch,
                events.cast_signed(),
                socket.map_or(-1, |socket| socket.as_raw_fd()),
                milliseconds.try_into().unwrap_or(i32::MAX.into()),
                pg_sys::PG_WAIT_EXTENSION,
            );
            if happened.cast_unsigned() & pg_sys::WL_LATCH_SET != 0 {
                pg_sys::ResetLatch(pg_sys::MyLatch);
            }
            happened.cast_unsigned()
        };
        if asked_to_end() {
            return Waited::Interrupted;
        }
        // Others wait for every backend to take note, DROP DATABASE for instance.
        // SAFETY: no lock of the server is held during a conversation with a provider.
        unsafe {
            if pg_sys::ProcSignalBarrierPending != 0 {
                pg_sys::ProcessProcSignalBarrier();
            }
        }
        if happened & pg_sys::WL_SOCKET_MASK != 0 {
            return Waited::Ready;
        }
        if Instant::now() >= until {
            return Waited::TimedOut;
        }
    }
}

fn asked_to_end() -> bool {
    // SAFETY: flags that signal handlers set; reading them is all that is done.
    unsafe { pg_sys::QueryCancelPending != 0 || pg_sys::ProcDiePending != 0 }
}
