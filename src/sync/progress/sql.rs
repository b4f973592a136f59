//! What SQL sees of runs that go on.

use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::store;
use crate::error::given;
use crate::pg::server;

/// The runs of this database that go on, as rows of the view `confiture.sync_progress`.
#[pg_extern(
    schema = "confiture",
    name = "_sync_progress",
    volatile,
    parallel_restricted
)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn sync_progress() -> Result<
    TableIterator<
        'static,
        (
            name!(run_id, String),
            name!(pid, i32),
            name!(user_name, String),
            name!(profile_name, String),
            name!(profile_version, String),
            name!(source_schema, String),
            name!(target_schema, String),
            name!(phase, String),
            name!(table_name, Option<String>),
            name!(rows_done, Option<i64>),
            name!(rows_estimated, Option<i64>),
            name!(rows_per_second, Option<i64>),
            name!(tables_done, i64),
            name!(tables, i64),
            name!(rows_total, i64),
            name!(percent, Option<i32>),
            name!(seconds_left, Option<i64>),
            name!(is_paused, bool),
            name!(started_at, Option<TimestampWithTimeZone>),
            name!(phase_started_at, Option<TimestampWithTimeZone>),
        ),
    >,
    ErrorReport,
> {
    let now = server::now();
    let rows = store::going()?.into_iter().map(move |going| {
        let (about, standing) = (going.about, going.standing);
        let table = standing.table.and_then(|place| about.tables.get(place));
        (
            about.run.clone(),
            going.pid,
            about.user.clone(),
            about.profile.clone(),
            about.version.clone(),
            about.source.clone(),
            about.target.clone(),
            standing.phase.clone(),
            table.map(|of| of.name.clone()),
            table.map(|_| standing.rows.cast_signed()),
            table.map(|of| whole(of.rows)),
            standing.rate(now).map(whole),
            standing.tables_loaded.cast_signed(),
            i64::try_from(about.tables.len()).unwrap_or(i64::MAX),
            (standing.rows_loaded + standing.rows).cast_signed(),
            standing.percent(&about),
            standing.left(&about, now).map(whole),
            going.is_paused,
            moment(standing.began),
            moment(standing.phase_began),
        )
    });
    Ok(TableIterator::new(rows.collect::<Vec<_>>()))
}

/// Has a run in mode swap wait while it loads, until [`continue_run`], a cancel, or its end. It keeps
/// its locks and its view of the source. Whether it was not to wait before.
///
/// For whoever may cancel its statement: the role that called it, its members, and those of
/// `pg_signal_backend` where it is no superuser.
#[pg_extern(schema = "confiture", volatile, parallel_restricted)]
fn pause_run(run: Option<Uuid>) -> Result<bool, ErrorReport> {
    Ok(store::pause(*given("run", run)?.as_bytes(), true)?)
}

/// Lets a run go on that [`pause_run`] has stopped. Whether it was to wait before.
#[pg_extern(schema = "confiture", volatile, parallel_restricted)]
fn continue_run(run: Option<Uuid>) -> Result<bool, ErrorReport> {
    Ok(store::pause(*given("run", run)?.as_bytes(), false)?)
}

#[allow(clippy::cast_possible_truncation, reason = "an estimate")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

fn moment(at: i64) -> Option<TimestampWithTimeZone> {
    TimestampWithTimeZone::try_from(at).ok()
}
