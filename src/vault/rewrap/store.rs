//! Rows under former keys, locked, opened and written back.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use pgrx::Uuid;

use crate::error::{Error, Kind, Result};
use crate::keys;
use crate::keys::store::ActiveKey;
use crate::pg::spi;
use crate::vault::domain::Domain;
use crate::vault::domain::store::{as_owner, of_domain, of_subject, subject_by_id, wrap};
use crate::vault::record::{Handle, Place, Seals, base_of_subject};

/// Wraps the secrets of a domain and of its subjects anew; returns how many were not yet.
pub(super) fn secrets(domain: &Domain, key: &ActiveKey) -> Result<i64> {
    let wrapped = wrap(key, &domain.secret, &of_domain(&domain.name, key))?;
    let mut done = as_owner(|| {
        spi::run(
            "UPDATE ONLY confiture.token_domain SET key_name = $2, key_version = $3, wrapped = $4
              WHERE id = $1 AND (key_name, key_version) <> ($2, $3)",
            &[
                domain.id.into(),
                (*key.name).into(),
                key.version.into(),
                wrapped.into(),
            ],
        )
    })?;
    let subjects = as_owner(|| {
        spi::rows(
            "SELECT id FROM ONLY confiture.token_subject
              WHERE domain = $1 AND (key_name, key_version) <> ($2, $3)
              ORDER BY id FOR NO KEY UPDATE",
            &[domain.id.into(), (*key.name).into(), key.version.into()],
            |row| row.required::<Uuid>(1),
        )
    })?;
    for id in subjects {
        let Some(subject) = subject_by_id(domain, *id.as_bytes())? else {
            continue;
        };
        let wrapped = wrap(
            key,
            &subject.secret,
            &of_subject(&domain.name, subject.id, key),
        )?;
        done += as_owner(|| {
            spi::run(
                "UPDATE ONLY confiture.token_subject
                    SET key_name = $2, key_version = $3, wrapped = $4 WHERE id = $1",
                &[
                    id.into(),
                    (*key.name).into(),
                    key.version.into(),
                    wrapped.into(),
                ],
            )
        })?;
    }
    Ok(i64::try_from(done).unwrap_or(i64::MAX))
}

struct Old {
    handle: Vec<u8>,
    reference: Vec<u8>,
    subject: Option<Uuid>,
    key: (String, i32),
    payload: Vec<u8>,
}

/// Seals up to so many values anew, those behind a handle; returns how many, and the last handle
/// that was looked at, `None` where there are no more.
pub(super) fn values(
    domain: &Domain,
    key: &ActiveKey,
    behind: Option<Vec<u8>>,
    batch: i64,
) -> Result<(i64, Option<Vec<u8>>)> {
    let rows = as_owner(|| {
        spi::rows(
            "SELECT handle, reference, subject, key_name, key_version, payload
               FROM ONLY confiture.token
              WHERE domain = $1 AND (key_name, key_version) <> ($2, $3) AND payload IS NOT NULL
                AND handle > $4
              ORDER BY handle LIMIT $5 FOR NO KEY UPDATE",
            &[
                domain.id.into(),
                (*key.name).into(),
                key.version.into(),
                behind.unwrap_or_default().into(),
                batch.into(),
            ],
            |row| {
                Ok(Old {
                    handle: row.required(1)?,
                    reference: row.required(2)?,
                    subject: row.get(3)?,
                    key: (row.required(4)?, row.required(5)?),
                    payload: row.required(6)?,
                })
            },
        )
    })?;
    let Some(last) = rows.last().map(|row| row.handle.clone()) else {
        return Ok((0, None));
    };
    let nobody = Seals::new(&domain.secret);
    let mut subjects: BTreeMap<[u8; 16], Option<Seals>> = BTreeMap::new();
    let (mut handles, mut payloads) = (Vec::new(), Vec::new());
    for row in rows {
        let id = row.subject.map(|id| *id.as_bytes());
        let of = match id {
            None => Some(&nobody),
            Some(id) => {
                if let Entry::Vacant(place) = subjects.entry(id) {
                    let found = subject_by_id(domain, id)?;
                    let keys =
                        found.map(|one| Seals::new(&base_of_subject(&domain.secret, &one.secret)));
                    place.insert(keys);
                }
                subjects.get(&id).and_then(Option::as_ref)
            }
        };
        // Nobody opens what a forgotten subject's tokens stand for, under whatever key.
        let Some(of) = of else { continue };
        let reference: Handle = row
            .reference
            .try_into()
            .map_err(|_| Error::new(Kind::Corrupt, "a token has a handle of another length"))?;
        let place = Place {
            domain: &domain.name,
            key: (&row.key.0, row.key.1),
            reference: &reference,
            subject: id.as_ref(),
        };
        let former = keys::store::version_now(&row.key.0, row.key.1)?;
        let value = of.by(&former.secret).open(&row.payload, &place)?;
        let anew = Place {
            key: (&key.name, key.version),
            ..place
        };
        payloads.push(of.by(&key.secret).seal(&value, &anew)?);
        handles.push(row.handle);
    }
    let done = as_owner(|| {
        spi::run(
            "UPDATE ONLY confiture.token t SET key_name = $2, key_version = $3, payload = r.p
               FROM ROWS FROM (pg_catalog.unnest($4::bytea[]), pg_catalog.unnest($5::bytea[]))
                      r (h, p)
              WHERE t.domain = $1 AND t.handle = r.h",
            &[
                domain.id.into(),
                (*key.name).into(),
                key.version.into(),
                handles.into(),
                payloads.into(),
            ],
        )
    })?;
    Ok((i64::try_from(done).unwrap_or(i64::MAX), Some(last)))
}
