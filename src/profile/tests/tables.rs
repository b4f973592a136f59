//! Tables, rules, columns that are kept, filters.

use super::*;

#[test]
fn rule_must_name_a_defined_strategy() {
    let yaml = document(
        "{mask: {type: email}}",
        "{t: [{column: c, strategy: maks}]}",
    );
    let problems = refused(&yaml);
    assert_eq!(problems[0].message, "strategy \"maks\" is not defined");
    assert_eq!(
        problems[0].hint.as_deref(),
        Some("Perhaps strategy \"mask\" was meant.")
    );
    assert_eq!(problems[0].path, "tables.t[0].strategy");
}

#[test]
fn column_may_be_named_once() {
    for body in [
        "[{column: c, strategy: m}, {column: c, strategy: m}]",
        "{rules: [{column: c, strategy: m}], preserve: [{column: c, why: w}]}",
        "{rules: [{column: c, strategy: m}], exclude: [{column: c, why: w}]}",
        "{preserve: [{column: c, why: w}], exclude: [{column: c, why: w}]}",
        "{preserve: [{column: '*', why: w}], exclude: [{column: '*', why: w}]}",
    ] {
        assert!(
            only_error(&table(body)).starts_with("duplicate_column 4:"),
            "{body}"
        );
    }
    assert!(only_error(&table("[{column: '*', strategy: m}]")).contains("must name one column"));
}

#[test]
fn preserve_and_exclude_need_a_reason() {
    let body = "{preserve: [{column: '*', why: w}], exclude: [{column: d, why: 'x y'}]}";
    let (profile, _) = accepted(&table(body));
    assert_eq!(profile.tables[0].preserve[0].column, "*");
    assert_eq!(profile.tables[0].exclude[0].why, "x y");
    assert!(only_error(&table("{preserve: [{column: c}]}")).starts_with("missing_key 4:25"));
    assert!(only_error(&table("{exclude: [{column: c, why: ' '}]}")).contains("must not be blank"));
}

#[test]
fn options_are_laid_over_the_parameters_of_the_strategy() {
    let yaml = document(
        "{m: {type: redact, config: {replacement: a}}}",
        "{t: [{column: c, strategy: m, options: {replacement: b}}, {column: d, strategy: m}]}",
    );
    let (profile, _) = accepted(&yaml);
    let replacement = |rule: usize| {
        profile.tables[0].rules[rule].resolved.effective_params()["replacement"].clone()
    };
    assert_eq!(
        (replacement(0), replacement(1)),
        (Value::from("b"), Value::from("a"))
    );
}

#[test]
fn table_names_follow_sql() {
    let tables = "{Users: [], app.users: [], '\"Weird.Name\"': [], '\"a b\".\"c\"\"d\"': []}";
    let (profile, _) = accepted(&document("{}", tables));
    let names: Vec<_> = profile
        .tables
        .iter()
        .map(|t| (t.schema.as_deref(), t.name.as_str()))
        .collect();
    let weird = [(None, "Weird.Name"), (Some("a b"), "c\"d")];
    assert_eq!(
        names,
        [[(None, "Users"), (Some("app"), "users")], weird].concat()
    );
    assert!(only_error(&document("{}", "{a.b.c: []}")).starts_with("value 4:10 tables.'a.b.c'"));
}

#[test]
fn filter_is_structured() {
    let body = "{where: [[a, '>=', '2024-01-01'], [b, in, [1, 2.5, yes]], [c, is_null], \
                [d, is_not_null, null], [e, '=', True], [f, <>, 123456789012345678901]]}";
    let (profile, _) = accepted(&table(body));
    let shown: Vec<_> = profile.tables[0]
        .filter
        .iter()
        .map(|c| {
            let values: Vec<_> = c
                .values
                .iter()
                .map(|v| format!("{}:{}", v.kind.name(), v.text))
                .collect();
            format!("{} {} {}", c.column, c.op.name(), values.join(","))
        })
        .collect();
    let expected = [
        "a >= text:2024-01-01",
        "b in int:1,number:2.5,text:yes",
        "c is_null ",
        "d is_not_null ",
        "e = bool:true",
        "f <> int:123456789012345678901",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn filter_refuses_everything_else() {
    for condition in [
        "'a = 1'",
        "[a]",
        "[a, '=']",
        "[a, '=', 1, 2]",
        "[a, '=', null]",
        "[a, '=', [1]]",
        "[a, in, 1]",
        "[a, in, []]",
        "[a, in, [[1]]]",
        "[a, in, [null]]",
        "[a, like, x]",
        "[a, '!=', 1]",
        "[a, is_null, 1]",
        "['', '=', 1]",
        "[[a], '=', 1]",
        "{a: 1}",
        "[a, '= 1; drop table t; --', 1]",
        "[a, IN, [1]]",
    ] {
        let message = only_error(&table(&format!("{{where: [{condition}]}}")));
        assert!(
            message.contains(" 4:") && message.contains("tables.t.where[0]"),
            "{message}"
        );
    }
    assert!(only_error(&table("{where: a = 1}")).contains("list expected"));
    assert!(only_error(&table("{where: }")).contains("list expected"));
}
