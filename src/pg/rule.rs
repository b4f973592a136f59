//! What a view says of itself: the first query of its WITH, read from the tree that the server keeps.
//!
//! A name can be taken by somebody else, and the columns behind a view are numbers to the server,
//! whatever they are called today. The tree has both, and goes through dumps as SQL.

use pgrx::pg_sys;

use super::text;

/// The query `SELECT function(number, …), s.column AS name, … FROM table AS s`.
pub struct Stated {
    /// The schema of the function.
    pub schema: String,
    /// The function.
    pub function: String,
    /// Its first argument.
    pub number: i32,
    /// The table.
    pub table: pg_sys::Oid,
    /// The names given to the columns, and their numbers.
    columns: Vec<(String, pg_sys::AttrNumber)>,
}

impl Stated {
    /// The number of the column that was given a name.
    pub fn column(&self, name: &str) -> Option<pg_sys::AttrNumber> {
        let found = self.columns.iter().find(|(given, _)| given == name);
        found.map(|(_, number)| *number)
    }
}

/// What a view, or a materialized one, states; `None` for what is no view, is not there, or states
/// nothing of that form.
pub fn stated(view: pg_sys::Oid) -> Option<Stated> {
    // SAFETY: an entry that is open stays as it is, with the tree in it; everything is copied out of
    // it before anything else is looked up.
    let (function, number, table, columns) = unsafe {
        let opened = pg_sys::try_relation_open(view, pg_sys::AccessShareLock.cast_signed());
        if opened.is_null() {
            return None;
        }
        let found = selected((*opened).rd_rules).and_then(|query| query_of(query));
        pg_sys::relation_close(opened, pg_sys::NoLock.cast_signed());
        found?
    };
    // SAFETY: look-ups of the catalog, NULL for what is not there; the texts are copied.
    unsafe {
        let schema = pg_sys::get_func_namespace(function);
        Some(Stated {
            schema: text(pg_sys::get_namespace_name(schema))?,
            function: text(pg_sys::get_func_name(function))?,
            number,
            table,
            columns,
        })
    }
}

type Found = (
    pg_sys::Oid,
    i32,
    pg_sys::Oid,
    Vec<(String, pg_sys::AttrNumber)>,
);

/// The query of the rule that makes a relation a view.
///
/// # Safety
/// The rules of an open relation, or NULL.
unsafe fn selected(rules: *const pg_sys::RuleLock) -> Option<*const pg_sys::Query> {
    // SAFETY: as many rules as are said, each with a list of queries.
    unsafe {
        let rules = rules.as_ref()?;
        let count = usize::try_from(rules.numLocks).unwrap_or(0);
        (0..count)
            .map(|at| &**rules.rules.add(at))
            .find(|rule| rule.event == pg_sys::CmdType::CMD_SELECT)
            .and_then(|rule| nth(rule.actions, 0, pg_sys::NodeTag::T_Query))
    }
}

/// Reads the first query of the WITH of a query.
///
/// # Safety
/// A query as it is kept in a rule.
unsafe fn query_of(query: *const pg_sys::Query) -> Option<Found> {
    use pg_sys::NodeTag::{T_CommonTableExpr, T_Const, T_FuncExpr, T_Query};
    use pg_sys::NodeTag::{T_RangeTblEntry, T_TargetEntry, T_Var};
    // SAFETY: lists of nodes; a node is taken for what its tag says.
    unsafe {
        let with: *const pg_sys::CommonTableExpr = nth((*query).cteList, 0, T_CommonTableExpr)?;
        let inner: *const pg_sys::Query = node((*with).ctequery, T_Query)?;
        let from: *const pg_sys::RangeTblEntry = nth((*inner).rtable, 0, T_RangeTblEntry)?;
        if (*from).rtekind != pg_sys::RTEKind::RTE_RELATION {
            return None;
        }
        let entry = |at| -> Option<&pg_sys::TargetEntry> {
            nth((*inner).targetList, at, T_TargetEntry).map(|entry| &*entry)
        };
        let call: *const pg_sys::FuncExpr = node(entry(0)?.expr.cast(), T_FuncExpr)?;
        let first: *const pg_sys::Const = nth((*call).args, 0, T_Const)?;
        if (*first).consttype != pg_sys::INT4OID || (*first).constisnull {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, reason = "it is an int4")]
        let number = (*first).constvalue.value() as i32;
        let mut columns = Vec::new();
        for entry in (1..).map_while(entry) {
            let read: *const pg_sys::Var = node(entry.expr.cast(), T_Var)?;
            if (*read).varno != 1 || (*read).varlevelsup != 0 {
                return None;
            }
            columns.push((text(entry.resname)?, (*read).varattno));
        }
        Some(((*call).funcid, number, (*from).relid, columns))
    }
}

/// A node, if it is of that kind.
///
/// # Safety
/// A node or NULL; `T` is what the tag stands for.
unsafe fn node<T>(of: *const pg_sys::Node, tag: pg_sys::NodeTag) -> Option<*const T> {
    // SAFETY: every node begins with its tag.
    let is_it = !of.is_null() && unsafe { (*of).type_ } == tag;
    is_it.then_some(of.cast())
}

/// The node at a place of a list, if there is one and it is of that kind.
///
/// # Safety
/// A list of nodes or NULL; `T` is what the tag stands for.
unsafe fn nth<T>(list: *const pg_sys::List, at: usize, tag: pg_sys::NodeTag) -> Option<*const T> {
    // SAFETY: a list has as many cells as it says.
    unsafe {
        let list = list.as_ref()?;
        if at >= usize::try_from(list.length).unwrap_or(0) {
            return None;
        }
        node((*list.elements.add(at)).ptr_value.cast(), tag)
    }
}
