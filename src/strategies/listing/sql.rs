//! What SQL sees of the list of strategies: the rows of a view, and the look at one value.

use pgrx::JsonB;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{named, store, validate};
use crate::error::{Error, given};
use crate::pg::argument::Document;
use crate::strategies::params::from_json;
use crate::strategies::{Kind, Strategy};

/// The strategies there are, as rows of the view `confiture.strategies`.
#[pg_extern(schema = "confiture", name = "_strategies", immutable, parallel_safe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn strategies() -> TableIterator<
    'static,
    (
        name!(name, String),
        name!(about, String),
        name!(parameters, JsonB),
        name!(inputs, Vec<String>),
        name!(accepts, Vec<String>),
        name!(is_deterministic, bool),
        name!(is_injective, bool),
        name!(is_reversible, bool),
        name!(keeps_length, bool),
        name!(keeps_format, bool),
        name!(is_keyed, bool),
        name!(version, i32),
        name!(example, Option<String>),
    ),
> {
    TableIterator::new(Kind::ALL.iter().map(|kind| {
        let entry = super::entry(*kind);
        let promised = entry.properties;
        (
            kind.name().to_owned(),
            kind.definition().about.to_owned(),
            JsonB(entry.parameters),
            entry.inputs,
            entry.accepts,
            promised.deterministic,
            promised.injective,
            promised.reversible,
            promised.keeps_length,
            promised.keeps_format,
            promised.keyed,
            i32::from(kind.version()),
            entry.example,
        )
    }))
}

/// What keeps a strategy from masking a value, one row per reason; no row when nothing does. The
/// value is masked by a key of nobody, and nothing of it is shown.
#[pg_extern(schema = "confiture", stable, parallel_safe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn validate_value(
    strategy: Option<&str>,
    params: Option<Document>,
    value: Option<&str>,
    value_type: default!(Option<&str>, "'text'"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(reason, String),
            name!(message, String),
            name!(detail, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let kind = named(given("strategy", strategy)?)?;
    let params = given("params", params)?.read()?;
    let strategy = Strategy::new(kind, &from_json(&params)?).map_err(Error::from)?;
    let of = store::held(given("value_type", value_type)?)?;
    let found = validate(&strategy, value, &of);
    Ok(TableIterator::new(found.into_iter().map(|reason| {
        (reason.code.to_owned(), reason.message, reason.detail)
    })))
}
