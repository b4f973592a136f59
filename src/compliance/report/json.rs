//! The report as one JSON document: names as they are, numbers as numbers.

use serde_json::{Value, json};

use super::{Field, NOTICE, Report};
use crate::compliance::inventory::Column;
use crate::value::unseen::is_hidden;

/// The text, with lines: it is read by people as well.
pub fn text(report: &Report<'_>) -> String {
    let mut text = seen(&serde_json::to_string_pretty(&document(report)).unwrap_or_default());
    text.push('\n');
    text
}

/// JSON that says the same, with what nobody sees, and what turns the text around it, written out.
fn seen(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let is_unseen =
            c != '\n' && c.is_control() || is_hidden(c) || matches!(c, '\u{2028}' | '\u{2029}');
        if is_unseen {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The document.
pub fn document(report: &Report<'_>) -> Value {
    let inventory = &report.facts.inventory;
    let ledger = &inventory.ledger;
    let coverage = report.coverage();
    json!({
        "report": "compliance",
        "regulation": report.law.code,
        "variant": report.law.variant,
        "jurisdiction": report.law.jurisdiction,
        "title": report.law.title,
        "act": report.law.act,
        "notice": NOTICE,
        "draft": report.is_draft(),
        "as_of": report.facts.day,
        "made_at": inventory.made_at,
        "made_by": inventory.made_by,
        "database": inventory.database,
        "scope": report.scope,
        "extension_version": env!("CARGO_PKG_VERSION"),
        "rules": {
            "version": report.rules, "include_proposed": false,
            "text_checked_on": checked_on(report), "remark": report.remark(),
        },
        "ledger": {
            "status": report.verdict().status(),
            "last_verification": ledger.verified_at.as_ref().map(|(at, passed)| json!({
                "at": at, "passed": passed,
            })),
            "last_entry": ledger.mark.as_ref().map(|mark| json!({
                "log_id": mark.log_id, "seq": mark.seq, "entry_hash": mark.hash,
            })),
        },
        "coverage": {
            "asked": coverage.asked(), "evidenced": coverage.evidenced,
            "declared": coverage.declared, "missing": coverage.missing, "stale": coverage.stale,
            "not_applicable": coverage.not_applicable,
        },
        "missing": report.open().map(|field| json!({
            "id": field.id, "cite": field.cite, "title": field.title,
            "status": field.status.name(), "note": field.note,
        })).collect::<Vec<_>>(),
        "sections": report.sections.iter().map(|(title, fields)| json!({
            "title": title, "fields": fields.iter().map(field).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "columns": inventory.personal().map(column).collect::<Vec<_>>(),
        "runs": {
            "completed": inventory.runs.completed, "failed": inventory.runs.failed,
            "verified": inventory.runs.verified,
            "months": inventory.runs.months.iter().map(|(month, completed, failed)| json!({
                "month": month, "completed": completed, "failed": failed,
            })).collect::<Vec<_>>(),
        },
        "limits": report.law.limits,
    })
}

/// The day on which the last of the texts was checked; none while one is not.
fn checked_on<'a>(report: &'a Report<'_>) -> Option<&'a str> {
    let days: Option<Vec<&str>> = report
        .fields()
        .map(|field| field.text_checked.as_ref().map(|(day, _)| day.as_str()))
        .collect();
    days?.into_iter().max()
}

/// A field.
pub fn field(field: &Field) -> Value {
    json!({
        "id": field.id, "cite": field.cite, "title": field.title, "value": field.value,
        "source": field.source, "evidence": field.evidence, "as_of": field.as_of,
        "status": field.status.name(), "note": field.note, "requirement": field.requirement,
        "text_checked_on": field.text_checked.as_ref().map(|(day, _)| day),
        "text_checked_by": field.text_checked.as_ref().map(|(_, by)| by),
    })
}

fn column(column: &Column) -> Value {
    let step = column.treatment.step();
    json!({
        "schema": column.schema, "table": column.table, "column": column.name,
        "category": column.category_shown(), "sensitive": column.is_sensitive(),
        "declared_by": column.declared.as_ref().map(|declared| declared.id.as_str()),
        "state": column.treatment.word(), "reason": column.treatment.reason(),
        "strategy": step.map(|step| format!("{} {}", step.strategy, step.version)),
        "run_id": step.map(|step| step.run_id.as_str()),
        "masked_at": step.and_then(|step| step.finished_at.as_deref()),
    })
}
