//! The tree of a document into a [`Profile`]: the top level and the strategies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::strategies::params::{Params, Value};
use crate::strategies::{Kind, Strategy};

use super::fields::{Fields, LONGEST_NAME, Reading, entries, join};
use super::names::shown;
use super::scalar::ScalarKind;
use super::yaml::{self, Content, Entry, MAX_TEXT, Node};
use super::{Coverage, Place, Problem, Problems, Profile, SeedSource, StrategyRef};
use super::{acknowledge, privacy, scope, tables};

/// Reads a profile and returns all its problems in the order of the document; the profile is there
/// only if none of them is an error.
pub fn read(yaml: &[u8]) -> (Option<Profile>, Vec<Problem>) {
    let mut problems = Problems::default();
    let root = yaml::parse(yaml, &mut problems);
    let mut reading = Reading {
        problems,
        strict: false,
    };
    let profile = root.and_then(|root| profile(&root, &mut reading));
    let profile = profile.filter(|_| reading.problems.errors == 0);
    (profile, reading.problems.into_list())
}

/// The strategies of a document by name; one whose definition is wrong is there without content, so
/// that the rules that use it are not called wrong as well.
pub(super) type Strategies = BTreeMap<String, Option<StrategyRef>>;

fn profile(root: &Node, reading: &mut Reading) -> Option<Profile> {
    let fields = Fields::open(root, "", &KEYS, reading)?;
    let coverage = coverage(&fields, reading);
    reading.strict = coverage == Coverage::Strict;
    let name = name(&fields, reading);
    let version = fields.text("version", LONGEST_PROFILE_NAME, reading);
    let description = match fields.get("description") {
        Some(entry) if !entry.value.is_null() => reading
            .text(entry, "description", MAX_TEXT)
            .map(|(text, _)| text.to_owned()),
        _ => None,
    };
    let global_seed = SeedSource {
        literal: fields.seed("global_seed", reading),
        env_var: fields.env_var("global_seed_env_var", reading),
    };
    let known = match fields.require("strategies", reading) {
        Some(entry) => strategies(entry, reading),
        None => Strategies::new(),
    };
    let tables = match fields.require("tables", reading) {
        Some(entry) => tables::read(entry, &known, reading),
        None => Vec::new(),
    };
    let scope = scope::read(&fields, &tables, reading);
    let privacy = privacy::read(&fields, &tables, reading);
    let acknowledge = match fields.get("acknowledge") {
        Some(entry) => acknowledge::read(entry, reading),
        None => Vec::new(),
    };
    let used: BTreeSet<&str> = tables
        .iter()
        .flat_map(|table| table.rules.iter().map(|rule| rule.strategy.as_str()))
        .collect();
    for (name, strategy) in &known {
        // After an error the rules may be incomplete.
        if let Some(strategy) = strategy
            && reading.problems.errors == 0
            && !used.contains(name.as_str())
        {
            let message = format!("strategy \"{}\" is not used by any rule", shown(name));
            let path = join("strategies", name);
            let hint = "Remove it, or add the rule that is missing.";
            reading
                .problems
                .warning(strategy.place, &path, "unused_strategy", message, hint);
        }
    }
    Some(Profile {
        name: name?,
        version: version?.0.to_owned(),
        description,
        global_seed,
        coverage,
        strategies: known
            .into_iter()
            .filter_map(|(name, s)| Some((name, s?)))
            .collect(),
        tables,
        subset: scope.subset,
        foreign_keys: scope.foreign_keys,
        exclude_tables: scope.exclude_tables,
        gates: scope.gates,
        privacy,
        acknowledge,
    })
}

fn coverage(fields: &Fields<'_>, reading: &mut Reading) -> Coverage {
    let Some(entry) = fields.get("coverage") else {
        return Coverage::default();
    };
    let Some((word, at)) = reading.text(entry, "coverage", LONGEST_NAME) else {
        return Coverage::default();
    };
    Coverage::parse(word).unwrap_or_else(|| {
        let message = format!("coverage \"{}\" is not allowed", shown(word));
        let hint = reading.suggest(
            word,
            "coverage",
            Coverage::ALL.iter().map(|c| c.name()),
            true,
        );
        reading.error(at, "coverage", "value", message, hint);
        Coverage::default()
    })
}

fn name(fields: &Fields<'_>, reading: &mut Reading) -> Option<String> {
    let (name, at) = fields.text("name", LONGEST_PROFILE_NAME, reading)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_part) {
        return Some(name.to_owned());
    }
    let message = format!("profile name \"{}\" is not allowed", shown(name));
    let hint = "A name has ASCII letters, digits, \"_\", \".\" and \"-\", and begins with a letter \
                or a digit.";
    reading.error(at, "name", "value", message, Some(hint.to_owned()));
    None
}

fn strategies(entry: &Entry, reading: &mut Reading) -> Strategies {
    let mut strategies = Strategies::new();
    for entry in entries(&entry.value, "strategies", reading).unwrap_or_default() {
        let path = join("strategies", &entry.key);
        if entry.key.trim().is_empty()
            || entry.key.chars().nth(LONGEST_NAME).is_some()
            || entry.key.contains(char::is_control)
        {
            let message = format!(
                "strategy name must have 1 to {LONGEST_NAME} characters, none of them a control \
                 character, and must not be blank"
            );
            reading.error(entry.place, &path, "value", message, None);
        }
        strategies.insert(entry.key.clone(), strategy(entry, &path, reading));
    }
    strategies
}

fn strategy(entry: &Entry, path: &str, reading: &mut Reading) -> Option<StrategyRef> {
    let fields = Fields::open(&entry.value, path, &STRATEGY_KEYS, reading)?;
    let kind = kind(&fields, reading);
    let config = fields
        .get("config")
        .filter(|config| !config.value.is_null());
    let config_path = fields.path("config");
    let own = match config {
        Some(config) => entries(&config.value, &config_path, reading)?,
        None => &[],
    };
    let seed = strategy_seed(&fields, config, reading);
    let params = params(own, &config_path, reading);
    let at = config.map_or(entry.place, |config| config.place);
    let (kind, params) = (kind?, params?);
    let strategy = build(kind, &params, own, &config_path, at, reading)?;
    Some(StrategyRef {
        kind,
        params,
        strategy: Arc::new(strategy),
        seed,
        place: entry.place,
    })
}

fn kind(fields: &Fields<'_>, reading: &mut Reading) -> Option<Kind> {
    // The strategy `null` is written as what YAML reads as nothing.
    let bare = fields.get("type").filter(|entry| entry.value.is_null());
    let (word, at) = match bare {
        Some(entry) => ("null", entry.value.place),
        None => fields.text("type", LONGEST_NAME, reading)?,
    };
    let kind = Kind::parse(word);
    if kind.is_none() {
        let message = format!("strategy type \"{}\" is not allowed", shown(word));
        let hint = reading.suggest(word, "type", Kind::ALL.iter().map(|kind| kind.name()), true);
        reading.error(at, &fields.path("type"), "strategy_type", message, hint);
    }
    kind
}

/// Reads the seed of a strategy, which older documents write inside `config`.
fn strategy_seed(fields: &Fields<'_>, config: Option<&Entry>, reading: &mut Reading) -> SeedSource {
    let inner = config.map(|config| Fields::of_config(fields, config));
    let inner = inner.filter(|inner| SEED_KEYS.iter().any(|key| inner.get(key).is_some()));
    let outer = SEED_KEYS.iter().find_map(|key| fields.get(key));
    if let (Some(inner), Some(outer)) = (&inner, outer) {
        let message = "seed is given both in the strategy and in its \"config\"";
        let hint = "Keep the one outside \"config\".".to_owned();
        reading.error(outer.place, &inner.path, "seed", message, Some(hint));
    }
    let source = inner.as_ref().unwrap_or(fields);
    SeedSource {
        literal: source.seed("seed", reading),
        env_var: source.env_var("seed_env_var", reading),
    }
}

/// Reads parameters; the keys of a seed are not among them.
pub(super) fn params(own: &[Entry], path: &str, reading: &mut Reading) -> Option<Params> {
    let mut params = Params::new();
    let mut complete = true;
    for entry in own
        .iter()
        .filter(|entry| !SEED_KEYS.contains(&entry.key.as_str()))
    {
        let wrong = match value(&entry.value) {
            Ok(value) => {
                params.insert(entry.key.clone(), value);
                continue;
            }
            Err(wrong) => wrong,
        };
        let message = format!("parameter \"{}\" {wrong}", shown(&entry.key));
        let path = join(path, &entry.key);
        reading.error(entry.value.place, &path, "parameter", message, None);
        complete = false;
    }
    complete.then_some(params)
}

fn value(node: &Node) -> Result<Value, String> {
    let scalar = match &node.content {
        Content::Scalar(scalar) => scalar,
        Content::List(items) => {
            return Ok(Value::List(
                items.iter().map(value).collect::<Result<_, _>>()?,
            ));
        }
        Content::Map(entries) => {
            let member = |entry: &Entry| Ok((entry.key.clone(), value(&entry.value)?));
            return Ok(Value::Map(
                entries.iter().map(member).collect::<Result<_, String>>()?,
            ));
        }
    };
    match scalar.kind {
        ScalarKind::Bool(value) => Ok(Value::Bool(value)),
        ScalarKind::Int => scalar
            .text
            .parse()
            .map(Value::Int)
            .map_err(|_| "must be an integer of 64 bits, or a text in quotes".to_owned()),
        ScalarKind::Null => Err("has no value; an empty text is written \"\"".to_owned()),
        ScalarKind::Number => scalar
            .text
            .parse::<f64>()
            .map(Value::from)
            .map_err(|_| "must be a number, or a text in quotes".to_owned()),
        ScalarKind::Text => Ok(Value::Text(scalar.text.clone())),
    }
}

/// Makes a strategy; every parameter it refuses becomes a problem at its own place.
pub(super) fn build(
    kind: Kind,
    params: &Params,
    own: &[Entry],
    path: &str,
    at: Place,
    reading: &mut Reading,
) -> Option<Strategy> {
    let mut refused = match Strategy::new(kind, params) {
        Ok(strategy) => return Some(strategy),
        Err(refused) => refused,
    };
    let mut rest = params.clone();
    for _ in 0..MAX_REFUSED {
        let entry = own.iter().find(|entry| entry.key == refused.param);
        let (at, path) = match entry {
            Some(entry) => (entry.value.place, join(path, &entry.key)),
            None => (at, path.to_owned()),
        };
        let hint: Vec<_> = refused
            .error
            .detail()
            .into_iter()
            .chain(refused.error.hint())
            .collect();
        let hint = (!hint.is_empty()).then(|| hint.join(" "));
        reading.error(at, &path, "parameter", refused.error.message(), hint);
        if rest.remove(&refused.param).is_none() {
            break;
        }
        match Strategy::new(kind, &rest) {
            Ok(_) => break,
            Err(next) => refused = next,
        }
    }
    None
}

const KEYS: [&str; 14] = [
    "name",
    "version",
    "description",
    "global_seed",
    "global_seed_env_var",
    "coverage",
    "strategies",
    "tables",
    "subset",
    "foreign_keys",
    "exclude_tables",
    "gates",
    "privacy",
    "acknowledge",
];
const STRATEGY_KEYS: [&str; 4] = ["type", "config", "seed", "seed_env_var"];
pub(super) const SEED_KEYS: [&str; 2] = ["seed", "seed_env_var"];

/// The most characters of the name and of the version of a profile.
const LONGEST_PROFILE_NAME: usize = 63;

/// The most refused parameters reported for one strategy.
const MAX_REFUSED: usize = 16;
