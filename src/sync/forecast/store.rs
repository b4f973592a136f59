//! What forecasts are made from: earlier runs on the ledger, sizes, settings; and the rows shown.

use std::collections::BTreeMap;

use serde_json::Value;

use super::figures::{Figures, History, Measured, Surroundings};
use super::{Forecast, warnings};
use crate::error::Result;
use crate::pg::{ident, owner, server, spi};
use crate::profile::Profile;
use crate::sync::cache;
use crate::sync::request::{Planned, Request};

/// The figures and warnings of a plan.
///
/// # Errors
/// XX000 when the interface fails.
pub fn make(request: &Request, profile: &Profile, planned: &Planned) -> Result<Forecast> {
    let history = history(&profile.name, &request.source)?;
    let cached = cache::store::verdicts(&planned.plan, request.options.cache)?;
    let figures = Figures::of(&planned.plan, &cached, &history, surroundings(planned)?);
    let warnings = warnings::of(profile, &planned.plan, &planned.source, &figures);
    Ok(Forecast {
        figures,
        warnings,
        cached,
    })
}

/// The newest complete run of a profile from a source, among the last ten thousand entries.
fn history(profile: &str, source: &str) -> Result<History> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT pg_catalog.to_char(e.\"timestamp\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
                    e.rows_anonymized::pg_catalog.text,
                    (e.details -> 'milliseconds')::pg_catalog.text,
                    (e.details ->> 'seconds')::pg_catalog.float8
               FROM (SELECT * FROM ONLY confiture.audit_log ORDER BY seq DESC LIMIT 10000) e
              WHERE e.event = 'COMPLETED' AND e.profile_name = $1 AND e.source_schema = $2
                AND e.rows_anonymized IS NOT NULL AND e.details ? 'milliseconds'
              ORDER BY e.seq DESC LIMIT 1",
            &[profile.into(), source.into()],
            |row| {
                Ok((
                    row.required::<String>(1)?,
                    row.required::<String>(2)?,
                    row.required::<String>(3)?,
                    row.get::<f64>(4)?,
                ))
            },
        )
    })?;
    let Some((ended, rows, times, seconds)) = found.into_iter().next() else {
        return Ok(History::default());
    };
    let times = numbers(&times);
    let tables = numbers(&rows).into_iter().filter_map(|(table, rows)| {
        let milliseconds = *times.get(&table)?;
        Some((table, Measured { rows, milliseconds }))
    });
    Ok(History {
        ended,
        tables: tables.collect(),
        seconds: seconds.unwrap_or_default(),
    })
}

fn numbers(object: &str) -> BTreeMap<String, f64> {
    let Ok(Value::Object(members)) = serde_json::from_str(object) else {
        return BTreeMap::new();
    };
    let number = |(name, value): (String, Value)| Some((name, value.as_f64()?));
    members.into_iter().filter_map(number).collect()
}

fn surroundings(planned: &Planned) -> Result<Surroundings> {
    let plan = &planned.plan;
    let read: Vec<String> = plan
        .tables
        .iter()
        .map(|table| table.source.name.clone())
        .collect();
    let setting = |name: &str| -> Result<Option<i64>> {
        let found = spi::read(
            "SELECT s.setting::pg_catalog.int8 FROM pg_catalog.pg_settings s WHERE s.name = $1",
            &[name.into()],
            |row| row.get::<i64>(1),
        )?;
        Ok(found.into_iter().next().flatten())
    };
    let threshold = setting("old_snapshot_threshold")?;
    Ok(Surroundings {
        source_bytes: size(&plan.source, &read)?,
        target_bytes: size(&plan.target, &plan.prepare.emptied)?,
        free_bytes: server::free_bytes(),
        statement_timeout: unsigned(setting("statement_timeout")?),
        // Minus one: off. Nought is for tests of the server.
        old_snapshot_threshold: threshold.and_then(|minutes| u64::try_from(minutes).ok()),
    })
}

/// Bytes of tables with their partitions, indexes included, by the server's statistics: no table is
/// opened for it.
fn size(schema: &str, tables: &[String]) -> Result<u64> {
    let found = spi::read(
        "WITH RECURSIVE tree AS (
           SELECT c.oid FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname::text = ANY ($2)
           UNION
           SELECT i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid)
         SELECT (pg_catalog.sum(c.relpages::pg_catalog.int8
                   + coalesce(o.relpages, 0)::pg_catalog.int8
                   + coalesce((SELECT pg_catalog.sum(x.relpages::pg_catalog.int8)
                                 FROM pg_catalog.pg_index i
                                 JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                                WHERE i.indrelid = c.oid), 0))
                 * pg_catalog.current_setting('block_size')::pg_catalog.int8)::pg_catalog.int8
           FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid
           LEFT JOIN pg_catalog.pg_class o ON o.oid = c.reltoastrelid",
        &[schema.into(), tables.to_vec().into()],
        |row| row.get::<i64>(1),
    )?;
    Ok(unsigned(found.into_iter().next().flatten()))
}

fn unsigned(number: Option<i64>) -> u64 {
    number
        .and_then(|number| u64::try_from(number).ok())
        .unwrap_or(0)
}

/// Keeps tables as they are defined until the transaction ends.
///
/// # Errors
/// XX000 when the interface fails.
pub fn hold<'a>(tables: impl Iterator<Item = (&'a str, &'a str)>) -> Result<()> {
    for (schema, name) in tables {
        let name = ident::qualified(schema, name);
        spi::run(&format!("LOCK TABLE {name} IN ACCESS SHARE MODE"), &[])?;
    }
    Ok(())
}

/// Texts of one row, or NULLs.
pub type Texts = Vec<Option<String>>;

/// Runs what [`super::preview`] has written: for each row, what stands in it, and what would.
///
/// # Errors
/// XX000 when the interface fails. What a mask or the server refuses unwinds.
pub fn rows(query: &str) -> Result<Vec<(Texts, Texts)>> {
    spi::read(query, &[], |row| Ok((row.required(1)?, row.required(2)?)))
}
