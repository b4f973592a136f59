//! What SQL sees of the report.

use pgrx::JsonB;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Report, html, store};
use crate::anonymity::store::{keyed, measuring};
use crate::error::{Result, given};
use crate::pg::argument::{Names, Relation};

/// Every measure of a relation as a document, with rows that have NULLs and what none of it
/// promises.
#[pg_extern(stable, parallel_unsafe)]
fn anon_privacy_report(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: default!(Option<Names>, "NULL"),
) -> Result<JsonB, ErrorReport> {
    let report = reported(rel, quasi_identifiers, sensitive)?;
    Ok(JsonB(report.document()))
}

/// The same as a page that needs nothing else.
#[pg_extern(stable, parallel_unsafe)]
fn anon_privacy_report_html(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: default!(Option<Names>, "NULL"),
) -> Result<String, ErrorReport> {
    let report = reported(rel, quasi_identifiers, sensitive)?;
    Ok(html::page(&report))
}

fn reported(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: Option<Names>,
) -> Result<Report> {
    let rel = given("rel", rel)?;
    let names = given("quasi_identifiers", quasi_identifiers)?;
    measuring(|| {
        let (relation, keys) = keyed(rel, &names)?;
        let sensitive = match sensitive {
            Some(names) if !names.0.is_empty() => relation.list("sensitive", &names.0)?,
            _ => Vec::new(),
        };
        for column in &sensitive {
            relation.sensitive(&column.name, &keys)?;
        }
        store::report(&relation, &keys, &sensitive)
    })
}
