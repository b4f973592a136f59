//! Which checks of a transaction are still to be made, so that each is made once and not row by row.
//!
//! A check holds for all that was written before it. Commands that write have ascending numbers, so
//! it holds as long as the number of the next command stays the same: what is written later has events
//! of its own. Where a part of the transaction is rolled back, an earlier state comes back, and with it
//! the events that led there, if they were seen to within that part.

use super::Demand;

/// A check of one trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Number of the trigger that asks.
    pub trigger: u32,
    /// Number of the table it was made for.
    pub table: u32,
    /// What it asks for.
    pub demand: Demand,
}

impl Check {
    fn is_same(&self, other: &Self) -> bool {
        self.table == other.table && self.demand == other.demand
    }
}

/// The checks of a transaction.
#[derive(Debug, Default)]
pub struct Pending {
    checks: Vec<(Check, State)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not made yet.
    Known,
    /// Made, before the command of this number.
    Made(u32),
    /// To be made at the end.
    Due,
}

impl Pending {
    /// The check of a trigger that is known.
    pub fn known(&self, trigger: u32) -> Option<&Check> {
        let mut known = self.checks.iter().map(|(check, _)| check);
        known.find(|check| check.trigger == trigger)
    }

    /// Makes one known. Triggers that partitions inherit ask for the same: what holds for one holds
    /// for it.
    pub fn learn(&mut self, check: Check) {
        let same = self.checks.iter().find(|(other, _)| other.is_same(&check));
        let state = same.map_or(State::Known, |(_, state)| *state);
        self.checks.push((check, state));
    }

    /// Whether a check was made and nothing was written since.
    pub fn is_made(&self, trigger: u32, next_command: u32) -> bool {
        let made = State::Made(next_command);
        self.checks
            .iter()
            .any(|(check, state)| check.trigger == trigger && *state == made)
    }

    /// Notes that a check has passed.
    pub fn made(&mut self, trigger: u32, next_command: u32) {
        self.set(trigger, State::Made(next_command));
    }

    /// Notes that a check is to be made at the end, whatever becomes of parts of the transaction.
    pub fn due(&mut self, trigger: u32) {
        self.set(trigger, State::Due);
    }

    fn set(&mut self, trigger: u32, to: State) {
        let Some(asked) = self.known(trigger).cloned() else {
            return;
        };
        for (check, state) in &mut self.checks {
            if check.is_same(&asked) {
                *state = to;
            }
        }
    }

    /// A part of the transaction was rolled back: what was found does not hold any more, and tables
    /// may be gone.
    pub fn rolled_back(&mut self) {
        self.checks.retain(|(_, state)| *state == State::Due);
    }

    /// The checks to be made at the end, by table: two transactions then wait for each other in the
    /// same order.
    pub fn last(&self) -> Vec<Check> {
        let due = self.checks.iter().filter(|(_, state)| *state == State::Due);
        let mut last: Vec<Check> = due.map(|(check, _)| check.clone()).collect();
        last.sort_by_key(|check| (check.table, check.trigger));
        last.dedup_by(|one, other| one.is_same(other));
        last
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// The transaction is over.
    pub fn clear(&mut self) {
        self.checks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(trigger: u32, table: u32) -> Check {
        let demand = Demand {
            k: 2,
            names: vec![Some("a".to_owned())],
        };
        Check {
            trigger,
            table,
            demand,
        }
    }

    #[test]
    fn checks_hold_until_something_is_written() {
        let mut pending = Pending::default();
        pending.learn(check(1, 20));
        assert!(pending.known(1).is_some() && pending.known(2).is_none());
        assert!(!pending.is_made(1, 3));
        pending.made(1, 3);
        assert!(pending.is_made(1, 3) && !pending.is_made(1, 4));
        // Only what is said to be due is looked at in the end: a table may have been dropped since.
        assert!(pending.last().is_empty());
        pending.due(1);
        assert_eq!(pending.last(), [check(1, 20)]);
    }

    #[test]
    fn triggers_that_ask_the_same_are_checked_once() {
        let mut pending = Pending::default();
        pending.learn(check(1, 20));
        pending.made(1, 3);
        pending.learn(check(2, 20));
        assert!(pending.is_made(2, 3));
        pending.due(2);
        assert!(!pending.is_made(1, 3));
        assert_eq!(pending.last(), [check(1, 20)]);
    }

    #[test]
    fn a_rollback_takes_back_what_was_found_but_not_what_is_due() {
        let mut pending = Pending::default();
        for (trigger, table) in [(1, 20), (2, 10), (3, 30), (4, 40)] {
            pending.learn(check(trigger, table));
        }
        pending.made(1, 3);
        pending.due(2);
        pending.due(3);
        pending.rolled_back();
        assert!(!pending.is_made(1, 3) && pending.known(1).is_none());
        assert!(pending.known(4).is_none());
        assert_eq!(pending.last(), [check(2, 10), check(3, 30)]);
        pending.clear();
        assert!(pending.is_empty());
    }
}
