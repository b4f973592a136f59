//! Labels of PostgreSQL Anonymizer.
//!
//! A label is text that was checked when it was made, if at all: what of it is not understood is said
//! in the report. The provider is `anon`, or that of another masking policy.

pub mod expression;
pub mod functions;
pub mod generators;
pub mod script;

use super::catalog::{Catalog, Facts};
use super::lexer::{Lexer, Token};
use super::{Kind, Mask, Outcome, Rules};
use crate::error::{Error, Kind as ErrorKind};
use expression::Expression;

/// What a label is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A column.
    Column {
        /// Schema of the table.
        schema: String,
        /// Table.
        table: String,
        /// Column.
        column: String,
    },
    /// A table.
    Table {
        /// Schema.
        schema: String,
        /// Table.
        table: String,
    },
    /// Anything else: what, and its name.
    Other {
        /// `role`, `database`, `schema`, `function`.
        kind: String,
        /// Its name.
        name: String,
    },
}

/// A label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What it is about.
    pub object: Object,
    /// Its text.
    pub text: String,
}

/// The longest label that is taken apart, in bytes.
const LONGEST: usize = 10_000;

/// The most labels that are taken in: more than a profile has room for.
pub const MOST: usize = 20_000;

/// What is said of more labels than [`MOST`].
pub fn too_many() -> Error {
    Error::new(ErrorKind::ProgramLimit, "there are too many labels")
        .with_detail(format!("At most {MOST} are read."))
}

/// Gathers what labels say of a schema.
pub fn rules<'a>(schema: &str, labels: &[Label], catalog: &'a Catalog) -> Rules<'a> {
    let mut rules = Rules::new(schema, catalog);
    // Rules of partitions come last: where the whole table has one, it counts.
    let is_part = |label: &&Label| match &label.object {
        Object::Column { table, .. } => catalog.is_part(table),
        _ => false,
    };
    let (parts, whole): (Vec<_>, Vec<_>) = labels.iter().partition(is_part);
    for label in whole.into_iter().chain(parts) {
        add(&mut rules, label);
    }
    rules.name_others();
    rules
}

fn add(rules: &mut Rules<'_>, label: &Label) {
    let elsewhere = |schema: &str| schema != rules.schema;
    match &label.object {
        Object::Column { schema, table, .. } | Object::Table { schema, table }
            if elsewhere(schema) =>
        {
            let object = format!("{schema}.{table}");
            rules.missing(
                &object,
                &label.text,
                "it is in another schema: import that one too",
            );
        }
        Object::Column { table, column, .. } => {
            let facts = rules.facts(table, column);
            let outcome = outcome(&label.text, column, &facts);
            rules.add(table, column, &label.text, outcome);
        }
        Object::Table { table, .. } => {
            rules.name(table);
            rules.missing(table, &label.text, about_a_table(&label.text));
        }
        Object::Other { kind, name } => {
            let why = about_another(kind, &label.text);
            rules.missing(&format!("{kind} {name}"), &label.text, why);
        }
    }
}

fn about_a_table(text: &str) -> &'static str {
    let mut words = Lexer::new(text);
    match words.next() {
        Some(first) if first.is("tablesample") => {
            "no share of rows is taken: `limit` copies a number of rows, `subset` rows with all that \
             belongs to them"
        }
        Some(first) if first.is("masked") => {
            "every row is masked; a condition would leave rows in clear"
        }
        _ => "a label of a table that is not known",
    }
}

fn about_another(kind: &str, text: &str) -> &'static str {
    let first = Lexer::new(text).next();
    let is = |word: &str| first.as_ref().is_some_and(|first| first.is(word));
    if is("tablesample") {
        "no share of rows is taken: `limit` copies a number of rows, `subset` rows with all that \
         belongs to them"
    } else if kind == "role" && is("masked") {
        "give the role masked views in place of the tables: confiture.create_masked_views, then GRANT \
         SELECT on them"
    } else if is("trusted") || is("untrusted") || is("restricted") {
        "not needed: a profile names strategies and calls no function"
    } else {
        "a label that is not known"
    }
}

/// What takes the place of the label of a column.
fn outcome(text: &str, column: &str, facts: &Facts<'_>) -> Outcome {
    if text.len() > LONGEST {
        return Outcome::missing("the label is longer than what is read of one");
    }
    let tokens: Vec<Token> = Lexer::new(text).collect();
    let words = |words: &[&str]| {
        tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token.is(word))
    };
    if words(&["not", "masked"]) && tokens.len() == 2 {
        return Outcome::Preserved;
    }
    let is_value = words(&["masked", "with", "value"]);
    if !is_value && !words(&["masked", "with", "function"]) {
        return Outcome::missing("a label that is not known");
    }
    match expression::read(&tokens[3..]) {
        Some(found) if is_value => value(&found, facts),
        Some(found) => masked(&found, column, facts),
        None => Outcome::missing("the label is not understood"),
    }
}

/// What a function there makes of a column.
fn masked(found: &Expression, column: &str, facts: &Facts<'_>) -> Outcome {
    match found {
        Expression::Call { schema, name, .. }
            if !matches!(schema.as_deref(), Some("anon" | "pg_catalog")) =>
        {
            Outcome::missing(format!(
                "function {} is yours: no strategy calls functions",
                crate::profile::document::word(name)
            ))
        }
        Expression::Call {
            name, arguments, ..
        } => functions::of(name, arguments, column, facts),
        _ => Outcome::missing("it is no call of a function"),
    }
}

/// What a constant there makes of a column.
fn value(found: &Expression, facts: &Facts<'_>) -> Outcome {
    let constant = match found {
        Expression::Null => return Outcome::exact(Mask::new(Kind::Null)),
        Expression::Bool(value) => value.to_string(),
        Expression::Number(text) | Expression::Text(text) => text.clone(),
        Expression::Column(_) => {
            return Outcome::missing("the value of another column is not taken");
        }
        _ => return Outcome::missing("it is no constant"),
    };
    let outcome = Outcome::exact(Mask::new(Kind::Constant).with("replacement", constant));
    if facts.not_null {
        outcome
    } else {
        outcome.but("NULL stays NULL, where there it became the constant")
    }
}

#[cfg(test)]
mod tests;
