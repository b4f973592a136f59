//! Signed checkpoints: what a log was at one size, in a form that anybody can check who has the
//! public key (C2SP `tlog-checkpoint` in `signed-note`, signature type 0x01: Ed25519, RFC 8032).
//!
//! ```text
//! confiture/9c154a19-85ce-4482-9665-12f8c7348e88
//! 812
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — confiture/9c154a19-85ce-4482-9665-12f8c7348e88 Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeO…
//! ```
//!
//! Texts come from anywhere: everything has one spelling, and nothing is read over.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::tree::Hash;
use crate::keys::Secret;

/// The longest note that is read, in bytes.
pub const LONGEST: usize = 256 * 1024;

/// The most signatures of a note. The specification asks for at least 16.
const MOST_SIGNATURES: usize = 64;

/// Signature type 0x01: Ed25519.
const ED25519: u8 = 1;

/// What begins a line with a signature: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// The root of a log at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed: three lines.
    pub fn text(&self) -> String {
        let root = STANDARD.encode(self.root);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads the text of a note. Extension lines, which the specification advises against and no log
    /// of ours has, are refused.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let lines: Vec<&str> = text.split('\n').collect();
        let [origin, size, root, ""] = lines[..] else {
            return Err("Its text does not have three lines.");
        };
        if origin.is_empty() {
            return Err("It has no origin.");
        }
        let is_decimal = size.bytes().all(|digit| digit.is_ascii_digit());
        let is_short = size == "0" || !size.starts_with('0');
        let size = size
            .parse::<u64>()
            .ok()
            .filter(|_| is_decimal && is_short)
            .ok_or("Its size is no number without leading zeros.")?;
        let root = STANDARD
            .decode(root)
            .ok()
            .and_then(|root| root.try_into().ok())
            .ok_or("Its root is not 32 bytes in base64.")?;
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }

    /// Signs under a name, with the seed of an Ed25519 key (RFC 8032 §5.1.5): the whole note.
    pub fn sign(&self, name: &str, seed: &Secret) -> String {
        sign(&self.text(), name, seed)
    }
}

/// Signs a text that ends with a line end. Equal inputs give equal bytes.
fn sign(text: &str, name: &str, seed: &Secret) -> String {
    let key = SigningKey::from_bytes(seed.expose());
    let mut signature = key_id(name, key.verifying_key().as_bytes()).to_vec();
    signature.extend_from_slice(&key.sign(text.as_bytes()).to_bytes());
    let signature = STANDARD.encode(signature);
    format!("{text}\n{DASH}{name} {signature}\n")
}

/// A public key that verifies notes signed under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    /// Takes the 32 bytes of a public key; `None` where they are none, or no name.
    pub fn new(name: &str, public: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(public).ok()?;
        // Of eight special points everything has a signature.
        if !is_name(name) || key.is_weak() {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            id: key_id(name, public),
            key,
        })
    }

    /// The public key of a seed.
    pub fn of_seed(name: &str, seed: &Secret) -> Option<Self> {
        Self::new(name, &Self::public_of(seed))
    }

    /// The 32 bytes of the public key of a seed.
    pub fn public_of(seed: &Secret) -> [u8; 32] {
        SigningKey::from_bytes(seed.expose())
            .verifying_key()
            .to_bytes()
    }

    /// Reads `name+id+key`, the id in 8 hexadecimal digits, the key in base64 after its type.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("It does not have three parts.");
        };
        let bytes = STANDARD.decode(key).map_err(|_| "Its key is no base64.")?;
        let Some((&ED25519, public)) = bytes.split_first() else {
            return Err("Its key is not of type Ed25519.");
        };
        let found = public
            .try_into()
            .ok()
            .and_then(|public| Self::new(name, public))
            .ok_or("Its name or its key is none.")?;
        if hex::encode(found.id) != id {
            return Err("Its id is not that of name and key.");
        }
        Ok(found)
    }

    /// The name that signatures are made under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id that signatures name beside the name, in hexadecimal digits.
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// The 32 bytes of the key.
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether a signature that names this key is right. Stricter than RFC 8032 demands, in that
    /// one signature verifies one text only.
    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex::encode(self.id),
            STANDARD.encode(key)
        )
    }
}

/// A note as read: nothing of it is true yet.
pub struct Note<'a> {
    /// The text, its last line end included.
    pub text: &'a str,
    signatures: Vec<(&'a str, Vec<u8>)>,
}

/// What the signatures of a note are worth.
#[derive(Debug, PartialEq, Eq)]
pub enum Signed<'k, T> {
    /// Signed by this key.
    By(&'k T),
    /// A signature names a known key and is not of it.
    Falsely,
    /// No signature names a known key.
    ByStrangers,
}

impl<'a> Note<'a> {
    /// Takes a note apart: a text, an empty line, and lines with signatures to the end.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub fn parse(note: &'a str) -> Result<Self, &'static str> {
        if note.len() > LONGEST {
            return Err("It is too long.");
        }
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err("It holds control characters.");
        }
        // The last empty line: the text may have some of its own.
        let (before, lines) = note
            .rfind("\n\n")
            .map(|at| (&note[..=at], &note[at + 2..]))
            .ok_or("It has no empty line before its signatures.")?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or("Its last line has no end.")?;
        let signatures: Vec<_> = lines
            .split('\n')
            .take(MOST_SIGNATURES + 1)
            .map(signature)
            .collect::<Option<_>>()
            .ok_or("A line after its text is no signature.")?;
        if signatures.len() > MOST_SIGNATURES {
            return Err("It has too many signatures.");
        }
        Ok(Self {
            text: before,
            signatures,
        })
    }

    /// Looks for a known key among the signatures. Those of others are ignored; if one names a known
    /// key and is wrong, the note is.
    pub fn signed<'k, T>(&self, known: &'k [T], key: impl Fn(&T) -> &VerifierKey) -> Signed<'k, T> {
        let mut signed = Signed::ByStrangers;
        for (name, signature) in &self.signatures {
            let (id, signature) = signature.split_at(4);
            // Two keys may share an id by accident; then one of them has to fit.
            let mut named = known
                .iter()
                .filter(|known| key(known).name == *name && key(known).id == id)
                .peekable();
            if named.peek().is_none() {
                continue;
            }
            match named.find(|known| key(known).verifies(self.text, signature)) {
                Some(found) => signed = Signed::By(found),
                None => return Signed::Falsely,
            }
        }
        signed
    }
}

fn signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
    let signature = STANDARD.decode(signature).ok()?;
    (is_name(name) && signature.len() > 4).then_some((name, signature))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name);
    hash.update([b'\n', ED25519]);
    hash.update(public);
    let hash: Hash = hash.finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

#[cfg(test)]
mod tests;
