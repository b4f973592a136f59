//! What SQL sees of what was left behind.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::look::look;
use crate::pg::subxact::in_our_words;
use crate::pg::{guc, trusted};

/// Where originals lie that masking has left behind, one row per place: `found` where values are
/// that no row holds, `check` where that is to be judged, `note` where nobody can look from here.
/// Reads every page of the tables that no run has rewritten.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn residue_check(
    schema: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(kind, &'static str),
            name!(object, String),
            name!(column_name, Option<String>),
            name!(severity, &'static str),
            name!(finding, String),
            name!(how_to_clear, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let work = || guc::with(SETTINGS, || trusted::only(|| look(schema)));
    let rows = in_our_words("a look for what was left behind failed", work)?;
    Ok(TableIterator::new(rows.into_iter().map(|found| {
        (
            found.kind,
            found.object,
            found.column,
            found.severity.name(),
            found.finding,
            found.clear,
        )
    })))
}

/// Nothing of the caller's takes part, and a value has one form.
const SETTINGS: &[(&str, &str)] = &[
    ("search_path", "pg_catalog, pg_temp"),
    ("row_security", "off"),
    ("jit", "off"),
];
