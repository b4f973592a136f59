//! `salted_hash`: a digest under the masking key and a stored salt, in hexadecimal digits.
//!
//! Two columns with different salts share no pseudonym, a new version of a salt gives new ones, and
//! without the masking key a salt is worth nothing. Text gives prefix and digits, bytea gives
//! `length / 2` bytes. The definition is in `keyed.rs`. With `compatible` it writes what the tool
//! of that name writes, which is keyed by nothing: `greenmask.rs`.

mod greenmask;
mod keyed;
mod params;

use std::borrow::Cow;

use greenmask::Function;
use params::{PARAMS, Salted, Way};

use crate::error::{self, Error, Result};
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, SaltRef, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::Digest;
use crate::strategies::{Datum, ValueType};

/// `salted_hash` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("length".to_owned(), Value::Int(32))]);
/// let keys = Subkeys {
///     masking: &[7; 32],
///     fpe: &[8; 32],
///     salt: Some(&[9; 32]),
/// };
/// let strategy = Strategy::new(Kind::SaltedHash, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// assert_eq!(mask.text("ada")?.len(), 32);
/// let bare = Subkeys::new(&[7; 32], &[8; 32]);
/// assert!(strategy.mask(&bare, Seed::new(1), ValueType::Text).is_err());
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "salted_hash",
    version: 1,
    about: "Keyed digest of a value under a stored salt",
    accepts: &[ValueType::Bytes, ValueType::Text],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: false,
    example: "anon_salted_hash('ada', salt => 'people')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Salted::new(reader)?)),
};

impl Parsed for Salted {
    fn properties(&self, _: ValueType) -> Properties {
        let bits = 4 * u32::from(self.length());
        match &self.way {
            Way::Keyed { .. } => Properties {
                collision_bits: Some(bits),
                survival: Survival::Bits(bits),
                ..Properties::KEYED
            },
            Way::Greenmask { function, .. } => Properties {
                deterministic: true,
                collision_bits: Some(if function.is_broken() { 0 } else { bits }),
                survival: Survival::Bits(bits),
                ..Properties::NONE
            },
        }
    }

    fn accepts(&self, of: ValueType) -> bool {
        of == ValueType::Text || matches!(self.way, Way::Keyed { .. })
    }

    fn instead(&self, _: ValueType) -> Option<&'static str> {
        Some("What another tool writes is text; without \"compatible\" other types are taken.")
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        Some(self.prefix().chars().count() + usize::from(self.length()))
    }

    fn salt(&self) -> Option<SaltRef<'_>> {
        match &self.way {
            Way::Keyed {
                salt, salt_version, ..
            } => Some(SaltRef {
                name: salt,
                version: *salt_version,
            }),
            Way::Greenmask { .. } => None,
        }
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let digest = match &self.way {
            Way::Keyed { algorithm, .. } => {
                let salt = keys.salt.ok_or_else(no_salt)?;
                State::Keyed(keyed::State::new(*algorithm, keys.masking, seed, salt))
            }
            Way::Greenmask { function, salt } => State::Greenmask(*function, salt.clone()),
        };
        Ok(Box::new(Mask {
            prefix: self.prefix().to_owned(),
            length: self.length(),
            state: digest,
            of,
        }))
    }
}

/// `salted_hash` with its key and its salt.
struct Mask {
    prefix: String,
    length: u16,
    state: State,
    of: ValueType,
}

enum State {
    Keyed(keyed::State),
    Greenmask(Function, String),
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        Ok(Some(match value {
            Datum::Text(text) => {
                let digest = self.state.digest(text.as_bytes())?;
                let capacity = self.prefix.len() + usize::from(self.length);
                let mut out = String::with_capacity(capacity);
                out.push_str(&self.prefix);
                digest.push_hex(self.length, &mut out);
                Datum::text(out)
            }
            Datum::Bytes(bytes) => {
                let digest = self.state.digest(&bytes)?;
                let length = usize::from(self.length.div_ceil(2));
                Datum::Bytes(Cow::Owned(digest.as_bytes()[..length].to_vec()))
            }
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        }))
    }
}

impl State {
    fn digest(&self, value: &[u8]) -> Result<Digest> {
        match self {
            Self::Keyed(state) => state.digest(value),
            Self::Greenmask(function, salt) => Ok(function.digest(salt.as_bytes(), value)),
        }
    }
}

fn no_salt() -> Error {
    Error::new(
        error::Kind::NotReady,
        "there is no salt for strategy \"salted_hash\"",
    )
    .with_hint("Run SELECT confiture.create_key('salt-people'), and name it by salt => 'people'.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Value;
    use crate::strategies::{Kind, ParamError, Strategy};

    const SALT: [u8; 32] = [9; 32];

    fn strategy(params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Strategy::new(Kind::SaltedHash, &params.collect())
    }

    fn with(params: &[(&str, Value)], salt: [u8; 32], value: &str) -> String {
        let keys = Subkeys {
            salt: Some(&salt),
            ..Subkeys::new(&[7; 32], &[8; 32])
        };
        let strategy = strategy(params).unwrap();
        let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text).unwrap();
        mask.text(value).unwrap().into_owned()
    }

    fn refused(params: &[(&str, Value)]) -> String {
        strategy(params).unwrap_err().param
    }

    #[test]
    fn salted_hash_without_a_salt_is_not_ready() {
        let strategy = strategy(&[]).unwrap();
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let error = strategy
            .mask(&keys, Seed::new(1), ValueType::Text)
            .unwrap_err();
        assert_eq!(error.kind().sqlstate().as_str(), "55000");
        assert!(error.hint().unwrap().contains("confiture.create_key"));
    }

    #[test]
    fn salted_hash_depends_on_salt_and_algorithm() {
        let names = [
            "sha256", "sha384", "sha512", "sha3-256", "blake3", "argon2id",
        ];
        let mut seen = std::collections::HashSet::new();
        for name in names {
            let mut params = vec![("algorithm", Value::from(name))];
            if name == "argon2id" {
                params.extend([("memory_kib", Value::Int(7168)), ("passes", Value::Int(1))]);
            }
            assert!(seen.insert(with(&params, SALT, "ada")));
            assert!(seen.insert(with(&params, [10; 32], "ada")));
        }
    }

    #[test]
    fn salted_hash_of_a_prefix_is_a_prefix_of_the_hash() {
        let long = [("length", Value::Int(64)), ("prefix", Value::from("H-"))];
        let (short, long) = (with(&[], SALT, ""), with(&long, SALT, ""));
        assert_eq!((short.len(), long.len()), (20, 66));
        assert_eq!(&long[2..22], short);
    }

    #[test]
    fn salted_hash_gives_half_as_many_bytes() {
        let keys = Subkeys {
            salt: Some(&SALT),
            ..Subkeys::new(&[7; 32], &[8; 32])
        };
        let strategy = strategy(&[("length", Value::Int(9))]).unwrap();
        let mask = strategy
            .mask(&keys, Seed::new(1), ValueType::Bytes)
            .unwrap();
        let out = mask.apply(Datum::Bytes(Cow::Borrowed(b"ada")), Row::NONE);
        let text = with(&[("length", Value::Int(10))], SALT, "ada");
        let bytes = hex::decode(text).unwrap();
        assert_eq!(out.unwrap(), Some(Datum::Bytes(Cow::Owned(bytes))));
    }

    #[test]
    fn salted_hash_takes_the_same_memory_again() {
        let params = [
            ("algorithm", Value::from("argon2id")),
            ("memory_kib", Value::Int(7168)),
            ("passes", Value::Int(1)),
        ];
        let keys = Subkeys {
            salt: Some(&SALT),
            ..Subkeys::new(&[7; 32], &[8; 32])
        };
        let strategy = strategy(&params).unwrap();
        let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text).unwrap();
        let first = mask.text("ada").unwrap();
        assert_ne!(mask.text("eve").unwrap(), first);
        assert_eq!(mask.text("ada").unwrap(), first);
    }

    #[test]
    fn salted_hash_cuts_where_greenmask_cuts() {
        let params = |length: Option<i64>, function: &str| {
            let mut params = vec![
                ("compatible", Value::from("greenmask")),
                ("compatible_function", Value::from(function)),
            ];
            params.extend(length.map(|length| ("length", Value::Int(length))));
            params
        };
        assert_eq!(with(&params(Some(4), "sha1"), SALT, "123"), "40bd");
        let whole = with(&params(None, "sha1"), SALT, "123");
        assert_eq!(whole, "40bd001563085fc35165329ea1ff5c5ecbdbbeef");
        assert_eq!(refused(&params(Some(41), "sha1")), "length");
        let spelled = strategy(&params(None, "sha3-254")).unwrap();
        assert_eq!(spelled, strategy(&params(None, "sha3-256")).unwrap());
    }

    #[test]
    fn salted_hash_is_keyed_unless_it_is_compatible() {
        let promised = |params: &[(&str, Value)]| {
            let properties = strategy(params).unwrap().properties(ValueType::Text);
            (properties.keyed, properties.collision_bits)
        };
        let greenmask = ("compatible", Value::from("greenmask"));
        let md5 = ("compatible_function", Value::from("md5"));
        assert_eq!(promised(&[]), (true, Some(80)));
        assert_eq!(
            promised(std::slice::from_ref(&greenmask)),
            (false, Some(256))
        );
        assert_eq!(promised(&[greenmask.clone(), md5]), (false, Some(0)));
        assert!(!strategy(&[greenmask]).unwrap().accepts(ValueType::Bytes));
    }
}
