//! Values of the controller's facts, form by form.

use serde_json::{Map, Value};

use super::kinds::{Form, JURISDICTIONS};
use super::read::{mismatch, refused, unknown};
use crate::compliance::calendar::{Span, YEARS};
use crate::compliance::place;
use crate::error::Result;
use crate::profile::Place;
use crate::profile::document::{Content, Tree, word};
use crate::strategies::calendar::parse_date;

/// Bytes of a name of the server.
const LONGEST_NAME: usize = 63;
/// Characters of a text, and items of a list.
const LONGEST_TEXT: usize = 4000;
const MOST_ITEMS: usize = 1000;

/// Reads a value of a form; `names` gets the facts that it names.
///
/// # Errors
/// 22P02 for another shape, 22023 for a value that is refused; each with its place.
pub fn value(
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
        Form::Count | Form::CountOfYear => match &tree.content {
            Content::Whole(digits) => match digits.parse::<i64>() {
                Ok(number) if number >= 0 => number.into(),
                _ => return Err(refused(tree.place, path, "number is out of range", None)),
            },
            _ => return Err(mismatch(tree, path, "an integer")),
        },
        Form::Day => day(tree, path)?.into(),
        Form::Moment => moment(tree, path)?.into(),
        Form::Moments => by_place(tree, path, moment)?,
        Form::TextsOf => by_place(tree, path, text)?,
        Form::Country => country(tree, path)?.into(),
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
    // The server would cut a longer name, and look at another table.
    let is_name = |part: &&str| !part.is_empty() && part.len() <= LONGEST_NAME;
    if parts.len() != 2 || !parts.iter().all(is_name) {
        return Err(refused(
            tree.place,
            path,
            "table must be written as schema.table",
            Some(format!("Each name has at most {LONGEST_NAME} bytes.")),
        ));
    }
    Ok(found.into())
}

/// A text that says something.
///
/// # Errors
/// As [`value`].
pub fn text(tree: &Tree, path: &str) -> Result<String> {
    let Some(found) = tree.text() else {
        return Err(mismatch(tree, path, "a text"));
    };
    let found = found.trim();
    if crate::value::unseen::is_blank(found) {
        let hint = "Leave it out where there is nothing to say.".to_owned();
        return Err(refused(
            tree.place,
            path,
            "text must not be blank",
            Some(hint),
        ));
    }
    // As in a document, so that what is declared in another way goes through one again.
    if found.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        let message = "text must not contain control characters";
        let hint = "Ends of lines and tabs may be there.".to_owned();
        return Err(refused(tree.place, path, message, Some(hint)));
    }
    if found.chars().nth(LONGEST_TEXT).is_some() {
        let message = format!("text must not be longer than {LONGEST_TEXT} characters");
        let hint = "Name a document that says the rest.".to_owned();
        return Err(refused(tree.place, path, message, Some(hint)));
    }
    Ok(found.to_owned())
}

/// A day.
///
/// # Errors
/// As [`value`].
pub fn day(tree: &Tree, path: &str) -> Result<String> {
    let found = text(tree, path)?;
    in_years(&found, tree, path)?;
    if is_day(&found) {
        return Ok(found);
    }
    let hint = "Write a day as 2026-03-31.".to_owned();
    Err(refused(tree.place, path, "value is not a day", Some(hint)))
}

/// Whether a text is a day of the years 1900 to 2200, as ISO 8601 writes it.
fn is_day(text: &str) -> bool {
    is_any_day(text) && has_year(text)
}

fn is_any_day(text: &str) -> bool {
    text.len() == 10 && parse_date(text).is_some()
}

fn has_year(text: &str) -> bool {
    let year = text.get(..4).and_then(|year| year.parse().ok());
    year.is_some_and(|year| YEARS.contains(&year))
}

/// A day of other years is one, and is refused as such.
fn in_years(found: &str, tree: &Tree, path: &str) -> Result<()> {
    if found.get(..10).is_none_or(|day| !is_any_day(day)) || has_year(found) {
        return Ok(());
    }
    let hint = format!(
        "Days and moments are those of the years {} to {}.",
        YEARS.start(),
        YEARS.end()
    );
    Err(refused(tree.place, path, "day is out of range", Some(hint)))
}

/// Whether a text is a moment of these years, with its offset.
fn is_moment(text: &str) -> bool {
    text.is_ascii()
        && text.len() >= 20
        && is_day(&text[..10])
        && matches!(text.as_bytes()[10], b'T' | b' ')
        && is_time(&text[11..])
}

fn moment(tree: &Tree, path: &str) -> Result<String> {
    let found = text(tree, path)?;
    in_years(&found, tree, path)?;
    if is_moment(&found) {
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

/// One of them, or one for each of some jurisdictions.
fn by_place(tree: &Tree, path: &str, read: fn(&Tree, &str) -> Result<String>) -> Result<Value> {
    let Content::Map(entries) = &tree.content else {
        return Ok(read(tree, path)?.into());
    };
    if entries.is_empty() {
        return Err(mismatch(tree, path, "a jurisdiction"));
    }
    let mut found = Map::new();
    for entry in entries {
        if !JURISDICTIONS.contains(&entry.key.as_str()) {
            return Err(unknown(
                entry,
                path,
                "jurisdiction",
                JURISDICTIONS.iter().copied(),
            ));
        }
        let own = format!("{path}.{}", entry.key);
        found.insert(entry.key.clone(), read(&entry.value, &own)?.into());
    }
    Ok(Value::Object(found))
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

fn country(tree: &Tree, path: &str) -> Result<String> {
    let found = text(tree, path)?;
    if place::is_code(&found) {
        return Ok(found);
    }
    let message = format!("\"{}\" is no code of a country", word(&found));
    let hint =
        "Write the code of ISO 3166-1, as DE, or that of a part of a country, as US-CA; EU is \
                the Union."
            .to_owned();
    Err(refused(tree.place, path, message, Some(hint)))
}

fn span(tree: &Tree, path: &str) -> Result<String> {
    let found = text(tree, path)?;
    if Span::read(&found).is_some() {
        return Ok(found);
    }
    let hint = format!(
        "Write a number and day, week, month or year, as 6 months; at most {} days or months.",
        Span::MOST
    );
    Err(refused(
        tree.place,
        path,
        "value is not a length of time",
        Some(hint),
    ))
}
