//! Whether a row belongs where a restore would put it.

use pgrx::Uuid;
use pgrx::datum::DatumWithOid;

use crate::error::Result;
use crate::ledger::guard::chain;
use crate::ledger::lineage::rows::CHUNK;
use crate::ledger::verify::{AUDIT, LINEAGE};
use crate::pg::lock::{self, Class, Mode};
use crate::pg::{owner, spi};

/// Up to where a chain was pruned.
const GONE: &str = "
    SELECT CASE $1 WHEN 'audit' THEN details ->> 'last_seq' ELSE details #>> '{lineage,last}' END
      FROM ONLY confiture.audit_log WHERE event = 'PRUNED' ORDER BY seq DESC LIMIT 1";

/// The number of the lock between what is taken out of the ledger and what a restore puts back: a
/// row could come back that another session is about to take out.
const LOCK: u64 = 2;

/// Whoever takes something out waits for restores, and they for it, until its transaction ends.
pub fn removal_begins() {
    lock::take_for_transaction(Class::Ledger, LOCK, Mode::Alone);
}

/// Whoever puts something back waits for those who take something out.
pub fn removals_are_over() {
    lock::take_for_transaction(Class::Ledger, LOCK, Mode::Shared);
}

/// Whether an entry that somebody else than the library writes may be one of a restore: the chain
/// has no head yet, or the head stands at or behind it, and the log was not pruned up to there. In a
/// log in use every such place is taken.
///
/// # Errors
/// As [`owner::acting_as_owner`].
pub fn admits_entry(table: &str, seq: Option<i64>, log_id: Option<[u8; 16]>) -> Result<bool> {
    let Some(chain) = chain(table) else {
        return Ok(false);
    };
    let (heads, gone) = owner::acting_as_owner("confiture", || {
        let heads = spi::read_now(
            "SELECT seq, log_id FROM ONLY confiture.ledger_head WHERE chain = $1",
            &[chain.into()],
            |row| Ok((row.required::<i64>(1)?, row.required::<Uuid>(2)?)),
        )?;
        let gone = spi::read_now(GONE, &[chain.into()], |row| row.get::<String>(1))?;
        Ok((heads, gone))
    })?;
    let gone = gone.into_iter().next().flatten();
    if gone.is_some_and(|gone| seq.is_none_or(|seq| gone.parse().is_ok_and(|gone| seq <= gone))) {
        return Ok(false);
    }
    Ok(heads.iter().all(|(head, log)| {
        seq.is_some_and(|seq| seq <= *head) && log_id.as_ref() == Some(log.as_bytes())
    }))
}

/// Whether a head that somebody else than the library writes may be one of a restore: its chain has
/// no entries yet, or entries of the same log. (That there is one head only, the primary key says.)
///
/// # Errors
/// As [`owner::acting_as_owner`].
pub fn admits_head(chain: Option<&str>, log_id: Option<[u8; 16]>) -> Result<bool> {
    let last = match chain {
        Some(AUDIT) => "SELECT log_id FROM ONLY confiture.audit_log ORDER BY seq DESC LIMIT 1",
        Some(LINEAGE) => "SELECT log_id FROM ONLY confiture.lineage ORDER BY seq DESC LIMIT 1",
        _ => return Ok(false),
    };
    let logs = owner::acting_as_owner("confiture", || {
        spi::read_now(last, &[], |row| row.required::<Uuid>(1))
    })?;
    Ok(logs
        .iter()
        .all(|log| log_id.as_ref() == Some(log.as_bytes())))
}

/// Whether the key of a run was destroyed, as the log says: neither it nor its hashes come back.
///
/// # Errors
/// As [`owner::acting_as_owner`].
pub fn is_shredded(run_id: [u8; 16]) -> Result<bool> {
    asked(
        "SELECT EXISTS (SELECT FROM ONLY confiture.audit_log
                         WHERE run_id = $1 AND event = 'RUN_KEY_SHREDDED')",
        &[Uuid::from_bytes(run_id).into()],
    )
}

/// Whether the key of a run may be one of a restore: the log or the lineage is not whole yet, or the
/// lineage says that the run had one, or a script may still need it; or the log was pruned, and may
/// have spoken of it.
///
/// # Errors
/// As [`owner::acting_as_owner`].
pub fn admits_key(run_id: [u8; 16]) -> Result<bool> {
    asked(
        "SELECT EXISTS (SELECT FROM ONLY confiture.lineage WHERE run_key_id = $1)
             OR EXISTS (SELECT FROM ONLY confiture.audit_log
                         WHERE run_id = $1 AND event = 'STARTED' AND origin = 'declared')
             OR EXISTS (SELECT FROM ONLY confiture.audit_log WHERE event = 'PRUNED')
             OR coalesce((SELECT max(seq) FROM ONLY confiture.audit_log), 0)
                < coalesce((SELECT seq FROM ONLY confiture.ledger_head WHERE chain = 'audit'),
                           9223372036854775807)
             OR coalesce((SELECT max(seq) FROM ONLY confiture.lineage), 0)
                < coalesce((SELECT seq FROM ONLY confiture.ledger_head WHERE chain = 'lineage'),
                           9223372036854775807)",
        &[Uuid::from_bytes(run_id).into()],
    )
}

/// Whether a chunk of hashes may be one of a restore: the lineage is not whole yet, or commits to
/// as many rows of this column.
///
/// # Errors
/// As [`owner::acting_as_owner`].
pub fn admits_chunk(run_id: [u8; 16], table: &str, column: &str, chunk: i64) -> Result<bool> {
    asked(
        "SELECT EXISTS (SELECT FROM ONLY confiture.lineage
                         WHERE run_id = $1 AND table_name = $2 AND column_name = $3
                           AND commitment ~~ 'merkle/%' AND $4 >= 1
                           AND ($4 - 1) * $5 < rows_seen)
             OR coalesce((SELECT max(seq) FROM ONLY confiture.lineage),
                         (SELECT (details #>> '{lineage,last}')::bigint
                            FROM ONLY confiture.audit_log
                           WHERE event = 'PRUNED' ORDER BY seq DESC LIMIT 1), 0)
                < coalesce((SELECT seq FROM ONLY confiture.ledger_head WHERE chain = 'lineage'),
                           9223372036854775807)",
        &[
            Uuid::from_bytes(run_id).into(),
            table.into(),
            column.into(),
            chunk.into(),
            i64::try_from(CHUNK).unwrap_or(i64::MAX).into(),
        ],
    )
}

fn asked(sql: &'static str, args: &[DatumWithOid<'_>]) -> Result<bool> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read_now(sql, args, |row| row.required::<bool>(1))
    })?;
    Ok(found.first().copied().unwrap_or(false))
}
