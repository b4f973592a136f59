//! Row by row, where a run kept that: which rows of the target are not as it left them, and whether
//! a value was made of a given one.

use super::recheck::{Found, find};
use super::trackers::{self, Tracker};
use super::{request, store};
use crate::error::{Error, Kind, Result};
use crate::ledger::journal;
use crate::ledger::lineage::commitment::Shape;
use crate::ledger::lineage::rows::{self, WIDTH};
use crate::pg::ident::quote;
use crate::pg::spi;

/// A row that is not as the run left it, or how many of the run's are not there any more.
pub struct Deviation {
    /// `differs` or `missing`.
    pub status: &'static str,
    /// The key of the row, as texts.
    pub row_key: Option<Vec<String>>,
    /// How many rows it is about.
    pub rows: i64,
}

/// Up to `most` rows of the target that the run did not leave so, and how many of those it left are
/// missing. Reads with the rights of the caller.
///
/// # Errors
/// As [`find`]; 55000 when nothing was kept row by row, or the key of the run is destroyed; 22023
/// for a negative number. Server errors unwind.
pub fn deviations(
    run_id: [u8; 16],
    table: &str,
    column: &str,
    most: i32,
) -> Result<Vec<Deviation>> {
    if most < 0 {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"most\" is negative",
        ));
    }
    let found = row_by_row(run_id, table, column)?;
    let keys = found.key_of_rows().unwrap_or_default();
    let texts: Vec<_> = found
        .primary_key
        .iter()
        .take(keys.len())
        .map(|name| format!("(t.{})::pg_catalog.text", quote(name)))
        .collect();
    let run = hex::encode(run_id);
    let args = [run.as_str().into(), table.into(), column.into()];
    let kept = format!(
        "SELECT pg_catalog.substr(c.anonymized_macs, {WIDTH} OPERATOR(pg_catalog.*) i
                OPERATOR(pg_catalog.+) 1, {WIDTH}) AS mac
           FROM ONLY confiture.lineage_row_chunk AS c
          CROSS JOIN LATERAL pg_catalog.generate_series(0, pg_catalog.length(c.anonymized_macs)
                OPERATOR(pg_catalog./) {WIDTH} OPERATOR(pg_catalog.-) 1) AS i
          WHERE c.run_id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid AND c.table_name OPERATOR(pg_catalog.=) $2
            AND c.column_name OPERATOR(pg_catalog.=) $3"
    );
    let there = format!(
        "SELECT ARRAY[{}]::pg_catalog.text[] AS row_key,
                confiture._run_mac(0, {}{}, t.{}) AS mac
           FROM {} AS t OFFSET 0",
        texts.join(", "),
        keys.len(),
        keys.concat(),
        quote(column),
        found.relation,
    );
    let differing = format!(
        "SELECT n.row_key FROM ({there}) AS n LEFT JOIN ({kept}) AS k
             ON k.mac OPERATOR(pg_catalog.=) n.mac
          WHERE k.mac IS NULL LIMIT {most}"
    );
    let missing = format!(
        "SELECT pg_catalog.count(*) FROM ({kept}) AS k LEFT JOIN ({there}) AS n
             ON n.mac OPERATOR(pg_catalog.=) k.mac
          WHERE n.mac IS NULL"
    );
    let _tracking = trackers::install(vec![Tracker::new(found.key.clone())]);
    request::pinned(|| {
        let mut deviations = spi::rows(&differing, &args, |row| {
            Ok(Deviation {
                status: "differs",
                row_key: Some(row.required(1)?),
                rows: 1,
            })
        })?;
        let gone = spi::one::<i64>(&missing, &args)?.unwrap_or_default();
        if gone > 0 {
            deviations.push(Deviation {
                status: "missing",
                row_key: None,
                rows: gone,
            });
        }
        Ok(deviations)
    })
}

/// Whether what stands in a row of the target was made of `original`: `match`; `differs`, where it
/// was, and something else stands there now; `unknown`, where the run saw no such value in that
/// row. It confirms guesses, so it is on record first, as every way back. Reads the target with the
/// rights of the caller.
///
/// # Errors
/// As [`deviations`]; 55000 when the rows are not bound to a key, 22023 when `row_key` has another
/// number of columns, 22P02 and the like when a text is no value of its column.
pub fn trace(
    run_id: [u8; 16],
    table: &str,
    column: &str,
    row_key: &[String],
    original: Option<&str>,
) -> Result<&'static str> {
    let found = row_by_row(run_id, table, column)?;
    if found.facts.row_binding != "key" {
        return Err(Error::new(
            Kind::NotReady,
            "the values of this column are not bound to rows",
        )
        .with_detail("The table had no primary key."));
    }
    if row_key.len() != found.primary_key.len() {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"row_key\" has another number of columns than the key of the table",
        )
        .with_detail(format!("The key is ({}).", found.primary_key.join(", "))));
    }
    journal::store::reveal("verify_lineage_row", 1)?;
    let of = |name: &str| store::column_type(&found.facts.schema_name, table, name);
    let mut keys = Vec::new();
    for (i, name) in (1..).zip(&found.primary_key) {
        let value = format!("(($1::pg_catalog.text[])[{i}])::{}", of(name)?);
        keys.push((quote(name), value));
    }
    let given: Vec<_> = keys.iter().map(|(_, value)| format!(", {value}")).collect();
    let is_row: Vec<_> = keys
        .iter()
        .map(|(name, value)| format!("t.{name} = {value}"))
        .collect();
    let before = format!(
        "SELECT confiture._run_mac(0, {}{}, $2::{})",
        keys.len(),
        given.concat(),
        of(column)?
    );
    let after = format!(
        "SELECT confiture._run_mac(0, {}{}, t.{}) FROM {} AS t WHERE {}",
        keys.len(),
        given.concat(),
        quote(column),
        found.relation,
        is_row.join(" AND "),
    );
    let args = [row_key.to_vec().into(), original.into()];
    let tracking = trackers::install(vec![Tracker::new(found.key.clone())]);
    let (before, after) = request::pinned(|| {
        let before = spi::one::<Vec<u8>>(&before, &args)?;
        let after = spi::one::<Vec<u8>>(&after, &args[..1])?;
        Ok::<_, Error>((before.unwrap_or_default(), after.unwrap_or_default()))
    })?;
    drop(tracking);
    let mut answer = "unknown";
    rows::store::each(&found.place, |chunk| {
        let pairs = chunk
            .original
            .chunks(WIDTH)
            .zip(chunk.anonymized.chunks(WIDTH));
        for (original, anonymized) in pairs {
            if original == before {
                answer = if anonymized == after {
                    "match"
                } else {
                    "differs"
                };
            }
        }
    })?;
    Ok(answer)
}

fn row_by_row(run_id: [u8; 16], table: &str, column: &str) -> Result<Found> {
    match find(run_id, table, column)? {
        Some(found) if found.commitment.shape == Shape::Rows => Ok(found),
        Some(_) => Err(Error::new(
            Kind::NotReady,
            "this run kept sums of its columns, not their rows",
        )
        .with_hint("Run with option \"lineage_rows\": true, or see verify_lineage_data.")),
        None => Err(
            Error::new(Kind::NotReady, "nothing opens what this run committed to")
                .with_detail("Its key was destroyed, or it committed to nothing."),
        ),
    }
}
