//! What SQL sees of detection.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::suggest::{profile_name, suggest};
use super::survey::{Survey, survey};
use crate::error::{Error, Kind, Result, given};
use crate::pg::subxact::in_our_words;
use crate::signs::propose::propose;
use crate::sync::options::MOST_SAMPLED;
use crate::sync::request::pinned;

/// Which columns of a schema look personal, how surely and why; with `all_columns` the others too.
/// Reads the catalog, planner statistics and, unless `sample` is 0, at most that many rows of each
/// table, with the rights of the caller. No value is shown.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn detect(
    schema: Option<&str>,
    sample: default!(Option<i32>, 1000),
    all_columns: default!(Option<bool>, false),
) -> Result<
    TableIterator<
        'static,
        (
            name!(table_name, String),
            name!(column_name, String),
            name!(column_type, String),
            name!(category, Option<String>),
            name!(confidence, f64),
            name!(strategy, Option<String>),
            name!(why, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let all = given("all_columns", all_columns)?;
    let found = look(given("schema", schema)?, sample)?;
    let mut rows = Vec::new();
    for surveyed in found.tables {
        for (column, verdict) in surveyed.table.columns.into_iter().zip(surveyed.verdicts) {
            let is_personal = verdict.is_personal();
            if !is_personal && !all {
                continue;
            }
            let strategy = verdict
                .category
                .filter(|_| is_personal)
                .map(|category| propose(category, verdict.sort, &verdict.parts).flow());
            rows.push((
                surveyed.table.name.clone(),
                column.name,
                column.type_name,
                verdict.category.map(|category| category.name().to_owned()),
                (verdict.confidence * 100.0).round() / 100.0,
                strategy,
                (!verdict.why.is_empty()).then_some(verdict.why),
            ));
        }
    }
    Ok(TableIterator::new(rows))
}

/// A profile for every table of a schema: what looks personal is masked by a strategy that fits, the
/// rest is preserved with what it looks like, for somebody to read.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn suggest_profile(
    schema: Option<&str>,
    name: default!(Option<&str>, "NULL"),
    sample: default!(Option<i32>, 1000),
) -> Result<String, ErrorReport> {
    let schema = given("schema", schema)?;
    let name = name.map_or_else(|| profile_name(schema), str::to_owned);
    Ok(suggest(&look(schema, sample)?, schema, &name)?)
}

fn look(schema: &str, sample: Option<i32>) -> Result<Survey> {
    let sample = u32::try_from(given("sample", sample)?)
        .ok()
        .filter(|rows| *rows <= MOST_SAMPLED)
        .ok_or_else(|| {
            Error::new(
                Kind::InvalidParameter,
                "invalid value for argument \"sample\"",
            )
            .with_detail(format!("It must be an integer from 0 to {MOST_SAMPLED}."))
        })?;
    in_our_words("the schema cannot be looked at", || {
        pinned(|| survey(schema, sample))
    })
}
