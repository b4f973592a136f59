//! Whether a budget covers what is to be charged later.

use super::amount::Epsilon;
use super::budget::store::{self, Charged, as_owner};
use super::charge::{Bill, Whose, charges, exhausted};
use crate::error::Result;
use crate::pg::meter;

/// What is left for the caller of a budget that covers a bill. Nothing is charged, and nothing is
/// put on record; somebody else may be faster, so that the charge itself may be refused later.
///
/// # Errors
/// 53400 when it does not cover it; 42501, 42704, 55000 as [`super::charge::charge`].
pub fn left(name: &str, bill: &Bill<'_>) -> Result<Epsilon> {
    let Charged { budget, shares } = store::to_charge(name)?;
    let (charges, whose) = charges(name, &budget, &shares, bill)?;
    let mut least = i64::MAX;
    for (charge, whose) in charges.iter().zip(&whose) {
        let spent = as_owner(|| meter::read(c"confiture", &charge.meter))?;
        let left = charge.limit.saturating_sub(spent.max(charge.least)).max(0);
        if charge.amount > left {
            return Err(exhausted(name, whose, bill, left));
        }
        if !matches!(whose, Whose::Delta) {
            least = least.min(left);
        }
    }
    Ok(Epsilon::of_units(least).unwrap_or_default())
}
