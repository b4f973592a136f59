//! Our own fixed statements, run as the owner of an extension.

use pgrx::pg_sys;

use super::scan::{Key, Lookup, Table};
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
        // By its estimates for functions of the catalog, the server would compile for seconds what runs for
        // milliseconds.
        ("jit", "off"),
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

const EXTENSION: Lookup = Lookup {
    schema: c"pg_catalog",
    table: c"pg_extension",
    index: Some(c"pg_extension_name_index"),
    columns: &["extowner"],
};

/// The role that owns an extension.
///
/// # Errors
/// 55000 when it is not installed in this database.
pub fn owner_of(extension: &str) -> Result<pg_sys::Oid> {
    let found = Table::open(&EXTENSION, None)?
        .find(&[("extname", Key::Name(extension))], |row, _| {
            row.required(1)
        })?;
    found.into_iter().next().ok_or_else(|| {
        Error::new(
            Kind::NotReady,
            format!("extension \"{extension}\" is not installed in this database"),
        )
        .with_hint(format!("Run CREATE EXTENSION {extension}."))
    })
}
