//! Reads audit log, lineage and journal side by side, by pages: memory stays constant however long
//! they are.

use std::cell::RefCell;

use crate::error::{Kind, Result};
use crate::keys::{self, Secret};
use crate::ledger::anchor::{self, Anchors};
use crate::ledger::entry::UNSIGNED;
use crate::ledger::store::{HEAD, SELECT, head, stored};
use crate::ledger::tree::Hash;
use crate::ledger::verify::{AUDIT, Finding, Head, LINEAGE, Stored, Verifier};
use crate::ledger::{guard, journal, lineage, retention};
use crate::pg::{guc, owner, server, spi};

/// What an inspection found.
pub struct Inspection {
    /// The findings.
    pub findings: Vec<Finding>,
    /// How many entries the newest anchor covers that agrees with the log; 0 without one.
    pub covers: u64,
}

/// Checks the whole ledger, against these notes or those of the anchor directory. With
/// `since_anchor`, of the entries up to the newest anchor only the stored hashes are compared with
/// it, if they agree; else everything is checked.
///
/// # Errors
/// As the interface; findings are rows, not errors.
pub fn inspect(notes: Option<Vec<String>>, since_anchor: bool) -> Result<Inspection> {
    // Pages along the primary key also where there are no statistics yet: to sort what is left of
    // a log for each page takes the square of its length.
    let _pinned = guc::pin(&[("enable_bitmapscan", "off"), ("enable_sort", "off")]);
    owner::acting_as_owner("confiture", || {
        let known = Known::default();
        let mut key = |name: &str, version: i32| known.key(name, version);
        let mut same_key = |name: &str, version: i32| known.key(name, version);
        let mut anchors = anchor::store::gather(notes)?;
        let (definition, readable) = guard::store::findings()?;
        if !readable {
            return Ok(Inspection {
                findings: definition,
                covers: 0,
            });
        }
        // The files of anchors are as of now, the entries as of the caller's view of the database.
        let seen = spi::read(LAST, &[], |row| row.required::<i64>(1))?;
        let now = spi::read_now(LAST, &[], |row| row.required::<i64>(1))?;
        if let (Some(seen), Some(now)) = (seen.first(), now.first()) {
            anchors.not_after(*seen, *now);
        }
        let pruned = retention::store::newest()?;
        let skimmed = match since_anchor {
            true => skim(&mut key, anchors.clone(), pruned.as_ref())?,
            false => None,
        };
        let (mut verifier, behind) =
            skimmed.unwrap_or_else(|| begin(&mut same_key, anchors, pruned.as_ref()));
        verifier.also(definition);
        read(&mut verifier, &behind)?;
        let head = |chain: &str| -> Result<Option<Head>> {
            Ok(spi::read(HEAD, &[chain.into()], head)?.into_iter().next())
        };
        verifier.also(lineage::store::missing_keys()?);
        verifier.also(lineage::store::returned_keys()?);
        verifier.also(lineage::rows::store::findings(behind.step)?);
        let covers = verifier.covers();
        let findings = verifier.finish(head(AUDIT)?.as_ref(), head(LINEAGE)?.as_ref());
        let mut key = |name: &str, version: i32| known.key(name, version);
        let records = journal::store::verify(&mut key, &behind.journal)?;
        Ok(Inspection {
            findings: journal::verify::join(findings, records),
            covers,
        })
    })
}

const LAST: &str = "SELECT coalesce(max(seq), 0) FROM ONLY confiture.audit_log";

/// The subkeys that verify entries, each fetched once.
#[derive(Default)]
struct Known(RefCell<Vec<(String, i32, Option<Secret>)>>);

impl Known {
    fn key(&self, name: &str, version: i32) -> Option<Secret> {
        let mut known = self.0.borrow_mut();
        if let Some((.., secret)) = known.iter().find(|(n, v, _)| n == name && *v == version) {
            return secret.clone();
        }
        let secret = keys::store::verifier(name, version).ok();
        known.push((name.to_owned(), version, secret.clone()));
        secret
    }
}

type Key<'a> = &'a mut dyn FnMut(&str, i32) -> Option<Secret>;

/// Which rows are not read.
#[derive(Default)]
struct Behind {
    /// Entries of the audit log up to this one.
    seq: i64,
    /// Entries of the lineage up to this one.
    step: i64,
    journal: journal::store::Behind,
}

/// Begins with the first entry, or with the first one behind what was pruned. Rows before it are
/// read all the same: there must be none.
fn begin<'a>(key: Key<'a>, anchors: Anchors, pruned: Option<&Stored>) -> (Verifier<'a>, Behind) {
    let mut verifier = Verifier::new(key, anchors);
    let mut behind = Behind::default();
    if let Some(boundary) = pruned.and_then(|pruned| verifier.behind_pruned(pruned)) {
        behind.journal = journal::store::Behind {
            seq: boundary.last,
            last: boundary.journal.last,
            pruned: boundary.journal.last,
        };
    }
    (verifier, behind)
}

/// Begins behind the newest anchor. Up to it the stored hashes must be those that were anchored,
/// and the few entries must be right that say where lineage, journal and log go on. `None` where
/// anything is not as it should be: whoever reads everything finds out what.
fn skim<'a>(
    key: Key<'a>,
    anchors: Anchors,
    pruned: Option<&Stored>,
) -> Result<Option<(Verifier<'a>, Behind)>> {
    let last = spi::read(
        "SELECT max(seq) FROM ONLY confiture.audit_log",
        &[],
        |row| row.get::<i64>(1),
    )?;
    let last = last.into_iter().next().flatten().unwrap_or(0);
    let boundary = pruned.and_then(|pruned| retention::Boundary::of(&pruned.entry));
    let gone = boundary.as_ref().map_or(0, |boundary| boundary.last);
    let (Some(size), Some(log_id)) = (anchors.newest_within(last), anchor::store::log_id()?) else {
        return Ok(None);
    };
    let steps_gone = boundary
        .as_ref()
        .map_or(0, |boundary| boundary.lineage.covered.last);
    if size <= gone || is_back(gone, steps_gone)? {
        return Ok(None);
    }
    // What is not signed is never passed over: it stands at the beginning, if anywhere.
    let Some(first) = one("WHERE seq = $1", gone + 1)? else {
        return Ok(None);
    };
    if first.entry.key_name == UNSIGNED.0 {
        return Ok(None);
    }
    let (mut verifier, mut behind) = begin(key, anchors, pruned);
    let walked = anchor::store::walk(&log_id, boundary.as_ref(), size, |seq, hash| {
        verifier.skim(seq, hash);
    });
    match walked {
        Err(error) if error.kind() == Kind::NotReady => return Ok(None),
        walked => walked?,
    }
    if i64::try_from(verifier.covers()) != Ok(size) {
        return Ok(None);
    }
    let Some(entry) = one("WHERE seq = $1", size)? else {
        return Ok(None);
    };
    let claiming = one(
        "WHERE lineage_last IS NOT NULL AND seq <= $1 ORDER BY seq DESC LIMIT 1",
        size,
    )?;
    for each in [pruned, Some(&first), Some(&entry), claiming.as_ref()]
        .into_iter()
        .flatten()
    {
        if !verifier.vouches(each) {
            return Ok(None);
        }
    }
    let step = match claiming.and_then(|claiming| claiming.entry.facts.lineage.last) {
        Some(step) => hash_of_step(step)?.map(|hash| (step, hash)),
        None => Some(boundary.map_or((0, lineage::genesis(&log_id)), |boundary| {
            (boundary.lineage.covered.last, boundary.lineage.hash)
        })),
    };
    let Some(step) = step else {
        return Ok(None);
    };
    verifier.go_on_behind(&entry, step);
    behind.seq = size;
    behind.step = step.0;
    behind.journal.seq = size;
    behind.journal.last = entry.entry.journal_last;
    Ok(Some((verifier, behind)))
}

/// Whether something that was pruned is there again.
fn is_back(entry: i64, step: i64) -> Result<bool> {
    let found = spi::read(
        "SELECT EXISTS (SELECT FROM ONLY confiture.audit_log WHERE seq <= $1)
             OR EXISTS (SELECT FROM ONLY confiture.lineage WHERE seq <= $2)",
        &[entry.into(), step.into()],
        |row| row.required::<bool>(1),
    )?;
    Ok(found.first().copied().unwrap_or(false))
}

fn read(verifier: &mut Verifier<'_>, behind: &Behind) -> Result<()> {
    let mut steps = lineage::store::Reader::after(behind.step);
    let mut after = behind.seq;
    loop {
        let page = spi::read(
            &format!("{SELECT} WHERE seq > $1 ORDER BY seq LIMIT 500"),
            &[after.into()],
            stored,
        )?;
        let Some(last) = page.last() else { break };
        after = last.entry.seq;
        for entry in &page {
            // Side by side: an entry that names a range is held against it at once.
            if let Some(until) = entry.entry.facts.lineage.last {
                steps.until(until, |step| verifier.step(step))?;
            }
            verifier.entry(entry);
        }
        server::check_for_interrupts();
    }
    steps.until(i64::MAX, |step| verifier.step(step))
}

fn one(which: &str, seq: i64) -> Result<Option<Stored>> {
    let found = spi::read(&format!("{SELECT} {which}"), &[seq.into()], stored)?;
    Ok(found.into_iter().next())
}

fn hash_of_step(seq: i64) -> Result<Option<Hash>> {
    let found = spi::read(
        "SELECT entry_hash FROM ONLY confiture.lineage WHERE seq = $1",
        &[seq.into()],
        |row| row.required::<Vec<u8>>(1),
    )?;
    Ok(found
        .into_iter()
        .next()
        .and_then(|hash| hash.try_into().ok()))
}
