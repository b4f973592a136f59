//! `hash`: a keyed digest in hexadecimal, for identifiers that must stay joinable.
//!
//! HMAC-SHA-256, HMAC-SHA-512 (RFC 2104) or keyed BLAKE3. Text gives prefix and hex digits, a uuid
//! gives a uuid of version 8 with 122 keyed bits (RFC 9562), bytea gives `length / 2` bytes. An
//! integer gives one of its width, uniform from 0 to the maximum: 15, 31 or 63 bits, which collide
//! like any hash of that size and so suit no unique column of many rows.

use super::canonical;
use super::keyed::{Algorithm, Keyed};
use super::params::{ParamError, ParamKind, ParamSpec, Params, Reader, Value};
use super::{Kind, Properties, Seed};
use crate::error::{self, Error};

/// The parameters of `hash`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    algorithm: Algorithm,
    canonical: Canonical,
    length: u16,
    prefix: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Canonical {
    Exact,
    Text,
}

impl Hash {
    /// Parses and checks the parameters.
    ///
    /// # Errors
    ///
    /// `InvalidParameter`, with the name of the parameter.
    pub fn new(params: &Params) -> Result<Self, ParamError> {
        let reader = Reader::new(Kind::Hash, params)?;
        let algorithm = algorithm(&reader)?;
        let prefix = reader.text("prefix", "");
        if prefix.chars().count() > 64 {
            return Err(reader.invalid("prefix", "It must have at most 64 characters."));
        }
        Ok(Self {
            algorithm,
            canonical: reader.word("canonical", &CANONICALS)?,
            length: reader.int("length", 20, 8..=algorithm.hex_digits())?,
            prefix: prefix.to_owned(),
        })
    }

    /// Returns every parameter with its effective value.
    pub fn effective_params(&self) -> Params {
        let canonical = match self.canonical {
            Canonical::Exact => "exact",
            Canonical::Text => "text",
        };
        Params::from([
            ("algorithm".to_owned(), Value::from(self.algorithm.name())),
            ("canonical".to_owned(), Value::from(canonical)),
            ("length".to_owned(), Value::Int(i64::from(self.length))),
            ("prefix".to_owned(), Value::from(&*self.prefix)),
        ])
    }

    /// Returns what can be relied on.
    pub fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            keyed: true,
            folds_spellings: self.canonical == Canonical::Text,
            collision_bits: Some(4 * u32::from(self.length)),
            ..Properties::NONE
        }
    }

    /// Returns the longest text output, in characters.
    pub fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        Some(self.prefix.chars().count() + usize::from(self.length))
    }

    pub(super) fn mask(self, key: &[u8; 32], seed: Seed) -> Mask {
        Mask {
            keyed: Keyed::with_algorithm(Kind::Hash, self.algorithm, key, seed),
            hash: self,
        }
    }
}

/// `hash` with its key.
pub(super) struct Mask {
    hash: Hash,
    keyed: Keyed,
}

impl Mask {
    pub(super) fn text(&self, value: &str) -> String {
        let digest = match self.hash.canonical {
            Canonical::Exact => self.keyed.digest(value.as_bytes()),
            Canonical::Text => self.keyed.digest(canonical::text(value).as_bytes()),
        };
        let capacity = self.hash.prefix.len() + usize::from(self.hash.length);
        let mut out = String::with_capacity(capacity);
        out.push_str(&self.hash.prefix);
        digest.push_hex(self.hash.length, &mut out);
        out
    }

    /// The maximum of every width is all ones, so cutting bits keeps the digest uniform.
    pub(super) fn int(&self, value: i64, max: i64) -> i64 {
        let digest = self.keyed.digest(&value.to_be_bytes());
        i64::from_be_bytes(digest.first()) & max
    }

    pub(super) fn uuid(&self, value: [u8; 16]) -> [u8; 16] {
        let mut uuid: [u8; 16] = self.keyed.digest(&value).first();
        uuid[6] = uuid[6] & 0x0f | 0x80;
        uuid[8] = uuid[8] & 0x3f | 0x80;
        uuid
    }

    pub(super) fn bytes(&self, value: &[u8]) -> Vec<u8> {
        let digest = self.keyed.digest(value);
        digest.as_bytes()[..usize::from(self.hash.length.div_ceil(2))].to_vec()
    }
}

fn algorithm(reader: &Reader<'_>) -> Result<Algorithm, ParamError> {
    let word = reader.text("algorithm", "sha256");
    if ["md5", "sha1"].contains(&&*word.to_ascii_lowercase().replace('-', "")) {
        let message = "algorithms \"md5\" and \"sha1\" are not supported for strategy \"hash\"";
        let error = Error::new(error::Kind::InvalidParameter, message)
            .with_detail("They are broken: anyone can make two values with the same digest.")
            .with_hint("Use \"sha256\", \"sha512\" or \"blake3\".");
        return Err(reader.error("algorithm", error));
    }
    reader.word("algorithm", &ALGORITHMS)
}

pub(super) const PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "algorithm",
        kind: ParamKind::Text,
        default: "sha256",
        about: "sha256, sha512 (both HMAC) or blake3 (keyed).",
    },
    ParamSpec {
        name: "canonical",
        kind: ParamKind::Text,
        default: "exact",
        about: "exact hashes a text as it is, text trims, composes and lower-cases it first.",
    },
    ParamSpec {
        name: "length",
        kind: ParamKind::Int,
        default: "20",
        about: "Hexadecimal digits, 8 to 64 (128 with sha512); bytea gets half as many bytes.",
    },
    ParamSpec {
        name: "prefix",
        kind: ParamKind::Text,
        default: "",
        about: "What stands before the digits, at most 64 characters.",
    },
];

const ALGORITHMS: [(&str, Algorithm); 3] = [
    ("sha256", Algorithm::Sha256),
    ("sha512", Algorithm::Sha512),
    ("blake3", Algorithm::Blake3),
];
const CANONICALS: [(&str, Canonical); 2] = [("exact", Canonical::Exact), ("text", Canonical::Text)];

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(params: &[(&str, Value)]) -> Result<Hash, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Hash::new(&params.collect())
    }

    fn mask(params: &[(&str, Value)]) -> Mask {
        hash(params).unwrap().mask(&[7; 32], Seed::new(1))
    }

    #[test]
    fn hash_length_has_bounds() {
        let length = |length, algorithm| {
            let params = [
                ("length", Value::Int(length)),
                ("algorithm", Value::from(algorithm)),
            ];
            hash(&params)
        };
        for (bad, algorithm) in [(-1, "sha256"), (0, "sha256"), (7, "blake3"), (65, "blake3")] {
            let refused = length(bad, algorithm).unwrap_err();
            assert_eq!(refused.param, "length");
            assert_eq!(refused.error.detail(), Some("It must be between 8 and 64."));
        }
        assert!(length(128, "sha512").is_ok());
        assert!(length(129, "sha512").is_err());
        assert!(length(i64::MAX, "sha512").is_err());
    }

    #[test]
    fn hash_refuses_broken_algorithms_with_the_reason() {
        for word in ["md5", "sha1", "SHA-1", "MD5"] {
            let refused = hash(&[("algorithm", Value::from(word))]).unwrap_err();
            assert_eq!(refused.param, "algorithm");
            assert!(refused.error.detail().is_some());
        }
        let refused = hash(&[("algorithm", Value::from("sha265"))]).unwrap_err();
        assert!(
            refused
                .error
                .hint()
                .is_some_and(|h| h.contains("\"sha256\"?"))
        );
    }

    #[test]
    fn hash_of_a_prefix_is_a_prefix_of_the_hash() {
        let (short, long) = (mask(&[]), mask(&[("length", Value::Int(63))]));
        assert_eq!(long.text("a").len(), 63);
        assert!(long.text("a").starts_with(&short.text("a")));
        assert_eq!(mask(&[("length", Value::Int(9))]).bytes(b"a").len(), 5);
        assert_eq!(short.bytes(b"a").len(), 10);
    }

    #[test]
    fn hash_algorithms_are_unrelated() {
        let text = |name: &str| mask(&[("algorithm", Value::from(name))]).text("a");
        assert_ne!(text("sha256"), text("sha512"));
        assert_ne!(text("sha256"), text("blake3"));
    }

    #[test]
    fn hash_folds_spellings_only_when_asked() {
        let (exact, text) = (mask(&[]), mask(&[("canonical", Value::from("text"))]));
        assert_ne!(exact.text(" A"), exact.text("a"));
        assert_eq!(text.text(" A"), text.text("a"));
        assert_eq!(exact.text("a"), text.text("a"));
    }

    #[test]
    fn hash_masks_the_empty_text() {
        assert_eq!(mask(&[]).text("").len(), 20);
    }

    #[test]
    fn hash_uuid_has_version_8() {
        let uuid = mask(&[]).uuid([0; 16]);
        assert_eq!((uuid[6] >> 4, uuid[8] >> 6), (8, 2));
    }
}
