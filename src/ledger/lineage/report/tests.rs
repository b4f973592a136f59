//! The renderers, above all with names that mean something to HTML and Markdown.

use super::*;

/// Names that whoever may create a table can choose.
const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</td></tr></table><h1>All good</h1>",
    "a|b|c",
    "`rm -rf`",
    "line\nbreak\r\n| new | row |",
    "[click](javascript:alert(1))",
    "![x](https://example.test/x.png)",
    "www.example.test and https://example.test",
    "\u{202e}gnitset\u{202c}\u{200b}",
    "&lt;b&gt; *bold* __under__ $x$ @team #1",
];

fn finding(code: &'static str, status: &'static str, range: (i64, i64)) -> Finding {
    Finding {
        code,
        status,
        chain: "audit",
        seq_from: Some(range.0),
        seq_to: Some(range.1),
        detail: format!("Detail of {code}."),
    }
}

fn step(name: &str) -> Step {
    Step {
        run_id: "6c8b0f0e-0000-4000-8000-000000000001".into(),
        finished_at: Some("2025-06-01 08:30:00".into()),
        who: Some(name.into()),
        profile: Some(name.into()),
        profile_version: Some(name.into()),
        source: name.into(),
        target: name.into(),
        table: name.into(),
        column: name.into(),
        strategy: "email".into(),
        version: 1,
        seen: 1_234_567,
        changed: Some(1_234_000),
        unchanged: Some(500),
        nulls: Some(67),
        reversible: false,
        commitment: "shredded".into(),
        origin: "run".into(),
    }
}

fn report(steps: Vec<Step>) -> Report {
    Report {
        made_at: "2025-06-02 09:00:00".into(),
        made_by: steps.first().map_or_else(String::new, |s| s.table.clone()),
        database: steps.first().map_or_else(String::new, |s| s.table.clone()),
        schema: steps.first().map(|s| s.target.clone()),
        table: steps.first().map(|s| s.table.clone()),
        findings: vec![finding("OK", "ok", (1, 9)), finding("W01", "warn", (4, 9))],
        mark: Some(Mark {
            log_id: "9c154a19-85ce-4482-9665-12f8c7348e88".into(),
            seq: 9,
            hash: "ab".repeat(32),
        }),
        columns: steps
            .iter()
            .map(|step| Column {
                latest: step.clone(),
                runs: 1,
            })
            .collect(),
        steps_total: i64::try_from(steps.len()).unwrap(),
        steps,
    }
}

/// Every tag of the page, without those that the page has with any names.
fn tags(page: &str) -> Vec<String> {
    page.split('<')
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn report_html_of_hostile_names_has_the_tags_of_harmless_ones() {
    let harmless = tags(&report(vec![step("orders")]).render(Format::Html));
    for name in HOSTILE {
        let page = report(vec![step(name)]).render(Format::Html);
        let plain = |tag: &String| !tag.contains("aria-label=\"table");
        let found: Vec<_> = tags(&page).into_iter().filter(plain).collect();
        let meant: Vec<_> = harmless.iter().filter(|tag| plain(tag)).cloned().collect();
        assert_eq!(found, meant, "{name}");
        assert!(!page.contains(name) || name == "a|b|c" || !name.contains(['<', '"', '\n']));
    }
}

#[test]
fn report_html_loads_nothing_and_says_so() {
    let page = report(vec![step("orders")]).render(Format::Html);
    for word in [
        "<script", "src=", "href=", "url(", "@import", "http://", "https://",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"));
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert!(page.contains("<title>Lineage of masked columns: orders</title>"));
    assert!(page.matches("<th ").count() == page.matches("<th scope=").count());
}

#[test]
fn report_markdown_of_hostile_names_has_the_cells_of_harmless_ones() {
    let cells = |page: &str| -> Vec<usize> {
        page.lines()
            .map(|line| {
                let bars = line.match_indices('|');
                bars.filter(|(at, _)| !line[..*at].ends_with('\\')).count()
            })
            .collect()
    };
    let harmless = cells(&report(vec![step("orders")]).render(Format::Markdown));
    for name in HOSTILE {
        let page = report(vec![step(name)]).render(Format::Markdown);
        assert_eq!(cells(&page), harmless, "{name}");
        assert!(
            !page
                .replace("\\`", "")
                .contains(['<', '`', '\r', '\u{202e}', '\u{200b}']),
            "{name}"
        );
    }
}

#[test]
fn report_markdown_escapes_what_means_something() {
    for (name, meant) in [
        ("user_email", "user_email"),
        ("_id_", "\\_id\\_"),
        ("a|b", "a\\|b"),
        ("a\\|b", "a\\\\\\\\\\|b"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("[x](y)", "\\[x\\](y)"),
        ("www.x.test", "www\\.x.test"),
        ("https://x", "https\\://x"),
        ("a\nb", "a\\\\u\\{a\\}b"),
    ] {
        assert_eq!(markdown::escaped(name), meant, "{name}");
    }
}

#[test]
fn report_json_keeps_names_as_they_are() {
    for name in HOSTILE {
        let text = report(vec![step(name)]).render(Format::Json);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["columns"][0]["column_name"], name);
        assert_eq!(value["runs"][0]["columns"][0]["table_name"], name);
    }
}

#[test]
fn report_says_what_the_verification_found() {
    let mut report = report(vec![step("orders")]);
    assert_eq!(report.verdict(), Verdict::Ok);
    assert_eq!(report.unanchored(), 6);
    assert_eq!(report.guarantee(), ["Detail of OK.", "Detail of W01."]);
    report.findings.remove(0);
    assert_eq!(report.verdict(), Verdict::Unverifiable);
    report.findings.push(finding("E11", "unverifiable", (1, 1)));
    assert_eq!(report.verdict(), Verdict::Unverifiable);
    report.findings.push(finding("E01", "fail", (2, 2)));
    for format in [Format::Html, Format::Markdown, Format::Json] {
        let text = report.render(format);
        assert!(text.contains("fail") && text.contains("Detail of E01."));
        assert!(text.contains("Detail of W01."), "{text}");
    }
    assert_eq!(Report::default().verdict(), Verdict::Unverifiable);
}

#[test]
fn report_tells_reversible_guessable_and_anonymised_apart() {
    let of = |strategy: &str, reversible, commitment: &str| {
        Step {
            strategy: strategy.into(),
            reversible,
            commitment: commitment.into(),
            ..step("x")
        }
        .standing()
    };
    assert_eq!(of("fpe", true, "shredded"), Standing::Reversible);
    assert_eq!(of("email", false, "shredded"), Standing::Guessable);
    assert_eq!(of("redact", false, "verifiable"), Standing::Guessable);
    assert_eq!(of("redact", false, "shredded"), Standing::Anonymised);
    assert_eq!(of("noise of tomorrow", false, "none"), Standing::Guessable);
}

#[test]
fn report_groups_runs_and_counts_what_it_leaves_out() {
    let other = Step {
        run_id: "2".into(),
        unchanged: Some(0),
        ..step("b")
    };
    let mut report = report(vec![step("a"), step("b"), other]);
    report.steps_total = 1003;
    assert_eq!(
        report.runs().iter().map(|r| r.len()).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(report.left_out(), 1000);
    assert_eq!(report.came_through().len(), 2);
    assert_eq!(report.tables(), 2);
    assert!(report.render(Format::Html).contains("1,000 older entries"));
    assert!(
        report
            .render(Format::Markdown)
            .contains("1,000 older entries")
    );
}

#[test]
fn report_of_nothing_says_so() {
    let mut report = report(vec![]);
    report.mark = None;
    assert!(
        report
            .render(Format::Html)
            .contains("No masked column is on record.")
    );
    assert!(
        report
            .render(Format::Markdown)
            .contains("No masked column is on record.")
    );
}

#[test]
fn report_knows_three_formats() {
    assert_eq!(Format::parse("html"), Ok(Format::Html));
    let error = Format::parse("pdf").unwrap_err();
    assert_eq!(error.kind().sqlstate().as_str(), "22023");
}
