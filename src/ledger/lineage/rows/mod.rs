//! Row by row: for who must be able to say which row was changed since, or what a single value was
//! made of.
//!
//! The hashes of a column are not added but kept, 4096 rows to a chunk: those of the values as they
//! were, and those of the values as stored, in the same order. They are the leaves of two Merkle
//! trees (RFC 6962 §2.1), whose roots stand in the entry of the lineage, so that nothing of them can
//! be changed unnoticed. Whoever holds the key of the run can tie an original to its pseudonym by
//! them, which is what they are for: such data are pseudonymised until the key is destroyed.

pub mod store;

use crate::ledger::tree::{Frontier, Hash};

/// Rows of a chunk; the last one of a column has fewer.
pub const CHUNK: usize = 4096;

/// Bytes of a hash.
pub const WIDTH: usize = 32;

/// A column of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The run.
    pub run_id: [u8; 16],
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

/// The hashes of up to [`CHUNK`] rows, in the order in which they passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its place in the column, from 1.
    pub number: i64,
    /// Of the values as they were, [`WIDTH`] bytes each.
    pub original: Vec<u8>,
    /// Of the values as stored.
    pub anonymized: Vec<u8>,
}

impl Chunk {
    /// How many rows it has; `None` where both sides do not have the same number, and whole hashes.
    pub fn rows(&self) -> Option<usize> {
        let is_whole = self.original.len() == self.anonymized.len()
            && self.original.len().is_multiple_of(WIDTH);
        is_whole.then_some(self.original.len() / WIDTH)
    }
}

/// The hashes of a column while its rows pass: at most a chunk of them is in memory.
pub struct Trail {
    place: Place,
    open: Chunk,
    roots: Roots,
}

impl Trail {
    /// A trail without rows.
    pub fn new(place: Place) -> Self {
        Self {
            place,
            open: chunk(1),
            roots: Roots::default(),
        }
    }

    /// The column.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Adds a row, and returns the chunk that it fills.
    pub fn push(&mut self, [original, anonymized]: &[Hash; 2]) -> Option<Chunk> {
        self.open.original.extend_from_slice(original);
        self.open.anonymized.extend_from_slice(anonymized);
        (self.open.rows() == Some(CHUNK)).then(|| self.close())
    }

    /// The chunk that is not full, if there is one, and the roots over all rows.
    pub fn finish(mut self) -> (Option<Chunk>, [Hash; 2]) {
        let rest = (!self.open.original.is_empty()).then(|| self.close());
        (rest, self.roots.roots())
    }

    fn close(&mut self) -> Chunk {
        let next = chunk(self.open.number + 1);
        let closed = std::mem::replace(&mut self.open, next);
        self.roots.push(&closed);
        closed
    }
}

fn chunk(number: i64) -> Chunk {
    Chunk {
        number,
        original: Vec::new(),
        anonymized: Vec::new(),
    }
}

/// Both trees over the chunks of a column, and whether the chunks follow each other as they should.
#[derive(Default)]
pub struct Roots {
    original: Frontier,
    anonymized: Frontier,
    chunks: i64,
    rows: u64,
    is_odd: bool,
    is_last: bool,
}

impl Roots {
    /// Adds the next chunk.
    pub fn push(&mut self, chunk: &Chunk) {
        self.chunks += 1;
        let rows = chunk.rows().unwrap_or_default();
        // All are full but the last one.
        self.is_odd |= self.is_last || rows == 0 || rows > CHUNK || chunk.number != self.chunks;
        self.is_last = rows < CHUNK;
        self.rows += rows as u64;
        let leaves = |side: &[u8], tree: &mut Frontier| {
            side.chunks_exact(WIDTH).for_each(|hash| tree.push(hash));
        };
        leaves(&chunk.original, &mut self.original);
        leaves(&chunk.anonymized, &mut self.anonymized);
    }

    /// The roots, before and after.
    pub fn roots(&self) -> [Hash; 2] {
        [self.original.root(), self.anonymized.root()]
    }

    /// Whether these are the chunks of a column of so many rows with these roots.
    pub fn are(&self, rows: u64, original: &[u8], anonymized: &[u8]) -> bool {
        let [before, after] = self.roots();
        !self.is_odd && self.rows == rows && before == original && after == anonymized
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> Trail {
        Trail::new(Place {
            run_id: [1; 16],
            table: "users".to_owned(),
            column: "email".to_owned(),
        })
    }

    fn hash(row: usize, side: u8) -> Hash {
        let mut hash = [side; 32];
        hash[..8].copy_from_slice(&(row as u64).to_be_bytes());
        hash
    }

    fn passed(rows: usize) -> (Vec<Chunk>, [Hash; 2]) {
        let mut trail = trail();
        let mut chunks: Vec<_> = (0..rows)
            .filter_map(|row| trail.push(&[hash(row, 1), hash(row, 2)]))
            .collect();
        let (rest, roots) = trail.finish();
        chunks.extend(rest);
        (chunks, roots)
    }

    fn are(chunks: &[Chunk], rows: u64, [original, anonymized]: [Hash; 2]) -> bool {
        let mut roots = Roots::default();
        chunks.iter().for_each(|chunk| roots.push(chunk));
        roots.are(rows, &original, &anonymized)
    }

    #[test]
    fn rows_fill_chunks_and_give_the_roots_of_all() {
        for rows in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 7] {
            let (chunks, roots) = passed(rows);
            assert_eq!(chunks.len(), rows.div_ceil(CHUNK));
            for side in [1, 2] {
                let mut all = Frontier::default();
                (0..rows).for_each(|row| all.push(&hash(row, side)));
                assert_eq!(roots[usize::from(side) - 1], all.root());
            }
            assert!(are(&chunks, rows as u64, roots));
        }
    }

    #[test]
    fn rows_that_were_changed_left_out_or_moved_do_not_fit() {
        let (chunks, roots) = passed(2 * CHUNK + 7);
        let rows = (2 * CHUNK + 7) as u64;
        type Edit = fn(&mut Vec<Chunk>);
        let edits: &[Edit] = &[
            |c| c[1].original[77] ^= 1,
            |c| c[2].anonymized[0] ^= 1,
            |c| c.swap(0, 1),
            |c| c[1].number = 3,
            |c| drop(c.pop()),
            |c| drop(c.remove(0)),
            |c| c[2].original.truncate(7 * 32 - 1),
            |c| c[2].anonymized.extend_from_slice(&[0; 32]),
            |c| {
                // The same leaves in chunks cut elsewhere.
                let moved = c[1].original.split_off(32 * (CHUNK - 1));
                c[2].original.splice(0..0, moved);
                let moved = c[1].anonymized.split_off(32 * (CHUNK - 1));
                c[2].anonymized.splice(0..0, moved);
            },
        ];
        for (i, edit) in edits.iter().enumerate() {
            let mut edited = chunks.clone();
            edit(&mut edited);
            assert!(!are(&edited, rows, roots), "edit {i}");
        }
        assert!(!are(&chunks, rows + 1, roots));
    }
}
