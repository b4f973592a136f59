//! The sensitive values of the whole table, which classes are held against.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::fraction;
use crate::error::{Error, Kind, Result};

/// How values are written as numbers, so that classes can be counted without the values themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coding {
    /// By a hash with this seed, or by the number that a value is: looked at for every value, so that
    /// no two of them have the same.
    #[default]
    Plain,
    /// The same with another seed.
    Again,
    /// By their place in the order.
    Rank,
}

impl Coding {
    /// All, the cheapest first. What an order gives is never the same for two values.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Again, Self::Rank];

    /// The seed of a hash.
    pub fn seed(self) -> u64 {
        match self {
            Self::Plain => 0x616e_6f6e,
            _ => 0x7921_6d69,
        }
    }
}

/// How many rows have each value; in the order of the values if it was asked for, NULL at the end.
/// Places count from 0.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    /// How values are written.
    pub coding: Coding,
    counts: Vec<u64>,
    rows: u64,
    places: HashMap<i64, usize>,
    /// The place of NULL.
    null: Option<usize>,
}

/// The most different values of a column: what is kept of each takes some 50 bytes.
pub const MOST_VALUES: usize = 1 << 25;

impl Whole {
    /// Nothing yet, written in this way.
    pub fn written(coding: Coding) -> Self {
        Self {
            coding,
            ..Self::default()
        }
    }

    /// Takes in the next value; `false` where another one is written alike.
    ///
    /// # Errors
    /// 54000 where there are too many.
    pub fn push(&mut self, count: u64, code: Option<i64>) -> Result<bool> {
        let place = self.counts.len();
        if place >= MOST_VALUES {
            return Err(Error::new(
                Kind::ProgramLimit,
                format!("more than {MOST_VALUES} different values cannot be measured"),
            )
            .with_hint("Measure a view that rounds them."));
        }
        match code {
            None if self.null.is_some() => return Ok(false),
            None => self.null = Some(place),
            Some(code) => match self.places.entry(code) {
                Entry::Occupied(_) => return Ok(false),
                Entry::Vacant(free) => {
                    free.insert(place);
                }
            },
        }
        self.counts.push(count);
        self.rows += count;
        Ok(true)
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
        self.null.map_or(0, |place| self.counts[place])
    }

    /// How many values there are.
    pub fn values(&self) -> u64 {
        u64::try_from(self.counts.len()).unwrap_or(u64::MAX)
    }

    /// The place of a value; of NULL without a code.
    pub fn place(&self, code: Option<i64>) -> Option<usize> {
        code.map_or(self.null, |code| self.places.get(&code).copied())
    }

    /// The same without NULL, which must be at the end.
    #[must_use]
    pub fn present(&self) -> Self {
        let null = self.null.unwrap_or(self.counts.len());
        self.counts[..null].iter().copied().collect()
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
    /// Values in their order, none of them NULL; they are written as their places.
    fn from_iter<I: IntoIterator<Item = u64>>(counts: I) -> Self {
        let counts: Vec<u64> = counts.into_iter().collect();
        Self {
            rows: counts.iter().sum(),
            counts,
            ..Self::default()
        }
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
    /// Makes one of pairs in any order; a value may be there more than once.
    pub fn new(mut values: Vec<(usize, u64)>) -> Self {
        values.sort_unstable();
        values.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        let rows = values.iter().map(|(_, count)| count).sum();
        Self { values, rows }
    }

    /// Makes one of how often NULL and each other value come, as they are written.
    ///
    /// # Errors
    /// 55000 for a value that the table did not have when it was looked at.
    pub fn of(nulls: u64, pairs: impl Iterator<Item = (i64, u64)>, whole: &Whole) -> Result<Self> {
        let nulls = (nulls > 0).then_some((None, nulls));
        let pairs = pairs.map(|(code, count)| (Some(code), count));
        let values = pairs
            .chain(nulls)
            .map(|(code, count)| Some((whole.place(code)?, count)));
        let values: Option<Vec<_>> = values.collect();
        values.map(Self::new).ok_or_else(|| {
            Error::new(
                Kind::NotReady,
                "the relation has other values each time it is read",
            )
            .with_hint("Measure a table, or a view without volatile functions.")
        })
    }

    /// How many rows have each value.
    pub fn counts(&self) -> Vec<u64> {
        self.values.iter().map(|(_, count)| *count).collect()
    }

    /// The rows with NULL, and the class without them.
    pub fn split(&self, whole: &Whole) -> (u64, Self) {
        let mut rest = self.clone();
        let last = self.values.last().copied();
        match last.filter(|(place, _)| Some(*place) == whole.null) {
            Some((_, nulls)) => {
                rest.values.pop();
                rest.rows -= nulls;
                (nulls, rest)
            }
            None => (0, rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(codes: &[Option<i64>]) -> (Whole, Vec<bool>) {
        let mut whole = Whole::default();
        let pushed = codes.iter().map(|code| whole.push(2, *code));
        let pushed: Result<Vec<bool>> = pushed.collect();
        (whole, pushed.expect("few values"))
    }

    #[test]
    fn values_written_alike_are_noticed() {
        let (_, pushed) = whole(&[Some(7), Some(8), Some(7), None, None]);
        assert_eq!(pushed, [true, true, false, true, false]);
    }

    #[test]
    fn classes_are_read_as_they_are_written() {
        let (whole, _) = whole(&[Some(70), Some(-3), None]);
        let class = Class::of(4, [(-3, 1), (70, 2)].into_iter(), &whole).expect("known");
        assert_eq!(
            (class.values.as_slice(), class.rows),
            (&[(0, 2), (1, 1), (2, 4)][..], 7)
        );
        let (nulls, rest) = class.split(&whole);
        assert_eq!(
            (nulls, rest.values.as_slice(), rest.rows),
            (4, &[(0, 2), (1, 1)][..], 3)
        );
        assert_eq!((whole.nulls(), whole.present().rows()), (2, 4));
        let stranger = Class::of(0, [(5, 1)].into_iter(), &whole);
        assert_eq!(
            stranger.map(|_| ()).map_err(|e| e.kind()),
            Err(Kind::NotReady)
        );
    }

    #[test]
    fn values_that_come_twice_are_one() {
        let class = Class::new(vec![(3, 1), (1, 2), (3, 4)]);
        assert_eq!(
            (class.values.as_slice(), class.rows),
            (&[(1, 2), (3, 5)][..], 7)
        );
    }
}
