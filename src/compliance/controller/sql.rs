//! What SQL sees of the controller's facts.

use pgrx::datum::Date;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyElement, pg_sys};
use serde_json::Value;

use super::kinds::{self, KINDS, Kind};
use super::{forms, read, store, suggest, write};
use crate::compliance::inventory;
use crate::compliance::report::sql::schemas;
use crate::error::{Error, Kind as Condition, Result, counted, given};
use crate::pg::argument::Document;
use crate::pg::trigger;
use crate::profile::document::{self, Content, Entry, Tree};

/// Takes a controller's document: facts that are new or different become versions, the others stay
/// as they are. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn load_controller(yaml: Option<&str>) -> Result<String, ErrorReport> {
    let bytes = given("yaml", yaml)?.as_bytes();
    let tree =
        document::read_within(read::BOUNDS, read::NOUN, bytes).map_err(read::with_sections)?;
    let outcome = store::declare(&read::document(&tree)?)?;
    let number = |count: usize| counted(count as u64, "fact");
    Ok(format!(
        "{} declared, {} known before",
        number(outcome.stored),
        outcome.known
    ))
}

/// The facts that hold on a day, or today, as a document that `load_controller` takes.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn export_controller(as_of: default!(Option<Date>, "NULL")) -> Result<String, ErrorReport> {
    let day = store::asked(as_of)?;
    Ok(write::document(&store::on(&day)?))
}

/// The columns of some schemas, or of all, that look personal and are not declared yet, as a section
/// of a document: by table and category, for one activity. To be read before it is loaded.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn suggest_controller(
    activity: Option<&str>,
    scope: default!(Option<Vec<Option<String>>>, "NULL"),
) -> Result<String, ErrorReport> {
    let activity = given("activity", activity)?;
    read::id(activity, None, "activity")?;
    let scope = schemas(scope)?;
    let day = store::today()?;
    let needs = inventory::Needs::default();
    let found = inventory::store::read(&store::on(&day)?, &day, scope.as_deref(), needs)?;
    Ok(suggest::columns(&found, activity))
}

/// Declares one fact; whether it is a new version of it. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn declare_fact(
    kind: Option<&str>,
    id: Option<&str>,
    fields: Option<Document>,
    valid_from: default!(Option<Date>, "NULL"),
    valid_to: default!(Option<Date>, "NULL"),
    source_doc: default!(Option<&str>, "NULL"),
) -> Result<bool, ErrorReport> {
    let (kind, id) = (kind_of(given("kind", kind)?)?, given("id", id)?);
    let fields = tree(given("fields", fields)?.read()?);
    let mut fact = read::fact(kind, id, &fields, None, kind.name)?;
    fact.valid_from = valid_from.map(store::day).transpose()?.or(fact.valid_from);
    fact.valid_to = valid_to.map(store::day).transpose()?.or(fact.valid_to);
    fact.source_doc = source(source_doc)?.or(fact.source_doc);
    Ok(store::declare(&[fact])?.stored > 0)
}

/// Ends a fact on a day, or today; whether there was one to end. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn withdraw_fact(
    kind: Option<&str>,
    id: Option<&str>,
    valid_from: default!(Option<Date>, "NULL"),
    source_doc: default!(Option<&str>, "NULL"),
) -> Result<bool, ErrorReport> {
    let valid_from = valid_from.map(store::day).transpose()?;
    Ok(store::withdraw(
        kind_of(given("kind", kind)?)?,
        given("id", id)?,
        valid_from.as_deref(),
        source(source_doc)?.as_deref(),
    )?)
}

/// What a fact was taken from, as a document has it.
fn source(given: Option<&str>) -> Result<Option<String>> {
    given
        .map(|text| forms::text(&tree(text.into()), "source_doc"))
        .transpose()
}

/// Stands before every change of a version: of a fact, or of a document of rules.
#[pg_extern(sql = "
CREATE FUNCTION confiture._version_guard() RETURNS trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn version_guard(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>, ErrorReport> {
    let (what, hint) = match trigger::called(fcinfo)?.table_name().as_deref() {
        Ok("rules_document") => (
            "stored rules are never changed",
            "Load a higher version with confiture.load_rules: it takes the place of the others.",
        ),
        _ => (
            "versions of declared facts are never changed",
            "Declare the fact again with confiture.declare_fact, or end it with \
             confiture.withdraw_fact.",
        ),
    };
    Err(Error::new(Condition::Permission, what)
        .with_hint(hint)
        .into())
}

fn kind_of(name: &str) -> Result<&'static Kind> {
    kinds::kind(name).ok_or_else(|| {
        let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
        Error::new(
            Condition::InvalidParameter,
            format!("unrecognized kind of fact \"{}\"", document::word(name)),
        )
        .with_hint(format!("Available kinds are {}.", names.join(", ")))
    })
}

/// A document of the server as one that was read: nothing in it has a place.
fn tree(value: Value) -> Tree {
    let content = match value {
        Value::Null => Content::Nothing,
        Value::Bool(flag) => Content::Flag(flag),
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            Content::Whole(number.to_string())
        }
        Value::Number(number) => Content::Number(number.to_string()),
        Value::String(text) => Content::Text(text),
        Value::Array(items) => Content::List(items.into_iter().map(tree).collect()),
        Value::Object(members) => Content::Map(
            members
                .into_iter()
                .map(|(key, value)| Entry {
                    key,
                    place: None,
                    value: tree(value),
                })
                .collect(),
        ),
    };
    Tree {
        place: None,
        content,
    }
}
