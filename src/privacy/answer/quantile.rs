//! A quantile of what units have: one of 1024 public points between the bounds, chosen by how evenly
//! it divides the units.
//!
//! Source: McKenna and Sheldon, "Permute-and-Flip" (2020): points are looked at in a random order, and
//! each is taken with probability e^(ε(u - u*)/(2Δ)), u its score and u* the best one.

use std::collections::BTreeMap;

use super::range::Range;
use super::units::Units;
use crate::error::{Error, Kind, Result};
use crate::privacy::amount::Epsilon;
use crate::strategies::measure::laplace::Coins;

/// How many points there are.
pub const POINTS: u64 = 1024;
/// Which share of units is below the quantile, in parts of this.
const PARTS: u16 = 1000;

/// How many units are at which points, which are counted from 0.
pub type Counts = Vec<(u64, u64)>;

/// A share of units, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u16);

impl Share {
    /// Takes a number between 0 and 1 with at most three decimal places.
    ///
    /// # Errors
    /// 22023 for another.
    pub fn new(number: f64) -> Result<Self> {
        let parts = number * f64::from(PARTS);
        let whole = (0..=PARTS).find(|&whole| (parts - f64::from(whole)).abs() < 1e-9);
        whole.map(Self).ok_or_else(|| {
            Error::new(Kind::InvalidParameter, "invalid value for argument \"q\"").with_detail(
                "It must be between 0 and 1, with at most three digits after the point.",
            )
        })
    }

    /// The share, between 0 and 1.
    pub fn get(self) -> f64 {
        f64::from(self.0) / f64::from(PARTS)
    }

    /// The most that one unit changes a score by.
    pub fn sensitivity(self) -> u64 {
        self.0.max(PARTS - self.0).into()
    }
}

/// A quantile, in steps of the range.
///
/// # Errors
/// What the source of words reports.
pub fn quantile<F: FnMut() -> Result<u64>>(
    units: &Units,
    share: Share,
    range: &Range,
    epsilon: Epsilon,
    coins: &mut Coins<F>,
) -> Result<i128> {
    let mut counts = BTreeMap::new();
    for mean in units.means(range) {
        *counts.entry(place(range, mean)).or_insert(0) += 1;
    }
    let counts: Counts = counts.into_iter().collect();
    choose(&counts, share, range, epsilon, coins)
}

/// The same of how many units are at which points, counted from 0.
///
/// # Errors
/// What the source of words reports.
pub fn choose<F: FnMut() -> Result<u64>>(
    counts: &[(u64, u64)],
    share: Share,
    range: &Range,
    epsilon: Epsilon,
    coins: &mut Coins<F>,
) -> Result<i128> {
    let losses = losses(counts, share);
    let least = losses.iter().copied().min().unwrap_or(0);
    let strength = u64::try_from(epsilon.units()).unwrap_or(0);
    let scale = 2 * share.sensitivity() * 1_000_000;
    let mut left: Vec<(u64, u64)> = (0..).zip(losses).collect();
    loop {
        // The best point is taken for certain, so this ends.
        let at = coins.below(u64::try_from(left.len()).unwrap_or(0))?;
        let at = usize::try_from(at).unwrap_or(0);
        let Some(&(place, loss)) = left.get(at) else {
            return Err(Error::new(Kind::Internal, "no point was chosen"));
        };
        // A product beyond 64 bits is a chance below e^-(10^9): it is taken for that.
        let gap = (loss - least).saturating_mul(strength);
        if coins.exp(gap, scale)? {
            return Ok(point(range, place));
        }
        left.swap_remove(at);
    }
}

/// How unevenly each point divides the units: |(b-a)·#{x < c} - a·#{x > c}| for the share a/b.
fn losses(counts: &[(u64, u64)], share: Share) -> Vec<u64> {
    let mut at = vec![0_u64; usize::try_from(POINTS).unwrap_or(0)];
    for &(place, count) in counts {
        if let Some(here) = usize::try_from(place)
            .ok()
            .and_then(|place| at.get_mut(place))
        {
            *here += count;
        }
    }
    let all: u64 = at.iter().sum();
    let mut below = 0;
    at.into_iter()
        .map(|here| {
            let above = all - below - here;
            let weigh = |count: u64, parts: u16| count.saturating_mul(parts.into());
            let loss = weigh(below, PARTS - share.0).abs_diff(weigh(above, share.0));
            below += here;
            loss
        })
        .collect()
}

/// The last point that is not above a value between the bounds.
fn place(range: &Range, at: i128) -> u64 {
    let width = (range.upper - range.lower).max(1);
    let place = (at - range.lower) * i128::from(POINTS - 1) / width;
    u64::try_from(place).unwrap_or(0).min(POINTS - 1)
}

fn point(range: &Range, at: u64) -> i128 {
    let last = i128::from(POINTS - 1);
    range.lower + (range.upper - range.lower) * i128::from(at) / last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::measure::laplace::tests::words;
    use crate::strategies::{Datum, ValueType};

    fn range() -> Range {
        Range::new(ValueType::Int64, &Datum::Int(0), &Datum::Int(1023)).unwrap()
    }

    fn units(values: impl Iterator<Item = i128>) -> Units {
        let mut units = Units::default();
        values
            .zip(0..)
            .for_each(|(value, key)| units.take((key, key), Some(value)));
        units
    }

    #[test]
    fn shares_are_thousandths() {
        assert_eq!(Share::new(0.5).unwrap(), Share(500));
        assert_eq!(Share::new(0.999).unwrap(), Share(999));
        for bad in [-0.1, 1.001, 0.0005, f64::NAN] {
            assert!(Share::new(bad).is_err());
        }
    }

    #[test]
    fn one_unit_changes_a_loss_by_no_more_than_the_sensitivity() {
        let counts: Vec<(u64, u64)> = (0..50).map(|i| (i * i % 1024, i % 7)).collect();
        for share in [Share(0), Share(250), Share(500), Share(999)] {
            let before = losses(&counts, share);
            for extra in [0, 20, 50, 300, 1023] {
                let mut more = counts.clone();
                more.push((extra, 1));
                for (one, two) in before.iter().zip(losses(&more, share)) {
                    assert!(one.abs_diff(two) <= share.sensitivity());
                }
            }
        }
    }

    #[test]
    fn values_lie_at_points_between_the_bounds() {
        assert_eq!(place(&range(), 0), 0);
        assert_eq!(place(&range(), 1023), 1023);
        for at in 0..1024 {
            assert_eq!(point(&range(), place(&range(), at)), at);
        }
    }

    #[test]
    fn a_median_of_many_is_near_the_true_one() {
        let mut words = words(7);
        let units = units((0..10_000).map(|i| i % 1000));
        let epsilon = Epsilon::parse("epsilon", "1").unwrap();
        for _ in 0..20 {
            let mut coins = Coins::new(&mut words);
            let at = quantile(&units, Share(500), &range(), epsilon, &mut coins).unwrap();
            assert!((450..550).contains(&at), "{at}");
        }
    }

    #[test]
    fn a_quantile_of_nobody_is_any_point() {
        let mut words = words(8);
        let epsilon = Epsilon::parse("epsilon", "1").unwrap();
        let drawn: std::collections::BTreeSet<i128> = (0..200)
            .map(|_| {
                let mut coins = Coins::new(&mut words);
                quantile(&Units::default(), Share(500), &range(), epsilon, &mut coins).unwrap()
            })
            .collect();
        assert!(drawn.len() > 150);
    }
}
