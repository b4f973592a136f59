//! What SQL sees of conflicts.

use pgrx::datum::Date;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyElement, pg_sys};

use super::{Found, store};
use crate::compliance::rules::Operator;
use crate::compliance::rules::parameter::named;
use crate::compliance::rules::read::shown_day;
use crate::compliance::{doubt, matrix};
use crate::error::{Error, Kind, given};
use crate::pg::trigger;

/// Where laws pull apart, what their rule makes of it, and what must be decided.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn compliance_conflicts(
    jurisdictions: default!(Option<Vec<Option<String>>>, "NULL"),
    as_of: default!(Option<Date>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(conflict, String),
            name!(dimension, String),
            name!(scope, String),
            name!(jurisdictions, Vec<String>),
            name!(operator, String),
            name!(status, String),
            name!(outcome, String),
            name!(resolution, String),
            name!(residual, Option<String>),
            name!(sides, Vec<String>),
            name!(decided_by, Option<String>),
            name!(legal_basis, Option<String>),
            name!(expires, Option<String>),
            name!(doubts, Vec<String>),
        ),
    >,
    ErrorReport,
> {
    let depth = matrix::store::Depth::Triggers;
    let ground = matrix::store::ground(jurisdictions, as_of, false, depth)?;
    let rows: Vec<_> = store::find(&ground, |found| {
        let row = |found: Found<'_>| {
            let conflict = found.conflict;
            let decision = found.decision.as_ref();
            (
                conflict.id.clone(),
                conflict.dimension.clone(),
                found.scope.clone(),
                found.jurisdictions.clone(),
                named(conflict.operator, &Operator::NAMES).to_owned(),
                found.status.name().to_owned(),
                found.outcome.clone(),
                conflict.resolution.clone(),
                conflict.residual.clone(),
                found.sides.clone(),
                decision.map(|decision| decision.decided_by.clone()),
                decision.map(|decision| decision.legal_basis.clone()),
                decision.map(|decision| shown_day(decision.expires)),
                doubt::lines(found.doubts.clone()),
            )
        };
        found.into_iter().map(row).collect()
    })?;
    Ok(TableIterator::new(rows))
}

/// Decides a conflict for a scope, `*` for all, until a day; the newest decision counts. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn decide_conflict(
    conflict: Option<&str>,
    scope: Option<&str>,
    decision: Option<&str>,
    legal_basis: Option<&str>,
    expires: Option<Date>,
) -> Result<(), ErrorReport> {
    Ok(store::decide(&store::New {
        conflict: given("conflict", conflict)?,
        scope: given("scope", scope)?,
        decision: given("decision", decision)?,
        legal_basis: given("legal_basis", legal_basis)?,
        expires: given("expires", expires)?,
    })?)
}

/// Stands before every change of a decision.
#[pg_extern(sql = "
CREATE FUNCTION confiture._decision_guard() RETURNS trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn decision_guard(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>, ErrorReport> {
    trigger::called(fcinfo)?;
    Err(
        Error::new(Kind::Permission, "decisions on conflicts are never changed")
            .with_hint("Decide again with confiture.decide_conflict: the newest counts.")
            .into(),
    )
}
