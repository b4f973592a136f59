//! The report as GitHub Flavored Markdown.

use std::fmt::Write;

use serde_json::Value;

use super::definition::Status;
use super::{Field, NOTICE, Report};
use crate::ledger::lineage::report::markdown::escaped;

/// Columns and facts that are shown one by one.
const MOST: usize = 1000;

/// The page.
pub fn page(report: &Report<'_>) -> String {
    let mut out = String::new();
    head(&mut out, report);
    open(&mut out, report);
    for (title, fields) in &report.sections {
        put(&mut out, format_args!("## {title}\n"));
        for field in fields {
            one(&mut out, field);
        }
    }
    columns(&mut out, report);
    out.push_str("## What this report does not say\n\n");
    for limit in report.law.limits {
        put(&mut out, format_args!("* {}", escaped(limit)));
    }
    put(&mut out, format_args!("* {}", escaped(&report.remark())));
    out
}

fn head(out: &mut String, report: &Report<'_>) {
    let inventory = &report.facts.inventory;
    put(out, format_args!("# {}\n", escaped(report.law.title)));
    put(out, format_args!("{}\n", escaped(report.law.act)));
    if report.is_draft() {
        out.push_str("**DRAFT: what is missing is listed first.**\n\n");
    }
    put(out, format_args!("{NOTICE}\n"));
    let coverage = report.coverage();
    put(out, format_args!("| | |\n| --- | --- |"));
    let scope = match &report.scope {
        None => "every schema".to_owned(),
        Some(schemas) => schemas
            .iter()
            .map(|schema| escaped(schema))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let rows = [
        ("As of", report.facts.day.clone()),
        (
            "Made",
            format!(
                "{} UTC for {} by confiture {}",
                inventory.made_at,
                escaped(&inventory.made_by),
                env!("CARGO_PKG_VERSION")
            ),
        ),
        ("Database", escaped(&inventory.database)),
        ("Scope", scope),
        (
            "Fields asked for",
            format!(
                "{}: {} evidenced, {} declared, {} missing, {} stale; {} not applicable",
                coverage.asked(),
                coverage.evidenced,
                coverage.declared,
                coverage.missing,
                coverage.stale,
                coverage.not_applicable
            ),
        ),
        (
            "Ledger",
            format!(
                "**{}**: {}",
                report.verdict().status(),
                report.verdict().sentence()
            ),
        ),
        (
            "Rule data",
            format!("{}, without proposals", escaped(&report.rules)),
        ),
    ];
    for (name, value) in rows {
        put(out, format_args!("| {name} | {value} |"));
    }
    if let Some(mark) = &inventory.ledger.mark {
        put(
            out,
            format_args!(
                "| Last entry | number {} of log {}, hash {} |",
                mark.seq, mark.log_id, mark.hash
            ),
        );
    }
    out.push('\n');
}

fn open(out: &mut String, report: &Report<'_>) {
    out.push_str("## What is missing\n\n");
    let mut any = false;
    for field in report.open() {
        any = true;
        put(
            out,
            format_args!(
                "* `{{{{C:{}}}}}` {} ({}, {}): {}",
                field.id,
                escaped(field.title),
                escaped(field.cite),
                field.status.shown(),
                escaped(field.note.as_deref().unwrap_or("nothing is known of it"))
            ),
        );
    }
    if !any {
        out.push_str("Nothing that this report asks for.\n");
    }
    out.push('\n');
}

fn one(out: &mut String, field: &Field) {
    put(out, format_args!("### {}\n", escaped(field.title)));
    put(
        out,
        format_args!(
            "{} · **{}** · {} · as of {} · {}\n",
            escaped(field.cite),
            field.status.shown(),
            field.source,
            field.as_of,
            escaped(&field.evidence)
        ),
    );
    if let Some(note) = &field.note {
        put(out, format_args!("*{}*\n", escaped(note)));
    }
    match field.status {
        Status::Missing if field.value.is_null() => {
            put(out, format_args!("`{{{{C:{}}}}}`\n", field.id));
        }
        Status::NotApplicable if field.value.is_null() => {}
        _ => {
            value(out, &field.value, 0);
            out.push('\n');
        }
    }
}

/// A value as nested lists.
fn value(out: &mut String, of: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match of {
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            put(out, format_args!("{indent}* {}", listed(items)));
        }
        Value::Array(items) => {
            for (place, item) in items.iter().take(MOST).enumerate() {
                put(out, format_args!("{indent}* {}", place + 1));
                value(out, item, depth + 1);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                let name = label(name);
                match item {
                    Value::Array(items)
                        if items
                            .iter()
                            .all(|item| !item.is_object() && !item.is_array()) =>
                    {
                        put(out, format_args!("{indent}* {name}: {}", listed(items)));
                    }
                    Value::Object(_) | Value::Array(_) => {
                        put(out, format_args!("{indent}* {name}:"));
                        value(out, item, depth + 1);
                    }
                    scalar => put(out, format_args!("{indent}* {name}: {}", plain(scalar))),
                }
            }
        }
        scalar => put(out, format_args!("{indent}* {}", plain(scalar))),
    }
}

fn listed(items: &[Value]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(plain).collect::<Vec<_>>().join(", ")
}

fn plain(scalar: &Value) -> String {
    match scalar {
        Value::Null => "not known".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => escaped(text),
        other => other.to_string(),
    }
}

/// The name of a member for readers: ids and names of others as they are.
fn label(name: &str) -> String {
    escaped(&super::shown_name(name))
}

fn columns(out: &mut String, report: &Report<'_>) {
    out.push_str("## Columns with personal data\n\n");
    let inventory = &report.facts.inventory;
    let all = inventory.personal().count();
    if all == 0 {
        out.push_str("No column looks personal, is declared to be or was masked.\n\n");
        return;
    }
    out.push_str(
        "| column | category | sensitive | state | why |\n| --- | --- | --- | --- | --- |\n",
    );
    for column in inventory.personal().take(MOST) {
        put(
            out,
            format_args!(
                "| {} | {} | {} | {} | {} |",
                escaped(&column.shown()),
                escaped(&column.category_shown()),
                if column.is_sensitive() { "yes" } else { "no" },
                column.treatment.word(),
                column.treatment.reason()
            ),
        );
    }
    if all > MOST {
        put(out, format_args!("\n{} more are not shown.", all - MOST));
    }
    out.push('\n');
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}
