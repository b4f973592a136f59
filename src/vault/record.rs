//! A token at rest: how its value is found without being readable, how the token is drawn, and how
//! the value is sealed.
//!
//! A domain has a secret of its own, which never changes; keys are wrapped anew around it. Whom a
//! token belongs to, its subject, has a secret of its own too: everything about tokens of a subject
//! is derived from both, so that without the subject's nobody can open, find or even confirm one.
//!
//! Index, draw and reference: HMAC-SHA256 (RFC 2104) under keys derived by HKDF (RFC 5869). Values
//! are sealed with AES-256-GCM-SIV (RFC 8452) under a key that needs the data key, the domain's
//! secret, the subject's, and in domains that say so the token itself.

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::keys::{KEY_LEN, Secret, Use, push_field, random_bytes, subkey};

/// What a value or a token is found by: 128 bits of a keyed hash.
pub type Handle = [u8; 16];

/// The keys of a domain, or of one subject in it.
pub struct Keys {
    index: Mac256,
    draw: Mac256,
    /// What seals their values.
    pub seals: Seals,
}

/// What values of a domain, or of one subject in it, are sealed under.
pub struct Seals(Secret);

/// What finds tokens of a domain, whomever they belong to.
pub struct Finder(Mac256);

type Mac256 = Hmac<Sha256>;

impl Keys {
    /// Those of a domain by its secret, for tokens that belong to nobody; or those of one subject
    /// in it, by what [`base_of_subject`] makes.
    pub fn new(base: &Secret) -> Self {
        Self {
            index: keyed(&subkey(base, Use::TokenIndex)),
            draw: keyed(&subkey(base, Use::TokenDraw)),
            seals: Seals::new(base),
        }
    }

    /// What a value is found by. Equal values of a subject share it, and nobody else's.
    pub fn index(&self, value: &str) -> Handle {
        handle(&self.index, value.as_bytes())
    }

    /// The 32 bytes that a token is drawn with.
    pub fn draw(&self, value: &str, salt: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut fields = Zeroizing::new(Vec::with_capacity(value.len() + salt.len() + 8));
        push_field(&mut fields, salt);
        push_field(&mut fields, value.as_bytes());
        let mut mac = self.draw.clone();
        mac.update(&fields);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

impl Seals {
    /// Those of a domain by its secret, for tokens that belong to nobody; or those of one subject
    /// in it, by what [`base_of_subject`] makes.
    pub fn new(base: &Secret) -> Self {
        Self(subkey(base, Use::TokenPayload))
    }

    /// The key that seals values: of the data key and of this domain or subject.
    pub fn by(&self, data_key: &Secret) -> PayloadKey {
        let mut mac = keyed(&subkey(data_key, Use::TokenPayload));
        mac.update(self.0.expose());
        PayloadKey(finished(mac))
    }

    /// The key that seals a value once more, below the other, in domains where whoever opens it must
    /// know the token. It is of no data key, so that values can be sealed anew without their tokens.
    pub fn bound(&self, token: &str) -> PayloadKey {
        let mut mac = keyed(&self.0);
        mac.update(token.as_bytes());
        PayloadKey(finished(mac))
    }
}

impl Finder {
    /// Of a domain.
    pub fn new(domain: &Secret) -> Self {
        Self(keyed(&subkey(domain, Use::TokenReference)))
    }

    /// What a token is found by, and what records name it by.
    pub fn reference(&self, token: &str) -> Handle {
        handle(&self.0, token.as_bytes())
    }

    /// What a subject is found by.
    pub fn subject(&self, subject: &str) -> Handle {
        let mut fields = Zeroizing::new(Vec::with_capacity(subject.len() + 16));
        push_field(&mut fields, b"subject");
        push_field(&mut fields, subject.as_bytes());
        handle(&self.0, &fields)
    }
}

/// What a sealed value is bound to: it opens in no other row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The domain.
    pub domain: &'a str,
    /// The data key and its version.
    pub key: (&'a str, i32),
    /// What the token is found by.
    pub reference: &'a Handle,
    /// The subject's id, where there is one.
    pub subject: Option<&'a [u8; 16]>,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        push_field(&mut out, b"confiture/token/v1");
        push_field(&mut out, self.domain.as_bytes());
        push_field(&mut out, self.key.0.as_bytes());
        push_field(&mut out, &self.key.1.to_be_bytes());
        push_field(&mut out, self.reference);
        push_field(&mut out, self.subject.map_or(&[][..], |id| id));
        out
    }
}

/// What makes two seals of one value differ.
pub type Nonce12 = [u8; NONCE_LEN];

/// Nonces, many of which are drawn at once: to ask the system for each takes half as long as sealing.
pub struct Nonces {
    drawn: [u8; 256 * NONCE_LEN],
    used: usize,
}

impl Default for Nonces {
    /// None is drawn yet.
    fn default() -> Self {
        Self {
            drawn: [0; 256 * NONCE_LEN],
            used: 256 * NONCE_LEN,
        }
    }
}

impl Nonces {
    /// One that was not given before.
    ///
    /// # Errors
    /// XX000 when the system has no randomness to give.
    pub fn draw(&mut self) -> Result<Nonce12> {
        if self.used == self.drawn.len() {
            (self.drawn, self.used) = (random_bytes()?, 0);
        }
        let from = self.used;
        self.used += NONCE_LEN;
        Ok(std::array::from_fn(|i| self.drawn[from + i]))
    }
}

/// Seals and opens values.
pub struct PayloadKey(Secret);

const FORMAT: u8 = 1;
const NONCE_LEN: usize = 12;

impl PayloadKey {
    /// Seals a value: format byte, nonce, ciphertext and tag.
    ///
    /// # Errors
    /// XX000 when the system has no randomness to give.
    pub fn seal(&self, value: &[u8], place: &Place<'_>) -> Result<Vec<u8>> {
        self.seal_with(random_bytes()?, value, place)
    }

    /// As [`PayloadKey::seal`], with a nonce of [`Nonces`].
    ///
    /// # Errors
    /// XX000 when the value is too long for the cipher.
    pub fn seal_with(&self, nonce: Nonce12, value: &[u8], place: &Place<'_>) -> Result<Vec<u8>> {
        let payload = Payload {
            msg: value,
            aad: &place.bytes(),
        };
        let sealed = Aes256GcmSiv::new(self.0.expose().into())
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| Error::new(Kind::Internal, "could not seal a value"))?;
        let mut blob = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        blob.push(FORMAT);
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(&sealed);
        Ok(blob)
    }

    /// Opens what [`PayloadKey::seal`] made.
    ///
    /// # Errors
    /// XX001 when the key, the place or the bytes are not the ones it was made with.
    pub fn open(&self, blob: &[u8], place: &Place<'_>) -> Result<Zeroizing<Vec<u8>>> {
        let damaged = || {
            Error::new(Kind::Corrupt, "the stored value of a token does not open")
                .with_detail("It was changed, moved here from another row, or sealed for another installation.")
                .with_hint("Restore confiture.token from a backup of this installation.")
        };
        let rest = match blob.split_first() {
            Some((&FORMAT, rest)) if rest.len() >= NONCE_LEN => rest,
            _ => return Err(damaged()),
        };
        let (nonce, sealed) = rest.split_at(NONCE_LEN);
        let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| damaged())?;
        let payload = Payload {
            msg: sealed,
            aad: &place.bytes(),
        };
        Aes256GcmSiv::new(self.0.expose().into())
            .decrypt(&Nonce::from(nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| damaged())
    }
}

/// What everything of a subject is derived from, in place of the domain's secret: gone with the
/// subject's.
pub fn base_of_subject(domain: &Secret, subject: &Secret) -> Secret {
    let mut mac = keyed(&subkey(domain, Use::TokenSubject));
    mac.update(subject.expose());
    finished(mac)
}

fn keyed(key: &Secret) -> Mac256 {
    <Mac256 as KeyInit>::new_from_slice(key.expose()).expect("HMAC takes a key of any length")
}

fn finished(mac: Mac256) -> Secret {
    let mut bytes: [u8; KEY_LEN] = mac.finalize().into_bytes().into();
    Secret::take(&mut bytes)
}

fn handle(mac: &Mac256, of: &[u8]) -> Handle {
    let mut mac = mac.clone();
    mac.update(of);
    let bytes: [u8; 32] = mac.finalize().into_bytes().into();
    std::array::from_fn(|i| bytes[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> Secret {
        let mut bytes = std::array::from_fn(|i| byte.wrapping_add(u8::try_from(i).unwrap()));
        Secret::take(&mut bytes)
    }

    fn place(reference: &Handle) -> Place<'_> {
        Place {
            domain: "people",
            key: ("masking", 1),
            reference,
            subject: None,
        }
    }

    #[test]
    fn token_payload_opens_in_its_place_only() {
        let (domain, data) = (secret(1), secret(2));
        let (keys, finder) = (Keys::new(&domain), Finder::new(&domain));
        let reference = finder.reference("tok_1");
        let key = keys.seals.by(&data);
        let sealed = key.seal(b"ada@work.example", &place(&reference)).unwrap();
        let opened = key.open(&sealed, &place(&reference)).unwrap();
        assert_eq!(*opened, b"ada@work.example");
        let (other, id) = (finder.reference("tok_2"), [7; 16]);
        for wrong in [
            place(&other),
            Place {
                domain: "others",
                ..place(&reference)
            },
            Place {
                key: ("masking", 2),
                ..place(&reference)
            },
            Place {
                subject: Some(&id),
                ..place(&reference)
            },
        ] {
            assert_eq!(key.open(&sealed, &wrong).unwrap_err().kind(), Kind::Corrupt);
        }
        for key in [
            keys.seals.by(&secret(3)),
            keys.seals.bound("tok_1"),
            Keys::new(&secret(3)).seals.by(&data),
            Keys::new(&base_of_subject(&domain, &secret(4)))
                .seals
                .by(&data),
        ] {
            assert!(key.open(&sealed, &place(&reference)).is_err());
        }
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(key.open(&flipped, &place(&reference)).is_err());
        }
        for length in 0..sealed.len() {
            assert!(key.open(&sealed[..length], &place(&reference)).is_err());
        }
    }

    #[test]
    fn token_nonces_do_not_repeat() {
        let mut nonces = Nonces::default();
        let all: std::collections::BTreeSet<_> =
            (0..1000).map(|_| nonces.draw().unwrap()).collect();
        assert_eq!(all.len(), 1000);
    }

    #[test]
    fn token_payload_of_a_bound_domain_needs_the_token() {
        let keys = Keys::new(&secret(1));
        let reference = [1; 16];
        let sealed = keys
            .seals
            .bound("tok_1")
            .seal(b"ada", &place(&reference))
            .unwrap();
        let open = |token| keys.seals.bound(token).open(&sealed, &place(&reference));
        assert_eq!(**open("tok_1").unwrap(), *b"ada");
        assert!(open("tok_2").is_err());
    }

    #[test]
    fn token_of_a_subject_has_nothing_in_common_with_that_of_another() {
        let domain = secret(1);
        let all = [
            Keys::new(&domain),
            Keys::new(&base_of_subject(&domain, &secret(2))),
            Keys::new(&base_of_subject(&domain, &secret(3))),
        ];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                assert_eq!(a.index("ada") == b.index("ada"), i == j);
                assert_eq!(*a.draw("ada", b"") == *b.draw("ada", b""), i == j);
            }
        }
        assert_ne!(all[0].index("ada"), all[0].index("Ada"));
        assert_ne!(*all[0].draw("ada", b"\0\0"), *all[0].draw("ada", b"\0\x01"));
        let finder = Finder::new(&domain);
        assert_ne!(finder.reference("ada"), finder.subject("ada"));
    }

    /// Computed with a second implementation: Python's `hmac`, HKDF by RFC 5869 §2.
    #[test]
    fn token_handles_equal_a_second_implementation() {
        let domain = secret(1);
        let keys = Keys::new(&domain);
        assert_eq!(hex::encode(keys.index("ada")), INDEX);
        assert_eq!(hex::encode(*keys.draw("ada", b"\0\0")), DRAW);
        assert_eq!(
            hex::encode(Finder::new(&domain).reference("tok_1")),
            REFERENCE
        );
        let of = Keys::new(&base_of_subject(&domain, &secret(2)));
        assert_eq!(hex::encode(of.index("ada")), OF_SUBJECT);
    }

    const INDEX: &str = "fa828b56a6fbbef7d274494e64d4bf6f";
    const DRAW: &str = "d44eb2b6d0b7c43a4b1268d0109958eeb26e24a95d42a5ea82ec3df214413ab2";
    const REFERENCE: &str = "14ccbe22e859de1560d321f43d2b5a6d";
    const OF_SUBJECT: &str = "e91c7cddc35507f9bf564ca63a8bbc43";
}
