//! The report as one HTML page.

use super::{Column, Report, Standing, Step, WORDS, counted, range};
use crate::error;
use crate::page::{Page, escaped, grouped, name};

/// The page.
pub fn page(report: &Report) -> String {
    let title = format!("Lineage of masked columns: {}", report.database);
    let mut out = Page::begin(&title, "");
    head(&mut out, report);
    out.put(format_args!("<main>\n"));
    summary(&mut out, report);
    columns(&mut out, report);
    came_through(&mut out, report);
    verification(&mut out, report);
    runs(&mut out, report);
    words(&mut out);
    out.put(format_args!("</main>\n"));
    foot(&mut out, report);
    out.end()
}

fn head(out: &mut Page, report: &Report) {
    out.put(format_args!(
        "<header>\n<h1>Lineage of masked columns</h1>\n<p class=\"quiet\">Database {}, {}. \
         Made {} for {} by confiture {}.</p>\n</header>\n",
        name(&report.database),
        scope(report),
        moment(Some(&report.made_at)),
        name(&report.made_by),
        env!("CARGO_PKG_VERSION"),
    ));
}

fn scope(report: &Report) -> String {
    match (&report.schema, &report.table) {
        (None, None) => "all masked columns on record".to_owned(),
        (Some(schema), None) => format!("schema {}", name(schema)),
        (None, Some(table)) => format!("tables named {}", name(table)),
        (Some(schema), Some(table)) => format!("table {}.{}", name(schema), name(table)),
    }
}

fn summary(out: &mut Page, report: &Report) {
    let verdict = report.verdict();
    out.put(format_args!(
        "<section class=\"verdict {0}\" aria-label=\"Verification\">\n\
         <p><strong>Ledger: {0}.</strong> {1}</p>\n",
        verdict.status(),
        escaped(verdict.sentence())
    ));
    for sentence in report.guarantee() {
        out.put(format_args!("<p>{}</p>\n", escaped(sentence)));
    }
    out.put(format_args!("</section>\n<dl class=\"facts\">\n"));
    let reversible = report.standing(Standing::Reversible);
    let keyed = report.standing(Standing::Guessable) + reversible;
    let tables = error::counted(report.tables() as u64, "table");
    let last = report.last_run();
    let (day, time) = last
        .and_then(|step| step.finished_at.as_deref()?.split_once(' '))
        .unwrap_or(("none", ""));
    let facts = [
        (
            "Masked columns",
            report.columns.len().to_string(),
            Some(format!("in {tables}")),
        ),
        (
            "Last run",
            escaped(day),
            last.map(|step| format!("{} UTC, by {}", escaped(time), known(step.who.as_deref()))),
        ),
        (
            "Columns with values that came through unchanged",
            report.came_through().len().to_string(),
            None,
        ),
        (
            "Pseudonymised columns",
            keyed.to_string(),
            Some(format!("{reversible} reversible")),
        ),
        (
            "Anonymised columns",
            report.standing(Standing::Anonymised).to_string(),
            None,
        ),
        (
            "Entries that no anchor covers",
            grouped(report.unanchored()),
            None,
        ),
    ];
    for (label, value, remark) in facts {
        let remark = remark.map_or_else(String::new, |text| format!("<small>{text}</small>"));
        out.put(format_args!(
            "<div><dt>{label}</dt><dd>{value}{remark}</dd></div>\n"
        ));
    }
    out.put(format_args!("</dl>\n"));
}

fn columns(out: &mut Page, report: &Report) {
    out.put(format_args!("<section>\n<h2>Columns</h2>\n"));
    if report.columns.is_empty() {
        out.put(format_args!("<p>No masked column is on record.</p>\n"));
    } else {
        let mut heads = vec![("Column", false), ("Table", false)];
        heads.extend(FACTS);
        heads.extend([("Runs", true), ("Last run", false)]);
        out.table("Each column by its newest run", heads.iter().copied());
        for Column { latest, runs } in &report.columns {
            out.put(format_args!(
                "<tr><th scope=\"row\">{}</th><td>{}.{}</td>",
                name(&latest.column),
                name(&latest.target),
                name(&latest.table)
            ));
            facts(out, latest);
            out.put(format_args!(
                "<td class=\"number\">{}</td><td>{}</td></tr>\n",
                grouped(*runs),
                moment(latest.finished_at.as_deref())
            ));
        }
        out.end_table();
    }
    out.put(format_args!("</section>\n"));
}

fn came_through(out: &mut Page, report: &Report) {
    let columns = report.came_through();
    if columns.is_empty() {
        return;
    }
    out.put(format_args!(
        "<section>\n<h2>Values that came through unchanged</h2>\n"
    ));
    out.table(
        "Columns of which the newest run left values as they were",
        [
            ("Column", false),
            ("Table", false),
            ("Strategy", false),
            ("Unchanged", true),
            ("Of values", true),
        ],
    );
    for column in columns {
        let step = &column.latest;
        let values = step.changed.zip(step.unchanged).map(|(a, b)| a + b);
        out.put(format_args!(
            "<tr><th scope=\"row\">{}</th><td>{}.{}</td><td>{} {}</td>\
             <td class=\"number mark\">{}</td><td class=\"number\">{}</td></tr>\n",
            name(&step.column),
            name(&step.target),
            name(&step.table),
            escaped(&step.strategy),
            step.version,
            counted(step.unchanged),
            counted(values)
        ));
    }
    out.end_table();
    out.put(format_args!("</section>\n"));
}

fn verification(out: &mut Page, report: &Report) {
    out.put(format_args!("<section>\n<h2>Verification</h2>\n"));
    out.table(
        "What confiture.verify_ledger found when this report was made",
        [
            ("Code", false),
            ("Status", false),
            ("Chain", false),
            ("Entries", false),
            ("Meaning", false),
        ],
    );
    for finding in &report.findings {
        out.put(format_args!(
            "<tr class=\"{1}\"><th scope=\"row\">{0}</th><td>{1}</td><td>{2}</td><td>{3}</td>\
             <td>{4}</td></tr>\n",
            escaped(finding.code),
            escaped(finding.status),
            escaped(finding.chain),
            range(finding),
            escaped(&finding.detail)
        ));
    }
    out.end_table();
    out.put(format_args!("</section>\n"));
}

fn runs(out: &mut Page, report: &Report) {
    out.put(format_args!("<section>\n<h2>Runs, newest first</h2>\n"));
    let mut heads = vec![("Column", false), ("Table", false)];
    heads.extend(FACTS);
    heads.push(("Origin", false));
    for steps in report.runs() {
        let first = &steps[0];
        out.put(format_args!(
            "<section>\n<h3>{}</h3>\n<p>By {}, profile {} version {}, schema {} to {}.</p>\n",
            moment(first.finished_at.as_deref()),
            known(first.who.as_deref()),
            known(first.profile.as_deref()),
            known(first.profile_version.as_deref()),
            name(&first.source),
            name(&first.target)
        ));
        out.table(&format!("Run {}", first.run_id), heads.iter().copied());
        for step in steps {
            out.put(format_args!(
                "<tr><th scope=\"row\">{}</th><td>{}</td>",
                name(&step.column),
                name(&step.table)
            ));
            facts(out, step);
            out.put(format_args!("<td>{}</td></tr>\n", escaped(&step.origin)));
        }
        out.end_table();
        out.put(format_args!("</section>\n"));
    }
    if report.steps.is_empty() {
        out.put(format_args!("<p>There is none.</p>\n"));
    }
    if report.left_out() > 0 {
        out.put(format_args!(
            "<p>{} older entries are not shown: see confiture.lineage_history.</p>\n",
            grouped(report.left_out())
        ));
    }
    out.put(format_args!("</section>\n"));
}

fn words(out: &mut Page) {
    out.put(format_args!(
        "<section>\n<h2>Words</h2>\n<dl class=\"words\">\n"
    ));
    for (word, meaning) in WORDS {
        out.put(format_args!(
            "<dt>{}</dt><dd>{}</dd>\n",
            escaped(word),
            escaped(meaning)
        ));
    }
    out.put(format_args!("</dl>\n</section>\n"));
}

fn foot(out: &mut Page, report: &Report) {
    out.put(format_args!("<footer>\n"));
    match &report.mark {
        None => out.put(format_args!("<p>The audit log is empty.</p>\n")),
        Some(mark) => out.put(format_args!(
            "<p>Last entry of the audit log: number {} of log <code>{}</code>, hash \
             <code>{}</code>. Cached outside the database, these fix everything on record before \
             them.</p>\n",
            mark.seq,
            escaped(&mark.log_id),
            escaped(&mark.hash)
        )),
    }
    out.put(format_args!("</footer>\n"));
}

/// Heads of the cells that [`facts`] writes.
const FACTS: [(&str, bool); 7] = [
    ("Strategy", false),
    ("Rows", true),
    ("Changed", true),
    ("Unchanged", true),
    ("Null", true),
    ("Standing", false),
    ("Commitment", false),
];

fn facts(out: &mut Page, step: &Step) {
    let mark = if step.unchanged.is_some_and(|count| count > 0) {
        " mark"
    } else {
        ""
    };
    let standing = step.standing();
    out.put(format_args!(
        "<td>{} {}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
         <td class=\"number{mark}\">{}</td><td class=\"number\">{}</td>\
         <td>{}<small>{}</small></td><td>{}</td>",
        escaped(&step.strategy),
        step.version,
        grouped(step.seen),
        counted(step.changed),
        counted(step.unchanged),
        counted(step.nulls),
        standing.word(),
        standing.reason(),
        escaped(&step.commitment)
    ));
}

/// A moment in UTC.
fn moment(at: Option<&str>) -> String {
    at.map_or_else(
        || "at an unknown time".to_owned(),
        |at| {
            let at = escaped(at);
            format!(
                "<time datetime=\"{}Z\">{at} UTC</time>",
                at.replacen(' ', "T", 1)
            )
        },
    )
}

fn known(text: Option<&str>) -> String {
    text.map_or_else(|| "unknown".to_owned(), name)
}
