//! How many rows are likely to be copied, reckoned from the server's estimates: shares of a table
//! pass along references, as if rows referred to each other evenly.

use super::{Cover, Scope};
use crate::error::counted;
use crate::sync::plan::Plan;

/// What the server expects of one table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected {
    /// Rows that the condition on the table lets through.
    pub filtered: Option<f64>,
    /// Rows that a subset begins with.
    pub seeds: Option<f64>,
}

/// Rounds beyond which shares hardly change.
const ROUNDS: usize = 20;

/// The rows that are likely to be copied, by table.
pub fn rows(plan: &Plan, scope: Option<&Scope>, expected: &[Expected]) -> Vec<f64> {
    let all: Vec<f64> = plan
        .tables
        .iter()
        .map(|table| table.rows.max(0.0))
        .collect();
    let open: Vec<f64> = all
        .iter()
        .zip(expected)
        .map(|(all, of)| of.filtered.unwrap_or(*all).min(*all))
        .collect();
    let Some(scope) = scope else { return open };
    let share = |part: f64, i: usize| if all[i] > 0.0 { part / all[i] } else { 0.0 };
    let mut kept: Vec<f64> = scope
        .covers
        .iter()
        .enumerate()
        .map(|(i, cover)| match cover {
            Cover::Empty => 0.0,
            Cover::Uncut => open[i],
            Cover::Kept => expected[i].seeds.unwrap_or(0.0) * share(open[i], i),
        })
        .collect();
    let limited = |i: usize, rows: f64| match plan.tables[i].limit {
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        Some(limit) => rows.min(limit as f64),
        None => rows,
    };
    for _ in 0..ROUNDS {
        for (i, rows) in kept.iter_mut().enumerate() {
            *rows = limited(i, *rows);
        }
        for link in &plan.links {
            let (child, parent) = (link.child, link.parent);
            let passed = open[child] * share(kept[parent], parent);
            match scope.covers[child] {
                Cover::Kept => kept[child] = limited(child, kept[child].max(passed)),
                Cover::Uncut => kept[child] = kept[child].min(passed),
                Cover::Empty => {}
            }
        }
    }
    for _ in 0..ROUNDS {
        for link in &plan.links {
            // What rows came down from is among what is kept already, or most of it.
            if scope.covers[link.parent] == Cover::Kept && !scope.downs[link.parent] {
                let needed = kept[link.child].min(all[link.parent]);
                kept[link.parent] = kept[link.parent].max(needed);
            }
        }
    }
    kept
}

/// The estimate in words.
pub fn note(plan: &Plan) -> String {
    const MOST: usize = 10;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate that is not negative"
    )]
    let shown: Vec<_> = plan
        .tables
        .iter()
        .take(MOST)
        .map(|table| {
            format!(
                "{:.0} of {} of {}",
                table.expected,
                counted(table.rows.round() as u64, "row"),
                table.source.name
            )
        })
        .collect();
    let more = plan.tables.len().saturating_sub(MOST);
    let more = if more > 0 {
        format!(", and {more} more tables")
    } else {
        String::new()
    };
    format!("to be copied are about {}{more}", shown.join(", "))
}
