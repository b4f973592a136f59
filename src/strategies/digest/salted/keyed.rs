//! The digests of `salted_hash` that only the holder of masking key and salt can compute.
//!
//! Key: HMAC-SHA256, under the key that the strategy has for its seed (`strategies/keyed.rs`), of
//! one field that consists of two itself: the salt, 32 bytes, and the name of the algorithm. The
//! digest is then
//! * HMAC (RFC 2104, FIPS 198-1) of the value with SHA-256, SHA-384, SHA-512 (FIPS 180-4) or
//!   SHA3-256 (FIPS 202),
//! * keyed BLAKE3 of the value, or
//! * Argon2id (RFC 9106, version 0x13, 32 bytes) with the HMAC-SHA256 of the value as password and
//!   the salt as salt, so that every guess is slow even for those who have got hold of the key.

use std::cell::RefCell;

use argon2::{Argon2, Block, Params, Version};
use hmac::digest::{Digest as _, Key};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use sha3::Sha3_256;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Kind, Result};
use crate::keys::push_field;
use crate::strategies::keyed::{Digest, Keyed};
use crate::strategies::{self, Seed};

/// The function that turns a value into a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Argon2id(Cost),
    Blake3,
    Sha256,
    Sha384,
    Sha3,
    Sha512,
}

/// What one value of Argon2id costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) memory_kib: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
}

impl Cost {
    /// What OWASP recommends for passwords (Password Storage Cheat Sheet).
    pub(super) const USUAL: Self = Self {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };
}

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Argon2id(_) => "argon2id",
            Self::Blake3 => "blake3",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha3 => "sha3-256",
            Self::Sha512 => "sha512",
        }
    }

    pub(super) fn hex_digits(self) -> u16 {
        match self {
            Self::Argon2id(_) | Self::Blake3 | Self::Sha256 | Self::Sha3 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

/// A digest that waits for the value. Has no `Debug`: it is as good as the key.
pub(super) enum State {
    Argon2id(Box<Slow>),
    Blake3(Zeroizing<[u8; 32]>),
    Sha256(Hmac<Sha256>),
    Sha384(Box<Hmac<Sha384>>),
    Sha3(Box<HmacSha3>),
    Sha512(Box<Hmac<Sha512>>),
}

impl State {
    pub(super) fn new(
        algorithm: Algorithm,
        masking: &[u8; 32],
        seed: Seed,
        salt: &[u8; 32],
    ) -> Self {
        let mut fields = Zeroizing::new(Vec::with_capacity(64));
        push_field(&mut fields, salt);
        push_field(&mut fields, algorithm.name().as_bytes());
        let keyed = Keyed::new(strategies::Kind::SaltedHash, masking, seed);
        let key = Zeroizing::new(keyed.digest(&fields).first());
        match algorithm {
            Algorithm::Argon2id(cost) => Self::Argon2id(Box::new(Slow::new(cost, &key, salt))),
            Algorithm::Blake3 => Self::Blake3(key),
            Algorithm::Sha256 => Self::Sha256(hmac(&key)),
            Algorithm::Sha384 => Self::Sha384(Box::new(hmac(&key))),
            Algorithm::Sha3 => Self::Sha3(Box::new(HmacSha3::new(&key))),
            Algorithm::Sha512 => Self::Sha512(Box::new(hmac(&key))),
        }
    }

    pub(super) fn digest(&self, value: &[u8]) -> Result<Digest> {
        Ok(match self {
            Self::Argon2id(slow) => return slow.digest(value),
            Self::Blake3(key) => Digest::new(blake3::keyed_hash(key, value).as_bytes()),
            Self::Sha256(mac) => finish(mac, value),
            Self::Sha384(mac) => finish(mac, value),
            Self::Sha3(mac) => Digest::new(&mac.digest(value)),
            Self::Sha512(mac) => finish(mac, value),
        })
    }
}

fn hmac<H: EagerHash>(key: &[u8; 32]) -> Hmac<H> {
    let mut block = Key::<Hmac<H>>::default();
    block[..32].copy_from_slice(key);
    let mac = Hmac::new(&block);
    block.as_mut_slice().zeroize();
    mac
}

fn finish<H: EagerHash>(mac: &Hmac<H>, value: &[u8]) -> Digest {
    Digest::new(&mac.clone().chain_update(value).finalize().into_bytes())
}

/// HMAC-SHA3-256, whose crate offers no HMAC that wipes its key.
pub(super) struct HmacSha3 {
    inner: Sha3_256,
    outer: Sha3_256,
}

impl HmacSha3 {
    fn new(key: &[u8; 32]) -> Self {
        let padded = |pad: u8| {
            let mut block = Zeroizing::new([pad; SHA3_256_BLOCK]);
            for (byte, key) in block.iter_mut().zip(key) {
                *byte ^= key;
            }
            Sha3_256::new().chain_update(block.as_slice())
        };
        Self {
            inner: padded(0x36),
            outer: padded(0x5c),
        }
    }

    fn digest(&self, value: &[u8]) -> [u8; 32] {
        let inner = self.inner.clone().chain_update(value).finalize();
        self.outer.clone().chain_update(inner).finalize().into()
    }
}

/// Argon2id, with memory that is taken for the first value and kept for those that follow.
pub(super) struct Slow {
    cost: Cost,
    mac: Hmac<Sha256>,
    salt: Zeroizing<[u8; 32]>,
    memory: RefCell<Vec<Block>>,
}

impl Slow {
    fn new(cost: Cost, key: &[u8; 32], salt: &[u8; 32]) -> Self {
        Self {
            cost,
            mac: hmac(key),
            salt: Zeroizing::new(*salt),
            memory: RefCell::default(),
        }
    }

    fn digest(&self, value: &[u8]) -> Result<Digest> {
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = self.cost;
        let failed = |_| Error::new(Kind::Internal, "argon2id could not be computed");
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(failed)?;
        let mut memory = self.memory.borrow_mut();
        let missing = params.block_count().saturating_sub(memory.len());
        memory.try_reserve_exact(missing).map_err(|_| {
            let message =
                format!("could not allocate {memory_kib} KiB for strategy \"salted_hash\"");
            Error::new(Kind::ProgramLimit, message).with_hint("Lower the parameter \"memory_kib\".")
        })?;
        memory.resize(params.block_count(), Block::new());
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params);
        let password = finish(&self.mac, value);
        let mut out = [0; 32];
        argon2
            .hash_password_into_with_memory(
                password.as_bytes(),
                &*self.salt,
                &mut out,
                memory.as_mut_slice(),
            )
            .map_err(failed)?;
        Ok(Digest::new(&out))
    }
}

const SHA3_256_BLOCK: usize = 136;

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> [u8; 32] {
        std::array::from_fn(|i| u8::try_from(i).unwrap())
    }

    /// NIST, examples of FIPS 198-1 with SHA3-256: a key shorter than the block.
    #[test]
    fn salted_hash_hmac_sha3_matches_nist() {
        let mac = HmacSha3::new(&key()).digest(b"Sample message for keylen<blocklen");
        assert_eq!(
            hex::encode(mac),
            "4fe8e202c4f058e8dddc23d8c34e467343e23555e24fc2f025d598f558f67205"
        );
    }

    /// RFC 4231, test case 1; HMAC pads a short key with zeros.
    #[test]
    fn salted_hash_hmac_sha384_matches_rfc_4231() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        assert_eq!(
            hex::encode(finish(&hmac::<Sha384>(&key), b"Hi There").as_bytes()),
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c\
             faea9ea9076ede7f4af152e8b2fa9cb6"
        );
    }

    #[test]
    fn salted_hash_states_are_wiped_on_drop() {
        fn wipes<T: zeroize::ZeroizeOnDrop>() {}
        wipes::<Sha384>();
        wipes::<Sha3_256>();
        assert!(std::mem::needs_drop::<Hmac<Sha384>>());
    }

    #[test]
    fn salted_hash_key_depends_on_every_part() {
        let digest = |algorithm, masking: u8, seed, salt: u8| {
            let state = State::new(algorithm, &[masking; 32], Seed::new(seed), &[salt; 32]);
            hex::encode(state.digest(b"ada").unwrap().as_bytes())
        };
        let first = digest(Algorithm::Sha256, 1, 1, 1);
        assert_ne!(digest(Algorithm::Sha256, 2, 1, 1), first);
        assert_ne!(digest(Algorithm::Sha256, 1, 2, 1), first);
        assert_ne!(digest(Algorithm::Sha256, 1, 1, 2), first);
        assert_ne!(digest(Algorithm::Blake3, 1, 1, 1), first);
    }
}
