//! How far noise reaches: intervals, and from how many units on a group may be shown.

use crate::privacy::amount::{Delta, Epsilon};

/// In 95 of 100 draws the noise of a sensitivity is at most this.
pub fn half_width(sensitivity: u64, epsilon: Epsilon, share: f64) -> f64 {
    let q = decay(sensitivity, epsilon);
    // P(|X| > w) = 2q^(w+1)/(1+q).
    let tail = ((1.0 - share) * (1.0 + q) / 2.0).ln() / q.ln();
    (tail.ceil() - 1.0).max(0.0)
}

/// The least noisy count of units with which a group is shown, so that the chance that one unit alone
/// makes a group seen is at most δ: P(1 + X ≥ τ) = q^(τ-1)/(1+q) ≤ 1-(1-δ)^(1/κ) for each of the κ
/// groups that a unit may be in. Source: Wilson et al., "Differentially Private SQL with Bounded User
/// Contribution" (2020), with the tail of the discrete distribution.
pub fn threshold(groups: u32, epsilon: Epsilon, delta: Delta) -> f64 {
    let q = decay(groups.into(), epsilon);
    let each = -(-delta.get()).ln_1p() / f64::from(groups.max(1));
    let each = -(-each).exp_m1();
    1.0 + ((each * (1.0 + q)).ln() / q.ln()).ceil().max(0.0)
}

/// q of P(x) ∝ q^|x|.
#[allow(clippy::cast_precision_loss, reason = "for intervals, not for noise")]
fn decay(sensitivity: u64, epsilon: Epsilon) -> f64 {
    (-epsilon.get() / sensitivity.max(1) as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::answer::laplace;
    use crate::strategies::measure::laplace::Coins;
    use crate::strategies::measure::laplace::tests::words;

    fn epsilon(text: &str) -> Epsilon {
        Epsilon::parse("epsilon", text).unwrap()
    }

    #[test]
    fn intervals_hold_what_they_say() {
        for (sensitivity, strength) in [(1, "0.5"), (1, "3"), (100, "0.1")] {
            let width = half_width(sensitivity, epsilon(strength), 0.95);
            let noise = laplace(sensitivity, epsilon(strength)).unwrap();
            let mut words = words(1);
            #[allow(clippy::cast_precision_loss)]
            let inside = (0..100_000)
                .filter(|_| {
                    let drawn = noise.sample(&mut Coins::new(&mut words)).unwrap();
                    drawn.unsigned_abs() as f64 <= width
                })
                .count();
            assert!(inside >= 94_700, "{inside}");
        }
    }

    #[test]
    fn a_threshold_keeps_the_tail_below_delta() {
        for (groups, strength, delta) in [(1, "1", "0.00001"), (3, "0.3", "0.000000001")] {
            let (strength, delta) = (epsilon(strength), Delta::parse("delta", delta).unwrap());
            let q = decay(groups.into(), strength);
            let tau = threshold(groups, strength, delta);
            let tail = |tau: f64| q.powf(tau - 1.0) / (1.0 + q);
            let union = |each: f64| 1.0 - (1.0 - each).powi(groups.try_into().unwrap());
            assert!(union(tail(tau)) <= delta.get() * 1.000_001);
            assert!(union(tail(tau - 1.0)) > delta.get());
        }
    }
}
