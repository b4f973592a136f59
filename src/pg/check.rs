//! What the server asks of one column of a row, asked of a value before there is a row.
//!
//! CHECK constraints of the table that read this column and no other, and those of the domain that
//! it is of, are compiled as `ExecRelCheck` and `domain_check` compile them, once for a call site,
//! and evaluated as the current user. What they run is code of the table's owner: the caller has
//! seen to it that it may run.

use std::cell::Cell;
use std::ffi::{CString, c_char, c_void};
use std::ptr;

use pgrx::{AnyElement, pg_sys};

use super::text;
use crate::error::{Error, Kind, Result};

/// The conditions of a column, for values of one type. Lives as long as the memory of the call site
/// it was made for, and no longer.
pub struct Checks {
    context: *mut pg_sys::ExprContext,
    slot: *mut pg_sys::TupleTableSlot,
    attribute: usize,
    /// From the type of the values to that of the column.
    stored: *mut pg_sys::ExprState,
    domain: *mut pg_sys::DomainConstraintRef,
    table: Vec<(String, *mut pg_sys::ExprState)>,
    asked: Cell<Asked>,
}

/// What is evaluated: it may raise an error, which does not come back from there.
#[derive(Clone, Copy)]
enum Asked {
    /// No constraint.
    None,
    /// One of the domain, by its name.
    Domain(*const c_char),
    /// One of the table, by its place.
    Table(usize),
}

/// Whether a value is judged as the column would store it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As stored: rounded and padded as its length and precision say.
    Stored,
    /// As it is, in the type without length and precision.
    Uncut,
}

impl Checks {
    /// Compiles the conditions of a column; `None` where there are none, or values of that type
    /// cannot be stored there. The caller's statement holds a lock on the table.
    ///
    /// # Errors
    /// XX000 when the column has gone.
    pub fn at(
        fcinfo: pg_sys::FunctionCallInfo,
        relation: u32,
        column: &str,
        given: u32,
        form: Form,
    ) -> Result<Option<Self>> {
        let name = CString::new(column).map_err(|_| gone())?;
        // SAFETY: the pointers of the running call; `fn_mcxt` outlives every call through `flinfo`.
        // Everything made here is allocated below it and goes with it: nothing is freed by hand.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo((*(*fcinfo).flinfo).fn_mcxt);
            let estate = pg_sys::CreateExecutorState();
            pg_sys::MemoryContextSwitchTo((*estate).es_query_cxt);
            let made = Self::compile(estate, relation.into(), &name, given.into(), form);
            pg_sys::MemoryContextSwitchTo(before);
            made
        }
    }

    /// # Safety
    /// A table that exists; the current memory context is that of the state.
    unsafe fn compile(
        estate: *mut pg_sys::EState,
        relation: pg_sys::Oid,
        column: &CString,
        given: pg_sys::Oid,
        form: Form,
    ) -> Result<Option<Self>> {
        // SAFETY: catalog look-ups; the relation is closed again, its lock is kept, and what
        // outlives that is copied.
        unsafe {
            let opened = pg_sys::relation_open(relation, pg_sys::AccessShareLock.cast_signed());
            let number = pg_sys::get_attnum(relation, column.as_ptr());
            let table = own_checks(estate, opened, number);
            let descriptor = pg_sys::CreateTupleDescCopy((*opened).rd_att);
            pg_sys::relation_close(opened, pg_sys::NoLock.cast_signed());
            let attribute = usize::try_from(number - 1).map_err(|_| gone())?;

            let (mut of, mut modifier) = (pg_sys::InvalidOid, -1);
            let mut collation = pg_sys::InvalidOid;
            pg_sys::get_atttypetypmodcoll(relation, number, &mut of, &mut modifier, &mut collation);
            let base = pg_sys::getBaseTypeAndTypmod(of, &mut modifier);
            let domain: *mut pg_sys::DomainConstraintRef = match of == base {
                true => ptr::null_mut(),
                false => {
                    let size = size_of::<pg_sys::DomainConstraintRef>();
                    let asked = pg_sys::palloc0(size).cast();
                    pg_sys::InitDomainConstraintRef(of, asked, (*estate).es_query_cxt, true);
                    asked
                }
            };
            let has_domain = !domain.is_null() && length((*domain).constraints) > 0;
            if table.is_empty() && !has_domain {
                return Ok(None);
            }
            let modifier = match form {
                Form::Stored => modifier,
                Form::Uncut => -1,
            };
            let Some(stored) = conversion(estate, given, base, modifier) else {
                return Ok(None);
            };
            let slot =
                pg_sys::MakeSingleTupleTableSlot(descriptor, &raw const pg_sys::TTSOpsVirtual);
            let attributes = usize::try_from((*descriptor).natts).unwrap_or(0);
            ptr::write_bytes((*slot).tts_isnull, 1, attributes);
            pg_sys::ExecStoreVirtualTuple(slot);
            let context = pg_sys::CreateExprContext(estate);
            (*context).ecxt_scantuple = slot;
            Ok(Some(Self {
                context,
                slot,
                attribute,
                stored,
                domain: if has_domain { domain } else { ptr::null_mut() },
                table,
                asked: Cell::new(Asked::None),
            }))
        }
    }

    /// The name of the first constraint that refuses a value; `None` where none does.
    pub fn refusing(&self, value: Option<&AnyElement>) -> Option<String> {
        // SAFETY: a value of the type that the conditions were compiled for. What is computed on
        // the way lives in the memory of one row, which is emptied first.
        unsafe {
            let context = self.context;
            pg_sys::MemoryContextReset((*context).ecxt_per_tuple_memory);
            self.asked.set(Asked::None);
            let (mut stored, mut is_null) = (pg_sys::Datum::from(0_usize), true);
            if let Some(value) = value {
                (*context).caseValue_datum = value.datum();
                (*context).caseValue_isNull = false;
                stored = pg_sys::ExecEvalExprSwitchContext(self.stored, context, &mut is_null);
            }
            if !self.domain.is_null() {
                (*context).domainValue_datum = stored;
                (*context).domainValue_isNull = is_null;
                for place in 0..length((*self.domain).constraints) {
                    let constraint: *mut pg_sys::DomainConstraintState =
                        pg_sys::list_nth((*self.domain).constraints, place).cast();
                    self.asked.set(Asked::Domain((*constraint).name));
                    let holds = match (*constraint).constrainttype {
                        pg_sys::DomainConstraintType::DOM_CONSTRAINT_NOTNULL => !is_null,
                        _ => pg_sys::ExecCheck((*constraint).check_exprstate, context),
                    };
                    if !holds {
                        return Some(text((*constraint).name).unwrap_or_default());
                    }
                }
            }
            *(*self.slot).tts_values.add(self.attribute) = stored;
            *(*self.slot).tts_isnull.add(self.attribute) = is_null;
            let refuses = |(place, test): &(usize, &(String, *mut pg_sys::ExprState))| {
                self.asked.set(Asked::Table(*place));
                !pg_sys::ExecCheck(test.1, context)
            };
            let mut tests = self.table.iter().enumerate();
            tests.find(refuses).map(|(_, (name, _))| name.clone())
        }
    }

    /// The constraint that was asked last, also where its condition has raised an error; `None`
    /// where it did not come to one.
    pub fn asked(&self) -> Option<String> {
        match self.asked.get() {
            Asked::None => None,
            // SAFETY: the name of a constraint of the domain, which lives as long as `self`.
            Asked::Domain(name) => unsafe { text(name) },
            Asked::Table(place) => self.table.get(place).map(|(name, _)| name.clone()),
        }
    }
}

/// The CHECK constraints of a table that read one column and nothing else of the row.
///
/// # Safety
/// An open relation; the current memory context is that of the state.
unsafe fn own_checks(
    estate: *mut pg_sys::EState,
    relation: pg_sys::Relation,
    number: pg_sys::AttrNumber,
) -> Vec<(String, *mut pg_sys::ExprState)> {
    let mut found = Vec::new();
    // SAFETY: the constraints of an open relation, `num_check` of them; each text is that of an
    // expression over columns of this relation.
    unsafe {
        let constraints = (*(*relation).rd_att).constr;
        if constraints.is_null() {
            return found;
        }
        for place in 0..usize::from((*constraints).num_check) {
            let check = &*(*constraints).check.add(place);
            if !is_enforced(check) {
                continue;
            }
            let tree: *mut c_void = pg_sys::stringToNode(check.ccbin);
            let read = pg_sys::pull_var_clause(tree.cast(), 0);
            let reads_it = |place: i32| {
                let variable: *mut pg_sys::Var = pg_sys::list_nth(read, place).cast();
                (*variable).varattno == number
            };
            if length(read) > 0 && (0..length(read)).all(reads_it) {
                let state = pg_sys::ExecPrepareExpr(tree.cast(), estate);
                found.push((text(check.ccname).unwrap_or_default(), state));
            }
        }
    }
    found
}

#[cfg(feature = "pg18")]
fn is_enforced(check: &pg_sys::ConstrCheck) -> bool {
    check.ccenforced
}

#[cfg(not(feature = "pg18"))]
fn is_enforced(_: &pg_sys::ConstrCheck) -> bool {
    true
}

/// What an INSERT makes of a value of one type for a column of another; an enum is read from its
/// label, as the statement of a run does.
///
/// # Safety
/// The current memory context is that of the state.
unsafe fn conversion(
    estate: *mut pg_sys::EState,
    given: pg_sys::Oid,
    base: pg_sys::Oid,
    modifier: i32,
) -> Option<*mut pg_sys::ExprState> {
    // SAFETY: a node of the size and tag of its type, as PL/pgSQL makes one for its casts; it stands
    // for the value that the context holds when the expression is evaluated.
    unsafe {
        let place: *mut pg_sys::CaseTestExpr =
            pg_sys::palloc0(size_of::<pg_sys::CaseTestExpr>()).cast();
        (*place).xpr.type_ = pg_sys::NodeTag::T_CaseTestExpr;
        (*place).typeId = given;
        (*place).typeMod = -1;
        (*place).collation = pg_sys::get_typcollation(given);
        let context = match pg_sys::type_is_enum(base) && given != base {
            true => pg_sys::CoercionContext::COERCION_EXPLICIT,
            false => pg_sys::CoercionContext::COERCION_ASSIGNMENT,
        };
        let expression = pg_sys::coerce_to_target_type(
            ptr::null_mut(),
            place.cast(),
            given,
            base,
            modifier,
            context,
            pg_sys::CoercionForm::COERCE_IMPLICIT_CAST,
            -1,
        );
        (!expression.is_null()).then(|| pg_sys::ExecPrepareExpr(expression.cast(), estate))
    }
}

/// # Safety
/// A list, or none.
unsafe fn length(list: *mut pg_sys::List) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { list.as_ref() }.map_or(0, |list| list.length)
}

fn gone() -> Error {
    Error::new(Kind::Internal, "a column of a run has gone")
}
