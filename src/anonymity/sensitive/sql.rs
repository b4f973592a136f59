//! The steps of the aggregate that counts the sensitive values of classes, as they are written.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};

use crate::pg::tally;

type Call = pg_sys::FunctionCallInfo;

#[pg_extern(sql = "
CREATE FUNCTION confiture._tally_add(state internal, code bigint, is_bounded boolean)
  RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn tally_add(fcinfo: Call) -> Result<Internal, ErrorReport> {
    Ok(tally::add(fcinfo)?)
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._tally_combine(state internal, other internal) RETURNS internal
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn tally_combine(fcinfo: Call) -> Result<Option<Internal>, ErrorReport> {
    Ok(tally::combine(fcinfo)?)
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._tally_bytes(state internal) RETURNS bytea
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn tally_bytes(fcinfo: Call) -> Result<Option<Vec<u8>>, ErrorReport> {
    Ok(tally::bytes(fcinfo)?)
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._tally_state(bytes bytea, state internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn tally_state(fcinfo: Call) -> Result<Internal, ErrorReport> {
    Ok(tally::from_bytes(fcinfo)?)
}
