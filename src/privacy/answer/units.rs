//! What each unit contributes: kept apart until the end, so that a unit with many rows counts as one.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use super::range::Range;

/// Two hashes of a unit, under seeds that nobody knows.
pub type Key = (u64, u64);

/// The units of a group. It takes some 60 bytes for each.
#[derive(Default)]
pub struct Units(HashMap<Key, Unit, Keep>);

#[derive(Clone, Copy, Default)]
struct Unit {
    rows: u64,
    /// Rows with a value.
    values: u64,
    total: i128,
}

impl Units {
    /// Takes a row of a unit, with a value or without.
    pub fn take(&mut self, key: Key, value: Option<i128>) {
        let unit = self.0.entry(key).or_default();
        unit.rows += 1;
        if let Some(value) = value {
            unit.values += 1;
            unit.total = unit.total.saturating_add(value);
        }
    }

    /// How many units there are.
    pub fn count(&self) -> i128 {
        i128::try_from(self.0.len()).unwrap_or(i128::MAX)
    }

    /// How many rows, of each unit at most so many.
    pub fn rows(&self, most: u64) -> i128 {
        self.0
            .values()
            .map(|unit| i128::from(unit.rows.min(most)))
            .sum()
    }

    /// The sum of what units have in all, each within the bounds.
    pub fn sum(&self, range: &Range) -> i128 {
        let units = self.0.values().filter(|unit| unit.values > 0);
        units.map(|unit| range.clamp(unit.total)).sum()
    }

    /// The mean of each unit that has a value, within the bounds.
    pub fn means(&self, range: &Range) -> impl Iterator<Item = i128> {
        let units = self.0.values().filter(|unit| unit.values > 0);
        units.map(|unit| range.clamp(unit.total.div_euclid(i128::from(unit.values))))
    }
}

/// Keys are hashes already.
#[derive(Clone, Copy, Default)]
struct Keep;

impl BuildHasher for Keep {
    type Hasher = Kept;

    fn build_hasher(&self) -> Kept {
        Kept(0)
    }
}

struct Kept(u64);

impl Hasher for Kept {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, word: u64) {
        self.0 = self.0.rotate_left(32) ^ word;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Datum, ValueType};

    fn range(lower: i64, upper: i64) -> Range {
        Range::new(ValueType::Int64, &Datum::Int(lower), &Datum::Int(upper)).unwrap()
    }

    #[test]
    fn a_unit_contributes_within_its_bounds_however_many_rows_it_has() {
        let mut units = Units::default();
        for value in [60, 70, 80] {
            units.take((1, 1), Some(value));
        }
        units.take((2, 2), Some(-500));
        units.take((3, 3), None);
        assert_eq!(units.count(), 3);
        assert_eq!((units.rows(2), units.rows(10)), (4, 5));
        // 210 is 100, -500 is 0, and none is none.
        assert_eq!(units.sum(&range(0, 100)), 100);
        let mut means: Vec<_> = units.means(&range(0, 100)).collect();
        means.sort_unstable();
        assert_eq!(means, [0, 70]);
    }

    #[test]
    fn one_unit_changes_a_sum_by_no_more_than_the_reach() {
        let range = range(-10, 25);
        let values = [i128::MIN, -11, -1, 0, 7, 25, 26, i128::MAX];
        for first in values {
            for second in values {
                let mut without = Units::default();
                without.take((9, 9), Some(5));
                let before = without.sum(&range);
                without.take((1, 1), Some(first));
                without.take((1, 1), Some(second));
                let change = without.sum(&range).abs_diff(before);
                assert!(change <= range.reach().into());
            }
        }
    }

    #[test]
    fn sums_do_not_depend_on_the_order() {
        let rows: Vec<(Key, i128)> = (0..1000_u64)
            .map(|i| ((i % 37, i % 37), i128::from(i * 7919 % 1009) << 60))
            .collect();
        let sum = |rows: &mut dyn Iterator<Item = &(Key, i128)>| {
            let mut units = Units::default();
            rows.for_each(|&(key, value)| units.take(key, Some(value)));
            units.sum(&range(0, 1 << 40))
        };
        assert_eq!(sum(&mut rows.iter()), sum(&mut rows.iter().rev()));
    }
}
