//! What the ledger and the lists of tables know of masked columns.

use std::collections::HashSet;

use super::{Name, Traces};
use crate::compliance::inventory::store::step;
use crate::error::Result;
use crate::pg::spi;
use crate::sync::registry::Registry;
use crate::sync::registry::store::standing;

/// Reads it: the ledger with the rights of the caller.
///
/// # Errors
/// As the interface; 42501 from the server where the caller may not read the ledger.
pub fn read() -> Result<Traces> {
    let steps = spi::read(STEPS, &[], step)?;
    if steps.is_empty() {
        return Ok(Traces::default());
    }
    let newest = spi::read(NEWEST, &[], |row| {
        let tables: Vec<String> = row.get(3)?.unwrap_or_default();
        let run = (row.required::<String>(2)?, tables.into_iter().collect());
        Ok((row.required::<String>(1)?, run))
    })?;
    Ok(Traces {
        steps,
        made: listed(Registry::Made)?,
        masked: listed(Registry::Masked)?,
        newest: newest.into_iter().collect(),
    })
}

fn listed(registry: Registry) -> Result<HashSet<Name>> {
    let tables = standing(registry)?.into_iter();
    Ok(tables.map(|table| (table.schema, table.name)).collect())
}

const STEPS: &str = "
    SELECT l.run_id::text,
           pg_catalog.to_char(l.\"timestamp\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
           l.source_schema, l.schema_name, l.table_name, l.column_name, l.strategy,
           l.strategy_version, l.rows_seen, l.rows_unchanged, l.reversible, l.commitment_state,
           l.origin
      FROM (SELECT pg_catalog.max(s.seq) AS seq FROM ONLY confiture.lineage s
             GROUP BY s.schema_name, s.table_name, s.column_name) newest
      JOIN confiture.lineage_columns l ON l.seq = newest.seq
     ORDER BY l.seq DESC";

const NEWEST: &str = "
    SELECT DISTINCT ON (e.target_schema) e.target_schema, e.run_id::text, e.tables_synced
      FROM ONLY confiture.audit_log e
     WHERE e.event = 'COMPLETED' AND e.run_id IS NOT NULL AND e.target_schema IS NOT NULL
       AND e.origin = 'run' AND e.source_schema <> e.target_schema
     ORDER BY e.target_schema, e.seq DESC";
