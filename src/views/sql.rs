//! What SQL sees of masked views.

use pgrx::AnyElement;
use pgrx::iter::TableIterator;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::lint;
use super::list;
use super::making::store::Made;
use super::mask::store::{Once, Site};
use super::options::Options;
use super::registry::store::Asked;
use super::store;
use crate::error::{Result, given};
use crate::pg::argument::Document;
use crate::pg::ddl::Moment;
use crate::pg::heap::Tid;
use crate::pg::{call, callsite, ddl};

/// Makes a view of every table of a profile that shows its rows masked, in another schema.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn create_masked_views(
    profile: Option<&str>,
    source: Option<&str>,
    target: Option<&str>,
    options: default!(Option<Document>, "'{}'"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(view_name, String),
            name!(action, &'static str),
            name!(masked_columns, i32),
        ),
    >,
    ErrorReport,
> {
    let options = match options {
        Some(options) => Options::parse(&options.read()?)?,
        None => Options::default(),
    };
    let made = store::create(
        given("profile", profile)?,
        given("source", source)?,
        given("target", target)?,
        &options,
    )?;
    Ok(rows(made))
}

/// Makes the masked views of a schema anew by the newest versions of their profiles, and fills those
/// anew that are materialized.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn refresh_masked_views(
    target: Option<&str>,
    profile: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(view_name, String),
            name!(action, &'static str),
            name!(masked_columns, i32),
        ),
    >,
    ErrorReport,
> {
    Ok(rows(store::refresh(given("target", target)?, profile)?))
}

fn rows(made: Vec<Made>) -> TableIterator<'static, (String, &'static str, i32)> {
    TableIterator::new(made.into_iter().map(|view| {
        let masked = i32::try_from(view.masked).unwrap_or(i32::MAX);
        (view.name, view.action, masked)
    }))
}

/// Drops the masked views of a schema, of one profile or of all.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn drop_masked_views(
    target: Option<&str>,
    profile: default!(Option<&str>, "NULL"),
    cascade: default!(Option<bool>, "false"),
) -> Result<SetOfIterator<'static, String>, ErrorReport> {
    let target = given("target", target)?;
    let names = store::drop_views(target, profile, given("cascade", cascade)?)?;
    Ok(SetOfIterator::new(names))
}

/// Stands behind every command that may drop, rename or move a view.
#[pg_extern(sql = "
CREATE FUNCTION confiture._follow_views() RETURNS event_trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn follow_views(fcinfo: pg_sys::FunctionCallInfo) -> Result<(), ErrorReport> {
    Ok(followed(fcinfo)?)
}

fn followed(fcinfo: pg_sys::FunctionCallInfo) -> Result<()> {
    // Called by hand there is no command; pg_upgrade makes everything anew as it was.
    let Some(moment) = ddl::moment(fcinfo).filter(|_| !ddl::is_binary_upgrade()) else {
        return Ok(());
    };
    if !list::store::is_awake()? {
        return Ok(());
    }
    match moment {
        Moment::Dropped => list::store::forget_dropped(),
        _ => list::store::follow(),
    }
}

/// The masked value of a column of a row: what masked views call, with the numbers of view and
/// column, where the row lies, and a NULL of the column's type. Everybody may call it: who may have
/// the value is asked inside. Its first look-ups cannot be made while workers are at work for a
/// statement that writes.
#[pg_extern(sql = "
CREATE FUNCTION confiture._mask_row(view integer, number integer, relation oid, place tid, kind anyelement)
  RETURNS anyelement LANGUAGE c STABLE PARALLEL UNSAFE COST 50
  AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn mask_row(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>, ErrorReport> {
    Ok(masked_row(fcinfo)?)
}

fn masked_row(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>> {
    let (Some(asked), Some(relation), Some(tid)) = (
        asked(fcinfo),
        call::argument(fcinfo, 2),
        Tid::argument(fcinfo, 3),
    ) else {
        return Ok(None);
    };
    let make = |_: Option<&Site>| Site::at(fcinfo, asked);
    let site = callsite::state(fcinfo, |site| site.is_for(asked), make)?;
    site.mask(fcinfo, relation, tid)
}

/// The masked value of a value: what materialized masked views call, for their owner. What the mask
/// reads of the row beside the value follows, as texts or lists of texts.
#[pg_extern(sql = "
CREATE FUNCTION confiture._mask_value(view integer, number integer, value anyelement)
  RETURNS anyelement LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._mask_value(view integer, number integer, value anyelement, VARIADIC inputs \"any\")
  RETURNS anyelement LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn mask_value(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>, ErrorReport> {
    Ok(masked_value(fcinfo)?)
}

fn masked_value(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>> {
    let Some(asked) = asked(fcinfo) else {
        return Ok(None);
    };
    let make = |_: Option<&Once>| Once::at(fcinfo, asked);
    let site = callsite::state(fcinfo, |site| site.is_for(asked), make)?;
    site.mask(fcinfo)
}

fn asked(fcinfo: pg_sys::FunctionCallInfo) -> Option<Asked> {
    Some(Asked {
        view: call::argument(fcinfo, 0)?,
        number: call::argument(fcinfo, 1)?,
    })
}

/// Every way that is known by which a role can still reach a value that is masked: of the tables of
/// masked views, or of the profiles of a schema.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn lint_access(
    role: Option<&str>,
    source: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(severity, String),
            name!(path, String),
            name!(object, String),
            name!(column_name, Option<String>),
            name!(detail, String),
            name!(remedy, String),
        ),
    >,
    ErrorReport,
> {
    let found = lint::store::find(given("role", role)?, source)?;
    Ok(TableIterator::new(found.into_iter().map(|way| {
        (
            way.severity,
            way.path,
            way.object,
            way.column,
            way.detail,
            way.remedy,
        )
    })))
}
