//! What stays of a URL, what keeps it unique, and what is refused.

use super::*;
use crate::error::Kind as Error;
use crate::strategies::params::Value;

fn mask(params: &[(&str, Value)]) -> Mask {
    Mask::new(url(params).unwrap(), &[7; 32], Seed::new(1))
}

fn url(params: &[(&str, Value)]) -> Result<Url, ParamError> {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    Url::new(&Reader::new(Kind::Url, &params.collect())?)
}

fn text(mask: &Mask, value: &str) -> String {
    match mask.apply(Datum::text(value), Row::NONE) {
        Ok(Some(Datum::Text(text))) => text.into_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn url_leaves_out_user_and_password() {
    let mask = mask(&[("keep_port", Value::Bool(true))]);
    let plain = text(&mask, "https://corp.com:8443/a");
    assert!(plain.contains(".example.com:8443/"));
    for value in [
        "https://ada:secret@corp.com:8443/a",
        "https://ada@work@corp.com:8443/a",
        "HTTPS://CORP.com.:8443/a",
        " https://corp.com:08443/a\n",
    ] {
        assert_eq!(text(&mask, value), plain, "{value}");
    }
}

#[test]
fn url_keeps_only_common_schemes() {
    let kept = mask(&[]);
    assert!(text(&kept, "S3://bucket/a").starts_with("s3://"));
    assert!(text(&kept, "ada-lovelace://corp.com").starts_with("https://"));
    let plain = mask(&[("keep_scheme", Value::Bool(false))]);
    assert!(text(&plain, "ftp://corp.com").starts_with("https://"));
    assert!(SCHEMES.is_sorted());
}

#[test]
fn url_drop_leaves_the_host() {
    let mask = mask(&[
        ("path", Value::from("drop")),
        ("domain", Value::from("test")),
    ]);
    let made = text(&mask, "https://corp.com/a/b?c=d#e");
    assert!(
        made.ends_with(".test") && made.len() == 8 + 16 + 5,
        "{made}"
    );
    assert!(mask.apply(Datum::text("/a"), Row::NONE).is_err());
}

#[test]
fn url_is_cut_between_parts() {
    let cut = mask(&[("max_length", Value::Int(64))]);
    let whole = text(&mask(&[]), "https://corp.com/aaaa/bbbb/cccc/dddd");
    let made = text(&cut, "https://corp.com/aaaa/bbbb/cccc/dddd");
    assert!(whole.len() > 64 && made.len() <= 64 && whole.starts_with(&made));
    assert!(made.ends_with('/'));
}

#[test]
fn url_with_keep_unique_ends_with_a_token_of_the_whole_text() {
    let unique = ("keep_unique", Value::Bool(true));
    let (plain, unique_mask) = (mask(&[]), mask(std::slice::from_ref(&unique)));
    for (value, mark) in [
        ("https://corp.com", "#"),
        ("https://corp.com/a?b=c", "#"),
        ("https://corp.com/a#", ""),
        ("//corp.com/a#b", "-"),
        ("corp.com", "#"),
        ("/", "#"),
        ("file:///#", "-"),
    ] {
        let (plain, made) = (text(&plain, value), text(&unique_mask, value));
        let behind = made.strip_prefix(&*plain).expect("the same before it");
        let token = behind.strip_prefix(mark).expect("a mark");
        assert_eq!(token.len(), UNIQUE, "{made}");
        let read = Locator::read(&made).expect("a URL");
        assert!(
            read.components()
                .2
                .is_some_and(|fragment| fragment.ends_with(token))
        );
    }
    // What all of them drop or unite.
    let spellings = [
        "https://corp.com/a",
        "HTTPS://corp.com/a",
        "https://Corp.com/a",
        "https://corp.com./a",
        "https://corp.com:8443/a",
        "https://ada@corp.com/a",
        "https://ada:pw@corp.com/a",
        "odd://corp.com/a",
    ];
    for params in [
        vec![unique.clone()],
        vec![unique.clone(), ("path", "drop".into())],
        vec![unique.clone(), ("max_length", Value::Int(64))],
    ] {
        let mask = mask(&params);
        let made = spellings.map(|value| text(&mask, value));
        let distinct: std::collections::HashSet<_> = made.iter().collect();
        assert_eq!(distinct.len(), spellings.len());
        assert_eq!(text(&mask, " https://corp.com/a\n"), made[0]);
    }
}

#[test]
fn url_with_keep_unique_is_unique_within_its_limit() {
    let unique = ("keep_unique", Value::Bool(true));
    for more in [
        vec![],
        vec![("path", "drop".into())],
        vec![
            ("max_length", Value::Int(64)),
            ("keep_port", Value::Bool(true)),
        ],
    ] {
        let params = [&[unique.clone()][..], &more].concat();
        let of = url(&params).unwrap();
        let properties = of.properties(ValueType::Text);
        assert_eq!(properties.collision_bits, Some(UNIQUE_BITS));
        assert_eq!(properties.survival, Survival::Bits(UNIQUE_BITS));
        let mask = mask(&params);
        let mut seen = std::collections::HashSet::new();
        for n in 0..20_000 {
            let value = format!("postgresql://corp.com:65535/a/b/c?d={n}#{n}");
            let made = text(&mask, &value);
            assert!(
                made.len() <= of.output_limit(Some(value.len())).unwrap(),
                "{made}"
            );
            // The token alone keeps them apart.
            assert!(seen.insert(made[made.len() - UNIQUE..].to_owned()));
        }
    }
}

#[test]
fn url_refuses_keep_unique_for_a_domain() {
    let params = [
        ("part", "domain".into()),
        ("keep_unique", Value::Bool(true)),
    ];
    assert_eq!(url(&params).unwrap_err().param, "keep_unique");
}

#[test]
fn url_refuses_what_is_none() {
    let url = mask(&[]);
    for value in [
        "hello",
        "hello world",
        "mailto:ada@corp.com",
        "ada@corp.com",
        "javascript:alert(1)",
        "https://corp.com:port/",
        "https://corp.com:99999/",
        "https://co rp.com/",
        "?a=b",
        "#a",
        "C:\\Users\\ada",
    ] {
        let refused = url.apply(Datum::text(value), Row::NONE).unwrap_err();
        assert_eq!(refused.kind(), Error::Data, "{value}");
    }
    for value in ["", " ", "\u{a0}\n"] {
        let refused = url.apply(Datum::text(value), Row::NONE).unwrap_err();
        assert_eq!(refused.kind(), Error::Blank);
    }
    let domain = mask(&[("part", Value::from("domain"))]);
    for value in [
        "a b",
        "corp..com",
        ".com",
        "a/b",
        "ada@corp.com",
        "corp.com:80",
        "[::1]",
    ] {
        assert!(
            domain.apply(Datum::text(value), Row::NONE).is_err(),
            "{value}"
        );
    }
}

#[test]
fn url_refuses_wrong_parameters() {
    for (name, value) in [
        ("part", Value::from("host")),
        ("path", Value::from("keep")),
        ("domain", Value::from("corp.com")),
        ("token_length", Value::Int(3)),
        ("token_length", Value::Int(25)),
        ("max_length", Value::Int(63)),
    ] {
        assert_eq!(url(&[(name, value)]).unwrap_err().param, name);
    }
}
