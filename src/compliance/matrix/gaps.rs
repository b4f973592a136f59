//! What is missing, the dearest first: by the penalty, then by the deadline.

use super::{Row, Status};
use crate::compliance::rules::parameter::named;
use crate::compliance::rules::{PenaltyClass, Requirement, Rules};
use crate::compliance::{conflict, doubt};

/// One thing that is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// The requirement, or the conflict.
    pub id: String,
    /// Where.
    pub jurisdictions: Vec<String>,
    /// The place in the law.
    pub cite: String,
    /// What is missing: `gap`, `partly`, `stale`, `unknown`, `undecided`, `unverified text`.
    pub problem: &'static str,
    /// The class of the penalty.
    pub penalty_class: PenaltyClass,
    /// The penalty.
    pub penalty: Option<String>,
    /// The deadline.
    pub deadline: Option<String>,
    /// The least hours that it leaves.
    pub hours: u32,
    /// What is known of it.
    pub detail: String,
    /// The command, or the facts to be declared, that close it.
    pub closes: String,
    /// What is to be known of the facts that it rests on.
    pub doubts: Vec<String>,
}

/// Everything that is missing on a day, in order.
pub fn list(
    rules: &Rules,
    rows: &[Row<'_>],
    conflicts: &[conflict::Found<'_>],
    day: i64,
) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = rows.iter().filter_map(|row| of_row(row, day)).collect();
    for found in conflicts {
        if found.status == conflict::Status::Gap {
            gaps.push(of_conflict(rules, found, day));
        }
    }
    gaps.sort_by(|a, b| {
        let key = |gap: &Gap| {
            // A text that nobody has checked is missing everywhere; it comes last.
            (gap.problem == UNVERIFIED, gap.penalty_class, gap.hours)
        };
        (key(a), &a.id).cmp(&(key(b), &b.id))
    });
    gaps
}

const UNVERIFIED: &str = "unverified text";

fn of_row(row: &Row<'_>, day: i64) -> Option<Gap> {
    let covers = row.controls.iter().any(|held| held.relation.covers());
    let is_stale = row
        .controls
        .iter()
        .any(|held| held.standing.is_stale && held.relation.covers() == covers);
    let is_checked = row.requirement.text_checked.is_some();
    let problem = match row.status {
        Status::NotApplicable => return None,
        Status::Gap => "gap",
        Status::Unknown => "unknown",
        _ if is_stale => "stale",
        Status::Partly => "partly",
        Status::Met | Status::Declared if !is_checked => UNVERIFIED,
        Status::Met | Status::Declared => return None,
    };
    let mut detail = row.reason.clone();
    if row.applies.is_assumed() {
        detail.push_str(&format!("; taken to apply: {}", row.applies.why));
    }
    let closes = if problem == UNVERIFIED {
        "Hold the row against the official text; load the document of rules again with \
         text_checked_on and text_checked_by."
            .to_owned()
    } else {
        closes(row)
    };
    Some(Gap {
        doubts: doubt::lines(row.doubts()),
        ..gap(row.requirement, problem, detail, closes, day)
    })
}

fn closes(row: &Row<'_>) -> String {
    let open = row
        .controls
        .iter()
        .find(|held| held.relation.covers())
        .or_else(|| row.controls.first());
    let Some(held) = open else {
        return "Map a control to it, in a document of rules.".to_owned();
    };
    if !held.relation.covers() && held.standing.status == Status::Met {
        return format!(
            "{} is in place and covers a part only: map a control that covers the rest, in a \
             document of rules.",
            held.control.id
        );
    }
    let remedy = held.standing.remedy();
    remedy.unwrap_or(&held.control.closes).to_owned()
}

fn gap(
    requirement: &Requirement,
    problem: &'static str,
    detail: String,
    closes: String,
    day: i64,
) -> Gap {
    let deadline = requirement.params.deadlines.first();
    let penalty = requirement.penalty.as_ref();
    Gap {
        id: requirement.id.clone(),
        jurisdictions: vec![requirement.jurisdiction.clone()],
        cite: requirement.cite.clone(),
        problem,
        penalty_class: penalty.map_or(PenaltyClass::None, |penalty| penalty.class),
        penalty: penalty.and_then(|penalty| penalty.on(day)),
        deadline: deadline.map(|deadline| deadline.span.to_string()),
        hours: deadline.map_or(u32::MAX, |deadline| deadline.rank().0),
        detail,
        closes,
        doubts: Vec::new(),
    }
}

/// An undecided conflict weighs as its heaviest side.
fn of_conflict(rules: &Rules, found: &conflict::Found<'_>, day: i64) -> Gap {
    let sides = found
        .conflict
        .between
        .iter()
        .filter_map(|id| rules.requirement(id))
        .filter(|side| found.jurisdictions.contains(&side.jurisdiction));
    let heaviest = sides
        .filter_map(|side| side.penalty.as_ref())
        .min_by_key(|penalty| penalty.class);
    Gap {
        id: found.conflict.id.clone(),
        jurisdictions: found.jurisdictions.clone(),
        cite: found.conflict.dimension.clone(),
        problem: "undecided",
        penalty_class: heaviest.map_or(PenaltyClass::None, |penalty| penalty.class),
        penalty: heaviest.and_then(|penalty| penalty.on(day)),
        deadline: None,
        hours: u32::MAX,
        detail: found.outcome.clone(),
        closes: format!(
            "SELECT confiture.decide_conflict('{}', '{}', decision => …, legal_basis => …, \
             expires => …);",
            found.conflict.id,
            found.scope.replace('\'', "''")
        ),
        doubts: doubt::lines(found.doubts.clone()),
    }
}

impl Gap {
    /// The word of its penalty class.
    pub fn class(&self) -> &'static str {
        named(self.penalty_class, &PenaltyClass::NAMES)
    }
}
