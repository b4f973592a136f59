//! What SQL sees of retention. The one entry that is appended here says what was pruned.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::store;
use crate::error::{Error, Kind, Result, given};
use crate::pg::user;

/// Takes the oldest whole part of the ledger that is older than `before` and covered by an anchor
/// out of it, into a file of `confiture.archive_directory`. On record.
///
/// No row where there is no such part. With `dry_run` nothing is written, and the row says what
/// would go. `anchors` is what export_anchor gave and was kept outside; without it those of
/// `confiture.anchor_directory` count.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn prune_ledger(
    before: Option<TimestampWithTimeZone>,
    dry_run: default!(Option<bool>, "false"),
    anchors: default!(Option<Vec<Option<String>>>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(first_seq, i64),
            name!(last_seq, i64),
            name!(entries, i64),
            name!(lineage, i64),
            name!(journal, i64),
            name!(file, String),
            name!(sha256, Option<String>),
        ),
    >,
    ErrorReport,
> {
    if !user::is_superuser(user::current()) {
        return Err(Error::new(Kind::Permission, "only superusers may prune the ledger").into());
    }
    let before = given("before", before)?.into();
    let dry_run = given("dry_run", dry_run)?;
    let anchors = anchors
        .map(|notes| {
            notes
                .into_iter()
                .map(|note| given("anchors", note))
                .collect()
        })
        .transpose()?;
    let pruned = store::prune(before, dry_run, anchors)?;
    Ok(TableIterator::new(pruned.into_iter().map(move |pruned| {
        let boundary = pruned.boundary;
        (
            boundary.first,
            boundary.last,
            boundary.count(),
            boundary.lineage.covered.count,
            boundary.journal.count,
            pruned.path,
            (!dry_run).then(|| hex::encode(boundary.archive)),
        )
    })))
}
