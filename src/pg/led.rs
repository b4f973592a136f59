//! What functions of trusted roles lead to, whatever language they are in: not all of it is theirs.
//!
//! A variable that they declare, a row that they write, a default that they leave to the server: each
//! evaluates expressions of whoever owns the domain or the table, and these appear in no statement that
//! could be looked at. What they call of his own is held back like everything of his. What they call of
//! *others*, of the server or of somebody who is trusted, is told apart here: while such a function runs,
//! the server looks up no function that could do harm, unless a statement of that function names it, or a
//! constraint of somebody who is trusted as well.
//!
//! What is named is named for one function, and for one role: what another function says is no wish of this
//! one, and what somebody's function says while the server maintains his table, with his rights, is no wish of
//! the role that the work began with.
//!
//! PostgreSQL source: `utils/fmgr/fmgr.c` (`fmgr_security_definer`, which tells of the begin and the end of
//! a call), `utils/cache/typcache.c` (`prep_domain_constraints`), `executor/execMain.c` (`ExecRelCheck`),
//! `pl_exec.c` (`get_cast_hashentry`).

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ffi::CStr;
use std::ptr::null_mut;

use pgrx::{FromDatum, pg_sys};

use super::walk::Found;
use super::whose::{self, is_servers};
use super::{heap, text, trusted};

/// `c` (`catalog/pg_language.dat`): what it leads to is compiled.
const COMPILED: pg_sys::Oid = pg_sys::Oid::from_u32(13);
/// `pg_constraint` (`catalog/pg_constraint.h`), whose columns stand elsewhere in each version.
const CONSTRAINTS: pg_sys::Oid = pg_sys::Oid::from_u32(2606);
const LOCK: pg_sys::LOCKMODE = pg_sys::AccessShareLock.cast_signed();

/// A function that is named.
#[derive(PartialEq, Eq, Hash)]
struct Name {
    /// For which role.
    role: pg_sys::Oid,
    /// By which function, or while it runs.
    by: pg_sys::Oid,
    function: pg_sys::Oid,
}

impl Name {
    /// Of a function, by the one that runs now; `None` outside of any.
    fn now(function: pg_sys::Oid) -> Option<Self> {
        let by = RUNNING.with_borrow(|running| running.last().copied())?;
        Some(Self {
            role: trusted::asked_for(),
            by,
            function,
        })
    }
}

thread_local! {
    /// The functions that run inside each other whose begin was seen.
    static RUNNING: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
    /// What their statements name, for as long as plans are kept.
    static NAMED: RefCell<HashSet<Name>> = RefCell::default();
    /// Whether they have put something off until the end of the transaction.
    static LEFT: Cell<bool> = const { Cell::new(false) };
}

/// Whether the begin and the end of each call of a function are to be seen, and it is not to be put in
/// line: one that is in a language whose text leads to other things. Nor is it to run in a parallel worker, in
/// which nothing is held back.
pub(super) fn is_followed(function: pg_sys::Oid) -> bool {
    !is_servers(function) && whose::language_of_function(function) != Some(COMPILED)
}

/// A function begins.
pub(super) fn begin(function: pg_sys::Oid) {
    RUNNING.with_borrow_mut(|running| running.push(function));
}

/// A function has ended, or failed.
pub(super) fn end() {
    RUNNING.with_borrow_mut(Vec::pop);
}

/// Does work of our own, from inside of a function or not.
pub(super) fn outside<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(Vec<pg_sys::Oid>);
    impl Drop for Restore {
        fn drop(&mut self) {
            RUNNING.set(std::mem::take(&mut self.0));
        }
    }
    let _restore = Restore(RUNNING.take());
    work()
}

/// Whether a followed function runs.
pub(super) fn is_inside() -> bool {
    RUNNING.with_borrow(|running| !running.is_empty())
}

/// Forgets what was named: plans are made again.
pub(super) fn forget() {
    NAMED.with_borrow_mut(HashSet::clear);
}

/// Notes functions that a statement or a constraint names, which is a trusted role's.
pub(super) fn name(functions: &[pg_sys::Oid]) {
    let names = functions.iter().copied().filter_map(Name::now);
    NAMED.with_borrow_mut(|named| named.extend(names));
}

/// Something was put off, which would run when nobody holds it back.
pub(super) fn leave() {
    LEFT.set(true);
}

/// Whether something was put off since this was asked last, or [`trusted::settled`].
pub(super) fn was_left() -> bool {
    LEFT.replace(false)
}

/// Raises an error, 42501, where a function must not be made ready to run, whoever it belongs to.
pub(super) fn require(function: pg_sys::Oid) {
    let Some(asked) = Name::now(function) else {
        return;
    };
    if NAMED.with_borrow(|named| named.contains(&asked)) || !whose::is_harmful(function) {
        return;
    }
    if is_in_domain(function) {
        return name(&[function]);
    }
    // SAFETY: a look-up of the catalog; a palloc'ed text or NULL.
    let name = unsafe { text(pg_sys::get_func_name(function)) }.unwrap_or_default();
    trusted::refuse_led(&name, is_servers(function));
}

/// Whether a check of a domain of somebody who is trusted calls a function: no statement says that a
/// variable of a domain is checked. All of them are looked at, and only where an error is about to be raised.
fn is_in_domain(function: pg_sys::Oid) -> bool {
    // SAFETY: a scan of the catalog, whose rows stay until the next one is asked for; trees are copies.
    unsafe {
        let table = pg_sys::table_open(CONSTRAINTS, LOCK);
        let scan =
            pg_sys::systable_beginscan(table, pg_sys::InvalidOid, false, null_mut(), 0, null_mut());
        let mut is_found = false;
        while !is_found {
            let row = pg_sys::systable_getnext(scan);
            if row.is_null() {
                break;
            }
            let column = |name: &CStr| {
                let mut is_null = true;
                let found = pg_sys::SysCacheGetAttr(
                    pg_sys::SysCacheIdentifier::CONSTROID.cast_signed(),
                    row,
                    pg_sys::get_attnum(CONSTRAINTS, name.as_ptr()),
                    &raw mut is_null,
                );
                (!is_null).then_some(found)
            };
            let of = column(c"contypid")
                .and_then(|of| pg_sys::Oid::from_datum(of, false))
                .filter(|of| *of != pg_sys::InvalidOid);
            let (Some(of), Some(check)) = (of, column(c"conbin")) else {
                continue;
            };
            if whose::owner_of_type(of).is_some_and(trusted::admits) {
                let written = pg_sys::text_to_cstring(check.cast_mut_ptr());
                is_found = Found::in_tree(pg_sys::stringToNode(written).cast()).calls(function);
            }
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(table, LOCK);
        is_found
    }
}

/// What a relation evaluates for rows that are written to it.
struct Evaluated {
    defaults: Vec<*mut pg_sys::Node>,
    checks: Found,
}

/// Looks at a relation that a followed function writes to. What its checks call is named where it belongs to
/// somebody who is trusted, and its partitions likewise.
///
/// # Errors
/// 42501 where a default of a relation of somebody else does more than compute: the server has put it into
/// the statement, where it is like what the function says.
pub(super) fn require_written(relation: pg_sys::Oid) {
    // SAFETY: the server has locked what a statement writes to.
    unsafe {
        let of = evaluated(relation);
        if whose::owner_of_relation(relation).is_some_and(trusted::admits) {
            of.checks.name();
        } else if of
            .defaults
            .into_iter()
            .any(|tree| whose::does_more(tree, null_mut()))
        {
            whose::require_relation("default", relation);
        }
        for part in heap::parts(relation) {
            if whose::owner_of_relation(part).is_some_and(trusted::admits) {
                evaluated(part).checks.name();
            }
        }
    }
}

/// As above, of the default that a domain has, whose owner may change it while a statement is made.
///
/// # Errors
/// 42501 where a column of a domain of somebody else is filled with more than what is computed.
pub(super) fn require_filled(relation: pg_sys::Oid, column: i16, value: *mut pg_sys::Node) {
    // SAFETY: look-ups of the catalog; the tree of a statement that is being planned.
    unsafe {
        let of = pg_sys::get_atttype(relation, column);
        let is_domain = pg_sys::get_typtype(of).cast_unsigned() == pg_sys::TYPTYPE_DOMAIN;
        if is_domain
            && !whose::owner_of_type(of).is_some_and(trusted::admits)
            && whose::does_more(value, null_mut())
        {
            whose::refuse_type(of);
        }
    }
}

/// # Safety
/// A relation that is there.
unsafe fn evaluated(relation: pg_sys::Oid) -> Evaluated {
    let (mut defaults, mut checks) = (Vec::new(), Found::default());
    // SAFETY: as the caller promises; its description stays until it is closed, and trees are copies.
    unsafe {
        let opened = pg_sys::relation_open(relation, LOCK);
        if let Some(all) = (*(*opened).rd_att).constr.as_ref() {
            for at in 0..usize::from(all.num_defval) {
                defaults.push(pg_sys::stringToNode((*all.defval.add(at)).adbin).cast());
            }
            for at in 0..usize::from(all.num_check) {
                checks.add(Found::in_tree(
                    pg_sys::stringToNode((*all.check.add(at)).ccbin).cast(),
                ));
            }
        }
        pg_sys::relation_close(opened, pg_sys::NoLock.cast_signed());
    }
    Evaluated { defaults, checks }
}
