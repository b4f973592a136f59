//! What a column refuses and what it holds where nothing is written, as the rows of a run find it.

use super::facts::{Check, Column, Side, Table};
use super::plan::Input;
use crate::pg::ident::quote;

/// The column as the target has it, or will have it: NULL is refused where any partition, a domain
/// or a CHECK refuses it, and a domain's default is that of its columns.
pub fn as_stored(input: &Input<'_>, table: &Table, column: &Column) -> Column {
    let mut stored = column.clone();
    let there = input.target.table(&table.name);
    let mut sides = vec![(input.source, table)];
    sides.extend(there.map(|there| (input.target, there)));
    for (side, table) in sides {
        let parts = side.partitions(table.oid).into_iter();
        for table in parts.chain(std::iter::once(table)) {
            let of = table.columns.iter().find(|of| of.name == column.name);
            stored.not_null |= of.is_some_and(|of| refuses_null(table, of, side));
        }
    }
    // What the target has is used as it is.
    let there = there.and_then(|there| there.columns.iter().find(|of| of.name == column.name));
    let (of, side) = match there {
        Some(there) => (there, input.target),
        None => (column, input.source),
    };
    stored.default.clone_from(&of.default);
    stored.default_varies = of.default_varies;
    stored.identity.clone_from(&of.identity);
    if let Some(domain) = side.type_of(of.type_oid).filter(|of| of.kind == 'd')
        && stored.default.is_none()
    {
        stored.default.clone_from(&domain.default);
        stored.default_varies = domain.default_varies;
    }
    stored
}

/// Whether a column holds something where nothing is written.
pub fn is_filled(stored: &Column) -> bool {
    stored.default.is_some() || !stored.identity.is_empty()
}

fn refuses_null(table: &Table, column: &Column, side: &Side) -> bool {
    let by_check = || {
        // The server quotes a name where it must.
        let names = [column.name.clone(), quote(&column.name)];
        let texts = names.map(|name| format!("CHECK ({name} IS NOT NULL)"));
        let mut checks = table.constraints.iter().filter(|of| of.kind == 'c');
        checks.any(|check| check.validated && texts.contains(&check.definition))
    };
    let by_domain = || {
        let text = "CHECK (VALUE IS NOT NULL)";
        let is_it = |check: &Check| check.validated && check.definition == text;
        let mut of = side.type_of(column.type_oid);
        while let Some(domain) = of.filter(|of| of.kind == 'd') {
            if domain.not_null || domain.checks.iter().any(is_it) {
                return true;
            }
            of = domain.inner.and_then(|inner| side.type_of(inner));
        }
        false
    };
    column.not_null || by_domain() || by_check()
}
