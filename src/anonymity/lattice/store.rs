//! What the search asks the database: the rows once, grouped; and what was found, measured again.

use serde_json::{Map, Value};

use super::described::{Leveled, profile, query};
use super::hierarchy::{By, Hierarchy};
use super::{Axis, Found, Table, least, nodes};
use crate::anonymity::relation::{Column, Relation};
use crate::anonymity::risk::{self, Sizes};
use crate::anonymity::statement::list;
use crate::anonymity::store::{relation, tree};
use crate::anonymity::tree::Tree;
use crate::error::{Error, Kind, Result, counted};
use crate::pg::{argument, server, spi, stream};

/// What is suggested.
#[derive(Clone, Debug)]
pub struct Suggestion {
    /// What was found.
    pub found: Found,
    /// Level and height of each column, by its name.
    pub levels: Vec<(String, usize, usize)>,
    /// The size of the smallest class, measured anew.
    pub k_after: Option<u64>,
    /// A query and a profile that do it.
    pub sql: String,
    /// As above.
    pub profile: String,
}

/// Trees that hierarchies name, looked up by the search path of the caller.
///
/// # Errors
/// 42P01 for a name that no relation has.
pub fn trees(hierarchies: &Map<String, Value>) -> Result<Vec<(String, argument::Relation)>> {
    let names = hierarchies
        .values()
        .filter_map(|given| given.get("tree").and_then(Value::as_str));
    names
        .map(|name| {
            let found = spi::read(
                "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid::pg_catalog.int8",
                &[name.into()],
                |row| row.get::<i64>(1),
            )?;
            let number = found.into_iter().next().flatten();
            let number = number.and_then(|number| u32::try_from(number).ok());
            let number = number.ok_or_else(|| {
                Error::new(
                    Kind::UndefinedTable,
                    format!("relation \"{name}\" does not exist"),
                )
            })?;
            Ok((name.to_owned(), argument::Relation(number)))
        })
        .collect()
}

/// Finds the least generalization; `None` where there is none.
///
/// # Errors
/// 22023 and 42804 for hierarchies that are none or do not fit; 42703 for columns; 54000.
pub fn suggest(
    relation: &Relation,
    keys: &[Column],
    k: u64,
    hierarchies: &Map<String, Value>,
    trees: &[(String, argument::Relation)],
    max_suppression: f64,
) -> Result<Option<Suggestion>> {
    let mut columns = leveled(relation, keys, hierarchies, trees)?;
    let heights: Vec<usize> = columns.iter().map(Leveled::height).collect();
    nodes(&heights)?;
    let table = read(relation, &columns)?;
    let rows = table.count();
    if rows == 0 {
        return Ok(None);
    }
    let most = share_of(rows, max_suppression);
    let Some(found) = least(&table, k, most, server::check_for_interrupts)? else {
        return Ok(None);
    };
    drop(table);
    for (column, level) in columns.iter_mut().zip(&found.levels) {
        column.level = *level;
    }
    let sizes = measured(relation, &columns)?;
    let suppressed = risk::rows_below(&sizes, k);
    let k_after = sizes.range(k..).next().map(|(size, _)| *size);
    if (suppressed, k_after) != (found.outcome.suppressed, found.outcome.smallest) {
        return Err(Error::new(
            Kind::Internal,
            "what was found is not what is measured",
        ));
    }
    let names = columns.iter().map(|leveled| leveled.column.name.clone());
    let levels = names
        .zip(found.levels.iter().zip(heights))
        .map(|(name, (level, height))| (name, *level, height))
        .collect();
    Ok(Some(Suggestion {
        levels,
        k_after,
        sql: query(relation, &columns, k, suppressed > 0),
        profile: profile(relation, &columns, suppressed, k),
        found,
    }))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count, from 0 to the count"
)]
fn share_of(rows: u64, share: f64) -> u64 {
    ((rows as f64 * share).floor() as u64).min(rows)
}

fn leveled(
    relation: &Relation,
    keys: &[Column],
    hierarchies: &Map<String, Value>,
    trees: &[(String, argument::Relation)],
) -> Result<Vec<Leveled>> {
    for name in hierarchies.keys() {
        relation.column(name)?;
        if !keys.iter().any(|column| column.name == *name) {
            return Err(Error::new(
                Kind::InvalidParameter,
                format!("column \"{name}\" has a hierarchy and is no quasi-identifier"),
            ));
        }
    }
    keys.iter()
        .map(|column| {
            let hierarchy = match hierarchies.get(&column.name) {
                Some(given) => Hierarchy::parse(column, given)?,
                None => Hierarchy::PLAIN,
            };
            let found = match &hierarchy.by {
                By::Tree(name) => Some(looked_up(name, trees)?),
                _ => None,
            };
            Ok(Leveled {
                column: column.clone(),
                hierarchy,
                tree: found,
                level: 0,
            })
        })
        .collect()
}

fn looked_up(name: &str, trees: &[(String, argument::Relation)]) -> Result<(Tree, String)> {
    let number = trees.iter().find(|(known, _)| known == name);
    let number = number
        .map(|(_, number)| *number)
        .ok_or_else(|| Error::new(Kind::Internal, "a hierarchy was not looked up"))?;
    Ok((tree(number)?, relation(number)?.written()))
}

/// Reads the rows by one GROUP BY, and makes of the values of each column what they are at each
/// level.
fn read(relation: &Relation, columns: &[Leveled]) -> Result<Table> {
    let mut combinations: Vec<(Vec<u32>, u64)> = Vec::new();
    let mut values: Vec<Vec<Row>> = vec![Vec::new(); columns.len()];
    stream::each(&statement(relation, columns), None, |row| {
        let numbers: Vec<i64> = row.required(2)?;
        let numbers: Vec<u32> = numbers.into_iter().map(number).collect();
        match usize::try_from(row.required::<i32>(1)?) {
            Ok(column) if column > 0 => values[column - 1].push(Row {
                value: number(row.required(3)?),
                levels: numbers,
                text: row.get(4)?,
            }),
            _ => combinations.push((numbers, row.required::<i64>(3)?.unsigned_abs())),
        }
        Ok(())
    })?;
    let axes = columns.iter().zip(values);
    let axes = axes.map(|(column, values)| axis(column, values));
    Ok(Table::new(axes.collect::<Result<_>>()?, combinations))
}

/// A value of a column: its number, those of its groups, and its text where a tree is asked.
#[derive(Clone)]
struct Row {
    value: u32,
    levels: Vec<u32>,
    text: Option<String>,
}

/// Numbers of the database count from 1.
fn number(counted: i64) -> u32 {
    u32::try_from(counted - 1).unwrap_or(u32::MAX)
}

fn axis(column: &Leveled, mut values: Vec<Row>) -> Result<Axis> {
    values.sort_unstable_by_key(|row| row.value);
    let mut levels: Vec<Vec<u32>> = vec![values.iter().map(|row| row.value).collect()];
    if let Some((tree, _)) = &column.tree {
        levels.extend(above(column, tree, &values)?);
    } else {
        let inner = column.hierarchy.inner(0);
        for level in 0..inner {
            levels.push(values.iter().map(|row| row.levels[level]).collect());
        }
    }
    if column.hierarchy.is_suppressed {
        levels.push(vec![0; values.len()]);
    }
    Ok(Axis { levels })
}

fn above(column: &Leveled, tree: &Tree, values: &[Row]) -> Result<Vec<Vec<u32>>> {
    let mut strangers = 0;
    let places: Vec<Option<usize>> = values
        .iter()
        .map(|row| {
            let place = row.text.as_deref().and_then(|text| tree.place(text));
            strangers += u64::from(place.is_none() && row.text.is_some());
            place
        })
        .collect();
    if strangers > 0 {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!(
                "the tree of column \"{}\" does not cover it",
                column.column.name
            ),
        )
        .with_detail(format!(
            "{} of the column {} not in it.",
            counted(strangers, "value"),
            if strangers == 1 { "is" } else { "are" }
        )));
    }
    // NULL stays apart from every node.
    let group = |place: Option<usize>, levels| {
        let node = place.map(|place| tree.above(place, levels) + 1);
        u32::try_from(node.unwrap_or_default()).unwrap_or(u32::MAX)
    };
    Ok((1..=tree.height())
        .map(|levels| places.iter().map(|place| group(*place, levels)).collect())
        .collect())
}

/// `(0, numbers of the values, rows)` for each combination, and `(column, numbers of the groups,
/// number of the value, its text)` for each value of a column.
fn statement(relation: &Relation, columns: &[Leveled]) -> String {
    let keys: Vec<Column> = columns
        .iter()
        .map(|leveled| leveled.column.clone())
        .collect();
    let array = |numbers: String| format!("ARRAY[{numbers}]::pg_catalog.int8[]");
    let rank = |name: String| format!("pg_catalog.dense_rank() OVER (ORDER BY {name})");
    let mut parts = vec![format!(
        "WITH g AS MATERIALIZED (SELECT {}, pg_catalog.count(*) AS n FROM {} AS t GROUP BY {})
         SELECT 0, {}, g.n, NULL::pg_catalog.text FROM g",
        list(&keys, |place, name| format!("t.{name} AS k{place}")),
        relation.written(),
        list(&keys, |_, name| format!("t.{name}")),
        array(list(&keys, |place, _| rank(format!("g.k{place}"))))
    )];
    for (place, leveled) in columns.iter().enumerate() {
        let made: Vec<String> = (1..=leveled.hierarchy.inner(0))
            .filter_map(|level| {
                let of = leveled.column.of;
                leveled.hierarchy.expression(of, level, "d.v")
            })
            .collect();
        let named: Vec<String> = made
            .iter()
            .enumerate()
            .map(|(level, made)| format!(", {made} AS l{level}"))
            .collect();
        let ranks: Vec<String> = (0..made.len())
            .map(|level| rank(format!("e.l{level}")))
            .collect();
        let text = match leveled.tree {
            Some(_) => {
                "CASE WHEN pg_catalog.num_nulls(e.v) = 0 THEN pg_catalog.format('%s', e.v) END"
            }
            None => "NULL::pg_catalog.text",
        };
        parts.push(format!(
            "SELECT {}, {}, {}, {text}
               FROM (SELECT d.v{} FROM (SELECT DISTINCT g.k{place} AS v FROM g) AS d) AS e",
            place + 1,
            array(ranks.join(", ")),
            rank("e.v".to_owned()),
            named.concat()
        ));
    }
    parts.join("\nUNION ALL\n")
}

/// How many classes have how many rows once the columns are made coarser, by what the query says.
fn measured(relation: &Relation, columns: &[Leveled]) -> Result<Sizes> {
    let made: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(place, leveled)| format!("{} AS k{place}", leveled.expression()))
        .collect();
    let keys: Vec<_> = (0..columns.len())
        .map(|place| format!("m.k{place}"))
        .collect();
    let statement = format!(
        "SELECT c.n, pg_catalog.count(*) FROM (
           SELECT pg_catalog.count(*) AS n FROM (SELECT {} FROM {} AS t) AS m GROUP BY {}) AS c
          GROUP BY c.n",
        made.join(", "),
        relation.written(),
        keys.join(", ")
    );
    let mut sizes = Sizes::new();
    stream::each(&statement, None, |row| {
        let (size, classes): (i64, i64) = (row.required(1)?, row.required(2)?);
        sizes.insert(size.unsigned_abs(), classes.unsigned_abs());
        Ok(())
    })?;
    Ok(sizes)
}
