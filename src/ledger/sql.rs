//! What SQL sees of the ledger. Nothing here appends.

use pgrx::iter::TableIterator;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::verify::Finding;
use super::{guard, inspection, store, verified};
use crate::error::{Error, Kind, Result, given};
use crate::pg::{ddl, report, user};
use crate::settings;

/// Checks every entry of the audit log: hash, signature, link, order and head.
///
/// One row per finding; status is `ok`, `fail`, `unsigned`, `unverifiable` or `warn`. `anchors` is what
/// export_anchor gave and was kept outside; without it the anchors of `confiture.anchor_directory`.
/// With `since_anchor`, of entries up to the newest anchor only the stored hashes are compared with
/// it.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn verify_ledger(
    anchors: default!(Option<Vec<Option<String>>>, "NULL"),
    since_anchor: default!(Option<bool>, "false"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(check_code, String),
            name!(status, String),
            name!(chain, String),
            name!(seq_from, Option<i64>),
            name!(seq_to, Option<i64>),
            name!(detail, String),
        ),
    >,
    ErrorReport,
> {
    let since_anchor = given("since_anchor", since_anchor)?;
    Ok(rows(
        inspection::store::inspect(notes(anchors)?, since_anchor)?.findings,
    ))
}

/// Checks the ledger as `verify_ledger` does, and puts on record that and with what result.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn record_verification(
    anchors: default!(Option<Vec<Option<String>>>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(check_code, String),
            name!(status, String),
            name!(chain, String),
            name!(seq_from, Option<i64>),
            name!(seq_to, Option<i64>),
            name!(detail, String),
        ),
    >,
    ErrorReport,
> {
    Ok(rows(verified::store::record(notes(anchors)?)?))
}

type Row = (String, String, String, Option<i64>, Option<i64>, String);

fn rows(findings: Vec<Finding>) -> TableIterator<'static, Row> {
    TableIterator::new(findings.into_iter().map(|finding| {
        (
            finding.code.to_owned(),
            finding.status.to_owned(),
            finding.chain.to_owned(),
            finding.seq_from,
            finding.seq_to,
            finding.detail,
        )
    }))
}

fn notes(anchors: Option<Vec<Option<String>>>) -> Result<Option<Vec<String>>> {
    anchors
        .map(|notes| {
            notes
                .into_iter()
                .map(|note| given("anchors", note))
                .collect()
        })
        .transpose()
}

/// Stands before DROP EXTENSION, DROP SCHEMA and DROP OWNED: the evidence must not go with them
/// by accident.
#[pg_extern(sql = "
CREATE FUNCTION confiture._drop_guard() RETURNS event_trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn drop_guard(fcinfo: pg_sys::FunctionCallInfo) {
    if settings::allow_drop() && user::is_superuser(user::current()) {
        return;
    }
    let takes_ledger = match ddl::command(fcinfo) {
        ddl::Drop::Extensions(names) => Ok(names.iter().any(|name| name == "confiture")),
        ddl::Drop::Schemas(names, cascade) => guard::store::lives_in_any(&names, cascade),
        ddl::Drop::OwnedBy(roles) => guard::store::owned_by_any(&roles),
        ddl::Drop::Other => Ok(false),
    };
    match takes_ledger.and_then(|takes| Ok(takes && store::has_entries()?)) {
        Ok(false) => {}
        Ok(true) => report::raise(
            Error::new(
                Kind::NotReady,
                "the ledger holds entries that this command would destroy",
            )
            .with_hint(
                "Keep the evidence first: SELECT confiture.export_ledger() gives it as text, which \
                 confiture-verify checks. Then, as a superuser, run SET confiture.allow_drop = on; \
                 and repeat the command.",
            ),
        ),
        Err(error) => report::raise(error),
    }
}
