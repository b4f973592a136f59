//! Whether a masked column stays unique.

use super::facts::Compared;
use super::fit::How;
use crate::strategies::{ENTITY, Kind, Strategy, Value};

/// Whether a masked column stays unique over that many rows, with a chance of failure below 2^-40.
///
/// `distinct` tells whether a column has no two equal values: what the pseudonyms are drawn from,
/// where that is another column of the row.
pub fn stays_unique(
    strategy: &Strategy,
    how: &How,
    compared: Compared,
    rows: f64,
    distinct: impl Fn(&str) -> bool,
) -> bool {
    let How::Mask(call) = how else { return false };
    match compared {
        Compared::AsIs => {}
        Compared::WithoutCase if is_told_apart_without_case(strategy) => {}
        Compared::WithoutCase | Compared::Computed => return false,
    }
    // What else is read of the row may be the same in others; what the value is drawn from may not.
    let specs = strategy.kind().definition().inputs;
    let drawn_elsewhere = specs
        .iter()
        .zip(&call.inputs)
        .filter(|(spec, _)| spec.name == ENTITY.name)
        .flat_map(|(_, given)| &given.columns)
        .any(|column| !distinct(column));
    let bits = collision_bits(strategy, how);
    let is_injective = strategy.properties(call.of).injective && call.inputs.is_empty();
    !drawn_elsewhere && (is_injective || needed_bits(rows) <= f64::from(bits))
}

/// Whether it would stay unique if the strategy's parameter `keep_unique` were set: there is one,
/// it goes with the others, and it is enough.
pub fn stays_unique_if_asked(
    strategy: &Strategy,
    how: &How,
    compared: Compared,
    rows: f64,
    distinct: impl Fn(&str) -> bool,
) -> bool {
    let mut params = strategy.effective_params().clone();
    params.insert("keep_unique".to_owned(), true.into());
    Strategy::new(strategy.kind(), &params)
        .is_ok_and(|asked| stays_unique(&asked, how, compared, rows, distinct))
}

/// Whether no two outputs differ in case alone. Most write letters in one case, or in a case that
/// their place decides; a dictionary may hold both, and so may the alphabet of a cipher.
fn is_told_apart_without_case(strategy: &Strategy) -> bool {
    match strategy.kind() {
        Kind::Map => false,
        Kind::Fpe => match strategy.effective_params().get("alphabet") {
            Some(Value::Text(alphabet)) => {
                ["digits", "hex", "lower", "upper"].contains(&alphabet.as_str())
            }
            _ => true,
        },
        _ => true,
    }
}

/// The bits that uniqueness of so many rows needs: their pairs, and 40 more.
pub fn needed_bits(rows: f64) -> f64 {
    2.0 * rows.max(2.0).log2() + 40.0
}

/// The bits that two different values of a column collide with, at most 2^-bits: what uniqueness
/// can rest on.
pub fn collision_bits(strategy: &Strategy, how: &How) -> u32 {
    match how {
        How::Constant(_) | How::Default | How::Null | How::Record(_) | How::Shuffle(_) => 0,
        How::Mask(call) => strategy.properties(call.of).collision_bits.unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Params, ValueType, listing};
    use crate::sync::fit::{Call, Given};

    fn how(of: ValueType, inputs: &[&str]) -> How {
        let given = |column: &&str| Given {
            many: false,
            columns: vec![(*column).to_owned()],
        };
        How::Mask(Call {
            of,
            is_array: false,
            inputs: inputs.iter().map(given).collect(),
        })
    }

    /// What unites values on purpose or is about rows; `credit_card` has `fpe` beside it.
    const ON_PURPOSE: &[&str] = &[
        "choice",
        "constant",
        "credit_card",
        "default",
        "dp_choice",
        "json",
        "lorem",
        "mask",
        "null",
        "redact",
        "shuffle",
        "text",
    ];

    #[test]
    fn unique_has_a_way_in_every_generator_of_texts() {
        let of = ValueType::Text;
        let has_none = |kind: &&Kind| {
            let strategy = Strategy::new(**kind, &listing::sample(**kind)).unwrap();
            strategy.accepts(of)
                && !stays_unique(&strategy, &how(of, &[]), Compared::AsIs, 1e6, |_| true)
                && !stays_unique_if_asked(&strategy, &how(of, &[]), Compared::AsIs, 1e6, |_| true)
        };
        let found = Kind::ALL.iter().filter(has_none);
        let found: Vec<_> = found.map(|kind| kind.name()).collect();
        assert_eq!(found, ON_PURPOSE);
    }

    #[test]
    fn unique_is_asked_for_only_where_it_helps() {
        let asked = |kind, params: &[(&str, Value)], how: &How, rows| {
            let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
            let strategy = Strategy::new(kind, &params.collect()).unwrap();
            stays_unique_if_asked(&strategy, how, Compared::AsIs, rows, |column| {
                column == "id"
            })
        };
        let text = how(ValueType::Text, &[]);
        assert!(asked(Kind::Address, &[], &text, 1e6));
        let of = |column| how(ValueType::Text, &[column]);
        assert!(asked(Kind::Job, &[], &of("id"), 1e6));
        assert!(!asked(Kind::Job, &[], &of("city"), 1e6));
        assert!(!asked(Kind::Job, &[], &text, 2e6));
        assert!(asked(Kind::Mac, &[], &text, 1e12));
        // There is none, it does not go with the others, or it is not enough.
        assert!(!asked(Kind::Hash, &[], &text, 10.0));
        let city = [("part", Value::from("city"))];
        assert!(!asked(Kind::Address, &city, &text, 10.0));
        let short = [("max_length", Value::Int(12))];
        assert!(!asked(Kind::Job, &short, &text, 10.0));
        let lenient = [("on_error", Value::from("redact"))];
        assert!(!asked(Kind::Url, &lenient, &text, 10.0));
        assert!(!asked(Kind::Phone, &[], &how(ValueType::Int32, &[]), 10.0));
    }

    #[test]
    fn unique_needs_twice_the_rows_in_bits_and_forty_more() {
        let strategy = |kind| Strategy::new(kind, &Params::new()).unwrap();
        let stays = |kind, how: &How, rows| {
            stays_unique(&strategy(kind), how, Compared::AsIs, rows, |column| {
                column == "id"
            })
        };
        let email = how(ValueType::Text, &[]);
        assert!(stays(Kind::Email, &email, 1e6));
        assert!(!stays(Kind::Email, &email, 2e6));
        assert!(!stays(Kind::Hash, &how(ValueType::Int32, &[]), 10.0));
        assert!(!stays(Kind::Phone, &email, 1.0));
        assert!(stays(Kind::Email, &how(ValueType::Text, &["id"]), 10.0));
        assert!(!stays(Kind::Email, &how(ValueType::Text, &["city"]), 10.0));
        assert!(!stays(Kind::Redact, &How::Constant("0".to_owned()), 1.0));
    }

    #[test]
    fn unique_without_case_needs_outputs_that_do_not_differ_in_it_alone() {
        let strategy = |kind, alphabet: Option<&str>| {
            let params = alphabet.map(|name| ("alphabet".to_owned(), Value::from(name)));
            Strategy::new(kind, &params.into_iter().collect()).unwrap()
        };
        let text = how(ValueType::Text, &[]);
        let stays = |strategy: &Strategy, compared| {
            stays_unique(strategy, &text, compared, 1000.0, |_| true)
        };
        let all = [Compared::AsIs, Compared::WithoutCase, Compared::Computed];
        for (kind, alphabet, expected) in [
            (Kind::Email, None, [true, true, false]),
            (Kind::Hash, None, [true, true, false]),
            (Kind::Fpe, None, [true, true, false]),
            (Kind::Fpe, Some("upper"), [true, true, false]),
            (Kind::Fpe, Some("alpha"), [true, false, false]),
            (Kind::Fpe, Some("alnum"), [true, false, false]),
        ] {
            let strategy = strategy(kind, alphabet);
            assert_eq!(
                all.map(|compared| stays(&strategy, compared)),
                expected,
                "{kind:?}"
            );
        }
    }
}
