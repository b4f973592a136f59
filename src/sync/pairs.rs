//! Both sides of a reference must be masked alike, or the reference finds nothing.

use super::facts::{Column, Side, Table};
use super::fit::How;
use super::links::Link;
use super::plan::{Decision, Input, TablePlan};
use super::{checks, shuffle, statement, stored};
use crate::error::{Error, Kind};
use crate::strategies::SaltRef;

/// Adds a problem for every pair of columns that would not match.
pub fn check(links: &[Link], tables: &[TablePlan], input: &Input<'_>, problems: &mut Vec<Error>) {
    for link in links {
        let (table, other) = (&tables[link.child], &tables[link.parent]);
        problems.extend(torn(link, table, input));
        for (here, there) in link.columns.iter().zip(&link.parent_columns) {
            if !alike((table, here), (other, there), input) {
                let type_of = |plan: &TablePlan, name: &str| {
                    column(&plan.source, name).map_or(String::new(), |of| of.type_name.clone())
                };
                problems.push(
                    Error::new(
                        Kind::InvalidParameter,
                        format!(
                            "columns \"{here}\" and \"{there}\" of {} of table {} are not masked alike",
                            link.shown(),
                            table.source.shown()
                        ),
                    )
                    .with_detail(format!(
                        "Their types are {} and {}.",
                        type_of(table, here),
                        type_of(other, there)
                    ))
                    .with_hint(way_out((table, here), (other, there), input)),
                );
            } else if is_drawn(other.decision(there)) {
                let ends = ((&table.source, &**here), (other, &**there));
                problems.extend(told_apart(&link.shown(), ends, input.source));
            }
        }
    }
}

/// What is wrong with the columns of a reference taken together: some become NULL where all or none
/// must, or some change places with those of other rows and their partners do not.
fn torn(link: &Link, table: &TablePlan, input: &Input<'_>) -> Option<Error> {
    let count = |is_it: &dyn Fn(&String) -> bool| link.columns.iter().filter(|c| is_it(c)).count();
    let all = link.columns.len();
    let null = count(&|name| match table.decision(name) {
        Some(Decision::Masked(masked)) => masked.how == How::Null,
        _ => is_left_null(table, name, input),
    });
    let may_be_null = count(&|name| match table.decision(name) {
        Some(Decision::Masked(masked)) => checks::gives_null(masked),
        _ => is_left_null(table, name, input),
    });
    let shuffled = count(&|name| match table.decision(name) {
        Some(Decision::Masked(masked)) => matches!(masked.how, How::Shuffle(_)),
        _ => false,
    });
    let together = shuffle::moves_together(table, &link.columns);
    let (what, hint) = if link.full && all > 1 && may_be_null > 0 && null < all {
        (
            "may become NULL alone, and MATCH FULL refuses that",
            "Write NULL into all of its columns or exclude all of them, or preserve them.",
        )
    } else if shuffled > 0 && null == 0 && !together {
        (
            "do not change places together, and refer to nothing then",
            "Shuffle all columns of the reference in one group.",
        )
    } else {
        return None;
    };
    let message = format!(
        "columns of {} of table {} {what}",
        link.shown(),
        table.source.shown()
    );
    Some(Error::new(Kind::InvalidParameter, message).with_hint(hint))
}

/// Whether nothing but their types tells two masks apart.
fn are_of_two_types(here: Option<&Decision>, there: Option<&Decision>) -> bool {
    let (Some(Decision::Masked(here)), Some(Decision::Masked(there))) = (here, there) else {
        return false;
    };
    let of = |how: &How| match how {
        How::Mask(call) => Some(call.of),
        _ => None,
    };
    here.strategy == there.strategy && here.seed == there.seed && of(&here.how) != of(&there.how)
}

fn is_left_out(table: &TablePlan, name: &str) -> bool {
    matches!(table.decision(name), Some(Decision::Excluded { .. }))
}

/// Whether a column is not copied and has no default.
fn is_left_null(table: &TablePlan, name: &str, input: &Input<'_>) -> bool {
    is_left_out(table, name)
        && column(&table.source, name).is_some_and(|column| {
            !stored::is_filled(&stored::as_stored(input, &table.source, column))
        })
}

/// How two columns come to be masked alike.
fn way_out(
    (table, here): (&TablePlan, &str),
    (other, there): (&TablePlan, &str),
    input: &Input<'_>,
) -> &'static str {
    if is_left_out(table, here) && !is_left_null(table, here, input) {
        return "What is not copied has its default, which may refer to nothing: write NULL with the strategy null, or preserve both.";
    }
    if is_recomputed(table, here) || is_recomputed(other, there) {
        // Different values of which the expression makes the same get different pseudonyms.
        return "A generated column is computed from the masked values: preserve what it reads with a reason, or drop the foreign key.";
    }
    if are_of_two_types(table.decision(here), other.decision(there)) {
        return "A strategy masks values of different types differently: give the columns one type, or preserve both with a reason.";
    }
    "Give both the same strategy, parameters and seed, a salt with a name if it is salted_hash, or preserve both."
}

/// What is wrong with a reference between masked columns whose values are not read alike.
fn told_apart(
    key: &str,
    ((table, here), (plan, there)): ((&Table, &str), (&TablePlan, &str)),
    side: &Side,
) -> Option<Error> {
    let folds = |table: &Table, name: &str| {
        let column = column(table, name);
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
    column(table, name).is_some_and(|column| column.nondeterministic)
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
fn alike(
    (table, here): (&TablePlan, &str),
    (other, there): (&TablePlan, &str),
    input: &Input<'_>,
) -> bool {
    let kept = |plan: &TablePlan, name: &str| match plan.decision(name) {
        Some(Decision::Copied | Decision::Preserved { .. }) => true,
        Some(Decision::Generated) => !is_recomputed(plan, name),
        _ => false,
    };
    match (table.decision(here), other.decision(there)) {
        // A reference that is NULL refers to nothing.
        (Some(Decision::Excluded { .. }), _) => is_left_null(table, here, input),
        (Some(Decision::Masked(one)), Some(Decision::Masked(_))) => {
            one.how == How::Null || masked_alike((table, here), (other, there))
        }
        // References among each other.
        (Some(Decision::Masked(one)), _) if kept(other, there) => {
            matches!(one.how, How::Null | How::Shuffle(_))
        }
        (Some(Decision::Masked(here)), _) => here.how == How::Null,
        (_, Some(Decision::Masked(_))) => false,
        (_, Some(Decision::Excluded { .. })) => false,
        (Some(Decision::Generated), _) | (_, Some(Decision::Generated)) => {
            kept(table, here) && kept(other, there)
        }
        _ => true,
    }
}

/// Whether equal values of two columns become equal values.
fn masked_alike((table, here): (&TablePlan, &str), (other, there): (&TablePlan, &str)) -> bool {
    let (Some(Decision::Masked(here)), Some(Decision::Masked(there))) =
        (table.decision(here), other.decision(there))
    else {
        return false;
    };
    let own = match &here.how {
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
    own && here.strategy == there.strategy && here.seed == there.seed && here.how == there.how
}

/// Whether a generated column is computed from what the run writes otherwise than it reads it.
pub fn is_recomputed(table: &TablePlan, name: &str) -> bool {
    column(&table.source, name).is_some_and(|column| {
        column.reads.iter().any(|read| {
            matches!(
                table.decision(read),
                Some(Decision::Masked(_) | Decision::Excluded { .. })
            )
        })
    })
}

fn column<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    table.columns.iter().find(|column| column.name == name)
}
