//! The report as one HTML page.

use serde_json::Value;

use super::definition::Status;
use super::{Field, NOTICE, Report, lineage, shown_name, timeline};
use crate::page::{Page, escaped, grouped, name};

const STYLE: &str = include_str!("style.css");

/// Columns that are shown one by one.
const MOST: usize = 1000;

/// The page.
pub fn page(report: &Report<'_>) -> String {
    let law = report.law;
    let mut out = Page::begin(&format!("{}: {}", law.title, law.code), STYLE);
    out.put(format_args!(
        "<a class=\"skip\" href=\"#content\">To the content</a>\n"
    ));
    head(&mut out, report);
    out.put(format_args!("<main id=\"content\">\n"));
    verdict(&mut out, report);
    bars(&mut out, report);
    open(&mut out, report);
    for (number, (title, fields)) in report.sections.iter().enumerate() {
        out.put(format_args!(
            "<section aria-labelledby=\"s{number}\">\n<h2 id=\"s{number}\">{}</h2>\n",
            escaped(title)
        ));
        for field in fields {
            one(&mut out, field);
        }
        out.put(format_args!("</section>\n"));
    }
    pictures(&mut out, report);
    columns(&mut out, report);
    limits(&mut out, report);
    out.put(format_args!("</main>\n"));
    foot(&mut out, report);
    out.end()
}

/// Opens a table of texts.
fn table(out: &mut Page, caption: &str, heads: &[&str]) {
    out.table(caption, heads.iter().map(|head| (*head, false)));
}

fn head(out: &mut Page, report: &Report<'_>) {
    let inventory = &report.facts.inventory;
    let scope = match &report.scope {
        None => "every schema".to_owned(),
        Some(schemas) => {
            let names: Vec<_> = schemas.iter().map(|schema| name(schema)).collect();
            format!("schemas {}", names.join(", "))
        }
    };
    let draft = if report.is_draft() {
        " <span class=\"draft\">Draft</span>"
    } else {
        ""
    };
    out.put(format_args!(
        "<header>\n<h1>{}{draft}</h1>\n<p class=\"act\">{}</p>\n\
         <p class=\"quiet\">Database {}, {scope}, as of {}. Made {} UTC for {} by confiture {}.</p>\n\
         </header>\n",
        escaped(report.law.title),
        escaped(report.law.act),
        name(&inventory.database),
        escaped(&report.facts.day),
        escaped(&inventory.made_at),
        name(&inventory.made_by),
        env!("CARGO_PKG_VERSION"),
    ));
}

fn verdict(out: &mut Page, report: &Report<'_>) {
    let verdict = report.verdict();
    out.put(format_args!(
        "<section class=\"verdict {0}\" aria-label=\"What this rests on\">\n<p>{1}</p>\n\
         <p><strong>Ledger: {0}.</strong> {2}</p>\n<p class=\"quiet\">Rule data: {3}, without \
         proposals. {4}</p>\n</section>\n",
        verdict.status(),
        escaped(NOTICE),
        escaped(verdict.sentence()),
        escaped(&report.rules),
        escaped(&report.remark()),
    ));
}

/// Coverage: one bar for the report, one for each section.
fn bars(out: &mut Page, report: &Report<'_>) {
    out.put(format_args!(
        "<section aria-labelledby=\"coverage\">\n<h2 id=\"coverage\">Fields by what fills them</h2>\n\
         <ul class=\"legend\">"
    ));
    for status in Status::ALL {
        out.put(format_args!(
            "<li><span class=\"key {}\"></span>{}</li>",
            status.name(),
            status.shown()
        ));
    }
    out.put(format_args!("</ul>\n<dl class=\"bars\">\n"));
    bar(out, "All sections", report.fields());
    for (title, fields) in &report.sections {
        bar(out, title, fields.iter());
    }
    out.put(format_args!("</dl>\n</section>\n"));
}

fn bar<'a>(out: &mut Page, title: &str, fields: impl Iterator<Item = &'a Field>) {
    const WIDTH: usize = 600;
    let mut counts = [0usize; Status::ALL.len()];
    for field in fields {
        if let Some(place) = Status::ALL
            .iter()
            .position(|status| *status == field.status)
        {
            counts[place] += 1;
        }
    }
    let total: usize = counts.iter().sum();
    let spoken: Vec<_> = Status::ALL
        .iter()
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{count} {}", status.shown()))
        .collect();
    let spoken = spoken.join(", ");
    out.put(format_args!(
        "<div><dt>{}</dt><dd><svg class=\"bar\" viewBox=\"0 0 {WIDTH} 14\" \
         preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{spoken}\">",
        escaped(title)
    ));
    let mut from = 0;
    let mut seen = 0;
    for (status, count) in Status::ALL.iter().zip(counts) {
        seen += count;
        let to = seen * WIDTH / total.max(1);
        if count > 0 {
            out.put(format_args!(
                "<rect class=\"{}\" x=\"{from}\" y=\"0\" width=\"{}\" height=\"14\"/>",
                status.name(),
                to - from
            ));
        }
        from = to;
    }
    out.put(format_args!(
        "</svg><small aria-hidden=\"true\">{spoken}</small></dd></div>\n"
    ));
}

fn open(out: &mut Page, report: &Report<'_>) {
    out.put(format_args!(
        "<section aria-labelledby=\"missing\">\n<h2 id=\"missing\">What is missing</h2>\n"
    ));
    let mut fields = report.open().peekable();
    if fields.peek().is_none() {
        out.put(format_args!(
            "<p>Nothing that this report asks for.</p>\n</section>\n"
        ));
        return;
    }
    table(
        out,
        "Fields that are missing or stale, and what fills them",
        &["Field", "Law", "Status", "What to do"],
    );
    for field in fields {
        out.put(format_args!(
            "<tr><th scope=\"row\"><a href=\"#{0}\">{1}</a></th><td>{2}</td>\
             <td><span class=\"status {3}\">{4}</span></td><td>{5}</td></tr>\n",
            field.id,
            escaped(field.title),
            escaped(field.cite),
            field.status.name(),
            field.status.shown(),
            escaped(field.note.as_deref().unwrap_or("Nothing is known of it."))
        ));
    }
    out.end_table();
    out.put(format_args!("</section>\n"));
}

fn one(out: &mut Page, field: &Field) {
    out.put(format_args!(
        "<article id=\"{0}\" class=\"field\">\n<h3>{1}</h3>\n\
         <p class=\"meta\"><span class=\"status {2}\">{3}</span> {4} · {5} · as of {6} · {7}</p>\n",
        field.id,
        escaped(field.title),
        field.status.name(),
        field.status.shown(),
        escaped(field.cite),
        escaped(field.source),
        escaped(&field.as_of),
        escaped(&field.evidence)
    ));
    if let Some(note) = &field.note {
        out.put(format_args!("<p class=\"note\">{}</p>\n", escaped(note)));
    }
    if !field.value.is_null() {
        value(out, field.title, &field.value);
    }
    out.put(format_args!("</article>\n"));
}

fn is_flat(of: &Value) -> bool {
    match of {
        Value::Array(items) => items
            .iter()
            .all(|item| !item.is_object() && !item.is_array()),
        Value::Object(_) => false,
        _ => true,
    }
}

/// A value: a table where all items have members, nested lists else.
fn value(out: &mut Page, caption: &str, of: &Value) {
    match of {
        flat if is_flat(flat) => out.put(format_args!("<p>{}</p>\n", cell(flat))),
        Value::Array(items) if items.iter().all(is_row) => rows(out, caption, items),
        Value::Array(items) => {
            out.put(format_args!("<ol>\n"));
            for item in items {
                out.put(format_args!("<li>"));
                value(out, caption, item);
                out.put(format_args!("</li>\n"));
            }
            out.put(format_args!("</ol>\n"));
        }
        Value::Object(members) => {
            out.put(format_args!("<dl class=\"value\">\n"));
            for (key, item) in members {
                out.put(format_args!("<div><dt>{}</dt><dd>", name(&shown_name(key))));
                if is_flat(item) {
                    out.put(format_args!("{}", cell(item)));
                } else {
                    value(out, &shown_name(key), item);
                }
                out.put(format_args!("</dd></div>\n"));
            }
            out.put(format_args!("</dl>\n"));
        }
        _ => {}
    }
}

fn is_row(item: &Value) -> bool {
    item.as_object()
        .is_some_and(|members| members.values().all(is_flat))
}

fn rows(out: &mut Page, caption: &str, items: &[Value]) {
    // In the order of their first mention.
    let mut heads: Vec<&str> = Vec::new();
    for members in items.iter().filter_map(Value::as_object) {
        for key in members.keys() {
            if !heads.contains(&key.as_str()) {
                heads.push(key);
            }
        }
    }
    // What names a row comes first.
    if let Some(place) = heads.iter().position(|head| FIRST.contains(head)) {
        let first = heads.remove(place);
        heads.insert(0, first);
    }
    let shown: Vec<_> = heads.iter().map(|head| shown_name(head)).collect();
    let shown: Vec<_> = shown.iter().map(String::as_str).collect();
    table(out, caption, &shown);
    for members in items.iter().filter_map(Value::as_object) {
        out.put(format_args!("<tr>"));
        for (place, head) in heads.iter().enumerate() {
            let text = members.get(*head).map_or_else(String::new, cell);
            match place {
                0 => out.put(format_args!("<th scope=\"row\">{text}</th>")),
                _ => out.put(format_args!("<td>{text}</td>")),
            }
        }
        out.put(format_args!("</tr>\n"));
    }
    out.end_table();
}

const FIRST: [&str; 8] = [
    "category", "column", "id", "incident", "role", "rule", "strategy", "table",
];

fn cell(of: &Value) -> String {
    match of {
        Value::Null => "<span class=\"quiet\">not known</span>".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => name(text),
        Value::Number(number) => number.as_i64().map_or_else(|| number.to_string(), grouped),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(_) => String::new(),
    }
}

fn pictures(out: &mut Page, report: &Report<'_>) {
    let inventory = &report.facts.inventory;
    out.put(format_args!(
        "<section aria-labelledby=\"runs\">\n<h2 id=\"runs\">Runs</h2>\n\
         <p>{} completed, of which {} passed every check; {} failed.</p>\n",
        grouped(inventory.runs.completed),
        grouped(inventory.runs.verified),
        grouped(inventory.runs.failed)
    ));
    if let Some(picture) = timeline::svg(&inventory.runs) {
        out.put(format_args!(
            "<figure>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Runs by month\">\n\
             {picture}</div>\n<figcaption>Runs by month: completed, and failed above \
             them.</figcaption>\n</figure>\n"
        ));
        table(
            out,
            "The newest runs",
            &[
                "Ended, UTC",
                "Profile",
                "From",
                "To",
                "Rows",
                "End",
                "Checks",
            ],
        );
        for run in &inventory.runs.newest {
            let known =
                |text: &Option<String>| text.as_deref().map_or_else(|| "unknown".to_owned(), name);
            out.put(format_args!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
                 <td>{}</td></tr>\n",
                escaped(&run.ended_at),
                known(&run.profile),
                known(&run.source),
                known(&run.target),
                run.rows.map_or_else(|| "–".to_owned(), grouped),
                if run.is_completed { "completed" } else { "failed" },
                match run.passed {
                    Some(true) => "passed",
                    Some(false) => "failed",
                    None => "none",
                }
            ));
        }
        out.end_table();
    }
    out.put(format_args!("</section>\n"));
    if let Some((picture, left_out)) = lineage::svg(inventory) {
        out.put(format_args!(
            "<section aria-labelledby=\"flow\">\n<h2 id=\"flow\">Which tables were made of which</h2>\n\
             <figure>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Lineage\">\n\
             {picture}</div>\n<figcaption>Tables by their newest runs{}.</figcaption>\n</figure>\n\
             </section>\n",
            match left_out {
                0 => String::new(),
                more => format!("; {more} more are not drawn"),
            }
        ));
    }
}

fn columns(out: &mut Page, report: &Report<'_>) {
    let inventory = &report.facts.inventory;
    let all = inventory.personal().count();
    out.put(format_args!(
        "<section aria-labelledby=\"columns\">\n<h2 id=\"columns\">Columns with personal data</h2>\n"
    ));
    if all == 0 {
        out.put(format_args!(
            "<p>No column looks personal, is declared to be or was masked.</p>\n</section>\n"
        ));
        return;
    }
    table(
        out,
        "Each column with what is known of its values",
        &[
            "Column",
            "Category",
            "Sensitive",
            "State",
            "Strategy",
            "Masked, UTC",
        ],
    );
    for column in inventory.personal().take(MOST) {
        let step = column.treatment.step();
        out.put(format_args!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>\
             <td><span class=\"state {4}\">{4}</span><small>{3}</small></td><td>{5}</td><td>{6}</td></tr>\n",
            name(&column.shown()),
            name(&column.category_shown()),
            if column.is_sensitive() { "yes" } else { "no" },
            column.treatment.reason(),
            column.treatment.word(),
            step.map_or_else(|| "–".to_owned(), |step| {
                format!("{} {}", escaped(&step.strategy), step.version)
            }),
            step.and_then(|step| step.finished_at.as_deref())
                .map_or_else(|| "–".to_owned(), escaped),
        ));
    }
    out.end_table();
    if all > MOST {
        out.put(format_args!("<p>{} more are not shown.</p>\n", all - MOST));
    }
    out.put(format_args!("</section>\n"));
}

fn limits(out: &mut Page, report: &Report<'_>) {
    out.put(format_args!(
        "<section aria-labelledby=\"limits\">\n<h2 id=\"limits\">What this report does not say</h2>\n<ul>\n"
    ));
    for limit in report.law.limits {
        out.put(format_args!("<li>{}</li>\n", escaped(limit)));
    }
    out.put(format_args!("</ul>\n</section>\n"));
}

fn foot(out: &mut Page, report: &Report<'_>) {
    out.put(format_args!("<footer>\n"));
    match &report.facts.inventory.ledger.mark {
        None => out.put(format_args!("<p>The audit log is empty.</p>\n")),
        Some(mark) => out.put(format_args!(
            "<p>Last entry of the audit log: number {} of log <code>{}</code>, hash \
             <code>{}</code>.</p>\n",
            mark.seq,
            escaped(&mark.log_id),
            escaped(&mark.hash)
        )),
    }
    out.put(format_args!("</footer>\n"));
}
