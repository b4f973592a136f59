//! Verifies the ledger and appends what was found, so that it can be shown when that was done.

use serde_json::{Value, json};

use crate::error::Result;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::inspection::store::inspect;
use crate::ledger::lineage::report::Verdict;
use crate::ledger::store::append;
use crate::ledger::verify::Finding;
use crate::pg::{owner, spi};

/// No more findings go into an entry; how many there were does.
const MOST_FINDINGS: usize = 100;

/// Checks the whole ledger as [`inspect`] does, and puts the result on record.
///
/// # Errors
/// As [`append`]: what breaks the log so that it takes no entry cannot be put on record.
pub fn record(notes: Option<Vec<String>>) -> Result<Vec<Finding>> {
    let last = owner::acting_as_owner("confiture", || {
        // Of the same view of the log as what follows.
        spi::read(
            "SELECT coalesce(max(seq), 0) FROM ONLY confiture.audit_log",
            &[],
            |row| row.required::<i64>(1),
        )
    })?;
    let anchors = notes.as_ref().map(Vec::len);
    let findings = inspect(notes, false)?.findings;
    let verdict = Verdict::of(&findings);
    let report: Vec<Value> = findings
        .iter()
        .take(MOST_FINDINGS)
        .map(|found| {
            json!({
                "check_code": found.code, "status": found.status, "chain": found.chain,
                "seq_from": found.seq_from, "seq_to": found.seq_to,
            })
        })
        .collect();
    append(
        Event::Verified,
        Facts {
            verification_passed: Some(verdict == Verdict::Ok),
            verification_report: Some(Value::Array(report).into()),
            details: Some(
                json!({
                    "status": verdict.status(), "last": last.first(), "anchors": anchors,
                    "findings": findings.len(),
                })
                .into(),
            ),
            ..Facts::default()
        },
    )?;
    Ok(findings)
}
