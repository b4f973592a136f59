//! What a run weighs on while it lasts: time limits, the source's dead rows, readers, the disk.

use super::figures::{Figures, bytes, duration};
use super::warnings::{Found, Severity};
use crate::error::counted;
use crate::sync::plan::Plan;

/// From here on dead rows pile up on the source.
const SNAPSHOT_SECONDS: f64 = 600.0;

/// From here on somebody notices that a table is locked.
const LOCKED_SECONDS: f64 = 10.0;

/// From here on disk space is worth a thought, whatever is free.
const MUCH_DISK: u64 = 10 << 30;

/// Adds what a run of these figures would weigh on.
pub fn warn(plan: &Plan, figures: &Figures, found: &mut Found) {
    let (seconds, around) = (figures.seconds, &figures.around);
    let nowhere = (None, None);
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of a setting")]
    let timeout = around.statement_timeout as f64 / 1000.0;
    if timeout > 0.0 && seconds > timeout {
        found.add(
            "statement_timeout",
            Severity::Warning,
            nowhere,
            format!(
                "the run takes about {}, and statement_timeout of this session ends it after {}",
                duration(seconds),
                duration(timeout)
            ),
            "Set statement_timeout to 0 for the session of the run.",
        );
    }
    let threshold = around.old_snapshot_threshold;
    #[allow(clippy::cast_precision_loss, reason = "minutes of a setting")]
    let too_old = threshold.map(|minutes| minutes as f64 * 60.0);
    if let Some(limit) = too_old.filter(|limit| seconds > *limit) {
        found.add(
            "long_snapshot",
            Severity::Warning,
            nowhere,
            format!(
                "the run holds one snapshot of the source for about {}, and old_snapshot_threshold \
                 lets it fail after {}",
                duration(seconds),
                duration(limit)
            ),
            "Run when the source is quiet, or raise old_snapshot_threshold.",
        );
    } else if seconds > SNAPSHOT_SECONDS {
        found.add(
            "long_snapshot",
            Severity::Notice,
            nowhere,
            format!(
                "the run holds one snapshot of the source for about {}, in which vacuum removes no \
                 row of this database that died since",
                duration(seconds)
            ),
            "Run when the source is quiet.",
        );
    }
    if !plan.prepare.emptied.is_empty() && plan.prepare.swap.is_none() && seconds > LOCKED_SECONDS {
        found.add(
            "lock_readers",
            Severity::Notice,
            nowhere,
            format!(
                "readers of {} of the target wait for about {}",
                counted(plan.prepare.emptied.len() as u64, "table"),
                duration(seconds)
            ),
            "Run when nobody reads the target.",
        );
    }
    if let Some(message) = disk(around.source_bytes, around.target_bytes, around.free_bytes) {
        found.add(
            "double_disk",
            Severity::Warning,
            nowhere,
            message,
            "See that the tablespaces of the target, and the disk of the WAL, have that much.",
        );
    }
}

/// Old rows stay on disk until the run commits; new ones, and the WAL, come beside them.
fn disk(source: u64, target: u64, free: Option<u64>) -> Option<String> {
    let is_tight = free.is_some_and(|free| source > free / 2);
    if source < MUCH_DISK && !is_tight {
        return None;
    }
    let beside = match target {
        0 => String::new(),
        target => format!(
            " beside the {} that the target has until then",
            bytes(target)
        ),
    };
    let there = match free {
        Some(free) => format!("; {} are free where the data directory is", bytes(free)),
        None => String::new(),
    };
    Some(format!(
        "the run writes up to {} until it commits{beside}, and as much WAL{there}",
        bytes(source)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_is_worth_a_warning_where_it_is_much_or_tight() {
        assert_eq!(disk(1 << 20, 0, Some(1 << 40)), None);
        assert_eq!(disk(1 << 20, 0, None), None);
        let tight = disk(3 << 30, 2 << 30, Some(5 << 30)).unwrap();
        assert_eq!(
            tight,
            "the run writes up to 3.0 GiB until it commits beside the 2.0 GiB that the target has \
             until then, and as much WAL; 5.0 GiB are free where the data directory is"
        );
        assert!(disk(11 << 30, 0, Some(1 << 50)).is_some());
    }
}
