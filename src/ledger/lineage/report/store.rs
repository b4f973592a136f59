//! What a report says, read with the rights of the caller.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Column, MOST_STEPS, Mark, Report, Step};
use crate::error::Result;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::inspection::store::inspect;
use crate::ledger::store::append;
use crate::pg::{server, spi, user};

/// Reads the lineage of a schema, of a table or of everything, and verifies the ledger.
///
/// # Errors
/// As the interface; 42501 from the server where the caller may not read the lineage.
pub fn read(schema: Option<&str>, table: Option<&str>) -> Result<Report> {
    let columns = spi::read(LATEST, &[schema.into(), table.into()], |row| {
        Ok(Column {
            latest: step(row)?,
            runs: row.required(19)?,
        })
    })?;
    let limit = i64::try_from(MOST_STEPS).unwrap_or(i64::MAX);
    let counts = columns.iter().map(|column| column.runs).sum();
    Ok(Report {
        made_at: made_at()?,
        made_by: user::name(user::outer()),
        database: server::database(),
        schema: schema.map(str::to_owned),
        table: table.map(str::to_owned),
        findings: inspect(None, false)?.findings,
        mark: mark()?,
        columns,
        steps: spi::read(NEWEST, &[schema.into(), table.into(), limit.into()], step)?,
        steps_total: counts,
    })
}

/// The moment of the statement in UTC, as reports show it.
///
/// # Errors
/// As the interface.
pub fn made_at() -> Result<String> {
    let found = spi::read(NOW, &[], |row| row.required::<String>(1))?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// The last entry of the audit log; `None` where there is none.
///
/// # Errors
/// As the interface; 42501 from the server where the caller may not read the log.
pub fn mark() -> Result<Option<Mark>> {
    let found = spi::read(LAST, &[], |row| {
        Ok(Mark {
            log_id: row.required(1)?,
            seq: row.required(2)?,
            hash: row.required(3)?,
        })
    })?;
    Ok(found.into_iter().next())
}

/// Puts on record that a report is handed out: SHA-256 of its text in UTF-8, its length in bytes and
/// what it is about, so that a copy of it can be held against the ledger.
///
/// # Errors
/// As [`append`].
pub fn issue(text: &str, run_id: Option<[u8; 16]>, mut about: Map<String, Value>) -> Result<()> {
    about.insert(
        "sha256".to_owned(),
        hex::encode(Sha256::digest(text.as_bytes())).into(),
    );
    about.insert("bytes".to_owned(), text.len().into());
    let facts = Facts {
        run_id,
        details: Some(Value::Object(about).into()),
        ..Facts::default()
    };
    append(Event::Report, facts)?;
    Ok(())
}

/// A document as the server writes it, whatever the settings are.
///
/// # Errors
/// As the interface.
pub fn as_text(document: &Value) -> Result<String> {
    let found = spi::read(
        "SELECT $1::text::jsonb::text",
        &[document.to_string().into()],
        |row| row.required::<String>(1),
    )?;
    Ok(found.into_iter().next().unwrap_or_default())
}

const NOW: &str = "
    SELECT pg_catalog.to_char(pg_catalog.statement_timestamp() AT TIME ZONE 'UTC',
                              'YYYY-MM-DD HH24:MI:SS')";

const LAST: &str = "
    SELECT log_id::text, seq, pg_catalog.encode(entry_hash, 'hex')
      FROM ONLY confiture.audit_log ORDER BY seq DESC LIMIT 1";

const LATEST: &str = "
    SELECT DISTINCT ON (h.target_schema COLLATE \"C\", h.target_table COLLATE \"C\",
                        h.target_column COLLATE \"C\")
           h.run_id::text,
           pg_catalog.to_char(h.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
           h.who, h.profile, h.profile_version, h.source_schema, h.target_schema, h.target_table,
           h.target_column, h.strategy, h.strategy_version, h.rows_seen, h.rows_changed,
           h.rows_unchanged, h.nulls, h.reversible, h.commitment_state, h.origin,
           pg_catalog.count(*) OVER (PARTITION BY h.target_schema, h.target_table, h.target_column)
      FROM confiture.lineage_history($1, $2) h
     ORDER BY h.target_schema COLLATE \"C\", h.target_table COLLATE \"C\",
              h.target_column COLLATE \"C\", h.seq DESC";

const NEWEST: &str = "
    SELECT h.run_id::text,
           pg_catalog.to_char(h.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
           h.who, h.profile, h.profile_version, h.source_schema, h.target_schema, h.target_table,
           h.target_column, h.strategy, h.strategy_version, h.rows_seen, h.rows_changed,
           h.rows_unchanged, h.nulls, h.reversible, h.commitment_state, h.origin
      FROM confiture.lineage_history($1, $2) WITH ORDINALITY h (
           seq, run_id, finished_at, who, profile, profile_version, source_schema, target_schema,
           target_table, target_column, strategy, strategy_version, rows_seen, rows_changed,
           rows_unchanged, nulls, reversible, commitment_state, origin, place)
     ORDER BY h.place LIMIT $3";

fn step(row: &spi::Row<'_>) -> Result<Step> {
    Ok(Step {
        run_id: row.required(1)?,
        finished_at: row.get(2)?,
        who: row.get(3)?,
        profile: row.get(4)?,
        profile_version: row.get(5)?,
        source: row.required(6)?,
        target: row.required(7)?,
        table: row.required(8)?,
        column: row.required(9)?,
        strategy: row.required(10)?,
        version: row.required(11)?,
        seen: row.required(12)?,
        changed: row.get(13)?,
        unchanged: row.get(14)?,
        nulls: row.get(15)?,
        reversible: row.required(16)?,
        commitment: row.required(17)?,
        origin: row.required(18)?,
    })
}
