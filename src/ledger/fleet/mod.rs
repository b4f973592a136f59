//! Many servers that mask with one key: their ledgers verified one by one, and as a set.
//!
//! Each ledger is read as `export_ledger` gives it, by the verifier of exports; what the set is
//! asked about is taken from entries that it has checked. Pure files; `store` reads the lines.

mod instant;
mod member;
mod reading;
mod set;
pub mod sql;
pub mod store;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::Value;

pub use member::{Member, Run, State};
pub use reading::{LONGEST_LINE, Reading};
pub use set::{Question, judge};

use crate::error::{Error, Kind, Result};
use crate::ledger::checkpoint::VerifierKey;

/// A server as the caller names it.
pub struct Server {
    /// What the caller calls it.
    pub name: String,
    /// The table that holds the lines of its ledger; `None` where they could not be had.
    pub ledger: Option<String>,
    /// The keys that sign its anchors, as they were when it joined.
    pub keys: Vec<VerifierKey>,
    /// Its anchors that were kept outside.
    pub anchors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    server: String,
    ledger: Option<String>,
    anchor_keys: Option<Vec<String>>,
    anchors: Option<Vec<String>>,
}

/// So many servers are no mistake any more.
const MOST_SERVERS: usize = 10_000;

/// The longest name of a server, in characters.
const LONGEST_NAME: usize = 200;

/// Reads the servers: a list of objects with the members `server`, `ledger`, `anchor_keys` and
/// `anchors`.
///
/// # Errors
/// 22023 when it is none, a name is missing or stands twice, or a key cannot be read.
pub fn servers(given: Value) -> Result<Vec<Server>> {
    let refused = |why: String| {
        Error::new(Kind::InvalidParameter, "servers is no list of servers")
            .with_detail(why)
            .with_hint(
                "Give a list of objects with the members server, ledger, anchor_keys and anchors.",
            )
    };
    let Value::Array(items) = given else {
        return Err(refused("It is no array.".to_owned()));
    };
    if items.is_empty() || items.len() > MOST_SERVERS {
        return Err(refused(format!(
            "It has {} elements; from 1 to {MOST_SERVERS} are taken.",
            items.len()
        )));
    }
    let mut servers: Vec<Server> = Vec::new();
    for (number, item) in (1..).zip(items) {
        let given: Given = serde_json::from_value(item).map_err(|_| {
            refused(format!(
                "A member of element {number} is missing, of another type, or not known."
            ))
        })?;
        let length = given.server.chars().count();
        if !(1..=LONGEST_NAME).contains(&length) || given.server.chars().any(char::is_control) {
            return Err(refused(format!(
                "The name in element {number} is empty, longer than {LONGEST_NAME} characters, or \
                 holds control characters."
            )));
        }
        if servers.iter().any(|server| server.name == given.server) {
            return Err(refused(format!(
                "The name of element {number} stands twice."
            )));
        }
        let keys = given.anchor_keys.unwrap_or_default();
        let keys = keys.iter().map(|key| {
            VerifierKey::parse(key.trim_end_matches(['\n', '\r'])).map_err(|why| {
                refused(format!(
                    "A key of anchors in element {number} cannot be read. {why}"
                ))
            })
        });
        servers.push(Server {
            keys: keys.collect::<Result<_>>()?,
            name: given.server,
            ledger: given.ledger,
            anchors: given.anchors.unwrap_or_default(),
        });
    }
    Ok(servers)
}

/// One row of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The server it is about; `None` where it is about the set.
    pub server: Option<String>,
    /// Of the set `FLEET` and F01 to F11; of a server `SERVER`, `RUN`, and the codes of
    /// verification.
    pub code: &'static str,
    /// `fail`, `unsigned`, `unverifiable`, `warn` or `ok`.
    pub status: &'static str,
    /// The chain, where it is about one.
    pub chain: Option<&'static str>,
    /// First entry concerned.
    pub seq_from: Option<i64>,
    /// Last entry concerned.
    pub seq_to: Option<i64>,
    /// What it means, in sentences.
    pub detail: String,
    /// The same in members, for programs.
    pub facts: Value,
}

/// A text of a ledger, in a sentence: short, and nothing in it commands a terminal.
fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let mut short: String = text
        .chars()
        .take(MOST)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(MOST).is_some() {
        short.push('…');
    }
    format!("\"{short}\"")
}
