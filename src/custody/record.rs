//! What the ledger is told of an act: names, versions and places, nothing secret.

use serde_json::{Map, Value, json};

use super::share::bundle::uuid_text;
use crate::keys::provider::{Kek, Wrapped};
use crate::ledger::entry::Facts;

/// An act on one version of a key.
pub(super) fn of_key(name: &str, version: i32) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("key".to_owned(), json!(name));
    details.insert("version".to_owned(), json!(version));
    details
}

/// Adds where a key lies.
pub(super) fn place(details: &mut Map<String, Value>, member: &str, wrapped: &Wrapped) {
    details.insert(member.to_owned(), kek(&wrapped.provider, &wrapped.kek()));
}

/// A key-encryption key.
pub(super) fn kek(provider: &str, kek: &Kek) -> Value {
    json!({
        "provider": provider,
        "kek_ref": kek.reference,
        "kek_version": kek.version,
    })
}

/// Adds an installation.
pub(super) fn installation(details: &mut Map<String, Value>, member: &str, id: &[u8; 16]) {
    details.insert(member.to_owned(), json!(uuid_text(id)));
}

/// The facts of the entry.
pub(super) fn facts(details: Map<String, Value>) -> Facts {
    Facts {
        details: Some(Value::Object(details).into()),
        ..Facts::default()
    }
}
