//! Reading that begins behind a part that was pruned, or behind an anchor.

use super::super::tests::{chain, key, places, sealed, with_lineage};
use super::super::{Anchors, Head, StoredStep};
use super::*;
use crate::ledger::anchor::Anchor;
use crate::ledger::entry::{Entry, Event, LineageRange};
use crate::ledger::lineage;
use crate::ledger::retention::{Covered, Mark, behind};
use crate::ledger::tree::Frontier;

/// A log of `length` entries and one that says that those up to `cut` were pruned; those that are
/// left, the one that says so, and the head.
fn pruned(length: i64, cut: usize) -> (Vec<Stored>, Stored, Head) {
    let (mut all, _) = chain(length);
    let before = all.last().unwrap().entry.clone();
    let mark = Mark {
        covered: Covered::default(),
        hash: lineage::genesis(&[2; 16]),
    };
    let boundary = behind(&hashes(&all[..cut]), 1, mark);
    let last = sealed(Entry {
        seq: length + 1,
        event: Event::Pruned.name().into(),
        previous_entry_hash: before.hash().to_vec(),
        facts: entry::Facts {
            details: Some(boundary.details().into()),
            lineage: LineageRange::default(),
            ..before.facts.clone()
        },
        ..before
    });
    all.push(copy(&last));
    let head = Head {
        log_id: [2; 16],
        seq: length + 1,
        entry_hash: last.entry_hash.clone(),
    };
    (all.split_off(cut), last, head)
}

fn copy(stored: &Stored) -> Stored {
    Stored {
        entry: stored.entry.clone(),
        canon_version: stored.canon_version,
        entry_hash: stored.entry_hash.clone(),
        signature: stored.signature.clone(),
    }
}

fn hashes(stored: &[Stored]) -> Vec<Hash> {
    let hash = |entry: &Stored| entry.entry_hash.clone().try_into().unwrap();
    stored.iter().map(hash).collect()
}

/// Anchors of a log at these sizes.
fn anchors(all: &[Hash], sizes: &[usize]) -> Anchors {
    let anchor = |size: &usize| {
        let mut tree = Frontier::default();
        all[..*size].iter().for_each(|hash| tree.push(hash));
        Anchor {
            size: tree.size(),
            root: tree.root(),
            signer: "masking/1".into(),
        }
    };
    Anchors::new(sizes.iter().map(anchor).collect(), Vec::new())
}

fn read(anchors: Anchors, said: &Stored, left: &[Stored], head: &Head) -> Vec<Finding> {
    let mut look_up = |_: &str, _: i32| Some(key());
    let mut verifier = Verifier::new(&mut look_up, anchors);
    verifier.behind_pruned(said);
    left.iter().for_each(|entry| verifier.entry(entry));
    let lineage = Head {
        log_id: [2; 16],
        seq: 0,
        entry_hash: lineage::genesis(&[2; 16]).to_vec(),
    };
    verifier.finish(Some(head), Some(&lineage))
}

fn codes(found: &[Finding]) -> Vec<&'static str> {
    found.iter().map(|finding| finding.code).collect()
}

#[test]
fn pruned_log_verifies_from_its_boundary_on() {
    for cut in 1..=7 {
        let (left, said, head) = pruned(7, cut);
        let found = read(Anchors::default(), &said, &left, &head);
        let first = i64::try_from(cut).unwrap() + 1;
        assert_eq!(
            places(&found),
            [("OK", Some(first), Some(8)), ("W01", Some(first), Some(8))],
            "{cut}"
        );
        let detail = &found[0].detail;
        assert!(
            detail.contains(&format!(
                "Entries up to {cut} were pruned, as entry 8 says."
            )),
            "{detail}"
        );
    }
}

#[test]
fn pruned_log_is_held_against_the_anchors_that_cover_more() {
    let (honest, _) = chain(7);
    let (left, said, head) = pruned(7, 4);
    let mut all = hashes(&honest);
    let found = |all: &[Hash], sizes: &[usize]| read(anchors(all, sizes), &said, &left, &head);
    let good = found(&all, &[2, 3, 4, 6]);
    assert_eq!(codes(&good), ["OK", "W01"]);
    assert_eq!((good[1].seq_from, good[1].seq_to), (Some(7), Some(8)));
    assert!(good[0].detail.contains("2 anchors speak of those only"));
    assert!(good[0].detail.contains("Verified to entry 6"));
    // Those of the part that went say nothing any more: all rests on the key.
    let good = found(&all, &[2, 3]);
    assert_eq!(good[1].seq_from, Some(5));
    // The tree at the boundary, and behind it, is another one than was anchored.
    all[1] = [9; 32];
    for size in [4, 5, 7] {
        assert!(codes(&found(&all, &[size])).contains(&"E09"), "{size}");
    }
    assert_eq!(codes(&found(&all, &[3])), ["OK", "W01"]);
}

#[test]
fn pruned_log_of_which_more_or_less_is_gone_fails() {
    let (mut left, said, head) = pruned(7, 4);
    left.remove(0);
    let found = codes(&read(Anchors::default(), &said, &left, &head));
    assert!(
        found.contains(&"E03") && found.contains(&"E04"),
        "{found:?}"
    );
    // What was pruned and came back, honest as it is.
    let (mut back, _) = chain(7);
    back.truncate(4);
    let (left, said, head) = pruned(7, 4);
    back.extend(left);
    let found = read(Anchors::default(), &said, &back, &head);
    assert_eq!(codes(&found), ["E04", "W01"]);
    assert_eq!((found[0].seq_from, found[0].seq_to), (Some(1), Some(4)));
    // Nobody says that something was pruned.
    let (left, _, head) = pruned(7, 4);
    let (others, _) = chain(1);
    let found = codes(&read(Anchors::default(), &others[0], &left, &head));
    assert!(
        found.contains(&"E03") && found.contains(&"E04"),
        "{found:?}"
    );
}

#[test]
fn pruned_log_whose_boundary_was_edited_fails() {
    type Edit = fn(&mut serde_json::Value);
    let edits: &[Edit] = &[
        |d| d["last_hash"] = "00".repeat(32).into(),
        |d| d["export_sha256"] = "00".repeat(32).into(),
        |d| d["first_previous"] = "00".repeat(32).into(),
        |d| d["journal"]["last"] = 9.into(),
        |d| d["lineage"]["last_hash"] = "00".repeat(32).into(),
        |d| d["last_seq"] = 3.into(),
        |d| d["frontier"] = serde_json::json!([]),
    ];
    for (i, edit) in edits.iter().enumerate() {
        let (mut left, _, head) = pruned(7, 4);
        let said = left.last_mut().unwrap();
        let mut details = said.entry.facts.details.take().unwrap().value();
        edit(&mut details);
        said.entry.facts.details = Some(details.into());
        let said = copy(said);
        let found = codes(&read(Anchors::default(), &said, &left, &head));
        assert!(
            found.contains(&"E01") && !found.contains(&"OK"),
            "{i}: {found:?}"
        );
        // With its hash computed anew the signature gives it away.
        let mut said = copy(&said);
        said.entry_hash = said.entry.hash().to_vec();
        *left.last_mut().unwrap() = copy(&said);
        let found = codes(&read(Anchors::default(), &said, &left, &head));
        assert!(
            found.contains(&"E02") && !found.contains(&"OK"),
            "{i}: {found:?}"
        );
    }
}

#[test]
fn pruned_log_needs_the_entry_that_says_so() {
    let (mut left, said, head) = pruned(7, 4);
    left.pop();
    let found = read(Anchors::default(), &said, &left, &head);
    assert!(codes(&found).contains(&"E03"));
    let mut other = copy(&said);
    other.entry.user_name.push('x');
    let (left, ..) = pruned(7, 4);
    assert!(codes(&read(Anchors::default(), &other, &left, &head)).contains(&"E03"));
}

#[test]
fn archive_and_the_rest_are_one_log() {
    let (all, _) = chain(7);
    let (left, said, _) = pruned(7, 4);
    let goes_on = |part: &[Stored], hash: Hash| {
        let mut look_up = |_: &str, _: i32| Some(key());
        let mut verifier = Verifier::new(&mut look_up, Anchors::default()).of_export();
        part.iter().for_each(|entry| verifier.entry(entry));
        assert_eq!(verifier.goes_on_behind(&said, &hash), Some(7));
        left.iter().for_each(|entry| verifier.entry(entry));
        codes(&verifier.finish(None, None))
    };
    assert_eq!(goes_on(&all[..4], [3; 32]), ["OK", "W01", "E11"]);
    assert_eq!(goes_on(&all[..4], [4; 32]), ["OK", "W09", "W01", "E11"]);
    for part in [&all[..3], &all[..5], &[]] {
        assert!(goes_on(part, [3; 32]).contains(&"E03"));
    }
}

#[test]
fn lineage_goes_on_behind_what_was_pruned() {
    let (steps, stored) = with_lineage();
    let last: &StoredStep = &steps[2];
    let hash = last.entry.hash();
    let with = |mark: Mark| {
        let mut look_up = |_: &str, _: i32| Some(key());
        let mut verifier = Verifier::new(&mut look_up, Anchors::default()).of_export();
        let boundary = behind(&hashes(&stored), 1, mark);
        stored.iter().for_each(|entry| {
            if entry.entry.facts.lineage.last.is_some() {
                steps.iter().for_each(|step| verifier.step(step));
            }
            verifier.entry(entry);
        });
        let (_, mut said, _) = pruned(2, 1);
        said.entry.facts.details = Some(boundary.details().into());
        verifier.goes_on_behind(&said, &[3; 32]);
        codes(&verifier.finish(None, None))
    };
    let covered = Covered { count: 3, last: 3 };
    // The entry that says so is not read here.
    assert_eq!(with(Mark { covered, hash }), ["E03", "W01", "E11"]);
    let other = with(Mark {
        covered,
        hash: [9; 32],
    });
    assert_eq!(other, ["E03", "E03", "W01", "E11"]);
}

#[test]
fn skimmed_log_is_checked_behind_the_anchor_only() {
    let (mut all, head) = chain(9);
    let notes = anchors(&hashes(&all), &[3, 6]);
    let read = |all: &[Stored]| {
        let mut look_up = |_: &str, _: i32| Some(key());
        let mut verifier = Verifier::new(&mut look_up, notes.clone());
        for entry in &all[..6] {
            verifier.skim(entry.entry.seq, &entry.entry_hash);
        }
        let agrees = verifier.covers() == 6 && verifier.vouches(&all[5]);
        verifier.go_on_behind(&all[5], (0, lineage::genesis(&[2; 16])));
        all[6..].iter().for_each(|entry| verifier.entry(entry));
        let lineage = Head {
            log_id: [2; 16],
            seq: 0,
            entry_hash: lineage::genesis(&[2; 16]).to_vec(),
        };
        (agrees, verifier.finish(Some(&head), Some(&lineage)))
    };
    let (agrees, found) = read(&all);
    assert!(agrees);
    assert_eq!(codes(&found), ["OK", "W01"]);
    assert_eq!((found[0].seq_from, found[0].seq_to), (Some(1), Some(9)));
    assert!(found[0].detail.starts_with("3 entries of the audit log"));
    for finding in &found {
        let said = "Of entries up to 6 only the stored hashes were compared with the anchor";
        assert!(finding.detail.contains(said), "{}", finding.detail);
    }
    // What it does not look at: a field whose stored hash was left alone.
    all[2].entry.user_name.push('x');
    assert!(read(&all).0);
    // A stored hash is looked at, and so is the last entry.
    let hash = std::mem::replace(&mut all[2].entry_hash, vec![0; 32]);
    assert!(!read(&all).0);
    all[2].entry_hash = hash;
    all[5].entry.user_name.push('x');
    assert!(!read(&all).0);
    all[5].entry.user_name.pop();
    all[7].entry.user_name.push('x');
    assert!(codes(&read(&all).1).contains(&"E01"));
}
