//! Memory of one step of many: what the server allocates on the way is given back after it.

use pgrx::pg_sys;

/// Does a step. Nothing of what it returns may lie in the server's memory.
///
/// Where an error unwinds, the memory goes with that of the (sub)transaction.
pub fn with<T: 'static>(step: impl FnOnce() -> T) -> T {
    // SAFETY: the context is a child of the current one, which is put back before it is deleted;
    // what is returned is of Rust alone.
    unsafe {
        let before = pg_sys::CurrentMemoryContext;
        let memory = pg_sys::AllocSetContextCreateExtended(
            before,
            c"confiture step".as_ptr(),
            pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
            pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
            pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
        );
        pg_sys::CurrentMemoryContext = memory;
        let done = step();
        pg_sys::CurrentMemoryContext = before;
        pg_sys::MemoryContextDelete(memory);
        done
    }
}
