//! Documents at rest: `confiture.rules_document` keeps every version that was loaded.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use pgrx::datum::TimestampWithTimeZone;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::version::Version;
use super::{Document, Requirement, Rules, assemble, read, shipped};
use crate::compliance::calendar::Zone;
use crate::compliance::calendar::store::ServerZone;
use crate::compliance::evidence;
use crate::error::{Error, Kind, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::{owner, server, spi, user};
use crate::strategies::calendar::DAY;

/// What loading did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// The document is in use from now on.
    New,
    /// It was there.
    Same,
}

/// A document in use.
#[derive(Clone, Debug)]
pub struct InUse {
    /// The document.
    pub document: Rc<Document>,
    /// Who loaded it, and when; `None` for one that is compiled in.
    pub loaded: Option<(String, TimestampWithTimeZone)>,
    /// What speaks against it: that the ledger has it otherwise, or not at all.
    pub doubt: Option<String>,
}

/// The set in use, and what speaks against it.
#[derive(Clone, Debug)]
pub struct Set {
    /// The rules.
    pub rules: Rc<Rules>,
    /// The doubts about its documents.
    pub doubts: Vec<String>,
}

impl Set {
    /// The set in one line, with the doubts.
    pub fn version(&self) -> String {
        let mut parts = vec![self.rules.version()];
        parts.extend(self.doubts.iter().cloned());
        parts.join("; ")
    }
}

/// What is known of a loaded document without reading it.
struct Row {
    name: String,
    version: Version,
    hash: Vec<u8>,
    by: String,
    at: TimestampWithTimeZone,
}

thread_local! {
    /// Documents by their hash, and the set last put together: what does not change is read once.
    static READ: RefCell<BTreeMap<Vec<u8>, Rc<Document>>> = const { RefCell::new(BTreeMap::new()) };
    static SET: RefCell<Option<Rc<Rules>>> = const { RefCell::new(None) };
}

/// The set in use: of each name the document with the highest version.
///
/// # Errors
/// XX001 for a stored document that does not fit its own hash; what reading and assembling return.
pub fn in_use() -> Result<Rc<Rules>> {
    Ok(set()?.rules)
}

/// The same, with what speaks against it.
///
/// # Errors
/// As [`in_use`].
pub fn set() -> Result<Set> {
    let documents = documents()?;
    Ok(Set {
        rules: assembled(documents.iter().map(|found| &found.document))?,
        doubts: documents
            .into_iter()
            .filter_map(|found| found.doubt)
            .collect(),
    })
}

/// Its documents, by name.
///
/// # Errors
/// As [`in_use`].
pub fn documents() -> Result<Vec<InUse>> {
    documents_but(None)
}

/// The same without that of a name, which is not read.
fn documents_but(left_out: Option<&str>) -> Result<Vec<InUse>> {
    let mut found: BTreeMap<String, InUse> = BTreeMap::new();
    for document in shipped()? {
        let in_use = InUse {
            document: Rc::clone(&document),
            loaded: None,
            doubt: None,
        };
        found.insert(document.name.clone(), in_use);
    }
    let mut newest: BTreeMap<String, Row> = BTreeMap::new();
    for row in rows()? {
        let shipped = found.get(&row.name).map(|known| &known.document.version);
        let loaded = newest.get(&row.name).map(|known| &known.version);
        if shipped.max(loaded).is_none_or(|known| *known < row.version) {
            newest.insert(row.name.clone(), row);
        }
    }
    if let Some(name) = left_out {
        found.remove(name);
        newest.remove(name);
    }
    let recorded = if newest.is_empty() {
        Vec::new()
    } else {
        recorded()?
    };
    for (name, row) in newest {
        let in_use = InUse {
            document: stored(&row)?,
            doubt: doubt(&row, &recorded),
            loaded: Some((row.by, row.at)),
        };
        found.insert(name, in_use);
    }
    Ok(found.into_values().collect())
}

/// What the ledger says was loaded: name, version and hash.
fn recorded() -> Result<Vec<[String; 3]>> {
    owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT e.details->>'rules', e.details->>'version', e.details->>'sha256'
               FROM ONLY confiture.audit_log e
              WHERE e.event = 'RULES_LOADED' AND e.details->>'sha256' IS NOT NULL
                AND e.details->>'rules' IS NOT NULL AND e.details->>'version' IS NOT NULL",
            &[],
            |row| Ok([row.required(1)?, row.required(2)?, row.required(3)?]),
        )
    })
}

fn doubt(row: &Row, recorded: &[[String; 3]]) -> Option<String> {
    let (name, hash) = (&row.name, hex::encode(&row.hash));
    let version = row.version.to_string();
    let mut of = recorded
        .iter()
        .filter(|[of, at, _]| of == name && *at == version)
        .peekable();
    if of.peek().is_none() {
        return Some(format!(
            "no entry of the ledger says that rules \"{name}\" version {version} were loaded"
        ));
    }
    let is_told = of.any(|[.., told]| *told == hash);
    (!is_told).then(|| {
        format!("rules \"{name}\" version {version} are not those that the ledger says were loaded")
    })
}

/// Stores a document, from now on in use. On record.
///
/// # Errors
/// What reading and assembling return; 42710 when the version is there with other content, 55000
/// when a newer one is in use.
pub fn load(text: &str) -> Result<(Document, Loaded)> {
    let document = read::document(text)?;
    checked_by_now(&document)?;
    // First of all, for the order of locks.
    let is_recorded = beginning::store::must_record()?;
    let caller = user::name(user::caller());
    let loaded = owner::acting_as_owner("confiture", || {
        spi::run(
            "LOCK TABLE confiture.rules_document IN SHARE ROW EXCLUSIVE MODE",
            &[],
        )?;
        store(&document, text, &caller)
    })?;
    if is_recorded && loaded == Loaded::New {
        let facts = Facts {
            details: Some(
                json!({
                    "rules": document.name,
                    "version": document.version.to_string(),
                    "sha256": hex::encode(document.hash),
                })
                .into(),
            ),
            ..Facts::default()
        };
        ledger::append(Event::RulesLoaded, facts)?;
    }
    Ok((document, loaded))
}

/// Nobody has held a text against a row on a day that is yet to come.
fn checked_by_now(document: &Document) -> Result<()> {
    let today = read::shown_day(server::statement_start().div_euclid(DAY));
    let is_ahead = |requirement: &&Requirement| {
        let checked = requirement.text_checked.as_ref();
        checked.is_some_and(|(day, _)| *day > today)
    };
    match document.requirements.iter().find(is_ahead) {
        None => Ok(()),
        Some(requirement) => Err(Error::new(
            Kind::InvalidParameter,
            format!(
                "\"text_checked_on\" of requirement \"{}\" is in the future",
                requirement.id
            ),
        )
        .with_hint("It is the day on which somebody held the row against the official text.")),
    }
}

fn store(document: &Document, text: &str, caller: &str) -> Result<Loaded> {
    for calendar in &document.calendars {
        // The server refuses one that it does not know.
        ServerZone(calendar.zone.clone()).wall(0)?;
    }
    let (name, version) = (&document.name, &document.version);
    let known = shipped()?
        .iter()
        .filter(|shipped| shipped.name == *name)
        .map(|shipped| (shipped.version.clone(), shipped.hash.to_vec()))
        .chain(
            rows()?
                .into_iter()
                .filter(|row| row.name == *name)
                .map(|row| (row.version, row.hash)),
        )
        .collect::<Vec<_>>();
    if let Some((_, hash)) = known.iter().find(|(known, _)| known == version) {
        if *hash == document.hash {
            return Ok(Loaded::Same);
        }
        return Err(Error::new(
            Kind::DuplicateObject,
            format!("rules \"{name}\" version {version} already exist with other content"),
        )
        .with_detail("A stored version never changes: reports refer to it.")
        .with_hint("Give the document a higher version."));
    }
    if let Some((newest, _)) = known
        .iter()
        .max_by(|a, b| a.0.cmp(&b.0))
        .filter(|(n, _)| n > version)
    {
        return Err(Error::new(
            Kind::NotReady,
            format!("rules \"{name}\" version {version} are older than version {newest}, which is in use"),
        )
        .with_hint("To go back, load the old content under a higher version."));
    }
    // Also where the one whose place it takes can no longer be read.
    let mut set: Vec<Rc<Document>> = documents_but(Some(name))?
        .into_iter()
        .map(|found| found.document)
        .collect();
    set.push(Rc::new(document.clone()));
    assembled(set.iter())?;
    spi::run(
        "INSERT INTO confiture.rules_document
                (name, version, title, document, document_hash, loaded_by)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            name.as_str().into(),
            version.to_string().into(),
            document.title.as_str().into(),
            text.into(),
            document.hash.to_vec().into(),
            caller.into(),
        ],
    )?;
    Ok(Loaded::New)
}

fn shipped() -> Result<Vec<Rc<Document>>> {
    shipped::DOCUMENTS.iter().map(|text| known(text)).collect()
}

/// A document out of its text, which is read once.
fn known(text: &str) -> Result<Rc<Document>> {
    let hash = Sha256::digest(text.as_bytes()).to_vec();
    if let Some(document) = READ.with_borrow(|read| read.get(&hash).cloned()) {
        return Ok(document);
    }
    let document = Rc::new(read::document(text)?);
    READ.with_borrow_mut(|read| read.insert(hash, Rc::clone(&document)));
    Ok(document)
}

fn assembled<'a>(documents: impl Iterator<Item = &'a Rc<Document>> + Clone) -> Result<Rc<Rules>> {
    let hash = assemble::hash(
        documents
            .clone()
            .map(|document| (document.name.as_str(), &document.hash)),
    );
    let kept = SET.with_borrow(|set| set.clone());
    if let Some(kept) = kept.filter(|kept| kept.hash == hash) {
        return Ok(kept);
    }
    let parts = documents
        .map(|document| Document::clone(document))
        .collect();
    let rules = Rc::new(assemble::set(parts, &|name| {
        evidence::find(name).is_some()
    })?);
    SET.with_borrow_mut(|set| *set = Some(Rc::clone(&rules)));
    Ok(rules)
}

fn rows() -> Result<Vec<Row>> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT name, version, document_hash, loaded_by, loaded_at
               FROM ONLY confiture.rules_document ORDER BY name, loaded_at",
            &[],
            |row| {
                Ok((
                    row.required::<String>(1)?,
                    row.required::<String>(2)?,
                    row.required::<Vec<u8>>(3)?,
                    row.required::<String>(4)?,
                    row.required::<TimestampWithTimeZone>(5)?,
                ))
            },
        )
    })?;
    found
        .into_iter()
        .map(|(name, version, hash, by, at)| {
            let version = Version::parse(&version).ok_or_else(|| corrupt(&name, &version))?;
            Ok(Row {
                name,
                version,
                hash,
                by,
                at,
            })
        })
        .collect()
}

fn stored(row: &Row) -> Result<Rc<Document>> {
    if let Some(document) = READ.with_borrow(|read| read.get(&row.hash).cloned()) {
        return Ok(document);
    }
    let version = row.version.to_string();
    let text = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT document FROM ONLY confiture.rules_document WHERE name = $1 AND version = $2",
            &[row.name.as_str().into(), version.as_str().into()],
            |row| row.required::<String>(1),
        )
    })?;
    let document = text.first().map(|text| known(text)).transpose()?;
    document
        .filter(|document| document.hash[..] == row.hash[..] && document.name == row.name)
        .ok_or_else(|| corrupt(&row.name, &version))
}

fn corrupt(name: &str, version: &str) -> Error {
    Error::new(
        Kind::Corrupt,
        format!("stored rules \"{name}\" version {version} are not what was loaded"),
    )
    .with_detail("Their hash, name or version does not fit the document.")
    .with_hint("Load the document under a higher version.")
}
