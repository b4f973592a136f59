//! What SQL sees of runs.

use pgrx::JsonB;
use pgrx::datum::Uuid;
use pgrx::iter::TableIterator;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::masks;
use super::options::Options;
use super::plan::Decision;
use super::request::{self, Request};
use super::run;
use crate::error::{Error, Kind, Result, given};
use crate::pg::call;
use crate::profile;
use crate::strategies::ValueType;

/// Copies a source schema's tables into a target schema, masked as a profile says, with evidence.
///
/// A procedure that commits: it cannot be called inside a transaction block or a function.
#[pg_extern(sql = "
CREATE PROCEDURE confiture.sync(profile text, source text, target text, options jsonb DEFAULT '{}')
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn sync(
    profile: Option<&str>,
    source: Option<&str>,
    target: Option<&str>,
    options: Option<JsonB>,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<(), ErrorReport> {
    let request = asked(profile, source, target, options)?;
    if !call::may_commit(fcinfo) {
        return Err(Error::new(
            Kind::ActiveTransaction,
            "confiture.sync cannot run inside a transaction block or a function",
        )
        .with_detail("It commits: that it began is on record before the first row is read.")
        .with_hint("Call it on its own, with autocommit on (psql without -1 or BEGIN).")
        .into());
    }
    Ok(run::run(&request)?)
}

/// What a run would do, column by column: a dry run that raises every error the run would raise
/// before it starts.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn plan(
    profile: Option<&str>,
    source: Option<&str>,
    target: Option<&str>,
    options: default!(Option<JsonB>, "'{}'"),
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
        ),
    >,
    ErrorReport,
> {
    let request = asked(profile, source, target, options)?;
    let profile = profile::store::pick(&request.profile, request.options.version.as_deref())?;
    profile::store::masking_key(&profile, false)?;
    let planned = request::pinned(|| request::plan(&request, &profile))?;
    let mut rows = Vec::new();
    for table in planned.plan.tables {
        for column in table.columns {
            let (strategy, seed, note) = match &column.decision {
                Decision::Masked(masked) => (
                    Some(format!(
                        "{} ({})",
                        masked.name,
                        masked.strategy.kind().name()
                    )),
                    Some(masked.origin.to_string()),
                    None,
                ),
                Decision::Preserved { why } | Decision::Excluded { why } => {
                    (None, None, Some(why.clone()))
                }
                Decision::Copied => (None, None, Some("undecided: copied unchanged".to_owned())),
                Decision::Generated => (None, None, None),
            };
            rows.push((
                table.source.name.clone(),
                column.name,
                column.decision.name().to_owned(),
                strategy,
                seed,
                column.type_name,
                note,
            ));
        }
    }
    Ok(TableIterator::new(rows))
}

/// The mask of that number of the run in progress: what its statements call.
#[pg_extern(schema = "confiture", name = "_run_mask", volatile, parallel_unsafe)]
fn run_mask_text(number: i32, value: Option<&str>) -> Result<Option<String>, ErrorReport> {
    let Some(value) = value else { return Ok(None) };
    Ok(Some(masks::apply(number, |mask| {
        Ok(mask.text(value)?.into_owned())
    })?))
}

/// The same for smallint.
#[pg_extern(schema = "confiture", name = "_run_mask", volatile, parallel_unsafe)]
fn run_mask_int2(number: i32, value: Option<i16>) -> Result<Option<i16>, ErrorReport> {
    integer(number, value.map(i64::from), ValueType::Int16)
}

/// The same for integer.
#[pg_extern(schema = "confiture", name = "_run_mask", volatile, parallel_unsafe)]
fn run_mask_int4(number: i32, value: Option<i32>) -> Result<Option<i32>, ErrorReport> {
    integer(number, value.map(i64::from), ValueType::Int32)
}

/// The same for bigint.
#[pg_extern(schema = "confiture", name = "_run_mask", volatile, parallel_unsafe)]
fn run_mask_int8(number: i32, value: Option<i64>) -> Result<Option<i64>, ErrorReport> {
    integer(number, value, ValueType::Int64)
}

/// The same for uuid.
#[pg_extern(schema = "confiture", name = "_run_mask", volatile, parallel_unsafe)]
fn run_mask_uuid(number: i32, value: Option<Uuid>) -> Result<Option<Uuid>, ErrorReport> {
    let Some(value) = value else { return Ok(None) };
    let masked = masks::apply(number, |mask| mask.uuid(*value.as_bytes()))?;
    Ok(Some(Uuid::from_bytes(masked)))
}

/// The same for bytea.
#[pg_extern(schema = "confiture", name = "_run_mask", volatile, parallel_unsafe)]
fn run_mask_bytea(number: i32, value: Option<&[u8]>) -> Result<Option<Vec<u8>>, ErrorReport> {
    let Some(value) = value else { return Ok(None) };
    Ok(Some(masks::apply(number, |mask| mask.bytes(value))?))
}

fn integer<T: TryFrom<i64>>(
    number: i32,
    value: Option<i64>,
    width: ValueType,
) -> Result<Option<T>, ErrorReport> {
    let Some(value) = value else { return Ok(None) };
    let masked = masks::apply(number, |mask| mask.int(value, width))?;
    T::try_from(masked)
        .map(Some)
        .map_err(|_| Error::new(Kind::Internal, "a masked number does not fit its type").into())
}

fn asked(
    profile: Option<&str>,
    source: Option<&str>,
    target: Option<&str>,
    options: Option<JsonB>,
) -> Result<Request> {
    Ok(Request {
        profile: given("profile", profile)?.to_owned(),
        source: given("source", source)?.to_owned(),
        target: given("target", target)?.to_owned(),
        options: match options {
            Some(JsonB(options)) => Options::parse(&options)?,
            None => Options::default(),
        },
    })
}
