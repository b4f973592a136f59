//! What SQL sees of a cluster of Citus.

use pgrx::JsonB;
use pgrx::iter::TableIterator;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::node::{Line, Status};
use super::store;
use crate::custody::store::committing;
use crate::error::{Error, Kind, Result, counted};
use crate::keys::{scrub, setup};
use crate::pg::{call, report};

/// How it stands with the coordinator and every worker of Citus, and what citus_setup would do there;
/// changes nothing.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn citus_nodes() -> Result<
    TableIterator<
        'static,
        (
            name!(node, String),
            name!(status, &'static str),
            name!(fingerprint, Option<String>),
            name!(detail, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let lines = store::report();
    scrub();
    Ok(TableIterator::new(lines?.into_iter().map(|line| {
        (line.node, line.status.name(), line.fingerprint, line.detail)
    })))
}

/// Gives every worker of Citus the masking key of the coordinator, and every node a key of its own
/// that signs, where they are missing. The key travels wrapped by a provider that all nodes can use,
/// the configured one by default.
///
/// A procedure that commits: what a worker was given is on record whatever comes after it.
#[pg_extern(sql = "
CREATE PROCEDURE confiture.citus_setup(provider text DEFAULT NULL)
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn citus_setup(
    provider: Option<&str>,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<(), ErrorReport> {
    let provider = provider.map_or_else(setup::chosen, setup::known)?;
    let connection = committing("citus_setup", call::may_commit(fcinfo))?;
    let lines = store::set_up(provider, &connection);
    scrub();
    let lines = lines?;
    connection.commit()?;
    for line in &lines {
        report::notice(&told(line));
    }
    Ok(complete(&lines)?)
}

/// What this node says of its keys to the coordinator: whether they can be used, whether one of its
/// own signs, and the fingerprint of the masking key.
#[pg_extern(schema = "confiture", name = "_citus_keys", volatile, parallel_unsafe)]
fn citus_keys() -> Result<JsonB, ErrorReport> {
    let keys = store::keys_here();
    scrub();
    let document = serde_json::to_value(keys?);
    Ok(JsonB(document.unwrap_or_default()))
}

fn told(line: &Line) -> String {
    let mut said = format!("{}: {}", line.node, line.status.name());
    for part in [&line.fingerprint, &line.detail].into_iter().flatten() {
        said.push_str(", ");
        said.push_str(part);
    }
    said
}

fn complete(lines: &[Line]) -> Result<()> {
    let failed: Vec<_> = lines
        .iter()
        .filter(|line| line.status != Status::Ok)
        .map(told)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Kind::NotReady,
        format!(
            "{} of {} not set up",
            failed.len(),
            counted(lines.len() as u64, "node")
        ),
    )
    .with_detail(failed.join("\n"))
    .with_hint("What was done on the others is committed. Mend what is named, and call it again."))
}
