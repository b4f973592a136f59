//! The places of wrapped keys: read under lock, and written back.

use crate::custody::store::{as_owner, lock_keys};
use crate::error::Result;
use crate::keys::provider::Wrapped;
use crate::keys::stored::{self, Stored};
use crate::pg::snapshot::Snapshot;
use crate::pg::spi;

/// Where a wrapped key is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shelf {
    /// Whether it is what was kept of a destroyed version.
    pub is_verifier: bool,
    /// Name of the key.
    pub name: String,
    /// Its version.
    pub version: i32,
}

/// Every place that holds wrapped bytes, in a fixed order.
///
/// # Errors
/// As the interface.
pub(super) fn shelves() -> Result<Vec<Shelf>> {
    as_owner(|| {
        spi::rows(
            "SELECT false, key_name, version FROM ONLY confiture.key_version
              WHERE wrapped IS NOT NULL
             UNION ALL SELECT true, key_name, version FROM ONLY confiture.key_verifier
             ORDER BY 2, 3",
            &[],
            |row| {
                Ok(Shelf {
                    is_verifier: row.required(1)?,
                    name: row.required(2)?,
                    version: row.required(3)?,
                })
            },
        )
    })
}

/// Locks and reads one place; `None` when it was emptied in the meantime.
///
/// # Errors
/// XX001 when the row is not complete.
pub(super) fn take_down(shelf: &Shelf) -> Result<Option<Stored>> {
    let lock = if shelf.is_verifier {
        "SELECT FROM ONLY confiture.key_verifier
          WHERE key_name = $1 AND version = $2 FOR UPDATE"
    } else {
        "SELECT FROM ONLY confiture.key_version
          WHERE key_name = $1 AND version = $2 FOR UPDATE"
    };
    as_owner(|| {
        lock_keys()?;
        let args = [shelf.name.as_str().into(), shelf.version.into()];
        spi::rows(lock, &args, |_| Ok(()))
    })?;
    let now = Snapshot::latest();
    if shelf.is_verifier {
        stored::store::verifier(&shelf.name, shelf.version, &now)
    } else {
        stored::store::version(&shelf.name, shelf.version, &now)
    }
}

/// Puts newly wrapped bytes in the place of the former ones.
///
/// # Errors
/// As the interface.
pub(super) fn put_back(shelf: &Shelf, wrapped: &Wrapped) -> Result<()> {
    let table = if shelf.is_verifier {
        "key_verifier"
    } else {
        "key_version"
    };
    as_owner(|| {
        spi::run(
            &format!(
                "UPDATE ONLY confiture.{table}
                    SET provider = $3, kek_ref = $4, kek_version = $5, alg = $6, wrapped = $7,
                        wrapped_at = pg_catalog.clock_timestamp()
                  WHERE key_name = $1 AND version = $2"
            ),
            &[
                shelf.name.as_str().into(),
                shelf.version.into(),
                wrapped.provider.as_str().into(),
                wrapped.kek_ref.as_str().into(),
                wrapped.kek_version.as_deref().into(),
                wrapped.alg.as_str().into(),
                wrapped.blob.clone().into(),
            ],
        )
    })?;
    Ok(())
}
