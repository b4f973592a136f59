//! What SQL sees of the gates.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::trigger_support::PgTriggerWhen;
use pgrx::{AnyElement, pg_sys};

use super::{judged, store};
use crate::anonymity::positive;
use crate::anonymity::store::{keyed, measuring, smallest};
use crate::error::{Error, Kind, Result, given};
use crate::pg::argument::{Names, Relation};
use crate::pg::trigger;

/// How large the smallest class is, which must be `k` at least; NULL without rows.
#[pg_extern(stable, parallel_unsafe)]
fn anon_assert_k(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    k: Option<i64>,
    null_matches: default!(Option<bool>, "false"),
) -> Result<Option<i64>, ErrorReport> {
    let rel = given("rel", rel)?;
    let names = given("quasi_identifiers", quasi_identifiers)?;
    let k = positive("k", given("k", k)?)?;
    let null_matches = given("null_matches", null_matches)?;
    let found = measuring(|| {
        let (relation, keys) = keyed(rel, &names)?;
        let found = smallest(&relation, &keys, null_matches)?;
        judged(&relation, &keys, k, found)
    })?;
    Ok(found.map(signed))
}

/// Deletes the rows of classes of less than `k`, or counts them in a dry run; and the size of the
/// smallest class then, NULL where no row is left.
#[pg_extern(volatile, parallel_unsafe)]
fn anon_suppress_below_k(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    k: Option<i64>,
    dry_run: default!(Option<bool>, "true"),
) -> Result<
    TableIterator<'static, (name!(suppressed, i64), name!(k_after, Option<i64>))>,
    ErrorReport,
> {
    let rel = given("rel", rel)?;
    let names = given("quasi_identifiers", quasi_identifiers)?;
    let k = positive("k", given("k", k)?)?;
    let is_dry = given("dry_run", dry_run)?;
    let (gone, left) = measuring(|| {
        let (relation, keys) = keyed(rel, &names)?;
        store::suppress(&relation, &keys, k, is_dry)
    })?;
    Ok(TableIterator::once((signed(gone), left.map(signed))))
}

/// Stands behind every change of a table whose classes must keep a size.
#[pg_extern(sql = "
CREATE FUNCTION anon_enforce_k() RETURNS trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn enforce_k(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>, ErrorReport> {
    let called = trigger::called(fcinfo)?;
    enforced(&called)?;
    Ok(trigger::goes_on(called.new().or_else(|| called.old())))
}

fn enforced(trigger: &PgTrigger<'_>) -> Result<()> {
    if !matches!(trigger.when(), Ok(PgTriggerWhen::After)) {
        return Err(Error::new(
            Kind::Definition,
            "anon_enforce_k must be called by a trigger AFTER a change",
        )
        .with_hint("Use CREATE CONSTRAINT TRIGGER … DEFERRABLE INITIALLY DEFERRED."));
    }
    let arguments = trigger.extra_args().unwrap_or_default();
    store::written(trigger.trigger().tgoid.to_u32(), &arguments)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
