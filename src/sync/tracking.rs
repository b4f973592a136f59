//! From a plan to its trackers, and from what they saw to the lineage of the run.

use std::collections::BTreeMap;

use serde_json::json;

use super::checks::Check;
use super::evidence::Evidence;
use super::options::Lineage;
use super::plan::{Decision, Plan};
use super::trackers::{Seen, Tracker};
use super::watch::{self, Watch};
use crate::error::Result;
use crate::keys::Secret;
use crate::ledger::lineage::binding::RowBinding;
use crate::ledger::lineage::commitment::ColumnKey;
use crate::ledger::lineage::rows::{self, Place};
use crate::ledger::lineage::{self, store};
use crate::profile::canonical::params_hash;

/// One tracker per watched column, and the key of this run that they work with; `None` where there is
/// none.
///
/// # Errors
/// As the making of a key.
pub fn trackers(run: &Evidence<'_>, plan: &Plan) -> Result<(Vec<Tracker>, Option<Secret>)> {
    let lineage = run.request.options.lineage;
    let Lineage::Committed(commitment) = lineage else {
        return Ok((Vec::new(), None));
    };
    let watched = watch::trackers(plan);
    if watched.is_empty() {
        return Ok((Vec::new(), None));
    }
    let key = store::make_key(run.run_id)?;
    let trackers = watched
        .into_iter()
        .map(|(table, column)| {
            let key = ColumnKey::new(&key, commitment, &plan.target, table, column);
            let tracker = Tracker::new(key);
            if lineage.is_row_by_row() {
                tracker.row_by_row(Place {
                    run_id: run.run_id,
                    table: table.to_owned(),
                    column: column.to_owned(),
                })
            } else {
                tracker
            }
        })
        .collect();
    Ok((trackers, Some(key)))
}

/// Keeps what has not filled a chunk.
///
/// # Errors
/// As the interface.
pub fn keep_rest(seen: &[Seen]) -> Result<()> {
    for rows in seen.iter().filter_map(|seen| seen.rows.as_ref()) {
        if let Some(chunk) = &rows.rest {
            rows::store::keep(&rows.place, chunk)?;
        }
    }
    Ok(())
}

/// Whether the trackers have seen every row that was written. One that is not there has not.
pub fn all_seen(plan: &Plan, seen: &[Seen], loaded: &[(String, u64, f64)]) -> Vec<Check> {
    let rows: BTreeMap<_, _> = loaded
        .iter()
        .map(|(name, rows, _)| (&**name, *rows))
        .collect();
    watch::trackers(plan)
        .into_iter()
        .enumerate()
        .map(|(number, (table, column))| {
            let count = seen.get(number).map(|seen| seen.tally.rows());
            Check {
                passed: count.is_some() && rows.get(table).copied() == count,
                report: json!({"check": "lineage covers every row", "table": table,
                               "column": column, "seen": count}),
            }
        })
        .collect()
}

/// What the lineage says of the run: an entry for each masked column.
pub fn lineage(
    run: &Evidence<'_>,
    plan: &Plan,
    seen: &[Seen],
    loaded: &[(String, u64, f64)],
) -> Vec<lineage::Facts> {
    let seen: BTreeMap<_, _> = watch::trackers(plan).into_iter().zip(seen).collect();
    let mut entries = Vec::new();
    for (table, (_, rows, _)) in plan.tables.iter().zip(loaded) {
        let name = table.source.name.as_str();
        let binding = Watch::of(table).binding().name();
        for column in &table.columns {
            let Decision::Masked(masked) = &column.decision else {
                continue;
            };
            let kind = masked.strategy.kind();
            let facts = lineage::Facts {
                source_schema: plan.source.clone(),
                schema_name: plan.target.clone(),
                table_name: name.to_owned(),
                column_name: column.name.clone(),
                rows_seen: number(*rows),
                commitment: "none".to_owned(),
                row_binding: RowBinding::None.name(),
                strategy: kind.name().to_owned(),
                strategy_version: kind.version().into(),
                strategy_params_hash: params_hash(masked.strategy.effective_params()).to_vec(),
                reversible: masked.strategy.is_reversible(),
                ..lineage::Facts::default()
            };
            let seen = seen.get(&(name, column.name.as_str()));
            entries.push(match (run.request.options.lineage, seen) {
                (Lineage::Committed(commitment), Some(Seen { tally, rows })) => {
                    let [original, anonymized] = match rows {
                        Some(rows) => rows.roots,
                        None => [tally.original.seal(), tally.anonymized.seal()],
                    };
                    lineage::Facts {
                        rows_changed: Some(number(tally.changed)),
                        rows_unchanged: Some(number(tally.unchanged)),
                        nulls: Some(number(tally.nulls)),
                        original_hash: Some(original.to_vec()),
                        anonymized_hash: Some(anonymized.to_vec()),
                        commitment: commitment.name().to_owned(),
                        row_binding: binding.clone(),
                        run_key_id: Some(run.run_id),
                        ..facts
                    }
                }
                _ => facts,
            });
        }
    }
    entries
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
