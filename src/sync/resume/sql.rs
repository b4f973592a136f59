//! What SQL sees of making a run again.

use pgrx::datum::Uuid;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::super::run;
use super::store;
use crate::error::given;
use crate::pg::call;

/// Makes a run of `confiture.sync` again that failed or was interrupted: the same version of its profile,
/// schemas and options, from the beginning, under the rights of the caller. It is a run of its own, whose
/// entries name the former one.
///
/// 42704 where there is no such run; 55006 while it goes on; 55000 where it is complete, another run has
/// written its target since, or it cannot be made again; and those of `sync`.
#[pg_extern(sql = "
CREATE PROCEDURE confiture.resume(run uuid)
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn resume(run: Option<Uuid>, fcinfo: pg_sys::FunctionCallInfo) -> Result<(), ErrorReport> {
    let request = store::former(given("run", run)?)?.request()?;
    Ok(run::run(&request, call::may_commit(fcinfo))?)
}
