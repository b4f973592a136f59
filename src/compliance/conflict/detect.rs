//! What tells whether a conflict is there, and what its operator makes of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{EVERY, Scene};
use crate::compliance::calendar::{Span, shown};
use crate::compliance::controller::Fact;
use crate::compliance::request::is_withdrawn;
use crate::compliance::rules::parameter::{Keep, Params};
use crate::compliance::rules::{Conflict, Detect, Requirement};
use crate::error::{Error, Kind, Result, counted};

/// What was found for one scope.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is not there, and why.
    Absent(String),
    /// It is there, and what comes out.
    Present(String),
    /// Nobody can say, and what is missing.
    Unknown(String),
    /// It is there, and no operator can answer it.
    Impossible(String),
}

/// A scope of a conflict, with its answer.
pub struct Seen<'a> {
    /// What it is about, or `*`.
    pub scope: String,
    /// Whether it is there.
    pub answer: Answer,
    /// Its sides, where they are fewer than those of the conflict.
    pub sides: Option<Vec<&'a Requirement>>,
}

impl<'a> Seen<'a> {
    fn of_all((scope, answer): (String, Answer)) -> Self {
        Self {
            scope,
            answer,
            sides: None,
        }
    }
}

/// The scopes of a conflict.
///
/// # Errors
/// What zones return.
pub fn answers<'a>(
    scene: &Scene<'a>,
    conflict: &Conflict,
    sides: &[&'a Requirement],
    jurisdictions: &[String],
) -> Result<Vec<Seen<'a>>> {
    let all = |found: Vec<(String, Answer)>| found.into_iter().map(Seen::of_all).collect();
    let one = match conflict.detect {
        Detect::Present => Answer::Present(conflict.resolution.clone()),
        Detect::Deadlines => deadlines(scene, sides)?,
        Detect::Keep => keep(sides),
        Detect::Age => age(sides),
        Detect::Contents => contents(sides),
        Detect::Transfers => return Ok(transfers(scene, conflict, sides)),
        Detect::Columns => columns(scene),
        Detect::Requests => return Ok(all(requests(scene, jurisdictions))),
        Detect::Hold => return Ok(all(holds(scene, jurisdictions))),
        Detect::Retention => return Ok(all(retention(scene, jurisdictions))),
    };
    Ok(vec![Seen::of_all((EVERY.to_owned(), one))])
}

/// The kinds of facts that such a conflict rests on.
pub fn rests_on(detect: Detect) -> &'static [&'static str] {
    match detect {
        Detect::Columns => &["columns"],
        Detect::Hold | Detect::Retention => &["retention_rule"],
        Detect::Requests => &["rights_request"],
        Detect::Transfers => &["recipient", "transfer"],
        Detect::Age | Detect::Contents | Detect::Deadlines | Detect::Keep | Detect::Present => &[],
    }
}

/// Whether a fact is one that a scope is about.
pub fn is_of_scope(detect: Detect, scope: &str, fact: &Fact) -> bool {
    match detect {
        _ if scope == EVERY => true,
        Detect::Retention => fact
            .word("category")
            .is_some_and(|category| category == scope || category == "all"),
        Detect::Transfers if fact.kind != "transfer" => scope
            .strip_prefix(fact.kind)
            .is_some_and(|id| id.trim_start() == fact.id),
        _ => fact.id == scope,
    }
}

/// The earliest of computed moments, not of labels: three business days may be more than 72 hours,
/// and never are less.
fn deadlines(scene: &Scene<'_>, sides: &[&Requirement]) -> Result<Answer> {
    let mut due = Vec::new();
    let mut open = Vec::new();
    for side in sides {
        let Some(deadline) = side.params.deadlines.first() else {
            continue;
        };
        let calendar = scene.rules.calendar_of(side).ok_or_else(|| {
            Error::new(
                Kind::Internal,
                format!("requirement \"{}\" has no calendar", side.id),
            )
        })?;
        let zone = (scene.zone)(&calendar.zone);
        match calendar.due(scene.moment, deadline.span, zone.as_ref())? {
            Some(at) => due.push((at, side, deadline, shown(at, zone.as_ref())?)),
            None => open.push(side.jurisdiction.as_str()),
        }
    }
    due.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    let Some((_, side, deadline, text)) = due.first() else {
        return Ok(Answer::Present(
            "as soon as feasible: none has a number".to_owned(),
        ));
    };
    let mut outcome = format!(
        "{} of {} ({}): of what begins now, by {text}",
        deadline.span, side.jurisdiction, side.cite
    );
    if !open.is_empty() {
        open.sort_unstable();
        open.dedup();
        outcome.push_str(&format!("; with it {}, without a number", open.join(", ")));
    }
    Ok(Answer::Present(outcome))
}

fn merged(sides: &[&Requirement]) -> Params {
    let mut merged = Params::default();
    sides.iter().for_each(|side| merged.merge(&side.params));
    merged
}

fn keep(sides: &[&Requirement]) -> Answer {
    let keep = merged(sides).keep.unwrap_or_default();
    if keep.is_empty() {
        return Answer::Impossible(format!("{}: no time keeps to both", keep_words(&keep)));
    }
    Answer::Present(keep_words(&keep))
}

/// Both ends, in words.
pub fn keep_words(keep: &Keep) -> String {
    match (keep.at_least(), keep.at_most()) {
        (Some(least), Some(most)) => format!("at least {least}, at most {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => "no longer than the purpose needs".to_owned(),
    }
}

fn age(sides: &[&Requirement]) -> Answer {
    match merged(sides).age {
        Some(age) => Answer::Present(format!("under {age}")),
        None => Answer::Absent("no side has an age".to_owned()),
    }
}

fn contents(sides: &[&Requirement]) -> Answer {
    let fields: Vec<_> = merged(sides).fields.into_iter().collect();
    Answer::Present(fields.join(", "))
}

/// Transfer by transfer, and recipients elsewhere that none of them covers: those that take data out
/// of jurisdictions on opposed sides.
fn transfers<'a>(
    scene: &Scene<'a>,
    conflict: &Conflict,
    sides: &[&'a Requirement],
) -> Vec<Seen<'a>> {
    let controller = &scene.facts.controller;
    let leave = |fact: &Fact, place: &str| match fact.kind {
        "transfer" => controller.holds_in(fact, place),
        _ => controller.abroad(place).any(|other| other.id == fact.id),
    };
    let mut found = Vec::new();
    for fact in controller.of("transfer").chain(controller.of("recipient")) {
        let of = sides.iter().filter(|side| leave(fact, &side.jurisdiction));
        let own: Vec<_> = of.copied().collect();
        if super::of(&own).len() >= conflict.sides && super::is_opposed(conflict, &own) {
            let country = fact.word("country").unwrap_or("another country");
            let answer = format!("{} {} takes data to {country}", fact.kind, fact.id);
            found.push(Seen {
                scope: match fact.kind {
                    "transfer" => fact.id.clone(),
                    kind => format!("{kind} {}", fact.id),
                },
                answer: Answer::Present(answer),
                sides: Some(own),
            });
        }
    }
    if !found.is_empty() {
        return found;
    }
    let answer = if let Some(way) = scene.facts.inventory.ways_out.first() {
        Answer::Unknown(format!(
            "no transfer out of both sides is declared, and data may leave by {} {}",
            way.kind, way.name
        ))
    } else if controller.is_empty() {
        Answer::Unknown("no transfer is declared, nor anything else".to_owned())
    } else {
        Answer::Absent(
            "no transfer out of both sides is declared, and the catalog shows no way out"
                .to_owned(),
        )
    };
    vec![Seen::of_all((EVERY.to_owned(), answer))]
}

fn columns(scene: &Scene<'_>) -> Answer {
    let masked = scene.facts.inventory.personal();
    let (mut anonymised, mut others) = (0_u64, 0_u64);
    for column in masked.filter(|column| column.treatment.is_masked()) {
        if column.treatment.is_anonymised() {
            anonymised += 1;
        } else {
            others += 1;
        }
    }
    match (anonymised, others) {
        (0, 0) => Answer::Absent("no column was masked".to_owned()),
        (_, 0) => Answer::Absent(format!(
            "{} anonymised, none that its holder can undo",
            counted(anonymised, "column")
        )),
        _ => Answer::Present(format!(
            "{} still personal for who holds the key, {anonymised} anonymised",
            counted(others, "column")
        )),
    }
}

fn requests(scene: &Scene<'_>, jurisdictions: &[String]) -> Vec<(String, Answer)> {
    let found: Vec<_> = scene
        .facts
        .controller
        .of("rights_request")
        .filter(|request| {
            let is_access = matches!(
                request.word("right"),
                Some("access" | "know" | "portability")
            );
            let place = request.word("jurisdiction");
            is_access
                && !request.has("responded_on")
                && !is_withdrawn(request)
                && place.is_none_or(|place| jurisdictions.iter().any(|code| code == place))
        })
        .map(|request| {
            let answer = format!("request {} for access is open", request.id);
            (request.id.clone(), Answer::Present(answer))
        })
        .collect();
    or_absent(found, "no request for access is open")
}

fn holds(scene: &Scene<'_>, jurisdictions: &[String]) -> Vec<(String, Answer)> {
    let found: Vec<_> = scene
        .facts
        .controller
        .of("retention_rule")
        .filter(|rule| rule.is("legal_hold") && is_asked(rule, jurisdictions))
        .map(|rule| {
            let answer = format!("rule {} is a legal hold", rule.id);
            (rule.id.clone(), Answer::Present(answer))
        })
        .collect();
    or_absent(found, "no legal hold is declared")
}

fn or_absent(found: Vec<(String, Answer)>, why: &str) -> Vec<(String, Answer)> {
    if found.is_empty() {
        return vec![(EVERY.to_owned(), Answer::Absent(why.to_owned()))];
    }
    found
}

/// Whether a rule holds in one of the jurisdictions that are asked about.
fn is_asked(rule: &Fact, jurisdictions: &[String]) -> bool {
    let places = rule.list("jurisdiction");
    let mut codes = jurisdictions.iter();
    places.is_empty() || codes.any(|code| places.contains(&code.as_str()))
}

/// Category by category: the times that keep to every rule of the jurisdictions asked about, for each
/// activity that rules name.
fn retention(scene: &Scene<'_>, jurisdictions: &[String]) -> Vec<(String, Answer)> {
    let mut rules: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
    for rule in scene.facts.controller.of("retention_rule") {
        let category = rule.word("category");
        if let Some(category) = category.filter(|_| is_asked(rule, jurisdictions)) {
            rules.entry(category).or_default().push(rule);
        }
    }
    if rules.is_empty() {
        let why = "no retention rule is declared: declare what must be kept, and for how long";
        return vec![(EVERY.to_owned(), Answer::Unknown(why.to_owned()))];
    }
    // A rule for all categories is one of each.
    let general = rules.get("all").cloned().unwrap_or_default();
    let count = rules.len();
    let found: Vec<_> = rules
        .into_iter()
        .filter_map(|(category, mut rules)| {
            if category != "all" {
                rules.extend(&general);
            }
            let outcome = excluded(category, &rules)?;
            Some((category.to_owned(), Answer::Impossible(outcome)))
        })
        .collect();
    let categories = match count {
        1 => "1 category has".to_owned(),
        _ => format!("{count} categories have"),
    };
    or_absent(
        found,
        &format!("{categories} a time that keeps to every rule"),
    )
}

/// The rules of a category that exclude each other, of those that are about one activity: one that names
/// none is about each.
fn excluded(category: &str, rules: &[&Fact]) -> Option<String> {
    let named = rules.iter().flat_map(|rule| rule.list("activities"));
    let activities: BTreeSet<&str> = named.collect();
    let of_each = activities.into_iter().map(Some);
    of_each.chain([None]).find_map(|activity| {
        let about = |rule: &&&Fact| {
            let named = rule.list("activities");
            named.is_empty() || activity.is_some_and(|activity| named.contains(&activity))
        };
        let about: Vec<_> = rules.iter().filter(about).collect();
        let keep = about
            .iter()
            .fold(Keep::default(), |keep, rule| keep.with(interval(rule)));
        let ids: Vec<_> = about.iter().map(|rule| rule.id.as_str()).collect();
        keep.is_empty().then(|| {
            format!(
                "{category} must be kept {} by {}: no time keeps to both",
                keep_words(&keep),
                ids.join(", ")
            )
        })
    })
}

fn interval(rule: &Fact) -> Keep {
    Keep::between(
        rule.word("min").and_then(Span::read),
        rule.word("max").and_then(Span::read),
    )
}
