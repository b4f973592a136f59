//! Inspection: the ledger at rest, read once and handed to what verifies it.

pub mod store;
