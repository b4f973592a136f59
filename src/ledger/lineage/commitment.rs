//! Commitments to all values of a column: keyed, so that guesses cannot be tried against them, and
//! the same whatever order the rows come in.
//!
//! Each value is hashed under a key of its column together with the key of its row; the hashes are
//! added modulo 2^256 (a multiset hash: Clarke et al., ASIACRYPT 2003, MSet-Add-Hash), and the sum
//! is sealed with their number. XOR would forget what comes twice. Who holds the key of the run can
//! find other values with the same sum (Wagner's generalized birthday, about 2^32 work for this
//! width); who does not, cannot.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::error::{Error, Kind, Result};
use crate::keys::Secret;
use crate::ledger::canonical::Record;

/// What hashes the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// BLAKE3 with a key: one compression for most values.
    #[default]
    Blake3,
    /// HMAC-SHA256 (RFC 2104, FIPS 198-1), where only approved functions may be used.
    HmacSha256,
}

/// What becomes of the hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// They are added, and forgotten.
    #[default]
    Sum,
    /// They are the leaves of a Merkle tree, and kept row by row (see [`super::rows`]).
    Rows,
}

/// How the values of a column are committed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commitment {
    /// What hashes them.
    pub algorithm: Algorithm,
    /// What becomes of the hashes.
    pub shape: Shape,
}

impl Commitment {
    const NAMES: [(&str, Algorithm, Shape); 4] = [
        ("sum256/blake3", Algorithm::Blake3, Shape::Sum),
        ("sum256/hmac-sha256", Algorithm::HmacSha256, Shape::Sum),
        ("merkle/blake3", Algorithm::Blake3, Shape::Rows),
        ("merkle/hmac-sha256", Algorithm::HmacSha256, Shape::Rows),
    ];

    /// The word in the column `commitment`.
    pub fn name(self) -> &'static str {
        let named = Self::NAMES
            .iter()
            .find(|(_, algorithm, shape)| (*algorithm, *shape) == (self.algorithm, self.shape));
        named.map_or("", |(name, ..)| name)
    }

    /// Finds a kind of commitment by its word.
    ///
    /// # Errors
    /// 22023 for a word that is none.
    pub fn of(name: &str) -> Result<Self> {
        Self::NAMES
            .into_iter()
            .find(|(known, ..)| *known == name)
            .map(|(_, algorithm, shape)| Self { algorithm, shape })
            .ok_or_else(|| Error::new(Kind::InvalidParameter, "unrecognized kind of commitment"))
    }
}

/// The key of one column in one run: what hashes its values.
#[derive(Clone)]
pub struct ColumnKey(Hashing);

#[derive(Clone)]
enum Hashing {
    Blake3(Box<[u8; 32]>),
    Hmac(Box<Hmac<Sha256>>),
}

impl ColumnKey {
    /// Derives the key of a column from that of the run; bound to schema, table and column.
    pub fn new(
        run: &Secret,
        commitment: Commitment,
        schema: &str,
        table: &str,
        name: &str,
    ) -> Self {
        let mut record = Record::new("confiture/column/v1");
        record
            .text(Some(commitment.name()))
            .text(Some(schema))
            .text(Some(table))
            .text(Some(name));
        let bytes = record.finish();
        Self(match commitment.algorithm {
            Algorithm::Blake3 => Hashing::Blake3(Box::new(
                *blake3::keyed_hash(run.expose(), &bytes).as_bytes(),
            )),
            Algorithm::HmacSha256 => {
                let key = keyed(run.expose())
                    .chain_update(&bytes)
                    .finalize()
                    .into_bytes();
                Hashing::Hmac(Box::new(keyed(&key)))
            }
        })
    }

    /// Hashes a value with the key of its row, as [`Element`] lays them out.
    pub fn hash(&self, element: &[u8]) -> [u8; 32] {
        match &self.0 {
            Hashing::Blake3(key) => *blake3::keyed_hash(key, element).as_bytes(),
            Hashing::Hmac(mac) => {
                let mut mac = mac.as_ref().clone();
                mac.update(element);
                mac.finalize().into_bytes().into()
            }
        }
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// The bytes of a value and the key of its row: fields as in canonical records, `0x00` for NULL,
/// or `0x01`, a u32 length and the bytes. The row's part is written once for all its columns.
#[derive(Default)]
pub struct Element {
    bytes: Vec<u8>,
    row: usize,
}

impl Element {
    /// Begins a row.
    pub fn begin(&mut self) {
        self.bytes.clear();
        self.row = 0;
    }

    /// Begins the row that another one is in.
    pub fn begin_as(&mut self, other: &Self) {
        self.begin();
        self.bytes.extend_from_slice(&other.bytes[..other.row]);
        self.row = other.row;
    }

    /// Appends a column of the row's key; `write` says whether there is one, or NULL. All come
    /// before the first value.
    pub fn key(&mut self, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        self.field(write);
        self.row = self.bytes.len();
    }

    /// Puts a value behind the row's key, in place of the one before; `write` says whether there
    /// is one, or NULL.
    pub fn value(&mut self, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        self.bytes.truncate(self.row);
        self.field(write);
    }

    /// The whole: key of the row and value.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn field(&mut self, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[1, 0, 0, 0, 0]);
        if !write(&mut self.bytes) {
            self.bytes.truncate(start);
            self.bytes.push(0);
            return;
        }
        let length = u32::try_from(self.bytes.len() - start - 5).unwrap_or(u32::MAX);
        self.bytes[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
    }
}

/// A sum of hashes modulo 2^256, and how many they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    count: u64,
    /// Least significant first.
    limbs: [u64; 4],
}

impl Sum {
    /// Adds a hash, read as a big-endian number.
    pub fn add(&mut self, hash: &[u8; 32]) {
        let mut other = [0; 4];
        for (limb, bytes) in other.iter_mut().rev().zip(hash.chunks_exact(8)) {
            *limb = u64::from_be_bytes(bytes.try_into().unwrap_or_default());
        }
        self.plus(other);
        self.count += 1;
    }

    /// Adds what another worker summed.
    pub fn merge(&mut self, other: &Self) {
        self.plus(other.limbs);
        self.count += other.count;
    }

    fn words(&self) -> [u64; 5] {
        let [a, b, c, d] = self.limbs;
        [self.count, a, b, c, d]
    }

    fn of_words([count, a, b, c, d]: [u64; 5]) -> Self {
        Self {
            count,
            limbs: [a, b, c, d],
        }
    }

    /// Seals sum and number: SHA-256 of a canonical record.
    pub fn seal(&self) -> [u8; 32] {
        let mut sum = [0; 32];
        for (bytes, limb) in sum.chunks_exact_mut(8).zip(self.limbs.iter().rev()) {
            bytes.copy_from_slice(&limb.to_be_bytes());
        }
        let mut record = Record::new("confiture/sum256/v1");
        record
            .int(Some(i64::try_from(self.count).unwrap_or(i64::MAX)))
            .bytes(Some(&sum));
        Sha256::digest(record.finish()).into()
    }

    fn plus(&mut self, other: [u64; 4]) {
        let mut carry = false;
        for (limb, more) in self.limbs.iter_mut().zip(other) {
            let (sum, over) = limb.overflowing_add(more);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = over || again;
        }
    }
}

/// What was seen of one column: counts, and the commitments to both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows whose value was NULL.
    pub nulls: u64,
    /// Rows whose value was replaced by another one.
    pub changed: u64,
    /// Rows whose value came through as it was.
    pub unchanged: u64,
    /// The values as they were.
    pub original: Sum,
    /// The values as they are stored in the target.
    pub anonymized: Sum,
}

impl Tally {
    /// All rows.
    pub fn rows(&self) -> u64 {
        self.nulls + self.changed + self.unchanged
    }

    /// Adds what another worker saw.
    pub fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.original.merge(&other.original);
        self.anonymized.merge(&other.anonymized);
    }

    /// How many numbers [`Self::words`] are.
    pub const WORDS: usize = 13;

    /// All of it, to be told to another process.
    pub fn words(&self) -> [u64; Self::WORDS] {
        let mut words = [self.nulls, self.changed, self.unchanged].into_iter();
        let sums = [self.original.words(), self.anonymized.words()];
        let mut sums = sums.into_iter().flatten();
        std::array::from_fn(|_| words.next().or_else(|| sums.next()).unwrap_or(0))
    }

    /// What [`Self::words`] said.
    pub fn of_words(words: [u64; Self::WORDS]) -> Self {
        let [nulls, changed, unchanged, sums @ ..] = words;
        let sum = |first: usize| Sum::of_words(std::array::from_fn(|place| sums[first + place]));
        Self {
            nulls,
            changed,
            unchanged,
            original: sum(0),
            anonymized: sum(5),
        }
    }

    /// Counts and adds one value: `original` and `anonymized` are elements of the same row. Returns
    /// their hashes.
    pub fn pair(
        &mut self,
        key: &ColumnKey,
        original: &Element,
        anonymized: &Element,
    ) -> [[u8; 32]; 2] {
        let hash = key.hash(original.bytes());
        self.original.add(&hash);
        let is_same = self.count(original, anonymized);
        let after = if is_same {
            hash
        } else {
            key.hash(anonymized.bytes())
        };
        self.anonymized.add(&after);
        [hash, after]
    }

    /// Counts one value, as [`Tally::pair`] does; whether both are the same.
    pub fn count(&mut self, original: &Element, anonymized: &Element) -> bool {
        let is_same = original.bytes() == anonymized.bytes();
        let is_null = original.bytes().len() == original.row + 1;
        match (is_null, is_same) {
            (true, _) => self.nulls += 1,
            (false, true) => self.unchanged += 1,
            (false, false) => self.changed += 1,
        }
        is_same
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run() -> Secret {
        Secret::copy_of(&[7; 32])
    }

    fn column(name: &str) -> ColumnKey {
        ColumnKey::new(&run(), Commitment::default(), "staging", "users", name)
    }

    fn element(key: &str, value: Option<&str>) -> Element {
        let mut element = Element::default();
        let write = |out: &mut Vec<u8>, text: Option<&str>| {
            text.is_some_and(|text| {
                out.extend_from_slice(text.as_bytes());
                true
            })
        };
        element.begin();
        element.key(|out| write(out, Some(key)));
        element.value(|out| write(out, value));
        element
    }

    #[test]
    fn tallies_are_told_whole() {
        let mut tally = Tally::default();
        for value in [None, Some("a"), Some("b")] {
            tally.pair(
                &column("email"),
                &element("1", value),
                &element("1", Some("a")),
            );
        }
        tally.nulls = 7;
        assert_eq!(Tally::of_words(tally.words()), tally);
        assert_ne!(tally.original.words()[4], 0);
    }

    fn sum(pairs: &[(&str, Option<&str>)]) -> Sum {
        let mut sum = Sum::default();
        for (key, value) in pairs {
            sum.add(&column("email").hash(element(key, *value).bytes()));
        }
        sum
    }

    #[test]
    fn commitment_does_not_depend_on_the_order_or_on_who_summed() {
        let all = [("1", Some("a")), ("2", Some("b")), ("3", None)];
        let mut other = all;
        other.reverse();
        assert_eq!(sum(&all), sum(&other));
        let mut merged = sum(&all[..1]);
        merged.merge(&sum(&all[1..]));
        assert_eq!(merged.seal(), sum(&all).seal());
    }

    #[test]
    fn commitment_sees_every_change() {
        let base = sum(&[("1", Some("a")), ("2", Some("b"))]);
        // Another value, swapped values, NULL for an empty text, a row more, the same row twice.
        for other in [
            sum(&[("1", Some("a")), ("2", Some("c"))]),
            sum(&[("1", Some("b")), ("2", Some("a"))]),
            sum(&[("1", Some("a"))]),
            sum(&[("1", Some("a")), ("2", Some("b")), ("2", Some("b"))]),
        ] {
            assert_ne!(other.seal(), base.seal());
        }
        assert_ne!(sum(&[("1", None)]).seal(), sum(&[("1", Some(""))]).seal());
        // Even numbers of the same value do not cancel out.
        assert_ne!(sum(&[("1", None); 2]).seal(), sum(&[("2", None); 2]).seal());
    }

    #[test]
    fn commitment_is_bound_to_run_schema_table_and_column() {
        let bytes = element("1", Some("a"));
        let hash = column("email").hash(bytes.bytes());
        for other in [
            column("phone"),
            ColumnKey::new(&run(), Commitment::default(), "staging", "orders", "email"),
            ColumnKey::new(&run(), Commitment::default(), "s", "tagingusers", "email"),
            ColumnKey::new(
                &run(),
                Commitment::of("sum256/hmac-sha256").unwrap(),
                "staging",
                "users",
                "email",
            ),
            ColumnKey::new(
                &run(),
                Commitment::of("merkle/blake3").unwrap(),
                "staging",
                "users",
                "email",
            ),
            ColumnKey::new(
                &Secret::copy_of(&[8; 32]),
                Commitment::default(),
                "staging",
                "users",
                "email",
            ),
        ] {
            assert_ne!(other.hash(bytes.bytes()), hash);
        }
    }

    #[test]
    fn commitment_key_and_value_do_not_run_together() {
        assert_ne!(
            element("1", Some("23")).bytes(),
            element("12", Some("3")).bytes()
        );
        assert_ne!(element("", None).bytes(), element("", Some("")).bytes());
    }

    #[test]
    fn commitment_tally_counts_nulls_changed_and_unchanged() {
        let mut tally = Tally::default();
        let key = column("email");
        tally.pair(&key, &element("1", Some("a")), &element("1", Some("x")));
        tally.pair(&key, &element("2", Some("b")), &element("2", Some("b")));
        tally.pair(&key, &element("3", None), &element("3", None));
        tally.pair(&key, &element("4", Some("d")), &element("4", None));
        assert_eq!((tally.nulls, tally.changed, tally.unchanged), (1, 2, 1));
        assert_eq!(tally.rows(), 4);
        assert_ne!(tally.original.seal(), tally.anonymized.seal());
    }

    proptest! {
        #[test]
        fn commitment_adds_like_big_numbers(hashes in prop::collection::vec(any::<[u8; 32]>(), 0..20)) {
            // Schoolbook addition of bytes, from the right.
            let mut expected = [0_u8; 32];
            for hash in &hashes {
                let mut carry = 0_u16;
                for i in (0..32).rev() {
                    let digit = u16::from(expected[i]) + u16::from(hash[i]) + carry;
                    expected[i] = u8::try_from(digit & 255).unwrap();
                    carry = digit >> 8;
                }
            }
            let mut sum = Sum::default();
            hashes.iter().for_each(|hash| sum.add(hash));
            let number: Vec<u8> = sum.limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
            prop_assert_eq!(number, expected.to_vec());
        }
    }
}
