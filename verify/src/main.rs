//! `confiture-verify`: checks an export of confiture's ledger without PostgreSQL.
//!
//! A server that was taken over verifies whatever its owner likes. This program is made of the very
//! files with which the extension verifies, and reads what `confiture.export_ledger()` gave.

mod arguments;
mod check;
#[path = "../../src/error.rs"]
#[allow(dead_code, reason = "shared with the extension")]
mod error;
#[allow(dead_code, reason = "shared with the extension")]
mod keys;
#[path = "../../src/ledger/offline.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the extension")]
mod ledger;

use std::io::{self, Write};
use std::process::ExitCode;

use arguments::Asked;
use ledger::verify::Finding;

/// A failure was found.
const FAILED: u8 = 1;

/// The program was called wrongly, or its input cannot be read.
const UNREADABLE: u8 = 2;

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args().skip(1)) {
        Ok(Asked::Check(arguments)) => arguments,
        Ok(Asked::Text(text)) => {
            return write(&text).map_or_else(unreadable, |()| ExitCode::SUCCESS);
        }
        Err(problem) => return unreadable(format!("{problem}\nTry confiture-verify --help.")),
    };
    let found = check::export(&arguments.exports, &arguments.anchors, &arguments.keys);
    let findings = match found {
        Ok(findings) => findings,
        Err(problem) => return unreadable(problem),
    };
    let text = if arguments.json {
        findings.iter().map(json).collect()
    } else {
        table(&findings)
    };
    if let Err(problem) = write(&text) {
        return unreadable(problem);
    }
    if findings.iter().any(|finding| finding.status == "fail") {
        ExitCode::from(FAILED)
    } else {
        ExitCode::SUCCESS
    }
}

fn write(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| format!("standard output: {error}"))
}

fn unreadable(problem: impl AsRef<str>) -> ExitCode {
    // Nobody is left to be told where standard error is closed.
    let _ = writeln!(io::stderr(), "confiture-verify: {}", problem.as_ref());
    ExitCode::from(UNREADABLE)
}

/// One finding as a line of JSON, with the names of the columns of `verify_ledger`.
fn json(finding: &Finding) -> String {
    let object = serde_json::json!({
        "check_code": finding.code,
        "status": finding.status,
        "chain": finding.chain,
        "seq_from": finding.seq_from,
        "seq_to": finding.seq_to,
        "detail": finding.detail,
    });
    format!("{object}\n")
}

/// The findings as `psql` shows them.
fn table(findings: &[Finding]) -> String {
    let number = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    let mut rows = vec![["check_code", "status", "chain", "seq_from", "seq_to"].map(String::from)];
    rows.extend(findings.iter().map(|finding| {
        [
            finding.code.to_owned(),
            finding.status.to_owned(),
            finding.chain.to_owned(),
            number(finding.seq_from),
            number(finding.seq_to),
        ]
    }));
    let details = std::iter::once("detail").chain(findings.iter().map(|found| &*found.detail));
    let widths: [usize; 5] =
        std::array::from_fn(|i| rows.iter().map(|row| row[i].len()).max().unwrap_or(0));
    let mut text = String::new();
    for (row, detail) in rows.iter().zip(details) {
        for (i, (cell, width)) in row.iter().zip(widths).enumerate() {
            text += &if i < 3 {
                format!(" {cell:<width$} |")
            } else {
                format!(" {cell:>width$} |")
            };
        }
        text += &format!(" {}\n", shown(detail));
    }
    text
}

/// Texts of others end in a terminal here: nothing in them commands it.
fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
