//! The program on the published vectors, and on what was made of them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn vectors() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/ledger.json");
    serde_json::from_str(&fs::read_to_string(file).expect("the vectors")).expect("JSON")
}

fn lines(vectors: &Value) -> Vec<String> {
    lines_of(vectors, "records")
}

fn lines_of(vectors: &Value, name: &str) -> Vec<String> {
    let records = vectors[name].as_array().expect("records");
    records
        .iter()
        .map(|record| record["line"].to_string())
        .collect()
}

fn anchor(vectors: &Value, name: &str) -> PathBuf {
    let path =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::write(&path, vectors[name].as_str().expect("a note")).expect("a file");
    path
}

/// Exit status, what was found as `code status`, and what was said of errors.
fn run(export: &str, arguments: &[&str]) -> (i32, Vec<String>, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_confiture-verify"))
        .arg("--json")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    // It may end before it has read everything.
    let _ = program
        .stdin
        .take()
        .expect("a pipe")
        .write_all(export.as_bytes());
    let output = program.wait_with_output().expect("its end");
    let found = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|row| format!("{} {}", row["check_code"], row["chain"]).replace('"', ""))
        .collect();
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), found, problem)
}

#[test]
fn verifier_takes_the_published_vectors() {
    let vectors = vectors();
    let export = lines(&vectors).join("\n");
    let (status, found, problem) = run(&export, &[]);
    assert_eq!(
        (status, &*found.join(", "), &*problem),
        (0, "OK audit, W01 audit, E11 audit, W01 journal", "")
    );
    let key = vectors["anchor_key"].as_str().expect("a key");
    let note = anchor(&vectors, "anchor_of_all");
    let note = note.to_str().expect("a path");
    let (status, found, _) = run(&export, &["--anchor", note, "--key", key, "-"]);
    assert_eq!(
        (status, &*found.join(", ")),
        (0, "OK audit, E11 audit, W01 journal")
    );
    // Without the key nothing follows from an anchor.
    let (status, found, _) = run(&export, &["--anchor", note]);
    assert_eq!((status, &*found[0]), (0, "E11 audit"));
    assert!(!found.contains(&"OK audit".to_owned()), "{found:?}");
}

#[test]
fn verifier_tells_of_entries_that_are_not_signed() {
    let vectors = vectors();
    let export = lines_of(&vectors, "unsigned_records").join("\n");
    let (status, found, problem) = run(&export, &[]);
    assert_eq!(
        (status, &*found.join(", "), &*problem),
        (0, "E12 audit, E12 lineage, W01 audit, E11 audit", "")
    );
    // A log that is signed does not go back.
    let mut back = lines(&vectors);
    let last = back
        .iter()
        .rposition(|line| line.contains(r#""chain":"audit""#));
    let last = &mut back[last.expect("an entry")];
    *last = last.replace(r#""key_name":"masking""#, r#""key_name":"none""#);
    let (status, found, _) = run(&back.join("\n"), &[]);
    assert_eq!(status, 1);
    assert!(found.contains(&"E02 audit".to_owned()), "{found:?}");
}

#[test]
fn verifier_finds_what_was_done_to_an_export() {
    let vectors = vectors();
    let honest = lines(&vectors);
    let place = |what: &str| {
        honest
            .iter()
            .position(|line| line.contains(what))
            .expect("a line")
    };
    let edit = |from: &str, to: &str| {
        let mut edited = honest.clone();
        let at = place(from);
        edited[at] = edited[at].replace(from, to);
        edited
    };
    let without = |what: &str| {
        let mut cut = honest.clone();
        cut.remove(place(what));
        cut
    };
    let mut swapped = honest.clone();
    swapped.swap(0, 1);
    let cases = [
        (edit(r#""seconds":0"#, r#""seconds":1"#), "E01 audit"),
        (
            edit(r#""rows_changed":2"#, r#""rows_changed":3"#),
            "E01 lineage",
        ),
        (
            edit(r#""reason":"ticket ½""#, r#""reason":null"#),
            "E06 journal",
        ),
        (
            edit(r#""canon_version":1"#, r#""canon_version":2"#),
            "E01 audit",
        ),
        (without(r#""event":"COMPLETED""#), "E04 audit"),
        (without(r#""column_name":"column 1""#), "E05 audit"),
        (without(r#""event":"REVEALED""#), "E04 journal"),
        (swapped, "E03 audit"),
    ];
    for (number, (export, code)) in cases.iter().enumerate() {
        let (status, found, _) = run(&export.join("\n"), &[]);
        assert_eq!(status, 1, "case {number}: {found:?}");
        assert!(
            found.contains(&(*code).to_owned()),
            "case {number}: {found:?}"
        );
    }
    // A tail that was cut off shows by an anchor only.
    let cut = honest[..place(r#""event":"ANCHORED""#)].join("\n");
    assert_eq!(run(&cut, &[]).0, 0);
    let key = vectors["anchor_key"].as_str().expect("a key");
    let all = anchor(&vectors, "anchor_of_all");
    let (status, found, _) = run(
        &cut,
        &["--anchor", all.to_str().expect("a path"), "--key", key],
    );
    assert_eq!(
        (status, found.contains(&"E08 audit".to_owned())),
        (1, true),
        "{found:?}"
    );
}

#[test]
fn verifier_reads_nothing_over() {
    let honest = lines(&vectors());
    let line = &honest[0];
    let broken = [
        String::new(),
        "\n\n".to_owned(),
        "{".to_owned(),
        line[..line.len() / 2].to_owned(),
        line.replacen('{', r#"{"more":1,"#, 1),
        line.replacen('{', r#"{"seq":1,"#, 1),
        line.replace(r#""key":"masking""#, r#""key":"x","key":"masking""#),
        line.replace(r#""chain":"audit""#, r#""chain":"other""#),
        line.replace(r#""backend_pid":4711"#, r#""backend_pid":"secret word""#),
        format!("{line} {line}"),
    ];
    for export in &broken {
        assert_ne!(export, line);
        let (status, found, problem) = run(export, &[]);
        assert_eq!((status, found.len()), (2, 0), "{export}: {problem}");
        assert!(problem.starts_with("confiture-verify: ") && !problem.contains("secret"));
    }
    for arguments in [
        &["--anchor"][..],
        &["--anchor", "/nowhere"],
        &["--key", "x"],
        &["--other"],
        &["/nowhere"],
        &["-", "-"],
    ] {
        assert_eq!(run(line, arguments).0, 2, "{arguments:?}");
    }
    assert_eq!(run("", &["--help"]).0, 0);
}
