//! The tables `confiture.key`, `key_version`, `key_verifier`, read.

use pgrx::Uuid;

use super::Stored;
use crate::error::{Error, Kind, Result};
use crate::keys::MASKING;
use crate::keys::envelope::Binding;
use crate::keys::provider::Wrapped;
use crate::pg::row::Row;
use crate::pg::scan::{Key, Lookup, Table};
use crate::pg::snapshot::Snapshot;

const KEY: Lookup = Lookup {
    schema: c"confiture",
    table: c"key",
    index: Some(c"key_pkey"),
    columns: &["name", "purpose"],
};

const KEY_BY_PURPOSE: Lookup = Lookup {
    index: Some(c"key_purpose_key"),
    ..KEY
};

const VERSION: Lookup = Lookup {
    schema: c"confiture",
    table: c"key_version",
    index: Some(c"key_version_pkey"),
    columns: &COLUMNS,
};

const ACTIVE_VERSION: Lookup = Lookup {
    index: Some(c"key_version_active_idx"),
    ..VERSION
};

const VERIFIER: Lookup = Lookup {
    table: c"key_verifier",
    index: Some(c"key_verifier_pkey"),
    columns: COLUMNS.split_at(COLUMNS.len() - 1).0,
    ..VERSION
};

/// Of a version; what is kept of a destroyed one has no state.
const COLUMNS: [&str; 9] = [
    "key_name",
    "version",
    "provider",
    "kek_ref",
    "kek_version",
    "alg",
    "wrapped",
    "binding_mac",
    "state",
];

const INSTALLATION: Lookup = Lookup {
    schema: c"confiture",
    table: c"installation",
    index: None,
    columns: &["id"],
};

/// The active version of the key for a purpose; of the masking key where it has none.
///
/// # Errors
/// XX001 when a row is not complete; 42P17 when a table is not as it was made.
pub fn active(purpose: &str, snapshot: &Snapshot) -> Result<Option<Stored>> {
    let keys = Table::open(&KEY_BY_PURPOSE, snapshot)?;
    let versions = Table::open(&ACTIVE_VERSION, snapshot)?;
    for purpose in serving(purpose) {
        let Some((name, _)) = key(&keys, "purpose", purpose)? else {
            continue;
        };
        let found = versions.find(&[("key_name", Key::Text(&name))], |row, _| {
            let is_active = state(row)? == "active";
            is_active
                .then(|| stored(row, purpose, snapshot))
                .transpose()
        })?;
        if let Some(found) = found.into_iter().flatten().next() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The name of the key for a purpose, or of the masking key.
///
/// # Errors
/// 42P17 when the table is not as it was made.
pub fn name(purpose: &str, snapshot: &Snapshot) -> Result<Option<String>> {
    let keys = Table::open(&KEY_BY_PURPOSE, snapshot)?;
    for purpose in serving(purpose) {
        if let Some((name, _)) = key(&keys, "purpose", purpose)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// A version of a key that is not destroyed.
///
/// # Errors
/// As [`active`].
pub fn version(name: &str, version: i32, snapshot: &Snapshot) -> Result<Option<Stored>> {
    let keys = Table::open(&KEY, snapshot)?;
    let Some((_, purpose)) = key(&keys, "name", name)? else {
        return Ok(None);
    };
    let asked = [
        ("key_name", Key::Text(name)),
        ("version", Key::Integer(version)),
    ];
    let found = Table::open(&VERSION, snapshot)?.find(&asked, |row, _| {
        let is_there = state(row)? != "destroyed";
        is_there
            .then(|| stored(row, &purpose, snapshot))
            .transpose()
    })?;
    Ok(found.into_iter().flatten().next())
}

/// What is kept of a destroyed version.
///
/// # Errors
/// As [`active`].
pub fn verifier(name: &str, version: i32, snapshot: &Snapshot) -> Result<Option<Stored>> {
    let asked = [
        ("key_name", Key::Text(name)),
        ("version", Key::Integer(version)),
    ];
    let found = Table::open(&VERIFIER, snapshot)?
        .find(&asked, |row, _| stored(row, "verifier", snapshot))?;
    Ok(found.into_iter().next())
}

/// Every version that is not destroyed.
///
/// # Errors
/// As [`active`].
pub fn all(snapshot: &Snapshot) -> Result<Vec<Stored>> {
    let mut found = Vec::new();
    for (name, purpose) in Table::open(&KEY, snapshot)?.find(&[], |row, _| pair(row))? {
        let asked = [("key_name", Key::Text(&name))];
        found.extend(Table::open(&VERSION, snapshot)?.find(&asked, |row, _| {
            let is_there = state(row)? != "destroyed";
            is_there
                .then(|| stored(row, &purpose, snapshot))
                .transpose()
        })?);
    }
    Ok(found.into_iter().flatten().collect())
}

/// The purposes whose keys serve one, best first.
fn serving(purpose: &str) -> impl Iterator<Item = &str> {
    [purpose, MASKING]
        .into_iter()
        .take(if purpose == MASKING { 1 } else { 2 })
}

/// The name and the purpose of a key.
fn key(keys: &Table<'_>, by: &str, of: &str) -> Result<Option<(String, String)>> {
    let found = keys.find(&[(by, Key::Text(of))], |row, _| pair(row))?;
    Ok(found.into_iter().next())
}

fn pair(row: &Row<'_>) -> Result<(String, String)> {
    Ok((row.required(1)?, row.required(2)?))
}

fn state(row: &Row<'_>) -> Result<String> {
    row.required(COLUMNS.len())
}

/// A row of a version, whose key has that purpose.
fn stored(row: &Row<'_>, purpose: &str, snapshot: &Snapshot) -> Result<Stored> {
    let installation = Table::open(&INSTALLATION, snapshot)?
        .find(&[], |row, _| Ok(*row.required::<Uuid>(1)?.as_bytes()))?;
    Ok(Stored {
        binding: Binding {
            installation: installation.into_iter().next().ok_or_else(damaged)?,
            name: row.required(1)?,
            version: row.required(2)?,
            purpose: purpose.to_owned(),
        },
        wrapped: Wrapped {
            provider: row.required(3)?,
            kek_ref: row.required(4)?,
            kek_version: row.get(5)?,
            alg: row.required(6)?,
            blob: row.get(7)?.ok_or_else(damaged)?,
        },
        mac: row.get(8)?.ok_or_else(damaged)?,
    })
}

fn damaged() -> Error {
    Error::new(Kind::Corrupt, "a stored key is not complete")
        .with_detail("Its wrapped bytes, their MAC or the id of the installation are missing.")
        .with_hint("Restore confiture.key_version and confiture.installation from a backup.")
}
