//! The masks of the run in progress, by number.
//!
//! The statements of a run say `confiture._run_mask(3, column)`. So no seed, key or parameter is
//! ever part of a statement, a plan, a log line or `pg_stat_statements`, nothing is parsed or
//! looked up per row, and nobody can call a mask of a run outside of it.

use std::cell::RefCell;

use crate::error::{Error, Kind, Result};
use crate::strategies::Mask;

thread_local! {
    static RUNNING: RefCell<Vec<Mask>> = const { RefCell::new(Vec::new()) };
}

/// Makes masks callable until the guard is dropped, whatever way that happens.
#[must_use]
pub fn install(masks: Vec<Mask>) -> Installed {
    RUNNING.with_borrow_mut(|running| *running = masks);
    Installed(())
}

/// Takes the masks away when dropped.
pub struct Installed(());

impl Drop for Installed {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(Vec::clear);
    }
}

/// Applies the mask of that number.
///
/// # Errors
/// 55000 outside of a run; what the mask returns.
pub fn apply<T>(number: i32, mask: impl FnOnce(&Mask) -> Result<T>) -> Result<T> {
    RUNNING.with_borrow(|running| {
        let found = usize::try_from(number).ok().and_then(|i| running.get(i));
        mask(found.ok_or_else(|| {
            Error::new(Kind::NotReady, "this function works inside a run only")
                .with_hint("Use the functions named anon_….")
        })?)
    })
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
        let installed = install(vec![mask]);
        assert_eq!(text(0).unwrap(), "[REDACTED]");
        assert!(text(1).is_err());
        assert!(text(-1).is_err());
        drop(installed);
        assert!(text(0).is_err());
    }
}
