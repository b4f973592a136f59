//! Whether there is a key that signs entries, and whether the log may do without.

use crate::error::Result;
use crate::keys;
use crate::keys::store::ActiveKey;
use crate::ledger::entry::UNSIGNED;
use crate::pg::{owner, spi};
use crate::settings;

/// The key that signs the next entry; `None` where none was ever made and the administrator allows
/// entries without.
///
/// # Errors
/// 55000 without a key; what its provider raises, whatever is allowed: a log that is signed stays
/// so.
pub fn signer() -> Result<Option<ActiveKey>> {
    if is_unsigned()? {
        return Ok(None);
    }
    keys::store::active_now("ledger").map(Some)
}

/// Whether the next entry is one without a signature.
///
/// # Errors
/// As the interface.
pub fn is_unsigned() -> Result<bool> {
    Ok(settings::allow_unsigned() && !has_key()? && !is_signed()?)
}

/// Whether a key that signs was made, be it at hand or not.
///
/// # Errors
/// As the interface.
pub fn has_key() -> Result<bool> {
    let found = owner::acting_as_owner("confiture", || {
        // As of now, whatever the isolation level shows otherwise.
        spi::read_now(
            "SELECT EXISTS (SELECT FROM ONLY confiture.key
                             WHERE purpose = ANY (ARRAY['masking', 'ledger']))",
            &[],
            |row| row.required::<bool>(1),
        )
    })?;
    Ok(found.first().copied().unwrap_or(false))
}

/// Whether the last entry is signed.
///
/// # Errors
/// As the interface.
pub fn is_signed() -> Result<bool> {
    Ok(last_signer()?.is_some_and(|name| name != UNSIGNED.0))
}

/// The key that the last entry names; `None` in an empty log.
///
/// # Errors
/// As the interface.
pub fn last_signer() -> Result<Option<String>> {
    let last = owner::acting_as_owner("confiture", || {
        spi::read_now(
            "SELECT key_name FROM ONLY confiture.audit_log ORDER BY seq DESC LIMIT 1",
            &[],
            |row| row.required::<String>(1),
        )
    })?;
    Ok(last.into_iter().next())
}
