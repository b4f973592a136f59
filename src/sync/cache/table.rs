//! The entries of a cache: bounded in memory, found by a keyed digest, sealed each in its place.
//!
//! An entry holds no value, only a digest of what it was made from, and the output. At every hit
//! its seal, a MAC over that digest, the number of its slot and the output, is computed again and
//! compared in constant time; so an entry that was overwritten, exchanged with another, or is found
//! under what it was not made from, is noticed, dropped, and made anew.
//!
//! Room is made by the clock rule: a hand goes around, passes over what was used since it last came
//! by, and throws out what was not. Every step of it is paid for by a hit, by an entry that was
//! stored, or by a slot that a larger output has left empty, so what a value costs does not depend
//! on the others, whatever they are; and where an entry is found depends on a random key.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::form;
use crate::keys::Secret;
use crate::strategies::Datum;

/// A longer output is not kept.
pub const MOST_OUTPUT: usize = 4096;

/// What an entry was made from, as a digest under a key of the run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tag(pub [u8; 32]);

impl Hash for Tag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (first, _) = self.0.split_at(8);
        state.write_u64(u64::from_be_bytes(first.try_into().unwrap_or_default()));
    }
}

/// Tags are digests under a secret key already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

struct Entry {
    tag: Tag,
    /// The column that it was stored for.
    column: usize,
    /// Since the hand last came by.
    is_used: bool,
    seal: [u8; 32],
    output: Zeroizing<Box<[u8]>>,
}

/// What became of the values of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Outputs that were there.
    pub hits: u64,
    /// Outputs that were computed.
    pub misses: u64,
    /// Entries thrown out for others.
    pub evicted: u64,
    /// Entries whose seal did not hold: dropped, and computed anew.
    pub poisoned: u64,
}

impl Counts {
    /// Both together.
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
            evicted: self.evicted + other.evicted,
            poisoned: self.poisoned + other.poisoned,
        }
    }
}

/// The entries.
pub struct Table {
    key: Secret,
    slots: Vec<Option<Entry>>,
    places: HashMap<Tag, u32, BuildHasherDefault<AsItIs>>,
    empty: Vec<u32>,
    most_slots: usize,
    hand: usize,
    bytes: usize,
    most_bytes: usize,
    peak: usize,
    counts: Vec<Counts>,
}

/// Bytes of an entry beside its output: its slot; its place among at most 16/7 as many, as the map
/// doubles and stays filled to seven eighths, with a byte of control; its number among the empty
/// ones; and what the allocator needs.
const ENTRY: usize =
    size_of::<Option<Entry>>() + (size_of::<(Tag, u32)>() + 1) * 16 / 7 + size_of::<u32>() + 16;

/// Room for outputs that is set aside with every slot.
const USUAL_OUTPUT: usize = 64;

impl Table {
    /// An empty one for so many columns, that takes at most so many bytes. Where the memory cannot
    /// be had, it keeps nothing.
    pub fn new(key: Secret, columns: usize, most_bytes: usize) -> Self {
        let wanted = most_bytes / (ENTRY + USUAL_OUTPUT);
        let most_slots = wanted.min(u32::MAX as usize);
        let mut table = Self {
            key,
            slots: Vec::new(),
            places: HashMap::default(),
            empty: Vec::new(),
            most_slots,
            hand: 0,
            bytes: 0,
            most_bytes,
            peak: 0,
            counts: vec![Counts::default(); columns],
        };
        // Asked for at once, so that nothing is moved about later; it is touched as it is used.
        let is_there = table.slots.try_reserve_exact(most_slots).is_ok()
            && table.places.try_reserve(most_slots).is_ok()
            && table.empty.try_reserve_exact(most_slots).is_ok();
        if !is_there {
            table.most_slots = 0;
        }
        table
    }

    /// The output that was stored under a tag, and `None` for NULL; nothing where there is none or
    /// its seal does not hold.
    pub fn get(&mut self, column: usize, tag: &Tag) -> Option<Option<Datum<'static>>> {
        let Some(place) = self.places.get(tag).copied() else {
            self.count(column, |counts| counts.misses += 1);
            return None;
        };
        let slot = place as usize;
        let seal = |entry: &Entry| self.seal(tag, place, &entry.output);
        let entry = self.slots.get(slot).and_then(Option::as_ref);
        let holds = |entry: &&Entry| bool::from(entry.seal.ct_eq(&seal(entry)));
        let output = entry
            .filter(holds)
            .and_then(|entry| form::read(&entry.output));
        match output {
            Some(output) => {
                if let Some(entry) = self.slots.get_mut(slot).and_then(Option::as_mut) {
                    entry.is_used = true;
                }
                self.count(column, |counts| counts.hits += 1);
                Some(output)
            }
            None => {
                self.places.remove(tag);
                self.vacate(slot);
                self.count(column, |counts| counts.poisoned += 1);
                None
            }
        }
    }

    /// Stores an output, `None` for NULL, if there is room or room can be made.
    pub fn put(&mut self, column: usize, tag: Tag, output: Option<&Datum<'_>>) {
        let size = form::size(output);
        if size > MOST_OUTPUT || self.places.contains_key(&tag) {
            return;
        }
        let Some(slot) = self.room(size) else {
            return;
        };
        let Ok(place) = u32::try_from(slot) else {
            return;
        };
        let output = Zeroizing::new(form::write(output));
        let entry = Entry {
            tag,
            column,
            is_used: false,
            seal: self.seal(&tag, place, &output),
            output,
        };
        self.bytes += ENTRY + size;
        self.peak = self.peak.max(self.bytes);
        self.places.insert(tag, place);
        match self.slots.get_mut(slot) {
            Some(vacant) => *vacant = Some(entry),
            None => self.slots.push(Some(entry)),
        }
    }

    /// What became of the values of each column.
    pub fn counts(&self) -> &[Counts] {
        &self.counts
    }

    /// The most bytes that it has taken.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// The number of a slot that is free for an output of that size, after as many others were
    /// thrown out as need be.
    fn room(&mut self, size: usize) -> Option<usize> {
        let fits = |table: &Self| table.bytes + ENTRY + size <= table.most_bytes;
        let is_free =
            |table: &Self| !table.empty.is_empty() || table.slots.len() < table.most_slots;
        while !(fits(self) && is_free(self)) {
            self.evict()?;
        }
        let free = self.empty.pop().map(|place| place as usize);
        Some(free.unwrap_or(self.slots.len()))
    }

    /// Throws out the next entry that was not used since the hand last came by.
    fn evict(&mut self) -> Option<()> {
        // Once around every entry may be spared, not twice.
        for _ in 0..2 * self.slots.len() {
            let slot = self.hand;
            self.hand = (slot + 1) % self.slots.len();
            match self.slots.get_mut(slot).and_then(Option::as_mut) {
                Some(entry) if entry.is_used => entry.is_used = false,
                Some(entry) => {
                    let column = entry.column;
                    self.vacate(slot);
                    self.count(column, |counts| counts.evicted += 1);
                    return Some(());
                }
                None => {}
            }
        }
        None
    }

    fn vacate(&mut self, slot: usize) {
        let Some(entry) = self.slots.get_mut(slot).and_then(Option::take) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(ENTRY + entry.output.len());
        let place = u32::try_from(slot).unwrap_or(u32::MAX);
        // One that was exchanged with another is found elsewhere.
        if self.places.get(&entry.tag) == Some(&place) {
            self.places.remove(&entry.tag);
        }
        self.empty.push(place);
    }

    fn seal(&self, tag: &Tag, place: u32, output: &[u8]) -> [u8; 32] {
        let mut mac = blake3::Hasher::new_keyed(self.key.expose());
        mac.update(&tag.0);
        mac.update(&place.to_be_bytes());
        mac.update(output);
        *mac.finalize().as_bytes()
    }

    fn count(&mut self, column: usize, more: impl FnOnce(&mut Counts)) {
        if let Some(counts) = self.counts.get_mut(column) {
            more(counts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(most_bytes: usize) -> Table {
        Table::new(Secret::copy_of(&[5; 32]), 2, most_bytes)
    }

    fn tag(number: u64) -> Tag {
        Tag(*blake3::hash(&number.to_be_bytes()).as_bytes())
    }

    fn store(table: &mut Table, number: u64) {
        table.put(0, tag(number), Some(&Datum::text(format!("out {number}"))));
    }

    fn found(table: &mut Table, number: u64) -> Option<String> {
        match table.get(0, &tag(number))? {
            Some(Datum::Text(text)) => Some(text.into_owned()),
            other => panic!("{other:?}"),
        }
    }

    impl Table {
        /// Changes a bit of every output that is kept.
        pub fn poison(&mut self) {
            for entry in self.slots.iter_mut().flatten() {
                if let Some(last) = entry.output.last_mut() {
                    *last ^= 1;
                }
            }
        }

        /// Exchanges the entries of two slots.
        pub fn exchange(&mut self, one: usize, other: usize) {
            self.slots.swap(one, other);
        }

        /// Has every tag lead to the slot of another.
        pub fn mislead(&mut self) {
            let count = u32::try_from(self.slots.len()).unwrap();
            for place in self.places.values_mut() {
                *place = (*place + 1) % count;
            }
        }

        /// Entries that are kept.
        pub fn kept(&self) -> usize {
            assert_eq!(self.places.len(), self.slots.iter().flatten().count());
            self.places.len()
        }
    }

    #[test]
    fn outputs_are_found_by_what_they_were_made_from() {
        let mut table = table(1 << 20);
        assert_eq!(found(&mut table, 1), None);
        store(&mut table, 1);
        table.put(1, tag(2), None);
        assert_eq!(found(&mut table, 1).as_deref(), Some("out 1"));
        assert_eq!(table.get(1, &tag(2)), Some(None));
        let counts = table.counts();
        assert_eq!(
            (counts[0].hits, counts[0].misses, counts[1].hits),
            (1, 1, 1)
        );
    }

    #[test]
    fn poisoned_entries_are_noticed_counted_and_made_anew() {
        let mut table = table(1 << 20);
        store(&mut table, 1);
        store(&mut table, 2);
        table.poison();
        assert_eq!(found(&mut table, 1), None);
        assert_eq!(table.counts()[0].poisoned, 1);
        store(&mut table, 1);
        assert_eq!(found(&mut table, 1).as_deref(), Some("out 1"));
        assert_eq!(found(&mut table, 2), None);
        assert_eq!((table.counts()[0].poisoned, table.kept()), (2, 1));
    }

    #[test]
    fn exchanged_entries_are_noticed_both_of_them() {
        let mut table = table(1 << 20);
        store(&mut table, 1);
        store(&mut table, 2);
        table.exchange(0, 1);
        assert_eq!((found(&mut table, 1), found(&mut table, 2)), (None, None));
        // The second was dropped with the first: it was not where it was looked for.
        assert_eq!(table.counts()[0].poisoned, 2);
        assert_eq!((table.kept(), table.bytes), (0, 0));
    }

    #[test]
    fn entries_found_under_what_they_were_not_made_from_are_noticed() {
        let mut table = table(1 << 20);
        (0..3).for_each(|number| store(&mut table, number));
        table.mislead();
        (0..3).for_each(|number| assert_eq!(found(&mut table, number), None));
        assert_eq!(table.counts()[0].poisoned, 3);
        (0..3).for_each(|number| store(&mut table, number));
        (0..3).for_each(|number| assert!(found(&mut table, number).is_some()));
    }

    #[test]
    fn memory_stays_within_its_bound_whatever_the_outputs_are() {
        let most = 64 << 10;
        let mut table = table(most);
        for number in 0..20_000_u64 {
            let length = (number * 7919 % 4200) as usize;
            table.put(0, tag(number), Some(&Datum::text("x".repeat(length))));
            assert!(table.bytes <= most, "{}", table.bytes);
        }
        let bytes: usize = table.slots.iter().flatten().map(|of| of.output.len()).sum();
        assert_eq!(table.bytes, bytes + table.kept() * ENTRY);
        assert!(table.peak() <= most && table.kept() > 5);
        assert!(table.counts()[0].evicted > 15_000);
        // What was asked for at first was enough.
        assert!(table.slots.capacity() * size_of::<Option<Entry>>() <= most);
    }

    #[test]
    fn entries_that_are_used_outlive_those_that_are_not() {
        let mut table = table(40 * (ENTRY + USUAL_OUTPUT));
        store(&mut table, 0);
        for number in 1..1000 {
            store(&mut table, number);
            assert!(found(&mut table, 0).is_some(), "after {number}");
        }
        assert!(found(&mut table, 1).is_none());
    }

    #[test]
    fn a_table_without_room_keeps_nothing() {
        for most in [0, ENTRY - 1, ENTRY + 3] {
            let mut table = table(most);
            store(&mut table, 1);
            assert_eq!((found(&mut table, 1), table.peak()), (None, 0));
        }
        let mut table = table(1 << 20);
        table.put(0, tag(1), Some(&Datum::text("x".repeat(MOST_OUTPUT))));
        assert_eq!(table.kept(), 0);
    }

    /// Steps of the hand are paid for: a million values into a full table take no longer each than
    /// the first ones, whether all are used again or none.
    #[test]
    fn the_hand_takes_few_steps_for_each_value() {
        let mut table = table(256 * (ENTRY + USUAL_OUTPUT));
        let mut steps = 0;
        for number in 0..50_000 {
            let before = table.hand;
            store(&mut table, number);
            let full = table.slots.len();
            steps += (table.hand + full - before) % full;
            // The worst for it: everything is used before the next comes.
            if number % 256 == 0 {
                for old in number.saturating_sub(256)..number {
                    let _ = found(&mut table, old);
                }
            }
        }
        let paid = 50_000 + table.counts()[0].hits;
        assert!(steps as u64 <= paid, "{steps} steps, {paid} paid");
    }
}
