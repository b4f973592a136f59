//! What must hold of the target before a run commits: every check is a query over what the target
//! holds now and what the source held in the run's snapshot.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::facts::Side;
use super::fit::How;
use super::links::Link;
use super::options::Triggers;
use super::plan::{Decision, Masked, Plan, TablePlan};
use super::redraw::{Named, Seen};
use super::statement;
use crate::pg::ident::{literal, qualified, quote};
use crate::strategies::token::TokenFormat;
use crate::strategies::{self, Survival, ValueType};

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Whether it holds.
    pub passed: bool,
    /// What was checked and found, for the report: numbers and names only.
    pub report: Value,
}

impl Check {
    /// What stands in the entry of the run.
    pub fn entry(&self) -> Value {
        let mut entry = self.report.clone();
        entry["passed"] = self.passed.into();
        entry
    }
}

/// What one pass over the target says of a masked column, and how its values are judged.
enum Judge {
    /// Values that are not the one constant, as a condition.
    Constant(String),
    /// Values drawn from a space, which may meet an original by chance.
    Drawn(Space),
    /// Nothing can be said.
    Unjudged,
}

fn judge_of(name: &str, of: &Masked, table: &TablePlan, target: &str, source: &Side) -> Judge {
    let column = quote(name);
    let facts = table.source.columns.iter().find(|facts| facts.name == name);
    let stored = |text: &str| {
        facts.map_or(literal(text), |facts| {
            statement::stored(text, facts, target, source)
        })
    };
    match (not_the_constant(of, &column, &stored), Space::of(of)) {
        (Some(not_it), _) => Judge::Constant(not_it),
        (None, Some(space)) => Judge::Drawn(space),
        (None, None) => Judge::Unjudged,
    }
}

/// Whether it can be said of a masked column that no value came through.
pub fn is_judged(
    name: &str,
    masked: &Masked,
    table: &TablePlan,
    target: &str,
    source: &Side,
) -> bool {
    !matches!(
        judge_of(name, masked, table, target, source),
        Judge::Unjudged
    )
}

/// Counts the rows that were to be copied, and of each masked column the values that are not NULL:
/// a JSON array of numbers.
pub fn source_counts(table: &TablePlan) -> String {
    let mut parts = vec!["pg_catalog.count(*)".to_owned()];
    parts.extend(masked(table).map(|(name, _)| format!("pg_catalog.count(s.{})", quote(name))));
    numbers(&parts, &statement::rows(table))
}

/// As [`source_counts`], of the target; and of each masked column how many values are not the
/// constant, or how many originals the drawn ones would meet by chance if there were one.
pub fn target_counts(table: &TablePlan, target: &str, source: &Side) -> String {
    let mut parts = vec!["pg_catalog.count(*)".to_owned()];
    parts.extend(masked(table).map(|(name, _)| format!("pg_catalog.count(t.{})", quote(name))));
    parts.extend(masked(table).map(|(name, of)| {
        let column = quote(name);
        match judge_of(name, of, table, target, source) {
            Judge::Constant(not_it) => {
                format!("pg_catalog.count(*) FILTER (WHERE t.{column} IS NOT NULL AND {not_it})")
            }
            Judge::Drawn(space) => space.chance(&format!("(t.{column})::pg_catalog.text")),
            Judge::Unjudged => "0".to_owned(),
        }
    }));
    let to = table.landing(target);
    numbers(&parts, &format!("{to} AS t"))
}

/// Most columns of which both sides are joined at once: a level of a statement has 1664, and a key
/// may have 32.
const MOST_JOINED: usize = 800;

/// Counts the values that came through, of each column that is drawn: by the row's own key in one
/// pass over both sides, or else column by column, wherever in the source the value stood.
pub fn survivors(table: &TablePlan, target: &str, source: &Side) -> Vec<String> {
    let to = table.landing(target);
    let text = |side: &str, column: &str| format!("({side}.{column})::pg_catalog.text");
    let drawn =
        masked(table).filter_map(
            |(name, of)| match judge_of(name, of, table, target, source) {
                Judge::Drawn(space) => Some((quote(name), space)),
                Judge::Constant(_) | Judge::Unjudged => None,
            },
        );
    if let Some(key) = own_key(table, source) {
        // With the row's own key, only the row's own value counts: fewer by chance.
        let parts: Vec<_> = drawn
            .map(|(column, space)| {
                let new = text("t", &column);
                format!(
                    "pg_catalog.count(*) FILTER (WHERE {new} = {} AND {})",
                    text("s", &column),
                    space.judged(&new)
                )
            })
            .collect();
        let same_row: Vec<_> = key
            .iter()
            .map(|part| format!("s.{part} = t.{part}", part = quote(part)))
            .collect();
        let from = statement::from(&table.source);
        let both = format!("{to} AS t JOIN {from} AS s ON {}", same_row.join(" AND "));
        return parts
            .chunks(MOST_JOINED)
            .map(|parts| numbers(parts, &both))
            .collect();
    }
    let also = table
        .filter
        .as_ref()
        .map_or(String::new(), |filter| format!(" AND ({filter})"));
    drawn
        .map(|(column, space)| {
            let new = text("t", &column);
            let from = format!(
                "{to} AS t WHERE {} AND EXISTS (SELECT FROM {} AS s WHERE {} = {new}{also})",
                space.judged(&new),
                statement::from(&table.source),
                text("s", &column),
            );
            numbers(&["pg_catalog.count(*)".to_owned()], &from)
        })
        .collect()
}

/// How many draws a value of each masked column took on average.
pub fn draws(table: &TablePlan, redrawn: &BTreeMap<Named, Seen>) -> Vec<f64> {
    let place = |column: &str| (table.source.name.clone(), column.to_owned());
    masked(table)
        .map(|(column, _)| redrawn.get(&place(column)).map_or(1.0, Seen::draws))
        .collect()
}

/// What the queries about one table have said.
pub struct Counted {
    /// The rows that the load wrote.
    pub loaded: u64,
    /// By [`source_counts`].
    pub source: Vec<f64>,
    /// By [`target_counts`].
    pub target: Vec<f64>,
    /// By [`survivors`], one after another.
    pub survivors: Vec<f64>,
    /// How many draws a value of each masked column took on average.
    pub draws: Vec<f64>,
}

/// Holds both sides against each other and against what the load wrote.
pub fn compare(table: &TablePlan, target: &str, source: &Side, of: &Counted) -> Vec<Check> {
    let name = &table.source.name;
    let at = |side: &[f64], i: usize| side.get(i).copied().unwrap_or(0.0);
    let (from, to) = (at(&of.source, 0), at(&of.target, 0));
    let same = |one: f64, other: f64| one.to_bits() == other.to_bits();
    let mut checks = vec![Check {
        passed: same(from, to) && same(to, f64_from(of.loaded)),
        report: json!({"check": "rows", "table": name, "source": whole(from), "target": whole(to)}),
    }];
    let columns: Vec<_> = masked(table).collect();
    for (i, (column, masked)) in columns.iter().enumerate() {
        let nulls_before = from - at(&of.source, i + 1);
        let nulls_after = to - at(&of.target, i + 1);
        checks.push(Check {
            passed: masked.how == How::Default
                || match gives_null(masked) {
                    true => nulls_before <= nulls_after,
                    false => same(nulls_before, nulls_after),
                },
            report: json!({"check": "nulls kept", "table": name, "column": column,
                           "source": whole(nulls_before), "target": whole(nulls_after)}),
        });
    }
    let mut survivors = of.survivors.iter().copied();
    for (i, (column, masked)) in columns.iter().enumerate() {
        let extra = at(&of.target, 1 + columns.len() + i);
        match judge_of(column, masked, table, target, source) {
            Judge::Constant(_) => checks.push(judge(name, column, extra, 0.0)),
            Judge::Drawn(_) => {
                let others = match own_key(table, source) {
                    Some(_) => 1.0,
                    None => at(&of.source, i + 1),
                };
                let found = survivors.next().unwrap_or(f64::INFINITY);
                // Out of fewer values, one is met as often as they are fewer.
                let draws = of.draws.get(i).copied().unwrap_or(1.0);
                checks.push(judge(name, column, found, extra * others * draws));
            }
            Judge::Unjudged => {}
        }
    }
    checks
}

/// Whether a masked column may hold NULL where its source has a value.
pub fn gives_null(masked: &Masked) -> bool {
    match &masked.how {
        How::Mask(call) => masked.strategy.properties(call.of).gives_null,
        How::Null => true,
        How::Constant(_) | How::Default | How::Record(_) | How::Shuffle(_) => false,
    }
}

/// Judges the survivors of a column.
fn judge(table: &str, column: &str, found: f64, expected: f64) -> Check {
    Check {
        passed: found <= allowed(expected),
        report: json!({"check": "no value survived", "table": table, "column": column,
                       "found": whole(found), "by_chance": format!("{expected:.0}")}),
    }
}

/// The references of a plan's rows that find no row: of the target, or of what is copied of the
/// source.
pub fn orphans(link: &Link, plan: &Plan, in_target: bool) -> String {
    let (child, parent) = (&plan.tables[link.child], &plan.tables[link.parent]);
    let (child_part, parent_part) = (link.child_part.as_ref(), link.parent_part.as_ref());
    let (from, there, also) = if in_target {
        let there = |table: &TablePlan, part: Option<&String>| {
            qualified(&plan.target, part.unwrap_or(&table.source.name))
        };
        let (child, parent) = (there(child, child_part), there(parent, parent_part));
        (child, parent, String::new())
    } else {
        let of = |table: &TablePlan, part: Option<&String>| match part {
            Some(part) => qualified(&table.source.schema, part),
            None => statement::from(&table.source),
        };
        let filtered = |table: &TablePlan, word: &str| match &table.filter {
            Some(filter) => format!(" {word} ({filter})"),
            None => String::new(),
        };
        (
            of(child, child_part),
            format!(
                "(SELECT s.* FROM {} AS s{})",
                of(parent, parent_part),
                filtered(parent, "WHERE")
            ),
            filtered(child, "AND"),
        )
    };
    let from = format!(
        "{from} AS s WHERE {}{also} AND NOT EXISTS (SELECT FROM {there} AS p WHERE {})",
        link.refers("s"),
        link.meets("s", "p")
    );
    numbers(&["pg_catalog.count(*)".to_owned()], &from)
}

/// A query that returns these numbers as a JSON array.
pub fn numbers(parts: &[String], from: &str) -> String {
    format!(
        "SELECT pg_catalog.array_to_json(ARRAY[{}]::pg_catalog.float8[])::pg_catalog.text FROM {from}",
        parts.join(", ")
    )
}

/// A count as it is written.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count"
)]
pub fn whole(count: f64) -> u64 {
    count.max(0.0) as u64
}

/// How often values were drawn again because a constraint refused what their mask wrote: no check
/// can fail, and whoever reads the report shall know.
pub fn redrawn(seen: &BTreeMap<Named, Seen>) -> Vec<Check> {
    seen.iter()
        .filter(|(_, seen)| seen.redrawn > 0)
        .map(|((table, column), seen)| Check {
            passed: true,
            report: json!({"check": "values redrawn", "table": table, "column": column,
                           "values": seen.values, "redrawn": seen.redrawn,
                           "attempts": seen.attempts, "per_million": seen.per_million()}),
        })
        .collect()
}

/// The most survivors that chance explains: six standard deviations above what it expects, and
/// three for small numbers; a false alarm less than once in ten million runs.
fn allowed(expected: f64) -> f64 {
    if expected < 1e-9 {
        0.0
    } else {
        expected + 6.0 * expected.sqrt() + 3.0
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a count is compared with an estimate"
)]
fn f64_from(count: u64) -> f64 {
    count as f64
}

/// The values a mask draws from, as far as chance is concerned.
enum Space {
    /// 2^bits.
    Bits(u32),
    /// 10^(digits - kept), digits as the value has them.
    Digits { kept: u32 },
}

/// Shorter numbers say too little: one in 10^4 would stay by chance.
const FEWEST_DIGITS: i32 = 5;

impl Space {
    fn of(masked: &Masked) -> Option<Self> {
        let How::Mask(call) = &masked.how else {
            return None;
        };
        // An array without elements always comes through.
        let properties = || masked.strategy.properties(call.of).survival;
        match call
            .token
            .as_ref()
            .map_or_else(properties, TokenFormat::survival)
        {
            _ if call.is_array => None,
            Survival::Bits(bits) => Some(Self::Bits(bits)),
            Survival::Digits { kept } => Some(Self::Digits { kept }),
            Survival::Constant | Survival::Unjudged => None,
        }
    }

    fn judged(&self, value: &str) -> String {
        match self {
            Self::Bits(_) => format!("{value} IS NOT NULL"),
            Self::Digits { kept } => format!("confiture._run_chance({value}, {kept}) > 0"),
        }
    }

    /// How many of the values of a column equal one certain original by chance, as an aggregate.
    fn chance(&self, value: &str) -> String {
        match self {
            Self::Bits(bits) => format!(
                "pg_catalog.count({value}) * pg_catalog.power(2::pg_catalog.float8, -{bits})"
            ),
            Self::Digits { kept } => {
                format!("coalesce(pg_catalog.sum(confiture._run_chance({value}, {kept})), 0)")
            }
        }
    }
}

/// The chance that a number drawn with the digits of this one is one certain original, of whose
/// digits `kept` are known; 0 where it has too few to be judged.
pub fn chance(value: &str, kept: u32) -> f64 {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let free = u32::try_from(digits)
        .unwrap_or(u32::MAX)
        .saturating_sub(kept);
    match i32::try_from(free) {
        Ok(free) if free >= FEWEST_DIGITS => 10_f64.powi(-free),
        _ => 0.0,
    }
}

/// The condition that a value is not the one constant a redaction writes; `None` for other masks.
fn not_the_constant(
    masked: &Masked,
    column: &str,
    stored: &dyn Fn(&str) -> String,
) -> Option<String> {
    let value = format!("(t.{column})::pg_catalog.text");
    match &masked.how {
        // Compared as text of what the column stores: json has no equality.
        How::Constant(text) => Some(format!("{value} <> ({})::pg_catalog.text", stored(text))),
        How::Null => Some("true".to_owned()),
        How::Mask(call) if call.of == ValueType::Text && !call.is_array => {
            if masked.strategy.kind() != strategies::Kind::Redact {
                return None;
            }
            let params = masked.strategy.effective_params();
            let Some(strategies::Value::Text(replacement)) = params.get("replacement") else {
                return None;
            };
            let constant = params.get("style") == Some(&strategies::Value::Text("constant".into()));
            Some(if constant {
                format!("{value} <> {}", literal(replacement))
            } else {
                format!(
                    "pg_catalog.replace({value}, {}, '') <> ''",
                    literal(replacement)
                )
            })
        }
        How::Default | How::Mask(_) | How::Record(_) | How::Shuffle(_) => None,
    }
}

/// The key by which a row of the target has come from one of the source. What triggers have written
/// may have come from any.
fn own_key<'a>(table: &'a TablePlan, source: &Side) -> Option<&'a [String]> {
    match table.triggers {
        Triggers::Fire => None,
        Triggers::Refuse | Triggers::Skip => kept_key(table, source),
    }
}

/// The columns of a key that the run does not touch, if the table has one.
pub fn kept_key<'a>(table: &'a TablePlan, source: &Side) -> Option<&'a [String]> {
    let kept = |name: &String| {
        let column = table
            .source
            .columns
            .iter()
            .find(|column| column.name == *name);
        // Values of a type that the target has a copy of do not compare with each other.
        column
            .and_then(|column| source.base_of(column.type_oid))
            .is_some_and(|base| base.schema == "pg_catalog")
            && matches!(
                table.decision(name),
                Some(Decision::Preserved { .. } | Decision::Copied)
            )
    };
    table
        .source
        .constraints
        .iter()
        .find(|constraint| constraint.kind == 'p' && constraint.columns.iter().all(kept))
        .map(|constraint| constraint.columns.as_slice())
}

fn masked(table: &TablePlan) -> impl Iterator<Item = (&str, &Masked)> {
    table
        .columns
        .iter()
        .filter_map(|column| match &column.decision {
            Decision::Masked(masked) => Some((column.name.as_str(), masked)),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_counts_the_digits_that_are_free() {
        assert!((chance("+44 20 7946", 2) - 1e-6).abs() < 1e-15);
        assert!(chance("12345", 0) > 0.0);
        for few in ["1234", "+44 123 4", "", "12345 is no \u{0661}"] {
            let kept = if few.starts_with('+') { 3 } else { 1 };
            assert!(chance(few, kept) == 0.0, "{few}");
        }
    }

    #[test]
    fn checks_allow_what_chance_explains_and_no_more() {
        assert!(judge("t", "c", 0.0, 0.0).passed);
        assert!(!judge("t", "c", 1.0, 1e-12).passed);
        assert!(judge("t", "c", 150.0, 100.0).passed);
        assert!(!judge("t", "c", 200.0, 100.0).passed);
    }
}
