//! The hashes of rows at rest: `confiture.lineage_row_chunk`.

use pgrx::Uuid;

use super::{Chunk, Place, Roots};
use crate::error::Result;
use crate::ledger::guard;
use crate::ledger::verify::{Finding, LINEAGE};
use crate::pg::{owner, server, spi};

/// Keeps a chunk, in the current transaction.
///
/// # Errors
/// As the interface.
pub fn keep(place: &Place, chunk: &Chunk) -> Result<()> {
    owner::acting_as_owner("confiture", || {
        let sql = "INSERT INTO confiture.lineage_row_chunk
                     (run_id, table_name, column_name, chunk, original_macs, anonymized_macs)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        guard::open(|| {
            spi::run(
                sql,
                &[
                    Uuid::from_bytes(place.run_id).into(),
                    place.table.as_str().into(),
                    place.column.as_str().into(),
                    chunk.number.into(),
                    chunk.original.clone().into(),
                    chunk.anonymized.clone().into(),
                ],
            )
        })?;
        Ok(())
    })
}

/// Hands on the chunks of a column in their order, a few at a time.
///
/// # Errors
/// As the interface.
pub fn each(place: &Place, mut take: impl FnMut(&Chunk)) -> Result<()> {
    let mut after = 0;
    loop {
        let page = owner::acting_as_owner("confiture", || {
            spi::read(
                "SELECT chunk, original_macs, anonymized_macs FROM ONLY confiture.lineage_row_chunk
                  WHERE run_id = $1 AND table_name = $2 AND column_name = $3 AND chunk > $4
                  ORDER BY chunk LIMIT 8",
                &[
                    Uuid::from_bytes(place.run_id).into(),
                    place.table.as_str().into(),
                    place.column.as_str().into(),
                    after.into(),
                ],
                |row| {
                    Ok(Chunk {
                        number: row.required(1)?,
                        original: row.required(2)?,
                        anonymized: row.required(3)?,
                    })
                },
            )
        })?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.number;
        page.iter().for_each(&mut take);
        server::check_for_interrupts();
    }
}

/// Removes all hashes of a run: without its key they are random numbers.
///
/// # Errors
/// As the interface.
pub fn forget(run_id: [u8; 16]) -> Result<()> {
    owner::acting_as_owner("confiture", || {
        let sql = "DELETE FROM ONLY confiture.lineage_row_chunk WHERE run_id = $1";
        guard::open(|| spi::run(sql, &[Uuid::from_bytes(run_id).into()]))?;
        Ok(())
    })
}

/// Entries behind a number whose rows are not those they commit to, and rows that no entry commits
/// to. The rows of a run whose key was destroyed are gone, and so they should be.
///
/// # Errors
/// As the interface.
pub fn findings(after: i64) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut last = after;
    while let Some(entry) = next(last)? {
        last = entry.seq;
        let mut roots = Roots::default();
        each(&entry.place, |chunk| roots.push(chunk))?;
        let rows = entry.rows_seen.unsigned_abs();
        if !roots.are(rows, &entry.original, &entry.anonymized) {
            findings.push(finding(
                "E06",
                Some(entry.seq),
                "The rows that the entry commits to are not those on record: some are missing, \
                 added or changed.",
            ));
        }
    }
    let orphans = spi::read(
        "SELECT EXISTS (SELECT FROM ONLY confiture.lineage_row_chunk c
                         WHERE NOT EXISTS (
                               SELECT FROM ONLY confiture.lineage l
                                WHERE l.run_id = c.run_id AND l.table_name = c.table_name
                                  AND l.column_name = c.column_name
                                  AND l.commitment ~~ 'merkle/%')
                            OR EXISTS (SELECT FROM ONLY confiture.audit_log e
                                WHERE e.run_id = c.run_id AND e.event = 'RUN_KEY_SHREDDED'))",
        &[],
        |row| row.required::<bool>(1),
    )?;
    if orphans.first().copied().unwrap_or(false) {
        findings.push(finding(
            "E05",
            None,
            "There are rows on record that no entry of the lineage commits to, or whose key was \
             destroyed.",
        ));
    }
    Ok(findings)
}

fn finding(code: &'static str, seq: Option<i64>, detail: &str) -> Finding {
    Finding {
        code,
        status: "fail",
        chain: LINEAGE,
        seq_from: seq,
        seq_to: seq,
        detail: detail.to_owned(),
    }
}

/// An entry that commits to its rows one by one.
struct Committed {
    seq: i64,
    place: Place,
    rows_seen: i64,
    original: Vec<u8>,
    anonymized: Vec<u8>,
}

fn next(after: i64) -> Result<Option<Committed>> {
    let found = spi::read(
        "SELECT l.seq, l.run_id, l.table_name, l.column_name, l.rows_seen, l.original_hash,
                l.anonymized_hash
           FROM ONLY confiture.lineage l
          WHERE l.seq > $1 AND l.commitment ~~ 'merkle/%'
            AND NOT EXISTS (SELECT FROM ONLY confiture.audit_log e
                             WHERE e.run_id = l.run_id AND e.event = 'RUN_KEY_SHREDDED')
          ORDER BY l.seq LIMIT 1",
        &[after.into()],
        |row| {
            Ok(Committed {
                seq: row.required(1)?,
                place: Place {
                    run_id: *row.required::<Uuid>(2)?.as_bytes(),
                    table: row.required(3)?,
                    column: row.required(4)?,
                },
                rows_seen: row.required(5)?,
                original: row.get(6)?.unwrap_or_default(),
                anonymized: row.get(7)?.unwrap_or_default(),
            })
        },
    )?;
    Ok(found.into_iter().next())
}
