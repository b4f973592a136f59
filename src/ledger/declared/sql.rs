//! What SQL sees of declared runs: the same evidence for refresh scripts that are written by hand.

use std::cell::RefCell;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyElement, Uuid, pg_sys};

use super::{session, store};
use crate::error::{Error, Kind, Result, given};
use crate::ledger::lineage::commitment::Element;
use crate::pg::argument::Document;
use crate::pg::send::Sender;
use crate::pg::{call, callsite, xact};

/// Begins a run of a script in this session and returns its id. What the script shows by `track`
/// until `end_run` belongs to it.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn begin_run(
    name: Option<&str>,
    source: Option<&str>,
    target: Option<&str>,
) -> Result<Uuid, ErrorReport> {
    let id = store::begin(
        given("name", name)?,
        given("source", source)?,
        given("target", target)?,
    )?;
    Ok(Uuid::from_bytes(id))
}

/// Counts a value of a column of the target before and after masking, commits to both, and returns
/// the masked one: for the select list of an INSERT. `row_key` is the key of the row as text, as
/// the target stores it.
#[pg_extern(sql = "
CREATE FUNCTION confiture.track(table_name text, column_name text, row_key text, original \"any\",
                                anonymized anyelement)
  RETURNS anyelement LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn track(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>, ErrorReport> {
    let names = (
        given("table_name", call::argument::<&str>(fcinfo, 0))?,
        given("column_name", call::argument::<&str>(fcinfo, 1))?,
    );
    session::with(|run| {
        let id = run.id;
        let site = callsite::state(
            fcinfo,
            |site: &Site| site.run == id && (&*site.table, &*site.column) == names,
            |_| {
                Ok::<_, Error>(Site {
                    run: id,
                    table: names.0.to_owned(),
                    column: names.1.to_owned(),
                    number: run.column(names.0, names.1),
                    senders: [
                        Sender::at(fcinfo, call::type_of(fcinfo, ORIGINAL)),
                        Sender::at(fcinfo, call::type_of(fcinfo, ANONYMIZED)),
                    ],
                    room: RefCell::default(),
                })
            },
        )?;
        let mut room = site.room.borrow_mut();
        let (original, anonymized) = &mut *room;
        original.begin();
        original.key(|out| {
            call::argument::<&str>(fcinfo, ROW_KEY).is_some_and(|key| {
                out.extend_from_slice(key.as_bytes());
                true
            })
        });
        anonymized.begin_as(original);
        original.value(|out| site.senders[0].append(fcinfo, ORIGINAL, out));
        anonymized.value(|out| site.senders[1].append(fcinfo, ANONYMIZED, out));
        run.show(site.number, xact::current(), original, anonymized);
        Ok(())
    })?;
    Ok(call::any(fcinfo, ANONYMIZED))
}

const ROW_KEY: usize = 2;
const ORIGINAL: usize = 3;
const ANONYMIZED: usize = 4;

/// What a call site keeps.
struct Site {
    run: [u8; 16],
    table: String,
    column: String,
    number: usize,
    senders: [Sender; 2],
    room: RefCell<(Element, Element)>,
}

/// Ends the run: `match` where every table of the target holds as many rows as were shown,
/// `differs` where it does not. `verification` is what the script has checked itself; it is put on
/// record as its word.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn end_run(verification: default!(Option<Document>, "NULL")) -> Result<&'static str, ErrorReport> {
    let verification = match verification {
        Some(document) => Some(document.read()?),
        None => None,
    };
    Ok(if store::end(verification)? {
        "match"
    } else {
        "differs"
    })
}

/// Ends the run as failed, for a reason.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn fail_run(reason: Option<&str>) -> Result<(), ErrorReport> {
    let reason = given("reason", reason)?;
    if reason.chars().count() > MOST_REASON {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!("reason must not be longer than {MOST_REASON} characters"),
        )
        .into());
    }
    Ok(store::fail(reason)?)
}

/// Characters of a reason: it is no place for data.
const MOST_REASON: usize = 500;
