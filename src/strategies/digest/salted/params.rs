//! The parameters of `salted_hash`: which of them have a meaning beside which.

use std::ops::RangeInclusive;

use super::greenmask::{self, Function};
use super::keyed::{Algorithm, Cost};
use crate::error::{self, Error};
use crate::strategies::ValueType;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};

/// The parameters of `salted_hash`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Salted {
    pub(super) way: Way,
    /// As written; what holds without it depends on the way.
    pub(super) length: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Keyed {
        algorithm: Algorithm,
        prefix: String,
        salt: String,
        salt_version: Option<i32>,
    },
    Greenmask {
        function: Function,
        salt: String,
    },
}

impl Salted {
    pub(super) fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let way = if reader.word("compatible", &[("none", false), ("greenmask", true)])? {
            Way::greenmask(reader)?
        } else {
            Way::keyed(reader)?
        };
        let bounds = way.shortest()..=way.hex_digits();
        let length = reader.int_if_given("length", bounds)?;
        Ok(Self { way, length })
    }

    pub(super) fn length(&self) -> u16 {
        self.length.unwrap_or(self.way.default_length())
    }

    pub(super) fn prefix(&self) -> &str {
        match &self.way {
            Way::Keyed { prefix, .. } => prefix,
            Way::Greenmask { .. } => "",
        }
    }
}

impl Way {
    fn keyed(reader: &Reader<'_>) -> Result<Self, ParamError> {
        for name in ["compatible_function", "compatible_salt"] {
            if reader.is_given(name) {
                let detail = "It has a meaning only beside \"compatible\".";
                return Err(reader.invalid(name, detail));
            }
        }
        let algorithm = algorithm(reader)?;
        Ok(Self::Keyed {
            algorithm,
            prefix: bounded(reader, "prefix", LONGEST_PREFIX)?,
            salt: name_of_salt(reader)?,
            salt_version: reader
                .is_given("salt_version")
                .then(|| number(reader, "salt_version", 0, 1..=i32::MAX))
                .transpose()?,
        })
    }

    /// Parameters of the other way are refused unless they say what holds without them: SQL may
    /// write defaults out.
    fn greenmask(reader: &Reader<'_>) -> Result<Self, ParamError> {
        for (name, default) in [("algorithm", "sha256"), ("prefix", ""), ("salt", "")] {
            if reader.differs(name, default) {
                return Err(reader.invalid(name, UNKNOWN_THERE));
            }
        }
        for name in ["salt_version", "memory_kib", "passes", "lanes"] {
            if reader.is_given(name) {
                return Err(reader.invalid(name, UNKNOWN_THERE));
            }
        }
        let function = reader.word("compatible_function", &greenmask::FUNCTIONS)?;
        reader.note("compatible_function", function.name());
        Ok(Self::Greenmask {
            function,
            salt: bounded(reader, "compatible_salt", LONGEST_SALT)?,
        })
    }

    fn hex_digits(&self) -> u16 {
        match self {
            Self::Keyed { algorithm, .. } => algorithm.hex_digits(),
            Self::Greenmask { function, .. } => function.hex_digits(),
        }
    }

    fn default_length(&self) -> u16 {
        match self {
            Self::Keyed { .. } => 20,
            Self::Greenmask { function, .. } => function.hex_digits(),
        }
    }

    fn shortest(&self) -> u16 {
        match self {
            Self::Keyed { .. } => 8,
            Self::Greenmask { .. } => 1,
        }
    }
}

fn algorithm(reader: &Reader<'_>) -> Result<Algorithm, ParamError> {
    let word = reader.text("algorithm", "sha256");
    if ["md5", "sha1"].contains(&&*word.to_ascii_lowercase().replace('-', "")) {
        let message =
            "algorithms \"md5\" and \"sha1\" are not supported for strategy \"salted_hash\"";
        let error = Error::new(error::Kind::InvalidParameter, message)
            .with_detail("They are broken: anyone can make two values with the same digest.")
            .with_hint(
                "Use \"sha256\", \"sha3-256\", \"blake3\" or, where guessing must be slow, \
                        \"argon2id\".",
            );
        return Err(reader.error("algorithm", error));
    }
    let algorithm = reader.word("algorithm", &ALGORITHMS)?;
    if matches!(algorithm, Algorithm::Argon2id(_)) {
        let cost = Cost {
            memory_kib: number(reader, "memory_kib", Cost::USUAL.memory_kib, MEMORY_KIB)?,
            passes: number(reader, "passes", Cost::USUAL.passes, PASSES)?,
            lanes: number(reader, "lanes", Cost::USUAL.lanes, LANES)?,
        };
        return Ok(Algorithm::Argon2id(cost));
    }
    for name in ["memory_kib", "passes", "lanes"] {
        if reader.is_given(name) {
            let detail = "It has a meaning only beside the algorithm \"argon2id\".";
            return Err(reader.invalid(name, detail));
        }
    }
    Ok(algorithm)
}

fn name_of_salt(reader: &Reader<'_>) -> Result<String, ParamError> {
    let name = bounded(reader, "salt", LONGEST_NAME)?;
    if name.contains(char::is_control) || name.trim() != name {
        let detail = "It must have no control characters and no white space around it.";
        return Err(reader.invalid("salt", detail));
    }
    Ok(name)
}

fn bounded(reader: &Reader<'_>, name: &str, most: usize) -> Result<String, ParamError> {
    let text = reader.text(name, "");
    if text.chars().count() > most {
        return Err(reader.invalid(name, format!("It must have at most {most} characters.")));
    }
    Ok(text.to_owned())
}

fn number<T: TryFrom<i64> + Into<i64> + PartialOrd + std::fmt::Display>(
    reader: &Reader<'_>,
    name: &str,
    default: T,
    range: RangeInclusive<T>,
) -> Result<T, ParamError> {
    let written = reader.integer(name).unwrap_or(default.into());
    reader.note(name, written);
    T::try_from(written)
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let (low, high) = range.into_inner();
            reader.invalid(name, format!("It must be between {low} and {high}."))
        })
}

pub(super) const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "salt",
        ParamKind::Text,
        "",
        "The name of a stored salt; without it each column of a profile has one of its own.",
    ),
    ParamSpec::new(
        "algorithm",
        ParamKind::Text,
        "sha256",
        "sha256, sha384, sha512, sha3-256 (all HMAC), blake3 (keyed) or argon2id (slow).",
    ),
    ParamSpec::optional(
        "length",
        ParamKind::Int,
        "Hexadecimal digits, from 8 up to all of the digest, by default 20; bytea gets half as \
         many bytes.",
    ),
    ParamSpec::new(
        "prefix",
        ParamKind::Text,
        "",
        "What stands before the digits, at most 64 characters.",
    )
    .only(ValueType::TEXT),
    ParamSpec::optional(
        "salt_version",
        ParamKind::Int,
        "The version of the salt, by default the active one.",
    ),
    ParamSpec::optional(
        "memory_kib",
        ParamKind::Int,
        "Memory of argon2id in KiB, 7168 to 262144, by default 19456.",
    ),
    ParamSpec::optional(
        "passes",
        ParamKind::Int,
        "Passes of argon2id over its memory, 1 to 10, by default 2.",
    ),
    ParamSpec::optional(
        "lanes",
        ParamKind::Int,
        "Lanes of argon2id, 1 to 8, by default 1; they run one after another.",
    ),
    ParamSpec::new(
        "compatible",
        ParamKind::Text,
        "none",
        "greenmask writes what its transformer Hash writes, without any key: anyone can try values.",
    )
    .only(ValueType::TEXT),
    ParamSpec::optional(
        "compatible_function",
        ParamKind::Text,
        "md5, sha1, sha256, sha512, sha3-224, sha3-256, sha3-384 or sha3-512, by default sha3-256.",
    )
    .only(ValueType::TEXT),
    ParamSpec::optional(
        "compatible_salt",
        ParamKind::Text,
        "The salt of that tool, as it is written there, at most 1024 characters.",
    )
    .only(ValueType::TEXT),
];

const ALGORITHMS: [(&str, Algorithm); 6] = [
    ("sha256", Algorithm::Sha256),
    ("sha384", Algorithm::Sha384),
    ("sha512", Algorithm::Sha512),
    ("sha3-256", Algorithm::Sha3),
    ("blake3", Algorithm::Blake3),
    ("argon2id", Algorithm::Argon2id(Cost::USUAL)),
];
const UNKNOWN_THERE: &str = "It has no meaning beside \"compatible\", which fixes what is written.";
const LONGEST_NAME: usize = 64;
const LONGEST_PREFIX: usize = 64;
const LONGEST_SALT: usize = 1024;
/// The least is the smallest that OWASP lists, the most what a backend can bear.
const MEMORY_KIB: RangeInclusive<u32> = 7_168..=262_144;
const PASSES: RangeInclusive<u32> = 1..=10;
const LANES: RangeInclusive<u32> = 1..=8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Kind, SaltRef, Strategy, Value};

    fn strategy(params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Strategy::new(Kind::SaltedHash, &params.collect())
    }

    fn refused(params: &[(&str, Value)]) -> String {
        strategy(params).unwrap_err().param
    }

    #[test]
    fn salted_hash_names_its_salt() {
        let unnamed = strategy(&[]).unwrap();
        let (name, version) = ("", None);
        assert_eq!(unnamed.salt(), Some(SaltRef { name, version }));
        let params = [
            ("salt", Value::from("people")),
            ("salt_version", Value::Int(3)),
        ];
        let named = strategy(&params).unwrap();
        let (name, version) = ("people", Some(3));
        assert_eq!(named.salt(), Some(SaltRef { name, version }));
        let greenmask = strategy(&[("compatible", Value::from("greenmask"))]).unwrap();
        assert_eq!(greenmask.salt(), None);
    }

    #[test]
    fn salted_hash_bounds_its_parameters() {
        let argon2 = ("algorithm", Value::from("argon2id"));
        for (name, bad) in [
            ("memory_kib", 7167),
            ("memory_kib", 262_145),
            ("passes", 0),
            ("passes", 11),
            ("lanes", 0),
            ("lanes", 9),
            ("memory_kib", i64::MAX),
            ("lanes", i64::MIN),
        ] {
            let params = [argon2.clone(), (name, Value::Int(bad))];
            assert_eq!(refused(&params), name, "{bad}");
        }
        for (algorithm, digits) in [("sha384", 96), ("sha512", 128), ("blake3", 64)] {
            let params = |length| {
                [
                    ("algorithm", Value::from(algorithm)),
                    ("length", Value::Int(length)),
                ]
            };
            assert!(strategy(&params(digits)).is_ok());
            assert_eq!(refused(&params(digits + 1)), "length");
            assert_eq!(refused(&params(7)), "length");
        }
        assert_eq!(refused(&[("salt_version", Value::Int(0))]), "salt_version");
        for salt in [&*"x".repeat(65), " people", "a\tb"] {
            assert_eq!(refused(&[("salt", Value::from(salt))]), "salt");
        }
        let prefix = "x".repeat(65);
        assert_eq!(refused(&[("prefix", Value::from(&*prefix))]), "prefix");
    }

    #[test]
    fn salted_hash_refuses_what_has_no_meaning_there() {
        for name in ["memory_kib", "passes", "lanes"] {
            assert_eq!(refused(&[(name, Value::Int(8192))]), name);
        }
        for name in ["compatible_function", "compatible_salt"] {
            assert_eq!(refused(&[(name, Value::from("md5"))]), name);
        }
        let greenmask = ("compatible", Value::from("greenmask"));
        for (name, value) in [
            ("algorithm", Value::from("blake3")),
            ("prefix", Value::from("H-")),
            ("salt", Value::from("people")),
            ("salt_version", Value::Int(1)),
            ("passes", Value::Int(1)),
        ] {
            assert_eq!(refused(&[greenmask.clone(), (name, value)]), name);
        }
        // What SQL writes out for parameters that were left out is not refused.
        let defaults = [
            greenmask,
            ("algorithm", Value::from("sha256")),
            ("prefix", "".into()),
        ];
        assert!(strategy(&defaults).is_ok());
    }

    #[test]
    fn salted_hash_refuses_broken_algorithms_with_the_reason() {
        for word in ["md5", "SHA-1"] {
            let refused = strategy(&[("algorithm", Value::from(word))]).unwrap_err();
            assert!(refused.error.detail().is_some(), "{word}");
        }
    }
}
