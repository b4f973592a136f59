//! Rows that somebody else than the library writes: only a restore may, and what it brings was there
//! before. In a log in use every such place is taken.

pub mod store;
