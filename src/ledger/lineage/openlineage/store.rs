//! What an event says, read with the rights of the caller.

use pgrx::{JsonB, Uuid};

use super::{Column, Place, Run};
use crate::error::{Error, Kind, Result};
use crate::pg::spi;

/// Reads a run that ended.
///
/// # Errors
/// 42704 when the audit log has no such run, 55000 when it has no end; 42501 from the server where
/// the caller may not read the ledger.
pub fn read(run_id: Uuid) -> Result<Run> {
    let Some(mut run) = spi::read(END, &[run_id.into()], end)?.into_iter().next() else {
        let begun = spi::read(BEGUN, &[run_id.into()], |row| row.required::<bool>(1))?;
        return Err(if begun == [true] {
            Error::new(Kind::NotReady, "the run has no end")
                .with_detail("It is still going, or its session was killed.")
        } else {
            Error::new(Kind::UndefinedObject, "there is no such run")
                .with_hint("See confiture.audit_log.")
        });
    };
    run.columns = spi::read(COLUMNS, &[run_id.into()], column)?;
    Ok(run)
}

const BEGUN: &str = "SELECT EXISTS (SELECT FROM ONLY confiture.audit_log e WHERE e.run_id = $1)";

// What signs lineage is an end, whatever its word.
const END: &str = "
    SELECT e.run_id::text, e.event <> 'FAILED',
           pg_catalog.to_char(e.\"timestamp\" AT TIME ZONE 'UTC',
                              'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
           e.profile_name, e.profile_version, e.source_database, e.source_schema,
           e.target_database, e.target_schema, e.tables_synced, e.rows_anonymized, e.details,
           e.system_identifier::text, e.log_id::text, e.seq,
           pg_catalog.encode(e.entry_hash, 'hex'), pg_catalog.encode(e.lineage_root, 'hex'),
           pg_catalog.concat(e.key_name, '/', e.key_version), e.origin
      FROM ONLY confiture.audit_log e
     WHERE e.run_id = $1
       AND (e.event IN ('COMPLETED', 'FAILED') OR e.lineage_first IS NOT NULL)
     ORDER BY e.seq DESC LIMIT 1";

const COLUMNS: &str = "
    SELECT l.seq, l.table_name, l.column_name, l.strategy, l.strategy_version, l.rows_seen,
           l.rows_changed, l.rows_unchanged, l.nulls, l.reversible, l.commitment, l.row_binding,
           pg_catalog.encode(l.original_hash, 'hex'), pg_catalog.encode(l.anonymized_hash, 'hex')
      FROM ONLY confiture.lineage l WHERE l.run_id = $1 ORDER BY l.seq";

fn end(row: &spi::Row<'_>) -> Result<Run> {
    let json = |column| -> Result<_> { Ok(row.get::<JsonB>(column)?.map(|JsonB(value)| value)) };
    Ok(Run {
        run_id: row.required(1)?,
        is_complete: row.required(2)?,
        at: row.required(3)?,
        profile: row.get(4)?,
        profile_version: row.get(5)?,
        source: (row.required(6)?, row.get(7)?.unwrap_or_default()),
        target: (row.required(8)?, row.get(9)?.unwrap_or_default()),
        tables: row.get(10)?.unwrap_or_default(),
        rows: json(11)?,
        details: json(12)?,
        cluster: row.required(13)?,
        ledger: Place {
            log_id: row.required(14)?,
            seq: row.required(15)?,
            entry_hash: row.required(16)?,
            lineage_root: row.get(17)?,
            key: row.required(18)?,
            origin: row.required(19)?,
        },
        columns: Vec::new(),
    })
}

fn column(row: &spi::Row<'_>) -> Result<Column> {
    Ok(Column {
        seq: row.required(1)?,
        table: row.required(2)?,
        name: row.required(3)?,
        strategy: row.required(4)?,
        version: row.required(5)?,
        seen: row.required(6)?,
        changed: row.get(7)?,
        unchanged: row.get(8)?,
        nulls: row.get(9)?,
        reversible: row.required(10)?,
        commitment: row.required(11)?,
        row_binding: row.required(12)?,
        original: row.get(13)?,
        anonymized: row.get(14)?,
    })
}
