//! Verification: coded findings, never one boolean.

use super::entry::{self, Entry};
use crate::keys::Secret;

/// The chain of the audit log.
pub const AUDIT: &str = "audit";

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

/// The head row of the chain.
pub struct Head {
    /// Id of the log.
    pub log_id: [u8; 16],
    /// Number of the last entry.
    pub seq: i64,
    /// Hash of the last entry.
    pub entry_hash: Vec<u8>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// E01 hash, E02 signature, E03 link, E04 order, E07 head, E11 key, W01 unanchored, W02 another
    /// cluster or timeline, W03 no end, W04 clock.
    pub code: &'static str,
    /// `fail`, `unverifiable`, `warn` or `ok`.
    pub status: &'static str,
    /// The chain it is about: `audit`, `lineage` or `journal`.
    pub chain: &'static str,
    /// First entry concerned.
    pub seq_from: Option<i64>,
    /// Last entry concerned.
    pub seq_to: Option<i64>,
    /// What it means, in one sentence.
    pub detail: String,
}

/// Checks entries one after another: memory does not grow with the log.
pub struct Verifier<'a> {
    key: &'a mut dyn FnMut(&str, i32) -> Option<Secret>,
    findings: Vec<Finding>,
    last: Option<Last>,
    checked: i64,
}

/// What the next entry is held against.
struct Last {
    seq: i64,
    log_id: [u8; 16],
    hash: [u8; 32],
    timestamp: i64,
    incarnation: (i64, i32),
}

impl<'a> Verifier<'a> {
    /// Begins; `key` returns the entry subkey of a key version, `None` where it is not available.
    pub fn new(key: &'a mut dyn FnMut(&str, i32) -> Option<Secret>) -> Self {
        Self {
            key,
            findings: Vec::new(),
            last: None,
            checked: 0,
        }
    }

    /// Checks the next entry, in the order of `seq`.
    pub fn entry(&mut self, stored: &Stored) {
        let entry = &stored.entry;
        self.checked += 1;
        if stored.canon_version != entry::CANON_VERSION {
            self.add(
                "E01",
                "fail",
                entry.seq,
                "The encoding version is not one this library knows.",
            );
        }
        let hash = entry.hash();
        if hash.as_slice() != stored.entry_hash {
            self.add(
                "E01",
                "fail",
                entry.seq,
                "The fields do not give the stored hash: one was changed.",
            );
        }
        match (self.key)(&entry.key_name, entry.key_version) {
            None => self.add(
                "E11",
                "unverifiable",
                entry.seq,
                "The key version that signed is not available; this says nothing about tampering.",
            ),
            Some(key) if !entry::signed(&key, &hash, &stored.signature) => self.add(
                "E02",
                "fail",
                entry.seq,
                "The signature is not of these fields under the key they name.",
            ),
            Some(_) => {}
        }
        let (seq, link) = match &self.last {
            None => (1, entry::genesis(&entry.log_id).to_vec()),
            Some(last) => {
                if last.log_id != entry.log_id {
                    self.findings.push(finding(
                        "E03",
                        "fail",
                        entry.seq,
                        "The entry belongs to another log.",
                    ));
                }
                (last.seq + 1, last.hash.to_vec())
            }
        };
        if entry.seq != seq {
            self.findings.push(Finding {
                code: "E04",
                status: "fail",
                chain: AUDIT,
                seq_from: Some(seq),
                seq_to: Some(entry.seq),
                detail: format!(
                    "Entry {seq} was expected and {} found: some are missing or doubled.",
                    entry.seq
                ),
            });
        }
        if entry.previous_entry_hash != link {
            self.add(
                "E03",
                "fail",
                entry.seq,
                "The entry does not follow the one before it.",
            );
        }
        self.surroundings(entry);
        self.last = Some(Last {
            seq: entry.seq,
            log_id: entry.log_id,
            hash,
            timestamp: entry.timestamp,
            incarnation: (entry.system_identifier, entry.timeline_id),
        });
    }

    /// What is odd about where and when an entry was written, without being wrong.
    fn surroundings(&mut self, entry: &Entry) {
        let Some(last) = &self.last else { return };
        let moved = last.incarnation != (entry.system_identifier, entry.timeline_id);
        // A clock may be set back by a little; a restore to an earlier point is what matters.
        let backwards = entry.timestamp < last.timestamp;
        if moved {
            self.add(
                "W02",
                "warn",
                entry.seq,
                "The log goes on in another cluster or on another timeline: after a promotion, an \
                 upgrade or a restore. Entries written after the copy was taken are not in it.",
            );
        }
        if backwards {
            self.add(
                "W04",
                "warn",
                entry.seq,
                "The clock went backwards: the entry is older than the one before it.",
            );
        }
    }

    /// Checks the head row and ends: the findings, worst first, then what the result rests on.
    pub fn finish(mut self, head: Option<&Head>) -> Vec<Finding> {
        let last_seq = self.last.as_ref().map_or(0, |last| last.seq);
        let agrees = match (&self.last, head) {
            (None, None) => true,
            (None, Some(head)) => head.seq == 0,
            (Some(_), None) => false,
            (Some(last), Some(head)) => {
                head.seq == last.seq && head.log_id == last.log_id && head.entry_hash == last.hash
            }
        };
        if !agrees {
            self.findings.push(Finding {
                code: "E07",
                status: "fail",
                chain: AUDIT,
                seq_from: Some(last_seq),
                seq_to: head.map(|head| head.seq),
                detail: "The head row and the last entry disagree: entries were removed or added \
                         behind the ledger's back."
                    .to_owned(),
            });
        }
        if self.checked > 0 {
            self.findings.push(Finding {
                code: "W01",
                status: "warn",
                chain: AUDIT,
                seq_from: Some(1),
                seq_to: Some(last_seq),
                detail: format!(
                    "{} entries rest on the signing key only: no anchor outside the database covers \
                     them, so whoever holds the key could have rewritten all of them.",
                    self.checked
                ),
            });
        }
        if !self.findings.iter().any(|finding| finding.status != "warn") {
            self.findings.insert(
                0,
                Finding {
                    code: "OK",
                    status: "ok",
                    chain: AUDIT,
                    seq_from: (last_seq > 0).then_some(1),
                    seq_to: (last_seq > 0).then_some(last_seq),
                    detail: format!(
                        "{} entries have their hash, signature, link and place.",
                        self.checked
                    ),
                },
            );
        }
        self.findings
    }

    fn add(&mut self, code: &'static str, status: &'static str, seq: i64, detail: &str) {
        self.findings.push(finding(code, status, seq, detail));
    }
}

fn finding(code: &'static str, status: &'static str, seq: i64, detail: &str) -> Finding {
    Finding {
        code,
        status,
        chain: AUDIT,
        seq_from: Some(seq),
        seq_to: Some(seq),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::sample;
    use super::*;

    fn key() -> Secret {
        Secret::take(&mut std::array::from_fn(|i| u8::try_from(i).unwrap()))
    }

    fn chain(length: i64) -> (Vec<Stored>, Head) {
        let mut previous = entry::genesis(&[2; 16]);
        let stored: Vec<_> = (1..=length)
            .map(|seq| {
                let entry = sample(seq, previous);
                previous = entry.hash();
                sealed(entry)
            })
            .collect();
        let head = Head {
            log_id: [2; 16],
            seq: length,
            entry_hash: previous.to_vec(),
        };
        (stored, head)
    }

    fn sealed(entry: Entry) -> Stored {
        let hash = entry.hash();
        Stored {
            canon_version: entry::CANON_VERSION,
            entry_hash: hash.to_vec(),
            signature: entry::sign(&key(), &hash).to_vec(),
            entry,
        }
    }

    fn codes(stored: &[Stored], head: Option<&Head>) -> Vec<&'static str> {
        let mut look_up = |_: &str, _: i32| Some(key());
        let mut verifier = Verifier::new(&mut look_up);
        for entry in stored {
            verifier.entry(entry);
        }
        verifier
            .finish(head)
            .into_iter()
            .map(|finding| finding.code)
            .collect()
    }

    #[test]
    fn verify_passes_an_honest_chain_and_says_what_it_rests_on() {
        let (stored, head) = chain(4);
        assert_eq!(codes(&stored, Some(&head)), ["OK", "W01"]);
        assert_eq!(codes(&[], None), ["OK"]);
    }

    #[test]
    fn verify_detects_edits_and_resealed_edits() {
        let (mut stored, head) = chain(4);
        stored[1].entry.user_name = "somebody else".into();
        assert!(codes(&stored, Some(&head)).contains(&"E01"));
        // With the hash recomputed, signature and link give it away.
        stored[1].entry_hash = stored[1].entry.hash().to_vec();
        let found = codes(&stored, Some(&head));
        assert!(found.contains(&"E02") && found.contains(&"E03"));
    }

    #[test]
    fn verify_detects_removed_swapped_and_cut_entries() {
        let (mut middle, head) = chain(4);
        middle.remove(1);
        assert!(codes(&middle, Some(&head)).contains(&"E04"));
        let (mut swapped, head) = chain(4);
        swapped.swap(1, 2);
        assert!(codes(&swapped, Some(&head)).contains(&"E03"));
        let (mut tail, head) = chain(4);
        tail.pop();
        assert!(codes(&tail, Some(&head)).contains(&"E07"));
        assert!(codes(&[], Some(&head)).contains(&"E07"));
        let (stored, _) = chain(4);
        assert!(codes(&stored, None).contains(&"E07"));
    }

    #[test]
    fn verify_calls_a_missing_key_unverifiable_not_tampered() {
        let (stored, head) = chain(2);
        let mut none = |_: &str, _: i32| None;
        let mut verifier = Verifier::new(&mut none);
        for entry in &stored {
            verifier.entry(entry);
        }
        let findings = verifier.finish(Some(&head));
        assert!(
            findings
                .iter()
                .all(|f| f.status != "fail" && f.status != "ok")
        );
    }
}
