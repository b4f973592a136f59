//! Meters and records, side by side.

use std::ffi::CString;

use crate::error::{Error, Kind, Result};
use crate::pg::{meter, spi};
use crate::privacy::accounting::Charges;
use crate::privacy::amount::{Amount, Delta, Epsilon};
use crate::privacy::budget::store::{as_owner, read, require};
use crate::privacy::budget::tally::Known;
use crate::privacy::budget::tally::store::known;
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
    /// What the journal says.
    pub known: Known,
}

impl Status {
    /// What is spent: a meter that was turned back does not count.
    pub fn epsilon(&self) -> Epsilon {
        self.epsilon_spent.max(self.known.recorded)
    }

    /// The charges. What the meter has and no record is one of them: that is never less than its parts.
    pub fn charges(&self) -> Vec<Charges> {
        let mut charges = self.known.charges.clone();
        let epsilon = self.epsilon().minus(self.known.recorded);
        if epsilon > Epsilon::ZERO {
            charges.push(Charges { epsilon, count: 1 });
        }
        charges
    }
}

/// All budgets, or one, in the order of their names.
///
/// # Errors
/// 42704 when the one is not there; 42P17 when a meter is not.
pub fn status(name: Option<&str>) -> Result<Vec<Status>> {
    let mut known = known()?;
    as_owner(|| {
        if let Some(name) = name {
            require(name)?;
        }
        let rows = spi::read(
            "SELECT b.id, b.epsilon_limit, b.delta_limit, b.epsilon_meter, b.delta_meter,
                    b.retired_at, b.name
               FROM ONLY confiture.dp_budget b
              WHERE $1 IS NULL OR b.name = $1
              ORDER BY b.name",
            &[name.into()],
            |row| Ok((read(row)?, row.required::<String>(7)?)),
        )?;
        rows.into_iter()
            .map(|(budget, name)| {
                Ok(Status {
                    epsilon_spent: counted(budget.epsilon_meter)?,
                    delta_spent: counted(budget.delta_meter)?,
                    known: known.remove(&name).unwrap_or_default(),
                    budget,
                    name,
                })
            })
            .collect()
    })
}

/// Other budgets that pay, or have paid, for a table that this one pays for.
///
/// # Errors
/// As the interface.
pub fn of_same_tables(name: &str) -> Result<Vec<String>> {
    as_owner(|| {
        spi::read(
            "SELECT DISTINCT o.budget
               FROM ONLY confiture.dp_dataset d
               JOIN ONLY confiture.dp_dataset o
                 ON o.schema_name = d.schema_name AND o.table_name = d.table_name
              WHERE d.budget = $1 AND o.budget <> $1 ORDER BY 1",
            &[name.into()],
            |row| row.required(1),
        )
    })
}

fn counted<const DIGITS: usize>(number: i32) -> Result<Amount<DIGITS>> {
    let name = CString::new(meter_name(number))
        .map_err(|_| Error::new(Kind::Internal, "a meter has no name"))?;
    Ok(Amount::of_units(meter::read(c"confiture", &name)?).unwrap_or_default())
}
