//! A schema, looked at column by column.

use crate::error::{Error, Kind, Result};
use crate::pg::ident;
use crate::signs::{self, Verdict};
use crate::sync::facts::{Side, Table};
use crate::sync::{described, store};

/// A schema with what its columns look like.
pub struct Survey {
    /// What the catalog says.
    pub side: Side,
    /// The tables by name, each with the verdicts on its columns, in their order.
    pub tables: Vec<Surveyed>,
}

/// A table with the verdicts on its columns.
pub struct Surveyed {
    /// The table.
    pub table: Table,
    /// In the order of its columns.
    pub verdicts: Vec<Verdict>,
}

/// Looks at every table of a schema; at most `sample` rows of each are read.
///
/// # Errors
/// 3F000 when there is no such schema, 42501 when the caller may not use it.
pub fn survey(schema: &str, sample: u32) -> Result<Survey> {
    let found = store::side(schema, &[])?;
    match &found.schema {
        None => {
            return Err(Error::new(
                Kind::UndefinedSchema,
                format!("schema \"{schema}\" does not exist"),
            ));
        }
        Some(own) if !own.usage => {
            return Err(Error::new(
                Kind::Permission,
                format!("permission denied for schema \"{schema}\""),
            )
            .with_hint(format!(
                "Grant USAGE on schema {} to the role that looks.",
                ident::quote(schema)
            )));
        }
        Some(_) => {}
    }
    let side = store::side(schema, &found.names)?;
    let tables: Vec<Table> = side
        .names
        .iter()
        .filter_map(|name| side.table(name).cloned())
        .collect();
    let described: Vec<_> = tables
        .iter()
        .map(|table| {
            let all = (0..table.columns.len()).collect();
            (described::table(table, &side), all)
        })
        .collect();
    let verdicts = signs::look(&described, sample)?;
    Ok(Survey {
        tables: tables
            .into_iter()
            .zip(verdicts)
            .map(|(table, verdicts)| Surveyed { table, verdicts })
            .collect(),
        side,
    })
}
