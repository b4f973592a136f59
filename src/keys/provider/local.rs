//! A key-encryption key that this process holds: what the providers `file` and `env` share.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Wrapped, foreign};
use crate::error::{Error, Kind, Result};
use crate::keys::Secret;
use crate::keys::envelope::{self, Binding};

const ALG: &str = "aes-256-gcm-siv";

/// A key-encryption key with its short name.
pub struct LocalKek {
    secret: Secret,
    fingerprint: String,
}

impl LocalKek {
    /// Takes a key over.
    pub fn new(secret: Secret) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose())
            .expect("HMAC takes a key of any length");
        mac.update(b"confiture/kek fingerprint/v1");
        let fingerprint = hex::encode(&mac.finalize().into_bytes()[..8]);
        Self {
            secret,
            fingerprint,
        }
    }

    /// A short name of the key that gives nothing of it away: the first 8 bytes of an HMAC under
    /// it, in hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Wraps a data key under this one.
    ///
    /// # Errors
    /// XX000 when the system has no randomness to give.
    pub fn wrap(&self, provider: &str, data_key: &Secret, binding: &Binding) -> Result<Wrapped> {
        Ok(Wrapped {
            provider: provider.to_owned(),
            kek_ref: self.fingerprint.clone(),
            kek_version: None,
            alg: ALG.to_owned(),
            blob: envelope::wrap(&self.secret, data_key, binding)?,
        })
    }

    /// Opens what [`LocalKek::wrap`] made.
    ///
    /// # Errors
    /// XX001 when the bytes are not what this key wrapped for the row, 0A000 for another format.
    pub fn unwrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Secret> {
        if wrapped.alg != ALG {
            return Err(Error::new(
                Kind::Unsupported,
                "a stored key was wrapped in a way this provider does not know",
            ));
        }
        envelope::unwrap(&self.secret, &wrapped.blob, binding).ok_or_else(|| {
            foreign(
                "The stored bytes were altered, or belong to another key, version or installation.",
                binding,
            )
        })
    }
}

/// Whether a text has the form of a fingerprint.
pub fn is_fingerprint(text: &str) -> bool {
    text.len() == 16
        && text
            .bytes()
            .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}
