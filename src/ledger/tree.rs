//! The Merkle tree over the entry hashes: roots, and proofs that an entry is in the log and that a
//! log only grew (RFC 6962 §2.1, RFC 9162 §2.1).
//!
//! A leaf is `SHA-256(0x00 ‖ data)`, a node `SHA-256(0x01 ‖ left ‖ right)`. Leaves come one after
//! another and none is kept: a tree of any size is at most 64 hashes here.

use std::ops::Range;

use sha2::{Digest, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The hash of a leaf.
pub fn leaf(data: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(data);
    hash.finalize().into()
}

/// The hash of a node above two others.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// A tree that grows to the right: the roots of its complete subtrees, the greatest first, one for
/// each bit of its size that is set.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Goes on behind a tree of `size` leaves of which the roots of the complete subtrees are left;
    /// `None` where there is not one for each bit of the size that is set.
    pub fn resume(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        (peaks.len() == expected).then_some(Self { size, peaks })
    }

    /// The roots of the complete subtrees, the greatest first: all that it takes to go on.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The part of a range of leaves that is in this tree, as a tree of its own; `None` where the
    /// range begins or ends inside of a complete subtree, of which only the root is known.
    fn part(&self, range: &Range<u64>) -> Option<Self> {
        let end = range.end.min(self.size);
        let (mut at, mut part) = (0, Self::default());
        for peak in &self.peaks {
            // The greatest power of two that is left.
            let width = 1 << (self.size - at).ilog2();
            if at >= range.start && at + width <= end {
                part.size += width;
                part.peaks.push(*peak);
            }
            at += width;
        }
        (part.size == end.checked_sub(range.start)?).then_some(part)
    }

    /// Appends a leaf.
    pub fn push(&mut self, data: &[u8]) {
        let mut hash = leaf(data);
        // Every bit that the count carries over is a pair of equal subtrees that becomes one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root; that of a tree without leaves is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return Sha256::digest([]).into();
        };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}

/// A proof in the making. It is the roots of some ranges of leaves, which are computed while all
/// leaves go by.
pub struct Proof {
    /// The ranges as the leaves come, with their places in the proof.
    ranges: Vec<(Range<u64>, usize)>,
    hashes: Vec<Hash>,
    open: usize,
    frontier: Frontier,
    seen: u64,
    size: u64,
}

impl Proof {
    /// The proof that leaf `index` (from 0) is in the tree of `size` leaves; `None` where there is
    /// no such leaf.
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let mut ranges = Vec::new();
        let mut tree = 0..size;
        while tree.end - tree.start > 1 {
            let middle = split(&tree);
            if index < middle {
                ranges.push(middle..tree.end);
                tree.end = middle;
            } else {
                ranges.push(tree.start..middle);
                tree.start = middle;
            }
        }
        ranges.reverse();
        Some(Self::of(ranges, size))
    }

    /// The proof that the tree of `size` leaves begins with the tree of the first `from`; `None`
    /// unless `0 < from <= size`. Empty for two equal sizes.
    pub fn consistency(from: u64, size: u64) -> Option<Self> {
        if from == 0 || from > size {
            return None;
        }
        let mut ranges = Vec::new();
        let mut tree = 0..size;
        while tree.end != from {
            let middle = split(&tree);
            if from <= middle {
                ranges.push(middle..tree.end);
                tree.end = middle;
            } else {
                ranges.push(tree.start..middle);
                tree.start = middle;
            }
        }
        // The verifier has the former root, so that tree need not be said when it is a subtree.
        if tree.start != 0 {
            ranges.push(tree);
        }
        ranges.reverse();
        Some(Self::of(ranges, size))
    }

    fn of(ranges: Vec<Range<u64>>, size: u64) -> Self {
        let hashes = vec![[0; 32]; ranges.len()];
        let mut ranges: Vec<_> = ranges.into_iter().zip(0..).collect();
        ranges.sort_by_key(|(range, _)| range.start);
        Self {
            ranges,
            hashes,
            open: 0,
            frontier: Frontier::default(),
            seen: 0,
            size,
        }
    }

    /// Goes on behind leaves that are gone, of which `before` is what is left; `None` where the
    /// proof needs more than that. Every proof about a leaf behind them is to be had, and every one
    /// from a tree that has all of them.
    #[must_use]
    pub fn resume(mut self, before: &Frontier) -> Option<Self> {
        self.seen = before.size;
        while let Some((range, place)) = self.ranges.get(self.open)
            && range.start < before.size
        {
            let part = before.part(range)?;
            if range.end > before.size {
                self.frontier = part;
                break;
            }
            self.hashes[*place] = part.root();
            self.open += 1;
        }
        Some(self)
    }

    /// How many leaves the tree has that the proof is about.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next leaf. Leaves after the last one of the tree change nothing.
    pub fn push(&mut self, data: &[u8]) {
        let at = self.seen;
        self.seen += 1;
        let Some((range, place)) = self.ranges.get(self.open) else {
            return;
        };
        if at < range.start {
            return;
        }
        self.frontier.push(data);
        if self.seen == range.end {
            self.hashes[*place] = std::mem::take(&mut self.frontier).root();
            self.open += 1;
        }
    }

    /// The hashes, nearest to the leaves first; `None` before all leaves of the tree were there.
    pub fn finish(self) -> Option<Vec<Hash>> {
        (self.seen >= self.size).then_some(self.hashes)
    }
}

/// Where a tree is divided: its left part has the greatest power of two of leaves that is less than
/// all.
fn split(tree: &Range<u64>) -> u64 {
    let last = tree.end - tree.start - 1;
    tree.start + (1 << last.ilog2())
}

/// Whether a proof shows that the leaf with this hash is number `index` (from 0) of the tree of
/// `size` leaves with this root (RFC 9162 §2.1.3.2).
pub fn includes(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for other in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(other, &hash);
            climb(&mut at, &mut last);
        } else {
            hash = node(&hash, other);
        }
        at >>= 1;
        last >>= 1;
    }
    // Too short a proof ends below the root.
    last == 0 && hash == *root
}

/// Whether a proof shows that the tree of `size` leaves with root `root` begins with the tree of
/// `from` leaves with root `from_root` (RFC 9162 §2.1.4.2). Every element counts for both roots, and
/// all of both sizes is used up (immudb's GHSA-672p-m5jq-mrh8 and hash-tree 0.1.1 looked at less).
pub fn is_consistent(from: u64, from_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if from == 0 || from > size {
        return false;
    }
    if from == size {
        return proof.is_empty() && from_root == root;
    }
    let (mut at, mut last) = (from - 1, size - 1);
    let whole = at.trailing_ones();
    at >>= whole;
    last >>= whole;
    let (first, rest) = if at == 0 {
        // The former tree is a subtree: its root begins the proof without being said.
        (from_root, proof)
    } else {
        match proof.split_first() {
            Some((first, rest)) => (first, rest),
            None => return false,
        }
    };
    let (mut former, mut now) = (*first, *first);
    for other in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            former = node(other, &former);
            now = node(other, &now);
            climb(&mut at, &mut last);
        } else {
            now = node(&now, other);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && former == *from_root && now == *root
}

/// Skips the levels at which a last leaf that has no partner is its own parent.
fn climb(at: &mut u64, last: &mut u64) {
    while *at & 1 == 0 && *at != 0 {
        *at >>= 1;
        *last >>= 1;
    }
}

#[cfg(test)]
mod tests;
