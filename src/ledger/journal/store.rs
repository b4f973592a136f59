//! The journal at rest: `confiture.journal` and `confiture.journal_count`.
//!
//! [`write()`] is the only writer. Records lie in the table in the order of their numbers, so what
//! is new is read from its end, and all of it by ranges of pages: there is no index.

use std::cell::{OnceCell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use pgrx::Uuid;
use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};

use super::record::{self, CANON_VERSION, Event, Line, Record, Root};
use super::verify::{Fold, Stored, Verifier};
use crate::error::{Error, Kind, Result};
use crate::keys::store::ActiveKey;
use crate::keys::{self, Secret, Use, subkey};
use crate::ledger::verify::Finding;
use crate::pg::frozen::{self, Log, Value};
use crate::pg::{guc, owner, server, spi, user};

const LOG: Log<'static> = Log {
    schema: c"confiture",
    table: c"journal",
    count: c"journal_count",
};

/// Pages read at once: some hundred records.
const PAGES: i64 = 32;

/// Puts a record into the journal, signed, flushed and counted, and returns its number. It stays
/// whatever becomes of the transaction. Whoever answers something calls this first, and answers
/// only when it has returned.
///
/// # Errors
/// 25006 on a standby; 25000 in a parallel query; 55000 without a key, or while the key or the
/// journal itself hang on this transaction; 42P17 when the journal was altered; 57014 when the wait
/// for a synchronous standby was canceled.
pub fn write(record: &Record<'_>) -> Result<i64> {
    frozen::writable()?;
    let key = keys::store::active_cached("ledger")?;
    let (log_id, least) = settled(&key)?;
    let subkey = subkey(&key.secret, Use::LedgerEntry);
    let mut line = Line {
        number: 0,
        at: 0,
        event: record.event.name().to_owned(),
        user_name: user::name(user::outer()),
        session_user_name: user::name(user::session()),
        hostname: client_host()?,
        application_name: server::application_name(),
        backend_pid: server::pid(),
        transaction_id: server::transaction_id(),
        about: record.about.to_owned(),
        domain: record.domain.map(str::to_owned),
        reason: record.reason.map(str::to_owned),
        amount: record.amount,
        key_name: key.name.to_string(),
        key_version: key.version,
    }
    .bounded();
    frozen::append(&LOG, least, |number| {
        line.number = number;
        line.at = server::now();
        let signature = record::sign(&subkey, &line.hash(&log_id));
        Ok(columns(line, &signature))
    })
}

/// Puts on record that up to `amount` values are given back by a function.
///
/// # Errors
/// As [`write()`].
pub fn reveal(function: &str, amount: i64) -> Result<()> {
    write(&Record {
        event: Event::Revealed,
        about: function,
        domain: None,
        reason: None,
        amount: Some(amount),
    })?;
    Ok(())
}

/// How many values of a domain were asked for since that time, by a role or by whoever logged in as
/// another one, as far as records say. A record without an amount counts nothing.
///
/// # Errors
/// As the interface.
pub fn asked_since(domain: &str, (role, session): (&str, &str), since: i64) -> Result<i64> {
    let since = TimestampWithTimeZone::try_from(since)
        .map_err(|_| Error::new(Kind::Internal, "the clock is out of range"))?;
    owner::acting_as_owner("confiture", || {
        let (mut until, mut sum) = (pages()?, 0_i64);
        while until > 0 {
            let from = (until - PAGES).max(0);
            let found = read_range(
                "coalesce(sum(amount) FILTER (
                   WHERE event IN ('REVEALED', 'DENIED') AND domain = $1
                     AND (user_name = $2 OR session_user_name = $3) AND at > $4), 0)::bigint,
                 coalesce(min(at) <= $4, false)",
                &[domain.into(), role.into(), session.into(), since.into()],
                "",
                from..until,
                |row| Ok((row.required::<i64>(1)?, row.required::<bool>(2)?)),
            )?;
            let (given, is_older) = found.first().copied().unwrap_or((0, true));
            sum = sum.saturating_add(given);
            if is_older {
                break;
            }
            until = from;
        }
        Ok(sum)
    })
}

/// How many records were counted; `None` before the first one here. A restored journal has records
/// and no count until the next one.
///
/// # Errors
/// 42P17 when the count is not there.
pub fn counted() -> Result<Option<i64>> {
    frozen::counted(&LOG)
}

/// The number of the last record, here or restored; 0 for none.
///
/// # Errors
/// As [`counted`].
pub fn last() -> Result<i64> {
    Ok(match counted()? {
        Some(counted) => counted,
        None => frozen::last(&LOG)?.unwrap_or(0),
    })
}

/// Whether a record may be one of a restore: this installation has counted none, and it comes
/// behind those that are there.
///
/// # Errors
/// 42P17 when the journal is not what it was made to be.
pub fn admits(number: Option<i64>) -> Result<bool> {
    if counted()?.is_some() {
        return Ok(false);
    }
    let last = frozen::last(&LOG)?;
    Ok(number.is_none_or(|number| last.is_none_or(|last| number > last)))
}

/// What the next entry of a chain says of the journal: the last record, and the root over those
/// since the entry `seq`. Called under the lock on the head.
///
/// # Errors
/// As the interface.
pub fn fold(log_id: &[u8; 16], seq: i64) -> Result<(i64, Option<[u8; 32]>)> {
    let before = spi::one::<i64>(
        "SELECT journal_last FROM ONLY confiture.audit_log WHERE seq = $1",
        &[seq.into()],
    )?;
    since(log_id, before.unwrap_or(0))
}

/// The last record, and the root over those after the one of that number; `None` where there are
/// none. Only the end of the table is read.
///
/// # Errors
/// As the interface.
pub fn since(log_id: &[u8; 16], number: i64) -> Result<(i64, Option<[u8; 32]>)> {
    // Fixed here: whoever appends meanwhile appends behind what is read.
    let pages = pages()?;
    let (mut root, mut last) = (Root::default(), number);
    let mut rows = Rows::new(first_page_after(number, pages)?, pages);
    while let Some(stored) = rows.next()? {
        if stored.line.number > number {
            root.take(&stored.line.hash(log_id), &stored.signature);
            last = last.max(stored.line.number);
        }
    }
    Ok((last, root.finish()))
}

/// Where the checking of the journal begins.
#[derive(Default)]
pub struct Behind {
    /// Behind what this entry of the audit log covers.
    pub seq: i64,
    /// The last record that it covers.
    pub last: i64,
    /// The last record that was pruned: none may be there up to it.
    pub pruned: i64,
}

/// Checks the journal. `key` returns the entry subkey of a key version.
///
/// # Errors
/// As the interface; findings are rows, not errors.
pub fn verify(
    key: &mut dyn FnMut(&str, i32) -> Option<Secret>,
    behind: &Behind,
) -> Result<Vec<Finding>> {
    owner::acting_as_owner("confiture", || {
        let before = counted()?;
        let pages = pages()?;
        // What was pruned is not there, which shows by reading from the beginning.
        let first = match behind.last > behind.pruned {
            true => first_page_after(behind.last, pages)?,
            false => 0,
        };
        let mut rows = Rows::new(first, pages);
        let mut verifier = Verifier::new(log_id()?, key);
        verifier.behind(behind.last);
        let mut next = rows.next()?;
        while let Some(stored) = &next
            && stored.line.number <= behind.last
        {
            if stored.line.number <= behind.pruned {
                verifier.was_pruned(stored.line.number);
            }
            next = rows.next()?;
        }
        let mut seq = behind.seq;
        loop {
            let folds = spi::read(
                "SELECT seq, journal_last, journal_root FROM ONLY confiture.audit_log
                  WHERE seq > $1 ORDER BY seq LIMIT 500",
                &[seq.into()],
                |row| {
                    Ok(Fold {
                        seq: row.required(1)?,
                        last: row.required(2)?,
                        root: row.get(3)?,
                    })
                },
            )?;
            let Some(newest) = folds.last() else { break };
            seq = newest.seq;
            for fold in &folds {
                while let Some(stored) = &next
                    && !Verifier::is_behind(&stored.line, fold)
                {
                    verifier.record(stored);
                    next = rows.next()?;
                }
                verifier.fold(fold);
            }
        }
        while let Some(stored) = &next {
            verifier.record(stored);
            next = rows.next()?;
        }
        Ok(verifier.finish(before, counted()?))
    })
}

/// What was found settled: it stays so. The number of the table tells one installation of the
/// extension from the next.
struct Settled {
    table: u32,
    key_name: Rc<str>,
    key_version: i32,
    log_id: [u8; 16],
    /// The last record that the chain covers: its number is taken, also where the record was pruned
    /// and the count is not there, as in a restored copy.
    least: i64,
}

thread_local! {
    static SETTLED: RefCell<Option<Settled>> = const { RefCell::new(None) };
}

/// The id of the log that the record belongs to, and a number that it must be behind, once it is
/// sure that neither the log nor the key goes with this transaction: a record would stay that nobody
/// can verify.
fn settled(key: &ActiveKey) -> Result<([u8; 16], i64)> {
    let table = frozen::identity(&LOG);
    let known = SETTLED.with_borrow(|settled| {
        settled
            .as_ref()
            .filter(|of| {
                (of.table, &of.key_name, of.key_version) == (table, &key.name, key.version)
            })
            .map(|of| (of.log_id, of.least))
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let found = owner::acting_as_owner("confiture", || {
        spi::read_now(
            "SELECT v.xmin::text, h.log_id,
                    coalesce((SELECT e.journal_last FROM ONLY confiture.audit_log e
                               ORDER BY e.seq DESC LIMIT 1), 0)
               FROM ONLY confiture.key_version v CROSS JOIN ONLY confiture.ledger_head h
              WHERE v.key_name = $1 AND v.version = $2 AND h.chain = 'audit'",
            &[key.name.as_ref().into(), key.version.into()],
            |row| {
                let xmin = row.required::<String>(1)?.parse::<u32>().unwrap_or(0);
                Ok((
                    xmin,
                    *row.required::<Uuid>(2)?.as_bytes(),
                    row.required::<i64>(3)?,
                ))
            },
        )
    })?;
    let Some(&(xmin, log_id, least)) = found.first() else {
        return Err(Error::new(Kind::Corrupt, "the ledger has no head row")
            .with_hint("Run confiture.verify_ledger."));
    };
    if server::wrote(xmin) {
        return Err(Error::new(
            Kind::NotReady,
            "a record must outlive this transaction, and the key that signs it might not",
        )
        .with_detail(format!(
            "Key \"{}\" was made or changed in this transaction.",
            key.name
        ))
        .with_hint("Commit first."));
    }
    SETTLED.replace(Some(Settled {
        table,
        key_name: Rc::clone(&key.name),
        key_version: key.version,
        log_id,
        least,
    }));
    Ok((log_id, least))
}

/// Asked once: a session has one client.
fn client_host() -> Result<String> {
    thread_local! {
        static HOST: OnceCell<String> = const { OnceCell::new() };
    }
    HOST.with(|host| {
        if let Some(host) = host.get() {
            return Ok(host.clone());
        }
        let found = server::client_host()?;
        Ok(host.get_or_init(|| found).clone())
    })
}

/// The id of the log, as the head or the first entry names it; zeros where there is neither.
fn log_id() -> Result<[u8; 16]> {
    let found = spi::read(
        "SELECT coalesce(
           (SELECT log_id FROM ONLY confiture.ledger_head WHERE chain = 'audit'),
           (SELECT log_id FROM ONLY confiture.audit_log ORDER BY seq LIMIT 1))",
        &[],
        |row| row.get::<Uuid>(1),
    )?;
    let found = found.into_iter().next().flatten();
    Ok(found.map_or([0; 16], |id| *id.as_bytes()))
}

/// How many pages the table has.
fn pages() -> Result<i64> {
    let found = spi::read(
        "SELECT pg_catalog.pg_relation_size('confiture.journal'::pg_catalog.regclass)
              / pg_catalog.current_setting('block_size')::bigint",
        &[],
        |row| row.required::<i64>(1),
    )?;
    Ok(found.first().copied().unwrap_or(0))
}

/// A page before which there is no record after the one of that number, as [`first_page_after`].
///
/// # Errors
/// As the interface.
pub fn first_page_behind(number: i64) -> Result<i64> {
    first_page_after(number, pages()?)
}

/// A page before which there is no record after the one of that number: from the end, by steps that
/// grow.
fn first_page_after(number: i64, pages: i64) -> Result<i64> {
    let (mut until, mut step) = (pages, 1);
    while until > 0 {
        let from = (until - step).max(0);
        let least = read_range("min(number)", &[], "", from..until, |row| row.get::<i64>(1))?;
        if least
            .first()
            .copied()
            .flatten()
            .is_some_and(|least| least <= number)
        {
            return Ok(from);
        }
        until = from;
        step = (step * 2).min(PAGES);
    }
    Ok(0)
}

/// Reads a range of pages. How many rows they have is not known before the table is analyzed; a
/// plan for many would be compiled, for each range anew and for longer than it takes to read it.
fn read_range<T>(
    columns: &str,
    args: &[DatumWithOid<'_>],
    order: &str,
    pages: Range<i64>,
    read: impl FnMut(&spi::Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let sql = format!(
        "SELECT {columns} FROM ONLY confiture.journal
          WHERE ctid >= '({},0)'::pg_catalog.tid AND ctid < '({},0)'::pg_catalog.tid {order}",
        pages.start, pages.end
    );
    guc::with(&[("jit", "off")], || spi::read(&sql, args, read))
}

/// Records of a range of pages in the order in which they lie there.
struct Rows {
    page: i64,
    until: i64,
    read: std::vec::IntoIter<Stored>,
}

impl Rows {
    fn new(from: i64, until: i64) -> Self {
        Self {
            page: from,
            until,
            read: Vec::new().into_iter(),
        }
    }

    fn next(&mut self) -> Result<Option<Stored>> {
        loop {
            if let Some(stored) = self.read.next() {
                return Ok(Some(stored));
            }
            if self.page >= self.until {
                return Ok(None);
            }
            let until = (self.page + PAGES).min(self.until);
            server::check_for_interrupts();
            let columns = "number, at, event, user_name, session_user_name, hostname,
                           application_name, backend_pid, transaction_id, about, domain, reason,
                           amount, key_name, key_version, canon_version, signature";
            self.read =
                read_range(columns, &[], "ORDER BY ctid", self.page..until, stored)?.into_iter();
            self.page = until;
        }
    }
}

/// The row, in the order of the table's columns.
fn columns(line: Line, signature: &[u8; 32]) -> Vec<Value> {
    let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    vec![
        Value::Long(line.number),
        Value::Time(line.at),
        Value::Text(line.event),
        Value::Text(line.user_name),
        Value::Text(line.session_user_name),
        Value::Text(line.hostname),
        Value::Text(line.application_name),
        Value::Int(line.backend_pid),
        Value::Long(line.transaction_id),
        Value::Text(line.about),
        text(line.domain),
        text(line.reason),
        line.amount.map_or(Value::Null, Value::Long),
        Value::Text(line.key_name),
        Value::Int(line.key_version),
        Value::Short(CANON_VERSION),
        Value::Bytes(signature.to_vec()),
    ]
}

fn stored(row: &spi::Row<'_>) -> Result<Stored> {
    Ok(Stored {
        line: Line {
            number: row.required(1)?,
            at: row.required::<TimestampWithTimeZone>(2)?.into(),
            event: row.required(3)?,
            user_name: row.required(4)?,
            session_user_name: row.required(5)?,
            hostname: row.required(6)?,
            application_name: row.required(7)?,
            backend_pid: row.required(8)?,
            transaction_id: row.required(9)?,
            about: row.required(10)?,
            domain: row.get(11)?,
            reason: row.get(12)?,
            amount: row.get(13)?,
            key_name: row.required(14)?,
            key_version: row.required(15)?,
        },
        canon_version: row.required(16)?,
        signature: row.required(17)?,
    })
}
