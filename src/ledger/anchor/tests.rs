//! Anchors judged, held against logs that were tampered with, and kept in a directory.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::judge::log_of;
use super::*;
use crate::error::Kind;
use crate::keys::Secret;
use crate::ledger::checkpoint::{Checkpoint, VerifierKey};
use crate::ledger::tree::Frontier;

const LOG: [u8; 16] = [2; 16];

fn seed(byte: u8) -> Secret {
    Secret::copy_of(&[byte; 32])
}

fn signers() -> Vec<Signer> {
    [1, 2]
        .map(|version| Signer {
            label: format!("masking/{version}").into(),
            key: VerifierKey::of_seed(&origin(&LOG), &seed(version)).unwrap(),
        })
        .into()
}

/// Entry hashes of an honest log.
fn log(length: u8) -> Vec<[u8; 32]> {
    (1..=length).map(|byte| [byte; 32]).collect()
}

fn checkpoint(entries: &[[u8; 32]]) -> Checkpoint {
    let mut tree = Frontier::default();
    for hash in entries {
        tree.push(hash);
    }
    Checkpoint {
        origin: origin(&LOG),
        size: tree.size(),
        root: tree.root(),
    }
}

fn note(entries: &[[u8; 32]]) -> String {
    checkpoint(entries).sign(&origin(&LOG), &seed(1))
}

/// Code, first and last entry of a finding.
type Place = (&'static str, Option<i64>, Option<i64>);

/// What is found, and what is covered.
fn compared(notes: &[String], entries: &[(i64, [u8; 32])]) -> (Vec<Place>, Option<u64>) {
    let mut judge = Judge::new(Some(LOG), signers());
    for note in notes {
        judge.note("no. 1", note);
    }
    let mut anchors = judge.finish();
    for (seq, hash) in entries {
        anchors.entry(*seq, hash);
    }
    let last = entries.last().map_or(0, |(seq, _)| *seq);
    let (findings, covered) = anchors.finish(last);
    (
        findings
            .iter()
            .map(|found| (found.code, found.seq_from, found.seq_to))
            .collect(),
        covered.map(|covered| covered.size),
    )
}

fn numbered(entries: &[[u8; 32]]) -> Vec<(i64, [u8; 32])> {
    (1..).zip(entries.iter().copied()).collect()
}

#[test]
fn anchor_origin_names_the_log_in_one_spelling() {
    let name = origin(&LOG);
    assert_eq!(name, "confiture/02020202-0202-0202-0202-020202020202");
    assert_eq!(log_of(&name), Some(LOG));
    for other in [
        "",
        "confiture/",
        "confiture/02020202020202020202020202020202",
        "confiture/02020202-0202-0202-0202-0202020202020",
        "confiture/0202020-20202-0202-0202-020202020202",
        "Confiture/02020202-0202-0202-0202-020202020202",
        "confiture/0202020A-0202-0202-0202-020202020202",
        "example.com/02020202-0202-0202-0202-020202020202",
    ] {
        assert_eq!(log_of(other), None, "{other}");
    }
}

#[test]
fn anchor_of_an_honest_log_covers_what_came_before_it() {
    let entries = log(9);
    assert_eq!(compared(&[], &numbered(&entries)), (vec![], None));
    for size in 0..=9 {
        let notes = [note(&entries[..size])];
        let found = compared(&notes, &numbered(&entries));
        assert_eq!(found, (vec![], Some(size as u64)));
    }
    // In any order, twice, and of different keys.
    let other = checkpoint(&entries[..6]).sign(&origin(&LOG), &seed(2));
    let notes = [
        note(&entries[..6]),
        note(&entries[..2]),
        other,
        note(&entries[..6]),
        note(&[]),
    ];
    assert_eq!(compared(&notes, &numbered(&entries)), (vec![], Some(6)));
}

#[test]
fn anchor_finds_a_cut_end() {
    let entries = log(9);
    let notes = [note(&entries[..3]), note(&entries[..7]), note(&entries)];
    for left in 0..9 {
        let (found, covered) = compared(&notes, &numbered(&entries[..left]));
        assert_eq!(found, [("E08", Some(left as i64 + 1), Some(9))]);
        let expected = [None, Some(3), Some(7)][usize::from(left >= 3) + usize::from(left >= 7)];
        assert_eq!(covered, expected);
    }
}

#[test]
fn anchor_finds_a_log_that_was_written_anew() {
    let entries = log(9);
    let notes = [
        note(&entries[..3]),
        note(&entries[..5]),
        note(&entries[..7]),
    ];
    for at in 0..9 {
        let mut forked = entries.clone();
        forked[at][0] ^= 1;
        let (found, covered) = compared(&notes, &numbered(&forked));
        let (expected, good) = match at {
            0..3 => (vec![("E09", Some(1), Some(3))], None),
            3..5 => (vec![("E09", Some(4), Some(5))], Some(3)),
            5..7 => (vec![("E09", Some(6), Some(7))], Some(5)),
            _ => (vec![], Some(7)),
        };
        assert_eq!((found, covered), (expected, good), "{at}");
    }
    // Entries that are missing or there twice give no root of the right size.
    let mut gone = numbered(&entries);
    gone.remove(6);
    assert_eq!(compared(&notes, &gone).0, [("E09", Some(6), Some(7))]);
    let mut twice = numbered(&entries);
    twice.insert(4, twice[4]);
    assert!(compared(&notes, &twice).0.iter().any(|f| f.0 == "E09"));
    let mut shifted = numbered(&entries);
    shifted.remove(0);
    assert!(compared(&notes, &shifted).0.iter().any(|f| f.0 == "E09"));
}

#[test]
fn anchor_finds_two_histories_of_one_size() {
    let entries = log(5);
    let mut forked = entries.clone();
    forked[4] = [99; 32];
    let notes = [note(&entries), note(&forked)];
    for log in [&entries, &forked] {
        let (found, covered) = compared(&notes, &numbered(log));
        assert!(found.contains(&("E09", Some(5), Some(5))), "{found:?}");
        assert_eq!(covered, Some(5));
    }
    // Also where the log has gone altogether.
    assert!(compared(&notes, &[]).0.contains(&("E09", Some(5), Some(5))));
}

#[test]
fn anchor_is_judged_before_it_is_believed() {
    let entries = log(5);
    let good = note(&entries);
    let other_log = Checkpoint {
        origin: origin(&[3; 16]),
        ..checkpoint(&entries)
    };
    let other_origin = Checkpoint {
        origin: "example.com/log".into(),
        ..checkpoint(&entries)
    };
    let more = Checkpoint {
        size: 6,
        ..checkpoint(&entries)
    };
    let text = "no checkpoint at all\n";
    for (note, code) in [
        (good.replace("\n5\n", "\n6\n"), "E02"),
        (good.replacen('\u{2014}', "-", 1), "E02"),
        (format!("{good}x"), "E02"),
        (String::new(), "E02"),
        (good.replace(&checkpoint(&entries).text(), text), "E02"),
        // Signed by our key, yet of another log: it says nothing of this one.
        (other_log.sign(&other_log.origin, &seed(1)), "E09"),
        (other_origin.sign(&origin(&LOG), &seed(1)), "E09"),
        (more.sign(&origin(&LOG), &seed(9)), "E11"),
        (more.sign("somebody", &seed(1)), "E11"),
    ] {
        let (found, covered) = compared(std::slice::from_ref(&note), &numbered(&entries));
        assert_eq!(found, [(code, None, None)], "{note}");
        assert_eq!(covered, None);
        // A good one beside it goes on counting.
        let (found, covered) = compared(&[note, good.clone()], &numbered(&entries));
        assert_eq!(found, [(code, None, None)]);
        assert_eq!(covered, Some(5));
    }
    // A signature of a stranger beside ours changes nothing.
    let stranger = checkpoint(&entries).sign("witness.example", &seed(7));
    let line = stranger.lines().last().unwrap();
    let both = format!("{good}{line}\n");
    assert_eq!(compared(&[both], &numbered(&entries)), (vec![], Some(5)));
    // Before there is a log, every anchor is of another one.
    let mut judge = Judge::new(None, Vec::new());
    judge.note("no. 1", &good);
    let (found, _) = judge.finish().finish(0);
    assert_eq!((found[0].code, found[0].status), ("E09", "fail"));
}

#[test]
fn anchor_findings_of_one_kind_are_one() {
    let mut judge = Judge::new(Some(LOG), signers());
    for number in 1..=3 {
        judge.note(&format!("no. {number}"), "");
        judge.found((format!("no. {number}"), None));
    }
    let (found, _) = judge.finish().finish(0);
    assert_eq!(found.len(), 2);
    assert!(found[0].detail.contains("no. 1") && found[0].detail.contains("3 anchors"));
    assert_eq!((found[1].code, found[1].status), ("E11", "unverifiable"));
}

#[test]
fn anchor_key_that_is_kept_is_bound() {
    let (verifier, public) = (seed(3), VerifierKey::public_of(&seed(1)));
    let seal = seal_of(&verifier, &public);
    assert!(is_sealed(&verifier, &public, &seal));
    assert!(!is_sealed(
        &verifier,
        &VerifierKey::public_of(&seed(2)),
        &seal
    ));
    assert!(!is_sealed(&seed(4), &public, &seal));
    assert!(!is_sealed(&verifier, &public, &[]));
}

/// A folder of its own for a test, gone after it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(format!("/tmp/anchors-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("data/inside")).unwrap();
        std::fs::create_dir(path.join("anchors")).unwrap();
        set_mode(&path.join("anchors"), 0o755);
        Self(path)
    }

    fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    fn anchors(&self) -> PathBuf {
        self.0.join("anchors")
    }

    fn write(&self, directory: &Path, size: u64, note: &str) -> Result<(), (Kind, String)> {
        write_to_directory(directory, &self.data(), &LOG, size, note).map_err(|error| {
            let detail = error.detail().unwrap_or_default().to_owned();
            (error.kind(), detail)
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn anchor_directory_takes_each_anchor_once() {
    let folder = Folder::new("once");
    let anchors = folder.anchors();
    let text = note(&log(5));
    folder.write(&anchors, 5, &text).unwrap();
    folder.write(&anchors, 5, &text).unwrap();
    let name = "02020202-0202-0202-0202-020202020202-00000000000000000005.note";
    assert_eq!(std::fs::read_to_string(anchors.join(name)).unwrap(), text);
    let (kind, _) = folder.write(&anchors, 5, &note(&log(4))).unwrap_err();
    assert_eq!(kind, Kind::Corrupt);
    assert_eq!(std::fs::read_to_string(anchors.join(name)).unwrap(), text);
    let mode = std::fs::metadata(anchors.join(name)).unwrap().permissions();
    assert_eq!(mode.mode() & 0o222, 0);
}

#[test]
fn anchor_directory_follows_no_link() {
    let folder = Folder::new("link");
    let name = "02020202-0202-0202-0202-020202020202-00000000000000000005.note";
    let elsewhere = folder.0.join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, folder.anchors().join(name)).unwrap();
    let text = note(&log(5));
    assert!(folder.write(&folder.anchors(), 5, &text).is_err());
    assert!(!elsewhere.exists());
    std::fs::write(&elsewhere, &text).unwrap();
    assert!(folder.write(&folder.anchors(), 5, &text).is_err());
    let found = directory::newest(&folder.anchors(), &LOG).unwrap().unwrap();
    assert_eq!(found.1, None);
}

#[test]
fn anchor_directory_must_be_out_of_reach_of_others() {
    let folder = Folder::new("rules");
    let text = note(&log(1));
    let refusal = |directory: &Path| {
        let (kind, detail) = folder.write(directory, 1, &text).unwrap_err();
        assert_eq!(kind, Kind::NotReady, "{detail}");
        detail
    };
    assert!(refusal(Path::new("relative")).contains("absolute"));
    assert!(refusal(&folder.0.join("absent")).contains("reached"));
    assert!(refusal(&folder.data()).contains("data directory"));
    assert!(refusal(&folder.data().join("inside")).contains("data directory"));
    let way_in = folder.0.join("way_in");
    std::os::unix::fs::symlink(folder.data().join("inside"), &way_in).unwrap();
    assert!(refusal(&way_in).contains("data directory"));
    let file = folder.0.join("file");
    std::fs::write(&file, "").unwrap();
    assert!(refusal(&file).contains("not a directory"));
    for mode in [0o775, 0o757, 0o777, 0o1777] {
        set_mode(&folder.anchors(), mode);
        assert!(
            refusal(&folder.anchors()).contains("permissions"),
            "{mode:o}"
        );
    }
    for mode in [0o700, 0o750, 0o755] {
        set_mode(&folder.anchors(), mode);
        assert_eq!(directory::problem(&folder.anchors(), &folder.data()), None);
    }
}

#[test]
fn anchor_directory_gives_back_what_is_of_this_log() {
    let folder = Folder::new("read");
    let anchors = folder.anchors();
    for size in [3, 12, 7] {
        folder.write(&anchors, size, &note(&log(3))).unwrap();
    }
    write_to_directory(&anchors, &folder.data(), &[9; 16], 99, "of another log").unwrap();
    for name in [
        "readme",
        "02020202-0202-0202-0202-020202020202-4.note",
        "02020202-0202-0202-0202-020202020202-+0000000000000000004.note",
        "02020202-0202-0202-0202-020202020202-00000000000000000004.note.tmp",
    ] {
        std::fs::write(anchors.join(name), "x").unwrap();
    }
    let mut found = Vec::new();
    directory::each(&anchors, &LOG, |(place, text)| {
        assert_eq!(text, Some(note(&log(3))));
        found.push(place);
    })
    .unwrap();
    found.sort();
    assert_eq!(found.len(), 3);
    assert!(found[2].contains("-00000000000000000012.note"));
    let newest = directory::newest(&anchors, &LOG).unwrap().unwrap();
    assert_eq!(newest.0, found[2]);
    assert_eq!(directory::newest(&anchors, &[8; 16]).unwrap(), None);
    assert!(directory::each(&folder.0.join("absent"), &LOG, |_| {}).is_err());
}
