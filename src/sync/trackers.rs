//! The trackers of the run in progress, by number: each counts the values of one masked column and
//! commits to them, while the rows pass.
//!
//! The statements of a run say `confiture._run_track(3, …)`, as with the masks: no key is part of
//! a statement.

use std::cell::RefCell;

use crate::error::{Error, Kind, Result};
use crate::ledger::lineage::commitment::{ColumnKey, Element, Tally};

/// What is kept of one column.
pub struct Tracker {
    key: ColumnKey,
    tally: Tally,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new(key: ColumnKey) -> Self {
        Self {
            key,
            tally: Tally::default(),
        }
    }
}

thread_local! {
    static RUNNING: RefCell<Vec<Tracker>> = const { RefCell::new(Vec::new()) };
}

/// Makes trackers callable until the guard is dropped, whatever way that happens.
#[must_use]
pub fn install(trackers: Vec<Tracker>) -> Installed {
    RUNNING.with_borrow_mut(|running| *running = trackers);
    Installed(())
}

/// Takes the trackers away when dropped.
pub struct Installed(());

impl Installed {
    /// What they have seen, by number.
    pub fn finish(self) -> Vec<Tally> {
        RUNNING.with_borrow(|running| running.iter().map(|tracker| tracker.tally).collect())
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(Vec::clear);
    }
}

/// Shows a value to the tracker of that number.
///
/// # Errors
/// 55000 outside of a run.
pub fn show(number: usize, original: &Element, anonymized: &Element) -> Result<()> {
    RUNNING.with_borrow_mut(|running| {
        let tracker = running
            .get_mut(number)
            .ok_or_else(|| Error::new(Kind::NotReady, "this function works inside a run only"))?;
        tracker.tally.pair(&tracker.key, original, anonymized);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Secret;
    use crate::ledger::lineage::commitment::Algorithm;

    #[test]
    fn trackers_exist_only_while_installed() {
        let key = ColumnKey::new(&Secret::copy_of(&[1; 32]), Algorithm::Blake3, "s", "t", "c");
        let element = Element::default();
        assert!(show(0, &element, &element).is_err());
        let installed = install(vec![Tracker::new(key)]);
        show(0, &element, &element).unwrap();
        assert!(show(1, &element, &element).is_err());
        assert_eq!(installed.finish()[0].rows(), 1);
        assert!(show(0, &element, &element).is_err());
    }
}
