//! What a function or procedure can learn about its own call.

use std::borrow::Cow;
use std::ffi::{c_char, c_int};
use std::ptr;

use pgrx::datum::{FromDatum, Interval};
use pgrx::pg_catalog::pg_proc::PgProc;
use pgrx::{AnyElement, pg_sys};

use crate::error::{Error, Kind, Result};

/// Whether the running procedure may commit. Only there: a function, and a procedure called where
/// a transaction block is open, cannot (PostgreSQL documentation, "CALL"); nor can one called in
/// a PL/pgSQL block with an EXCEPTION clause, which is a subtransaction.
pub fn may_commit(fcinfo: pg_sys::FunctionCallInfo) -> bool {
    // SAFETY: pgrx hands the pointer of the running call; a CALL puts a CallContext node there.
    unsafe {
        let context = (*fcinfo).context;
        !context.is_null()
            && (*context).type_ == pg_sys::NodeTag::T_CallContext
            && !(*context.cast::<pg_sys::CallContext>()).atomic
            && !pg_sys::IsSubTransaction()
    }
}

/// How many arguments the call has.
pub fn count(fcinfo: pg_sys::FunctionCallInfo) -> usize {
    // SAFETY: the pointer of the running call.
    usize::try_from(unsafe { (*fcinfo).nargs }).unwrap_or(0)
}

/// An argument as the server passes it; `None` for NULL and beyond the last.
pub(super) fn raw(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> Option<pg_sys::Datum> {
    if place >= count(fcinfo) {
        return None;
    }
    // SAFETY: the arguments stand behind the header, `nargs` of them, as fmgr.h lays them out.
    let argument = unsafe { &*(*fcinfo).args.as_ptr().add(place) };
    (!argument.isnull).then_some(argument.value)
}

/// Whether an argument is NULL.
pub fn is_null(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> bool {
    raw(fcinfo, place).is_none()
}

/// Reads an argument; `None` for NULL. The caller names the type that the function declares.
pub fn argument<T: FromDatum>(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> Option<T> {
    let datum = raw(fcinfo, place)?;
    // SAFETY: the caller asks for the declared type.
    unsafe { T::from_datum(datum, false) }
}

/// An argument of whatever type, to hand it on; `None` for NULL.
pub fn any(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> Option<AnyElement> {
    let datum = raw(fcinfo, place)?;
    // SAFETY: the value and its type at this call site.
    unsafe { AnyElement::from_polymorphic_datum(datum, false, type_of(fcinfo, place)) }
}

/// Reads an argument of type text, or with `many` of type text[] without its NULL elements.
pub fn input<'a>(
    fcinfo: pg_sys::FunctionCallInfo,
    place: usize,
    many: bool,
) -> (Option<&'a str>, Option<Vec<&'a str>>) {
    if many {
        let texts = texts(fcinfo, place);
        (
            None,
            texts.map(|texts| texts.into_iter().flatten().collect()),
        )
    } else {
        (argument(fcinfo, place), None)
    }
}

/// Reads an argument of type text[]; `None` for NULL.
pub fn texts<'a>(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> Option<Vec<Option<&'a str>>> {
    let datum = raw(fcinfo, place)?;
    // SAFETY: an array of texts, whose elements are variable, by reference and aligned as int;
    // detoasted, it lives as long as the call.
    unsafe {
        let array = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
        let (mut values, mut nulls, mut count) = (ptr::null_mut(), ptr::null_mut(), 0);
        pg_sys::deconstruct_array(
            array,
            pg_sys::TEXTOID,
            -1,
            false,
            b'i' as c_char,
            &mut values,
            &mut nulls,
            &mut count,
        );
        let texts = (0..usize::try_from(count).unwrap_or(0))
            .map(|i| <&str>::from_datum(*values.add(i), *nulls.add(i)))
            .collect();
        Some(texts)
    }
}

/// As [`texts`], where an array of several dimensions has no meaning.
///
/// # Errors
/// 22023 for one.
pub fn list<'a>(
    fcinfo: pg_sys::FunctionCallInfo,
    place: usize,
    name: &str,
) -> Result<Option<Vec<Option<&'a str>>>> {
    if let Some(datum) = raw(fcinfo, place) {
        // SAFETY: an array; its dimensions stand in its header.
        let dimensions = unsafe {
            let array: *const pg_sys::ArrayType =
                pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
            (*array).ndim
        };
        if dimensions > 1 {
            return Err(Error::new(
                Kind::InvalidParameter,
                format!("argument \"{name}\" must have one dimension"),
            )
            .with_detail(format!("It has {dimensions}.")));
        }
    }
    Ok(texts(fcinfo, place))
}

/// Reads an argument of type interval as seconds; `None` for NULL.
///
/// # Errors
/// 22023 for an interval with months, which have no length.
pub fn seconds(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> Result<Option<f64>> {
    let Some(interval) = argument::<Interval>(fcinfo, place) else {
        return Ok(None);
    };
    if interval.months() != 0 {
        return Err(Error::new(
            Kind::InvalidParameter,
            "the interval must not have months or years",
        ));
    }
    let days = f64::from(interval.days());
    #[allow(
        clippy::cast_precision_loss,
        reason = "a distance is as exact as a double"
    )]
    let micros = interval.micros() as f64;
    Ok(Some(days * 86_400.0 + micros / 1e6))
}

/// The type of an argument at this call site, of a polymorphic one too.
pub fn type_of(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> pg_sys::Oid {
    // SAFETY: the look-up of the running call.
    unsafe {
        pg_sys::get_fn_expr_argtype(
            (*fcinfo).flinfo,
            c_int::try_from(place).unwrap_or(c_int::MAX),
        )
    }
}

/// Whether an argument is a constant of the statement: it is the same for every row, whoever keeps
/// the look-up however long. A parameter is not one: PL/pgSQL keeps look-ups over several values.
pub fn is_constant(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> bool {
    // SAFETY: where the server notes an expression, it is the node of this very call; of those
    // only a function's has its arguments looked at.
    unsafe {
        let expression = (*(*fcinfo).flinfo).fn_expr;
        if expression.is_null() || (*expression).type_ != pg_sys::NodeTag::T_FuncExpr {
            return false;
        }
        let arguments = (*expression.cast::<pg_sys::FuncExpr>()).args;
        let Ok(place) = c_int::try_from(place) else {
            return false;
        };
        if arguments.is_null() || place >= (*arguments).length {
            return false;
        }
        let node: *mut pg_sys::Node = pg_sys::list_nth(arguments, place).cast();
        (*node).type_ == pg_sys::NodeTag::T_Const
    }
}

/// The function that is running: its name, and the names and types of its arguments.
pub struct Signature {
    /// The name, without its schema.
    pub name: String,
    /// Names of the arguments, in order.
    pub arguments: Vec<String>,
}

/// Looks up the function that is running.
pub fn signature(fcinfo: pg_sys::FunctionCallInfo) -> Option<Signature> {
    // SAFETY: the pointer of the running call.
    let oid = unsafe { (*(*fcinfo).flinfo).fn_oid };
    let routine = PgProc::new(oid)?;
    Some(Signature {
        // SAFETY: a catalog look-up; the text is copied.
        name: unsafe { super::text(pg_sys::get_func_name(oid)) }?,
        arguments: routine
            .proargnames()
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect(),
    })
}

/// The bytes of an argument, to compare it with another value of the same type; `None` for NULL.
pub fn bytes<'a>(fcinfo: pg_sys::FunctionCallInfo, place: usize) -> Option<Cow<'a, [u8]>> {
    let datum = raw(fcinfo, place)?;
    // SAFETY: a catalog look-up of the argument's type; a value by reference of variable length
    // is detoasted, one of fixed length has that many bytes. All live as long as the call.
    unsafe {
        let (mut length, mut by_value) = (0, false);
        pg_sys::get_typlenbyval(type_of(fcinfo, place), &mut length, &mut by_value);
        match length {
            _ if by_value => Some(Cow::Owned(datum.value().to_ne_bytes().to_vec())),
            -1 => <&[u8]>::from_datum(datum, false).map(Cow::Borrowed),
            _ => {
                let length = usize::try_from(length).unwrap_or(0);
                let start = datum.cast_mut_ptr::<u8>();
                Some(Cow::Borrowed(std::slice::from_raw_parts(start, length)))
            }
        }
    }
}
