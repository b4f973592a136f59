//! A column as part of the statement that sums: its group, its value in a sum, its hash. No value makes
//! an error, and none is taken for another by a collation.

use super::dataset::{Column, Use};
use super::filter::{Comparison, Condition};
use crate::pg::ident::{literal, quote};
use crate::privacy::answer::range::Range;

/// A key. Texts are compared by their bytes: where spellings are equal, a row would decide which of them
/// is shown.
pub fn group(column: &Column) -> String {
    bytewise(&typed(column), &column.of)
}

/// Whether a row is in a group that can be shown.
pub fn in_keys(column: &Column) -> String {
    match &column.uses {
        Use::Keys(keys) => format!(
            "{} OPERATOR(pg_catalog.=) ANY ({})",
            group(column),
            listed(keys, &column.of)
        ),
        _ => format!("{} IS NOT NULL", typed(column)),
    }
}

/// A condition of a filter.
pub fn condition(condition: &Condition) -> String {
    let typed = format!("(s.{})::{}", quote(&condition.column), condition.of);
    match condition.by {
        Comparison::By(operator) => {
            let with: String = condition.with.iter().map(|text| literal(text)).collect();
            format!(
                "{typed} OPERATOR(pg_catalog.{operator}) {with}::{}",
                condition.of
            )
        }
        Comparison::In => format!(
            "{typed} OPERATOR(pg_catalog.=) ANY ({})",
            listed(&condition.with, &condition.of)
        ),
    }
}

/// A value as it is summed, NULL for what is no number: of floating point whole steps, for their sums
/// depend on no order. Values far beyond the bounds are taken for nearer ones that are still far beyond,
/// so that no step of the arithmetic can fail.
pub fn value(column: &Column, range: &Range) -> String {
    let value = typed(column);
    let far = FAR * range.step();
    match column.of.as_str() {
        "smallint" | "integer" | "bigint" => value,
        // Above infinity there is NaN alone.
        "numeric" => format!(
            "CASE WHEN {value} OPERATOR(pg_catalog.<=) '{far:e}'::numeric \
             THEN GREATEST({value}, '-{far:e}'::numeric) \
             WHEN {value} OPERATOR(pg_catalog.<=) 'Infinity'::numeric THEN '{far:e}'::numeric END"
        ),
        _ => {
            let value = format!("{value}::double precision");
            let (half, per_unit, most) = (range.step() / 2.0, range.step().recip(), FAR);
            let size = format!("pg_catalog.abs({value})");
            // A product that is too small for floating point is an error; only a step above 1 makes one.
            let (not_tiny, tiny) = match per_unit < 1.0 {
                true => (
                    format!(" AND {size} OPERATOR(pg_catalog.>=) '{half:e}'::double precision"),
                    format!(
                        " WHEN {size} OPERATOR(pg_catalog.<) '{half:e}'::double precision THEN 0"
                    ),
                ),
                false => (String::new(), String::new()),
            };
            format!(
                "CASE WHEN {size} OPERATOR(pg_catalog.<=) '{far:e}'::double precision{not_tiny} \
                 THEN ({value} OPERATOR(pg_catalog.*) '{per_unit:e}'::double precision)::bigint{tiny} \
                 WHEN {value} OPERATOR(pg_catalog.<) '0'::double precision THEN '-{most}'::bigint \
                 WHEN {value} OPERATOR(pg_catalog.<=) 'Infinity'::double precision \
                 THEN '{most}'::bigint END"
            )
        }
    }
}

/// The sum of a unit's values in whole steps, between the bounds.
pub fn clamped_total(column: &Column, range: &Range, sum: &str) -> String {
    clamped(&steps(column, range, sum), is_long(column, range), range)
}

/// The mean of a unit's values in whole steps, rounded down, between the bounds.
pub fn clamped_mean(column: &Column, range: &Range, sum: &str, count: &str) -> String {
    let steps = steps(column, range, sum);
    let is_long = is_long(column, range);
    let mean = match is_long {
        // A division of whole numbers rounds towards 0.
        true => format!(
            "(({steps} OPERATOR(pg_catalog.-) (({steps} OPERATOR(pg_catalog.%) {count} \
             OPERATOR(pg_catalog.+) {count}) OPERATOR(pg_catalog.%) {count})) \
             OPERATOR(pg_catalog./) {count})"
        ),
        false => format!("pg_catalog.floor({steps} OPERATOR(pg_catalog./) {count}::numeric)"),
    };
    clamped(&mean, is_long, range)
}

/// The hash of a value under a seed.
pub fn hash(value: &str, of: &str, seed: &str) -> String {
    let (function, value) = match of {
        "smallint" => ("hashint2extended", value.to_owned()),
        "integer" => ("hashint4extended", value.to_owned()),
        "bigint" => ("hashint8extended", value.to_owned()),
        "numeric" => ("hash_numeric_extended", value.to_owned()),
        "uuid" => ("uuid_hash_extended", value.to_owned()),
        _ => (
            "hashtextextended",
            bytewise(&format!("{value}::text"), "text"),
        ),
    };
    format!("pg_catalog.{function}({value}, {seed})")
}

/// Whether sums of the column are of type bigint: of shorter integers in steps of 1.
fn is_long(column: &Column, range: &Range) -> bool {
    let is_short = ["smallint", "integer"].contains(&column.of.as_str());
    is_short && is_one(range)
}

fn is_one(range: &Range) -> bool {
    (range.step() - 1.0).abs() < f64::EPSILON
}

/// A sum of values in whole steps.
fn steps(column: &Column, range: &Range, sum: &str) -> String {
    let step = range.step();
    match column.of.as_str() {
        "smallint" | "integer" | "bigint" if is_one(range) => sum.to_owned(),
        "smallint" | "integer" | "bigint" => format!(
            "pg_catalog.floor({sum}::numeric OPERATOR(pg_catalog./) {step}::numeric \
             OPERATOR(pg_catalog.+) 0.5)"
        ),
        // A step is a power of ten.
        "numeric" => {
            let places = -step.log10().round();
            format!("pg_catalog.round({sum} OPERATOR(pg_catalog.*) '1e{places}'::numeric)")
        }
        _ => sum.to_owned(),
    }
}

/// Between the bounds, which are whole numbers below 2^44.
fn clamped(number: &str, is_long: bool, range: &Range) -> String {
    let (lower, upper) = (range.lower, range.upper);
    match is_long {
        true => format!("LEAST(GREATEST({number}, ({lower})::bigint), ({upper})::bigint)"),
        false => {
            format!("LEAST(GREATEST({number}, ({lower})::numeric), ({upper})::numeric)::bigint")
        }
    }
}

/// A column below its domain.
fn typed(column: &Column) -> String {
    format!("(s.{})::{}", quote(&column.name), column.of)
}

fn bytewise(value: &str, of: &str) -> String {
    match of {
        "text" => format!("({value} COLLATE pg_catalog.\"C\")"),
        _ => value.to_owned(),
    }
}

fn listed(texts: &[String], of: &str) -> String {
    let texts: Vec<String> = texts.iter().map(|text| literal(text)).collect();
    format!("ARRAY[{}]::{of}[]", texts.join(", "))
}

/// So many steps are beyond all bounds, and whole numbers up to it are exact in floating point.
const FAR: f64 = (1_u64 << 52) as f64;
