//! FF1 (NIST SP 800-38G): a Feistel network of ten rounds over the two halves of a numeral string.
//!
//! The halves are numbers below 2^96, so that each round costs one block of AES: all of the input
//! of the pseudorandom function but its last block is absorbed beforehand, and the ten rounds run
//! inside one call of the cipher, which sets up its round keys once. The domain has a million
//! values at least, as the second public draft of Revision 1 (February 2025) demands. Knows nothing
//! of what the numerals stand for.

use aes::cipher::consts::U16;
use aes::cipher::{
    Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser,
};

use super::modulus::Modulus;

/// The fewest values that FF1 may permute.
pub(super) const LEAST: u128 = 1_000_000;

/// FF1 with a key. Wiped as its block cipher is.
pub(super) struct Ff1<C>(C);

/// Forth is encryption, back is decryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::strategies) enum Way {
    Forth,
    Back,
}

/// Everything of FF1 that depends on the key, the radix, the length and the tweak, of which the
/// end may be left open.
#[derive(Clone)]
pub(super) struct Shape {
    /// radix^u and radix^v, of the left and the right half.
    left: Modulus,
    right: Modulus,
    /// Bytes of one half.
    b: usize,
    /// Bits of a block that are not used: 128 - 8d.
    unused: u32,
    /// Binary digits of the right half, where the radix is 2.
    v: u32,
    /// The chaining value after every whole block that is known.
    chain: u128,
    /// The beginning of the block after that.
    open: Open,
}

/// A string that has no place in this core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The radix is not between 2 and 65536.
    Radix,
    /// There are fewer than a million strings of that length.
    TooFew,
    /// A half has more than 2^96 values.
    TooMany,
}

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>> Ff1<C> {
    pub(super) fn new(cipher: C) -> Self {
        Self(cipher)
    }

    /// Prepares strings of `length` numerals under a tweak, of which `more` bytes are to come.
    pub(super) fn shape(
        &self,
        radix: u32,
        length: usize,
        tweak: &[u8],
        more: usize,
    ) -> Result<Shape, Refusal> {
        if !(2..=65_536).contains(&radix) {
            return Err(Refusal::Radix);
        }
        let u = length / 2;
        let v = length - u;
        let power = |digits: usize| {
            let digits = u32::try_from(digits).ok()?;
            u128::from(radix)
                .checked_pow(digits)
                .filter(|power| *power <= 1 << 96)
        };
        let (left, right) = power(u).zip(power(v)).ok_or(Refusal::TooMany)?;
        if left.saturating_mul(right) < LEAST || length < 2 {
            return Err(Refusal::TooFew);
        }
        let bits = u128::BITS - (right - 1).leading_zeros();
        let b = bits.div_ceil(8);
        let d = 4 * b.div_ceil(4) + 4;

        let mut p = [1, 2, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        p[3..6].copy_from_slice(&radix.to_be_bytes()[1..]);
        p[7] = u.to_le_bytes()[0];
        // The length is 192 at most, two halves of 2^96 in radix 2.
        p[8..12].copy_from_slice(&low_word(length));
        p[12..].copy_from_slice(&low_word(tweak.len() + more));
        let mut chain = u128::from_be_bytes(p);
        let mut open = Open::default();
        let encrypt = |block: u128| {
            let mut block = Array(block.to_be_bytes());
            self.0.encrypt_block(&mut block);
            u128::from_be_bytes(block.0)
        };
        chain = encrypt(chain);
        for byte in tweak {
            if let Some(block) = open.push(*byte) {
                chain = encrypt(chain ^ block);
            }
        }
        let b = b as usize;
        if more == 0 && open.length + b + 1 > 16 {
            chain = encrypt(chain ^ open.block());
            open = Open::default();
        }
        Ok(Shape {
            left: Modulus::new(left, d),
            right: Modulus::new(right, d),
            b,
            unused: 128 - 8 * d,
            v: u32::try_from(v).unwrap_or(0),
            chain,
            open,
        })
    }

    /// Permutes a string, given as the numbers that its halves are. `more` is the end of the tweak.
    pub(super) fn halves(
        &self,
        way: Way,
        shape: &Shape,
        more: &[u8],
        halves: (u128, u128),
    ) -> (u128, u128) {
        let mut out = halves;
        self.0.encrypt_with_backend(Network {
            shape,
            more,
            way,
            size: None,
            halves: &mut out,
        });
        out
    }

    /// Permutes the numbers below `size`, for a shape of radix 2: by walking along the cycle until
    /// a number is below it again. `number` must be below it itself.
    pub(super) fn number(
        &self,
        way: Way,
        shape: &Shape,
        more: &[u8],
        number: u128,
        size: u128,
    ) -> u128 {
        debug_assert!(number < size);
        let mut halves = shape.split(number);
        self.0.encrypt_with_backend(Network {
            shape,
            more,
            way,
            size: Some(size),
            halves: &mut halves,
        });
        shape.join(halves)
    }
}

/// One run of the network, for the cipher to call with its round keys at hand.
struct Network<'a> {
    shape: &'a Shape,
    more: &'a [u8],
    way: Way,
    size: Option<u128>,
    halves: &'a mut (u128, u128),
}

impl BlockSizeUser for Network<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Network<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let Self { shape, .. } = self;
        let base = shape.absorb(backend, self.more);
        let (mut a, mut b) = *self.halves;
        loop {
            match self.way {
                Way::Forth => {
                    for i in (0..10).step_by(2) {
                        a = shape.left.add(a, shape.round(backend, base, i, b));
                        b = shape.right.add(b, shape.round(backend, base, i + 1, a));
                    }
                }
                Way::Back => {
                    for i in (0..10).step_by(2).rev() {
                        b = shape.right.sub(b, shape.round(backend, base, i + 1, a));
                        a = shape.left.sub(a, shape.round(backend, base, i, b));
                    }
                }
            }
            if self.size.is_none_or(|size| shape.join((a, b)) < size) {
                break;
            }
        }
        *self.halves = (a, b);
    }
}

impl Shape {
    fn split(&self, number: u128) -> (u128, u128) {
        (number >> self.v, number & ((1 << self.v) - 1))
    }

    fn join(&self, (left, right): (u128, u128)) -> u128 {
        left << self.v | right
    }

    /// Absorbs the end of the tweak; what is left is the last block without round and half.
    #[inline(always)]
    fn absorb<B: BlockCipherEncBackend<BlockSize = U16>>(&self, backend: &B, more: &[u8]) -> u128 {
        let (mut chain, mut open) = (self.chain, self.open);
        for byte in more {
            if let Some(block) = open.push(*byte) {
                chain = encrypt(backend, chain ^ block);
            }
        }
        if open.length + self.b + 1 > 16 {
            chain = encrypt(backend, chain ^ open.block());
            open = Open::default();
        }
        chain ^ open.block()
    }

    /// The pseudorandom number of a round: the first d bytes of the last block.
    #[inline(always)]
    fn round<B: BlockCipherEncBackend<BlockSize = U16>>(
        &self,
        backend: &B,
        base: u128,
        round: u8,
        half: u128,
    ) -> u128 {
        encrypt(backend, base ^ u128::from(round) << (8 * self.b) ^ half) >> self.unused
    }
}

#[inline(always)]
fn encrypt<B: BlockCipherEncBackend<BlockSize = U16>>(backend: &B, block: u128) -> u128 {
    let mut block = Array(block.to_be_bytes());
    backend.encrypt_block((&mut block).into());
    u128::from_be_bytes(block.0)
}

/// A block that is being filled.
#[derive(Clone, Copy, Default)]
struct Open {
    bytes: [u8; 16],
    length: usize,
}

impl Open {
    /// Adds a byte; a block that is full is handed over.
    #[inline(always)]
    fn push(&mut self, byte: u8) -> Option<u128> {
        self.bytes[self.length] = byte;
        self.length += 1;
        if self.length < 16 {
            return None;
        }
        let block = self.block();
        *self = Self::default();
        Some(block)
    }

    fn block(&self) -> u128 {
        u128::from_be_bytes(self.bytes)
    }
}

fn low_word(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use aes::cipher::KeyInit;
    use aes::{Aes128, Aes192, Aes256};
    use fpe::ff1::{FF1, FlexibleNumeralString};

    use super::super::numeral::{number, write};
    use super::*;

    fn encrypted<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>>(
        cipher: C,
        way: Way,
        (radix, tweak): (u32, &[u8]),
        text: &[u16],
    ) -> Result<Vec<u16>, Refusal> {
        let ff1 = Ff1::new(cipher);
        let mut whole = None;
        // However much of the tweak comes late.
        for more in [0, tweak.len() / 2, tweak.len()] {
            let (before, late) = tweak.split_at(tweak.len() - more);
            let shape = ff1.shape(radix, text.len(), before, more)?;
            let (u, v) = text.split_at(text.len() / 2);
            let halves = ff1.halves(way, &shape, late, (number(u, radix), number(v, radix)));
            let mut out = text.to_vec();
            let (left, right) = out.split_at_mut(u.len());
            write(halves.0, radix, left);
            write(halves.1, radix, right);
            assert!(whole.is_none_or(|whole| whole == out));
            whole = Some(out);
        }
        Ok(whole.unwrap())
    }

    fn by_key_size(
        key: &[u8],
        way: Way,
        how: (u32, &[u8]),
        text: &[u16],
    ) -> Result<Vec<u16>, Refusal> {
        match key.len() {
            16 => encrypted(Aes128::new_from_slice(key).unwrap(), way, how, text),
            24 => encrypted(Aes192::new_from_slice(key).unwrap(), way, how, text),
            _ => encrypted(Aes256::new_from_slice(key).unwrap(), way, how, text),
        }
    }

    fn by_crate(key: &[u8], way: Way, (radix, tweak): (u32, &[u8]), text: &[u16]) -> Vec<u16> {
        let ff1 = FF1::<Aes256>::new(key, radix).unwrap();
        let text = FlexibleNumeralString::from(text.to_vec());
        let out = match way {
            Way::Forth => ff1.encrypt(tweak, &text),
            Way::Back => ff1.decrypt(tweak, &text),
        };
        out.unwrap().into()
    }

    /// <https://csrc.nist.gov/CSRC/media/Projects/Cryptographic-Standards-and-Guidelines/documents/examples/FF1samples.pdf>
    #[test]
    fn ff1_matches_the_samples_of_nist() {
        let key = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94";
        let key = hex::decode(key).unwrap();
        let (ten, eleven) = (b"9876543210", b"7777pqrs777");
        let short = "0123456789abcdefghi";
        let samples: [(usize, u32, &[u8], &str, &str); 9] = [
            (16, 10, b"", "0123456789", "2433477484"),
            (16, 10, ten, "0123456789", "6124200773"),
            (16, 36, eleven, short, "a9tv40mll9kdu509eum"),
            (24, 10, b"", "0123456789", "2830668132"),
            (24, 10, ten, "0123456789", "2496655549"),
            (24, 36, eleven, short, "xbj3kv35jrawxv32ysr"),
            (32, 10, b"", "0123456789", "6657667009"),
            (32, 10, ten, "0123456789", "1001623463"),
            (32, 36, eleven, short, "xs8a0azh2avyalyzuwd"),
        ];
        let numerals = |text: &str| -> Vec<u16> {
            let digit = |c: char| u16::try_from(c.to_digit(36).unwrap()).unwrap();
            text.chars().map(digit).collect()
        };
        for (size, radix, tweak, plain, secret) in samples {
            let (key, how) = (&key[..size], (radix, tweak));
            let (plain, secret) = (numerals(plain), numerals(secret));
            assert_eq!(by_key_size(key, Way::Forth, how, &plain).unwrap(), secret);
            assert_eq!(by_key_size(key, Way::Back, how, &secret).unwrap(), plain);
        }
    }

    #[test]
    fn ff1_matches_wycheproof() {
        let vectors = include_str!("../../../tests/vectors/wycheproof_ff1.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let mut seen = [0; 3];
        for group in vectors["testGroups"].as_array().unwrap() {
            let radix = u32::try_from(group["radix"].as_u64().unwrap()).unwrap();
            for test in group["tests"].as_array().unwrap() {
                let bytes = |name: &str| hex::decode(test[name].as_str().unwrap()).unwrap();
                let numerals = |name: &str| -> Vec<u16> {
                    let list = test[name].as_array().unwrap().iter();
                    list.map(|n| n.as_u64().unwrap().try_into().unwrap())
                        .collect()
                };
                let (key, tweak) = (bytes("key"), bytes("tweak"));
                let (plain, secret) = (numerals("msg"), numerals("ct"));
                let how = (radix, &*tweak);
                match by_key_size(&key, Way::Forth, how, &plain) {
                    Ok(out) => {
                        assert_eq!(
                            (out, "valid"),
                            (secret.clone(), test["result"].as_str().unwrap())
                        );
                        assert_eq!(by_key_size(&key, Way::Back, how, &secret).unwrap(), plain);
                        seen[0] += 1;
                    }
                    Err(Refusal::TooFew) => {
                        let size = f64::from(radix).powi(plain.len().try_into().unwrap());
                        assert!(size < 1e6, "{test}");
                        seen[1] += 1;
                    }
                    Err(refusal) => {
                        assert_eq!(refusal, Refusal::TooMany);
                        assert_eq!(by_crate(&key, Way::Forth, how, &plain), secret);
                        assert_eq!(by_crate(&key, Way::Back, how, &secret), plain);
                        seen[2] += 1;
                    }
                }
            }
        }
        assert_eq!(seen, [566, 94, 30]);
    }

    /// Numbers that only look random, so that a failure comes back.
    fn draw(state: &mut u64) -> u64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        *state >> 33
    }

    /// 20 000 strings, or as many as `CONFITURE_FPE_ROUNDS` says while this is compiled.
    #[test]
    fn ff1_agrees_with_another_implementation_and_comes_back() {
        let rounds = option_env!("CONFITURE_FPE_ROUNDS");
        let rounds: u64 = rounds.map_or(20_000, |rounds| rounds.parse().unwrap());
        let radices = [
            2, 3, 10, 16, 26, 36, 52, 62, 100, 255, 256, 1000, 4096, 65_535, 65_536,
        ];
        let (key, mut state, mut compared) = ([0x42; 32], 1, 0);
        while compared < rounds {
            let radix = radices[usize::try_from(draw(&mut state)).unwrap() % radices.len()];
            let digits = |power: f64| (power / f64::from(radix).log2()).ceil();
            let (least, most) = (digits(19.9), digits(192.0));
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let (least, most) = (least as u64, most as u64);
            let length = least + draw(&mut state) % (most + 1 - least);
            let text: Vec<u16> = (0..length)
                .map(|_| u16::try_from(draw(&mut state) % u64::from(radix)).unwrap())
                .collect();
            let tweak: Vec<u8> = (0..draw(&mut state) % 40)
                .map(|_| draw(&mut state).to_le_bytes()[0])
                .collect();
            let how = (radix, &*tweak);
            match by_key_size(&key, Way::Forth, how, &text) {
                Ok(out) => {
                    assert_eq!(out, by_crate(&key, Way::Forth, how, &text));
                    assert_eq!(by_key_size(&key, Way::Back, how, &out).unwrap(), text);
                    compared += 1;
                }
                Err(refusal) => assert_ne!(refusal, Refusal::Radix),
            }
        }
    }

    #[test]
    fn ff1_refuses_what_it_must() {
        let ff1 = Ff1::new(Aes256::new(&[1; 32].into()));
        let shape = |radix, length| ff1.shape(radix, length, b"", 0).map(|_| ());
        for radix in [0, 1, 65_537, u32::MAX] {
            assert_eq!(shape(radix, 20), Err(Refusal::Radix));
        }
        for (radix, least) in [
            (2, 20),
            (10, 6),
            (26, 5),
            (62, 4),
            (999, 3),
            (1000, 2),
            (65_536, 2),
        ] {
            assert_eq!(shape(radix, least), Ok(()));
            assert_eq!(shape(radix, least - 1), Err(Refusal::TooFew), "{radix}");
        }
        for (radix, most) in [(2, 192), (10, 56), (62, 32), (256, 24), (65_536, 12)] {
            assert_eq!(shape(radix, most), Ok(()));
            assert_eq!(shape(radix, most + 1), Err(Refusal::TooMany), "{radix}");
        }
        assert_eq!(shape(10, usize::MAX), Err(Refusal::TooMany));
        assert_eq!(shape(10, 0), Err(Refusal::TooFew));
    }

    #[test]
    fn ff1_numbers_are_a_bijection_of_a_whole_domain() {
        let ff1 = Ff1::new(Aes256::new(&[7; 32].into()));
        let size = 1_000_003;
        let shape = ff1.shape(2, 20, b"tweak", 0).unwrap();
        let mut seen = vec![false; 1_000_003];
        for number in 0..size {
            let out = ff1.number(Way::Forth, &shape, b"", number, size);
            assert!(!std::mem::replace(
                &mut seen[usize::try_from(out).unwrap()],
                true
            ));
            if number % 97 == 0 {
                assert_eq!(ff1.number(Way::Back, &shape, b"", out, size), number);
            }
        }
    }
}
