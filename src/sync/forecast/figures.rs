//! Estimates: rows, seconds and bytes of a run, and what the session allows.

use std::collections::BTreeMap;

use super::costs;
use crate::sync::cache::Verdicts;
use crate::sync::cache::worth::Verdict;
use crate::sync::plan::{ColumnPlan, Decision, Masked, Plan, TablePlan};

/// What an earlier run of the profile has measured of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Rows written.
    pub rows: f64,
    /// Milliseconds it took.
    pub milliseconds: f64,
}

/// The newest complete run of a profile from a source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// When it ended, to the second; empty where there is none.
    pub ended: String,
    /// Each table.
    pub tables: BTreeMap<String, Measured>,
    /// Seconds of the whole run.
    pub seconds: f64,
}

/// What the server says of its settings and disks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// Bytes of the tables read, indexes included.
    pub source_bytes: u64,
    /// Bytes of the tables that are emptied, indexes included.
    pub target_bytes: u64,
    /// Bytes free where the data directory is.
    pub free_bytes: Option<u64>,
    /// In milliseconds; 0 is none.
    pub statement_timeout: u64,
    /// In minutes, where the server has it and it is on.
    pub old_snapshot_threshold: Option<u64>,
}

/// The estimate of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Rows that are to be copied, of the source's statistics.
    pub rows: f64,
    /// Seconds of its load.
    pub seconds: f64,
    /// What the seconds were taken from.
    pub basis: String,
}

/// The figures of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Each table.
    pub tables: BTreeMap<String, Estimate>,
    /// Seconds of the whole run.
    pub seconds: f64,
    /// Settings and disks.
    pub around: Surroundings,
}

impl Figures {
    /// Estimates a plan.
    pub fn of(plan: &Plan, cached: &Verdicts, history: &History, around: Surroundings) -> Self {
        let tables: BTreeMap<String, Estimate> = plan
            .tables
            .iter()
            .map(|table| (table.source.name.clone(), estimate(table, cached, history)))
            .collect();
        let loads: f64 = tables.values().map(|table| table.seconds).sum();
        let measured: f64 = history.tables.values().map(|of| of.milliseconds).sum();
        // The rest of a run of a few milliseconds says nothing of a long one.
        let whole = match measured >= 1000.0 {
            true => (history.seconds * 1000.0 / measured).max(1.0),
            false => costs::WHOLE,
        };
        Self {
            tables,
            seconds: loads * whole,
            around,
        }
    }
}

/// Fewer rows than this say nothing of the time that each takes.
const FEWEST_ROWS: f64 = 1000.0;

fn estimate(table: &TablePlan, cached: &Verdicts, history: &History) -> Estimate {
    let rows = table.expected.max(0.0);
    match history.tables.get(&table.source.name) {
        Some(measured) if measured.rows >= FEWEST_ROWS => Estimate {
            rows,
            seconds: rows * measured.milliseconds / measured.rows / 1000.0,
            basis: format!("run of {}", history.ended),
        },
        _ => Estimate {
            rows,
            seconds: rows * row(table, cached) / 1e9,
            basis: "measured costs per value".to_owned(),
        },
    }
}

/// Nanoseconds of a row.
fn row(table: &TablePlan, cached: &Verdicts) -> f64 {
    let mask = |column: &ColumnPlan, masked: &Masked| {
        let place = (table.source.name.clone(), column.name.clone());
        match cached.get(&place) {
            Some(Verdict::Kept(worth)) => worth.average(),
            _ => costs::of(&masked.strategy),
        }
    };
    let column = |column: &ColumnPlan| match &column.decision {
        Decision::Masked(masked) => costs::COLUMN + mask(column, masked),
        Decision::Copied | Decision::Preserved { .. } => costs::COLUMN,
        Decision::Excluded { .. } | Decision::Generated => 0.0,
    };
    costs::ROW + table.columns.iter().map(column).sum::<f64>()
}

/// Bytes as a reader takes them in.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    #[allow(clippy::cast_precision_loss, reason = "shown with one digit")]
    let mut left = number as f64;
    let mut unit = 0;
    while left >= 1024.0 && unit + 1 < UNITS.len() {
        left /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{number} {}", UNITS[0]),
        _ => format!("{left:.1} {}", UNITS[unit]),
    }
}

/// Seconds as a reader takes them in.
pub fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 90.0 => format!("{seconds:.0} s"),
        _ if seconds < 5400.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_in_units() {
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(3 << 30), "3.0 GiB");
        assert_eq!(duration(89.4), "89 s");
        assert_eq!(duration(600.0), "10 min");
        assert_eq!(duration(7200.0), "2.0 h");
    }
}
