//! Whether there is a key that signs entries, and whether the log may do without.

use crate::error::Result;
use crate::keys;
use crate::keys::store::ActiveKey;
use crate::ledger::entry::UNSIGNED;
use crate::pg::{frozen, owner, spi};
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
    holds(
        "SELECT EXISTS (SELECT FROM ONLY confiture.key
                         WHERE purpose = ANY (ARRAY['masking', 'ledger']))",
    )
}

/// Whether the last entry is signed.
///
/// # Errors
/// As the interface.
pub fn is_signed() -> Result<bool> {
    let last = owner::acting_as_owner("confiture", || {
        spi::read_now(
            "SELECT key_name FROM ONLY confiture.audit_log ORDER BY seq DESC LIMIT 1",
            &[],
            |row| row.required::<String>(1),
        )
    })?;
    Ok(last.first().is_some_and(|name| name != UNSIGNED.0))
}

/// Whether an act is put on record: not before the log has begun and could, which the first entry
/// makes up for.
///
/// Where it is not, whoever makes the first key waits until this transaction has ended, and then
/// finds what it did.
///
/// # Errors
/// 25006 on a standby; as the interface.
pub fn must_record() -> Result<bool> {
    frozen::writable()?;
    if settings::allow_unsigned() || has_begun()? {
        return Ok(true);
    }
    owner::acting_as_owner("confiture", || {
        spi::run(
            "LOCK TABLE ONLY confiture.key_version IN ROW EXCLUSIVE MODE",
            &[],
        )
    })?;
    has_begun()
}

fn has_begun() -> Result<bool> {
    if has_key()? {
        return Ok(true);
    }
    holds("SELECT EXISTS (SELECT FROM ONLY confiture.audit_log)")
}

/// As of now, whatever the isolation level shows otherwise.
fn holds(sql: &'static str) -> Result<bool> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read_now(sql, &[], |row| row.required::<bool>(1))
    })?;
    Ok(found.first().copied().unwrap_or(false))
}
