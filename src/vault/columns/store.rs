//! What runs ask of the vault: domains, the order in which tokens are made, and the tokens.

use std::cell::RefCell;
use std::rc::Rc;

use super::{domain_of, text};
use crate::error::{Error, Kind, Result};
use crate::pg::{frozen, scratch, spi};
use crate::strategies::token::TokenFormat;
use crate::strategies::{Apply, Datum, Row, Strategy};
use crate::vault::domain::Domain;
use crate::vault::domain::store::{get, subject};
use crate::vault::record::{Finder, Handle, Keys, base_of_subject};
use crate::vault::tokens::{self, Wanted};

/// The form of the tokens that a strategy takes of the vault; `None` of other strategies.
///
/// # Errors
/// 25006 on a standby; 42501 for a role that may not make tokens; 42704 where there is no such
/// domain; 55000 when its key is not available.
pub fn form(strategy: &Strategy) -> Result<Option<TokenFormat>> {
    let Some(name) = domain_of(strategy) else {
        return Ok(None);
    };
    frozen::writable()?;
    let may = spi::read(
        "SELECT pg_catalog.has_function_privilege(
                  'confiture.tokenize_batch(text, text[], text[])', 'EXECUTE'),
                pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')",
        &[],
        |row| Ok((row.required::<bool>(1)?, row.required::<bool>(2)?)),
    )?;
    match may.first() {
        Some((true, true)) => Ok(Some(get(name)?.terms.format)),
        Some((true, false)) => Err(Error::new(
            Kind::Permission,
            "permission denied to keep the tokens of a run in a temporary table",
        )
        .with_hint("Grant TEMPORARY on the database to the role that runs.")),
        _ => Err(Error::new(
            Kind::Permission,
            format!("permission denied to make tokens of domain \"{name}\""),
        )
        .with_hint("An administrator gives it with confiture.grant_access('operator', role).")),
    }
}

/// The domains of that name, in the order in which a run makes their tokens.
///
/// # Errors
/// As [`get`].
pub fn open<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<Rc<Domain>>> {
    let mut domains = Vec::<Rc<Domain>>::new();
    for name in names {
        if domains.iter().all(|domain| domain.name != name) {
            domains.push(Rc::new(get(name)?));
        }
    }
    domains.sort_by_key(|domain| domain.id);
    Ok(domains)
}

/// The tokens of values, made where they are not there; each with whose it is.
///
/// # Errors
/// As [`tokens::store::tokens`].
pub fn tokens(domain: &Domain, values: &[(String, Option<String>)]) -> Result<Vec<String>> {
    let wanted: Vec<_> = values
        .iter()
        .map(|(value, subject)| {
            Some(Wanted {
                subject: subject.as_deref(),
                value,
            })
        })
        .collect();
    tokens::store::tokens(domain, &wanted)?
        .into_iter()
        .map(|token| token.ok_or_else(|| Error::new(Kind::Internal, "a value has got no token")))
        .collect()
}

/// Sees to it that subjects are there, and stay until the transaction ends.
///
/// # Errors
/// As [`subject`].
pub fn subjects(domain: &Domain, names: &[String]) -> Result<()> {
    let finder = Finder::new(&domain.secret);
    for name in names {
        subject(domain, &finder.subject(name), true)?;
    }
    Ok(())
}

/// Gives what subjects are made in the order of.
pub struct SubjectOrder(Finder);

impl SubjectOrder {
    /// Of a domain.
    pub fn new(domain: &Domain) -> Self {
        Self(Finder::new(&domain.secret))
    }
}

impl Apply for SubjectOrder {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        Ok(Some(shown(self.0.subject(text(&value)?))))
    }
}

/// Gives what tokens are made in the order of.
pub struct ValueOrder {
    domain: Rc<Domain>,
    finder: Finder,
    nobody: Keys,
    /// The keys of the subject asked for last: its values come one after the other.
    last: RefCell<Option<(String, Keys)>>,
}

impl ValueOrder {
    /// Of a domain.
    pub fn new(domain: &Rc<Domain>) -> Self {
        Self {
            finder: Finder::new(&domain.secret),
            nobody: Keys::new(&domain.secret),
            domain: Rc::clone(domain),
            last: RefCell::default(),
        }
    }

    fn of_subject(&self, name: &str, value: &str) -> Result<Handle> {
        let mut last = self.last.borrow_mut();
        if let Some((_, keys)) = last.as_ref().filter(|(of, _)| of == name) {
            return Ok(keys.index(value));
        }
        let look = || subject(&self.domain, &self.finder.subject(name), false);
        let found = scratch::with(look)?;
        let found = found.ok_or_else(|| Error::new(Kind::Internal, "a subject has gone"))?;
        let keys = Keys::new(&base_of_subject(&self.domain.secret, &found.secret));
        let handle = keys.index(value);
        *last = Some((name.to_owned(), keys));
        Ok(handle)
    }
}

impl Apply for ValueOrder {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        let value = text(&value)?;
        Ok(Some(shown(match row.one(0) {
            None => self.nobody.index(value),
            Some(name) => self.of_subject(name, value)?,
        })))
    }
}

/// Texts of it sort as the handles do.
fn shown(handle: Handle) -> Datum<'static> {
    Datum::text(hex::encode(handle))
}
