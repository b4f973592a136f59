//! Charging a budget, before anything is answered.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};

use super::amount::{Delta, Epsilon};
use super::budget::store::{self, Charged};
use super::budget::{Budget, Share, meter_name, tally};
use crate::error::{Error, Kind, Result, given};
use crate::ledger::journal::record::{Event, Record};
use crate::ledger::journal::store as journal;
use crate::pg::meter::{self, Charge, Outcome};
use crate::pg::{owner, report, xact};
use crate::settings;
use crate::strategies::measure::epsilon::Epsilon as Strength;

/// What is asked to be charged.
#[derive(Clone, Debug)]
pub struct Bill<'a> {
    /// The function or data set that will answer. It is on record.
    pub about: &'a str,
    /// How it will answer: mechanism, sensitivity, groups. It is on record, so no value belongs
    /// into it.
    pub how: String,
    /// How much ε it costs.
    pub epsilon: Epsilon,
    /// How much δ it costs.
    pub delta: Delta,
}

/// Charges a budget: all meters concerned, or none. When this returns, the charge is on disk and on
/// record, whatever becomes of the transaction; it is never given back. What was denied is on record
/// as well.
///
/// # Errors
/// 53400 when the budget, or the role's share of it, has not so much left; 42501 for who may not
/// charge it; 42704 when it is not there; 55000 when it is retired, when it or the right to charge it
/// was changed in this transaction, and without a key; 25006 on a standby and in a READ ONLY
/// transaction.
pub fn charge(name: &str, bill: &Bill<'_>) -> Result<()> {
    writable()?;
    let Charged { budget, shares } = match store::to_charge(name) {
        Err(error) if error.kind() == Kind::Permission => {
            deny(name, bill)?;
            return Err(error);
        }
        found => found?,
    };
    let (charges, whose) = charges(name, &budget, &shares, bill)?;
    let owner = owner::owner_of("confiture")?;
    let number = u64::try_from(budget.id).unwrap_or(0);
    match meter::charge(c"confiture", owner, number, &charges)? {
        Outcome::Charged(sums) => take_note(&charges, sums),
        Outcome::Exhausted { place, left } => {
            deny(name, bill)?;
            return Err(exhausted(name, &whose[place], bill, left));
        }
    }
    journal::write(&Record {
        event: Event::Charged,
        about: bill.about,
        domain: Some(name),
        reason: Some(&bill.how),
        amount: Some(bill.epsilon.units()),
    })?;
    report::log(&format!(
        "confiture: budget \"{name}\" charged with epsilon {} delta {} for \"{}\"",
        bill.epsilon, bill.delta, bill.about
    ));
    Ok(())
}

/// Refuses where nothing can be charged.
///
/// # Errors
/// 25006 in a READ ONLY transaction; as [`crate::pg::frozen::writable`].
fn writable() -> Result<()> {
    crate::pg::frozen::writable()?;
    if xact::is_read_only() {
        return Err(Error::new(
            Kind::ReadOnly,
            "a budget cannot be charged in a read-only transaction",
        )
        .with_hint("An answer is charged, which writes. Use a READ WRITE transaction."));
    }
    Ok(())
}

/// Whose meter a charge is on.
pub(super) enum Whose {
    Budget,
    Delta,
    Role(String),
}

thread_local! {
    /// How far each meter had gone up that this session has charged.
    static SEEN: RefCell<HashMap<u32, i64>> = RefCell::default();
}

fn take_note(charges: &[Charge], sums: Vec<i64>) {
    let meters = charges.iter().map(|charge| identity(&charge.meter));
    SEEN.with_borrow_mut(|seen| seen.extend(meters.zip(sums)));
}

fn seen(meter: &CStr) -> Option<i64> {
    SEEN.with_borrow(|seen| seen.get(&identity(meter)).copied())
}

fn identity(meter: &CStr) -> u32 {
    meter::identity(c"confiture", meter)
}

/// What is spent of a budget at least: what this session has seen, or, where it has seen nothing or the
/// meter says less than that, what the journal knows. A meter goes up before there is a record, so it
/// never says less but where it was turned back, or read by pg_dump before the journal was.
fn least(name: &str, meter: &CStr) -> Result<i64> {
    let seen = seen(meter);
    if let Some(seen) = seen
        && meter::read(c"confiture", meter)? >= seen
    {
        return Ok(seen);
    }
    let known = tally::store::known()?.remove(name).unwrap_or_default();
    Ok(known.recorded.units().max(seen.unwrap_or(0)))
}

pub(super) fn charges(
    name: &str,
    budget: &Budget,
    shares: &[Share],
    bill: &Bill<'_>,
) -> Result<(Vec<Charge>, Vec<Whose>)> {
    let charge = |number: i32, amount: i64, limit: i64| {
        let meter = CString::new(meter_name(number))
            .map_err(|_| Error::new(Kind::Internal, "a meter has no name"))?;
        let least = seen(&meter).unwrap_or(0);
        Ok::<_, Error>(Charge {
            meter,
            amount,
            limit,
            least,
        })
    };
    let epsilon = bill.epsilon.units();
    let mut charges = vec![charge(
        budget.epsilon_meter,
        epsilon,
        budget.epsilon_limit.units(),
    )?];
    charges[0].least = least(name, &charges[0].meter)?;
    let mut whose = vec![Whose::Budget];
    if bill.delta > Delta::ZERO {
        let limit = budget.delta_limit.units();
        charges.push(charge(budget.delta_meter, bill.delta.units(), limit)?);
        whose.push(Whose::Delta);
    }
    for share in shares {
        let limit = share.epsilon_limit.map_or(i64::MAX, Epsilon::units);
        charges.push(charge(share.meter, epsilon, limit)?);
        whose.push(Whose::Role(share.role.clone()));
    }
    Ok((charges, whose))
}

fn deny(name: &str, bill: &Bill<'_>) -> Result<()> {
    journal::write(&Record {
        event: Event::Denied,
        about: bill.about,
        domain: Some(name),
        reason: Some(&bill.how),
        amount: Some(0),
    })?;
    Ok(())
}

pub(super) fn exhausted(name: &str, whose: &Whose, bill: &Bill<'_>, left: i64) -> Error {
    let (message, asked, left) = match whose {
        Whose::Delta => (
            format!("privacy budget \"{name}\" has not so much delta left"),
            bill.delta.to_string(),
            Delta::of_units(left).unwrap_or_default().to_string(),
        ),
        whose => {
            let message = match whose {
                Whose::Role(role) => {
                    format!(
                        "the share of role \"{role}\" in privacy budget \"{name}\" is exhausted"
                    )
                }
                _ => format!("privacy budget \"{name}\" is exhausted"),
            };
            let left = Epsilon::of_units(left).unwrap_or_default().to_string();
            (message, bill.epsilon.to_string(), left)
        }
    };
    Error::new(Kind::Exhausted, message)
        .with_detail(format!(
            "{asked} was asked for, {left} is left. Nothing was charged."
        ))
        .with_hint("Ask for less, use what was published, or have anon_dp_budget_raise called.")
}

/// ε as a call gives it: rounded down to millionths once, so that the same number is drawn with and
/// charged.
///
/// # Errors
/// 22023 for one that is not between 0.000001 and the limit in use.
pub fn strength(epsilon: f64) -> Result<Epsilon> {
    let limit = settings::dp_max_epsilon();
    let found = Strength::new(epsilon, limit)
        .and_then(|strength| i64::try_from(strength.micro()).ok())
        .and_then(Epsilon::of_units);
    found.ok_or_else(|| {
        Error::new(
            Kind::InvalidParameter,
            "invalid value for argument \"epsilon\"",
        )
        .with_detail(format!("It must be between 0.000001 and {limit}."))
    })
}

/// The budget that this session charges.
///
/// # Errors
/// 55000 when it named none.
pub fn of_session() -> Result<String> {
    given("confiture.dp_budget", settings::dp_budget()).map_err(|_| {
        Error::new(Kind::NotReady, "no privacy budget is chosen").with_hint(
            "SET confiture.dp_budget to the name of a budget; see anon_dp_budget_status().",
        )
    })
}
