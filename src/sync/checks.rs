//! What must hold of the target before a run commits: every check is a query over what the target
//! holds now and what the source held in the run's snapshot.

use serde_json::{Value, json};

use super::facts::Side;
use super::fit::How;
use super::plan::{Decision, Masked, TablePlan};
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

/// Counts rows and values that are not NULL, of the masked columns, as a JSON array of numbers.
pub fn counts(table: &TablePlan, target: Option<&str>) -> String {
    let mut parts = vec!["pg_catalog.count(*)".to_owned()];
    parts.extend(masked(table).map(|(name, _)| format!("pg_catalog.count(s.{})", quote(name))));
    let (from, filter) = match target {
        Some(schema) => (qualified(schema, &table.source.name), None),
        None => (statement::from(&table.source), table.filter.as_ref()),
    };
    format!(
        "SELECT pg_catalog.array_to_json(ARRAY[{}])::pg_catalog.text FROM {from} AS s{}",
        parts.join(", "),
        filter.map_or(String::new(), |filter| format!(" WHERE {filter}"))
    )
}

/// Compares the counts of both sides with each other and with what the load wrote.
pub fn compare_counts(
    table: &TablePlan,
    loaded: u64,
    source: &[u64],
    target: &[u64],
) -> Vec<Check> {
    let name = &table.source.name;
    let rows = |side: &[u64]| side.first().copied().unwrap_or(0);
    let mut checks = vec![Check {
        passed: rows(source) == rows(target) && rows(target) == loaded,
        report: json!({"check": "rows", "table": name, "source": rows(source), "target": rows(target)}),
    }];
    for (i, (column, of)) in masked(table).enumerate() {
        let nulls = |side: &[u64]| rows(side).saturating_sub(side.get(i + 1).copied().unwrap_or(0));
        checks.push(Check {
            passed: of.how == How::Default
                || match gives_null(of) {
                    true => nulls(source) <= nulls(target),
                    false => nulls(source) == nulls(target),
                },
            report: json!({"check": "nulls kept", "table": name, "column": column,
                           "source": nulls(source), "target": nulls(target)}),
        });
    }
    checks
}

/// How it is seen that no value of a masked column came through.
pub struct Survivors {
    /// The column.
    pub column: String,
    /// Query: how many values came through.
    pub found: String,
    /// Query: how many would by chance.
    pub expected: Option<String>,
}

/// Whether a masked column may hold NULL where its source has a value.
fn gives_null(masked: &Masked) -> bool {
    match &masked.how {
        How::Mask(call) => masked.strategy.properties(call.of).gives_null,
        How::Null => true,
        How::Constant(_) | How::Default | How::Record(_) | How::Shuffle(_) => false,
    }
}

/// The checks for survivors of a table, for every column of which something can be said.
pub fn survivors(table: &TablePlan, target: &str, source: &Side) -> Vec<Survivors> {
    masked(table)
        .filter_map(|(name, of)| {
            let column = quote(name);
            let to = qualified(target, &table.source.name);
            let facts = table.source.columns.iter().find(|facts| facts.name == name);
            let stored = |text: &str| {
                facts.map_or(literal(text), |facts| {
                    statement::stored(text, facts, target, source)
                })
            };
            if let Some(not_it) = not_the_constant(of, &column, &stored) {
                return Some(Survivors {
                    column: name.to_owned(),
                    found: count(&format!("{to} t WHERE t.{column} IS NOT NULL AND {not_it}")),
                    expected: None,
                });
            }
            let space = Space::of(of)?;
            let from = statement::from(&table.source);
            let text = |side: &str| format!("({side}.{column})::pg_catalog.text");
            // With the row's own key, only the row's own value counts: fewer by chance.
            let same_row = kept_key(table, source).map(|key| {
                key.iter()
                    .map(|part| format!("s.{part} = t.{part} AND ", part = quote(part)))
                    .collect::<String>()
            });
            let judged = space.judged(&text("t"));
            let found = count(&format!(
                "{to} t WHERE {judged} AND EXISTS (SELECT FROM {from} s WHERE {}{} = {})",
                same_row.as_deref().unwrap_or(""),
                text("s"),
                text("t")
            ));
            let others = if same_row.is_some() {
                "1".to_owned()
            } else {
                format!("(SELECT pg_catalog.count(s.{column}) FROM {from} s)")
            };
            let expected = format!(
                "SELECT coalesce(pg_catalog.sum({}), 0)::pg_catalog.text
                   FROM {to} t WHERE {judged}",
                space.chance(&text("t"), &others)
            );
            Some(Survivors {
                column: name.to_owned(),
                found,
                expected: Some(expected),
            })
        })
        .collect()
}

/// Judges the survivors of a column.
pub fn judge(table: &str, column: &str, found: u64, expected: f64) -> Check {
    Check {
        passed: f64_from(found) <= allowed(expected),
        report: json!({"check": "no value survived", "table": table, "column": column,
                       "found": found, "by_chance": format!("{expected:.0}")}),
    }
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
const FEWEST_DIGITS: u32 = 5;

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

    fn digits(value: &str) -> String {
        format!("pg_catalog.length(pg_catalog.regexp_replace({value}, '[^0-9]', '', 'g'))")
    }

    fn judged(&self, value: &str) -> String {
        match self {
            Self::Bits(_) => format!("{value} IS NOT NULL"),
            Self::Digits { kept } => format!("{} >= {}", Self::digits(value), FEWEST_DIGITS + kept),
        }
    }

    /// The chance that one value equals one of `others`, as SQL.
    fn chance(&self, value: &str, others: &str) -> String {
        match self {
            Self::Bits(bits) => {
                format!("{others} * pg_catalog.power(2::pg_catalog.float8, -{bits})")
            }
            Self::Digits { kept } => format!(
                "{others} * pg_catalog.power(10::pg_catalog.float8, {kept} - {})",
                Self::digits(value)
            ),
        }
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

/// The columns of a key that the run does not touch, if the table has one.
fn kept_key<'a>(table: &'a TablePlan, source: &Side) -> Option<&'a [String]> {
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

fn count(from: &str) -> String {
    format!("SELECT pg_catalog.count(*)::pg_catalog.text FROM {from}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_allow_what_chance_explains_and_no_more() {
        assert!(judge("t", "c", 0, 0.0).passed);
        assert!(!judge("t", "c", 1, 1e-12).passed);
        assert!(judge("t", "c", 150, 100.0).passed);
        assert!(!judge("t", "c", 200, 100.0).passed);
    }
}
