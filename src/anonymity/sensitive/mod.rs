//! What the classes of a relation say of a sensitive column: how its values are counted, and how far
//! those of a class are from those of the table.

use super::closeness::{self, Numeric, Ordered};
use super::fraction::quotient;
use super::tree::Hierarchical;
use super::whole::{Class, Whole};

pub mod sql;
pub mod store;

/// A distance that is ready for the classes of a table.
pub enum Ready {
    /// All values are equally far apart.
    Equal,
    /// By steps in the order, with the table without NULL.
    Ordered(Ordered, Whole),
    /// By differences of numbers, with the table without NULL; none where there is no number.
    Numeric(Option<Numeric>, Whole),
    /// By a tree, with the table without NULL.
    Hierarchical(Box<Hierarchical>, Whole),
}

impl Ready {
    /// The distance of a class.
    pub fn of(&mut self, class: &Class, whole: &Whole) -> f64 {
        match self {
            Self::Equal => closeness::equal(class, whole),
            Self::Ordered(ordered, present) => beside_nulls(class, whole, present, |class| {
                ordered.distance(class, present)
            }),
            Self::Numeric(Some(numeric), present) => beside_nulls(class, whole, present, |class| {
                numeric.distance(class, present)
            }),
            Self::Numeric(None, _) => closeness::equal(class, whole),
            Self::Hierarchical(over, present) => {
                beside_nulls(class, whole, present, |class| over.distance(class, present))
            }
        }
    }
}

/// The distance where NULL is as far from every value as two values can be, 1: what it costs to have
/// as many NULLs, and then to move the other values in proportion. Moving is never cheaper than the
/// earth mover's distance allows, and never dearer than if all values were equally far apart.
fn beside_nulls(
    class: &Class,
    whole: &Whole,
    present: &Whole,
    distance: impl FnOnce(&Class) -> f64,
) -> f64 {
    if whole.nulls() == 0 {
        return distance(class);
    }
    let (nulls, rest) = class.split(whole);
    let (all, rows) = (u128::from(whole.rows()), u128::from(class.rows));
    let apart = (u128::from(nulls) * all).abs_diff(u128::from(whole.nulls()) * rows);
    let apart = quotient(apart, all * rows);
    if rest.rows == 0 || present.rows() == 0 {
        return apart;
    }
    let in_both = quotient(rest.rows.into(), rows).min(quotient(present.rows().into(), all));
    (apart + in_both * distance(&rest)).min(closeness::equal(class, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values 0 to 10, one row each, and `nulls` rows of NULL at the end.
    fn table(nulls: u64) -> Whole {
        let mut whole = Whole::default();
        for value in 0..=10 {
            whole.push(1, Some(value)).expect("few");
        }
        whole.push(nulls, None).expect("few");
        whole
    }

    fn distance(whole: &Whole, values: &[(usize, u64)]) -> f64 {
        let present = whole.present();
        let mut ready = Ready::Ordered(Ordered::new(&present), present);
        ready.of(&Class::new(values.to_vec()), whole)
    }

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
    }

    #[test]
    fn null_is_as_far_as_values_can_be() {
        let whole = table(11);
        // Half of the rows are NULL: a class of NULLs has to move the other half, all the way.
        near(distance(&whole, &[(11, 4)]), 0.5);
        // As many NULLs as in the table: the rest is moved as without them.
        let rest = distance(&table(1), &[(0, 11), (11, 1)]);
        let all: Vec<_> = (0..12)
            .map(|place| (place, if place == 11 { 11 } else { 1 }))
            .collect();
        near(distance(&whole, &all), 0.0);
        // p of NULL is 1/12, as in the class; all else is at one end, half the range away.
        near(rest, 11.0 / 12.0 * 0.5);
    }

    #[test]
    fn equal_distance_is_never_less() {
        let whole = table(5);
        for class in [
            &[(0, 1), (11, 1)][..],
            &[(0, 3)],
            &[(5, 1), (6, 2), (11, 9)],
        ] {
            let equal = closeness::equal(&Class::new(class.to_vec()), &whole);
            assert!(distance(&whole, class) <= equal);
        }
    }
}
