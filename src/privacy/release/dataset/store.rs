//! Data sets at rest, and their tables, which are read with the rights of their own owners.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::datum::JsonB;
use pgrx::pg_sys::Oid;
use serde_json::{Value, json};

use super::{COMPARED, Column, Dataset, SUMMED, Use, loaded, stored, uses};
use crate::error::{Error, Kind, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::row::Row;
use crate::pg::{frozen, guc, ident, owner, spi, usage, user};
use crate::privacy::answer::quantile::Counts;
use crate::privacy::budget;
use crate::privacy::release::filter::Condition;
use crate::privacy::release::question;

/// Registers a table as a data set, on record.
///
/// # Errors
/// 42501 for who has not the rights of its owner; 0A000 for what is no table or materialized view, has
/// children, or a column whose type cannot be used so; 42703, 42704, 42710, 22023; 55000 without a key,
/// and where another budget pays for the table already, unless a second one is asked for.
pub fn register(
    name: &str,
    relation: Oid,
    unit: &str,
    budget: &str,
    columns: &Value,
    second_budget: bool,
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
        let detail = match of {
            UNKNOWN => "It is computed whenever it is read, or of a type that is not the server's."
                .to_owned(),
            of => format!("It is of type {of}."),
        };
        Error::new(Kind::Unsupported, format!("column \"{column}\" {what}")).with_detail(detail)
    };
    let unit_type = of(unit)?;
    if !is_unit(unit_type) {
        return Err(cannot(unit, unit_type, "cannot say whose a row is"));
    }
    let mut registered = Vec::with_capacity(uses.len());
    for (column, uses) in uses {
        let of = of(&column)?.clone();
        let uses = match uses {
            Use::Bounds { .. } if !SUMMED.contains(&of.as_str()) => {
                return Err(cannot(&column, &of, "cannot be summed"));
            }
            Use::Keys(_) | Use::AnyKeys if !is_key(&of) => {
                return Err(cannot(&column, &of, "cannot make groups"));
            }
            Use::Keys(keys) => {
                let keys = written(&of, &keys)?;
                // A group that is answered twice has noise twice, and is paid for once.
                let different: BTreeSet<&String> = keys.iter().collect();
                if different.len() < keys.len() {
                    return Err(Error::new(
                        Kind::InvalidParameter,
                        format!("a key of column \"{column}\" stands there twice"),
                    ));
                }
                Use::Keys(keys)
            }
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
    let (beside, made) = as_owner(|| {
        spi::run(
            "LOCK TABLE ONLY confiture.dp_dataset IN SHARE ROW EXCLUSIVE MODE",
            &[],
        )?;
        let beside = other_payers(&table, budget)?;
        if !second_budget && let Some(other) = beside.first() {
            return Err(second(&table, other));
        }
        let made = spi::run(
            "INSERT INTO confiture.dp_dataset
                    (id, name, schema_name, table_name, owner_name, unit_column, budget, columns,
                     registered_by)
             SELECT coalesce(max(d.id), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8
               FROM ONLY confiture.dp_dataset d
             ON CONFLICT (name) WHERE unregistered_at IS NULL DO NOTHING",
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
        )?;
        Ok((beside, made))
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
            "beside": beside,
            "columns": document,
        }),
    )
}

/// Other budgets that pay for a table, or have paid for it.
fn other_payers(table: &Table, budget: &str) -> Result<Vec<String>> {
    spi::read_now(
        "SELECT DISTINCT budget FROM ONLY confiture.dp_dataset
          WHERE schema_name = $1 AND table_name = $2 AND budget <> $3 ORDER BY 1",
        &[
            table.schema.as_str().into(),
            table.name.as_str().into(),
            budget.into(),
        ],
        |row| row.required(1),
    )
}

fn second(table: &Table, other: &str) -> Error {
    Error::new(
        Kind::NotReady,
        format!(
            "privacy budget \"{other}\" pays for relation {} already",
            table.shown()
        ),
    )
    .with_detail("What two budgets pay for adds up, and no limit holds for both together.")
    .with_hint(
        "Register it for that budget. With second_budget => true it is paid for by both, on record.",
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
            "SELECT owner_name FROM ONLY confiture.dp_dataset
              WHERE name = $1 AND unregistered_at IS NULL",
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
            "UPDATE ONLY confiture.dp_dataset
                SET unregistered_at = pg_catalog.now(), unregistered_by = $2
              WHERE name = $1 AND unregistered_at IS NULL",
            &[name.into(), user::name(user::caller()).into()],
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

    /// All of the table, whatever is asked: how much of an index was read can be looked up by anybody,
    /// and would be the exact answer.
    fn read<T>(&self, sql: &str, read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        let settings = [
            ("search_path", "pg_catalog, pg_temp"),
            ("row_security", "off"),
            ("DateStyle", "ISO"),
            ("IntervalStyle", "postgres"),
            ("TimeZone", "UTC"),
            ("extra_float_digits", "1"),
            ("enable_seqscan", "on"),
            ("enable_indexscan", "off"),
            ("enable_indexonlyscan", "off"),
            ("enable_bitmapscan", "off"),
            // Plans and traces of sorting have counts in them, and anybody may ask for them.
            ("client_min_messages", "error"),
        ];
        // It shows everybody how many rows a statement had.
        let _untold = guc::pin_where_known(c"pg_stat_statements.track", "none");
        guc::with(&settings, || {
            user::reading_as(self.0, || usage::uncounted(|| spi::read(sql, &[], read)))
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
              WHERE d.name = $1 AND d.unregistered_at IS NULL",
            &[name.into()],
            |row| {
                let columns: JsonB = row.required(5)?;
                let dataset = Dataset {
                    name: name.to_owned(),
                    table: (row.required(1)?, row.required(2)?),
                    unit: row.required(3)?,
                    unit_type: String::new(),
                    budget: row.required(4)?,
                    columns: loaded(&columns.0),
                };
                Ok((dataset, row.required::<String>(6)?, row.get::<Oid>(7)?))
            },
        )
    })?;
    let (mut dataset, owner_name, relation) =
        rows.into_iter().next().ok_or_else(|| missing(name))?;
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
    let mut types = types(relation)?;
    let is_same = |column: &Column| types.get(&column.name) == Some(&column.of);
    if !dataset.columns.iter().all(is_same) {
        return Err(changed("A column is not there, or is of another type."));
    }
    let unit_type = types.remove(&dataset.unit).filter(|of| is_unit(of));
    dataset.unit_type =
        unit_type.ok_or_else(|| changed("A column is not there, or is of another type."))?;
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

/// Whether a type can say whose a row is.
fn is_unit(of: &str) -> bool {
    COMPARED.contains(&of) || of == "numeric"
}

/// Whether a type makes groups: values that are equal must be written alike, which 0 and -0 are not.
fn is_key(of: &str) -> bool {
    COMPARED.contains(&of) && !["real", "double precision"].contains(&of)
}

/// What stands for a type that is of no use here.
const UNKNOWN: &str = "?";

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
                c.relpersistence = 't' OR c.relkind = 'r'
                AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
                OR EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid) p
                             JOIN pg_catalog.pg_class k ON k.oid = p.relid
                            WHERE k.relkind = 'f')
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
    let (table, kind, is_other) = found
        .into_iter()
        .next()
        .ok_or_else(|| Error::new(Kind::UndefinedTable, "there is no such relation"))?;
    if !["r", "p", "m"].contains(&kind.as_str()) || is_other {
        return Err(Error::new(
            Kind::Unsupported,
            format!("relation {} cannot be a data set", table.shown()),
        )
        .with_detail(
            "It must be a table without children, a partitioned one without foreign partitions, or a \
             materialized view, and not temporary.",
        )
        .with_hint("What a view computes can be kept in a materialized view."));
    }
    Ok(table)
}

/// The columns of a relation with their types, below domains. What is computed by a look at it may fail.
fn types(relation: Oid) -> Result<BTreeMap<String, String>> {
    let found = spi::read_now(
        "WITH RECURSIVE below (name, of, computed) AS (
           SELECT a.attname::text, a.atttypid, a.attgenerated = 'v' FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
           UNION ALL
           SELECT b.name, t.typbasetype, b.computed
             FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.of
            WHERE t.typtype = 'd')
         SELECT b.name, CASE WHEN t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
                              AND NOT b.computed
                             THEN CASE t.typname WHEN 'varchar' THEN 'text' ELSE pg_catalog.format_type(t.oid, NULL) END
                             ELSE '?' END
           FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.of WHERE t.typtype <> 'd'",
        &[relation.into()],
        |row| Ok((row.required(1)?, row.required(2)?)),
    )?;
    Ok(found.into_iter().collect())
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
