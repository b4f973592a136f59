//! What SQL sees of releases.

use pgrx::JsonB;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::Oid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::{Value, json};

use super::dataset::store;
use super::run::{Answer, Asked, release};
use crate::error::{Error, Kind, Result, given};
use crate::pg::argument::Document;
use crate::privacy::amount::{Amount, Delta};
use crate::privacy::charge;

/// Registers a table as a data set: whose its rows are, which columns may be asked about between which
/// bounds or by which keys, and which budget pays. For the owner of the table; on record.
#[pg_extern(
    volatile,
    parallel_unsafe,
    sql = "
CREATE FUNCTION anon_dp_register(
  dataset text, rel regclass, unit_column text, budget text, columns jsonb,
  second_budget boolean DEFAULT false)
  RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
  AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
"
)]
fn anon_dp_register(
    dataset: Option<&str>,
    rel: Option<Oid>,
    unit_column: Option<&str>,
    budget: Option<&str>,
    columns: Option<Document>,
    second_budget: Option<bool>,
) -> Result<(), ErrorReport> {
    Ok(store::register(
        given("dataset", dataset)?,
        given("rel", rel)?,
        given("unit_column", unit_column)?,
        given("budget", budget)?,
        &given("columns", columns)?.read()?,
        given("second_budget", second_budget)?,
    )?)
}

/// Takes a data set away. What was spent stays spent. For the owner of its table; on record.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn anon_dp_unregister(dataset: Option<&str>) -> Result<(), ErrorReport> {
    Ok(store::unregister(given("dataset", dataset)?)?)
}

type Rows = TableIterator<
    'static,
    (
        name!(keys, JsonB),
        name!(measure, String),
        name!(value, Option<AnyNumeric>),
        name!(ci95_low, Option<AnyNumeric>),
        name!(ci95_high, Option<AnyNumeric>),
        name!(epsilon_charged, Option<AnyNumeric>),
    ),
>;

/// Answers about a data set, with noise and intervals, for who may not read its table. Charged first,
/// once for all measures and groups; with `dry_run` nothing is read and nothing charged.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(
    clippy::too_many_arguments,
    clippy::type_complexity,
    reason = "named in SQL"
)]
fn anon_dp_release(
    dataset: Option<&str>,
    measures: Option<Document>,
    epsilon: Option<f64>,
    group_by: default!(Option<Vec<Option<String>>>, "'{}'"),
    filter: default!(Option<Document>, "NULL"),
    max_groups: default!(Option<i32>, "1"),
    delta: default!(Option<f64>, "0"),
    dry_run: default!(Option<bool>, "false"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(keys, JsonB),
            name!(measure, String),
            name!(value, Option<AnyNumeric>),
            name!(ci95_low, Option<AnyNumeric>),
            name!(ci95_high, Option<AnyNumeric>),
            name!(epsilon_charged, Option<AnyNumeric>),
        ),
    >,
    ErrorReport,
> {
    let is_dry = given("dry_run", dry_run)?;
    let filter = filter.map(Document::read).transpose()?;
    let groups: Option<Vec<String>> = given("group_by", group_by)?.into_iter().collect();
    let max_groups = u32::try_from(given("max_groups", max_groups)?).unwrap_or(0);
    let measures = given("measures", measures)?.read()?;
    let asked = Asked {
        measures: &measures,
        epsilon: charge::strength(given("epsilon", epsilon)?)?,
        group_by: given("group_by", groups)?,
        filter: filter.as_ref(),
        max_groups,
        delta: Delta::parse("delta", &given("delta", delta)?.to_string())?,
        is_dry,
    };
    let answers = release(given("dataset", dataset)?, &asked)?;
    let rows: Vec<_> = answers
        .into_iter()
        .map(|answer| {
            let (low, high) = answer.interval.unzip();
            (
                JsonB(answer.keys),
                answer.measure,
                number(answer.value.as_deref()),
                number(low.as_deref()),
                number(high.as_deref()),
                shown(answer.epsilon),
            )
        })
        .collect();
    Ok(Rows::new(rows))
}

/// How many units a data set has, with noise.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn anon_dp_release_count(
    dataset: Option<&str>,
    epsilon: Option<f64>,
    filter: default!(Option<Document>, "NULL"),
) -> Result<Option<i64>, ErrorReport> {
    let answer = one(dataset, json!({"count": "*"}), epsilon, filter)?;
    Ok(answer.value.and_then(|value| value.parse().ok()))
}

/// The sum of a column of a data set, with noise.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn anon_dp_release_sum(
    dataset: Option<&str>,
    column_name: Option<&str>,
    epsilon: Option<f64>,
    filter: default!(Option<Document>, "NULL"),
) -> Result<Option<AnyNumeric>, ErrorReport> {
    let column = given("column_name", column_name)?;
    let answer = one(dataset, json!({"sum": column}), epsilon, filter)?;
    Ok(number(answer.value.as_deref()))
}

/// The mean of a column of a data set, with noise.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn anon_dp_release_avg(
    dataset: Option<&str>,
    column_name: Option<&str>,
    epsilon: Option<f64>,
    filter: default!(Option<Document>, "NULL"),
) -> Result<Option<f64>, ErrorReport> {
    let column = given("column_name", column_name)?;
    let answer = one(dataset, json!({"avg": column}), epsilon, filter)?;
    Ok(answer.value.and_then(|value| value.parse().ok()))
}

/// A quantile of a column of a data set, with noise.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn anon_dp_release_quantile(
    dataset: Option<&str>,
    column_name: Option<&str>,
    q: Option<f64>,
    epsilon: Option<f64>,
    filter: default!(Option<Document>, "NULL"),
) -> Result<Option<AnyNumeric>, ErrorReport> {
    let (column, q) = (given("column_name", column_name)?, given("q", q)?);
    let answer = one(
        dataset,
        json!({"quantile": column, "q": q}),
        epsilon,
        filter,
    )?;
    Ok(number(answer.value.as_deref()))
}

fn one(
    dataset: Option<&str>,
    measure: Value,
    epsilon: Option<f64>,
    filter: Option<Document>,
) -> Result<Answer> {
    let filter = filter.map(Document::read).transpose()?;
    let asked = Asked {
        measures: &json!([measure]),
        epsilon: charge::strength(given("epsilon", epsilon)?)?,
        group_by: Vec::new(),
        filter: filter.as_ref(),
        max_groups: 1,
        delta: Delta::ZERO,
        is_dry: false,
    };
    let answers = release(given("dataset", dataset)?, &asked)?;
    let first = answers.into_iter().next();
    first.ok_or_else(|| Error::new(Kind::Internal, "a release has no answer"))
}

fn number(text: Option<&str>) -> Option<AnyNumeric> {
    text.and_then(|text| AnyNumeric::try_from(text).ok())
}

fn shown<const DIGITS: usize>(amount: Amount<DIGITS>) -> Option<AnyNumeric> {
    number(Some(&amount.to_string()))
}
