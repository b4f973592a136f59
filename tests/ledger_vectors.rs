//! Published vectors of the ledger: `tests/vectors/ledger.json`, for whoever writes a reader.
//!
//! Written by `CONFITURE_WRITE=1 cargo test --test ledger_vectors`, and compared ever after. A
//! difference is a ledger that verifies no more: never write the file anew for an encoding that is
//! in use. `tests/cluster/ledger_verifier.py` recomputes it by the documentation alone.

// One object of many members.
#![recursion_limit = "256"]

use std::fs;
use std::path::Path;

use confiture::keys::{Secret, Use, subkey};
use confiture::ledger::anchor::origin;
use confiture::ledger::checkpoint::{Checkpoint, VerifierKey};
use confiture::ledger::entry::{self, Event, LineageRange};
use confiture::ledger::journal::record::{self, Line};
use confiture::ledger::json::Json;
use confiture::ledger::lineage;
use confiture::ledger::tree::Frontier;
use serde_json::{Value, json};

const LOG: [u8; 16] = *b"log of a vector!";

#[test]
fn ledger_vectors_are_the_published_ones() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ledger.json");
    let found = vectors();
    if std::env::var_os("CONFITURE_WRITE").is_some() {
        fs::write(&file, laid_out(&found)).unwrap();
    }
    let published: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(found, published);
    let records = found["records"].as_array().unwrap();
    assert!(records.len() >= 20, "{}", records.len());
}

/// One record a line.
fn laid_out(vectors: &Value) -> String {
    let mut text = String::from("{\n");
    for (name, value) in vectors.as_object().expect("an object") {
        if let Value::Array(items) = value {
            let items: Vec<_> = items.iter().map(Value::to_string).collect();
            text += &format!("\"{name}\": [\n{}\n],\n", items.join(",\n"));
        } else {
            text += &format!("\"{name}\": {value},\n");
        }
    }
    text.truncate(text.len() - 2);
    text + "\n}\n"
}

fn vectors() -> Value {
    let data_key = Secret::copy_of(&std::array::from_fn(|i| u8::try_from(i).expect("a byte")));
    let mut log = Log::new(&data_key);
    log.act(Event::KeyCreated, &json!({"key": "masking", "version": 1}));
    log.run(1, 3);
    (0..3).for_each(|_| log.reveal());
    log.act(
        Event::KeyCreated,
        &json!({"key": "salt-é\u{1}", "version": 1}),
    );
    let anchor = log.anchor();
    log.run(2, 4);
    log.reveal();
    log.act(
        Event::Anchored,
        &json!({"size": 6, "root": "\"\\/\t\u{7f}\u{2028}"}),
    );
    log.run(3, 1);
    log.reveal();
    log.reveal();
    let name = origin(&LOG);
    let public = VerifierKey::of_seed(&name, &log.seed).expect("a key");
    // A log that begins without a key.
    let mut unsigned = Log::new(&data_key);
    unsigned.is_signed = false;
    unsigned.act(
        Event::Config,
        &json!({"guards": "disarmed", "reason": "a try"}),
    );
    unsigned.run(1, 2);
    unsigned.is_signed = true;
    unsigned.act(Event::KeyCreated, &json!({"key": "masking", "version": 1}));
    json!({
        "data_key": hex::encode(data_key.expose()),
        "entry_subkey": hex::encode(log.key.expose()),
        "anchor_seed": hex::encode(log.seed.expose()),
        "anchor_key": public.to_string(),
        "anchor": anchor,
        "anchor_of_all": log.anchor(),
        "root": hex::encode(log.tree.root()),
        "records": log.records,
        "unsigned_records": unsigned.records,
    })
}

struct Log {
    key: Secret,
    seed: Secret,
    is_signed: bool,
    records: Vec<Value>,
    audit: (i64, [u8; 32]),
    lineage: (i64, [u8; 32]),
    journal: i64,
    tree: Frontier,
    steps: Option<(i64, Frontier)>,
    covered: record::Root,
}

impl Log {
    fn new(data_key: &Secret) -> Self {
        Self {
            key: subkey(data_key, Use::LedgerEntry),
            seed: subkey(data_key, Use::LedgerAnchor),
            is_signed: true,
            records: Vec::new(),
            audit: (0, entry::genesis(&LOG)),
            lineage: (0, lineage::genesis(&LOG)),
            journal: 0,
            tree: Frontier::default(),
            steps: None,
            covered: record::Root::default(),
        }
    }

    /// Name and version of the key.
    fn signer(&self) -> (String, i32) {
        let (name, version) = if self.is_signed {
            ("masking", 1)
        } else {
            entry::UNSIGNED
        };
        (name.into(), version)
    }

    fn sign(&self, hash: &[u8; 32]) -> Vec<u8> {
        if self.is_signed {
            entry::sign(&self.key, hash).to_vec()
        } else {
            Vec::new()
        }
    }

    fn anchor(&self) -> String {
        let name = origin(&LOG);
        Checkpoint {
            origin: name.clone(),
            size: self.tree.size(),
            root: self.tree.root(),
        }
        .sign(&name, &self.seed)
    }

    fn act(&mut self, event: Event, details: &Value) {
        let facts = entry::Facts {
            details: Some(details.clone().into()),
            ..entry::Facts::default()
        };
        self.entry(event, facts);
    }

    fn run(&mut self, number: u8, columns: i64) {
        let facts = entry::Facts {
            run_id: Some([number; 16]),
            source_schema: Some("prod".into()),
            target_schema: Some("größer \"x\"\n".into()),
            profile_name: Some("webshop".into()),
            profile_version: Some("1.0".into()),
            profile_hash: Some(vec![4; 32]),
            ..entry::Facts::default()
        };
        self.entry(Event::Started, facts.clone());
        (0..columns).for_each(|column| self.step(number, column));
        self.entry(
            Event::Completed,
            entry::Facts {
                tables_synced: Some(vec!["customers".into(), "a,b".into(), String::new()]),
                // Sorted by UTF-16 the astral name comes before U+FFFF, by UTF-8 after it.
                rows_anonymized: Some(
                    json!({"b": 3, "a": -5, "\u{ffff}": 1, "\u{10000}": 2}).into(),
                ),
                strategies_applied: Some(
                    json!({"customers": {"email": "email/1"}, "z": {}}).into(),
                ),
                verification_passed: Some(number != 2),
                verification_report: Some(
                    json!([{"check": "rows", "passed": true}, [], null]).into(),
                ),
                details: Some(json!({"seconds": 0, "most": i64::MAX, "least": i64::MIN}).into()),
                ..facts
            },
        );
    }

    fn entry(&mut self, event: Event, mut facts: entry::Facts) {
        if event != Event::Started
            && let Some((first, tree)) = self.steps.take()
        {
            facts.lineage = LineageRange {
                first: Some(first),
                last: Some(self.lineage.0),
                root: Some(tree.root().to_vec()),
            };
        }
        let seq = self.audit.0 + 1;
        let entry = entry::Entry {
            seq,
            id: [u8::try_from(seq).expect("a byte"); 16],
            log_id: LOG,
            event: event.name().into(),
            origin: "run".into(),
            timestamp: 800_000_000_000_000 + seq,
            user_name: "dba".into(),
            session_user_name: "zoë".into(),
            hostname: "[local]".into(),
            application_name: String::new(),
            system_user: (seq % 2 == 0).then(|| "peer:dba".into()),
            backend_pid: 4711,
            backend_start: -1,
            transaction_id: 700 + seq,
            system_identifier: 7_000_000_000_000_000_001,
            timeline_id: 1,
            server_version: 150_000,
            extension_version: "0.1.0".into(),
            source_database: "shop".into(),
            target_database: "shop".into(),
            facts,
            journal_last: self.journal,
            journal_root: self.covered.finish().map(Vec::from),
            key_name: self.signer().0,
            key_version: self.signer().1,
            previous_entry_hash: self.audit.1.to_vec(),
        };
        let hash = entry.hash();
        let signature = self.sign(&hash);
        self.audit = (seq, hash);
        self.tree.push(&hash);
        let facts = &entry.facts;
        let line = json!({
            "chain": "audit", "seq": seq, "id": uuid(&entry.id), "log_id": uuid(&LOG),
            "event": entry.event, "origin": entry.origin, "timestamp": entry.timestamp,
            "user_name": entry.user_name, "session_user_name": entry.session_user_name,
            "hostname": entry.hostname, "application_name": entry.application_name,
            "system_user_name": entry.system_user, "backend_pid": entry.backend_pid,
            "backend_start": entry.backend_start, "transaction_id": entry.transaction_id,
            "system_identifier": entry.system_identifier, "timeline_id": entry.timeline_id,
            "server_version": entry.server_version,
            "extension_version": entry.extension_version,
            "source_database": entry.source_database, "target_database": entry.target_database,
            "run_id": facts.run_id.as_ref().map(uuid), "source_schema": facts.source_schema,
            "target_schema": facts.target_schema, "profile_name": facts.profile_name,
            "profile_version": facts.profile_version,
            "profile_hash": facts.profile_hash.as_ref().map(hex::encode),
            "tables_synced": facts.tables_synced, "rows_anonymized": document(&facts.rows_anonymized),
            "strategies_applied": document(&facts.strategies_applied),
            "verification_passed": facts.verification_passed,
            "verification_report": document(&facts.verification_report), "details": document(&facts.details),
            "lineage_first": facts.lineage.first, "lineage_last": facts.lineage.last,
            "lineage_root": facts.lineage.root.as_ref().map(hex::encode),
            "journal_last": entry.journal_last,
            "journal_root": entry.journal_root.as_ref().map(hex::encode),
            "key_name": entry.key_name, "key_version": entry.key_version,
            "canon_version": entry::CANON_VERSION,
            "previous_entry_hash": hex::encode(&entry.previous_entry_hash),
            "entry_hash": hex::encode(hash), "signature": hex::encode(signature),
        });
        self.record(line, &entry.bytes(), &hash);
    }

    fn step(&mut self, run: u8, column: i64) {
        let seq = self.lineage.0 + 1;
        let has_commitment = column != 1;
        let count = |number: i64| has_commitment.then_some(number);
        let entry = lineage::Entry {
            seq,
            log_id: LOG,
            run_id: [run; 16],
            origin: if run == 3 { "declared" } else { "run" }.into(),
            timestamp: 800_000_000_000_000 + seq,
            facts: lineage::Facts {
                source_schema: "prod".into(),
                schema_name: "größer \"x\"\n".into(),
                table_name: "customers".into(),
                column_name: format!("column {column}"),
                rows_seen: 3,
                rows_changed: count(2),
                rows_unchanged: count(0),
                nulls: count(1),
                original_hash: has_commitment.then(|| vec![7; 32]),
                anonymized_hash: has_commitment.then(|| vec![8; 32]),
                commitment: if has_commitment {
                    "sum256/blake3"
                } else {
                    "none"
                }
                .into(),
                row_binding: "key".into(),
                strategy: "email".into(),
                strategy_version: 1,
                strategy_params_hash: vec![9; 32],
                reversible: column == 2,
                run_key_id: has_commitment.then_some([run; 16]),
            },
            key_name: self.signer().0,
            key_version: self.signer().1,
            previous_entry_hash: self.lineage.1.to_vec(),
        };
        let hash = entry.hash();
        let signature = self.sign(&hash);
        self.lineage = (seq, hash);
        let steps = self.steps.get_or_insert_with(|| (seq, Frontier::default()));
        steps.1.push(&hash);
        let facts = &entry.facts;
        let line = json!({
            "chain": "lineage", "seq": seq, "log_id": uuid(&LOG), "run_id": uuid(&entry.run_id),
            "origin": entry.origin, "timestamp": entry.timestamp,
            "source_schema": facts.source_schema, "schema_name": facts.schema_name,
            "table_name": facts.table_name, "column_name": facts.column_name,
            "rows_seen": facts.rows_seen, "rows_changed": facts.rows_changed,
            "rows_unchanged": facts.rows_unchanged, "nulls": facts.nulls,
            "original_hash": facts.original_hash.as_ref().map(hex::encode),
            "anonymized_hash": facts.anonymized_hash.as_ref().map(hex::encode),
            "commitment": facts.commitment, "row_binding": facts.row_binding,
            "strategy": facts.strategy, "strategy_version": facts.strategy_version,
            "strategy_params_hash": hex::encode(&facts.strategy_params_hash),
            "reversible": facts.reversible, "run_key_id": facts.run_key_id.as_ref().map(uuid),
            "key_name": entry.key_name, "key_version": entry.key_version,
            "canon_version": entry::CANON_VERSION,
            "previous_entry_hash": hex::encode(&entry.previous_entry_hash),
            "entry_hash": hex::encode(hash), "signature": hex::encode(signature),
        });
        self.record(line, &entry.bytes(), &hash);
    }

    fn reveal(&mut self) {
        let number = self.journal + 1;
        self.journal = number;
        let kept = Line {
            number,
            at: 800_000_000_000_000 + number,
            event: record::Event::Revealed.name().into(),
            user_name: "clerk".into(),
            session_user_name: "app".into(),
            hostname: "192.0.2.1".into(),
            application_name: "psql".into(),
            backend_pid: 7,
            transaction_id: 700,
            about: "anon_fpe_decrypt".into(),
            domain: (number % 2 == 0).then(|| "customers".into()),
            reason: (number == 3).then(|| "ticket ½".into()),
            amount: (number != 4).then_some(number * 9),
            key_name: "masking".into(),
            key_version: 1,
        };
        let hash = kept.hash(&LOG);
        let signature = record::sign(&self.key, &hash);
        self.covered.take(&hash, &signature);
        let line = json!({
            "chain": "journal", "log_id": uuid(&LOG), "number": number, "at": kept.at,
            "event": kept.event, "user_name": kept.user_name,
            "session_user_name": kept.session_user_name, "hostname": kept.hostname,
            "application_name": kept.application_name, "backend_pid": kept.backend_pid,
            "transaction_id": kept.transaction_id, "about": kept.about, "domain": kept.domain,
            "reason": kept.reason, "amount": kept.amount, "key_name": kept.key_name,
            "key_version": kept.key_version, "canon_version": record::CANON_VERSION,
            "signature": hex::encode(signature),
        });
        self.record(line, &kept.bytes(&LOG), &hash);
    }

    fn record(&mut self, line: Value, canonical: &[u8], hash: &[u8; 32]) {
        self.records.push(json!({
            "line": line,
            "canonical": hex::encode(canonical),
            "hash": hex::encode(hash),
        }));
    }
}

fn uuid(id: &[u8; 16]) -> String {
    let digits = hex::encode(id);
    [0..8, 8..12, 12..16, 16..20, 20..32]
        .map(|part| digits[part].to_owned())
        .join("-")
}

fn document(json: &Option<Json>) -> Option<Value> {
    json.as_ref().map(Json::value)
}
