//! Meters: sequences that only go up, whatever becomes of the transaction.
//!
//! Setting a sequence is no part of a transaction: ROLLBACK, a savepoint and an exception block do
//! not take it back. It is in the write-ahead log, though not necessarily on disk: whoever answers
//! flushes first, which [`super::frozen::append`] does.
//!
//! PostgreSQL source: `do_setval` in `sequence.c`.

use std::ffi::{CStr, CString};

use pgrx::pg_sys;

use super::durable::Held;
use super::frozen::{self, Log, Open};
use super::lock::{Class, Turn};
use crate::error::{Error, Kind, Result};

/// What one meter is to take.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The sequence.
    pub meter: CString,
    /// How much, 0 or more.
    pub amount: i64,
    /// What it may come to at most.
    pub limit: i64,
    /// What it has come to at least: a sequence that says less was turned back.
    pub least: i64,
}

/// What became of charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All meters have taken theirs, and stand at this.
    Charged(Vec<i64>),
    /// None has: the one at that place has only so much left.
    Exhausted {
        /// Which of the charges.
        place: usize,
        /// What its meter could have taken.
        left: i64,
    },
}

/// Charges all of these meters, or none. Everybody else who charges under the same number waits
/// meanwhile, for a moment.
///
/// # Errors
/// 25006 on a standby; 25000 in a parallel query; 42P17 for a meter that is no permanent sequence of
/// `owner` alone; 55000 for one that was made in this transaction.
pub fn charge(
    schema: &CStr,
    owner: pg_sys::Oid,
    number: u64,
    charges: &[Charge],
) -> Result<Outcome> {
    frozen::writable()?;
    let meters: Vec<Open> = charges
        .iter()
        .map(|charge| Open::sequence(&log(schema, &charge.meter)))
        .collect::<Result<_>>()?;
    if let Some(meter) = meters.iter().find(|meter| !meter.is_of(owner)) {
        return Err(Error::new(
            Kind::Definition,
            format!("sequence \"{}\" is not as it was made", meter.name()),
        )
        .with_detail(
            "It must belong to the owner of the extension, and nobody may have rights on it.",
        )
        .with_hint("REVOKE ALL from whom it was granted to; see ALTER DEFAULT PRIVILEGES too."));
    }
    let _turn = Turn::take(Class::Budget, number);
    let _held = Held::begin();
    let mut sums = Vec::with_capacity(charges.len());
    for (place, (charge, meter)) in charges.iter().zip(&meters).enumerate() {
        let before = meter.last_value().unwrap_or(0).max(charge.least).max(0);
        let left = charge.limit.saturating_sub(before).max(0);
        let sum = before.checked_add(charge.amount);
        match sum.filter(|_| charge.amount >= 0 && charge.amount <= left) {
            Some(sum) => sums.push(sum),
            None => return Ok(Outcome::Exhausted { place, left }),
        }
    }
    for ((meter, charge), sum) in meters.iter().zip(charges).zip(&sums) {
        if charge.amount > 0 {
            meter.set(*sum);
        }
    }
    Ok(Outcome::Charged(sums))
}

/// The number of the sequence, which tells it from another one of its name; 0 where there is none.
pub fn identity(schema: &CStr, meter: &CStr) -> u32 {
    frozen::identity(&log(schema, meter))
}

/// How far a meter has gone up.
///
/// # Errors
/// 42P17 when it is not there.
pub fn read(schema: &CStr, meter: &CStr) -> Result<i64> {
    let lock = pg_sys::AccessShareLock;
    let open = Open::relation(&log(schema, meter), meter, lock)?;
    Ok(open.last_value().unwrap_or(0).max(0))
}

fn log<'a>(schema: &'a CStr, meter: &'a CStr) -> Log<'a> {
    Log {
        schema,
        table: meter,
        count: meter,
    }
}
