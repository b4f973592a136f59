//! What happens to each column: masked, preserved, excluded, generated, or copied undecided.

use std::sync::Arc;

use super::facts::{Column, Side, Table};
use super::plan::{ColumnPlan, Decision, Input, Masked};
use super::{fit, stored};
use crate::error::{Error, Kind};
use crate::pg::ident;
use crate::profile::{self, Op, Said};
use crate::strategies::nearest;

/// Decides about every column of a table.
pub fn columns(
    input: &Input<'_>,
    asked: &profile::Table,
    table: &Table,
    problems: &mut Vec<Error>,
) -> Vec<ColumnPlan> {
    let named = asked
        .rules
        .iter()
        .map(|rule| (rule.column.as_str(), "rule"))
        .chain(
            asked
                .preserve
                .iter()
                .map(|kept| (kept.column.as_str(), "preserve")),
        )
        .chain(
            asked
                .exclude
                .iter()
                .map(|kept| (kept.column.as_str(), "exclude")),
        );
    for (name, word) in named.filter(|(name, _)| *name != "*") {
        match table.columns.iter().find(|column| column.name == name) {
            None => problems.push(undefined(name, table)),
            Some(column) if column.is_generated() && word != "preserve" => problems.push(
                Error::new(
                    Kind::Definition,
                    format!("column \"{name}\" of table {} is generated", table.shown()),
                )
                .with_hint(
                    "It follows from the columns it is computed from: take it out of the profile.",
                ),
            ),
            Some(_) => {}
        }
    }
    table
        .columns
        .iter()
        .map(|column| ColumnPlan {
            name: column.name.clone(),
            type_name: column.type_name.clone(),
            decision: decide(input, asked, table, column, problems),
        })
        .collect()
}

fn decide(
    input: &Input<'_>,
    asked: &profile::Table,
    table: &Table,
    column: &Column,
    problems: &mut Vec<Error>,
) -> Decision {
    if column.is_generated() {
        return Decision::Generated;
    }
    let stored = stored::as_stored(input, table, column);
    let decision = match asked.says_of(&column.name) {
        Said::Mask(rule) => {
            return match mask(input, rule, table, &stored) {
                Ok(masked) => Decision::Masked(masked),
                Err(error) => {
                    problems.push(error);
                    // Any decision will do: the plan fails.
                    Decision::Generated
                }
            };
        }
        Said::Preserve(kept) => Decision::Preserved {
            why: kept.why.clone(),
        },
        Said::Exclude(kept) => Decision::Excluded {
            why: kept.why.clone(),
        },
        Said::Nothing => Decision::Copied,
    };
    let is_excluded = matches!(decision, Decision::Excluded { .. });
    if is_excluded && stored.not_null && !stored::is_filled(&stored) {
        problems.push(
            Error::new(
                Kind::Definition,
                format!(
                    "column \"{}\" of table {} cannot be excluded",
                    column.name,
                    table.shown()
                ),
            )
            .with_detail("It must not be null and has no default.")
            .with_hint("Redact it instead."),
        );
    }
    decision
}

fn mask(
    input: &Input<'_>,
    rule: &profile::Rule,
    table: &Table,
    column: &Column,
) -> Result<Masked, Error> {
    let (seed, origin) = (input.seed_of)(rule)?;
    // Only a replacement that was written counts: the default one is a text.
    let written = input
        .profile
        .strategies
        .get(&rule.strategy)
        .and_then(|strategy| strategy.params.get("replacement"));
    let replacement = rule.options.get("replacement").or(written);
    let place = format!("\"{}\" of table {}", column.name, table.shown());
    inputs(input, rule, table)?;
    let token = (input.token_of)(&rule.resolved)?;
    let how = fit::of(rule, replacement, token, column, input.source, &place)?;
    Ok(Masked {
        name: rule.strategy.clone(),
        strategy: Arc::clone(&rule.resolved),
        seed,
        origin,
        how,
    })
}

/// The columns a mask reads beside its own must be there, and be of types whose text form nobody
/// can change.
fn inputs(input: &Input<'_>, rule: &profile::Rule, table: &Table) -> Result<(), Error> {
    for name in rule.inputs.values().flatten() {
        let Some(column) = table.columns.iter().find(|column| column.name == *name) else {
            return Err(undefined(name, table));
        };
        let base = input.source.base_of(column.type_oid);
        if !base.is_some_and(|base| base.kind == 'b' && fit::value_type(base).is_some()) {
            return Err(Error::new(
                Kind::DatatypeMismatch,
                format!(
                    "column \"{name}\" of table {} cannot be read by a mask of column \"{}\"",
                    table.shown(),
                    rule.column
                ),
            )
            .with_detail(format!(
                "Its type {} is not one of the server's own.",
                column.type_name
            )));
        }
    }
    Ok(())
}

/// The conditions as a WHERE clause; `None` without any. `s` stands for the source table.
pub fn filter(
    asked: &[profile::Condition],
    table: &Table,
    side: &Side,
    problems: &mut Vec<Error>,
) -> Option<String> {
    let mut conditions = Vec::new();
    for condition in asked {
        let Some(column) = table.columns.iter().find(|c| c.name == condition.column) else {
            problems.push(undefined(&condition.column, table));
            continue;
        };
        let builtin = side
            .base_of(column.type_oid)
            .filter(|base| base.schema == "pg_catalog" && base.kind == 'b');
        let Some(base) = builtin else {
            problems.push(
                Error::new(
                    Kind::Unsupported,
                    format!(
                        "column \"{}\" of table {} cannot be filtered by",
                        column.name,
                        table.shown()
                    ),
                )
                .with_detail(format!(
                    "Its type {} is not one of the server's own.",
                    column.type_name
                )),
            );
            continue;
        };
        let of = format!("pg_catalog.{}", ident::quote(&base.name));
        let column = format!("(s.{})::{of}", ident::quote(&column.name));
        let literal = |value: &profile::Literal| format!("{}::{of}", ident::literal(&value.text));
        let values: Vec<_> = condition.values.iter().map(literal).collect();
        conditions.push(match condition.op {
            Op::IsNull => format!("{column} IS NULL"),
            Op::IsNotNull => format!("{column} IS NOT NULL"),
            Op::In => format!(
                "{column} OPERATOR(pg_catalog.=) ANY (ARRAY[{}]::{of}[])",
                values.join(", ")
            ),
            op => format!(
                "{column} OPERATOR(pg_catalog.{}) {}",
                op.name(),
                values.join("")
            ),
        });
    }
    (!conditions.is_empty()).then(|| conditions.join(" AND "))
}

fn undefined(name: &str, table: &Table) -> Error {
    let error = Error::new(
        Kind::UndefinedColumn,
        format!(
            "column \"{name}\" of table {} does not exist",
            table.shown()
        ),
    );
    match nearest(
        name,
        table.columns.iter().map(|column| column.name.as_str()),
    ) {
        Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
        None => error,
    }
}
