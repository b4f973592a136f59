//! Requests of data subjects: until when each law wants one acknowledged, and answered.
//!
//! A request is received on a day, so that terms are reckoned in days, by the calendar of the law:
//! no clock and no zone take part.

#[cfg(test)]
mod tests;

use super::Facts;
use super::calendar::{Calendar, Span, Zone};
use super::controller::Fact;
use super::doubt::{self, Doubt};
use super::incident::Status;
use super::matrix::trigger;
use super::rules::parameter::{Addressee, Clock, Deadline, Ends};
use super::rules::read::shown_day;
use super::rules::{Requirement, Rules};
use crate::error::Result;
use crate::strategies::calendar::{DAY, parse_date};

/// A term of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Id of the request.
    pub request: String,
    /// Id of what asks for it.
    pub requirement: String,
    /// Where that is law.
    pub jurisdiction: String,
    /// What ends it.
    pub ends: Ends,
    /// Its last day; `None` without a number.
    pub due: Option<String>,
    /// Whether its extension was taken.
    pub is_extended: bool,
    /// When it was done.
    pub done: Option<String>,
    /// How it stands.
    pub status: Status,
    /// That nobody has said whether the law applies, where it is taken to.
    pub assumed: Option<Doubt>,
}

/// The terms of every declared request, as they stand on the day of the facts.
///
/// # Errors
/// 55000 for a calendar of holidays only.
pub fn terms(rules: &Rules, facts: &Facts) -> Result<Vec<Term>> {
    let is_term = |of: &&Deadline| of.to == Addressee::Requester && of.from == Clock::Receipt;
    let asked: Vec<_> = rules
        .requirements
        .iter()
        .map(|requirement| (requirement, trigger::decide(requirement, facts)))
        .filter(|(_, applies)| applies.is_taken)
        .flat_map(|(requirement, applies)| {
            let assumed = doubt::of_trigger(&requirement.id, &applies);
            let deadlines = requirement.params.deadlines.iter().filter(is_term);
            deadlines.map(move |deadline| (requirement, deadline, assumed.clone()))
        })
        .collect();
    let mut found = Vec::new();
    for request in facts.controller.of("rights_request") {
        let Some(received) = day(request, "received_on") else {
            continue;
        };
        for (requirement, deadline, assumed) in &asked {
            if !is_about(requirement, request) || !requirement.holds_on(received, false) {
                continue;
            }
            // Who withdrew his request waits for nothing.
            if is_withdrawn(request) && done(request, deadline.ends).is_none() {
                continue;
            }
            if let Some(calendar) = rules.calendar_of(requirement) {
                let day = &facts.day;
                found.push(Term {
                    assumed: assumed.clone(),
                    ..term(requirement, deadline, calendar, request, received, day)?
                });
            }
        }
    }
    Ok(found)
}

/// Whether a requirement is about such a request: of its jurisdiction and of its right.
fn is_about(requirement: &Requirement, request: &Fact) -> bool {
    let place = request.word("jurisdiction");
    let right = request.word("right").unwrap_or_default();
    place.is_none_or(|place| place == requirement.jurisdiction)
        && match requirement.rights.as_slice() {
            [] => right != "complaint",
            rights => rights.iter().any(|known| known == right),
        }
}

fn term(
    requirement: &Requirement,
    deadline: &Deadline,
    calendar: &Calendar,
    request: &Fact,
    received: i64,
    today: &str,
) -> Result<Term> {
    let mut due = last_day(calendar, received, deadline.span)?;
    let extended_in_time = day(request, "extended_on").zip(due);
    let extension = deadline
        .extended
        .filter(|_| extended_in_time.is_some_and(|(told, due)| told <= due));
    if let Some(span) = extension {
        due = last_day(calendar, received, span)?;
    }
    let done = done(request, deadline.ends);
    let due = due.map(shown_day);
    let status = match (done, due.as_deref()) {
        // Nobody answers what he has not received.
        (Some(done), _) if parse_date(done).is_some_and(|done| i64::from(done) < received) => {
            Status::Unknown
        }
        (Some(done), Some(due)) if done > due => Status::Late,
        (Some(_), _) => Status::Done,
        (None, Some(due)) if today > due => Status::Overdue,
        (None, _) => Status::Open,
    };
    Ok(Term {
        request: request.id.clone(),
        requirement: requirement.id.clone(),
        jurisdiction: requirement.jurisdiction.clone(),
        ends: deadline.ends,
        due,
        is_extended: extension.is_some(),
        done: done.map(str::to_owned),
        status,
        assumed: None,
    })
}

/// Whether its data subject took it back, and nobody answered it.
pub fn is_withdrawn(request: &Fact) -> bool {
    request.word("decision") == Some("withdrawn") && !request.has("responded_on")
}

/// When what ends a term was done. An answer acknowledges too: the earlier of both counts.
fn done(request: &Fact, ends: Ends) -> Option<&str> {
    let answered = request.word("responded_on");
    match ends {
        Ends::Answer => answered,
        Ends::Acknowledgment => {
            let both = [request.word("acknowledged_on"), answered];
            both.into_iter().flatten().min()
        }
    }
}

fn day(request: &Fact, field: &str) -> Option<i64> {
    request.word(field).and_then(parse_date).map(i64::from)
}

/// The last day of a span; none without a number, or for a day that is far from now.
fn last_day(calendar: &Calendar, received: i64, span: Span) -> Result<Option<i64>> {
    const CENTURY: i64 = 36_524;
    if !(-CENTURY..=2 * CENTURY).contains(&received) {
        return Ok(None);
    }
    let end = calendar.due(received * DAY, span, &Days)?;
    Ok(end.map(|end| end.div_euclid(DAY)))
}

/// Days, whatever the zone.
struct Days;

impl Zone for Days {
    fn wall(&self, moment: i64) -> Result<i64> {
        Ok(moment)
    }

    fn moment(&self, wall: i64) -> Result<i64> {
        Ok(wall)
    }
}
