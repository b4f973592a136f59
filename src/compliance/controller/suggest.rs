//! A beginning of the section of columns: what looks personal, by table and category.

use std::collections::BTreeMap;

use crate::compliance::inventory::{Column, Inventory, class};
use crate::profile::written::{can_be_named, flow};

/// Whether a fact can name it: as read back, without spaces around it.
fn is_told(name: &str) -> bool {
    can_be_named(name) && name.trim() == name
}

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
    let mut out = String::new();
    // What a fact cannot name is said, and is no part of the document.
    groups.retain(|(schema, table, _), columns| {
        let is_named = !schema.contains('.') && !table.contains('.');
        let mut left_out = Vec::new();
        columns.retain(|column| {
            let names = [*schema, *table, &column.name];
            let stays = is_named && names.into_iter().all(is_told);
            if !stays {
                left_out.push(flow(&column.shown()));
            }
            stays
        });
        for name in left_out {
            out.push_str(&format!("# cannot be declared: {name}\n"));
        }
        !columns.is_empty()
    });
    if groups.is_empty() {
        out.push_str("columns: {}\n");
        return out;
    }
    out.push_str("columns:\n");
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
        out.push_str(&format!(
            "  c{}:\n    activity: {}\n    table: {}\n    columns: [{}]\n    category: {}\n    \
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
