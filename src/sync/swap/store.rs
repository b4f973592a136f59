//! What the catalog says of a target that is filled in mode swap.

use pgrx::pg_sys::Oid;

use super::super::store::documents;
use super::Key;
use crate::error::Result;
use crate::pg::spi;

/// The valid foreign keys from and to tables, of which the run fills all that are given.
///
/// # Errors
/// XX000 when the interface fails.
pub fn keys(tables: &[u32]) -> Result<Vec<Key>> {
    let numbers: Vec<i64> = tables.iter().map(|oid| i64::from(*oid)).collect();
    documents(KEYS, &[numbers.into()])
}

/// Tables of a schema with their partitions, at every level, as this transaction sees them: those
/// that have rows, and those that are made of such.
///
/// # Errors
/// XX000 when the interface fails.
pub fn with_partitions(schema: &str, tables: &[String]) -> Result<Vec<Oid>> {
    spi::read(
        "WITH RECURSIVE tree AS (
           SELECT c.oid FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname::text = ANY ($2)
              AND c.relkind = ANY (ARRAY['r', 'p']::pg_catalog.\"char\"[])
           UNION
           SELECT i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid)
         SELECT t.oid FROM tree t ORDER BY 1",
        &[schema.into(), tables.to_vec().into()],
        |row| row.required(1),
    )
}

/// Other sessions that hold a lock on one of these tables, by their process, and whether they wait for
/// this one.
///
/// # Errors
/// XX000 when the interface fails.
pub fn holders(tables: &[Oid]) -> Result<Vec<(i32, bool)>> {
    let numbers: Vec<i64> = tables.iter().map(|oid| i64::from(oid.to_u32())).collect();
    spi::read(
        "SELECT DISTINCT l.pid,
                pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(l.pid))
           FROM pg_catalog.pg_locks l
           JOIN pg_catalog.pg_database d ON d.oid = l.database
          WHERE d.datname = pg_catalog.current_database() AND l.locktype = 'relation' AND l.granted
            AND l.relation::pg_catalog.int8 = ANY ($1::pg_catalog.int8[])
            AND l.pid <> pg_catalog.pg_backend_pid()
          ORDER BY 1",
        &[numbers.into()],
        |row| Ok((row.required(1)?, row.required(2)?)),
    )
}

const KEYS: &str = include_str!("../catalog/keys.sql");
