//! What SQL sees of the age of rows.

use pgrx::datum::Date;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::store;
use crate::compliance::controller::store::{asked, on};
use crate::compliance::inventory::Inventory;
use crate::sync::request::pinned;

/// Each retention rule that names a table, with the day of its oldest row and how many rows are older
/// than the rule allows; what the caller may not read is said.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn retention_overdue(
    as_of: default!(Option<Date>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(rule, String),
            name!(category, String),
            name!(table_name, String),
            name!(column_name, String),
            name!(longest, Option<String>),
            name!(oldest, Option<String>),
            name!(overdue, Option<i64>),
            name!(action, Option<String>),
            name!(problem, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let day = asked(as_of)?;
    let controller = on(&day)?;
    let mut found = Inventory::default();
    pinned(|| store::read(&mut found, &controller, &day, None))?;
    let mut rows = Vec::new();
    for age in found.ages {
        let Some(rule) = controller.find("retention_rule", &age.rule) else {
            continue;
        };
        let remark = age.remark();
        let said = age.problem.or(age.uncounted).into_iter().chain(remark);
        let said: Vec<_> = said.collect();
        // What a hold keeps is not to be done away with.
        let action = rule.text("action").filter(|_| age.hold.is_none());
        rows.push((
            age.rule,
            rule.text("category").unwrap_or_default(),
            rule.text("table").unwrap_or_default(),
            rule.text("column").unwrap_or_default(),
            rule.text("max"),
            age.oldest,
            age.overdue,
            action,
            (!said.is_empty()).then(|| said.join("; ")),
        ));
    }
    Ok(TableIterator::new(rows))
}
