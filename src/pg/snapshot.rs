//! A registered snapshot: one view of the data for as many statements as a run has.

use pgrx::pg_sys;

/// A snapshot that stays valid until dropped.
pub struct Snapshot {
    snapshot: pg_sys::Snapshot,
    owner: pg_sys::ResourceOwner,
}

unsafe extern "C" {
    /// Not pgrx's declarations: these never raise an error, and are asked at every row, where the
    /// guard around calls that may raise one would cost more than the call.
    fn ActiveSnapshotSet() -> bool;
    /// As above; only where there is one.
    fn GetActiveSnapshot() -> pg_sys::Snapshot;
}

/// What tells the snapshot of the running statement from others: two that are equal here see the
/// same rows. Zeros where there is none.
pub fn identity() -> [u32; 4] {
    // SAFETY: the active snapshot is valid while it is read.
    unsafe {
        if !ActiveSnapshotSet() {
            return [0; 4];
        }
        let snapshot = &*GetActiveSnapshot();
        [
            snapshot.xmin.into(),
            snapshot.xmax.into(),
            snapshot.xcnt,
            snapshot.curcid,
        ]
    }
}

/// What stands for the snapshot of a statement where none is running, until dropped.
pub struct Active(());

impl Active {
    /// The data as committed now.
    pub fn now() -> Self {
        // SAFETY: inside a transaction; the server copies the static snapshot.
        unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot()) };
        Self(())
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        // An error may have left others above it; the server takes all of them away.
        if !std::thread::panicking() {
            // SAFETY: pairs with `now`.
            unsafe { pg_sys::PopActiveSnapshot() };
        }
    }
}

impl Snapshot {
    /// Takes the data as committed now.
    pub fn now() -> Self {
        // SAFETY: inside a transaction; registration copies the static snapshot.
        unsafe { Self::register(pg_sys::GetTransactionSnapshot()) }
    }

    /// As the running statement sees the data; as committed now where none is running.
    pub fn of_caller() -> Self {
        // SAFETY: the active snapshot is valid while it is registered.
        unsafe {
            if ActiveSnapshotSet() {
                return Self::register(GetActiveSnapshot());
            }
        }
        Self::now()
    }

    /// The data as committed at this moment, whatever the isolation level shows of it otherwise, with
    /// all that this transaction wrote.
    pub fn latest() -> Self {
        // SAFETY: inside a transaction, outside parallel queries where it has written; registration
        // copies the static snapshot.
        unsafe {
            pg_sys::CommandCounterIncrement();
            Self::register(pg_sys::GetLatestSnapshot())
        }
    }

    /// # Safety
    /// The snapshot is valid now.
    unsafe fn register(snapshot: pg_sys::Snapshot) -> Self {
        // SAFETY: as the caller promises.
        unsafe {
            let owner = pg_sys::CurrentResourceOwner;
            Self {
                snapshot: pg_sys::RegisterSnapshotOnOwner(snapshot, owner),
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
