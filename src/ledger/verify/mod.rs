//! Verification: coded findings, never one boolean.

mod chain;
mod resume;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chain::{Chain, Findings, Link};
pub use chain::{Finding, Head};

use super::anchor::{Anchors, Covered};
use super::entry::{self, Entry, Event};
use super::lineage;
use super::tree::Frontier;
use crate::keys::Secret;

/// The chain of the audit log.
pub const AUDIT: &str = "audit";

/// The chain of the lineage.
pub const LINEAGE: &str = "lineage";

/// What is said of every export.
pub const SIGNATURES_UNCHECKED: &str =
    "The signatures of entries and records were not checked: that needs the key.";

/// An entry as read back, with what was stored beside its fields.
pub struct Stored {
    /// The fields.
    pub entry: Entry,
    /// The version of its encoding.
    pub canon_version: i16,
    /// The stored hash.
    pub entry_hash: Vec<u8>,
    /// The stored signature.
    pub signature: Vec<u8>,
}

/// An entry of the lineage as read back.
pub struct StoredStep {
    /// The fields.
    pub entry: lineage::Entry,
    /// The version of its encoding.
    pub canon_version: i16,
    /// The stored hash.
    pub entry_hash: Vec<u8>,
    /// The stored signature.
    pub signature: Vec<u8>,
}

/// No run has so many masked columns: entries that wait longer belong to none.
const MOST_UNCLAIMED: usize = 100_000;

/// Checks entries one after another: memory does not grow with the log.
pub struct Verifier<'a> {
    key: &'a mut dyn FnMut(&str, i32) -> Option<Secret>,
    anchors: Anchors,
    found: Findings,
    audit: Chain,
    lineage: Chain,
    /// Entries of the lineage that no entry of the audit log has claimed yet.
    unclaimed: Vec<Step>,
    /// Runs that began and did not end, with their first entry.
    open: BTreeMap<[u8; 16], i64>,
    before: Option<Surroundings>,
    start: resume::Start,
    is_export: bool,
}

/// Where and when the last entry was written.
struct Surroundings {
    timestamp: i64,
    incarnation: (i64, i32),
}

/// What an entry of the audit log says of an entry of the lineage.
struct Step {
    seq: i64,
    run_id: [u8; 16],
    hash: [u8; 32],
}

impl<'a> Verifier<'a> {
    /// Begins; `key` returns the entry subkey of a key version, `None` where it is not available.
    /// The root of the log is held against each of `anchors` as the entries go by.
    pub fn new(key: &'a mut dyn FnMut(&str, i32) -> Option<Secret>, anchors: Anchors) -> Self {
        Self {
            key,
            anchors,
            found: Findings::default(),
            audit: Chain::new(AUDIT, entry::genesis),
            lineage: Chain::new(LINEAGE, lineage::genesis),
            unclaimed: Vec::new(),
            open: BTreeMap::new(),
            before: None,
            start: resume::Start::default(),
            is_export: false,
        }
    }

    /// For entries that were read from an export: there are no head rows, and signatures are passed
    /// over, which one finding says.
    #[must_use]
    pub fn of_export(mut self) -> Self {
        self.is_export = true;
        self.audit.has_key = false;
        self.lineage.has_key = false;
        self
    }

    /// Checks the next entry of the lineage. Those that an entry of the audit log claims come
    /// before it.
    pub fn step(&mut self, stored: &StoredStep) {
        let entry = &stored.entry;
        if self.lineage.was_pruned(entry.seq, &mut self.found) {
            return;
        }
        let hash = entry.hash();
        // The first entry of a run comes before its lineage.
        self.lineage.is_signed |= self.audit.is_signed;
        self.lineage.link(
            &Link {
                seq: entry.seq,
                log_id: entry.log_id,
                canon_version: stored.canon_version,
                hash,
                stored_hash: &stored.entry_hash,
                signature: &stored.signature,
                key: (&entry.key_name, entry.key_version),
                previous: &entry.previous_entry_hash,
            },
            self.key,
            &mut self.found,
        );
        if self.unclaimed.len() >= MOST_UNCLAIMED {
            self.disown();
        }
        self.unclaimed.push(Step {
            seq: entry.seq,
            run_id: entry.run_id,
            hash,
        });
    }

    fn disown(&mut self) {
        for step in self.unclaimed.drain(..) {
            self.found.add(
                "E05",
                "fail",
                LINEAGE,
                step.seq,
                "No entry of the audit log speaks of this one.",
            );
        }
    }

    /// Checks the next entry of the audit log.
    pub fn entry(&mut self, stored: &Stored) {
        let entry = &stored.entry;
        if self.audit.was_pruned(entry.seq, &mut self.found) {
            return;
        }
        let hash = entry.hash();
        self.meet(entry.seq, hash);
        self.anchors.entry(entry.seq, &stored.entry_hash);
        self.audit.link(
            &Link {
                seq: entry.seq,
                log_id: entry.log_id,
                canon_version: stored.canon_version,
                hash,
                stored_hash: &stored.entry_hash,
                signature: &stored.signature,
                key: (&entry.key_name, entry.key_version),
                previous: &entry.previous_entry_hash,
            },
            self.key,
            &mut self.found,
        );
        self.surroundings(entry);
        self.claim(entry);
        if let Some(run_id) = entry.facts.run_id {
            if entry.event == Event::Started.name() {
                self.open.insert(run_id, entry.seq);
            } else if [Event::Completed.name(), Event::Failed.name()].contains(&&*entry.event) {
                self.open.remove(&run_id);
            }
        }
    }

    /// Holds the lineage that came since the last claim against what the entry signs.
    fn claim(&mut self, entry: &Entry) {
        let lineage = &entry.facts.lineage;
        let (Some(first), Some(last)) = (lineage.first, lineage.last) else {
            return;
        };
        let steps = std::mem::take(&mut self.unclaimed);
        let complete = steps.first().is_some_and(|step| step.seq == first)
            && steps.last().is_some_and(|step| step.seq == last)
            && i64::try_from(steps.len()).is_ok_and(|count| count == last - first + 1)
            && steps
                .iter()
                .all(|step| Some(step.run_id) == entry.facts.run_id);
        if !complete {
            self.found.add(
                "E05",
                "fail",
                AUDIT,
                entry.seq,
                "The lineage of the run is not what the entry says: some of it is missing, added \
                 or of another run.",
            );
        }
        let mut tree = Frontier::default();
        steps.iter().for_each(|step| tree.push(&step.hash));
        if lineage.root.as_deref() != Some(tree.root().as_slice()) {
            self.found.add(
                "E06",
                "fail",
                AUDIT,
                entry.seq,
                "The lineage of the run does not give the root that the entry signs.",
            );
        }
    }

    /// What is odd about where and when an entry was written, without being wrong.
    fn surroundings(&mut self, entry: &Entry) {
        let incarnation = (entry.system_identifier, entry.timeline_id);
        if let Some(before) = &self.before {
            if before.incarnation != incarnation {
                self.found.add(
                    "W02",
                    "warn",
                    AUDIT,
                    entry.seq,
                    "The log goes on in another cluster or on another timeline: after a promotion, \
                     an upgrade or a restore. What was written elsewhere since is not in it.",
                );
            }
            if before.timestamp > entry.timestamp {
                self.found.add(
                    "W04",
                    "warn",
                    AUDIT,
                    entry.seq,
                    "The clock went backwards: the entry is older than the one before it.",
                );
            }
        }
        self.before = Some(Surroundings {
            timestamp: entry.timestamp,
            incarnation,
        });
    }

    /// Adds what was found elsewhere.
    pub fn also(&mut self, findings: Vec<Finding>) {
        self.found.list.extend(findings);
    }

    /// Checks the head rows and ends: the findings, worst first, then what the result rests on.
    pub fn finish(mut self, audit: Option<&Head>, lineage: Option<&Head>) -> Vec<Finding> {
        self.disown();
        self.miss();
        if !self.is_export {
            self.audit.head(audit, &mut self.found);
            self.lineage.head(lineage, &mut self.found);
        }
        for seq in self.open.values() {
            self.found.put(Finding {
                code: "W03",
                status: "warn",
                chain: AUDIT,
                seq_from: Some(*seq),
                seq_to: Some(*seq),
                detail: "The run has no end: it is still going, or its session was killed."
                    .to_owned(),
            });
        }
        let last_seq = self.audit.last_seq();
        let mut findings = self.found.all();
        let (found, covered) = self.anchors.finish(last_seq);
        findings.extend(found);
        let is_ok = findings.iter().all(|finding| finding.status == "warn");
        let first = self.start.first();
        let covers = covered.as_ref().map_or(0, |covered| covered.size);
        let covers = i64::try_from(covers).unwrap_or(i64::MAX).max(first - 1);
        let later = last_seq.saturating_sub(covers);
        let rests = if self.audit.is_signed || covered.is_some() {
            self.start.and(what_it_rests_on(
                covered.as_ref(),
                later.unsigned_abs(),
                self.is_export,
            ))
        } else {
            "No entry is signed and no anchor covers one: whoever could write to the tables could \
             have made up all of them."
                .to_owned()
        };
        // Without an entry there is nothing to say; else one of these rows says what holds.
        if last_seq >= first && (later > 0 || !is_ok) {
            findings.push(Finding {
                code: "W01",
                status: "warn",
                chain: AUDIT,
                seq_from: (later > 0).then_some(last_seq - later + 1),
                seq_to: (later > 0).then_some(last_seq),
                detail: rests.clone(),
            });
        }
        if is_ok {
            let what = if self.is_export {
                "hash"
            } else {
                "hash, signature"
            };
            let mut detail = format!(
                "{} entries of the audit log and {} of the lineage have their {what}, link and \
                 place.",
                self.audit.checked, self.lineage.checked
            );
            if covered.is_some() || first > 1 {
                detail = format!("{detail} {rests}");
            }
            findings.insert(
                0,
                Finding {
                    code: "OK",
                    status: "ok",
                    chain: AUDIT,
                    seq_from: (last_seq >= first).then_some(first),
                    seq_to: (last_seq >= first).then_some(last_seq),
                    detail,
                },
            );
        }
        if self.is_export {
            findings.push(Finding {
                code: "E11",
                status: "unverifiable",
                chain: AUDIT,
                seq_from: None,
                seq_to: None,
                detail: SIGNATURES_UNCHECKED.to_owned(),
            });
        }
        findings
    }
}

/// What the result is worth, and against whom.
fn what_it_rests_on(covered: Option<&Covered>, later: u64, is_export: bool) -> String {
    let (number, rest) = match later {
        1 => ("1".to_owned(), "entry rests"),
        _ => (later.to_string(), "entries rest"),
    };
    match covered {
        None if is_export => format!(
            "{number} {rest} on signatures that were not checked: no anchor covers them, so whoever \
             wrote the export could have made up all of them."
        ),
        Some(Covered { size, signer }) if is_export && later > 0 => format!(
            "Verified to entry {size} by the anchor of key {signer}; {number} later {rest} on \
             signatures that were not checked."
        ),
        None => format!(
            "{number} {rest} on the signing key only: no anchor outside the database covers them, \
             so whoever holds the key could have rewritten all of them."
        ),
        Some(Covered { size, signer }) if later == 0 => {
            format!("Verified to entry {size} by the anchor of key {signer}; no later entry.")
        }
        Some(Covered { size, signer }) => format!(
            "Verified to entry {size} by the anchor of key {signer}; {number} later {rest} on the \
             signing key only."
        ),
    }
}
