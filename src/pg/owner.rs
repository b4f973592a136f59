//! Our own fixed statements, run as the owner of an extension.

use std::ffi::CString;

use pgrx::pg_sys;

use super::{guc, spi, user};
use crate::error::{Error, Kind, Result};

/// Runs `work` as the owner of the extension, with a search path in which nobody can plant
/// anything; a policy that would hide rows is an error. Only fixed statements of ours belong in
/// here.
///
/// # Errors
/// 55000 when the extension is not installed in this database; what `work` returns.
pub fn acting_as_owner<T>(extension: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let settings = [
        ("search_path", "pg_catalog, pg_temp"),
        ("row_security", "off"),
        // The catalog's functions give names as they are compared with those of the library.
        ("quote_all_identifiers", "off"),
    ];
    guc::with(&settings, || {
        let owner = owner_of(extension)?;
        user::acting_as(owner, work)
    })
}

/// One text out of a fixed query, run as the owner; `None` without a row or for NULL.
///
/// # Errors
/// As [`acting_as_owner`].
pub fn fact(extension: &str, sql: &str) -> Result<Option<String>> {
    acting_as_owner(extension, || {
        let found = spi::read(sql, &[], |row| row.get::<String>(1))?;
        Ok(found.into_iter().next().flatten())
    })
}

/// The role that owns an extension.
///
/// # Errors
/// 55000 when it is not installed in this database.
pub fn owner_of(extension: &str) -> Result<pg_sys::Oid> {
    let name = CString::new(extension)
        .map_err(|_| Error::new(Kind::Internal, "the name of an extension holds a zero byte"))?;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the numbers of a column and of a comparison are small"
    )]
    // SAFETY: a look-up of the catalog by its index on names; the row is read before the scan ends.
    // The name lives as long as the scan. An error in between lets go of all of it.
    let owner = unsafe {
        let lock = pg_sys::AccessShareLock.cast_signed();
        let catalog = pg_sys::table_open(pg_sys::ExtensionRelationId, lock);
        let mut key = pg_sys::ScanKeyData::default();
        pg_sys::ScanKeyInit(
            &raw mut key,
            pg_sys::Anum_pg_extension_extname as pg_sys::AttrNumber,
            pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
            pg_sys::F_NAMEEQ.into(),
            pg_sys::Datum::from(name.as_ptr()),
        );
        let scan = pg_sys::systable_beginscan(
            catalog,
            pg_sys::ExtensionNameIndexId.into(),
            true,
            std::ptr::null_mut(),
            1,
            &raw mut key,
        );
        let row = pg_sys::systable_getnext(scan);
        let owner = (!row.is_null()).then(|| {
            let form: *const pg_sys::FormData_pg_extension = pg_sys::GETSTRUCT(row).cast();
            (*form).extowner
        });
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(catalog, lock);
        owner
    };
    owner.ok_or_else(|| {
        Error::new(
            Kind::NotReady,
            format!("extension \"{extension}\" is not installed in this database"),
        )
        .with_hint(format!("Run CREATE EXTENSION {extension}."))
    })
}
