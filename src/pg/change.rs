//! Noticing that any relation, role, membership, schema or subscription was touched: for what was looked up about
//! a few of them and is asked for with every row. (`inval` and `watch` know what they watch.)

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pgrx::{pg_guard, pg_sys};

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Grows with every such change, in this session or, once its message has arrived, in another one:
/// with GRANT and REVOKE on a relation or a role, and with every change of a definition. Messages
/// arrive when a statement takes its first lock.
pub fn generation() -> u64 {
    static REGISTERED: Once = Once::new();
    // SAFETY: registered once per process, for good; the functions are never unloaded.
    REGISTERED.call_once(|| unsafe {
        let nothing = pg_sys::Datum::from(0);
        pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), nothing);
        for cache in CACHES {
            pg_sys::CacheRegisterSyscacheCallback(cache, Some(entry_changed), nothing);
        }
    });
    GENERATION.load(Relaxed)
}

#[allow(clippy::cast_possible_wrap, reason = "small numbers")]
const CACHES: [i32; 4] = {
    use pg_sys::SysCacheIdentifier::{AUTHMEMMEMROLE, AUTHOID, NAMESPACEOID, SUBSCRIPTIONOID};
    [
        AUTHMEMMEMROLE as i32,
        AUTHOID as i32,
        NAMESPACEOID as i32,
        SUBSCRIPTIONOID as i32,
    ]
};

/// Called by the server in the middle of anything: it only counts.
#[pg_guard]
unsafe extern "C-unwind" fn relation_changed(_nothing: pg_sys::Datum, _relation: pg_sys::Oid) {
    GENERATION.fetch_add(1, Relaxed);
}

/// As above.
#[pg_guard]
unsafe extern "C-unwind" fn entry_changed(_nothing: pg_sys::Datum, _cache: i32, _hash: u32) {
    GENERATION.fetch_add(1, Relaxed);
}
