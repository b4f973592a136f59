//! The catalog, read for ways around a mask.

use crate::error::{Error, Kind, Result};
use crate::pg::{owner, spi};
use crate::profile;
use crate::sync::request::pinned;

/// A way to a value.
pub struct Way {
    /// `high`: it reads values; `medium`: it may, or guesses them; `low`: somebody must help.
    pub severity: String,
    /// What kind of way it is.
    pub path: String,
    /// The object it leads through.
    pub object: String,
    /// The column it leads to; `None` for all of them.
    pub column: Option<String>,
    /// How.
    pub detail: String,
    /// What closes it.
    pub remedy: String,
}

/// Every way of a role to the masked columns, of the tables of masked views; of a schema also to
/// those that a profile has rules for.
///
/// # Errors
/// 42704 without such a role.
pub fn find(role: &str, source: Option<&str>) -> Result<Vec<Way>> {
    let is_there = spi::read(
        "SELECT FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.text::pg_catalog.name",
        &[role.into()],
        |_| Ok(()),
    )?;
    if is_there.is_empty() {
        return Err(Error::new(
            Kind::UndefinedObject,
            format!("role \"{role}\" does not exist"),
        ));
    }
    let mut columns = registered(source)?;
    if let Some(schema) = source {
        for name in profiles()? {
            let profile = profile::store::pick(&name, None)?;
            for table in &profile.tables {
                if table.schema.as_deref().is_none_or(|of| of == schema) {
                    for rule in &table.rules {
                        columns.push((schema.to_owned(), table.name.clone(), rule.column.clone()));
                    }
                }
            }
        }
    }
    columns.sort();
    columns.dedup();
    let (mut schemas, mut tables, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (schema, table, column) in columns {
        schemas.push(schema);
        tables.push(table);
        names.push(column);
    }
    let masked = views()?;
    pinned(|| {
        spi::read(
            PATHS,
            &[
                role.into(),
                schemas.into(),
                tables.into(),
                names.into(),
                masked.into(),
            ],
            |row| {
                Ok(Way {
                    severity: row.required(1)?,
                    path: row.required(2)?,
                    object: row.required(3)?,
                    column: row.get(4)?,
                    detail: row.required(5)?,
                    remedy: row.required(6)?,
                })
            },
        )
    })
}

const PATHS: &str = concat!(
    include_str!("reach.sql"),
    include_str!("rights.sql"),
    include_str!("code.sql"),
    include_str!("server.sql"),
    include_str!("order.sql")
);

fn registered(source: Option<&str>) -> Result<Vec<(String, String, String)>> {
    as_owner(|| {
        spi::read(
            "SELECT v.source_schema, v.source_table, c.column_name
               FROM ONLY confiture.masked_view v
               JOIN ONLY confiture.masked_column c ON c.view_id = v.id
              WHERE $1 IS NULL OR v.source_schema = $1",
            &[source.into()],
            |row| Ok((row.required(1)?, row.required(2)?, row.required(3)?)),
        )
    })
}

/// The masked views themselves, which are no way around themselves.
fn views() -> Result<Vec<String>> {
    as_owner(|| {
        spi::read(
            "SELECT pg_catalog.format('%I.%I', schema_name, view_name)
               FROM ONLY confiture.masked_view",
            &[],
            |row| row.required(1),
        )
    })
}

fn profiles() -> Result<Vec<String>> {
    as_owner(|| {
        spi::read(
            "SELECT DISTINCT name FROM ONLY confiture.profile WHERE retired_at IS NULL ORDER BY name",
            &[],
            |row| row.required(1),
        )
    })
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
