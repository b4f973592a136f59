//! Work in which no code of somebody else runs with the caller's rights.
//!
//! To look at definitions before they are read is not enough: what a name leads to, what an index or a
//! type computes, is made by its owner at any moment, also while a reader waits for the lock. So the
//! server is asked where it does things:
//!
//! * Whichever way it calls a function, of an expression, a cast, a trigger, a range type, in a plan, while
//!   planning or while an index is built, it looks the function up first (`fmgr_info`). Those of others are
//!   marked there: the planner then puts nothing of theirs in line, and a call comes to [`call`], which
//!   refuses it. What was looked up before, and is kept ready, is seen in a second way
//!   (`object_access_hook`), with its type ([`super::walk`]), or looked up again ([`super::kept`]).
//! * Every statement is looked at before it is planned, after its views, rules and policies were put into
//!   it: what its own text says is not all that it does ([`super::walk`]). Plans that were made before are
//!   made again.
//! * Every relation is looked at once more where the planner opens it, partitions too, and before the
//!   plan is made ready to run.
//!
//! PostgreSQL source: `utils/fmgr/fmgr.c` (`fmgr_info_cxt_security`, `fmgr_security_definer`),
//! `optimizer/util/clauses.c` (`inline_function`), `optimizer/util/plancat.c` (`get_relation_info`),
//! `optimizer/plan/planner.c` (`plan_create_index_workers`), `executor/execExpr.c` (`ExecInitFunc`),
//! `utils/cache/typcache.c`, `plan/setrefs.c` (`add_rtes_to_flat_rtable`, which keeps the entries of
//! views that were replaced by what they stand for).

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::sync::Once;

use pgrx::{pg_guard, pg_sys};

use super::processed::unguarded;
use super::{kept, led, report, text, user, walk, whose, written};
use crate::error::{Error, Kind};

thread_local! {
    /// For which role functions are held back: the one that the work began with.
    static HELD_FOR: Cell<Option<pg_sys::Oid>> = const { Cell::new(None) };
    /// Whether a plan may be kept that nobody has looked at.
    static PLANNED_FREELY: Cell<bool> = const { Cell::new(true) };
    /// For which role the plans that are kept were looked at: it may be one whose table was maintained.
    static PLANNED_FOR: Cell<pg_sys::Oid> = const { Cell::new(pg_sys::Oid::INVALID) };
}

/// Does `work`, in which a function runs only if it belongs to a superuser, to the role that the work
/// began with, or to one that may become that role anyway; where somebody else's rights hold meanwhile,
/// to one of whom the same is true. Any other is an error, 42501, before it runs; so are a view, a
/// foreign table, a rule and a policy of any other. Where the server maintains what belongs to another
/// role, with the rights of that role alone, that one is asked instead: the code of the owner may run, and
/// not that of somebody whom the owner should not trust.
pub fn only<T>(work: impl FnOnce() -> T) -> T {
    hook();
    let role = match HELD_FOR.get() {
        // Inside, nobody is trusted who was not outside.
        Some(role) if !user::is_maintained_beside(role) => role,
        Some(_) => user::current(),
        None => {
            if PLANNED_FREELY.replace(false) {
                led::forget();
                // SAFETY: marks plans, which are made again when they are asked for.
                unsafe { pg_sys::ResetPlanCache() };
            }
            user::current()
        }
    };
    let is_outermost = HELD_FOR.get().is_none();
    if is_outermost {
        settled();
    }
    let done = holding_back(Some(role), || {
        if is_outermost {
            kept::look_up_again();
        }
        work()
    });
    if is_outermost && led::was_left() {
        report::raise(
            Error::new(
                Kind::Permission,
                "a function has put off a trigger until the transaction ends",
            )
            .with_detail("What it leads to would not be held back then.")
            .with_hint(
                "Make the constraint trigger NOT DEFERRABLE, or ask for what does not write.",
            ),
        );
    }
    done
}

/// What was put off has been done: nothing waits for the end of the transaction.
pub fn settled() {
    led::was_left();
}

/// As [`only`], from now on, for as long as the process lasts: in a worker, which has one thing to do.
pub fn only_from_now_on() {
    hook();
    HELD_FOR.set(Some(user::current()));
    kept::look_up_again();
}

/// Does `work` as if nobody had asked: code that the caller has chosen, and whose owner was looked at.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    let done = holding_back(None, work);
    if is_asked() {
        kept::look_up_again();
    }
    done
}

fn holding_back<T>(role: Option<pg_sys::Oid>, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<pg_sys::Oid>);
    impl Drop for Restore {
        fn drop(&mut self) {
            HELD_FOR.set(self.0);
        }
    }
    let _restore = Restore(HELD_FOR.replace(role));
    led::outside(work)
}

fn hook() {
    static HOOKED: Once = Once::new();
    // SAFETY: once per process, for good: the functions are never unloaded, and those that were hooked in
    // before are called.
    HOOKED.call_once(|| unsafe {
        BEFORE.access = pg_sys::object_access_hook;
        pg_sys::object_access_hook = Some(look);
        BEFORE.needs = pg_sys::needs_fmgr_hook;
        pg_sys::needs_fmgr_hook = Some(needs);
        BEFORE.call = pg_sys::fmgr_hook;
        pg_sys::fmgr_hook = Some(call);
        BEFORE.plan = pg_sys::planner_hook;
        pg_sys::planner_hook = Some(plan);
        BEFORE.relation = pg_sys::get_relation_info_hook;
        pg_sys::get_relation_info_hook = Some(relation);
        BEFORE.permit = pg_sys::ExecutorCheckPerms_hook;
        pg_sys::ExecutorCheckPerms_hook = Some(permit);
        BEFORE.start = pg_sys::ExecutorStart_hook;
        pg_sys::ExecutorStart_hook = Some(start);
    });
}

/// Who was hooked in before.
struct Before {
    access: pg_sys::object_access_hook_type,
    needs: pg_sys::needs_fmgr_hook_type,
    call: pg_sys::fmgr_hook_type,
    plan: pg_sys::planner_hook_type,
    relation: pg_sys::get_relation_info_hook_type,
    permit: pg_sys::ExecutorCheckPerms_hook_type,
    start: pg_sys::ExecutorStart_hook_type,
}

static mut BEFORE: Before = Before {
    access: None,
    needs: None,
    call: None,
    plan: None,
    relation: None,
    permit: None,
    start: None,
};

/// Whether it is asked now.
fn is_asked() -> bool {
    HELD_FOR.get().is_some()
}

/// The role whose rights are at stake: the one that the work began with, or that whose things the server
/// maintains.
pub(super) fn asked_for() -> pg_sys::Oid {
    let now = user::current();
    let begun = HELD_FOR.get().unwrap_or(now);
    if user::is_maintained_beside(begun) {
        now
    } else {
        begun
    }
}

/// Whether what belongs to a role may run here.
pub(super) fn admits(owner: pg_sys::Oid) -> bool {
    let now = user::current();
    let begun = HELD_FOR.get().unwrap_or(now);
    // What the server maintains has the rights of its owner alone: it is for that role to be safe from.
    if user::is_maintained_beside(begun) {
        return is_trusted(owner, now);
    }
    is_trusted(owner, begun) && (now == begun || is_trusted(owner, now))
}

fn is_trusted(owner: pg_sys::Oid, runs_as: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups inside a transaction.
    owner == runs_as
        || user::is_superuser(owner)
        || unsafe { pg_sys::is_member_of_role(owner, runs_as) }
}

/// Raises the error of what belongs to another role; `what` with its kind and name, and `not`, what is not
/// done with it.
pub(super) fn refuse(what: &str, not: &str, hint: &str) {
    let role = HELD_FOR.get().unwrap_or_else(user::current);
    report::raise(
        Error::new(
            Kind::Permission,
            format!("{what} belongs to another role and is not {not}"),
        )
        .with_detail(format!(
            "It would have the rights of role \"{}\".",
            user::name(role)
        ))
        .with_hint(hint),
    );
}

/// Raises the error of a function, of the server or not, that nobody who is trusted has named.
pub(super) fn refuse_led(name: &str, is_servers: bool) {
    let role = HELD_FOR.get().unwrap_or_else(user::current);
    report::raise(
        Error::new(
            Kind::Permission,
            format!(
                "function \"{name}\"{} is not run for another role",
                if is_servers { " of the server" } else { "" }
            ),
        )
        .with_detail(format!(
            "It would have the rights of role \"{}\".",
            user::name(role)
        ))
        .with_hint(
            "A domain or a table that a function uses has it in a check or a default. Have it owned by a \
             superuser, or by the owner of the function.",
        ),
    );
}

/// Raises an error where a function must not run.
pub(super) fn require_function(function: pg_sys::Oid) {
    // The server's own.
    if function.to_u32() < pg_sys::FirstNormalObjectId
        || whose::owner_of_function(function).is_some_and(admits)
    {
        return;
    }
    // SAFETY: a look-up of the catalog; a palloc'ed text or NULL.
    let name = unsafe { text(pg_sys::get_func_name(function)) }.unwrap_or_default();
    refuse(
        &format!("function \"{name}\""),
        "run",
        "An index, statistics, a check, a type, a cast or a trigger of a table calls it. Have it owned by a \
         superuser, or ask as the owner of the table.",
    );
}

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
        if let Some(previous) = BEFORE.access {
            pg_sys::ffi::pg_guard_ffi_boundary(|| previous(access, class, object, part, more));
        }
    }
    if !is_asked() {
        return;
    }
    match (access, class) {
        (pg_sys::ObjectAccessType::OAT_FUNCTION_EXECUTE, pg_sys::ProcedureRelationId) => {
            require_function(object);
            led::require(object);
        }
        // SAFETY: the server has locked what it is about to truncate.
        (pg_sys::ObjectAccessType::OAT_TRUNCATE, pg_sys::RelationRelationId) => unsafe {
            written::require_triggers(object, pg_sys::TRIGGER_TYPE_TRUNCATE);
        },
        _ => {}
    }
}

/// Whether calls of a function are to come to [`call`], and nothing of it in line. Where the server maintains
/// what belongs to somebody else too: what it finds there it may keep.
#[pg_guard]
unsafe extern "C-unwind" fn needs(function: pg_sys::Oid) -> bool {
    // SAFETY: set once, before this function was; called as the server called here.
    let needed = unsafe {
        BEFORE
            .needs
            .is_some_and(|previous| pg_sys::ffi::pg_guard_ffi_boundary(|| previous(function)))
    };
    needed
        || HELD_FOR.get().is_some()
            && (led::is_followed(function)
                || function.to_u32() >= pg_sys::FirstNormalObjectId
                    && !whose::owner_of_function(function).is_some_and(admits))
}

/// Before and after a function that was marked; for one that has its owner's rights, or settings, always.
#[pg_guard]
unsafe extern "C-unwind" fn call(
    event: pg_sys::FmgrHookEventType::Type,
    function: *mut pg_sys::FmgrInfo,
    kept: *mut pg_sys::Datum,
) {
    // SAFETY: the server calls with a function that was looked up.
    unsafe {
        if event == pg_sys::FmgrHookEventType::FHET_START && is_asked() {
            require_function((*function).fn_oid);
            // Also what was planned while somebody's code ran aside.
            let role = asked_for();
            if PLANNED_FOR.replace(role) != role || PLANNED_FREELY.replace(false) {
                pg_sys::ResetPlanCache();
            }
        }
        if let Some(previous) = BEFORE.call {
            pg_sys::ffi::pg_guard_ffi_boundary(|| previous(event, function, kept));
        }
        // Last: where the begin is refused, no end follows.
        match event {
            pg_sys::FmgrHookEventType::FHET_START => led::begin((*function).fn_oid),
            _ => led::end(),
        }
    }
}

/// Looks at a statement before the server plans it. Without a guard, as those below, so that an error of
/// the server passes as it was raised: nothing in here would have to be dropped.
unsafe extern "C-unwind" fn plan(
    query: *mut pg_sys::Query,
    written: *const c_char,
    options: c_int,
    parameters: pg_sys::ParamListInfo,
) -> *mut pg_sys::PlannedStmt {
    // SAFETY: the server calls with a statement that is rewritten and to be planned.
    unsafe {
        let mut options = options;
        if !is_asked() {
            PLANNED_FREELY.set(true);
        } else if !walk::require_query(query) {
            options &= !pg_sys::CURSOR_OPT_PARALLEL_OK.cast_signed();
        }
        match BEFORE.plan {
            Some(previous) => previous(query, written, options, parameters),
            None => unguarded::standard_planner(query, written, options, parameters),
        }
    }
}

/// Looks at a relation that the planner has opened: partitions and children are not in the statement.
unsafe extern "C-unwind" fn relation(
    root: *mut pg_sys::PlannerInfo,
    relation: pg_sys::Oid,
    is_parent: bool,
    known: *mut pg_sys::RelOptInfo,
) {
    // SAFETY: the server calls with a relation that is open.
    unsafe {
        if let Some(previous) = BEFORE.relation {
            previous(root, relation, is_parent, known);
        }
        if is_asked() {
            // Every query has a FROM clause, be it empty; without one the server asks how many workers
            // are to build an index, which then call its functions where nobody holds them back.
            let builds = (*(*root).parse).jointree.is_null();
            if !walk::require_relation(relation, builds) {
                (*known).rel_parallel_workers = 0;
            }
        }
    }
}

/// Looks at what is written to, where the server asks who may: of statements, and of COPY, which has no plan.
#[cfg(any(feature = "pg14", feature = "pg15"))]
unsafe extern "C-unwind" fn permit(entries: *mut pg_sys::List, raises: bool) -> bool {
    // SAFETY: the server calls with the relations of a statement, locked.
    unsafe {
        if is_asked() {
            written::require(entries);
        }
        BEFORE
            .permit
            .is_none_or(|previous| previous(entries, raises))
    }
}

/// As above.
#[cfg(not(any(feature = "pg14", feature = "pg15")))]
unsafe extern "C-unwind" fn permit(
    table: *mut pg_sys::List,
    entries: *mut pg_sys::List,
    raises: bool,
) -> bool {
    // SAFETY: as above.
    unsafe {
        if is_asked() {
            written::require(entries);
        }
        BEFORE
            .permit
            .is_none_or(|previous| previous(table, entries, raises))
    }
}

/// Looks at the relations of a plan before the server makes ready to run it.
unsafe extern "C-unwind" fn start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    // SAFETY: the server calls with a statement that is about to be made ready.
    unsafe {
        if is_asked() {
            walk::require_plan((*query).plannedstmt);
        }
        match BEFORE.start {
            Some(previous) => previous(query, flags),
            None => unguarded::standard_ExecutorStart(query, flags),
        }
    }
}
