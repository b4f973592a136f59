//! A beginning of the section of columns: what looks personal, by table and category.

use std::collections::BTreeMap;

use crate::compliance::inventory::{Column, Inventory, class};
use crate::profile::written::flow;

/// The section, for one activity; what is declared already is left out.
pub fn columns(inventory: &Inventory, activity: &str) -> String {
    let mut groups: BTreeMap<(&str, &str, &str), Vec<&Column>> = BTreeMap::new();
    for column in inventory.personal().filter(|of| of.declared.is_none()) {
        let category = column
            .category
            .map_or("unknown", |category| category.name());
        let key = (column.schema.as_str(), column.table.as_str(), category);
        groups.entry(key).or_default().push(column);
    }
    if groups.is_empty() {
        return "columns: {}\n".to_owned();
    }
    let mut out = String::from("columns:\n");
    for (number, ((schema, table, category), columns)) in groups.into_iter().enumerate() {
        let names: Vec<_> = columns.iter().map(|column| flow(&column.name)).collect();
        let of = columns[0].category;
        let sensitivity = if of.is_some_and(class::is_special) {
            "special"
        } else if of.is_some_and(class::is_sensitive) {
            "sensitive"
        } else {
            "ordinary"
        };
        // A period inside a name would be one between schema and table.
        let note = if schema.contains('.') || table.contains('.') {
            "  # this name cannot be declared\n"
        } else {
            ""
        };
        out.push_str(&format!(
            "  c{}:\n    activity: {}\n{note}    table: {}\n    columns: [{}]\n    category: {}\n    \
             sensitivity: {sensitivity}\n",
            number + 1,
            flow(activity),
            flow(&format!("{schema}.{table}")),
            names.join(", "),
            flow(category),
        ));
    }
    out
}
