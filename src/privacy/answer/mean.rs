//! The mean of what units have: a noisy sum around the middle of the bounds, and a noisy count.

use super::interval::half_width;
use super::noisy;
use super::range::Range;
use super::units::Units;
use crate::error::Result;
use crate::privacy::amount::Epsilon;
use crate::strategies::measure::laplace::Coins;

/// The two halves of ε: for the sum and for the count.
pub fn halves(epsilon: Epsilon) -> [Epsilon; 2] {
    let half = Epsilon::of_units(epsilon.units() / 2).unwrap_or_default();
    [half, epsilon.minus(half)]
}

/// A mean with the ends of its interval, in units of the type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The noisy mean.
    pub value: f64,
    /// The lower end of an interval that holds the true one 95 times of 100 at least.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The mean, between the bounds. Around the middle a unit changes the sum by half the width, and not by
/// the farther bound (Li, Lyu, Su, Yang 2016, section 2.4).
///
/// # Errors
/// As [`noisy`].
pub fn mean<F: FnMut() -> Result<u64>>(
    units: &Units,
    range: &Range,
    epsilon: Epsilon,
    coins: &mut Coins<F>,
) -> Result<Mean> {
    let (mut sum, mut count) = (0_i128, 0_i128);
    for mean in units.means(range) {
        sum += 2 * mean - (range.lower + range.upper);
        count += 1;
    }
    mean_of((sum, count), range, 1, epsilon, coins)
}

/// The same of what was summed: twice the distances from the middle, and how many there are; of units
/// that are in so many groups at most.
///
/// # Errors
/// As [`noisy`].
pub fn mean_of<F: FnMut() -> Result<u64>>(
    (sum, count): (i128, i128),
    range: &Range,
    groups: u32,
    epsilon: Epsilon,
    coins: &mut Coins<F>,
) -> Result<Mean> {
    let [of_sum, of_count] = halves(epsilon);
    let reach = range.width().saturating_mul(groups.into());
    let sum = noisy(sum, reach, of_sum, coins)?;
    let count = noisy(count, groups.into(), of_count, coins)?;
    #[allow(clippy::cast_precision_loss, reason = "the answer is a double")]
    let [sum, count, lower, upper] = [sum, count, range.lower, range.upper].map(|at| at as f64);
    let at = |sum: f64, count: f64| {
        // In halves of a step, in which the middle is a whole number.
        let mean = f64::midpoint(lower + upper, sum / count.max(1.0));
        mean.clamp(lower, upper) * range.step()
    };
    // Both are inside of theirs 97.5 times of 100, so together 95 times at least.
    let [off, apart] = [(reach, of_sum), (groups.into(), of_count)]
        .map(|(reach, part)| half_width(reach, part, 0.975));
    let corners = [
        at(sum - off, count - apart),
        at(sum - off, count + apart),
        at(sum + off, count - apart),
        at(sum + off, count + apart),
    ];
    Ok(Mean {
        value: at(sum, count),
        low: corners.into_iter().fold(f64::INFINITY, f64::min),
        high: corners.into_iter().fold(f64::NEG_INFINITY, f64::max),
    })
}
