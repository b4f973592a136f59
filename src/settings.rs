//! The settings (GUCs) of the extension, in alphabetical order. They hold references, never a
//! secret: a setting can be read by members of `pg_read_all_settings` and lands in logs.

use std::ffi::{CStr, CString};
use std::path::PathBuf;
use std::time::Duration;

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

/// `confiture.allow_drop`: lets the extension be dropped although its ledger holds entries.
static ALLOW_DROP: GucSetting<bool> = GucSetting::<bool>::new(false);

/// `confiture.allow_in_place`: lets runs replace the values of a schema where they stand.
static ALLOW_IN_PLACE: GucSetting<bool> = GucSetting::<bool>::new(false);

/// `confiture.allow_unsigned`: lets a ledger for which no key was made begin without signatures.
static ALLOW_UNSIGNED: GucSetting<bool> = GucSetting::<bool>::new(false);

/// `confiture.anchor_directory`: absolute path of the directory that anchors are written to.
static ANCHOR_DIRECTORY: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.archive_directory`: absolute path of the directory that what is pruned is written to.
static ARCHIVE_DIRECTORY: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.dp_budget`: the budget that aggregates charge.
static DP_BUDGET: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.dp_max_epsilon`: the greatest ε of noise for differential privacy.
static DP_MAX_EPSILON: GucSetting<f64> = GucSetting::<f64>::new(10.0);

/// `confiture.key_aws`: how AWS KMS is reached.
static KEY_AWS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.key_azure`: how Azure Key Vault is reached.
static KEY_AZURE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.key_cache_ttl`: for how long a session keeps an opened key, in seconds.
static KEY_CACHE_TTL: GucSetting<i32> = GucSetting::<i32>::new(300);

/// `confiture.key_connect_timeout`: until a connection to a provider stands, in milliseconds.
static KEY_CONNECT_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(1000);

/// `confiture.key_file`: absolute path of the file provider's key-encryption key.
static KEY_FILE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.key_pkcs11`: how a hardware security module is reached.
static KEY_PKCS11: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.key_provider`: the provider that wraps new keys.
static KEY_PROVIDER: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.key_request_timeout`: until an operation of a provider is over, in milliseconds.
static KEY_REQUEST_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(3000);

/// `confiture.key_vault`: how HashiCorp Vault or OpenBao is reached.
static KEY_VAULT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.kit`: where the workers of a run find what they need; set by the run for its own.
static KIT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// `confiture.max_workers`: how many workers the runs of the server may have together.
static MAX_WORKERS: GucSetting<i32> = GucSetting::<i32>::new(8);

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
    GucRegistry::define_bool_guc(
        c"confiture.allow_in_place",
        c"Allows masking tables in place, which replaces the only values there are.",
        c"To be set on servers or databases that hold copies, never on production.",
        &ALLOW_IN_PLACE,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"confiture.allow_unsigned",
        c"Allows entries of the ledger without a signature, as long as no key was made.",
        c"They are marked as such, and verification never says that such a ledger is ok.",
        &ALLOW_UNSIGNED,
        GucContext::Suset,
        GucFlags::default(),
    );
    reference(
        c"confiture.anchor_directory",
        c"Absolute path of the directory that anchors of the ledger are written to.",
        c"It must lie outside the data directory, and nobody but the server's user or root may \
          write to it.",
        &ANCHOR_DIRECTORY,
    );
    reference(
        c"confiture.archive_directory",
        c"Absolute path of the directory that pruned parts of the ledger are written to.",
        c"It must lie outside the data directory, and nobody but the server's user or root may \
          write to it.",
        &ARCHIVE_DIRECTORY,
    );
    GucRegistry::define_string_guc(
        c"confiture.dp_budget",
        c"The privacy budget that aggregates of differential privacy charge.",
        c"Without one they answer nothing.",
        &DP_BUDGET,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_float_guc(
        c"confiture.dp_max_epsilon",
        c"The greatest epsilon of noise for differential privacy.",
        c"The smaller an epsilon, the more noise and the more privacy; above 5 there is a warning.",
        &DP_MAX_EPSILON,
        0.000_001,
        1000.0,
        GucContext::Suset,
        GucFlags::default(),
    );
    reference(
        c"confiture.key_aws",
        c"How AWS KMS is reached: region, key and more.",
        c"Words name=value as in a connection string; credentials are named by the file they are in.",
        &KEY_AWS,
    );
    reference(
        c"confiture.key_azure",
        c"How Azure Key Vault is reached: vault, key and more.",
        c"Words name=value as in a connection string; credentials are named by the file they are in.",
        &KEY_AZURE,
    );
    GucRegistry::define_int_guc(
        c"confiture.key_cache_ttl",
        c"For how long a session keeps an opened key in memory.",
        c"0 keeps none: keys are opened anew for every statement that uses them.",
        &KEY_CACHE_TTL,
        0,
        86_400,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_int_guc(
        c"confiture.key_connect_timeout",
        c"The longest time until a connection to a key provider stands.",
        c"TLS included.",
        &KEY_CONNECT_TIMEOUT,
        1,
        60_000,
        GucContext::Suset,
        GucFlags::UNIT_MS,
    );
    reference(
        c"confiture.key_file",
        c"Absolute path of the file that holds the key-encryption key.",
        c"The file must belong to the server's user, be readable by nobody else, lie outside the \
          data directory and hold 32 bytes or 64 hexadecimal digits.",
        &KEY_FILE,
    );
    reference(
        c"confiture.key_pkcs11",
        c"How a hardware security module is reached: module, token, key, pin_file.",
        c"Words name=value as in a connection string; needs a library built with feature pkcs11.",
        &KEY_PKCS11,
    );
    reference(
        c"confiture.key_provider",
        c"The provider that wraps new keys: file, env, aws, vault, azure or pkcs11.",
        c"Without it the file provider, if confiture.key_file is set, or else none.",
        &KEY_PROVIDER,
    );
    GucRegistry::define_int_guc(
        c"confiture.key_request_timeout",
        c"The longest time until an operation of a key provider is over.",
        c"Signing in, the call and its repetitions included.",
        &KEY_REQUEST_TIMEOUT,
        1,
        60_000,
        GucContext::Suset,
        GucFlags::UNIT_MS,
    );
    reference(
        c"confiture.key_vault",
        c"How HashiCorp Vault or OpenBao is reached: address, key and more.",
        c"Words name=value as in a connection string; credentials are named by the file they are in.",
        &KEY_VAULT,
    );
    GucRegistry::define_string_guc(
        c"confiture.kit",
        c"Where the workers of a run find what they need.",
        c"Set by runs, for their own workers.",
        &KIT,
        GucContext::Userset,
        GucFlags::NO_SHOW_ALL | GucFlags::DISALLOW_IN_FILE,
    );
    GucRegistry::define_int_guc(
        c"confiture.max_workers",
        c"How many workers the runs of the server may have together.",
        c"A run that finds too few free waits; max_parallel_workers limits them as well.",
        &MAX_WORKERS,
        0,
        1024,
        GucContext::Suset,
        GucFlags::default(),
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

/// Where this worker of a run finds what it needs.
pub(crate) fn kit() -> Option<u32> {
    text(&KIT)?.parse().ok()
}

/// How many workers the runs of the server may have together.
pub(crate) fn max_workers() -> u32 {
    u32::try_from(MAX_WORKERS.get()).unwrap_or(0)
}

/// Whether the extension may be dropped although its ledger holds entries.
pub(crate) fn allow_drop() -> bool {
    ALLOW_DROP.get()
}

/// Whether runs may replace the values of a schema where they stand.
pub(crate) fn allow_in_place() -> bool {
    ALLOW_IN_PLACE.get()
}

/// Whether a ledger for which no key was made may begin without signatures.
pub(crate) fn allow_unsigned() -> bool {
    ALLOW_UNSIGNED.get()
}

/// The directory that anchors are written to, if one is set.
pub(crate) fn anchor_directory() -> Option<PathBuf> {
    text(&ANCHOR_DIRECTORY).map(PathBuf::from)
}

/// The directory that what is pruned is written to, if one is set.
pub(crate) fn archive_directory() -> Option<PathBuf> {
    text(&ARCHIVE_DIRECTORY).map(PathBuf::from)
}

/// The budget that aggregates charge.
pub(crate) fn dp_budget() -> Option<String> {
    text(&DP_BUDGET)
}

/// The greatest ε of noise for differential privacy.
pub(crate) fn dp_max_epsilon() -> f64 {
    DP_MAX_EPSILON.get()
}

/// For how long a session keeps an opened key.
pub(crate) fn key_cache_ttl() -> Duration {
    Duration::from_secs(KEY_CACHE_TTL.get().unsigned_abs().into())
}

/// The longest time until a connection to a key provider stands.
pub(crate) fn key_connect_timeout() -> Duration {
    Duration::from_millis(KEY_CONNECT_TIMEOUT.get().unsigned_abs().into())
}

/// The path of the key file, if one is set.
pub(crate) fn key_file() -> Option<String> {
    text(&KEY_FILE)
}

/// The provider that wraps new keys, if one is set.
pub(crate) fn key_provider() -> Option<String> {
    text(&KEY_PROVIDER)
}

/// The longest time until an operation of a key provider is over.
pub(crate) fn key_request_timeout() -> Duration {
    Duration::from_millis(KEY_REQUEST_TIMEOUT.get().unsigned_abs().into())
}

/// How a provider that is configured by words is reached; empty when it is not set.
pub(crate) fn key_service(provider: &str) -> String {
    match provider {
        "aws" => text(&KEY_AWS),
        "azure" => text(&KEY_AZURE),
        "pkcs11" => text(&KEY_PKCS11),
        "vault" => text(&KEY_VAULT),
        _ => None,
    }
    .unwrap_or_default()
}

/// The list of environment variables a profile may name.
pub(crate) fn seed_env_allow() -> String {
    text(&SEED_ENV_ALLOW).unwrap_or_default()
}

/// Declares a setting that says where keys or evidence are: only superusers see it, and only the
/// configuration of the server sets it.
fn reference(
    name: &'static CStr,
    short: &'static CStr,
    long: &'static CStr,
    setting: &'static GucSetting<Option<CString>>,
) {
    GucRegistry::define_string_guc(
        name,
        short,
        long,
        setting,
        GucContext::Sighup,
        GucFlags::SUPERUSER_ONLY | GucFlags::NO_SHOW_ALL,
    );
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
