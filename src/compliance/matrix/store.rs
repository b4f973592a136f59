//! What is known, and the rules, for a day: read with the rights of the caller.

use std::rc::Rc;

use pgrx::datum::Date;

use super::Question;
use crate::compliance::Facts;
use crate::compliance::calendar::Zone;
use crate::compliance::calendar::store::ServerZone;
use crate::compliance::rules::Rules;
use crate::compliance::rules::read::shown_day;
use crate::compliance::{report, rules};
use crate::error::{Result, given};
use crate::pg::server;
use crate::strategies::calendar::{DAY, parse_date};

/// Everything that an answer is made of.
pub struct Ground {
    /// The rules in use.
    pub rules: Rc<Rules>,
    /// What is known.
    pub facts: Facts,
    /// What is asked.
    pub question: Question,
    /// The moment at which the statement began.
    pub now: i64,
}

/// Reads it for a question; today where no day is given.
///
/// # Errors
/// 42501 from the server where the caller may not read the ledger or the facts of the controller;
/// what reading returns.
pub fn ground(
    jurisdictions: Option<Vec<Option<String>>>,
    as_of: Option<Date>,
    proposed: bool,
) -> Result<Ground> {
    let jurisdictions: Option<Vec<String>> = jurisdictions
        .map(|codes| {
            codes
                .into_iter()
                .map(|code| given("jurisdictions", code))
                .collect()
        })
        .transpose()?;
    let now = server::statement_start();
    let day = as_of.map_or(now.div_euclid(DAY), |date| {
        i64::from(date.to_pg_epoch_days())
    });
    let shown = shown_day(day);
    // What the server's date can hold and rules cannot: infinity, and years of other lengths.
    let day = match parse_date(&shown) {
        Some(day) if shown.len() == 10 => i64::from(day),
        _ => return Err(super::no_such_day()),
    };
    Ok(Ground {
        rules: rules::store::in_use()?,
        facts: report::store::facts(&shown, None)?,
        question: Question {
            jurisdictions: jurisdictions.unwrap_or_default(),
            day,
            proposed,
        },
        now,
    })
}

/// A zone of the server.
pub fn zone(name: &str) -> Box<dyn Zone> {
    Box::new(ServerZone(name.to_owned()))
}
