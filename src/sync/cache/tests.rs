//! The cache in front of every strategy, beside the same mask without one.

use super::worth::Why;
use super::*;
use crate::strategies::{Kind, Params, Seed, Strategy, Subkeys, ValueType, listing, literal};

const MOST: usize = 1 << 20;

fn place(column: &str) -> Place {
    Place {
        table: "t".to_owned(),
        column: column.to_owned(),
    }
}

fn worth(work: f64) -> Worth {
    Worth {
        calls: 1e6,
        distinct: 100.0,
        work,
        lookup: 400.0,
    }
}

/// A cache for columns of table `t`.
fn caching(columns: &[&str], work: f64, most_bytes: usize) -> Caching {
    let verdicts = columns.iter().map(|column| {
        let place = ("t".to_owned(), (*column).to_owned());
        (place, Verdict::Kept(worth(work)))
    });
    Caching::new(&verdicts.collect(), most_bytes).unwrap()
}

fn plan_of<'a>(strategy: &'a Strategy, of: ValueType, column: &str) -> MaskPlan<'a> {
    MaskPlan {
        place: place(column),
        strategy,
        seed: Seed::new(1),
        of,
        salt: None,
    }
}

fn compiled(strategy: &Strategy, seed: i64, of: ValueType) -> Option<Mask> {
    let keys = Subkeys {
        salt: Some(&[9; 32]),
        ..Subkeys::new(&[7; 32], &[8; 32])
    };
    strategy.mask(&keys, Seed::new(seed), of).ok()
}

fn front(caching: &Caching, strategy: &Strategy, of: ValueType, column: &str) -> Mask {
    let made = compiled(strategy, 1, of).unwrap();
    let plan = plan_of(strategy, of, column);
    caching.front(&plan, &[("masking", 1)]).of(made, plan.seed)
}

fn text(mask: &Mask, value: &str) -> String {
    mask.text(value).unwrap().into_owned()
}

fn hash() -> Strategy {
    Strategy::new(Kind::Hash, &Params::new()).unwrap()
}

/// Values in text form, some of which every type and every strategy takes, some none.
const TEXTS: [&str; 32] = [
    "",
    " ",
    "a",
    "b",
    "7",
    "-0",
    "0",
    "1.50",
    "1.5",
    "NaN",
    "true",
    "false",
    "1987-06-05",
    "infinity",
    "1987-06-05 12:30:00",
    "1987-06-05 12:30:00+00",
    "\\x00ff",
    "192.0.2.17",
    "198.51.100.0/24",
    "2001:db8::77",
    "08:00:2b:01:02:03",
    "08:00:2b:ff:fe:01:02:03",
    "0190f5e8-7c3b-7a5c-9d2e-1f3a4b5c6d7e",
    "{\"a\": \"1000001\", \"n\": 12}",
    "\"a\"=>\"1000001\", \"b\"=>NULL",
    "Ada Lovelace",
    "ada@work.example",
    "+49 30 1234567",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "https://work.example/ada?x=1",
    "78051120",
];

/// Parameters of every strategy: those of the list, and what it does with values it does not take.
fn strategies() -> Vec<Strategy> {
    let mut made = Vec::new();
    for kind in Kind::ALL.iter().filter(|kind| !kind.is_in_runs_only()) {
        for on_error in ["error", "null", "redact"] {
            let mut params = listing::sample(*kind);
            params.insert("on_error".to_owned(), on_error.into());
            made.push(Strategy::new(*kind, &params).unwrap());
        }
    }
    made
}

/// What a mask gives, to the last bit, or the words of its error.
fn outcome(mask: &Mask, value: &Datum<'static>, row: Row<'_>) -> Result<Box<[u8]>, String> {
    match mask.apply(value.clone(), row) {
        Ok(output) => Ok(form::write(output.as_ref())),
        Err(error) => Err(format!("{}|{:?}", error.message(), error.detail())),
    }
}

#[test]
fn every_deterministic_strategy_gives_the_same_with_and_without() {
    let rows: [&[Input<'_>]; 3] = [
        &[],
        &[Input::One("7"), Input::None, Input::Many(vec!["x", "y"])],
        &[Input::One("8")],
    ];
    let (mut compared, mut hits) = (0_usize, 0);
    for strategy in strategies() {
        for of in ValueType::ALL.iter().copied() {
            let is_steady = strategy.accepts(of) && strategy.properties(of).deterministic;
            let Some(plain) = is_steady.then(|| compiled(&strategy, 1, of)).flatten() else {
                continue;
            };
            let caching = caching(&["c"], 1e9, MOST);
            let cached = front(&caching, &strategy, of, "c");
            assert_eq!(cached.value_type(), of);
            // Once into the cache, once out of it.
            for _ in 0..2 {
                for value in TEXTS
                    .iter()
                    .filter_map(|text| literal::parse(of, text).ok())
                {
                    for row in rows {
                        let expected = outcome(&plain, &value, Row(row));
                        assert_eq!(
                            outcome(&cached, &value, Row(row)),
                            expected,
                            "{strategy:?} {of:?}"
                        );
                        compared += 1;
                    }
                }
            }
            hits += caching.seen().columns[0].1.hits;
        }
    }
    assert!(compared > 10_000 && hits > 2_000, "{compared} {hits}");
}

proptest::proptest! {
    /// Whatever the values, however many of them, and however little room there is.
    #[test]
    fn outputs_are_those_of_the_mask_whatever_is_thrown_out(
        values in proptest::collection::vec("[a-c]{0,3}|\\PC{0,40}", 1..200),
        most in 0_usize..20_000,
    ) {
        let strategy = hash();
        let plain = compiled(&strategy, 1, ValueType::Text).unwrap();
        let caching = caching(&["c"], 1e9, most);
        let cached = front(&caching, &strategy, ValueType::Text, "c");
        for value in &values {
            proptest::prop_assert_eq!(text(&cached, value), text(&plain, value));
        }
        let seen = caching.seen();
        proptest::prop_assert!(seen.bytes <= most);
        let counts = seen.columns[0].1;
        proptest::prop_assert_eq!(counts.hits + counts.misses, values.len() as u64);
    }
}

#[test]
fn entries_differ_in_everything_that_an_output_depends_on() {
    let length =
        |length| Params::from([("length".to_owned(), crate::strategies::Value::Int(length))]);
    let (one, other) = (hash(), Strategy::new(Kind::Hash, &length(16)).unwrap());
    let name = Strategy::new(Kind::Name, &Params::new()).unwrap();
    let keys: [&[(&str, i32)]; 3] = [&[("k", 1)], &[("k", 2)], &[("k", 1), ("salt", 1)]];
    let caching = caching(&["c", "d"], 1e9, MOST);
    let key = |strategy, seed, of, column, keys| {
        let front = caching.front(&plan_of(strategy, of, column), keys);
        *front.0.unwrap().key(Seed::new(seed))
    };
    let mut seen = Vec::new();
    for strategy in [&one, &other, &name] {
        for seed in [1, 2] {
            for of in [ValueType::Text, ValueType::Bytes] {
                seen.extend(keys.map(|keys| key(strategy, seed, of, "c", keys)));
            }
        }
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
    // The column is none of it: columns that are masked alike share their entries.
    let [c, d] = ["c", "d"].map(|column| key(&one, 1, ValueType::Text, column, keys[0]));
    assert_eq!(c, d);
}

#[test]
fn digests_take_no_part_for_a_part_of_another() {
    let caching = caching(&["c"], 1e9, MOST);
    let front = Cached {
        mask: compiled(&hash(), 1, ValueType::Text).unwrap(),
        key: Zeroizing::new([3; 32]),
        column: 0,
        worth: worth(1e9),
        shared: Rc::clone(caching.shared.as_ref().unwrap()),
    };
    let mut tags = vec![
        front.tag(&Datum::text("ab"), Row(&[])),
        front.tag(&Datum::Bytes(b"ab".as_slice().into()), Row(&[])),
        front.tag(&Datum::text("ab"), Row(&[Input::None])),
        front.tag(&Datum::text("ab"), Row(&[Input::One("")])),
        front.tag(&Datum::text("a"), Row(&[Input::One("b")])),
        front.tag(&Datum::text("ab"), Row(&[Input::Many(vec![])])),
        front.tag(&Datum::text("ab"), Row(&[Input::Many(vec![""])])),
        front.tag(&Datum::text("ab"), Row(&[Input::Many(vec!["a", "b"])])),
        front.tag(&Datum::text("ab"), Row(&[Input::Many(vec!["ab"])])),
        front.tag(&Datum::text("ab"), Row(&[Input::One("a"), Input::One("b")])),
        front.tag(&Datum::Float(0.0), Row(&[])),
        front.tag(&Datum::Float(-0.0), Row(&[])),
    ]
    .into_iter()
    .map(|tag| tag.0)
    .collect::<Vec<_>>();
    let all = tags.len();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), all);
}

#[test]
fn a_poisoned_entry_is_detected_counted_recomputed_and_reported() {
    let strategy = hash();
    let expected = text(&compiled(&strategy, 1, ValueType::Text).unwrap(), "ada");
    let caching = caching(&["c"], 1e9, MOST);
    let cached = front(&caching, &strategy, ValueType::Text, "c");
    assert_eq!(text(&cached, "ada"), expected);
    assert_eq!(caching.alarm(), None);
    caching.shared.as_ref().unwrap().table.borrow_mut().poison();
    for _ in 0..2 {
        assert_eq!(text(&cached, "ada"), expected);
    }
    let seen = caching.seen();
    let expected = Counts {
        hits: 1,
        misses: 1,
        evicted: 0,
        poisoned: 1,
    };
    assert_eq!(seen.columns, [(place("c"), expected, false)]);
    let alarm = "1 entry of the cache of the run was changed from outside, and computed again";
    assert_eq!(caching.alarm().as_deref(), Some(alarm));
    assert_eq!(caching.alarm(), None);
    let entry = seen.entry().unwrap();
    assert_eq!(entry["columns"]["t"]["c"]["poisoned"], 1);
    let line = seen.lines().next().unwrap();
    assert_eq!(
        line,
        "cached column=\"t.c\" hits=1 misses=1 evicted=0 poisoned=1 given_up=false"
    );
}

#[test]
fn columns_that_are_masked_alike_share_entries_and_are_counted_apart() {
    let strategy = hash();
    let caching = caching(&["c", "d"], 1e9, MOST);
    let [c, d] = ["c", "d"].map(|column| front(&caching, &strategy, ValueType::Text, column));
    assert_eq!(text(&c, "ada"), text(&d, "ada"));
    let seen = caching.seen().columns;
    assert_eq!((seen[0].1.misses, seen[0].1.hits), (1, 0));
    assert_eq!((seen[1].1.misses, seen[1].1.hits), (0, 1));
}

#[test]
fn a_column_that_repeats_too_little_is_given_up() {
    let strategy = hash();
    let short = caching(&["c"], 500.0, MOST);
    let cached = front(&short, &strategy, ValueType::Text, "c");
    (0..5_000).for_each(|number| drop(text(&cached, &number.to_string())));
    let (_, counts, is_lost) = short.seen().columns[0].clone();
    assert!(is_lost);
    assert_eq!(counts.misses, 1001);
    // What is slow stays: the first thousand values say little of those to come.
    let long = caching(&["c"], 1e7, MOST);
    let cached = front(&long, &strategy, ValueType::Text, "c");
    (0..5_000).for_each(|number| drop(text(&cached, &(number % 4_000).to_string())));
    assert!(!long.seen().columns[0].2);
}

#[test]
fn masks_of_other_columns_are_left_alone() {
    let strategy = hash();
    let caching = caching(&["c"], 1e9, MOST);
    let other = front(&caching, &strategy, ValueType::Text, "d");
    drop(text(&other, "ada"));
    assert_eq!(caching.seen().columns[0].1, Counts::default());
    let none = Caching::new(&Verdicts::new(), MOST).unwrap();
    assert_eq!((none.seen().entry(), none.alarm()), (None, None));
}

#[test]
fn processes_share_one_bound() {
    for processes in 0..20 {
        assert!(share(processes) * processes <= MOST_BYTES);
    }
    assert_eq!(share(1), MOST_BYTES);
}

mod judging {
    use std::sync::Arc;

    use super::super::worth::work;
    use super::*;
    use crate::profile::SeedOrigin;
    use crate::strategies::Value;
    use crate::sync::fit::{Call, Given, How};
    use crate::sync::plan::Masked;

    const SLOW: &[(&str, &str)] = &[("algorithm", "argon2id")];

    fn strategy(kind: Kind, params: &[(&str, &str)]) -> Strategy {
        let own = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let mut all = listing::sample(kind);
        all.extend(own);
        Strategy::new(kind, &all).unwrap()
    }

    fn masked(strategy: Strategy, call: Call) -> Masked {
        Masked {
            name: "s".to_owned(),
            strategy: Arc::new(strategy),
            seed: Seed::new(1),
            origin: SeedOrigin::Default,
            how: How::Mask(call),
        }
    }

    fn plain() -> Call {
        Call {
            of: ValueType::Text,
            is_array: false,
            inputs: Vec::new(),
            token: None,
        }
    }

    fn statistics(n_distinct: f64, avg_width: f64) -> Statistics {
        Statistics {
            n_distinct,
            null_frac: 0.5,
            avg_width,
        }
    }

    fn judge(strategy: Strategy, of: Option<Statistics>, rows: f64) -> Verdict {
        let masked = masked(strategy, plain());
        Verdict::of(&masked, of.as_ref(), (rows, rows), Cache::Auto)
    }

    fn slow() -> Strategy {
        strategy(Kind::SaltedHash, SLOW)
    }

    #[test]
    fn costly_masks_of_few_values_are_kept_and_no_others() {
        let kept = |verdict| matches!(verdict, Verdict::Kept(_));
        assert!(kept(judge(slow(), Some(statistics(12.0, 20.0)), 1000.0)));
        assert!(kept(judge(slow(), Some(statistics(-0.01, 20.0)), 1e6)));
        let varied = judge(slow(), Some(statistics(-0.45, 20.0)), 1000.0);
        let expected = Why::Varied {
            calls: 500.0,
            distinct: 450.0,
        };
        assert_eq!(varied, Verdict::Not(expected));
        // Long values make a cheap mask a costly one.
        let fpe = || strategy(Kind::Fpe, &[]);
        assert!(kept(judge(fpe(), Some(statistics(100.0, 80.0)), 1e6)));
        let cheap = judge(fpe(), Some(statistics(100.0, 16.0)), 1e6);
        assert_eq!(cheap, Verdict::Not(Why::Cheap));
        for kind in [Kind::Email, Kind::Hash, Kind::Redact, Kind::Name] {
            let verdict = judge(strategy(kind, &[]), Some(statistics(2.0, 20.0)), 1e9);
            assert_eq!(verdict, Verdict::Not(Why::Cheap), "{kind:?}");
        }
        let text = || strategy(Kind::Text, &[]);
        assert!(kept(judge(text(), Some(statistics(100.0, 999.0)), 1e6)));
        assert!(!kept(judge(text(), Some(statistics(2.0, 999.0)), 10.0)));
    }

    #[test]
    fn what_is_drawn_or_charged_is_never_kept() {
        for kind in [
            Kind::Noise,
            Kind::DpNoise,
            Kind::DpChoice,
            Kind::DpNoiseSticky,
        ] {
            let of = Kind::definition(kind).accepts[0];
            let masked = masked(strategy(kind, &[]), Call { of, ..plain() });
            let statistics = statistics(2.0, 1e6);
            let verdict = Verdict::of(&masked, Some(&statistics), (1e9, 1e9), Cache::Auto);
            assert!(matches!(verdict, Verdict::Not(_)), "{kind:?}");
        }
        // Nor what has a part that is.
        let part = [
            ("type".to_owned(), Value::from("dp_choice")),
            (
                "config".to_owned(),
                Value::Map(listing::sample(Kind::DpChoice)),
            ),
        ];
        let paths = [("$.a".to_owned(), Value::Map(part.into()))];
        let params = [("paths".to_owned(), Value::Map(paths.into()))].into();
        let json = Strategy::new(Kind::Json, &params).unwrap();
        let verdict = judge(json, Some(statistics(2.0, 5000.0)), 1e9);
        assert_eq!(verdict, Verdict::Not(Why::Drawn));
    }

    #[test]
    fn reasons_are_told_where_a_mask_is_costly() {
        let words = |verdict: Verdict| verdict.in_words();
        let few = Some(statistics(12.0, 20.0));
        assert_eq!(
            words(judge(slow(), few, 1000.0)).as_deref(),
            Some("cached: about 12 different values in 500")
        );
        assert_eq!(
            words(judge(slow(), None, 1000.0)).as_deref(),
            Some("not cached: there are no statistics of the column")
        );
        assert_eq!(
            words(judge(slow(), Some(statistics(-1.0, 20.0)), 1000.0)).as_deref(),
            Some("not cached: about 500 different values in 500")
        );
        assert_eq!(words(judge(hash(), None, 1000.0)), None);
        let verdict = |call: Call, asked| {
            let masked = masked(slow(), call);
            words(Verdict::of(&masked, few.as_ref(), (1e6, 1e6), asked))
        };
        assert_eq!(
            verdict(plain(), Cache::Off).as_deref(),
            Some("not cached: the option says so")
        );
        let array = Call {
            is_array: true,
            ..plain()
        };
        assert_eq!(
            verdict(array, Cache::Auto).as_deref(),
            Some("not cached: there are no statistics of parts of a value")
        );
        let reads = Call {
            inputs: vec![Given {
                many: false,
                columns: vec!["id".to_owned()],
            }],
            ..plain()
        };
        assert_eq!(
            verdict(reads, Cache::Auto).as_deref(),
            Some("not cached: it reads other columns of the row")
        );
    }

    #[test]
    fn the_cost_of_a_slow_hash_follows_its_parameters() {
        let params = |memory| {
            Params::from([
                ("algorithm".to_owned(), Value::from("argon2id")),
                ("memory_kib".to_owned(), Value::Int(memory)),
            ])
        };
        let of = |memory| {
            work(
                &Strategy::new(Kind::SaltedHash, &params(memory)).unwrap(),
                20.0,
            )
        };
        assert!((of(38_912) / of(19_456) - 2.0).abs() < 1e-9);
        assert!(work(&strategy(Kind::SaltedHash, &[]), 20.0) < 1000.0);
    }
}
