//! Permutations of small domains, drawn as tables.
//!
//! Fisher and Yates's shuffle (Knuth, The Art of Computer Programming 2, algorithm 3.4.2 P) with
//! words of AES-256 in counter mode: every permutation is as likely as any other, so a table gives
//! nothing away beyond what any permutation of so few values gives away. A table is a function of
//! its key and size alone. Those in use are kept, in bounded memory, and drawn again if need be.

use std::collections::BTreeMap;

use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use super::ff1::{LEAST, Way};

/// Tables by name, of at most [`ROOM`] entries together.
#[derive(Default)]
pub(super) struct Tables {
    tables: BTreeMap<Vec<u8>, Zeroizing<Vec<u32>>>,
    used: usize,
}

/// Entries of four bytes: 8 MiB. All lengths of one alphabet fit (2^20 in radix 2), and so do all
/// numbers of up to six digits of both signs.
const ROOM: usize = 1 << 21;

/// What a table costs at least, as its place in the tree does.
const PLACE: usize = 64;

impl Tables {
    /// Returns where `number` goes in the table of that name, which is drawn with `key` if it is
    /// not there. None if the number is not below the size, or the size is not small.
    pub(super) fn look_up(
        &mut self,
        way: Way,
        name: &[u8],
        number: u128,
        size: u128,
        key: impl FnOnce() -> Zeroizing<[u8; 32]>,
    ) -> Option<u128> {
        let size = u32::try_from(size).ok().filter(|_| size < LEAST)?;
        let number = usize::try_from(number).ok()?;
        if !self.tables.contains_key(name) {
            let cost = PLACE.max(size as usize);
            if self.used + cost > ROOM {
                *self = Self::default();
            }
            self.used += cost;
            self.tables.insert(name.to_vec(), table(&key(), size, way));
        }
        let table = self.tables.get(name)?;
        table.get(number).map(|&entry| entry.into())
    }
}

/// Draws the permutation of the numbers below `size`, or its inverse.
fn table(key: &[u8; 32], size: u32, way: Way) -> Zeroizing<Vec<u32>> {
    let mut words = Words::new(key);
    let mut table: Zeroizing<Vec<u32>> = Zeroizing::new((0..size).collect());
    for last in (1..size).rev() {
        table.swap(last as usize, words.below(last + 1) as usize);
    }
    if way == Way::Forth {
        return table;
    }
    let mut inverse = Zeroizing::new(vec![0; table.len()]);
    for (from, to) in (0..).zip(&*table) {
        inverse[*to as usize] = from;
    }
    inverse
}

/// The key stream of AES-256 in counter mode from 0 on (NIST SP 800-38A), as big-endian words.
struct Words {
    cipher: Aes256,
    counter: u128,
    blocks: Zeroizing<[[u8; 16]; BATCH]>,
    next: usize,
}

/// Blocks that are encrypted at once.
const BATCH: usize = 32;

impl Words {
    fn new(key: &[u8; 32]) -> Self {
        Self {
            cipher: Aes256::new(key.into()),
            counter: 0,
            blocks: Zeroizing::new([[0; 16]; BATCH]),
            next: 4 * BATCH,
        }
    }

    fn word(&mut self) -> u32 {
        if self.next == 4 * BATCH {
            for block in &mut *self.blocks {
                *block = self.counter.to_be_bytes();
                self.counter += 1;
            }
            self.cipher
                .encrypt_blocks(Array::cast_slice_from_core_mut(&mut *self.blocks));
            self.next = 0;
        }
        let (block, at) = (&self.blocks[self.next / 4], self.next % 4 * 4);
        self.next += 1;
        u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
    }

    /// Draws a number below `bound` (at least 1), each equally likely: the upper word of the
    /// product, unless the lower one is among those that would favor some (Lemire 2019).
    fn below(&mut self, bound: u32) -> u32 {
        let unfair = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.word()) * u64::from(bound);
            let [_, _, _, _, lower @ ..] = product.to_be_bytes();
            if u32::from_be_bytes(lower) >= unfair {
                return (product >> 32).try_into().unwrap_or(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_key_stream_of_aes_256() {
        let mut words = Words::new(&[0; 32]);
        // The first block of the key of zeros, known from FIPS 197's validation suite (AESAVS).
        let block: Vec<u32> = (0..4).map(|_| words.word()).collect();
        assert_eq!(block, [0xdc95_c078, 0xa240_8989, 0xad48_a214, 0x9284_2087]);
        let cipher = Aes256::new(&[0; 32].into());
        for counter in 1..100_u128 {
            let mut block = Array(counter.to_be_bytes());
            cipher.encrypt_block(&mut block);
            for bytes in block.chunks_exact(4) {
                assert_eq!(words.word().to_be_bytes(), bytes);
            }
        }
    }

    #[test]
    fn shuffle_is_a_permutation_and_back_its_inverse() {
        for size in [1, 2, 3, 10, 10_000, 300_000] {
            let (forth, back) = (
                table(&[3; 32], size, Way::Forth),
                table(&[3; 32], size, Way::Back),
            );
            assert_eq!(forth.len(), size as usize);
            for (from, to) in (0..).zip(&*forth) {
                assert_eq!(back[*to as usize], from);
            }
        }
    }

    #[test]
    fn shuffle_draws_every_permutation_alike() {
        let mut counts = BTreeMap::new();
        for n in 0..24_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&n.to_be_bytes());
            *counts
                .entry(table(&key, 4, Way::Forth).to_vec())
                .or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        // 1000 are expected of each; the standard deviation is 31.
        assert!(
            counts.values().all(|n| n.abs_diff(1000) < 160),
            "{counts:?}"
        );
    }

    #[test]
    fn below_reaches_everything_and_no_more() {
        let mut words = Words::new(&[5; 32]);
        for bound in [1, 2, 3, 7, 1000, u32::MAX] {
            assert!((0..10_000).all(|_| words.below(bound) < bound));
        }
        let mut counts = [0_u32; 3];
        for _ in 0..30_000 {
            counts[words.below(3) as usize] += 1;
        }
        assert!(
            counts.iter().all(|n| n.abs_diff(10_000) < 500),
            "{counts:?}"
        );
    }

    #[test]
    fn tables_stay_within_their_room_and_come_back_the_same() {
        let mut tables = Tables::default();
        let mut look_up = |name: u32, size| {
            let mut key = Zeroizing::new([0; 32]);
            key[..4].copy_from_slice(&name.to_be_bytes());
            let found = tables.look_up(Way::Forth, &name.to_be_bytes(), 1, size, || key);
            let entries: usize = tables.tables.values().map(|table| table.len()).sum();
            assert!(entries <= tables.used && tables.used <= ROOM);
            found.unwrap()
        };
        let first: Vec<u128> = (0..3000).map(|name| look_up(name, 1000)).collect();
        let again: Vec<u128> = (0..3000).map(|name| look_up(name, 1000)).collect();
        assert_eq!(first, again);
        for name in 5000..5003 {
            look_up(name, 999_999);
        }
        for name in 10_000..50_000 {
            look_up(name, 2);
        }
    }

    #[test]
    fn tables_hold_small_domains_only() {
        let mut tables = Tables::default();
        let key = || Zeroizing::new([0; 32]);
        for (number, size) in [
            (0, LEAST),
            (0, u128::MAX),
            (10, 10),
            (u128::MAX, 10),
            (0, 0),
        ] {
            assert_eq!(tables.look_up(Way::Forth, b"a", number, size, key), None);
            tables = Tables::default();
        }
    }
}
