//! Checks an export line by line: memory does not grow with it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use sha2::{Digest, Sha256};

use crate::keys::Secret;
use crate::ledger::anchor::{Judge, Signer};
use crate::ledger::checkpoint::VerifierKey;
use crate::ledger::journal::verify::{self as journal, Fold};
use crate::ledger::verify::{Finding, Stored, Verifier};
use crate::line::{Id, Line};

/// The longest line that is read, in bytes: more than a value of PostgreSQL can hold in JSON.
const LONGEST: u64 = 1 << 30;

/// Reads the lines of files one after another, as one export, and says what is wrong with them.
///
/// # Errors
/// What cannot be read, for a person: the line by its number, never its content.
pub fn export(
    files: &[String],
    anchors: &[(String, String)],
    keys: &[(String, VerifierKey)],
) -> Result<Vec<Finding>, String> {
    let mut lines = Lines::of(files);
    // The first line says which log it is; every other one has to belong to it.
    let Some(first) = lines.next()? else {
        return Err("there is no export".to_owned());
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
    let mut is_first = true;
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
            Line::Pruned(entry) => {
                let (stored, before) = (Stored::from(*entry), lines.before());
                if is_first {
                    let boundary = chain.behind_pruned(&stored);
                    records.behind(boundary.map_or(0, |boundary| boundary.journal.last));
                } else if let Some(last) = chain.goes_on_behind(&stored, &before) {
                    records.goes_on_behind(last);
                }
            }
            Line::Journal(record) => {
                if is_foreign {
                    let number = Some(record.number);
                    foreign.get_or_insert_with(|| is_of_another(number)).seq_to = number;
                }
                records.record(&(*record).into());
            }
        }
        is_first = false;
        line = lines.next()?;
    }
    chain.also(foreign.into_iter().collect());
    Ok(journal::join(
        chain.finish(None, None),
        records.finish(None, None),
    ))
}

fn log_of(line: &Line) -> Option<Id> {
    match line {
        Line::Audit(entry) | Line::Pruned(entry) => Some(entry.log_id),
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

/// The lines of files one after another.
struct Lines<'a> {
    files: std::slice::Iter<'a, String>,
    open: Option<Open<'a>>,
    /// The line read last.
    text: Vec<u8>,
    /// Those before it, from the last line on that begins another part.
    digest: Sha256,
}

struct Open<'a> {
    place: &'a str,
    input: Box<dyn BufRead>,
    number: u64,
    is_empty: bool,
}

impl<'a> Open<'a> {
    fn file(path: &'a str) -> Result<Self, String> {
        let (place, input): (_, Box<dyn BufRead>) = match path {
            "-" => ("standard input", Box::new(io::stdin().lock())),
            _ => {
                let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
                (path, Box::new(BufReader::new(file)))
            }
        };
        Ok(Self {
            place,
            input,
            number: 0,
            is_empty: true,
        })
    }
}

impl<'a> Lines<'a> {
    fn of(files: &'a [String]) -> Self {
        Self {
            files: files.iter(),
            open: None,
            text: Vec::new(),
            digest: Sha256::new(),
        }
    }

    /// SHA-256 of the lines of the part before the line read last, which begins another one.
    fn before(&mut self) -> [u8; 32] {
        self.digest.finalize_reset().into()
    }

    fn next(&mut self) -> Result<Option<Line>, String> {
        self.digest.update(&self.text);
        loop {
            self.text.clear();
            let open = match &mut self.open {
                Some(open) => open,
                None => match self.files.next() {
                    Some(path) => self.open.insert(Open::file(path)?),
                    None => return Ok(None),
                },
            };
            open.number += 1;
            let (number, place) = (open.number, open.place);
            open.input
                .by_ref()
                .take(LONGEST)
                .read_until(b'\n', &mut self.text)
                .map_err(|error| format!("{place}: {error}"))?;
            if self.text.is_empty() {
                if open.is_empty {
                    return Err(format!("{place}: there is no entry in it"));
                }
                self.open = None;
                continue;
            }
            // psql ends with an empty line.
            if self.text.trim_ascii().is_empty() {
                continue;
            }
            open.is_empty = false;
            return serde_json::from_slice(&self.text)
                .map(Some)
                .map_err(|error| {
                    // Where, not what: a message of the parser may quote the line.
                    let column = error.column();
                    format!("{place}: line {number} is no line of an export (column {column})")
                });
        }
    }
}
