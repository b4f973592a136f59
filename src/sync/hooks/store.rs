//! Hooks at rest, `confiture.hook`; their functions in the catalog; and what those of ours do.

use pgrx::{JsonB, Uuid};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::ready::{Among, Ready, Told};
use super::scan::Scan;
use super::{Function, Hook, MOST_BYTES, Moment, judge};
use crate::error::{Error, Kind, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::{guc, ident, owner, routine, server, spi, trusted, user};
use crate::profile;
use crate::signs;
use crate::sync::described;
use crate::sync::store::{looked_up, side};

/// Registers a hook, or gives one that is there another position and other settings.
///
/// # Errors
/// As [`judge`] of the function; 22023 for settings that are none; 42501 where somebody else
/// registered it; 42704 without such a profile.
pub fn register(hook: &Hook) -> Result<()> {
    if !hook.settings.is_object() {
        return Err(Error::new(
            Kind::InvalidParameter,
            "settings of a hook must be a JSON object",
        ));
    }
    if hook.settings.to_string().len() > MOST_BYTES {
        return Err(
            Error::new(Kind::ProgramLimit, "settings of a hook are too long")
                .with_detail(format!("They may have {MOST_BYTES} bytes.")),
        );
    }
    if let Some(ready) = Ready::of(hook) {
        ready.check(hook)?;
    }
    function(hook)?;
    // First of all locks.
    let is_recorded = beginning::store::must_record()?;
    may_change(hook)?;
    as_owner(|| {
        if let Some(profile) = &hook.profile {
            let found = spi::one::<bool>(
                "SELECT EXISTS (SELECT FROM ONLY confiture.profile WHERE name = $1)",
                &[profile.as_str().into()],
            )?;
            if found != Some(true) {
                return Err(Error::new(
                    Kind::UndefinedObject,
                    format!("profile \"{profile}\" does not exist"),
                )
                .with_hint("See confiture.profiles; load one with confiture.load_profile."));
            }
        }
        spi::run(
            "INSERT INTO confiture.hook AS h (phase, schema_name, function_name, profile_name,
                         position, settings, registered_by)
             VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7)
             ON CONFLICT (phase, schema_name, function_name, profile_name) DO UPDATE
                SET position = excluded.position, settings = excluded.settings,
                    registered_by = excluded.registered_by,
                    registered_at = pg_catalog.clock_timestamp()",
            &[
                hook.moment.name().into(),
                hook.schema.as_str().into(),
                hook.function.as_str().into(),
                hook.profile.as_deref().unwrap_or_default().into(),
                hook.position.into(),
                hook.settings.to_string().into(),
                hook.registered_by.as_str().into(),
            ],
        )
    })?;
    let mut details = described(hook);
    details.insert("position".to_owned(), json!(hook.position));
    // What those of ours are told are names and numbers; of others there is a digest.
    let settings = match Ready::of(hook) {
        Some(_) => ("settings", hook.settings.clone()),
        None => ("settings_sha256", digest(&hook.settings.to_string())),
    };
    details.insert(settings.0.to_owned(), settings.1);
    record(is_recorded, Event::HookRegistered, hook, details)
}

/// Takes a hook off the list.
///
/// # Errors
/// 42501 where somebody else registered it; 42704 when it is not on it.
pub fn unregister(hook: &Hook) -> Result<()> {
    let is_recorded = beginning::store::must_record()?;
    may_change(hook)?;
    let gone = as_owner(|| {
        spi::run(
            "DELETE FROM ONLY confiture.hook
              WHERE phase = $1 AND schema_name = $2 AND function_name = $3 AND profile_name = $4",
            &[
                hook.moment.name().into(),
                hook.schema.as_str().into(),
                hook.function.as_str().into(),
                hook.profile.as_deref().unwrap_or_default().into(),
            ],
        )
    })?;
    if gone == 0 {
        let of = match &hook.profile {
            Some(profile) => format!("profile \"{profile}\""),
            None => "all profiles".to_owned(),
        };
        return Err(Error::new(
            Kind::UndefinedObject,
            format!(
                "hook {} of {of} is not registered for phase {}",
                hook.shown(),
                hook.moment.name()
            ),
        )
        .with_hint("See confiture.hooks."));
    }
    record(is_recorded, Event::HookUnregistered, hook, described(hook))
}

/// Who is calling, as it is noted down.
pub fn caller() -> String {
    user::name(user::caller())
}

/// A hook that is there is changed by whoever has the rights of the role that registered it: an
/// operator does not take limits off that somebody else has put on.
fn may_change(hook: &Hook) -> Result<()> {
    let found = as_owner(|| {
        spi::rows(
            "SELECT registered_by FROM ONLY confiture.hook
              WHERE phase = $1 AND schema_name = $2 AND function_name = $3 AND profile_name = $4
                FOR UPDATE",
            &[
                hook.moment.name().into(),
                hook.schema.as_str().into(),
                hook.function.as_str().into(),
                hook.profile.as_deref().unwrap_or_default().into(),
            ],
            |row| row.required::<String>(1),
        )
    })?;
    let Some(registrar) = found.first() else {
        return Ok(());
    };
    // Of a role that has gone, the owner of the extension is the heir.
    let role = match user::number(registrar) {
        Some(role) => role,
        None => owner::owner_of("confiture")?,
    };
    if user::has_rights_of(user::current(), role) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Permission,
        format!("permission denied to change hook {}", hook.shown()),
    )
    .with_detail(format!("It was registered by role \"{registrar}\".")))
}

fn described(hook: &Hook) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("phase".to_owned(), json!(hook.moment.name()));
    details.insert("function".to_owned(), json!(hook.shown()));
    details
}

fn digest(text: &str) -> Value {
    json!(hex::encode(Sha256::digest(text.as_bytes())))
}

fn record(is_recorded: bool, event: Event, hook: &Hook, details: Map<String, Value>) -> Result<()> {
    if is_recorded {
        let facts = Facts {
            profile_name: hook.profile.clone(),
            details: Some(Value::Object(details).into()),
            ..Facts::default()
        };
        ledger::append(event, facts)?;
    }
    Ok(())
}

/// The hooks that runs of a profile call, in their order.
///
/// # Errors
/// As the interface.
pub fn of_profile(profile: &str) -> Result<Vec<Hook>> {
    as_owner(|| {
        looked_up(
            "SELECT phase, schema_name, function_name, profile_name, position, settings::text,
                    registered_by
               FROM ONLY confiture.hook WHERE profile_name = ANY (ARRAY['', $1])
              ORDER BY position, schema_name COLLATE \"C\", function_name COLLATE \"C\",
                       profile_name COLLATE \"C\"",
            &[profile.into()],
            |row| {
                let (profile, settings): (String, String) = (row.required(4)?, row.required(6)?);
                Ok(Hook {
                    moment: Moment::parse(&row.required::<String>(1)?)?,
                    schema: row.required(2)?,
                    function: row.required(3)?,
                    profile: Some(profile).filter(|name| !name.is_empty()),
                    position: row.required(5)?,
                    settings: serde_json::from_str(&settings).unwrap_or(Value::Null),
                    registered_by: row.required(7)?,
                })
            },
        )
    })
}

/// The function of a hook as it is now, if the caller may have it called.
///
/// # Errors
/// As [`judge`].
pub fn function(hook: &Hook) -> Result<Function> {
    // Definitions are written under the same settings, or their digests would differ.
    let settings = [
        ("search_path", "pg_catalog, pg_temp"),
        ("quote_all_identifiers", "off"),
    ];
    let found = guc::with(&settings, || {
        looked_up(
            include_str!("../catalog/hook.sql"),
            &[
                hook.schema.as_str().into(),
                hook.function.as_str().into(),
                hook.registered_by.as_str().into(),
            ],
            |row| {
                let JsonB(found) = row.required(1)?;
                serde_json::from_value::<Function>(found).map_err(|error| {
                    Error::new(Kind::Internal, "the catalog has an unexpected shape")
                        .with_detail(format!("{error}."))
                })
            },
        )
    })?;
    judge(hook, found.first()).cloned()
}

/// Calls the function that [`function`] has found; what it calls in turn is its own affair.
///
/// # Errors
/// What the function raises unwinds.
pub fn call(function: &Function, context: &Value) -> Result<Option<String>> {
    trusted::aside(|| routine::with_document(function.oid, &context.to_string()))
}

/// What constraints and triggers have put off until the end of the transaction is done now.
///
/// # Errors
/// As the interface.
pub fn put_off_is_done() -> Result<()> {
    spi::run("SET CONSTRAINTS ALL IMMEDIATE", &[]).map(|_| trusted::settled())
}

/// The last run of a profile between two schemas that was completed: its id, and its rows by table.
///
/// # Errors
/// As the interface.
pub fn last_run(profile: &str, source: &str, target: &str) -> Result<Option<Value>> {
    let found = as_owner(|| {
        spi::rows(
            "SELECT run_id, rows_anonymized FROM ONLY confiture.audit_log
              WHERE event = 'COMPLETED' AND origin = 'run' AND profile_name = $1
                AND source_schema = $2 AND target_schema = $3
              ORDER BY seq DESC LIMIT 1",
            &[profile.into(), source.into(), target.into()],
            |row| {
                let run: Option<Uuid> = row.get(1)?;
                let JsonB(counts) = row.get(2)?.unwrap_or(JsonB(json!({})));
                let run = run.map(|run| run.to_string());
                Ok(json!({"run_id": run, "counts": counts}))
            },
        )
    })?;
    Ok(found.into_iter().next())
}

/// Makes materialized views anew, those that others read first.
///
/// # Errors
/// 42P01 for one that is not there; the server's own unwind.
pub fn refresh(among: &Among, schema: &str) -> Result<Vec<String>> {
    let schema = among.schema.as_deref().unwrap_or(schema);
    let views = spi::rows(VIEWS, &[schema.into()], |row| row.required::<String>(1))?;
    let chosen = chosen(among, views, "materialized view", schema)?;
    for view in &chosen {
        let name = ident::qualified(schema, view);
        // Those of others run with their rights, and what is the caller's own reads nobody's code.
        trusted::only(|| spi::run(&format!("REFRESH MATERIALIZED VIEW {name}"), &[]))?;
        server::check_for_interrupts();
    }
    Ok(chosen)
}

/// Has the server look at tables for its plans: these, or those of the run where none are named.
///
/// # Errors
/// 42501 for a table that the caller may not; 42P01 for one that is not there.
pub fn analyze(among: &Among, told: &Told<'_>) -> Result<Vec<String>> {
    let of_run = match told.moment()? {
        Moment::Before => told.text("source")?,
        Moment::After | Moment::OnError => told.text("target")?,
    };
    let schema = among.schema.as_deref().unwrap_or(of_run);
    let found = spi::rows(TABLES, &[schema.into()], |row| {
        Ok((row.required::<String>(1)?, row.required::<bool>(2)?))
    })?;
    let names = found.iter().map(|(name, _)| name.clone()).collect();
    let among = match (&among.schema, &among.names) {
        (None, None) => &Among {
            schema: None,
            names: Some(told.tables()),
        },
        _ => among,
    };
    let chosen = chosen(among, names, "table", schema)?;
    for table in &chosen {
        if found.contains(&(table.clone(), false)) {
            // The server would warn, and do nothing.
            return Err(Error::new(
                Kind::Permission,
                format!("permission denied to analyze table \"{schema}.{table}\""),
            )
            .with_hint("Run as its owner, or name other tables in the settings of the hook."));
        }
        let name = ident::qualified(schema, table);
        trusted::only(|| spi::run(&format!("ANALYZE {name}"), &[]))?;
        server::check_for_interrupts();
    }
    Ok(chosen)
}

/// Looks into the columns of a run that go to the target as they are: what is wrong with them.
///
/// # Errors
/// 22023 for what no run says; 42704 without the profile.
pub fn scan(scan: &Scan, told: &Told<'_>) -> Result<Vec<String>> {
    let (name, version) = told.profile()?;
    let profile = profile::store::pick(name, Some(version))?;
    let schema = told.text("source")?;
    let side = side(schema, &told.tables())?;
    let open: Vec<_> = told
        .tables()
        .iter()
        .filter_map(|name| side.table(name))
        .map(|table| {
            let of = |asked: &&profile::Table| {
                asked.name == table.name && asked.schema.as_deref().is_none_or(|own| own == schema)
            };
            let columns = scan.open(profile.tables.iter().find(of), table);
            (described::table(table, &side), columns)
        })
        .filter(|(_, columns)| !columns.is_empty())
        .collect();
    let verdicts = signs::look_at_values(&open, scan.sample)?;
    let found = open.iter().zip(&verdicts);
    Ok(found
        .flat_map(|((table, columns), verdicts)| scan.judge(table, columns, verdicts))
        .collect())
}

/// Those that are named, in the order of what was found; all of it where none are.
fn chosen(among: &Among, found: Vec<String>, what: &str, schema: &str) -> Result<Vec<String>> {
    let Some(names) = &among.names else {
        return Ok(found);
    };
    if let Some(missing) = names.iter().find(|name| !found.contains(name)) {
        return Err(Error::new(
            Kind::UndefinedTable,
            format!("{what} \"{schema}.{missing}\" does not exist"),
        ));
    }
    Ok(found
        .into_iter()
        .filter(|name| names.contains(name))
        .collect())
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}

/// Materialized views of a schema: one that reads another, also by a view, comes behind it, because
/// its longest way down is longer.
const VIEWS: &str = "
    WITH RECURSIVE reads AS (
      SELECT DISTINCT r.ev_class AS reader, d.refobjid AS what
        FROM pg_catalog.pg_rewrite r
        JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass::oid AND d.objid = r.oid
         AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass::oid
         AND d.refobjid <> r.ev_class
    ), ways AS (
      SELECT c.oid AS top, c.oid AS at, 0 AS steps
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relkind = 'm'
      UNION
      SELECT w.top, r.what, w.steps + 1 FROM ways w JOIN reads r ON r.reader = w.at
       -- Views can be made to read each other in a ring; such a one cannot be read.
       WHERE w.steps < 100
    )
    SELECT c.relname::text
      FROM ways w JOIN pg_catalog.pg_class c ON c.oid = w.top
     GROUP BY c.oid, c.relname ORDER BY max(w.steps), c.relname";

/// Tables of a schema, and whether the caller may have the server look at them.
const TABLES: &str = "
    SELECT c.relname::text,
           pg_catalog.pg_has_role(c.relowner, 'USAGE')
           OR pg_catalog.pg_has_role(d.datdba, 'USAGE')
           OR CASE WHEN pg_catalog.current_setting('server_version_num')::int4 >= 170000
                   THEN pg_catalog.has_table_privilege(c.oid, 'MAINTAIN') ELSE false END
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
     WHERE n.nspname = $1 AND c.relkind = ANY (ARRAY['r', 'p', 'f', 'm']::pg_catalog.\"char\"[])
     ORDER BY 1";
