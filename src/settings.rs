//! The settings (GUCs) of the extension, in alphabetical order. They hold references, never a
//! secret: a setting can be read by members of `pg_read_all_settings` and lands in logs.

use std::ffi::CString;

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

/// `confiture.allow_drop`: lets the extension be dropped although its ledger holds entries.
static ALLOW_DROP: GucSetting<bool> = GucSetting::<bool>::new(false);

/// `confiture.key_file`: absolute path of the file provider's key-encryption key.
static KEY_FILE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.seed_env_allow`: which environment variables of the server a profile may name.
static SEED_ENV_ALLOW: GucSetting<Option<CString>> =
    GucSetting::<Option<CString>>::new(Some(c"ANONYMIZATION_*, CONFITURE_*"));

/// Declares the settings and keeps others out of the prefix.
pub(crate) fn init() {
    GucRegistry::define_bool_guc(
        c"confiture.allow_drop",
        c"Allows dropping the extension while its ledger holds entries.",
        c"Export the audit log first: dropping the extension destroys the evidence.",
        &ALLOW_DROP,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_string_guc(
        c"confiture.key_file",
        c"Absolute path of the file that holds the key-encryption key.",
        c"The file must belong to the server's user, be readable by nobody else, lie outside the \
          data directory and hold 32 bytes or 64 hexadecimal digits.",
        &KEY_FILE,
        GucContext::Sighup,
        GucFlags::SUPERUSER_ONLY | GucFlags::NO_SHOW_ALL,
    );
    GucRegistry::define_string_guc(
        c"confiture.seed_env_allow",
        c"Environment variables of the server that a profile may take a seed from.",
        c"A comma-separated list of names; a * at the end stands for any rest.",
        &SEED_ENV_ALLOW,
        GucContext::Suset,
        GucFlags::SUPERUSER_ONLY,
    );
    reserve_prefix();
}

/// Whether the extension may be dropped although its ledger holds entries.
pub(crate) fn allow_drop() -> bool {
    ALLOW_DROP.get()
}

/// The path of the key file, if one is set.
pub(crate) fn key_file() -> Option<String> {
    text(&KEY_FILE)
}

/// The list of environment variables a profile may name.
pub(crate) fn seed_env_allow() -> String {
    text(&SEED_ENV_ALLOW).unwrap_or_default()
}

fn text(setting: &GucSetting<Option<CString>>) -> Option<String> {
    setting
        .get()
        .map(|value| value.to_string_lossy().into_owned())
        .filter(|value| !value.is_empty())
}

/// PostgreSQL 15 and later refuse other `confiture.*` settings then, so that nobody parks a secret
/// in one.
fn reserve_prefix() {
    #[cfg(not(feature = "pg14"))]
    crate::pg::guc::reserve_prefix(c"confiture");
}
