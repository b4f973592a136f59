//! Subsets, declared foreign keys, excluded tables, limits.

use super::*;

fn scoped(more: &str) -> String {
    let tables = "{a: [{column: x, strategy: m}], s.b: {preserve: [{column: y, why: w}]}}";
    format!("{}\n{more}", document("{m: {type: hash}}", tables))
}

#[test]
fn scope_is_read() {
    let more = "subset: {a: [[x, '=', FR], [y, is_null]], b: []}
foreign_keys:
  - {table: b, columns: [y, z], references: a, referenced_columns: [x, z]}
  - {table: s.b, columns: y, references: a, referenced_columns: x}
exclude_tables: [{table: audit_trail, why: not needed}, {table: '\"s.x\".t', why: nor this}]";
    let (profile, _) = accepted(&scoped(more));
    assert_eq!(profile.subset[0].filter.len(), 2);
    assert!(profile.subset[1].filter.is_empty());
    assert_eq!(profile.foreign_keys[0].referenced_columns, ["x", "z"]);
    assert_eq!(profile.foreign_keys[1].columns, ["y"]);
    assert_eq!(
        profile.exclude_tables[1].table.schema.as_deref(),
        Some("s.x")
    );
    assert_eq!(profile.exclude_tables[0].why, "not needed");
    let more = "gates: [{table: a, quasi_identifiers: [x, y], k: 5}]";
    let gate = accepted(&scoped(more)).0.gates.remove(0);
    assert_eq!((gate.table.name.as_str(), gate.k), ("a", 5));
    assert_eq!(gate.quasi_identifiers, ["x", "y"]);
    let more = "privacy: {budget: b, rows_per_unit: 2, tables: {s.b: {unit: u, rows_per_unit: 9}}}";
    let privacy = accepted(&scoped(more)).0.privacy.expect("read");
    assert_eq!(privacy.rows_of(None, "a"), Some(2));
    assert_eq!(privacy.rows_of(Some("s"), "b"), Some(9));
    assert_eq!(privacy.rows_of(Some("t"), "b"), Some(2));
    assert_eq!(
        privacy.of(None, "b").and_then(|of| of.unit.as_deref()),
        Some("u")
    );
    let limited = table("{preserve: [{column: c, why: w}], limit: 1000}");
    assert_eq!(accepted(&limited).0.tables[0].limit, Some(1000));
}

#[test]
fn noise_needs_a_number_of_rows() {
    let noisy = document(
        "{m: {type: dp_noise, config: {epsilon: 1, sensitivity: 1}}}",
        "{a: [{column: x, strategy: m}]}",
    );
    for (privacy, expected) in [
        ("privacy: {budget: b}", Some("missing_key")),
        ("privacy: {budget: b, rows_per_unit: 1}", None),
        (
            "privacy: {budget: b, tables: {a: {rows_per_unit: 1}}}",
            None,
        ),
        ("", None),
    ] {
        let (_, problems) = read(format!("{noisy}{privacy}").as_bytes());
        let errors = problems.iter().filter(|p| p.severity == Severity::Error);
        let codes: Vec<_> = errors.map(|p| p.code).collect();
        assert_eq!(codes, Vec::from_iter(expected), "{privacy}");
    }
}

#[test]
fn scope_names_tables_of_the_document_only() {
    for (more, expected) in [
        (
            "gates: [{table: c, quasi_identifiers: x, k: 5}]",
            "undefined_table",
        ),
        ("gates: [{table: a, quasi_identifiers: [], k: 5}]", "value"),
        (
            "gates: [{table: a, quasi_identifiers: [x, x], k: 5}]",
            "duplicate_column",
        ),
        ("gates: [{table: a, quasi_identifiers: x, k: 0}]", "value"),
        (
            "gates: [{table: a, quasi_identifiers: x, k: many}]",
            "value",
        ),
        ("gates: [{table: a, quasi_identifiers: x}]", "missing_key"),
        (
            "gates: [{table: a, quasi_identifiers: x, k: 5, l: 2}]",
            "unknown_key",
        ),
        ("privacy: {rows_per_unit: 2}", "missing_key"),
        ("privacy: {budget: b, rows_per_unit: 0}", "value"),
        ("privacy: {budget: b, rows_per_unit: some}", "value"),
        ("privacy: {budget: b, rows_per_unit: 1000000001}", "value"),
        ("privacy: {budget: b, epsilon: 1}", "unknown_key"),
        (
            "privacy: {budget: b, tables: {a: {unit: u}}}",
            "missing_key",
        ),
        (
            "privacy: {budget: b, tables: {c: {rows_per_unit: 1}}}",
            "undefined_table",
        ),
        (
            "privacy: {budget: b, tables: {b: {rows_per_unit: 1}, s.b: {rows_per_unit: 1}}}",
            "duplicate_table",
        ),
        ("subset: {c: []}", "undefined_table"),
        ("subset: {}", "value"),
        ("subset: []", "type"),
        ("subset: {a: [[x, like, y]]}", "value"),
        ("subset: {b: [], s.b: []}", "duplicate_table"),
        (
            "foreign_keys: [{table: c, columns: x, references: a, referenced_columns: x}]",
            "undefined_table",
        ),
        (
            "foreign_keys: [{table: b, columns: x, references: z.b, referenced_columns: x}]",
            "undefined_table",
        ),
        (
            "foreign_keys: [{table: b, columns: [x, y], references: a, referenced_columns: x}]",
            "value",
        ),
        (
            "foreign_keys: [{table: b, columns: [], references: a, referenced_columns: x}]",
            "value",
        ),
        (
            "foreign_keys: [{table: b, columns: x, references: a}]",
            "missing_key",
        ),
        ("exclude_tables: [{table: a, why: w}]", "duplicate_table"),
        (
            "exclude_tables: [{table: z, why: w}, {table: z, why: v}]",
            "duplicate_table",
        ),
        ("exclude_tables: [{table: z}]", "missing_key"),
        ("exclude_tables: [{table: 'x.y.z', why: w}]", "value"),
        ("exclude_tables: [z]", "type"),
    ] {
        assert!(only_error(&scoped(more)).starts_with(expected), "{more}");
    }
    for bad in ["-1", "1.5", "many", "''", "[1]", "99999999999999999999"] {
        let body = format!("{{preserve: [{{column: c, why: w}}], limit: {bad}}}");
        assert!(only_error(&table(&body)).starts_with("value"), "{bad}");
    }
}
