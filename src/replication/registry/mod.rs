//! What was set up, by number.

pub mod store;
