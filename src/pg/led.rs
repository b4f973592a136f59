//! What functions of trusted roles lead to, whatever language they are in: not all of it is theirs.
//!
//! A variable that they declare, a row that they write, a default that they leave to the server: each
//! evaluates expressions of whoever owns the domain or the table, and these appear in no statement that
//! could be looked at. What they call of his own is held back like everything of his. What they call of
//! the *server* is told apart here: while such a function runs, the server looks up no function of its own
//! that could do harm, unless a statement of that function names it, or a constraint of somebody who is
//! trusted as well.
//!
//! PostgreSQL source: `utils/fmgr/fmgr.c` (`fmgr_security_definer`, which tells of the begin and the end of
//! a call), `utils/cache/typcache.c` (`prep_domain_constraints`), `executor/execMain.c` (`ExecRelCheck`),
//! `pl_exec.c` (`get_cast_hashentry`).

use std::cell::{Cell, RefCell};
use std::ptr::null_mut;

use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;

use super::walk::Found;
use super::whose::{self, is_servers};
use super::{heap, text, trusted};

/// `c` (`catalog/pg_language.dat`): what it leads to is compiled.
const COMPILED: pg_sys::Oid = pg_sys::Oid::from_u32(13);
const LOCK: pg_sys::LOCKMODE = pg_sys::AccessShareLock.cast_signed();

unsafe extern "C-unwind" {
    /// `catalog/pg_inherits.h`, of which pgrx has no declarations.
    fn find_all_inheritors(
        parent: pg_sys::Oid,
        lock: pg_sys::LOCKMODE,
        numbers: *mut *mut pg_sys::List,
    ) -> *mut pg_sys::List;
}

thread_local! {
    /// How many functions run inside each other whose begin was seen.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Functions of the server that their statements name, for as long as plans are kept.
    static NAMED: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
}

/// Whether the begin and the end of each call of a function are to be seen, and it is not to be put in
/// line: one that is in a language whose text leads to other things. Nor is it to run in a parallel worker, in
/// which nothing is held back.
pub(super) fn is_followed(function: pg_sys::Oid) -> bool {
    !is_servers(function) && whose::language_of_function(function) != Some(COMPILED)
}

/// A function begins.
pub(super) fn begin() {
    DEPTH.set(DEPTH.get() + 1);
}

/// A function has ended, or failed.
pub(super) fn end() {
    DEPTH.set(DEPTH.get().saturating_sub(1));
}

/// Does work of our own, from inside of a function or not.
pub(super) fn outside<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            DEPTH.set(self.0);
        }
    }
    let _restore = Restore(DEPTH.replace(0));
    work()
}

/// Whether a followed function runs.
pub(super) fn is_inside() -> bool {
    DEPTH.get() > 0
}

/// Forgets what was named: plans are made again.
pub(super) fn forget() {
    NAMED.with_borrow_mut(Vec::clear);
}

/// Notes functions of the server that a statement or a constraint names, which is a trusted role's.
pub(super) fn name(functions: &[pg_sys::Oid]) {
    NAMED.with_borrow_mut(|named| {
        for function in functions {
            if !named.contains(function) {
                named.push(*function);
            }
        }
    });
}

/// Raises an error, 42501, where a function of the server must not be made ready to run.
pub(super) fn require(function: pg_sys::Oid) {
    if !is_inside()
        || NAMED.with_borrow(|named| named.contains(&function))
        || !whose::is_harmful(function)
    {
        return;
    }
    // SAFETY: a look-up of the catalog; a palloc'ed text or NULL.
    let name = unsafe { text(pg_sys::get_func_name(function)) }.unwrap_or_default();
    trusted::refuse_server(&name);
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
        let is_partitioned = heap::kind(relation) == 'p';
        let of = evaluated(relation);
        if whose::owner_of_relation(relation).is_some_and(trusted::admits) {
            name(&of.checks.servers);
        } else if of
            .defaults
            .into_iter()
            .any(|tree| whose::does_more(tree, null_mut()))
        {
            whose::require_relation("default", relation);
        }
        if is_partitioned {
            for part in parts(relation) {
                if whose::owner_of_relation(part).is_some_and(trusted::admits) {
                    name(&evaluated(part).checks.servers);
                }
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

/// # Safety
/// A relation that is locked.
unsafe fn parts(relation: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    // SAFETY: as the caller promises; a list of as many numbers as it says.
    unsafe {
        let list = pg_guard_ffi_boundary(|| find_all_inheritors(relation, LOCK, null_mut()));
        let count = list.as_ref().map_or(0, |list| list.length);
        let count = usize::try_from(count).unwrap_or(0);
        (0..count)
            .map(|at| (*(*list).elements.add(at)).oid_value)
            .collect()
    }
}
