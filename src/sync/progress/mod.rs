//! How far a run is, for other sessions to see while it goes on.
//!
//! A run writes it into words of shared memory: a table at a time, and while a table is loaded, the
//! number of its rows. This file says what stands where in them, and what can be told from it; `store`
//! has the memory.

pub mod sql;
pub mod store;

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::forecast::figures::{Figures, duration};
use super::plan::{Plan, TablePlan};
use super::store::shown_id;
use super::swap::Mode;
use crate::error::counted;

/// What does not change while a run lasts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The run.
    pub run: String,
    /// Its profile.
    pub profile: String,
    /// The version of that.
    pub version: String,
    /// Where it reads.
    pub source: String,
    /// Where it writes.
    pub target: String,
    /// Who has called it.
    pub user: String,
    /// Whether it waits where somebody asks it to.
    pub can_pause: bool,
    /// Its tables, in the order they are loaded.
    pub tables: Vec<Expected>,
}

impl About {
    /// What a run says of itself.
    pub fn of(run: &Evidence<'_>, plan: &Plan, figures: &Figures, user: String) -> Self {
        let expected = |table: &TablePlan| {
            let figure = figures.tables.get(&table.source.name);
            Expected {
                name: table.source.name.clone(),
                rows: figure.map_or(0.0, |of| of.rows),
                seconds: figure.map_or(0.0, |of| of.seconds),
            }
        };
        Self {
            run: shown_id(run.run_id),
            profile: run.profile.name.clone(),
            version: run.profile.version.clone(),
            source: run.request.source.clone(),
            target: run.request.target.clone(),
            user,
            can_pause: matches!(run.request.options.mode, Mode::Swap(_)),
            tables: plan.tables.iter().map(expected).collect(),
        }
    }
}

/// What a table is expected to take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// Its name.
    pub name: String,
    /// Rows, by the statistics of the source.
    pub rows: f64,
    /// Seconds of its load, as the plan says.
    pub seconds: f64,
}

/// Where a run stands; times in microseconds, as the server counts them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// When it began.
    pub began: i64,
    /// What it does.
    pub phase: String,
    /// Since when.
    pub phase_began: i64,
    /// The table that it works on, by its place.
    pub table: Option<usize>,
    /// Rows of that table.
    pub rows: u64,
    /// Tables that are loaded.
    pub tables_loaded: u64,
    /// Their rows.
    pub rows_loaded: u64,
    /// The microseconds that they took.
    pub loaded_in: i64,
}

/// What stands in which word.
mod word {
    pub(super) const MAGIC: usize = 0;
    pub(super) const PID: usize = 1;
    /// Odd while the words behind it are being written.
    pub(super) const TURN: usize = 2;
    pub(super) const BEGAN: usize = 3;
    pub(super) const PHASE_BEGAN: usize = 4;
    /// The place of the table and one; 0 for none.
    pub(super) const TABLE: usize = 5;
    pub(super) const TABLES_LOADED: usize = 6;
    pub(super) const ROWS_LOADED: usize = 7;
    pub(super) const LOADED_IN: usize = 8;
    pub(super) const PHASE: usize = 9;
    pub(super) const PHASE_END: usize = 15;
    /// Written by itself, and at any time.
    pub(super) const ROWS: usize = 15;
    /// Whether it is to wait: written by others, and at any time.
    pub(super) const PAUSED: usize = 16;
    /// Bytes of what is behind.
    pub(super) const BYTES: usize = 17;
    pub(super) const ABOUT: usize = 18;
}

/// `confitu2`, for the layout may change.
const MAGIC: u64 = u64::from_le_bytes(*b"confitu2");

/// What one process writes and others read.
pub struct Board<'a>(&'a [AtomicU64]);

impl<'a> Board<'a> {
    /// How many words there must be.
    pub fn words(about: &About) -> usize {
        word::ABOUT + written(about).len().div_ceil(8)
    }

    /// Writes what does not change into words that are zeros; what is behind [`Self::words`] is left.
    pub fn begin(words: &'a [AtomicU64], about: &About, pid: i32, began: i64) -> Self {
        let bytes = written(about);
        for (place, chunk) in words.iter().skip(word::ABOUT).zip(bytes.chunks(8)) {
            let mut whole = [0; 8];
            whole[..chunk.len()].copy_from_slice(chunk);
            place.store(u64::from_le_bytes(whole), Relaxed);
        }
        let board = Self(words);
        board.set(word::BYTES, bytes.len() as u64);
        board.set(word::PID, u64::from(pid.unsigned_abs()));
        board.show(&Standing {
            began,
            phase: "starting".to_owned(),
            phase_began: began,
            ..Standing::default()
        });
        // Last: who sees it sees what is behind it.
        words[word::MAGIC].store(MAGIC, Release);
        board
    }

    /// Words that may be of a run; `None` where they are of something else.
    pub fn of(words: &'a [AtomicU64]) -> Option<Self> {
        let is_one = words.len() > word::ABOUT && words[word::MAGIC].load(Acquire) == MAGIC;
        is_one.then_some(Self(words))
    }

    /// The process that writes.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.get(word::PID)).unwrap_or(0)
    }

    /// What does not change; `None` where it cannot be read.
    pub fn about(&self) -> Option<About> {
        let bytes = usize::try_from(self.get(word::BYTES)).ok()?;
        let words = self.0.get(word::ABOUT..)?.get(..bytes.div_ceil(8))?;
        let mut read: Vec<u8> = words
            .iter()
            .flat_map(|place| place.load(Relaxed).to_le_bytes())
            .collect();
        read.truncate(bytes);
        serde_json::from_slice(&read).ok()
    }

    /// Shows where the run stands, all at once.
    pub fn show(&self, standing: &Standing) {
        let turn = self.get(word::TURN);
        self.set(word::TURN, turn | 1);
        fence(Release);
        self.set(word::BEGAN, standing.began.cast_unsigned());
        self.set(word::PHASE_BEGAN, standing.phase_began.cast_unsigned());
        self.set(
            word::TABLE,
            standing.table.map_or(0, |place| place as u64 + 1),
        );
        self.set(word::TABLES_LOADED, standing.tables_loaded);
        self.set(word::ROWS_LOADED, standing.rows_loaded);
        self.set(word::LOADED_IN, standing.loaded_in.cast_unsigned());
        let mut name = standing.phase.bytes();
        for place in word::PHASE..word::PHASE_END {
            let whole = std::array::from_fn(|_| name.next().unwrap_or(0));
            self.set(place, u64::from_le_bytes(whole));
        }
        self.set(word::ROWS, standing.rows);
        self.0[word::TURN].store((turn | 1).wrapping_add(1), Release);
    }

    /// The word of the rows of the table that is being loaded.
    pub fn rows(&self) -> &'a AtomicU64 {
        &self.0[word::ROWS]
    }

    /// Whether the run is to wait while it loads.
    pub fn is_paused(&self) -> bool {
        self.get(word::PAUSED) != 0
    }

    /// Has it wait, or go on; whether that is another thing than before.
    pub fn pause(&self, paused: bool) -> bool {
        let word = u64::from(paused);
        self.0[word::PAUSED].swap(word, Relaxed) != word
    }

    /// Where the run stands; `None` where it is always about to change, or was left in the middle.
    pub fn standing(&self) -> Option<Standing> {
        (0..TRIES).find_map(|_| {
            let before = self.0[word::TURN].load(Acquire);
            let read = self.read();
            fence(Acquire);
            (before.is_multiple_of(2) && self.get(word::TURN) == before).then_some(read)
        })
    }

    fn read(&self) -> Standing {
        let name: Vec<u8> = (word::PHASE..word::PHASE_END)
            .flat_map(|place| self.get(place).to_le_bytes())
            .take_while(|byte| *byte != 0)
            .collect();
        let table = usize::try_from(self.get(word::TABLE)).unwrap_or(0);
        Standing {
            began: self.get(word::BEGAN).cast_signed(),
            phase: String::from_utf8_lossy(&name).into_owned(),
            phase_began: self.get(word::PHASE_BEGAN).cast_signed(),
            table: table.checked_sub(1),
            rows: self.get(word::ROWS),
            tables_loaded: self.get(word::TABLES_LOADED),
            rows_loaded: self.get(word::ROWS_LOADED),
            loaded_in: self.get(word::LOADED_IN).cast_signed(),
        }
    }

    fn get(&self, place: usize) -> u64 {
        self.0[place].load(Relaxed)
    }

    fn set(&self, place: usize, value: u64) {
        self.0[place].store(value, Relaxed);
    }
}

/// How often a reader looks again.
const TRIES: usize = 1000;

fn written(about: &About) -> Vec<u8> {
    serde_json::to_vec(about).unwrap_or_default()
}

impl Standing {
    /// Rows a second of the table that is being loaded; `None` before a second of it.
    pub fn rate(&self, now: i64) -> Option<f64> {
        let micros = now - self.phase_began;
        (self.table.is_some() && micros >= 1_000_000)
            .then(|| real(self.rows) * 1e6 / real_of(micros))
    }

    /// Seconds until all tables are loaded: what the plan expects, times how much slower than that the
    /// run has been so far. `None` before there is a second to go by, and behind the last load.
    pub fn left(&self, about: &About, now: i64) -> Option<f64> {
        let (done, all) = self.done(about)?;
        let micros = match self.table {
            Some(_) => (now - self.phase_began).max(0),
            None => 0,
        };
        let took = real_of(self.loaded_in + micros) / 1e6;
        let is_known = self.tables_loaded < about.tables.len() as u64 && took >= 1.0 && done > 0.0;
        is_known.then(|| (all - done).max(0.0) * took / done)
    }

    /// What a reader is told of the table that is being loaded; `None` where there is none.
    pub fn line(&self, about: &About, now: i64) -> Option<String> {
        let of = about.tables.get(self.table?)?;
        let mut line = format!("{}: {}", of.name, counted(self.rows, "row"));
        if of.rows >= 1.0 {
            line.push_str(&format!(" of about {:.0}", of.rows));
        }
        if let Some(rate) = self.rate(now) {
            line.push_str(&format!(", {rate:.0} rows/s"));
        }
        if let Some(left) = self.left(about, now) {
            line.push_str(&format!(", loads end in {}", duration(left)));
        }
        Some(line)
    }

    /// How much of the loads is done, by the seconds that the plan expects them to take; `None` where it
    /// expects none.
    pub fn percent(&self, about: &About) -> Option<i32> {
        let (done, all) = self.done(about)?;
        #[allow(clippy::cast_possible_truncation, reason = "0 to 100")]
        (all > 0.0).then(|| (done * 100.0 / all) as i32)
    }

    /// Of the seconds that the plan expects of the loads those that are done, and all; `None` where the
    /// table has more rows than it expects, so that nobody knows how many more.
    fn done(&self, about: &About) -> Option<(f64, f64)> {
        let loaded = usize::try_from(self.tables_loaded).ok()?;
        let seconds = |tables: &[Expected]| tables.iter().map(|of| of.seconds).sum::<f64>();
        let mut done = seconds(about.tables.get(..loaded)?);
        if let Some(of) = self.table.and_then(|place| about.tables.get(place))
            && of.rows > 0.0
        {
            if real(self.rows) > of.rows {
                return None;
            }
            done += of.seconds * real(self.rows) / of.rows;
        }
        Some((done, seconds(&about.tables)))
    }
}

#[allow(clippy::cast_precision_loss, reason = "shown, or weighed")]
fn real(rows: u64) -> f64 {
    rows as f64
}

#[allow(clippy::cast_precision_loss, reason = "shown, or weighed")]
fn real_of(micros: i64) -> f64 {
    micros as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        let table = |name: &str, rows, seconds| Expected {
            name: name.to_owned(),
            rows,
            seconds,
        };
        About {
            run: "r".to_owned(),
            tables: vec![table("a", 100.0, 2.0), table("b", 300.0, 6.0)],
            ..About::default()
        }
    }

    fn words(count: usize) -> Vec<AtomicU64> {
        (0..count).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn what_is_shown_is_read() {
        let about = about();
        let words = words(Board::words(&about));
        assert!(Board::of(&words).is_none());
        let board = Board::begin(&words, &about, 7, 5);
        let seen = Board::of(&words).unwrap();
        assert!(!seen.is_paused() && seen.pause(true) && !seen.pause(true));
        assert!(board.is_paused() && seen.pause(false) && !board.is_paused());
        assert_eq!((seen.pid(), seen.about()), (7, Some(about)));
        assert_eq!(seen.standing().unwrap().phase, "starting");
        let standing = Standing {
            began: 5,
            phase: "a name that is longer than the words that it has, by much".to_owned(),
            phase_began: -9,
            table: Some(1),
            rows: 4,
            tables_loaded: 1,
            rows_loaded: 100,
            loaded_in: 3,
        };
        board.show(&standing);
        board.rows().store(17, Relaxed);
        let read = seen.standing().unwrap();
        assert_eq!(read.phase, standing.phase[..48]);
        let expected = Standing {
            phase: read.phase.clone(),
            rows: 17,
            ..standing
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn words_of_others_are_no_run() {
        assert!(Board::of(&words(0)).is_none());
        assert!(Board::of(&words(100)).is_none());
        let short = words(19);
        short[word::MAGIC].store(MAGIC, Relaxed);
        short[word::BYTES].store(u64::MAX, Relaxed);
        let board = Board::of(&short).unwrap();
        assert_eq!((board.about(), board.pid()), (None, 0));
        // Left in the middle of being written.
        short[word::TURN].store(3, Relaxed);
        assert!(board.standing().is_none());
    }

    #[test]
    fn readers_see_no_half_of_what_is_shown() {
        let about = about();
        let words = words(Board::words(&about));
        let board = Board::begin(&words, &about, 1, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for turn in 1..20_000_u64 {
                    board.show(&Standing {
                        began: turn.cast_signed(),
                        rows_loaded: turn,
                        loaded_in: turn.cast_signed(),
                        ..Standing::default()
                    });
                }
            });
            for _ in 0..20_000 {
                if let Some(read) = Board(&words).standing() {
                    assert_eq!(read.began, read.loaded_in);
                    assert_eq!(read.rows_loaded, read.began.cast_unsigned());
                }
            }
        });
    }

    #[test]
    fn what_is_left_goes_by_what_was_done() {
        let about = about();
        let second = 1_000_000;
        let mut standing = Standing {
            table: Some(0),
            ..Standing::default()
        };
        assert_eq!(standing.left(&about, 10 * second), None);
        standing.rows = 50;
        // Half of the first took four seconds where one was expected.
        assert_eq!(standing.left(&about, 4 * second), Some(28.0));
        assert_eq!(standing.percent(&about), Some(12));
        assert_eq!(standing.percent(&About::default()), None);
        assert_eq!(
            standing.line(&about, 4 * second).unwrap(),
            "a: 50 rows of about 100, 12 rows/s, loads end in 28 s"
        );
        assert_eq!(standing.left(&about, 0), None);
        assert_eq!(standing.rate(4 * second), Some(12.5));
        assert_eq!(standing.rate(second / 2), None);
        let standing = Standing {
            phase_began: 8 * second,
            tables_loaded: 1,
            loaded_in: 8 * second,
            ..Standing::default()
        };
        assert_eq!(standing.left(&about, 9 * second), Some(24.0));
        let behind = Standing {
            tables_loaded: 2,
            ..standing
        };
        assert_eq!(behind.left(&about, 9 * second), None);
    }
}
