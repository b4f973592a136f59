//! Which notes are anchors of this log that can be relied on, and what is wrong with the others.

use std::rc::Rc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::super::checkpoint::{Checkpoint, Note, Signed, VerifierKey};
use super::super::tree::Hash;
use super::super::verify::{AUDIT, Finding};
use super::Anchors;
use crate::error::counted;
use crate::keys::Secret;

/// What every log of ours is called, before its id.
const ORIGIN: &str = "confiture/";

/// The name of a log in its anchors, and of its keys in their signatures.
pub fn origin(log_id: &[u8; 16]) -> String {
    format!("{ORIGIN}{}", uuid_text(log_id))
}

/// Which log an anchor is of; `None` where it is none of ours.
pub(super) fn log_of(origin: &str) -> Option<[u8; 16]> {
    let text = origin.strip_prefix(ORIGIN)?;
    let log_id = hex::decode(text.replace('-', "")).ok()?.try_into().ok()?;
    // One spelling only.
    (uuid_text(&log_id) == text).then_some(log_id)
}

pub(super) fn uuid_text(id: &[u8; 16]) -> String {
    let digits = hex::encode(id);
    [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ]
    .join("-")
}

/// What binds a public key that is kept, to the key it comes from: HMAC-SHA256 under the subkey that
/// verifies entries, over a domain and the public key.
pub fn seal_of(verifier: &Secret, public: &[u8; 32]) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(verifier.expose()).expect("HMAC takes a key of any length");
    mac.update(b"confiture/anchor key/v1");
    mac.update(public);
    mac.finalize().into_bytes().into()
}

/// Whether a public key is the one that was kept, in constant time.
pub fn is_sealed(verifier: &Secret, public: &[u8; 32], seal: &[u8]) -> bool {
    seal_of(verifier, public).ct_eq(seal).into()
}

/// A note that was found, with the place where it was; `None` where it could not be read.
pub type Found = (String, Option<String>);

/// A public key that signs anchors of this log.
pub struct Signer {
    /// Name and version of the key it comes from.
    pub label: Rc<str>,
    /// The public key.
    pub key: VerifierKey,
}

/// An anchor whose signature is right.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// How many entries it covers.
    pub size: u64,
    /// The root over their hashes.
    pub root: Hash,
    /// Who signed.
    pub signer: Rc<str>,
}

/// Takes notes one after another and keeps what can be relied on.
pub struct Judge {
    log_id: Option<[u8; 16]>,
    signers: Vec<Signer>,
    good: Vec<Anchor>,
    /// Place of the first one, what is wrong with it, and how many there are.
    wrong: Option<(String, String, u64)>,
    foreign: Option<(String, String, u64)>,
    unknown: Option<(String, u64, u64)>,
    unread: Option<(String, u64)>,
}

impl Judge {
    /// Begins, with the id of this log (`None` while there is none) and the keys that sign for it.
    pub fn new(log_id: Option<[u8; 16]>, signers: Vec<Signer>) -> Self {
        Self {
            log_id,
            signers,
            good: Vec::new(),
            wrong: None,
            foreign: None,
            unknown: None,
            unread: None,
        }
    }

    /// Takes a note; `place` says where it comes from.
    pub fn note(&mut self, place: &str, text: &str) {
        let note = match Note::parse(text) {
            Ok(note) => note,
            Err(why) => return self.is_wrong(place, format!("is no signed note. {why}")),
        };
        let checkpoint = match Checkpoint::parse(note.text) {
            Ok(checkpoint) => checkpoint,
            Err(why) => return self.is_wrong(place, format!("is no checkpoint. {why}")),
        };
        let log_id = log_of(&checkpoint.origin);
        if log_id.is_none() || log_id != self.log_id {
            let foreign = match log_id {
                Some(log_id) => format!("log {}", uuid_text(&log_id)),
                None => "something that is no log of ours".to_owned(),
            };
            self.foreign
                .get_or_insert_with(|| (place.to_owned(), foreign, 0))
                .2 += 1;
            return;
        }
        match note.signed(&self.signers, |signer| &signer.key) {
            Signed::By(signer) => self.good.push(Anchor {
                size: checkpoint.size,
                root: checkpoint.root,
                signer: Rc::clone(&signer.label),
            }),
            Signed::Falsely => {
                self.is_wrong(place, "does not have the signature it claims.".to_owned());
            }
            Signed::ByStrangers => {
                let unknown = self.unknown.get_or_insert_with(|| (place.to_owned(), 0, 0));
                unknown.1 = unknown.1.max(checkpoint.size);
                unknown.2 += 1;
            }
        }
    }

    /// Takes a note that was found, or what could not be read of it.
    pub fn found(&mut self, (place, text): Found) {
        match text {
            Some(text) => self.note(&place, &text),
            None => self.unread.get_or_insert((place, 0)).1 += 1,
        }
    }

    /// The anchors that can be relied on, and one finding for each way not to be one.
    pub fn finish(self) -> Anchors {
        let mut findings = Vec::new();
        if let Some((place, what, number)) = self.wrong {
            findings.push(finding(
                "E02",
                "fail",
                format!("The anchor {place} {what}{}", others(number)),
            ));
        }
        if let Some((place, foreign, number)) = self.foreign {
            let own = match self.log_id {
                Some(log_id) => format!("this is log {}", uuid_text(&log_id)),
                None => "there is no log here".to_owned(),
            };
            findings.push(finding(
                "E09",
                "fail",
                format!(
                    "The anchor {place} is of {foreign}, and {own}: it belongs elsewhere, or the \
                     log was begun anew.{}",
                    others(number)
                ),
            ));
        }
        if let Some((place, size, number)) = self.unknown {
            findings.push(finding(
                "E11",
                "unverifiable",
                format!(
                    "The anchor {place} is signed by a key that is not known or not at hand here, \
                     so nothing follows from it; it speaks of entries up to {size}.{}",
                    others(number)
                ),
            ));
        }
        if let Some((place, number)) = self.unread {
            findings.push(finding(
                "E11",
                "unverifiable",
                format!(
                    "The anchor {place} cannot be read, so nothing follows from it.{}",
                    others(number)
                ),
            ));
        }
        Anchors::new(self.good, findings)
    }

    fn is_wrong(&mut self, place: &str, what: String) {
        self.wrong
            .get_or_insert_with(|| (place.to_owned(), what, 0))
            .2 += 1;
    }
}

/// A further sentence, for a finding that stands for several anchors.
pub(super) fn others(number: u64) -> String {
    match number {
        0 | 1 => String::new(),
        _ => format!(
            " {} are concerned in the same way.",
            counted(number, "anchor")
        ),
    }
}

pub(super) fn finding(code: &'static str, status: &'static str, detail: String) -> Finding {
    Finding {
        code,
        status,
        chain: AUDIT,
        seq_from: None,
        seq_to: None,
        detail,
    }
}
