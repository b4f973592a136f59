//! Tokens made in the current transaction, until its commit puts them on record: one entry for each
//! domain and role, as the last thing the transaction does. A run puts on record its own.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::json;

use crate::error::Result;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::ledger::unprepared;
use crate::pg::user;
use crate::pg::xact::{self, Turn};

/// How many tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// That were made.
    pub made: i64,
    /// That were there, and have their whole time again.
    pub renewed: i64,
}

impl Count {
    fn add(&mut self, more: Self) {
        self.made += more.made;
        self.renewed += more.renewed;
    }
}

/// Who made them: the role that called, which may be another one when the transaction commits.
type By = (String, String);

thread_local! {
    /// By the subtransaction that made them, domain and role.
    static MADE: RefCell<BTreeMap<(u32, By), Count>> = RefCell::default();
}

/// Notes what was made in a domain.
pub fn made(domain: &str, count: Count) {
    if count == Count::default() {
        return;
    }
    xact::watch(follow);
    unprepared::mark();
    let by = (domain.to_owned(), user::name(user::outer()));
    MADE.with_borrow_mut(|made| made.entry((xact::current(), by)).or_default().add(count));
}

fn follow(turn: Turn) -> Result<()> {
    match turn {
        Turn::Committing => record(),
        Turn::Preparing => Ok(()),
        Turn::Committed | Turn::Aborted => {
            MADE.with_borrow_mut(BTreeMap::clear);
            Ok(())
        }
        Turn::SubAborted { id } => {
            MADE.with_borrow_mut(|made| made.retain(|(of, _), _| *of != id));
            Ok(())
        }
        Turn::SubCommitted { id, parent } => {
            MADE.with_borrow_mut(|made| {
                for ((of, by), count) in std::mem::take(made) {
                    let of = if of == id { parent } else { of };
                    made.entry((of, by)).or_default().add(count);
                }
            });
            Ok(())
        }
    }
}

/// Puts on record now what a run has made, with its number: the run is a subtransaction, and has
/// not ended.
///
/// # Errors
/// As [`ledger::append`].
pub fn settle(run_id: [u8; 16]) -> Result<()> {
    let run = xact::current();
    let of_run = MADE.with_borrow_mut(|made| {
        let (of_run, others) = std::mem::take(made)
            .into_iter()
            .partition(|((of, _), _)| *of == run);
        *made = others;
        of_run
    });
    enter(of_run, Some(run_id))
}

fn record() -> Result<()> {
    enter(MADE.take(), None)
}

fn enter(made: BTreeMap<(u32, By), Count>, run_id: Option<[u8; 16]>) -> Result<()> {
    let mut counts = BTreeMap::<By, Count>::new();
    for ((_, by), count) in made {
        counts.entry(by).or_default().add(count);
    }
    for ((domain, role), count) in counts {
        let mut details = json!({"domain": domain, "role": role, "tokens": count.made});
        if count.renewed > 0 {
            details["renewed"] = count.renewed.into();
        }
        let facts = Facts {
            run_id,
            details: Some(details.into()),
            ..Facts::default()
        };
        ledger::append(Event::Tokenized, facts)?;
    }
    Ok(())
}
