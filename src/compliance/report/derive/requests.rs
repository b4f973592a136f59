//! Requests of data subjects, counted.

use serde_json::{Map, Value, json};

use super::counted_everywhere;
use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::evidence::functions::days_between;
use crate::compliance::incident::Status;
use crate::compliance::report::definition::Found;
use crate::error::counted;

/// The rights whose metrics 11 CCR 7102 asks for.
const RIGHTS: [&str; 5] = ["delete", "correct", "know", "opt_out", "limit"];
const SECTION: &str = "rights_requests";

fn of_year<'a>(facts: &'a Facts, year: &'a str) -> impl Iterator<Item = &'a Fact> {
    facts.controller.of("rights_request").filter(move |fact| {
        fact.has("jurisdiction")
            && fact
                .word("received_on")
                .is_some_and(|day| day.starts_with(year))
    })
}

/// The year before that of the day: metrics are of whole years.
fn last_year(facts: &Facts) -> String {
    let year = facts.day.get(..4).and_then(|year| year.parse::<i64>().ok());
    year.map_or_else(String::new, |year| (year - 1).to_string())
}

fn known(facts: &Facts, value: Value) -> Found {
    let of = || facts.controller.of("rights_request");
    if of().next().is_none() {
        return nobody_asked(facts, value);
    }
    let found = Found::declared(value, SECTION);
    match counted_everywhere(of(), "request") {
        Some(note) => found.noting(note),
        None => found,
    }
}

/// That nobody asked is an answer of who has a procedure for those who do.
fn nobody_asked(facts: &Facts, value: Value) -> Found {
    let is_procedure = |fact: &&Fact| {
        let kind = fact.word("kind");
        kind.is_some_and(|kind| ["access_procedure", "complaint_procedure"].contains(&kind))
    };
    match facts.controller.of("measure").find(is_procedure) {
        Some(procedure) => Found::declared(value, "rights_requests, measures").noting(format!(
            "No request is declared here; measure {} is the procedure.",
            procedure.id
        )),
        None => none(),
    }
}

fn none() -> Found {
    Found::missing(
        "controller",
        SECTION,
        "Declare the requests, section rights_requests, or a measure of kind access_procedure where \
         there was none.",
    )
}

/// Metrics are published of one jurisdiction: what names none is in none of them.
fn metric(facts: &Facts, value: Value) -> Found {
    let (placed, others): (Vec<_>, Vec<_>) = facts
        .controller
        .of("rights_request")
        .partition(|fact| fact.has("jurisdiction"));
    if placed.is_empty() && others.is_empty() {
        return nobody_asked(facts, value);
    }
    let found = Found::declared(value, SECTION).noting(FEW);
    if others.is_empty() {
        return found;
    }
    let left = format!(
        "{} without jurisdiction left out: declare it.",
        counted(others.len() as u64, "request")
    );
    if placed.is_empty() {
        return found.open(left);
    }
    found.noting(left)
}

/// Received, complied with in whole or in part, denied: for the calendar year before.
pub fn counts(facts: &Facts) -> Found {
    let year = last_year(facts);
    let mut value = Map::new();
    for right in RIGHTS {
        let of: Vec<_> = of_year(facts, &year)
            .filter(|fact| fact.word("right") == Some(right))
            .collect();
        let decided = |word: &str| {
            of.iter()
                .filter(|fact| fact.word("decision") == Some(word))
                .count()
        };
        let [received, complied, in_part, denied] = published([
            of.len(),
            decided("complied"),
            decided("complied_in_part"),
            decided("denied"),
        ]);
        value.insert(
            right.to_owned(),
            json!({
                "received": received, "complied": complied,
                "complied_in_part": in_part, "denied": denied,
            }),
        );
    }
    value.insert("year".to_owned(), year.into());
    metric(facts, Value::Object(value))
}

/// Median and mean days to a substantive response, for the calendar year before.
pub fn response_days(facts: &Facts) -> Found {
    let year = last_year(facts);
    let mut value = Map::new();
    for right in RIGHTS {
        let mut days: Vec<i64> = of_year(facts, &year)
            .filter(|fact| fact.word("right") == Some(right))
            .filter_map(|fact| days_between(fact.word("received_on")?, fact.word("responded_on")?))
            .collect();
        days.sort_unstable();
        value.insert(
            right.to_owned(),
            json!({
                "responses": shown(days.len()),
                "median": of_many(days.len(), median(&days)),
                "mean": of_many(days.len(), mean(&days)),
            }),
        );
    }
    value.insert("year".to_owned(), year.into());
    metric(facts, Value::Object(value))
}

/// The least number of people that metrics show: of fewer, they may tell who it was.
const LEAST: usize = 10;
const FEW: &str = "Counts below 10 are not published, nor what they could be reckoned from; figures of \
                   days are those of 10 responses or more.";

fn shown(count: usize) -> Value {
    if count < LEAST {
        format!("below {LEAST}").into()
    } else {
        count.into()
    }
}

/// A figure of so many people.
fn of_many(count: usize, figure: Option<String>) -> Value {
    figure
        .filter(|_| count >= LEAST)
        .map_or_else(|| LEFT_OUT.into(), Value::from)
}

const LEFT_OUT: &str = "left out";

/// A sum and its parts. Where one part alone is below the least, what is left of the sum would tell it:
/// the next smallest is left out with it.
fn published<const N: usize>(counts: [usize; N]) -> [Value; N] {
    let mut found = counts.map(shown);
    let parts = 1..N;
    let few = parts.clone().filter(|&place| counts[place] < LEAST);
    if few.count() == 1 {
        let next = parts
            .filter(|&place| counts[place] >= LEAST)
            .min_by_key(|&place| counts[place]);
        if let Some(next) = next {
            found[next] = LEFT_OUT.into();
        }
    }
    found
}

/// With one digit after the point, in tenths.
fn median(days: &[i64]) -> Option<String> {
    let middle = days.len() / 2;
    let tenths = match days.len() {
        0 => return None,
        odd if odd % 2 == 1 => days[middle] * 10,
        _ => (days[middle - 1] + days[middle]) * 5,
    };
    Some(format!("{}.{}", tenths / 10, tenths % 10))
}

fn mean(days: &[i64]) -> Option<String> {
    let count = i64::try_from(days.len()).ok().filter(|count| *count > 0)?;
    let tenths = (days.iter().sum::<i64>() * 20 / count + 1) / 2;
    Some(format!("{}.{}", tenths / 10, tenths % 10))
}

/// Why requests were denied.
pub fn denials(facts: &Facts) -> Found {
    let year = last_year(facts);
    let mut value = Map::new();
    for basis in ["not_verifiable", "not_a_consumer", "exempt", "other"] {
        let count = of_year(facts, &year)
            .filter(|fact| fact.word("denial_basis") == Some(basis))
            .count();
        value.insert(basis.to_owned(), shown(count));
    }
    value.insert("year".to_owned(), year.into());
    metric(facts, Value::Object(value))
}

/// Whether each request has what a register asks of it.
pub fn register(facts: &Facts) -> Found {
    const ASKED: [&str; 4] = ["manner", "responded_on", "decision", "response"];
    let of: Vec<_> = facts.controller.of("rights_request").collect();
    let open: Vec<_> = of
        .iter()
        .filter(|fact| {
            let is_whole = ASKED.iter().all(|field| fact.has(field));
            let needs_basis = fact.word("decision") == Some("denied") && !fact.has("denial_basis");
            !is_whole || needs_basis
        })
        .map(|fact| fact.id.clone())
        .collect();
    let is_open = !open.is_empty();
    let value = json!({
        "requests": of.len(), "complete": of.len() - open.len(),
        "incomplete": super::some(open.into_iter(), 50),
    });
    let found = known(facts, value);
    if is_open {
        return found.open(format!(
            "Declare {} of each request, and denial_basis of those denied.",
            ASKED.join(", ")
        ));
    }
    found
}

/// How many requests were acknowledged and answered within the terms of some requirements.
pub fn terms(facts: &Facts, requirements: &[&str]) -> Found {
    let mut value = Vec::new();
    let mut overdue = Vec::new();
    let mut is_late = false;
    for requirement in requirements {
        let of: Vec<_> = facts
            .inventory
            .terms
            .iter()
            .filter(|term| term.requirement == *requirement)
            .collect();
        let count = |status: Status| of.iter().filter(|term| term.status == status).count();
        let missed = of.iter().filter(|term| term.status.is_missed());
        let ends = of.first().map_or("answer", |term| term.ends.name());
        value.push(json!({
            "requirement": requirement, "ends_with": ends, "requests": of.len(),
            "in_time": count(Status::Done), "open": count(Status::Open),
            "late": count(Status::Late), "overdue": count(Status::Overdue),
            "extended": of.iter().filter(|term| term.is_extended).count(),
            "missed": super::some(missed.map(|term| term.request.clone()), 50),
        }));
        is_late |= count(Status::Late) > 0;
        let open = of.iter().filter(|term| term.status == Status::Overdue);
        overdue.extend(open.map(|term| term.request.as_str()));
    }
    let mut found = known(facts, value.into());
    if is_late {
        found = found.noting("Some were answered after their term.");
    }
    overdue.sort_unstable();
    overdue.dedup();
    if !overdue.is_empty() {
        overdue.truncate(20);
        found = found.open(format!("The term has run out of {}.", overdue.join(", ")));
    }
    found
}

/// Deletions that runs of this extension have carried out.
pub fn deletions(facts: &Facts) -> Found {
    let of: Vec<_> = facts
        .controller
        .with("rights_request", "right", "delete")
        .collect();
    let by_run: Vec<_> = of.iter().filter(|fact| fact.has("run_id")).collect();
    let value = json!({
        "deletions": of.len(), "carried_out_by_runs": by_run.len(),
        "runs": super::some(by_run.iter().filter_map(|fact| fact.text("run_id")), 50),
    });
    known(facts, value).noting("Copies in backups are not reached by a run: name their retention.")
}

/// The exceptions that requests were denied under.
pub fn exceptions(facts: &Facts) -> Found {
    let of: Vec<_> = facts
        .controller
        .with("rights_request", "denial_basis", "exempt")
        .collect();
    let value: Vec<_> = of
        .iter()
        .map(|fact| {
            json!({"request": fact.id, "right": fact.word("right"),
                   "exception": fact.text("exception")})
        })
        .collect();
    let open: Vec<_> = of
        .iter()
        .filter(|fact| !fact.has("exception"))
        .take(20)
        .map(|fact| fact.id.as_str())
        .collect();
    let found = known(facts, json!({"denied_as_exempt": value}));
    if open.is_empty() {
        return found;
    }
    found.open(format!("Declare the exception of {}.", open.join(", ")))
}

/// Complaints.
pub fn complaints(facts: &Facts) -> Found {
    let of: Vec<_> = facts
        .controller
        .with("rights_request", "right", "complaint")
        .collect();
    let open = of.iter().filter(|fact| !fact.has("responded_on")).count();
    known(facts, json!({"complaints": of.len(), "open": open}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_not_told_by_metrics() {
        let published = |counts| published::<4>(counts).map(|value| value.to_string());
        let few = "\"below 10\"".to_owned();
        let out = "\"left out\"".to_owned();
        let number = |number: usize| number.to_string();
        assert_eq!(
            published([9, 9, 0, 0]),
            [few.clone(), few.clone(), few.clone(), few.clone()]
        );
        assert_eq!(
            published([60, 10, 20, 30]),
            [number(60), number(10), number(20), number(30)]
        );
        // 60 less 20 and 33 would be 7.
        assert_eq!(
            published([60, 20, 33, 7]),
            [number(60), out, number(33), few.clone()]
        );
        assert_eq!(
            published([60, 50, 3, 7]),
            [number(60), number(50), few.clone(), few]
        );
    }

    #[test]
    fn middles_have_one_digit() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3]).as_deref(), Some("3.0"));
        assert_eq!(median(&[3, 4]).as_deref(), Some("3.5"));
        assert_eq!(median(&[1, 3, 9]).as_deref(), Some("3.0"));
        assert_eq!(mean(&[1, 2]).as_deref(), Some("1.5"));
        assert_eq!(mean(&[1, 1, 2]).as_deref(), Some("1.3"));
        assert_eq!(mean(&[]), None);
    }
}
