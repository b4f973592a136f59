//! Noticing that the definition of something was touched, at no cost per look: the server delivers
//! an invalidation of its cache entry, in this session with the end of the command, and a number
//! grows. (`inval` does the same for the content of one table.)

use std::ffi::CString;
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
static SURROUNDINGS: AtomicU64 = AtomicU64::new(0);

/// Grows whenever something watched may have been touched, in this session or, once its message
/// has arrived, in another one.
pub fn generation() -> u64 {
    GENERATION.load(Relaxed)
}

/// Grows also with every function, type, constraint, index, rule, language, event trigger and role
/// that anybody makes, changes or drops: what a definition is made of beside what is watched.
/// Catalogs that no cache of the server is made of are not among them.
pub fn surroundings() -> u64 {
    SURROUNDINGS.load(Relaxed)
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

/// Watches a schema, these relations and all functions of these names in it from now on, in place
/// of what was watched before. What is not there is not watched.
///
/// Names are looked up in the caches: the first command of every session comes by here.
pub fn watch(schema: &str, relations: &[String], functions: &[&str]) {
    static REGISTERED: Once = Once::new();
    // SAFETY: registered once per process, for good; the functions are never unloaded.
    REGISTERED.call_once(|| unsafe {
        let nothing = pg_sys::Datum::from(0);
        pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), nothing);
        for cache in [PROCEDURES, SCHEMAS] {
            pg_sys::CacheRegisterSyscacheCallback(cache, Some(entry_changed), nothing);
        }
        for cache in AROUND {
            pg_sys::CacheRegisterSyscacheCallback(cache, Some(anything_changed), nothing);
        }
    });
    let Ok(name) = CString::new(schema) else {
        return;
    };
    // SAFETY: a look-up of the catalog by a NUL-terminated name.
    let schema = unsafe { pg_sys::get_namespace_oid(name.as_ptr(), true) };
    let relations: Vec<u32> = relations
        .iter()
        .filter_map(|name| relation(name, schema))
        .collect();
    let functions: Vec<u32> = functions
        .iter()
        .flat_map(|name| overloads(name, schema))
        .map(|oid| hash(PROCEDURES, oid))
        .collect();
    CROWDED.store(relations.len().max(functions.len()) > MOST, Relaxed);
    for (slots, numbers) in [(&RELATIONS, &relations), (&FUNCTIONS, &functions)] {
        for (slot, place) in slots.iter().zip(0..) {
            slot.store(numbers.get(place).copied().unwrap_or(0), Relaxed);
        }
    }
    SCHEMA.store(hash(SCHEMAS, schema), Relaxed);
}

fn relation(name: &str, schema: pg_sys::Oid) -> Option<u32> {
    let name = CString::new(name).ok()?;
    // SAFETY: a look-up of the catalog by a NUL-terminated name.
    let oid = unsafe { pg_sys::get_relname_relid(name.as_ptr(), schema) };
    (oid != pg_sys::InvalidOid).then(|| oid.to_u32())
}

/// The functions of one name in a schema. Not by `LookupFuncName`, which asks whether the caller
/// may use the schema.
fn overloads(name: &str, schema: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    let Ok(name) = CString::new(name) else {
        return Vec::new();
    };
    let nothing = pg_sys::Datum::from(0);
    // SAFETY: a list of the cache's entries for its first key, a name, which the server compares
    // as a text that ends with NUL; its members are rows of pg_proc and stay until the list is
    // released.
    unsafe {
        let key = pg_sys::Datum::from(name.as_ptr());
        let list = pg_sys::SearchSysCacheList(BY_NAME, 1, key, nothing, nothing);
        let count = usize::try_from((*list).n_members).unwrap_or(0);
        let mut found = Vec::with_capacity(count);
        for member in (*list).members.as_slice(count) {
            let row: *mut pg_sys::FormData_pg_proc =
                pg_sys::heap_tuple_get_struct(&raw mut (**member).tuple);
            if (*row).pronamespace == schema {
                found.push((*row).oid);
            }
        }
        pg_sys::ReleaseCatCacheList(list);
        found
    }
}

#[allow(clippy::cast_possible_wrap, reason = "small numbers")]
const BY_NAME: i32 = pg_sys::SysCacheIdentifier::PROCNAMEARGSNSP as i32;
#[allow(clippy::cast_possible_wrap, reason = "small numbers")]
const PROCEDURES: i32 = pg_sys::SysCacheIdentifier::PROCOID as i32;
#[allow(clippy::cast_possible_wrap, reason = "small numbers")]
const SCHEMAS: i32 = pg_sys::SysCacheIdentifier::NAMESPACEOID as i32;

#[allow(clippy::cast_possible_wrap, reason = "small numbers")]
const AROUND: [i32; 9] = {
    use pg_sys::SysCacheIdentifier::{
        AUTHOID, CONSTROID, EVENTTRIGGEROID, INDEXRELID, LANGOID, NAMESPACEOID, PROCOID,
        RULERELNAME, TYPEOID,
    };
    [
        AUTHOID as i32,
        CONSTROID as i32,
        EVENTTRIGGEROID as i32,
        INDEXRELID as i32,
        LANGOID as i32,
        NAMESPACEOID as i32,
        PROCOID as i32,
        RULERELNAME as i32,
        TYPEOID as i32,
    ]
};

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

/// As above.
#[pg_guard]
unsafe extern "C-unwind" fn anything_changed(_nothing: pg_sys::Datum, _cache: i32, _hash: u32) {
    SURROUNDINGS.fetch_add(1, Relaxed);
}

fn holds(slots: &[AtomicU32], number: u32) -> bool {
    slots.iter().any(|slot| slot.load(Relaxed) == number)
}
