//! What SQL sees of the timers of an incident.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::compliance::calendar::shown;
use crate::compliance::matrix::store::{Depth, ground, zone};
use crate::compliance::{controller, doubt};
use crate::error::{Result, given};

/// When authorities and those whose data they are must be told of a declared incident, under every
/// law, the earliest first.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn incident_deadlines(
    incident: Option<&str>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(due, Option<TimestampWithTimeZone>),
            name!(due_there, Option<String>),
            name!(jurisdiction, String),
            name!(addressee, String),
            name!(status, String),
            name!(deadline, String),
            name!(requirement, String),
            name!(cite, String),
            name!(told, Option<TimestampWithTimeZone>),
            name!(note, String),
            name!(doubts, Vec<String>),
        ),
    >,
    ErrorReport,
> {
    let id = given("incident", incident)?;
    let mut ground = ground(None, None, false, Depth::Triggers)?;
    // One that is declared for a day to come has its timers too.
    let facts = &mut ground.facts;
    if facts.controller.find("incident", id).is_none() {
        let declared = controller::store::on(&facts.day)?;
        let incident = declared.find("incident", id).cloned();
        let incident = incident.map(|incident| incident.happened(&facts.day, ground.now));
        facts.controller.facts.extend(incident);
    }
    let timers = super::timers(&ground.rules, &ground.facts, id, ground.now, &zone)?;
    let rows: Vec<_> = timers
        .into_iter()
        .map(|timer| {
            let there = timer
                .due
                .map(|due| shown(due, zone(&timer.zone).as_ref()))
                .transpose()?;
            Ok((
                timer.due.and_then(moment),
                there,
                timer.requirement.jurisdiction.clone(),
                timer.deadline.to.name().to_owned(),
                timer.status.name().to_owned(),
                timer.deadline.span.to_string(),
                timer.requirement.id.clone(),
                timer.requirement.cite.clone(),
                timer.told.and_then(moment),
                timer.note,
                doubt::lines(timer.doubts),
            ))
        })
        .collect::<Result<_>>()?;
    Ok(TableIterator::new(rows))
}

fn moment(at: i64) -> Option<TimestampWithTimeZone> {
    TimestampWithTimeZone::try_from(at).ok()
}
