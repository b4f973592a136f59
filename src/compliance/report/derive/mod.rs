//! What lines derive from the facts: from columns, from requests and from incidents.

pub mod columns;
pub mod incidents;
pub mod requests;
pub mod retention;

use serde_json::Value;

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
