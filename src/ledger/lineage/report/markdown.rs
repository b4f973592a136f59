//! The report as GitHub Flavored Markdown.

use std::fmt::Write;

use super::{Report, Standing, Step, WORDS, counted, range};
use crate::page::{grouped, visible};

/// The page.
pub fn page(report: &Report) -> String {
    let mut out = String::new();
    head(&mut out, report);
    verification(&mut out, report);
    columns(&mut out, report);
    runs(&mut out, report);
    out.push_str("## Words\n\n");
    for (word, meaning) in WORDS {
        line(&mut out, format_args!("* **{word}**: {meaning}"));
    }
    out
}

fn head(out: &mut String, report: &Report) {
    out.push_str("# Lineage of masked columns\n\n");
    line(
        out,
        format_args!(
            "Database {}, {}. Made {} UTC for {} by confiture {}.\n",
            escaped(&report.database),
            scope(report),
            report.made_at,
            escaped(&report.made_by),
            env!("CARGO_PKG_VERSION"),
        ),
    );
    let verdict = report.verdict();
    row(out, &["", "summary"]);
    row(out, &["---", "---"]);
    row(
        out,
        &[
            "Ledger",
            &format!("**{}**: {}", verdict.status(), verdict.sentence()),
        ],
    );
    let facts = [
        (
            "Entries that no anchor covers",
            grouped(report.unanchored()),
        ),
        ("Tables", report.tables().to_string()),
        ("Masked columns", report.columns.len().to_string()),
        (
            "Last run",
            report.last_run().map_or_else(
                || "none".to_owned(),
                |step| format!("{}, run {}", time(step), step.run_id),
            ),
        ),
        (
            "Columns with values that came through unchanged",
            report.came_through().len().to_string(),
        ),
        (
            "Pseudonymised",
            format!(
                "{}, of which {} reversible",
                report.standing(Standing::Guessable) + report.standing(Standing::Reversible),
                report.standing(Standing::Reversible)
            ),
        ),
        (
            "Anonymised",
            report.standing(Standing::Anonymised).to_string(),
        ),
    ];
    for (name, value) in facts {
        row(out, &[name, &value]);
    }
    out.push('\n');
}

fn scope(report: &Report) -> String {
    match (&report.schema, &report.table) {
        (None, None) => "all masked columns on record".to_owned(),
        (Some(schema), None) => format!("schema {}", escaped(schema)),
        (None, Some(table)) => format!("tables named {}", escaped(table)),
        (Some(schema), Some(table)) => format!("table {}", escaped(&format!("{schema}.{table}"))),
    }
}

fn verification(out: &mut String, report: &Report) {
    out.push_str("## Verification\n\n");
    for sentence in report.guarantee() {
        line(out, format_args!("{}\n", escaped(sentence)));
    }
    row(out, &["code", "status", "chain", "entries", "meaning"]);
    row(out, &["---"; 5]);
    for finding in &report.findings {
        let range = range(finding);
        let detail = escaped(&finding.detail);
        row(
            out,
            &[finding.code, finding.status, finding.chain, &range, &detail],
        );
    }
    out.push('\n');
    if let Some(mark) = &report.mark {
        line(
            out,
            format_args!(
                "Last entry: log {}, number {}, hash {}.\n",
                mark.log_id, mark.seq, mark.hash
            ),
        );
    }
}

fn columns(out: &mut String, report: &Report) {
    out.push_str("## Columns, by their newest run\n\n");
    if report.columns.is_empty() {
        out.push_str("No masked column is on record.\n\n");
        return;
    }
    row(
        out,
        &[
            "table",
            "column",
            "strategy",
            "rows",
            "changed",
            "unchanged",
            "null",
            "standing",
            "commitment",
            "runs",
            "last run",
        ],
    );
    row(
        out,
        &[
            "---", "---", "---", "--:", "--:", "--:", "--:", "---", "---", "--:", "---",
        ],
    );
    for column in &report.columns {
        let step = &column.latest;
        let mut cells = vec![escaped(&format!("{}.{}", step.target, step.table))];
        cells.extend(facts(step));
        cells.push(grouped(column.runs));
        cells.push(time(step));
        row(out, &cells);
    }
    out.push('\n');
}

fn runs(out: &mut String, report: &Report) {
    out.push_str("## Runs, newest first\n\n");
    for steps in report.runs() {
        let first = &steps[0];
        line(out, format_args!("### {}\n", time(first)));
        line(
            out,
            format_args!(
                "Run {} by {}, profile {} version {}, schema {} to {}.\n",
                first.run_id,
                known(first.who.as_deref()),
                known(first.profile.as_deref()),
                known(first.profile_version.as_deref()),
                escaped(&first.source),
                escaped(&first.target),
            ),
        );
        row(
            out,
            &[
                "table",
                "column",
                "strategy",
                "rows",
                "changed",
                "unchanged",
                "null",
                "standing",
                "commitment",
                "origin",
            ],
        );
        row(
            out,
            &[
                "---", "---", "---", "--:", "--:", "--:", "--:", "---", "---", "---",
            ],
        );
        for step in steps {
            let mut cells = vec![escaped(&step.table)];
            cells.extend(facts(step));
            cells.push(escaped(&step.origin));
            row(out, &cells);
        }
        out.push('\n');
    }
    if report.left_out() > 0 {
        line(
            out,
            format_args!(
                "{} older entries are not shown: see confiture.lineage_history.\n",
                grouped(report.left_out())
            ),
        );
    }
}

/// The cells from the column's name to its commitments.
fn facts(step: &Step) -> [String; 8] {
    [
        escaped(&step.column),
        format!("{} {}", escaped(&step.strategy), step.version),
        grouped(step.seen),
        counted(step.changed),
        counted(step.unchanged),
        counted(step.nulls),
        format!("{}: {}", step.standing().word(), step.standing().reason()),
        escaped(&step.commitment),
    ]
}

fn time(step: &Step) -> String {
    step.finished_at
        .as_deref()
        .map_or_else(|| "at an unknown time".to_owned(), |at| format!("{at} UTC"))
}

fn known(text: Option<&str>) -> String {
    text.map_or_else(|| "unknown".to_owned(), escaped)
}

fn row(out: &mut String, cells: &[impl AsRef<str>]) {
    for cell in cells {
        out.push_str("| ");
        out.push_str(cell.as_ref());
        out.push(' ');
    }
    out.push_str("|\n");
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}

/// A text that means nothing to Markdown (CommonMark §2.4: punctuation behind a backslash is
/// itself), to GitHub's dialect of it (bare addresses, references, formulas) or to HTML, on one
/// line. It may not stand at the beginning of one.
pub fn escaped(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        let special = match c {
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' | '!' | '@' | '#' | '{' | '}' => true,
            // Inside a word it is itself.
            '_' => !(before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric()),
            // www.example.com and mailto:somebody become links.
            '.' => before.eq_ignore_ascii_case(&'w'),
            ':' => !after.is_whitespace(),
            _ => false,
        };
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ if special => out.extend(['\\', c]),
            _ => out.push(c),
        }
        before = c;
    }
    out
}
