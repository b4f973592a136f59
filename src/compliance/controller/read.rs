//! Reads a controller's document, and single facts, against the kinds.

use serde_json::{Map, Value};

use super::RESERVED;
use super::kinds::{Form, KINDS, Kind};
use crate::error::{Error, Result};
use crate::profile::Place;
use crate::profile::document::{Content, Entry, Tree, problem, word};
use crate::strategies::calendar::parse_date;
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

/// Characters of a text, of an id, and items of a list.
const LONGEST_TEXT: usize = 4000;
const LONGEST_ID: usize = 63;
const MOST_ITEMS: usize = 1000;

/// Reads a document.
///
/// # Errors
/// 22P02 for what is not YAML or has another shape, 22023 for a value that is refused; each with
/// its place.
pub fn document(tree: &Tree) -> Result<Vec<Declared>> {
    let mut found = Vec::new();
    let entries = map(tree, "")?;
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
    if !is_id(id) {
        return Err(refused(
            place,
            path,
            format!("invalid id \"{}\"", word(id)),
            Some(format!(
                "An id has letters, digits, periods, hyphens and underscores, and at most \
                 {LONGEST_ID} of them."
            )),
        ));
    }
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

/// What a document is called in messages.
pub const NOUN: &str = "controller document";

fn value(
    form: Form,
    tree: &Tree,
    path: &str,
    names: &mut Vec<(&'static str, String, Option<Place>)>,
) -> Result<Value> {
    Ok(match form {
        Form::Text => text(tree, path)?.into(),
        Form::Texts => list(tree, path, |item| text(item, path).map(Value::from))?,
        Form::Flag => match tree.content {
            Content::Flag(flag) => flag.into(),
            _ => return Err(mismatch(tree, path, "true or false")),
        },
        Form::Count => match &tree.content {
            Content::Whole(digits) => match digits.parse::<i64>() {
                Ok(number) if number >= 0 => number.into(),
                _ => return Err(refused(tree.place, path, "number is out of range", None)),
            },
            _ => return Err(mismatch(tree, path, "an integer")),
        },
        Form::Day => day(tree, path)?.into(),
        Form::Moment => moment(tree, path)?.into(),
        Form::Span => span(tree, path)?.into(),
        Form::Word(words) => one_of(words, tree, path)?,
        Form::Words(words) => list(tree, path, |item| one_of(words, item, path))?,
        Form::Of(kind) => named(kind, tree, path, names)?,
        Form::AllOf(kind) => list(tree, path, |item| named(kind, item, path, names))?,
        Form::Table => table(tree, path)?,
        Form::Tables => list(tree, path, |item| table(item, path))?,
    })
}

fn list(tree: &Tree, path: &str, mut read: impl FnMut(&Tree) -> Result<Value>) -> Result<Value> {
    match &tree.content {
        Content::List(items) if items.is_empty() => Err(refused(
            tree.place,
            path,
            "list is empty",
            Some("Remove the key.".to_owned()),
        )),
        Content::List(items) if items.len() > MOST_ITEMS => Err(refused(
            tree.place,
            path,
            format!("list has more than {MOST_ITEMS} items"),
            None,
        )),
        Content::List(items) => Ok(Value::Array(items.iter().map(read).collect::<Result<_>>()?)),
        _ => Ok(Value::Array(vec![read(tree)?])),
    }
}

fn named(
    kind: &'static str,
    tree: &Tree,
    path: &str,
    names: &mut Vec<(&'static str, String, Option<Place>)>,
) -> Result<Value> {
    let id = text(tree, path)?;
    names.push((kind, id.clone(), tree.place));
    Ok(id.into())
}

fn one_of(words: &[&str], tree: &Tree, path: &str) -> Result<Value> {
    let found = text(tree, path)?;
    if words.contains(&found.as_str()) {
        return Ok(found.into());
    }
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    Err(refused(
        tree.place,
        path,
        format!("\"{}\" is not allowed here", word(&found)),
        Some(format!("Allowed: {}.", quoted.join(", "))),
    ))
}

fn table(tree: &Tree, path: &str) -> Result<Value> {
    let found = text(tree, path)?;
    let parts: Vec<_> = found.split('.').collect();
    if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
        return Err(refused(
            tree.place,
            path,
            "table must be written as schema.table",
            None,
        ));
    }
    Ok(found.into())
}

fn text(tree: &Tree, path: &str) -> Result<String> {
    let Some(found) = tree.text() else {
        return Err(mismatch(tree, path, "a text"));
    };
    let found = found.trim();
    if crate::value::unseen::is_blank(found) {
        return Err(refused(tree.place, path, "text must not be blank", None));
    }
    if found.chars().nth(LONGEST_TEXT).is_some() {
        let message = format!("text must not be longer than {LONGEST_TEXT} characters");
        return Err(refused(tree.place, path, message, None));
    }
    Ok(found.to_owned())
}

fn day(tree: &Tree, path: &str) -> Result<String> {
    let found = text(tree, path)?;
    if is_day(&found) {
        return Ok(found);
    }
    let hint = "Write a day as 2026-03-31.".to_owned();
    Err(refused(tree.place, path, "value is not a day", Some(hint)))
}

/// Whether a text is a day of the years 1000 to 9999, as ISO 8601 writes it.
pub fn is_day(text: &str) -> bool {
    text.len() == 10 && text.as_bytes()[0] != b'0' && parse_date(text).is_some()
}

fn moment(tree: &Tree, path: &str) -> Result<String> {
    let found = text(tree, path)?;
    let is_moment = found.is_ascii()
        && found.len() >= 20
        && is_day(&found[..10])
        && matches!(found.as_bytes()[10], b'T' | b' ')
        && is_time(&found[11..]);
    if is_moment {
        return Ok(found);
    }
    let hint = "Write a moment with its offset, as 2026-03-31T18:00:00+02:00.".to_owned();
    Err(refused(
        tree.place,
        path,
        "value is not a moment",
        Some(hint),
    ))
}

/// `18:00:00Z` or `18:00:00+02:00`.
fn is_time(text: &str) -> bool {
    let number = |part: &str, below: u8| {
        part.len() == 2
            && part.parse::<u8>().is_ok_and(|number| number < below)
            && part.bytes().all(|b| b.is_ascii_digit())
    };
    let clock = |text: &str| {
        let parts: Vec<_> = text.split(':').collect();
        parts.len() == 3 && number(parts[0], 24) && number(parts[1], 60) && number(parts[2], 60)
    };
    let Some((time, offset)) = text.split_at_checked(8) else {
        return false;
    };
    let is_offset = offset == "Z"
        || offset.strip_prefix(['+', '-']).is_some_and(|offset| {
            offset
                .split_once(':')
                .is_some_and(|(hours, minutes)| number(hours, 15) && number(minutes, 60))
        });
    clock(time) && is_offset
}

fn span(tree: &Tree, path: &str) -> Result<String> {
    let found = text(tree, path)?;
    let is_span = found.split_once(' ').is_some_and(|(number, unit)| {
        let digits = !number.is_empty()
            && number.len() <= 4
            && number.bytes().all(|b| b.is_ascii_digit())
            && !number.starts_with('0');
        digits && SPANS.contains(&unit.strip_suffix('s').unwrap_or(unit))
    });
    if is_span {
        return Ok(found);
    }
    let hint = "Write a number and day, week, month or year, as 6 months.".to_owned();
    Err(refused(
        tree.place,
        path,
        "value is not a length of time",
        Some(hint),
    ))
}

const SPANS: [&str; 4] = ["day", "week", "month", "year"];

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

fn mismatch(tree: &Tree, path: &str, wanted: &str) -> Error {
    let message = format!("{wanted} expected, but {} found", tree.noun());
    problem(NOUN, tree.place, path, "type", message, None)
}

fn unknown<'a>(
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

fn refused(
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
