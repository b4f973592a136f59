//! Budgets at rest: `confiture.dp_budget`, `dp_budget_share`, and the sequences that are their meters.

use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};
use pgrx::pg_sys::Oid;
use serde_json::json;

use super::{Budget, Share, check_name, check_reason, meter_name};
use crate::error::{Error, Kind, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::row::Row;
use crate::pg::scan::{Key, Lookup, Table};
use crate::pg::snapshot::Snapshot;
use crate::pg::{frozen, ident, owner, server, spi, user};
use crate::privacy::amount::{Amount, Delta, Epsilon};
use crate::vault::rights::{Given, is_given};

/// What stands for a role's right to charge after a restore: EXECUTE on it.
const ANALYSIS: &str = "anon_dp_budget_status";

/// Makes a budget with its meters, on record.
///
/// # Errors
/// 22023 for a bad name or limit; 42710 when it is there; 55000 without a key.
pub fn create(name: &str, epsilon: Epsilon, delta: Delta, note: Option<&str>) -> Result<()> {
    begin()?;
    check_name(name)?;
    check_limits(epsilon, delta)?;
    as_owner(|| {
        lock()?;
        if !spi::read(
            "SELECT FROM ONLY confiture.dp_budget WHERE name = $1",
            &[name.into()],
            |_| Ok(()),
        )?
        .is_empty()
        {
            return Err(Error::new(
                Kind::DuplicateObject,
                format!("privacy budget \"{name}\" already exists"),
            )
            .with_hint("A budget is never made anew. See anon_dp_budget_status()."));
        }
        let (of_epsilon, of_delta) = (make_meter()?, make_meter()?);
        spi::run(
            "INSERT INTO confiture.dp_budget (id, name, epsilon_limit, delta_limit,
                    epsilon_meter, delta_meter, note, created_by)
             SELECT coalesce(max(b.id), 0) + 1, $1, $2, $3, $4, $5, $6, $7
               FROM ONLY confiture.dp_budget b",
            &[
                name.into(),
                epsilon.units().into(),
                delta.units().into(),
                of_epsilon.into(),
                of_delta.into(),
                note.into(),
                user::name(user::caller()).into(),
            ],
        )
    })?;
    record(
        Event::BudgetCreated,
        json!({
            "budget": name,
            "epsilon_limit": epsilon.to_string(),
            "delta_limit": delta.to_string(),
            "note": note,
        }),
    )
}

/// Lets a role charge a budget, up to a share of it; on record. A role that had it before keeps what
/// it has spent.
///
/// # Errors
/// 42704 when budget or role is not there; 22023 for a share of 0; as [`create`].
pub fn grant(name: &str, role: &str, limit: Option<Epsilon>) -> Result<()> {
    begin()?;
    if limit == Some(Epsilon::ZERO) {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"epsilon_limit\" must be above 0",
        ));
    }
    let number = user::number(role).ok_or_else(|| {
        Error::new(
            Kind::UndefinedObject,
            format!("role \"{role}\" does not exist"),
        )
    })?;
    as_owner(|| {
        lock()?;
        require(name)?;
        let renewed = spi::run(
            "UPDATE ONLY confiture.dp_budget_share
                SET epsilon_limit = $3, role_number = $4, server_number = $5, revoked_at = NULL,
                    granted_at = pg_catalog.now(), granted_by = $6
              WHERE budget = $1 AND role_name = $2",
            &share(name, role, limit, number),
        )?;
        if renewed == 0 {
            let mut values = Vec::from(share(name, role, limit, number));
            values.push(make_meter()?.into());
            spi::run(
                "INSERT INTO confiture.dp_budget_share (budget, role_name, epsilon_limit,
                        role_number, server_number, granted_by, meter)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                &values,
            )?;
        }
        Ok(())
    })?;
    record(
        Event::BudgetGranted,
        json!({
            "budget": name,
            "role": role,
            "epsilon_limit": limit.map(|limit| limit.to_string()),
        }),
    )
}

/// Takes from a role the right to charge a budget; on record. Its meter stays.
///
/// # Errors
/// 42704 when it had none.
pub fn revoke(name: &str, role: &str) -> Result<()> {
    begin()?;
    let taken = as_owner(|| {
        lock()?;
        require(name)?;
        spi::run(
            "UPDATE ONLY confiture.dp_budget_share SET revoked_at = pg_catalog.now()
              WHERE budget = $1 AND role_name = $2 AND revoked_at IS NULL",
            &[name.into(), role.into()],
        )
    })?;
    if taken == 0 {
        return Err(Error::new(
            Kind::UndefinedObject,
            format!("role \"{role}\" may not charge privacy budget \"{name}\""),
        ));
    }
    record(Event::BudgetRevoked, json!({"budget": name, "role": role}))
}

/// Lets more be spent of a budget than before; on record, with the reason.
///
/// # Errors
/// 22023 for a limit that is not above the former one in one part at least, or is below it in the
/// other; 55000 when it is retired.
pub fn raise(name: &str, epsilon: Epsilon, delta: Option<Delta>, reason: &str) -> Result<()> {
    begin()?;
    check_reason(reason)?;
    let (before, delta) = as_owner(|| {
        lock()?;
        let before = require(name)?;
        if before.is_retired {
            return Err(retired(name));
        }
        let delta = delta.unwrap_or(before.delta_limit);
        check_limits(epsilon, delta)?;
        let is_lower = epsilon < before.epsilon_limit || delta < before.delta_limit;
        if is_lower || (epsilon, delta) == (before.epsilon_limit, before.delta_limit) {
            return Err(Error::new(
                Kind::InvalidParameter,
                "the new limit must be above the former one",
            )
            .with_detail(
                "A budget is raised or retired, never lowered: what was spent stays spent.",
            ));
        }
        spi::run(
            "UPDATE ONLY confiture.dp_budget SET epsilon_limit = $2, delta_limit = $3 WHERE name = $1",
            &[name.into(), epsilon.units().into(), delta.units().into()],
        )?;
        Ok((before, delta))
    })?;
    record(
        Event::BudgetRaised,
        json!({
            "budget": name,
            "reason": reason,
            "epsilon_limit": [before.epsilon_limit.to_string(), epsilon.to_string()],
            "delta_limit": [before.delta_limit.to_string(), delta.to_string()],
        }),
    )
}

/// Ends the spending of a budget for good; on record, with the reason.
///
/// # Errors
/// 42704 when it is not there; 55000 when it is retired already.
pub fn retire(name: &str, reason: &str) -> Result<()> {
    begin()?;
    check_reason(reason)?;
    as_owner(|| {
        lock()?;
        if require(name)?.is_retired {
            return Err(retired(name));
        }
        spi::run(
            "UPDATE ONLY confiture.dp_budget SET retired_at = pg_catalog.now(), retired_by = $2
              WHERE name = $1",
            &[name.into(), user::name(user::caller()).into()],
        )
    })?;
    record(
        Event::BudgetRetired,
        json!({"budget": name, "reason": reason}),
    )
}

/// A budget that may be charged now, and the shares that are charged with it.
pub struct Charged {
    /// The budget.
    pub budget: Budget,
    /// Every share that the caller has part in.
    pub shares: Vec<Share>,
}

const BUDGET: Lookup = Lookup {
    schema: c"confiture",
    table: c"dp_budget",
    index: Some(c"dp_budget_pkey"),
    columns: &[
        "id",
        "epsilon_limit",
        "delta_limit",
        "epsilon_meter",
        "delta_meter",
        "retired_at",
    ],
};

const SHARE: Lookup = Lookup {
    schema: c"confiture",
    table: c"dp_budget_share",
    index: Some(c"dp_budget_share_pkey"),
    columns: &[
        "role_name",
        "role_number",
        "server_number",
        "epsilon_limit",
        "meter",
        "revoked_at",
    ],
};

/// Looks up what a charge concerns, as of now. The role that calls, seen from outside every
/// function, must be one that may charge it, itself or by membership; so must the one whose rights
/// the statement has.
///
/// # Errors
/// 42704, 42501, 55000, as [`crate::privacy::charge::charge`] says.
pub fn to_charge(name: &str) -> Result<Charged> {
    let now = Snapshot::latest();
    let found = Table::open(&BUDGET, &now)?.find(&[("name", Key::Text(name))], |row, is_own| {
        Ok((read(row)?, is_own))
    })?;
    let (budget, is_own) = found.into_iter().next().ok_or_else(|| missing(name))?;
    if budget.is_retired {
        return Err(retired(name));
    }
    let rows = Table::open(&SHARE, &now)?.find(&[("budget", Key::Text(name))], |row, is_own| {
        let given = Given {
            role_name: row.required(1)?,
            role_number: row.required(2)?,
            server_number: row.required(3)?,
        };
        let limit = row.get::<i64>(4)?;
        let share = Share {
            role: given.role_name.clone(),
            epsilon_limit: limit.map(|units| Epsilon::of_units(units).unwrap_or_default()),
            meter: row.required(5)?,
        };
        let is_revoked = row.get::<TimestampWithTimeZone>(6)?.is_some();
        Ok((!is_revoked).then_some((given, share, is_own)))
    })?;
    let (outer, current) = (user::outer(), user::current());
    let (mut shares, mut may, mut is_changed) = (Vec::new(), [false; 2], is_own);
    for (given, share, is_own) in rows.into_iter().flatten() {
        let Some(role) = given.role(ANALYSIS)? else {
            continue;
        };
        let has = [is_given(outer, &[role])?, is_given(current, &[role])?];
        may = [may[0] || has[0], may[1] || has[1]];
        if has[0] || has[1] {
            is_changed |= is_own;
            shares.push(share);
        }
    }
    // Code of others that runs for maintenance asks for nobody; a materialized view that its own owner
    // fills publishes an answer.
    if may != [true; 2] || user::is_maintained() && outer != current {
        return Err(Error::new(
            Kind::Permission,
            format!("permission denied for privacy budget \"{name}\""),
        )
        .with_hint("anon_dp_budget_grant lets a role charge it."));
    }
    // What was raised would be taken back by ROLLBACK, and what was answered would not.
    if is_changed {
        return Err(Error::new(
            Kind::NotReady,
            format!("privacy budget \"{name}\" was changed in this transaction"),
        )
        .with_hint("Commit first."));
    }
    Ok(Charged { budget, shares })
}

/// Reads a budget from the first columns of a row.
///
/// # Errors
/// As the interface.
pub(super) fn read(row: &Row<'_>) -> Result<Budget> {
    Ok(Budget {
        id: row.required(1)?,
        epsilon_limit: units(row.get(2)?),
        delta_limit: units(row.get(3)?),
        epsilon_meter: row.required(4)?,
        delta_meter: row.required(5)?,
        is_retired: row.get::<TimestampWithTimeZone>(6)?.is_some(),
    })
}

/// Units as they are stored.
pub(super) fn units<const DIGITS: usize>(units: Option<i64>) -> Amount<DIGITS> {
    Amount::of_units(units.unwrap_or(0)).unwrap_or_default()
}

fn lock() -> Result<()> {
    spi::run(
        "LOCK TABLE ONLY confiture.dp_budget IN SHARE ROW EXCLUSIVE MODE",
        &[],
    )?;
    Ok(())
}

/// A budget of that name, as of now.
///
/// # Errors
/// 42704 when it is not there.
pub(in crate::privacy) fn require(name: &str) -> Result<Budget> {
    let found = spi::read_now(
        "SELECT id, epsilon_limit, delta_limit, epsilon_meter, delta_meter, retired_at
           FROM ONLY confiture.dp_budget WHERE name = $1",
        &[name.into()],
        read,
    )?;
    found.into_iter().next().ok_or_else(|| missing(name))
}

/// Makes the next meter, which stands at 0; its number. What belongs to the owner of the extension and
/// is no member of it goes through a dump with the number it has reached.
fn make_meter() -> Result<i32> {
    let number = spi::one::<i32>(
        "SELECT coalesce(max(number), 0) + 1 FROM (
           SELECT delta_meter FROM ONLY confiture.dp_budget
           UNION ALL SELECT epsilon_meter FROM ONLY confiture.dp_budget
           UNION ALL SELECT meter FROM ONLY confiture.dp_budget_share) AS made (number)",
        &[],
    )?;
    let mut number = number.unwrap_or(1);
    while is_there(number)? {
        number += 1;
    }
    let meter = ident::quote(&meter_name(number));
    spi::run(
        &format!("CREATE SEQUENCE confiture.{meter} AS bigint MINVALUE 0 START 0 NO CYCLE"),
        &[],
    )?;
    Ok(number)
}

fn is_there(number: i32) -> Result<bool> {
    let found = spi::one::<bool>(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class
                         WHERE relname::text = $1
                           AND relnamespace = 'confiture'::pg_catalog.regnamespace)",
        &[meter_name(number).into()],
    )?;
    Ok(found == Some(true))
}

fn share<'a>(
    name: &'a str,
    role: &'a str,
    limit: Option<Epsilon>,
    number: Oid,
) -> [DatumWithOid<'a>; 6] {
    [
        name.into(),
        role.into(),
        limit.map(Epsilon::units).into(),
        i64::from(number.to_u32()).into(),
        server::system_identifier().into(),
        user::name(user::caller()).into(),
    ]
}

fn check_limits(epsilon: Epsilon, delta: Delta) -> Result<()> {
    let refused = |name: &str, detail: &str| {
        let message = format!("invalid value for argument \"{name}\"");
        Err(Error::new(Kind::InvalidParameter, message).with_detail(detail))
    };
    if epsilon == Epsilon::ZERO {
        return refused("epsilon_limit", "It must be above 0.");
    }
    if delta >= Delta::ONE {
        return refused("delta_limit", "It must be below 1.");
    }
    Ok(())
}

pub(super) fn missing(name: &str) -> Error {
    Error::new(
        Kind::UndefinedObject,
        format!("privacy budget \"{name}\" does not exist"),
    )
    .with_hint("See anon_dp_budget_status().")
}

fn retired(name: &str) -> Error {
    Error::new(
        Kind::NotReady,
        format!("privacy budget \"{name}\" is retired"),
    )
}

/// Does work as the owner of the extension.
///
/// # Errors
/// What it returns.
pub(in crate::privacy) fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}

fn begin() -> Result<()> {
    frozen::writable()?;
    beginning::store::asked_for()
}

fn record(event: Event, details: serde_json::Value) -> Result<()> {
    let facts = Facts {
        details: Some(details.into()),
        ..Facts::default()
    };
    ledger::append(event, facts)?;
    Ok(())
}
