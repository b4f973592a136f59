//! Strategies that write over a value: all of it, or most of it.

pub mod redact;
pub mod retention;
