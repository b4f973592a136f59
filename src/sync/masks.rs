//! The masks of the run in progress, by number.
//!
//! The statements of a run say `confiture._run_mask(3, column)`. So no seed, key or parameter is
//! ever part of a statement, a plan, a log line or `pg_stat_statements`, nothing is parsed or
//! looked up per row, and nobody can call a mask of a run outside of it.

use std::cell::RefCell;

use super::clock::{Clock, Timed, look};
use crate::error::{Error, Kind, Result};
use crate::strategies::Mask;

/// A column that is masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its table.
    pub table: String,
    /// Its name.
    pub column: String,
}

/// A value that a mask did not take: where, and why, in words that hold nothing of it.
pub struct Refusal {
    /// The column.
    pub place: Place,
    /// The constraint that accepts no value, where it is that.
    pub constraint: Option<String>,
    /// What the mask says.
    pub error: Error,
}

/// A mask at work.
struct Running {
    mask: Mask,
    place: Place,
    clock: Clock,
}

thread_local! {
    static RUNNING: RefCell<Vec<Running>> = const { RefCell::new(Vec::new()) };
    /// The server hands errors on as its own; what stands here is known to be ours.
    static REFUSED: RefCell<Option<Refusal>> = const { RefCell::new(None) };
}

/// Makes masks callable until the guard is dropped, whatever way that happens.
#[must_use]
pub fn install(masks: Vec<(Mask, Place)>) -> Installed {
    REFUSED.take();
    let running = masks.into_iter().map(|(mask, place)| Running {
        mask,
        place,
        clock: Clock::new(),
    });
    Installed(RUNNING.replace(running.collect()))
}

/// Takes the masks away when dropped, and puts those of a run back that this one ran in, by a
/// trigger of its target.
pub struct Installed(Vec<Running>);

impl Installed {
    /// How often each mask was called and what a call took, by its place, in the order of their numbers.
    pub fn seen(&self) -> Vec<(Place, Timed)> {
        let look = look();
        RUNNING.with_borrow(|running| {
            let seen = running.iter();
            seen.map(|of| (of.place.clone(), of.clock.seen(look)))
                .collect()
        })
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        RUNNING.set(std::mem::take(&mut self.0));
    }
}

/// Applies the mask of that number.
///
/// # Errors
/// 55000 outside of a run; what the mask returns.
pub fn apply<T>(number: i32, mask: impl FnOnce(&Mask) -> Result<T>) -> Result<T> {
    RUNNING.with_borrow(|running| {
        let found = usize::try_from(number).ok().and_then(|i| running.get(i));
        let found = found.ok_or_else(|| {
            Error::new(Kind::NotReady, "this function works inside a run only")
                .with_hint("Use the functions named anon_….")
        })?;
        found.clock.time(|| mask(&found.mask)).inspect_err(|error| {
            if error.is_about_the_value() {
                refuse(found.place.clone(), None, error.clone());
            }
        })
    })
}

/// Notes what the words of a failure are to say of a column.
pub fn refuse(place: Place, constraint: Option<String>, error: Error) {
    REFUSED.set(Some(Refusal {
        place,
        constraint,
        error,
    }));
}

/// The value that a mask has refused last, since the masks were installed.
pub fn refusal() -> Option<Refusal> {
    REFUSED.take()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Params, Seed, Strategy, Subkeys, ValueType};

    #[test]
    fn masks_exist_only_while_installed() {
        let strategy = Strategy::new(crate::strategies::Kind::Redact, &Params::new()).unwrap();
        let keys = Subkeys::new(&[1; 32], &[2; 32]);
        let mask = strategy.mask(&keys, Seed::new(0), ValueType::Text).unwrap();
        let text = |number| apply(number, |mask| Ok(mask.text("x")?.into_owned()));
        assert!(text(0).is_err());
        let place = Place {
            table: "t".to_owned(),
            column: "c".to_owned(),
        };
        let installed = install(vec![(mask, place.clone())]);
        assert_eq!(text(0).unwrap(), "[REDACTED]");
        let refused = apply(0, |_| Err::<(), _>(Error::new(Kind::Data, "too long")));
        assert!(refused.is_err() && refusal().is_some_and(|refusal| refusal.place == place));
        assert!(refusal().is_none());
        let seen = installed.seen();
        assert_eq!((&seen[0].0, seen[0].1.calls), (&place, 2));
        assert!(text(1).is_err());
        assert!(text(-1).is_err());
        drop(installed);
        assert!(text(0).is_err());
    }
}
