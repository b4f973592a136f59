//! Arguments of types that pgrx has no word for, a relation (`regclass`) and names (`name[]`), or not the
//! right one: a document (`jsonb`).

use std::ffi::CStr;
use std::ptr;

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::datum::FromDatum;
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use serde_json::Value;

use super::text;
use crate::error::{Error, Kind, Result};

/// An argument of type regclass: the number of a relation, which may have gone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Relation(pub u32);

impl FromDatum for Relation {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        of: pg_sys::Oid,
    ) -> Option<Self> {
        // SAFETY: a regclass is an OID.
        let number = unsafe { pg_sys::Oid::from_polymorphic_datum(datum, is_null, of) }?;
        Some(Self(number.to_u32()))
    }
}

/// An argument of type name[]; an element that is NULL is none.
#[derive(Clone, Debug, Default)]
pub struct Names(pub Vec<Option<String>>);

impl FromDatum for Names {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the caller hands an array of names, which have a fixed length, are handed by
        // reference and need no alignment; each ends with NUL.
        unsafe {
            let array = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
            let (mut values, mut nulls, mut count) = (ptr::null_mut(), ptr::null_mut(), 0);
            pg_sys::deconstruct_array(
                array,
                pg_sys::NAMEOID,
                pg_sys::NAMEDATALEN.cast_signed(),
                false,
                b'c'.cast_signed(),
                &raw mut values,
                &raw mut nulls,
                &raw mut count,
            );
            let name = |place| match *nulls.add(place) {
                true => None,
                false => text((*values.add(place)).cast_mut_ptr()),
            };
            let names = (0..usize::try_from(count).unwrap_or(0)).map(name);
            Some(Self(names.collect()))
        }
    }
}

/// An argument of type jsonb as whoever calls gives it: one that no parser of ours takes is an error with
/// a SQLSTATE, not a defect.
pub struct Document(Result<Value>);

impl Default for Document {
    fn default() -> Self {
        Self(Ok(Value::Null))
    }
}

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

/// Has SQL declare an argument as what its `FromDatum` reads.
macro_rules! declared {
    ($($of:ident as $sql:literal),*) => {$(
        // SAFETY: read by its own `FromDatum`, which takes what SQL declares below.
        unsafe impl<'fcx> ArgAbi<'fcx> for $of {
            unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
                // SAFETY: of the type declared; NULL arrives through `Option`.
                unsafe { arg.unbox_arg_using_from_datum::<Self>() }.unwrap_or_default()
            }
        }

        // SAFETY: the type that `FromDatum` reads.
        unsafe impl SqlTranslatable for $of {
            const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!($of);
            const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
            const ARGUMENT_SQL: std::result::Result<SqlMappingRef, ArgumentError> =
                Ok(SqlMappingRef::literal($sql));
            const RETURN_SQL: std::result::Result<ReturnsRef, ReturnsError> =
                Ok(ReturnsRef::One(SqlMappingRef::literal($sql)));
        }
    )*};
}

declared!(Relation as "regclass", Names as "name[]", Document as "jsonb");
