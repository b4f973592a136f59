//! Whose functions, types and relations are, and what of them must not take part where code of others is
//! held back ([`super::trusted`]).

use std::ffi::c_void;
use std::ptr::null_mut;

use pgrx::{FromDatum, PgList, pg_guard, pg_sys};

use super::walk::Found;
use super::{heap, led, text, trusted};

/// Whether a number is one of the server's own.
pub(super) fn is_servers(number: pg_sys::Oid) -> bool {
    number.to_u32() < pg_sys::FirstNormalObjectId
}

const OF_RELATION: &str = "It has taken the name of a table, or a function reads it. Have it owned by a \
                           superuser, or ask as its owner.";

/// Raises an error where a type would run code that must not: a domain that values are made of, by its
/// checks; a range, by its difference, which the planner calls for the values that it has samples of.
pub(super) fn require_type(of: pg_sys::Oid, is_made: bool, seen: &mut Vec<(pg_sys::Oid, bool)>) {
    if is_servers(of) || seen.contains(&(of, is_made)) {
        return;
    }
    // Types may be nested as deep as their owner likes: an error, and not the end of the process.
    // SAFETY: reads backend state, and raises an error of the server.
    unsafe { pg_sys::check_stack_depth() };
    seen.push((of, is_made));
    // SAFETY: look-ups of the catalog, 0 for what is not there.
    let (kind, element) = unsafe { (pg_sys::get_typtype(of), pg_sys::get_element_type(of)) };
    if element != pg_sys::InvalidOid {
        return require_type(element, is_made, seen);
    }
    match kind.cast_unsigned() {
        pg_sys::TYPTYPE_DOMAIN => {
            if is_made {
                match owner_of_type(of).is_some_and(trusted::admits) {
                    false => require_checks(of, seen),
                    true if led::is_inside() => checks(of).0.name(),
                    true => {}
                }
            }
            let base = base_of(of).unwrap_or(pg_sys::InvalidOid);
            require_type(base, is_made, seen);
        }
        pg_sys::TYPTYPE_RANGE => {
            let (functions, inner) = range(of);
            if !functions.into_iter().all(|function| {
                is_servers(function) || owner_of_function(function).is_some_and(trusted::admits)
            }) {
                refuse_type(of);
            }
            require_type(inner, is_made, seen);
        }
        pg_sys::TYPTYPE_MULTIRANGE => {
            // SAFETY: a look-up of the catalog.
            let inner = unsafe { pg_sys::get_multirange_range(of) };
            require_type(inner, is_made, seen);
        }
        pg_sys::TYPTYPE_COMPOSITE if is_made => {
            for of in attributes(of) {
                require_type(of, is_made, seen);
            }
        }
        _ => {}
    }
}

pub(super) fn refuse_type(of: pg_sys::Oid) {
    // SAFETY: a palloc'ed text.
    let name = unsafe { text(pg_sys::format_type_be(of)) }.unwrap_or_default();
    trusted::refuse(
        &format!("type \"{name}\""),
        "used",
        "Have it, and its functions, owned by a superuser, or ask as its owner.",
    );
}

/// Raises an error where the checks of a domain of somebody else do more than compute: what is looked at is
/// what the server would run, functions in line.
fn require_checks(of: pg_sys::Oid, seen: &mut Vec<(pg_sys::Oid, bool)>) {
    let (found, does_more) = checks(of);
    if does_more {
        refuse_type(of);
    }
    found
        .functions
        .into_iter()
        .for_each(trusted::require_function);
    found.operators.into_iter().for_each(require_operator);
    for (of, is_made) in found.types {
        require_type(of, is_made, seen);
    }
}

/// What the checks of a domain call, and whether they do more than compute.
fn checks(of: pg_sys::Oid) -> (Found, bool) {
    // SAFETY: the expressions stay as they are until the reference to them goes, with its memory. What
    // an error leaves behind goes with the memory of the statement.
    unsafe {
        let memory = pg_sys::AllocSetContextCreateInternal(
            pg_sys::CurrentMemoryContext,
            c"checks of a domain".as_ptr(),
            0,
            1024,
            8192,
        );
        let checks: *mut pg_sys::DomainConstraintRef =
            pg_sys::MemoryContextAllocZero(memory, size_of::<pg_sys::DomainConstraintRef>()).cast();
        pg_sys::InitDomainConstraintRef(of, checks, memory, false);
        let list = PgList::<pg_sys::DomainConstraintState>::from_pg((*checks).constraints);
        let mut found = Found::default();
        let mut is_more = false;
        for check in list.iter_ptr() {
            let tree: *mut pg_sys::Node = (*check).check_expr.cast();
            found.add(Found::in_tree(tree));
            is_more |= does_more(tree, null_mut());
        }
        pg_sys::MemoryContextDelete(memory);
        (found, is_more)
    }
}

/// Whether an expression calls a function that is not immutable, nor one of those of the server that are
/// known to do no harm in any hands (as `src/sync/catalog/code.sql`).
///
/// # Safety
/// A node of an expression, or NULL.
#[pg_guard]
pub(super) unsafe extern "C-unwind" fn does_more(
    node: *mut pg_sys::Node,
    nothing: *mut c_void,
) -> bool {
    if node.is_null() {
        return false;
    }
    // SAFETY: as the caller promises. Conversions by text are those of types, which are looked at.
    unsafe {
        ((*node).type_ != pg_sys::NodeTag::T_CoerceViaIO
            && pg_sys::check_functions_in_node(node, Some(is_more), nothing))
            || pg_sys::expression_tree_walker(node, Some(does_more), nothing)
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn is_more(function: pg_sys::Oid, _nothing: *mut c_void) -> bool {
    // SAFETY: look-ups of the catalog by the number of a function.
    unsafe {
        if pg_sys::func_volatile(function).cast_unsigned() == pg_sys::PROVOLATILE_IMMUTABLE {
            return false;
        }
        let name = text(pg_sys::get_func_name(function)).unwrap_or_default();
        !is_servers(function)
            || !(HARMLESS.contains(&name.as_str())
                || HARMLESS_BEGIN.iter().any(|begin| name.starts_with(begin)))
    }
}

/// Whether a function that nothing but its name is known of could do harm. No expression calls a procedure.
pub(super) fn is_harmful(function: pg_sys::Oid) -> bool {
    // SAFETY: look-ups of the catalog by the number of a function.
    unsafe {
        is_more(function, null_mut())
            && !is_conversion(function)
            && !takes_internal(function)
            && pg_sys::get_func_prokind(function).cast_unsigned() != pg_sys::PROKIND_PROCEDURE
    }
}

/// Whether a function is called by the server alone: no expression can make what it takes.
///
/// # Safety
/// The number of a function.
unsafe fn takes_internal(function: pg_sys::Oid) -> bool {
    // SAFETY: as the caller promises; a palloc'ed array of as many types.
    unsafe { arguments(function) }.contains(&pg_sys::INTERNALOID)
}

/// Whether a function is a cast of the server, which it calls where nothing names it.
///
/// # Safety
/// The number of a function.
unsafe fn is_conversion(function: pg_sys::Oid) -> bool {
    use pg_sys::SysCacheIdentifier::CASTSOURCETARGET;
    // SAFETY: as the caller promises; the row stays until it is released.
    unsafe {
        let Some(from) = arguments(function).first().copied() else {
            return false;
        };
        let to = pg_sys::get_func_rettype(function);
        let row = pg_sys::SearchSysCache2(
            CASTSOURCETARGET.cast_signed(),
            pg_sys::Datum::from(from),
            pg_sys::Datum::from(to),
        );
        if row.is_null() {
            return false;
        }
        let mut is_null = true;
        let called = pg_sys::SysCacheGetAttr(
            CASTSOURCETARGET.cast_signed(),
            row,
            CASTFUNC,
            &raw mut is_null,
        );
        pg_sys::ReleaseSysCache(row);
        !is_null && called.value() == function.to_u32() as usize
    }
}

/// The place of `castfunc` in `catalog/pg_cast.h`, of which pgrx has no declarations.
const CASTFUNC: pg_sys::AttrNumber = 4;

/// Whether a function or an operator, of those that make a row of unknown columns, fills one that it is
/// given, as `jsonb_populate_record` does: domains of the row are made then.
pub(super) fn fills_rows(functions: &[pg_sys::Oid], operators: &[pg_sys::Oid]) -> bool {
    // SAFETY: look-ups of the catalog.
    unsafe {
        let of_operators = operators.iter().map(|one| pg_sys::get_opcode(*one));
        let mut all = functions.iter().copied().chain(of_operators);
        all.any(|one| arguments(one).contains(&pg_sys::ANYELEMENTOID))
    }
}

/// What an aggregate of somebody calls, and the types of its states; nothing for another function.
pub(super) fn aggregate(function: pg_sys::Oid) -> (Vec<pg_sys::Oid>, Vec<pg_sys::Oid>) {
    use pg_sys::SysCacheIdentifier::AGGFNOID;
    // SAFETY: a look-up of the catalog; the row stays until it is released, its columns are numbers.
    unsafe {
        let row = pg_sys::SearchSysCache1(AGGFNOID.cast_signed(), pg_sys::Datum::from(function));
        if row.is_null() {
            return (Vec::new(), Vec::new());
        }
        let column = |number: &pg_sys::AttrNumber| {
            let mut is_null = true;
            let found =
                pg_sys::SysCacheGetAttr(AGGFNOID.cast_signed(), row, *number, &raw mut is_null);
            pg_sys::Oid::from_datum(found, is_null).filter(|found| *found != pg_sys::InvalidOid)
        };
        let functions = AGG_FUNCTIONS.iter().filter_map(column).collect();
        let types = AGG_TYPES.iter().filter_map(column).collect();
        pg_sys::ReleaseSysCache(row);
        (functions, types)
    }
}

/// The places of `aggtransfn`, `aggfinalfn`, `aggcombinefn`, `aggserialfn`, `aggdeserialfn`, `aggmtransfn`,
/// `aggminvtransfn` and `aggmfinalfn` in `catalog/pg_aggregate.h`, of which pgrx has no declarations.
const AGG_FUNCTIONS: [pg_sys::AttrNumber; 8] = [4, 5, 6, 7, 8, 9, 10, 11];
/// Those of `aggtranstype` and `aggmtranstype`.
const AGG_TYPES: [pg_sys::AttrNumber; 2] = [17, 19];

/// # Safety
/// The number of a function.
unsafe fn arguments(function: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    let (mut types, mut count) = (null_mut(), 0);
    // SAFETY: as the caller promises; a palloc'ed array of as many types.
    unsafe {
        pg_sys::get_func_signature(function, &raw mut types, &raw mut count);
        let count = usize::try_from(count).unwrap_or(0);
        (0..count).map(|at| *types.add(at)).collect()
    }
}

const HARMLESS: [&str; 12] = [
    "nextval",
    "now",
    "random",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "gen_random_uuid",
    "uuidv7",
    "age",
    "to_char",
    "to_date",
    "to_tsvector",
];
const HARMLESS_BEGIN: [&str; 6] = ["timestamp", "date", "interval", "time", "extract", "concat"];

/// Raises an error where an operator belongs to somebody else, who says which function it is.
pub(super) fn require_operator(operator: pg_sys::Oid) {
    let cache = pg_sys::SysCacheIdentifier::OPEROID;
    // SAFETY: rows of that cache are of that form.
    let owner = unsafe {
        row(cache, operator, |form: &pg_sys::FormData_pg_operator| {
            form.oprowner
        })
    };
    if !owner.is_some_and(trusted::admits) {
        // SAFETY: a look-up of the catalog; a palloc'ed text or NULL.
        let name = unsafe { text(pg_sys::get_opname(operator)) }.unwrap_or_default();
        trusted::refuse(&format!("operator \"{name}\""), "run", OF_RELATION);
    }
}

/// Raises an error where a relation is a view or a foreign table of somebody else.
pub(super) fn require_kind(relation: pg_sys::Oid) {
    match heap::kind(relation) {
        'v' if !owner_of_relation(relation).is_some_and(trusted::admits) => {
            trusted::refuse(
                &format!("view \"{}\"", named(relation)),
                "read",
                OF_RELATION,
            );
        }
        'f' => require_foreign(relation),
        _ => {}
    }
}

/// Raises an error where a relation belongs to somebody else, of which a `part` was put into a statement.
pub(super) fn require_relation(part: &str, relation: pg_sys::Oid) {
    if !owner_of_relation(relation).is_some_and(trusted::admits) {
        trusted::refuse(
            &format!("{part} of table \"{}\"", named(relation)),
            "run",
            OF_RELATION,
        );
    }
}

/// Of a foreign table, both are asked for: its owner says what is read, that of the server where.
fn require_foreign(table: pg_sys::Oid) {
    if !owner_of_relation(table).is_some_and(trusted::admits) {
        trusted::refuse(
            &format!("foreign table \"{}\"", named(table)),
            "read",
            OF_RELATION,
        );
    }
    // SAFETY: copies of what the catalog says of a foreign table that is there.
    let (owner, name) = unsafe {
        let server = pg_sys::GetForeignServer((*pg_sys::GetForeignTable(table)).serverid);
        ((*server).owner, text((*server).servername))
    };
    if !trusted::admits(owner) {
        trusted::refuse(
            &format!("foreign server \"{}\"", name.unwrap_or_default()),
            "asked",
            OF_RELATION,
        );
    }
}

pub(super) fn named(relation: pg_sys::Oid) -> String {
    heap::name(relation)
        .map(|(_, name)| name)
        .unwrap_or_default()
}

/// The functions of a range type, and what it is of.
fn range(of: pg_sys::Oid) -> ([pg_sys::Oid; 2], pg_sys::Oid) {
    // SAFETY: an entry that stays for as long as the process; the type is a range.
    unsafe {
        let known = pg_sys::lookup_type_cache(of, pg_sys::TYPECACHE_RANGE_INFO.cast_signed());
        let functions = [
            (*known).rng_canonical_finfo.fn_oid,
            (*known).rng_subdiff_finfo.fn_oid,
        ];
        let inner = (*known).rngelemtype;
        (
            functions,
            inner.as_ref().map_or(pg_sys::InvalidOid, |of| of.type_id),
        )
    }
}

/// The types of the attributes of a composite type.
fn attributes(of: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    // SAFETY: a copy of the description of a type that is there.
    unsafe {
        let described = pg_sys::lookup_rowtype_tupdesc_copy(of, -1);
        let described = pgrx::PgTupleDesc::from_pg_unchecked(described);
        let there = described.iter().filter(|column| !column.attisdropped);
        there.map(|column| column.atttypid).collect()
    }
}

/// Who owns a function; `None` where it has gone.
pub(super) fn owner_of_function(function: pg_sys::Oid) -> Option<pg_sys::Oid> {
    let cache = pg_sys::SysCacheIdentifier::PROCOID;
    // SAFETY: rows of that cache are of that form.
    unsafe {
        row(cache, function, |form: &pg_sys::FormData_pg_proc| {
            form.proowner
        })
    }
}

/// The language of a function; `None` where it has gone.
pub(super) fn language_of_function(function: pg_sys::Oid) -> Option<pg_sys::Oid> {
    let cache = pg_sys::SysCacheIdentifier::PROCOID;
    // SAFETY: as above.
    unsafe {
        row(cache, function, |form: &pg_sys::FormData_pg_proc| {
            form.prolang
        })
    }
}

pub(super) fn owner_of_relation(relation: pg_sys::Oid) -> Option<pg_sys::Oid> {
    let cache = pg_sys::SysCacheIdentifier::RELOID;
    // SAFETY: as above.
    unsafe {
        row(cache, relation, |form: &pg_sys::FormData_pg_class| {
            form.relowner
        })
    }
}

pub(super) fn owner_of_type(of: pg_sys::Oid) -> Option<pg_sys::Oid> {
    let cache = pg_sys::SysCacheIdentifier::TYPEOID;
    // SAFETY: as above.
    unsafe { row(cache, of, |form: &pg_sys::FormData_pg_type| form.typowner) }
}

/// What a domain is over, which may be another.
fn base_of(of: pg_sys::Oid) -> Option<pg_sys::Oid> {
    let cache = pg_sys::SysCacheIdentifier::TYPEOID;
    // SAFETY: as above.
    unsafe {
        row(cache, of, |form: &pg_sys::FormData_pg_type| {
            form.typbasetype
        })
    }
}

/// Reads a row of a cache of the catalog; `None` where it has gone.
///
/// # Safety
/// Rows of the cache, by number, are of the form `T`.
unsafe fn row<T, V>(
    cache: pg_sys::SysCacheIdentifier::Type,
    number: pg_sys::Oid,
    read: impl FnOnce(&T) -> V,
) -> Option<V> {
    // SAFETY: the row stays until it is released; `read` copies out of it.
    unsafe {
        let row = pg_sys::SearchSysCache1(cache.cast_signed(), pg_sys::Datum::from(number));
        if row.is_null() {
            return None;
        }
        let form: *mut T = pg_sys::heap_tuple_get_struct(row);
        let found = read(&*form);
        pg_sys::ReleaseSysCache(row);
        Some(found)
    }
}
