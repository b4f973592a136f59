//! Holding the target against what a run committed to, whenever somebody asks.

use super::trackers::{self, Tracker};
use super::{request, store};
use crate::error::{Error, Kind, Result};
use crate::ledger::lineage::commitment::{Algorithm, ColumnKey};
use crate::ledger::lineage::store as lineage;
use crate::pg::ident::{qualified, quote};
use crate::pg::spi;

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The column holds what the run stored.
    Match,
    /// It does not: it was written since, or tampered with. Which of both cannot be seen.
    Differs,
    /// There is nothing to compare with.
    Unverifiable,
}

impl Comparison {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Differs => "differs",
            Self::Unverifiable => "unverifiable",
        }
    }
}

/// Reads the column, with the rights of the caller, and compares.
///
/// # Errors
/// 42704 when the lineage has no such entry, 42P01 when the table is gone; 55000 when the key that
/// opens the key of the run is not available. Server errors unwind.
pub fn recheck(run_id: [u8; 16], table: &str, column: &str) -> Result<Comparison> {
    let Some(entry) = lineage::find(run_id, table, column)? else {
        return Err(Error::new(
            Kind::UndefinedObject,
            "the lineage has no entry of this run about this column",
        )
        .with_hint("See confiture.lineage_columns."));
    };
    let facts = entry.facts;
    let (Some(committed), Ok(algorithm)) =
        (facts.anonymized_hash, Algorithm::of(&facts.commitment))
    else {
        return Ok(Comparison::Unverifiable);
    };
    let Some(key) = lineage::key(run_id)? else {
        return Ok(Comparison::Unverifiable);
    };
    let Some((kind, row_key)) = store::keyed_table(&facts.schema_name, table)? else {
        return Err(Error::new(
            Kind::UndefinedTable,
            format!("table \"{}.{table}\" does not exist", facts.schema_name),
        ));
    };
    let row_key: Vec<_> = match (facts.row_binding.as_str(), row_key.as_slice()) {
        ("key", columns) => columns
            .iter()
            .map(|name| format!(", t.{}", quote(name)))
            .collect(),
        // The word of a script: the key as text, which a key of one column has by itself.
        ("text", [name]) => vec![format!(", (t.{})::pg_catalog.text", quote(name))],
        ("text", _) => return Ok(Comparison::Unverifiable),
        _ => Vec::new(),
    };
    let value = format!(", t.{}", quote(column));
    let arguments = format!("{}{value}{value}", row_key.concat());
    let only = if kind == 'r' { "ONLY " } else { "" };
    let query = format!(
        "SELECT pg_catalog.count(*) FROM {only}{} AS t WHERE confiture._run_track(0, {}{arguments})",
        qualified(&facts.schema_name, table),
        row_key.len(),
    );
    let tracker = Tracker::new(ColumnKey::new(
        &key,
        algorithm,
        &facts.schema_name,
        table,
        column,
    ));
    let tracking = trackers::install(vec![tracker]);
    request::pinned(|| spi::read(&query, &[], |_| Ok(())))?;
    let seen = tracking.finish().into_iter().next().unwrap_or_default();
    Ok(if seen.anonymized.seal().as_slice() == committed {
        Comparison::Match
    } else {
        Comparison::Differs
    })
}
