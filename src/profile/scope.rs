//! What a run covers beside the rules of its tables: the seed of a subset, foreign keys that the
//! catalog does not know, and tables that are left out on purpose.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::fields::{Fields, LONGEST_NAME, Reading, entries, join};
use super::names::{self, shown};
use super::yaml::{Content, Entry, MAX_TEXT, Node};
use super::{Condition, Place, Table, filter};

/// A table as a profile names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// The schema, if the profile names one.
    pub schema: Option<String>,
    /// The name, as in the catalog.
    pub name: String,
}

impl TableName {
    /// Whether both may be one table: a name without a schema is of the schema that is read.
    pub fn may_be(&self, schema: Option<&str>, name: &str) -> bool {
        let same_schema = match (self.schema.as_deref(), schema) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        self.name == name && same_schema
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The rows of one table that a subset begins with: those for which every condition holds.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The table.
    pub table: TableName,
    /// The conditions.
    pub filter: Vec<Condition>,
    /// Where it is written.
    pub place: Place,
}

/// A foreign key that the catalog does not know.
#[derive(Clone, Debug)]
pub struct ForeignKey {
    /// The table that refers.
    pub table: TableName,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub references: TableName,
    /// The columns there.
    pub referenced_columns: Vec<String>,
    /// Where it is written.
    pub place: Place,
}

/// A table that is left out, and why.
#[derive(Clone, Debug)]
pub struct Excluded {
    /// The table.
    pub table: TableName,
    /// The reason.
    pub why: String,
    /// Where it is written.
    pub place: Place,
}

/// What a table of the target must hold to: the least size of a class of equal quasi-identifiers.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The table.
    pub table: TableName,
    /// The columns that others may know.
    pub quasi_identifiers: Vec<String>,
    /// The least size.
    pub k: u64,
    /// Where it is written.
    pub place: Place,
}

/// Everything of this kind that a document says.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) gates: Vec<Gate>,
    pub(super) subset: Vec<Seed>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) exclude_tables: Vec<Excluded>,
}

/// Reads the keys; `tables` are those of the document.
pub(super) fn read(fields: &Fields<'_>, tables: &[Table], reading: &mut Reading) -> Scope {
    Scope {
        gates: gates(fields, tables, reading),
        subset: subset(fields, tables, reading),
        foreign_keys: foreign_keys(fields, tables, reading),
        exclude_tables: excluded(fields, tables, reading),
    }
}

fn subset(fields: &Fields<'_>, tables: &[Table], reading: &mut Reading) -> Vec<Seed> {
    let Some(entry) = fields.get("subset") else {
        return Vec::new();
    };
    let Some(all) = entries(&entry.value, "subset", reading) else {
        return Vec::new();
    };
    if all.is_empty() {
        let message = "\"subset\" must name at least one table";
        reading.error(entry.value.place, "subset", "value", message, None);
    }
    let mut seeds: Vec<Seed> = Vec::new();
    for entry in all {
        let path = join("subset", &entry.key);
        let Some(table) = table(&entry.key, entry.place, &path, reading) else {
            continue;
        };
        must_be_named(&table, tables, entry.place, &path, reading);
        if let Some(earlier) = seeds
            .iter()
            .find(|seed| seed.table.may_be(table.schema.as_deref(), &table.name))
        {
            let message = format!(
                "table \"{}\" is already named at {}",
                shown(&entry.key),
                earlier.place
            );
            reading.error(entry.place, &path, "duplicate_table", message, None);
        }
        seeds.push(Seed {
            table,
            filter: filter::read(&entry.value, &path, reading),
            place: entry.place,
        });
    }
    seeds
}

fn foreign_keys(fields: &Fields<'_>, tables: &[Table], reading: &mut Reading) -> Vec<ForeignKey> {
    let Some(entry) = fields.get("foreign_keys") else {
        return Vec::new();
    };
    let mut keys = Vec::new();
    for (i, item) in reading
        .list(&entry.value, "foreign_keys")
        .iter()
        .enumerate()
    {
        let path = format!("foreign_keys[{i}]");
        let Some(fields) = Fields::open(item, &path, &FOREIGN_KEY_KEYS, reading) else {
            continue;
        };
        let table = named(&fields, "table", tables, reading);
        let columns = columns_of(&fields, "columns", reading);
        let references = named(&fields, "references", tables, reading);
        let referenced_columns = columns_of(&fields, "referenced_columns", reading);
        let (Some(table), Some(columns), Some(references), Some(referenced_columns)) =
            (table, columns, references, referenced_columns)
        else {
            continue;
        };
        if columns.len() != referenced_columns.len() {
            let message = "\"columns\" and \"referenced_columns\" must be equally many";
            reading.error(item.place, &path, "value", message, None);
            continue;
        }
        keys.push(ForeignKey {
            table,
            columns,
            references,
            referenced_columns,
            place: item.place,
        });
    }
    keys
}

fn excluded(fields: &Fields<'_>, tables: &[Table], reading: &mut Reading) -> Vec<Excluded> {
    let Some(entry) = fields.get("exclude_tables") else {
        return Vec::new();
    };
    let mut seen: HashMap<TableName, Place> = HashMap::new();
    let mut excluded = Vec::new();
    let items = reading.list(&entry.value, "exclude_tables");
    for (i, item) in items.iter().enumerate() {
        let path = format!("exclude_tables[{i}]");
        let Some(fields) = Fields::open(item, &path, &EXCLUDED_KEYS, reading) else {
            continue;
        };
        let text = fields.text("table", 2 * LONGEST_NAME, reading);
        let table = text.and_then(|(text, at)| table(text, at, &fields.path("table"), reading));
        let why = fields.text("why", MAX_TEXT, reading);
        let (Some(table), Some((why, _))) = (table, why) else {
            continue;
        };
        let is_it = |other: &&Table| table.may_be(other.schema.as_deref(), &other.name);
        if let Some(other) = tables.iter().find(is_it) {
            let message = format!(
                "table \"{}\" is excluded, and named at {}",
                shown(&table.name),
                other.place
            );
            reading.error(item.place, &path, "duplicate_table", message, None);
        }
        if let Some(earlier) = seen.insert(table.clone(), item.place) {
            let message = format!(
                "table \"{}\" is already named at {earlier}",
                shown(&table.name)
            );
            reading.error(item.place, &path, "duplicate_table", message, None);
        }
        excluded.push(Excluded {
            table,
            why: why.to_owned(),
            place: item.place,
        });
    }
    excluded
}

fn gates(fields: &Fields<'_>, tables: &[Table], reading: &mut Reading) -> Vec<Gate> {
    let Some(entry) = fields.get("gates") else {
        return Vec::new();
    };
    let mut gates = Vec::new();
    for (i, item) in reading.list(&entry.value, "gates").iter().enumerate() {
        let path = format!("gates[{i}]");
        let Some(fields) = Fields::open(item, &path, &GATE_KEYS, reading) else {
            continue;
        };
        let table = named(&fields, "table", tables, reading);
        let columns = columns_of(&fields, "quasi_identifiers", reading);
        let k = fields.require("k", reading).and_then(|entry| {
            let number = natural(entry).filter(|number| *number > 0);
            if number.is_none() {
                let message = "\"k\" must be an integer of at least 1";
                reading.error(entry.value.place, &fields.path("k"), "value", message, None);
            }
            number
        });
        let (Some(table), Some(quasi_identifiers), Some(k)) = (table, columns, k) else {
            continue;
        };
        let mut seen = HashSet::new();
        if let Some(twice) = quasi_identifiers
            .iter()
            .find(|column| !seen.insert(*column))
        {
            let message = format!("column \"{}\" is named twice", shown(twice));
            reading.error(item.place, &path, "duplicate_column", message, None);
        }
        gates.push(Gate {
            table,
            quasi_identifiers,
            k,
            place: item.place,
        });
    }
    gates
}

/// An integer that is not negative.
pub(super) fn natural(entry: &Entry) -> Option<u64> {
    match &entry.value.content {
        Content::Scalar(scalar) => scalar.text.parse::<i64>().ok(),
        _ => None,
    }
    .and_then(|number| u64::try_from(number).ok())
}

/// The `limit` of a table.
pub(super) fn limit(fields: &Fields<'_>, reading: &mut Reading) -> Option<u64> {
    let entry = fields.get("limit")?;
    let number = natural(entry);
    if number.is_none() {
        let message = "\"limit\" must be a number of rows: an integer that is not negative";
        reading.error(
            entry.value.place,
            &fields.path("limit"),
            "value",
            message,
            None,
        );
    }
    number
}

/// A table of the document, by the text of a key.
fn named(
    fields: &Fields<'_>,
    key: &str,
    tables: &[Table],
    reading: &mut Reading,
) -> Option<TableName> {
    let (text, at) = fields.text(key, 2 * LONGEST_NAME, reading)?;
    let path = fields.path(key);
    let table = table(text, at, &path, reading)?;
    must_be_named(&table, tables, at, &path, reading);
    Some(table)
}

pub(super) fn must_be_named(
    table: &TableName,
    tables: &[Table],
    at: Place,
    path: &str,
    reading: &mut Reading,
) {
    let is_it = |other: &Table| table.may_be(other.schema.as_deref(), &other.name);
    if tables.iter().any(is_it) {
        return;
    }
    let message = format!("table \"{}\" is not under \"tables\"", shown(&table.name));
    let hint = reading.suggest(
        &table.name,
        "table",
        tables.iter().map(|other| other.name.as_str()),
        false,
    );
    reading.error(at, path, "undefined_table", message, hint);
}

pub(super) fn table(text: &str, at: Place, path: &str, reading: &mut Reading) -> Option<TableName> {
    match names::checked(text) {
        Ok((schema, name)) => Some(TableName { schema, name }),
        Err(message) => {
            let hint = Some(names::HINT.to_owned());
            reading.error(at, path, "value", message, hint);
            None
        }
    }
}

/// The columns of a key: one, or a list of them.
fn columns_of(fields: &Fields<'_>, key: &str, reading: &mut Reading) -> Option<Vec<String>> {
    let entry: &Entry = fields.require(key, reading)?;
    let path = fields.path(key);
    let one = |node: &Node| match &node.content {
        Content::Scalar(scalar) if !node.is_null() && !scalar.text.trim().is_empty() => {
            (scalar.text.chars().nth(LONGEST_NAME).is_none()
                && !scalar.text.contains(char::is_control))
            .then(|| scalar.text.clone())
        }
        _ => None,
    };
    let columns: Option<Vec<String>> = match &entry.value.content {
        Content::List(items) => items.iter().map(one).collect(),
        _ => one(&entry.value).map(|column| vec![column]),
    };
    match columns {
        Some(columns) if !columns.is_empty() && columns.len() <= MOST_COLUMNS => Some(columns),
        _ => {
            let message =
                format!("\"{key}\" must be a column, or a list of 1 to {MOST_COLUMNS} columns");
            reading.error(entry.value.place, &path, "value", message, None);
            None
        }
    }
}

const FOREIGN_KEY_KEYS: [&str; 4] = ["table", "columns", "references", "referenced_columns"];
const GATE_KEYS: [&str; 3] = ["table", "quasi_identifiers", "k"];
const EXCLUDED_KEYS: [&str; 2] = ["table", "why"];

/// As many as an index has.
const MOST_COLUMNS: usize = 32;
