//! The matrix: requirements of many laws, each with what is done for it and what shows that.
//!
//! A control that covers a requirement and is borne out meets it. One that covers a part of it never
//! does, whatever the database shows: that honesty is the point.

pub mod gaps;
pub mod sql;
pub mod store;
#[cfg(test)]
pub(in crate::compliance) mod tests;
pub mod trigger;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::doubt::{self, Doubt};
use super::evidence::{Evidence, State};
use super::inventory::Needs;
use super::rules::parameter::named;
use super::rules::{Control, Proof, Relation, Requirement, Review, Rules, Shown};
use super::{Facts, evidence};
use crate::compliance::calendar::Span;
use crate::error::{Error, Kind, Result};
use crate::strategies::calendar::parse_date;
use trigger::Applies;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The jurisdictions; all where there is none.
    pub jurisdictions: Vec<String>,
    /// The day, from 2000-01-01.
    pub day: i64,
    /// Whether what is no law yet counts too.
    pub proposed: bool,
}

/// How a requirement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// A control that covers it is borne out.
    Met,
    /// A control that covers it is declared.
    Declared,
    /// A part of it is covered, or borne out.
    Partly,
    /// Nothing is.
    Gap,
    /// Nothing is known.
    Unknown,
    /// It does not apply.
    NotApplicable,
}

impl Row<'_> {
    /// What is to be known of the facts that it rests on: those of its controls, and those that decide
    /// whether it applies.
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut found: Vec<Doubt> = doubt::of_trigger(&self.requirement.id, &self.applies)
            .into_iter()
            .collect();
        if self.status != Status::NotApplicable {
            let standings = self.controls.iter().map(|held| &held.standing);
            found.extend(standings.flat_map(|standing| standing.doubts.clone()));
        }
        found
    }
}

impl Status {
    /// The words.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("met", Self::Met),
        ("declared", Self::Declared),
        ("partly", Self::Partly),
        ("gap", Self::Gap),
        ("unknown", Self::Unknown),
        ("n/a", Self::NotApplicable),
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        named(self, &Self::NAMES)
    }
}

/// One requirement.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The requirement.
    pub requirement: &'a Requirement,
    /// How it stands.
    pub status: Status,
    /// Why.
    pub reason: String,
    /// Whether it applies.
    pub applies: Applies,
    /// Its controls, those first that cover it.
    pub controls: Vec<Held<'a>>,
}

/// A control of a requirement.
#[derive(Clone, Debug)]
pub struct Held<'a> {
    /// The control.
    pub control: &'a Control,
    /// How it relates.
    pub relation: Relation,
    /// Whether that was reviewed.
    pub review: Review,
    /// How it stands.
    pub standing: Standing,
}

/// How a control stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// As a requirement that it covers would.
    pub status: Status,
    /// Whether what bore it out is too old.
    pub is_stale: bool,
    /// What was found.
    pub found: Vec<(Shown, Evidence)>,
    /// What is to be known of what that rests on.
    pub doubts: Vec<Doubt>,
}

impl Standing {
    /// What would close its gap.
    pub fn remedy(&self) -> Option<&str> {
        let open = |found: &&(Shown, Evidence)| found.1.state != State::Pass;
        self.found
            .iter()
            .filter(open)
            .find_map(|(_, evidence)| evidence.remedy.as_deref())
    }

    /// As an array of what was found.
    pub fn json(&self) -> Value {
        let each = |(shown, found): &(Shown, Evidence)| {
            json!({
                "evidence": shown.name,
                "kind": named(shown.kind, &Proof::NAMES),
                "state": found.state.name(),
                "value": found.value,
                "as_of": found.as_of,
                "source": found.source.name(),
                "reference": found.reference,
            })
        };
        self.found.iter().map(each).collect()
    }
}

/// The requirements that are law then and there, by id.
fn asked<'a>(rules: &'a Rules, question: &Question) -> impl Iterator<Item = &'a Requirement> {
    rules.requirements.iter().filter(|requirement| {
        let places = &question.jurisdictions;
        (places.is_empty() || places.contains(&requirement.jurisdiction))
            && requirement.holds_on(question.day, question.proposed)
    })
}

/// The controls that requirements name.
fn named_by<'a>(requirements: impl Iterator<Item = &'a Requirement>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for requirement in requirements {
        let mapped = requirement.mappings.iter().map(|mapping| &mapping.control);
        let joint = requirement.jointly.iter().flat_map(|joint| &joint.controls);
        found.extend(mapped.chain(joint).map(String::as_str));
    }
    found
}

/// What has to be looked at to fill the matrix.
pub fn needs(rules: &Rules, question: &Question) -> Needs {
    named_by(asked(rules, question))
        .into_iter()
        .filter_map(|id| rules.control(id))
        .flat_map(|control| &control.evidence)
        .fold(Needs::default(), |needs, shown| {
            needs.with(evidence::needs(&shown.name))
        })
}

/// The requirements that are law then and there, with whether they apply, by id.
///
/// # Errors
/// 22023 for a jurisdiction that no rule is about.
pub fn applicable<'a>(
    rules: &'a Rules,
    question: &Question,
    facts: &Facts,
) -> Result<Vec<(&'a Requirement, Applies)>> {
    check(rules, &question.jurisdictions)?;
    Ok(asked(rules, question)
        .map(|requirement| (requirement, trigger::decide(requirement, facts)))
        .collect())
}

/// Refuses a jurisdiction that no rule is about.
///
/// # Errors
/// 22023.
pub fn check(rules: &Rules, asked: &[String]) -> Result<()> {
    let known = rules.jurisdictions();
    match asked.iter().find(|code| !known.contains(&code.as_str())) {
        None => Ok(()),
        Some(other) => Err(Error::new(
            Kind::InvalidParameter,
            format!("there are no rules for jurisdiction \"{}\"", shown(other)),
        )
        .with_hint(format!("There are rules for {}.", known.join(", ")))),
    }
}

/// A word of the caller, for a message.
pub fn shown(word: &str) -> String {
    crate::profile::document::word(word)
}

/// Fills the matrix.
///
/// # Errors
/// As [`applicable`].
pub fn fill<'a>(rules: &'a Rules, question: &Question, facts: &Facts) -> Result<Vec<Row<'a>>> {
    // Each requirement is held against what is known of its jurisdiction.
    let mut benches: BTreeMap<&str, Bench> = BTreeMap::new();
    let rows = applicable(rules, question, facts)?;
    let every = every(&rows);
    Ok(rows
        .into_iter()
        .map(|(requirement, applies)| {
            let place = requirement.jurisdiction.as_str();
            let bench = benches.entry(place).or_insert_with(|| Bench {
                facts: facts.within(place),
                found: BTreeMap::new(),
            });
            row(rules, requirement, applies, &every, question, bench)
        })
        .collect())
}

/// What the controls of one jurisdiction are held against.
struct Bench {
    facts: Facts,
    /// What was found by name and arguments, with what is to be known of the facts behind it: several
    /// controls may ask the same.
    found: BTreeMap<String, (Evidence, Vec<Doubt>)>,
}

/// How often what a control does must be done again: the shortest time of what it covers.
fn every<'a>(rows: &[(&'a Requirement, Applies)]) -> BTreeMap<&'a str, Span> {
    let mut found: BTreeMap<&str, Span> = BTreeMap::new();
    for (requirement, _) in rows.iter().filter(|(_, applies)| applies.is_taken) {
        let Some(span) = requirement.params.every else {
            continue;
        };
        let covering = requirement.mappings.iter();
        for mapping in covering.filter(|mapping| mapping.relation.covers()) {
            let known = found.entry(mapping.control.as_str()).or_insert(span);
            let hours = |span: &Span| span.least_hours().unwrap_or(u32::MAX);
            if hours(&span) < hours(known) {
                *known = span;
            }
        }
    }
    found
}

fn row<'a>(
    rules: &'a Rules,
    requirement: &'a Requirement,
    applies: Applies,
    every: &BTreeMap<&str, Span>,
    question: &Question,
    bench: &mut Bench,
) -> Row<'a> {
    let mut standing = |control: &'a Control, with: &Value| {
        let every = every.get(control.id.as_str()).copied();
        stand(control, with, every, question, bench)
    };
    let mut controls: Vec<Held<'a>> = requirement
        .mappings
        .iter()
        .filter_map(|mapping| {
            let control = rules.control(&mapping.control)?;
            Some(Held {
                control,
                relation: mapping.relation,
                review: mapping.review,
                standing: standing(control, &mapping.with),
            })
        })
        .collect();
    controls.sort_by(|a, b| (a.relation, &a.control.id).cmp(&(b.relation, &b.control.id)));
    // Those that cover it together stand as they are mapped, where they are.
    let mut standings: BTreeMap<&str, Status> = controls
        .iter()
        .map(|held| (held.control.id.as_str(), held.standing.status))
        .collect();
    let joint = requirement.jointly.iter().flat_map(|joint| &joint.controls);
    for id in joint {
        if let (false, Some(control)) = (standings.contains_key(id.as_str()), rules.control(id)) {
            standings.insert(id, standing(control, &Value::Null).status);
        }
    }
    let (status, reason) = if applies.is_taken {
        judge(requirement, &controls, &standings)
    } else {
        (Status::NotApplicable, applies.why.clone())
    };
    Row {
        requirement,
        status,
        reason,
        applies,
        controls,
    }
}

fn judge(
    requirement: &Requirement,
    controls: &[Held<'_>],
    standings: &BTreeMap<&str, Status>,
) -> (Status, String) {
    let covering = controls.iter().filter(|held| held.relation.covers());
    let best = covering.min_by_key(|held| held.standing.status);
    if let Some(held) = best.filter(|held| held.standing.status <= Status::Declared) {
        let (id, status) = (&held.control.id, held.standing.status);
        let how = match status {
            Status::Met => "is borne out",
            _ => "is declared",
        };
        return (status, format!("{id} covers it and {how}"));
    }
    let jointly = requirement
        .jointly
        .iter()
        .filter(|joint| joint.review == Review::Reviewed)
        .filter_map(|joint| {
            let statuses = joint.controls.iter().map(|id| {
                let known = standings.get(id.as_str());
                known.copied().unwrap_or(Status::Unknown)
            });
            statuses.max().map(|status| (status, joint))
        })
        .min_by_key(|(status, _)| *status);
    if let Some((status, joint)) = jointly.filter(|(status, _)| *status <= Status::Declared) {
        return (
            status,
            format!("{} cover it together", joint.controls.join(" and ")),
        );
    }
    let some = controls
        .iter()
        .find(|held| held.standing.status <= Status::Partly);
    if let Some(held) = some {
        let id = &held.control.id;
        return (
            Status::Partly,
            if held.relation.covers() {
                format!("{id} covers it and is borne out in part")
            } else {
                format!("{id} covers a part of it")
            },
        );
    }
    match best.or_else(|| controls.first()) {
        None => (Status::Gap, "no control is mapped to it".to_owned()),
        Some(held)
            if controls
                .iter()
                .all(|held| held.standing.status == Status::Unknown) =>
        {
            (
                Status::Unknown,
                format!("nothing is known of {}", held.control.id),
            )
        }
        Some(held) => (Status::Gap, format!("{} is not borne out", held.control.id)),
    }
}

/// How a control stands, by its evidence; `more` are arguments for it of who asks, by its name.
fn stand(
    control: &Control,
    more: &Value,
    every: Option<Span>,
    question: &Question,
    bench: &mut Bench,
) -> Standing {
    let (mut found, mut doubts) = (Vec::new(), Vec::new());
    let mut is_stale = false;
    let (mut hard, mut soft, mut part, mut fail, mut none) = (0, 0, 0, 0, 0);
    for shown in &control.evidence {
        let Some(function) = evidence::find(&shown.name) else {
            continue;
        };
        let mut with = shown.with.clone();
        if let Some(more) = more[&shown.name].as_object() {
            for (name, value) in more {
                with[name.as_str()] = value.clone();
            }
        }
        if let Some(span) = every {
            with["every"] = span.to_string().into();
        }
        let (facts, name) = (&bench.facts, shown.name.as_str());
        let (evidence, of_facts) = bench
            .found
            .entry(format!("{name} {with}"))
            .or_insert_with(|| {
                let evidence = function(facts, &with);
                let basis = evidence::basis(name, &with);
                let is_borne_out = evidence.state == State::Pass;
                let doubts = doubt::resting_on(facts, &basis, is_borne_out);
                (evidence, doubts)
            })
            .clone();
        let mut state = evidence.state;
        is_stale |= evidence.is_stale;
        let is_older = state == State::Pass && is_older(&evidence, shown.max_age, question.day);
        if is_older {
            is_stale = true;
            state = State::Part;
        }
        doubts.extend(doubt::of_evidence(facts, name, &evidence, is_older));
        doubts.extend(of_facts);
        match state {
            State::Pass if evidence.source.is_hard() => hard += 1,
            State::Pass => soft += 1,
            State::Part => part += 1,
            State::Fail => fail += 1,
            State::None => none += 1,
        }
        found.push((shown.clone(), evidence));
    }
    let status = match (hard, soft, part, fail, none) {
        (0, 0, 0, 0, _) => Status::Unknown,
        (0, 0, 0, ..) => Status::Gap,
        (1.., _, 0, 0, 0) => Status::Met,
        (0, 1.., 0, 0, _) => Status::Declared,
        _ => Status::Partly,
    };
    Standing {
        status,
        is_stale,
        found,
        doubts,
    }
}

/// Whether what was found is older than it may be: the moment it speaks of, where it names one.
fn is_older(evidence: &Evidence, max_age: Option<Span>, day: i64) -> bool {
    let Some(hours) = max_age.and_then(Span::least_hours) else {
        return false;
    };
    let at = evidence.value["at"].as_str().unwrap_or(&evidence.as_of);
    let of = at.get(..10).and_then(parse_date).map(i64::from);
    of.is_none_or(|of| (day - of) * 24 > i64::from(hours))
}
