//! Between the server's values and [`Datum`], for a type resolved once.
//!
//! A domain counts as the type below it; an array is read and written element by element, with its
//! dimensions and its NULLs. Types that pure code reads in text form go through their own output
//! and input functions, looked up once.

use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::{CStr, CString, c_void};

use pgrx::datum::{FromDatum, IntoDatum};
use pgrx::{AnyElement, PgMemoryContexts, pg_sys, varlena};

use super::types::{folds_case, in_text_form, is_label, unsupported, value_type};
use crate::error::{Error, Kind, Result};
use crate::value::{Datum, ValueType};

/// A value that may be an array of values.
#[derive(Debug)]
pub enum Whole<'a> {
    /// One value.
    One(Datum<'a>),
    /// An array; `shape` is what the server needs to make one like it.
    Many {
        /// The elements in storage order; `None` for NULL.
        elements: Vec<Option<Datum<'a>>>,
        /// Dimensions and lower bounds.
        shape: Shape,
    },
}

impl<'a> Whole<'a> {
    /// Replaces the value, or every element that is not NULL; `None` stands for NULL.
    ///
    /// # Errors
    /// The first that `work` returns.
    pub fn each(
        self,
        work: impl Fn(Datum<'a>) -> Result<Option<Datum<'a>>>,
    ) -> Result<Option<Self>> {
        Ok(match self {
            Self::One(value) => work(value)?.map(Self::One),
            Self::Many { elements, shape } => Some(Self::Many {
                elements: elements
                    .into_iter()
                    .map(|value| value.map_or(Ok(None), &work))
                    .collect::<Result<_>>()?,
                shape,
            }),
        })
    }
}

/// The dimensions of an array.
#[derive(Debug)]
pub struct Shape {
    sizes: Vec<i32>,
    lower_bounds: Vec<i32>,
}

/// How values of one type are read and written. Lives as long as the memory context it was made
/// for, and no longer.
pub struct Codec {
    oid: pg_sys::Oid,
    of: ValueType,
    array: Option<Element>,
    form: Form,
    /// Blanks at the end of a char(n) are no part of it, as in a cast to text.
    is_padded: bool,
    /// Equal values may differ in case: they are read in lower case.
    folds_case: bool,
    /// What its constraints ask of a value, where the type is a domain.
    domain: Option<Domain>,
    /// The same of an element.
    element_domain: Option<Domain>,
}

/// A domain: its number, and what the server keeps for checking values of it.
struct Domain {
    oid: pg_sys::Oid,
    kept: Cell<*mut c_void>,
    context: pg_sys::MemoryContext,
}

impl Domain {
    fn of(oid: pg_sys::Oid, base: pg_sys::Oid, context: pg_sys::MemoryContext) -> Option<Self> {
        (oid != base).then(|| Self {
            oid,
            kept: Cell::new(std::ptr::null_mut()),
            context,
        })
    }

    /// Raises what the server raises for a value that the domain refuses; it holds no value.
    fn check(&self, value: Option<pg_sys::Datum>) {
        // SAFETY: a value of the domain's base type; what the server keeps lives in the memory of
        // the codec.
        unsafe {
            pg_sys::domain_check(
                value.unwrap_or(pg_sys::Datum::from(0_usize)),
                value.is_none(),
                self.oid,
                self.kept.as_ptr(),
                self.context,
            );
        }
    }
}

struct Element {
    oid: pg_sys::Oid,
    length: i16,
    by_value: bool,
    align: std::ffi::c_char,
}

/// The output and input function of a type in text form; none for types that are read directly.
enum Form {
    Direct,
    Text(Box<Functions>),
}

struct Functions {
    output: pg_sys::FmgrInfo,
    input: pg_sys::FmgrInfo,
    parameter: pg_sys::Oid,
}

impl Codec {
    /// Resolves a type, with its look-ups kept in the memory of this call site.
    ///
    /// # Errors
    /// 42804 for a type that no value is read of.
    pub fn at(fcinfo: pg_sys::FunctionCallInfo, oid: pg_sys::Oid) -> Result<Self> {
        // SAFETY: the pointers of the running call; `fn_mcxt` outlives every call through `flinfo`.
        let context = unsafe { PgMemoryContexts::For((*(*fcinfo).flinfo).fn_mcxt) };
        Self::new(context, oid)
    }

    fn new(context: PgMemoryContexts, oid: pg_sys::Oid) -> Result<Self> {
        // SAFETY: catalog look-ups inside a transaction; unknown types raise.
        let (base, scalar, array) = unsafe {
            let base = pg_sys::getBaseType(oid);
            let element = pg_sys::get_element_type(base);
            if element == pg_sys::InvalidOid {
                (base, base, None)
            } else {
                let (mut length, mut by_value, mut align) = (0, false, 0);
                pg_sys::get_typlenbyvalalign(element, &mut length, &mut by_value, &mut align);
                let found = Element {
                    oid: element,
                    length,
                    by_value,
                    align,
                };
                (base, pg_sys::getBaseType(element), Some(found))
            }
        };
        let of = value_type(scalar).ok_or_else(|| unsupported(oid))?;
        let form = if in_text_form(of) {
            // SAFETY: the functions of a type that exists; what they allocate goes where the codec
            // lives.
            unsafe {
                let (mut output, mut input) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
                let mut parameter = pg_sys::InvalidOid;
                let mut is_varlena = false;
                pg_sys::getTypeOutputInfo(scalar, &mut output, &mut is_varlena);
                pg_sys::getTypeInputInfo(scalar, &mut input, &mut parameter);
                let mut functions = Box::new(Functions {
                    output: pg_sys::FmgrInfo::default(),
                    input: pg_sys::FmgrInfo::default(),
                    parameter,
                });
                let context = context.value();
                pg_sys::fmgr_info_cxt(output, &mut functions.output, context);
                pg_sys::fmgr_info_cxt(input, &mut functions.input, context);
                Form::Text(functions)
            }
        } else {
            Form::Direct
        };
        let element = array.as_ref().map(|element| element.oid);
        let context = context.value();
        Ok(Self {
            oid,
            of,
            domain: Domain::of(oid, base, context),
            element_domain: element.and_then(|of| Domain::of(of, scalar, context)),
            array,
            form,
            is_padded: scalar == pg_sys::BPCHAROID,
            folds_case: of == ValueType::Text && folds_case(scalar),
        })
    }

    /// The type of the values, of the elements of an array.
    pub fn value_type(&self) -> ValueType {
        self.of
    }

    /// The type as the server numbers it.
    pub fn oid(&self) -> u32 {
        self.oid.to_u32()
    }

    /// Reads an argument of the running call; `None` for NULL.
    pub fn argument<'a>(
        &self,
        fcinfo: pg_sys::FunctionCallInfo,
        place: usize,
    ) -> Option<Whole<'a>> {
        let datum = super::call::raw(fcinfo, place)?;
        // SAFETY: the argument is of the type this codec was made for; it lives as long as the call.
        Some(unsafe { self.whole(datum) })
    }

    /// Reads a value of the server.
    ///
    /// # Safety
    /// It is of the type of this codec, and lives as long as what is made of it.
    pub(super) unsafe fn whole<'a>(&self, datum: pg_sys::Datum) -> Whole<'a> {
        let Some(element) = &self.array else {
            // SAFETY: as the caller promises.
            return Whole::One(unsafe { self.read(datum) });
        };
        // SAFETY: an array of that element type; detoasted, it lives as long as the call. The
        // dimensions stand behind the header, as ARR_DIMS and ARR_LBOUND of array.h find them.
        unsafe {
            let array: *mut pg_sys::ArrayType =
                pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
            let dimensions = usize::try_from((*array).ndim).unwrap_or(0);
            let behind: *const i32 = array.add(1).cast();
            let shape = Shape {
                sizes: std::slice::from_raw_parts(behind, dimensions).to_vec(),
                lower_bounds: std::slice::from_raw_parts(behind.add(dimensions), dimensions)
                    .to_vec(),
            };
            let (mut values, mut nulls, mut count) =
                (std::ptr::null_mut(), std::ptr::null_mut(), 0);
            pg_sys::deconstruct_array(
                array,
                element.oid,
                element.length.into(),
                element.by_value,
                element.align,
                &mut values,
                &mut nulls,
                &mut count,
            );
            let elements = (0..usize::try_from(count).unwrap_or(0))
                .map(|i| (!*nulls.add(i)).then(|| self.read(*values.add(i))))
                .collect();
            Whole::Many { elements, shape }
        }
    }

    /// Writes a value; `None` is NULL.
    ///
    /// # Errors
    /// XX000 for a value of another type or of more elements than the shape has.
    pub fn result(&self, value: Option<Whole<'_>>) -> Result<Option<AnyElement>> {
        let datum = match (value, &self.array) {
            (None, _) => {
                if let Some(domain) = &self.domain {
                    domain.check(None);
                }
                return Ok(None);
            }
            (Some(Whole::One(value)), None) => self.write(value)?,
            (Some(Whole::Many { elements, shape }), Some(element)) => {
                self.array(elements, shape, element)?
            }
            _ => return Err(internal("an array and a value were mixed up")),
        };
        if let Some(domain) = &self.domain {
            domain.check(Some(datum));
        }
        // SAFETY: the value is of the type of this codec.
        Ok(unsafe { AnyElement::from_polymorphic_datum(datum, false, self.oid) })
    }

    fn array(
        &self,
        elements: Vec<Option<Datum<'_>>>,
        mut shape: Shape,
        element: &Element,
    ) -> Result<pg_sys::Datum> {
        let mut nulls: Vec<bool> = elements.iter().map(Option::is_none).collect();
        let mut values = Vec::with_capacity(elements.len());
        for value in elements {
            let value = value.map(|value| self.write(value)).transpose()?;
            if let Some(domain) = &self.element_domain {
                domain.check(value);
            }
            values.push(value.unwrap_or(pg_sys::Datum::from(0_usize)));
        }
        let needed: i64 = match shape.sizes.as_slice() {
            [] => 0,
            sizes => sizes.iter().map(|size| i64::from(*size)).product(),
        };
        if i64::try_from(values.len()) != Ok(needed) {
            return Err(internal("an array has lost elements"));
        }
        // SAFETY: as many values and flags as the dimensions say, all of the element type.
        let array = unsafe {
            pg_sys::construct_md_array(
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
                i32::try_from(shape.sizes.len()).unwrap_or(0),
                shape.sizes.as_mut_ptr(),
                shape.lower_bounds.as_mut_ptr(),
                element.oid,
                element.length.into(),
                element.by_value,
                element.align,
            )
        };
        Ok(pg_sys::Datum::from(array))
    }

    /// # Safety
    /// The value is of the scalar type of this codec and lives as long as the call.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a narrow value stands in the low bits of the datum"
    )]
    unsafe fn read<'a>(&self, datum: pg_sys::Datum) -> Datum<'a> {
        // SAFETY: each arm reads the representation of its type.
        unsafe {
            match self.of {
                ValueType::Bool => Datum::Bool(datum.value() as u8 != 0),
                ValueType::Int16 => Datum::Int(i64::from(datum.value() as i16)),
                ValueType::Int32 => Datum::Int(i64::from(datum.value() as i32)),
                ValueType::Int64 => Datum::Int(datum.value() as i64),
                ValueType::Float32 => Datum::Float(f64::from(f32::from_bits(datum.value() as u32))),
                ValueType::Float64 => Datum::Float(f64::from_bits(datum.value() as u64)),
                ValueType::Date => Datum::Date(datum.value() as i32),
                ValueType::Timestamp | ValueType::Timestamptz => {
                    Datum::Timestamp(datum.value() as i64)
                }
                ValueType::Uuid => {
                    let uuid: *const [u8; 16] = datum.cast_mut_ptr::<[u8; 16]>();
                    Datum::Uuid(*uuid)
                }
                ValueType::Text if self.is_padded => {
                    Datum::Text(Cow::Borrowed(text(datum).trim_end_matches(' ')))
                }
                // As citext compares: in lower case by the database's own collation.
                ValueType::Text if self.folds_case => {
                    let lower = pg_sys::Oid::from(pg_sys::F_LOWER_TEXT);
                    let collation = pg_sys::DEFAULT_COLLATION_OID;
                    Datum::Text(Cow::Borrowed(text(pg_sys::OidFunctionCall1Coll(
                        lower, collation, datum,
                    ))))
                }
                ValueType::Text => Datum::Text(Cow::Borrowed(text(datum))),
                ValueType::Json => Datum::Json(Cow::Borrowed(text(datum))),
                ValueType::Bytes => Datum::Bytes(Cow::Borrowed(bytes(datum))),
                ValueType::Cidr | ValueType::Inet => Datum::Inet(self.out(datum)),
                ValueType::Enum => Datum::Text(self.out(datum)),
                ValueType::Hstore => Datum::Hstore(self.out(datum)),
                ValueType::Jsonb => Datum::Json(self.out(datum)),
                ValueType::Mac | ValueType::Mac8 => Datum::Mac(self.out(datum)),
                ValueType::Numeric => Datum::Numeric(self.out(datum)),
                // No codec is made for composites.
                ValueType::Record => Datum::Text(Cow::Borrowed("")),
            }
        }
    }

    /// # Safety
    /// As [`Self::read`].
    unsafe fn out<'a>(&self, datum: pg_sys::Datum) -> Cow<'a, str> {
        let Form::Text(functions) = &self.form else {
            return Cow::Borrowed("");
        };
        // SAFETY: the output function of the value's own type; its text lives in the memory of the
        // row. The look-up is only read through a mutable pointer, as the server declares it.
        let text = unsafe {
            let output: *const pg_sys::FmgrInfo = &functions.output;
            CStr::from_ptr(pg_sys::OutputFunctionCall(output.cast_mut(), datum))
        };
        text.to_string_lossy()
    }

    fn write(&self, value: Datum<'_>) -> Result<pg_sys::Datum> {
        if !self.of.holds(&value) {
            return Err(internal("a masked value does not fit its type"));
        }
        Ok(match value {
            Datum::Bool(value) => pg_sys::Datum::from(value),
            Datum::Int(value) => match self.of {
                ValueType::Int16 => pg_sys::Datum::from(i16::try_from(value).unwrap_or_default()),
                ValueType::Int32 => pg_sys::Datum::from(i32::try_from(value).unwrap_or_default()),
                _ => pg_sys::Datum::from(value),
            },
            #[allow(
                clippy::cast_possible_truncation,
                reason = "a real holds what fits its 24 bits"
            )]
            Datum::Float(value) => match self.of {
                ValueType::Float32 => (value as f32).into_datum(),
                _ => value.into_datum(),
            }
            .unwrap_or(pg_sys::Datum::from(0_usize)),
            Datum::Date(days) => pg_sys::Datum::from(days),
            Datum::Timestamp(micros) => pg_sys::Datum::from(micros),
            Datum::Uuid(bytes) => pgrx::datum::Uuid::from_bytes(bytes)
                .into_datum()
                .unwrap_or(pg_sys::Datum::from(0_usize)),
            Datum::Bytes(bytes) => stored(&bytes),
            Datum::Text(text) if self.of == ValueType::Text => stored(text.as_bytes()),
            Datum::Json(text) if self.of == ValueType::Json => stored(text.as_bytes()),
            Datum::Hstore(text)
            | Datum::Inet(text)
            | Datum::Json(text)
            | Datum::Mac(text)
            | Datum::Numeric(text)
            | Datum::Text(text) => self.parse(&text)?,
        })
    }

    fn parse(&self, text: &str) -> Result<pg_sys::Datum> {
        let Form::Text(functions) = &self.form else {
            return Err(internal("a type is not read in text form"));
        };
        let text = CString::new(text).map_err(|_| internal("a masked value holds a zero byte"))?;
        if self.of == ValueType::Enum && !is_label(functions.parameter, &text) {
            // The server would quote it.
            return Err(Error::new(
                Kind::InvalidText,
                "a value that was made is no label of its enum type",
            ));
        }
        // SAFETY: the input function of the type, with its own parameter and no modifier.
        Ok(unsafe {
            let input: *const pg_sys::FmgrInfo = &functions.input;
            pg_sys::InputFunctionCall(
                input.cast_mut(),
                text.as_ptr().cast_mut(),
                functions.parameter,
                -1,
            )
        })
    }
}

/// # Safety
/// A text of a database of encoding UTF8, the only one the extension installs into.
unsafe fn text<'a>(datum: pg_sys::Datum) -> &'a str {
    // SAFETY: the server checked the encoding when the value came in.
    unsafe { std::str::from_utf8_unchecked(bytes(datum)) }
}

/// The content of a value of variable length, which lives as long as the call. A value that lies
/// in its row as it is costs no call into the server, whose guard would cost more than the look.
///
/// # Safety
/// A value of variable length.
unsafe fn bytes<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: the header says how the value is stored; what is compressed or lies elsewhere is
    // fetched, as the caller promises that it is a value of variable length.
    unsafe {
        let stored: *mut pg_sys::varlena = datum.cast_mut_ptr();
        let lies_here = varlena::varatt_is_4b_u(stored)
            || varlena::varatt_is_1b(stored) && !varlena::varatt_is_1b_e(stored);
        let value = if lies_here {
            stored
        } else {
            pg_sys::pg_detoast_datum_packed(stored)
        };
        pgrx::varlena_to_byte_slice(value)
    }
}

fn stored(bytes: &[u8]) -> pg_sys::Datum {
    pg_sys::Datum::from(pgrx::rust_byte_slice_to_bytea(bytes).into_pg())
}

fn internal(message: &str) -> Error {
    Error::new(Kind::Internal, message)
}
