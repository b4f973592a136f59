//! One chain: entries follow each other without gaps, and each is signed.

use std::collections::BTreeMap;

use crate::keys::Secret;
use crate::ledger::entry;

/// The head row of a chain.
pub struct Head {
    /// Id of the log.
    pub log_id: [u8; 16],
    /// Number of the last entry.
    pub seq: i64,
    /// Hash of the last entry.
    pub entry_hash: Vec<u8>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// E01 hash, E02 signature, E03 link, E04 order, E05 range of the lineage, E06 root of the
    /// lineage, E07 head, E08 and E09 anchors, E10 definition, E11 key, E12 no signature, E13 key of
    /// a run, W01 unanchored, W02 another cluster or timeline, W03 no end, W04 clock, W05 triggers, W07 place
    /// of anchors, W08 count of the journal.
    pub code: &'static str,
    /// `fail`, `unsigned`, `unverifiable`, `warn` or `ok`.
    pub status: &'static str,
    /// The chain it is about: `audit`, `lineage` or `journal`.
    pub chain: &'static str,
    /// First entry concerned.
    pub seq_from: Option<i64>,
    /// Last entry concerned.
    pub seq_to: Option<i64>,
    /// What it means, in one sentence.
    pub detail: String,
}

/// One entry of either chain, as far as the chain is concerned.
pub(super) struct Link<'a> {
    pub(super) seq: i64,
    pub(super) log_id: [u8; 16],
    pub(super) canon_version: i16,
    pub(super) hash: [u8; 32],
    pub(super) stored_hash: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) key: (&'a str, i32),
    pub(super) previous: &'a [u8],
}

/// The chain so far: what the next entry must follow.
pub(super) struct Chain {
    name: &'static str,
    genesis: fn(&[u8; 16]) -> [u8; 32],
    last: Option<(i64, [u8; 16], [u8; 32])>,
    /// Up to where entries were pruned.
    pruned: i64,
    pub(super) checked: u64,
    /// Whether an entry so far was signed: then all later ones are.
    pub(super) is_signed: bool,
    /// Whether signatures are checked.
    pub(super) has_key: bool,
}

impl Chain {
    pub(super) fn new(name: &'static str, genesis: fn(&[u8; 16]) -> [u8; 32]) -> Self {
        Self {
            name,
            genesis,
            last: None,
            pruned: 0,
            checked: 0,
            is_signed: false,
            has_key: true,
        }
    }

    /// Goes on behind an entry that is not read.
    pub(super) fn resume(&mut self, seq: i64, log_id: [u8; 16], hash: [u8; 32]) {
        self.last = Some((seq, log_id, hash));
    }

    /// Goes on behind entries that were pruned.
    pub(super) fn behind_pruned(&mut self, seq: i64, log_id: [u8; 16], hash: [u8; 32]) {
        self.pruned = seq;
        self.resume(seq, log_id, hash);
    }

    /// Whether an entry was pruned, and so must not be there.
    pub(super) fn was_pruned(&self, seq: i64, found: &mut Findings) -> bool {
        if seq <= self.pruned {
            found.add(
                "E04",
                "fail",
                self.name,
                seq,
                "The entry was pruned, and is there again.",
            );
        }
        seq <= self.pruned
    }

    /// The number of the last entry, and its hash where there is one.
    pub(super) fn end(&self) -> (i64, Option<[u8; 32]>) {
        (self.last_seq(), self.last.map(|(.., hash)| hash))
    }

    pub(super) fn last_seq(&self) -> i64 {
        self.last.map_or(0, |(seq, ..)| seq)
    }

    pub(super) fn link(
        &mut self,
        link: &Link<'_>,
        key: &mut dyn FnMut(&str, i32) -> Option<Secret>,
        found: &mut Findings,
    ) {
        self.checked += 1;
        let mut add = |code, status, detail: &str| {
            found.add(code, status, self.name, link.seq, detail);
        };
        if link.canon_version != entry::CANON_VERSION {
            add(
                "E01",
                "fail",
                "The encoding version is not one this library knows.",
            );
        }
        if link.hash.as_slice() != link.stored_hash {
            add(
                "E01",
                "fail",
                "The fields do not give the stored hash: one was changed.",
            );
        }
        let is_unsigned = link.key.0 == entry::UNSIGNED.0;
        if is_unsigned && (link.key != entry::UNSIGNED || !link.signature.is_empty()) {
            add(
                "E02",
                "fail",
                "The entry names no key and has more than an empty signature.",
            );
        } else if is_unsigned && self.is_signed {
            add(
                "E02",
                "fail",
                "The entry is not signed, and one before it is: a log that is signed stays so.",
            );
        } else if is_unsigned {
            add(
                "E12",
                "unsigned",
                "The entry is not signed: whoever could write to the tables could have made it up.",
            );
        } else if self.has_key {
            match key(link.key.0, link.key.1) {
                None => add(
                    "E11",
                    "unverifiable",
                    "The key version that signed is not available; this says nothing about \
                     tampering.",
                ),
                Some(key) if !entry::signed(&key, &link.hash, link.signature) => add(
                    "E02",
                    "fail",
                    "The signature is not of these fields under the key they name.",
                ),
                Some(_) => {}
            }
        }
        self.is_signed |= !is_unsigned;
        let (seq, previous) = match &self.last {
            None => (1, (self.genesis)(&link.log_id)),
            Some((seq, log_id, hash)) => {
                if *log_id != link.log_id {
                    add("E03", "fail", "The entry belongs to another log.");
                }
                (seq + 1, *hash)
            }
        };
        if link.previous != previous {
            add(
                "E03",
                "fail",
                "The entry does not follow the one before it.",
            );
        }
        if link.seq != seq {
            found.put(Finding {
                code: "E04",
                status: "fail",
                chain: self.name,
                seq_from: Some(seq),
                seq_to: Some(link.seq),
                detail: format!(
                    "Entry {seq} was expected and {} found: some are missing or doubled.",
                    link.seq
                ),
            });
        }
        self.last = Some((link.seq, link.log_id, link.hash));
    }

    pub(super) fn head(&self, head: Option<&Head>, found: &mut Findings) {
        let agrees = match (&self.last, head) {
            (None, None) => true,
            (None, Some(head)) => head.seq == 0,
            (Some(_), None) => false,
            (Some((seq, log_id, hash)), Some(head)) => {
                head.seq == *seq && head.log_id == *log_id && head.entry_hash == *hash
            }
        };
        if !agrees {
            found.put(Finding {
                code: "E07",
                status: "fail",
                chain: self.name,
                seq_from: Some(self.last_seq()),
                seq_to: head.map(|head| head.seq),
                detail: "The head row and the last entry disagree: entries were removed or added \
                         behind the ledger's back."
                    .to_owned(),
            });
        }
    }
}

/// Findings, those of neighbours that say the same as one.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    /// How many of each kind are listed.
    listed: BTreeMap<Sort, usize>,
    /// Of those that are not: how many, the first and the last entry, and what the first says.
    more: BTreeMap<Sort, (u64, Finding)>,
}

/// Code, status and chain.
type Sort = (&'static str, &'static str, &'static str);

/// So many of a kind are listed: who makes a log up must not fill the memory of who reads it.
const MOST_OF_A_KIND: usize = 1000;

impl Findings {
    pub(super) fn add(
        &mut self,
        code: &'static str,
        status: &'static str,
        chain: &'static str,
        seq: i64,
        detail: &str,
    ) {
        // A log without its key, or rewritten as a whole, must not fill the memory.
        let before = self.list.iter_mut().rev().take(8).find(|before| {
            before.code == code
                && before.chain == chain
                && before.seq_to == Some(seq - 1)
                && before.detail == detail
        });
        match before {
            Some(before) => before.seq_to = Some(seq),
            None => self.put(Finding {
                code,
                status,
                chain,
                seq_from: Some(seq),
                seq_to: Some(seq),
                detail: detail.to_owned(),
            }),
        }
    }

    /// Lists one by itself, or counts it where there are too many of its kind.
    pub(super) fn put(&mut self, finding: Finding) {
        let sort = (finding.code, finding.status, finding.chain);
        let listed = self.listed.entry(sort).or_default();
        if *listed < MOST_OF_A_KIND {
            *listed += 1;
            self.list.push(finding);
            return;
        }
        match self.more.get_mut(&sort) {
            Some((count, all)) => {
                *count += 1;
                all.seq_from = all.seq_from.min(finding.seq_from);
                all.seq_to = all.seq_to.max(finding.seq_to);
            }
            None => drop(self.more.insert(sort, (1, finding))),
        }
    }

    /// All of them, those that are not listed as one of each kind.
    pub(super) fn all(self) -> Vec<Finding> {
        let mut list = self.list;
        list.extend(self.more.into_values().map(|(count, mut all)| {
            all.detail = format!(
                "{count} more of this kind, which are not listed. {}",
                all.detail
            );
            all
        }));
        list
    }
}
