//! The catalog, read for a run; the tables of runs, and the fixed statements of one.
//!
//! Definitions are read with the search path set to the schema they come from, so that its own
//! names come out unqualified; everything executed here is qualified, and operators meet operands
//! of exactly their types, so that nothing planted in that schema can take part.

use std::collections::BTreeMap;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::Oid;
use pgrx::{JsonB, Uuid};
use serde::de::DeserializeOwned;

use super::facts::{Code, Schema, Side, Table};
use super::registry::{self, Registry};
use crate::error::{Error, Kind, Result};
use crate::ledger::entry::Facts;
use crate::ledger::journal;
use crate::pg::snapshot::Snapshot;
use crate::pg::{append, frozen, guc, ident, owner, spi};
use crate::strategies::REDACTED;

/// Tables of a schema, and their partitions, of which the catalog keeps what older rows have in
/// younger columns: number, name, one such column.
///
/// # Errors
/// As the interface.
pub fn missing_values(schema: &str, tables: &[String]) -> Result<Vec<(u32, String, String)>> {
    spi::read(MISSING, &[schema.into(), tables.to_vec().into()], |row| {
        let oid = u32::try_from(row.required::<i64>(1)?).unwrap_or_default();
        Ok((oid, row.required(2)?, row.required(3)?))
    })
}

/// Reads one side of a run: the schema, the given tables with their partitions, their types.
///
/// # Errors
/// XX000 when the interface fails.
pub fn side(schema: &str, tables: &[String]) -> Result<Side> {
    let path = format!("pg_catalog, {}, pg_temp", ident::quote(schema));
    guc::with(&[("search_path", &path)], || {
        let found: Vec<Schema> = documents(SCHEMA, &[schema.into()])?;
        let tables: Vec<Table> = documents(TABLES, &[schema.into(), tables.to_vec().into()])?;
        // The schema's own types too: the target may have them before it has a table.
        let mut types: Vec<i64> = looked_up(OWN_TYPES, &[schema.into()], |row| row.required(1))?;
        types.extend(
            tables
                .iter()
                .flat_map(|table| table.columns.iter().map(|c| i64::from(c.type_oid))),
        );
        Ok(Side {
            schema: found.into_iter().next(),
            types: documents(TYPES, &[types.into()])?,
            names: looked_up(NAMES, &[schema.into()], |row| row.required(1))?,
            made: made(schema)?,
            tables,
        })
    })
}

/// The code in these tables and types that a run would execute.
///
/// # Errors
/// XX000 when the interface fails.
pub fn code(source: &str, tables: &[u32], types: &[u32], triggers_of: &[u32]) -> Result<Vec<Code>> {
    let numbers = |oids: &[u32]| oids.iter().map(|oid| i64::from(*oid)).collect::<Vec<_>>();
    documents(
        CODE,
        &[
            numbers(tables).into(),
            numbers(types).into(),
            numbers(triggers_of).into(),
            source.into(),
        ],
    )
}

/// Definitions of these tables of `schema` that use functions of it which `other` lacks: the
/// table's number and what uses what.
///
/// # Errors
/// XX000 when the interface fails.
pub fn own_functions(schema: &str, tables: &[u32], other: &str) -> Result<Vec<(u32, String)>> {
    let numbers: Vec<i64> = tables.iter().map(|oid| i64::from(*oid)).collect();
    spi::rows(
        FUNCTIONS,
        &[schema.into(), numbers.into(), other.into()],
        |row| {
            let number = u32::try_from(row.required::<i64>(1)?).unwrap_or_default();
            Ok((number, row.required(2)?))
        },
    )
}

/// What may go wrong before a schema can be made: `None` when the caller may create one.
///
/// # Errors
/// XX000 when the interface fails.
pub fn may_create_schema() -> Result<bool> {
    Ok(spi::one::<bool>(
        "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')",
        &[],
    )?
    .unwrap_or(false))
}

/// Objects of `schema` that still lead to `other`: what a copy must not have.
///
/// # Errors
/// XX000 when the interface fails.
pub fn ties(schema: &str, other: &str) -> Result<Vec<String>> {
    spi::rows(TIES, &[schema.into(), other.into()], |row| row.required(1))
}

/// The kind of a table and the columns of its primary key, in order; `None` where there is none.
///
/// # Errors
/// XX000 when the interface fails.
pub fn keyed_table(schema: &str, table: &str) -> Result<Option<(char, Vec<String>)>> {
    let found = spi::read(
        "SELECT c.relkind::pg_catalog.text,
                ARRAY(SELECT a.attname::pg_catalog.text
                        FROM pg_catalog.pg_index i
                       CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[])
                                          WITH ORDINALITY AS k (number, place)
                        JOIN pg_catalog.pg_attribute a
                          ON a.attrelid = c.oid AND a.attnum = k.number
                       WHERE i.indrelid = c.oid AND i.indisprimary
                         AND k.place <= i.indnkeyatts::pg_catalog.int8 ORDER BY k.place)
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = $2
            AND c.relkind = ANY (ARRAY['r', 'p']::pg_catalog.\"char\"[])",
        &[schema.into(), table.into()],
        |row| Ok((row.required::<String>(1)?, row.required::<Vec<String>>(2)?)),
    )?;
    Ok(found
        .into_iter()
        .next()
        .map(|(kind, key)| (kind.chars().next().unwrap_or('r'), key)))
}

/// The tables of a schema by name, as this transaction sees them, with their numbers.
///
/// # Errors
/// XX000 when the interface fails.
pub fn numbers(schema: &str) -> Result<BTreeMap<String, u32>> {
    let found = spi::read(
        "SELECT c.relname::text, c.oid
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1
            AND c.relkind = ANY (ARRAY['r', 'p', 'f']::pg_catalog.\"char\"[])",
        &[schema.into()],
        |row| Ok((row.required::<String>(1)?, row.required::<Oid>(2)?.to_u32())),
    )?;
    Ok(found.into_iter().collect())
}

/// A constraint, or a trigger, that can be put off until the end of a transaction.
pub struct Deferrable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether it is put off unless somebody says otherwise.
    pub is_deferred: bool,
    /// Whether another table of the schema has one of that name.
    pub is_elsewhere: bool,
}

/// Those of some tables and their partitions.
///
/// # Errors
/// XX000 when the interface fails.
pub fn deferrable(schema: &str, tables: &[String]) -> Result<Vec<Deferrable>> {
    spi::rows(
        "WITH RECURSIVE mine AS (
           SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname::text = ANY ($2)
           UNION
           SELECT i.inhrelid FROM mine m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid)
         SELECT n.nspname::text, c.conname::text, bool_or(c.condeferred),
                EXISTS (SELECT FROM pg_catalog.pg_constraint o
                         WHERE o.connamespace = c.connamespace AND o.conname = c.conname
                           AND o.condeferrable AND o.conrelid <> 0::oid
                           AND NOT EXISTS (SELECT FROM mine m WHERE m.oid = o.conrelid))
           FROM pg_catalog.pg_constraint c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
           JOIN mine m ON m.oid = c.conrelid
          WHERE c.condeferrable
          GROUP BY n.nspname, c.connamespace, c.conname ORDER BY 1, 2",
        &[schema.into(), tables.to_vec().into()],
        |row| {
            Ok(Deferrable {
                schema: row.required(1)?,
                name: row.required(2)?,
                is_deferred: row.required(3)?,
                is_elsewhere: row.required(4)?,
            })
        },
    )
}

/// A column as it is written in SQL.
pub struct ColumnType {
    /// Its type, with length or precision.
    pub name: String,
    /// What it is over, without length or precision, where values are cut or rounded to fit; `None`
    /// where none is.
    pub uncut: Option<String>,
    /// Whether the type is the server's own, and so are its operators.
    pub is_builtin: bool,
}

/// The type of a column, under the search path that the caller has pinned.
///
/// # Errors
/// 42703 when there is no such column.
pub fn column_type(schema: &str, table: &str, column: &str) -> Result<ColumnType> {
    let found = spi::read(
        "SELECT pg_catalog.format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.atttypid = 'pg_catalog.name'::pg_catalog.regtype::oid THEN 'pg_catalog.text'
                     WHEN greatest(a.atttypmod, t.typtypmod) >= 0
                     THEN pg_catalog.format_type(CASE t.typbasetype WHEN 0::oid THEN t.oid
                                                      ELSE t.typbasetype END, -1) END,
                n2.nspname = 'pg_catalog' AND t.typtype = 'b'
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
           JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
           JOIN pg_catalog.pg_namespace n2 ON n2.oid = t.typnamespace
          WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND NOT a.attisdropped",
        &[schema.into(), table.into(), column.into()],
        |row| {
            Ok(ColumnType {
                name: row.required(1)?,
                uncut: row.get(2)?,
                is_builtin: row.required(3)?,
            })
        },
    )?;
    found.into_iter().next().ok_or_else(|| {
        Error::new(
            Kind::UndefinedColumn,
            format!("column \"{column}\" of table \"{schema}.{table}\" does not exist"),
        )
    })
}

/// Puts tables on the list of those that runs made, for the next run to know them.
///
/// # Errors
/// XX000 when the interface fails.
pub fn remember(schema: &str, tables: &[String], made_by: &str) -> Result<()> {
    owner::acting_as_owner("confiture", || {
        spi::run(
            "INSERT INTO confiture.target_table (schema_name, table_name, made_by)
             SELECT $1, t, $3 FROM pg_catalog.unnest($2::text[]) AS t
             ON CONFLICT DO NOTHING",
            &[schema.into(), tables.to_vec().into(), made_by.into()],
        )?;
        Ok(())
    })?;
    registry::store::number(Registry::Made, schema, tables)
}

/// Whether a literal is valid input of a type.
///
/// # Errors
/// The server's own error, to be caught in a subtransaction.
pub fn try_literal(expression: &str) -> Result<()> {
    spi::run(&format!("SELECT {expression}"), &[])?;
    Ok(())
}

/// Whether the values of a filter are valid input of their types: the server reads them when it
/// plans the query, which then returns nothing.
///
/// # Errors
/// The server's own error, to be caught in a subtransaction.
pub fn try_filter(from: &str, filter: &str) -> Result<()> {
    spi::run(
        &format!("SELECT FROM {from} AS s WHERE {filter} LIMIT 0"),
        &[],
    )?;
    Ok(())
}

fn made(schema: &str) -> Result<Vec<String>> {
    let standing = registry::store::standing(Registry::Made)?;
    let here = standing.into_iter().filter(|table| table.schema == schema);
    Ok(here.map(|table| table.name).collect())
}

/// As committed now, or on a standby, where nothing is written, as the caller sees it.
///
/// # Errors
/// As the interface, and what `read` returns.
pub(super) fn looked_up<T>(
    sql: &str,
    args: &[DatumWithOid<'_>],
    read: impl FnMut(&spi::Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    if frozen::writable().is_ok() {
        spi::rows(sql, args, read)
    } else {
        spi::read(sql, args, read)
    }
}

/// Rows of one document each.
///
/// # Errors
/// XX000 when the interface fails, or a document has another shape.
pub(super) fn documents<T: DeserializeOwned>(
    sql: &str,
    args: &[DatumWithOid<'_>],
) -> Result<Vec<T>> {
    looked_up(sql, args, |row| {
        let JsonB(document) = row.required(1)?;
        serde_json::from_value(document).map_err(|error| {
            Error::new(Kind::Internal, "the catalog has an unexpected shape")
                .with_detail(format!("{error}."))
        })
    })
}

/// Makes the temporary table where rows find their tokens, with what stands in for the token of a
/// value that gets none.
///
/// # Errors
/// As the interface.
pub fn make_tokens(table: &str) -> Result<Place> {
    spi::run(
        &format!(
            "CREATE TEMPORARY TABLE {table} (key pg_catalog.text COLLATE pg_catalog.\"C\" NOT NULL,
                                             token pg_catalog.text) ON COMMIT DROP"
        ),
        &[],
    )?;
    spi::run(
        &format!("INSERT INTO {table} (key, token) VALUES ('', NULL), ($1, $1)"),
        &[REDACTED.into()],
    )?;
    let place = spi::one::<Oid>("SELECT $1::pg_catalog.regclass::oid", &[table.into()])?;
    let gone = || Error::new(Kind::Internal, "a temporary table has gone");
    Ok(Place(place.ok_or_else(gone)?))
}

/// Where [`put_tokens`] puts them.
#[derive(Clone, Copy)]
pub struct Place(Oid);

/// Puts tokens there, each with the key of its value. By no statement: plans and their parameters
/// are logged where somebody asks for that, and tokens would stand in both.
///
/// # Errors
/// As [`append::pairs`].
pub fn put_tokens(place: Place, keys: &[String], tokens: &[String]) -> Result<()> {
    let both = keys.iter().zip(tokens);
    append::pairs(place.0, both.map(|(key, token)| (&**key, &**token)))
}

/// Counts what is in it, for the server's plans.
///
/// # Errors
/// As the interface.
pub fn analyze(table: &str) -> Result<()> {
    spi::run(&format!("ANALYZE {table}"), &[]).map(drop)
}

/// Takes it away.
///
/// # Errors
/// As the interface.
pub fn drop_tokens(table: &str) -> Result<()> {
    spi::run(&format!("DROP TABLE {table}"), &[]).map(drop)
}

/// The subjects that a query finds, some thousand at a time.
///
/// # Errors
/// As the interface, and what `take` returns.
pub fn subjects(
    query: &str,
    snapshot: &Snapshot,
    take: impl FnMut(Vec<String>) -> Result<()>,
) -> Result<()> {
    spi::each_under(query, snapshot, |row| row.required(1), take)
}

/// Key, value and subject.
pub type Wanted = (String, String, Option<String>);

/// The values that a query finds with their keys and whose they are, some thousand at a time.
///
/// # Errors
/// As the interface, and what `take` returns.
pub fn values(
    query: &str,
    snapshot: &Snapshot,
    take: impl FnMut(Vec<Wanted>) -> Result<()>,
) -> Result<()> {
    let read = |row: &spi::Row<'_>| Ok((row.required(1)?, row.required(2)?, row.get(3)?));
    spi::each_under(query, snapshot, read, take)
}

/// The id of a run as it is written.
pub fn shown_id(run_id: [u8; 16]) -> String {
    Uuid::from_bytes(run_id).to_string()
}

/// Puts on record in the journal what became of a run that cannot commit.
///
/// # Errors
/// As [`journal::store::write`].
pub fn keep(event: journal::record::Event, facts: &Facts, reason: &str) -> Result<()> {
    let run = shown_id(facts.run_id.unwrap_or_default());
    journal::store::write(&journal::record::Record {
        event,
        about: &run,
        domain: facts.target_schema.as_deref(),
        reason: Some(reason),
        amount: None,
    })?;
    Ok(())
}

const SCHEMA: &str = concat!(
    include_str!("catalog/trusted.sql"),
    include_str!("catalog/schema.sql")
);

const NAMES: &str = "
    SELECT c.relname::text FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind = ANY (ARRAY['r', 'p', 'f']::pg_catalog.\"char\"[])
       AND NOT c.relispartition ORDER BY 1";

const TABLES: &str = include_str!("catalog/tables.sql");
const MISSING: &str = include_str!("catalog/missing.sql");

const OWN_TYPES: &str = "
    SELECT t.oid::pg_catalog.int8 FROM pg_catalog.pg_type t
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname = $1 AND (t.typtype = ANY (ARRAY['d', 'e']::pg_catalog.\"char\"[])
        OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))";

const TYPES: &str = concat!(
    include_str!("catalog/trusted.sql"),
    include_str!("catalog/types.sql")
);

const CODE: &str = concat!(
    include_str!("catalog/trusted.sql"),
    include_str!("catalog/code.sql")
);

const FUNCTIONS: &str = include_str!("catalog/functions.sql");

const TIES: &str = include_str!("catalog/ties.sql");
