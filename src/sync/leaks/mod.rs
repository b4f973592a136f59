//! Texts that give a row away: whether what is kept of a row still holds one of its identifiers.
//!
//! Identifiers are the source values of the columns of a row that are masked or excluded. Texts
//! are what a reader finds beside them: text columns that are copied, masked by `text` or `json`,
//! and documents. Both meet while the row is on its way, in memory, and nothing but counts is kept.

pub mod needle;
pub mod running;

use super::facts::{Column, Side};
use super::plan::{Decision, Plan, TablePlan};
use crate::pg::ident::quote;
use crate::strategies::Kind;

/// Most arguments of a call for identifiers, in pairs, and for texts: a function takes 100.
const MOST_IDENTIFIERS: usize = 24;
const MOST_TEXTS: usize = 40;

/// What is looked at in the rows of a table.
#[derive(Debug, PartialEq)]
pub struct Watched<'a> {
    /// The columns whose source values are identifiers; whether they are written.
    identifiers: Vec<&'a str>,
    /// The columns whose new values are read, and whether they are JSON.
    pub texts: Vec<(&'a str, bool)>,
}

impl<'a> Watched<'a> {
    /// What is looked at; `None` where a table has no texts or no identifiers.
    pub fn of(table: &'a TablePlan, side: &Side) -> Option<Self> {
        let mut watched = Self {
            identifiers: Vec::new(),
            texts: Vec::new(),
        };
        for (column, facts) in table.columns.iter().zip(&table.source.columns) {
            let form = Form::of(facts, side);
            let is_text = matches!(form, Form::Json | Form::Text | Form::Texts);
            match &column.decision {
                Decision::Copied | Decision::Preserved { .. } if is_text => {
                    watched.texts.push((&column.name, form == Form::Json));
                }
                Decision::Masked(masked)
                    if is_text && matches!(masked.strategy.kind(), Kind::Json | Kind::Text) =>
                {
                    watched.texts.push((&column.name, form == Form::Json));
                }
                Decision::Masked(_) | Decision::Excluded { .. }
                    if matches!(form, Form::Text | Form::Number) =>
                {
                    watched.identifiers.push(&column.name);
                }
                _ => {}
            }
        }
        (!watched.identifiers.is_empty() && !watched.texts.is_empty()).then_some(watched)
    }

    /// Columns of the inner query with their names: identifiers as the source holds them.
    pub fn columns(&self) -> impl Iterator<Item = (String, String)> {
        self.identifiers.iter().enumerate().map(|(i, name)| {
            (
                format!("(s.{})::pg_catalog.text", quote(name)),
                format!("i{i}"),
            )
        })
    }

    /// The calls that look at a row: the number of the table, of the first text, how many
    /// identifiers there are, each with what was written in its place, and the texts. `place` is
    /// where a column stands among those written, and `read` reads an identifier by its name.
    pub fn calls(
        &self,
        number: usize,
        place: impl Fn(&str) -> Option<usize>,
        read: impl Fn(&str) -> String,
    ) -> Vec<String> {
        let written = |name: &str| {
            place(name).map_or("NULL::pg_catalog.text".to_owned(), |i| {
                format!("(m.c{i})::pg_catalog.text")
            })
        };
        let identifiers: Vec<_> = self
            .identifiers
            .iter()
            .enumerate()
            .map(|(i, name)| format!(", {}, {}", read(&format!("i{i}")), written(name)))
            .collect();
        let texts: Vec<_> = self
            .texts
            .iter()
            .map(|(name, _)| format!(", {}", written(name)))
            .collect();
        let mut calls = Vec::new();
        for (turn, texts) in texts.chunks(MOST_TEXTS).enumerate() {
            let first = turn * MOST_TEXTS;
            for identifiers in identifiers.chunks(MOST_IDENTIFIERS) {
                calls.push(format!(
                    "confiture._run_scan({number}, {first}, {}{}{})",
                    identifiers.len(),
                    identifiers.concat(),
                    texts.concat()
                ));
            }
        }
        calls
    }
}

/// The tables of a plan that are looked at, in the order of their numbers.
pub fn watched<'a>(plan: &'a Plan, side: &Side) -> Vec<(&'a str, Watched<'a>)> {
    plan.tables
        .iter()
        .filter_map(|table| Some((&*table.source.name, Watched::of(table, side)?)))
        .collect()
}

/// How the values of a column are read.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Json,
    Number,
    Other,
    Text,
    Texts,
}

impl Form {
    fn of(column: &Column, side: &Side) -> Self {
        let Some(base) = side.base_of(column.type_oid) else {
            return Self::Other;
        };
        if base.is_array {
            let element = base.inner.and_then(|oid| side.base_of(oid));
            return match element.map(|of| Self::named(&of.schema, &of.name)) {
                Some(Self::Text) => Self::Texts,
                Some(Self::Json) => Self::Json,
                _ => Self::Other,
            };
        }
        if base.kind != 'b' {
            return Self::Other;
        }
        Self::named(&base.schema, &base.name)
    }

    fn named(schema: &str, name: &str) -> Self {
        match (schema, name) {
            ("pg_catalog", "json" | "jsonb") => Self::Json,
            ("pg_catalog", "int4" | "int8" | "numeric") => Self::Number,
            ("pg_catalog", "text" | "varchar" | "bpchar" | "name") => Self::Text,
            ("pg_catalog", "uuid" | "inet" | "macaddr" | "macaddr8") => Self::Number,
            ("pg_catalog", "xml") => Self::Texts,
            ("pg_catalog", _) => Self::Other,
            (_, "citext") => Self::Text,
            (_, "hstore") => Self::Texts,
            _ => Self::Other,
        }
    }
}
