//! Holding the target against what a run committed to, whenever somebody asks.

use super::trackers::{self, Tracker};
use super::{planner, request, store, trust, workers};
use crate::error::{Error, Kind, Result};
use crate::ledger::lineage::Facts;
use crate::ledger::lineage::binding::RowBinding;
use crate::ledger::lineage::commitment::{ColumnKey, Commitment, Shape, Sum};
use crate::ledger::lineage::rows::{self, Place, Roots, WIDTH};
use crate::ledger::lineage::store as lineage;
use crate::pg::ident::{qualified, quote};
use crate::pg::subxact::in_our_words;
use crate::pg::{heap, spi};

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
/// As [`find`]. Server errors unwind.
pub fn recheck(run_id: [u8; 16], table: &str, column: &str) -> Result<Comparison> {
    let Some(found) = find(run_id, table, column)? else {
        return Ok(Comparison::Unverifiable);
    };
    let Some(row_key) = found.key_of_rows() else {
        return Ok(Comparison::Unverifiable);
    };
    let value = format!(", t.{}", quote(column));
    let arguments = format!("{}{value}{value}", row_key.concat());
    let query = format!(
        "SELECT pg_catalog.count(*) FROM {} AS t WHERE confiture._run_track(0, {}{arguments})",
        found.relation,
        row_key.len(),
    );
    let tracking = trackers::install(vec![Tracker::new(found.key.clone())]);
    in_our_words("the column cannot be read", || {
        request::pinned(|| workers::alone(|| spi::read(&query, &[], |_| Ok(()))))
    })?;
    let seen = tracking.finish().into_iter().next();
    let sum = seen.map(|seen| seen.tally.anonymized).unwrap_or_default();
    let is_same = match found.commitment.shape {
        Shape::Sum => found.facts.anonymized_hash.as_deref() == Some(sum.seal().as_slice()),
        Shape::Rows => match found.stored_sum()? {
            Some(stored) => stored == sum,
            None => return Ok(Comparison::Unverifiable),
        },
    };
    Ok(if is_same {
        Comparison::Match
    } else {
        Comparison::Differs
    })
}

/// A column that a run committed to, and what opens the commitment.
pub struct Found {
    /// What the lineage says of it.
    pub facts: Facts,
    /// How it is committed to.
    pub commitment: Commitment,
    /// What hashes its values.
    pub key: ColumnKey,
    /// The table, for a FROM clause.
    pub relation: String,
    /// What its values are bound to.
    pub binding: RowBinding,
    /// The columns of its primary key, as it is now.
    primary_key: Vec<String>,
    /// Where its rows are kept.
    pub place: Place,
}

/// Finds what a run committed to; `None` where there is nothing, or no key that opens it.
///
/// # Errors
/// 42703 when a column of the key of rows is gone, 42704 when the lineage has no such entry, 42P01 when the table is gone; 42501 when code of a
/// weaker role would run to read it; 55000 when the key that opens the key of the run is not
/// available.
pub fn find(run_id: [u8; 16], table: &str, column: &str) -> Result<Option<Found>> {
    let Some(entry) = lineage::find(run_id, table, column)? else {
        return Err(Error::new(
            Kind::UndefinedObject,
            "the lineage has no entry of this run about this column",
        )
        .with_hint("See confiture.lineage_columns."));
    };
    let facts = entry.facts;
    let Ok(commitment) = Commitment::of(&facts.commitment) else {
        return Ok(None);
    };
    let Some(binding) = RowBinding::of(&facts.row_binding) else {
        return Ok(None);
    };
    let Some(key) = lineage::key(run_id)? else {
        return Ok(None);
    };
    let (kind, primary_key) = request::pinned(|| held(&facts.schema_name, table))?;
    let only = if kind == 'r' { "ONLY " } else { "" };
    Ok(Some(Found {
        key: ColumnKey::new(&key, commitment, &facts.schema_name, table, column),
        relation: format!("{only}{}", qualified(&facts.schema_name, table)),
        place: Place {
            run_id,
            table: table.to_owned(),
            column: column.to_owned(),
        },
        facts,
        commitment,
        binding,
        primary_key,
    }))
}

/// Holds a table, so that what is looked at is what is read: its kind, and the columns of its
/// primary key.
///
/// # Errors
/// 42P01 when it is gone; 42501 when code of a weaker role would run to read it.
fn held(schema: &str, table: &str) -> Result<(char, Vec<String>)> {
    heap::hold(schema, table);
    let Some(found) = store::keyed_table(schema, table)? else {
        return Err(Error::new(
            Kind::UndefinedTable,
            format!("table \"{schema}.{table}\" does not exist"),
        ));
    };
    let mut problems = Vec::new();
    let side = store::side(schema, &[table.to_owned()])?;
    let tables: Vec<_> = side.tables.iter().map(|table| table.oid).collect();
    let types: Vec<_> = side.types.iter().map(|of| of.oid).collect();
    trust::check(&store::code(schema, &tables, &types, &[])?, &mut problems);
    trust::check_read(&side, &mut problems);
    planner::first(problems)?;
    Ok(found)
}

impl Found {
    /// The key of a row `t` as arguments behind others; `None` where it is not known to which
    /// columns a value is bound.
    pub fn key_of_rows(&self) -> Option<Vec<String>> {
        match &self.binding {
            RowBinding::Key(columns) => {
                let argument = |name: &String| format!(", t.{}", quote(name));
                Some(columns.iter().map(argument).collect())
            }
            // The word of a script: the key as text, which a key of one column has by itself.
            RowBinding::Text => match self.primary_key.as_slice() {
                [name] => Some(vec![format!(", (t.{})::pg_catalog.text", quote(name))]),
                _ => None,
            },
            RowBinding::None => Some(Vec::new()),
        }
    }

    /// The sum of the hashes that are kept of the stored values; `None` where they are not those
    /// that the entry commits to.
    ///
    /// # Errors
    /// As the interface.
    pub fn stored_sum(&self) -> Result<Option<Sum>> {
        let (mut sum, mut roots) = (Sum::default(), Roots::default());
        rows::store::each(&self.place, |chunk| {
            roots.push(chunk);
            for hash in chunk.anonymized.chunks_exact(WIDTH) {
                sum.add(&hash.try_into().unwrap_or_default());
            }
        })?;
        let facts = &self.facts;
        let (Some(original), Some(anonymized)) = (&facts.original_hash, &facts.anonymized_hash)
        else {
            return Ok(None);
        };
        let are = roots.are(facts.rows_seen.unsigned_abs(), original, anonymized);
        Ok(are.then_some(sum))
    }
}
