//! Texts that give a row away: whether what is kept of a row still holds one of its identifiers.
//!
//! Identifiers are the source values of the columns of a row that are masked or excluded. Texts
//! are what a reader finds beside them: text columns that are copied, masked by `text` or `json`,
//! and documents. Both meet while the row is on its way, in memory, and nothing but counts is kept.

pub mod escapes;
pub mod identifiers;
pub mod needle;
pub mod parts;
pub mod running;

use self::escapes::Escapes;
use super::described;
use super::facts::{Column, Side};
use super::plan::{Decision, Plan, TablePlan};
use crate::pg::ident::quote;
use crate::signs::tables::Context;
use crate::signs::{self, Category, PERSONAL, Sort};
use crate::strategies::Kind;

/// Most arguments of a call for identifiers, in pairs, and for texts: a function takes 100.
const MOST_IDENTIFIERS: usize = 24;
const MOST_TEXTS: usize = 40;

/// What is looked at in the rows of a table.
#[derive(Debug, PartialEq)]
pub struct Watched<'a> {
    /// The columns whose source values are identifiers, and how they are handed over; names of
    /// persons first.
    identifiers: Vec<(&'a str, Handed)>,
    /// How many are names of persons.
    names: usize,
    /// The columns whose new values are read.
    pub texts: Vec<Read<'a>>,
}

/// A column whose new values are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Read<'a> {
    /// Its name.
    pub name: &'a str,
    /// How they are written.
    pub escapes: Escapes,
    /// Whether a mask may have put made-up names there, which are somebody's by chance.
    pub is_masked: bool,
}

/// How the value of a column is handed to the scan.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Handed {
    /// As a text.
    Text,
    /// As a document of its elements.
    Elements,
    /// As the document it is.
    Document,
}

impl Handed {
    /// The expression, of a value.
    fn of(self, value: &str) -> String {
        match self {
            Self::Text => format!("({value})::pg_catalog.text"),
            Self::Elements => format!("pg_catalog.array_to_json({value})"),
            Self::Document => format!("({value})::pg_catalog.json"),
        }
    }

    /// What stands for none.
    fn nothing(self) -> &'static str {
        match self {
            Self::Text => "NULL::pg_catalog.text",
            Self::Elements | Self::Document => "NULL::pg_catalog.json",
        }
    }
}

impl<'a> Watched<'a> {
    /// What is looked at; `None` where a table has no texts or no identifiers.
    pub fn of(table: &'a TablePlan, side: &Side) -> Option<Self> {
        let read = |name: &'a str, escapes, is_masked| Read {
            name,
            escapes,
            is_masked,
        };
        let mut texts = Vec::new();
        let mut watched = Self {
            identifiers: Vec::new(),
            names: 0,
            texts: Vec::new(),
        };
        let seen = described::table(&table.source, side);
        let context = Context::of(&seen.name, &seen.columns);
        let mut add = |name: &'a str, handed: Handed, strategy: Option<Kind>| {
            let is_name = strategy == Some(Kind::Name) || is_name(name, context);
            if handed == Handed::Text && is_name {
                watched.identifiers.insert(watched.names, (name, handed));
                watched.names += 1;
            } else {
                watched.identifiers.push((name, handed));
            }
        };
        for (column, facts) in table.columns.iter().zip(&table.source.columns) {
            let form = Form::of(facts, side);
            match (&column.decision, form.text(), form.identifier()) {
                (Decision::Copied | Decision::Preserved { .. }, Some(escapes), _) => {
                    texts.push(read(&column.name, escapes, false));
                }
                (Decision::Masked(masked), escapes, handed) => {
                    let is_text = matches!(masked.strategy.kind(), Kind::Json | Kind::Text);
                    if let Some(escapes) = escapes.filter(|_| is_text) {
                        texts.push(read(&column.name, escapes, true));
                    } else if let Some(handed) = handed {
                        add(&column.name, handed, Some(masked.strategy.kind()));
                    }
                }
                (Decision::Excluded { .. }, _, Some(handed)) => {
                    add(&column.name, handed, None);
                }
                _ => {}
            }
        }
        watched.texts = texts;
        (!watched.identifiers.is_empty() && !watched.texts.is_empty()).then_some(watched)
    }

    /// Columns of the inner query with their names: identifiers as the source holds them.
    pub fn columns(&self) -> impl Iterator<Item = (String, String)> {
        let identifiers = self.identifiers.iter().enumerate();
        identifiers
            .map(|(i, (name, handed))| (handed.of(&format!("s.{}", quote(name))), format!("i{i}")))
    }

    /// The calls that look at a row: the number of the table, of the first text, how many
    /// identifiers there are and how many of them, the first ones, are names; each with what was
    /// written in its place, and the texts. `written` is
    /// the expression of what was written into a column, and `read` that of an identifier as it is
    /// handed over, by its place and its name.
    pub fn calls(
        &self,
        number: usize,
        written: impl Fn(&str) -> Option<String>,
        read: impl Fn(usize, &str) -> String,
    ) -> Vec<String> {
        let identifiers: Vec<_> = self
            .identifiers
            .iter()
            .enumerate()
            .map(|(i, (name, handed))| {
                let written = written(name);
                let written =
                    written.map_or(handed.nothing().to_owned(), |value| handed.of(&value));
                format!(", {}, {written}", read(i, name))
            })
            .collect();
        let texts: Vec<_> = self
            .texts
            .iter()
            .map(|text| match written(text.name) {
                None => ", NULL::pg_catalog.text".to_owned(),
                // By the output function: a cast of a type may be anybody's.
                Some(value) => format!(", pg_catalog.concat({value})"),
            })
            .collect();
        let mut calls = Vec::new();
        for (turn, texts) in texts.chunks(MOST_TEXTS).enumerate() {
            let first = turn * MOST_TEXTS;
            for (turn, identifiers) in identifiers.chunks(MOST_IDENTIFIERS).enumerate() {
                let names = self.names.saturating_sub(turn * MOST_IDENTIFIERS);
                calls.push(format!(
                    "confiture._run_scan({number}, {first}, {}, {}{}{})",
                    identifiers.len(),
                    names.min(identifiers.len()),
                    identifiers.concat(),
                    texts.concat()
                ));
            }
        }
        calls
    }
}

/// Whether a column is called by names of persons, where its table is about some.
fn is_name(column: &str, context: Context) -> bool {
    let found = signs::names::read(column, Sort::Text, context);
    found.is_some_and(|found| {
        use Category::{FamilyName, GivenName, PersonName};
        found.confidence >= PERSONAL
            && matches!(found.category, FamilyName | GivenName | PersonName)
    })
}

/// The tables of a plan that are looked at, in the order of their numbers.
pub fn watched<'a>(plan: &'a Plan, side: &Side) -> Vec<(&'a str, Watched<'a>)> {
    plan.tables
        .iter()
        .filter_map(|table| Some((&*table.source.name, Watched::of(table, side)?)))
        .collect()
}

/// What sort of values a column has.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// A composite, or an array of composites.
    Composite,
    Hstore,
    Json,
    /// An array of documents.
    Jsons,
    /// A language of paths, with texts as in JSON.
    Jsonpath,
    Lexemes,
    /// Numbers, and what is written as one word.
    Number,
    Other,
    Text,
    /// An array of texts.
    Texts,
    Xml,
}

impl Form {
    fn of(column: &Column, side: &Side) -> Self {
        let Some(base) = side.base_of(column.type_oid) else {
            return Self::Other;
        };
        if base.is_array {
            let Some(element) = base.inner.and_then(|oid| side.base_of(oid)) else {
                return Self::Other;
            };
            return match (element.kind, Self::named(&element.schema, &element.name)) {
                ('c', _) => Self::Composite,
                (_, Self::Text) => Self::Texts,
                (_, Self::Json) => Self::Jsons,
                _ => Self::Other,
            };
        }
        match base.kind {
            'c' => Self::Composite,
            'b' => Self::named(&base.schema, &base.name),
            _ => Self::Other,
        }
    }

    fn named(schema: &str, name: &str) -> Self {
        match (schema, name) {
            ("pg_catalog", "json" | "jsonb") => Self::Json,
            ("pg_catalog", "int4" | "int8" | "numeric") => Self::Number,
            ("pg_catalog", "text" | "varchar" | "bpchar" | "name") => Self::Text,
            ("pg_catalog", "uuid" | "inet" | "macaddr" | "macaddr8") => Self::Number,
            ("pg_catalog", "xml") => Self::Xml,
            ("pg_catalog", "jsonpath") => Self::Jsonpath,
            ("pg_catalog", "tsvector") => Self::Lexemes,
            ("pg_catalog", _) => Self::Other,
            (_, "citext") => Self::Text,
            (_, "hstore") => Self::Hstore,
            _ => Self::Other,
        }
    }

    /// How it is written, where it is a text that may give its row away.
    fn text(self) -> Option<Escapes> {
        match self {
            Self::Composite | Self::Hstore | Self::Texts => Some(Escapes::Output),
            Self::Json | Self::Jsons | Self::Jsonpath => Some(Escapes::Json),
            Self::Lexemes => Some(Escapes::Lexemes),
            Self::Text => Some(Escapes::None),
            Self::Xml => Some(Escapes::Xml),
            Self::Number | Self::Other => None,
        }
    }

    /// How it is handed over, where it holds identifiers.
    fn identifier(self) -> Option<Handed> {
        match self {
            Self::Number | Self::Text => Some(Handed::Text),
            Self::Texts => Some(Handed::Elements),
            Self::Json => Some(Handed::Document),
            _ => None,
        }
    }
}
