//! `hash`: a keyed digest in hexadecimal, for identifiers that must stay joinable.
//!
//! HMAC-SHA-256, HMAC-SHA-512 (RFC 2104) or keyed BLAKE3. Text gives prefix and hex digits, a uuid
//! gives a uuid of version 8 with 122 keyed bits (RFC 9562), bytea gives `length / 2` bytes. An
//! integer gives one of its width, uniform from 0 to the maximum: 15, 31 or 63 bits, which collide
//! like any hash of that size and so suit no unique column of many rows.

use std::borrow::Cow;

use crate::error::{self, Error, Result};
use crate::strategies::canonical;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::{Algorithm, Keyed};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

/// `hash` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([
///     ("length".to_owned(), Value::Int(8)),
///     ("prefix".to_owned(), Value::from("C-")),
/// ]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Hash, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("ada")?;
/// assert!(made.starts_with("C-") && made.len() == 2 + 8);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "hash",
    version: 1,
    about: "Keyed digest of a value, as a value of the same type",
    accepts: &[
        ValueType::Bytes,
        ValueType::Int16,
        ValueType::Int32,
        ValueType::Int64,
        ValueType::Text,
        ValueType::Uuid,
    ],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: false,
    example: "anon_hash('ada', length => 8, prefix => 'C-')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Hash::new(reader)?)),
};

/// The parameters of `hash`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hash {
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
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let algorithm = algorithm(reader)?;
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
}

impl Parsed for Hash {
    fn properties(&self, of: ValueType) -> Properties {
        let bits = match of {
            ValueType::Int16 => 15,
            ValueType::Int32 => 31,
            ValueType::Int64 => 63,
            ValueType::Uuid => 122,
            _ => 4 * u32::from(self.length),
        };
        Properties {
            folds_spellings: of == ValueType::Text && self.canonical == Canonical::Text,
            collision_bits: Some(bits),
            survival: Survival::Bits(bits),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        Some(self.prefix.chars().count() + usize::from(self.length))
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            keyed: Keyed::with_algorithm(Kind::Hash, self.algorithm, keys.masking, seed),
            hash: self.clone(),
            of,
        }))
    }
}

/// `hash` with its key.
struct Mask {
    hash: Hash,
    keyed: Keyed,
    of: ValueType,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        Ok(Some(match value {
            Datum::Text(text) => Datum::text(self.text(&text)),
            Datum::Int(number) => Datum::Int(self.int(number)),
            Datum::Uuid(uuid) => Datum::Uuid(self.uuid(uuid)),
            Datum::Bytes(bytes) => Datum::Bytes(Cow::Owned(self.bytes(&bytes))),
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        }))
    }
}

impl Mask {
    fn text(&self, value: &str) -> String {
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
    fn int(&self, value: i64) -> i64 {
        let max = self.of.max_int().unwrap_or(i64::MAX);
        let digest = self.keyed.digest(&value.to_be_bytes());
        i64::from_be_bytes(digest.first()) & max
    }

    fn uuid(&self, value: [u8; 16]) -> [u8; 16] {
        let mut uuid: [u8; 16] = self.keyed.digest(&value).first();
        uuid[6] = uuid[6] & 0x0f | 0x80;
        uuid[8] = uuid[8] & 0x3f | 0x80;
        uuid
    }

    fn bytes(&self, value: &[u8]) -> Vec<u8> {
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

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "algorithm",
        ParamKind::Text,
        "sha256",
        "sha256, sha512 (both HMAC) or blake3 (keyed).",
    )
    .only(&[ValueType::Bytes, ValueType::Text]),
    ParamSpec::new(
        "length",
        ParamKind::Int,
        "20",
        "Hexadecimal digits, 8 to 64 (128 with sha512); bytea gets half as many bytes.",
    )
    .only(&[ValueType::Bytes, ValueType::Text]),
    ParamSpec::new(
        "prefix",
        ParamKind::Text,
        "",
        "What stands before the digits, at most 64 characters.",
    )
    .only(ValueType::TEXT),
    ParamSpec::new(
        "canonical",
        ParamKind::Text,
        "exact",
        "exact hashes a text as it is, text trims, composes and lower-cases it first.",
    )
    .only(ValueType::TEXT),
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
    use crate::strategies::params::Value;

    fn hash(params: &[(&str, Value)]) -> Result<Hash, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Hash::new(&Reader::new(Kind::Hash, &params.collect())?)
    }

    fn mask(params: &[(&str, Value)]) -> Mask {
        let hash = hash(params).unwrap();
        Mask {
            keyed: Keyed::with_algorithm(Kind::Hash, hash.algorithm, &[7; 32], Seed::new(1)),
            hash,
            of: ValueType::Text,
        }
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
