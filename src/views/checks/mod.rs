//! Types whose values a view cannot make, because somebody's code would check them with the rights
//! of whoever reads it.
//!
//! Who that will be nobody knows when the view is made, and a check can come later. So nobody but a
//! superuser may be able to change such a type. A column that is shown as it is needs none of that:
//! its value was checked when it was written.

pub mod store;

use crate::error::{Error, Kind};
use crate::sync::facts::Side;
use crate::sync::plan::{Decision, TablePlan};
use crate::views::definition::Shape;

/// A type of which others than superusers decide what runs when a value of it is made.
pub struct Checked {
    /// Its number.
    pub oid: u32,
    /// Why, as a sentence.
    pub why: String,
}

/// A problem for every column of which the view would have to make values of such types.
pub fn problems(
    table: &TablePlan,
    shapes: &[Shape],
    side: &Side,
    checked: &[Checked],
) -> Vec<Error> {
    let mut problems = Vec::new();
    for ((column, facts), shape) in table.columns.iter().zip(&table.source.columns).zip(shapes) {
        let is_shown = matches!(
            column.decision,
            Decision::Copied | Decision::Preserved { .. }
        );
        if is_shown && shape.expression.is_none() {
            continue;
        }
        let mut reached = Vec::new();
        side.reach(facts.type_oid, &mut reached);
        let Some(found) = checked.iter().find(|of| reached.contains(&of.oid)) else {
            continue;
        };
        problems.push(
            Error::new(
                Kind::Unsupported,
                format!(
                    "a masked view cannot make values of column \"{}\" of table {}",
                    column.name,
                    table.source.shown()
                ),
            )
            .with_detail(format!(
                "{} What checks its values would run with the rights of whoever reads the view.",
                found.why
            ))
            .with_hint(
                "Have the type and what it uses owned by a superuser, or mask this table into a copy \
                 with confiture.sync.",
            ),
        );
    }
    problems
}
