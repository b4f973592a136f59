//! Providers: where key-encryption keys live. One file each, behind one trait.

pub mod file;

use super::Secret;
use super::envelope::Binding;
use crate::error::Result;

/// A data key as a provider wrapped it, and what the provider needs to open it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// Name of the provider: `file`.
    pub provider: String,
    /// Which key-encryption key: a fingerprint, an ARN, a path, a URL. Never a secret.
    pub kek_ref: String,
    /// Version of that key, where the provider has versions.
    pub kek_version: Option<String>,
    /// How it was wrapped.
    pub alg: String,
    /// The wrapped bytes.
    pub blob: Vec<u8>,
}

/// Wraps and unwraps data keys with a key-encryption key that never leaves it.
pub trait Provider {
    /// Wraps a data key for one row.
    ///
    /// # Errors
    /// 55000 when the provider is not set up, 08001 when it cannot be reached, 42501 or 28000 when
    /// it refuses.
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
}
