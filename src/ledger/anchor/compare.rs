//! Anchors held against the log while it is read, entry by entry.

use std::rc::Rc;

use super::{Anchor, finding, others};
use crate::ledger::tree::{Frontier, Hash};
use crate::ledger::verify::{AUDIT, Finding};

/// Anchors of one log by size, and how far the log was compared with them. Memory does not grow
/// with the log.
#[derive(Clone, Default)]
pub struct Anchors {
    anchors: Vec<Anchor>,
    next: usize,
    /// Up to where the log was pruned, and how many anchors are about nothing else.
    pruned: (u64, usize),
    frontier: Frontier,
    newest_good: Option<Covered>,
    /// Size of the first that differs, the greatest that is right before it, and how many differ.
    differs: Option<(u64, u64, u64)>,
    findings: Vec<Finding>,
}

/// What the newest anchor that agrees with the log covers.
#[derive(Clone, Debug)]
pub struct Covered {
    /// The last entry covered.
    pub size: u64,
    /// Who signed the anchor.
    pub signer: Rc<str>,
}

impl Anchors {
    /// Sorts anchors whose signatures are right. `findings` is what there is to say about others.
    pub fn new(mut anchors: Vec<Anchor>, mut findings: Vec<Finding>) -> Self {
        anchors.sort_by_key(|anchor| (anchor.size, anchor.root));
        anchors.dedup_by(|a, b| (a.size, a.root) == (b.size, b.root));
        let mut twice = anchors
            .windows(2)
            .filter(|pair| pair[0].size == pair[1].size);
        if let Some([first, _]) = twice.next() {
            let at = i64::try_from(first.size).ok();
            findings.push(Finding {
                seq_from: at,
                seq_to: at,
                ..finding(
                    "E09",
                    "fail",
                    format!(
                        "Two anchors of {} entries have different roots, and both are signed by \
                         this log's keys: there were two histories, of which one is gone.",
                        first.size
                    ),
                )
            });
        }
        let mut new = Self {
            anchors,
            findings,
            ..Self::default()
        };
        // An anchor of the empty log: nothing has to be read for it.
        new.compare(0);
        new
    }

    /// Goes on behind entries that were pruned, of which this tree is left. Anchors of fewer entries
    /// were compared when those were there, and are no more.
    pub fn behind_pruned(&mut self, tree: &Frontier) {
        let size = tree.size();
        let smaller = |anchor: &&Anchor| 0 < anchor.size && anchor.size < size;
        self.pruned = (size, self.anchors.iter().filter(smaller).count());
        while self.anchors.get(self.next).is_some_and(|a| a.size < size) {
            self.next += 1;
        }
        self.frontier = tree.clone();
        self.compare(size);
    }

    /// Leaves out anchors that were made after the view of the log was taken that is read: of more
    /// entries than `seen`, and of no more than there are `now`.
    pub fn not_after(&mut self, seen: i64, now: i64) {
        let number = |seq: i64| u64::try_from(seq).unwrap_or(0);
        self.anchors
            .retain(|anchor| anchor.size <= number(seen) || anchor.size > number(now));
    }

    /// How many anchors are about entries that were pruned only.
    pub fn not_compared(&self) -> usize {
        self.pruned.1
    }

    /// How many entries the newest anchor covers that agrees with the log so far; 0 without one.
    pub fn covers(&self) -> u64 {
        self.newest_good.as_ref().map_or(0, |good| good.size)
    }

    /// How many entries the newest anchor covers; `None` where there is none, or one of them covers
    /// more than `last`.
    pub fn newest_within(&self, last: i64) -> Option<i64> {
        let newest = i64::try_from(self.anchors.last()?.size).ok()?;
        (newest <= last).then_some(newest)
    }

    /// The root over the entries so far.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Adds what there is to say beside the comparison.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Takes the next entry, in the order of `seq`.
    pub fn entry(&mut self, seq: i64, entry_hash: &[u8]) {
        let seq = u64::try_from(seq).unwrap_or(0);
        // Entries that are missing: the log does not have the number that the anchor counted.
        while self.anchors.get(self.next).is_some_and(|a| a.size < seq) {
            self.is_different();
        }
        self.frontier.push(entry_hash);
        self.compare(seq);
    }

    /// Ends: what the comparison found, and what it covers.
    pub fn finish(mut self, last_seq: i64) -> (Vec<Finding>, Option<Covered>) {
        let last = u64::try_from(last_seq).unwrap_or(0);
        while self.anchors.get(self.next).is_some_and(|a| a.size <= last) {
            self.is_different();
        }
        if let Some((size, before, number)) = self.differs {
            self.findings.push(Finding {
                code: "E09",
                status: "fail",
                chain: AUDIT,
                seq_from: i64::try_from(before + 1).ok(),
                seq_to: i64::try_from(size).ok(),
                detail: format!(
                    "The log is not the one that was anchored: up to entry {size} it has another \
                     root than the anchor of that size. It was written anew, or an older state was \
                     restored and carried on.{}",
                    others(number)
                ),
            });
        }
        let beyond = &self.anchors[self.next..];
        if let Some(newest) = beyond.last() {
            self.findings.push(Finding {
                code: "E08",
                status: "fail",
                chain: AUDIT,
                seq_from: last_seq.checked_add(1),
                seq_to: i64::try_from(newest.size).ok(),
                detail: format!(
                    "The anchor of key {} covers {} entries, and the log ends with entry {last}: its \
                     end was cut off, or an older state was restored.{}",
                    newest.signer,
                    newest.size,
                    others(beyond.len() as u64)
                ),
            });
        }
        (self.findings, self.newest_good)
    }

    /// Compares with every anchor of this size.
    fn compare(&mut self, seq: u64) {
        while let Some(anchor) = self.anchors.get(self.next).filter(|a| a.size == seq) {
            if self.frontier.size() == seq && self.frontier.root() == anchor.root {
                self.newest_good = Some(Covered {
                    size: seq,
                    signer: Rc::clone(&anchor.signer),
                });
                self.next += 1;
            } else {
                self.is_different();
            }
        }
    }

    fn is_different(&mut self) {
        let before = self.covers().max(self.pruned.0);
        let first = (self.anchors[self.next].size, before, 0);
        self.differs.get_or_insert(first).2 += 1;
        self.next += 1;
    }
}
