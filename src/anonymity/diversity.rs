//! How many sensitive values the rows of a class have, and how evenly: l-diversity
//! (Machanavajjhala et al. 2007) and the share of the commonest, α (Wong et al. 2006).

use super::fraction::{Greatest, Sum, float, quotient};

/// What was seen of all classes so far.
#[derive(Clone, Debug)]
pub struct Diversity {
    distinct: Option<u64>,
    smallest: u64,
    entropy: f64,
    alpha: Greatest,
    /// By how much the commonest value outweighs the rest from the l-th on, for l from 1 to the
    /// fewest values of a class.
    outweighs: Vec<Greatest>,
}

impl Default for Diversity {
    fn default() -> Self {
        Self::new()
    }
}

impl Diversity {
    /// Nothing seen.
    pub fn new() -> Self {
        Self {
            distinct: None,
            smallest: u64::MAX,
            entropy: f64::INFINITY,
            alpha: Greatest::NONE,
            outweighs: Vec::new(),
        }
    }

    /// Takes in a class: how many of its rows have each value. Their order does not matter.
    pub fn add(&mut self, counts: &mut [u64]) {
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let Some(&commonest) = counts.first() else {
            return;
        };
        let rows: u64 = counts.iter().sum();
        let distinct = counts.len();
        self.smallest = self.smallest.min(rows);
        self.alpha.take(commonest, rows);
        self.entropy = self.entropy.min(entropy_l(counts, rows));
        match self.distinct {
            None => self.outweighs.resize(distinct, Greatest::NONE),
            Some(_) => self.outweighs.truncate(distinct),
        }
        let mut rest = rows;
        for (greatest, count) in self.outweighs.iter_mut().zip(counts.iter()) {
            greatest.take(commonest, rest);
            rest -= count;
        }
        let distinct = u64::try_from(distinct).unwrap_or(u64::MAX);
        self.distinct = Some(self.distinct.map_or(distinct, |least| least.min(distinct)));
    }

    /// The fewest values of a class; `None` without a class, as for all of these.
    pub fn distinct(&self) -> Option<u64> {
        self.distinct
    }

    /// The fewest rows of a class.
    pub fn smallest(&self) -> Option<u64> {
        self.distinct.map(|_| self.smallest)
    }

    /// e to the least entropy of a class.
    pub fn entropy(&self) -> Option<f64> {
        self.distinct.map(|_| self.entropy)
    }

    /// The greatest share of a value in a class.
    pub fn alpha(&self) -> Option<f64> {
        self.distinct.map(|_| self.alpha.value())
    }

    /// What `c` must be more than for recursive (c, l)-diversity: infinite where a class has fewer
    /// than `l` values.
    pub fn recursive(&self, l: u64) -> Option<f64> {
        self.distinct?;
        let place = usize::try_from(l.saturating_sub(1)).unwrap_or(usize::MAX);
        let greatest = self.outweighs.get(place);
        Some(greatest.map_or(f64::INFINITY, |greatest| greatest.value()))
    }

    /// The `l` that is asked for where none is given: that of distinct l-diversity, and at least 2.
    pub fn usual_l(&self) -> Option<u64> {
        self.distinct.map(|distinct| distinct.max(2))
    }
}

/// e to the entropy of counts that are sorted.
fn entropy_l(counts: &[u64], rows: u64) -> f64 {
    if counts.len() == 1 {
        return 1.0;
    }
    let mut entropy = Sum::default();
    for count in counts {
        let share = quotient((*count).into(), rows.into());
        // The logarithm of a quotient that is near 1 loses digits; of its inverse it does not.
        let log = if share > 0.5 {
            let rest = quotient((rows - count).into(), rows.into());
            (-rest).ln_1p()
        } else {
            float((*count).into()).ln() - float(rows.into()).ln()
        };
        entropy.add(-share * log);
    }
    entropy.value().exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(classes: &[&[u64]]) -> Diversity {
        let mut seen = Diversity::new();
        for class in classes {
            seen.add(&mut class.to_vec());
        }
        seen
    }

    fn near(found: Option<f64>, wanted: f64) {
        let found = found.unwrap_or(f64::NAN);
        assert!((found - wanted).abs() <= 1e-12 * wanted, "{found} {wanted}");
    }

    #[test]
    fn diversity_of_nothing_is_none() {
        let seen = of(&[]);
        assert_eq!(seen.distinct(), None);
        assert_eq!(seen.entropy(), None);
        assert_eq!(seen.alpha(), None);
        assert_eq!(seen.recursive(2), None);
        assert_eq!(seen.usual_l(), None);
    }

    #[test]
    fn diversity_of_even_classes_is_the_number_of_values() {
        for values in [1_u64, 2, 4, 8, 10] {
            let even = vec![3_u64; usize::try_from(values).unwrap_or(0)];
            let seen = of(&[&even]);
            assert_eq!(seen.distinct(), Some(values));
            near(seen.entropy(), float(values.into()));
        }
    }

    #[test]
    fn recursive_diversity_sorts_downwards() {
        // (6, 1): the definition needs c > 6, whatever the order.
        for class in [[6, 1], [1, 6]] {
            near(of(&[&class]).recursive(2), 6.0);
        }
        // 5 < c · (3 + 2) for l = 2, 5 < c · 2 for l = 3.
        let seen = of(&[&[2, 5, 3]]);
        near(seen.recursive(1), 0.5);
        near(seen.recursive(2), 1.0);
        near(seen.recursive(3), 2.5);
        assert_eq!(seen.recursive(4), Some(f64::INFINITY));
    }

    #[test]
    fn the_worst_class_counts() {
        let seen = of(&[&[1, 1, 1], &[9, 1], &[2, 2, 2, 2]]);
        assert_eq!((seen.distinct(), seen.usual_l()), (Some(2), Some(2)));
        near(seen.alpha(), 0.9);
        near(seen.recursive(2), 9.0);
        // −0.9 ln 0.9 − 0.1 ln 0.1.
        near(seen.entropy(), 1.384_145_488_461_686);
        assert_eq!(seen.recursive(3), Some(f64::INFINITY));
        assert_eq!(of(&[&[4], &[1, 1]]).usual_l(), Some(2));
    }

    #[test]
    fn order_of_classes_and_values_changes_no_digit() {
        let classes: [&[u64]; 4] = [&[7, 1, 3], &[2, 9, 4, 1], &[5, 5, 1], &[1, 2, 3, 4, 5]];
        let one = of(&classes);
        let mut turned: Vec<Vec<u64>> = classes.iter().map(|c| c.to_vec()).collect();
        turned.reverse();
        turned.iter_mut().for_each(|class| class.reverse());
        let turned: Vec<&[u64]> = turned.iter().map(Vec::as_slice).collect();
        let other = of(&turned);
        for (a, b) in [
            (one.entropy(), other.entropy()),
            (one.alpha(), other.alpha()),
            (one.recursive(3), other.recursive(3)),
        ] {
            assert_eq!(a.map(f64::to_bits), b.map(f64::to_bits));
        }
    }
}
