//! What the database is asked, and what becomes of the counts it answers with.

use pgrx::{JsonB, pg_sys};

use super::closeness::{self, Farthest, Numeric, Ordered};
use super::disclosure::Disclosure;
use super::diversity::Diversity;
use super::fraction;
use super::relation::{Column, Of, Relation};
use super::risk::{self, Records, Risk, Sizes};
use super::tree::{Hierarchical, Tree, no_tree};
use super::whole::{Class, Whole};
use super::wildcard::{self, Combination};
use super::{Distance, has_infinities, has_nulls, statement};
use crate::error::{Error, Kind, Result, counted};
use crate::pg::argument::{self, Names};
use crate::pg::row::Row;
use crate::pg::snapshot::Snapshot;
use crate::pg::{guc, heap, spi, stream};

/// Does `work` with the rights of the caller; nothing that somebody planted takes part, and a
/// policy that would hide rows is an error: what is measured is the whole relation.
///
/// # Errors
/// What `work` returns.
pub fn measuring<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    guc::with(&SETTINGS, work)
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
            THEN t.typname::pg_catalog.text ELSE '' END
  FROM base b
  JOIN pg_catalog.pg_attribute a
    ON a.attrelid = $1::pg_catalog.oid AND a.attnum = b.attnum
  JOIN pg_catalog.pg_type t ON t.oid = b.of AND t.typtype <> 'd'
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
    let (combinations, _) = combinations(relation, keys, false)?;
    Ok(wildcard::matches(&combinations).into_iter().min())
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
            values: numbers
                .into_iter()
                .map(|number| u64::try_from(number).ok().filter(|number| *number > 0))
                .collect(),
        });
        if with_values {
            documents.push(row.required(3)?);
        }
        Ok(())
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

fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    Ok(row.required::<i64>(column)?.unsigned_abs())
}

/// The sensitive values of a relation, with what `take` reads of each.
///
/// # Errors
/// 54000 for too many rows; as the interface.
pub fn whole(
    relation: &Relation,
    sensitive: &Column,
    more: Option<&str>,
    mut take: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<Whole> {
    let mut whole = Whole::default();
    let statement = statement::values(relation, sensitive, more);
    stream::each(&statement, None, |row| {
        whole.push(count(row, 1)?, row.required(2)?);
        take(row)
    })?;
    whole.checked()
}

/// Goes over the classes, each with its sensitive values.
///
/// # Errors
/// As the interface.
pub fn each_class(
    relation: &Relation,
    keys: &[Column],
    sensitive: &Column,
    mut take: impl FnMut(Class),
) -> Result<()> {
    let statement = statement::classes(relation, keys, sensitive);
    // The values have to be sorted, the quasi-identifiers need not: hashing them takes half the time.
    let _hashed = guc::pin(&[("enable_sort", "off")]);
    stream::each(&statement, None, |row| {
        let (places, counts): (Vec<i64>, Vec<i64>) = (row.required(1)?, row.required(2)?);
        let place = |number: i64| usize::try_from(number - 1).unwrap_or(usize::MAX);
        let pairs = places.into_iter().zip(counts);
        take(Class::new(
            pairs
                .map(|(number, count)| (place(number), count.unsigned_abs()))
                .collect(),
        ));
        Ok(())
    })
}

/// How diverse the classes of a relation are.
///
/// # Errors
/// As the interface.
pub fn diversity(relation: &Relation, keys: &[Column], sensitive: &Column) -> Result<Diversity> {
    let mut seen = Diversity::new();
    let statement = statement::class_counts(relation, keys, sensitive);
    stream::each(&statement, None, |row| {
        let counts: Vec<i64> = row.required(1)?;
        let mut counts: Vec<u64> = counts.into_iter().map(i64::unsigned_abs).collect();
        fraction::rows(counts.iter().sum())?;
        seen.add(&mut counts);
        Ok(())
    })?;
    Ok(seen)
}

/// How much the classes of a relation disclose.
///
/// # Errors
/// As [`whole`].
pub fn disclosure(relation: &Relation, keys: &[Column], sensitive: &Column) -> Result<Disclosure> {
    let whole = whole(relation, sensitive, None, |_| Ok(()))?;
    let mut seen = Disclosure::new();
    each_class(relation, keys, sensitive, |class| seen.add(&class, &whole))?;
    Ok(seen)
}

/// How far a class of a relation is from all of it.
///
/// # Errors
/// 22023 where the distance is not defined for the values; as [`whole`].
pub fn closeness(
    relation: &Relation,
    keys: &[Column],
    sensitive: &Column,
    distance: Distance,
    hierarchy: Option<argument::Relation>,
) -> Result<Option<f64>> {
    let (whole, mut distance) = prepared(relation, sensitive, distance, hierarchy)?;
    let mut farthest = Farthest::default();
    each_class(relation, keys, sensitive, |class| {
        farthest.take(distance.of(&class, &whole));
    })?;
    Ok(farthest.value())
}

/// A distance that is ready for the classes of a table.
pub enum Prepared {
    /// As [`Distance::Equal`].
    Equal,
    /// As [`Distance::Ordered`].
    Ordered(Ordered),
    /// As [`Distance::Numeric`]; without rows none.
    Numeric(Option<Numeric>),
    /// As [`Distance::Hierarchical`].
    Hierarchical(Box<Hierarchical>),
}

impl Prepared {
    /// The distance of a class.
    pub fn of(&mut self, class: &Class, whole: &Whole) -> f64 {
        match self {
            Self::Equal => closeness::equal(class, whole),
            Self::Ordered(ordered) => ordered.distance(class, whole),
            Self::Numeric(Some(numeric)) => numeric.distance(class, whole),
            Self::Numeric(None) => 0.0,
            Self::Hierarchical(over) => over.distance(class, whole),
        }
    }
}

fn prepared(
    relation: &Relation,
    sensitive: &Column,
    distance: Distance,
    hierarchy: Option<argument::Relation>,
) -> Result<(Whole, Prepared)> {
    match (distance, hierarchy) {
        (Distance::Equal, _) => {
            let whole = whole(relation, sensitive, None, |_| Ok(()))?;
            Ok((whole, Prepared::Equal))
        }
        (Distance::Ordered, _) => {
            let whole = without_nulls(sensitive, whole(relation, sensitive, None, |_| Ok(()))?)?;
            let ordered = Ordered::new(&whole);
            Ok((whole, Prepared::Ordered(ordered)))
        }
        (Distance::Numeric, _) => {
            let (whole, numbers) = numbers(relation, sensitive)?;
            let whole = without_nulls(sensitive, whole)?;
            let numeric = Numeric::new(&whole, &numbers);
            if numeric.is_none() && !numbers.is_empty() {
                return Err(has_infinities(sensitive));
            }
            Ok((whole, Prepared::Numeric(numeric)))
        }
        (Distance::Hierarchical, Some(hierarchy)) => {
            let mut values = Vec::new();
            let whole = whole(relation, sensitive, Some(statement::TEXT), |row| {
                values.push(row.get::<String>(3)?);
                Ok(())
            })?;
            let over = Hierarchical::new(&tree(hierarchy)?, &whole, &values)?;
            Ok((whole, Prepared::Hierarchical(Box::new(over))))
        }
        (Distance::Hierarchical, None) => Err(Error::new(Kind::Internal, "a hierarchy is missing")),
    }
}

/// The sensitive values with the numbers that they are; none for NULL.
///
/// # Errors
/// As [`whole`].
pub fn numbers(relation: &Relation, sensitive: &Column) -> Result<(Whole, Vec<f64>)> {
    let mut numbers = Vec::new();
    let number = statement::number(sensitive);
    let whole = whole(relation, sensitive, Some(&number), |row| {
        numbers.extend(row.get::<f64>(3)?);
        Ok(())
    })?;
    Ok((whole, numbers))
}

fn without_nulls(sensitive: &Column, whole: Whole) -> Result<Whole> {
    match whole.nulls() {
        0 => Ok(whole),
        rows => Err(has_nulls(sensitive, rows)),
    }
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
    stream::each(
        &statement::beside(relation, population, keys),
        None,
        |row| {
            let (here, there, classes) = (count(row, 1)?, count(row, 2)?, count(row, 3)?);
            if here > there {
                strangers += classes;
                return Ok(());
            }
            if here > 0 {
                records.add(here, there, classes);
            }
            let share = fraction::quotient(here.into(), there.into());
            bounds = Some(bounds.map_or((share, share), |(least, most)| {
                (least.min(share), most.max(share))
            }));
            Ok(())
        },
    )?;
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

/// The risks of the records of a relation.
///
/// # Errors
/// As [`beside`].
pub fn risks(
    relation: &Relation,
    keys: &[Column],
    population: Option<&Relation>,
    threshold: f64,
) -> Result<[Risk; 3]> {
    let records = Records::of(&sizes(relation, keys, None)?);
    let population = population.map(|population| beside(relation, population, keys));
    let population = population.transpose()?.map(|(records, _)| records);
    Ok(records.risks(population.as_ref(), threshold))
}
