//! What SQL sees of hooks.

use pgrx::JsonB;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::{Value, json};

use super::ready::{Among, Told};
use super::scan::Scan;
use super::{Hook, Moment, parse_name, reading, store};
use crate::error::{Result, given};
use crate::pg::argument::Document;

/// Has runs call a function, of one profile or of all: `function(context jsonb) returns jsonb`,
/// named with its schema. Registered again, it gets another position and other settings.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn register_hook(
    phase: Option<&str>,
    function: Option<&str>,
    profile: default!(Option<&str>, "NULL"),
    position: default!(Option<i32>, "100"),
    settings: default!(Option<Document>, "'{}'"),
) -> Result<(), ErrorReport> {
    let mut hook = named(phase, function, profile)?;
    hook.position = given("position", position)?;
    hook.settings = given("settings", settings)?.read()?;
    Ok(store::register(&hook)?)
}

/// Has runs no longer call a function.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn unregister_hook(
    phase: Option<&str>,
    function: Option<&str>,
    profile: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    Ok(store::unregister(&named(phase, function, profile)?)?)
}

fn named(phase: Option<&str>, function: Option<&str>, profile: Option<&str>) -> Result<Hook> {
    let moment = Moment::parse(given("phase", phase)?)?;
    let (schema, function) = parse_name(given("function", function)?)?;
    Ok(Hook {
        moment,
        schema,
        function,
        profile: profile.map(str::to_owned),
        position: 0,
        settings: json!({}),
        registered_by: store::caller(),
    })
}

/// A hook that vetoes a run which writes too few rows, too many, or too many more or less than the
/// last one.
#[pg_extern(schema = "confiture", immutable, parallel_safe)]
fn hook_row_limits(context: Option<Document>) -> Result<Option<JsonB>, ErrorReport> {
    let context = given("context", context)?.read()?;
    let reason = Told::read(&context)?.row_limits()?;
    Ok(reason.map(|reason| JsonB(json!({"veto": reason}))))
}

/// A hook that makes materialized views anew.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn hook_refresh_materialized_views(context: Option<Document>) -> Result<JsonB, ErrorReport> {
    let context = given("context", context)?.read()?;
    let told = Told::read(&context)?;
    let among = Among::parse(&told.settings(), "views")?;
    let views = store::refresh(&among, told.text("target")?)?;
    Ok(done("refreshed", &views))
}

/// A hook that has the server look at tables for its plans.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn hook_analyze(context: Option<Document>) -> Result<JsonB, ErrorReport> {
    let context = given("context", context)?.read()?;
    let told = Told::read(&context)?;
    let among = Among::parse(&told.settings(), "tables")?;
    let tables = store::analyze(&among, &told)?;
    Ok(done("analyzed", &tables))
}

/// A hook that vetoes a run in which values look personal that the profile lets through. It listens
/// to values only: what names say is for coverage, and may have been decided otherwise.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn hook_scan_source(context: Option<Document>) -> Result<Option<JsonB>, ErrorReport> {
    let context = given("context", context)?.read()?;
    let told = Told::read(&context)?;
    let problems = store::scan(&Scan::parse(&told.settings())?, &told)?;
    Ok((!problems.is_empty()).then(|| JsonB(json!({"veto": reading::reason(&problems)}))))
}

fn done(what: &str, names: &[String]) -> JsonB {
    let mut metadata = serde_json::Map::new();
    metadata.insert(what.to_owned(), json!(names));
    JsonB(json!({"metadata": Value::Object(metadata)}))
}
