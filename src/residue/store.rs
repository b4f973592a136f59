//! What the catalog, the planner's statistics and the pages of tables say of what was left behind.

use pgrx::JsonB;
use pgrx::pg_sys::Oid;
use serde_json::Value;

use super::{Expression, Finding, Sample, Severity, Table};
use crate::error::{Error, Kind, Result};
use crate::pg::pages::{self, Remains};
use crate::pg::{owner, spi};
use crate::sync::in_place::{self, Derived};
use crate::sync::registry::{self, Registry};

/// The tables and materialized views of a schema; of all that are not the server's or ours, without
/// one.
///
/// # Errors
/// 3F000 when there is no such schema.
pub fn tables(schema: Option<&str>) -> Result<Vec<Table>> {
    if let Some(name) = schema {
        let there = spi::read(
            "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1",
            &[name.into()],
            |_| Ok(()),
        )?;
        if there.is_empty() {
            return Err(Error::new(
                Kind::UndefinedSchema,
                format!("schema \"{name}\" does not exist"),
            ));
        }
    }
    let rewritten = rewritten()?;
    spi::read(TABLES, &[schema.into()], |row| {
        let (schema, name): (String, String) = (row.required(2)?, row.required(3)?);
        Ok(Table {
            oid: number(row.required(1)?),
            is_rewritten: rewritten.contains(&number(row.required(1)?)),
            schema,
            name,
            shown: row.required(7)?,
            kind: row.required::<String>(4)?.chars().next().unwrap_or('r'),
            toast: row.get::<i64>(5)?.map(number),
            is_owned: row.required(6)?,
        })
    })
}

/// Tables that a run has filled.
fn rewritten() -> Result<Vec<u32>> {
    let mut all = registry::store::standing(Registry::Masked)?;
    all.extend(registry::store::standing(Registry::Made)?);
    Ok(all.into_iter().map(|table| table.oid).collect())
}

/// What the file of a relation holds beside its rows.
pub fn remains(relation: u32) -> Option<Remains> {
    pages::remains(Oid::from(relation))
}

/// The values of a table that the planner keeps, by column.
///
/// # Errors
/// As the interface.
pub fn samples(table: &Table) -> Result<Vec<Sample>> {
    let args = [
        i64::from(table.oid).into(),
        table.schema.as_str().into(),
        table.name.as_str().into(),
        (table.kind == 'p').into(),
    ];
    let mut found = Vec::new();
    for query in [SAMPLES, EXTENDED] {
        found.extend(spi::read(query, &args, |row| {
            Ok(Sample {
                column: row.required(1)?,
                keeper: row.get(2)?,
                are_elements: row.required(3)?,
                values: row.required(4)?,
            })
        })?);
    }
    Ok(found)
}

/// The expressions over a table of which the planner keeps values.
///
/// # Errors
/// As the interface.
pub fn sampled_expressions(table: &Table) -> Result<Vec<Expression>> {
    let found: Vec<(String, String, i64, i32)> = spi::read(
        EXPRESSIONS,
        &[
            i64::from(table.oid).into(),
            table.schema.as_str().into(),
            table.name.as_str().into(),
        ],
        |row| {
            Ok((
                row.required(1)?,
                row.required(2)?,
                row.required(3)?,
                row.required(4)?,
            ))
        },
    )?;
    // Only superusers read when samples were stored; the samples themselves stay there.
    let sampled = |(object, what, keeper, column): (String, String, i64, i32)| {
        let sampled = spi::read(SAMPLED, &[keeper.into(), column.into()], |row| {
            row.required(1).map(number)
        })?;
        Ok(Expression {
            object,
            what,
            sampled,
        })
    };
    owner::acting_as_owner("confiture", || found.into_iter().map(sampled).collect())
}

/// Asks how many of some values there are.
///
/// # Errors
/// As the interface.
pub fn count(question: &str, values: Vec<String>) -> Result<u64> {
    let found = spi::read(question, &[values.into()], |row| row.required::<i64>(1))?;
    Ok(found.into_iter().next().unwrap_or_default().unsigned_abs())
}

/// The catalogs that hold values of rows, each with its files.
///
/// # Errors
/// As the interface.
pub fn catalogs() -> Result<Vec<(String, Vec<u32>)>> {
    spi::read(
        "SELECT c.relname::pg_catalog.text,
                ARRAY[c.oid::pg_catalog.int8, c.reltoastrelid::pg_catalog.int8]
           FROM pg_catalog.pg_class c
          WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace
            AND c.relname = ANY (ARRAY['pg_attribute', 'pg_statistic', 'pg_statistic_ext_data']::pg_catalog.name[])
          ORDER BY 1",
        &[],
        |row| {
            let files: Vec<i64> = row.required(2)?;
            let files = files.into_iter().filter(|file| *file != 0).map(number);
            Ok((row.required(1)?, files.collect()))
        },
    )
}

/// Sessions, prepared transactions and replication slots that keep old versions of rows.
///
/// # Errors
/// As the interface.
pub fn holders() -> Result<Vec<Finding>> {
    spi::read(HOLDERS, &[], |row| {
        Ok(Finding::new(
            "held by",
            row.required::<String>(1)?,
            Severity::Check,
            "keeps old row versions from being removed",
        )
        .cleared_by(row.required::<String>(2)?))
    })
}

/// Materialized views that were filled from tables before these were masked, or may have been.
///
/// # Errors
/// As the interface.
pub fn derived(tables: &[Table], schema: Option<&str>) -> Result<Vec<Finding>> {
    let of = |views: &[Derived], severity, finding: &str| -> Vec<Finding> {
        let found = views.iter().map(|view| {
            Finding::new("materialized view", view.shown.clone(), severity, finding)
                .cleared_by(view.refresh())
        });
        found.collect()
    };
    let numbers: Vec<_> = tables.iter().map(|table| table.oid).collect();
    let reached = in_place::store::reaches(&numbers, false)?;
    let is_here =
        |view: &Derived| schema.is_none() || numbers.contains(&view.oid) || reached.contains(view);
    let noted = unrefreshed()?;
    let (certain, perhaps): (Vec<_>, Vec<_>) = noted
        .into_iter()
        .filter(|(view, _)| is_here(view))
        .partition(|(_, is_certain)| *is_certain);
    let [certain, perhaps] =
        [certain, perhaps].map(|views| views.into_iter().map(|(view, _)| view).collect::<Vec<_>>());
    let others = tables
        .iter()
        .filter(|table| table.kind != 'm' && !table.is_rewritten);
    let others: Vec<_> = others
        .map(|table| table.oid)
        .chain(certain.iter().chain(&perhaps).map(|view| view.oid))
        .collect();
    let mut others = in_place::store::reaches(&others, false)?;
    others.retain(|view| !certain.contains(view) && !perhaps.contains(view));
    let found = [
        of(
            &certain,
            Severity::Found,
            "was filled before its tables were masked",
        ),
        of(
            &perhaps,
            Severity::Check,
            "was filled before tables were masked, by functions that may have read them",
        ),
        of(
            &others,
            Severity::Check,
            "keeps what its tables held when it was filled",
        ),
    ];
    Ok(found.concat())
}

/// Materialized views that were not refreshed since tables were masked, each with whether it is
/// known to read one.
fn unrefreshed() -> Result<Vec<(Derived, bool)>> {
    owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT c.oid::pg_catalog.int8, pg_catalog.format('%I.%I', n.nspname, c.relname),
                    u.is_certain
               FROM confiture.unrefreshed_view u
               JOIN pg_catalog.pg_class c
                 ON c.oid = u.relation AND c.relkind = 'm' AND c.relispopulated
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              ORDER BY c.oid",
            &[],
            |row| {
                let view = Derived {
                    oid: number(row.required(1)?),
                    shown: row.required(2)?,
                };
                Ok((view, row.required(3)?))
            },
        )
    })
}

/// What was masked in place, as [{schema, table, columns}].
fn marks() -> Result<JsonB> {
    let marks = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                      'schema', m.schema_name, 'table', m.table_name, 'columns', m.columns))
               FROM confiture.masked_in_place m",
            &[],
            |row| row.get::<JsonB>(1),
        )
    })?;
    let marks = marks.into_iter().next().flatten();
    Ok(marks.unwrap_or_else(|| JsonB(Value::Array(Vec::new()))))
}

/// Columns that are younger than rows, with what the catalog keeps for these, for all to read.
///
/// # Errors
/// As the interface.
pub fn missing_values(tables: &[Table]) -> Result<Vec<Finding>> {
    let numbers: Vec<_> = tables.iter().map(|table| i64::from(table.oid)).collect();
    spi::read(MISSING, &[numbers.into(), marks()?.into()], |row| {
        let (object, column): (String, String) = (row.required(1)?, row.required(2)?);
        let (severity, text) = match row.required(3)? {
            true => (Severity::Found, "of the masked column"),
            false => (Severity::Check, "that older rows have in the column"),
        };
        Ok(Finding::new(
            "missing value",
            object.clone(),
            severity,
            format!("pg_attribute keeps a value {text}, and everybody may read it"),
        )
        .in_column(&column)
        .cleared_by(format!("VACUUM FULL {object};")))
    })
}

/// Tables that have the masked columns of another, and were not masked: copies, detached partitions.
///
/// # Errors
/// As the interface.
pub fn look_alikes() -> Result<Vec<Finding>> {
    spi::read(LOOK_ALIKES, &[marks()?.into()], |row| {
        let object: String = row.required(1)?;
        Ok(Finding::new(
            "copy",
            object.clone(),
            Severity::Check,
            format!(
                "has the columns that were masked in {}, and was not masked",
                row.required::<String>(2)?
            ),
        )
        .cleared_by(format!("DROP TABLE {object}; -- if it is a copy")))
    })
}

/// Columns that name large objects, which no run masks.
///
/// # Errors
/// As the interface.
pub fn large_objects(tables: &[Table]) -> Result<Vec<Finding>> {
    let numbers: Vec<_> = tables.iter().map(|table| i64::from(table.oid)).collect();
    spi::read(LARGE_OBJECTS, &[numbers.into()], |row| {
        let (object, column): (String, String) = (row.required(1)?, row.required(2)?);
        let clear: String = row.required(3)?;
        Ok(Finding::new(
            "large object",
            object,
            Severity::Check,
            "may name large objects, whose content is not masked",
        )
        .in_column(&column)
        .cleared_by(clear))
    })
}

/// What is outside of the database, and cannot be looked at from in here.
///
/// # Errors
/// As the interface.
pub fn outside() -> Result<Vec<Finding>> {
    spi::read(OUTSIDE, &[], |row| {
        let kind = match row.required::<String>(1)?.as_str() {
            "wal" => "write-ahead log",
            "standby" => "standby",
            "backup" => "backup",
            _ => "server log",
        };
        let finding = Finding::new(
            kind,
            row.required::<String>(2)?,
            Severity::Note,
            row.required::<String>(3)?,
        );
        Ok(match row.get::<String>(4)? {
            Some(clear) => finding.cleared_by(clear),
            None => finding,
        })
    })
}

fn number(oid: i64) -> u32 {
    u32::try_from(oid).unwrap_or_default()
}

const TABLES: &str = include_str!("catalog/tables.sql");
const SAMPLES: &str = include_str!("catalog/samples.sql");
const EXTENDED: &str = include_str!("catalog/extended.sql");
const EXPRESSIONS: &str = include_str!("catalog/expressions.sql");
const SAMPLED: &str = include_str!("catalog/sampled.sql");
const MISSING: &str = include_str!("catalog/missing.sql");
const HOLDERS: &str = include_str!("catalog/holders.sql");
const LOOK_ALIKES: &str = include_str!("catalog/look_alikes.sql");
const LARGE_OBJECTS: &str = include_str!("catalog/large_objects.sql");
const OUTSIDE: &str = include_str!("catalog/outside.sql");
