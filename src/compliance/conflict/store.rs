//! Decisions at rest: `confiture.conflict_decision` gets rows and never changes one.

use std::collections::HashSet;

use pgrx::datum::Date;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Decision, EVERY, Found, Scene};
use crate::compliance::controller::store::day;
use crate::compliance::matrix::store::Ground;
use crate::compliance::{matrix, rules};
use crate::error::{Error, Kind, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::{owner, server, spi, user};
use crate::strategies::calendar::DAY;

/// What is decided.
pub struct New<'a> {
    /// The conflict.
    pub conflict: &'a str,
    /// Its scope.
    pub scope: &'a str,
    /// What is decided.
    pub decision: &'a str,
    /// On which basis.
    pub legal_basis: &'a str,
    /// Its last day.
    pub expires: Date,
}

/// Finds the conflicts of what applies on the day that is asked about, with what was decided.
///
/// # Errors
/// As [`matrix::applicable`] and [`super::find`].
pub fn find<T>(ground: &Ground, work: impl FnOnce(Vec<Found<'_>>) -> T) -> Result<T> {
    let applicable = matrix::applicable(&ground.rules, &ground.question, &ground.facts)?;
    let decisions = decisions()?;
    let found = super::find(&Scene {
        rules: &ground.rules,
        applicable: &applicable,
        facts: &ground.facts,
        decisions: &decisions,
        day: ground.question.day,
        moment: ground.now,
        zone: &matrix::store::zone,
    })?;
    Ok(work(found))
}

/// Every decision, the newest last, each with whether the ledger knows it.
///
/// # Errors
/// As the interface.
fn decisions() -> Result<Vec<Decision>> {
    let (mut found, recorded) = owner::acting_as_owner("confiture", || {
        let found = spi::read(DECISIONS, &[], |row| {
            Ok(Decision {
                conflict: row.required(1)?,
                scope: row.required(2)?,
                decision: row.required(3)?,
                legal_basis: row.required(4)?,
                decided_by: row.required(5)?,
                decided_on: row.required::<i32>(6)?.into(),
                expires: row.required::<i32>(7)?.into(),
                is_recorded: false,
            })
        })?;
        let recorded = if found.is_empty() {
            Vec::new()
        } else {
            spi::read(RECORDED, &[], |row| {
                Ok((row.required::<String>(1)?, row.required::<String>(2)?))
            })?
        };
        Ok((found, recorded))
    })?;
    let recorded: HashSet<(String, String)> = recorded.into_iter().collect();
    for decision in &mut found {
        let parts = [
            decision.conflict.as_str(),
            &decision.scope,
            &decision.decision,
            &decision.legal_basis,
        ];
        let expires = rules::read::shown_day(decision.expires);
        decision.is_recorded = recorded.contains(&(digest(parts), expires));
    }
    Ok(found)
}

const DECISIONS: &str = "
    SELECT conflict, scope, decision, legal_basis, decided_by,
           (pg_catalog.timezone('UTC', decided_at))::date - '2000-01-01'::date,
           expires - '2000-01-01'::date
      FROM ONLY confiture.conflict_decision
     WHERE pg_catalog.isfinite(expires) AND pg_catalog.isfinite(decided_at) ORDER BY id";

const RECORDED: &str = "
    SELECT e.details->>'sha256', e.details->>'expires'
      FROM ONLY confiture.audit_log e
     WHERE e.event = 'CONFLICT_DECIDED' AND e.details->>'sha256' IS NOT NULL
       AND e.details->>'expires' IS NOT NULL";

/// Adds a decision. On record, with the hash of what was decided.
///
/// # Errors
/// 42704 for a conflict that no rule knows, 22023 for a text that says nothing or a day that has
/// passed.
pub fn decide(new: &New<'_>) -> Result<()> {
    let rules = rules::store::in_use()?;
    if rules
        .conflicts
        .iter()
        .all(|conflict| conflict.id != new.conflict)
    {
        let known: Vec<_> = rules
            .conflicts
            .iter()
            .map(|conflict| conflict.id.as_str())
            .collect();
        let id = matrix::shown(new.conflict);
        return Err(Error::new(
            Kind::UndefinedObject,
            format!("conflict \"{id}\" does not exist"),
        )
        .with_hint(format!("There are {}.", known.join(", "))));
    }
    for (name, text) in [
        ("scope", new.scope),
        ("decision", new.decision),
        ("legal_basis", new.legal_basis),
    ] {
        check(name, text)?;
    }
    let today = server::statement_start().div_euclid(DAY);
    day(new.expires)?;
    if !new.expires.is_finite() || i64::from(new.expires.to_pg_epoch_days()) < today {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"expires\" must be today or a later day",
        )
        .with_hint("No decision holds for ever: name the day on which it is looked at again."));
    }
    // First of all, for the order of locks.
    let is_recorded = beginning::store::must_record()?;
    let caller = user::name(user::caller());
    let version = rules.version();
    owner::acting_as_owner("confiture", || {
        spi::run(
            "INSERT INTO confiture.conflict_decision
                    (conflict, scope, decision, legal_basis, expires, rules_version, decided_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                new.conflict.into(),
                new.scope.into(),
                new.decision.into(),
                new.legal_basis.into(),
                new.expires.into(),
                version.as_str().into(),
                caller.as_str().into(),
            ],
        )
    })?;
    if is_recorded {
        let facts = Facts {
            details: Some(
                json!({
                    "conflict": new.conflict,
                    "scope_is_all": new.scope == EVERY,
                    "expires": rules::read::shown_day(
                        new.expires.to_pg_epoch_days().into()),
                    "rules_version": version,
                    "sha256": digest([new.conflict, new.scope, new.decision, new.legal_basis]),
                })
                .into(),
            ),
            ..Facts::default()
        };
        ledger::append(Event::ConflictDecided, facts)?;
    }
    Ok(())
}

/// SHA-256 over the parts, each with its length before it.
fn digest(parts: [&str; 4]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

fn check(name: &str, text: &str) -> Result<()> {
    let problem = if text.trim().is_empty() {
        "must not be blank"
    } else if text.chars().nth(LONGEST).is_some() {
        "is too long"
    } else if text.contains(|c: char| c.is_control() && c != '\n') {
        "must not contain control characters"
    } else {
        return Ok(());
    };
    Err(Error::new(
        Kind::InvalidParameter,
        format!("argument \"{name}\" {problem}"),
    )
    .with_hint(format!("Write up to {LONGEST} characters of text.")))
}

/// The most characters of a text.
const LONGEST: usize = 4_000;
