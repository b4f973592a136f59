//! Who is calling, and doing one small thing as somebody else.

use std::cell::Cell;

use pgrx::pg_sys;

use super::{guc, text, trusted};

/// The role whose rights the statement has.
pub fn current() -> pg_sys::Oid {
    // SAFETY: reads backend state.
    unsafe { pg_sys::GetUserId() }
}

/// The role that called, seen from outside every SECURITY DEFINER function (follows SET ROLE).
pub fn outer() -> pg_sys::Oid {
    // SAFETY: reads backend state.
    unsafe { pg_sys::GetOuterUserId() }
}

/// The role that logged in (follows SET SESSION AUTHORIZATION).
pub fn session() -> pg_sys::Oid {
    // SAFETY: reads backend state.
    unsafe { pg_sys::GetSessionUserId() }
}

thread_local! {
    static CALLER: Cell<Option<pg_sys::Oid>> = const { Cell::new(None) };
}

/// The role whose rights the statement has that called us: inside a SECURITY DEFINER function its
/// owner, and not the role that we act as meanwhile.
pub fn caller() -> pg_sys::Oid {
    CALLER.get().unwrap_or_else(current)
}

/// Whether a role is a superuser.
pub fn is_superuser(role: pg_sys::Oid) -> bool {
    // SAFETY: a catalog look-up inside a transaction.
    unsafe { pg_sys::superuser_arg(role) }
}

/// Whether code of an owner runs because somebody else maintains what is his: REINDEX, ANALYZE,
/// autovacuum, REFRESH of a materialized view. It runs as the owner, for nobody who called.
pub fn is_maintained() -> bool {
    // SAFETY: reads backend state.
    unsafe { pg_sys::InSecurityRestrictedOperation() }
}

/// As [`is_maintained`], of somebody other than `role`: whoever builds an index of his own, or fills a
/// materialized view, maintains it too, with his own rights.
pub fn is_maintained_beside(role: pg_sys::Oid) -> bool {
    is_maintained() && current() != role
}

/// Whether a role has the rights of another, as it itself or by memberships that it inherits; a
/// superuser has those of everybody.
pub fn has_rights_of(role: pg_sys::Oid, other: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups inside a transaction.
    unsafe { pg_sys::has_privs_of_role(role, other) }
}

/// The number of a role; `None` where there is none of that name.
pub fn number(name: &str) -> Option<pg_sys::Oid> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: a catalog look-up by a NUL-terminated name.
    let found = unsafe { pg_sys::get_role_oid(name.as_ptr(), true) };
    (found != pg_sys::InvalidOid).then_some(found)
}

/// The name of a role, or its number when it has gone.
pub fn name(role: pg_sys::Oid) -> String {
    // SAFETY: a catalog look-up; the result is a palloc'ed text or NULL.
    unsafe {
        text(pg_sys::GetUserNameFromId(role, true)).unwrap_or_else(|| role.to_u32().to_string())
    }
}

/// Does `work` with the rights of `role`, then puts the caller's identity back, also when `work`
/// unwinds. Only our own fixed statements belong in here: code of a profile, hook or table owner
/// never runs as a stronger role.
pub fn acting_as<T>(role: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
    with_flags(role, pg_sys::SECURITY_LOCAL_USERID_CHANGE, work)
}

/// Reads with the rights of the owner of a table. What is his may run along, an index, a check, as
/// himself; and leaves nothing behind that would run later in the session of the caller, as a deferred
/// trigger would: what the server does to maintain a table. Functions of others are held back.
pub fn reading_as<T>(owner: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
    let flags = pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION;
    with_flags(owner, flags, || trusted::only(|| guc::with(&[], work)))
}

/// As [`reading_as`]; he sees every row, also where policies are forced upon him: what `RI_FKey_check`
/// does to look for a key.
pub fn reading_as_owner_of_rows<T>(owner: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
    let flags = pg_sys::SECURITY_LOCAL_USERID_CHANGE
        | pg_sys::SECURITY_RESTRICTED_OPERATION
        | pg_sys::SECURITY_NOFORCE_RLS;
    with_flags(owner, flags, || trusted::only(|| guc::with(&[], work)))
}

fn with_flags<T>(role: pg_sys::Oid, flags: u32, work: impl FnOnce() -> T) -> T {
    struct Restore(pg_sys::Oid, i32, Option<pg_sys::Oid>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CALLER.set(self.2);
            // SAFETY: puts back what was read below.
            unsafe { pg_sys::SetUserIdAndSecContext(self.0, self.1) };
        }
    }
    let mut user = pg_sys::Oid::INVALID;
    let mut context = 0;
    // SAFETY: both pointers are to locals; the flag forbids SET ROLE inside, as in the server's
    // own uses (e.g. `RI_FKey_check`).
    unsafe {
        pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
        pg_sys::SetUserIdAndSecContext(role, context | flags.cast_signed());
    }
    let outermost = CALLER.get();
    let _restore = Restore(user, context, outermost);
    CALLER.set(outermost.or(Some(user)));
    work()
}
