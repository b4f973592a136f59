//! Configurations, and what becomes of them.

use super::*;
use crate::migration::catalog::{Column, Table as Known};
use crate::migration::{Finding, Meaning};
use crate::profile;

fn configuration(transformers: &str) -> String {
    format!("dump: {{transformation: [{{name: t, transformers: [{transformers}]}}]}}")
}

/// What becomes of transformers of a table of which nothing is known; what is written loads.
fn found(transformers: &str) -> Vec<Finding> {
    let catalog = Catalog::default();
    let yaml = configuration(transformers);
    let config = read(&yaml).unwrap_or_else(|error| panic!("{yaml}: {error:?}"));
    let rules = config.rules("public", &catalog);
    rules
        .profile("p", "x")
        .unwrap_or_else(|error| panic!("{yaml}: {error:?}"));
    rules.into_findings()
}

fn is(name: &str, params: &str, meaning: Meaning, strategy: &str) {
    let found = found(&format!(
        "{{name: {name}, params: {{column: c, {params}}}}}"
    ));
    assert_eq!(found.len(), 1, "{name}");
    assert_eq!(
        found[0].strategy.as_deref(),
        Some(strategy),
        "{name}: {found:?}"
    );
    assert_eq!(found[0].meaning, meaning, "{name}");
}

#[test]
fn transformers_become_strategies() {
    use Meaning::{Approximate, Exact};
    for (name, params, meaning, strategy) in [
        ("SetNull", "", Exact, "{type: \"null\"}"),
        (
            "Replace",
            "value: x",
            Exact,
            "{type: constant, config: {replacement: x}}",
        ),
        (
            "Replace",
            "value: x, keep_null: false",
            Approximate,
            "{type: constant, config: {replacement: x}}",
        ),
        (
            "Hash",
            "function: sha1, salt: 12ab, max_length: 10",
            Exact,
            "{type: salted_hash, config: {compatible: greenmask, compatible_function: sha1, \
             compatible_salt: \"12ab\", length: 10}}",
        ),
        ("Hash", "function: sha1", Approximate, "{type: hash}"),
        (
            "Dict",
            "values: {a: b}",
            Approximate,
            "{type: map, config: {pairs: {a: b}}}",
        ),
        (
            "Masking",
            "type: credit_card",
            Approximate,
            "{type: mask, config: {keep_first: 6, keep_last: 4}}",
        ),
        (
            "RandomEmail",
            "keep_original_domain: true",
            Approximate,
            "{type: email, config: {preserve_domain: true}}",
        ),
        (
            "RandomInt",
            "min: 1, max: 3",
            Approximate,
            "{type: choice, config: {choices: [\"1\", \"2\", \"3\"]}}",
        ),
        (
            "RandomFloat",
            "min: 0, max: 0.2, decimal: 1",
            Approximate,
            "{type: choice, config: {choices: [\"0.0\", \"0.1\", \"0.2\"]}}",
        ),
        (
            "RandomDate",
            "min: '2024-01-01', max: '2024-01-02'",
            Approximate,
            "{type: choice, config: {choices: [\"2024-01-01\", \"2024-01-02\"]}}",
        ),
        (
            "RandomBool",
            "",
            Approximate,
            "{type: choice, config: {choices: [\"true\", \"false\"]}}",
        ),
        (
            "RandomChoice",
            "values: [a, b]",
            Approximate,
            "{type: choice, config: {choices: [a, b]}}",
        ),
        (
            "RandomUuid",
            "engine: hash",
            Approximate,
            "{type: uuid, config: {on_error: redact}}",
        ),
        (
            "RandomFirstNameMale",
            "",
            Approximate,
            "{type: name, config: {gender: male, part: first}}",
        ),
        (
            "NoiseInt",
            "max_ratio: 0.2, min: 0",
            Approximate,
            "{type: noise, config: {min: 0, ratio: 0.2}}",
        ),
        (
            "NoiseDate",
            "max_ratio: '1 year 2 mons'",
            Approximate,
            "{type: date_shift, config: {max_days: 425}}",
        ),
        (
            "RandomMac",
            "keep_original_vendor: true",
            Approximate,
            "{type: mac, config: {keep_vendor: true, on_error: redact}}",
        ),
        (
            "RandomURL",
            "",
            Approximate,
            "{type: url, config: {on_error: redact}}",
        ),
        ("RandomParagraph", "", Approximate, "{type: lorem}"),
    ] {
        is(name, params, meaning, strategy);
    }
}

#[test]
fn what_has_no_counterpart_leaves_its_column_out() {
    for (name, params) in [
        ("Cmd", "executable: rm"),
        ("Template", "template: '{{ .GetValue }}'"),
        ("RegexpReplace", "regexp: a, replace: b"),
        ("Replace", "value: '{{ now }}'"),
        ("Replace", ""),
        ("Dict", "values: {a: '\\N'}"),
        ("Dict", "values: [a]"),
        ("RandomInt", "min: 5"),
        ("RandomInt", "min: 5, max: 1"),
        ("RandomChoice", "values: []"),
        ("NoiseInt", "max_ratio: x"),
        ("NoiseDate", "max_ratio: soon"),
        ("Hash", "function: crc32, salt: x"),
        (
            "Json",
            "operations: [{operation: set, path: 'a.#.b', value: x}]",
        ),
        ("Unknown", ""),
        ("''", ""),
    ] {
        is(name, params, Meaning::Missing, "exclude");
    }
}

#[test]
fn columns_that_are_filled_together_name_the_column_they_are_drawn_from() {
    let found = found(
        "{name: RandomPerson, params: {engine: hash, gender: Female, columns: [\
         {name: first, template: '{{ .FirstName }}', hashing: true}, \
         {name: last, template: '{{ .LastName }}'}, \
         {name: mail, template: '{{ .FirstName | lower }}@x.y'}]}}, \
         {name: RealAddress, params: {columns: [{name: town, template: '{{ .City }}'}]}}",
    );
    let shown: Vec<_> = found
        .iter()
        .map(|of| of.strategy.as_deref().unwrap())
        .collect();
    assert_eq!(
        shown,
        [
            "{type: name, config: {gender: female, part: first}}, entity: first",
            "{type: name, config: {gender: female, part: last}}, entity: first",
            "exclude",
            "{type: address, config: {part: city}}",
        ]
    );
}

#[test]
fn of_several_transformers_of_a_column_the_last_counts() {
    let found = found(
        "{name: RandomEmail, params: {column: c}}, {name: Replace, params: {column: c, value: x}}",
    );
    assert_eq!(found[0].meaning, Meaning::Missing);
    assert_eq!(found[0].strategy, None);
    assert_eq!(found[1].meaning, Meaning::Approximate);
}

#[test]
fn what_is_around_a_transformer_is_said() {
    let one = |more: &str| {
        let found = found(&format!("{{name: SetNull, params: {{column: c}}, {more}}}"));
        (found[0].meaning, found[0].why.clone())
    };
    for (more, word) in [
        ("when: 'record.id > 1'", "`when`"),
        ("dynamic_params: {value: {column: x}}", "other columns"),
        ("apply_for_references: true", "refer to it"),
    ] {
        let (meaning, why) = one(more);
        assert!(
            meaning == Meaning::Approximate && why.contains(word),
            "{more}: {why}"
        );
    }
    assert_eq!(one("apply_for_references: false").0, Meaning::Exact);
}

#[test]
fn json_operations_become_paths() {
    is(
        "Json",
        "operations: [{operation: set, path: a.b.0, value: x}, {operation: delete, path: secret}]",
        Meaning::Approximate,
        "{type: json, config: {paths: {\"$.a.b[0]\": {config: {replacement: x}, type: constant}, \
         \"$.secret\": drop}, unlisted: keep}}",
    );
}

#[test]
fn the_rest_of_a_configuration_is_in_the_report() {
    let yaml = "
dump:
  virtual_references:
    - {schema: app, name: orders, references: [{schema: app, name: users, columns: [{name: u}]}]}
  transformation:
    - schema: app
      name: users
      query: SELECT 1
      subset_conds: ['app.users.id < 10', 'random() < 0.5']
      transformers: [{name: TemplateRecord, params: {columns: [a]}}]
    - {schema: other, name: x}
";
    let config = read(yaml).unwrap();
    assert_eq!(
        config.schema(None).unwrap_err().kind(),
        ErrorKind::InvalidParameter
    );
    let catalog = Catalog::default();
    let rules = config.rules("app", &catalog);
    let (profile, _) = profile::load(rules.profile("p", "x").unwrap().as_bytes()).unwrap();
    assert_eq!(profile.subset.len(), 1);
    let findings = rules.into_findings();
    let missing = findings
        .iter()
        .filter(|of| of.meaning == Meaning::Missing)
        .count();
    assert_eq!((findings.len(), missing), (6, 5), "{findings:#?}");
}

#[test]
fn a_dictionary_is_exact_where_values_are_written_alike() {
    let mut catalog = Catalog::default();
    let table = Known {
        is_table: true,
        ..Known::default()
    };
    catalog.insert("t".to_owned(), table);
    for (name, type_name, not_null) in [
        ("c", "text", true),
        ("n", "text", false),
        ("b", "boolean", true),
    ] {
        let column = Column {
            type_name: type_name.to_owned(),
            not_null,
            labels: Vec::new(),
        };
        catalog.add_column("t", name.to_owned(), column);
    }
    let meaning = |column: &str, values: &str| {
        let dict = format!("{{name: Dict, params: {{column: {column}, values: {values}}}}}");
        let config = read(&configuration(&dict)).unwrap();
        config
            .rules("public", &catalog)
            .into_findings()
            .remove(0)
            .meaning
    };
    assert_eq!(meaning("c", "{a: b}"), Meaning::Exact);
    assert_eq!(meaning("n", "{a: b}"), Meaning::Approximate);
    assert_eq!(meaning("n", "{a: b, '\\N': '\\N'}"), Meaning::Exact);
    assert_eq!(meaning("b", "{t: f}"), Meaning::Approximate);
    assert_eq!(meaning("gone", "{a: b}"), Meaning::Approximate);
}

#[test]
fn hostile_configurations_are_refused_with_a_place() {
    let deep = format!("dump: {}", "[".repeat(200));
    let long = format!("dump: '{}'", "x".repeat(profile::MAX_BYTES));
    for yaml in [
        "",
        "dump: !!python/object/apply:os.system [x]",
        "dump: &a [*a]",
        "dump: {<<: {a: b}}",
        "dump: 4",
        "dump: {transformation: {}}",
        "dump: {transformation: [{schema: x}]}",
        "dump: {transformation: [4]}",
        &deep,
        &long,
    ] {
        let error = read(yaml).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidText, "{error:?}");
        assert!(
            error
                .message()
                .starts_with("invalid configuration of Greenmask: ")
        );
    }
    // A table, a column and a value that look like YAML stay what they are.
    let odd = "{name: Replace, params: {column: \"a: [b\", value: \"x\\n- y: *z\"}}";
    let config = read(&configuration(odd).replace("name: t,", "name: \"t: {\",")).unwrap();
    let catalog = Catalog::default();
    let yaml = config.rules("public", &catalog).profile("p", "x").unwrap();
    let (profile, _) = profile::load(yaml.as_bytes()).unwrap();
    assert_eq!(profile.tables[0].name, "t: {");
    assert_eq!(profile.tables[0].rules[0].column, "a: [b");
}
