//! The strategies alone, without a server: nanoseconds per value.
//!
//! `cargo bench --bench strategies`, or through `make bench`. The pure part of what a row costs;
//! `tests/cluster/bench_masks.py` measures the whole in a server.

use std::hint::black_box;
use std::time::Duration;

use confiture::strategies::listing::sample;
use confiture::strategies::literal;
use confiture::strategies::params::from_json;
use confiture::strategies::{Kind, Row, Seed, Strategy, Subkeys, ValueType};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Strategy, parameters as JSON (empty: those of its sample), type, value in text form.
const CASES: &[(&str, &str, ValueType, &str)] = &[
    ("hash", "{}", ValueType::Text, "person-0001@mail.example"),
    (
        "hash",
        r#"{"algorithm": "blake3"}"#,
        ValueType::Text,
        "person-0001@mail.example",
    ),
    ("email", "{}", ValueType::Text, "person-0001@mail.example"),
    ("phone", "{}", ValueType::Text, "+49 30 1234567"),
    ("redact", "{}", ValueType::Text, "person-0001@mail.example"),
    (
        "mask",
        r#"{"keep_first": 1, "keep_last": 4}"#,
        ValueType::Text,
        "4111-1111-1111-1111",
    ),
    ("fpe", "{}", ValueType::Text, "4111111111111111"),
    (
        "fpe",
        r#"{"alphabet": "alnum"}"#,
        ValueType::Text,
        "A1b2C3d4E5f6",
    ),
    ("fpe", "{}", ValueType::Int64, "123456789012"),
    ("salted_hash", "{}", ValueType::Text, "123-45-6789"),
    (
        "salted_hash",
        r#"{"algorithm": "argon2id"}"#,
        ValueType::Text,
        "123-45-6789",
    ),
    ("dp_noise", "", ValueType::Int32, "50000"),
    ("dp_noise_sticky", "", ValueType::Int32, "50000"),
    ("name", "{}", ValueType::Text, "Ada Lovelace"),
    ("username", "{}", ValueType::Text, "ada.lovelace"),
    (
        "address",
        "{}",
        ValueType::Text,
        "12 Rue de la Paix, 75002 Paris",
    ),
    ("company", "{}", ValueType::Text, "Acme Inc."),
    ("ip", "{}", ValueType::Inet, "192.0.2.77"),
    ("ip", "{}", ValueType::Inet, "2001:db8::77"),
    ("mac", "{}", ValueType::Mac, "08:00:2b:01:02:03"),
    (
        "url",
        "{}",
        ValueType::Text,
        "https://www.shop.example/item/77?u=ada",
    ),
    (
        "uuid",
        "{}",
        ValueType::Uuid,
        "0190f5e8-7c3b-7a5c-9d2e-1f3a4b5c6d7e",
    ),
    ("credit_card", "{}", ValueType::Text, "4111 1111 1111 1111"),
    ("iban", "{}", ValueType::Text, "DE89 3704 0044 0532 0130 00"),
    ("date_shift", "{}", ValueType::Date, "1984-05-17"),
    ("noise", "", ValueType::Numeric, "1234.56"),
    ("round", "", ValueType::Numeric, "1234.56"),
    ("generalize", "", ValueType::Date, "1984-05-17"),
    ("choice", "", ValueType::Text, "red"),
    (
        "lorem",
        "{}",
        ValueType::Text,
        "The customer called twice and asked for the invoice of March to be sent again.",
    ),
    (
        "text",
        "{}",
        ValueType::Text,
        "Please call Ada at +44 20 7946 0958 or write to ada@work.example; card 4111 1111 1111 1111.",
    ),
    (
        "json",
        r#"{"paths": {"$.email": "email", "$.phones[*]": "phone", "$.id": "keep"}}"#,
        ValueType::Jsonb,
        r#"{"id": 7, "email": "ada@work.example", "phones": ["+44 20 7946 0958"], "note": "x"}"#,
    ),
];

fn strategies(criterion: &mut Criterion) {
    let secret = [7; 32];
    let keys = Subkeys {
        salt: Some(&secret),
        ..Subkeys::new(&secret, &secret)
    };
    for (name, params, of, value) in CASES {
        let Some(kind) = Kind::parse(name) else {
            continue;
        };
        let params = if params.is_empty() {
            sample(kind)
        } else {
            from_json(&serde_json::from_str(params).expect("JSON")).expect("parameters")
        };
        let strategy = Strategy::new(kind, &params).expect("valid parameters");
        let mask = strategy
            .mask(&keys, Seed::new(1), *of)
            .expect("a type it takes");
        let datum = literal::parse(*of, value).expect("a value of the type");
        let mut group = criterion.benchmark_group(*name);
        group.throughput(Throughput::Bytes(value.len() as u64));
        group
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_millis(800))
            .sample_size(20);
        let label = format!("{} {:?}", of.name(), params.keys().collect::<Vec<_>>());
        group.bench_function(label, |bencher| {
            bencher.iter(|| mask.apply(black_box(datum.clone()), Row::NONE));
        });
        group.finish();
    }
}

criterion_group!(benches, strategies);
criterion_main!(benches);
