//! Keys: a provider's key-encryption key wraps data keys, and HKDF makes one subkey per use.
//!
//! `provider (KEK) → wraps → data keys (confiture.key_version) → HKDF → one subkey per use`.
//! A data key is 32 random bytes that exist in clear only in a backend's memory; what is stored is
//! wrapped and bound to the installation, the key's name, version and purpose, so that a row
//! copied from elsewhere does not open. HKDF: RFC 5869 with SHA-256.

pub mod cache;
pub mod envelope;
mod field;
pub mod hold;
pub mod provider;
pub mod random;
mod secret;
pub mod setup;
pub mod sql;
pub mod store;
pub mod stored;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

pub(crate) use field::{field_length, push_field};
pub use secret::{KEY_LEN, Secret};

use crate::error::{Error, Kind, Result};

/// The purpose of the key that serves every subkey until others are made.
pub const MASKING: &str = "masking";

/// What the name of a key that is a salt begins with. Its purpose is its name.
pub const SALT_PREFIX: &str = "salt-";

/// What a subkey is for. The label is part of the derivation: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Binds a stored key to its row.
    Binding,
    /// Tells keys, and what is masked with them, apart where they must not be shown.
    Fingerprint,
    /// Keys format-preserving encryption.
    Fpe,
    /// Seed of the key that signs anchors of the ledger.
    LedgerAnchor,
    /// Signs ledger entries.
    LedgerEntry,
    /// Keys the deterministic masks.
    Masking,
    /// Wraps the keys of runs.
    RunKey,
    /// Salts hashes.
    Salt,
    /// Wraps the secrets of domains of tokens, and of their subjects.
    TokenDomain,
    /// Draws tokens.
    TokenDraw,
    /// Finds the token of a value.
    TokenIndex,
    /// Seals what tokens stand for.
    TokenPayload,
    /// Finds a token.
    TokenReference,
    /// Mixes the secret of a subject with that of its domain.
    TokenSubject,
}

impl Use {
    fn label(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::Fingerprint => "fingerprint",
            Self::Fpe => "fpe",
            Self::LedgerAnchor => "ledger anchor",
            Self::LedgerEntry => "ledger entry",
            Self::Masking => "masking",
            Self::RunKey => "run key",
            Self::Salt => "salt",
            Self::TokenDomain => "token domain",
            Self::TokenDraw => "token draw",
            Self::TokenIndex => "token index",
            Self::TokenPayload => "token payload",
            Self::TokenReference => "token reference",
            Self::TokenSubject => "token subject",
        }
    }
}

/// Derives the subkey for one use of a data key: HKDF-SHA256 (RFC 5869) with the data key as input
/// keying material, no salt, and `info` = the length-prefixed fields "confiture/subkey/v1" and the
/// label.
pub fn subkey(data_key: &Secret, purpose: Use) -> Secret {
    let mut info = Vec::with_capacity(48);
    push_field(&mut info, b"confiture/subkey/v1");
    push_field(&mut info, purpose.label().as_bytes());
    let mut bytes = [0; KEY_LEN];
    let expanded = Hkdf::<Sha256>::new(None, data_key.expose()).expand(&info, &mut bytes);
    debug_assert!(expanded.is_ok(), "32 bytes are far below the limit of HKDF");
    Secret::take(&mut bytes)
}

/// What tells keys apart and may be shown: 16 bytes, in hexadecimal digits. Nothing about the key, and
/// nothing made with it, follows from them.
pub fn fingerprint(data_key: &Secret) -> String {
    keyed_fingerprint(data_key, b"confiture/key/v1")
}

/// A fingerprint of what is used together with a key, for whoever cannot guess the key: the first 16
/// bytes of HMAC-SHA256 under a subkey.
pub(crate) fn keyed_fingerprint(data_key: &Secret, what: &[u8]) -> String {
    let subkey = subkey(data_key, Use::Fingerprint);
    let mut mac =
        Hmac::<Sha256>::new_from_slice(subkey.expose()).expect("HMAC takes a key of any length");
    mac.update(what);
    hex::encode(&mac.finalize().into_bytes()[..16])
}

/// Overwrites the part of the stack that calls below this one have used: key bytes that were moved
/// about there, and states of primitives, do not wait for the next one to come by.
#[inline(never)]
pub fn scrub() {
    let mut used = [0_u8; 32 * 1024];
    used.zeroize();
    std::hint::black_box(&used);
}

/// Draws random bytes from the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::new(Kind::Internal, "could not draw random bytes"))?;
    Ok(bytes)
}

/// Draws a random UUID, version 4 (RFC 9562 §5.4).
pub(crate) fn random_uuid() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::new(Kind::Internal, "could not draw random bytes for an id"))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(bytes)
}

/// Whether key bytes are obviously no key: all equal.
pub(crate) fn is_degenerate(bytes: &[u8; KEY_LEN]) -> bool {
    bytes.iter().all(|byte| *byte == bytes[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_subkeys_differ_by_use() {
        let key = Secret::take(&mut [7; KEY_LEN]);
        let uses = [
            Use::Binding,
            Use::Fingerprint,
            Use::Fpe,
            Use::LedgerAnchor,
            Use::LedgerEntry,
            Use::Masking,
            Use::RunKey,
            Use::Salt,
            Use::TokenDomain,
            Use::TokenDraw,
            Use::TokenIndex,
            Use::TokenPayload,
            Use::TokenReference,
            Use::TokenSubject,
        ];
        for a in uses {
            for b in uses {
                let equal = subkey(&key, a).expose() == subkey(&key, b).expose();
                assert_eq!(equal, a == b);
            }
        }
    }

    #[test]
    fn keys_fingerprints_tell_keys_apart_and_say_nothing_else() {
        let [one, other] = [7, 8].map(|byte| Secret::take(&mut [byte; KEY_LEN]));
        assert_eq!(fingerprint(&one), fingerprint(&one));
        assert_ne!(fingerprint(&one), fingerprint(&other));
        assert_eq!(fingerprint(&one).len(), 32);
        assert_ne!(keyed_fingerprint(&one, b"a"), keyed_fingerprint(&one, b"b"));
        assert_ne!(
            keyed_fingerprint(&one, b"a"),
            keyed_fingerprint(&other, b"a")
        );
        let shown = hex::encode(subkey(&one, Use::Fingerprint).expose());
        assert!(!shown.contains(&fingerprint(&one)));
    }

    /// Computed with a second implementation: Python's `hmac`, HKDF by RFC 5869 §2.
    #[test]
    fn keys_subkey_equals_a_second_implementation() {
        let key = Secret::take(&mut std::array::from_fn(|i| u8::try_from(i).unwrap()));
        assert_eq!(
            hex::encode(subkey(&key, Use::Masking).expose()),
            "0a9fa9bb2b0325dcd0286a745640502ec1d2a86c8318c29f9624d813886a28e8"
        );
        assert_eq!(fingerprint(&key), "2b5099aa0bf94fb3bf35926f2d262dbe");
    }
}
