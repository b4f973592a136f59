//! Constants in the definitions that a copy shares with its source: nobody masks them.

use super::warnings::{Found, Severity};
use crate::pg::ident::quote;
use crate::sync::facts::Side;
use crate::sync::plan::{Decision, TablePlan};

/// Constants of definitions that read masked columns: they are copied as they are.
pub fn of(table: &TablePlan, source: &Side, found: &mut Found) {
    let of = &table.source;
    let is_masked = |name: &str| matches!(table.decision(name), Some(Decision::Masked(_)));
    let mut add = |column: &str, what: String| {
        found.add(
            "check_constant",
            Severity::Warning,
            (Some(&of.name), Some(column)),
            format!("{what} holds a constant, which is copied as it is"),
            "See that it is nobody's: no mask and no check looks there.",
        );
    };
    let own = of.constraints.iter().filter(|check| check.kind == 'c');
    for check in own.filter(|check| speaks(&check.definition)) {
        for column in check.columns.iter().filter(|name| is_masked(name)) {
            let (name, table) = (&check.name, of.shown());
            add(column, format!("constraint \"{name}\" of table {table}"));
        }
    }
    for column in of.columns.iter().filter(|column| is_masked(&column.name)) {
        if column.default.as_deref().is_some_and(speaks) {
            let (name, table) = (&column.name, of.shown());
            add(
                name,
                format!("the default of column \"{name}\" of table {table}"),
            );
        }
        let mut domain = source.type_of(column.type_oid);
        while let Some(around) = domain.filter(|of| of.kind == 'd' || of.is_array) {
            if around.checks.iter().any(|check| speaks(&check.definition)) {
                let (schema, name) = (&around.schema, &around.name);
                add(&column.name, format!("domain \"{schema}.{name}\""));
            }
            domain = around.inner.and_then(|inner| source.type_of(inner));
        }
        for index in &of.indexes {
            let behind = index.definition.split_once(" USING ");
            let text = behind.map_or(&*index.definition, |(_, text)| text);
            if speaks(text) && mentions(text, &column.name) {
                let (name, table) = (&index.name, of.shown());
                add(&column.name, format!("index \"{name}\" of table {table}"));
            }
        }
    }
}

/// Whether a definition holds a literal that could say something of somebody: three letters or
/// digits in a row, outside of the brackets of a pattern.
fn speaks(definition: &str) -> bool {
    let mut literals = definition.split('\'').skip(1).step_by(2);
    literals.any(|literal| {
        let (mut depth, mut run) = (0_u32, 0);
        literal.chars().any(|c| {
            match c {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            run = if depth == 0 && c.is_alphanumeric() {
                run + 1
            } else {
                0
            };
            run >= 3
        })
    })
}

/// Whether a definition mentions a column, bare or in double quotes.
fn mentions(definition: &str, column: &str) -> bool {
    if definition.contains(&quote(column)) {
        return true;
    }
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '"');
    definition.match_indices(column).any(|(at, _)| {
        let before = definition[..at].chars().next_back();
        let after = definition[at + column.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_that_may_be_somebodys_are_told_from_patterns() {
        for text in [
            "CHECK (email <> 'ada@work.example'::text)",
            "CHECK (code = ANY (ARRAY['a'::text, '007'::text]))",
            "WHERE (note ~~ '%secret%'::text)",
        ] {
            assert!(speaks(text), "{text}");
        }
        for text in [
            "CHECK (email ~ '^[a-z0-9]+@'::text)",
            "CHECK (length(code) = 10)",
            "CHECK (code ~ '^[[:alpha:]]{2,64}$'::text)",
            "CHECK (sex = ANY (ARRAY['m'::text, 'f'::text]))",
        ] {
            assert!(!speaks(text), "{text}");
        }
    }

    #[test]
    fn columns_are_found_in_definitions_as_whole_names() {
        assert!(mentions("btree (id) WHERE (email = 'x'::text)", "email"));
        assert!(!mentions("btree (id) WHERE (email2 = 'x'::text)", "email"));
        assert!(mentions("btree (lower(\"E mail\"))", "E mail"));
        assert!(!mentions("btree (\"E mail\")", "mail"));
    }
}
