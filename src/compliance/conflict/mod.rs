//! Conflicts between laws: which are there, and what the operator of each makes of them.
//!
//! Where an operator gives an answer, that is the answer. Where none does, or times exclude each
//! other, somebody must decide; until somebody has, and after his decision has expired, it is a gap.

pub mod detect;
pub mod sql;
pub mod store;
#[cfg(test)]
pub(in crate::compliance) mod tests;

use super::Facts;
use super::calendar::Zone;
use super::controller::Fact;
use super::doubt::{self, Doubt};
use super::matrix::trigger::Applies;
use super::rules::parameter::named;
use super::rules::read::shown_day;
use super::rules::{Conflict, Detect, Requirement, Rules};
use crate::error::Result;
use detect::Answer;

/// How a conflict stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The operator answers it.
    Resolved,
    /// Somebody decided it.
    Decided,
    /// Somebody must.
    Gap,
    /// Both laws hold, and nothing pulls them apart.
    Absent,
}

impl Status {
    /// The words.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("resolved", Self::Resolved),
        ("decided", Self::Decided),
        ("gap", Self::Gap),
        ("none", Self::Absent),
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        named(self, &Self::NAMES)
    }
}

/// What somebody decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The conflict.
    pub conflict: String,
    /// Its scope, or `*` for all.
    pub scope: String,
    /// What was decided.
    pub decision: String,
    /// On which basis.
    pub legal_basis: String,
    /// Who decided.
    pub decided_by: String,
    /// When, as a day.
    pub decided_on: i64,
    /// Its last day.
    pub expires: i64,
    /// Whether the ledger says that it was decided so.
    pub is_recorded: bool,
}

/// A conflict of a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<'a> {
    /// The conflict.
    pub conflict: &'a Conflict,
    /// What it is about: a category, a request, a rule; `*` for all.
    pub scope: String,
    /// The jurisdictions on its sides.
    pub jurisdictions: Vec<String>,
    /// Its sides, in words.
    pub sides: Vec<String>,
    /// How it stands.
    pub status: Status,
    /// What comes out, or what is to be decided.
    pub outcome: String,
    /// The decision that holds, or the last one that has expired.
    pub decision: Option<Decision>,
    /// What is to be known of the facts that it rests on.
    pub doubts: Vec<Doubt>,
}

/// What is looked at.
pub struct Scene<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// The requirements that are law, with whether they apply.
    pub applicable: &'a [(&'a Requirement, Applies)],
    /// What is known.
    pub facts: &'a Facts,
    /// What was decided, the newest last.
    pub decisions: &'a [Decision],
    /// The day that is asked about.
    pub day: i64,
    /// From when deadlines are computed to be compared.
    pub moment: i64,
    /// Zones, by their names.
    pub zone: &'a dyn Fn(&str) -> Box<dyn Zone>,
}

impl<'a> Scene<'a> {
    /// The sides of a conflict that apply, by jurisdiction and id.
    fn sides(&self, conflict: &Conflict) -> Vec<&'a Requirement> {
        let mut sides: Vec<&Requirement> = self
            .applicable
            .iter()
            .filter(|(requirement, applies)| {
                applies.is_taken
                    && (conflict.between.contains(&requirement.id)
                        || conflict.against.contains(&requirement.id))
            })
            .map(|(requirement, _)| *requirement)
            .collect();
        sides.sort_by(|a, b| (&a.jurisdiction, &a.id).cmp(&(&b.jurisdiction, &b.id)));
        sides
    }

    /// The jurisdictions that are asked about.
    fn jurisdictions(&self) -> Vec<String> {
        let all = self.applicable.iter().map(|(requirement, _)| requirement);
        distinct(all.map(|requirement| requirement.jurisdiction.clone()))
    }
}

fn distinct(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The jurisdictions of sides.
fn of(sides: &[&Requirement]) -> Vec<String> {
    distinct(sides.iter().map(|side| side.jurisdiction.clone()))
}

/// Whether some of these sides are on either side of a conflict, in two jurisdictions.
fn is_opposed(conflict: &Conflict, sides: &[&Requirement]) -> bool {
    conflict.against.is_empty()
        || sides.iter().any(|one| {
            conflict.against.contains(&one.id)
                && sides.iter().any(|other| {
                    conflict.between.contains(&other.id) && other.jurisdiction != one.jurisdiction
                })
        })
}

/// Finds the conflicts, by id and scope.
///
/// # Errors
/// What zones return.
pub fn find<'a>(scene: &Scene<'a>) -> Result<Vec<Found<'a>>> {
    let mut found = Vec::new();
    for conflict in &scene.rules.conflicts {
        let sides = scene.sides(conflict);
        // What is declared pulls apart wherever it holds, whichever law has a requirement for it.
        let jurisdictions = match conflict.detect {
            Detect::Hold | Detect::Requests | Detect::Retention => scene.jurisdictions(),
            _ => of(&sides),
        };
        let is_alone = jurisdictions.len() < conflict.sides || !is_opposed(conflict, &sides);
        // Times that exclude each other do so under one law as well.
        if jurisdictions.is_empty() || is_alone && conflict.detect != Detect::Retention {
            continue;
        }
        for seen in detect::answers(scene, conflict, &sides, &jurisdictions)? {
            if is_alone && !matches!(seen.answer, Answer::Impossible(_)) {
                continue;
            }
            let sides = seen.sides.as_deref().unwrap_or(&sides);
            let decision = decision(scene, conflict, &seen.scope);
            let doubts = doubts(scene, conflict, &seen, sides, decision.as_ref());
            let mut one = Found {
                conflict,
                jurisdictions: match seen.sides {
                    Some(_) => of(sides),
                    None => jurisdictions.clone(),
                },
                sides: sides
                    .iter()
                    .map(|side| words(side, conflict.detect))
                    .collect(),
                status: Status::Absent,
                outcome: String::new(),
                decision,
                doubts,
                scope: seen.scope,
            };
            let decision = one.decision.as_ref();
            (one.status, one.outcome) = settle(conflict, seen.answer, decision, scene.day);
            found.push(one);
        }
    }
    Ok(found)
}

/// What is to be known of the facts that a scope rests on, of whether its sides apply, and of what was
/// decided.
fn doubts(
    scene: &Scene<'_>,
    conflict: &Conflict,
    seen: &detect::Seen<'_>,
    sides: &[&Requirement],
    decision: Option<&Decision>,
) -> Vec<Doubt> {
    let mut found = Vec::new();
    for (requirement, applies) in scene.applicable {
        if sides.iter().any(|side| side.id == requirement.id) {
            found.extend(doubt::of_trigger(&requirement.id, applies));
        }
    }
    let facts = scene.facts;
    let kinds = detect::rests_on(conflict.detect);
    let asked = scene.jurisdictions();
    let is_asked = |fact: &Fact| {
        let places = fact.places();
        places.is_empty()
            || places
                .iter()
                .any(|place| asked.iter().any(|code| code == place))
    };
    let is_one = |fact: &&Fact| {
        kinds.contains(&fact.kind)
            && is_asked(fact)
            && detect::is_of_scope(conflict.detect, &seen.scope, fact)
    };
    let of = facts.controller.facts.iter().filter(is_one);
    found.extend(doubt::resting(facts, of));
    // What has ended may have held it together, or apart.
    if matches!(seen.answer, Answer::Absent(_) | Answer::Unknown(_)) {
        let ended = facts.ended.facts.iter();
        found.extend(ended.filter(is_one).map(doubt::ended));
    }
    if conflict.detect == Detect::Columns {
        found.extend(doubt::of_columns(facts));
    }
    if let Some(decision) = decision {
        let on = shown_day(decision.decided_on);
        if !decision.is_recorded {
            let what = format!("no entry of the ledger knows the decision of {on}");
            found.push(doubt::doubt(doubt::Word::Unrecorded, what));
        }
        if scene.day > decision.expires {
            let until = shown_day(decision.expires);
            let what = format!("the decision of {on} held until {until}");
            found.push(doubt::doubt(doubt::Word::Stale, what));
        }
    }
    found
}

/// What an answer and a decision come to.
fn settle(
    conflict: &Conflict,
    answer: Answer,
    decision: Option<&Decision>,
    day: i64,
) -> (Status, String) {
    let open = match answer {
        Answer::Absent(why) => return (Status::Absent, why),
        Answer::Present(outcome) if !conflict.operator.needs_decision() => {
            return (Status::Resolved, outcome);
        }
        Answer::Present(outcome) | Answer::Unknown(outcome) | Answer::Impossible(outcome) => {
            outcome
        }
    };
    match decision {
        Some(decision) if !decision.is_recorded => (
            Status::Gap,
            format!("{open}; no entry of the ledger says what is stored as decided: decide again"),
        ),
        Some(decision) if day <= decision.expires => (Status::Decided, decision.decision.clone()),
        Some(_) => (
            Status::Gap,
            format!("{open}; the last decision has expired"),
        ),
        None => (Status::Gap, open),
    }
}

/// The newest decision of the scope itself, or else of all scopes, made on the day or before. One that
/// has expired gives way to a later one for all.
fn decision(scene: &Scene<'_>, conflict: &Conflict, scope: &str) -> Option<Decision> {
    let of = |scope: &str| {
        scene.decisions.iter().enumerate().rfind(|(_, decision)| {
            decision.conflict == conflict.id
                && decision.scope == scope
                && decision.decided_on <= scene.day
        })
    };
    let found = match (of(scope), of(EVERY)) {
        (Some((own, decision)), Some((all, other)))
            if decision.expires < scene.day && all > own =>
        {
            Some(other)
        }
        (Some((_, decision)), _) | (None, Some((_, decision))) => Some(decision),
        (None, None) => None,
    };
    found.cloned()
}

/// The scope that is every scope.
pub const EVERY: &str = "*";

/// A side in words, with what matters to the conflict.
fn words(side: &Requirement, detect: Detect) -> String {
    let params = &side.params;
    let about = match detect {
        Detect::Deadlines => params
            .deadlines
            .first()
            .map(|deadline| deadline.span.to_string()),
        Detect::Age => params.age.map(|age| format!("under {age}")),
        Detect::Keep => params.keep.map(|keep| detect::keep_words(&keep)),
        _ => None,
    };
    let cite = &side.cite;
    match about {
        Some(about) => format!("{} {cite}: {about}", side.jurisdiction),
        None => format!("{} {cite}", side.jurisdiction),
    }
}
