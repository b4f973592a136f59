//! What SQL sees of runs.

use std::cell::RefCell;

use pgrx::AnyElement;
use pgrx::iter::TableIterator;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::options::Options;
use super::plan::Decision;
use super::request::{self, Request};
use super::run;
use super::{leaks, masks, recheck, rowcheck, trackers};
use crate::error::{Error, Kind, Result, given};
use crate::ledger;
use crate::ledger::lineage::commitment::Element;
use crate::ledger::lineage::rows;
use crate::pg::codec::Codec;
use crate::pg::document::Document;
use crate::pg::send::Sender;
use crate::pg::{call, callsite, report};
use crate::profile;
use crate::strategies::{Input, Row};

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
    let request = asked(profile, source, target, options)?;
    Ok(run::run(&request, call::may_commit(fcinfo))?)
}

/// What a run would do, column by column: a dry run that raises every error the run would raise
/// before it starts.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn plan(
    profile: Option<&str>,
    source: Option<&str>,
    target: Option<&str>,
    options: default!(Option<Document>, "'{}'"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(table_name, String),
            name!(column_name, String),
            name!(decision, String),
            name!(strategy, Option<String>),
            name!(seed_source, Option<String>),
            name!(column_type, String),
            name!(note, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let request = asked(profile, source, target, options)?;
    let profile = profile::store::pick(&request.profile, request.options.version.as_deref())?;
    // Said first where a key is needed in any case.
    if !ledger::signing::store::is_unsigned()? {
        profile::store::masking_key(&profile, false)?;
    }
    let planned = request::pinned(|| request::plan(&request, &profile))?;
    run::masking_key(&planned.plan, &request, &profile, false)?;
    for note in &planned.plan.notes {
        report::notice(note);
    }
    let mut rows = Vec::new();
    for table in planned.plan.tables {
        for column in table.columns {
            let (strategy, seed, note) = match &column.decision {
                Decision::Masked(masked) => (
                    Some(format!(
                        "{} ({})",
                        masked.name,
                        masked.strategy.kind().name()
                    )),
                    Some(masked.origin.to_string()),
                    None,
                ),
                Decision::Preserved { why } | Decision::Excluded { why } => {
                    (None, None, Some(why.clone()))
                }
                Decision::Copied => (None, None, Some("undecided: copied unchanged".to_owned())),
                Decision::Generated => (None, None, None),
            };
            rows.push((
                table.source.name.clone(),
                column.name,
                column.decision.name().to_owned(),
                strategy,
                seed,
                column.type_name,
                note,
            ));
        }
    }
    Ok(TableIterator::new(rows))
}

/// The mask of that number of the run in progress: what its statements call. What the mask reads
/// of the row beside the value follows, as texts or lists of texts.
#[pg_extern(sql = "
CREATE FUNCTION confiture._run_mask(number integer, value anyelement)
  RETURNS anyelement LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._run_mask(number integer, value anyelement, VARIADIC inputs \"any\")
  RETURNS anyelement LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
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
}

fn run_masked(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>> {
    if call::is_null(fcinfo, 1) {
        return Ok(None);
    }
    let make = |_: Option<&Site>| {
        Ok::<_, Error>(Site {
            number: given("number", call::argument(fcinfo, 0))?,
            codec: Codec::at(fcinfo, call::type_of(fcinfo, 1))?,
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
    let Some(value) = site.codec.argument(fcinfo, 1)? else {
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
    let masked = masks::apply(site.number, |mask| {
        value.each(|value| mask.apply(value, row))
    })?;
    site.codec.result(masked)
}

/// Shows a row to the trackers of the run in progress: the number of the first, how many columns
/// the key of the row has, these, and then for each tracker the value before and after. True.
#[pg_extern(sql = "
CREATE FUNCTION confiture._run_track(number integer, keys integer, VARIADIC items \"any\")
  RETURNS boolean LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn run_track(fcinfo: pg_sys::FunctionCallInfo) -> Result<bool, ErrorReport> {
    let numbers = (call::argument(fcinfo, 0), call::argument(fcinfo, 1));
    let make = |_: Option<&Watched>| Watched::at(fcinfo, numbers, 2);
    let site = callsite::state(fcinfo, |site| site.numbers == numbers, make)?;
    site.show(fcinfo)?;
    Ok(true)
}

/// Shows a row to the scan for what gives it away: the number of its table, of the first text, how
/// many identifiers there are; these, each with what was written in its place; and the texts. True.
#[pg_extern(sql = "
CREATE FUNCTION confiture._run_scan(number integer, first integer, identifiers integer,
                                    VARIADIC items \"any\")
  RETURNS boolean LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn run_scan(fcinfo: pg_sys::FunctionCallInfo) -> Result<bool, ErrorReport> {
    const BEFORE: usize = 3;
    let make = |_: Option<&()>| {
        let of = |place: usize| call::type_of(fcinfo, place) == pg_sys::TEXTOID;
        if (BEFORE..call::count(fcinfo)).all(of) {
            return Ok(());
        }
        Err(Error::new(Kind::DatatypeMismatch, "items must be texts"))
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
    let identifiers = (BEFORE..texts)
        .step_by(2)
        .map(|place| (text(place), text(place + 1)));
    let shown = (texts..call::count(fcinfo)).map(text);
    leaks::running::show(scan, first, identifiers, shown)?;
    Ok(true)
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

fn asked(
    profile: Option<&str>,
    source: Option<&str>,
    target: Option<&str>,
    options: Option<Document>,
) -> Result<Request> {
    Ok(Request {
        profile: given("profile", profile)?.to_owned(),
        source: given("source", source)?.to_owned(),
        target: given("target", target)?.to_owned(),
        options: match options {
            Some(options) => Options::parse(&options.read()?)?,
            None => Options::default(),
        },
    })
}
