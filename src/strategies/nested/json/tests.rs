//! What becomes of documents, by example.

use super::*;
use crate::strategies::params::Params;
use crate::strategies::{self, Input, Kind, Value};

fn params(paths: &[(&str, &str)], unlisted: &str) -> Params {
    let paths = paths.iter().map(|&(k, v)| (k.to_owned(), Value::from(v)));
    Params::from([
        (PATHS.to_owned(), Value::Map(paths.collect())),
        (UNLISTED.to_owned(), Value::from(unlisted)),
    ])
}

fn mask(params: &Params, of: ValueType) -> strategies::Mask {
    let strategy = Strategy::new(Kind::Json, params).unwrap();
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    strategy.mask(&keys, Seed::new(1), of).unwrap()
}

fn out(paths: &[(&str, &str)], unlisted: &str, text: &str) -> String {
    let mask = mask(&params(paths, unlisted), ValueType::Text);
    mask.text(text).unwrap().into_owned()
}

fn column(kind: Kind, value: &str) -> String {
    let strategy = Strategy::new(kind, &Params::new()).unwrap();
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text).unwrap();
    mask.text(value).unwrap().into_owned()
}

#[test]
fn json_redacts_what_no_path_leads_to() {
    let text = r#"{"a": "x", "b": [1, -2.50, true, null, {}], "c": {"d": 1e5, "e": []}}"#;
    let redacted = r#"{"a": "[REDACTED]", "b": [0, 0, false, null, {}], "c": {"d": 0, "e": []}}"#;
    assert_eq!(out(&[], "redact", text), redacted);
    let nothing = mask(&Params::new(), ValueType::Text);
    assert_eq!(nothing.text(text).unwrap(), redacted);
}

#[test]
fn json_masks_a_part_as_a_column_is_masked() {
    let email = column(Kind::Email, "ada@work.example");
    let text = r#" {"email":"ada@work.example" , "n" : 1.50}"#;
    let masked = format!(r#" {{"email":"{email}" , "n" : 1.50}}"#);
    assert_eq!(out(&[("$.email", "email")], "keep", text), masked);
    let escaped = r#"{"\u0065mail": "ada\u0040work.example"}"#;
    let masked = format!(r#"{{"\u0065mail": "{email}"}}"#);
    assert_eq!(out(&[("$.email", "email")], "keep", escaped), masked);
}

#[test]
fn json_copies_what_it_keeps_byte_for_byte() {
    let text = "\t{\"b\":1E400,\"a\":-0.00,\"b\":\"\\/\\ud800\\u00e9é\" ,\"c\":[ ] }\n";
    assert_eq!(out(&[], "keep", text), text);
    assert_eq!(out(&[("$.x", "null")], "keep", text), text);
    let keep = mask(&params(&[("$.x", "email")], "keep"), ValueType::Json);
    let kept = keep.apply(Datum::Json(text.into()), Row::NONE).unwrap();
    assert!(matches!(kept, Some(Datum::Json(Cow::Borrowed(_)))));
    let changed = text.replace("[ ]", "null");
    assert_eq!(out(&[("$.c", "null")], "keep", text), changed);
}

#[test]
fn json_drops_parts_with_their_commas() {
    for (path, left) in [
        ("$[0]", "[ 2 , 3 ]"),
        ("$[1]", "[ 1 , 3 ]"),
        ("$[2]", "[ 1 , 2  ]"),
        ("$[*]", "[ ]"),
    ] {
        assert_eq!(out(&[(path, "drop")], "keep", "[ 1 , 2 , 3 ]"), left);
    }
    let twice = [("$[0]", "drop"), ("$[1]", "drop")];
    assert_eq!(out(&twice, "keep", "[1,2,3,4]"), "[3,4]");
    let ends = [("$[0]", "drop"), ("$[3]", "drop")];
    assert_eq!(out(&ends, "keep", "[1,2,3,4]"), "[2,3]");
    let middle = [("$[1]", "drop"), ("$[2]", "drop")];
    assert_eq!(out(&middle, "keep", "[1,2,3,4]"), "[1,4]");
    let text = r#"{"a":1,"b":{"c":2,"d":[3]},"a":4}"#;
    assert_eq!(
        out(&[("$.a", "drop")], "keep", text),
        r#"{"b":{"c":2,"d":[3]}}"#
    );
    assert_eq!(out(&[("$.b", "drop")], "keep", text), r#"{"a":1,"a":4}"#);
    assert_eq!(
        out(&[("$.b.c", "drop")], "keep", text),
        r#"{"a":1,"b":{"d":[3]},"a":4}"#
    );
}

#[test]
fn json_drops_what_no_path_leads_to() {
    let text = r#"{"x": {"y": [1, {"z": 2}], "e": {}}, "keep": {"a": 1}, "t": [[], [5]]}"#;
    assert_eq!(
        out(&[("$.keep", "keep")], "drop", text),
        r#"{ "keep": {"a": 1}}"#
    );
    assert_eq!(
        out(&[("$..z", "keep")], "drop", text),
        r#"{"x": {"y": [ {"z": 2}]}}"#
    );
    assert_eq!(
        out(&[("$.t[*][0]", "keep")], "drop", text),
        r#"{ "t": [ [5]]}"#
    );
    assert_eq!(out(&[("$..none", "keep")], "drop", text), "{}");
    assert_eq!(out(&[], "drop", text), "{}");
    assert_eq!(out(&[], "drop", "5"), "null");
    assert_eq!(out(&[("$..none", "keep")], "drop", "[[[[]]],[{}]]"), "[]");
}

#[test]
fn json_lets_the_nearest_path_decide() {
    let text = r#"{"user": {"id": 7, "email": "a@b.example", "tags": ["x"]}, "id": 8}"#;
    let paths = [
        ("$.user", "keep"),
        ("$.user.email", "null"),
        ("$..tags[*]", "redact"),
    ];
    assert_eq!(
        out(&paths, "redact", text),
        r#"{"user": {"id": 7, "email": null, "tags": ["[REDACTED]"]}, "id": 0}"#
    );
    assert_eq!(out(&[("$", "null")], "keep", text), "null");
    assert_eq!(out(&[("$", "keep")], "redact", text), text);
}

#[test]
fn json_masks_names_of_members_where_a_path_leads_to_them() {
    let text = r#"{"by": {"ada@work.example": [1], "bob@work.example": {"x": 2}}, "ada": 3}"#;
    let (ada, bob) = (
        column(Kind::Email, "ada@work.example"),
        column(Kind::Email, "bob@work.example"),
    );
    let names = ("$.by.*~", "email");
    let masked = format!(r#"{{"by": {{"{ada}": [1], "{bob}": {{"x": 2}}}}, "ada": 3}}"#);
    assert_eq!(out(&[names], "keep", text), masked);
    let redacted = format!(r#"{{"by": {{"{ada}": [0], "{bob}": {{"x": 0}}}}, "ada": 0}}"#);
    assert_eq!(out(&[names], "redact", text), redacted);
    let dropped = format!(r#"{{"by": {{ "{bob}": {{"x": 2}}}}}}"#);
    assert_eq!(out(&[names, ("$..x", "keep")], "drop", text), dropped);
    let kept = format!(r#"{{"by": {{"{ada}": [1]}}, "ada": 3}}"#);
    let one = ("$.by['bob@work.example']", "drop");
    assert_eq!(out(&[names, one], "keep", text), kept);
    let empty = r#"{"by": {}, "ada": 3}"#;
    assert_eq!(out(&[names, ("$.by.*", "drop")], "keep", text), empty);
    let but = [("$..*~", "redact"), ("$.by~", "keep"), ("$.ada~", "keep")];
    let made = out(&but, "keep", r#"{"by": 1, "ada": {"x": 2}, "y": 3}"#);
    assert_eq!(
        made,
        r#"{"by": 1, "ada": {"[REDACTED]": 2}, "[REDACTED]": 3}"#
    );
}

#[test]
fn json_masks_keys_of_an_hstore_where_a_path_leads_to_them() {
    let names = params(&[("$.*~", "email"), ("x", "drop")], "keep");
    let names = mask(&names, ValueType::Hstore);
    let pairs = Datum::Hstore(r#""a@b.example"=>"1", "x"=>"2""#.into());
    let email = column(Kind::Email, "a@b.example");
    let masked = Datum::Hstore(format!(r#""{email}"=>"1""#).into());
    assert_eq!(names.apply(pairs, Row::NONE).unwrap(), Some(masked));
}

#[test]
fn json_nulls_a_part_as_a_whole_and_unlisted_scalars_one_by_one() {
    let text = r#"{"a": {"b": 1}, "c": [2, "x"]}"#;
    assert_eq!(
        out(&[("$.a", "null")], "keep", text),
        r#"{"a": null, "c": [2, "x"]}"#
    );
    assert_eq!(
        out(&[], "null", text),
        r#"{"a": {"b": null}, "c": [null, null]}"#
    );
}

#[test]
fn json_inside_json_is_a_document_of_its_own() {
    let inner = Value::Map(params(&[("$.email", "email")], "keep"));
    let spec = Value::Map(
        [
            ("type".to_owned(), "json".into()),
            ("config".to_owned(), inner),
        ]
        .into(),
    );
    let paths = Value::Map([("$.p".to_owned(), spec)].into());
    let params = Params::from([
        (PATHS.to_owned(), paths),
        (UNLISTED.to_owned(), "keep".into()),
    ]);
    let mask = mask(&params, ValueType::Text);
    let email = column(Kind::Email, "a@b.example");
    for (text, masked) in [
        (
            r#"{"p":"{\"email\":\"a@b.example\"}"}"#,
            format!(r#"{{"p":"{{\"email\":\"{email}\"}}"}}"#),
        ),
        (
            r#"{"p":{"email":"a@b.example"}}"#,
            format!(r#"{{"p":{{"email":"{email}"}}}}"#),
        ),
        (r#"{"p":[1,true]}"#, r#"{"p":[1,true]}"#.to_owned()),
        (r#"{"p":5}"#, r#"{"p":5}"#.to_owned()),
    ] {
        assert_eq!(mask.text(text).unwrap(), masked);
    }
    assert!(
        mask.text(r#"{"p":"no document"}"#)
            .unwrap_err()
            .is_about_the_value()
    );
}

#[test]
fn json_refuses_what_is_none() {
    let mask = mask(&params(&[("$.a", "email")], "redact"), ValueType::Text);
    let end = r#"{"c":1"#;
    for text in [
        "{",
        "}",
        "[1,]",
        "{,}",
        r#"{"a" 1}"#,
        r#"{"a":}"#,
        "[1}",
        "1 2",
        "x",
        "[1]]",
        end,
        r#"{"b":"\x"}"#,
        "{\"b\":\"\n\"}",
        "[01]",
        r#"{"a":"x",}"#,
        "nul",
        "[,1]",
        "\u{feff}1",
    ] {
        let refused = mask.text(text).unwrap_err();
        assert_eq!(
            refused.message(),
            "value for strategy \"json\" is not a JSON document"
        );
        assert!(refused.is_about_the_value());
    }
    for text in ["", " \n"] {
        assert_eq!(mask.text(text).unwrap_err().kind(), error::Kind::Blank);
    }
}

#[test]
fn json_is_bounded_in_depth_and_needs_no_stack() {
    for (paths, unlisted) in [
        (vec![("$..a", "email")], "redact"),
        (vec![("$..a", "keep")], "drop"),
        (vec![], "keep"),
        (vec![("$[0]", "drop")], "keep"),
    ] {
        let mask = mask(&params(&paths, unlisted), ValueType::Text);
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(mask.text(&nested(512)).is_ok());
        assert!(mask.text(&nested(513)).is_err());
        assert!(mask.text(&"[".repeat(1 << 20)).is_err());
        assert!(mask.text(&"{\"a\":".repeat(1 << 20)).is_err());
    }
}

#[test]
fn json_takes_time_linear_in_the_document() {
    // Every level could copy everything before it again.
    let deep = format!(
        "[{}{}0{}]",
        "1,".repeat(200_000),
        "[0,".repeat(500),
        "]".repeat(500)
    );
    let wide = format!("[{}[]]", "[[[]]],".repeat(200_000));
    for text in [deep, wide] {
        let out = out(&[("$..x", "keep"), ("$[0]", "keep")], "drop", &text);
        assert!(out.len() < 10, "{out}");
    }
}

#[test]
fn json_masks_the_values_of_an_hstore() {
    let mask = mask(
        &params(
            &[("email", "email"), ("$['b c']", "keep"), ("x", "drop")],
            "redact",
        ),
        ValueType::Hstore,
    );
    let text = r#""x"=>"1", "email"=>"a@b.example", "b c"=>"\"q\"", "n"=>NULL, "y"=>"z""#;
    let email = column(Kind::Email, "a@b.example");
    let masked = format!(r#""email"=>"{email}", "b c"=>"\"q\"", "n"=>NULL, "y"=>"[REDACTED]""#);
    let out = mask.apply(Datum::Hstore(text.into()), Row::NONE).unwrap();
    assert_eq!(out, Some(Datum::Hstore(masked.into())));
    let refused = mask
        .apply(Datum::Hstore("a=1".into()), Row::NONE)
        .unwrap_err();
    assert!(refused.is_about_the_value());
}

#[test]
fn json_refuses_paths_an_hstore_cannot_have() {
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    for path in ["$.a.b", "$[0]", "$", "$..a.b"] {
        let strategy = Strategy::new(Kind::Json, &params(&[(path, "keep")], "redact")).unwrap();
        let refused = strategy
            .mask(&keys, Seed::new(1), ValueType::Hstore)
            .unwrap_err();
        assert_eq!(refused.kind(), error::Kind::InvalidParameter, "{path}");
        assert!(strategy.mask(&keys, Seed::new(1), ValueType::Jsonb).is_ok());
    }
    for path in ["a", "$.*", "$..a"] {
        let strategy = Strategy::new(Kind::Json, &params(&[(path, "keep")], "redact")).unwrap();
        assert!(
            strategy
                .mask(&keys, Seed::new(1), ValueType::Hstore)
                .is_ok()
        );
    }
}

#[test]
fn json_params_name_the_parameter_they_refuse() {
    let refused = Strategy::new(Kind::Json, &params(&[], "emial")).unwrap_err();
    assert_eq!(refused.param, "unlisted");
    let refused = Strategy::new(Kind::Json, &params(&[("$.a", "emial")], "keep")).unwrap_err();
    assert_eq!(refused.param, "paths");
    let params = Params::from([("paths".to_owned(), Value::from("$.a"))]);
    assert_eq!(
        Strategy::new(Kind::Json, &params).unwrap_err().param,
        "paths"
    );
}

#[test]
fn json_promises_what_its_parts_do() {
    let properties = |paths: &[(&str, &str)], unlisted: &str| {
        let strategy = Strategy::new(Kind::Json, &params(paths, unlisted)).unwrap();
        strategy.properties(ValueType::Jsonb)
    };
    assert!(!properties(&[], "redact").keyed);
    assert!(properties(&[("$.a", "email")], "redact").keyed);
    assert!(properties(&[("$.a", "email")], "keep").deterministic);
    assert!(properties(&[], "hash").keyed);
    let strategy = Strategy::new(Kind::Json, &params(&[("$.a", "email")], "keep")).unwrap();
    assert_eq!(strategy.parts().len(), 1);
}

#[test]
fn json_hands_inputs_to_the_parts_that_read_them() {
    let inputs = [Input::One("7"), Input::Many(vec!["Ada"]), Input::None];
    let act = |kind: &str| {
        let action = strategies::Action::new(&kind.into()).unwrap();
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        Act::new(&action, INPUTS, &keys, Seed::new(1)).unwrap()
    };
    assert_eq!(act("json").inputs(Row(&inputs)), inputs);
    assert_eq!(act("text").inputs(Row(&inputs)), inputs[1..]);
    assert_eq!(act("redact").inputs(Row(&inputs)), []);
    assert_eq!(act("json").inputs(Row::NONE), vec![Input::None; 3]);
    assert_eq!(act("keep").inputs(Row(&inputs)), []);
}
