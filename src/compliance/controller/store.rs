//! Facts at rest: versions in `confiture.controller_fact`, each of them on record.

use std::collections::{BTreeMap, HashMap, HashSet};

use pgrx::datum::Date;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::kinds::{self, Kind};
use super::read::{Declared, NOUN};
use super::{Controller, Fact};
use crate::compliance::calendar::YEARS;
use crate::error::{Error, Kind as Condition, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::json::Json;
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
    let facts = spi::read(HOLDING, &[day.into()], |row| {
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
    let (outcome, written) = owner::acting_as_owner("confiture", || {
        spi::run(LOCK, &[])?;
        let newest = newest()?;
        check_names(facts, &newest)?;
        let today = today()?;
        let mut outcome = Outcome::default();
        let mut written = Vec::new();
        for fact in facts {
            let before = newest.get(&(fact.kind.name.to_owned(), fact.id.clone()));
            let valid_from = fact.valid_from.as_deref();
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
            insert(fact.kind, &fact.id, Some(&fact.fields), valid_from, fact)?;
            written.push(json!({
                "kind": fact.kind.name, "id": fact.id, "fields": fact.fields,
                "valid_from": valid_from, "valid_to": fact.valid_to,
                "source_doc": fact.source_doc,
            }));
            outcome.stored += 1;
        }
        Ok((outcome, written))
    })?;
    if is_recorded && outcome.stored > 0 {
        record(&written)?;
    }
    Ok(outcome)
}

/// Ends a fact on a day, or today. False where it had ended.
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
        let newest = newest()?;
        let Some(before) = newest.get(&(kind.name.to_owned(), id.to_owned())) else {
            return Err(Error::new(
                Condition::UndefinedObject,
                format!("there is no {} \"{}\"", kind.name, word(id)),
            )
            .with_hint("See confiture.controller_facts."));
        };
        if before.fields.is_none() {
            return Ok(None);
        }
        let day = day.map_or_else(today, |day| Ok(day.to_owned()))?;
        let end = Declared {
            kind,
            id: id.to_owned(),
            fields: Map::new(),
            valid_from: None,
            valid_to: None,
            source_doc: source_doc.map(str::to_owned),
            names: Vec::new(),
        };
        insert(kind, id, None, &day, &end)?;
        Ok(Some(json!({
            "kind": kind.name, "id": id, "fields": null, "valid_from": day, "valid_to": null,
            "source_doc": source_doc,
        })))
    })?;
    let Some(written) = written else {
        return Ok(false);
    };
    if is_recorded {
        record(&[written])?;
    }
    Ok(true)
}

/// The newest version of a fact, whatever day it holds from.
struct Newest {
    fields: Option<Map<String, Value>>,
    valid_from: String,
    valid_to: Option<String>,
    source_doc: Option<String>,
}

fn newest() -> Result<HashMap<(String, String), Newest>> {
    let found = spi::rows(NEWEST, &[], |row| {
        let version = Newest {
            fields: row.get::<String>(3)?.as_deref().map(members),
            valid_from: row.required(4)?,
            valid_to: row.get(5)?,
            source_doc: row.get(6)?,
        };
        Ok((
            (row.required::<String>(1)?, row.required::<String>(2)?),
            version,
        ))
    })?;
    Ok(found.into_iter().collect())
}

fn check_names(facts: &[Declared], newest: &HashMap<(String, String), Newest>) -> Result<()> {
    let mut known: HashSet<(&str, &str)> = facts
        .iter()
        .map(|fact| (fact.kind.name, fact.id.as_str()))
        .collect();
    known.extend(
        newest
            .iter()
            .filter(|(_, version)| version.fields.is_some())
            .map(|((kind, id), _)| (kind.as_str(), id.as_str())),
    );
    for fact in facts {
        for (kind, id, place) in &fact.names {
            if !known.contains(&(*kind, id.as_str())) {
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

fn insert(
    kind: &Kind,
    id: &str,
    fields: Option<&Map<String, Value>>,
    valid_from: &str,
    fact: &Declared,
) -> Result<()> {
    spi::run(
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
    )?;
    Ok(())
}

/// Puts the versions on record: how many of which kind, and a digest of all that they say.
fn record(written: &[Value]) -> Result<()> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for version in written {
        *counts
            .entry(version["kind"].as_str().unwrap_or_default())
            .or_default() += 1;
    }
    let text = Json::from(Value::Array(written.to_vec()));
    ledger::append(
        Event::ControllerDeclared,
        Facts {
            details: Some(
                json!({
                    "facts": counts,
                    "sha256": hex::encode(Sha256::digest(text.text().as_bytes())),
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
             ORDER BY v.kind COLLATE \"C\", v.id COLLATE \"C\", v.number DESC) f
     WHERE f.fields IS NOT NULL
       AND (f.valid_to IS NULL
            OR f.valid_to OPERATOR(pg_catalog.>) pg_catalog.to_date($1, 'YYYY-MM-DD'))
     ORDER BY f.kind COLLATE \"C\", f.id COLLATE \"C\"";

const NEWEST: &str = "
    SELECT DISTINCT ON (f.kind, f.id) f.kind, f.id, f.fields::text,
           pg_catalog.to_char(f.valid_from, 'YYYY-MM-DD'),
           pg_catalog.to_char(f.valid_to, 'YYYY-MM-DD'), f.source_doc
      FROM ONLY confiture.controller_fact f ORDER BY f.kind, f.id, f.number DESC";

const INSERT: &str = "
    INSERT INTO confiture.controller_fact (kind, id, fields, valid_from, valid_to, source_doc,
                                           entered_by)
    VALUES ($1, $2, $3::text::jsonb, pg_catalog.to_date($4, 'YYYY-MM-DD'),
            pg_catalog.to_date($5, 'YYYY-MM-DD'), $6, $7)";
