//! What verification finds in chains that were tampered with, and what it says of honest ones.

use super::*;
use crate::ledger::entry::LineageRange;
use crate::ledger::entry::tests::sample;

fn key() -> Secret {
    Secret::take(&mut std::array::from_fn(|i| u8::try_from(i).unwrap()))
}

fn chain(length: i64) -> (Vec<Stored>, Head) {
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
    let mut verifier = Verifier::new(&mut none);
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
fn with_lineage() -> (Vec<StoredStep>, Vec<Stored>) {
    let mut previous = lineage::genesis(&[2; 16]);
    let mut hashes = Vec::new();
    let steps = (1..=3)
        .map(|seq| {
            let entry = lineage::tests::sample(seq, previous);
            previous = entry.hash();
            hashes.push(previous);
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
        root: Some(root(&hashes).to_vec()),
    };
    stored.push(sealed(last));
    (steps, stored)
}

/// Codes with their chains, without the heads: those are looked at elsewhere.
fn found(steps: &[StoredStep], stored: &[Stored]) -> Vec<String> {
    let mut look_up = |_: &str, _: i32| Some(key());
    let mut verifier = Verifier::new(&mut look_up);
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
    let mut verifier = Verifier::new(&mut none);
    stored.iter().for_each(|entry| verifier.entry(entry));
    let found = verifier.finish(Some(&head), None);
    assert_eq!((found[0].seq_from, found[0].seq_to), (Some(1), Some(50)));
}

/// The tree of RFC 9162 §2.1.5, with the leaves of the certificate-transparency test suite.
#[test]
fn verify_root_is_the_published_one() {
    let leaf = |byte: u8| [byte; 32];
    assert_eq!(
        hex::encode(root(&[])),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_ne!(
        root(&[leaf(1), leaf(2), leaf(3)]),
        root(&[leaf(1), leaf(3), leaf(2)])
    );
    assert_ne!(
        root(&[leaf(1), leaf(2)]),
        root(&[leaf(1), leaf(2), leaf(2)])
    );
}
