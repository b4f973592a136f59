//! What SQL sees of profiles.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::store::{self, Loaded};
use super::{Problem, Profile, SeedSource, Severity, seed};
use crate::error::{Error, Kind, Result, counted, given};
use crate::pg::report;
use crate::settings;

type Item = (
    String,
    String,
    String,
    Option<i32>,
    Option<i32>,
    Option<String>,
);

/// Checks a profile without storing it: its name, version, strategies and tables, then one row per
/// problem, with the place in the document. Never a seed's value.
#[pg_extern(schema = "confiture", stable, parallel_restricted)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn validate_profile(
    yaml: Option<&str>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(item, String),
            name!(name, String),
            name!(detail, String),
            name!(line, Option<i32>),
            name!(column, Option<i32>),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let yaml = given("yaml", yaml)?;
    let (profile, problems) = super::read(yaml.as_bytes());
    let mut items = profile.as_ref().map(summary).unwrap_or_default();
    items.extend(problems.into_iter().map(problem));
    Ok(TableIterator::new(items))
}

/// Checks a profile and stores it as an immutable version. Returns what was done.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn load_profile(yaml: Option<&str>) -> Result<String, ErrorReport> {
    let yaml = given("yaml", yaml)?;
    let (profile, warnings) = super::load(yaml.as_bytes())?;
    let loaded = store::load(&profile, yaml)?;
    for warning in warnings {
        let place = warning
            .place
            .map(|place| format!(" at {place}"))
            .unwrap_or_default();
        report::warning(
            &format!("{}{place}", warning.message),
            warning.hint.as_deref(),
        );
    }
    let what = match loaded {
        Loaded::New => "was loaded",
        Loaded::Restored => "was loaded before and is in use again",
        Loaded::Same => "was loaded before",
    };
    Ok(format!(
        "profile \"{}\" version \"{}\" {what}",
        profile.name, profile.version
    ))
}

/// Takes a version of a profile out of use; loading the same document puts it back.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn retire_profile(name: Option<&str>, version: Option<&str>) -> Result<(), ErrorReport> {
    Ok(store::retire(
        given("name", name)?,
        given("version", version)?,
    )?)
}

/// Where the seed of a column comes from, by name: never its value.
#[pg_extern(schema = "confiture", stable, parallel_restricted)]
fn resolve_seed(
    profile: Option<&str>,
    table: Option<&str>,
    column: Option<&str>,
    version: default!(Option<&str>, "NULL"),
) -> Result<String, ErrorReport> {
    let (profile, table, column) = (
        given("profile", profile)?,
        given("table", table)?,
        given("column", column)?,
    );
    let profile = store::pick(profile, version)?;
    let rule = profile
        .tables
        .iter()
        .filter(|asked| asked.name == table || asked.shown() == table)
        .flat_map(|asked| &asked.rules)
        .find(|rule| rule.column == column)
        .ok_or_else(|| {
            Error::new(
                Kind::UndefinedObject,
                format!(
                    "profile \"{}\" has no rule for column \"{table}.{column}\"",
                    profile.name
                ),
            )
        })?;
    let allow = settings::seed_env_allow();
    let (_, origin) = profile.seed_of(rule, &store::environment, &|name| {
        seed::env_allowed(&allow, name)
    })?;
    Ok(origin.to_string())
}

fn summary(profile: &Profile) -> Vec<Item> {
    let item = |item: &str, name: String, detail: String| {
        (item.to_owned(), name, detail, None, None, None)
    };
    let mut items = vec![
        item(
            "profile",
            profile.name.clone(),
            profile.description.clone().unwrap_or_default(),
        ),
        item("version", profile.version.clone(), String::new()),
    ];
    for (name, strategy) in &profile.strategies {
        let mut detail = strategy.kind.name().to_owned();
        if let Some(seed) = shown_seed(&strategy.seed).or_else(|| shown_seed(&profile.global_seed))
        {
            detail.push_str(&format!(", seed {seed}"));
        }
        items.push(item("strategy", name.clone(), detail));
    }
    for table in &profile.tables {
        let count = |n: usize, word: &str| {
            (n > 0).then(|| format!("{n} {word}{}", if n == 1 { "" } else { "s" }))
        };
        let parts: Vec<_> = [
            count(table.rules.len(), "rule"),
            count(table.preserve.len(), "preserved column"),
            count(table.exclude.len(), "excluded column"),
            count(table.filter.len(), "condition"),
            table.limit.map(|rows| format!("limit {rows}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        items.push(item("table", table.shown(), parts.join(", ")));
    }
    for seed in &profile.subset {
        let detail = match seed.filter.len() {
            0 => "every row".to_owned(),
            1 => "1 condition".to_owned(),
            many => format!("{many} conditions"),
        };
        items.push(item("subset", seed.table.to_string(), detail));
    }
    for key in &profile.foreign_keys {
        let name = format!("{} ({})", key.table, key.columns.join(", "));
        let detail = format!("{} ({})", key.references, key.referenced_columns.join(", "));
        items.push(item("foreign_key", name, detail));
    }
    for excluded in &profile.exclude_tables {
        let (name, why) = (excluded.table.to_string(), excluded.why.clone());
        items.push(item("excluded_table", name, why));
    }
    if let Some(privacy) = &profile.privacy {
        let rows = privacy.rows_per_unit.map_or(String::new(), |rows| {
            format!("{} per person", counted(rows.into(), "row"))
        });
        items.push(item("privacy", privacy.budget.clone(), rows));
        for of in &privacy.tables {
            let unit = of.unit.as_deref().map(|unit| format!(", by {unit}"));
            let rows = counted(of.rows_per_unit.into(), "row");
            let detail = format!("{rows} per person{}", unit.unwrap_or_default());
            items.push(item("privacy_table", of.table.to_string(), detail));
        }
    }
    for gate in &profile.gates {
        let columns = gate.quasi_identifiers.join(", ");
        let detail = format!("k {} over {columns}", gate.k);
        items.push(item("gate", gate.table.to_string(), detail));
    }
    items
}

/// That there is a seed and where, never which.
fn shown_seed(seed: &SeedSource) -> Option<String> {
    match (&seed.env_var, seed.literal) {
        (Some(name), _) => Some(format!("from environment variable {name}")),
        (None, Some(_)) => Some("[configured]".to_owned()),
        (None, None) => None,
    }
}

fn problem(problem: Problem) -> Item {
    let number = |n: u32| i32::try_from(n).ok();
    (
        match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
        .to_owned(),
        problem.code.to_owned(),
        if problem.path.is_empty() {
            problem.message
        } else {
            format!("{} ({})", problem.message, problem.path)
        },
        problem.place.and_then(|place| number(place.line)),
        problem.place.and_then(|place| number(place.column)),
        problem.hint,
    )
}
