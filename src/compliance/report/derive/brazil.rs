//! Whether Brazil's law asks for the notice of an incident: Resolution CD/ANPD 15/2024, Article 5.

use serde_json::{Map, Value, json};

use super::incidents::none;
use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::inventory::{Column, class};
use crate::compliance::report::definition::Found;
use crate::signs::Category;

/// A significant effect, and one of six marks. That none is there is known where each was looked into:
/// what nobody has said, and what the catalog does not show, is unknown.
pub fn test_of_notice(facts: &Facts) -> Found {
    if facts.controller.of("incident").next().is_none() {
        return none();
    }
    let mut value = Map::new();
    let mut open = Vec::new();
    for incident in facts.controller.of("incident") {
        let marks = marks(facts, incident);
        let of = |answer: Option<bool>| -> Vec<&str> {
            let marks = marks.iter().filter(|(_, is)| *is == answer);
            marks.map(|(name, _)| *name).collect()
        };
        let (marked, unknown) = (of(Some(true)), of(None));
        let effect = incident.flag("significant_effect");
        let asked = match effect {
            Some(false) => Some(false),
            Some(true) if !marked.is_empty() => Some(true),
            Some(true) if unknown.is_empty() => Some(false),
            _ => None,
        };
        if effect.is_none() {
            open.push(format!("significant_effect of {}", incident.id));
        } else if asked.is_none() {
            open.extend(lacks(facts, incident));
        }
        value.insert(
            incident.id.clone(),
            json!({"significant_effect": effect, "marks": marked, "not_known": unknown,
                   "notice_asked_for": asked}),
        );
    }
    let mut found = Found::declared(Value::Object(value), "incidents");
    if !open.is_empty() {
        open.truncate(20);
        found = found.open(format!("Declare {}.", open.join(", ")));
    }
    let mut of = facts.controller.of("incident");
    if of.any(|fact| !fact.has("secrecy")) {
        return found.noting("Secrets of a profession are told by no column: declare secrecy.");
    }
    found
}

const AGES: [&str; 3] = [
    "children_affected",
    "adolescents_affected",
    "elderly_affected",
];

/// The six marks; `None` of one that nobody can tell.
fn marks(facts: &Facts, incident: &Fact) -> [(&'static str, Option<bool>); 6] {
    let columns: Vec<_> = columns(facts, incident).collect();
    let named: Vec<Category> = categories(incident).collect();
    let is_whole = lacks_of_data(facts, incident).is_empty();
    let of = |is_there: bool| is_there.then_some(true).or(is_whole.then_some(false));
    let any = |is: fn(Category) -> bool| {
        let seen = columns.iter().filter_map(|column| column.category);
        of(seen.chain(named.iter().copied()).any(is))
    };
    let is_sensitive = columns.iter().any(|column| column.is_sensitive())
        || named.iter().copied().any(class::is_sensitive);
    let ages = AGES.map(|field| incident.count(field).map(|count| count > 0));
    let of_age = if ages.contains(&Some(true)) {
        Some(true)
    } else {
        (!ages.contains(&None)).then_some(false)
    };
    [
        ("sensitive", of(is_sensitive)),
        ("children_adolescents_elderly", of_age),
        ("financial", any(class::is_financial)),
        (
            "authentication",
            any(|category| category == Category::Secret),
        ),
        ("secrecy", incident.flag("secrecy")),
        ("large_scale", incident.flag("large_scale")),
    ]
}

/// The personal columns of the tables of an incident.
fn columns<'a>(facts: &'a Facts, incident: &'a Fact) -> impl Iterator<Item = &'a Column> {
    let tables = incident.list("tables");
    facts.inventory.personal().filter(move |column| {
        let table = format!("{}.{}", column.schema, column.table);
        tables.contains(&table.as_str())
    })
}

/// The declared categories that are kinds of data known by that name.
fn categories(incident: &Fact) -> impl Iterator<Item = Category> {
    let named = incident.list("categories");
    Category::ALL
        .into_iter()
        .filter(move |category| named.contains(&category.name()))
}

/// What must be known before none of the kinds of data is an answer: names of columns alone do not tell.
fn lacks_of_data(facts: &Facts, incident: &Fact) -> Vec<String> {
    let mut open: Vec<String> = ["tables", "categories"]
        .iter()
        .filter(|field| !incident.has(field))
        .map(|field| format!("{field} of {}", incident.id))
        .collect();
    for table in incident.list("tables") {
        if !facts.inventory.has_table(table) {
            open.push(format!(
                "what {table} holds, which is not among the tables that were looked at"
            ));
            continue;
        }
        let mut of = columns(facts, incident)
            .filter(|column| format!("{}.{}", column.schema, column.table) == table)
            .peekable();
        if of.peek().is_none() {
            open.push(format!("the columns of {table}"));
        }
        let silent = of.filter(|column| !column.is_classed());
        open.extend(silent.map(|column| format!("the sensitivity of {}", column.shown())));
    }
    open
}

/// The same for all six.
fn lacks(facts: &Facts, incident: &Fact) -> Vec<String> {
    let mut open = lacks_of_data(facts, incident);
    let silent = AGES.iter().chain(&["secrecy", "large_scale"]);
    let silent = silent.filter(|field| !incident.has(field));
    open.extend(silent.map(|field| format!("{field} of {}", incident.id)));
    open
}
