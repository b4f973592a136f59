//! Labels, and what becomes of them.

use super::*;
use crate::migration::catalog::{Column, Table};
use crate::migration::{Finding, Meaning};
use crate::profile;
use crate::strategies::{Datum, Row, Seed, Strategy, Subkeys, ValueType};

fn label(column: &str, text: &str) -> Label {
    Label {
        object: Object::Column {
            schema: "public".to_owned(),
            table: "users".to_owned(),
            column: column.to_owned(),
        },
        text: text.to_owned(),
    }
}

fn catalog(columns: &[(&str, &str, bool)]) -> Catalog {
    let mut catalog = Catalog::default();
    let table = Table {
        is_table: true,
        ..Table::default()
    };
    catalog.insert("users".to_owned(), table.clone());
    catalog.insert("orders".to_owned(), table);
    for (name, type_name, not_null) in columns {
        let column = Column {
            type_name: (*type_name).to_owned(),
            not_null: *not_null,
            labels: Vec::new(),
        };
        catalog.add_column("users", (*name).to_owned(), column);
    }
    catalog
}

/// What becomes of the label of a column of which nothing is known.
fn found(text: &str) -> Finding {
    let catalog = Catalog::default();
    let rules = rules("public", &[label("c", text)], &catalog);
    // What is written loads.
    rules
        .profile("p", "labels")
        .unwrap_or_else(|error| panic!("{text}: {error:?}"));
    rules.into_findings().remove(0)
}

fn is(text: &str, meaning: Meaning, strategy: &str) {
    let finding = found(text);
    assert_eq!(finding.meaning, meaning, "{text}: {finding:?}");
    assert_eq!(finding.strategy.as_deref(), Some(strategy), "{text}");
}

#[test]
fn labels_become_strategies() {
    for (call, strategy) in [
        ("anon.fake_email()", "{type: email}"),
        (
            "anon.fake_first_name()",
            "{type: name, config: {part: first}}",
        ),
        (
            "anon.dummy_last_name_locale('fr_FR')",
            "{type: name, config: {locale: fr, part: last}}",
        ),
        (
            "anon.pseudo_city(id)",
            "{type: address, config: {part: city}}, entity: id",
        ),
        ("anon.pseudo_email(c, 'salt')", "{type: email}"),
        (
            "anon.partial(c, 2, $$******$$, 2)",
            "{type: mask, config: {keep_first: 2, keep_last: 2, pad_to: 6}}",
        ),
        (
            "anon.partial(c,1,'x-x',0)",
            "{type: mask, config: {keep_first: 1}}",
        ),
        (
            "anon.partial_email(c)",
            "{type: mask, config: {keep_first: 2}}",
        ),
        ("anon.hash(c)", "{type: hash, config: {length: 64}}"),
        ("pg_catalog.md5(c)", "{type: hash, config: {length: 32}}"),
        (
            "anon.digest(c, 's', 'sha256')",
            "{type: hash, config: {length: 64}}",
        ),
        (
            "anon.noise(c, 0.33)",
            "{type: noise, config: {ratio: 0.33}}",
        ),
        (
            "anon.dnoise(c, '2 days'::interval)",
            "{type: date_shift, config: {max_days: 2}}",
        ),
        ("anon.random_string(4)", "{type: hash, config: {length: 8}}"),
        (
            "anon.random_phone('06')",
            "{type: phone, config: {on_error: redact}}",
        ),
        (
            "anon.random_int_between(1, 3)",
            "{type: choice, config: {choices: [\"1\", \"2\", \"3\"]}}",
        ),
        (
            "anon.random_in(ARRAY['a', 'b'])",
            "{type: choice, config: {choices: [a, b]}}",
        ),
        (
            "anon.random_in('{a, b}'::text[])",
            "{type: choice, config: {choices: [a, b]}}",
        ),
        ("anon.lorem_ipsum(words := 2)", "{type: lorem}"),
        (
            "anon.left(c, 3)",
            "{type: generalize, config: {keep: 3, method: prefix}}",
        ),
        (
            "anon.ternary(c IS NULL, NULL, anon.fake_email())",
            "{type: email}",
        ),
    ] {
        is(
            &format!("MASKED WITH FUNCTION {call}"),
            Meaning::Approximate,
            strategy,
        );
    }
    is("MASKED WITH VALUE NULL", Meaning::Exact, "{type: \"null\"}");
    is(
        "masked  with value 'x'",
        Meaning::Approximate,
        "{type: constant, config: {replacement: x}}",
    );
    is("NOT MASKED", Meaning::Exact, "preserve");
}

#[test]
fn what_has_no_counterpart_leaves_its_column_out() {
    for text in [
        "MASKED WITH FUNCTION anon.image_blur(c)",
        "MASKED WITH FUNCTION anon.generalize_int4range(c, 10)",
        "MASKED WITH FUNCTION public.mine(c)",
        "MASKED WITH FUNCTION mine(c)",
        "MASKED WITH FUNCTION anon.ternary(a > 1, 'x', 'y')",
        "MASKED WITH FUNCTION anon.hash(other)",
        "MASKED WITH FUNCTION anon.concat(c, 'x')",
        "MASKED WITH FUNCTION anon.noise(c, ratio)",
        "MASKED WITH FUNCTION anon.fake_email(",
        "MASKED WITH FUNCTION",
        "MASKED WITH VALUE other",
        "MASKED WITH VALUE (SELECT 1)",
        "MASKED",
        "",
        "'never closed",
    ] {
        let finding = found(text);
        assert_eq!(finding.meaning, Meaning::Missing, "{text}");
        assert_eq!(finding.strategy.as_deref(), Some("exclude"), "{text}");
    }
    assert_eq!(
        found(&format!("MASKED WITH VALUE '{}'", "x".repeat(20_000))).meaning,
        Meaning::Missing
    );
}

#[test]
fn exact_rules_give_what_the_function_there_gives() {
    let catalog = catalog(&[
        ("t", "text", true),
        ("n", "text", false),
        ("d", "date", false),
    ]);
    let made = |column: &str, text: &str| {
        let rules = rules("public", &[label(column, text)], &catalog);
        let (profile, _) = profile::load(rules.profile("p", "labels").unwrap().as_bytes()).unwrap();
        let strategy = profile.tables[0].rules[0].resolved.clone();
        (rules.into_findings().remove(0).meaning, strategy)
    };
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    let text = |strategy: &Strategy, value: &str| {
        let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text).unwrap();
        mask.text(value).unwrap().into_owned()
    };
    let (meaning, constant) = made("t", "MASKED WITH VALUE $$CONFIDENTIAL$$");
    assert_eq!(
        (meaning, &*text(&constant, "x")),
        (Meaning::Exact, "CONFIDENTIAL")
    );
    assert_eq!(made("n", "MASKED WITH VALUE 'x'").0, Meaning::Approximate);
    let (meaning, left) = made("n", "MASKED WITH FUNCTION anon.left(n, 3)");
    assert_eq!((meaning, &*text(&left, "été 12")), (Meaning::Exact, "été"));
    assert_eq!(text(&left, "ab"), "ab");
    let (meaning, cut) = made("d", "MASKED WITH FUNCTION anon.date_trunc('quarter', d)");
    assert_eq!(meaning, Meaning::Exact);
    let mask = cut.mask(&keys, Seed::new(1), ValueType::Date).unwrap();
    let day = |text: &str| Datum::Date(crate::strategies::calendar::parse_date(text).unwrap());
    assert_eq!(
        mask.apply(day("1987-06-05"), Row::NONE).unwrap(),
        Some(day("1987-04-01"))
    );
    // Of a nullable column a constant takes the place of NULL too, unless NULL is asked for.
    let kept = "MASKED WITH FUNCTION anon.ternary(n IS NULL, NULL, 'x')";
    assert_eq!(made("n", kept).0, Meaning::Exact);
}

#[test]
fn a_profile_names_every_table_of_the_schema_and_loads() {
    let catalog = catalog(&[("id", "integer", true), ("email", "text", true)]);
    let other = |kind: &str, name: &str, text: &str| Label {
        object: Object::Other {
            kind: kind.to_owned(),
            name: name.to_owned(),
        },
        text: text.to_owned(),
    };
    let table = Label {
        object: Object::Table {
            schema: "public".to_owned(),
            table: "users".to_owned(),
        },
        text: "TABLESAMPLE BERNOULLI(10)".to_owned(),
    };
    let mut elsewhere = label("c", "NOT MASKED");
    elsewhere.object = Object::Column {
        schema: "app".to_owned(),
        table: "t".to_owned(),
        column: "c".to_owned(),
    };
    let labels = [
        table,
        label("email", "MASKED WITH FUNCTION anon.fake_email()"),
        label("gone", "MASKED WITH VALUE NULL"),
        elsewhere,
        other("role", "skynet", "MASKED"),
        other("schema", "x", "TRUSTED"),
    ];
    let rules = rules("public", &labels, &catalog);
    let yaml = rules
        .profile("p", "labels of \u{2028}provider\nanon")
        .unwrap();
    let (profile, _) = profile::load(yaml.as_bytes()).unwrap();
    let names: Vec<_> = profile
        .tables
        .iter()
        .map(|table| table.name.as_str())
        .collect();
    assert_eq!(names, ["users", "orders"]);
    assert_eq!(profile.tables[0].rules.len(), 2);
    let findings = rules.into_findings();
    let missing = findings
        .iter()
        .filter(|of| of.meaning == Meaning::Missing)
        .count();
    assert_eq!((findings.len(), missing), (6, 4), "{findings:#?}");
    let role = findings
        .iter()
        .find(|of| of.object == "role skynet")
        .unwrap();
    assert!(role.why.contains("create_masked_views"));
}

#[test]
fn partitions_give_their_rules_to_the_whole_table() {
    let mut catalog = catalog(&[("email", "text", true)]);
    for part in ["users_1", "users_2"] {
        let table = Table {
            is_table: true,
            root: Some("users".to_owned()),
            ..Table::default()
        };
        catalog.insert(part.to_owned(), table);
        let column = Column::default();
        catalog.add_column(part, "email".to_owned(), column);
    }
    let of = |table: &str, text: &str| Label {
        object: Object::Column {
            schema: "public".to_owned(),
            table: table.to_owned(),
            column: "email".to_owned(),
        },
        text: text.to_owned(),
    };
    let hash = "MASKED WITH FUNCTION anon.hash(email)";
    let email = "MASKED WITH FUNCTION anon.fake_email()";
    let rules_of = |labels: &[Label]| rules("public", labels, &catalog).profile("p", "x").unwrap();
    let alone = rules_of(&[of("users_1", hash), of("users_2", email)]);
    assert!(alone.contains("{column: email, strategy: hash}"), "{alone}");
    assert!(!alone.contains("users_1"), "{alone}");
    let both = rules_of(&[of("users_1", hash), of("users", email)]);
    assert!(both.contains("{column: email, strategy: email}"), "{both}");
}

#[test]
fn a_column_that_no_profile_can_name_keeps_its_table_out() {
    let labels = [
        label("a\nb", "MASKED WITH VALUE NULL"),
        label("email", "MASKED WITH VALUE NULL"),
    ];
    let catalog = Catalog::default();
    let rules = rules("public", &labels, &catalog);
    let error = rules.profile("p", "labels").unwrap_err();
    assert_eq!(error.kind(), crate::error::Kind::UndefinedObject);
}
