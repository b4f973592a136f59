//! Rights to read that a view has from its table, and which of them it has from there no more.

pub mod store;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// A right to read a relation or a column of it, or to pass that right on.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// Who has it; `None` for everybody.
    pub role: Option<String>,
    /// The column; `None` for all of them.
    pub column: Option<String>,
    /// Whether it is the right to pass it on.
    pub is_option: bool,
}

impl Grant {
    /// Whether another one goes with it when it is taken away.
    fn takes(&self, other: &Self) -> bool {
        let is_of_column = self.column.is_none() && other.column.is_some();
        self.role == other.role && is_of_column && (other.is_option || !self.is_option)
    }

    /// Reads grants as they are kept.
    ///
    /// # Errors
    /// XX001 for anything else.
    pub fn read(kept: &str) -> Result<Vec<Self>> {
        serde_json::from_str(kept)
            .map_err(|_| Error::new(Kind::Corrupt, "the grants of a masked view cannot be read"))
    }

    /// As they are kept.
    pub fn written(grants: &[Self]) -> String {
        serde_json::json!(grants).to_string()
    }
}

/// What becomes of the grants of a view.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// Those that it gets, or gets back: what is taken on a relation is taken on its columns too.
    pub give: Vec<Grant>,
    /// Those that it has from its table, which has them no more.
    pub take: Vec<Grant>,
    /// Those that it has from its table afterwards.
    pub carried: Vec<Grant>,
}

impl Change {
    /// Holds the grants that a view was `carried` against what its table `gives` and what the view
    /// `has`: what it has otherwise, by hand, is neither taken away nor ever counted as carried.
    pub fn of(carried: &[Grant], gives: &[Grant], has: &[Grant], carries: bool) -> Self {
        let (stay, gone): (Vec<_>, Vec<_>) =
            carried.iter().cloned().partition(|of| gives.contains(of));
        let give: Vec<_> = match carries {
            true => gives
                .iter()
                .filter(|of| !has.contains(of))
                .cloned()
                .collect(),
            false => Vec::new(),
        };
        let new = give.iter().filter(|of| !stay.contains(of)).cloned();
        let carried = stay.iter().cloned().chain(new).collect();
        let take: Vec<_> = gone.into_iter().filter(|of| has.contains(of)).collect();
        let is_lost = |of: &&Grant| !take.contains(of) && take.iter().any(|gone| gone.takes(of));
        let back = has.iter().filter(is_lost).cloned();
        Self {
            give: back.chain(give).collect(),
            take,
            carried,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    fn grant(role: &str) -> Grant {
        Grant {
            role: Some(role.to_owned()),
            column: None,
            is_option: false,
        }
    }

    #[test]
    fn grants_of_a_view_that_were_carried_are_taken_back_and_no_others() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(grant);
        let had = [a.clone(), b.clone()];
        // a is carried and stays, b has gone from the table, c comes, d was given by hand.
        let has = [a.clone(), b.clone(), d.clone()];
        let gives = [a.clone(), c.clone(), d.clone()];
        let change = Change::of(&had, &gives, &has, true);
        assert_eq!(change.give, from_ref(&c));
        assert_eq!(change.take, from_ref(&b));
        assert_eq!(change.carried, [a.clone(), c]);
        // Nothing new without being asked for, but what has gone from the table goes.
        let change = Change::of(&had, &gives, &has, false);
        assert_eq!((change.give, change.take), (vec![], vec![b]));
        assert_eq!(change.carried, [a]);
        // What somebody took off the view by hand comes back as long as the table has it.
        let change = Change::of(from_ref(&d), &gives, &[], true);
        assert_eq!(change.give.len(), 3);
        assert_eq!((change.take, change.carried.len()), (vec![], 3));
    }

    #[test]
    fn grants_of_columns_of_a_view_come_back_when_that_of_the_view_goes() {
        let all = grant("a");
        let column = Grant {
            column: Some("id".into()),
            ..all.clone()
        };
        let option = Grant {
            is_option: true,
            ..column.clone()
        };
        let has = [all.clone(), column.clone(), option.clone()];
        let change = Change::of(from_ref(&all), &[], &has, true);
        assert_eq!(change.take, from_ref(&all));
        assert_eq!(change.give, [column.clone(), option.clone()]);
        assert_eq!(change.carried, []);
        let whole = Grant {
            is_option: true,
            ..all.clone()
        };
        let has = [all, whole.clone(), column, option.clone()];
        let change = Change::of(&[whole], &[], &has, true);
        assert_eq!(change.give, [option]);
    }

    #[test]
    fn grants_of_a_view_are_kept_as_they_are() {
        let grants = vec![Grant {
            role: Some("o'Ne\"ill".into()),
            column: Some("e\"mail".into()),
            is_option: true,
        }];
        assert_eq!(Grant::read(&Grant::written(&grants)).unwrap(), grants);
        let error = Grant::read("{}").unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt);
    }
}
