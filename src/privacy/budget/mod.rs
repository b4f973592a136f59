//! A budget: how much may be said about the people in some data, by everybody together and by each
//! role that may say it.

pub mod sql;
pub mod status;
pub mod store;
pub mod tally;

use super::amount::{Delta, Epsilon};
use crate::error::{Error, Kind, Result};
use crate::value::unseen::is_blank;

/// Longest name, in bytes: the journal keeps so many.
const LONGEST_NAME: usize = 63;

/// A budget as it is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its number.
    pub id: i32,
    /// What may be spent of ε.
    pub epsilon_limit: Epsilon,
    /// What may be spent of δ.
    pub delta_limit: Delta,
    /// The number of the meter of ε.
    pub epsilon_meter: i32,
    /// The number of the meter of δ.
    pub delta_meter: i32,
    /// Whether nothing is spent of it any more.
    pub is_retired: bool,
}

/// A role's share of a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Whose.
    pub role: String,
    /// What the role may spend; all of the budget where it says nothing.
    pub epsilon_limit: Option<Epsilon>,
    /// The number of its meter.
    pub meter: i32,
}

/// The name of the sequence of a meter.
pub fn meter_name(number: i32) -> String {
    format!("dp_meter_{number}")
}

/// Checks the name of a budget to be.
///
/// # Errors
/// 22023 when it is empty, too long, begins or ends with a blank, or has characters that do not
/// print.
pub fn check_name(name: &str) -> Result<()> {
    let problem = if name.is_empty() || name.len() > LONGEST_NAME {
        format!("It must have 1 to {LONGEST_NAME} bytes.")
    } else if name.trim() != name || name.contains(char::is_control) || is_blank(name) {
        "It must not begin or end with a blank, nor have characters that do not print.".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(Kind::InvalidParameter, "invalid name of a budget").with_detail(problem))
}

/// Checks a reason that is kept.
///
/// # Errors
/// 22023 when it is blank.
pub fn check_reason(reason: &str) -> Result<()> {
    if is_blank(reason) {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"reason\" must not be blank",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_names_are_plain() {
        for good in ["research", "Über 2", &"x".repeat(63)] {
            check_name(good).unwrap();
        }
        for bad in ["", " a", "a ", "a\nb", &"x".repeat(64)] {
            assert_eq!(check_name(bad).unwrap_err().kind(), Kind::InvalidParameter);
        }
        check_reason("board decision 12").unwrap();
        assert!(check_reason(" \t").is_err());
    }
}
