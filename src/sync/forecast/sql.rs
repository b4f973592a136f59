//! What SQL sees of plans, their warnings, and previews.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::{Forecast, described, preview as shown, store, warnings};
use crate::error::{Result, given};
use crate::ledger;
use crate::pg::argument::Document;
use crate::pg::report;
use crate::profile::{self, Profile};
use crate::sync::hooks::round;
use crate::sync::options::{Lineage, Options};
use crate::sync::plan::{ColumnPlan, Decision, TablePlan};
use crate::sync::request::{self, Planned, Request};
use crate::sync::{run, workers};

/// What a run would do, column by column: a dry run that raises every error the run would raise
/// before it starts.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn plan(
    profile: Option<&str>,
    source: Option<&str>,
    target: Option<&str>,
    options: default!(Option<Document>, "'{}'"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(table_name, String),
            name!(column_name, String),
            name!(decision, String),
            name!(strategy, Option<String>),
            name!(seed_source, Option<String>),
            name!(column_type, String),
            name!(note, Option<String>),
            name!(properties, Option<Vec<String>>),
            name!(fit, Option<String>),
            name!(warnings, Vec<String>),
            name!(estimated_rows, f64),
            name!(estimated_seconds, f64),
            name!(estimated_from, String),
        ),
    >,
    ErrorReport,
> {
    let request = Request::asked(profile, source, target, options)?;
    let (profile, planned, forecast) = forecast(&request)?;
    run::masking_key(&planned.plan, &request, &profile, false)?;
    if request.options.strict {
        warnings::strict(forecast.open())?;
    }
    for hook in round::expected(&profile.name)? {
        report::notice(&hook.note());
    }
    for remark in &planned.plan.remarks {
        report::notice(remark);
    }
    let mut warned = std::collections::BTreeMap::<(&str, &str), Vec<String>>::new();
    for warning in forecast.open() {
        if let (Some(table), Some(column)) = (&warning.table, &warning.column) {
            let ids = warned.entry((table, column)).or_default();
            if ids.last().is_none_or(|last| last != warning.id) {
                ids.push(warning.id.to_owned());
            }
        }
    }
    let mut rows = Vec::new();
    for table in &planned.plan.tables {
        let estimate = forecast.figures.tables.get(&table.source.name);
        for (column, facts) in table.columns.iter().zip(&table.source.columns) {
            let (strategy, seed, note) = match &column.decision {
                Decision::Masked(masked) => (
                    Some(format!(
                        "{} ({})",
                        masked.name,
                        masked.strategy.kind().name()
                    )),
                    Some(masked.origin.to_string()),
                    cached(table, column, &forecast),
                ),
                Decision::Preserved { why } | Decision::Excluded { why } => {
                    (None, None, Some(why.clone()))
                }
                Decision::Copied => (None, None, Some("undecided: copied unchanged".to_owned())),
                Decision::Generated => (None, None, None),
            };
            let masked = match &column.decision {
                Decision::Masked(masked) => Some(masked),
                _ => None,
            };
            let name = &table.source.name;
            rows.push((
                name.clone(),
                column.name.clone(),
                column.decision.name().to_owned(),
                strategy,
                seed,
                column.type_name.clone(),
                note,
                masked.map(described::properties),
                masked.map(|masked| described::fit(table, facts, masked, &planned.source)),
                warned.remove(&(&**name, &*column.name)).unwrap_or_default(),
                estimate.map_or(0.0, |of| of.rows.round()),
                estimate.map_or(0.0, |of| (of.seconds * 1000.0).round() / 1000.0),
                estimate.map_or(String::new(), |of| of.basis.clone()),
            ));
        }
    }
    Ok(TableIterator::new(rows))
}

/// What should be known before a run, one row each: with a stable id that a profile can
/// acknowledge.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn plan_warnings(
    profile: Option<&str>,
    source: Option<&str>,
    target: Option<&str>,
    options: default!(Option<Document>, "'{}'"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(id, &'static str),
            name!(severity, &'static str),
            name!(table_name, Option<String>),
            name!(column_name, Option<String>),
            name!(message, String),
            name!(hint, &'static str),
            name!(acknowledged, bool),
        ),
    >,
    ErrorReport,
> {
    let request = Request::asked(profile, source, target, options)?;
    let (_, _, forecast) = forecast(&request)?;
    let rows = forecast.warnings.into_iter().map(|warning| {
        (
            warning.id,
            warning.severity.name(),
            warning.table,
            warning.column,
            warning.message,
            warning.hint,
            warning.acknowledged,
        )
    });
    Ok(TableIterator::new(rows))
}

/// Some rows of a table as they are and as a run would write them, column by column. Nothing is
/// written but the record that they were shown.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn preview(
    profile: Option<&str>,
    source: Option<&str>,
    table_name: Option<&str>,
    n: default!(Option<i32>, "5"),
    options: default!(Option<Document>, "'{}'"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(row_number, i64),
            name!(column_name, String),
            name!(before, Option<String>),
            name!(after, Option<String>),
            name!(note, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let source = given("source", source)?;
    let mut request = Request::asked(profile, Some(source), Some(source), options)?;
    // Nothing is committed to.
    request.options.lineage = Lineage::Off;
    let profile = picked(&request)?;
    let table = given("table_name", table_name)?;
    let most = given("n", n)?;
    let rows =
        request::pinned(|| workers::alone(|| shown::preview(&request, &profile, table, most)))?;
    shown::record(&rows)?;
    let rows = rows
        .into_iter()
        .map(|cell| (cell.row, cell.column, cell.before, cell.after, cell.note));
    Ok(TableIterator::new(rows))
}

/// Whether what a costly mask writes into a column is kept, and why.
fn cached(table: &TablePlan, column: &ColumnPlan, forecast: &Forecast) -> Option<String> {
    let place = (table.source.name.clone(), column.name.clone());
    forecast.cached.get(&place)?.in_words()
}

fn forecast(request: &Request) -> Result<(Profile, Planned, Forecast)> {
    let profile = picked(request)?;
    let (planned, forecast) = request::pinned(|| {
        let planned = request::plan(request, &profile)?;
        let forecast = store::make(request, &profile, &planned)?;
        Ok((planned, forecast))
    })?;
    Ok((profile, planned, forecast))
}

fn picked(request: &Request) -> Result<Profile> {
    let profile = profile::store::pick(&request.profile, request.options.version.as_deref())?;
    // Said first where a key is needed in any case.
    if !ledger::signing::store::is_unsigned()? {
        profile::store::masking_key(&profile, false)?;
    }
    Ok(profile)
}

impl Request {
    /// What a caller of SQL asks for.
    ///
    /// # Errors
    /// 22023 for NULL, and for options that are not understood.
    pub fn asked(
        profile: Option<&str>,
        source: Option<&str>,
        target: Option<&str>,
        options: Option<Document>,
    ) -> Result<Self> {
        let options = match options {
            Some(options) => options.read()?,
            None => json!({}),
        };
        Ok(Self {
            profile: given("profile", profile)?.to_owned(),
            source: given("source", source)?.to_owned(),
            target: given("target", target)?.to_owned(),
            options: Options::parse(&options)?,
            in_place: None,
            given: Some(options),
            resumes: None,
        })
    }
}
