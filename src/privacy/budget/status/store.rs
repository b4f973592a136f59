//! Meters and records, side by side.

use std::ffi::CString;

use pgrx::datum::TimestampWithTimeZone;

use crate::error::{Error, Kind, Result};
use crate::pg::{meter, spi};
use crate::privacy::accounting::Charges;
use crate::privacy::amount::{Delta, Epsilon};
use crate::privacy::budget::store::{as_owner, read, require, units};
use crate::privacy::budget::{Budget, meter_name};

/// A budget as people look at it.
pub struct Status {
    /// Its name.
    pub name: String,
    /// The budget.
    pub budget: Budget,
    /// What its meter says.
    pub epsilon_spent: Epsilon,
    /// The same of δ.
    pub delta_spent: Delta,
    /// What records of the journal say.
    pub epsilon_recorded: Epsilon,
    /// What records of transactions say that were rolled back.
    pub epsilon_rolled_back: Epsilon,
    /// How many records.
    pub charges: i64,
    /// When the last of them was written.
    pub last_charge: Option<TimestampWithTimeZone>,
}

/// All budgets, or one, in the order of their names.
///
/// # Errors
/// 42704 when the one is not there; 42P17 when a meter is not.
pub fn status(name: Option<&str>) -> Result<Vec<Status>> {
    as_owner(|| {
        if let Some(name) = name {
            require(name)?;
        }
        let rows = spi::read(STATUS, &[name.into()], |row| {
            Ok(Status {
                budget: read(row)?,
                name: row.required(7)?,
                epsilon_spent: Epsilon::ZERO,
                delta_spent: Delta::ZERO,
                epsilon_recorded: units(row.get(8)?),
                epsilon_rolled_back: units(row.get(9)?),
                charges: row.required(10)?,
                last_charge: row.get(11)?,
            })
        })?;
        rows.into_iter()
            .map(|status| {
                Ok(Status {
                    epsilon_spent: units(Some(counted(status.budget.epsilon_meter)?)),
                    delta_spent: units(Some(counted(status.budget.delta_meter)?)),
                    ..status
                })
            })
            .collect()
    })
}

/// What was charged to a budget, as the journal says: each amount and how often.
///
/// # Errors
/// 42704 when it is not there.
pub fn charges(name: &str) -> Result<Vec<Charges>> {
    as_owner(|| {
        require(name)?;
        spi::read(
            "SELECT j.amount, pg_catalog.count(*) FROM ONLY confiture.journal j
              WHERE j.event = 'CHARGED' AND j.domain = $1 AND j.amount > 0
              GROUP BY 1 ORDER BY 1",
            &[name.into()],
            |row| {
                Ok(Charges {
                    epsilon: units(row.get(1)?),
                    count: row.required(2)?,
                })
            },
        )
    })
}

// Of transactions that are long over the server does not tell the end: those count as committed.
const STATUS: &str = "
    SELECT b.id, b.epsilon_limit, b.delta_limit, b.epsilon_meter, b.delta_meter, b.retired_at,
           b.name, j.amount, j.rolled_back, coalesce(j.charges, 0), j.last_charge
      FROM ONLY confiture.dp_budget b
      LEFT JOIN (
        SELECT j.domain, pg_catalog.sum(j.amount)::bigint, pg_catalog.count(*), pg_catalog.max(j.at),
               (pg_catalog.sum(j.amount) FILTER (WHERE j.transaction_id < now.next
                  AND pg_catalog.pg_xact_status(j.transaction_id::text::xid8) = 'aborted'))::bigint
          FROM ONLY confiture.journal j,
               (SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint) AS now (next)
         WHERE j.event = 'CHARGED'
         GROUP BY j.domain) AS j (domain, amount, charges, last_charge, rolled_back)
        ON j.domain = b.name
     WHERE $1 IS NULL OR b.name = $1
     ORDER BY b.name";

fn counted(number: i32) -> Result<i64> {
    let name = CString::new(meter_name(number))
        .map_err(|_| Error::new(Kind::Internal, "a meter has no name"))?;
    meter::read(c"confiture", &name)
}
