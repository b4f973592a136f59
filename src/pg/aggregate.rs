//! Calls by which the server computes an aggregate: the state of a group, and the arguments that are
//! the same for all of its rows.
//!
//! PostgreSQL source: `AggGetAggref` and `AggCheckCallContext` in `nodeAgg.c`; `ExecEvalParamExtern`
//! in `execExprInterp.c` for how a parameter is looked up.

use std::ffi::c_int;

use pgrx::{FromDatum, Internal, PgMemoryContexts, pg_sys};

use super::call;
use crate::error::{Error, Kind, Result};

/// The aggregate that a call belongs to.
pub struct Aggregate {
    fcinfo: pg_sys::FunctionCallInfo,
    node: *const pg_sys::Aggref,
    context: pg_sys::MemoryContext,
}

/// An argument that is fixed for a statement.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    datum: Option<pg_sys::Datum>,
    /// Its type.
    pub of: pg_sys::Oid,
}

impl Argument {
    /// Its value; `None` for NULL. To be asked for as what it is.
    pub fn get<T: FromDatum>(self) -> Option<T> {
        // SAFETY: the caller names the type that the signature of the aggregate gives it.
        self.datum
            .and_then(|datum| unsafe { T::from_datum(datum, false) })
    }
}

impl Aggregate {
    /// The aggregate whose function is running.
    ///
    /// # Errors
    /// 0A000 where it is called in another way: by itself, or over a window.
    pub fn of(fcinfo: pg_sys::FunctionCallInfo) -> Result<Self> {
        let mut context = std::ptr::null_mut();
        // SAFETY: the running call; the context is written before it is read.
        let (kind, node) = unsafe {
            (
                pg_sys::AggCheckCallContext(fcinfo, &raw mut context),
                pg_sys::AggGetAggref(fcinfo),
            )
        };
        if kind != pg_sys::AGG_CONTEXT_AGGREGATE.cast_signed() || node.is_null() {
            return Err(Error::new(
                Kind::Unsupported,
                "this function is part of an aggregate and answers nothing else",
            ));
        }
        Ok(Self {
            fcinfo,
            node,
            context,
        })
    }

    /// The type of an argument, counted from 0.
    pub fn type_of(&self, place: usize) -> Option<pg_sys::Oid> {
        let node = self.argument(place)?;
        // SAFETY: an expression of the plan.
        Some(unsafe { pg_sys::exprType(node) })
    }

    /// An argument that is the same for every row, counted from 0: a constant, or a parameter of
    /// the statement. `None` for anything that a row could decide.
    pub fn fixed(&self, place: usize) -> Option<Argument> {
        let node = self.argument(place)?;
        // SAFETY: a node is taken for what its tag says.
        unsafe {
            match (*node).type_ {
                pg_sys::NodeTag::T_Const => {
                    let node = &*node.cast::<pg_sys::Const>();
                    Some(Argument {
                        datum: (!node.constisnull).then_some(node.constvalue),
                        of: node.consttype,
                    })
                }
                pg_sys::NodeTag::T_Param => {
                    let node = &*node.cast::<pg_sys::Param>();
                    (node.paramkind == pg_sys::ParamKind::PARAM_EXTERN)
                        .then(|| self.parameter(node.paramid, node.paramtype))?
                }
                _ => None,
            }
        }
    }

    fn argument(&self, place: usize) -> Option<*mut pg_sys::Node> {
        // SAFETY: the arguments of the node of the running aggregate, each a target entry.
        unsafe {
            let list = (*self.node).args;
            let place = c_int::try_from(place).ok()?;
            if list.is_null() || place >= (*list).length {
                return None;
            }
            let entry: *const pg_sys::TargetEntry = pg_sys::list_nth(list, place).cast();
            Some((*entry).expr.cast())
        }
    }

    /// The value of a parameter of the statement, looked up as the executor does.
    fn parameter(&self, number: c_int, of: pg_sys::Oid) -> Option<Argument> {
        // SAFETY: the state of the running aggregate, and of the plan around it; a list of
        // parameters has as many as it says, or a function that fills in what it is given.
        unsafe {
            let state = (*self.fcinfo).context.cast::<pg_sys::AggState>();
            let parameters = (*(*state).ss.ps.state).es_param_list_info;
            if parameters.is_null() || number < 1 || number > (*parameters).numParams {
                return None;
            }
            let mut place = pg_sys::ParamExternData::default();
            let found = match (*parameters).paramFetch {
                Some(fetch) => &*fetch(parameters, number, false, &raw mut place),
                None => {
                    let at = usize::try_from(number - 1).ok()?;
                    &*(*parameters).params.as_ptr().add(at)
                }
            };
            (found.ptype == of).then(|| Argument {
                datum: (!found.isnull).then_some(found.value),
                of,
            })
        }
    }

    /// The state of the group, if it has one yet.
    pub fn state<T: 'static>(&self) -> Option<&'static mut T> {
        // SAFETY: the first argument is the state, which `keep` made, of one type for each
        // aggregate; the server gives it to no other call meanwhile, and the caller keeps no
        // reference past its own call.
        unsafe { call::raw(self.fcinfo, 0)?.cast_mut_ptr::<T>().as_mut() }
    }

    /// Makes the state of a group; it is dropped with the memory of the group.
    pub fn keep<T: 'static>(&self, state: T) -> &'static mut T {
        // SAFETY: the memory that the server keeps states in.
        unsafe { &mut *PgMemoryContexts::For(self.context).leak_and_drop_on_delete(state) }
    }

    /// How values of an argument's type are told apart.
    ///
    /// # Errors
    /// 42883 for a type without a hash function, and for rows of no type, of which only a value shows
    /// whether they have one; 42P22 for texts of two collations.
    pub fn hasher(&self, place: usize) -> Result<Hasher> {
        let of = self.type_of(place).unwrap_or(pg_sys::InvalidOid);
        let none = || {
            Err(Error::new(
                Kind::UndefinedFunction,
                "values of this type cannot be told apart by a hash function",
            ))
        };
        if of == pg_sys::RECORDOID {
            return none();
        }
        // SAFETY: a catalog look-up, and a field of the node.
        let (is_collatable, collation) =
            unsafe { (pg_sys::type_is_collatable(of), (*self.node).inputcollid) };
        if is_collatable && collation == pg_sys::InvalidOid {
            return Err(Error::new(
                Kind::UndefinedCollation,
                "could not determine which collation to use for string hashing",
            )
            .with_hint("Use the COLLATE clause to set the collation explicitly."));
        }
        let wanted = pg_sys::TYPECACHE_HASH_EXTENDED_PROC_FINFO;
        // SAFETY: an entry of the cache stays as long as the session; its function is copied, with
        // what it keeps in the memory of the group.
        unsafe {
            let entry = pg_sys::lookup_type_cache(of, wanted.cast_signed());
            if (*entry).hash_extended_proc_finfo.fn_oid == pg_sys::InvalidOid {
                return none();
            }
            let mut function = pg_sys::FmgrInfo::default();
            pg_sys::fmgr_info_copy(
                &raw mut function,
                &raw mut (*entry).hash_extended_proc_finfo,
                self.context,
            );
            Ok(Hasher {
                function,
                collation: (*self.node).inputcollid,
            })
        }
    }

    /// The state, as it is given back to the server.
    pub fn give<T>(state: &mut T) -> Internal {
        Internal::from(Some(pg_sys::Datum::from(std::ptr::from_mut(state))))
    }
}

/// How values of a type are told apart.
pub struct Hasher {
    function: pg_sys::FmgrInfo,
    collation: pg_sys::Oid,
}

impl Hasher {
    /// The hash of an argument of a call, under a seed; `None` for NULL.
    pub fn hash(
        &mut self,
        fcinfo: pg_sys::FunctionCallInfo,
        place: usize,
        seed: u64,
    ) -> Option<u64> {
        let given = call::raw(fcinfo, place)?;
        // SAFETY: the function takes a value of the type it was looked up for and a bigint, and
        // gives a bigint.
        let hash = unsafe {
            pg_sys::FunctionCall2Coll(
                &raw mut self.function,
                self.collation,
                given,
                pg_sys::Datum::from(seed),
            )
        };
        Some(hash.value() as u64)
    }
}
