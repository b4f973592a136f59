//! What an event trigger can learn about the command it stands before.

use pgrx::pg_sys;

use super::text;

/// A command that may take whole schemas or extensions away.
#[derive(Debug, PartialEq, Eq)]
pub enum Drop {
    /// DROP EXTENSION, with the names.
    Extensions(Vec<String>),
    /// DROP SCHEMA, with the names and whether CASCADE was said.
    Schemas(Vec<String>, bool),
    /// DROP OWNED BY, with the roles.
    OwnedBy(Vec<pg_sys::Oid>),
    /// Any other command.
    Other,
}

/// The moment at which an event trigger is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before a command.
    Start,
    /// After a command.
    End,
    /// After what a command drops is gone.
    Dropped,
    /// Before a command writes a whole table anew.
    Rewrite,
}

/// The moment of the running event trigger; `None` outside of one.
pub fn moment(fcinfo: pg_sys::FunctionCallInfo) -> Option<Moment> {
    // SAFETY: the context of an event trigger's call is EventTriggerData, with a NUL-terminated
    // event.
    let event = unsafe { text((*event_trigger(fcinfo)?).event) }?;
    match event.as_str() {
        "ddl_command_start" => Some(Moment::Start),
        "ddl_command_end" => Some(Moment::End),
        "sql_drop" => Some(Moment::Dropped),
        "table_rewrite" => Some(Moment::Rewrite),
        _ => None,
    }
}

/// Whether the command of the running event trigger updates an extension or adds or drops one of
/// its members.
pub fn alters_extension(fcinfo: pg_sys::FunctionCallInfo, extension: &str) -> bool {
    // SAFETY: as in `moment`; the parse tree lives for the call, node casts follow the node's tag.
    unsafe {
        let Some(data) = event_trigger(fcinfo) else {
            return false;
        };
        let tree = (*data).parsetree;
        let name = match (*tree).type_ {
            pg_sys::NodeTag::T_AlterExtensionStmt => {
                (*tree.cast::<pg_sys::AlterExtensionStmt>()).extname
            }
            pg_sys::NodeTag::T_AlterExtensionContentsStmt => {
                (*tree.cast::<pg_sys::AlterExtensionContentsStmt>()).extname
            }
            _ => return false,
        };
        text(name).as_deref() == Some(extension)
    }
}

/// The table that the command of the running event trigger alters, by ALTER TABLE.
pub fn altered_table(fcinfo: pg_sys::FunctionCallInfo) -> Option<pg_sys::Oid> {
    // SAFETY: as in `alters_extension`; a name that is not found gives no table.
    unsafe {
        let tree = (*event_trigger(fcinfo)?).parsetree;
        if (*tree).type_ != pg_sys::NodeTag::T_AlterTableStmt {
            return None;
        }
        named((*tree.cast::<pg_sys::AlterTableStmt>()).relation)
    }
}

/// The materialized view that the command of the running event trigger has filled anew, or emptied,
/// in another file; CONCURRENTLY leaves the old rows in the one it has.
pub fn refreshed_view(fcinfo: pg_sys::FunctionCallInfo) -> Option<pg_sys::Oid> {
    // SAFETY: as in `altered_table`.
    unsafe {
        let tree = (*event_trigger(fcinfo)?).parsetree;
        if (*tree).type_ != pg_sys::NodeTag::T_RefreshMatViewStmt {
            return None;
        }
        let command = tree.cast::<pg_sys::RefreshMatViewStmt>();
        if (*command).concurrent {
            return None;
        }
        named((*command).relation)
    }
}

/// Whether the command of the running event trigger gives something another name or schema.
pub fn may_rename(fcinfo: pg_sys::FunctionCallInfo) -> bool {
    // SAFETY: as in `alters_extension`.
    let tag = unsafe { event_trigger(fcinfo).map(|data| (*(*data).parsetree).type_) };
    matches!(
        tag,
        Some(pg_sys::NodeTag::T_RenameStmt | pg_sys::NodeTag::T_AlterObjectSchemaStmt)
    )
}

/// The relation that a command names, if there is one.
unsafe fn named(name: *mut pg_sys::RangeVar) -> Option<pg_sys::Oid> {
    #[allow(clippy::cast_possible_wrap, reason = "a lock mode of value 0")]
    let no_lock = pg_sys::NoLock as i32;
    let missing_ok = pg_sys::RVROption::RVR_MISSING_OK;
    let nothing = std::ptr::null_mut();
    // SAFETY: the name stands in a parse tree, which lives for the call.
    let oid = unsafe { pg_sys::RangeVarGetRelidExtended(name, no_lock, missing_ok, None, nothing) };
    (oid != pg_sys::InvalidOid).then_some(oid)
}

/// The name of the function that the command of the running event trigger has made or replaced,
/// with its schema where the command says one.
pub fn made_function(fcinfo: pg_sys::FunctionCallInfo) -> Vec<String> {
    // SAFETY: as in `alters_extension`; a function's name is a list of String nodes.
    unsafe {
        let Some(data) = event_trigger(fcinfo) else {
            return Vec::new();
        };
        let tree = (*data).parsetree;
        if (*tree).type_ != pg_sys::NodeTag::T_CreateFunctionStmt {
            return Vec::new();
        }
        names((*tree.cast::<pg_sys::CreateFunctionStmt>()).funcname)
    }
}

/// Whether the script of an extension is running: CREATE EXTENSION or ALTER EXTENSION UPDATE.
pub fn runs_script_of(extension: &std::ffi::CStr) -> bool {
    // SAFETY: reads backend state; a catalog look-up by a NUL-terminated name.
    unsafe {
        pg_sys::creating_extension
            && pg_sys::CurrentExtensionObject == pg_sys::get_extension_oid(extension.as_ptr(), true)
    }
}

/// Whether `pg_upgrade` is filling this server: it makes an extension member by member.
pub fn is_binary_upgrade() -> bool {
    // SAFETY: reads backend state.
    unsafe { pg_sys::IsBinaryUpgrade }
}

/// Calls of an event trigger have a context of their own kind.
fn event_trigger(fcinfo: pg_sys::FunctionCallInfo) -> Option<*mut pg_sys::EventTriggerData> {
    // SAFETY: the context is NULL or a node.
    unsafe {
        let context = (*fcinfo).context;
        (!context.is_null() && (*context).type_ == pg_sys::NodeTag::T_EventTriggerData)
            .then(|| context.cast())
    }
}

/// The command of the running event trigger.
pub fn command(fcinfo: pg_sys::FunctionCallInfo) -> Drop {
    // SAFETY: the context of an event trigger's call is EventTriggerData, whose parse tree lives
    // for the call; node casts follow the node's own tag.
    unsafe {
        let Some(data) = event_trigger(fcinfo) else {
            return Drop::Other;
        };
        let tree = (*data).parsetree;
        match (*tree).type_ {
            pg_sys::NodeTag::T_DropOwnedStmt => {
                Drop::OwnedBy(roles((*tree.cast::<pg_sys::DropOwnedStmt>()).roles))
            }
            pg_sys::NodeTag::T_DropStmt => {
                let statement = tree.cast::<pg_sys::DropStmt>();
                let cascade = (*statement).behavior == pg_sys::DropBehavior::DROP_CASCADE;
                match (*statement).removeType {
                    pg_sys::ObjectType::OBJECT_EXTENSION => {
                        Drop::Extensions(names((*statement).objects))
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

/// DROP EXTENSION, DROP SCHEMA and CREATE FUNCTION list the words of names as String nodes.
unsafe fn names(list: *mut pg_sys::List) -> Vec<String> {
    let mut all = Vec::new();
    if list.is_null() {
        return all;
    }
    // SAFETY: a List of `length` cells, each a String node for these commands.
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
