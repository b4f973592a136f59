//! The rules of a profile, one by one.

use super::*;
use crate::strategies::params::Value;

mod scope;
mod seeds;
mod tables;

/// A document with these strategies and tables.
fn document(strategies: &str, tables: &str) -> String {
    format!("name: p\nversion: 1\nstrategies: {strategies}\ntables: {tables}\n")
}

/// A document with the strategy `m` and the table `t`, whose value is `body`.
fn table(body: &str) -> String {
    document("{m: {type: email}}", &format!("{{t: {body}}}"))
}

fn accepted(yaml: &str) -> (Profile, Vec<Problem>) {
    let (profile, problems) = read(yaml.as_bytes());
    (
        profile.unwrap_or_else(|| panic!("{yaml}: {problems:?}")),
        problems,
    )
}

fn refused(yaml: &str) -> Vec<Problem> {
    let (profile, problems) = read(yaml.as_bytes());
    assert!(profile.is_none(), "{yaml}");
    problems
        .into_iter()
        .filter(|p| p.severity == Severity::Error)
        .collect()
}

/// The only error of a document, as `code line:column path message`.
fn only_error(yaml: &str) -> String {
    match refused(yaml).as_slice() {
        [p] => {
            let at = p
                .place
                .map_or("-".into(), |p| format!("{}:{}", p.line, p.column));
            format!("{} {at} {} {}", p.code, p.path, p.message)
        }
        errors => panic!("{yaml}: {errors:#?}"),
    }
}

fn codes(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|p| p.code).collect()
}

const PRODUCTION: &str = "# production.yaml
name: production
version: 1.0
global_seed: 12345  # ALL columns use this seed unless overridden

strategies:
  email_mask:
    type: email
  phone_mask:
    type: phone

tables:
  users:
    rules:
      - column: email
        strategy: email_mask
        # Uses global_seed (12345)

      - column: phone
        strategy: phone_mask

  orders:
    rules:
      - column: user_email
        strategy: email_mask

      - column: special_code
        strategy: email_mask
        seed: 99999  # Override with column-specific seed
";

#[test]
fn production_document_loads() {
    let (profile, problems) = accepted(PRODUCTION);
    assert_eq!(codes(&problems), ["literal_seed", "literal_seed"]);
    assert_eq!(
        problems[0].place,
        Some(Place {
            line: 4,
            column: 14
        })
    );
    assert_eq!(problems[1].path, "tables.orders.rules[1].seed");
    assert_eq!(
        (profile.name.as_str(), profile.version.as_str()),
        ("production", "1.0")
    );
    let names: Vec<_> = profile.tables.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["users", "orders"]);
    let seed = |table: usize, rule: usize| {
        let rule = &profile.tables[table].rules[rule];
        let (seed, origin) = profile.seed_of(rule, &|_| None, &|_| true).unwrap();
        (seed.number(), origin)
    };
    assert_eq!(seed(0, 0), (12345, SeedOrigin::GlobalLiteral));
    assert_eq!(seed(1, 0), (12345, SeedOrigin::GlobalLiteral));
    assert_eq!(seed(1, 1), (99999, SeedOrigin::RuleLiteral));
}

#[test]
fn list_of_rules_without_a_mapping_loads() {
    let yaml = "
    name: test
    version: 1.0
    strategies:
      email:
        type: email
    tables:
      users:
        - column: email
          strategy: email
    ";
    let (profile, problems) = accepted(yaml);
    assert!(problems.is_empty());
    assert_eq!(profile.name, "test");
    assert!(profile.strategies.contains_key("email"));
    assert_eq!(profile.tables[0].rules[0].column, "email");
    assert_eq!(profile.coverage, Coverage::Detect);
}

#[test]
fn fragment_with_strategies_only_is_refused() {
    let yaml = "strategies:\n  email_mask:\n    type: email\n    config:\n      \
                seed_env_var: ANONYMIZATION_SEED\n";
    let errors = refused(yaml);
    assert_eq!(codes(&errors), ["missing_key"; 3]);
    let messages: Vec<_> = errors.iter().map(|p| p.message.as_str()).collect();
    let expected = ["name", "version", "tables"].map(|key| format!("key \"{key}\" is missing"));
    assert_eq!(messages, expected);
    assert_eq!(errors[0].place, Some(Place { line: 1, column: 1 }));
}

#[test]
fn python_tag_is_refused_as_text_not_as_a_file_name() {
    let yaml = "
    strategies:
      evil:
        type: !!python/object/apply:os.system
        args: ['rm -rf /']
    ";
    let message = only_error(yaml);
    assert!(
        message.starts_with("tag 4:15  tag \"!!python/object/apply:os.system\""),
        "{message}"
    );
}

#[test]
fn strategy_type_must_be_allowed() {
    let yaml = "
    name: test
    version: 1.0
    strategies:
      fake:
        type: emial
    tables: {t: [{column: c, strategy: fake}]}
    ";
    let error = load(yaml.as_bytes()).unwrap_err();
    let expected = "invalid profile: strategy type \"emial\" is not allowed at line 6 column 15";
    assert_eq!(error.message(), expected);
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert_eq!(error.detail(), Some("The place is strategies.fake.type."));
    let hint = error.hint().unwrap();
    assert!(hint.starts_with("Perhaps type \"email\" was meant. Allowed: \"address\", "));
    assert!(hint.contains("\"username\""));
    for word in ["unknown_strategy", "Email", "pattern", "conditional"] {
        let errors = refused(&document(&format!("{{s: {{type: {word}}}}}"), "{t: []}"));
        assert_eq!(
            errors[0].message,
            format!("strategy type \"{word}\" is not allowed")
        );
    }
}

#[test]
fn version_is_kept_as_written() {
    for (written, kept) in [
        ("1.0", "1.0"),
        ("1", "1"),
        ("\"1.0\"", "1.0"),
        ("1.10", "1.10"),
    ] {
        let yaml = table("[]").replace("version: 1", &format!("version: {written}"));
        assert_eq!(accepted(&yaml).0.version, kept);
    }
    let message = only_error(&table("[]").replace("version: 1", "version:"));
    assert_eq!(message, "type 2:8 version text expected, but nothing found");
}

#[test]
fn name_must_be_short_and_plain() {
    for name in ["-a", "a b", "é", "\"\"", "' '", &"x".repeat(64)] {
        let message = only_error(&table("[]").replace("name: p", &format!("name: {name}")));
        assert!(message.starts_with("value 1:7 name "), "{message}");
    }
    for name in ["a", "9.a_B-c", "2024", &"x".repeat(63)] {
        let yaml = table("[]").replace("name: p", &format!("name: {name}"));
        assert_eq!(accepted(&yaml).0.name, name);
    }
}

#[test]
fn unrecognized_keys_are_errors_with_the_nearest_name() {
    let problems = refused(&table("[{colum: c, strategy: m, column: d}]"));
    assert_eq!(problems[0].message, "unrecognized key \"colum\"");
    let hint = problems[0].hint.as_deref().unwrap();
    assert!(
        hint.starts_with("Perhaps key \"column\" was meant."),
        "{hint}"
    );
    for yaml in [
        table("{rules: [], sede: 1}"),
        table("{preserve: [{column: a, why: b, x: c}]}"),
        document("{m: {type: email, confg: {}}}", "{t: []}"),
        table("[]") + "x: 1\n",
    ] {
        assert!(only_error(&yaml).starts_with("unknown_key "), "{yaml}");
    }
}

#[test]
fn duplicate_keys_are_errors_that_name_both_places() {
    let yaml = document("{m: {type: email}, \"m\": {type: redact}}", "{t: []}");
    let message = only_error(&yaml);
    assert_eq!(
        message,
        "duplicate_key 3:32  key \"m\" is already used at line 3 column 14"
    );
    assert!(only_error(&table("[{column: c, strategy: m, column: d}]")).contains("duplicate_key"));
    assert!(only_error(&document("{}", "{1: [], \"1\": []}")).contains("duplicate_key"));
    let message = only_error(&document("{}", "{users: [], \"\\\"users\\\"\": []}"));
    assert!(message.starts_with("duplicate_table "), "{message}");
}

#[test]
fn parameters_are_checked_at_their_own_place() {
    let yaml = document(
        "{m: {type: hash, config: {length: no, lenght: 3}}}",
        "{t: []}",
    );
    let errors = refused(&yaml);
    assert_eq!(codes(&errors), ["parameter", "parameter"]);
    assert_eq!(errors[0].path, "strategies.m.config.length");
    assert_eq!(
        errors[0].place,
        Some(Place {
            line: 3,
            column: 47
        })
    );
    assert_eq!(errors[1].path, "strategies.m.config.lenght");
    for value in ["1.5", "null", "[1]", "99999999999999999999"] {
        let yaml = document(
            &format!("{{m: {{type: hash, config: {{length: {value}}}}}}}"),
            "{t: []}",
        );
        assert!(only_error(&yaml).starts_with("parameter 3:47 strategies.m.config.length"));
    }
    let options = "[{column: c, strategy: m, options: {replacement: x}}]";
    let message = only_error(&table(options));
    assert!(
        message.starts_with("parameter 4:62 tables.t[0].options.replacement"),
        "{message}"
    );
}

#[test]
fn words_of_yaml_1_1_are_texts() {
    for word in ["no", "yes", "on", "off", "0x10", "1_000", ".inf"] {
        let strategies = format!("{{m: {{type: redact, config: {{replacement: {word}}}}}}}");
        let (profile, _) = accepted(&document(&strategies, "{t: []}"));
        assert_eq!(
            profile.strategies["m"].params["replacement"],
            Value::from(word)
        );
    }
    let yaml = document(
        "{m: {type: email, config: {preserve_domain: yes}}}",
        "{t: []}",
    );
    assert!(only_error(&yaml).starts_with("parameter "));
}

#[test]
fn strategy_without_a_rule_is_a_warning() {
    let (_, problems) = accepted(&table("[]"));
    assert_eq!(codes(&problems), ["unused_strategy"]);
    assert_eq!(
        problems[0].place,
        Some(Place {
            line: 3,
            column: 14
        })
    );
    assert!(accepted(&document("{}", "{t: []}")).1.is_empty());
    assert_eq!(codes(&refused(&document("{}", "{}"))), ["value"]);
}

#[test]
fn all_problems_are_collected_in_the_order_of_the_document() {
    let yaml = "name: -a\nversion: 1\nstrategies:\n  a: {type: x}\n  b: {type: email, y: 1}\n\
                tables:\n  t:\n    - {column: c, strategy: d}\n    - {strategy: a}\n";
    let problems = refused(yaml);
    let expected = [
        "value",
        "strategy_type",
        "unknown_key",
        "undefined_strategy",
        "missing_key",
    ];
    assert_eq!(codes(&problems), expected);
    let error = load(yaml.as_bytes()).unwrap_err();
    assert!(
        error
            .detail()
            .unwrap()
            .ends_with("There are 4 more errors.")
    );
}

#[test]
fn problems_are_kept_in_bounded_number() {
    let rules = "{column: c, strategy: m, x: 1},".repeat(5000);
    let (profile, problems) = read(table(&format!("[{rules}]")).as_bytes());
    assert!(profile.is_none());
    assert_eq!(problems.len(), 101);
    assert_eq!(problems[100].code, "too_many");
}

#[test]
fn long_texts_are_refused() {
    let long = "x".repeat(256);
    let message = only_error(&table(&format!("[{{column: {long}, strategy: m}}]")));
    assert!(
        message.contains("must not be longer than 255 characters"),
        "{message}"
    );
    let why = |n: usize| {
        table(&format!(
            "{{preserve: [{{column: c, why: {}}}]}}",
            "x".repeat(n)
        ))
    };
    accepted(&why(10_000));
    assert!(only_error(&why(10_001)).starts_with("limit 4:"));
}

#[test]
fn aliases_to_scalars_work_within_a_budget() {
    let body = |n: usize| {
        let kept: Vec<_> = (0..n)
            .map(|i| format!("{{column: c{i}, why: *w}}"))
            .collect();
        table(&format!(
            "{{exclude: [{{column: c, why: &w key}}], preserve: [{}]}}",
            kept.join(",")
        ))
    };
    assert_eq!(accepted(&body(32)).0.tables[0].preserve[31].why, "key");
    assert!(only_error(&body(33)).starts_with("limit 4:"));
}
