//! Citus: a mask that runs where the rows are finds the key of the coordinator there.
//!
//! Every node has tables of keys of its own. `node` is what is known of one and what is missing there,
//! `store` asks the nodes through Citus, as the caller, and does what is missing; nothing here names
//! a function of Citus before its extension was seen.

pub mod node;
pub mod sql;
pub mod store;
