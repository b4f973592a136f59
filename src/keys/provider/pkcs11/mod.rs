//! The PKCS#11 provider: key-encryption keys that a hardware module holds and never gives out.
//!
//! `confiture.key_pkcs11 = 'module=/usr/lib/x.so token=confiture key=confiture pin_file=/etc/pin'`
//!
//! A version of the key-encryption key is an AES-256 object of the label `key`; its CKA_ID, read as
//! a big-endian number, is the version, and the highest one wraps. A data key is sealed with
//! CKM_AES_GCM (PKCS#11 v2.40): 96 random bits of IV, 128 bits of tag, the binding as
//! additional data. PKCS#11 knows no unique labels or ids, so that two sessions that rotate at once
//! may make two keys of one version: what is opened, is opened with each key of its version.
//!
//! Calls into a module block: neither a cancel nor a deadline reaches it, its own limits count.

mod fault;
mod module;
#[cfg(test)]
mod tests;
mod token;

use std::cell::RefCell;

use zeroize::Zeroizing;

use self::token::{SignedIn, Version, random_iv, successor};
use super::credential::{self, Privacy};
use super::options::Options;
use super::{Kek, Provider, Wrapped, foreign};
use crate::error::{Error, Kind, Result};
use crate::keys::envelope::Binding;
use crate::keys::{KEY_LEN, Secret};

/// The provider's name in the catalog.
pub const NAME: &str = "pkcs11";

/// The options of its setting.
pub const OPTIONS: &[&str] = &["key", "module", "pin_file", "token"];

const ALG: &str = "aes-256-gcm";
const FORMAT: u8 = 1;
const IV_LEN: usize = 12;
const TAG_LEN: usize = 16;
/// The longest reference and CKA_ID that are taken from a table, in bytes.
const LONGEST_REFERENCE: usize = 512;
const LONGEST_ID: usize = 64;

/// The key-encryption keys of one label on one token.
pub struct Pkcs11Provider {
    module: String,
    token: String,
    key: String,
    pin_file: String,
    /// A PIN that the token refused is not shown to it again: after a few it would lock itself.
    refused_pin: RefCell<Option<Zeroizing<String>>>,
}

impl Pkcs11Provider {
    /// Takes the setting's options; loads nothing.
    ///
    /// # Errors
    /// 55000 for an option that is missing, and a module whose path is not absolute.
    pub fn new(options: &Options) -> Result<Self> {
        let module = options.required("module")?;
        if !module.starts_with('/') {
            return Err(fault::no_module("The path of the module is not absolute."));
        }
        Ok(Self {
            module: module.to_owned(),
            token: options.required("token")?.to_owned(),
            key: options.required("key")?.to_owned(),
            pin_file: options.required("pin_file")?.to_owned(),
            refused_pin: RefCell::new(None),
        })
    }

    /// A session of the token; it ends when it is dropped.
    fn sign_in(&self, write: bool) -> Result<SignedIn> {
        let pin = credential::read(NAME, &self.pin_file, Privacy::Private)?;
        if self.refused_pin.borrow().as_ref() == Some(&pin) {
            return Err(fault::wrong_pin(&self.token)
                .with_detail("The token refused it before; this session tries another one only."));
        }
        let result = SignedIn::open(&self.module, &self.token, &pin, write);
        *self.refused_pin.borrow_mut() = match &result {
            Err(error) if fault::is_wrong_pin(error, &self.token) => Some(pin),
            _ => None,
        };
        result
    }

    fn reference(&self) -> String {
        format!("{}/{}", self.token, self.key)
    }

    /// The version that wraps.
    fn newest(&self, session: &SignedIn) -> Result<Version> {
        let versions = session.versions(&self.key, None)?;
        let newest = token::newest(versions).ok_or_else(|| self.missing())?;
        match session.objection(&newest)? {
            None => Ok(newest),
            Some(why) => Err(Error::new(
                Kind::NotReady,
                format!(
                    "version {} of key-encryption key \"{}\" cannot be used",
                    hex::encode(&newest.id),
                    self.reference()
                ),
            )
            .with_detail(why)
            .with_hint("Run CALL confiture.rotate_kek('pkcs11'); to make one that is fit.")),
        }
    }

    fn missing(&self) -> Error {
        Error::new(
            Kind::UndefinedObject,
            format!("key-encryption key \"{}\" does not exist", self.reference()),
        )
        .with_detail("The token holds no AES key of that label with a CKA_ID.")
        .with_hint("Run CALL confiture.rotate_kek('pkcs11'); to make the first one.")
    }

    /// The label of the key that wrapped a row: it may be a former one, on the same token.
    fn label<'a>(&self, wrapped: &'a Wrapped, binding: &Binding) -> Result<&'a str> {
        let reference = wrapped.kek_ref.as_str();
        if reference.len() > LONGEST_REFERENCE || reference.chars().any(char::is_control) {
            return Err(foreign(
                "The stored name of the key has no such form.",
                binding,
            ));
        }
        let label = reference
            .strip_prefix(self.token.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .filter(|label| !label.is_empty());
        label.ok_or_else(|| {
            Error::new(
                Kind::NotReady,
                "the token that is set is not the one that wrapped the keys of this database",
            )
            .with_detail(format!(
                "Version {} of key \"{}\" was wrapped by \"{reference}\", set is \"{}\".",
                binding.version,
                binding.name,
                self.reference()
            ))
        })
    }
}

impl Provider for Pkcs11Provider {
    fn wrap(&self, data_key: &Secret, binding: &Binding) -> Result<Wrapped> {
        let session = self.sign_in(false)?;
        let newest = self.newest(&session)?;
        let mut iv = random_iv()?;
        let sealed = session.seal(&newest, &mut iv, &binding.bytes(), data_key)?;
        let mut blob = Vec::with_capacity(1 + IV_LEN + sealed.len());
        blob.push(FORMAT);
        blob.extend_from_slice(&iv);
        blob.extend_from_slice(&sealed);
        Ok(Wrapped {
            provider: NAME.to_owned(),
            kek_ref: self.reference(),
            kek_version: Some(hex::encode(&newest.id)),
            alg: ALG.to_owned(),
            blob,
        })
    }

    fn unwrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Secret> {
        if wrapped.alg != ALG {
            return Err(Error::new(
                Kind::Unsupported,
                "a stored key was wrapped in a way this provider does not know",
            ));
        }
        let label = self.label(wrapped, binding)?;
        let id = id(wrapped.kek_version.as_deref())
            .ok_or_else(|| foreign("The stored version of the key has no such form.", binding))?;
        let (iv, sealed) = split(&wrapped.blob)
            .ok_or_else(|| foreign("The stored bytes have another form.", binding))?;
        let session = self.sign_in(false)?;
        let versions = session.versions(label, Some(&id))?;
        if versions.is_empty() {
            return Err(Error::new(
                Kind::UndefinedObject,
                format!(
                    "version {} of key-encryption key \"{}/{label}\" does not exist",
                    hex::encode(&id),
                    self.token
                ),
            )
            .with_hint("Restore it on the token: what it wrapped cannot be opened without it."));
        }
        for version in &versions {
            if let Some(secret) = session.open_sealed(version, iv, &binding.bytes(), sealed)? {
                return Ok(secret);
            }
        }
        Err(foreign(
            "The stored bytes were altered, or belong to another key, version or installation.",
            binding,
        ))
    }

    fn rotate_kek(&self) -> Result<Kek> {
        let session = self.sign_in(true)?;
        let newest = token::newest(session.versions(&self.key, None)?);
        let id = successor(newest.as_ref().map_or(&[], |newest| &newest.id));
        session.generate(&self.key, &id)?;
        // A token may take a template and do something else.
        let made = self.newest(&session)?;
        Ok(Kek {
            reference: self.reference(),
            version: Some(hex::encode(made.id)),
        })
    }
}

/// The CKA_ID that a stored version stands for: hexadecimal digits as they were written.
fn id(version: Option<&str>) -> Option<Vec<u8>> {
    let digits = version?;
    if digits.is_empty() || digits.len() > 2 * LONGEST_ID {
        return None;
    }
    let id = hex::decode(digits).ok()?;
    (hex::encode(&id) == digits).then_some(id)
}

/// IV and sealed bytes of a blob.
fn split(blob: &[u8]) -> Option<([u8; IV_LEN], &[u8])> {
    let (format, rest) = blob.split_first()?;
    let (iv, sealed) = rest.split_first_chunk()?;
    (*format == FORMAT && sealed.len() == KEY_LEN + TAG_LEN).then_some((*iv, sealed))
}
