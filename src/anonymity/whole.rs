//! The sensitive values of the whole table, which classes are held against.

use super::fraction;
use crate::error::Result;

/// How many rows have each value, in the order of the values: their places count from 0.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    counts: Vec<u64>,
    rows: u64,
    nulls: u64,
}

impl Whole {
    /// Takes in the next value.
    pub fn push(&mut self, count: u64, is_null: bool) {
        self.counts.push(count);
        self.rows += count;
        if is_null {
            self.nulls += count;
        }
    }

    /// The counts, by place.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many rows have NULL.
    pub fn nulls(&self) -> u64 {
        self.nulls
    }

    /// How many values there are.
    pub fn values(&self) -> u64 {
        u64::try_from(self.counts.len()).unwrap_or(u64::MAX)
    }

    /// Refuses a table of too many rows.
    ///
    /// # Errors
    /// 54000.
    pub fn checked(self) -> Result<Self> {
        fraction::rows(self.rows)?;
        Ok(self)
    }
}

impl FromIterator<u64> for Whole {
    fn from_iter<I: IntoIterator<Item = u64>>(counts: I) -> Self {
        let mut whole = Self::default();
        counts
            .into_iter()
            .for_each(|count| whole.push(count, false));
        whole
    }
}

/// A class: how many of its rows have which value.
#[derive(Clone, Debug, Default)]
pub struct Class {
    /// Places of values that occur, with how often, in the order of the places.
    pub values: Vec<(usize, u64)>,
    /// How many rows it has.
    pub rows: u64,
}

impl Class {
    /// Makes one of pairs in any order.
    pub fn new(mut values: Vec<(usize, u64)>) -> Self {
        values.sort_unstable();
        let rows = values.iter().map(|(_, count)| count).sum();
        Self { values, rows }
    }
}
