//! What SQL sees of runs in place.

use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::super::request::Request;
use super::super::run;
use super::{parse, replace};
use crate::error::{Result, given};
use crate::pg::argument::Document;
use crate::pg::call;

/// Masks the tables of a schema where they stand, as a profile says, with evidence.
///
/// A procedure that commits, as `confiture.sync`.
#[pg_extern(sql = "
CREATE PROCEDURE confiture.mask_in_place(profile text, schema text, options jsonb DEFAULT '{}')
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn mask_in_place(
    profile: Option<&str>,
    schema: Option<&str>,
    options: Option<Document>,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<(), ErrorReport> {
    let request = asked(profile, schema, options)?;
    if request.in_place.is_some_and(|asked| asked.dry_run) {
        return Ok(replace::rehearse(&request)?);
    }
    Ok(run::run(&request, call::may_commit(fcinfo))?)
}

fn asked(
    profile: Option<&str>,
    schema: Option<&str>,
    options: Option<Document>,
) -> Result<Request> {
    let schema = given("schema", schema)?;
    let (own, options) = match options {
        Some(options) => parse(&options.read()?)?,
        None => parse(&serde_json::json!({}))?,
    };
    Ok(Request {
        profile: given("profile", profile)?.to_owned(),
        source: schema.to_owned(),
        target: schema.to_owned(),
        options,
        in_place: Some(own),
        given: None,
        resumes: None,
    })
}
