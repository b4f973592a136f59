//! What SQL sees of the rules of other tools.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::anon::script;
use super::{Finding, anon, greenmask, store};
use crate::detect::suggest::profile_name;
use crate::error::{Result, given};

type Row = (
    String,
    Option<String>,
    String,
    Option<String>,
    &'static str,
    String,
);

/// A profile made of the labels of PostgreSQL Anonymizer on a schema, or of those in the text of a
/// dump. Columns whose rule has no counterpart are left out.
#[pg_extern(schema = "confiture", stable, parallel_restricted)]
fn import_anon_labels(
    schema: Option<&str>,
    name: default!(Option<&str>, "NULL"),
    dump: default!(Option<&str>, "NULL"),
    policy: default!(Option<&str>, "'anon'"),
) -> Result<String, ErrorReport> {
    let (schema, policy) = (given("schema", schema)?, given("policy", policy)?);
    let labels = labels(schema, dump, policy)?;
    let catalog = store::catalog(schema)?;
    let rules = anon::rules(schema, &labels, &catalog);
    let name = name.map_or_else(|| profile_name(schema), str::to_owned);
    let origin = format!("the labels of provider {policy}");
    Ok(rules.profile(&name, &origin)?)
}

/// What becomes of each label, one row each: exact, approximate or missing, and why.
#[pg_extern(schema = "confiture", stable, parallel_restricted)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn import_anon_report(
    schema: Option<&str>,
    dump: default!(Option<&str>, "NULL"),
    policy: default!(Option<&str>, "'anon'"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(object, String),
            name!(column_name, Option<String>),
            name!(rule, String),
            name!(strategy, Option<String>),
            name!(meaning, &'static str),
            name!(why, String),
        ),
    >,
    ErrorReport,
> {
    let (schema, policy) = (given("schema", schema)?, given("policy", policy)?);
    let labels = labels(schema, dump, policy)?;
    let catalog = store::catalog(schema)?;
    let rules = anon::rules(schema, &labels, &catalog);
    Ok(TableIterator::new(
        rules.into_findings().into_iter().map(row),
    ))
}

/// A profile made of a configuration of Greenmask. Columns whose transformer has no counterpart are
/// left out.
#[pg_extern(schema = "confiture", stable, parallel_restricted)]
fn import_greenmask(
    config: Option<&str>,
    schema: default!(Option<&str>, "NULL"),
    name: default!(Option<&str>, "NULL"),
) -> Result<String, ErrorReport> {
    let config = greenmask::read(given("config", config)?)?;
    let schema = config.schema(schema)?;
    let catalog = store::catalog(&schema)?;
    let name = name.map_or_else(|| profile_name(&schema), str::to_owned);
    let rules = config.rules(&schema, &catalog);
    Ok(rules.profile(&name, "a configuration of Greenmask")?)
}

/// What becomes of each transformer, one row for each of its columns: exact, approximate or missing,
/// and why.
#[pg_extern(schema = "confiture", stable, parallel_restricted)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn import_greenmask_report(
    config: Option<&str>,
    schema: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(object, String),
            name!(column_name, Option<String>),
            name!(rule, String),
            name!(strategy, Option<String>),
            name!(meaning, &'static str),
            name!(why, String),
        ),
    >,
    ErrorReport,
> {
    let config = greenmask::read(given("config", config)?)?;
    let schema = config.schema(schema)?;
    let catalog = store::catalog(&schema)?;
    let rules = config.rules(&schema, &catalog);
    Ok(TableIterator::new(
        rules.into_findings().into_iter().map(row),
    ))
}

/// Labels out of a text, or out of the catalog.
fn labels(schema: &str, dump: Option<&str>, policy: &str) -> Result<Vec<anon::Label>> {
    let labels = match dump {
        Some(text) => script::labels(text, policy, schema)?,
        None => store::labels(schema, policy)?,
    };
    if labels.len() > anon::MOST {
        return Err(anon::too_many());
    }
    Ok(labels)
}

fn row(finding: Finding) -> Row {
    (
        finding.object,
        finding.column,
        finding.rule,
        finding.strategy,
        finding.meaning.name(),
        finding.why,
    )
}
