//! Facts at rest: versions in `confiture.controller_fact`, each of them on record.

use std::collections::{BTreeMap, HashMap, HashSet};

use pgrx::datum::Date;
use serde_json::{Map, Value, json};

use super::kinds::{self, Kind};
use super::read::{Declared, NOUN};
use super::recorded::digest;
use super::{Controller, Fact};
use crate::compliance::calendar::YEARS;
use crate::error::{Error, Kind as Condition, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::{owner, spi, user};
use crate::profile::document::{problem, word};

/// What declaring did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Versions that were stored.
    pub stored: usize,
    /// Facts that were known with the same content.
    pub known: usize,
}

/// Today, in UTC.
///
/// # Errors
/// As the interface.
pub fn today() -> Result<String> {
    let found = spi::read(TODAY, &[], |row| row.required::<String>(1))?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// The day that was asked for, or today.
///
/// # Errors
/// 22023 for one that no fact can name.
pub fn asked(day: Option<Date>) -> Result<String> {
    day.map_or_else(today, self::day)
}

/// A day of the years that facts can name.
///
/// # Errors
/// 22023 for any other.
pub fn day(date: Date) -> Result<String> {
    let is_finite = !date.is_infinity() && !date.is_neg_infinity();
    if is_finite && YEARS.contains(&date.year().into()) {
        let shown = format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
        return Ok(shown);
    }
    Err(
        Error::new(Condition::InvalidParameter, "day is out of range").with_hint(format!(
            "Days are those of the years {} to {}.",
            YEARS.start(),
            YEARS.end()
        )),
    )
}

/// The facts that hold on a day, read with the rights of the caller.
///
/// # Errors
/// As the interface; 42501 from the server where the caller may not read them.
pub fn on(day: &str) -> Result<Controller> {
    facts(HOLDING, day)
}

/// Those that held before it and have ended by then, each as it was at last.
///
/// # Errors
/// As [`on`].
pub fn ended(day: &str) -> Result<Controller> {
    facts(ENDED, day)
}

fn facts(sql: &str, day: &str) -> Result<Controller> {
    let facts = spi::read(sql, &[day.into()], |row| {
        // What another version of the library may have stored is not understood here.
        let Some(kind) = kinds::kind(&row.required::<String>(1)?) else {
            return Ok(None);
        };
        Ok(Some(Fact {
            kind: kind.name,
            id: row.required(2)?,
            fields: members(&row.required::<String>(3)?),
            valid_from: row.required(4)?,
            valid_to: row.get(5)?,
            source_doc: row.get(6)?,
            entered_by: row.required(7)?,
            entered_at: row.required(8)?,
        }))
    })?;
    Ok(Controller {
        facts: facts.into_iter().flatten().collect(),
    })
}

/// Stores what is new of these facts, as the caller's word.
///
/// # Errors
/// 22023 for a fact that names another which nobody declared.
pub fn declare(facts: &[Declared]) -> Result<Outcome> {
    // First of all, for the order of locks.
    let is_recorded = beginning::store::must_record()?;
    let (outcome, numbers, written) = owner::acting_as_owner("confiture", || {
        spi::run(LOCK, &[])?;
        let known = versions()?;
        let today = today()?;
        check_names(facts, &known, &today)?;
        let mut outcome = Outcome::default();
        let (mut numbers, mut written) = (Vec::new(), Vec::new());
        for fact in facts {
            let valid_from = fact.valid_from.as_deref();
            // What is declared for a day is held against what holds on it: later versions stay.
            let versions = known.get(&(fact.kind.name.to_owned(), fact.id.clone()));
            let before = versions.and_then(|versions| at(versions, valid_from.unwrap_or(&today)));
            let is_known = before.is_some_and(|before| {
                before.fields.as_ref() == Some(&fact.fields)
                    && before.valid_to == fact.valid_to
                    && before.source_doc == fact.source_doc
                    && valid_from.is_none_or(|day| day == before.valid_from)
            });
            if is_known {
                outcome.known += 1;
                continue;
            }
            let valid_from = valid_from.unwrap_or(&today);
            if fact
                .valid_to
                .as_deref()
                .is_some_and(|end| end <= valid_from)
            {
                return Err(Error::new(
                    Condition::InvalidParameter,
                    format!("\"valid_to\" of {} is not after its first day", shown(fact)),
                ));
            }
            let number = insert(fact.kind, &fact.id, Some(&fact.fields), valid_from, fact)?;
            numbers.push(number);
            written.push(json!({
                "kind": fact.kind.name, "id": fact.id, "fields": fact.fields,
                "valid_from": valid_from, "valid_to": fact.valid_to,
                "source_doc": fact.source_doc,
            }));
            outcome.stored += 1;
        }
        Ok((outcome, numbers, written))
    })?;
    if is_recorded && outcome.stored > 0 {
        record(&numbers, &written)?;
    }
    Ok(outcome)
}

/// Ends a fact on a day, or today. False where none holds on it. A version that begins later stays: it is
/// ended on its own first day.
///
/// # Errors
/// 42704 where nobody declared it.
pub fn withdraw(
    kind: &'static Kind,
    id: &str,
    day: Option<&str>,
    source_doc: Option<&str>,
) -> Result<bool> {
    let is_recorded = beginning::store::must_record()?;
    let written = owner::acting_as_owner("confiture", || {
        spi::run(LOCK, &[])?;
        let known = versions()?;
        let Some(versions) = known.get(&(kind.name.to_owned(), id.to_owned())) else {
            return Err(Error::new(
                Condition::UndefinedObject,
                format!("there is no {} \"{}\"", kind.name, word(id)),
            )
            .with_hint("See confiture.controller_facts."));
        };
        let day = day.map_or_else(today, |day| Ok(day.to_owned()))?;
        if at(versions, &day).is_none_or(|version| !version.holds(&day)) {
            return Ok(None);
        }
        let end = Declared {
            kind,
            id: id.to_owned(),
            fields: Map::new(),
            valid_from: None,
            valid_to: None,
            source_doc: source_doc.map(str::to_owned),
            names: Vec::new(),
        };
        let number = insert(kind, id, None, &day, &end)?;
        let said = json!({
            "kind": kind.name, "id": id, "fields": null, "valid_from": day, "valid_to": null,
            "source_doc": source_doc,
        });
        Ok(Some((number, said)))
    })?;
    let Some((number, said)) = written else {
        return Ok(false);
    };
    if is_recorded {
        record(&[number], &[said])?;
    }
    Ok(true)
}

/// A version of a fact.
struct Version {
    fields: Option<Map<String, Value>>,
    valid_from: String,
    valid_to: Option<String>,
    source_doc: Option<String>,
}

impl Version {
    /// Whether it holds on a day that it begins on or before.
    fn holds(&self, day: &str) -> bool {
        self.fields.is_some() && self.valid_to.as_deref().is_none_or(|end| end > day)
    }
}

/// The versions of each fact, in the order in which they take each other's place: by their first day,
/// and of one day by when they were stored.
type Versions = HashMap<(String, String), Vec<Version>>;

/// That which has its place on a day.
fn at<'a>(versions: &'a [Version], day: &str) -> Option<&'a Version> {
    let mut versions = versions.iter();
    versions.rfind(|version| version.valid_from.as_str() <= day)
}

fn versions() -> Result<Versions> {
    let mut found = Versions::new();
    spi::rows(VERSIONS, &[], |row| {
        let version = Version {
            fields: row.get::<String>(3)?.as_deref().map(members),
            valid_from: row.required(4)?,
            valid_to: row.get(5)?,
            source_doc: row.get(6)?,
        };
        let key = (row.required::<String>(1)?, row.required::<String>(2)?);
        found.entry(key).or_default().push(version);
        Ok(())
    })?;
    Ok(found)
}

/// Whatever a fact names must be declared for the day from which it names it, or for a later one.
fn check_names(facts: &[Declared], versions: &Versions, today: &str) -> Result<()> {
    let own: HashSet<(&str, &str)> = facts
        .iter()
        .map(|fact| (fact.kind.name, fact.id.as_str()))
        .collect();
    for fact in facts {
        let day = fact.valid_from.as_deref().unwrap_or(today);
        for (kind, id, place) in &fact.names {
            let declared = versions.get(&((*kind).to_owned(), id.clone()));
            let is_there = declared.is_some_and(|versions| {
                at(versions, day).is_some_and(|version| version.fields.is_some())
                    || versions
                        .iter()
                        .any(|later| later.fields.is_some() && later.valid_from.as_str() > day)
            });
            if !is_there && !own.contains(&(*kind, id.as_str())) {
                return Err(problem(
                    NOUN,
                    *place,
                    &format!("{}.{}", fact.kind.section, fact.id),
                    "value",
                    format!("there is no {kind} \"{}\"", word(id)),
                    None,
                ));
            }
        }
    }
    Ok(())
}

fn shown(fact: &Declared) -> String {
    format!("{} \"{}\"", fact.kind.name, fact.id)
}

/// Stores a version; its number.
fn insert(
    kind: &Kind,
    id: &str,
    fields: Option<&Map<String, Value>>,
    valid_from: &str,
    fact: &Declared,
) -> Result<i64> {
    let numbers = spi::rows(
        INSERT,
        &[
            kind.name.into(),
            id.into(),
            fields
                .map(|fields| Value::Object(fields.clone()).to_string())
                .into(),
            valid_from.into(),
            fact.valid_to.as_deref().into(),
            fact.source_doc.as_deref().into(),
            user::name(user::caller()).into(),
        ],
        |row| row.required::<i64>(1),
    )?;
    Ok(numbers.into_iter().next().unwrap_or_default())
}

/// Puts the versions on record: which numbers they have, how many of which kind, and a digest of all
/// that they say. One session at a time stores, so that their numbers follow each other.
fn record(numbers: &[i64], written: &[Value]) -> Result<()> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for version in written {
        *counts
            .entry(version["kind"].as_str().unwrap_or_default())
            .or_default() += 1;
    }
    ledger::append(
        Event::ControllerDeclared,
        Facts {
            details: Some(
                json!({
                    "facts": counts,
                    "first": numbers.first(),
                    "last": numbers.last(),
                    "sha256": digest(written),
                })
                .into(),
            ),
            ..Facts::default()
        },
    )?;
    Ok(())
}

fn members(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

const TODAY: &str = "
    SELECT pg_catalog.to_char(pg_catalog.statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD')";

/// One writer at a time, so that none stores what another has just stored.
const LOCK: &str = "LOCK TABLE ONLY confiture.controller_fact IN SHARE ROW EXCLUSIVE MODE";

const HOLDING: &str = "
    SELECT f.kind, f.id, f.fields::text, pg_catalog.to_char(f.valid_from, 'YYYY-MM-DD'),
           pg_catalog.to_char(f.valid_to, 'YYYY-MM-DD'), f.source_doc, f.entered_by,
           pg_catalog.to_char(f.entered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
      FROM (SELECT DISTINCT ON (v.kind COLLATE \"C\", v.id COLLATE \"C\") v.*
              FROM ONLY confiture.controller_fact v
             WHERE v.valid_from OPERATOR(pg_catalog.<=) pg_catalog.to_date($1, 'YYYY-MM-DD')
             ORDER BY v.kind COLLATE \"C\", v.id COLLATE \"C\", v.valid_from DESC, v.number DESC) f
     WHERE f.fields IS NOT NULL
       AND (f.valid_to IS NULL
            OR f.valid_to OPERATOR(pg_catalog.>) pg_catalog.to_date($1, 'YYYY-MM-DD'))
     ORDER BY f.kind COLLATE \"C\", f.id COLLATE \"C\"";

// A version without fields ends the one before it.
const ENDED: &str = "
    SELECT b.kind, b.id, b.fields::text, pg_catalog.to_char(b.valid_from, 'YYYY-MM-DD'),
           pg_catalog.to_char(CASE WHEN l.fields IS NULL THEN l.valid_from ELSE l.valid_to END,
                              'YYYY-MM-DD'), b.source_doc, b.entered_by,
           pg_catalog.to_char(b.entered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
      FROM (SELECT DISTINCT ON (v.kind COLLATE \"C\", v.id COLLATE \"C\") v.*
              FROM ONLY confiture.controller_fact v
             WHERE v.valid_from OPERATOR(pg_catalog.<=) pg_catalog.to_date($1, 'YYYY-MM-DD')
             ORDER BY v.kind COLLATE \"C\", v.id COLLATE \"C\", v.valid_from DESC, v.number DESC) l
     CROSS JOIN LATERAL (
           SELECT v.* FROM ONLY confiture.controller_fact v
            WHERE v.kind OPERATOR(pg_catalog.=) l.kind AND v.id OPERATOR(pg_catalog.=) l.id
              AND v.fields IS NOT NULL AND v.valid_from OPERATOR(pg_catalog.<=) l.valid_from
            ORDER BY v.valid_from DESC, v.number DESC LIMIT 1) b
     WHERE l.fields IS NULL
        OR l.valid_to OPERATOR(pg_catalog.<=) pg_catalog.to_date($1, 'YYYY-MM-DD')
     ORDER BY b.kind COLLATE \"C\", b.id COLLATE \"C\"";

const VERSIONS: &str = "
    SELECT f.kind, f.id, f.fields::text, pg_catalog.to_char(f.valid_from, 'YYYY-MM-DD'),
           pg_catalog.to_char(f.valid_to, 'YYYY-MM-DD'), f.source_doc
      FROM ONLY confiture.controller_fact f ORDER BY f.valid_from, f.number";

const INSERT: &str = "
    INSERT INTO confiture.controller_fact (kind, id, fields, valid_from, valid_to, source_doc,
                                           entered_by)
    VALUES ($1, $2, $3::text::jsonb, pg_catalog.to_date($4, 'YYYY-MM-DD'),
            pg_catalog.to_date($5, 'YYYY-MM-DD'), $6, $7)
    RETURNING number";
