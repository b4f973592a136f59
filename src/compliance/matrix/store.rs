//! What is known, and the rules, for a day: read with the rights of the caller.

use std::rc::Rc;

use pgrx::datum::Date;

use super::Question;
use crate::compliance::calendar::Zone;
use crate::compliance::calendar::store::ServerZone;
use crate::compliance::controller::store::asked;
use crate::compliance::inventory::Needs;
use crate::compliance::rules::Rules;
use crate::compliance::rules::store::Set;
use crate::compliance::{Facts, report, rules};
use crate::error::{Error, Kind, Result, given};
use crate::pg::server;
use crate::strategies::calendar::parse_date;

/// Everything that an answer is made of.
pub struct Ground {
    /// The rules in use.
    pub rules: Rc<Rules>,
    /// What speaks against them.
    doubts: Vec<String>,
    /// What is known.
    pub facts: Facts,
    /// What is asked.
    pub question: Question,
    /// The moment at which the statement began.
    pub now: i64,
}

impl Ground {
    /// The version of the rules, with what speaks against them and against the declared facts: every
    /// stored version of a fact is held against the ledger for it.
    pub fn version(&self) -> String {
        let set = Set {
            rules: Rc::clone(&self.rules),
            doubts: self.doubts.clone(),
        };
        report::store::version(&set, &self.facts)
    }
}

/// What an answer looks at beside columns and what is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Whatever the evidence of the controls asks for.
    Evidence,
    /// Nothing: what applies, and what pulls apart, needs no more.
    Triggers,
}

/// Reads it for a question; today where no day is given.
///
/// # Errors
/// 22023 for a list of jurisdictions that is empty, names one that no rule is about or none, and for a
/// day that no fact can name; 42501 from the server where the caller may not read the ledger or the
/// facts of the controller; what reading returns.
pub fn ground(
    jurisdictions: Option<Vec<Option<String>>>,
    as_of: Option<Date>,
    proposed: bool,
    depth: Depth,
) -> Result<Ground> {
    let jurisdictions: Option<Vec<String>> = jurisdictions
        .map(|codes| {
            codes
                .into_iter()
                .map(|code| given("jurisdictions", code))
                .collect()
        })
        .transpose()?;
    if jurisdictions.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"jurisdictions\" must be a list of jurisdictions",
        )
        .with_hint("Leave it out for every jurisdiction."));
    }
    let shown = asked(as_of)?;
    let set = rules::store::set()?;
    let question = Question {
        jurisdictions: jurisdictions.unwrap_or_default(),
        day: parse_date(&shown).map_or(0, i64::from),
        proposed,
    };
    // Before what takes its time.
    super::check(&set.rules, &question.jurisdictions)?;
    let needs = match depth {
        Depth::Evidence => super::needs(&set.rules, &question),
        Depth::Triggers => Needs::default(),
    };
    Ok(Ground {
        facts: report::store::some_facts(&shown, None, needs, &set.rules)?,
        rules: set.rules,
        doubts: set.doubts,
        question,
        now: server::statement_start(),
    })
}

/// A zone of the server.
pub fn zone(name: &str) -> Box<dyn Zone> {
    Box::new(ServerZone(name.to_owned()))
}
