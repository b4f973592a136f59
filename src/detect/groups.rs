//! Columns that must be treated alike, because foreign keys tie them together.

use std::collections::HashMap;

use crate::sync::facts::Table;

/// A column: the place of its table, and its place there.
pub type Place = (usize, usize);

/// Every column with the group it belongs to: that of the columns it refers to and is referred by.
pub fn groups(tables: &[&Table]) -> Vec<Vec<Place>> {
    let mut parents: HashMap<Place, Place> = HashMap::new();
    fn root(parents: &HashMap<Place, Place>, mut of: Place) -> Place {
        while let Some(parent) = parents.get(&of) {
            of = *parent;
        }
        of
    }
    let by_oid: HashMap<u32, usize> = tables
        .iter()
        .enumerate()
        .map(|(place, table)| (table.oid, place))
        .collect();
    let place = |table: usize, name: &str| {
        let column = tables[table]
            .columns
            .iter()
            .position(|of| of.name == name)?;
        Some((table, column))
    };
    for (here, table) in tables.iter().enumerate() {
        for key in table.constraints.iter().filter(|key| key.kind == 'f') {
            let there = key
                .target
                .as_ref()
                .and_then(|target| by_oid.get(&target.oid));
            let Some(there) = there else { continue };
            for (one, other) in key.columns.iter().zip(&key.target_columns) {
                if let (Some(one), Some(other)) = (place(here, one), place(*there, other)) {
                    let (one, other) = (root(&parents, one), root(&parents, other));
                    if one != other {
                        parents.insert(one.max(other), one.min(other));
                    }
                }
            }
        }
    }
    let mut found: HashMap<Place, Vec<Place>> = HashMap::new();
    for (here, table) in tables.iter().enumerate() {
        for column in 0..table.columns.len() {
            let at = (here, column);
            found.entry(root(&parents, at)).or_default().push(at);
        }
    }
    let mut groups: Vec<_> = found.into_values().collect();
    groups.sort();
    groups
}
