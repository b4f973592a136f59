//! What the ledger is verified by: documents in their canonical form, lines of an export, anchors.

use std::sync::OnceLock;

use confiture::ledger::anchor::{Judge, Signer, origin};
use confiture::ledger::canonical;
use confiture::ledger::checkpoint::{Checkpoint, Note, Signed, VerifierKey};
use confiture::ledger::export::{Line, NO_KEYS, Reader};
use confiture::ledger::json::Json;
use serde_json::Value;

/// The log of the published vectors, and what verifies its anchors.
const LOG: [u8; 16] = *b"log of a vector!";

struct Published {
    key: VerifierKey,
    /// An anchor of four entries, and one of all.
    anchors: [String; 2],
    /// The lines of the export, each as what is hashed of it.
    lines: Vec<String>,
}

fn published() -> &'static Published {
    static PUBLISHED: OnceLock<Published> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/ledger.json")).expect("JSON");
        let text = |name: &str| vectors[name].as_str().expect("a text").to_owned();
        let records = vectors["records"].as_array().expect("records");
        Published {
            key: VerifierKey::parse(&text("anchor_key")).expect("a key"),
            anchors: [text("anchor"), text("anchor_of_all")],
            lines: records
                .iter()
                .map(|record| hashed(record["line"].clone()))
                .collect(),
        }
    })
}

/// A line without its signature, which is checked where the key is, and without what is not there.
fn hashed(mut line: Value) -> String {
    if let Value::Object(members) = &mut line {
        members.retain(|name, value| name != "signature" && !value.is_null());
    }
    canonical::json(&line)
}

/// A document becomes the same text however it is read, and that text stays as it is.
pub(crate) fn canonical(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Some(document) = Json::parse(text) else {
        return;
    };
    let again = Json::parse(document.text()).expect("what was written can be read");
    assert_eq!(document, again);
    let value: Value = serde_json::from_str(text).expect("a document is JSON");
    assert_eq!(document.text(), canonical::json(&value));
}

/// Lines of an export: no change of what an anchor covers goes unnoticed.
pub(crate) fn entry(input: &[u8]) {
    verified(input);
}

/// How many entries are verified by the anchor; 0 where something is wrong.
pub(crate) fn verified(input: &[u8]) -> u64 {
    let published = published();
    let texts: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    let mut read = Vec::new();
    for text in &texts {
        if let Ok(line) = serde_json::from_slice::<Line>(text) {
            read.push((line, *text));
        }
    }
    let Some(log_id) = read.first().and_then(|(line, _)| line.log_id()) else {
        return 0;
    };
    let signer = Signer {
        label: "masking 1".into(),
        key: published.key.clone(),
    };
    let mut judge = Judge::new(Some(log_id), vec![signer]);
    judge.note("anchor", &published.anchors[0]);
    let mut keys = NO_KEYS;
    let mut reader = Reader::new(log_id, judge.finish(), &mut keys);
    let mut entries = Vec::new();
    for (line, text) in read {
        let is_audit = matches!(line, Line::Audit(_));
        reader.take(line, text);
        if is_audit {
            entries.push(text);
        }
    }
    let covered = reader.covers();
    let findings = reader.finish();
    assert!(!findings.is_empty(), "nothing is said of an export");
    if log_id != LOG || covered == 0 || findings.iter().any(|found| found.status == "fail") {
        return 0;
    }
    for text in entries {
        let line: Value = serde_json::from_slice(text).expect("JSON");
        let is_covered = line["seq"].as_u64().is_some_and(|seq| seq <= covered);
        assert!(
            !is_covered || published.lines.contains(&hashed(line)),
            "a changed entry is verified: {findings:?}"
        );
    }
    covered
}

/// A note: only the one that was signed is taken for signed.
pub(crate) fn anchor(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(key) = VerifierKey::parse(text) {
        assert!(!key.name().is_empty() && !key.id().is_empty());
    }
    let mut judge = Judge::new(Some(LOG), Vec::new());
    judge.note("given", text);
    let _ = judge.finish();
    let Ok(note) = Note::parse(text) else {
        return;
    };
    if let Ok(checkpoint) = Checkpoint::parse(note.text) {
        assert_eq!(Checkpoint::parse(&checkpoint.text()), Ok(checkpoint));
    }
    let published = published();
    let keys = std::slice::from_ref(&published.key);
    if let Signed::By(_) = note.signed(keys, |key| key) {
        assert!(note.text.starts_with(&origin(&LOG)));
        let mut signed = published.anchors.iter();
        assert!(
            signed.any(|anchor| anchor.split("\n\n").next() == Some(note.text.trim_end())),
            "a forged anchor: {}",
            note.text
        );
    }
}
