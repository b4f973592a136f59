//! The workers of all runs of a server together: no more than `confiture.max_workers`. A run that finds
//! too few free waits for its turn, behind those that came before it.
//!
//! Each worker is a lock, so that a run that ends, however that happens, gives its own back. Who waits
//! holds the turn and no more than it got by then; who has the turn waits for runs that wait for nothing.

use std::time::Duration;

use super::super::options::Options;
use super::super::phase::Phase;
use crate::error::{Error, Kind, Result};
use crate::pg::lock::{Class, SessionLock};
use crate::pg::{guc, latch, report, server};
use crate::settings;

/// How often who has the turn looks for free workers.
const LOOK: Duration = Duration::from_millis(100);
/// The lock of the turn; those of workers follow.
const TURN: u64 = 0;

/// Workers of this run, until dropped.
pub struct Places {
    _held: Vec<SessionLock>,
}

/// Refuses more workers than the server allows.
///
/// # Errors
/// 22023.
pub fn check(workers: u32) -> Result<()> {
    let most = settings::max_workers();
    if workers <= most {
        return Ok(());
    }
    Err(Error::new(
        Kind::InvalidParameter,
        format!("option \"workers\" is {workers}, and this server allows {most}"),
    )
    .with_hint("A superuser may raise confiture.max_workers."))
}

/// Waits until so many workers are free.
///
/// # Errors
/// 22023 for more than there are. A cancel unwinds.
pub fn take(options: &Options, phase: &Phase) -> Result<Places> {
    let wanted = options.workers as usize;
    let mut held = Vec::with_capacity(wanted);
    if wanted == 0 {
        return Ok(Places { _held: held });
    }
    check(options.workers)?;
    let most = u64::from(settings::max_workers());
    let more = |held: &mut Vec<SessionLock>| {
        for number in TURN + 1..=TURN + most {
            if held.len() < wanted
                && let Some(lock) = SessionLock::try_take_on_server(Class::Workers, number)
            {
                held.push(lock);
            }
        }
        held.len() == wanted
    };
    // Nobody is overtaken.
    if let Some(_turn) = SessionLock::try_take_on_server(Class::Workers, TURN)
        && more(&mut held)
    {
        return Ok(Places { _held: held });
    }
    held.clear();
    phase.enter("waiting for workers");
    report::notice(&format!(
        "waiting until {wanted} of {most} workers are free: other runs use them"
    ));
    // However long it takes: `lock_timeout` is about locks that others hold by mistake.
    let turn = || SessionLock::take_on_server(Class::Workers, TURN);
    let _turn = guc::with(&[("lock_timeout", "0")], turn);
    while !more(&mut held) {
        latch::wait(None, false, LOOK);
        server::check_for_interrupts();
    }
    Ok(Places { _held: held })
}
