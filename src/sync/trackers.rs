//! The trackers of the run in progress, by number: each counts the values of one masked column and
//! commits to them, while the rows pass.
//!
//! The statements of a run say `confiture._run_track(3, …)`, as with the masks: no key is part of
//! a statement.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use super::workers::report::Words;
use crate::error::{Error, Kind, Result};
use crate::keys::random_uuid;
use crate::ledger::lineage::commitment::{ColumnKey, Element, Tally};
use crate::ledger::lineage::rows::{Chunk, Place, Trail};
use crate::ledger::tree::Hash;

/// What is kept of one column.
pub struct Tracker {
    key: ColumnKey,
    tally: Tally,
    trail: Option<Trail>,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new(key: ColumnKey) -> Self {
        Self {
            key,
            tally: Tally::default(),
            trail: None,
        }
    }

    /// One that keeps the hashes of every row as well.
    #[must_use]
    pub fn row_by_row(self, place: Place) -> Self {
        Self {
            trail: Some(Trail::new(place)),
            ..self
        }
    }
}

/// What a tracker has seen.
pub struct Seen {
    /// The counts and sums.
    pub tally: Tally,
    /// Of a tracker that keeps every row.
    pub rows: Option<SeenRows>,
}

/// The end of what a tracker keeps of every row.
pub struct SeenRows {
    /// The column.
    pub place: Place,
    /// What has not filled a chunk.
    pub rest: Option<Chunk>,
    /// The roots over all hashes, before and after.
    pub roots: [Hash; 2],
}

/// The trackers, and the number of the first.
#[derive(Default)]
struct Trackers {
    first: usize,
    running: Vec<Tracker>,
}

impl Trackers {
    fn get(&mut self, number: usize) -> Option<&mut Tracker> {
        self.running.get_mut(number.checked_sub(self.first)?)
    }
}

thread_local! {
    static RUNNING: RefCell<Trackers> = RefCell::default();
    static SECRET: Cell<Option<i64>> = const { Cell::new(None) };
}

/// Makes trackers callable until the guard is dropped, whatever way that happens.
#[must_use]
pub fn install(trackers: Vec<Tracker>) -> Installed {
    install_from(0, trackers)
}

/// As [`install`], where the first of them has that number.
#[must_use]
pub fn install_from(first: usize, running: Vec<Tracker>) -> Installed {
    Installed {
        outer: RUNNING.replace(Trackers { first, running }),
        secret: SECRET.take(),
    }
}

/// Takes the trackers away when dropped, and puts those of a run back that this one ran in, by a
/// trigger of its target.
pub struct Installed {
    outer: Trackers,
    secret: Option<i64>,
}

impl Installed {
    /// What they have seen, by number.
    pub fn finish(self) -> Vec<Seen> {
        let trackers = RUNNING.with_borrow_mut(|running| std::mem::take(&mut running.running));
        let seen = |tracker: Tracker| Seen {
            tally: tracker.tally,
            rows: tracker.trail.map(|trail| {
                let place = trail.place().clone();
                let (rest, roots) = trail.finish();
                SeenRows { place, rest, roots }
            }),
        };
        trackers.into_iter().map(seen).collect()
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        SECRET.set(self.secret);
        RUNNING.set(std::mem::take(&mut self.outer));
    }
}

/// Shows a value to the tracker of that number; returns what is to be kept now.
///
/// # Errors
/// 55000 outside of a run.
pub fn show(
    number: usize,
    original: &Element,
    anonymized: &Element,
) -> Result<Option<(Place, Chunk)>> {
    with(number, |tracker| {
        let hashes = tracker.tally.pair(&tracker.key, original, anonymized);
        let trail = tracker.trail.as_mut()?;
        let chunk = trail.push(&hashes)?;
        Some((trail.place().clone(), chunk))
    })
}

/// Makes one tracker callable for those who know a secret, which code that runs along does not:
/// hashes of guesses are for nobody.
///
/// # Errors
/// XX000 without randomness.
pub fn install_secretly(tracker: Tracker) -> Result<(Installed, i64)> {
    let random = random_uuid()?;
    let secret = i64::from_be_bytes(random[8..].try_into().unwrap_or_default());
    let installed = install(vec![tracker]);
    SECRET.set(Some(secret));
    Ok((installed, secret))
}

/// The hash of a value under the key of the tracker that was installed with this secret.
///
/// # Errors
/// As [`show`].
pub fn hash(secret: i64, element: &Element) -> Result<Hash> {
    let number = if SECRET.get() == Some(secret) {
        0
    } else {
        usize::MAX
    };
    with(number, |tracker| tracker.key.hash(element.bytes()))
}

/// What the trackers of those numbers have seen in this process, as numbers.
pub fn report(numbers: &Range<usize>, out: &mut Vec<u64>) {
    RUNNING.with_borrow_mut(|running| {
        for number in numbers.clone() {
            let tally = running.get(number).map(|of| of.tally).unwrap_or_default();
            out.extend(tally.words());
        }
    });
}

/// Adds what they have seen in another process.
pub fn merge(numbers: &Range<usize>, words: &mut Words<'_>) {
    RUNNING.with_borrow_mut(|running| {
        for number in numbers.clone() {
            let more = Tally::of_words(std::array::from_fn(|_| words.take()));
            if let Some(of) = running.get(number) {
                of.tally.merge(&more);
            }
        }
    });
}

fn with<T>(number: usize, work: impl FnOnce(&mut Tracker) -> T) -> Result<T> {
    RUNNING.with_borrow_mut(|running| {
        let tracker = running
            .get(number)
            .ok_or_else(|| Error::new(Kind::NotReady, "this function works inside a run only"))?;
        Ok(work(tracker))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Secret;
    use crate::ledger::lineage::commitment::Commitment;

    #[test]
    fn trackers_exist_only_while_installed() {
        let key = ColumnKey::new(
            &Secret::copy_of(&[1; 32]),
            Commitment::default(),
            "s",
            "t",
            "c",
        );
        let element = Element::default();
        assert!(show(0, &element, &element).is_err());
        let installed = install(vec![Tracker::new(key)]);
        show(0, &element, &element).unwrap();
        assert!(show(1, &element, &element).is_err());
        assert_eq!(installed.finish()[0].tally.rows(), 1);
        assert!(show(0, &element, &element).is_err());
    }

    #[test]
    fn trackers_hand_out_a_chunk_when_it_is_full() {
        use crate::ledger::lineage::rows::CHUNK;
        let key = ColumnKey::new(
            &Secret::copy_of(&[1; 32]),
            Commitment::default(),
            "s",
            "t",
            "c",
        );
        let place = Place {
            run_id: [1; 16],
            table: "t".to_owned(),
            column: "c".to_owned(),
        };
        let installed = install(vec![Tracker::new(key).row_by_row(place.clone())]);
        let element = Element::default();
        for row in 1..=CHUNK + 1 {
            let full = show(0, &element, &element).unwrap();
            assert_eq!(full.is_some(), row == CHUNK);
            assert!(full.is_none_or(|(of, chunk)| of == place && chunk.rows() == Some(CHUNK)));
        }
        let seen = installed.finish().pop().unwrap();
        let rows = seen.rows.unwrap();
        assert_eq!(rows.rest.unwrap().rows(), Some(1));
        assert_eq!(seen.tally.rows(), CHUNK as u64 + 1);
    }
}
