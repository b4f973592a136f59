//! Tokens at rest: `confiture.token`.

use pgrx::Uuid;

use super::Found;
use crate::error::{Error, Kind, Result};
use crate::keys::store::ActiveKey;
use crate::keys::{Secret, random_uuid};
use crate::pg::{frozen, spi, subxact};
use crate::vault::domain::Domain;
use crate::vault::domain::store::as_owner;
use crate::vault::record::Handle;
use crate::vault::tokens::Row;

/// The rows of those that are there, as of now.
///
/// # Errors
/// As the interface.
pub fn known(domain: &Domain, handles: &[Handle]) -> Result<Vec<Found>> {
    as_owner(|| {
        spi::read_now(
            "SELECT t.handle, t.salt,
                    coalesce(t.expires_at <= pg_catalog.clock_timestamp() + d.ttl / 2, false),
                    t.payload IS NULL
               FROM ONLY confiture.token_domain d
               JOIN ONLY confiture.token t ON t.domain = d.id
              WHERE d.id = $1 AND t.domain = $1 AND t.handle = ANY ($2)",
            &[domain.id.into(), list(handles).into()],
            found,
        )
    })
}

/// As [`known`], of rows that [`write`] has locked, or that it found made meanwhile: locked here too, in
/// the order of their handles. One that was deleted meanwhile is not among them.
///
/// # Errors
/// As the interface.
pub fn locked(domain: &Domain, handles: &[Handle]) -> Result<Vec<Found>> {
    as_owner(|| {
        spi::read_now(
            "SELECT t.handle, t.salt, true, t.payload IS NULL FROM ONLY confiture.token t
              WHERE t.domain = $1 AND t.handle = ANY ($2) ORDER BY t.handle FOR NO KEY UPDATE",
            &[domain.id.into(), list(handles).into()],
            found,
        )
    })
}

/// Gives rows that are locked their whole time again.
///
/// # Errors
/// As the interface.
pub fn renew(domain: &Domain, handles: &[Handle]) -> Result<()> {
    as_owner(|| {
        spi::read_now(
            "UPDATE ONLY confiture.token t SET expires_at = pg_catalog.clock_timestamp() + d.ttl
               FROM ONLY confiture.token_domain d
              WHERE d.id = $1 AND t.domain = $1 AND t.handle = ANY ($2)",
            &[domain.id.into(), list(handles).into()],
            |_| Ok(()),
        )
    })?;
    Ok(())
}

/// Gives rows that are locked and hold no value any more theirs again, and a whole time.
///
/// # Errors
/// As the interface.
pub fn revive(domain: &Domain, key: &ActiveKey, rows: &[Row]) -> Result<()> {
    let handles: Vec<&[u8]> = rows.iter().map(|row| row.handle.as_slice()).collect();
    let payloads: Vec<&[u8]> = rows.iter().map(|row| row.payload.as_slice()).collect();
    as_owner(|| {
        spi::read_now(
            "UPDATE ONLY confiture.token t
                SET key_name = $2, key_version = $3, payload = r.p,
                    expires_at = pg_catalog.clock_timestamp() + d.ttl
               FROM ONLY confiture.token_domain d,
                    ROWS FROM (pg_catalog.unnest($4::bytea[]), pg_catalog.unnest($5::bytea[]))
                      r (h, p)
              WHERE d.id = $1 AND t.domain = $1 AND t.handle = r.h",
            &[
                domain.id.into(),
                (*key.name).into(),
                key.version.into(),
                handles.into(),
                payloads.into(),
            ],
            |_| Ok(()),
        )
    })?;
    Ok(())
}

/// Rows that are worth a subtransaction.
const MANY: usize = 64;

/// The statement of [`write()`], with what ends it.
macro_rules! insert {
    ($end:literal) => {
        concat!(
            "INSERT INTO confiture.token (domain, key_name, key_version, expires_at,
                                          handle, reference, subject, salt, payload)
             SELECT $1, $2, $3,
                    pg_catalog.clock_timestamp()
                      + (SELECT d.ttl FROM ONLY confiture.token_domain d WHERE d.id = $1),
                    r.h, r.r, r.s, r.x, r.p
               FROM ROWS FROM (
                      pg_catalog.unnest($4::bytea[]), pg_catalog.unnest($5::bytea[]),
                      pg_catalog.unnest($6::uuid[]), pg_catalog.unnest($7::bytea[]),
                      pg_catalog.unnest($8::bytea[]), pg_catalog.unnest($9::boolean[]))
                      r (h, r, s, x, p, is_late) ",
            $end
        )
    };
}

const NEW: &str = insert!("");

const NEW_OR_LATE: &str = insert!(
    "LEFT JOIN LATERAL (
       SELECT t.handle FROM ONLY confiture.token t
        WHERE r.is_late AND t.domain = $1 AND t.handle = r.h FOR NO KEY UPDATE) held ON true
      WHERE held.handle IS NULL
     ON CONFLICT DO NOTHING RETURNING handle"
);

/// Writes rows, which come in the order of their handles, but those whose value or token is there;
/// returns the handles of those written. A row that `is_late` names is locked where it is there, and
/// written where it has gone.
///
/// One statement that takes row by row what it waits for: whoever locks or writes the same waits at the
/// first that both want, and holds nothing behind it.
///
/// Most often none of many is there: to look for each before it is written takes as long as a third
/// of writing them. So they are written without, and only where that fails, which lets go of them,
/// once more with.
///
/// # Errors
/// As the interface.
pub fn write(
    domain: &Domain,
    key: &ActiveKey,
    rows: &[Row],
    is_late: &[bool],
) -> Result<Vec<Handle>> {
    let are_new = !is_late.contains(&true) && !domain.terms.format.may_repeat();
    if are_new && rows.len() >= MANY {
        let written = subxact::unless_taken(|| insert(NEW, domain, key, rows, is_late))?;
        if written.is_some() {
            return Ok(rows.iter().map(|row| row.handle).collect());
        }
    }
    insert(NEW_OR_LATE, domain, key, rows, is_late)
}

fn insert(
    sql: &'static str,
    domain: &Domain,
    key: &ActiveKey,
    rows: &[Row],
    is_late: &[bool],
) -> Result<Vec<Handle>> {
    fn all<'a, T>(rows: &'a [Row], of: fn(&'a Row) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    as_owner(|| {
        spi::read_now(
            sql,
            &[
                domain.id.into(),
                (*key.name).into(),
                key.version.into(),
                all(rows, |row| row.handle.as_slice()).into(),
                all(rows, |row| row.reference.as_slice()).into(),
                all(rows, |row| row.subject.map(Uuid::from_bytes)).into(),
                all(rows, |row| row.salt.as_slice()).into(),
                all(rows, |row| row.payload.as_slice()).into(),
                is_late.to_vec().into(),
            ],
            |row| handle_of(row.required(1)?),
        )
    })
}

/// How many of these tokens are taken.
///
/// # Errors
/// As the interface.
pub fn taken(domain: &Domain, references: &[Handle]) -> Result<u64> {
    let count = as_owner(|| {
        spi::read_now(
            "SELECT count(*) FROM ONLY confiture.token t
              WHERE t.domain = $1 AND t.reference = ANY ($2)",
            &[domain.id.into(), list(references).into()],
            |row| row.required::<i64>(1),
        )
    })?;
    Ok(count.first().copied().unwrap_or(0).unsigned_abs())
}

fn found(row: &spi::Row<'_>) -> Result<Found> {
    Ok(Found {
        handle: handle_of(row.required(1)?)?,
        salt: row.required(2)?,
        is_late: row.required(3)?,
        is_over: row.required(4)?,
    })
}

/// A handle as it is stored.
fn handle_of(stored: Vec<u8>) -> Result<Handle> {
    stored
        .try_into()
        .map_err(|_| Error::new(Kind::Corrupt, "a token has a handle of another length"))
}

fn list(handles: &[Handle]) -> Vec<&[u8]> {
    handles.iter().map(<[u8; 16]>::as_slice).collect()
}

/// Deletes the secret of a subject, once nobody makes tokens of it, or makes the subject itself;
/// whether it was there, and how many tokens it had.
///
/// # Errors
/// 25006 on a standby; as the interface.
pub fn forget(domain: &Domain, handle: &Handle) -> Result<(bool, i64)> {
    frozen::writable()?;
    as_owner(|| {
        let id = loop {
            if let Some(id) = delete_subject(domain, handle)? {
                break id;
            }
            // Its row may be there and not committed: to write one of the same waits for that.
            if hold_place(domain, handle)? {
                delete_subject(domain, handle)?;
                return Ok((false, 0));
            }
        };
        let tokens = spi::read_now(
            "SELECT count(*) FROM ONLY confiture.token WHERE subject = $1",
            &[id.into()],
            |row| row.required::<i64>(1),
        )?;
        Ok((true, tokens.first().copied().unwrap_or(0)))
    })
}

fn delete_subject(domain: &Domain, handle: &Handle) -> Result<Option<Uuid>> {
    let gone = spi::read_now(
        "DELETE FROM ONLY confiture.token_subject WHERE domain = $1 AND handle = $2 RETURNING id",
        &[domain.id.into(), handle.as_slice().into()],
        |row| row.required::<Uuid>(1),
    )?;
    Ok(gone.first().copied())
}

/// Writes the row of a subject that nobody has made, of which nothing opens: who is about to make it
/// waits, and makes it anew. Whether it was not there.
fn hold_place(domain: &Domain, handle: &Handle) -> Result<bool> {
    let nothing = Secret::random()?;
    let made = spi::read_now(
        "INSERT INTO confiture.token_subject (id, domain, handle, key_name, key_version, wrapped)
         VALUES ($1, $2, $3, '', 0, $4) ON CONFLICT DO NOTHING RETURNING id",
        &[
            Uuid::from_bytes(random_uuid()?).into(),
            domain.id.into(),
            handle.as_slice().into(),
            nothing.expose().as_slice().into(),
        ],
        |_| Ok(()),
    )?;
    Ok(!made.is_empty())
}

/// Ends what has expired, of one domain or of all; returns how many, by domain. Tokens of digits are
/// few enough to be drawn again: theirs keep a row without a value. Rows that somebody renews are
/// left to him.
///
/// # Errors
/// 25006 on a standby; as the interface.
pub fn end_expired(domain: Option<i32>) -> Result<Vec<(String, i64)>> {
    frozen::writable()?;
    as_owner(|| {
        spi::rows(
            "WITH late AS MATERIALIZED (
               SELECT t.domain, t.handle FROM ONLY confiture.token t
                WHERE t.expires_at <= pg_catalog.clock_timestamp()
                  AND ($1 IS NULL OR t.domain = $1)
                ORDER BY t.domain, t.handle FOR UPDATE SKIP LOCKED),
             few AS (
               SELECT d.id FROM ONLY confiture.token_domain d
                WHERE d.format ->> 'format' = 'digits'),
             gone AS (
               DELETE FROM ONLY confiture.token t USING late l
                WHERE t.domain = l.domain AND t.handle = l.handle
                  AND t.domain NOT IN (SELECT f.id FROM few f) RETURNING t.domain),
             emptied AS (
               UPDATE ONLY confiture.token t SET payload = NULL, expires_at = NULL
                 FROM late l
                WHERE t.domain = l.domain AND t.handle = l.handle
                  AND t.domain IN (SELECT f.id FROM few f) RETURNING t.domain)
             SELECT d.name, count(*)
               FROM (SELECT g.domain FROM gone g UNION ALL SELECT e.domain FROM emptied e) g
               JOIN ONLY confiture.token_domain d ON d.id = g.domain
              GROUP BY d.name ORDER BY d.name",
            &[domain.into()],
            |row| Ok((row.required(1)?, row.required(2)?)),
        )
    })
}
