//! Settings pinned for a stretch of work.

use std::ffi::CString;

use pgrx::pg_sys;

/// Does `work` with the given settings, then puts back what was there. Inside, the transaction
/// must not end: its end would put them back too early.
///
/// Names and values are ours, with the rights of the session: a setting that the caller may not
/// change raises 42501.
pub fn with<T>(settings: &[(&str, &str)], work: impl FnOnce() -> T) -> T {
    let pinned = pin(settings);
    let result = work();
    drop(pinned);
    result
}

/// As [`with`], until the value returned is dropped.
#[must_use]
pub fn pin(settings: &[(&str, &str)]) -> Pinned {
    // SAFETY: begins a nest level that `Pinned` ends.
    let pinned = Pinned(unsafe { pg_sys::NewGUCNestLevel() });
    for (name, value) in settings {
        set(name, value);
    }
    pinned
}

/// As [`pin`], of a setting of another library, where that is loaded: also one that only superusers may
/// change, so what it is set to must be harmless for whoever calls.
#[must_use]
pub fn pin_where_known(name: &std::ffi::CStr, value: &str) -> Option<Pinned> {
    // SAFETY: NUL-terminated names; NULL says that there is no such setting.
    let is_known = unsafe { !pg_sys::GetConfigOption(name.as_ptr(), true, false).is_null() };
    is_known.then(|| {
        // SAFETY: begins a nest level that `Pinned` ends.
        let pinned = Pinned(unsafe { pg_sys::NewGUCNestLevel() });
        set_as(
            pg_sys::GucContext::PGC_SUSET,
            &name.to_string_lossy(),
            value,
        );
        pinned
    })
}

/// Settings that are put back when it is dropped; those pinned last come first.
pub struct Pinned(i32);

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: ends the nest level begun by `pin`; `false` puts the former values back.
        unsafe { pg_sys::AtEOXact_GUC(false, self.0) };
    }
}

fn set(name: &str, value: &str) {
    // SAFETY: a look at the rights of the current role.
    let context = match unsafe { pg_sys::superuser() } {
        true => pg_sys::GucContext::PGC_SUSET,
        false => pg_sys::GucContext::PGC_USERSET,
    };
    set_as(context, name, value);
}

fn set_as(context: pg_sys::GucContext::Type, name: &str, value: &str) {
    let (Ok(name), Ok(value)) = (CString::new(name), CString::new(value)) else {
        unreachable!("settings hold no NUL")
    };
    // SAFETY: NUL-terminated texts; the function copies them.
    unsafe {
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
