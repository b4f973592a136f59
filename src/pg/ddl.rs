//! What an event trigger can learn about the command it stands before.

use pgrx::pg_sys;

use super::text;

/// A command that may take whole schemas or extensions away.
#[derive(Debug, PartialEq, Eq)]
pub enum Drop {
    /// DROP EXTENSION, with the names and whether CASCADE was said.
    Extensions(Vec<String>, bool),
    /// DROP SCHEMA, with the names and whether CASCADE was said.
    Schemas(Vec<String>, bool),
    /// DROP OWNED BY, with the roles.
    OwnedBy(Vec<pg_sys::Oid>),
    /// Any other command.
    Other,
}

/// The command of the running event trigger.
pub fn command(fcinfo: pg_sys::FunctionCallInfo) -> Drop {
    // SAFETY: the context of an event trigger's call is EventTriggerData, whose parse tree lives
    // for the call; node casts follow the node's own tag.
    unsafe {
        let context = (*fcinfo).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_EventTriggerData {
            return Drop::Other;
        }
        let tree = (*context.cast::<pg_sys::EventTriggerData>()).parsetree;
        match (*tree).type_ {
            pg_sys::NodeTag::T_DropOwnedStmt => {
                Drop::OwnedBy(roles((*tree.cast::<pg_sys::DropOwnedStmt>()).roles))
            }
            pg_sys::NodeTag::T_DropStmt => {
                let statement = tree.cast::<pg_sys::DropStmt>();
                let cascade = (*statement).behavior == pg_sys::DropBehavior::DROP_CASCADE;
                match (*statement).removeType {
                    pg_sys::ObjectType::OBJECT_EXTENSION => {
                        Drop::Extensions(names((*statement).objects), cascade)
                    }
                    pg_sys::ObjectType::OBJECT_SCHEMA => {
                        Drop::Schemas(names((*statement).objects), cascade)
                    }
                    _ => Drop::Other,
                }
            }
            _ => Drop::Other,
        }
    }
}

/// DROP OWNED lists RoleSpec nodes; a role that does not exist is the command's own error later.
unsafe fn roles(list: *mut pg_sys::List) -> Vec<pg_sys::Oid> {
    let mut all = Vec::new();
    if list.is_null() {
        return all;
    }
    // SAFETY: a List of `length` cells, each a RoleSpec node.
    unsafe {
        for i in 0..usize::try_from((*list).length).unwrap_or(0) {
            let role = (*(*list).elements.add(i))
                .ptr_value
                .cast::<pg_sys::RoleSpec>();
            all.push(pg_sys::get_rolespec_oid(role, true));
        }
    }
    all
}

/// DROP EXTENSION and DROP SCHEMA list single-word names as String nodes.
unsafe fn names(list: *mut pg_sys::List) -> Vec<String> {
    let mut all = Vec::new();
    if list.is_null() {
        return all;
    }
    // SAFETY: a List of `length` cells, each a String node for these two commands.
    unsafe {
        for i in 0..usize::try_from((*list).length).unwrap_or(0) {
            let node = (*(*list).elements.add(i)).ptr_value.cast::<pg_sys::Node>();
            all.extend(text(string_of(node)));
        }
    }
    all
}

#[cfg(feature = "pg14")]
unsafe fn string_of(node: *mut pg_sys::Node) -> *const std::ffi::c_char {
    // SAFETY: until 14 a string is a Value node.
    unsafe {
        if (*node).type_ == pg_sys::NodeTag::T_String {
            (*node.cast::<pg_sys::Value>()).val.str_
        } else {
            std::ptr::null()
        }
    }
}

#[cfg(not(feature = "pg14"))]
unsafe fn string_of(node: *mut pg_sys::Node) -> *const std::ffi::c_char {
    // SAFETY: since 15 a string is a String node.
    unsafe {
        if (*node).type_ == pg_sys::NodeTag::T_String {
            (*node.cast::<pg_sys::String>()).sval
        } else {
            std::ptr::null()
        }
    }
}
