//! How far the sensitive values of a class are from those of the table: t-closeness (Li, Li and
//! Venkatasubramanian 2007), by the earth mover's distance over values that are all equally far
//! apart, that stand in an order, that are numbers, or that hang in a tree (`tree.rs`).
//!
//! All but the distance of numbers are whole numbers until the last division. A class costs time by
//! the values it has, not by those of the table: of what lies between two of them, sums are kept.

#[cfg(test)]
use super::fraction::float;
use super::fraction::{Sum, quotient};
use super::whole::{Class, Whole};

/// The distance of equally distant values: half the sum of |q − p|, which is all that q has more.
pub fn equal(class: &Class, whole: &Whole) -> f64 {
    let (all, rows) = (u128::from(whole.rows()), u128::from(class.rows));
    let more = class.values.iter().map(|(place, count)| {
        let known = whole.counts().get(*place).copied().unwrap_or_default();
        (u128::from(*count) * all).saturating_sub(u128::from(known) * rows)
    });
    quotient(more.sum(), all * rows)
}

/// The distance of values in an order: the mean of |Σ (q − p)| over the steps between two.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// How many rows have a value up to a place.
    up_to: Vec<u64>,
    /// Sums of these before a place.
    before: Vec<u128>,
}

impl Ordered {
    /// Prepares the table.
    pub fn new(whole: &Whole) -> Self {
        let (mut rows, mut sum) = (0, 0);
        let mut before = vec![0];
        let mut up_to = Vec::with_capacity(whole.counts().len());
        for count in whole.counts() {
            rows += count;
            up_to.push(rows);
            sum += u128::from(rows);
            before.push(sum);
        }
        Self { up_to, before }
    }

    /// The distance of a class.
    pub fn distance(&self, class: &Class, whole: &Whole) -> f64 {
        let (all, rows) = (u128::from(whole.rows()), u128::from(class.rows));
        let steps = self.up_to.len().saturating_sub(1);
        if steps == 0 {
            return 0.0;
        }
        let mut sum = 0;
        each_run(class, steps, |from, to, so_far| {
            let here = u128::from(so_far) * all;
            let turn = self.turn(from, to, |up_to| u128::from(up_to) * rows > here);
            let [start, middle, end] = [from, turn, to].map(|place| self.before[place]);
            sum += here * wide(turn - from) - rows * (middle - start);
            sum += rows * (end - middle) - here * wide(to - turn);
        });
        quotient(sum, all * rows * wide(steps))
    }

    fn turn(&self, from: usize, to: usize, is_beyond: impl Fn(u64) -> bool) -> usize {
        from + self.up_to[from..to].partition_point(|up_to| !is_beyond(*up_to))
    }
}

/// The distance of numbers: the area between the two distribution functions, by the range of the
/// numbers (Wasserstein 1969).
#[derive(Clone, Debug)]
pub struct Numeric {
    up_to: Vec<u64>,
    /// Where a place lies: 0 for the least number, 1 for the greatest.
    at: Vec<f64>,
    /// The area under the distribution function of the table, left of a place.
    area: Vec<f64>,
}

impl Numeric {
    /// Prepares a table whose values are these numbers, in their order; `None` where one is not
    /// finite.
    pub fn new(whole: &Whole, numbers: &[f64]) -> Option<Self> {
        let (least, greatest) = (numbers.first()?, numbers.last()?);
        if !numbers.iter().all(|number| number.is_finite()) {
            return None;
        }
        // Half as large, no difference of two doubles is infinite.
        let range = greatest / 2.0 - least / 2.0;
        let at: Vec<f64> = numbers
            .iter()
            .map(|number| match range > 0.0 {
                true => (number / 2.0 - least / 2.0) / range,
                false => 0.0,
            })
            .collect();
        let (mut rows, mut sum) = (0, Sum::default());
        let mut area = vec![0.0];
        let mut up_to = Vec::with_capacity(at.len());
        for (place, count) in whole.counts().iter().enumerate() {
            rows += count;
            up_to.push(rows);
            if let Some(next) = at.get(place + 1) {
                sum.add(quotient(rows.into(), whole.rows().into()) * (next - at[place]));
                area.push(sum.value());
            }
        }
        Some(Self { up_to, at, area })
    }

    /// The distance of a class.
    pub fn distance(&self, class: &Class, whole: &Whole) -> f64 {
        let (all, rows) = (u128::from(whole.rows()), u128::from(class.rows));
        let steps = self.up_to.len().saturating_sub(1);
        let mut sum = Sum::default();
        each_run(class, steps, |from, to, so_far| {
            let here = u128::from(so_far) * all;
            if to == from + 1 {
                // Exact, so that a class like the table is at no distance from it.
                let apart = here.abs_diff(u128::from(self.up_to[from]) * rows);
                sum.add(quotient(apart, all * rows) * (self.at[to] - self.at[from]));
                return;
            }
            let between = &self.up_to[from..to];
            let turn = from + between.partition_point(|up_to| u128::from(*up_to) * rows <= here);
            let share = quotient(so_far.into(), rows);
            let under = |from: usize, to: usize| self.area[to] - self.area[from];
            let whole_of = |from: usize, to: usize| share * (self.at[to] - self.at[from]);
            sum.add(whole_of(from, turn) - under(from, turn));
            sum.add(under(turn, to) - whole_of(turn, to));
        });
        // What rounding leaves of nothing is not less than nothing.
        sum.value().clamp(0.0, 1.0)
    }
}

/// Goes over the steps between places in runs in which the class has no further row: from one place
/// to another, with its rows so far.
fn each_run(class: &Class, steps: usize, mut work: impl FnMut(usize, usize, u64)) {
    let (mut from, mut so_far) = (0, 0);
    for (place, count) in &class.values {
        let place = (*place).min(steps);
        if place > from {
            work(from, place, so_far);
            from = place;
        }
        so_far += count;
    }
    if from < steps {
        work(from, steps, so_far);
    }
}

fn wide(number: usize) -> u128 {
    number as u128
}

/// The greatest of some distances; NaN does not come up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Farthest(Option<f64>);

impl Farthest {
    /// Takes one in.
    pub fn take(&mut self, distance: f64) {
        self.0 = Some(self.0.map_or(distance, |farthest| farthest.max(distance)));
    }

    /// What it is; `None` without a class.
    pub fn value(self) -> Option<f64> {
        self.0
    }
}

/// The mean of nothing but a float: for tests of other files.
#[cfg(test)]
pub(super) fn slowly_ordered(class: &Class, whole: &Whole, gaps: &[f64]) -> f64 {
    let (mut here, mut there, mut sum) = (0.0, 0.0, 0.0);
    for (place, gap) in gaps.iter().enumerate() {
        let count = class.values.iter().find(|(at, _)| *at == place);
        here += float(count.map_or(0, |(_, count)| *count).into()) / float(class.rows.into());
        there += float(whole.counts()[place].into()) / float(whole.rows().into());
        sum += f64::abs(here - there) * gap;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymity::numbers::Numbers;

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
    }

    /// Salaries of Li et al. 2007: 3k to 11k, nine values.
    fn salaries() -> Whole {
        [1; 9].into_iter().collect()
    }

    #[test]
    fn ordered_distances_are_those_of_the_paper() {
        let whole = salaries();
        let ordered = Ordered::new(&whole);
        // {3k, 4k, 5k} is 0.375 away, {6k, 8k, 11k} is 0.167.
        let low = Class::new(vec![(0, 1), (1, 1), (2, 1)]);
        let wide = Class::new(vec![(3, 1), (5, 1), (8, 1)]);
        near(ordered.distance(&low, &whole), 0.375);
        near(ordered.distance(&wide, &whole), 1.0 / 6.0);
        let numbers: Vec<f64> = (3..12).map(f64::from).collect();
        let numeric = Numeric::new(&whole, &numbers).expect("finite");
        near(numeric.distance(&low, &whole), 0.375);
        near(equal(&low, &whole), 2.0 / 3.0);
    }

    #[test]
    fn distances_are_nothing_where_there_is_nothing_to_tell() {
        let whole: Whole = [5].into_iter().collect();
        let class = Class::new(vec![(0, 2)]);
        let numeric = Numeric::new(&whole, &[7.0]).expect("finite");
        for distance in [
            equal(&class, &whole),
            Ordered::new(&whole).distance(&class, &whole),
            numeric.distance(&class, &whole),
        ] {
            assert_eq!(distance.to_bits(), 0.0_f64.to_bits());
        }
        assert!(Numeric::new(&whole, &[f64::NAN]).is_none());
        assert!(Numeric::new(&Whole::default(), &[]).is_none());
    }

    #[test]
    fn a_class_like_the_table_is_at_no_distance() {
        let whole: Whole = [1, 3, 2].into_iter().collect();
        let class = Class::new(vec![(0, 7), (1, 21), (2, 14)]);
        let numeric = Numeric::new(&whole, &[0.1, 0.2, 0.7]).expect("finite");
        let ordered = Ordered::new(&whole).distance(&class, &whole);
        for distance in [
            equal(&class, &whole),
            ordered,
            numeric.distance(&class, &whole),
        ] {
            assert_eq!(distance.to_bits(), 0.0_f64.to_bits());
        }
    }

    #[test]
    fn numbers_far_apart_have_a_distance() {
        let whole: Whole = [1, 1].into_iter().collect();
        let numeric = Numeric::new(&whole, &[-f64::MAX, f64::MAX]).expect("finite");
        near(numeric.distance(&Class::new(vec![(0, 1)]), &whole), 0.5);
    }

    #[test]
    fn runs_give_what_step_by_step_gives() {
        let mut numbers = Numbers::new(7);
        for _ in 0..500 {
            let values = numbers.below(8) + 1;
            let whole: Whole = (0..values).map(|_| numbers.below(6) + 1).collect();
            let mut pairs = Vec::new();
            for place in 0..whole.counts().len() {
                let count = numbers.below(whole.counts()[place] + 1);
                if count > 0 {
                    pairs.push((place, count));
                }
            }
            if pairs.is_empty() {
                continue;
            }
            let class = Class::new(pairs);
            let steps = whole.counts().len() - 1;
            let at: Vec<f64> = {
                let mut at = 0.0;
                let step = |_| {
                    at += float((numbers.below(4) + 1).into());
                    at
                };
                (0..=steps).map(step).collect()
            };
            let range = at[steps] - at[0];
            let even = vec![1.0 / float(steps.max(1) as u128); steps];
            let gaps: Vec<f64> = at.windows(2).map(|two| (two[1] - two[0]) / range).collect();
            near(
                Ordered::new(&whole).distance(&class, &whole),
                slowly_ordered(&class, &whole, &even),
            );
            let numeric = Numeric::new(&whole, &at).expect("finite");
            near(
                numeric.distance(&class, &whole),
                slowly_ordered(&class, &whole, &gaps),
            );
        }
    }
}
