//! What SQL sees of many servers. Nothing here appends.

use pgrx::JsonB;
use pgrx::datum::{Interval, Uuid};
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Question, servers as read_servers, store};
use crate::error::{Error, Kind, Result, given};
use crate::pg::argument::Document;

/// Verifies the ledgers of servers that mask with one key, and holds them against each other: the
/// same profile, strategies, key, seeds and salts, no server twice, none missing.
///
/// `servers` is a list of objects: `server`, a name; `ledger`, the table or foreign table with the
/// lines of export_ledger; `anchor_keys` and `anchors`, kept outside. The first row is about all.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn verify_fleet(
    servers: Option<Document>,
    profile: default!(Option<&str>, "NULL"),
    expected: default!(Option<Vec<Option<Uuid>>>, "NULL"),
    within: default!(Option<Interval>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(server, Option<String>),
            name!(check_code, String),
            name!(status, String),
            name!(chain, Option<String>),
            name!(seq_from, Option<i64>),
            name!(seq_to, Option<i64>),
            name!(detail, String),
            name!(facts, JsonB),
        ),
    >,
    ErrorReport,
> {
    let servers = read_servers(given("servers", servers)?.read()?)?;
    let question = Question {
        profile: profile.map(str::to_owned),
        expected: expected
            .map(|logs| logs.into_iter().map(log).collect())
            .transpose()?,
        within: within.map(|within| micros(&within)).transpose()?,
    };
    let rows = store::verify(&servers, &question)?;
    Ok(TableIterator::new(rows.into_iter().map(|row| {
        (
            row.server,
            row.code.to_owned(),
            row.status.to_owned(),
            row.chain.map(str::to_owned),
            row.seq_from,
            row.seq_to,
            row.detail,
            JsonB(row.facts),
        )
    })))
}

fn log(id: Option<Uuid>) -> Result<[u8; 16]> {
    Ok(*given("expected", id)?.as_bytes())
}

fn micros(interval: &Interval) -> Result<i64> {
    let days = i64::from(interval.days()).saturating_mul(86_400_000_000);
    let micros = interval.micros().saturating_add(days);
    if interval.months() != 0 || micros < 0 {
        return Err(Error::new(
            Kind::InvalidParameter,
            "within must be a length of time, without months or years",
        ));
    }
    Ok(micros)
}
