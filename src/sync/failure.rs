//! A failed run in words of our own.

use serde_json::{Map, Value, json};

use super::masks::{self, Refusal};
use super::phase::{Phase, Place};
use crate::error::{Error, Kind};
use crate::pg::subxact::{Failure, ServerError};

/// Says what failed, in words of our own: the server's may hold row values (class 22, details of
/// keys, whatever a trigger raises). `record` is the table that holds the failure.
pub fn explain(failure: Failure, phase: &Phase, record: &str) -> (Error, Map<String, Value>) {
    let (phase, place) = phase.take();
    let mut details = Map::new();
    details.insert("phase".to_owned(), json!(phase));
    if let Place::Hook(hook) = &place {
        details.insert("hook".to_owned(), json!(hook));
    }
    let error = match failure {
        Failure::Own(error) => {
            details.insert(
                "sqlstate".to_owned(),
                json!(error.kind().sqlstate().as_str()),
            );
            return (error, details);
        }
        Failure::Server(error) => error,
    };
    details.insert("sqlstate".to_owned(), json!(error.sqlstate.as_str()));
    let sqlstate = error.sqlstate.as_str();
    let is_this = |refusal: &Refusal| refusal.error.kind().sqlstate().as_str() == sqlstate;
    if let Some(refusal) = masks::refusal().filter(is_this) {
        details.insert("table".to_owned(), json!(refusal.place.table));
        details.insert("column".to_owned(), json!(refusal.place.column));
        if let Some(constraint) = &refusal.constraint {
            details.insert("constraint".to_owned(), json!(constraint));
        }
        return (refused(refusal, phase, &place), details);
    }
    let mut what = Vec::new();
    let raised = masks::raised().filter(|_| resource(&error).is_none());
    if let Some(raised) = &raised {
        details.insert("table".to_owned(), json!(raised.place.table));
        details.insert("column".to_owned(), json!(raised.place.column));
        if let Some(constraint) = &raised.constraint {
            details.insert("constraint".to_owned(), json!(constraint));
        }
    }
    for (word, name) in [
        ("constraint", &error.constraint),
        ("column", &error.column),
        ("table", &error.table),
    ] {
        if let Some(name) = name {
            details.insert(word.to_owned(), json!(name));
            what.push(if word == "table" {
                format!(
                    "of table \"{}.{name}\"",
                    error.schema.as_deref().unwrap_or("")
                )
            } else {
                format!("{word} \"{name}\"")
            });
        }
    }
    let in_hook = matches!(place, Place::Hook(_));
    let place = place.shown();
    let message = match (error.sqlstate.as_str(), raised) {
        ("57014", _) => "run canceled".to_owned(),
        (_, Some(raised)) => format!(
            "run failed while {phase}{place}: {} raises an error",
            raised.what()
        ),
        _ if what.is_empty() => format!("run failed while {phase}{place}"),
        _ => format!(
            "run failed while {phase}{place}: {} refuses a row",
            what.join(" ")
        ),
    };
    let detail = match resource(&error) {
        Some(words) => words.to_owned(),
        None if !in_hook && speaks_of_no_row(phase, &error) => {
            format!("The server says: {}.", error.message)
        }
        None => format!(
            "The server reports SQLSTATE {}; its message is left out because it may hold row values.",
            error.sqlstate.as_str()
        ),
    };
    let step = next_step(&error, in_hook);
    let hint = format!("Nothing was changed in the target. {step}The failure is in {record}.");
    let error = Error::new(Kind::Server(error.sqlstate), message)
        .with_detail(detail)
        .with_hint(hint);
    (error, details)
}

/// What a mask says of a value holds nothing of it.
fn refused(refusal: Refusal, phase: &str, place: &Place) -> Error {
    let place = place.shown();
    if refusal.error.kind() == Kind::Check {
        let error = refusal.error;
        let message = format!("run failed while {phase}{place}: {}", error.message());
        return Error::new(Kind::Check, message)
            .with_detail(error.detail().unwrap_or_default())
            .with_hint(
                "Nothing was changed in the target. Choose a strategy or parameters whose values \
                 the constraint accepts.",
            );
    }
    let Refusal {
        place: masks::Place { column, .. },
        error,
        ..
    } = refusal;
    let detail = error
        .detail()
        .map_or(String::new(), |why| format!(" {why}"));
    Error::new(
        error.kind(),
        format!(
            "run failed while {phase}{place}: column \"{column}\" has a value that is not masked"
        ),
    )
    .with_detail(format!("The strategy says: {}.{detail}", error.message()))
    .with_hint(
        "Nothing was changed in the target. Let on_error of the rule be null or redact, or look \
         for such values with confiture.validate_value.",
    )
}

/// Whether the server's own words can be passed on: before a row is touched they can only speak of
/// objects. Whatever code of a user may raise, with any SQLSTATE, is not among them.
fn speaks_of_no_row(phase: &str, error: &ServerError) -> bool {
    let early = ["starting", "locking", "preparing the target"].contains(&phase);
    let objects = ["25", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"];
    early && objects.contains(&error.sqlstate.class())
}

/// What to do then, where it can be told; a sentence and a blank.
fn next_step(error: &ServerError, in_hook: bool) -> &'static str {
    match (error.sqlstate.as_str(), error.sqlstate.class()) {
        ("40001" | "40P01", _) => "Run again. ",
        ("53100", _) => "Make room for the new rows beside the old ones, then run again. ",
        ("55P03", _) => "See pg_blocking_pids for who holds a table, then run again. ",
        ("57014", _) => "Run again, with more time where a timeout ended it. ",
        (_, "22" | "23") if !in_hook => {
            "Mend the data, the profile or the constraint, then run again. "
        }
        _ => "",
    }
}

/// What has run out or stood in the way, whatever the message says: a trigger or a hook can raise
/// these too, with a row in its words. Of a cancel the server tells the cause in its words only.
fn resource(error: &ServerError) -> Option<&'static str> {
    Some(match error.sqlstate.as_str() {
        "40P01" => "It was chosen to end a deadlock with another session.",
        "53100" => "There is no room left on the disk.",
        "53200" => "The server is out of memory.",
        "55P03" => "A lock was not to be had in time.",
        "57014" => match error.message.as_str() {
            "canceling statement due to statement timeout" => {
                "It took longer than statement_timeout."
            }
            "canceling statement due to lock timeout" => {
                "It waited longer than lock_timeout for a lock."
            }
            "canceling statement due to user request" => "Somebody asked for it.",
            _ => "By a timeout, or because somebody asked for it.",
        },
        _ => return None,
    })
}
