//! Work in which no function of somebody else runs with the caller's rights.
//!
//! To look at a table's definition before it is read is not enough. What the server evaluates while
//! it plans a query, the constant parts of the expressions of indexes and statistics, can be made by the
//! owner of the table under the very lock that a reader holds, at any moment. So functions are held
//! back where they are called: whichever expression calls one, in a plan or while planning, the server
//! asks a hook first.
//!
//! And a table may be another one by the time that it is read: its owner, or that of its schema, gives
//! its name to a view, and what a view computes, be it by the server's own functions alone, has the rights
//! of whoever reads it. So every statement is looked at before it is made ready.
//!
//! PostgreSQL source: `executor/execExpr.c` (`ExecInitFunc`), `optimizer/util/plancat.c`
//! (`get_relation_statistics`, `RelationGetIndexExpressions`), `catalog/objectaccess.c`;
//! `executor/execMain.c` and `plan/setrefs.c` (`add_rtes_to_flat_rtable`, which keeps the entries of
//! views that were replaced by what they stand for).

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::Once;

use pgrx::{PgList, pg_guard, pg_sys};

use super::processed::unguarded;
use super::{heap, report, text, user};
use crate::error::{Error, Kind};

thread_local! {
    static HELD_BACK: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`, in which a function runs only if it belongs to a superuser, to the role whose rights the
/// statement has, or to one that may become that role anyway. Any other is an error, 42501, in the
/// place of its call. So is a view of any other that a statement reads, before anything of the statement
/// runs. What the server does with the rights of a table's owner, to maintain it, is left alone.
///
/// The server calls the function of a trigger without asking: whoever writes looks at the triggers of
/// what is written, and their owners.
pub fn only<T>(work: impl FnOnce() -> T) -> T {
    hook();
    holding_back(true, work)
}

/// As [`only`], from now on, for as long as the process lasts: in a worker, which has one thing to do.
pub fn only_from_now_on() {
    hook();
    HELD_BACK.set(true);
}

fn hook() {
    static HOOKED: Once = Once::new();
    // SAFETY: once per process, for good: the function is never unloaded, and one that was hooked in
    // before is called.
    HOOKED.call_once(|| unsafe {
        PREVIOUS = pg_sys::object_access_hook;
        pg_sys::object_access_hook = Some(look);
        BEFORE_START = pg_sys::ExecutorStart_hook;
        pg_sys::ExecutorStart_hook = Some(start);
    });
}

/// Does `work` as if nobody had asked: code that the caller has chosen, and whose owner was looked at.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    holding_back(false, work)
}

fn holding_back<T>(whether: bool, work: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            HELD_BACK.set(self.0);
        }
    }
    let _restore = Restore(HELD_BACK.replace(whether));
    work()
}

static mut PREVIOUS: pg_sys::object_access_hook_type = None;

#[pg_guard]
unsafe extern "C-unwind" fn look(
    access: pg_sys::ObjectAccessType::Type,
    class: pg_sys::Oid,
    object: pg_sys::Oid,
    part: c_int,
    more: *mut c_void,
) {
    // SAFETY: set once, before this function was; called as the server called here.
    unsafe {
        if let Some(previous) = PREVIOUS {
            pg_sys::ffi::pg_guard_ffi_boundary(|| previous(access, class, object, part, more));
        }
    }
    if access == pg_sys::ObjectAccessType::OAT_FUNCTION_EXECUTE
        && class == pg_sys::ProcedureRelationId
        && HELD_BACK.get()
        && !user::is_maintained()
    {
        require(object);
    }
}

static mut BEFORE_START: pg_sys::ExecutorStart_hook_type = None;

/// Looks at the views of a statement before the server makes ready to run it. Without a guard, so that
/// an error of the server passes as it was raised: nothing in here would have to be dropped.
unsafe extern "C-unwind" fn start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    // SAFETY: the server calls with a statement that is about to be made ready.
    unsafe {
        if HELD_BACK.get() && !user::is_maintained() {
            require_views(query);
        }
        match BEFORE_START {
            Some(previous) => previous(query, flags),
            None => unguarded::standard_ExecutorStart(query, flags),
        }
    }
}

/// Raises an error where a statement reads a view that it must not.
///
/// # Safety
/// A statement of the server, planned.
#[pg_guard]
unsafe extern "C-unwind" fn require_views(query: *mut pg_sys::QueryDesc) {
    // SAFETY: as the caller promises; the entries are there as long as the plan, and what they name is
    // locked.
    let views: Vec<pg_sys::Oid> = unsafe {
        let entries = PgList::<pg_sys::RangeTblEntry>::from_pg((*(*query).plannedstmt).rtable);
        let views = entries
            .iter_ptr()
            .filter(|entry| (**entry).relkind.cast_unsigned() == pg_sys::RELKIND_VIEW);
        views.map(|entry| (*entry).relid).collect()
    };
    let runs_as = user::current();
    for view in views {
        if view == pg_sys::InvalidOid || is_trusted(heap::owner(view), runs_as) {
            continue;
        }
        let name = heap::name(view).map(|(_, name)| name).unwrap_or_default();
        report::raise(
            Error::new(
                Kind::Permission,
                format!("view \"{name}\" belongs to another role and is not read"),
            )
            .with_detail(format!(
                "What it computes would have the rights of role \"{}\".",
                user::name(runs_as)
            ))
            .with_hint(
                "It has taken the name of a table, or a function reads it. Have it owned by a \
                 superuser, or ask as its owner.",
            ),
        );
    }
}

/// Raises an error where a function must not run.
fn require(function: pg_sys::Oid) {
    let runs_as = user::current();
    if owner(function).is_some_and(|owner| is_trusted(owner, runs_as)) {
        return;
    }
    // SAFETY: a look-up of the catalog; a palloc'ed text or NULL.
    let name = unsafe { text(pg_sys::get_func_name(function)) }.unwrap_or_default();
    report::raise(
        Error::new(
            Kind::Permission,
            format!("function \"{name}\" belongs to another role and is not run"),
        )
        .with_detail(format!(
            "It would have the rights of role \"{}\".",
            user::name(runs_as)
        ))
        .with_hint(
            "An index, statistics, a check or a trigger of a table calls it. Have it owned by a \
             superuser, or ask as the owner of the table.",
        ),
    );
}

fn is_trusted(owner: pg_sys::Oid, runs_as: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups inside a transaction.
    owner == runs_as
        || user::is_superuser(owner)
        || unsafe { pg_sys::is_member_of_role(owner, runs_as) }
}

/// Who owns a function; `None` where it has gone.
fn owner(function: pg_sys::Oid) -> Option<pg_sys::Oid> {
    #[allow(clippy::cast_possible_wrap, reason = "a small number")]
    const FUNCTIONS: c_int = pg_sys::SysCacheIdentifier::PROCOID as c_int;
    // SAFETY: a look-up of the cache by the number of a function; the row stays until it is released.
    unsafe {
        let row = pg_sys::SearchSysCache1(FUNCTIONS, pg_sys::Datum::from(function));
        if row.is_null() {
            return None;
        }
        let form: *mut pg_sys::FormData_pg_proc = pg_sys::heap_tuple_get_struct(row);
        let owner = (*form).proowner;
        pg_sys::ReleaseSysCache(row);
        Some(owner)
    }
}
