//! Stored versions and the entries about them.

use serde_json::{Value, json};

use super::{Entry, Records, held};
use crate::error::Result;
use crate::pg::{owner, spi};

/// What the ledger says of the facts that are stored.
///
/// # Errors
/// As the interface.
pub fn read() -> Result<Records> {
    owner::acting_as_owner("confiture", || {
        let versions = spi::read(VERSIONS, &[], |row| {
            let fields: Option<Value> = row
                .get::<String>(4)?
                .and_then(|text| serde_json::from_str(&text).ok());
            let said = json!({
                "kind": row.required::<String>(2)?, "id": row.required::<String>(3)?,
                "fields": fields, "valid_from": row.required::<String>(5)?,
                "valid_to": row.get::<String>(6)?, "source_doc": row.get::<String>(7)?,
            });
            Ok((row.required::<i64>(1)?, said))
        })?;
        let entries = spi::read(ENTRIES, &[], |row| {
            Ok(Entry {
                first: row.required(1)?,
                last: row.required(2)?,
                sha256: row.required(3)?,
            })
        })?;
        Ok(held(&versions, &entries))
    })
}

// Days beyond the years that facts can name are shown by the server as they are.
const VERSIONS: &str = "
    SELECT f.number, f.kind, f.id, f.fields::text,
           coalesce(pg_catalog.to_char(f.valid_from, 'YYYY-MM-DD'), f.valid_from::text),
           coalesce(pg_catalog.to_char(f.valid_to, 'YYYY-MM-DD'), f.valid_to::text), f.source_doc
      FROM ONLY confiture.controller_fact f ORDER BY f.number";

const ENTRIES: &str = "
    SELECT (e.details->>'first')::bigint, (e.details->>'last')::bigint, e.details->>'sha256'
      FROM ONLY confiture.audit_log e
     WHERE e.event = 'CONTROLLER_DECLARED' AND e.details->>'sha256' IS NOT NULL
       AND pg_catalog.jsonb_typeof(e.details->'first') = 'number'
       AND pg_catalog.jsonb_typeof(e.details->'last') = 'number'
     ORDER BY e.seq";
