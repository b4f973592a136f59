//! Keys at rest: the tables `confiture.installation`, `key` and `key_version`.

use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::Uuid;

use super::envelope::Binding;
use super::provider::{Provider, Wrapped, file};
use super::{MASKING, Secret, random_uuid};
use crate::error::{Error, Kind, Result};
use crate::pg::{owner, server, spi, user};
use crate::settings;

/// A data key in use, with the name and version that evidence refers to.
#[derive(Clone)]
pub struct ActiveKey {
    /// Name of the key.
    pub name: String,
    /// Version of the key.
    pub version: i32,
    /// The key itself.
    pub secret: Secret,
}

/// The active version of the key for a purpose; the masking key serves where none was made for it.
///
/// # Errors
/// 55000 when there is no key or its provider is not set up; XX001 when the stored row is damaged.
pub fn active(purpose: &str) -> Result<ActiveKey> {
    find(
        "SELECT v.key_name, v.version, k.purpose, v.state, v.provider, v.kek_ref, v.kek_version,
                v.alg, v.wrapped, v.binding_mac, (SELECT id FROM confiture.installation)
           FROM confiture.key_version v JOIN confiture.key k ON k.name = v.key_name
          WHERE v.state = 'active' AND k.purpose = ANY (ARRAY[$1, 'masking'])
          ORDER BY k.purpose = $1 DESC LIMIT 1",
        &[purpose.into()],
    )?
    .ok_or_else(no_key)
}

/// A given version of a key, active or kept for decrypting and verifying.
///
/// # Errors
/// 42704 when there is no such version or it was destroyed; otherwise as [`active`].
pub fn version(name: &str, version: i32) -> Result<ActiveKey> {
    find(
        "SELECT v.key_name, v.version, k.purpose, v.state, v.provider, v.kek_ref, v.kek_version,
                v.alg, v.wrapped, v.binding_mac, (SELECT id FROM confiture.installation)
           FROM confiture.key_version v JOIN confiture.key k ON k.name = v.key_name
          WHERE v.key_name = $1 AND v.version = $2 AND v.state <> 'destroyed'",
        &[name.into(), version.into()],
    )?
    .ok_or_else(|| {
        Error::new(
            Kind::UndefinedObject,
            format!("version {version} of key \"{name}\" does not exist"),
        )
        .with_hint("See confiture.key_status.")
    })
}

/// Makes a key with its first version. Returns the version, 1.
///
/// # Errors
/// 42710 when the name or the purpose is taken; 55000 when the provider is not set up.
pub fn create(name: &str, purpose: &str) -> Result<i32> {
    let provider = provider()?;
    as_owner(|| {
        let taken = spi::one::<String>(
            "SELECT name FROM confiture.key WHERE name = $1 OR purpose = $2",
            &[name.into(), purpose.into()],
        )?;
        if let Some(taken) = taken {
            return Err(Error::new(
                Kind::DuplicateObject,
                format!("key \"{taken}\" already exists"),
            )
            .with_detail(format!(
                "There is one key for each purpose, here \"{purpose}\"."
            ))
            .with_hint("Use confiture.rotate_key to make a new version of it."));
        }
        spi::run(
            "INSERT INTO confiture.key (name, purpose, created_by) VALUES ($1, $2, $3)",
            &[name.into(), purpose.into(), caller().into()],
        )?;
        add_version(&provider, name, purpose, 1)
    })
}

/// Makes a new version of a key and keeps the former one for decrypting and verifying.
/// Returns the new version.
///
/// # Errors
/// 42704 when there is no such key; 55000 when the provider is not set up.
pub fn rotate(name: &str) -> Result<i32> {
    let provider = provider()?;
    as_owner(|| {
        let found = spi::rows(
            "SELECT k.purpose, v.version
               FROM confiture.key k JOIN confiture.key_version v ON v.key_name = k.name
              WHERE k.name = $1 ORDER BY v.version DESC LIMIT 1 FOR UPDATE OF k",
            &[name.into()],
            |row| Ok((row.required::<String>(1)?, row.required::<i32>(2)?)),
        )?;
        let Some((purpose, last)) = found.into_iter().next() else {
            return Err(Error::new(
                Kind::UndefinedObject,
                format!("key \"{name}\" does not exist"),
            )
            .with_hint("See confiture.key_status."));
        };
        spi::run(
            "UPDATE confiture.key_version
                SET state = 'decrypt_only', retired_at = pg_catalog.clock_timestamp()
              WHERE key_name = $1 AND state = 'active'",
            &[name.into()],
        )?;
        add_version(&provider, name, &purpose, last + 1)
    })
}

/// The provider for new keys.
///
/// # Errors
/// 55000 when none is set up.
pub fn provider() -> Result<file::FileProvider> {
    let Some(path) = settings::key_file() else {
        return Err(Error::new(Kind::NotReady, "no key provider is set up")
            .with_detail("The setting confiture.key_file is empty.")
            .with_hint(
                "Run LOAD 'confiture'; SELECT confiture.init_key_file(); and follow what it prints.",
            ));
    };
    file::FileProvider::open(path.as_ref(), &server::data_directory())
}

fn add_version(provider: &impl Provider, name: &str, purpose: &str, version: i32) -> Result<i32> {
    let binding = Binding {
        installation: installation()?,
        name: name.to_owned(),
        version,
        purpose: purpose.to_owned(),
    };
    let secret = Secret::random()?;
    let wrapped = provider.wrap(&secret, &binding)?;
    let mac = binding.mac(&secret);
    spi::run(
        "INSERT INTO confiture.key_version (key_name, version, state, provider, kek_ref,
                kek_version, alg, wrapped, binding_mac, created_by)
         VALUES ($1, $2, 'active', $3, $4, $5, $6, $7, $8, $9)",
        &[
            name.into(),
            version.into(),
            wrapped.provider.into(),
            wrapped.kek_ref.into(),
            wrapped.kek_version.into(),
            wrapped.alg.into(),
            wrapped.blob.into(),
            mac.to_vec().into(),
            caller().into(),
        ],
    )?;
    Ok(version)
}

/// The id of this installation, made on first use: the script may insert no row that a restore
/// would insert again.
fn installation() -> Result<[u8; 16]> {
    spi::run(
        "INSERT INTO confiture.installation (id) VALUES ($1) ON CONFLICT DO NOTHING",
        &[Uuid::from_bytes(random_uuid()?).into()],
    )?;
    spi::one::<Uuid>("SELECT id FROM confiture.installation", &[])?
        .map(|id| *id.as_bytes())
        .ok_or_else(|| Error::new(Kind::Internal, "the installation has no id"))
}

struct Stored {
    binding: Binding,
    wrapped: Wrapped,
    mac: Vec<u8>,
}

fn find(sql: &str, args: &[pgrx::datum::DatumWithOid<'_>]) -> Result<Option<ActiveKey>> {
    let found = as_owner(|| {
        spi::read(sql, args, |row| {
            Ok(Stored {
                binding: Binding {
                    name: row.required(1)?,
                    version: row.required(2)?,
                    purpose: row.required(3)?,
                    installation: *row.get::<Uuid>(11)?.ok_or_else(damaged)?.as_bytes(),
                },
                wrapped: Wrapped {
                    provider: row.required(5)?,
                    kek_ref: row.required(6)?,
                    kek_version: row.get(7)?,
                    alg: row.required(8)?,
                    blob: row.get(9)?.ok_or_else(damaged)?,
                },
                mac: row.get(10)?.ok_or_else(damaged)?,
            })
        })
    })?;
    found.into_iter().next().map(open).transpose()
}

thread_local! {
    /// Opened keys by their wrapped bytes, which no two keys share, not even of two installations
    /// that one backend sees in turn.
    static OPENED: RefCell<HashMap<Vec<u8>, Secret>> = RefCell::default();
}

fn open(stored: Stored) -> Result<ActiveKey> {
    const MOST: usize = 64;
    let kept = OPENED.with_borrow(|opened| opened.get(&stored.wrapped.blob).cloned());
    let secret = if let Some(secret) = kept {
        secret
    } else {
        if stored.wrapped.provider != file::NAME {
            return Err(Error::new(
                Kind::Unsupported,
                format!(
                    "key provider \"{}\" is not supported",
                    stored.wrapped.provider
                ),
            ));
        }
        provider()?.unwrap(&stored.wrapped, &stored.binding)?
    };
    // Checked on every look-up: the row beside the wrapped bytes may have been altered since.
    stored.binding.check(&secret, &stored.mac)?;
    OPENED.with_borrow_mut(|opened| {
        if opened.len() >= MOST {
            opened.clear();
        }
        opened.insert(stored.wrapped.blob, secret.clone());
    });
    Ok(ActiveKey {
        name: stored.binding.name,
        version: stored.binding.version,
        secret,
    })
}

fn damaged() -> Error {
    Error::new(Kind::Corrupt, "a stored key is not complete")
        .with_detail("Its wrapped bytes, their MAC or the id of the installation are missing.")
        .with_hint("Restore confiture.key_version and confiture.installation from a backup.")
}

fn no_key() -> Error {
    Error::new(Kind::NotReady, format!("there is no \"{MASKING}\" key"))
        .with_detail("Keyed functions never work with a built-in or empty key.")
        .with_hint(
            "Run SELECT confiture.init_key_file(); once for the server, then \
             SELECT confiture.create_key('masking'); in this database.",
        )
}

fn caller() -> String {
    user::name(user::outer())
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
