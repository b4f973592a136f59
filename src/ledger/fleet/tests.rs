//! What is said of ledgers, and of sets of them.

use serde_json::{Value, json};

use super::member::Ledger;
use super::*;
use crate::ledger::export::NO_KEYS;
use crate::ledger::verify::Finding;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/ledger.json")).unwrap()
}

fn lines(vectors: &Value) -> Vec<String> {
    let records = vectors["records"].as_array().unwrap();
    records
        .iter()
        .map(|record| record["line"].to_string())
        .collect()
}

fn server(vectors: &Value, anchor: Option<&str>) -> Server {
    let anchors: Vec<_> = anchor
        .into_iter()
        .map(|name| vectors[name].clone())
        .collect();
    let given = json!([{"server": "one", "ledger": "a.b", "anchors": anchors,
                        "anchor_keys": [vectors["anchor_key"]]}]);
    servers(given).unwrap().remove(0)
}

fn reading(server: &Server, lines: &[String]) -> Member {
    let mut keys = NO_KEYS;
    let mut reading = Reading::new(server, &mut keys);
    assert!(lines.iter().all(|line| reading.line(line)));
    reading.finish()
}

/// Code, status and last entry of the rows about servers.
fn said(member: Member) -> Vec<(&'static str, &'static str, Option<i64>)> {
    judge(&[member], &Question::default())
        .into_iter()
        .filter(|row| row.server.is_some())
        .map(|row| (row.code, row.status, row.seq_to))
        .collect()
}

#[test]
fn fleet_reads_a_ledger_and_says_how_far_its_anchor_reaches() {
    let vectors = vectors();
    let lines = lines(&vectors);
    let of = |anchor| {
        let mut rows = said(reading(&server(&vectors, anchor), &lines));
        rows.truncate(2);
        rows
    };
    assert_eq!(
        of(Some("anchor_of_all")),
        [("SERVER", "ok", Some(9)), ("RUN", "ok", Some(9))]
    );
    // The last run came after the anchor.
    assert_eq!(
        of(Some("anchor")),
        [("SERVER", "ok", Some(4)), ("RUN", "unverifiable", Some(9))]
    );
    // Nobody vouches for itself.
    assert_eq!(
        of(None),
        [
            ("SERVER", "unverifiable", None),
            ("RUN", "unverifiable", Some(9))
        ]
    );
}

#[test]
fn fleet_takes_the_last_run_that_was_verified() {
    let vectors = vectors();
    let lines = lines(&vectors);
    let State::Read(ledger) = reading(&server(&vectors, None), &lines[..17]).state else {
        panic!("it was read");
    };
    // Entry 6 says that its run was not.
    let [(profile, run)] = &ledger.runs[..] else {
        panic!("one profile");
    };
    assert_eq!((&**profile, run.seq, run.failed_since), ("webshop", 3, 1));
    assert!(run.window.0 <= run.window.1);
}

#[test]
fn fleet_tells_of_ledgers_that_were_changed_and_cut() {
    let vectors = vectors();
    let honest = lines(&vectors);
    let anchored = server(&vectors, Some("anchor_of_all"));
    let status = |lines: &[String]| said(reading(&anchored, lines))[0].1;
    assert_eq!(status(&honest), "ok");
    let mut edited = honest.clone();
    edited[5] = edited[5].replace("\"event\":\"COMPLETED\"", "\"event\":\"FAILED\"");
    assert_ne!(edited, honest);
    assert_eq!(status(&edited), "fail");
    assert_eq!(status(&honest[..6]), "fail");
    // Pinned keys are those of one log.
    let mut other = server(&vectors, None);
    let name = "confiture/00000000-0000-0000-0000-000000000000";
    other.keys = vec![VerifierKey::new(name, anchored.keys[0].public()).unwrap()];
    assert_eq!(said(reading(&other, &honest))[0].1, "fail");
    // What is no line is none, and no ledger is no good one.
    let mut keys = NO_KEYS;
    let mut reading = Reading::new(&anchored, &mut keys);
    assert!(!reading.line("{}") && !reading.line("S3CRET"));
    assert_eq!(said(reading.finish())[0], ("SERVER", "fail", None));
}

fn run(seq: i64) -> Run {
    Run {
        seq,
        run_id: [1; 16],
        version: "1.0".into(),
        hash: vec![1; 32],
        window: (100, 200),
        strategies: json!({"customers": {"email": "email/1"}}).to_string(),
        key: Some("masking/1".into()),
        key_fingerprint: Some("aa".into()),
        masks_fingerprint: Some("bb".into()),
        rows: 5,
        failed_since: 0,
    }
}

fn member(number: u8, change: impl FnOnce(&mut Run)) -> Member {
    let mut last = run(3);
    change(&mut last);
    Member {
        name: format!("shard{number}"),
        keys: vec![[number; 32]],
        state: State::Read(Box::new(Ledger {
            log_id: [number; 16],
            head: (4, vec![number; 32]),
            covers: 3,
            is_another: false,
            runs: vec![("shop".into(), last)],
            is_cut: false,
            findings: Vec::new(),
        })),
    }
}

fn ledger(member: &mut Member) -> &mut Ledger {
    match &mut member.state {
        State::Read(ledger) => ledger,
        State::Unread(..) => panic!("it was read"),
    }
}

/// Status of the set, and code with status of what is said of it.
fn of_set(members: &[Member], question: &Question) -> (&'static str, Vec<String>) {
    let rows = judge(members, question);
    let found = rows[1..]
        .iter()
        .filter(|row| row.server.is_none())
        .map(|row| format!("{} {}", row.code, row.status));
    assert_eq!(rows[0].code, "FLEET");
    (rows[0].status, found.collect())
}

fn three(change: impl FnOnce(&mut Run)) -> [Member; 3] {
    [member(1, |_| ()), member(2, |_| ()), member(3, change)]
}

fn found(change: impl FnOnce(&mut Run)) -> (&'static str, Vec<String>) {
    of_set(&three(change), &Question::default())
}

#[test]
fn fleet_that_is_alike_is_ok_and_what_differs_is_named() {
    assert_eq!(found(|_| ()), ("ok", vec![]));
    // The same keys, seeds and salts, under other numbers.
    assert_eq!(
        found(|run| run.key = Some("masking/2".into())),
        ("ok", vec![])
    );
    let fails = |code: &str| ("fail", vec![format!("{code} fail")]);
    assert_eq!(found(|run| run.hash = vec![2; 32]), fails("F05"));
    assert_eq!(
        found(|run| run.strategies = json!({"customers": {"email": "email/2"}}).to_string()),
        fails("F06")
    );
    assert_eq!(
        found(|run| {
            run.key_fingerprint = Some("cc".into());
            run.masks_fingerprint = Some("dd".into());
        }),
        fails("F07")
    );
    // One that claims to have needed no key.
    assert_eq!(
        found(|run| (run.key, run.key_fingerprint, run.masks_fingerprint) = (None, None, None)),
        fails("F07")
    );
    assert_eq!(
        found(|run| run.masks_fingerprint = Some("dd".into())),
        fails("F08")
    );
    let (status, rows) = found(|run| {
        run.key_fingerprint = None;
        run.masks_fingerprint = None;
    });
    assert_eq!(
        (status, &*rows),
        ("unverifiable", &["F11 unverifiable".to_owned()][..])
    );
    // A run that needs no key has nothing to tell apart.
    let keyless = |run: &mut Run| {
        (run.key, run.key_fingerprint, run.masks_fingerprint) = (None, None, None);
    };
    let members = [1, 2].map(|number| member(number, keyless));
    assert_eq!(of_set(&members, &Question::default()), ("ok", vec![]));
}

#[test]
fn fleet_says_who_differs_and_how() {
    let rows = judge(
        &three(|run| run.strategies = json!({"customers": {"email": "hash/1"}}).to_string()),
        &Question::default(),
    );
    assert_eq!(
        rows[1].detail,
        "Of profile \"shop\", tables, columns or strategies differ: \"email/1\" for \
         \"customers.email\" on \"shard1\" and \"shard2\"; \"hash/1\" for \"customers.email\" on \
         \"shard3\"."
    );
    assert_eq!(rows[1].facts["groups"][1]["servers"], json!(["shard3"]));
    let rows = judge(
        &three(|run| run.strategies = json!({"customers": {}}).to_string()),
        &Question::default(),
    );
    assert!(
        rows[1].detail.contains("no \"customers.email\" on"),
        "{}",
        rows[1].detail
    );
}

#[test]
fn fleet_counts_its_members() {
    let members = three(|_| ());
    let expecting = |logs: &[u8]| Question {
        expected: Some(logs.iter().map(|log| [*log; 16]).collect()),
        ..Question::default()
    };
    assert_eq!(of_set(&members, &expecting(&[1, 2, 3])), ("ok", vec![]));
    let missing = vec!["F01 fail".to_owned()];
    assert_eq!(
        of_set(&members, &expecting(&[1, 2, 3, 4])),
        ("fail", missing)
    );
    let stranger = vec!["F02 fail".to_owned()];
    assert_eq!(of_set(&members, &expecting(&[1, 2])), ("fail", stranger));
    // One server under two names, and two that sign with one key.
    let mut twice = three(|_| ());
    ledger(&mut twice[2]).log_id = [2; 16];
    assert_eq!(
        of_set(&twice, &Question::default()),
        ("fail", vec!["F03 fail".to_owned()])
    );
    let mut sharing = three(|_| ());
    sharing[2].keys = vec![[2; 32]];
    assert_eq!(
        of_set(&sharing, &Question::default()),
        ("ok", vec!["F10 warn".to_owned()])
    );
}

#[test]
fn fleet_misses_runs_and_servers() {
    let mut members = three(|_| ());
    ledger(&mut members[1]).runs.clear();
    let without = vec!["F04 fail".to_owned()];
    assert_eq!(
        of_set(&members, &Question::default()),
        ("fail", without.clone())
    );
    let of = |profile: &str| Question {
        profile: Some(profile.to_owned()),
        ..Question::default()
    };
    assert_eq!(of_set(&three(|_| ()), &of("shop")), ("ok", vec![]));
    assert_eq!(of_set(&three(|_| ()), &of("absent")), ("fail", without));
    let mut members = three(|_| ());
    members[0].state = State::Unread("unverifiable", "It does not answer.".to_owned());
    assert_eq!(
        of_set(&members, &Question::default()),
        ("unverifiable", vec![])
    );
}

#[test]
fn fleet_holds_runs_to_one_time() {
    let hour = 3_600_000_000;
    let late = |run: &mut Run| run.window = (hour, hour + 100);
    assert_eq!(found(late), ("ok", vec!["F09 warn".to_owned()]));
    let within = |within| Question {
        within: Some(within),
        ..Question::default()
    };
    assert_eq!(of_set(&three(late), &within(2 * hour)), ("ok", vec![]));
    let apart = ("fail", vec!["F09 fail".to_owned()]);
    assert_eq!(of_set(&three(late), &within(60)), apart);
    assert_eq!(found(|run| run.window = (200, 300)), ("ok", vec![]));
    // Whatever a clock claims.
    let (status, _) = found(|run| run.window = (i64::MIN, i64::MAX));
    assert_eq!(status, "ok");
    assert_eq!(found(|run| run.window = (i64::MAX, i64::MIN)).1.len(), 1);
}

#[test]
fn fleet_passes_on_what_verification_finds() {
    let mut members = three(|_| ());
    let finding = |code, status| Finding {
        code,
        status,
        chain: "audit",
        seq_from: Some(2),
        seq_to: Some(2),
        detail: "It says so.".to_owned(),
    };
    ledger(&mut members[0]).findings = vec![finding("W01", "warn")];
    assert_eq!(of_set(&members, &Question::default()).0, "ok");
    ledger(&mut members[0]).findings = vec![finding("E12", "unsigned")];
    assert_eq!(of_set(&members, &Question::default()).0, "unsigned");
    ledger(&mut members[0]).findings = vec![finding("E01", "fail")];
    let rows = judge(&members, &Question::default());
    let of_one = rows
        .iter()
        .filter(|row| row.server.as_deref() == Some("shard1"));
    let codes: Vec<_> = of_one.map(|row| (row.code, row.status)).collect();
    assert_eq!(
        codes,
        [("SERVER", "fail"), ("RUN", "fail"), ("E01", "fail")]
    );
}

#[test]
fn fleet_refuses_what_is_no_list_of_servers() {
    let one = |change: &dyn Fn(&mut Value)| {
        let mut server = json!({"server": "one", "ledger": "a.b"});
        change(&mut server);
        json!([server])
    };
    assert!(servers(one(&|_| ())).is_ok());
    for bad in [
        json!({}),
        json!([]),
        json!(["S3CRET"]),
        one(&|server| server["server"] = json!("")),
        one(&|server| server["server"] = json!("S3CRET\n")),
        one(&|server| server["server"] = json!("S3CRET".repeat(100))),
        one(&|server| server["server"] = Value::Null),
        one(&|server| server["more"] = json!("S3CRET")),
        one(&|server| server["anchor_keys"] = json!(["S3CRET"])),
        one(&|server| server["anchors"] = json!("S3CRET")),
        json!([{"server": "one"}, {"server": "one"}]),
    ] {
        let error = servers(bad).err().expect("it is refused");
        assert_eq!(error.kind(), Kind::InvalidParameter);
        assert!(!format!("{error:?}").contains("S3CRET"));
    }
}

#[test]
fn fleet_writes_nothing_that_commands_a_terminal() {
    let rows = judge(
        &three(|run| {
            run.version = "\u{1b}[2J".repeat(100);
            run.hash = vec![2; 32];
        }),
        &Question::default(),
    );
    assert!(rows.iter().all(|row| !row.detail.contains('\u{1b}')));
    assert!(rows.iter().all(|row| row.detail.len() < 600));
}
