//! The text of a masked view.
//!
//! Every name in it is qualified, and it is read with a search path in which nobody can plant
//! anything; the server keeps it as a tree of numbers, and a dump writes it with all schemas.

use std::collections::BTreeSet;

use crate::pg::ident::{literal, qualified, quote};
use crate::sync::facts::Side;
use crate::sync::fit::How;
use crate::sync::plan::{ColumnPlan, Decision, Masked, TablePlan};
use crate::sync::statement;

/// A column of the source in words that mean the same under any search path.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Its type, with length or precision.
    pub type_name: String,
    /// What it is computed by, where it is generated.
    pub expression: Option<String>,
    /// Whether that uses nothing but what the server brings.
    pub is_plain: bool,
}

/// A view of one table, and the number it is known by.
pub struct Definition<'a> {
    /// Its number.
    pub id: i32,
    /// The table, as planned.
    pub table: &'a TablePlan,
    /// The columns of the table, in its order.
    pub shapes: &'a [Shape],
    /// The schema the table is in.
    pub side: &'a Side,
    /// Whether values are masked once, and not whenever they are read.
    pub is_materialized: bool,
}

/// The masked columns with their numbers, which begin at 1.
pub fn masked(table: &TablePlan) -> Vec<(i32, &str, &Masked)> {
    let numbered = (1..).zip(&table.columns);
    numbered
        .filter_map(|(number, column)| match &column.decision {
            Decision::Masked(masked) => Some((number, column.name.as_str(), masked)),
            _ => None,
        })
        .collect()
}

impl Definition<'_> {
    /// What the view selects.
    pub fn select(&self) -> String {
        let columns = self.table.columns.iter().zip(self.shapes).zip(1..);
        let mut inner = Vec::new();
        let mut outer = Vec::new();
        for ((column, shape), number) in columns {
            let name = quote(&column.name);
            match &shape.expression {
                // Computed of what the view shows, as the target of a run computes it.
                Some(expression) => {
                    outer.push(format!("({expression})::{} AS {name}", shape.type_name));
                }
                None => {
                    let value = self.value(column, shape, number);
                    inner.push(format!("{value} AS {name}"));
                    outer.push(format!("m.{name}"));
                }
            }
        }
        let rows = statement::rows(self.table);
        let inner = format!("SELECT {} FROM {rows}", inner.join(", "));
        let select = if self.shapes.iter().any(|shape| shape.expression.is_some()) {
            format!("SELECT {} FROM ({inner}) AS m", outer.join(", "))
        } else {
            inner
        };
        // A view that has a WITH cannot be written through: a DELETE of masked rows by its owner
        // would be one of rows of the source.
        format!("WITH masked_view AS ({}) {select}", self.statement())
    }

    /// What the view states of itself, in a WITH that is never read, so that the server leaves it
    /// out: its number, how many columns it masks, and what those and the columns that its masks
    /// read beside them are called today.
    fn statement(&self) -> String {
        let masked = masked(self.table);
        let inputs = masked.iter().flat_map(|(_, _, masked)| match &masked.how {
            How::Mask(call) => call.inputs.as_slice(),
            _ => &[],
        });
        let inputs = inputs.flat_map(|input| &input.columns);
        let names: BTreeSet<&str> = masked.iter().map(|(_, name, _)| *name).collect();
        let inputs: BTreeSet<&str> = inputs.map(String::as_str).collect();
        let columns = names.iter().chain(inputs.difference(&names)).map(|name| {
            let name = quote(name);
            format!(", s.{name} AS {name}")
        });
        format!(
            "SELECT confiture._mask_row({}, 0, NULL, NULL, {}){} FROM {} AS s",
            self.id,
            names.len(),
            columns.collect::<String>(),
            statement::from(&self.table.source)
        )
    }

    fn value(&self, column: &ColumnPlan, shape: &Shape, number: i32) -> String {
        let read = format!("s.{}", quote(&column.name));
        match &column.decision {
            Decision::Copied | Decision::Preserved { .. } | Decision::Generated => read,
            Decision::Excluded { .. } => self.typed("NULL", column, shape),
            Decision::Masked(masked) => match &masked.how {
                How::Mask(call) => {
                    let value = if self.is_materialized {
                        let mask = format!("confiture._mask_value({}, {number}", self.id);
                        let home = self.home();
                        let table = (&self.table.source, self.side);
                        statement::called(call, &mask, &read, self.oid(column), home, table)
                    } else {
                        self.row_mask(column, &read, number)
                    };
                    self.typed(&value, column, shape)
                }
                // Typed as a whole: a CASE without ELSE has no length.
                How::Constant(text) => {
                    let value = format!("{}::{}", literal(text), shape.type_name);
                    let value = format!("CASE WHEN {read} IS NOT NULL THEN {value} END");
                    self.typed(&value, column, shape)
                }
                // The rest is refused before.
                _ => self.typed("NULL", column, shape),
            },
        }
    }

    /// The call that reads the value by itself. That the column is named too makes the view depend
    /// on it; and no call is made for NULL.
    fn row_mask(&self, column: &ColumnPlan, read: &str, number: i32) -> String {
        let base = self.side.base_of(self.oid(column)).map_or(0, |of| of.oid);
        let of = statement::type_name(base, self.home(), self.side);
        format!(
            "CASE WHEN {read} IS NOT NULL \
             THEN confiture._mask_row({}, {number}, s.tableoid, s.ctid, NULL::{of}) END",
            self.id
        )
    }

    /// A value as one of the column's type and collation.
    fn typed(&self, value: &str, column: &ColumnPlan, shape: &Shape) -> String {
        let typed = format!("({value})::{}", shape.type_name);
        let facts = self.facts(column);
        match facts.and_then(|facts| facts.collation.as_ref()) {
            Some(collation) => format!("({typed} COLLATE {collation})"),
            None => typed,
        }
    }

    fn facts(&self, column: &ColumnPlan) -> Option<&crate::sync::facts::Column> {
        let columns = &self.table.source.columns;
        columns.iter().find(|facts| facts.name == column.name)
    }

    fn oid(&self, column: &ColumnPlan) -> u32 {
        self.facts(column).map_or(0, |facts| facts.type_oid)
    }

    fn home(&self) -> &str {
        &self.table.source.schema
    }
}

/// The statement that makes a view, or puts a new text in place of the one it has.
pub fn create_view(schema: &str, name: &str, select: &str) -> String {
    format!(
        "CREATE OR REPLACE VIEW {} WITH (security_barrier = true) AS {select}",
        qualified(schema, name)
    )
}

/// The statement that makes a materialized view, filled or not.
pub fn create_materialized(schema: &str, name: &str, select: &str, is_filled: bool) -> String {
    let rest = if is_filled { "" } else { " WITH NO DATA" };
    format!(
        "CREATE MATERIALIZED VIEW {} AS {select}{rest}",
        qualified(schema, name)
    )
}
