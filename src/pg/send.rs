//! The bytes of a value, whatever its type: the same on every machine and under every setting.
//!
//! They are those of the type's send function, which clients get in binary form; text as it is
//! stored. Types without one give their text form.

use pgrx::{pg_sys, varlena};

/// How the bytes of values of one type are had, looked up once per call site.
pub struct Sender(Form);

enum Form {
    /// The bytes themselves, behind the length.
    Varlena,
    /// Two, four or eight bytes, big-endian, as the send functions of these types give them.
    Int(usize),
    /// By its send function.
    Send(Box<pg_sys::FmgrInfo>),
    /// By its output function.
    Text(Box<pg_sys::FmgrInfo>),
}

impl Sender {
    /// Looks up a type. The look-ups live as long as the statement that calls.
    pub fn at(fcinfo: pg_sys::FunctionCallInfo, of: pg_sys::Oid) -> Self {
        // SAFETY: catalog look-ups of a type that the server gave; the result is kept in the
        // memory of the call site, which outlives every call through it.
        unsafe {
            let base = pg_sys::getBaseType(of);
            let form = match base {
                pg_sys::TEXTOID | pg_sys::VARCHAROID | pg_sys::BPCHAROID | pg_sys::BYTEAOID => {
                    Form::Varlena
                }
                pg_sys::INT2OID => Form::Int(2),
                pg_sys::INT4OID => Form::Int(4),
                pg_sys::INT8OID => Form::Int(8),
                _ => {
                    let mut function = pg_sys::FmgrInfo::default();
                    let (send, output) = functions(base);
                    let found = if send == pg_sys::InvalidOid {
                        output
                    } else {
                        send
                    };
                    pg_sys::fmgr_info_cxt(found, &raw mut function, (*(*fcinfo).flinfo).fn_mcxt);
                    if send == pg_sys::InvalidOid {
                        Form::Text(Box::new(function))
                    } else {
                        Form::Send(Box::new(function))
                    }
                }
            };
            Self(form)
        }
    }

    /// Appends the bytes of an argument; whether there are any: not for NULL.
    pub fn append(
        &self,
        fcinfo: pg_sys::FunctionCallInfo,
        place: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(datum) = super::call::raw(fcinfo, place) else {
            return false;
        };
        // SAFETY: a value of the type that was looked up. What is made of it lives in the memory
        // of the row and is gone with it.
        unsafe {
            match &self.0 {
                Form::Varlena => {
                    let mut value: *mut pg_sys::varlena = datum.cast_mut_ptr();
                    // Most values are neither compressed nor stored elsewhere: no call for those.
                    let plain = varlena::varatt_is_4b_u(value)
                        || varlena::varatt_is_1b(value) && !varlena::varatt_is_1b_e(value);
                    if !plain {
                        value = pg_sys::pg_detoast_datum_packed(value);
                    }
                    out.extend_from_slice(varlena::varlena_to_byte_slice(value));
                }
                Form::Int(width) => {
                    let bytes = datum.value().to_be_bytes();
                    out.extend_from_slice(&bytes[bytes.len() - width..]);
                }
                Form::Send(function) => {
                    let function = std::ptr::from_ref::<pg_sys::FmgrInfo>(function).cast_mut();
                    let sent = pg_sys::SendFunctionCall(function, datum);
                    out.extend_from_slice(varlena::varlena_to_byte_slice(sent.cast()));
                }
                Form::Text(function) => {
                    let function = std::ptr::from_ref::<pg_sys::FmgrInfo>(function).cast_mut();
                    let text = pg_sys::OutputFunctionCall(function, datum);
                    out.extend_from_slice(std::ffi::CStr::from_ptr(text).to_bytes());
                }
            }
        }
        true
    }
}

/// The send function of a type, or 0, and its output function.
///
/// # Safety
/// Inside a transaction; the type exists.
unsafe fn functions(of: pg_sys::Oid) -> (pg_sys::Oid, pg_sys::Oid) {
    // SAFETY: as the caller promises; the tuple is released before its copy of two numbers is used.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(
            pg_sys::SysCacheIdentifier::TYPEOID as _,
            pg_sys::Datum::from(of),
        );
        if tuple.is_null() {
            return (pg_sys::InvalidOid, pg_sys::InvalidOid);
        }
        let row = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_type>();
        let found = ((*row).typsend, (*row).typoutput);
        pg_sys::ReleaseSysCache(tuple);
        found
    }
}
