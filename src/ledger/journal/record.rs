//! One record of the journal: its canonical bytes, hash and signature, and what the chain takes of
//! many.
//!
//! Texts are cut at a bound, between two characters: a record never fails by its length, and a row
//! never grows so long that it would be stored out of line.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::super::canonical;
use super::super::entry;
use crate::keys::Secret;

/// Version of the encoding below; verification keeps every former one.
pub const CANON_VERSION: i16 = 1;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A budget was charged.
    Charged,
    /// Somebody asked for what they may not have.
    Denied,
    /// A run inside somebody's transaction changed nothing.
    Failed,
    /// Somebody was given what a mask or a token stands for.
    Revealed,
    /// A run inside somebody's transaction is about to read its first row.
    Started,
}

impl Event {
    /// The word stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Charged => "CHARGED",
            Self::Denied => "DENIED",
            Self::Failed => "FAILED",
            Self::Revealed => "REVEALED",
            Self::Started => "STARTED",
        }
    }
}

/// What is put on record; the store adds who, where and when. No value, token, key or seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// What happened.
    pub event: Event,
    /// What it was about: a function, a data set, a run. 128 bytes are kept.
    pub about: &'a str,
    /// The domain concerned, where there is one. 128 bytes are kept.
    pub domain: Option<&'a str>,
    /// What the caller gave as a reason. 256 bytes are kept.
    pub reason: Option<&'a str>,
    /// How much: values given, millionths of ε charged.
    pub amount: Option<i64>,
}

/// A record as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1, without gaps.
    pub number: i64,
    /// Microseconds since 2000-01-01 UTC.
    pub at: i64,
    /// The event's word.
    pub event: String,
    /// Role that called.
    pub user_name: String,
    /// Role that logged in.
    pub session_user_name: String,
    /// Address of the client.
    pub hostname: String,
    /// Its `application_name`.
    pub application_name: String,
    /// Process id of the backend.
    pub backend_pid: i32,
    /// The transaction that asked, with its epoch, whatever became of it.
    pub transaction_id: i64,
    /// What it was about.
    pub about: String,
    /// The domain.
    pub domain: Option<String>,
    /// The reason.
    pub reason: Option<String>,
    /// How much.
    pub amount: Option<i64>,
    /// Key that signs.
    pub key_name: String,
    /// Its version.
    pub key_version: i32,
}

impl Line {
    /// Cuts every text at its bound.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        cut(&mut self.event, 32);
        for name in [
            &mut self.user_name,
            &mut self.session_user_name,
            &mut self.hostname,
            &mut self.application_name,
        ] {
            cut(name, 64);
        }
        cut(&mut self.about, 128);
        self.domain.iter_mut().for_each(|text| cut(text, 128));
        self.reason.iter_mut().for_each(|text| cut(text, 256));
        self
    }

    /// The canonical bytes: the log it belongs to, then every field, in the order of the struct.
    pub fn bytes(&self, log_id: &[u8; 16]) -> Vec<u8> {
        let mut record = canonical::Record::new("confiture/journal/v1");
        record
            .bytes(Some(log_id))
            .int(Some(self.number))
            .int(Some(self.at))
            .text(Some(&self.event))
            .text(Some(&self.user_name))
            .text(Some(&self.session_user_name))
            .text(Some(&self.hostname))
            .text(Some(&self.application_name))
            .int(Some(self.backend_pid.into()))
            .int(Some(self.transaction_id))
            .text(Some(&self.about))
            .text(self.domain.as_deref())
            .text(self.reason.as_deref())
            .int(self.amount)
            .text(Some(&self.key_name))
            .int(Some(self.key_version.into()));
        record.finish()
    }

    /// SHA-256 of the canonical bytes.
    pub fn hash(&self, log_id: &[u8; 16]) -> [u8; 32] {
        Sha256::digest(self.bytes(log_id)).into()
    }
}

/// Signs a record's hash: HMAC-SHA256 under the ledger's entry subkey.
pub fn sign(subkey: &Secret, hash: &[u8; 32]) -> [u8; 32] {
    entry::sign_as("confiture/journal-sig/v1", subkey, hash)
}

/// Whether a stored signature is the one of this hash, in constant time.
pub fn signed(subkey: &Secret, hash: &[u8; 32], signature: &[u8]) -> bool {
    sign(subkey, hash).ct_eq(signature).into()
}

/// What an entry of the chain says of the records since the entry before: SHA-256 of
/// `confiture/journal-root/v1`, then of each of them in their order its hash and the SHA-256 of its
/// signature.
#[derive(Clone, Default)]
pub struct Root {
    sum: Option<Sha256>,
}

impl Root {
    /// Takes the next record.
    pub fn take(&mut self, hash: &[u8; 32], signature: &[u8]) {
        let sum = self
            .sum
            .get_or_insert_with(|| Sha256::new_with_prefix(b"confiture/journal-root/v1"));
        sum.update(hash);
        // One length each, so that nothing runs together, also where a signature was altered.
        sum.update(Sha256::digest(signature));
    }

    /// The root, and a new beginning; `None` where there was no record.
    pub fn finish(&mut self) -> Option<[u8; 32]> {
        self.sum.take().map(|sum| sum.finalize().into())
    }
}

fn cut(text: &mut String, bound: usize) {
    let end = text.floor_char_boundary(bound);
    text.truncate(end);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::ledger::journal) const LOG: [u8; 16] = [2; 16];

    pub(in crate::ledger::journal) fn sample(number: i64) -> Line {
        Line {
            number,
            at: 42,
            event: Event::Revealed.name().into(),
            user_name: "clerk".into(),
            session_user_name: "app".into(),
            hostname: "192.0.2.1".into(),
            application_name: "psql".into(),
            backend_pid: 7,
            transaction_id: 700,
            about: "anon_fpe_decrypt".into(),
            domain: Some("customers".into()),
            reason: Some("ticket 7".into()),
            amount: Some(1),
            key_name: "masking".into(),
            key_version: 1,
        }
    }

    #[test]
    fn journal_hash_covers_every_field_and_the_log() {
        let base = sample(1);
        type Edit = fn(&mut Line);
        let edits: &[Edit] = &[
            |l| l.number = 2,
            |l| l.at += 1,
            |l| l.event = "DENIED".into(),
            |l| l.user_name.push('x'),
            |l| l.session_user_name.push('x'),
            |l| l.hostname.push('x'),
            |l| l.application_name.push('x'),
            |l| l.backend_pid += 1,
            |l| l.transaction_id += 1,
            |l| l.about.push('x'),
            |l| l.domain = None,
            |l| l.domain = Some(String::new()),
            |l| l.reason = None,
            |l| l.amount = Some(2),
            |l| l.amount = None,
            |l| l.key_name.push('x'),
            |l| l.key_version += 1,
        ];
        for (i, edit) in edits.iter().enumerate() {
            let mut edited = base.clone();
            edit(&mut edited);
            assert_ne!(edited.hash(&LOG), base.hash(&LOG), "edit {i}");
        }
        assert_ne!(base.hash(&[3; 16]), base.hash(&LOG));
    }

    #[test]
    fn journal_signature_is_none_of_an_entry() {
        let hash = sample(1).hash(&LOG);
        let (a, b) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert!(signed(&a, &hash, &sign(&a, &hash)));
        assert!(!signed(&b, &hash, &sign(&a, &hash)));
        assert!(!signed(&a, &hash, &entry::sign(&a, &hash)));
        assert!(!signed(&a, &hash, &[]));
    }

    #[test]
    fn journal_texts_are_cut_between_characters() {
        let mut long = sample(1);
        long.reason = Some("ü".repeat(200));
        long.about = format!("a{}", "ü".repeat(64));
        long.user_name = "x".repeat(500);
        let cut = long.bounded();
        assert_eq!(cut.reason.unwrap(), "ü".repeat(128));
        assert_eq!(cut.about, format!("a{}", "ü".repeat(63)));
        assert_eq!(cut.user_name.len(), 64);
        assert_eq!(sample(1).bounded(), sample(1));
    }

    #[test]
    fn journal_root_depends_on_every_record_and_their_order() {
        let root = |lines: &[(u8, u8)]| {
            let mut root = Root::default();
            for &(hash, signature) in lines {
                root.take(&[hash; 32], &[signature; 32]);
            }
            root.finish()
        };
        assert_eq!(root(&[]), None);
        let all = [
            root(&[(1, 1)]),
            root(&[(1, 2)]),
            root(&[(1, 1), (2, 2)]),
            root(&[(2, 2), (1, 1)]),
            root(&[(1, 1), (1, 1)]),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(one.is_some() && !all[..i].contains(one), "{i}");
        }
    }
}
