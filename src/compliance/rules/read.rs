//! A document of rules out of its YAML.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::fields::{Fields, NOUN, mismatch};
use super::parameter::{Addressee, Clock, Deadline, Ends, Keep, Params};
use super::version::Version;
use super::*;
use crate::compliance::controller::kinds::RIGHTS;
use crate::error::Result;
use crate::profile::document::{self, Content, Tree};

/// Reads a document. What it refers to is checked when a set is put together.
///
/// # Errors
/// 22P02 for what does not have the form of rules, 22023 for a word or number that is refused; each
/// with its place.
pub fn document(text: &str) -> Result<Document> {
    let whole = |error: crate::error::Error| match error.hint() {
        Some(_) => error,
        None => error.with_hint(format!("A document has {}.", DOCUMENT_KEYS.join(", "))),
    };
    let tree = document::read(NOUN, text.as_bytes()).map_err(whole)?;
    let fields = Fields::open(&tree, "", &DOCUMENT_KEYS).map_err(whole)?;
    let name = fields.id("rules").map_err(whole)?;
    let version = fields.text("version").map_err(whole)?;
    let version = Version::parse(&version).ok_or_else(|| {
        fields.refuse(
            Some("version"),
            "version must be numbers with points".into(),
        )
    })?;
    let author = fields.text("author")?;
    let each = |key: &str| fields.items(key);
    let mut document = Document {
        name,
        version,
        title: fields.text("title")?,
        author: author.clone(),
        hash: Sha256::digest(text.as_bytes()).into(),
        calendars: Vec::new(),
        instruments: Vec::new(),
        requirements: Vec::new(),
        controls: Vec::new(),
        conflicts: Vec::new(),
    };
    for (tree, path) in each("calendars")? {
        document.calendars.push(almanac::calendar(tree, &path)?);
    }
    for (tree, path) in each("instruments")? {
        document.instruments.push(instrument(tree, &path)?);
    }
    let mut penalties = Vec::new();
    for (tree, path) in each("penalties")? {
        let (id, penalty) = penalty(tree, &path)?;
        if penalties.iter().any(|(other, _)| *other == id) {
            return Err(fields.refuse(
                Some("penalties"),
                format!("penalty \"{id}\" is there twice"),
            ));
        }
        penalties.push((id, penalty));
    }
    for (tree, path) in each("requirements")? {
        document
            .requirements
            .push(requirement(tree, &path, &author, &penalties)?);
    }
    for (tree, path) in each("controls")? {
        document.controls.push(control(tree, &path)?);
    }
    for (tree, path) in each("conflicts")? {
        document.conflicts.push(conflict(tree, &path)?);
    }
    Ok(document)
}

fn instrument(tree: &Tree, path: &str) -> Result<Instrument> {
    let fields = Fields::open(tree, path, &INSTRUMENT_KEYS)?;
    let jurisdiction = fields.id("jurisdiction")?;
    Ok(Instrument {
        code: fields.id("code")?,
        title: fields.text("title")?,
        citation: fields.text("citation")?,
        calendar: match fields.get("calendar") {
            Some(_) => fields.id("calendar")?,
            None => jurisdiction.clone(),
        },
        jurisdiction,
        from: fields.day("from")?,
        note: fields.maybe_text("note")?,
    })
}

fn requirement(
    tree: &Tree,
    path: &str,
    author: &str,
    penalties: &[(String, Penalty)],
) -> Result<Requirement> {
    let fields = Fields::open(tree, path, &REQUIREMENT_KEYS)?;
    let (from, until) = match fields.get("valid") {
        Some(tree) => validity(tree, &fields.path("valid"))?,
        None => (None, None),
    };
    let checked_on = fields.day("text_checked_on")?;
    let checked = checked_on.zip(fields.maybe_text("text_checked_by")?);
    if checked_on.is_some() != checked.is_some() {
        let message = "who checked the text is missing, \"text_checked_by\"";
        return Err(fields.refuse(Some("text_checked_on"), message.into()));
    }
    let standing = fields
        .maybe_word("status", &Standing::NAMES)?
        .unwrap_or(Standing::InForce);
    if from.is_none() && standing == Standing::Future {
        let message = "what will be in force needs its first day, \"valid\"";
        return Err(fields.refuse(None, message.into()));
    }
    let trigger = fields
        .maybe_word("trigger", &Trigger::NAMES)?
        .unwrap_or(Trigger::Always);
    let at_least = fields.maybe_whole("at_least", 1, i64::MAX)?;
    if trigger == Trigger::Affected && at_least.is_none() {
        let message = "how many people it takes is missing, \"at_least\"";
        return Err(fields.refuse(Some("trigger"), message.into()));
    }
    let penalty = match fields.get("penalty") {
        Some(_) => {
            let id = fields.id("penalty")?;
            let known = penalties.iter().find(|(known, _)| *known == id);
            Some(known.map(|(_, penalty)| penalty.clone()).ok_or_else(|| {
                let message = format!("penalty \"{id}\" is not in this document");
                fields.refuse(Some("penalty"), message)
            })?)
        }
        None => None,
    };
    let excuse = fields.maybe_text("excuse")?;
    let kind = fields.word("kind", &Kind::NAMES)?;
    if excuse.is_some() && kind != Kind::Breach {
        let message = "only what is to be told of a breach can be excused";
        return Err(fields.refuse(Some("excuse"), message.into()));
    }
    let mappings = fields.items("mappings")?;
    let jointly = fields.items("jointly")?;
    Ok(Requirement {
        id: fields.id("id")?,
        instrument: fields.id("instrument")?,
        jurisdiction: String::new(),
        cite: fields.text("cite")?,
        title: fields.text("title")?,
        actor: fields
            .maybe_word("actor", &Actor::NAMES)?
            .unwrap_or(Actor::Controller),
        kind,
        trigger,
        at_least,
        rights: rights(&fields)?,
        params: match fields.get("param") {
            Some(tree) => params(tree, &fields.path("param"))?,
            None => Params::default(),
        },
        excuse,
        penalty,
        standing,
        from,
        until,
        text_checked: checked.map(|(day, by)| (shown_day(day), by)),
        origin: fields.word("origin", &Origin::NAMES)?,
        note: fields.maybe_text("note")?,
        mappings: mappings
            .iter()
            .map(|(tree, path)| mapping(tree, path, author))
            .collect::<Result<_>>()?,
        jointly: jointly
            .iter()
            .map(|(tree, path)| joint(tree, path))
            .collect::<Result<_>>()?,
    })
}

/// The rights that it is about.
fn rights(fields: &Fields<'_>) -> Result<Vec<String>> {
    let rights = fields.ids("rights")?;
    match rights
        .iter()
        .find(|right| !RIGHTS.contains(&right.as_str()))
    {
        None => Ok(rights),
        Some(other) => {
            let message = format!("there is no right \"{other}\"");
            Err(fields.refuse(Some("rights"), message))
        }
    }
}

/// A day as it is written.
pub fn shown_day(day: i64) -> String {
    let civil = crate::strategies::calendar::Civil::of(day);
    format!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day)
}

fn validity(tree: &Tree, path: &str) -> Result<(Option<i64>, Option<i64>)> {
    let fields = Fields::open(tree, path, &["from", "to"])?;
    let (from, until) = (fields.day("from")?, fields.day("to")?);
    if from.zip(until).is_some_and(|(from, until)| until < from) {
        return Err(fields.refuse(Some("to"), "the last day is before the first".into()));
    }
    Ok((from, until))
}

fn params(tree: &Tree, path: &str) -> Result<Params> {
    let fields = Fields::open(tree, path, &parameter::NAMES)?;
    let span = |key: &str| -> Result<Option<Span>> {
        fields
            .get(key)
            .map(|tree| span(tree, &fields.path(key)))
            .transpose()
    };
    let keep = match fields.get("keep") {
        Some(tree) => {
            let fields = Fields::open(tree, &fields.path("keep"), &["at_least", "at_most"])?;
            let end = |key: &str| {
                let tree = fields.get(key);
                tree.map(|tree| self::span(tree, &fields.path(key)))
                    .transpose()
            };
            let keep = Keep::between(end("at_least")?, end("at_most")?);
            if keep == Keep::default() || keep.is_empty() {
                return Err(fields.refuse(None, "no time keeps to it".into()));
            }
            Some(keep)
        }
        None => None,
    };
    let age = fields.maybe_whole("age", 1, 30)?;
    Ok(Params {
        deadlines: fields
            .get("deadline")
            .map(|tree| deadline(tree, &fields.path("deadline")))
            .transpose()?
            .into_iter()
            .collect(),
        keep,
        fields: fields.ids("fields")?.into_iter().collect(),
        age: age.and_then(|age| u32::try_from(age).ok()),
        every: span("every")?,
    })
}

/// `{n: 3, unit: business_day}`.
fn span(tree: &Tree, path: &str) -> Result<Span> {
    let fields = Fields::open(tree, path, &["n", "unit"])?;
    span_of(&fields)
}

/// The same, or no number where the notice of an extension says how long it is.
fn extension(tree: &Tree, path: &str) -> Result<Span> {
    let fields = Fields::open(tree, path, &["n", "unit", "feasible"])?;
    match fields.flag("feasible", false)? {
        true => Ok(Span::Feasible),
        false => span_of(&fields),
    }
}

fn span_of(fields: &Fields<'_>) -> Result<Span> {
    let units: Vec<_> = Span::UNITS.into_iter().map(|unit| (unit, unit)).collect();
    let unit = fields.word("unit", &units)?;
    let count = fields.whole("n", 1, Span::MOST.into())?;
    u32::try_from(count)
        .ok()
        .and_then(|count| Span::of(count, unit))
        .ok_or_else(|| fields.refuse(None, "the time is too long".into()))
}

fn deadline(tree: &Tree, path: &str) -> Result<Deadline> {
    let fields = Fields::open(
        tree,
        path,
        &[
            "n", "unit", "feasible", "yearly", "from", "to", "ends", "extended",
        ],
    )?;
    let span = if fields.flag("feasible", false)? {
        Span::Feasible
    } else if fields.get("yearly").is_some() {
        let (month, day) = almanac::month_and_day(&fields, "yearly")?;
        Span::Yearly { month, day }
    } else {
        span_of(&fields)?
    };
    Ok(Deadline {
        span,
        from: fields
            .maybe_word("from", &Clock::NAMES)?
            .unwrap_or(Clock::Start),
        to: fields
            .maybe_word("to", &Addressee::NAMES)?
            .unwrap_or(Addressee::Record),
        ends: fields.maybe_word("ends", &Ends::NAMES)?.unwrap_or_default(),
        extended: fields
            .get("extended")
            .map(|tree| extension(tree, &fields.path("extended")))
            .transpose()?,
    })
}

fn penalty(tree: &Tree, path: &str) -> Result<(String, Penalty)> {
    let fields = Fields::open(
        tree,
        path,
        &["id", "class", "text", "cite", "from", "until"],
    )?;
    let penalty = Penalty {
        class: fields.word("class", &PenaltyClass::NAMES)?,
        text: fields.text("text")?,
        cite: fields.maybe_text("cite")?,
        from: fields.day("from")?,
        until: fields.day("until")?,
    };
    Ok((fields.id("id")?, penalty))
}

fn mapping(tree: &Tree, path: &str, author: &str) -> Result<Mapping> {
    let keys = ["control", "rel", "with", "rationale", "review", "author"];
    let fields = Fields::open(tree, path, &keys)?;
    let with = arguments(&fields, tree)?;
    if let Value::Object(functions) = &with
        && functions.values().any(|with| !with.is_object())
    {
        let tree = fields.get("with").unwrap_or(tree);
        return Err(mismatch(tree, &fields.path("with"), "mapping"));
    }
    Ok(Mapping {
        control: fields.id("control")?,
        relation: fields.word("rel", &Relation::NAMES)?,
        with,
        rationale: fields.text("rationale")?,
        author: fields
            .maybe_text("author")?
            .unwrap_or_else(|| author.to_owned()),
        review: review(&fields)?,
    })
}

fn review(fields: &Fields<'_>) -> Result<Review> {
    Ok(fields
        .maybe_word("review", &Review::NAMES)?
        .unwrap_or(Review::Draft))
}

fn joint(tree: &Tree, path: &str) -> Result<Joint> {
    let fields = Fields::open(tree, path, &["controls", "rationale", "review"])?;
    let controls = fields.ids("controls")?;
    if controls.len() < 2 {
        let message = "two controls at least are expected";
        return Err(fields.refuse(Some("controls"), message.into()));
    }
    Ok(Joint {
        controls,
        rationale: fields.text("rationale")?,
        review: review(&fields)?,
    })
}

fn control(tree: &Tree, path: &str) -> Result<Control> {
    let keys = [
        "id", "title", "cost", "owner", "takes", "evidence", "closes",
    ];
    let fields = Fields::open(tree, path, &keys)?;
    let takes = fields.ids("takes")?;
    if let Some(other) = takes
        .iter()
        .find(|name| !parameter::NAMES.contains(&name.as_str()))
    {
        let message = format!("there is no parameter \"{other}\"");
        return Err(fields.refuse(Some("takes"), message));
    }
    let cost = fields.maybe_whole("cost", 1, 1_000)?.unwrap_or(1);
    Ok(Control {
        id: fields.id("id")?,
        title: fields.text("title")?,
        cost: u32::try_from(cost).unwrap_or(1),
        owner: fields.word("owner", &Owner::NAMES)?,
        takes,
        evidence: fields
            .items("evidence")?
            .iter()
            .map(|(tree, path)| shown(tree, path))
            .collect::<Result<_>>()?,
        closes: fields.text("closes")?,
    })
}

fn shown(tree: &Tree, path: &str) -> Result<Shown> {
    let fields = Fields::open(tree, path, &["name", "with", "kind", "max_age"])?;
    Ok(Shown {
        name: fields.id("name")?,
        with: arguments(&fields, tree)?,
        kind: fields.word("kind", &Proof::NAMES)?,
        max_age: fields
            .get("max_age")
            .map(|tree| span(tree, &fields.path("max_age")))
            .transpose()?,
    })
}

/// An object, or null.
fn arguments(fields: &Fields<'_>, tree: &Tree) -> Result<Value> {
    let with = match fields.get("with") {
        Some(tree) => value(tree, &fields.path("with"))?,
        None => Value::Null,
    };
    if matches!(with, Value::Null | Value::Object(_)) {
        return Ok(with);
    }
    let tree = fields.get("with").unwrap_or(tree);
    Err(mismatch(tree, &fields.path("with"), "mapping"))
}

fn value(tree: &Tree, path: &str) -> Result<Value> {
    Ok(match &tree.content {
        Content::Nothing => Value::Null,
        Content::Flag(flag) => (*flag).into(),
        Content::Whole(text) => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => return Err(mismatch(tree, path, "integer of 64 bits")),
        },
        Content::Number(_) => return Err(mismatch(tree, path, "integer or text")),
        Content::Text(text) => text.as_str().into(),
        Content::List(items) => items
            .iter()
            .map(|item| value(item, path))
            .collect::<Result<Vec<_>>>()?
            .into(),
        Content::Map(entries) => {
            let member = |entry: &document::Entry| {
                let path = format!("{path}.{}", document::word(&entry.key));
                Ok((entry.key.clone(), value(&entry.value, &path)?))
            };
            entries
                .iter()
                .map(member)
                .collect::<Result<Map<_, _>>>()?
                .into()
        }
    })
}

fn conflict(tree: &Tree, path: &str) -> Result<Conflict> {
    let keys = [
        "id",
        "dimension",
        "between",
        "against",
        "sides",
        "detect",
        "operator",
        "resolution",
        "residual",
    ];
    let fields = Fields::open(tree, path, &keys)?;
    let sides = fields.maybe_whole("sides", 1, 10)?.unwrap_or(2);
    Ok(Conflict {
        id: fields.id("id")?,
        dimension: fields.text("dimension")?,
        between: fields.ids("between")?,
        against: fields.ids("against")?,
        sides: usize::try_from(sides).unwrap_or(2),
        detect: fields.word("detect", &Detect::NAMES)?,
        operator: fields.word("operator", &Operator::NAMES)?,
        resolution: fields.text("resolution")?,
        residual: fields.maybe_text("residual")?,
    })
}

const DOCUMENT_KEYS: [&str; 10] = [
    "rules",
    "version",
    "title",
    "author",
    "calendars",
    "instruments",
    "penalties",
    "requirements",
    "controls",
    "conflicts",
];
#[rustfmt::skip]
const INSTRUMENT_KEYS: [&str; 7] = [
    "code", "title", "jurisdiction", "citation", "calendar", "from", "note",
];
#[rustfmt::skip]
const REQUIREMENT_KEYS: [&str; 20] = [
    "id", "instrument", "cite", "title", "actor", "kind", "trigger", "at_least", "rights", "param",
    "excuse", "penalty", "status", "valid", "text_checked_on", "text_checked_by", "origin", "note",
    "mappings", "jointly",
];
