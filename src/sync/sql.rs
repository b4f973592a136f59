//! What SQL sees of runs.

use std::cell::RefCell;

use pgrx::AnyElement;
use pgrx::iter::TableIterator;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::clock::Beside;
use super::leaks::identifiers::Identifier;
use super::progress::store::tell_where_due;
use super::request::Request;
use super::run;
use super::{checks, leaks, masks, recheck, redraw, rowcheck, trackers, workers};
use crate::error::{Error, Kind, Result, given};
use crate::ledger::lineage::commitment::Element;
use crate::ledger::lineage::rows;
use crate::pg::argument::Document;
use crate::pg::check::{Checks, Form};
use crate::pg::codec::{Codec, Whole};
use crate::pg::send::Sender;
use crate::pg::{call, callsite};
use crate::strategies::{Datum, Input, Row};

/// Copies a source schema's tables into a target schema, masked as a profile says, with evidence.
///
/// A procedure that commits: inside a transaction block or a function it is refused, or with the
/// option `in_transaction` leaves the commit to the caller.
#[pg_extern(sql = "
CREATE PROCEDURE confiture.sync(profile text, source text, target text, options jsonb DEFAULT '{}')
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn sync(
    profile: Option<&str>,
    source: Option<&str>,
    target: Option<&str>,
    options: Option<Document>,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<(), ErrorReport> {
    let request = Request::asked(profile, source, target, options)?;
    Ok(run::run(&request, call::may_commit(fcinfo))?)
}

/// The mask of that number of the run in progress: what its statements call. What the mask reads
/// of the row beside the value follows, as texts or lists of texts.
#[pg_extern(sql = "
CREATE FUNCTION confiture._run_mask(number integer, value anyelement)
  RETURNS anyelement LANGUAGE c PARALLEL SAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._run_mask(number integer, value anyelement, VARIADIC inputs \"any\")
  RETURNS anyelement LANGUAGE c PARALLEL SAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn run_mask(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>, ErrorReport> {
    Ok(run_masked(fcinfo)?)
}

/// What a call in a statement of a run keeps.
struct Site {
    number: i32,
    codec: Codec,
    /// Whether each input is a list.
    inputs: Vec<bool>,
    /// What the column, and those joined with it, ask of a value.
    checks: Vec<Checks>,
}

fn run_masked(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>> {
    tell_where_due();
    if call::is_null(fcinfo, 1) {
        return Ok(None);
    }
    let make = |_: Option<&Site>| {
        workers::join()?;
        let number = given("number", call::argument(fcinfo, 0))?;
        let codec = Codec::at(fcinfo, call::type_of(fcinfo, 1))?;
        let judges = redraw::judges(number).into_iter();
        let checks = judges.map(|judge| {
            let form = match judge.is_alone {
                true => Form::Stored,
                false => Form::Uncut,
            };
            Checks::at(fcinfo, judge.relation, &judge.column, codec.oid(), form)
        });
        Ok::<_, Error>(Site {
            number,
            checks: checks
                .filter_map(Result::transpose)
                .collect::<Result<_>>()?,
            codec,
            inputs: (2..call::count(fcinfo))
                .map(|place| match call::type_of(fcinfo, place) {
                    pg_sys::TEXTOID => Ok(false),
                    pg_sys::TEXTARRAYOID => Ok(true),
                    _ => Err(Error::new(Kind::DatatypeMismatch, "inputs must be texts")),
                })
                .collect::<Result<_>>()?,
        })
    };
    // A statement of a run names its mask by a constant; the number is read again all the same.
    let same = |site: &Site| call::argument(fcinfo, 0) == Some(site.number);
    let site = callsite::state(fcinfo, same, make)?;
    let Some(value) = site.codec.argument(fcinfo, 1) else {
        return Ok(None);
    };
    let inputs: Vec<_> = site
        .inputs
        .iter()
        .zip(2..)
        .map(|(many, place)| call::input(fcinfo, place, *many))
        .map(|(one, many)| match (one, many) {
            (Some(text), _) => Input::One(text),
            (None, Some(texts)) => Input::Many(texts),
            (None, None) => Input::None,
        })
        .collect();
    let row = Row(&inputs);
    if let (false, Whole::One(original)) = (site.checks.is_empty(), &value) {
        return accepted(site, original, row);
    }
    let masked = masks::apply(site.number, |mask| {
        value.each(|value| mask.apply(value, row))
    })?;
    site.codec.result(masked)
}

/// Notes which constraint was asked, should its condition raise an error.
struct Noting<'a>(i32, &'a Checks);

impl Drop for Noting<'_> {
    fn drop(&mut self) {
        // Errors of the server unwind.
        if std::thread::panicking() {
            masks::raise(self.0, self.1.asked());
        }
    }
}

/// What a value becomes that the column accepts.
fn accepted(site: &Site, original: &Datum<'_>, row: Row<'_>) -> Result<Option<AnyElement>> {
    let mut masked = masks::apply(site.number, |mask| mask.apply(original.clone(), row))?;
    let mut attempts = 0;
    loop {
        let result = site.codec.result(masked.clone().map(Whole::One))?;
        let refusing = |checks: &Checks| {
            let _noting = Noting(site.number, checks);
            checks.refusing(result.as_ref())
        };
        let Some(constraint) = site.checks.iter().find_map(refusing) else {
            redraw::accept(site.number, attempts);
            return Ok(result);
        };
        attempts += 1;
        masked = redraw::again(
            site.number,
            attempts,
            original.clone(),
            masked,
            row,
            &constraint,
        )?;
    }
}

/// Shows a row to the trackers of the run in progress: the number of the first, how many columns
/// the key of the row has, these, and then for each tracker the value before and after. True.
#[pg_extern(sql = "
CREATE FUNCTION confiture._run_track(number integer, keys integer, VARIADIC items \"any\")
  RETURNS boolean LANGUAGE c PARALLEL SAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn run_track(fcinfo: pg_sys::FunctionCallInfo) -> Result<bool, ErrorReport> {
    let numbers = (call::argument(fcinfo, 0), call::argument(fcinfo, 1));
    let make = |_: Option<&Watched>| {
        workers::join()?;
        Watched::at(fcinfo, numbers, 2)
    };
    let site = callsite::state(fcinfo, |site| site.numbers == numbers, make)?;
    Beside::Commitment.time(|| site.show(fcinfo))?;
    Ok(true)
}

/// Shows a row to the scan for what gives it away: the number of its table, of the first text, how
/// many identifiers there are, and how many of them, the first ones, are names of persons; all of
/// them, each with what was written in its place; and the texts. True.
#[pg_extern(sql = "
CREATE FUNCTION confiture._run_scan(number integer, first integer, identifiers integer,
                                    names integer, VARIADIC items \"any\")
  RETURNS boolean LANGUAGE c PARALLEL SAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn run_scan(fcinfo: pg_sys::FunctionCallInfo) -> Result<bool, ErrorReport> {
    const BEFORE: usize = 4;
    let make = |_: Option<&()>| {
        workers::join()?;
        let of = |place: usize| {
            matches!(
                call::type_of(fcinfo, place),
                pg_sys::TEXTOID | pg_sys::JSONOID
            )
        };
        if (BEFORE..call::count(fcinfo)).all(of) {
            return Ok(());
        }
        Err(Error::new(
            Kind::DatatypeMismatch,
            "items must be texts or documents",
        ))
    };
    callsite::state(fcinfo, |()| true, make)?;
    let number = |place: usize, name: &str| {
        let number: i32 = given(name, call::argument(fcinfo, place))?;
        usize::try_from(number)
            .map_err(|_| Error::new(Kind::InvalidParameter, format!("{name} is negative")))
    };
    let (scan, first) = (number(0, "number")?, number(1, "first")?);
    let texts = BEFORE + 2 * number(2, "identifiers")?.min(call::count(fcinfo));
    let text = |place: usize| call::argument::<&str>(fcinfo, place);
    let unnamed = BEFORE + 2 * number(3, "names")?.min(call::count(fcinfo));
    let identifiers: Vec<_> = (BEFORE..texts)
        .step_by(2)
        .filter_map(|place| {
            Some(Identifier {
                original: text(place)?,
                written: text(place + 1),
                is_document: call::type_of(fcinfo, place) == pg_sys::JSONOID,
                is_name: place < unnamed,
            })
        })
        .collect();
    let shown = (texts..call::count(fcinfo)).map(text);
    Beside::LeakScan.time(|| leaks::running::show(scan, first, &identifiers, shown))?;
    Ok(true)
}

/// The chance that a number drawn with the digits of this one is one certain original, of whose
/// digits `kept` are known.
#[pg_extern(schema = "confiture", name = "_run_chance", immutable, parallel_safe)]
fn run_chance(value: &str, kept: i32) -> f64 {
    checks::chance(value, kept.unsigned_abs())
}

/// The hash of a value for whoever knows the secret of the tracker: how many columns the key of the
/// row has, these, and the value.
#[pg_extern(sql = "
CREATE FUNCTION confiture._run_mac(secret bigint, keys integer, VARIADIC items \"any\")
  RETURNS bytea LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn run_mac(fcinfo: pg_sys::FunctionCallInfo) -> Result<Vec<u8>, ErrorReport> {
    let secret = given("secret", call::argument(fcinfo, 0))?;
    let numbers = (Some(0), call::argument(fcinfo, 1));
    let make = |_: Option<&Watched>| Watched::at(fcinfo, numbers, 1);
    let site = callsite::state(fcinfo, |site| site.numbers == numbers, make)?;
    Ok(site.hash(fcinfo, secret)?)
}

/// Which rows of the target are not as a run with the option `lineage_rows` left them: `differs`
/// with the key of the row, up to `most` of them; and how many of those it left are `missing`.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn verify_lineage_rows(
    run: Option<pgrx::Uuid>,
    table_name: Option<&str>,
    column_name: Option<&str>,
    most: default!(Option<i32>, "100"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(status, &'static str),
            name!(row_key, Option<Vec<String>>),
            name!(rows, i64),
        ),
    >,
    ErrorReport,
> {
    let found = rowcheck::deviations(
        *given("run", run)?.as_bytes(),
        given("table_name", table_name)?,
        given("column_name", column_name)?,
        given("most", most)?,
    )?;
    let rows = found
        .into_iter()
        .map(|deviation| (deviation.status, deviation.row_key, deviation.rows));
    Ok(TableIterator::new(rows))
}

/// Whether what stands in a row of the target was made of `original`: `match`, `differs`, `unknown`.
/// For those who may see originals: on record in the journal first.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn verify_lineage_row(
    run: Option<pgrx::Uuid>,
    table_name: Option<&str>,
    column_name: Option<&str>,
    row_key: Option<Vec<Option<String>>>,
    original: Option<&str>,
) -> Result<&'static str, ErrorReport> {
    let row_key: Option<Vec<String>> = given("row_key", row_key)?.into_iter().collect();
    Ok(rowcheck::trace(
        *given("run", run)?.as_bytes(),
        given("table_name", table_name)?,
        given("column_name", column_name)?,
        &given("row_key", row_key)?,
        original,
    )?)
}

/// Holds a column of the target against what a run committed to: `match`; `differs`, where it was
/// written since or tampered with; `unverifiable`, where the key of the run was destroyed or
/// nothing was committed to.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn verify_lineage_data(
    run: Option<pgrx::Uuid>,
    table_name: Option<&str>,
    column_name: Option<&str>,
) -> Result<&'static str, ErrorReport> {
    let found = recheck::recheck(
        *given("run", run)?.as_bytes(),
        given("table_name", table_name)?,
        given("column_name", column_name)?,
    )?;
    Ok(found.name())
}

/// What a call in a statement of a run keeps: how its arguments are read, and room for the bytes
/// of a row, so that nothing is made anew for every one.
struct Watched {
    numbers: (Option<i32>, Option<i32>),
    first: usize,
    keys: usize,
    senders: Vec<Sender>,
    room: RefCell<(Element, Element)>,
}

impl Watched {
    /// Arguments before the key of the row.
    const BEFORE: usize = 2;

    /// `each` says how many arguments there are for a column behind the key.
    fn at(
        fcinfo: pg_sys::FunctionCallInfo,
        numbers: (Option<i32>, Option<i32>),
        each: usize,
    ) -> Result<Self> {
        let count = |name, number: Option<i32>| {
            usize::try_from(given(name, number)?)
                .map_err(|_| Error::new(Kind::InvalidParameter, format!("{name} is negative")))
        };
        let senders: Vec<_> = (Self::BEFORE..call::count(fcinfo))
            .map(|place| Sender::at(fcinfo, call::type_of(fcinfo, place)))
            .collect();
        let keys = count("keys", numbers.1)?;
        if senders.len() < keys || !(senders.len() - keys).is_multiple_of(each) {
            return Err(Error::new(Kind::InvalidParameter, "items must be pairs"));
        }
        Ok(Self {
            numbers,
            first: count("number", numbers.0)?,
            keys,
            senders,
            room: RefCell::default(),
        })
    }

    fn hash(&self, fcinfo: pg_sys::FunctionCallInfo, secret: i64) -> Result<Vec<u8>> {
        let mut room = self.room.borrow_mut();
        let element = &mut room.0;
        let read = |place: usize, out: &mut Vec<u8>| {
            self.senders[place].append(fcinfo, Self::BEFORE + place, out)
        };
        element.begin();
        for place in 0..self.keys {
            element.key(|out| read(place, out));
        }
        if self.senders.len() != self.keys + 1 {
            return Err(Error::new(
                Kind::InvalidParameter,
                "items must be one value",
            ));
        }
        element.value(|out| read(self.keys, out));
        Ok(trackers::hash(secret, element)?.to_vec())
    }

    fn show(&self, fcinfo: pg_sys::FunctionCallInfo) -> Result<()> {
        let mut room = self.room.borrow_mut();
        let (original, anonymized) = &mut *room;
        let read = |place: usize, out: &mut Vec<u8>| {
            self.senders[place].append(fcinfo, Self::BEFORE + place, out)
        };
        original.begin();
        for place in 0..self.keys {
            original.key(|out| read(place, out));
        }
        anonymized.begin_as(original);
        let pairs = (self.keys..self.senders.len()).step_by(2);
        for (place, number) in pairs.zip(self.first..) {
            original.value(|out| read(place, out));
            anonymized.value(|out| read(place + 1, out));
            if let Some((place, chunk)) = trackers::show(number, original, anonymized)? {
                rows::store::keep(&place, &chunk)?;
            }
        }
        Ok(())
    }
}
