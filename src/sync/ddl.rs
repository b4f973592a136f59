//! Statements that make a target table like its source.
//!
//! Definitions out of the catalog name the schema's own objects unqualified; they are executed
//! with the target as the search path, so that they mean the target's.

use super::facts::{Column, Constraint, Sequence, Side, Table, Type};
use crate::pg::ident::{literal, qualified, quote};

/// `CREATE TABLE`, or `CREATE TABLE … PARTITION OF`, without what comes after the load.
pub fn table(table: &Table, parent: Option<&str>, target: &str) -> String {
    let name = qualified(target, &table.name);
    let partition_by = table
        .partition_key
        .as_ref()
        .map_or(String::new(), |key| format!(" PARTITION BY {key}"));
    if let Some(parent) = parent {
        let bound = table.bound.as_deref().unwrap_or("DEFAULT");
        let parent = qualified(target, parent);
        return format!("CREATE TABLE {name} PARTITION OF {parent} {bound}{partition_by}");
    }
    let mut parts: Vec<_> = table.columns.iter().map(|c| column(c, target)).collect();
    parts.extend(
        table
            .constraints
            .iter()
            .filter(|constraint| constraint.kind == 'c' && constraint.validated)
            .map(|check| format!("CONSTRAINT {} {}", quote(&check.name), check.definition)),
    );
    format!("CREATE TABLE {name} ({}){partition_by}", parts.join(", "))
}

/// What a partition has of its own: columns that must not be null, defaults.
pub fn partition_columns(partition: &Table, parent: &Table, target: &str) -> Vec<String> {
    let name = qualified(target, &partition.name);
    let mut statements = Vec::new();
    for column in partition
        .columns
        .iter()
        .filter(|column| !column.is_generated())
    {
        let Some(above) = parent
            .columns
            .iter()
            .find(|above| above.name == column.name)
        else {
            continue;
        };
        let alter = format!("ALTER TABLE {name} ALTER COLUMN {}", quote(&column.name));
        if column.not_null && !above.not_null {
            statements.push(format!("{alter} SET NOT NULL"));
        }
        match &column.default {
            default if *default == above.default => {}
            Some(default) => statements.push(format!("{alter} SET DEFAULT {default}")),
            None => statements.push(format!("{alter} DROP DEFAULT")),
        }
    }
    statements
}

fn column(column: &Column, target: &str) -> String {
    let mut text = format!("{} {}", quote(&column.name), column.type_name);
    if let Some(collation) = &column.collation {
        text.push_str(&format!(" COLLATE {collation}"));
    }
    match (
        &column.default,
        column.generated.as_str(),
        column.identity.as_str(),
    ) {
        (Some(expression), "s", _) => {
            text.push_str(&format!(" GENERATED ALWAYS AS ({expression}) STORED"));
        }
        (Some(expression), "v", _) => {
            text.push_str(&format!(" GENERATED ALWAYS AS ({expression}) VIRTUAL"));
        }
        (_, _, "a" | "d") => {
            let when = if column.identity == "a" {
                "ALWAYS"
            } else {
                "BY DEFAULT"
            };
            text.push_str(&format!(" GENERATED {when} AS IDENTITY"));
            if let Some(sequence) = &column.sequence {
                text.push_str(&format!(
                    " (SEQUENCE NAME {} {})",
                    qualified(target, &sequence.name),
                    sequence_options(sequence)
                ));
            }
        }
        (Some(expression), _, _) => text.push_str(&format!(" DEFAULT {expression}")),
        (None, _, _) => {}
    }
    if column.not_null {
        text.push_str(" NOT NULL");
    }
    text
}

/// `CREATE SEQUENCE` in the target, like one of the source.
pub fn sequence(sequence: &Sequence, target: &str) -> String {
    format!(
        "CREATE SEQUENCE {} AS {} {}",
        qualified(target, &sequence.name),
        sequence.type_name,
        sequence_options(sequence)
    )
}

fn sequence_options(sequence: &Sequence) -> String {
    format!(
        "INCREMENT BY {} MINVALUE {} MAXVALUE {} START WITH {} CACHE {}{}",
        sequence.increment,
        sequence.min,
        sequence.max,
        sequence.start,
        sequence.cache,
        if sequence.cycle { " CYCLE" } else { "" }
    )
}

/// Starts a sequence again, in new storage: a rollback takes everything back that happens to it
/// afterwards, which `nextval` and `setval` alone do not allow.
pub fn restart_sequence(sequence: &Sequence) -> String {
    format!(
        "ALTER SEQUENCE {} RESTART",
        qualified(&sequence.schema, &sequence.name)
    )
}

/// Sets a sequence as another one stands: where its values are parts of something else.
pub fn follow_sequence(sequence: &Sequence, other: &Sequence) -> String {
    format!(
        "SELECT pg_catalog.setval({}::pg_catalog.regclass, o.last_value, o.is_called) FROM {} o",
        literal(&qualified(&sequence.schema, &sequence.name)),
        qualified(&other.schema, &other.name)
    )
}

/// Sets a sequence behind the values that columns of the target hold.
pub fn set_sequence(sequence: &Sequence, schema: &str, columns: &[(String, String)]) -> String {
    let end = if sequence.increment < 0 { "min" } else { "max" };
    let values: Vec<_> = columns
        .iter()
        .map(|(table, column)| {
            format!(
                "SELECT pg_catalog.{end}({})::pg_catalog.int8 AS v FROM {}",
                quote(column),
                qualified(schema, table)
            )
        })
        .collect();
    let name = literal(&qualified(&sequence.schema, &sequence.name));
    let (min, max, start) = (sequence.min, sequence.max, sequence.start);
    format!(
        "SELECT pg_catalog.setval({name}::pg_catalog.regclass,
           coalesce(CASE WHEN m.v BETWEEN {min} AND {max} THEN m.v END, {start}),
           coalesce(m.v BETWEEN {min} AND {max}, false))
           FROM (SELECT pg_catalog.{end}(u.v) AS v FROM ({}) u) m",
        values.join(" UNION ALL ")
    )
}

/// The statements that take a constraint away and give it back, with its comment.
pub fn around(table: &str, constraint: &Constraint) -> (String, Vec<String>) {
    let name = quote(&constraint.name);
    let mut add = vec![format!(
        "ALTER TABLE {table} ADD CONSTRAINT {name} {}",
        constraint.definition
    )];
    let comment = constraint.comment.as_deref();
    add.extend(comment.map(|text| comment_on_constraint(&name, table, text)));
    (format!("ALTER TABLE {table} DROP CONSTRAINT {name}"), add)
}

/// `COMMENT ON CONSTRAINT`, of a table or a domain; names are quoted.
pub fn comment_on_constraint(name: &str, of: &str, text: &str) -> String {
    format!("COMMENT ON CONSTRAINT {name} ON {of} IS {}", literal(text))
}

/// `CREATE TYPE` or `CREATE DOMAIN` in the target; `None` for a kind that cannot be made again.
pub fn type_of(of: &Type, target: &str) -> Option<String> {
    let name = qualified(target, &of.name);
    match of.kind {
        'e' => {
            let labels: Vec<_> = of.labels.iter().map(|label| literal(label)).collect();
            Some(format!(
                "CREATE TYPE {name} AS ENUM ({})",
                labels.join(", ")
            ))
        }
        'd' => {
            let mut text = format!("CREATE DOMAIN {name} AS {}", of.base_name.as_deref()?);
            if let Some(default) = &of.default {
                text.push_str(&format!(" DEFAULT {default}"));
            }
            if of.not_null {
                text.push_str(" NOT NULL");
            }
            for check in of.checks.iter().filter(|check| check.validated) {
                text.push_str(&format!(
                    " CONSTRAINT {} {}",
                    quote(&check.name),
                    check.definition
                ));
            }
            Some(text)
        }
        'c' => {
            let attributes: Vec<_> = of
                .attributes
                .iter()
                .map(|attribute| format!("{} {}", quote(&attribute.name), attribute.type_name))
                .collect();
            Some(format!("CREATE TYPE {name} AS ({})", attributes.join(", ")))
        }
        _ => None,
    }
}

/// Types of the source schema that these columns need, inner ones first; arrays come with their
/// elements.
pub fn needed_types<'a>(
    columns: impl Iterator<Item = &'a Column>,
    source: &'a Side,
) -> Vec<&'a Type> {
    let mut types = all_types(columns, source);
    types.retain(|of| source.owns(of) && !of.is_array);
    types
}

/// Types that these columns need, of whatever schema, inner ones first.
pub fn all_types<'a>(columns: impl Iterator<Item = &'a Column>, source: &'a Side) -> Vec<&'a Type> {
    let mut ordered: Vec<&Type> = Vec::new();
    for column in columns {
        visit(column.type_oid, source, &mut ordered);
    }
    ordered
}

/// What takes the checks of a domain down that are not valid, if it exists, and what makes them.
pub fn around_domain(of: &Type, schema: &str, exists: bool) -> (Vec<String>, Vec<String>) {
    let (mut drops, mut adds) = (Vec::new(), Vec::new());
    let domain = format!("DOMAIN {}", qualified(schema, &of.name));
    for check in of.checks.iter().filter(|check| !check.validated) {
        let name = quote(&check.name);
        if exists {
            drops.push(format!("ALTER {domain} DROP CONSTRAINT {name}"));
        }
        adds.push(format!(
            "ALTER {domain} ADD CONSTRAINT {name} {}",
            check.definition
        ));
        if let Some(text) = check.comment.as_ref().filter(|_| exists) {
            adds.push(comment_on_constraint(&name, &domain, text));
        }
    }
    (drops, adds)
}

fn visit<'a>(oid: u32, source: &'a Side, ordered: &mut Vec<&'a Type>) {
    let Some(of) = source.type_of(oid) else {
        return;
    };
    if ordered.iter().any(|seen| seen.oid == oid) {
        return;
    }
    if let Some(inner) = of.inner {
        visit(inner, source, ordered);
    }
    for attribute in &of.attributes {
        visit(attribute.type_oid, source, ordered);
    }
    ordered.push(of);
}
