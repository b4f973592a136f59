//! The exact sampler of the discrete Laplace distribution: against a second implementation, against
//! the exact probabilities, and against an observer who knows what floating point gives away.
//!
//! Words are fixed wherever a test could fail by chance, so that none does; what is said about
//! chance is how often a right sampler would fail with other words.

use std::fs;
use std::path::Path;

use confiture::error::Result;
use confiture::strategies::measure::epsilon::Epsilon;
use confiture::strategies::measure::laplace::{Coins, Laplace};
use confiture::strategies::{Datum, Kind, Params, Row, Seed, Strategy, Subkeys, Value, ValueType};
use serde_json::Value as Json;

fn vectors() -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/laplace.json");
    let text = fs::read_to_string(path).expect("the vectors");
    serde_json::from_str(&text).expect("JSON")
}

/// SplitMix64.
fn words(mut state: u64) -> impl FnMut() -> Result<u64> {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(word ^ (word >> 31))
    }
}

fn laplace(sensitivity: u64, micro: u64) -> Laplace {
    let epsilon = Epsilon::new(micro as f64 / 1e6, 10.0).expect("within bounds");
    assert_eq!(epsilon.micro(), micro);
    Laplace::new(sensitivity, epsilon).expect("within bounds")
}

fn draws(sensitivity: u64, micro: u64, state: u64, n: usize) -> Vec<i128> {
    let laplace = laplace(sensitivity, micro);
    let mut source = words(state);
    let mut one = || {
        laplace
            .sample(&mut Coins::new(&mut source))
            .expect("a draw")
    };
    (0..n).map(|_| one()).collect()
}

fn scale(vector: &Json) -> (u64, u64) {
    let number = |name: &str| vector[name].as_u64().expect("a number");
    (number("sensitivity"), number("micro"))
}

fn list(vector: &Json) -> &[Json] {
    vector.as_array().expect("a list")
}

/// How improbable a sum of squares is, in standard deviations (Wilson and Hilferty 1931).
fn deviations(square: f64, freedom: f64) -> f64 {
    let part = 2.0 / (9.0 * freedom);
    ((square / freedom).cbrt() - (1.0 - part)) / part.sqrt()
}

/// χ² of draws against the shares of the bins.
fn distance(drawn: &[i128], vector: &Json) -> f64 {
    let edges: Vec<i128> = list(&vector["edges"])
        .iter()
        .map(|edge| {
            edge.as_str()
                .and_then(|text| text.parse().ok())
                .expect("an edge")
        })
        .collect();
    let mut counts = vec![0_u32; edges.len() + 1];
    for number in drawn {
        counts[edges.partition_point(|edge| edge <= number)] += 1;
    }
    let shares = list(&vector["shares"]).iter();
    let terms = counts.iter().zip(shares).map(|(count, share)| {
        let expected = share.as_f64().expect("a share") * drawn.len() as f64;
        (f64::from(*count) - expected).powi(2) / expected
    });
    deviations(terms.sum(), edges.len() as f64)
}

#[test]
fn sampler_draws_what_the_second_implementation_draws() {
    for vector in list(&vectors()["draws"]) {
        let (sensitivity, micro) = scale(vector);
        let state = vector["state"].as_u64().expect("a state");
        let expected: Vec<i128> = list(&vector["numbers"])
            .iter()
            .map(|number| {
                number
                    .as_str()
                    .and_then(|text| text.parse().ok())
                    .expect("a number")
            })
            .collect();
        assert_eq!(draws(sensitivity, micro, state, expected.len()), expected);
    }
}

/// A right sampler fails one in a million times for each scale; one whose ε is 5 % too large is
/// found at every scale.
#[test]
fn sampler_has_the_exact_probabilities() {
    const MILLIONTH: f64 = 4.75;
    for vector in list(&vectors()["bins"]) {
        let (sensitivity, micro) = scale(vector);
        let drawn = draws(sensitivity, micro, 99, 1_000_000);
        let far = distance(&drawn, vector);
        assert!(far < MILLIONTH, "{sensitivity} {micro}: {far}");
        let more = (micro * 105).div_ceil(100).min(10_000_000);
        if more >= micro + micro / 25 {
            let other = draws(sensitivity, more, 99, 200_000);
            assert!(
                distance(&other, vector) > MILLIONTH,
                "{sensitivity} {micro}"
            );
        }
    }
}

/// Fails by chance less than once in a million (five standard deviations) for each assertion.
#[test]
fn sampler_has_the_right_variance_and_no_preferred_sign() {
    for (sensitivity, micro) in [
        (1, 1_000_000),
        (10, 1_000_000),
        (3, 10_000_000),
        (1_000, 50_000),
    ] {
        let n = 1_000_000;
        let drawn = draws(sensitivity, micro, 7, n);
        let q = (-(micro as f64) / 1e6 / sensitivity as f64).exp();
        let variance = 2.0 * q / (1.0 - q).powi(2);
        let fourth = 2.0 * q * (1.0 + 10.0 * q + q * q) / (1.0 - q).powi(4);
        let mean = |power| drawn.iter().map(|x| (*x as f64).powi(power)).sum::<f64>() / n as f64;
        let deviation = ((fourth - variance * variance) / n as f64).sqrt();
        assert!((mean(2) - variance).abs() < 5.0 * deviation);
        assert!(mean(1).abs() < 5.0 * (variance / n as f64).sqrt());
        let zero = (1.0 - q) / (1.0 + q);
        let zeros = drawn.iter().filter(|x| **x == 0).count() as f64;
        let deviation = (n as f64 * zero * (1.0 - zero)).sqrt();
        assert!((zeros - n as f64 * zero).abs() < 5.0 * deviation);
        let signed = n as f64 - zeros;
        let positive = drawn.iter().filter(|x| **x > 0).count() as f64;
        assert!((positive - signed / 2.0).abs() < 5.0 * (signed / 4.0).sqrt());
    }
}

/// The promise itself, on two neighbors: no set of outputs is more than e^ε times as likely for the
/// one as for the other. A sampler that spends 10 % more than it says is found.
#[test]
fn neighbors_are_told_apart_no_better_than_promised() {
    let n = 300_000;
    // How far the likelier side exceeds its limit, in standard deviations, at worst.
    let excess = |micro: u64, claimed: f64| {
        let zero = draws(5, micro, 21, n);
        let five: Vec<i128> = draws(5, micro, 22, n).into_iter().map(|x| x + 5).collect();
        let sets = (-10..=15).flat_map(|x| [(x, x), (i128::MIN, x), (x, i128::MAX)]);
        let worst = sets.flat_map(|(low, high)| {
            let count =
                |drawn: &[i128]| drawn.iter().filter(|x| (low..=high).contains(*x)).count() as f64;
            let (a, b) = (count(&zero), count(&five));
            let over = |a: f64, b: f64| {
                let limit = b * f64::exp(claimed);
                (a - limit) / (a + limit * f64::exp(claimed)).max(1.0).sqrt()
            };
            [over(a, b), over(b, a)]
        });
        worst.fold(f64::NEG_INFINITY, f64::max)
    };
    assert!(excess(1_000_000, 1.0) < 5.0);
    assert!(excess(1_100_000, 1.0) > 5.0);
}

fn noisy(value: f64, sensitivity: f64, n: usize) -> Vec<f64> {
    let params = Params::from([
        ("epsilon".to_owned(), Value::from(1.0)),
        ("sensitivity".to_owned(), Value::from(sensitivity)),
    ]);
    let strategy = Strategy::new(Kind::DpNoise, &params).expect("parameters");
    let keys = Subkeys::new(&[0; 32], &[0; 32]);
    let mask = strategy
        .mask(&keys, Seed::new(0), ValueType::Float64)
        .expect("a type");
    let one = || match mask.apply(Datum::Float(value), Row::NONE) {
        Ok(Some(Datum::Float(out))) => out,
        other => panic!("{other:?}"),
    };
    (0..n).map(|_| one()).collect()
}

/// Whether textbook noise, a logarithm of a multiple of 2^-53, leads from a value to an answer
/// (Mironov 2012): the multiples near the one that would are tried.
fn textbook_leads(from: f64, to: f64, scale: f64) -> bool {
    let multiple = (-((to - from).abs() / scale)).exp() * 2_f64.powi(53);
    (-300..=300)
        .map(|by| multiple.round() + f64::from(by))
        .filter(|k| *k > 0.0)
        .any(|k| {
            let noise = -scale * (k * 2_f64.powi(-53)).ln();
            from + noise == to || from - noise == to
        })
}

/// An observer of one answer can rule out one of two values if the noise is the textbook's, and
/// never if it is ours: all answers for both values lie on the points of one grid.
#[test]
fn answers_lie_on_one_grid_whatever_the_value() {
    for (sensitivity, exponent) in [(1.0, -32), (10.0, -28), (0.3, -33)] {
        let step = 2_f64.powi(exponent);
        for value in [0.0, 1.0, 1.1, -1e6] {
            for answer in noisy(value, sensitivity, 5_000) {
                assert_eq!((answer / step).fract(), 0.0, "{value} {answer}");
            }
        }
    }
    let mut source = words(5);
    let (mut caught, n) = (0, 400);
    for _ in 0..n {
        let word = source().expect("a word");
        let uniform = ((word >> 11) + 1) as f64 * 2_f64.powi(-53);
        let noise = -10.0 * uniform.ln() * if word & 1 == 0 { 1.0 } else { -1.0 };
        assert!(
            textbook_leads(0.0, noise, 10.0),
            "its own value is never ruled out"
        );
        caught += u32::from(!textbook_leads(1.0, noise, 10.0));
    }
    assert!(caught > n / 2, "the attack itself works: {caught}");
}
