//! What SQL sees of the guards.

use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyElement, PgTriggerLevel, PgTriggerOperation, Uuid};

use super::restored::store as restored;
use super::{HEAD, Operation, ROW_CHUNK, RUN_KEY, Verdict, judge, store};
use crate::error::{Error, Kind, Result, given};
use crate::pg::{ddl, report, trigger, user};

/// Stands before every change of the ledger's tables.
#[pg_extern(sql = "
CREATE FUNCTION confiture._ledger_guard() RETURNS trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn ledger_guard(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>, ErrorReport> {
    let called = trigger::called(fcinfo)?;
    Ok(trigger::goes_on(if admit(&called)? {
        // A DELETE goes on with the row that it finds.
        called.new().or_else(|| called.old())
    } else {
        // The others of a restore go on.
        None
    }))
}

/// Whether the change goes on, or the row is left out.
fn admit(trigger: &PgTrigger<'_>) -> Result<bool> {
    let operation = match trigger.op() {
        Ok(PgTriggerOperation::Insert) => Operation::Insert,
        Ok(PgTriggerOperation::Update) => Operation::Update,
        Ok(PgTriggerOperation::Delete) => Operation::Remove,
        _ => Operation::Empty,
    };
    let table = trigger.table_name().unwrap_or_default();
    let going = super::pruned_until(&table);
    let mut is_left_out = false;
    let admitted = match judge(&table, operation, super::is_open(), going.is_some()) {
        Verdict::Pass => true,
        Verdict::PassRestored if matches!(trigger.level(), PgTriggerLevel::Row) => {
            restored::removals_are_over();
            is_left_out = is_of_shredded(trigger, &table)?;
            is_left_out || is_restored(trigger, &table)?
        }
        Verdict::PassPruned => match (trigger.level(), going) {
            (PgTriggerLevel::Row, Some(last)) => number(trigger).is_some_and(|at| at <= last),
            // The rows are asked for one by one.
            (PgTriggerLevel::Statement, going) => going.is_some(),
            (PgTriggerLevel::Row, None) => false,
        },
        Verdict::PassRestored | Verdict::Refuse => false,
    };
    if is_left_out {
        report::warning(
            "the key of a run that was destroyed, and its hashes, do not come back: left out",
            None,
        );
    }
    if admitted {
        return Ok(!is_left_out);
    }
    let error = Error::new(Kind::Permission, "the ledger is append-only");
    Err(if operation == Operation::Insert {
        error
            .with_detail("Entries are written by the library, from what it did.")
            .with_hint("A restore goes into a database whose ledger is empty.")
    } else {
        error
            .with_detail("Its entries cannot be updated, deleted or truncated, by anybody.")
            .with_hint(
                "To remove the extension with its ledger, or the oldest part of the ledger, see \
                 docs/ledger.md.",
            )
    })
}

/// The place of the row that goes, in its chain or in the journal.
fn number(trigger: &PgTrigger<'_>) -> Option<i64> {
    let row = trigger.old()?;
    ["seq", "number"]
        .iter()
        .find_map(|name| row.get_by_name::<i64>(name).ok().flatten())
}

/// Whether a row is of a run whose key was destroyed.
fn is_of_shredded(trigger: &PgTrigger<'_>, table: &str) -> Result<bool> {
    if ![RUN_KEY, ROW_CHUNK].contains(&table) {
        return Ok(false);
    }
    let row = trigger.new();
    let run_id = row.and_then(|row| row.get_by_name::<Uuid>("run_id").ok().flatten());
    run_id.map_or(Ok(false), |id| restored::is_shredded(*id.as_bytes()))
}

fn is_restored(trigger: &PgTrigger<'_>, table: &str) -> Result<bool> {
    let Some(row) = trigger.new() else {
        return Ok(false);
    };
    // A column that is not there is as good as an empty one: no restore has that.
    let log_id = row.get_by_name::<Uuid>("log_id").ok().flatten();
    let log_id = log_id.map(|id| *id.as_bytes());
    let text = |name| row.get_by_name::<String>(name).ok().flatten();
    let number = |name| row.get_by_name::<i64>(name).ok().flatten();
    let run_id = row.get_by_name::<Uuid>("run_id").ok().flatten();
    let run_id = run_id.map(|id| *id.as_bytes());
    match (table, run_id) {
        (HEAD, _) => restored::admits_head(text("chain").as_deref(), log_id),
        (RUN_KEY, Some(run_id)) => restored::admits_key(run_id),
        (ROW_CHUNK, Some(run_id)) => {
            match (text("table_name"), text("column_name"), number("chunk")) {
                (Some(table), Some(column), Some(chunk)) => {
                    restored::admits_chunk(run_id, &table, &column, chunk)
                }
                _ => Ok(false),
            }
        }
        _ => restored::admits_entry(table, number("seq"), log_id),
    }
}

/// Stands before and behind every command that may change the definition of the ledger.
#[pg_extern(sql = "
CREATE FUNCTION confiture._definition_guard() RETURNS event_trigger
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn definition_guard(fcinfo: pg_sys::FunctionCallInfo) {
    let outcome = match ddl::moment(fcinfo) {
        Some(ddl::Moment::Start) => {
            store::before_command();
            Ok(())
        }
        Some(ddl::Moment::End | ddl::Moment::Dropped) => {
            store::after_command(&|| store::may_pass_unnoticed(fcinfo))
        }
        Some(ddl::Moment::Rewrite) => refuse_rewrite(),
        None => Ok(()),
    };
    if let Err(error) = outcome {
        report::raise(error);
    }
}

/// Writing a table anew calls no trigger of its rows, and can put anything into them.
fn refuse_rewrite() -> Result<()> {
    if super::is_open() || ddl::runs_script_of(c"confiture") {
        return Ok(());
    }
    let Some(table) = store::rewritten_table()? else {
        return Ok(());
    };
    if store::is_of_ledger(table)? {
        return Err(Error::new(Kind::Permission, "the ledger is append-only")
            .with_detail("The command would write all its entries anew."));
    }
    Ok(())
}

/// Lets commands change the definition of the ledger, in every session, until `rearm`; on record
/// with its reason.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn disarm(reason: Option<&str>) -> Result<(), ErrorReport> {
    superusers_only()?;
    Ok(store::disarm(given("reason", reason)?)?)
}

/// Has every guard of the ledger fire always again and compares its definition; on record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn rearm() -> Result<(), ErrorReport> {
    superusers_only()?;
    Ok(store::rearm()?)
}

fn superusers_only() -> Result<()> {
    if user::is_superuser(user::current()) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Permission,
        "only superusers may disarm and rearm the guards of the ledger",
    ))
}
