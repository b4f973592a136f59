//! What strategies promise, held against what they do: every flag of the list of strategies.

use confiture::strategies::measure::decimal;
use confiture::strategies::{
    Datum, Input, Kind, Mask, Params, Presence, Properties, Row, Seed, Strategy, Subkeys, Value,
    ValueType, listing, literal,
};

use crate::masks::{KEY, SEED, params};

/// Values of a type, different ones, among which every strategy finds some that it takes.
fn values(of: ValueType) -> Vec<Datum<'static>> {
    let numbers: Vec<String> = (1..60).map(|n| (n * n * 7 + 11).to_string()).collect();
    let texts: Vec<String> = match of {
        ValueType::Bool => vec!["true".into(), "false".into()],
        ValueType::Bytes => (1..40).map(|n| format!("\\x{:04x}", n * 257)).collect(),
        ValueType::Cidr => (1..40).map(|n| format!("198.51.{n}.0/24")).collect(),
        ValueType::Inet => (1..40).map(|n| format!("198.51.100.{n}")).collect(),
        ValueType::Date => (1..28).map(|n| format!("1987-06-{n:02}")).collect(),
        ValueType::Timestamp => (1..28)
            .map(|n| format!("1987-06-{n:02} 12:30:00"))
            .collect(),
        ValueType::Timestamptz => (1..28)
            .map(|n| format!("1987-06-{n:02} 12:30:00+00"))
            .collect(),
        ValueType::Float32 | ValueType::Float64 | ValueType::Numeric => {
            let halves = (1..40).map(|n| format!("{n}.25"));
            let cards = ["4111111111111111", "5500005555555559"].map(str::to_owned);
            halves.chain(numbers).chain(cards).collect()
        }
        ValueType::Int64 => {
            let cards = ["4111111111111111", "5500005555555559", "123456782"];
            numbers
                .into_iter()
                .chain(cards.map(str::to_owned))
                .collect()
        }
        ValueType::Int32 => {
            let ids = ["78051120", "219099999"].map(str::to_owned);
            numbers.into_iter().chain(ids).collect()
        }
        ValueType::Int16 => numbers,
        ValueType::Hstore => (1_000_001..1_000_020)
            .map(|n| format!("\"a\"=>\"{n}\", \"b\"=>\"x\""))
            .collect(),
        ValueType::Json | ValueType::Jsonb => (1..20).map(document).collect(),
        ValueType::Mac => (1..40).map(|n| format!("00:00:5e:00:53:{n:02x}")).collect(),
        ValueType::Mac8 => (1..40)
            .map(|n| format!("00:00:5e:ff:fe:00:53:{n:02x}"))
            .collect(),
        ValueType::Uuid => (1..40)
            .map(|n| format!("00000000-0000-4000-8000-0000000000{n:02x}"))
            .collect(),
        ValueType::Enum => vec!["a".into(), "b".into(), "c".into()],
        ValueType::Text => [
            "a",
            "b",
            "Ada Lovelace",
            "Bob Byron",
            "ada@work.example",
            "bob@mail.example",
            "+49 30 1234567",
            "+49 30 7654321",
            "4111 1111 1111 1111",
            "5500-0055-5555-5559",
            "DE89 3704 0044 0532 0130 00",
            "GB82 WEST 1234 5698 7654 32",
            "078-05-1120",
            "219-09-9999",
            "https://work.example/ada?x=1",
            "https://work.example/bob",
            "192.0.2.17",
            "198.51.100.4",
            "00:00:5e:00:53:01",
            "00:00:5e:00:53:02",
            "0190f5e8-7c3b-7a5c-9d2e-1f3a4b5c6d7e",
            "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0",
            "12 Main Street, 10001 New York",
            "{\"a\": \"1000001\", \"n\": 12}",
            "{\"a\": \"1000002\", \"n\": 13}",
            "12345",
            "10001",
        ]
        .map(str::to_owned)
        .into(),
        ValueType::Record => Vec::new(),
    };
    texts
        .iter()
        .map(|text| literal::parse(of, text).expect("a value of the type"))
        .collect()
}

fn document(n: usize) -> String {
    format!("{{\"a\": \"{}\", \"n\": {n}}}", 1_000_000 + n)
}

/// Parameters that are worth a look beside the default ones.
fn variants(kind: Kind) -> Vec<Params> {
    let pairs = |to: [&str; 2]| {
        let pairs = ["a", "b"]
            .map(str::to_owned)
            .into_iter()
            .zip(to.map(Value::from));
        ("pairs", Value::Map(pairs.collect()))
    };
    let paths = |strategy: &str| {
        let paths = [("$.a".to_owned(), Value::from(strategy))];
        ("paths", Value::Map(paths.into()))
    };
    let part = |part: &str| ("part", Value::from(part));
    let jitter = ("method", Value::from("jitter"));
    let unique = ("keep_unique", Value::Bool(true));
    let more = match kind {
        Kind::Geo => vec![
            params(&[part("longitude")]),
            params(&[part("latitude"), jitter.clone()]),
            params(&[part("longitude"), jitter]),
        ],
        Kind::Json => vec![
            params(&[paths("hash")]),
            params(&[paths("fpe")]),
            params(&[paths("keep"), ("unlisted", Value::from("drop"))]),
        ],
        Kind::Map => vec![
            params(&[pairs(["x", "x"])]),
            params(&[pairs(["b", "a"])]),
            params(&[pairs(["x", "y"]), ("on_miss", Value::from("keep"))]),
            params(&[pairs(["x", "y"]), ("on_miss", Value::from("hash"))]),
        ],
        Kind::NationalId => vec![params(&[("country", Value::from("us")), unique])],
        Kind::Phone | Kind::Iban | Kind::Mac => vec![params(&[unique])],
        _ => Vec::new(),
    };
    std::iter::once(listing::sample(kind)).chain(more).collect()
}

/// Every strategy that masks values by themselves, with parameters, for each type it takes.
fn all() -> impl Iterator<Item = (Strategy, ValueType)> {
    let kinds = Kind::ALL.iter().filter(|kind| !kind.is_in_runs_only());
    let strategies = kinds.flat_map(|kind| {
        let made = variants(*kind).into_iter();
        made.map(|params| Strategy::new(*kind, &params).expect("valid parameters"))
    });
    strategies.flat_map(|strategy| {
        let accepted = ValueType::ALL.iter().filter(|of| strategy.accepts(**of));
        let accepted: Vec<_> = accepted.copied().collect();
        accepted.into_iter().map(move |of| (strategy.clone(), of))
    })
}

/// A mask with what becomes of each of the values that it takes.
struct Made {
    mask: Mask,
    inputs: Vec<Input<'static>>,
    taken: Vec<(Datum<'static>, Datum<'static>)>,
}

impl Made {
    /// None if the parameters do not fit the type.
    fn new(strategy: &Strategy, of: ValueType, key: [u8; 32], seed: i64) -> Option<Self> {
        let keys = Subkeys {
            salt: Some(&key),
            ..Subkeys::new(&key, &key)
        };
        let mut made = Self {
            mask: strategy.mask(&keys, Seed::new(seed), of).ok()?,
            inputs: inputs(strategy),
            taken: Vec::new(),
        };
        let pairs = values(of).into_iter();
        made.taken = pairs
            .filter_map(|value| {
                let out = made.of(&value)?;
                Some((value, out))
            })
            .collect();
        Some(made)
    }

    fn of(&self, value: &Datum<'static>) -> Option<Datum<'static>> {
        self.mask
            .apply(value.clone(), Row(&self.inputs))
            .ok()
            .flatten()
    }

    /// Whether a value becomes the same each of so many times that chance would show.
    fn is_steady(&self) -> bool {
        let first = self.taken.first();
        first.is_none_or(|(value, out)| (0..64).all(|_| self.of(value).as_ref() == Some(out)))
    }

    fn outputs(&self) -> Vec<&Datum<'static>> {
        self.taken.iter().map(|(_, out)| out).collect()
    }
}

/// Something in place of what must be there, and nothing else: an entity would decide alone.
fn inputs(strategy: &Strategy) -> Vec<Input<'static>> {
    let mut given: Vec<&str> = Vec::new();
    while let Some(name) = strategy.lacks(|name| given.contains(&name)) {
        given.push(name);
    }
    let all = strategy.kind().definition().inputs.iter();
    all.map(|spec| match given.contains(&spec.name) {
        true => Input::One("7"),
        false => Input::None,
    })
    .collect()
}

fn characters(value: &Datum<'_>) -> Option<usize> {
    match value {
        Datum::Text(text) => Some(text.chars().count()),
        _ => None,
    }
}

#[test]
fn promises_are_what_the_masks_do() {
    let mut broken = Vec::new();
    for (strategy, of) in all() {
        let Some(made) = Made::new(&strategy, of, KEY, SEED) else {
            continue;
        };
        for flag in broken_flags(&strategy, of, &made) {
            broken.push(format!("{flag} of {strategy:?} for {of:?}"));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The flags that are not what the mask does.
fn broken_flags(strategy: &Strategy, of: ValueType, made: &Made) -> Vec<&'static str> {
    let promised = strategy.properties(of);
    let others = |key| Made::new(strategy, of, key, SEED).expect("as before");
    let (again, other) = (others(KEY), others([0x33; 32]));
    let mut broken = Vec::new();
    let mut check = |flag, holds: bool| {
        if !holds && !broken.contains(&flag) {
            broken.push(flag);
        }
    };
    check("some value", promised.gives_null || !made.taken.is_empty());
    let is_deterministic = made.outputs() == again.outputs() && made.is_steady();
    check("deterministic", promised.deterministic == is_deterministic);
    if promised.deterministic {
        check(
            "keyed",
            promised.keyed == (made.outputs() != other.outputs()),
        );
    }
    for (at, (value, out)) in made.taken.iter().enumerate() {
        let is_new = made.taken[..at].iter().all(|(_, before)| before != out);
        check("injective", !promised.injective || is_new);
        let is_as_long = characters(value) == characters(out);
        check("keeps_length", !promised.keeps_length || is_as_long);
        let is_well_formed = made.of(out).is_some();
        check("keeps_format", !promised.keeps_format || is_well_formed);
        if promised.reversible {
            let back = made.mask.reverse(out.clone(), Row(&made.inputs));
            check("reversible", back.ok().flatten().as_ref() == Some(value));
        }
    }
    broken
}

#[test]
fn promises_of_the_list_hold_whatever_stands_in_parameters_without_a_default() {
    for kind in Kind::ALL.iter().filter(|kind| !kind.is_in_runs_only()) {
        let listed = listing::entry(*kind).properties;
        let strategies = variants(*kind).into_iter().map(|params| {
            let strategy = Strategy::new(*kind, &params).expect("valid parameters");
            let required = |name: &String| {
                let spec = kind.params().iter().find(|spec| spec.name == name);
                spec.is_some_and(|spec| spec.presence == Presence::Required)
            };
            (params.keys().all(required), strategy)
        });
        let strategies: Vec<_> = strategies.collect();
        let keyed = strategies.iter().any(|(_, strategy)| strategy.is_keyed());
        assert_eq!(listed.keyed, keyed, "{kind:?}: keyed");
        let plain = |of: ValueType| -> Vec<Properties> {
            let plain = strategies.iter().filter(|(plain, _)| *plain);
            plain.map(|(_, strategy)| strategy.properties(of)).collect()
        };
        // One type for all of the flags, as the list has one line for each strategy.
        let holds = |of: &ValueType| {
            plain(*of).iter().all(|properties| {
                let kept = |flag: fn(&Properties) -> bool| !flag(&listed) || flag(properties);
                kept(|of| of.deterministic)
                    && kept(|of| of.injective)
                    && kept(|of| of.reversible)
                    && kept(|of| of.keeps_length)
                    && kept(|of| of.keeps_format)
            })
        };
        let mut accepted = kind.definition().accepts.iter();
        assert!(accepted.any(holds), "{kind:?}");
    }
}

#[test]
fn numerics_that_are_equal_are_masked_equally() {
    let of = ValueType::Numeric;
    let numeric = |text: &'static str| Datum::Numeric(text.into());
    let canonical = |made: Option<Datum<'static>>| match made {
        Some(Datum::Numeric(text)) => Some(decimal::canonical(&text).to_owned()),
        other => other.map(|other| panic!("{other:?}")),
    };
    for (strategy, _) in all().filter(|(_, accepted)| *accepted == of) {
        let promised = strategy.properties(of);
        let Some(made) = Made::new(&strategy, of, KEY, SEED) else {
            continue;
        };
        if promised.follows_scale || !promised.deterministic {
            continue;
        }
        for equal in [
            ["1", "1.0", "1.00"],
            ["1.5", "1.50", "1.500"],
            ["-20", "-20.0", "-20.00"],
        ] {
            let made = equal.map(|text| canonical(made.of(&numeric(text))));
            assert!(
                made.iter().all(|other| *other == made[0]),
                "{strategy:?}: {made:?}"
            );
        }
    }
    // What the flag says of the others is so.
    let noise = Strategy::new(Kind::Noise, &Params::new()).expect("valid parameters");
    let made = Made::new(&noise, of, KEY, SEED).expect("a type it accepts");
    let scale = |text| match made.of(&numeric(text)) {
        Some(Datum::Numeric(text)) => text.split_once('.').map_or(0, |(_, digits)| digits.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!([scale("1000.5"), scale("1000.500")], [1, 3]);
}
