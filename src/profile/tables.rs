//! The tables of a profile: rules, columns kept or left out, and filters.

use std::collections::HashMap;
use std::sync::Arc;

use super::fields::{Fields, LONGEST_NAME, Reading, entries, join};
use super::names::{self, shown};
use super::parse::{SEED_KEYS, Strategies, build, params};
use super::yaml::{Content, Entry, MAX_TEXT, Node};
use super::{Cached, Place, Rule, Table, filter, scope};
use crate::strategies::InputSpec;

/// Reads the mapping under `tables`.
pub(super) fn read(entry: &Entry, known: &Strategies, reading: &mut Reading) -> Vec<Table> {
    let Some(entries) = entries(&entry.value, "tables", reading) else {
        return Vec::new();
    };
    if entries.is_empty() {
        let message = "\"tables\" must name at least one table";
        reading.error(entry.value.place, "tables", "value", message, None);
    }
    let mut seen: HashMap<(Option<String>, String), Place> = HashMap::new();
    let mut tables = Vec::new();
    for entry in entries {
        let path = join("tables", &entry.key);
        let name = name(entry, &path, reading);
        let earlier = seen.entry(name.clone());
        if let std::collections::hash_map::Entry::Occupied(earlier) = &earlier {
            let message = format!(
                "table \"{}\" is already named at {}",
                shown(&entry.key),
                earlier.get()
            );
            reading.error(entry.place, &path, "duplicate_table", message, None);
        }
        earlier.or_insert(entry.place);
        let mut columns = Columns::default();
        let mut table = Table {
            schema: name.0,
            name: name.1,
            rules: Vec::new(),
            preserve: Vec::new(),
            exclude: Vec::new(),
            filter: Vec::new(),
            limit: None,
            place: entry.place,
        };
        table_body(
            &entry.value,
            &path,
            known,
            &mut table,
            &mut columns,
            reading,
        );
        tables.push(table);
    }
    if known.is_empty() && tables.iter().any(|table| !table.rules.is_empty()) {
        let message = "\"strategies\" must define the strategies that rules use";
        reading.error(entry.place, "strategies", "value", message, None);
    }
    tables
}

fn name(entry: &Entry, path: &str, reading: &mut Reading) -> (Option<String>, String) {
    names::checked(&entry.key).unwrap_or_else(|message| {
        let hint = Some(names::HINT.to_owned());
        reading.error(entry.place, path, "value", message, hint);
        (None, entry.key.clone())
    })
}

fn table_body(
    node: &Node,
    path: &str,
    known: &Strategies,
    table: &mut Table,
    columns: &mut Columns,
    reading: &mut Reading,
) {
    match &node.content {
        Content::List(_) => table.rules = rules(node, path, known, columns, reading),
        Content::Map(_) => {
            let Some(fields) = Fields::open(node, path, &TABLE_KEYS, reading) else {
                return;
            };
            if let Some(entry) = fields.get("rules") {
                table.rules = rules(&entry.value, &fields.path("rules"), known, columns, reading);
            }
            table.preserve = kept(&fields, "preserve", columns, reading);
            table.exclude = kept(&fields, "exclude", columns, reading);
            if let Some(entry) = fields.get("where") {
                table.filter = filter::read(&entry.value, &fields.path("where"), reading);
            }
            table.limit = scope::limit(&fields, reading);
        }
        Content::Scalar(_) => reading.mismatch(node, path, "mapping or list"),
    }
}

fn rules(
    node: &Node,
    path: &str,
    known: &Strategies,
    columns: &mut Columns,
    reading: &mut Reading,
) -> Vec<Rule> {
    let items = reading.list(node, path).iter().enumerate();
    items
        .filter_map(|(i, item)| rule(item, &format!("{path}[{i}]"), known, columns, reading))
        .collect()
}

fn rule(
    node: &Node,
    path: &str,
    known: &Strategies,
    columns: &mut Columns,
    reading: &mut Reading,
) -> Option<Rule> {
    // Which further keys there may be depends on the strategy, which is one of the keys.
    let inputs = input_keys(node, known);
    let keys: Vec<_> = RULE_KEYS
        .into_iter()
        .chain(inputs.iter().map(|spec| spec.name))
        .collect();
    let fields = Fields::open(node, path, &keys, reading)?;
    let column = fields.text("column", LONGEST_NAME, reading);
    if let Some((column, at)) = column {
        columns.add(column, at, &fields.path("column"), reading);
        if column == EVERY {
            let message = "rule must name one column";
            let hint = "Only \"preserve\" and \"exclude\" accept \"*\".".to_owned();
            reading.error(at, &fields.path("column"), "value", message, Some(hint));
        }
    }
    let strategy = fields.text("strategy", LONGEST_NAME, reading);
    let seed = fields.seed("seed", reading);
    let options = fields
        .get("options")
        .filter(|options| !options.value.is_null());
    let options_path = fields.path("options");
    let own = match options {
        Some(options) => entries(&options.value, &options_path, reading)?,
        None => &[],
    };
    for entry in own
        .iter()
        .filter(|entry| SEED_KEYS.contains(&entry.key.as_str()))
    {
        let message = format!("\"{}\" is not an option", entry.key);
        let hint = "Write \"seed\" beside \"column\", or \"seed_env_var\" at the strategy.";
        reading.error(
            entry.place,
            &options_path,
            "parameter",
            message,
            Some(hint.to_owned()),
        );
    }
    let options = params(own, &options_path, reading);
    let (strategy, at) = strategy?;
    let Some(defined) = known.get(strategy) else {
        let message = format!("strategy \"{}\" is not defined", shown(strategy));
        let hint = reading.suggest(
            strategy,
            "strategy",
            known.keys().map(String::as_str),
            false,
        );
        reading.error(
            at,
            &fields.path("strategy"),
            "undefined_strategy",
            message,
            hint,
        );
        return None;
    };
    let (defined, options) = (defined.as_ref()?, options?);
    let resolved = if options.is_empty() {
        Arc::clone(&defined.strategy)
    } else {
        let mut all = defined.params.clone();
        all.extend(options.clone());
        Arc::new(build(
            defined.kind,
            &all,
            own,
            &options_path,
            node.place,
            reading,
        )?)
    };
    let inputs = inputs
        .iter()
        .filter_map(|spec| Some((spec, fields.get(spec.name)?)))
        .map(|(spec, entry)| {
            let path = fields.path(spec.name);
            Some((spec.name.to_owned(), input(spec, entry, &path, reading)?))
        })
        .collect::<Option<_>>()?;
    Some(Rule {
        column: column?.0.to_owned(),
        strategy: strategy.to_owned(),
        seed,
        options,
        inputs,
        resolved,
        place: node.place,
    })
}

/// The inputs of the strategy that a rule names.
fn input_keys(node: &Node, known: &Strategies) -> &'static [InputSpec] {
    let Content::Map(entries) = &node.content else {
        return &[];
    };
    let named = entries.iter().find(|entry| entry.key == "strategy");
    match named.map(|entry| &entry.value.content) {
        Some(Content::Scalar(scalar)) => match known.get(&scalar.text) {
            Some(Some(defined)) => defined.kind.definition().inputs,
            _ => &[],
        },
        _ => &[],
    }
}

/// The columns behind an input: one, or a list of them.
fn input(
    spec: &InputSpec,
    entry: &Entry,
    path: &str,
    reading: &mut Reading,
) -> Option<Vec<String>> {
    if !spec.many || matches!(entry.value.content, Content::Scalar(_)) {
        let (column, _) = reading.text(entry, path, LONGEST_NAME)?;
        return Some(vec![column.to_owned()]);
    }
    let items = reading.list(&entry.value, path);
    let columns: Vec<_> = items
        .iter()
        .filter_map(|item| match &item.content {
            Content::Scalar(scalar) if !scalar.text.trim().is_empty() => Some(scalar.text.clone()),
            _ => None,
        })
        .collect();
    if columns.len() != items.len() || columns.is_empty() {
        let message = format!("\"{}\" must be a list of columns", shown(&entry.key));
        reading.error(entry.value.place, path, "value", message, None);
        return None;
    }
    Some(columns)
}

fn kept(
    fields: &Fields<'_>,
    key: &str,
    columns: &mut Columns,
    reading: &mut Reading,
) -> Vec<Cached> {
    let Some(entry) = fields.get(key) else {
        return Vec::new();
    };
    let path = fields.path(key);
    let mut kept = Vec::new();
    for (i, item) in reading.list(&entry.value, &path).iter().enumerate() {
        let path = format!("{path}[{i}]");
        let Some(fields) = Fields::open(item, &path, &KEPT_KEYS, reading) else {
            continue;
        };
        let column = fields.text("column", LONGEST_NAME, reading);
        if let Some((column, at)) = column {
            columns.add(column, at, &fields.path("column"), reading);
        }
        let why = fields.text("why", MAX_TEXT, reading);
        if let (Some((column, _)), Some((why, _))) = (column, why) {
            let (column, why) = (column.to_owned(), why.to_owned());
            kept.push(Cached {
                column,
                why,
                place: item.place,
            });
        }
    }
    kept
}

/// The columns of one table that were named so far.
#[derive(Default)]
struct Columns(HashMap<String, Place>);

impl Columns {
    fn add(&mut self, column: &str, at: Place, path: &str, reading: &mut Reading) {
        if let Some(earlier) = self.0.get(column) {
            let message = format!("column \"{}\" is already named at {earlier}", shown(column));
            reading.error(at, path, "duplicate_column", message, None);
        } else {
            self.0.insert(column.to_owned(), at);
        }
    }
}

/// Stands for every column of a table that is named nowhere else.
pub(super) const EVERY: &str = "*";

const TABLE_KEYS: [&str; 5] = ["rules", "preserve", "exclude", "where", "limit"];
const RULE_KEYS: [&str; 4] = ["column", "strategy", "seed", "options"];
const KEPT_KEYS: [&str; 2] = ["column", "why"];
