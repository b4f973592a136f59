//! The report as one HTML page that needs nothing else: no script, no font, no image, nothing from
//! elsewhere, and a policy in it that keeps a browser from loading any of these.

use std::fmt::Write;

use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};

use super::{LIMITS, NULLS, Report, Sensitive};
use crate::ledger::lineage::report::html::escaped;

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(report: &Report) -> String {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let mut out = Page(String::new());
    out.put(format_args!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Anonymity of {0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Anonymity of <bdi>{0}</bdi></h1>\n</header>\n<main>\n",
        escaped(&report.relation)
    ));
    summary(&mut out, report);
    keys(&mut out, report);
    risks(&mut out, report);
    for sensitive in &report.sensitive {
        values(&mut out, sensitive);
    }
    out.put(format_args!(
        "<section>\n<h2>What these numbers do not say</h2>\n<ul>\n"
    ));
    for limit in LIMITS {
        out.put(format_args!("<li>{}</li>\n", escaped(limit)));
    }
    out.put(format_args!(
        "</ul>\n</section>\n</main>\n<footer>\n<p>Made by confiture {}.</p>\n</footer>\n\
         </body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    ));
    out.0
}

/// What is written so far.
struct Page(String);

impl Page {
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.0.write_fmt(text);
    }

    /// A table; a region of its own, so that a keyboard reaches what has to be scrolled.
    fn table(&mut self, caption: &str, heads: &[&str], rows: &[Vec<String>]) {
        let caption = escaped(caption);
        self.put(format_args!(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\">\n\
             <table>\n<caption>{caption}</caption>\n<thead>\n<tr>"
        ));
        for head in heads {
            self.put(format_args!("<th scope=\"col\">{}</th>", escaped(head)));
        }
        self.put(format_args!("</tr>\n</thead>\n<tbody>\n"));
        for row in rows {
            self.put(format_args!("<tr>"));
            for (place, cell) in row.iter().enumerate() {
                let cell = escaped(cell);
                match place {
                    0 => self.put(format_args!("<th scope=\"row\"><bdi>{cell}</bdi></th>")),
                    _ => self.put(format_args!("<td>{cell}</td>")),
                }
            }
            self.put(format_args!("</tr>\n"));
        }
        self.put(format_args!("</tbody>\n</table>\n</div>\n"));
    }
}

fn summary(out: &mut Page, report: &Report) {
    let whole = |number: Option<u64>| number.map_or_else(|| "none".to_owned(), |n| n.to_string());
    let unique = report.unique_share().map_or_else(String::new, |share| {
        format!("{} of 100 rows", shown(Some(share * 100.0)))
    });
    out.put(format_args!(
        "<section class=\"verdict\" aria-label=\"Result\">\n<p><strong>{}</strong></p>\n\
         </section>\n<dl class=\"facts\">\n",
        escaped(&verdict(report))
    ));
    let facts = [
        ("Smallest class (k)", whole(report.k), String::new()),
        (
            "k where NULL matches any value",
            whole(report.k_null_matches),
            String::new(),
        ),
        ("Rows", report.rows.to_string(), String::new()),
        ("Classes", report.classes.to_string(), String::new()),
        (
            "Rows alone in their class",
            report.unique.to_string(),
            unique,
        ),
        ("Largest class", whole(report.largest), String::new()),
    ];
    for (label, value, remark) in facts {
        out.put(format_args!(
            "<div><dt>{label}</dt><dd>{value}<small>{remark}</small></dd></div>\n"
        ));
    }
    out.put(format_args!("</dl>\n"));
}

fn verdict(report: &Report) -> String {
    match report.k {
        None => "There are no rows to measure.".to_owned(),
        Some(1) => {
            "Not anonymous: there are rows that nobody shares the quasi-identifiers of.".to_owned()
        }
        Some(k) => format!(
            "{k}-anonymous: every row shares its quasi-identifiers with {} others.",
            k - 1
        ),
    }
}

fn keys(out: &mut Page, report: &Report) {
    out.put(format_args!("<section>\n<h2>Quasi-identifiers</h2>\n"));
    let rows: Vec<_> = report
        .keys
        .iter()
        .map(|(name, nulls)| vec![name.clone(), nulls.to_string()])
        .collect();
    out.table(
        "Columns that others may know",
        &["Column", "Rows with NULL"],
        &rows,
    );
    out.put(format_args!(
        "<p>{} In {} a quasi-identifier is NULL.</p>\n</section>\n",
        escaped(NULLS),
        escaped(&crate::error::counted(report.rows_with_nulls, "row"))
    ));
}

fn risks(out: &mut Page, report: &Report) {
    out.put(format_args!("<section>\n<h2>Risk of being found</h2>\n"));
    let rows: Vec<_> = report
        .risks
        .iter()
        .map(|risk| {
            vec![
                risk.model.to_owned(),
                shown(risk.max),
                shown(risk.average),
                shown(risk.at_risk),
                shown(risk.expected),
            ]
        })
        .collect();
    let above = format!("Share of records above {}", report.threshold);
    out.table(
        "By who looks: a prosecutor knows that a person is in the table, a marketer wants as many as \
         possible",
        &["Model", "Highest", "Average", &above, "Records one expects to be found"],
        &rows,
    );
    out.put(format_args!("</section>\n"));
}

fn values(out: &mut Page, sensitive: &Sensitive) {
    out.put(format_args!(
        "<section>\n<h2>Sensitive column <bdi>{}</bdi></h2>\n<p>{} different, {} with NULL, which \
         counts as a value.</p>\n",
        escaped(&sensitive.column),
        escaped(&crate::error::counted(sensitive.values, "value")),
        escaped(&crate::error::counted(sensitive.nulls, "row"))
    ));
    let (l, c) = sensitive
        .recursive
        .map_or((None, None), |(l, c)| (Some(l), Some(c)));
    let recursive = format!(
        "recursive (c, l): c above, for l = {}",
        l.map_or_else(|| "2".to_owned(), |l| l.to_string())
    );
    let distinct = sensitive
        .distinct
        .map_or_else(|| "–".to_owned(), |distinct| distinct.to_string());
    let measures = [
        (
            "distinct l-diversity",
            distinct,
            "values in a class, at least",
        ),
        (
            "entropy l-diversity",
            shown(sensitive.entropy),
            "as many equally likely values, at least",
        ),
        (
            &recursive,
            shown(c),
            "how much the commonest value outweighs the rest",
        ),
        (
            "α",
            shown(sensitive.alpha),
            "share of the commonest value in a class, at most",
        ),
        (
            "t, equal distance",
            shown(sensitive.equal),
            "distance of a class from the table, at most",
        ),
        (
            "t, ordered distance",
            shown(sensitive.ordered),
            "the same, by steps in the order",
        ),
        (
            "t, numeric distance",
            shown(sensitive.numeric),
            "the same, by differences of numbers",
        ),
        (
            "δ",
            shown(sensitive.delta),
            "|ln(q/p)| of a value, at most; infinite where a class lacks one",
        ),
        (
            "δ of values that occur",
            shown(sensitive.delta_finite),
            "the same without those",
        ),
        (
            "β",
            shown(sensitive.beta),
            "by how much more likely a value is in a class, at most",
        ),
        (
            "enhanced β",
            shown(sensitive.beta_enhanced),
            "infinite where a value gains more than −ln p",
        ),
    ];
    let rows: Vec<_> = measures
        .into_iter()
        .map(|(name, value, meaning)| vec![name.to_owned(), value, meaning.to_owned()])
        .collect();
    out.table("Measures", &["Measure", "Value", "Meaning"], &rows);
    out.put(format_args!("</section>\n"));
}

/// A number with four digits after the point.
fn shown(number: Option<f64>) -> String {
    match number {
        None => "–".to_owned(),
        Some(number) if number.is_infinite() => "∞".to_owned(),
        Some(number) => {
            let text = format!("{number:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymity::report::tests::report;

    #[test]
    fn pages_are_escaped_and_load_nothing() {
        let page = page(&report());
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("</style>").count(), 1);
        for reference in ["http://", "https://", "src=", "href=", "url(", "@import"] {
            assert!(!page.contains(reference), "{reference}");
        }
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
        assert!(page.contains("Anonymity of <bdi>s.&lt;t&gt;</bdi>"));
        for part in ["∞", "Not anonymous", "20 of 100 rows", "minimality attack"] {
            assert!(page.contains(part), "{part}");
        }
    }

    #[test]
    fn numbers_are_shown_short() {
        for (number, wanted) in [
            (Some(0.5), "0.5"),
            (Some(1.0), "1"),
            (Some(0.123_456), "0.1235"),
            (Some(f64::INFINITY), "∞"),
            (None, "–"),
            (Some(0.0), "0"),
        ] {
            assert_eq!(shown(number), wanted);
        }
    }
}
