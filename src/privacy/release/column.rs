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

/// The sums of a unit's values `r.v…`, the last of which, `s…`, is NULL where there is none. Whole steps
/// of floating point are added in two parts, of integers both: sums of those are kept in place, and sums
/// of anything longer apart from their group, where each row has to look for them.
pub fn sums(column: &Column, at: usize) -> Vec<String> {
    match is_floating(column) {
        true => vec![
            format!(
                "pg_catalog.sum((r.v{at} OPERATOR(pg_catalog.>>) {LOW_BITS})::integer) AS h{at}"
            ),
            format!(
                "pg_catalog.sum((r.v{at} OPERATOR(pg_catalog.&) '{LOW}'::bigint)::integer) AS s{at}"
            ),
        ],
        false => vec![format!("pg_catalog.sum(r.v{at}) AS s{at}")],
    }
}

/// The sum of a unit's values in whole steps, between the bounds.
pub fn clamped_total(column: &Column, range: &Range, at: usize) -> String {
    let total = match is_floating(column) {
        // Beyond all bounds already, and short enough for the product.
        true => format!(
            "(LEAST(GREATEST({}, '-{FAR_HIGH}'::bigint), '{FAR_HIGH}'::bigint) \
             OPERATOR(pg_catalog.*) {} OPERATOR(pg_catalog.+) {})",
            high(at),
            LOW + 1,
            low(at)
        ),
        false => steps(column, range, &format!("t.s{at}")),
    };
    clamped(&total, is_long(column, range), range)
}

/// The mean of a unit's `t.c…` values in whole steps, rounded down, between the bounds.
pub fn clamped_mean(column: &Column, range: &Range, at: usize) -> String {
    let count = format!("t.c{at}");
    let is_long = is_long(column, range);
    if is_floating(column) {
        return clamped(&divided(at), is_long, range);
    }
    let steps = steps(column, range, &format!("t.s{at}"));
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

/// The upper part of a sum in two parts, with what the lower one carries. Its limits are beyond what rows of
/// one unit can have, and keep it from failing.
fn high(at: usize) -> String {
    let far = 1_i64 << 62;
    format!(
        "(LEAST(GREATEST(t.h{at}, '-{far}'::bigint), '{far}'::bigint) OPERATOR(pg_catalog.+) \
         (t.s{at} OPERATOR(pg_catalog.>>) {LOW_BITS}))"
    )
}

fn low(at: usize) -> String {
    format!("(t.s{at} OPERATOR(pg_catalog.&) '{LOW}'::bigint)")
}

/// A sum in two parts by the number of its values, rounded down: the upper part first, then what is left
/// of it with the lower one.
fn divided(at: usize) -> String {
    let (high, low, unit) = (high(at), low(at), LOW + 1);
    // So many rows are in no table; more would be too many for the product.
    let count = format!("LEAST(t.c{at}, '{FAR_HIGH}'::bigint)");
    // Operators that are named have one precedence, and are taken from the left.
    let rest = format!(
        "(({high} OPERATOR(pg_catalog.%) {count} OPERATOR(pg_catalog.+) {count}) \
         OPERATOR(pg_catalog.%) {count})"
    );
    let of_high = format!(
        "(({high} OPERATOR(pg_catalog.-) {rest}) OPERATOR(pg_catalog./) {count} \
         OPERATOR(pg_catalog.*) {unit})"
    );
    let of_rest = format!(
        "((({rest} OPERATOR(pg_catalog.*) {unit}) OPERATOR(pg_catalog.+) {low}) \
         OPERATOR(pg_catalog./) {count})"
    );
    format!("({of_high} OPERATOR(pg_catalog.+) {of_rest})")
}

/// Whether it is floating point, of which whole steps are summed.
pub fn is_floating(column: &Column) -> bool {
    ["real", "double precision"].contains(&column.of.as_str())
}

/// Whether sums of the column are of type bigint: of shorter integers in steps of 1, and in two parts.
fn is_long(column: &Column, range: &Range) -> bool {
    let is_short = ["smallint", "integer"].contains(&column.of.as_str());
    is_short && is_one(range) || is_floating(column)
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

/// So many of the bits of whole steps are summed apart: half of those that there are.
const LOW_BITS: u32 = 26;
const LOW: u32 = (1 << LOW_BITS) - 1;

/// An upper part beyond all bounds.
const FAR_HIGH: i64 = 1 << 36;
