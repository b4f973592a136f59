//! The masks of the run in progress, by number.
//!
//! The statements of a run say `confiture._run_mask(3, column)`. So no seed, key or parameter is
//! ever part of a statement, a plan, a log line or `pg_stat_statements`, nothing is parsed or
//! looked up per row, and nobody can call a mask of a run outside of it.

use std::cell::RefCell;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::clock::{Clock, Timed, look};
use super::workers::{self, report::Words};
use crate::error::{Error, Kind, Result};
use crate::strategies::Mask;

/// A column that is masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// A value that a column does not take, because to ask whether it does raises an error.
pub struct Raised {
    /// The column.
    pub place: Place,
    /// The constraint whose condition raises it; `None` where the value is no value of the column.
    pub constraint: Option<String>,
}

impl Raised {
    /// What refuses a value, in words.
    pub fn what(&self) -> String {
        let column = format!("column \"{}\"", self.place.column);
        match &self.constraint {
            Some(constraint) => format!("constraint \"{constraint}\" of {column}"),
            None => column,
        }
    }
}

/// A mask at work.
struct Running {
    mask: Mask,
    place: Place,
    clock: Clock,
}

/// The masks at work, and the number of the first.
#[derive(Default)]
struct Masks {
    first: usize,
    running: Vec<Running>,
}

impl Masks {
    fn new(first: usize, masks: Vec<(Mask, Place)>) -> Self {
        let running = masks.into_iter().map(|(mask, place)| Running {
            mask,
            place,
            clock: Clock::new(),
        });
        Self {
            first,
            running: running.collect(),
        }
    }

    fn get(&self, number: i32) -> Option<&Running> {
        let place = usize::try_from(number).ok()?.checked_sub(self.first)?;
        self.running.get(place)
    }
}

thread_local! {
    static RUNNING: RefCell<Masks> = RefCell::default();
    /// The server hands errors on as its own; what stands here is known to be ours.
    static REFUSED: RefCell<Option<Refusal>> = const { RefCell::new(None) };
    static RAISED: RefCell<Option<Raised>> = const { RefCell::new(None) };
}

/// Makes masks callable until the guard is dropped, whatever way that happens.
#[must_use]
pub fn install(masks: Vec<(Mask, Place)>) -> Installed {
    install_from(0, masks)
}

/// As [`install`], where the first of them has that number.
#[must_use]
pub fn install_from(first: usize, masks: Vec<(Mask, Place)>) -> Installed {
    REFUSED.take();
    RAISED.take();
    Installed(RUNNING.replace(Masks::new(first, masks)))
}

/// Takes the masks away when dropped, and puts those of a run back that this one ran in, by a
/// trigger of its target.
pub struct Installed(Masks);

impl Installed {
    /// How often each mask was called and what a call took, by its place, in the order of their numbers.
    pub fn seen(&self) -> Vec<(Place, Timed)> {
        let look = look();
        RUNNING.with_borrow(|running| {
            let seen = running.running.iter();
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

/// Masks that are made once and put to work in many statements.
pub struct Kept(Masks);

impl Kept {
    /// Keeps masks, of which the first has that number.
    pub fn new(first: usize, masks: Vec<(Mask, Place)>) -> Self {
        Self(Masks::new(first, masks))
    }

    /// Does `work`, in which they are callable, and no others.
    pub fn at_work<T>(&mut self, work: impl FnOnce() -> T) -> T {
        struct Back<'a>(&'a mut Masks);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                let others = std::mem::take(self.0);
                *self.0 = RUNNING.replace(others);
            }
        }
        REFUSED.take();
        RAISED.take();
        let others = RUNNING.replace(std::mem::take(&mut self.0));
        self.0 = others;
        let _back = Back(&mut self.0);
        work()
    }
}

/// Applies the mask of that number.
///
/// # Errors
/// 55000 outside of a run; what the mask returns.
pub fn apply<T>(number: i32, mask: impl FnOnce(&Mask) -> Result<T>) -> Result<T> {
    RUNNING.with_borrow(|running| {
        let found = running.get(number);
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

/// What the masks of those numbers have seen in this process, as numbers.
pub fn report(numbers: &Range<usize>, out: &mut Vec<u64>) {
    each(numbers, |clock| clock.report(out));
}

/// Adds what the masks of those numbers have seen in another process.
pub fn merge(numbers: &Range<usize>, words: &mut Words<'_>) {
    each(numbers, |clock| clock.merge(words));
}

fn each(numbers: &Range<usize>, mut work: impl FnMut(&Clock)) {
    RUNNING.with_borrow(|running| {
        let first = running.first;
        for number in numbers.clone() {
            let place = number.checked_sub(first);
            if let Some(of) = place.and_then(|place| running.running.get(place)) {
                work(&of.clock);
            }
        }
    });
}

/// Notes what the words of a failure are to say of a column.
pub fn refuse(place: Place, constraint: Option<String>, error: Error) {
    let refusal = Refusal {
        place,
        constraint,
        error,
    };
    workers::tell(&refusal);
    REFUSED.set(Some(refusal));
}

/// Notes what another process has refused.
pub fn refused(refusal: Refusal) {
    REFUSED.set(Some(refusal));
}

/// The value that a mask has refused last, since the masks were installed.
pub fn refusal() -> Option<Refusal> {
    REFUSED.take()
}

/// Notes where an error was raised about a value of the mask of that number.
pub fn raise(number: i32, constraint: Option<String>) {
    let place = RUNNING.with_borrow(|running| {
        let found = running.get(number);
        found.map(|found| found.place.clone())
    });
    let raised = place.map(|place| Raised { place, constraint });
    raised
        .as_ref()
        .inspect(|raised| workers::tell_raised(raised));
    RAISED.set(raised);
}

/// Notes where an error was raised in another process.
pub fn was_raised(raised: Raised) {
    RAISED.set(Some(raised));
}

/// Where an error was raised about a value, since the masks were installed.
pub fn raised() -> Option<Raised> {
    RAISED.take()
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

    #[test]
    fn masks_that_are_kept_are_called_again_and_again() {
        let strategy = Strategy::new(crate::strategies::Kind::Redact, &Params::new()).unwrap();
        let keys = Subkeys::new(&[1; 32], &[2; 32]);
        let mask = strategy.mask(&keys, Seed::new(0), ValueType::Text).unwrap();
        let place = Place {
            table: "t".to_owned(),
            column: "c".to_owned(),
        };
        let text = |number| apply(number, |mask| Ok(mask.text("x")?.into_owned()));
        let mut kept = Kept::new(7, vec![(mask, place)]);
        for _ in 0..2 {
            assert_eq!(kept.at_work(|| text(7)).unwrap(), "[REDACTED]");
            assert!(text(7).is_err());
        }
        assert!(kept.at_work(|| text(0)).is_err());
    }
}
