//! The memory that a run shares with its workers while one table is loaded: the kit, and a place for
//! the report of each.
//!
//! This file says what stands where in its words; `store` has the memory.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use zeroize::Zeroizing;

/// What stands in which word.
mod word {
    pub(super) const MAGIC: usize = 0;
    /// The process that leads.
    pub(super) const LEADER: usize = 1;
    /// Places that were taken.
    pub(super) const TAKEN: usize = 2;
    pub(super) const PLACES: usize = 3;
    /// Words of a report.
    pub(super) const REPORT: usize = 4;
    /// Bytes of the kit, which begins behind this.
    pub(super) const BYTES: usize = 5;
    pub(super) const KIT: usize = 6;
}

/// `confkit1`, for the layout may change.
const MAGIC: u64 = u64::from_le_bytes(*b"confkit1");

/// Words for what a worker has refused: how many bytes, and these.
const REFUSAL: usize = 1 + 512;

/// What stands where.
pub struct Board<'a>(&'a [AtomicU64]);

impl<'a> Board<'a> {
    /// How many words there must be for a kit of so many bytes, so many workers, and reports of so many
    /// words.
    pub fn words(bytes: usize, places: usize, report: usize) -> usize {
        let each = report.saturating_add(1 + REFUSAL);
        (word::KIT + bytes.div_ceil(8)).saturating_add(places.saturating_mul(each))
    }

    /// Writes a kit into words that are zeros.
    pub fn begin(
        words: &'a [AtomicU64],
        leader: i32,
        kit: &[u8],
        places: usize,
        report: usize,
    ) -> Self {
        for (place, chunk) in words.iter().skip(word::KIT).zip(kit.chunks(8)) {
            let mut whole = [0; 8];
            whole[..chunk.len()].copy_from_slice(chunk);
            place.store(u64::from_le_bytes(whole), Relaxed);
        }
        let head = [
            (word::LEADER, u64::from(leader.unsigned_abs())),
            (word::PLACES, places as u64),
            (word::REPORT, report as u64),
            (word::BYTES, kit.len() as u64),
        ];
        for (place, value) in head {
            words[place].store(value, Relaxed);
        }
        // Last: who sees it sees what is behind it.
        words[word::MAGIC].store(MAGIC, Release);
        Self(words)
    }

    /// The words of the leader of that process; `None` where they are of something else.
    pub fn of(words: &'a [AtomicU64], leader: i32) -> Option<Self> {
        let is_one = words.len() > word::KIT && words[word::MAGIC].load(Acquire) == MAGIC;
        let board = is_one.then_some(Self(words))?;
        let is_whole = || {
            let [bytes, places, report] =
                [word::BYTES, word::PLACES, word::REPORT].map(|of| board.get(of));
            let needed = Self::words(bytes, places, report);
            needed <= words.len()
        };
        (board.get(word::LEADER) == usize::try_from(leader).ok()? && is_whole()).then_some(board)
    }

    /// The kit.
    pub fn kit(&self) -> Zeroizing<Vec<u8>> {
        let bytes = self.get(word::BYTES);
        // Room for the last word too: a vector that grows would leave secrets behind.
        let mut kit = Zeroizing::new(Vec::with_capacity(bytes + 8));
        for place in &self.0[word::KIT..word::KIT + bytes.div_ceil(8)] {
            kit.extend_from_slice(&place.load(Relaxed).to_le_bytes());
        }
        kit.truncate(bytes);
        kit
    }

    /// Takes a place for a report; `None` where none is left.
    pub fn take(&self) -> Option<usize> {
        let taken = self.0[word::TAKEN].fetch_add(1, Relaxed);
        let place = usize::try_from(taken).ok()?;
        (place < self.get(word::PLACES)).then_some(place)
    }

    /// How many workers took one.
    pub fn taken(&self) -> usize {
        self.get(word::TAKEN).min(self.get(word::PLACES))
    }

    /// Writes a report; false where it has not so many words.
    #[must_use]
    pub fn tell(&self, place: usize, report: &[u64]) -> bool {
        let room = &self.place(place)[..=self.get(word::REPORT)];
        if room.len() != report.len() + 1 {
            return false;
        }
        for (of, value) in room[1..].iter().zip(report) {
            of.store(*value, Relaxed);
        }
        room[0].store(1, Release);
        true
    }

    /// The report of that place; `None` where there is none.
    pub fn told(&self, place: usize) -> Option<Vec<u64>> {
        let room = &self.place(place)[..=self.get(word::REPORT)];
        let is_told = room[0].load(Acquire) == 1;
        is_told.then(|| room[1..].iter().map(|of| of.load(Relaxed)).collect())
    }

    /// Writes what a worker has refused, where there is room for it.
    pub fn refuse(&self, place: usize, words: &[u8]) {
        let room = &self.place(place)[1 + self.get(word::REPORT)..];
        if words.len() > (REFUSAL - 1) * 8 {
            return;
        }
        for (of, chunk) in room[1..].iter().zip(words.chunks(8)) {
            let mut whole = [0; 8];
            whole[..chunk.len()].copy_from_slice(chunk);
            of.store(u64::from_le_bytes(whole), Relaxed);
        }
        room[0].store(words.len() as u64, Release);
    }

    /// What a worker has refused, of whichever place.
    pub fn refused(&self) -> Option<Vec<u8>> {
        (0..self.taken()).find_map(|place| {
            let room = &self.place(place)[1 + self.get(word::REPORT)..];
            let length = usize::try_from(room[0].load(Acquire))
                .ok()
                .filter(|length| *length > 0)?;
            let words = room[1..]
                .iter()
                .flat_map(|of| of.load(Relaxed).to_le_bytes());
            Some(words.take(length).collect())
        })
    }

    /// Wipes the kit.
    pub fn wipe(&self) {
        let bytes = self.get(word::BYTES);
        self.0[word::MAGIC].store(0, Relaxed);
        for place in &self.0[word::KIT..word::KIT + bytes.div_ceil(8)] {
            place.store(0, Release);
        }
    }

    fn place(&self, place: usize) -> &'a [AtomicU64] {
        let each = 1 + self.get(word::REPORT) + REFUSAL;
        let first = word::KIT + self.get(word::BYTES).div_ceil(8) + place * each;
        &self.0[first..first + each]
    }

    fn get(&self, place: usize) -> usize {
        usize::try_from(self.0[place].load(Relaxed)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(count: usize) -> Vec<AtomicU64> {
        (0..count).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn what_is_told_is_read() {
        let kit = b"thirteen byte";
        let words = words(Board::words(kit.len(), 2, 3));
        let leader = Board::begin(&words, 7, kit, 2, 3);
        assert!(Board::of(&words, 8).is_none());
        let worker = Board::of(&words, 7).unwrap();
        assert_eq!(worker.kit().as_slice(), kit);
        assert_eq!(
            [worker.take(), worker.take(), worker.take()],
            [Some(0), Some(1), None]
        );
        assert_eq!(leader.taken(), 2);
        assert!(!worker.tell(0, &[1, 2]));
        assert!(worker.tell(1, &[1, 2, 3]));
        worker.refuse(1, b"no");
        assert_eq!(
            (leader.told(0), leader.told(1)),
            (None, Some(vec![1, 2, 3]))
        );
        assert_eq!(leader.refused().unwrap(), b"no");
        worker.refuse(0, &[1; 8 * REFUSAL]);
        assert_eq!(leader.refused().unwrap(), b"no");
        leader.wipe();
        assert!(Board::of(&words, 7).is_none());
        assert!(leader.kit().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn words_of_others_are_none() {
        assert!(Board::of(&words(0), 7).is_none());
        assert!(Board::of(&words(100), 0).is_none());
        let short = words(20);
        short[word::MAGIC].store(MAGIC, Relaxed);
        short[word::LEADER].store(7, Relaxed);
        short[word::PLACES].store(9, Relaxed);
        assert!(Board::of(&short, 7).is_none());
    }
}
