//! Properties of ip, mac, url, user_agent and uuid.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use confiture::strategies::{Datum, Kind, Mask, Row, Seed, Strategy, Subkeys, Value, ValueType};
use proptest::prelude::{Just, Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{prop_assert_ne, prop_oneof, proptest};
use proptest::sample::select;

use crate::masks::{KEY, mask, strategy, text};

fn inet(mask: &Mask, value: &str) -> String {
    match mask.apply(Datum::Inet(value.into()), Row::NONE) {
        Ok(Some(Datum::Inet(made))) => made.into_owned(),
        other => panic!("{other:?}"),
    }
}

fn number(address: &str) -> u128 {
    match address.parse().expect("an address") {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

/// A strategy of this family with parameters that are right.
fn valid() -> impl Generator<Value = Strategy> {
    let ip = (0..=24i64, 0..=64i64).prop_map(|(v4, v6)| {
        let params = [
            ("keep_bits", Value::Int(v4)),
            ("keep_bits_v6", Value::Int(v6)),
        ];
        strategy(Kind::Ip, &params)
    });
    let documentation = Just(strategy(Kind::Ip, &[("method", "documentation".into())]));
    let url = (
        select(vec!["url", "domain"]),
        select(vec!["shape", "drop"]),
        any::<[bool; 4]>(),
        select(vec!["example.com", "test", "invalid"]),
        4..=24i64,
        proptest::option::of(64..=65_535i64),
    );
    let url = url.prop_map(
        |(part, path, [scheme, port, names, unique], domain, token, most)| {
            let mut params = vec![
                ("part", Value::from(part)),
                ("path", Value::from(path)),
                ("keep_scheme", Value::Bool(scheme)),
                ("keep_port", Value::Bool(port)),
                ("keep_names", Value::Bool(names)),
                ("keep_unique", Value::Bool(unique && part == "url")),
                ("domain", Value::from(domain)),
                ("token_length", Value::Int(token)),
            ];
            params.extend(most.map(|most| ("max_length", Value::Int(most))));
            strategy(Kind::Url, &params)
        },
    );
    prop_oneof![
        ip,
        documentation,
        url,
        kept(Kind::Mac, "keep_vendor"),
        kept(Kind::UserAgent, "keep_family"),
        select(vec![4, 8]).prop_map(|n| strategy(Kind::Uuid, &[("version", Value::Int(n))])),
    ]
}

/// One of two parameters, the second of which is `keep_unique`.
fn kept(kind: Kind, name: &'static str) -> impl Generator<Value = Strategy> {
    any::<[bool; 2]>().prop_map(move |[keep, unique]| {
        let params = [
            (name, Value::Bool(keep)),
            ("keep_unique", Value::Bool(unique)),
        ];
        strategy(kind, &params)
    })
}

/// With `keep_unique` and more.
fn unique(kind: Kind, more: &[(&str, Value)]) -> Mask {
    let params = [more, &[("keep_unique", Value::Bool(true))]].concat();
    mask(kind, &params, ValueType::Text)
}

/// Texts that are nearly what is read.
fn near() -> impl Generator<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9.:/a-f]{0,40}",
        "[0-9a-fA-F:.{}-]{0,40}",
        "((https?|ftp|S3)://)?[a-z.@:é-]{0,20}[/?#=&a-zé.]{0,30}",
    ]
}

fn url() -> impl Generator<Value = String> {
    "(https?|ftp)://([a-z]{1,5}(:[a-z]{1,5})?@)?[a-z]{1,8}\\.[a-z]{2,3}(:[1-9][0-9]{1,3})?\
     (/[a-zA-Z0-9é.%]{0,9}){0,4}(\\?[a-z]{1,5}=[a-z0-9é]{0,9}(&[a-z]{1,5}=[a-z0-9é]{0,9}){0,2})?(#[a-z]{0,9})?"
}

proptest! {
    #[test]
    fn effective_params_round_trip(made in valid()) {
        let again = Strategy::new(made.kind(), made.effective_params());
        prop_assert_eq!(again.ok(), Some(made));
    }

    #[test]
    fn any_text_is_masked_within_the_limit_or_refused(made in valid(), value in near()) {
        let limit = made.output_limit(Some(value.chars().count())).expect("a limit");
        let keys = Subkeys::new(&KEY, &KEY);
        let mask = made.mask(&keys, Seed::new(1), ValueType::Text).expect("text");
        match mask.text(&value) {
            Ok(out) => {
                prop_assert!(out.chars().count() <= limit, "{out}");
                let survivor = value.trim() == out && made.kind() != Kind::UserAgent;
                // A network of no bits has nothing to mask.
                prop_assert!(!survivor || out.contains('/') && made.kind() == Kind::Ip, "{out}");
                prop_assert_eq!(mask.text(&value).ok(), Some(out));
            }
            Err(error) => prop_assert!(error.is_about_the_value()),
        }
    }

    #[test]
    fn ip_keeps_prefixes_exactly(a in any::<u32>(), b in any::<u32>(), keep in 0..=24i64) {
        let mask = mask(Kind::Ip, &[("keep_bits", Value::Int(keep))], ValueType::Inet);
        let of = |n| number(&inet(&mask, &Ipv4Addr::from_bits(n).to_string()));
        prop_assert_eq!((of(a) ^ of(b)).leading_zeros().min(32), (a ^ b).leading_zeros());
        let kept = keep.try_into().unwrap_or(0);
        prop_assert_eq!((of(a) >> 96).checked_shr(32 - kept), u128::from(a).checked_shr(32 - kept));
    }

    #[test]
    fn ip_keeps_prefixes_of_ipv6_exactly(a in any::<u128>(), bit in 0..128u32) {
        let mask = mask(Kind::Ip, &[], ValueType::Inet);
        let of = |n| number(&inet(&mask, &Ipv6Addr::from_bits(n).to_string()));
        let b = a ^ 1 << bit;
        prop_assert_eq!((of(a) ^ of(b)).leading_zeros(), 127 - bit);
        prop_assert_ne!(of(a), a);
    }

    #[test]
    fn ip_is_reversible(a in any::<u32>(), long in any::<u128>(), prefix in 0..=32u32) {
        let network = a & u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        let v4 = Ipv4Addr::from_bits(a);
        for (of, value) in [
            (ValueType::Inet, v4.to_string()),
            (ValueType::Inet, format!("{v4}/{prefix}")),
            (ValueType::Inet, Ipv6Addr::from_bits(long).to_string()),
            (ValueType::Cidr, format!("{}/{prefix}", Ipv4Addr::from_bits(network))),
        ] {
            let mask = mask(Kind::Ip, &[("keep_bits", Value::Int(5))], of);
            let made = inet(&mask, &value);
            let back = mask.reverse(Datum::Inet(made.into()), Row::NONE);
            prop_assert_eq!(back, Ok(Some(Datum::Inet(value.into()))));
        }
    }

    #[test]
    fn ip_texts_of_networks_stay_networks(a in any::<u32>(), prefix in 0..=32u32) {
        let hosts = u32::MAX.checked_shr(prefix).unwrap_or(0);
        let value = format!("{}/{prefix}", Ipv4Addr::from_bits(a & !hosts));
        let made = text(&mask(Kind::Ip, &[], ValueType::Text), &value);
        let (address, kept) = made.split_once('/').expect("a prefix");
        prop_assert_eq!(kept.parse(), Ok(prefix));
        prop_assert_eq!((number(address) >> 96) & u128::from(hosts), 0);
    }

    #[test]
    fn mac_gives_a_local_address_of_one_machine(value in "[0-9a-f]{12}|[0-9a-f]{16}") {
        let made = text(&mask(Kind::Mac, &[], ValueType::Text), &value);
        prop_assert_eq!(made.len(), value.len());
        prop_assert_eq!(u8::from_str_radix(&made[..2], 16).map(|first| first & 3), Ok(2));
        let kept = mask(Kind::Mac, &[("keep_vendor", Value::Bool(true))], ValueType::Text);
        prop_assert_eq!(&text(&kept, &value)[..6], &value[..6]);
    }

    #[test]
    fn mac_with_keep_unique_gives_every_text_its_own(
        values in proptest::array::uniform2(
            " ?([0-9a-f]{12}|[0-9A-F]{16}|([0-9a-f]{2}:){5}[0-9a-f]{2}|([0-9A-F]{2}-){7}[0-9A-F]{2}\
             |[0-9]{12}|([0-9]{2}:){5}[0-9]{2}) ?"
        ),
        vendor in any::<bool>(),
    ) {
        let mask = unique(Kind::Mac, &[("keep_vendor", Value::Bool(vendor))]);
        let made = values.each_ref().map(|value| text(&mask, value));
        prop_assert_eq!(made[0] == made[1], values[0] == values[1]);
        for (made, value) in made.iter().zip(&values) {
            let marks = |text: &str| text.replace(|c: char| c.is_ascii_hexdigit(), "0");
            prop_assert_eq!(marks(made), marks(value));
            let cases = |text: &str| {
                let is = |of: fn(&u8) -> bool| text.bytes().any(|byte| of(&byte));
                (is(u8::is_ascii_lowercase), is(u8::is_ascii_uppercase))
            };
            prop_assert_eq!(cases(made), cases(value));
        }
    }

    #[test]
    fn url_with_keep_unique_tells_all_texts_apart(
        value in url(), other in url(), most in 64..200i64, drops in any::<bool>(),
    ) {
        let path = ("path", Value::from(if drops { "drop" } else { "shape" }));
        let whole = unique(Kind::Url, std::slice::from_ref(&path));
        let cut = unique(Kind::Url, &[path, ("max_length", Value::Int(most))]);
        let token = |mask: &Mask, value: &str| {
            let made = text(mask, value);
            made[made.len() - 16..].to_owned()
        };
        // What is the same but for the case of the scheme, and what may be anything.
        let again = value.replacen("http", "HTTP", 1);
        for other in [&other, &again] {
            prop_assert_eq!(token(&whole, &value) == token(&whole, other), value == *other);
        }
        prop_assert_eq!(token(&whole, &value), token(&cut, &value));
        prop_assert!(i64::try_from(text(&cut, &value).len()).is_ok_and(|length| length <= most));
    }

    #[test]
    fn url_leads_to_the_reserved_domain_and_says_nothing(value in url()) {
        let made = text(&mask(Kind::Url, &[], ValueType::Text), &value);
        let (scheme, rest) = made.split_once("://").expect("a scheme");
        prop_assert!(value.starts_with(scheme));
        let host = rest.split(['/', '?', '#']).next().unwrap_or("");
        prop_assert!(host.len() == 28 && host.ends_with(".example.com"), "{made}");
        // Nothing but tokens between the marks, as many as there were.
        let path = |url: &str| url.split_once("://").map_or(String::new(), |(_, rest)| {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            rest[end..].to_owned()
        });
        let (before, after) = (path(&value), path(&made));
        let marks = |text: &str| -> String { text.chars().filter(|c| "/?#=&".contains(*c)).collect() };
        prop_assert_eq!(marks(&after), marks(&before));
        let parts = |text: &str| -> Vec<usize> {
            text.split(['/', '?', '#', '=', '&']).map(|part| part.chars().count()).collect()
        };
        for (before, after) in parts(&before).into_iter().zip(parts(&after)) {
            prop_assert_eq!(after, if before == 0 { 0 } else { before.clamp(8, 24) });
        }
        prop_assert!(after.chars().all(|c| "/?#=&".contains(c) || "234567".contains(c)
            || c.is_ascii_lowercase()));
    }

    #[test]
    fn url_of_a_limit_is_the_beginning_of_the_whole(value in url(), most in 64..200i64) {
        let whole = text(&mask(Kind::Url, &[], ValueType::Text), &value);
        let cut = text(&mask(Kind::Url, &[("max_length", Value::Int(most))], ValueType::Text), &value);
        prop_assert!(whole.starts_with(&cut));
        prop_assert!(i64::try_from(cut.len()).is_ok_and(|length| length <= most));
    }

    #[test]
    fn uuid_is_of_its_version(value in any::<[u8; 16]>(), version in select(vec![4u8, 8])) {
        let params = [("version", Value::Int(version.into()))];
        let made = mask(Kind::Uuid, &params, ValueType::Uuid).apply(Datum::Uuid(value), Row::NONE);
        let Ok(Some(Datum::Uuid(made))) = made else { panic!("{made:?}") };
        prop_assert_eq!((made[6] >> 4, made[8] >> 6), (version, 2));
        prop_assert_ne!(made, value);
    }
}

#[test]
fn url_host_is_the_domain_alone() {
    let domain = mask(Kind::Url, &[("part", "domain".into())], ValueType::Text);
    let host = text(&domain, "Mail.Corp.COM.");
    let url = mask(Kind::Url, &[], ValueType::Text);
    for value in ["https://mail.corp.com", "https://mail.corp.com:443"] {
        assert_eq!(text(&url, value), format!("https://{host}"));
    }
    assert_eq!(text(&url, "mail.corp.com"), host);
}

#[test]
fn url_equal_beginnings_stay_equal() {
    let mask = mask(Kind::Url, &[], ValueType::Text);
    let segments =
        |value: &str| -> Vec<String> { text(&mask, value).split('/').map(str::to_owned).collect() };
    let a = segments("https://corp.com/users/ada/orders");
    let b = segments("https://corp.com/users/bob/orders");
    assert_eq!(a[..4], b[..4]);
    assert_ne!(a[4], b[4]);
    assert_ne!(a[5], b[5]);
    assert_eq!(segments("https://corp.com/users")[3], a[3]);
}

#[test]
fn url_query_tokens_do_not_depend_on_their_order() {
    let mask = mask(
        Kind::Url,
        &[("keep_names", Value::Bool(true))],
        ValueType::Text,
    );
    let pairs = |value: &str| {
        let made = text(&mask, value);
        let (_, query) = made.split_once('?').expect("a query");
        query
            .split('&')
            .map(str::to_owned)
            .collect::<HashSet<String>>()
    };
    let ab = pairs("https://corp.com/x?id=1&tab=2");
    assert_eq!(ab, pairs("https://corp.com/x?tab=2&id=1"));
    assert!(ab.iter().any(|pair| pair.starts_with("tab=")));
    // Without a value, the name may be one.
    assert!(!text(&mask, "https://corp.com/x?ada").contains("ada"));
}

#[test]
fn url_without_host_and_path_does_not_come_out_as_it_went_in() {
    for names in [false, true] {
        let mask = mask(
            Kind::Url,
            &[("keep_names", Value::Bool(names))],
            ValueType::Text,
        );
        for value in ["/", "//", "file:///", "/?a=", "/#"] {
            let made = text(&mask, value);
            assert_ne!(made, value);
            assert!(made.len() >= value.len());
        }
    }
}

#[test]
fn mac_and_uuid_do_not_collide_on_100_000_values() {
    let macs = mask(Kind::Mac, &[], ValueType::Text);
    let uuids = mask(Kind::Uuid, &[], ValueType::Text);
    let mac: HashSet<_> = (0..100_000)
        .map(|n| text(&macs, &format!("{n:012x}")))
        .collect();
    let uuid: HashSet<_> = (0..100_000)
        .map(|n| text(&uuids, &format!("{n:032x}")))
        .collect();
    assert_eq!((mac.len(), uuid.len()), (100_000, 100_000));
}

#[test]
fn unique_masks_of_networks_do_not_collide_on_100_000_values() {
    let macs = unique(Kind::Mac, &[]);
    let urls = unique(Kind::Url, &[("path", "drop".into())]);
    let agents = unique(Kind::UserAgent, &[("keep_family", Value::Bool(true))]);
    let distinct = |mask: &Mask, value: fn(u32) -> String| {
        let made = (0..100_000).map(|n| text(mask, &value(n)));
        made.collect::<HashSet<_>>().len()
    };
    assert_eq!(distinct(&macs, |n| format!("{n:012x}")), 100_000);
    assert_eq!(distinct(&macs, |n| format!("{n:012X}")), 100_000);
    assert_eq!(
        distinct(&urls, |n| format!("https://corp.com/{n}")),
        100_000
    );
    assert_eq!(distinct(&agents, |n| format!("curl/{n}")), 100_000);
}

#[test]
fn user_agent_draws_evenly_from_the_browsers() {
    let mask = mask(Kind::UserAgent, &[], ValueType::Text);
    let mut counts = std::collections::HashMap::new();
    for n in 0..20_000 {
        *counts.entry(text(&mask, &n.to_string())).or_insert(0) += 1;
    }
    let expected = 20_000 / i32::try_from(counts.len()).expect("a small number");
    assert!(counts.len() > 50);
    let near = |n: &i32| n.abs_diff(expected) < u32::try_from(expected / 2).unwrap_or(0);
    assert!(counts.values().all(near), "{counts:?}");
}
