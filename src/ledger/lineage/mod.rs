//! The lineage: what became of each masked column in each run.
//!
//! One entry per run, table and masked column, in a chain of its own. It says how many values were
//! seen and changed and by what, and commits to all of them, before and after: without the key of
//! the run nothing can be learnt from that, with it the target can be held against it.

pub mod binding;
pub mod commitment;
pub mod entry;
pub mod openlineage;
pub mod report;
pub mod rows;
pub mod sql;
pub mod store;

pub use entry::{Entry, Facts, genesis};

#[cfg(test)]
pub(in crate::ledger) use entry::tests;
