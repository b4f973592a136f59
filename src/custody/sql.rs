//! What SQL sees of acts on keys. No function takes or returns key bytes in clear.

use pgrx::datum::Uuid;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::share::bundle::Bundle;
use super::{rewrap, share, store};
use crate::error::{Error, Kind, Result, given};
use crate::keys::setup;
use crate::ledger::entry::UNSIGNED;
use crate::pg::{call, report};

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
    check_key_name(name)?;
    check_purpose(purpose)?;
    Ok(store::create(name, purpose)?)
}

/// Makes a new version of a key; the former one stays for decrypting and verifying. Returns the
/// new version. Masks that name no version use it from now on; profiles keep the one they pin.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn rotate_key(name: Option<&str>) -> Result<i32, ErrorReport> {
    Ok(store::rotate(given("name", name)?)?)
}

/// Destroys a version of a key for good. What was encrypted or made with it is lost; ledger
/// entries signed by it can still be verified.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn destroy_key_version(name: Option<&str>, version: Option<i32>) -> Result<(), ErrorReport> {
    Ok(store::destroy(
        given("name", name)?,
        given("version", version)?,
    )?)
}

/// Wraps every stored key anew by a provider, the configured one by default. No pseudonym changes.
///
/// A procedure that commits after each key: interrupted, it is called again and goes on.
#[pg_extern(sql = "
CREATE PROCEDURE confiture.rewrap_keys(provider text DEFAULT NULL)
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn rewrap_keys(
    provider: Option<&str>,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<(), ErrorReport> {
    let provider = provider_or_chosen(provider)?;
    let connection = store::committing("rewrap_keys", call::may_commit(fcinfo))?;
    Ok(rewrap::rewrap(provider, &connection)?)
}

/// Has a provider, the configured one by default, make a new key-encryption key, and says what to
/// do next.
///
/// A procedure that commits: what a provider did cannot be rolled back, so its record is not either.
#[pg_extern(sql = "
CREATE PROCEDURE confiture.rotate_kek(provider text DEFAULT NULL)
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn rotate_kek(provider: Option<&str>, fcinfo: pg_sys::FunctionCallInfo) -> Result<(), ErrorReport> {
    let provider = provider_or_chosen(provider)?;
    let connection = store::committing("rotate_kek", call::may_commit(fcinfo))?;
    let kek = store::rotate_kek(provider, &connection)?;
    let version = kek.version.map(|version| format!(" version {version}"));
    report::notice(&format!(
        "key-encryption key {}{} wraps from now on; to wrap stored keys by it too, run:\n\
         CALL confiture.rewrap_keys('{provider}');",
        kek.reference,
        version.unwrap_or_default()
    ));
    Ok(())
}

/// Wraps a version of a key (the active one by default) for another installation, by a provider
/// that both can use (the configured one by default), and lays it ready in `shared_key`.
///
/// A procedure that commits: it is on record before anybody can read what import_key takes.
#[pg_extern(sql = "
CREATE PROCEDURE confiture.share_key(name text, recipient uuid, provider text DEFAULT NULL,
                                     version integer DEFAULT NULL)
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn share_key(
    name: Option<&str>,
    recipient: Option<Uuid>,
    provider: Option<&str>,
    version: Option<i32>,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<(), ErrorReport> {
    let name = given("name", name)?;
    let recipient = given("recipient", recipient)?;
    let provider = provider_or_chosen(provider)?;
    let connection = store::committing("share_key", call::may_commit(fcinfo))?;
    share::store::share(name, version, *recipient.as_bytes(), provider)?;
    connection.commit()?;
    report::notice(&format!(
        "the shared key is ready; take what this returns to the other installation:\n\
         SELECT shared FROM confiture.shared_key WHERE recipient = '{recipient}' \
         ORDER BY id DESC LIMIT 1;"
    ));
    Ok(())
}

/// Takes over what share_key laid ready for this installation, as the active version of the key of
/// that name. Returns the version.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn import_key(shared: Option<&str>) -> Result<i32, ErrorReport> {
    let bundle = Bundle::from_json(given("shared", shared)?)?;
    check_key_name(&bundle.name)?;
    check_purpose(&bundle.purpose)?;
    Ok(share::store::import(bundle)?)
}

/// The id of this installation, to which its keys are bound; made on first use.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn installation_id() -> Result<Uuid, ErrorReport> {
    Ok(Uuid::from_bytes(store::installation()?))
}

fn provider_or_chosen(provider: Option<&str>) -> Result<&'static str> {
    match provider {
        Some(provider) => setup::known(provider),
        None => setup::chosen(),
    }
}

fn check_purpose(purpose: &str) -> Result<()> {
    check_name("purpose", purpose)?;
    // What keys are bound to that are no keys of a user.
    if ["health", "verifier"].contains(&purpose) {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!("purpose \"{purpose}\" is reserved"),
        ));
    }
    Ok(())
}

fn check_key_name(name: &str) -> Result<()> {
    check_name("key", name)?;
    if name == UNSIGNED.0 {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!("key name \"{name}\" is reserved"),
        )
        .with_detail("Entries of the ledger that are not signed name it."));
    }
    Ok(())
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
