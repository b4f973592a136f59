//! Custody: what is done to keys over their lives, each act on the record.
//!
//! A key is made, rotated, wrapped anew, shared, imported and destroyed here; room `keys` only
//! reads and uses. Every act commits together with its entry in the ledger, or not at all; no
//! entry holds anything secret.

mod record;
pub mod rewrap;
pub mod share;
pub mod sql;
pub mod store;
