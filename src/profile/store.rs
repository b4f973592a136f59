//! Profiles at rest: immutable versions in `confiture.profile`.

use super::{Profile, canonical, news};
use crate::error::{Error, Kind, Result};
use crate::keys::store::ActiveKey;
use crate::keys::{self, MASKING};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::{owner, spi, user};

/// What loading did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// A new version was stored.
    New,
    /// The version was there, with the same content, and retired: it is in use again.
    Restored,
    /// The version was there with the same content.
    Same,
}

/// Stores a profile, or finds it stored.
///
/// What is stored or put back in use is on record; what was there already leaves no trace.
///
/// # Errors
/// 42710 when that version exists with other content.
pub fn load(profile: &Profile, document: &str) -> Result<Loaded> {
    // First of all, for the order of locks.
    let is_recorded = beginning::store::must_record()?;
    let loaded = as_owner(|| store(profile, document))?;
    if is_recorded && loaded != Loaded::Same {
        record(
            Event::ProfileLoaded,
            &profile.name,
            &profile.version,
            profile.profile_hash().to_vec(),
        )?;
    }
    if loaded != Loaded::Same {
        news::tell(&profile.name)?;
    }
    Ok(loaded)
}

fn record(event: Event, name: &str, version: &str, hash: Vec<u8>) -> Result<()> {
    ledger::append(
        event,
        Facts {
            profile_name: Some(name.to_owned()),
            profile_version: Some(version.to_owned()),
            profile_hash: Some(hash),
            ..Facts::default()
        },
    )?;
    Ok(())
}

fn store(profile: &Profile, document: &str) -> Result<Loaded> {
    let caller = user::name(user::caller());
    let tables: Vec<String> = profile.tables.iter().map(super::Table::shown).collect();
    let active = active_masking_key()?;
    let stored = spi::run(
        "INSERT INTO confiture.profile (name, version, profile_hash, canonical, document,
                    tables, loaded_by, key_name, key_version)
             VALUES ($1, $2, $3, $4::text::jsonb, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        &[
            profile.name.as_str().into(),
            profile.version.as_str().into(),
            profile.profile_hash().to_vec().into(),
            profile.canonical_json().into(),
            document.into(),
            tables.into(),
            caller.into(),
            active.as_ref().map(|(name, _)| name.as_str()).into(),
            active.as_ref().map(|(_, version)| *version).into(),
        ],
    )?;
    if stored == 1 {
        return Ok(Loaded::New);
    }
    let found = spi::rows(
        "SELECT document, retired_at IS NOT NULL FROM confiture.profile
              WHERE name = $1 AND version = $2 FOR UPDATE",
        &[
            profile.name.as_str().into(),
            profile.version.as_str().into(),
        ],
        |row| Ok((row.required::<String>(1)?, row.required::<bool>(2)?)),
    )?;
    let Some((document, retired)) = found.into_iter().next() else {
        return Err(Error::new(
            Kind::Internal,
            "a stored profile cannot be seen",
        ));
    };
    let (existing, _) = super::load(document.as_bytes())?;
    if !canonical::same_content(&existing, profile) {
        return Err(Error::new(
            Kind::DuplicateObject,
            format!(
                "profile \"{}\" version \"{}\" already exists with other content",
                profile.name, profile.version
            ),
        )
        .with_detail("A stored version never changes: evidence refers to it.")
        .with_hint("Give the document a new version."));
    }
    if !retired {
        return Ok(Loaded::Same);
    }
    if let Some((name, version)) = pin_of(profile)? {
        hold(&name, version)?;
    }
    set_retired(&profile.name, &profile.version, false)?;
    Ok(Loaded::Restored)
}

/// The masking key that every run of a profile uses: the version that was active when the profile
/// was loaded, or, where there was no key then, when it is first `pin`ned.
///
/// # Errors
/// 55000 when there is no key, or the version was destroyed; what its provider raises.
pub fn masking_key(profile: &Profile, pin: bool) -> Result<ActiveKey> {
    let pinned = as_owner(|| pin_of(profile))?;
    if let Some((name, version)) = pinned {
        return keys::store::version(&name, version).map_err(|error| {
            if error.kind() == Kind::NotReady && error.hint().is_none() {
                return error.with_hint(format!(
                    "Profile \"{}\" version \"{}\" pins it; load the profile as a new version.",
                    profile.name, profile.version
                ));
            }
            error
        });
    }
    let key = keys::store::active(MASKING)?;
    // Somebody else may have pinned another version in between.
    if pin && set_key(profile, &key)? == 0 {
        return masking_key(profile, false);
    }
    Ok(key)
}

/// The version that a stored profile pins.
fn pin_of(profile: &Profile) -> Result<Option<(String, i32)>> {
    let found = spi::rows(
        "SELECT key_name, key_version FROM ONLY confiture.profile
          WHERE name = $1 AND version = $2",
        &[
            profile.name.as_str().into(),
            profile.version.as_str().into(),
        ],
        |row| Ok(row.get::<String>(1)?.zip(row.get::<i32>(2)?)),
    )?;
    Ok(found.into_iter().next().flatten())
}

fn set_key(profile: &Profile, key: &ActiveKey) -> Result<u64> {
    as_owner(|| {
        hold(&key.name, key.version)?;
        spi::run(
            "UPDATE ONLY confiture.profile SET key_name = $3, key_version = $4
              WHERE name = $1 AND version = $2 AND key_name IS NULL",
            &[
                profile.name.as_str().into(),
                profile.version.as_str().into(),
                (&*key.name).into(),
                key.version.into(),
            ],
        )
    })
}

/// Name and version of the active masking key, held; `None` before there is one.
fn active_masking_key() -> Result<Option<(String, i32)>> {
    // KEY SHARE: a rotation goes on beside it, a destruction waits.
    let found = spi::rows(
        "SELECT v.key_name, v.version
           FROM ONLY confiture.key k JOIN ONLY confiture.key_version v ON v.key_name = k.name
          WHERE k.purpose = 'masking' AND v.state = 'active' FOR KEY SHARE OF v",
        &[],
        |row| Ok((row.required(1)?, row.required(2)?)),
    )?;
    Ok(found.into_iter().next())
}

/// Keeps a version from being destroyed until this transaction, which pins it, has ended.
fn hold(name: &str, version: i32) -> Result<()> {
    let held = spi::one::<i32>(
        "SELECT version FROM ONLY confiture.key_version
          WHERE key_name = $1 AND version = $2 AND state <> 'destroyed' FOR KEY SHARE",
        &[name.into(), version.into()],
    )?;
    if held.is_some() {
        return Ok(());
    }
    Err(Error::new(
        Kind::NotReady,
        format!("version {version} of key \"{name}\" was destroyed"),
    )
    .with_detail("The profile pins it: its pseudonyms cannot be made again.")
    .with_hint("Load the profile as a new version."))
}

/// Takes a version out of use; its content stays.
///
/// # Errors
/// 42704 when there is no such version.
pub fn retire(name: &str, version: &str) -> Result<()> {
    let is_recorded = beginning::store::must_record()?;
    let hash = as_owner(|| set_retired(name, version, true))?;
    let hash = hash.ok_or_else(|| missing(name, Some(version)))?;
    if is_recorded {
        record(Event::ProfileRetired, name, version, hash)?;
    }
    news::tell(name)
}

/// Reads a version, or the newest that is not retired.
///
/// # Errors
/// 42704 when there is none.
pub fn pick(name: &str, version: Option<&str>) -> Result<Profile> {
    let found = as_owner(|| {
        spi::read(
            "SELECT document FROM confiture.profile
              WHERE name = $1 AND CASE WHEN $2::text IS NULL THEN retired_at IS NULL
                                       ELSE version = $2 END
              ORDER BY loaded_at DESC, id DESC LIMIT 1",
            &[name.into(), version.into()],
            |row| row.required::<String>(1),
        )
    })?;
    let Some(document) = found.into_iter().next() else {
        return Err(missing(name, version));
    };
    Ok(super::load(document.as_bytes())?.0)
}

/// Refuses a version that is not in use any more.
///
/// # Errors
/// 55000 then.
pub fn require_in_use(profile: &Profile) -> Result<()> {
    let (name, version) = (profile.name.as_str(), profile.version.as_str());
    let found = as_owner(|| {
        spi::read_now(
            "SELECT FROM ONLY confiture.profile
              WHERE name = $1 AND version = $2 AND retired_at IS NULL",
            &[name.into(), version.into()],
            |_| Ok(()),
        )
    })?;
    if found.is_empty() {
        return Err(Error::new(
            Kind::NotReady,
            format!("profile \"{name}\" version \"{version}\" was taken out of use meanwhile"),
        )
        .with_hint("Run again, with the version that is in use now."));
    }
    Ok(())
}

/// Reads a variable of the server's environment, as it was when the server started.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The hash of the version; `None` where there is no such version.
fn set_retired(name: &str, version: &str, retired: bool) -> Result<Option<Vec<u8>>> {
    spi::one(
        "UPDATE confiture.profile
            SET retired_at = CASE WHEN $3 THEN pg_catalog.clock_timestamp() END,
                retired_by = CASE WHEN $3 THEN $4 END
          WHERE name = $1 AND version = $2 RETURNING profile_hash",
        &[
            name.into(),
            version.into(),
            retired.into(),
            user::name(user::caller()).into(),
        ],
    )
}

fn missing(name: &str, version: Option<&str>) -> Error {
    let what = match version {
        Some(version) => format!("profile \"{name}\" version \"{version}\" does not exist"),
        None => format!("profile \"{name}\" does not exist"),
    };
    Error::new(Kind::UndefinedObject, what)
        .with_hint("See confiture.profiles; load one with confiture.load_profile.")
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
