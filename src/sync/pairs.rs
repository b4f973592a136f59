//! Both sides of a reference must be masked alike, or the reference finds nothing.

use super::facts::{Column, Side, Table};
use super::fit::How;
use super::links::Link;
use super::plan::{Decision, TablePlan};
use super::statement;
use crate::error::{Error, Kind};
use crate::strategies::SaltRef;

/// Adds a problem for every pair of columns that would not match.
pub fn check(links: &[Link], tables: &[TablePlan], side: &Side, problems: &mut Vec<Error>) {
    for link in links {
        let (table, other) = (&tables[link.child], &tables[link.parent]);
        for (here, there) in link.columns.iter().zip(&link.parent_columns) {
            if !alike(table.decision(here), other.decision(there)) {
                problems.push(
                    Error::new(
                        Kind::InvalidParameter,
                        format!(
                            "columns \"{here}\" and \"{there}\" of {} of table {} are not masked alike",
                            link.shown(),
                            table.source.shown()
                        ),
                    )
                    .with_hint("Give both the same strategy, parameters and seed, a salt with a name if it is salted_hash, or preserve both."),
                );
            } else if is_drawn(other.decision(there)) {
                let ends = ((&table.source, &**here), (other, &**there));
                problems.extend(told_apart(&link.shown(), ends, side));
            }
        }
    }
}

/// What is wrong with a reference between masked columns whose values are not read alike.
fn told_apart(
    key: &str,
    ((table, here), (plan, there)): ((&Table, &str), (&TablePlan, &str)),
    side: &Side,
) -> Option<Error> {
    let folds = |table: &Table, name: &str| {
        let column = table.columns.iter().find(|column| column.name == name);
        column.is_some_and(|column| statement::folding(column.type_oid, side).is_some())
    };
    let other = &plan.source;
    let (detail, hint) = if is_loose(other, there) {
        (
            format!(
                "Column \"{there}\" of table {} has a nondeterministic collation: texts that are equal there get different pseudonyms.",
                other.shown()
            ),
            "Preserve both columns with a reason, exclude the reference, or give the columns a deterministic collation or type citext.",
        )
    } else if folds(table, here) != folds(other, there) && heeds_case(plan.decision(there)) {
        (
            format!(
                "Only one of it and column \"{there}\" of table {} is of type citext, which is masked in lower case.",
                other.shown()
            ),
            "Preserve both columns with a reason, exclude the reference, or give the columns one type.",
        )
    } else {
        return None;
    };
    let message = format!(
        "{key} of table {} may not hold for masked column \"{here}\"",
        table.shown()
    );
    Some(
        Error::new(Kind::InvalidParameter, message)
            .with_detail(detail)
            .with_hint(hint),
    )
}

/// Whether a column's collation, by which the server compares a reference, makes texts equal.
fn is_loose(table: &Table, name: &str) -> bool {
    let named = |column: &&Column| column.name == name;
    table
        .columns
        .iter()
        .find(named)
        .is_some_and(|column| column.nondeterministic)
}

/// Whether a column's values are drawn from what stood there.
fn is_drawn(decision: Option<&Decision>) -> bool {
    matches!(decision, Some(Decision::Masked(masked)) if matches!(masked.how, How::Mask(_)))
}

/// Whether values that differ in case only may get different pseudonyms.
fn heeds_case(decision: Option<&Decision>) -> bool {
    let Some(Decision::Masked(masked)) = decision else {
        return false;
    };
    let How::Mask(call) = &masked.how else {
        return false;
    };
    let promised = masked.strategy.properties(call.of);
    // Without bits it is a constant.
    !promised.folds_spellings && promised.collision_bits.is_some()
}

/// Whether every reference still finds its row.
fn alike(here: Option<&Decision>, there: Option<&Decision>) -> bool {
    match (here, there) {
        (Some(Decision::Masked(here)), Some(Decision::Masked(there))) => {
            let own = |how: &How| match how {
                // Drawn from something else of the row, which differs between the tables.
                How::Mask(call) => {
                    // A salt without a name is that of one column.
                    let salted_alike = |salt: SaltRef<'_>| !salt.name.is_empty();
                    call.inputs.is_empty()
                        && here.strategy.salt().is_none_or(salted_alike)
                        && here.strategy.properties(call.of).deterministic
                }
                How::Constant(_) | How::Null => true,
                How::Default | How::Record(_) | How::Shuffle(_) => false,
            };
            let equal = here.strategy == there.strategy
                && here.seed == there.seed
                && here.how == there.how
                && own(&here.how);
            equal || here.how == How::Null
        }
        // References among each other.
        (Some(Decision::Masked(here)), Some(Decision::Copied | Decision::Preserved { .. })) => {
            matches!(here.how, How::Null | How::Shuffle(_))
        }
        (Some(Decision::Masked(here)), _) => here.how == How::Null,
        (_, Some(Decision::Masked(_))) => false,
        // A reference that is not copied is NULL, which refers to nothing.
        (Some(Decision::Excluded { .. }), _) => true,
        (_, Some(Decision::Excluded { .. })) => false,
        _ => true,
    }
}
