//! What a worker has seen, as numbers: how often masks were called, what was drawn again, the sums of
//! the lineage, what the scan and the cache counted. Each room writes its own and adds those of others,
//! in one order, so that nothing else knows what they mean.

use std::ops::Range;
use std::slice::Iter;

use super::super::cache::Caching;
use super::super::clock::Beside;
use super::super::leaks::running as scans;
use super::super::{masks, redraw, trackers};

/// Numbers that are read one by one; zeros where there are no more.
pub struct Words<'a>(Iter<'a, u64>);

impl<'a> Words<'a> {
    /// The numbers of a report.
    pub fn of(words: &'a [u64]) -> Self {
        Self(words.iter())
    }

    /// The next.
    pub fn take(&mut self) -> u64 {
        self.0.next().copied().unwrap_or(0)
    }

    /// Whether all were read.
    pub fn is_at_end(&self) -> bool {
        self.0.len() == 0
    }
}

/// Whose numbers a report holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// The masks of the table.
    pub masks: Range<usize>,
    /// Its trackers.
    pub trackers: Range<usize>,
    /// Its scan.
    pub scan: Option<usize>,
}

impl Shape {
    /// What was seen in this process.
    pub fn report(&self, caching: &Caching) -> Vec<u64> {
        let mut words = Vec::new();
        masks::report(&self.masks, &mut words);
        redraw::report(&self.masks, &mut words);
        trackers::report(&self.trackers, &mut words);
        if let Some(scan) = self.scan {
            scans::report(scan, &mut words);
        }
        Beside::report(&mut words);
        caching.report(&mut words);
        words
    }

    /// Adds what was seen in another process; false where the numbers are none of a report of this
    /// shape.
    #[must_use]
    pub fn merge(&self, words: &[u64], caching: &Caching) -> bool {
        let mut words = Words::of(words);
        masks::merge(&self.masks, &mut words);
        redraw::merge(&self.masks, &mut words);
        trackers::merge(&self.trackers, &mut words);
        if let Some(scan) = self.scan {
            scans::merge(scan, &mut words);
        }
        Beside::merge(&mut words);
        caching.merge(&mut words);
        words.is_at_end()
    }
}
