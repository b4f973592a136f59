//! Syntactic anonymity: how many rows of a table cannot be told apart by what others may know of
//! them, how alike the rest of these rows is, and what that means for the risk of being found.
//!
//! *Quasi-identifiers* are the columns that others may know; rows that are equal in all of them are
//! a *class*. NULL is a value like any other, unless wildcards are asked for. Everything is measured
//! in the database by GROUP BY; what reaches this room are counts.

use crate::error::{Error, Kind, Result};

pub mod closeness;
pub mod disclosure;
pub mod diversity;
pub mod fraction;
pub mod gate;
pub mod lattice;
#[cfg(test)]
mod numbers;
pub mod relation;
pub mod report;
pub mod risk;
pub mod sensitive;
pub mod sql;
pub mod statement;
pub mod store;
pub mod tree;
pub mod whole;
pub mod wildcard;

use relation::Column;

/// A variant of l-diversity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// How many values.
    Distinct,
    /// e to the entropy.
    Entropy,
    /// What `c` must be more than, for an `l`.
    Recursive,
}

impl Variant {
    /// By its name.
    ///
    /// # Errors
    /// 22023 for another one.
    pub fn parse(name: &str) -> Result<Self> {
        word("variant", name, &VARIANTS)
    }
}

const VARIANTS: [(&str, Variant); 3] = [
    ("distinct", Variant::Distinct),
    ("entropy", Variant::Entropy),
    ("recursive", Variant::Recursive),
];

/// A distance between the values of a class and those of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// All values are equally far apart.
    Equal,
    /// Values are as far apart as there are others between them.
    Ordered,
    /// Values are as far apart as their difference.
    Numeric,
    /// Values are as far apart as the node is high under which they meet.
    Hierarchical,
}

impl Distance {
    /// The distance of this name for a column, with or without a hierarchy.
    ///
    /// # Errors
    /// 22023 for another name, and for a hierarchy that is not used or missing; 42804 where the
    /// column has no numbers.
    pub fn parse(name: &str, column: &Column, has_hierarchy: bool) -> Result<Self> {
        let asked = word("distance", name, &DISTANCES)?;
        let distance = asked.unwrap_or(if has_hierarchy {
            Self::Hierarchical
        } else if column.of.is_measured() {
            Self::Ordered
        } else {
            Self::Equal
        });
        let wrong = |message: &str| Err(Error::new(Kind::InvalidParameter, message));
        match (distance, has_hierarchy) {
            (Self::Hierarchical, false) => wrong("the hierarchical distance needs a hierarchy"),
            (Self::Hierarchical, true) | (_, false) => Ok(()),
            (_, true) => wrong("only the hierarchical distance has a hierarchy"),
        }?;
        if distance == Self::Numeric && !column.of.is_measured() {
            return Err(Error::new(
                Kind::DatatypeMismatch,
                format!("column \"{}\" has no numeric distance", column.name),
            )
            .with_detail(format!("Its type is {}.", column.type_name))
            .with_hint("Use the distance equal or ordered."));
        }
        Ok(distance)
    }
}

const DISTANCES: [(&str, Option<Distance>); 5] = [
    ("auto", None),
    ("equal", Some(Distance::Equal)),
    ("ordered", Some(Distance::Ordered)),
    ("numeric", Some(Distance::Numeric)),
    ("hierarchical", Some(Distance::Hierarchical)),
];

/// The error for an `l` beside another variant than recursive.
pub fn l_is_not_used() -> Error {
    Error::new(
        Kind::InvalidParameter,
        "argument \"l\" has a meaning with the variant recursive alone",
    )
}

/// The error for a distance that infinite values have not.
pub fn has_infinities(column: &Column) -> Error {
    Error::new(
        Kind::InvalidParameter,
        format!(
            "column \"{}\" has values that are not finite numbers",
            column.name
        ),
    )
    .with_hint("Use the distance ordered.")
}

/// `k`, or another number that must be at least 1.
///
/// # Errors
/// 22023 when it is less.
pub fn positive(argument: &str, number: i64) -> Result<u64> {
    u64::try_from(number)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| {
            Error::new(
                Kind::InvalidParameter,
                format!("argument \"{argument}\" must be at least 1"),
            )
        })
}

/// A share that must lie from 0 to 1.
///
/// # Errors
/// 22023 when it does not.
pub fn share(argument: &str, number: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&number) {
        return Ok(number);
    }
    Err(Error::new(
        Kind::InvalidParameter,
        format!("argument \"{argument}\" must be between 0 and 1"),
    ))
}

fn word<T: Copy>(argument: &str, name: &str, known: &[(&str, T)]) -> Result<T> {
    let found = known.iter().find(|(word, _)| *word == name);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
        Error::new(
            Kind::InvalidParameter,
            format!("argument \"{argument}\" is none of the known words"),
        )
        .with_hint(format!("Use one of: {}.", words.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use relation::Of;

    #[test]
    fn distances_go_by_the_type() {
        let relation = relation::tests::relation(&[("n", Of::Numeric), ("w", Of::Text)]);
        let [number, word] = [0, 1].map(|place: usize| relation.columns[place].clone());
        let of = |name, column, tree| Distance::parse(name, column, tree).map_err(|e| e.kind());
        assert_eq!(of("auto", &number, false), Ok(Distance::Ordered));
        assert_eq!(of("auto", &word, false), Ok(Distance::Equal));
        assert_eq!(of("auto", &word, true), Ok(Distance::Hierarchical));
        assert_eq!(of("numeric", &number, false), Ok(Distance::Numeric));
        assert_eq!(of("numeric", &word, false), Err(Kind::DatatypeMismatch));
        for (name, tree) in [("hierarchical", false), ("equal", true), ("far", false)] {
            assert_eq!(of(name, &word, tree), Err(Kind::InvalidParameter), "{name}");
        }
    }

    #[test]
    fn arguments_have_bounds() {
        assert_eq!(positive("k", 5).ok(), Some(5));
        assert!(positive("k", 0).is_err() && positive("k", i64::MIN).is_err());
        assert!(share("t", 0.2).is_ok() && share("t", f64::NAN).is_err());
        assert!(share("t", 1.1).is_err() && share("t", -0.1).is_err());
        assert_eq!(Variant::parse("entropy").ok(), Some(Variant::Entropy));
        assert!(Variant::parse("Entropy").is_err());
    }
}
