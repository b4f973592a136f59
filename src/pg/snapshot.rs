//! A registered snapshot: one view of the data for as many statements as a run has.

use pgrx::pg_sys;

/// A snapshot that stays valid until dropped.
pub struct Snapshot {
    snapshot: pg_sys::Snapshot,
    owner: pg_sys::ResourceOwner,
}

impl Snapshot {
    /// Takes the data as committed now.
    pub fn now() -> Self {
        // SAFETY: inside a transaction; registration copies the static snapshot.
        unsafe {
            let owner = pg_sys::CurrentResourceOwner;
            Self {
                snapshot: pg_sys::RegisterSnapshotOnOwner(pg_sys::GetTransactionSnapshot(), owner),
                owner,
            }
        }
    }

    pub(super) fn as_ptr(&self) -> pg_sys::Snapshot {
        self.snapshot
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // SAFETY: registered by `now` with that owner, which outlives this value: a snapshot is
        // dropped in the (sub)transaction that took it. Named, because an error may unwind out of
        // code that made another owner the current one.
        unsafe { pg_sys::UnregisterSnapshotFromOwner(self.snapshot, self.owner) };
    }
}
