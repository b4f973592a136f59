//! The mode `swap` of a run: readers of the target go on reading the old rows until the new ones are
//! loaded, indexed and checked.
//!
//! The tables of the target get new files that only the transaction of the run sees (`pg::refile`);
//! everything of them stays, for they are the same tables. The run keeps writers away from its
//! beginning, and readers only from the moment before it commits: `exchange` locks them out, for
//! which it waits a little, gives way, and tries again.

use std::time::Duration;

use serde::Deserialize;

use super::options::{Options, Triggers, invalid};
use crate::error::Result;

pub mod exchange;
pub mod key;
pub mod refuse;
pub mod store;

/// How the rows of a target are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Readers wait for the whole of the run.
    #[default]
    Atomic,
    /// Readers wait for its last moment.
    Swap(Patience),
}

/// How a run in mode swap asks for the lock that keeps readers away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The milliseconds of one attempt, in which readers queue up behind it.
    pub milliseconds: u32,
    /// The attempts before the run fails.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            milliseconds: 2000,
            attempts: 30,
        }
    }
}

impl Patience {
    /// The most milliseconds of an attempt.
    pub const LONGEST: u32 = 600_000;
    /// The most attempts.
    pub const MOST: u32 = 10_000;

    /// The pause behind an attempt that was in vain: it grows, and readers have it to themselves.
    pub fn pause(attempt: u32) -> Duration {
        const FIRST: Duration = Duration::from_millis(250);
        const LONGEST: Duration = Duration::from_secs(30);
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        FIRST.saturating_mul(doubled).min(LONGEST)
    }
}

impl Mode {
    /// The words of the option.
    pub const WORDS: &'static str = "It must be atomic or swap.";

    /// The mode of a word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Atomic, Self::Swap(Patience::default())]
            .into_iter()
            .find(|mode| mode.name() == word)
    }

    /// The word used in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Atomic => "atomic",
            Self::Swap(_) => "swap",
        }
    }

    /// Takes what was said of the waits, and holds the mode against the other options.
    ///
    /// # Errors
    /// 22023 where they do not go together.
    pub fn settled(
        self,
        (timeout, attempts): (Option<u32>, Option<u32>),
        others: &Options,
    ) -> Result<Self> {
        let Self::Swap(usual) = self else {
            let said = [
                ("lock_timeout", timeout),
                ("lock_attempts", attempts),
                (
                    "workers",
                    Some(others.workers).filter(|workers| *workers > 0),
                ),
                ("max_rows_per_second", others.max_rows_per_second),
            ];
            return match said.into_iter().find(|(_, value)| value.is_some()) {
                Some((name, _)) => Err(invalid(name, "It is for mode swap.")),
                None => Ok(self),
            };
        };
        if others.triggers == Triggers::Fire {
            return Err(invalid(
                "triggers",
                "In mode swap no trigger fires: it must be refuse or skip.",
            ));
        }
        if others.in_transaction {
            return Err(invalid(
                "in_transaction",
                "In mode swap the run must end its transaction itself: until then readers wait.",
            ));
        }
        Ok(Self::Swap(Patience {
            milliseconds: timeout.unwrap_or(usual.milliseconds),
            attempts: attempts.unwrap_or(usual.attempts),
        }))
    }
}

/// A valid foreign key from or to a table of the target.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// The table that refers.
    pub child: End,
    /// The table referred to.
    pub parent: End,
    /// The operators by which it compares, the column it points to on the left.
    pub operators: Vec<String>,
    /// The collations of the columns it points to, where they have one.
    pub collations: Vec<Option<String>>,
    /// Whether all of its columns must be NULL where one is (MATCH FULL).
    pub full: bool,
    /// Whether its last columns hold periods that must be covered.
    pub period: bool,
}

/// One end of a foreign key.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct End {
    /// Schema.
    pub schema: String,
    /// Table.
    pub name: String,
    /// What it is.
    pub kind: char,
    /// The columns of the key.
    pub columns: Vec<String>,
    /// Their types.
    pub types: Vec<u32>,
    /// Whether the run fills it.
    pub filled: bool,
    /// Owner.
    pub owner: String,
    /// Whether the caller may do what the owner may.
    pub owned: bool,
    /// Whether the caller may read it.
    pub can_select: bool,
    /// Whether row-level security would filter what the caller reads.
    pub row_security: bool,
}

impl End {
    /// The name with its schema, as messages show it.
    pub fn shown(&self) -> String {
        format!("\"{}.{}\"", self.schema, self.name)
    }
}

/// The tables beside those that the run fills that its foreign keys come from or lead to.
pub fn neighbors(keys: &[Key]) -> Vec<&End> {
    let mut found: Vec<&End> = Vec::new();
    for end in keys.iter().flat_map(|key| [&key.child, &key.parent]) {
        let is_it = |other: &&End| (&other.schema, &other.name) == (&end.schema, &end.name);
        if !end.filled && !found.iter().any(is_it) {
            found.push(end);
        }
    }
    found
}

/// Sessions that hold tables, in words, by their processes.
fn shown(holders: &[(i32, bool)]) -> String {
    const MOST: usize = 10;
    let mut words: Vec<_> = holders
        .iter()
        .take(MOST)
        .map(|(pid, waits)| match waits {
            true => format!("process {pid}, which waits for this run"),
            false => format!("process {pid}"),
        })
        .collect();
    if words.is_empty() {
        words.push("somebody who has let go since".to_owned());
    }
    if holders.len() > MOST {
        words.push(format!("{} more", holders.len() - MOST));
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute() {
        let milliseconds = |attempt| Patience::pause(attempt).as_millis();
        assert_eq!(
            [1, 2, 3, 8, 30].map(milliseconds),
            [250, 500, 1000, 30_000, 30_000]
        );
    }

    #[test]
    fn holders_are_told_by_their_processes() {
        assert_eq!(
            shown(&[(7, false), (8, true)]),
            "process 7; process 8, which waits for this run"
        );
        assert_eq!(shown(&[]), "somebody who has let go since");
        let many: Vec<_> = (0..12).map(|pid| (pid, false)).collect();
        assert!(shown(&many).ends_with("process 9; 2 more"));
    }

    #[test]
    fn waits_are_for_mode_swap() {
        let swap = Mode::of("swap").unwrap();
        let others = Options::default();
        let settled = swap.settled((Some(10), None), &others).unwrap();
        let Mode::Swap(patience) = settled else {
            panic!("{settled:?}")
        };
        assert_eq!((patience.milliseconds, patience.attempts), (10, 30));
        assert!(Mode::Atomic.settled((None, Some(1)), &others).is_err());
        assert_eq!(
            Mode::Atomic.settled((None, None), &others).unwrap(),
            Mode::Atomic
        );
        let firing = Options {
            triggers: Triggers::Fire,
            ..Options::default()
        };
        assert!(swap.settled((None, None), &firing).is_err());
    }
}
