//! Safe, product-free wrappers over the server: the only room with `unsafe`.
//!
//! Everything here is called on the backend's one thread, inside a transaction, from a function
//! that pgrx guards; that is the precondition every `SAFETY` comment below starts from. A server
//! error raised inside a wrapper unwinds as a Rust panic, so destructors run.

#![allow(
    unsafe_code,
    reason = "this room turns the server's raw interface into a safe one"
)]
#![allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "a pointer to the running call comes from pgrx and is valid for the call"
)]

pub mod aggregate;
pub mod append;
pub mod argument;
pub mod call;
pub mod callsite;
pub mod change;
pub mod check;
pub mod codec;
pub mod ddl;
mod durable;
pub mod expressions;
pub mod frozen;
pub mod guc;
pub mod heap;
pub mod ident;
pub mod inval;
mod kept;
pub mod latch;
mod led;
pub mod load;
pub mod lock;
pub mod memory;
pub mod meter;
pub mod missing;
pub mod owner;
pub mod pages;
pub mod parallel;
pub mod processed;
pub mod refile;
pub mod report;
pub mod routine;
pub mod row;
pub mod rule;
pub mod scan;
pub mod scratch;
pub mod send;
pub mod server;
pub mod shared;
pub mod snapshot;
pub mod spi;
pub mod stream;
pub mod subxact;
pub mod tally;
pub mod trigger;
pub mod trusted;
pub mod types;
pub mod usage;
pub mod user;
mod walk;
pub mod watch;
mod whose;
mod written;
pub mod xact;

/// Copies a text of the server; `None` for NULL.
///
/// # Safety
/// `value` is NULL or NUL-terminated.
unsafe fn text(value: *const std::ffi::c_char) -> Option<String> {
    if value.is_null() {
        return None;
    }
    // SAFETY: not NULL, and NUL-terminated as the caller promises.
    let text = unsafe { std::ffi::CStr::from_ptr(value) };
    Some(text.to_string_lossy().into_owned())
}
