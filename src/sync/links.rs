//! References between the tables of a run: foreign keys of the catalog, and those that the profile
//! declares.

use super::facts::{Column, Constraint, Reference, Side, Table};
use super::plan::{Input, Note, TablePlan};
use crate::error::{Error, Kind};
use crate::pg::ident::quote;
use crate::strategies::nearest;

/// A reference. Tables are places in the list of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The name of the constraint; `None` of a declared one.
    pub name: Option<String>,
    /// The table that refers.
    pub child: usize,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub parent: usize,
    /// The columns there.
    pub parent_columns: Vec<String>,
    /// Whether all of its columns must be NULL where one is.
    pub full: bool,
    /// The partition of the table that refers, where the key is of that one alone.
    pub child_part: Option<String>,
    /// The partition referred to, where the key leads to that one alone.
    pub parent_part: Option<String>,
    /// How a pair of columns is compared.
    compared: Vec<Compared>,
}

/// How two columns are compared: as the foreign key does.
#[derive(Clone, Debug, PartialEq)]
struct Compared {
    operator: String,
    collation: Option<String>,
}

impl Link {
    /// One without columns, to look at orders of tables.
    #[cfg(test)]
    pub fn bare(child: usize, parent: usize) -> Self {
        Self {
            name: Some("k".to_owned()),
            child,
            columns: Vec::new(),
            parent,
            parent_columns: Vec::new(),
            full: false,
            child_part: None,
            parent_part: None,
            compared: Vec::new(),
        }
    }

    /// Whether a reference finds one row at most.
    pub fn is_unique(&self) -> bool {
        self.name.is_some()
    }

    /// The reference in words.
    pub fn shown(&self) -> String {
        match &self.name {
            Some(name) => format!("foreign key \"{name}\""),
            None => format!("declared foreign key ({})", self.columns.join(", ")),
        }
    }

    /// The condition that a row refers to another, by their aliases. As a foreign key has it, a
    /// row with a NULL among the columns refers to nothing.
    pub fn meets(&self, child: &str, parent: &str) -> String {
        let pairs: Vec<_> = self
            .columns
            .iter()
            .zip(&self.parent_columns)
            .zip(&self.compared)
            .map(|((here, there), by)| {
                let collation = by
                    .collation
                    .as_ref()
                    .map_or(String::new(), |name| format!(" COLLATE {name}"));
                format!(
                    "{parent}.{} {} ({child}.{}){collation}",
                    quote(there),
                    by.operator,
                    quote(here)
                )
            })
            .collect();
        pairs.join(" AND ")
    }

    /// The condition that a row refers to something at all.
    pub fn refers(&self, child: &str) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| format!("{child}.{}", quote(column)))
            .collect();
        format!("pg_catalog.num_nulls({}) = 0", columns.join(", "))
    }
}

/// The references between the tables, those of the catalog first; what leads out of them is noted.
pub fn of(
    input: &Input<'_>,
    tables: &[TablePlan],
    problems: &mut Vec<Error>,
    notes: &mut Vec<Note>,
) -> Vec<Link> {
    let mut links = Vec::new();
    for (child, table) in tables.iter().enumerate() {
        for (part, key) in keys(&table.source, input.source) {
            let Some(target) = &key.target else { continue };
            match place(target, tables, input.source) {
                Some(parent) => links.push(catalog(key, (child, part), parent, tables)),
                None => notes.push(Note {
                    warning: "foreign_key_left_behind",
                    table: Some(table.source.name.clone()),
                    column: match key.columns.as_slice() {
                        [column] => Some(column.clone()),
                        _ => None,
                    },
                    message: format!(
                        "foreign key \"{}\" of table {} leads to \"{}.{}\", which the profile does not name: it stays behind",
                        key.name, part.unwrap_or(&table.source).shown(), target.schema, target.name
                    ),
                    hint: "Name that table in the profile too, if the copy shall have the key.",
                }),
            }
        }
    }
    for key in &input.profile.foreign_keys {
        match declared(key, input, tables) {
            Ok(Some(link)) => {
                let is_known = |other: &Link| {
                    (other.child, other.parent) == (link.child, link.parent)
                        && other.columns == link.columns
                        && other.parent_columns == link.parent_columns
                };
                if !links.iter().any(is_known) {
                    links.push(link);
                }
            }
            // The table is missing, which is a problem already.
            Ok(None) => {}
            Err(error) => problems.push(error),
        }
    }
    links
}

/// The foreign keys of a table, and those that its partitions have of their own.
fn keys<'a>(
    table: &'a Table,
    side: &'a Side,
) -> impl Iterator<Item = (Option<&'a Table>, &'a Constraint)> {
    let parts = side.partitions(table.oid).into_iter().map(Some);
    std::iter::once(None).chain(parts).flat_map(move |part| {
        let all = part.unwrap_or(table).constraints.iter();
        all.filter(|key| key.kind == 'f')
            .map(move |key| (part, key))
    })
}

/// The foreign keys that only the tables of the target have, among those of the plan.
pub fn of_target(input: &Input<'_>, tables: &[TablePlan], known: &[Link]) -> Vec<Link> {
    let mut links = Vec::new();
    if input.in_place.is_some() {
        return links;
    }
    let target = input.target;
    let place_of = |oid: u32| {
        let root = target.root_of(oid);
        let table = target.tables.iter().find(|table| table.oid == root)?;
        let is_it = |plan: &TablePlan| plan.source.name == table.name;
        tables.iter().position(is_it)
    };
    for (child, plan) in tables.iter().enumerate() {
        let Some(existing) = target.table(&plan.source.name) else {
            continue;
        };
        for (part, key) in keys(existing, target) {
            let parent = key.target.as_ref().and_then(|target| place_of(target.oid));
            let Some(parent) = parent else { continue };
            let link = catalog(key, (child, part), parent, tables);
            let is_written = |plan: &TablePlan, names: &[String]| {
                names.iter().all(|name| plan.decision(name).is_some())
            };
            if !is_written(plan, &link.columns)
                || !is_written(&tables[parent], &link.parent_columns)
            {
                continue;
            }
            let is_it = |other: &Link| {
                (other.child, other.parent) == (child, parent)
                    && other.columns == link.columns
                    && other.parent_columns == link.parent_columns
                    && other.full == link.full
            };
            if !known.iter().any(is_it) {
                links.push(link);
            }
        }
    }
    links
}

/// The table that a foreign key leads to, also by one of its partitions, in the list of the plan.
pub fn place(target: &Reference, tables: &[TablePlan], source: &Side) -> Option<usize> {
    let root = source.root_of(target.oid);
    tables.iter().position(|table| table.source.oid == root)
}

fn catalog(
    key: &Constraint,
    (child, part): (usize, Option<&Table>),
    parent: usize,
    tables: &[TablePlan],
) -> Link {
    let named = |target: &Reference| {
        let is_part = target.oid != tables[parent].source.oid;
        is_part.then(|| target.name.clone())
    };
    let pairs = key.columns.iter().zip(&key.target_columns);
    let compared = pairs
        .zip(&key.operators)
        .map(|((here, there), operator)| Compared {
            operator: operator.clone(),
            collation: collation(
                column(&tables[child].source, here),
                column(&tables[parent].source, there),
            ),
        })
        .collect();
    Link {
        name: Some(key.name.clone()),
        child,
        columns: key.columns.clone(),
        parent,
        parent_columns: key.target_columns.clone(),
        full: key.full,
        child_part: part.map(|part| part.name.clone()),
        parent_part: key.target.as_ref().and_then(named),
        compared,
    }
}

fn declared(
    key: &crate::profile::scope::ForeignKey,
    input: &Input<'_>,
    tables: &[TablePlan],
) -> Result<Option<Link>, Error> {
    let place = |name: &crate::profile::scope::TableName| {
        tables
            .iter()
            .position(|table| name.may_be(Some(&table.source.schema), &table.source.name))
    };
    let (Some(child), Some(parent)) = (place(&key.table), place(&key.references)) else {
        return Ok(None);
    };
    let mut compared = Vec::new();
    for (here, there) in key.columns.iter().zip(&key.referenced_columns) {
        let (one, other) = (
            named(&tables[child].source, here)?,
            named(&tables[parent].source, there)?,
        );
        let Some(operator) = operator(one, other, input.source) else {
            return Err(Error::new(
                Kind::DatatypeMismatch,
                format!(
                    "column \"{here}\" of table {} cannot refer to column \"{there}\" of table {}",
                    tables[child].source.shown(),
                    tables[parent].source.shown()
                ),
            )
            .with_detail(format!(
                "Their types are {} and {}.",
                one.type_name, other.type_name
            ))
            .with_hint("A foreign key that is declared needs columns of one type."));
        };
        compared.push(Compared {
            operator,
            collation: collation(Some(one), Some(other)),
        });
    }
    Ok(Some(Link {
        name: None,
        child,
        columns: key.columns.clone(),
        parent,
        parent_columns: key.referenced_columns.clone(),
        full: false,
        child_part: None,
        parent_part: None,
        compared,
    }))
}

/// The server's own equality of two types; `None` where there is none that nobody else could have
/// made.
fn operator(here: &Column, there: &Column, side: &Side) -> Option<String> {
    const INTEGERS: [&str; 3] = ["int2", "int4", "int8"];
    const TEXTS: [&str; 2] = ["text", "varchar"];
    // They have none, or another one than that of their text.
    const WITHOUT: [&str; 9] = [
        "json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle",
    ];
    let (here, there) = (side.base_of(here.type_oid)?, side.base_of(there.type_oid)?);
    let among = |names: &[&str]| [here, there].iter().all(|of| names.contains(&&*of.name));
    let is_servers = here.schema == "pg_catalog" && there.schema == "pg_catalog";
    let plain = "OPERATOR(pg_catalog.=)".to_owned();
    if is_servers && here.kind == 'b' && there.kind == 'b' {
        let fits = here.oid == there.oid || among(&INTEGERS) || among(&TEXTS);
        return (fits && !here.is_array && !WITHOUT.contains(&&*here.name)).then_some(plain);
    }
    if here.oid != there.oid {
        return None;
    }
    match (here.kind, &*here.name) {
        ('e', _) => Some(plain),
        // Both sides are exactly of its type, so that no other operator is nearer.
        ('b', "citext") => Some(format!("OPERATOR({}.=)", quote(&here.schema))),
        _ => None,
    }
}

/// The collation of the column referred to, where the server would not know which to take.
fn collation(here: Option<&Column>, there: Option<&Column>) -> Option<String> {
    let of = |column: Option<&Column>| column.and_then(|column| column.collation.clone());
    match (of(here), of(there)) {
        (None, None) => None,
        (_, Some(there)) => Some(there),
        (Some(_), None) => Some("pg_catalog.\"default\"".to_owned()),
    }
}

fn column<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    table.columns.iter().find(|column| column.name == name)
}

fn named<'a>(table: &'a Table, name: &str) -> Result<&'a Column, Error> {
    column(table, name).ok_or_else(|| {
        let error = Error::new(
            Kind::UndefinedColumn,
            format!(
                "column \"{name}\" of table {} does not exist",
                table.shown()
            ),
        );
        let names = table.columns.iter().map(|column| column.name.as_str());
        match nearest(name, names) {
            Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
            None => error,
        }
    })
}
