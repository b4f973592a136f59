//! Row by row, where a run kept that: which rows of the target are not as it left them, and whether
//! a value was made of a given one.

use super::recheck::{Found, find};
use super::trackers::{self, Tracker};
use super::{request, store};
use crate::error::{Error, Kind, Result};
use crate::ledger::journal;
use crate::ledger::lineage::binding::RowBinding;
use crate::ledger::lineage::commitment::Shape;
use crate::ledger::lineage::rows::{self, WIDTH};
use crate::pg::ident::quote;
use crate::pg::spi;
use crate::pg::subxact::{Failure, guarded, in_our_words};

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
    let columns = match &found.binding {
        RowBinding::Key(columns) => columns.as_slice(),
        RowBinding::Text | RowBinding::None => &[],
    };
    let texts: Vec<_> = columns
        .iter()
        .map(|name| format!("(t.{})::pg_catalog.text", quote(name)))
        .collect();
    // Where rows have no key, equal values have equal hashes: each is held against one of them.
    let nth = |mac: &str| match keys.is_empty() {
        true => format!("pg_catalog.row_number() OVER (PARTITION BY {mac})"),
        false => "1::bigint".to_owned(),
    };
    let kept = format!(
        "SELECT m.mac, {} AS nth FROM (SELECT pg_catalog.substr(c.anonymized_macs, {WIDTH} OPERATOR(pg_catalog.*) i
                OPERATOR(pg_catalog.+) 1, {WIDTH}) AS mac
           FROM ONLY confiture.lineage_row_chunk AS c
          CROSS JOIN LATERAL pg_catalog.generate_series(0, pg_catalog.length(c.anonymized_macs)
                OPERATOR(pg_catalog./) {WIDTH} OPERATOR(pg_catalog.-) 1) AS i
          WHERE c.run_id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid AND c.table_name OPERATOR(pg_catalog.=) $2
            AND c.column_name OPERATOR(pg_catalog.=) $3) AS m",
        nth("m.mac"),
    );
    let there = format!(
        "SELECT m.row_key, m.mac, {} AS nth
           FROM (SELECT ARRAY[{}]::pg_catalog.text[] AS row_key,
                        confiture._run_mac($4, {}{}, t.{}) AS mac
                   FROM {} AS t OFFSET 0) AS m",
        nth("m.mac"),
        texts.join(", "),
        keys.len(),
        keys.concat(),
        quote(column),
        found.relation,
    );
    let differing = format!(
        "SELECT n.row_key FROM ({there}) AS n LEFT JOIN ({kept}) AS k
             ON k.mac OPERATOR(pg_catalog.=) n.mac AND k.nth OPERATOR(pg_catalog.=) n.nth
          WHERE k.mac IS NULL LIMIT {most}"
    );
    let missing = format!(
        "SELECT pg_catalog.count(*) FROM ({kept}) AS k LEFT JOIN ({there}) AS n
             ON n.mac OPERATOR(pg_catalog.=) k.mac AND n.nth OPERATOR(pg_catalog.=) k.nth
          WHERE n.mac IS NULL"
    );
    let (_tracking, secret) = trackers::install_secretly(Tracker::new(found.key.clone()))?;
    let run = hex::encode(run_id);
    let args = [
        run.as_str().into(),
        table.into(),
        column.into(),
        secret.into(),
    ];
    let read = || {
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
    };
    in_our_words("the column cannot be read", || request::pinned(read))
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
    let RowBinding::Key(columns) = &found.binding else {
        return Err(Error::new(
            Kind::NotReady,
            "the values of this column are not bound to rows",
        )
        .with_detail("The table had no primary key when the run wrote it."));
    };
    if row_key.len() != columns.len() {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"row_key\" has another number of columns than the key of the table",
        )
        .with_detail(format!("The key is ({}).", columns.join(", "))));
    }
    journal::store::reveal("verify_lineage_row", 1)?;
    let (tracking, secret) = trackers::install_secretly(Tracker::new(found.key.clone()))?;
    let (before, after) = match guarded(|| hashes(&found, columns, row_key, original, secret)) {
        Ok(hashes) => hashes,
        Err(Failure::Own(error)) => return Err(error),
        // Its words may hold something of what was handed in, but not where they are of rights,
        // cancels, locks and columns that are gone.
        Err(Failure::Server(error))
            if ["40P01", "42501", "42703", "55P03", "57014"].contains(&error.sqlstate.as_str()) =>
        {
            return Err(Error::new(Kind::Server(error.sqlstate), error.message));
        }
        Err(Failure::Server(_)) => {
            return Err(Error::new(
                Kind::InvalidParameter,
                "what was given cannot be held against the table",
            )
            .with_detail("The original, or a part of the key, is no value of its column.")
            .with_hint("Give the key as verify_lineage_rows does."));
        }
    };
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

/// The hash of the original, if it is a value of its column, and that of what stands in the row, if
/// it is there.
fn hashes(
    found: &Found,
    columns: &[String],
    row_key: &[String],
    original: Option<&str>,
    secret: i64,
) -> Result<(Vec<u8>, Vec<u8>)> {
    request::pinned(|| {
        let of =
            |name: &str| store::column_type(&found.facts.schema_name, &found.place.table, name);
        let (mut given, mut stored) = (String::new(), String::new());
        let (mut is_row, mut is_key) = (Vec::new(), vec!["true".to_owned()]);
        for (i, name) in (1..).zip(columns) {
            let (of, name) = (of(name)?, quote(name));
            let value = format!("(($1::pg_catalog.text[])[{i}])::{}", of.name);
            // Operators of other types may be anybody's.
            is_row.push(match of.is_builtin {
                true => format!("t.{name} = {value}"),
                false => format!("(t.{name})::pg_catalog.text = ({value})::pg_catalog.text"),
            });
            is_key.extend(is_whole(&of, &format!("($1::pg_catalog.text[])[{i}]")));
            given.push_str(&format!(", {value}"));
            stored.push_str(&format!(", t.{name}"));
        }
        let of = of(&found.place.column)?;
        let column = quote(&found.place.column);
        let value = format!("$2::pg_catalog.text::{}", of.name);
        let is_whole = is_whole(&of, "$2::pg_catalog.text").map_or_else(
            || "true".to_owned(),
            |whole| format!("({whole}) IS NOT FALSE"),
        );
        let is_key = is_key.join(" AND ");
        let count = columns.len();
        let args = [row_key.to_vec().into(), original.into(), secret.into()];
        // The key as it stands in the row, which may be written in more than one way.
        let there = format!(
            "SELECT CASE WHEN {is_whole} THEN confiture._run_mac($3, {count}{stored}, {value}) END,
                    confiture._run_mac($3, {count}{stored}, t.{column})
               FROM {} AS t WHERE {} AND {is_key}",
            found.relation,
            is_row.join(" AND "),
        );
        let read = |row: &spi::Row<'_>| {
            Ok((
                row.get::<Vec<u8>>(1)?.unwrap_or_default(),
                row.get::<Vec<u8>>(2)?.unwrap_or_default(),
            ))
        };
        if let Some(hashes) = spi::rows(&there, &args, read)?.into_iter().next() {
            return Ok(hashes);
        }
        let gone = format!(
            "SELECT CASE WHEN {is_whole} THEN confiture._run_mac($3, {count}{given}, {value}) END,
                    NULL::pg_catalog.bytea WHERE {is_key}"
        );
        let hashes = spi::rows(&gone, &args, read)?.into_iter().next();
        Ok(hashes.unwrap_or_default())
    })
}

/// A condition that a text is a value of its column as it stands: a cast cuts what is too long, and
/// rounds; `None` where it does neither.
fn is_whole(of: &store::ColumnType, text: &str) -> Option<String> {
    let uncut = of.uncut.as_ref()?;
    Some(format!(
        "({text})::{uncut} OPERATOR(pg_catalog.=) (({text})::{})::{uncut}",
        of.name
    ))
}

fn row_by_row(run_id: [u8; 16], table: &str, column: &str) -> Result<Found> {
    match find(run_id, table, column)? {
        Some(found) if found.commitment.shape == Shape::Rows => {
            // What is kept beside the ledger says nothing but with it.
            if found.stored_sum()?.is_none() {
                return Err(Error::new(
                    Kind::Corrupt,
                    "the hashes kept of this column are not those that the run committed to",
                )
                .with_hint("Run confiture.verify_ledger."));
            }
            Ok(found)
        }
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
