//! Declared runs on record: their beginning, their end, and what the target has to say to it.

use serde_json::{Map, Value, json};

use super::{Run, session};
use crate::error::{Error, Kind, Result};
use crate::keys::random_uuid;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::lineage;
use crate::ledger::signing;
use crate::ledger::store::{Origin, append_with};
use crate::pg::ident::qualified;
use crate::pg::xact::{self, Turn};
use crate::pg::{guc, heap, spi, trusted};

/// Begins a run: its first entry, and the key of its commitments. Returns its id.
///
/// # Errors
/// 55000 where a run is going already, or without a key.
pub fn begin(name: &str, source: &str, target: &str) -> Result<[u8; 16]> {
    session::refuse_in_hook()?;
    if session::is_going() {
        return Err(session::taken());
    }
    xact::watch(follow);
    let id = random_uuid()?;
    append_with(
        Origin::Declared,
        Event::Started,
        facts(id, name, source, target),
        None,
    )?;
    // Commitments need a key: without one the run is counted, and that is all.
    let key = if signing::store::is_unsigned()? {
        None
    } else {
        Some(lineage::store::make_key(id)?)
    };
    session::put(Run::begin(id, name, source, target, key, xact::current()))?;
    Ok(id)
}

/// Ends the run: compares what was shown with what the target holds, and puts both on record.
/// Whether they agree.
///
/// # Errors
/// 55000 where none is going; what reading the target raises.
pub fn end(verification: Option<Value>) -> Result<bool> {
    session::with(|run| {
        let mut report = Vec::new();
        let mut agrees = true;
        for (table, column, tally) in run.seen() {
            let found = rows(&run.target, table)?;
            let fits = found == Some(tally.rows());
            agrees &= fits;
            report.push(json!({
                "check": "rows shown are in the target", "table": table, "column": column,
                "passed": fits, "shown": tally.rows(), "target": found,
            }));
        }
        if let Some(declared) = verification {
            report.push(json!({"check": "declared", "result": whole(declared)}));
        }
        let steps = run.lineage();
        let counted: Map<_, _> = run
            .seen()
            .into_iter()
            .map(|(table, _, tally)| (table.to_owned(), Value::from(tally.rows())))
            .collect();
        let mut tables: Vec<_> = counted.keys().cloned().collect();
        tables.sort();
        let facts = Facts {
            tables_synced: Some(tables),
            rows_anonymized: Some(Value::Object(counted).into()),
            verification_passed: Some(agrees),
            verification_report: Some(Value::Array(report).into()),
            ..facts(run.id, &run.name, &run.source, &run.target)
        };
        append_with(Origin::Declared, Event::Completed, facts, Some(&steps))?;
        run.end(xact::current());
        Ok(agrees)
    })
}

/// Ends the run as failed.
///
/// # Errors
/// 55000 where none is going.
pub fn fail(reason: &str) -> Result<()> {
    session::with(|run| {
        let facts = Facts {
            verification_passed: Some(false),
            details: Some(json!({"run": run.name, "reason": reason}).into()),
            ..facts(run.id, &run.name, &run.source, &run.target)
        };
        append_with(Origin::Declared, Event::Failed, facts, None)?;
        run.end(xact::current());
        Ok(())
    })
}

fn facts(id: [u8; 16], name: &str, source: &str, target: &str) -> Facts {
    Facts {
        run_id: Some(id),
        source_schema: Some(source.to_owned()),
        target_schema: Some(target.to_owned()),
        details: Some(json!({"run": name}).into()),
        ..Facts::default()
    }
}

/// The rows of a table, read with the rights of the caller, and with no code of others; `None` where
/// there is no such table.
fn rows(schema: &str, table: &str) -> Result<Option<u64>> {
    // What is looked at is what is read.
    heap::hold(schema, table);
    let kind = spi::rows(
        "SELECT c.relkind::pg_catalog.text FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = $2
            AND c.relkind = ANY (ARRAY['r', 'p']::pg_catalog.\"char\"[])",
        &[schema.into(), table.into()],
        |row| row.required::<String>(1),
    )?;
    let Some(kind) = kind.first() else {
        return Ok(None);
    };
    let only = if kind == "r" { "ONLY " } else { "" };
    let question = format!(
        "SELECT pg_catalog.count(*) FROM {only}{}",
        qualified(schema, table)
    );
    // A policy that hides rows must be an error, not another number.
    let settings = [
        ("search_path", "pg_catalog, pg_temp"),
        ("row_security", "off"),
    ];
    let count = guc::with(&settings, || {
        trusted::only(|| spi::one::<i64>(&question, &[]))
    })?;
    Ok(count.map(i64::unsigned_abs))
}

/// Documents of the ledger hold whole numbers only: others become text.
fn whole(value: Value) -> Value {
    match value {
        Value::Number(number) if !(number.is_i64() || number.is_u64()) => {
            Value::String(number.to_string())
        }
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, whole(value)))
            .collect(),
        other => other,
    }
}

fn follow(turn: Turn) -> Result<()> {
    match turn {
        Turn::Preparing if session::is_going() => {
            return Err(Error::new(
                Kind::Unsupported,
                "cannot prepare a transaction while a run is going in this session",
            )
            .with_hint("End it with confiture.end_run or confiture.fail_run first."));
        }
        Turn::Committing | Turn::Preparing => {}
        Turn::Committed => session::turn(Run::commit),
        Turn::Aborted => session::turn(Run::abort),
        Turn::SubCommitted { id, parent } => session::turn(|run| {
            run.merge(id, parent);
            true
        }),
        Turn::SubAborted { id } => session::turn(|run| run.undo(id)),
    }
    Ok(())
}
