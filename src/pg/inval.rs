//! Noticing that a table's content was changed by another session, at no cost per look: the server
//! delivers an invalidation of the table's cache entry, and a number grows.

use std::cell::RefCell;
use std::ffi::CStr;
use std::rc::Rc;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use pgrx::{pg_guard, pg_sys};

use crate::error::Result;

static WATCHED: AtomicU32 = AtomicU32::new(0);
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Grows whenever the watched table may have changed, in this session or, once its message has
/// arrived, in another one. Messages arrive when a statement takes its first lock.
pub fn generation() -> u64 {
    GENERATION.load(Relaxed)
}

/// Watches a table from now on, in place of any former one; takes in the messages that wait.
pub fn watch(schema: &CStr, table: &CStr) {
    static REGISTERED: Once = Once::new();
    // SAFETY: registered once per process, for good; the function is never unloaded.
    REGISTERED.call_once(|| unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(changed), pg_sys::Datum::from(0));
    });
    accept();
    let oid = relation(schema, table).to_u32();
    if WATCHED.swap(oid, Relaxed) != oid {
        GENERATION.fetch_add(1, Relaxed);
    }
}

/// Takes in the messages that wait.
pub fn accept() {
    // SAFETY: inside a transaction, as for every look-up of the catalog.
    unsafe { pg_sys::AcceptInvalidationMessages() };
}

/// Tells every session, when this transaction commits, that the table was changed; this one
/// learns of it with its next command, and again should the transaction roll back.
pub fn announce(schema: &CStr, table: &CStr) {
    let oid = relation(schema, table);
    if oid != pg_sys::InvalidOid {
        // SAFETY: the table exists: its name was just looked up.
        unsafe { pg_sys::CacheInvalidateRelcacheByRelid(oid) };
    }
}

fn relation(schema: &CStr, table: &CStr) -> pg_sys::Oid {
    // SAFETY: look-ups of the catalog by NUL-terminated names.
    unsafe {
        let schema = pg_sys::get_namespace_oid(schema.as_ptr(), true);
        pg_sys::get_relname_relid(table.as_ptr(), schema)
    }
}

/// Names that are kept at once: whoever asks for one after the other fills no memory.
const MOST: usize = 64;

/// What was read under a name, until the watched table is changed.
pub struct Cached<T> {
    generation: u64,
    found: Vec<(String, Rc<T>)>,
}

impl<T> Cached<T> {
    /// Nothing.
    pub const NOTHING: Self = Self {
        generation: 0,
        found: Vec::new(),
    };

    /// What is kept under a name, or what `read` finds, which says too whether it may be kept.
    ///
    /// # Errors
    /// What `read` returns.
    pub fn find(
        kept: &RefCell<Self>,
        (schema, table): (&CStr, &CStr),
        name: &str,
        read: impl FnOnce() -> Result<(T, bool)>,
    ) -> Result<Rc<T>> {
        accept();
        if let Some(found) = kept.borrow().get(name) {
            return Ok(found);
        }
        watch(schema, table);
        // Taken before it is read: what changes in between is read again.
        let generation = generation();
        let (found, may_be_kept) = read()?;
        let found = Rc::new(found);
        let mut kept = kept.borrow_mut();
        if kept.generation != generation || kept.found.len() >= MOST {
            *kept = Self {
                generation,
                found: Vec::new(),
            };
        }
        if may_be_kept {
            kept.found.push((name.to_owned(), Rc::clone(&found)));
        }
        Ok(found)
    }

    fn get(&self, name: &str) -> Option<Rc<T>> {
        let is_current = self.generation == generation();
        let mut all = self.found.iter().filter(|_| is_current);
        all.find(|(of, _)| of == name)
            .map(|(_, found)| Rc::clone(found))
    }
}

/// Called by the server in the middle of anything: it only counts.
#[pg_guard]
unsafe extern "C-unwind" fn changed(_nothing: pg_sys::Datum, relation: pg_sys::Oid) {
    // 0 stands for every relation.
    if relation == pg_sys::InvalidOid || relation.to_u32() == WATCHED.load(Relaxed) {
        GENERATION.fetch_add(1, Relaxed);
    }
}
