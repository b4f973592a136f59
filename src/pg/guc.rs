//! Settings pinned for a stretch of work.

use std::ffi::CString;

use pgrx::pg_sys;

/// Does `work` with the given settings, then puts back what was there. Inside, the transaction
/// must not end: its end would put them back too early.
///
/// Names and values are ours, with the rights of the session: a setting that the caller may not
/// change raises 42501.
pub fn with<T>(settings: &[(&str, &str)], work: impl FnOnce() -> T) -> T {
    struct Restore(i32);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: ends the nest level begun below; `false` puts the former values back.
            unsafe { pg_sys::AtEOXact_GUC(false, self.0) };
        }
    }
    // SAFETY: begins a nest level that `Restore` ends.
    let restore = Restore(unsafe { pg_sys::NewGUCNestLevel() });
    for (name, value) in settings {
        set(name, value);
    }
    let result = work();
    drop(restore);
    result
}

fn set(name: &str, value: &str) {
    let (Ok(name), Ok(value)) = (CString::new(name), CString::new(value)) else {
        unreachable!("settings hold no NUL")
    };
    // SAFETY: NUL-terminated texts; the function copies them.
    unsafe {
        let context = if pg_sys::superuser() {
            pg_sys::GucContext::PGC_SUSET
        } else {
            pg_sys::GucContext::PGC_USERSET
        };
        #[allow(clippy::cast_possible_wrap, reason = "severity levels are small")]
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            context,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            pg_sys::PGERROR as i32,
            false,
        );
    }
}

/// Keeps other settings out of a prefix.
#[cfg(not(feature = "pg14"))]
pub fn reserve_prefix(prefix: &std::ffi::CStr) {
    // SAFETY: NUL-terminated; called while the library is being loaded.
    unsafe { pg_sys::MarkGUCPrefixReserved(prefix.as_ptr()) };
}
