//! What is watched, and what was seen.

use serde_json::{Value, json};

use super::{Mode, Undecided};
use crate::error::{Error, Kind, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::scan::{Lookup, Table};
use crate::pg::{owner, spi, user};
use crate::profile;

/// Begins to watch the tables of a profile in a schema, or changes how.
///
/// # Errors
/// 42704 when there is no such profile, 3F000 when there is no such schema, 42501 when the caller
/// is no member of its owner.
pub fn watch(name: &str, schema: &str, mode: Mode) -> Result<()> {
    // First of all, for the order of locks.
    let is_recorded = beginning::store::must_record()?;
    profile::store::pick(name, None)?;
    is_owned(schema)?;
    let caller = user::name(user::caller());
    owner::acting_as_owner("confiture", || {
        spi::run(
            "INSERT INTO confiture.watched (profile_name, schema_name, mode, watched_by)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (schema_name, profile_name) DO UPDATE
                SET mode = excluded.mode, watched_by = excluded.watched_by,
                    watched_at = excluded.watched_at",
            &[
                name.into(),
                schema.into(),
                mode.name().into(),
                caller.as_str().into(),
            ],
        )?;
        note(all(schema)?, "present", &caller, false)
    })?;
    if is_recorded {
        let details = json!({"mode": mode.name()});
        record(Event::WatchStarted, name, schema, Some(details))?;
    }
    Ok(())
}

fn record(event: Event, name: &str, schema: &str, details: Option<Value>) -> Result<()> {
    let facts = Facts {
        source_schema: Some(schema.to_owned()),
        profile_name: Some(name.to_owned()),
        details: details.map(Into::into),
        ..Facts::default()
    };
    ledger::append(event, facts)?;
    Ok(())
}

/// Ends it; whether there was a watch.
///
/// # Errors
/// As [`watch`].
pub fn unwatch(name: &str, schema: &str) -> Result<bool> {
    let is_recorded = beginning::store::must_record()?;
    may_end(name, schema)?;
    let was_there = owner::acting_as_owner("confiture", || {
        spi::run(
            "DELETE FROM confiture.watched_column WHERE profile_name = $1 AND schema_name = $2",
            &[name.into(), schema.into()],
        )?;
        Ok(spi::run(
            "DELETE FROM confiture.watched WHERE profile_name = $1 AND schema_name = $2",
            &[name.into(), schema.into()],
        )? > 0)
    })?;
    if was_there && is_recorded {
        record(Event::WatchEnded, name, schema, None)?;
    }
    Ok(was_there)
}

/// A schema that is not there under its name, as while it is renamed, is nobody's: then it is for who
/// began the watch, and for the owner of the extension.
fn may_end(name: &str, schema: &str) -> Result<()> {
    let missing = match is_owned(schema) {
        Err(error) if error.kind() == Kind::UndefinedSchema => error,
        judged => return judged,
    };
    let by = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT watched_by FROM confiture.watched WHERE profile_name = $1 AND schema_name = $2",
            &[name.into(), schema.into()],
            |row| row.required::<String>(1),
        )
    })?;
    let Some(by) = by.first() else {
        return Ok(());
    };
    let caller = user::current();
    let stands_for = |role| user::has_rights_of(caller, role);
    if user::number(by).is_some_and(stands_for) || stands_for(owner::owner_of("confiture")?) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Permission,
        format!("must be role \"{by}\", who began the watch"),
    )
    .with_detail(format!("There, {missing}.")))
}

fn is_owned(schema: &str) -> Result<()> {
    let found = spi::read(
        "SELECT pg_catalog.pg_has_role(n.nspowner, 'MEMBER')
           FROM pg_catalog.pg_namespace n WHERE n.nspname = $1",
        &[schema.into()],
        |row| row.required::<bool>(1),
    )?;
    match found.first() {
        None => Err(Error::new(
            Kind::UndefinedSchema,
            format!("schema \"{schema}\" does not exist"),
        )),
        Some(true) => Ok(()),
        Some(false) => Err(Error::new(
            Kind::Permission,
            format!("must be owner of schema \"{schema}\""),
        )
        .with_detail("A watch may refuse the commands of everybody who alters its tables.")),
    }
}

const WATCHED: Lookup = Lookup {
    schema: c"confiture",
    table: c"watched",
    index: None,
    columns: &["mode"],
};

/// Whether anything is watched: no query, since every command asks.
///
/// # Errors
/// As [`Table::open`].
pub fn is_awake() -> Result<bool> {
    let found = Table::open(&WATCHED, None)?.find(&[], |_, _| Ok(()))?;
    Ok(!found.is_empty())
}

/// Notes what the command of the running event trigger made of watched tables; returns the columns
/// that are undecided since.
///
/// # Errors
/// As the interface.
pub fn notice() -> Result<Vec<Undecided>> {
    let caller = user::name(user::caller());
    owner::acting_as_owner("confiture", || {
        // What the running command is about can be asked for inside an event trigger only.
        let tables = spi::rows(TOUCHED, &[], |row| row.required::<i64>(1))?;
        note(tables, "added", &caller, false)
    })
}

/// Notes a watched schema as it is now; returns the columns that are undecided since.
///
/// # Errors
/// As the interface.
pub fn renew(schema: &str) -> Result<Vec<Undecided>> {
    if !is_awake()? {
        return Ok(Vec::new());
    }
    let caller = user::name(user::outer());
    owner::acting_as_owner("confiture", || note(all(schema)?, "added", &caller, false))
}

/// A version of a profile that is loaded was made for the types that the columns have then: notes
/// those that no command was seen to change.
///
/// # Errors
/// As the interface.
pub fn renew_all(profile: &str) -> Result<()> {
    if !is_awake()? {
        return Ok(());
    }
    let caller = user::name(user::outer());
    owner::acting_as_owner("confiture", || {
        let schemas = spi::rows(
            "SELECT schema_name FROM confiture.watched WHERE profile_name = $1 ORDER BY 1",
            &[profile.into()],
            |row| row.required::<String>(1),
        )?;
        for schema in schemas {
            note(all(&schema)?, "added", &caller, true)?;
        }
        Ok(())
    })
}

/// The tables of a schema.
fn all(schema: &str) -> Result<Vec<i64>> {
    spi::rows(
        "SELECT c.oid::pg_catalog.int8 FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1",
        &[schema.into()],
        |row| row.required::<i64>(1),
    )
}

/// Notes the columns of relations that are not known as they are, as of now or of the beginning of
/// the statement that called.
fn note(tables: Vec<i64>, event: &str, by: &str, is_earlier: bool) -> Result<Vec<Undecided>> {
    spi::run(FORGET, &[])?;
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let args = [tables.into(), event.into(), by.into(), is_earlier.into()];
    let noted = spi::rows(NOTE, &args, |row| {
        Ok([1, 2, 3, 4].map(|place| row.required::<String>(place)))
    })?;
    let mut found = Vec::new();
    for column in noted {
        let [profile, schema, table, name] = column;
        let args = [profile?.into(), schema?.into(), table?.into(), name?.into()];
        found.extend(spi::rows(ONE, &args, read)?);
    }
    Ok(found)
}

/// The columns of a schema that a profile leaves undecided although its watch is enforced, as the
/// catalog has them: what no command was seen to do is among them. Writes nothing.
///
/// # Errors
/// As the interface.
pub fn enforced(profile: &str, schema: &str) -> Result<Vec<Undecided>> {
    if !is_awake()? {
        return Ok(Vec::new());
    }
    owner::acting_as_owner("confiture", || {
        spi::read(COMPARE, &[profile.into(), schema.into()], read)
    })
}

fn read(row: &spi::Row<'_>) -> Result<Undecided> {
    Ok(Undecided {
        profile: row.required(1)?,
        schema: row.required(2)?,
        table: row.required(3)?,
        column: row.required(4)?,
        event: row.required(5)?,
        is_enforced: row.required(6)?,
    })
}

const ONE: &str = "
    SELECT profile_name, schema_name, table_name, column_name, event, mode = 'enforce'
      FROM confiture.undecided_column
     WHERE profile_name = $1 AND schema_name = $2 AND table_name = $3 AND column_name = $4";

const FORGET: &str = include_str!("forget.sql");

const NOTE: &str = include_str!("note.sql");

const TOUCHED: &str = include_str!("touched.sql");

const COMPARE: &str = include_str!("compare.sql");
