//! One incident, one set of timers: when each authority and those whose data they are must be told.

pub mod sql;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Facts;
use super::calendar::{Calendar, MOMENTS, Zone};
use super::controller::Fact;
use super::doubt::{self, Doubt, Word};
use super::matrix::trigger;
use super::rules::parameter::{Addressee, Clock, Deadline};
use super::rules::{Kind as Sort, Requirement, Rules};
use crate::error::{Error, Kind, Result};
use crate::strategies::calendar::{DAY, parse_date, parse_time};

/// How a timer stands, or the term of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs, or has no number.
    Open,
    /// It ran out.
    Overdue,
    /// What it is for was done in time: they were told, the request was answered.
    Done,
    /// It was done after it had run out.
    Late,
    /// It has not begun: what starts it has not happened.
    Waiting,
    /// Nobody can say: what starts or ends it is stored as what is no moment.
    Unknown,
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
            Self::Unknown => "unknown",
        }
    }

    /// Whether the deadline was not kept.
    pub fn is_missed(self) -> bool {
        matches!(self, Self::Overdue | Self::Late)
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
    /// Whether there is a reason not to tell them there, and the law takes reasons.
    pub is_excused: bool,
    /// The zone of the authority.
    pub zone: String,
    /// What else is to be known.
    pub note: String,
    /// What is to be known of the facts that it rests on.
    pub doubts: Vec<Doubt>,
}

impl Timer<'_> {
    /// What a report says of it, with its moments as it shows them.
    pub fn value(&self, incident: &str, due: Value, told: Value) -> Value {
        json!({
            "incident": incident, "addressee": self.deadline.to.name(),
            "requirement": self.requirement.id, "cite": self.requirement.cite,
            "status": self.status.name(), "due": due, "told": told, "excused": self.is_excused,
            "can_be_excused": self.requirement.excuse.is_some(),
            "zone": self.zone, "note": self.note, "doubts": doubt::lines(self.doubts.clone()),
        })
    }
}

/// What timers are made from.
struct Desk<'a> {
    facts: &'a Facts,
    incident: &'a Fact,
    /// What is to be known of the incident, whichever law asks.
    doubts: Vec<Doubt>,
    now: i64,
    zone: &'a dyn Fn(&str) -> Box<dyn Zone>,
}

/// The timers of a declared incident, the earliest end first; those without a number come last.
///
/// A stored moment that is none is said, and no error: the timers that hang on it are unknown.
///
/// # Errors
/// 42704 when no such incident is declared; what zones return.
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
    let mut doubts = doubt::resting(facts, std::iter::once(incident));
    if incident.list("jurisdictions").is_empty() {
        let what = format!(
            "jurisdictions of {}: every law is asked",
            doubt::named(incident)
        );
        doubts.push(doubt::doubt(Word::Missing, what));
    }
    doubts.extend(not_named(facts, incident));
    let known = moment(incident.word("known_at")).ok();
    if known.flatten().is_some_and(|known| known > now) {
        let what = format!("known_at of {} is yet to come", doubt::named(incident));
        doubts.push(doubt::doubt(Word::NotInForce, what));
    }
    let desk = Desk {
        facts,
        incident,
        doubts,
        now,
        zone,
    };
    let places = incident.list("jurisdictions");
    let mut days: BTreeMap<&str, i64> = BTreeMap::new();
    let mut found = Vec::new();
    for requirement in &rules.requirements {
        let is_here = places.is_empty() || places.contains(&requirement.jurisdiction.as_str());
        if requirement.kind != Sort::Breach || !is_here {
            continue;
        }
        let calendar = calendar(rules, requirement)?;
        // The law of the day that it is where the authority is.
        let day = match days.get(calendar.zone.as_str()) {
            Some(day) => *day,
            None => {
                let day = desk.day(known.flatten(), &calendar.zone)?;
                days.insert(&calendar.zone, day);
                day
            }
        };
        if requirement.holds_on(day, false)
            && let Some(reason) = desk.concerns(requirement)
        {
            for deadline in &requirement.params.deadlines {
                found.push(desk.timer(requirement, calendar, *deadline, reason.clone())?);
            }
        }
    }
    found.sort_by(|a, b| {
        let key = |timer: &Timer<'_>| (timer.due.is_none(), timer.due);
        (key(a), &a.requirement.id).cmp(&(key(b), &b.requirement.id))
    });
    plan_without_number(&mut found);
    Ok(found)
}

/// Where the activities of an incident are too, and it does not say whether it is.
fn not_named(facts: &Facts, incident: &Fact) -> Option<Doubt> {
    let named = incident.list("jurisdictions");
    let of = incident.list("activities").into_iter();
    let of = of.filter_map(|id| facts.controller.find("activity", id));
    let mut other: Vec<&str> = of
        .flat_map(|activity| activity.list("jurisdictions"))
        .collect();
    other.retain(|place| !named.contains(place));
    other.sort_unstable();
    other.dedup();
    if named.is_empty() || other.is_empty() {
        return None;
    }
    let what = format!(
        "whether {} is in {} too, as its activities are",
        doubt::named(incident),
        other.join(", ")
    );
    Some(doubt::doubt(Word::Missing, what))
}

fn calendar<'a>(rules: &'a Rules, requirement: &Requirement) -> Result<&'a Calendar> {
    rules.calendar_of(requirement).ok_or_else(|| {
        Error::new(
            Kind::Internal,
            format!("requirement \"{}\" has no calendar", requirement.id),
        )
    })
}

/// A moment out of a fact; an error, without its text, for what is none that deadlines count from.
fn moment(text: Option<&str>) -> Result<Option<i64>, ()> {
    let Some(text) = text else {
        return Ok(None);
    };
    let found = parse_time(text, true).filter(|at| MOMENTS.contains(at));
    found.map(Some).ok_or(())
}

impl Desk<'_> {
    /// The day of the incident by the clock of a zone; where it does not say, that of the facts.
    fn day(&self, known: Option<i64>, zone: &str) -> Result<i64> {
        let of_facts = || parse_date(&self.facts.day).map_or(0, i64::from);
        known.map_or_else(
            || Ok(of_facts()),
            |known| Ok((self.zone)(zone).wall(known)?.div_euclid(DAY)),
        )
    }

    /// What is to be known of whether a requirement is about this incident: a note, and doubts; `None`
    /// where it is not.
    fn concerns(&self, requirement: &Requirement) -> Option<(Option<String>, Vec<Doubt>)> {
        let applies = trigger::decide(requirement, self.facts);
        if !applies.is_taken {
            return None;
        }
        let assumed = || {
            doubt::of_trigger(&requirement.id, &applies)
                .into_iter()
                .collect()
        };
        let Some(least) = requirement.at_least else {
            return Some((None, assumed()));
        };
        // How many it affects is said of the incident itself.
        match self.incident.count("subjects_affected") {
            Some(affected) => (affected >= least).then(|| (None, Vec::new())),
            None => {
                let note = format!(
                    "of incidents that affect {least} people or more; subjects_affected is not \
                     declared"
                );
                Some((Some(note), vec![self.missing("subjects_affected")]))
            }
        }
    }

    /// A field that the incident does not have.
    fn missing(&self, field: &str) -> Doubt {
        doubt::doubt(
            Word::Missing,
            format!("{field} of {}", doubt::named(self.incident)),
        )
    }

    fn timer<'r>(
        &self,
        requirement: &'r Requirement,
        calendar: &Calendar,
        deadline: Deadline,
        (reason, assumed): (Option<String>, Vec<Doubt>),
    ) -> Result<Timer<'r>> {
        let place = requirement.jurisdiction.as_str();
        let mut notes = vec![deadline.from.words().to_owned()];
        notes.extend(reason);
        let mut doubts = self.doubts.clone();
        doubts.extend(assumed);
        let mut wrong = None;
        let mut read = |field: &'static str, text: Option<&str>| {
            moment(text).unwrap_or_else(|()| {
                wrong = Some(field);
                None
            })
        };
        let known = read("known_at", self.incident.word("known_at"));
        let determined = self.incident.word("determined_at");
        let [authority, complement, subjects] =
            TOLD.map(|field| (field, self.incident.of_place(field, place)));
        let started = match deadline.from {
            Clock::Notice => read(authority.0, authority.1),
            Clock::Told => read(subjects.0, subjects.1),
            Clock::Determination => {
                if determined.is_none() {
                    notes.push("determined_at is not declared, known_at is taken".to_owned());
                    doubts.push(self.missing("determined_at"));
                }
                read("determined_at", determined).or(known)
            }
            _ => known,
        };
        let zone = (self.zone)(&calendar.zone);
        let due = match started {
            Some(started) => calendar.due(started, deadline.span, zone.as_ref())?,
            None => None,
        };
        let (field, told) = match (deadline.to, deadline.from) {
            // The first notice starts this timer, its complement ends it.
            (_, Clock::Notice) => complement,
            (Addressee::Authority, _) => authority,
            (Addressee::Subjects, _) => subjects,
            _ => ("determined_at", determined),
        };
        let told = read(field, told);
        // Nobody is told of what he does not know yet.
        let is_early = known.zip(told).is_some_and(|(known, told)| told < known);
        let reason = reason_of(deadline.to);
        let reason = reason.and_then(|field| self.incident.of_place(field, place));
        let reason = reason.filter(|_| told.is_none());
        let is_excused = reason.is_some() && requirement.excuse.is_some();
        let status = match (started, due, told) {
            _ if wrong.is_some() || known.is_none() || is_early => Status::Unknown,
            // The authority may be told before those whose data they are.
            (None, _, Some(_)) if deadline.from == Clock::Told => Status::Done,
            (None, ..) => Status::Waiting,
            (_, Some(due), Some(told)) if told > due => Status::Late,
            (.., Some(_)) => Status::Done,
            (_, Some(due), None) if self.now > due => Status::Overdue,
            _ => Status::Open,
        };
        if let Some(field) = wrong {
            notes.push(format!(
                "{field} is stored as what is no moment of these years"
            ));
            doubts.push(self.missing(field));
        } else if known.is_none() {
            notes.push("known_at is not declared".to_owned());
            doubts.push(self.missing("known_at"));
        } else if is_early {
            notes.push("they were told before known_at".to_owned());
            let what = format!(
                "{}: {field} is before known_at",
                doubt::named(self.incident)
            );
            doubts.push(doubt::doubt(Word::Contradicted, what));
        } else if started.is_none() {
            let who = match deadline.from {
                Clock::Told => "those whose data they are have",
                _ => "the authority has",
            };
            notes.push(format!("{who} not been told yet"));
        }
        match (reason, &requirement.excuse) {
            (Some(_), Some(ground)) => notes.push(format!(
                "a reason not to tell them is declared; the law lets that be where {ground}"
            )),
            (Some(_), None) => {
                notes.push("a reason is declared, and this law takes none".to_owned());
            }
            (None, _) => {}
        }
        if told.is_none() && self.is_for_all(deadline) {
            notes.push("one moment is declared for several authorities, and none for this".into());
            doubts.push(self.missing(&format!("{field} for {place}")));
        }
        notes.extend(requirement.note.clone());
        Ok(Timer {
            requirement,
            deadline,
            started,
            due,
            told,
            status,
            is_excused,
            zone: calendar.zone.clone(),
            note: notes.join("; "),
            doubts,
        })
    }

    /// Whether who must be told has one moment that does not say where.
    fn is_for_all(&self, deadline: Deadline) -> bool {
        let field = match (deadline.to, deadline.from) {
            (_, Clock::Notice) => TOLD[1],
            (Addressee::Authority, _) => TOLD[0],
            (Addressee::Subjects, _) => TOLD[2],
            _ => return false,
        };
        self.incident.word(field).is_some() && self.incident.list("jurisdictions").len() != 1
    }
}

/// The field with the reason for which those who must be told are not: one for the authority is none for
/// those whose data they are.
pub fn reason_of(to: Addressee) -> Option<&'static str> {
    match to {
        Addressee::Authority => Some("no_authority_notice_reason"),
        Addressee::Subjects => Some("no_subjects_notice_reason"),
        Addressee::Requester | Addressee::Public | Addressee::Record => None,
    }
}

/// When an authority was told, when the notice was complemented, when those whose data they are were.
const TOLD: [&str; 3] = [
    "authority_notified_at",
    "authority_complemented_at",
    "subjects_notified_at",
];

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
