//! Sharing and importing, as acts on the tables of keys.

use pgrx::{JsonB, Uuid};
use serde_json::Value;

use super::bundle::Bundle;
use crate::custody::record;
use crate::custody::store::{
    add_key, add_version, as_owner, caller, installation, lock_keys, no_such_key, purpose_and_last,
    refuse_taken, retire_active, seal, taken,
};
use crate::error::{Error, Kind, Result};
use crate::keys::provider::{Provider, Wrapped};
use crate::keys::{self, setup};
use crate::ledger::entry::Event;
use crate::ledger::store as ledger;
use crate::pg::{spi, user};

/// Wraps a version for another installation and lays it ready. Returns the document, which may leave
/// once that is committed.
///
/// # Errors
/// 42704 when there is no such version; 22023 when the recipient is this installation; what the
/// provider raises.
pub fn share(name: &str, version: Option<i32>, to: [u8; 16], provider: &str) -> Result<Value> {
    let sender = installation()?;
    if to == sender {
        return Err(
            Error::new(Kind::InvalidParameter, "the recipient is this installation").with_hint(
                "Run SELECT confiture.installation_id() in the database that is to have the key.",
            ),
        );
    }
    let (purpose, active) = as_owner(|| {
        spi::rows(
            "SELECT k.purpose, v.version
               FROM ONLY confiture.key k JOIN ONLY confiture.key_version v ON v.key_name = k.name
              WHERE k.name = $1 AND v.state = 'active'",
            &[name.into()],
            |row| Ok((row.required::<String>(1)?, row.required::<i32>(2)?)),
        )
    })?
    .into_iter()
    .next()
    .ok_or_else(|| no_such_key(name))?;
    let key = keys::store::version_now(name, version.unwrap_or(active))?;
    let mut bundle = Bundle {
        sender,
        recipient: to,
        name: name.to_owned(),
        version: key.version,
        purpose,
        wrapped: Wrapped::default(),
        mac: Vec::new(),
    };
    let provider = setup::provider(provider)?;
    (bundle.wrapped, bundle.mac) = seal(&*provider, &key.secret, &bundle.binding())?;
    let mut details = record::of_key(name, key.version);
    record::installation(&mut details, "recipient", &to);
    record::place(&mut details, "wrapped_by", &bundle.wrapped);
    let document = bundle.to_json();
    as_owner(|| {
        spi::run(
            "INSERT INTO confiture.shared_key (key_name, version, recipient, shared, shared_by)
             VALUES ($1, $2, $3, $4, $5)",
            &[
                name.into(),
                key.version.into(),
                Uuid::from_bytes(to).into(),
                JsonB(document.clone()).into(),
                caller().into(),
            ],
        )
    })?;
    ledger::append(Event::KeyShared, record::facts(details))?;
    Ok(document)
}

/// Takes a shared key over as the active version of the key of that name. Returns the version.
///
/// # Errors
/// 22023 when it is for another installation; 42501, 55000 when it may not be opened; 42710 when the key is here already, or its purpose
/// belongs to a key of another name; what the providers raise; XX001 when it was altered.
pub fn import(bundle: Bundle) -> Result<i32> {
    let own = installation()?;
    if bundle.recipient != own {
        return Err(Error::new(
            Kind::InvalidParameter,
            "the shared key is for another installation",
        )
        .with_hint("Share it again, with what confiture.installation_id() returns here."));
    }
    let (name, purpose) = (bundle.name.clone(), bundle.purpose.clone());
    let sent = bundle.version;
    let (provider, binding) = (setup::provider(&bundle.wrapped.provider)?, bundle.binding());
    trust(&*provider, &bundle.wrapped)?;
    let opened = provider.unwrap(&bundle.wrapped, &binding);
    let secret = opened
        .and_then(|secret| binding.check(&secret, &bundle.mac).map(|()| secret))
        .map_err(|error| match error.kind() {
            Kind::Corrupt => error
                .with_detail(
                    "What was shared was altered, or was not wrapped for this installation.",
                )
                .with_hint("Have it shared again."),
            _ => error,
        })?;
    as_owner(lock_keys)?;
    let known = as_owner(|| purpose_and_last(&name))?;
    let open = as_owner(|| {
        spi::rows(
            "SELECT version FROM ONLY confiture.key_version
              WHERE key_name = $1 AND state <> 'destroyed' ORDER BY version",
            &[name.as_str().into()],
            |row| row.required::<i32>(1),
        )
    })?;
    for version in open {
        let key = keys::store::version_now(&name, version)?;
        if key.secret.expose() == secret.expose() {
            return Err(Error::new(
                Kind::DuplicateObject,
                format!("this key is here already, as version {version} of key \"{name}\""),
            ));
        }
    }
    let (version, wrapped) = as_owner(|| {
        let version = match &known {
            Some((here, _)) if *here != purpose => return Err(taken(&name, here)),
            Some((_, last)) => {
                retire_active(&name)?;
                last + 1
            }
            None => {
                refuse_taken(&name, &purpose)?;
                add_key(&name, &purpose)?;
                1
            }
        };
        Ok((version, add_version(&secret, &name, &purpose, version)?))
    })?;
    let mut details = record::of_key(&name, version);
    record::installation(&mut details, "sender", &bundle.sender);
    details.insert("version_of_sender".to_owned(), sent.into());
    record::place(&mut details, "wrapped_by", &wrapped);
    ledger::append(Event::KeyImported, record::facts(details))?;
    Ok(version)
}

/// Whether a shared key may be opened at all: our credentials go nowhere that only a document names,
/// and what anybody can wrap is taken from superusers only.
fn trust(provider: &dyn Provider, wrapped: &Wrapped) -> Result<()> {
    if wrapped.provider == "azure" && !user::is_superuser(user::current()) {
        return Err(Error::new(
            Kind::Permission,
            "permission denied to import a key that was wrapped by an RSA key",
        )
        .with_detail("Whoever has the public key can wrap one, also a key that somebody knows.")
        .with_hint("Have it shared by another provider, or have a superuser import it."));
    }
    if ["file", "env"].contains(&wrapped.provider.as_str()) {
        return Ok(());
    }
    let known = as_owner(|| {
        spi::one::<bool>(
            "SELECT true FROM ONLY confiture.key_version
              WHERE provider = $1 AND kek_ref = $2 LIMIT 1",
            &[
                wrapped.provider.as_str().into(),
                wrapped.kek_ref.as_str().into(),
            ],
        )
    })?;
    if known.is_some() || provider.current()?.reference == wrapped.kek_ref {
        return Ok(());
    }
    Err(Error::new(
        Kind::NotReady,
        format!(
            "the shared key was wrapped by another key of provider \"{}\" than the one set up here",
            wrapped.provider
        ),
    )
    .with_hint("Set up the same key-encryption key on both sides, and share again."))
}
