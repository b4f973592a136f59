//! Checks an export line by line: memory does not grow with it.

use std::io::{BufRead, Read};

use crate::keys::Secret;
use crate::ledger::anchor::{Judge, Signer};
use crate::ledger::checkpoint::VerifierKey;
use crate::ledger::journal::verify::{self as journal, Fold};
use crate::ledger::verify::{Finding, Stored, Verifier};
use crate::line::{Id, Line};

/// The longest line that is read, in bytes: more than a value of PostgreSQL can hold in JSON.
const LONGEST: u64 = 1 << 30;

/// Reads lines and says what is wrong with them; `place` is where they come from.
///
/// # Errors
/// What cannot be read, for a person: the line by its number, never its content.
pub fn export(
    place: &str,
    input: Box<dyn BufRead>,
    anchors: &[(String, String)],
    keys: &[(String, VerifierKey)],
) -> Result<Vec<Finding>, String> {
    let mut lines = Lines { input, number: 0 };
    let mut next = || lines.next().map_err(|why| format!("{place}: {why}"));
    // The first line says which log it is; every other one has to belong to it.
    let Some(first) = next()? else {
        return Err(format!("{place}: there is no entry in it"));
    };
    let log_id = log_of(&first).map_or([0; 16], |id| id.0);
    let signers = keys
        .iter()
        .map(|(id, key)| Signer {
            label: id.as_str().into(),
            key: key.clone(),
        })
        .collect();
    let mut judge = Judge::new(Some(log_id), signers);
    for (name, text) in anchors {
        // psql adds a line end, and shells take all of them away.
        judge.note(name, &format!("{}\n", text.trim_end_matches('\n')));
    }
    let mut no_key = |_: &str, _: i32| None::<Secret>;
    let mut no_key_either = no_key;
    let mut chain = Verifier::new(&mut no_key, judge.finish()).of_export();
    let mut records = journal::Verifier::new(log_id, &mut no_key_either).of_export();
    let mut foreign = None;
    let mut line = Some(first);
    while let Some(read) = line {
        let is_foreign = log_of(&read).is_none_or(|id| id.0 != log_id);
        match read {
            Line::Audit(entry) => {
                let stored = Stored::from(*entry);
                chain.entry(&stored);
                records.fold(&Fold {
                    seq: stored.entry.seq,
                    last: stored.entry.journal_last,
                    root: stored.entry.journal_root,
                });
            }
            Line::Lineage(step) => chain.step(&(*step).into()),
            Line::Journal(record) => {
                if is_foreign {
                    let number = Some(record.number);
                    foreign.get_or_insert_with(|| is_of_another(number)).seq_to = number;
                }
                records.record(&(*record).into());
            }
        }
        line = next()?;
    }
    chain.also(foreign.into_iter().collect());
    Ok(journal::join(
        chain.finish(None, None),
        records.finish(None, None),
    ))
}

fn log_of(line: &Line) -> Option<Id> {
    match line {
        Line::Audit(entry) => Some(entry.log_id),
        Line::Lineage(step) => Some(step.log_id),
        Line::Journal(record) => record.log_id,
    }
}

/// One finding for all of them: an export must not fill the memory.
fn is_of_another(number: Option<i64>) -> Finding {
    Finding {
        code: "E03",
        status: "fail",
        chain: journal::JOURNAL,
        seq_from: number,
        seq_to: number,
        detail: "A record belongs to another log.".to_owned(),
    }
}

struct Lines {
    input: Box<dyn BufRead>,
    number: u64,
}

impl Lines {
    fn next(&mut self) -> Result<Option<Line>, String> {
        let mut text = Vec::new();
        loop {
            self.number += 1;
            let number = self.number;
            text.clear();
            self.input
                .by_ref()
                .take(LONGEST)
                .read_until(b'\n', &mut text)
                .map_err(|error| error.to_string())?;
            if text.is_empty() {
                return Ok(None);
            }
            // psql ends with an empty line.
            if text.trim_ascii().is_empty() {
                continue;
            }
            return serde_json::from_slice(&text).map(Some).map_err(|error| {
                // Where, not what: a message of the parser may quote the line.
                let column = error.column();
                format!("line {number} is no line of an export (column {column})")
            });
        }
    }
}
