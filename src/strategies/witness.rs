//! Who gives values back puts that on record first.
//!
//! The record is kept by a room above, which says so once per process; without it nothing is given
//! back. One record at a time covers ten times what those before it cover: who asks for one value
//! leaves one record of one, who asks for a million leaves seven, and the amounts tell the two
//! apart within a factor of ten.

use std::sync::OnceLock;

use crate::error::{Error, Kind, Result};

/// Puts on record that a function is about to give back up to so many values; when it returns, the
/// record stays.
pub type Keep = fn(function: &str, amount: i64) -> Result<()>;

static KEEP: OnceLock<Keep> = OnceLock::new();

/// Names who keeps the record, once per process.
pub fn register(keep: Keep) {
    // The first one stays: nothing loaded later takes its place.
    KEEP.get_or_init(|| keep);
}

/// What one call site has given back in one statement of the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    statement: i64,
    given: i64,
    on_record: i64,
}

impl Tally {
    /// Counts one more value, on record before this returns. `statement` tells the statement from
    /// others: in a new one the count begins anew.
    ///
    /// # Errors
    /// What keeping the record raises; XX000 when nobody keeps it.
    pub fn give(&mut self, function: &str, statement: i64) -> Result<()> {
        let keep = KEEP.get().ok_or_else(|| {
            Error::new(Kind::Internal, "nobody keeps record of what is given back")
        })?;
        self.give_by(statement, |amount| keep(function, amount))
    }

    fn give_by(&mut self, statement: i64, keep: impl FnOnce(i64) -> Result<()>) -> Result<()> {
        if self.statement != statement {
            *self = Self {
                statement,
                ..Self::default()
            };
        }
        if self.given == self.on_record {
            let more = self.on_record.saturating_mul(9).max(1);
            keep(more)?;
            self.on_record = self.on_record.saturating_add(more);
        }
        self.given = self.given.saturating_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(statements: &[(i64, i64)]) -> Vec<i64> {
        let (mut tally, mut kept) = (Tally::default(), Vec::new());
        for &(statement, values) in statements {
            for _ in 0..values {
                tally
                    .give_by(statement, |amount| {
                        kept.push(amount);
                        Ok(())
                    })
                    .unwrap();
            }
        }
        kept
    }

    #[test]
    fn witness_records_grow_tenfold_and_cover_what_is_given() {
        assert_eq!(records(&[(7, 1)]), [1]);
        assert_eq!(records(&[(7, 2)]), [1, 9]);
        assert_eq!(records(&[(7, 10)]), [1, 9]);
        assert_eq!(records(&[(7, 11)]), [1, 9, 90]);
        assert_eq!(records(&[(7, 100_000)]).len(), 6);
    }

    #[test]
    fn witness_begins_anew_with_every_statement() {
        assert_eq!(records(&[(7, 2), (8, 1), (9, 1)]), [1, 9, 1, 1]);
    }

    #[test]
    fn witness_gives_nothing_that_is_not_on_record() {
        let mut tally = Tally::default();
        let refuse = |_| Err(Error::new(Kind::ReadOnly, "no"));
        assert!(tally.give_by(7, refuse).is_err());
        assert!(tally.give_by(7, refuse).is_err());
        let mut kept = 0;
        tally
            .give_by(7, |amount| {
                kept = amount;
                Ok(())
            })
            .unwrap();
        assert_eq!(kept, 1);
    }
}
