//! One entry of the lineage, its canonical bytes and hash.

use sha2::{Digest, Sha256};

use super::super::canonical::Record;

/// What an entry says of a column; the store adds its place in the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Schema read.
    pub source_schema: String,
    /// Schema written.
    pub schema_name: String,
    /// Table.
    pub table_name: String,
    /// Column.
    pub column_name: String,
    /// Rows copied.
    pub rows_seen: i64,
    /// Values replaced by others; `None` where the values were not looked at.
    pub rows_changed: Option<i64>,
    /// Values that came through as they were; `None` where they were not looked at.
    pub rows_unchanged: Option<i64>,
    /// Values that were NULL; `None` where they were not looked at.
    pub nulls: Option<i64>,
    /// Commitment to the values as they were.
    pub original_hash: Option<Vec<u8>>,
    /// Commitment to the values as stored in the target.
    pub anonymized_hash: Option<Vec<u8>>,
    /// How they are made: `sum256/blake3`, `sum256/hmac-sha256` or `none`.
    pub commitment: String,
    /// What a value is bound to beside its column: the `key` of its row in the target, or `none`.
    pub row_binding: String,
    /// The strategy.
    pub strategy: String,
    /// Its version.
    pub strategy_version: i32,
    /// SHA-256 of its parameters in canonical JSON.
    pub strategy_params_hash: Vec<u8>,
    /// Whether the originals can be had back with a key.
    pub reversible: bool,
    /// The key of the run, which opens the commitments; `None` where there are none.
    pub run_key_id: Option<[u8; 16]>,
}

/// One entry as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Place in the chain, from 1, without gaps.
    pub seq: i64,
    /// Id of the log.
    pub log_id: [u8; 16],
    /// The run.
    pub run_id: [u8; 16],
    /// `run`: written by this extension from what it did; `declared`: by a script's word.
    pub origin: String,
    /// Microseconds since 2000-01-01 UTC.
    pub timestamp: i64,
    /// What it says.
    pub facts: Facts,
    /// Key that signs.
    pub key_name: String,
    /// Its version.
    pub key_version: i32,
    /// Hash of the entry before, or the genesis of the lineage.
    pub previous_entry_hash: Vec<u8>,
}

impl Entry {
    /// The canonical bytes: every field, in the order of the struct.
    pub fn bytes(&self) -> Vec<u8> {
        let facts = &self.facts;
        let mut record = Record::new("confiture/lineage/v1");
        record
            .int(Some(self.seq))
            .bytes(Some(&self.log_id))
            .bytes(Some(&self.run_id))
            .text(Some(&self.origin))
            .int(Some(self.timestamp))
            .text(Some(&facts.source_schema))
            .text(Some(&facts.schema_name))
            .text(Some(&facts.table_name))
            .text(Some(&facts.column_name))
            .int(Some(facts.rows_seen))
            .int(facts.rows_changed)
            .int(facts.rows_unchanged)
            .int(facts.nulls)
            .bytes(facts.original_hash.as_deref())
            .bytes(facts.anonymized_hash.as_deref())
            .text(Some(&facts.commitment))
            .text(Some(&facts.row_binding))
            .text(Some(&facts.strategy))
            .int(Some(facts.strategy_version.into()))
            .bytes(Some(&facts.strategy_params_hash))
            .bool(Some(facts.reversible))
            .bytes(facts.run_key_id.as_ref().map(<[u8; 16]>::as_slice))
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

/// What the first entry of a lineage has for its predecessor's hash.
pub fn genesis(log_id: &[u8; 16]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"confiture/lineage/genesis/v1");
    hash.update(log_id);
    hash.finalize().into()
}

#[cfg(test)]
pub(in crate::ledger) mod tests {
    use super::*;

    pub(in crate::ledger) fn sample(seq: i64, previous: [u8; 32]) -> Entry {
        Entry {
            seq,
            log_id: [2; 16],
            run_id: [3; 16],
            origin: "run".into(),
            timestamp: 42,
            facts: Facts {
                source_schema: "prod".into(),
                schema_name: "staging".into(),
                table_name: "customers".into(),
                column_name: "email".into(),
                rows_seen: 3,
                rows_changed: Some(2),
                rows_unchanged: Some(0),
                nulls: Some(1),
                original_hash: Some(vec![7; 32]),
                anonymized_hash: Some(vec![8; 32]),
                commitment: "sum256/blake3".into(),
                row_binding: "key".into(),
                strategy: "email".into(),
                strategy_version: 1,
                strategy_params_hash: vec![9; 32],
                reversible: false,
                run_key_id: Some([4; 16]),
            },
            key_name: "masking".into(),
            key_version: 1,
            previous_entry_hash: previous.to_vec(),
        }
    }

    #[test]
    fn lineage_hash_covers_every_field() {
        let base = sample(1, [0; 32]);
        type Edit = fn(&mut Entry);
        let edits: &[Edit] = &[
            |e| e.seq = 2,
            |e| e.log_id[0] = 9,
            |e| e.run_id[0] = 9,
            |e| e.origin = "declared".into(),
            |e| e.timestamp += 1,
            |e| e.facts.source_schema.push('x'),
            |e| e.facts.schema_name.push('x'),
            |e| e.facts.table_name.push('x'),
            |e| e.facts.column_name.push('x'),
            |e| e.facts.rows_seen += 1,
            |e| e.facts.rows_changed = Some(3),
            |e| e.facts.rows_unchanged = None,
            |e| e.facts.nulls = Some(0),
            |e| e.facts.original_hash = None,
            |e| e.facts.anonymized_hash.as_mut().unwrap()[0] = 9,
            |e| e.facts.commitment = "none".into(),
            |e| e.facts.row_binding = "none".into(),
            |e| e.facts.strategy.push('x'),
            |e| e.facts.strategy_version += 1,
            |e| e.facts.strategy_params_hash[0] = 1,
            |e| e.facts.reversible = true,
            |e| e.facts.run_key_id = None,
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
    fn lineage_begins_elsewhere_than_the_audit_log() {
        assert_ne!(
            genesis(&[2; 16]),
            super::super::super::entry::genesis(&[2; 16])
        );
    }
}
