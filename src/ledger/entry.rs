//! One entry of the audit log, its canonical bytes, hash and signature.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::canonical::Record;
use super::json::Json;
use crate::keys::Secret;

/// Version of the encoding below; verification keeps every former one.
pub const CANON_VERSION: i16 = 1;

/// The key that an entry names which nobody signed; its signature has no bytes. No key is called
/// so, and versions begin with 1.
pub const UNSIGNED: (&str, i32) = ("none", 0);

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A role was given what a kind of work needs.
    AccessGranted,
    /// What a kind of work needs was taken from a role.
    AccessRevoked,
    /// A checkpoint of the entries before was signed, to be kept outside.
    Anchored,
    /// A budget of differential privacy was made.
    BudgetCreated,
    /// A role may charge a budget from now on, up to a share of it.
    BudgetGranted,
    /// More may be spent of a budget than before.
    BudgetRaised,
    /// Nothing is spent of a budget any more.
    BudgetRetired,
    /// A role may not charge a budget any longer.
    BudgetRevoked,
    /// A run ended well; its data committed together with this entry.
    Completed,
    /// The guards of the ledger were put down or taken up again.
    Config,
    /// Somebody decided on a conflict between laws.
    ConflictDecided,
    /// Facts of the controller were declared, or ended.
    ControllerDeclared,
    /// A table may be asked about from now on, as a data set.
    DatasetRegistered,
    /// It may not any longer.
    DatasetUnregistered,
    /// A space of tokens was made.
    DomainCreated,
    /// A run ended without changing the target.
    Failed,
    /// A function is called by runs from now on.
    HookRegistered,
    /// A function is no longer called by runs.
    HookUnregistered,
    /// A provider uses another key-encryption key from now on.
    KekRotated,
    /// A provider is about to be asked for another key-encryption key.
    KekRotating,
    /// A key was made.
    KeyCreated,
    /// A version of a key was destroyed.
    KeyDestroyed,
    /// A key of another installation was taken over.
    KeyImported,
    /// A stored key was wrapped anew.
    KeyRewrapped,
    /// A new version of a key was made.
    KeyRotated,
    /// A key was wrapped for another installation.
    KeyShared,
    /// The log goes on in another cluster or on another timeline than before.
    Incarnation,
    /// A version of a profile was stored, or is in use again.
    ProfileLoaded,
    /// A version of a profile was taken out of use.
    ProfileRetired,
    /// The oldest part of the ledger was taken out of it.
    Pruned,
    /// Changes that a subscription brings are masked from now on.
    ReplicationMasked,
    /// They are not masked any longer.
    ReplicationUnmasked,
    /// A report was handed out.
    Report,
    /// A document of rules of law is in use from now on.
    RulesLoaded,
    /// The key that opens the commitments of a run was destroyed.
    RunKeyShredded,
    /// A run began.
    Started,
    /// The secret of a subject was destroyed, and with it what all of its tokens stand for.
    SubjectForgotten,
    /// Tokens were made.
    Tokenized,
    /// Tokens that had expired were deleted.
    TokensExpired,
    /// What tokens stand for was sealed anew.
    TokensRewrapped,
    /// The ledger was verified.
    Verified,
    /// Masked views were made, or made anew.
    ViewsCreated,
    /// Masked views were dropped.
    ViewsDropped,
    /// No watch stands on the tables of a profile any more.
    WatchEnded,
    /// The tables of a profile are watched from now on.
    WatchStarted,
}

impl Event {
    /// The word stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessGranted => "ACCESS_GRANTED",
            Self::AccessRevoked => "ACCESS_REVOKED",
            Self::Anchored => "ANCHORED",
            Self::BudgetCreated => "BUDGET_CREATED",
            Self::BudgetGranted => "BUDGET_GRANTED",
            Self::BudgetRaised => "BUDGET_RAISED",
            Self::BudgetRetired => "BUDGET_RETIRED",
            Self::BudgetRevoked => "BUDGET_REVOKED",
            Self::Completed => "COMPLETED",
            Self::Config => "CONFIG",
            Self::ConflictDecided => "CONFLICT_DECIDED",
            Self::ControllerDeclared => "CONTROLLER_DECLARED",
            Self::DatasetRegistered => "DATASET_REGISTERED",
            Self::DatasetUnregistered => "DATASET_UNREGISTERED",
            Self::DomainCreated => "DOMAIN_CREATED",
            Self::Failed => "FAILED",
            Self::HookRegistered => "HOOK_REGISTERED",
            Self::HookUnregistered => "HOOK_UNREGISTERED",
            Self::KekRotated => "KEK_ROTATED",
            Self::KekRotating => "KEK_ROTATING",
            Self::KeyCreated => "KEY_CREATED",
            Self::KeyDestroyed => "KEY_DESTROYED",
            Self::KeyImported => "KEY_IMPORTED",
            Self::KeyRewrapped => "KEY_REWRAPPED",
            Self::KeyRotated => "KEY_ROTATED",
            Self::KeyShared => "KEY_SHARED",
            Self::Incarnation => "INCARNATION",
            Self::ProfileLoaded => "PROFILE_LOADED",
            Self::ProfileRetired => "PROFILE_RETIRED",
            Self::Pruned => "PRUNED",
            Self::ReplicationMasked => "REPLICATION_MASKED",
            Self::ReplicationUnmasked => "REPLICATION_UNMASKED",
            Self::Report => "REPORT",
            Self::RulesLoaded => "RULES_LOADED",
            Self::RunKeyShredded => "RUN_KEY_SHREDDED",
            Self::Started => "STARTED",
            Self::SubjectForgotten => "SUBJECT_FORGOTTEN",
            Self::Tokenized => "TOKENIZED",
            Self::TokensExpired => "TOKENS_EXPIRED",
            Self::TokensRewrapped => "TOKENS_REWRAPPED",
            Self::Verified => "VERIFIED",
            Self::ViewsCreated => "VIEWS_CREATED",
            Self::ViewsDropped => "VIEWS_DROPPED",
            Self::WatchEnded => "WATCH_ENDED",
            Self::WatchStarted => "WATCH_STARTED",
        }
    }
}

/// What an event says of itself; the store adds who, where and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The run the entry belongs to.
    pub run_id: Option<[u8; 16]>,
    /// Schema read.
    pub source_schema: Option<String>,
    /// Schema written.
    pub target_schema: Option<String>,
    /// Profile's name.
    pub profile_name: Option<String>,
    /// Profile's version.
    pub profile_version: Option<String>,
    /// SHA-256 of the profile's canonical JSON.
    pub profile_hash: Option<Vec<u8>>,
    /// Tables written, sorted.
    pub tables_synced: Option<Vec<String>>,
    /// Rows per table.
    pub rows_anonymized: Option<Json>,
    /// Strategy and version per table and column.
    pub strategies_applied: Option<Json>,
    /// Whether every check passed; NULL where none ran.
    pub verification_passed: Option<bool>,
    /// The checks, one object each.
    pub verification_report: Option<Json>,
    /// Whatever else belongs to the event: no row value, key or seed.
    pub details: Option<Json>,
    /// The entries of the lineage that belong to this one.
    pub lineage: LineageRange,
}

/// A run of entries of the lineage, signed with the entry of the audit log that names it: without
/// it, all lineage of a run could go unnoticed. Each field for itself, as stored: a half of a range
/// is not the same as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineageRange {
    /// First number.
    pub first: Option<i64>,
    /// Last number.
    pub last: Option<i64>,
    /// Merkle root (RFC 6962) over their entry hashes.
    pub root: Option<Vec<u8>>,
}

/// One entry as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Place in the chain, from 1, without gaps.
    pub seq: i64,
    /// Id of the entry.
    pub id: [u8; 16],
    /// Id of the log, random, so that entries cannot be grafted onto another one.
    pub log_id: [u8; 16],
    /// The event's word.
    pub event: String,
    /// `run`: written by this extension from what it did.
    pub origin: String,
    /// Microseconds since 2000-01-01 UTC.
    pub timestamp: i64,
    /// Role that called.
    pub user_name: String,
    /// Role that logged in.
    pub session_user_name: String,
    /// Address of the client.
    pub hostname: String,
    /// Its `application_name`.
    pub application_name: String,
    /// How the client proved who it is, `method:name`; `None` where it did not, and before
    /// PostgreSQL 16.
    pub system_user: Option<String>,
    /// Process id of the backend.
    pub backend_pid: i32,
    /// When its session began, in microseconds since 2000-01-01 UTC.
    pub backend_start: i64,
    /// The transaction, with its epoch.
    pub transaction_id: i64,
    /// The cluster: a restore into another one shows.
    pub system_identifier: i64,
    /// Its timeline: a restore to an earlier point shows.
    pub timeline_id: i32,
    /// `server_version_num`.
    pub server_version: i32,
    /// Version of this extension's library.
    pub extension_version: String,
    /// Database read.
    pub source_database: String,
    /// Database written.
    pub target_database: String,
    /// What the event says of itself.
    pub facts: Facts,
    /// Number of the last record of the journal that the chain covers with this entry.
    pub journal_last: i64,
    /// What covers the records since the entry before; `None` where there are none.
    pub journal_root: Option<Vec<u8>>,
    /// Key that signs.
    pub key_name: String,
    /// Its version.
    pub key_version: i32,
    /// Hash of the entry before, or the genesis of the log.
    pub previous_entry_hash: Vec<u8>,
}

impl Entry {
    /// The canonical bytes: every field, in the order of the struct.
    pub fn bytes(&self) -> Vec<u8> {
        let facts = &self.facts;
        let mut record = Record::new("confiture/audit/v1");
        record
            .int(Some(self.seq))
            .bytes(Some(&self.id))
            .bytes(Some(&self.log_id))
            .text(Some(&self.event))
            .text(Some(&self.origin))
            .int(Some(self.timestamp))
            .text(Some(&self.user_name))
            .text(Some(&self.session_user_name))
            .text(Some(&self.hostname))
            .text(Some(&self.application_name))
            .text(self.system_user.as_deref())
            .int(Some(self.backend_pid.into()))
            .int(Some(self.backend_start))
            .int(Some(self.transaction_id))
            .int(Some(self.system_identifier))
            .int(Some(self.timeline_id.into()))
            .int(Some(self.server_version.into()))
            .text(Some(&self.extension_version))
            .text(Some(&self.source_database))
            .text(Some(&self.target_database))
            .bytes(facts.run_id.as_ref().map(<[u8; 16]>::as_slice))
            .text(facts.source_schema.as_deref())
            .text(facts.target_schema.as_deref())
            .text(facts.profile_name.as_deref())
            .text(facts.profile_version.as_deref())
            .bytes(facts.profile_hash.as_deref())
            .texts(facts.tables_synced.as_deref())
            .text(facts.rows_anonymized.as_ref().map(Json::text))
            .text(facts.strategies_applied.as_ref().map(Json::text))
            .bool(facts.verification_passed)
            .text(facts.verification_report.as_ref().map(Json::text))
            .text(facts.details.as_ref().map(Json::text))
            .int(facts.lineage.first)
            .int(facts.lineage.last)
            .bytes(facts.lineage.root.as_deref())
            .int(Some(self.journal_last))
            .bytes(self.journal_root.as_deref())
            .text(Some(&self.key_name))
            .int(Some(self.key_version.into()))
            .bytes(Some(&self.previous_entry_hash));
        record.finish()
    }

    /// SHA-256 of the canonical bytes.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.bytes()).into()
    }
}

/// Signs an entry hash: HMAC-SHA256 under the ledger's entry subkey, over a domain and the hash.
pub fn sign(subkey: &Secret, entry_hash: &[u8; 32]) -> [u8; 32] {
    sign_as("confiture/sig/v1", subkey, entry_hash)
}

/// As [`sign`], for a hash of another domain.
pub fn sign_as(domain: &str, subkey: &Secret, hash: &[u8; 32]) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(subkey.expose()).expect("HMAC takes a key of any length");
    mac.update(domain.as_bytes());
    mac.update(hash);
    mac.finalize().into_bytes().into()
}

/// Whether a stored signature is the one of this hash, in constant time.
pub fn signed(subkey: &Secret, entry_hash: &[u8; 32], signature: &[u8]) -> bool {
    sign(subkey, entry_hash).ct_eq(signature).into()
}

/// What the first entry of a log has for its predecessor's hash.
pub fn genesis(log_id: &[u8; 16]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"confiture/genesis/v1");
    hash.update(log_id);
    hash.finalize().into()
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in crate::ledger) fn sample(seq: i64, previous: [u8; 32]) -> Entry {
        Entry {
            seq,
            id: [1; 16],
            log_id: [2; 16],
            event: Event::Completed.name().into(),
            origin: "run".into(),
            timestamp: 42,
            user_name: "dba".into(),
            session_user_name: "dba".into(),
            hostname: "[local]".into(),
            application_name: "psql".into(),
            system_user: Some("peer:dba".into()),
            backend_pid: 7,
            backend_start: 40,
            transaction_id: 700,
            system_identifier: 5,
            timeline_id: 1,
            server_version: 150_000,
            extension_version: "0.1.0".into(),
            source_database: "shop".into(),
            target_database: "shop".into(),
            facts: Facts {
                run_id: Some([3; 16]),
                source_schema: Some("prod".into()),
                target_schema: Some("staging".into()),
                profile_name: Some("webshop".into()),
                profile_version: Some("1.0".into()),
                profile_hash: Some(vec![4; 32]),
                tables_synced: Some(vec!["customers".into(), "orders".into()]),
                rows_anonymized: Some(json!({"customers": 3, "orders": 5}).into()),
                strategies_applied: Some(json!({"customers": {"email": "email/1"}}).into()),
                verification_passed: Some(true),
                verification_report: Some(json!([{"check": "rows", "passed": true}]).into()),
                details: Some(json!({"seconds": 1}).into()),
                lineage: LineageRange {
                    first: Some(1),
                    last: Some(2),
                    root: Some(vec![5; 32]),
                },
            },
            journal_last: 3,
            journal_root: Some(vec![6; 32]),
            key_name: "masking".into(),
            key_version: 1,
            previous_entry_hash: previous.to_vec(),
        }
    }

    #[test]
    fn entry_hash_covers_every_field() {
        let base = sample(1, [0; 32]);
        type Edit = fn(&mut Entry);
        let edits: &[Edit] = &[
            |e| e.seq = 2,
            |e| e.id[0] = 9,
            |e| e.log_id[0] = 9,
            |e| e.event = "FAILED".into(),
            |e| e.origin = "declared".into(),
            |e| e.timestamp += 1,
            |e| e.user_name.push('x'),
            |e| e.session_user_name.push('x'),
            |e| e.hostname.push('x'),
            |e| e.application_name.push('x'),
            |e| e.system_user = None,
            |e| e.backend_pid += 1,
            |e| e.backend_start += 1,
            |e| e.transaction_id += 1,
            |e| e.system_identifier += 1,
            |e| e.timeline_id += 1,
            |e| e.server_version += 1,
            |e| e.extension_version.push('x'),
            |e| e.source_database.push('x'),
            |e| e.target_database.push('x'),
            |e| e.facts.run_id = None,
            |e| e.facts.source_schema = None,
            |e| e.facts.target_schema = None,
            |e| e.facts.profile_name = None,
            |e| e.facts.profile_version = None,
            |e| e.facts.profile_hash = None,
            |e| e.facts.tables_synced = Some(vec!["customers,orders".into()]),
            // Counts of two tables swapped: their sum stays.
            |e| e.facts.rows_anonymized = Some(json!({"customers": 5, "orders": 3}).into()),
            |e| e.facts.strategies_applied = Some(json!({"customers": {"email": "hash/1"}}).into()),
            |e| e.facts.verification_passed = Some(false),
            |e| e.facts.verification_report = None,
            |e| e.facts.details = None,
            |e| e.facts.lineage.first = None,
            |e| e.facts.lineage.last = Some(3),
            |e| e.facts.lineage.root = None,
            |e| e.journal_last += 1,
            |e| e.journal_root = None,
            |e| e.key_name.push('x'),
            |e| e.key_version += 1,
            |e| e.previous_entry_hash[0] = 1,
        ];
        for (i, edit) in edits.iter().enumerate() {
            let mut edited = base.clone();
            edit(&mut edited);
            assert_ne!(edited.hash(), base.hash(), "edit {i}");
        }
    }

    #[test]
    fn entry_signature_needs_the_key() {
        let hash = sample(1, [0; 32]).hash();
        let (a, b) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert!(signed(&a, &hash, &sign(&a, &hash)));
        assert!(!signed(&b, &hash, &sign(&a, &hash)));
        assert!(!signed(&a, &hash, &[]));
    }
}
