//! How much more or less likely a sensitive value is in a class than in the table: δ-disclosure
//! privacy (Brickell and Shmatikov 2008) and β-likeness (Cao and Karras 2012).

use super::fraction::{float, quotient};
use super::whole::{Class, Whole};

/// What was seen of all classes so far.
#[derive(Clone, Debug)]
pub struct Disclosure {
    /// The greatest and the least q/p of a value that occurs in the class.
    most: f64,
    least: f64,
    /// The greatest (q − p)/p.
    gain: f64,
    is_any_missing: bool,
    is_any_beyond: bool,
    is_any: bool,
}

impl Default for Disclosure {
    fn default() -> Self {
        Self::new()
    }
}

impl Disclosure {
    /// Nothing seen.
    pub fn new() -> Self {
        Self {
            most: 1.0,
            least: 1.0,
            gain: 0.0,
            is_any_missing: false,
            is_any_beyond: false,
            is_any: false,
        }
    }

    /// Takes in a class.
    pub fn add(&mut self, class: &Class, whole: &Whole) {
        let all = u128::from(whole.rows());
        let rows = u128::from(class.rows);
        self.is_any = true;
        self.is_any_missing |= class.values.len() < whole.counts().len();
        for (place, count) in &class.values {
            let known = whole.counts().get(*place).copied().unwrap_or_default();
            let here = u128::from(*count) * all;
            let there = u128::from(known) * rows;
            let ratio = quotient(here, there);
            self.most = self.most.max(ratio);
            self.least = self.least.min(ratio);
            if here > there {
                let gain = quotient(here - there, there);
                self.gain = self.gain.max(gain);
                let limit = float(all).ln() - float(known.into()).ln();
                self.is_any_beyond |= gain > limit;
            }
        }
    }

    /// The greatest |ln(q/p)| of values that occur in the class; `None` without a class, as for all
    /// of these.
    pub fn delta_finite(&self) -> Option<f64> {
        self.is_any
            .then(|| self.most.ln().max(-self.least.ln()).max(0.0))
    }

    /// The greatest |ln(q/p)|: infinite where a class lacks a value that the table has.
    pub fn delta(&self) -> Option<f64> {
        match self.is_any_missing {
            true => Some(f64::INFINITY),
            false => self.delta_finite(),
        }
    }

    /// The greatest (q − p)/p.
    pub fn beta(&self) -> Option<f64> {
        self.is_any.then_some(self.gain)
    }

    /// The least β for which (q − p)/p is at most min(β, −ln p): infinite where there is none.
    pub fn enhanced_beta(&self) -> Option<f64> {
        match self.is_any_beyond {
            true => Some(f64::INFINITY),
            false => self.beta(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(whole: &[u64], classes: &[&[(usize, u64)]]) -> Disclosure {
        let whole = whole.iter().copied().collect();
        let mut seen = Disclosure::new();
        for class in classes {
            seen.add(&Class::new(class.to_vec()), &whole);
        }
        seen
    }

    fn near(found: Option<f64>, wanted: f64) {
        let found = found.unwrap_or(f64::NAN);
        assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
    }

    #[test]
    fn disclosure_of_nothing_is_none() {
        let seen = of(&[], &[]);
        assert_eq!((seen.delta(), seen.beta()), (None, None));
        assert_eq!((seen.delta_finite(), seen.enhanced_beta()), (None, None));
    }

    #[test]
    fn classes_like_the_table_disclose_nothing() {
        let seen = of(&[4, 2], &[&[(0, 2), (1, 1)], &[(1, 1), (0, 2)]]);
        near(seen.delta(), 0.0);
        near(seen.beta(), 0.0);
        near(seen.enhanced_beta(), 0.0);
    }

    #[test]
    fn a_value_that_a_class_lacks_is_infinitely_less_likely() {
        // p = 1/2 each; the first class has only value 0.
        let seen = of(&[2, 2], &[&[(0, 1)], &[(0, 1), (1, 2)]]);
        assert_eq!(seen.delta(), Some(f64::INFINITY));
        // q/p of 2 and of 2/3, 4/3.
        near(seen.delta_finite(), 2.0_f64.ln());
        near(seen.beta(), 1.0);
        // (q − p)/p = 1 > −ln ½.
        assert_eq!(seen.enhanced_beta(), Some(f64::INFINITY));
    }

    #[test]
    fn a_value_may_also_be_less_likely() {
        let seen = of(&[5, 5], &[&[(0, 1), (1, 4)], &[(0, 4), (1, 1)]]);
        near(seen.delta(), -(0.4_f64.ln()));
        near(seen.delta_finite(), -(0.4_f64.ln()));
        near(seen.beta(), 0.6);
        // 0.6 ≤ −ln ½ = 0.693….
        near(seen.enhanced_beta(), 0.6);
    }
}
