//! The record of processing: what is declared of each activity, and what it lacks. Reports show it, and
//! the evidence of the matrix is weighed by the same.

use super::Facts;
use super::controller::Fact;
use super::inventory::Column;

/// Kinds of measures that a general description of security has.
pub const SECURITY: &[&str] = &["access_control", "encryption", "backup"];

/// The activities of the controller's own.
pub fn own(facts: &Facts) -> impl Iterator<Item = &Fact> {
    let of = facts.controller.of("activity");
    of.filter(|fact| fact.word("role") != Some("processor"))
}

/// Those that are carried out for others.
pub fn processing(facts: &Facts) -> impl Iterator<Item = &Fact> {
    facts.controller.with("activity", "role", "processor")
}

/// The personal columns of an activity.
pub fn columns<'a>(facts: &'a Facts, activity: &'a Fact) -> impl Iterator<Item = &'a Column> {
    facts.inventory.personal().filter(|column| {
        let declared = column.declared.as_ref();
        declared.is_some_and(|declared| declared.activities.contains(&activity.id))
    })
}

/// Facts of a kind that are about an activity: those that name it, or none.
pub fn about<'a>(
    facts: &'a Facts,
    kind: &'a str,
    activity: &'a Fact,
) -> impl Iterator<Item = &'a Fact> {
    facts.controller.of(kind).filter(|fact| {
        let named = fact.list("activities");
        named.is_empty() || named.contains(&activity.id.as_str())
    })
}

/// Retention rules of an activity: those that name it, one of its categories, or all.
pub fn retention<'a>(facts: &'a Facts, activity: &'a Fact) -> Vec<&'a Fact> {
    let categories: Vec<String> = columns(facts, activity)
        .map(Column::category_shown)
        .collect();
    let is_of = |rule: &&Fact| {
        let named = rule.list("activities");
        let category = rule.word("category").unwrap_or_default();
        named.contains(&activity.id.as_str())
            || named.is_empty() && (category == "all" || categories.iter().any(|of| of == category))
    };
    facts
        .controller
        .of("retention_rule")
        .filter(is_of)
        .collect()
}

/// What the data of an activity lack.
pub fn lacks_columns(facts: &Facts, activity: &Fact) -> Vec<String> {
    match columns(facts, activity).next() {
        Some(_) => Vec::new(),
        None => vec![format!("the columns of {}", activity.id)],
    }
}

/// What is not said of who receives the data of an activity. That nobody does is said with
/// `disclosed: false`.
pub fn lacks_recipients(facts: &Facts, activity: &Fact) -> Vec<String> {
    let mut of = about(facts, "recipient", activity).peekable();
    if of.peek().is_none() && (!activity.has("disclosed") || activity.is("disclosed")) {
        let id = &activity.id;
        return vec![format!("the recipients of {id}, or disclosed: false")];
    }
    of.flat_map(|recipient| lacks(recipient, &["category", "country"]))
        .collect()
}

/// What is not said of where the data of an activity go, and what safeguards them there.
pub fn lacks_transfers(facts: &Facts, activity: &Fact) -> Vec<String> {
    let mut open = Vec::new();
    for transfer in about(facts, "transfer", activity) {
        if transfer.word("mechanism") == Some("none") {
            let id = &transfer.id;
            open.push(format!("the mechanism of {id}: none is no safeguard"));
        }
        open.extend(lacks(transfer, needed_of(transfer)));
    }
    let named = |fact: &&Fact| {
        let named = fact.list("activities");
        named.is_empty() || named.contains(&activity.id.as_str())
    };
    open.extend(facts.abroad().filter(named).map(lacks_transfer));
    open
}

/// What a recipient elsewhere lacks that no transfer covers.
pub fn lacks_transfer(recipient: &Fact) -> String {
    format!(
        "a transfer to recipient {} in {}",
        recipient.id,
        recipient.word("country").unwrap_or_default()
    )
}

/// The fields that a transfer needs. Where the protection is found adequate nothing else is needed.
pub fn needed_of(transfer: &Fact) -> &'static [&'static str] {
    match transfer.word("mechanism") {
        Some("adequacy") => &["country", "mechanism"],
        _ => &["country", "mechanism", "safeguard_document"],
    }
}

/// What is not said of how long the data of an activity are kept.
pub fn lacks_retention(facts: &Facts, activity: &Fact) -> Vec<String> {
    let rules = retention(facts, activity);
    match rules.iter().any(|rule| rule.has("max")) {
        true => Vec::new(),
        false => vec![format!("a retention rule with max for {}", activity.id)],
    }
}

/// Fields that a fact has not.
fn lacks(fact: &Fact, needed: &[&str]) -> Vec<String> {
    needed
        .iter()
        .filter(|field| !fact.has(field))
        .map(|field| format!("{field} of {}", fact.id))
        .collect()
}
