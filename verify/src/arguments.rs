//! The command line.

use std::fs;

use crate::ledger::checkpoint::{LONGEST, VerifierKey};

const HELP: &str = "\
Checks an export of confiture's ledger without PostgreSQL.

Usage: confiture-verify [OPTIONS] [EXPORT]...

EXPORT is what confiture.export_ledger() gave, line by line; \"-\" or nothing means
standard input. Where the ledger was pruned: the archives, oldest first, and then
the export; or the export alone, which begins behind them.

Options:
  --anchor FILE    an anchor that was kept outside (confiture.export_anchor());
                   may be repeated
  --key KEY        a public key that signs anchors, name+id+base64
                   (confiture.anchor_key()); may be repeated
  --key-file FILE  the same from a file, one key a line
  --json           one JSON object a line instead of a table
  --help           this text
  --version        the version

Checks hashes, links, order, the lineage and the journal that entries sign, and the
anchors. Signatures of entries are not checked, because that needs the secret key;
anchors are, because their key is public.

Rows are those of confiture.verify_ledger(): code, status, chain, first and last
entry concerned, and what it means. Status is ok, warn, unverifiable or fail.

Exit status: 0 nothing failed, 1 a failure was found, 2 wrong usage or input that
cannot be read.
";

/// What the caller wants.
pub enum Asked {
    /// A check.
    Check(Arguments),
    /// A text, and nothing else.
    Text(String),
}

/// What to check, by what.
#[derive(Default)]
pub struct Arguments {
    /// Paths of what is one export in parts; "-" is standard input.
    pub exports: Vec<String>,
    /// Anchors: where they come from, and what they say.
    pub anchors: Vec<(String, String)>,
    /// Keys that sign anchors, with their ids.
    pub keys: Vec<(String, VerifierKey)>,
    /// Whether findings are shown as JSON.
    pub json: bool,
}

/// Reads the command line, and the files of anchors and keys.
///
/// # Errors
/// What is wrong, for a person.
pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut arguments = Arguments::default();
    let mut only_names = false;
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ => (&*word, None),
        };
        let mut value = || {
            value
                .clone()
                .or_else(|| words.next())
                .ok_or_else(|| format!("option {option} needs a value"))
        };
        match option {
            _ if only_names || !option.starts_with('-') || option == "-" => {
                if word == "-" && arguments.exports.contains(&word) {
                    return Err("standard input can be read only once".to_owned());
                }
                arguments.exports.push(word.clone());
            }
            "--" => only_names = true,
            "--anchor" => {
                let path = value()?;
                let text = read(&path)?;
                arguments.anchors.push((path, text));
            }
            "--key" => {
                let key = key(&value()?)?;
                arguments.keys.push(key);
            }
            "--key-file" => {
                let path = value()?;
                for line in read(&path)?.lines().filter(|line| !line.is_empty()) {
                    let key = key(line).map_err(|why| format!("{path}: {why}"))?;
                    arguments.keys.push(key);
                }
            }
            "--json" => arguments.json = true,
            "--help" | "-h" => return Ok(Asked::Text(HELP.to_owned())),
            "--version" | "-V" => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Asked::Text(format!("confiture-verify {version}\n")));
            }
            _ => return Err(format!("unknown option {option}")),
        }
    }
    if arguments.exports.is_empty() {
        arguments.exports.push("-".to_owned());
    }
    Ok(Asked::Check(arguments))
}

fn read(path: &str) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    if bytes.len() > LONGEST {
        return Err(format!("{path}: It is too long."));
    }
    String::from_utf8(bytes).map_err(|_| format!("{path}: It is not UTF-8."))
}

fn key(text: &str) -> Result<(String, VerifierKey), String> {
    let text = text.trim_end_matches(['\n', '\r']);
    let key = VerifierKey::parse(text).map_err(|why| format!("a key cannot be read. {why}"))?;
    let id = text.split('+').nth(1).unwrap_or_default().to_owned();
    Ok((id, key))
}
