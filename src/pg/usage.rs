//! Work whose traces in the counters of the session would tell of the rows it read.

use pgrx::pg_sys;

/// Does `work` and takes back what it has counted of buffers and temporary files: EXPLAIN and
/// `pg_stat_statements` show a caller the difference between before and after.
pub fn uncounted<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(pg_sys::BufferUsage);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: backend state, which nothing else looks at meanwhile.
            unsafe { pg_sys::pgBufferUsage = self.0 };
        }
    }
    // SAFETY: backend state, of plain numbers.
    let _restore = Restore(unsafe { pg_sys::pgBufferUsage });
    work()
}
