//! A registered snapshot: one view of the data for as many statements as a run has.

use pgrx::pg_sys;

/// A snapshot that stays valid until dropped.
pub struct Snapshot(pg_sys::Snapshot);

impl Snapshot {
    /// Takes the data as committed now.
    pub fn now() -> Self {
        // SAFETY: inside a transaction; registration copies the static snapshot.
        Self(unsafe { pg_sys::RegisterSnapshot(pg_sys::GetTransactionSnapshot()) })
    }

    pub(super) fn as_ptr(&self) -> pg_sys::Snapshot {
        self.0
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // SAFETY: registered by `now` under the resource owner that is current again here: a
        // snapshot is dropped in the (sub)transaction that took it, also while unwinding.
        unsafe { pg_sys::UnregisterSnapshot(self.0) };
    }
}
