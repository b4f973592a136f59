//! The tally at rest: `confiture.dp_tally`, and what of the journal is behind it.

use std::collections::BTreeMap;

use pgrx::datum::TimestampWithTimeZone;

use super::Known;
use crate::error::Result;
use crate::ledger::journal::store as journal;
use crate::pg::lock::{self, Class};
use crate::pg::{frozen, guc, spi, xact};
use crate::privacy::accounting::Charges;
use crate::privacy::budget::store::{as_owner, units};

/// So many records may be behind the tally before it is brought up to them.
const BEHIND: i64 = 1000;
/// Of the locks on budgets the one that is none's.
const LOCK: u64 = 1 << 40;

/// What is known of every budget: from the tally, and from the end of the journal. How far that is read
/// is bounded, for whoever may write here takes it into the tally.
///
/// # Errors
/// As the interface.
pub fn known() -> Result<BTreeMap<String, Known>> {
    // Whoever asks may have the server tell of plans and of sorting, and these are none of his.
    let _untold = guc::pin(&[("client_min_messages", "error"), ("jit", "off")]);
    as_owner(|| {
        advance()?;
        let sql = format!(
            "SELECT t.budget, t.epsilon, pg_catalog.sum(t.charges)::bigint,
                    pg_catalog.sum(t.rolled_back)::bigint, pg_catalog.max(t.last_charge)
               FROM (SELECT k.budget, k.epsilon, k.charges, k.rolled_back, k.last_charge
                       FROM ONLY confiture.dp_tally k
                     UNION ALL
                     {}) AS t
              GROUP BY 1, 2 ORDER BY 1, 2",
            // Both of one statement: another session may take records into the tally between two.
            fresh(counted_to()?, &format!("({COUNTED_TO})"), i64::MAX)?
        );
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        for (budget, charges, back, last) in spi::read(&sql, &[], |row| {
            let charges = Charges {
                epsilon: units(row.get(2)?),
                count: row.required(3)?,
            };
            let last = row.get::<TimestampWithTimeZone>(5)?.map(i64::from);
            Ok((row.required::<String>(1)?, charges, row.required(4)?, last))
        })? {
            known.entry(budget).or_default().take(charges, back, last);
        }
        Ok(known)
    })
}

/// Takes what is behind the tally into it, where that is much, and nobody else does: all of it that
/// belongs to transactions that have ended, for later the server does not say how. Of a transaction
/// that this server has not begun, whose record was restored from another one, it says nothing ever.
fn advance() -> Result<()> {
    let is_free = xact::is_read_committed() && !xact::is_read_only() && frozen::writable().is_ok();
    let last = journal::last()?;
    if !is_free
        || last.saturating_sub(counted_to()?) <= BEHIND
        || !lock::try_take_for_transaction(Class::Budget, LOCK)
    {
        return Ok(());
    }
    // As of now: another one may have done so meanwhile.
    let from = spi::read_now(COUNTED_TO, &[], |row| row.required::<i64>(1))?;
    let from = from.first().copied().unwrap_or(0);
    let (page, next) = (journal::first_page_behind(from)?, xact::next());
    let end = spi::one::<i64>(
        &format!(
            "SELECT coalesce(pg_catalog.min(j.number) FILTER (WHERE j.event = 'CHARGED'
                               AND CASE WHEN j.transaction_id < {next}
                                   THEN pg_catalog.pg_xact_status(j.transaction_id::text::xid8)
                                        = 'in progress' END) - 1,
                             pg_catalog.max(j.number))
               FROM ONLY confiture.journal j
              WHERE j.ctid >= '({page},0)'::pg_catalog.tid AND j.number > $1"
        ),
        &[from.into()],
    )?;
    let Some(end) = end.filter(|&end| end > from) else {
        return Ok(());
    };
    // Each budget has a row of nothing, which says how far it is counted.
    spi::run(
        &format!(
            "INSERT INTO confiture.dp_tally AS k
                    (budget, epsilon, charges, rolled_back, last_charge, counted_to)
             SELECT t.budget, t.epsilon, pg_catalog.sum(t.charges), pg_catalog.sum(t.rolled_back),
                    pg_catalog.max(t.last_charge), $1
               FROM ({} UNION ALL
                     SELECT b.name, 0, 0, 0, NULL FROM ONLY confiture.dp_budget b) AS t
              GROUP BY 1, 2
             ON CONFLICT (budget, epsilon) DO UPDATE
                SET charges = k.charges + excluded.charges,
                    rolled_back = k.rolled_back + excluded.rolled_back,
                    last_charge = GREATEST(k.last_charge, excluded.last_charge),
                    counted_to = excluded.counted_to",
            fresh(from, &from.to_string(), end)?
        ),
        &[end.into()],
    )?;
    Ok(())
}

/// The charges of records behind one, up to another. `at_least` is that one or one before it, by
/// which the first page is looked for.
fn fresh(at_least: i64, behind: &str, to: i64) -> Result<String> {
    let (page, next) = (journal::first_page_behind(at_least)?, xact::next());
    Ok(format!(
        "SELECT j.domain AS budget, j.amount AS epsilon, pg_catalog.count(*) AS charges,
                pg_catalog.count(*) FILTER (WHERE CASE WHEN j.transaction_id < {next}
                  THEN pg_catalog.pg_xact_status(j.transaction_id::text::xid8) = 'aborted' END)
                  AS rolled_back,
                pg_catalog.max(j.at) AS last_charge
           FROM ONLY confiture.journal j
          WHERE j.ctid >= '({page},0)'::pg_catalog.tid AND j.number > {behind} AND j.number <= {to}
            AND j.event = 'CHARGED' AND j.domain IS NOT NULL AND j.amount IS NOT NULL
          GROUP BY 1, 2"
    ))
}

/// The record up to which the tally has all, as the calling statement sees it.
fn counted_to() -> Result<i64> {
    let found = spi::read(COUNTED_TO, &[], |row| row.required::<i64>(1))?;
    Ok(found.first().copied().unwrap_or(0))
}

const COUNTED_TO: &str =
    "SELECT coalesce(pg_catalog.max(counted_to), 0) FROM ONLY confiture.dp_tally";
