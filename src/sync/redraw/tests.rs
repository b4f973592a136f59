//! How values are drawn again, and which columns together.

use super::*;
use crate::strategies::{Kind as Of, Params, Strategy, Subkeys, Value, ValueType};

const KEYS: ([u8; 32], [u8; 32]) = ([7; 32], [8; 32]);

fn mask(kind: Of, params: &[(&str, Value)], seed: Seed) -> (Strategy, Mask) {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    let strategy = Strategy::new(kind, &params.collect::<Params>()).unwrap();
    let keys = Subkeys::new(&KEYS.0, &KEYS.1);
    let mask = strategy.mask(&keys, seed, ValueType::Text).unwrap();
    (strategy, mask)
}

#[test]
fn redraw_walks_where_a_mask_is_one_to_one_and_takes_its_own_outputs() {
    let unique = ("keep_unique", Value::Bool(true));
    for (kind, params, text) in [
        (Of::Fpe, vec![], "4111 1111 1111 1111"),
        (Of::Phone, vec![unique.clone()], "+44 20 7946 0958"),
        (Of::Mac, vec![unique.clone()], "08:00:2b:01:02:03"),
        (Of::Iban, vec![unique.clone()], "DE89370400440532013000"),
        (
            Of::NationalId,
            vec![unique, ("country", Value::from("us"))],
            "123-45-6789",
        ),
    ] {
        let (strategy, mask) = mask(kind, &params, Seed::new(1));
        let promised = strategy.properties(ValueType::Text);
        assert!(promised.keyed && promised.injective, "{kind:?}");
        let mut seen = BTreeSet::from([text.to_owned()]);
        let mut walked = text.to_owned();
        for _ in 0..MOST {
            walked = mask.text(&walked).unwrap().into_owned();
            assert!(seen.insert(walked.clone()), "{kind:?} came back: {walked}");
        }
    }
}

#[test]
fn redraw_has_another_value_in_every_attempt_of_a_keyed_mask() {
    for kind in [Of::Hash, Of::Email, Of::Name, Of::Username, Of::Address] {
        let drawn: BTreeSet<String> = (1..=MOST)
            .map(|attempt| {
                let (_, mask) = mask(kind, &[], Seed::new(1).redrawn(attempt));
                mask.text("ada@work.example").unwrap().into_owned()
            })
            .collect();
        assert!(drawn.len() > MOST as usize / 2, "{kind:?}: {}", drawn.len());
    }
}

#[test]
fn redraw_counts_what_it_did() {
    let seen = Seen {
        values: 200,
        redrawn: 50,
        attempts: 100,
    };
    assert_eq!((seen.draws(), seen.per_million()), (1.5, 250_000));
    assert_eq!(
        (Seen::default().draws(), Seen::default().per_million()),
        (1.0, 0)
    );
}

#[test]
fn redraw_joins_places_over_several_steps() {
    let place = |name: &str| (name.to_owned(), "c".to_owned());
    let mut joined = Joined::default();
    joined.number(place("alone"));
    joined.join(place("a"), place("b"));
    joined.join(place("c"), place("d"));
    joined.join(place("d"), place("a"));
    let groups = joined.groups();
    assert_eq!(groups[&place("alone")].len(), 1);
    let four = ["a", "b", "c", "d"].map(place);
    assert_eq!(groups[&place("b")], BTreeSet::from(four));
}
