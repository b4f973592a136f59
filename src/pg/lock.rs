//! Locks that no SQL function can take or hold against us.

use pgrx::pg_sys;

/// Takes a lock of this database until the transaction ends; whether no other session holds it.
pub fn try_take_for_transaction(number: u32) -> bool {
    const CLASS: u16 = 0xC0F3;
    #[allow(clippy::cast_possible_truncation, reason = "kinds of locks are few")]
    // SAFETY: reads backend state, then a plain call; the server lets go of the lock.
    unsafe {
        let tag = pg_sys::LOCKTAG {
            locktag_field1: pg_sys::MyDatabaseId.to_u32(),
            locktag_field2: number,
            locktag_field3: 0,
            locktag_field4: CLASS,
            locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
            locktag_lockmethodid: 2,
        };
        let mode = pg_sys::ExclusiveLock.cast_signed();
        let result = pg_sys::LockAcquire(&raw const tag, mode, false, true);
        result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
    }
}

/// Held until dropped or until the session ends.
pub struct SessionLock(pg_sys::LOCKTAG);

impl SessionLock {
    /// Takes the lock numbered `number` of this database; `None` when another session holds it.
    ///
    /// The tag is an advisory one of a class (`field4`) that `pg_advisory_lock` never produces, so
    /// no other user can block a run by taking it.
    pub fn try_take(number: u64) -> Option<Self> {
        const CLASS: u16 = 0xC0F1;
        #[allow(
            clippy::cast_possible_truncation,
            reason = "the number is cut in two halves"
        )]
        // SAFETY: reads backend state, then a plain call; a session lock outlives transactions.
        unsafe {
            let tag = pg_sys::LOCKTAG {
                locktag_field1: pg_sys::MyDatabaseId.to_u32(),
                locktag_field2: (number >> 32) as u32,
                locktag_field3: number as u32,
                locktag_field4: CLASS,
                locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
                locktag_lockmethodid: 2,
            };
            let result =
                pg_sys::LockAcquire(&raw const tag, pg_sys::ExclusiveLock as i32, true, true);
            (result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL).then_some(Self(tag))
        }
    }
}

impl Drop for SessionLock {
    fn drop(&mut self) {
        // SAFETY: the tag was acquired once for the session by `try_take`.
        unsafe {
            pg_sys::LockRelease(&raw const self.0, pg_sys::ExclusiveLock as i32, true);
        }
    }
}
