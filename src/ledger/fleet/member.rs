//! What one server's ledger says, as far as the set is asked about it.

use serde_json::Value;

use super::instant::utc;
use crate::ledger::entry::Entry;
use crate::ledger::verify::Finding;

/// A server whose ledger was read, or could not be.
pub struct Member {
    /// What the caller calls it.
    pub name: String,
    /// The public keys that were pinned for it.
    pub keys: Vec<[u8; 32]>,
    /// Whether it was read.
    pub state: State,
}

/// Whether a ledger was read.
pub enum State {
    /// It was not: status, and why, in a sentence.
    Unread(&'static str, String),
    /// It was.
    Read(Box<Ledger>),
}

/// A ledger that was read.
pub struct Ledger {
    /// Its id.
    pub log_id: [u8; 16],
    /// The last entry, and its hash.
    pub head: (i64, Vec<u8>),
    /// How many entries the newest anchor covers that is signed by a pinned key and agrees.
    pub covers: u64,
    /// Whether keys were pinned, all of another log.
    pub is_another: bool,
    /// The last verified run of each profile, by its name.
    pub runs: Vec<(String, Run)>,
    /// Whether there were more profiles than are remembered.
    pub is_cut: bool,
    /// What verification found, without what it says of every export.
    pub findings: Vec<Finding>,
}

/// The last verified run of a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The entry that says it is complete.
    pub seq: i64,
    /// The run.
    pub run_id: [u8; 16],
    /// The version of the profile.
    pub version: String,
    /// SHA-256 of the profile.
    pub hash: Vec<u8>,
    /// When it began, and when it was complete, as the server's clock said.
    pub window: (i64, i64),
    /// Tables, columns, and the strategy of each with its version: the text of a JSON object, which
    /// takes a fraction of what it does taken apart.
    pub strategies: String,
    /// The masking key as this server calls it.
    pub key: Option<String>,
    /// What tells masking keys apart.
    pub key_fingerprint: Option<String>,
    /// What tells everything apart that pseudonyms come from.
    pub masks_fingerprint: Option<String>,
    /// Rows written.
    pub rows: i64,
    /// Runs of the profile that failed since.
    pub failed_since: i64,
}

impl Run {
    /// Takes what an entry about a complete run says.
    pub fn of(entry: &Entry, begun: Option<i64>) -> Option<(String, Self)> {
        let facts = &entry.facts;
        let details = facts.details.as_ref().map(|json| json.value());
        let detail = |name: &str| {
            let found = details.as_ref()?.get(name)?.as_str()?;
            Some(found.to_owned())
        };
        let rows = facts.rows_anonymized.as_ref().map(|json| json.value());
        let rows = rows.as_ref().and_then(Value::as_object).map_or(0, |rows| {
            rows.values()
                .filter_map(Value::as_i64)
                .fold(0_i64, i64::saturating_add)
        });
        let run = Self {
            seq: entry.seq,
            run_id: facts.run_id?,
            version: facts.profile_version.clone()?,
            hash: facts.profile_hash.clone()?,
            window: (begun.unwrap_or(entry.timestamp), entry.timestamp),
            strategies: facts
                .strategies_applied
                .as_ref()
                .map_or_else(|| "null".to_owned(), |json| json.text().to_owned()),
            key: detail("masking_key"),
            key_fingerprint: detail("masking_key_fingerprint"),
            masks_fingerprint: detail("masks_fingerprint"),
            rows,
            failed_since: 0,
        };
        Some((facts.profile_name.clone()?, run))
    }

    /// The same for programs.
    pub fn facts(&self, profile: &str) -> Value {
        serde_json::json!({
            "profile": profile,
            "version": self.version,
            "profile_hash": hex::encode(&self.hash),
            "run_id": super::set::uuid(&self.run_id),
            "began": utc(self.window.0),
            "completed": utc(self.window.1),
            "masking_key": self.key,
            "masking_key_fingerprint": self.key_fingerprint,
            "masks_fingerprint": self.masks_fingerprint,
            "rows": self.rows,
            "failed_since": self.failed_since,
        })
    }
}
