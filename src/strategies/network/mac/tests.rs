//! What a machine address becomes, and what keeps it unique.

use std::collections::HashSet;

use super::*;

fn mask(keep_vendor: bool, of: ValueType) -> Box<dyn Apply> {
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    let mac = Mac {
        keep_vendor,
        unique: false,
    };
    mac.compile(&keys, Seed::new(1), of).unwrap()
}

fn text(mask: &dyn Apply, value: &str) -> String {
    match mask.apply(Datum::text(value), Row::NONE) {
        Ok(Some(Datum::Text(text))) => text.into_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mac_gives_a_local_address_of_one_machine() {
    let mask = mask(false, ValueType::Text);
    for n in 0..500u32 {
        let (octets, _) = read(&text(&*mask, &format!("ff{n:010x}"))).unwrap();
        assert_eq!(octets[0] & 3, 2);
    }
}

#[test]
fn mac_keeps_the_notation() {
    let mask = mask(false, ValueType::Text);
    let plain = text(&*mask, "08002b01020f");
    for value in [
        "08:00:2b:01:02:0f",
        "08-00-2b-01-02-0f",
        "08002b:01020f",
        "0800.2b01.020f",
        " 08002b01020f ",
    ] {
        let made = text(&*mask, value);
        assert_eq!(made.replace([':', '-', '.'], ""), plain);
        let shape = |text: &str| text.replace(|c: char| c.is_ascii_hexdigit(), "0");
        assert_eq!(shape(&made), shape(value.trim()));
    }
    assert_eq!(text(&*mask, "08002B01020F"), plain.to_uppercase());
}

#[test]
fn mac_keeps_the_vendor_only_when_asked() {
    let value = "08:00:2b:01:02:03";
    assert!(text(&*mask(true, ValueType::Text), value).starts_with("08:00:2b:"));
    assert!(!text(&*mask(false, ValueType::Text), value).starts_with("08:00:2b:"));
    let longer = "08:00:2b:01:02:03:04:05";
    assert!(text(&*mask(true, ValueType::Text), longer).starts_with("08:00:2b:"));
}

#[test]
fn mac_is_one_whatever_the_type() {
    let value = "08:00:2b:01:02:03";
    let made = mask(false, ValueType::Mac).apply(Datum::Mac(value.into()), Row::NONE);
    let Ok(Some(Datum::Mac(made))) = made else {
        panic!("{made:?}");
    };
    assert_eq!(made, text(&*mask(false, ValueType::Text), value));
}

#[test]
fn mac_refuses_what_is_no_address() {
    let mask = mask(false, ValueType::Text);
    for value in [
        "",
        "08:00:2b:01:02",
        "08:00:2b:01:02:0",
        "08:00:2b:01:02:03:04",
        "08:00:2b:01:02:03:",
        ":080:02b:01:02:03",
        "08::00:2b:01:02:03",
        "08:00:2b:01:02:0g",
        "08 00 2b 01 02 03",
        "08002b0102030405aa",
        "０8002b010203",
    ] {
        let refused = mask.apply(Datum::text(value), Row::NONE).unwrap_err();
        assert!(refused.is_about_the_value(), "{value}");
    }
}

fn unique(keep_vendor: bool, of: ValueType) -> Box<dyn Apply> {
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    let mac = Mac {
        keep_vendor,
        unique: true,
    };
    assert!(mac.properties(of).injective);
    mac.compile(&keys, Seed::new(1), of).unwrap()
}

#[test]
fn mac_with_keep_unique_gives_every_address_its_own() {
    let all: [(bool, &str, usize, u64); 6] = [
        (true, "08002b", 97, 1 << 24),
        (true, "001122", 97, 1 << 24),
        (false, "ff0000", 1, 200_000),
        (false, "000000", 1, 200_000),
        (true, "08002b0102", 1, 200_000),
        (false, "0011223344", 1, 200_000),
    ];
    for (keep_vendor, first, step, count) in all {
        let mask = unique(keep_vendor, ValueType::Text);
        let mut seen = HashSet::new();
        for n in (0..count).step_by(step) {
            let value = format!("{first}{n:06x}");
            let made = text(&*mask, &value);
            let [given, got] = [&*value, &*made].map(|text| read(text).unwrap().0);
            assert_eq!(got[0] & 3, given[0] & 3);
            assert!(!keep_vendor || made[..6] == value[..6]);
            let letter = |text: &str| text.bytes().any(|byte| byte.is_ascii_alphabetic());
            assert_eq!(letter(&made), letter(&value), "{made}");
            assert!(seen.insert(made));
        }
    }
}

/// Among those of one vendor without letters nothing is left over: a million for a million.
#[test]
fn mac_without_letters_is_permuted_among_its_like() {
    let mask = unique(true, ValueType::Text);
    let mut seen = vec![false; 1_000_000];
    for n in 0..1_000_000 {
        let made = text(
            &*mask,
            &format!(
                "00-11-22-{:02}-{:02}-{:02}",
                n / 10_000,
                n / 100 % 100,
                n % 100
            ),
        );
        let number: usize = made[9..].replace('-', "").parse().expect("digits");
        assert!(made.starts_with("00-11-22-") && !seen[number]);
        seen[number] = true;
    }
}

#[test]
fn mac_with_keep_unique_is_one_whatever_the_type() {
    let [mac, plain] = [ValueType::Mac, ValueType::Text].map(|of| unique(false, of));
    for n in 0..2000u32 {
        let value = format!(
            "00:11:22:{:02x}:{:02x}:{:02x}",
            n >> 16,
            n >> 8 & 255,
            n & 255
        );
        let made = mac.apply(Datum::Mac((&*value).into()), Row::NONE);
        let Ok(Some(Datum::Mac(made))) = made else {
            panic!("{made:?}");
        };
        assert_eq!(made, text(&*plain, &value));
        assert_eq!(made.to_uppercase(), text(&*plain, &value.to_uppercase()));
    }
}

/// Case, marks and white space stay, so that two texts of one address are two afterwards.
#[test]
fn mac_with_keep_unique_keeps_the_spelling() {
    let mask = unique(false, ValueType::Text);
    let mut seen = HashSet::new();
    for value in [
        "08:00:2b:01:02:0f",
        "08:00:2B:01:02:0F",
        "08-00-2b-01-02-0f",
        "08002b01020f",
        " 08002b01020f",
        "08002b01020f\n",
        "\u{3000}08002B01020F ",
    ] {
        let made = text(&*mask, value);
        let shape = |text: &str| -> String {
            let sign = |c: char| if c.is_ascii_hexdigit() { '0' } else { c };
            text.chars().map(sign).collect()
        };
        assert_eq!(shape(&made), shape(value));
        let upper = |text: &str| text.bytes().any(|byte| byte.is_ascii_uppercase());
        assert_eq!(upper(&made), upper(value));
        assert!(seen.insert(made));
    }
}

#[test]
fn mac_with_keep_unique_refuses_mixed_case() {
    let mask = unique(false, ValueType::Text);
    for value in ["08002B01020f", "aA:00:00:00:00:00"] {
        let refused = mask.apply(Datum::text(value), Row::NONE).unwrap_err();
        assert!(refused.is_about_the_value());
        assert!(
            refused
                .detail()
                .is_some_and(|detail| detail.contains("all capitals"))
        );
    }
    // Without it, spellings are one.
    let plain = self::mask(false, ValueType::Text);
    assert_eq!(text(&*plain, "08002B01020f"), text(&*plain, "08002B01020F"));
}
