//! What a statement calls, makes, reads and fires, found in its trees before anything of it runs.
//!
//! The trees are those that the server plans: views, rules and policies have been put in by then. Numbers
//! below the first that is not the server's own are passed over, so that a statement of tables and
//! functions of the server costs little more than one look at each node.
//!
//! PostgreSQL source: `nodes/nodeFuncs.c`, `rewrite/rewriteHandler.c`, `utils/cache/typcache.c`,
//! `utils/adt/rangetypes_selfuncs.c` (which calls the difference of a range type while planning).

use std::ffi::c_void;
use std::ptr::from_mut;

use pgrx::{PgList, pg_guard, pg_sys};

use super::processed::unguarded;
use super::whose::{self, is_servers, require_kind, require_type};
use super::{led, trusted};

/// What was found, each but once.
#[derive(Default)]
pub(super) struct Found {
    /// Functions that it calls.
    pub(super) functions: Vec<pg_sys::Oid>,
    /// Functions of the server that it calls; noted where somebody's function leads to it.
    pub(super) servers: Vec<pg_sys::Oid>,
    /// Operators, whoever their functions belong to.
    pub(super) operators: Vec<pg_sys::Oid>,
    /// Types of values, and whether they are made here or are there already.
    pub(super) types: Vec<(pg_sys::Oid, bool)>,
    /// Relations, and whether policies of theirs were put in.
    relations: Vec<(pg_sys::Oid, bool)>,
    /// Relations that are written to.
    written: Vec<pg_sys::Oid>,
    /// What their columns are filled with: the relation, the number of the column, the expression.
    filled: Vec<(pg_sys::Oid, i16, *mut pg_sys::Node)>,
    /// Functions, and operators, that make rows whose columns only their values tell.
    records: (Vec<pg_sys::Oid>, Vec<pg_sys::Oid>),
}

impl Found {
    /// # Safety
    /// A tree of an expression or a query, or a list of such, or NULL.
    pub(super) unsafe fn in_tree(tree: *mut pg_sys::Node) -> Self {
        let mut found = Self::default();
        // SAFETY: as the caller promises; what is found outlives the walk. An error of the server leaves by
        // a jump over `visit`, `entry` and `called`, which hold nothing that would have to be dropped.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| visit(tree, from_mut(&mut found).cast()));
        }
        found
    }

    /// Takes in what was found elsewhere.
    pub(super) fn add(&mut self, other: Self) {
        self.functions.extend(other.functions);
        self.servers.extend(other.servers);
        self.operators.extend(other.operators);
        self.types.extend(other.types);
    }

    /// Notes what is called as what somebody who is trusted has named.
    pub(super) fn name(&self) {
        led::name(&self.servers);
        led::name(&self.functions);
        for function in &self.functions {
            led::name(&whose::aggregate(*function).0);
        }
    }

    /// Whether a function is called.
    pub(super) fn calls(&self, function: pg_sys::Oid) -> bool {
        self.functions.contains(&function) || self.servers.contains(&function)
    }

    fn is_followed(&self) -> bool {
        self.functions.iter().copied().any(led::is_followed)
    }

    fn require(&self, is_of_rule: bool) {
        self.functions
            .iter()
            .copied()
            .for_each(trusted::require_function);
        self.operators
            .iter()
            .copied()
            .for_each(whose::require_operator);
        let makes_rows = whose::fills_rows(&self.records.0, &self.records.1);
        let mut seen = Vec::new();
        for (of, is_made) in &self.types {
            require_type(*of, *is_made || makes_rows, &mut seen);
        }
        // The first state of an aggregate is read from text.
        for function in &self.functions {
            for of in whose::aggregate(*function).1 {
                require_type(of, true, &mut seen);
            }
        }
        for (relation, has_policy) in &self.relations {
            require_kind(*relation);
            if *has_policy {
                whose::require_relation("policy", *relation);
            }
            if is_of_rule {
                whose::require_relation("rule", *relation);
            }
        }
        if led::is_inside() {
            for relation in &self.written {
                led::require_written(*relation);
            }
            for (relation, column, value) in &self.filled {
                led::require_filled(*relation, *column, *value);
            }
            self.name();
        }
    }
}

/// Whether parallel workers may help a statement. Raises an error, 42501, where it must not be planned.
///
/// # Safety
/// A query as the server plans it.
#[pg_guard]
pub(super) unsafe extern "C-unwind" fn require_query(query: *mut pg_sys::Query) -> bool {
    use pg_sys::QuerySource::{QSRC_INSTEAD_RULE, QSRC_NON_INSTEAD_RULE, QSRC_QUAL_INSTEAD_RULE};
    // SAFETY: as the caller promises.
    let (found, source) = unsafe { (Found::in_tree(query.cast()), (*query).querySource) };
    found.require(
        [
            QSRC_INSTEAD_RULE,
            QSRC_QUAL_INSTEAD_RULE,
            QSRC_NON_INSTEAD_RULE,
        ]
        .contains(&source),
    );
    !found.is_followed()
}

/// Whether parallel workers may help with a relation. Raises an error, 42501, where it must not be read; with
/// `builds`, where an index of it calls what must not run.
///
/// # Safety
/// A relation that is open.
#[pg_guard]
pub(super) unsafe extern "C-unwind" fn require_relation(
    relation: pg_sys::Oid,
    builds: bool,
) -> bool {
    if is_servers(relation) {
        return true;
    }
    require_kind(relation);
    // SAFETY: as the caller promises.
    let found = unsafe { of_indexes(relation) };
    if builds {
        found.require(false);
        return !found.is_followed();
    }
    // What an index is worth is estimated with its condition, which is in no statement: a range type
    // then computes, by what was looked up when nobody held it back. Functions are refused where they
    // are called.
    let mut seen = Vec::new();
    for (of, _) in found.types {
        require_type(of, false, &mut seen);
    }
    true
}

/// Raises an error, 42501, where a plan reads what it must not.
///
/// # Safety
/// A plan of the server.
#[pg_guard]
pub(super) unsafe extern "C-unwind" fn require_plan(plan: *mut pg_sys::PlannedStmt) {
    // SAFETY: the entries are there as long as the plan.
    let relations: Vec<pg_sys::Oid> = unsafe {
        let entries = PgList::<pg_sys::RangeTblEntry>::from_pg((*plan).rtable);
        let kinds = [pg_sys::RELKIND_VIEW, pg_sys::RELKIND_FOREIGN_TABLE];
        let looked_at = entries
            .iter_ptr()
            .filter(|entry| kinds.contains(&(**entry).relkind.cast_unsigned()));
        looked_at.map(|entry| (*entry).relid).collect()
    };
    relations
        .into_iter()
        .filter(|relation| !is_servers(*relation))
        .for_each(require_kind);
}

/// Notes what a node says, and goes on to those in it.
///
/// # Safety
/// A node or NULL, and a [`Found`].
unsafe extern "C-unwind" fn visit(node: *mut pg_sys::Node, context: *mut c_void) -> bool {
    use pg_sys::NodeTag::{
        T_DistinctExpr, T_NullIfExpr, T_OpExpr, T_Query, T_RangeTblEntry, T_ScalarArrayOpExpr,
    };
    if node.is_null() {
        return false;
    }
    // SAFETY: as the caller promises; a node is taken for what its tag says.
    unsafe {
        let found = &mut *context.cast::<Found>();
        match (*node).type_ {
            T_RangeTblEntry => {
                // What is in it is visited by the walk of its query.
                found.entry(&*node.cast());
                return false;
            }
            T_Query => {
                let query: *mut pg_sys::Query = node.cast();
                found.write(&*query);
                return unguarded::query_tree_walker(
                    query,
                    Some(visit),
                    context,
                    pg_sys::QTW_EXAMINE_RTES_BEFORE.cast_signed(),
                );
            }
            T_OpExpr | T_DistinctExpr | T_NullIfExpr => {
                let of: *mut pg_sys::OpExpr = node.cast();
                found.operator((*of).opno);
                found.value(node, T_OpExpr);
            }
            T_ScalarArrayOpExpr => {
                found.operator((*node.cast::<pg_sys::ScalarArrayOpExpr>()).opno);
            }
            tag => found.value(node, tag),
        }
        unguarded::check_functions_in_node(node, Some(called), context);
        unguarded::expression_tree_walker(node, Some(visit), context)
    }
}

/// Notes a function.
unsafe extern "C-unwind" fn called(function: pg_sys::Oid, context: *mut c_void) -> bool {
    // SAFETY: `visit` hands itself on.
    let found = unsafe { &mut *context.cast::<Found>() };
    if !is_servers(function) {
        note(&mut found.functions, function);
    } else if led::is_inside() {
        note(&mut found.servers, function);
    }
    false
}

fn note<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
    }
}

impl Found {
    fn operator(&mut self, operator: pg_sys::Oid) {
        if !is_servers(operator) {
            note(&mut self.operators, operator);
        }
    }

    fn entry(&mut self, entry: &pg_sys::RangeTblEntry) {
        if entry.relid != pg_sys::InvalidOid && !is_servers(entry.relid) {
            note(
                &mut self.relations,
                (entry.relid, !entry.securityQuals.is_null()),
            );
        }
    }

    /// # Safety
    /// A query of the server.
    unsafe fn write(&mut self, query: &pg_sys::Query) {
        if query.resultRelation <= 0 {
            return;
        }
        // SAFETY: the number counts the entries from 1.
        let relation = unsafe {
            let entries = PgList::<pg_sys::RangeTblEntry>::from_pg(query.rtable);
            let at = usize::try_from(query.resultRelation).unwrap_or(1) - 1;
            entries.get_ptr(at).map(|entry| (*entry).relid)
        };
        let Some(relation) = relation.filter(|relation| !is_servers(*relation)) else {
            return;
        };
        self.written.push(relation);
        if led::is_inside() {
            // SAFETY: as the caller promises.
            unsafe { self.fill(relation, query) };
        }
    }

    /// # Safety
    /// A query of the server that writes to a relation.
    unsafe fn fill(&mut self, relation: pg_sys::Oid, query: &pg_sys::Query) {
        // SAFETY: as the caller promises; each list is of what its name says.
        unsafe {
            let mut lists = vec![query.targetList];
            if let Some(conflict) = query.onConflict.as_ref() {
                lists.push(conflict.onConflictSet);
            }
            #[cfg(not(feature = "pg14"))]
            for action in PgList::<pg_sys::MergeAction>::from_pg(query.mergeActionList).iter_ptr() {
                lists.push((*action).targetList);
            }
            for list in lists {
                let entries = PgList::<pg_sys::TargetEntry>::from_pg(list);
                let filled = entries.iter_ptr().filter(|entry| !(**entry).resjunk);
                self.filled.extend(filled.map(|entry| {
                    (
                        relation,
                        (*entry).resno,
                        (*entry).expr.cast::<pg_sys::Node>(),
                    )
                }));
            }
        }
    }

    /// # Safety
    /// A node of an expression, with its tag.
    unsafe fn value(&mut self, node: *mut pg_sys::Node, tag: pg_sys::NodeTag) {
        use pg_sys::NodeTag::{
            T_Aggref, T_ArrayCoerceExpr, T_CoerceToDomain, T_CoerceViaIO, T_Const,
            T_ConvertRowtypeExpr, T_FuncExpr, T_OpExpr, T_Param, T_RangeTblFunction, T_RowExpr,
            T_TableFunc, T_Var, T_WindowFunc,
        };
        // SAFETY: as the caller promises.
        unsafe {
            let (of, is_made) = match tag {
                T_Var => ((*node.cast::<pg_sys::Var>()).vartype, false),
                T_Const => ((*node.cast::<pg_sys::Const>()).consttype, false),
                T_Param => ((*node.cast::<pg_sys::Param>()).paramtype, false),
                T_FuncExpr => ((*node.cast::<pg_sys::FuncExpr>()).funcresulttype, true),
                T_OpExpr => ((*node.cast::<pg_sys::OpExpr>()).opresulttype, true),
                T_Aggref => ((*node.cast::<pg_sys::Aggref>()).aggtype, true),
                T_WindowFunc => ((*node.cast::<pg_sys::WindowFunc>()).wintype, true),
                T_CoerceViaIO => ((*node.cast::<pg_sys::CoerceViaIO>()).resulttype, true),
                T_ArrayCoerceExpr => ((*node.cast::<pg_sys::ArrayCoerceExpr>()).resulttype, true),
                T_ConvertRowtypeExpr => (
                    (*node.cast::<pg_sys::ConvertRowtypeExpr>()).resulttype,
                    true,
                ),
                T_CoerceToDomain => ((*node.cast::<pg_sys::CoerceToDomain>()).resulttype, true),
                T_RowExpr => ((*node.cast::<pg_sys::RowExpr>()).row_typeid, true),
                // What it finds is converted where it runs, by no node of its own.
                #[cfg(any(feature = "pg17", feature = "pg18"))]
                pg_sys::NodeTag::T_JsonExpr => {
                    let returning = (*node.cast::<pg_sys::JsonExpr>()).returning.as_ref();
                    (
                        returning.map_or(pg_sys::InvalidOid, |made| made.typid),
                        true,
                    )
                }
                T_RangeTblFunction => {
                    return self.columns((*node.cast::<pg_sys::RangeTblFunction>()).funccoltypes);
                }
                T_TableFunc => return self.columns((*node.cast::<pg_sys::TableFunc>()).coltypes),
                _ => return,
            };
            if !is_servers(of) {
                note(&mut self.types, (of, is_made));
            }
            if of == pg_sys::RECORDOID && tag == T_FuncExpr {
                note(
                    &mut self.records.0,
                    (*node.cast::<pg_sys::FuncExpr>()).funcid,
                );
            } else if of == pg_sys::RECORDOID && tag == T_OpExpr {
                note(&mut self.records.1, (*node.cast::<pg_sys::OpExpr>()).opno);
            }
        }
    }

    /// # Safety
    /// A list of numbers, or NULL.
    unsafe fn columns(&mut self, list: *const pg_sys::List) {
        // SAFETY: a list has as many cells as it says.
        let Some(list) = (unsafe { list.as_ref() }) else {
            return;
        };
        for at in 0..usize::try_from(list.length).unwrap_or(0) {
            // SAFETY: as above.
            let of = unsafe { (*list.elements.add(at)).oid_value };
            if !is_servers(of) {
                note(&mut self.types, (of, true));
            }
        }
    }
}

/// What is in the expressions and conditions of the indexes of a relation, those that are being built too.
///
/// # Safety
/// A relation that is open.
unsafe fn of_indexes(relation: pg_sys::Oid) -> Found {
    use pg_sys::SysCacheIdentifier::INDEXRELID;
    let mut all = Found::default();
    // SAFETY: as the caller promises; rows of the cache stay until they are released, and the trees are
    // copies.
    unsafe {
        let opened = pg_sys::relation_open(relation, pg_sys::NoLock.cast_signed());
        let indexes = pg_sys::RelationGetIndexList(opened);
        pg_sys::relation_close(opened, pg_sys::NoLock.cast_signed());
        let count = indexes.as_ref().map_or(0, |list| list.length);
        for at in 0..usize::try_from(count).unwrap_or(0) {
            let index = (*(*indexes).elements.add(at)).oid_value;
            let row = pg_sys::SearchSysCache1(INDEXRELID.cast_signed(), pg_sys::Datum::from(index));
            if row.is_null() {
                continue;
            }
            for column in [
                pg_sys::Anum_pg_index_indexprs,
                pg_sys::Anum_pg_index_indpred,
            ] {
                let mut is_null = true;
                let datum = pg_sys::SysCacheGetAttr(
                    INDEXRELID.cast_signed(),
                    row,
                    column.try_into().unwrap_or_default(),
                    &raw mut is_null,
                );
                if !is_null {
                    let written = pg_sys::text_to_cstring(datum.cast_mut_ptr());
                    all.add(Found::in_tree(pg_sys::stringToNode(written).cast()));
                }
            }
            pg_sys::ReleaseSysCache(row);
        }
    }
    all
}
