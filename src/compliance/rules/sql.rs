//! What SQL sees of rules.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::store::{self, Loaded};
use crate::error::{counted, given};

/// Checks a document of rules and has it in use from now on, in place of the one of its name. On
/// record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn load_rules(yaml: Option<&str>) -> Result<String, ErrorReport> {
    let (document, loaded) = store::load(given("yaml", yaml)?)?;
    let what = match loaded {
        Loaded::New => format!(
            "loaded with {}, {} and {}",
            counted(document.requirements.len() as u64, "requirement"),
            counted(document.controls.len() as u64, "control"),
            counted(document.conflicts.len() as u64, "conflict"),
        ),
        Loaded::Same => "known before".to_owned(),
    };
    let (name, version) = (document.name, document.version);
    Ok(format!("rules \"{name}\" version {version} {what}"))
}

/// The documents of rules in use, with what speaks against one.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn rules_in_use() -> Result<
    TableIterator<
        'static,
        (
            name!(rules, String),
            name!(version, String),
            name!(title, String),
            name!(requirements, i32),
            name!(texts_checked, i32),
            name!(sha256, String),
            name!(loaded_by, Option<String>),
            name!(loaded_at, Option<TimestampWithTimeZone>),
            name!(doubt, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let rows: Vec<_> = store::documents()?
        .into_iter()
        .map(|found| {
            let (document, loaded) = (found.document, found.loaded.unzip());
            let checked = document
                .requirements
                .iter()
                .filter(|requirement| requirement.text_checked.is_some());
            (
                document.name.clone(),
                document.version.to_string(),
                document.title.clone(),
                count(document.requirements.len()),
                count(checked.count()),
                hex::encode(document.hash),
                loaded.0,
                loaded.1,
                found.doubt,
            )
        })
        .collect();
    Ok(TableIterator::new(rows))
}
