//! Properties of json: documents and hstores of every shape, and paths into them.

use std::collections::BTreeMap;

use confiture::strategies::{
    Datum, Input, Kind, Mask, Params, Row, Seed, Strategy, Subkeys, Value, ValueType,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{prop_oneof, proptest};
use serde_json::{Value as Json, json};

const KEY: [u8; 32] = [0x5a; 32];

fn params(paths: &BTreeMap<String, String>, unlisted: &str) -> Params {
    let paths = paths
        .iter()
        .map(|(k, v)| (k.clone(), Value::from(v.as_str())));
    Params::from([
        ("paths".to_owned(), Value::Map(paths.collect())),
        ("unlisted".to_owned(), Value::from(unlisted)),
    ])
}

fn compile(kind: Kind, params: &Params, of: ValueType) -> Mask {
    let strategy = Strategy::new(kind, params).expect("valid parameters");
    let keys = Subkeys::new(&KEY, &KEY);
    strategy
        .mask(&keys, Seed::new(7), of)
        .expect("a type it accepts")
}

fn one(path: &str, action: &str, unlisted: &str) -> Mask {
    let paths = BTreeMap::from([(path.to_owned(), action.to_owned())]);
    compile(Kind::Json, &params(&paths, unlisted), ValueType::Text)
}

/// Documents with few names, so that paths meet them.
fn document() -> impl Generator<Value = Json> {
    let scalar = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
        "[a-c\"\\\\\u{0}-\u{20}é😀]{0,4}".prop_map(Json::from),
    ];
    scalar.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            btree_map("[abc]|d e|\\PC{0,2}", inner, 0..4).prop_map(|members| members
                .into_iter()
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

fn segment() -> impl Generator<Value = String> {
    let forms = [
        ".a", ".b", ".c", "['d e']", "[0]", "[1]", "[*]", "..a", "..b", "..*",
    ];
    (0..forms.len()).prop_map(move |place| forms[place].to_owned())
}

/// Paths with what becomes of the parts, those that may stand together.
fn paths() -> impl Generator<Value = BTreeMap<String, String>> {
    let path = vec(segment(), 0..4).prop_map(|segments| format!("${}", segments.concat()));
    let words = ["keep", "redact", "hash", "drop", "null"];
    let action =
        move |count: usize| (0..count).prop_map(move |place: usize| words[place].to_owned());
    let names = vec(segment(), 1..4).prop_map(|segments| format!("${}~", segments.concat()));
    let pair = prop_oneof![4 => (path, action(5)), 1 => (names, action(3))];
    vec(pair, 0..5)
        .prop_map(|pairs| pairs.into_iter().collect::<BTreeMap<_, _>>())
        .prop_filter("paths that may stand together", |paths| {
            Strategy::new(Kind::Json, &params(paths, "redact")).is_ok()
        })
}

/// The rules, told once more: every part for itself, from its way down from the root.
struct Model {
    paths: Vec<(Vec<String>, String)>,
    names: Vec<(Vec<String>, String)>,
    unlisted: String,
    text: Mask,
    int: Mask,
}

impl Model {
    fn new(paths: &BTreeMap<String, String>, unlisted: &str) -> Self {
        let split = |path: &str| {
            let marked = path.replace("..", "\0:");
            let marked = marked.replace(['.', '['], "\0").replace("\0:", "\0..");
            let steps = marked.split('\0').skip(1);
            steps
                .map(|step| step.trim_matches([']', '\'']).to_owned())
                .collect()
        };
        let is_name = |path: &&String| path.ends_with('~');
        let pairs = |(path, action): (&String, &String)| {
            (split(path.trim_end_matches('~')), action.clone())
        };
        Self {
            names: paths
                .iter()
                .filter(|(path, _)| is_name(path))
                .map(pairs)
                .collect(),
            paths: paths
                .iter()
                .filter(|(path, _)| !is_name(path))
                .map(pairs)
                .collect(),
            unlisted: unlisted.to_owned(),
            text: compile(Kind::Hash, &Params::new(), ValueType::Text),
            int: compile(Kind::Hash, &Params::new(), ValueType::Int64),
        }
    }

    fn leads(path: &[String], way: &[(bool, String)]) -> bool {
        let (Some(step), Some((index, label))) = (path.first(), way.first()) else {
            return path.is_empty() && way.is_empty();
        };
        let name = step.trim_start_matches("..");
        let is_index = name.parse::<usize>().is_ok();
        let here = name == "*" || name == label && is_index == *index;
        here && Self::leads(&path[1..], &way[1..])
            || step.starts_with("..") && Self::leads(path, &way[1..])
    }

    fn rank(path: &[String]) -> Vec<u8> {
        let rank = |step: &String| match (step.starts_with(".."), step.ends_with('*')) {
            (false, false) => 3,
            (false, true) => 2,
            (true, false) => 1,
            (true, true) => 0,
        };
        path.iter().map(rank).collect()
    }

    fn decide(&self, way: &[(bool, String)]) -> (&str, bool) {
        for end in (0..=way.len()).rev() {
            let here = self
                .paths
                .iter()
                .filter(|(path, _)| Self::leads(path, &way[..end]));
            if let Some((_, action)) = here.max_by_key(|(path, _)| Self::rank(path)) {
                return (action, true);
            }
        }
        (&self.unlisted, false)
    }

    fn rename(&self, name: &str, way: &[(bool, String)]) -> String {
        let here = self.names.iter().filter(|(path, _)| Self::leads(path, way));
        let action = here
            .max_by_key(|(path, _)| Self::rank(path))
            .map(|(_, action)| action);
        match self.scalar(&json!(name), action.map_or("keep", |action| action)) {
            Json::String(name) => name,
            other => panic!("{other}"),
        }
    }

    /// None: left out.
    fn mask(&self, value: &Json, way: &[(bool, String)]) -> Option<Json> {
        let (action, listed) = self.decide(way);
        let action = action.to_owned();
        let container = value.is_array() || value.is_object();
        if listed || !container {
            match action.as_str() {
                "drop" => return None,
                "null" => return Some(Json::Null),
                _ => {}
            }
        }
        let root = way.is_empty();
        let below = |label: (bool, String), value: &Json| {
            let mut way = way.to_vec();
            way.push(label);
            self.mask(value, &way)
        };
        let masked = match value {
            Json::Array(values) => {
                let values = values.iter().enumerate();
                values
                    .filter_map(|(n, value)| below((true, n.to_string()), value))
                    .collect()
            }
            Json::Object(members) => {
                let mut masked = serde_json::Map::new();
                for (name, value) in members {
                    if let Some(value) = below((false, name.clone()), value) {
                        let mut to = way.to_vec();
                        to.push((false, name.clone()));
                        masked.insert(self.rename(name, &to), value);
                    }
                }
                Json::Object(masked)
            }
            scalar => self.scalar(scalar, &action),
        };
        let empty = masked == json!([]) || masked == json!({});
        let pruned = action == "drop" && container && empty && !root;
        (!pruned).then_some(masked)
    }

    fn scalar(&self, value: &Json, action: &str) -> Json {
        match (action, value) {
            ("keep", _) | (_, Json::Null) => value.clone(),
            ("redact", Json::Bool(_)) => json!(false),
            ("redact", Json::Number(_)) => json!(0),
            ("redact", _) => json!("[REDACTED]"),
            (_, Json::Number(number)) => {
                let number = number.as_i64().expect("an integer");
                json!(self.int.int(number).expect("a number"))
            }
            (_, Json::String(text)) => json!(self.text.text(text).expect("a text")),
            _ => panic!("hash takes no {value}"),
        }
    }
}

/// A date as documents write it, counted from 2000-01-01 day by day.
fn date(days: i32) -> String {
    let leap = |year: i32| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut left) = (2000, days);
    while left < 0 || left >= 365 + i32::from(leap(year)) {
        if left < 0 {
            year -= 1;
            left += 365 + i32::from(leap(year));
        } else {
            left -= 365 + i32::from(leap(year));
            year += 1;
        }
    }
    let mut month = 0;
    let lengths = [
        31,
        28 + i32::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}", month + 1, left + 1)
}

/// Without what `hash` does not take.
fn hashable(value: Json) -> Json {
    match value {
        Json::Array(values) => values.into_iter().map(hashable).collect(),
        Json::Object(members) => {
            let members = members
                .into_iter()
                .map(|(name, value)| (name, hashable(value)));
            Json::Object(members.collect())
        }
        Json::Bool(_) => Json::Null,
        Json::Number(number) if number.as_i64().is_none() => json!(1),
        other => other,
    }
}

proptest! {
    #[test]
    fn json_follows_its_rules(
        value in document().prop_map(hashable), paths in paths(),
        unlisted in "keep|drop|null|redact|hash", spaced in any::<bool>(),
    ) {
        let mask = compile(Kind::Json, &params(&paths, &unlisted), ValueType::Text);
        let text = if spaced {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            value.to_string()
        };
        let out: Json = serde_json::from_str(&mask.text(&text).unwrap()).unwrap();
        let expected = Model::new(&paths, &unlisted).mask(&value, &[]);
        prop_assert_eq!(out, expected.unwrap_or(Json::Null));
    }

    #[test]
    fn json_gives_a_document_for_every_document(
        value in document(), paths in paths(), unlisted in "keep|drop|null|redact",
    ) {
        let mut params = params(&paths, &unlisted);
        params.insert("on_error".to_owned(), Value::from("redact"));
        let mask = compile(Kind::Json, &params, ValueType::Text);
        // A document that is refused becomes a constant, which is text here.
        let text = value.to_string();
        let out = mask.text(&text).unwrap();
        prop_assert!(out == "[REDACTED]" || serde_json::from_str::<Json>(&out).is_ok(), "{out}");
    }

    #[test]
    fn json_keeps_what_it_does_not_touch(value in document(), spaced in any::<bool>()) {
        let text = if spaced {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            value.to_string()
        };
        let kept = one("$..zzz", "email", "keep");
        prop_assert_eq!(&*kept.text(&text).unwrap(), &text);
    }

    #[test]
    fn json_never_panics(
        text in any::<String>(), paths in paths(), broken in "[\\[\\]{}\",:0-9a-z\\\\ -]*",
    ) {
        for unlisted in ["keep", "drop", "redact"] {
            let mask = compile(Kind::Json, &params(&paths, unlisted), ValueType::Text);
            for text in [&text, &broken] {
                let known = serde_json::from_str::<Json>(text).is_ok();
                prop_assert!(known || mask.text(text).is_err() || text.contains(['e', 'u']));
            }
        }
    }

    #[test]
    fn json_of_a_value_equals_the_column(text in any::<String>(), number in any::<i64>()) {
        for kind in [Kind::Email, Kind::Hash, Kind::Phone, Kind::Redact] {
            let column = compile(kind, &Params::new(), ValueType::Text);
            let document = json!({"a": [{"b": text}]}).to_string();
            let out = one("$.a[*].b", kind.name(), "redact").text(&document).unwrap().into_owned();
            let out: Json = serde_json::from_str(&out).unwrap();
            prop_assert_eq!(out["a"][0]["b"].as_str().unwrap(), &*column.text(&text).unwrap());
        }
        for kind in [Kind::Hash, Kind::Phone, Kind::Redact] {
            let column = compile(kind, &Params::new(), ValueType::Int64);
            let document = json!({"n": number}).to_string();
            let out = one("$.n", kind.name(), "redact").text(&document).unwrap().into_owned();
            let out: Json = serde_json::from_str(&out).unwrap();
            prop_assert_eq!(out["n"].as_i64().unwrap(), column.int(number).unwrap());
        }
    }

    #[test]
    fn json_of_a_date_equals_the_column(days in -700_000..2_900_000i32, entity in "[0-9]{1,3}") {
        let Some(kind) = Kind::parse("date_shift") else {
            return Ok(());
        };
        let column = compile(kind, &Params::new(), ValueType::Date);
        let inputs = [Input::One(&entity)];
        let shifted = column.apply(Datum::Date(days), Row(&inputs)).unwrap().unwrap();
        let document = |days: i32| json!({"d": date(days)}).to_string();
        let mask = one("$.d", "date_shift", "redact");
        let out = mask.apply(Datum::text(document(days)), Row(&inputs)).unwrap();
        let Datum::Date(shifted) = shifted else {
            panic!("a date");
        };
        prop_assert_eq!(out, Some(Datum::text(document(shifted))));
    }

    #[test]
    fn json_hstore_masks_every_value(
        pairs in btree_map(any::<String>(), proptest::option::of(any::<String>()), 0..5),
    ) {
        let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let write = |mask: &dyn Fn(&str) -> String| {
            let pair = |(key, value): (&String, &Option<String>)| {
                let value = value.as_ref().map_or("NULL".to_owned(), |value| quote(&mask(value)));
                format!("{}=>{value}", quote(key))
            };
            pairs.iter().map(pair).collect::<Vec<_>>().join(", ")
        };
        let hash = compile(Kind::Hash, &Params::new(), ValueType::Text);
        let mask = compile(Kind::Json, &params(&BTreeMap::new(), "hash"), ValueType::Hstore);
        let out = mask.apply(Datum::Hstore(write(&str::to_owned).into()), Row::NONE).unwrap();
        let expected = write(&|value| hash.text(value).unwrap().into_owned());
        prop_assert_eq!(out, Some(Datum::Hstore(expected.into())));
    }

    #[test]
    fn json_hstore_never_panics(text in any::<String>(), broken in "[a\"\\\\=>, NULnul]*") {
        let mask = compile(Kind::Json, &Params::new(), ValueType::Hstore);
        for text in [text, broken] {
            let _ = mask.apply(Datum::Hstore(text.into()), Row::NONE);
        }
    }

    #[test]
    fn json_params_round_trip(paths in paths(), unlisted in "keep|drop|null|redact|hash|email") {
        let strategy = Strategy::new(Kind::Json, &params(&paths, &unlisted)).unwrap();
        let again = Strategy::new(Kind::Json, strategy.effective_params()).unwrap();
        prop_assert_eq!(&strategy, &again);
    }

    #[test]
    fn json_paths_never_panic(
        path in "[$.\\[\\]*'\"a0\\\\ ?@~]{0,12}|\\PC*", word in any::<String>(),
    ) {
        for action in ["keep", &word] {
            let paths = BTreeMap::from([(path.clone(), action.to_owned())]);
            if let Ok(strategy) = Strategy::new(Kind::Json, &params(&paths, "redact")) {
                let again = Strategy::new(Kind::Json, strategy.effective_params()).unwrap();
                prop_assert_eq!(&strategy, &again);
            }
        }
    }
}
