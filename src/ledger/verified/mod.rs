//! A verification put on record.

pub mod store;
