//! What a procedure can learn about its own call.

use pgrx::pg_sys;

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
