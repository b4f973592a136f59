//! What verification finds in chains that were tampered with, and what it says of honest ones.

use super::*;
use crate::ledger::entry::tests::sample;
use crate::ledger::entry::{LineageRange, UNSIGNED};

pub(super) fn key() -> Secret {
    Secret::take(&mut std::array::from_fn(|i| u8::try_from(i).unwrap()))
}

pub(super) fn chain(length: i64) -> (Vec<Stored>, Head) {
    let mut previous = entry::genesis(&[2; 16]);
    let stored: Vec<_> = (1..=length)
        .map(|seq| {
            let mut entry = sample(seq, previous);
            entry.facts.lineage = LineageRange::default();
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

pub(super) fn sealed(entry: Entry) -> Stored {
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
        .finish(head, None)
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
    let findings = verifier.finish(Some(&head), None);
    assert!(
        findings
            .iter()
            .all(|f| f.status != "fail" && f.status != "ok")
    );
}

/// Two entries of the audit log, the second with three entries of the lineage.
pub(super) fn with_lineage() -> (Vec<StoredStep>, Vec<Stored>) {
    let mut previous = lineage::genesis(&[2; 16]);
    let mut tree = Frontier::default();
    let steps = (1..=3)
        .map(|seq| {
            let entry = lineage::tests::sample(seq, previous);
            previous = entry.hash();
            tree.push(&previous);
            StoredStep {
                canon_version: entry::CANON_VERSION,
                entry_hash: previous.to_vec(),
                signature: entry::sign(&key(), &previous).to_vec(),
                entry,
            }
        })
        .collect();
    let (mut stored, _) = chain(2);
    let mut last = stored.pop().unwrap().entry;
    last.facts.lineage = LineageRange {
        first: Some(1),
        last: Some(3),
        root: Some(tree.root().to_vec()),
    };
    stored.push(sealed(last));
    (steps, stored)
}

/// Codes with their chains, without the heads: those are looked at elsewhere.
fn found(steps: &[StoredStep], stored: &[Stored]) -> Vec<String> {
    let mut look_up = |_: &str, _: i32| Some(key());
    let mut verifier = Verifier::new(&mut look_up, Anchors::default());
    steps.iter().for_each(|step| verifier.step(step));
    stored.iter().for_each(|entry| verifier.entry(entry));
    verifier
        .finish(None, None)
        .into_iter()
        .filter(|finding| finding.code != "E07" && finding.status == "fail")
        .map(|finding| format!("{} {}", finding.code, finding.chain))
        .collect()
}

#[test]
fn verify_holds_the_lineage_against_the_entry_that_signs_it() {
    let (steps, stored) = with_lineage();
    assert_eq!(found(&steps, &stored), [""; 0]);
    // All of it gone, its end gone, its beginning gone, an entry nobody speaks of.
    assert_eq!(found(&[], &stored), ["E05 audit", "E06 audit"]);
    assert_eq!(found(&steps[..2], &stored), ["E05 audit", "E06 audit"]);
    assert!(found(&steps[1..], &stored).contains(&"E05 audit".to_owned()));
    assert_eq!(found(&steps, &stored[..1]), ["E05 lineage"]);
}

#[test]
fn verify_finds_an_edited_entry_of_the_lineage() {
    let (mut steps, stored) = with_lineage();
    steps[1].entry.facts.rows_changed = Some(9);
    let codes = found(&steps, &stored);
    assert!(codes.contains(&"E01 lineage".to_owned()), "{codes:?}");
    // With its hash made right the link, the signature and the root give it away.
    steps[1].entry_hash = steps[1].entry.hash().to_vec();
    let codes = found(&steps, &stored);
    for code in ["E02 lineage", "E03 lineage", "E06 audit"] {
        assert!(codes.contains(&code.to_owned()), "{codes:?}");
    }
}

#[test]
fn verify_tells_of_runs_without_an_end_and_of_other_clusters() {
    let (mut stored, _) = chain(3);
    stored[0].entry.event = Event::Started.name().to_owned();
    stored[1].entry.timeline_id = 2;
    stored[2].entry.timeline_id = 2;
    stored[2].entry.timestamp -= 1;
    stored[1].entry.facts.run_id = None;
    stored[2].entry.facts.run_id = None;
    let found = codes(&stored, None);
    for code in ["W02", "W03", "W04"] {
        assert_eq!(found.iter().filter(|c| **c == code).count(), 1, "{found:?}");
    }
}

#[test]
fn verify_says_the_same_of_many_entries_once() {
    let (stored, head) = chain(50);
    let mut none = |_: &str, _: i32| None;
    let mut verifier = Verifier::new(&mut none, Anchors::default());
    stored.iter().for_each(|entry| verifier.entry(entry));
    let found = verifier.finish(Some(&head), None);
    assert_eq!((found[0].seq_from, found[0].seq_to), (Some(1), Some(50)));
}

fn anchored(stored: &[Stored], head: &Head, sizes: &[usize]) -> Vec<Finding> {
    let anchors = sizes
        .iter()
        .map(|size| {
            let mut tree = Frontier::default();
            let (honest, _) = chain(9);
            for entry in &honest[..*size] {
                tree.push(&entry.entry_hash);
            }
            crate::ledger::anchor::Anchor {
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
    verifier.finish(Some(head), None)
}

pub(super) fn places(findings: &[Finding]) -> Vec<(&'static str, Option<i64>, Option<i64>)> {
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

/// A chain whose first entries are not signed.
fn unsigned(length: i64, until: i64) -> (Vec<Stored>, Head) {
    let mut previous = entry::genesis(&[2; 16]);
    let mut stored = Vec::new();
    for seq in 1..=length {
        let mut entry = sample(seq, previous);
        entry.facts.lineage = LineageRange::default();
        if seq <= until {
            (entry.key_name, entry.key_version) = (UNSIGNED.0.to_owned(), UNSIGNED.1);
        }
        previous = entry.hash();
        let mut sealed = sealed(entry);
        if seq <= until {
            sealed.signature.clear();
        }
        stored.push(sealed);
    }
    let head = Head {
        log_id: [2; 16],
        seq: length,
        entry_hash: previous.to_vec(),
    };
    (stored, head)
}

fn all_found(stored: &[Stored], head: &Head) -> Vec<(&'static str, &'static str, Option<i64>)> {
    let mut look_up = |_: &str, _: i32| Some(key());
    let mut verifier = Verifier::new(&mut look_up, Anchors::default());
    stored.iter().for_each(|entry| verifier.entry(entry));
    verifier
        .finish(Some(head), None)
        .into_iter()
        .map(|finding| (finding.code, finding.status, finding.seq_to))
        .collect()
}

#[test]
fn verify_never_says_ok_of_entries_that_are_not_signed() {
    for signed in [0, 3] {
        let (stored, head) = unsigned(2 + signed, 2);
        assert_eq!(
            all_found(&stored, &head),
            [
                ("E12", "unsigned", Some(2)),
                ("W01", "warn", Some(2 + signed))
            ]
        );
    }
}

#[test]
fn verify_fails_where_a_signed_log_goes_back_to_entries_that_are_not() {
    // The last entry rewritten, hash and head made right.
    let (mut stored, mut head) = chain(4);
    let mut last = stored.pop().unwrap().entry;
    (last.key_name, last.key_version) = (UNSIGNED.0.to_owned(), UNSIGNED.1);
    let mut last = sealed(last);
    last.signature.clear();
    head.entry_hash.clone_from(&last.entry_hash);
    stored.push(last);
    assert_eq!(all_found(&stored, &head)[0], ("E02", "fail", Some(4)));
    // One before it: what follows it was signed over another one.
    let (mut stored, head) = chain(4);
    let mut first = stored.remove(0).entry;
    (first.key_name, first.key_version) = (UNSIGNED.0.to_owned(), UNSIGNED.1);
    let mut first = sealed(first);
    first.signature.clear();
    stored.insert(0, first);
    let found = all_found(&stored, &head);
    assert!(found.contains(&("E12", "unsigned", Some(1))), "{found:?}");
    assert!(found.contains(&("E03", "fail", Some(2))), "{found:?}");
}

#[test]
fn verify_takes_no_signature_from_an_entry_that_names_no_key() {
    let (mut stored, head) = unsigned(2, 2);
    stored[1].signature = vec![0; 32];
    assert_eq!(all_found(&stored, &head)[1], ("E02", "fail", Some(2)));
    let (mut stored, mut head) = unsigned(2, 1);
    stored[1].entry.key_name = UNSIGNED.0.to_owned();
    stored[1] = sealed(stored[1].entry.clone());
    head.entry_hash.clone_from(&stored[1].entry_hash);
    assert_eq!(all_found(&stored, &head)[1], ("E02", "fail", Some(2)));
}

#[test]
fn verify_wants_the_lineage_of_a_signed_run_signed() {
    let (mut steps, stored) = with_lineage();
    let mut look_up = |_: &str, _: i32| Some(key());
    let mut verifier = Verifier::new(&mut look_up, Anchors::default());
    verifier.entry(&stored[0]);
    let step = &mut steps[0];
    (step.entry.key_name, step.entry.key_version) = (UNSIGNED.0.to_owned(), UNSIGNED.1);
    step.signature.clear();
    verifier.step(step);
    let found = verifier.finish(None, None);
    assert!(found.iter().any(|found| found.code == "E02"), "{found:?}");
    assert!(found.iter().all(|found| found.code != "E12"), "{found:?}");
}
