//! What SQL sees of the report.

use pgrx::JsonB;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Report, html, store};
use crate::anonymity::store::{keyed, measuring, relation as relation_of};
use crate::error::{Result, given};
use crate::pg::argument::{Names, Relation};

/// Every measure of a relation as a document, with rows that have NULLs and what none of it
/// promises.
#[pg_extern(stable, parallel_unsafe)]
fn anon_privacy_report(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: default!(Option<Names>, "NULL"),
    population: default!(Option<Relation>, "NULL"),
    null_matches: default!(Option<bool>, "false"),
) -> Result<JsonB, ErrorReport> {
    let report = reported(rel, quasi_identifiers, sensitive, population, null_matches)?;
    Ok(JsonB(report.document()))
}

/// The same as a page that needs nothing else.
#[pg_extern(stable, parallel_unsafe)]
fn anon_privacy_report_html(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: default!(Option<Names>, "NULL"),
    population: default!(Option<Relation>, "NULL"),
    null_matches: default!(Option<bool>, "false"),
) -> Result<String, ErrorReport> {
    let report = reported(rel, quasi_identifiers, sensitive, population, null_matches)?;
    Ok(html::page(&report))
}

fn reported(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: Option<Names>,
    population: Option<Relation>,
    null_matches: Option<bool>,
) -> Result<Report> {
    let null_matches = given("null_matches", null_matches)?;
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
        let population = population.map(relation_of).transpose()?;
        store::report(
            &relation,
            &keys,
            &sensitive,
            population.as_ref(),
            null_matches,
        )
    })
}
