//! What cannot be masked row by row while rows arrive, though a run can.

use crate::error::{Error, Kind};
use crate::sync::facts::{Column, Side, Table};
use crate::sync::fit::How;
use crate::sync::plan::{ColumnPlan, Decision, TablePlan};

const COPY: &str = "Mask this table into a copy with confiture.sync.";

/// Everything that keeps rows of a table from being masked as they arrive.
pub fn problems(table: &TablePlan, side: &Side) -> Vec<Error> {
    let mut problems = Vec::new();
    problems.extend(of_table(table, side));
    for (column, facts) in table.columns.iter().zip(&table.source.columns) {
        problems.extend(of_column(&table.source, column, facts));
    }
    problems
}

fn of_table(table: &TablePlan, side: &Side) -> Option<Error> {
    let shown = table.source.shown();
    let parts = side.partitions(table.source.oid);
    let is_table = |of: &Table| ['r', 'p'].contains(&of.kind);
    if !is_table(&table.source) || !parts.into_iter().all(is_table) {
        return Some(
            Error::new(
                Kind::Unsupported,
                format!("table {shown} is, or has partitions that are, no table of this server"),
            )
            .with_detail("A subscription cannot write to it."),
        );
    }
    let leaves_out = table.filter.is_some() || table.seed.is_some() || table.limit.is_some();
    leaves_out.then(|| {
        Error::new(
            Kind::Unsupported,
            format!("rows of table {shown} cannot be left out while they arrive"),
        )
        .with_detail("The profile has a condition on it.")
        .with_hint("Give the publication the condition, and this schema a profile without it.")
    })
}

fn of_column(table: &Table, column: &ColumnPlan, facts: &Column) -> Option<Error> {
    let place = format!("column \"{}\" of table {}", column.name, table.shown());
    let refused = |what: String, detail: &str, hint: &str| {
        let error = Error::new(Kind::Unsupported, what);
        Some(error.with_detail(detail).with_hint(hint))
    };
    let masked = match &column.decision {
        Decision::Excluded { .. } if facts.not_null || facts.default.is_some() => {
            return refused(
                format!("{place} cannot be left out while rows arrive"),
                "What arrives in an excluded column is replaced by NULL, and this one has a default or must \
                 not be null.",
                "Leave the column out of the publication and preserve it here, or redact it.",
            );
        }
        Decision::Masked(masked) => masked,
        _ => return None,
    };
    let name = masked.strategy.kind().name();
    let cannot = || format!("strategy \"{name}\" cannot mask {place} while rows arrive");
    match &masked.how {
        How::Constant(_) | How::Null => None,
        How::Default => refused(cannot(), "A row that arrives has no default.", COPY),
        How::Record(_) => refused(cannot(), "Whole values are masked.", COPY),
        How::Shuffle(_) => refused(
            cannot(),
            "It moves values between the rows of the whole table.",
            COPY,
        ),
        How::Mask(call) if call.token.is_some() => {
            refused(cannot(), "Each row would write into the vault.", COPY)
        }
        How::Mask(call) if !masked.strategy.properties(call.of).deterministic => refused(
            cannot(),
            "It would draw anew with every change of the row, and the mean of many draws is the value.",
            COPY,
        ),
        How::Mask(_) => None,
    }
}
