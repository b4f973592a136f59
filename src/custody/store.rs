//! Acts on keys: the only writer of `confiture.installation`, `key`, `key_version` and
//! `key_verifier`.

use pgrx::Uuid;

use super::record;
use crate::error::{Error, Kind, Result, counted};
use crate::keys::envelope::Binding;
use crate::keys::provider::{Kek, Provider, Wrapped};
use crate::keys::store::ActiveKey;
use crate::keys::{self, Secret, Use, random_uuid, setup, subkey};
use crate::ledger::anchor;
use crate::ledger::checkpoint::VerifierKey;
use crate::ledger::entry::Event;
use crate::ledger::signing::store as signing;
use crate::ledger::store as ledger;
use crate::pg::spi::Nonatomic;
use crate::pg::{frozen, owner, spi, user};

/// The purpose in the binding of what is kept of a destroyed version.
const VERIFIER: &str = "verifier";

/// Makes a key with its first version. Returns the version, 1.
///
/// # Errors
/// 42710 when the name or the purpose is taken; 55000 when there is no key yet that could sign the
/// record of this one; what the provider raises.
pub fn create(name: &str, purpose: &str) -> Result<i32> {
    if ![keys::MASKING, "ledger"].contains(&purpose) && !signing::has_key()? {
        return Err(keys::store::no_key()
            .with_detail("It, or a key for the ledger, signs the record of every other key."));
    }
    let secret = Secret::random()?;
    let wrapped = as_owner(|| {
        // Two sessions that make the same key: the second one finds it made.
        lock_keys()?;
        refuse_taken(name, purpose)?;
        add_key(name, purpose)?;
        add_version(&secret, name, purpose, 1)
    })?;
    let mut details = record::of_key(name, 1);
    details.insert("purpose".to_owned(), purpose.into());
    record::place(&mut details, "wrapped_by", &wrapped);
    ledger::append(Event::KeyCreated, record::facts(details))?;
    Ok(1)
}

/// Makes a key whose purpose is its name, unless it is there.
///
/// # Errors
/// As [`create`].
pub fn ensure(name: &str) -> Result<()> {
    let is_there = as_owner(|| {
        spi::one::<bool>(
            "SELECT EXISTS (SELECT FROM ONLY confiture.key WHERE name = $1)",
            &[name.into()],
        )
    })?;
    if is_there != Some(true) {
        create(name, name)?;
    }
    Ok(())
}

/// Makes a new version of a key and keeps the former one for decrypting and verifying.
/// Returns the new version.
///
/// # Errors
/// 42704 when there is no such key; what the provider raises.
pub fn rotate(name: &str) -> Result<i32> {
    let secret = Secret::random()?;
    let (version, wrapped) = as_owner(|| {
        lock_keys()?;
        let (purpose, last) = purpose_and_last(name)?.ok_or_else(|| no_such_key(name))?;
        retire_active(name)?;
        let wrapped = add_version(&secret, name, &purpose, last + 1)?;
        Ok((last + 1, wrapped))
    })?;
    let mut details = record::of_key(name, version);
    record::place(&mut details, "wrapped_by", &wrapped);
    ledger::append(Event::KeyRotated, record::facts(details))?;
    Ok(version)
}

/// Destroys a version: its wrapped bytes are deleted, those wrapped for others too, and with them everything that only it could
/// decrypt or make again. What verifies ledger entries signed by it is kept, and can do nothing
/// else.
///
/// # Errors
/// 42704 when there is no such version; 55000 when it is active or was destroyed before; 55006
/// when a profile in use pins it; what the provider raises.
pub fn destroy(name: &str, version: i32) -> Result<()> {
    as_owner(lock_keys)?;
    // Held, and the row locked, before anything is asked about it: who is about to seal by it or to
    // pin it comes first.
    keys::hold::store::alone(name, version);
    let state = as_owner(|| {
        spi::one::<String>(
            "SELECT state FROM ONLY confiture.key_version
              WHERE key_name = $1 AND version = $2 FOR UPDATE",
            &[name.into(), version.into()],
        )
    })?;
    if state.as_deref() == Some("active") {
        return Err(Error::new(
            Kind::NotReady,
            format!("version {version} of key \"{name}\" is the active one"),
        )
        .with_hint("Make a new version with confiture.rotate_key first."));
    }
    // Opened also to be sure that this server could have: nothing is destroyed by mistake for
    // a key that is out of reach for an hour.
    let key = keys::store::version_now(name, version)?;
    let profiles = as_owner(|| {
        spi::rows(
            "SELECT name, version FROM ONLY confiture.profile
              WHERE key_name = $1 AND key_version = $2 AND retired_at IS NULL ORDER BY id",
            &[name.into(), version.into()],
            |row| {
                let (name, version): (String, String) = (row.required(1)?, row.required(2)?);
                Ok(format!("\"{name}\" version \"{version}\""))
            },
        )
    })?;
    if !profiles.is_empty() {
        return Err(Error::new(
            Kind::InUse,
            format!("version {version} of key \"{name}\" is still in use"),
        )
        .with_detail(format!(
            "It is pinned by {}: {}.",
            counted(profiles.len() as u64, "profile"),
            profiles.join(", ")
        ))
        .with_hint(
            "Load these profiles as new versions and retire the old ones with \
             confiture.retire_profile.",
        ));
    }
    refuse_sealed(name, version)?;
    let signed = as_owner(|| {
        let signed = spi::one::<i64>(
            "SELECT count(*) FROM ONLY confiture.audit_log
              WHERE key_name = $1 AND key_version = $2",
            &[name.into(), version.into()],
        )?
        .unwrap_or(0);
        if signed > 0 {
            keep_verifier(&key)?;
        }
        spi::run(
            "UPDATE ONLY confiture.shared_key SET shared = NULL
              WHERE key_name = $1 AND version = $2",
            &[name.into(), version.into()],
        )?;
        spi::run(
            "UPDATE ONLY confiture.key_version
                SET state = 'destroyed', wrapped = NULL, binding_mac = NULL,
                    destroyed_at = pg_catalog.clock_timestamp()
              WHERE key_name = $1 AND version = $2",
            &[name.into(), version.into()],
        )?;
        Ok(signed)
    })?;
    keys::store::sweep()?;
    let mut details = record::of_key(name, version);
    details.insert("entries_it_verifies".to_owned(), signed.into());
    ledger::append(Event::KeyDestroyed, record::facts(details))?;
    Ok(())
}

/// What tokens stand for would be lost with the version that seals it. As of now: who sealed by it
/// was waited for.
fn refuse_sealed(name: &str, version: i32) -> Result<()> {
    let sealed = as_owner(|| {
        spi::read_now(
            "SELECT (SELECT count(*) FROM ONLY confiture.token_domain d
                      WHERE d.key_name = $1 AND d.key_version = $2)
                  + (SELECT count(*) FROM ONLY confiture.token_subject s
                      WHERE s.key_name = $1 AND s.key_version = $2)
                  + (SELECT count(*) FROM ONLY confiture.token t
                      WHERE t.key_name = $1 AND t.key_version = $2 AND t.payload IS NOT NULL
                        AND (t.subject IS NULL
                             OR EXISTS (SELECT FROM ONLY confiture.token_subject s
                                         WHERE s.id = t.subject)))",
            &[name.into(), version.into()],
            |row| row.required::<i64>(1),
        )
    })?
    .first()
    .copied()
    .unwrap_or(0);
    if sealed == 0 {
        return Ok(());
    }
    Err(Error::new(
        Kind::InUse,
        format!("version {version} of key \"{name}\" is still in use"),
    )
    .with_detail(format!(
        "Tokens of the vault hang on it: {}.",
        counted(sealed.unsigned_abs(), "row")
    ))
    .with_hint("Seal them anew with CALL confiture.rewrap_tokens, for every domain."))
}

/// Has a provider make a new key-encryption key. Stored keys stay wrapped by the former one until
/// they are wrapped anew. That it was asked is on record, and committed, before it is.
///
/// # Errors
/// 55000 where no key could sign the record; what the provider raises.
pub fn rotate_kek(provider_name: &str, connection: &Nonatomic) -> Result<Kek> {
    let provider = setup::provider(provider_name)?;
    if !signing::has_key()? {
        // The very first one, of a token for instance, comes before any key; it replaces none that
        // could wrap.
        return match provider.current() {
            Err(error) if [Kind::UndefinedObject, Kind::NotReady].contains(&error.kind()) => {
                provider.rotate_kek()
            }
            _ => Err(keys::store::no_key().with_detail("It signs the record of what is done.")),
        };
    }
    let mut details = serde_json::Map::new();
    details.insert("provider".to_owned(), provider_name.into());
    ledger::append(Event::KekRotating, record::facts(details))?;
    connection.commit()?;
    let kek = provider.rotate_kek()?;
    let mut details = serde_json::Map::new();
    details.insert("kek".to_owned(), record::kek(provider_name, &kek));
    ledger::append(Event::KekRotated, record::facts(details))?;
    connection.commit()?;
    Ok(kek)
}

/// A connection that commits, for a procedure called where it can; begins a transaction of its own.
///
/// # Errors
/// 25001 where it cannot.
pub fn committing(procedure: &str, may_commit: bool) -> Result<Nonatomic> {
    if !may_commit {
        return Err(Error::new(
            Kind::ActiveTransaction,
            format!("confiture.{procedure} cannot run inside a transaction block or a function"),
        )
        .with_detail("It commits, so that what it did is on record whatever comes after it.")
        .with_hint("Call it on its own, with autocommit on (psql without -1 or BEGIN)."));
    }
    let connection = Nonatomic::connect()?;
    connection.commit()?;
    Ok(connection)
}

/// The id of this installation, made on first use: the script may insert no row that a restore
/// would insert again.
///
/// # Errors
/// As the interface.
pub fn installation() -> Result<[u8; 16]> {
    as_owner(|| {
        const ID: &str = "SELECT id FROM ONLY confiture.installation";
        let found = spi::read_now(ID, &[], |row| row.required::<Uuid>(1))?;
        if let Some(id) = found.first() {
            return Ok(*id.as_bytes());
        }
        spi::run(
            "INSERT INTO confiture.installation (id) VALUES ($1) ON CONFLICT DO NOTHING",
            &[Uuid::from_bytes(random_uuid()?).into()],
        )?;
        spi::one::<Uuid>(ID, &[])?
            .map(|id| *id.as_bytes())
            .ok_or_else(|| Error::new(Kind::Internal, "the installation has no id"))
    })
}

/// Wraps a key for a row, and opens it again before anybody relies on it.
///
/// # Errors
/// What the provider raises.
pub(super) fn seal(
    provider: &dyn Provider,
    secret: &Secret,
    binding: &Binding,
) -> Result<(Wrapped, Vec<u8>)> {
    let wrapped = provider.wrap(secret, binding)?;
    let opened = provider.unwrap(&wrapped, binding)?;
    let mac = binding.mac(secret).to_vec();
    binding.check(&opened, &mac)?;
    Ok((wrapped, mac))
}

/// One writer of keys at a time; readers are not held up. Later statements of the caller see what
/// the one before committed.
///
/// # Errors
/// As the interface.
pub(super) fn lock_keys() -> Result<()> {
    frozen::writable()?;
    spi::run(
        "LOCK TABLE ONLY confiture.key_version IN SHARE ROW EXCLUSIVE MODE",
        &[],
    )?;
    Ok(())
}

pub(super) fn purpose_and_last(name: &str) -> Result<Option<(String, i32)>> {
    Ok(spi::rows(
        "SELECT k.purpose, v.version
           FROM ONLY confiture.key k JOIN ONLY confiture.key_version v ON v.key_name = k.name
          WHERE k.name = $1 ORDER BY v.version DESC LIMIT 1",
        &[name.into()],
        |row| Ok((row.required::<String>(1)?, row.required::<i32>(2)?)),
    )?
    .into_iter()
    .next())
}

pub(super) fn refuse_taken(name: &str, purpose: &str) -> Result<()> {
    let found = spi::one::<String>(
        "SELECT name FROM ONLY confiture.key WHERE name = $1 OR purpose = $2",
        &[name.into(), purpose.into()],
    )?;
    match found {
        Some(found) => Err(taken(&found, purpose)),
        None => Ok(()),
    }
}

pub(super) fn taken(name: &str, purpose: &str) -> Error {
    Error::new(
        Kind::DuplicateObject,
        format!("key \"{name}\" already exists"),
    )
    .with_detail(format!(
        "There is one key for each purpose, here \"{purpose}\"."
    ))
    .with_hint("Use confiture.rotate_key to make a new version of it.")
}

pub(super) fn add_key(name: &str, purpose: &str) -> Result<()> {
    spi::run(
        "INSERT INTO confiture.key (name, purpose, created_by) VALUES ($1, $2, $3)",
        &[name.into(), purpose.into(), caller().into()],
    )?;
    Ok(())
}

pub(super) fn retire_active(name: &str) -> Result<()> {
    spi::run(
        "UPDATE ONLY confiture.key_version
            SET state = 'decrypt_only', retired_at = pg_catalog.clock_timestamp()
          WHERE key_name = $1 AND state = 'active'",
        &[name.into()],
    )?;
    Ok(())
}

pub(super) fn add_version(
    secret: &Secret,
    name: &str,
    purpose: &str,
    version: i32,
) -> Result<Wrapped> {
    let binding = Binding {
        installation: installation()?,
        name: name.to_owned(),
        version,
        purpose: purpose.to_owned(),
    };
    let provider = setup::provider(setup::chosen()?)?;
    let (wrapped, mac) = seal(&*provider, secret, &binding)?;
    spi::run(
        "INSERT INTO confiture.key_version (key_name, version, state, provider, kek_ref,
                kek_version, alg, wrapped, binding_mac, created_by)
         VALUES ($1, $2, 'active', $3, $4, $5, $6, $7, $8, $9)",
        &[
            name.into(),
            version.into(),
            wrapped.provider.as_str().into(),
            wrapped.kek_ref.as_str().into(),
            wrapped.kek_version.as_deref().into(),
            wrapped.alg.as_str().into(),
            wrapped.blob.clone().into(),
            mac.into(),
            caller().into(),
        ],
    )?;
    Ok(wrapped)
}

fn keep_verifier(key: &ActiveKey) -> Result<()> {
    let secret = subkey(&key.secret, Use::LedgerEntry);
    // Of what signs anchors, only the public half.
    let anchor_key = VerifierKey::public_of(&subkey(&key.secret, Use::LedgerAnchor));
    let binding = Binding {
        installation: installation()?,
        name: key.name.to_string(),
        version: key.version,
        purpose: VERIFIER.to_owned(),
    };
    let provider = setup::provider(setup::chosen()?)?;
    let (wrapped, mac) = seal(&*provider, &secret, &binding)?;
    spi::run(
        "INSERT INTO confiture.key_verifier (key_name, version, provider, kek_ref, kek_version,
                alg, wrapped, binding_mac, anchor_key, anchor_key_mac)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            (&*key.name).into(),
            key.version.into(),
            wrapped.provider.into(),
            wrapped.kek_ref.into(),
            wrapped.kek_version.into(),
            wrapped.alg.into(),
            wrapped.blob.into(),
            mac.into(),
            anchor_key.to_vec().into(),
            anchor::seal_of(&secret, &anchor_key).to_vec().into(),
        ],
    )?;
    Ok(())
}

pub(super) fn no_such_key(name: &str) -> Error {
    Error::new(
        Kind::UndefinedObject,
        format!("key \"{name}\" does not exist"),
    )
    .with_hint("See confiture.key_status.")
}

pub(super) fn caller() -> String {
    user::name(user::caller())
}

/// Runs our own statements as the owner of the extension.
///
/// # Errors
/// What `work` returns.
pub(super) fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
