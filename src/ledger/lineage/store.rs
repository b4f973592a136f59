//! The lineage at rest: `confiture.lineage`, and the keys of runs in `confiture.run_key`.

use std::collections::VecDeque;

use pgrx::Uuid;
use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};

use super::{Entry, Facts};
use crate::error::{Error, Kind, Result};
use crate::keys::envelope::{self, Binding};
use crate::keys::{self, Secret, Use, subkey};
use crate::ledger::entry::{CANON_VERSION, LineageRange};
use crate::ledger::guard;
use crate::ledger::signing::Signing;
use crate::ledger::store::not_as_written;
use crate::ledger::tree::Frontier;
use crate::ledger::verify::{AUDIT, Finding, Head, LINEAGE, StoredStep};
use crate::pg::{owner, server, spi};

/// Appends the lineage of a run behind the head: the range it fills, and the head that follows.
/// The caller holds the head and moves it.
///
/// # Errors
/// XX001 when what was stored is not what was written.
pub fn append(
    signing: &Signing<'_>,
    run_id: [u8; 16],
    mut head: Head,
    steps: &[Facts],
) -> Result<(LineageRange, Head)> {
    if steps.is_empty() {
        return Ok((LineageRange::default(), head));
    }
    let first = head.seq + 1;
    let timestamp = server::now();
    let mut hashes = Vec::with_capacity(steps.len());
    let mut tree = Frontier::default();
    let mut written = Vec::with_capacity(steps.len());
    for facts in steps {
        let entry = Entry {
            seq: head.seq + 1,
            log_id: head.log_id,
            run_id,
            origin: signing.origin.name().to_owned(),
            timestamp,
            facts: facts.clone(),
            key_name: signing.key_name(),
            key_version: signing.key_version(),
            previous_entry_hash: head.entry_hash,
        };
        let hash = entry.hash();
        guard::open(|| insert(&entry, &hash, &signing.sign(&hash)))?;
        head.seq = entry.seq;
        head.entry_hash = hash.to_vec();
        tree.push(&hash);
        hashes.push(hash);
        written.push(entry);
    }
    let found = spi::rows(
        &format!("{SELECT} WHERE seq >= $1 ORDER BY seq"),
        &[first.into()],
        stored,
    )?;
    let intact = found.len() == written.len()
        && found
            .iter()
            .zip(written.iter().zip(&hashes))
            .all(|(found, (entry, hash))| {
                found.entry == *entry
                    && found.entry_hash == hash
                    && found.signature == signing.sign(hash)
            });
    if !intact {
        return Err(not_as_written("confiture.lineage", first));
    }
    let range = LineageRange {
        first: Some(first),
        last: Some(head.seq),
        root: Some(tree.root().to_vec()),
    };
    Ok((range, head))
}

/// Reads the lineage in order, by pages: what is behind the number that was asked for waits for the next
/// one, so that many small ranges are no more statements than a large one.
pub struct Reader {
    after: i64,
    waiting: VecDeque<StoredStep>,
    is_at_end: bool,
}

impl Reader {
    /// Begins behind an entry; 0 stands before the first one.
    pub fn after(seq: i64) -> Self {
        Self {
            after: seq,
            waiting: VecDeque::new(),
            is_at_end: false,
        }
    }

    /// Hands on what follows, up to a number.
    ///
    /// # Errors
    /// As the interface.
    pub fn until(&mut self, last: i64, mut each: impl FnMut(&StoredStep)) -> Result<()> {
        loop {
            while let Some(step) = self.waiting.pop_front() {
                if step.entry.seq > last {
                    self.waiting.push_front(step);
                    return Ok(());
                }
                each(&step);
            }
            if self.is_at_end {
                return Ok(());
            }
            let page = spi::read(
                &format!("{SELECT} WHERE seq > $1 ORDER BY seq LIMIT 1000"),
                &[self.after.into()],
                stored,
            )?;
            match page.last() {
                Some(end) => self.after = end.entry.seq,
                None => self.is_at_end = true,
            }
            self.waiting.extend(page);
            server::check_for_interrupts();
        }
    }
}

/// Runs whose key is gone although no entry says that it was destroyed.
///
/// # Errors
/// As the interface.
pub fn missing_keys() -> Result<Vec<Finding>> {
    let found = spi::read(
        "SELECT min(l.seq), max(l.seq), count(DISTINCT l.run_key_id)
           FROM ONLY confiture.lineage l
          WHERE l.run_key_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM ONLY confiture.run_key k WHERE k.run_id = l.run_key_id)
            AND NOT EXISTS (SELECT FROM ONLY confiture.audit_log e
                             WHERE e.run_id = l.run_key_id AND e.event = 'RUN_KEY_SHREDDED')",
        &[],
        |row| {
            Ok((
                row.get::<i64>(1)?,
                row.get::<i64>(2)?,
                row.required::<i64>(3)?,
            ))
        },
    )?;
    Ok(found
        .into_iter()
        .filter(|(.., runs)| *runs > 0)
        .map(|(seq_from, seq_to, runs)| Finding {
            code: "E13",
            status: "unverifiable",
            chain: LINEAGE,
            seq_from,
            seq_to,
            detail: format!(
                "The keys of {runs} runs are missing, and no entry says that they were destroyed: \
                 what these runs committed to cannot be checked."
            ),
        })
        .collect())
}

/// Keys of runs that are there although an entry says that they were destroyed.
///
/// # Errors
/// As the interface.
pub fn returned_keys() -> Result<Vec<Finding>> {
    let found = spi::read(
        "SELECT e.seq FROM ONLY confiture.run_key k
           JOIN ONLY confiture.audit_log e
             ON e.run_id = k.run_id AND e.event = 'RUN_KEY_SHREDDED'
          ORDER BY e.seq",
        &[],
        |row| row.required::<i64>(1),
    )?;
    Ok(found
        .into_iter()
        .map(|seq| Finding {
            code: "E13",
            status: "fail",
            chain: AUDIT,
            seq_from: Some(seq),
            seq_to: Some(seq),
            detail: "The key of the run was destroyed, as the entry says, and is there again."
                .to_owned(),
        })
        .collect())
}

/// Makes the key of a run and keeps it, wrapped, in the current transaction.
///
/// # Errors
/// 55000 without a key.
pub fn make_key(run_id: [u8; 16]) -> Result<Secret> {
    let active = keys::store::active_now("ledger")?;
    let secret = Secret::random()?;
    let wrapped = envelope::wrap(
        &subkey(&active.secret, Use::RunKey),
        &secret,
        &binding(run_id, active.version),
    )?;
    owner::acting_as_owner("confiture", || {
        let sql = "INSERT INTO confiture.run_key (run_id, key_name, key_version, wrapped)
                   VALUES ($1, $2, $3, $4)";
        let args = [
            Uuid::from_bytes(run_id).into(),
            (*active.name).into(),
            active.version.into(),
            wrapped.into(),
        ];
        guard::open(|| spi::run(sql, &args))?;
        Ok(secret)
    })
}

/// The key of a run; `None` where it was destroyed.
///
/// # Errors
/// 55000 when the key that wraps it is not available; XX001 when the row is damaged.
pub fn key(run_id: [u8; 16]) -> Result<Option<Secret>> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT key_name, key_version, wrapped FROM ONLY confiture.run_key WHERE run_id = $1",
            &[Uuid::from_bytes(run_id).into()],
            |row| {
                Ok((
                    row.required::<String>(1)?,
                    row.required::<i32>(2)?,
                    row.required::<Vec<u8>>(3)?,
                ))
            },
        )
    })?;
    let Some((name, version, wrapped)) = found.into_iter().next() else {
        return Ok(None);
    };
    let data_key = keys::store::version_now(&name, version)?;
    envelope::unwrap(
        &subkey(&data_key.secret, Use::RunKey),
        &wrapped,
        &binding(run_id, version),
    )
    .map(Some)
    .ok_or_else(|| {
        Error::new(
            Kind::Corrupt,
            "the stored key of a run does not belong to it",
        )
        .with_hint("Restore confiture.run_key from a backup of this installation.")
    })
}

/// Destroys the key of a run; whether there was one.
///
/// # Errors
/// As the interface.
pub fn destroy_key(run_id: [u8; 16]) -> Result<bool> {
    guard::restored::store::removal_begins();
    owner::acting_as_owner("confiture", || {
        let sql = "DELETE FROM ONLY confiture.run_key WHERE run_id = $1";
        let gone = guard::open(|| spi::run(sql, &[Uuid::from_bytes(run_id).into()]))?;
        Ok(gone > 0)
    })
}

/// Whether the lineage has entries of a run.
///
/// # Errors
/// As the interface.
pub fn has_run(run_id: [u8; 16]) -> Result<bool> {
    owner::acting_as_owner("confiture", || {
        let found = spi::read(
            "SELECT EXISTS (SELECT FROM ONLY confiture.lineage WHERE run_id = $1)",
            &[Uuid::from_bytes(run_id).into()],
            |row| row.required::<bool>(1),
        )?;
        Ok(found.first().copied().unwrap_or(false))
    })
}

/// The entry of the lineage about a column in a run.
///
/// # Errors
/// As the interface.
pub fn find(run_id: [u8; 16], table: &str, column: &str) -> Result<Option<Entry>> {
    owner::acting_as_owner("confiture", || {
        let found = spi::read(
            &format!("{SELECT} WHERE run_id = $1 AND table_name = $2 AND column_name = $3"),
            &[Uuid::from_bytes(run_id).into(), table.into(), column.into()],
            stored,
        )?;
        Ok(found.into_iter().next().map(|stored| stored.entry))
    })
}

fn binding(run_id: [u8; 16], version: i32) -> Binding {
    Binding {
        installation: run_id,
        name: "run".to_owned(),
        version,
        purpose: "commitments".to_owned(),
    }
}

const SELECT: &str = "
    SELECT seq, log_id, run_id, origin, \"timestamp\", source_schema, schema_name, table_name,
           column_name, rows_seen, rows_changed, rows_unchanged, nulls, original_hash,
           anonymized_hash, commitment, row_binding, strategy, strategy_version,
           strategy_params_hash, reversible, run_key_id, key_name, key_version,
           previous_entry_hash, canon_version, entry_hash, signature
      FROM ONLY confiture.lineage";

const INSERT: &str = "
    INSERT INTO confiture.lineage (
           seq, log_id, run_id, origin, \"timestamp\", source_schema, schema_name, table_name,
           column_name, rows_seen, rows_changed, rows_unchanged, nulls, original_hash,
           anonymized_hash, commitment, row_binding, strategy, strategy_version,
           strategy_params_hash, reversible, run_key_id, key_name, key_version,
           previous_entry_hash, canon_version, entry_hash, signature)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
           $20, $21, $22, $23, $24, $25, $26, $27, $28)";

fn insert(entry: &Entry, hash: &[u8; 32], signature: &[u8]) -> Result<()> {
    let facts = &entry.facts;
    let at = TimestampWithTimeZone::try_from(entry.timestamp)
        .map_err(|_| Error::new(Kind::Internal, "the clock is out of range"))?;
    let args: Vec<DatumWithOid<'_>> = vec![
        entry.seq.into(),
        Uuid::from_bytes(entry.log_id).into(),
        Uuid::from_bytes(entry.run_id).into(),
        entry.origin.as_str().into(),
        at.into(),
        facts.source_schema.as_str().into(),
        facts.schema_name.as_str().into(),
        facts.table_name.as_str().into(),
        facts.column_name.as_str().into(),
        facts.rows_seen.into(),
        facts.rows_changed.into(),
        facts.rows_unchanged.into(),
        facts.nulls.into(),
        facts.original_hash.clone().into(),
        facts.anonymized_hash.clone().into(),
        facts.commitment.as_str().into(),
        facts.row_binding.as_str().into(),
        facts.strategy.as_str().into(),
        facts.strategy_version.into(),
        facts.strategy_params_hash.clone().into(),
        facts.reversible.into(),
        facts.run_key_id.map(Uuid::from_bytes).into(),
        entry.key_name.as_str().into(),
        entry.key_version.into(),
        entry.previous_entry_hash.clone().into(),
        CANON_VERSION.into(),
        hash.to_vec().into(),
        signature.to_vec().into(),
    ];
    spi::run(INSERT, &args)?;
    Ok(())
}

fn stored(row: &spi::Row<'_>) -> Result<StoredStep> {
    Ok(StoredStep {
        entry: Entry {
            seq: row.required(1)?,
            log_id: *row.required::<Uuid>(2)?.as_bytes(),
            run_id: *row.required::<Uuid>(3)?.as_bytes(),
            origin: row.required(4)?,
            timestamp: row.required::<TimestampWithTimeZone>(5)?.into(),
            facts: Facts {
                source_schema: row.required(6)?,
                schema_name: row.required(7)?,
                table_name: row.required(8)?,
                column_name: row.required(9)?,
                rows_seen: row.required(10)?,
                rows_changed: row.get(11)?,
                rows_unchanged: row.get(12)?,
                nulls: row.get(13)?,
                original_hash: row.get(14)?,
                anonymized_hash: row.get(15)?,
                commitment: row.required(16)?,
                row_binding: row.required(17)?,
                strategy: row.required(18)?,
                strategy_version: row.required(19)?,
                strategy_params_hash: row.required(20)?,
                reversible: row.required(21)?,
                run_key_id: row.get::<Uuid>(22)?.map(|id| *id.as_bytes()),
            },
            key_name: row.required(23)?,
            key_version: row.required(24)?,
            previous_entry_hash: row.required(25)?,
        },
        canon_version: row.required(26)?,
        entry_hash: row.required(27)?,
        signature: row.required(28)?,
    })
}
