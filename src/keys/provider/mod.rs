//! Providers: where key-encryption keys live. One folder or file each, behind one trait.
//!
//! A provider is asked to wrap and unwrap 32 bytes and nothing else, so that two permissions are
//! enough at each of them; data keys are made here.

pub mod aws;
pub mod azure;
pub mod credential;
pub mod env;
pub mod file;
pub mod http;
pub mod local;
pub mod options;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
pub mod vault;

use super::Secret;
use super::envelope::Binding;
use crate::error::{Error, Kind, Result};

/// Gives the value of a variable of the server's environment, as it was when the server started.
pub type Environment = Box<dyn Fn(&str) -> Option<String>>;

/// A data key as a provider wrapped it, and what the provider needs to open it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrapped {
    /// Name of the provider: `file`.
    pub provider: String,
    /// Which key-encryption key: a fingerprint, an ARN, a path, a URL. Never a secret.
    pub kek_ref: String,
    /// Version of that key, where the provider says one.
    pub kek_version: Option<String>,
    /// How it was wrapped.
    pub alg: String,
    /// The wrapped bytes.
    pub blob: Vec<u8>,
}

impl Wrapped {
    /// The key-encryption key that wrapped it.
    pub fn kek(&self) -> Kek {
        Kek {
            reference: self.kek_ref.clone(),
            version: self.kek_version.clone(),
        }
    }
}

/// A key-encryption key, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kek {
    /// As [`Wrapped::kek_ref`].
    pub reference: String,
    /// As [`Wrapped::kek_version`].
    pub version: Option<String>,
}

/// Wraps and unwraps data keys with a key-encryption key that never leaves it.
pub trait Provider {
    /// Wraps a data key for one row.
    ///
    /// # Errors
    /// 55000 when the provider is not set up or its key is out of use, 42704 when its key does not
    /// exist, 08001 when it cannot be reached, 08P01 when its answer makes no sense, 28000 when it
    /// does not accept our credentials, 42501 when it refuses, 53000 when it is busy, 58000 when it
    /// is broken, 57014 when the statement is canceled.
    fn wrap(&self, data_key: &Secret, binding: &Binding) -> Result<Wrapped>;

    /// Opens a data key wrapped for that row.
    ///
    /// # Errors
    /// As [`Provider::wrap`]; XX001 when the bytes are not what this provider wrapped for the row.
    fn unwrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Secret>;

    /// Wraps an already wrapped key anew, under the provider's current key. Done on this side, so
    /// that it works with every provider.
    ///
    /// # Errors
    /// As the two above.
    fn rewrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Wrapped> {
        self.wrap(&self.unwrap(wrapped, binding)?, binding)
    }

    /// Makes a new version of the key-encryption key, or a new key where there are no versions, and
    /// leaves the former one for unwrapping. Returns the new one.
    ///
    /// # Errors
    /// As [`Provider::wrap`]; 0A000 when it can only be done elsewhere.
    fn rotate_kek(&self) -> Result<Kek>;

    /// The key that wraps now, found by wrapping: no permission is needed beyond that.
    ///
    /// # Errors
    /// As [`Provider::wrap`].
    fn current(&self) -> Result<Kek> {
        Ok(self.wrap(&Secret::random()?, &probe())?.kek())
    }

    /// Whether a key-encryption key that is named beside a stored key is at hand. Services are not
    /// asked: they say so when something is to be opened.
    ///
    /// # Errors
    /// 55000 when it is not.
    fn knows(&self, kek_ref: &str) -> Result<()> {
        let _ = kek_ref;
        Ok(())
    }

    /// Wraps and unwraps a key made for the purpose: everything that is needed later works now.
    ///
    /// # Errors
    /// As the others.
    fn health(&self) -> Result<()> {
        let secret = Secret::random()?;
        let opened = self.unwrap(&self.wrap(&secret, &probe())?, &probe())?;
        if opened.expose() == secret.expose() {
            return Ok(());
        }
        Err(Error::new(
            Kind::Protocol,
            "a key provider unwrapped something else than it had wrapped",
        ))
    }
}

/// What a key made for a test is bound to: no stored key has version 0.
fn probe() -> Binding {
    Binding {
        installation: [0; 16],
        name: "health".to_owned(),
        version: 0,
        purpose: "health".to_owned(),
    }
}

/// What was stored beside a wrapped key does not fit the provider that is asked to open it.
pub(crate) fn foreign(what: &str, binding: &Binding) -> Error {
    Error::new(
        Kind::Corrupt,
        format!(
            "version {} of key \"{}\" cannot be unwrapped",
            binding.version, binding.name
        ),
    )
    .with_detail(what)
    .with_hint("Restore confiture.key_version from a backup of this installation.")
}
