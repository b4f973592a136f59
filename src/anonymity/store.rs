//! What the database is asked, and what becomes of the counts it answers with.

use pgrx::{JsonB, pg_sys};

use super::fraction;
use super::relation::{Column, Of, Relation};
use super::risk::{self, Records, Risk, Sizes};
use super::statement;
use super::tree::{Tree, no_tree};
use super::wildcard::{self, Combination};
use crate::error::{Error, Kind, Result, counted};
use crate::pg::argument::{self, Names};
use crate::pg::row::Row;
use crate::pg::snapshot::Snapshot;
use crate::pg::{guc, heap, spi, stream, trusted};

/// Does `work` with the rights of the caller; nothing that somebody planted takes part ([`trusted`]), and
/// a policy that would hide rows is an error: what is measured is the whole relation.
///
/// # Errors
/// What `work` returns; 42501 where code of another role would run.
pub fn measuring<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    guc::with(&SETTINGS, || trusted::only(work))
}

const SETTINGS: [(&str, &str); 3] = [
    ("search_path", "pg_catalog, pg_temp"),
    ("row_security", "off"),
    ("jit", "off"),
];

/// Looks a relation up, and keeps it as it is until the transaction ends.
///
/// # Errors
/// 42P01 when it is not there, 42809 when it has no rows to measure.
pub fn relation(number: argument::Relation) -> Result<Relation> {
    let oid = pg_sys::Oid::from(number.0);
    let gone = || {
        Error::new(
            Kind::UndefinedTable,
            format!("relation with number {} does not exist", number.0),
        )
    };
    if heap::name(oid).is_none() {
        return Err(gone());
    }
    heap::lock_shared(oid);
    let (schema, name) = heap::name(oid).ok_or_else(gone)?;
    let kind = heap::kind(oid);
    if !['r', 'p', 'v', 'm', 'f'].contains(&kind) {
        return Err(Error::new(
            Kind::WrongObject,
            format!("\"{schema}.{name}\" is not a table or a view"),
        ));
    }
    let columns = spi::read(COLUMNS, &[i64::from(number.0).into()], |row| {
        Ok(Column {
            name: row.required(1)?,
            type_name: row.required(2)?,
            type_oid: oid_of(row.required(3)?),
            collation: oid_of(row.required(4)?),
            of: Of::parse(&row.required::<String>(5)?),
            is_hashed: row.required(6)?,
        })
    })?;
    Ok(Relation {
        oid: number.0,
        schema,
        name,
        kind,
        columns,
    })
}

const COLUMNS: &str = "
WITH RECURSIVE base AS (
  SELECT a.attnum, a.atttypid AS of
    FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attnum, t.typbasetype
    FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.of AND t.typtype = 'd')
SELECT a.attname::pg_catalog.text,
       CASE WHEN a.atttypid = t.oid THEN pg_catalog.format_type(a.atttypid, a.atttypmod)
            ELSE pg_catalog.format_type(t.oid, NULL) END,
       a.atttypid::pg_catalog.int8, a.attcollation::pg_catalog.int8,
       CASE WHEN t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
            THEN t.typname::pg_catalog.text ELSE '' END,
       e.typtype = 'e' OR EXISTS (
         SELECT FROM pg_catalog.pg_opclass o
           JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND m.amname = 'hash'
           JOIN pg_catalog.pg_amproc p
             ON p.amprocfamily = o.opcfamily AND p.amproclefttype = o.opcintype
            AND p.amprocrighttype = o.opcintype AND p.amprocnum = 2
          WHERE o.opcdefault AND o.opcintype = e.oid)
  FROM base b
  JOIN pg_catalog.pg_attribute a
    ON a.attrelid = $1::pg_catalog.oid AND a.attnum = b.attnum
  JOIN pg_catalog.pg_type t ON t.oid = b.of AND t.typtype <> 'd'
  JOIN pg_catalog.pg_type e ON e.oid = CASE t.typcategory WHEN 'A' THEN t.typelem ELSE t.oid END
 ORDER BY a.attnum";

fn oid_of(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// A relation with the quasi-identifiers that are asked for.
///
/// # Errors
/// As [`relation`] and [`Relation::keys`].
pub fn keyed(number: argument::Relation, keys: &Names) -> Result<(Relation, Vec<Column>)> {
    let relation = relation(number)?;
    let keys = relation.keys(&keys.0)?;
    Ok((relation, keys))
}

/// How many classes have how many rows, as the calling statement sees them or as a snapshot does.
///
/// # Errors
/// As the interface.
pub fn sizes(relation: &Relation, keys: &[Column], snapshot: Option<&Snapshot>) -> Result<Sizes> {
    let mut sizes = Sizes::new();
    stream::each(&statement::sizes(relation, keys), snapshot, |row| {
        sizes.insert(count(row, 1)?, count(row, 2)?);
        Ok(())
    })?;
    fraction::rows(risk::rows(&sizes))?;
    Ok(sizes)
}

/// The size of the smallest class; NULL stands for any value where it is asked for.
///
/// # Errors
/// As the interface.
pub fn smallest(relation: &Relation, keys: &[Column], null_matches: bool) -> Result<Option<u64>> {
    if !null_matches {
        return Ok(risk::smallest(&sizes(relation, keys, None)?));
    }
    Ok(matched(relation, keys)?.smallest())
}

/// The combinations of quasi-identifiers, each with how many rows match it.
pub struct Matched(Vec<(Combination, u64)>);

impl Matched {
    /// The fewest rows that match one.
    pub fn smallest(&self) -> Option<u64> {
        self.0.iter().map(|(_, among)| *among).min()
    }

    /// How many records share how many rows.
    pub fn records(&self) -> Records {
        let mut records = Records::default();
        for (combination, among) in &self.0 {
            records.add(combination.rows, *among, 1);
        }
        records
    }
}

/// Matches the combinations, NULL standing for any value.
///
/// # Errors
/// 54000 for too many; as the interface.
pub fn matched(relation: &Relation, keys: &[Column]) -> Result<Matched> {
    let (combinations, _) = combinations(relation, keys, false)?;
    let matches = wildcard::matches(&combinations);
    Ok(Matched(combinations.into_iter().zip(matches).collect()))
}

fn combinations(
    relation: &Relation,
    keys: &[Column],
    with_values: bool,
) -> Result<(Vec<Combination>, Vec<JsonB>)> {
    let (mut found, mut documents) = (Vec::new(), Vec::new());
    let statement = statement::combinations(relation, keys, with_values);
    stream::each(&statement, None, |row| {
        let numbers: Vec<i64> = row.required(2)?;
        found.push(Combination {
            rows: count(row, 1)?,
            values: values_of(numbers),
        });
        if with_values {
            documents.push(row.required(3)?);
        }
        within(found.len())
    })?;
    Ok((found, documents))
}

/// The classes with their sizes, smallest first; with wildcards, every combination with the rows
/// that match it.
///
/// # Errors
/// As the interface.
pub fn listed(
    relation: &Relation,
    keys: &[Column],
    max_size: Option<i64>,
    null_matches: bool,
) -> Result<Vec<(JsonB, i64)>> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    if null_matches {
        let (combinations, documents) = combinations(relation, keys, true)?;
        let matches = wildcard::matches(&combinations).into_iter().map(signed);
        found.extend(documents.into_iter().zip(matches));
        found.retain(|(_, size)| max_size.is_none_or(|most| *size <= most));
        found.sort_by_key(|(document, size)| (*size, document.0.to_string()));
        return Ok(found);
    }
    stream::each(&statement::listed(relation, keys, max_size), None, |row| {
        found.push((row.required(1)?, row.required(2)?));
        Ok(())
    })?;
    Ok(found)
}

/// Refuses more combinations than are kept; what is kept of each takes some 400 bytes.
///
/// # Errors
/// 54000.
pub(super) fn within(combinations: usize) -> Result<()> {
    if combinations > MOST_COMBINATIONS {
        return Err(Error::new(
            Kind::ProgramLimit,
            format!("NULL stands for any value in no more than {MOST_COMBINATIONS} classes"),
        )
        .with_hint("Leave null_matches out, or measure a view that makes the columns coarser."));
    }
    Ok(())
}

const MOST_COMBINATIONS: usize = 1 << 22;

/// Numbers of quasi-identifiers; none for NULL, which is 0.
pub(super) fn values_of(numbers: Vec<i64>) -> Vec<Option<u64>> {
    let number = |number| u64::try_from(number).ok().filter(|number| *number > 0);
    numbers.into_iter().map(number).collect()
}

pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    Ok(row.required::<i64>(column)?.unsigned_abs())
}

/// Reads a tree of a relation with the columns `value` and `parent`.
///
/// # Errors
/// 42703 without these columns; 22023 for what is no tree; as the interface.
pub fn tree(number: argument::Relation) -> Result<Tree> {
    let relation = relation(number)?;
    let [value, parent] = [relation.column("value")?, relation.column("parent")?];
    let mut pairs = Vec::new();
    let text = |column: &Column| {
        let name = column.written();
        format!(
            "CASE WHEN pg_catalog.num_nulls(t.{name}) = 0 THEN pg_catalog.format('%s', t.{name}) END"
        )
    };
    let statement = format!(
        "SELECT {}, {} FROM {} AS t",
        text(value),
        text(parent),
        relation.written()
    );
    stream::each(&statement, None, |row| {
        let value = row.get::<String>(1)?;
        pairs.push((
            value.ok_or_else(|| no_tree("A value is NULL."))?,
            row.get::<String>(2)?,
        ));
        Ok(())
    })?;
    Tree::new(pairs)
}

/// The risk of being found, and the least and greatest share of a class of the population that is
/// in the relation.
///
/// # Errors
/// 22023 where the relation is no part of the population; 42804 where columns are of other types.
pub fn beside(
    relation: &Relation,
    population: &Relation,
    keys: &[Column],
    null_matches: bool,
) -> Result<(Records, Option<(f64, f64)>)> {
    for key in keys {
        let other = population.column(&key.name)?;
        if (other.type_oid, other.collation) != (key.type_oid, key.collation) {
            return Err(Error::new(
                Kind::DatatypeMismatch,
                format!("column \"{}\" has another type in the population", key.name),
            )
            .with_detail(format!(
                "It is {} in the one and {} in the other, or has another collation.",
                key.type_name, other.type_name
            )));
        }
    }
    let mut records = Records::default();
    let mut bounds: Option<(f64, f64)> = None;
    let mut strangers = 0;
    // Rows of the one and of the other that are equal, and how many of the one they stand for.
    let mut take = |here: u64, there: u64, rows: u64, classes: u64| {
        if here > there {
            strangers += classes;
            return;
        }
        if rows > 0 {
            records.add(rows, there, classes);
        }
        let share = fraction::quotient(here.into(), there.into());
        bounds = Some(bounds.map_or((share, share), |(least, most)| {
            (least.min(share), most.max(share))
        }));
    };
    if null_matches {
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        let statement = statement::numbered_beside(relation, population, keys);
        stream::each(&statement, None, |row| {
            ours.push(count(row, 1)?);
            theirs.push(Combination {
                rows: count(row, 2)?,
                values: values_of(row.required(3)?),
            });
            within(theirs.len())
        })?;
        let sums = wildcard::sums(&theirs, |place| [ours[place], theirs[place].rows]);
        for ([here, there], rows) in sums.into_iter().zip(ours) {
            take(here, there, rows, 1);
        }
    } else {
        stream::each(
            &statement::beside(relation, population, keys),
            None,
            |row| {
                let (here, there) = (count(row, 1)?, count(row, 2)?);
                take(here, there, here, count(row, 3)?);
                Ok(())
            },
        )?;
    }
    if strangers > 0 {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!("\"{}\" is no part of the population", relation.shown()),
        )
        .with_detail(format!(
            "In {} it has more rows than \"{}\".",
            counted(strangers, "class").replace("classs", "classes"),
            population.shown()
        )));
    }
    Ok((records, bounds))
}

/// How many records share how many rows.
///
/// # Errors
/// As the interface.
pub fn records(relation: &Relation, keys: &[Column], null_matches: bool) -> Result<Records> {
    Ok(match null_matches {
        true => matched(relation, keys)?.records(),
        false => Records::of(&sizes(relation, keys, None)?),
    })
}

/// The risks of records of a relation.
///
/// # Errors
/// As [`beside`].
pub fn risks(
    records: &Records,
    (relation, keys): (&Relation, &[Column]),
    population: Option<&Relation>,
    threshold: f64,
    null_matches: bool,
) -> Result<[Risk; 3]> {
    let population = population.map(|population| beside(relation, population, keys, null_matches));
    let population = population.transpose()?.map(|(records, _)| records);
    Ok(records.risks(population.as_ref(), threshold))
}
