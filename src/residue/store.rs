//! What the catalog, the planner's statistics and the pages of tables say of what was left behind.

use pgrx::JsonB;
use pgrx::pg_sys::Oid;
use serde_json::{Map, Value};

use super::{Finding, Sample, Severity, Table};
use crate::error::{Error, Kind, Result};
use crate::pg::pages::{self, Remains};
use crate::pg::{owner, spi};
use crate::sync::in_place;

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
            is_rewritten: rewritten.iter().any(|(s, n)| *s == schema && *n == name),
            schema,
            name,
            shown: row.required(8)?,
            kind: row.required::<String>(4)?.chars().next().unwrap_or('r'),
            toast: row.get::<i64>(5)?.map(number),
            is_owned: row.required(6)?,
            changes: row.required(7)?,
        })
    })
}

/// Tables whose files never held anything but what a run wrote.
fn rewritten() -> Result<Vec<(String, String)>> {
    owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT schema_name, table_name FROM confiture.masked_in_place
              UNION SELECT schema_name, table_name FROM confiture.target_table",
            &[],
            |row| Ok((row.required(1)?, row.required(2)?)),
        )
    })
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

/// The expressions over a table of which the planner keeps values: where, and what.
///
/// # Errors
/// As the interface.
pub fn sampled_expressions(table: &Table) -> Result<Vec<(String, String)>> {
    spi::read(
        EXPRESSIONS,
        &[
            i64::from(table.oid).into(),
            table.schema.as_str().into(),
            table.name.as_str().into(),
        ],
        |row| Ok((row.required(1)?, row.required(2)?)),
    )
}

/// Asks how many of some values there are.
///
/// # Errors
/// As the interface.
pub fn count(question: &str, values: Vec<String>) -> Result<u64> {
    let found = spi::read(question, &[values.into()], |row| row.required::<i64>(1))?;
    Ok(found.into_iter().next().unwrap_or_default().unsigned_abs())
}

/// The catalogs that hold samples of values, each with its files.
///
/// # Errors
/// As the interface.
pub fn catalogs() -> Result<Vec<(String, Vec<u32>)>> {
    spi::read(
        "SELECT c.relname::pg_catalog.text,
                ARRAY[c.oid::pg_catalog.int8, c.reltoastrelid::pg_catalog.int8]
           FROM pg_catalog.pg_class c
          WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace
            AND c.relname = ANY (ARRAY['pg_statistic', 'pg_statistic_ext_data']::pg_catalog.name[])
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
pub fn derived(tables: &[Table]) -> Result<Vec<Finding>> {
    let marks: Vec<(String, String, Value)> = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT schema_name, table_name, derived FROM confiture.masked_in_place",
            &[],
            |row| {
                let JsonB(derived) = row.required(3)?;
                Ok((row.required(1)?, row.required(2)?, derived))
            },
        )
    })?;
    let mut found: Vec<Finding> = Vec::new();
    let add = |found: &mut Vec<Finding>, finding: Finding| {
        if found.iter().all(|other| other.object != finding.object) {
            found.push(finding);
        }
    };
    let refresh = |name: &str| format!("REFRESH MATERIALIZED VIEW {name};");
    for (schema, name, derived) in &marks {
        if !tables
            .iter()
            .any(|t| t.schema == *schema && t.name == *name)
        {
            continue;
        }
        let same = spi::read(
            "SELECT v.key FROM pg_catalog.jsonb_each_text($1) AS v
              WHERE pg_catalog.pg_relation_filenode(pg_catalog.to_regclass(v.key))::pg_catalog.text
                    = v.value ORDER BY 1",
            &[JsonB(derived.clone()).into()],
            |row| row.required::<String>(1),
        )?;
        for view in same {
            let finding = Finding::new(
                "materialized view",
                view.clone(),
                Severity::Found,
                "was filled before its tables were masked",
            );
            add(&mut found, finding.cleared_by(refresh(&view)));
        }
    }
    let others = tables
        .iter()
        .filter(|table| table.kind != 'm' && !table.is_rewritten);
    let others: Vec<_> = others.map(|table| table.oid).collect();
    let views = in_place::store::derived(&others)?;
    for view in views.as_object().into_iter().flat_map(Map::keys) {
        let finding = Finding::new(
            "materialized view",
            view.clone(),
            Severity::Check,
            "keeps what its tables held when it was filled",
        );
        add(&mut found, finding.cleared_by(refresh(view)));
    }
    Ok(found)
}

/// Tables that have the masked columns of another, and were not masked: copies, detached partitions.
///
/// # Errors
/// As the interface.
pub fn look_alikes() -> Result<Vec<Finding>> {
    let marks = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                      'schema', m.schema_name, 'table', m.table_name, 'columns', m.columns))
               FROM confiture.masked_in_place m",
            &[],
            |row| row.get::<JsonB>(1),
        )
    })?;
    let Some(JsonB(marks)) = marks.into_iter().next().flatten() else {
        return Ok(Vec::new());
    };
    spi::read(LOOK_ALIKES, &[JsonB(marks).into()], |row| {
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
const HOLDERS: &str = include_str!("catalog/holders.sql");
const LOOK_ALIKES: &str = include_str!("catalog/look_alikes.sql");
const LARGE_OBJECTS: &str = include_str!("catalog/large_objects.sql");
const OUTSIDE: &str = include_str!("catalog/outside.sql");
