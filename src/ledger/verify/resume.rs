//! Where reading begins: behind a part that was pruned, or behind an anchor.

use super::super::lineage;
use super::super::retention::Boundary;
use super::super::tree::Hash;
use super::{AUDIT, Finding, LINEAGE, Stored, Surroundings, Verifier, entry};

const NO_BOUNDARY: &str = "The entry does not say where the log goes on.";

/// What is known of the entries before the first one that is checked.
#[derive(Default)]
pub(super) struct Start {
    /// The last entry that was pruned, the one that says so, and how many anchors are about those
    /// that were pruned only.
    pruned: Option<(i64, i64, usize)>,
    /// Entries that say what was pruned, and have not come by yet.
    said: Vec<(i64, Hash)>,
    /// The last entry of which only the stored hash was compared.
    skimmed: Option<i64>,
}

impl Start {
    /// The first entry that must be there.
    pub(super) fn first(&self) -> i64 {
        self.pruned.map_or(1, |(last, ..)| last + 1)
    }

    /// What the result rests on, after what was not looked at.
    pub(super) fn and(&self, rests: String) -> String {
        let mut sentences = Vec::new();
        if let Some((last, by, anchors)) = self.pruned {
            sentences.push(format!(
                "Entries up to {last} were pruned, as entry {by} says."
            ));
            sentences.extend(match anchors {
                0 => None,
                1 => Some("1 anchor speaks of those only and was not compared.".to_owned()),
                _ => Some(format!(
                    "{anchors} anchors speak of those only and were not compared."
                )),
            });
        }
        if let Some(last) = self.skimmed {
            sentences.push(format!(
                "Of entries up to {last} only the stored hashes were compared with the anchor, and \
                 no field, signature, lineage or record."
            ));
        }
        sentences.push(rests);
        sentences.join(" ")
    }
}

impl Verifier<'_> {
    /// Begins behind the part that this entry says was pruned; `None`, and nothing changes, where
    /// it does not say that. The entry itself is checked when it comes by.
    pub fn behind_pruned(&mut self, stored: &Stored) -> Option<Boundary> {
        let Some(boundary) = Boundary::of(&stored.entry) else {
            let seq = stored.entry.seq;
            self.found.add("E03", "fail", AUDIT, seq, NO_BOUNDARY);
            return None;
        };
        let log_id = stored.entry.log_id;
        self.audit
            .behind_pruned(boundary.last, log_id, boundary.last_hash);
        let mark = &boundary.lineage;
        self.lineage
            .behind_pruned(mark.covered.last, log_id, mark.hash);
        // Only a log that is signed is pruned: it does not go back.
        self.audit.is_signed = true;
        self.lineage.is_signed = true;
        self.anchors.behind_pruned(&boundary.tree);
        self.start.pruned = Some((boundary.last, stored.entry.seq, self.anchors.not_compared()));
        self.start
            .said
            .push((stored.entry.seq, stored.entry.hash()));
        Some(boundary)
    }

    /// In the midst of reading: what comes next goes on behind the part that this entry says was
    /// pruned, and what came before must be that part, in an archive with this SHA-256. Returns the
    /// last record of the journal in it; `None` where the entry says nothing of a part.
    pub fn goes_on_behind(&mut self, stored: &Stored, archive: &Hash) -> Option<i64> {
        let seq = stored.entry.seq;
        let Some(boundary) = Boundary::of(&stored.entry) else {
            self.found.add("E03", "fail", AUDIT, seq, NO_BOUNDARY);
            return None;
        };
        self.start.said.push((seq, stored.entry.hash()));
        let genesis = lineage::genesis(&stored.entry.log_id);
        let (step, hash) = self.lineage.end();
        let steps_agree = (step, hash.unwrap_or(genesis))
            == (boundary.lineage.covered.last, boundary.lineage.hash);
        let entries_agree = self.audit.end() == (boundary.last, Some(boundary.last_hash))
            && self.anchors.root() == boundary.tree.root();
        if !entries_agree || !steps_agree {
            self.found.put(Finding {
                code: "E03",
                status: "fail",
                chain: if entries_agree { LINEAGE } else { AUDIT },
                seq_from: Some(boundary.first),
                seq_to: Some(boundary.last),
                detail: format!(
                    "What comes before is not the part that entry {seq} says was pruned."
                ),
            });
        } else if *archive != boundary.archive {
            self.found.put(Finding {
                code: "W09",
                status: "warn",
                chain: AUDIT,
                seq_from: Some(boundary.first),
                seq_to: Some(boundary.last),
                detail: format!(
                    "The archive holds what entry {seq} says, and is not the same file byte by byte."
                ),
            });
        }
        Some(boundary.journal.last)
    }

    /// Looks whether an entry is one that was heard of before.
    pub(super) fn meet(&mut self, seq: i64, hash: Hash) {
        let is_of = |said: &(i64, Hash)| said.0 == seq;
        while let Some(at) = self.start.said.iter().position(is_of) {
            if self.start.said.swap_remove(at).1 != hash {
                let detail = "The entry is another one than said where the log goes on.";
                self.found.add("E03", "fail", AUDIT, seq, detail);
            }
        }
    }

    /// Tells of entries that were heard of and did not come by.
    pub(super) fn miss(&mut self) {
        // A part of an export may end before the entry by which it begins.
        let status = if self.is_export {
            "unverifiable"
        } else {
            "fail"
        };
        for (seq, _) in std::mem::take(&mut self.start.said) {
            let detail = "The entry says where the log goes on, and is not among those read.";
            self.found.add("E03", status, AUDIT, seq, detail);
        }
    }

    /// Takes the stored hash of the next entry, for the anchors alone.
    pub fn skim(&mut self, seq: i64, hash: &[u8]) {
        self.anchors.entry(seq, hash);
    }

    /// How many entries the newest anchor covers that agrees with the log so far.
    pub fn covers(&self) -> u64 {
        self.anchors.covers()
    }

    /// Whether an entry is as it was written and signed, whatever comes before it.
    pub fn vouches(&mut self, stored: &Stored) -> bool {
        let (entry, hash) = (&stored.entry, stored.entry.hash());
        stored.canon_version == entry::CANON_VERSION
            && stored.entry_hash == hash
            && (self.key)(&entry.key_name, entry.key_version)
                .is_some_and(|key| entry::signed(&key, &hash, &stored.signature))
    }

    /// Goes on behind an entry that was checked for itself, up to which the log was skimmed; and
    /// behind the entry of the lineage of this number and hash.
    pub fn go_on_behind(&mut self, stored: &Stored, step: (i64, Hash)) {
        let entry = &stored.entry;
        self.audit.resume(entry.seq, entry.log_id, entry.hash());
        self.lineage.resume(step.0, entry.log_id, step.1);
        // As that entry is: a log does not go back.
        self.audit.is_signed = true;
        self.lineage.is_signed = true;
        self.before = Some(Surroundings {
            timestamp: entry.timestamp,
            incarnation: (entry.system_identifier, entry.timeline_id),
        });
        // Those of the part that was skimmed were looked at.
        self.start.said.retain(|(seq, _)| *seq > entry.seq);
        self.start.skimmed = Some(entry.seq);
    }
}

#[cfg(test)]
mod tests;
