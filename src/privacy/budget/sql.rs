//! What SQL sees of budgets.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::status::store::Status;
use super::{status, store};
use crate::error::{Error, Kind, Result, given};
use crate::privacy::accounting::{basic, composed, concentrated, kairouz_oh_viswanath};
use crate::privacy::amount::{Amount, Delta, Epsilon};

/// Makes a budget: how much may be spent of ε, and of δ, on answers about one data set, by everybody
/// together. On record.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn anon_dp_budget_create(
    name: Option<&str>,
    epsilon_limit: Option<AnyNumeric>,
    delta_limit: default!(Option<AnyNumeric>, "0"),
    note: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    Ok(store::create(
        given("name", name)?,
        epsilon("epsilon_limit", epsilon_limit)?,
        delta("delta_limit", delta_limit)?,
        note,
    )?)
}

/// Lets a role charge a budget, up to a share of it, or all of it. On record.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn anon_dp_budget_grant(
    name: Option<&str>,
    role_name: Option<&str>,
    epsilon_limit: default!(Option<AnyNumeric>, "NULL"),
) -> Result<(), ErrorReport> {
    let limit = match epsilon_limit {
        Some(limit) => Some(epsilon("epsilon_limit", Some(limit))?),
        None => None,
    };
    Ok(store::grant(
        given("name", name)?,
        given("role_name", role_name)?,
        limit,
    )?)
}

/// Takes from a role the right to charge a budget. What it has spent stays spent. On record.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn anon_dp_budget_revoke(name: Option<&str>, role_name: Option<&str>) -> Result<(), ErrorReport> {
    Ok(store::revoke(
        given("name", name)?,
        given("role_name", role_name)?,
    )?)
}

/// Lets more be spent of a budget than before. On record, with the reason.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn anon_dp_budget_raise(
    name: Option<&str>,
    epsilon_limit: Option<AnyNumeric>,
    reason: Option<&str>,
    delta_limit: default!(Option<AnyNumeric>, "NULL"),
) -> Result<(), ErrorReport> {
    let of_delta = match delta_limit {
        Some(limit) => Some(delta("delta_limit", Some(limit))?),
        None => None,
    };
    Ok(store::raise(
        given("name", name)?,
        epsilon("epsilon_limit", epsilon_limit)?,
        of_delta,
        given("reason", reason)?,
    )?)
}

/// Ends the spending of a budget, for good. On record, with the reason.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn anon_dp_budget_retire(name: Option<&str>, reason: Option<&str>) -> Result<(), ErrorReport> {
    Ok(store::retire(
        given("name", name)?,
        given("reason", reason)?,
    )?)
}

/// What was spent of budgets, and what is left: `epsilon_recorded` is what the journal knows of,
/// `epsilon_unrecorded` what the meter has beyond that, below 0 where somebody has turned it back,
/// `epsilon_rolled_back` what was charged by transactions that were rolled back.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn anon_dp_budget_status(
    name: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(budget, String),
            name!(epsilon_limit, Option<AnyNumeric>),
            name!(epsilon_spent, Option<AnyNumeric>),
            name!(epsilon_recorded, Option<AnyNumeric>),
            name!(epsilon_unrecorded, Option<AnyNumeric>),
            name!(epsilon_rolled_back, Option<AnyNumeric>),
            name!(epsilon_left, Option<AnyNumeric>),
            name!(delta_limit, Option<AnyNumeric>),
            name!(delta_spent, Option<AnyNumeric>),
            name!(charges, i64),
            name!(last_charge, Option<TimestampWithTimeZone>),
            name!(is_retired, bool),
        ),
    >,
    ErrorReport,
> {
    let rows = status::store::status(name)?;
    Ok(TableIterator::new(rows.into_iter().map(|status| {
        let (left, is_retired) = (
            status.budget.epsilon_limit.minus(status.epsilon()),
            status.budget.is_retired,
        );
        let (spent, known) = (status.epsilon_spent, status.known);
        let unrecorded = match spent < known.recorded {
            true => number(known.recorded.minus(spent)).map(|missing| -missing),
            false => number(spent.minus(known.recorded)),
        };
        (
            status.name,
            number(status.budget.epsilon_limit),
            number(spent),
            number(known.recorded),
            unrecorded,
            number(known.rolled_back),
            number(left),
            number(status.budget.delta_limit),
            number(status.delta_spent),
            known.count(),
            known
                .last
                .and_then(|at| TimestampWithTimeZone::try_from(at).ok()),
            is_retired,
        )
    })))
}

/// What the charges of a budget amount to by three rules of composition: an ε, with the δ at which it
/// holds. Enforced is the first; the others are for charges that did not depend on each other's answers.
/// Other budgets that pay for the same tables are named, with what all have said together.
#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn anon_dp_budget_report(
    name: Option<&str>,
    delta: default!(Option<f64>, "1e-6"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(accounting, String),
            name!(epsilon, f64),
            name!(delta, f64),
        ),
    >,
    ErrorReport,
> {
    let name = given("name", name)?;
    let delta = given("delta", delta)?;
    if !(1e-15..1.0).contains(&delta) {
        return Err(Error::new(
            Kind::InvalidParameter,
            "invalid value for argument \"delta\"",
        )
        .with_detail("It must be at least 1e-15 and below 1.")
        .into());
    }
    let all = status::store::status(None)?;
    let Some(of) = all.iter().find(|status| status.name == name) else {
        return Err(store::missing(name).into());
    };
    let (charges, spent) = (of.charges(), of.delta_spent);
    let together = composed(delta, spent);
    let mut rows = vec![
        ("basic".to_owned(), basic(&charges), spent.get().min(1.0)),
        (
            "KOV".to_owned(),
            kairouz_oh_viswanath(&charges, delta),
            together,
        ),
        ("zCDP".to_owned(), concentrated(&charges, delta), together),
    ];
    let others = status::store::of_same_tables(name)?;
    if !others.is_empty() {
        let paying = || all.iter().filter(|of| others.contains(&of.name));
        let sum = |of: &dyn Fn(&Status) -> f64| paying().map(of).sum::<f64>();
        let names: Vec<_> = others.iter().map(|name| format!("\"{name}\"")).collect();
        let noun = if names.len() == 1 {
            "budget"
        } else {
            "budgets"
        };
        rows.push((
            format!("basic, with {noun} {}", names.join(", ")),
            of.epsilon().get() + sum(&|other| other.epsilon().get()),
            (spent.get() + sum(&|other| other.delta_spent.get())).min(1.0),
        ));
    }
    Ok(TableIterator::new(rows))
}

fn epsilon(name: &str, number: Option<AnyNumeric>) -> Result<Epsilon> {
    Epsilon::parse(name, &given(name, number)?.to_string())
}

fn delta(name: &str, number: Option<AnyNumeric>) -> Result<Delta> {
    Delta::parse(name, &given(name, number)?.to_string())
}

fn number<const DIGITS: usize>(amount: Amount<DIGITS>) -> Option<AnyNumeric> {
    AnyNumeric::try_from(amount.to_string().as_str()).ok()
}
