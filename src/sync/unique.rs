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
    use crate::strategies;
    use crate::strategies::Params;
    use crate::strategies::ValueType;
    use crate::sync::fit::{Call, Given};

    #[test]
    fn unique_needs_twice_the_rows_in_bits_and_forty_more() {
        let strategy = |kind| Strategy::new(kind, &Params::new()).unwrap();
        let how = |of, inputs: &[&str]| {
            How::Mask(Call {
                of,
                is_array: false,
                inputs: inputs
                    .iter()
                    .map(|column| Given {
                        many: false,
                        columns: vec![(*column).to_owned()],
                    })
                    .collect(),
            })
        };
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
