//! One ledger, line by line: verified by the reader of exports, and what the set needs kept of it.

use std::collections::BTreeMap;

use super::member::{Ledger, Member, Run, State};
use super::{Server, shown};
use crate::ledger::anchor::{Judge, Signer, origin};
use crate::ledger::entry::{Entry, Event};
use crate::ledger::export::{Line, NoKey, Reader};
use crate::ledger::verify::SIGNATURES_UNCHECKED;

/// Profiles of one server that are remembered.
const MOST_PROFILES: usize = 1000;

/// Bytes of what is remembered of their strategies.
const MOST_STRATEGIES: usize = 32 << 20;

/// Bytes of a line. A run of 500 tables with 50 columns each has some two million.
pub const LONGEST_LINE: usize = 4 << 20;

/// Runs that have begun and not ended whose beginning is remembered.
const MOST_OPEN: usize = 10_000;

/// Reads one ledger.
pub struct Reading<'a> {
    server: &'a Server,
    keys: Option<&'a mut [NoKey; 2]>,
    reader: Option<Reader<'a>>,
    log_id: [u8; 16],
    head: (i64, Vec<u8>),
    open: BTreeMap<[u8; 16], i64>,
    runs: BTreeMap<String, Run>,
    is_cut: bool,
}

impl<'a> Reading<'a> {
    /// Begins.
    pub fn new(server: &'a Server, keys: &'a mut [NoKey; 2]) -> Self {
        Self {
            server,
            keys: Some(keys),
            reader: None,
            log_id: [0; 16],
            head: (0, Vec::new()),
            open: BTreeMap::new(),
            runs: BTreeMap::new(),
            is_cut: false,
        }
    }

    /// Takes the next line, without its end; `false` where it is none of an export.
    pub fn line(&mut self, text: &str) -> bool {
        if text.len() > LONGEST_LINE {
            return false;
        }
        let Ok(line) = serde_json::from_str::<Line>(text) else {
            return false;
        };
        if let Some(keys) = self.keys.take() {
            // The first line says which log it is.
            self.log_id = line.log_id().unwrap_or_default();
            let anchors = self.judge().finish();
            self.reader = Some(Reader::new(self.log_id, anchors, keys));
        }
        let text = format!("{text}\n");
        let entry = self
            .reader
            .as_mut()
            .and_then(|reader| reader.take(line, text.as_bytes()));
        if let Some(stored) = entry {
            self.head = (stored.entry.seq, stored.entry_hash);
            self.note(&stored.entry);
        }
        true
    }

    /// Ends.
    pub fn finish(self) -> Member {
        let state = match self.reader {
            None => State::Unread("fail", "Its ledger has no line.".to_owned()),
            Some(reader) => {
                let covers = reader.covers();
                let mut findings = reader.finish();
                findings.retain(|finding| finding.detail != SIGNATURES_UNCHECKED);
                let name = origin(&self.log_id);
                let keys = &self.server.keys;
                State::Read(Box::new(Ledger {
                    log_id: self.log_id,
                    head: self.head,
                    covers,
                    is_another: !keys.is_empty() && keys.iter().all(|key| key.name() != name),
                    runs: self.runs.into_iter().collect(),
                    is_cut: self.is_cut,
                    findings,
                }))
            }
        };
        Member {
            name: self.server.name.clone(),
            keys: self.server.keys.iter().map(|key| *key.public()).collect(),
            state,
        }
    }

    fn judge(&self) -> Judge {
        let signers = self.server.keys.iter().map(|key| Signer {
            label: key.id().into(),
            key: key.clone(),
        });
        let mut judge = Judge::new(Some(self.log_id), signers.collect());
        for (number, note) in (1..).zip(&self.server.anchors) {
            // psql adds a line end, and shells take all of them away.
            let note = format!("{}\n", note.trim_end_matches('\n'));
            judge.note(
                &format!("no. {number} of {}", shown(&self.server.name)),
                &note,
            );
        }
        judge
    }

    fn note(&mut self, entry: &Entry) {
        let (Some(run_id), Some(profile)) = (entry.facts.run_id, &entry.facts.profile_name) else {
            return;
        };
        if entry.event == Event::Started.name() {
            if self.open.len() < MOST_OPEN {
                self.open.insert(run_id, entry.timestamp);
            }
            return;
        }
        let begun = self.open.remove(&run_id);
        let is_end = [Event::Completed, Event::Failed]
            .iter()
            .any(|event| entry.event == event.name());
        if !is_end || entry.origin != "run" {
            return;
        }
        if entry.event == Event::Failed.name() || entry.facts.verification_passed != Some(true) {
            if let Some(run) = self.runs.get_mut(profile) {
                run.failed_since += 1;
            }
        } else if let Some((profile, run)) = Run::of(entry, begun) {
            let (number, bytes) = self
                .runs
                .iter()
                .filter(|(name, _)| **name != profile)
                .fold((0, 0), |(number, bytes), (_, of)| {
                    (number + 1, bytes + of.strategies.len())
                });
            if number < MOST_PROFILES && bytes + run.strategies.len() <= MOST_STRATEGIES {
                self.runs.insert(profile, run);
            } else {
                // Never an older run in the place of the one that there is no room for.
                self.runs.remove(&profile);
                self.is_cut = true;
            }
        }
    }
}
