//! What many charges amount to, by three rules of composition.
//!
//! Enforced is only the first: it holds for answers that are asked for one after the other, each
//! with an eye on those before. The others are bounds for charges that were fixed beforehand, and
//! are information.

use super::amount::{Delta, Epsilon};

/// So many charges of the same ε.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Charges {
    /// Of each.
    pub epsilon: Epsilon,
    /// How many.
    pub count: i64,
}

/// The sum. Source: Dwork et al. 2006, sequential composition.
pub fn basic(charges: &[Charges]) -> f64 {
    sum(charges, |epsilon| epsilon)
}

/// The bound of Kairouz, Oh, Viswanath, "The Composition Theorem for Differential Privacy" (2015),
/// theorem 3.5, at a δ between 0 and 1: the least of its three terms.
pub fn kairouz_oh_viswanath(charges: &[Charges], delta: f64) -> f64 {
    let squares = sum(charges, |epsilon| epsilon * epsilon);
    let drift = sum(charges, |epsilon| (epsilon / 2.0).tanh() * epsilon);
    let spread = |inner: f64| drift + (2.0 * squares * inner.ln()).sqrt();
    let first = spread(std::f64::consts::E + squares.sqrt() / delta);
    let second = spread(1.0 / delta);
    basic(charges).min(first).min(second)
}

/// By way of zero-concentrated differential privacy: ρ = Σ ε²/2, which is (ρ + 2√(ρ ln(1/δ)), δ).
/// Source: Bun and Steinke 2016, propositions 1.3 and 1.4.
pub fn concentrated(charges: &[Charges], delta: f64) -> f64 {
    let rho = sum(charges, |epsilon| epsilon * epsilon / 2.0);
    rho + 2.0 * (rho * (1.0 / delta).ln()).sqrt()
}

/// The δ of a bound at a δ, over charges that have spent one themselves: an (ε, δ) mechanism is, but for
/// a chance of δ, one of ε alone (Kairouz, Oh, Viswanath, theorem 3.5; for concentrated privacy Bun and
/// Steinke, section 8). 1 - (1 - δ)·Π(1 - δᵢ) is at most their sum.
pub fn composed(delta: f64, spent: Delta) -> f64 {
    (delta + spent.get()).min(1.0)
}

#[allow(clippy::cast_precision_loss, reason = "information, not a charge")]
fn sum(charges: &[Charges], of: impl Fn(f64) -> f64) -> f64 {
    charges
        .iter()
        .map(|charge| charge.count as f64 * of(charge.epsilon.get()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spent_of_delta_is_in_the_bound() {
        let spent = Delta::parse("delta", "0.000002").unwrap();
        assert!((composed(1e-6, spent) - 3e-6).abs() < 1e-15);
        assert!((composed(1e-6, Delta::ZERO) - 1e-6).abs() < 1e-15);
        assert!((composed(0.5, Delta::ONE) - 1.0).abs() < 1e-15);
    }

    fn charges(count: i64, epsilon: &str) -> [Charges; 1] {
        let epsilon = Epsilon::parse("epsilon", epsilon).unwrap();
        [Charges { epsilon, count }]
    }

    /// Reference values: the formulas computed by hand and with dp-accounting 0.6.0.
    #[test]
    fn composition_agrees_with_the_reference() {
        for (count, epsilon, sum, advanced, by_rho) in [
            (10, "0.1", 1.0, 1.0, 1.712),
            (100, "0.1", 10.0, 5.756, 5.757),
            (1000, "0.01", 10.0, 1.641, 1.712),
            (10, "1", 10.0, 10.0, 21.6),
        ] {
            let all = charges(count, epsilon);
            assert!((basic(&all) - sum).abs() < 1e-9);
            assert!((kairouz_oh_viswanath(&all, 1e-6) - advanced).abs() < 1e-3);
            assert!((concentrated(&all, 1e-6) - by_rho).abs() < 0.03);
        }
        assert!(basic(&[]).abs() < 1e-12);
        assert!(kairouz_oh_viswanath(&[], 1e-6).abs() < 1e-12);
    }
}
