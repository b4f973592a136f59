//! The report as one HTML page.

use super::{LIMITS, Report, Sensitive};
use crate::anonymity::fraction::float;
use crate::page::{Page, escaped, grouped, name};

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(report: &Report) -> String {
    let mut out = Page::begin(&format!("Anonymity of {}", report.relation), STYLE);
    out.put(format_args!(
        "<header>\n<p>Anonymity report</p>\n<h1>Anonymity of {}</h1>\n\
         <p>Rows told apart by {}</p>\n</header>\n<main>\n",
        name(&report.relation),
        named(report)
    ));
    summary(&mut out, report);
    spread(&mut out, report);
    risks(&mut out, report);
    for sensitive in &report.sensitive {
        values(&mut out, sensitive);
    }
    keys(&mut out, report);
    out.put(format_args!(
        "<section>\n<h2>What these numbers do not say</h2>\n<ul>\n"
    ));
    for limit in LIMITS {
        out.put(format_args!("<li>{}</li>\n", escaped(limit)));
    }
    out.put(format_args!(
        "</ul>\n</section>\n</main>\n<footer>\n<p>Made by confiture {}.</p>\n</footer>\n",
        env!("CARGO_PKG_VERSION")
    ));
    out.end()
}

/// The quasi-identifiers, as a sentence lists them.
fn named(report: &Report) -> String {
    let names = report.keys.iter();
    let names: Vec<_> = names.map(|(of, _)| name(of)).collect();
    names.join(", ")
}

/// A table of texts, the first of each row being what the row is about.
fn table(out: &mut Page, caption: &str, heads: &[&str], rows: &[Vec<String>]) {
    out.table(caption, heads.iter().map(|head| (*head, false)));
    for row in rows {
        out.put(format_args!("<tr>"));
        for (place, cell) in row.iter().enumerate() {
            match place {
                0 => out.put(format_args!("<th scope=\"row\">{}</th>", name(cell))),
                _ => out.put(format_args!("<td>{}</td>", escaped(cell))),
            }
        }
        out.put(format_args!("</tr>\n"));
    }
    out.end_table();
}

fn summary(out: &mut Page, report: &Report) {
    let whole = |number: Option<u64>| number.map_or_else(|| "none".to_owned(), grouped);
    let unique = report.unique_share().map_or_else(String::new, |share| {
        format!("{} of 100 rows", short(share * 100.0))
    });
    let (mood, verdict) = verdict(report);
    out.put(format_args!(
        "<section class=\"verdict {mood}\" aria-label=\"Result\">\n<p><strong>{}</strong></p>\n",
        escaped(&verdict)
    ));
    for sensitive in &report.sensitive {
        if let Some(sentence) = disclosed(sensitive) {
            out.put(format_args!(
                "<p><bdi>{}</bdi>: {}</p>\n",
                escaped(&sensitive.column),
                escaped(&sentence)
            ));
        }
    }
    out.put(format_args!("</section>\n<dl class=\"facts\">\n"));
    let wildcards = report.k_null_matches.map_or_else(String::new, |k| {
        format!("{} where NULL matches any value", grouped(k))
    });
    let facts = [
        ("Smallest class (k)", whole(report.k), wildcards),
        ("Rows", grouped(report.rows), String::new()),
        ("Classes", grouped(report.classes), String::new()),
        ("Rows alone in their class", grouped(report.unique), unique),
        ("Largest class", whole(report.largest), String::new()),
    ];
    for (label, value, remark) in facts {
        out.put(format_args!(
            "<div><dt>{label}</dt><dd>{value}<small>{remark}</small></dd></div>\n"
        ));
    }
    out.put(format_args!("</dl>\n"));
}

/// How good it is, and in words.
fn verdict(report: &Report) -> (&'static str, String) {
    match report.k {
        None => ("unknown", "There are no rows to measure.".to_owned()),
        Some(1) => (
            "bad",
            format!(
                "Not anonymous: {} that nobody shares the quasi-identifiers of.",
                match report.unique {
                    1 => "there is a row".to_owned(),
                    rows => format!("there are {} rows", grouped(rows)),
                }
            ),
        ),
        Some(k) => {
            let others = crate::error::counted(k - 1, "other");
            let at_risk = float(k.into()).recip() > report.threshold;
            let discloses = |column: &Sensitive| column.distinct == Some(1);
            let mood = match at_risk || report.sensitive.iter().any(discloses) {
                true => "low",
                false => "good",
            };
            let sentence =
                format!("{k}-anonymous: every row shares its quasi-identifiers with {others}");
            match at_risk {
                true => (
                    mood,
                    format!(
                        "{sentence} at least. Whoever looks for a person finds the record with a \
                         chance of up to 1 in {k}."
                    ),
                ),
                false => (mood, format!("{sentence} at least.")),
            }
        }
    }
}

/// What the worst class tells of a column.
fn disclosed(sensitive: &Sensitive) -> Option<String> {
    let alpha = sensitive.alpha?;
    Some(match sensitive.distinct? {
        1 => "there is a class whose rows all have the same value. Who finds a person in it knows the \
              value."
            .to_owned(),
        _ => format!(
            "in the worst class, {} of 100 rows have the same value.",
            shown(Some((alpha * 1000.0).round() / 10.0))
        ),
    })
}

/// How the rows are spread over small and large classes.
fn spread(out: &mut Page, report: &Report) {
    if report.rows == 0 {
        return;
    }
    out.put(format_args!(
        "<section>\n<h2>Small and large classes</h2>\n<div class=\"scroll\" role=\"region\" \
         tabindex=\"0\" aria-label=\"Rows by the size of their class\">\n<table class=\"bars\">\n\
         <caption>Rows by the size of their class. The smaller the class, the fewer people a row can be \
         of.</caption>\n<thead>\n<tr><th scope=\"col\">Size of the class</th><th scope=\"col\">Share \
         of the rows</th><th scope=\"col\">Rows</th><th scope=\"col\">Classes</th></tr>\n</thead>\n\
         <tbody>\n"
    ));
    for band in &report.bands {
        let size = match band.to {
            Some(to) if to == band.from => to.to_string(),
            Some(to) => format!("{} to {to}", band.from),
            None => format!("{} and more", band.from),
        };
        let share = float(band.rows.into()) / float(report.rows.into()) * 100.0;
        let mood = match band.from {
            1 => "bad",
            2 => "low",
            _ => "good",
        };
        out.put(format_args!(
            "<tr><th scope=\"row\">{size}</th><td><svg viewBox=\"0 0 100 8\" \
             preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"track\" width=\"100\" \
             height=\"8\"/><rect class=\"{mood}\" width=\"{share:.2}\" height=\"8\"/></svg> {} %</td>\
             <td>{}</td><td>{}</td></tr>\n",
            short(share),
            grouped(band.rows),
            grouped(band.classes)
        ));
    }
    out.put(format_args!("</tbody>\n</table>\n</div>\n</section>\n"));
}

/// A share of 100, by which nothing is none and little is some.
fn short(share: f64) -> String {
    if share > 0.0 && share < 0.1 {
        return "< 0.1".to_owned();
    }
    shown(Some((share * 10.0).round() / 10.0))
}

fn keys(out: &mut Page, report: &Report) {
    out.put(format_args!("<section>\n<h2>Quasi-identifiers</h2>\n"));
    let rows: Vec<_> = report
        .keys
        .iter()
        .map(|(name, nulls)| vec![name.clone(), nulls.to_string()])
        .collect();
    table(
        out,
        "Columns that others may know",
        &["Column", "Rows with NULL"],
        &rows,
    );
    out.put(format_args!(
        "<p>{} In {} a quasi-identifier is NULL.</p>\n</section>\n",
        escaped(report.policy()),
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
    let population = report.population.as_ref().map_or_else(String::new, |name| {
        format!("; a journalist knows that a person is in the population, {name}")
    });
    let caption = format!(
        "By who looks: a prosecutor knows that a person is in the table, a marketer wants as many as \
         possible{population}"
    );
    table(
        out,
        &caption,
        &[
            "Model",
            "Highest",
            "Average",
            &above,
            "Records one expects to be found",
        ],
        &rows,
    );
    out.put(format_args!("</section>\n"));
}

fn values(out: &mut Page, sensitive: &Sensitive) {
    out.put(format_args!(
        "<section>\n<h2>Sensitive column <bdi>{}</bdi></h2>\n<p>{}{}.</p>\n",
        escaped(&sensitive.column),
        escaped(&crate::error::counted(sensitive.values, "different value")),
        match sensitive.nulls {
            0 => String::new(),
            rows => format!(
                ", one of them NULL, in {}",
                crate::error::counted(rows, "row")
            ),
        }
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
            "how far the values of a class are from those of the table, at most",
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
    // Texts have no order and no differences.
    let is_there = |name: &str| match name {
        "t, ordered distance" => sensitive.ordered.is_some(),
        "t, numeric distance" => sensitive.numeric.is_some(),
        _ => true,
    };
    let rows: Vec<_> = measures
        .into_iter()
        .filter(|(name, ..)| is_there(name))
        .map(|(name, value, meaning)| vec![name.to_owned(), value, meaning.to_owned()])
        .collect();
    table(out, "Measures", &["Measure", "Value", "Meaning"], &rows);
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
    fn verdicts_go_by_the_smallest_class() {
        let of = |k: Option<u64>| {
            let report = Report { k, ..report() };
            let (mood, sentence) = verdict(&report);
            (
                mood,
                sentence.split(':').next().unwrap_or_default().to_owned(),
            )
        };
        assert_eq!(of(None).0, "unknown");
        assert_eq!(of(Some(1)), ("bad", "Not anonymous".to_owned()));
        assert_eq!(of(Some(4)), ("low", "4-anonymous".to_owned()));
        // A class of one value discloses it, however large it is.
        assert_eq!(of(Some(5)), ("low", "5-anonymous".to_owned()));
        let silent = Report {
            k: Some(5),
            sensitive: Vec::new(),
            ..report()
        };
        assert_eq!(verdict(&silent).0, "good");
    }

    #[test]
    fn little_is_not_nothing() {
        assert_eq!(
            (short(0.0), short(0.01)),
            ("0".to_owned(), "< 0.1".to_owned())
        );
        assert_eq!(short(33.333), "33.3");
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
