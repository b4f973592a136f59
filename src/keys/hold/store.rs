//! Held by locks that end with the transaction.

use super::number;
use crate::error::Result;
use crate::keys::store::{self, ActiveKey};
use crate::pg::lock::{self, Class, Mode};

/// Holds a version until the transaction ends, together with others: before anything is sealed by
/// it.
///
/// # Errors
/// 55000 when it was destroyed meanwhile; as [`store::version_now`].
pub fn shared(key: &ActiveKey) -> Result<()> {
    let number = number(&key.name, key.version);
    if lock::take_for_transaction(Class::KeyVersion, number, Mode::Shared) {
        store::version_now(&key.name, key.version)?;
    }
    Ok(())
}

/// Waits until nobody seals by a version, and keeps everybody from it until the transaction ends.
pub fn alone(name: &str, version: i32) {
    lock::take_for_transaction(Class::KeyVersion, number(name, version), Mode::Alone);
}
