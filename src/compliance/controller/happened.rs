//! What had happened by a day: what is declared of later is no fact of it yet.

use serde_json::Value;

use super::kinds::{self, Form, Kind};
use super::order::instant;
use super::{Controller, Fact};
use crate::strategies::calendar::DAY;

/// The field without which there is no such event: before its day nothing of it had happened.
fn begins(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "assessment" | "measure" => "date",
        "incident" => "known_at",
        "rights_request" => "received_on",
        _ => return None,
    })
}

/// What is said of an event goes with it.
const SAID_OF: [(&str, &[&str]); 1] = [(
    "responded_on",
    &[
        "decision",
        "denial_basis",
        "exception",
        "response",
        "run_id",
    ],
)];

impl Controller {
    /// What had happened by the end of a day, and by a moment of it.
    #[must_use]
    pub fn happened(self, day: &str, now: i64) -> Self {
        let facts = self.facts.into_iter();
        let began = facts.filter(|fact| has_begun(fact, day, now));
        Self {
            facts: began.map(|fact| fact.happened(day, now)).collect(),
        }
    }
}

fn has_begun(fact: &Fact, day: &str, now: i64) -> bool {
    let field = begins(fact.kind).and_then(|field| fact.fields.get(field));
    field.is_none_or(|value| match value.as_str() {
        Some(text) if text.len() == 10 => text <= day,
        // To the day: clocks differ, and what is entered now is known now.
        _ => instant(value).is_none_or(|at| at.div_euclid(DAY) <= now.div_euclid(DAY)),
    })
}

impl Fact {
    /// The fact without days and moments that are yet to come, but for those of a plan, and without
    /// numbers of another year.
    #[must_use]
    pub fn happened(mut self, day: &str, now: i64) -> Self {
        let Some(kind) = kinds::kind(self.kind) else {
            return self;
        };
        let is_of_year = self.valid_from.get(..4) == day.get(..4);
        for field in kind.fields {
            if field.form == Form::CountOfYear && !is_of_year {
                self.fields.remove(field.name);
            }
        }
        for field in events(kind) {
            let Some(value) = self.fields.get_mut(field) else {
                continue;
            };
            if let Value::Object(by) = value {
                by.retain(|_, value| is_past(value, day, now));
                if !by.is_empty() {
                    continue;
                }
            } else if is_past(value, day, now) {
                continue;
            }
            self.fields.remove(field);
            let said = SAID_OF.iter().filter(|(event, _)| *event == field);
            for field in said.flat_map(|(_, said)| *said) {
                self.fields.remove(*field);
            }
        }
        self
    }
}

fn is_past(value: &Value, day: &str, now: i64) -> bool {
    match value.as_str() {
        Some(text) if text.len() == 10 => text <= day,
        _ => instant(value).is_none_or(|at| at <= now),
    }
}

/// Days and moments of a kind that are events, beside that which it begins with.
fn events(kind: &Kind) -> impl Iterator<Item = &'static str> {
    let begins = begins(kind.name);
    kind.fields
        .iter()
        .filter(|field| matches!(field.form, Form::Day | Form::Moment | Form::Moments))
        .map(|field| field.name)
        .filter(move |name| *name != "next_review" && Some(*name) != begins)
}

#[cfg(test)]
mod tests {
    use crate::compliance::matrix::tests::declared;
    use crate::strategies::calendar::parse_time;

    const YAML: &str = "
rights_requests:
  r: {right: know, received_on: 2026-03-02, responded_on: 2026-03-20, decision: complied}
incidents:
  i: {known_at: 2026-03-02T12:00:00Z, jurisdictions: [BR, EU],
      authority_notified_at: {EU: 2026-03-03T12:00:00Z, BR: 2026-03-05T12:00:00Z}}
assessments: {a: {kind: dpia, date: 2026-03-04, next_review: 2028-03-04}}
measures:
  m: {kind: audit, description: d, date: 2026-03-04}
  n: {kind: audit, description: d, next_review: 2028-03-04}
";

    #[test]
    fn what_is_yet_to_come_is_no_fact() {
        let on = |day: &str| {
            let now = parse_time(&format!("{day} 23:59:59Z"), true).unwrap();
            declared(YAML).happened(day, now)
        };
        let ids = |day: &str| -> String {
            let found = on(day).facts;
            found.iter().map(|fact| fact.id.as_str()).collect()
        };
        assert_eq!(ids("2026-03-01"), "n");
        assert_eq!(ids("2026-03-02"), "rin");
        assert_eq!(ids("2026-03-04"), "riamn");
        let told = |day: &str, place: &str| {
            let found = on(day);
            let incident = found.find("incident", "i").unwrap();
            incident.of_place("authority_notified_at", place).is_some()
        };
        assert!(!told("2026-03-02", "EU"));
        assert!(told("2026-03-03", "EU") && !told("2026-03-03", "BR"));
        assert!(told("2026-03-05", "BR"));
        // With the answer goes what is said of it; a review is a plan.
        let has = |day: &str, field: &str| on(day).find("rights_request", "r").unwrap().has(field);
        assert!(!has("2026-03-19", "responded_on") && !has("2026-03-19", "decision"));
        assert!(has("2026-03-20", "responded_on") && has("2026-03-20", "decision"));
        let found = on("2026-03-04");
        assert!(found.find("assessment", "a").unwrap().has("next_review"));
        // Numbers of a year are those of no other; the facts are of 2026.
        let transfer = "transfers: {t: {country: US, volume_basis: b, subjects_this_year: 9}}";
        let has = |day: &str| {
            let found = declared(transfer).happened(day, 0);
            let transfer = found.find("transfer", "t").unwrap();
            (
                transfer.has("volume_basis"),
                transfer.has("subjects_this_year"),
            )
        };
        assert_eq!(has("2026-12-31"), (true, true));
        assert_eq!(has("2027-01-01"), (true, false));
        // Of one day some moments have passed.
        let noon = parse_time("2026-03-03 11:00:00Z", true).unwrap();
        let found = declared(YAML).happened("2026-03-03", noon);
        let incident = found.find("incident", "i").unwrap();
        assert!(!incident.has("authority_notified_at"));
    }
}
