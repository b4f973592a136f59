//! Runs as the ledger has them.

use std::collections::BTreeMap;

use pgrx::Uuid;
use serde_json::Value;

use super::{Figure, Measured, Part};
use crate::error::Result;
use crate::pg::{owner, spi};

/// The newest complete runs of a profile, newest first, each as the newest one: from the same source,
/// into the same target, in the same mode, and of its size, for others must not take their place.
///
/// # Errors
/// As the interface.
pub fn runs(profile: &str, most: i32) -> Result<Vec<Measured>> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT e.rows_anonymized::pg_catalog.text, e.strategies_applied::pg_catalog.text,
                    e.details::pg_catalog.text
               FROM ONLY confiture.audit_log e
               CROSS JOIN LATERAL (SELECT pg_catalog.sum(r.value::pg_catalog.numeric) AS rows
                       FROM pg_catalog.jsonb_each_text(e.rows_anonymized::pg_catalog.jsonb) r) s
               JOIN (SELECT n.source_schema, n.target_schema, n.details ->> 'mode' AS mode,
                            (SELECT pg_catalog.sum(r.value::pg_catalog.numeric)
                               FROM pg_catalog.jsonb_each_text(n.rows_anonymized::pg_catalog.jsonb) r)
                              AS rows
                       FROM ONLY confiture.audit_log n
                      WHERE n.event = 'COMPLETED' AND n.profile_name = $1 AND n.details ? 'phases'
                      ORDER BY n.seq DESC LIMIT 1) n
                 ON n.source_schema = e.source_schema AND n.target_schema = e.target_schema
                AND n.mode = e.details ->> 'mode'
                AND s.rows <= 2 * n.rows AND 2 * s.rows >= n.rows
              WHERE e.event = 'COMPLETED' AND e.profile_name = $1 AND e.details ? 'phases'
              ORDER BY e.seq DESC LIMIT $2",
            &[profile.into(), most.into()],
            |row| {
                Ok([
                    row.required::<String>(1)?,
                    row.required::<String>(2)?,
                    row.required::<String>(3)?,
                ])
            },
        )
    })?;
    let read = |[rows, strategies, details]: [String; 3]| measured(&rows, &strategies, &details);
    Ok(found.into_iter().filter_map(read).collect())
}

/// The strategies and the details of the entry of a complete run, or of the newest; `None` where there is
/// none.
///
/// # Errors
/// As the interface.
pub fn entry(run: Option<Uuid>) -> Result<Option<(Value, Value)>> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT e.strategies_applied::pg_catalog.text, e.details::pg_catalog.text
               FROM ONLY confiture.audit_log e
              WHERE e.event = 'COMPLETED' AND e.origin = 'run' AND e.details ? 'phases'
                AND e.run_id = coalesce($1, e.run_id)
              ORDER BY e.seq DESC LIMIT 1",
            &[run.into()],
            |row| Ok((row.required::<String>(1)?, row.required::<String>(2)?)),
        )
    })?;
    let read = |text: &str| serde_json::from_str(text).unwrap_or_default();
    Ok(found
        .first()
        .map(|(strategies, details)| (read(strategies), read(details))))
}

/// Fewer rows than this say nothing of the time that each takes.
const FEWEST_ROWS: f64 = 1000.0;

fn measured(rows: &str, strategies: &str, details: &str) -> Option<Measured> {
    let rows = numbers(&serde_json::from_str(rows).ok()?);
    let strategies: Value = serde_json::from_str(strategies).ok()?;
    let details: Value = serde_json::from_str(details).ok()?;
    let all: f64 = rows.values().sum();
    let mut parts = BTreeMap::new();
    if all >= FEWEST_ROWS {
        let phases = numbers(&details["phases"]);
        parts.insert(Part::Run, figure(phases.values().sum(), all));
        let each = phases.into_iter();
        parts.extend(each.map(|(name, took)| (Part::Phase(name), figure(took, all))));
    }
    for (table, took) in numbers(&details["milliseconds"]) {
        let of = rows.get(&table).copied().unwrap_or(0.0);
        if of >= FEWEST_ROWS {
            parts.insert(Part::Table(table), figure(took, of));
        }
    }
    let tables = details["columns"].as_object().into_iter().flatten();
    for (table, columns) in tables {
        for (column, of) in columns.as_object().into_iter().flatten() {
            let calls = of["calls"].as_f64().unwrap_or(0.0);
            let Some(nanoseconds) = of["ns"].as_f64().filter(|_| calls >= FEWEST_ROWS) else {
                continue;
            };
            let strategy = strategies[table][column].as_str().unwrap_or_default();
            let part = Part::Column {
                table: table.clone(),
                column: column.clone(),
                strategy: strategy.split('/').next().unwrap_or_default().to_owned(),
            };
            let figure = Figure {
                nanoseconds,
                times: calls,
            };
            parts.insert(part, figure);
        }
    }
    Some(Measured { rows: all, parts })
}

fn figure(milliseconds: f64, rows: f64) -> Figure {
    Figure {
        nanoseconds: milliseconds * 1e6 / rows,
        times: rows,
    }
}

fn numbers(object: &Value) -> BTreeMap<String, f64> {
    let members = object.as_object().into_iter().flatten();
    let number = |(name, value): (&String, &Value)| Some((name.clone(), value.as_f64()?));
    members.filter_map(number).collect()
}
