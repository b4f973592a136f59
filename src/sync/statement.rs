//! The statements that move rows.

use super::facts::{Column, Side, Table};
use super::fit::{Call, Field, FieldHow, How};
use super::joined::{self, Joined};
use super::plan::{ColumnPlan, Decision, Plan, TablePlan};
use super::watch::{Lookers, Watch};
use super::{leaks, shuffle};
use crate::pg::ident::{literal, qualified, quote};
use crate::strategies::ValueType;

/// The loads of a plan, in its order: each table with the statement that fills it. With `tracked`
/// each row is shown to the trackers of the run on its way, by their numbers; with `scanned`, to
/// the scan for what gives it away. `tokens` is the table where rows find the tokens of the vault.
pub fn loads(
    plan: &Plan,
    source: &Side,
    (tracked, scanned): (bool, bool),
    tokens: &str,
) -> Vec<(String, String)> {
    let mut numbers = Numbers {
        mask: 0,
        tracker: 0,
        scan: 0,
        tracked,
        scanned,
    };
    plan.tables
        .iter()
        .map(|table| {
            (
                table.source.name.clone(),
                load(plan, table, source, tokens, &mut numbers),
            )
        })
        .collect()
}

/// The next numbers to give.
struct Numbers {
    mask: usize,
    tracker: usize,
    scan: usize,
    tracked: bool,
    scanned: bool,
}

fn load(
    plan: &Plan,
    table: &TablePlan,
    source: &Side,
    tokens: &str,
    numbers: &mut Numbers,
) -> String {
    let mut joined = Vec::new();
    let mut names = Vec::new();
    let mut values = Vec::new();
    let groups = shuffle::groups(table);
    let scan = numbers.scanned.then(|| leaks::Watched::of(table, source));
    let lookers = Lookers {
        watch: numbers
            .tracked
            .then(|| Watch::of(table))
            .filter(|watch| !watch.columns.is_empty()),
        scan: scan.flatten().map(|scan| (scan, numbers.scan)),
    };
    numbers.scan += usize::from(lookers.scan.is_some());
    for (column, facts) in table.columns.iter().zip(&table.source.columns) {
        let alias = shuffle::alias(&groups, &column.name);
        let read = format!("{alias}.{}", quote(&column.name));
        if let Some(call) = of_vault(column) {
            let called = key_of(
                call,
                numbers.mask,
                &column.name,
                table,
                source,
                &plan.target,
            );
            joined.push(Joined::new(numbers.mask, &called));
        }
        let number = &mut numbers.mask;
        if let Some(value) = value(column, table, &read, facts, &plan.target, source, number) {
            let value = match &lookers.watch {
                Some(watch) if watch.needs(&column.name) => {
                    assigned(&value, facts, &plan.target, source)
                }
                _ => value,
            };
            names.push(quote(&column.name));
            values.push(value);
        }
    }
    // A table may have no column, or none that is copied.
    let list = match names.as_slice() {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    };
    let (rows, joins) = joined::parts(table, &joined, tokens);
    let from = format!("{}{joins}", shuffle::from(table, &groups, &rows));
    let select = lookers.select(&names, &values, &from, &mut numbers.tracker);
    format!(
        "INSERT INTO {}{list}{} {select}",
        table.landing(&plan.target),
        if table.overriding && table.waiting.is_none() {
            " OVERRIDING SYSTEM VALUE"
        } else {
            ""
        },
    )
}

/// What a run writes into each column of a table, as it is stored there and as an expression over
/// the row `s`; `None` where the statement has nothing to say.
pub fn written(plan: &Plan, table: &TablePlan, source: &Side) -> Vec<Option<String>> {
    let masks = plan.masks("");
    let is_here = |place: &str| place == table.source.name;
    let first = masks.iter().position(|mask| is_here(&mask.place.table));
    let mut number = first.unwrap_or(0);
    let all = table.columns.iter().zip(&table.source.columns);
    all.map(|(column, facts)| {
        let read = format!("s.{}", quote(&column.name));
        let value = value(
            column,
            table,
            &read,
            facts,
            &plan.target,
            source,
            &mut number,
        );
        value.map(|value| assigned(&value, facts, &plan.target, source))
    })
    .collect()
}

/// The rows of a table that are copied, as `s`.
pub fn rows(table: &TablePlan) -> String {
    format!(
        "{} AS s{}",
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
    table: &TablePlan,
    read: &str,
    facts: &Column,
    target: &str,
    source: &Side,
    number: &mut usize,
) -> Option<String> {
    let type_oid = facts.type_oid;
    let plain = || plain(read, type_oid, target, source);
    match &column.decision {
        Decision::Excluded { .. } | Decision::Generated => None,
        Decision::Copied | Decision::Preserved { .. } => Some(plain()),
        Decision::Masked(masked) => match &masked.how {
            How::Mask(call) if call.token.is_some() => {
                *number += 1;
                Some(joined::token(*number - 1))
            }
            How::Mask(call) => {
                let expression = called(
                    call,
                    &of_run(*number),
                    read,
                    type_oid,
                    target,
                    (&table.source, source),
                );
                *number += 1;
                Some(expression)
            }
            How::Default => None,
            // Of its type: in a subquery it would be a text.
            How::Null => Some(format!("NULL::{}", type_name(type_oid, target, source))),
            How::Record(fields) => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|field| field_of(field, read, target, (&table.source, source), number))
                    .collect();
                Some(format!(
                    "CASE WHEN pg_catalog.num_nulls({read}) = 0 THEN ROW({})::{} END",
                    fields.join(", "),
                    type_name(type_oid, target, source)
                ))
            }
            How::Shuffle(_) => Some(plain()),
            How::Constant(text) => Some(constant(read, text, type_oid, target, source)),
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

/// A value as the column stores it: with the type's modifiers, and refused where it is too long
/// instead of cut off, as an INSERT does.
fn assigned(value: &str, column: &Column, target: &str, source: &Side) -> String {
    let (oid, name) = (column.type_oid, &column.type_name);
    converted(value, oid, name, column.max_chars, target, source)
}

fn converted(
    value: &str,
    oid: u32,
    written: &str,
    max_chars: Option<usize>,
    target: &str,
    source: &Side,
) -> String {
    let name = || type_name(oid, target, source);
    let Some(of) = source.type_of(oid) else {
        return value.to_owned();
    };
    if of.kind == 'd' {
        let base = of.base_name.as_deref().unwrap_or_default();
        let inner = of.inner.unwrap_or_default();
        let inner = converted(value, inner, base, of.max_chars, target, source);
        return format!("({inner})::{}", name());
    }
    let element = of
        .inner
        .filter(|_| of.is_array)
        .and_then(|e| source.type_of(e));
    let (scalar, is_array) = (element.unwrap_or(of), element.is_some());
    if scalar.schema != "pg_catalog" || scalar.kind != 'b' {
        return format!("({value})::{}", name());
    }
    match (scalar.name.as_str(), max_chars) {
        // An explicit cast would cut off; these functions are told that it is none.
        ("varchar" | "bpchar", Some(chars)) if !is_array => {
            let function = format!("pg_catalog.{}", quote(&scalar.name));
            format!("{function}(({value})::{function}, {}, false)", chars + 4)
        }
        // Left to the assignment, for the same reason.
        ("varchar" | "bpchar" | "bit" | "varbit", _) if is_array => {
            format!("({value})::{}", name())
        }
        ("bit" | "varbit", _) => value.to_owned(),
        ("varchar" | "bpchar", _) => format!("({value})::{}", name()),
        _ => format!("({value})::{written}"),
    }
}

/// A value as it is, as one of the target's type.
fn plain(read: &str, type_oid: u32, target: &str, source: &Side) -> String {
    match moved(type_oid, target, source) {
        // By the output function: a cast to text could be one that somebody made just now.
        // num_nulls, because a row of NULLs IS NULL without being one.
        Some(name) => format!(
            "CASE WHEN pg_catalog.num_nulls({read}) = 0 \
             THEN pg_catalog.format('%s', {read})::{name} END"
        ),
        None => read.to_owned(),
    }
}

/// The expression for a field of a composite value.
fn field_of(
    field: &Field,
    read: &str,
    target: &str,
    (table, source): (&Table, &Side),
    number: &mut usize,
) -> String {
    let read = format!("({read}).{}", quote(&field.name));
    match &field.how {
        FieldHow::Keep => plain(&read, field.type_oid, target, source),
        FieldHow::Mask(_, call) => {
            let expression = called(
                call,
                &of_run(*number),
                &read,
                field.type_oid,
                target,
                (table, source),
            );
            *number += 1;
            expression
        }
        FieldHow::Null => "NULL".to_owned(),
    }
}

/// The call that gives what a token of the vault is found by, as a text.
pub fn key_of(
    call: &Call,
    number: usize,
    column: &str,
    table: &TablePlan,
    source: &Side,
    target: &str,
) -> String {
    let named = |facts: &&Column| facts.name == column;
    let type_oid = table.source.columns.iter().find(named);
    let type_oid = type_oid.map_or(0, |facts| facts.type_oid);
    let read = format!("s.{}", quote(column));
    let from = (&table.source, source);
    format!(
        "({})::pg_catalog.text",
        called(call, &of_run(number), &read, type_oid, target, from)
    )
}

/// How the vault is called for the values of a column; `None` where it is not.
fn of_vault(column: &ColumnPlan) -> Option<&Call> {
    match &column.decision {
        Decision::Masked(masked) => match &masked.how {
            How::Mask(call) if call.token.is_some() => Some(call),
            _ => None,
        },
        _ => None,
    }
}

/// How the call of a mask of a run begins.
fn of_run(number: usize) -> String {
    format!("confiture._run_mask({number}")
}

/// The call of a mask that begins with `mask`: the value follows, and what else it reads.
pub fn called(
    call: &Call,
    mask: &str,
    read: &str,
    type_oid: u32,
    target: &str,
    (table, source): (&Table, &Side),
) -> String {
    let array = if call.is_array { "[]" } else { "" };
    let mut inputs = String::new();
    for given in &call.inputs {
        let texts: Vec<_> = given
            .columns
            .iter()
            .map(|column| match call.token {
                Some(_) => as_written(column),
                None => input(column, table, source),
            })
            .collect();
        inputs.push_str(&match (given.many, texts.first()) {
            (true, _) => format!(", ARRAY[{}]::pg_catalog.text[]", texts.join(", ")),
            (false, Some(text)) => format!(", {text}"),
            (false, None) => ", NULL::pg_catalog.text".to_owned(),
        });
    }
    // What is equal whatever its case stays of its type: the mask reads it as that compares.
    let cast = folding(type_oid, source).or_else(|| cast(call.of).map(str::to_owned));
    match cast {
        Some(cast) => format!("{mask}, ({read})::{cast}{array}{inputs})"),
        // By the output function: a cast to text could be one that somebody made just now.
        None if call.of == ValueType::Enum => format!(
            "CASE WHEN pg_catalog.num_nulls({read}) = 0 THEN {mask}, \
             pg_catalog.format('%s', {read})::pg_catalog.text{array}{inputs})::{} END",
            type_name(type_oid, target, source)
        ),
        None => format!("{mask}, {read}{inputs})"),
    }
}

/// Another column of the row as the vault reads it: who forgets a subject calls it as it is written.
pub fn as_written(name: &str) -> String {
    format!("(s.{})::pg_catalog.text", quote(name))
}

/// Another column of the row as a mask reads it: equal values are one entity.
pub fn input(name: &str, table: &Table, source: &Side) -> String {
    let read = as_written(name);
    let column = table.columns.iter().find(|column| column.name == name);
    match column.and_then(|column| folding(column.type_oid, source)) {
        // As citext compares, whatever collation the column has.
        Some(_) => format!("pg_catalog.lower({read} COLLATE pg_catalog.\"default\")"),
        None => read,
    }
}

/// The type of texts below a type, where values of it are equal that differ in case.
pub fn folding(type_oid: u32, source: &Side) -> Option<String> {
    let mut of = source.type_of(type_oid)?;
    while of.kind == 'd' || of.is_array {
        of = source.type_of(of.inner?)?;
    }
    (of.name == "citext").then(|| qualified(&of.schema, &of.name))
}

/// The type that a mask is called with; `None` where the value is taken as it is.
fn cast(of: ValueType) -> Option<&'static str> {
    Some(match of {
        ValueType::Bool => "pg_catalog.bool",
        ValueType::Bytes => "pg_catalog.bytea",
        ValueType::Cidr => "pg_catalog.cidr",
        ValueType::Date => "pg_catalog.date",
        ValueType::Enum | ValueType::Hstore | ValueType::Record => return None,
        ValueType::Float32 => "pg_catalog.float4",
        ValueType::Float64 => "pg_catalog.float8",
        ValueType::Inet => "pg_catalog.inet",
        ValueType::Int16 => "pg_catalog.int2",
        ValueType::Int32 => "pg_catalog.int4",
        ValueType::Int64 => "pg_catalog.int8",
        ValueType::Json => "pg_catalog.json",
        ValueType::Jsonb => "pg_catalog.jsonb",
        ValueType::Mac => "pg_catalog.macaddr",
        ValueType::Mac8 => "pg_catalog.macaddr8",
        ValueType::Numeric => "pg_catalog.numeric",
        ValueType::Text => "pg_catalog.text",
        ValueType::Timestamp => "pg_catalog.timestamp",
        ValueType::Timestamptz => "pg_catalog.timestamptz",
        ValueType::Uuid => "pg_catalog.uuid",
    })
}

/// A type's name in the target: its counterpart there, where it belongs to the source schema.
pub fn type_name(oid: u32, target: &str, source: &Side) -> String {
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
    if source
        .schema
        .as_ref()
        .is_some_and(|schema| schema.name == target)
    {
        return None;
    }
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
