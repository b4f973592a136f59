//! A row as the server gives it, whoever read it.

use pgrx::datum::{FromDatum, IntoDatum};
use pgrx::pg_sys;

use crate::error::{Error, Kind, Result};

/// One row of a result; columns count from 1.
pub struct Row<'a> {
    columns: &'a [Column],
}

/// A value as the server gives it, with its type.
#[derive(Clone, Copy)]
pub(super) struct Column {
    /// The value.
    pub datum: pg_sys::Datum,
    /// Whether it is NULL.
    pub is_null: bool,
    /// Its type.
    pub of: pg_sys::Oid,
}

impl<'a> Row<'a> {
    /// A row of columns that live, with what they point to, as long as the row.
    pub(super) fn new(columns: &'a [Column]) -> Self {
        Self { columns }
    }

    /// The value of a column, `None` for NULL.
    ///
    /// # Errors
    /// XX000 when the column does not exist or has another type.
    pub fn get<T: IntoDatum + FromDatum>(&self, column: usize) -> Result<Option<T>> {
        let place = column.checked_sub(1);
        let found = place
            .and_then(|place| self.columns.get(place))
            .ok_or_else(|| broken(&format!("there is no column {column}")))?;
        // SAFETY: the datum is that of the tuple whoever made the row holds, and of the type given,
        // which is held against that of T.
        unsafe { T::try_from_datum(found.datum, found.is_null, found.of) }
            .map_err(|error| broken(&format!("column {column}: {error}")))
    }

    /// The value of a column that cannot be NULL.
    ///
    /// # Errors
    /// XX000 when it is, or as [`Row::get`].
    pub fn required<T: IntoDatum + FromDatum>(&self, column: usize) -> Result<T> {
        self.get(column)?
            .ok_or_else(|| broken(&format!("column {column} is null")))
    }
}

fn broken(what: &str) -> Error {
    Error::new(Kind::Internal, "a row is not as it was asked for").with_detail(format!("{what}."))
}
