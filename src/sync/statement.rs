//! The statements that move rows.

use super::facts::{Column, Side, Table};
use super::fit::How;
use super::plan::{ColumnPlan, Decision, Plan, TablePlan};
use crate::pg::ident::{literal, qualified, quote};
use crate::strategies::ValueType;

/// The loads of a plan, in its order: each table with the statement that fills it.
pub fn loads(plan: &Plan, source: &Side) -> Vec<(String, String)> {
    let mut number = 0;
    plan.tables
        .iter()
        .map(|table| {
            (
                table.source.name.clone(),
                load(plan, table, source, &mut number),
            )
        })
        .collect()
}

fn load(plan: &Plan, table: &TablePlan, source: &Side, number: &mut usize) -> String {
    let mut names = Vec::new();
    let mut values = Vec::new();
    for (column, facts) in table.columns.iter().zip(&table.source.columns) {
        if let Some(value) = value(column, facts.type_oid, &plan.target, source, number) {
            names.push(quote(&column.name));
            values.push(value);
        }
    }
    let identity = table
        .source
        .columns
        .iter()
        .any(|column| column.identity == "a");
    // A table may have no column, or none that is copied.
    let list = match names.as_slice() {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    };
    format!(
        "INSERT INTO {}{list}{} SELECT {} FROM {} AS s{}",
        qualified(&plan.target, &table.source.name),
        if identity {
            " OVERRIDING SYSTEM VALUE"
        } else {
            ""
        },
        values.join(", "),
        from(&table.source),
        table
            .filter
            .as_ref()
            .map_or(String::new(), |filter| format!(" WHERE {filter}")),
    )
}

/// The source table in a FROM clause: without strangers that inherit from it.
pub fn from(table: &Table) -> String {
    let name = qualified(&table.schema, &table.name);
    if table.kind == 'r' {
        format!("ONLY {name}")
    } else {
        name
    }
}

/// The expression for a column; `None` where the target computes it.
fn value(
    column: &ColumnPlan,
    type_oid: u32,
    target: &str,
    source: &Side,
    number: &mut usize,
) -> Option<String> {
    let read = format!("s.{}", quote(&column.name));
    match &column.decision {
        Decision::Excluded { .. } | Decision::Generated => None,
        Decision::Copied | Decision::Preserved { .. } => {
            Some(match moved(type_oid, target, source) {
                // By the output function: a cast to text could be one that somebody made just now.
                // num_nulls, because a row of NULLs IS NULL without being one.
                Some(name) => format!(
                    "CASE WHEN pg_catalog.num_nulls({read}) = 0 \
                     THEN pg_catalog.format('%s', {read})::{name} END"
                ),
                None => read,
            })
        }
        Decision::Masked(masked) => match &masked.how {
            How::Mask(of) => {
                let call = format!("confiture._run_mask({number}, ({read})::{})", cast(*of));
                *number += 1;
                Some(call)
            }
            How::Constant(text) => Some(constant(&read, text, type_oid, target, source)),
        },
    }
}

/// NULL stays NULL, anything else becomes the constant.
fn constant(read: &str, text: &str, type_oid: u32, target: &str, source: &Side) -> String {
    format!(
        "CASE WHEN {read} IS NULL THEN NULL ELSE {}::{} END",
        literal(text),
        type_name(type_oid, target, source)
    )
}

/// The constant of a column as an expression, for trying whether it is valid input.
pub fn constant_of(text: &str, type_oid: u32, source: &Side) -> String {
    let schema = source.schema.as_ref().map_or("", |schema| &schema.name);
    format!("{}::{}", literal(text), type_name(type_oid, schema, source))
}

/// The constant as a column of the target stores it: with the type's modifiers, which decide how
/// many digits `0` has.
pub fn stored(text: &str, column: &Column, target: &str, source: &Side) -> String {
    let server_type = source
        .type_of(column.type_oid)
        .is_some_and(|of| of.schema == "pg_catalog" && of.kind == 'b' && !of.is_array);
    let name = if server_type {
        column.type_name.clone()
    } else {
        type_name(column.type_oid, target, source)
    };
    format!("{}::{name}", literal(text))
}

fn cast(of: ValueType) -> &'static str {
    match of {
        ValueType::Bytes => "pg_catalog.bytea",
        ValueType::Int16 => "pg_catalog.int2",
        ValueType::Int32 => "pg_catalog.int4",
        ValueType::Int64 => "pg_catalog.int8",
        ValueType::Text => "pg_catalog.text",
        ValueType::Uuid => "pg_catalog.uuid",
    }
}

/// A type's name in the target: its counterpart there, where it belongs to the source schema.
fn type_name(oid: u32, target: &str, source: &Side) -> String {
    let Some(of) = source.type_of(oid) else {
        return "pg_catalog.text".to_owned();
    };
    if of.is_array
        && let Some(inner) = of.inner
    {
        return format!("{}[]", type_name(inner, target, source));
    }
    qualified(if source.owns(of) { target } else { &of.schema }, &of.name)
}

/// The type to read a value's text as, where the target has a counterpart that the server does
/// not convert to by itself. It does for domains, whatever they are over.
fn moved(oid: u32, target: &str, source: &Side) -> Option<String> {
    let mut of = source.type_of(oid)?;
    while of.kind == 'd' {
        of = source.type_of(of.inner?)?;
    }
    let mut element = of;
    while element.is_array {
        element = source.type_of(element.inner?)?;
    }
    let own = source.owns(element)
        || element.attributes.iter().any(|attribute| {
            source
                .type_of(attribute.type_oid)
                .is_some_and(|of| source.owns(of))
        });
    own.then(|| type_name(oid, target, source))
}
