//! The lines of an export, one after another, each handed to what verifies its chain.

use sha2::{Digest, Sha256};

use super::Line;
use crate::keys::Secret;
use crate::ledger::anchor::Anchors;
use crate::ledger::journal::verify::{self as journal, Fold};
use crate::ledger::verify::{Finding, Stored, Verifier};

/// Signatures of entries are not checked outside of the server that made them: no key is at hand.
pub type NoKey = fn(&str, i32) -> Option<Secret>;

/// One for each chain that is verified.
pub const NO_KEYS: [NoKey; 2] = [no_key, no_key];

fn no_key(_: &str, _: i32) -> Option<Secret> {
    None
}

/// Verifies one export.
pub struct Reader<'a> {
    log_id: [u8; 16],
    chain: Verifier<'a>,
    records: journal::Verifier<'a>,
    foreign: Option<Finding>,
    is_first: bool,
    /// The lines so far, from the last one on that begins another part.
    digest: Sha256,
}

impl<'a> Reader<'a> {
    /// Begins, with the log that the first line says; every other one has to belong to it. The log
    /// is held against `anchors` as it goes by.
    pub fn new(log_id: [u8; 16], anchors: Anchors, keys: &'a mut [NoKey; 2]) -> Self {
        let [of_chain, of_journal] = keys;
        Self {
            log_id,
            chain: Verifier::new(of_chain, anchors).of_export(),
            records: journal::Verifier::new(log_id, of_journal).of_export(),
            foreign: None,
            is_first: true,
            digest: Sha256::new(),
        }
    }

    /// Takes the next line, with its text as it stands in the file, its end included. Returns the
    /// entry of the audit log that it is.
    pub fn take(&mut self, line: Line, text: &[u8]) -> Option<Stored> {
        let is_foreign = line.log_id() != Some(self.log_id);
        let mut entry = None;
        match line {
            Line::Audit(line) => {
                let stored = Stored::from(*line);
                self.chain.entry(&stored);
                self.records.fold(&Fold {
                    seq: stored.entry.seq,
                    last: stored.entry.journal_last,
                    root: stored.entry.journal_root.clone(),
                });
                entry = Some(stored);
            }
            Line::Lineage(step) => self.chain.step(&(*step).into()),
            Line::Pruned(line) => {
                let stored = Stored::from(*line);
                let before = self.digest.finalize_reset().into();
                if self.is_first {
                    let boundary = self.chain.behind_pruned(&stored);
                    let last = boundary.map_or(0, |boundary| boundary.journal.last);
                    self.records.behind(last);
                } else if let Some(last) = self.chain.goes_on_behind(&stored, &before) {
                    self.records.goes_on_behind(last);
                }
            }
            Line::Journal(record) => {
                if is_foreign {
                    let number = Some(record.number);
                    self.foreign
                        .get_or_insert_with(|| is_of_another(number))
                        .seq_to = number;
                }
                self.records.record(&(*record).into());
            }
        }
        self.is_first = false;
        self.digest.update(text);
        entry
    }

    /// How many entries the newest anchor covers that agrees with the log so far; 0 without one.
    pub fn covers(&self) -> u64 {
        self.chain.covers()
    }

    /// Ends: the findings.
    pub fn finish(mut self) -> Vec<Finding> {
        self.chain.also(self.foreign.into_iter().collect());
        journal::join(
            self.chain.finish(None, None),
            self.records.finish(None, None),
        )
    }
}

/// One finding for all of them: an export must not fill the memory.
fn is_of_another(number: Option<i64>) -> Finding {
    Finding {
        code: "E03",
        status: "fail",
        chain: journal::JOURNAL,
        seq_from: number,
        seq_to: number,
        detail: "A record belongs to another log.".to_owned(),
    }
}
