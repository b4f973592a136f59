//! Runs of hand-written scripts: what they show while rows pass is counted and committed to as in
//! a run of our own, and is on record as their word.
//!
//! The counts follow savepoints and ROLLBACK: what was shown in a subtransaction is a frame of its
//! own, which becomes part of the one around it or goes with it.

pub mod session;
pub mod sql;
pub mod store;

use crate::keys::Secret;
use crate::ledger::lineage::Facts;
use crate::ledger::lineage::binding::RowBinding;
use crate::ledger::lineage::commitment::{ColumnKey, Commitment, Element, Tally};

/// A run that a script began in this session.
pub struct Run {
    /// Its id.
    pub id: [u8; 16],
    /// What the script calls it.
    pub name: String,
    /// Schema read.
    pub source: String,
    /// Schema written.
    pub target: String,
    key: Option<Secret>,
    columns: Vec<Column>,
    frames: Vec<Frame>,
    /// The subtransaction it began in, until that is committed.
    begun: Option<u32>,
    /// The subtransaction it ended in.
    ended: Option<u32>,
}

struct Column {
    table: String,
    name: String,
    key: Option<ColumnKey>,
    committed: Tally,
}

/// What was shown in one subtransaction, by the numbers of the columns.
struct Frame {
    subtransaction: u32,
    tallies: Vec<Tally>,
}

impl Frame {
    fn tally(&mut self, column: usize) -> &mut Tally {
        if self.tallies.len() <= column {
            self.tallies.resize(column + 1, Tally::default());
        }
        &mut self.tallies[column]
    }
}

impl Run {
    /// Begins in a subtransaction, under a key of its own; without one it only counts.
    pub fn begin(
        id: [u8; 16],
        name: &str,
        source: &str,
        target: &str,
        key: Option<Secret>,
        subtransaction: u32,
    ) -> Self {
        Self {
            id,
            name: name.to_owned(),
            source: source.to_owned(),
            target: target.to_owned(),
            key,
            columns: Vec::new(),
            frames: Vec::new(),
            begun: Some(subtransaction),
            ended: None,
        }
    }

    /// Whether it was ended, in a transaction that may yet be rolled back.
    pub fn is_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Ends it, unless the subtransaction is rolled back.
    pub fn end(&mut self, subtransaction: u32) {
        self.ended = Some(subtransaction);
    }

    /// The number of a column, given at its first mention.
    pub fn column(&mut self, table: &str, name: &str) -> usize {
        let known = self
            .columns
            .iter()
            .position(|column| column.table == table && column.name == name);
        known.unwrap_or_else(|| {
            self.columns.push(Column {
                table: table.to_owned(),
                name: name.to_owned(),
                key: self.key.as_ref().map(|key| {
                    ColumnKey::new(key, Commitment::default(), &self.target, table, name)
                }),
                committed: Tally::default(),
            });
            self.columns.len() - 1
        })
    }

    /// Counts a value and commits to it.
    pub fn show(
        &mut self,
        column: usize,
        subtransaction: u32,
        original: &Element,
        anonymized: &Element,
    ) {
        if self.frames.last().map(|frame| frame.subtransaction) != Some(subtransaction) {
            self.frames.push(Frame {
                subtransaction,
                tallies: Vec::new(),
            });
        }
        if let (Some(frame), Some(known)) = (self.frames.last_mut(), self.columns.get(column)) {
            let tally = frame.tally(column);
            match &known.key {
                Some(key) => {
                    tally.pair(key, original, anonymized);
                }
                None => {
                    tally.count(original, anonymized);
                }
            }
        }
    }

    /// A subtransaction became part of its parent.
    pub fn merge(&mut self, id: u32, parent: u32) {
        for place in [&mut self.begun, &mut self.ended] {
            if *place == Some(id) {
                *place = Some(parent);
            }
        }
        let Some(frame) = self.frames.pop_if(|frame| frame.subtransaction == id) else {
            return;
        };
        match self.frames.last_mut() {
            Some(outer) if outer.subtransaction == parent => {
                for (column, tally) in frame.tallies.iter().enumerate() {
                    outer.tally(column).merge(tally);
                }
            }
            _ => self.frames.push(Frame {
                subtransaction: parent,
                ..frame
            }),
        }
    }

    /// A subtransaction was rolled back; whether the run is there all the same.
    #[must_use]
    pub fn undo(&mut self, id: u32) -> bool {
        while self
            .frames
            .pop_if(|frame| frame.subtransaction == id)
            .is_some()
        {}
        if self.ended == Some(id) {
            self.ended = None;
        }
        self.begun != Some(id)
    }

    /// The transaction was committed; whether the run goes on.
    #[must_use]
    pub fn commit(&mut self) -> bool {
        self.begun = None;
        for frame in std::mem::take(&mut self.frames) {
            for (column, tally) in self.columns.iter_mut().zip(&frame.tallies) {
                column.committed.merge(tally);
            }
        }
        self.ended.is_none()
    }

    /// The transaction was rolled back; whether the run is there all the same.
    #[must_use]
    pub fn abort(&mut self) -> bool {
        self.frames.clear();
        self.ended = None;
        self.begun.is_none()
    }

    /// Table, column and what was seen of it, with what is not committed yet, in the order of
    /// their first mention.
    pub fn seen(&self) -> Vec<(&str, &str, Tally)> {
        let total = |number: usize, column: &Column| {
            let mut tally = column.committed;
            for frame in &self.frames {
                if let Some(more) = frame.tallies.get(number) {
                    tally.merge(more);
                }
            }
            tally
        };
        self.columns
            .iter()
            .enumerate()
            .map(|(number, column)| (&*column.table, &*column.name, total(number, column)))
            .filter(|(.., tally)| tally.rows() > 0)
            .collect()
    }

    /// What the lineage says of it. By what the values were replaced, and whether that can be
    /// undone, is not known: it counts as reversible.
    pub fn lineage(&self) -> Vec<Facts> {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.seen()
            .into_iter()
            .map(|(table, column, tally)| Facts {
                source_schema: self.source.clone(),
                schema_name: self.target.clone(),
                table_name: table.to_owned(),
                column_name: column.to_owned(),
                rows_seen: number(tally.rows()),
                rows_changed: Some(number(tally.changed)),
                rows_unchanged: Some(number(tally.unchanged)),
                nulls: Some(number(tally.nulls)),
                original_hash: self.key.as_ref().map(|_| tally.original.seal().to_vec()),
                anonymized_hash: self.key.as_ref().map(|_| tally.anonymized.seal().to_vec()),
                commitment: match self.key {
                    Some(_) => Commitment::default().name().to_owned(),
                    None => "none".to_owned(),
                },
                row_binding: match self.key {
                    Some(_) => RowBinding::Text,
                    None => RowBinding::None,
                }
                .name(),
                strategy: "declared".to_owned(),
                strategy_version: 0,
                strategy_params_hash: Vec::new(),
                reversible: true,
                run_key_id: self.key.as_ref().map(|_| self.id),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        Run::begin(
            [1; 16],
            "r",
            "prod",
            "staging",
            Some(Secret::copy_of(&[7; 32])),
            1,
        )
    }

    fn show(run: &mut Run, subtransaction: u32, value: &str) {
        let column = run.column("t", "c");
        let element = |value: &str| {
            let mut element = Element::default();
            element.begin();
            element.value(|out| {
                out.extend_from_slice(value.as_bytes());
                true
            });
            element
        };
        run.show(column, subtransaction, &element(value), &element("x"));
    }

    fn rows(run: &Run) -> u64 {
        run.seen().first().map_or(0, |(.., tally)| tally.rows())
    }

    #[test]
    fn declared_counts_follow_savepoints() {
        let mut run = run();
        show(&mut run, 1, "a");
        show(&mut run, 2, "b");
        show(&mut run, 3, "c");
        assert_eq!(rows(&run), 3);
        run.merge(3, 2);
        assert!(run.undo(2));
        assert_eq!(rows(&run), 1);
        show(&mut run, 4, "d");
        run.merge(4, 1);
        assert_eq!(rows(&run), 2);
        assert!(run.commit());
        show(&mut run, 1, "e");
        assert!(run.abort());
        assert_eq!(rows(&run), 2);
    }

    #[test]
    fn declared_frames_skip_levels_in_which_nothing_was_shown() {
        let mut run = run();
        show(&mut run, 1, "a");
        show(&mut run, 4, "b");
        run.merge(4, 3);
        run.merge(3, 2);
        assert!(run.undo(2));
        assert_eq!(rows(&run), 1);
    }

    #[test]
    fn declared_run_goes_with_the_transaction_it_began_in() {
        assert!(!run().abort());
        assert!(!run().undo(1));
        let mut run = run();
        assert!(run.commit());
        assert!(run.abort());
        // Its end is undone as well.
        run.end(2);
        assert!(run.undo(2));
        assert!(!run.is_ended());
        run.end(2);
        run.merge(2, 1);
        assert!(!run.commit());
    }
}
