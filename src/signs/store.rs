//! Values, read with the rights of the caller: what the planner knows, and samples of rows.
//!
//! Only types of the server's own, and those written like texts, are read, by their output
//! functions: no cast, view, policy or function of anybody takes part.

use serde_json::Value;

use super::{Column, Sort, Table};
use crate::error::Result;
use crate::pg::subxact::unless_unreadable;
use crate::pg::{ident, spi};

/// Hands out the values that planner statistics hold of columns: the place of the column, its sort,
/// the value.
///
/// # Errors
/// XX000 when the interface fails.
pub fn statistics(
    columns: &[(&Table, &Column)],
    mut take: impl FnMut(usize, Sort, &str),
) -> Result<()> {
    let Some((first, _)) = columns.first() else {
        return Ok(());
    };
    let schema = first.schema.as_str();
    let tables: Vec<String> = columns
        .iter()
        .map(|(table, _)| table.name.clone())
        .collect();
    let names: Vec<String> = columns.iter().map(|(_, of)| of.name.clone()).collect();
    let args = [schema.into(), tables.into(), names.into()];
    spi::read(STATISTICS, &args, |row| {
        let at = usize::try_from(row.required::<i64>(1)?).unwrap_or_default();
        let Some((_, column)) = at.checked_sub(1).and_then(|at| columns.get(at)) else {
            return Ok(());
        };
        // Of arrays, the elements; of anything else, the values.
        let lists = if column.is_array { 4..=4 } else { 2..=3 };
        for list in lists {
            if let Some(values) = row.get::<String>(list)? {
                each(&values, |value| take(at - 1, column.sort, value));
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// Hands out values of some rows of a table; false when the server refuses to read it.
///
/// # Errors
/// XX000 when the interface fails.
pub fn sample(
    table: &Table,
    columns: &[&Column],
    rows: u32,
    mut take: impl FnMut(usize, Sort, &str),
) -> Result<bool> {
    let from = ident::qualified(&table.schema, &table.name);
    let values: Vec<_> = columns.iter().map(|column| value(column)).collect();
    let ask = |method: &str| {
        format!(
            "SELECT pg_catalog.array_to_json(ARRAY[{}]::pg_catalog.text[])::pg_catalog.text
               FROM {from} AS s{method} LIMIT {rows}",
            values.join(", ")
        )
    };
    let mut read = |sql: &str| {
        let mut found = 0u64;
        let done = unless_unreadable(|| {
            spi::each(sql, &[], |row| {
                found += 1;
                let mut at = 0;
                each_or_none(&row.required::<String>(1)?, |value| {
                    let column = columns[at];
                    if let Some(value) = value {
                        if column.is_array {
                            each(value, |element| take(at, column.sort, element));
                        } else {
                            take(at, column.sort, value);
                        }
                    }
                    at += 1;
                });
                Ok(())
            })
        })?;
        Ok::<_, crate::error::Error>(done.map(|()| found))
    };
    // Rows that lie together were often made together: of a large table, blocks from all over it.
    let share = 100.0 * f64::from(rows) / table.rows.max(1.0);
    if table.has_blocks && share < 50.0 {
        let method = format!(" TABLESAMPLE pg_catalog.system ({share:.6}) REPEATABLE (0)");
        match read(&ask(&method))? {
            None => return Ok(false),
            // Estimates may be old, and few blocks may all be passed over.
            Some(0) => {}
            Some(_) => return Ok(true),
        }
    }
    Ok(read(&ask(""))?.is_some())
}

/// A column's value as text; of an array, a JSON array of texts.
fn value(column: &Column) -> String {
    let name = format!("s.{}", ident::quote(&column.name));
    let text = format!("pg_catalog.concat({name})");
    let small = format!("pg_catalog.pg_column_size({name}) OPERATOR(pg_catalog.<) {LARGEST}");
    if column.is_array {
        format!(
            "CASE WHEN {small} THEN pg_catalog.array_to_json({text}::pg_catalog.text[])::pg_catalog.text END"
        )
    } else if column.sort == Sort::Json {
        format!("CASE WHEN {small} THEN {text} END")
    } else {
        format!("CASE WHEN {name} IS NOT NULL THEN pg_catalog.substr({text}, 1, {LONGEST}) END")
    }
}

/// The texts of a JSON array, however deep.
fn each(list: &str, mut take: impl FnMut(&str)) {
    fn walk(value: &Value, take: &mut impl FnMut(&str)) {
        match value {
            Value::String(text) => take(text),
            Value::Array(values) => values.iter().for_each(|value| walk(value, take)),
            _ => {}
        }
    }
    if let Ok(value) = serde_json::from_str::<Value>(list) {
        walk(&value, &mut take);
    }
}

/// The entries of a JSON array of texts and nulls.
fn each_or_none(list: &str, take: impl FnMut(Option<&str>)) {
    if let Ok(values) = serde_json::from_str::<Vec<Option<String>>>(list) {
        values.iter().map(Option::as_deref).for_each(take);
    }
}

/// Characters of a text that are looked at.
const LONGEST: u32 = 500;
/// Bytes of a document or an array from which on it is passed over.
const LARGEST: u32 = 20_000;

const STATISTICS: &str = "
    SELECT w.n::pg_catalog.int8,
           pg_catalog.array_to_json((s.most_common_vals::pg_catalog.text::pg_catalog.text[])[1:20])::pg_catalog.text,
           pg_catalog.array_to_json((s.histogram_bounds::pg_catalog.text::pg_catalog.text[])[1:20])::pg_catalog.text,
           pg_catalog.array_to_json((s.most_common_elems::pg_catalog.text::pg_catalog.text[])[1:40])::pg_catalog.text
      FROM ROWS FROM (pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[]))
           WITH ORDINALITY AS w (t, c, n)
      JOIN pg_catalog.pg_stats s ON s.schemaname OPERATOR(pg_catalog.=) $1::pg_catalog.name
       AND s.tablename OPERATOR(pg_catalog.=) w.t::pg_catalog.name
       AND s.attname OPERATOR(pg_catalog.=) w.c::pg_catalog.name";
