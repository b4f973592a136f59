//! Reads a controller's document, and single facts, against the kinds.

use serde_json::{Map, Value};

use super::RESERVED;
use super::forms::{day, text, value};
use super::kinds::{Form, KINDS, Kind, SPLIT};
use crate::compliance::calendar::Span;
use crate::compliance::rules::parameter::Keep;
use crate::error::{Error, Result};
use crate::profile::document::{Content, Entry, Tree, problem, word};
use crate::profile::{Bounds, Place};
use crate::strategies::nearest;

/// A version of a fact, to be stored unless it is there already.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its id.
    pub id: String,
    /// The fields.
    pub fields: Map<String, Value>,
    /// The first day; today where none is given.
    pub valid_from: Option<String>,
    /// The first day on which it holds no more.
    pub valid_to: Option<String>,
    /// What it was taken from.
    pub source_doc: Option<String>,
    /// Ids of other facts that it names: kind, id, where.
    pub names: Vec<(&'static str, String, Option<Place>)>,
}

/// What is exported is to be taken again: the log of the requests of years is in it.
pub const BOUNDS: Bounds = Bounds {
    bytes: 32 * 1024 * 1024,
    nodes: 4_000_000,
};

/// Characters of an id.
const LONGEST_ID: usize = 63;

/// Reads a document.
///
/// # Errors
/// 22P02 for what is not YAML or has another shape, 22023 for a value that is refused; each with
/// its place.
pub fn document(tree: &Tree) -> Result<Vec<Declared>> {
    let mut found = Vec::new();
    let entries = map(tree, "").map_err(with_sections)?;
    let mut defaults = (None, None);
    for entry in entries {
        match entry.key.as_str() {
            "valid_from" => defaults.0 = Some(day(&entry.value, "valid_from")?),
            "source_doc" => defaults.1 = Some(text(&entry.value, "source_doc")?),
            _ => {}
        }
    }
    for entry in entries {
        if ["valid_from", "source_doc"].contains(&entry.key.as_str()) {
            continue;
        }
        let Some(kind) = KINDS.iter().find(|kind| kind.section == entry.key) else {
            let known = KINDS.iter().map(|kind| kind.section);
            return Err(unknown(entry, "", "section", known));
        };
        if entry.value.content == Content::Nothing {
            continue;
        }
        for item in map(&entry.value, kind.section)? {
            let path = format!("{}.{}", kind.section, word(&item.key));
            let mut fact = fact(kind, &item.key, &item.value, item.place, &path)?;
            fact.valid_from = fact.valid_from.or_else(|| defaults.0.clone());
            fact.source_doc = fact.source_doc.or_else(|| defaults.1.clone());
            found.push(fact);
        }
    }
    Ok(found)
}

/// Says what a document has, where nothing else is said.
pub fn with_sections(error: Error) -> Error {
    if error.hint().is_some() {
        return error;
    }
    let sections: Vec<_> = KINDS.iter().map(|kind| kind.section).collect();
    error.with_hint(format!("A document has sections: {}.", sections.join(", ")))
}

/// Reads one fact.
///
/// # Errors
/// As [`document`].
pub fn fact(
    kind: &'static Kind,
    id: &str,
    tree: &Tree,
    place: Option<Place>,
    path: &str,
) -> Result<Declared> {
    self::id(id, place, path)?;
    let mut found = Declared {
        kind,
        id: id.to_owned(),
        fields: Map::new(),
        valid_from: None,
        valid_to: None,
        source_doc: None,
        names: Vec::new(),
    };
    for entry in map(tree, path)? {
        let own = format!("{path}.{}", word(&entry.key));
        match entry.key.as_str() {
            "valid_from" => found.valid_from = Some(day(&entry.value, &own)?),
            "valid_to" => found.valid_to = Some(day(&entry.value, &own)?),
            "source_doc" => found.source_doc = Some(text(&entry.value, &own)?),
            name => {
                let Some(field) = kind.fields.iter().find(|field| field.name == name) else {
                    split(kind, entry, path)?;
                    let known = kind.fields.iter().map(|field| field.name).chain(RESERVED);
                    return Err(unknown(entry, path, "field", known));
                };
                if entry.value.content == Content::Nothing {
                    continue;
                }
                let value = value(field.form, &entry.value, &own, &mut found.names)?;
                found.fields.insert(name.to_owned(), value);
            }
        }
    }
    for field in kind.fields.iter().filter(|field| field.required) {
        if !found.fields.contains_key(field.name) {
            return Err(problem(
                NOUN,
                tree.place.or(place),
                path,
                "missing_key",
                format!("key \"{}\" is missing", field.name),
                None,
            ));
        }
    }
    places(&found, tree, path)?;
    order(&found, tree, path)?;
    ends(&found, tree, path)?;
    if found.valid_to.is_some() && found.valid_to <= found.valid_from && found.valid_from.is_some()
    {
        return Err(refused(
            place,
            path,
            "\"valid_to\" must be after \"valid_from\"",
            None,
        ));
    }
    Ok(found)
}

/// Refuses a field that is several now, with their names.
fn split(kind: &Kind, entry: &Entry, path: &str) -> Result<()> {
    let mut known = SPLIT.iter();
    let Some((.., now)) = known.find(|(of, old, _)| *of == kind.name && *old == entry.key) else {
        return Ok(());
    };
    let now: Vec<_> = now.iter().map(|name| format!("\"{name}\"")).collect();
    let message = format!("field \"{}\" is {} now", entry.key, now.join(" and "));
    let hint = "What is so of both is said in both.".to_owned();
    Err(problem(
        NOUN,
        entry.place,
        path,
        "unknown_key",
        message,
        Some(hint),
    ))
}

/// What is said by jurisdiction is said of those that the fact names; one moment or reason for all is
/// not, unless it names one.
fn places(found: &Declared, tree: &Tree, path: &str) -> Result<()> {
    let named: Vec<_> = match found.fields.get("jurisdictions") {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    for field in found.kind.fields {
        let Some(value) = found.fields.get(field.name) else {
            continue;
        };
        if !field.form.is_by_place() {
            continue;
        }
        let message = match value {
            Value::Object(by) => by
                .keys()
                .find(|place| !named.is_empty() && !named.contains(&place.as_str()))
                .map(|place| format!("\"{place}\" is not among the jurisdictions of this fact")),
            _ => (named.len() != 1).then(|| "jurisdiction is missing".to_owned()),
        };
        let hint = match field.form {
            Form::TextsOf => "Write {EU: no risk to anybody}, each with its reason.",
            _ => "Write {EU: 2026-03-31T18:00:00+02:00}, each with its moment.",
        };
        if let Some(message) = message {
            return Err(refused(
                tree.get(field.name).and_then(|value| value.place),
                &format!("{path}.{}", field.name),
                message,
                Some(hint.to_owned()),
            ));
        }
    }
    Ok(())
}

/// Refuses what cannot have happened.
fn order(found: &Declared, tree: &Tree, path: &str) -> Result<()> {
    let Some((field, message)) = super::order::wrong(found.kind.name, &found.fields) else {
        return Ok(());
    };
    Err(refused(
        tree.get(field).and_then(|value| value.place),
        &format!("{path}.{field}"),
        message,
        Some("Correct one of the two.".to_owned()),
    ))
}

/// No time is at least so long and at most shorter.
fn ends(found: &Declared, tree: &Tree, path: &str) -> Result<()> {
    let end = |field: &str| {
        let text = found.fields.get(field).and_then(Value::as_str);
        text.and_then(Span::read)
    };
    if found.kind.name != "retention_rule" || !Keep::between(end("min"), end("max")).is_empty() {
        return Ok(());
    }
    Err(refused(
        tree.get("max").and_then(|value| value.place),
        &format!("{path}.max"),
        "no time keeps to both \"min\" and \"max\"",
        Some(
            "Declare two rules where a duty to keep and one to erase exclude each other."
                .to_owned(),
        ),
    ))
}

/// What a document is called in messages.
pub const NOUN: &str = "controller document";

/// Refuses what is no id.
///
/// # Errors
/// 22023, with the place.
pub fn id(id: &str, place: Option<Place>, path: &str) -> Result<()> {
    if is_id(id) {
        return Ok(());
    }
    Err(refused(
        place,
        path,
        format!("invalid id \"{}\"", word(id)),
        Some(format!(
            "An id has letters, digits, periods, hyphens and underscores, and at most {LONGEST_ID} \
             of them."
        )),
    ))
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= LONGEST_ID
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn map<'a>(tree: &'a Tree, path: &str) -> Result<&'a [Entry]> {
    match &tree.content {
        Content::Map(entries) => Ok(entries),
        _ => Err(mismatch(tree, path, "a mapping")),
    }
}

pub(super) fn mismatch(tree: &Tree, path: &str, wanted: &str) -> Error {
    let message = format!("{wanted} expected, but {} found", tree.noun());
    problem(NOUN, tree.place, path, "type", message, None)
}

pub(super) fn unknown<'a>(
    entry: &Entry,
    path: &str,
    noun: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Error {
    let message = format!("unrecognized {noun} \"{}\"", word(&entry.key));
    let meant = nearest(&entry.key, known.clone())
        .map(|near| format!("Perhaps {noun} \"{near}\" was meant. "))
        .unwrap_or_default();
    let all: Vec<_> = known.map(|word| format!("\"{word}\"")).collect();
    let hint = format!("{meant}Allowed: {}.", all.join(", "));
    problem(NOUN, entry.place, path, "unknown_key", message, Some(hint))
}

pub(super) fn refused(
    place: Option<Place>,
    path: &str,
    message: impl Into<String>,
    hint: Option<String>,
) -> Error {
    problem(NOUN, place, path, "value", message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::document::read;

    fn of(yaml: &str) -> Result<Vec<Declared>> {
        document(&read(NOUN, yaml.as_bytes())?)
    }

    #[test]
    fn documents_are_read_by_kind() {
        let facts = of("
valid_from: 2026-01-01
source_doc: record of 2026
organisations:
  shop: {role: controller, legal_name: Shop Ltd., employees: 12, small_entity: false}
activities:
  orders: {name: Orders, jurisdictions: [EU, BR], subjects: customers}
columns:
  contact: {activity: orders, table: shop.customers, columns: [email, phone]}
incidents:
  i1: {known_at: '2026-03-06T18:00:00-03:00', valid_from: 2026-03-06}
")
        .unwrap();
        let ids: Vec<_> = facts.iter().map(|f| (f.kind.name, f.id.as_str())).collect();
        assert_eq!(
            ids,
            [
                ("organisation", "shop"),
                ("activity", "orders"),
                ("columns", "contact"),
                ("incident", "i1")
            ]
        );
        assert_eq!(facts[0].valid_from.as_deref(), Some("2026-01-01"));
        assert_eq!(facts[3].valid_from.as_deref(), Some("2026-03-06"));
        assert_eq!(
            facts[1].fields["subjects"],
            serde_json::json!(["customers"])
        );
        assert_eq!(facts[2].names.len(), 1);
        assert_eq!(facts[0].source_doc.as_deref(), Some("record of 2026"));
    }

    #[test]
    fn documents_are_refused_with_the_place() {
        for (yaml, message) in [
            (
                "organisation: {}",
                "unrecognized section \"organisation\" at line 1 column 1",
            ),
            (
                "activities:\n  a b: {name: x}",
                "invalid id \"a b\" at line 2",
            ),
            (
                "activities:\n  a: {nam: x}",
                "unrecognized field \"nam\" at line 2",
            ),
            (
                "activities:\n  a: {purpose: x}",
                "key \"name\" is missing at line 2",
            ),
            (
                "activities:\n  a: {name: [x]}",
                "a text expected, but a list found at line 2",
            ),
            ("activities:\n  a: {name: ' '}", "text must not be blank"),
            (
                "activities:\n  a: {name: x, minors: 1}",
                "true or false expected",
            ),
            (
                "activities:\n  a: {name: x, jurisdictions: [XX]}",
                "\"XX\" is not allowed here",
            ),
            ("activities: [1]", "a mapping expected, but a list found"),
            ("valid_from: 2026-02-30", "value is not a day"),
            (
                "incidents:\n  a: {known_at: 2026-03-01}",
                "value is not a moment",
            ),
            (
                "incidents:\n  a: {known_at: '2026-03-01T25:00:00Z'}",
                "value is not a moment",
            ),
            (
                "retention_rules:\n  a: {category: x, max: soon}",
                "value is not a length of time",
            ),
            (
                "retention_rules:\n  a: {category: x, max: 9999 years}",
                "value is not a length of time",
            ),
            (
                "retention_rules:\n  a: {category: x, min: 10 years, max: 1 year}",
                "no time keeps to both \"min\" and \"max\" at line 2",
            ),
            ("valid_from: 1899-12-31", "day is out of range at line 1"),
            ("valid_from: 2201-01-01", "day is out of range"),
            (
                "incidents:\n  a: {known_at: '3026-03-01T12:00:00Z'}",
                "day is out of range at line 2",
            ),
            (
                "rights_requests:\n  a: {right: know, received_on: 0026-03-01}",
                "day is out of range",
            ),
            (
                "incidents:\n  a: {known_at: '2026-03-01T12:00:00Z', jurisdictions: [BR, EU],\n      \
                 authority_notified_at: '2026-03-02T12:00:00Z'}",
                "jurisdiction is missing at line 3",
            ),
            (
                "incidents:\n  a: {known_at: '2026-03-01T12:00:00Z',\n      \
                 authority_notified_at: '2026-03-02T12:00:00Z'}",
                "jurisdiction is missing",
            ),
            (
                "incidents:\n  a: {known_at: '2026-03-01T12:00:00Z', jurisdictions: BR,\n      \
                 authority_notified_at: {EU: '2026-03-02T12:00:00Z'}}",
                "\"EU\" is not among the jurisdictions of this fact",
            ),
            (
                "incidents:\n  a: {known_at: '2026-03-01T12:00:00Z',\n      \
                 authority_notified_at: {MARS: '2026-03-02T12:00:00Z'}}",
                "unrecognized jurisdiction \"MARS\"",
            ),
            (
                "incidents:\n  a: {known_at: '2026-03-01T12:00:00Z',\n      \
                 authority_notified_at: {EU: '2026-03-02'}}",
                "value is not a moment",
            ),
            (
                "incidents:\n  a: {known_at: '2026-03-01T12:00:00Z', jurisdictions: [BR, ZA],\n      \
                 no_subjects_notice_reason: 'Brazil: no effect'}",
                "jurisdiction is missing at line 3",
            ),
            (
                "incidents:\n  a: {known_at: '2026-03-01T12:00:00Z', jurisdictions: BR,\n      \
                 no_notice_reason: no effect}",
                "field \"no_notice_reason\" is \"no_authority_notice_reason\" and \
                 \"no_subjects_notice_reason\" now at line 3",
            ),
            (
                "rights_requests:\n  a: {right: know, received_on: 2026-03-02,\n      \
                 responded_on: 2026-03-01}",
                "\"responded_on\" must not be before \"received_on\" at line 3",
            ),
            (
                "transfers:\n  a: {country: Germany}",
                "\"Germany\" is no code of a country at line 2",
            ),
            (
                "columns:\n  a: {activity: b, table: c, columns: d}",
                "table must be written",
            ),
            (
                "activities:\n  a: {name: x, valid_from: 2026-02-02, valid_to: 2026-02-02}",
                "\"valid_to\" must be after",
            ),
        ] {
            let error = of(yaml).unwrap_err();
            assert!(error.message().contains(message), "{yaml}: {error:?}");
        }
    }
}
