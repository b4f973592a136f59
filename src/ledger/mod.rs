//! The ledger: evidence of what was done, in a chain that cannot be changed unnoticed.
//!
//! Every stored field of an entry is inside its hash, every hash inside the next entry, and every
//! hash signed under a subkey of a key that is not in the database. Entries come from Rust state
//! only: no SQL function appends what a caller says.

pub mod anchor;
pub mod beginning;
pub mod canonical;
pub mod checkpoint;
pub mod declared;
pub mod entry;
pub mod export;
pub mod fleet;
pub mod guard;
pub mod inspection;
pub mod journal;
pub mod json;
pub mod lineage;
pub mod retention;
pub mod signing;
pub mod sql;
pub mod store;
pub mod tree;
pub mod unprepared;
pub mod verified;
pub mod verify;
