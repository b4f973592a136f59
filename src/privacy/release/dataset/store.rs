//! Data sets at rest, and their tables, which are read with the rights of their own owners.

use std::collections::BTreeMap;

use pgrx::datum::JsonB;
use pgrx::pg_sys::Oid;
use serde_json::{Value, json};

use super::{COMPARED, Column, Dataset, SUMMED, Use, uses};
use crate::error::{Error, Kind, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::row::Row;
use crate::pg::{frozen, guc, ident, owner, spi, user};
use crate::privacy::answer::quantile::Counts;
use crate::privacy::budget;
use crate::privacy::release::filter::Condition;
use crate::privacy::release::question;

/// Registers a table as a data set, on record.
///
/// # Errors
/// 42501 for who has not the rights of its owner; 0A000 for what is no table or materialized view, has
/// children, or a column whose type cannot be used so; 42703, 42704, 42710, 22023; 55000 without a key.
pub fn register(
    name: &str,
    relation: Oid,
    unit: &str,
    budget: &str,
    columns: &Value,
) -> Result<()> {
    frozen::writable()?;
    beginning::store::asked_for()?;
    budget::check_name(name)?;
    let uses = uses(columns)?;
    let table = table(relation)?;
    if !user::has_rights_of(user::current(), table.owner) {
        return Err(Error::new(
            Kind::Permission,
            format!("must be owner of relation {}", table.shown()),
        ));
    }
    as_owner(|| budget::store::require(budget).map(drop))?;
    let types = types(relation)?;
    let of = |column: &str| {
        types.get(column).ok_or_else(|| {
            Error::new(
                Kind::UndefinedColumn,
                format!("relation {} has no column \"{column}\"", table.shown()),
            )
        })
    };
    let cannot = |column: &str, of: &str, what: &str| {
        Error::new(Kind::Unsupported, format!("column \"{column}\" {what}"))
            .with_detail(format!("It is of type {of}."))
    };
    let unit_type = of(unit)?;
    if !COMPARED.contains(&unit_type.as_str()) && unit_type != "numeric" {
        return Err(cannot(unit, unit_type, "cannot say whose a row is"));
    }
    let mut registered = Vec::with_capacity(uses.len());
    for (column, uses) in uses {
        let of = of(&column)?.clone();
        let uses = match uses {
            Use::Bounds { .. } if !SUMMED.contains(&of.as_str()) => {
                return Err(cannot(&column, &of, "cannot be summed"));
            }
            Use::Keys(_) | Use::AnyKeys if !COMPARED.contains(&of.as_str()) => {
                return Err(cannot(&column, &of, "cannot make groups"));
            }
            Use::Keys(keys) => Use::Keys(written(&of, &keys)?),
            other => other,
        };
        let column = Column {
            name: column,
            of,
            uses,
        };
        if matches!(column.uses, Use::Bounds { .. }) {
            question::range(&column)?;
        }
        registered.push(column);
    }
    let document = stored(&registered);
    let made = as_owner(|| {
        spi::run(
            "INSERT INTO confiture.dp_dataset
                    (name, schema_name, table_name, owner_name, unit_column, budget, columns, registered_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING",
            &[
                name.into(),
                table.schema.as_str().into(),
                table.name.as_str().into(),
                user::name(table.owner).into(),
                unit.into(),
                budget.into(),
                JsonB(document.clone()).into(),
                user::name(user::caller()).into(),
            ],
        )
    })?;
    if made == 0 {
        return Err(Error::new(
            Kind::DuplicateObject,
            format!("data set \"{name}\" already exists"),
        )
        .with_hint("anon_dp_unregister takes it away, on record."));
    }
    record(
        Event::DatasetRegistered,
        json!({
            "dataset": name,
            "table": [table.schema, table.name],
            "unit": unit,
            "budget": budget,
            "columns": document,
        }),
    )
}

/// Takes a data set away, on record.
///
/// # Errors
/// 42704 when it is not there; 42501 for who has not the rights of its owner.
pub fn unregister(name: &str) -> Result<()> {
    frozen::writable()?;
    beginning::store::asked_for()?;
    let owner_name = as_owner(|| {
        spi::read_now(
            "SELECT owner_name FROM ONLY confiture.dp_dataset WHERE name = $1",
            &[name.into()],
            |row| row.required::<String>(1),
        )
    })?;
    let owner_name = owner_name.into_iter().next().ok_or_else(|| missing(name))?;
    let owner = user::number(&owner_name);
    // Of an owner that is gone, a superuser decides.
    let may = match owner {
        Some(owner) => user::has_rights_of(user::current(), owner),
        None => user::is_superuser(user::current()),
    };
    if !may {
        return Err(Error::new(
            Kind::Permission,
            format!("must be owner of data set \"{name}\""),
        ));
    }
    as_owner(|| {
        spi::run(
            "DELETE FROM ONLY confiture.dp_dataset WHERE name = $1",
            &[name.into()],
        )
    })?;
    record(Event::DatasetUnregistered, json!({"dataset": name}))
}

/// Who owns the table of a data set: with the rights of that role it is read.
pub struct Owner(Oid);

impl Owner {
    /// Reads keys and whole numbers of groups.
    ///
    /// # Errors
    /// As the interface.
    pub fn sums(&self, sql: &str) -> Result<Vec<(Vec<String>, Vec<i128>)>> {
        self.read(sql, |row| {
            let numbers: Vec<String> = row.required(2)?;
            let numbers = numbers.iter().map(|number| whole(number));
            Ok((row.required(1)?, numbers.collect::<Result<_>>()?))
        })
    }

    /// Reads how many units of groups are at which point.
    ///
    /// # Errors
    /// As the interface.
    pub fn points(&self, sql: &str) -> Result<BTreeMap<Vec<String>, Counts>> {
        let mut points: BTreeMap<Vec<String>, Counts> = BTreeMap::new();
        for (keys, numbers) in self.sums(sql)? {
            if let [place, count] = numbers[..] {
                let number = |number: i128| u64::try_from(number).unwrap_or(0);
                let here = (number(place), number(count));
                points.entry(keys).or_default().push(here);
            }
        }
        Ok(points)
    }

    fn read<T>(&self, sql: &str, read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        let settings = [
            ("search_path", "pg_catalog, pg_temp"),
            ("row_security", "off"),
            ("DateStyle", "ISO"),
            ("IntervalStyle", "postgres"),
            ("TimeZone", "UTC"),
            ("extra_float_digits", "1"),
            // Plans and traces of sorting have counts in them, and anybody may ask for them.
            ("client_min_messages", "warning"),
        ];
        guc::with(&settings, || {
            user::acting_as(self.0, || spi::read(sql, &[], read))
        })
    }
}

fn whole(text: &str) -> Result<i128> {
    // A sum of whole numbers may be written with digits behind the point, all of them 0.
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole
        .parse()
        .map_err(|_| Error::new(Kind::Internal, "a sum is no whole number"))
}

/// A data set, and who owns its table.
///
/// # Errors
/// 42704 when it is not there; 55000 when its table is not, belongs to another role, or when a column is
/// of another type than it was.
pub fn find(name: &str) -> Result<(Dataset, Owner)> {
    let rows = as_owner(|| {
        spi::read_now(
            "SELECT d.schema_name, d.table_name, d.unit_column, d.budget, d.columns, d.owner_name,
                    c.oid
               FROM ONLY confiture.dp_dataset d
               LEFT JOIN pg_catalog.pg_namespace n ON n.nspname::text = d.schema_name
               LEFT JOIN pg_catalog.pg_class c
                 ON c.relnamespace = n.oid AND c.relname::text = d.table_name
              WHERE d.name = $1",
            &[name.into()],
            |row| {
                let columns: JsonB = row.required(5)?;
                let dataset = Dataset {
                    name: name.to_owned(),
                    table: (row.required(1)?, row.required(2)?),
                    unit: row.required(3)?,
                    budget: row.required(4)?,
                    columns: loaded(&columns.0),
                };
                Ok((dataset, row.required::<String>(6)?, row.get::<Oid>(7)?))
            },
        )
    })?;
    let (dataset, owner_name, relation) = rows.into_iter().next().ok_or_else(|| missing(name))?;
    let changed = |what: &str| {
        Error::new(
            Kind::NotReady,
            format!("the table of data set \"{name}\" is not the one that was registered"),
        )
        .with_detail(what.to_owned())
        .with_hint("Register it again.")
    };
    let relation = relation.ok_or_else(|| changed("It is not there under its name."))?;
    let table = table(relation)?;
    if user::name(table.owner) != owner_name {
        return Err(changed("It belongs to another role."));
    }
    let types = types(relation)?;
    let is_same = |column: &Column| types.get(&column.name) == Some(&column.of);
    if !types.contains_key(&dataset.unit) || !dataset.columns.iter().all(is_same) {
        return Err(changed("A column is not there, or is of another type."));
    }
    Ok((dataset, Owner(table.owner)))
}

/// Has the server read the constants of a filter, as their types do.
///
/// # Errors
/// What the server says of one that is none.
pub fn check_literals(conditions: &[Condition]) -> Result<()> {
    for condition in conditions {
        written(&condition.of, &condition.with)?;
    }
    Ok(())
}

/// Constants as the server writes them.
fn written(of: &str, texts: &[String]) -> Result<Vec<String>> {
    let settings = [
        ("search_path", "pg_catalog, pg_temp"),
        ("DateStyle", "ISO"),
        ("TimeZone", "UTC"),
        ("extra_float_digits", "1"),
    ];
    guc::with(&settings, || {
        spi::read(
            &format!("SELECT (t.v::{of})::text FROM pg_catalog.unnest($1) AS t (v)"),
            &[texts.to_vec().into()],
            |row| row.required::<String>(1),
        )
    })
}

struct Table {
    schema: String,
    name: String,
    owner: Oid,
}

impl Table {
    fn shown(&self) -> String {
        ident::qualified(&self.schema, &self.name)
    }
}

fn table(relation: Oid) -> Result<Table> {
    let found = spi::read_now(
        "SELECT n.nspname::text, c.relname::text, c.relowner, c.relkind::text,
                c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE c.oid = $1",
        &[relation.into()],
        |row| {
            let table = Table {
                schema: row.required(1)?,
                name: row.required(2)?,
                owner: row.required(3)?,
            };
            Ok((table, row.required::<String>(4)?, row.required::<bool>(5)?))
        },
    )?;
    let (table, kind, has_children) = found
        .into_iter()
        .next()
        .ok_or_else(|| Error::new(Kind::UndefinedTable, "there is no such relation"))?;
    if !["r", "p", "m"].contains(&kind.as_str()) || has_children {
        return Err(Error::new(
            Kind::Unsupported,
            format!("relation {} cannot be a data set", table.shown()),
        )
        .with_detail(
            "It must be a table without children, a partitioned one, or a materialized view.",
        )
        .with_hint("What a view computes can be kept in a materialized view."));
    }
    Ok(table)
}

/// The columns of a relation with their types, below domains.
fn types(relation: Oid) -> Result<BTreeMap<String, String>> {
    let found = spi::read_now(
        "WITH RECURSIVE below (name, of) AS (
           SELECT a.attname::text, a.atttypid FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
           UNION ALL
           SELECT b.name, t.typbasetype FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.of
            WHERE t.typtype = 'd')
         SELECT b.name, CASE WHEN t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
                             THEN CASE t.typname WHEN 'varchar' THEN 'text' ELSE pg_catalog.format_type(t.oid, NULL) END
                             ELSE '?' END
           FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.of WHERE t.typtype <> 'd'",
        &[relation.into()],
        |row| Ok((row.required(1)?, row.required(2)?)),
    )?;
    Ok(found.into_iter().collect())
}

fn stored(columns: &[Column]) -> Value {
    let columns = columns.iter().map(|column| {
        let mut what = json!({"name": column.name, "type": column.of});
        match &column.uses {
            Use::Bounds { lower, upper } => {
                what["lower"] = lower.as_str().into();
                what["upper"] = upper.as_str().into();
            }
            Use::Keys(keys) => what["keys"] = keys.clone().into(),
            Use::AnyKeys => what["keys"] = Value::Null,
        }
        what
    });
    columns.collect()
}

fn loaded(document: &Value) -> Vec<Column> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let columns = document.as_array().map(Vec::as_slice).unwrap_or_default();
    columns
        .iter()
        .filter_map(|what| {
            let uses = match (
                text(&what["lower"]).zip(text(&what["upper"])),
                &what["keys"],
            ) {
                (Some((lower, upper)), _) => Use::Bounds { lower, upper },
                (None, Value::Array(keys)) => Use::Keys(keys.iter().filter_map(text).collect()),
                (None, _) => Use::AnyKeys,
            };
            Some(Column {
                name: text(&what["name"])?,
                of: text(&what["type"])?,
                uses,
            })
        })
        .collect()
}

fn record(event: Event, details: Value) -> Result<()> {
    let facts = Facts {
        details: Some(details.into()),
        ..Facts::default()
    };
    ledger::append(event, facts)?;
    Ok(())
}

fn missing(name: &str) -> Error {
    Error::new(
        Kind::UndefinedObject,
        format!("data set \"{name}\" does not exist"),
    )
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
