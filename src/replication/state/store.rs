//! What the catalog says of it.

use std::cell::Cell;

use pgrx::pg_sys;

use super::{Code, Problem};
use crate::error::{Error, Kind, Result};
use crate::pg::{owner, spi};

thread_local! {
    /// Whether this session is setting up the masking itself, step by step.
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`, whose commands are not refused for what is still missing.
pub fn setting_up<T>(work: impl FnOnce() -> T) -> T {
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            AT_WORK.set(self.0);
        }
    }
    let _back = Back(AT_WORK.replace(true));
    work()
}

/// Everything that is wrong, in a schema or in all of them.
///
/// # Errors
/// As the interface.
pub fn problems(schema: Option<&str>) -> Result<Vec<Problem>> {
    owner::acting_as_owner("confiture", || {
        spi::rows(STATE, &[schema.into()], |row| {
            let code = row.required::<String>(1)?;
            Ok(Problem {
                code: Code::read(&code)
                    .ok_or_else(|| Error::new(Kind::Internal, "a problem has no name"))?,
                schema: row.required(2)?,
                table: row.required(3)?,
                what: row.get(4)?.unwrap_or_default(),
                is_reached: row.required(5)?,
            })
        })
    })
}

/// Refuses what a command has left behind: a table that a subscription brings rows to unmasked, or whose
/// rows it could not find.
///
/// # Errors
/// 55000 or 0A000 then; as the interface.
pub fn check() -> Result<()> {
    if AT_WORK.get() {
        return Ok(());
    }
    let is_asked = owner::acting_as_owner("confiture", || {
        // Behind whoever is just taking the masking away, and before whoever is about to.
        spi::run(
            "LOCK TABLE ONLY confiture.replicated_table IN ROW EXCLUSIVE MODE",
            &[],
        )?;
        // Runs give many commands, and most databases subscribe to nothing.
        spi::one::<bool>(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_subscription_rel)",
            &[],
        )
    })?;
    if is_asked != Some(true) {
        return Ok(());
    }
    let is_it = |problem: &&Problem| problem.is_reached && problem.is_refused();
    match problems(None)?.iter().find(is_it) {
        Some(problem) => Err(problem.error().with_detail(
            "Rows that a subscription brings are masked in this schema (confiture.masked_replication).",
        )),
        None => Ok(()),
    }
}

/// What would have kept a row from being masked in time, of a table that is being written to now.
///
/// # Errors
/// As the interface.
pub fn of_arrival(relation: pg_sys::Oid, schema: &str, table: &str) -> Result<Option<Problem>> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read(ARRIVAL, &[relation.into()], |row| {
            Ok((row.required::<String>(1)?, row.required::<String>(2)?))
        })
    })?;
    Ok(found.into_iter().next().and_then(|(code, what)| {
        Some(Problem {
            code: Code::read(&code)?,
            schema: schema.to_owned(),
            table: table.to_owned(),
            what,
            is_reached: true,
        })
    }))
}

/// The subscriptions that bring rows to a table, or to a partition of it.
///
/// # Errors
/// As the interface.
pub fn subscriptions(schema: &str, table: &str) -> Result<Vec<String>> {
    owner::acting_as_owner("confiture", || {
        spi::read(SUBSCRIPTIONS, &[schema.into(), table.into()], |row| {
            row.required(1)
        })
    })
}

const ARRIVAL: &str = "
    SELECT 'streaming', p.subname::text
      FROM pg_catalog.pg_subscription_rel s JOIN pg_catalog.pg_subscription p ON p.oid = s.srsubid
     WHERE p.substream::text <> ALL (ARRAY['f', 'false'])
       AND (s.srrelid = $1
            OR s.srrelid IN (SELECT a.relid FROM pg_catalog.pg_partition_ancestors($1) a))
    UNION ALL
    SELECT 'earlier', g.tgname::text FROM pg_catalog.pg_trigger g
     WHERE g.tgrelid = $1 AND g.tgname < 'confiture_mask' AND g.tgtype & 3 = 3 AND g.tgtype & 20 <> 0
       AND g.tgenabled = ANY (ARRAY['A', 'R']::\"char\"[])
     LIMIT 1";

const STATE: &str = include_str!("state.sql");

const SUBSCRIPTIONS: &str = "
    SELECT DISTINCT p.subname::text
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_subscription_rel s
        ON s.srrelid = c.oid OR s.srrelid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t)
      JOIN pg_catalog.pg_subscription p ON p.oid = s.srsubid
     WHERE n.nspname = $1 AND c.relname = $2 ORDER BY 1";
