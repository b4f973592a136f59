//! What the catalog says of a schema that is masked in place, and the marks of masked tables.

use pgrx::{JsonB, Uuid};
use serde_json::Value;

use super::{InPlace, Surroundings};
use crate::error::Result;
use crate::pg::scan::{Lookup, Table};
use crate::pg::{owner, spi};
use crate::settings;

/// Where a run in place would take place.
///
/// # Errors
/// XX000 when the interface fails.
pub fn surroundings(schema: &str, asked: InPlace) -> Result<Surroundings> {
    Ok(Surroundings {
        // A look does no harm, wherever it is taken.
        is_allowed: asked.dry_run || settings::allow_in_place(),
        is_source: !asked.dry_run && !asked.was_source && is_source(schema)?,
        may_make_temporary: spi::one::<bool>(
            "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')",
            &[],
        )?
        .unwrap_or(false),
        marked: marked()?,
    })
}

fn is_source(schema: &str) -> Result<bool> {
    owner::acting_as_owner("confiture", || {
        Ok(spi::one::<bool>(
            "SELECT EXISTS (SELECT FROM ONLY confiture.audit_log
              WHERE event = 'COMPLETED' AND source_schema = $1 AND target_schema <> $1)",
            &[schema.into()],
        )?
        .unwrap_or(false))
    })
}

fn marked() -> Result<Vec<(String, String)>> {
    owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT schema_name, table_name FROM confiture.masked_in_place",
            &[],
            |row| Ok((row.required(1)?, row.required(2)?)),
        )
    })
}

/// The bytes that tables take, in all, with indexes, TOAST and partitions.
///
/// # Errors
/// As the interface.
pub fn size(tables: &[u32]) -> Result<String> {
    let numbers = numbers(tables);
    Ok(spi::one::<String>(
        "SELECT pg_catalog.pg_size_pretty(pg_catalog.sum(
                  pg_catalog.pg_total_relation_size(t::pg_catalog.oid::pg_catalog.regclass)))
           FROM pg_catalog.unnest($1::pg_catalog.int8[]) AS t",
        &[numbers.into()],
    )?
    .unwrap_or_default())
}

/// Takes away what the planner knows of the values of tables: samples of them, in clear. ANALYZE
/// replaces them only where it finds rows and is not told to leave a column out.
///
/// # Errors
/// As the interface.
pub fn forget_statistics(tables: &[u32]) -> Result<()> {
    let numbers = numbers(tables);
    // Rows about the caller's own tables, of which nothing but estimates depends.
    owner::acting_as_owner("confiture", || {
        spi::run(
            "DELETE FROM pg_catalog.pg_statistic s USING pg_catalog.unnest($1::pg_catalog.int8[]) AS t (n)
              WHERE s.starelid = t.n::pg_catalog.oid OR s.starelid IN (
                SELECT x.indexrelid FROM pg_catalog.pg_index x WHERE x.indrelid = t.n::pg_catalog.oid)",
            &[numbers.clone().into()],
        )?;
        // The row itself must stay for ANALYZE, on PostgreSQL 14.
        spi::run(
            "UPDATE pg_catalog.pg_statistic_ext_data d
                SET stxdndistinct = NULL, stxddependencies = NULL, stxdmcv = NULL, stxdexpr = NULL
               FROM pg_catalog.pg_statistic_ext e
              WHERE e.oid = d.stxoid AND e.stxrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])",
            &[numbers.into()],
        )?;
        Ok(())
    })
}

/// The materialized views that hold rows made of these tables, each with the number of its file.
///
/// # Errors
/// As the interface.
pub fn derived(tables: &[u32]) -> Result<Value> {
    let found = spi::rows(DERIVED, &[numbers(tables).into()], |row| {
        let JsonB(found) = row.required(1)?;
        Ok(found)
    })?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// Who masked what, and how.
pub struct Mark<'a> {
    /// The table's schema.
    pub schema: &'a str,
    /// The table.
    pub table: &'a str,
    /// The columns that were replaced.
    pub columns: Vec<String>,
    /// The run.
    pub run_id: [u8; 16],
    /// The profile.
    pub profile: (&'a str, &'a str),
    /// Its hash.
    pub hash: Vec<u8>,
    /// The role.
    pub by: &'a str,
    /// What [`derived`] found.
    pub derived: Value,
}

/// Marks a table as masked.
///
/// # Errors
/// As the interface.
pub fn mark(mark: Mark<'_>) -> Result<()> {
    owner::acting_as_owner("confiture", || {
        spi::run(
            "INSERT INTO confiture.masked_in_place (schema_name, table_name, columns, run_id,
                         profile_name, profile_version, profile_hash, masked_by, derived)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            &[
                mark.schema.into(),
                mark.table.into(),
                mark.columns.into(),
                Uuid::from_bytes(mark.run_id).into(),
                mark.profile.0.into(),
                mark.profile.1.into(),
                mark.hash.into(),
                mark.by.into(),
                JsonB(mark.derived).into(),
            ],
        )?;
        Ok(())
    })
}

const MARKED: Lookup = Lookup {
    schema: c"confiture",
    table: c"masked_in_place",
    index: None,
    columns: &["table_name"],
};

/// Has the marks go where the running command has moved their tables.
///
/// # Errors
/// As the interface.
pub fn follow() -> Result<()> {
    // No query while nothing is marked: every command asks.
    if Table::open(&MARKED, None)?
        .find(&[], |_, _| Ok(()))?
        .is_empty()
    {
        return Ok(());
    }
    owner::acting_as_owner("confiture", || {
        // One command renames one table: the mark without a table is that of this one.
        for statement in [FOLLOW_SCHEMA, FOLLOW_TABLE, FORGET] {
            spi::run(statement, &[])?;
        }
        Ok(())
    })
}

const FOLLOW_SCHEMA: &str = "
    UPDATE confiture.masked_in_place m SET schema_name = n.nspname
      FROM pg_catalog.pg_event_trigger_ddl_commands() d
      JOIN pg_catalog.pg_namespace n ON n.oid = d.objid
     WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace o WHERE o.nspname = m.schema_name)";

const FOLLOW_TABLE: &str = "
    UPDATE confiture.masked_in_place m SET schema_name = n.nspname, table_name = c.relname
      FROM pg_catalog.pg_event_trigger_ddl_commands() d
      JOIN pg_catalog.pg_class c ON c.oid = d.objid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0
       AND c.relkind = ANY (ARRAY['r', 'p']::pg_catalog.\"char\"[])
       AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_class o JOIN pg_catalog.pg_namespace s ON s.oid = o.relnamespace
          WHERE s.nspname = m.schema_name AND o.relname = m.table_name)";

const FORGET: &str = "
    DELETE FROM confiture.masked_in_place m
     WHERE NOT EXISTS (
       SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = m.schema_name AND c.relname = m.table_name)";

fn numbers(oids: &[u32]) -> Vec<i64> {
    oids.iter().map(|oid| i64::from(*oid)).collect()
}

const DERIVED: &str = include_str!("derived.sql");
