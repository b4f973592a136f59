//! What the journal knows of the charges of budgets, counted once: the journal grows, and is pruned.

pub mod store;

use crate::privacy::accounting::Charges;
use crate::privacy::amount::Epsilon;

/// The charges of one budget.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Each amount and how often.
    pub charges: Vec<Charges>,
    /// What those make together.
    pub recorded: Epsilon,
    /// How much of it was charged by transactions that were rolled back.
    pub rolled_back: Epsilon,
    /// When the last one was, in microseconds since 2000-01-01 00:00 UTC.
    pub last: Option<i64>,
}

impl Known {
    /// Takes charges of one amount, some of them of transactions that were rolled back.
    pub fn take(&mut self, charges: Charges, back: i64, last: Option<i64>) {
        let times = |count: i64| charges.epsilon.times(u64::try_from(count).unwrap_or(0));
        self.recorded = self.recorded.plus(times(charges.count));
        self.rolled_back = self.rolled_back.plus(times(back));
        self.last = self.last.max(last);
        if charges.count > 0 {
            self.charges.push(charges);
        }
    }

    /// How many there are.
    pub fn count(&self) -> i64 {
        self.charges.iter().map(|charges| charges.count).sum()
    }
}
