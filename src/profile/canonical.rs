//! The canonical JSON of a profile (RFC 8785), and its SHA-256.
//!
//! Two documents with the same content have the same canonical form, whatever their comments, key
//! order, order of tables and rules, or formatting. The form that is hashed says only *that* a
//! literal seed is there: a hash over a short number would let anyone find it by trying.
//! [`same_content`] tells such documents apart.

use sha2::{Digest, Sha256};

use crate::strategies::Seed;
use crate::strategies::params::{Params, Value};

use super::{Condition, Kept, Profile, Rule, SeedSource, Table};

impl Profile {
    /// Returns the canonical JSON, in which every literal seed is the word `literal`.
    pub fn canonical_json(&self) -> String {
        Json::from_profile(self, Literals::Hidden).to_text()
    }

    /// Returns the SHA-256 of the canonical JSON.
    pub fn profile_hash(&self) -> [u8; 32] {
        Sha256::digest(self.canonical_json()).into()
    }
}

/// Whether two profiles say the same, literal seeds included.
pub fn same_content(a: &Profile, b: &Profile) -> bool {
    let of = |profile| Json::from_profile(profile, Literals::Compared).to_text();
    of(a) == of(b)
}

/// What becomes of literal seeds.
#[derive(Clone, Copy)]
enum Literals {
    /// Written out, for a comparison in memory.
    Compared,
    Hidden,
}

enum Json {
    Bool(bool),
    Int(i64),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
    Text(String),
}

impl Json {
    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    fn from_profile(profile: &Profile, literals: Literals) -> Self {
        let strategies = profile.strategies.iter().map(|(name, strategy)| {
            let definition = Self::object([
                ("type", Some(Self::text(strategy.kind.name()))),
                (
                    "type_version",
                    Some(Self::Int(strategy.kind.version().into())),
                ),
                (
                    "params",
                    Some(Self::params(&strategy.strategy.effective_params())),
                ),
                ("seed", Self::seed(&strategy.seed, literals)),
            ]);
            (name.clone(), definition)
        });
        let mut tables: Vec<&Table> = profile.tables.iter().collect();
        tables.sort_by_key(|table| (&table.schema, &table.name));
        let tables = tables.into_iter().map(|table| Self::table(table, literals));
        Self::object([
            ("canonical_form", Some(Self::Int(CANONICAL_FORM))),
            ("name", Some(Self::text(&profile.name))),
            ("version", Some(Self::text(&profile.version))),
            (
                "description",
                profile.description.as_deref().map(Self::text),
            ),
            ("coverage", Some(Self::text(profile.coverage.name()))),
            ("global_seed", Self::seed(&profile.global_seed, literals)),
            ("strategies", Some(Self::Object(strategies.collect()))),
            ("tables", Some(Self::List(tables.collect()))),
        ])
    }

    fn table(table: &Table, literals: Literals) -> Self {
        let mut rules: Vec<&Rule> = table.rules.iter().collect();
        rules.sort_by_key(|rule| &rule.column);
        Self::object([
            ("schema", table.schema.as_deref().map(Self::text)),
            ("table", Some(Self::text(&table.name))),
            (
                "rules",
                Some(Self::List(
                    rules.iter().map(|r| Self::rule(r, literals)).collect(),
                )),
            ),
            ("preserve", Some(Self::kept(&table.preserve))),
            ("exclude", Some(Self::kept(&table.exclude))),
            (
                "where",
                Some(Self::List(
                    table.filter.iter().map(Self::condition).collect(),
                )),
            ),
        ])
    }

    fn rule(rule: &Rule, literals: Literals) -> Self {
        Self::object([
            ("column", Some(Self::text(&rule.column))),
            ("strategy", Some(Self::text(&rule.strategy))),
            ("seed", rule.seed.map(|seed| Self::literal(seed, literals))),
            ("options", Some(Self::params(&rule.options))),
            (
                "params",
                Some(Self::params(&rule.resolved.effective_params())),
            ),
        ])
    }

    fn kept(kept: &[Kept]) -> Self {
        let mut kept: Vec<&Kept> = kept.iter().collect();
        kept.sort_by_key(|kept| &kept.column);
        let item = |kept: &Kept| {
            Self::object([
                ("column", Some(Self::text(&kept.column))),
                ("why", Some(Self::text(&kept.why))),
            ])
        };
        Self::List(kept.into_iter().map(item).collect())
    }

    fn condition(condition: &Condition) -> Self {
        let values = condition.values.iter().map(|value| {
            Self::object([
                ("kind", Some(Self::text(value.kind.name()))),
                ("text", Some(Self::text(&value.text))),
            ])
        });
        Self::object([
            ("column", Some(Self::text(&condition.column))),
            ("op", Some(Self::text(condition.op.name()))),
            ("values", Some(Self::List(values.collect()))),
        ])
    }

    fn seed(source: &SeedSource, literals: Literals) -> Option<Self> {
        if source.literal.is_none() && source.env_var.is_none() {
            return None;
        }
        Some(Self::object([
            (
                "seed",
                source.literal.map(|seed| Self::literal(seed, literals)),
            ),
            ("env_var", source.env_var.as_deref().map(Self::text)),
        ]))
    }

    fn literal(seed: Seed, literals: Literals) -> Self {
        match literals {
            Literals::Compared => Self::integer(seed.number()),
            Literals::Hidden => Self::text("literal"),
        }
    }

    fn params(params: &Params) -> Self {
        let members = params.iter().map(|(name, value)| {
            let value = match value {
                Value::Bool(value) => Self::Bool(*value),
                Value::Int(value) => Self::integer(*value),
                Value::Text(value) => Self::text(value),
            };
            (name.clone(), value)
        });
        Self::Object(members.collect())
    }

    /// JSON of RFC 8785 has the integers of a double only; others are written as text, inside an
    /// object so that no text can look the same.
    fn integer(value: i64) -> Self {
        if value.unsigned_abs() < 1 << 53 {
            Self::Int(value)
        } else {
            Self::object([("integer", Some(Self::Text(value.to_string())))])
        }
    }

    fn object<const N: usize>(members: [(&str, Option<Self>); N]) -> Self {
        let present = members
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Self::Object(present.collect())
    }

    fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => out.push_str(&value.to_string()),
            Self::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
                out.push('{');
                for (i, (key, value)) in members.into_iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
            Self::Text(text) => write_text(text, out),
        }
    }
}

/// Writes a string as RFC 8785 §3.2.2.2 wants it.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
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
        let object = Json::Object(names.map(|name| (name.to_owned(), Json::Int(0))).into());
        let expected = "{\"\\r\":0,\"1\":0,\"\u{80}\":0,\"\u{f6}\":0,\"\u{20ac}\":0,\
                        \"\u{1f600}\":0,\"\u{fb33}\":0}";
        assert_eq!(object.to_text(), expected);
    }

    #[test]
    fn texts_are_escaped_as_rfc_8785_escapes_them() {
        let text = Json::text("\u{20ac}$\u{f}\nA'\u{42}\"\\\\\"/\u{7f}").to_text();
        assert_eq!(text, "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\"");
    }

    #[test]
    fn integers_beyond_a_double_are_told_apart_from_texts() {
        assert_eq!(Json::integer((1 << 53) - 1).to_text(), "9007199254740991");
        assert_eq!(
            Json::integer(1 << 53).to_text(),
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
