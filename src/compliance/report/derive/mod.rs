//! What lines derive from the facts: from activities, columns, retention rules, consent, transfers,
//! requests and incidents.

pub mod activities;
pub mod brazil;
pub mod columns;
pub mod disclosure;
pub mod incidents;
pub mod metrics;
pub mod requests;
pub mod retention;
pub mod transfers;

use serde_json::Value;

use crate::compliance::controller::Fact;
use crate::error::counted;

/// Names, of which no more than these are shown one by one.
pub fn some(names: impl Iterator<Item = String>, most: usize) -> Value {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(most);
    names.truncate(most);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.into()
}

/// Says how many facts name no jurisdiction, and so count in the report of every law.
fn counted_everywhere<'a>(facts: impl Iterator<Item = &'a Fact>, noun: &str) -> Option<String> {
    let count = facts.filter(|fact| fact.places().is_empty()).count();
    let verb = if count == 1 { "names" } else { "name" };
    (count > 0).then(|| {
        format!(
            "{} {verb} no jurisdiction, and counts in every report.",
            counted(count as u64, noun)
        )
    })
}
