//! What SQL sees of the lineage. Nothing here appends what a caller says.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{JsonB, Uuid};
use serde_json::{Map, Value, json};

use super::report::{self, Format};
use super::{openlineage, rows, store};
use crate::error::{Error, Kind, Result, given};
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;

/// Destroys the key of a run: from then on its commitments are random numbers to everybody. False
/// where there is none, or no more. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn shred_run_key(run: Option<Uuid>) -> Result<bool, ErrorReport> {
    let run_id = *given("run", run)?.as_bytes();
    if !store::destroy_key(run_id)? {
        if store::has_run(run_id)? {
            return Ok(false);
        }
        return Err(Error::new(Kind::UndefinedObject, "there is no such run")
            .with_hint("See confiture.lineage_columns.")
            .into());
    }
    rows::store::forget(run_id)?;
    let facts = Facts {
        run_id: Some(run_id),
        ..Facts::default()
    };
    ledger::append(Event::RunKeyShredded, facts)?;
    Ok(true)
}

/// A report of the lineage of a target schema, of a table or of everything: as `markdown`, as `html`
/// that needs nothing else, or as `json`. It reads with the rights of the caller, and verifies the
/// ledger.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn lineage_report(
    schema_name: default!(Option<&str>, "NULL"),
    table_name: default!(Option<&str>, "NULL"),
    format: default!(Option<&str>, "'markdown'"),
) -> Result<String, ErrorReport> {
    let format = Format::parse(given("format", format)?)?;
    Ok(report::store::read(schema_name, table_name)?.render(format))
}

/// Bytes of a name.
const LONGEST_NAME: usize = 63;

/// A report as `lineage_report` gives it, with its digest on record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn issue_lineage_report(
    schema_name: default!(Option<&str>, "NULL"),
    table_name: default!(Option<&str>, "NULL"),
    format: default!(Option<&str>, "'markdown'"),
) -> Result<String, ErrorReport> {
    let word = given("format", format)?;
    // On record stand names, nothing else.
    for (argument, name) in [("schema_name", schema_name), ("table_name", table_name)] {
        if name.is_some_and(|name| name.len() > LONGEST_NAME) {
            return Err(Error::new(
                Kind::InvalidParameter,
                format!("argument \"{argument}\" is longer than a name can be"),
            )
            .into());
        }
    }
    let text = report::store::read(schema_name, table_name)?.render(Format::parse(word)?);
    let about = json!({
        "report": "lineage_report", "format": word, "schema": schema_name, "table": table_name,
    });
    report::store::issue(&text, None, members(about))?;
    Ok(text)
}

/// An event as `export_openlineage` gives it, with the digest of its text on record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn issue_openlineage(
    run: Option<Uuid>,
    namespace: default!(Option<&str>, "NULL"),
) -> Result<JsonB, ErrorReport> {
    let run_id = given("run", run)?;
    let event = event(run_id, namespace)?;
    let about = json!({"report": "openlineage", "format": "json", "namespace": namespace});
    let text = report::store::as_text(&event)?;
    report::store::issue(&text, Some(*run_id.as_bytes()), members(about))?;
    Ok(JsonB(event))
}

/// The end of a run as an OpenLineage event. `namespace` says where the database is reached, as
/// `postgres://host:port`; without it a name made of the cluster's identifier stands there. It
/// reads with the rights of the caller.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn export_openlineage(
    run: Option<Uuid>,
    namespace: default!(Option<&str>, "NULL"),
) -> Result<JsonB, ErrorReport> {
    Ok(JsonB(event(given("run", run)?, namespace)?))
}

fn event(run_id: Uuid, namespace: Option<&str>) -> Result<Value> {
    let namespace = namespace.map(openlineage::Namespace::parse).transpose()?;
    Ok(openlineage::store::read(run_id)?.event(namespace.as_ref()))
}

fn members(about: Value) -> Map<String, Value> {
    match about {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
