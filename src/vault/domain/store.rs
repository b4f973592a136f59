//! Domains at rest: `confiture.token_domain`, `token_subject`.

use std::cell::RefCell;

use pgrx::Uuid;
use pgrx::datum::{Interval, JsonB};
use serde_json::{Map, Value, json};

use super::{Domain, Terms, check_name, check_ttl};
use crate::error::{Error, Kind, Result};
use crate::keys::envelope::{self, Binding};
use crate::keys::store::ActiveKey;
use crate::keys::{self, Secret, Use, hold, random_uuid, subkey};
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::inval::Cached;
use crate::pg::scan::{Key, Lookup, Table};
use crate::pg::snapshot::Snapshot;
use crate::pg::{frozen, owner, spi, user};
use crate::strategies::params;
use crate::strategies::token::TokenFormat;

/// The purpose of the key that wraps and seals; the masking key serves where there is none.
pub const PURPOSE: &str = "token";

/// Makes a domain, on record.
///
/// # Errors
/// 22023 for a bad name or limit; 42710 when it is there; 55000 without a key.
pub fn create(name: &str, terms: &Terms, ttl: Option<&Interval>) -> Result<()> {
    frozen::writable()?;
    check_name(name)?;
    terms.check()?;
    ttl.map_or(Ok(()), |ttl| {
        check_ttl(ttl.months(), ttl.days(), ttl.micros())
    })?;
    let key = sealing_key()?;
    let secret = Secret::random()?;
    let format: Map<String, Value> = terms
        .format
        .params()
        .iter()
        .map(|(name, value)| (name.clone(), params::to_json(value)))
        .collect();
    let made = as_owner(|| {
        spi::run(
            "LOCK TABLE ONLY confiture.token_domain IN SHARE ROW EXCLUSIVE MODE",
            &[],
        )?;
        let wrapped = wrap(&key, &secret, &of_domain(name, &key))?;
        spi::run(
            "INSERT INTO confiture.token_domain (id, name, format, is_deterministic, is_bound, ttl,
                    reveals_per_hour, key_name, key_version, wrapped, created_by)
             SELECT coalesce(max(d.id), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
               FROM ONLY confiture.token_domain d
             ON CONFLICT (name) DO NOTHING",
            &[
                name.into(),
                JsonB(Value::Object(format.clone())).into(),
                terms.is_deterministic.into(),
                terms.is_bound.into(),
                ttl.cloned().into(),
                terms.reveals_per_hour.into(),
                (*key.name).into(),
                key.version.into(),
                wrapped.into(),
                user::name(user::caller()).into(),
            ],
        )
    })?;
    if made == 0 {
        return Err(Error::new(
            Kind::DuplicateObject,
            format!("domain \"{name}\" already exists"),
        )
        .with_hint("See confiture.vault_domains."));
    }
    let facts = Facts {
        details: Some(
            json!({
                "domain": name,
                "format": format,
                "deterministic": terms.is_deterministic,
                "bound": terms.is_bound,
                "reveals_per_hour": terms.reveals_per_hour,
                "key": format!("{}/{}", key.name, key.version),
            })
            .into(),
        ),
        ..Facts::default()
    };
    ledger::append(Event::DomainCreated, facts)?;
    Ok(())
}

const DOMAIN: Lookup = Lookup {
    schema: c"confiture",
    table: c"token_domain",
    index: Some(c"token_domain_pkey"),
    columns: &[
        "id",
        "format",
        "is_deterministic",
        "is_bound",
        "reveals_per_hour",
        "key_name",
        "key_version",
        "wrapped",
    ],
};

/// A row of a domain.
#[derive(PartialEq, Eq)]
struct Stored {
    id: i32,
    terms: Terms,
    key_name: String,
    key_version: i32,
    wrapped: Vec<u8>,
}

impl Stored {
    fn read(name: &str) -> Result<Option<Self>> {
        let now = Snapshot::latest();
        let rows = Table::open(&DOMAIN, &now)?.find(&[("name", Key::Text(name))], |row, _| {
            let format = row.required::<JsonB>(2)?.0;
            let terms = Terms {
                format: params::from_json(&format)
                    .ok()
                    .and_then(|params| TokenFormat::new(&params).ok())
                    .ok_or_else(|| damaged(name))?,
                is_deterministic: row.required(3)?,
                is_bound: row.required(4)?,
                reveals_per_hour: row.get(5)?,
            };
            Ok(Self {
                id: row.required(1)?,
                terms,
                key_name: row.required(6)?,
                key_version: row.required(7)?,
                wrapped: row.required(8)?,
            })
        })?;
        Ok(rows.into_iter().next())
    }

    fn open(&self, name: &str) -> Result<(Domain, ActiveKey)> {
        let key = keys::store::version_cached(&self.key_name, self.key_version)?;
        let secret =
            unwrap(&key, &self.wrapped, &of_domain(name, &key)).ok_or_else(|| damaged(name))?;
        let domain = Domain {
            id: self.id,
            name: name.to_owned(),
            terms: self.terms.clone(),
            secret,
        };
        Ok((domain, key))
    }
}

thread_local! {
    /// Nothing secret: what is wrapped is opened anew each time.
    static ROWS: RefCell<Cached<Option<Stored>>> = const { RefCell::new(Cached::NOTHING) };
}

/// A domain by its name, with the key that wraps its secret; `None` where there is none.
///
/// # Errors
/// 55000 when that key is not available; XX001 when the row is damaged.
pub fn find(name: &str) -> Result<Option<(Domain, ActiveKey)>> {
    let read = || Ok((Stored::read(name)?, true));
    let kept = ROWS.with(|rows| Cached::find(rows, keys::store::WATCHED, name, read))?;
    let Some(row) = &*kept else { return Ok(None) };
    match row.open(name) {
        Ok(opened) => Ok(Some(opened)),
        // It may have been wrapped anew, and the message be under way.
        Err(error) => match Stored::read(name)? {
            Some(anew) if anew != *row => anew.open(name).map(Some),
            _ => Err(error),
        },
    }
}

/// As [`find`], for who needs it.
///
/// # Errors
/// 42704 where there is none; as [`find`].
pub fn get(name: &str) -> Result<Domain> {
    let found = find(name)?.ok_or_else(|| missing(name))?;
    Ok(found.0)
}

fn missing(name: &str) -> Error {
    Error::new(
        Kind::UndefinedObject,
        format!("domain \"{name}\" does not exist"),
    )
    .with_hint("See confiture.vault_domains, or make it with confiture.create_domain.")
}

/// Whether there is a domain of that name; its key is not needed.
///
/// # Errors
/// 42704 where there is none.
pub fn require(name: &str) -> Result<()> {
    let found = as_owner(|| {
        spi::read_now(
            "SELECT FROM ONLY confiture.token_domain WHERE name = $1",
            &[name.into()],
            |_| Ok(()),
        )
    })?;
    if found.is_empty() {
        return Err(missing(name));
    }
    Ok(())
}

/// The key that wraps and seals now, held until the transaction ends: it is not destroyed before
/// what it seals is committed.
///
/// # Errors
/// 55000 without a key; what keys raise.
pub fn sealing_key() -> Result<ActiveKey> {
    let key = keys::store::active_now(PURPOSE)?;
    hold::store::shared(&key)?;
    Ok(key)
}

/// A subject with its secret.
pub struct Subject {
    /// Its id, random.
    pub id: [u8; 16],
    /// Its secret.
    pub secret: Secret,
}

/// The subject found by a handle, held until the transaction ends, so that nobody forgets it
/// meanwhile; made where `make` says so and there is none.
///
/// # Errors
/// As [`find`].
pub fn subject(domain: &Domain, handle: &[u8], make: bool) -> Result<Option<Subject>> {
    const FIND: &str = "
        SELECT id, key_name, key_version, wrapped FROM ONLY confiture.token_subject
         WHERE domain = $1 AND handle = $2 FOR KEY SHARE";
    let found = || {
        let args = [domain.id.into(), handle.to_vec().into()];
        spi::read_now(FIND, &args, wrapped_subject)
    };
    let mut rows = as_owner(found)?;
    if rows.is_empty() && make {
        let (id, secret) = (random_uuid()?, Secret::random()?);
        let key = sealing_key()?;
        let wrapped = wrap(&key, &secret, &of_subject(&domain.name, id, &key))?;
        rows = as_owner(|| {
            spi::read_now(
                "INSERT INTO confiture.token_subject
                        (id, domain, handle, key_name, key_version, wrapped)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                &[
                    Uuid::from_bytes(id).into(),
                    domain.id.into(),
                    handle.to_vec().into(),
                    (*key.name).into(),
                    key.version.into(),
                    wrapped.into(),
                ],
                |_| Ok(()),
            )?;
            found()
        })?;
    }
    rows.into_iter()
        .next()
        .map(|row| open_subject(domain, row))
        .transpose()
}

/// The subject of that id; `None` where it was forgotten.
///
/// # Errors
/// As [`find`].
pub fn subject_by_id(domain: &Domain, id: [u8; 16]) -> Result<Option<Subject>> {
    let rows = {
        let now = Snapshot::latest();
        Table::open(&SUBJECT, &now)?.find(&[("id", Key::Uuid(id))], |row, _| {
            let is_its = row.required::<i32>(5)? == domain.id;
            is_its.then(|| wrapped_subject(row)).transpose()
        })?
    };
    rows.into_iter()
        .flatten()
        .next()
        .map(|row| open_subject(domain, row))
        .transpose()
}

const SUBJECT: Lookup = Lookup {
    schema: c"confiture",
    table: c"token_subject",
    index: Some(c"token_subject_pkey"),
    columns: &["id", "key_name", "key_version", "wrapped", "domain"],
};

type WrappedSubject = ([u8; 16], (String, i32), Vec<u8>);

fn wrapped_subject(row: &spi::Row<'_>) -> Result<WrappedSubject> {
    Ok((
        *row.required::<Uuid>(1)?.as_bytes(),
        (row.required(2)?, row.required(3)?),
        row.required(4)?,
    ))
}

fn open_subject(domain: &Domain, row: WrappedSubject) -> Result<Subject> {
    let (id, (key, version), wrapped) = row;
    let key = keys::store::version_cached(&key, version)?;
    let secret = unwrap(&key, &wrapped, &of_subject(&domain.name, id, &key))
        .ok_or_else(|| damaged(&domain.name))?;
    Ok(Subject { id, secret })
}

/// Runs our own statements as the owner of the extension.
///
/// # Errors
/// What `work` returns.
pub(in crate::vault) fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}

/// What the secret of a domain is bound to.
pub(in crate::vault) fn of_domain(name: &str, key: &ActiveKey) -> Binding {
    Binding {
        installation: [0; 16],
        name: name.to_owned(),
        version: key.version,
        purpose: "token domain".to_owned(),
    }
}

/// What the secret of a subject is bound to.
pub(in crate::vault) fn of_subject(domain: &str, id: [u8; 16], key: &ActiveKey) -> Binding {
    Binding {
        installation: id,
        name: domain.to_owned(),
        version: key.version,
        purpose: "token subject".to_owned(),
    }
}

/// Wraps the secret of a domain or subject.
///
/// # Errors
/// XX000 when the system has no randomness to give.
pub(in crate::vault) fn wrap(
    key: &ActiveKey,
    secret: &Secret,
    binding: &Binding,
) -> Result<Vec<u8>> {
    envelope::wrap(&subkey(&key.secret, Use::TokenDomain), secret, binding)
}

/// Unwraps it; `None` when it is not the one of that binding.
pub(in crate::vault) fn unwrap(
    key: &ActiveKey,
    wrapped: &[u8],
    binding: &Binding,
) -> Option<Secret> {
    envelope::unwrap(&subkey(&key.secret, Use::TokenDomain), wrapped, binding)
}

fn damaged(name: &str) -> Error {
    Error::new(
        Kind::Corrupt,
        format!("what is stored of domain \"{name}\" does not belong to it"),
    )
    .with_hint(
        "Restore confiture.token_domain and confiture.token_subject from a backup of this installation.",
    )
}
