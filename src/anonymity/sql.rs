//! What SQL sees of the measures. All of them read with the rights of the caller.

use pgrx::JsonB;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::sensitive::store::{self as sensitive_store, Asked};
use super::store::{self, measuring};
use super::{Distance, Variant, positive, share};
use crate::error::given;
use crate::pg::argument::{Names, Relation};

/// How many rows the smallest class has; NULL without rows.
#[pg_extern(stable, parallel_unsafe)]
fn anon_k_anonymity(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    null_matches: default!(Option<bool>, "false"),
) -> Result<Option<i64>, ErrorReport> {
    let (rel, names) = named(rel, quasi_identifiers)?;
    let null_matches = given("null_matches", null_matches)?;
    let found = measuring(|| {
        let (relation, keys) = store::keyed(rel, &names)?;
        store::smallest(&relation, &keys, null_matches)
    })?;
    Ok(found.map(signed))
}

/// How diverse the sensitive values of the least diverse class are; NULL without rows.
#[pg_extern(stable, parallel_unsafe)]
fn anon_l_diversity(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: Option<&str>,
    variant: default!(Option<&str>, "'distinct'"),
    l: default!(Option<i32>, "NULL"),
    null_matches: default!(Option<bool>, "false"),
) -> Result<Option<f64>, ErrorReport> {
    let (rel, names) = named(rel, quasi_identifiers)?;
    let variant = Variant::parse(given("variant", variant)?)?;
    let l = l.map(|l| positive("l", l.into())).transpose()?;
    if l.is_some() && variant != Variant::Recursive {
        return Err(super::l_is_not_used().into());
    }
    let seen = asking(rel, &names, sensitive, null_matches, |asked| {
        sensitive_store::diversity(asked)
    })?;
    Ok(match variant {
        Variant::Distinct => seen
            .distinct()
            .map(|distinct| super::fraction::float(distinct.into())),
        Variant::Entropy => seen.entropy(),
        Variant::Recursive => l.or_else(|| seen.usual_l()).and_then(|l| seen.recursive(l)),
    })
}

/// How far the sensitive values of a class are from those of the table at most; NULL without rows.
#[pg_extern(stable, parallel_unsafe)]
fn anon_t_closeness(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: Option<&str>,
    distance: default!(Option<&str>, "'auto'"),
    hierarchy: default!(Option<Relation>, "NULL"),
    null_matches: default!(Option<bool>, "false"),
) -> Result<Option<f64>, ErrorReport> {
    let (rel, names) = named(rel, quasi_identifiers)?;
    let distance = given("distance", distance)?;
    Ok(asking(rel, &names, sensitive, null_matches, |asked| {
        let distance = Distance::parse(distance, asked.sensitive, hierarchy.is_some())?;
        sensitive_store::closeness(asked, distance, hierarchy)
    })?)
}

/// The share of the commonest sensitive value in a class at most, and the size of the smallest
/// class; both NULL without rows.
#[pg_extern(stable, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn anon_alpha_k(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: Option<&str>,
    null_matches: default!(Option<bool>, "false"),
) -> Result<TableIterator<'static, (name!(alpha, Option<f64>), name!(k, Option<i64>))>, ErrorReport>
{
    let (rel, names) = named(rel, quasi_identifiers)?;
    let seen = asking(rel, &names, sensitive, null_matches, |asked| {
        sensitive_store::diversity(asked)
    })?;
    Ok(TableIterator::once((
        seen.alpha(),
        seen.smallest().map(signed),
    )))
}

/// The greatest |ln(q/p)| of a sensitive value: with values that a class lacks, which make it
/// infinite, and without these; both NULL without rows.
#[pg_extern(stable, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn anon_delta_disclosure(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: Option<&str>,
    null_matches: default!(Option<bool>, "false"),
) -> Result<
    TableIterator<'static, (name!(delta, Option<f64>), name!(delta_finite, Option<f64>))>,
    ErrorReport,
> {
    let (rel, names) = named(rel, quasi_identifiers)?;
    let seen = asking(rel, &names, sensitive, null_matches, |asked| {
        sensitive_store::disclosure(asked)
    })?;
    Ok(TableIterator::once((seen.delta(), seen.delta_finite())))
}

/// The greatest (q − p)/p of a sensitive value, and the least β of enhanced β-likeness; both NULL
/// without rows.
#[pg_extern(stable, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn anon_beta_likeness(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    sensitive: Option<&str>,
    null_matches: default!(Option<bool>, "false"),
) -> Result<
    TableIterator<'static, (name!(beta, Option<f64>), name!(beta_enhanced, Option<f64>))>,
    ErrorReport,
> {
    let (rel, names) = named(rel, quasi_identifiers)?;
    let seen = asking(rel, &names, sensitive, null_matches, |asked| {
        sensitive_store::disclosure(asked)
    })?;
    Ok(TableIterator::once((seen.beta(), seen.enhanced_beta())))
}

/// The least and the greatest share of a class of the population that is in the sample; both NULL
/// without a population.
#[pg_extern(stable, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn anon_delta_presence(
    sample: Option<Relation>,
    population: Option<Relation>,
    quasi_identifiers: Option<Names>,
    null_matches: default!(Option<bool>, "false"),
) -> Result<
    TableIterator<'static, (name!(delta_min, Option<f64>), name!(delta_max, Option<f64>))>,
    ErrorReport,
> {
    let sample = given("sample", sample)?;
    let population = given("population", population)?;
    let names = given("quasi_identifiers", quasi_identifiers)?;
    let null_matches = given("null_matches", null_matches)?;
    let bounds = measuring(|| {
        let (sample, keys) = store::keyed(sample, &names)?;
        let population = store::relation(population)?;
        Ok(store::beside(&sample, &population, &keys, null_matches)?.1)
    })?;
    Ok(TableIterator::once(bounds.unzip()))
}

/// How likely records are found again, by three views: one row each.
#[pg_extern(stable, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn anon_reid_risk(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    population: default!(Option<Relation>, "NULL"),
    threshold: default!(Option<f64>, "0.2"),
    null_matches: default!(Option<bool>, "false"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(model, &'static str),
            name!(max_risk, Option<f64>),
            name!(avg_risk, Option<f64>),
            name!(records_at_risk, Option<f64>),
            name!(expected_reidentified, Option<f64>),
        ),
    >,
    ErrorReport,
> {
    let (rel, names) = named(rel, quasi_identifiers)?;
    let threshold = share("threshold", given("threshold", threshold)?)?;
    let null_matches = given("null_matches", null_matches)?;
    let risks = measuring(|| {
        let (relation, keys) = store::keyed(rel, &names)?;
        let population = population.map(store::relation).transpose()?;
        let records = store::records(&relation, &keys, null_matches)?;
        store::risks(
            &records,
            (&relation, &keys),
            population.as_ref(),
            threshold,
            null_matches,
        )
    })?;
    Ok(TableIterator::new(risks.into_iter().map(|risk| {
        (
            risk.model,
            risk.max,
            risk.average,
            risk.at_risk,
            risk.expected,
        )
    })))
}

/// The classes with their quasi-identifiers and sizes, smallest first.
#[pg_extern(stable, parallel_unsafe)]
fn anon_equivalence_classes(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
    max_size: default!(Option<i64>, "NULL"),
    null_matches: default!(Option<bool>, "false"),
) -> Result<TableIterator<'static, (name!(keys, JsonB), name!(size, i64))>, ErrorReport> {
    let (rel, names) = named(rel, quasi_identifiers)?;
    let null_matches = given("null_matches", null_matches)?;
    let found = measuring(|| {
        let (relation, keys) = store::keyed(rel, &names)?;
        store::listed(&relation, &keys, max_size, null_matches)
    })?;
    Ok(TableIterator::new(found))
}

/// Measures classes of a relation by a sensitive column.
fn asking<T>(
    rel: Relation,
    names: &Names,
    sensitive: Option<&str>,
    null_matches: Option<bool>,
    measure: impl FnOnce(&Asked<'_>) -> crate::error::Result<T>,
) -> crate::error::Result<T> {
    let sensitive = given("sensitive", sensitive)?;
    let null_matches = given("null_matches", null_matches)?;
    measuring(|| {
        let (relation, keys) = store::keyed(rel, names)?;
        measure(&Asked {
            relation: &relation,
            keys: &keys,
            sensitive: &relation.sensitive(sensitive, &keys)?,
            null_matches,
        })
    })
}

fn named(
    rel: Option<Relation>,
    quasi_identifiers: Option<Names>,
) -> crate::error::Result<(Relation, Names)> {
    Ok((
        given("rel", rel)?,
        given("quasi_identifiers", quasi_identifiers)?,
    ))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
