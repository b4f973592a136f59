//! What the server keeps ready from before anything was held back: support functions of indexes, and the
//! functions by which values of a type are compared.
//!
//! They were looked up when nobody asked ([`super::trusted`]): a call of them does not come to us. So where
//! there are such functions that [`super::led`] follows, the server is made to look them up again. Most
//! databases have none, which is known until somebody changes a function, a class of operators or a range.
//!
//! PostgreSQL source: `access/index/indexam.c` (`index_getprocinfo`), `utils/cache/typcache.c`
//! (`lookup_type_cache`), `utils/cache/inval.c` (`InvalidateSystemCaches`).

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ffi::c_int;
use std::ptr::null_mut;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pgrx::{pg_guard, pg_sys};

use super::whose::is_servers;
use super::{inval, led};

/// `pg_range` (`catalog/pg_range.h`), of which pgrx has no declarations; its first column is the type.
const RANGES: pg_sys::Oid = pg_sys::Oid::from_u32(3541);
const LOCK: pg_sys::LOCKMODE = pg_sys::AccessShareLock.cast_signed();

/// Grows whenever what was found may no longer be all.
static CHANGES: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// [`CHANGES`] when the types below were found.
    static FOUND_AT: Cell<u64> = const { Cell::new(0) };
    /// Types whose values are compared, or which are made, by functions that are followed.
    static TYPES: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
}

/// Makes the server look up again what is followed; to be called while it is held back.
pub(super) fn look_up_again() {
    watch();
    inval::accept();
    let now = CHANGES.load(Relaxed);
    if FOUND_AT.get() != now {
        TYPES.set(find());
        FOUND_AT.set(now);
    }
    let types = TYPES.with_borrow(Clone::clone);
    if types.is_empty() {
        return;
    }
    // SAFETY: as where the server has lost messages: what is in use stays.
    unsafe { pg_sys::InvalidateSystemCaches() };
    // Those it has just delivered to us tell of no change.
    FOUND_AT.set(CHANGES.load(Relaxed));
    types.into_iter().for_each(mark);
}

/// Looks up again what is kept of a type, in its place: others may keep where that is.
fn mark(of: pg_sys::Oid) {
    // SAFETY: an entry that stays for as long as the process, without anything that was not there; what was
    // looked up once is there still, or its look-up fails as any other would.
    unsafe {
        let kept = &mut *pg_sys::lookup_type_cache(of, 0);
        for function in [
            &mut kept.eq_opr_finfo,
            &mut kept.cmp_proc_finfo,
            &mut kept.hash_proc_finfo,
            &mut kept.hash_extended_proc_finfo,
            &mut kept.rng_cmp_proc_finfo,
            &mut kept.rng_canonical_finfo,
            &mut kept.rng_subdiff_finfo,
        ] {
            if function.fn_oid != pg_sys::InvalidOid && led::is_followed(function.fn_oid) {
                pg_sys::fmgr_info_cxt(function.fn_oid, function, pg_sys::CacheMemoryContext);
            }
        }
    }
}

/// The types of followed functions of classes of operators, and all ranges that somebody made.
fn find() -> Vec<pg_sys::Oid> {
    let mut types = HashSet::new();
    // SAFETY: rows of each catalog are of that form.
    unsafe {
        each(
            pg_sys::AccessMethodProcedureRelationId,
            |row: &pg_sys::FormData_pg_amproc| {
                if led::is_followed(row.amproc) {
                    types.insert(row.amproclefttype);
                }
            },
        );
        each(
            pg_sys::AccessMethodOperatorRelationId,
            |row: &pg_sys::FormData_pg_amop| {
                if !is_servers(row.amopopr) && led::is_followed(pg_sys::get_opcode(row.amopopr)) {
                    types.insert(row.amoplefttype);
                }
            },
        );
        each(RANGES, |of: &pg_sys::Oid| {
            if !is_servers(*of) {
                types.insert(*of);
            }
        });
    }
    types.into_iter().collect()
}

/// Reads all rows of a catalog.
///
/// # Safety
/// They are of the form `T`, as far as that goes.
unsafe fn each<T>(catalog: pg_sys::Oid, mut read: impl FnMut(&T)) {
    // SAFETY: as the caller promises; a row stays until the next one is asked for. What an error leaves
    // behind goes with the transaction.
    unsafe {
        let table = pg_sys::table_open(catalog, LOCK);
        let scan =
            pg_sys::systable_beginscan(table, pg_sys::InvalidOid, false, null_mut(), 0, null_mut());
        loop {
            let row = pg_sys::systable_getnext(scan);
            if row.is_null() {
                break;
            }
            let form: *mut T = pg_sys::heap_tuple_get_struct(row);
            read(&*form);
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(table, LOCK);
    }
}

fn watch() {
    use pg_sys::SysCacheIdentifier::{AMOPSTRATEGY, AMPROCNUM, PROCOID, RANGETYPE};
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        for cache in [AMOPSTRATEGY, AMPROCNUM, PROCOID, RANGETYPE] {
            // SAFETY: once per process, for good; the function is never unloaded.
            unsafe {
                pg_sys::CacheRegisterSyscacheCallback(
                    cache.cast_signed(),
                    Some(changed),
                    pg_sys::Datum::from(0),
                );
            }
        }
    });
}

/// Called by the server in the middle of anything: it only counts.
#[pg_guard]
unsafe extern "C-unwind" fn changed(_nothing: pg_sys::Datum, _cache: c_int, _value: u32) {
    CHANGES.fetch_add(1, Relaxed);
}
