//! The checks, made where the rows are, and the rows taken away that are in small classes.

use std::cell::RefCell;

use pgrx::pg_sys;

use super::pending::{Check, Pending};
use super::{Demand, judged};
use crate::anonymity::relation::{Column, Relation};
use crate::anonymity::store::{measuring, relation, sizes};
use crate::anonymity::{risk, statement};
use crate::error::{Error, Kind, Result};
use crate::pg::argument;
use crate::pg::lock::{self, Class, Mode};
use crate::pg::snapshot::Snapshot;
use crate::pg::subxact::{self, Failure};
use crate::pg::xact::{self, Turn};
use crate::pg::{heap, spi, user};

/// How many rows are in classes of less than `k`, and how large the smallest class would be without
/// them; deletes them unless it is a dry run.
///
/// # Errors
/// 42809 for what is no table; 25000 where the transaction would not see what others write; what
/// the server refuses a DELETE with.
pub fn suppress(
    relation: &Relation,
    keys: &[Column],
    k: u64,
    is_dry: bool,
) -> Result<(u64, Option<u64>)> {
    if !['r', 'p'].contains(&relation.kind) {
        return Err(Error::new(
            Kind::WrongObject,
            format!("\"{}\" is not a table", relation.shown()),
        )
        .with_hint("Take the rows away from the tables it reads."));
    }
    if is_dry {
        let sizes = sizes(relation, keys, None)?;
        let rest = sizes.range(k..).next().map(|(size, _)| *size);
        return Ok((risk::rows_below(&sizes, k), rest));
    }
    if !xact::is_read_committed() {
        return Err(Error::new(
            Kind::TransactionState,
            "rows are taken away in a transaction of isolation level READ COMMITTED only",
        )
        .with_detail("At others it would not see the rows that were written meanwhile."));
    }
    let name = relation.written();
    let lock = format!("LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE");
    spi::run(&lock, &[])?;
    require_owners(relation)?;
    let least = i64::try_from(k).unwrap_or(i64::MAX);
    let delete = statement::suppression(relation, keys, least);
    let gone = subxact::tried(|| spi::run(&delete, &[])).map_err(|failure| match failure {
        Failure::Own(error) => error,
        // Its message may hold values.
        Failure::Server(error) => {
            let constraint = error
                .constraint
                .map_or_else(String::new, |name| format!(", by constraint \"{name}\""));
            Error::new(
                Kind::Server(error.sqlstate),
                format!("rows of \"{}\" could not be deleted", relation.shown()),
            )
            .with_detail(format!(
                "The server refused it with {}{constraint}.",
                error.sqlstate.as_str()
            ))
        }
    })?;
    let left = sizes(relation, keys, Some(&Snapshot::latest()))?;
    Ok((gone, risk::smallest(&left)))
}

/// Rows that go are looked at by triggers, foreign keys and their indexes, here and where the rows are that
/// refer to them, some of it when the transaction ends and nobody holds code back any more. So all of these
/// tables belong to somebody whom the caller trusts.
///
/// # Errors
/// 42501.
fn require_owners(relation: &Relation) -> Result<()> {
    let strangers = spi::read(
        STRANGERS,
        &[pg_sys::Oid::from(relation.oid).into()],
        |row| Ok((row.required::<String>(1)?, row.required::<String>(2)?)),
    )?;
    let Some((table, owner)) = strangers.into_iter().next() else {
        return Ok(());
    };
    Err(Error::new(
        Kind::Permission,
        format!("rows of \"{}\" are not deleted", relation.shown()),
    )
    .with_detail(format!(
        "Table \"{table}\", which holds them or refers to them, belongs to role \"{owner}\", whose code \
         would have your rights."
    ))
    .with_hint("Have its owner take them away, or a role that owns all of these tables."))
}

const STRANGERS: &str = "
    WITH RECURSIVE reached AS (
      SELECT $1 AS oid
       UNION
      SELECT n.oid FROM reached r CROSS JOIN LATERAL (
        SELECT i.inhrelid AS oid FROM pg_catalog.pg_inherits i WHERE i.inhparent = r.oid
         UNION ALL
        SELECT c.conrelid FROM pg_catalog.pg_constraint c
         WHERE c.confrelid = r.oid AND c.contype = 'f') n)
    SELECT pg_catalog.format('%I.%I', s.nspname, c.relname), o.rolname::pg_catalog.text
      FROM reached r
      JOIN pg_catalog.pg_class c ON c.oid = r.oid
      JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
      JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
     CROSS JOIN (SELECT m.oid FROM pg_catalog.pg_roles m WHERE m.rolname = current_user) me
     WHERE NOT (o.oid = me.oid OR o.rolsuper OR pg_catalog.pg_has_role(o.oid, me.oid, 'MEMBER'))
     ORDER BY 1";

thread_local! {
    static PENDING: RefCell<Pending> = RefCell::default();
}

/// A row was written to a table with a trigger: the table is checked now, or when the transaction
/// ends if it is about to.
///
/// # Errors
/// 23514 where a class is too small; 22023 and 42703 for arguments of the trigger that are wrong.
pub fn written(trigger: u32, arguments: &[String]) -> Result<()> {
    let next_command = xact::next_command();
    if PENDING.with_borrow(|pending| pending.is_made(trigger, next_command)) {
        return Ok(());
    }
    let check = match PENDING.with_borrow(|pending| pending.known(trigger).cloned()) {
        Some(check) => check,
        None => {
            let check = Check {
                trigger,
                table: table_of(trigger)?,
                demand: Demand::parse(arguments)?,
            };
            xact::watch(turned);
            PENDING.with_borrow_mut(|pending| pending.learn(check.clone()));
            check
        }
    };
    if xact::is_ending() {
        PENDING.with_borrow_mut(|pending| pending.due(trigger));
        return Ok(());
    }
    made(&check)?;
    let next_command = xact::next_command();
    PENDING.with_borrow_mut(|pending| pending.made(trigger, next_command));
    Ok(())
}

fn turned(turn: Turn) -> Result<()> {
    match turn {
        Turn::Committing | Turn::Preparing => {
            if PENDING.with_borrow(Pending::is_empty) {
                return Ok(());
            }
            xact::next_command();
            let last = PENDING.with_borrow(Pending::last);
            last.iter().try_for_each(made)
        }
        Turn::Committed | Turn::Aborted => {
            PENDING.with_borrow_mut(Pending::clear);
            Ok(())
        }
        Turn::SubAborted { .. } => {
            PENDING.with_borrow_mut(Pending::rolled_back);
            Ok(())
        }
        Turn::SubCommitted { .. } => Ok(()),
    }
}

/// The table that a trigger was made for: of one that partitions have inherited, the whole.
fn table_of(trigger: u32) -> Result<u32> {
    let found = spi::read(
        "WITH RECURSIVE up AS (
           SELECT t.tgrelid, t.tgparentid FROM pg_catalog.pg_trigger t
            WHERE t.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
           UNION ALL
           SELECT t.tgrelid, t.tgparentid FROM up
             JOIN pg_catalog.pg_trigger t ON t.oid OPERATOR(pg_catalog.=) up.tgparentid)
         SELECT up.tgrelid::pg_catalog.int8 FROM up
          WHERE up.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid",
        &[i64::from(trigger).into()],
        |row| row.required::<i64>(1),
    )?;
    let number = found.first().and_then(|number| u32::try_from(*number).ok());
    number.ok_or_else(|| Error::new(Kind::Internal, "a trigger has gone"))
}

/// Whether tables inherit from one that is no partitioned table: its trigger does not see who writes
/// to them, and their rows are among its own.
fn is_inherited(table: u32) -> Result<bool> {
    let found = spi::read(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits i
           JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.inhparent
          WHERE c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
            AND c.relkind OPERATOR(pg_catalog.=) 'r')",
        &[i64::from(table).into()],
        |row| row.required::<bool>(1),
    )?;
    Ok(found.first().copied().unwrap_or_default())
}

/// Looks at the table as it will be if this transaction commits now. Nobody else's check of it is
/// between this look and the end of the transaction: two that each take a row out of a class would
/// not see each other.
///
/// Reads as the owner of the table, as the server checks foreign keys: whoever may write rows need
/// not be allowed to read them. Nothing of anybody runs but what compares the values.
fn made(check: &Check) -> Result<()> {
    let table = pg_sys::Oid::from(check.table);
    lock::take_for_transaction(Class::Anonymity, check.table.into(), Mode::Alone);
    user::reading_as_owner_of_rows(heap::owner(table), || {
        measuring(|| {
            let relation = relation(argument::Relation(check.table))?;
            if is_inherited(check.table)? {
                return Err(Error::new(
                    Kind::Unsupported,
                    format!("tables inherit from \"{}\"", relation.shown()),
                )
                .with_detail("Its trigger does not see who writes to them.")
                .with_hint("Partition the table instead."));
            }
            let keys = relation.keys(&check.demand.names)?;
            let found = sizes(&relation, &keys, Some(&Snapshot::latest()))?;
            judged(&relation, &keys, check.demand.k, risk::smallest(&found))
        })
    })?;
    Ok(())
}
