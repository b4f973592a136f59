//! The run that a script has going in this session: at most one.

use std::cell::{Cell, RefCell};

use super::Run;
use crate::error::{Error, Kind, Result};

thread_local! {
    static CURRENT: RefCell<Option<Run>> = const { RefCell::new(None) };
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// Code of a user runs as part of a run until this is dropped.
pub struct InHook(());

impl InHook {
    /// From now on.
    pub fn begin() -> Self {
        IN_HOOK.set(true);
        Self(())
    }
}

impl Drop for InHook {
    fn drop(&mut self) {
        IN_HOOK.set(false);
    }
}

/// Refuses a run that a hook asks for, of whatever kind: it would be part of the other one, and
/// could have hooks that ask for the next.
///
/// # Errors
/// 55000 inside a hook.
pub fn refuse_in_hook() -> Result<()> {
    if IN_HOOK.get() {
        return Err(Error::new(Kind::NotReady, "a hook cannot start a run")
            .with_hint("Start it when the run that calls the hook has ended."));
    }
    Ok(())
}

/// Puts a run there that begins.
///
/// # Errors
/// 55000 where one is going already.
pub fn put(run: Run) -> Result<()> {
    CURRENT.with_borrow_mut(|current| {
        if current.as_ref().is_some_and(|run| !run.is_ended()) {
            return Err(taken());
        }
        *current = Some(run);
        Ok(())
    })
}

/// Whether a run is going.
pub fn is_going() -> bool {
    CURRENT.with_borrow(|current| current.as_ref().is_some_and(|run| !run.is_ended()))
}

/// A run is going already.
pub fn taken() -> Error {
    Error::new(Kind::NotReady, "a run is going in this session")
        .with_hint("End it with confiture.end_run or confiture.fail_run first.")
}

/// Works with the run that is going.
///
/// # Errors
/// 55000 where there is none; what `work` returns.
pub fn with<T>(work: impl FnOnce(&mut Run) -> Result<T>) -> Result<T> {
    CURRENT.with_borrow_mut(|current| match current {
        Some(run) if !run.is_ended() => work(run),
        _ => Err(
            Error::new(Kind::NotReady, "no run is going in this session")
                .with_hint("Begin one with confiture.begin_run."),
        ),
    })
}

/// Lets the run know of the end of a transaction or subtransaction: `work` says whether it is
/// there all the same.
///
/// While [`with`] is at work there is nothing to tell: what begins and ends meanwhile has nothing
/// noted under its number yet, and a session that is ended there asks nothing any more. Then no
/// frame is unwound, and an error would keep the server from letting go of locks and pages.
pub fn turn(work: impl FnOnce(&mut Run) -> bool) {
    CURRENT.with(|cell| {
        if let Ok(mut current) = cell.try_borrow_mut()
            && current.as_mut().is_some_and(|run| !work(run))
        {
            *current = None;
        }
    });
}
