//! Anchors made from the log at rest, and those that verification holds against it.

use serde_json::json;

use super::{Anchors, Judge, Signer, directory, is_sealed, origin, uuid_text, write_to_directory};
use crate::error::{Error, Kind, Result};
use crate::keys::store::{active, active_now};
use crate::keys::{self, Use, subkey};
use crate::ledger::checkpoint::{Checkpoint, VerifierKey};
use crate::ledger::entry::{Event, Facts, genesis};
use crate::ledger::retention::{self, Boundary};
use crate::ledger::store::{HEAD, append, head};
use crate::ledger::tree::{Frontier, Hash, Proof};
use crate::ledger::verify::{AUDIT, Finding, Head};
use crate::pg::{owner, report, server, spi};
use crate::settings;

/// Signs a checkpoint of the whole audit log, puts on record that it did, and writes the note into
/// the anchor directory, if one is set. Returns the note.
///
/// # Errors
/// 25001 when the log ends with an entry of this transaction, which may yet be rolled back; 55000
/// without a key or entry, when log and head disagree, or for a bad directory; XX001 when the log
/// contradicts the newest anchor of the directory; 58030.
pub fn export() -> Result<String> {
    let key = active_now("ledger")?;
    let directory = settings::anchor_directory();
    let (log_id, tree) = as_owner(|| {
        let head = committed_head()?;
        // A log that signs two histories is no witness: better no anchor than a second one.
        let mut newest = match &directory {
            Some(directory) => newest_of(directory, &head.log_id)?,
            None => Anchors::default(),
        };
        let behind = retention::store::signed_boundary()?;
        let mut tree = behind
            .as_ref()
            .map_or_else(Frontier::default, |b| b.tree.clone());
        newest.behind_pruned(&tree);
        let mut last = Vec::new();
        walk(&head.log_id, behind.as_ref(), head.seq, |seq, hash| {
            tree.push(hash);
            newest.entry(seq, hash);
            last = hash.to_vec();
        })?;
        if last != head.entry_hash {
            return Err(broken());
        }
        refuse_contradiction(newest.finish(head.seq).0)?;
        Ok((head.log_id, tree))
    })?;
    let checkpoint = Checkpoint {
        origin: origin(&log_id),
        size: tree.size(),
        root: tree.root(),
    };
    let seed = subkey(&key.secret, Use::LedgerAnchor);
    let note = checkpoint.sign(&checkpoint.origin, &seed);
    let root = hex::encode(checkpoint.root);
    append(
        Event::Anchored,
        Facts {
            details: Some(json!({"size": checkpoint.size, "root": root}).into()),
            ..Facts::default()
        },
    )?;
    if let Some(directory) = directory {
        let data_directory = server::data_directory();
        write_to_directory(&directory, &data_directory, &log_id, checkpoint.size, &note)?;
    }
    report::log(&format!(
        "confiture anchor log={} size={} root={root}",
        uuid_text(&log_id),
        checkpoint.size
    ));
    Ok(note)
}

/// The public key that verifies anchors signed now, as auditors configure it.
///
/// # Errors
/// 55000 without a key or an entry; what the provider raises.
pub fn public_key() -> Result<VerifierKey> {
    let seed = subkey(&active("ledger")?.secret, Use::LedgerAnchor);
    let log_id = as_owner(|| Ok(read_head()?.ok_or_else(empty)?.log_id))?;
    VerifierKey::of_seed(&origin(&log_id), &seed)
        .ok_or_else(|| Error::new(Kind::Internal, "the key gives no anchor key"))
}

/// The proof that an entry is in the log of `size` entries, by default all.
///
/// # Errors
/// 22023 when it is not; 55000 when log and head disagree, or the proof needs more of the entries that
/// were pruned than what is left of them.
pub fn inclusion(seq: i64, size: Option<i64>) -> Result<Vec<Hash>> {
    proof(size, |size| {
        let index = u64::try_from(seq).ok()?.checked_sub(1)?;
        Proof::inclusion(index, size)
    })
}

/// The proof that the log of `size` entries, by default all, begins with that of `from`.
///
/// # Errors
/// As [`inclusion`].
pub fn consistency(from: i64, size: Option<i64>) -> Result<Vec<Hash>> {
    proof(size, |size| {
        Proof::consistency(u64::try_from(from).ok()?, size)
    })
}

/// The anchors that verification relies on: these notes, or those of the directory. Runs as the
/// owner already.
///
/// # Errors
/// As the interface; what is wrong with an anchor is a finding.
pub(in crate::ledger) fn gather(notes: Option<Vec<String>>) -> Result<Anchors> {
    let directory = settings::anchor_directory();
    if notes.is_none() && directory.is_none() {
        return Ok(Anchors::default());
    }
    let log_id = log_id()?;
    let signers = log_id.map_or(Ok(Vec::new()), |log_id| signers(&log_id))?;
    let mut judge = Judge::new(log_id, signers);
    let mut warning = None;
    match (notes, directory) {
        (Some(notes), _) => {
            for (number, note) in (1..).zip(&notes) {
                // psql adds a line end, and shells take all of them away.
                let note = format!("{}\n", note.trim_end_matches('\n'));
                judge.note(&format!("no. {number}"), &note);
            }
        }
        (None, Some(directory)) => {
            warning = directory::problem(&directory, &server::data_directory());
            if let Some(log_id) = log_id
                && let Err(error) = directory::each(&directory, &log_id, |found| {
                    server::check_for_interrupts();
                    judge.found(found);
                })
            {
                let detail = error.detail().unwrap_or_default().to_owned();
                warning.get_or_insert(format!("It cannot be read. {detail}"));
            }
        }
        (None, None) => {}
    }
    let mut anchors = judge.finish();
    if let Some(warning) = warning {
        anchors.add(Finding {
            code: "W07",
            status: "warn",
            chain: AUDIT,
            seq_from: None,
            seq_to: None,
            detail: format!("The anchor directory is no safe place for evidence. {warning}"),
        });
    }
    Ok(anchors)
}

/// The newest anchor of the directory, to be compared with the log.
fn newest_of(directory: &std::path::Path, log_id: &[u8; 16]) -> Result<Anchors> {
    let mut judge = Judge::new(Some(*log_id), signers(log_id)?);
    // A directory that cannot be read cannot be written to either: that is said then.
    if let Ok(Some(found)) = directory::newest(directory, log_id) {
        judge.found(found);
    }
    Ok(judge.finish())
}

fn refuse_contradiction(findings: Vec<Finding>) -> Result<()> {
    let found = findings
        .into_iter()
        .find(|finding| ["E08", "E09"].contains(&finding.code));
    found.map_or(Ok(()), |finding| {
        Err(Error::new(
            Kind::Corrupt,
            "the log contradicts the newest anchor of the anchor directory",
        )
        .with_detail(finding.detail)
        .with_hint(
            "Run confiture.verify_ledger. After a restore that was meant, move the anchors that \
             came later elsewhere.",
        ))
    })
}

/// Every key that may have signed anchors of this log: versions that are at hand, and the public
/// halves of destroyed ones.
fn signers(log_id: &[u8; 16]) -> Result<Vec<Signer>> {
    let name = origin(log_id);
    let versions = spi::read(
        "SELECT v.key_name, v.version, r.anchor_key, r.anchor_key_mac
           FROM ONLY confiture.key_version v
           JOIN ONLY confiture.key k ON k.name = v.key_name
           LEFT JOIN ONLY confiture.key_verifier r
             ON r.key_name = v.key_name AND r.version = v.version
          WHERE k.purpose IN ('ledger', 'masking') ORDER BY v.key_name, v.version",
        &[],
        |row| {
            Ok((
                row.required::<String>(1)?,
                row.required::<i32>(2)?,
                row.get::<Vec<u8>>(3)?,
                row.get::<Vec<u8>>(4)?,
            ))
        },
    )?;
    let mut signers = Vec::new();
    for (key_name, version, public, seal) in versions {
        let key = match (public, seal) {
            (Some(public), Some(seal)) => at_hand(keys::store::verifier(&key_name, version))?
                .and_then(|verifier| {
                    let public = public.try_into().ok()?;
                    is_sealed(&verifier, &public, &seal).then_some(public)
                }),
            _ => at_hand(keys::store::version(&key_name, version))?
                .map(|key| VerifierKey::public_of(&subkey(&key.secret, Use::LedgerAnchor))),
        };
        let key = key.and_then(|public| VerifierKey::new(&name, &public));
        signers.extend(key.map(|key| Signer {
            label: format!("{key_name}/{version}").into(),
            key,
        }));
    }
    Ok(signers)
}

/// A key whose provider does not answer is not at hand; whoever canceled wants no answer.
fn at_hand<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Err(error) if error.kind() == Kind::QueryCanceled => Err(error),
        found => Ok(found.ok()),
    }
}

fn proof(size: Option<i64>, make: impl FnOnce(u64) -> Option<Proof>) -> Result<Vec<Hash>> {
    as_owner(|| {
        let head = read_head()?.ok_or_else(empty)?;
        let size = size.unwrap_or(head.seq);
        let mut proof = u64::try_from(size)
            .ok()
            .filter(|_| size <= head.seq)
            .and_then(make)
            .ok_or_else(|| {
                Error::new(Kind::InvalidParameter, "there is no such proof").with_detail(format!(
                    "Both numbers must be from 1 to a size of at most {}, and the first not greater \
                     than the second.",
                    head.seq
                ))
            })?;
        let behind = retention::store::boundary()?;
        if let Some(behind) = &behind {
            proof = proof.resume(&behind.tree).ok_or_else(|| pruned(behind))?;
        }
        walk(&head.log_id, behind.as_ref(), size, |_, hash| {
            proof.push(hash)
        })?;
        proof.finish().ok_or_else(broken)
    })
}

/// Reads the hashes of the first `size` entries, those that were pruned left out, by pages along
/// the primary key: memory stays constant however long the log is. What is no chain is not walked.
///
/// # Errors
/// 55000 where it is none.
pub(in crate::ledger) fn walk(
    log_id: &[u8; 16],
    behind: Option<&Boundary>,
    size: i64,
    mut leaf: impl FnMut(i64, &[u8]),
) -> Result<()> {
    let (mut at, link) = behind.map_or((0, genesis(log_id)), |b| (b.last, b.last_hash));
    let mut link = link.to_vec();
    while at < size {
        let page = spi::read(
            "SELECT seq, previous_entry_hash, entry_hash FROM ONLY confiture.audit_log
              WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT 1000",
            &[at.into(), size.into()],
            |row| {
                Ok((
                    row.required::<i64>(1)?,
                    row.required::<Vec<u8>>(2)?,
                    row.required::<Vec<u8>>(3)?,
                ))
            },
        )?;
        if page.is_empty() {
            return Err(broken());
        }
        for (seq, previous, hash) in page {
            if seq != at + 1 || previous != link {
                return Err(broken());
            }
            leaf(seq, &hash);
            (at, link) = (seq, hash);
        }
        server::check_for_interrupts();
    }
    Ok(())
}

/// The head of a log whose last entry no rollback takes away.
fn committed_head() -> Result<Head> {
    // In one look: others append meanwhile.
    let found = spi::read(
        "SELECT h.log_id, h.seq, h.entry_hash, e.seq, e.xmin::text
           FROM ONLY confiture.ledger_head h
           LEFT JOIN LATERAL (
             SELECT l.seq, l.xmin FROM ONLY confiture.audit_log l ORDER BY l.seq DESC LIMIT 1
           ) e ON true
          WHERE h.chain = $1",
        &[AUDIT.into()],
        |row| Ok((head(row)?, row.get::<i64>(4)?, row.get::<String>(5)?)),
    )?;
    let (head, last, xmin) = found
        .into_iter()
        .find(|(head, ..)| head.seq > 0)
        .ok_or_else(empty)?;
    let (Some(last), Some(xmin)) = (last, xmin) else {
        return Err(broken());
    };
    if last != head.seq {
        return Err(broken());
    }
    // Entries of one transaction stand together at the end: it holds the head until it commits.
    if xmin.parse().is_ok_and(server::is_own_transaction) {
        return Err(Error::new(
            Kind::ActiveTransaction,
            "the ledger ends with an entry of this transaction",
        )
        .with_detail("If it were rolled back, the anchor would speak of entries that never were.")
        .with_hint("Commit, then export the anchor."));
    }
    Ok(head)
}

fn read_head() -> Result<Option<Head>> {
    Ok(spi::read(HEAD, &[AUDIT.into()], head)?.into_iter().next())
}

/// The id of the log, as its first entry or the head names it.
///
/// # Errors
/// As the interface.
pub(in crate::ledger) fn log_id() -> Result<Option<[u8; 16]>> {
    let first = spi::read(
        "SELECT log_id FROM ONLY confiture.audit_log ORDER BY seq LIMIT 1",
        &[],
        |row| row.required::<pgrx::Uuid>(1),
    )?;
    match first.first() {
        Some(log_id) => Ok(Some(*log_id.as_bytes())),
        None => Ok(read_head()?.map(|head| head.log_id)),
    }
}

fn empty() -> Error {
    Error::new(Kind::NotReady, "the ledger has no entry yet")
}

fn pruned(behind: &Boundary) -> Error {
    Error::new(
        Kind::NotReady,
        "the proof needs entries that were pruned from the ledger",
    )
    .with_detail(format!(
        "Entries up to {} are in archives. Proofs that a later entry is in the log, and that the log \
         begins with that of {} entries or more, can be had here.",
        behind.last, behind.last
    ))
    .with_hint("See confiture.prune_ledger in docs/ledger.md, retention.")
}

fn broken() -> Error {
    Error::new(Kind::NotReady, "the ledger's head and its entries disagree")
        .with_detail("A root over a log that is no chain would cover up what happened to it.")
        .with_hint("Run confiture.verify_ledger.")
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
