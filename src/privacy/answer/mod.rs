//! Answers about many units, a unit being what is protected: a person, a household.
//!
//! Each is exact arithmetic on whole numbers and one draw, or a few, of exact noise. Sums do not
//! depend on the order of rows, and nothing wraps: differences between what arithmetic does and what
//! a proof says of it are how such answers were broken (Casacuberta et al. 2022).

pub mod interval;
pub mod mean;
pub mod quantile;
pub mod range;
pub mod units;

use super::amount::Epsilon;
use crate::error::{Error, Kind, Result};
use crate::strategies::measure::epsilon::Epsilon as Strength;
use crate::strategies::measure::laplace::{Coins, Laplace};

/// A whole number with noise: discrete Laplace of `sensitivity`, the most that one unit changes it by.
///
/// # Errors
/// 22023 for a sensitivity of 0 or above 9·10^12 steps; what the source of words reports.
pub fn noisy<F: FnMut() -> Result<u64>>(
    exact: i128,
    sensitivity: u64,
    epsilon: Epsilon,
    coins: &mut Coins<F>,
) -> Result<i128> {
    Ok(exact.saturating_add(laplace(sensitivity, epsilon)?.sample(coins)?))
}

/// The noise of a sensitivity and an ε.
///
/// # Errors
/// 22023 where there is none.
pub fn laplace(sensitivity: u64, epsilon: Epsilon) -> Result<Laplace> {
    let strength = u64::try_from(epsilon.units())
        .ok()
        .and_then(Strength::of_micro);
    strength
        .and_then(|strength| Laplace::new(sensitivity, strength))
        .ok_or_else(|| {
            Error::new(
                Kind::InvalidParameter,
                "there is no noise for these bounds and this epsilon",
            )
            .with_detail("Bounds must not be 0 both, nor further apart than their type allows.")
        })
}
