//! Whether to keep what a mask gives: by what it costs, and by how many different values there are.
//!
//! Costs are a table, not a measurement while the run goes on: a plan says beforehand what is kept
//! and why, and the same data is treated alike on a busy server and on an idle one. How many
//! different values there are is what the planner's statistics say. They may be wrong, so a column
//! that turns out to repeat too little is given up while the run goes on ([`Worth::is_lost`]).

use serde::{Deserialize, Serialize};

use super::table::Counts;
use crate::strategies::measure::epsilon::Epsilon;
use crate::strategies::{Kind, Needs, Strategy, Value};
use crate::sync::fit::How;
use crate::sync::forecast::costs;
use crate::sync::options::Cache;
use crate::sync::plan::Masked;

/// What the planner knows of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// Different values, or, below zero, their share of the rows.
    pub n_distinct: f64,
    /// The share of NULLs.
    pub null_frac: f64,
    /// Bytes of a value.
    pub avg_width: f64,
}

/// What is to be gained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    /// Calls of the mask.
    pub calls: f64,
    /// Different values.
    pub distinct: f64,
    /// Nanoseconds of a call.
    pub work: f64,
    /// Nanoseconds of looking up.
    pub lookup: f64,
}

/// Whether outputs of a column are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// They are.
    Kept(Worth),
    /// They are not.
    Not(Why),
}

/// Why outputs are not kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// To compute them costs no more than about two look-ups.
    Cheap,
    /// The mask draws, or the vault does.
    Drawn,
    /// The caller said so.
    Off,
    /// The mask is called for parts of a value, of which there are no statistics.
    Parts,
    /// The mask reads other columns too: of what they are together there are no statistics.
    Others,
    /// The planner has no statistics of the column.
    Unknown,
    /// Too few repeat.
    Varied {
        /// Calls of the mask.
        calls: f64,
        /// Different values.
        distinct: f64,
    },
}

/// Nanoseconds of a look-up that finds something, and of each byte of the value and of the output,
/// as measured in `docs/cache.md`.
const LOOKUP: f64 = 350.0;
const LOOKUP_BYTE: f64 = 2.5;
/// As many more where there are so many entries that they are far from the processor.
const LOOKUP_FAR: f64 = 800.0;
const FAR_ENTRIES: f64 = 100_000.0;
/// Nanoseconds to store an output.
const STORE: f64 = 450.0;
/// Of the costs in the table, what calls any mask.
const CALL: f64 = 44.0;
/// The share of the time that must remain at most.
const MOST_LEFT: f64 = 0.6;
/// Nanoseconds to be gained at least: less is not worth a table of its own.
const LEAST_GAIN: f64 = 5e6;
/// Outputs that are computed before a column is given up.
const TRIED: u64 = 1000;
/// The share of the time they took that may be lost: while it is less, what comes later may gain
/// more. So what is slow on purpose is not given up.
const MOST_LOST: f64 = 0.05;

impl Worth {
    /// Whether a column repeats so little that to look up has cost more than it has saved, by a share
    /// of what was computed that somebody would notice, after twice as many different values as were
    /// expected.
    pub fn is_lost(&self, counts: &Counts) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let [hits, misses] = [counts.hits, counts.misses].map(|count| count as f64);
        counts.misses > TRIED
            && misses > 2.0 * self.distinct
            && (hits + misses) * self.lookup + misses * STORE - hits * self.work
                > MOST_LOST * misses * self.work
    }

    /// The nanoseconds of a call, most of which find their output.
    pub fn average(&self) -> f64 {
        let missed = (self.distinct / self.calls.max(1.0)).min(1.0);
        self.lookup + missed * (self.work + STORE)
    }

    fn pays(&self) -> bool {
        let (with, without) = (self.average(), self.work);
        with <= MOST_LEFT * without && (without - with) * self.calls >= LEAST_GAIN
    }
}

impl Verdict {
    /// Judges a column, of `rows` rows to be copied.
    pub fn of(
        masked: &Masked,
        statistics: Option<&Statistics>,
        rows: (f64, f64),
        asked: Cache,
    ) -> Self {
        let strategy = &masked.strategy;
        let call = match &masked.how {
            How::Mask(call) => call,
            How::Record(_) => return Self::Not(Why::Parts),
            _ => return Self::Not(Why::Cheap),
        };
        if call.token.is_some() || !is_kept(strategy) || !strategy.properties(call.of).deterministic
        {
            return Self::Not(Why::Drawn);
        }
        let width = statistics.map_or(0.0, |of| of.avg_width);
        let (work, lookup) = (work(strategy, width), LOOKUP + LOOKUP_BYTE * width);
        if lookup > MOST_LEFT * work {
            return Self::Not(Why::Cheap);
        }
        if asked == Cache::Off {
            return Self::Not(Why::Off);
        }
        if call.is_array {
            return Self::Not(Why::Parts);
        }
        if call.inputs.iter().any(|given| !given.columns.is_empty()) {
            return Self::Not(Why::Others);
        }
        let Some(statistics) = statistics else {
            return Self::Not(Why::Unknown);
        };
        let (there, copied) = rows;
        let calls = copied.max(0.0) * (1.0 - statistics.null_frac).clamp(0.0, 1.0);
        let distinct = match statistics.n_distinct {
            share if share < 0.0 => -share * there,
            0.0 => return Self::Not(Why::Unknown),
            count => count,
        };
        let distinct = distinct.min(calls);
        let worth = Worth {
            calls,
            distinct,
            work,
            lookup: lookup + LOOKUP_FAR * (distinct / FAR_ENTRIES).min(1.0),
        };
        match worth.pays() {
            true => Self::Kept(worth),
            false => Self::Not(Why::Varied { calls, distinct }),
        }
    }

    /// What a reader of a plan is told; nothing where there was nothing to think about.
    pub fn in_words(&self) -> Option<String> {
        Some(match self {
            Self::Kept(worth) => format!(
                "cached: about {:.0} different values in {:.0}",
                worth.distinct, worth.calls
            ),
            Self::Not(why) => format!(
                "not cached: {}",
                match why {
                    Why::Cheap | Why::Drawn => return None,
                    Why::Off => "the option says so".to_owned(),
                    Why::Parts => "there are no statistics of parts of a value".to_owned(),
                    Why::Others => "it reads other columns of the row".to_owned(),
                    Why::Unknown => "there are no statistics of the column".to_owned(),
                    Why::Varied { calls, distinct } =>
                        format!("about {distinct:.0} different values in {calls:.0}"),
                }
            ),
        })
    }
}

/// Whether nothing speaks against keeping what a strategy, with all that is part of it, gives.
fn is_kept(strategy: &Strategy) -> bool {
    let plain = |part: &&Strategy| {
        let needs = part.kind().definition().needs;
        matches!(needs, Needs::Key | Needs::Nothing) && Epsilon::largest(part).is_none()
    };
    strategy.with_parts().iter().all(plain)
}

/// Nanoseconds that a value of so many bytes takes: the table of forecasts, and for what grows with
/// its input the second table of `docs/performance.md`.
pub fn work(strategy: &Strategy, width: f64) -> f64 {
    let usual = (costs::of(strategy) - CALL).max(0.0);
    let beyond = |bytes: f64| (width - bytes).max(0.0);
    match strategy.kind() {
        // 11.6 ms for 19 MiB and two passes.
        Kind::SaltedHash => slow_hash(strategy).unwrap_or(usual),
        // Up to 56 digits it stays on the fast path.
        Kind::Fpe => usual + if width > 56.0 { 200.0 * width } else { 0.0 },
        Kind::Json => {
            let parts = strategy.parts();
            usual + 1.3 * beyond(64.0) + parts.iter().map(|part| work(part, 0.0)).sum::<f64>()
        }
        Kind::Lorem => usual + 6.0 * beyond(32.0),
        Kind::Text => usual + 11.0 * beyond(48.0),
        _ => usual,
    }
}

/// The nanoseconds of Argon2id, in which memory is filled as often as the parameters say.
fn slow_hash(strategy: &Strategy) -> Option<f64> {
    let params = strategy.effective_params();
    if params.get("algorithm") != Some(&Value::from("argon2id")) {
        return None;
    }
    let number = |name: &str, usual: u32| match params.get(name) {
        Some(Value::Int(number)) => f64::from(u32::try_from(*number).unwrap_or(usual)),
        _ => f64::from(usual),
    };
    Some(298.0 * number("memory_kib", 19_456) * number("passes", 2))
}
