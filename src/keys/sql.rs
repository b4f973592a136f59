//! What SQL sees of keys. No function takes or returns key bytes.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::provider::file;
use super::store;
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

/// Makes a key: random bytes wrapped by the provider. Returns its version, 1.
///
/// The key "masking" serves every purpose until others are made.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn create_key(
    name: Option<&str>,
    purpose: default!(Option<&str>, "NULL"),
) -> Result<i32, ErrorReport> {
    let name = given("name", name)?;
    let purpose = purpose.unwrap_or(name);
    check_name("key", name)?;
    check_name("purpose", purpose)?;
    Ok(store::create(name, purpose)?)
}

/// Makes a new version of a key; the former one stays for decrypting and verifying. Returns the
/// new version. Pseudonyms made from now on differ from those made before.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn rotate_key(name: Option<&str>) -> Result<i32, ErrorReport> {
    Ok(store::rotate(given("name", name)?)?)
}

fn check_name(what: &str, name: &str) -> Result<()> {
    let fits = (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c));
    if fits {
        return Ok(());
    }
    Err(
        Error::new(Kind::InvalidParameter, format!("invalid {what} name")).with_detail(
            "A name has 1 to 63 lower-case letters, digits, _ and -, and begins with a letter.",
        ),
    )
}
