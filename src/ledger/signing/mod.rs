//! Who signs entries, and what stands there where nobody does.
//!
//! A log may begin with entries that are not signed, where the administrator allows it and no key
//! that signs was ever made. It never goes back to them: a key that cannot be read is an error.

pub mod store;

use super::entry::{self, UNSIGNED};
use super::store::Origin;
use crate::keys::store::ActiveKey;
use crate::keys::{Use, subkey};

/// Who signs, and for whom.
pub struct Signing<'a> {
    /// Whose word it is.
    pub origin: Origin,
    /// Role that called.
    pub user_name: &'a str,
    /// Role that logged in.
    pub session_user_name: &'a str,
    /// The signing key; `None` for entries that are not signed.
    pub key: Option<&'a ActiveKey>,
}

impl Signing<'_> {
    /// The name of the key, as stored.
    pub fn key_name(&self) -> String {
        self.key
            .map_or(UNSIGNED, |key| (&key.name, key.version))
            .0
            .to_owned()
    }

    /// Its version, as stored.
    pub fn key_version(&self) -> i32 {
        self.key.map_or(UNSIGNED.1, |key| key.version)
    }

    /// Signs the hash of an entry; nothing where nobody signs.
    pub fn sign(&self, hash: &[u8; 32]) -> Vec<u8> {
        self.key.map_or_else(Vec::new, |key| {
            entry::sign(&subkey(&key.secret, Use::LedgerEntry), hash).to_vec()
        })
    }
}
