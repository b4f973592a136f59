//! Calling a function by its number: whoever could put another one in the place of its name cannot
//! have that one called.

use std::ffi::{CStr, CString};
use std::mem::size_of;

use pgrx::fcinfo::direct_function_call_as_datum;
use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;

use super::snapshot::Active;
use super::text;
use crate::error::{Error, Kind, Result};

/// Calls a function `(jsonb) returns jsonb` with the rights of the caller, who has asked whether it
/// is one, and whether he may call it. It sees what the transaction wrote before, and what it
/// writes is seen afterwards. The texts are the documents; `None` for NULL.
///
/// # Errors
/// 22P02 for a text that is no document. Server errors, and those of the function, unwind.
pub fn with_document(function: u32, document: &str) -> Result<Option<String>> {
    let document = CString::new(document)
        .map_err(|_| Error::new(Kind::InvalidText, "a document holds the character NUL"))?;
    // SAFETY: a new command of this transaction; nothing is being read while it begins.
    unsafe { pg_sys::CommandCounterIncrement() };
    let view = Active::now();
    // SAFETY: the input function of jsonb gives a jsonb, which lives in the current context, as all
    // that is made here does. `fmgr_info` fills the look-up, which outlives the call; behind the
    // header of the call there is room for its one argument.
    let answer = unsafe {
        let argument = direct_function_call_as_datum(
            pg_sys::jsonb_in,
            &[Some(pg_sys::Datum::from(document.as_ptr()))],
        );
        let mut look_up = pg_sys::FmgrInfo::default();
        pg_sys::fmgr_info(pg_sys::Oid::from(function), &raw mut look_up);
        let size =
            size_of::<pg_sys::FunctionCallInfoBaseData>() + size_of::<pg_sys::NullableDatum>();
        let call: pg_sys::FunctionCallInfo = pg_sys::palloc0(size).cast();
        (*call).flinfo = &raw mut look_up;
        (*call).nargs = 1;
        let place = (*call).args.as_mut_ptr();
        (*place).isnull = argument.is_none();
        (*place).value = argument.unwrap_or(pg_sys::Datum::from(0));
        let Some(body) = look_up.fn_addr else {
            return Err(Error::new(Kind::Internal, "a function has no body"));
        };
        let value = pg_guard_ffi_boundary(|| body(call));
        if (*call).isnull {
            None
        } else {
            pgrx::direct_function_call::<&CStr>(pg_sys::jsonb_out, &[Some(value)])
                .and_then(|written| text(written.as_ptr()))
        }
    };
    drop(view);
    // SAFETY: as above.
    unsafe { pg_sys::CommandCounterIncrement() };
    Ok(answer)
}
