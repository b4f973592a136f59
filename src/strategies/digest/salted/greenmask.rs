//! What Greenmask's transformer `Hash` writes: the digest of salt and value, keyed by nothing.
//!
//! Hexadecimal digits of H(salt ‖ value), cut to its `max_length`. The salt is used as it is
//! written, though Greenmask calls it hexadecimal. Checked against its source and against the
//! example of its documentation (v0.2). Whoever knows or guesses the salt can try every value there
//! is, and short salts are soon guessed: it is here for joins with data that Greenmask has written.

use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

use crate::strategies::keyed::Digest;

/// The functions it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Md5,
    Sha1,
    Sha256,
    Sha512,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
}

impl Function {
    /// The first of its names.
    pub(super) fn name(self) -> &'static str {
        let named = FUNCTIONS.iter().find(|(_, function)| *function == self);
        named.unwrap_or(&FUNCTIONS[0]).0
    }

    pub(super) fn hex_digits(self) -> u16 {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha3_224 => 56,
            Self::Sha256 | Self::Sha3_256 => 64,
            Self::Sha3_384 => 96,
            Self::Sha512 | Self::Sha3_512 => 128,
        }
    }

    /// Whether anyone can make two values with the same digest.
    pub(super) fn is_broken(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1)
    }

    pub(super) fn digest(self, salt: &[u8], value: &[u8]) -> Digest {
        fn of<H: sha3::Digest>(salt: &[u8], value: &[u8]) -> Digest {
            let digest = H::new().chain_update(salt).chain_update(value).finalize();
            Digest::new(&digest)
        }
        match self {
            Self::Md5 => of::<Md5>(salt, value),
            Self::Sha1 => of::<Sha1>(salt, value),
            Self::Sha256 => of::<Sha256>(salt, value),
            Self::Sha512 => of::<Sha512>(salt, value),
            Self::Sha3_224 => of::<Sha3_224>(salt, value),
            Self::Sha3_256 => of::<Sha3_256>(salt, value),
            Self::Sha3_384 => of::<Sha3_384>(salt, value),
            Self::Sha3_512 => of::<Sha3_512>(salt, value),
        }
    }
}

/// By name, Greenmask's default first; it spells that one `sha3-254`.
pub(super) const FUNCTIONS: [(&str, Function); 9] = [
    ("sha3-256", Function::Sha3_256),
    ("sha3-254", Function::Sha3_256),
    ("md5", Function::Md5),
    ("sha1", Function::Sha1),
    ("sha256", Function::Sha256),
    ("sha512", Function::Sha512),
    ("sha3-224", Function::Sha3_224),
    ("sha3-384", Function::Sha3_384),
    ("sha3-512", Function::Sha3_512),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(function: Function, salt: &str, value: &str) -> String {
        let digest = function.digest(salt.as_bytes(), value.as_bytes());
        let mut out = String::new();
        digest.push_hex(function.hex_digits(), &mut out);
        out
    }

    /// From Greenmask's own tests and documentation.
    #[test]
    fn salted_hash_writes_what_greenmask_writes() {
        for (function, value, expected) in [
            (
                Function::Sha1,
                "123",
                "40bd001563085fc35165329ea1ff5c5ecbdbbeef",
            ),
            (
                Function::Sha1,
                "456",
                "51eac6b471a284d3341d8c0c63d0f1a286262a18",
            ),
            (
                Function::Sha1,
                "789",
                "fc1200c7a7aa52109d762a9f005b149abef01479",
            ),
            (
                Function::Sha3_224,
                "123",
                "602bdc204140db016bee5374895e5568ce422fabe17e064061d80097",
            ),
            (
                Function::Sha3_256,
                "123",
                "a03ab19b866fc585b5cb1812a2f63ca861e7e7643ee5d43fd7106b623725fd67",
            ),
        ] {
            assert_eq!(hash(function, "", value), expected);
        }
        let job = hash(
            Function::Sha1,
            "12343567baaa",
            "Research and Development Manager",
        );
        assert_eq!(&job[..10], "3a456da5c5");
    }

    #[test]
    fn salted_hash_functions_have_their_digits() {
        for (name, function) in FUNCTIONS {
            let digits = hash(function, "s", "v").len();
            assert_eq!(digits, usize::from(function.hex_digits()), "{name}");
            assert!(name == function.name() || name == "sha3-254");
        }
    }
}
