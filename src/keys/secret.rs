//! Key bytes in memory.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::{Error, Kind, Result};

/// Length of every key here, in bytes.
pub const KEY_LEN: usize = 32;

/// Key bytes: wiped when dropped, shown by nothing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; KEY_LEN]);

impl Secret {
    /// Draws a new one from the operating system.
    ///
    /// # Errors
    /// XX000 when the system has no randomness to give.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; KEY_LEN];
        getrandom::fill(&mut bytes)
            .map_err(|_| Error::new(Kind::Internal, "could not draw random bytes for a key"))?;
        Ok(Self(bytes))
    }

    /// Takes over bytes and wipes the argument.
    pub fn take(bytes: &mut [u8; KEY_LEN]) -> Self {
        let secret = Self(*bytes);
        bytes.zeroize();
        secret
    }

    /// Copies bytes that their owner keeps, and wipes.
    pub fn copy_of(bytes: &[u8; KEY_LEN]) -> Self {
        Self(*bytes)
    }

    /// The bytes, for a primitive.
    pub fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}
