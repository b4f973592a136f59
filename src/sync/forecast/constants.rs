//! Constants in the definitions that a copy shares with its source: nobody masks them.

use super::warnings::{Found, Severity};
use crate::pg::ident::quote;
use crate::sync::facts::{Sequence, Side};
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
    for column in of.columns.iter().filter(|column| column.is_generated()) {
        let reads_masked = column.reads.iter().any(|name| is_masked(name));
        if reads_masked && column.default.as_deref().is_some_and(speaks) {
            let (name, table) = (&column.name, of.shown());
            add(
                name,
                format!("the expression of column \"{name}\" of table {table}"),
            );
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
        if let Some(of) = column.sequence.as_ref().filter(|of| begins_somewhere(of)) {
            let (schema, name) = (&of.schema, &of.name);
            add(&column.name, format!("sequence \"{schema}.{name}\""));
        }
        let mut domain = source.type_of(column.type_oid);
        while let Some(around) = domain.filter(|of| of.kind == 'd' || of.is_array) {
            let mut texts = around.checks.iter().map(|check| &check.definition);
            if texts.any(|text| speaks(text)) || around.default.as_deref().is_some_and(speaks) {
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

/// Whether a sequence begins, or ends in the direction that it comes from, at a number of three digits
/// or more that is no end of its type: perhaps somebody's.
fn begins_somewhere(sequence: &Sequence) -> bool {
    let first = match sequence.increment {
        1.. => sequence.min,
        _ => sequence.max,
    };
    let ends = [
        i64::MIN,
        i64::from(i32::MIN),
        i64::from(i16::MIN),
        i64::from(i16::MAX),
        i64::from(i32::MAX),
        i64::MAX,
    ];
    [sequence.start, first]
        .iter()
        .any(|number| number.unsigned_abs() >= 100 && !ends.contains(number))
}

/// Whether a definition holds a constant that could say something of somebody: in a literal three
/// letters or digits in a row, outside of the brackets of a pattern; or a number of five digits, for
/// lengths and limits have fewer.
fn speaks(definition: &str) -> bool {
    let mut code = definition.split('\'').step_by(2);
    code.any(has_long_number) || literals_speak(definition)
}

fn has_long_number(code: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let mut words = code.split(|c| !is_part(c));
    words.any(|word| word.len() >= 5 && word.bytes().all(|byte| byte.is_ascii_digit()))
}

fn literals_speak(definition: &str) -> bool {
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
            "CHECK ((pin <> 777123))",
            "CHECK ((amount < 10000.5))",
        ] {
            assert!(speaks(text), "{text}");
        }
        for text in [
            "CHECK (email ~ '^[a-z0-9]+@'::text)",
            "CHECK (length(code) = 10)",
            "CHECK (code ~ '^[[:alpha:]]{2,64}$'::text)",
            "CHECK (sex = ANY (ARRAY['m'::text, 'f'::text]))",
            "CHECK ((length(t12345) < 1024))",
        ] {
            assert!(!speaks(text), "{text}");
        }
    }

    #[test]
    fn sequences_that_begin_at_somebody_are_told_from_the_usual_ones() {
        let of = |start, increment, min, max| Sequence {
            schema: "s".into(),
            name: "q".into(),
            type_name: "bigint".into(),
            start,
            increment,
            min,
            max,
            cache: 1,
            cycle: false,
        };
        let up = |start, min| begins_somewhere(&of(start, 1, min, i64::MAX));
        assert!(!up(1, 1) && !up(10, 1) && !up(i64::MIN, i64::MIN));
        assert!(!begins_somewhere(&of(-1, -1, i64::MIN, -1)));
        assert!(up(7_770_000_000_001, 1) && up(1000, 1000));
        assert!(begins_somewhere(&of(-5000, -1, i64::MIN, -1)));
    }

    #[test]
    fn columns_are_found_in_definitions_as_whole_names() {
        assert!(mentions("btree (id) WHERE (email = 'x'::text)", "email"));
        assert!(!mentions("btree (id) WHERE (email2 = 'x'::text)", "email"));
        assert!(mentions("btree (lower(\"E mail\"))", "E mail"));
        assert!(!mentions("btree (\"E mail\")", "mail"));
    }
}
