//! What the catalog says of a schema that is masked in place, and the marks of masked tables.

use pgrx::Uuid;

use super::super::registry::{self, Registry};
use super::{Derived, InPlace, Surroundings};
use crate::error::Result;
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
    let standing = registry::store::standing(Registry::Masked)?;
    let named = standing.into_iter().map(|table| (table.schema, table.name));
    Ok(named.collect())
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

/// The filled materialized views that hold rows made of these relations, each after what it reads;
/// or, where functions are followed, that call some which may read anything.
///
/// # Errors
/// As the interface.
pub fn reaches(relations: &[u32], functions: bool) -> Result<Vec<Derived>> {
    spi::rows(
        DERIVED,
        &[numbers(relations).into(), functions.into()],
        |row| {
            Ok(Derived {
                oid: u32::try_from(row.required::<i64>(1)?).unwrap_or_default(),
                shown: row.required(2)?,
            })
        },
    )
}

/// Notes views that were filled before tables were masked, until each is refreshed: those that are
/// known to read one, and others.
///
/// # Errors
/// As the interface.
pub fn note_unrefreshed(views: &[Derived], is_certain: bool) -> Result<()> {
    let views: Vec<_> = views.iter().map(|view| view.oid).collect();
    owner::acting_as_owner("confiture", || {
        spi::run(
            "INSERT INTO confiture.unrefreshed_view AS u (relation, is_certain)
             SELECT v::pg_catalog.oid, $2 FROM pg_catalog.unnest($1::pg_catalog.int8[]) AS v
                 ON CONFLICT (relation) DO UPDATE
                SET is_certain = u.is_certain OR excluded.is_certain",
            &[numbers(&views).into(), is_certain.into()],
        )?;
        Ok(())
    })
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
}

/// Marks a table as masked.
///
/// # Errors
/// As the interface.
pub fn mark(mark: Mark<'_>) -> Result<()> {
    owner::acting_as_owner("confiture", || {
        // Of a table that had the name.
        spi::run(
            "DELETE FROM confiture.masked_in_place WHERE schema_name = $1 AND table_name = $2",
            &[mark.schema.into(), mark.table.into()],
        )?;
        spi::run(
            "INSERT INTO confiture.masked_in_place (schema_name, table_name, columns, run_id,
                         profile_name, profile_version, profile_hash, masked_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                mark.schema.into(),
                mark.table.into(),
                mark.columns.into(),
                Uuid::from_bytes(mark.run_id).into(),
                mark.profile.0.into(),
                mark.profile.1.into(),
                mark.hash.into(),
                mark.by.into(),
            ],
        )?;
        Ok(())
    })?;
    registry::store::number(Registry::Masked, mark.schema, &[mark.table.to_owned()])
}

fn numbers(oids: &[u32]) -> Vec<i64> {
    oids.iter().map(|oid| i64::from(*oid)).collect()
}

const DERIVED: &str = include_str!("derived.sql");
