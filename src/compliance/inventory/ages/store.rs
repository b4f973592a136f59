//! Ends and numbers of rows, read as the caller.

use super::{Place, hold};
use crate::compliance::calendar::Span;
use crate::compliance::controller::{Controller, Fact};
use crate::compliance::inventory::store::step;
use crate::compliance::inventory::{Age, Consent, Inventory};
use crate::error::Result;
use crate::pg::subxact::unless_unreadable;
use crate::pg::{heap, ident, spi};
use crate::strategies::calendar::{TIME_MAX, TIME_MIN, parse_date, parse_time};

/// Reads what the facts of the controller point at, of these schemas or of all.
///
/// # Errors
/// As the interface; what cannot be read is said, and no error.
pub fn read(
    inventory: &mut Inventory,
    controller: &Controller,
    day: &str,
    schemas: Option<&[String]>,
) -> Result<()> {
    let is_outside = |table: &str| {
        let schema = table.split_once('.').map(|(schema, _)| schema);
        schemas.is_some_and(|of| !of.iter().any(|name| Some(name.as_str()) == schema))
    };
    for rule in controller.of("retention_rule") {
        let (Some(table), Some(column)) = (rule.word("table"), rule.word("column")) else {
            continue;
        };
        inventory.ages.push(if is_outside(table) {
            Age {
                rule: rule.id.clone(),
                problem: Some(OUTSIDE.to_owned()),
                ..Age::default()
            }
        } else {
            age(controller, rule, table, column, day)?
        });
    }
    for source in controller.of("consent_source") {
        let (Some(table), Some(given)) = (source.word("table"), source.word("given_column")) else {
            continue;
        };
        inventory.consents.push(if is_outside(table) {
            Consent {
                source: source.id.clone(),
                problem: Some(OUTSIDE.to_owned()),
                ..Consent::default()
            }
        } else {
            consent(source, table, given)?
        });
    }
    for incident in controller.of("incident") {
        let tables: Vec<String> = incident
            .list("tables")
            .into_iter()
            .map(str::to_owned)
            .collect();
        let at = incident
            .word("occurred_from")
            .or_else(|| incident.word("known_at"))
            .and_then(|at| parse_time(at, true))
            .filter(|at| (TIME_MIN..=TIME_MAX).contains(at));
        if let (false, Some(at)) = (tables.is_empty(), at) {
            let steps = spi::read(THEN, &[tables.into(), at.into()], step)?;
            inventory.protections.push((incident.id.clone(), steps));
        }
    }
    Ok(())
}

fn age(controller: &Controller, rule: &Fact, table: &str, column: &str, day: &str) -> Result<Age> {
    let mut age = Age {
        rule: rule.id.clone(),
        hold: hold(controller, rule).map(|hold| hold.id.clone()),
        ..Age::default()
    };
    let place = place(table, column)?;
    if let Some(problem) = place.problem(true) {
        age.problem = Some(problem.to_owned());
        return Ok(age);
    }
    let (from, column) = (from(table, &place), ident::quote(column));
    let first = first_kept(rule, day);
    age.uncounted = first.is_none().then(|| UNLIMITED.to_owned());
    let first: Option<i32> = first.and_then(|first| i32::try_from(first).ok());
    let sql = format!(
        "SELECT pg_catalog.to_char((SELECT pg_catalog.min({column}) FROM {from}
                                     WHERE {column} > '-infinity' AND {column} < 'infinity'),
                                   'YYYY-MM-DD'),
                CASE WHEN $1 IS NOT NULL THEN (
                  SELECT pg_catalog.count(*) FROM {from}
                   WHERE {column} < '2000-01-01'::date + $1 AND {column} > '-infinity')
                END,
                (SELECT pg_catalog.count(*) FROM {from}
                  WHERE {column} IS NULL OR {column} IN ('infinity', '-infinity'))"
    );
    let found = unless_unreadable(|| {
        spi::read(&sql, &[first.into()], |row| {
            Ok((row.get::<String>(1)?, row.get::<i64>(2)?, row.get(3)?))
        })
    })?;
    match found.and_then(|rows| rows.into_iter().next()) {
        Some((oldest, overdue, undated)) => {
            age.oldest = oldest;
            age.overdue = overdue;
            age.undated = undated;
        }
        None => age.problem = Some(REFUSED.to_owned()),
    }
    Ok(age)
}

/// The first day whose rows a rule still keeps, from 2000-01-01; `None` for a rule without an end.
fn first_kept(rule: &Fact, day: &str) -> Option<i64> {
    let day = i64::from(parse_date(day)?);
    rule.word("max").and_then(Span::read)?.before(day)
}

const UNLIMITED: &str = "the rule has no max, so that no row is too old";

fn consent(source: &Fact, table: &str, given: &str) -> Result<Consent> {
    let mut consent = Consent {
        source: source.id.clone(),
        ..Consent::default()
    };
    let at = place(table, given)?;
    let withdrawn = source.word("withdrawn_column");
    let problem = match withdrawn.map(|column| place(table, column)).transpose()? {
        Some(other) => at.problem(false).or_else(|| other.problem(false)),
        None => at.problem(false),
    };
    if let Some(problem) = problem {
        consent.problem = Some(problem.to_owned());
        return Ok(consent);
    }
    let from = from(table, &at);
    let withdrawn = withdrawn.map_or_else(
        || "NULL::bigint".to_owned(),
        |column| {
            format!(
                "pg_catalog.count(*) FILTER (WHERE {} IS NOT NULL)",
                ident::quote(column)
            )
        },
    );
    let sql = format!(
        "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE {} IS NULL), {withdrawn}
           FROM {from}",
        ident::quote(given)
    );
    let found = unless_unreadable(|| {
        spi::read(&sql, &[], |row| {
            Ok((row.required(1)?, row.required(2)?, row.get(3)?))
        })
    })?;
    match found.and_then(|rows| rows.into_iter().next()) {
        Some((rows, missing, withdrawn)) => {
            consent.rows = Some(rows);
            consent.missing = Some(missing);
            consent.withdrawn = withdrawn;
        }
        None => consent.problem = Some(REFUSED.to_owned()),
    }
    Ok(consent)
}

const OUTSIDE: &str = "its table is outside the scope of this report";

const REFUSED: &str = "the server refused to read it";

/// The table in a statement. Children that inherit from a plain one are tables of their own.
fn from(table: &str, place: &Place) -> String {
    let (schema, name) = table.split_once('.').unwrap_or_default();
    let only = if place.is_partitioned { "" } else { "ONLY " };
    format!("{only}{}", ident::qualified(schema, name))
}

fn place(table: &str, column: &str) -> Result<Place> {
    let (schema, name) = table.split_once('.').unwrap_or_default();
    // What it is must not change before it is read.
    heap::hold(schema, name);
    let found = spi::read(PLACE, &[schema.into(), name.into(), column.into()], |row| {
        Ok(Place {
            is_plain: row.required(1)?,
            is_partitioned: row.required(2)?,
            has_column: row.required(3)?,
            is_date: row.required(4)?,
            may_read: row.required(5)?,
            is_filtered: row.required(6)?,
            runs_code: row.required(7)?,
        })
    })?;
    Ok(found.into_iter().next().unwrap_or_default())
}

// A foreign partition would be asked on another server, by whatever its owner has set up. To plan a query
// evaluates what has no variables in the expressions of indexes, statistics, checks and partition keys:
// functions of those who may not act as the caller anyway, and are no superusers, must not be among them.
const PLACE: &str = "
    SELECT c.relkind = 'r' OR c.relkind = 'p' AND NOT EXISTS (
             SELECT FROM pg_catalog.pg_partition_tree(c.oid) t
               JOIN pg_catalog.pg_class k ON k.oid = t.relid WHERE k.relkind = 'f'),
           c.relkind = 'p',
           a.attname IS NOT NULL,
           coalesce(a.atttypid = ANY (ARRAY['date', 'timestamp', 'timestamptz']::regtype[]), false),
           pg_catalog.has_schema_privilege(n.oid, 'USAGE')
             AND coalesce(pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'), false),
           pg_catalog.row_security_active(c.oid),
           EXISTS (
             WITH parts AS (
               SELECT c.oid UNION SELECT t.relid::oid FROM pg_catalog.pg_partition_tree(c.oid) t
             ), holders AS (
               SELECT 'pg_class'::regclass::oid AS class, p.oid FROM parts p
               UNION ALL
               SELECT 'pg_class'::regclass, x.indexrelid
                 FROM pg_catalog.pg_index x JOIN parts p ON p.oid = x.indrelid
               UNION ALL
               SELECT 'pg_statistic_ext'::regclass, x.oid
                 FROM pg_catalog.pg_statistic_ext x JOIN parts p ON p.oid = x.stxrelid
               UNION ALL
               SELECT 'pg_constraint'::regclass, k.oid
                 FROM pg_catalog.pg_constraint k JOIN parts p ON p.oid = k.conrelid
             )
             SELECT FROM holders h
               JOIN pg_catalog.pg_depend d ON d.classid = h.class AND d.objid = h.oid
               LEFT JOIN pg_catalog.pg_operator o
                 ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
               JOIN pg_catalog.pg_proc f
                 ON f.oid = CASE WHEN d.refclassid = 'pg_proc'::regclass THEN d.refobjid
                                 ELSE o.oprcode::oid END
               JOIN pg_catalog.pg_roles r ON r.oid = f.proowner
              WHERE NOT r.rolsuper AND NOT pg_catalog.pg_has_role(r.oid, current_user, 'MEMBER'))
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = $3::name
       AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
     WHERE n.nspname = $1::name AND c.relname = $2::name AND c.relkind IN ('r', 'p')
       AND n.nspname <> 'confiture' AND n.nspname NOT LIKE 'pg\\_%'";

// What a later run wrote anew tells nothing of what was masked before it.
const THEN: &str = "
    WITH at AS (SELECT '2000-01-01 00:00:00+00'::timestamptz + $2 * '1 microsecond'::interval AS at)
    SELECT DISTINCT ON (l.schema_name, l.table_name, l.column_name) l.run_id::text,
           pg_catalog.to_char(l.\"timestamp\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
           l.source_schema, l.schema_name, l.table_name, l.column_name, l.strategy,
           l.strategy_version, l.rows_seen, l.rows_unchanged, l.reversible, l.commitment_state,
           l.origin
      FROM confiture.lineage_columns l, at
     WHERE l.schema_name || '.' || l.table_name = ANY ($1)
       AND l.\"timestamp\" <= at.at
       AND NOT EXISTS (
             SELECT FROM ONLY confiture.audit_log e
              WHERE e.event = 'COMPLETED' AND e.origin = 'run' AND e.run_id <> l.run_id
                AND e.target_schema = l.schema_name AND e.source_schema <> e.target_schema
                AND l.table_name = ANY (e.tables_synced)
                AND e.\"timestamp\" > l.\"timestamp\" AND e.\"timestamp\" <= at.at)
     ORDER BY l.schema_name, l.table_name, l.column_name, l.seq DESC";
