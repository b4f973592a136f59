//! The report as one JSON document: names as they are, numbers as numbers.

use serde_json::{Value, json};

use super::{Report, Standing, Step};

/// The document.
pub fn document(report: &Report) -> Value {
    json!({
        "report": "lineage",
        "made_at": report.made_at,
        "made_by": report.made_by,
        "extension_version": env!("CARGO_PKG_VERSION"),
        "database": report.database,
        "scope": {"schema_name": report.schema, "table_name": report.table},
        "verification": {
            "status": report.verdict().status(),
            "guarantee": report.guarantee(),
            "entries_without_anchor": report.unanchored(),
            "findings": report.findings.iter().map(|finding| json!({
                "check_code": finding.code,
                "status": finding.status,
                "chain": finding.chain,
                "seq_from": finding.seq_from,
                "seq_to": finding.seq_to,
                "detail": finding.detail,
            })).collect::<Vec<_>>(),
            "last_entry": report.mark.as_ref().map(|mark| json!({
                "log_id": mark.log_id, "seq": mark.seq, "entry_hash": mark.hash,
            })),
        },
        "summary": {
            "tables": report.tables(),
            "columns": report.columns.len(),
            "last_run": report.last_run().map(|step| json!({
                "run_id": step.run_id, "finished_at": step.finished_at,
            })),
            "columns_with_unchanged_values": report.came_through().len(),
            "columns_reversible": report.standing(Standing::Reversible),
            "columns_pseudonymised":
                report.standing(Standing::Reversible) + report.standing(Standing::Guessable),
            "columns_anonymised": report.standing(Standing::Anonymised),
        },
        "columns": report.columns.iter().map(|column| {
            let mut value = facts(&column.latest);
            value["run_id"] = json!(column.latest.run_id);
            value["finished_at"] = json!(column.latest.finished_at);
            value["runs"] = json!(column.runs);
            value
        }).collect::<Vec<_>>(),
        "runs": report.runs().into_iter().map(|steps| {
            let first = &steps[0];
            json!({
                "run_id": first.run_id,
                "finished_at": first.finished_at,
                "who": first.who,
                "profile": first.profile,
                "profile_version": first.profile_version,
                "columns": steps.iter().map(facts).collect::<Vec<_>>(),
            })
        }).collect::<Vec<_>>(),
        "entries": report.steps_total,
        "entries_left_out": report.left_out(),
    })
}

fn facts(step: &Step) -> Value {
    json!({
        "source_schema": step.source,
        "target_schema": step.target,
        "table_name": step.table,
        "column_name": step.column,
        "strategy": step.strategy,
        "strategy_version": step.version,
        "rows_seen": step.seen,
        "rows_changed": step.changed,
        "rows_unchanged": step.unchanged,
        "nulls": step.nulls,
        "reversible": step.reversible,
        "standing": step.standing().word(),
        "reason": step.standing().reason(),
        "commitment_state": step.commitment,
        "origin": step.origin,
    })
}
