//! Checks an export line by line: memory does not grow with it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use crate::ledger::anchor::{Judge, Signer};
use crate::ledger::checkpoint::VerifierKey;
use crate::ledger::export::{Line, NO_KEYS, Reader};
use crate::ledger::verify::Finding;

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
    let log_id = first.log_id().unwrap_or_default();
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
    let mut keys = NO_KEYS;
    let mut reader = Reader::new(log_id, judge.finish(), &mut keys);
    let mut line = Some(first);
    while let Some(read) = line {
        reader.take(read, &lines.text);
        line = lines.next()?;
    }
    Ok(reader.finish())
}

/// The lines of files one after another.
struct Lines<'a> {
    files: std::slice::Iter<'a, String>,
    open: Option<Open<'a>>,
    /// The line read last.
    text: Vec<u8>,
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
        }
    }

    fn next(&mut self) -> Result<Option<Line>, String> {
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
