//! Noticing that the definition of something was touched, at no cost per look: the server delivers
//! an invalidation of its cache entry, in this session with the end of the command, and a number
//! grows. (`inval` does the same for the content of one table.)

use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use pgrx::{pg_guard, pg_sys};

/// Room for what is watched; with more than that, everything counts as touched.
const MOST: usize = 64;

static RELATIONS: [AtomicU32; MOST] = [const { AtomicU32::new(0) }; MOST];
static FUNCTIONS: [AtomicU32; MOST] = [const { AtomicU32::new(0) }; MOST];
static SCHEMA: AtomicU32 = AtomicU32::new(0);
static CROWDED: AtomicBool = AtomicBool::new(false);
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Grows whenever something watched may have been touched, in this session or, once its message
/// has arrived, in another one.
pub fn generation() -> u64 {
    GENERATION.load(Relaxed)
}

/// Whether a relation is watched.
pub fn is_watched(relation: pg_sys::Oid) -> bool {
    holds(&RELATIONS, relation.to_u32())
}

/// Takes in the messages that wait.
pub fn receive() {
    // SAFETY: inside a transaction, as for every look-up of the catalog.
    unsafe { pg_sys::AcceptInvalidationMessages() };
}

/// Watches these relations, these functions and this schema from now on, in place of any former
/// ones.
pub fn watch(relations: &[pg_sys::Oid], functions: &[pg_sys::Oid], schema: pg_sys::Oid) {
    static REGISTERED: Once = Once::new();
    // SAFETY: registered once per process, for good; the functions are never unloaded.
    REGISTERED.call_once(|| unsafe {
        let nothing = pg_sys::Datum::from(0);
        pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), nothing);
        for cache in [PROCEDURES, SCHEMAS] {
            pg_sys::CacheRegisterSyscacheCallback(cache, Some(entry_changed), nothing);
        }
    });
    CROWDED.store(relations.len().max(functions.len()) > MOST, Relaxed);
    for (slot, place) in RELATIONS.iter().zip(0..) {
        slot.store(relations.get(place).map_or(0, |oid| oid.to_u32()), Relaxed);
    }
    for (slot, place) in FUNCTIONS.iter().zip(0..) {
        let hash = functions.get(place).map_or(0, |oid| hash(PROCEDURES, *oid));
        slot.store(hash, Relaxed);
    }
    SCHEMA.store(hash(SCHEMAS, schema), Relaxed);
}

#[allow(clippy::cast_possible_wrap, reason = "small numbers")]
const PROCEDURES: i32 = pg_sys::SysCacheIdentifier::PROCOID as i32;
#[allow(clippy::cast_possible_wrap, reason = "small numbers")]
const SCHEMAS: i32 = pg_sys::SysCacheIdentifier::NAMESPACEOID as i32;

/// What the server calls an entry of a cache by in its messages.
fn hash(cache: i32, key: pg_sys::Oid) -> u32 {
    let nothing = pg_sys::Datum::from(0);
    // SAFETY: both caches have one key, an OID.
    unsafe {
        pg_sys::GetSysCacheHashValue(cache, pg_sys::Datum::from(key), nothing, nothing, nothing)
    }
}

/// Called by the server in the middle of anything: it only counts.
#[pg_guard]
unsafe extern "C-unwind" fn relation_changed(_nothing: pg_sys::Datum, relation: pg_sys::Oid) {
    let relation = relation.to_u32();
    // 0 stands for every relation.
    if relation == 0 || CROWDED.load(Relaxed) || holds(&RELATIONS, relation) {
        GENERATION.fetch_add(1, Relaxed);
    }
}

/// As above.
#[pg_guard]
unsafe extern "C-unwind" fn entry_changed(_nothing: pg_sys::Datum, cache: i32, hash: u32) {
    let ours = if cache == SCHEMAS {
        SCHEMA.load(Relaxed) == hash
    } else {
        holds(&FUNCTIONS, hash)
    };
    // 0 stands for every entry.
    if hash == 0 || CROWDED.load(Relaxed) || ours {
        GENERATION.fetch_add(1, Relaxed);
    }
}

fn holds(slots: &[AtomicU32], number: u32) -> bool {
    slots.iter().any(|slot| slot.load(Relaxed) == number)
}
