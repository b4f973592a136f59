//! Properties of hash, email, phone and redact, and of strategies in general.

use std::collections::HashSet;

use confiture::strategies::canonical::{self, Class};
use confiture::strategies::{Kind, Mask, Params, Seed, Strategy, Subkeys, Value, ValueType};
use proptest::prelude::{Just, Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{prop_assert_ne, prop_oneof, proptest};

use crate::masks::{KEY, SEED, compile_with, strategy, text};

fn mask(kind: Kind, pairs: &[(&str, Value)]) -> Mask {
    mask_with(kind, pairs, KEY, SEED)
}

fn mask_with(kind: Kind, pairs: &[(&str, Value)], key: [u8; 32], seed: i64) -> Mask {
    compile_with(&strategy(kind, pairs), key, seed, ValueType::Text)
}

fn int_mask(kind: Kind, of: ValueType) -> Mask {
    let strategy = Strategy::new(kind, &Params::new()).expect("valid parameters");
    compile_with(&strategy, KEY, 12345, of)
}

fn keyed() -> [Kind; 3] {
    [Kind::Email, Kind::Hash, Kind::Phone]
}

/// A validity checker of its own: dot-atom at a host name of two labels (RFC 5321).
fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    let atom = |a: &str| {
        !a.is_empty()
            && a.chars()
                .all(|c| c.is_ascii_graphic() && !"\"(),:;<>@[\\]{}".contains(c))
    };
    let label = |l: &str| {
        let hyphen_outside = l.starts_with('-') || l.ends_with('-');
        let ldh = l.chars().all(|c| c == '-' || c.is_ascii_alphanumeric());
        !l.is_empty() && l.len() < 64 && ldh && !hyphen_outside
    };
    address.len() <= 254
        && local.len() <= 64
        && local.split('.').all(atom)
        && domain.contains('.')
        && domain.split('.').all(label)
}

/// Parameters of every strategy, valid by construction.
fn valid_params() -> impl Generator<Value = (Kind, Params)> {
    let words = |words: &'static [&'static str]| proptest::sample::select(words);
    let email = (
        any::<bool>(),
        8..=40i64,
        "[a-z]{1,8}",
        words(&["", "@a.test", "@Example.ORG"]),
    );
    let hash = (
        words(&["blake3", "sha256", "sha512"]),
        words(&["exact", "text"]),
        8..=64i64,
        "[^\0]{0,64}",
    );
    let params = |pairs: Vec<(&str, Value)>| -> Params {
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    };
    prop_oneof![
        email.prop_map(move |(preserve, length, local, domain)| {
            let format = Value::Text(format!("{local}.{{hash}}{domain}"));
            let (length, preserve) = (Value::Int(length), Value::Bool(preserve));
            let email = [
                ("format", format),
                ("hash_length", length),
                ("preserve_domain", preserve),
            ];
            (Kind::Email, params(email.to_vec()))
        }),
        hash.prop_map(move |(algorithm, canonical, length, prefix)| {
            let hash = [
                ("algorithm", Value::from(algorithm)),
                ("canonical", Value::from(canonical)),
                ("length", Value::Int(length)),
                ("prefix", Value::Text(prefix)),
            ];
            (Kind::Hash, params(hash.to_vec()))
        }),
        any::<bool>().prop_map(move |preserve| {
            (
                Kind::Phone,
                params(vec![("preserve_country_code", Value::Bool(preserve))]),
            )
        }),
        "[^\0]{0,20}".prop_map(move |text| {
            (
                Kind::Redact,
                params(vec![("replacement", Value::Text(text))]),
            )
        }),
        Just((Kind::Redact, params(vec![("style", Value::from("length"))]))),
    ]
}

/// Telephone numbers as people write them.
fn number() -> impl Generator<Value = String> {
    "(\\+|00)?[1-9][0-9]{1,3}[ .()/-]{0,2}[0-9]{3,4}[ .-]?[0-9]{3,4}( ?(x|ext\\.?) ?[0-9]{1,4})?"
}

proptest! {
    #[test]
    fn effective_params_round_trip((kind, params) in valid_params()) {
        let strategy = Strategy::new(kind, &params).unwrap();
        let again = Strategy::new(kind, strategy.effective_params()).unwrap();
        prop_assert_eq!(&strategy, &again);
        prop_assert_eq!(strategy.effective_params(), again.effective_params());
    }

    #[test]
    fn masks_are_deterministic_within_their_limit(
        (kind, params) in valid_params(), value in any::<String>(), seed in any::<i64>(),
    ) {
        let strategy = Strategy::new(kind, &params).unwrap();
        let limit = strategy.output_limit(Some(value.chars().count())).unwrap();
        let keeps_length = strategy.properties(ValueType::Text).keeps_length;
        let mask = compile_with(&strategy, KEY, seed, ValueType::Text);
        let out = text(&mask, &value);
        prop_assert_eq!(&text(&compile_with(&strategy, KEY, seed, ValueType::Text), &value), &out);
        prop_assert!(out.chars().count() <= limit);
        prop_assert!(!keeps_length || out.chars().count() == value.chars().count());
    }

    #[test]
    fn arbitrary_parameters_never_panic(
        name in "[a-z_]{0,12}|format|prefix|replacement|style|algorithm", value in any::<String>(),
    ) {
        for kind in Kind::ALL {
            let params = Params::from([(name.clone(), Value::Text(value.clone()))]);
            let strategy = Strategy::new(*kind, &params);
            let keys = Subkeys::new(&KEY, &KEY);
            let mask = strategy.map(|strategy| strategy.mask(&keys, Seed::new(0), ValueType::Text));
            if let Ok(Ok(mask)) = mask {
                let _ = mask.text("a");
            }
        }
    }

    #[test]
    fn email_output_is_valid((kind, params) in valid_params(), value in any::<String>()) {
        let strategy = Strategy::new(kind, &params).unwrap();
        let out = text(&compile_with(&strategy, KEY, 1, ValueType::Text), &value);
        prop_assert!(kind != Kind::Email || is_address(&out), "{out}");
    }

    #[test]
    fn email_local_part_never_survives(
        local in "[g-z]{4,20}", domain in "[a-z0-9.-]{1,260}|[a-z]{1,9}\\.(com|co\\.uk)",
        preserve in any::<bool>(),
    ) {
        let params = [("preserve_domain", Value::Bool(preserve)), ("format", "{hash}".into())];
        let out = text(&mask(Kind::Email, &params), &format!("{local}@{domain}"));
        prop_assert!(is_address(&out), "{out}");
        let (masked, kept) = out.split_once('@').unwrap();
        prop_assert!(!masked.contains(&local));
        prop_assert!(kept == "example.com" || preserve && kept == domain);
    }

    #[test]
    fn email_spellings_share_one_output(value in any::<String>(), space in "[ \t\u{a0}\u{3000}]*") {
        let mask = mask(Kind::Email, &[]);
        let canonical = canonical::text(&value);
        let spelled = format!("{space}{}{space}", canonical);
        prop_assert_eq!(text(&mask, &spelled), text(&mask, &value));
        prop_assert_eq!(text(&mask, &canonical), text(&mask, &value));
    }

    #[test]
    fn canonical_text_is_final(value in any::<String>()) {
        let once = canonical::text(&value).into_owned();
        prop_assert_eq!(&*canonical::text(&once), &*once);
    }

    #[test]
    fn phone_keeps_separators_and_nothing_else(value in any::<String>(), tail in number()) {
        let value = format!("{value}{tail}");
        let out = text(&mask(Kind::Phone, &[]), &value);
        prop_assert_eq!(out.chars().count(), value.chars().count());
        for (from, to) in value.chars().zip(out.chars()) {
            match canonical::classify(from, |_| ()) {
                Class::Digit => prop_assert!(to.is_ascii_digit()),
                Class::Letter => {
                    prop_assert!(to.is_ascii_digit() || "extEXT".contains(from) && from == to);
                }
                Class::Plus | Class::Separator => prop_assert_eq!(from, to),
            }
        }
    }

    #[test]
    fn phone_notations_share_their_digits(
        digits in "[1-9][0-9]{5,14}", separator in "[ ./-]", script in 0..2usize,
    ) {
        let mask = mask(Kind::Phone, &[]);
        let read = |value: &str| canonical::phone(&text(&mask, value)).digits;
        let plain = text(&mask, &digits);
        let zero = u32::from(['\u{660}', '\u{ff10}'][script]);
        let other: String = digits.bytes()
            .filter_map(|b| char::from_u32(zero + u32::from(b - b'0'))).collect();
        prop_assert_eq!(&*text(&mask, &other), &plain);
        let spelled = format!("+{}{separator}({})", &digits[..2], &digits[2..]);
        prop_assert_eq!(read(&spelled), plain.clone());
        let dialed = format!("00{digits}");
        prop_assert_eq!(text(&mask, &dialed), format!("00{plain}"));
    }

    #[test]
    fn phone_keeps_the_country_code(rest in "[0-9]{6,9}", code in "1|7|20|33|44|98|212|420|971") {
        let mask = mask(Kind::Phone, &[("preserve_country_code", Value::Bool(true))]);
        for sign in ["+", "00"] {
            let value = format!("{sign}{code}{rest}");
            let kept = format!("{sign}{code}");
            prop_assert!(text(&mask, &value).starts_with(&kept));
        }
    }

    #[test]
    fn phone_integers_keep_sign_and_digits(wide in any::<i64>(), narrow in any::<i32>()) {
        let narrow = i64::from(narrow);
        for (value, width) in [(wide, ValueType::Int64), (narrow, ValueType::Int32)] {
            let out = int_mask(Kind::Phone, width).int(value).unwrap();
            prop_assert_eq!(out.to_string().len(), value.to_string().len());
            prop_assert!(width == ValueType::Int64 || i32::try_from(out).is_ok());
        }
    }

    #[test]
    fn hash_keeps_the_integer_width(value in any::<i16>()) {
        let value = i64::from(value);
        for kind in [Kind::Hash, Kind::Redact] {
            for width in ValueType::INTS {
                let out = int_mask(kind, *width).int(value).unwrap();
                prop_assert!((0..=width.max_int().unwrap()).contains(&out));
            }
        }
    }

    #[test]
    fn seed_and_key_select_the_pseudonym(
        value in "[0-9]{30}", seeds in any::<(i64, i64)>(), key in any::<[u8; 32]>(),
    ) {
        for kind in keyed() {
            let out = |key, seed| text(&mask_with(kind, &[], key, seed), &value);
            if seeds.0 != seeds.1 {
                prop_assert_ne!(out(KEY, seeds.0), out(KEY, seeds.1));
            }
            if key != KEY {
                prop_assert_ne!(out(KEY, seeds.0), out(key, seeds.0));
            }
        }
    }

    #[test]
    fn strategies_are_unrelated(value in "[a-z0-9@.]{0,40}") {
        let email = text(&mask(Kind::Email, &[("format", "{hash}".into())]), &value);
        let hash = text(&mask(Kind::Hash, &[]), &value);
        prop_assert_ne!(&email[..20], &hash);
    }
}

#[test]
fn email_and_hash_do_not_collide_on_100_000_values() {
    for kind in [Kind::Email, Kind::Hash] {
        let mask = mask(kind, &[]);
        let masked = (0..100_000).map(|n| text(&mask, &format!("user{n}@corp.com")));
        assert_eq!(masked.collect::<HashSet<_>>().len(), 100_000);
    }
}

#[test]
fn phone_uses_the_whole_digit_space_evenly() {
    let mask = mask(Kind::Phone, &[]);
    let mut counts = [[0u32; 10]; 10];
    let mut distinct = HashSet::new();
    for n in 0..20_000 {
        let value = format!("{:010}", 2_000_000_000 + n);
        let out = text(&mask, &value);
        for (at, digit) in out.bytes().enumerate() {
            counts[at][usize::from(digit - b'0')] += 1;
        }
        distinct.insert(out);
    }
    // 2000 are expected of each; the standard deviation is 42.
    assert!(
        counts.as_flattened().iter().all(|n| n.abs_diff(2000) < 250),
        "{counts:?}"
    );
    assert!(distinct.len() >= 19_990);
}
