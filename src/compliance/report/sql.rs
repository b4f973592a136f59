//! What SQL sees of the reports. They read with the rights of the caller.

use pgrx::JsonB;
use pgrx::datum::Date;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Report, definition::Law, laws, store};
use crate::compliance::controller::store::asked;
use crate::compliance::rules;
use crate::error::{Error, Kind, Result, given};
use crate::ledger::lineage::report::Format;

/// The report of a regulation as a document: `json`, `markdown` or `html`. `as_of` is the day whose
/// facts and law it is about, `scope` the schemas it looks at, `variant` which of several acts.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn compliance_report(
    regulation: Option<&str>,
    format: default!(Option<&str>, "'json'"),
    as_of: default!(Option<Date>, "NULL"),
    scope: default!(Option<Vec<Option<String>>>, "NULL"),
    variant: default!(Option<&str>, "NULL"),
) -> Result<String, ErrorReport> {
    let format = Format::parse(given("format", format)?)?;
    Ok(with(regulation, as_of, scope, variant, |report| {
        Ok(report.render(format))
    })?)
}

/// A report as `compliance_report` gives it, with its digest on record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn issue_compliance_report(
    regulation: Option<&str>,
    format: default!(Option<&str>, "'json'"),
    as_of: default!(Option<Date>, "NULL"),
    scope: default!(Option<Vec<Option<String>>>, "NULL"),
    variant: default!(Option<&str>, "NULL"),
) -> Result<String, ErrorReport> {
    let word = given("format", format)?;
    let format = Format::parse(word)?;
    Ok(with(regulation, as_of, scope, variant, |report| {
        let text = report.render(format);
        store::record(report, word, &text)?;
        Ok(text)
    })?)
}

/// The fields of a report, one row each.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn compliance_fields(
    regulation: Option<&str>,
    as_of: default!(Option<Date>, "NULL"),
    scope: default!(Option<Vec<Option<String>>>, "NULL"),
    variant: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(section, String),
            name!(field, String),
            name!(cite, String),
            name!(title, String),
            name!(status, String),
            name!(value, JsonB),
            name!(source, String),
            name!(evidence, String),
            name!(as_of, String),
            name!(note, Option<String>),
            name!(requirement, String),
            name!(text_checked_on, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let rows = with(regulation, as_of, scope, variant, |report| {
        let mut rows = Vec::new();
        for (section, fields) in &report.sections {
            for field in fields {
                rows.push((
                    (*section).to_owned(),
                    field.id.to_owned(),
                    field.cite.to_owned(),
                    field.title.to_owned(),
                    field.status.name().to_owned(),
                    JsonB(field.value.clone()),
                    field.source.to_owned(),
                    field.evidence.clone(),
                    field.as_of.clone(),
                    field.note.clone(),
                    field.requirement.to_owned(),
                    field.text_checked.as_ref().map(|(day, _)| day.clone()),
                ));
            }
        }
        Ok(rows)
    })?;
    Ok(TableIterator::new(rows))
}

/// How many fields of each report are evidenced, declared, missing, stale and not applicable; of one
/// regulation, or of all.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn compliance_coverage(
    regulation: default!(Option<&str>, "NULL"),
    as_of: default!(Option<Date>, "NULL"),
    scope: default!(Option<Vec<Option<String>>>, "NULL"),
    variant: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(regulation, String),
            name!(asked, i64),
            name!(evidenced, i64),
            name!(declared, i64),
            name!(missing, i64),
            name!(stale, i64),
            name!(not_applicable, i64),
            name!(percent, Option<i64>),
        ),
    >,
    ErrorReport,
> {
    let laws: Vec<&'static Law> = match regulation {
        Some(code) => vec![laws::find(code, variant)?],
        None => {
            let acts = laws::find("privacy_act", variant)?;
            laws::LAWS
                .into_iter()
                .filter(|law| law.code != acts.code || law.variant == acts.variant)
                .collect()
        }
    };
    let (day, scope) = (asked(as_of)?, schemas(scope)?);
    let set = rules::store::set()?;
    let facts = store::facts(&day, scope.as_deref(), &set.rules)?;
    let mut rows = Vec::new();
    for law in laws {
        let found = store::report(law, &facts, scope.clone(), &set)?.coverage();
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        rows.push((
            law.code.to_owned(),
            number(found.asked()),
            number(found.evidenced),
            number(found.declared),
            number(found.missing),
            number(found.stale),
            number(found.not_applicable),
            found.percent().map(number),
        ));
    }
    Ok(TableIterator::new(rows))
}

fn with<T>(
    regulation: Option<&str>,
    as_of: Option<Date>,
    scope: Option<Vec<Option<String>>>,
    variant: Option<&str>,
    work: impl FnOnce(&Report<'_>) -> Result<T>,
) -> Result<T> {
    let law = laws::find(given("regulation", regulation)?, variant)?;
    let (day, scope) = (asked(as_of)?, schemas(scope)?);
    let set = rules::store::set()?;
    let facts = store::facts(&day, scope.as_deref(), &set.rules)?;
    work(&store::report(law, &facts, scope, &set)?)
}

/// Names of schemas, each of which some name must be; whether there is one of that name is no
/// matter.
///
/// # Errors
/// 22023 for an empty list, or for what is no name.
pub fn schemas(scope: Option<Vec<Option<String>>>) -> Result<Option<Vec<String>>> {
    let Some(names) = scope else {
        return Ok(None);
    };
    let names: Vec<String> = names
        .into_iter()
        .map(|name| given("scope", name))
        .collect::<Result<_>>()?;
    let is_name = |name: &String| !name.is_empty() && name.len() <= 63;
    if names.is_empty() || !names.iter().all(is_name) {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"scope\" must be a list of names of schemas",
        )
        .with_hint("Leave it out for every schema."));
    }
    Ok(Some(names))
}
