//! Whether a masked column stays unique.

use super::fit::How;
use crate::strategies::{ENTITY, Strategy};

/// Whether a masked column stays unique over that many rows, with a chance of failure below 2^-40.
///
/// `distinct` tells whether a column has no two equal values: what the pseudonyms are drawn from,
/// where that is another column of the row.
pub fn stays_unique(
    strategy: &Strategy,
    how: &How,
    rows: f64,
    distinct: impl Fn(&str) -> bool,
) -> bool {
    let How::Mask(call) = how else { return false };
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
    rows: f64,
    distinct: impl Fn(&str) -> bool,
) -> bool {
    let mut params = strategy.effective_params().clone();
    params.insert("keep_unique".to_owned(), true.into());
    Strategy::new(strategy.kind(), &params)
        .is_ok_and(|asked| stays_unique(&asked, how, rows, distinct))
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
    use crate::strategies::{self, Params, Value, ValueType, listing};
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
        let has_none = |kind: &&strategies::Kind| {
            let strategy = Strategy::new(**kind, &listing::sample(**kind)).unwrap();
            strategy.accepts(of)
                && !stays_unique(&strategy, &how(of, &[]), 1e6, |_| true)
                && !stays_unique_if_asked(&strategy, &how(of, &[]), 1e6, |_| true)
        };
        let found = strategies::Kind::ALL.iter().filter(has_none);
        let found: Vec<_> = found.map(|kind| kind.name()).collect();
        assert_eq!(found, ON_PURPOSE);
    }

    #[test]
    fn unique_is_asked_for_only_where_it_helps() {
        let asked = |kind, params: &[(&str, Value)], how: &How, rows| {
            let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
            let strategy = Strategy::new(kind, &params.collect()).unwrap();
            stays_unique_if_asked(&strategy, how, rows, |column| column == "id")
        };
        let text = how(ValueType::Text, &[]);
        assert!(asked(strategies::Kind::Address, &[], &text, 1e6));
        let of = |column| how(ValueType::Text, &[column]);
        assert!(asked(strategies::Kind::Job, &[], &of("id"), 1e6));
        assert!(!asked(strategies::Kind::Job, &[], &of("city"), 1e6));
        assert!(!asked(strategies::Kind::Job, &[], &text, 2e6));
        assert!(asked(strategies::Kind::Mac, &[], &text, 1e12));
        // There is none, it does not go with the others, or it is not enough.
        assert!(!asked(strategies::Kind::Hash, &[], &text, 10.0));
        let city = [("part", Value::from("city"))];
        assert!(!asked(strategies::Kind::Address, &city, &text, 10.0));
        let short = [("max_length", Value::Int(12))];
        assert!(!asked(strategies::Kind::Job, &short, &text, 10.0));
        let lenient = [("on_error", Value::from("redact"))];
        assert!(!asked(strategies::Kind::Url, &lenient, &text, 10.0));
        assert!(!asked(
            strategies::Kind::Phone,
            &[],
            &how(ValueType::Int32, &[]),
            10.0
        ));
    }

    #[test]
    fn unique_needs_twice_the_rows_in_bits_and_forty_more() {
        let strategy = |kind| Strategy::new(kind, &Params::new()).unwrap();
        let stays = |kind, how: &How, rows| {
            stays_unique(&strategy(kind), how, rows, |column| column == "id")
        };
        let email = how(ValueType::Text, &[]);
        assert!(stays(strategies::Kind::Email, &email, 1e6));
        assert!(!stays(strategies::Kind::Email, &email, 2e6));
        assert!(!stays(
            strategies::Kind::Hash,
            &how(ValueType::Int32, &[]),
            10.0
        ));
        assert!(!stays(strategies::Kind::Phone, &email, 1.0));
        assert!(stays(
            strategies::Kind::Email,
            &how(ValueType::Text, &["id"]),
            10.0
        ));
        assert!(!stays(
            strategies::Kind::Email,
            &how(ValueType::Text, &["city"]),
            10.0
        ));
        assert!(!stays(
            strategies::Kind::Redact,
            &How::Constant("0".to_owned()),
            1.0
        ));
    }
}
