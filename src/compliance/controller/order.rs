//! What cannot have happened: an event before its cause, more of a part than of the whole.

use serde_json::{Map, Value};

use crate::strategies::calendar::{DAY, parse_date, parse_time};

/// By kind: a day or moment, and what does not come before it.
const CAUSES: [(&str, &str, &[&str]); 6] = [
    ("assessment", "date", &["next_review"]),
    (
        "incident",
        "authority_notified_at",
        &["authority_complemented_at"],
    ),
    (
        "incident",
        "known_at",
        &[
            "determined_at",
            "authority_notified_at",
            "subjects_notified_at",
        ],
    ),
    ("incident", "occurred_from", &["occurred_to", "known_at"]),
    ("measure", "date", &["next_review"]),
    (
        "rights_request",
        "received_on",
        &["acknowledged_on", "extended_on", "responded_on"],
    ),
];

/// A number of an incident, and what is no more than that together.
const WHOLES: [(&str, &[&str]); 2] = [
    (
        "subjects_affected",
        &[
            "children_affected",
            "adolescents_affected",
            "elderly_affected",
        ],
    ),
    ("subjects_total", &["subjects_affected"]),
];

/// The field of a fact that cannot be right beside another, and why.
pub fn wrong(kind: &str, fields: &Map<String, Value>) -> Option<(&'static str, String)> {
    for (_, cause, events) in CAUSES.iter().filter(|(of, ..)| *of == kind) {
        for event in *events {
            if is_before(fields.get(*event), fields.get(*cause)) {
                let message = format!("\"{event}\" must not be before \"{cause}\"");
                return Some((event, message));
            }
        }
    }
    let count = |field: &str| fields.get(field).and_then(Value::as_i64);
    for (whole, parts) in WHOLES {
        let Some(most) = count(whole).filter(|_| kind == "incident") else {
            continue;
        };
        let counts = parts.iter().filter_map(|part| count(part));
        let sum = counts.fold(0, i64::saturating_add);
        if sum > most {
            let part = parts.iter().find(|part| count(part).is_some())?;
            let parts: Vec<_> = parts.iter().map(|part| format!("\"{part}\"")).collect();
            let parts = parts.join(" and ");
            return Some((part, format!("{parts} must not be more than \"{whole}\"")));
        }
    }
    None
}

/// Whether an event comes before its cause, in some jurisdiction of both.
fn is_before(event: Option<&Value>, cause: Option<&Value>) -> bool {
    let (Some(event), Some(cause)) = (event, cause) else {
        return false;
    };
    let is = |event: &Value, cause: &Value| {
        let moments = instant(event).zip(instant(cause));
        moments.is_some_and(|(event, cause)| event < cause)
    };
    match (event, cause) {
        (Value::Object(events), Value::Object(causes)) => events
            .iter()
            .any(|(place, event)| causes.get(place).is_some_and(|cause| is(event, cause))),
        (Value::Object(events), cause) => events.values().any(|event| is(event, cause)),
        (event, cause) => is(event, cause),
    }
}

/// A day, or a moment, in microseconds.
pub(super) fn instant(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    match text.len() {
        10 => parse_date(text).map(|day| i64::from(day) * DAY),
        _ => parse_time(text, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(kind: &str, fields: &Value) -> Option<String> {
        let fields = fields.as_object().unwrap();
        wrong(kind, fields).map(|(field, why)| format!("{field}: {why}"))
    }

    #[test]
    fn events_follow_their_cause() {
        let request = |field: &str, day: &str| {
            of(
                "rights_request",
                &json!({"received_on": "2026-03-02", field: day}),
            )
        };
        for field in ["acknowledged_on", "extended_on", "responded_on"] {
            assert_eq!(request(field, "2026-03-02"), None);
            let why = request(field, "2026-03-01").unwrap();
            assert!(why.ends_with("must not be before \"received_on\""), "{why}");
        }
        let incident = |field: &str, at: Value| {
            of(
                "incident",
                &json!({"known_at": "2026-03-02T12:00:00+02:00", field: at}),
            )
        };
        let (same, early) = ("2026-03-02T10:00:00Z", "2026-03-02T09:59:59Z");
        for field in [
            "determined_at",
            "authority_notified_at",
            "subjects_notified_at",
        ] {
            assert_eq!(incident(field, json!(same)), None);
            assert!(incident(field, json!(early)).is_some(), "{field}");
            assert!(incident(field, json!({"EU": same, "BR": early})).is_some());
        }
        assert!(incident("occurred_from", json!("2026-03-02T10:00:01Z")).is_some());
        let told = json!({
            "authority_notified_at": {"EU": same, "BR": early},
            "authority_complemented_at": {"BR": early},
        });
        assert_eq!(of("incident", &told), None);
        let review = json!({"date": "2026-03-02", "next_review": "2026-03-01"});
        assert!(of("measure", &review).is_some() && of("assessment", &review).is_some());
    }

    #[test]
    fn a_part_is_no_more_than_the_whole() {
        let incident = |affected, children, elderly| {
            of(
                "incident",
                &json!({"subjects_total": 9, "subjects_affected": affected,
                        "children_affected": children, "elderly_affected": elderly}),
            )
        };
        assert_eq!(incident(9, 4, 5), None);
        assert_eq!(
            incident(9, 4, 6).unwrap(),
            "children_affected: \"children_affected\" and \"adolescents_affected\" and \
             \"elderly_affected\" must not be more than \"subjects_affected\""
        );
        assert_eq!(
            incident(10, 0, 0).unwrap(),
            "subjects_affected: \"subjects_affected\" must not be more than \"subjects_total\""
        );
    }
}
