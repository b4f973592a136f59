//! How fast a run may load: at most so many rows a second, and not at all while somebody has paused it.

use std::time::{Duration, Instant};

use super::super::options::Options;
use super::super::phase::Phase;
use super::super::progress::store::tell_where_due;
use crate::error::Result;
use crate::pg::{latch, server};

/// The longest wait between two looks at whether the run is still paused.
const LOOK: Duration = Duration::from_millis(200);

/// The pace of the load of one table.
pub struct Pace<'a> {
    most: Option<u32>,
    phase: &'a Phase,
    begun: Instant,
    /// Rows written when the time began to count.
    from: u64,
}

impl<'a> Pace<'a> {
    /// Of a load that begins now.
    pub fn of(options: &Options, phase: &'a Phase) -> Self {
        Self {
            most: options.max_rows_per_second,
            phase,
            begun: Instant::now(),
            from: 0,
        }
    }

    /// Waits where so many rows are too many by now.
    ///
    /// # Errors
    /// None of its own; a cancel unwinds.
    pub fn keep(&mut self, rows: u64) -> Result<()> {
        tell_where_due();
        if self.phase.shown().is_paused() {
            let told = self.phase.log();
            told.line("paused");
            while self.phase.shown().is_paused() {
                wait(LOOK);
            }
            told.line("continued");
            // What was not loaded meanwhile is not made up for.
            self.begun = Instant::now();
            self.from = rows;
        }
        if let Some(most) = self.most {
            loop {
                let ahead = ahead(rows - self.from, most).saturating_sub(self.begun.elapsed());
                if ahead.is_zero() {
                    break;
                }
                wait(ahead.min(LOOK));
            }
        }
        Ok(())
    }
}

/// How long so many rows take at least.
fn ahead(rows: u64, most: u32) -> Duration {
    let micros = u128::from(rows) * 1_000_000 / u128::from(most.max(1));
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

fn wait(time: Duration) {
    latch::wait(None, false, time);
    server::check_for_interrupts();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_their_time() {
        assert_eq!(ahead(0, 10), Duration::ZERO);
        assert_eq!(ahead(25, 10), Duration::from_millis(2500));
        assert!(ahead(u64::MAX, 1) > Duration::from_secs(1 << 40));
    }
}
