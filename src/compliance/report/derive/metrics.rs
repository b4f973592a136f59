//! The metrics of requests that are published: 11 CCR 7102, of the calendar year before.

use serde_json::{Map, Value, json};

use super::disclosure::{LEAST, Role, Table};
use super::requests::{SECTION, nobody_asked};
use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::evidence::functions::days_between;
use crate::compliance::report::definition::{Found, Status};
use crate::error::counted;

/// The rights whose metrics are asked for, each with the words that requests have for it: to know is to
/// have access, and a copy.
const RIGHTS: [(&str, &[&str]); 5] = [
    ("delete", &["delete"]),
    ("correct", &["correct"]),
    ("know", &["know", "access", "portability"]),
    ("opt_out", &["opt_out"]),
    ("limit", &["limit"]),
];
const DECISIONS: [&str; 3] = ["complied", "complied_in_part", "denied"];
const BASES: [&str; 4] = ["not_verifiable", "not_a_consumer", "exempt", "other"];

/// Every count that is published, so that each is held against all others.
struct Counts {
    table: Table,
    rights: Vec<OfRight>,
    bases: [(usize, usize); 4],
    year: String,
}

/// Of a right: places in the table, with the counts.
struct OfRight {
    name: &'static str,
    received: (usize, usize),
    decided: [(usize, usize); 3],
    responses: (usize, usize),
    days: Vec<i64>,
}

impl Counts {
    fn of(facts: &Facts) -> Self {
        let year = last_year(facts);
        let mut table = Table::default();
        let mut rights = Vec::new();
        let mut denied_of = Vec::new();
        let mut denied: Vec<&Fact> = Vec::new();
        for (name, words) in RIGHTS {
            let of: Vec<&Fact> = of_year(facts, &year)
                .filter(|fact| {
                    fact.word("right")
                        .is_some_and(|right| words.contains(&right))
                })
                .collect();
            let decision = |fact: &Fact| {
                let word = fact.word("decision");
                DECISIONS.iter().position(|known| word == Some(*known))
            };
            let count = |is: &dyn Fn(&Fact) -> bool| of.iter().filter(|fact| is(fact)).count();
            let mut cell = |count: usize, role: Role| (table.cell(count, role), count);
            let received = cell(of.len(), Role::Sum);
            let decided = [0, 1, 2]
                .map(|place| cell(count(&|fact| decision(fact) == Some(place)), Role::Part));
            let responses = cell(count(&|fact| fact.has("responded_on")), Role::Sum);
            // What is undecided, what was decided without an answer, and the other way round.
            let open = cell(count(&|fact| decision(fact).is_none()), Role::Rest);
            let silent = |fact: &Fact| decision(fact).is_some() && !fact.has("responded_on");
            let silent = cell(count(&silent), Role::Rest);
            let vague = |fact: &Fact| decision(fact).is_none() && fact.has("responded_on");
            let vague = cell(count(&vague), Role::Rest);
            let parts = |sign: i64| decided.map(|(place, _)| (place, sign));
            let mut sum = vec![(received.0, 1), (open.0, -1)];
            sum.extend(parts(-1));
            table.equation(sum);
            let mut sum = vec![(responses.0, -1), (silent.0, -1), (vague.0, 1)];
            sum.extend(parts(1));
            table.equation(sum);
            denied_of.push((decided[2].0, 1));
            denied.extend(of.iter().filter(|fact| decision(fact) == Some(2)));
            let mut days: Vec<i64> = of
                .iter()
                .filter_map(|fact| {
                    days_between(fact.word("received_on")?, fact.word("responded_on")?)
                })
                .collect();
            days.sort_unstable();
            rights.push(OfRight {
                name,
                received,
                decided,
                responses,
                days,
            });
        }
        let with = |basis: &str| {
            let of = denied.iter();
            of.filter(|fact| fact.word("denial_basis") == Some(basis))
                .count()
        };
        let counts = BASES.map(with);
        let bases = counts.map(|count| (table.cell(count, Role::Part), count));
        let without = denied.len() - counts.iter().sum::<usize>();
        denied_of.push((table.cell(without, Role::Rest), -1));
        denied_of.extend(bases.map(|(place, _)| (place, -1)));
        table.equation(denied_of);
        table.protect();
        Self {
            table,
            rights,
            bases,
            year,
        }
    }

    fn shown(&self, (place, count): (usize, usize)) -> Value {
        if self.table.is_shown(place) {
            count.into()
        } else if count < LEAST {
            format!("below {LEAST}").into()
        } else {
            LEFT_OUT.into()
        }
    }
}

const LEFT_OUT: &str = "left out";
const FEW: &str = "Counts below 10 are not published, nor what they could be reckoned from; figures of \
                   days are those of 10 responses or more.";

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
    let year = year(&facts.day);
    year.map_or_else(String::new, |year| (year - 1).to_string())
}

fn year(day: &str) -> Option<i64> {
    day.get(..4).and_then(|year| year.parse().ok())
}

/// Metrics are published of one jurisdiction: what names none is in none of them.
fn metric(facts: &Facts, year: &str, mut value: Map<String, Value>) -> Found {
    value.insert("year".to_owned(), year.into());
    let value = Value::Object(value);
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

/// Received, complied with in whole or in part, denied.
pub fn counts(facts: &Facts) -> Found {
    let counts = Counts::of(facts);
    let mut value = Map::new();
    for right in &counts.rights {
        let mut own = Map::new();
        own.insert("received".to_owned(), counts.shown(right.received));
        for (name, cell) in DECISIONS.iter().zip(right.decided) {
            own.insert((*name).to_owned(), counts.shown(cell));
        }
        value.insert(right.name.to_owned(), Value::Object(own));
    }
    metric(facts, &counts.year, value)
}

/// Median and mean days to a substantive response.
pub fn response_days(facts: &Facts) -> Found {
    let counts = Counts::of(facts);
    let mut value = Map::new();
    for right in &counts.rights {
        let days = &right.days;
        value.insert(
            right.name.to_owned(),
            json!({
                "responses": counts.shown(right.responses),
                "median": of_many(days.len(), median(days)),
                "mean": of_many(days.len(), mean(days)),
            }),
        );
    }
    metric(facts, &counts.year, value)
}

/// Why requests were denied.
pub fn denials(facts: &Facts) -> Found {
    let counts = Counts::of(facts);
    let mut value = Map::new();
    for (basis, cell) in BASES.iter().zip(counts.bases) {
        value.insert((*basis).to_owned(), counts.shown(cell));
    }
    metric(facts, &counts.year, value)
}

/// Whether the metrics were published: those of a year by the first of July of the next.
pub fn publication(facts: &Facts) -> Found {
    let of: Vec<&Fact> = facts
        .controller
        .with("measure", "kind", "metrics_published")
        .collect();
    let newest = of.iter().filter_map(|fact| fact.word("date")).max();
    let value: Vec<_> = of
        .iter()
        .map(|fact| {
            json!({"id": fact.id, "description": fact.text("description"),
                   "document": fact.text("document"), "date": fact.text("date")})
        })
        .collect();
    if of.is_empty() {
        let note = "Declare a measure of kind metrics_published.";
        return Found::missing("controller", "measures", note);
    }
    let found = Found::declared(value.into(), "measures");
    let Some(newest) = newest else {
        let ids: Vec<_> = of.iter().map(|fact| fact.id.as_str()).collect();
        return found.open(format!("Declare date of {}.", ids.join(", ")));
    };
    let is_due = facts.day.get(5..).is_some_and(|day| day >= "07-01");
    let due = year(&facts.day).map_or(0, |year| if is_due { year } else { year - 1 });
    if newest < format!("{due}-01-01").as_str() {
        return Found {
            status: Status::Stale,
            ..found.noting(format!(
                "The metrics of {} were to be published by {due}-07-01.",
                due - 1
            ))
        };
    }
    found
}

/// A figure of so many people.
fn of_many(count: usize, figure: Option<String>) -> Value {
    figure
        .filter(|_| count >= LEAST)
        .map_or_else(|| LEFT_OUT.into(), Value::from)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::matrix::tests::facts as made_up;

    /// Requests of California, so many of each right, decision and basis.
    fn of(requests: &[(usize, &str, &str)]) -> Facts {
        let mut yaml = String::new();
        for (group, (count, right, more)) in requests.iter().enumerate() {
            for turn in 0..*count {
                yaml.push_str(&format!(
                    "  r{group}-{turn}: {{right: {right}, received_on: 2025-05-01, jurisdiction: \
                     US-CA{more}}}\n"
                ));
            }
        }
        made_up("2026-03-31", &format!("rights_requests:\n{yaml}"))
    }

    fn received(facts: &Facts, right: &str) -> Vec<Value> {
        let found = counts(facts).value;
        ["received", "complied", "complied_in_part", "denied"]
            .map(|name| found[right][name].clone())
            .to_vec()
    }

    #[test]
    fn few_are_not_told_by_metrics() {
        let published = |[received_all, complied, in_part, denied]: [usize; 4]| {
            let answer = ", responded_on: 2025-05-11, decision: ";
            let left = received_all - complied - in_part - denied;
            let more = [
                ("complied", complied),
                ("complied_in_part", in_part),
                ("denied", denied),
            ];
            let more = more.map(|(word, count)| (count, format!("{answer}{word}")));
            let mut requests: Vec<_> = more
                .iter()
                .map(|(count, more)| (*count, "delete", more.as_str()))
                .collect();
            requests.push((left, "delete", ""));
            received(&of(&requests), "delete")
        };
        let (few, out) = (json!("below 10"), json!("left out"));
        assert_eq!(published([9, 9, 0, 0]), vec![few.clone(); 4]);
        assert_eq!(
            published([60, 10, 20, 30]),
            [json!(60), json!(10), json!(20), json!(30)]
        );
        // 60 less 20 and 33 would be 7.
        assert_eq!(
            published([60, 20, 33, 7]),
            [json!(60), out.clone(), json!(33), few.clone()]
        );
        assert_eq!(
            published([60, 50, 3, 7]),
            [json!(60), json!(50), few.clone(), few]
        );
        // 60 less 25, 20 and 12 would be the 3 that are open.
        assert_eq!(
            published([60, 25, 20, 12]),
            [out, json!(25), json!(20), json!(12)]
        );
    }

    #[test]
    fn bases_of_denials_are_held_against_what_was_denied() {
        let mut requests = Vec::new();
        let more = BASES.map(|basis| {
            format!(", responded_on: 2025-05-11, decision: denied, denial_basis: {basis}")
        });
        for (place, (right, _)) in RIGHTS.iter().enumerate() {
            // 50, 25, 22 and 3 of them all.
            let of = [
                [20, 0, 0, 0],
                [20, 0, 0, 0],
                [10, 10, 0, 0],
                [0, 15, 5, 0],
                [0, 0, 17, 3],
            ];
            for (basis, count) in of[place].into_iter().enumerate() {
                requests.push((count, *right, more[basis].as_str()));
            }
        }
        let facts = of(&requests);
        // 100 less 50, 25 and 22 would be 3, were all of them there.
        let found = denials(&facts).value;
        let mut shown: Vec<Value> = BASES.map(|basis| found[basis].clone()).to_vec();
        assert_eq!(shown[3], "below 10");
        shown.extend(RIGHTS.map(|(right, _)| received(&facts, right)[3].clone()));
        let numbers = shown.iter().filter(|value| value.is_number()).count();
        assert_eq!(numbers, 7, "{shown:?}");
    }

    #[test]
    fn to_know_is_to_have_access_and_a_copy() {
        let facts = of(&[(20, "access", ""), (15, "portability", ""), (5, "know", "")]);
        assert_eq!(received(&facts, "know")[0], 40);
    }

    #[test]
    fn metrics_are_published_by_july() {
        let of = |day: &str, date: &str| {
            let yaml = format!(
                "measures: {{m: {{kind: metrics_published, description: on the site{date}}}}}"
            );
            publication(&made_up(day, &yaml)).status
        };
        assert_eq!(of("2026-03-31", ""), Status::Missing);
        assert_eq!(of("2026-03-31", ", date: 2019-06-20"), Status::Stale);
        assert_eq!(of("2026-06-30", ", date: 2025-06-20"), Status::Declared);
        assert_eq!(of("2026-07-01", ", date: 2025-06-20"), Status::Stale);
        assert_eq!(of("2026-07-01", ", date: 2026-06-20"), Status::Declared);
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
