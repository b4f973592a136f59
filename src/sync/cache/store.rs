//! What the planner knows of the columns of a run.

use std::collections::BTreeMap;

use super::worth::Statistics;
use super::{Verdicts, judged};
use crate::error::Result;
use crate::pg::spi;
use crate::sync::options::Cache;
use crate::sync::plan::Plan;
use crate::sync::redraw::Named;

/// Which masked columns of a plan have their outputs kept.
///
/// # Errors
/// XX000 when the interface fails.
pub fn verdicts(plan: &Plan, asked: Cache) -> Result<Verdicts> {
    let known = match (asked, plan.masked()) {
        (Cache::Off, _) | (_, 0) => BTreeMap::new(),
        (Cache::Auto, _) => statistics(plan)?,
    };
    Ok(judged(plan, &known, asked))
}

/// By the view that shows a caller the statistics of what that caller may read.
fn statistics(plan: &Plan) -> Result<BTreeMap<Named, Statistics>> {
    let tables: Vec<String> = plan
        .tables
        .iter()
        .map(|table| table.source.name.clone())
        .collect();
    let found = spi::read(
        "SELECT s.tablename::pg_catalog.text, s.attname::pg_catalog.text,
                s.n_distinct::pg_catalog.float8, s.null_frac::pg_catalog.float8,
                s.avg_width::pg_catalog.float8
           FROM pg_catalog.pg_stats s
          WHERE s.schemaname = $1 AND s.tablename::pg_catalog.text = ANY ($2)",
        &[plan.source.as_str().into(), tables.into()],
        |row| {
            let place = (row.required::<String>(1)?, row.required::<String>(2)?);
            let of = Statistics {
                n_distinct: row.required(3)?,
                null_frac: row.required(4)?,
                avg_width: row.required(5)?,
            };
            Ok((place, of))
        },
    )?;
    Ok(found.into_iter().collect())
}
