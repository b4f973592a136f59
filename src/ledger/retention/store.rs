//! The part that goes: found, held against an anchor, written to its archive, put on record, deleted.
//!
//! All of it in one transaction, but for the file: that is on disk before a row goes, and stays when
//! the transaction is rolled back.

use pgrx::Uuid;
use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};
use serde_json::Value;

use super::archive::{self, Archive};
use super::{Boundary, Covered, Mark};
use crate::error::{Error, Kind, Result};
use crate::keys;
use crate::ledger::entry::{self, Event, Facts, genesis};
use crate::ledger::guard::{self, Going};
use crate::ledger::store::{SELECT, append, stored};
use crate::ledger::tree::{Frontier, Hash};
use crate::ledger::verify::{Finding, Stored};
use crate::ledger::{anchor, inspection, lineage};
use crate::pg::lock::{self, Class};
use crate::pg::{frozen, owner, report, server, spi};
use crate::settings;

const SPAN: &str = include_str!("span.sql");

/// The number of the lock of those who prune.
const LOCK: u64 = 1;

/// What was pruned, or would be.
pub struct Pruned {
    /// What is said of it on record; without its archive's hash where nothing was written.
    pub boundary: Boundary,
    /// The file that it was written to.
    pub path: String,
}

/// The entry that says where the log goes on: the newest one, since a part that is pruned later
/// ends later. Runs as the owner already.
///
/// # Errors
/// As the interface.
pub fn newest() -> Result<Option<Stored>> {
    let sql = format!("{SELECT} WHERE event = 'PRUNED' ORDER BY seq DESC LIMIT 1");
    Ok(spi::read(&sql, &[], stored)?.into_iter().next())
}

/// Where the log goes on; `None` where nothing was pruned. Runs as the owner already.
///
/// # Errors
/// 55000 when the entry that says it was changed.
pub fn boundary() -> Result<Option<Boundary>> {
    newest()?.as_ref().map(read).transpose()
}

/// As [`boundary`], and the entry is signed.
///
/// # Errors
/// As [`boundary`]; what getting the key raises.
pub fn signed_boundary() -> Result<Option<Boundary>> {
    let Some(stored) = newest()? else {
        return Ok(None);
    };
    let boundary = read(&stored)?;
    let key = keys::store::verifier(&stored.entry.key_name, stored.entry.key_version)?;
    if !entry::signed(&key, &stored.entry.hash(), &stored.signature) {
        return Err(changed(stored.entry.seq));
    }
    Ok(Some(boundary))
}

fn read(stored: &Stored) -> Result<Boundary> {
    Boundary::of(&stored.entry)
        .filter(|_| stored.entry.hash().as_slice() == stored.entry_hash)
        .ok_or_else(|| changed(stored.entry.seq))
}

fn changed(seq: i64) -> Error {
    Error::new(
        Kind::NotReady,
        format!("entry {seq}, which says where the ledger goes on, was changed"),
    )
    .with_hint("Run confiture.verify_ledger.")
}

/// Takes the oldest whole part that is older than `before` and covered by an anchor out of the
/// ledger; `None` where there is none. With `dry_run` nothing is written.
///
/// # Errors
/// 22023 for a time to come; 25006 on a standby; 55000 without an archive directory, for a bad one,
/// without an anchor that agrees with the log, or when something cannot be verified; 55006 while
/// somebody else prunes; XX001 when verification fails, or the archive holds something else; 58030;
/// as [`append`].
pub fn prune(before: i64, dry_run: bool, notes: Option<Vec<String>>) -> Result<Option<Pruned>> {
    if before > server::now() {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"before\" must not lie in the future",
        ));
    }
    if !dry_run {
        frozen::writable()?;
    }
    let directory = settings::archive_directory().ok_or_else(no_directory)?;
    archive::check_directory(&directory, &server::data_directory())?;
    if !dry_run && !lock::try_take_for_transaction(Class::Ledger, LOCK) {
        return Err(Error::new(
            Kind::InUse,
            "another session is pruning the ledger",
        ));
    }
    if !dry_run {
        guard::restored::store::removal_begins();
    }
    let inspected = inspection::store::inspect(notes, false)?;
    refuse(&inspected.findings)?;
    let covers = i64::try_from(inspected.covers).unwrap_or(i64::MAX);
    if covers == 0 {
        return Err(Error::new(
            Kind::NotReady,
            "no anchor covers the part of the ledger that would go",
        )
        .with_detail("Without one nobody could tell later that it was as it had been written.")
        .with_hint(
            "Make one with confiture.export_anchor, keep it outside, and hand it in or set \
             confiture.anchor_directory.",
        ));
    }
    let Some((log_id, mut boundary)) = as_owner(|| part(before, covers))? else {
        report::notice(
            "nothing to prune: no whole part of the ledger is older than that and covered by an \
             anchor",
        );
        return Ok(None);
    };
    let log = Uuid::from_bytes(log_id).to_string();
    let name = archive::name_of(&log, boundary.first, boundary.last);
    let path = directory.join(&name).display().to_string();
    if dry_run {
        return Ok(Some(Pruned { boundary, path }));
    }
    boundary.archive = as_owner(|| {
        let mut archive = Archive::create(&directory, &name)?;
        let mut lines = 0;
        spi::each(
            "SELECT l FROM confiture.export_ledger($1) AS l",
            &[boundary.last.into()],
            |row| {
                lines += 1;
                archive.line(&row.required::<String>(1)?)
            },
        )?;
        // Where something went before, the line that says so is the first one.
        let rows = boundary.count() + boundary.lineage.covered.count + boundary.journal.count;
        require(rows + i64::from(boundary.first > 1), lines)?;
        archive.finish()
    })?;
    let mut details = boundary.details();
    details["before"] = Value::String(as_owner(|| in_words(before))?);
    details["file"] = Value::String(name);
    let facts = Facts {
        details: Some(details.into()),
        ..Facts::default()
    };
    append(Event::Pruned, facts)?;
    as_owner(|| delete(&boundary))?;
    report::log(&format!(
        "confiture pruned log={log} first={} last={} sha256={}",
        boundary.first,
        boundary.last,
        hex::encode(boundary.archive)
    ));
    Ok(Some(Pruned { boundary, path }))
}

/// Only what verifies is taken out: else the evidence of what is wrong would go.
fn refuse(findings: &[Finding]) -> Result<()> {
    let grave = |status: &str| status != "ok" && status != "warn";
    let Some(found) = findings.iter().find(|found| grave(found.status)) else {
        return Ok(());
    };
    let kind = match found.status {
        "fail" => Kind::Corrupt,
        _ => Kind::NotReady,
    };
    Err(
        Error::new(kind, "the ledger does not verify, so nothing is pruned")
            .with_detail(format!("{}: {}", found.code, found.detail))
            .with_hint("Run confiture.verify_ledger."),
    )
}

/// The part that may go, without the hash of its archive, and the log it is of. The log was
/// verified: what is stored is right.
fn part(before: i64, covers: i64) -> Result<Option<([u8; 16], Boundary)>> {
    let former = boundary()?;
    if number(NEWEST, &[])?
        != spi::read_now(NEWEST, &[], |row| row.get(1))?
            .into_iter()
            .next()
            .flatten()
    {
        return Err(Error::new(
            Kind::InUse,
            "another session has pruned the ledger meanwhile",
        )
        .with_hint("Repeat the command."));
    }
    let before = TimestampWithTimeZone::try_from(before).map_err(|_| {
        Error::new(
            Kind::InvalidParameter,
            "argument \"before\" is out of range",
        )
    })?;
    let younger = number(
        "SELECT min(seq) FROM ONLY confiture.audit_log WHERE \"timestamp\" >= $1",
        &[before.into()],
    )?;
    let most = younger.map_or(covers, |younger| covers.min(younger - 1));
    let first = number("SELECT min(seq) FROM ONLY confiture.audit_log", &[])?;
    let (Some(first), Some(last)) = (first, number(SPAN, &[most.into()])?) else {
        return Ok(None);
    };
    let found = spi::read(&format!("{SELECT} WHERE seq = $1"), &[last.into()], stored)?;
    let Some(end) = found.into_iter().next() else {
        return Ok(None);
    };
    let log_id = end.entry.log_id;
    let mut tree = former
        .as_ref()
        .map_or_else(Frontier::default, |b| b.tree.clone());
    let first_previous = former.as_ref().map_or(genesis(&log_id), |b| b.last_hash);
    anchor::store::walk(&log_id, former.as_ref(), last, |_, hash| tree.push(hash))?;
    let steps = former.as_ref().map_or_else(
        || Mark {
            covered: Covered::default(),
            hash: lineage::genesis(&log_id),
        },
        |b| b.lineage,
    );
    let records = former.as_ref().map_or(0, |b| b.journal.last);
    Ok(Some((
        log_id,
        Boundary {
            first,
            last,
            first_previous,
            last_hash: end.entry.hash(),
            tree,
            lineage: mark(last, steps)?,
            journal: Covered {
                count: end.entry.journal_last - records,
                last: end.entry.journal_last,
            },
            archive: [0; 32],
        },
    )))
}

const NEWEST: &str = "SELECT max(seq) FROM ONLY confiture.audit_log WHERE event = 'PRUNED'";

/// The end of the lineage that entries up to `last` cover, behind what went before.
fn mark(last: i64, former: Mark) -> Result<Mark> {
    let found = spi::read(
        "SELECT l.seq, l.entry_hash FROM ONLY confiture.lineage l
          WHERE l.seq = (SELECT max(e.lineage_last) FROM ONLY confiture.audit_log e
                          WHERE e.seq <= $1)",
        &[last.into()],
        |row| Ok((row.required::<i64>(1)?, row.required::<Vec<u8>>(2)?)),
    )?;
    let Some((seq, hash)) = found.into_iter().next() else {
        return Ok(Mark {
            covered: Covered {
                count: 0,
                last: former.covered.last,
            },
            hash: former.hash,
        });
    };
    let hash: Hash = hash
        .try_into()
        .map_err(|_| Error::new(Kind::Corrupt, "a stored hash has another length"))?;
    Ok(Mark {
        covered: Covered {
            count: seq - former.covered.last,
            last: seq,
        },
        hash,
    })
}

/// Deletes what was put on record as pruned, no more and no less.
fn delete(boundary: &Boundary) -> Result<()> {
    let (steps, records) = (boundary.lineage.covered, boundary.journal);
    let going = Going {
        audit: boundary.last,
        lineage: steps.last,
        journal: records.last,
    };
    // No entry is left that these hashes belong to, and no archive holds them.
    let rows = "DELETE FROM ONLY confiture.lineage_row_chunk WHERE run_id IN (
                SELECT run_id FROM ONLY confiture.lineage WHERE seq <= $1)";
    guard::open(|| spi::run(rows, &[steps.last.into()]))?;
    let tables = [
        (
            "DELETE FROM ONLY confiture.journal WHERE number <= $1",
            records.last,
            records.count,
        ),
        (
            "DELETE FROM ONLY confiture.lineage WHERE seq <= $1",
            steps.last,
            steps.count,
        ),
        (
            "DELETE FROM ONLY confiture.audit_log WHERE seq <= $1",
            boundary.last,
            boundary.count(),
        ),
    ];
    for (sql, last, expected) in tables {
        let gone = guard::prune(going, || spi::run(sql, &[last.into()]))?;
        require(expected, i64::try_from(gone).unwrap_or(i64::MAX))?;
    }
    Ok(())
}

/// What goes, and what is kept of it, is what was verified, no more and no less.
fn require(expected: i64, found: i64) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(
        Error::new(Kind::Corrupt, "not the rows that were verified would go")
            .with_detail(format!("{expected} were expected to, and {found} would."))
            .with_hint("Run confiture.verify_ledger."),
    )
}

/// A time as everywhere in documents of the ledger.
fn in_words(time: i64) -> Result<String> {
    let time = TimestampWithTimeZone::try_from(time).map_err(|_| {
        Error::new(
            Kind::InvalidParameter,
            "argument \"before\" is out of range",
        )
    })?;
    let found = spi::read(
        "SELECT pg_catalog.to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"')",
        &[time.into()],
        |row| row.required::<String>(1),
    )?;
    Ok(found.into_iter().next().unwrap_or_default())
}

fn number(sql: &str, args: &[DatumWithOid<'_>]) -> Result<Option<i64>> {
    let found = spi::read(sql, args, |row| row.get::<i64>(1))?;
    Ok(found.into_iter().next().flatten())
}

fn no_directory() -> Error {
    Error::new(
        Kind::NotReady,
        "there is no directory for what is pruned from the ledger",
    )
    .with_detail("What goes is written to a file first.")
    .with_hint("Set confiture.archive_directory; see docs/ledger.md, retention.")
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
