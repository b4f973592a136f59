//! Verification of the journal: record by record, against the count and against the chain.

use super::super::entry::UNSIGNED;
use super::super::verify::Finding;
use super::record::{self, Line, Root};
use crate::keys::Secret;

/// The name of the journal among the chains.
pub const JOURNAL: &str = "journal";

/// A record as read back, with what was stored beside its fields.
#[derive(Clone)]
pub struct Stored {
    /// The fields.
    pub line: Line,
    /// The version of its encoding.
    pub canon_version: i16,
    /// The stored signature.
    pub signature: Vec<u8>,
}

/// What an entry of the chain says of the journal.
#[derive(Clone, Debug)]
pub struct Fold {
    /// Number of the entry.
    pub seq: i64,
    /// The last record that it covers.
    pub last: i64,
    /// The root over the records since the entry before.
    pub root: Option<Vec<u8>>,
}

/// Checks records and folds one after another: memory does not grow with the journal.
///
/// Records come in the order in which they lie in the table; each fold after the records up to its
/// last one.
pub struct Verifier<'a> {
    key: &'a mut dyn FnMut(&str, i32) -> Option<Secret>,
    log_id: [u8; 16],
    findings: Vec<Finding>,
    root: Root,
    last: i64,
    folded: i64,
    checked: i64,
    is_export: bool,
}

impl<'a> Verifier<'a> {
    /// Begins. `key` returns the entry subkey of a key version, `None` where it is not available;
    /// `log_id` is that of the chain.
    pub fn new(log_id: [u8; 16], key: &'a mut dyn FnMut(&str, i32) -> Option<Secret>) -> Self {
        Self {
            key,
            log_id,
            findings: Vec::new(),
            root: Root::default(),
            last: 0,
            folded: 0,
            checked: 0,
            is_export: false,
        }
    }

    /// Goes on behind a record, the last one that the entries before cover.
    pub fn behind(&mut self, last: i64) {
        self.last = last;
        self.folded = last;
    }

    /// In the midst of reading: what comes next goes on behind records that were pruned, up to this
    /// one, and those read so far must be they.
    pub fn goes_on_behind(&mut self, last: i64) {
        if (self.last, self.folded) != (last, last) {
            let detail = format!("Records up to {last} were pruned, and other ones come before.");
            self.add("E04", "fail", last, self.last.max(self.folded), detail);
        }
    }

    /// Takes a record that was pruned, and so must not be there.
    pub fn was_pruned(&mut self, number: i64) {
        let detail = "The record was pruned, and is there again.";
        self.add("E04", "fail", number, number, detail.into());
    }

    /// For records that were read from an export: there is no count, and signatures are passed over.
    #[must_use]
    pub fn of_export(mut self) -> Self {
        self.is_export = true;
        self
    }

    /// Checks the next record.
    pub fn record(&mut self, stored: &Stored) {
        let line = &stored.line;
        let number = line.number;
        self.checked += 1;
        if stored.canon_version != record::CANON_VERSION {
            self.add(
                "E01",
                "fail",
                number,
                number,
                "The encoding version is not one this library knows.".into(),
            );
        }
        let hash = line.hash(&self.log_id);
        match (self.key)(&line.key_name, line.key_version) {
            _ if line.key_name == UNSIGNED.0 => self.add(
                "E02",
                "fail",
                number,
                number,
                "The record is not signed: a record always is.".into(),
            ),
            _ if self.is_export => {}
            None => self.add(
                "E11",
                "unverifiable",
                number,
                number,
                "The key version that signed is not available; this says nothing about tampering."
                    .into(),
            ),
            Some(key) if !record::signed(&key, &hash, &stored.signature) => self.add(
                "E02",
                "fail",
                number,
                number,
                "The signature is not of these fields under the key they name, or the record is of \
                 another log."
                    .into(),
            ),
            Some(_) => {}
        }
        let expected = self.last + 1;
        if number > expected {
            self.add(
                "E04",
                "fail",
                expected,
                number,
                format!("Record {expected} was expected and {number} found: some are missing."),
            );
        } else if number < expected {
            self.add(
                "E04",
                "fail",
                number,
                self.last,
                format!(
                    "Record {number} comes after record {}: one is doubled or was moved.",
                    self.last
                ),
            );
        }
        self.root.take(&hash, &stored.signature);
        self.last = self.last.max(number);
    }

    /// Checks what the next entry of the chain says of the records since the one before.
    pub fn fold(&mut self, fold: &Fold) {
        let root = self.root.finish();
        let (from, seq) = (self.folded + 1, fold.seq);
        if fold.last < self.folded {
            self.add(
                "E06",
                "fail",
                fold.last,
                self.folded,
                format!(
                    "Entry {seq} of the audit log covers fewer records than the one before it."
                ),
            );
        } else if fold.last > self.last {
            self.add(
                "E06",
                "fail",
                self.last + 1,
                fold.last,
                format!(
                    "Entry {seq} of the audit log covers records that are not there: the newest \
                     were removed."
                ),
            );
        } else if root.as_ref().map(<[u8; 32]>::as_slice) != fold.root.as_deref() {
            self.add(
                "E06",
                "fail",
                from,
                fold.last,
                format!("The records are not those that entry {seq} of the audit log covers."),
            );
        }
        self.folded = fold.last.max(self.folded);
    }

    /// Whether a record belongs behind a fold.
    pub fn is_behind(line: &Line, fold: &Fold) -> bool {
        line.number > fold.last
    }

    /// Holds the last record against the count and ends: the findings, then what they rest on.
    ///
    /// The count as it was before the records were read, and after: others may append meanwhile.
    pub fn finish(mut self, before: Option<i64>, after: Option<i64>) -> Vec<Finding> {
        let (last, counted) = (self.last, before.unwrap_or(0));
        if counted > last {
            self.add(
                "E07",
                "fail",
                last + 1,
                counted,
                format!(
                    "{counted} records were counted and the last one is {last}: the newest were \
                     removed."
                ),
            );
        } else if after.unwrap_or(0) < last && !self.is_export {
            self.add(
                "W08",
                "warn",
                counted + 1,
                last,
                "The count is behind the last record: the server stopped between the two, or this \
                 is a restored copy and nothing was recorded here yet."
                    .into(),
            );
        }
        if last > self.folded {
            let unfolded = last - self.folded;
            let rest = if self.is_export {
                "their signatures, which were not checked"
            } else {
                "the signing key and on the count"
            };
            self.add(
                "W01",
                "warn",
                self.folded + 1,
                last,
                format!(
                    "{unfolded} of {} records are covered by no entry of the audit log yet: they \
                     rest on {rest}.",
                    self.checked
                ),
            );
        }
        self.findings
    }

    fn add(
        &mut self,
        code: &'static str,
        status: &'static str,
        from: i64,
        to: i64,
        detail: String,
    ) {
        // Neighbors with the same finding share it: a key that is not available concerns many.
        if let Some(last) = self.findings.last_mut()
            && (last.code, last.seq_to, &last.detail) == (code, Some(from - 1), &detail)
        {
            last.seq_to = Some(to);
            return;
        }
        self.findings.push(Finding {
            code,
            status,
            chain: JOURNAL,
            seq_from: Some(from),
            seq_to: Some(to),
            detail,
        });
    }
}

/// The findings about the chain and those about the journal: the chain is not called right where
/// the journal is not.
pub fn join(mut chain: Vec<Finding>, journal: Vec<Finding>) -> Vec<Finding> {
    if journal.iter().any(|finding| finding.status != "warn") {
        chain.retain(|finding| finding.status != "ok");
    }
    chain.extend(journal);
    chain
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{LOG, sample};
    use super::*;

    fn key() -> Secret {
        Secret::take(&mut std::array::from_fn(|i| u8::try_from(i).unwrap()))
    }

    fn sealed(line: Line) -> Stored {
        Stored {
            signature: record::sign(&key(), &line.hash(&LOG)).to_vec(),
            canon_version: record::CANON_VERSION,
            line,
        }
    }

    fn journal(length: i64) -> Vec<Stored> {
        (1..=length).map(|number| sealed(sample(number))).collect()
    }

    /// Entries of the chain that cover records up to each of the given ones.
    fn folds(journal: &[Stored], ends: &[i64]) -> Vec<Fold> {
        let mut root = Root::default();
        let mut rest = journal.iter().peekable();
        let fold = |(i, last): (usize, &i64)| {
            while let Some(stored) = rest.next_if(|stored| stored.line.number <= *last) {
                root.take(&stored.line.hash(&LOG), &stored.signature);
            }
            Fold {
                seq: i64::try_from(i).unwrap() + 1,
                last: *last,
                root: root.finish().map(Into::into),
            }
        };
        ends.iter().enumerate().map(fold).collect()
    }

    fn codes(journal: &[Stored], folds: &[Fold], counted: i64) -> Vec<&'static str> {
        let mut look_up = |_: &str, _: i32| Some(key());
        let mut verifier = Verifier::new(LOG, &mut look_up);
        let mut rest = journal.iter().peekable();
        for fold in folds {
            while let Some(stored) = rest.next_if(|stored| !Verifier::is_behind(&stored.line, fold))
            {
                verifier.record(stored);
            }
            verifier.fold(fold);
        }
        rest.for_each(|stored| verifier.record(stored));
        let findings = verifier.finish(Some(counted), Some(counted));
        assert!(findings.iter().all(|found| found.chain == JOURNAL));
        findings.into_iter().map(|found| found.code).collect()
    }

    #[test]
    fn journal_passes_when_honest_and_says_what_no_entry_covers() {
        let honest = journal(5);
        assert_eq!(codes(&[], &[], 0), [""; 0]);
        assert_eq!(codes(&honest, &folds(&honest, &[0, 2, 2, 5]), 5), [""; 0]);
        assert_eq!(codes(&honest, &folds(&honest, &[3]), 5), ["W01"]);
        assert_eq!(codes(&honest, &[], 5), ["W01"]);
        // Stopped between row and count.
        assert_eq!(codes(&honest, &folds(&honest, &[5]), 4), ["W08"]);
    }

    #[test]
    fn journal_counts_while_others_append() {
        let found = |before, after| {
            let mut look_up = |_: &str, _: i32| Some(key());
            let mut verifier = Verifier::new(LOG, &mut look_up);
            journal(3).iter().for_each(|stored| verifier.record(stored));
            verifier.finish(before, after).remove(0).code
        };
        assert_eq!(found(Some(2), Some(5)), "W01");
        assert_eq!(found(Some(4), Some(5)), "E07");
        assert_eq!(found(None, None), "W08");
    }

    #[test]
    fn journal_shows_an_edit() {
        let honest = journal(4);
        let covered = folds(&honest, &[3]);
        let mut edited = honest.clone();
        edited[1].line.user_name = "somebody else".into();
        assert_eq!(codes(&edited, &covered, 4), ["E02", "E06", "W01"]);
        // Signed anew by whoever has the key: the chain still knows.
        edited[1] = sealed(edited[1].line.clone());
        assert_eq!(codes(&edited, &covered, 4), ["E06", "W01"]);
        let mut other = honest.clone();
        other[3].canon_version = 2;
        assert_eq!(codes(&other, &covered, 4), ["E01", "W01"]);
    }

    #[test]
    fn journal_shows_what_was_removed_doubled_or_moved() {
        let honest = journal(4);
        let covered = folds(&honest, &[3]);
        let mut middle = honest.clone();
        middle.remove(1);
        assert_eq!(codes(&middle, &covered, 4), ["E04", "E06", "W01"]);
        let mut newest = honest.clone();
        newest.pop();
        assert_eq!(codes(&newest, &covered, 4), ["E07"]);
        // With the count set back too: nothing but an entry of the chain can know.
        assert_eq!(codes(&newest, &covered, 3), [""; 0]);
        newest.pop();
        assert_eq!(codes(&newest, &covered, 2), ["E06"]);
        assert_eq!(codes(&[], &covered, 0), ["E06"]);
        let mut doubled = honest.clone();
        doubled.push(honest[2].clone());
        assert_eq!(codes(&doubled, &covered, 4), ["E04", "W01"]);
        let mut swapped = honest.clone();
        swapped.swap(1, 2);
        assert!(codes(&swapped, &covered, 4).contains(&"E04"));
    }

    #[test]
    fn journal_shows_an_entry_that_covers_less_than_before() {
        let honest = journal(4);
        let mut covered = folds(&honest, &[3, 4]);
        covered[1].last = 1;
        covered[1].root = None;
        assert!(codes(&honest, &covered, 4).contains(&"E06"));
    }

    #[test]
    fn journal_calls_a_missing_key_unverifiable() {
        let mut none = |_: &str, _: i32| None;
        let mut verifier = Verifier::new(LOG, &mut none);
        journal(3).iter().for_each(|stored| verifier.record(stored));
        let findings = verifier.finish(Some(3), Some(3));
        let first = &findings[0];
        assert_eq!(
            (first.status, first.seq_from, first.seq_to),
            ("unverifiable", Some(1), Some(3))
        );
        assert_eq!((findings.len(), findings[1].code), (2, "W01"));
    }
}
