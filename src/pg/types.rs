//! Which types of the server hold which kinds of values.

use std::ffi::CStr;

use pgrx::datum::IntoDatum;
use pgrx::{direct_function_call, pg_sys};

use crate::error::{Error, Kind, Result};
use crate::value::ValueType;

/// The kind of value a type of the server holds; `None` for those that no value is read of.
pub(super) fn value_type(oid: pg_sys::Oid) -> Option<ValueType> {
    Some(match oid {
        pg_sys::BOOLOID => ValueType::Bool,
        pg_sys::BYTEAOID => ValueType::Bytes,
        pg_sys::CIDROID => ValueType::Cidr,
        pg_sys::DATEOID => ValueType::Date,
        pg_sys::FLOAT4OID => ValueType::Float32,
        pg_sys::FLOAT8OID => ValueType::Float64,
        pg_sys::INETOID => ValueType::Inet,
        pg_sys::INT2OID => ValueType::Int16,
        pg_sys::INT4OID => ValueType::Int32,
        pg_sys::INT8OID => ValueType::Int64,
        pg_sys::JSONBOID => ValueType::Jsonb,
        pg_sys::JSONOID => ValueType::Json,
        pg_sys::MACADDR8OID => ValueType::Mac8,
        pg_sys::MACADDROID => ValueType::Mac,
        pg_sys::NUMERICOID => ValueType::Numeric,
        pg_sys::TEXTOID | pg_sys::VARCHAROID | pg_sys::BPCHAROID => ValueType::Text,
        pg_sys::TIMESTAMPOID => ValueType::Timestamp,
        pg_sys::TIMESTAMPTZOID => ValueType::Timestamptz,
        pg_sys::UUIDOID => ValueType::Uuid,
        // SAFETY: catalog look-ups of a type that exists.
        _ if unsafe { pg_sys::type_is_enum(oid) } => ValueType::Enum,
        _ => return by_name(oid),
    })
}

/// Whether two values of a type of texts are equal that differ in case.
pub(super) fn folds_case(oid: pg_sys::Oid) -> bool {
    name_elsewhere(oid).as_deref() == Some("citext")
}

/// Types of other extensions have no fixed number.
fn by_name(oid: pg_sys::Oid) -> Option<ValueType> {
    match name_elsewhere(oid)?.as_str() {
        "hstore" => Some(ValueType::Hstore),
        // Stored like text.
        "citext" => Some(ValueType::Text),
        _ => None,
    }
}

/// The name of a base type of variable length, without its schema.
fn name_elsewhere(oid: pg_sys::Oid) -> Option<String> {
    // SAFETY: catalog look-ups; the text is copied. Base types are made by superusers only, and
    // those of variable length are stored like text.
    let name = unsafe {
        if pg_sys::get_typtype(oid) != b'b' as std::ffi::c_char || pg_sys::get_typlen(oid) != -1 {
            return None;
        }
        super::text(pg_sys::format_type_be(oid))
    }?;
    Some(name.rsplit('.').next()?.trim_matches('"').to_owned())
}

/// A type that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// An array, with the name of the type of its elements.
    Array(String),
    /// Any other; a domain counts as what it is over.
    Scalar {
        /// The kind of its values; none for those of which a mask takes none.
        of: Option<ValueType>,
        /// Its number.
        oid: pg_sys::Oid,
        /// Whether two values are equal that differ in case.
        folds_case: bool,
    },
}

/// Looks a type up as SQL would, along the search path; none if there is no such type.
///
/// # Errors
/// XX000 for a name that cannot be handed over. What is no name of a type at all raises 42601.
pub fn named(name: &str) -> Result<Option<Named>> {
    // SAFETY: the function takes one text and gives NULL or the number of a type; the look-ups are
    // of a type that exists, and the text is copied.
    unsafe {
        let Some(oid) =
            direct_function_call::<pg_sys::Oid>(pg_sys::to_regtype, &[name.into_datum()])
        else {
            return Ok(None);
        };
        let base = pg_sys::getBaseType(oid);
        let element = pg_sys::get_element_type(base);
        if element != pg_sys::InvalidOid {
            let element = super::text(pg_sys::format_type_be(element)).unwrap_or_default();
            return Ok(Some(Named::Array(element)));
        }
        Ok(Some(Named::Scalar {
            of: value_type(base).or_else(|| in_runs(base)),
            oid: base,
            folds_case: folds_case(base),
        }))
    }
}

/// What a run casts before it masks: types written like text, and composites.
fn in_runs(oid: pg_sys::Oid) -> Option<ValueType> {
    let (mut category, mut preferred) = (0, false);
    // SAFETY: catalog look-ups of a type that exists.
    let kind = unsafe {
        pg_sys::get_type_category_preferred(oid, &mut category, &mut preferred);
        pg_sys::get_typtype(oid)
    };
    match (kind.cast_unsigned(), category.cast_unsigned()) {
        (b'c', _) => Some(ValueType::Record),
        (b'b', b'S') => Some(ValueType::Text),
        _ => None,
    }
}

pub(super) fn in_text_form(of: ValueType) -> bool {
    matches!(
        of,
        ValueType::Cidr
            | ValueType::Enum
            | ValueType::Hstore
            | ValueType::Inet
            | ValueType::Jsonb
            | ValueType::Mac
            | ValueType::Mac8
            | ValueType::Numeric
    )
}

/// Reports a type of which no value is read.
pub(super) fn unsupported(oid: pg_sys::Oid) -> Error {
    // SAFETY: a catalog look-up; the text is copied.
    let name = unsafe { super::text(pg_sys::format_type_be(oid)) }.unwrap_or_default();
    Error::new(
        Kind::DatatypeMismatch,
        format!("values of type {name} cannot be masked"),
    )
}

/// Whether an enum has a label.
pub(super) fn is_label(of: pg_sys::Oid, text: &CStr) -> bool {
    // No name in the catalog is longer.
    if text.count_bytes() >= pg_sys::NAMEDATALEN as usize {
        return false;
    }
    // SAFETY: a look-up inside a transaction by a number and a name, which are the key of that cache.
    unsafe {
        let entry = pg_sys::SearchSysCache2(
            pg_sys::SysCacheIdentifier::ENUMTYPOIDNAME.cast_signed(),
            of.into(),
            text.as_ptr().into(),
        );
        if entry.is_null() {
            return false;
        }
        pg_sys::ReleaseSysCache(entry);
    }
    true
}
