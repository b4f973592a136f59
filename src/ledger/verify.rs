//! Verification: coded findings, never one boolean.

use super::anchor::{Anchors, Covered};
use super::entry::{self, Entry};
use crate::keys::Secret;

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
    /// E01 hash, E02 signature, E03 link, E04 order, E07 head, E08 and E09 anchors, E11 key, W01
    /// unanchored, W07 place of anchors.
    pub code: &'static str,
    /// `fail`, `unverifiable`, `warn` or `ok`.
    pub status: &'static str,
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
    anchors: Anchors,
    findings: Vec<Finding>,
    last: Option<(i64, [u8; 16], Vec<u8>)>,
    checked: i64,
}

impl<'a> Verifier<'a> {
    /// Begins; `key` returns the entry subkey of a key version, `None` where it is not available.
    /// The root of the log is held against each of `anchors` as the entries go by.
    pub fn new(key: &'a mut dyn FnMut(&str, i32) -> Option<Secret>, anchors: Anchors) -> Self {
        Self {
            key,
            anchors,
            findings: Vec::new(),
            last: None,
            checked: 0,
        }
    }

    /// Checks the next entry, in the order of `seq`.
    pub fn entry(&mut self, stored: &Stored) {
        let entry = &stored.entry;
        self.checked += 1;
        self.anchors.entry(entry.seq, &stored.entry_hash);
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
            Some((seq, log_id, hash)) => {
                if *log_id != entry.log_id {
                    self.findings.push(finding(
                        "E03",
                        "fail",
                        entry.seq,
                        "The entry belongs to another log.",
                    ));
                }
                (seq + 1, hash.clone())
            }
        };
        if entry.seq != seq {
            self.findings.push(Finding {
                code: "E04",
                status: "fail",
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
        self.last = Some((entry.seq, entry.log_id, hash.to_vec()));
    }

    /// Checks the head row and ends: the findings, worst first, then what the result rests on.
    pub fn finish(mut self, head: Option<&Head>) -> Vec<Finding> {
        let last_seq = self.last.as_ref().map_or(0, |(seq, ..)| *seq);
        let agrees = match (&self.last, head) {
            (None, None) => true,
            (None, Some(head)) => head.seq == 0,
            (Some(_), None) => false,
            (Some((seq, log_id, hash)), Some(head)) => {
                head.seq == *seq && head.log_id == *log_id && head.entry_hash == *hash
            }
        };
        if !agrees {
            self.findings.push(Finding {
                code: "E07",
                status: "fail",
                seq_from: Some(last_seq),
                seq_to: head.map(|head| head.seq),
                detail: "The head row and the last entry disagree: entries were removed or added \
                         behind the ledger's back."
                    .to_owned(),
            });
        }
        let (found, covered) = self.anchors.finish(last_seq);
        self.findings.extend(found);
        let is_ok = !self.findings.iter().any(|finding| finding.status != "warn");
        let covers = covered.as_ref().map_or(0, |covered| covered.size);
        let later = last_seq.saturating_sub(i64::try_from(covers).unwrap_or(i64::MAX));
        let rests = what_it_rests_on(covered.as_ref(), later.unsigned_abs());
        // Without an entry there is nothing to say; else one of these rows says what holds.
        if self.checked > 0 && (later > 0 || !is_ok) {
            self.findings.push(Finding {
                code: "W01",
                status: "warn",
                seq_from: (later > 0).then_some(last_seq - later + 1),
                seq_to: (later > 0).then_some(last_seq),
                detail: rests.clone(),
            });
        }
        if is_ok {
            let mut detail = format!(
                "{} entries have their hash, signature, link and place.",
                self.checked
            );
            if covered.is_some() {
                detail = format!("{detail} {rests}");
            }
            self.findings.insert(
                0,
                Finding {
                    code: "OK",
                    status: "ok",
                    seq_from: (last_seq > 0).then_some(1),
                    seq_to: (last_seq > 0).then_some(last_seq),
                    detail,
                },
            );
        }
        self.findings
    }

    fn add(&mut self, code: &'static str, status: &'static str, seq: i64, detail: &str) {
        self.findings.push(finding(code, status, seq, detail));
    }
}

/// What the result is worth, and against whom.
fn what_it_rests_on(covered: Option<&Covered>, later: u64) -> String {
    let (number, rest) = match later {
        1 => ("1".to_owned(), "entry rests"),
        _ => (later.to_string(), "entries rest"),
    };
    match covered {
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

fn finding(code: &'static str, status: &'static str, seq: i64, detail: &str) -> Finding {
    Finding {
        code,
        status,
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
        let mut verifier = Verifier::new(&mut look_up, Anchors::default());
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
        let mut verifier = Verifier::new(&mut none, Anchors::default());
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

    fn anchored(stored: &[Stored], head: &Head, sizes: &[usize]) -> Vec<Finding> {
        let anchors = sizes
            .iter()
            .map(|size| {
                let mut tree = super::super::tree::Frontier::default();
                let (honest, _) = chain(9);
                for entry in &honest[..*size] {
                    tree.push(&entry.entry_hash);
                }
                super::super::anchor::Anchor {
                    size: tree.size(),
                    root: tree.root(),
                    signer: "masking/1".into(),
                }
            })
            .collect();
        let mut look_up = |_: &str, _: i32| Some(key());
        let mut verifier = Verifier::new(&mut look_up, Anchors::new(anchors, Vec::new()));
        for entry in stored {
            verifier.entry(entry);
        }
        verifier.finish(Some(head))
    }

    fn places(findings: &[Finding]) -> Vec<(&'static str, Option<i64>, Option<i64>)> {
        findings
            .iter()
            .map(|found| (found.code, found.seq_from, found.seq_to))
            .collect()
    }

    #[test]
    fn verify_counts_from_the_newest_anchor_on() {
        let (stored, head) = chain(6);
        let found = anchored(&stored, &head, &[2, 4]);
        assert_eq!(
            places(&found),
            [("OK", Some(1), Some(6)), ("W01", Some(5), Some(6))]
        );
        assert!(found[0].detail.ends_with(
            "Verified to entry 4 by the anchor of key masking/1; 2 later entries rest on the \
             signing key only."
        ));
        let found = anchored(&stored, &head, &[5]);
        assert!(found[0].detail.contains("; 1 later entry rests on"));
        let found = anchored(&stored, &head, &[6]);
        assert_eq!(places(&found), [("OK", Some(1), Some(6))]);
        assert!(found[0].detail.ends_with("; no later entry."));
    }

    #[test]
    fn verify_detects_by_anchors_what_nothing_else_shows() {
        // The end cut off, and the head set back.
        let (stored, head) = chain(4);
        let found = anchored(&stored, &head, &[3, 6]);
        assert_eq!(
            places(&found),
            [("E08", Some(5), Some(6)), ("W01", Some(4), Some(4))]
        );
        // Everything written anew from an entry on, by somebody who has the key.
        let (mut stored, mut head) = chain(6);
        let mut previous = stored[3].entry_hash.clone();
        for stored in &mut stored[4..] {
            let mut entry = stored.entry.clone();
            entry.previous_entry_hash = previous;
            entry.user_name = "somebody else".into();
            *stored = sealed(entry);
            previous = stored.entry_hash.clone();
        }
        head.entry_hash = previous;
        assert_eq!(places(&anchored(&stored, &head, &[]))[0].0, "OK");
        let found = anchored(&stored, &head, &[3, 6]);
        assert_eq!(
            places(&found),
            [("E09", Some(4), Some(6)), ("W01", Some(4), Some(6))]
        );
        assert!(found[1].detail.starts_with("Verified to entry 3 by"));
    }

    #[test]
    fn verify_says_what_holds_also_when_something_else_fails() {
        let (mut stored, head) = chain(4);
        stored[3].signature = vec![0; 32];
        let found = anchored(&stored, &head, &[4]);
        assert_eq!(
            places(&found),
            [("E02", Some(4), Some(4)), ("W01", None, None)]
        );
    }
}
