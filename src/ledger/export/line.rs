//! One line of an export: an entry of the audit log, of the lineage, or a record of the journal; or
//! the entry of the audit log that says what was pruned, where it stands for that.
//!
//! Every name stands once, and no other name is read over: what a person sees is what is hashed.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::ledger::entry::{self, LineageRange};
use crate::ledger::journal::{self, record};
use crate::ledger::lineage;
use crate::ledger::verify::{Stored, StoredStep};

/// A line as read.
#[derive(Deserialize)]
#[serde(tag = "chain", rename_all = "lowercase")]
pub enum Line {
    /// An entry of the audit log.
    Audit(Box<Audit>),
    /// An entry of the lineage.
    Lineage(Box<Lineage>),
    /// A record of the journal.
    Journal(Box<Journal>),
    /// The entry by which what follows goes on behind what was pruned.
    Pruned(Box<Audit>),
}

impl Line {
    /// The log that the line belongs to; a record may name none.
    pub fn log_id(&self) -> Option<[u8; 16]> {
        let id = match self {
            Self::Audit(entry) | Self::Pruned(entry) => Some(entry.log_id),
            Self::Lineage(step) => Some(step.log_id),
            Self::Journal(record) => record.log_id,
        };
        id.map(|id| id.0)
    }
}

/// An entry of the audit log: the columns of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    seq: i64,
    id: Id,
    log_id: Id,
    event: String,
    origin: String,
    timestamp: i64,
    user_name: String,
    session_user_name: String,
    hostname: String,
    application_name: String,
    system_user_name: Option<String>,
    backend_pid: i32,
    backend_start: i64,
    transaction_id: i64,
    system_identifier: i64,
    timeline_id: i32,
    server_version: i32,
    extension_version: String,
    source_database: String,
    target_database: String,
    run_id: Option<Id>,
    source_schema: Option<String>,
    target_schema: Option<String>,
    profile_name: Option<String>,
    profile_version: Option<String>,
    profile_hash: Option<Hex>,
    tables_synced: Option<Vec<String>>,
    rows_anonymized: Option<Document>,
    strategies_applied: Option<Document>,
    verification_passed: Option<bool>,
    verification_report: Option<Document>,
    details: Option<Document>,
    lineage_first: Option<i64>,
    lineage_last: Option<i64>,
    lineage_root: Option<Hex>,
    journal_last: i64,
    journal_root: Option<Hex>,
    key_name: String,
    key_version: i32,
    canon_version: i16,
    previous_entry_hash: Hex,
    entry_hash: Hex,
    signature: Hex,
}

impl From<Audit> for Stored {
    fn from(line: Audit) -> Self {
        Self {
            entry: entry::Entry {
                seq: line.seq,
                id: line.id.0,
                log_id: line.log_id.0,
                event: line.event,
                origin: line.origin,
                timestamp: line.timestamp,
                user_name: line.user_name,
                session_user_name: line.session_user_name,
                hostname: line.hostname,
                application_name: line.application_name,
                system_user: line.system_user_name,
                backend_pid: line.backend_pid,
                backend_start: line.backend_start,
                transaction_id: line.transaction_id,
                system_identifier: line.system_identifier,
                timeline_id: line.timeline_id,
                server_version: line.server_version,
                extension_version: line.extension_version,
                source_database: line.source_database,
                target_database: line.target_database,
                facts: entry::Facts {
                    run_id: line.run_id.map(|id| id.0),
                    source_schema: line.source_schema,
                    target_schema: line.target_schema,
                    profile_name: line.profile_name,
                    profile_version: line.profile_version,
                    profile_hash: line.profile_hash.map(|hash| hash.0),
                    tables_synced: line.tables_synced,
                    rows_anonymized: line.rows_anonymized.map(|document| document.0.into()),
                    strategies_applied: line.strategies_applied.map(|document| document.0.into()),
                    verification_passed: line.verification_passed,
                    verification_report: line.verification_report.map(|document| document.0.into()),
                    details: line.details.map(|document| document.0.into()),
                    lineage: LineageRange {
                        first: line.lineage_first,
                        last: line.lineage_last,
                        root: line.lineage_root.map(|root| root.0),
                    },
                },
                journal_last: line.journal_last,
                journal_root: line.journal_root.map(|root| root.0),
                key_name: line.key_name,
                key_version: line.key_version,
                previous_entry_hash: line.previous_entry_hash.0,
            },
            canon_version: line.canon_version,
            entry_hash: line.entry_hash.0,
            signature: line.signature.0,
        }
    }
}

/// An entry of the lineage: the columns of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    seq: i64,
    log_id: Id,
    run_id: Id,
    origin: String,
    timestamp: i64,
    source_schema: String,
    schema_name: String,
    table_name: String,
    column_name: String,
    rows_seen: i64,
    rows_changed: Option<i64>,
    rows_unchanged: Option<i64>,
    nulls: Option<i64>,
    original_hash: Option<Hex>,
    anonymized_hash: Option<Hex>,
    commitment: String,
    row_binding: String,
    strategy: String,
    strategy_version: i32,
    strategy_params_hash: Hex,
    reversible: bool,
    run_key_id: Option<Id>,
    key_name: String,
    key_version: i32,
    canon_version: i16,
    previous_entry_hash: Hex,
    entry_hash: Hex,
    signature: Hex,
}

impl From<Lineage> for StoredStep {
    fn from(line: Lineage) -> Self {
        Self {
            entry: lineage::Entry {
                seq: line.seq,
                log_id: line.log_id.0,
                run_id: line.run_id.0,
                origin: line.origin,
                timestamp: line.timestamp,
                facts: lineage::Facts {
                    source_schema: line.source_schema,
                    schema_name: line.schema_name,
                    table_name: line.table_name,
                    column_name: line.column_name,
                    rows_seen: line.rows_seen,
                    rows_changed: line.rows_changed,
                    rows_unchanged: line.rows_unchanged,
                    nulls: line.nulls,
                    original_hash: line.original_hash.map(|hash| hash.0),
                    anonymized_hash: line.anonymized_hash.map(|hash| hash.0),
                    commitment: line.commitment,
                    row_binding: line.row_binding,
                    strategy: line.strategy,
                    strategy_version: line.strategy_version,
                    strategy_params_hash: line.strategy_params_hash.0,
                    reversible: line.reversible,
                    run_key_id: line.run_key_id.map(|id| id.0),
                },
                key_name: line.key_name,
                key_version: line.key_version,
                previous_entry_hash: line.previous_entry_hash.0,
            },
            canon_version: line.canon_version,
            entry_hash: line.entry_hash.0,
            signature: line.signature.0,
        }
    }
}

/// A record of the journal: the columns of the table, and the log that it belongs to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    log_id: Option<Id>,
    pub(super) number: i64,
    at: i64,
    event: String,
    user_name: String,
    session_user_name: String,
    hostname: String,
    application_name: String,
    backend_pid: i32,
    transaction_id: i64,
    about: String,
    domain: Option<String>,
    reason: Option<String>,
    amount: Option<i64>,
    key_name: String,
    key_version: i32,
    canon_version: i16,
    signature: Hex,
}

impl From<Journal> for journal::verify::Stored {
    fn from(line: Journal) -> Self {
        Self {
            line: record::Line {
                number: line.number,
                at: line.at,
                event: line.event,
                user_name: line.user_name,
                session_user_name: line.session_user_name,
                hostname: line.hostname,
                application_name: line.application_name,
                backend_pid: line.backend_pid,
                transaction_id: line.transaction_id,
                about: line.about,
                domain: line.domain,
                reason: line.reason,
                amount: line.amount,
                key_name: line.key_name,
                key_version: line.key_version,
            },
            canon_version: line.canon_version,
            signature: line.signature.0,
        }
    }
}

/// Bytes as hexadecimal digits.
struct Hex(Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(from)?;
        let bytes = hex::decode(&digits).map_err(D::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// A uuid with its hyphens.
#[derive(Clone, Copy)]
struct Id([u8; 16]);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = hex::decode(text.replace('-', "")).map_err(D::Error::custom)?;
        let bytes = bytes
            .try_into()
            .map_err(|_| D::Error::custom("a uuid does not have 16 bytes"))?;
        Ok(Self(bytes))
    }
}

/// A JSON document in which every name stands once.
struct Document(Value);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON document")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Document(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Document(value))) = members.next_entry::<String, _>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice in an object"));
            }
        }
        Ok(Value::Object(object))
    }
}
