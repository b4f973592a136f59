//! What SQL sees of runs measured against each other.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Found, Part, Verdict, compare, profile, store};
use crate::error::{Error, Kind, given};

/// Holds the newest run of a profile against those before it, part by part: what is slower first.
#[pg_extern(schema = "confiture", stable, parallel_restricted)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn check_regression(
    profile: Option<&str>,
    runs: default!(Option<i32>, "10"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(part, &'static str),
            name!(table_name, Option<String>),
            name!(column_name, Option<String>),
            name!(strategy, Option<String>),
            name!(phase, Option<String>),
            name!(nanoseconds, i64),
            name!(median, Option<i64>),
            name!(deviation, Option<i64>),
            name!(ratio, Option<f64>),
            name!(runs, i32),
            name!(verdict, &'static str),
        ),
    >,
    ErrorReport,
> {
    let profile = given("profile", profile)?;
    let most = given("runs", runs)?;
    if !(3..=1000).contains(&most) {
        return Err(Error::new(
            Kind::InvalidParameter,
            "invalid value for argument \"runs\"",
        )
        .with_detail("It must be between 3 and 1000.")
        .into());
    }
    let all = store::runs(profile, most + 1)?;
    let Some((newest, before)) = all.split_first() else {
        return Err(Error::new(
            Kind::UndefinedObject,
            format!("no run of profile \"{profile}\" is on record with its times"),
        )
        .with_hint("See confiture.run_history.")
        .into());
    };
    let mut found = compare(newest, before);
    let is_slower = |found: &Found| found.verdict == Verdict::Slower;
    found.sort_by(|one, other| {
        let first = is_slower(other).cmp(&is_slower(one));
        first.then_with(|| ratio(other).total_cmp(&ratio(one)))
    });
    Ok(TableIterator::new(found.into_iter().map(|found| {
        let ratio = found
            .median
            .filter(|median| *median > 0.0)
            .map(|_| (ratio(&found) * 100.0).round() / 100.0);
        let (now, median) = (whole(found.now), found.median.map(whole));
        let deviation = found.deviation.map(whole);
        let runs = i32::try_from(found.runs).unwrap_or(i32::MAX);
        let verdict = found.verdict.name();
        let (part, table, column, strategy, phase) = match found.part {
            Part::Run => ("run", None, None, None, None),
            Part::Phase(phase) => ("phase", None, None, None, Some(phase)),
            Part::Table(table) => ("table", Some(table), None, None, None),
            Part::Column {
                table,
                column,
                strategy,
            } => ("strategy", Some(table), Some(column), Some(strategy), None),
        };
        (
            part, table, column, strategy, phase, now, median, deviation, ratio, runs, verdict,
        )
    })))
}

/// Where the time of a run went, what took longest first; of the newest complete run without a number.
#[pg_extern(schema = "confiture", stable, parallel_restricted)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn profile_run(
    run: default!(Option<pgrx::Uuid>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(part, String),
            name!(table_name, Option<String>),
            name!(column_name, Option<String>),
            name!(strategy, Option<String>),
            name!(seconds, f64),
            name!(percent, f64),
        ),
    >,
    ErrorReport,
> {
    let Some((strategies, details)) = store::entry(run)? else {
        return Err(Error::new(
            Kind::UndefinedObject,
            "no such run is on record with its times",
        )
        .with_hint("See confiture.run_history.")
        .into());
    };
    let mut shares = profile::profile(&strategies, &details);
    shares.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    let all: f64 = shares.iter().map(|share| share.seconds).sum();
    let percent = move |seconds: f64| {
        if all > 0.0 {
            seconds * 100.0 / all
        } else {
            0.0
        }
    };
    Ok(TableIterator::new(shares.into_iter().map(move |share| {
        (
            share.part,
            share.table,
            share.column,
            share.strategy,
            (share.seconds * 1000.0).round() / 1000.0,
            (percent(share.seconds) * 10.0).round() / 10.0,
        )
    })))
}

fn ratio(found: &Found) -> f64 {
    let median = found.median.filter(|median| *median > 0.0);
    median.map_or(1.0, |median| found.now / median)
}

#[allow(clippy::cast_possible_truncation, reason = "nanoseconds")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}
