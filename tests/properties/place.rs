//! Properties of address and geo.

use confiture::strategies::{Datum, Input, Kind, Mask, Row, Strategy, Value, ValueType, canonical};
use proptest::prelude::{Strategy as Generator, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;

use crate::masks::{mask, strategy};

const PARTS: [&str; 9] = [
    "full",
    "line",
    "street",
    "city",
    "postcode",
    "region",
    "region_code",
    "country",
    "country_code",
];
const STREETS: [&str; 3] = ["full", "line", "street"];
const COUNTRIES: [&str; 8] = ["us", "br", "de", "es", "fr", "gb", "pt", "any"];

fn address(part: &str, country: &str, keep_case: bool) -> Vec<(&'static str, Value)> {
    vec![
        ("part", Value::from(part)),
        ("country", Value::from(country)),
        ("keep_case", Value::Bool(keep_case)),
    ]
}

/// One that is to be unique, if it can.
fn unique(part: &str, country: &str, keep_case: bool, unique: bool) -> Vec<(&'static str, Value)> {
    let mut params = address(part, country, keep_case);
    params.push((
        "keep_unique",
        Value::Bool(unique && STREETS.contains(&part)),
    ));
    params
}

fn float(mask: &Mask, value: f64, inputs: [Option<&str>; 3]) -> Option<f64> {
    let inputs = inputs.map(|input| input.map_or(Input::None, Input::One));
    match mask.apply(Datum::Float(value), Row(&inputs)) {
        Ok(Some(Datum::Float(made))) => Some(made),
        Ok(other) => panic!("{other:?}"),
        Err(error) => {
            assert!(error.is_about_the_value());
            None
        }
    }
}

fn geo(part: &str, method: &str, km: f64) -> Vec<(&'static str, Value)> {
    let length = if method == "grid" {
        "cell_km"
    } else {
        "radius_km"
    };
    vec![
        ("part", Value::from(part)),
        ("method", Value::from(method)),
        (length, Value::from(km)),
    ]
}

/// Both coordinates of a point, masked.
fn masked(point: (f64, f64), method: &str, km: f64, entity: Option<&str>) -> (f64, f64) {
    let (latitude, longitude) = (point.0.to_string(), point.1.to_string());
    let inputs = [Some(&*latitude), Some(&*longitude), entity];
    let of = |part, value| {
        let mask = mask(Kind::Geo, &geo(part, method, km), ValueType::Float64);
        float(&mask, value, inputs).expect("a coordinate")
    };
    (of("latitude", point.0), of("longitude", point.1))
}

/// Along a great circle (haversine).
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let radians = |(a, b): (f64, f64)| (a.to_radians(), b.to_radians());
    let (a, b) = (radians(a), radians(b));
    let half = |x: f64| (x / 2.0).sin().powi(2);
    let h = half(b.0 - a.0) + a.0.cos() * b.0.cos() * half(b.1 - a.1);
    2.0 * 6371.0 * h.sqrt().min(1.0).asin()
}

fn point() -> impl Generator<Value = (f64, f64)> {
    let edges = select(vec![
        (0.0, 0.0),
        (90.0, 0.0),
        (-90.0, 77.0),
        (89.999, -179.999),
        (65.0, 180.0),
        (-65.0, -180.0),
        (-0.000_001, 179.999_999),
    ]);
    proptest::prop_oneof![1 => edges, 4 => (-90.0..90.0f64, -180.0..180.0f64)]
}

proptest! {
    #[test]
    fn address_takes_every_text_within_its_limit(
        part in select(&PARTS[..]), country in select(&COUNTRIES[..]), keep_case in any::<bool>(),
        value in any::<String>(), entity in proptest::option::of(any::<String>()),
        is_unique in any::<bool>(),
    ) {
        let params = unique(part, country, keep_case, is_unique);
        let limit = strategy(Kind::Address, &params).output_limit(None).expect("a limit");
        let mask = mask(Kind::Address, &params, ValueType::Text);
        let inputs = [entity.as_deref().map_or(Input::None, Input::One)];
        let out = mask.apply(Datum::text(&*value), Row(&inputs)).expect("any text");
        let Some(Datum::Text(out)) = out else { panic!("{out:?}") };
        prop_assert!(!out.is_empty() && out.chars().count() <= limit);
        prop_assert_eq!(out.trim(), &*out);
    }

    #[test]
    fn address_spellings_share_one_place(value in any::<String>(), space in "[ \t\u{a0}]*") {
        for is_unique in [false, true] {
            let params = unique("full", "any", false, is_unique);
            let mask = mask(Kind::Address, &params, ValueType::Text);
            let spelled = format!("{space}{value}{space}");
            prop_assert_eq!(mask.text(&spelled).ok(), mask.text(&value).ok());
        }
    }

    #[test]
    fn address_that_is_unique_is_so_by_the_word_alone(
        values in any::<[String; 2]>(), country in select(&COUNTRIES[..]), keep_case in any::<bool>(),
    ) {
        let of = |part| mask(Kind::Address, &unique(part, country, keep_case, true), ValueType::Text);
        let [full, line, street] = STREETS.map(|part| {
            let mask = of(part);
            values.clone().map(|value| mask.text(&value).expect("any text").to_lowercase())
        });
        let word = |street: &str| street[street.len() - 27..].to_owned();
        for n in 0..2 {
            prop_assert!(full[n].contains(&line[n]) && line[n].contains(&street[n]));
        }
        let [a, b] = values.each_ref().map(|value| canonical::text(value));
        prop_assert_eq!(word(&street[0]) == word(&street[1]), a == b);
    }

    #[test]
    fn effective_params_round_trip(
        part in select(&PARTS[..]), country in select(&COUNTRIES[..]), keep_case in any::<bool>(),
        axis in select(vec!["latitude", "longitude"]), method in select(vec!["grid", "jitter"]),
        km in 0.01..2000.0f64, is_unique in any::<bool>(),
    ) {
        for made in [
            strategy(Kind::Address, &unique(part, country, keep_case, is_unique)),
            strategy(Kind::Geo, &geo(axis, method, km)),
        ] {
            let again = Strategy::new(made.kind(), made.effective_params());
            prop_assert_eq!(again.ok(), Some(made));
        }
    }

    #[test]
    fn geo_grid_gives_a_point_within_reach(at in point(), km in 0.01..2000.0f64) {
        let middle = masked(at, "grid", km, None);
        prop_assert!(middle.0.abs() <= 90.0 && middle.1.abs() <= 180.0);
        // Half the diagonal of a cell, which near a pole is up to twice as wide as it must be.
        let far = distance(middle, at);
        prop_assert!(far <= 1.5 * km + 0.001, "{middle:?}, {far} km");
    }

    #[test]
    fn geo_jitter_stays_within_the_radius(
        at in point(), km in 0.01..2000.0f64, entity in proptest::option::of(any::<String>()),
    ) {
        let to = masked(at, "jitter", km, entity.as_deref());
        prop_assert!(to.0.abs() <= 90.0 && to.1.abs() <= 180.0);
        let far = distance(at, to);
        prop_assert!(far <= km + 0.001, "{to:?}, {far} km");
    }

    #[test]
    fn geo_never_panics(
        value in any::<f64>(), text in any::<String>(), numeric in "-?[0-9]{0,4}(\\.[0-9]{0,40})?",
        part in select(vec!["latitude", "longitude"]), method in select(vec!["grid", "jitter"]),
        km in 0.01..2000.0f64,
    ) {
        for of in [ValueType::Float32, ValueType::Float64] {
            let mask = mask(Kind::Geo, &geo(part, method, km), of);
            if let Some(out) = float(&mask, value, [Some(&text), Some(&numeric), None]) {
                prop_assert!(out.abs() <= 180.0);
            }
        }
        let mask = mask(Kind::Geo, &geo(part, method, km), ValueType::Numeric);
        let inputs = [Input::One("10"), Input::One("20"), Input::None];
        for value in [&text, &numeric] {
            if let Ok(Some(Datum::Numeric(out))) =
                mask.apply(Datum::Numeric(value.into()), Row(&inputs))
            {
                let scale = |text: &str| text.split_once('.').map_or(0, |(_, rest)| rest.len());
                prop_assert_eq!(scale(&out), scale(value));
                prop_assert!(out.parse::<f64>().is_ok_and(|out| out.abs() <= 180.0));
            }
        }
    }
}

#[test]
fn geo_jitter_fills_the_disk_evenly() {
    let (mut inner, mut east, mut north) = (0, 0, 0);
    for n in 0..2000 {
        let to = masked((45.0, 7.0), "jitter", 10.0, Some(&n.to_string()));
        // A disk of half the area.
        inner += i32::from(distance((45.0, 7.0), to) < 10.0 / 2f64.sqrt());
        east += i32::from(to.1 > 7.0);
        north += i32::from(to.0 > 45.0);
    }
    for count in [inner, east, north] {
        // The standard deviation is 22.
        assert!((890..1110).contains(&count), "{inner} {east} {north}");
    }
}

#[test]
fn geo_jitter_is_drawn_from_the_entity_or_the_pair() {
    let same = masked((45.0, 7.0), "jitter", 10.0, Some("1"));
    let other = masked((46.0, 7.0), "jitter", 10.0, Some("1"));
    assert!((other.0 - same.0 - 1.0).abs() < 0.001);
    assert_ne!(masked((45.0, 7.0), "jitter", 10.0, None), same);
    assert_ne!(masked((45.0, 7.0), "jitter", 10.0, Some("2")), same);
}

#[test]
fn address_cities_are_drawn_evenly() {
    let mask = mask(
        Kind::Address,
        &address("city", "fr", false),
        ValueType::Text,
    );
    let mut counts = std::collections::HashMap::new();
    for n in 0..40_000 {
        let city = mask.text(&n.to_string()).expect("any text").into_owned();
        *counts.entry(city).or_insert(0) += 1;
    }
    // A hundred are expected of each, ten are the standard deviation.
    assert!(counts.len() >= 395, "{}", counts.len());
    assert!(counts.values().all(|&n: &i32| (50..=250).contains(&n)));
}
