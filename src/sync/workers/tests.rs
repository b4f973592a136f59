//! What a worker is told, and that it masks as the run does.

use serde_json::Value;

use super::*;
use crate::error::Error;
use crate::strategies::{self, Params, Strategy, ValueType};
use crate::sync::plan::MaskPlan;
use kit::MaskOf;

fn place() -> Place {
    Place {
        table: "t".to_owned(),
        column: "c".to_owned(),
    }
}

/// A kit with one mask.
fn kit(strategy: &Strategy, of: ValueType, salt: bool) -> Kit {
    let mask = MaskPlan {
        place: place(),
        strategy,
        seed: Seed::new(-7),
        of,
        salt: None,
    };
    Kit {
        about: About {
            schema: "s".to_owned(),
            table: "t".to_owned(),
            first_mask: 3,
            masks: vec![MaskOf::new(&mask, &[("main", 2)], None)],
            first_tracker: 5,
            tracked: vec!["c".to_owned()],
            commitment: Commitment::default().name().to_owned(),
            scan: None,
            kept: Vec::new(),
            kept_bytes: 0,
        },
        subkeys: [Secret::copy_of(&[1; 32]), Secret::copy_of(&[2; 32])],
        lineage: Some(Secret::copy_of(&[3; 32])),
        masks: vec![(Seed::new(-7), salt.then(|| Secret::copy_of(&[4; 32])))],
    }
}

#[test]
fn a_kit_is_read_as_it_was_written() {
    let strategy = Strategy::new(strategies::Kind::Hash, &Params::new()).unwrap();
    for salt in [false, true] {
        let kit = kit(&strategy, ValueType::Text, salt);
        let bytes = kit.bytes();
        let read = Kit::read(&bytes).unwrap();
        assert_eq!(read.about, kit.about);
        assert_eq!(
            read.subkeys.each_ref().map(Secret::expose),
            [&[1; 32], &[2; 32]]
        );
        assert_eq!(read.lineage.unwrap().expose(), &[3; 32]);
        assert_eq!(read.masks[0].0.number(), -7);
        assert_eq!(
            read.masks[0].1.as_ref().map(Secret::expose),
            salt.then_some(&[4; 32])
        );
        assert_eq!(read.about.masks[0].keys, [("main".to_owned(), 2)]);
        for length in [0, 7, 9, 100, bytes.len() - 1] {
            assert!(Kit::read(&bytes[..length]).is_err(), "{length}");
        }
        // No secret stands in the part that anybody may know.
        let about = serde_json::to_string(&kit.about).unwrap();
        assert!(!about.contains("-7"));
    }
}

#[test]
fn a_worker_masks_as_the_run_does() {
    let mut tried = 0;
    for kind in strategies::Kind::ALL.iter().copied() {
        let Ok(strategy) = Strategy::new(kind, &Params::new()) else {
            continue;
        };
        let of = ValueType::Text;
        if !kind.accepts(of) || !strategy.accepts(of) || !strategy.is_deterministic() {
            continue;
        }
        let keys = strategies::Subkeys {
            salt: Some(&[4; 32]),
            ..strategies::Subkeys::new(&[1; 32], &[2; 32])
        };
        let kit = Kit::read(&kit(&strategy, of, true).bytes()).unwrap();
        let caching = kit.caching().unwrap();
        let made = kit.make(&caching).map(|(mut made, _)| made.remove(0).0);
        let own = strategy.mask(&keys, Seed::new(-7), of);
        // Some cannot do without parameters.
        let Ok(own) = own else {
            continue;
        };
        let made = made.unwrap();
        for value in [
            "ada@post.example",
            "Ada",
            "12",
            "4111111111111111",
            "10.0.0.1",
        ] {
            let shown = |mask: &strategies::Mask| {
                let text = |text: std::borrow::Cow<'_, str>| text.into_owned();
                mask.text(value)
                    .map(text)
                    .map_err(|error: Error| error.message().to_owned())
            };
            assert_eq!(shown(&made), shown(&own), "{}", kind.name());
        }
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn parameters_come_through_as_they_are() {
    use crate::strategies::params::{from_json, to_json};
    let spec = serde_json::json!({"a": 1, "b": 1.0, "c": [true, "x"], "d": {"e": -0.5}});
    let params = from_json(&spec).unwrap();
    let back: Value = params
        .iter()
        .map(|(name, value)| (name.clone(), to_json(value)))
        .collect();
    assert_eq!(from_json(&back).unwrap(), params);
}

#[test]
fn numbers_stand_next_to_each_other() {
    let of = |wanted: &[bool]| range(wanted.iter().copied());
    assert_eq!(of(&[false, true, true, false]), 1..3);
    assert_eq!(of(&[false, false]), 0..0);
    assert_eq!(of(&[true]), 0..1);
}
