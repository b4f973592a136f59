//! Locks that no SQL function can take or hold against us.

use pgrx::pg_sys;

/// What is locked: an advisory tag of a class (`field4`) that `pg_advisory_lock` never produces, so
/// no other user can block one of us by taking it. The numbers of a class are its own. Every class
/// there is stands here: the compiler refuses two of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Class {
    /// Runs, by their target.
    Run = 0xC0F1,
    /// Appending to a log of rows that stay, by its table.
    Append = 0xC0F2,
    /// Work on the ledger.
    Ledger = 0xC0F3,
    /// Looks at how much was revealed, by role and domain.
    Reveals = 0xC0F4,
    /// Versions of keys: shared by who seals by them, alone for who destroys one.
    KeyVersion = 0xC0F5,
    /// Charging a budget, by its number.
    Budget = 0xC0F6,
    /// What a run shows of itself, by the handle of where it stands: not to keep anybody out, but for
    /// others to find.
    Progress = 0xC0F7,
    /// Workers of runs, of all databases together, and the turn to take some.
    Workers = 0xC0F8,
    /// Checks of the classes of a table, by the table.
    Anonymity = 0xC0FA,
}

/// Takes the lock numbered `number` of this database until the transaction ends; whether no other
/// session holds it.
pub fn try_take_for_transaction(class: Class, number: u64) -> bool {
    acquire(&tag(class, number), false)
}

/// Waits until nobody holds the lock, and takes it until the transaction ends: alone, or together
/// with others who share it. Whether the transaction did not hold it that way before.
pub fn take_for_transaction(class: Class, number: u64, mode: Mode) -> bool {
    let mode = match mode {
        Mode::Alone => pg_sys::ExclusiveLock,
        Mode::Shared => pg_sys::ShareLock,
    };
    let tag = tag(class, number);
    // SAFETY: a plain call, which may be canceled; the server lets go of the lock.
    let result = unsafe { pg_sys::LockAcquire(&raw const tag, mode.cast_signed(), false, false) };
    result == pg_sys::LockAcquireResult::LOCKACQUIRE_OK
}

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By one session.
    Alone,
    /// By any number.
    Shared,
}

/// The right to do something, one session at a time: for a moment of a transaction. It is given back
/// when dropped, and by the server when an error ends the transaction.
pub struct Turn(pg_sys::LOCKTAG);

impl Turn {
    const MODE: pg_sys::LOCKMODE = pg_sys::ExclusiveLock.cast_signed();

    /// Waits for it.
    pub fn take(class: Class, number: u64) -> Self {
        let tag = tag(class, number);
        // SAFETY: a plain call, which can be canceled.
        unsafe { pg_sys::LockAcquire(&raw const tag, Self::MODE, false, false) };
        Self(tag)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // SAFETY: taken by `take` under the resource owner that is still the current one.
        unsafe { pg_sys::LockRelease(&raw const self.0, Self::MODE, false) };
    }
}

/// Held until dropped or until the session ends.
pub struct SessionLock(pg_sys::LOCKTAG);

impl SessionLock {
    /// Takes the lock numbered `number` of this database; `None` when another session holds it.
    pub fn try_take(class: Class, number: u64) -> Option<Self> {
        let tag = tag(class, number);
        // Not `then_some`: what is made and thrown away is let go of.
        acquire(&tag, true).then(|| Self(tag))
    }

    /// As [`Self::try_take`], of all databases together.
    pub fn try_take_on_server(class: Class, number: u64) -> Option<Self> {
        let tag = of_server(class, number);
        acquire(&tag, true).then(|| Self(tag))
    }

    /// Waits for it.
    pub fn take(class: Class, number: u64) -> Self {
        Self::wait(tag(class, number))
    }

    /// As [`Self::take`], of all databases together.
    pub fn take_on_server(class: Class, number: u64) -> Self {
        Self::wait(of_server(class, number))
    }

    fn wait(tag: pg_sys::LOCKTAG) -> Self {
        let mode = pg_sys::ExclusiveLock.cast_signed();
        // SAFETY: a plain call, which may be canceled.
        unsafe { pg_sys::LockAcquire(&raw const tag, mode, true, false) };
        Self(tag)
    }
}

pub(super) fn tag(class: Class, number: u64) -> pg_sys::LOCKTAG {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the number is cut in two halves"
    )]
    pg_sys::LOCKTAG {
        // SAFETY: reads backend state.
        locktag_field1: unsafe { pg_sys::MyDatabaseId }.to_u32(),
        locktag_field2: (number >> 32) as u32,
        locktag_field3: number as u32,
        locktag_field4: class as u16,
        locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
        locktag_lockmethodid: 2,
    }
}

fn of_server(class: Class, number: u64) -> pg_sys::LOCKTAG {
    pg_sys::LOCKTAG {
        locktag_field1: pg_sys::InvalidOid.to_u32(),
        ..tag(class, number)
    }
}

/// Without waiting; for the session or for the transaction, at whose end the server lets go of it.
fn acquire(tag: &pg_sys::LOCKTAG, for_session: bool) -> bool {
    let mode = pg_sys::ExclusiveLock.cast_signed();
    // SAFETY: a plain call.
    let result = unsafe { pg_sys::LockAcquire(tag, mode, for_session, true) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}

impl Drop for SessionLock {
    fn drop(&mut self) {
        // SAFETY: the tag was acquired once for the session by `try_take`.
        unsafe {
            pg_sys::LockRelease(&raw const self.0, pg_sys::ExclusiveLock as i32, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_classes_are_none_of_those_of_sql() {
        use Class::{Anonymity, Append, KeyVersion, Ledger, Reveals, Run};
        let all = [Anonymity, Append, KeyVersion, Ledger, Reveals, Run].map(|class| class as u16);
        let distinct: std::collections::BTreeSet<_> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
        // pg_advisory_lock of one number, and of two.
        assert!(all.iter().all(|class| ![1, 2].contains(class)));
    }
}
