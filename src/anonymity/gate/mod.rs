//! Gates: what refuses a table whose classes are too small, and what takes the rows away that are in
//! such classes.

use super::fraction;
use super::positive;
use super::relation::{self, Column, Relation};
use crate::error::{Error, Kind, Result, counted};

pub mod pending;
pub mod sql;
pub mod store;

/// Holds what was found against what is asked for; a table without rows passes.
///
/// # Errors
/// 23514 with both numbers, and no value.
pub fn judged(
    relation: &Relation,
    keys: &[Column],
    wanted: u64,
    found: Option<u64>,
) -> Result<Option<u64>> {
    match found {
        Some(found) if found < wanted => Err(Error::new(
            Kind::Check,
            format!("\"{}\" is not {wanted}-anonymous", relation.shown()),
        )
        .with_detail(format!(
            "The smallest class of equal {} has {}; {wanted} are asked for.",
            relation::shown(keys),
            counted(found, "row")
        ))
        .with_hint(
            "anon_equivalence_classes shows the small classes, anon_suppress_below_k takes them \
             away, anon_suggest_generalization makes them larger.",
        )),
        found => Ok(found),
    }
}

/// What a trigger asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The least size of a class.
    pub k: u64,
    /// Names of the quasi-identifiers.
    pub names: Vec<Option<String>>,
}

impl Demand {
    /// Reads the arguments of a trigger: `k`, and one list of columns or several.
    ///
    /// # Errors
    /// 22023 for others.
    pub fn parse(arguments: &[String]) -> Result<Self> {
        let wrong = || {
            Error::new(
                Kind::InvalidParameter,
                "the trigger needs k and a list of columns",
            )
            .with_hint("Write EXECUTE FUNCTION anon_enforce_k('5', 'age, zip').")
        };
        let (k, lists) = arguments.split_first().ok_or_else(wrong)?;
        let k = k.trim().parse().map_err(|_| wrong())?;
        if lists.is_empty() {
            return Err(wrong());
        }
        let mut names = Vec::new();
        for list in lists {
            names.extend(relation::split(list)?);
        }
        Ok(Self {
            k: fraction::rows(positive("k", k)?)?,
            names,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymity::relation::Of;
    use crate::anonymity::relation::tests::relation;

    #[test]
    fn gates_name_numbers_and_no_value() {
        let relation = relation(&[("a", Of::Text), ("b", Of::Text)]);
        let judge = |found| judged(&relation, &relation.columns, 5, found);
        assert_eq!(judge(None).ok(), Some(None));
        assert_eq!(judge(Some(5)).ok(), Some(Some(5)));
        let error = judge(Some(1)).expect_err("refused");
        assert_eq!(error.kind(), Kind::Check);
        assert_eq!(
            error.detail(),
            Some("The smallest class of equal a, b has 1 row; 5 are asked for.")
        );
    }

    #[test]
    fn triggers_name_k_and_columns() {
        let of = |arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
            Demand::parse(&arguments).map_err(|error| error.kind())
        };
        let names = ["a", "B"].map(|name| Some(name.to_owned())).to_vec();
        let wanted = Ok(Demand { k: 5, names });
        assert_eq!(of(&["5", "a,\"B\""]), wanted);
        assert_eq!(of(&[" 5 ", "a", "\"B\""]), wanted);
        for wrong in [
            &[][..],
            &["5"],
            &["a", "b"],
            &["0", "a"],
            &["-1", "a"],
            &["5", ""],
        ] {
            assert_eq!(of(wrong), Err(Kind::InvalidParameter), "{wrong:?}");
        }
    }
}
