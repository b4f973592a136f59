//! One incident, one set of timers: when each authority and those whose data they are must be told.

pub mod sql;
#[cfg(test)]
mod tests;

use super::Facts;
use super::calendar::Zone;
use super::controller::Fact;
use super::matrix::trigger;
use super::rules::parameter::{Addressee, Clock, Deadline};
use super::rules::{Kind as Sort, Requirement, Rules};
use crate::error::{Error, Kind, Result};
use crate::strategies::calendar::{DAY, parse_time};

/// How a timer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs.
    Open,
    /// It ran out.
    Overdue,
    /// They were told in time.
    Done,
    /// They were told after it had run out.
    Late,
    /// It has not begun: what starts it has not happened.
    Waiting,
}

impl Status {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Done => "done",
            Self::Late => "late",
            Self::Waiting => "waiting",
        }
    }
}

/// A timer.
#[derive(Clone, Debug, PartialEq)]
pub struct Timer<'a> {
    /// What asks for it.
    pub requirement: &'a Requirement,
    /// Its deadline.
    pub deadline: Deadline,
    /// When it began; `None` before it has.
    pub started: Option<i64>,
    /// When it ends; `None` without a number.
    pub due: Option<i64>,
    /// When they were told.
    pub told: Option<i64>,
    /// How it stands.
    pub status: Status,
    /// The zone of the authority.
    pub zone: String,
    /// What else is to be known.
    pub note: String,
}

/// The moments of an incident.
struct Moments {
    known: i64,
    determined: Option<i64>,
    authority: Option<i64>,
    complement: Option<i64>,
    subjects: Option<i64>,
}

/// The timers of a declared incident, the earliest end first; those without a number come last.
///
/// # Errors
/// 42704 when no such incident is declared, 22023 when a moment of it cannot be read; what zones
/// return.
pub fn timers<'a>(
    rules: &'a Rules,
    facts: &Facts,
    id: &str,
    now: i64,
    zone: &dyn Fn(&str) -> Box<dyn Zone>,
) -> Result<Vec<Timer<'a>>> {
    let incident = facts.controller.find("incident", id).ok_or_else(|| {
        Error::new(
            Kind::UndefinedObject,
            format!("incident \"{}\" is not declared", super::matrix::shown(id)),
        )
        .with_hint("Declare it, section incidents, with confiture.load_controller.")
    })?;
    let moments = moments(incident)?;
    let day = moments.known.div_euclid(DAY);
    let places = incident.list("jurisdictions");
    let mut found = Vec::new();
    for requirement in &rules.requirements {
        let is_asked = requirement.kind == Sort::Breach
            && requirement.holds_on(day, false)
            && (places.is_empty() || places.contains(&requirement.jurisdiction.as_str()));
        if !is_asked || !trigger::decide(requirement, facts).is_taken {
            continue;
        }
        for deadline in &requirement.params.deadlines {
            found.push(timer(rules, requirement, *deadline, &moments, now, zone)?);
        }
    }
    found.sort_by(|a, b| {
        let key = |timer: &Timer<'_>| (timer.due.is_none(), timer.due);
        (key(a), &a.requirement.id).cmp(&(key(b), &b.requirement.id))
    });
    plan_without_number(&mut found);
    Ok(found)
}

fn moments(incident: &Fact) -> Result<Moments> {
    let read = |field: &str| -> Result<Option<i64>> {
        let Some(text) = incident.word(field) else {
            return Ok(None);
        };
        parse_time(text, true).map(Some).ok_or_else(|| {
            Error::new(
                Kind::InvalidParameter,
                format!("\"{field}\" of incident \"{}\" is no moment", incident.id),
            )
        })
    };
    let known = read("known_at")?.ok_or_else(|| {
        Error::new(
            Kind::InvalidParameter,
            format!(
                "incident \"{}\" does not say when it was known",
                incident.id
            ),
        )
        .with_hint("Declare known_at.")
    })?;
    Ok(Moments {
        known,
        determined: read("determined_at")?,
        authority: read("authority_notified_at")?,
        complement: read("authority_complemented_at")?,
        subjects: read("subjects_notified_at")?,
    })
}

fn timer<'a>(
    rules: &'a Rules,
    requirement: &'a Requirement,
    deadline: Deadline,
    moments: &Moments,
    now: i64,
    zone: &dyn Fn(&str) -> Box<dyn Zone>,
) -> Result<Timer<'a>> {
    let calendar = rules.calendar_of(requirement).ok_or_else(|| {
        Error::new(
            Kind::Internal,
            format!("requirement \"{}\" has no calendar", requirement.id),
        )
    })?;
    let mut notes = vec![deadline.from.words().to_owned()];
    let started = match deadline.from {
        Clock::Notice => moments.authority,
        Clock::Determination => {
            if moments.determined.is_none() {
                notes.push("determined_at is not declared, known_at is taken".to_owned());
            }
            moments.determined.or(Some(moments.known))
        }
        _ => Some(moments.known),
    };
    let due = match started {
        Some(started) => calendar.due(started, deadline.span, zone(&calendar.zone).as_ref())?,
        None => None,
    };
    let told = match (deadline.to, deadline.from) {
        // The first notice starts this timer, its complement ends it.
        (_, Clock::Notice) => moments.complement,
        (Addressee::Authority, _) => moments.authority,
        (Addressee::Subjects, _) => moments.subjects,
        _ => moments.determined,
    };
    let status = match (started, due, told) {
        (None, ..) => Status::Waiting,
        (_, Some(due), Some(told)) if told > due => Status::Late,
        (.., Some(_)) => Status::Done,
        (_, Some(due), None) if now > due => Status::Overdue,
        _ => Status::Open,
    };
    if started.is_none() {
        notes.push("the authority has not been told yet".to_owned());
    }
    notes.extend(requirement.note.clone());
    Ok(Timer {
        requirement,
        deadline,
        started,
        due,
        told,
        status,
        zone: calendar.zone.clone(),
        note: notes.join("; "),
    })
}

/// "As soon as feasible" is planned with the earliest that has a number.
fn plan_without_number(timers: &mut [Timer<'_>]) {
    let first = timers.iter().find(|timer| timer.due.is_some());
    let Some(first) = first.map(|timer| timer.requirement.id.clone()) else {
        return;
    };
    for timer in timers {
        if timer.due.is_none() && timer.started.is_some() {
            timer
                .note
                .push_str(&format!("; no number: plan it with {first}"));
        }
    }
}
