//! What the catalog says of tables and of labels, which everybody may read.

use super::anon::{Label, Object};
use super::catalog::{Catalog, Column, Table};
use crate::error::{Error, Kind, Result};
use crate::pg::spi;

/// The tables of a schema; none where it is not here.
///
/// # Errors
/// XX000 when the interface fails.
pub fn catalog(schema: &str) -> Result<Catalog> {
    let mut found = Catalog::default();
    spi::read(COLUMNS, &[schema.into()], |row| {
        let name: String = row.required(1)?;
        if found.table(&name).is_none() {
            let table = Table {
                is_table: row.required(2)?,
                root: row.get(3)?,
                ..Table::default()
            };
            found.insert(name.clone(), table);
        }
        if let Some(column) = row.get::<String>(4)? {
            let about = Column {
                type_name: row.required(5)?,
                not_null: row.required(6)?,
                labels: row.required(7)?,
            };
            found.add_column(&name, column, about);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Every label of a provider.
///
/// # Errors
/// 3F000 when there is no such schema; XX000 when the interface fails.
pub fn labels(schema: &str, provider: &str) -> Result<Vec<Label>> {
    let there = spi::read(
        "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1",
        &[schema.into()],
        |_| Ok(()),
    )?;
    if there.is_empty() {
        return Err(Error::new(
            Kind::UndefinedSchema,
            format!("schema \"{schema}\" does not exist"),
        ));
    }
    spi::read(LABELS, &[provider.into()], |row| {
        let (kind, name): (String, String) = (row.required(1)?, row.required(3)?);
        let object = match (row.get::<String>(2)?, row.get::<String>(4)?) {
            (Some(schema), Some(column)) => Object::Column {
                schema,
                table: name,
                column,
            },
            (Some(schema), None) => Object::Table {
                schema,
                table: name,
            },
            (None, _) => Object::Other { kind, name },
        };
        let text = row.required(5)?;
        Ok(Label { object, text })
    })
}

const COLUMNS: &str = include_str!("catalog/columns.sql");
const LABELS: &str = include_str!("catalog/labels.sql");
