//! Tests of `ip`.

use super::*;
use crate::strategies::params::Value;

fn ip(params: &[(&str, Value)]) -> Result<Ip, ParamError> {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    Ip::new(&Reader::new(Kind::Ip, &params.collect())?)
}

fn mask(params: &[(&str, Value)], of: ValueType) -> Box<dyn Apply> {
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    ip(params)
        .unwrap()
        .compile(&keys, Seed::new(1), of)
        .unwrap()
}

fn datum(text: &str, of: ValueType) -> Datum<'_> {
    match of {
        ValueType::Text => Datum::text(text),
        _ => Datum::Inet(text.into()),
    }
}

fn text(made: Result<Option<Datum<'_>>>) -> String {
    match made {
        Ok(Some(Datum::Text(text) | Datum::Inet(text))) => text.into_owned(),
        other => panic!("{other:?}"),
    }
}

fn out(mask: &dyn Apply, value: &str, of: ValueType) -> String {
    text(mask.apply(datum(value, of), Row::NONE))
}

const ADDRESSES: [&str; 12] = [
    "0.0.0.0",
    "255.255.255.255",
    "192.0.2.1",
    "192.0.2.1/24",
    "10.1.2.3/8",
    "127.0.0.1/0",
    "::",
    "::1",
    "::ffff:192.0.2.1",
    "2001:db8::1/64",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::1/10",
];

#[test]
fn ip_gives_addresses_of_the_same_family_and_prefix() {
    for method in ["prefix", "documentation"] {
        for of in [ValueType::Inet, ValueType::Text] {
            let mask = mask(&[("method", Value::from(method))], of);
            for address in ADDRESSES {
                let made = out(&*mask, address, of);
                let (from, to) = (Address::read(address), Address::read(&made));
                let (from, to) = (from.unwrap(), to.unwrap());
                assert_eq!((from.is_v4, from.prefix), (to.is_v4, to.prefix));
                assert_ne!(from.bits, to.bits, "{address}");
                assert!(made.len() <= LONGEST);
            }
        }
    }
}

#[test]
fn ip_inet_and_cidr_are_reversible() {
    for of in [ValueType::Inet, ValueType::Cidr] {
        let mask = mask(&[("keep_bits", Value::Int(4))], of);
        for address in [
            "10.0.0.0/8",
            "10.1.0.0/16",
            "192.0.2.1/32",
            "2001:db8::/32",
            "::/0",
        ] {
            let made = out(&*mask, address, of);
            assert_eq!(text(mask.reverse(datum(&made, of), Row::NONE)), address);
        }
    }
}

#[test]
fn ip_networks_keep_their_zeros() {
    for of in [ValueType::Cidr, ValueType::Text] {
        let mask = mask(&[], of);
        for network in [
            "10.0.0.0/8",
            "192.0.2.0/24",
            "192.0.2.8/31",
            "0.0.0.0/0",
            "fe80::/10",
        ] {
            let made = out(&*mask, network, of);
            let to = Address::read(&made).unwrap();
            assert_eq!(to.bits & !leading(to.prefix.unwrap()), 0, "{made}");
        }
    }
}

#[test]
fn ip_hosts_of_a_network_stay_in_it() {
    let cidr = mask(&[], ValueType::Cidr);
    let inet = mask(&[], ValueType::Inet);
    let network = out(&*cidr, "10.20.0.0/16", ValueType::Cidr);
    let network = Address::read(&network).unwrap();
    for host in ["10.20.0.1", "10.20.255.255", "10.20.30.40/16"] {
        let host = Address::read(&out(&*inet, host, ValueType::Inet)).unwrap();
        assert_eq!(host.bits & leading(16), network.bits);
    }
}

#[test]
fn ip_texts_of_one_network_are_never_united() {
    let mask = mask(&[], ValueType::Text);
    let made = (0..=255).map(|n| out(&*mask, &format!("192.0.2.{n}/24"), ValueType::Text));
    assert_eq!(made.collect::<std::collections::HashSet<_>>().len(), 256);
}

#[test]
fn ip_keeps_leading_bits_when_asked() {
    let params = [
        ("keep_bits", Value::Int(16)),
        ("keep_bits_v6", Value::Int(32)),
    ];
    let mask = mask(&params, ValueType::Inet);
    assert!(out(&*mask, "192.168.1.2", ValueType::Inet).starts_with("192.168."));
    assert!(out(&*mask, "2001:db8::1", ValueType::Inet).starts_with("2001:db8:"));
}

#[test]
fn ip_documentation_is_reserved_for_it() {
    let mask = mask(&[("method", Value::from("documentation"))], ValueType::Inet);
    let mut seen = std::collections::HashSet::new();
    for n in 0..5000u32 {
        let value = Ipv4Addr::from(n).to_string();
        let made: Ipv4Addr = out(&*mask, &value, ValueType::Inet).parse().unwrap();
        let [.., last] = made.octets();
        assert!(made.is_documentation() && last != 0 && last != 255);
        seen.insert(made);
    }
    assert!(seen.len() > 750, "{}", seen.len());
    assert!(out(&*mask, "::1", ValueType::Inet).starts_with("2001:db8:"));
    let documentation = ip(&[("method", Value::from("documentation"))]).unwrap();
    assert!(!documentation.accepts(ValueType::Cidr));
}

#[test]
fn ip_refuses_what_is_no_address() {
    let mask = mask(&[], ValueType::Text);
    for value in [
        "",
        " ",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.4/33",
        "1.2.3.4/",
        "1.2.3.4/+8",
        "1.2.3.4/8/8",
        "::1/129",
        "fe80::1%eth0",
        "1.2.3.4:80",
        "[::1]",
        "example.com",
        "１.2.3.4",
    ] {
        let refused = mask.apply(Datum::text(value), Row::NONE).unwrap_err();
        assert!(refused.is_about_the_value(), "{value}");
    }
}

#[test]
fn ip_texts_are_read_in_every_spelling() {
    let mask = mask(&[], ValueType::Text);
    let plain = out(&*mask, "2001:db8::a", ValueType::Text);
    assert_eq!(
        out(&*mask, " 2001:0DB8:0:0::000A\n", ValueType::Text),
        plain
    );
}

#[test]
fn ip_refuses_bits_out_of_bounds_or_of_the_other_method() {
    assert_eq!(
        ip(&[("keep_bits", Value::Int(25))]).unwrap_err().param,
        "keep_bits"
    );
    assert_eq!(
        ip(&[("keep_bits_v6", Value::Int(65))]).unwrap_err().param,
        "keep_bits_v6"
    );
    let method = ("method", Value::from("documentation"));
    let refused = ip(&[method, ("keep_bits", Value::Int(0))]).unwrap_err();
    assert_eq!(refused.param, "keep_bits");
    assert_eq!(
        ip(&[("method", Value::from("random"))]).unwrap_err().param,
        "method"
    );
}
