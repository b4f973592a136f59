//! The beginning of the log: what is done before it has one, and what the first entry makes up for.

pub mod store;
