//! The canonical JSON of a profile (RFC 8785), and its SHA-256.
//!
//! Two documents with the same content have the same canonical form, whatever their comments, key
//! order, order of tables and rules, or formatting. The form that is hashed says only *that* a
//! literal seed is there: a hash over a short number would let anyone find it by trying.
//! [`same_content`] tells such documents apart.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::ledger::canonical;
use crate::strategies::Seed;
use crate::strategies::params::{Params, Value};

use super::privacy::{Privacy, Units};
use super::{Acknowledged, Cached, Condition, Profile, Rule, SeedSource, Table, scope};

impl Profile {
    /// Returns the canonical JSON, in which every literal seed is the word `literal`.
    pub fn canonical_json(&self) -> String {
        canonical::json(&from_profile(self, Literals::Hidden))
    }

    /// Returns the SHA-256 of the canonical JSON.
    pub fn profile_hash(&self) -> [u8; 32] {
        Sha256::digest(self.canonical_json()).into()
    }
}

/// Whether two profiles say the same, literal seeds included.
pub fn same_content(a: &Profile, b: &Profile) -> bool {
    let of = |profile| canonical::json(&from_profile(profile, Literals::Compared));
    of(a) == of(b)
}

/// What becomes of literal seeds.
#[derive(Clone, Copy)]
enum Literals {
    /// Written out, for a comparison in memory.
    Compared,
    Hidden,
}

fn from_profile(profile: &Profile, literals: Literals) -> Json {
    let strategies = profile.strategies.iter().map(|(name, strategy)| {
        let definition = object([
            ("type", Some(Json::from(strategy.kind.name()))),
            ("type_version", Some(Json::from(strategy.kind.version()))),
            ("params", Some(params(strategy.strategy.effective_params()))),
            ("seed", seed(&strategy.seed, literals)),
        ]);
        (name.clone(), definition)
    });
    let mut tables: Vec<&Table> = profile.tables.iter().collect();
    tables.sort_by_key(|table| (&table.schema, &table.name));
    let tables = tables.into_iter().map(|asked| table(asked, literals));
    object([
        ("canonical_form", Some(Json::from(CANONICAL_FORM))),
        ("name", Some(Json::from(profile.name.as_str()))),
        ("version", Some(Json::from(profile.version.as_str()))),
        (
            "description",
            profile.description.as_deref().map(Json::from),
        ),
        ("coverage", Some(Json::from(profile.coverage.name()))),
        ("global_seed", seed(&profile.global_seed, literals)),
        ("strategies", Some(Json::Object(strategies.collect()))),
        ("tables", Some(Json::Array(tables.collect()))),
        // What came later is there only where it is used: other documents keep their hash.
        ("subset", list(&profile.subset, subset)),
        ("foreign_keys", list(&profile.foreign_keys, foreign_key)),
        ("exclude_tables", list(&profile.exclude_tables, excluded)),
        ("gates", list(&profile.gates, gate)),
        ("privacy", profile.privacy.as_ref().map(privacy)),
        // Absent where there is none, as in the form of documents before there were any.
        ("acknowledge", acknowledged(&profile.acknowledge)),
    ])
}

fn acknowledged(list: &[Acknowledged]) -> Option<Json> {
    let mut list: Vec<&Acknowledged> = list.iter().collect();
    list.sort_by_key(|one| (one.warning, &one.table, &one.column, &one.why));
    let item = |one: &Acknowledged| {
        object([
            ("warning", Some(Json::from(one.warning))),
            ("table", one.table.as_deref().map(Json::from)),
            ("column", one.column.as_deref().map(Json::from)),
            ("why", Some(Json::from(one.why.as_str()))),
        ])
    };
    (!list.is_empty()).then(|| Json::Array(list.into_iter().map(item).collect()))
}

fn table(table: &Table, literals: Literals) -> Json {
    let mut rules: Vec<&Rule> = table.rules.iter().collect();
    rules.sort_by_key(|rule| &rule.column);
    object([
        ("schema", table.schema.as_deref().map(Json::from)),
        ("table", Some(Json::from(table.name.as_str()))),
        (
            "rules",
            Some(Json::Array(
                rules.iter().map(|asked| rule(asked, literals)).collect(),
            )),
        ),
        ("preserve", Some(kept(&table.preserve))),
        ("exclude", Some(kept(&table.exclude))),
        ("where", Some(conditions(&table.filter))),
        ("limit", table.limit.map(rows)),
    ])
}

fn conditions(filter: &[Condition]) -> Json {
    Json::Array(filter.iter().map(condition).collect())
}

fn rows(limit: u64) -> Json {
    i64::try_from(limit).map_or(Json::Null, integer)
}

fn subset(seed: &scope::Seed) -> Json {
    object([
        ("table", Some(name(&seed.table))),
        ("where", Some(conditions(&seed.filter))),
    ])
}

fn foreign_key(key: &scope::ForeignKey) -> Json {
    let names = |columns: &[String]| Some(Json::from(columns.to_vec()));
    object([
        ("table", Some(name(&key.table))),
        ("columns", names(&key.columns)),
        ("references", Some(name(&key.references))),
        ("referenced_columns", names(&key.referenced_columns)),
    ])
}

fn gate(gate: &scope::Gate) -> Json {
    let columns = gate.quasi_identifiers.iter().map(|name| name.as_str());
    object([
        ("table", Some(name(&gate.table))),
        ("quasi_identifiers", Some(Json::from_iter(columns))),
        ("k", Some(Json::from(gate.k))),
    ])
}

fn privacy(privacy: &Privacy) -> Json {
    let item = |of: &Units| {
        object([
            ("table", Some(name(&of.table))),
            ("unit", of.unit.as_deref().map(Json::from)),
            ("rows_per_unit", Some(Json::from(of.rows_per_unit))),
        ])
    };
    object([
        ("budget", Some(Json::from(privacy.budget.as_str()))),
        ("rows_per_unit", privacy.rows_per_unit.map(Json::from)),
        ("tables", list(&privacy.tables, item)),
    ])
}

fn excluded(excluded: &scope::Excluded) -> Json {
    object([
        ("table", Some(name(&excluded.table))),
        ("why", Some(Json::from(excluded.why.as_str()))),
    ])
}

fn name(table: &scope::TableName) -> Json {
    object([
        ("schema", table.schema.as_deref().map(Json::from)),
        ("table", Some(Json::from(table.name.as_str()))),
    ])
}

/// A list in an order of its own; none where it is empty.
fn list<T>(items: &[T], form: impl Fn(&T) -> Json) -> Option<Json> {
    let mut items: Vec<Json> = items.iter().map(form).collect();
    items.sort_by_cached_key(canonical::json);
    (!items.is_empty()).then_some(Json::Array(items))
}

fn rule(rule: &Rule, literals: Literals) -> Json {
    object([
        ("column", Some(Json::from(rule.column.as_str()))),
        ("strategy", Some(Json::from(rule.strategy.as_str()))),
        ("seed", rule.seed.map(|seed| literal(seed, literals))),
        (
            "inputs",
            (!rule.inputs.is_empty()).then(|| Json::from_iter(rule.inputs.clone())),
        ),
        ("options", Some(params(&rule.options))),
        ("params", Some(params(rule.resolved.effective_params()))),
    ])
}

fn kept(kept: &[Cached]) -> Json {
    let mut kept: Vec<&Cached> = kept.iter().collect();
    kept.sort_by_key(|kept| &kept.column);
    let item = |kept: &Cached| {
        object([
            ("column", Some(Json::from(kept.column.as_str()))),
            ("why", Some(Json::from(kept.why.as_str()))),
        ])
    };
    Json::Array(kept.into_iter().map(item).collect())
}

fn condition(condition: &Condition) -> Json {
    let values = condition.values.iter().map(|value| {
        object([
            ("kind", Some(Json::from(value.kind.name()))),
            ("text", Some(Json::from(value.text.as_str()))),
        ])
    });
    object([
        ("column", Some(Json::from(condition.column.as_str()))),
        ("op", Some(Json::from(condition.op.name()))),
        ("values", Some(Json::Array(values.collect()))),
    ])
}

fn seed(source: &SeedSource, literals: Literals) -> Option<Json> {
    if source.literal.is_none() && source.env_var.is_none() {
        return None;
    }
    Some(object([
        ("seed", source.literal.map(|seed| literal(seed, literals))),
        ("env_var", source.env_var.as_deref().map(Json::from)),
    ]))
}

fn literal(seed: Seed, literals: Literals) -> Json {
    match literals {
        Literals::Compared => integer(seed.number()),
        Literals::Hidden => Json::from("literal"),
    }
}

/// SHA-256 of the parameters of a strategy in canonical form.
pub fn params_hash(of: &Params) -> [u8; 32] {
    Sha256::digest(canonical::json(&params(of))).into()
}

fn params(params: &Params) -> Json {
    let members = params
        .iter()
        .map(|(name, value)| (name.clone(), parameter(value)));
    Json::Object(members.collect())
}

fn parameter(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => integer(*value),
        Value::List(values) => Json::Array(values.iter().map(parameter).collect()),
        Value::Map(values) => object([("map", Some(params(values)))]),
        // As text: how a number is written is the one thing that JSON libraries disagree about.
        Value::Number(value) => object([("number", Some(Json::from(value.get().to_string())))]),
        Value::Text(value) => Json::from(value.as_str()),
    }
}

/// JSON of RFC 8785 has the integers of a double only; others are written as text, inside an
/// object so that no text can look the same.
fn integer(value: i64) -> Json {
    if value.unsigned_abs() < 1 << 53 {
        Json::from(value)
    } else {
        object([("integer", Some(Json::String(value.to_string())))])
    }
}

fn object<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let present = members
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Json::Object(present.collect())
}

/// The number of this form, so that a later form cannot be mistaken for it.
const CANONICAL_FORM: i64 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::load;

    fn profile(yaml: &str) -> Profile {
        load(yaml.as_bytes()).unwrap().0
    }

    const ONE: &str = "{name: p, version: 1.0, global_seed: 1,
        strategies: {m: {type: email, seed_env_var: ANONYMIZATION_SEED}},
        tables: {b: [{column: y, strategy: m}, {column: x, strategy: m, seed: 3}], a: []}}";

    #[test]
    fn keys_are_sorted_by_utf16_units() {
        // U+1F600 is before U+FB33 in UTF-16, and after it in UTF-8 (RFC 8785 §3.2.3).
        let names = [
            "\u{fb33}",
            "\u{1f600}",
            "\u{20ac}",
            "1",
            "\r",
            "\u{f6}",
            "\u{80}",
        ];
        let object = Json::Object(
            names
                .map(|name| (name.to_owned(), Json::from(0)))
                .into_iter()
                .collect(),
        );
        let expected = "{\"\\r\":0,\"1\":0,\"\u{80}\":0,\"\u{f6}\":0,\"\u{20ac}\":0,\
                        \"\u{1f600}\":0,\"\u{fb33}\":0}";
        assert_eq!(canonical::json(&object), expected);
    }

    #[test]
    fn texts_are_escaped_as_rfc_8785_escapes_them() {
        let text = canonical::json(&Json::from("\u{20ac}$\u{f}\nA'\u{42}\"\\\\\"/\u{7f}"));
        assert_eq!(text, "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\"");
    }

    #[test]
    fn integers_beyond_a_double_are_told_apart_from_texts() {
        assert_eq!(canonical::json(&integer((1 << 53) - 1)), "9007199254740991");
        assert_eq!(
            canonical::json(&integer(1 << 53)),
            "{\"integer\":\"9007199254740992\"}"
        );
    }

    #[test]
    fn form_is_valid_json_with_everything_in_it() {
        let text = profile(ONE).canonical_json();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["version"], "1.0");
        assert_eq!(json["global_seed"]["seed"], "literal");
        assert_eq!(
            json["strategies"]["m"]["seed"]["env_var"],
            "ANONYMIZATION_SEED"
        );
        assert_eq!(json["strategies"]["m"]["type"], "email");
        assert!(json["strategies"]["m"]["type_version"].is_u64());
        assert_eq!(json["tables"][0]["table"], "a");
        assert_eq!(json["tables"][1]["rules"][0]["column"], "x");
        assert_eq!(json["tables"][1]["rules"][0]["seed"], "literal");
    }

    #[test]
    fn hash_ignores_comments_order_and_formatting() {
        let other = "# a comment\ntables:\n  a: {rules: []}\n  b:\n    rules:\n      \
            - {strategy: m, seed: 3, column: \"x\", options: {}}\n      - column: y\n        \
            strategy: 'm'\nstrategies:\n  m:\n    config: {seed_env_var: ANONYMIZATION_SEED}\n    \
            type: email\nglobal_seed: +1\nversion: '1.0'\nname: p\n";
        assert_eq!(
            profile(ONE).canonical_json(),
            profile(other).canonical_json()
        );
        assert_eq!(profile(ONE).profile_hash(), profile(other).profile_hash());
        assert!(same_content(&profile(ONE), &profile(other)));
    }

    #[test]
    fn hash_does_not_depend_on_a_literal_seed_but_same_content_does() {
        for (old, new) in [("global_seed: 1", "global_seed: 2"), ("seed: 3", "seed: 4")] {
            let (one, other) = (profile(ONE), profile(&ONE.replace(old, new)));
            assert_eq!(one.profile_hash(), other.profile_hash());
            assert!(!same_content(&one, &other));
        }
        let without = profile(&ONE.replace(", seed: 3", ""));
        assert_ne!(profile(ONE).profile_hash(), without.profile_hash());
    }

    /// Runs on record name this hash.
    #[test]
    fn hash_of_a_document_stays_as_keys_are_added() {
        assert!(!profile(ONE).canonical_json().contains("subset"));
        assert_eq!(
            hex::encode(profile(ONE).profile_hash()),
            "6d1e28e36a41408cd3b3d123a3d989d019417480f6ed39093509ef9a5f5550f2"
        );
    }

    #[test]
    fn hash_depends_on_all_other_content() {
        let hash = profile(ONE).profile_hash();
        for (old, new) in [
            ("name: p", "name: q"),
            ("1.0", "1.00"),
            ("ANONYMIZATION_SEED", "ANONYMIZATION_SEEDS"),
            ("type: email", "type: hash"),
            (
                "type: email",
                "type: email, config: {preserve_domain: true}",
            ),
            ("a: []", "c: []"),
            ("a: []", "s.a: []"),
            ("a: []", "a: {exclude: [{column: z, why: w}]}"),
            ("a: []", "a: {preserve: [{column: z, why: w}]}"),
            ("a: []", "a: {where: [[z, is_null]]}"),
            ("a: []", "a: {limit: 5}"),
            ("{name", "{subset: {b: []}, name"),
            ("{name", "{subset: {b: [[z, '=', 1]]}, name"),
            (
                "{name",
                "{foreign_keys: [{table: b, columns: x, references: a, referenced_columns: x}], name",
            ),
            ("{name", "{exclude_tables: [{table: z, why: w}], name"),
            (
                "{name",
                "{gates: [{table: b, quasi_identifiers: x, k: 5}], name",
            ),
            ("{name", "{privacy: {budget: b}, name"),
            ("{name", "{privacy: {budget: c}, name"),
            ("{name", "{privacy: {budget: b, rows_per_unit: 2}, name"),
            (
                "{name",
                "{privacy: {budget: b, tables: {b: {rows_per_unit: 2}}}, name",
            ),
            (
                "{name",
                "{privacy: {budget: b, tables: {b: {unit: u, rows_per_unit: 2}}}, name",
            ),
            ("column: y", "column: z"),
            ("{name", "{coverage: copy, name"),
            ("{name", "{description: d, name"),
        ] {
            assert_ne!(
                hash,
                profile(&ONE.replace(old, new)).profile_hash(),
                "{new}"
            );
        }
    }
}
