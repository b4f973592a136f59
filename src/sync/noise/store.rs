//! The price of noise, counted and charged.

use super::Price;
use crate::error::{Error, Kind, Result, counted};
use crate::pg::ident::quote;
use crate::pg::snapshot::Snapshot;
use crate::pg::spi;
use crate::privacy::amount::Delta;
use crate::privacy::charge::{self, Bill};
use crate::privacy::cover;
use crate::profile::Profile;
use crate::sync::plan::{Plan, TablePlan};
use crate::sync::{statement, store};

/// Says what a run will charge, or why it cannot. Nothing is charged.
///
/// # Errors
/// As [`cover::left`].
pub fn foresee(price: &Price, profile: &Profile, procedure: &str) -> Result<Option<String>> {
    let Some(privacy) = profile.privacy.as_ref().filter(|_| !price.is_free()) else {
        return Ok(None);
    };
    let left = cover::left(&privacy.budget, &bill(price, procedure, String::new()))?;
    Ok(Some(format!(
        "noise of {} will charge epsilon {} to privacy budget \"{}\", which has {left} left",
        counted(price.columns, "column"),
        price.epsilon,
        privacy.budget
    )))
}

/// Charges the noise of a run to the budget of its profile, after a look whether anybody has more
/// rows than the profile says; the charge stays whatever becomes of the run.
///
/// # Errors
/// 23514 where somebody has; as [`charge::charge`].
pub fn settle(
    plan: &Plan,
    profile: &Profile,
    (procedure, run_id): (&str, [u8; 16]),
    snapshot: &Snapshot,
) -> Result<()> {
    let price = &plan.price;
    let Some(privacy) = profile.privacy.as_ref().filter(|_| !price.is_free()) else {
        return Ok(());
    };
    for count in &price.counts {
        let Some(table) = plan.tables.get(count.table) else {
            continue;
        };
        if spi::run_under(&exceeding(table, &count.unit, count.most), snapshot)? > 0 {
            return Err(Error::new(
                Kind::Check,
                format!(
                    "a unit of table {} has more rows than the profile says",
                    table.source.shown()
                ),
            )
            .with_detail(format!(
                "At most {} with the same \"{}\" are charged for. Nothing was charged.",
                counted(count.most.into(), "row"),
                count.unit
            ))
            .with_hint("Raise rows_per_unit under \"privacy\", or copy fewer rows."));
        }
    }
    let shown = store::shown_id(run_id);
    let how = price.described(&profile.name, &profile.version, &shown);
    charge::charge(&privacy.budget, &bill(price, procedure, how))
}

fn bill<'a>(price: &Price, procedure: &'a str, how: String) -> Bill<'a> {
    Bill {
        about: procedure,
        how,
        epsilon: price.epsilon,
        delta: Delta::ZERO,
    }
}

/// One row where somebody has more; who is not known is a unit of its own.
fn exceeding(table: &TablePlan, unit: &str, most: u32) -> String {
    format!(
        "SELECT FROM (SELECT s.{} AS unit FROM {}) AS r \
         WHERE pg_catalog.num_nulls(r.unit) OPERATOR(pg_catalog.=) 0 \
         GROUP BY r.unit HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) {most} LIMIT 1",
        quote(unit),
        statement::rows(table),
    )
}
