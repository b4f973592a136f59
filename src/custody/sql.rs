//! What SQL sees of acts on keys. No function takes or returns key bytes in clear.

use pgrx::JsonB;
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::bundle::Bundle;
use super::{rewrap, store};
use crate::error::{Error, Kind, Result, given};
use crate::keys::setup;
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
    check_name("key", name)?;
    check_name("purpose", purpose)?;
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
    if !call::may_commit(fcinfo) {
        return Err(Error::new(
            Kind::ActiveTransaction,
            "confiture.rewrap_keys cannot run inside a transaction block or a function",
        )
        .with_detail("It commits after each key, so that an interruption loses nothing.")
        .with_hint("Call it on its own, with autocommit on (psql without -1 or BEGIN).")
        .into());
    }
    Ok(rewrap::rewrap(provider)?)
}

/// Has a provider, the configured one by default, make a new key-encryption key. Returns its name.
/// Call rewrap_keys afterwards.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn rotate_kek(provider: default!(Option<&str>, "NULL")) -> Result<String, ErrorReport> {
    let provider = provider_or_chosen(provider)?;
    let kek = store::rotate_kek(provider)?;
    report::notice(&format!(
        "stored keys are still wrapped by the former one; now run: CALL confiture.rewrap_keys('{provider}');"
    ));
    Ok(match kek.version {
        Some(version) => format!("{} version {version}", kek.reference),
        None => kek.reference,
    })
}

/// Wraps a version of a key (the active one by default) for another installation, by a provider
/// that both can use (the configured one by default). Returns what import_key takes there.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn share_key(
    name: Option<&str>,
    recipient: Option<Uuid>,
    provider: default!(Option<&str>, "NULL"),
    version: default!(Option<i32>, "NULL"),
) -> Result<JsonB, ErrorReport> {
    let name = given("name", name)?;
    let recipient = *given("recipient", recipient)?.as_bytes();
    let provider = provider_or_chosen(provider)?;
    Ok(JsonB(
        store::share(name, version, recipient, provider)?.to_json(),
    ))
}

/// Takes over what share_key returned for this installation, as the active version of the key of
/// that name. Returns the version.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn import_key(shared: Option<JsonB>) -> Result<i32, ErrorReport> {
    let bundle = Bundle::from_json(given("shared", shared)?.0)?;
    check_name("key", &bundle.binding.name)?;
    check_name("purpose", &bundle.binding.purpose)?;
    Ok(store::import(bundle)?)
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
