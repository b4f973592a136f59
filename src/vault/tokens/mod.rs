//! Tokens are made: for many values at once, each of them once.

pub mod ending;
pub mod rows;
pub mod store;

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::record::{Finder, Handle, Keys, Nonces, PayloadKey, Place, base_of_subject};
use crate::error::{Error, Kind, Result};
use crate::keys::{Secret, random_bytes};
use crate::vault::domain::{Domain, check_subject};

/// A value that shall have a token, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted<'a> {
    /// Whose the value is.
    pub subject: Option<&'a str>,
    /// The value.
    pub value: &'a str,
}

/// Keys of a domain as the values of a batch need them.
pub struct Ring<'a> {
    domain: &'a Domain,
    /// Finds tokens and subjects.
    pub finder: Finder,
    nobody: Keys,
    subjects: BTreeMap<String, ([u8; 16], Keys)>,
}

/// Seals values by a version of the data key: its keys, made once for a batch.
pub struct Sealer<'a> {
    key_name: &'a str,
    key_version: i32,
    nobody: PayloadKey,
    subjects: BTreeMap<&'a str, PayloadKey>,
    nonces: RefCell<Nonces>,
}

impl<'a> Ring<'a> {
    /// For values that are nobody's.
    pub fn new(domain: &'a Domain) -> Self {
        Self {
            domain,
            finder: Finder::new(&domain.secret),
            nobody: Keys::new(&domain.secret),
            subjects: BTreeMap::new(),
        }
    }

    /// Adds a subject.
    pub fn add(&mut self, subject: &str, id: [u8; 16], secret: &Secret) {
        let keys = Keys::new(&base_of_subject(&self.domain.secret, secret));
        self.subjects.insert(subject.to_owned(), (id, keys));
    }

    /// What seals the values of the batch.
    pub fn sealer<'s>(
        &'s self,
        key_name: &'s str,
        key_version: i32,
        data_key: &Secret,
    ) -> Sealer<'s> {
        Sealer {
            key_name,
            key_version,
            nobody: self.nobody.seals.by(data_key),
            subjects: self
                .subjects
                .iter()
                .map(|(name, (_, keys))| (name.as_str(), keys.seals.by(data_key)))
                .collect(),
            nonces: RefCell::default(),
        }
    }

    fn keys(&self, subject: Option<&str>) -> Result<(Option<&[u8; 16]>, &Keys)> {
        match subject {
            None => Ok((None, &self.nobody)),
            Some(subject) => self
                .subjects
                .get(subject)
                .map(|(id, keys)| (Some(id), keys))
                .ok_or_else(|| Error::new(Kind::Internal, "a subject has no key")),
        }
    }

    /// What a value is found by.
    ///
    /// # Errors
    /// XX000 for a subject that was not added.
    pub fn handle(&self, wanted: &Wanted<'_>) -> Result<Handle> {
        Ok(self.keys(wanted.subject)?.1.index(wanted.value))
    }

    /// The token of a value with that salt.
    ///
    /// # Errors
    /// As [`Ring::handle`].
    pub fn token(&self, wanted: &Wanted<'_>, salt: &[u8]) -> Result<String> {
        let draw = self.keys(wanted.subject)?.1.draw(wanted.value, salt);
        Ok(self.domain.terms.format.token(wanted.value, &draw))
    }

    /// The row of a value with its handle, sealed.
    ///
    /// # Errors
    /// As [`Ring::handle`]; XX000 when the system has no randomness to give.
    pub fn row(
        &self,
        handle: Handle,
        wanted: &Wanted<'_>,
        salt: Vec<u8>,
        sealer: &Sealer<'_>,
    ) -> Result<Row> {
        let (subject, keys) = self.keys(wanted.subject)?;
        let token = self.token(wanted, &salt)?;
        let reference = self.finder.reference(&token);
        let place = Place {
            domain: &self.domain.name,
            key: (sealer.key_name, sealer.key_version),
            reference: &reference,
            subject,
        };
        let outer = match wanted.subject {
            None => &sealer.nobody,
            Some(subject) => sealer
                .subjects
                .get(subject)
                .ok_or_else(|| Error::new(Kind::Internal, "a subject has no key"))?,
        };
        let nonce = sealer.nonces.borrow_mut().draw()?;
        let payload = if self.domain.terms.is_bound {
            // Below all versions of the data key: sealed anew, it keeps its own.
            let inner = Place {
                key: ("", 0),
                ..place
            };
            let inner = keys
                .seals
                .bound(&token)
                .seal(wanted.value.as_bytes(), &inner)?;
            outer.seal_with(nonce, &inner, &place)?
        } else {
            outer.seal_with(nonce, wanted.value.as_bytes(), &place)?
        };
        Ok(Row {
            token,
            handle,
            reference,
            subject: subject.copied(),
            salt,
            payload,
        })
    }
}

/// A row to be stored.
pub struct Row {
    /// The token, which is stored nowhere.
    pub token: String,
    /// What its value is found by.
    pub handle: Handle,
    /// What its token is found by.
    pub reference: Handle,
    /// The subject's id.
    pub subject: Option<[u8; 16]>,
    /// What the token was drawn with beside the value.
    pub salt: Vec<u8>,
    /// The sealed value.
    pub payload: Vec<u8>,
}

/// What the token of a value is drawn with at the nth attempt: in deterministic domains always the
/// same, elsewhere drawn itself.
///
/// # Errors
/// XX000 when the system has no randomness to give.
pub fn salt(is_deterministic: bool, attempt: u16) -> Result<Vec<u8>> {
    if is_deterministic {
        return Ok(attempt.to_be_bytes().to_vec());
    }
    Ok(random_bytes::<16>()?.to_vec())
}

/// Checks that every value may have a token; says the place of the one that may not.
///
/// # Errors
/// 22000 as [`crate::strategies::token::TokenFormat::check`]; 22023 as [`check_subject`].
pub fn check<'a>(domain: &Domain, wanted: impl Iterator<Item = (usize, Wanted<'a>)>) -> Result<()> {
    for (place, wanted) in wanted {
        domain.terms.format.check(wanted.value).map_err(|error| {
            let detail = error
                .detail()
                .map_or(String::new(), |why| format!(" {why}"));
            Error::new(error.kind(), error.message())
                .with_detail(format!("It is value {place} of those given.{detail}"))
        })?;
        wanted
            .subject
            .map_or(Ok(()), check_subject)
            .map_err(|error| error.with_detail(format!("It is subject {place} of those given.")))?;
    }
    Ok(())
}
