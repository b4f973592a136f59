//! What SQL sees of keys in use. No function takes or returns key bytes.

use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::provider::file;
use super::{scrub, setup, store};
use crate::error::{Error, Kind, Result, given};
use crate::pg::{report, server, user};
use crate::settings;

/// Makes the key file, and says what to do next. Refuses to overwrite one.
///
/// `path` is absolute; without it the configured file, or `confiture.key` beside the data
/// directory. Returns the path. Superusers only.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn init_key_file(path: default!(Option<&str>, "NULL")) -> Result<String, ErrorReport> {
    if !user::is_superuser(user::current()) {
        return Err(
            Error::new(Kind::Permission, "permission denied to make a key file")
                .with_detail("Only superusers may write files on the server.")
                .into(),
        );
    }
    let configured = settings::key_file();
    let path = path
        .map(Into::into)
        .or_else(|| configured.as_deref().map(Into::into))
        .unwrap_or_else(|| file::default_path(&server::data_directory()));
    file::init(&path, &server::data_directory())?;
    let path = path.display().to_string();
    if configured.as_deref() != Some(path.as_str()) {
        report::notice(&format!(
            "key file written; now run:\n\
             ALTER SYSTEM SET confiture.key_file = {};\n\
             SELECT pg_reload_conf();\n\
             SELECT confiture.create_key('masking');",
            spi::quote_literal(&path)
        ));
    }
    report::notice(
        "keep a copy of the key file in escrow: without it pseudonyms cannot be made again",
    );
    Ok(path)
}

/// Opens every stored key, so that statements of this session need no provider until
/// `confiture.key_cache_ttl` is over. Returns how many there are.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn load_keys() -> Result<i64, ErrorReport> {
    let loaded = store::load();
    scrub();
    number(loaded?)
}

/// Wipes the opened keys of this session, and what providers were told when they signed in.
/// Returns how many keys there were.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn forget_keys() -> Result<i64, ErrorReport> {
    number(store::forget())
}

/// Wraps and unwraps a key made for the purpose, and looks whether a key-encryption key that is
/// named is at hand. Returns what went wrong, without anything secret, or NULL.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
pub(crate) fn provider_problem(
    provider: Option<&str>,
    kek_ref: default!(Option<&str>, "NULL"),
) -> Result<Option<String>, ErrorReport> {
    let provider = setup::known(given("provider", provider)?)?;
    let outcome = setup::provider(provider).and_then(|provider| {
        provider.health()?;
        kek_ref.map_or(Ok(()), |kek_ref| provider.knows(kek_ref))
    });
    match outcome {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == Kind::QueryCanceled => Err(error.into()),
        Err(error) => Ok(Some(match error.detail() {
            Some(detail) => format!("{}: {detail}", error.message()),
            None => error.message().to_owned(),
        })),
    }
}

/// Stands behind every change of the tables of keys, whoever makes it: sessions look their keys up
/// again at their next statement.
#[pg_extern(sql = "
CREATE FUNCTION confiture._keys_changed() RETURNS trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
pub(crate) fn keys_changed(_fcinfo: pg_sys::FunctionCallInfo) {
    store::announce();
}

fn number(count: usize) -> Result<i64, ErrorReport> {
    i64::try_from(count).map_err(|_| Error::new(Kind::Internal, "too many keys").into())
}
