//! What the database is asked of a sensitive column: its values once, and then those of each class.

use super::Ready;
use crate::anonymity::closeness::{Farthest, Numeric, Ordered};
use crate::anonymity::disclosure::Disclosure;
use crate::anonymity::diversity::Diversity;
use crate::anonymity::relation::{Column, Relation};
use crate::anonymity::store::{count, tree, values_of, within};
use crate::anonymity::tree::Hierarchical;
use crate::anonymity::whole::{Class, Coding, Whole};
use crate::anonymity::wildcard::{self, Combination};
use crate::anonymity::{Distance, has_infinities, statement};
use crate::error::{Error, Kind, Result};
use crate::pg::row::Row;
use crate::pg::subxact::unless_too_large;
use crate::pg::{argument, guc, stream, tally};

/// What is measured: classes of a relation, and a sensitive column of it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The relation.
    pub relation: &'a Relation,
    /// Its quasi-identifiers.
    pub keys: &'a [Column],
    /// The column.
    pub sensitive: &'a Column,
    /// Whether NULL in a quasi-identifier stands for any value.
    pub null_matches: bool,
}

/// The sensitive values of a relation.
///
/// # Errors
/// 54000 for too many rows or values; as the interface.
pub fn whole(asked: &Asked<'_>, in_order: bool) -> Result<Whole> {
    let (whole, _) = read(asked, in_order, None, |_| Ok(()))?;
    Ok(whole)
}

/// The sensitive values in their order, with the numbers that they are; none for NULL.
///
/// # Errors
/// As [`whole`].
pub fn numbers(asked: &Asked<'_>) -> Result<(Whole, Vec<f64>)> {
    let number = statement::number(asked.sensitive);
    let (whole, numbers) = read(asked, true, Some(&number), |row| row.get::<f64>(3))?;
    Ok((whole, numbers.into_iter().flatten().collect()))
}

/// Reads the values, written so that no two are written alike, and what `more` makes of each.
fn read<T>(
    asked: &Asked<'_>,
    in_order: bool,
    more: Option<&str>,
    take: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<(Whole, Vec<T>)> {
    for coding in Coding::ALL {
        let mut whole = Whole::written(coding);
        let (mut taken, mut is_clear) = (Vec::new(), true);
        let statement = statement::values(asked.relation, asked.sensitive, coding, in_order, more);
        stream::each(&statement, None, |row| {
            is_clear = is_clear && whole.push(count(row, 1)?, row.get(2)?)?;
            taken.push(take(row)?);
            Ok(())
        })?;
        if is_clear {
            return Ok((whole.checked()?, taken));
        }
    }
    Err(Error::new(
        Kind::Internal,
        "two values have the same place in an order",
    ))
}

/// Goes over the classes, each with its sensitive values; with wildcards, over the combinations of
/// quasi-identifiers, each with all rows that match it. A class may come twice.
///
/// # Errors
/// As [`Class::of`]; as the interface.
pub fn each_class(asked: &Asked<'_>, whole: &Whole, mut take: impl FnMut(&Class)) -> Result<()> {
    let Asked {
        relation,
        keys,
        sensitive,
        null_matches,
    } = *asked;
    if null_matches {
        return each_match(asked, whole, take);
    }
    let mut each = |is_bounded: bool| {
        let statement = statement::classes(relation, keys, sensitive, whole.coding, is_bounded);
        stream::each(&statement, None, |row| {
            let (nulls, pairs) = tally::read(row.required::<&[u8]>(1)?)?;
            take(&Class::of(nulls, pairs, whole)?);
            Ok(())
        })
    };
    // Hashing the quasi-identifiers is faster than sorting them. Where classes have so many values
    // that together they take too much memory, one after the other does not.
    let hashed = guc::with(&[("enable_sort", "off")], || {
        unless_too_large(|| each(true))
    })?;
    match hashed {
        Some(()) => Ok(()),
        None => guc::with(&ONE_BY_ONE, || each(false)),
    }
}

/// What one process adds to the count of another is bounded, so one process counts all.
const ONE_BY_ONE: [(&str, &str); 2] = [
    ("enable_hashagg", "off"),
    ("max_parallel_workers_per_gather", "0"),
];

fn each_match(asked: &Asked<'_>, whole: &Whole, mut take: impl FnMut(&Class)) -> Result<()> {
    let Asked {
        relation,
        keys,
        sensitive,
        ..
    } = *asked;
    let statement = statement::numbered_classes(relation, keys, sensitive, whole.coding);
    let (mut combinations, mut classes) = (Vec::new(), Vec::new());
    // The server bounds what it holds at the same time, and all of it is kept here.
    let mut bytes = 0;
    let read = unless_too_large(|| {
        stream::each(&statement, None, |row| {
            let (nulls, pairs) = tally::read(row.required::<&[u8]>(2)?)?;
            let class = Class::of(nulls, pairs, whole)?;
            bytes += size_of_val(class.values.as_slice());
            if !tally::fits(bytes) {
                return Err(too_many_values());
            }
            combinations.push(Combination {
                rows: class.rows,
                values: values_of(row.required(1)?),
            });
            classes.push(class);
            within(classes.len())
        })
    })?;
    read.ok_or_else(too_many_values)?;
    wildcard::each(&combinations, |_, others| match others {
        [only] => take(&classes[*only]),
        _ => {
            let values = others.iter().flat_map(|other| &classes[*other].values);
            take(&Class::new(values.copied().collect()));
        }
    });
    Ok(())
}

fn too_many_values() -> Error {
    Error::new(
        Kind::ProgramLimit,
        "the classes have too many values to let NULL stand for any value",
    )
    .with_hint("Raise \"work_mem\", or leave null_matches out.")
}

/// How diverse the classes of a relation are.
///
/// # Errors
/// As [`each_class`].
pub fn diversity(asked: &Asked<'_>) -> Result<Diversity> {
    let whole = whole(asked, false)?;
    let mut seen = Diversity::new();
    each_class(asked, &whole, |class| seen.add(&mut class.counts()))?;
    Ok(seen)
}

/// How much the classes of a relation disclose.
///
/// # Errors
/// As [`each_class`].
pub fn disclosure(asked: &Asked<'_>) -> Result<Disclosure> {
    let whole = whole(asked, false)?;
    let mut seen = Disclosure::new();
    each_class(asked, &whole, |class| seen.add(class, &whole))?;
    Ok(seen)
}

/// How far a class of a relation is from all of it.
///
/// # Errors
/// 22023 where the distance is not defined for the values; as [`each_class`].
pub fn closeness(
    asked: &Asked<'_>,
    distance: Distance,
    hierarchy: Option<argument::Relation>,
) -> Result<Option<f64>> {
    let (whole, mut ready) = ready(asked, distance, hierarchy)?;
    let mut farthest = Farthest::default();
    each_class(asked, &whole, |class| {
        farthest.take(ready.of(class, &whole));
    })?;
    Ok(farthest.value())
}

fn ready(
    asked: &Asked<'_>,
    distance: Distance,
    hierarchy: Option<argument::Relation>,
) -> Result<(Whole, Ready)> {
    match (distance, hierarchy) {
        (Distance::Equal, _) => Ok((whole(asked, false)?, Ready::Equal)),
        (Distance::Ordered, _) => {
            let whole = whole(asked, true)?;
            let present = whole.present();
            Ok((whole, Ready::Ordered(Ordered::new(&present), present)))
        }
        (Distance::Numeric, _) => {
            let (whole, numbers) = numbers(asked)?;
            let present = whole.present();
            let numeric = Numeric::new(&present, &numbers);
            if numeric.is_none() && !numbers.is_empty() {
                return Err(has_infinities(asked.sensitive));
            }
            Ok((whole, Ready::Numeric(numeric, present)))
        }
        (Distance::Hierarchical, Some(hierarchy)) => {
            let (whole, values) = read(asked, true, Some(statement::TEXT), |row| {
                row.get::<String>(3)
            })?;
            let present = whole.present();
            let values: Vec<String> = values.into_iter().flatten().collect();
            let over = Hierarchical::new(&tree(hierarchy)?, &present, &values)?;
            Ok((whole, Ready::Hierarchical(Box::new(over), present)))
        }
        (Distance::Hierarchical, None) => Err(Error::new(Kind::Internal, "a hierarchy is missing")),
    }
}
