//! The keyed state behind every pseudonym: HMAC (RFC 2104) or keyed BLAKE3 over fields.
//!
//! Each strategy has a key of its own under each seed: the HMAC-SHA256 under the masking subkey of
//! `"confiture/mask/v1"`, the strategy's name, its version (u16), the seed (i64) and for `hash` the
//! algorithm's name, each as a big-endian u32 length and its bytes. The encoding is injective: seed 1
//! before "23" is not seed 12 before "3". Under that key a value is one such field, so that a short
//! one costs as few blocks of the hash as can be. The column is left out, so that equal values stay
//! equal across tables and joins hold.
//! Block n > 0 of a longer output has one more field, the counter n (u32).

use blake3::Hasher;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::pause::{is_one_piece, pieces};
use super::{Kind, Seed};
use crate::keys::{field_length, push_field};

/// The function that turns fields into a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Blake3,
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Blake3 => "blake3",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of the digest in hexadecimal digits.
    pub(super) fn hex_digits(self) -> u16 {
        match self {
            Self::Blake3 | Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// A state that has absorbed everything but the value. Has no `Debug`: it is as good as the key.
pub(super) struct Keyed(State);

// One exists per mask and lives in place; boxing would cost an indirection per value.
#[allow(clippy::large_enum_variant)]
#[derive(Clone)]
enum State {
    Blake3(Box<Hasher>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl Keyed {
    /// Makes the state of a strategy that offers no choice of algorithm.
    pub(super) fn new(kind: Kind, key: &[u8; 32], seed: Seed) -> Self {
        Self::labeled(kind.name(), kind.version(), key, seed)
    }

    /// Makes the state of something that several strategies draw together, such as a person: a
    /// label and a version of its own in place of the strategy's.
    pub(super) fn labeled(label: &str, version: u16, key: &[u8; 32], seed: Seed) -> Self {
        let own = subkey(key, &head(label, version, seed));
        Self(State::Sha256(hmac_sha256(&own)))
    }

    /// Makes the state of a strategy whose algorithm is a parameter.
    pub(super) fn with_algorithm(
        kind: Kind,
        algorithm: Algorithm,
        key: &[u8; 32],
        seed: Seed,
    ) -> Self {
        let mut head = head(kind.name(), kind.version(), seed);
        push_field(&mut head, algorithm.name().as_bytes());
        let own = subkey(key, &head);
        Self(match algorithm {
            Algorithm::Blake3 => State::Blake3(Box::new(Hasher::new_keyed(&own))),
            Algorithm::Sha256 => State::Sha256(hmac_sha256(&own)),
            Algorithm::Sha512 => State::Sha512(hmac_sha512(&own)),
        })
    }

    /// Returns the digest of a value.
    pub(super) fn digest(&self, value: &[u8]) -> Digest {
        self.block(value, 0)
    }

    /// Returns as many bytes as are asked for, beginning with the digest of the value.
    pub(super) fn stream<'a>(&'a self, value: &'a [u8]) -> Stream<'a> {
        Stream {
            keyed: self,
            value,
            fed: None,
            block: self.block(value, 0),
            next: 0,
            counter: 0,
        }
    }

    fn block(&self, value: &[u8], counter: u32) -> Digest {
        match &self.0 {
            State::Blake3(state) => block(&**state, value, counter),
            State::Sha256(state) => block(state, value, counter),
            State::Sha512(state) => block(state, value, counter),
        }
    }
}

/// The block of a value. Copies the state of the one algorithm once, and moves nothing else: that
/// costs as much as the hash itself.
#[inline]
fn block<A: Absorb + Clone>(state: &A, value: &[u8], counter: u32) -> Digest {
    let mut state = state.clone();
    feed(&mut state, value);
    finish(state, counter)
}

/// Takes in a value of any length.
#[inline]
fn feed(state: &mut impl Absorb, value: &[u8]) {
    state.absorb(&field_length(value));
    if is_one_piece(value) {
        state.absorb(value);
    } else {
        pieces(value).for_each(|piece| state.absorb(piece));
    }
}

/// The block of that number, of what was taken in.
#[inline]
fn finish<A: Absorb>(mut state: A, counter: u32) -> Digest {
    if counter > 0 {
        state.absorb(&field_length(&counter.to_be_bytes()));
        state.absorb(&counter.to_be_bytes());
    }
    state.digest()
}

/// What turns bytes into a digest.
trait Absorb {
    fn absorb(&mut self, bytes: &[u8]);
    fn digest(self) -> Digest;
}

impl Absorb for Hasher {
    fn absorb(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }

    fn digest(self) -> Digest {
        Digest::new(self.finalize().as_bytes())
    }
}

impl<D: EagerHash> Absorb for Hmac<D>
where
    Self: Mac,
{
    #[inline]
    fn absorb(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }

    #[inline]
    fn digest(self) -> Digest {
        Digest::new(&self.finalize().into_bytes())
    }
}

impl State {
    /// The state that has taken in a value.
    fn fed(&self, value: &[u8]) -> Self {
        let mut fed = self.clone();
        match &mut fed {
            Self::Blake3(state) => feed(&mut **state, value),
            Self::Sha256(state) => feed(state, value),
            Self::Sha512(state) => feed(state, value),
        }
        fed
    }

    /// The block of that number.
    fn finish(&self, counter: u32) -> Digest {
        match self {
            Self::Blake3(state) => finish((**state).clone(), counter),
            Self::Sha256(state) => finish(state.clone(), counter),
            Self::Sha512(state) => finish(state.clone(), counter),
        }
    }
}

/// A digest of 32 or 64 bytes.
pub(super) struct Digest {
    bytes: [u8; 64],
    length: usize,
}

impl Digest {
    pub(super) fn new(digest: &[u8]) -> Self {
        let mut bytes = [0; 64];
        bytes[..digest.len()].copy_from_slice(digest);
        Self {
            bytes,
            length: digest.len(),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The first `N` bytes, at most 32.
    pub(super) fn first<const N: usize>(&self) -> [u8; N] {
        const { assert!(N <= 32) };
        std::array::from_fn(|i| self.bytes[i])
    }

    /// Appends the first `digits` hexadecimal digits.
    pub(super) fn push_hex(&self, digits: u16, out: &mut String) {
        let digits = usize::from(digits).min(2 * self.length);
        let mut text = [0; 128];
        let (pairs, _) = text[..digits.next_multiple_of(2)].as_chunks_mut();
        for (pair, byte) in pairs.iter_mut().zip(&self.bytes) {
            *pair = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
        }
        out.push_str(str::from_utf8(&text[..digits]).unwrap_or_default());
    }
}

/// An endless sequence of bytes derived from one value.
pub(super) struct Stream<'a> {
    keyed: &'a Keyed,
    value: &'a [u8],
    /// The state that has taken in the value, once more than its first block is asked for: a long
    /// value is not read again for every block.
    fed: Option<State>,
    block: Digest,
    next: usize,
    counter: u32,
}

impl Stream<'_> {
    /// Draws a number below `bound` (1 to 256), each equally likely: bytes that would favor some
    /// are passed over.
    pub(super) fn below(&mut self, bound: u16) -> u8 {
        let fair = 256 - 256 % bound;
        loop {
            let byte = u16::from(self.byte());
            if byte < fair {
                return (byte % bound).to_be_bytes()[1];
            }
        }
    }

    /// Draws a number below `bound` (at least 1), each equally likely (Lemire 2019, by rejection).
    pub(super) fn below_u64(&mut self, bound: u64) -> u64 {
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.word()) * u128::from(bound);
            let bytes = product.to_be_bytes();
            let (high, low) = bytes.split_at(8);
            if u64::from_be_bytes(low.try_into().unwrap_or_default()) >= threshold {
                return u64::from_be_bytes(high.try_into().unwrap_or_default());
            }
        }
    }

    /// Draws 64 bits.
    pub(super) fn word(&mut self) -> u64 {
        u64::from_be_bytes(std::array::from_fn(|_| self.byte()))
    }

    fn byte(&mut self) -> u8 {
        if self.next == self.block.length {
            self.counter = self.counter.wrapping_add(1);
            let fed = self.fed.get_or_insert_with(|| self.keyed.0.fed(self.value));
            self.block = fed.finish(self.counter);
            self.next = 0;
        }
        self.next += 1;
        self.block.bytes[self.next - 1]
    }
}

fn head(label: &str, version: u16, seed: Seed) -> Zeroizing<Vec<u8>> {
    // Room for every field: a vector that grows would leave the seed behind in freed memory.
    let mut head = Zeroizing::new(Vec::with_capacity(128));
    push_field(&mut head, DOMAIN);
    push_field(&mut head, label.as_bytes());
    push_field(&mut head, &version.to_be_bytes());
    push_field(&mut head, &seed.number().to_be_bytes());
    head
}

fn subkey(key: &[u8; 32], head: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(
        hmac_sha256(key)
            .chain_update(head)
            .finalize()
            .into_bytes()
            .into(),
    )
}

fn hmac_sha256(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key);
    Hmac::new((&*block).into())
}

fn hmac_sha512(key: &[u8; 32]) -> Hmac<Sha512> {
    let mut block = Zeroizing::new([0; 128]);
    block[..32].copy_from_slice(key);
    Hmac::new((&*block).into())
}

const DOMAIN: &[u8] = b"confiture/mask/v1";
const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    /// HMAC pads short keys with zeros, so a short key of a standard fits into 32 bytes.
    fn padded(key: &[u8]) -> [u8; 32] {
        let mut padded = [0; 32];
        padded[..key.len()].copy_from_slice(key);
        padded
    }

    #[test]
    fn hmac_matches_rfc_4231() {
        let cases: [(&[u8], &[u8], &str, &str); 3] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde\
                 daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                 9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
            (
                &[0xaa; 20],
                &[0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
                "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39\
                 bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
            ),
        ];
        for (key, data, sha256, sha512) in cases {
            let mac = hmac_sha256(&padded(key))
                .chain_update(data)
                .finalize()
                .into_bytes();
            assert_eq!(hex::encode(mac), sha256);
            let mac = hmac_sha512(&padded(key))
                .chain_update(data)
                .finalize()
                .into_bytes();
            assert_eq!(hex::encode(mac), sha512);
        }
    }

    #[test]
    fn blake3_matches_its_official_vectors() {
        let key = b"whats the Elvish word for friend";
        let cases: [(&[u8], &str); 2] = [
            (
                &[],
                "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26",
            ),
            (
                &[0],
                "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b",
            ),
        ];
        for (data, expected) in cases {
            let digest = Hasher::new_keyed(key).update(data).finalize();
            assert_eq!(digest.to_hex().as_str(), expected);
        }
    }

    /// `Hmac` itself carries no marker; it consists of two such hash states and has nothing to
    /// drop unless the feature `zeroize` of both crates is on.
    #[test]
    fn states_are_zeroized_on_drop() {
        fn zeroizes<T: zeroize::ZeroizeOnDrop>() {}
        zeroizes::<Sha256>();
        zeroizes::<Sha512>();
        assert!(std::mem::needs_drop::<Hmac<Sha256>>());
        assert!(std::mem::needs_drop::<Hmac<Sha512>>());
    }

    #[test]
    fn head_is_length_prefixed() {
        let head = head("hash", 1, Seed::new(1));
        let expected = b"\0\0\0\x11confiture/mask/v1\0\0\0\x04hash\0\0\0\x02\0\x01\
            \0\0\0\x08\0\0\0\0\0\0\0\x01";
        assert_eq!(head.as_slice(), expected);
    }

    #[test]
    fn stream_begins_with_the_digest_and_never_repeats_a_block() {
        for algorithm in [Algorithm::Blake3, Algorithm::Sha256, Algorithm::Sha512] {
            let keyed = Keyed::with_algorithm(Kind::Hash, algorithm, &[7; 32], Seed::new(1));
            let mut stream = keyed.stream(b"value");
            let bytes: Vec<u8> = (0..192).map(|_| stream.byte()).collect();
            let digest = keyed.digest(b"value");
            let blocks: Vec<&[u8]> = bytes.chunks(digest.as_bytes().len()).collect();
            assert_eq!(blocks[0], digest.as_bytes());
            assert_ne!(blocks[0], blocks[1]);
            assert_ne!(blocks[1], blocks[2]);
        }
    }

    #[test]
    fn below_u64_stays_below_and_reaches_everything() {
        let keyed = Keyed::labeled("test", 1, &[7; 32], Seed::new(1));
        let mut stream = keyed.stream(b"");
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[usize::try_from(stream.below_u64(7)).unwrap()] += 1;
        }
        assert!(
            counts.iter().all(|&n| n.abs_diff(10_000) < 500),
            "{counts:?}"
        );
        assert_eq!(stream.below_u64(1), 0);
        assert!(stream.below_u64(u64::MAX) < u64::MAX);
    }

    #[test]
    fn below_is_fair() {
        let keyed = Keyed::new(Kind::Phone, &[7; 32], Seed::new(1));
        let mut stream = keyed.stream(b"");
        let mut counts = [0u32; 10];
        for _ in 0..100_000 {
            counts[usize::from(stream.below(10))] += 1;
        }
        assert!(
            counts.iter().all(|&n| n.abs_diff(10_000) < 500),
            "{counts:?}"
        );
    }
}
