//! What SQL sees of the search.

use pgrx::JsonB;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::{Map, Value, json};

use super::store;
use crate::anonymity::store::{keyed, measuring};
use crate::anonymity::{positive, share};
use crate::error::{Error, Kind, Result, given};
use crate::pg::argument::{Document, Names, Relation};

/// The least generalization of the quasi-identifiers that makes every class as large as `k`, with
/// rows left out up to a share of all; no row where there is none.
#[pg_extern(stable, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn anon_suggest_generalization(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    k: Option<i64>,
    hierarchies: default!(Option<Document>, "'{}'"),
    max_suppression: default!(Option<f64>, "0"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(levels, JsonB),
            name!(loss, f64),
            name!(suppressed, i64),
            name!(k_after, Option<i64>),
            name!(classes, i64),
            name!(nodes, i64),
            name!(looks, i64),
            name!(sql, String),
            name!(profile, String),
        ),
    >,
    ErrorReport,
> {
    let rel = given("rel", rel)?;
    let names = given("quasi_identifiers", quasi_identifiers)?;
    let k = positive("k", given("k", k)?)?;
    let hierarchies = object(given("hierarchies", hierarchies)?.read()?)?;
    let max_suppression = given("max_suppression", max_suppression)?;
    let max_suppression = share("max_suppression", max_suppression)?;
    let trees = store::trees(&hierarchies)?;
    let found = measuring(|| {
        let (relation, keys) = keyed(rel, &names)?;
        store::suggest(&relation, &keys, k, &hierarchies, &trees, max_suppression)
    })?;
    let row = found.map(|suggestion| {
        let levels: Map<_, _> = suggestion
            .levels
            .into_iter()
            .map(|(name, level, height)| (name, json!({"level": level, "of": height})))
            .collect();
        let outcome = suggestion.found.outcome;
        (
            JsonB(Value::Object(levels)),
            suggestion.found.loss,
            signed(outcome.suppressed),
            suggestion.k_after.map(signed),
            signed(outcome.classes),
            signed(suggestion.found.nodes as u64),
            signed(suggestion.found.looks as u64),
            suggestion.sql,
            suggestion.profile,
        )
    });
    Ok(TableIterator::new(row))
}

fn object(given: Value) -> Result<Map<String, Value>> {
    match given {
        Value::Object(given) => Ok(given),
        _ => Err(
            Error::new(Kind::InvalidParameter, "hierarchies must be an object").with_hint(
                "Write the name of a column, and its hierarchy: {\"age\": {\"steps\": [5, 10]}}.",
            ),
        ),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
