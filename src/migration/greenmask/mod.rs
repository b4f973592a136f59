//! The configuration of Greenmask: what it transforms, as rules of a profile.
//!
//! Its YAML is read by the reader of profiles, within the same bounds; keys that are about connections,
//! storage and restoring are passed over.

pub mod columns;
pub mod condition;
pub mod given;
pub mod transformers;

use std::collections::BTreeSet;

use super::catalog::Catalog;
use super::{Kind, Mask, Outcome, Rules};
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::profile::document::{self, Content, Tree, word};
use given::{Given, shown};

const NOUN: &str = "configuration of Greenmask";

/// What a configuration transforms.
#[derive(Debug)]
pub struct Configuration {
    tables: Vec<Table>,
    /// References that it declares, as they are shown: schema of the table, the table, and the rest.
    references: Vec<(String, String, String)>,
}

/// What it does with one table.
#[derive(Debug)]
struct Table {
    schema: String,
    name: String,
    body: Tree,
}

/// Reads a configuration.
///
/// # Errors
/// 22P02 for what is not the YAML accepted here, or transforms nothing; with its place.
pub fn read(yaml: &str) -> Result<Configuration> {
    let root = document::read(NOUN, yaml.as_bytes())?;
    let dump = root.get("dump").unwrap_or(&root);
    let list = match &dump.content {
        Content::List(_) => Some(dump),
        _ => dump.get("transformation"),
    };
    let wrong = |tree: &Tree, path: &str, message: &str| {
        document::problem(NOUN, tree.place, path, "missing_key", message, None)
    };
    let Some(list) = list else {
        let message = "there is no list \"transformation\" under \"dump\"";
        return Err(wrong(dump, "dump", message));
    };
    let Content::List(items) = &list.content else {
        return Err(wrong(
            list,
            "dump.transformation",
            "it is no list of tables",
        ));
    };
    let mut tables = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let Some(name) = item.get("name").and_then(Tree::text) else {
            let path = format!("dump.transformation[{place}]");
            return Err(wrong(item, &path, "key \"name\" is missing"));
        };
        tables.push(Table {
            schema: schema_of(item),
            name: name.to_owned(),
            body: item.clone(),
        });
    }
    Ok(Configuration {
        tables,
        references: references(dump),
    })
}

impl Configuration {
    /// The schema that is meant: the one that is asked for, or the only one there is.
    ///
    /// # Errors
    /// 22023 when there are several; 42704 when there is none.
    pub fn schema(&self, asked: Option<&str>) -> Result<String> {
        let all: BTreeSet<&str> = self
            .tables
            .iter()
            .map(|table| table.schema.as_str())
            .collect();
        match (asked, all.len()) {
            (Some(asked), _) => Ok(asked.to_owned()),
            (None, 1) => Ok(all.into_iter().collect()),
            (None, 0) => Err(Error::new(
                ErrorKind::UndefinedObject,
                "the configuration transforms no table",
            )),
            (None, _) => {
                let names: Vec<String> = all.into_iter().take(20).map(word).collect();
                Err(Error::new(
                    ErrorKind::InvalidParameter,
                    "the configuration is about several schemas",
                )
                .with_detail(format!("They are {}.", names.join(", ")))
                .with_hint("A profile is about one: pass its name as schema."))
            }
        }
    }

    /// Gathers what it says of a schema.
    pub fn rules<'a>(&self, schema: &str, catalog: &'a Catalog) -> Rules<'a> {
        let mut rules = Rules::new(schema, catalog);
        let (parts, whole): (Vec<_>, Vec<_>) = self
            .tables
            .iter()
            .partition(|table| table.schema == schema && catalog.is_part(&table.name));
        for table in whole.into_iter().chain(parts) {
            table.add(&mut rules);
        }
        for (own, table, reference) in &self.references {
            let object = if own == schema {
                table.clone()
            } else {
                format!("{own}.{table}")
            };
            rules.missing(
                &object,
                reference,
                "name both columns under `foreign_keys`; there the primary key was looked up",
            );
        }
        rules.name_others();
        rules
    }
}

impl Table {
    fn add(&self, rules: &mut Rules<'_>) {
        if self.schema != rules.schema {
            let object = format!("{}.{}", self.schema, self.name);
            let why = "it is in another schema: import that one too";
            return rules.missing(&object, "transformers", why);
        }
        rules.name(&self.name);
        for (key, why) in [
            (
                "query",
                "no SQL is taken: `where` under the table says which rows are copied",
            ),
            (
                "columns_type_override",
                "not needed: values have the types of the catalog",
            ),
        ] {
            if self.body.get(key).is_some() {
                rules.missing(&self.name, key, why);
            }
        }
        let condition = self.body.get("when").is_some();
        for transformer in items(self.body.get("transformers")) {
            self.transformer(transformer, condition, rules);
        }
        for condition in items(self.body.get("subset_conds")) {
            self.condition(condition, rules);
        }
    }

    fn transformer(&self, transformer: &Tree, is_conditional: bool, rules: &mut Rules<'_>) {
        let name = transformer.get("name").and_then(Tree::text).unwrap_or("");
        let params = Given::new(transformer.get("params"));
        let is_conditional = is_conditional || transformer.get("when").is_some();
        let is_dynamic = transformer.get("dynamic_params").is_some();
        let mut found = columns::of(name, &params);
        if found.is_empty() {
            let Some(column) = params.text("column") else {
                let why =
                    "a transformer of several columns has no counterpart: give each a strategy";
                return rules.missing(&self.name, &shown(name, &params), why);
            };
            let facts = rules.facts(&self.name, column);
            found.push((column.to_owned(), transformers::of(name, &params, &facts)));
        }
        for (column, mut outcome) in found {
            if is_dynamic {
                outcome = outcome.but("parameters that are taken from other columns are not");
            }
            if is_conditional {
                outcome = outcome.but("every row is masked, whatever `when` says");
            }
            if transformer.get("apply_for_references").is_some_and(is_true) {
                outcome =
                    outcome.but("columns that refer to it need the same rule: the plan names them");
            }
            rules.add(&self.name, &column, &shown(name, &params), outcome);
        }
    }

    fn condition(&self, tree: &Tree, rules: &mut Rules<'_>) {
        let text = tree.text().unwrap_or("");
        let rule = format!("subset_conds: {text}");
        match condition::read(text, &self.name) {
            Some(conditions) => {
                for condition in conditions {
                    rules.begin_with(&self.name, condition);
                }
                rules.found(
                    &self.name,
                    &rule,
                    "subset",
                    "rows that belong to it come along both ways; a table that no path reaches is whole",
                );
            }
            None => rules.missing(
                &self.name,
                &rule,
                "no SQL is taken: `subset` compares columns with constants, and all must hold",
            ),
        }
    }
}

/// What a profile has for NULL, exactly.
fn null() -> Outcome {
    Outcome::exact(Mask::new(Kind::Null))
}

fn items(tree: Option<&Tree>) -> &[Tree] {
    match tree.map(|tree| &tree.content) {
        Some(Content::List(items)) => items,
        _ => &[],
    }
}

fn is_true(tree: &Tree) -> bool {
    tree.text() == Some("true")
}

fn schema_of(tree: &Tree) -> String {
    tree.get("schema")
        .and_then(Tree::text)
        .unwrap_or("public")
        .to_owned()
}

/// References that the configuration declares.
fn references(dump: &Tree) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for table in items(dump.get("virtual_references")) {
        let name = table.get("name").and_then(Tree::text).unwrap_or("");
        for reference in items(table.get("references")) {
            let to = reference.get("name").and_then(Tree::text).unwrap_or("");
            let rule = format!("virtual_references: {}", word(to));
            found.push((schema_of(table), name.to_owned(), rule));
        }
    }
    found
}

#[cfg(test)]
mod tests;
