//! State made once per call site: one mention of a function in a statement.

use pgrx::{PgMemoryContexts, pg_sys};

/// Returns the state kept at this call site, making it at the first call of a statement. It lives
/// as long as the statement's own function look-up and is dropped with it.
///
/// The maker reads the arguments of the first call; `same` says whether kept state still fits the
/// arguments of this one (they may differ from row to row), and makes it anew if not, from the
/// former state where something of it can serve again.
///
/// # Errors
/// What `make` returns; nothing is kept then.
pub fn state<T, E>(
    fcinfo: pg_sys::FunctionCallInfo,
    same: impl FnOnce(&T) -> bool,
    make: impl FnOnce(Option<&T>) -> Result<T, E>,
) -> Result<&'static T, E> {
    // SAFETY: `fn_extra` belongs to the function behind `flinfo`, which is ours and keeps one type
    // there. The value is leaked into `fn_mcxt`, which outlives every call through this `flinfo`;
    // the caller must not keep the reference past its own
    // call, which no skin does, so that a later call may replace the value.
    unsafe {
        let flinfo = (*fcinfo).flinfo;
        let kept = (*flinfo).fn_extra.cast::<T>();
        if !kept.is_null() && same(&*kept) {
            return Ok(&*kept);
        }
        let value = make(kept.as_ref())?;
        if !kept.is_null() {
            // In the same place: arguments that change with every row must not fill the memory.
            *kept = value;
            return Ok(&*kept);
        }
        let place = PgMemoryContexts::For((*flinfo).fn_mcxt).leak_and_drop_on_delete(value);
        (*flinfo).fn_extra = place.cast();
        Ok(&*place)
    }
}
