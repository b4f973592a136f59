//! A row that arrives, masked before it is stored.

pub mod store;
