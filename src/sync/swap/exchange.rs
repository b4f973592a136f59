//! The steps that only a run in mode swap has: new files at its beginning, indexes behind the load,
//! and the lock that keeps readers away at its end.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::super::phase::Phase;
use super::super::plan::Plan;
use super::{Mode, Patience, neighbors, shown, store};
use crate::error::{Error, Kind, Result, Sqlstate};
use crate::ledger::store as ledger;
use crate::pg::ident::qualified;
use crate::pg::refile::{self, Renewed};
use crate::pg::subxact::unless_locked;
use crate::pg::{guc, latch, report, server, spi};

/// Locks what the run fills, and what foreign keys tie to it, against writers and changes of
/// definition.
///
/// # Errors
/// As the server.
pub fn keep_writers_away(plan: &Plan) -> Result<()> {
    let filled = plan.prepare.emptied.iter().map(|name| (&plan.target, name));
    let keys = plan.prepare.swap.as_deref().unwrap_or_default();
    let others = neighbors(keys)
        .into_iter()
        .map(|end| (&end.schema, &end.name));
    for (schema, name) in filled.chain(others) {
        lock(&qualified(schema, name), "SHARE ROW EXCLUSIVE")?;
    }
    Ok(())
}

fn lock(name: &str, mode: &str) -> Result<()> {
    spi::run(&format!("LOCK TABLE {name} IN {mode} MODE"), &[]).map(drop)
}

/// Tables of the target with new files that only this run sees.
pub struct Exchange(Vec<Renewed>);

impl Exchange {
    /// Gives them to every table that the target has; `None` in another mode.
    ///
    /// # Errors
    /// As the server.
    pub fn begin(plan: &Plan) -> Result<Option<Self>> {
        if plan.prepare.swap.is_none() {
            return Ok(None);
        }
        let tables = store::with_partitions(&plan.target, &plan.prepare.emptied)?;
        let renewed = tables.iter().copied().map(Renewed::begin).collect();
        refile::log_truncation(&tables);
        Ok(Some(Self(renewed)))
    }

    /// Builds their indexes, and puts their triggers back.
    pub fn finish(self) {
        self.0.into_iter().for_each(Renewed::finish);
    }
}

/// Keeps readers away from the old files, for the commit that comes next. An attempt that takes too
/// long is given up, with all locks it got, so that readers who queue up behind it go on; after a
/// pause it is made again.
///
/// # Errors
/// 55P03 when the attempts are used up.
pub fn keep_readers_away(plan: &Plan, mode: Mode, phase: &Phase) -> Result<()> {
    let Mode::Swap(patience) = mode else {
        return Ok(());
    };
    phase.enter("swapping");
    let tables = store::with_partitions(&plan.target, &plan.prepare.emptied)?;
    let at = Cell::new(Waiting::Readers);
    let mut holders = String::new();
    for attempt in 1..=patience.attempts {
        if unless_locked(|| attempted(plan, patience, &at))?.is_some() {
            tables.into_iter().for_each(refile::forget_places);
            return Ok(());
        }
        phase
            .log()
            .line(&format!("swapping attempt={attempt} in vain"));
        holders = match at.get() {
            Waiting::Readers => shown(&store::holders(&tables)?),
            Waiting::Ledger => "a transaction that has written to the ledger".to_owned(),
        };
        if attempt < patience.attempts {
            let pause = Patience::pause(attempt);
            report::notice(&format!(
                "the lock to swap is held by {holders}: trying again in {:.1} s",
                pause.as_secs_f64()
            ));
            latch::wait(None, false, pause);
            server::check_for_interrupts();
        }
    }
    Err(Error::new(
        Kind::Server(Sqlstate::new("55P03")),
        format!("new rows of schema \"{}\" could not be swapped in", plan.target),
    )
    .with_detail(format!(
        "Readers were not to be locked out in {} attempts of {} ms. At last in the way: {holders}.",
        patience.attempts, patience.milliseconds
    ))
    .with_hint(
        "Nothing was changed in the target. End what is in the way, transactions that have read the \
         target and stay open, or raise lock_timeout or lock_attempts.",
    ))
}

/// What an attempt is waiting for.
#[derive(Clone, Copy)]
enum Waiting {
    Readers,
    Ledger,
}

/// All locks, in no more time than one attempt has; the turn to write to the ledger is one of them, or
/// readers would wait as long as the ledger lets the run wait.
fn attempted(plan: &Plan, patience: Patience, at: &Cell<Waiting>) -> Result<()> {
    let until = Instant::now() + Duration::from_millis(patience.milliseconds.into());
    let in_time = |work: &dyn Fn() -> Result<()>| {
        let left = until.saturating_duration_since(Instant::now());
        // Nought would be no limit.
        let left = left.as_millis().max(1).to_string();
        guc::with(&[("lock_timeout", &left)], work)
    };
    at.set(Waiting::Readers);
    for name in &plan.prepare.emptied {
        in_time(&|| {
            lock(&qualified(&plan.target, name), "ACCESS EXCLUSIVE")?;
            let tables = store::with_partitions(&plan.target, std::slice::from_ref(name))?;
            tables.into_iter().for_each(refile::lock_alone);
            Ok(())
        })?;
    }
    at.set(Waiting::Ledger);
    in_time(&ledger::take_turn)
}
