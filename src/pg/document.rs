//! A jsonb argument as whoever calls it gives it: a document that no parser of ours takes is an
//! error with a SQLSTATE, not a defect.

use std::ffi::CStr;

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::datum::FromDatum;
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use serde_json::Value;

use crate::error::{Error, Kind, Result};

/// A jsonb argument.
pub struct Document(Result<Value>);

impl Document {
    /// Its content.
    ///
    /// # Errors
    /// 22023 for one that is nested too deeply or holds a number out of range.
    pub fn read(self) -> Result<Value> {
        self.0
    }
}

impl FromDatum for Document {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the caller hands a jsonb; its text lives in the memory of the call.
        let text = unsafe {
            let stored = pg_sys::pg_detoast_datum(datum.cast_mut_ptr());
            pgrx::direct_function_call::<&CStr>(pg_sys::jsonb_out, &[Some(stored.into())])
        };
        let parsed = text.and_then(|text| serde_json::from_slice(text.to_bytes()).ok());
        Some(Self(parsed.ok_or_else(|| {
            Error::new(
                Kind::InvalidParameter,
                "document is nested too deeply or holds a number out of range",
            )
        })))
    }
}

// SAFETY: read by its own `FromDatum`, which takes what SQL declares below.
unsafe impl<'fcx> ArgAbi<'fcx> for Document {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: a jsonb, as declared; NULL arrives through `Option`.
        let document = unsafe { arg.unbox_arg_using_from_datum::<Self>() };
        document.unwrap_or(Self(Ok(Value::Null)))
    }
}

// SAFETY: the type that `FromDatum` reads.
unsafe impl SqlTranslatable for Document {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Document);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("jsonb")));
}
